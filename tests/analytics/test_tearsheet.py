"""A tearsheet's tables, series and benchmark, with numbers worked out by hand."""

import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import analytics as an
from horizon.analytics import Sampling, Tearsheet, generate_tearsheet
from horizon.errors import DataError

DAY = 86_400.0
#: 1 January 2025, a Wednesday.
JAN_1 = datetime(2025, 1, 1, tzinfo=UTC).timestamp()


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def at(days: float) -> float:
    return JAN_1 + DAY * days


def days_of(values: list[float], first: float = 0.0) -> list[tuple[float, float]]:
    """Values a day apart."""
    return [(at(first + i), value) for i, value in enumerate(values)]


# ------------------------------------------------------------------------ the document's example
EXAMPLE = [(1000, 100), (1001, 101), (1002, 99), (1003, 102), (1004, 105)]


def test_example_of_the_document() -> None:
    sheet = hz.generate_tearsheet(equity_curve=EXAMPLE, trades=[], initial_capital=100.0)
    assert sheet.monthly_returns == close({"1970-01": 0.05})
    # 101 at 1001, 99 at 1002, above 101 again at 1003.
    (fall,) = sheet.drawdowns
    assert (fall.peak_time, fall.trough_time, fall.recovery_time) == (1001.0, 1002.0, 1003.0)
    assert fall.depth == close(2 / 101)
    assert fall.depth_money == 2.0
    assert (sheet.avg_win, sheet.avg_loss) == (0.0, 0.0)
    assert (sheet.largest_win, sheet.largest_loss) == (0.0, 0.0)
    assert (sheet.win_streak, sheet.loss_streak) == (0, 0)
    # Returns 0.01, -2/101, 3/99, 3/102. 95 %: place 2.85 of the sorted; 5 %: place 0.15.
    low = -2 / 101 + 0.15 * (0.01 + 2 / 101)
    high = 3 / 102 + 0.85 * (3 / 99 - 3 / 102)
    assert sheet.tail_ratio == close(high / -low)
    assert sheet.time_of_day == close({0: 0.05})
    assert sheet.metrics.max_drawdown == 2.0
    # Five points: windows of two, of which there are three.
    assert sheet.rolling_window == 2
    assert [time for time, _ in sheet.rolling_sharpe] == [1002.0, 1003.0, 1004.0]
    assert [time for time, _ in sheet.rolling_sortino] == [1002.0, 1003.0, 1004.0]
    for time, value in sheet.rolling_sharpe + sheet.rolling_volatility:
        assert type(time) is float
        assert type(value) is float


def test_trades_of_the_example_may_be_none_at_all() -> None:
    assert repr(generate_tearsheet(EXAMPLE)) == repr(generate_tearsheet(EXAMPLE, [], 100.0))


def test_a_sheet_of_a_curve_alone_decides_the_rest() -> None:
    curve = an.curve_of(EXAMPLE)
    sheet = Tearsheet(curve)
    assert sheet.sampling == Sampling.of(curve)
    assert len(sheet.fills) == 0
    assert sheet.metrics is sheet.metrics  # worked out once
    assert sheet.metrics == generate_tearsheet(EXAMPLE).metrics


# ------------------------------------------------------------------------ series
def test_series_of_points_and_of_returns() -> None:
    # Two points a day for forty days: returns are of days.
    points = [(at(i / 2), 100.0 + i) for i in range(80)]
    sheet = generate_tearsheet(points, initial_capital=50.0)
    assert sheet.equity.tolist() == [50.0, *(100.0 + i for i in range(80))]
    assert sheet.times[[0, 1, -1]].astype(str).tolist() == [
        "2025-01-01T00:00:00.000000000",
        "2025-01-01T00:00:00.000000000",
        "2025-02-09T12:00:00.000000000",
    ]
    assert len(sheet.returns) == len(sheet.sampled_times) == 40
    assert sheet.returns[:2].tolist() == close([101 / 50 - 1, 103 / 101 - 1])
    assert sheet.sampled_times[0] == np.datetime64("2025-01-01T12:00")
    assert sheet.underwater.tolist() == [0.0] * 81
    assert sheet.sampling == Sampling("daily", 365.0)


