"""Edge decay: buckets and half-lives worked out by hand, laws, recorded data."""

import math
import pickle
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horizon import _horizon
from horizon.analytics import forecasts
from horizon.analytics.decay import EdgeDecay, edge_decay
from horizon.errors import DataError

DATA = Path(__file__).parents[3] / "shared" / "data" / "forecast-calibration"
POLYMARKET = DATA / "polymarket_mid_by_hours_before_close_2026-07.csv.gz"
HOUR = 3_600.0
END = 1_700_000_000.0


def needs(path: Path) -> Any:
    return pytest.mark.skipif(not path.exists(), reason=f"no recorded data: {path.name}")


def decay_of(rows: list[tuple[float, float]], n_buckets: int = 2, **options: Any) -> EdgeDecay:
    """Entries given as (hours before resolution, edge), each in a market that resolves to YES."""
    hours = np.array([hours for hours, _ in rows])
    prices = np.array([1.0 - edge for _, edge in rows])
    end = np.full(len(rows), END)
    return edge_decay(prices, np.ones(len(rows)), end - HOUR * hours, end, n_buckets, **options)


# ---------------------------------------------------------------------------- by hand
def test_four_entries_are_those_worked_out_by_hand() -> None:
    result = edge_decay(
        entry_prices=[0.45, 0.55, 0.40, 0.60],
        outcomes=[1.0, 1.0, 0.0, 0.0],
        entry_ts=[1000.0, 2000.0, 3000.0, 4000.0],
        resolution_ts=[5000.0, 5000.0, 5000.0, 5000.0],
        n_buckets=10,
    )
    # 4000, 3000, 2000, 1000 s before, the longest 4000 s: buckets 9 (of 10), 7, 5 and 2.
    edges = {9: 0.55, 7: 0.45, 5: -0.40, 2: -0.60}
    width = 4000 / 3600 / 10
    for number, (hours, edge) in enumerate(result.decay_curve):
        assert hours == pytest.approx((number + 0.5) * width, abs=1e-15)
        assert edge == pytest.approx(edges.get(number, 0.0), abs=1e-15)
        assert result.counts[number] == (number in edges)
    # Two buckets are positive, two apart: slope ln(0.55 / 0.45) / (2 · width).
    slope = math.log(0.55 / 0.45) / (2 * width)
    assert result.slope == pytest.approx(slope, rel=1e-12)
    assert result.half_life_hours == pytest.approx(math.log(2) / slope, rel=1e-12)
    assert result.mean_edge == pytest.approx(0.0, abs=1e-15)
    assert result.standard_errors == [math.inf] * 10  # no bucket has two entries
    assert result.longest_hours == pytest.approx(4000 / 3600)


def test_an_edge_that_doubles_in_a_day_has_a_half_life_of_a_day() -> None:
    # Centres 12 h and 36 h, a day apart; the edges are 0.1 and 0.2.
    result = decay_of([(1.0, 0.1), (20.0, 0.1), (48.0, 0.2)])
    assert [hours for hours, _ in result.decay_curve] == [12.0, 36.0]
    assert result.half_life_hours == pytest.approx(24.0, rel=1e-12)
    assert result.slope == pytest.approx(math.log(2) / 24, rel=1e-12)
    # 0.1 at 12 h: at resolution it is 0.1 / √2
    assert math.exp(result.intercept) == pytest.approx(0.1 / math.sqrt(2), rel=1e-12)
    assert result.fitted == pytest.approx([0.1, 0.2], rel=1e-12)
    assert result.edge_at([0.0, 24.0]) == pytest.approx([0.1 / 2**0.5, 0.1 * 2**0.5], rel=1e-12)


