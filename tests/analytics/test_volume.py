"""Fills shared out over the buckets of a day."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.algos.profile import volume_profile
from horizon.analytics.volume import volume_shares

HALVES = {"09:30": 0.5, "10:00": 0.3, "10:30": 0.2}


def ns(*texts: str, zone: str = "UTC") -> list[int]:
    """Times of 2 July 2012, or of the day that is named."""
    found = []
    for text in texts:
        day, _, clock = text.rpartition(" ")
        at = datetime.fromisoformat(f"{day or '2012-07-02'}T{clock}").replace(tzinfo=ZoneInfo(zone))
        found.append(int(at.timestamp()) * 1_000_000_000)
    return found


def test_a_fill_counts_where_its_bucket_begins() -> None:
    shares = volume_shares(
        HALVES, ns("09:30:00", "09:59:59", "10:00:00", "10:45:00"), [1.0, 2.0, 3.0, 4.0]
    )
    assert shares.quantities.tolist() == [3.0, 3.0, 4.0]
    assert shares.filled.tolist() == [0.3, 0.3, 0.4]
    assert shares.cumulative_filled.tolist() == pytest.approx([0.3, 0.6, 1.0])
    assert shares.cumulative_expected.tolist() == pytest.approx([0.5, 0.8, 1.0])
    assert shares.ends == ("10:00", "10:30", "11:00")


def test_fills_at_other_hours_are_counted_apart() -> None:
    shares = volume_shares(
        HALVES, ns("09:29:59", "11:00:00", "11:00:01", "09:30:00"), [1.0, 2.0, 4.0, 8.0]
    )
    # 11:00 is the very end of the last bucket, and belongs to it.
    assert shares.quantities.tolist() == [8.0, 0.0, 2.0]
    assert (shares.outside, shares.outside_fills) == (5.0, 2)


def test_wall_time_follows_summer_and_winter() -> None:
    # 09:30 in New York is 13:30 UTC in July and 14:30 UTC in January.
    times = ns("2012-07-02 13:30:00", "2012-01-03 14:30:00", "2012-01-03 13:30:00")
    shares = volume_shares(HALVES, times, [1.0, 1.0, 7.0], timezone="America/New_York")
    assert shares.quantities.tolist() == [2.0, 0.0, 0.0]
    assert shares.outside == 7.0


def test_sessions_may_go_past_midnight() -> None:
    weights = {"18:00": 1.0, "22:00": 2.0, "02:00": 1.0}
    shares = volume_shares(weights, ns("23:00:00", "03:00:00", "06:00:00", "17:00:00"), [1.0] * 4)
    # From two to six, six included; five in the afternoon is outside.
    assert shares.quantities.tolist() == [0.0, 1.0, 2.0]
    assert shares.outside_fills == 1
    assert shares.ends == ("22:00", "02:00", "06:00")
    assert shares.expected.tolist() == [0.25, 0.5, 0.25]


def test_one_bucket_is_the_whole_day() -> None:
    shares = volume_shares({"09:30": 3.0}, ns("00:00:00", "09:29:59"), [1.0, 1.0])
    assert shares.quantities.tolist() == [2.0]
    assert (shares.starts, shares.ends) == (("09:30",), ("09:30",))


def test_nothing_filled_is_no_share() -> None:
    shares = volume_shares(HALVES)
    assert shares.filled.tolist() == [0.0, 0.0, 0.0]
    assert shares.expected.tolist() == pytest.approx([0.5, 0.3, 0.2])


def test_weights_of_a_profile_are_taken_as_they_are() -> None:
    minutes = pd.date_range("2012-07-02 00:01", periods=1440, freq="min")
    bars = pd.DataFrame({"timestamp": minutes, "volume": np.arange(1440) % 7 + 1.0})
    for count in (7, 13, 48):
        weights = volume_profile(bars, count)
        shares = volume_shares(weights)
        assert shares.starts == tuple(weights.index)
        np.testing.assert_allclose(shares.expected, weights.to_numpy())
        assert shares.ends[-1] in ("00:00", "00:00:00")


def test_buckets_of_broken_seconds_end_with_the_session() -> None:
    # Seven buckets of 55 min 42.857 s, whose labels are cut to the second.
    minutes = pd.date_range("2012-07-02 09:31", periods=390, freq="min")
    bars = pd.DataFrame({"timestamp": minutes, "volume": 1.0})
    weights = volume_profile(bars, 7, session=("09:30", "16:00"))
    shares = volume_shares(weights, ns("16:00:00", "16:00:01", "10:25:42"), [1.0, 2.0, 4.0])
    assert shares.ends == (*weights.index[1:], "16:00:00")
    assert shares.quantities.tolist() == [0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0]


def test_as_a_frame() -> None:
    frame = volume_shares(HALVES, ns("09:30:00"), [2.0]).to_frame()
    assert frame.index.tolist() == ["09:30", "10:00", "10:30"]
    assert frame["quantity"].tolist() == [2.0, 0.0, 0.0]
    assert frame["cumulative_filled"].tolist() == [1.0, 1.0, 1.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 2 * 86_400 - 1), st.floats(1e-6, 1e6)), min_size=1, max_size=40
    ),
    st.integers(1, 48),
)
def test_every_unit_is_in_one_bucket_or_outside(fills, count) -> None:
    weights = {f"{8 + i // 6:02d}:{i % 6 * 10:02d}": 1.0 for i in range(count)}
    seconds, amounts = zip(*fills, strict=True)
    shares = volume_shares(weights, [s * 10**9 for s in seconds], amounts)
    assert shares.quantities.sum() + shares.outside == pytest.approx(sum(amounts))
    if shares.quantities.sum() > 0.0:
        assert shares.filled.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"weights": [0.5, 0.5]}, TypeError, "by wall time such as '09:30'"),
        ({"weights": {}}, ValueError, "one bucket or more"),
        ({"weights": {"09:30": 0.0}}, ValueError, "not all be 0"),
        ({"weights": {"09:30": -1.0}}, ValueError, r"weights\['09:30'\]"),
        ({"weights": {"soon": 1.0}}, ValueError, "had 'soon'"),
        ({"weights": {0: 1.0, 1: 1.0}}, ValueError, "had '0'"),
        ({"weights": {"09:30": 1.0, "10:00": 1.0, "11:00": 1.0}}, ValueError, "one length"),
        ({"weights": {"09:30": 1.0, "09:00": 1.0, "08:30": 1.0}}, ValueError, "order of time"),
        ({"quantities": [1.0, 2.0]}, ValueError, "one length"),
        ({"quantities": [0.0]}, ValueError, "fill 0"),
        ({"quantities": [float("nan")]}, ValueError, "fill 0"),
        ({"timezone": "Mars/Olympus"}, ValueError, "Mars/Olympus"),
    ],
    ids=lambda value: None if isinstance(value, type) else str(value)[:24],
)
def test_what_cannot_be_shared_out_is_refused(change, error, match) -> None:
    arguments = {"weights": HALVES, "times_ns": ns("09:30:00"), "quantities": [1.0], **change}
    with pytest.raises(error, match=match):
        volume_shares(
            arguments["weights"],
            arguments["times_ns"],
            arguments["quantities"],
            timezone=arguments.get("timezone", "UTC"),
        )
