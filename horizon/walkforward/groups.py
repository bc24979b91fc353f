"""Combinatorial purged cross-validation as arithmetic: groups, splits, pieces of training, paths.

References
----------
López de Prado (2018), Advances in Financial Machine Learning, chapters 7 and 12.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.feeds.times import stamp_text
from horizon.walkforward.windows import share_of

__all__ = ["Piece", "cut_groups", "path_table", "splits_of", "training_pieces"]

_MOST_SPLITS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of training between tests.

    Attributes
    ----------
    start_ns, end_ns : int
        Rows from the first to before the second are trained on.
    orders_from_ns : int
        Rows before it only warm the pipeline up.
    """

    start_ns: int
    end_ns: int
    orders_from_ns: int

    @property
    def length_ns(self) -> int:
        """Time in which orders are sent."""
        return self.end_ns - self.orders_from_ns


def splits_of(n_groups: int, n_test_groups: int) -> list[tuple[int, ...]]:
    """Return every way to take some groups as a test, in the order of `itertools.combinations`.

    Raises
    ------
    ValueError
        If there is no group left to train on, or there are more than 100,000 ways.
    """
    n = checks.integer("n_groups", n_groups, least=2)
    k = checks.integer("n_test_groups", n_test_groups)
    if k >= n:
        raise ValueError(
            f"n_test_groups must be from 1 to {n - 1}, so that one of {n} groups is left to train "
            f"on; was {k}"
        )
    if n > _MOST_SPLITS or math.comb(n, k) > _MOST_SPLITS:
        raise ValueError(
            f"n_groups and n_test_groups must give at most {_MOST_SPLITS:,} splits, {n:,} and "
            f"{k:,} give more"
        )
    return list(itertools.combinations(range(n), k))


def path_table(splits: Sequence[tuple[int, ...]], n_groups: int) -> NDArray[np.intp]:
    """Say which path each split's test of a group belongs to.

    The first test of a group belongs to the first path, the second to the second, and so on, so
    that each path has one test of every group.

    Returns
    -------
    ndarray of int, shape (n_groups, n_splits)
        Path numbers from 0; -1 where the group is trained on.
    """
    table = np.full((n_groups, len(splits)), -1, dtype=np.intp)
    tested = [0] * n_groups
    for split, groups in enumerate(splits):
        for group in groups:
            table[group, split] = tested[group]
            tested[group] += 1
    return table


def cut_groups(first_ns: int, last_ns: int, n_groups: int) -> tuple[int, ...]:
    """Return the edges of equal, adjacent groups of time: `n_groups` + 1 of them.

    A group has the rows from its edge to before the next; the last one those at its end too.

    Raises
    ------
    ValueError
        If the span is too short for so many.
    """
    span = last_ns - first_ns
    if span <= 0:
        raise ValueError(
            "groups need data that spans some time, and all of it is of one moment, "
            f"{stamp_text(first_ns)}"
        )
    edges = [first_ns + share_of(span, 0.0, k, n_groups) for k in range(n_groups + 1)]
    if any(start >= end for start, end in itertools.pairwise(edges)):
        raise ValueError(
            f"n_groups={n_groups:,} leaves groups empty: the data spans {span / 1e9:g} seconds"
        )
    return tuple(edges)


def training_pieces(
    edges: Sequence[int],
    tests: Sequence[int],
    *,
    purge_ns: int = 0,
    embargo_ns: int = 0,
    warmup_ns: int = 0,
) -> tuple[Piece, ...]:
    """Return what is left to train on around the tests.

    Training ends `purge_ns` before a test, and goes on `embargo_ns` after it. Behind a test the
    pipeline warms up on the first `warmup_ns` of the piece itself, never on rows of the test.

    Parameters
    ----------
    edges : sequence of int
        Of the groups, rising.
    tests : sequence of int
        Groups that are tested.
    purge_ns, embargo_ns, warmup_ns : int
        Together shorter than each group.

    Returns
    -------
    tuple of Piece
        In order of time; neighbouring groups are one piece.
    """
    last = len(edges) - 2
    pieces = []
    trained = [group for group in range(last + 1) if group not in tests]
    for _, run in itertools.groupby(enumerate(trained), key=lambda pair: pair[1] - pair[0]):
        groups = [group for _, group in run]
        start, end = edges[groups[0]], edges[groups[-1] + 1]
        orders = start
        if groups[0] > 0:
            start += embargo_ns
            orders = start + warmup_ns
        end = end - purge_ns if groups[-1] < last else end + 1
        pieces.append(Piece(start, end, orders))
    return tuple(pieces)