def test_rolling_windows_are_a_quarter_of_a_year_and_at_most_a_quarter_of_all() -> None:
    def window(n: int, **options: Any) -> int:
        return generate_tearsheet(
            days_of(np.linspace(1, 2, n + 1).tolist()), **options
        ).rolling_window

    assert window(400) == 91  # 365 / 4 = 91.25
    assert window(400, periods_per_year=252) == 63
    assert window(100) == 25
    assert window(200, sampling="points") == 20
    assert window(4, sampling="points") == 2
    assert window(400, rolling_window=10) == 10
    for bad in (1, 0, 2.5, "ten"):
        with pytest.raises((TypeError, ValueError), match="rolling_window must be"):
            window(40, rolling_window=bad)


def test_rolling_series_are_of_the_returns_and_end_with_them() -> None:
    rng = np.random.default_rng(8)
    own, market = rng.normal(0.001, 0.01, 90), rng.normal(0.0, 0.01, 90)
    times = [at(i) for i in range(90)]
    sheet = Tearsheet.from_returns(
        list(zip(times, own, strict=True)),
        benchmark=list(zip(times, market, strict=True)),
        rolling_window=20,
        risk_free=0.05,
    )
    r, b, year = sheet.returns, market, {"periods_per_year": 365.0}
    assert r.tolist() == pytest.approx(own.tolist(), rel=1e-9)
    expected = {
        "sharpe": an.rolling_sharpe(r, 20, risk_free=0.05 / 365, **year),
        "sortino": an.rolling_sortino(r, 20, minimum=0.05 / 365, **year),
        "volatility": an.rolling_volatility(r, 20, **year),
        "beta": an.rolling_beta(r, b, 20),
    }
    for name, values in expected.items():
        ends, found = sheet.rolling(name)
        assert found.tolist() == pytest.approx(values.tolist(), rel=1e-9)
        assert ends.tolist() == sheet.sampled_times[19:].tolist()
        pairs = getattr(sheet, f"rolling_{name}")
        assert [time for time, _ in pairs] == times[19:]
        assert [value for _, value in pairs] == found.tolist()
    with pytest.raises(
        ValueError, match="metric must be one of 'sharpe', 'sortino', 'volatility', 'beta'"
    ):
        sheet.rolling("alpha")


def test_a_window_of_all_returns_is_the_metric_itself() -> None:
    rng = np.random.default_rng(9)
    returns = [(at(i), r) for i, r in enumerate(rng.normal(0.0, 0.01, 50))]
    sheet = Tearsheet.from_returns(returns, rolling_window=50, risk_free=0.02)
    m = sheet.metrics
    assert [value for _, value in sheet.rolling_sharpe] == close([m.sharpe_ratio])
    assert [value for _, value in sheet.rolling_sortino] == close([m.sortino_ratio])
    assert [value for _, value in sheet.rolling_volatility] == close([m.volatility])


def test_rolling_beta_is_empty_without_a_benchmark() -> None:
    sheet = generate_tearsheet(EXAMPLE)
    assert sheet.rolling_beta == []
    assert sheet.benchmark_equity is None


def test_times_of_rolling_series_are_those_given() -> None:
    # Fractions of a microsecond, as far as a float has them.
    times = np.sort(np.random.default_rng(7).uniform(1.2e9, 1.2e9 + 60.0, 60)).tolist()
    sheet = generate_tearsheet([(t, 100.0 + i % 3) for i, t in enumerate(times)], rolling_window=5)
    assert [time for time, _ in sheet.rolling_sharpe] == times[5:]


