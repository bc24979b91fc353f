"""What a user gives for each parameter, as parameters: lists, ranges, distributions, values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.types import Shown
from horizon.walkforward.settings import check_grid
from horizon.widgets.explorer.parameters import Choice, Flag, Number, Parameter, Text

__all__ = ["Range", "parameters_of"]

#: Stops that a slider has at most; more cannot be told apart by hand.
_STOPS: Final = 200
#: Values of a list that a slider is made for; more are a list of choices.
_MOST: Final = 2_000
#: Stops of a range without a step, and their significant digits.
_FINE: Final = 100
_DIGITS: Final = 4
#: Where a distribution without ends is cut off, as a search with optuna cuts it.
_TAILS: Final = (0.001, 0.999)


@dataclass(frozen=True, slots=True)
class Range(Shown):
    """Numbers from `low` to `high`, both included, for a parameter of an explorer.

    Parameters
    ----------
    low, high : float
        Whole numbers alone, with a whole `step` or none, make a parameter of whole numbers.
    step : float, optional
        Values lie so far apart, from `low` on. Left out, every number between the ends is taken
        (of whole numbers, every whole one), and the slider has a hundred stops.
    start : float, optional
        The value to begin with; the middle by default.
    log : bool
        Let the slider's stops grow by a factor, not by a distance; for positive numbers without a
        step.
    unit : str
        What it counts, for the label: ``"bps"``, ``"seconds"``.

    Raises
    ------
    TypeError, ValueError
        If the ends are no numbers, or do not rise; if `start` lies outside or off the steps.

    Examples
    --------
    >>> spread = hz.widgets.Range(0.01, 0.1, step=0.01, start=0.02, unit="USD")
    >>> spread.start
    0.02
    >>> hz.widgets.Range(5, 1)
    Traceback (most recent call last):
        ...
    ValueError: high must be above low, were 1 and 5
    """

    low: float
    high: float
    step: float | None = None
    start: float | None = None
    log: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        low, high = checks.number("low", self.low), checks.number("high", self.high)
        if not low < high:
            raise ValueError(f"high must be above low, were {self.high!r} and {self.low!r}")
        if self.step is not None and checks.positive("step", self.step) > high - low:
            raise ValueError(f"step must be at most {high - low:g}, was {self.step!r}")
        if checks.flag("log", self.log) and (low <= 0.0 or self.step is not None):
            raise ValueError("log is for a range of positive numbers without a step")
        if not isinstance(self.unit, str):
            raise TypeError(f"unit must be text, was {checks.show(self.unit)}")
        if self.start is not None:
            _of_range("start", self).take(self.start)


def parameters_of(params: object, start: Mapping[str, Any] | None = None) -> dict[str, Parameter]:
    """Read what is given for each parameter.

    Parameters
    ----------
    params : mapping of str to object
        For each parameter a list of values (as a search takes it; a ``range``, an array), a
        `Range`, a distribution of scipy.stats or of optuna, or a plain value: a number, a text,
        True or False.
    start : mapping of str to value, optional
        Values to begin with, for those that begin elsewhere.

    Raises
    ------
    TypeError, ValueError
        For what is none of these, and a start that is no value of its parameter.
    """
    if not isinstance(params, Mapping) or not params:
        raise (ValueError if params == {} else TypeError)(
            "params must be a dict of parameters to lists of values, ranges or values, was "
            f"{checks.show(params)}"
        )
    found = {}
    for name, given in params.items():
        if not isinstance(name, str):
            raise TypeError(f"a parameter's name must be text, was {checks.show(name)}")
        checks.text("a parameter's name", name)
        if name == "engine":
            raise ValueError("params must not have 'engine': ctx.params holds the run's own")
        found[name] = _of_given(name, given)
        found[name].key = f"p{len(found)}"
    if start is not None:
        if not isinstance(start, Mapping):
            raise TypeError(f"start must be a dict of values, was {checks.show(start)}")
        for name, value in start.items():
            if name not in found:
                raise ValueError(
                    f"start has {checks.show(name)}, which is no parameter"
                    f"{checks.suggestion(str(name), found)}"
                )
            found[name].start = _start_of(found[name], value)
    return found


def _start_of(parameter: Parameter, value: object) -> Any:
    """Take a value to begin with; what is wrong with it is said of `start`."""
    try:
        return parameter.take(value)
    except (TypeError, ValueError) as error:
        rest = str(error).removeprefix(parameter.name)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"start[{parameter.name!r}]{rest}") from None


def _of_given(name: str, given: Any) -> Parameter:
    if isinstance(given, Range):
        return _of_range(name, given)
    if isinstance(given, (bool, np.bool_)):
        return Flag(name, bool(given))
    if isinstance(given, str):
        return Text(name, checks.text(f"params[{name!r}]", given))
    if isinstance(given, Real):
        number = checks.number(f"params[{name!r}]", given)
        is_whole = isinstance(given, Integral)
        return Number(name, int(number) if is_whole else number, is_whole=is_whole)
    if any(kind.__module__ == "optuna.distributions" for kind in type(given).__mro__):
        return _of_optuna(name, given)
    is_list = isinstance(given, (list, tuple, range, np.ndarray))
    if not is_list and callable(getattr(given, "ppf", None)):
        return _of_quantiles(name, given)
    return _of_list(name, _checked(name, given))


def _checked(name: str, given: Any) -> list[Any]:
    try:
        return check_grid({name: given})[name]
    except (TypeError, ValueError) as error:
        told = str(error).replace("param_grid", "params")
        raise type(error)(told) from None


def _of_list(name: str, values: list[Any]) -> Parameter:
    if len(values) == 2 and all(isinstance(value, bool) for value in values):
        return Flag(name, values[0])
    are_numbers = all(
        not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
        for value in values
    )
    rises = are_numbers and all(a < b for a, b in pairwise(values))
    if rises and 3 <= len(values) <= _MOST:
        return Number(name, values[0], stops=_some(values), values=values)
    return Choice(name, values)


def _some(values: Sequence[Any]) -> list[Any]:
    """A slider's share of many values, the ends among them."""
    if len(values) <= _STOPS:
        return list(values)
    places = np.unique(np.linspace(0, len(values) - 1, _STOPS).round().astype(int))
    return [values[i] for i in places.tolist()]


