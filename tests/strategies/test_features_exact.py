"""Features against their definitions in exact arithmetic, and against pandas, over long runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from horizon.strategies.features import (
    EMA,
    RSI,
    SMA,
    BollingerZ,
    Feature,
    MovingAverageCross,
    Price,
    RealizedVol,
    Return,
    Zscore,
)
from tests.strategies.exactly import exactly, rows_needed, slowest

OUTLIER = 1e15
EPS = 2.0**-52
FEATURES = [
    Price(),
    Return(),
    Return(5, log=True),
    SMA(1),
    SMA(20),
    SMA(333),
    EMA(20),
    EMA(9, alpha=1.0 / 9.0),
    Zscore(2),
    Zscore(20),
    Zscore(333, ddof=0),
    BollingerZ(20, k=2.5),
    RealizedVol(20),
    RealizedVol(20, returns="simple", periods_per_year=252.0),
    RealizedVol(20, returns="difference", ddof=0),
    RSI(14),
    MovingAverageCross(10, 50),
    MovingAverageCross(10, 50, kind="ema"),
]
each = pytest.mark.parametrize("feature", FEATURES, ids=repr)


def walk(n: int, *, seed: int = 7) -> np.ndarray:
    """A walk in cents, kept between 50 and 250."""
    steps = np.cumsum(np.random.default_rng(seed).integers(-3, 4, n))
    return (5_000 + np.abs(steps % 40_000 - 20_000)) / 100.0


def with_outliers(rows: np.ndarray, every: int) -> np.ndarray:
    """One price of 1e15 every so many rows."""
    rows = rows.copy()
    rows[every // 2 :: every] = OUTLIER
    return rows


def allowed(feature: Feature, rows: list[float], value: float) -> float:
    """What rounding may do to a value, by the usual bounds of forward error.

    A mean of n is good to n roundings of its largest row, a deviation likewise, and a score to
    that over the deviation (the condition of the window); an average without an end to 1/alpha
    roundings of itself.
    """
    alpha, window = slowest(feature), rows[-feature.window :]
    largest, n = max(map(abs, window)), feature.window
    if isinstance(feature, Price):
        return 0.0
    if isinstance(feature, Return):
        ratio = window[-1] / window[0]
        near = not feature.parameters["log"] or 0.5 <= ratio <= 2.0
        return 4.0 * EPS * (abs(value) if near else math.log(OUTLIER))
    if isinstance(feature, RSI):
        return 400.0 * n * EPS
    if isinstance(feature, MovingAverageCross):
        condition = 1.0 / alpha if alpha else n * largest / math.fsum(window) * n
        return 8.0 * EPS * condition * (1.0 + abs(value))
    if isinstance(feature, RealizedVol):
        difference = feature.parameters["returns"] == "difference"
        changes = [b - a if difference else (b - a) / a for a, b in pairwise(window)]
        scale = math.sqrt(feature.parameters["periods_per_year"] or 1.0)
        return 4.0 * n * EPS * max(map(abs, changes)) * scale
    if alpha:
        return 4.0 * EPS / alpha * abs(value)
    if isinstance(feature, SMA):
        return 2.0 * n * EPS * largest
    deviation = float(np.std([float(Fraction(row) - Fraction(window[0])) for row in window]))
    return 4.0 * n * EPS * (1.0 + largest / deviation) * (1.0 + abs(value))


def assert_exact(feature: Feature, rows: list[float], value: float) -> None:
    truth = exactly(feature, rows)
    error = abs(Decimal(value) - truth)
    assert error <= Decimal(allowed(feature, rows, float(truth))), (feature, value, truth)


# ---------------------------------------------------------------- exact arithmetic
@pytest.mark.no_cover
@each
def test_hundred_thousand_rows_with_outliers_leave_values_exact(feature: Feature) -> None:
    n, every = 100_000, 2_500
    rows = with_outliers(walk(n), every)
    state = feature.fresh()
    given = rows.tolist()
    values = [state.update(row) for row in given]
    # Streaming and batch are one and the same, outliers or not.
    assert np.array_equal(np.array(values), feature.batch(rows), equal_nan=True)
    # Before an outlier, at it, while it is in the window, as it leaves, and long after.
    needed, outlier = rows_needed(feature), n - every // 2
    assert given[outlier] == OUTLIER
    places = [outlier + k for k in (-1, 0, 1, feature.window - 1, feature.window, 1_249)]
    for place in places:
        if needed < every or place in places[:3]:
            assert_exact(feature, given[max(0, place + 1 - needed) : place + 1], values[place])


@pytest.mark.long
@pytest.mark.parametrize("feature", FEATURES, ids=repr)
def test_ten_million_rows_with_outliers_leave_values_exact(feature: Feature) -> None:
    state, kept = feature.fresh(), []
    update = state.update
    for seed in range(10):
        rows = walk(1_000_000, seed=seed)
        rows[np.random.default_rng(seed).integers(0, 990_000, 200)] = OUTLIER
        kept = rows.tolist()
        for row in kept:
            update(row)
    assert_exact(feature, kept, state.value)


@pytest.mark.parametrize("size", [2, 3, 7, 64])
def test_means_and_scores_of_every_window_against_fractions(size: int) -> None:
    rows = with_outliers(walk(300), 97)
    means, scores = SMA(size).batch(rows), Zscore(size).batch(rows)
    exact = [Fraction(row) for row in rows.tolist()]
    for end in range(size, len(rows) + 1):
        window = exact[end - size : end]
        mean = sum(window) / size
        spread = sum((row - mean) ** 2 for row in window) / (size - 1)
        largest = float(max(window))
        assert abs(Fraction(means[end - 1]) - mean) <= 2 * size * EPS * largest
        if spread == 0:
            assert scores[end - 1] == 0.0
            continue
        # z² against the exact ratio, whose root is not rational.
        z = Fraction(scores[end - 1])
        wanted = (window[-1] - mean) ** 2 / spread
        slack = 8 * size * EPS * (1.0 + largest / math.sqrt(spread)) * (1.0 + float(abs(z))) ** 2
        assert abs(z * z - wanted) <= slack
        assert z * (window[-1] - mean) >= 0


def test_deviation_far_from_zero_keeps_its_digits() -> None:
    # Prices 1e9 + 0, 1, 2: a sum of squares of 1e18 has no digit left for a deviation of 1.
    rows = [1e9, 1e9 + 1.0, 1e9 + 2.0] * 50
    assert Zscore(3).batch(rows)[2] == 1.0
    assert Zscore(30).batch(rows)[-1] == pytest.approx(1.0 / math.sqrt(20.0 / 29.0), rel=1e-8)
    assert RealizedVol(3, returns="difference").batch(rows)[3] == pytest.approx(
        math.sqrt(3.0), rel=1e-15
    )


# ---------------------------------------------------------------- pandas
def strength_by_pandas(prices: pd.Series, n: int) -> pd.Series:
    """Wilder's index by pandas: ewm of the changes, begun with the mean of the first n."""
    change = prices.diff()

    def average(moves: pd.Series) -> pd.Series:
        begun = pd.concat([pd.Series([moves[1 : n + 1].mean()]), moves[n + 1 :]])
        return begun.ewm(alpha=1.0 / n, adjust=False).mean()

    gain, loss = average(change.clip(lower=0.0)), average(-change.clip(upper=0.0))
    index = 100.0 - 100.0 / (1.0 + gain / loss)
    return pd.concat([pd.Series([np.nan] * n), index])