def test_tables_by_calendar() -> None:
    # Wednesday 1 to Sunday 5 January, then 1 February.
    points = [*days_of([100.0, 110.0, 110.0, 99.0, 99.0]), (at(31), 148.5)]
    sheet = generate_tearsheet(points, sampling="points")
    assert sheet.monthly_returns == close({"2025-01": -0.01, "2025-02": 0.5})
    assert sheet.yearly_returns == close({"2025": 0.485})
    assert sheet.by_weekday == close({3: 0.1, 4: 0.0, 5: (0.5 - 0.1) / 2, 6: 0.0})
    assert sheet.time_of_day == close({0: (0.1 + 0.0 - 0.1 + 0.0 + 0.5) / 5})
    assert sheet.monthly_table.loc[2025, ["Jan", "Feb", "Year"]].tolist() == close(
        [-0.01, 0.5, 0.485]
    )
    edges, counts = sheet.histogram
    assert counts.sum() == 5
    assert len(edges) == len(counts) + 1


def test_only_the_five_deepest_drawdowns_are_listed() -> None:
    equity = [v for i in range(8) for v in (100.0, 99.0 - i)] + [100.0]
    falls = generate_tearsheet(days_of(equity), sampling="points").drawdowns
    assert [fall.depth_money for fall in falls] == [8.0, 7.0, 6.0, 5.0, 4.0]


FILLS = pd.DataFrame(
    {
        "timestamp": [at(0.1), at(0.2), at(0.3), at(0.4)],
        "market_id": ["rain", "rain", "snow", "snow"],
        "side": ["buy", "sell", "buy", "sell"],
        "quantity": [10.0] * 4,
        "price": [0.5, 0.8, 0.5, 0.4],
        "fee": [0.1] * 4,
    }
)


def test_trades_are_in_the_sheet() -> None:
    sheet = generate_tearsheet(days_of([100.0, 101.6]), FILLS)
    # +3 and -1, each less fees of 0.2.
    assert sheet.pnl_by_market == close({"rain": 2.8, "snow": -1.2})
    assert (sheet.avg_win, sheet.avg_loss) == close((2.8, -1.2))
    assert (sheet.largest_win, sheet.largest_loss) == close((2.8, -1.2))
    assert (sheet.win_streak, sheet.loss_streak) == (1, 1)
    assert len(sheet.closings) == len(sheet.round_trips) == 2
    assert len(sheet.fills) == 4
    table = an.fill_table(FILLS)
    assert generate_tearsheet(days_of([100.0, 101.6]), table).fills is table


def test_rows_leave_out_trades_where_there_are_none() -> None:
    curve = days_of([100.0, 101.6])
    assert {"Trades", "Costs"} & {row.group for row in generate_tearsheet(curve).rows()} == set()
    groups = {row.group for row in generate_tearsheet(curve, FILLS).rows()}
    assert {"Trades", "Costs"} <= groups
    frame = generate_tearsheet(curve, FILLS).to_frame()
    assert frame.loc["total_trades", "value"] == 4


def test_text_form_has_span_and_numbers() -> None:
    text = repr(generate_tearsheet(days_of([100.0, 110.0, 99.0]), FILLS, title="Rain"))
    head, line, *rest = text.splitlines()
    assert head == "Rain: 2025-01-01 to 2025-01-03, 2 point to point returns"
    assert line == "=" * len(head)
    assert any("Total return:" in row and "−1.00 %" in row for row in rest)
    assert any("Win rate:" in row and "50.00 %" in row for row in rest)
    assert all(len(row) <= 100 for row in rest)
    one = repr(generate_tearsheet(days_of([100.0, 110.0])))
    assert "1 point to point return\n" in one


def test_text_form_of_daily_returns() -> None:
    text = repr(generate_tearsheet(days_of([100.0 + i for i in range(31)])))
    assert text.startswith("Tearsheet: 2025-01-01 to 2025-01-31, 30 daily returns\n")


