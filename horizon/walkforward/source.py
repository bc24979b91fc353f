"""The rows and books of a whole span, handed out stretch by stretch, in memory or as a stream."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon.backtesting.data import data_of_books, with_books
from horizon.backtesting.playing import MarketData
from horizon.books import Books, JudgedBooks
from horizon.errors import DataError
from horizon.feeds.times import stamp_text
from horizon.walkforward.survey import Survey, days_of

__all__ = [
    "MemorySource",
    "Rows",
    "Source",
    "Stretch",
    "book_part",
    "no_rows",
    "update",
    "update_books",
]

#: What a run is given as its data: rows, or a callable that gives pieces of them.
Rows = MarketData | Callable[[], Iterator[MarketData]] | None


class Source(ABC):
    """The rows and books of a whole span.

    Attributes
    ----------
    books : dict of str to Books
        By market, in memory; empty without.
    priced : tuple of str
        Markets whose books are rows, and not only what orders meet.
    dropped : dict of str to dict of str to int
        Bad rows left out, by feed and reason.
    """

    books: dict[str, Books]
    priced: tuple[str, ...]
    dropped: dict[str, dict[str, int]]

    @abstractmethod
    def survey(self) -> Survey:
        """Look at all rows once."""

    @abstractmethod
    def pieces(self, start_ns: int, end_ns: int) -> Iterator[MarketData]:
        """Give the rows from one time to before another, piece by piece, none of them empty."""

    @abstractmethod
    def part(self, start_ns: int, end_ns: int) -> tuple[Rows, dict[str, Books] | None]:
        """Return what a backtest from one time to before another is given as data and books."""

    @abstractmethod
    def digest(self) -> str:
        """Say in a few letters what the rows and books are: others have another one."""

    def spans(
        self,
        start_ns: int,
        end_ns: int,
        edges: Sequence[int],
        look: Callable[[MarketData], None] | None = None,
    ) -> list[Stretch]:
        """Count the rows between edges.

        Parameters
        ----------
        start_ns, end_ns : int
            Of the whole span; the end is no part of it.
        edges : sequence of int
            Rising times within it.
        look : callable, optional
            Shown each piece on the way.

        Returns
        -------
        list of Stretch
            One for each two neighbours of start, edges and end.
        """
        bounds = np.array([start_ns, *edges, end_ns], dtype=np.int64)
        counts = np.zeros(len(bounds) - 1, dtype=np.int64)
        last: list[int | None] = [None] * (len(bounds) - 1)
        for piece in self.pieces(start_ns, end_ns):
            if look is not None:
                look(piece)
            at = np.searchsorted(piece.times_ns, bounds)
            counts += np.diff(at)
            for i in np.flatnonzero(np.diff(at)).tolist():
                last[i] = int(piece.times_ns[at[i + 1] - 1])
        return [
            Stretch(int(bounds[i]), int(bounds[i + 1]), int(count), last[i])
            for i, count in enumerate(counts.tolist())
        ]


@dataclass(frozen=True, slots=True)
class Stretch:
    """How many rows there are from one time to before another, and when the last one is."""

    start_ns: int
    end_ns: int
    rows: int
    last_ns: int | None


class MemorySource(Source):
    """Rows and books in memory; every stretch is a view of them.

    Parameters
    ----------
    data : MarketData or None
        None where the books are the rows.
    books : dict of str to Books
    dropped : dict of str to dict of str to int
    """

    def __init__(
        self,
        data: MarketData | None,
        books: dict[str, Books],
        dropped: dict[str, dict[str, int]] | None = None,
    ) -> None:
        self.data = None if data is None else replace(data, dropped={})
        self.books = books
        self.dropped = dict(dropped or {})
        self.priced = tuple(books) if data is None else ()

    def price_by_books(self, markets: Sequence[str]) -> None:
        """Let the books of some markets be rows beside those of the feeds."""
        if self.data is not None:
            self.priced = tuple(markets)

    def survey(self) -> Survey:
        """Look at all rows once."""
        whole = self._whole()
        times = whole.times_ns if whole.starts is None else whole.times_ns[whole.starts]
        return Survey(
            feeds=whole.feeds,
            is_named=whole.is_named,
            rows=len(whole),
            first_ns=int(times[0]),
            last_ns=int(times[-1]),
            steps=len(times),
            days=days_of(times[1:]),
            begins_twice=len(times) > 1 and bool(times[0] == times[1]),
            openers=whole,
        )

    def pieces(self, start_ns: int, end_ns: int) -> Iterator[MarketData]:
        """Give the rows from one time to before another, in one piece."""
        part = _between(self._whole(), start_ns, end_ns)
        if len(part):
            yield part

    def part(self, start_ns: int, end_ns: int) -> tuple[Rows, dict[str, Books] | None]:
        """Return what a backtest from one time to before another is given."""
        data = None if self.data is None else _between(self.data, start_ns, end_ns)
        return data, book_part(self.books, self.priced, start_ns, end_ns)

    def within(self, start_ns: int, end_ns: int) -> MemorySource:
        """Return the source of a part of it."""
        data, books = self.part(start_ns, end_ns)
        assert data is None or isinstance(data, MarketData)
        if data is not None and not len(data):
            raise no_rows(start_ns, end_ns)
        return MemorySource(data, books or {}, self.dropped)

    def digest(self) -> str:
        """Digest of every byte."""
        digest = hashlib.blake2b(digest_size=20)
        if self.data is not None:
            update(digest, self.data)
        update_books(digest, self.books)
        return digest.hexdigest()

    def _whole(self) -> MarketData:
        if self.data is None:
            return data_of_books(self.books)
        if self.priced:
            return with_books(self.data, {market: self.books[market] for market in self.priced})
        return self.data


def no_rows(start_ns: int, end_ns: int) -> DataError:
    """The error of a span that has nothing in it."""
    return DataError(
        f"span holds no rows: none lies from {stamp_text(start_ns)} to {stamp_text(end_ns - 1)}"
    )


def book_part(
    books: Mapping[str, Books], priced: Sequence[str], start_ns: int, end_ns: int
) -> dict[str, Books] | None:
    """Cut books to a stretch of time; None without any.

    Of books that only match, the one in force at the start comes along: orders of the first row
    meet it.
    """
    if not books:
        return None
    parts = JudgedBooks()
    for market, book in books.items():
        begin, end = np.searchsorted(book.times_ns, [start_ns, end_ns]).tolist()
        if market not in priced and begin and not _starts_at(book, begin, start_ns):
            begin -= 1
        parts[market] = book.part(slice(begin, end))
    return parts


def _starts_at(book: Books, row: int, start_ns: int) -> bool:
    return row < len(book) and int(book.times_ns[row]) == start_ns


def _between(data: MarketData, start_ns: int, end_ns: int) -> MarketData:
    begin, end = np.searchsorted(data.times_ns, [start_ns, end_ns]).tolist()
    if begin == 0 and end == len(data):
        return data
    return data.part(slice(begin, end))


# ------------------------------------------------------------------------ digests
def update(digest: Any, data: MarketData) -> None:
    """Add rows to a digest."""
    digest.update(repr((data.feeds, data.is_bars, data.is_named, len(data))).encode())
    _add(digest, "times", data.times_ns)
    for name in sorted(data.numbers):
        _add(digest, name, data.numbers[name])
    if data.codes is not None:
        _add(digest, "codes", data.codes)


def update_books(digest: Any, books: Mapping[str, Books]) -> None:
    """Add books to a digest."""
    for market, book in books.items():
        digest.update(repr((market, len(book))).encode())
        for name in ("times_ns", "bid_prices", "bid_sizes", "ask_prices", "ask_sizes"):
            _add(digest, name, getattr(book, name))


def _add(digest: Any, name: str, values: NDArray[Any]) -> None:
    digest.update(f"{name}:{values.dtype.str}{values.shape}".encode())
    digest.update(np.ascontiguousarray(values))
