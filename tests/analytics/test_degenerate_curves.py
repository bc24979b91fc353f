"""Curves that say little or nothing, or too much: every number there is, without a warning.

Warnings are errors in this suite, so that getting through is half of each test.
"""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from horizon import analytics as an
from horizon.analytics import Metrics, Sampling, Tearsheet, generate_tearsheet
from horizon.errors import DataError

DAY = 86_400.0
START = 1_700_000_000.0


def every(step: float, *equity: float) -> list[tuple[float, float]]:
    return [(START + step * i, value) for i, value in enumerate(equity)]


CURVES: dict[str, list[tuple[float, float]]] = {
    "empty": [],
    "one point": every(DAY, 100.0),
    "two points": every(DAY, 100.0, 110.0),
    "two points, down": every(DAY, 100.0, 90.0),
    "two points, level": every(DAY, 100.0, 100.0),
    "two points at once": every(0.0, 100.0, 110.0),
    "three points": every(DAY, 100.0, 110.0, 99.0),
    "constant": every(DAY, *[100.0] * 50),
    "constant, few points": every(1.0, *[0.1] * 10),
    "up": every(DAY, *(100.0 + i for i in range(50))),
    "even up": every(DAY, *(100.0 * 1.01**i for i in range(50))),
    "down": every(DAY, *(100.0 - i for i in range(50))),
    "down to nothing": every(DAY, *(49.0 - i for i in range(50))),
    "below zero": every(DAY, *(20.0 - i for i in range(50))),
    "from zero": every(DAY, 0.0, 10.0, 5.0, 20.0),
    "zero throughout": every(DAY, *[0.0] * 40),
    "negative throughout": every(DAY, *(-100.0 + i for i in range(50))),
    "through zero and back": every(DAY, 100.0, 0.0, -50.0, 100.0, 150.0),
    "from below zero": every(DAY, -10.0, 5.0, -5.0, 10.0),
    "huge": every(DAY, 1e300, 1.1e300, 0.9e300, 1.2e300),
    "largest": every(DAY, 1.0, 1.7e308, 1.0),
    "leaps": every(DAY, 1.0, 1e200, 1.0, 1e300, 5.0),
    "to huge": every(DAY, 1.0, 1e300),
    "huge to tiny": every(DAY, 1e300, 1e-300),
    "tiny": every(DAY, 1e-300, 2e-300, 1e-300, 3e-300),
    "smallest": every(DAY, 5e-324, 1e-323, 5e-324),
    "huge below zero": every(DAY, 1.0, -1e300, 1e300),
    "both ends": every(DAY, 1.0, 1e308, -1e308),
    "a breath": every(DAY, 1.0, 1.0 + 2.3e-16, 1.0, 1.0 + 2.3e-16),
    "a breath in many": every(DAY, *[1.0] * 99, 1.0 + 2.3e-16),
    "all at once": every(0.0, 100.0, 120.0, 90.0, 100.0),
    "a second": every(0.25, 100.0, 101.0, 99.0, 102.0, 100.0),
    "nanoseconds": every(1e-6, 100.0, 101.0, 99.0, 102.0),
    "hours of one day": every(600.0, *(100.0 + i % 7 for i in range(60))),
    "thirty days exactly": [(START, 100.0), (START + 15 * DAY, 90.0), (START + 30 * DAY, 110.0)],
    "centuries": [(-9e9, 100.0), (0.0, 150.0), (9e9, 120.0)],
    "one loss": every(DAY, *[100.0] * 20, 50.0, *[50.0] * 20),
    "one gain": every(DAY, *[100.0] * 20, 200.0, *[200.0] * 20),
    "two values by turns": every(DAY, *[100.0, 110.0] * 20),
}
#: Their returns overflow when they are squared or multiplied, which the tearsheet answers for.
BEYOND_SQUARES = ("largest", "leaps", "to huge", "huge below zero", "both ends")


def sheets(name: str) -> list[Tearsheet]:
    """The curve with its own start and another, sampled either way, with a rate and without."""
    points = CURVES[name]
    return [
        generate_tearsheet(points),
        generate_tearsheet(points, initial_capital=100.0),
        generate_tearsheet(points, initial_capital=250.0, risk_free=0.04),
        generate_tearsheet(points, sampling="daily", rolling_window=2),
        generate_tearsheet(points, sampling="points", risk_free=-0.01),
        generate_tearsheet(points, sampling=Sampling("daily", 252.0)),
    ]


def numbers_of(value: Any) -> list[float]:
    """All numbers in a table, a series or a record."""
    if isinstance(value, dict):
        return [float(v) for v in value.values()]
    if isinstance(value, list):
        return [float(v) for _, v in value]
    return np.asarray(value, dtype=float).ravel().tolist()


@pytest.mark.parametrize("name", CURVES)
def test_every_metric_is_a_number(name: str) -> None:
    for sheet in sheets(name):
        record = sheet.metrics
        for each in fields(Metrics):
            value = getattr(record, each.name)
            if each.metadata["group"] in ("Forecasts", "Benchmark"):
                assert value is None
            else:
                assert not math.isnan(value), each.name
        rows = sheet.rows()
        assert all(row.shown and "nan" not in row.shown for row in rows)
        assert len(sheet.to_frame()) == len(list(record.rows()))


