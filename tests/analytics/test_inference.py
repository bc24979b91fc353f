"""Chance in a result: numbers worked out by hand, and what resampling must keep to."""

import math

import numpy as np
import pytest

from horizon import analytics as an
from horizon.analytics.inference import Interval
from horizon.errors import DataError

Z95 = 1.6448536269514722


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


# ------------------------------------------------------------------------ Sharpe ratios
def test_standard_error_of_a_sharpe_ratio() -> None:
    # Normal: (1 + 0.5 * 0.04) / 24.
    assert an.sharpe_standard_error(0.2, 25) == close(math.sqrt(1.02 / 24))
    # Skewness -1, kurtosis 5: (1 + 0.2 + 0.04) / 24.
    found = an.sharpe_standard_error(0.2, 25, skewness=-1.0, kurtosis=5.0)
    assert found == close(math.sqrt(1.24 / 24))
    assert an.sharpe_standard_error(0.2, 1) == math.inf
    assert an.sharpe_standard_error(0.2, 0) == math.inf


def test_standard_error_of_two_values_may_be_none() -> None:
    # Kurtosis is 1 + skewness², and skewness times the ratio 2: 1 - 2 + (0.25 * 4) = 0.
    assert an.sharpe_standard_error(2.0, 10, skewness=1.0, kurtosis=2.0) == 0.0
    almost = math.nextafter(2.0, 1.0)
    assert an.sharpe_standard_error(2.0, 10, skewness=1.0, kurtosis=almost) == 0.0


@pytest.mark.parametrize("scale", [0.0012, 0.01, 0.0314159, 0.05, 0.1])
def test_two_values_with_the_least_error_have_a_record(scale: float) -> None:
    # 3, -1, -1, -1: m2 = 3, m3 = 6, skewness 6/3^1.5; moved so that skewness times mean over
    # sample deviation (2 scales) is 2.
    returns = (np.array([3.0, -1.0, -1.0, -1.0]) + 4.0 / (6.0 / 3.0**1.5)) * scale
    sheet = an.Tearsheet.from_returns([(86_400.0 * i, r) for i, r in enumerate(returns)])
    assert sheet.metrics.sharpe_standard_error == pytest.approx(0.0, abs=1e-5)
    assert sheet.metrics.probabilistic_sharpe_ratio == pytest.approx(1.0)


def test_moments_that_no_returns_have_are_refused() -> None:
    with pytest.raises(ValueError, match="skewness and kurtosis must be possible together"):
        an.sharpe_standard_error(2.0, 10, skewness=3.0, kurtosis=1.0)


def test_probabilistic_sharpe_is_a_normal_probability() -> None:
    # Ratio 0.2 over its error sqrt(1.02 / 24) = 0.206155: 0.970143; Φ(0.970143) = 0.8340.
    assert an.probabilistic_sharpe_ratio(0.2, 25) == pytest.approx(0.83401, abs=5e-6)
    assert an.probabilistic_sharpe_ratio(0.2, 25, benchmark=0.2) == 0.5
    below = an.probabilistic_sharpe_ratio(0.2, 25, benchmark=0.4)
    assert below == pytest.approx(1.0 - 0.83401, abs=5e-6)
    assert an.probabilistic_sharpe_ratio(5.0, 1) == 0.5


def test_probabilistic_sharpe_without_error_is_certain() -> None:
    exact = {"skewness": 1.0, "kurtosis": 2.0}  # no error at a ratio of 2
    assert an.probabilistic_sharpe_ratio(2.0, 10, **exact) == 1.0
    assert an.probabilistic_sharpe_ratio(2.0, 10, benchmark=3.0, **exact) == 0.0
    assert an.probabilistic_sharpe_ratio(2.0, 10, benchmark=2.0, **exact) == 0.5


