"""Rows of a whole span, handed out stretch by stretch."""

import gc
import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import horizon as hz
from horizon.analytics.sampling import Sampling
from horizon.backtesting.playing import MarketData
from horizon.errors import DataError
from horizon.walkforward.source import MemorySource
from horizon.walkforward.streams import ParquetChunks, StreamSource
from horizon.walkforward.whole import Whole, sampling_of, whole_of
from tests.walkforward.worked import NS, ticks_of


def frame(n: int = 100, *, step: float = 1.0, start: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame(ticks_of(np.arange(n) + 100.0, start=start, step=step))


def chunks_of(table: pd.DataFrame, size: int) -> Any:
    return lambda: (table.iloc[i : i + size] for i in range(0, len(table), size))


def rows_of(whole: Whole, start: float, end: float) -> list[tuple[int, float]]:
    """(seconds, price) of a stretch, whatever the source."""
    pieces = whole.source.pieces(round(start * NS), round(end * NS))
    return [
        (int(at) // NS, float(price))
        for piece in pieces
        for at, price in zip(piece.times_ns, piece.numbers["price"], strict=True)
    ]


def forms(tmp_path: Path, table: pd.DataFrame, size: int) -> dict[str, Any]:
    """The same rows in memory, as a file of small row groups, and as a callable."""
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=size, index=False)
    return {"memory": table, "parquet": path, "callable": chunks_of(table, size)}


@pytest.mark.parametrize("form", ["memory", "parquet", "callable"])
def test_a_stretch_has_its_start_and_not_its_end(tmp_path: Path, form: str) -> None:
    whole = whole_of(forms(tmp_path, frame(), 7)[form], {})
    assert (whole.first_ns, whole.last_ns) == (0, 99 * NS)
    assert rows_of(whole, 10, 13) == [(10, 110.0), (11, 111.0), (12, 112.0)]
    assert rows_of(whole, 97, 1000) == [(97, 197.0), (98, 198.0), (99, 199.0)]
    assert rows_of(whole, 10.5, 10.9) == []
    found = whole.stretches([0, 10 * NS, 10 * NS + 1, 99 * NS])
    # 0..9, 10 alone, 11..98, 99 alone.
    assert [(one.rows, one.last_ns) for one in found] == [
        (10, 9 * NS),
        (1, 10 * NS),
        (88, 98 * NS),
        (1, 99 * NS),
    ]


def test_in_memory_a_stretch_is_a_view() -> None:
    whole = whole_of(frame(), {})
    part, books = whole.source.part(10 * NS, 20 * NS)
    assert isinstance(part, MarketData)
    assert isinstance(whole.source, MemorySource)
    assert whole.source.data is not None
    assert books is None
    assert np.shares_memory(part.numbers["price"], whole.source.data.numbers["price"])
    assert whole.source.part(0, 100 * NS)[0] is whole.source.data


@pytest.mark.parametrize("form", ["memory", "parquet", "callable"])
@pytest.mark.parametrize(
    "n, step", [(200, 1.0), (29, 86_400.0), (100, 86_400.0), (400, 21_600.0)],
    ids=["seconds", "29-days", "100-days", "6-hours"],
)  # fmt: skip
def test_sampling_is_that_of_a_backtest_over_all_of_it(
    tmp_path: Path, form: str, n: int, step: float
) -> None:
    table = frame(n, step=step, start=1_700_000_000.0)
    ran = hz.backtest(data=table, pipeline=[lambda ctx: None])
    assert whole_of(forms(tmp_path, table, 13)[form], {}).sampling == ran.sampling
    (fixed,) = [whole_of(table, {"periods_per_year": 99.0}).sampling]
    assert fixed == Sampling(ran.sampling.kind, 99.0)


@pytest.mark.parametrize("seed", range(20))
def test_days_are_counted_in_pieces_as_in_one(seed: int, tmp_path: Path) -> None:
    generator = np.random.default_rng(seed)
    times = np.sort(generator.integers(0, 60 * 86_400, size=80)).astype(float)
    table = pd.DataFrame({"timestamp": times, "price": 1.0 + np.arange(80)})
    table["market_id"] = np.where(generator.random(80) < 0.5, "A", "B")
    one = whole_of(table, {}).survey
    size = int(generator.integers(1, 30))
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=size)
    other = whole_of(path, {}).survey
    assert (one.rows, one.steps, one.days) == (other.rows, other.steps, other.days)
    assert (one.first_ns, one.last_ns, one.feeds) == (other.first_ns, other.last_ns, other.feeds)
    assert sampling_of(one) == sampling_of(other)


