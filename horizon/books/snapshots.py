"""Snapshots of one market's book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Books", "Floats", "Times"]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Books:
    """Snapshots of one market's book, in order of time.

    Not made by hand: `read_books` returns them, checked.

    Attributes
    ----------
    times_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970, UTC.
    bid_prices, bid_sizes, ask_prices, ask_sizes : ndarray of float, shape (n, levels)
        The best level first; NaN where a book has no such level. Where `read_books` has made
        them, NaN only stands behind a book's last level, and no size is 0.

    Examples
    --------
    >>> books = hz.analytics.read_books([
    ...     {"timestamp": 0.0, "bids": [(99.0, 5.0), (98.0, 7.0)], "asks": [(101.0, 3.0)]},
    ...     {"timestamp": 1.0, "bids": [(99.0, 4.0)], "asks": []}])
    >>> books.mid.tolist(), books.best_bid_size.tolist()
    ([100.0, nan], [5.0, 4.0])
    """

    times_ns: Times
    bid_prices: Floats
    bid_sizes: Floats
    ask_prices: Floats
    ask_sizes: Floats

    def __len__(self) -> int:
        return len(self.times_ns)

    def part(self, chosen: slice | NDArray[np.intp]) -> Books:
        """Return some of them: of a slice views, of row numbers copies.

        Parameters
        ----------
        chosen : slice or ndarray of int
            Which books, by their number from 0.

        Returns
        -------
        Books
        """
        return Books(
            self.times_ns[chosen],
            self.bid_prices[chosen],
            self.bid_sizes[chosen],
            self.ask_prices[chosen],
            self.ask_sizes[chosen],
        )

    @property
    def best_bid(self) -> Floats:
        """Highest bid of each book; NaN without one."""
        return _first(self.bid_prices, self.bid_prices)

    @property
    def best_ask(self) -> Floats:
        """Lowest ask of each book; NaN without one."""
        return _first(self.ask_prices, self.ask_prices)

    @property
    def best_bid_size(self) -> Floats:
        """Size at the highest bid of each book; NaN without one."""
        return _first(self.bid_sizes, self.bid_prices)

    @property
    def best_ask_size(self) -> Floats:
        """Size at the lowest ask of each book; NaN without one."""
        return _first(self.ask_sizes, self.ask_prices)

    @property
    def mid(self) -> Floats:
        """Half-way between best bid and best ask; NaN where a side is empty."""
        middle: Floats = (self.best_bid + self.best_ask) / 2.0
        return middle


def _first(values: Floats, prices: Floats) -> Floats:
    """The value at the first price of each row that is there: one may be missing before it."""
    if not prices.size:
        return np.full(len(prices), np.nan)
    return np.asarray(values[np.arange(len(prices)), (~np.isnan(prices)).argmax(axis=1)])