def test_text_form_of_nothing() -> None:
    assert repr(generate_tearsheet([])).startswith("Tearsheet: no points\n")
    assert repr(generate_tearsheet([], (), 100.0)).startswith("Tearsheet: no points\n")


def test_bootstrap_is_that_of_the_returns() -> None:
    rng = np.random.default_rng(2)
    sheet = Tearsheet.from_returns([(at(i), r) for i, r in enumerate(rng.normal(0, 0.01, 60))])
    found = sheet.bootstrap(n_resamples=100, seed=5, confidence=0.8, block=2)
    assert found == an.bootstrap_interval(
        sheet.returns, periods_per_year=365.0, n_resamples=100, seed=5, confidence=0.8, block=2
    )
    assert found.value == close(sheet.metrics.sharpe_ratio)
    fall = sheet.bootstrap("max_drawdown", n_resamples=100)
    assert fall.value == close(sheet.metrics.max_drawdown_pct)


# ------------------------------------------------------------------------ from returns
def test_returns_compound_from_one_usual_period_before_the_first() -> None:
    returns = [(at(0), 0.1), (at(1), -0.5), (at(2), 0.0), (at(6), 0.2)]
    sheet = Tearsheet.from_returns(returns, initial_capital=200.0)
    assert sheet.equity.tolist() == close([200.0, 220.0, 110.0, 110.0, 132.0])
    # Distances 1, 1 and 4: their median is a day.
    assert sheet.times[0] == np.datetime64("2024-12-31")
    assert sheet.metrics.total_return == close(-68.0)
    (one,) = [Tearsheet.from_returns(returns[:1])]
    assert one.times[0] == np.datetime64("2024-12-31")
    assert one.equity.tolist() == close([1.0, 1.1])


def test_returns_of_business_days_have_252_a_year_and_all_of_them_count() -> None:
    index = pd.bdate_range("2023-01-02", periods=520)
    index = index[
        ~index.strftime("%m-%d").isin(["12-25", "12-26", "07-04", "05-29", "09-04", "11-23"])
    ]
    returns = pd.Series(np.random.default_rng(3).normal(0.0, 0.01, len(index)), index=index)
    sheet = Tearsheet.from_returns(returns)
    assert sheet.sampling == Sampling("daily", 252.0)
    assert sheet.returns.tolist() == pytest.approx(returns.tolist(), rel=1e-9, abs=1e-15)


def test_returns_of_months_have_12_a_year() -> None:
    months = pd.period_range("2020-01", periods=36, freq="M")
    returns = pd.Series([0.01, -0.02, 0.03] * 12, index=months)
    sheet = Tearsheet.from_returns(returns)
    # 36 returns from 31 December 2019 to 31 December 2022: 1,096 days.
    assert sheet.sampling.periods_per_year == close(36 * 365.25 / 1096)
    assert sheet.sampling.period == "month"
    assert sheet.returns.tolist() == close(returns.tolist())
    assert list(sheet.monthly_returns)[:2] == ["2020-01", "2020-02"]
    assert sheet.monthly_returns["2020-01"] == close(0.01)


def test_no_returns_are_the_capital_alone() -> None:
    sheet = Tearsheet.from_returns([], initial_capital=5.0)
    assert sheet.equity.tolist() == [5.0]
    assert sheet.metrics.return_count == 0


def test_a_return_that_loses_all_leaves_nothing() -> None:
    sheet = Tearsheet.from_returns(days_of([0.1, -1.0, 0.5]))
    assert sheet.equity.tolist() == close([1.0, 1.1, 0.0, 0.0])
    assert sheet.metrics.cagr == -1.0
    assert sheet.metrics.max_drawdown_pct == 1.0


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, "1"], ids=repr)
def test_initial_capital_of_returns_is_above_zero(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match="initial_capital must be"):
        Tearsheet.from_returns(days_of([0.1]), initial_capital=bad)


