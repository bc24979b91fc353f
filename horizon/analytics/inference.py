"""How much of a result may be chance: errors of the Sharpe ratio, many trials, resampling.

Sharpe ratios here are per period, not annualised, as the papers have them; `n` counts returns.

References
----------
Lo (2002), The Statistics of Sharpe Ratios. Mertens (2002), Comments on Variance of the IID
estimator in Lo. Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier; (2014), The
Deflated Sharpe Ratio. Politis and Romano (1994), The Stationary Bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import NO_SPREAD, NOISE, checked_returns, deviation, open_share

__all__ = [
    "Interval",
    "bootstrap_interval",
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "probabilistic_sharpe_ratio",
    "sharpe_standard_error",
]

Numbers = NDArray[np.float64]

_NORMAL: Final = NormalDist()
_EULER: Final = 0.5772156649015329
#: Numbers of one batch of resamples: a few megabytes at a time.
_BATCH: Final = 1 << 19


def sharpe_standard_error(
    sharpe: float, n: int, *, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Standard error of a Sharpe ratio of `n` returns of any shape.

    ``√((1 − skewness · SR + (kurtosis − 1) / 4 · SR²) / (n − 1))``, after Mertens.

    Parameters
    ----------
    sharpe : float
        Per period, not annualised.
    n : int
        Number of returns; for fewer than two the error is ``inf``.
    skewness, kurtosis : float
        Moments of the returns; the kurtosis of a normal distribution is 3.

    Raises
    ------
    ValueError
        If no returns have both this skewness and this kurtosis, which is at least
        1 + skewness².

    References
    ----------
    Lo (2002), The Statistics of Sharpe Ratios. Mertens (2002), Comments on Variance of the IID
    estimator in Lo.

    Examples
    --------
    Lo's Table 1 has 0.306 for 0.5 and T = 12: √((1 + 0.5² / 2) / 12). It divides by T, which is
    n − 1 here.

    >>> round(hz.analytics.sharpe_standard_error(0.5, 13), 3)
    0.306
    """
    ratio = checks.number("sharpe", sharpe)
    count = checks.integer("n", n, least=0)
    tails = checks.number("kurtosis", kurtosis)
    tilt = checks.number("skewness", skewness) * ratio
    if count < 2:
        return math.inf
    width = (tails - 1.0) / 4.0 * ratio * ratio
    spread = 1.0 - tilt + width
    # Moments of a real sample keep this at 0 or above, to rounding; those of a wish may not.
    if spread < -1e-9 * (1.0 + abs(tilt) + abs(width)):
        raise ValueError(
            f"skewness and kurtosis must be possible together, were {skewness:g} and {kurtosis:g}: "
            "kurtosis is at least 1 + skewness²"
        )
    return math.sqrt(max(spread, 0.0) / (count - 1))


def probabilistic_sharpe_ratio(
    sharpe: float,
    n: int,
    *,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
) -> float:
    """Probability that the true Sharpe ratio is above a benchmark.

    ``Φ((SR − benchmark) / standard error)``, all per period; see `sharpe_standard_error`.

    Parameters
    ----------
    sharpe : float
        Per period, not annualised.
    n : int
        Number of returns.
    skewness, kurtosis : float
        Moments of the returns; the kurtosis of a normal distribution is 3.
    benchmark : float
        Sharpe ratio per period to be above.

    Returns
    -------
    float
        Between 0 and 1; 0.5, which says nothing, for fewer than two returns.

    References
    ----------
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier.

    Examples
    --------
    The hedge fund of the paper, 0.458 in each of 24 months: 0.982 if returns were normal, 0.913
    with its skewness and tails.

    >>> round(hz.analytics.probabilistic_sharpe_ratio(0.458, 24), 3)
    0.982
    >>> found = hz.analytics.probabilistic_sharpe_ratio(0.458, 24, skewness=-2.448, kurtosis=10.164)
    >>> round(found, 3)
    0.913
    """
    error = sharpe_standard_error(sharpe, n, skewness=skewness, kurtosis=kurtosis)
    over = sharpe - checks.number("benchmark", benchmark)
    if error == 0.0:
        return 0.5 if over == 0.0 else float(over > 0.0)
    return _NORMAL.cdf(over / error)


