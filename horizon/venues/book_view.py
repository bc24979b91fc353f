"""What a strategy and a fill model see of a book: its levels, at the prices that orders meet."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, rules, words
from horizon.books import Books

__all__ = ["NO_BOOKS", "BookView", "Levels", "Snapshot", "first_levels", "level_at", "levels_of"]

_NAN: Final = math.nan

Floats = NDArray[np.float64]
#: Prices, best first, and the size at each.
Levels = tuple[list[float], list[float]]


#: Stands where levels did not come from an array.
NO_BOOKS: Final = Books(np.empty(0, dtype=np.int64), *(np.empty((0, 0)) for _ in range(4)))


class Snapshot:
    """The levels of one recorded book, made into lists when they are asked for.

    Parameters
    ----------
    books : Books
    index : int
        Which of them.
    """

    __slots__ = ("_books", "_index", "_sides")

    def __init__(self, books: Books, index: int) -> None:
        self._books = books
        self._index = index
        self._sides: list[Levels | None] = [None, None]

    @classmethod
    def of(cls, bids: Levels, asks: Levels) -> Snapshot:
        """Take the levels themselves, which are not to be changed from now on."""
        snapshot = cls(NO_BOOKS, 0)
        snapshot._sides = [bids, asks]
        return snapshot

    def side(self, side: int) -> Levels:
        """Return the levels of the bids (0) or the asks (1); they are not to be changed."""
        levels = self._sides[side]
        if levels is None:
            books = self._books
            if side:
                levels = levels_of(books.ask_prices, books.ask_sizes, self._index)
            else:
                levels = levels_of(books.bid_prices, books.bid_sizes, self._index)
            self._sides[side] = levels
        return levels


class BookView:
    """The book of one market, or of its NO side, at one moment; it never changes.

    Not made by hand: ``ex.book(market_id)`` returns it, a pipeline has it as ``ctx.book``, and a
    `FillModel` is shown it with each snapshot.

    Attributes
    ----------
    market_id : str
        ``"<id>"``, or ``"<id>:no"`` for a book of NO, whose bids are the asks of YES at 1 - p.
    time_ns : int
        When its snapshot came, in nanoseconds since 1970, UTC.

    Examples
    --------
    >>> ex = hz.connect("book")
    >>> ex.declare(hz.Market("rain", hz.Prediction))
    >>> fills = ex.take_book("rain", bids=[(0.50, 30), (0.25, 40)], asks=[(0.75, 20)])
    >>> book = ex.book("rain")
    >>> book.best_bid, book.best_ask, book.mid, book.spread
    (0.5, 0.75, 0.625, 0.25)
    >>> book.bids
    [(0.5, 30.0), (0.25, 40.0)]

    The same book for NO: who sells YES for 0.75 buys NO for 0.25.

    >>> ex.book("rain:no").bids, ex.book("rain:no").asks
    ([(0.25, 20.0)], [(0.5, 30.0), (0.75, 40.0)])

    What is taken is gone from the book that orders meet; who queues still stands behind what was
    recorded:

    >>> order = ex.sell("rain", 10, market=True)
    >>> after = ex.book("rain")
    >>> after.bids[0], after.displayed(0.50, sign=1)
    ((0.5, 20.0), 30.0)
    """

    __slots__ = (
        "_asks",
        "_bests",
        "_bids",
        "_bounds",
        "_is_no",
        "_left",
        "_recorded",
        "_shifts",
        "market_id",
        "time_ns",
    )

    def __init__(
        self,
        recorded: Snapshot,
        market_id: str,
        time_ns: int,
        *,
        is_no: bool = False,
        bounds: tuple[float, float] = (-math.inf, math.inf),
        shifts: tuple[float, float] = (0.0, 0.0),
        bids: Levels | None = None,
        asks: Levels | None = None,
    ) -> None:
        """Take a snapshot, what displaces its bids and asks, and what is left where it differs.

        All in prices of YES, whatever side is looked at.
        """
        self.market_id = market_id
        self.time_ns = time_ns
        self._recorded = recorded
        self._is_no = is_no
        self._bounds = bounds
        self._shifts = shifts
        self._left = (bids, asks)
        # Worked out when they are asked for.
        self._bests: list[float | None] = [None, None]
        self._bids: list[tuple[float, float]] | None = None
        self._asks: list[tuple[float, float]] | None = None

    # ------------------------------------------------------------------ what is there
    @property
    def bids(self) -> list[tuple[float, float]]:
        """(price, size) of each level, the highest price first."""
        if self._bids is None:
            self._bids = list(self._levels(1 if self._is_no else 0))
        return list(self._bids)

    @property
    def asks(self) -> list[tuple[float, float]]:
        """(price, size) of each level, the lowest price first."""
        if self._asks is None:
            self._asks = list(self._levels(0 if self._is_no else 1))
        return list(self._asks)

    @property
    def best_bid(self) -> float:
        """Highest bid; NaN without one."""
        return self._best(1 if self._is_no else 0)

    @property
    def best_ask(self) -> float:
        """Lowest ask; NaN without one."""
        return self._best(0 if self._is_no else 1)

    @property
    def mid(self) -> float:
        """Half-way between best bid and best ask; NaN where a side is empty."""
        return (self.best_bid + self.best_ask) / 2.0

    @property
    def spread(self) -> float:
        """Best ask less best bid; NaN where a side is empty."""
        return self.best_ask - self.best_bid

    @property
    def timestamp(self) -> float:
        """When its snapshot came, in seconds since 1970, UTC."""
        return checks.ns_to_seconds(self.time_ns)

    # ------------------------------------------------------------------ for resting orders
    def displayed(self, price: float, sign: int) -> float:
        """Return the size that was recorded at a price, on the side that an order rests on.

        Whatever impact has moved since, and whatever we have taken: who queues there does not
        know of it.

        Parameters
        ----------
        price : float
            The order's limit.
        sign : int
            1 for a buy, which rests among the bids; -1 for a sell.

        Returns
        -------
        float
            0.0 where no level has this price though worse ones are shown, or none is; NaN where
            it is worse than the last level: books are cut off at some depth, and what lies
            behind that is not known.
        """
        return level_at(*self._own_side(sign), price, sign, self._is_no)[1]

    def touch(self, sign: int) -> float:
        """Return the best price of the side that an order rests on, displaced.

        Unlike `best_bid` and `best_ask` it counts what impact has pushed out of the market, and
        what we have taken; NaN where nothing was recorded.

        Parameters
        ----------
        sign : int
            1 for a buy, which rests among the bids; -1 for a sell.
        """
        prices, _ = self._own_side(sign)
        if not prices:
            return _NAN
        price = prices[0] + self._shifts[self._side_of(sign)]
        return rules.complement(price) if self._is_no else price

    # ------------------------------------------------------------------ inside
    def _side_of(self, sign: int) -> int:
        """Side of the YES book that an order rests on: 0 the bids, 1 the asks."""
        return 0 if (sign > 0) is not self._is_no else 1

    def _own_side(self, sign: int) -> Levels:
        return self._recorded.side(self._side_of(sign))

    def _levels(self, side: int) -> Iterator[tuple[float, float]]:
        """What is left of a side of the YES book: price as this view has it, and size."""
        left, shift, (lowest, highest) = self._left[side], self._shifts[side], self._bounds
        if left is None:
            left = self._recorded.side(side)
        for price, size in zip(*left, strict=True):
            if size <= 0.0:
                continue
            if shift != 0.0:
                price += shift
                if not lowest < price < highest:
                    continue
            yield (rules.complement(price) if self._is_no else price), size

    def _best(self, side: int) -> float:
        best = self._bests[side]
        if best is None:
            best = self._bests[side] = next(self._levels(side), (_NAN, 0.0))[0]
        return best

    # ------------------------------------------------------------------ in words
    def __repr__(self) -> str:
        bids, asks = self.bids, self.asks
        bid = _level_text(*bids[0]) if bids else "no bid"
        ask = _level_text(*asks[0]) if asks else "no ask"
        name = words.name(self.market_id)
        return f"<BookView of {name}: {bid} / {ask}, {len(bids)} + {len(asks)} levels>"

    def _repr_html_(self) -> str:
        asks = [("", words.price(price), words.amount(size)) for price, size in self.asks]
        bids = [(words.amount(size), words.price(price), "") for price, size in self.bids]
        rows = "".join(
            f"<tr><td>{bid}</td><td>{price}</td><td>{ask}</td></tr>"
            for bid, price, ask in [*reversed(asks), *bids]
        )
        return (
            f"<table><caption>{html.escape(words.name(self.market_id))}</caption>"
            "<thead><tr><th>bid</th><th>price</th><th>ask</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _level_text(price: float, size: float) -> str:
    return f"{words.amount(size)} @ {words.price(price)}"


def levels_of(prices: Floats, sizes: Floats, index: int) -> Levels:
    """Prices and sizes of one side of a snapshot: the levels that are there, the best first."""
    row_prices, row_sizes = prices[index].tolist(), sizes[index].tolist()
    total = sum(row_prices) + sum(row_sizes)
    if total == total and (not row_sizes or min(row_sizes) > 0.0):  # all are there, as in most
        return row_prices, row_sizes
    there = [i for i, size in enumerate(row_sizes) if size > 0.0 and row_prices[i] == row_prices[i]]
    return [row_prices[i] for i in there], [row_sizes[i] for i in there]


def level_at(
    prices: list[float], sizes: list[float], limit: float, sign: int, is_no: bool
) -> tuple[int, float]:
    """Find the level at a price among those that an order of this sign rests beside.

    Returns
    -------
    tuple of (int, float)
        Its position and size. (-1, 0.0) where no level has the price though worse ones are
        there, or none is; (-1, NaN) where the price is worse than the last one.
    """
    for position, price in enumerate(prices):
        if is_no:
            price = rules.complement(price)
        if abs(price - limit) <= rules.REACH * abs(limit):
            return position, sizes[position]
        if sign * (price - limit) < 0.0:
            return -1, 0.0
    return -1, _NAN if prices else 0.0


def first_levels(prices: Floats, sizes: Floats) -> Floats:
    """Best price of each snapshot of one side, shape (n,); NaN where there is none.

    A view of the first column where that is all it takes, as it is for most books.
    """
    count, levels = prices.shape
    if not levels:
        return np.full(count, _NAN)
    there = (sizes > 0.0) & ~np.isnan(prices)
    first = there[:, 0]
    some = there.any(axis=1)
    if bool((first == some).all()) and bool(np.isnan(prices[~some, 0]).all()):
        return np.asarray(prices[:, 0])
    found = prices[np.arange(count), there.argmax(axis=1)]
    return np.where(some, found, _NAN)
