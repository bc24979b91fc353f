"""The verdict on a search: what decides it, what it says, and through a real walk-forward."""

import math
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon import analytics as an
from horizon.analytics.overfitting import cscv
from horizon.analytics.trials import reality_check, sharpe_ratios
from horizon.walkforward import Overfitting, walk_forward
from horizon.walkforward.evidence import LIMIT
from horizon.walkforward.overfitting import judge, whole_returns
from horizon.walkforward.tasks import Outcome, Task
from tests.walkforward.worked import holding

SETTINGS = [{"fast": fast, "slow": slow} for fast in (5, 10, 20) for slow in (50, 100)]


def noise(seed: int, n: int = 500, settings: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.01, (n, settings))


def planted(z: float, *, column: int = 3, n: int = 500) -> np.ndarray:
    """Noise of mean 0 in every setting but one, whose mean is `z` of its errors above."""
    returns = noise(1, n)
    returns -= returns.mean(axis=0)
    returns[:, column] += z * returns[:, column].std(ddof=1) / math.sqrt(n)
    return returns


def judged(returns: Any, **options: Any) -> Overfitting:
    n = 6 if returns is None else np.shape(returns)[1]
    options = {"settings": SETTINGS[:n], "periods_per_year": 252.0, **options}
    return judge(returns, **options)


# ------------------------------------------------------------------------ the figures
def test_figures_are_those_of_the_functions_by_name() -> None:
    returns = planted(4.0)
    found = judged(returns)
    ratios = sharpe_ratios(returns)
    assert found.sharpes == pytest.approx(ratios * math.sqrt(252), rel=1e-12)
    assert found.best_setting == 3
    assert (found.n_trials, found.n_distinct, found.n_periods) == (6, 6, 500)
    assert found.pbo == cscv(returns, blocks=16).pbo
    assert found.chance == reality_check(returns).probability
    variance = float(ratios.var(ddof=1))
    expected = an.expected_maximum_sharpe(6, variance) * math.sqrt(252)
    assert found.expected_maximum == pytest.approx(expected)
    best = returns[:, 3]
    assert found.deflated_sharpe == pytest.approx(
        an.deflated_sharpe_ratio(
            float(ratios[3]),
            500,
            n_trials=6,
            variance=variance,
            skewness=an.skewness(best),
            kurtosis=an.kurtosis(best, excess=False),
        )
    )


def test_figures_of_windows_by_hand() -> None:
    settings = [{"n": 1}, {"n": 2}, {"n": 3}]
    train = [[1.0, 2.0, 3.0], [3.0, 2.0, math.nan]]
    test = [[0.5, 1.5, 1.0], [2.0, 1.0, 5.0]]
    found = judged(None, settings=settings, train=train, test=test, best=[2, 0])
    # Chosen: 3 and 3 in training, 1 and 2 in the tests.
    assert (found.chosen_train, found.chosen_test) == (3.0, 1.5)
    # In the tests the one beat one of two others, the other one of two.
    assert found.chosen_rank == 0.5
    # (1, 0.5), (2, 1.5), (3, 1), (3, 2), (2, 1): means 2.2 and 1.2; Σdx² = 2.8,
    # Σdxdy = 0.84 − 0.06 − 0.16 + 0.64 + 0.04 = 1.3.
    assert found.degradation is not None
    assert found.degradation.slope == pytest.approx(1.3 / 2.8)
    assert found.degradation.intercept == pytest.approx(1.2 - 2.2 * 1.3 / 2.8)
    assert found.degradation.n == 5
    (n,) = found.parameters
    assert (n.best, n.move) == ((3, 1), 1.0)


def test_less_is_better_where_it_is_said() -> None:
    found = judged(
        None,
        settings=[{"n": 1}, {"n": 2}],
        train=[[1.0, 2.0]],
        test=[[3.0, 4.0]],
        best=[0],
        maximize=False,
    )
    assert found.chosen_rank == 1.0


