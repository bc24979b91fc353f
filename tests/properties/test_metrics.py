"""Laws that metrics keep, whatever the curve."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from horizon import analytics as an
from horizon.analytics import Curve, Metrics, Sampling, metrics_of, periods
from horizon.analytics.drawdown import episodes_of

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

DAY_NS = 86_400 * 1_000_000_000
#: Metrics that hang on where months, years and days begin.
CALENDAR = {
    each.name
    for each in fields(Metrics)
    if each.name.endswith(("_month", "_months", "_year", "_years", "_day", "_days", "_to_date"))
} - {"periods_per_year"}

# Returns in steps of a hundredth of a per cent: ties, zeros and level stretches do come up.
returns_between = st.integers(-3000, 4000).map(lambda bp: bp / 1e4)
small_returns = st.integers(-40, 50).map(lambda bp: bp / 1e4)
series = st.builds(
    lambda values: np.array(values),
    st.lists(returns_between | small_returns | st.just(0.0), min_size=1, max_size=50),
)
varied = st.builds(
    lambda some, more: np.array(some + more),
    st.lists(returns_between, min_size=3, max_size=8, unique=True),
    st.lists(returns_between | small_returns | st.just(0.0), max_size=45),
)
scales = st.integers(-8, 12).map(lambda k: 2.0**k)  # exact: no rounding comes with them


@st.composite
def curves(draw: st.DrawFn, *, least_days: int = 0) -> Curve:
    """Points hours to days apart, some at one time, over at least so many days."""
    r = draw(series)
    some = draw(st.lists(st.sampled_from([0, 1, 5, 24, 30, 72, 199]), min_size=1, max_size=9))
    hours = np.concatenate([[0], np.cumsum(np.resize(some, len(r)))])
    begin = draw(st.integers(-20 * 365 * 24, 60 * 365 * 24))
    times = (begin + hours) * 3_600_000_000_000 + draw(st.integers(0, 3_599_999_999_999))
    assume(times[-1] - times[0] >= max(least_days * DAY_NS, 3_600_000_000_000))
    return Curve(times.astype(np.int64), an.equity_of(r, draw(st.sampled_from([1.0, 1000.0]))))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    own = draw(varied)
    other = np.array(draw(st.lists(returns_between, min_size=len(own), max_size=len(own))))
    assume(len(set(other.tolist())) > 1)
    return own, other


def close(value: Any, rel: float = 1e-9, floor: float = 1e-11) -> Any:
    return pytest.approx(value, rel=rel, abs=floor)


def values_of(record: Metrics, *, without: set[str] = frozenset()) -> dict[str, Any]:
    return {
        each.name: getattr(record, each.name) for each in fields(record) if each.name not in without
    }


# ------------------------------------------------------------------------ scale
@quick
@given(curves(), scales)
def test_money_scales_and_the_rest_does_not_care(curve: Curve, scale: float) -> None:
    # A sampling that annualises mildly: compounding the rounding of a logarithm over the billions
    # of such periods in a year is no matter of scale.
    how = Sampling("points", 250.0)
    one = metrics_of(curve, sampling=how)
    more = metrics_of(Curve(curve.times_ns, curve.equity * scale), sampling=how)
    for each in fields(Metrics):
        value = getattr(one, each.name)
        if value is None:
            continue
        if each.metadata["unit"] == "currency" and each.metadata["group"] != "Trades":
            value *= scale
        assert getattr(more, each.name) == close(value), each.name


@quick
@given(varied, st.sampled_from([0.1, 0.5, 2.0, 3.0]))
def test_leverage_leaves_ratios_of_reward_and_risk(r: np.ndarray, lever: float) -> None:
    k = r * lever
    for ratio in (an.sharpe_ratio, an.sortino_ratio, an.omega_ratio, an.tail_ratio,
                  an.kappa_ratio, an.gain_to_pain_ratio, an.d_ratio, an.skewness, an.kurtosis,
                  an.autocorrelation, an.downside_frequency):  # fmt: skip
        assert ratio(k) == close(ratio(r)), ratio.__name__
    for size in (an.volatility, an.downside_deviation, an.upside_risk, an.value_at_risk,
                 an.conditional_value_at_risk, an.mean_absolute_deviation,
                 an.downside_potential, an.upside_potential):  # fmt: skip
        assert size(k) == close(lever * size(r)), size.__name__
    assert an.kelly_fraction(k) == close(an.kelly_fraction(r) / lever)


@quick
@given(varied)
def test_the_other_side_of_a_bet(r: np.ndarray) -> None:
    assert an.sharpe_ratio(-r) == close(-an.sharpe_ratio(r))
    assert an.skewness(-r) == close(-an.skewness(r))
    assert an.kurtosis(-r) == close(an.kurtosis(r))
    assert an.downside_deviation(-r, periods_per_year=1) == close(an.upside_risk(r))
    assert an.downside_potential(-r) == close(an.upside_potential(r))
    assert an.longest_streaks(-r) == an.longest_streaks(r)[::-1]
    omega = an.omega_ratio(r)
    if 0.0 < omega < math.inf:
        assert an.omega_ratio(-r) == close(1.0 / omega)


@quick
@given(varied, st.sampled_from([1.0, 12.0, 52.0, 252.0]))
def test_a_year_of_four_times_the_periods_doubles(r: np.ndarray, per_year: float) -> None:
    short, long = {"periods_per_year": per_year}, {"periods_per_year": 4.0 * per_year}
    for metric in (an.sharpe_ratio, an.sortino_ratio, an.volatility, an.downside_deviation):
        assert metric(r, **long) == close(2.0 * metric(r, **short))
    grown = 1.0 + an.annual_return(r, **short)
    assert 1.0 + an.annual_return(r, **long) == close(grown**4, 1e-7)


# ------------------------------------------------------------------------ time
@quick
@given(curves(least_days=30), st.integers(-2000, 2000))
def test_days_later_daily_metrics_are_the_same(curve: Curve, days: int) -> None:
    later = Curve(curve.times_ns + days * DAY_NS, curve.equity)
    assert Sampling.of(later) == Sampling.of(curve)
    assert Sampling.of(curve).kind == "daily"
    moving = {name for name in CALENDAR if "day" not in name}
    one, two = metrics_of(curve), metrics_of(later)
    assert values_of(two, without=moving) == values_of(one, without=moving)
    shifted = {(day + days) % 7: value for day, value in periods.by_weekday(curve).items()}
    assert periods.by_weekday(later) == close(shifted)
    assert periods.by_hour(later) == periods.by_hour(curve)


@quick
@given(curves(), st.integers(-(10**17), 10**17))
def test_any_time_later_metrics_of_points_are_the_same(curve: Curve, shift: int) -> None:
    later = Curve(curve.times_ns + shift, curve.equity)
    how = Sampling.of(curve, kind="points")
    assert Sampling.of(later, kind="points") == how
    one, two = metrics_of(curve, sampling=how), metrics_of(later, sampling=how)
    assert values_of(two, without=CALENDAR) == values_of(one, without=CALENDAR)


@quick
@given(curves())
def test_stretching_time_stretches_drawdowns(curve: Curve) -> None:
    begin = curve.times_ns[0]
    slow = Curve(begin + (curve.times_ns - begin) * 3, curve.equity)
    one = an.drawdowns(curve.times_ns, curve.equity, most=None)
    two = an.drawdowns(slow.times_ns, slow.equity, most=None)
    assert [fall.duration_secs for fall in two] == close([3 * fall.duration_secs for fall in one])
    assert an.time_under_water(slow.times_ns, slow.equity) == close(
        an.time_under_water(curve.times_ns, curve.equity)
    )


# ------------------------------------------------------------------------ calendars
@quick
@given(curves())
def test_returns_of_days_months_and_years_compound_to_the_total(curve: Curve) -> None:
    total = curve.final / curve.initial
    for found in (
        periods.daily_returns(curve)[1],
        list(periods.monthly_returns(curve).values()),
        list(periods.yearly_returns(curve).values()),
        periods.changes(curve.equity),
    ):
        assert np.prod(1.0 + np.asarray(found)) == close(total)


@quick
@given(curves())
def test_profit_by_hour_and_weekday_adds_up(curve: Curve) -> None:
    whole = curve.final - curve.initial
    floor = 1e-9 * float(curve.equity.max())
    by_hour, by_weekday = periods.profit_by_hour(curve), periods.profit_by_weekday(curve)
    assert sum(by_hour.values()) == close(whole, floor=floor)
    assert sum(by_weekday.values()) == close(whole, floor=floor)
    assert set(by_hour) == set(periods.by_hour(curve)) <= set(range(24))
    assert set(by_weekday) == set(periods.by_weekday(curve)) <= set(range(7))


@quick
@given(curves())
def test_mean_returns_by_weekday_weigh_up_to_those_of_days(curve: Curve) -> None:
    days, returns = periods.daily_returns(curve)
    weekdays = (days.astype(np.int64) + 3) % 7
    means = {int(day): float(returns[weekdays == day].mean()) for day in set(weekdays.tolist())}
    assert periods.by_weekday(curve) == close(means)


@quick
@given(curves())
def test_monthly_table_has_each_month_once(curve: Curve) -> None:
    table, months = periods.monthly_table(curve), periods.monthly_returns(curve)
    cells = table.drop(columns="Year").to_numpy()
    assert np.isfinite(cells).sum() == len(months)
    assert sorted(cells[np.isfinite(cells)]) == close(sorted(months.values()))
    grown = np.prod(1.0 + np.where(np.isnan(cells), 0.0, cells), axis=1) - 1.0
    assert table["Year"].tolist() == close(grown.tolist())


@quick
@given(curves(), st.sampled_from(["daily", "points"]))
def test_sampled_returns_compound_to_the_total(curve: Curve, kind: str) -> None:
    taken = Sampling(kind, 1.0).take(curve)  # type: ignore[arg-type]
    assert taken.initial == curve.initial
    assert taken.final == curve.final
    days = taken.times_ns[1:] // DAY_NS
    if kind == "daily":
        assert (np.diff(days) > 0).all()
        assert set(days.tolist()) == set((curve.times_ns[1:] // DAY_NS).tolist())


# ------------------------------------------------------------------------ drawdowns
@quick
@given(curves())
def test_drawdowns_are_apart_and_within_bounds(curve: Curve) -> None:
    depth = an.underwater(curve.equity)
    assert (depth <= 0.0).all()
    assert depth[0] == 0.0
    episodes = episodes_of(depth)
    assert (episodes.peaks < episodes.ends).all()
    assert (episodes.ends[:-1] <= episodes.peaks[1:]).all()
    below = np.zeros(len(depth), dtype=bool)
    for peak, end, deep, is_over in zip(
        episodes.peaks, episodes.ends, episodes.depths, episodes.is_over, strict=True
    ):
        stop = end if is_over else end + 1
        below[peak + 1 : stop] = True
        assert depth[peak] == 0.0
        assert deep == -depth[peak : end + 1].min()
        assert (depth[end] == 0.0) == is_over
    assert (below == (depth < 0.0)).all()
    record = metrics_of(curve)
    assert 0.0 <= record.current_drawdown_pct <= record.max_drawdown_pct < 1.0
    assert record.average_drawdown_pct <= record.max_drawdown_pct + 1e-15
    assert record.pain_index <= record.ulcer_index + 1e-15
    assert record.ulcer_index <= record.max_drawdown_pct + 1e-15
    assert 0.0 <= record.time_under_water <= 1.0
    assert record.max_drawdown <= record.highest_equity - record.lowest_equity
    assert record.drawdown_count == len(episodes)


@quick
@given(curves())
def test_largest_drawdown_is_that_of_all_pairs(curve: Curve) -> None:
    e = curve.equity
    falls = [1.0 - e[j] / e[i] for i in range(len(e)) for j in range(i, len(e))]
    money = [e[i] - e[j] for i in range(len(e)) for j in range(i, len(e))]
    assert an.max_drawdown(e) == close(max(falls))
    assert an.max_drawdown_money(e) == close(max(money))


@quick
@given(curves())
def test_drawdown_records_are_in_order_and_agree(curve: Curve) -> None:
    falls = an.drawdowns(curve.times_ns, curve.equity, most=None)
    depths = [fall.depth for fall in falls]
    assert depths == sorted(depths, reverse=True)
    for fall in falls:
        assert fall.peak_time <= fall.trough_time
        if fall.recovery_time is None:
            assert fall.recovery_secs is None
        else:
            assert fall.trough_time <= fall.recovery_time
            assert fall.duration_secs >= (fall.recovery_secs or 0.0)
    if falls:
        longest = an.max_drawdown_duration(curve.times_ns, curve.equity)
        assert longest == max(fall.duration_secs for fall in falls)
        below = an.max_drawdown_duration(curve.times_ns, curve.equity, counted="below")
        assert below <= longest


# ------------------------------------------------------------------------ distribution
@quick
@given(varied, st.integers(0, 2**32 - 1))
def test_order_does_not_matter_to_moments_and_quantiles(r: np.ndarray, seed: int) -> None:
    mixed = np.random.default_rng(seed).permutation(r)
    for metric in (an.volatility, an.sharpe_ratio, an.sortino_ratio, an.skewness, an.kurtosis,
                   an.value_at_risk, an.conditional_value_at_risk, an.omega_ratio, an.tail_ratio,
                   an.total_return, an.geometric_mean_return, an.d_ratio, an.kelly_fraction,
                   an.mean_absolute_deviation, an.upside_frequency):  # fmt: skip
        assert metric(mixed) == close(metric(r)), metric.__name__


@quick
@given(series, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_tail_is_no_better_than_its_edge(r: np.ndarray, a: float, b: float) -> None:
    low, high = sorted((a, b))
    for confidence in (low, high):
        edge = an.value_at_risk(r, confidence=confidence)
        assert an.conditional_value_at_risk(r, confidence=confidence) <= edge + 1e-12
        assert min(r) - 1e-15 <= edge <= max(r) + 1e-15
    # More confidence looks further out.
    assert an.value_at_risk(r, confidence=high) <= an.value_at_risk(r, confidence=low) + 1e-15
    assert (
        an.conditional_value_at_risk(r, confidence=high)
        <= an.conditional_value_at_risk(r, confidence=low) + 1e-15
    )


@quick
@given(varied)
def test_bounds_and_identities_of_one_series(r: np.ndarray) -> None:
    assert 0.0 <= an.stability(r) <= 1.0
    assert -1.0 - 1e-12 <= an.autocorrelation(r) <= 1.0 + 1e-12
    # Pearson's inequality; its sharpest case makes the error of a Sharpe ratio real.
    assert an.kurtosis(r, excess=False) >= 1.0 + an.skewness(r) ** 2 - 1e-9
    level = float(np.mean(r == 0.0))
    assert an.upside_frequency(r) + an.downside_frequency(r) + level == close(1.0)
    mean = an.upside_potential(r) - an.downside_potential(r)
    assert mean == close(float(r.mean()))
    both = an.upside_risk(r) ** 2 + an.downside_deviation(r, periods_per_year=1) ** 2
    assert both == close(float(np.mean(r * r)))
    if an.omega_ratio(r) < math.inf:
        assert an.omega_sharpe_ratio(r) == close(an.omega_ratio(r) - 1.0)
        assert an.gain_to_pain_ratio(r) == close(an.omega_ratio(r) - 1.0)
        assert an.kappa_ratio(r, order=1) == close(an.omega_ratio(r) - 1.0)
        assert an.kappa_ratio(r) == close(an.sortino_ratio(r, periods_per_year=1))
    assert an.geometric_mean_return(r) <= float(r.mean()) + 1e-15
    assert (1.0 + an.geometric_mean_return(r)) ** len(r) == close(1.0 + an.total_return(r))


@quick
@given(series)
def test_histogram_has_every_return_in_its_bin(r: np.ndarray) -> None:
    edges, counts = periods.histogram(r)
    assert counts.sum() == len(r)
    assert edges[0] <= r.min() <= r.max() <= edges[-1]
    assert (np.diff(edges) > 0.0).all()


# ------------------------------------------------------------------------ beside a benchmark
@quick
@given(pairs(), st.sampled_from([0.5, 2.0, 3.0]), st.sampled_from([0.0, 0.001, -0.002]))
def test_leverage_and_a_constant_beside_a_benchmark(
    both: tuple[np.ndarray, np.ndarray], lever: float, ahead: float
) -> None:
    r, b = both
    beta = an.beta(r, b)
    assert an.beta(lever * r + ahead, b) == close(lever * beta)
    assert an.correlation(lever * r + ahead, b) == close(an.correlation(r, b))
    simple = {"method": "simple", "periods_per_year": 12.0}
    expected = lever * an.alpha(r, b, **simple) + 12.0 * ahead
    assert an.alpha(lever * r + ahead, b, **simple) == close(expected)
    assert -1.0 <= an.correlation(r, b) <= 1.0 + 1e-15
    # What is explained and what is left make up the whole.
    explained = an.systematic_risk(r, b, periods_per_year=1) ** 2
    left = an.specific_risk(r, b, periods_per_year=1) ** 2
    assert explained + left == close(an.volatility(r, periods_per_year=1) ** 2)


@quick
@given(varied)
def test_a_series_is_its_own_benchmark(r: np.ndarray) -> None:
    assert an.beta(r, r) == close(1.0)
    assert an.alpha(r, r) == close(0.0)
    assert an.tracking_error(r, r) == 0.0
    assert an.active_return(r, r) == 0.0
    assert an.up_capture(r, r) == close(1.0 if (r > 0).any() else 0.0)
    assert an.down_capture(r, r) == close(1.0 if (r < 0).any() else 0.0)
    assert an.m_squared(r, r) == close(an.annual_return(r))


# ------------------------------------------------------------------------ windows
@quick
@given(pairs())
def test_window_of_everything_is_the_function(both: tuple[np.ndarray, np.ndarray]) -> None:
    r, b = both
    n = len(r)
    assert an.rolling_sharpe(r, n).tolist() == close([an.sharpe_ratio(r)])
    assert an.rolling_sortino(r, n).tolist() == close([an.sortino_ratio(r)])
    assert an.rolling_volatility(r, n).tolist() == close([an.volatility(r)])
    assert an.rolling_beta(r, b, n).tolist() == close([an.beta(r, b)])


@quick
@given(pairs(), st.integers(2, 10), st.data())
def test_nothing_that_comes_later_changes_a_window(
    both: tuple[np.ndarray, np.ndarray], window: int, data: st.DataObject
) -> None:
    r, b = both
    split = data.draw(st.integers(1, len(r)))
    later = np.array(
        data.draw(st.lists(returns_between, min_size=len(r) - split, max_size=len(r) - split))
    )
    changed = np.concatenate([r[:split], later])
    market = np.concatenate([b[:split], later[::-1]])
    known = max(split - window + 1, 0)
    for rolled in (an.rolling_sharpe, an.rolling_sortino, an.rolling_volatility):
        assert rolled(changed, window)[:known].tolist() == close(rolled(r, window)[:known].tolist())
    one, two = an.rolling_beta(r, b, window), an.rolling_beta(changed, market, window)
    assert two[:known].tolist() == close(one[:known].tolist(), 1e-8)


# ------------------------------------------------------------------------ chance
@settings(quick, max_examples=15)
@given(varied, st.integers(0, 1000), st.sampled_from(["sharpe_ratio", "max_drawdown"]))
def test_interval_of_one_seed_is_one_interval(r: np.ndarray, seed: int, statistic: str) -> None:
    one = an.bootstrap_interval(r, statistic, seed=seed, n_resamples=100)
    assert an.bootstrap_interval(r.tolist(), statistic, seed=seed, n_resamples=100) == one
    assert one.low <= one.high
    narrow = an.bootstrap_interval(r, statistic, seed=seed, n_resamples=100, confidence=0.5)
    assert one.low <= narrow.low <= narrow.high <= one.high


@quick
@given(st.floats(-0.5, 0.5), st.integers(2, 1000), st.floats(-2.0, 2.0), st.floats(0.0, 20.0))
def test_probabilities_of_a_sharpe_ratio(s: float, n: int, skew: float, more: float) -> None:
    shape = {"skewness": skew, "kurtosis": 1.0 + skew * skew + more}
    here = an.probabilistic_sharpe_ratio(s, n, **shape)
    assert 0.0 <= here <= 1.0
    # A higher bar is cleared with less probability, and by the best of more trials.
    assert an.probabilistic_sharpe_ratio(s, n, benchmark=0.1, **shape) <= here
    few = an.deflated_sharpe_ratio(s, n, n_trials=5, variance=0.01, **shape)
    many = an.deflated_sharpe_ratio(s, n, n_trials=50, variance=0.01, **shape)
    assert many <= few <= here
    # And the two tails make up the whole.
    mirrored = an.probabilistic_sharpe_ratio(-s, n, skewness=-skew, kurtosis=shape["kurtosis"])
    assert here + mirrored == close(1.0)
