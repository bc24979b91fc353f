"""A figure that keeps its long series beside the few points that are drawn of them.

To plotly it is a figure like any other, with the thinned points as its data: it can be shown,
saved and changed everywhere. Whoever has a kernel behind it (`horizon.widgets.LiveFigure`) asks
it again for the points of a window, so that zooming in shows more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.figures.series import Numbers, thinned

__all__ = ["LongFigure", "View"]

#: Chosen points in, a trace out: a dictionary with its ``type``.
Draw = Callable[[NDArray[np.intp]], dict[str, Any]]
#: Start and end of a window in, or None for the whole; a trace out.
DrawWindow = Callable[[Any, Any], dict[str, Any]]

_HOW: Final = ", extremes kept"


class View(NamedTuple):
    """What a figure draws of its long series for one window.

    Attributes
    ----------
    traces : dict of int to dict
        By the trace's number: each attribute that has one entry a point, those of a part with
        their path (``"marker.color"``), as ``Plotly.restyle`` takes them.
    note : str
        How many points of how many that is, in words; empty where nothing is left out at all.
    """

    traces: dict[int, dict[str, Any]]
    note: str


_Kind = TypeVar("_Kind", "_Series", "_Drawn")


@dataclass(frozen=True, slots=True)
class _Series:
    """One long series, the trace that it is drawn with, and the points of the first picture."""

    times: NDArray[Any]
    values: Numbers
    draw: Draw
    what: str
    trace: Any
    first: NDArray[np.intp]

    @property
    def is_dated(self) -> bool:
        return self.times.dtype.kind == "i"

    @property
    def axis(self) -> str:
        return self.trace.xaxis or "x"

    def within(self, start: Any, end: Any) -> tuple[NDArray[np.intp], int, int]:
        """Return the points to draw, and the first and the last (past it) that are in view."""
        low = int(np.searchsorted(self.times, start, side="left"))
        high = int(np.searchsorted(self.times, end, side="right"))
        # With a neighbour on each side: lines run on to the edges of the window.
        begin, stop = max(low - 1, 0), min(high + 1, len(self.times))
        inside = begin + thinned(self.values[begin:stop])
        # Around them what was drawn first: whoever pans on, or zooms out while the kernel is
        # busy, does not meet an empty page.
        before, after = self.first[self.first < begin], self.first[self.first >= stop]
        return np.concatenate([before, inside, after]), low, high


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A trace that is drawn anew for each window."""

    draw: DrawWindow
    trace: Any
    is_dated: bool

    @property
    def axis(self) -> str:
        return self.trace.xaxis or "x"


class LongFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A plotly figure whose long series can be thinned again for a window of its x axis.

    It is made and used as any ``go.Figure``. Series that may be long are added by `add_long`;
    of more than 2,000 points it draws 2,000 at most, with the lowest and the highest of each
    stretch. A copy, a pickle or ``go.Figure(figure)`` has the drawn points alone.

    Parameters
    ----------
    *args, **options
        As ``plotly.graph_objects.Figure`` takes them: ``data``, ``layout``.

    Examples
    --------
    >>> seconds = np.arange(10_000.0)
    >>> price = 100 + seconds / 1000
    >>> figure = hz.figures.LongFigure()
    >>> figure.add_long(
    ...     seconds,
    ...     price,
    ...     lambda kept: {"type": "scatter", "x": seconds[kept], "y": price[kept]},
    ...     what="prices",
    ... )
    >>> figure.notes
    ['Drawn: 1,998 of 10,000 prices, extremes kept']
    >>> figure.view({"x": (0.0, 999.0)}).note  # zoomed in, all are drawn
    'Drawn: all 1,000 prices in view'
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._long: list[_Series] = []
        self._anew: list[_Drawn] = []

    def add_long(
        self,
        times: Any,
        values: Any,
        draw: Draw,
        *,
        what: str,
        row: int | None = None,
        col: int | None = None,
    ) -> None:
        """Add a trace of a series that may be long.

        Parameters
        ----------
        times : ndarray of int64 or datetime64, or of float, shape (n,)
            In rising order (equal ones may follow each other): nanoseconds since 1970 where the
            axis shows dates; else what the axis counts, as floats.
        values : ndarray of float, shape (n,)
            What thinning keeps the extremes of.
        draw : callable
            Gets the indices of the points to draw, in rising order, and returns the trace as a
            dictionary with its ``type``. It is called again for each window, so it should take
            arrays by index, not build texts.
        what : str
            What the points are called in the note: ``"points"``, ``"fills"``.
        row, col : int, optional
            The subplot.

        Raises
        ------
        ValueError
            If lengths differ, or times are missing or fall.
        """
        moments = _moments(times)
        numbers = np.asarray(values, dtype=np.float64)
        if moments.ndim != 1 or moments.shape != numbers.shape:
            raise ValueError(
                f"times and values must be two columns of one length, had the shapes "
                f"{moments.shape} and {numbers.shape}"
            )
        falls = np.flatnonzero(moments[1:] < moments[:-1])
        if len(falls):
            at = int(falls[0]) + 1
            raise ValueError(f"times must not fall, but that of point {at} is before the last")
        first = thinned(numbers)
        self.add_trace(draw(first), row=row, col=col)
        self._long.append(_Series(moments, numbers, draw, what, self.data[-1], first))

    def add_drawn(
        self,
        draw: DrawWindow,
        *,
        is_dated: bool = True,
        row: int | None = None,
        col: int | None = None,
    ) -> None:
        """Add a trace that is drawn anew for each window, such as a heat map with finer cells.

        Parameters
        ----------
        draw : callable
            Gets start and end of a window, as `view` does, or None twice for the whole, and
            returns the trace as a dictionary with its ``type``. What differs from one window
            to the next must be NumPy arrays, or the ``hovertemplate``.
        is_dated : bool
            Whether the axis shows dates, and windows are int nanoseconds.
        row, col : int, optional
            The subplot.
        """
        self.add_trace(draw(None, None), row=row, col=col)
        self._anew.append(_Drawn(draw, self.data[-1], is_dated))

    # ------------------------------------------------------------------ what is drawn
    @property
    def is_long(self) -> bool:
        """Whether a window may show more points than the whole does."""
        is_thinned = any(len(one.first) < len(one.times) for _, one in self._drawn(self._long))
        return is_thinned or bool(self._drawn(self._anew))

    @property
    def drawn_anew(self) -> list[int]:
        """The numbers of the traces that show nothing outside of a window."""
        return [number for number, _ in self._drawn(self._anew)]

    @property
    def notes(self) -> list[str]:
        """What the figure has to say of points that it leaves out; for its subtitle.

        One line at most: ``"Drawn: 2,000 of 1,000,000 points, extremes kept"``, which means the
        lowest and the highest of each stretch. Series of one length whose points have one name
        are told of once.
        """
        counts: dict[tuple[str, int], int] = {}
        for _, one in self._drawn(self._long):
            if len(one.first) < len(one.times):
                _add(counts, one.what, len(one.first), len(one.times))
        return [f"Drawn: {_listed(counts)}{_HOW}"] if counts else []

    @property
    def long_axes(self) -> dict[str, bool]:
        """The x axes of the long series (``"x"``, ``"x2"``), and whether they show dates."""
        axes = {one.axis: one.is_dated for _, one in self._drawn(self._long)}
        return axes | {one.axis: one.is_dated for _, one in self._drawn(self._anew)}

    def between(self, start: Any, end: Any) -> dict[int, dict[str, Any]]:
        """Return the points to draw while the x axis shows a window.

        Each long series is thinned again to 2,000 points from `start` to `end`, with its
        extremes and with one neighbour on either side. Outside of them stand the points of the
        first picture. A window that holds a whole series gives the first picture.

        Parameters
        ----------
        start, end : datetime, datetime64, text or int, or float
            Of the window, both included. For a date axis a point in time (ISO text and
            datetimes without a zone are UTC, an int is nanoseconds since 1970); for another
            what the axis counts.

        Returns
        -------
        dict of int to dict
            By the trace's number, what changes: see `View`.

        Raises
        ------
        ValueError
            If a time cannot be read, or `end` is before `start`.

        Examples
        --------
        >>> times = np.datetime64("2024-01-01") + np.arange(10_000) * np.timedelta64(1, "m")
        >>> price = np.arange(10_000.0)
        >>> figure = hz.figures.LongFigure()
        >>> figure.add_long(
        ...     times,
        ...     price,
        ...     lambda kept: {"type": "scatter", "x": times[kept], "y": price[kept]},
        ...     what="prices",
        ... )
        >>> noon, one = np.datetime64("2024-01-02T12:00"), np.datetime64("2024-01-02T13:00")
        >>> drawn = figure.between(noon, one)[0]["x"]
        >>> int(((drawn >= noon) & (drawn <= one)).sum())  # each minute, both ends included
        61
        """
        window = {
            axis: (_moment("start", start, is_dated), _moment("end", end, is_dated))
            for axis, is_dated in self.long_axes.items()
        }
        return self.view(window).traces

    def view(self, windows: Mapping[str, tuple[Any, Any] | None]) -> View:
        """Return what is drawn while each x axis shows a window of its own.

        Parameters
        ----------
        windows : mapping of str to pair
            By the axis (``"x"``, ``"x2"``), start and end as the series of it count: int
            nanoseconds or float. None, or an axis that is not named, shows the whole.

        Returns
        -------
        View
            The points of every long trace, and in words how many of how many they are.

        Raises
        ------
        ValueError
            If a window ends before it starts.
        """
        traces: dict[int, dict[str, Any]] = {}
        counts: dict[tuple[str, int], int] = {}
        is_part = False
        for number, one in self._drawn(self._long):
            window = windows.get(one.axis)
            kept, low, high = one.first, 0, len(one.times)
            if window is not None:
                if window[1] < window[0]:
                    raise ValueError(
                        f"end must not be before start, were {window[1]} and {window[0]}"
                    )
                kept, low, high = one.within(*window)
            is_part = is_part or high - low < len(one.times)
            if len(one.first) < len(one.times):
                traces[number] = _per_point(one.draw(kept), len(kept))
                in_view = int(np.count_nonzero((kept >= low) & (kept < high)))
                _add(counts, one.what, in_view, high - low)
        for number, drawn in self._drawn(self._anew):
            made = drawn.draw(*(windows.get(drawn.axis) or (None, None)))
            traces[number] = _arrays(made)
        if not is_part or not counts:
            return View(traces, "".join(self.notes))
        left_out = any(drawn < total for (_, total), drawn in counts.items())
        return View(traces, f"Drawn: {_listed(counts)} in view{_HOW if left_out else ''}")

    def _drawn(self, every: Sequence[_Kind]) -> list[tuple[int, _Kind]]:
        """Those whose traces are still in the figure, with the traces' numbers."""
        numbers = {id(trace): number for number, trace in enumerate(self.data)}
        return [(numbers[id(one.trace)], one) for one in every if id(one.trace) in numbers]


