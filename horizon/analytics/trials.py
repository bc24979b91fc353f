"""Many settings tried on the same data: their Sharpe ratios, and what chance makes of the best.

`returns` are those of every setting over the same periods: an array of shape (n_periods,
n_settings), finite, a column for a setting, rows in order of time. Sharpe ratios are per period,
not annualised, and that of returns without variance is 0.0.

References
----------
White (2000), A Reality Check for Data Snooping. Hansen (2005), A Test for Superior Predictive
Ability. Carlstein (1986), The Use of Subseries Values for Estimating the Variance of a General
Statistic from a Stationary Sequence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import NO_SPREAD, NOISE, open_share
from horizon.analytics.products import dot
from horizon.errors import DataError

__all__ = [
    "RealityCheck",
    "Regression",
    "checked_trials",
    "least_spread",
    "reality_check",
    "regression",
    "sharpe_ratios",
]

Numbers = NDArray[np.float64]

#: Numbers of one batch of resamples: a few megabytes at a time.
_BATCH: Final = 1 << 19


@dataclass(frozen=True, slots=True)
class Regression:
    """A straight line by least squares.

    Not made by hand: `cscv` has one as its ``degradation``, and so has the overfitting report of
    `hz.walk_forward`.

    Attributes
    ----------
    slope, intercept : float
        Of y = intercept + slope · x; without variance in x the slope is 0.0 and the intercept
        the mean of y.
    r2 : float
        Share of the variance of y that the line explains; 0.0 where either has none.
    n : int
        Number of points.

    Examples
    --------
    The first setting is best in the first half, with a mean of 0.03, and then earns 0.01; the
    second is best in the other half, with 0.05 there and 0.0 in the first. From 0.03 to 0.05 what
    is earned falls by 0.01:

    >>> returns = [[0.03, 0.0], [0.03, 0.0], [0.01, 0.05], [0.01, 0.05]]
    >>> line = hz.analytics.cscv(returns, blocks=2, statistic="mean").degradation
    >>> round(line.slope, 4), round(line.intercept, 4), line.n
    (-0.5, 0.025, 2)
    """

    slope: float
    intercept: float
    r2: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class RealityCheck:
    """What chance makes of the best of many settings, and what was found.

    Not made by hand: `reality_check` returns it.

    Attributes
    ----------
    probability : float
        That settings without any edge would show a best Sharpe ratio as high; between 0 and 1.
    best : float
        The best Sharpe ratio that was found, per period.
    maxima : ndarray of shape (n_resamples,)
        The best Sharpe ratio of each resample, rising; empty where there was nothing to resample.

    Examples
    --------
    A setting that loses on average is no better than chance, whatever chance gives:

    >>> found = hz.analytics.reality_check([[-0.03], [0.01], [-0.03], [0.01]])
    >>> found.probability, round(found.best, 4)
    (1.0, -0.433)
    """

    probability: float
    best: float
    maxima: Numbers

    def limit(self, probability: float = 0.05) -> float:
        """Sharpe ratio per period from which on this has at most a `probability`, or NaN.

        Parameters
        ----------
        probability : float
            Between 0 and 1, both excluded. So small a one that the resamples cannot tell gives NaN.
        """
        share = open_share("probability", probability)
        n = len(self.maxima)
        # (1 + as good) / (1 + n) <= share leaves so many resamples at or above the limit.
        beyond = math.floor(share * (n + 1) + 1e-9) - 1
        if n == 0 or beyond < 0:
            return math.nan
        return float(np.nextafter(self.maxima[n - 1 - beyond], math.inf))

    def __repr__(self) -> str:
        return (
            f"RealityCheck(probability={self.probability:.4g}, best={self.best:.4g}, "
            f"n_resamples={len(self.maxima):,})"
        )


def regression(x: Any, y: Any) -> Regression:
    """Fit a straight line by least squares.

    Parameters
    ----------
    x, y : array-like of shape (n,)
        Finite numbers, at least one.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if across.ndim != 1 or across.shape != up.shape or len(across) == 0:
        raise ValueError(
            f"x and y must have one dimension and one length above 0, had shapes {across.shape} "
            f"and {up.shape}"
        )
    if not (np.isfinite(across).all() and np.isfinite(up).all()):
        raise ValueError("x and y must be finite numbers")
    dx, dy = across - across.mean(), up - up.mean()
    xx, xy, yy = dot(dx, dx), dot(dx, dy), dot(dy, dy)
    if xx <= (NO_SPREAD * float(np.abs(across).max())) ** 2 * len(dx):  # rounding of equal values
        return Regression(0.0, float(up.mean()), 0.0, len(across))
    slope = xy / xx
    explained = min(1.0, xy / xx * xy / yy) if yy > 0.0 else 0.0
    return Regression(slope, float(up.mean() - slope * across.mean()), explained, len(across))


def sharpe_ratios(returns: Any) -> Numbers:
    """Sharpe ratio per period of each setting over all rows (n − 1), of shape (n_settings,).

    0.0 for fewer than two rows, and for returns without variance.
    """
    values = checked_trials(returns)
    return _sharpe(values) if len(values) > 1 else np.zeros(values.shape[1])