def minimum_track_record(
    sharpe: float,
    *,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """Number of returns after which a Sharpe ratio is above a benchmark with confidence.

    ``1 + (1 − skewness · SR + (kurtosis − 1) / 4 · SR²) · (z / (SR − benchmark))²``.

    Parameters
    ----------
    sharpe : float
        Per period, not annualised.
    skewness, kurtosis : float
        Moments of the returns; the kurtosis of a normal distribution is 3.
    benchmark : float
        Sharpe ratio per period to be above.
    confidence : float
        Between 0 and 1, both excluded; z is its quantile of a normal distribution.

    Returns
    -------
    float
        In periods, not rounded; ``inf`` where the ratio is not above the benchmark.

    References
    ----------
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier.

    Examples
    --------
    The paper has 2.73 years of daily returns for a ratio of 2 a year against 1 a year:

    >>> year = 252**0.5
    >>> days = hz.analytics.minimum_track_record(2 / year, benchmark=1 / year)
    >>> round(days / 252, 2)
    2.73
    """
    over = checks.number("sharpe", sharpe) - checks.number("benchmark", benchmark)
    z = _NORMAL.inv_cdf(open_share("confidence", confidence))
    error = sharpe_standard_error(sharpe, 2, skewness=skewness, kurtosis=kurtosis)
    if over <= 0.0:
        return math.inf
    needed = error * z / over
    return 1.0 + needed * needed  # a product overflows to inf, a power raises


def expected_maximum_sharpe(n_trials: int, variance: float) -> float:
    """Sharpe ratio that the best of `n_trials` shows although none has any.

    ``√variance · ((1 − γ) Φ⁻¹(1 − 1 / N) + γ Φ⁻¹(1 − 1 / (N e)))``, γ being Euler's constant.

    Parameters
    ----------
    n_trials : int
        Number of independent trials; one has nothing to choose from: 0.0.
    variance : float
        Variance of their Sharpe ratios, per period.

    Returns
    -------
    float
        Per period, as `variance` is.

    References
    ----------
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio.

    Examples
    --------
    The paper's 100 trials, whose annual ratios vary by 1/2 in years of 250 days:

    >>> round(hz.analytics.expected_maximum_sharpe(100, 0.5 / 250), 4)
    0.1132
    """
    trials = checks.integer("n_trials", n_trials)
    spread = math.sqrt(checks.non_negative("variance", variance))
    if trials == 1:
        return 0.0
    best = (1.0 - _EULER) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    return spread * (best + _EULER * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e)))


