"""A benchmark beside a curve: its value at the start and at the end of each sampled period."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.curves import Curve
from horizon.analytics.sampling import DAY_NS, Sampling
from horizon.errors import DataError

__all__ = ["beside"]


def beside(benchmark: Curve, curve: Curve, how: Sampling) -> NDArray[np.float64]:
    """Take the benchmark's values that the curve's sampled returns are to be compared with.

    That is the value in force: the last at that time or before it. Only where returns are daily,
    and the benchmark has one value a UTC day at most or the curve bears dates (its times are all
    midnight), the last value of a day counts at any hour of it, for dates carry no hour and
    markets close at different ones; the start of a curve that begins within its first day then has
    the value of the day before.

    Parameters
    ----------
    benchmark : Curve
        Prices or equity, above 0.
    curve : Curve
        Every point.
    how : Sampling
        The curve's.

    Returns
    -------
    ndarray of shape (m + 1,)
        Scaled to the curve's initial capital.

    Raises
    ------
    ValueError
        If the benchmark is empty or not above 0.
    DataError
        If it begins after the end of the first period.
    """
    if len(benchmark) == 0 or benchmark.equity.min() <= 0.0:
        raise ValueError(
            "benchmark must have values above 0, "
            + (f"its lowest is {benchmark.equity.min():g}" if len(benchmark) else "has none")
        )
    sampled = how.take(curve)
    own, its = sampled.times_ns, benchmark.times_ns
    if np.array_equal(its, curve.times_ns):  # point by point, where several have one time too
        return how.take(benchmark).equity * (curve.initial / benchmark.initial)
    its_days = its // DAY_NS
    are_dates = (np.diff(its_days) > 0).all() or (curve.times_ns % DAY_NS == 0).all()
    if how.kind == "daily" and are_dates:
        days = own // DAY_NS
        at = np.searchsorted(its_days, days, side="right") - 1
        if len(days) > 1 and days[0] == days[1]:
            at[0] = np.searchsorted(its_days, days[0], side="left") - 1
    else:
        at = np.searchsorted(its, own, side="right") - 1
    if len(at) > 1 and at[1] < 0:
        begin, needed = its[:1].view("datetime64[ns]")[0], own[1:2].view("datetime64[ns]")[0]
        raise DataError(
            f"benchmark must begin by the end of the first period at {needed}, begins at {begin}",
            row=0,
            value=begin,
        )
    values = benchmark.equity[np.maximum(at, 0)]
    return values * (sampled.initial / float(values[0])) if len(values) else values