def test_bad_return_is_named() -> None:
    with pytest.raises(DataError, match="returns must be finite numbers, row 1 has nan"):
        Tearsheet.from_returns(days_of([0.1, math.nan]))
    with pytest.raises(ValueError, match="its index counts rows"):
        Tearsheet.from_returns(pd.Series([0.1, 0.2]))
    with pytest.raises(TypeError):
        Tearsheet.from_returns(days_of([0.1]), colour="red")


# ------------------------------------------------------------------------ benchmark
def market_of(sheet: Tearsheet) -> list[float]:
    """The benchmark's returns over the sheet's periods."""
    values = sheet.benchmark_equity
    assert values is not None
    assert len(values) == len(sheet.benchmark_times) == len(sheet.returns) + 1
    return (values[1:] / values[:-1] - 1.0).tolist()


LINE = [100.0 + i for i in range(40)]


def test_benchmark_starts_at_the_initial_capital() -> None:
    sheet = generate_tearsheet(days_of(LINE), benchmark=days_of([10.0 + i for i in range(40)]))
    assert sheet.benchmark_equity is not None
    assert sheet.benchmark_equity[:3].tolist() == close([100.0, 110.0, 120.0])
    assert market_of(sheet)[:2] == close([0.1, 12 / 11 - 1])
    assert sheet.metrics.benchmark_return_pct == close(3.9)
    assert sheet.benchmark_times.tolist() == sheet.times.tolist()


def test_daily_benchmark_beside_points_within_the_day() -> None:
    # The curve has 9 and 15 o'clock of each day, the benchmark midnight, meaning the day.
    points = [(at(i + h / 24), 100.0 + i) for i in range(40) for h in (9, 15)]
    closes = [10.0, *(11.0 + i for i in range(40))]
    sheet = generate_tearsheet(points, benchmark=days_of(closes, first=-1))
    # The base is the close before the first day; then each day's own close.
    expected = [b / a - 1 for a, b in pairwise(closes)]
    assert market_of(sheet) == close(expected)


def test_benchmark_within_the_day_is_taken_at_its_last_of_the_day() -> None:
    # Daily curve at midnight; the benchmark trades at 10 and 16 o'clock of each day.
    ticks = [(at(i + h / 24), 10.0 + i + h / 100) for i in range(-1, 40) for h in (10, 16)]
    sheet = generate_tearsheet(days_of(LINE), benchmark=ticks)
    closes = [10.16 + i for i in range(40)]
    assert market_of(sheet) == close([b / a - 1 for a, b in pairwise(closes)])


def test_missing_days_carry_the_last_value_forward() -> None:
    known = [(at(i), 10.0 + i) for i in range(40) if i not in (5, 6, 39)]
    sheet = generate_tearsheet(days_of(LINE), benchmark=known)
    found = market_of(sheet)
    assert found[3:8] == close([14 / 13 - 1, 0.0, 0.0, 17 / 14 - 1, 18 / 17 - 1])
    assert found[-1] == 0.0


def test_days_that_only_the_benchmark_has_are_left_out() -> None:
    weekdays = [(at(i), 100.0 + i) for i in range(60) if (i + 2) % 7 < 5]
    sheet = generate_tearsheet(weekdays, benchmark=days_of([50.0 + i for i in range(60)]))
    days = [i for i in range(60) if (i + 2) % 7 < 5]
    values = [50.0 + i for i in days]
    assert market_of(sheet) == close([b / a - 1 for a, b in pairwise(values)])


def test_benchmark_may_begin_within_the_first_period_but_not_after_it() -> None:
    late = days_of([10.0 + i for i in range(39)], first=1)
    found = market_of(generate_tearsheet(days_of(LINE), benchmark=late))
    # What it did before it began is not known: nothing.
    assert found[:2] == close([0.0, 0.1])
    with pytest.raises(
        DataError,
        match=r"by the end of the first period at 2025-01-02.*begins at 2025-01-03",
    ):
        generate_tearsheet(days_of(LINE), benchmark=late[1:])


