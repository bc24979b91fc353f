"""Features: their conventions, worked out by hand, and what every feature can do."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import cloudpickle
import numpy as np
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

NAN = math.nan
ALL = [
    Price(),
    Return(),
    Return(3, log=True),
    SMA(1),
    SMA(4),
    EMA(4),
    EMA(4, alpha=0.25),
    Zscore(4),
    Zscore(4, ddof=0),
    BollingerZ(4, k=1.5),
    RealizedVol(4),
    RealizedVol(4, returns="simple", periods_per_year=252, ddof=0),
    RealizedVol(4, returns="difference"),
    RSI(4),
    MovingAverageCross(2, 4),
    MovingAverageCross(2, 4, kind="ema"),
]
each = pytest.mark.parametrize("feature", ALL, ids=repr)


def streamed(feature: Feature, rows: list[float]) -> list[float]:
    state = feature.fresh()
    return [state.update(row) for row in rows]


def same(values: Any, others: Any) -> bool:
    """Whether two series are equal to the bit, missing values included."""
    return np.array_equal(np.asarray(values), np.asarray(others), equal_nan=True)


def close(values: list[float]) -> Any:
    return pytest.approx(values, rel=1e-14, abs=1e-15, nan_ok=True)


# ---------------------------------------------------------------- conventions, by hand
def test_price_is_the_last_price() -> None:
    assert streamed(Price(), [3.0, 2.0]) == [3.0, 2.0]


def test_return_is_a_fraction_of_the_price_before() -> None:
    assert streamed(Return(), [100.0, 110.0, 99.0]) == close([NAN, 0.1, -0.1])
    # Two rows back: 99 after 100, 121 after 110.
    assert streamed(Return(2), [100.0, 110.0, 99.0, 121.0]) == close([NAN, NAN, -0.01, 0.1])


def test_log_return_is_the_logarithm_of_the_ratio() -> None:
    prices = [100.0, 100.0 * math.e, 100.0]
    assert streamed(Return(log=True), prices) == close([NAN, 1.0, -1.0])
    # Of a change by 1e-12 the ratio keeps four digits; log(1 + x) = x - x**2 / 2 + ...
    assert streamed(Return(log=True), [1.0, 1.0 + 2.0**-40])[1] == 2.0**-40 - 2.0**-81
    # A fall by thirty powers of ten: 30 ln 10.
    assert streamed(Return(log=True), [1e15, 1e-15])[1] == pytest.approx(-69.07755278982137)


def test_mean_of_the_last_rows() -> None:
    assert streamed(SMA(3), [1.0, 2.0, 6.0, 7.0, 5.0]) == close([NAN, NAN, 3.0, 5.0, 6.0])


def test_exponential_average_begins_with_the_first_price() -> None:
    # alpha = 2 / 4: 4; 6; 7. Shown from the third row on.
    assert streamed(EMA(3), [4.0, 8.0, 8.0, 3.0]) == close([NAN, NAN, 7.0, 5.0])
    # alpha = 1/4: 4; 5; 4.75.
    assert streamed(EMA(2, alpha=0.25), [4.0, 8.0, 4.0]) == close([NAN, 5.0, 4.75])


def test_score_counts_deviations_from_the_mean_of_its_window() -> None:
    # (1, 2, 3): mean 2, sample deviation 1. (2, 3, 7): mean 4, deviation sqrt(14 / 2).
    expected = [NAN, NAN, 1.0, 3.0 / math.sqrt(7.0)]
    assert streamed(Zscore(3), [1.0, 2.0, 3.0, 7.0]) == close(expected)
    # The same with divisor 3: sqrt(2 / 3), sqrt(14 / 3).
    expected = [NAN, NAN, 1.0 / math.sqrt(2.0 / 3.0), 3.0 / math.sqrt(14.0 / 3.0)]
    assert streamed(Zscore(3, ddof=0), [1.0, 2.0, 3.0, 7.0]) == close(expected)


def test_bands_are_where_the_bollinger_score_is_one() -> None:
    # (1, 1, 1, 1, 6): mean 2, deviation sqrt((4 + 16) / 5) = 2: the price is two of them above,
    # which is the upper band. The mirror image is at the lower.
    assert streamed(BollingerZ(5), [1.0, 1.0, 1.0, 1.0, 6.0])[-1] == 1.0
    assert streamed(BollingerZ(5), [6.0, 6.0, 6.0, 6.0, 1.0])[-1] == -1.0
    assert streamed(BollingerZ(5, k=1), [1.0, 1.0, 1.0, 1.0, 6.0])[-1] == 2.0


def test_realized_volatility_is_the_deviation_of_returns() -> None:
    # Returns 10 % and -10 %: mean 0, sample deviation sqrt(0.02).
    prices = [100.0, 110.0, 99.0]
    expected = [NAN, NAN, math.sqrt(0.02)]
    assert streamed(RealizedVol(2, returns="simple"), prices) == close(expected)
    # Changes 10 and -11: distances of 10.5 from their mean; times the root of 9 periods.
    of_changes = RealizedVol(2, returns="difference", periods_per_year=9, ddof=0)
    assert streamed(of_changes, prices) == close([NAN, NAN, 31.5])
    # Logarithms 1 and -1: sqrt(2).
    of_logs = streamed(RealizedVol(2), [1.0, math.e, 1.0])
    assert of_logs == close([NAN, NAN, math.sqrt(2.0)])


def test_relative_strength_is_wilders() -> None:
    # Changes +1, +1, -2, +3, 0. Seeds over two: gain 1, loss 0: 100. Then 0.5 and 1: 100 / 3.
    # Then 1.75 and 0.5: 700 / 9. A row without a change halves both, and leaves the index.
    expected = [NAN, NAN, 100.0, 100.0 / 3.0, 700.0 / 9.0, 700.0 / 9.0]
    assert streamed(RSI(2), [10.0, 11.0, 12.0, 10.0, 13.0, 13.0]) == close(expected)


def test_relative_strength_without_falls_without_rises_and_without_moves() -> None:
    assert streamed(RSI(3), [1.0, 2.0, 2.0, 4.0, 7.0])[-2:] == [100.0, 100.0]
    assert streamed(RSI(3), [7.0, 4.0, 2.0, 2.0, 1.0])[-2:] == [0.0, 0.0]
    assert streamed(RSI(3), [5.0] * 6)[-3:] == [50.0, 50.0, 50.0]


def test_relative_strength_of_a_market_that_stands_still_stays() -> None:
    # 1 up and 3 down leave 25 with any averages; after 20,000 rows without a change these are
    # (1/2)**20,000 of what they were, far below the least float.
    state = RSI(2)
    for price in (5.0, 6.0, 3.0):
        state.update(price)
    assert state.value == 25.0
    for _ in range(20_000):
        assert state.update(3.0) == 25.0
    # The next move is all that is left.
    assert state.update(4.0) == 100.0


def test_cross_is_the_distance_of_two_averages() -> None:
    # Means of two and of three: 2.5 and 2; 6 and 14/3.
    prices = [1.0, 2.0, 3.0, 9.0]
    assert streamed(MovingAverageCross(2, 3), prices) == close([NAN, NAN, 0.25, 2.0 / 7.0])
    # alphas 2/3 and 1/2. Fast: 1, 5/3, 23/9; slow: 1, 3/2, 9/4.
    cross = MovingAverageCross(2, 3, kind="ema")
    assert streamed(cross, prices[:3]) == close([NAN, NAN, (23 / 9 - 9 / 4) / (9 / 4)])


@pytest.mark.parametrize("price", [0.1, 1e15, 1e-9, 1.0 / 3.0])
def test_window_of_equal_prices_has_no_score_and_no_deviation(price: float) -> None:
    for feature in (Zscore(7), Zscore(7, ddof=0), BollingerZ(7), MovingAverageCross(3, 7)):
        assert streamed(feature, [price / 2.0, *[price] * 30])[-20:] == [0.0] * 20
    assert streamed(RealizedVol(7, returns="difference"), [price] * 20)[-5:] == [0.0] * 5
    assert streamed(SMA(7), [price] * 30)[-20:] == [price] * 20
    assert streamed(EMA(7), [price] * 30)[-20:] == [price] * 20


def test_prices_that_differ_by_rounding_are_alike() -> None:
    # 0.1 + 0.2 is one step of a float above 0.3.
    rows = [0.3, 0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2]
    assert rows[0] != rows[1]
    for feature in (Zscore(3), BollingerZ(3)):
        assert streamed(feature, rows)[2:] == [0.0] * 3
        assert streamed(feature, [-row for row in rows])[2:] == [0.0] * 3
    # Small prices are no less apart: (1, 2, 3) in a small unit.
    assert streamed(Zscore(3), [k * 2.0**-60 for k in (1.0, 2.0, 3.0)])[-1] == 1.0
    # A step of 1e-12 is none of rounding: of (1, 1, 1 + d) the mean is d / 3 above 1, the sample
    # deviation d / sqrt(3), so the last stands 2 / sqrt(3) of them above.
    score = streamed(Zscore(3), [1.0, 1.0, 1.0 + 1e-12])[-1]
    assert score == pytest.approx(2.0 / math.sqrt(3.0), rel=1e-3)


def test_no_return_leads_away_from_zero() -> None:
    # The price 0 is in the returns to it (but not as a logarithm) and not in those from it.
    prices = [2.0, 0.0, 3.0, 6.0]
    assert streamed(Return(), prices) == close([NAN, -1.0, NAN, 1.0])
    assert streamed(Return(log=True), prices) == close([NAN, NAN, NAN, math.log(2.0)])
    # 50 % twice after it: what is undefined has left the window after two returns.
    vol = streamed(RealizedVol(2, returns="simple"), [2.0, 0.0, 4.0, 6.0, 9.0])
    assert vol == close([NAN, NAN, NAN, NAN, 0.0])
    assert streamed(MovingAverageCross(1, 2), [1.0, 0.0, 0.0])[-1:] == close([NAN])
    # Nor are there fractions of what is below 0, such as a feature fed a difference may see.
    for log in (False, True):
        assert streamed(Return(log=log), [-2.0, -3.0]) == close([NAN, NAN])
    for feature in (MovingAverageCross(1, 2), Return(), RealizedVol(2, returns="simple")):
        rows = [-2.0, -3.0, -2.5]
        assert same(feature.batch(rows), [NAN] * 3)
        assert same(streamed(feature, rows), [NAN] * 3)


# ---------------------------------------------------------------- what all of them can do
@each
def test_value_comes_with_the_last_row_of_the_window(feature: Feature) -> None:
    rows = [7.0, 5.0, 6.0, 9.0, 4.0, 8.0]
    values = streamed(feature, rows)
    assert [math.isnan(v) for v in values] == [k + 1 < feature.window for k in range(len(rows))]
    assert math.isnan(feature.value)  # the prototype has seen nothing


@each
def test_row_without_its_input_is_passed_over(feature: Feature) -> None:
    rows = [7.0, 5.0, 6.0, 9.0, 4.0, 8.0, 8.5, 3.0]
    gaps = [NAN, 7.0, 5.0, NAN, NAN, 6.0, 9.0, 4.0, 8.0, NAN, 8.5, 3.0, NAN]
    state, kept = feature.fresh(), []
    for row in gaps:
        before = state.value
        value = state.update(row)
        if row == row:
            kept.append(value)
        else:
            assert same(value, before)
        assert state.value is value
    assert same(kept, streamed(feature, rows))
    assert same(feature.batch(gaps), streamed(feature, gaps))


@each
def test_copies_and_pickles_go_on_where_the_state_was(feature: Feature) -> None:
    rows = [7.0, 5.0, 6.0, 9.0, 4.0, 8.0]
    state = feature.fresh()
    for row in rows:
        state.update(row)
    copies = [copy.deepcopy(state), pickle.loads(pickle.dumps(state))]
    copies.append(cloudpickle.loads(cloudpickle.dumps(state)))
    after = [state.update(row) for row in (2.0, 3.0, 11.0)]
    for one in copies:
        assert [one.update(row) for row in (2.0, 3.0, 11.0)] == after
        assert one == feature


@each
def test_equality_is_that_of_class_and_arguments(feature: Feature) -> None:
    same = feature.fresh()
    same.update(3.0)
    assert same == feature
    assert hash(same) == hash(feature)
    assert [other for other in ALL if other == feature] == [feature]
    assert feature != "a word"


def test_spelling_of_the_arguments_does_not_count() -> None:
    one, other = MovingAverageCross(10, 50), MovingAverageCross(slow=50, fast=10, kind="sma")
    assert one == other
    assert hash(one) == hash(other)


@each
def test_repr_makes_an_equal_feature(feature: Feature) -> None:
    names = {one.__name__: one for one in {type(f) for f in ALL}}
    assert eval(repr(feature), names) == feature


def test_reprs_say_what_was_chosen() -> None:
    assert repr(Zscore(np.int64(20))) == "Zscore(20)"
    assert repr(RSI()) == "RSI(14)"
    assert repr(EMA(20, 0.1)) == "EMA(20, alpha=0.1)"
    assert repr(MovingAverageCross(fast=10, slow=50)) == "MovingAverageCross(10, 50)"
    assert repr(BollingerZ(k=2.5)) == "BollingerZ(20, k=2.5)"
    assert Zscore(20).parameters == {"n": 20, "ddof": 1}


@each
def test_batch_leaves_its_feature_as_it_was(feature: Feature) -> None:
    state = feature.fresh()
    for row in (7.0, 5.0, 6.0):
        state.update(row)
    value = state.value
    first = state.batch([7.0, 5.0, 6.0, 9.0, 4.0, 8.0])
    assert same(state.value, value)
    assert same(first, streamed(feature, [7.0, 5.0, 6.0, 9.0, 4.0, 8.0]))
    assert same(state.update(9.0), first[3])


@each
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_batch_of_few_rows(feature: Feature, n: int) -> None:
    rows = [7.0, 5.0, 6.0][:n]
    given = np.array(rows)
    assert same(feature.batch(given), streamed(feature, rows))
    assert given.tolist() == rows
    assert feature.batch(given) is not given


@each
@pytest.mark.parametrize("value", [math.inf, -math.inf, 1.1e15])
def test_endless_and_huge_numbers_are_refused_before_anything_changes(
    feature: Feature, value: float
) -> None:
    state = feature.fresh()
    state.update(3.0)
    with pytest.raises(ValueError, match=r"at most 1e15 in size, was fed"):
        state.update(value)
    with pytest.raises(ValueError, match=r"price must be at most 1e15 in size, was .* in row 1"):
        state.batch([3.0, value])
    rows = [5.0, 6.0, 9.0, 4.0, 8.0]
    assert same([state.update(row) for row in rows], streamed(feature, [3.0, *rows])[1:])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: SMA(0), "n must be 1 or more, was 0"),
        (lambda: SMA(2.0), "n must be a whole number, was 2.0"),
        (lambda: SMA(True), "n must be a whole number, was True"),
        (lambda: EMA(3, alpha=1.5), "alpha must lie above 0, up to 1, was 1.5"),
        (lambda: EMA(3, alpha=0), "alpha must be above 0, was 0"),
        (lambda: Zscore(1), "n must be 2 or more, was 1"),
        (lambda: Zscore(5, ddof=2), "ddof must be 0 or 1, was 2"),
        (lambda: Zscore(5, ddof=-1), "ddof must be 0 or more, was -1"),
        (lambda: BollingerZ(20, k=0), "k must be above 0, was 0"),
        (lambda: BollingerZ(20, k=NAN), "k must be a finite number, was nan"),
        (lambda: RealizedVol(1), "n must be 2 or more, was 1"),
        (lambda: RealizedVol(9, "logs"), r"returns must be one of .*Did you mean 'log'"),
        (lambda: RealizedVol(9, periods_per_year=0), "periods_per_year must be above 0"),
        (lambda: Return(0), "n must be 1 or more, was 0"),
        (lambda: Return(1, log=1), "log must be True or False, was 1"),
        (lambda: RSI(0), "n must be 1 or more, was 0"),
        (lambda: MovingAverageCross(5, 5), "fast must be below slow, was 5 with a slow of 5"),
        (lambda: MovingAverageCross(2, 5, kind="wma"), "kind must be one of 'sma', 'ema'"),
        (lambda: Price(3), "takes 1 positional argument"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_arguments_are_refused_where_the_feature_is_made(make: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()


@pytest.mark.parametrize(
    "arrays, words",
    [
        ([], r"SMA\(3\) takes 1 arrays \(price\), was given 0"),
        ([[1.0], [2.0]], r"takes 1 arrays \(price\), was given 2"),
        ([["a"]], r"price must be numbers, was \['a'\]"),
        ([[[1.0]]], "price must have one dimension, had 2"),
    ],
    ids=["none", "two", "words", "table"],
)
def test_wrong_arrays_are_refused(arrays: list[Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        SMA(3).batch(*arrays)


# ---------------------------------------------------------------- one's own
class Imbalance(Feature):
    """Share of the displayed size that is bid, over the last `n` rows."""

    inputs = ("bid_size", "ask_size")

    def __init__(self, n: int, *, keep: bool = True) -> None:
        self.window = n
        self.seen: list[tuple[float, float]] = []

    def update(self, bid: float, ask: float) -> float:
        self.seen = [*self.seen, (bid, ask)][-self.window :]
        if len(self.seen) < self.window:
            return NAN
        return sum(b for b, _ in self.seen) / sum(b + a for b, a in self.seen)


def test_feature_of_ones_own_needs_its_update_only() -> None:
    mine = Imbalance(2, keep=False)
    assert repr(mine) == "Imbalance(2, keep=False)"
    assert mine == mine.fresh() != Imbalance(2)
    # (1, 3) and (2, 2): 3 of 8. The third row lacks its ask, the fourth its bid. (2, 2) and
    # (5, 1): 7 of 10.
    bids, asks = [1.0, 2.0, 4.0, NAN, 5.0], [3.0, 2.0, NAN, 9.0, 1.0]
    assert mine.batch(bids, asks).tolist() == close([NAN, 0.375, 0.375, 0.375, 0.7])
    assert pickle.loads(pickle.dumps(mine)) == mine
    with pytest.raises(ValueError, match="ask_size must be as long as bid_size, had 1 rows for 5"):
        mine.batch(bids, [1.0])


def test_ready_feature_can_be_fed_something_else() -> None:
    class MeanVolume(SMA):
        inputs = ("volume",)

    assert MeanVolume(2).fresh().inputs == ("volume",)
    assert MeanVolume(2).batch([10.0, 20.0]).tolist() == close([NAN, 15.0])
    assert MeanVolume(2) != SMA(2)


def test_ready_feature_can_be_changed() -> None:
    class Tame(Zscore):
        def update(self, price: float) -> float:
            return max(-1.0, min(1.0, super().update(price)))

    class Tamer(Tame):
        pass

    rows = [1.0, 1.0, 9.0, 9.0, 1.0, 1.0, 1.5] * 40
    for feature in (Tame(3), Tamer(3)):
        assert same(feature.batch(rows), streamed(feature, rows))
        assert feature.batch(rows)[2:].max() == 1.0 < Zscore(3).batch(rows)[2:].max()


def test_feature_without_update_cannot_be_made() -> None:
    class Empty(Feature):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Empty()
