"""Volume profiles: each expected weight is worked out in the comment beside it."""

from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon as hz
from horizon.algos.profile import volume_profile
from horizon.errors import DataError

SPY = (
    Path(__file__).parents[2].parent / "shared/data/intraday-volume/spy_minute_bars_2011-01.csv.gz"
)


def hours(day: str, volumes: dict[int, float]) -> pd.DataFrame:
    """Hourly bars of one UTC day, stamped at their end."""
    stamps = [pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=hour) for hour in volumes]
    return pd.DataFrame({"timestamp": stamps, "volume": list(volumes.values())})


def four(day: str, *volumes: float) -> pd.DataFrame:
    """Hourly bars of the session 10:00 to 14:00."""
    return hours(day, {11 + i: volume for i, volume in enumerate(volumes)})


SESSION = ("10:00", "14:00")


def test_one_day_gives_its_shares() -> None:
    # 40, 20, 20, 20 of 100.
    profile = volume_profile(four("2024-03-04", 40, 20, 20, 20), 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=1e-14)
    assert profile.index.tolist() == ["10:00", "11:00", "12:00", "13:00"]
    assert profile.attrs == {"days": 1, "days_left_out": 0}


def test_days_count_alike_however_heavy() -> None:
    # Shares 0.5, 0.5 and 0.1, 0.9: the mean is 0.3, 0.7. Pooled volume would give 0.104.
    bars = pd.concat([four("2024-03-04", 1, 0, 0, 1), four("2024-03-05", 100, 0, 0, 900)])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.3, 0.0, 0.0, 0.7], abs=1e-14)


def test_half_day_leaves_late_buckets_alone_and_shares_in_the_early_ones() -> None:
    # Full day .4 .2 .2 .2. The half day has 60, 20: three quarters and one quarter of the
    # first two hours, which hold W = w1 + w2. w1 = (.4 + .75 W)/2, w2 = (.2 + .25 W)/2, so
    # W = .3 + W/2 = .6, w1 = (.4 + .45)/2 = .425, w2 = (.2 + .15)/2 = .175.
    bars = pd.concat([four("2024-03-04", 40, 20, 20, 20), four("2024-03-05", 60, 20)])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.425, 0.175, 0.2, 0.2], abs=1e-13)
    assert profile.sum() == pytest.approx(1.0, abs=1e-14)


def test_bucket_in_which_a_half_day_ends_is_left_out_of_it() -> None:
    # Half-hour bars. The half day stops at 12:30, in the middle of the third hour; what it
    # traded there is no full hour's volume and counts nowhere. Otherwise as above.
    def day(text: str, *volumes: float) -> pd.DataFrame:
        stamps = pd.date_range(f"{text} 10:30", periods=len(volumes), freq="30min", tz="UTC")
        return pd.DataFrame({"timestamp": stamps, "volume": volumes})

    bars = pd.concat(
        [day("2024-03-04", 20, 20, 10, 10, 10, 10, 10, 10), day("2024-03-05", 30, 30, 10, 10, 1e6)]
    )
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.425, 0.175, 0.2, 0.2], abs=1e-13)


def test_day_cut_off_at_its_start_is_treated_like_a_half_day() -> None:
    # The mirror image: 20, 60 in the last two hours.
    bars = pd.concat(
        [four("2024-03-04", 20, 20, 20, 40), hours("2024-03-05", {13: 20.0, 14: 60.0})]
    )
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.2, 0.2, 0.175, 0.425], abs=1e-13)


def test_day_with_one_bucket_says_nothing() -> None:
    bars = pd.concat([four("2024-03-04", 40, 20, 20, 20), four("2024-03-05", 1e6)])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=1e-14)
    assert profile.attrs == {"days": 1, "days_left_out": 1}


@given(
    weights=st.lists(st.floats(0.05, 1.0), min_size=4, max_size=4),
    cuts=st.lists(st.integers(2, 4), min_size=1, max_size=6),
)
def test_short_days_of_one_shape_give_that_shape(weights: list[float], cuts: list[int]) -> None:
    # Every day has the volumes `weights`, cut off after some hours: nothing is biased.
    days = [weights, *(weights[:cut] for cut in cuts)]
    bars = pd.concat([four(f"2024-03-{4 + i:02d}", *day) for i, day in enumerate(days)])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.to_numpy() == pytest.approx(np.array(weights) / sum(weights), abs=1e-9)


