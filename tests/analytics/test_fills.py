"""Reading of fills and settlements: two vocabularies, frames, and what is refused."""

from __future__ import annotations

import io
import math
from collections import OrderedDict
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import horizon as hz
from horizon.analytics.fills import FillTable, fill_table
from horizon.analytics.trades import closings, pnl_by_market, round_trips, trade_stats
from horizon.errors import DataError
from horizon.types import Fill, OrderSide, Side, VenueFill, VenueSettlement
from tests.properties.witness import Clock

NOW = 1_700_000_000.0
COLUMNS = {
    "timestamp": [NOW, NOW + 1.5, NOW + 2],
    "market_id": ["ACME", "rain:no", "ACME"],
    "side": ["buy", "buy", "sell"],
    "quantity": [10.0, 4.0, 10.0],
    "price": [5.0, 0.25, 6.0],
    "fee": [0.5, 0.0, 0.25],
    "is_maker": [True, False, False],
    "realized_pnl": [0.0, 0.0, 10.0],
}
READ = (
    "times_ns",
    "market_ids",
    "is_buy",
    "quantities",
    "prices",
    "fees",
    "is_maker",
    "realized",
    "is_settlement",
    "multipliers",
)


def assert_same(table: FillTable, other: FillTable, *, but: tuple[str, ...] = ()) -> None:
    for name in READ:
        if name not in but:
            np.testing.assert_array_equal(getattr(table, name), getattr(other, name), name)


def venue_fills(columns: dict[str, list[Any]] = COLUMNS) -> list[VenueFill]:
    rows = zip(*columns.values(), strict=True)
    fields = [dict(zip(columns, row, strict=True)) for row in rows]
    return [
        VenueFill(id=f"f{i}", order_id="p", venue_name="paper", **f) for i, f in enumerate(fields)
    ]


def engine_fills() -> list[Fill]:
    words = {"ACME": ("ACME", Side.Long), "rain:no": ("rain", Side.No)}
    return [
        Fill(
            order_id="p",
            market_id=words[f.market_id][0],
            side=words[f.market_id][1],
            order_side=OrderSide(f.side),
            size=f.quantity,
            price=f.price,
            fee=f.fee,
            timestamp=f.timestamp,
            is_maker=f.is_maker,
            realized_pnl=f.realized_pnl,
        )
        for f in venue_fills()
    ]


@pytest.fixture
def table() -> FillTable:
    return fill_table(venue_fills())


def test_columns_of_the_table(table: FillTable) -> None:
    ns = 1_000_000_000
    assert table.times_ns.tolist() == [
        int(NOW) * ns,
        int(NOW) * ns + 3 * ns // 2,
        int(NOW + 2) * ns,
    ]
    assert table.market_ids.tolist() == ["ACME", "rain:no", "ACME"]
    assert table.is_buy.tolist() == [True, True, False]
    assert table.quantities.tolist() == [10, 4, 10]
    assert table.prices.tolist() == [5, 0.25, 6]
    assert table.notionals.tolist() == [50, 1, 60]
    assert table.fees.tolist() == [0.5, 0, 0.25]
    assert table.is_maker.tolist() == [True, False, False]
    assert table.realized.tolist() == [0, 0, 10]
    assert table.is_settlement.tolist() == [False] * 3
    assert table.source_rows.tolist() == [0, 1, 2]
    assert repr(table) == "<FillTable: 3 fills, 0 settlements, 2 positions>"


def enum_frame() -> pd.DataFrame:
    return pd.DataFrame([asdict(fill) for fill in engine_fills()])


def by_csv() -> pd.DataFrame:
    """As pandas writes enums and booleans to a file, and reads them back."""
    return pd.read_csv(io.StringIO(enum_frame().to_csv()))


