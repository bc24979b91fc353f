"""Metrics of returns beside those of a benchmark.

Both are simple returns of the same periods, shape (n,), as fractions. Fewer than two periods give
0.0, but for growth, which needs one only; so does beta, and what it is a factor of, where the
benchmark does not vary. `risk_free` is a rate per period; where an annual one is needed, it is
that times `periods_per_year`.

References
----------
Jensen (1968), The Performance of Mutual Funds. Treynor (1965), How to Rate Management of
Investment Funds. Modigliani and Modigliani (1997), Risk-Adjusted Performance. Bacon (2008).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, compounded, deviation, ratio
from horizon.analytics.forecasts import same_labels
from horizon.analytics.products import dot
from horizon.analytics.returns import annual_return

__all__ = [
    "active_return",
    "alpha",
    "appraisal_ratio",
    "beta",
    "capture_ratio",
    "correlation",
    "down_capture",
    "information_ratio",
    "m_squared",
    "r_squared",
    "specific_risk",
    "systematic_risk",
    "tracking_error",
    "treynor_ratio",
    "up_capture",
]

Numbers = NDArray[np.float64]


def paired(returns: Any, benchmark: Any) -> tuple[Numbers, Numbers]:
    """Take returns and those of a benchmark for the same periods.

    Raises
    ------
    DataError
        At the first return that is not a finite number.
    ValueError
        If they differ in length, or are Series whose labels differ.
    """
    same_labels(returns=returns, benchmark=benchmark)
    own = checked_returns("returns", returns)
    other = checked_returns("benchmark", benchmark)
    if len(own) != len(other):
        raise ValueError(
            f"benchmark must have a return for each of returns, had {len(other)} for {len(own)}"
        )
    return own, other


def _size(own: Numbers, other: Numbers) -> float:
    """The largest of all returns, by which rounding in their differences is measured."""
    return float(max(np.abs(own).max(), np.abs(other).max())) if len(own) else 0.0


def _less(growth: float, other: float) -> float:
    """Difference of two growth rates; 0.0 where neither can be told from the other."""
    return 0.0 if math.isinf(growth) and growth == other else growth - other


def _yearly(risk_free: object, periods_per_year: object) -> float:
    """Annual rate of a risk-free rate per period: not compounded, as it is in Sharpe ratios."""
    free = checks.number("risk_free", risk_free)
    return free * checks.positive("periods_per_year", periods_per_year)


def beta(returns: Any, benchmark: Any) -> float:
    """Covariance with the benchmark over the benchmark's variance.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 for fewer than two periods, and for a benchmark without variance.

    Examples
    --------
    Twice the benchmark's distances from its mean, whatever the means are:

    >>> round(hz.analytics.beta([0.03, -0.01, 0.01], [0.02, 0.0, 0.01]), 4)
    2.0
    """
    own, other = paired(returns, benchmark)
    if deviation(other) == 0.0:
        return 0.0
    centred = other - other.mean()
    return dot(own - own.mean(), centred) / dot(centred, centred)


def alpha(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    method: str = "compound",
) -> float:
    """Annual return that the benchmark's does not explain, as a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    method : {"compound", "simple", "jensen"}
        With ``a = mean(r − risk_free) − beta · mean(b − risk_free)`` per period: compounded,
        ``(1 + a) ** periods_per_year − 1``; or times periods_per_year; or Jensen's alpha of
        compound annual returns, ``R − Rf − beta · (B − Rf)``, as Bacon's tables have it.

    Returns
    -------
    float
        0.0 for fewer than two periods, for a benchmark without variance, and of Jensen's where
        the benchmark's annual return overflows.

    References
    ----------
    Jensen (1968), The Performance of Mutual Funds.

    Examples
    --------
    Means 0.02 and 0.01, a beta of 1.4: 0.006 a period, four of them in a year.

    >>> returns, benchmark = [0.04, -0.02, 0.04, 0.02], [0.03, -0.01, 0.02, 0.0]
    >>> found = hz.analytics.alpha(returns, benchmark, periods_per_year=4, method="simple")
    >>> round(found, 4)
    0.024
    """
    own, other = paired(returns, benchmark)
    free = checks.number("risk_free", risk_free)
    per_year = checks.positive("periods_per_year", periods_per_year)
    checks.one_of("method", method, ("compound", "simple", "jensen"))
    if deviation(other) == 0.0:
        return 0.0
    slope = beta(own, other)
    if method == "jensen":
        yearly = _yearly(free, per_year)
        over = _less(annual_return(own, periods_per_year=per_year), yearly)
        market = _less(annual_return(other, periods_per_year=per_year), yearly)
        return _less(over, slope * market) if math.isfinite(market) else 0.0
    excess = float(own.mean()) - free - slope * (float(other.mean()) - free)
    if method == "simple":
        return excess * per_year
    return compounded(math.log1p(excess) * per_year) if excess > -1.0 else -1.0


def correlation(returns: Any, benchmark: Any) -> float:
    """Correlation with the benchmark, −1 to 1.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 for fewer than two periods, and where either does not vary.

    Examples
    --------
    Distances 1, −1, 0 and 1, 0, −1 hundredths: a product of 1 over √(2 · 2).

    >>> round(hz.analytics.correlation([0.03, 0.01, 0.02], [0.01, 0.0, -0.01]), 4)
    0.5
    """
    own, other = paired(returns, benchmark)
    if deviation(own) == 0.0 or deviation(other) == 0.0:
        return 0.0
    a, b = own - own.mean(), other - other.mean()
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def r_squared(returns: Any, benchmark: Any) -> float:
    """Share of the variance that the benchmark explains: the correlation squared.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0 to 1; 0.0 for fewer than two periods, and where either does not vary.

    Examples
    --------
    A correlation of 0.5:

    >>> round(hz.analytics.r_squared([0.03, 0.01, 0.02], [0.01, 0.0, -0.01]), 4)
    0.25
    """
    return correlation(returns, benchmark) ** 2


def active_return(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return less that of the benchmark, a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 where both overflow, and without returns.

    Examples
    --------
    1.1 · 1.1 − 1.05 · 1.0:

    >>> round(hz.analytics.active_return([0.1, 0.1], [0.05, 0.0], periods_per_year=2), 4)
    0.16
    """
    own, other = paired(returns, benchmark)
    return _less(
        annual_return(own, periods_per_year=periods_per_year),
        annual_return(other, periods_per_year=periods_per_year),
    )


