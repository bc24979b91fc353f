"""Data without its rows after a time, or with other numbers in them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.playing import MarketData
from horizon.books import Books
from horizon.feeds.reader import STALE

__all__ = ["Change"]

_Floats = NDArray[np.float64]
_Times = NDArray[np.int64]

_PRICES: Final = frozenset(("price", "bid", "ask", "open", "high", "low"))
#: The odd step and the two multipliers of SplitMix64.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


class Change:
    """What happens to rows after a cut: they go, or get other numbers.

    Every price of a row or of a book is moved by one rising function, so that a bid stays below
    its ask, a low below its high, and levels stay in order. Between 0 and 1 that is
    x + a (b - x), a between 0.2 and 0.7, b between 0 and 1; elsewhere a factor between 0.6 and
    1.5, never near 1. Sizes and volumes get a factor of their own.

    Parameters
    ----------
    cut_ns : int
        Rows of this time and before stay as they are.
    is_truncated : bool
        Leave out the rows after it; else change their numbers.
    seed : int
    bounded : frozenset of str
        Feeds whose prices lie between 0 and 1.
    """

    def __init__(
        self, cut_ns: int, *, is_truncated: bool, seed: int, bounded: frozenset[str]
    ) -> None:
        self.cut_ns = cut_ns
        self.is_truncated = is_truncated
        self._seed = seed
        self._bounded = bounded

    def numbers(self, feed: str, column: str, times: _Times, values: _Floats) -> _Floats:
        """Return the numbers of one column as they are after the change; NaN stays NaN.

        Parameters
        ----------
        feed, column : str
            The column by Horizon's name, or any other.
        times : ndarray of int64, shape (n,)
        values : ndarray of float, shape (n,) or (n, levels)
            Not changed in place.
        """
        after = times > self.cut_ns
        if self.is_truncated or not after.any():
            return values
        moved = values.copy()
        old, late = values[after], times[after]
        if column in _PRICES and feed in self._bounded:
            weight, goal = self._two(feed, "prices", late, old.ndim)
            moved[after] = old + (0.2 + 0.5 * weight) * (goal - old)
            return moved
        salt = "prices" if column in _PRICES else f"column {column}"
        chance, side = self._two(feed, salt, late, old.ndim)
        factor = np.where(side < 0.5, 0.6 + 0.3 * chance, 1.1 + 0.4 * chance)
        # What is as large as may be stays so; no order among the numbers of a row is lost.
        moved[after] = np.minimum(old * factor, np.maximum(old, checks.LARGEST))
        return moved

    def rows(self, data: MarketData) -> MarketData:
        """Return rows as they are played after the change."""
        if self.is_truncated:
            end = int(np.searchsorted(data.times_ns, self.cut_ns, side="right"))
            return data.part(slice(0, end))
        numbers = dict(data.numbers)
        for code, feed in enumerate(data.feeds):
            mine = slice(None) if data.codes is None else np.flatnonzero(data.codes == code)
            times = data.times_ns[mine]
            for name, values in numbers.items():
                if name == STALE:
                    continue  # no number: other rows would be read, not other values
                changed = self.numbers(feed, name, times, values[mine])
                if data.codes is None:
                    numbers[name] = changed
                else:
                    if numbers[name] is data.numbers[name]:
                        numbers[name] = values.copy()
                    numbers[name][mine] = changed
        return replace(data, numbers=numbers)

    def books(self, market: str, books: Books) -> Books:
        """Return a market's books after the change."""
        if self.is_truncated:
            end = int(np.searchsorted(books.times_ns, self.cut_ns, side="right"))
            return books.part(slice(0, end))
        times = books.times_ns
        sides = (
            self.numbers(market, "price", times, books.bid_prices),
            self.numbers(market, "bid_size", times, books.bid_sizes),
            self.numbers(market, "price", times, books.ask_prices),
            self.numbers(market, "ask_size", times, books.ask_sizes),
        )
        return Books(times, *sides)

    def _two(self, feed: str, salt: str, times: _Times, dimensions: int) -> tuple[_Floats, _Floats]:
        """Two uniform numbers for each time, the same whatever else is asked."""
        text = f"{self._seed}\0{self.cut_ns}\0{feed}\0{salt}".encode()
        found = []
        for turn in (b"1", b"2"):
            key = int.from_bytes(blake2b(text + turn, digest_size=8).digest(), "little")
            state = _mixed(times.view(np.uint64) + _STEP)
            words = _mixed(state + np.full(1, key, dtype=np.uint64))
            chances: _Floats = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
            found.append(chances[:, None] if dimensions == 2 else chances)
        return found[0], found[1]


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014), modulo 2**64."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))