def test_benchmark_of_points_is_its_last_value_then() -> None:
    points = [(1000.0 + 10 * i, 100.0 + i) for i in range(4)]
    ticks = [(1000.0, 10.0), (1009.0, 11.0), (1010.5, 12.0), (1020.0, 13.0), (1029.999, 14.0)]
    sheet = generate_tearsheet(points, benchmark=ticks)
    # At 1000 10, at 1010 still 11, at 1020 13 at once, at 1030 14.
    assert sheet.benchmark_equity is not None
    assert sheet.benchmark_equity.tolist() == close([100.0, 110.0, 130.0, 140.0])
    with pytest.raises(DataError, match="begin by the end of the first period"):
        generate_tearsheet(points, benchmark=[(1010.5, 12.0), (1020.0, 13.0)])


@pytest.mark.parametrize("kind", ["daily", "points"])
def test_no_value_from_after_a_period_has_a_part_in_it(kind: str) -> None:
    rng = np.random.default_rng(12)
    points = [(at(0.37 * i), 100.0 + i) for i in range(100)]
    times = np.sort(rng.uniform(-1, 38, 300))
    values = rng.uniform(5.0, 6.0, 300)
    ticks = [(at(t), v) for t, v in zip(times, values, strict=True)]
    before = generate_tearsheet(points, benchmark=ticks, sampling=kind)
    split = 20.0  # a midnight
    changed = [(t, v if t < at(split) else v * 7.0) for t, v in ticks]
    after = generate_tearsheet(points, benchmark=changed, sampling=kind)
    ends = before.sampled_times.astype("datetime64[ns]").astype(np.int64) / 1e9
    known = int(np.searchsorted(ends, at(split), side="left"))
    assert 0 < known < len(ends)
    assert market_of(after)[:known] == market_of(before)[:known]
    assert market_of(after)[known:] != market_of(before)[known:]