def tracking_error(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Sample deviation of the differences of returns, annualised; a fraction.

    ``sd(r − b) · √periods_per_year``.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 for fewer than two periods, and where the difference never changes.

    Examples
    --------
    Differences 0.04, −0.02 and 0.01: a mean of 0.01 and a deviation of 0.03.

    >>> returns, benchmark = [0.05, -0.01, 0.01], [0.01, 0.01, 0.0]
    >>> round(hz.analytics.tracking_error(returns, benchmark, periods_per_year=4), 4)
    0.06
    """
    own, other = paired(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return deviation(own - other, size=_size(own, other)) * math.sqrt(per_year)


def information_ratio(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, method: str = "mean"
) -> float:
    """Return over the benchmark's, per tracking error, annualised.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    method : {"mean", "compound"}
        The mean difference, as for the Sharpe ratio; or the difference of compound annual
        returns, as Bacon's tables have it.

    Returns
    -------
    float
        0.0 without a tracking error.

    References
    ----------
    Goodwin (1998), The Information Ratio.

    Examples
    --------
    Differences 0.04, −0.02 and 0.01 have a mean of 0.01 and a deviation of 0.03: in a year of four
    periods 0.04 over 0.06.

    >>> returns, benchmark = [0.05, -0.01, 0.01], [0.01, 0.01, 0.0]
    >>> round(hz.analytics.information_ratio(returns, benchmark, periods_per_year=4), 4)
    0.6667
    """
    own, other = paired(returns, benchmark)
    checks.one_of("method", method, ("mean", "compound"))
    error = tracking_error(own, other, periods_per_year=periods_per_year)
    if error == 0.0:
        return 0.0
    if method == "compound":
        return active_return(own, other, periods_per_year=periods_per_year) / error
    return float((own - other).mean()) * periods_per_year / error


def systematic_risk(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, ddof: int = 1
) -> float:
    """Annualised deviation that the benchmark explains, a fraction.

    The benchmark's own, times the size of beta.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    ddof : int
        Variances divide by n − ddof: 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 for fewer than two periods, and for a benchmark without variance.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    A beta of 2, and the benchmark's deviation of 0.01 in a year of four periods:

    >>> returns, benchmark = [0.03, -0.01, 0.01], [0.02, 0.0, 0.01]
    >>> round(hz.analytics.systematic_risk(returns, benchmark, periods_per_year=4), 4)
    0.04
    """
    own, other = paired(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    spread = deviation(other, checks.integer("ddof", ddof, least=0))
    return abs(beta(own, other)) * spread * math.sqrt(per_year)


def specific_risk(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, ddof: int = 1
) -> float:
    """Annualised deviation of what beta leaves unexplained, r − beta · b; a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    ddof : int
        Variances divide by n − ddof: 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 for fewer than two periods, and where beta explains everything.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    Beta is 0, so nothing is explained; distances of 0.01, 0.01, −0.01 and −0.01 have a variance of
    0.0004 / 4 over n.

    >>> returns, benchmark = [0.02, 0.02, 0.0, 0.0], [0.01, -0.01, 0.01, -0.01]
    >>> round(hz.analytics.specific_risk(returns, benchmark, periods_per_year=4, ddof=0), 4)
    0.02
    """
    own, other = paired(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    rest = own - beta(own, other) * other
    spread = deviation(rest, checks.integer("ddof", ddof, least=0), size=_size(own, other))
    return spread * math.sqrt(per_year)


def appraisal_ratio(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    ddof: int = 1,
) -> float:
    """Jensen's alpha over the specific risk.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    ddof : int
        Variances divide by n − ddof: 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 where there is no specific risk.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    Beta is 0, so alpha is the year's growth, 1.02² − 1 = 0.0404, and the specific risk is
    √(0.0004 / 4) · √4 = 0.02:

    >>> returns, benchmark = [0.02, 0.02, 0.0, 0.0], [0.01, -0.01, 0.01, -0.01]
    >>> round(hz.analytics.appraisal_ratio(returns, benchmark, periods_per_year=4, ddof=0), 4)
    2.02
    """
    risk = specific_risk(returns, benchmark, periods_per_year=periods_per_year, ddof=ddof)
    if risk == 0.0:
        return 0.0
    return (
        alpha(
            returns,
            benchmark,
            risk_free=risk_free,
            periods_per_year=periods_per_year,
            method="jensen",
        )
        / risk
    )


def treynor_ratio(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    modified: bool = False,
    ddof: int = 1,
) -> float:
    """Compound annual return over the risk-free one, per beta; a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    modified : bool
        Per beta times the benchmark's annual deviation, instead of per beta.
    ddof : int
        Of that deviation: variances divide by n − ddof, 1 for a sample, 0 as in Bacon's tables.

    Returns
    -------
    float
        0.0 where beta is 0, or the annual return overflows.

    References
    ----------
    Treynor (1965), How to Rate Management of Investment Funds.

    Examples
    --------
    A year's growth of 1.1 · 0.9 · 1.1 − 1 = 0.089, and twice the benchmark's moves:

    >>> returns, benchmark = [0.1, -0.1, 0.1], [0.05, -0.05, 0.05]
    >>> round(hz.analytics.treynor_ratio(returns, benchmark, periods_per_year=3), 4)
    0.0445
    """
    own, other = paired(returns, benchmark)
    yearly = _yearly(risk_free, periods_per_year)
    slope = beta(own, other)
    if checks.flag("modified", modified):
        spread = deviation(other, checks.integer("ddof", ddof, least=0))
        slope *= spread * math.sqrt(periods_per_year)
    over = _less(annual_return(own, periods_per_year=periods_per_year), yearly)
    return over / slope if slope != 0.0 and math.isfinite(over) else 0.0


def m_squared(
    returns: Any, benchmark: Any, *, risk_free: float = 0.0, periods_per_year: float = 252.0
) -> float:
    """Annual return that the series would have had with the benchmark's volatility (M²).

    ``Rf + (R − Rf) · sd(b) / sd(r)``, R being the compound annual return; a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 for returns without variance, and where the annual return overflows.

    References
    ----------
    Modigliani and Modigliani (1997), Risk-Adjusted Performance.

    Examples
    --------
    A year's growth of 1.1 · 0.9 · 1.1 − 1 = 0.089, at half of its volatility:

    >>> returns, benchmark = [0.1, -0.1, 0.1], [0.05, -0.05, 0.05]
    >>> round(hz.analytics.m_squared(returns, benchmark, periods_per_year=3), 4)
    0.0445
    """
    own, other = paired(returns, benchmark)
    yearly = _yearly(risk_free, periods_per_year)
    over = _less(annual_return(own, periods_per_year=periods_per_year), yearly)
    spread = deviation(own)
    if spread == 0.0 or not math.isfinite(over):
        return 0.0
    return yearly + over * deviation(other) / spread


def up_capture(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return in periods in which the benchmark rose, over the benchmark's.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 where the benchmark never rose, or its annual return overflows.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    It rose once, by 0.05, while 0.1 was gained:

    >>> returns, benchmark = [0.1, -0.05, 0.3], [0.05, -0.1, 0.0]
    >>> round(hz.analytics.up_capture(returns, benchmark, periods_per_year=1), 4)
    2.0
    """
    own, other = paired(returns, benchmark)
    return _capture(own, other, other > 0.0, periods_per_year)


def down_capture(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return in periods in which the benchmark fell, over the benchmark's.

    Below 1 less was lost than by the benchmark, below 0 something was gained.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        0.0 where the benchmark never fell.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    It fell once, by 0.1, while 0.05 was lost:

    >>> returns, benchmark = [0.1, -0.05, 0.3], [0.05, -0.1, 0.0]
    >>> round(hz.analytics.down_capture(returns, benchmark, periods_per_year=1), 4)
    0.5
    """
    own, other = paired(returns, benchmark)
    return _capture(own, other, other < 0.0, periods_per_year)


def capture_ratio(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Up capture over down capture.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    float
        ``inf`` where nothing was lost with the benchmark; below 0 where something was gained
        while it fell.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    Twice the rises, half of the falls:

    >>> returns, benchmark = [0.1, -0.05, 0.3], [0.05, -0.1, 0.0]
    >>> round(hz.analytics.capture_ratio(returns, benchmark, periods_per_year=1), 4)
    4.0
    """
    up = up_capture(returns, benchmark, periods_per_year=periods_per_year)
    down = down_capture(returns, benchmark, periods_per_year=periods_per_year)
    return up / down if down < 0.0 else ratio(up, down)


def _capture(own: Numbers, other: Numbers, chosen: NDArray[np.bool_], per_year: float) -> float:
    market = annual_return(other[chosen], periods_per_year=per_year)
    if market == 0.0:
        return 0.0
    captured = annual_return(own[chosen], periods_per_year=per_year)
    return captured / market if math.isfinite(market) else 0.0
