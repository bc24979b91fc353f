"""Slicing a parent order: pure arithmetic, no orders and no clock.

Slices sum to the parent exactly, in whatever order they are added: every slice is a whole
number of the parent's last binary digit (or of the lot), so no addition of them rounds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

__all__ = ["clock_slack_ns", "due_count", "iceberg_slices", "twap_slices", "weighted_slices"]


def twap_slices(quantity: float, n: int, lot_size: float | None = None) -> tuple[float, ...]:
    """Cut a quantity into n equal slices.

    Parameters
    ----------
    quantity : float
        Above 0; a multiple of `lot_size` where that is given.
    n : int
        1 or more.
    lot_size : float, optional
        With it slices are whole lots, as equal as they can be, and may be 0.

    Returns
    -------
    tuple of float, of length n
        Slices that sum to `quantity` exactly.

    Examples
    --------
    >>> twap_slices(100.0, 4)
    (25.0, 25.0, 25.0, 25.0)
    >>> twap_slices(10.0, 4, lot_size=1.0)
    (3.0, 2.0, 3.0, 2.0)
    """
    return weighted_slices(quantity, [1.0] * n, lot_size)


def weighted_slices(
    quantity: float, weights: Sequence[float], lot_size: float | None = None
) -> tuple[float, ...]:
    """Cut a quantity in proportion to weights.

    Parameters
    ----------
    quantity : float
        Above 0; a multiple of `lot_size` where that is given.
    weights : sequence of float
        0 or more each, above 0 together; they need not sum to 1. A weight of 0 gives a slice
        of 0.
    lot_size : float, optional
        With it slices are whole lots. What each slice rounds away goes to the next, so the
        schedule is never more than half a lot off.

    Returns
    -------
    tuple of float, of the weights' length
        Slices that sum to `quantity` exactly.

    Examples
    --------
    >>> weighted_slices(1300.0, [3, 2, 1, 1, 2, 4])
    (300.0, 200.0, 100.0, 100.0, 200.0, 400.0)
    """
    step = math.ulp(quantity) if lot_size is None else lot_size
    steps = math.floor(quantity / step + 0.5)
    running = list(itertools.accumulate(weights))
    reached = [math.floor(steps * (part / running[-1]) + 0.5) for part in running]
    # The last slice with a weight completes the parent, whatever the shares rounded to.
    last = max(i for i, weight in enumerate(weights) if weight > 0.0)
    reached[last:] = [steps] * (len(reached) - last)
    return _differences([count * step for count in reached], quantity)


def iceberg_slices(quantity: float, show_size: float) -> tuple[float, ...]:
    """Cut a quantity into visible sizes; the last is what is left.

    Examples
    --------
    >>> iceberg_slices(100.0, 30.0)
    (30.0, 30.0, 30.0, 10.0)
    """
    n = max(math.ceil(quantity / show_size - 1e-9), 1)
    return _differences([*(k * show_size for k in range(1, n)), quantity], quantity)


def _differences(reached: list[float], quantity: float) -> tuple[float, ...]:
    """Turn running totals into slices; the last total is the quantity itself.

    Each total is put on the grid of the quantity's last binary digit first, a change far below
    any lot; then no difference of two totals rounds, nor any sum of the slices.
    """
    digit = math.ulp(quantity)
    slices, before = [], 0.0
    for total in reached:
        total = min(math.floor(total / digit + 0.5) * digit, quantity)
        if abs(quantity - total) <= 1e-12 * quantity:
            total = quantity
        slices.append(total - before)
        before = total
    return tuple(slices)


def clock_slack_ns(duration_ns: int, n: int) -> int:
    """How much too early a tick may seem and still be on time.

    A float of seconds resolves a quarter of a microsecond at today's epoch, so the very second
    at which a slice is due can lie just before it. Never more than half an interval.
    """
    return min(1_000, duration_ns // (2 * n))


def due_count(elapsed_ns: int, duration_ns: int, n: int) -> int:
    """How many of n slices are due: slice k (from 0) is, from k x duration / n on."""
    elapsed_ns += clock_slack_ns(duration_ns, n)
    return min(elapsed_ns * n // duration_ns + 1, n)
