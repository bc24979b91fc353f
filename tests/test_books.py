"""Books of every form: what is read from them, what is refused, and what is left out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
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

from horizon.books import Books, read_book_data, read_books
from horizon.errors import DataError

NS = 1_000_000_000
NAN, INF = float("nan"), float("inf")
BINANCE = (
    Path(__file__).parents[2]
    / "shared/data/order-books/binance_spot_btcusdt_2024-08-08_l2_top10_100ms.csv.gz"
)

Levels = list[tuple[float, float]]


def book(at: Any, bids: Any = (), asks: Any = ()) -> dict[str, Any]:
    return {"timestamp": at, "bids": list(bids), "asks": list(asks)}


#: Two bids and an ask; an ask only; nothing; a locked book of one level.
LISTED = [
    book(5.0, [(10.0, 1.0), (9.5, 3.0)], [(10.5, 2.0)]),
    book(6.5, [], [(11.0, 1.0)]),
    book(7.0),
    book(7.25, [(10.0, 4.0)], [(10.0, 6.0)]),
]
WIDE = pd.DataFrame(
    {
        "timestamp": [5.0, 6.5, 7.0, 7.25],
        "bid_px_1": [10.0, NAN, NAN, 10.0],
        "bid_sz_1": [1.0, NAN, NAN, 4.0],
        "bid_px_2": [9.5, NAN, NAN, NAN],
        "bid_sz_2": [3.0, NAN, NAN, NAN],
        "ask_px_1": [10.5, 11.0, NAN, 10.0],
        "ask_sz_1": [2.0, 1.0, NAN, 6.0],
    }
)
LONG = pd.DataFrame(
    {
        "timestamp": [5.0, 5.0, 5.0, 6.5, 7.0, 7.25, 7.25],
        "side": ["bid", "ask", "bid", "ask", None, "bid", "ask"],
        "price": [10.0, 10.5, 9.5, 11.0, NAN, 10.0, 10.0],
        "size": [1.0, 2.0, 3.0, 1.0, NAN, 4.0, 6.0],
    }
)


def plain(books: Books) -> list[tuple[int, Levels, Levels]]:
    """Books as lists, levels without the gaps behind them."""

    def levels(prices: Any, sizes: Any) -> Levels:
        pairs = list(zip(prices.tolist(), sizes.tolist(), strict=True))
        count = sum(price == price for price, _ in pairs)
        assert all(price != price and size != size for price, size in pairs[count:])
        return pairs[:count]

    return [
        (
            int(books.times_ns[i]),
            levels(books.bid_prices[i], books.bid_sizes[i]),
            levels(books.ask_prices[i], books.ask_sizes[i]),
        )
        for i in range(len(books))
    ]


WANTED = [
    (5 * NS, [(10.0, 1.0), (9.5, 3.0)], [(10.5, 2.0)]),
    (6_500_000_000, [], [(11.0, 1.0)]),
    (7 * NS, [], []),
    (7_250_000_000, [(10.0, 4.0)], [(10.0, 6.0)]),
]


def forms(folder: Path) -> dict[str, Any]:
    for name, frame in (("wide", WIDE), ("long", LONG)):
        frame.to_csv(folder / f"{name}.csv", index=False)
        frame.to_csv(folder / f"{name}.csv.gz", index=False)
        frame.to_parquet(folder / f"{name}.parquet")
    dated = pd.to_datetime([5_000, 6_500, 7_000, 7_250], unit="ms")
    words = LONG.side.map({"bid": "Buy", "ask": "SELL"}, na_action="ignore")
    return {
        "list": LISTED,
        "tuple": tuple(LISTED),
        "list of lists": [
            b | {side: [list(level) for level in b[side]] for side in ("bids", "asks")}
            for b in LISTED
        ],
        "list of arrays": [
            b | {side: np.array(b[side]) for side in ("bids", "asks")} for b in LISTED
        ],
        "list of other numbers": [
            book(
                datetime.fromtimestamp(b["timestamp"], UTC),
                [(Decimal(str(price)), np.float32(size)) for price, size in b["bids"]],
                [(np.float64(price), int(size)) for price, size in b["asks"]],
            )
            for b in LISTED
        ],
        "list with text": [
            b | {"timestamp": str(when)} for b, when in zip(LISTED, dated, strict=True)
        ],
        "Books": read_books(LISTED),
        "wide pandas": WIDE,
        "wide polars": pl.from_pandas(WIDE),
        "wide polars lazy": pl.from_pandas(WIDE).lazy(),
        "wide arrow": pa.Table.from_pandas(WIDE),
        "wide nullable": WIDE.convert_dtypes(),
        "wide datetimes": WIDE.assign(timestamp=dated),
        "wide index": WIDE.drop(columns="timestamp").set_index(dated.rename("seen")),
        "wide ts": WIDE.rename(columns={"timestamp": "ts"}),
        "wide milliseconds": WIDE.drop(columns="timestamp").assign(
            exchange_ts_ms=[5_000, 6_500, 7_000, 7_250]
        ),
        "wide broken milliseconds": pl.from_pandas(WIDE.drop(columns="timestamp")).with_columns(
            pl.Series("seen_ts_ms", [5_000.0, 6_500.0, 7_000.0, 7_250.0])
        ),
        "long pandas": LONG,
        "long polars": pl.from_pandas(LONG),
        "long polars categories": pl.from_pandas(LONG).with_columns(
            pl.col("side").cast(pl.Categorical)
        ),
        "long arrow": pa.Table.from_pandas(LONG),
        "long categories": LONG.assign(side=LONG.side.astype("category")),
        "long objects": LONG.assign(side=LONG.side.astype(object)),
        "long buy and sell": LONG.assign(side=words),
        "long nanoseconds": LONG.drop(columns="timestamp").assign(
            local_ts_ns=(LONG.timestamp * 1e9).astype("int64")
        ),
    } | {
        f"{name}{ending}": kind(folder / f"{name}{ending}")
        for name in ("wide", "long")
        for ending in (".csv", ".csv.gz", ".parquet")
        for kind in ((str,) if ending == ".csv" else (Path,))
    }


def test_books_of_every_form_are_the_same(tmp_path: Path) -> None:
    for form, given_books in forms(tmp_path).items():
        assert plain(read_books(given_books)) == WANTED, form
        books, dropped = read_book_data({"m": given_books})
        assert (plain(books["m"]), list(books), dropped) == (WANTED, ["m"], {}), form


def test_best_of_each_side_has_its_size() -> None:
    books = read_books(LISTED)
    np.testing.assert_array_equal(books.best_bid, [10.0, NAN, NAN, 10.0])
    np.testing.assert_array_equal(books.best_bid_size, [1.0, NAN, NAN, 4.0])
    np.testing.assert_array_equal(books.best_ask, [10.5, 11.0, NAN, 10.0])
    np.testing.assert_array_equal(books.best_ask_size, [2.0, 1.0, NAN, 6.0])
    np.testing.assert_array_equal(books.mid, [10.25, NAN, NAN, 10.0])


def test_books_that_need_no_change_come_back_as_they_are() -> None:
    books = read_books(LISTED)
    assert read_books(books) is books
    assert read_book_data({"m": books})[0]["m"] is books


def test_a_level_of_size_zero_is_no_level_and_those_behind_it_move_up() -> None:
    # The zero at 12 would be out of order, and the one at 11 would cross the ask.
    books = [
        book(0, [(11, 0), (10, 1), (12, 0), (9, 2)], [(10.5, 0), (10.75, 3)]),
        book(1, [(10, 0)], [(10, 0)]),
    ]
    wanted = [(0, [(10.0, 1.0), (9.0, 2.0)], [(10.75, 3.0)]), (NS, [], [])]
    assert plain(read_books(books)) == wanted
    own = Books(
        np.array([0], dtype=np.int64),
        np.array([[11.0, 10.0]]),
        np.array([[0.0, 1.0]]),
        np.array([[12.0]]),
        np.array([[1.0]]),
    )
    assert plain(read_books(own)) == [(0, [(10.0, 1.0)], [(12.0, 1.0)])]
    assert own.bid_prices.tolist() == [[11.0, 10.0]]  # theirs stay as they were


def test_a_size_of_zero_without_a_price_is_no_level() -> None:
    frame = WIDE.assign(bid_sz_2=[3.0, 0.0, 0.0, 0.0])
    assert plain(read_books(frame)) == WANTED


def test_levels_missing_in_the_middle_are_closed_up() -> None:
    frame = WIDE.assign(bid_px_3=[9.0, NAN, NAN, 9.0], bid_sz_3=[5.0, NAN, NAN, 7.0])
    read = read_books(frame)
    assert plain(read)[0][1] == [(10.0, 1.0), (9.5, 3.0), (9.0, 5.0)]
    assert plain(read)[3][1] == [(10.0, 4.0), (9.0, 7.0)]


def test_equal_times_are_snapshots_of_their_own_in_a_list_and_one_in_a_long_frame() -> None:
    assert len(read_books([book(1), book(1)])) == 2
    assert len(read_books(WIDE.assign(timestamp=1.0))) == 4
    twice = LONG.assign(timestamp=[5.0, 5.0, 5.0, 5.0, 7.0, 7.25, 7.25])
    # The ask at 11 of what was the second snapshot is now the second ask of the first.
    assert plain(read_books(twice))[0][2] == [(10.5, 2.0), (11.0, 1.0)]


def test_no_books_are_no_fault_when_one_market_is_read() -> None:
    for empty in ([], (), WIDE.iloc[:0], LONG.iloc[:0]):
        assert len(read_books(empty)) == 0


# ------------------------------------------------------------------------------- bad snapshots
BAD = [
    pytest.param(book("soon"), "timestamp", "time must be one that can be read", id="text time"),
    pytest.param(book(None), "timestamp", "time must be one that can be read", id="no time"),
    pytest.param(book(True), "timestamp", "time must be one that can be read", id="bool time"),
    pytest.param(book(0.5), "backwards", "time must not be before that of row 0", id="earlier"),
    pytest.param(book(2, [(INF, 1)]), "price", "price of bids must be finite, was inf", id="inf"),
    pytest.param(book(2, [(NAN, 1)]), "price", "price and size of bids must be num", id="nan"),
    pytest.param(book(2, [(True, 1)]), "price", "price and size of bids must be num", id="bool"),
    pytest.param(book(2, [(9, "1")]), "size", "price and size of bids must be num", id="text"),
    pytest.param(book(2, [(10**400, 1)]), "price", "price and size of bids", id="huge"),
    pytest.param(book(2, [(9, None)]), "size", "price and size of bids must be num", id="none"),
    pytest.param(book(2, [(9, INF)]), "size", "size of bids must be finite, was inf", id="endless"),
    pytest.param(book(2, [(9, -2)]), "size", "size of bids must be 0 or more, was -2", id="minus"),
    pytest.param(book(2, [(9, 1), (10, 1)]), "unsorted", "bids must fall .*was 10.0", id="bids"),
    pytest.param(book(2, [], [(9, 1), (9, 1)]), "unsorted", "asks must rise .*was 9.0", id="asks"),
    pytest.param(book(2, [(12, 1)], [(11, 1)]), "crossed", r"was \(12.0, 11.0\)", id="crossed"),
    pytest.param(book(2, [(9, 1, 3)]), "level", "must be a price and a size", id="three"),
    pytest.param(book(2, [(9, 1, 3), (8,)]), "level", "must be a price and a size", id="four"),
    pytest.param(book(2, [{9, 1}]), "level", "must be a list of .price, size.", id="a set"),
    pytest.param(book(2, [9, 1]), "level", "must be a list of .price, size.", id="flat"),
    pytest.param(book(2) | {"bids": {9: 1}}, "level", "must be a list of", id="a dict"),
    pytest.param(book(2) | {"bids": None}, "level", "must be a list of", id="none for a side"),
    pytest.param({"timestamp": 2, "bids": []}, "level", "a book must have asks", id="no asks"),
    pytest.param({"bids": [], "asks": []}, "timestamp", "must have timestamp", id="no timestamp"),
    pytest.param([2, [], []], "level", "a book must be a mapping", id="a list"),
]


@pytest.mark.parametrize(("wrong", "reason", "said"), BAD)
def test_a_bad_snapshot_is_named_or_dropped_and_counted(wrong: Any, reason: str, said: str) -> None:
    books = [book(1, [(10, 1)], [(11, 1)]), wrong, book(3, [(10, 2)], [(11, 2)])]
    with pytest.raises(DataError, match=f"^book 1: .*{said}") as refused:
        read_books(books)
    assert (refused.value.feed, refused.value.row) == (None, 1)
    with pytest.raises(DataError, match=f"^books of 'm', book 1: .*{said}") as refused:
        read_books(books, market="m")
    assert (refused.value.feed, refused.value.row) == ("m", 1)
    counts: dict[str, int] = {reason: 2}
    kept = read_books(books, bad_rows="drop", dropped=counts)
    assert plain(kept) == plain(read_books([books[0], books[2]]))
    assert counts == {reason: 3}


@pytest.mark.parametrize(
    ("column", "values", "reason", "said"),
    [
        ("timestamp", [5.0, 4.0, 7.0, 7.25], "backwards", "not be before that of row 0"),
        ("timestamp", [5.0, NAN, 7.0, 7.25], "timestamp", "be one that can be read"),
        ("ask_px_1", [10.5, "x", NAN, 10.0], "price", "ask_px_1 must be a number, was 'x'"),
        ("ask_sz_1", [2.0, True, NAN, 6.0], "size", "ask_sz_1 must be a number, was True"),
        ("ask_px_1", [10.5, INF, NAN, 10.0], "price", "price of asks must be a number .*was inf"),
        ("ask_sz_1", [2.0, -1.0, NAN, 6.0], "size", "size of asks must be 0 or more, was -1"),
        ("ask_sz_1", [2.0, NAN, NAN, 6.0], "level", "have both a price and a size, was 11.0"),
        ("bid_px_2", [9.5, 9.0, NAN, NAN], "level", "have both a price and a size, was 9.0"),
    ],
    ids=["backwards", "no time", "text", "bool", "inf", "negative", "no size", "no price"],
)
def test_a_bad_row_of_a_wide_frame_is_named_or_dropped(
    column: str, values: list[Any], reason: str, said: str
) -> None:
    kind = object if any(isinstance(v, (str, bool)) for v in values) else float
    frame = WIDE.assign(**{column: pd.Series(values, dtype=kind)})
    with pytest.raises(DataError, match=f"^books of 'm', book 1: .*{said}") as refused:
        read_book_data({"m": frame})
    assert (refused.value.feed, refused.value.row) == ("m", 1)
    books, dropped = read_book_data({"m": frame}, bad_rows="drop")
    assert plain(books["m"]) == [WANTED[0], *WANTED[2:]]
    assert dropped == {"m": {reason: 1}}


@pytest.mark.parametrize(
    ("changes", "row", "reason", "said", "left"),
    [
        ({(3, "timestamp"): 1.0}, 3, "backwards", "not be before that of row 0", [0, 2, 3]),
        ({(3, "timestamp"): NAN}, 3, "timestamp", "be one that can be read", [0, 2, 3]),
        ({(2, "side"): "bit"}, 2, "side", "side must be 'bid' or 'buy'.*was 'bit'", [1, 2, 3]),
        ({(2, "side"): None}, 2, "side", "side must be 'bid' or 'buy'", [1, 2, 3]),
        ({(6, "price"): "x"}, 6, "price", "price must be a number, was 'x'", [0, 1, 2]),
        ({(6, "size"): "x"}, 6, "size", "size must be a number, was 'x'", [0, 1, 2]),
        ({(6, "price"): NAN}, 6, "level", "must have both a price and a size", [0, 1, 2]),
        ({(2, "size"): NAN}, 2, "level", "must have both a price and a size", [1, 2, 3]),
        ({(2, "size"): -1.0}, 2, "size", "size of bids must be 0 or more, was -1", [1, 2, 3]),
        ({(2, "price"): INF}, 2, "price", "price of bids must be finite, was inf", [1, 2, 3]),
        ({(2, "price"): 10.0}, 2, "unsorted", "bids must fall .*was 10.0", [1, 2, 3]),
        ({(5, "price"): 10.5}, 5, "crossed", r"was \(10.5, 10.0\)", [0, 1, 2]),
    ],
    ids=[
        *("backwards", "no time", "side", "no side", "text", "size", "no price", "no size"),
        *("negative", "inf", "unsorted", "crossed"),
    ],
)
def test_a_bad_row_of_a_long_frame_is_named_or_its_snapshot_dropped(
    changes: dict[tuple[int, str], Any], row: int, reason: str, said: str, left: list[int]
) -> None:
    records = LONG.to_dict("records")
    for (at, column), value in changes.items():
        records[at][column] = value
    for frame in (pd.DataFrame(records), pd.DataFrame(records, dtype=object)):
        with pytest.raises(DataError, match=f"^row {row}: .*{said}") as refused:
            read_books(frame)
        assert refused.value.row == row
        counts: dict[str, int] = {}
        kept = read_books(frame, bad_rows="drop", dropped=counts)
        assert plain(kept) == [WANTED[i] for i in left]
        assert counts == {reason: 1}


def test_the_first_bad_snapshot_is_named_whatever_is_wrong_with_it() -> None:
    books = [book(0), book(1, [(2, 1)], [(1, 1)]), book(2, [(9, "x")]), book(-5)]
    with pytest.raises(DataError, match=r"^book 1: the best bid .*was \(2.0, 1.0\)"):
        read_books(books)
    with pytest.raises(DataError, match=r"^book 1: price and size"):
        read_books([books[0], *books[2:], books[1]])


def test_a_dropped_snapshot_does_not_set_the_time_that_others_must_follow() -> None:
    books = [book(1), book(9, [(1, -1)]), book(2), book(1), book(3)]
    counts: dict[str, int] = {}
    kept = read_books(books, bad_rows="drop", dropped=counts)
    assert (kept.times_ns // NS).tolist() == [1, 2, 3]
    assert counts == {"size": 1, "backwards": 1}


PRICES = st.sampled_from([1.0, 2.0, 3.0, 4.0, 4.5, 5.0, INF])
SIZES = st.sampled_from([0.0, 1.0, 2.0, 2.0, 3.0, -1.0])
SIDE = st.lists(st.tuples(PRICES, SIZES), max_size=3)


def naive(books: list[dict[str, Any]]) -> tuple[list[Any], Counter[str]]:
    """What is kept and what is counted, one book at a time."""
    kept: list[Any] = []
    counts: Counter[str] = Counter()
    for one in books:
        reason = None
        for side in (one["bids"], one["asks"]):
            if any(price == INF for price, _ in side):
                reason = reason or "price"
            if any(size < 0 for _, size in side):
                reason = reason or "size"
        bids = [(p, s) for p, s in one["bids"] if s != 0]
        asks = [(p, s) for p, s in one["asks"] if s != 0]
        fall = [p for p, _ in bids]
        rise = [p for p, _ in asks]
        if fall != sorted(set(fall), reverse=True) or rise != sorted(set(rise)):
            reason = reason or "unsorted"
        if bids and asks and bids[0][0] > asks[0][0]:
            reason = reason or "crossed"
        if kept and one["timestamp"] * NS < kept[-1][0]:
            reason = reason or "backwards"
        if reason:
            counts[reason] += 1
        else:
            kept.append((one["timestamp"] * NS, bids, asks))
    return kept, counts


def as_wide(books: list[dict[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {"timestamp": [b["timestamp"] for b in books]}
    for side in ("bid", "ask"):
        for level in range(3):
            for kind, at in (("px", 0), ("sz", 1)):
                columns[f"{side}_{kind}_{level + 1}"] = [
                    b[side + "s"][level][at] if level < len(b[side + "s"]) else NAN for b in books
                ]
    return pd.DataFrame(columns)


def as_long(books: list[dict[str, Any]]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for b in books:
        rows += [(b["timestamp"], "bid", *level) for level in b["bids"]]
        rows += [(b["timestamp"], "ask", *level) for level in b["asks"]]
        if not b["bids"] and not b["asks"]:
            rows.append((b["timestamp"], None, NAN, NAN))
    return pd.DataFrame(rows, columns=["timestamp", "side", "price", "size"])


@given(st.lists(st.builds(book, st.integers(0, 6), SIDE, SIDE), min_size=1, max_size=12))
def test_what_is_kept_agrees_with_a_plain_loop(books: list[dict[str, Any]]) -> None:
    kept, counts = naive(books)
    for given_books in (books, as_wide(books)):
        dropped: dict[str, int] = {}
        assert plain(read_books(given_books, bad_rows="drop", dropped=dropped)) == kept
        assert dropped == counts


@given(
    st.lists(st.builds(book, st.integers(0, 6), SIDE, SIDE), min_size=1, max_size=12).filter(
        lambda books: all(a["timestamp"] != b["timestamp"] for a, b in pairwise(books))
    )
)
def test_what_is_kept_of_a_long_frame_agrees_with_a_plain_loop(
    books: list[dict[str, Any]],
) -> None:
    kept, counts = naive(books)
    dropped: dict[str, int] = {}
    assert plain(read_books(as_long(books), bad_rows="drop", dropped=dropped)) == kept
    assert dropped == counts


# ------------------------------------------------------------------------------- many markets
def split(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame for market 007, and the same of NA, row by row in turn."""
    both = [frame.assign(market_id="007"), frame.assign(market_id="NA")]
    return pd.concat(both).sort_index(kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("frame", [WIDE, LONG], ids=["wide", "long"])
def test_one_table_is_split_by_market(frame: pd.DataFrame, tmp_path: Path) -> None:
    table = split(frame)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    tables = {
        "pandas": table,
        "upper case": table.rename(columns={"market_id": "MARKET_ID"}),
        "polars": pl.from_pandas(table),
        "arrow": pa.Table.from_pandas(table),
        "csv": tmp_path / "a.csv",
        "parquet": str(tmp_path / "a.parquet"),
    }
    for kind, data in tables.items():
        books, dropped = read_book_data(data)
        assert list(books) == ["007", "NA"], kind
        assert dropped == {}
        for market in books:
            assert plain(books[market]) == WANTED, kind


@pytest.mark.parametrize("frame", [WIDE, LONG], ids=["wide", "long"])
def test_bad_rows_of_one_table_are_named_by_their_row_in_it(frame: pd.DataFrame) -> None:
    table = split(frame)
    last = len(table) - 1  # the last row of NA: an ask of 10 below the bid of 10 is now crossed
    column = "ask_px_1" if "ask_px_1" in table else "price"
    table.loc[last, column] = 9.0
    with pytest.raises(DataError, match=r"^books of 'NA', .*best bid must not be") as refused:
        read_book_data(table)
    # In the long table the snapshot begins two rows earlier, with the bid of NA.
    assert refused.value.row == (last if frame is WIDE else last - 2)
    books, dropped = read_book_data(table, bad_rows="drop")
    assert plain(books["NA"]) == WANTED[:-1]
    assert plain(books["007"]) == WANTED
    assert dropped == {"NA": {"crossed": 1}}


def test_a_market_id_that_is_none_is_refused_or_dropped() -> None:
    table = split(WIDE)
    table.loc[3, "market_id"] = " x"
    with pytest.raises(DataError, match=r"row 3: market_id must be text .*was ' x'") as refused:
        read_book_data(table)
    assert (refused.value.row, refused.value.value) == (3, " x")
    books, dropped = read_book_data(table, bad_rows="drop")
    assert [len(b) for b in books.values()] == [4, 3]
    assert dropped == {"book_data": {"market_id": 1}}


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ((-0.5, 1), "be a number from 0 to 1e15, was -0.5"),
        ((2e15, 1), "price of .*was 20"),
        ((1, 2e15), "size of .*was 20"),
    ],
    ids=["negative", "price", "size"],
)
def test_what_nobody_can_trade_is_refused_where_orders_meet_it(level: Any, said: str) -> None:
    books = [book(1, [level])]
    assert len(read_books(books)) == 1
    with pytest.raises(DataError, match=said):
        read_book_data({"m": books})