SPELLINGS = OrderedDict(
    engine=engine_fills,
    generator=lambda: (fill for fill in venue_fills()),
    mapping=lambda: COLUMNS,
    arrays=lambda: {name: np.array(values) for name, values in COLUMNS.items()},
    pandas=lambda: pd.DataFrame(COLUMNS),
    indexed=lambda: pd.DataFrame(COLUMNS, index=[7, 7, 3]),
    polars=lambda: pl.DataFrame(COLUMNS),
    arrow=lambda: pa.table(COLUMNS),
    records=lambda: pd.DataFrame([asdict(fill) for fill in venue_fills()]),
    enums=enum_frame,
    csv=by_csv,
    size=lambda: pd.DataFrame(COLUMNS).rename(columns={"quantity": "size"}),
    categories=lambda: pd.DataFrame(COLUMNS).astype({"side": "category", "market_id": "category"}),
    nullable=lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    upper=lambda: pd.DataFrame(COLUMNS).assign(side=["Buy", "BUY", "Sell"]),
    decimals=lambda: COLUMNS | {"price": [Decimal("5"), Decimal("0.25"), 6]},
    datetimes=lambda: pd.DataFrame(COLUMNS).assign(
        timestamp=lambda frame: pd.to_datetime(frame["timestamp"], unit="s", utc=True)
    ),
    naive=lambda: pl.DataFrame(COLUMNS).with_columns(
        pl.from_epoch(pl.col("timestamp") * 1e6, time_unit="us").alias("timestamp")
    ),
    zoned=lambda: (
        COLUMNS
        | {"timestamp": [datetime.fromtimestamp(t, UTC).astimezone() for t in COLUMNS["timestamp"]]}
    ),
    iso=lambda: (
        COLUMNS
        | {"timestamp": [datetime.fromtimestamp(t, UTC).isoformat() for t in COLUMNS["timestamp"]]}
    ),
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_read_alike(table: FillTable, spelling: str) -> None:
    assert_same(fill_table(SPELLINGS[spelling]()), table)


def test_columns_that_may_be_left_out() -> None:
    few = {k: v for k, v in COLUMNS.items() if k not in ("fee", "is_maker", "realized_pnl")}
    table = fill_table(few)
    assert table.fees.tolist() == [0, 0, 0]
    assert table.is_maker.tolist() == [False] * 3
    assert np.isnan(table.realized).all()
    assert closings(table).pnl.tolist() == [10]  # 10 x (6 - 5)


def test_a_profit_that_is_missing_in_some_rows_is_worked_out_there() -> None:
    columns = COLUMNS | {"realized_pnl": [None, 0.0, math.nan]}
    assert closings(fill_table(columns)).pnl_gross.tolist() == [10]


def test_yes_and_long_of_one_market_are_one_position() -> None:
    bought, sold = (replace(f, market_id="rain", price=0.5) for f in engine_fills()[::2])
    table = fill_table([replace(bought, side=Side.Yes), replace(sold, realized_pnl=0.0)])
    assert table.market_ids.tolist() == ["rain", "rain"]
    assert len(round_trips(table)) == 1


def test_the_paddings_of_an_option_symbol_name_one_position() -> None:
    columns = COLUMNS | {
        "market_id": ["AAPL  250117C00180000", "rain:no", "AAPL250117C00180000"],
        "realized_pnl": [math.nan] * 3,
    }
    table = fill_table(columns)
    assert table.market_ids.tolist()[0] == "AAPL250117C00180000"
    assert closings(table).pnl_gross.tolist() == [1000]  # 10 x 1 point x 100


def test_no_fills_at_all() -> None:
    for nothing in ((), [], {}, pd.DataFrame(), pl.DataFrame(), pd.DataFrame(columns=["price"])):
        table = fill_table(nothing, nothing)
        assert len(table) == 0
        assert_same(table, fill_table())
        assert len(table.to_frame()) == 0


# ------------------------------------------------------------------ order
def test_markets_may_be_laced_in_any_order() -> None:
    """A venue's own log goes back in time where one market's clock is behind another's."""
    fills = venue_fills()
    laced = fill_table([fills[0], fills[2], fills[1]])
    assert_same(laced, fill_table(fills))
    assert laced.source_rows.tolist() == [0, 2, 1]


def test_fills_of_one_time_are_in_order() -> None:
    fills = [replace(f, market_id="ACME", timestamp=NOW) for f in venue_fills()]
    later = replace(fills[0], market_id="X", timestamp=NOW + 9)
    assert fill_table([later, *fills]).source_rows.tolist() == [1, 2, 3, 0]


def test_the_log_of_the_paper_account_is_read_though_its_markets_have_own_times() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.tick("A", 10, timestamp=1000.0)
    ex.tick("B", 10, timestamp=500.0)
    ex.buy("A", 1, market=True)
    ex.buy("B", 1, limit=9)
    ex.tick("B", 8, timestamp=600.0)
    table = fill_table(ex.fills())
    assert table.market_ids.tolist() == ["B", "A"]
    assert table.times_ns.tolist() == [600_000_000_000, 1_000_000_000_000]


@pytest.mark.parametrize("no", [False, True])
def test_a_time_before_the_last_of_its_market_is_refused(no: bool) -> None:
    # NO has the clock of its market.
    fills = venue_fills()
    names = ("rain", "rain:no") if no else ("ACME", "ACME")
    fills = [replace(fills[0], market_id="X", timestamp=NOW + 9), *fills]
    fills[1] = replace(fills[1], market_id=names[0], price=0.5)
    fills[2] = replace(fills[2], market_id="Y")
    fills[3] = replace(fills[3], market_id=names[1], price=0.5, timestamp=NOW - 1)
    message = "fills row 3: timestamp must be .* as row 1 of the same market is, was "
    with pytest.raises(DataError, match=message) as caught:
        fill_table(fills)
    assert (caught.value.feed, caught.value.row, caught.value.value) == ("fills", 3, NOW - 1)


def test_settlements_out_of_order_are_refused() -> None:
    settled = [VenueSettlement("A", 1, 1, 0.0, NOW), VenueSettlement("A", 1, 1, 0.0, NOW - 1)]
    with pytest.raises(DataError, match="settlements row 1: timestamp"):
        fill_table((), settled)


# ------------------------------------------------------------------ settlements
def settlement(**changes: Any) -> VenueSettlement:
    return replace(VenueSettlement("ACME", 10.0, 7.0, 20.0, NOW), **changes)


def test_a_settlement_at_the_time_of_the_last_fill_comes_after_it() -> None:
    table = fill_table(venue_fills()[:1], [settlement()])
    assert table.is_settlement.tolist() == [False, True]
    assert table.is_buy.tolist() == [True, False]
    assert table.quantities.tolist() == [10, 10]
    assert closings(table).pnl_gross.tolist() == [20]
    assert closings(table).is_settlement.tolist() == [True]


def test_microseconds_of_a_frame_do_not_pass_a_settlement() -> None:
    # The frame has rounded 0.4 microseconds up; the settlement keeps its own time.
    columns = {name: [values[0]] for name, values in COLUMNS.items() if name != "timestamp"} | {
        "timestamp": np.array([1_700_000_000_000_001_000], dtype="datetime64[ns]")
    }
    table = fill_table(columns, [settlement(timestamp=NOW + 0.6e-6)])
    assert table.is_settlement.tolist() == [False, True]
    assert np.diff(table.times_ns).tolist() == [0]
    assert len(round_trips(table)) == 1


def test_trading_may_go_on_after_a_settlement() -> None:
    again = replace(venue_fills()[0], timestamp=NOW + 1, realized_pnl=0.0)
    table = fill_table([venue_fills()[0], again], [settlement()])
    assert table.is_settlement.tolist() == [False, True, False]
    assert len(round_trips(table)) == 1


def test_a_frame_of_settlements() -> None:
    frame = pd.DataFrame([asdict(settlement())])
    for given in (frame, pl.from_pandas(frame), frame.drop(columns="realized_pnl")):
        table = fill_table(venue_fills()[:1], given)
        assert pnl_by_market(table) == {"ACME": 19.5}  # 10 x (7 - 5) less 0.50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": 9.0}, "quantity must be what the fills before it leave of 'ACME', 10; was 9"),
        ({"quantity": -10.0}, "'ACME', 10; was -10"),
        ({"market_id": "OTHER"}, "'OTHER', 0; was 10"),
        ({"timestamp": NOW - 1}, "'ACME', 0; was 10"),
        ({"quantity": 0.0}, "quantity must be a number other than 0, was 0.0"),
        ({"quantity": math.nan}, "quantity must be a number other than 0, was nan"),
        ({"price": -1.0}, "price must be a number from 0 to 1e15, was -1.0"),
        ({"realized_pnl": math.inf}, "realized_pnl must be a finite number or none, was inf"),
        ({"timestamp": math.nan}, "timestamp must be a time"),
        ({"market_id": "rain:no", "price": 1.5}, "price must be between 0 and 1"),
    ],
)
def test_settlements_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match="settlements row 0: ") as caught:
        fill_table(venue_fills()[:1], [settlement(**changes)])
    assert message in str(caught.value)
    assert (caught.value.feed, caught.value.row) == ("settlements", 0)