def test_a_parquet_file_reads_the_row_groups_that_it_must(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    frame(1000).to_parquet(path, row_group_size=100)
    chunks = ParquetChunks(path, {}, None)

    def seconds(span: tuple[float, float] | None) -> tuple[float, float]:
        read = pd.concat(list(chunks(span)))
        return float(read["timestamp"].iloc[0]), float(read["timestamp"].iloc[-1])

    assert seconds(None) == (0.0, 999.0)
    assert seconds((250.0, 310.0)) == (200.0, 399.0)
    assert seconds((0.0, 5.0)) == (0.0, 99.0)


@pytest.mark.parametrize(
    "kind",
    ["float", "int", "naive", "aware", "index", "named", "text"],
)
def test_a_parquet_file_is_read_whatever_its_times_are(tmp_path: Path, kind: str) -> None:
    table = frame(500, start=1_700_000_000.0)
    moments = pd.to_datetime(table["timestamp"], unit="s")
    arguments: dict[str, Any] = {}
    if kind == "int":
        table["timestamp"] = table["timestamp"].astype(np.int64)
    elif kind == "naive":
        table["timestamp"] = moments
    elif kind == "aware":
        table["timestamp"] = moments.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
        arguments = {"timezone": "Asia/Tokyo"}  # for times without a zone, of which there are none
    elif kind == "index":
        table = table.set_index(moments.rename("when")).drop(columns="timestamp")
    elif kind == "named":
        table = table.rename(columns={"timestamp": "at", "price": "last"})
        arguments = {"columns": {"timestamp": "at", "price": "last"}}
    elif kind == "text":
        table["timestamp"] = moments.astype(str)
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=50)
    start = 1_700_000_000
    for whole in (whole_of(path, arguments), whole_of(table, arguments)):
        assert whole.first_ns == start * NS
        got = rows_of(whole, start + 120, start + 123)
        assert got == [(start + 120 + i, 220.0 + i) for i in range(3)]


def test_a_zone_holds_for_a_files_naive_times(tmp_path: Path) -> None:
    table = frame(500, start=1_700_000_000.0)
    table["timestamp"] = pd.to_datetime(table["timestamp"], unit="s")
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=50)
    whole = whole_of(path, {"timezone": "America/New_York"})
    # 14 November 2023: five hours behind UTC.
    start = 1_700_000_000 + 5 * 3600
    assert whole.first_ns == start * NS
    assert rows_of(whole, start + 120, start + 121) == [(start + 120, 220.0)]


def test_a_market_may_begin_late_in_a_file(tmp_path: Path) -> None:
    table = pd.concat(
        [frame(100).assign(market_id="AAA"), frame(20, start=100.0).assign(market_id="BBB")]
    )
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=10)
    whole = whole_of(path, {})
    assert whole.survey.feeds == ("AAA", "BBB")
    assert whole.feeds == {"AAA": "AAA", "BBB": "BBB"}
    data, _ = whole.source.part(0, 50 * NS)
    assert callable(data)
    assert {piece.feeds for piece in data()} == {("AAA", "BBB")}


def test_columns_that_are_no_data_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    frame(10).assign(note="x" * 100).to_parquet(path)
    (read,) = ParquetChunks(path, {}, None)()
    assert isinstance(read, pd.DataFrame)
    assert list(read.columns) == ["timestamp", "price"]


def test_a_file_out_of_order_says_what_can_be_done(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    # One market after the other, in row groups of their own batches.
    parts = [frame(70_000, step=0.001).assign(market_id=name) for name in "AB"]
    pd.concat(parts).to_parquet(path)
    with pytest.raises(DataError, match=r"time goes backwards.*data=pd\.read_parquet\(path\)"):
        whole_of(path, {})


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"data: there is no file .*nothing\.parquet"):
        whole_of(tmp_path / "nothing.parquet", {})