def test_tests_end_to_end_have_a_ratio_and_its_probability() -> None:
    out = noise(5)[:, 0] + 0.001
    found = judged(noise(1), out_of_sample=out)
    ratio = an.sharpe_ratio(out, periods_per_year=1.0)
    assert found.out_of_sample_sharpe == pytest.approx(ratio * math.sqrt(252))
    expected = an.probabilistic_sharpe_ratio(
        ratio, 500, skewness=an.skewness(out), kurtosis=an.kurtosis(out, excess=False)
    )
    assert found.out_of_sample_probability == pytest.approx(expected)
    assert found.n_tests == 500


def test_what_cannot_be_annualised_is_per_return() -> None:
    returns = planted(4.0)
    found = judged(returns, periods_per_year=0.0, period="point")
    assert found.sharpes.tolist() == sharpe_ratios(returns).tolist()
    assert "The best Sharpe ratio per return is 0.179" in found.reasons[0]  # 4 / √500


def test_settings_that_were_not_run_are_left_out() -> None:
    returns = planted(4.0)
    part = returns.copy()
    part[:, [0, 5]] = math.nan
    found, other = judged(part), judged(returns[:, 1:5], settings=SETTINGS[1:5])
    assert found.n_trials == 4
    assert found.best_setting == 3
    assert np.isnan(found.sharpes[[0, 5]]).all()
    assert (found.pbo, found.chance) == (other.pbo, other.chance)


def test_settings_that_earn_the_same_are_counted_once_beside() -> None:
    returns = np.repeat(planted(5.0)[:, [2, 3]], 3, axis=1)
    found = judged(returns)
    assert (found.n_trials, found.n_distinct) == (6, 2)
    said = "Only 2 of 6 settings differ in more than the scale of what they earned."
    assert said in found.reasons


def test_settings_that_differ_in_size_alone_are_equally_good() -> None:
    one = planted(5.0)[:, 3]
    found = judged(np.column_stack([one * size for size in (1.0, 1.5, 3.0, 5.0, 7.0, 0.1)]))
    # Their Sharpe ratios are one number, to rounding: there is nothing to choose.
    assert (found.kind, found.pbo, found.n_distinct) == ("fragile", 1.0, 1)


# ------------------------------------------------------------------------ what decides
def test_a_planted_edge_is_an_edge() -> None:
    found = judged(planted(5.0))
    assert found.kind == "edge"
    assert found.verdict.startswith("An edge: chance hardly explains the best setting")
    assert found.chance <= LIMIT
    assert found.pbo < 0.5


def test_noise_is_noise() -> None:
    found = judged(planted(1.5))
    assert found.kind == "noise"
    assert found.verdict == "Noise: the best of 6 settings shows no more than chance would."


def test_chance_decides_at_the_limit_that_is_named() -> None:
    # The ratio that would be needed, planted from just above and just below.
    returns = planted(1.5)
    needed = judged(returns).needed_sharpe / math.sqrt(252) * math.sqrt(500)
    # Moving a mean leaves the resamples, which are of deviations from it.
    assert judged(planted(needed * (1 + 1e-9))).kind == "edge"
    assert judged(planted(needed * (1 - 1e-9))).kind == "noise"


def test_equally_good_settings_are_an_edge_that_choosing_adds_nothing_to() -> None:
    common = planted(5.0)[:, 3]
    returns = np.repeat(common[:, None], 6, axis=1)
    found = judged(returns)
    assert (found.kind, found.pbo) == ("fragile", 1.0)
    assert "choosing it is no better than choosing blindly" in found.verdict
    assert any("any of them will do" in each for each in found.would_change)


def test_tests_that_lose_make_an_edge_fragile() -> None:
    returns = planted(5.0)
    losing = noise(3)[:200, 0]
    losing -= losing.mean() + 0.0005
    found = judged(returns, out_of_sample=losing)
    assert found.kind == "fragile"
    assert "window by window, it has earned nothing" in found.verdict
    # 31 returns are too few to say so.
    assert judged(returns, out_of_sample=losing[:31]).kind == "edge"


