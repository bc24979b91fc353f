"""One look at all rows of a span, which may come in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.sampling import DAY_NS
from horizon.backtesting.playing import MarketData

__all__ = ["Survey", "Surveyor", "days_of"]

_PRICED_BY: Final = ("price", "bid", "ask")


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What must be known of a whole span before any of it is run.

    Attributes
    ----------
    feeds : tuple of str
    is_named : bool
        Whether the data itself names its feeds.
    rows : int
    first_ns, last_ns : int
        Times of the first and of the last row.
    steps : int
        Points that an equity curve over all of it has.
    days : int
        UTC days with a step, the first step not counted.
    begins_twice : bool
        Whether the second step has the time of the first: between them no time passes.
    openers : MarketData
        For each feed its first row that has a price, and maybe more.
    """

    feeds: tuple[str, ...]
    is_named: bool
    rows: int
    first_ns: int
    last_ns: int
    steps: int
    days: int
    begins_twice: bool
    openers: MarketData


def days_of(times_ns: NDArray[np.int64]) -> int:
    """How many UTC days times in order lie in."""
    if not len(times_ns):
        return 0
    days = times_ns // DAY_NS
    return 1 + int(np.count_nonzero(days[1:] != days[:-1]))


class Surveyor:
    """A survey of rows that come in pieces."""

    def __init__(self) -> None:
        self._rows = self._steps = self._days = 0
        self._first_ns: int | None = None
        self._second_ns: int | None = None
        self._last_ns = 0
        self._last_day: int | None = None
        self._shape: MarketData | None = None
        self._openers: dict[str, tuple[int, dict[str, float]]] = {}

    def add(self, piece: MarketData) -> None:
        """Take the next piece into account."""
        times = piece.times_ns if piece.starts is None else piece.times_ns[piece.starts]
        self._rows += len(piece)
        self._steps += len(times)
        if self._first_ns is None:
            self._first_ns = int(times[0])
            times = times[1:]
        self._last_ns = int(piece.times_ns[-1])
        if len(times):
            if self._second_ns is None:
                self._second_ns = int(times[0])
            days = days_of(times)
            self._days += days - (int(times[0]) // DAY_NS == self._last_day)
            self._last_day = int(times[-1]) // DAY_NS
        self._shape = piece
        if len(self._openers) < len(piece.feeds):
            self._note_openers(piece)

    def survey(self) -> Survey:
        """Say what was found; some piece must have been added."""
        shape = self._shape
        assert shape is not None
        assert self._first_ns is not None
        return Survey(
            feeds=shape.feeds,
            is_named=shape.is_named,
            rows=self._rows,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            steps=self._steps,
            days=self._days,
            begins_twice=self._second_ns == self._first_ns,
            openers=self._made(shape),
        )

    def _note_openers(self, piece: MarketData) -> None:
        """Keep each feed's first row that says something of its price."""
        priced = np.zeros(len(piece), dtype=bool)
        for name in _PRICED_BY:
            if name in piece.numbers:
                priced |= ~np.isnan(piece.numbers[name])
        for code, feed in enumerate(piece.feeds):
            if feed in self._openers:
                continue
            mine = priced if piece.codes is None else priced & (piece.codes == code)
            if mine.any():
                row = int(np.argmax(mine))
                values = {n: float(v[row]) for n, v in piece.numbers.items() if n in _PRICED_BY}
                self._openers[feed] = (int(piece.times_ns[row]), values)

    def _made(self, shape: MarketData) -> MarketData:
        found = [(feed, *self._openers[feed]) for feed in shape.feeds if feed in self._openers]
        found.sort(key=lambda one: one[1])
        numbers = {
            name: np.array([values.get(name, np.nan) for _, _, values in found], dtype=np.float64)
            for name in _PRICED_BY
        }
        number = {feed: code for code, feed in enumerate(shape.feeds)}
        codes = np.array([number[feed] for feed, _, _ in found], dtype=np.intp)
        return MarketData(
            feeds=shape.feeds,
            codes=codes if len(shape.feeds) > 1 else None,
            times_ns=np.array([at for _, at, _ in found], dtype=np.int64),
            numbers=numbers,
            starts=None,
            is_bars=shape.is_bars,
            dropped={},
            is_named=shape.is_named,
        )