@pytest.mark.parametrize("name", CURVES)
def test_every_table_and_series_is_there(name: str) -> None:
    for sheet in sheets(name):
        returns = sheet.returns
        assert len(sheet.sampled_times) == len(returns)
        edges, counts = sheet.histogram
        assert counts.sum() == len(returns)
        assert (np.diff(edges) > 0.0).all()
        for metric in ("sharpe", "sortino", "volatility", "beta"):
            times, values = sheet.rolling(metric)
            assert len(times) == len(values)
            assert not np.isnan(values).any(), metric
        for table in (
            sheet.monthly_returns,
            sheet.yearly_returns,
            sheet.time_of_day,
            sheet.by_weekday,
            sheet.rolling_sharpe,
            sheet.rolling_sortino,
            sheet.rolling_volatility,
            sheet.underwater,
            returns,
        ):
            assert not any(math.isnan(value) for value in numbers_of(table))
        assert (sheet.underwater <= 0.0).all()
        assert sheet.monthly_table.shape == (len(sheet.yearly_returns), 13)
        assert len(sheet.drawdowns) <= 5
        for fall in sheet.drawdowns:
            assert fall.depth > 0.0
            assert fall.duration_secs >= 0.0
        assert repr(sheet)
        assert sheet.closings.empty
        assert sheet.round_trips.empty
        assert sheet.pnl_by_market == {}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("statistic", ["sharpe_ratio", "max_drawdown"])
def test_bootstrap_gets_through(name: str, statistic: str) -> None:
    found = generate_tearsheet(CURVES[name]).bootstrap(statistic, n_resamples=100)
    assert not math.isnan(found.value)
    assert found.low <= found.high


@pytest.mark.parametrize("name", CURVES)
def test_a_benchmark_beside_it_is_no_harm(name: str) -> None:
    times = [time for time, _ in CURVES[name]] or [START]
    market = [(time, 50.0 + i % 3) for i, time in enumerate(times)]
    level = [(time, 50.0) for time in times]
    for benchmark in (market, level):
        record = generate_tearsheet(CURVES[name], benchmark=benchmark).metrics
        for each in fields(Metrics):
            if each.metadata["group"] == "Benchmark":
                assert not math.isnan(getattr(record, each.name)), each.name


OF_RETURNS = [
    name
    for name in (
        *an.returns.__all__,
        *an.deviations.__all__,
        *an.distribution.__all__,
        *an.ratios.__all__,
        "calmar_ratio",
        "pain_index",
        "pain_ratio",
        "ulcer_index",
        "ulcer_performance_index",
        "burke_ratio",
    )
    if name in an.__all__ and name != "longest_streaks"
]
BESIDE = an.benchmark.__all__


@pytest.mark.parametrize("name", [name for name in CURVES if name not in BEYOND_SQUARES])
def test_every_function_gets_through(name: str) -> None:
    returns = generate_tearsheet(CURVES[name]).returns
    market = np.resize([0.01, -0.02, 0.03], len(returns))
    for metric in OF_RETURNS:
        assert not math.isnan(getattr(an, metric)(returns)), metric
    for metric in BESIDE:
        function = getattr(an, metric)
        for a, b in ((returns, market), (market, returns), (returns, returns)):
            assert not math.isnan(function(a, b)), metric
    for metric in ("rolling_sharpe", "rolling_sortino", "rolling_volatility"):
        assert not np.isnan(getattr(an, metric)(returns, 2)).any(), metric
    assert not np.isnan(an.rolling_beta(returns, market, 2)).any()
    assert not np.isnan(an.rolling_beta(market, returns, 2)).any()


# ------------------------------------------------------------------------ the values that are named
ZERO_FIELDS = {
    each.name
    for each in fields(Metrics)
    if each.metadata["group"] not in ("Forecasts", "Benchmark")
}


def test_no_points_are_zeros_throughout() -> None:
    record = generate_tearsheet([]).metrics
    assert record == Metrics()
    assert {name for name in ZERO_FIELDS if getattr(record, name) != 0} == set()


@pytest.mark.parametrize("given", [[], [(START, 100.0)]], ids=["no point", "one point"])
def test_capital_alone_has_equity_and_nothing_else(given: list) -> None:
    record = generate_tearsheet(given, initial_capital=100.0).metrics
    said = {name: getattr(record, name) for name in ZERO_FIELDS if getattr(record, name) != 0}
    assert said == {
        "initial_equity": 100.0,
        "final_equity": 100.0,
        "highest_equity": 100.0,
        "lowest_equity": 100.0,
    }