def test_a_settlement_alone_is_refused_and_says_what_is_missing() -> None:
    with pytest.raises(DataError, match="settlements row 0: quantity must be what the fills"):
        fill_table((), [settlement()])


# ------------------------------------------------------------------ bad rows
@pytest.mark.parametrize(
    ("column", "value", "accepted"),
    [
        ("timestamp", math.nan, "a time (seconds or a datetime)"),
        ("timestamp", "yesterday", "a time (seconds or a datetime)"),
        ("timestamp", None, "a time (seconds or a datetime)"),
        ("timestamp", 1e18, "a time (seconds or a datetime)"),
        ("market_id", "", "a market's id"),
        ("market_id", " ACME", "a market's id"),
        ("market_id", None, "a market's id"),
        ("market_id", 7, "a market's id"),
        ("market_id", ["ACME"], "a market's id"),
        ("market_id", ":no", "a market's id"),
        ("market_id", "x" * 257, "a market's id"),
        ("market_id", "AAPL259917C00180000", "a market's id"),
        ("side", "hold", "'buy' or 'sell'"),
        ("side", None, "'buy' or 'sell'"),
        ("side", 1, "'buy' or 'sell'"),
        ("quantity", 0.0, "above 0 and at most 1e15"),
        ("quantity", -1.0, "above 0 and at most 1e15"),
        ("quantity", math.nan, "above 0 and at most 1e15"),
        ("quantity", None, "above 0 and at most 1e15"),
        ("quantity", 2e15, "above 0 and at most 1e15"),
        ("quantity", "10", "above 0 and at most 1e15"),
        ("quantity", True, "above 0 and at most 1e15"),
        ("price", -0.5, "a number from 0 to 1e15"),
        ("price", math.inf, "a number from 0 to 1e15"),
        ("price", math.nan, "a number from 0 to 1e15"),
        ("price", 1.5, "between 0 and 1 in a prediction market"),
        ("fee", math.nan, "a finite number"),
        ("fee", math.inf, "a finite number"),
        ("fee", None, "a finite number"),
        ("is_maker", None, "True or False"),
        ("is_maker", 1, "True or False"),
        ("is_maker", "yes", "True or False"),
        ("realized_pnl", math.inf, "a finite number or none"),
        ("realized_pnl", "much", "a finite number or none"),
        ("realized_pnl", 3.0, "0 on a fill that by those before it closes nothing"),
    ],
)
def test_bad_rows_are_named(column: str, value: Any, accepted: str) -> None:
    columns = {name: list(values) for name, values in COLUMNS.items()}
    columns[column][1] = value
    with pytest.raises(DataError) as caught:
        fill_table(columns)
    assert f"fills row 1: {column} must be {accepted}" in str(caught.value)
    assert (caught.value.feed, caught.value.row) == ("fills", 1)
    assert caught.value.value is value or caught.value.value == value


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_bad_rows_of_frames_are_counted_from_0(kind: Any) -> None:
    frame = kind(COLUMNS | {"quantity": [10.0, 4.0, -10.0]})
    with pytest.raises(DataError, match="fills row 2: quantity") as caught:
        fill_table(frame)
    assert caught.value.row == 2