def _moments(times: Any) -> NDArray[Any]:
    array = np.asarray(times)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[ns]").astype(np.int64)
    if array.dtype.kind in "iu":
        array = array.astype(np.int64, copy=False)
        missing = array == columns.NEVER
    elif array.dtype.kind == "f":
        missing = np.isnan(array)
    else:
        raise ValueError(
            f"times must be int64 nanoseconds, datetime64 or floats, were of {array.dtype}"
        )
    if missing.any():
        raise ValueError(f"times must not be missing, that of point {missing.argmax()} is")
    return array


def _moment(name: str, value: Any, is_dated: bool) -> int | float:
    if not is_dated:
        return checks.number(name, value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    ns = int(columns.nanoseconds([value], None)[0])
    if ns == columns.NEVER:
        raise ValueError(f"{name} must be a point in time, was {checks.show(value)}")
    return ns


def _arrays(trace: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The attributes that differ from window to window, by their path."""
    found: dict[str, Any] = {}
    for name, value in trace.items():
        if isinstance(value, Mapping):
            found.update(_arrays(value, f"{path}{name}."))
        elif hasattr(value, "__array__"):
            found[path + name] = np.asarray(value)
        elif name == "hovertemplate":
            found[path + name] = value
    return found


def _per_point(trace: Mapping[str, Any], count: int, path: str = "") -> dict[str, Any]:
    """The attributes that have one entry a point, by their path."""
    found: dict[str, Any] = {}
    for name, value in trace.items():
        if isinstance(value, Mapping):
            found.update(_per_point(value, count, f"{path}{name}."))
        elif isinstance(value, (list, tuple)) or hasattr(value, "__array__"):  # a Series as well
            entries = value if isinstance(value, (list, tuple)) else np.asarray(value)
            if np.ndim(entries) and len(entries) == count:
                found[path + name] = entries
    return found


def _add(counts: dict[tuple[str, int], int], what: str, drawn: int, total: int) -> None:
    # Lines over the same points are told of once.
    counts[what, total] = max(drawn, counts.get((what, total), 0))


def _listed(counts: Mapping[tuple[str, int], int]) -> str:
    return ", ".join(
        f"{drawn:,} of {total:,} {what}" if drawn < total else f"all {total:,} {what}"
        for (what, total), drawn in counts.items()
    )
