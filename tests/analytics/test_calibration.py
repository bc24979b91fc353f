"""Calibration: numbers worked out by hand, a published table, scikit-learn, laws, recorded data."""

import math
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve as sklearn_curve

from horizon import _horizon
from horizon.analytics import forecasts
from horizon.analytics.calibration import (
    CalibrationCurve,
    brier_score,
    calibration_curve,
    log_loss,
    wilson_interval,
)
from horizon.errors import DataError

DATA = Path(__file__).parents[3] / "shared" / "data" / "forecast-calibration"
NFL = DATA / "fivethirtyeight_nfl_games_elo_forecasts.csv.gz"
POLYMARKET = DATA / "polymarket_mid_by_hours_before_close_2026-07.csv.gz"
HOSTILE = "<script>alert(1)</script>&\u202e"


def needs(path: Path) -> Any:
    return pytest.mark.skipif(not path.exists(), reason=f"no recorded data: {path.name}")


def parts(curve: CalibrationCurve) -> float:
    return curve.reliability - curve.resolution + curve.uncertainty + curve.within_bin


def drawn(n: int, seed: int = 5) -> tuple[Any, Any]:
    """Forecasts that are a little too sure of themselves."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.01, 0.99, n)
    return p, (rng.uniform(size=n) < 0.5 + 0.85 * (p - 0.5)).astype(float)


# ---------------------------------------------------------------------------- by hand
PREDICTIONS = [0.3, 0.7, 0.9, 0.1, 0.6, 0.8]
OUTCOMES = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]


def test_six_forecasts_in_five_bins_are_those_worked_out_by_hand() -> None:
    curve = calibration_curve(predictions=PREDICTIONS, outcomes=OUTCOMES, n_bins=5)
    # 0.1 → 0; 0.3 → int(1.5) = 1; 0.6 → 3 and 0.7 → int(3.5) = 3; 0.8 → 4 and 0.9 → 4.
    assert curve.bins == [(0.1, 0.0, 1), (0.3, 0.0, 1), (0.5, 0.0, 0), (0.7, 1.0, 2), (0.9, 0.5, 2)]
    # (0.09 + 0.09 + 0.01 + 0.01 + 0.16 + 0.64) / 6 = 1/6
    assert curve.brier_score == pytest.approx(1 / 6, abs=1e-15)
    # −ln(0.7 · 0.7 · 0.9 · 0.9 · 0.6 · 0.2) / 6
    by_hand = -math.log(0.7 * 0.7 * 0.9 * 0.9 * 0.6 * 0.2) / 6
    assert curve.log_loss == pytest.approx(by_hand, abs=1e-15)
    # Means 0.1, 0.3, –, 0.65, 0.85: (0.1 + 0.3 + 2 · 0.35 + 2 · 0.35) / 6 = 0.3
    assert curve.mean_predictions == pytest.approx([0.1, 0.3, 0.5, 0.65, 0.85])
    assert curve.ece == pytest.approx(0.3, abs=1e-15)
    # Reliability (0.01 + 0.09 + 2 · 0.1225 + 2 · 0.1225) / 6 = 0.59 / 6
    assert curve.reliability == pytest.approx(0.59 / 6, abs=1e-15)
    # The base rate is 1/2: resolution (0.25 + 0.25 + 2 · 0.25 + 0) / 6 = 1/6
    assert curve.base_rate == 0.5
    assert curve.resolution == pytest.approx(1 / 6, abs=1e-15)
    assert curve.uncertainty == 0.25
    # Within bins the predictions lie 0.05 either way: variance 4 · 0.0025 / 6 = 0.01 / 6.
    assert curve.within_bin_variance == pytest.approx(0.01 / 6, abs=1e-15)
    # Only the last bin has two outcomes: 0.9 · 1 + 0.8 · 0 − 2 · 0.85 · 0.5 = 0.05, twice / 6.
    assert curve.within_bin_covariance == pytest.approx(0.1 / 6, abs=1e-15)
    # 0.59 − 1 + 1.5 + 0.01 − 0.1 = 1, over 6
    assert parts(curve) == pytest.approx(1 / 6, abs=1e-15)
    assert curve.brier_skill_score == pytest.approx(1 - (1 / 6) / 0.25, abs=1e-15)
    assert curve.bin_edges == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert curve.count == 6


def test_three_forecasts_have_the_log_loss_worked_out_by_hand() -> None:
    # −(ln 0.7 + ln 0.7 + ln 0.9) / 3
    expected = -(2 * math.log(0.7) + math.log(0.9)) / 3
    found = log_loss(predictions=[0.7, 0.3, 0.9], outcomes=[1.0, 0.0, 1.0])
    assert found == pytest.approx(expected, abs=1e-16)


def test_always_saying_half_scores_a_quarter_and_ln_2() -> None:
    p, y = [0.5] * 4, [1, 0, 0, 1]
    assert brier_score(p, y) == 0.25
    assert log_loss(p, y) == pytest.approx(math.log(2), abs=1e-16)
    assert calibration_curve(p, y).brier_skill_score == 0.0


def test_ties_count_as_half_of_each() -> None:
    p, y = [0.8, 0.4, 0.4], [0.5, 1.0, 0.0]
    assert brier_score(p, y, ties=True) == pytest.approx((0.09 + 0.36 + 0.16) / 3, abs=1e-16)
    # The draw: −(ln 0.8 + ln 0.2) / 2
    expected = (-(math.log(0.8) + math.log(0.2)) / 2 - math.log(0.4) - math.log(0.6)) / 3
    assert log_loss(p, y, ties=True) == pytest.approx(expected, abs=1e-15)
    curve = calibration_curve(p, y, n_bins=2, ties=True)
    assert curve.bins == [(0.25, 0.5, 2), (0.75, 0.5, 1)]
    assert curve.brier_score == brier_score(p, y, ties=True)
    assert curve.log_loss == log_loss(p, y, ties=True)
    # The outcomes' own variance: (0.25 + 1) / 3 − 0.25 = 1/6
    assert curve.uncertainty == pytest.approx(1 / 6, abs=1e-15)
    assert parts(curve) == pytest.approx(curve.brier_score, abs=1e-15)


def test_a_prediction_on_an_edge_belongs_to_the_upper_uniform_bin() -> None:
    curve = calibration_curve([0.0, 0.25, 0.5, 0.75, 1.0], [0, 0, 1, 1, 1], n_bins=4)
    assert [count for _, _, count in curve.bins] == [1, 1, 1, 2]  # 1.0 joins the last


def test_each_bin_is_that_of_the_formula() -> None:
    # Products such as 0.29 × 100 round to just below or just above a whole number.
    for n_bins in (3, 7, 10, 49, 100, 1000):
        p = np.arange(n_bins + 1) / n_bins
        expected = [0] * n_bins
        for value in p.tolist():
            expected[min(int(value * n_bins), n_bins - 1)] += 1
        curve = calibration_curve(p, np.zeros(len(p)), n_bins)
        assert [count for _, _, count in curve.bins] == expected


# ---------------------------------------------------------------------------- the scores' ends
def test_certain_and_right_scores_nothing_and_certain_and_wrong_a_finite_loss() -> None:
    right = calibration_curve([1.0, 0.0], [1, 0])
    assert (right.brier_score, right.log_loss, right.ece) == (0.0, 0.0, 0.0)
    assert right.brier_skill_score == 1.0
    wrong = calibration_curve([1.0, 0.0], [0, 1])
    assert wrong.log_loss == pytest.approx(-math.log(1e-15), abs=1e-12)  # 34.54
    assert math.copysign(1.0, right.log_loss) == 1.0


def test_tiny_probabilities_lose_no_digits() -> None:
    assert log_loss([1e-9], [1]) == pytest.approx(9 * math.log(10), abs=1e-13)
    assert log_loss([1e-9], [0]) == pytest.approx(1e-9, rel=1e-7)
    assert log_loss([1e-30], [1]) == pytest.approx(15 * math.log(10), abs=1e-13)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("empty", [[], (), np.zeros(0), pd.Series(dtype=float)], ids=type)
def test_nothing_gives_the_values_that_the_docstring_names(strategy: str, empty: Any) -> None:
    curve = calibration_curve(empty, empty, n_bins=2, strategy=strategy, groups=empty)
    uniform = strategy == "uniform"
    assert curve.bins == ([(0.25, 0.0, 0), (0.75, 0.0, 0)] if uniform else [])
    assert curve.intervals == ([(0.0, 1.0), (0.0, 1.0)] if uniform else [])
    assert curve.mean_predictions == ([0.25, 0.75] if uniform else [])
    for name in ("brier_score", "log_loss", "ece", "reliability", "resolution", "uncertainty"):
        assert getattr(curve, name) == 0.0
    assert curve.brier_skill_score == curve.base_rate == curve.within_bin == 0.0
    assert (curve.count, curve.groups) == (0, {})
    assert len(curve.to_frame()) == len(curve.bins)
    assert log_loss(empty, empty) == brier_score(empty, empty) == 0.0


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("outcome", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("n", [1, 2, 1000])
def test_outcomes_that_are_all_alike_have_no_skill_to_show(
    strategy: str, outcome: float, n: int
) -> None:
    p = np.linspace(0.1, 0.9, n)
    curve = calibration_curve(p, np.full(n, outcome), strategy=strategy, ties=True)
    assert curve.uncertainty == 0.0
    assert curve.brier_skill_score == 0.0
    assert curve.resolution == pytest.approx(0.0, abs=1e-25)
    assert parts(curve) == pytest.approx(curve.brier_score, abs=1e-14)


def test_a_million_equal_forecasts_lose_nothing_in_the_sum() -> None:
    n = 1_000_000
    y = np.zeros(n)
    y[:300_000] = 1.0
    curve = calibration_curve(np.full(n, 0.1), y)
    assert curve.bins[1] == (0.15, 0.3, n)  # int(0.1 × 10) = 1
    assert curve.mean_predictions[1] == pytest.approx(0.1, abs=1e-12)
    assert curve.ece == pytest.approx(0.2, abs=1e-12)
    # 0.3 · 0.81 + 0.7 · 0.01
    assert curve.brier_score == pytest.approx(0.25, abs=1e-12)
    expected = -(0.3 * math.log(0.1) + 0.7 * math.log(0.9))
    assert curve.log_loss == pytest.approx(expected, abs=1e-12)


def test_sums_are_right_to_1e_12() -> None:
    p, y = drawn(50_000)
    n = len(p)
    missed = [(a - b) ** 2 for a, b in zip(p.tolist(), y.tolist(), strict=True)]
    told = [a if b else 1 - a for a, b in zip(p.tolist(), y.tolist(), strict=True)]
    curve = calibration_curve(p, y)
    assert curve.brier_score == pytest.approx(math.fsum(missed) / n, abs=1e-14)
    expected = -math.fsum(map(math.log, told)) / n
    assert curve.log_loss == pytest.approx(expected, abs=1e-14)
    assert log_loss(p, y) == curve.log_loss
    assert brier_score(p, y) == curve.brier_score
    for number, (_, frequency, count) in enumerate(curve.bins):
        inside = (p >= number / 10) & (p < (number + 1) / 10)
        assert count == inside.sum()
        assert frequency == pytest.approx(math.fsum(y[inside]) / count, abs=1e-15)
        mean = math.fsum(p[inside]) / count
        assert curve.mean_predictions[number] == pytest.approx(mean, abs=1e-13)


# ---------------------------------------------------------------------------- intervals
@pytest.mark.parametrize(
    ("events", "tries", "lower", "upper"),
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, Statistics in
    # Medicine 17, Table I, method 3 (the score method of Wilson), 95 %.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombes_table(
    events: int, tries: int, lower: float, upper: float
) -> None:
    found = wilson_interval(events / tries, tries)
    assert np.round(found, 4).tolist() == [lower, upper]
    curve = calibration_curve([0.5] * tries, [1] * events + [0] * (tries - events), n_bins=1)
    assert np.round(curve.intervals[0], 4).tolist() == [lower, upper]


def test_wilson_interval_of_nothing_is_everything_and_never_leaves_the_unit() -> None:
    lower, upper = wilson_interval([0.0, 0.0, 1.0], [0, 5, 5])
    assert (lower[0], upper[0]) == (0.0, 1.0)
    assert lower[1] == 0.0
    assert upper[2] == 1.0
    assert lower[2] == pytest.approx(1.0 - upper[1], abs=1e-15)


@pytest.mark.parametrize("confidence", [1e-300, 1.0 - 2.0**-53])
def test_the_ends_of_confidence_warn_of_nothing(confidence: float) -> None:
    lower, upper = wilson_interval([0.0, 0.3], [0, 10], confidence)
    assert (lower[0], upper[0]) == (0.0, 1.0)
    assert 0.0 <= lower[1] <= 0.3 <= upper[1] <= 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0.5, 1.5], 3), r"frequency must lie in \[0, 1\], was \[0.5, 1.5\]"),
        ((math.nan, 3), r"frequency must lie in \[0, 1\], was nan"),
        ((0.5, -1), "count must be finite and 0 or more, was -1"),
        ((0.5, math.nan), "count must be finite"),
        ((0.5, 3, 95), r"confidence must lie inside \(0, 1\), was 95"),
    ],
)
def test_wilson_interval_refuses_what_cannot_be(arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wilson_interval(*arguments)


def test_higher_confidence_is_a_wider_interval() -> None:
    p, y = drawn(500)
    narrow, wide = (calibration_curve(p, y, confidence=level) for level in (0.5, 0.999))
    assert (narrow.confidence, wide.confidence) == (0.5, 0.999)
    for (low, high), (lower, higher) in zip(narrow.intervals, wide.intervals, strict=True):
        assert lower < low < high < higher


# ---------------------------------------------------------------------------- scikit-learn
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_bins", [1, 5, 10, 37, 100])
def test_curve_and_scores_are_scikit_learns(strategy: str, seed: int, n_bins: int) -> None:
    p, y = drawn(2_003, seed)
    curve = calibration_curve(p, y, n_bins, strategy=strategy)
    rates, means = sklearn_curve(y, p, n_bins=n_bins, strategy=strategy)
    held = [i for i, (_, _, count) in enumerate(curve.bins) if count]
    np.testing.assert_allclose([curve.bins[i][1] for i in held], rates, rtol=0, atol=1e-9)
    np.testing.assert_allclose([curve.mean_predictions[i] for i in held], means, rtol=0, atol=1e-9)
    assert curve.brier_score == pytest.approx(metrics.brier_score_loss(y, p), abs=1e-9)
    assert curve.log_loss == pytest.approx(metrics.log_loss(y, p), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_quantile_bins_of_repeated_forecasts_are_scikit_learns_too(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.integers(0, 8, 401) / 8
    y = (rng.uniform(size=401) < p).astype(float)
    curve = calibration_curve(p, y, strategy="quantile")
    rates, means = sklearn_curve(y, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([rate for _, rate, _ in curve.bins], rates, rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.mean_predictions, means, rtol=0, atol=1e-12)


# ---------------------------------------------------------------------------- quantile bins
def test_quantile_bins_hold_equal_numbers() -> None:
    curve = calibration_curve(np.arange(1, 13) / 16, [0, 1] * 6, 4, strategy="quantile")
    assert [count for _, _, count in curve.bins] == [3, 3, 3, 3]
    # Quantiles at places 0, 2.75, 5.5, 8.25 and 11 of 1/16, 2/16 …
    assert curve.bin_edges == [1 / 16, 3.75 / 16, 6.5 / 16, 9.25 / 16, 12 / 16]
    assert curve.bins[0][0] == (1 + 3.75) / 32


def test_equal_forecasts_share_a_quantile_bin_and_none_is_empty() -> None:
    # Quartiles of eight: places 0, 1.75, 3.5, 5.25, 7 → 0.2, 0.2, 0.2, 0.5 + 0.25 · 0.2, 0.9
    p = [0.2, 0.2, 0.2, 0.2, 0.4, 0.5, 0.7, 0.9]
    curve = calibration_curve(p, [0, 0, 0, 1, 0, 1, 1, 1], 4, strategy="quantile")
    assert [(rate, count) for _, rate, count in curve.bins] == [(0.25, 4), (0.5, 2), (1.0, 2)]
    assert curve.bin_edges == pytest.approx([0.2, 0.2, 0.55, 0.9])
    alone = calibration_curve([0.3] * 5, [1, 0, 0, 0, 0], 4, strategy="quantile")
    assert alone.bins == [(0.3, 0.2, 5)]
    assert alone.bin_edges == [0.3, 0.3]


def test_what_lies_empty_between_two_quantiles_joins_the_bin_above() -> None:
    # Terciles and more of 0 0 0 1 1 1 in four: 0, 0, 0.5, 1, 1; nothing lies in (0, 0.5].
    curve = calibration_curve([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1], 4, strategy="quantile")
    assert [(rate, count) for _, rate, count in curve.bins] == [(pytest.approx(1 / 3), 3), (1.0, 3)]
    assert curve.bin_edges == [0.0, 0.0, 1.0]


def test_many_quantile_bins_are_found_as_few_are() -> None:
    p, y = drawn(3_000)
    searched = calibration_curve(p, y, 60, strategy="quantile")
    assert {count for _, _, count in searched.bins} == {50}
    assert parts(searched) == pytest.approx(searched.brier_score, abs=1e-14)


# ---------------------------------------------------------------------------- groups
def test_groups_by_category_are_the_curves_of_their_subsets() -> None:
    p, y = drawn(300)
    labels = np.array(["sport", "crypto", "politics"])[np.arange(300) % 3]
    curve = calibration_curve(p, y, 4, groups=labels, confidence=0.9)
    assert list(curve.groups) == ["crypto", "politics", "sport"]  # sorted
    for label, own in curve.groups.items():
        chosen = labels == label
        assert own == calibration_curve(p[chosen], y[chosen], 4, confidence=0.9)
    whole = calibration_curve(p, y, 4, confidence=0.9)
    assert curve.brier_score == whole.brier_score
    frame = curve.groups_frame()
    assert list(frame.index) == list(curve.groups)
    assert frame["count"].sum() == 300
    assert (frame["count"] * frame["brier_score"]).sum() / 300 == pytest.approx(whole.brier_score)


def test_groups_by_number_are_cut_at_edges_and_lose_nothing() -> None:
    hours = [0.0, 0.5, 1.0, 3.9, 24.0, 100.0, math.inf, -5.0]
    curve = calibration_curve([0.5] * 8, [1] * 8, groups=hours, group_edges=[1, 24, 48.5, 1000])
    counts = {label: own.count for label, own in curve.groups.items()}
    # "48.5 to 1000" holds 100; nothing else lies there, and "24 to 48.5" holds 24.
    assert counts == {
        "below 1": 3,
        "1 to 24": 2,
        "24 to 48.5": 1,
        "48.5 to 1000": 1,
        "1000 or more": 1,
    }
    few = calibration_curve([0.5], [1], groups=[3.0], group_edges=[1, 2])
    assert list(few.groups) == ["2 or more"]


def test_edges_that_look_alike_stay_apart() -> None:
    close = [0.1, math.nextafter(0.1, 1.0), 0.3]
    curve = calibration_curve([0.5] * 3, [1] * 3, groups=close, group_edges=close)
    assert [own.count for own in curve.groups.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([3, 1, 3], [1, 3]),
        (np.array([True, False, True]), [False, True]),
        (["b", "a", "b"], ["a", "b"]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"]),
        (pl.Series(["b", "a", "b"]), ["a", "b"]),
        (pa.chunked_array([["b", "a"], ["b"]]), ["a", "b"]),
        (["b", 1, "b"], ["b", 1]),  # cannot be sorted: as they appear
        ([("x", 2), ("x", 1), ("x", 2)], [("x", 1), ("x", 2)]),
        (iter("bab"), ["a", "b"]),
    ],
    ids=["int", "bool", "text", "categorical", "polars", "arrow", "mixed", "pairs", "iterator"],
)
def test_labels_of_many_kinds(labels: Any, expected: list[Any]) -> None:
    curve = calibration_curve([0.1, 0.2, 0.3], [0, 1, 0], groups=labels)
    assert list(curve.groups) == expected
    assert sorted(own.count for own in curve.groups.values()) == [1, 2]
    assert len(curve.groups_frame()) == 2


# ---------------------------------------------------------------------------- what is taken
P, Y = [0.25, 0.75, 0.5], [0, 1, 1]


@pytest.mark.parametrize(
    ("p", "y"),
    [
        (tuple(P), tuple(Y)),
        (iter(P), iter(Y)),
        (np.array(P), np.array(Y)),
        (np.array(P, np.float32), np.array(Y, np.int8)),
        (np.array(P, ">f8"), np.array(Y, bool)),
        (np.repeat(P, 2)[::2], np.repeat(np.array(Y, float), 2)[::2]),
        (pd.Series(P, index=[5, 5, 1]), pd.Series(Y, dtype="boolean", index=[5, 5, 1])),
        (pd.Series(P, dtype="Float64"), pd.Series(Y, dtype="Int64")),
        (pl.Series(P), pl.Series(Y).cast(pl.Boolean)),
        (pa.array(P), pa.array(Y)),
        ([Fraction(1, 4), 0.75, np.float32(0.5)], [False, True, np.True_]),
        (np.ma.array(P), np.ma.array(Y)),
        ({"a": 0.25, "b": 0.75, "c": 0.5}.values(), Y),
    ],
    ids=[
        "tuples", "iterators", "arrays", "small types", "byte order", "strides", "pandas",
        "nullable", "polars", "arrow", "mixed", "masked", "values of a dict",
    ],
)  # fmt: skip
def test_columns_of_many_kinds_are_one(p: Any, y: Any) -> None:
    assert calibration_curve(p, y) == calibration_curve(P, Y)


def test_the_callers_arrays_are_left_alone() -> None:
    p, y = drawn(20_000)
    before = p.copy(), y.copy()
    p.flags.writeable = y.flags.writeable = False
    calibration_curve(p, y, groups=y, strategy="quantile")
    log_loss(p, y)
    assert (p == before[0]).all()
    assert (y == before[1]).all()


@pytest.mark.parametrize("call", [calibration_curve, log_loss, brier_score])
@pytest.mark.parametrize(
    ("p", "y", "row", "said"),
    [
        ([0.5, 1.2], [0, 1], 1, r"predictions\[1\] must be from 0 to 1, was 1.2"),
        ([0.5, -1e-9], [0, 1], 1, r"predictions\[1\] must be from 0 to 1, was -1e-09"),
        ([math.nan, 0.5], [0, 1], 0, r"predictions\[0\] must be from 0 to 1, was nan"),
        ([0.5, None], [0, 1], 1, r"predictions\[1\] must be from 0 to 1, was nan"),
        ([0.5, math.inf], [0, 1], 1, r"predictions\[1\] must be from 0 to 1, was inf"),
        ([0.5, "0.5"], [0, 1], 1, r"predictions\[1\] must be a number, was '0.5'"),
        ([0.5, True], [0, 1], 1, r"predictions\[1\] must be a number, was True"),
        (np.array([True, False]), [0, 1], 0, r"predictions\[0\] must be a number, was True"),
        ([0.5, 10**400], [0, 1], 1, r"predictions\[1\] must be a number, was 1000"),
        ([0.5, 0.5], [0, 0.5], 1, r"outcomes\[1\] must be 0 or 1, was 0.5 \(ties=True takes"),
        ([0.5, 0.5], [0, 2], 1, r"outcomes\[1\] must be 0 or 1, was 2.0$"),
        ([0.5, 0.5], [math.nan, 1], 0, r"outcomes\[0\] must be 0 or 1, was nan"),
        ([0.5, 0.5], ["1", 1], 0, r"outcomes\[0\] must be a number, was '1'"),
        (np.ma.array([0.5, 0.5], mask=[0, 1]), [0, 1], 1, r"predictions\[1\] .* was nan"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_true_is_named(call: Any, p: Any, y: Any, row: int, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        call(p, y)
    assert caught.value.row == row


@pytest.mark.parametrize("column", ["predictions", "outcomes"])
@pytest.mark.parametrize("row", [0, 8_191, 8_192, 19_999])
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_a_row_is_named_wherever_it_stands(column: str, row: int, strategy: str) -> None:
    columns = dict(zip(("predictions", "outcomes"), drawn(20_000), strict=True))
    columns[column][row] = math.nan
    with pytest.raises(DataError, match=rf"{column}\[{row}\]"):
        calibration_curve(**columns, strategy=strategy)


@pytest.mark.parametrize("bad", [1.5, -0.5, math.nan])
def test_ties_take_nothing_outside_the_unit(bad: float) -> None:
    with pytest.raises(DataError, match=r"outcomes\[2\] must be from 0 to 1"):
        calibration_curve([0.5] * 3, [0.5, 1.0, bad], ties=True)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"predictions": [0.5]}, ValueError, "one length, had: predictions 1, outcomes 2"),
        ({"predictions": 0.5}, TypeError, "predictions must be one column of numbers, was a float"),
        ({"predictions": "0.5"}, TypeError, "predictions must be one column"),
        ({"predictions": {0.5, 0.6}}, TypeError, "was a set"),
        ({"predictions": {"a": 0.5}}, TypeError, "was a dict"),
        ({"predictions": np.full((2, 1), 0.5)}, TypeError, "has 2 dimensions"),
        ({"predictions": np.array(0.5)}, TypeError, "has 0 dimensions"),
        ({"predictions": pd.DataFrame({"p": [0.5, 0.5]})}, TypeError, "was a DataFrame"),
        ({"n_bins": 0}, ValueError, "n_bins must be 1 or more"),
        ({"n_bins": 10.0}, TypeError, "n_bins must be a whole number"),
        ({"n_bins": True}, TypeError, "n_bins"),
        ({"n_bins": 10**6}, ValueError, "n_bins must be at most 100,000, was 1000000"),
        ({"strategy": "quantiles"}, ValueError, "Did you mean 'quantile'"),
        ({"ties": 1}, TypeError, "ties must be True or False"),
        ({"confidence": 95}, ValueError, r"confidence must lie inside \(0, 1\), was 95"),
        ({"confidence": 0.0}, ValueError, "confidence"),
        ({"confidence": math.nan}, ValueError, "confidence"),
        ({"group_edges": [1]}, ValueError, "group_edges must come with groups"),
        ({"groups": ["a"]}, ValueError, "groups must have a label for each pair, had 1 for 2"),
        ({"groups": "ab"}, TypeError, "groups must be one column of labels, was a str"),
        ({"groups": np.zeros((2, 2))}, TypeError, "groups must be one column"),
        ({"groups": ["a", None]}, DataError, r"groups\[1\] must be a label, was None"),
        ({"groups": np.array([1.0, math.nan])}, DataError, r"groups\[1\] must be a label"),
        ({"groups": [["a"], ["b"]]}, TypeError, "labels that can be counted"),
        ({"groups": [1], "group_edges": [1]}, ValueError, "a number for each pair, had 1 for 2"),
        ({"groups": [1, math.nan], "group_edges": [1]}, DataError, r"groups\[1\] must be a number"),
        ({"groups": [1, "x"], "group_edges": [1]}, DataError, r"groups\[1\] must be a number"),
        ({"groups": [1, 2], "group_edges": []}, ValueError, "group_edges must be rising"),
        ({"groups": [1, 2], "group_edges": [2, 1]}, ValueError, r"was \[2.0, 1.0\]"),
        ({"groups": [1, 2], "group_edges": [1, 1]}, ValueError, "group_edges must be rising"),
        ({"groups": [1, 2], "group_edges": [math.inf]}, ValueError, "group_edges must be rising"),
        ({"groups": [1, 2], "group_edges": range(1000)}, ValueError, "fewer than 1,000"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(arguments: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        calibration_curve(**{"predictions": [0.5, 0.5], "outcomes": [0, 1], **arguments})


def test_numbers_are_not_taken_for_categories() -> None:
    p, y = drawn(2_000)
    with pytest.raises(ValueError, match=r"at most 1,000 labels, had 2,000; .* group_edges"):
        calibration_curve(p, y, groups=p)


# ---------------------------------------------------------------------------- laws
#: Odd multiples of 1/256 lie on no edge of up to 128 bins, and 1 − p is exact.
dyadic = st.integers(0, 127).map(lambda k: (2 * k + 1) / 256)
pairs = st.lists(st.tuples(dyadic, st.sampled_from([0.0, 1.0])), min_size=1, max_size=80)
any_pairs = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0))),
    min_size=1,
    max_size=80,
)
strategies = st.sampled_from(["uniform", "quantile"])
quick = settings(max_examples=60, deadline=None)


def columns(rows: list[tuple[float, float]]) -> tuple[Any, Any]:
    p, y = zip(*rows, strict=True)
    return np.array(p), np.array(y)


def same(first: CalibrationCurve, second: CalibrationCurve) -> None:
    """The same but for the order in which was added up."""
    assert [row[2] for row in first.bins] == [row[2] for row in second.bins]
    a, b = first.to_frame(), second.to_frame()
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    for name in ("brier_score", "ece", "reliability", "resolution", "uncertainty", "within_bin"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-12)
    assert first.log_loss == pytest.approx(second.log_loss, rel=1e-12, abs=1e-12)


@quick
@given(any_pairs, st.integers(1, 60), strategies)
def test_the_parts_add_up_to_the_brier_score(
    rows: list[tuple[float, float]], n_bins: int, strategy: str
) -> None:
    p, y = columns(rows)
    curve = calibration_curve(p, y, n_bins, strategy=strategy, ties=True)
    assert parts(curve) == pytest.approx(curve.brier_score, abs=1e-13)
    assert curve.brier_score == pytest.approx(math.fsum((p - y) ** 2) / len(p), abs=1e-13)
    assert sum(count for _, _, count in curve.bins) == curve.count == len(rows)
    assert len(curve.bins) == len(curve.bin_edges) - 1 <= n_bins
    for (_, rate, _), (lower, upper) in zip(curve.bins, curve.intervals, strict=True):
        assert 0.0 <= lower <= rate <= upper <= 1.0
    for start, stop, mean in zip(
        curve.bin_edges[:-1], curve.bin_edges[1:], curve.mean_predictions, strict=True
    ):
        assert start - 1e-12 <= mean <= stop + 1e-12


@quick
@given(pairs, st.integers(1, 20), strategies, st.randoms(use_true_random=False))
def test_the_order_of_pairs_changes_nothing(
    rows: list[tuple[float, float]], n_bins: int, strategy: str, chance: Any
) -> None:
    other = list(rows)
    chance.shuffle(other)
    same(
        calibration_curve(*columns(rows), n_bins, strategy=strategy),
        calibration_curve(*columns(other), n_bins, strategy=strategy),
    )


@quick
@given(pairs, st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]))
def test_the_complement_is_the_mirror_image(rows: list[tuple[float, float]], n_bins: int) -> None:
    p, y = columns(rows)
    curve = calibration_curve(p, y, n_bins)
    mirrored = calibration_curve(1.0 - p, 1.0 - y, n_bins)
    assert [row[2] for row in curve.bins] == [row[2] for row in mirrored.bins][::-1]
    held = [i for i, row in enumerate(curve.bins) if row[2]]
    for i in held:
        j = n_bins - 1 - i
        assert curve.bins[i][1] == pytest.approx(1.0 - mirrored.bins[j][1], abs=1e-12)
        assert curve.mean_predictions[i] == pytest.approx(1.0 - mirrored.mean_predictions[j])
        assert curve.intervals[i][0] == pytest.approx(1.0 - mirrored.intervals[j][1], abs=1e-12)
    for name in ("brier_score", "log_loss", "ece", "reliability", "resolution", "uncertainty"):
        assert getattr(curve, name) == pytest.approx(getattr(mirrored, name), abs=1e-12)
    assert curve.base_rate == pytest.approx(1.0 - mirrored.base_rate)


@quick
@given(any_pairs, st.integers(1, 9), strategies)
def test_where_chunks_are_cut_does_not_matter(
    rows: list[tuple[float, float]], chunk: int, strategy: str
) -> None:
    p, y = columns(rows)
    whole = calibration_curve(p, y, 5, strategy=strategy, ties=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecasts, "CHUNK", chunk)
        same(whole, calibration_curve(p, y, 5, strategy=strategy, ties=True))
        assert log_loss(p, y, ties=True) == pytest.approx(whole.log_loss, rel=1e-12, abs=1e-12)
        assert brier_score(p, y, ties=True) == pytest.approx(whole.brier_score, abs=1e-12)


@quick
@given(st.lists(st.tuples(dyadic, st.booleans(), st.integers(0, 3)), min_size=1, max_size=60))
def test_each_group_is_the_curve_of_its_subset(rows: list[tuple[float, bool, int]]) -> None:
    p, y, labels = map(np.array, zip(*rows, strict=True))
    curve = calibration_curve(p, y, 4, groups=labels, strategy="quantile")
    assert set(curve.groups) == set(labels.tolist())
    for label, own in curve.groups.items():
        alone = calibration_curve(p[labels == label], y[labels == label], 4, strategy="quantile")
        assert own == alone
    cut = calibration_curve(p, y, 4, groups=labels, group_edges=[1, 2, 3], strategy="quantile")
    assert list(cut.groups.values()) == [curve.groups[label] for label in sorted(curve.groups)]


# ---------------------------------------------------------------------------- shown
def test_repr_is_one_readable_line() -> None:
    curve = calibration_curve(PREDICTIONS, OUTCOMES, n_bins=5, groups=list("aabbbb"))
    assert repr(curve) == (
        "CalibrationCurve(6 pairs in 5 uniform bins, 2 groups: Brier 0.1667, log loss 0.5074, "
        "ECE 0.3000, skill 0.3333)"
    )
    assert repr(calibration_curve([0.5], [1], 1)).startswith("CalibrationCurve(1 pair in 1 uni")


def test_html_escapes_labels_and_shows_what_cannot_be_seen() -> None:
    shown = calibration_curve([0.5, 0.6], [1, 0], groups=[HOSTILE, "b"])._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;⟨U+202E⟩" in shown
    assert "95 % interval" in shown
    assert "–" in shown  # an empty bin has no frequency
    assert "Group" not in calibration_curve([0.5], [1])._repr_html_()


def test_html_of_many_bins_and_groups_is_cut_and_says_so() -> None:
    p, y = drawn(400)
    shown = calibration_curve(p, y, 5_000, groups=np.arange(400) % 100)._repr_html_()
    assert "Bins, the first 60 of 5,000" in shown
    assert "Groups, the first 60 of 100" in shown
    assert shown.count("<tr>") == 60 + 60 + 9 + 2


def test_frame_holds_the_bins() -> None:
    curve = calibration_curve(PREDICTIONS, OUTCOMES, n_bins=5)
    frame = curve.to_frame()
    assert frame["count"].dtype == np.int64
    assert frame["count"].tolist() == [1, 1, 0, 2, 2]
    assert list(zip(frame["centre"], frame["frequency"], frame["count"], strict=True)) == curve.bins
    assert frame["mean_prediction"].tolist() == curve.mean_predictions
    assert list(zip(frame["lower"], frame["upper"], strict=True)) == curve.intervals
    assert frame.loc[3, ["from", "to"]].tolist() == [0.6, 0.8]
    assert len(curve.groups_frame()) == 0


def test_curve_is_frozen_and_survives_pickling() -> None:
    curve = calibration_curve(PREDICTIONS, OUTCOMES, groups=list("aabbbb"))
    with pytest.raises(AttributeError):
        curve.ece = 0.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(curve)) == curve


def test_the_alias_module_has_the_same_functions() -> None:
    assert _horizon.calibration_curve is calibration_curve
    assert _horizon.log_loss is log_loss


# ---------------------------------------------------------------------------- recorded data
@needs(NFL)
def test_a_century_of_football_with_its_ties() -> None:
    games = pd.read_csv(NFL)
    with pytest.raises(DataError, match=r"outcomes\[\d+\] must be 0 or 1, was 0.5"):
        calibration_curve(games["prob1"], games["prob1_outcome"])
    curve = calibration_curve(
        games["prob1"], games["prob1_outcome"], ties=True, groups=games["season"]
    )
    assert curve.count == len(games) == 1_889
    missed = (games["prob1"] - games["prob1_outcome"]) ** 2
    assert curve.brier_score == pytest.approx(missed.mean(), abs=1e-12)
    assert parts(curve) == pytest.approx(curve.brier_score, abs=1e-13)
    assert sum(own.count for own in curve.groups.values()) == 1_889
    # The forecasts know something, and no bin with many games is far off.
    assert 0.05 < curve.brier_skill_score < 0.25
    for (_, _, count), (lower, upper), mean in zip(
        curve.bins, curve.intervals, curve.mean_predictions, strict=True
    ):
        if count >= 100:
            assert lower - 0.05 < mean < upper + 0.05
    # The other side of every game is the mirror image.
    other = calibration_curve(games["prob2"], games["prob2_outcome"], ties=True)
    assert other.brier_score == pytest.approx(curve.brier_score, abs=1e-9)
    assert other.log_loss == pytest.approx(curve.log_loss, abs=1e-9)


@needs(POLYMARKET)
def test_markets_are_sharper_the_nearer_they_are_to_their_close() -> None:
    rows = pd.read_csv(POLYMARKET)
    curve = calibration_curve(
        rows["mid"],
        rows["outcome_yes"],
        groups=rows["hours_before_last_quote"],
        group_edges=[1, 4, 24],
    )
    assert list(curve.groups) == ["below 1", "1 to 4", "4 to 24", "24 or more"]
    assert sum(own.count for own in curve.groups.values()) == curve.count == 45_336
    hours = rows["hours_before_last_quote"]
    near = rows[(hours >= 1) & (hours < 4)]
    own = curve.groups["1 to 4"]
    assert own.count == len(near)
    expected = metrics.brier_score_loss(near["outcome_yes"], near["mid"])
    assert own.brier_score == pytest.approx(expected, abs=1e-9)
    scores = [curve.groups[label].brier_score for label in ("below 1", "1 to 4", "4 to 24")]
    assert scores == sorted(scores)


def test_series_of_other_labels_are_to_be_aligned_first() -> None:
    predictions = pd.Series([0.2, 0.8, 0.5], index=list("abc"))
    outcomes = pd.Series([0.0, 1.0, 1.0], index=list("bac"))
    for judge in (calibration_curve, log_loss, brier_score):
        with pytest.raises(ValueError, match=r"^outcomes must have the index of predictions"):
            judge(predictions, outcomes)
    aligned = outcomes.reindex(predictions.index)  # a 1, b 0, c 1
    # 0.8² + 0.8² + 0.5² = 1.53
    assert brier_score(predictions, aligned) == pytest.approx(0.51, rel=1e-12)


def test_swapped_columns_are_told_which_comes_first() -> None:
    with pytest.raises(ValueError, match="predictions come first"):
        log_loss([1, 0, 1], [0.9, 0.2, 0.8])
