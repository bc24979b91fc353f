"""Recorded order books, played again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.books import Books, read_book_data
from horizon.books.judge import judge
from horizon.books.tables import read_table
from horizon.feeds.base import Fields
from horizon.feeds.book_rows import BookFeed, BookRow, Side
from horizon.feeds.times import stamp_text
from horizon.instruments import Market

__all__ = ["BookReplay"]

#: Books made into rows at once.
_BATCH: Final = 512


class BookReplay(BookFeed):
    """A feed of recorded order books, of one market or of many, for ``hz.connect("book")``.

    All books are read and checked here, before any is sent.

    Parameters
    ----------
    books : object
        Of one market: a list of dicts with ``"timestamp"``, ``"bids"`` and ``"asks"``; a frame
        or the path of a CSV or Parquet file, wide or long; a `Books`. Of several: a dict of
        these by market id, or one table with a ``market_id`` column. `read_books` describes
        each form; ``hz.backtest(book_data=...)`` takes the same.
    market_id : str, optional
        The market of books that do not name theirs, ``"market"`` by default.
    markets : iterable of Market, optional
        What the markets are, where their ids do not say it. Each pass declares them.
    speed : float or None
        Market seconds per wall second of `play`; None or infinity is as fast as possible.
    bad_rows : {"raise", "drop"}
        What to do about a book that cannot be true: raise a `DataError`, or leave it out and
        count it in `dropped`.
    name : str, optional
        What messages call the feed; by default the file's name or ``"books"``.

    Raises
    ------
    DataError
        At the first book that cannot be true, with its market, row (from 0) and value; and
        where a market has no book.
    TypeError, ValueError
        For any other argument that is not as described.

    Notes
    -----
    Books of all markets are merged by time; those of one time come in the order of the markets.
    The price of a row is the mid of its book. A book with an empty side has none: the account
    keeps its last mark, and what rests there meets the side that is left.

    Examples
    --------
    >>> books = [
    ...     {"timestamp": 0, "bids": [(0.49, 100)], "asks": [(0.51, 50), (0.52, 200)]},
    ...     {"timestamp": 1, "bids": [(0.50, 80)], "asks": [(0.52, 150)]},
    ... ]
    >>> rain = hz.Market("rain", hz.Prediction)
    >>> feed = hz.feeds.BookReplay(books, market_id="rain", markets=[rain])
    >>> ex = hz.connect("book", fill_model="probabilistic")
    >>> feed.run(ex)  # now, as fast as possible
    2

    In a notebook, ``task = asyncio.create_task(feed.play(ex, speed=10))`` plays beside the cell,
    ten seconds in one.
    """

    def __init__(
        self,
        books: object,
        *,
        market_id: str | None = None,
        markets: Iterable[Market] = (),
        speed: float | None = 1.0,
        bad_rows: str = "raise",
        name: str | None = None,
    ) -> None:
        if name is None:
            is_path = isinstance(books, (str, os.PathLike))
            name = Path(books).name if is_path else "books"  # type: ignore[arg-type]
        super().__init__(name=name, speed=speed)
        is_dropping = checks.one_of("bad_rows", bad_rows, ("raise", "drop")) == "drop"
        given = None if market_id is None else checks.market_id("market_id", market_id)
        read, dropped = _read(books, given, is_dropping)
        self._books = list(read.values())
        self._markets = tuple(read)
        self._contracts = _contracts(markets, self._markets)
        self._dropped = dropped
        sizes = [len(one) for one in self._books]
        times = np.concatenate([one.times_ns for one in self._books])
        # Stable: books of one time stay in the order of their markets.
        order = np.argsort(times, kind="stable")
        self._times: NDArray[np.int64] = times[order]
        self._codes: NDArray[np.intp] = np.repeat(np.arange(len(sizes)), sizes)[order]
        self._numbers: NDArray[np.intp] = np.concatenate([np.arange(n) for n in sizes])[order]

    @property
    def total(self) -> int:
        """Books that will be sent."""
        return len(self._times)

    @property
    def markets(self) -> tuple[str, ...]:
        """The markets whose books these are, in the order of the data."""
        return self._markets

    @property
    def contracts(self) -> tuple[Market, ...]:
        """The markets of which it is known what they are."""
        return self._contracts

    @property
    def dropped(self) -> Mapping[str, Mapping[str, int]]:
        """Books of the data that are not sent, by market and reason."""
        return MappingProxyType(self._dropped)

    def batches(self) -> Iterator[Sequence[Fields]]:
        """Give the rows from the first on, each with its book; each call begins anew."""
        for start in range(0, self.total, _BATCH):
            part = slice(start, start + _BATCH)
            places = zip(
                self._times[part].tolist(),
                self._codes[part].tolist(),
                self._numbers[part].tolist(),
                strict=True,
            )
            yield [self._row(*place) for place in places]

    def _row(self, ns: int, code: int, number: int) -> BookRow:
        books, market_id = self._books[code], self._markets[code]
        bid, bid_size = _best(books.bid_prices, books.bid_sizes, number)
        ask, ask_size = _best(books.ask_prices, books.ask_sizes, number)
        mid = None if bid is None or ask is None else bid / 2.0 + ask / 2.0
        fields: Fields = (
            market_id,
            ns,
            mid,
            bid,
            ask,
            bid_size,
            ask_size,
            None,
            None,
            None,
            None,
        )
        return BookRow.of(fields, partial(_levels, books, number))

    def time_at(self, row: int) -> int | None:
        """Return the own time of a book (from 0), in nanoseconds; None if there is none such."""
        return int(self._times[row]) if 0 <= row < self.total else None

    def row_at(self, ns: int) -> int:
        """Return how many books are not later than a time of the data, in nanoseconds."""
        return int(np.searchsorted(self._times, ns, side="right"))

    def locate(self, position: int) -> str:
        """Say which book of the data is sent at `position`, for messages."""
        number, market = self._numbers[position], self._markets[self._codes[position]]
        return f"book {number} of market {market!r} of feed {self.name!r}"

    def _facts(self) -> dict[str, str]:
        facts = super()._facts()
        shown = ", ".join(self._markets[:3])
        more = len(self._markets) - 3
        facts["markets"] = f"{shown} and {more:,} more" if more > 0 else shown
        first, last = (stamp_text(int(self._times[i])) for i in (0, -1))
        facts["from"], facts["to"] = first, last
        if self._dropped:
            lost = sum(sum(counts.values()) for counts in self._dropped.values())
            facts["not sent"] = f"{lost:,} bad books"
        return facts


def _read(
    books: Any, market_id: str | None, is_dropping: bool
) -> tuple[dict[str, Books], dict[str, dict[str, int]]]:
    """Read books of any form, by market."""
    bad_rows = "drop" if is_dropping else "raise"
    if isinstance(books, Mapping):
        if market_id is not None:
            raise ValueError(
                f"market_id {market_id!r} cannot be given for books that are named by their keys"
            )
        return read_book_data(books, bad_rows=bad_rows)
    if isinstance(books, (str, os.PathLike)):
        books = columns.read_file("books", books, "market_id")
    if not columns.is_frame(books):
        return read_book_data({market_id or "market": books}, bad_rows=bad_rows)
    table = read_table("books", books, None)
    if table.markets is not None:
        if market_id is not None:
            raise ValueError(
                f"market_id {market_id!r} cannot be given for books that name their markets "
                "themselves"
            )
        return read_book_data(books, bad_rows=bad_rows)
    market = market_id or "market"
    read, counts = judge(
        table.draft(None), market=market, is_dropping=is_dropping, is_tradable=True
    )
    if not len(read):  # in the words of all other forms
        return read_book_data({market: books}, bad_rows=bad_rows)
    return {market: read}, {market: dict(counts)} if counts else {}


def _contracts(markets: object, known: tuple[str, ...]) -> tuple[Market, ...]:
    if isinstance(markets, Market) or not isinstance(markets, Iterable):
        raise TypeError(f"markets must hold Market, was {checks.show(markets)}")
    contracts = tuple(markets)
    for one in contracts:
        if not isinstance(one, Market):
            raise TypeError(f"markets must hold Market, has {checks.show(one)}")
        if one.id not in known:
            raise ValueError(
                f"markets has {one.id!r}, of which there are no books"
                f"{checks.suggestion(one.id, known)}"
            )
    return contracts


def _best(
    prices: NDArray[np.float64], sizes: NDArray[np.float64], number: int
) -> tuple[float | None, float | None]:
    """Price and size of a side's first level; None where the side is empty."""
    if not prices.shape[1]:
        return None, None
    price = float(prices[number, 0])
    return (None, None) if price != price else (price, float(sizes[number, 0]))


def _levels(books: Books, number: int) -> tuple[Side, Side]:
    """The levels of one book; those that are missing stand behind the last."""
    bids = _side(books.bid_prices, books.bid_sizes, number)
    return bids, _side(books.ask_prices, books.ask_sizes, number)


def _side(prices: NDArray[np.float64], sizes: NDArray[np.float64], number: int) -> Side:
    levels = zip(prices[number].tolist(), sizes[number].tolist(), strict=True)
    return [level for level in levels if level[0] == level[0]]