def test_an_exactly_exponential_edge_is_recovered_from_many_buckets() -> None:
    # Twenty buckets of 5 h; each bucket's entries all have the edge that belongs to its centre.
    half_life, rng = 37.0, np.random.default_rng(1)
    rows = [(100.0, 0.05 * 2 ** (97.5 / half_life))]
    for number in range(20):
        edge = 0.05 * 2 ** ((5 * number + 2.5) / half_life)
        rows += [(hours, edge) for hours in rng.uniform(5 * number, 5 * number + 5, 7).tolist()]
    result = decay_of(rows, 20)
    assert result.counts == [7] * 19 + [8]
    assert result.half_life_hours == pytest.approx(half_life, rel=1e-10)
    assert math.exp(result.intercept) == pytest.approx(0.05, rel=1e-10)


def test_the_fit_weighs_buckets_by_their_counts() -> None:
    # Centres 1, 3, 5; ln edges 0, 1, 0 above ln 0.1, with weights 1, 1, 2:
    # mean x = 14/4 = 3.5, mean y = 1/4; Σ w (x − 3.5)(y − 0.25)
    #   = (−2.5)(−0.25) + (−0.5)(0.75) + 2 (1.5)(−0.25) = −0.5: it grows towards resolution.
    # Σ w (x − 3.5)² = 6.25 + 0.25 + 4.5 = 11
    rows = [(1.0, 0.1), (3.0, 0.1 * math.e), (5.0, 0.1), (6.0, 0.1)]
    result = decay_of(rows, 3)
    assert result.counts == [1, 1, 2]
    assert result.slope == pytest.approx(-0.5 / 11, rel=1e-10)
    assert result.half_life_hours == math.inf
    assert result.fitted[0] > result.fitted[2]


def test_standard_errors_are_those_worked_out_by_hand() -> None:
    # Edges 0.1, 0.3, 0.5 around 0.3: variance (0.04 + 0.04) / 2 = 0.04, over 3.
    result = decay_of([(0.5, 0.1), (1.0, 0.3), (1.5, 0.5), (4.0, 0.2)])
    assert result.standard_errors[0] == pytest.approx(math.sqrt(0.04 / 3), rel=1e-12)
    assert result.standard_errors[1] == math.inf
    assert result.decay_curve[0][1] == pytest.approx(0.3, abs=1e-15)


def test_an_entry_on_an_edge_belongs_to_the_earlier_bucket() -> None:
    # Hours 1, 2, 3, 4 of 4 in four buckets: int(h / 4 · 4) is 1, 2, 3, and 4 joins the last.
    result = decay_of([(0.0, 0.1), (1.0, 0.2), (2.0, 0.3), (3.0, 0.4), (4.0, 0.5)], 4)
    assert result.counts == [1, 1, 1, 2]
    assert result.bucket_edges == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_ties_count_as_the_fraction_they_are() -> None:
    stamps = [0.0, HOUR], [2 * HOUR, 2 * HOUR]
    result = edge_decay([0.4, 0.3], [0.5, 1.0], *stamps, 2, ties=True)
    assert [edge for _, edge in result.decay_curve] == pytest.approx([0.0, 0.4])  # 1 h is int(1.0)
    assert result.counts == [0, 2]
    with pytest.raises(DataError, match=r"outcomes\[0\] must be 0 or 1, was 0.5 \(ties=True"):
        edge_decay([0.4, 0.3], [0.5, 1.0], *stamps)


# ---------------------------------------------------------------------------- degenerate
def test_nothing_has_empty_buckets_and_no_half_life() -> None:
    result = edge_decay([], [], [], [], 3)
    assert result.decay_curve == [(0.0, 0.0)] * 3
    assert result.counts == [0, 0, 0]
    assert result.half_life_hours == math.inf
    assert (result.intercept, result.slope, result.fitted) == (None, None, [])
    assert (result.count, result.mean_edge, result.longest_hours) == (0, 0.0, 0.0)
    assert result.standard_errors == [math.inf] * 3
    assert len(result.edge_at([1.0])) == 0
    assert len(result.to_frame()) == 3


