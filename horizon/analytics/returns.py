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


# ------------------------------------------------------------------------ growth
def total_return(returns: Any) -> float:
    """Compounded return over all periods, as a fraction; infinite where it overflows."""
    with np.errstate(over="ignore"):
        return float(np.prod(1.0 + checked_returns("returns", returns))) - 1.0


def annual_return(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual growth rate, as a fraction (CAGR).

    (Π(1 + r))^(periods_per_year / n) − 1, worked out in logarithms.

    Returns
    -------
    float
        ``inf`` where it overflows; −1.0 where everything is lost at any time; 0.0 without
        returns.
    """
    values = checked_returns("returns", returns)
    per_year = checks.positive("periods_per_year", periods_per_year)
    if len(values) == 0:
        return 0.0
    if values.min() <= -1.0:
        return -1.0
    return compounded(float(np.log1p(values).sum()) * per_year / len(values))


def geometric_mean_return(returns: Any) -> float:
    """Growth per period that compounds to the same: (Π(1 + r))^(1/n) − 1."""
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    if values.min() <= -1.0:
        return -1.0
    return compounded(float(np.log1p(values).mean()))


# ------------------------------------------------------------------------ spread
def volatility(returns: Any, *, periods_per_year: float = 252.0, ddof: int = 1) -> float:
    """Standard deviation of returns, annualised by the square root of time."""
    values = checked_returns("returns", returns)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return deviation(values, checks.integer("ddof", ddof, least=0)) * math.sqrt(per_year)


def mean_absolute_deviation(returns: Any) -> float:
    """Mean distance from the mean: Σ|r − mean| / n."""
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

    √(Σ min(r − minimum, 0)² / n) · √periods_per_year. For a figure that is not annualised,
    ``periods_per_year=1``.

    Parameters
    ----------
    returns : array-like of shape (n,)
    minimum : float
        The minimum acceptable return of a period.
    periods_per_year : float
    count : {"all", "below"}
        What n counts: all periods, as Sortino has it and the published tables of Bacon do, or
        only those below the minimum, which some platforms use and which reads larger.
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    per_year = checks.positive("periods_per_year", periods_per_year)
    checks.one_of("count", count, ("all", "below"))
    short = np.minimum(values, 0.0)
    n = len(values) if count == "all" else int(np.count_nonzero(short))
    return math.sqrt(dot(short, short) / n * per_year) if n else 0.0


def upside_risk(returns: Any, *, minimum: float = 0.0, periods_per_year: float = 1.0) -> float:
    """Root mean square of what exceeds a minimum, over all periods (Bacon)."""
    values = -checked_returns("returns", returns)
    return downside_deviation(
        values, minimum=-checks.number("minimum", minimum), periods_per_year=periods_per_year
    )


def downside_potential(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean shortfall below a minimum over all periods, a positive fraction (Bacon)."""
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    return float(-np.minimum(values, 0.0).sum()) / len(values) + 0.0 if len(values) else 0.0


def upside_potential(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean excess above a minimum over all periods (Bacon)."""
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    return float(np.maximum(values, 0.0).sum()) / len(values) if len(values) else 0.0


def downside_frequency(returns: Any, *, minimum: float = 0.0) -> float:
    """Share of periods below a minimum."""
    values = checked_returns("returns", returns)
    below = np.count_nonzero(values < checks.number("minimum", minimum))
    return float(below) / len(values) if len(values) else 0.0


def upside_frequency(returns: Any, *, minimum: float = 0.0) -> float:
    """Share of periods above a minimum."""
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

    mean(r − risk_free) / sd(r) · √periods_per_year (Sharpe 1994).

    Parameters
    ----------
    returns : array-like of shape (n,)
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
    ddof : int
        1 divides by n − 1, as the published tables do; 0 by n.

    Returns
    -------
    float
        0.0 for fewer than two returns, and for returns without variance.
    """
    values = checked_returns("returns", returns)
    excess = float(values.mean()) - checks.number("risk_free", risk_free) if len(values) else 0.0
    per_year = checks.positive("periods_per_year", periods_per_year)
    spread = deviation(values, checks.integer("ddof", ddof, least=0))
    return excess / spread * math.sqrt(per_year) if spread > 0.0 else 0.0


def adjusted_sharpe_ratio(returns: Any, *, periods_per_year: float = 252.0) -> float:
    """Sharpe ratio that pays for skewness and takes off for fat tails.

    SR · (1 + skew/6 · SR − (kurtosis − 3)/24 · SR²), SR being the compound annual return over
    the annualised deviation, skewness and kurtosis moments (Pezier and White 2006). SR of the
    arithmetic mean, as in `sharpe_ratio`, would differ by compounding. 0.0 where the annual return
    overflows.
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
    """Mean return over a minimum, per downside deviation, annualised (Sortino and Price 1994).

    mean(r − minimum) / downside_deviation · √periods_per_year; `count` as there.

    Returns
    -------
    float
        ``inf`` where nothing fell short of the minimum and the mean is above it.
    """
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    risk = downside_deviation(values, minimum=minimum, periods_per_year=1.0, count=count)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return ratio((float(values.mean()) - minimum) * math.sqrt(per_year), risk)


def kappa_ratio(returns: Any, *, minimum: float = 0.0, order: float = 2.0) -> float:
    """Mean excess over the order-th root of the lower partial moment (Kaplan and Knowles 2004).

    Not annualised. Order 1 is Omega − 1, order 2 the Sortino ratio.
    """
    values = checked_returns("returns", returns) - checks.number("minimum", minimum)
    power = checks.positive("order", order)
    if len(values) == 0:
        return 0.0
    short = np.maximum(-values, 0.0)
    return ratio(float(values.mean()), float(np.mean(short**power)) ** (1.0 / power))


def omega_ratio(returns: Any, *, threshold: float = 0.0) -> float:
    """Sum of what exceeds a threshold over the sum of what falls short (Keating and Shadwick).

    With a threshold of 0 it is the Bernardo–Ledoit ratio, the profit factor of the periods.
    """
    values = checked_returns("returns", returns) - checks.number("threshold", threshold)
    losses = float(-np.minimum(values, 0.0).sum())
    return ratio(float(np.maximum(values, 0.0).sum()), losses)


def omega_sharpe_ratio(returns: Any, *, minimum: float = 0.0) -> float:
    """Mean excess over the downside potential: Omega − 1 (Bacon)."""
    values = checked_returns("returns", returns)
    if len(values) == 0:
        return 0.0
    excess = float(values.mean()) - checks.number("minimum", minimum)
    return ratio(excess, downside_potential(values, minimum=minimum))


def gain_to_pain_ratio(returns: Any) -> float:
    """Sum of all returns over the sum of the losses (Schwager 2012)."""
    values = checked_returns("returns", returns)
    return ratio(float(values.sum()), float(-np.minimum(values, 0.0).sum()))


def d_ratio(returns: Any) -> float:
    """Losses weighed by their number over gains weighed by theirs; lower is better (Dowd).

    (n_losses · |Σ losses|) / (n_gains · Σ gains).
    """
    values = checked_returns("returns", returns)
    losses = float(-np.minimum(values, 0.0).sum()) * np.count_nonzero(values < 0.0)
    gains = float(np.maximum(values, 0.0).sum()) * np.count_nonzero(values > 0.0)
    return ratio(float(losses), float(gains))


def kelly_fraction(returns: Any) -> float:
    """Share of capital that grows fastest for normal returns: mean / variance (Thorp 2006).

    Returns
    -------
    float
        1.0 is all of it, 2.0 twice that on credit; 0.0 without variance.
    """
    values = checked_returns("returns", returns)
    spread = deviation(values)
    return float(values.mean()) / (spread * spread) if spread > 0.0 else 0.0


# ------------------------------------------------------------------------ shape
def skewness(returns: Any, *, method: str = "moment") -> float:
    """Third standardised moment.

    Parameters
    ----------
    returns : array-like of shape (n,)
    method : {"moment", "sample"}
        m3 / m2^1.5 over n, as in Bacon; or its bias-corrected form, times √(n(n−1)) / (n−2),
        as pandas and spreadsheets have it.
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
    method : {"moment", "sample"}
        m4 / m2² over n, or with the usual corrections for small samples: the sum of fourth
        powers over the sample deviation, times n(n+1) / ((n−1)(n−2)(n−3)), less
        3(n−1)² / ((n−2)(n−3)), as pandas and spreadsheets have it.
    excess : bool
        False leaves the 3 (or its corrected form) in.
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
    """Moment skewness over moment kurtosis, the 3 left in (Watanabe 2006)."""
    tails = kurtosis(returns, excess=False)
    return skewness(returns) / tails if tails > 0.0 else 0.0


def volatility_skewness(returns: Any, *, minimum: float = 0.0) -> float:
    """Upside variance over downside variance about a minimum (Bacon)."""
    up = upside_risk(returns, minimum=minimum)
    down = downside_deviation(returns, minimum=minimum, periods_per_year=1.0)
    return ratio(up * up, down * down)


def variability_skewness(returns: Any, *, minimum: float = 0.0) -> float:
    """Upside risk over downside deviation about a minimum (Bacon)."""
    up = upside_risk(returns, minimum=minimum)
    return ratio(up, downside_deviation(returns, minimum=minimum, periods_per_year=1.0))


def autocorrelation(returns: Any, *, lag: int = 1) -> float:
    """Correlation of returns with those `lag` periods before.

    Σ d(t) d(t − lag) / Σ d(t)², d being the distance from the mean of all; 0.0 where there are
    no more than `lag` returns, or no variance.
    """
    values = checked_returns("returns", returns)
    steps = checks.integer("lag", lag)
    if len(values) <= steps or deviation(values, 0) == 0.0:
        return 0.0
    centred = values - values.mean()
    return dot(centred[steps:], centred[:-steps]) / dot(centred, centred)


def stability(returns: Any) -> float:
    """R² of a straight line through the logarithm of growth: 1.0 is a perfectly even climb.

    A perfectly even fall is 1.0 as well. 0.0 for fewer than two returns, growth without
    variance, or where everything is lost.
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
    confidence : float
        Between 0 and 1, both excluded.
    method : {"historical", "gaussian", "modified"}
        The quantile of the returns, interpolated linearly; that of a normal distribution with
        their mean and sample deviation; or this one corrected for moment skewness and kurtosis
        (Cornish–Fisher; Favre and Galeano 2002).
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

    The worst are the lowest floor((n − 1)(1 − confidence)) + 1 of the returns, so at least one.
    """
    values = checked_returns("returns", returns)
    level = 1.0 - open_share("confidence", confidence)
    if len(values) == 0:
        return 0.0
    count = worst_count(len(values), level)
    return float(np.partition(values, count - 1)[:count].mean())


def tail_ratio(returns: Any, *, share: float = 0.05) -> float:
    """Size of the upper tail over that of the lower: |q(1 − share)| / |q(share)|.

    The quantiles are interpolated linearly. Above 1 the best returns outsize the worst.
    """
    values = checked_returns("returns", returns)
    level = open_share("share", share)
    if len(values) == 0:
        return 0.0
    low, high = np.quantile(values, [level, 1.0 - level])
    return ratio(abs(float(high)), abs(float(low)))


def longest_streaks(values: Any) -> tuple[int, int]:
    """Return the most values above 0, and the most below 0, in a row; 0 itself ends both."""
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
