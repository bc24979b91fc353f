"""The parameters of a search as axes: their values in order, and which of them a setting has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.figures.searched import value_words

__all__ = ["Parameter", "axes_of", "parameters_of"]

_ABSENT: Final = object()
#: Letters of a label of an axis.
_LETTERS: Final = 20


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its values as an axis shows them, and which of them each setting has."""

    name: str
    labels: list[str]
    at: NDArray[np.intp]  # by setting, the place of its value among the labels
    numbers: NDArray[np.float64] | None  # by setting, where all values are numbers

    def __len__(self) -> int:
        return len(self.labels)


def parameters_of(settings: Sequence[Mapping[str, Any]]) -> list[Parameter]:
    """Every parameter, with its values in order of size, or of appearance if not numbers."""
    names = list(dict.fromkeys(name for one in settings for name in one))
    return [_parameter(name, [one.get(name, _ABSENT) for one in settings]) for name in names]


def _parameter(name: str, values: Sequence[Any]) -> Parameter:
    places: dict[Any, int] = {}
    keys = [_key(value) for value in values]
    distinct = dict(zip(keys, values, strict=True))
    are_numbers = all(
        isinstance(v, Real) and type(v).__name__ not in ("bool", "bool_") and math.isfinite(v)
        for v in distinct.values()
    )
    ordered = sorted(distinct, key=lambda key: distinct[key]) if are_numbers else list(distinct)
    labels: list[str] = []
    for key in ordered:
        places[key] = len(labels)
        text = "–" if distinct[key] is _ABSENT else value_words(distinct[key], most=_LETTERS)
        own, number = text, 2
        while own in labels:  # two functions of one name are two values
            own, number = f"{text} ({number})", number + 1
        labels.append(own)
    return Parameter(
        str(name),
        labels,
        np.array([places[key] for key in keys], dtype=np.intp),
        np.array([float(v) for v in values]) if are_numbers else None,
    )


def _key(value: Any) -> Any:
    """Tell values apart: 1 is not True, and what cannot be hashed goes by its text."""
    try:
        hash(value)
    except TypeError:
        return (type(value).__name__, repr(value))
    return (type(value).__name__, value)


def axes_of(
    parameters: Sequence[Parameter], x: str | None, y: str | None
) -> tuple[Parameter, Parameter | None]:
    """Choose the parameters of the axes."""
    by_name = {one.name: one for one in parameters}
    if not by_name:
        raise ValueError("settings must have a parameter, had none")
    for side, name in (("x", x), ("y", y)):
        if name is not None:
            checks.one_of(side, name, by_name)
    if x is not None and x == y:
        raise ValueError(f"x and y must be two parameters, were both {x!r}")
    free = [one for one in parameters if one.name not in (x, y)]
    free.sort(key=lambda one: len(one) < 2)  # those that vary first, else in their order
    across = by_name[x] if x is not None else free.pop(0)
    if y is not None:
        return across, by_name[y]
    down = next((one for one in free if len(one) > 1), None)
    return across, down
