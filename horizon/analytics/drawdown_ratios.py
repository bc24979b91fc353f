"""What drawdowns make of returns: the depth below the peak through time, and reward to it.

Of the equity that returns compound to, whose peak begins at the initial capital; see `drawdown`
and `returns`.

References
----------
Martin and McCann (1989), The Investor's Guide to Fidelity Funds (ulcer index). Bacon (2008),
Practical Portfolio Performance Measurement and Attribution (pain index). Burke (1994), A Sharper
Sharpe Ratio.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, ratio
from horizon.analytics.curves import equity_of
from horizon.analytics.drawdown import episodes_of, max_drawdown, underwater
from horizon.analytics.products import dot
from horizon.analytics.returns import annual_return

__all__ = [
    "burke_ratio",
    "calmar_ratio",
    "pain_index",
    "pain_ratio",
    "ulcer_index",
    "ulcer_performance_index",
]


def calmar_ratio(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return over the largest drawdown, both of all returns.

    Young's own ratio looks at the last 36 months.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        ``inf`` for a gain without drawdown; 0.0 for neither.

    References
    ----------
    Young (1991), Calmar Ratio: A Smoother Tool.

    Examples
    --------
    A year's growth of 1.25 · 0.9 − 1 = 0.125 over a drawdown of 0.1:

    >>> round(hz.analytics.calmar_ratio([0.25, -0.1], periods_per_year=2), 4)
    1.25
    """
    values = checked_returns("returns", returns)
    growth = annual_return(values, periods_per_year=periods_per_year)
    return ratio(growth, max_drawdown(equity_of(values)))


def pain_index(returns: Any) -> float:
    """Mean depth below the peak over all periods, a positive fraction.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    Depths 0, 0.1, 0.1 and 0:

    >>> round(hz.analytics.pain_index([0.1, -0.1, 0.0, 0.2]), 4)
    0.05
    """
    values = checked_returns("returns", returns)
    return -float(underwater(equity_of(values))[1:].mean()) + 0.0 if len(values) else 0.0


def pain_ratio(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return over the pain index.

    Drawdowns are taken from a starting wealth of 1. Tables that divide by an index cut to two
    digits print a ratio a few percent off.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        ``inf`` for a gain without drawdown; 0.0 for neither.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    A year's growth of 1.25 · 0.9 − 1 = 0.125 over a mean depth of (0 + 0.1) / 2:

    >>> round(hz.analytics.pain_ratio([0.25, -0.1], periods_per_year=2), 4)
    2.5
    """
    values = checked_returns("returns", returns)
    return ratio(annual_return(values, periods_per_year=periods_per_year), pain_index(values))


def ulcer_index(returns: Any) -> float:
    """Root mean square depth below the peak over all periods, a fraction.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Martin and McCann (1989), The Investor's Guide to Fidelity Funds.

    Examples
    --------
    Depths 0, 0.2, 0 and 0: √(0.04 / 4).

    >>> round(hz.analytics.ulcer_index([0.1, -0.2, 0.25, 0.1]), 4)
    0.1
    """
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    depth = underwater(equity_of(values))[1:]
    return math.sqrt(dot(depth, depth) / len(values))


def ulcer_performance_index(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return over the ulcer index (Martin ratio).

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        ``inf`` for a gain without drawdown; 0.0 for neither.

    References
    ----------
    Martin and McCann (1989), The Investor's Guide to Fidelity Funds.

    Examples
    --------
    A year's growth of 1.1 · 0.8 · 1.25 · 1.1 − 1 = 0.21 over √(0.2² / 4) = 0.1:

    >>> returns = [0.1, -0.2, 0.25, 0.1]
    >>> round(hz.analytics.ulcer_performance_index(returns, periods_per_year=4), 4)
    2.1
    """
    values = checked_returns("returns", returns)
    return ratio(annual_return(values, periods_per_year=periods_per_year), ulcer_index(values))


def burke_ratio(
    returns: Any,
    *,
    periods_per_year: float = 252.0,
    modified: bool = False,
    stretch: str = "peak",
) -> float:
    """Compound annual return over the root of the sum of squared drawdowns.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    modified : bool
        Divide the sum by the number of returns, which makes spans comparable (Bacon).
    stretch : {"peak", "losses"}
        What a drawdown is: the largest depth of one stretch below a peak; or, as in Bacon's
        tables, a run of losing periods, its losses added up.

    Returns
    -------
    float
        ``inf`` for a gain without drawdown; 0.0 for neither.

    References
    ----------
    Burke (1994), A Sharper Sharpe Ratio.

    Examples
    --------
    A year's growth of 1.1 · 0.8 · 1.25 · 1.1 − 1 = 0.21 over the one drawdown of 0.2; modified, it
    is over √(0.2² / 4).

    >>> returns = [0.1, -0.2, 0.25, 0.1]
    >>> round(hz.analytics.burke_ratio(returns, periods_per_year=4), 4)
    1.05
    >>> round(hz.analytics.burke_ratio(returns, periods_per_year=4, modified=True), 4)
    2.1
    """
    values = checked_returns("returns", returns)
    growth = annual_return(values, periods_per_year=periods_per_year)
    checks.one_of("stretch", stretch, ("peak", "losses"))
    if len(values) == 0:
        return 0.0
    if stretch == "peak":
        depths = episodes_of(underwater(equity_of(values))).depths
    else:
        is_loss = values < 0.0
        begins = np.flatnonzero(is_loss & ~np.concatenate([[False], is_loss[:-1]]))
        losses = np.where(is_loss, -values, 0.0)
        depths = np.add.reduceat(losses, begins) if len(begins) else np.zeros(0)
    risk = math.sqrt(dot(depths, depths))
    if checks.flag("modified", modified):
        risk /= math.sqrt(len(values))
    return ratio(growth, risk)