def test_the_index_of_a_frame_is_not_its_row_number() -> None:
    frame = pd.DataFrame(COLUMNS | {"price": [5.0, 0.25, -6.0]}, index=[2, 1, 0])
    with pytest.raises(DataError, match=r"fills row 2: .* was -6\.0"):
        fill_table(frame)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": Side.Yes, "market_id": "rain:no"}, "market_id must be the market itself"),
        ({"side": Side.Yes, "price": 1.01}, "price must be between 0 and 1"),
        ({"side": Side.No, "price": 1.01}, "price must be between 0 and 1"),
        ({"side": OrderSide.Buy}, "side must be 'yes', 'no' or 'long'"),
        ({"order_side": Side.Long}, "order_side must be 'buy' or 'sell'"),
    ],
)
def test_bad_engine_words_are_named(changes: dict[str, Any], message: str) -> None:
    fills = engine_fills()
    fills[1] = replace(fills[1], **changes)
    with pytest.raises(DataError) as caught:
        fill_table(fills)
    assert f"fills row 1: {message}" in str(caught.value)


@pytest.mark.parametrize("missing", ["timestamp", "market_id", "side", "quantity", "price"])
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(DataError, match=f"fills need a column '{missing}'; there are "):
        fill_table({name: values for name, values in COLUMNS.items() if name != missing})


