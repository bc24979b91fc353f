"""Reading of curves, and how often they are sampled."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from horizon.analytics import Curve, Sampling, curve_of, equity_of, generate_tearsheet
from horizon.analytics.curves import returns_of
from horizon.errors import DataError

DAY = 86_400
DAY_NS = DAY * 1_000_000_000
JAN_1 = datetime(2025, 1, 1, tzinfo=UTC)
JAN_1_NS = 1_735_689_600 * 1_000_000_000  # 20,089 days after 1 January 1970

# Three days of equity at midnight UTC.
EQUITY = [100.0, 110.0, 99.0]
SECONDS = [1_735_689_600.0 + DAY * i for i in range(3)]
NAIVE = [datetime(2025, 1, 1 + i) for i in range(3)]
AWARE = [JAN_1 + timedelta(days=i) for i in range(3)]
ELSEWHERE = [t.astimezone(timezone(timedelta(hours=-5))) for t in AWARE]
ISO = ["2025-01-01", "2025-01-02T00:00:00Z", "2025-01-03 01:00:00+01:00"]
INDEX = pd.DatetimeIndex(NAIVE)

FORMS = {
    "tuples of seconds": list(zip(SECONDS, EQUITY, strict=True)),
    "whole seconds": [(int(t), int(v)) for t, v in zip(SECONDS, EQUITY, strict=True)],
    "lists": [list(pair) for pair in zip(SECONDS, EQUITY, strict=True)],
    "naive datetimes": list(zip(NAIVE, EQUITY, strict=True)),
    "aware datetimes": list(zip(AWARE, EQUITY, strict=True)),
    "another zone": list(zip(ELSEWHERE, EQUITY, strict=True)),
    "dates": [(t.date(), v) for t, v in zip(NAIVE, EQUITY, strict=True)],
    "iso text": list(zip(ISO, EQUITY, strict=True)),
    "datetime64": list(zip(INDEX.to_numpy(), EQUITY, strict=True)),
    "timestamps": list(zip(INDEX, EQUITY, strict=True)),
    "decimals": [(t, Decimal(v)) for t, v in zip(SECONDS, EQUITY, strict=True)],
    "tuple of tuples": tuple(zip(SECONDS, EQUITY, strict=True)),
    "array": np.column_stack([SECONDS, EQUITY]),
    "object array": np.array(list(zip(AWARE, EQUITY, strict=True)), dtype=object),
    "dict": {"time": SECONDS, "equity": EQUITY},
    "dict of arrays": {"ts": np.array(SECONDS), "equity": np.array(EQUITY)},
    "series": pd.Series(EQUITY, index=INDEX),
    "series in a zone": pd.Series(
        EQUITY, index=INDEX.tz_localize("UTC").tz_convert("America/New_York")
    ),
    "series of seconds": pd.Series(EQUITY, index=SECONDS),
    "series of whole seconds": pd.Series(EQUITY, index=[int(t) for t in SECONDS]),
    "series of text": pd.Series(EQUITY, index=ISO),
    "frame": pd.DataFrame({"timestamp": SECONDS, "equity": EQUITY}),
    "frame by its index": pd.DataFrame({"equity": EQUITY}, index=INDEX),
    "frame with more": pd.DataFrame({"cash": [0, 0, 0], "equity": EQUITY, "datetime": NAIVE}),
    "polars": pl.DataFrame({"date": NAIVE, "equity": EQUITY}),
    "polars in a zone": pl.DataFrame({"time": AWARE, "equity": EQUITY}),
    "polars of dates": pl.DataFrame({"date": [t.date() for t in NAIVE], "equity": EQUITY}),
    "curve": Curve(np.array([JAN_1_NS + i * DAY_NS for i in range(3)]), np.array(EQUITY)),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_is_the_same_curve(form: str) -> None:
    found = curve_of(FORMS[form])
    assert found.times_ns.tolist() == [JAN_1_NS + i * DAY_NS for i in range(3)]
    assert found.times_ns.dtype == np.int64
    assert found.equity.tolist() == EQUITY
    assert found.equity.dtype == np.float64


def test_rows_of_a_generator_are_read_once() -> None:
    assert curve_of(pair for pair in FORMS["dates"]).equity.tolist() == EQUITY


def test_a_period_ends_with_its_last_moment() -> None:
    months = pd.Series(EQUITY, index=pd.period_range("2025-01", periods=3, freq="M"))
    found = curve_of(months)
    assert found.times.astype("datetime64[D]").astype(str).tolist() == [
        "2025-01-31",
        "2025-02-28",
        "2025-03-31",
    ]
    ends = np.array(["2025-02-01", "2025-03-01", "2025-04-01"], "datetime64[ns]").astype(np.int64)
    # pandas ends a period in its finest unit, a microsecond or a nanosecond before the next.
    assert ((ends - found.times_ns > 0) & (ends - found.times_ns <= 1_000)).all()


def test_seconds_keep_their_fraction() -> None:
    found = curve_of([(1_700_000_000.25, 1.0), (1_700_000_000.75, 2.0)])
    assert found.times_ns.tolist() == [1_700_000_000_250_000_000, 1_700_000_000_750_000_000]
    assert found.span_secs == 0.5


# ------------------------------------------------------------------------ the start
def test_first_equity_is_the_initial_capital_unless_another_is_given() -> None:
    assert curve_of(FORMS["series"]).initial == 100.0
    assert len(curve_of(FORMS["series"], 100.0)) == 3
    before = curve_of(FORMS["series"], 80.0)
    assert before.equity.tolist() == [80.0, 100.0, 110.0, 99.0]
    assert before.times_ns[:2].tolist() == [JAN_1_NS, JAN_1_NS]
    assert (before.initial, before.final) == (80.0, 99.0)


def test_loss_of_the_first_day_is_a_drawdown_from_the_initial_capital() -> None:
    sheet = generate_tearsheet(FORMS["series"], initial_capital=200.0)
    # 200 to 99 in the end.
    assert sheet.metrics.max_drawdown == 101.0
    assert sheet.metrics.max_drawdown_pct == pytest.approx(0.505, rel=1e-12)
    assert sheet.metrics.total_return == -101.0
    assert sheet.returns[0] == pytest.approx(-0.5, rel=1e-12)


def test_single_row_with_another_capital_is_one_return() -> None:
    found = curve_of([(5.0, 110.0)], 100.0)
    assert found.equity.tolist() == [100.0, 110.0]
    assert found.times_ns.tolist() == [5_000_000_000] * 2
    assert found.span_secs == 0.0


@pytest.mark.parametrize(
    "nothing",
    [[], (), {"time": [], "equity": []}, pd.Series([], dtype=float), np.zeros((0, 2))],
    ids=["list", "tuple", "dict", "series", "array"],
)
def test_nothing_is_an_empty_curve(nothing: object) -> None:
    found = curve_of(nothing)
    assert len(found) == 0
    assert (found.initial, found.final, found.span_secs) == (0.0, 0.0, 0.0)
    assert curve_of(nothing, 50.0).equity.tolist() == [50.0]


def test_equity_of_returns_has_its_start() -> None:
    assert equity_of(np.array([0.1, -0.5]), 200.0).tolist() == pytest.approx([200.0, 220.0, 110.0])
    assert equity_of(np.zeros(0)).tolist() == [1.0]
    assert equity_of(np.array([1e300, 1e300])).tolist() == [1.0, 1e300, math.inf]


# ------------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, None, "12", True, 10**400], ids=lambda v: repr(v)[:8]
)
def test_equity_that_is_no_finite_number_is_named(bad: object) -> None:
    rows = [(0.0, 1.0), (1.0, 2.0), (2.0, bad)]
    with pytest.raises(
        DataError, match=r"^equity_curve must be finite numbers, row 2 has "
    ) as caught:
        curve_of(rows)
    assert caught.value.row == 2
    frame = pd.DataFrame({"ts": [0, 1, 2], "equity": pd.Series([1.0, 2.0, bad], dtype=object)})
    frame.index = pd.Index([7, 8, 9])
    with pytest.raises(DataError, match="row 2 has "):
        curve_of(frame)


@pytest.mark.parametrize(
    ("bad", "written"),
    [(math.nan, "nan"), (None, "None"), ("12", "'12'"), (True, "True"), ([2.0, 3.0], "[2.0, 3.0]")],
    ids=repr,
)
def test_the_value_that_is_refused_is_shown(bad: object, written: str) -> None:
    with pytest.raises(DataError) as caught:
        curve_of([(0.0, 1.0), (1.0, bad)])
    said = f"equity_curve must be finite numbers, row 1 has {written}"
    if written in ("nan", "None"):
        said += "; drop what is missing, as in returns.dropna()"
    assert str(caught.value) == said
    assert caught.value.value is bad


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"time": SECONDS, "equity": [100.0, None, 99.0]}),
        pl.DataFrame({"time": [SECONDS[0], None, SECONDS[2]], "equity": EQUITY}),
        pd.DataFrame({"time": [NAIVE[0], pd.NaT, NAIVE[2]], "equity": EQUITY}, index=[5, 6, 7]),
        pd.DataFrame({"time": SECONDS, "equity": [100.0, math.nan, 99.0]}, index=[5, 6, 7]),
    ],
    ids=["polars equity", "polars time", "pandas time", "pandas equity"],
)
def test_what_is_missing_in_a_frame_is_named_by_its_row(frame: object) -> None:
    with pytest.raises(DataError, match="row 1 has ") as caught:
        curve_of(frame)
    assert caught.value.row == 1


@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, None, "noon", 1e12, True, pd.NaT], ids=lambda v: repr(v)[:8]
)
def test_time_that_cannot_be_read_is_named(bad: object) -> None:
    rows = [(0.0, 1.0), (bad, 2.0), (2.0, 3.0)]
    with pytest.raises(DataError, match="epoch seconds or datetimes, row 1 has ") as caught:
        curve_of(rows)
    assert caught.value.row == 1


def test_time_that_goes_back_is_named() -> None:
    rows = [(0.0, 1.0), (DAY, 2.0), (DAY, 2.5), (DAY - 1.0, 3.0)]
    with pytest.raises(DataError, match="order of time, row 3 at 1970-01-01T23:59:59") as caught:
        curve_of(rows)
    assert caught.value.row == 3


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([(1, 2), (3,)], "rows of .time, value., row 1 was"),
        ([(1, 2), 5], "rows of .time, value., row 1 was 5"),
        ([(1, 2, 3)], "rows of .time, value., row 0 was"),
        ([1.0, 2.0], "rows of .time, value., row 0 was 1.0"),
        (pl.Series([1.0, 2.0]), "rows of .time, value., row 0 was 1.0"),
    ],
    ids=["short", "number", "long", "numbers", "polars series"],
)
def test_row_that_is_no_pair_is_named(bad: object, message: str) -> None:
    with pytest.raises(DataError, match=f"^equity_curve must have {message}"):
        curve_of(bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.arange(3.0), r"shape \(n, 2\), times and values; was \(3,\)"),
        (np.zeros((2, 3)), r"shape \(n, 2\), times and values; was \(2, 3\)"),
        (np.zeros((2, 2, 2)), r"was \(2, 2, 2\)"),
        ({"time": [1, 2]}, r"a column 'equity', has \['time'\]"),
        ({"equity": [1, 2]}, r"a column of times \(timestamp, time, date, datetime, ts\)"),
        (pl.DataFrame({"equity": [1.0]}), "a column of times"),
        (pd.DataFrame({"close": [1.0]}), "a column 'equity', has .'close'"),
        ({"time": [1, 2, 3], "equity": [1, 2]}, "one time each, had 3 and 2"),
        ({"time": [1, 2], "equity": np.ones((2, 2))}, r"\(2, 2\)"),
        ({"time": np.ones((2, 2)), "equity": [1, 2]}, r"\(2, 2\)"),
    ],
    ids=str,
)
def test_wrong_shape_is_named(bad: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^equity_curve must .*{message}"):
        curve_of(bad)


def test_equity_that_holds_a_list_is_an_error_of_that_row() -> None:
    with pytest.raises(DataError, match="row 1"):
        curve_of([(0.0, 1.0), (1.0, [2.0, 3.0])])


@pytest.mark.parametrize("bad", ["text", b"bytes", 5, None, 1.5], ids=repr)
def test_what_is_no_table_is_named(bad: object) -> None:
    with pytest.raises(TypeError, match=r"^equity_curve must be a list of .time, value. tuples"):
        curve_of(bad)


@pytest.mark.parametrize(
    "rows",
    [
        pd.Series(EQUITY),
        pd.Series([100.0]),
        pd.Series([1.0, *EQUITY])[1:],
        pd.Series(EQUITY).pct_change().dropna(),
        pd.DataFrame({"equity": EQUITY}),
    ],
    ids=["series", "one row", "a part", "after dropna", "frame"],
)
def test_index_that_counts_rows_is_no_time(rows: object) -> None:
    with pytest.raises(ValueError, match="must be indexed by time, its index counts rows from"):
        curve_of(rows)


def test_name_of_the_argument_is_in_the_message() -> None:
    with pytest.raises(TypeError, match=r"^benchmark must be"):
        curve_of(5, name="benchmark")
    with pytest.raises(DataError, match=r"^benchmark must be finite numbers, row 0 has"):
        returns_of([(0.0, math.nan)], name="benchmark")
    with pytest.raises(ValueError, match=r"^returns must have a column 'return' or 'returns', has"):
        returns_of({"time": [1], "equity": [1]})


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, "100", True], ids=repr)
def test_initial_capital_is_above_zero(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^initial_capital must be"):
        curve_of(FORMS["series"], bad)


def test_returns_come_with_their_times() -> None:
    times, values = returns_of({"date": [date(2025, 1, 1)], "returns": [0.5]})
    assert (times.tolist(), values.tolist()) == ([JAN_1_NS], [0.5])


# ------------------------------------------------------------------------ sampling
def points(*days: float, equity: float = 100.0) -> Curve:
    """A curve with points so many days after 1 January 2025."""
    times = JAN_1_NS + np.rint(np.array(days) * DAY_NS).astype(np.int64)
    return Curve(times, np.linspace(equity, equity * 2, len(days)))


def test_daily_from_thirty_days_exactly() -> None:
    edge = 30 * DAY
    of = [(0.0, 1.0), (1.0, 2.0)]
    assert Sampling.of(curve_of([*of, (edge, 3.0)])).kind == "daily"
    assert Sampling.of(curve_of([*of, (edge - 1e-6, 3.0)])).kind == "points"
    assert Sampling.of(curve_of([*of, (edge + 1e-6, 3.0)])).kind == "daily"


def test_kind_can_be_told() -> None:
    short, long = points(0, 0.5, 1), points(0, 20, 40)
    assert Sampling.of(short, kind="daily").kind == "daily"
    assert Sampling.of(long, kind="points").kind == "points"
    assert (Sampling.of(short).period, Sampling.of(long).period) == ("point", "week")
    with pytest.raises(
        ValueError, match="sampling must be one of 'auto', 'daily', 'points'; was 'hourly'"
    ):
        Sampling.of(short, kind="hourly")


@pytest.mark.parametrize(
    ("step", "period", "each"),
    [(1, "day", "daily"), (6, "day", "daily"), (7, "week", "weekly"), (30, "month", "monthly")],
)
def test_period_is_named_by_how_many_make_a_year(step: int, period: str, each: str) -> None:
    # 365.25 / 6 is 60.9 closes a year, / 7 is 52.2, / 30 is 12.2.
    found = Sampling.of(points(*range(0, 40 * step, step)))
    assert (found.period, found.each) == (period, each)


def test_close_is_the_last_point_of_a_utc_day() -> None:
    curve = points(0, 0.4, 0.999999, 1.0, 1.5, 3.25)
    taken = Sampling("daily", 365.0).take(curve)
    # The start; then the last of day 0, of day 1, of day 3.
    assert taken.times_ns.tolist() == curve.times_ns[[0, 2, 4, 5]].tolist()
    assert taken.equity.tolist() == curve.equity[[0, 2, 4, 5]].tolist()


def test_start_alone_on_its_day_is_no_close() -> None:
    curve = points(0.5, 1.2, 1.4, 2.0)
    taken = Sampling("daily", 365.0).take(curve)
    assert taken.times_ns.tolist() == curve.times_ns[[0, 2, 3]].tolist()


def test_initial_capital_and_first_close_of_one_time_make_a_return() -> None:
    curve = curve_of(FORMS["series"], 50.0)
    taken = Sampling("daily", 365.0).take(curve)
    assert taken.equity.tolist() == [50.0, *EQUITY]


def test_points_take_all_also_equal_stamps() -> None:
    curve = points(0, 1, 1, 1, 2)
    assert Sampling("points", 1.0).take(curve) is curve
    # As daily closes the last of the equal stamps counts.
    taken = Sampling("daily", 365.0).take(curve)
    assert taken.equity.tolist() == curve.equity[[0, 3, 4]].tolist()


@pytest.mark.parametrize(
    ("step", "n", "per_year"),
    [
        (1.0, 366, 365.0),  # 365.25 returns in a Julian year
        (7.0, 200, 365.25 / 7),
        (30.4375, 50, 12.0),  # twelve of these are a Julian year
        (1.45, 253, 252.0),  # 251.9
        (2.0, 100, 182.625),  # near nothing usual: as counted
        (91.3125, 20, 4.0),
    ],
    ids=["days", "weeks", "months", "trading days", "every other day", "quarters"],
)
def test_returns_a_year_are_counted_and_snapped(step: float, n: int, per_year: float) -> None:
    found = Sampling.of(points(*(step * i for i in range(n))), kind="points")
    assert found.periods_per_year == pytest.approx(per_year, rel=1e-9)


@pytest.mark.parametrize("usual", [252.0, 365.0])
@pytest.mark.parametrize(("off", "is_near"), [(0.0299, True), (-0.0299, True), (0.0301, False)])
def test_snapping_reaches_three_percent(usual: float, off: float, is_near: bool) -> None:
    counted = usual * (1.0 + off)
    curve = points(*np.linspace(0.0, 365.25 * 200 / counted, 201))
    found = Sampling.of(curve, kind="points").periods_per_year
    assert found == pytest.approx(usual if is_near else counted, rel=1e-9)
    if is_near:
        assert found == usual


def test_trading_days_over_six_years_are_252() -> None:
    days = pd.bdate_range("2019-01-01", "2024-12-31")
    days = days[
        ~days.strftime("%m-%d").isin(["01-01", "07-04", "12-25", "12-24", "05-27", "09-02"])
    ]
    found = Sampling.of(curve_of(pd.Series(np.linspace(1.0, 2.0, len(days)), index=days)))
    assert (found.kind, found.periods_per_year) == ("daily", 252.0)


def test_a_start_of_the_first_points_time_is_no_period_of_its_own() -> None:
    closes = [(DAY * i, 100.0 + i) for i in range(31)]
    assert Sampling.of(curve_of(closes)) == Sampling("daily", 365.0)
    assert Sampling.of(curve_of(closes, 90.0)) == Sampling("daily", 365.0)
    weekly = [(7 * DAY * i, 100.0 + i) for i in range(20)]
    assert Sampling.of(curve_of(weekly, 90.0), kind="points") == Sampling("points", 365.25 / 7)


def test_periods_per_year_can_be_told() -> None:
    assert Sampling.of(points(0, 1), periods_per_year=260).periods_per_year == 260.0
    for bad in (0, -1.0, math.nan, "many"):
        with pytest.raises((TypeError, ValueError), match="periods_per_year must be"):
            Sampling.of(points(0, 1), periods_per_year=bad)


@pytest.mark.parametrize(
    "curve", [curve_of([]), points(0), points(0, 0), points(2, 2, 2)], ids=["none", "one", "2", "3"]
)
def test_without_a_span_nothing_is_annualised(curve: Curve) -> None:
    assert Sampling.of(curve) == Sampling("points", 0.0)
    assert Sampling.of(curve, kind="daily") == Sampling("daily", 0.0)


def test_sampling_says_what_it_takes() -> None:
    with pytest.raises(ValueError, match="kind must be one of 'daily', 'points'; was 'auto'"):
        Sampling("auto", 1.0)
    with pytest.raises(ValueError, match="periods_per_year must be 0 or more, was -1"):
        Sampling("daily", -1)


def test_sampling_of_the_whole_makes_its_windows_comparable() -> None:
    rng = np.random.default_rng(3)
    equity = equity_of(rng.normal(0.0, 0.002, 24 * 60), 100.0)
    whole = curve_of([(i * 3600.0, v) for i, v in enumerate(equity)])
    how = Sampling.of(whole)
    assert how == Sampling("daily", 365.0)
    window = [(i * 3600.0, v) for i, v in enumerate(equity)][: 24 * 10]
    alone, together = generate_tearsheet(window), generate_tearsheet(window, sampling=how)
    assert alone.sampling.kind == "points"
    assert together.sampling == how
    # Closes of ten days after the start, the first of them of day 0.
    closes = equity[[0, *range(23, 240, 24)]]
    assert together.returns.tolist() == pytest.approx((closes[1:] / closes[:-1] - 1).tolist())
    assert together.metrics.periods_per_year == 365.0
    both = generate_tearsheet(window, sampling=how, periods_per_year=252)
    assert both.sampling == Sampling("daily", 252.0)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "America/New_York"])
def test_days_of_a_zone_are_dates(zone: str) -> None:
    days = pd.date_range("2025-03-28", periods=5, tz=zone)  # a clock change in Berlin
    curve = curve_of(pd.Series(np.arange(5.0) + 1.0, index=days))
    assert curve.times.astype("datetime64[D]").astype(str).tolist() == [
        "2025-03-28",
        "2025-03-29",
        "2025-03-30",
        "2025-03-31",
        "2025-04-01",
    ]
    later = curve_of(pd.Series(np.arange(5.0) + 1.0, index=days + pd.Timedelta(hours=16)))
    assert later.times_ns[0] == (days[0] + pd.Timedelta(hours=16)).value


@pytest.mark.parametrize("form", ["list", "series", "frame"])
def test_days_written_as_numbers_are_no_seconds(form: str) -> None:
    days, values = [20240102, 20240103], [1.0, 2.0]
    data: object = list(zip(days, values, strict=True))
    if form == "series":
        data = pd.Series(values, index=days)
    elif form == "frame":
        data = pl.DataFrame({"date": days, "equity": values})
    with pytest.raises(DataError, match="row 0 has 20240102, which looks like a day"):
        curve_of(data)
    assert curve_of([(20240102.0, 1.0)]).times_ns[0] == 20240102 * 10**9  # so said, it is seconds


def test_names_of_columns_may_be_in_capitals() -> None:
    curve = curve_of(pd.DataFrame({"Date": ["2025-01-01"], "Equity": [5.0]}))
    assert curve.equity.tolist() == [5.0]


def test_a_first_equity_that_differs_by_rounding_is_the_start() -> None:
    assert len(curve_of([(0, 100.0 * (1 + 1e-13)), (1, 101.0)], 100.0)) == 2
    assert len(curve_of([(0, 100.0 * (1 + 1e-9)), (1, 101.0)], 100.0)) == 3


def test_a_missing_value_of_a_nullable_column_is_named() -> None:
    days = pd.date_range("2024-01-01", periods=3)
    equity = pd.Series([1, None, 2], dtype="Int64", index=days)
    with pytest.raises(DataError, match="row 1 has <NA>; drop what is missing") as caught:
        generate_tearsheet(equity)
    assert caught.value.row == 1
