"""Reward to risk: the ratios of Sharpe, Sortino and others; see `returns`.

References
----------
Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed.
Sharpe (1994), The Sharpe Ratio. Sortino and Price (1994), Performance Measurement in a Downside
Risk Framework. Keating and Shadwick (2002), A Universal Performance Measure.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, deviation, ratio
from horizon.analytics.deviations import downside_deviation, downside_potential, volatility
from horizon.analytics.distribution import kurtosis, skewness
from horizon.analytics.returns import annual_return

__all__ = [
    "adjusted",
    "adjusted_sharpe_ratio",
    "d_ratio",
    "gain_to_pain_ratio",
    "kappa_ratio",
    "kelly_fraction",
    "omega_ratio",
    "omega_sharpe_ratio",
    "sharpe_ratio",
    "sortino_ratio",
]


def sharpe_ratio(
    returns: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    ddof: int = 1,
) -> float:
    """Mean return over the risk-free one, per standard deviation, annualised.

    ``mean(r − risk_free) / sd(r) · √periods_per_year``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    ddof : int
        Variances divide by n − ddof: 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 for fewer than two returns, and for returns without variance.

    References
    ----------
    Sharpe (1994), The Sharpe Ratio.

    Examples
    --------
    The mean is 0.02 and the deviation 0.03; a year has four such periods. With 0.005 a period
    without risk there is 0.015 over 0.03.

    >>> returns = [0.05, -0.01, 0.02]
    >>> round(hz.analytics.sharpe_ratio(returns, periods_per_year=4), 4)
    1.3333
    >>> round(hz.analytics.sharpe_ratio(returns, risk_free=0.005, periods_per_year=4), 4)
    1.0
    """
    values = checked_returns("returns", returns)
    excess = float(values.mean()) - checks.number("risk_free", risk_free) if len(values) else 0.0
    per_year = checks.positive("periods_per_year", periods_per_year)
    spread = deviation(values, checks.integer("ddof", ddof, least=0))
    return excess / spread * math.sqrt(per_year) if spread > 0.0 else 0.0


def adjusted_sharpe_ratio(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Sharpe ratio that pays for skewness and takes off for fat tails.

    ``SR · (1 + skew / 6 · SR − (kurtosis − 3) / 24 · SR²)``, SR being the compound annual return
    over the annualised deviation, skewness and kurtosis moments. SR of the arithmetic mean, as in
    `sharpe_ratio`, would differ by compounding.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 for returns without variance, and where the annual return overflows.

    References
    ----------
    Pezier and White (2006), The Relative Merits of Investable Hedge Fund Indices and of Funds of
    Hedge Funds in Optimal Passive Portfolios.

    Examples
    --------
    Growth of 1.2 · 0.9 − 1 = 0.08 a year, a deviation of √(2 · 0.15²) · √2 = 0.3. Two values have
    no skewness and a kurtosis of 1, so 0.2667 is raised by 2 / 24 · 0.2667² of itself:

    >>> round(hz.analytics.adjusted_sharpe_ratio([0.2, -0.1], periods_per_year=2), 4)
    0.2682
    """
    values = checked_returns("returns", returns)
    spread = volatility(values, periods_per_year=periods_per_year)
    growth = annual_return(values, periods_per_year=periods_per_year)
    return adjusted(growth / spread, skewness(values), kurtosis(values)) if spread > 0.0 else 0.0


def adjusted(sharpe: float, skew: float, tails: float) -> float:
    """Correct a Sharpe ratio for skewness and excess kurtosis; 0.0 where it overflows."""
    factor = 1.0 + skew / 6.0 * sharpe - tails / 24.0 * sharpe * sharpe
    corrected = sharpe * factor
    return corrected if math.isfinite(corrected) else 0.0


def sortino_ratio(
    returns: Any, *, minimum: float = 0.0, periods_per_year: float = 252.0, count: str = "all"
) -> float:
    """Mean return over a minimum, per downside deviation, annualised.

    ``mean(r − minimum) / downside_deviation · √periods_per_year``, the deviation that of a period.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    count : {"all", "below"}
        Which periods the downside deviation counts; as in `downside_deviation`.

    Returns
    -------
    float
        ``inf`` where nothing fell short of the minimum and the mean is above it; 0.0 without
        returns.

    References
    ----------
    Sortino and Price (1994), Performance Measurement in a Downside Risk Framework.

    Examples
    --------
    The mean is 0.015, the downside deviation √(0.02² / 4) = 0.01; a year has four such periods.

    >>> round(hz.analytics.sortino_ratio([0.03, -0.02, 0.05, 0.0], periods_per_year=4), 4)
    3.0
    """
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    risk = downside_deviation(values, minimum=minimum, periods_per_year=1.0, count=count)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return ratio((float(values.mean()) - minimum) * math.sqrt(per_year), risk)


