"""Fields of a form: descriptions that the page draws, and the reading of what was written there.

A form's values are texts, as its page has them. What was changed on a page and has not come yet
is not overwritten there: each page counts its changes, and the kernel says which it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from horizon import words
from horizon.widgets.access import text_of

__all__ = [
    "FieldError",
    "Form",
    "check",
    "choice",
    "date",
    "is_ticked",
    "many",
    "many_of",
    "number",
    "number_of",
    "one_of",
    "radio",
    "text",
    "whole_of",
]

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: Letters of one value; a list of markets may be long.
_LONGEST: Final = 100_000


class FieldError(ValueError):
    """What was written in one field cannot be read; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Form:
    """What the fields of a form hold, and what is wrong with it.

    Parameters
    ----------
    defaults : mapping of str to str
        The fields' names, and what they hold at first.

    Attributes
    ----------
    values : dict of str to str
    wrong : dict of str to str
        What is wrong with a field, by its name.
    """

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self.values = dict(defaults)
        self.wrong: dict[str, str] = {}
        self._by, self._edit = "", 0

    def take(self, arguments: Mapping[str, Any]) -> set[str]:
        """Take what a page's fields hold; returns the names of those that have changed."""
        values = arguments.get("values")
        if not isinstance(values, Mapping):
            raise TypeError("values must hold the texts of the fields")
        taken = dict(self.values)
        # A page that is behind has old copies of what the kernel has changed meanwhile: only
        # what was changed on the page is a wish.
        touched = arguments.get("touched", list(values))
        for name in self.values:
            if name in values and name in touched:
                taken[name] = text_of(values, name, most=_LONGEST)
        self._by = text_of(arguments, "by")
        edit = arguments.get("edit")
        self._edit = edit if isinstance(edit, int) else 0
        changed = {name for name, value in taken.items() if value != self.values[name]}
        self.values = taken
        for name in changed:
            self.wrong.pop(name, None)
        return changed

    def picture(self, fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the page draws a form from; `fields` are those that it has now, in their order."""
        return {
            "fields": list(fields),
            "values": dict(self.values),
            "wrong": dict(self.wrong),
            "by": self._by,
            "edit": self._edit,
        }


# ------------------------------------------------------------------------ descriptions
def text(
    name: str, label: str, *, suggestions: Sequence[str] | None = None, words: bool = False
) -> dict[str, Any]:
    """A line of text; `words` if it is no number. Suggestions may change while it stands."""
    return {
        "name": name,
        "label": label,
        "kind": "text",
        "suggestions": None if suggestions is None else list(suggestions),
        "digits": not words,
    }


def number(
    name: str, label: str, *, stops: Sequence[str] = (), hint: str = "", wide: bool = False
) -> dict[str, Any]:
    """A number, written, and with a slider from stop to stop where stops are given (as texts)."""
    return {
        "name": name,
        "label": label,
        "kind": "number",
        "stops": list(stops),
        "hint": hint,
        "wide": wide,
    }


def date(name: str, label: str, *, first: str = "", last: str = "") -> dict[str, Any]:
    """A day, as ``"YYYY-MM-DD"``, empty for none."""
    return {"name": name, "label": label, "kind": "date", "first": first, "last": last}


def choice(name: str, label: str, options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """One of several, of which one is seen."""
    return {"name": name, "label": label, "kind": "choice", "options": [[*o, ""] for o in options]}


def radio(
    name: str, label: str, options: Sequence[tuple[str, str, str]], *, wide: bool = False
) -> dict[str, Any]:
    """One of a few that are all seen, each with its value, its text and its tone."""
    shown = [list(option) for option in options]
    return {"name": name, "label": label, "kind": "radio", "options": shown, "wide": wide}


def check(name: str, label: str) -> dict[str, Any]:
    """Yes or no: ``"yes"`` or an empty text."""
    return {"name": name, "label": label, "kind": "check"}


def many(name: str, label: str, options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Any number of several: the chosen values, a line each."""
    shown = [list(option) for option in options]
    return {"name": name, "label": label, "kind": "many", "options": shown, "wide": True}


# ------------------------------------------------------------------------ reading
def number_of(values: Mapping[str, str], field: str, label: str | None = None) -> float:
    """Read a number above 0 and up to 1e15."""
    written = values[field].strip().replace("−", "-")
    label = field if label is None else label
    if not written:
        raise FieldError(field, f"{label} is empty: give a number above 0")
    if not _NUMBER.fullmatch(written):
        hint = ", without a comma or blank" if re.search(r"[,\s']", written) else ""
        raise FieldError(
            field,
            f"{label} must be a number above 0 such as 12.5{hint}, was {words.name(written)!r}",
        )
    read = float(written)
    if not 0.0 < read <= 1e15:
        raise FieldError(
            field, f"{label} must be above 0 and at most 1e15, was {words.name(written)}"
        )
    return read


def whole_of(values: Mapping[str, str], field: str, label: str | None = None) -> int:
    """Read a whole number of 1 or more."""
    written = values[field].strip()
    if not re.fullmatch(r"\d{1,9}", written, re.ASCII) or int(written) < 1:
        raise FieldError(
            field,
            f"{label or field} must be a whole number of 1 or more, was {words.name(written)!r}",
        )
    return int(written)


def one_of(values: Mapping[str, str], field: str, accepted: Sequence[str]) -> str:
    """Read one of several words."""
    if values[field] not in accepted:
        listed = ", ".join(repr(word) for word in accepted)
        raise FieldError(field, f"{field} must be one of {listed}, was {values[field]!r}")
    return values[field]


def many_of(values: Mapping[str, str], field: str, accepted: Sequence[str]) -> list[str]:
    """Read what was chosen of several, in their order."""
    chosen = set(values[field].split("\n")) - {""}
    unknown = sorted(chosen.difference(accepted))
    if unknown:
        raise FieldError(field, f"{field} has {unknown[0]!r}, which is none of its choices")
    return [value for value in accepted if value in chosen]


def is_ticked(values: Mapping[str, str], field: str) -> bool:
    """Read yes or no."""
    return one_of(values, field, ("", "yes")) == "yes"