def test_entries_at_resolution_fall_into_the_first_bucket() -> None:
    result = decay_of([(0.0, 0.1), (0.0, 0.3)], 4)
    assert result.counts == [2, 0, 0, 0]
    assert result.decay_curve[0] == (0.0, pytest.approx(0.2))
    assert result.half_life_hours == math.inf


@pytest.mark.parametrize(
    "rows",
    [
        [(5.0, 0.1)],
        [(1.0, -0.1), (5.0, 0.2)],
        [(1.0, -0.1), (5.0, -0.2)],
        [(1.0, 0.0), (5.0, 0.0)],
    ],
    ids=["one entry", "one positive", "none positive", "none at all"],
)
def test_fewer_than_two_positive_buckets_have_no_fit(rows: list[tuple[float, float]]) -> None:
    stamps = END - HOUR * np.array([hours for hours, _ in rows]), np.full(len(rows), END)
    outcomes = [1.0 if edge >= 0 else 0.0 for _, edge in rows]
    prices = [came - edge for came, (_, edge) in zip(outcomes, rows, strict=True)]
    result = edge_decay(prices, outcomes, *stamps, 2)
    assert (result.slope, result.intercept, result.fitted) == (None, None, [])
    assert result.half_life_hours == math.inf


@pytest.mark.parametrize("n", [10, 10_000])
def test_a_constant_edge_never_halves_and_has_no_spread(n: int) -> None:
    rng = np.random.default_rng(n)
    result = decay_of([(hours, 0.3) for hours in rng.uniform(0, 50, n).tolist()], 3)
    assert result.slope == 0.0
    assert result.half_life_hours == math.inf
    assert result.fitted == pytest.approx([0.3] * 3, rel=1e-12)
    assert max(result.standard_errors) < 1e-12


@pytest.mark.parametrize("span", [5e-324, 1e-308, 1e-300, 1e-160, 1e-100])
def test_spans_too_short_to_square_warn_of_nothing(span: float) -> None:
    result = edge_decay([0.5, 0.6], [1, 1], [0.0, 0.0], [span, span / 4], 4)
    assert sum(result.counts) == 2
    assert result.half_life_hours > 0.0


def test_a_fit_that_runs_away_stays_finite() -> None:
    # Within a second the edge grows from 1e-15 to 1: in an hour that is more than any float.
    prices, outcomes = [1.0 - 1e-15, 0.0], [1, 1]
    result = edge_decay(prices, outcomes, [END - 0.5, END - 2.0], [END, END], 2)
    assert result.half_life_hours > 0.0
    far = result.edge_at([0.0, 1.0, 1e6])
    assert np.isfinite(far).all()
    assert far[0] < 1e-20
    assert far[1] == far[2] > 1e300


# ---------------------------------------------------------------------------- times
WHEN = [datetime(2026, 3, 1, 6), datetime(2026, 3, 1, 18)]
UNTIL = [datetime(2026, 3, 2), datetime(2026, 3, 2)]
ZONED = timezone(timedelta(hours=5, minutes=30))


def as_seconds(times: list[datetime]) -> list[float]:
    return [time.replace(tzinfo=UTC).timestamp() for time in times]