def test_missing_minutes_inside_a_day_are_no_volume() -> None:
    # The second hour is missing on the second day: shares of .25 each, and .5, 0, .25, .25.
    gap = hours("2024-03-05", {11: 50.0, 13: 25.0, 14: 25.0})
    profile = volume_profile(pd.concat([four("2024-03-04", 1, 1, 1, 1), gap]), 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.375, 0.125, 0.25, 0.25], abs=1e-14)


def test_last_minutes_without_trade_do_not_make_a_short_day() -> None:
    # Minute bars 10:00 to 14:00; the second day has no trade after 13:50. Ten minutes are
    # less than a tenth of the session, so its last hour counts with its 50 minutes.
    def day(text: str, minutes: int) -> pd.DataFrame:
        stamps = pd.date_range(f"{text} 10:01", periods=minutes, freq="min", tz="UTC")
        return pd.DataFrame({"timestamp": stamps, "volume": 1.0})

    profile = volume_profile(
        pd.concat([day("2024-03-04", 240), day("2024-03-05", 230)]), 4, session=SESSION
    )
    # Shares 60/240 and 50/230 in the last hour.
    assert profile.iloc[3] == pytest.approx((60 / 240 + 50 / 230) / 2, abs=1e-14)


def test_label_decides_where_a_bar_on_an_edge_belongs() -> None:
    bars = hours("2024-03-04", {10: 7.0, 11: 1.0, 12: 2.0, 13: 3.0, 14: 4.0})
    # Ends: 10:00 is before the session; 1, 2, 3, 4 of 10.
    ends = volume_profile(bars, 4, session=SESSION)
    assert ends.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-14)
    # Starts: 14:00 is after the session; 7, 1, 2, 3 of 13.
    starts = volume_profile(bars, 4, session=SESSION, label="start")
    assert starts.tolist() == pytest.approx([7 / 13, 1 / 13, 2 / 13, 3 / 13], abs=1e-14)


def test_extended_hours_are_left_out() -> None:
    bars = pd.concat([four("2024-03-04", 1, 1, 1, 1), hours("2024-03-04", {5: 1e9, 20: 1e9})])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.25] * 4, abs=1e-14)


def test_session_follows_the_clock_of_its_zone_through_a_clock_change() -> None:
    # New York opens at 14:30 UTC on Friday 8 March 2024 and at 13:30 UTC on Monday 11 March.
    # The open half hour has 3 of 4 on both days; in fixed UTC it would be smeared.
    stamps = [f"2024-03-08T{h}:{m}Z" for h in range(15, 22) for m in ("00", "30")][:-1]
    stamps += [f"2024-03-11T{h}:{m}Z" for h in range(14, 21) for m in ("00", "30")][:-1]
    bars = {"time": stamps, "volume": [3.0, *[0.0] * 11, 1.0] * 2}
    profile = volume_profile(bars, 13, session=("09:30", "16:00"), timezone="America/New_York")
    assert profile.index[0] == "09:30"
    assert profile.index[-1] == "15:30"
    assert profile["09:30"] == pytest.approx(0.75, abs=1e-14)
    assert profile["15:30"] == pytest.approx(0.25, abs=1e-14)


def test_day_with_a_clock_change_inside_the_session_is_left_out() -> None:
    # 10 March 2024 has 23 hours in New York.
    def day(text: str, evening: float) -> pd.DataFrame:
        stamps = pd.to_datetime([f"{text} 12:00", f"{text} 23:30"]).tz_localize("America/New_York")
        return pd.DataFrame({"timestamp": stamps, "volume": [1.0, evening]})

    bars = pd.concat([day("2024-03-09", 1.0), day("2024-03-10", 99.0), day("2024-03-12", 1.0)])
    profile = volume_profile(bars, 2, timezone="America/New_York")
    assert profile.attrs == {"days": 2, "days_left_out": 1}
    assert profile.tolist() == pytest.approx([0.5, 0.5], abs=1e-14)


