"""The judgement of books: which cannot be true, and what the others look like when packed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.books.snapshots import Books, Floats
from horizon.errors import DataError

__all__ = ["Draft", "Flaw", "judge"]

_Mask = NDArray[np.bool_]
_Rows = NDArray[np.intp]

#: Nanoseconds between two times that can be told.
_LONGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Flaw:
    """What was wrong with some books before there were numbers.

    Attributes
    ----------
    bad : ndarray of bool, shape (n_books,)
    reason : str
        What such a book counts under.
    say : callable
        The row in the data, the rule and the refused value, for the number of a bad book.
    """

    bad: _Mask
    reason: str
    say: Callable[[int], tuple[int, str, object]]


@dataclass(frozen=True, slots=True)
class Draft:
    """Books as they were read, before they are judged.

    Attributes
    ----------
    books : Books
    rows : ndarray of int, shape (n_books,), or None
        Each book's row in the data; None where that is its number.
    level_rows : pair of ndarray of int, shape (n_books, levels), or None
        Rows in the data of the levels of bids and of asks, where each has one of its own.
    flaws : list of Flaw
    """

    books: Books
    rows: _Rows | None = None
    level_rows: tuple[_Rows, _Rows] | None = None
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def word(self) -> str:
        """What messages call a row of the data."""
        return "book" if self.level_rows is None else "row"

    def row(self, number: int) -> int:
        """The row in the data where a book begins."""
        return number if self.rows is None else int(self.rows[number])

    def level_row(self, number: int, side: int, level: int) -> int:
        """The row in the data of one level: of bids, where `side` is 0, or of asks."""
        if self.level_rows is None:
            return self.row(number)
        return int(self.level_rows[side][number, level])


def judge(
    draft: Draft, *, market: str | None, is_dropping: bool, is_tradable: bool
) -> tuple[Books, Counter[str]]:
    """Find the books that cannot be true, and pack the others.

    Parameters
    ----------
    draft : Draft
    market : str or None
        The market, for messages.
    is_dropping : bool
        Leave bad books out and count them, instead of raising at the first.
    is_tradable : bool
        Whether prices below 0, and prices and sizes above 1e15, are refused too, as in any
        other data that orders meet.

    Returns
    -------
    Books
        Without levels of size 0, each book's levels closed up.
    Counter
        Books left out, by reason.

    Raises
    ------
    DataError
        At the first bad book, unless `is_dropping`.
    """
    judging = _Judge(draft)
    books = judging.read(is_tradable)
    bad = judging.bad
    if bad.any():
        if not is_dropping:
            raise judging.error(int(bad.argmax()), market)
        books = books.part(np.flatnonzero(~bad))
    return _closed_up(books), judging.counts


class _Judge:
    """Books, and what is wrong with which; a book's first fault is the one that counts."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.bad: _Mask = np.zeros(len(draft.books), dtype=bool)
        self.counts: Counter[str] = Counter()
        self._flaws: list[Flaw] = []

    def read(self, is_tradable: bool) -> Books:
        """Ask every question; return the books without levels of size 0."""
        books = self.draft.books
        unread = books.times_ns == columns.NEVER
        self._fault(
            unread,
            "timestamp",
            "the time must be one that can be read (numbers are seconds since 1970)",
        )
        for flaw in self.draft.flaws:
            self._take(flaw)
        most = checks.LARGEST if is_tradable else np.inf
        least = 0.0 if is_tradable else -np.inf
        for side, name in enumerate(("bids", "asks")):
            prices, sizes = _side(books, side)
            wrong = np.isinf(prices) | (prices < least) | (prices > most)
            rule = "be a number from 0 to 1e15" if is_tradable else "be finite"
            self._level_fault(wrong, "price", f"a price of {name} must {rule}", side, prices)
            wrong = np.isinf(sizes) | (sizes > most)
            rule = "be a number from 0 to 1e15" if is_tradable else "be finite"
            self._level_fault(wrong, "size", f"a size of {name} must {rule}", side, sizes)
            wrong = sizes < 0.0
            self._level_fault(wrong, "size", f"a size of {name} must be 0 or more", side, sizes)
            # A level that is not there may say so by its size alone.
            wrong = (np.isnan(sizes) != np.isnan(prices)) & (sizes != 0.0)
            rule = f"each level of {name} must have both a price and a size"
            self._level_fault(wrong, "level", rule, side, prices)
        books = _without_zeros(books)
        for side, name in enumerate(("bids", "asks")):
            self._require_order(side, name, _side(books, side)[0])
        bids, asks = books.best_bid, books.best_ask
        self._take(
            Flaw(
                bids > asks,
                "crossed",
                lambda number: (
                    self.draft.row(number),
                    "the best bid must not be above the best ask",
                    (float(bids[number]), float(asks[number])),
                ),
            )
        )
        self._require_forward()
        return books

    def error(self, number: int, market: str | None) -> DataError:
        """Say what is wrong with a bad book."""
        flaw = next(flaw for flaw in self._flaws if flaw.bad[number])
        row, rule, value = flaw.say(number)
        where = "" if market is None else f"books of {market!r}, "
        said = "" if value is None else f", was {checks.show(value)}"
        return DataError(
            f"{where}{self.draft.word} {row}: {rule}{said}", feed=market, row=row, value=value
        )

    def _take(self, flaw: Flaw) -> None:
        new = flaw.bad & ~self.bad
        if new.any():
            self._flaws.append(Flaw(new, flaw.reason, flaw.say))
            self.counts[flaw.reason] += int(new.sum())
            self.bad |= new

    def _fault(self, bad: _Mask, reason: str, rule: str) -> None:
        self._take(Flaw(bad, reason, lambda number: (self.draft.row(number), rule, None)))

    def _level_fault(self, bad: _Mask, reason: str, rule: str, side: int, values: Floats) -> None:
        if not bad.any():
            return

        def say(number: int) -> tuple[int, str, object]:
            level = int(bad[number].argmax())
            value = float(values[number, level])
            return self.draft.level_row(number, side, level), rule, value

        self._take(Flaw(np.asarray(bad.any(axis=1)), reason, say))

    def _require_order(self, side: int, name: str, prices: Floats) -> None:
        if prices.shape[1] < 2:
            return
        # The last price before a level that is there, whatever is missing between.
        last = (np.fmax if side else np.fmin).accumulate(prices, axis=1)[:, :-1]
        bad = np.zeros(prices.shape, dtype=bool)
        bad[:, 1:] = prices[:, 1:] <= last if side else prices[:, 1:] >= last
        way = "rise" if side else "fall"
        rule = f"prices of {name} must {way} from the best on"
        self._level_fault(bad, "unsorted", rule, side, prices)

    def _require_forward(self) -> None:
        times = self.draft.books.times_ns
        if not len(times):
            return
        good = np.where(self.bad, columns.NEVER, times)
        peaks = np.maximum.accumulate(good)
        late = np.zeros(len(times), dtype=bool)
        late[1:] = ~self.bad[1:] & (times[1:] < peaks[:-1])

        def say(number: int) -> tuple[int, str, object]:
            before = int(np.flatnonzero(good[:number] == peaks[number - 1])[-1])
            rule = f"the time must not be before that of row {self.draft.row(before)}"
            return self.draft.row(number), rule, str(times[number].astype("datetime64[ns]"))

        self._take(Flaw(late, "backwards", say))
        first = int(times[(~self.bad).argmax()])
        if first < 0:
            far = ~self.bad & (times > first + _LONGEST)
            rule = "the time must be within 292 years of the first"
            self._fault(far, "timestamp", rule)


