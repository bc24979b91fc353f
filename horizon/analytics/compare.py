"""Equity curves on one footing: from their common start, and from one value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from horizon import checks
from horizon.analytics.curves import Curve

__all__ = ["common_start_ns", "rebased", "since"]


def common_start_ns(curves: Mapping[str, Curve]) -> int:
    """Return the first moment at which every curve has begun, in nanoseconds since 1970.

    Raises
    ------
    ValueError
        If there is no curve, one is empty, or one has ended by the time that another begins.
    """
    if not curves:
        raise ValueError("curves must be one or more, had none")
    for name, curve in curves.items():
        if len(curve) == 0:
            raise ValueError(f"curves must have points, {checks.show(name)} has none")
    latest, start = max(
        ((name, int(curve.times_ns[0])) for name, curve in curves.items()), key=lambda one: one[1]
    )
    for name, curve in curves.items():
        if int(curve.times_ns[-1]) < start:
            raise ValueError(
                f"curves must have a time in common: {checks.show(name)} ends before "
                f"{checks.show(latest)} begins"
            )
    return start


def since(curve: Curve, start_ns: int) -> Curve:
    """Return the part of a curve that begins at a moment.

    Its first point is the last one not after `start_ns`, moved there: what a curve says between
    two points is its earlier point.

    Raises
    ------
    ValueError
        If the curve begins later.
    """
    # Of several points at the start, such as the initial capital and a first equity of the same
    # time, all are kept.
    first = int(np.searchsorted(curve.times_ns, start_ns, side="left"))
    if first < len(curve) and int(curve.times_ns[first]) == start_ns:
        return curve if first == 0 else Curve(curve.times_ns[first:], curve.equity[first:])
    if first == 0:
        raise ValueError(f"start_ns must not be before the curve's first point, was {start_ns}")
    times = curve.times_ns[first - 1 :].copy()
    times[0] = start_ns
    return Curve(times, curve.equity[first - 1 :])


def rebased(curve: Curve, value: float = 100.0) -> Curve:
    """Scale a curve so that it begins with a value.

    Raises
    ------
    ValueError
        If the curve is empty, or does not begin above 0: nothing can be said in terms of it.
    """
    scale = checks.positive("value", value)
    if not curve.initial > 0.0:
        raise ValueError(f"curve must begin above 0 to be rebased, begins with {curve.initial!r}")
    return Curve(curve.times_ns, curve.equity / curve.initial * scale)
