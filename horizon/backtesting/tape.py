"""Packed rows and books as the Python objects that a loop plays, a few thousand at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise, repeat
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from horizon.backtesting.context import FeedRow
from horizon.backtesting.playing import MarketData
from horizon.books import Books
from horizon.feeds.reader import STALE

__all__ = ["Event", "Snapshots", "Step", "steps"]

#: A row of a feed: number of the feed, what a pipeline sees, then what orders meet: bid and ask as
#: the row gives them, lowest and highest price, open (all NaN where there is none), and the
#: number of a book snapshot where the row is one.
Event: TypeAlias = tuple[int, FeedRow, float, float, float, float, float, int | None]

#: Rows made into Python objects at once: they stay in the cache.
_CHUNK: Final = 1024

_row: Any = partial(tuple.__new__, FeedRow)
_Floats = NDArray[np.float64]


#: One step: its time in ns, and its rows.
Step: TypeAlias = tuple[int, Sequence[Event]]


def steps(data: MarketData) -> Iterator[tuple[int, Iterable[Step]]]:
    """Give the steps of the data in pieces: how many rows one has, and its steps."""
    n = len(data)
    start = 0
    begins = None if data.starts is None else np.flatnonzero(data.starts)
    while start < n:
        end = min(start + _CHUNK, n)
        if begins is None:
            part = slice(start, end)
            # Each row a step, made when it is played: no list of rows for a collector to walk.
            rows = zip(_events(data, part))
            yield end - start, zip(data.times_ns[part].tolist(), rows, strict=True)
        else:
            # A piece ends where a step ends.
            last = int(np.searchsorted(begins, end))
            end = n if last == len(begins) else int(begins[last])
            part = slice(start, end)
            first = int(np.searchsorted(begins, start))
            places = [*(begins[first:last] - start).tolist(), end - start]
            events = list(_events(data, part))
            times = data.times_ns[begins[first:last]].tolist()
            groups = (events[a:b] for a, b in pairwise(places))
            yield end - start, zip(times, groups, strict=True)
        start = end


def _events(data: MarketData, part: slice) -> Iterator[Event]:
    """The rows of one part."""
    column = {name: values[part] for name, values in data.numbers.items()}
    times: list[int] = data.times_ns[part].tolist()
    stamps = [ns / 1_000_000_000 for ns in times]
    price = column["price"]
    prices = price.tolist()
    nothing = repeat(math.nan)
    bid, ask = column.get("bid"), column.get("ask")
    shown_bids: Any = prices
    shown_asks: Any = prices
    bids: Any = nothing
    asks: Any = nothing
    if bid is not None or ask is not None:
        bid = np.full(len(price), np.nan) if bid is None else bid
        ask = np.full(len(price), np.nan) if ask is None else ask
        bids, asks = bid.tolist(), ask.tolist()
        neither = np.isnan(bid) & np.isnan(ask)
        if neither.any():
            shown_bids = np.where(neither, price, bid).tolist()
            shown_asks = np.where(neither, price, ask).tolist()
        else:
            shown_bids, shown_asks = bids, asks

    def listed(name: str) -> Any:
        values = column.get(name)
        return nothing if values is None else values.tolist()

    opens = listed("open")
    rows = map(
        _row,
        zip(
            stamps,
            prices,
            shown_bids,
            shown_asks,
            listed("volume"),
            opens,
            listed("high"),
            listed("low"),
            listed("bid_size"),
            listed("ask_size"),
            _flags(column),
            strict=False,
        ),
    )
    floors, ceilings = _extremes(column, prices)
    codes = repeat(0) if data.codes is None else data.codes[part].tolist()
    snapshots = repeat(None) if data.snapshots is None else data.snapshots[part].tolist()
    # Columns that the data does not have have no end.
    return zip(codes, rows, bids, asks, floors, ceilings, opens, snapshots, strict=False)


def _flags(column: dict[str, _Floats]) -> Iterable[bool]:
    """Whether each row says that its feed is lost."""
    stale = column.get(STALE)
    if stale is None:
        return repeat(False)
    flags: list[bool] = (stale == 1.0).tolist()
    return flags


def _extremes(column: dict[str, _Floats], prices: list[float]) -> tuple[Any, Any]:
    """Lowest and highest price of each row; the price where it has no others."""
    price = column["price"]
    low, high, opened = column.get("low"), column.get("high"), column.get("open")
    floors: Any = prices
    ceilings: Any = prices
    if low is not None or opened is not None:
        # A row that gives its open without its extremes has traded there at least.
        floor = price if opened is None else np.fmin(price, opened)
        floors = (floor if low is None else np.where(np.isnan(low), floor, low)).tolist()
    if high is not None or opened is not None:
        ceiling = price if opened is None else np.fmax(price, opened)
        ceilings = (ceiling if high is None else np.where(np.isnan(high), ceiling, high)).tolist()
    return floors, ceilings


class Snapshots:
    """Books of all markets in order of time, for a run whose rows come from elsewhere.

    Parameters
    ----------
    books : mapping of market id to Books
        Books of one time come in this order.
    """

    def __init__(self, books: Mapping[str, Books]) -> None:
        names = list(books)
        times = np.concatenate([one.times_ns for one in books.values()])
        codes = np.repeat(np.arange(len(names)), [len(one) for one in books.values()])
        indices = np.concatenate([np.arange(len(one)) for one in books.values()])
        if len(names) > 1:
            # Not a repair: each market's books are in order, and only markets are laced together.
            order = np.argsort(times, kind="stable")
            times, codes, indices = times[order], codes[order], indices[order]
        self._names = names
        self._times, self._codes, self._indices = times, codes, indices
        self._place = 0
        self._start = 0
        self._piece: list[tuple[int, int, int]] = []
        #: Time of the next one, and of the last; far in the future when there is none.
        self.next_ns = 2**63 - 1
        self.last_ns = int(times[-1]) if len(times) else -(2**63)
        self._load()

    def _load(self) -> None:
        part = slice(self._start, self._start + _CHUNK)
        self._piece = list(
            zip(
                self._times[part].tolist(),
                self._codes[part].tolist(),
                self._indices[part].tolist(),
                strict=True,
            )
        )
        self._start += len(self._piece)
        self._place = 0
        self.next_ns = self._piece[0][0] if self._piece else 2**63 - 1

    def take(self) -> tuple[str, int, int]:
        """Take the next one: its market, its number there, its time in ns."""
        time_ns, code, index = self._piece[self._place]
        self._place += 1
        if self._place < len(self._piece):
            self.next_ns = self._piece[self._place][0]
        else:
            self._load()
        return self._names[code], index, time_ns