def test_minimum_track_record() -> None:
    # 1 + 1.02 * (1.6449 / 0.2)²; against 0.1 with kurtosis 5: 1 + 1.04 * (1.6449 / 0.1)².
    assert an.minimum_track_record(0.2) == close(1 + 1.02 * (Z95 / 0.2) ** 2)
    found = an.minimum_track_record(0.2, benchmark=0.1, kurtosis=5.0)
    assert found == close(1 + 1.04 * (Z95 / 0.1) ** 2)
    skewed = an.minimum_track_record(0.2, skewness=-1.0)
    assert skewed == close(1 + 1.22 * (Z95 / 0.2) ** 2)
    # 97.5 %: 1.959963984540054.
    more = an.minimum_track_record(0.2, confidence=0.975)
    assert more == close(1 + 1.02 * (1.959963984540054 / 0.2) ** 2)


def test_track_record_and_probability_say_the_same() -> None:
    needed = an.minimum_track_record(0.1, skewness=-0.5, kurtosis=4.0)
    n = math.ceil(needed)
    shape = {"skewness": -0.5, "kurtosis": 4.0}
    assert an.probabilistic_sharpe_ratio(0.1, n, **shape) >= 0.95
    assert an.probabilistic_sharpe_ratio(0.1, n - 1, **shape) < 0.95


@pytest.mark.parametrize("sharpe", [0.0, -0.3, 1e-200])
def test_no_record_is_long_enough_for_no_skill(sharpe: float) -> None:
    assert an.minimum_track_record(sharpe) == math.inf


def test_expected_maximum_of_trials() -> None:
    # Ten trials: 0.42278 * 1.281552 + 0.57722 * Φ⁻¹(1 - 1/27.18282) = 1.789232.
    assert an.expected_maximum_sharpe(10, 1.0) == pytest.approx(1.5746, abs=5e-5)
    assert an.expected_maximum_sharpe(10, 4.0) == close(2 * an.expected_maximum_sharpe(10, 1.0))
    assert an.expected_maximum_sharpe(1, 1.0) == 0.0
    assert an.expected_maximum_sharpe(10, 0.0) == 0.0


def test_expected_maximum_is_near_that_of_simulated_trials() -> None:
    best = np.random.default_rng(2).standard_normal((20_000, 50)).max(axis=1)
    # The formula is an approximation for many trials; simulation has an error of 0.003.
    assert an.expected_maximum_sharpe(50, 1.0) == pytest.approx(float(best.mean()), abs=0.03)


def test_deflated_sharpe_is_probabilistic_against_the_expected_maximum() -> None:
    shape = {"skewness": -1.0, "kurtosis": 6.0}
    bar = an.expected_maximum_sharpe(20, 0.01)
    found = an.deflated_sharpe_ratio(0.3, 100, n_trials=20, variance=0.01, **shape)
    assert found == an.probabilistic_sharpe_ratio(0.3, 100, benchmark=bar, **shape)
    alone = an.deflated_sharpe_ratio(0.3, 100, n_trials=1, variance=0.01, **shape)
    assert alone == an.probabilistic_sharpe_ratio(0.3, 100, **shape)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: an.sharpe_standard_error(math.nan, 5), "sharpe"),
        (lambda: an.sharpe_standard_error(0.1, 5.5), "n"),
        (lambda: an.sharpe_standard_error(0.1, -1), "n"),
        (lambda: an.sharpe_standard_error(0.1, 5, skewness=math.inf), "skewness"),
        (lambda: an.sharpe_standard_error(0.1, 1, skewness=math.inf), "skewness"),
        (lambda: an.sharpe_standard_error(0.1, 5, kurtosis="3"), "kurtosis"),
        (lambda: an.probabilistic_sharpe_ratio(0.1, 5, benchmark=math.nan), "benchmark"),
        (lambda: an.minimum_track_record(0.1, confidence=1.0), "confidence"),
        (lambda: an.minimum_track_record(0.1, benchmark=math.nan), "benchmark"),
        (lambda: an.expected_maximum_sharpe(0, 1.0), "n_trials"),
        (lambda: an.expected_maximum_sharpe(10, -1.0), "variance"),
        (lambda: an.deflated_sharpe_ratio(0.1, 5, n_trials=2.0, variance=1.0), "n_trials"),
    ],
)
def test_wrong_argument_is_named(call: object, name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} must "):
        call()


