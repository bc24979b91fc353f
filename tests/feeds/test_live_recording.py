"""Recordings: what was said comes back as it was, whole or not at all."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

import horizon as hz
from horizon.errors import DataError, FeedError
from horizon.feeds import BinanceWS, LiveFeed, Recording, RecordWriter, Replay, Update
from horizon.feeds.updates import NAN, lost
from horizon.instruments import Market
from horizon.types import AssetClass

START = 1_700_000_000_000_000_001  # not a whole microsecond, which a float of seconds would lose


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


# ------------------------------------------------------------------------------- writing
def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"
    writer = RecordWriter(path, {"kind": "test"})
    writer.add(START, "a", 0.5, 0.49, 0.51, 10.0, 20.0, volume=3.0, exchange_ns=START - 7)
    writer.add(START + 1, "b", 5.0, open=4.0, high=6.0, low=3.0)
    writer.add(START + 2, "a", is_stale=True)
    assert not path.exists()
    assert writer.close() == path
    assert len(writer) == 3
    frame = pd.read_parquet(path)
    assert list(frame.columns) == [
        "timestamp",
        "market_id",
        "price",
        "bid",
        "ask",
        "bid_size",
        "ask_size",
        "open",
        "high",
        "low",
        "volume",
        "is_stale",
        "exchange_time",
        "bids",
        "asks",
    ]
    assert str(frame["timestamp"].dtype) == "datetime64[ns, UTC]"
    assert frame["timestamp"].astype("int64").tolist() == [START, START + 1, START + 2]
    assert frame["exchange_time"].astype("int64")[0] == START - 7
    assert frame["exchange_time"].isna().tolist() == [False, True, True]
    assert frame["is_stale"].tolist() == [False, False, True]
    assert frame.loc[1, ["open", "high", "low", "price"]].tolist() == [4.0, 6.0, 3.0, 5.0]
    assert frame["bids"].isna().all()

    recording = Recording(path)
    assert (recording.market_ids, recording.n_rows) == (("a", "b"), 3)
    assert recording.facts == {"version": 1, "kind": "test"}
    assert recording.data["timestamp"].astype("int64").tolist() == [START, START + 1, START + 2]
    assert recording.data["market_id"].tolist() == ["a", "b", "a"]
    assert recording["volume"].tolist()[0] == 3.0
    assert recording.books == {}
    assert repr(recording) == "<Recording 'ticks.parquet', 3 rows of 'a', 'b'>"


def test_columns_in_which_nothing_stands_are_left_out_of_the_data(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet")
    writer.add(START, "a", 0.5)
    data = Recording(writer.close()).data
    assert list(data) == ["timestamp", "market_id", "price"]


@pytest.mark.no_cover
@settings(max_examples=40)
@given(data=st.data(), group=st.integers(1, 5))
def test_any_rows_and_books_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, group: int
) -> None:
    number = st.floats(0.0, 1e15) | st.just(NAN)
    side = st.lists(st.tuples(st.floats(0.01, 9.0), st.floats(0.1, 9.0)), max_size=4)
    books = st.none() | st.tuples(side, side)
    rows = data.draw(
        st.lists(st.tuples(st.sampled_from(["x", "Ω:no", "7"]), number, number, books), max_size=12)
    )
    writer = RecordWriter(tmp_path_factory.mktemp("r") / "any.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("horizon.feeds.recording._GROUP", group)
        for i, (market, price, bid, book) in enumerate(rows):
            levels = None
            if book is not None:
                bids, asks = ([p for p, _ in s] for s in book)
                levels = ((bids, [z for _, z in book[0]]), (asks, [z for _, z in book[1]]))
            writer.add(START + i, market, price, bid, levels=levels)
        recording = Recording(writer.close())
    assert recording.n_rows == len(rows)
    assert recording.data["market_id"].tolist() == [row[0] for row in rows]
    assert all(map(same, recording.data["price"].tolist(), [row[1] for row in rows]))
    # The books against a plain model: by market, every row that has one.
    model: dict[str, list[tuple[int, Any]]] = {}
    for i, (market, _, _, book) in enumerate(rows):
        if book is not None:
            model.setdefault(market, []).append((START + i, book))
    assert set(recording.books) == set(model)
    for market, expected in model.items():
        frame = recording.books[market]
        assert frame["timestamp"].astype("int64").tolist() == [time for time, _ in expected]
        for row, (_, book) in zip(frame.to_dict("records"), expected, strict=True):
            for label, levels_of in zip(("bid", "ask"), book, strict=True):
                width = sum(name.startswith(f"{label}_px") for name in frame.columns)
                got = [
                    (row[f"{label}_px_{k}"], row[f"{label}_sz_{k}"]) for k in range(1, width + 1)
                ]
                assert got[: len(levels_of)] == levels_of
                assert all(math.isnan(p) and math.isnan(z) for p, z in got[len(levels_of) :])


def test_rows_are_written_a_group_at_once(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet")
    for i in range(20_000):
        writer.add(START + i, "a", 0.5)
    assert len(writer._rows) == 20_000 - 2 * 8_192  # what is in memory, however long it goes on
    file = pq.ParquetFile(writer.close())
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sizes == [8_192, 8_192, 3_616]


def test_lost_market_has_an_empty_book_from_then_on(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet")
    levels = (([0.4], [1.0]), ([0.6], [2.0]))
    writer.add_update(START, lost("a", START))  # no book was ever said
    writer.add_update(START + 1, Update("a", START, START - 9, price=0.5, levels=levels))
    writer.add_update(START + 2, lost("a", START))
    recording = Recording(writer.close())
    assert recording.data["is_stale"].tolist() == [True, False, True]
    made = pd.read_parquet(recording.path)["exchange_time"]
    assert made.isna().tolist() == [True, False, True]
    assert made.astype("int64")[1] == START - 9
    frame = recording.books["a"]
    assert frame["timestamp"].astype("int64").tolist() == [START + 1, START + 2]
    assert frame["bid_px_1"].tolist()[0] == 0.4
    assert frame.iloc[1, 1:].isna().all()


def test_earlier_recording_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for price in (1.0, 2.0):
        writer = RecordWriter(path)
        writer.add(START, "a", price)
        if price == 2.0:
            assert Recording(path)["price"].tolist() == [1.0]
        writer.close()
        writer.close()  # again at no risk
    assert Recording(path)["price"].tolist() == [2.0]
    given_up = RecordWriter(path)
    given_up.add(START, "a", 3.0)
    given_up.discard()
    given_up.discard()
    assert Recording(path)["price"].tolist() == [2.0]
    assert [item.name for item in tmp_path.iterdir()] == ["t.parquet"]


def test_facts_of_the_end_replace_those_of_the_start(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet", {"is": "going on"})
    writer.add(START, "a", 1.0)
    assert Recording(writer.close({"is": "over"})).facts == {"version": 1, "is": "over"}


def test_facts_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        RecordWriter(tmp_path / "t.parquet", {"x": math.inf})
    with pytest.raises(ValueError, match="path must lie in a folder that exists"):
        RecordWriter(tmp_path / "no" / "t.parquet")


# ------------------------------------------------------------------------------- reading
def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        Recording(tmp_path / "nothing.parquet")
    with pytest.raises(TypeError, match="path must be a path, was 3"):
        Recording(3)  # type: ignore[arg-type]
    text = tmp_path / "text.parquet"
    text.write_text("timestamp,price")
    with pytest.raises(DataError, match="no finished recording"):
        Recording(text)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"timestamp": [1.0], "price": [2.0]}), other)
    with pytest.raises(DataError, match="a Parquet file and no recording: it has no facts"):
        Recording(other)
    newer = tmp_path / "newer.parquet"
    writer = RecordWriter(newer)
    table = pq.read_table(writer.close())
    meta = {b"horizon": json.dumps({"version": 2}).encode()}
    pq.write_table(table.replace_schema_metadata(meta), newer)
    with pytest.raises(DataError, match="a recording of version 2, and 1 can be read"):
        Recording(newer)
    short = tmp_path / "short.parquet"
    meta = {b"horizon": json.dumps({"version": 1}).encode()}
    pq.write_table(table.drop(["is_stale"]).replace_schema_metadata(meta), short)
    with pytest.raises(DataError, match=r"no recording: no \{'is_stale'\}"):
        Recording(short)


def test_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet")
    for i in range(50):
        writer.add(START + i, "a", 0.5)
    whole = writer.close().read_bytes()
    cut = tmp_path / "cut.parquet"
    for length in range(0, len(whole), 97):
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError, match="no finished recording"):
            Recording(cut)


@pytest.fixture
def recorded(tmp_path: Path) -> Recording:
    arguments = {
        "interval": None,
        "feeds": {"market": "key"},
        "markets": [
            {"id": "market", "asset_class": "Prediction", "tick_size": 0.01, "strike": None}
        ],
    }
    writer = RecordWriter(tmp_path / "t.parquet", {"arguments": arguments})
    for i in range(4):
        bid = 0.40 + i / 100
        levels = (([bid], [10.0]), ([bid + 0.02], [10.0]))
        writer.add(START + i * 10**9, "key", bid + 0.01, bid, bid + 0.02, 10.0, 10.0, levels=levels)
    return Recording(writer.close())


def test_arguments_are_those_of_a_backtest(recorded: Recording) -> None:
    arguments = recorded.arguments()
    assert list(arguments["book_data"]) == ["market"]
    assert arguments["markets"] == [Market("market", AssetClass.Prediction, tick_size=0.01)]
    assert arguments["interval"] is None
    assert arguments["feeds"] == {"market": "key"}
    times = []
    hz.backtest(**arguments, pipeline=[lambda ctx: times.append(ctx.timestamp)])
    assert times == [(START + i * 10**9) / 10**9 for i in range(4)]


def test_class_that_the_feed_knows_is_the_markets(tmp_path: Path) -> None:
    # Below one, and an id that says nothing: by itself this would be a prediction.
    updates = [Update("a", START + i, price=0.2) for i in range(3)]
    recording = Recording(Played(updates).record(tmp_path / "t.parquet", n=3))
    arguments = recording.arguments()
    assert arguments["markets"] == [Market("a", AssetClass.Crypto)]
    result = hz.backtest(**arguments, pipeline=[lambda ctx: None])
    assert [market.asset_class for market in result.markets] == [AssetClass.Crypto]


def test_losses_are_no_rows_of_a_replay_and_are_told(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "t.parquet")
    writer.add(START, "a", 0.5)
    writer.add(START + 1, "b", is_stale=True)
    writer.add(START + 2, "a", bid=0.4)  # one side: no price, and no loss
    writer.add(START + 3, "a", is_stale=True)
    writer.add(START + 4, "b", 0.6)
    recording = Recording(writer.close())
    table = dict(recording.data)
    other = {
        "timestamp": np.array([START + 2, START + 5]).astype("datetime64[ns]"),
        "market_id": ["c", "c"],
        "price": [math.nan, 0.7],
        "is_stale": [True, False],
    }
    for form in (recording, recording.path):
        feed = Replay(form)
        assert feed.losses == (("b", START + 1), ("a", START + 3))
        assert dict(feed.dropped) == {"one_sided": 1}
        assert [row.price for row in feed] == [0.5, 0.6]
    both = Replay({"one": table, "two": other})
    assert both.losses == (("b", START + 1), ("c", START + 2), ("a", START + 3))
    assert [row.price for row in both] == [0.5, 0.6, 0.7]
    assert Replay([{"timestamp": 1.0, "price": 2.0}]).losses == ()


def test_recording_is_data_wherever_data_is_taken(recorded: Recording) -> None:
    prices = [0.41, 0.42, 0.43, 0.44]
    for form in (recorded, recorded.path):
        rows = list(Replay(form))
        assert [row.price for row in rows] == pytest.approx(prices)
        assert [row.timestamp_ns for row in rows] == [START + i * 10**9 for i in range(4)]
        assert {row.market_id for row in rows} == {"key"}
    assert set(recorded) == set(recorded.data)
    assert len(recorded) == len(recorded.data)
    np.testing.assert_array_equal(recorded["price"], recorded.data["price"])


# ----------------------------------------------------------------------- record of a feed
class Played(LiveFeed):
    """Hands on updates that it was given, then does something."""

    def __init__(self, updates: list[Update], then: Callable[[], Any] | None = None) -> None:
        super().__init__("played", ["a"], asset_class=AssetClass.Crypto)
        self._given, self._then = updates, then

    async def _listen(self) -> None:
        self._set_state("up")
        for update in self._given:
            self._hand_on([update])
            await asyncio.sleep(0)
        if self._then is not None:
            self._then()
        await asyncio.Event().wait()


def ticks(count: int) -> list[Update]:
    return [Update("a", START + i, price=float(i)) for i in range(count)]


def test_record_ends_after_so_many_updates(tmp_path: Path) -> None:
    path = Played(ticks(50)).record(tmp_path / "t.parquet", n=7)
    recording = Recording(path)
    assert recording["price"].tolist() == list(map(float, range(7)))
    assert recording.facts["feed"] == "played"
    assert recording.facts["asset_class"] == "Crypto"


def test_record_ends_after_its_duration(tmp_path: Path) -> None:
    feed = Played(ticks(5))
    assert Recording(feed.record(tmp_path / "t.parquet", duration=0.1)).n_rows == 5
    assert feed.status().state == "stopped"


def test_rows_of_one_time_get_times_of_their_own(tmp_path: Path) -> None:
    updates = [Update("a", START, price=1.0), Update("a", START - 5, price=2.0)]
    recording = Recording(Played(updates).record(tmp_path / "t.parquet", n=2))
    assert recording["timestamp"].astype("int64").tolist() == [START, START + 1]


def test_record_works_where_a_loop_is_running(tmp_path: Path) -> None:
    async def cell() -> Path:  # as in a notebook
        return Played(ticks(3)).record(tmp_path / "t.parquet", n=3)

    assert Recording(asyncio.run(cell())).n_rows == 3


def test_interrupt_keeps_what_is_there(tmp_path: Path) -> None:
    import _thread

    assert threading.current_thread() is threading.main_thread()
    feed = Played(ticks(5), then=_thread.interrupt_main)
    assert Recording(feed.record(tmp_path / "t.parquet")).n_rows == 5


def test_failure_is_passed_on_and_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"

    def fail() -> None:
        raise FeedError("refused", feed="played")

    with pytest.raises(FeedError, match="refused"):
        Played(ticks(3), then=fail).record(path)
    assert Recording(path).n_rows == 3
    with pytest.raises(FeedError, match="refused"):
        Played([], then=fail).record(path)  # nothing came: what stands there stays
    assert Recording(path).n_rows == 3
    assert [item.name for item in tmp_path.iterdir()] == ["t.parquet"]


def test_feed_that_was_never_up_is_no_recording(tmp_path: Path) -> None:
    feed = BinanceWS("BTCUSDT", url="ws://127.0.0.1:9")  # nobody is there
    with pytest.raises(FeedError, match=r"feed 'binance' at ws://.* was never up: no connection: "):
        feed.record(tmp_path / "t.parquet", duration=0.15)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [({"n": 0}, "n must be 1 or more"), ({"duration": 0}, "duration must be above 0")],
    ids=["n", "duration"],
)
def test_record_refuses_wrong_limits(tmp_path: Path, options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Played([]).record(tmp_path / "t.parquet", **options)
    assert list(tmp_path.iterdir()) == []
