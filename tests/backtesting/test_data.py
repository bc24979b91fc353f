"""Data of every form: what a run plays, in which order and steps, and what is refused."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.backtesting.data import DataChunks, MarketData, data_of_books, read_data
from horizon.books import read_books
from horizon.errors import DataError

NS = 1_000_000_000
NAN, INF = float("nan"), float("inf")
NOON = 1_709_553_600 * NS  # 2024-03-04T12:00:00Z

FRAME = pd.DataFrame(
    {
        "timestamp": pd.to_datetime(["2024-03-04T12:00:00.0Z", "2024-03-04T12:00:01.5Z"]),
        "price": [10.0, 11.0],
        "bid": [9.5, np.nan],
        "ask": [10.5, 11.5],
        "volume": [100, 0],
    }
)


def read(data: Any, **options: Any) -> MarketData:
    whole = read_data(data, **options)
    assert isinstance(whole, MarketData)
    return whole


def ticks(*times: float, **columns: list[Any]) -> dict[str, Any]:
    """Columns with these epoch seconds, at a price of 1."""
    return {"timestamp": list(times), "price": [1.0] * len(times)} | columns


def steps(data: MarketData) -> list[tuple[int, list[tuple[str, float]]]]:
    """The steps of a run: the seconds, and each row's feed and price."""
    codes = np.zeros(len(data), dtype=int) if data.codes is None else data.codes
    starts = np.ones(len(data), dtype=bool) if data.starts is None else data.starts
    found: list[tuple[int, list[tuple[str, float]]]] = []
    for i in range(len(data)):
        if starts[i]:
            found.append((int(data.times_ns[i] // NS), []))
        assert found[-1][0] == data.times_ns[i] // NS
        found[-1][1].append((data.feeds[codes[i]], float(data.numbers["price"][i])))
    return found


def kinds(tmp_path: Path) -> dict[str, object]:
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    FRAME.to_csv(tmp_path / "a.csv.gz", index=False)
    FRAME.to_parquet(tmp_path / "a.parquet")
    naive = FRAME.assign(timestamp=FRAME.timestamp.dt.tz_localize(None))
    seconds = [NOON / 1e9, NOON / 1e9 + 1.5]
    plain = FRAME.drop(columns="timestamp")
    return {
        "dicts": FRAME.to_dict("records"),
        "tuple of dicts": tuple(FRAME.to_dict("records")),
        "dicts with datetimes": [
            {"ts": datetime(2024, 3, 4, 12), "price": Decimal(10), "bid": Fraction(19, 2)}
            | {"ask": 10.5, "volume": np.int64(100)},
            {"ts": np.datetime64("2024-03-04T12:00:01.500"), "price": 11}
            | {"ask": np.float32(11.5), "volume": 0},
        ],
        "pandas": FRAME,
        "pandas naive": naive,
        "pandas nanoseconds": naive.astype({"timestamp": "datetime64[ns]"}),
        "pandas index": FRAME.set_index("timestamp"),
        "pandas nullable": FRAME.convert_dtypes(),
        "pandas upper case": FRAME.rename(columns=str.title),
        "pandas seconds": FRAME.assign(timestamp=seconds),
        "pandas text": FRAME.assign(timestamp=["2024-03-04T12:00:00Z", "2024-03-04 12:00:01.5"]),
        "polars": pl.from_pandas(FRAME),
        "polars lazy": pl.from_pandas(naive).lazy(),
        "arrow": pa.Table.from_pandas(FRAME),
        "arrays": {"time": np.array(seconds)} | {c: plain[c].to_numpy() for c in plain},
        "lists": {"time": seconds} | {c: plain[c].tolist() for c in plain},
        "arrow arrays": {"time": pa.array(seconds)} | {c: pa.array(plain[c]) for c in plain},
        "series": {"date": FRAME.timestamp} | {c: plain[c] for c in plain},
        "close for price": FRAME.rename(columns={"price": "close"}),
        "csv": str(tmp_path / "a.csv"),
        "csv.gz": tmp_path / "a.csv.gz",
        "parquet": tmp_path / "a.parquet",
    }


def test_every_form_of_data_gives_the_same_rows(tmp_path: Path) -> None:
    for kind, given_data in kinds(tmp_path).items():
        data = read(given_data)
        assert data.feeds == ("data",), kind
        assert data.times_ns.dtype == np.int64
        assert data.times_ns.tolist() == [NOON, NOON + 1_500_000_000], kind
        assert set(data.numbers) == {"price", "bid", "ask", "volume"}, kind
        for name, wanted in [
            ("price", [10.0, 11.0]),
            ("bid", [9.5, NAN]),
            ("ask", [10.5, 11.5]),
            ("volume", [100.0, 0.0]),
        ]:
            assert data.numbers[name].dtype == np.float64
            np.testing.assert_array_equal(data.numbers[name], wanted, err_msg=kind)
        assert (data.codes, data.starts, data.snapshots) == (None, None, None)
        assert (data.is_bars, data.dropped) == ((False,), {})


def test_a_dict_of_feeds_may_hold_each_form(tmp_path: Path) -> None:
    data = read(kinds(tmp_path))
    n = len(data.feeds)
    assert list(data.feeds) == list(kinds(tmp_path))
    # Two times, at each of which each feed has a row: two steps.
    assert data.codes is not None
    assert data.codes.tolist() == [*range(n), *range(n)]
    assert data.starts is not None
    assert np.flatnonzero(data.starts).tolist() == [0, n]
    assert data.numbers["price"].tolist() == [10.0] * n + [11.0] * n


def test_columns_and_timezone_are_those_of_the_data() -> None:
    data = read(
        [{"when": "2024-07-01T09:30", "mid": 2.0, "price": 1.0}],
        columns={"timestamp": "when", "price": "mid"},
        timezone="America/New_York",
    )
    assert data.times_ns.tolist() == [1_719_840_600 * NS]  # 13:30 UTC in summer
    assert data.numbers["price"].tolist() == [2.0]


# ------------------------------------------------------------------------------------- prices
def test_a_row_without_a_price_has_the_mid_else_none_and_stays() -> None:
    data = read(
        {
            "ts": [1, 2, 3, 4, 5],
            "price": [NAN, NAN, NAN, NAN, 5.0],
            "bid": [1.0, 1.0, NAN, NAN, 1.0],
            "ask": [2.0, NAN, 2.0, NAN, 2.0],
        }
    )
    np.testing.assert_array_equal(data.numbers["price"], [1.5, NAN, NAN, NAN, 5.0])
    np.testing.assert_array_equal(data.numbers["bid"], [1.0, 1.0, NAN, NAN, 1.0])
    assert data.dropped == {}


@pytest.mark.parametrize(
    ("columns", "price"),
    [
        ({"bid": [0.25], "ask": [0.75]}, 0.5),
        ({"bid": [0.25]}, NAN),
        ({"ask": [0.75]}, NAN),
        ({"price": [0.6], "bid": [0.25]}, 0.6),
        ({"price": [None], "bid": [0.25]}, NAN),
    ],
    ids=["quotes", "bid", "ask", "price and bid", "no price and bid"],
)
def test_price_is_always_there(columns: dict[str, list[Any]], price: float) -> None:
    data = read({"ts": [1]} | columns)
    np.testing.assert_array_equal(data.numbers["price"], [price])


BAR = {"open": [1.0], "high": [4.0], "low": [0.5], "close": [2.0]}


@pytest.mark.parametrize(
    ("columns", "is_bar"),
    [
        (BAR, True),
        (BAR | {"price": [3.0]}, True),  # price stands above close
        ({name: BAR[name] for name in ("open", "high", "low")} | {"price": [2.0]}, True),
        ({name: BAR[name] for name in ("open", "high", "close")}, False),
        ({name: BAR[name] for name in ("high", "low", "close")}, False),
        ({name: BAR[name] for name in ("open", "high", "low")} | {"bid": [1], "ask": [2]}, False),
        (BAR | {"open": [None]}, False),
        (BAR | {"bid": [None], "ask": [2.5]}, True),
        ({"close": [2.0]}, False),
    ],
    ids=[
        *("bar", "with a price", "price for close", "no low", "no open", "quotes for close"),
        *("nothing in open", "one quote", "close only"),
    ],
)
def test_bars_have_open_high_low_and_close(columns: dict[str, list[Any]], is_bar: bool) -> None:
    assert read({"time": [60]} | columns).is_bars == (is_bar,)


def test_the_close_of_a_bar_is_its_price() -> None:
    data = read({"time": [60]} | BAR)
    assert {name: values.tolist() for name, values in data.numbers.items()} == {
        "price": [2.0],
        "open": [1.0],
        "high": [4.0],
        "low": [0.5],
    }


def test_one_feed_may_have_bars_and_another_none() -> None:
    bars = {"time": [60, 120]} | {name: values * 2 for name, values in BAR.items()}
    data = read({"ticks": ticks(60), "bars": bars})
    assert data.is_bars == (False, True)
    np.testing.assert_array_equal(data.numbers["open"], [NAN, 1.0, 1.0])
    flat = [
        {"time": 60, "market_id": "x", "price": 1.0},
        {"time": 60, "market_id": "y", "open": 1.0, "high": 2.0, "low": 1.0, "price": 2.0},
    ]
    assert read(flat).is_bars == (False, True)


# -------------------------------------------------------------------------------- feeds and steps
def test_rows_of_one_time_are_a_step_and_further_rows_of_a_feed_are_the_next() -> None:
    data = read(
        {
            "b": {"ts": [1, 3, 3, 3], "price": [1.0, 2.0, 3.0, 4.0]},
            "a": pd.DataFrame({"ts": [2, 3, 3], "price": [5.0, 6.0, 7.0]}),
            "c": [{"ts": 3, "price": 8.0}, {"ts": 4, "price": 9.0}],
            "none": [],
        }
    )
    assert data.feeds == ("b", "a", "c", "none")
    assert steps(data) == [
        (1, [("b", 1.0)]),
        (2, [("a", 5.0)]),
        (3, [("b", 2.0), ("a", 6.0), ("c", 8.0)]),
        (3, [("b", 3.0), ("a", 7.0)]),
        (3, [("b", 4.0)]),
        (4, [("c", 9.0)]),
    ]


def test_a_market_column_makes_a_feed_of_each_market() -> None:
    flat = {
        "ts": [1, 1, 1, 2, 2],
        "market_id": ["y", "x", "y", "x", "y"],
        "price": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
    wanted = [
        (1, [("y", 1.0), ("x", 2.0)]),
        (1, [("y", 3.0)]),
        (2, [("y", 5.0), ("x", 4.0)]),
    ]
    frame = pd.DataFrame(flat)
    for kind, data in {
        "dict": flat,
        "pandas": frame,
        "pandas objects": frame.astype({"market_id": object}),
        "pandas categories": frame.astype({"market_id": "category"}),
        "polars": pl.DataFrame(flat),
        "polars categories": pl.DataFrame(flat).with_columns(
            pl.col("market_id").cast(pl.Categorical)
        ),
        "arrow": pa.table(flat),
        "arrow dictionary": pa.table(
            flat | {"market_id": pa.array(flat["market_id"]).dictionary_encode()}
        ),
        "dicts": frame.to_dict("records"),
    }.items():
        whole = read(data)
        assert whole.feeds == ("y", "x"), kind
        assert steps(whole) == wanted, kind


def test_markets_may_follow_one_another_as_a_whole() -> None:
    data = read(ticks(5, 6, 1, 6, market_id=["x", "x", "y", "y"]))
    assert [(when, [feed for feed, _ in rows]) for when, rows in steps(data)] == [
        (1, ["y"]),
        (5, ["x"]),
        (6, ["x", "y"]),
    ]


def test_a_column_of_one_market_is_one_feed() -> None:
    data = read(ticks(1, 1, market_id=["x", "x"]))
    assert (data.feeds, data.codes, data.starts) == (("x",), None, None)
    data = read({"a": ticks(1, market_id=["x"]), "b": ticks(1, market_id=["y"])})
    assert data.feeds == ("a", "b")  # their names are those of the dict


def test_a_feed_of_several_markets_is_refused() -> None:
    feeds = {"a": ticks(1), "b": ticks(1, 2, 3, market_id=["x", "x", "y"])}
    with pytest.raises(DataError, match="feed 'b' holds several markets, 'x' and 'y'") as refused:
        read(feeds)
    assert (refused.value.feed, refused.value.row, refused.value.value) == ("b", 2, "y")


def test_market_names_in_a_file_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("ts,market_id,price\n1,007,0.1\n2,NA,0.5\n3,null,0.30000000000000004\n")
    data = read(path)
    assert data.feeds == ("007", "NA", "null")
    assert data.numbers["price"].tolist() == [0.1, 0.5, 0.30000000000000004]


def naive(feeds: dict[str, list[tuple[int, float]]]) -> list[tuple[int, list[tuple[str, float]]]]:
    """Steps by a plain loop: at each time, one row of each feed after the other."""
    found = []
    for when in sorted({when for rows in feeds.values() for when, _ in rows}):
        queues = {name: [price for at, price in rows if at == when] for name, rows in feeds.items()}
        while any(queues.values()):
            found.append((when, [(name, q.pop(0)) for name, q in queues.items() if q]))
    return found


ROWS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 4)), min_size=1, max_size=30)


def by_feed(rows: list[tuple[str, int]]) -> dict[str, list[tuple[int, float]]]:
    """Rows by feed, in order of time; the price is the row's number."""
    feeds: dict[str, list[tuple[int, float]]] = {}
    for number, (name, when) in enumerate(rows):
        feeds.setdefault(name, []).append((when, float(number)))
    return {name: sorted(found) for name, found in feeds.items()}


@given(ROWS)
def test_steps_of_a_dict_of_feeds_agree_with_a_plain_loop(rows: list[tuple[str, int]]) -> None:
    feeds = by_feed(rows)
    data = read(
        {
            name: {"ts": [when for when, _ in found], "price": [price for _, price in found]}
            for name, found in feeds.items()
        }
    )
    assert steps(data) == naive(feeds)


def flat_of(feeds: dict[str, list[tuple[int, float]]], seed: int) -> list[dict[str, Any]]:
    """The rows of all feeds in one table, laced at random."""
    rng = np.random.default_rng(seed)
    queues = {name: list(rows) for name, rows in feeds.items()}
    laced = []
    while queues:
        name = sorted(queues)[rng.integers(len(queues))]
        when, price = queues[name].pop(0)
        laced.append({"ts": when, "market_id": name, "price": price})
        queues = {name: rows for name, rows in queues.items() if rows}
    return laced


@given(ROWS, st.integers(0, 3))
def test_steps_of_one_table_agree_with_a_plain_loop(rows: list[tuple[str, int]], seed: int) -> None:
    laced = flat_of(by_feed(rows), seed)
    order = dict.fromkeys(row["market_id"] for row in laced)  # feeds by their first row
    assert steps(read(laced)) == naive({name: by_feed(rows)[name] for name in order})
    # The same in order of time, where rows of one time stand as they may.
    inorder = sorted(laced, key=lambda row: row["ts"])
    order = dict.fromkeys(row["market_id"] for row in inorder)
    assert steps(read(inorder)) == naive({name: by_feed(rows)[name] for name in order})


@given(ROWS, st.sets(st.integers(0, 30)), st.booleans())
def test_data_in_chunks_is_played_as_the_same_data_in_one_piece(
    rows: list[tuple[str, int]], cuts: set[int], is_one: bool
) -> None:
    feeds = by_feed([("x", when) for _, when in rows] if is_one else rows)
    flat = sorted(flat_of(feeds, 1), key=lambda row: row["ts"])
    # The first chunk names all feeds, with rows before all others.
    first = [{"ts": -1, "market_id": name, "price": 0.5} for name in feeds]
    edges = sorted({0, len(flat)} | {cut for cut in cuts if cut < len(flat)})

    def chunks() -> Iterator[list[dict[str, Any]]]:
        yield first
        for begin, end in pairwise(edges):
            yield flat[begin:end]

    whole = read(first + flat)
    data = read_data(chunks)
    assert isinstance(data, DataChunks)
    pieces = [data.first, *data]
    assert {piece.feeds for piece in pieces} == {whole.feeds}
    assert all(len(piece) for piece in pieces)
    assert [step for piece in pieces for step in steps(piece)] == steps(whole)


# --------------------------------------------------------------------------------------- memory
def columns_of(n: int) -> dict[str, Any]:
    walk = np.linspace(1.0, 2.0, n)
    return {"timestamp": np.arange(n) * 1.0, "price": walk, "bid": walk - 0.1, "ask": walk + 0.1}


def test_what_is_in_order_already_is_not_copied() -> None:
    columns = columns_of(100)
    columns["timestamp"] = (np.arange(100) * NS).astype("datetime64[ns]")
    frame = pd.DataFrame(columns)
    markets = ["x", "y"] * 50
    for kind, data in {
        "arrays": columns,
        "pandas": frame,
        "polars": pl.DataFrame(columns),
        "markets": columns | {"market_id": markets},
    }.items():
        whole = read(data)
        for name, values in whole.numbers.items():
            given_values: Any = data[name]
            given_values = np.asarray(given_values)
            assert np.shares_memory(values, given_values), (kind, name)
        assert np.shares_memory(whole.times_ns, np.asarray(data["timestamp"])), kind


@pytest.mark.parametrize(
    ("change", "most"),
    [
        pytest.param({}, 8.1, id="seconds"),
        pytest.param({"timestamp": "datetime64[ns]"}, 0.1, id="nanoseconds"),
        pytest.param({"timestamp": "datetime64[us]"}, 8.1, id="microseconds"),
        pytest.param({"timestamp": "datetime64[ns]", "market_id": True}, 9.1, id="markets"),
    ],
)
def test_bytes_kept_for_a_row_beyond_the_data(change: dict[str, Any], most: float) -> None:
    # 8 for the time where it has to be converted; 8 for the feed and 1 for the step.
    n = 100_000
    columns = columns_of(n)
    if "timestamp" in change:
        columns["timestamp"] = columns["timestamp"].astype("datetime64[s]")
        columns["timestamp"] = columns["timestamp"].astype(change["timestamp"])
    if "market_id" in change:
        columns["market_id"] = pd.Categorical.from_codes(np.arange(n) % 10, list("abcdefghij"))
    frame = pd.DataFrame(columns)
    read(frame)  # imports done
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    data = read(frame)
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(data) == n
    assert kept <= most * n


def test_reading_changes_nothing_of_the_data() -> None:
    columns = columns_of(10) | {"market_id": list("yxyxyxyxyx")}
    copies = {name: np.array(values) for name, values in columns.items()}
    copies["timestamp"][3] = columns["timestamp"][3] = -5.0
    columns["bid"][4] = copies["bid"][4] = INF
    read(columns, bad_rows="drop")
    for name, values in columns.items():
        np.testing.assert_array_equal(values, copies[name])


# ------------------------------------------------------------------------------------- bad rows
BAD = [
    ({"timestamp": None}, "timestamp", "timestamp must be epoch seconds.*was None", None),
    ({"timestamp": "noon"}, "timestamp", "was 'noon'", "noon"),
    ({"timestamp": 1_709_553_600_000}, "timestamp", "was 17095536000", 1_709_553_600_000),
    ({"timestamp": 1.0}, "backwards", "time goes backwards: .*:01Z after .*:02Z", None),
    ({"price": INF}, "price", "price must be a number from 0 to 1e15, was inf", INF),
    ({"price": -0.01}, "price", "was -0.01", -0.01),
    ({"price": "1.5"}, "price", "was '1.5'", "1.5"),
    ({"price": True}, "price", "was True", True),
    ({"bid": INF}, "price", "bid must be", INF),
    ({"ask": -1}, "price", "ask must be", -1),
    ({"bid": 1.1, "ask": 1.0}, "crossed", "bid 1.1 is above ask 1", (1.1, 1.0)),
    ({"low": 1.1}, "bar", "low 1.1 is above price 1", (1.1, 1.0)),
    ({"high": 0.9}, "bar", "price 1 is above high 0.9", (1.0, 0.9)),
    ({"volume": -5}, "size", "volume must be a number from 0 to 1e15, was -5", -5),
    ({"bid_size": -1}, "size", "bid_size must be", -1),
]
IDS = [f"{reason}: {'/'.join(wrong)}={list(wrong.values())}" for wrong, reason, *_ in BAD]


@pytest.mark.parametrize(("wrong", "reason", "said", "value"), BAD, ids=IDS)
def test_a_bad_row_is_named_by_feed_row_and_value_or_dropped_and_counted(
    wrong: dict[str, object], reason: str, said: str, value: object
) -> None:
    good = {"timestamp": 2.0, "price": 1.0, "volume": 1.0}
    rows = [good, good, good | wrong, good | {"timestamp": 3.0}]
    frame = pd.DataFrame(rows, dtype=object)
    for data, feed in ((rows, "data"), (frame, "data"), ({"f": rows, "g": [good]}, "f")):
        with pytest.raises(DataError, match=f"^feed '{feed}', row 2: .*{said}") as refused:
            read_data(data)
        assert (refused.value.feed, refused.value.row) == (feed, 2)
        if value is not None:
            assert refused.value.value == value
        kept = read(data, bad_rows="drop")
        assert kept.dropped == {feed: {reason: 1}}
        assert len(kept) == 3 + (feed == "f")


def test_bad_rows_of_one_table_are_counted_by_market() -> None:
    rows = [
        {"ts": 1, "market_id": "x", "price": 1.0},
        {"ts": 2, "market_id": "y", "price": INF},
        {"ts": 2, "market_id": " z", "price": 1.0},
        {"ts": 2, "market_id": "x", "price": 1.0, "volume": -1},
        {"ts": 0, "market_id": "x", "price": 1.0},
        {"ts": 0, "market_id": "w", "price": 1.0},
        {"ts": None, "market_id": "x", "price": 1.0},
        {"ts": None, "market_id": None, "price": 1.0},
    ]
    with pytest.raises(DataError, match=r"^feed 'data', row 1: price must be"):
        read(rows)
    with pytest.raises(DataError, match=r"^feed 'data', row 1: market_id .*was ' z'") as refused:
        read([rows[0], *rows[2:]])
    assert refused.value.value == " z"
    with pytest.raises(DataError, match=r"^feed 'data', row 1: .*backwards in market 'x'"):
        read([rows[0], *rows[4:]])
    data = read(rows, bad_rows="drop")
    assert data.dropped == {
        "x": {"timestamp": 1, "size": 1, "backwards": 1},
        "y": {"price": 1},
        "data": {"timestamp": 1, "market_id": 1},
    }
    # Nothing is left of y, which is no feed then.
    assert steps(data) == [(0, [("w", 1.0)]), (1, [("x", 1.0)])]
    assert data.feeds == ("x", "w")


def test_a_dropped_row_does_not_set_the_time_that_others_must_follow() -> None:
    data = read(
        ticks(1, 9, 2, 1, 3) | {"price": [1.0, INF, 1.0, 1.0, 1.0]},
        bad_rows="drop",
    )
    assert (data.times_ns // NS).tolist() == [1, 2, 3]
    assert data.dropped == {"data": {"price": 1, "backwards": 1}}


@given(
    st.lists(
        st.tuples(st.sampled_from("xy"), st.integers(0, 20), st.sampled_from([1.0, NAN, INF])),
        min_size=1,
    ).filter(lambda rows: any(price != INF for _, _, price in rows))
)
def test_what_is_kept_and_dropped_agrees_with_a_plain_loop(
    rows: list[tuple[str, int, float]],
) -> None:
    latest: dict[str, int] = {}
    kept: Counter[tuple[str, int]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for market, when, price in rows:
        if price == INF:
            counts[market, "price"] += 1
        elif when < latest.get(market, 0):
            counts[market, "backwards"] += 1
        else:
            latest[market] = when
            kept[market, when] += 1
    data = read([{"market_id": m, "ts": t, "price": p} for m, t, p in rows], bad_rows="drop")
    played = Counter((feed, when) for when, found in steps(data) for feed, _ in found)
    assert played == kept
    assert {(m, why): n for m, found in data.dropped.items() for why, n in found.items()} == counts


@pytest.mark.parametrize("empty", [[], (), {}, {"a": [], "b": ()}, FRAME.iloc[:0]], ids=str)
def test_no_rows_are_refused(empty: Any) -> None:
    with pytest.raises(DataError, match=r"^data holds no rows$"):
        read(empty)


def test_nothing_but_bad_rows_are_refused_with_their_counts() -> None:
    with pytest.raises(DataError, match=r"no rows but bad ones, dropped: 1 price, 2 size$"):
        read(
            {"a": ticks(1) | {"price": [INF]}, "b": ticks(2, 1) | {"volume": [-1, INF]}},
            bad_rows="drop",
        )
    with pytest.raises(DataError, match=r"no rows but bad ones, dropped: 1 market_id, 1 price$"):
        read(ticks(1, 2, market_id=["x", None]) | {"price": [INF, 1.0]}, bad_rows="drop")


@pytest.mark.parametrize(
    ("data", "options", "error", "said"),
    [
        (3, {}, TypeError, "data must be a list of dicts"),
        (None, {}, TypeError, "was None"),
        ((row for row in ()), {}, TypeError, "data must be a callable that returns a fresh iter"),
        (iter([FRAME]), {}, TypeError, "a second run finds an iterator used up; was <list_it"),
        ([1], {}, DataError, "row 0: must be a dict, was 1"),
        ("no.csv", {}, FileNotFoundError, "data: there is no file 'no.csv'"),
        (__file__, {}, ValueError, "data must be a .csv"),
        ({"price": [1.0]}, {}, DataError, "no column 'timestamp'; it has 'price'"),
        ({"ts": [1]}, {}, DataError, "no column 'price'"),
        ({"a": {"ts": [1]}, "b": ticks(1)}, {}, DataError, "feed 'a' has no column 'price'"),
        ({"ts": [1], "date": [1], "price": [1]}, {}, DataError, "several columns .*'ts', 'date'"),
        (ticks(1, 2) | {"price": [1.0]}, {}, DataError, "must have one length"),
        (ticks(1) | {"price": np.ones((1, 1))}, {}, DataError, "one dimension, has 2"),
        (ticks(1), {"columns": {"price": "mid"}}, DataError, "no column 'mid'"),
        (ticks(1), {"columns": {"prise": "mid"}}, ValueError, "Did you mean 'price'"),
        (ticks(1), {"bad_rows": "skip"}, ValueError, "bad_rows must be one of"),
        (ticks(1), {"timezone": "Mars/Olympus"}, ValueError, "timezone must be the name"),
        ({7: ticks(1)}, {}, TypeError, "a feed's name must be text"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) and value != __file__ else None,
)
def test_wrong_arguments_are_refused(
    data: object, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        read_data(data, **options)


# --------------------------------------------------------------------------------------- chunks
def chunked(*chunks: object) -> Callable[[], Iterator[object]]:
    return lambda: iter(chunks)


def played(data: Any, **options: Any) -> DataChunks:
    chunks = read_data(data, **options)
    assert isinstance(chunks, DataChunks)
    return chunks


def test_chunks_may_be_of_any_form(tmp_path: Path) -> None:
    ticks_of = {
        "dicts": [{"ts": 1, "price": 1.0}],
        "arrays": ticks(2),
        "pandas": pd.DataFrame(ticks(3, 3)),
        "polars": pl.DataFrame(ticks(4)),
        "arrow": pa.table(ticks(5)),
    }
    pd.DataFrame(ticks(6)).to_csv(tmp_path / "a.csv", index=False)
    data = played(chunked(*ticks_of.values(), tmp_path / "a.csv"))
    assert data.feeds == ("data",)
    pieces = [data.first, *data]
    assert [(piece.times_ns // NS).tolist() for piece in pieces] == [
        [1],
        [2],
        [3, 3],
        [4],
        [5],
        [6],
    ]
    assert list(data) == []  # once


def test_a_callable_may_return_a_list_of_tables() -> None:
    data = played(lambda: [ticks(1), ticks(2)])
    assert [len(data.first), *map(len, data)] == [1, 1]


def test_each_run_calls_for_its_own_iterator() -> None:
    calls = []

    def make() -> Iterator[object]:
        calls.append(1)
        yield ticks(1)
        yield ticks(2)

    for _ in range(2):
        data = played(make)
        assert [len(data.first), *map(len, data)] == [1, 1]
    assert len(calls) == 2


def test_a_chunk_is_not_read_before_the_one_in_front_was_played() -> None:
    taken = []

    def make() -> Iterator[object]:
        for number in range(3):
            taken.append(number)
            yield ticks(number)

    data = played(make)
    assert taken == [0]
    next(iter(data))
    assert taken == [0, 1]


def test_the_last_time_of_a_chunk_waits_for_the_next_where_there_are_several_feeds() -> None:
    data = played(
        chunked(
            {"a": ticks(1, 2), "b": ticks(1)},
            {"a": ticks(2, 3) | {"price": [3.0, 4.0]}, "b": ticks(2, 2)},
        )
    )
    assert [steps(piece) for piece in (data.first, *data)] == [
        [(1, [("a", 1.0), ("b", 1.0)])],
        # The row of a at 2 is of the first chunk; the second one has another, and two of b.
        [(2, [("a", 1.0), ("b", 1.0)]), (2, [("a", 3.0), ("b", 1.0)])],
        [(3, [("a", 4.0)])],
    ]


def test_chunks_without_rows_or_with_fewer_feeds_and_columns_are_fine() -> None:
    data = played(
        chunked(
            {"a": ticks(1, 2), "b": ticks(1, bid=[0.5])},
            [],
            {"b": ticks(3, ask=[2.0])},
            {"a": [], "b": []},
            {"b": [], "a": ticks(4)},
        )
    )
    pieces = [data.first, *data]
    assert {piece.feeds for piece in pieces} == {("a", "b")}
    assert [step for piece in pieces for step in steps(piece)] == [
        (1, [("a", 1.0), ("b", 1.0)]),
        (2, [("a", 1.0)]),
        (3, [("b", 1.0)]),
        (4, [("a", 1.0)]),
    ]


def test_bars_are_bars_in_every_chunk() -> None:
    bars = {name: values * 2 for name, values in BAR.items()}
    data = played(
        chunked(
            {"bars": {"ts": [1, 2]} | bars, "ticks": ticks(1)},
            {"ticks": ticks(2)},
            {"bars": {"ts": [3, 4]} | bars},
            {"bars": ticks(5, 6), "ticks": ticks(6)},
        )
    )
    assert [piece.is_bars for piece in (data.first, *data)] == [(True, False)] * 4


def test_bad_rows_of_a_chunk_are_named_by_chunk_or_dropped_and_counted() -> None:
    chunks = chunked(ticks(1, 5), ticks(6, 7) | {"price": [1.0, INF]}, ticks(5, 8))
    data = played(chunks)
    with pytest.raises(DataError, match=r"^chunk 1: feed 'data', row 1: price must be") as refused:
        list(data)
    assert (refused.value.feed, refused.value.row, refused.value.value) == ("data", 1, INF)
    data = played(chunks, bad_rows="drop")
    assert data.dropped == {}
    pieces = [data.first, *data]
    assert [(piece.times_ns // NS).tolist() for piece in pieces] == [[1, 5], [6], [8]]
    assert all(piece.dropped == {} for piece in pieces)
    assert data.dropped == {"data": {"price": 1, "backwards": 1}}


@given(
    st.lists(st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 9)), max_size=8), max_size=4)
)
def test_what_is_dropped_of_chunks_agrees_with_a_plain_loop(
    chunks: list[list[tuple[str, int]]],
) -> None:
    chunks = [[("x", 0), ("y", 0)], *chunks]
    floor, kept, dropped = 0, [], 0
    latest = {"x": 0, "y": 0}
    for chunk in chunks:
        for market, when in chunk:
            if when < max(floor, latest[market]):
                dropped += 1
            else:
                latest[market] = when
                kept.append((when, market))
        floor = max(latest.values())
    tables = [
        [{"ts": when, "market_id": market, "price": 1.0} for market, when in chunk]
        for chunk in chunks
    ]
    data = played(lambda: iter(tables), bad_rows="drop")
    found = [step for piece in (data.first, *data) for step in steps(piece)]
    rows = [(when, feed) for when, step in found for feed, _ in step]
    assert Counter(rows) == Counter(kept)
    assert [when for when, _ in rows] == sorted(when for when, _ in kept)
    assert sum(n for counts in data.dropped.values() for n in counts.values()) == dropped


def test_time_that_goes_back_across_chunks_is_refused_whatever_the_feed() -> None:
    said = r"^chunk 1: feed '{}', row 0: time goes backwards: .*:04Z after .*:05Z"
    with pytest.raises(DataError, match=said.format("data")):
        list(played(chunked(ticks(1, 5), ticks(4, 6))))
    with pytest.raises(DataError, match=said.format("b")):
        list(played(chunked({"a": ticks(1, 5), "b": ticks(1)}, {"b": ticks(4)})))


def test_a_new_feed_in_a_later_chunk_is_refused() -> None:
    first = ticks(1, 1, market_id=["x", "y"])
    for chunk, feed in ((ticks(2, market_id=["z"]), "z"), (ticks(2), "data")):
        with pytest.raises(
            DataError, match=f"^chunk 1: feed '{feed}' is new: .* first chunk, which has 'x', 'y'"
        ) as refused:
            list(played(chunked(first, chunk)))
        assert refused.value.feed == feed


def test_an_iterator_that_was_used_before_is_refused() -> None:
    generator = (ticks(when) for when in (1, 2))
    data = played(lambda: generator)
    assert [len(data.first), *map(len, data)] == [1, 1]
    with pytest.raises(ValueError, match="returned a generator that was already begun"):
        read_data(lambda: generator)
    listed = iter([ticks(1)])
    assert len(played(lambda: listed).first) == 1
    with pytest.raises(DataError, match="gave no rows; it must return a fresh iterator of chunks"):
        read_data(lambda: listed)


@pytest.mark.parametrize(
    "chunks",
    [ticks(1), FRAME, FRAME.to_dict("records"), "a.csv", None, 5],
    ids=["dict", "frame", "rows", "path", "none", "number"],
)
def test_a_callable_that_returns_no_chunks_is_refused(chunks: object) -> None:
    with pytest.raises(TypeError, match=r"data\(\) must return an iterator of chunks"):
        read_data(lambda: chunks)


def test_a_chunk_that_is_no_table_is_refused_with_its_number() -> None:
    with pytest.raises(TypeError, match=r"^chunk 1: data must be a list of dicts.*was 5"):
        list(played(chunked(ticks(1), 5)))
    with pytest.raises(DataError, match="gave no rows"):
        read_data(chunked([], []))


# ---------------------------------------------------------------------------------------- books
def book(at: float, bids: Any = (), asks: Any = ()) -> dict[str, Any]:
    return {"timestamp": at, "bids": list(bids), "asks": list(asks)}


def test_each_snapshot_is_a_row_with_its_best_quotes_and_their_mid() -> None:
    books = read_books([book(1, [(10, 3), (9, 1)], [(11, 4)]), book(2, [], [(12, 5)]), book(2)])
    data = data_of_books({"m": books})
    assert (data.feeds, data.codes, data.starts, data.is_bars) == (("m",), None, None, (False,))
    assert (data.times_ns // NS).tolist() == [1, 2, 2]
    assert data.snapshots is not None
    assert data.snapshots.tolist() == [0, 1, 2]
    for name, wanted in {
        "price": [10.5, NAN, NAN],
        "bid": [10.0, NAN, NAN],
        "ask": [11.0, 12.0, NAN],
        "bid_size": [3.0, NAN, NAN],
        "ask_size": [4.0, 5.0, NAN],
    }.items():
        np.testing.assert_array_equal(data.numbers[name], wanted, err_msg=name)


def test_books_of_several_markets_are_played_in_steps() -> None:
    at = {"b": [1, 3, 3], "a": [2, 3]}
    books = {
        market: read_books([book(when, [(i + 1, 1)], [(i + 1, 1)]) for i, when in enumerate(times)])
        for market, times in at.items()
    }
    data = data_of_books(books)
    assert steps(data) == [
        (1, [("b", 1.0)]),
        (2, [("a", 1.0)]),
        (3, [("b", 2.0), ("a", 2.0)]),
        (3, [("b", 3.0)]),
    ]
    assert data.snapshots is not None
    assert data.snapshots.tolist() == [0, 0, 1, 1, 2]


def test_no_books_make_no_data() -> None:
    for empty in ({}, {"m": read_books([])}):
        with pytest.raises(DataError, match="book_data holds no books"):
            data_of_books(empty)


def test_times_with_a_zone_are_the_same_moment() -> None:
    rows = [{"ts": datetime(2024, 3, 4, 12, tzinfo=UTC), "price": 1}]
    assert read(rows, timezone="Asia/Tokyo").times_ns.tolist() == [NOON]
