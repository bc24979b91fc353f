"""The shape of returns and their tails: skewness, kurtosis, value at risk; see `returns`.

References
----------
Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, deviation, open_share, ratio
from horizon.analytics.deviations import downside_deviation, upside_risk
from horizon.analytics.products import dot

__all__ = [
    "autocorrelation",
    "conditional_value_at_risk",
    "kurtosis",
    "skewness",
    "skewness_kurtosis_ratio",
    "tail_ratio",
    "value_at_risk",
    "variability_skewness",
    "volatility_skewness",
    "worst_count",
]


def worst_count(n: int, share: float) -> int:
    """Number of the worst `share` of `n` values, floor((n − 1) · share) + 1, so at least one."""
    return int((n - 1) * share + 1e-9) + 1  # 1 − 0.9 is a hair below 0.1


def skewness(returns: Any, *, method: str = "moment") -> float:
    """Third standardised moment: above 0 the longer tail is that of gains.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    method : {"moment", "sample"}
        ``m3 / m2^1.5`` over n, as in Bacon; or its bias-corrected form, times
        ``√(n(n − 1)) / (n − 2)``, as pandas and spreadsheets have it.

    Returns
    -------
    float
        0.0 without variance, and for a sample of fewer than three.

    Examples
    --------
    About the mean of 0.01 the distances are −1, −1 and 2 hundredths: m2 and m3 are 6 / 3, so it is
    2 / 2^1.5; the sample's is √6 times that.

    >>> round(hz.analytics.skewness([0.0, 0.0, 0.03]), 4)
    0.7071
    >>> round(hz.analytics.skewness([0.0, 0.0, 0.03], method="sample"), 4)
    1.7321
    """
    values = checked_returns("returns", returns)
    checks.one_of("method", method, ("moment", "sample"))
    n, spread = len(values), deviation(values, 0)
    if spread == 0.0 or (method == "sample" and n < 3):
        return 0.0
    scaled = (values - values.mean()) / spread
    moment = dot(scaled * scaled, scaled) / n
    return moment if method == "moment" else moment * math.sqrt(n * (n - 1.0)) / (n - 2.0)


def kurtosis(returns: Any, *, method: str = "moment", excess: bool = True) -> float:
    """Fourth standardised moment, less the 3 of a normal distribution.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    method : {"moment", "sample"}
        ``m4 / m2²`` over n, or with the usual corrections for small samples: the sum of fourth
        powers over that of the sample deviation, times ``n(n + 1) / ((n − 1)(n − 2)(n − 3))``,
        less ``3(n − 1)² / ((n − 2)(n − 3))``, as pandas and spreadsheets have it.
    excess : bool
        False leaves the 3 (or its corrected form) in.

    Returns
    -------
    float
        0.0 without variance, and for a sample of fewer than four.

    Examples
    --------
    Two values that are equally likely have the least kurtosis that there is, 1:

    >>> round(hz.analytics.kurtosis([-0.01, 0.01, -0.01, 0.01], excess=False), 4)
    1.0
    >>> round(hz.analytics.kurtosis([-0.01, 0.01, -0.01, 0.01]), 4)
    -2.0
    """
    values = checked_returns("returns", returns)
    checks.one_of("method", method, ("moment", "sample"))
    less = checks.flag("excess", excess)
    n, spread = len(values), deviation(values, 0)
    if spread == 0.0 or (method == "sample" and n < 4):
        return 0.0
    scaled = (values - values.mean()) / spread
    squares = scaled * scaled
    moment = dot(squares, squares) / n
    if method == "moment":
        return moment - 3.0 * less
    corrected = moment * (n + 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0))
    return corrected - less * 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))


def skewness_kurtosis_ratio(returns: Any) -> float:
    """Moment skewness over moment kurtosis, the 3 left in.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 without variance.

    References
    ----------
    Watanabe (2006), Is Sharpe Ratio Still Effective?

    Examples
    --------
    A skewness of 2 / 2^1.5; distances of −1, −1 and 2 hundredths have fourth powers of mean 6 and
    squares of mean 2, so a kurtosis of 6 / 4.

    >>> round(hz.analytics.skewness_kurtosis_ratio([0.0, 0.0, 0.03]), 4)
    0.4714
    """
    tails = kurtosis(returns, excess=False)
    return skewness(returns) / tails if tails > 0.0 else 0.0


def volatility_skewness(returns: Any, *, minimum: float = 0.0) -> float:
    """Upside variance over downside variance about a minimum (Bacon).

    ``upside_risk² / downside_deviation²``; above 1 the gains vary more.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        ``inf`` for gains without losses; 0.0 for neither.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    0.0016 over 0.0004:

    >>> round(hz.analytics.volatility_skewness([0.04, -0.02]), 4)
    4.0
    """
    up = upside_risk(returns, minimum=minimum)
    down = downside_deviation(returns, minimum=minimum, periods_per_year=1.0)
    return ratio(up * up, down * down)


def variability_skewness(returns: Any, *, minimum: float = 0.0) -> float:
    """Upside risk over downside deviation about a minimum (Bacon).

    The root of `volatility_skewness`.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    minimum : float
        Minimum acceptable return of one period.

    Returns
    -------
    float
        ``inf`` for gains without losses; 0.0 for neither.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution.

    Examples
    --------
    >>> round(hz.analytics.variability_skewness([0.04, -0.02]), 4)
    2.0
    """
    up = upside_risk(returns, minimum=minimum)
    return ratio(up, downside_deviation(returns, minimum=minimum, periods_per_year=1.0))


def autocorrelation(returns: Any, *, lag: int = 1) -> float:
    """Correlation of returns with those `lag` periods before.

    ``Σ d(t) d(t − lag) / Σ d(t)²``, d being the distance from the mean of all.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    lag : int
        Periods between the two, 1 or more.

    Returns
    -------
    float
        −1 to 1; 0.0 where there are no more than `lag` returns, or no variance.

    Examples
    --------
    Three neighbours of opposite sign, among four returns of one size:

    >>> round(hz.analytics.autocorrelation([0.03, -0.03, 0.03, -0.03]), 4)
    -0.75
    """
    values = checked_returns("returns", returns)
    steps = checks.integer("lag", lag)
    if len(values) <= steps or deviation(values, 0) == 0.0:
        return 0.0
    centred = values - values.mean()
    return dot(centred[steps:], centred[:-steps]) / dot(centred, centred)


def value_at_risk(returns: Any, *, confidence: float = 0.95, method: str = "historical") -> float:
    """Return that is undercut in 1 − confidence of the periods; negative is a loss.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    confidence : float
        Between 0 and 1, both excluded.
    method : {"historical", "gaussian", "modified"}
        The quantile of the returns, interpolated linearly; that of a normal distribution with
        their mean and sample deviation; or this one corrected for moment skewness and kurtosis
        (Cornish–Fisher).

    Returns
    -------
    float
        Of one period; 0.0 without returns.

    References
    ----------
    Favre and Galeano (2002), Mean-Modified Value-at-Risk Optimization with Hedge Funds (the
    modified one).

    Examples
    --------
    In order −0.05, −0.03, 0.02, 0.06, 0.10: 5 % of the way is 0.2 of a step above the lowest.

    >>> round(hz.analytics.value_at_risk([0.10, -0.05, 0.02, -0.03, 0.06]), 4)
    -0.046

    The mean 0.02 less 1.645 times the deviation 0.03:

    >>> round(hz.analytics.value_at_risk([0.05, -0.01, 0.02], method="gaussian"), 4)
    -0.0293
    """
    values = checked_returns("returns", returns)
    level = 1.0 - open_share("confidence", confidence)
    checks.one_of("method", method, ("historical", "gaussian", "modified"))
    if len(values) == 0:
        return 0.0
    if method == "historical":
        return float(np.quantile(values, level))
    z = NormalDist().inv_cdf(level)
    if method == "modified":
        skew, tails = skewness(values), kurtosis(values)
        z += (
            (z * z - 1.0) * skew / 6.0
            + (z**3 - 3.0 * z) * tails / 24.0
            - (2.0 * z**3 - 5.0 * z) * skew * skew / 36.0
        )
    return float(values.mean()) + z * deviation(values)


def conditional_value_at_risk(returns: Any, *, confidence: float = 0.95) -> float:
    """Mean of the worst 1 − confidence of the returns; negative is a loss.

    Also called expected shortfall. The worst are the lowest ``floor((n − 1)(1 − confidence)) + 1``
    of the returns, so at least one.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    confidence : float
        Between 0 and 1, both excluded.

    Returns
    -------
    float
        Of one period; 0.0 without returns.

    Examples
    --------
    A quarter of four steps is one, so the two lowest count, −0.05 and −0.03:

    >>> returns = [0.10, -0.05, 0.02, -0.03, 0.06]
    >>> round(hz.analytics.conditional_value_at_risk(returns, confidence=0.75), 4)
    -0.04
    """
    values = checked_returns("returns", returns)
    level = 1.0 - open_share("confidence", confidence)
    if len(values) == 0:
        return 0.0
    count = worst_count(len(values), level)
    return float(np.partition(values, count - 1)[:count].mean())


def tail_ratio(returns: Any, *, share: float = 0.05) -> float:
    """Size of the upper tail over that of the lower; above 1 the best returns outsize the worst.

    ``|q(1 − share)| / |q(share)|``, the quantiles interpolated linearly.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    share : float
        How far from either end, between 0 and 1, both excluded.

    Returns
    -------
    float
        ``inf`` where the lower quantile is 0; 0.0 where both are, and without returns.

    Examples
    --------
    In order −0.05, −0.03, 0.02, 0.06, 0.10: the quartiles are −0.03 and 0.06.

    >>> round(hz.analytics.tail_ratio([0.10, -0.05, 0.02, -0.03, 0.06], share=0.25), 4)
    2.0
    """
    values = checked_returns("returns", returns)
    level = open_share("share", share)
    if len(values) == 0:
        return 0.0
    low, high = np.quantile(values, [level, 1.0 - level])
    return ratio(abs(float(high)), abs(float(low)))