def test_an_edge_whose_tests_could_be_luck_is_not_yet_proven() -> None:
    """A mean of z standard errors above 0 is above it with a probability of about Φ(z)."""
    returns = planted(5.0)
    for z, proven in ((1.0, False), (3.0, True)):  # Φ(1) is 84 %, Φ(3) 99.9 %
        tests = noise(3)[:200, 0]
        tests += z * tests.std(ddof=1) / math.sqrt(200) - tests.mean()
        found = judged(returns, out_of_sample=tests)
        assert found.kind == "edge"
        assert (found.out_of_sample_probability >= 0.95) is proven
        assert found.verdict.startswith("An edge: " if proven else "An edge, not yet proven: ")
        assert any("Longer tests" in each for each in found.would_change) is not proven


def test_one_setting_is_judged_without_a_choice() -> None:
    found = judged(planted(5.0)[:, 3:4])
    assert found.kind == "edge"
    assert found.verdict == "An edge: chance hardly explains what this setting has earned."
    assert math.isnan(found.pbo)
    assert found.cscv is None
    noise_alone = judged(planted(0.5)[:, 3:4])
    assert noise_alone.verdict == "Noise: chance alone explains what this setting has earned."


def test_settings_that_earn_nothing_are_noise() -> None:
    found = judged(noise(1) - 0.01)
    assert found.kind == "noise"
    assert found.verdict == "Noise: of 6 settings none has earned anything over the whole span."
    assert found.would_change == ("A setting that earns something.",)


@pytest.mark.parametrize(
    ("returns", "reason", "change"),
    [
        (None, "were not all run over the whole span", "overfitting=True"),
        (np.zeros((0, 6)), "were not all run over the whole span", "overfitting=True"),
        (np.full((40, 6), math.nan), "were not all run", "overfitting=True"),
        (noise(1, 31), "31 daily returns over the whole span; at least 32", "32 or more returns"),
    ],
    ids=["none", "empty", "nothing run", "31"],
)
def test_too_little_is_not_judged(returns: Any, reason: str, change: str) -> None:
    found = judged(returns)
    assert found.kind == "unknown"
    assert found.verdict == "Too little to judge whether this is more than chance."
    assert reason in found.reasons[0]
    assert change in found.would_change[0]
    assert math.isnan(found.chance)


def test_thirty_two_returns_are_enough() -> None:
    assert judged(noise(1, 32)).kind == "noise"


# ------------------------------------------------------------------------ words
def test_reasons_name_the_figures() -> None:
    rng = np.random.default_rng(2)
    train, test = rng.normal(1, 1, (4, 6)), rng.normal(0, 1, (4, 6))
    found = judged(
        planted(5.0),
        train=train,
        test=test,
        best=train.argmax(axis=1).tolist(),
        out_of_sample=noise(4)[:100, 0],
    )
    text = found.summary()
    assert text.splitlines()[0] == f"Overfitting: {found.verdict}"
    # 5 / √500 · √252 = 3.55.
    assert "The best annual Sharpe ratio is 3.55 (fast=10, slow=100)." in text
    assert "Probability of backtest overfitting 0" in text
    assert "of 12,870 splits of the data" in text
    assert "Deflated Sharpe ratio 0." in text
    assert "Out of sample, all tests end to end, the annual Sharpe ratio is" in text
    assert "The chosen settings' sharpe_ratio was" in text
    assert "Over all settings and windows, one more of sharpe_ratio in training came" in text
    assert "\n  fast: " in text
    assert "What would change this:" in text
    assert repr(found) == f"<Overfitting edge: {found.verdict}>"


def test_what_would_change_noise_is_what_it_takes() -> None:
    found = judged(planted(1.5))
    needed = found.needed_sharpe
    best = found.sharpes[3]
    assert f"A best annual Sharpe ratio above {needed:.3g} over this span" in found.would_change[0]
    longer = math.ceil(500 * (needed / best) ** 2)
    assert f"over about {longer:,} daily returns in place of 500." in found.would_change[1]


def test_what_is_almost_nothing_or_certain_is_not_rounded_to_it() -> None:
    found = judged(planted(12.0))
    # One in 2,001 at the least, and 12 errors are as good as certain.
    assert "would show as much in less than 0.1 % of cases" in found.reasons[0]
    assert any("Deflated Sharpe ratio above 0.999" in each for each in found.reasons)


