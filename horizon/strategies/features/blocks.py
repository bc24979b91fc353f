"""The windows of `windows`, of a whole series at once: the same operations in the same order.

All blocks are taken a place at a time, the first values of all of them, then the second. NumPy's
additions, divisions and roots round as Python's do, so the results are the same to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon.strategies.features.windows import Means, Spreads, merging_shares, merging_weights

__all__ = ["window_means", "window_spreads"]

_Floats = NDArray[np.float64]
#: Values worked on at once, which stay in the cache, and the least number of their blocks.
_PIECE: Final = 1 << 15
_MANY: Final = 256
#: With fewer blocks than this, a place of all of them is too little for an array.
_FEW: Final = 24


def window_means(values: _Floats, size: int) -> _Floats:
    """What `Means.take` returns for each value."""
    if len(values) < _FEW * size:
        means = Means(size)
        return np.array([means.take(value) for value in values.tolist()], dtype=np.float64)
    (found,) = _in_pieces(_means, values, size)
    return found


def window_spreads(values: _Floats, size: int) -> tuple[_Floats, _Floats]:
    """What `Spreads` has as its mean and returns as its sum of squares, for each value."""
    if len(values) < _FEW * size:
        spreads = Spreads(size)
        pairs = [(spreads.take(value), spreads.mean) for value in values.tolist()]
        both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        return both[:, 1].copy(), both[:, 0].copy()
    means, squares = _in_pieces(_spreads, values, size)
    return means, squares


def _in_pieces(
    work: Callable[[_Floats], tuple[_Floats, ...]], values: _Floats, size: int
) -> tuple[_Floats, ...]:
    """Do `work` on some blocks at a time, each time with the block before them."""
    n = len(values)
    step = max(_MANY, _PIECE // size) * size
    parts: list[tuple[_Floats, ...]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, n, step):
            before = size if start else 0
            part = values[start - before : start + step]
            blocks = np.full((-(-len(part) // size), size), np.nan)
            blocks.reshape(-1)[: len(part)] = part
            found = work(np.ascontiguousarray(blocks.T))
            parts.append(tuple(one.T.reshape(-1)[before : len(part)] for one in found))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _means(places: _Floats) -> tuple[_Floats]:
    size, blocks = places.shape
    shares = merging_shares(size)
    begun = np.zeros(blocks)
    means = np.empty_like(places)
    for place in range(size):
        begun = begun + (places[place] - begun) / (place + 1)
        means[place] = begun
    end = np.zeros(blocks)
    before = np.full(blocks, np.nan)  # what each block has before it: the first one nothing
    for place in range(size - 1, 0, -1):
        end = end + (places[place] - end) / (size - place)
        before[1:] = end[:-1]
        # The block before from `place` on, and this one's first `place` values.
        means[place - 1] = before + (means[place - 1] - before) * shares[place]
    return (means,)


def _spreads(places: _Floats) -> tuple[_Floats, _Floats]:
    size, blocks = places.shape
    shares, weights = merging_shares(size), merging_weights(size)
    begun, squares = np.zeros(blocks), np.zeros(blocks)
    means, sums = np.empty_like(places), np.empty_like(places)
    for place in range(size):
        ahead = places[place] - begun
        begun = begun + ahead / (place + 1)
        squares = squares + ahead * (places[place] - begun)
        means[place], sums[place] = begun, squares
    end, squares = np.zeros(blocks), np.zeros(blocks)
    before, before_squares = np.full(blocks, np.nan), np.full(blocks, np.nan)
    for place in range(size - 1, 0, -1):
        ahead = places[place] - end
        end = end + ahead / (size - place)
        squares = squares + ahead * (places[place] - end)
        before[1:], before_squares[1:] = end[:-1], squares[:-1]
        gap = means[place - 1] - before
        means[place - 1] = before + gap * shares[place]
        sums[place - 1] = sums[place - 1] + before_squares + gap * gap * weights[place]
    return means, sums