@pytest.mark.parametrize(
    ("entry", "resolution"),
    [
        (WHEN, UNTIL),
        ([t.replace(tzinfo=UTC).astimezone(ZONED) for t in WHEN], UNTIL),
        ([t.isoformat() for t in WHEN], as_seconds(UNTIL)),
        (np.array(WHEN, "datetime64[s]"), np.array(UNTIL, "datetime64[ns]")),
        (pd.to_datetime(WHEN).tz_localize("UTC").tz_convert("Asia/Tokyo"), pd.Series(UNTIL)),
        (pl.Series(WHEN), pl.Series(UNTIL)),
        (pa.array(WHEN), UNTIL),
        (as_seconds(WHEN), as_seconds(UNTIL)),
        ([int(s) for s in as_seconds(WHEN)], [int(s) for s in as_seconds(UNTIL)]),
        (np.array(as_seconds(WHEN)), pd.Series(as_seconds(UNTIL))),
        (tuple(as_seconds(WHEN)), iter(as_seconds(UNTIL))),
        (np.ma.array(as_seconds(WHEN)), np.array(as_seconds(UNTIL))),
    ],
    ids=[
        "naive", "zoned", "text", "numpy", "pandas", "polars", "arrow", "seconds", "whole",
        "arrays", "iterables", "masked",
    ],
)  # fmt: skip
def test_times_of_many_kinds_are_the_same_moments(entry: Any, resolution: Any) -> None:
    result = edge_decay([0.4, 0.3], [1, 1], entry, resolution, 3)
    # 18 and 6 hours before, in buckets of 6 hours: 6 / 18 · 3 = 1
    assert result.counts == [0, 1, 1]
    assert result.longest_hours == 18.0
    assert [edge for _, edge in result.decay_curve] == pytest.approx([0.0, 0.7, 0.6])


def test_an_entry_at_its_resolution_is_taken_whatever_the_times_are() -> None:
    for times in (UNTIL, as_seconds(UNTIL)):
        assert edge_decay([0.5, 0.5], [1, 0], times, times).counts == [2] + [0] * 9


def test_the_whole_range_of_time_does_not_overflow() -> None:
    long_ago, far_off = np.array(["1680-01-01", "2200-01-01"], "M8[s]"), ["2260-01-01"] * 2
    result = edge_decay([0.5, 0.5], [1, 1], long_ago, far_off, 2)
    days = (datetime(2260, 1, 1) - datetime(1680, 1, 1)).days
    assert result.longest_hours == pytest.approx(24.0 * days, rel=1e-15)
    assert result.counts == [1, 1]


# ---------------------------------------------------------------------------- refusals
GOOD: dict[str, Any] = {
    "entry_prices": [0.4, 0.5],
    "outcomes": [1, 0],
    "entry_ts": [0.0, 10.0],
    "resolution_ts": [20.0, 20.0],
}


@pytest.mark.parametrize(
    ("change", "row", "said"),
    [
        ({"entry_prices": [0.4, 1.4]}, 1, r"entry_prices\[1\] must be from 0 to 1, was 1.4"),
        ({"entry_prices": [math.nan, 0.4]}, 0, r"entry_prices\[0\] must be from 0 to 1, was nan"),
        ({"outcomes": [1, 3]}, 1, r"outcomes\[1\] must be 0 or 1, was 3.0"),
        ({"entry_ts": [0.0, 21.0]}, 1,
         r"entry_ts\[1\] must be no later than its resolution at 20.0, was 21.0"),
        ({"entry_ts": [0.0, math.nan]}, 1, r"entry_ts\[1\] must be a time within .*, was nan"),
        ({"resolution_ts": [math.inf, 20.0]}, 0, r"resolution_ts\[0\] must be a time within"),
        ({"entry_ts": [0.0, -1e10]}, 1, r"entry_ts\[1\] must be a time within 9.2e9 seconds"),
        ({"entry_ts": [0, None]}, 1, r"entry_ts\[1\] must be a time that can be read, was None"),
        ({"entry_ts": ["1970-01-01", "soon"]}, 1, r"entry_ts\[1\] .* was 'soon'"),
        ({"entry_ts": np.ma.array([0.0, 1.0], mask=[1, 0])}, 0, r"entry_ts\[0\] .* can be read"),
        ({"resolution_ts": np.array(["1970-01-01T00:00:20", "1970-01-01T00:00:05"], "M8[s]")}, 1,
         r"entry_ts\[1\] must be no later than its resolution at 1970-01-01T00:00:05"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_true_is_named(change: Any, row: int, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        edge_decay(**{**GOOD, **change})
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"entry_ts": [0.0]}, ValueError, "entry_ts 1, resolution_ts 2"),
        ({"entry_prices": [0.4] * 3}, ValueError, "entry_prices 3, outcomes 2"),
        ({"entry_prices": 0.4}, TypeError, "entry_prices must be one column of numbers"),
        ({"entry_ts": 0.0}, TypeError, "entry_ts must be one column of times, was a float"),
        ({"resolution_ts": "2026"}, TypeError, "resolution_ts must be one column of times"),
        ({"resolution_ts": np.zeros((2, 2))}, TypeError, "has 2 dimensions"),
        ({"n_buckets": 0}, ValueError, "n_buckets must be 1 or more"),
        ({"n_buckets": 2.0}, TypeError, "n_buckets must be a whole number"),
        ({"n_buckets": 10**6}, ValueError, "n_buckets must be at most 100,000"),
        ({"ties": None}, TypeError, "ties must be True or False"),
    ],
)
def test_a_wrong_argument_is_named(change: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        edge_decay(**{**GOOD, **change})


@pytest.mark.parametrize("row", [0, 8_191, 8_192, 19_999])
def test_a_row_is_named_wherever_it_stands(row: int) -> None:
    n = 20_000
    entry = np.zeros(n)
    entry[row] = 2.0
    with pytest.raises(DataError, match=rf"entry_ts\[{row}\] must be no later"):
        edge_decay(np.full(n, 0.5), np.ones(n), entry, np.ones(n))


# ---------------------------------------------------------------------------- laws
entries = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0]), st.integers(0, 500)),
    min_size=1,
    max_size=80,
)
quick = settings(max_examples=60, deadline=None)


