"""How a venue asks the models that a user may replace."""

from __future__ import annotations

from typing import Any

from horizon import checks, words
from horizon.errors import ModelError

__all__ = ["asked", "can_answer", "nonsense"]


def can_answer(model: object, question: str) -> bool:
    """Say whether this is a model that can be asked so; the class of one cannot."""
    return not isinstance(model, type) and callable(getattr(model, question, None))


def asked(model: Any, question: str, *arguments: Any) -> Any:
    """Call a method of a model, and name both where it raises.

    Raises
    ------
    ModelError
        If the method raises.
    """
    try:
        return getattr(model, question)(*arguments)
    except Exception as error:
        raise ModelError(
            f"{type(model).__name__}.{question} raised {words.raised(error)}"
        ) from error


def nonsense(model: Any, question: str, accepted: str, answer: object) -> ModelError:
    """Say that a model returned what cannot be."""
    return ModelError(
        f"{type(model).__name__}.{question} must return {accepted}, was {checks.show(answer)}"
    )
