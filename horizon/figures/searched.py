"""What the figures of a search share: its settings, its objective and its windows, checked."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.metrics import Metrics, shown
from horizon.figures.page import Page
from horizon.figures.words import plain

__all__ = [
    "NOT_RUN",
    "Measure",
    "Spans",
    "WindowTimes",
    "called",
    "chosen_of",
    "counted",
    "faint",
    "legend_above",
    "legend_rows",
    "matrix_of",
    "numbers_of",
    "objective_of",
    "of_each",
    "reason_words",
    "setting_words",
    "settings_of",
    "spans_of",
    "value_words",
]

#: What is said of a cell that has no number and no reason.
NOT_RUN: Final = "not run"
#: Letters of a line of a hover box: as many as `plain` leaves whole.
_LINE: Final = 48
#: Parameters that a line has room for.
_MOST: Final = 6
#: Endings of an axis and of a hover text, by the unit of a metric: formats of d3.
_FORMATS: Final = {"fraction": (".3~%", "+.2%"), "count": (",d", ",d")}
_PLAIN_FORMATS: Final = (",.4~f", ",.4~g")
_ABOUT: Final = {each.name: each.metadata for each in fields(Metrics)}


class WindowTimes(Protocol):
    """A window of a walk-forward, as far as a figure needs it: int nanoseconds since 1970."""

    @property
    def train_start_ns(self) -> int: ...
    @property
    def train_end_ns(self) -> int: ...
    @property
    def test_start_ns(self) -> int: ...
    @property
    def test_end_ns(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """The windows of a walk-forward as columns of int64 nanoseconds, shape (n_windows,)."""

    train_start: NDArray[np.int64]
    train_end: NDArray[np.int64]
    test_start: NDArray[np.int64]
    test_end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.train_start)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a search has maximised: how it is called, and how its values are written.

    Attributes
    ----------
    label : str
        Safe to draw.
    unit : str
        As `MetricRow` has it; ``""`` of what is no metric of ours.
    """

    label: str
    unit: str

    @property
    def tick_format(self) -> str:
        """The d3 format of an axis."""
        return _FORMATS.get(self.unit, _PLAIN_FORMATS)[0]

    @property
    def hover_format(self) -> str:
        """The d3 format of a hover text."""
        return _FORMATS.get(self.unit, _PLAIN_FORMATS)[1]

    def say(self, value: float) -> str:
        """Write a value for a sentence."""
        if self.unit in ("", "count", "currency"):
            return f"{value:,.4g}".replace("-", "−")
        return shown(value, self.unit, "")

    def cell(self, value: float) -> str:
        """Write a value into a narrow cell: three digits, fractions in percent."""
        scaled = value * 100.0 if self.unit == "fraction" else value
        digits = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
        text = f"{scaled:,.{digits}f}" if abs(scaled) < 1e5 else f"{scaled:.2g}"
        text = text.lstrip("-") if not text.strip("-0.,") else text
        return text.replace("-", "−")


def objective_of(objective: str) -> Measure:
    """Name an objective: a metric by its label, anything else as it is called."""
    given = checks.text("objective", objective)
    about = _ABOUT.get(given)
    if about is None:
        return Measure(plain(given), "")
    label = str(about["label"])
    unit = str(about["unit"])
    return Measure(f"{label}, %" if unit == "percent" else label, unit)


# ------------------------------------------------------------------------ settings
def settings_of(settings: Any) -> list[Mapping[str, Any]]:
    """Take the settings of a search: one or more mappings from parameter to value."""
    if isinstance(settings, (str, bytes, Mapping)) or not isinstance(settings, Iterable):
        raise TypeError(
            f"settings must be a list of dictionaries, one for each setting; was "
            f"{checks.show(settings)}"
        )
    taken = list(settings)
    for number, one in enumerate(taken):
        if not isinstance(one, Mapping):
            raise TypeError(
                f"settings must be dictionaries of parameters; number {number} was "
                f"{checks.show(one)}"
            )
    if not taken:
        raise ValueError("settings must hold one setting or more, was empty")
    return taken


def value_words(value: Any, *, most: int = _LINE) -> str:
    """Write the value of a parameter, safe to draw: six digits, functions by their names."""
    text = words.value(value)
    return plain(text if len(text) <= most else f"{text[: most - 1]}…")


def setting_words(setting: Mapping[str, Any], *, most: int = _MOST) -> str:
    """Write a setting, safe to draw: ``fast=5, slow=20``; of many parameters the first."""
    if not setting:
        return "no parameters"
    said = [f"{plain(str(name))}={value_words(value)}" for name, value in setting.items()]
    more = len(said) - most
    return ", ".join([*said[:most], *([f"and {more} more"] if more > 0 else [])])