def kappa_ratio(returns: Any, *, minimum: float = 0.0, order: float = 2.0) -> float:
    """Mean excess over the order-th root of the lower partial moment.

    ``mean(r − minimum) / (Σ max(minimum − r, 0)^order / n)^(1 / order)``, not annualised. Order 1
    is Omega − 1, order 2 the Sortino ratio.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.
    order : float
        Above 0; the higher it is, the more the largest shortfalls weigh.

    Returns
    -------
    float
        ``inf`` where nothing fell short of the minimum and the mean is above it; 0.0 without
        returns.

    References
    ----------
    Kaplan and Knowles (2004), Kappa: A Generalized Downside Risk-Adjusted Performance Measure.

    Examples
    --------
    The mean is 0.015. The mean shortfall is 0.02 / 4, the root of the mean square √(0.02² / 4).

    >>> returns = [0.03, -0.02, 0.05, 0.0]
    >>> round(hz.analytics.kappa_ratio(returns, order=1), 4)
    3.0
    >>> round(hz.analytics.kappa_ratio(returns, order=2), 4)
    1.5
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    power = checks.positive("order", order)
    if len(values) == 0:
        return 0.0
    short = np.maximum(-values, 0.0)
    return ratio(float(values.mean()), float(np.mean(short**power)) ** (1.0 / power))


def omega_ratio(returns: Any, *, threshold: float = 0.0) -> float:
    """Sum of what exceeds a threshold over the sum of what falls short.

    ``Σ max(r − threshold, 0) / Σ max(threshold − r, 0)``. With a threshold of 0 it is the
    Bernardo–Ledoit ratio, the profit factor of the periods.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    threshold : float
        Return of one period that divides gains from losses.

    Returns
    -------
    float
        ``inf`` for gains without losses; 0.0 for neither.

    References
    ----------
    Keating and Shadwick (2002), A Universal Performance Measure.

    Examples
    --------
    0.03 + 0.05 over 0.02; about 0.01, it is 0.02 + 0.04 over 0.03 + 0.01.

    >>> returns = [0.03, -0.02, 0.05, 0.0]
    >>> round(hz.analytics.omega_ratio(returns), 4)
    4.0
    >>> round(hz.analytics.omega_ratio(returns, threshold=0.01), 4)
    1.5
    """
    values = checked_returns("returns", returns) - checks.number("threshold", threshold)
    losses = float(-np.minimum(values, 0.0).sum())
    return ratio(float(np.maximum(values, 0.0).sum()), losses)


def omega_sharpe_ratio(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean excess over the downside potential: Omega − 1 (Bacon).

    ``mean(r − minimum) / downside_potential``, not annualised.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        ``inf`` where nothing fell short of the minimum and the mean is above it; 0.0 without
        returns.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    A mean of 0.015 over a mean shortfall of 0.005:

    >>> round(hz.analytics.omega_sharpe_ratio([0.03, -0.02, 0.05, 0.0]), 4)
    3.0
    """
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    excess = float(values.mean()) - checks.number("minimum", minimum)
    return ratio(excess, downside_potential(values, minimum=minimum))


def gain_to_pain_ratio(returns: Any) -> float:
    """Sum of all returns over the sum of the losses.

    ``Σ r / Σ max(−r, 0)``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        ``inf`` for gains without losses; 0.0 for neither.

    References
    ----------
    Schwager (2012), Hedge Fund Market Wizards.

    Examples
    --------
    0.06 in all, over 0.02:

    >>> round(hz.analytics.gain_to_pain_ratio([0.03, -0.02, 0.05, 0.0]), 4)
    3.0
    """
    values = checked_returns("returns", returns)
    return ratio(float(values.sum()), float(-np.minimum(values, 0.0).sum()))


def d_ratio(returns: Any) -> float:
    """Losses weighed by their number over gains weighed by theirs; lower is better (Bacon).

    ``n_losses · Σ max(−r, 0) / (n_gains · Σ max(r, 0))``.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 without losses; ``inf`` for losses without gains.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    One loss of 0.02, two gains of 0.08 together: 0.02 / (2 · 0.08).

    >>> round(hz.analytics.d_ratio([0.03, -0.02, 0.05, 0.0]), 4)
    0.125
    """
    values = checked_returns("returns", returns)
    losses = float(-np.minimum(values, 0.0).sum()) * np.count_nonzero(values < 0.0)
    gains = float(np.maximum(values, 0.0).sum()) * np.count_nonzero(values > 0.0)
    return ratio(float(losses), float(gains))


def kelly_fraction(returns: Any) -> float:
    """Share of capital that grows fastest for normal returns: mean / variance.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        1.0 is all of it, 2.0 twice that on credit, below 0 a short position; 0.0 without
        variance.

    References
    ----------
    Thorp (2006), The Kelly Criterion in Blackjack, Sports Betting, and the Stock Market.

    Examples
    --------
    The mean is 0.2, the variance 0.3²:

    >>> round(hz.analytics.kelly_fraction([0.5, -0.1, 0.2]), 4)
    2.2222
    """
    values = checked_returns("returns", returns)
    spread = deviation(values)
    return float(values.mean()) / (spread * spread) if spread > 0.0 else 0.0
