"""Returns and profit by calendar, with days, months and years that were counted by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import curve_of, periods
from horizon.analytics.sampling import DAY_NS, last_of_each


def curve(*points: tuple[str, float], initial: float | None = None):
    """A curve of ISO times (UTC) and equity."""
    return curve_of(list(points), initial)


def close(value: object) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


# Over a new year that follows a leap year's end: 100 -> 110 in December, -> 99 and 108.9 in
# January, nothing in February, -> 54.45 in March.
OVER_NEW_YEAR = curve(
    ("2024-12-30 09:00", 100.0),
    ("2024-12-31 23:59:59.999999999", 110.0),
    ("2025-01-01 00:00:00", 99.0),
    ("2025-01-31 12:00", 108.9),
    ("2025-03-01 00:00", 54.45),
)


def test_changes_are_simple_returns() -> None:
    assert periods.changes(np.array([100.0, 110.0, 99.0])).tolist() == close([0.1, -0.1])
    # From 0 or below there is no fraction; 10 to -5 loses one and a half.
    found = periods.changes(np.array([10.0, -5.0, 20.0, 0.0, 7.0, 14.0]))
    assert found.tolist() == close([-1.5, 0.0, -1.0, 0.0, 1.0])
    assert periods.changes(np.zeros(0)).shape == (0,)
    assert periods.changes(np.ones(1)).shape == (0,)


def test_monthly_and_yearly_returns_chain_from_the_start() -> None:
    assert periods.monthly_returns(OVER_NEW_YEAR) == close(
        {"2024-12": 0.1, "2025-01": 108.9 / 110 - 1, "2025-03": -0.5}
    )
    assert periods.yearly_returns(OVER_NEW_YEAR) == close({"2024": 0.1, "2025": 54.45 / 110 - 1})


def test_start_alone_makes_no_month() -> None:
    found = curve(("2024-12-31", 100.0), ("2025-01-02", 110.0))
    assert periods.monthly_returns(found) == close({"2025-01": 0.1})
    assert periods.yearly_returns(found) == close({"2025": 0.1})


def test_first_month_counts_from_the_initial_capital() -> None:
    found = curve(("2025-01-31", 110.0), ("2025-02-28", 99.0), initial=100.0)
    assert periods.monthly_returns(found) == close({"2025-01": 0.1, "2025-02": -0.1})


def test_leap_day_belongs_to_february() -> None:
    found = curve(("2024-02-28", 100.0), ("2024-02-29 23:00", 120.0), ("2024-03-01", 60.0))
    assert periods.monthly_returns(found) == close({"2024-02": 0.2, "2024-03": -0.5})
    days, returns = periods.daily_returns(found)
    assert days.astype(str).tolist() == ["2024-02-29", "2024-03-01"]
    assert returns.tolist() == close([0.2, -0.5])


def test_years_before_1970_are_years_as_well() -> None:
    found = curve(("1968-12-31", 100.0), ("1969-12-31 23:59", 110.0), ("1970-01-01", 121.0))
    assert periods.yearly_returns(found) == close({"1969": 0.1, "1970": 0.1})
    assert periods.by_weekday(found) == close({2: 0.1, 3: 0.1})  # a Wednesday and a Thursday


def test_monthly_table_has_a_row_a_year() -> None:
    table = periods.monthly_table(OVER_NEW_YEAR)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    assert list(table.columns) == [*months, "Year"]
    assert table.index.tolist() == [2024, 2025]
    assert table.index.name == "year"
    assert table.loc[2024, "Dec"] == close(0.1)
    assert table.loc[2025, "Jan"] == close(-0.01)
    assert table.loc[2025, "Mar"] == close(-0.5)
    assert table["Year"].tolist() == close([0.1, 54.45 / 110 - 1])
    said = table.drop(columns="Year").notna()
    assert said.loc[2024].tolist() == [False] * 11 + [True]
    assert said.loc[2025].tolist() == [True, False, True] + [False] * 9


def test_monthly_table_of_nothing_is_empty() -> None:
    table = periods.monthly_table(curve_of([]))
    assert table.shape == (0, 13)
    assert isinstance(table, pd.DataFrame)


def test_daily_returns_end_at_midnight_utc() -> None:
    found = curve(
        ("2025-03-30 12:00+02:00", 100.0),  # 10:00 in UTC
        ("2025-03-31 01:59+02:00", 90.0),  # still the 30th
        ("2025-03-31 02:00+02:00", 99.0),
        ("2025-03-31 12:00Z", 108.0),
    )
    days, returns = periods.daily_returns(found)
    assert days.astype(str).tolist() == ["2025-03-30", "2025-03-31"]
    assert returns.tolist() == close([-0.1, 0.2])


def test_by_hour_is_the_mean_over_hours_not_points() -> None:
    # 9 to 10 h: 100 -> 110 over three points, the last of them on the hour that it ends; then on
    # the next day 110 -> 99. From 10 h: 110 -> 110.
    found = curve(
        ("2025-01-06 09:00", 100.0),
        ("2025-01-06 09:10", 105.0),
        ("2025-01-06 09:59:59", 110.0),
        ("2025-01-06 10:00", 110.0),
        ("2025-01-06 10:20", 110.0),
        ("2025-01-07 09:30", 99.0),
    )
    assert periods.by_hour(found) == close({9: 0.0, 10: 0.0})
    assert periods.profit_by_hour(found) == close({9: -1.0, 10: 0.0})  # 10 - 11


def test_by_weekday_counts_from_monday() -> None:
    # Monday 6 January 2025 begins; Tuesday 7th +10 %, Tuesday 14th -10 %, Sunday 19th +50 %.
    found = curve(
        ("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-14", 99.0), ("2025-01-19", 148.5)
    )
    assert periods.by_weekday(found) == close({1: 0.0, 6: 0.5})
    assert periods.profit_by_weekday(found) == close({1: -1.0, 6: 49.5})


def test_profits_add_up_to_the_whole() -> None:
    for by in (periods.profit_by_hour, periods.profit_by_weekday):
        assert sum(by(OVER_NEW_YEAR).values()) == close(54.45 - 100.0)


@pytest.mark.parametrize("points", [[], [("2025-01-01", 5.0)]], ids=["none", "one"])
def test_without_a_second_point_there_is_nothing(points: list) -> None:
    found = curve_of(points)
    assert periods.monthly_returns(found) == {}
    assert periods.yearly_returns(found) == {}
    assert periods.by_hour(found) == {}
    assert periods.by_weekday(found) == {}
    assert periods.profit_by_hour(found) == {}
    assert periods.profit_by_weekday(found) == {}
    days, returns = periods.daily_returns(found)
    assert (len(days), len(returns)) == (0, 0)


# ------------------------------------------------------------------------ stretches
@pytest.mark.parametrize("seed", range(20))
def test_last_of_each_stretch_is_what_a_loop_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # From few points in many stretches to many points in few, some equal, some on the edge.
    times = np.sort(rng.integers(-50, 50 if seed % 2 else 5000, size=int(rng.integers(1, 300))))
    step = int(rng.integers(1, 60))
    naive = [
        i
        for i in range(len(times))
        if i + 1 == len(times) or times[i + 1] // step != times[i] // step
    ]
    assert last_of_each(times, step).tolist() == naive


def test_last_of_each_of_nothing_is_nothing() -> None:
    assert last_of_each(np.zeros(0, dtype=np.int64), DAY_NS).tolist() == []


# ------------------------------------------------------------------------ histogram
def test_histogram_counts_every_return_once() -> None:
    edges, counts = periods.histogram(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), 4)
    # Bins of 0.25; the last, closed, has 0.75 and 1.
    assert edges.tolist() == close([0.0, 0.25, 0.5, 0.75, 1.0])
    assert counts.tolist() == [1, 1, 1, 2]
    assert counts.dtype == np.int64


def test_histogram_follows_freedman_and_diaconis() -> None:
    # 0 to 999: quartiles 249.75 and 749.25, width 2 * 499.5 / 10, so 999 / 99.9 = 10 bins.
    edges, counts = periods.histogram(np.arange(1000.0))
    assert len(counts) in (10, 11)  # the quotient is 10 up to rounding
    assert counts.sum() == 1000
    assert (edges[0], edges[-1]) == (0.0, 999.0)


def test_histogram_keeps_within_5_and_120_bins() -> None:
    assert len(periods.histogram(np.array([0.0, 1.0]))[1]) == 5
    wild = np.append(np.linspace(0.0, 1.0, 1000), 1e6)
    assert len(periods.histogram(wild)[1]) == 120
    # Half of all returns equal: the quartiles say nothing.
    assert len(periods.histogram(np.array([0.0] * 9 + [1.0]))[1]) == 30


@pytest.mark.parametrize("value", [0.0, 0.01, -3.0, 1e-12])
def test_histogram_of_equal_returns_is_one_bin_about_them(value: float) -> None:
    edges, counts = periods.histogram(np.full(3, value))
    assert counts.tolist() == [3]
    assert edges[0] < value < edges[1]
    size = max(abs(value), 1e-6)
    assert edges[1] - edges[0] == pytest.approx(1e-6 * size, rel=1e-6)


def test_histogram_of_nothing_is_empty() -> None:
    edges, counts = periods.histogram(np.zeros(0))
    assert (len(edges), len(counts)) == (0, 0)


@pytest.mark.parametrize("bad", [0, -1, 2.5, "ten"], ids=repr)
def test_bins_are_a_whole_number_above_zero(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match="bins must be"):
        periods.histogram(np.array([0.0, 1.0]), bad)


def test_a_month_lost_is_minus_one_and_nothing_comes_of_nothing() -> None:
    found = curve(("2025-01-01", 10.0), ("2025-01-31", 0.0), ("2025-02-28", 5.0))
    assert periods.monthly_returns(found) == {"2025-01": -1.0, "2025-02": 0.0}
    assert not math.isnan(periods.monthly_table(found).loc[2025, "Feb"])
