"""Metrics of a series of returns: pure functions over one array.

`returns` are simple returns per period, as fractions, in order of time: an array, list or Series
of shape (n,), finite. A period is what the caller says, and `periods_per_year` annualises: 252
for trading days, 365 for days, 12 for months. A target such as `minimum` or `risk_free` is per
period too. Samples use n − 1 where nothing else is said.

Too few returns for a metric give 0.0, and so does a ratio of nothing to nothing. A ratio whose
risk is 0 while its reward is positive is ``inf``, but for the Sharpe ratio, where a series
without variance has told nothing about chance: 0.0.

References
----------
Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed.
Sharpe (1994), The Sharpe Ratio. Sortino and Price (1994), Performance Measurement in a Downside
Risk Framework. Keating and Shadwick (2002), A Universal Performance Measure.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.products import dot
from horizon.columns import numbers
from horizon.errors import DataError

__all__ = [
    "adjusted_sharpe_ratio",
    "annual_return",
    "autocorrelation",
    "checked_returns",
    "conditional_value_at_risk",
    "d_ratio",
    "downside_deviation",
    "downside_frequency",
    "downside_potential",
    "gain_to_pain_ratio",
    "geometric_mean_return",
    "kappa_ratio",
    "kelly_fraction",
    "kurtosis",
    "longest_streaks",
    "mean_absolute_deviation",
    "omega_ratio",
    "omega_sharpe_ratio",
    "sharpe_ratio",
    "skewness",
    "skewness_kurtosis_ratio",
    "sortino_ratio",
    "stability",
    "tail_ratio",
    "total_return",
    "upside_frequency",
    "upside_potential",
    "upside_risk",
    "value_at_risk",
    "variability_skewness",
    "volatility",
    "volatility_skewness",
]

Numbers = NDArray[np.float64]

#: A standard deviation below this fraction of the largest return is rounding: none at all.
NO_SPREAD: Final = 1e-14
#: And so is one below this: equity that returns are made of rounds 1 + r.
NOISE: Final = 1e-15
_LARGEST_EXPONENT: Final = math.log(np.finfo(float).max)


def checked_returns(name: str, returns: Any) -> Numbers:
    """Take returns as a float array of one dimension.

    Raises
    ------
    DataError
        At the first value that is not a finite number; its row is named.
    ValueError
        If there is more than one dimension.
    """
    try:
        shape = np.shape(returns)
    except ValueError:  # rows of unlike lengths: the first that is no number is named below
        shape = (len(returns),)
    if len(shape) != 1:
        raise ValueError(f"{name} must have one dimension, had shape {shape}")
    values, is_bad = numbers(returns)
    if is_bad.any() or not np.isfinite(values).all():
        row = int(np.argmax(is_bad | ~np.isfinite(values)))
        bad = returns.iloc[row] if hasattr(returns, "iloc") else returns[row]
        raise DataError(
            f"{name} must be finite numbers, row {row} has {checks.show(bad)}", row=row, value=bad
        )
    return values


def ratio(reward: float, risk: float) -> float:
    """Divide a reward by a risk of 0 or more: ``inf`` for a reward without risk, 0.0 for none."""
    if risk > 0.0:
        return reward / risk
    return math.inf if reward > 0.0 else 0.0


def compounded(log_growth: float) -> float:
    """Turn a sum of log returns into a simple return, ``inf`` where it is beyond a float."""
    return math.expm1(log_growth) if log_growth < _LARGEST_EXPONENT else math.inf


def deviation(values: Numbers, ddof: int = 1, *, size: float | None = None) -> float:
    """Standard deviation; exactly 0.0 where what is left is rounding, or there are too few.

    Rounding is 1e-14 of `size`, the largest of the numbers that the values were made of (by
    default that of the values themselves), and at least 1e-15: so much 1 + r is rounded by.
    """
    if len(values) <= ddof:
        return 0.0
    largest = float(np.abs(values).max())
    if largest == 0.0:
        return 0.0
    # In units of the largest, squares neither overflow nor vanish.
    centred = (values - values.mean()) / largest
    spread = largest * math.sqrt(dot(centred, centred) / (len(values) - ddof))
    least = max(NO_SPREAD * (largest if size is None else size), NOISE)
    return spread if spread > least else 0.0


def worst_count(n: int, share: float) -> int:
    """Number of the worst `share` of `n` values, floor((n − 1) · share) + 1, so at least one."""
    return int((n - 1) * share + 1e-9) + 1  # 1 − 0.9 is a hair below 0.1


def ruin_of(returns: Numbers) -> int:
    """Return the place of the first return by which everything is lost, −1 or below; n for none."""
    is_ruin = returns <= -1.0
    return int(is_ruin.argmax()) if is_ruin.any() else len(returns)


# ------------------------------------------------------------------------ growth
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


# ------------------------------------------------------------------------ spread
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


# ------------------------------------------------------------------------ reward to risk
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


# ------------------------------------------------------------------------ shape
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


# ------------------------------------------------------------------------ tails
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


def open_share(name: str, value: object) -> float:
    """Take a number strictly between 0 and 1."""
    checked = checks.number(name, value)
    if not 0.0 < checked < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, both excluded, was {checked:g}")
    return checked