def measured(rows: list[tuple[float, float, int]], n_buckets: int) -> EdgeDecay:
    prices, outcomes, hours = map(np.array, zip(*rows, strict=True))
    return edge_decay(prices, outcomes, END - HOUR * hours, np.full(len(rows), END), n_buckets)


def same(first: EdgeDecay, second: EdgeDecay) -> None:
    assert first.counts == second.counts
    for name in ("decay_curve", "bucket_edges"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), atol=1e-12)
    np.testing.assert_allclose(first.standard_errors, second.standard_errors, atol=1e-10)
    assert first.mean_edge == pytest.approx(second.mean_edge, abs=1e-12)


@quick
@given(entries, st.integers(1, 12))
def test_every_number_is_that_of_a_plain_loop(
    rows: list[tuple[float, float, int]], n_buckets: int
) -> None:
    longest = max(hours for _, _, hours in rows)
    buckets: list[list[float]] = [[] for _ in range(n_buckets)]
    for price, outcome, hours in rows:
        place = min(int(hours / longest * n_buckets), n_buckets - 1) if longest else 0
        buckets[place].append(outcome - price)
    result = measured(rows, n_buckets)
    assert result.counts == [len(bucket) for bucket in buckets]
    for (_, edge), error, bucket in zip(
        result.decay_curve, result.standard_errors, buckets, strict=True
    ):
        assert edge == pytest.approx(math.fsum(bucket) / max(len(bucket), 1), abs=1e-14)
        if len(bucket) > 1:
            expected = np.std(bucket, ddof=1) / math.sqrt(len(bucket))
            assert error == pytest.approx(expected, abs=1e-12)
    everything = [edge for bucket in buckets for edge in bucket]
    assert result.mean_edge == pytest.approx(math.fsum(everything) / len(rows), abs=1e-14)


@quick
@given(entries, st.integers(1, 12), st.randoms(use_true_random=False), st.integers(1, 9))
def test_neither_order_nor_chunks_change_anything(
    rows: list[tuple[float, float, int]], n_buckets: int, chance: Any, chunk: int
) -> None:
    result = measured(rows, n_buckets)
    other = list(rows)
    chance.shuffle(other)
    same(result, measured(other, n_buckets))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecasts, "CHUNK", chunk)
        same(result, measured(rows, n_buckets))