def test_an_interrupted_search_says_so() -> None:
    found = judged(planted(5.0), is_complete=False)
    assert found.reasons[0] == "The search was interrupted: this judges what was done."


def test_names_from_outside_are_escaped_and_shown() -> None:
    settings = [{"<b>x": i, "y\u202e": "z"} for i in range(6)]
    found = judged(planted(5.0), settings=settings)
    page = found._repr_html_()
    assert "<b>x" not in page
    assert "&lt;b&gt;x" in page
    assert "\u202e" not in found.summary()
    assert "⟨U+202E⟩" in found.summary()


def test_a_table_of_the_trials() -> None:
    frame = judged(planted(5.0)).to_frame()
    assert list(frame.columns) == ["fast", "slow", "sharpe_ratio"]
    assert frame["sharpe_ratio"].idxmax() == 3
    named = judged(planted(5.0), settings=[{"sharpe_ratio": i} for i in range(6)]).to_frame()
    assert list(named.columns) == ["sharpe_ratio", "sharpe_ratio (whole span)"]


def test_the_same_figures_give_the_same_words() -> None:
    assert judged(planted(3.0)).summary() == judged(planted(3.0)).summary()


# ------------------------------------------------------------------------ runs side by side
def run(returns: list[float], times: list[int]) -> Outcome:
    return Outcome(
        task=Task(0, "whole", -1, 0, 0, 10, 0, 0),
        objective=1.0,
        why="",
        metrics={},
        trades=1,
        rows=len(times),
        seconds=0.0,
        returns=np.array(returns),
        returns_ns=np.array(times, dtype=np.int64),
    )


def test_runs_of_the_same_times_stand_side_by_side() -> None:
    found = whole_returns([run([0.1, 0.2], [5, 5]), None, run([0.3, 0.4], [5, 5])])
    assert found[:, 0].tolist() == [0.1, 0.2]
    assert np.isnan(found[:, 1]).all()
    assert found[:, 2].tolist() == [0.3, 0.4]


def test_runs_of_other_times_have_no_return_where_the_other_has() -> None:
    found = whole_returns([run([0.5, 0.25], [1, 3]), run([0.5, 0.5, 1.0], [2, 3, 3])])
    assert found[:, 0].tolist() == [0.5, 0.0, 0.25]
    # Two returns of one time are one: 1.5 · 2 − 1 = 2.
    assert found[:, 1].tolist() == [0.0, 0.5, 2.0]


def test_nothing_run_has_no_rows() -> None:
    assert whole_returns([None, None]).shape == (0, 2)


# ------------------------------------------------------------------------ through a walk-forward
def test_a_walk_forward_is_judged_by_its_own_runs(rising: dict[str, Any]) -> None:
    result = walk_forward(rising, holding, {"size": [1, 2]}, n_splits=2)
    found = result.overfitting
    # 101 ticks are 101 points and 100 returns; a rising price earns more with more of it.
    assert found.n_periods == 100
    assert found.best_setting is not None
    alone = [
        hz.backtest(
            data=rising, pipeline=holding({"size": n}), params={"size": n}, initial_capital=1000.0
        )
        for n in (1, 2)
    ]
    for one, sharpe in zip(alone, found.sharpes, strict=True):
        assert sharpe == pytest.approx(one.metrics.sharpe_ratio, rel=1e-9)
    assert found.degradation is not None
    assert found.degradation.n == 4
    assert found.out_of_sample_sharpe == pytest.approx(
        result.aggregate_metrics.sharpe_ratio, rel=1e-9
    )
    assert found is result.overfitting


def test_without_whole_runs_nothing_is_judged(rising: dict[str, Any]) -> None:
    result = walk_forward(rising, holding, {"size": [1, 2]}, n_splits=2, overfitting=False)
    assert result.overfitting.kind == "unknown"


def test_settings_that_never_trade_are_not_judged() -> None:
    found = judged(np.zeros((100, 6)))
    assert found.kind == "unknown"
    assert found.reasons == ("No setting has earned or lost anything over the whole span.",)
    assert found.would_change == ("A setting that trades.",)
    assert math.isnan(found.pbo)
    assert math.isnan(found.deflated_sharpe)
    assert repr(found)
    assert found.summary()
