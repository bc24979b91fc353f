"""What a reader of a tearsheet has to be told before the numbers, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from horizon import words
from horizon.analytics.edges import far_from_price
from horizon.analytics.sampling import DAY_NS, YEAR_SECONDS

if TYPE_CHECKING:
    from horizon.analytics.curves import Curve
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["cautions_of"]

#: Fewer returns, or years, than these say little of a year.
_FEW: Final = 30
_SHORT: Final = 0.25
#: The first equity may differ from the initial capital by this part of it.
_FAR: Final = 0.5
#: A benchmark that stands still in more than this part of the periods is too coarse, or has ended.
_STILL: Final = 0.5


def cautions_of(sheet: Tearsheet, benchmark: Curve | None) -> list[str]:
    """Look for what makes numbers mislead although nothing is wrong with the arithmetic.

    A short record, equity or returns that look like something else, fills outside the curve, fair
    values that are no prices, a benchmark that has ended or is too coarse.

    Parameters
    ----------
    sheet : Tearsheet
    benchmark : Curve or None
        Every point of the benchmark.

    Returns
    -------
    list of str
        Sentences; empty if there is nothing to say.
    """
    found = []
    curve, n = sheet.curve, len(sheet.returns)
    years = curve.span_secs / YEAR_SECONDS
    if n > 0 and (n < _FEW or years < _SHORT):
        span = words.duration(curve.span_secs).split()
        found.append(
            f"Short record: {n:,} return{'' if n == 1 else 's'} over {' '.join(span[:4])}; what is "
            "annualised says little."
        )
    if n and curve.initial <= 0.0:
        found.append(
            "The curve begins at 0 or below, so fractions of it mean nothing. A curve of profits "
            "wants the capital added to it."
        )
    elif n and abs(curve.equity[1] / curve.initial - 1.0) > _FAR:
        found.append(
            f"The first equity, {curve.equity[1]:,.10g}, is far from the initial capital of "
            f"{curve.initial:,.10g}: they may not belong together."
        )
    elif n and curve.equity.min() < 0.0:
        found.append("The account was below 0: drawdowns pass 100 %, and later returns count as 0.")
    found += _of_fills(sheet)
    found += _of_forecasts(sheet)
    found += _of_benchmark(sheet, benchmark)
    return found


def _of_fills(sheet: Tearsheet) -> list[str]:
    fills, curve = sheet.fills, sheet.curve
    if len(fills) == 0 or len(curve) == 0:
        return []
    first, last = int(curve.times_ns[0]), int(curve.times_ns[-1])
    if (curve.times_ns % DAY_NS == 0).all():
        last += DAY_NS - 1  # dates: the whole of the last day
        first -= DAY_NS
    outside = int(np.count_nonzero((fills.times_ns < first) | (fills.times_ns > last)))
    if outside == 0:
        return []
    return [f"{outside:,} of {len(fills):,} fills lie outside the time of the curve."]


def _of_forecasts(sheet: Tearsheet) -> list[str]:
    if sheet._fair_values is None:
        return []
    far = far_from_price(sheet.fills, sheet._fair_values)
    if far == 0:
        return []
    count = int(np.count_nonzero(~sheet.fills.is_settlement))
    return [
        f"The fair values behind {far:,} of {count:,} fill{'' if count == 1 else 's'} are far from "
        "the price, more than ten times as much or less than a tenth: the average edge means "
        "little then. In a backtest the last number that a stage returns counts as the fair value."
    ]


def _of_benchmark(sheet: Tearsheet, benchmark: Curve | None) -> list[str]:
    values = sheet.benchmark_equity
    if benchmark is None or values is None or len(values) < 3:
        return []
    still = int(np.count_nonzero(values[1:] == values[:-1]))
    if still <= _STILL * (len(values) - 1):
        return []
    return [
        f"The benchmark stands still in {still:,} of {len(values) - 1:,} periods: it has ended, or "
        "its values are too far apart."
    ]