# ------------------------------------------------------------------------ bootstrap
@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(4).normal(0.001, 0.01, 250)


def test_interval_holds_the_value_and_what_was_asked(noise: np.ndarray) -> None:
    found = an.bootstrap_interval(noise, n_resamples=200, confidence=0.9, block=5)
    assert found.value == close(an.sharpe_ratio(noise))
    assert found.low < found.value < found.high
    assert (found.confidence, found.block, found.n_resamples) == (0.9, 5.0, 200)
    fall = an.bootstrap_interval(noise, "max_drawdown", n_resamples=200)
    assert fall.value == close(an.max_drawdown(an.equity_of(noise)))
    assert 0.0 <= fall.low <= fall.high <= 1.0
    assert fall.block == close(250 ** (1 / 3))


def test_same_seed_gives_the_same_interval(noise: np.ndarray) -> None:
    first = an.bootstrap_interval(noise, seed=7, n_resamples=100)
    assert an.bootstrap_interval(noise, seed=7, n_resamples=100) == first
    assert an.bootstrap_interval(noise, seed=8, n_resamples=100) != first


def test_more_confidence_is_a_wider_interval(noise: np.ndarray) -> None:
    narrow = an.bootstrap_interval(noise, confidence=0.5, n_resamples=300)
    wide = an.bootstrap_interval(noise, confidence=0.99, n_resamples=300)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_sharpe_of_the_interval_is_annualised(noise: np.ndarray) -> None:
    by_day = an.bootstrap_interval(noise, periods_per_year=1, n_resamples=100)
    by_year = an.bootstrap_interval(noise, periods_per_year=252, n_resamples=100)
    root = math.sqrt(252)
    assert (by_year.value, by_year.low, by_year.high) == pytest.approx(
        (by_day.value * root, by_day.low * root, by_day.high * root)
    )


def test_any_statistic_of_one_resample(noise: np.ndarray) -> None:
    shapes = set()

    def lowest(sample: np.ndarray) -> float:
        shapes.add(sample.shape)
        assert np.isin(sample, noise).all()
        return float(sample.min())

    found = an.bootstrap_interval(noise, lowest, n_resamples=100)
    assert shapes == {(250,)}
    assert found.value == noise.min()
    assert found.low == noise.min()  # no resample is below, and most have it or the next
    assert found.high > noise.min()


def test_named_statistics_are_those_of_each_resample(noise: np.ndarray) -> None:
    fast = an.bootstrap_interval(noise, n_resamples=120, seed=3)
    slow = an.bootstrap_interval(noise, an.sharpe_ratio, n_resamples=120, seed=3)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), rel=1e-10)
    fast = an.bootstrap_interval(noise, "max_drawdown", n_resamples=120, seed=3)
    slow = an.bootstrap_interval(
        noise, lambda r: an.max_drawdown(an.equity_of(r)), n_resamples=120, seed=3
    )
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), rel=1e-10)


def test_blocks_keep_neighbours_together_and_wrap_around() -> None:
    n, mean_block = 100, 10.0
    steps: list[np.ndarray] = []
    lengths: list[int] = []

    def look(sample: np.ndarray) -> float:
        jumps = (np.diff(sample) % n) != 1
        steps.append(jumps)
        lengths.append(len(np.unique(sample)))
        return 0.0

    an.bootstrap_interval(np.arange(float(n)), look, n_resamples=2000, block=mean_block)
    # A new block begins with probability 1/10, and one in a hundred of these goes on by chance.
    share = float(np.mean(steps[1:]))  # the first is the series itself
    assert share == pytest.approx(0.1 * 0.99, abs=0.003)
    assert 40 < np.mean(lengths[1:]) < 70  # with replacement: far from all, far from few