def test_overnight_session_is_one_day() -> None:
    # 18:00 to 17:00: the bar at 20:00 on the 4th and the one at 10:00 on the 5th are one day.
    bars = pd.concat(
        [hours("2024-03-04", {17: 100.0, 20: 1.0}), hours("2024-03-05", {10: 3.0, 17: 4.0})]
    )
    # The 17:00 bar of the 4th ends the session before: a day by itself, in one bucket, which
    # says nothing. Hours since 18:00: 2, 16 and 23 of 23, halves end at 11.5: 1 and 7 of 8.
    profile = volume_profile(bars, 2, session=("18:00", "17:00"))
    assert profile.tolist() == pytest.approx([1 / 8, 7 / 8], abs=1e-14)
    assert profile.index.tolist() == ["18:00", "05:30"]


def test_midnight_ends_the_day_before_for_bars_stamped_at_their_end() -> None:
    bars = {"timestamp": ["2024-03-04T12:00", "2024-03-05T00:00"], "volume": [1.0, 3.0]}
    profile = volume_profile(bars, 2)
    assert profile.tolist() == pytest.approx([0.25, 0.75], abs=1e-14)
    assert profile.attrs["days"] == 1


def test_close_at_twenty_four_hours_and_time_objects_are_taken() -> None:
    bars = hours("2024-03-04", {18: 1.0, 24: 3.0})
    text = volume_profile(bars, 2, session=("12:00", "24:00"))
    objects = volume_profile(bars, 2, session=(time(12), time(0)))
    assert text.tolist() == objects.tolist() == pytest.approx([0.25, 0.75], abs=1e-14)


@pytest.mark.parametrize("kind", ["columns", "index", "polars", "arrow", "dict", "epoch", "naive"])
def test_every_kind_of_data_gives_the_same(kind: str) -> None:
    frame = four("2024-03-04", 1, 2, 3, 4)
    bars = {
        "columns": frame,
        "index": frame.set_index("timestamp"),
        "polars": pl.from_pandas(frame).lazy(),
        "arrow": pa.Table.from_pandas(frame),
        "dict": {"timestamp": frame.timestamp.to_numpy(), "volume": [1, 2, 3, 4]},
        "epoch": {
            "timestamp": [datetime(2024, 3, 4, h, tzinfo=UTC).timestamp() for h in range(11, 15)],
            "volume": np.array([1, 2, 3, 4]),
        },
        "naive": frame.assign(timestamp=frame.timestamp.dt.tz_localize(None)),
    }[kind]
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-14)


def test_other_column_names_can_be_said() -> None:
    frame = four("2024-03-04", 1, 2, 3, 4).rename(columns={"timestamp": "t_end", "volume": "qty"})
    profile = volume_profile(frame, 4, session=SESSION, column="qty", timestamp="t_end")
    assert profile.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-14)


def test_buckets_that_are_no_whole_minutes_show_seconds() -> None:
    bars = {"timestamp": np.arange(1, 15) * 60.0, "volume": np.ones(14)}
    profile = volume_profile(bars, 8, session=("00:00", "00:14"))
    assert profile.index[:2].tolist() == ["00:00:00", "00:01:45"]


def test_days_without_volume_are_left_out() -> None:
    bars = pd.concat([four("2024-03-04", 0, 0, 0, 0), four("2024-03-05", 1, 1, 1, 1)])
    profile = volume_profile(bars, 4, session=SESSION)
    assert profile.attrs == {"days": 1, "days_left_out": 1}


