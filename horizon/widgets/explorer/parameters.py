"""The kinds of parameters: the field of each on a page, and the reading of what is written there.

Nothing here knows a widget, nor what a user gives for a parameter; see `space`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Final

import numpy as np

from horizon import checks, words
from horizon.widgets import fields
from horizon.widgets.fields import FieldError

__all__ = ["Choice", "Flag", "Number", "Parameter", "Text", "written"]

#: Values that are shown side by side rather than in a list.
_SIDE_BY_SIDE: Final = 4
#: Letters of such values, all together.
_ROOM: Final = 32
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Parameter:
    """One parameter: its name, its field, and how what is written there becomes a value.

    Attributes
    ----------
    name : str
    key : str
        What its field is called on the page, where a name may not have what it likes.
    label : str
        What a reader is shown.
    start : object
        The value to begin with.
    """

    def __init__(self, name: str, start: Any, unit: str = "") -> None:
        self.name = name
        self.key = "value"
        self.label = words.name(name) + (f", {words.name(unit)}" if unit else "")
        self.start = start

    def field(self) -> dict[str, Any]:
        """Describe its field."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return a value of it as its field holds it."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """Return the value of what its field holds; raises FieldError where it is none."""
        raise NotImplementedError

    def take(self, value: Any) -> Any:
        """Check a value that was given in Python, and return it as it is used."""
        raise NotImplementedError


class Flag(Parameter):
    """True or False."""

    def field(self) -> dict[str, Any]:
        """A check box."""
        return fields.check(self.key, self.label)

    def write(self, value: Any) -> str:
        """``"yes"`` or nothing."""
        return "yes" if value else ""

    def read(self, text: str) -> bool:
        """Whether it is ticked."""
        if text not in ("", "yes"):
            raise FieldError(self.key, f"{self.name} must be yes or nothing, was {text!r}")
        return text == "yes"

    def take(self, value: Any) -> bool:
        """True or False, and nothing else."""
        return checks.flag(self.name, value)


class Text(Parameter):
    """A line of text."""

    def field(self) -> dict[str, Any]:
        """A line."""
        return fields.text(self.key, self.label, words=True)

    def write(self, value: Any) -> str:
        """The text itself."""
        return str(value)

    def read(self, text: str) -> str:
        """What is written, blanks around it left out."""
        try:
            return checks.text(self.name, text.strip())
        except ValueError as error:
            raise FieldError(self.key, str(error)) from None

    def take(self, value: Any) -> str:
        """A text without blanks around it."""
        return checks.text(self.name, value)


class Choice(Parameter):
    """One of several values, of any kind."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        super().__init__(name, values[0])
        self._values = list(values)

    def field(self) -> dict[str, Any]:
        """Side by side where they are few and short, else in a list."""
        shown = [(str(i), words.value(value)) for i, value in enumerate(self._values)]
        if len(shown) <= _SIDE_BY_SIDE and sum(len(text) for _, text in shown) <= _ROOM:
            return fields.radio(self.key, self.label, [(*one, "") for one in shown])
        return fields.choice(self.key, self.label, shown)

    def write(self, value: Any) -> str:
        """Its place among the values."""
        return str(self._place(value))

    def read(self, text: str) -> Any:
        """The value at a place."""
        for i, value in enumerate(self._values):
            if text == str(i):
                return value
        raise FieldError(self.key, f"{self.name} must be one of its values, was {text!r}")

    def take(self, value: Any) -> Any:
        """One of the values."""
        return self._values[self._place(value)]

    def _place(self, value: Any) -> int:
        for i, known in enumerate(self._values):
            if known is value or _are_same(known, value):
                return i
        listed = ", ".join(checks.show(one) for one in self._values[:12])
        raise ValueError(f"{self.name} must be one of {listed}; was {checks.show(value)}")


class Number(Parameter):
    """A number, from stop to stop, on a grid, or anywhere between two ends.

    Parameters
    ----------
    name : str
    start : float
    low, high : float
        Infinite where there is no end.
    step : float, optional
        The distance of its values, from `low` on.
    stops : sequence of float
        Where a slider stops.
    values : sequence of float, optional
        The only values that it has, where there are such.
    is_whole : bool
    unit : str
    """

    def __init__(
        self,
        name: str,
        start: float,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        step: float | None = None,
        stops: Sequence[float] = (),
        values: Sequence[float] | None = None,
        is_whole: bool = False,
        unit: str = "",
    ) -> None:
        super().__init__(name, start, unit)
        self._low, self._high, self._step = low, high, step
        self._is_whole = is_whole
        self._stops = list(stops)
        self._known = None if values is None else {written(value): value for value in values}

    def field(self) -> dict[str, Any]:
        """A number, with a slider where it has stops."""
        return fields.number(
            self.key, self.label, stops=[written(stop) for stop in self._stops], hint=self._hint
        )

    @property
    def _hint(self) -> str:
        if self._known is not None:
            return ""
        ends = [end for end in (self._low, self._high) if math.isfinite(end)]
        if len(ends) < 2:
            return "whole number" if self._is_whole else ""
        steps = f", steps of {written(self._step)}" if self._step is not None else ""
        return f"{written(ends[0])} to {written(ends[1])}{steps}"

    def write(self, value: Any) -> str:
        """The number as it is typed."""
        return written(value)

    def read(self, text: str) -> float:
        """The number that is written."""
        typed = text.strip().replace("−", "-")
        try:
            if not typed:
                raise ValueError(f"{self.name} is empty: give {self._accepted}")
            if not _NUMBER.fullmatch(typed):
                raise ValueError(f"{self.name} must be {self._accepted}, was {words.name(typed)!r}")
            if self._known is not None and typed in self._known:
                return self._known[typed]
            is_integer = re.fullmatch(r"[+-]?\d+", typed) is not None
            return self.take(int(typed) if is_integer else float(typed))
        except (TypeError, ValueError) as error:
            raise FieldError(self.key, str(error)) from None

    def take(self, value: Any) -> float:
        """A number between the ends and on the grid; a whole one where it has whole numbers."""
        number = checks.number(self.name, value)
        if self._known is not None:
            for stop in self._known.values():
                if stop == number:
                    return stop
            raise ValueError(f"{self.name} must be {self._accepted}, was {checks.show(value)}")
        is_off = self._is_whole and number != math.floor(number)
        if is_off or not self._low <= number <= self._high or not self._is_on_grid(number):
            raise ValueError(f"{self.name} must be {self._accepted}, was {checks.show(value)}")
        return int(number) if self._is_whole else number

    def _is_on_grid(self, number: float) -> bool:
        if self._step is None:
            return True
        steps = (number - self._low) / self._step
        return abs(steps - round(steps)) < 1e-6

    @property
    def _accepted(self) -> str:
        if self._known is not None:
            some = list(self._known)
            listed = ", ".join(some if len(some) <= 12 else [*some[:5], "…", *some[-5:]])
            return f"one of {listed}"
        kind = "a whole number" if self._is_whole else "a number"
        if math.isinf(self._low) and math.isinf(self._high):
            return kind
        ends = f"{kind} from {written(self._low)} to {written(self._high)}"
        return ends if self._step is None else f"{ends} in steps of {written(self._step)}"


def _are_same(one: Any, other: Any) -> bool:
    if isinstance(one, (bool, np.bool_)) is not isinstance(other, (bool, np.bool_)):
        return False
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # arrays, which say it element by element
        return bool(np.array_equal(one, other))


def written(value: Any) -> str:
    """A number as it is typed; every digit that it needs."""
    if isinstance(value, Integral):
        return str(int(value))
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else text