def by_pandas(feature: Feature, prices: pd.Series) -> pd.Series:
    of, n = feature.parameters, feature.window
    if isinstance(feature, Price):
        return prices
    if isinstance(feature, Return):
        ratio = prices / prices.shift(of["n"])
        return np.log(ratio) if of["log"] else prices.pct_change(of["n"])
    if isinstance(feature, SMA):
        return prices.rolling(n).mean()
    if isinstance(feature, EMA):
        alpha = of["alpha"] or 2.0 / (n + 1)
        return prices.ewm(alpha=alpha, adjust=False, min_periods=n).mean()
    if isinstance(feature, BollingerZ):
        window = prices.rolling(n)
        upper = window.mean() + of["k"] * window.std(ddof=0)
        return (prices - window.mean()) / (upper - window.mean())
    if isinstance(feature, Zscore):
        window = prices.rolling(n)
        return (prices - window.mean()) / window.std(ddof=of["ddof"])
    if isinstance(feature, RealizedVol):
        changes = {
            "log": np.log(prices).diff(),
            "simple": prices.pct_change(),
            "difference": prices.diff(),
        }
        rolled = changes[of["returns"]].rolling(n - 1).std(ddof=of["ddof"])
        return rolled * math.sqrt(of["periods_per_year"] or 1.0)
    if isinstance(feature, RSI):
        return strength_by_pandas(prices, of["n"])
    assert isinstance(feature, MovingAverageCross)
    if of["kind"] == "sma":
        fast, slow = prices.rolling(of["fast"]).mean(), prices.rolling(of["slow"]).mean()
    else:
        fast = prices.ewm(span=of["fast"], adjust=False).mean()
        slow = prices.ewm(span=of["slow"], adjust=False, min_periods=of["slow"]).mean()
    return (fast - slow) / slow


@each
@pytest.mark.parametrize("with_gaps", [False, True], ids=["whole", "with gaps"])
def test_values_are_those_of_pandas(feature: Feature, with_gaps: bool) -> None:
    rng = np.random.default_rng(3)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 3_000)))
    if with_gaps:
        prices[rng.random(len(prices)) < 0.2] = np.nan
    here = ~np.isnan(prices)
    whole = pd.Series(prices[here])
    theirs = np.full(len(prices), np.nan)
    theirs[here] = by_pandas(feature, whole).to_numpy()
    # A row that is passed over keeps the value.
    expected = pd.Series(theirs).ffill().to_numpy() if with_gaps else theirs
    ours = feature.batch(prices)
    # pandas slides its sums, which is what limits the agreement.
    np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-11)
    assert np.isnan(ours).sum() == np.isnan(expected).sum()


def pieces(rows: np.ndarray) -> Iterator[np.ndarray]:
    for n in (0, 1, 19, 20, 21, 40, 479, 480, 481, 7_999, 8_000, 40_000):
        yield rows[:n]


@each
def test_batch_of_any_length_is_what_streaming_gives(feature: Feature) -> None:
    # Lengths around those at which the blocks are taken together, and in several pieces.
    rows = with_outliers(walk(40_000), 313)
    state = feature.fresh()
    streamed = np.array([state.update(row) for row in rows.tolist()])
    for part in pieces(rows):
        assert np.array_equal(feature.batch(part), streamed[: len(part)], equal_nan=True)