# ------------------------------------------------------------------------ arrays
def matrix_of(name: str, values: Any, columns: int) -> NDArray[np.float64]:
    """Take an objective by window and setting; a single row may stand for one window.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_settings)
        NaN where there is no number.

    Raises
    ------
    ValueError
        If the shape is another one, or a value is infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[None, :]
    if array.ndim != 2 or array.shape[1] != columns or not array.shape[0]:
        raise ValueError(
            f"{name} must have one row for each window and one column for each of "
            f"{columns:,} settings, had the shape {np.shape(values)}"
        )
    if np.isinf(array).any():
        row, column = np.argwhere(np.isinf(array))[0]
        raise ValueError(
            f"{name} must be finite, or NaN where there is no number; was "
            f"{array[row, column]:g} in window {row} at setting {column}"
        )
    return array


def chosen_of(chosen: Any, windows: int, settings: int) -> NDArray[np.intp]:
    """Take the index of the setting that each window has chosen; None or −1 is none."""
    if chosen is None:
        return np.full(windows, -1, dtype=np.intp)
    if isinstance(chosen, (str, bytes)) or not isinstance(chosen, (Sequence, np.ndarray)):
        raise TypeError(f"chosen must be a list of indices of settings, was {checks.show(chosen)}")
    if len(chosen) != windows:
        raise ValueError(
            f"chosen must have one index for each of {windows:,} windows, had {len(chosen):,}"
        )
    taken = [-1 if one is None else checks.integer("chosen", one, least=-1) for one in chosen]
    for one in taken:
        if one >= settings:
            raise ValueError(f"chosen must be indices of {settings:,} settings, had {one:,}")
    return np.array(taken, dtype=np.intp)


def spans_of(windows: Any) -> Spans:
    """Take windows as columns.

    Raises
    ------
    TypeError, ValueError
        If one has no times, or none, or its parts are not in order of time.
    """
    names = ("train_start_ns", "train_end_ns", "test_start_ns", "test_end_ns")
    if isinstance(windows, (str, bytes, Mapping)) or not isinstance(windows, Iterable):
        raise TypeError(f"windows must be a list of windows, was {checks.show(windows)}")
    rows = []
    for number, window in enumerate(windows):
        row: list[Any] = [getattr(window, name, None) for name in names]
        if any(one is None for one in row):
            raise TypeError(
                f"windows must have {', '.join(names)}; number {number} was {checks.show(window)}"
            )
        for name, one in zip(names, row, strict=True):
            if not isinstance(one, Integral):
                raise TypeError(
                    f"{name} of window {number} must be whole nanoseconds, was {checks.show(one)}"
                )
        rows.append([int(one) for one in row])
        if rows[-1] != sorted(rows[-1]):
            raise ValueError(
                f"the times of window {number} must not fall: training, then test; were "
                f"{', '.join(words.clock(checks.ns_to_seconds(ns), date=True) for ns in rows[-1])}"
            )
    if not rows:
        raise ValueError("windows must hold one window or more, was empty")
    return Spans(*np.array(rows, dtype=np.int64).T)


def faint(colour: str, share: float = 0.25) -> str:
    """Return a colour that lets what is behind it through."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:g})"


def numbers_of(windows: Any, count: int) -> list[int]:
    """What windows are called: their own numbers, else their places."""
    return [
        int(getattr(window, "number", place))
        for place, window in zip(range(count), windows, strict=True)
    ]


def called(numbers: Sequence[int] | None, count: int) -> list[int]:
    """Take what windows are called: by default their places from 0."""
    if numbers is None:
        return list(range(count))
    taken = [checks.integer("numbers", one, least=0) for one in numbers]
    if len(taken) != count or len(set(taken)) < count:
        raise ValueError(
            f"numbers must be one for each of {count:,} windows, each another; was "
            f"{checks.show(taken)}"
        )
    return taken


def of_each(name: str, values: Sequence[Any] | None, count: int) -> list[Any] | None:
    """Take one entry for each window, or nothing at all."""
    if values is None:
        return None
    taken = list(values)
    if len(taken) != count:
        raise ValueError(f"{name} must have one for each of {count} windows, had {len(taken)}")
    return taken


def counted(count: int, thing: str) -> str:
    """Write a number and what it counts: ``1 window``, ``2 windows``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def reason_words(reason: str) -> str:
    """Write a reason of any length, safe to draw, in lines of a hover box."""
    return "<br>".join(plain(line) for line in textwrap.wrap(words.name(reason), _LINE)) or "–"


def legend_rows(names: Sequence[str]) -> int:
    """Rows of a legend in a figure of 700 pixels, which leaves it about 580."""
    rows, used = 1, 0.0
    for name in names:
        width = 48.0 + 7.0 * len(html.unescape(name))
        if used and used + width > 580.0:
            rows, used = rows + 1, 0.0
        used += width
    return rows


def legend_above(page: Page, y: str, by: float = 0.0) -> dict[str, Any]:
    """Return a legend that stands above a panel, by some pixels, from its left edge on."""
    return {
        "x": 0.0,
        "xanchor": "left",
        "y": page.share(page.depth_of(y) - by),
        "yanchor": "bottom",
        "tracegroupgap": 0,
    }