def test_later_values_do_not_reach_the_curve_of_points() -> None:
    points = [(1000.0 + 10 * i, 100.0 + i) for i in range(4)]
    ticks = [(1000.0, 10.0), (1010.0, 11.0), (1020.0, 12.0), (1030.0, 13.0)]
    later = [*ticks, (1030.000001, 99.0), (5000.0, 1.0)]
    a, b = (generate_tearsheet(points, benchmark=each) for each in (ticks, later))
    assert market_of(a) == market_of(b)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "benchmark must have values above 0, has none"),
        (days_of([0.0] * 40), "benchmark must have values above 0, its lowest is 0"),
        (days_of([5.0] * 39 + [-1.0]), "its lowest is -1"),
    ],
    ids=["none", "zero", "below"],
)
def test_benchmark_without_values_above_zero_is_refused(bad: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate_tearsheet(days_of(LINE), benchmark=bad)


def test_bad_row_of_the_benchmark_is_named() -> None:
    with pytest.raises(DataError, match="benchmark must be finite numbers, row 1 has nan"):
        generate_tearsheet(days_of(LINE), benchmark=days_of([1.0, math.nan]))


def test_benchmark_of_returns_has_their_times() -> None:
    own = days_of([0.1, 0.2, -0.1])
    sheet = Tearsheet.from_returns(own, benchmark=days_of([0.05, -0.1, 0.0]))
    assert market_of(sheet) == close([0.05, -0.1, 0.0])
    with pytest.raises(ValueError, match="benchmark must have the times of returns, had 2 for 3"):
        Tearsheet.from_returns(own, benchmark=days_of([0.05, -0.1]))
    with pytest.raises(
        ValueError, match="benchmark must have the times of returns, had 3 for 3 that differ"
    ):
        Tearsheet.from_returns(own, benchmark=days_of([0.05, -0.1, 0.0], first=1))


def test_benchmark_of_returns_within_a_day_is_compounded_as_they_are() -> None:
    # Two returns a day for forty days, sampled daily: 1.1 * 1.0 and 1.0 * 0.9 by turns.
    own = [(at(i / 2), 0.01) for i in range(80)]
    market = [(at(i / 2), 0.1 if i % 4 == 0 else -0.1 if i % 4 == 3 else 0.0) for i in range(80)]
    sheet = Tearsheet.from_returns(own, benchmark=market)
    assert sheet.sampling.kind == "daily"
    assert sheet.returns[1:].tolist() == close([0.0201] * 39)
    assert market_of(sheet)[1:5] == close([-0.1, 0.1, -0.1, 0.1])


def test_same_stamps_in_returns_keep_their_own_benchmark() -> None:
    own = [(at(0), 0.1), (at(0), 0.2), (at(1), 0.3)]
    market = [(at(0), 0.01), (at(0), 0.02), (at(1), 0.03)]
    sheet = Tearsheet.from_returns(own, benchmark=market)
    assert market_of(sheet) == close([0.01, 0.02, 0.03])


# ------------------------------------------------------------------------ arguments
@pytest.mark.parametrize(
    ("option", "bad"),
    [
        ("title", ""),
        ("title", 5),
        ("title", "two\nlines"),
        ("currency", ""),
        ("currency", None),
        ("benchmark_name", ""),
        ("risk_free", math.nan),
        ("risk_free", "low"),
        ("sampling", "hourly"),
        ("sampling", None),
        ("periods_per_year", 0.0),
        ("periods_per_year", -1),
        ("initial_capital", 0),
        ("rolling_window", 1),
    ],
    ids=str,
)
def test_wrong_option_is_named_at_once(option: str, bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{option} must"):
        generate_tearsheet(EXAMPLE, **{option: bad})


@pytest.mark.parametrize(
    ("option", "bad", "name"),
    [
        ("outcomes", {"rain": 2.0}, "outcomes"),
        ("fair_values", [0.5], "fair_values"),
        ("fair_values", [0.5, 0.5, math.inf, 0.5], "fair_values"),
    ],
    ids=str,
)
def test_wrong_forecast_is_named(option: str, bad: object, name: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name}"):
        _ = generate_tearsheet(days_of([100.0, 101.6]), FILLS, **{option: bad}).metrics


def test_titles_and_currency_are_kept() -> None:
    sheet = generate_tearsheet(
        EXAMPLE, title="My run", currency="EUR", benchmark_name="SPY", benchmark=EXAMPLE
    )
    assert (sheet.title, sheet.currency, sheet.benchmark_name) == ("My run", "EUR", "SPY")
    assert "EUR" in repr(sheet)


def test_outcomes_and_fair_values_reach_the_metrics() -> None:
    sheet = generate_tearsheet(
        days_of([100.0, 101.6]), FILLS, outcomes={"rain": 1.0}, fair_values=[0.6, 0.7, 0.6, 0.7]
    )
    # Rain: (0.5² + 0.2²) / 2.
    assert sheet.metrics.brier_score == close(0.145)


def test_a_folder_that_is_not_there_is_named(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="path must lie in a folder that exists"):
        generate_tearsheet(EXAMPLE).to_html(tmp_path / "none" / "sheet.html")


def test_dates_in_a_zone_are_the_same_dates_in_every_form() -> None:
    days = pd.date_range("2023-01-02", periods=40, freq="D", tz="Asia/Tokyo")
    equity = 1_000.0 + np.arange(40.0) * (-1) ** np.arange(40)
    series = hz.generate_tearsheet(pd.Series(equity, index=days)).curve
    for times in (list(days), tuple(days.to_pydatetime()), days.to_numpy(dtype=object), days):
        curve = hz.generate_tearsheet({"time": times, "equity": equity}).curve
        assert curve.times_ns.tolist() == series.times_ns.tolist()
    # The second of January, and not three in the afternoon of the first.
    assert series.times_ns[0] == pd.Timestamp("2023-01-02", tz="UTC").value
