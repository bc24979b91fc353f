"""Metrics of one series of returns against numbers worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from horizon import analytics as an
from horizon.analytics import Tearsheet, arithmetic, deviations, distribution, ratios, returns
from horizon.errors import DataError

# Sum 0.10, mean 0.02; distances from it 0.08, -0.07, 0, -0.05, 0.04, their squares sum to 0.0154.
# Gains 0.10 + 0.02 + 0.06 = 0.18, losses 0.05 + 0.03 = 0.08, squared 0.0025 + 0.0009 = 0.0034.
FIVE = [0.10, -0.05, 0.02, -0.03, 0.06]
RISES = [0.01, 0.02, 0.03]
FALLS = [-0.01, -0.02, -0.03]
FLAT = [0.01] * 7  # 0.01 has no exact float, so their deviation is rounding, not 0

#: Every public metric of one series of returns, by the module that it is in.
OF_ONE_SERIES = [
    name
    for module in (returns, deviations, distribution, ratios)
    for name in module.__all__
    if name in an.__all__ and name != "longest_streaks"
]


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


# ------------------------------------------------------------------------ growth
def test_total_return_compounds() -> None:
    # 1.1 * 0.95 * 1.02 * 0.97 * 1.06 = 1.09595838
    assert an.total_return(FIVE) == close(0.09595838)


def test_annual_return_compounds_to_a_year() -> None:
    # Two periods of a four-period year: (1.1 * 1.1)^(4/2) - 1 = 1.4641 - 1.
    assert an.annual_return([0.1, 0.1], periods_per_year=4.0) == close(0.4641)


def test_annual_return_of_a_total_loss_is_minus_one_even_if_something_came_after() -> None:
    assert an.annual_return([0.5, -1.0, 3.0]) == -1.0
    assert an.annual_return([0.5, -1.5, 3.0]) == -1.0
    assert an.geometric_mean_return([0.5, -1.0, 3.0]) == -1.0


def test_annual_return_beyond_a_float_is_infinite() -> None:
    # 2^(1e6 / 1) has 301,030 digits.
    assert an.annual_return([1.0], periods_per_year=1e6) == math.inf
    assert an.annual_return([-0.5], periods_per_year=1e6) == -1.0


def test_geometric_mean_compounds_to_the_total() -> None:
    # 1.1 * 0.9 = 0.99 in two periods.
    assert an.geometric_mean_return([0.1, -0.1]) == close(math.sqrt(0.99) - 1.0)


def test_total_return_beyond_a_float_is_infinite() -> None:
    assert an.total_return([1e300, 1e300]) == math.inf


# ------------------------------------------------------------------------ spread
def test_volatility_divides_by_n_less_ddof() -> None:
    # 0.0154 / 4 = 0.00385, times 252; with ddof 0 0.0154 / 5 = 0.00308.
    assert an.volatility(FIVE) == close(math.sqrt(0.00385 * 252))
    assert an.volatility(FIVE, ddof=0, periods_per_year=1) == close(math.sqrt(0.00308))


def test_mean_absolute_deviation_is_about_the_mean() -> None:
    # (0.08 + 0.07 + 0 + 0.05 + 0.04) / 5
    assert an.mean_absolute_deviation(FIVE) == close(0.048)


def test_downside_deviation_counts_all_periods_unless_told() -> None:
    assert an.downside_deviation(FIVE, periods_per_year=1) == close(math.sqrt(0.0034 / 5))
    assert an.downside_deviation(FIVE) == close(math.sqrt(0.0034 / 5 * 252))
    below = an.downside_deviation(FIVE, count="below", periods_per_year=1)
    assert below == close(math.sqrt(0.0034 / 2))
    # Below 0.02 by 0.07 and 0.05: 0.0049 + 0.0025 = 0.0074.
    about = an.downside_deviation(FIVE, minimum=0.02, periods_per_year=1)
    assert about == close(math.sqrt(0.0074 / 5))
    assert an.downside_deviation(RISES, count="below") == 0.0


def test_upside_risk_is_the_mirror_of_downside_deviation() -> None:
    # 0.01 + 0.0004 + 0.0036 = 0.014
    assert an.upside_risk(FIVE) == close(math.sqrt(0.014 / 5))
    # Above 0.02 by 0.08 and 0.04: 0.0064 + 0.0016 = 0.008.
    assert an.upside_risk(FIVE, minimum=0.02) == close(math.sqrt(0.008 / 5))
    assert an.upside_risk(FIVE, periods_per_year=4) == close(math.sqrt(0.014 / 5 * 4))


def test_potentials_are_means_over_all_periods() -> None:
    assert an.downside_potential(FIVE) == close(0.08 / 5)
    assert an.upside_potential(FIVE) == close(0.18 / 5)
    # About 0.02: short by 0.07 + 0.05, over by 0.08 + 0.04.
    assert an.downside_potential(FIVE, minimum=0.02) == close(0.12 / 5)
    assert an.upside_potential(FIVE, minimum=0.02) == close(0.12 / 5)
    assert math.copysign(1.0, an.downside_potential(RISES)) == 1.0  # 0.0, not -0.0


def test_frequencies_leave_out_what_equals_the_minimum() -> None:
    assert an.downside_frequency(FIVE) == close(2 / 5)
    assert an.upside_frequency(FIVE) == close(3 / 5)
    # 0.02 itself is neither above nor below.
    assert an.downside_frequency(FIVE, minimum=0.02) == close(2 / 5)
    assert an.upside_frequency(FIVE, minimum=0.02) == close(2 / 5)


# ------------------------------------------------------------------------ reward to risk
def test_sharpe_is_mean_over_sample_deviation() -> None:
    assert an.sharpe_ratio(FIVE) == close(0.02 / math.sqrt(0.00385) * math.sqrt(252))
    assert an.sharpe_ratio(FIVE, ddof=0, periods_per_year=1) == close(0.02 / math.sqrt(0.00308))
    # 0.0005 of each period's 0.02 came without risk.
    free = an.sharpe_ratio(FIVE, risk_free=0.0005, periods_per_year=12)
    assert free == close(0.0195 / math.sqrt(0.00385) * math.sqrt(12))


def test_sharpe_without_variance_says_nothing() -> None:
    assert an.sharpe_ratio(FLAT) == 0.0
    assert an.sharpe_ratio([0.01]) == 0.0
    assert an.sharpe_ratio([]) == 0.0
    assert an.sharpe_ratio([0.01], ddof=0) == 0.0


def test_adjusted_sharpe_pays_for_skew_and_takes_off_for_tails() -> None:
    # CAGR over volatility; m2 0.00308, m3 0.000108 / 5, m4 0.00007378 / 5.
    sharpe = 0.09595838 / math.sqrt(0.00385 * 5)  # a year of five periods
    skew = 0.0000216 / 0.00308**1.5
    tails = 0.000014756 / 0.00308**2 - 3.0
    expected = sharpe * (1.0 + skew / 6.0 * sharpe - tails / 24.0 * sharpe**2)
    assert an.adjusted_sharpe_ratio(FIVE, periods_per_year=5) == close(expected)


def test_sortino_is_mean_over_downside_deviation() -> None:
    assert an.sortino_ratio(FIVE) == close(0.02 / math.sqrt(0.00068) * math.sqrt(252))
    # About 0.01: mean 0.01, short by 0.06 and 0.04: 0.0036 + 0.0016 = 0.0052.
    about = an.sortino_ratio(FIVE, minimum=0.01, periods_per_year=1)
    assert about == close(0.01 / math.sqrt(0.0052 / 5))
    below = an.sortino_ratio(FIVE, count="below", periods_per_year=1)
    assert below == close(0.02 / math.sqrt(0.0017))


def test_kappa_takes_the_root_of_the_partial_moment() -> None:
    assert an.kappa_ratio(FIVE) == close(0.02 / math.sqrt(0.00068))
    # Order 1 is Omega - 1: 0.02 / 0.016; order 3: 0.000125 + 0.000027 = 0.000152.
    assert an.kappa_ratio(FIVE, order=1) == close(1.25)
    assert an.kappa_ratio(FIVE, order=3) == close(0.02 / (0.000152 / 5) ** (1 / 3))


def test_omega_and_its_kin() -> None:
    assert an.omega_ratio(FIVE) == close(0.18 / 0.08)
    # About 0.02 what exceeds and what falls short are both 0.12.
    assert an.omega_ratio(FIVE, threshold=0.02) == close(1.0)
    assert an.omega_sharpe_ratio(FIVE) == close(0.18 / 0.08 - 1.0)
    assert an.omega_sharpe_ratio(FIVE, minimum=0.02) == pytest.approx(0.0, abs=1e-14)
    assert an.gain_to_pain_ratio(FIVE) == close(0.10 / 0.08)


def test_d_ratio_weighs_with_counts() -> None:
    # 2 losses of 0.08 together, 3 gains of 0.18.
    assert an.d_ratio(FIVE) == close(2 * 0.08 / (3 * 0.18))
    assert an.d_ratio(RISES) == 0.0
    assert an.d_ratio(FALLS) == math.inf


def test_kelly_is_mean_over_variance() -> None:
    assert an.kelly_fraction(FIVE) == close(0.02 / 0.00385)
    assert an.kelly_fraction(FLAT) == 0.0


@pytest.mark.parametrize(
    "name",
    ["sortino_ratio", "kappa_ratio", "omega_ratio", "omega_sharpe_ratio", "gain_to_pain_ratio"],
)
def test_reward_without_risk_is_infinite_and_nothing_over_nothing_is_none(name: str) -> None:
    metric = getattr(an, name)
    assert metric(RISES) == math.inf
    assert metric([0.0, 0.0]) == 0.0
    assert metric(FALLS) <= 0.0


# ------------------------------------------------------------------------ shape
def test_skewness_over_n_and_corrected() -> None:
    # Cubes 0.000512 - 0.000343 - 0.000125 + 0.000064 = 0.000108.
    moment = 0.0000216 / 0.00308**1.5
    assert an.skewness(FIVE) == close(moment)
    assert an.skewness(FIVE, method="sample") == close(moment * math.sqrt(5 * 4) / 3)
    # Three values at 0, 0 and 3 about their mean 1: m3 = (-1 - 1 + 8)/3 = 2, m2 = 6/3 = 2.
    assert an.skewness([0.0, 0.0, 3.0]) == close(2 / 2**1.5)
    assert an.skewness([0.0, 3.0], method="sample") == 0.0


def test_kurtosis_over_n_and_corrected() -> None:
    # Fourth powers 0.00004096 + 0.00002401 + 0.00000625 + 0.00000256 = 0.00007378.
    moment = 0.000014756 / 0.00308**2
    assert an.kurtosis(FIVE) == close(moment - 3.0)
    assert an.kurtosis(FIVE, excess=False) == close(moment)
    # n = 5: 5 * 6 / (4 * 3 * 2) * Σ / s⁴, and 3 * 16 / (3 * 2) = 8 off.
    corrected = 30 / 24 * 0.00007378 / 0.00385**2
    assert an.kurtosis(FIVE, method="sample", excess=False) == close(corrected)
    assert an.kurtosis(FIVE, method="sample") == close(corrected - 8.0)
    assert an.kurtosis([1.0, 2.0, 4.0], method="sample") == 0.0
    # Two values that are equally likely have the least there is: 1.
    assert an.kurtosis([-1.0, 1.0, -1.0, 1.0], excess=False) == close(1.0)


def test_skewness_over_kurtosis() -> None:
    skew, tails = 0.0000216 / 0.00308**1.5, 0.000014756 / 0.00308**2
    assert an.skewness_kurtosis_ratio(FIVE) == close(skew / tails)


def test_upside_over_downside() -> None:
    assert an.volatility_skewness(FIVE) == close(0.014 / 0.0034)
    assert an.variability_skewness(FIVE) == close(math.sqrt(0.014 / 0.0034))
    assert an.volatility_skewness(FIVE, minimum=0.02) == close(0.008 / 0.0074)
    assert an.variability_skewness(RISES) == math.inf


def test_autocorrelation_of_a_lag() -> None:
    # 0.08 * -0.07 + -0.07 * 0 + 0 * -0.05 + -0.05 * 0.04 = -0.0076
    assert an.autocorrelation(FIVE) == close(-0.0076 / 0.0154)
    # 0.08 * 0 + -0.07 * -0.05 + 0 * 0.04 = 0.0035
    assert an.autocorrelation(FIVE, lag=2) == close(0.0035 / 0.0154)
    assert an.autocorrelation(FIVE, lag=4) == close(0.08 * 0.04 / 0.0154)
    assert an.autocorrelation(FIVE, lag=5) == 0.0


def test_stability_is_r_squared_of_log_growth() -> None:
    # Logs of growth 1, 2, 4 at -1, 0, 1: Σxy = 3, Σx² = 2, Σ(y - 7/3)² = 14/3; 9 / (2 * 14/3).
    returns = [math.e - 1.0, math.e - 1.0, math.e**2 - 1.0]
    assert an.stability(returns) == close(27 / 28)
    assert an.stability([0.01] * 9) == close(1.0)
    assert an.stability([-0.01] * 9) == close(1.0)
    assert an.stability([0.5]) == 0.0
    assert an.stability([0.0, 0.0, 0.0]) == 0.0
    assert an.stability([0.5, -1.0, 0.5]) == 0.0


# ------------------------------------------------------------------------ tails
def test_value_at_risk_is_a_quantile() -> None:
    # In order -0.05 -0.03 0.02 0.06 0.10; 5 % lies 0.2 of a step above the lowest.
    assert an.value_at_risk(FIVE) == close(-0.05 + 0.2 * 0.02)
    assert an.value_at_risk(FIVE, confidence=0.5) == close(0.02)
    assert an.value_at_risk(FIVE, confidence=0.99) == close(-0.05 + 0.04 * 0.02)


def test_value_at_risk_of_a_normal_distribution_and_bent() -> None:
    z = -1.6448536269514722  # 5 % of a normal distribution lies below
    assert an.value_at_risk(FIVE, method="gaussian") == close(0.02 + z * math.sqrt(0.00385))
    skew, tails = 0.0000216 / 0.00308**1.5, 0.000014756 / 0.00308**2 - 3.0
    bent = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * tails / 24
    bent -= (2 * z**3 - 5 * z) * skew**2 / 36
    assert an.value_at_risk(FIVE, method="modified") == close(0.02 + bent * math.sqrt(0.00385))


@pytest.mark.parametrize(
    ("confidence", "worst"),
    [
        (0.95, [-10.0]),  # floor(10 * 0.05) + 1 = 1
        (0.90, [-10.0, -9.0]),  # floor(10 * 0.1) + 1 = 2, though 1 - 0.9 is a hair below 0.1
        (0.80, [-10.0, -9.0, -8.0]),
        (0.70, [-10.0, -9.0, -8.0, -7.0]),
        (0.55, [-10.0, -9.0, -8.0, -7.0, -6.0]),
    ],
    ids=str,
)
def test_conditional_value_at_risk_averages_the_worst(confidence: float, worst: list) -> None:
    eleven = np.arange(11.0) - 10.0
    mixed = np.random.default_rng(5).permutation(eleven)
    found = an.conditional_value_at_risk(mixed, confidence=confidence)
    assert found == close(sum(worst) / len(worst))


@pytest.mark.parametrize("steps", [20, 40, 60, 100, 200, 1000])
def test_conditional_value_at_risk_counts_whole_shares_exactly(steps: int) -> None:
    # Of steps + 1 returns floor(steps / 20) + 1 are the worst 5 %: 0 to steps / 20.
    found = an.conditional_value_at_risk(np.arange(steps + 1.0))
    assert found == close(steps / 40)


def test_tail_ratio_is_of_sizes() -> None:
    # 95 %: 0.06 + 0.8 * 0.04 = 0.092; 5 %: -0.046.
    assert an.tail_ratio(FIVE) == close(2.0)
    # 75 % and 25 % are 0.06 and -0.03.
    assert an.tail_ratio(FIVE, share=0.25) == close(2.0)
    assert an.tail_ratio([0.0, 0.0, 0.0]) == 0.0
    assert an.tail_ratio([0.0] * 30 + [1.0] * 10) == math.inf


def test_streaks_end_at_zero_as_at_the_other_sign() -> None:
    assert an.longest_streaks([1, 2, 0, 3, -1, -1, -1, 0, -1]) == (2, 3)
    assert an.longest_streaks([1, 1, 1]) == (3, 0)
    assert an.longest_streaks([-1]) == (0, 1)
    assert an.longest_streaks([0, 0]) == (0, 0)
    assert an.longest_streaks([]) == (0, 0)


# ------------------------------------------------------------------------ every function
@pytest.mark.parametrize("name", OF_ONE_SERIES)
def test_no_returns_give_zero(name: str) -> None:
    assert getattr(an, name)([]) == 0.0


@pytest.mark.parametrize("name", OF_ONE_SERIES)
@pytest.mark.parametrize(
    "given",
    [tuple(FIVE), np.array(FIVE), pd.Series(FIVE, index=list("abcde")), pl.Series(FIVE)],
    ids=["tuple", "array", "pandas", "polars"],
)
def test_any_column_of_numbers_is_the_same(name: str, given: object) -> None:
    metric = getattr(an, name)
    assert metric(given) == metric(FIVE)


@pytest.mark.parametrize("name", [*OF_ONE_SERIES, "longest_streaks"])
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, None, "x", True], ids=lambda value: repr(value)
)
def test_what_is_no_finite_number_is_named_with_its_row(name: str, bad: object) -> None:
    with pytest.raises(
        DataError, match=r"(returns|values) must be finite numbers, row 1 has"
    ) as caught:
        getattr(an, name)([0.01, bad, 0.02])
    assert caught.value.row == 1


@pytest.mark.parametrize("name", OF_ONE_SERIES)
@pytest.mark.parametrize(
    "bad", [0.5, [[0.1, 0.2]], np.zeros((3, 1))], ids=["number", "rows", "column"]
)
def test_another_number_of_dimensions_is_refused(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match="returns must have one dimension, had shape"):
        getattr(an, name)(bad)


def test_returns_of_unlike_lengths_are_named_by_row() -> None:
    with pytest.raises(DataError, match=r"row 1 has \[0\.2\]"):
        an.volatility([0.1, [0.2]])


def test_row_of_a_series_is_counted_not_looked_up() -> None:
    with pytest.raises(DataError, match=r"row 1 has .*nan"):
        an.sharpe_ratio(pd.Series([0.1, math.nan], index=[7, 9]))


@pytest.mark.parametrize(
    ("name", "option", "bad"),
    [
        ("sharpe_ratio", "periods_per_year", 0.0),
        ("sharpe_ratio", "periods_per_year", math.nan),
        ("sharpe_ratio", "risk_free", math.inf),
        ("sharpe_ratio", "ddof", -1),
        ("sharpe_ratio", "ddof", 0.5),
        ("volatility", "ddof", 1.5),
        ("volatility", "periods_per_year", -1.0),
        ("annual_return", "periods_per_year", 0.0),
        ("adjusted_sharpe_ratio", "periods_per_year", 0.0),
        ("downside_deviation", "minimum", "low"),
        ("downside_deviation", "count", "some"),
        ("downside_deviation", "periods_per_year", 0.0),
        ("upside_risk", "minimum", math.nan),
        ("upside_risk", "periods_per_year", 0.0),
        ("downside_potential", "minimum", math.nan),
        ("upside_potential", "minimum", math.nan),
        ("downside_frequency", "minimum", math.nan),
        ("upside_frequency", "minimum", math.nan),
        ("sortino_ratio", "minimum", math.nan),
        ("sortino_ratio", "count", "none"),
        ("sortino_ratio", "periods_per_year", 0),
        ("kappa_ratio", "order", 0.0),
        ("kappa_ratio", "minimum", math.nan),
        ("omega_ratio", "threshold", math.nan),
        ("omega_sharpe_ratio", "minimum", math.nan),
        ("volatility_skewness", "minimum", math.nan),
        ("variability_skewness", "minimum", math.nan),
        ("skewness", "method", "pandas"),
        ("kurtosis", "method", "pandas"),
        ("kurtosis", "excess", 1),
        ("autocorrelation", "lag", 0),
        ("autocorrelation", "lag", 1.0),
        ("value_at_risk", "confidence", 1.0),
        ("value_at_risk", "confidence", 95),
        ("value_at_risk", "method", "normal"),
        ("conditional_value_at_risk", "confidence", 0.0),
        ("tail_ratio", "share", 1.0),
        ("tail_ratio", "share", 0),
    ],
    ids=str,
)
def test_wrong_option_is_named(name: str, option: str, bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{option} must "):
        getattr(an, name)(FIVE, **{option: bad})


def test_what_a_checked_series_of_returns_is() -> None:
    checked = arithmetic.checked_returns("returns", [1, 2])
    assert checked.dtype == np.float64
    assert checked.tolist() == [1.0, 2.0]


def test_no_metric_is_not_a_number_where_growth_overflows() -> None:
    # CAGR is infinite with a million of such periods a year.
    found = an.adjusted_sharpe_ratio([1.0, 2.0, 3.0, -0.5], periods_per_year=1e6)
    assert not math.isnan(found)


def test_no_function_changes_its_input() -> None:
    given = np.array(FIVE)
    for name in OF_ONE_SERIES:
        getattr(an, name)(given)
    assert given.tolist() == FIVE


# ------------------------------------------------------------------------ more than everything
def test_a_loss_of_more_than_everything_stays_lost() -> None:
    # 1 - 1.5 is a debt of 0.5; (-0.5)(-0.5) - 1 = -0.75 would be a recovery out of nothing.
    assert an.total_return([-1.5, -1.5]) == -1.5
    assert an.total_return([-1.5, 3.0]) == -1.5
    # Half is left, of which 150 % is lost: 0.5 (1 - 1.5) - 1.
    assert an.total_return([-0.5, -1.5, 0.2]) == -1.25
    assert an.total_return([0.5, -1.0, 3.0]) == -1.0
    assert an.total_return([1e300, 1e300, -1.0]) == -1.0
    assert an.equity_of([1e300, 1e300, -1.0, 1.0]).tolist() == [1.0, 1e300, math.inf, 0.0, 0.0]
    assert an.equity_of([-0.5, -1.5, 0.2], 200.0).tolist() == [200.0, 100.0, -50.0, -50.0]


@pytest.mark.parametrize("seed", range(20))
def test_total_and_annual_return_agree_on_what_is_lost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, [0.1, 0.5][seed % 2], 12)
    total = an.total_return(returns)
    assert (total <= -1.0) == (an.annual_return(returns, periods_per_year=12) == -1.0)
    assert an.equity_of(returns)[-1] == pytest.approx(1.0 + total, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("returns", [[-1.5, -1.5], [-1.5, 3.0], [-0.5, -1.5, 0.2], [0.5, -1.0, 3]])
def test_a_tearsheet_of_such_returns_says_the_same(returns: list[float]) -> None:
    days = pd.date_range("2024-01-01", periods=len(returns))
    sheet = Tearsheet.from_returns(pd.Series(returns, index=days))
    metrics = an.metrics_of(sheet.curve, sampling=sheet.sampling, benchmark=returns)
    assert metrics.total_return_pct == sheet.metrics.total_return_pct == an.total_return(returns)
    assert metrics.benchmark_return_pct == an.total_return(returns)
    assert (metrics.cagr, an.annual_return(returns)) == (-1.0, -1.0)
    assert metrics.max_drawdown_pct == close(an.max_drawdown(an.equity_of(returns)))


def test_equity_of_checks_what_it_is_given() -> None:
    with pytest.raises(DataError, match="returns must be finite numbers, row 1 has nan"):
        an.equity_of([0.1, math.nan])
    with pytest.raises(ValueError, match="initial must be above 0, was 0"):
        an.equity_of([0.1], 0)


@pytest.mark.parametrize(
    "kind", ["Float64", "Int64", "float64[pyarrow]", "int64[pyarrow]", "boolean", "bool[pyarrow]"]
)
def test_what_is_missing_in_a_nullable_column_is_refused_in_words(kind: str) -> None:
    """A column of true and false has no number in its first row already."""
    days = pd.date_range("2024-01-01", periods=4)
    column = pd.Series([1, 0, None, 1], dtype=kind, index=days)
    row = 0 if kind.startswith("bool") else 2
    for read in (an.sharpe_ratio, an.max_drawdown, Tearsheet.from_returns, an.curve_of):
        with pytest.raises(DataError, match=rf" must be finite numbers, row {row} has ") as found:
            read(column)
        assert found.value.row == row
    if row == 2:
        whole = column.dropna()
        assert an.total_return(whole) == 3.0  # 2 · 1 · 2 − 1
        assert an.curve_of(whole).equity.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("gap", ["", "4"])
def test_one_text_in_a_column_of_a_file_is_named(tmp_path: Path, gap: str) -> None:
    """It makes texts of all of the column, of which row 0 is a number none the less."""
    path = tmp_path / "fund.csv"
    path.write_text(
        f"time,equity\n2024-01-01,1.5\n2024-01-02,-2e3\n2024-01-03,n/k\n2024-01-04,{gap}\n"
    )
    frame = pd.read_csv(path)
    with pytest.raises(DataError, match=r"must be finite numbers, row 2 has 'n/k'$") as found:
        an.curve_of(frame)
    assert (found.value.row, found.value.value) == (2, "n/k")
    with pytest.raises(DataError, match=r"^returns must be finite numbers, row 2 has 'n/k'$"):
        an.sharpe_ratio(frame["equity"])
    # Where all are numbers, it was a text that was given.
    with pytest.raises(DataError, match=r"row 0 has '1.5'$"):
        an.sharpe_ratio(frame["equity"].iloc[:2])