def _side(books: Books, side: int) -> tuple[Floats, Floats]:
    if side:
        return books.ask_prices, books.ask_sizes
    return books.bid_prices, books.bid_sizes


def _without_zeros(books: Books) -> Books:
    """A size of 0 says that nothing is there."""
    sides = []
    for side in (0, 1):
        prices, sizes = _side(books, side)
        empty = sizes == 0.0
        if empty.any():
            prices, sizes = np.where(empty, np.nan, prices), np.where(empty, np.nan, sizes)
        sides += [prices, sizes]
    if sides[0] is books.bid_prices and sides[2] is books.ask_prices:
        return books
    return Books(books.times_ns, *sides)


def _closed_up(books: Books) -> Books:
    """Move levels up to where those before them are missing."""
    sides = []
    for side in (0, 1):
        prices, sizes = _side(books, side)
        gone = np.isnan(prices)
        torn = np.flatnonzero((gone[:, :-1] & ~gone[:, 1:]).any(axis=1))
        if len(torn):
            order = np.argsort(gone[torn], axis=1, kind="stable")
            prices, sizes = prices.copy(), sizes.copy()
            prices[torn] = np.take_along_axis(prices[torn], order, axis=1)
            sizes[torn] = np.take_along_axis(sizes[torn], order, axis=1)
        sides += [prices, sizes]
    if sides[0] is books.bid_prices and sides[2] is books.ask_prices:
        return books
    return Books(books.times_ns, *sides)