def deflated_sharpe_ratio(
    sharpe: float,
    n: int,
    *,
    n_trials: int,
    variance: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Probability that the best of many trials is above what chance alone would have shown.

    The probabilistic Sharpe ratio against the expected maximum of `n_trials`.

    Parameters
    ----------
    sharpe : float
        Of the best trial, per period, not annualised.
    n : int
        Number of its returns.
    n_trials : int
        Independent trials that it is the best of.
    variance : float
        Variance of the trials' Sharpe ratios, per period.
    skewness, kurtosis : float
        Moments of the best trial's returns; the kurtosis of a normal distribution is 3.

    Returns
    -------
    float
        Between 0 and 1; 0.5, which says nothing, for fewer than two returns.

    References
    ----------
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio.

    Examples
    --------
    The paper's best of 100 trials, 2.5 a year over 1,250 days, has 0.9004:

    >>> found = hz.analytics.deflated_sharpe_ratio(
    ...     2.5 / 250**0.5, 1250, n_trials=100, variance=0.5 / 250, skewness=-3.0, kurtosis=10.0)
    >>> round(found, 4)
    0.9004
    """
    return probabilistic_sharpe_ratio(
        sharpe,
        n,
        skewness=skewness,
        kurtosis=kurtosis,
        benchmark=expected_maximum_sharpe(n_trials, variance),
    )


# ------------------------------------------------------------------------ resampling
@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic and the interval that resampling gives it.

    Not made by hand: `bootstrap_interval` returns it.

    Attributes
    ----------
    value : float
        Of the returns as they are.
    low, high : float
        Percentiles of the statistic over the resamples.
    confidence : float
        Share of the resamples that lie between them.
    block : float
        Mean length of the blocks, in returns.
    n_resamples : int

    Examples
    --------
    Two returns drawn one by one: the mean of a resample is 0.01, 0.02 or 0.03.

    >>> found = hz.analytics.bootstrap_interval([0.01, 0.03], np.mean, block=1)
    >>> [round(value, 4) for value in (found.low, found.value, found.high)]
    [0.01, 0.02, 0.03]
    """

    value: float
    low: float
    high: float
    confidence: float
    block: float
    n_resamples: int


def _sharpes(samples: Numbers, risk_free: float) -> Numbers:
    if samples.shape[1] < 2:
        return np.zeros(len(samples))
    ratios: Numbers
    with np.errstate(over="ignore", invalid="ignore"):
        means = samples.mean(axis=1)
        spreads = samples.std(axis=1, ddof=1)
        least = np.maximum(NO_SPREAD * np.abs(samples).max(axis=1), NOISE)
        ratios = np.divide(
            means - risk_free, spreads, out=np.zeros_like(means), where=spreads > least
        )
    ratios[np.isnan(ratios)] = 0.0
    return ratios


def _deepest(samples: Numbers) -> Numbers:
    growth = 1.0 + samples
    is_lost = growth <= 0.0
    if is_lost.any():  # what is lost altogether stays so, as in `equity_of`
        was_lost = np.logical_or.accumulate(is_lost, axis=1)[:, :-1]
        growth[:, 1:][was_lost] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        paths = np.cumprod(growth, axis=1)
    if np.isfinite(paths).all():
        paths /= np.maximum(np.maximum.accumulate(paths, axis=1), 1.0)
        lowest = paths.min(axis=1)
    else:  # wealth beyond a float: follow its part of the peak instead, return by return
        part, lowest = np.ones(len(samples)), np.ones(len(samples))
        with np.errstate(over="ignore", invalid="ignore"):
            for column in growth.T:
                part = np.fmin(part * column, 1.0)
                lowest = np.minimum(lowest, part)
    deepest: Numbers = 1.0 - np.minimum(lowest, 1.0)
    return deepest


def bootstrap_interval(
    returns: Any,
    statistic: str | Callable[[Numbers], float] = "sharpe_ratio",
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    n_resamples: int = 1_000,
    confidence: float = 0.95,
    block: float | None = None,
    seed: int = 0,
) -> Interval:
    """Interval of a statistic by the stationary bootstrap.

    Blocks of random (geometric) length are drawn with replacement and put together, so that
    returns which hang together stay together; the interval is that between percentiles of the
    statistic over the resamples.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    statistic : {"sharpe_ratio", "max_drawdown"} or callable
        The Sharpe ratio is annualised with `periods_per_year`, the drawdown a positive fraction
        from a starting wealth of 1. A callable gets one resample, an array of shape (n,), and
        gives a number.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
        The Sharpe ratio takes it off.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.
    n_resamples : int
        At least 100.
    confidence : float
        Between 0 and 1, both excluded.
    block : float, optional
        Mean length of a block, at least 1; n^(1/3) by default, which has the right order for the
        error of a mean. 1 resamples single returns.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    Interval
        Of fewer than two returns, or without variance, it has no width.

    Raises
    ------
    ValueError
        If an argument is out of range, or the statistic of a resample is NaN.

    References
    ----------
    Politis and Romano (1994), The Stationary Bootstrap.

    Examples
    --------
    Drawn one by one, a quarter of the resamples has two losses, a drawdown of 1 − 0.9² = 0.19, and
    a quarter has none: the percentiles 5 and 95 are these.

    >>> found = hz.analytics.bootstrap_interval(
    ...     [0.1, -0.1], "max_drawdown", block=1, confidence=0.9)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.1, 0.0, 0.19)
    """
    values = checked_returns("returns", returns)
    per_year = checks.positive("periods_per_year", periods_per_year)
    resamples = checks.integer("n_resamples", n_resamples, least=100)
    level = open_share("confidence", confidence)
    n = len(values)
    mean_block = max(1.0, n ** (1 / 3)) if block is None else checks.number("block", block)
    if mean_block < 1.0:
        raise ValueError(f"block must be 1 or more, was {mean_block:g}")
    rng = np.random.default_rng(checks.integer("seed", seed, least=0))
    of_rows = _of_rows(statistic, checks.number("risk_free", risk_free), math.sqrt(per_year))
    value = float(of_rows(values[None, :])[0]) if n else 0.0
    if n < 2 or deviation(values) == 0.0:
        return Interval(value, value, value, level, mean_block, resamples)
    rows = max(1, min(resamples, _BATCH // n))
    found = np.empty(resamples)
    for begin in range(0, resamples, rows):
        end = min(begin + rows, resamples)
        found[begin:end] = of_rows(values[_blocks(rng, end - begin, n, mean_block)])
    if math.isnan(value) or np.isnan(found).any():
        raise ValueError("statistic must give a number for every resample, gave nan")
    low, high = np.quantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(value, float(low), float(high), level, mean_block, resamples)


def _of_rows(
    statistic: str | Callable[[Numbers], float], risk_free: float, annual: float
) -> Callable[[Numbers], Numbers]:
    if callable(statistic):
        each = statistic
        return lambda samples: np.array([float(each(row)) for row in samples])
    if checks.one_of("statistic", statistic, ("sharpe_ratio", "max_drawdown")) == "max_drawdown":
        return _deepest
    return lambda samples: annual * _sharpes(samples, risk_free)


def _blocks(rng: np.random.Generator, rows: int, n: int, mean_block: float) -> NDArray[np.intp]:
    """Draw indices: each goes on from the one before it, or begins a new block anywhere."""
    begins = rng.random((rows, n)) < 1.0 / mean_block
    begins[:, 0] = True
    starts = rng.integers(0, n, size=(rows, n))
    columns = np.arange(n)
    # The column in which each element's block began.
    since = np.maximum.accumulate(np.where(begins, columns, 0), axis=1)
    first = np.take_along_axis(starts, since, axis=1)
    indices: NDArray[np.intp] = (first + columns - since) % n
    return indices
