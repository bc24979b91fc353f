"""Metrics over a moving window of returns.

Every function takes arrays of shape (n,) and gives one of shape (n − window + 1,): the first value
is of the first `window` returns, and none looks ahead. Values are those of the function of the same
name in `returns` or `benchmark`, with the same rule for windows without variance (0.0) or without
losses (``inf``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import NO_SPREAD, NOISE, checked_returns
from horizon.analytics.benchmark import paired

__all__ = ["rolling_beta", "rolling_sharpe", "rolling_sortino", "rolling_volatility"]

P = ParamSpec("P")

Numbers = NDArray[np.float64]


def _overflowing(metric: Callable[P, Numbers]) -> Callable[P, Numbers]:
    """Let sums of returns of 200 digits overflow, and say 0.0 where nothing can be told of them."""

    @wraps(metric)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> Numbers:
        with np.errstate(over="ignore", invalid="ignore"):
            values = metric(*args, **kwargs)
        values[np.isnan(values)] = 0.0
        return values

    return quiet


@_overflowing
def rolling_sharpe(
    returns: Any, window: int, *, risk_free: float = 0.0, periods_per_year: float = 252.0
) -> Numbers:
    """Annualised Sharpe ratio of each window; see `sharpe_ratio`.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    window : int
        Returns in a window, 2 or more.
    risk_free : float
        Return without risk in one period: 4 % a year of 252 days is ``0.04 / 252``.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    ndarray of float64, shape (n − window + 1,)
        The first is of the first `window` returns; empty with fewer. 0.0 for a window without
        variance.

    Examples
    --------
    Means 0.02 and 0.01 over deviations of √0.0002 and √0.0008; twice that in a year of quarters.

    >>> found = hz.analytics.rolling_sharpe([0.01, 0.03, -0.01], 2, periods_per_year=4)
    >>> found.round(4).tolist()
    [2.8284, 0.7071]
    """
    values, size, per_year = _checked(returns, window, periods_per_year)
    means, spreads = _moments(values, size)
    excess = (means - checks.number("risk_free", risk_free)) * math.sqrt(per_year)
    return np.divide(excess, spreads, out=np.zeros_like(excess), where=spreads > 0.0)


@_overflowing
def rolling_volatility(returns: Any, window: int, *, periods_per_year: float = 252.0) -> Numbers:
    """Annualised sample deviation of each window, a fraction; see `volatility`.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    window : int
        Returns in a window, 2 or more.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    ndarray of float64, shape (n − window + 1,)
        The first is of the first `window` returns; empty with fewer.

    Examples
    --------
    Deviations of √0.0002 and √0.0008; twice that in a year of quarters.

    >>> found = hz.analytics.rolling_volatility([0.01, 0.03, -0.01], 2, periods_per_year=4)
    >>> found.round(4).tolist()
    [0.0283, 0.0566]
    """
    values, size, per_year = _checked(returns, window, periods_per_year)
    return _moments(values, size)[1] * math.sqrt(per_year)


@_overflowing
def rolling_sortino(
    returns: Any, window: int, *, minimum: float = 0.0, periods_per_year: float = 252.0
) -> Numbers:
    """Annualised Sortino ratio of each window, over all of its periods; see `sortino_ratio`.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    window : int
        Returns in a window, 2 or more.
    minimum : float
        Minimum acceptable return of one period.
    periods_per_year : float
        How many periods make a year: 252 trading days, 365 days, 12 months.

    Returns
    -------
    ndarray of float64, shape (n − window + 1,)
        The first is of the first `window` returns; empty with fewer. ``inf`` for a gain in a
        window without shortfall.

    Examples
    --------
    The first window has no loss. The second has a mean of 0.01 and a downside deviation of
    √(0.01² / 2); a year has four such periods.

    >>> found = hz.analytics.rolling_sortino([0.01, 0.03, -0.01], 2, periods_per_year=4)
    >>> found.round(4).tolist()
    [inf, 2.8284]
    """
    values, size, per_year = _checked(returns, window, periods_per_year)
    values = values - checks.number("minimum", minimum)
    short = np.minimum(values, 0.0)
    means = _sums(values, size) / size
    risks = np.sqrt(_sums(short * short, size) / size)
    reward = means * math.sqrt(per_year)
    with_risk = risks > 0.0
    bare = np.where(reward > 0.0, math.inf, 0.0)
    return np.divide(reward, risks, out=bare, where=with_risk)


@_overflowing
def rolling_beta(returns: Any, benchmark: Any, window: int) -> Numbers:
    """Beta of each window; see `beta`.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
        Simple returns of the same periods, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    window : int
        Returns in a window, 2 or more.

    Returns
    -------
    ndarray of float64, shape (n − window + 1,)
        The first is of the first `window` returns; empty with fewer. 0.0 where the benchmark does
        not vary in a window.

    Raises
    ------
    ValueError
        If there is not one return of the benchmark for each of `returns`, or the labels of two
        Series differ: returns are paired by place.

    Examples
    --------
    From 0.01 to 0.03 while the benchmark gains 0.02, then down by 0.04 while it loses 0.01:

    >>> found = hz.analytics.rolling_beta([0.01, 0.03, -0.01], [0.0, 0.02, 0.01], 2)
    >>> found.round(4).tolist()
    [1.0, 4.0]
    """
    values, other = paired(returns, benchmark)
    size = checks.integer("window", window, least=2)
    if len(values) < size:
        return np.zeros(0)
    _, spreads = _moments(other, size)
    _, _, together = _together(other, values, size)
    variances = spreads * spreads * (size - 1)
    return np.divide(together, variances, out=np.zeros_like(together), where=spreads > 0.0)


def _checked(returns: Any, window: int, periods_per_year: float) -> tuple[Numbers, int, float]:
    values = checked_returns("returns", returns)
    size = checks.integer("window", window, least=2)
    return values, size, checks.positive("periods_per_year", periods_per_year)


def _sums(values: Numbers, size: int) -> Numbers:
    """Sum of each window, made of its own values only.

    The values are cut into blocks as long as the window. Each window is the end of one block and
    the beginning of the next, so that nothing is subtracted: a sum that slides would keep the
    rounding of whatever has left it (van Herk 1992 has the scheme, for maxima).
    """
    n = len(values)
    if n < size:
        return np.zeros(0)
    blocks = np.zeros((-(-n // size), size))
    blocks.reshape(-1)[:n] = values
    begins = np.cumsum(blocks, axis=1)
    ends = np.cumsum(blocks[:, ::-1], axis=1)[:, ::-1]
    ends[:, 0] = 0.0  # a window that is one whole block has no end of another before it
    sums: Numbers = begins.reshape(-1)[size - 1 : n] + ends.reshape(-1)[: n - size + 1]
    return sums


def _moments(values: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Mean and sample deviation of each window; a deviation that is rounding is 0.0."""
    if len(values) < size:
        return np.zeros(0), np.zeros(0)
    means, _, squares = _together(values, values, size)
    spreads = np.sqrt(np.maximum(squares, 0.0) / (size - 1))
    # In a window whose deviation is rounding, every value is about its mean.
    spreads[spreads <= np.maximum(NO_SPREAD * np.abs(means), NOISE)] = 0.0
    return means, spreads


