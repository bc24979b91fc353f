"""Many settings on one history: Sharpe ratios, a line, and what chance makes of the best."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from horizon import analytics as an
from horizon.analytics.trials import RealityCheck, Regression, reality_check, regression
from horizon.analytics.trials import sharpe_ratios as ratios_of
from horizon.errors import DataError


def noise(seed: int, n: int, settings: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (n, settings))


def orthogonal(z: list[float], n: int = 2_000) -> np.ndarray:
    """Uncorrelated columns with these ratios of their mean to its error, mean · √n / deviation."""
    columns, _ = np.linalg.qr(
        np.column_stack([np.ones(n), np.random.default_rng(3).standard_normal((n, len(z)))])
    )
    unit = columns[:, 1:]  # of mean 0 and length 1: the deviation is 1 / √(n − 1)
    return unit + np.array(z) / math.sqrt(n) / math.sqrt(n - 1)


# ------------------------------------------------------------------------ ratios
def test_ratios_are_those_of_each_column() -> None:
    returns = noise(1, 50, 4)
    expected = [an.sharpe_ratio(column, periods_per_year=1.0) for column in returns.T]
    assert ratios_of(returns) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_rows_have_no_ratio(n: int) -> None:
    assert ratios_of(np.ones((n, 3))).tolist() == [0.0, 0.0, 0.0]


def test_returns_without_variance_have_no_ratio() -> None:
    assert ratios_of(np.tile([0.0, 0.1, -0.3], (7, 1))).tolist() == [0.0, 0.0, 0.0]


# ------------------------------------------------------------------------ the line
def test_a_line_by_hand() -> None:
    # x 0, 1, 2; y 1, 2, 2: means 1 and 5/3; slope (1·2/3 + 1·1/3) / 2 = 1/2; intercept 7/6;
    # R² = (1/2)² · 2 / (4/9 + 1/9 + 1/9) = 3/4.
    found = regression([0, 1, 2], [1, 2, 2])
    assert found.slope == pytest.approx(0.5)
    assert found.intercept == pytest.approx(7 / 6)
    assert found.r2 == pytest.approx(0.75)
    assert found.n == 3


@profile(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
        min_size=3,
        max_size=20,
        unique_by=lambda point: round(point[0], 2),
    )
)
def test_a_line_is_that_of_the_standard_library(points: list[tuple[float, float]]) -> None:
    x, y = zip(*points, strict=True)
    found, line = regression(x, y), statistics.linear_regression(x, y)
    assert found.slope == pytest.approx(line.slope, rel=1e-6, abs=1e-6)
    assert found.intercept == pytest.approx(line.intercept, rel=1e-6, abs=1e-4)
    assert 0.0 <= found.r2 <= 1.0


@pytest.mark.parametrize("x", [[2.0], [0.1] * 7, [0.0, 0.0]], ids=str)
def test_without_variance_in_x_there_is_no_slope(x: list[float]) -> None:
    y = list(range(len(x)))
    assert regression(x, y) == Regression(0.0, statistics.fmean(y), 0.0, len(x))


def test_without_variance_in_y_nothing_is_explained() -> None:
    assert regression([1.0, 2.0], [3.0, 3.0]) == Regression(0.0, 3.0, 0.0, 2)


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1, 2], [1]), ([[1]], [[1]]), ([1, math.nan], [1, 2])], ids=str
)
def test_what_has_no_line_is_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^x and y must"):
        regression(x, y)


# ------------------------------------------------------------------------ the reality check
@pytest.mark.parametrize("z", [0.5, 1.0, 1.6448536269514722, 2.0])
def test_of_one_setting_it_is_the_test_of_a_mean(z: float) -> None:
    # One-sided: 1 − Φ(z); 5,000 resamples have an error of √(p (1 − p) / 5,000) < 0.0067.
    found = reality_check(orthogonal([z]), n_resamples=5_000)
    assert found.probability == pytest.approx(1 - statistics.NormalDist().cdf(z), abs=0.025)
    assert found.best == pytest.approx(z / math.sqrt(2_000))


@pytest.mark.parametrize("settings", [5, 20, 60])
def test_of_independent_settings_it_is_that_of_their_maximum(settings: int) -> None:
    # The highest of m standard normals is above z with probability 1 − Φ(z)^m.
    z = 2.5
    found = reality_check(orthogonal([z] + [0.0] * (settings - 1)), n_resamples=5_000)
    expected = 1 - statistics.NormalDist().cdf(z) ** settings
    assert found.probability == pytest.approx(expected, abs=0.035)


def test_doubles_change_nothing() -> None:
    returns = noise(4, 300, 6)
    doubled = np.repeat(returns, 5, axis=1)
    assert reality_check(doubled).probability == reality_check(returns).probability


def test_another_setting_makes_the_best_no_less_likely() -> None:
    returns = orthogonal([2.0, 0.0, -1.0, 1.0])
    found = [reality_check(returns[:, :k]).probability for k in range(1, 5)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_scale_of_a_setting_does_not_matter() -> None:
    returns = noise(5, 200, 3)
    scaled = returns * [1.0, 2.0**-20, 2.0**20]
    assert reality_check(scaled).maxima.tolist() == reality_check(returns).maxima.tolist()


@pytest.mark.parametrize(
    "returns",
    [-np.ones((50, 2)), np.zeros((50, 2)), np.tile([[-0.02], [0.01]], (25, 2)), np.ones((1, 1))],
    ids=["falling", "nothing", "losing", "one row"],
)
def test_what_has_earned_nothing_is_chance(returns: np.ndarray) -> None:
    found = reality_check(returns)
    assert found.probability == 1.0
    assert math.isnan(found.limit())


def test_settings_that_never_trade_take_no_part() -> None:
    returns = orthogonal([2.0])
    idle = np.column_stack([np.zeros((2_000, 3)), returns])
    # A resample whose own best is below 0 counts as 0 then, which is below what was found.
    assert reality_check(idle).probability == reality_check(returns).probability


def test_the_limit_is_where_the_probability_is() -> None:
    returns = orthogonal([2.2, 0.0, 0.0])
    found = reality_check(returns)
    limit = found.limit(0.04)
    for best, is_above in ((limit, True), (np.nextafter(limit, -1), False)):
        as_good = int(np.count_nonzero(found.maxima >= best))
        assert ((1 + as_good) / (1 + len(found.maxima)) <= 0.04) is is_above
    assert found.limit(0.01) > limit > found.limit(0.5)


def test_too_few_resamples_have_no_limit() -> None:
    found = reality_check(orthogonal([2.2]), n_resamples=100)
    assert math.isnan(found.limit(0.005))  # 1/101 at the least


def test_same_seed_gives_the_same() -> None:
    returns = noise(6, 100, 3) + 0.001
    assert reality_check(returns, seed=3).maxima.tolist() == (
        reality_check(returns, seed=3).maxima.tolist()
    )
    assert reality_check(returns, seed=3).maxima.tolist() != (
        reality_check(returns, seed=4).maxima.tolist()
    )


def test_blocks_keep_neighbours_together() -> None:
    # Runs of eight equal returns: single rows would take them for eight times as much evidence.
    rng = np.random.default_rng(8)
    runs = np.repeat(rng.standard_normal((125, 1)), 8, axis=0)
    runs += 0.15 - runs.mean()  # z of 125 runs: 0.15 · √125 = 1.7; of 1,000 rows it would be 4.7
    alone = reality_check(runs, block=1).probability
    together = reality_check(runs, block=40).probability
    assert alone < 0.001
    assert 0.02 < together < 0.12  # 1 − Φ(1.7) is 0.045, and 25 blocks are few


def test_batches_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = noise(9, 120, 4) + 0.001
    whole = reality_check(returns)
    monkeypatch.setattr("horizon.analytics.trials._BATCH", 1_000)
    assert reality_check(returns).maxima == pytest.approx(whole.maxima, rel=1e-12)


@pytest.mark.parametrize("shape", ["normal", "heavy", "tilted"])
def test_noise_is_found_as_often_as_it_says(shape: str) -> None:
    # 300 searches of 4 settings: a share of 0.1 has an error of √(0.1 · 0.9 / 300) = 0.017.
    rng = np.random.default_rng(10)
    found = 0
    for _ in range(300):
        returns = {
            "normal": lambda: rng.standard_normal((120, 4)),
            "heavy": lambda: rng.standard_t(4, (120, 4)),
            "tilted": lambda: 1.0 - rng.standard_exponential((120, 4)),
        }[shape]()
        found += reality_check(returns, n_resamples=300).probability <= 0.1
    assert 0.03 <= found / 300 <= 0.16


def test_it_says_what_it_found() -> None:
    found = RealityCheck(0.25, 0.125, np.zeros(1_000))
    assert repr(found) == "RealityCheck(probability=0.25, best=0.125, n_resamples=1,000)"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_resamples": 99}, "n_resamples"),
        ({"n_resamples": 100.0}, "n_resamples"),
        ({"block": 0}, "block"),
        ({"block": 2.5}, "block"),
        ({"seed": -1}, "seed"),
    ],
    ids=str,
)
def test_wrong_option_is_named(options: dict[str, float], name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name} must "):
        reality_check(np.ones((50, 2)), **options)


def test_wrong_returns_are_named() -> None:
    with pytest.raises(DataError, match="row 1 of setting 0 has nan"):
        reality_check([[0.1], [math.nan]])
    with pytest.raises(ValueError, match="returns must have shape"):
        ratios_of([1.0, 2.0])