def test_a_callable_with_a_span_is_asked_for_what_is_needed() -> None:
    table, asked = frame(100), []

    def data(span: tuple[float, float]) -> Iterator[pd.DataFrame]:
        asked.append(span)
        own = table[(table["timestamp"] >= span[0]) & (table["timestamp"] < span[1])]
        return iter([own])

    whole = whole_of(data, {}, span=(10, 50))
    assert rows_of(whole, 20, 22) == [(20, 120.0), (21, 121.0)]
    assert asked[-1] == (20.0, 22.0)
    assert asked[0] == (10.0, 50.000000001)  # one nanosecond, so that the row at 50 is in it
    assert (whole.first_ns, whole.last_ns) == (10 * NS, 50 * NS)


def test_what_lies_behind_the_end_is_not_read() -> None:
    given: list[int] = []

    def data() -> Iterator[pd.DataFrame]:
        for i in range(0, 100, 10):
            given.append(i)
            yield frame(100).iloc[i : i + 10]

    whole = whole_of(data, {})
    given.clear()
    assert len(rows_of(whole, 5, 20)) == 15
    assert given == [0, 10, 20]  # the one that begins with 20 s says that it is enough


@pytest.mark.parametrize("start", [1_700_000_000.0, 1_700_000_000.1, 1_700_000_000.123456])
def test_a_span_in_float_seconds_leaves_out_no_row(start: float) -> None:
    table = frame(100, start=start, step=0.1)

    def data(span: tuple[float, float]) -> Iterator[pd.DataFrame]:
        own = table[(table["timestamp"] >= span[0]) & (table["timestamp"] < span[1])]
        return iter([own])

    whole = whole_of(data, {}, span=(start, float(table["timestamp"].iloc[-1])))
    assert whole.survey.rows == 100
    edges = whole_of(table, {}).source.spans(whole.first_ns, whole.last_ns + 1, [])
    assert [one.rows for one in whole.stretches([])] == [one.rows for one in edges] == [100]
    for at in map(int, np.unique(next(iter(whole.source.pieces(0, 2**62))).times_ns)):
        assert [len(piece) for piece in whole.source.pieces(at, at + 1)] == [1]


def test_a_callable_may_give_more_than_its_span() -> None:
    def data(span: tuple[float, float]) -> Iterator[pd.DataFrame]:
        return iter([frame(100)])

    whole = whole_of(data, {}, span=(0, 99))
    assert rows_of(whole, 20, 22) == [(20, 120.0), (21, 121.0)]
    with pytest.raises(ValueError, match=r"say what there is, span=\(start, end\)"):
        whole_of(data, {})


@pytest.mark.parametrize("form", ["memory", "parquet", "callable"])
def test_a_span_leaves_out_what_lies_beyond(tmp_path: Path, form: str) -> None:
    whole = whole_of(forms(tmp_path, frame(), 7)[form], {}, span=(10.5, "1970-01-01T00:00:20Z"))
    assert (whole.first_ns, whole.last_ns) == (10_500_000_000, 20 * NS)
    assert (whole.survey.first_ns, whole.survey.last_ns) == (11 * NS, 20 * NS)
    assert whole.survey.rows == 10
    assert rows_of(whole, 0, 100)[0] == (11, 111.0)


@pytest.mark.parametrize("form", ["memory", "parquet", "callable"])
def test_a_span_without_rows_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(
        DataError, match=r"span holds no rows: none lies from 1970-01-01T00:03:20Z to .*05:00Z"
    ):
        whole_of(forms(tmp_path, frame(), 7)[form], {}, span=(200, 300))