def _together(x: Numbers, y: Numbers, size: int) -> tuple[Numbers, Numbers, Numbers]:
    """Means of two series in each window, and the sum of products of the distances from them.

    A window is the end of one block and the beginning of the next, put together by the rule of
    Chan, Golub and LeVeque (1983).
    """
    n = len(x)
    rows = -(-n // size)
    given = (x,) if y is x else (x, y)
    blocks = np.zeros((len(given), rows, size))
    for block, values in zip(blocks, given, strict=True):
        block.reshape(-1)[:n] = values
    count = n - size + 1
    begins = [part.reshape(-1)[size - 1 : n] for part in _prefixes(blocks)]
    ends = [
        part[:, ::-1].reshape(-1)[:count]
        for part in _prefixes(np.ascontiguousarray(blocks[:, :, ::-1]))
    ]
    # Of a window that begins at place k of a block, size − k values are of that block.
    after = np.resize(np.arange(size, dtype=np.float64), count)
    before = size - after
    whole = after == 0.0  # one block: the beginning of the next is the same block again
    gap_x, gap_y = begins[0] - ends[0], begins[1] - ends[1]
    share = after / size
    products = ends[2] + np.where(whole, 0.0, begins[2] + gap_x * gap_y * (before * share))
    return ends[0] + gap_x * share, ends[1] + gap_y * share, products


def _prefixes(blocks: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Means and sum of products of the first value of each row, of the first two, and so on.

    By the recursion of Welford (1962), for stretches of about the root of a row's length at once;
    the stretches of a row are then put together. Nothing is lost where values are nearly alike.

    Parameters
    ----------
    blocks : ndarray of shape (1 or 2, rows, size)
        One series is taken with itself.

    Returns
    -------
    three ndarrays of shape (rows, size)
    """
    series, rows, size = blocks.shape
    inner = max(1, math.isqrt(size))
    stretches = -(-size // inner)
    padded = np.zeros((series, rows, stretches * inner))
    padded[:, :, :size] = blocks
    # One column after the other, each contiguous over all stretches.
    columns = np.ascontiguousarray(
        padded.reshape(series, rows * stretches, inner).transpose(0, 2, 1)
    )
    x, y = columns[0], columns[-1]
    mean_x, products = np.empty_like(x), np.empty_like(x)
    mean_y = mean_x if series == 1 else np.empty_like(y)
    mean_x[0], mean_y[0], products[0] = x[0], y[0], 0.0
    for j in range(1, inner):
        ahead = x[j] - mean_x[j - 1]
        mean_x[j] = mean_x[j - 1] + ahead / (j + 1)
        if series == 2:
            mean_y[j] = mean_y[j - 1] + (y[j] - mean_y[j - 1]) / (j + 1)
        products[j] = products[j - 1] + ahead * (y[j] - mean_y[j])
    # What stands before each stretch of a row: nothing, the first, the first two ...
    last_x, last_y, last = (
        part[-1].reshape(rows, stretches) for part in (mean_x, mean_y, products)
    )
    base_x, base_y, base = (np.zeros((rows, stretches)) for _ in range(3))
    for k in range(1, stretches):
        gap_x = last_x[:, k - 1] - base_x[:, k - 1]
        gap_y = last_y[:, k - 1] - base_y[:, k - 1]
        base_x[:, k] = base_x[:, k - 1] + gap_x / k
        base_y[:, k] = base_y[:, k - 1] + gap_y / k
        added = gap_x * gap_y * ((k - 1.0) * inner / k)
        base[:, k] = base[:, k - 1] + last[:, k - 1] + added
    counts = np.arange(1.0, inner + 1.0)[:, None]
    before = np.tile(np.arange(stretches) * float(inner), rows)[None, :]
    share = counts / (before + counts)
    gap_x, gap_y = mean_x - base_x.reshape(1, -1), mean_y - base_y.reshape(1, -1)
    products += base.reshape(1, -1) + gap_x * gap_y * (before * share)

    def rowwise(part: Numbers) -> Numbers:
        return part.T.reshape(rows, stretches * inner)[:, :size]

    all_x = rowwise(base_x.reshape(1, -1) + gap_x * share)
    all_y = all_x if series == 1 else rowwise(base_y.reshape(1, -1) + gap_y * share)
    return all_x, all_y, rowwise(products)
