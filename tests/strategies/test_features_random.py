"""What holds of every feature, whatever the prices: Hypothesis looks for the exception."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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

pytestmark = pytest.mark.no_cover

#: Prices as they are, awkward ones, and mistakes of a feed.
usual = st.integers(1, 20_000).map(lambda cents: cents / 100.0)
close = st.integers(0, 9).map(lambda steps: 0.3 + steps * 2.0**-54)  # to the last digits
price = st.one_of(
    usual, usual, usual, close, st.floats(1e-9, 1e15), st.sampled_from([0.1, 1.0, 1e15, 1e-9])
)
gappy = st.one_of(price, price, price, st.just(math.nan), st.just(0.0))


@st.composite
def windowed(draw: st.DrawFn) -> Feature:
    """A feature made of its window alone."""
    n = draw(st.integers(2, 9))
    return draw(
        st.sampled_from(
            [
                Price(),
                Return(n),
                Return(n, log=True),
                SMA(n),
                SMA(1),
                Zscore(n),
                Zscore(n, ddof=0),
                BollingerZ(n),
                RealizedVol(n),
                RealizedVol(n, returns="simple"),
                RealizedVol(n, returns="difference"),
                MovingAverageCross(n - 1, n),
                MovingAverageCross(1, 2 * n),
            ]
        )
    )


@st.composite
def endless(draw: st.DrawFn) -> Feature:
    n = draw(st.integers(1, 9))
    return draw(
        st.sampled_from([EMA(n), EMA(n, alpha=0.5), RSI(n), MovingAverageCross(n, n + 3, "ema")])
    )


anything = st.one_of(windowed(), endless())


def streamed(feature: Feature, rows: list[float]) -> np.ndarray:
    state = feature.fresh()
    return np.array([state.update(row) for row in rows])


def same(values: np.ndarray, others: np.ndarray) -> bool:
    return np.array_equal(values, others, equal_nan=True)


@given(anything, st.lists(gappy, max_size=60), st.integers(1, 12))
def test_batch_is_streaming_to_the_bit(feature: Feature, rows: list[float], times: int) -> None:
    # Repeated, so that some of them are long enough for whole arrays of blocks.
    rows = rows * times
    assert same(feature.batch(rows), streamed(feature, rows))


@given(windowed(), st.lists(st.tuples(price, price), max_size=30), st.lists(price, min_size=20))
def test_window_remembers_nothing_of_what_has_left_it(
    feature: Feature, before: list[tuple[float, float]], after: list[float]
) -> None:
    one, other = ([pair[k] for pair in before] for k in (0, 1))
    first, second = streamed(feature, one + after), streamed(feature, other + after)
    whole = len(before) + feature.window - 1
    assert same(first[whole:], second[whole:])


@given(anything, st.lists(price, max_size=60), st.lists(price, max_size=20))
def test_values_do_not_depend_on_what_comes_later(
    feature: Feature, rows: list[float], later: list[float]
) -> None:
    assert same(feature.batch(rows + later)[: len(rows)], feature.batch(rows))


@given(anything, st.lists(st.one_of(usual, st.just(math.nan)), max_size=60))
def test_missing_rows_count_nowhere(feature: Feature, rows: list[float]) -> None:
    there = [row for row in rows if row == row]
    values = streamed(feature, rows)
    assert same(values[[row == row for row in rows]], streamed(feature, there))


@given(anything, st.lists(usual, max_size=60), st.sampled_from([2.0**-60, 0.25, 1024.0]))
def test_prices_in_another_unit(feature: Feature, rows: list[float], factor: float) -> None:
    # A power of two changes no digit: averages and changes take it over, the others lose it.
    is_price = isinstance(feature, (Price, SMA, EMA)) or (
        isinstance(feature, RealizedVol) and feature.parameters["returns"] == "difference"
    )
    values, scaled = feature.batch(rows), feature.batch([row * factor for row in rows])
    if isinstance(feature, (Return, RealizedVol)) and not is_price:
        # The logarithm of a far price is no exact multiple.
        np.testing.assert_allclose(scaled, values, rtol=1e-9, atol=1e-13)
    else:
        assert same(scaled, values * factor if is_price else values)


@given(st.integers(2, 9), st.sampled_from([0, 1]), st.lists(price, max_size=60))
def test_scores_are_bounded_and_turn_with_the_prices(n: int, ddof: int, rows: list[float]) -> None:
    # The farthest that one of n can lie from their mean: (n - 1) / sqrt(n) sample deviations.
    feature = Zscore(n, ddof)
    scores = feature.batch(rows)
    most = (n - 1) / math.sqrt(n) if ddof else math.sqrt(n - 1)
    for end in range(n, len(rows) + 1):
        window = np.array(rows[end - n : end])
        # A mean is good to its last digits, which weigh the more the closer the prices lie.
        digits = 1e-15 * n * window.max() / max(window.std(), 1e-14 * window.max())
        assert abs(scores[end - 1]) <= most * (1.0 + digits) + digits
    assert same(feature.batch([-row for row in rows]), 0.0 - scores)


@given(st.integers(1, 9), st.lists(price, max_size=60))
def test_averages_lie_among_their_prices(n: int, rows: list[float]) -> None:
    simple, endless_ = SMA(n).batch(rows), EMA(n).batch(rows)
    for end in range(n, len(rows) + 1):
        window = rows[end - n : end]
        slack = 1e-14 * max(window)
        assert min(window) - slack <= simple[end - 1] <= max(window) + slack
        slack = 1e-14 * max(rows[:end])
        assert min(rows[:end]) - slack <= endless_[end - 1] <= max(rows[:end]) + slack


@given(st.integers(1, 9), st.lists(price, max_size=60))
def test_strength_lies_between_0_and_100_and_its_mirror_image_is_the_rest(
    n: int, rows: list[float]
) -> None:
    strengths = RSI(n).batch(rows)[n:]
    assert ((strengths >= 0.0) & (strengths <= 100.0)).all()
    mirrored = RSI(n).batch([-row for row in rows])[n:]
    np.testing.assert_allclose(strengths + mirrored, 100.0, rtol=1e-13)


@given(st.integers(2, 9), st.lists(price, max_size=60))
def test_features_agree_with_each_other(n: int, rows: list[float]) -> None:
    # k = 2 deviations are half the score; a cross of the price with its mean is their distance.
    assert same(BollingerZ(n, k=2.0).batch(rows), Zscore(n, ddof=0).batch(rows) / 2.0)
    means, prices = SMA(n).batch(rows), np.array(rows)
    crossed = MovingAverageCross(1, n).batch(rows)
    assert same(crossed[n - 1 :], (prices[n - 1 :] - means[n - 1 :]) / means[n - 1 :])
    assert same(
        MovingAverageCross(1, n, "ema").batch(rows)[: n - 1], np.full(len(rows), np.nan)[: n - 1]
    )