@pytest.mark.parametrize(
    "fills",
    [
        None,
        7,
        "fills",
        venue_fills()[0],
        [1],
        [None],
        [*venue_fills(), 3],
        [*venue_fills(), *engine_fills()],
    ],
    ids=["none", "number", "text", "one", "numbers", "nones", "odd", "mixed"],
)
def test_what_are_no_fills_is_refused(fills: Any) -> None:
    with pytest.raises(TypeError, match="fills must be a list of VenueFill or of Fill, or a frame"):
        fill_table(fills)


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (COLUMNS | {"price": "5"}, TypeError, r"fills\['price'\] must be a column"),
        (COLUMNS | {"price": 5.0}, TypeError, r"fills\['price'\] must be a column"),
        (COLUMNS | {"price": {5.0, 0.25, 6.0}}, TypeError, r"fills\['price'\] must be a column"),
        (COLUMNS | {"price": {0: 5.0}}, TypeError, r"fills\['price'\] must be a column"),
        (COLUMNS | {"price": np.ones((3, 1))}, TypeError, r"fills\['price'\] must be a column"),
        (pl.DataFrame(COLUMNS).lazy(), TypeError, "fills must be a list of .* or a frame"),
        (pd.DataFrame([[1, 2]]), DataError, "fills need a column 'timestamp'"),
        (COLUMNS | {"price": [5.0]}, ValueError, r"columns of fills must have one length"),
    ],
)
def test_columns_that_are_none(columns: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fill_table(columns)


@pytest.mark.parametrize(
    ("multipliers", "error"),
    [
        ([("ACME", 1)], TypeError),
        ({"ACME": 0}, ValueError),
        ({"ACME": -1}, ValueError),
        ({"ACME": math.nan}, ValueError),
        ({"ACME": "1"}, TypeError),
        ({"ACME": True}, TypeError),
        ({7: 1.0}, TypeError),
        ({"rain:no": 1.0}, ValueError),
    ],
)
def test_bad_multipliers_are_refused(multipliers: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="multipliers"):
        fill_table(venue_fills(), multipliers=multipliers)


def test_a_part_of_a_history_is_refused_rather_than_misread() -> None:
    with pytest.raises(DataError, match="give the fills from when the market was flat"):
        fill_table(venue_fills()[1:])


# ------------------------------------------------------------------ names
HOSTILE = [
    "<script>alert(1)</script>",
    "=1+1",
    "a\u202eb",
    "{0.__class__}",
    "%s%n",
    "__proto__",
    "total",
    "None",
    "nan",
    "日本 🎌",
    "a'b\"c`d",
    "x" * 256,
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_market_may_have_any_name(name: str) -> None:
    fills = [replace(f, market_id=name, price=0.5, realized_pnl=math.nan) for f in venue_fills()]
    for given in (fills, pd.DataFrame([asdict(f) for f in fills])):
        table = fill_table(given)
        assert list(pnl_by_market(table)) == [name]
        assert closings(table).to_frame()["market_id"].tolist() == [name]
        for shown in (table, closings(table), round_trips(table)):
            assert "<script>" not in shown._repr_html_()
            assert name not in repr(shown) or name == "None"


def test_a_hostile_name_in_a_refusal_is_quoted() -> None:
    with pytest.raises(DataError) as caught:
        fill_table((), [settlement(market_id="a\u202eb")])
    assert "\u202e" not in str(caught.value)


def test_the_longest_id_may_have_a_no_side() -> None:
    fills = [replace(f, market_id="x" * 256 + ":no", price=0.5) for f in venue_fills()[:1]]
    assert list(pnl_by_market(fill_table(fills))) == ["x" * 256]


# ------------------------------------------------------------------ a client's own
def test_a_client_s_fills_are_read_alike_from_list_frame_and_engine() -> None:
    def session() -> hz.ImperativeClient:
        clock = Clock(NOW)
        ex = hz.connect("paper", clock=clock, fee_bps=10)
        ex.tick("ACME", 100.0)
        ex.tick("rain", 0.4)
        ex.buy("ACME", 10, market=True)
        ex.buy("rain:no", 50, market=True)
        clock.now += 61.25
        ex.tick("ACME", 108.0)
        ex.sell("ACME", 4, market=True)
        ex.settle("rain", 0)
        ex.settle("ACME", 90)
        return ex

    ex = session()
    listed = fill_table(ex.fills(), ex.settlements())
    framed = fill_table(ex.fills_frame(), ex.settlements())
    spoken = fill_table(session().engine.drain_fills(), session().settlements())
    assert_same(framed, listed)
    assert_same(spoken, listed)
    assert trade_stats(framed) == trade_stats(spoken) == trade_stats(listed)
    # NO bought at 0.60 pays 1; 4 x 8 and 6 x -10 on ACME; fees of 0.1 % of 1000, 30, 432.
    assert pnl_by_market(listed) == {
        "ACME": pytest.approx(32 - 60 - 1.0 - 0.432),
        "rain": pytest.approx(20 - 0.03),
    }
    assert len(round_trips(listed)) == 2
