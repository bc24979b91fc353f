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
from horizon.analytics.returns import NO_SPREAD, NOISE, checked_returns, deviation, open_share

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

    √((1 − skewness · SR + (kurtosis − 1)/4 · SR²) / (n − 1)), after Mertens.

    Parameters
    ----------
    sharpe : float
        Per period.
    n : int
        Number of returns; for fewer than two the error is ``inf``.
    skewness, kurtosis : float
        Moments of the returns; the kurtosis of a normal distribution is 3.
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
    """Probability that the true Sharpe ratio is above a benchmark (Bailey, López de Prado 2012).

    Φ((SR − benchmark) / standard error), all per period.

    Returns
    -------
    float
        Between 0 and 1; 0.5, which says nothing, for fewer than two returns.
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

    1 + (1 − skewness · SR + (kurtosis − 1)/4 · SR²) · (z / (SR − benchmark))²; ``inf`` where the
    ratio is not above the benchmark (Bailey and López de Prado 2012).
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

    √variance · ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e))), γ being Euler's constant (Bailey and
    López de Prado 2014).

    Parameters
    ----------
    n_trials : int
        Number of independent trials; one has nothing to choose from: 0.0.
    variance : float
        Variance of their Sharpe ratios.
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

    The probabilistic Sharpe ratio against the expected maximum of `n_trials` (Bailey and López de
    Prado 2014).

    Parameters
    ----------
    sharpe : float
        Of the best trial, per period.
    n : int
        Number of its returns.
    n_trials : int
        Independent trials that it is the best of.
    variance : float
        Variance of the trials' Sharpe ratios, per period.
    skewness, kurtosis : float
        Moments of the best trial's returns.
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

    Attributes
    ----------
    value : float
        Of the returns as they are.
    low, high : float
        Percentiles of the statistic over the resamples.
    confidence : float
    block : float
        Mean length of the blocks, in returns.
    n_resamples : int
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
    returns which hang together stay together (Politis and Romano 1994); the interval is that
    between percentiles of the statistic over the resamples.

    Parameters
    ----------
    returns : array-like of shape (n,)
    statistic : {"sharpe_ratio", "max_drawdown"} or callable
        The Sharpe ratio is annualised with `periods_per_year`, the drawdown a positive fraction
        from a starting wealth of 1. A callable gets one resample, an array of shape (n,).
    risk_free : float
        Per period; the Sharpe ratio takes it off.
    periods_per_year : float
    n_resamples : int
        At least 100.
    confidence : float
    block : float, optional
        Mean length of a block, at least 1; n^(1/3) by default, which has the right order for the
        error of a mean. 1 resamples single returns.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    Interval
        Of fewer than two returns it has no width.
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