def reality_check(
    returns: Any, *, n_resamples: int = 2_000, block: int | None = None, seed: int = 0
) -> RealityCheck:
    """Find how often settings without any edge would show a best Sharpe ratio as high.

    Every setting is moved to a mean of 0, whole blocks of rows are drawn with replacement, the
    same for all settings, and the best Sharpe ratio of each resample is compared with the best
    that was found. How settings hang together, their tails, and what neighbouring returns have
    in common stay in the resamples, so neither the number of settings nor a spread between them
    has to stand for that (White 2000, with ratios instead of means as in Hansen 2005).

    Parameters
    ----------
    returns : array-like of shape (n_periods, n_settings)
        Simple returns as fractions, a column for each setting. A NaN raises `DataError`.
    n_resamples : int
        At least 100.
    block : int, optional
        Rows of a block; n_periods^(1/3), rounded, by default. Blocks do not overlap (Carlstein
        1986); where they do not divide the rows, the first are one row longer.
    seed : int
        The same seed gives the same probability.

    Returns
    -------
    RealityCheck
        Its probability is (1 + resamples as good) / (1 + n_resamples); 1.0 where the best ratio
        is not above 0, and for fewer than two blocks.

    Notes
    -----
    Held against noise of 32 to 1,000 returns and 1 to 100 settings, normal, with heavy tails,
    skewed either way, or with an autocorrelation of 0.2, a probability of at most 0.05 came in
    0.4 to 6.5 % of 1,000 searches: most often for one setting of few returns, and least for many
    settings of few returns.

    References
    ----------
    White (2000), A Reality Check for Data Snooping. Hansen (2005), A Test for Superior Predictive
    Ability. Carlstein (1986), The Use of Subseries Values for Estimating the Variance of a General
    Statistic from a Stationary Sequence.

    Examples
    --------
    Gains of 1 and 2 % in turn: about the mean every block of four adds up to 0, so no resample is
    as good, which leaves 1 / (1 + 999).

    >>> returns = np.tile([0.01, 0.02], 30)[:, None]
    >>> hz.analytics.reality_check(returns, n_resamples=999, block=4).probability
    0.001
    """
    values = checked_trials(returns)
    resamples = checks.integer("n_resamples", n_resamples, least=100)
    rng = np.random.default_rng(checks.integer("seed", seed, least=0))
    n = len(values)
    length = max(1, round(n ** (1 / 3))) if block is None else checks.integer("block", block)
    count = n // length
    best = float(sharpe_ratios(values).max())
    if count < 2 or best <= 0.0:
        return RealityCheck(1.0, best, np.zeros(0))
    size, rest = divmod(n, count)
    starts = [size * i + min(i, rest) for i in range(count)]
    largest = np.abs(values).max(axis=0)
    moves = largest > 0.0
    # In units of the largest return of each, squares neither overflow nor vanish.
    centred = (values - values.mean(axis=0))[:, moves] / largest[moves]
    sums = np.add.reduceat(centred, starts, axis=0)
    squares = np.add.reduceat(centred * centred, starts, axis=0)
    # The mean of `count` draws has (count - 1) / count of the variance that it stands for.
    wider = math.sqrt(count / (count - 1))
    maxima = np.empty(resamples)
    step = max(1, _BATCH // max(count, values.shape[1]))
    for begin in range(0, resamples, step):
        end = min(begin + step, resamples)
        draws = rng.multinomial(count, np.full(count, 1.0 / count), end - begin)
        mean = draws @ sums / n
        spread = np.sqrt(np.maximum(draws @ squares / n - mean * mean, 0.0))
        ratios = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > NO_SPREAD)
        maxima[begin:end] = wider * ratios.max(axis=1)
    as_good = int(np.count_nonzero(maxima >= best))
    return RealityCheck((1 + as_good) / (1 + resamples), best, np.sort(maxima))


# ------------------------------------------------------------------------ the parts
def checked_trials(returns: Any) -> Numbers:
    """Take a matrix of returns.

    Raises
    ------
    DataError
        At the first value that is not a finite number of at most 1e15 in size.
    TypeError, ValueError
        If it is no matrix of numbers, or has no column.
    """
    try:
        # One layout, so that sums are rounded alike whatever the array was cut from.
        values = np.ascontiguousarray(returns, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            "returns must be numbers of shape (n_periods, n_settings), was "
            f"{checks.show(returns)} ({type(returns).__name__})"
        ) from None
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            f"returns must have shape (n_periods, n_settings), had shape {values.shape}"
        )
    is_bad = ~(np.abs(values) <= checks.LARGEST)  # NaN is not below anything
    if is_bad.any():
        row, column = (int(i) for i in np.argwhere(is_bad)[0])
        bad = float(values[row, column])
        raise DataError(
            f"returns must be finite numbers of at most 1e15 in size, row {row} of setting "
            f"{column} has {checks.show(bad)}",
            row=row,
            value=bad,
        )
    return values


def least_spread(values: Numbers) -> Numbers:
    """Return for each setting the standard deviation up to which it is rounding."""
    least: Numbers = np.maximum(NO_SPREAD * np.abs(values).max(axis=0), NOISE)
    return least


def _sharpe(values: Numbers) -> Numbers:
    spread = values.std(axis=0, ddof=1)
    ratios: Numbers = np.divide(
        values.mean(axis=0), spread, out=np.zeros_like(spread), where=spread > least_spread(values)
    )
    return ratios