@pytest.mark.parametrize(
    ("book_data", "error", "said"),
    [
        ({}, DataError, "book_data holds no books"),
        ({"m": []}, DataError, r"book_data\['m'\] holds no books"),
        ({"m": WIDE, "n": WIDE.iloc[:0]}, DataError, r"book_data\['n'\] holds no books"),
        (split(WIDE).iloc[:0], DataError, "book_data holds no books"),
        (WIDE, ValueError, "must have a column 'market_id', has .'timestamp'"),
        (LISTED, TypeError, "book_data must be a dict of market ids to books"),
        (None, TypeError, "book_data must be a dict .*was None"),
        (5, TypeError, "was 5"),
        ("no.parquet", FileNotFoundError, "book_data: there is no file 'no.parquet'"),
        (__file__, ValueError, "book_data must be a .csv"),
        ({"m": None}, TypeError, r"book_data\['m'\] must be a list of books or a frame"),
        ({"m": iter(LISTED)}, TypeError, r"book_data\['m'\] must be a list of books"),
        ({"m": "no.csv"}, FileNotFoundError, r"book_data\['m'\]: there is no file 'no.csv'"),
        ({"m": WIDE.drop(columns="timestamp")}, ValueError, r"\['m'\] must have a column 'times"),
        ({"m": WIDE.drop(columns="ask_px_1")}, ValueError, "a column 'ask_px_1'"),
        ({"m": WIDE.drop(columns="ask_sz_1")}, ValueError, "'ask_sz_1' beside ask_px_1"),
        ({"m": LONG.drop(columns="size")}, ValueError, "a column 'size' beside 'side'"),
        ({7: LISTED}, TypeError, "a market of book_data must be text, was 7"),
        ({" m": LISTED}, ValueError, "a market of book_data must not begin"),
        (
            {"m": WIDE.drop(columns="timestamp").assign(ts=1.0, time=2.0)},
            ValueError,
            r"several columns of times, \['ts', 'time'\]",
        ),
    ],
    ids=lambda value: None if isinstance(value, (pd.DataFrame, dict, list)) else str(value)[:40],
)
def test_what_is_no_book_data_is_refused(book_data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        read_book_data(book_data)


def test_a_market_of_which_every_book_is_dropped_is_refused_with_the_counts() -> None:
    with pytest.raises(DataError, match=r"'m'. holds no books but bad ones, dropped: .'size': 2"):
        read_book_data({"m": [book(1, [(1, -1)]), book(2, [(1, -1)])]}, bad_rows="drop")
    with pytest.raises(ValueError, match="bad_rows must be one of 'raise', 'drop'"):
        read_book_data({"m": LISTED}, bad_rows="skip")


def test_the_index_of_a_frame_may_be_named_as_its_time() -> None:
    dated = pd.to_datetime([5_000, 6_500, 7_000, 7_250], unit="ms").rename("seen")
    frame = WIDE.assign(timestamp=0.0).set_index(dated)
    assert plain(read_books(frame, time="seen")) == WANTED
    assert plain(read_books(frame)) == WANTED  # as everywhere, it stands above a column
    assert read_books(frame, time="timestamp").times_ns.tolist() == [0] * 4


def test_fractions_of_a_counted_time_are_taken() -> None:
    frame = WIDE.drop(columns="timestamp").assign(seen_ts_ms=[0.5, 1.25, NAN, 3.0])
    kept = read_books(frame, bad_rows="drop")
    assert kept.times_ns.tolist() == [500_000, 1_250_000, 3_000_000]


def test_a_frame_of_an_unknown_library_is_refused() -> None:
    class Frame:
        columns = ("timestamp",)
        shape = (0, 1)

    with pytest.raises(TypeError, match="books must be a frame of pandas, polars or Arrow, was Fr"):
        read_books(Frame())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"times_ns": np.array([1.0])}, "times_ns must be an array of int64"),
        ({"times_ns": [1]}, "times_ns must be an array of int64"),
        ({"bid_prices": np.zeros((2, 1))}, r"must have one shape, \(1, levels\), have \(2, 1\)"),
        ({"ask_sizes": np.zeros((1, 2))}, r"have \(1, 1\) and \(1, 2\)"),
        ({"ask_sizes": np.zeros(1)}, r"have \(1, 1\) and \(1,\)"),
        ({"ask_sizes": np.zeros((1, 1), dtype=int)}, "must be arrays of float64"),
    ],
    ids=["float times", "list", "rows", "levels", "flat", "whole numbers"],
)
def test_own_books_of_a_wrong_shape_are_refused(changes: dict[str, Any], said: str) -> None:
    parts = {
        "times_ns": np.array([1], dtype=np.int64),
        "bid_prices": np.array([[1.0]]),
        "bid_sizes": np.array([[1.0]]),
        "ask_prices": np.array([[2.0]]),
        "ask_sizes": np.array([[1.0]]),
    }
    assert len(read_book_data({"m": Books(**parts)})[0]["m"]) == 1
    with pytest.raises(ValueError, match=said):
        read_book_data({"m": Books(**parts | changes)})


def test_own_books_are_judged_like_others() -> None:
    crossed = Books(
        np.array([1, 2], dtype=np.int64),
        np.array([[1.0], [3.0]]),
        np.array([[1.0], [1.0]]),
        np.array([[2.0], [2.0]]),
        np.array([[1.0], [1.0]]),
    )
    with pytest.raises(DataError, match="books of 'm', book 1: the best bid must not be above"):
        read_book_data({"m": crossed})


@pytest.mark.skipif(not BINANCE.exists(), reason=f"needs {BINANCE.name}, not in the repository")
def test_real_books_are_read_as_they_stand_in_the_file() -> None:
    frame = pd.read_csv(BINANCE)
    books, dropped = read_book_data({"BTC/USDT": BINANCE})
    read = books["BTC/USDT"]
    assert dropped == {}
    np.testing.assert_array_equal(read.best_bid, frame.bid_px_1)
    np.testing.assert_array_equal(read.ask_sizes[:, 9], frame.ask_sz_10)
    assert read.bid_prices.shape == (len(frame), 10)
