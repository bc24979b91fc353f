"""Replay: what data is taken, what is made of it, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.errors import DataError
from horizon.feeds import Replay, Row

POLYMARKET = (
    Path(__file__).parents[2].parent
    / "shared/data/prediction-market-ticks"
    / "polymarket_top_of_book_2026-07-10_to_2026-07-17.parquet"
)

SECOND = 1_000_000_000
NOON = 1_709_553_600 * SECOND  # 2024-03-04T12:00:00Z

FRAME = pd.DataFrame(
    {
        "timestamp": pd.to_datetime(["2024-03-04T12:00:00.0Z", "2024-03-04T12:00:01.5Z"]),
        "price": [10.0, 11.0],
        "bid": [9.5, np.nan],
        "ask": [10.5, 11.5],
        "volume": [100, 0],
    }
)
ROWS = [
    Row("market", NOON, 10.0, bid=9.5, ask=10.5, volume=100.0),
    Row("market", NOON + 3 * SECOND // 2, 11.0, ask=11.5, volume=0.0),
]


def ticks(*times: float, **columns: list[Any]) -> dict[str, Any]:
    """Columns with these epoch seconds, at a price of 1."""
    return {"timestamp": list(times), "price": [1.0] * len(times)} | columns


def kinds(tmp_path: Path) -> dict[str, object]:
    text = FRAME.assign(timestamp=["2024-03-04T12:00:00Z", "2024-03-04 12:00:01.5"])
    naive = FRAME.assign(timestamp=FRAME.timestamp.dt.tz_localize(None))
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    FRAME.to_csv(tmp_path / "a.csv.gz", index=False)
    FRAME.to_parquet(tmp_path / "a.parquet")
    seconds = [NOON / 1e9, NOON / 1e9 + 1.5]
    plain = FRAME.drop(columns="timestamp")
    return {
        "pandas": FRAME,
        "pandas naive": naive,
        "pandas index": FRAME.set_index("timestamp"),
        "pandas nameless index": FRAME.set_index("timestamp").rename_axis(None),
        "pandas other zone": FRAME.assign(
            timestamp=FRAME.timestamp.dt.tz_convert("Asia/Kathmandu")
        ),
        "pandas nullable": FRAME.convert_dtypes(),
        "pandas upper case": FRAME.rename(columns=str.title),
        "polars": pl.from_pandas(FRAME),
        "polars lazy": pl.from_pandas(naive).lazy(),
        "arrow": pa.Table.from_pandas(FRAME),
        "texts": text,
        "seconds": FRAME.assign(timestamp=seconds),
        "dicts": FRAME.to_dict("records"),
        "dicts with datetimes": [
            {"ts": datetime(2024, 3, 4, 12), "price": Decimal(10), "bid": Fraction(19, 2)}
            | {"ask": 10.5, "volume": np.int64(100)},
            {"ts": np.datetime64("2024-03-04T12:00:01.500"), "price": 11, "bid": None}
            | {"ask": np.float32(11.5), "volume": 0},
        ],
        "arrays": {"time": seconds} | {c: plain[c].to_numpy() for c in plain},
        "arrow arrays": {"time": pa.array(seconds)} | {c: pa.array(plain[c]) for c in plain},
        "series": {"date": FRAME.timestamp} | {c: plain[c] for c in plain},
        "csv": str(tmp_path / "a.csv"),
        "csv.gz": tmp_path / "a.csv.gz",
        "parquet": tmp_path / "a.parquet",
        "tuple": tuple(FRAME.to_dict("records")),
    }


def test_every_kind_of_data_gives_the_same_rows(tmp_path: Path) -> None:
    for kind, data in kinds(tmp_path).items():
        assert list(Replay(data)) == ROWS, kind


def test_bars_have_the_close_as_price() -> None:
    bars = {"time": [60], "open": [1.0], "high": [4.0], "low": [0.5], "close": [2.0]}
    assert list(Replay(bars)) == [Row("market", 60 * SECOND, 2.0, open=1.0, high=4.0, low=0.5)]


def test_price_stands_above_close_and_columns_above_both() -> None:
    data = {"timestamp": [1], "price": [1.0], "close": [2.0], "mid": [3.0]}
    assert next(iter(Replay(data))).price == 1.0
    assert next(iter(Replay(data, columns={"price": "mid"}))).price == 3.0


def test_row_without_price_has_the_mid() -> None:
    row = next(iter(Replay({"ts": [1], "bid": [0.25], "ask": [0.75]})))
    assert (row.price, row.bid, row.ask) == (0.5, 0.25, 0.75)


def test_rows_that_no_client_can_take_are_passed_over_and_counted() -> None:
    nan = np.nan
    data = {
        "ts": [1, 2, 3, 4],
        "price": [nan, nan, nan, 5.0],
        "bid": [1.0, nan, nan, nan],
        "ask": [nan, 2.0, nan, nan],
    }
    feed = Replay(data)  # gaps are no faults: bad_rows="raise" has nothing to say
    assert [row.price for row in feed] == [5.0]
    assert feed.dropped == {"one_sided": 2, "empty": 1}


def test_times_are_exact_to_the_nanosecond() -> None:
    odd = NOON + 123_456_789
    text = "2024-03-04T12:00:00.123456789"
    for stamp in (np.datetime64(odd, "ns"), text, text + "Z", pd.Timestamp(odd)):
        assert next(iter(Replay([{"timestamp": stamp, "price": 1}]))).timestamp_ns == odd
    mixed = Replay([{"ts": "2024-03-04T12:00", "price": 1}, {"ts": text, "price": 1}])
    assert [row.timestamp_ns for row in mixed] == [NOON, odd]


@given(st.floats(0.0, 9e9))
def test_float_seconds_become_the_same_nanoseconds_as_in_any_other_call(seconds: float) -> None:
    from horizon import checks

    row = next(iter(Replay(ticks(seconds))))
    assert row.timestamp_ns == checks.timestamp_ns("seconds", seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (datetime(2024, 7, 1, 9, 30), 1_719_840_600),  # 13:30 UTC in summer
        ("2024-07-01T09:30", 1_719_840_600),
        (np.datetime64("2024-07-01T09:30"), 1_719_840_600),
        ("2024-07-01", 1_719_806_400),
        (date(2024, 7, 1), 1_719_806_400),  # 04:00 UTC
        ("2024-07-01T09:30Z", 1_719_826_200),  # says itself what it is
        (datetime(2024, 7, 1, 9, 30, tzinfo=UTC), 1_719_826_200),
        (datetime(2024, 7, 1, 9, tzinfo=timezone(timedelta(hours=-2))), 1_719_831_600),
        (1_719_826_200, 1_719_826_200),
    ],
)
def test_timezone_is_for_times_that_have_none(value: object, seconds: int) -> None:
    for data in ([{"ts": value, "price": 1}], {"ts": [value], "price": [1]}):
        row = next(iter(Replay(data, timezone="America/New_York")))
        assert row.timestamp_ns == seconds * SECOND


def test_naive_column_of_a_frame_takes_the_timezone_and_an_aware_one_does_not() -> None:
    naive = pd.DataFrame({"ts": pd.to_datetime(["2024-07-01T09:30"]), "price": [1.0]})
    aware = naive.assign(ts=naive.ts.dt.tz_localize("UTC"))
    for make in (pd.DataFrame, pl.from_pandas, pa.Table.from_pandas):
        for frame, seconds in ((naive, 1_719_840_600), (aware, 1_719_826_200)):
            row = next(iter(Replay(make(frame), timezone="America/New_York")))
            assert row.timestamp_ns == seconds * SECOND


@pytest.mark.parametrize("wall", ["2024-03-10T02:30", "2024-11-03T01:30"])
@pytest.mark.parametrize("as_text", [True, False])
def test_wall_time_skipped_or_repeated_by_a_clock_change_is_refused(
    wall: str, as_text: bool
) -> None:
    value = wall if as_text else datetime.fromisoformat(wall)
    with pytest.raises(DataError, match="a wall time of America/New_York that exists, and once"):
        Replay([{"ts": value, "price": 1}], timezone="America/New_York")


def test_dict_of_feeds_is_merged_by_time_in_the_order_of_the_feeds() -> None:
    feed = Replay(
        {
            "b": ticks(1, 3, 3),
            "a": pd.DataFrame(ticks(2, 3)),
            "c": [{"ts": 3, "price": 1.0}],
            "none": [],
        }
    )
    order = [(row.market_id, row.timestamp_ns // SECOND) for row in feed]
    assert order == [("b", 1), ("a", 2), ("b", 3), ("b", 3), ("a", 3), ("c", 3)]
    assert feed.markets == ("b", "a", "c")


def test_market_column_splits_the_data_and_each_market_is_in_order_by_itself() -> None:
    data = ticks(5, 6, 1, 6, market_id=["x", "x", "y", "y"])
    order = [(row.market_id, row.timestamp_ns // SECOND) for row in Replay(data)]
    assert order == [("y", 1), ("x", 5), ("x", 6), ("y", 6)]


def test_market_names_in_a_file_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("ts,market_id,price\n1,007,0.1\n2,NA,\n3,null,0.30000000000000004\n")
    feed = Replay(path)
    assert [(row.market_id, row.price) for row in feed] == [
        ("007", 0.1),
        ("null", 0.30000000000000004),
    ]
    assert feed.dropped == {"empty": 1}
    assert feed.name == "odd.csv"


def test_market_id_names_all_rows() -> None:
    assert next(iter(Replay(ticks(1), market_id="ACME"))).market_id == "ACME"


def test_equal_times_a_single_row_and_no_row_are_legal() -> None:
    assert Replay(ticks(1, 1, 1)).total == 3
    assert Replay(ticks(1)).total == 1
    assert Replay([]).total == Replay(FRAME.iloc[:0]).total == 0


def test_bid_equal_to_ask_is_legal() -> None:
    assert Replay(ticks(1, bid=[1.0], ask=[1.0])).dropped == {}


INF = float("inf")
BAD = [
    ({"timestamp": None}, "timestamp", "timestamp must be epoch seconds.*was None"),
    ({"timestamp": "noon"}, "timestamp", "was 'noon'"),
    ({"timestamp": True}, "timestamp", "was True"),
    ({"timestamp": 1_709_553_600_000}, "timestamp", "was 1709553600000"),  # milliseconds
    ({"timestamp": np.datetime64("NaT")}, "timestamp", "was .*NaT"),
    ({"timestamp": datetime(2500, 1, 1)}, "timestamp", "years 1678 to 2262"),
    ({"market_id": None}, "market_id", "market_id must be text.*was None"),
    ({"market_id": " x"}, "market_id", "blanks at the ends, was ' x'"),
    ({"market_id": "a\nb"}, "market_id", "control characters"),
    ({"market_id": 7}, "market_id", "was 7"),
    ({"price": INF}, "price", "price must be a number from 0 to 1e15, was inf"),
    ({"price": -INF}, "price", "was -inf"),
    ({"price": -0.01}, "price", "was -0.01"),
    ({"price": "1.5"}, "price", "was '1.5'"),
    ({"price": True}, "price", "was True"),
    ({"price": 10**400}, "price", "characters"),
    ({"bid": INF}, "price", "bid must be"),
    ({"ask": -1}, "price", "ask must be"),
    ({"high": INF}, "price", "high must be"),
    ({"bid": 1.1, "ask": 1.0}, "crossed", "bid 1.1 is above ask 1"),
    ({"low": 1.1, "high": 1.0}, "bar", "low 1.1 is above high 1"),
    ({"low": 1.1}, "bar", "low 1.1 is above price 1"),
    ({"low": 0.9, "open": 0.8}, "bar", "low 0.9 is above open 0.8"),
    ({"high": 0.9}, "bar", "price 1 is above high 0.9"),
    ({"high": 1.5, "open": 2}, "bar", "open 2 is above high 1.5"),
    ({"price": None, "bid": 1, "ask": 3, "high": 1.9}, "bar", "price 2 is above high 1.9"),
    ({"price": INF, "volume": -1, "timestamp": None}, "timestamp", "was None"),
    ({"volume": -1, "high": INF}, "price", "high must be"),
    ({"bid_size": -1}, "size", "bid_size must be"),
    ({"ask_size": INF}, "size", "ask_size must be"),
    ({"volume": -5}, "size", "volume must be a number from 0 to 1e15, was -5"),
    ({"timestamp": 1.0}, "backwards", "time goes backwards in market 'm'.*:01Z after .*:02Z"),
]


@pytest.mark.parametrize(("wrong", "reason", "match"), BAD)
def test_bad_row_is_refused_by_feed_row_and_value_or_dropped_and_counted(
    wrong: dict[str, object], reason: str, match: str
) -> None:
    good = {"timestamp": 2.0, "price": 1.0, "market_id": "m", "volume": 1.0}
    rows = [good, good, good | wrong, good | {"timestamp": 3.0}]
    with pytest.raises(DataError, match=match) as caught:
        Replay(rows, name="tape")
    assert str(caught.value).startswith("feed 'tape', row 2: ")
    assert (caught.value.feed, caught.value.row) == ("tape", 2)
    feed = Replay(rows, bad_rows="drop")
    assert feed.dropped == {reason: 1}
    assert feed.total == 3


def test_one_text_among_the_numbers_of_a_file_is_the_bad_row(tmp_path: Path) -> None:
    """It makes texts of the whole column; the other rows are what they were."""
    path = tmp_path / "tape.csv"
    path.write_text("timestamp,price,volume\n1,0.5,3\n2,.25,\n3,halt,4\n4,1e-1,x\n")
    with pytest.raises(DataError, match=r"row 2: price must be a number .*, was 'halt'$") as caught:
        Replay(path)
    assert caught.value.row == 2
    feed = Replay(path, bad_rows="drop")
    assert feed.dropped == {"price": 1, "size": 1}
    assert [(row.price, row.volume) for row in feed] == [(0.5, 3.0), (0.25, None)]


@pytest.mark.parametrize("text", ['"1,000.5"', "1 000.5", "$1000.5", "100 %", "1'000.5"])
def test_a_number_that_is_written_otherwise_is_no_bad_row_alone(tmp_path: Path, text: str) -> None:
    """Left out by itself it would leave the prices below a thousand, say, for the whole."""
    path = tmp_path / "tape.csv"
    path.write_text(f"timestamp,price\n1,999.5\n2,{text}\n3,998.5\n")
    with pytest.raises(DataError, match="price must be a number"):
        Replay(path)
    feed = Replay(path, bad_rows="drop")
    assert (feed.total, feed.dropped) == (0, {"price": 3})


def test_error_names_the_first_bad_row_of_the_feed_at_fault() -> None:
    feeds = {"fine": ticks(1), "torn": ticks(1, 2, 3, bid=[1, 9, 1], ask=[2, 2, -1])}
    with pytest.raises(DataError, match="feed 'torn', row 1: bid 9 is above ask 2") as caught:
        Replay(feeds)
    assert caught.value.value == (9.0, 2.0)


def test_dropped_row_does_not_set_the_time_that_others_must_follow() -> None:
    # The infinite price at 9 is dropped; 2 and 3 are in order without it. 1 is not.
    data = ticks(1, 9, 2, 1, 3) | {"price": [1.0, INF, 1.0, 1.0, 1.0]}
    feed = Replay(data, bad_rows="drop")
    assert [row.timestamp_ns // SECOND for row in feed] == [1, 2, 3]
    assert feed.dropped == {"price": 1, "backwards": 1}


@given(
    st.lists(
        st.tuples(st.sampled_from("xy"), st.integers(0, 20), st.sampled_from([1.0, INF])),
        min_size=1,
    )
)
def test_what_is_kept_and_dropped_agrees_with_a_plain_loop(
    rows: list[tuple[str, int, float]],
) -> None:
    latest: dict[str, int] = {}
    kept = []
    for market, seconds, price in rows:
        if price != INF and seconds >= latest.get(market, 0):
            latest[market] = seconds
            kept.append((market, seconds))
    data = [{"market_id": m, "ts": t, "price": p} for m, t, p in rows]
    feed = Replay(data, bad_rows="drop")
    sent = [(row.market_id, row.timestamp_ns // SECOND) for row in feed]
    assert sent == sorted(kept, key=lambda row: row[1])
    assert feed.total + sum(feed.dropped.values()) == len(rows)


@pytest.mark.parametrize(
    ("data", "options", "error", "match"),
    [
        (3, {}, TypeError, "data must be a list of dicts"),
        (None, {}, TypeError, "was None"),
        ((row for row in ()), {}, TypeError, "was <generator"),
        ([1], {}, DataError, "row 0: must be a dict, was 1"),
        ("no.csv", {}, FileNotFoundError, "no file 'no.csv'"),
        (__file__, {}, ValueError, "must be a .csv"),
        ({"price": [1.0]}, {}, DataError, "no column 'timestamp'; it has 'price'"),
        ({"ts": [1]}, {}, DataError, "no column 'price'"),
        ({}, {}, DataError, "no column 'timestamp' and no column 'price'"),
        ({"ts": [1], "date": [1], "price": [1]}, {}, DataError, "several columns .*'ts', 'date'"),
        (ticks(1, 2) | {"price": [1.0]}, {}, DataError, "must have one length"),
        (ticks(1) | {"price": 1.0}, {}, DataError, "must be an array or a list"),
        (ticks(1) | {"price": np.ones((1, 1))}, {}, DataError, "one dimension, has 2"),
        (ticks(1), {"columns": {"price": "mid"}}, DataError, "no column 'mid'"),
        (ticks(1), {"columns": {"prise": "mid"}}, ValueError, "Did you mean 'price'"),
        (ticks(1), {"columns": ["price"]}, TypeError, "columns must be a dict"),
        (ticks(1), {"columns": {"price": 1}}, TypeError, "must be text"),
        (ticks(1), {"bad_rows": "skip"}, ValueError, "bad_rows must be one of"),
        (ticks(1), {"timezone": "Mars/Olympus"}, ValueError, "timezone must be the name"),
        (ticks(1), {"speed": 0}, ValueError, "speed must be above 0"),
        (ticks(1), {"speed": "fast"}, TypeError, "speed must be a number"),
        (ticks(1), {"name": ""}, ValueError, "name must have 1 to 256"),
        (ticks(1), {"market_id": "\t"}, ValueError, "market_id must not"),
        (ticks(1, market_id=["x"]), {"market_id": "y"}, ValueError, "names its markets itself"),
        ({"a": ticks(1), "b": ticks(1)}, {"market_id": "y"}, ValueError, "names its markets"),
        ({7: ticks(1)}, {}, TypeError, "a feed's name must be text"),
    ],
)
def test_wrong_arguments_are_refused(
    data: object, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        Replay(data, **options)


def test_recording_of_more_than_one_batch_comes_whole_and_in_order() -> None:
    n = 10_000
    prices = np.where(np.arange(n) % 7 == 0, np.nan, np.arange(n, dtype=float))
    feed = Replay({"ts": np.arange(n), "price": prices})
    assert [row.price for row in feed] == [float(i) for i in range(n) if i % 7]


def test_repr_shows_what_it_holds_and_html_is_escaped() -> None:
    feed = Replay(ticks(0, bid=[1.0]), market_id="<script>", name="a&b")
    assert repr(feed) == (
        "<Replay 'a&b', status: idle, rows sent: 0 of 1, speed: 1×, markets: <script>, "
        "from: 1970-01-01T00:00:00Z, to: 1970-01-01T00:00:00Z>"
    )
    page = feed._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a&amp;b" in page


@pytest.mark.skipif(
    not POLYMARKET.exists(), reason=f"needs {POLYMARKET.name}, which is not in the repository"
)
def test_real_quotes_of_polymarket_replay() -> None:
    columns = {"timestamp": "ts", "market_id": "slug", "price": "mid"}
    feed = Replay(POLYMARKET, columns=columns, bad_rows="drop")
    frame = pd.read_parquet(POLYMARKET)
    crossed = frame[frame.bid > frame.ask]
    sound = frame.drop(crossed.index)
    price = sound.mid.fillna((sound.bid + sound.ask) / 2)
    assert feed.dropped["crossed"] == len(crossed) == 6
    assert feed.total == price.notna().sum()
    assert feed.dropped["one_sided"] == (sound.bid.notna() ^ sound.ask.notna()).sum()
    assert feed.dropped["empty"] == (sound.bid.isna() & sound.ask.isna()).sum()
    assert feed.total + sum(feed.dropped.values()) == len(frame)
    with pytest.raises(DataError, match="is above ask"):
        Replay(POLYMARKET, columns=columns)