def _of_range(name: str, given: Range) -> Number:
    ends = (given.low, given.high, *(() if given.step is None else (given.step,)))
    is_whole = all(isinstance(end, Integral) for end in ends)
    if given.step is not None or is_whole:
        stops = _grid(given.low, given.high, 1 if given.step is None else given.step, is_whole)
    else:
        spaced = np.geomspace if given.log else np.linspace
        stops = _rounded(spaced(given.low, given.high, _FINE + 1))
        # Rounding must not lead out of the range.
        stops = [min(max(stop, given.low), given.high) for stop in stops]
    one = Number(
        name,
        stops[len(stops) // 2],
        low=given.low,
        high=given.high,
        step=None if is_whole and given.step is None else given.step,
        stops=stops,
        is_whole=is_whole,
        unit=given.unit,
    )
    if given.start is not None:
        one.start = one.take(given.start)
    return one


def _grid(low: float, high: float, step: float, is_whole: bool) -> list[float]:
    """The values of a range with a step; in decimals, so that 0.1 × 3 is 0.3."""
    first, last, each = (Decimal(repr(float(value))) for value in (low, high, step))
    count = int((last - first) / each) + 1
    places = range(count)
    if count > _STOPS:
        places = np.unique(np.linspace(0, count - 1, _STOPS).round().astype(int)).tolist()
    kind = int if is_whole else float
    return [kind(first + each * i) for i in places]


def _rounded(values: Any) -> list[float]:
    rounded = [float(f"{value:.{_DIGITS}g}") for value in np.asarray(values).tolist()]
    return sorted(set(rounded))


def _of_quantiles(name: str, given: Any) -> Number:
    """A distribution of scipy.stats: stops of like chance, so that a slider favours as it does."""
    low, high = given.support() if hasattr(given, "support") else (-math.inf, math.inf)
    low = float(low if math.isfinite(low) else given.ppf(_TAILS[0]))
    high = float(high if math.isfinite(high) else given.ppf(_TAILS[1]))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"params[{name!r}] has no range that a control could show: {given!r}")
    is_whole = hasattr(given, "pmf") or hasattr(getattr(given, "dist", None), "pmf")
    chances = np.linspace(0.0, 1.0, _FINE + 1)
    quantiles = np.clip(given.ppf(chances), low, high)
    stops: list[float]
    if is_whole:
        stops = sorted({int(value) for value in quantiles.tolist()})
        low, high = int(low), int(high)
    else:
        stops = [min(max(stop, low), high) for stop in _rounded(quantiles)]
    middle = float(given.ppf(0.5))
    start = min(stops, key=lambda stop: abs(stop - middle))
    return Number(name, start, low=low, high=high, stops=stops, is_whole=is_whole)


def _of_optuna(name: str, given: Any) -> Parameter:
    if hasattr(given, "choices"):
        return _of_list(name, _checked(name, list(given.choices)))
    is_whole = isinstance(given.low, int) and isinstance(given.high, int)
    step = given.step
    if is_whole and step == 1:
        step = None
    if given.low == given.high:
        return Choice(name, [given.low])
    return _of_range(name, Range(given.low, given.high, step, log=given.log and not is_whole))
