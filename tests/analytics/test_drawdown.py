"""Drawdowns against numbers worked out by hand."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from horizon import analytics as an
from horizon.analytics.drawdown import DrawdownRecord, episodes_of
from horizon.errors import DataError

SECOND = 1_000_000_000
# Peaks 100, 120 and 130. Depths: 110 of 120, 90 of 120 (1/4), back at 120; 117 of 130 (1/10), and
# at the end 104 of 130 (1/5).
TWO_FALLS = np.array([100.0, 120.0, 110.0, 90.0, 120.0, 130.0, 117.0, 104.0])
TIMES = np.array([0, 10, 20, 40, 50, 70, 80, 100]) * SECOND
DEPTHS = [0.0, 0.0, -1 / 12, -1 / 4, 0.0, 0.0, -1 / 10, -1 / 5]


def close(value: object) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def test_running_peak_and_underwater() -> None:
    assert an.running_peak(TWO_FALLS).tolist() == [100, 120, 120, 120, 120, 130, 130, 130]
    assert an.underwater(TWO_FALLS).tolist() == close(DEPTHS)


def test_largest_falls() -> None:
    assert an.max_drawdown(TWO_FALLS) == close(0.25)
    assert an.max_drawdown_money(TWO_FALLS) == 30.0  # 120 to 90


def test_largest_fall_in_money_may_be_another_than_the_deepest() -> None:
    # Half of 10 is 5; a tenth of 100 is 10.
    equity = [10.0, 5.0, 100.0, 90.0]
    assert an.max_drawdown(equity) == close(0.5)
    assert an.max_drawdown_money(equity) == 10.0


def test_a_loss_on_the_first_day_is_a_drawdown_from_the_start() -> None:
    assert an.max_drawdown(an.equity_of(np.array([-0.2, 0.1]))) == close(0.2)


def test_loss_of_more_than_all_is_deeper_than_one() -> None:
    assert an.max_drawdown([100.0, -50.0]) == close(1.5)


def test_no_fraction_of_a_peak_that_is_not_above_zero() -> None:
    # From -5 to -10 nothing can be said; once 10 was reached, 5 is half of it.
    assert an.underwater([-5.0, -10.0, 10.0, 5.0]).tolist() == close([0.0, 0.0, 0.0, -0.5])
    assert an.underwater([0.0, 0.0, 4.0, 3.0]).tolist() == close([0.0, 0.0, 0.0, -0.25])
    assert an.max_drawdown([-5.0, -10.0]) == 0.0
    assert an.max_drawdown_money([-5.0, -10.0]) == 5.0


@pytest.mark.parametrize("equity", [[], [100.0], [100.0, 100.0], [1.0, 2.0, 3.0]], ids=str)
def test_without_a_fall_there_is_none(equity: list[float]) -> None:
    for metric in (an.max_drawdown, an.max_drawdown_money):
        found = metric(equity)
        assert found == 0.0
        assert math.copysign(1.0, found) == 1.0
    times = np.arange(len(equity)) * SECOND
    assert an.drawdowns(times, np.array(equity)) == []
    assert an.max_drawdown_duration(times, np.array(equity)) == 0.0
    assert an.time_under_water(times, np.array(equity)) == 0.0


def test_episodes_begin_at_the_last_point_of_a_peak() -> None:
    episodes = episodes_of(np.array(DEPTHS))
    assert len(episodes) == 2
    assert episodes.peaks.tolist() == [1, 5]
    assert episodes.ends.tolist() == [4, 7]
    assert episodes.depths.tolist() == close([0.25, 0.2])
    assert episodes.is_over.tolist() == [True, False]


def test_an_equal_high_starts_a_drawdown_anew() -> None:
    # 120 is reached again at once after each fall.
    episodes = episodes_of(an.underwater([120.0, 119.0, 120.0, 118.0, 120.0]))
    assert episodes.peaks.tolist() == [0, 2]
    assert episodes.ends.tolist() == [2, 4]
    assert episodes.is_over.all()


def test_drawdown_records() -> None:
    deepest, second = an.drawdowns(TIMES, TWO_FALLS)
    assert deepest == DrawdownRecord(
        peak_time=10.0,
        trough_time=40.0,
        recovery_time=50.0,
        depth=0.25,
        depth_money=30.0,
        duration_secs=40.0,  # 10 to 50
        recovery_secs=10.0,  # 40 to 50
    )
    assert (second.peak_time, second.trough_time) == (70.0, 100.0)
    assert second.recovery_time is None
    assert second.recovery_secs is None
    assert second.depth == close(0.2)
    assert second.depth_money == 26.0
    assert second.duration_secs == 30.0  # 70 to the last point


def test_drawdown_list_is_by_depth_then_time_and_as_long_as_asked() -> None:
    # Falls of 10, 30, 10 and 20 %, each recovered.
    equity = np.array([100.0, 90, 100, 70, 100, 90, 100, 80, 100])
    times = np.arange(9) * SECOND
    found = an.drawdowns(times, equity, most=None)
    assert [record.depth for record in found] == close([0.3, 0.2, 0.1, 0.1])
    assert [record.peak_time for record in found] == [2.0, 6.0, 0.0, 4.0]
    assert an.drawdowns(times, equity, most=3) == found[:3]
    many = np.tile([100.0, 90.0], 8)
    assert len(an.drawdowns(np.arange(16) * SECOND, many)) == 5
    with pytest.raises(ValueError, match="most must be 1 or more, was 0"):
        an.drawdowns(times, equity, most=0)


def test_trough_is_the_lowest_and_of_equals_the_first() -> None:
    equity = np.array([100.0, 90.0, 80.0, 80.0, 85.0])
    (record,) = an.drawdowns(np.arange(5) * SECOND, equity)
    assert record.trough_time == 2.0


def test_longest_drawdown_counts_from_the_peak_or_from_the_first_point_below() -> None:
    # From the peaks 10 to 50 and 70 to 100; from the first points below 20 to 50, 80 to 100.
    assert an.max_drawdown_duration(TIMES, TWO_FALLS) == 40.0
    assert an.max_drawdown_duration(TIMES, TWO_FALLS, counted="below") == 30.0
    with pytest.raises(ValueError, match="counted must be one of 'peak', 'below'; was 'days'"):
        an.max_drawdown_duration(TIMES, TWO_FALLS, counted="days")


def test_time_under_water_weighs_with_time() -> None:
    # Below from 20 to 50 and from 80 to 100, of 100.
    assert an.time_under_water(TIMES, TWO_FALLS) == close(0.5)
    assert an.time_under_water(np.zeros(3, dtype=np.int64), np.array([3.0, 2.0, 1.0])) == 0.0


# ------------------------------------------------------------------------ of returns
# Wealth 1, 1.1, 0.99, 1.188: depths 0, 0.1, 0 over three periods.
UP_DOWN_UP = [0.10, -0.10, 0.20]


def test_calmar() -> None:
    # (1.188)^(6/3) - 1 = 0.411344, over 0.1.
    assert an.calmar_ratio(UP_DOWN_UP, periods_per_year=6) == close((1.188**2 - 1) / 0.1)
    assert an.calmar_ratio([0.1, 0.1]) == math.inf
    assert an.calmar_ratio([0.0, 0.0]) == 0.0


def test_pain_and_ulcer_average_over_the_periods() -> None:
    assert an.pain_index(UP_DOWN_UP) == close(0.1 / 3)
    assert an.ulcer_index(UP_DOWN_UP) == close(math.sqrt(0.01 / 3))
    growth = 1.188**2 - 1
    assert an.pain_ratio(UP_DOWN_UP, periods_per_year=6) == close(growth / (0.1 / 3))
    found = an.ulcer_performance_index(UP_DOWN_UP, periods_per_year=6)
    assert found == close(growth / math.sqrt(0.01 / 3))


def test_pain_counts_a_first_loss_from_the_start() -> None:
    # Wealth 1, 0.9, 0.9: depths 0.1 and 0.1.
    assert an.pain_index([-0.1, 0.0]) == close(0.1)
    assert an.ulcer_index([-0.1, 0.0]) == close(0.1)
    assert math.copysign(1.0, an.pain_index([0.1])) == 1.0


def test_burke_takes_the_depth_of_each_stretch_below_a_peak() -> None:
    # Wealth 1, 0.9, 1.08, 0.81, 0.972: depths 0.1, and 0.25 whose recovery has not come.
    returns = [-0.1, 0.2, -0.25, 0.2]
    growth = 0.972**2 - 1  # eight periods a year
    risk = math.sqrt(0.1**2 + 0.25**2)
    assert an.burke_ratio(returns, periods_per_year=8) == close(growth / risk)
    modified = an.burke_ratio(returns, periods_per_year=8, modified=True)
    assert modified == close(growth / (risk / 2))  # root of four returns


@pytest.mark.parametrize(
    "name", ["calmar_ratio", "pain_ratio", "ulcer_performance_index", "burke_ratio"]
)
def test_ratio_of_a_gain_without_drawdown_is_infinite(name: str) -> None:
    metric = getattr(an, name)
    assert metric([0.1, 0.2]) == math.inf
    assert metric([]) == 0.0
    assert metric([0.0, 0.0]) == 0.0
    with pytest.raises(ValueError, match="periods_per_year must be above 0, was 0"):
        metric([0.1, -0.2], periods_per_year=0)


@pytest.mark.parametrize("name", ["pain_index", "ulcer_index"])
def test_index_of_nothing_is_zero(name: str) -> None:
    assert getattr(an, name)([]) == 0.0


@pytest.mark.parametrize(
    "name", ["running_peak", "underwater", "max_drawdown", "max_drawdown_money"]
)
def test_equity_that_is_no_number_is_named(name: str) -> None:
    with pytest.raises(DataError, match="equity must be finite numbers, row 2 has nan"):
        getattr(an, name)([1.0, 2.0, math.nan])
    with pytest.raises(ValueError, match=r"equity must have one dimension, had shape \(1, 2\)"):
        getattr(an, name)([[1.0, 2.0]])


@pytest.mark.parametrize("most", [list, tuple, pd.Series], ids=["lists", "tuples", "series"])
def test_any_columns_of_times_and_equity_will_do(most: type) -> None:
    times, equity = most(TIMES.tolist()), most(TWO_FALLS.tolist())
    if most is pd.Series:
        times.index = equity.index = range(7, 15)
    assert an.drawdowns(times, equity) == an.drawdowns(TIMES, TWO_FALLS)
    assert an.max_drawdown_duration(times, equity) == 40.0
    assert an.time_under_water(times, equity) == close(0.5)


@pytest.mark.parametrize("n", [0, 7, 9])
def test_times_of_another_length_are_refused(n: int) -> None:
    times = np.arange(n) * SECOND
    for function in (an.drawdowns, an.max_drawdown_duration, an.time_under_water):
        with pytest.raises(ValueError, match=f"^times_ns must .* had {n} for 8"):
            function(times, TWO_FALLS)


def test_times_are_whole_nanoseconds_or_datetimes() -> None:
    for function in (an.drawdowns, an.max_drawdown_duration, an.time_under_water):
        for wrong, kind in ((TIMES / 1e9, "float64"), (TIMES > 0, "bool"), ([0.5] * 8, "float64")):
            with pytest.raises(
                TypeError,
                match=rf"^times_ns must be integers \(nanoseconds\) or datetimes, was {kind}$",
            ):
                function(wrong, TWO_FALLS)
        dated = TIMES.view("datetime64[ns]").astype("datetime64[us]")
        assert function(dated, TWO_FALLS) == function(TIMES, TWO_FALLS)


TIMED = (an.drawdowns, an.max_drawdown_duration, an.time_under_water)
DAYS = pd.date_range("2024-03-08", periods=4)
NEW_YORK = DAYS.tz_localize("America/New_York")
FOURS = [100.0, 80.0, 90.0, 110.0]


@pytest.mark.parametrize(
    "times",
    [
        DAYS,
        DAYS.tz_localize("UTC"),
        NEW_YORK,
        NEW_YORK + pd.Timedelta(hours=16),
        pd.Series(NEW_YORK, index=range(4)),
        list(DAYS),
        list(NEW_YORK),
        list(DAYS.to_pydatetime()),
        tuple(NEW_YORK.to_pydatetime()),
        list(DAYS.date),
        DAYS.astype(str).tolist(),
        DAYS.to_numpy(),
        pl.Series(DAYS.to_numpy()).dt.replace_time_zone("America/New_York"),
        pd.Series(DAYS, dtype="timestamp[us, UTC][pyarrow]"),
    ],
    ids=[
        *("index", "UTC", "dates in a zone", "index in a zone", "series in a zone", "timestamps"),
        *("timestamps in a zone", "datetimes", "datetimes in a zone", "dates", "texts", "numpy"),
        *("polars in a zone", "arrow"),
    ],
)
def test_times_are_read_as_those_of_a_curve(times: object) -> None:
    """One reader: daylight saving begins in New York on 10 March 2024, so a day has 23 hours."""
    frame = {"time": times, "equity": FOURS}
    ns = an.curve_of(frame).times_ns
    for function in TIMED:
        assert function(times, FOURS) == function(ns, FOURS)
    (fall,) = an.drawdowns(times, FOURS)
    assert fall.peak_time == ns[0] / 1e9
    assert fall.duration_secs == (ns[3] - ns[0]) / 1e9


def test_integers_among_other_times_are_refused_by_their_row() -> None:
    for times, row in (([DAYS[0], 5, 6, 7], 0), ([1, 2, DAYS[2], 4], 2), ([1, None, 3, 4], 1)):
        for function in TIMED:
            with pytest.raises(DataError, match=rf"all be datetimes, row {row} has ") as found:
                function(times, FOURS)
            assert found.value.row == row
    with pytest.raises(DataError, match="row 1 has <NA>"):
        an.drawdowns(pd.Series([1, None, 3, 4], dtype="Int64"), FOURS)
    assert an.time_under_water(pd.Series([0, 1, 2, 4], dtype="Int64"), FOURS) == 0.75
    with pytest.raises(DataError, match=r"^times_ns must be times, row 1 has 'soon'$"):
        an.drawdowns(["2024-01-01", "soon", "2024-01-03", "2024-01-04"], FOURS)
    with pytest.raises(DataError, match=r"^times_ns must be times, row 2 has None$"):
        an.drawdowns([DAYS[0], DAYS[1], None, DAYS[3]], FOURS)


@pytest.mark.parametrize("function", TIMED)
def test_times_that_fall_are_refused_with_row_and_value(function: object) -> None:
    with pytest.raises(DataError, match=r"^times_ns .* row 2 at 5 comes after 20$") as found:
        function([10, 20, 5], [100.0, 90.0, 100.0])
    assert (found.value.row, found.value.value) == (2, 5)
    days = np.array(["2024-01-02", "2024-01-01"], dtype="datetime64[D]")
    with pytest.raises(DataError, match="row 1 at 2024-01-01 comes after 2024-01-02"):
        function(days, [100.0, 90.0])
    # Equal times are in order: below from 0 to 4 of 8 seconds, and 4 s until it is made good.
    times = [0, 0, 4 * SECOND, 8 * SECOND]
    assert an.time_under_water(times, [100.0, 90.0, 100.0, 100.0]) == 0.5
    assert an.max_drawdown_duration(times, [100.0, 90.0, 100.0, 100.0]) == 4.0


@pytest.mark.parametrize("function", TIMED)
def test_a_time_that_is_missing_is_refused_with_its_row(function: object) -> None:
    days = np.array(["2024-01-01", "NaT", "2024-01-03"], dtype="datetime64[D]")
    with pytest.raises(DataError, match=r"^times_ns must be times, row 1 has NaT$") as found:
        function(days, [100.0, 90.0, 100.0])
    assert found.value.row == 1
    with pytest.raises(DataError, match="row 0 has -9223372036854775808"):
        function([-(2**63), 0], [100.0, 90.0])
    with pytest.raises(DataError, match="before the year 2262, row 1 has 9223372036854775808"):
        function(np.array([0, 2**63], dtype=np.uint64), [100.0, 90.0])


@pytest.mark.parametrize("function", TIMED)
def test_times_and_equity_with_other_labels_are_refused(function: object) -> None:
    times, equity = pd.Series([0, SECOND]), pd.Series([90.0, 100.0], index=[1, 0])
    with pytest.raises(ValueError, match=r"^equity must have the index of times_ns"):
        function(times, equity)


def test_after_a_total_loss_nothing_falls_or_recovers() -> None:
    # A debt of half of the capital; times -2 it would be a peak of 1 again, times 4 a fall of 3.
    for later in (-3.0, 3.0):
        equity = an.equity_of([-1.5, later])
        assert equity.tolist() == [1.0, -0.5, -0.5]
        assert an.max_drawdown(equity) == 1.5
        assert an.pain_index([-1.5, later]) == 1.5
        assert an.calmar_ratio([-1.5, later]) == close(-1.0 / 1.5)