def test_blocks_of_one_are_single_returns() -> None:
    n = 200
    jumps: list[float] = []

    def look(sample: np.ndarray) -> float:
        jumps.append(float(np.mean((np.diff(sample) % n) != 1)))
        return 0.0

    an.bootstrap_interval(np.arange(float(n)), look, n_resamples=500, block=1)
    assert np.mean(jumps[1:]) == pytest.approx(1 - 1 / n, abs=0.002)


def test_interval_covers_a_true_sharpe_ratio_as_often_as_it_says() -> None:
    # 60 series of 300 normal returns with a true ratio of 0.1 a period: of 60 intervals of 90 %
    # 54 hold it, give or take 2.3; 47 is three of these away.
    rng = np.random.default_rng(6)
    held = 0
    for series in rng.normal(0.01, 0.1, size=(60, 300)):
        found = an.bootstrap_interval(
            series, periods_per_year=1, n_resamples=150, confidence=0.9, block=1
        )
        held += found.low <= 0.1 <= found.high
    assert 47 <= held <= 60


@pytest.mark.parametrize("statistic", ["sharpe_ratio", "max_drawdown"])
@pytest.mark.parametrize(
    "returns", [[], [0.01], [0.01] * 5, [1.0] * 2000], ids=["0", "1", "5", "2000"]
)
def test_without_variance_the_interval_has_no_width(statistic: str, returns: list[float]) -> None:
    found = an.bootstrap_interval(returns, statistic)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_one_loss_is_its_own_drawdown() -> None:
    found = an.bootstrap_interval([-0.25], "max_drawdown")
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)


def test_long_series_are_resampled_in_batches() -> None:
    # 200,000 numbers in a batch of 2^19: two rows at a time.
    found = an.bootstrap_interval(
        np.random.default_rng(1).normal(0.0, 1.0, 200_000), periods_per_year=1, n_resamples=100
    )
    # The error of a Sharpe ratio of 0 is sqrt(1 / 200,000) = 0.00224; 95 % is 3.92 of these wide.
    assert found.high - found.low == pytest.approx(3.92 * 0.00224, rel=0.4)


@pytest.mark.parametrize(
    ("option", "bad"),
    [
        ("statistic", "sortino_ratio"),
        ("statistic", 5),
        ("n_resamples", 99),
        ("n_resamples", 100.0),
        ("confidence", 1.0),
        ("confidence", 95),
        ("block", 0.5),
        ("block", math.nan),
        ("seed", -1),
        ("seed", 1.5),
        ("periods_per_year", 0.0),
    ],
    ids=str,
)
def test_wrong_option_of_the_bootstrap_is_named(option: str, bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{option} must "):
        an.bootstrap_interval([0.1, 0.2], **{option: bad})


def test_returns_of_the_bootstrap_are_checked() -> None:
    with pytest.raises(DataError, match="returns must be finite numbers, row 1 has nan"):
        an.bootstrap_interval([0.1, math.nan])


def test_an_interval_is_a_plain_record() -> None:
    assert Interval(1.0, 0.5, 1.5, 0.95, 2.0, 100) == Interval(1.0, 0.5, 1.5, 0.95, 2.0, 100)


def test_statistic_that_gives_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^statistic must .*nan"):
        an.bootstrap_interval([0.1, 0.2, 0.3], lambda _: math.nan)


def test_drawdowns_of_resamples_stay_lost_as_those_of_equity() -> None:
    # Blocks of one or two: whatever is drawn, the first -1.5 ends it; 3.0 before it would be a
    # peak of 4, from which the debt of 2 is a fall of 1.5 as well.
    found = an.bootstrap_interval([-1.5, 3.0], "max_drawdown", n_resamples=200, seed=1)
    assert found.value == 1.5
    assert found.high == 1.5