@pytest.mark.parametrize(
    "span, error, text",
    [
        (5, TypeError, r"span must be a pair \(start, end\), was 5"),
        ("ab", TypeError, r"span must be a pair"),
        ((1, 2, 3), ValueError, "had 3"),
        ((5, 5), ValueError, "span must end after it starts"),
        ((float("nan"), 5), ValueError, "the start of span must be"),
    ],
    ids=["number", "text", "three", "empty", "nan"],
)
def test_bad_spans_are_refused(span: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        whole_of(frame(), {}, span=span)


def test_bad_rows_are_dropped_and_counted_once(tmp_path: Path) -> None:
    table = frame(50)
    table.loc[[3, 30], "price"] = -1.0
    for form in forms(tmp_path, table, 7).values():
        with pytest.raises(DataError, match="price must be a number from 0"):
            whole_of(form, {})
        whole = whole_of(form, {"bad_rows": "drop"})
        whole.stretches([5 * NS])
        assert whole.survey.rows == 48
        assert sum(sum(v.values()) for v in whole.source.dropped.values()) == 2


# ------------------------------------------------------------------------ freshness
def test_an_iterator_is_refused() -> None:
    with pytest.raises(TypeError, match="must be a callable that returns a fresh iterator"):
        whole_of(iter([frame()]), {})


def test_a_generator_that_was_begun_is_refused() -> None:
    begun = (table for table in [frame()])
    whole = whole_of(lambda: begun, {})
    with pytest.raises(ValueError, match="already begun"):
        whole.stretches([])


def test_an_iterator_that_is_used_up_is_refused() -> None:
    once = iter([frame()])
    whole = whole_of(lambda: once, {})
    with pytest.raises(DataError, match="gave no rows; it must return a fresh iterator"):
        whole.stretches([])


def test_other_rows_at_the_second_call_are_refused() -> None:
    lengths = iter([100, 50])
    whole = whole_of(lambda: iter([frame(next(lengths))]), {})
    with pytest.raises(ValueError, match="the first had 100 rows, the second 50"):
        whole.stretches([])


# ------------------------------------------------------------------------ digests and pickles
def test_a_digest_is_that_of_the_rows(tmp_path: Path) -> None:
    table, changed = frame(), frame()
    changed.loc[99, "price"] = 199.5
    for size in (7, 100):
        same, other = (forms(tmp_path, one, size) for one in (table, table.copy()))
        for form in same:
            digest = whole_of(same[form], {}).source.digest()
            assert digest == whole_of(other[form], {}).source.digest()
    for form in ("memory", "parquet", "callable"):
        digests = {
            whole_of(forms(tmp_path, one, 50)[form], {}).source.digest() for one in (table, changed)
        }
        assert len(digests) == 2


@pytest.mark.parametrize("form", ["memory", "parquet", "callable"])
def test_a_source_travels(tmp_path: Path, form: str) -> None:
    whole = whole_of(forms(tmp_path, frame(), 7)[form], {})
    source = cloudpickle.loads(cloudpickle.dumps(whole.source))
    pieces = list(source.pieces(5 * NS, 9 * NS))
    assert sum(map(len, pieces)) == 4
    assert source.digest() == whole.source.digest()
    if form != "callable":
        pickle.loads(pickle.dumps(whole.source))


# ------------------------------------------------------------------------ books
def books(times: list[float]) -> list[dict[str, Any]]:
    return [{"timestamp": t, "bids": [(99.0, t)], "asks": [(101.0, t)]} for t in times]


def test_a_stretch_brings_the_book_in_force_at_its_start() -> None:
    whole = whole_of(
        frame().assign(market_id="X"), {"book_data": {"X": books([0.0, 10.0, 20.0, 30.0])}}
    )

    def times(start: float, end: float) -> list[float]:
        _, cut = whole.source.part(round(start * NS), round(end * NS))
        assert cut is not None
        return [t / NS for t in cut["X"].times_ns.tolist()]

    assert times(15, 25) == [10.0, 20.0]  # 10 is in force at 15
    assert times(20, 25) == [20.0]  # one comes at that very time
    assert times(20, 20.5) == [20.0]
    assert times(35, 40) == [30.0]
    assert times(0, 10) == [0.0]


def test_books_that_are_rows_are_cut_like_rows() -> None:
    whole = whole_of(None, {"book_data": {"X": books([0.0, 10.0, 20.0, 30.0])}})
    assert (whole.first_ns, whole.last_ns) == (0, 30 * NS)
    data, cut = whole.source.part(15 * NS, 25 * NS)
    assert data is None
    assert cut is not None
    assert cut["X"].times_ns.tolist() == [20 * NS]


def test_markets_that_books_price_are_rows_beside_those_of_feeds() -> None:
    whole = whole_of(
        {"A": frame(50)},
        {"book_data": {"A": books([0.0]), "B": books([5.5, 60.0])}},
        markets=["A", "B"],
    )
    assert isinstance(whole.source, MemorySource)
    assert whole.source.priced == ("B",)
    assert whole.survey.rows == 52
    assert whole.last_ns == 60 * NS
    _, cut = whole.source.part(10 * NS, 61 * NS)
    assert cut is not None
    assert cut["A"].times_ns.tolist() == [0]  # in force
    assert cut["B"].times_ns.tolist() == [60 * NS]  # a row of that stretch


def test_books_of_data_in_chunks_cannot_price() -> None:
    with pytest.raises(ValueError, match="data in chunks cannot be laced with books"):
        whole_of(
            lambda: iter([{"A": frame(50)}]),
            {"book_data": {"A": books([0.0]), "B": books([5.5])}},
            markets=["A", "B"],
        )


def test_a_stream_takes_books_beside_it() -> None:
    whole = whole_of(
        chunks_of(frame().assign(market_id="X"), 9), {"book_data": {"X": books([0.0])}}
    )
    assert isinstance(whole.source, StreamSource)
    _, cut = whole.source.part(15 * NS, 25 * NS)
    assert cut is not None
    assert cut["X"].times_ns.tolist() == [0]


def test_nothing_to_replay_is_said() -> None:
    with pytest.raises(ValueError, match=r"data \(or book_data\) must be given"):
        whole_of(None, {})
    with pytest.raises(ValueError, match=r"columns=.* is for data, of which there is none"):
        whole_of(None, {"book_data": {"X": books([0.0])}, "columns": {"price": "p"}})


# ------------------------------------------------------------------------ outcomes
def test_outcomes_resolve_at_a_time_that_no_window_changes() -> None:
    table = {"W": ticks_of([0.4, 0.5, 0.6]), "R": ticks_of([0.4, 0.5, 0.6], start=5.0)}
    whole = whole_of(table, {"outcomes": {"W": 1.0, "R": 0.0}, "resolutions": {"W": 1.5}})
    assert whole.arguments["outcomes"] == {"W": 1.0, "R": 0.0}
    assert whole.arguments["resolutions"] == {
        "W": np.datetime64(1_500_000_000, "ns"),
        "R": np.datetime64(7 * NS, "ns"),  # the last row of the whole data
    }
    assert [market.asset_class for market in whole.contracts] == [hz.Prediction, hz.Prediction]


def test_prices_are_checked_before_anything_runs() -> None:
    for data in (ticks_of([0.4, 0.5, 7.0]), lambda: iter([ticks_of([0.4, 0.5, 7.0])])):
        whole = whole_of(data, {})
        with pytest.raises(DataError, match="price must lie between 0 and 1"):
            whole.stretches([])


# ------------------------------------------------------------------------ memory
def most_held(data: Any, n: int) -> int:
    """Bytes that reading and walking all of it takes at most, NumPy's and Arrow's together."""
    gc.collect()
    before, most = pa.total_allocated_bytes(), 0
    tracemalloc.start()
    try:
        whole = whole_of(data, {})
        rows = 0
        for piece in whole.source.pieces(0, n * NS):
            rows += len(piece)
            most = max(most, pa.total_allocated_bytes() - before)
        most += tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == n
    return most


def test_what_a_stream_holds_does_not_grow_with_its_length(tmp_path: Path) -> None:
    held: dict[str, list[int]] = {"parquet": [], "callable": []}
    for n in (200_000, 800_000):
        generator = np.random.default_rng(0)
        columns = {"timestamp": np.arange(n) / 4.0} | {
            name: 50.0 + generator.random(n) for name in ("price", "bid_size", "ask_size")
        }
        path = tmp_path / f"{n}.parquet"
        pq.write_table(pa.table(columns), path, row_group_size=n)

        def chunks(columns: Any = columns, n: int = n) -> Iterator[Any]:
            for i in range(0, n, 20_000):
                yield {name: values[i : i + 20_000] for name, values in columns.items()}

        held["parquet"].append(most_held(path, n))
        held["callable"].append(most_held(chunks, n))
    for short, long in held.values():
        assert long < 1.3 * short


def test_a_first_return_that_takes_no_time_is_not_counted() -> None:
    # 0, 0, 1, 2, 3 hours: four returns, one of them within a moment, so three in three hours.
    hours = np.array([0.0, 0.0, 1.0, 2.0, 3.0])
    whole = whole_of({"timestamp": 3600.0 * hours, "price": np.full(5, 0.5)}, {}, markets=None)
    assert whole.survey.begins_twice
    assert sampling_of(whole.survey).periods_per_year == pytest.approx(365.25 * 24)
