"""Cross-validation of a choice: by hand, against plain loops over all splits, and laws."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from horizon import analytics as an
from horizon.analytics.overfitting import Cscv, cscv
from horizon.errors import DataError


def noise(seed: int, n: int, settings: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (n, settings))


def by_loops(returns: np.ndarray, blocks: int) -> list[tuple[int, float, float, float]]:
    """Every split in plain Python: (chosen, in sample, out of sample, rank)."""
    n = len(returns)
    sizes = [n // blocks + (i < n % blocks) for i in range(blocks)]
    ends = list(itertools.accumulate(sizes))
    parts = [returns[end - size : end].tolist() for end, size in zip(ends, sizes, strict=True)]
    found = []
    for half in itertools.combinations(range(blocks), blocks // 2):

        def ratios(taken: list[int]) -> list[float]:
            rows = [row for i in taken for row in parts[i]]
            columns = list(zip(*rows, strict=True))
            return [statistics.fmean(c) / statistics.stdev(c) for c in columns]

        inside = ratios(list(half))
        outside = ratios([i for i in range(blocks) if i not in half])
        best = max(range(len(inside)), key=inside.__getitem__)
        rank = 1 + sum(value < outside[best] for value in outside)
        found.append((best, inside[best], outside[best], float(rank)))
    return found


# ------------------------------------------------------------------------ by hand
def test_two_blocks_by_hand() -> None:
    # First block: means 3, 1, 2; second block: 1, 3, 2. Two splits, each the other's mirror.
    # Split 1 trains on the first block: setting 0 is best (3), and last (1) in the second block:
    # rank 1 of 3, w = 1/4, logit ln(1/3). Split 2 chooses setting 1, likewise.
    returns = [[2, 0, 1], [4, 2, 3], [0, 2, 1], [2, 4, 3]]
    found = cscv(returns, blocks=2, statistic="mean")
    assert found.chosen.tolist() == [0, 1]
    assert found.in_sample.tolist() == [3.0, 3.0]
    assert found.out_of_sample.tolist() == [1.0, 1.0]
    assert found.logits.tolist() == pytest.approx([math.log(1 / 3)] * 2)
    assert (found.pbo, found.probability_of_loss) == (1.0, 0.0)
    # Two equal points have no slope.
    assert (found.degradation.slope, found.degradation.intercept) == (0.0, 1.0)


def test_sharpe_of_two_blocks_by_hand() -> None:
    # Each block has the mean above and the deviation sqrt(2) ((1² + 1²) / 1): 3/sqrt(2).
    returns = [[2, 0, 1], [4, 2, 3], [0, 2, 1], [2, 4, 3]]
    found = cscv(returns, blocks=2)
    assert found.in_sample.tolist() == pytest.approx([3 / math.sqrt(2)] * 2)
    assert found.out_of_sample.tolist() == pytest.approx([1 / math.sqrt(2)] * 2)


def test_the_best_everywhere_is_never_overfitted() -> None:
    # Of four settings the last is best in each block: rank 4 of 4, w = 4/5, logit ln 4.
    returns = np.tile([[0.1, 0.2, 0.3, 1.0], [-0.1, -0.2, -0.3, 3.0]], (8, 1))
    found = cscv(returns, blocks=4, statistic="mean")
    assert found.pbo == 0.0
    assert found.logits.tolist() == pytest.approx([math.log(4.0)] * 6)
    assert (found.chosen == 3).all()


def test_full_overfit_of_the_paper() -> None:
    # Bailey and others' first case: noise moved to a mean of 0 over all rows. What is above it in
    # one half of equal blocks is below it by as much in the other, so the best is always the
    # worst: rank 1 of 100, logit ln(1/100), slope -1, and always a loss.
    returns = noise(1, 1_600, 100)
    returns -= returns.mean(axis=0)
    found = cscv(returns, statistic="mean")
    assert found.n_splits == 12_870  # C(16, 8)
    assert (found.pbo, found.probability_of_loss) == (1.0, 1.0)
    assert found.logits == pytest.approx(math.log(1 / 100))
    assert found.degradation.slope == pytest.approx(-1.0)
    assert found.degradation.r2 == pytest.approx(1.0)
    # By Sharpe ratios halves differ in their deviation too, and it is the same.
    assert cscv(returns).pbo == 1.0


# ------------------------------------------------------------------------ second opinion
@pytest.mark.parametrize("blocks", [2, 4, 6])
@pytest.mark.parametrize(("n", "settings"), [(24, 2), (24, 5), (29, 4), (61, 7)])
def test_splits_are_those_of_plain_loops(n: int, settings: int, blocks: int) -> None:
    returns = noise(n + settings, n, settings)
    expected = by_loops(returns, blocks)
    found = cscv(returns, blocks=blocks)
    assert found.chosen.tolist() == [row[0] for row in expected]
    assert found.in_sample == pytest.approx([row[1] for row in expected], rel=1e-12)
    assert found.out_of_sample == pytest.approx([row[2] for row in expected], rel=1e-12)
    ranks = np.array([row[3] for row in expected])
    relative = ranks / (settings + 1)
    assert found.logits == pytest.approx(np.log(relative / (1 - relative)), abs=1e-12)
    assert found.pbo == np.mean([2 * rank <= settings + 1 for rank in ranks])
    assert found.probability_of_loss == np.mean([row[2] < 0 for row in expected])
    line = statistics.linear_regression([r[1] for r in expected], [r[2] for r in expected])
    if blocks > 2:
        assert found.degradation.slope == pytest.approx(line.slope, rel=1e-9)
        assert found.degradation.intercept == pytest.approx(line.intercept, rel=1e-9)


def test_all_splits_of_sixteen_blocks_are_those_of_plain_arrays() -> None:
    returns = noise(5, 100, 3)  # blocks of 7 and of 6 rows
    parts = np.array_split(returns, 16)
    losses = overfitted = 0
    for half in itertools.combinations(range(16), 8):
        inside = np.concatenate([parts[i] for i in half])
        outside = np.concatenate([parts[i] for i in range(16) if i not in half])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1))
        ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
        overfitted += np.sum(ratios <= ratios[best]) <= 2  # of three settings not the highest
        losses += ratios[best] < 0.0
    found = cscv(returns)
    assert found.pbo == overfitted / 12_870
    assert found.probability_of_loss == losses / 12_870


def test_a_callable_gives_what_the_sums_over_blocks_give() -> None:
    returns = noise(3, 50, 4)
    rows = []

    def ratio(half: np.ndarray) -> np.ndarray:
        rows.append(len(half))
        return half.mean(axis=0) / half.std(axis=0, ddof=1)

    fast, slow = cscv(returns, blocks=6), cscv(returns, blocks=6, statistic=ratio)
    assert slow.chosen.tolist() == fast.chosen.tolist()
    assert slow.out_of_sample == pytest.approx(fast.out_of_sample, rel=1e-12)
    assert slow.pbo == fast.pbo
    # 50 rows in 6 blocks: 9, 9, 8, 8, 8, 8; halves of 24 to 26 rows.
    assert (len(rows), set(rows)) == (20, {24, 25, 26})


def test_a_callable_gets_the_rows_in_order_of_time() -> None:
    returns = np.arange(24.0).reshape(12, 2)

    def statistic(half: np.ndarray) -> np.ndarray:
        assert (np.diff(half[:, 0]) > 0).all()
        return half[-1]

    assert cscv(returns, blocks=6, statistic=statistic).n_splits == 20


# ------------------------------------------------------------------------ ties
def test_of_settings_that_are_equal_the_first_is_chosen_and_is_at_the_median() -> None:
    one = noise(7, 64, 1)
    found = cscv(np.repeat(one, 6, axis=1), blocks=8)
    assert (found.chosen == 0).all()
    assert (found.logits == 0.0).all()  # ranks 1 to 6, each (1 + 6) / 2 = 3.5 of 7: w = 1/2
    assert found.pbo == 1.0


def test_doubles_of_the_best_share_their_ranks() -> None:
    # The two best of four: ranks 3 and 4, each 3.5 of 5: logit ln(3.5 / 1.5).
    one = np.tile([[0.1, 1.0, 0.2, 1.0], [-0.1, 3.0, -0.2, 3.0]], (8, 1))
    found = cscv(one, blocks=4)
    assert (found.chosen == 1).all()
    assert found.logits.tolist() == pytest.approx([math.log(3.5 / 1.5)] * 6)
    assert found.pbo == 0.0


def test_the_middle_of_an_odd_number_counts_as_overfitted() -> None:
    # Means by block: setting 0 is best in the first and second of three in the other.
    returns = [[3, 1, 2], [3, 1, 2], [2, 3, 1], [2, 3, 1]]
    found = cscv(returns, blocks=2, statistic="mean")
    assert found.logits[0] == 0.0
    assert found.pbo == 1.0  # the other split: setting 1 is the last of three


@pytest.mark.parametrize("settings", [3, 12, 100])
def test_equal_settings_are_equal_to_the_last_bit_whatever_their_column(settings: int) -> None:
    returns = np.repeat(noise(9, 200, settings), 2, axis=1)
    found = cscv(returns, blocks=10)
    assert (found.chosen % 2 == 0).all()
    ranks = (2 * settings + 1) / (1 + np.exp(-found.logits))
    assert ranks % 2 == pytest.approx(1.5, abs=1e-6)  # the mean of an odd and an even rank


# ------------------------------------------------------------------------ what must hold
matrices = st.builds(
    noise,
    st.integers(0, 10_000),
    st.integers(16, 60),
    st.integers(2, 8),
)


@profile(deadline=None)
@given(matrices)
def test_order_of_the_settings_does_not_matter(returns: np.ndarray) -> None:
    one, other = cscv(returns, blocks=4), cscv(returns[:, ::-1], blocks=4)
    assert one.logits.tolist() == other.logits.tolist()
    assert one.chosen.tolist() == (returns.shape[1] - 1 - other.chosen).tolist()


@profile(deadline=None)
@given(matrices, st.integers(-20, 20))
def test_scale_of_a_setting_does_not_matter_to_its_ratio(returns: np.ndarray, power: int) -> None:
    scaled = returns.copy()
    scaled[:, 0] *= 2.0**power
    one, other = cscv(returns, blocks=4), cscv(scaled, blocks=4)
    assert one.logits.tolist() == other.logits.tolist()
    assert one.in_sample == pytest.approx(other.in_sample, rel=1e-12)


@profile(deadline=None)
@given(matrices)
def test_what_one_split_trains_on_another_tests_on(returns: np.ndarray) -> None:
    found = cscv(returns, blocks=6)
    same = found.chosen == found.chosen[::-1]
    assert found.in_sample[same].tolist() == found.out_of_sample[::-1][same].tolist()
    assert 0.0 <= found.pbo <= 1.0
    assert (np.abs(found.logits) <= math.log(returns.shape[1]) + 1e-12).all()


def test_splits_in_batches_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = noise(11, 80, 5)
    whole = cscv(returns, blocks=8)
    monkeypatch.setattr("horizon.analytics.overfitting._BATCH", 15)
    parts = cscv(returns, blocks=8)
    assert parts.logits.tobytes() == whole.logits.tobytes()
    assert parts.out_of_sample.tobytes() == whole.out_of_sample.tobytes()


def test_far_from_zero_and_of_unlike_size_nothing_is_lost_to_rounding() -> None:
    # A mean of a million deviations: squares about 0 would leave no digit of the deviation.
    returns = noise(13, 48, 3) * [1e-8, 1.0, 1e6] + [1e-2, 1.0, 1e10]
    expected = by_loops(returns, 6)
    found = cscv(returns, blocks=6)
    assert found.in_sample == pytest.approx([row[1] for row in expected], rel=1e-5)


def test_settings_without_variance_have_no_ratio() -> None:
    # One never trades, one earns 0.1 in every row, one loses: 0, 0 and below 0 everywhere.
    losing = -0.1 + 0.01 * np.tile([1.0, -1.0], 32)
    returns = np.column_stack([np.zeros(64), np.full(64, 0.1), losing])
    found = cscv(returns, blocks=8)
    assert (found.chosen == 0).all()
    assert (found.in_sample == 0.0).all()
    assert (found.out_of_sample == 0.0).all()
    # 0 and 0 share the ranks 2 and 3 of 4: ln(2.5 / 1.5).
    assert found.logits == pytest.approx(math.log(2.5 / 1.5))


def test_a_setting_that_trades_in_one_half_only() -> None:
    returns = np.zeros((32, 2))
    returns[:16, 0] = np.tile([0.03, -0.01], 8)
    returns[:, 1] = np.tile([0.02, -0.03], 16)
    found = cscv(returns, blocks=2)
    assert found.chosen.tolist() == [0, 0]
    assert found.out_of_sample[0] == 0.0


def test_it_takes_a_frame() -> None:
    pd = pytest.importorskip("pandas")
    returns = noise(17, 40, 3)
    assert cscv(pd.DataFrame(returns), blocks=4).pbo == cscv(returns, blocks=4).pbo


def test_it_says_what_it_found() -> None:
    found = cscv(noise(1, 40, 3), blocks=4)
    assert isinstance(found, Cscv)
    assert repr(found).startswith(f"Cscv(pbo={found.pbo:.3f}, probability_of_loss=")
    assert repr(found).endswith("n_settings=3, n_splits=6)")


# ------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    ("returns", "options", "message"),
    [
        (np.zeros((40, 1)), {}, "returns must have 2 or more settings"),
        (np.zeros(40), {}, r"returns must have shape \(n_periods, n_settings\), had shape \(40,\)"),
        (np.zeros((40, 0)), {}, "returns must have shape"),
        (np.zeros((31, 2)), {}, "2 or more rows for each of 16 blocks, 32 in all; had 31"),
        (np.zeros((40, 2)), {"blocks": 15}, "blocks must be an even number from 2 to 20, was 15"),
        (np.zeros((90, 2)), {"blocks": 22}, "blocks must be an even number from 2 to 20, was 22"),
        (np.zeros((40, 2)), {"blocks": 0}, "blocks must be 2 or more, was 0"),
        (np.zeros((40, 2)), {"blocks": 4.0}, "blocks must be a whole number"),
        (np.zeros((40, 2)), {"statistic": "sharp"}, "statistic .*Did you mean 'sharpe'"),
        (np.zeros((40, 2)), {"statistic": 3}, "statistic must be one of"),
        (np.zeros((40, 2)), {"statistic": lambda r: 1.0}, "one finite number for each of 2"),
        (np.zeros((40, 2)), {"statistic": lambda r: r[0] + math.nan}, r"gave \[nan, nan\]"),
        ([["a", "b"]], {}, "returns must be numbers of shape"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_bad_input_is_named(returns: object, options: dict[str, object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        cscv(returns, **options)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e16])
def test_a_return_that_is_no_number_is_named(bad: float) -> None:
    returns = np.zeros((40, 3))
    returns[7, 2] = bad
    with pytest.raises(DataError, match="row 7 of setting 2 has") as caught:
        cscv(returns)
    assert caught.value.row == 7


# ------------------------------------------------------------------------ the deflated ratio
def test_numerical_example_of_the_deflated_sharpe_ratio() -> None:
    # Bailey and López de Prado (2014): 100 trials, a variance of annual Sharpe ratios of 1/2,
    # the best 2.5 a year over five years of 250 days, skewness -3, kurtosis 10: the ratio to beat
    # is 0.1132 a day and the deflated Sharpe ratio 0.9004; of 46 trials it would be 0.9505.
    variance = 0.5 / 250
    assert an.expected_maximum_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    shape = {"variance": variance, "skewness": -3.0, "kurtosis": 10.0}
    daily = 2.5 / math.sqrt(250)
    found = an.deflated_sharpe_ratio(daily, 1_250, n_trials=100, **shape)
    assert found == pytest.approx(0.9004, abs=5e-5)
    found = an.deflated_sharpe_ratio(daily, 1_250, n_trials=46, **shape)
    assert found == pytest.approx(0.9505, abs=5e-5)
    # And with normal returns of 88 trials.
    found = an.deflated_sharpe_ratio(daily, 1_250, n_trials=88, variance=variance)
    assert found == pytest.approx(0.9505, abs=5e-5)


def test_settings_that_differ_in_scale_alone_are_equal() -> None:
    own = np.random.default_rng(5).normal(0.1, 1.0, 64)
    for scales in ((1.0, 1.5, 3.0), (7.0, 0.3, 1.1)):
        found = cscv(np.outer(own, scales), blocks=4)
        # All have the middle rank, (3 + 1) / 2 of 3: a logit of 0, which counts as overfit.
        assert found.pbo == 1.0
        assert set(found.logits.tolist()) == {0.0}
        assert set(found.chosen.tolist()) == {0}