def test_constant_equity_has_no_risk_and_no_reward() -> None:
    record = generate_tearsheet(CURVES["constant"]).metrics
    said = {name: getattr(record, name) for name in ZERO_FIELDS if getattr(record, name) != 0}
    assert said == {
        "initial_equity": 100.0,
        "final_equity": 100.0,
        "highest_equity": 100.0,
        "lowest_equity": 100.0,
        "years": 49 / 365.25,
        "return_count": 49,
        "periods_per_year": 365.0,
        # A probability of one half says nothing; no record is long enough.
        "probabilistic_sharpe_ratio": 0.5,
        "minimum_track_record": math.inf,
    }


def test_a_gain_without_risk_is_infinite() -> None:
    record = generate_tearsheet(CURVES["up"]).metrics
    infinite = {name for name in ZERO_FIELDS if getattr(record, name) == math.inf}
    assert infinite == {
        "sortino_ratio",
        "calmar_ratio",
        "omega_ratio",
        "gain_to_pain_ratio",
        "ulcer_performance_index",
        "pain_ratio",
        "burke_ratio",
        "recovery_factor",
    }
    assert record.sharpe_ratio > 0.0
    assert (record.max_drawdown, record.drawdown_count, record.time_under_water) == (0.0, 0, 0.0)


def test_an_even_climb_has_no_sharpe_ratio_but_all_stability() -> None:
    record = generate_tearsheet(CURVES["even up"]).metrics
    # Returns differ by rounding only: at most a few of 1e-16 of 0.01.
    assert record.volatility == 0.0
    assert record.sharpe_ratio == 0.0
    assert record.stability == pytest.approx(1.0, abs=1e-12)


def test_a_fall_throughout_is_one_drawdown() -> None:
    record = generate_tearsheet(CURVES["down"]).metrics
    assert record.max_drawdown == 49.0
    assert record.max_drawdown_pct == pytest.approx(0.49, rel=1e-12)
    assert record.max_drawdown_duration_secs == 49 * DAY
    assert record.drawdown_count == 1
    # The first day still stood at the peak.
    assert record.time_under_water == pytest.approx(48 / 49)
    assert (record.sortino_ratio < 0.0, record.omega_ratio, record.average_gain) == (True, 0.0, 0.0)
    assert record.minimum_track_record == math.inf


def test_equity_lost_altogether_is_minus_one() -> None:
    record = generate_tearsheet(CURVES["down to nothing"]).metrics
    assert (record.total_return_pct, record.cagr) == (-1.0, -1.0)
    assert record.geometric_mean_return == -1.0
    assert record.max_drawdown_pct == 1.0
    assert record.stability == 0.0


def test_equity_below_zero_has_lost_more_than_all() -> None:
    # 20 to -29: a fall of 49 of 20.
    record = generate_tearsheet(CURVES["below zero"]).metrics
    assert record.max_drawdown == 49.0
    assert record.max_drawdown_pct == pytest.approx(2.45, rel=1e-12)
    assert record.total_return_pct == pytest.approx(-2.45, rel=1e-12)
    assert record.cagr == -1.0


@pytest.mark.parametrize("name", ["zero throughout", "negative throughout"])
def test_of_nothing_there_is_no_fraction(name: str) -> None:
    record = generate_tearsheet(CURVES[name]).metrics
    assert (record.total_return_pct, record.cagr, record.max_drawdown_pct) == (0.0, 0.0, 0.0)
    assert (record.best_return, record.worst_return, record.sharpe_ratio) == (0.0, 0.0, 0.0)
    assert record.total_return == {"zero throughout": 0.0, "negative throughout": 49.0}[name]


def test_growth_beyond_a_float_is_infinite() -> None:
    record = generate_tearsheet(CURVES["to huge"]).metrics
    assert record.total_return == 1e300
    assert record.cagr == math.inf  # 1e300 to the 365th power
    assert record.sharpe_ratio == 0.0  # of one return
    assert record.adjusted_sharpe_ratio == 0.0


def test_points_of_one_moment_are_not_annualised() -> None:
    record = generate_tearsheet(CURVES["all at once"]).metrics
    assert record.periods_per_year == 0.0
    annual = ("cagr", "sharpe_ratio", "volatility", "downside_deviation", "calmar_ratio")
    assert [getattr(record, name) for name in annual] == [0.0] * 5
    # What needs no time is said: 120 to 90.
    assert record.max_drawdown_pct == pytest.approx(0.25, rel=1e-12)
    assert record.time_under_water == 0.0
    assert record.best_return == pytest.approx(0.2, rel=1e-12)


def test_a_second_can_be_annualised() -> None:
    # Four returns in a second are 4 * 31,557,600 a year.
    record = generate_tearsheet(CURVES["a second"]).metrics
    assert record.periods_per_year == pytest.approx(4 * 31_557_600, rel=1e-12)
    assert record.cagr == 0.0  # 100 to 100
    assert record.years == pytest.approx(1 / 31_557_600)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf], ids=repr)
def test_what_is_not_finite_is_refused_by_row(bad: float) -> None:
    with pytest.raises(DataError, match="equity_curve must be finite numbers, row 1 has"):
        generate_tearsheet(every(DAY, 100.0, bad, 100.0))
