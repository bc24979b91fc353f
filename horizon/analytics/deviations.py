"""How far returns lie from their mean, and from a target on either side; see `returns`.

References
----------
Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, deviation
from horizon.analytics.products import dot

__all__ = [
    "downside_deviation",
    "downside_frequency",
    "downside_potential",
    "mean_absolute_deviation",
    "upside_frequency",
    "upside_potential",
    "upside_risk",
    "volatility",
]


def volatility(returns: Any, *, periods_per_year: float = 252.0, ddof: int = 1) -> float:
    """Standard deviation of returns, annualised by the square root of time.

    ``sd(r) · √periods_per_year``, a fraction.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    ddof : int
        Variances divide by n − ddof: 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 for too few returns, and where nothing but rounding makes them differ.

    Examples
    --------
    The mean is 0.02, the distances from it are 0.03, −0.03 and 0: a deviation of 0.03, and twice
    that in a year of quarters.

    >>> round(hz.analytics.volatility([0.05, -0.01, 0.02], periods_per_year=4), 4)
    0.06
    """
    values = checked_returns("returns", returns)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return deviation(values, checks.integer("ddof", ddof, least=0)) * math.sqrt(per_year)


def mean_absolute_deviation(returns: Any) -> float:
    """Mean distance from the mean, a fraction; not annualised.

    ``Σ|r − mean| / n`` (Bacon).

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
    Distances of 0.03, 0.03 and 0 from the mean 0.02:

    >>> round(hz.analytics.mean_absolute_deviation([0.05, -0.01, 0.02]), 4)
    0.02
    """
    values = checked_returns("returns", returns)
    return float(np.abs(values - values.mean()).mean()) if len(values) else 0.0


def downside_deviation(
    returns: Any,
    *,
    minimum: float = 0.0,
    periods_per_year: float = 252.0,
    count: str = "all",
) -> float:
    """Root mean square of what falls short of a minimum, annualised.

    ``√(Σ min(r − minimum, 0)² / n · periods_per_year)``, a fraction. For a figure that is not
    annualised, ``periods_per_year=1``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    count : {"all", "below"}
        What n counts: all periods, as Sortino has it and the published tables of Bacon do, or
        only those below the minimum, which some platforms use and which reads larger.

    Returns
    -------
    float
        0.0 where no return is below the minimum, and without returns.

    References
    ----------
    Sortino and Price (1994), Performance Measurement in a Downside Risk Framework.

    Examples
    --------
    One of four periods is short, by 0.02: √(0.0004 / 4) is 0.01, or √(0.0004 / 1) among the
    losses alone.

    >>> returns = [0.03, -0.02, 0.05, 0.0]
    >>> round(hz.analytics.downside_deviation(returns, periods_per_year=1), 4)
    0.01
    >>> round(hz.analytics.downside_deviation(returns, periods_per_year=1, count="below"), 4)
    0.02
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    per_year = checks.positive("periods_per_year", periods_per_year)
    checks.one_of("count", count, ("all", "below"))
    short = np.minimum(values, 0.0)
    n = len(values) if count == "all" else int(np.count_nonzero(short))
    return math.sqrt(dot(short, short) / n * per_year) if n else 0.0


def upside_risk(returns: Any, *, minimum: float = 0.0, periods_per_year: float = 1.0) -> float:
    """Root mean square of what exceeds a minimum, over all periods (Bacon).

    ``√(Σ max(r − minimum, 0)² / n · periods_per_year)``, a fraction. Not annualised by default,
    as in Bacon's tables.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 where no return is above the minimum, and without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    √(0.0004 / 4):

    >>> round(hz.analytics.upside_risk([0.02, -0.03, 0.0, -0.01]), 4)
    0.01
    """
    values = -checked_returns("returns", returns)
    return downside_deviation(
        values, minimum=-checks.number("minimum", minimum), periods_per_year=periods_per_year
    )


def downside_potential(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean shortfall below a minimum over all periods, a positive fraction (Bacon).

    ``Σ max(minimum − r, 0) / n``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    A shortfall of 0.02 in four periods:

    >>> round(hz.analytics.downside_potential([0.03, -0.02, 0.05, 0.0]), 4)
    0.005
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    return float(-np.minimum(values, 0.0).sum()) / len(values) + 0.0 if len(values) else 0.0


def upside_potential(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean excess above a minimum over all periods, a fraction (Bacon).

    ``Σ max(r − minimum, 0) / n``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    An excess of 0.03 + 0.05 in four periods:

    >>> round(hz.analytics.upside_potential([0.03, -0.02, 0.05, 0.0]), 4)
    0.02
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    return float(np.maximum(values, 0.0).sum()) / len(values) if len(values) else 0.0


def downside_frequency(returns: Any, *, minimum: float = 0.0) -> float:
    """Share of periods below a minimum, 0 to 1; one that equals it is not below (Bacon).

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    >>> returns = [0.03, -0.02, 0.05, 0.0]
    >>> hz.analytics.downside_frequency(returns)
    0.25
    >>> hz.analytics.downside_frequency(returns, minimum=0.01)
    0.5
    """
    values = checked_returns("returns", returns)
    below = np.count_nonzero(values < checks.number("minimum", minimum))
    return float(below) / len(values) if len(values) else 0.0


def upside_frequency(returns: Any, *, minimum: float = 0.0) -> float:
    """Share of periods above a minimum, 0 to 1; one that equals it is not above (Bacon).

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        0.0 without returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    >>> returns = [0.03, -0.02, 0.05, 0.0]
    >>> hz.analytics.upside_frequency(returns)
    0.5
    >>> hz.analytics.upside_frequency(returns, minimum=0.04)
    0.25
    """
    values = checked_returns("returns", returns)
    above = np.count_nonzero(values > checks.number("minimum", minimum))
    return float(above) / len(values) if len(values) else 0.0
