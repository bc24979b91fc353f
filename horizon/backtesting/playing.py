"""The rows of all feeds in the one order in which a run plays them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from horizon.feeds.reader import NUMBERS, STALE

__all__ = ["MarketData", "laced", "play_order"]

_Floats = NDArray[np.float64]
_Times = NDArray[np.int64]
_Codes = NDArray[np.intp]
_Mask = NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class MarketData:
    """Rows of all feeds, in the order in which they are played.

    Rows stand in order of time. Rows of different feeds that share a time are one step, in the
    order of the feeds; the second row of a feed at that time belongs to the next step there, and
    so on. Arrays of the data given are used as they are where they are in that order already:
    they may be the caller's own, and must not change while a run or its result needs them.

    Attributes
    ----------
    feeds : tuple of str
        Names of the feeds.
    codes : ndarray of int, shape (n,), or None
        Each row's feed; None when there is one.
    times_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970 (UTC), never going back. The end of a bar.
    numbers : dict of str to ndarray of float64, shape (n,)
        ``"price"`` always: the row's own, else the mid of its quotes, else NaN; ``"bid"``,
        ``"ask"``, ``"bid_size"``, ``"ask_size"``, ``"open"``, ``"high"``, ``"low"`` and
        ``"volume"`` where some feed has them, NaN where a row has not; ``"is_stale"`` likewise,
        1.0 for a row that says that its feed is lost.
    starts : ndarray of bool, shape (n,), or None
        True where a step begins; None when each row is one, as with one feed.
    is_bars : tuple of bool
        By feed, whether its rows have open, high, low and close.
    dropped : dict of str to dict of str to int
        Bad rows left out, by feed and reason; empty in the pieces of `DataChunks`, which counts
        them itself.
    snapshots : ndarray of int64, shape (n,), or None
        Of data made from books, each row's snapshot in the `Books` of its feed; -1 for a row
        that is none.
    is_named : bool
        Whether the data itself names its feeds.
    """

    feeds: tuple[str, ...]
    codes: _Codes | None
    times_ns: _Times
    numbers: dict[str, _Floats]
    starts: NDArray[np.bool_] | None
    is_bars: tuple[bool, ...]
    dropped: dict[str, dict[str, int]]
    snapshots: _Times | None = None
    is_named: bool = True

    def __len__(self) -> int:
        return len(self.times_ns)

    def part(self, chosen: slice) -> MarketData:
        """Return some of the rows, as views; a part begins where a step begins."""
        return replace(
            self,
            codes=None if self.codes is None else self.codes[chosen],
            times_ns=self.times_ns[chosen],
            numbers={name: values[chosen] for name, values in self.numbers.items()},
            starts=None if self.starts is None else self.starts[chosen],
            snapshots=None if self.snapshots is None else self.snapshots[chosen],
        )


def laced(
    parts: Sequence[MarketData], feeds: tuple[str, ...], bars: tuple[bool, ...] | None = None
) -> MarketData:
    """Put the rows of all parts into the order in which they are played.

    Parameters
    ----------
    parts : sequence of MarketData
        Each feed's rows in order of time; `starts` and `dropped` are not looked at.
    feeds : tuple of str
        The feeds of all parts, in the order that they have in a step.
    bars : tuple of bool, optional
        By feed, what holds for those without rows.
    """
    number = {feed: code for code, feed in enumerate(feeds)}
    is_bars = list(bars or [False] * len(feeds))
    for part in parts:
        for feed, is_bar in zip(part.feeds, part.is_bars, strict=True):
            if len(part):
                is_bars[number[feed]] |= is_bar
    if len(feeds) == 1:
        (part,) = parts
        return replace(part, is_bars=tuple(is_bars))
    times = _joined([part.times_ns for part in parts])
    columns = {
        name: _joined([_column(part, name) for part in parts])
        for name in (*NUMBERS, STALE)
        if any(name in part.numbers for part in parts)
    }
    codes = _joined([_codes(part, number) for part in parts])
    snapshots = None
    if all(part.snapshots is not None for part in parts):
        snapshots = _joined([part.snapshots for part in parts if part.snapshots is not None])
    data = MarketData(feeds, codes, times, columns, None, tuple(is_bars), {}, snapshots)
    order, starts = play_order(times, codes)
    if order is None:
        return replace(data, starts=starts)
    return MarketData(
        feeds,
        codes[order],
        times[order],
        {name: values[order] for name, values in columns.items()},
        starts,
        tuple(is_bars),
        {},
        None if snapshots is None else snapshots[order],
    )


def play_order(times: _Times, codes: _Codes) -> tuple[_Codes | None, _Mask]:
    """Return the order in which rows are played, and where its steps begin.

    Rows of one time and different feeds are one step, by feed; the second row of a feed at that
    time is in the second step there, and so on.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
        In order within each feed.
    codes : ndarray of int, shape (n,)
        Each row's feed.

    Returns
    -------
    ndarray of int, shape (n,), or None
        Row numbers in order; None if they are in order as they stand.
    ndarray of bool, shape (n,)
        In that order, True where a step begins.
    """
    order: _Codes | None = None
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        times, codes = times[order], codes[order]
    starts = np.ones(len(times), dtype=bool)
    starts[1:] = times[1:] != times[:-1]
    unruly = ~starts[1:] & (codes[1:] <= codes[:-1])
    if not unruly.any():
        return order, starts  # each time is one step, its feeds in order
    moment = np.cumsum(starts) - 1
    is_unruly = np.zeros(int(moment[-1]) + 1, dtype=bool)
    is_unruly[moment[1:][unruly]] = True
    rows = np.flatnonzero(is_unruly[moment])  # all of those times, and of no other
    moment, codes = moment[rows], codes[rows]
    # One number to sort by instead of two: both are below the number of rows.
    by_feed = np.argsort(moment * (int(codes.max()) + 1) + codes, kind="stable")
    again = np.zeros(len(rows), dtype=bool)  # one more row of that feed at that time
    again[1:] = (np.diff(moment[by_feed]) == 0) & (np.diff(codes[by_feed]) == 0)
    count = np.arange(len(rows))
    turn = count - np.maximum.accumulate(np.where(again, 0, count))
    by_turn = np.argsort(moment[by_feed] * (int(turn.max()) + 1) + turn, kind="stable")
    starts[rows[1:]] |= np.diff(turn[by_turn]) != 0
    if order is None:
        order = np.arange(len(times))
    order[rows] = order[rows[by_feed[by_turn]]]
    return order, starts


def _joined(arrays: Sequence[NDArray[_T]]) -> NDArray[_T]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _column(part: MarketData, name: str) -> _Floats:
    values = part.numbers.get(name)
    return np.full(len(part), np.nan) if values is None else values


def _codes(part: MarketData, number: dict[str, int]) -> _Codes:
    """Each row's feed by its number among all feeds."""
    if part.codes is None:
        return np.full(len(part), number[part.feeds[0]], dtype=np.intp)
    mapped = np.array([number[feed] for feed in part.feeds], dtype=np.intp)
    if (mapped == np.arange(len(mapped))).all():
        return part.codes
    return mapped[part.codes]
