"""What a series of returns comes to: growth, its evenness, and winners and losers in a row.

All metrics of returns, here and in `deviations`, `distribution` and `ratios`, are pure functions
over one array. `returns` are simple returns per period, as fractions, in order of time: an array,
list or Series of shape (n,), finite. A period is what the caller says, and `periods_per_year`
annualises: 252 for trading days, 365 for days, 12 for months. A target such as `minimum` or
`risk_free` is per period too. Samples use n − 1 where nothing else is said.

Too few returns for a metric give 0.0, and so does a ratio of nothing to nothing. A ratio whose
risk is 0 while its reward is positive is ``inf``, but for the Sharpe ratio, where a series
without variance has told nothing about chance: 0.0.

References
----------
Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from horizon import checks
from horizon.analytics.arithmetic import Numbers, checked_returns, compounded, deviation, ruin_of
from horizon.analytics.products import dot

__all__ = [
    "annual_return",
    "geometric_mean_return",
    "longest_streaks",
    "stability",
    "straightness",
    "streaks",
    "total_return",
]


def total_return(returns: Any) -> float:
    """Compounded return over all periods, as a fraction.

    ``Π(1 + r) − 1``, up to the first return of −1 or below: from then on there is no capital that
    a return could be a fraction of, and wealth stays as it is.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        ``inf`` where it overflows; −1.0, or below it for a debt, where everything is lost at any
        time (`annual_return` is −1.0 there); 0.0 without returns.

    Examples
    --------
    1.1 · 0.95 is 1.045:

    >>> round(hz.analytics.total_return([0.1, -0.05]), 4)
    0.045

    The first return leaves a debt of half of the capital, and the second has nothing to act on:

    >>> hz.analytics.total_return([-1.5, -1.5])
    -1.5
    """
    values = checked_returns("returns", returns)
    ruin = ruin_of(values)
    if ruin < len(values) and values[ruin] == -1.0:
        return -1.0  # even of what is beyond a float
    with np.errstate(over="ignore"):
        return float(np.prod(1.0 + values[: ruin + 1])) - 1.0


def annual_return(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual growth rate, as a fraction (CAGR).

    ``Π(1 + r) ** (periods_per_year / n) − 1``, worked out in logarithms.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        ``inf`` where it overflows; −1.0 where everything is lost at any time, or more than that,
        since a debt has no rate of growth; 0.0 without returns.

    Examples
    --------
    Half a year of quarters at 10 %, and 1.1⁴ is 1.4641:

    >>> round(hz.analytics.annual_return([0.1, 0.1], periods_per_year=4), 4)
    0.4641
    """
    values = checked_returns("returns", returns)
    per_year = checks.positive("periods_per_year", periods_per_year)
    if len(values) == 0:
        return 0.0
    if values.min() <= -1.0:
        return -1.0
    return compounded(float(np.log1p(values).sum()) * per_year / len(values))


def geometric_mean_return(returns: Any) -> float:
    """Growth per period that compounds to the same, as a fraction.

    ``Π(1 + r) ** (1 / n) − 1``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        −1.0 where everything is lost at any time; 0.0 without returns.

    Examples
    --------
    21 % in two periods are 10 % in each:

    >>> round(hz.analytics.geometric_mean_return([0.21, 0.0]), 4)
    0.1
    """
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    if values.min() <= -1.0:
        return -1.0
    return compounded(float(np.log1p(values).mean()))


def stability(returns: Any) -> float:
    """R² of a straight line through the logarithm of growth: 1.0 is a perfectly even climb.

    A perfectly even fall is 1.0 as well.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 for fewer than two returns, growth without variance, or where everything is lost.

    Examples
    --------
    Growth doubles, doubles and then doubles twice: log₂ is 1, 2 and 4, whose R² against 1, 2 and 3
    is 3² / (2 · 14/3) = 27 / 28.

    >>> round(hz.analytics.stability([1.0, 1.0, 3.0]), 4)
    0.9643
    """
    values = checked_returns("returns", returns)
    if len(values) < 2 or values.min() <= -1.0:
        return 0.0
    return straightness(np.cumsum(np.log1p(values)))


def straightness(growth: Numbers) -> float:
    """R² of a straight line through evenly spaced values, 0.0 where they do not vary."""
    n = len(growth)
    spread = deviation(growth, 0)
    if n < 2 or spread == 0.0:
        return 0.0
    # About the middle, so that nothing is left of the mean: Σ steps is 0, and Σ steps² is
    # n(n² − 1) / 12.
    steps = np.arange(n, dtype=np.float64) - (n - 1) / 2.0
    covered = dot(steps, growth - growth.mean()) ** 2
    return min(covered / (n * (n * n - 1.0) / 12.0 * n * spread * spread), 1.0)


def longest_streaks(values: Any) -> tuple[int, int]:
    """Return the most values above 0, and the most below 0, in a row; 0 itself ends both.

    Parameters
    ----------
    values : array-like of shape (n,)
        Returns or profits, in order of time. A NaN raises `DataError`.

    Returns
    -------
    tuple of int
        Values above 0 in a row, and below 0; 0 where there is none.

    Examples
    --------
    >>> hz.analytics.longest_streaks([5.0, 2.0, 0.0, 1.0, -3.0, -1.0, -2.0, 4.0])
    (2, 3)
    """
    return streaks(checked_returns("values", values))


def streaks(given: Numbers) -> tuple[int, int]:
    """Count as `longest_streaks` does, in values that are known to be good."""
    signs = (given > 0.0).view(np.int8) - (given < 0.0).view(np.int8)
    if len(signs) == 0:
        return 0, 0
    ends = np.append(np.flatnonzero(signs[1:] != signs[:-1]), len(signs) - 1)
    lengths = np.diff(ends, prepend=-1)
    kinds = signs[ends]
    up, down = lengths[kinds > 0], lengths[kinds < 0]
    return int(up.max()) if len(up) else 0, int(down.max()) if len(down) else 0
