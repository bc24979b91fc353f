"""A book of price levels that follows snapshots and changes, fast enough for every message.

Feeds keep one for each market. It knows prices and sizes, no venue: what a number may be, and
whether a book makes sense, is asked by the feed that reads the message.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from horizon.feeds.updates import NAN, Levels

__all__ = ["LevelBook", "LevelSide"]

#: Decimals of a size. Venues have at most six; rounding each sum to eight makes it the float of
#: the decimal sum, so that a level which came in parts and went in parts leaves nothing behind.
_DECIMALS: Final = 8


class LevelSide:
    """The bids or the asks of one book.

    Prices and sizes are two lists in ascending order of price, side by side: a search by
    halves finds a level, the best of either side is at an end, and a copy for a reader is
    two slices. A price is compared as the float it is, so it must come from its decimal text
    or number directly, not from a calculation.

    Parameters
    ----------
    is_bid : bool
        Whether the highest price is the best one.
    """

    __slots__ = ("_levels", "is_bid", "prices", "sizes")

    def __init__(self, is_bid: bool) -> None:
        self.is_bid = is_bid
        #: Ascending; not to be changed from outside.
        self.prices: list[float] = []
        self.sizes: list[float] = []
        self._levels: Levels | None = None

    def __len__(self) -> int:
        return len(self.prices)

    @property
    def best(self) -> float:
        """The best price; NaN without any level."""
        if not self.prices:
            return NAN
        return self.prices[-1] if self.is_bid else self.prices[0]

    @property
    def best_size(self) -> float:
        """The size at the best price; NaN without any level."""
        if not self.sizes:
            return NAN
        return self.sizes[-1] if self.is_bid else self.sizes[0]

    @property
    def levels(self) -> Levels:
        """Prices and sizes, best first.

        The lists belong to the reader and do not change afterwards, but as long as this side
        stays as it is every reader gets the same ones: read them, do not change them.
        """
        levels = self._levels
        if levels is None:
            if self.is_bid:
                levels = (self.prices[::-1], self.sizes[::-1])
            else:
                levels = (self.prices[:], self.sizes[:])
            self._levels = levels
        return levels

    def set(self, price: float, size: float) -> None:
        """Let `size` be what rests at `price`; zero takes the level away."""
        prices = self.prices
        at = bisect_left(prices, price)
        if at < len(prices) and prices[at] == price:
            if size:
                self.sizes[at] = size
            else:
                del prices[at], self.sizes[at]
        elif size:
            prices.insert(at, price)
            self.sizes.insert(at, size)
        else:
            return
        self._levels = None

    def add(self, price: float, change: float) -> float:
        """Add `change` (less than zero: take away) to what rests at `price`.

        Returns
        -------
        float
            The level's new size. Below zero means that more went than was there: then the
            book is not the venue's any more, and nothing was changed.
        """
        prices = self.prices
        at = bisect_left(prices, price)
        if at < len(prices) and prices[at] == price:
            size = round(self.sizes[at] + change, _DECIMALS)
            if size < 0.0:
                return size
            if size:
                self.sizes[at] = size
            else:
                del prices[at], self.sizes[at]
        elif change <= 0.0:
            return change
        else:
            size = change
            prices.insert(at, price)
            self.sizes.insert(at, size)
        self._levels = None
        return size

    def replace(self, levels: Iterable[tuple[float, float]]) -> None:
        """Take these levels for all that is there, in any order.

        A level of size zero is none; of two with one price the later counts.
        """
        by_price = dict(levels)
        self.prices = sorted(price for price, size in by_price.items() if size)
        self.sizes = [by_price[price] for price in self.prices]
        self._levels = None

    def clear(self) -> None:
        """Forget every level."""
        self.replace(())


class LevelBook:
    """Bids and asks of one market.

    Examples
    --------
    >>> book = LevelBook()
    >>> book.replace(bids=[(0.48, 30.0), (0.49, 20.0)], asks=[(0.52, 25.0)])
    >>> book.bids.set(0.5, 10.0)
    >>> book.levels
    (([0.5, 0.49, 0.48], [10.0, 20.0, 30.0]), ([0.52], [25.0]))
    """

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = LevelSide(is_bid=True)
        self.asks = LevelSide(is_bid=False)

    @property
    def levels(self) -> tuple[Levels, Levels]:
        """Bids and asks, each best first; see `LevelSide.levels`."""
        return self.bids.levels, self.asks.levels

    @property
    def mid(self) -> float:
        """Half way between the best prices; NaN unless both sides have one."""
        bids, asks = self.bids.prices, self.asks.prices
        return (bids[-1] + asks[0]) / 2.0 if bids and asks else NAN

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask, which a matching engine ends."""
        bids, asks = self.bids.prices, self.asks.prices
        return bool(bids and asks and bids[-1] >= asks[0])

    def replace(
        self, bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]]
    ) -> None:
        """Take these levels for all that is there, in any order."""
        self.bids.replace(bids)
        self.asks.replace(asks)

    def clear(self) -> None:
        """Forget every level."""
        self.bids.clear()
        self.asks.clear()

    def __repr__(self) -> str:
        shown = [
            "none" if math.isnan(side.best) else f"{side.best:g} × {side.best_size:g}"
            for side in (self.bids, self.asks)
        ]
        return (
            f"<LevelBook {shown[0]} / {shown[1]}, {len(self.bids)} bids and {len(self.asks)} asks>"
        )