GOOD = four("2024-03-04", 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"buckets": 0}, ValueError, "buckets must be 1 or more, was 0"),
        ({"buckets": 2.0}, TypeError, "buckets must be a whole number"),
        ({"buckets": True}, TypeError, "buckets must be a whole number"),
        ({"buckets": 8}, ValueError, "1800 seconds each, the bars 3600"),
        ({"buckets": 20_000}, ValueError, "a second or longer"),
        ({"label": "left"}, ValueError, "label must be one of 'end', 'start'"),
        ({"timezone": "Mars/Olympus"}, ValueError, "timezone must be the name of a zone"),
        ({"session": "09:30-16:00"}, TypeError, "session must be a pair"),
        ({"session": ("9h", "16:00")}, ValueError, "session must hold wall times"),
        ({"session": ("10:00", "10:00")}, ValueError, "must not open and close at one time"),
        ({"session": (time(10, tzinfo=UTC), time(14))}, ValueError, "without a zone"),
        ({"session": ("20:00", "21:00")}, ValueError, "must have rows in the session"),
        ({"column": "qty"}, DataError, "no column 'qty'"),
        ({"timestamp": "when"}, DataError, "no column 'when'"),
    ],
)
def test_wrong_arguments_are_refused(
    options: dict[str, object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        volume_profile(GOOD, **({"buckets": 4, "session": SESSION} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, None, "many", True])
def test_bad_volume_names_its_row_and_value(value: object) -> None:
    bars = GOOD.assign(volume=pd.Series([1.0, 2.0, value, 4.0], dtype=object))
    with pytest.raises(DataError, match="row 2: volume must be a number from 0 to 1e15") as caught:
        volume_profile(bars, 4, session=SESSION)
    assert caught.value.row == 2


@pytest.mark.parametrize("value", ["noon", None, "2024-13-01"])
def test_unreadable_time_names_its_row(value: object) -> None:
    bars = {"timestamp": ["2024-03-04T11:00", value], "volume": [1.0, 1.0]}
    with pytest.raises(DataError, match="bars, row 1: the time must be"):
        volume_profile(bars, 4, session=SESSION)


def test_no_rows_no_volume_and_no_full_day_are_refused() -> None:
    with pytest.raises(ValueError, match="must have rows in the session, had none of 0"):
        volume_profile(GOOD.iloc[:0], 4, session=SESSION)
    with pytest.raises(ValueError, match="must have a day with volume"):
        volume_profile(four("2024-03-04", 0, 0, 0, 0), 4, session=SESSION)
    apart = pd.concat([four("2024-03-04", 1, 1), hours("2024-03-05", {13: 1.0, 14: 1.0})])
    with pytest.raises(ValueError, match="a day that covers the whole session"):
        volume_profile(apart, 4, session=SESSION)


def test_ambiguous_or_missing_time_column_is_refused() -> None:
    with pytest.raises(DataError, match="several columns that may be the time"):
        volume_profile(GOOD.assign(date="2024-03-04"), 4, session=SESSION)
    with pytest.raises(DataError, match="no time column"):
        volume_profile({"volume": [1.0]}, 4)


@pytest.mark.parametrize("bars", [None, 3, "bars.csv", [1, 2]])
def test_other_data_is_refused(bars: object) -> None:
    with pytest.raises(TypeError, match="bars must be a pandas, polars or Arrow frame"):
        volume_profile(bars)


def test_arrays_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="arrays of one length"):
        volume_profile({"timestamp": [1.0, 2.0], "volume": [1.0]})


def test_vwap_takes_the_profile_as_it_is() -> None:
    profile = volume_profile(four("2024-03-04", 40, 20, 20, 20), 4, session=SESSION)
    algo = hz.VWAP(hz.Engine(), duration_secs=4 * 3600.0, volume_profile=profile)
    assert not algo.is_complete


def test_result_does_not_hang_on_the_order_of_the_bars() -> None:
    bars = pd.concat([four("2024-03-04", 4, 3, 2, 1), four("2024-03-05", 1, 5, 2)])
    forward = volume_profile(bars, 4, session=SESSION)
    backward = volume_profile(bars.iloc[::-1], 4, session=SESSION)
    assert forward.tolist() == backward.tolist()


@pytest.mark.skipif(not SPY.exists(), reason=f"needs {SPY.name}, which is not in the repository")
def test_real_minutes_of_spy_agree_with_a_plain_groupby() -> None:
    bars = pd.read_csv(SPY)
    profile = volume_profile(
        bars,
        13,
        session=("09:30", "16:00"),
        timezone="America/New_York",
        timestamp="bar_end_utc",
    )
    # By hand: January has no half day and no clock change, so New York is UTC - 5 hours.
    ends = pd.to_datetime(bars["bar_end_utc"]) - pd.Timedelta(hours=5)
    minute = ends.dt.hour * 60 + ends.dt.minute - (9 * 60 + 30)
    inside = bars[(minute > 0) & (minute <= 390)].assign(
        day=ends.dt.date, half_hour=(minute - 1) // 30
    )
    table = inside.groupby(["day", "half_hour"])["volume"].sum().unstack(fill_value=0)
    expected = table.div(table.sum(axis=1), axis=0).mean()
    assert profile.attrs == {"days": 20, "days_left_out": 0}
    assert profile.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)
    # The well-known smile: noon trades less than half of what the last half hour does.
    assert profile["12:30"] < profile["15:30"] / 2
