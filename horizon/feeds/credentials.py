"""Keys of a data source: taken from an argument or the environment, and never shown."""

from __future__ import annotations

import os
from typing import NoReturn

__all__ = ["Secret", "credential", "credential_text"]


class Secret:
    """Text that no repr, message or pickle gives away.

    Examples
    --------
    >>> Secret("abc")
    <secret>
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one request that needs it."""
        return self._text

    def hide_in(self, text: str) -> str:
        """Return `text` with this secret blotted out, should somebody have echoed it.

        So is the beginning of it, where `checks.show` has cut the text within it.
        """
        for form in {self._text, repr(self._text)[1:-1]}:
            text = text.replace(form, "***")
            for length in range(len(form) - 1, 0, -1):
                text = text.replace(f"{form[:length]}…", "***…")
        return text

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled: give it, or its environment variable, anew")


def credential(argument: str, value: object, variable: str) -> Secret:
    """Take a key from an argument, or else from an environment variable.

    Parameters
    ----------
    argument : str
        The argument's name, for messages.
    value : str or None
        None looks into the environment.
    variable : str
        The environment variable's name.

    Raises
    ------
    ValueError
        Without either, or for a text no key can be (empty, with blanks or line breaks). No
        message has the value in it.
    """
    return Secret(credential_text(argument, value, variable))


def credential_text(argument: str, value: object, variable: str) -> str:
    """Take what `credential` takes, as plain text."""
    source = argument
    if value is None:
        value, source = os.environ.get(variable), f"environment variable {variable}"
        if value is None:
            raise ValueError(
                f"{argument} is missing: give it, or set the environment variable {variable}"
            )
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be text, was of type {type(value).__name__}")
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{source} must be a key of plain characters without blanks (not shown)")
    return value