@quick
@given(entries, st.integers(1, 12), st.integers(-5, 5))
def test_a_scale_of_time_scales_the_hours_alone(
    rows: list[tuple[float, float, int]], n_buckets: int, power: int
) -> None:
    prices, outcomes, hours = map(np.array, zip(*rows, strict=True))
    zero = np.zeros(len(rows))
    first, second = (
        edge_decay(prices, outcomes, zero, scale * HOUR * hours, n_buckets)
        for scale in (1.0, 2.0**power)
    )
    assert first.counts == second.counts
    assert second.longest_hours == first.longest_hours * 2.0**power
    if math.isfinite(first.half_life_hours):
        expected = first.half_life_hours * 2.0**power
        assert second.half_life_hours == pytest.approx(expected, rel=1e-9)
    else:
        assert second.half_life_hours == math.inf


@quick
@given(entries, st.integers(1, 12))
def test_the_fit_is_that_of_numpy(rows: list[tuple[float, float, int]], n_buckets: int) -> None:
    result = measured(rows, n_buckets)
    used = [
        (hours, math.log(edge), count)
        for (hours, edge), count in zip(result.decay_curve, result.counts, strict=True)
        if edge > 0.0 and count
    ]
    if result.slope is None:
        assert len(used) < 2
        return
    x, y, weights = map(np.array, zip(*used, strict=True))
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert result.slope == pytest.approx(slope, rel=1e-6, abs=1e-9)
    assert result.intercept == pytest.approx(intercept, rel=1e-6, abs=1e-6)


# ---------------------------------------------------------------------------- shown
def test_repr_is_one_readable_line() -> None:
    result = decay_of([(1.0, 0.1), (20.0, 0.1), (48.0, 0.2)])
    assert repr(result) == "EdgeDecay(3 entries in 2 buckets: half-life 24 h, mean edge 0.1333)"
    assert "1 entry in 1 bucket: half-life ∞" in repr(decay_of([(1.0, 0.1)], 1))


def test_html_and_frame_hold_the_buckets() -> None:
    result = decay_of([(1.0, 0.1), (20.0, 0.1), (48.0, 0.2)], 3)
    shown = result._repr_html_()
    assert "Half-life" in shown
    assert "0 to 16 h" in shown
    frame = result.to_frame()
    assert list(zip(frame["hours"], frame["mean_edge"], strict=True)) == result.decay_curve
    assert frame["count"].tolist() == result.counts == [1, 1, 1]
    assert frame["fitted"].tolist() == result.fitted
    assert "fitted" not in edge_decay([], [], [], []).to_frame()
    assert "the first 60 of 500" in decay_of([(1.0, 0.1)], 500)._repr_html_()


def test_result_is_frozen_and_survives_pickling() -> None:
    result = decay_of([(1.0, 0.1), (48.0, 0.2)])
    with pytest.raises(AttributeError):
        result.slope = 0.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(result)) == result
    assert _horizon.edge_decay is edge_decay


# ---------------------------------------------------------------------------- recorded data
@needs(POLYMARKET)
def test_recorded_markets_fall_into_the_buckets_of_a_plain_loop() -> None:
    rows = pd.read_csv(POLYMARKET, parse_dates=["quote_ts"])
    hours = rows["hours_before_last_quote"]
    end = rows["quote_ts"] + pd.to_timedelta(hours, unit="h")
    result = edge_decay(rows["mid"], rows["outcome_yes"], rows["quote_ts"], end)
    assert result.count == 45_336
    assert result.longest_hours == 72.0
    edge = rows["outcome_yes"] - rows["mid"]
    bucket = (hours / 72.0 * 10).astype(int).clip(upper=9)
    by_hand = edge.groupby(bucket).agg(["mean", "size", "sem"])
    for number, row in by_hand.iterrows():
        assert result.counts[number] == row["size"]
        assert result.decay_curve[number][1] == pytest.approx(row["mean"], abs=1e-13)
        assert result.standard_errors[number] == pytest.approx(row["sem"], abs=1e-13)
