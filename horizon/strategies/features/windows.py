"""Means and deviations of a moving window, of which nothing stays once it has left.

A sum that slides, adding what comes and subtracting what goes, keeps the rounding of everything
it has ever seen: one price of 1e15 leaves a wrong mean behind for ever. Here nothing is
subtracted. The rows are cut into blocks as long as the window, so that each window is the end of
one block and the beginning of the next (the scheme of van Herk, 1992, and of Gil and Werman,
1993). The beginning grows with each row by the recursion of Welford (1962); the ends of a block
are worked out backwards once it is full; the two are put together by the rule of Chan, Golub and
LeVeque (1983). A row costs the same on average however long the window is; every `size` rows one
of them costs `size` steps more.

A value is made of its window and of its place in its block, and of nothing else. One that is
undefined (NaN) makes the results undefined for as long as it is in the window.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["Means", "Spreads", "merging_shares", "merging_weights"]


class Means:
    """Mean of the last `size` values.

    Parameters
    ----------
    size : int
        At least 1.
    """

    __slots__ = ("_begun", "_block", "_ends", "_shares", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._shares = merging_shares(size)
        #: The block that is filling, and its mean so far.
        self._block: list[float] = []
        self._begun = 0.0
        #: By place, the mean of the block before from there on; there is none before the first.
        self._ends = [math.nan] * size

    def take(self, value: float) -> float:
        """Take the next value, and return the mean; NaN before there are `size` of them."""
        block = self._block
        block.append(value)
        count = len(block)
        begun = self._begun
        begun += (value - begun) / count
        if count < self._size:
            self._begun = begun
            end = self._ends[count]
            return end + (begun - end) * self._shares[count]
        self._turn()
        return begun

    def _turn(self) -> None:
        ends, place, end = self._ends, self._size, 0.0
        for count, value in enumerate(reversed(self._block), 1):
            end += (value - end) / count
            place -= 1
            ends[place] = end
        self._block.clear()
        self._begun = 0.0


class Spreads:
    """Mean, and sum of squared distances from it, of the last `size` values.

    Parameters
    ----------
    size : int
        At least 1.

    Attributes
    ----------
    mean : float
        NaN before there are `size` values.
    """

    __slots__ = (
        "_begun",
        "_block",
        "_ends",
        "_ends_squares",
        "_shares",
        "_size",
        "_squares",
        "_weights",
        "mean",
    )

    def __init__(self, size: int) -> None:
        self._size = size
        self._shares, self._weights = merging_shares(size), merging_weights(size)
        self._block: list[float] = []
        self._begun = self._squares = 0.0
        self._ends = [math.nan] * size
        self._ends_squares = [math.nan] * size
        self.mean = math.nan

    def take(self, value: float) -> float:
        """Take the next value, and return the sum of squares, exactly 0.0 where all are alike."""
        block = self._block
        block.append(value)
        count = len(block)
        begun = self._begun
        ahead = value - begun
        begun += ahead / count
        squares = self._squares + ahead * (value - begun)
        if count < self._size:
            self._begun, self._squares = begun, squares
            end = self._ends[count]
            gap = begun - end
            self.mean = end + gap * self._shares[count]
            return squares + self._ends_squares[count] + gap * gap * self._weights[count]
        self.mean = begun
        self._turn()
        return squares

    def _turn(self) -> None:
        ends, ends_squares, place = self._ends, self._ends_squares, self._size
        end = squares = 0.0
        for count, value in enumerate(reversed(self._block), 1):
            ahead = value - end
            end += ahead / count
            squares += ahead * (value - end)
            place -= 1
            ends[place], ends_squares[place] = end, squares
        self._block.clear()
        self._begun = self._squares = 0.0


@lru_cache(maxsize=64)
def merging_shares(size: int) -> tuple[float, ...]:
    """What part of a window the first k rows of a block are, by k."""
    return tuple(count / size for count in range(size))


@lru_cache(maxsize=64)
def merging_weights(size: int) -> tuple[float, ...]:
    """What the squared gap between the means of both parts counts, by k."""
    return tuple(count * (size - count) / size for count in range(size))
