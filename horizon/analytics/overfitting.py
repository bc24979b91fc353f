"""Whether choosing the best of many settings carries over to data that it was not chosen on.

`returns` are those of every setting over the same periods: an array of shape (n_periods,
n_settings), finite, a column for a setting, rows in order of time. Sharpe ratios are per period,
not annualised, and that of returns without variance is 0.0.

References
----------
Bailey, Borwein, López de Prado and Zhu (2016), The Probability of Backtest Overfitting.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.trials import Regression, checked_trials, least_spread, regression

__all__ = ["Cscv", "cscv"]

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]

#: 24 blocks would be 2.7 million splits.
_MOST_BLOCKS: Final = 20
#: Numbers of one batch of splits: a few megabytes at a time.
_BATCH: Final = 1 << 19


@dataclass(frozen=True, slots=True, eq=False)
class Cscv:
    """What choosing the best setting in one half of the data gave in the other half.

    Not made by hand: `cscv` returns it. Splits are in the order of `itertools.combinations` of the
    blocks that they choose in.

    Attributes
    ----------
    pbo : float
        Probability of backtest overfitting: share of splits in which the setting that was best
        in sample did no better than the median out of sample, that is logit <= 0.
    logits : ndarray of shape (n_splits,)
        ``ln(w / (1 − w))``, w being the chosen setting's rank out of sample over n_settings + 1.
    chosen : ndarray of int, shape (n_splits,)
        The column that was best in sample.
    in_sample, out_of_sample : ndarray of shape (n_splits,)
        The chosen setting's statistic in the one half and in the other.
    degradation : Regression
        Of `out_of_sample` on `in_sample`. One setting chosen in every split has a slope near −1,
        however good it is, since what one half has more the other has less.
    probability_of_loss : float
        Share of splits whose chosen setting is below 0 out of sample.
    blocks, n_settings : int

    Examples
    --------
    What is best in one half is worst in the other, and of two halves there are two splits:

    >>> returns = [[0.02, 0.00, 0.01], [0.04, 0.02, 0.03], [0.00, 0.02, 0.01], [0.02, 0.04, 0.03]]
    >>> found = hz.analytics.cscv(returns, blocks=2, statistic="mean")
    >>> found.pbo, found.n_splits, found.chosen.tolist()
    (1.0, 2, [0, 1])
    """

    pbo: float
    logits: Numbers
    chosen: Indices
    in_sample: Numbers
    out_of_sample: Numbers
    degradation: Regression
    probability_of_loss: float
    blocks: int
    n_settings: int

    @property
    def n_splits(self) -> int:
        """Number of ways to choose half of the blocks."""
        return len(self.logits)

    def __repr__(self) -> str:
        return (
            f"Cscv(pbo={self.pbo:.3f}, probability_of_loss={self.probability_of_loss:.3f}, "
            f"n_settings={self.n_settings}, n_splits={self.n_splits})"
        )


#: Fraction of the largest statistic within which two are equal: far above rounding.
_EQUAL: Final = 1e-9


def cscv(
    returns: Any,
    blocks: int = 16,
    statistic: str | Callable[[Numbers], Any] = "sharpe",
) -> Cscv:
    """Combinatorially symmetric cross-validation, and the probability of backtest overfitting.

    The rows are cut into `blocks`. For each way to take half of these (C(16, 8) = 12,870), the
    setting that is best in them is looked up among all settings in the other half.

    Two settings that are equally good in sample: the first is chosen, as everywhere. Those that
    are equal out of sample share the mean of their ranks, so a setting among its own doubles
    is at the median, and counts as overfitted. The middle rank of an odd number of settings
    counts as overfitted too, as the paper has it.

    Parameters
    ----------
    returns : array-like of shape (n_periods, n_settings)
        Simple returns as fractions, a column for each setting: at least two settings, and two
        rows for each block.
    blocks : int
        Even, from 2 to 20. Where they do not divide the rows, the first blocks have one more.
    statistic : {"sharpe", "mean"} or callable
        What is compared. The Sharpe ratio and the mean are put together from sums over blocks. A
        callable gets the rows of one half, of shape (n, n_settings), in order of time, and gives
        one number for each setting; it is called for every split.

    Returns
    -------
    Cscv

    Raises
    ------
    DataError
        At the first value of `returns` that is not a finite number.
    TypeError, ValueError
        If an argument has the wrong shape, or the statistic gives no number.

    References
    ----------
    Bailey, Borwein, López de Prado and Zhu (2016), The Probability of Backtest Overfitting.

    Examples
    --------
    Means of 0.03, 0.01 and 0.02 in the first half, of 0.01, 0.03 and 0.02 in the second: what is
    chosen in either is the worst in the other.

    >>> returns = [[0.02, 0.00, 0.01], [0.04, 0.02, 0.03], [0.00, 0.02, 0.01], [0.02, 0.04, 0.03]]
    >>> found = hz.analytics.cscv(returns, blocks=2, statistic="mean")
    >>> found.pbo, found.in_sample.round(4).tolist(), found.out_of_sample.round(4).tolist()
    (1.0, [0.03, 0.03], [0.01, 0.01])
    """
    values = checked_trials(returns)
    n_periods, n_settings = values.shape
    count = checks.integer("blocks", blocks, least=2)
    if count % 2 or count > _MOST_BLOCKS:
        raise ValueError(f"blocks must be an even number from 2 to {_MOST_BLOCKS}, was {count}")
    if n_settings < 2:
        raise ValueError("returns must have 2 or more settings (columns) to choose from, had 1")
    if n_periods < 2 * count:
        raise ValueError(
            f"returns must have 2 or more rows for each of {count} blocks, {2 * count} in all; "
            f"had {n_periods}"
        )
    size, rest = divmod(n_periods, count)
    edges = [size * i + min(i, rest) for i in range(count + 1)]
    of_halves = _statistic(statistic, values, edges)
    halves = np.array(list(itertools.combinations(range(count), count // 2)), dtype=np.intp)
    n_splits = len(halves)
    chosen = np.empty(n_splits, dtype=np.intp)
    inside, outside, ranks = np.empty(n_splits), np.empty(n_splits), np.empty(n_splits)
    # What one split leaves out is what another takes: the i-th and the i-th from the end.
    step = max(1, _BATCH // n_settings)
    for begin in range(0, n_splits // 2, step):
        here = np.arange(begin, min(begin + step, n_splits // 2))
        there = n_splits - 1 - here
        of_here, of_there = of_halves(halves[here]), of_halves(halves[there])
        for at, own, other in ((here, of_here, of_there), (there, of_there, of_here)):
            # Settings that differ in scale alone have one ratio, to rounding.
            best = np.argmax(own >= (own.max(axis=1) - _near(own))[:, None], axis=1)
            rows = np.arange(len(at))
            found = other[rows, best]
            chosen[at], inside[at], outside[at] = best, own[rows, best], found
            near = _near(other)
            below = np.count_nonzero(other < (found - near)[:, None], axis=1)
            equal = np.count_nonzero(np.abs(other - found[:, None]) <= near[:, None], axis=1)
            ranks[at] = below + 0.5 * (equal + 1)
    return Cscv(
        pbo=float(np.count_nonzero(2.0 * ranks <= n_settings + 1)) / n_splits,
        logits=np.log(ranks / (n_settings + 1 - ranks)),
        chosen=chosen,
        in_sample=inside,
        out_of_sample=outside,
        degradation=regression(inside, outside),
        probability_of_loss=float(np.count_nonzero(outside < 0.0)) / n_splits,
        blocks=count,
        n_settings=n_settings,
    )


# ------------------------------------------------------------------------ the parts
def _near(statistics: Numbers) -> Numbers:
    """How far apart statistics of a split may be and still be equal, by split."""
    near: Numbers = _EQUAL * np.abs(statistics).max(axis=1)
    return near


def _statistic(
    statistic: str | Callable[[Numbers], Any], values: Numbers, edges: list[int]
) -> Callable[[Indices], Numbers]:
    """Return a function from halves, of shape (n, blocks / 2), to (n, n_settings) statistics."""
    if not callable(statistic):
        name = checks.one_of("statistic", statistic, ("sharpe", "mean"))
        return _from_sums(values, edges, with_spread=name == "sharpe")
    each = statistic

    def of_rows(halves: Indices) -> Numbers:
        return np.array([_given(each, half, values, edges) for half in halves])

    return of_rows


def _given(
    statistic: Callable[[Numbers], Any], half: Indices, values: Numbers, edges: list[int]
) -> Numbers:
    rows = np.concatenate([values[edges[i] : edges[i + 1]] for i in half])
    found = np.asarray(statistic(rows), dtype=np.float64)
    if found.shape != (values.shape[1],) or not np.isfinite(found).all():
        raise ValueError(
            f"statistic must give one finite number for each of {values.shape[1]} settings, gave "
            f"{checks.show(found.tolist())}"
        )
    return found


def _from_sums(
    values: Numbers, edges: list[int], *, with_spread: bool
) -> Callable[[Indices], Numbers]:
    """Put mean and deviation of any half together from those of its blocks.

    Settings are worked out element by element, never by a product of matrices, whose rounding
    depends on the column: equal settings stay equal to the last bit.
    """
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    sizes = np.array([len(part) for part in parts], dtype=np.float64)
    means = np.array([part.mean(axis=0) for part in parts])
    # Squares about the block's own mean: nothing large is taken from something large.
    squares = np.array([((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in parts])
    least = least_spread(values)

    def of_halves(halves: Indices) -> Numbers:
        weights = sizes[halves]
        total = weights.sum(axis=1)[:, None]
        mean: Numbers = _added(halves, lambda i, own: weights[:, i, None] * means[own]) / total
        if not with_spread:
            return mean
        square = _added(
            halves,
            lambda i, own: squares[own] + weights[:, i, None] * (means[own] - mean) ** 2,
        )
        spread = np.sqrt(square / (total - 1.0))
        ratios: Numbers = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > least)
        return ratios

    return of_halves


def _added(halves: Indices, term: Callable[[int, Indices], Numbers]) -> Numbers:
    terms: Iterator[Numbers] = (term(i, halves[:, i]) for i in range(halves.shape[1]))
    total = next(terms)
    for each in terms:
        total = total + each
    return total
