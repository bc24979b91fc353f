"""The blotter: what it sends of an account, what its verbs do, and the files that it makes."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
import zlib
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import Equity, Market, Option, Perp, Prediction
from horizon.feeds import Synthetic
from horizon.venues import ConstantLatency
from horizon.widgets.blotter import Blotter
from horizon.widgets.blotter import widget as module
from tests.running.live import in_background, quoter, until
from tests.widgets.notebook import Clock, Page, account, do, in_a_notebook, passing, texts, turns

CALL = "AAPL250117C00180000"
HOSTILE = (
    '<img src=x onerror="window.pwned=1">',
    "&<b>",
    "AAPL\u202eLPAA",
    "=1+1",
    "W" * 256,
)


class Replica(Page):
    """A page that keeps every table as the page side does, from the pieces that it is sent."""

    def __init__(self, face: Blotter) -> None:
        super().__init__(face)
        self.pieces: list[dict[str, Any]] = []
        self.files: list[tuple[str, str, bytes]] = []
        self.rows: dict[str, dict[int, list[Any]]] = {}
        self.have: dict[str, int] = {}
        self.gaps = 0

    def _take(self, data: dict[str, Any], buffers: Any = None, **_: Any) -> None:
        super()._take(data)
        content = data.get("content") or {}
        if data["method"] != "custom":
            return
        if "file" in content:
            self.files.append((content["file"], content["mime"], bytes(buffers[0])))
        if "rows" in content:
            written = content.get("data")
            if written is None:
                written = json.loads(zlib.decompress(buffers[0]))
            self.pieces.append({**content, "data": written})
            self.hear(content, written)

    def hear(self, piece: dict[str, Any], written: list[Any]) -> None:
        table = piece["rows"]
        have = self.have.get(table, 0)
        if piece["to"] <= have and have > 0:
            return
        if piece["from"] > have:
            self.gaps += 1
            return
        rows = self.rows.setdefault(table, {})
        if piece["whole"]:
            rows.clear()
        for number in piece["gone"]:
            rows.pop(number, None)
        for row in written:
            rows[row[0]] = row
        self.have[table] = piece["to"]

    async def open(self, *tables: str) -> None:
        """Ask for tables, and wait until all of them are there."""
        for table in tables:
            await do(self.face, "rows", table=table, have=self.have.get(table, 0))
        for _ in range(100):
            if all(self.have.get(t, 0) == store_of(self.face, t).version for t in tables):
                return
            await passing(0.1)
        raise AssertionError("the rows did not come")

    def texts(self, table: str) -> list[list[str]]:
        """The texts of every row's cells, by number."""
        return [[cell[0] for cell in row[3]] for _, row in sorted(self.rows[table].items())]

    def cell(self, table: str, number: int, column: str) -> list[Any]:
        names = [it.name for it in module._SHEETS[table].columns]
        return self.rows[table][number][3][names.index(column)]

    def buttons(self, table: str, number: int) -> list[str]:
        return [it["label"] for it in self.rows[table][number][4]]


def store_of(face: Any, table: str) -> Any:
    return face._sheets[table].store


def truth(face: Blotter, table: str) -> dict[int, list[Any]]:
    """Every row as it would be written now."""
    sheet = face._sheets[table]
    numbers = sheet.store.numbers()
    return {n: face._written(sheet, n, sheet.store.get(n)) for n in numbers}


def table_of(face: Blotter, name: str) -> dict[str, Any]:
    return next(it for it in face.shown["tables"] if it["id"] == name)


def traded(clock: Clock | None = None) -> hz.ImperativeClient:
    """An account with a position of each sort; fees are a tenth of a percent."""
    ex = account(clock or Clock(36_000.0), fee_bps=10.0)
    for market, kind, price in (
        ("ACME", Equity, 100.0),
        ("rain", Prediction, 0.4),
        (CALL, Option, 4.0),
        ("X-PERP", Perp, 50.0),
    ):
        ex.declare(Market(market, kind))
        ex.tick(market, price, 36_000.0)
    ex.buy("ACME", 10, market=True)  # p1: costs 1,000, fee 1
    ex.buy("rain:no", 200, market=True)  # p2: costs 200 x 0.60 = 120, fee 0.12
    ex.sell(CALL, 1, market=True)  # p3: brings 400, fee 0.40
    ex.buy_perp("X-PERP", 2, market=True, leverage=5)  # p4: fee 0.10
    return ex


def width(face: Blotter) -> int:
    columns = table_of(face, "orders")["columns"]
    return next(it["width"] for it in columns if it["name"] == "sent")


# ------------------------------------------------------------------------- what rows say
@in_a_notebook
async def test_orders_say_what_they_are_and_where_they_stand() -> None:
    ex = traded()
    ex.buy("ACME", 3, limit=99.5, client_order_id="mine")  # p5
    ex.sell("ACME", 1_500.25, limit=120.0, post_only=True)  # p6
    ex.cancel("p6")
    ex.buy("ACME", 10_000, limit=100.0)  # p7: a million; 100,000 are there
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders")
    shown = ("order", "sent", "market", "side", "state", "quantity", "filled", "limit", "average")
    seen = {n: [page.cell("orders", n, name)[0] for name in shown] for n in page.rows["orders"]}
    at = "10:00:00.000"
    assert seen[1] == ["p1", at, "ACME", "BUY +", "filled", "10", "10", "market", "100.00"]
    assert seen[2] == ["p2", at, "rain NO", "BUY +", "filled", "200", "200", "market", "0.60"]
    assert seen[5] == ["p5", at, "ACME", "BUY +", "working", "3", "0", "99.50", "–"]
    assert seen[6][3:] == ["SELL −", "cancelled", "1,500.25", "0", "120.00", "–"]
    assert seen[7][4].startswith("rejected: ")
    # What is sorted and filtered by is the value: a number, a state's own word, nothing.
    assert page.cell("orders", 5, "limit") == ["99.50", 99.5]
    assert page.cell("orders", 1, "limit") == ["market", None]
    assert page.cell("orders", 7, "state")[1] == "rejected"
    assert page.cell("orders", 5, "order") == ["p5", 5]
    assert page.cell("orders", 5, "sent")[1] == 36_000.0
    assert page.cell("orders", 5, "side") == ["BUY +", "BUY +", "buy"]
    assert page.cell("orders", 5, "left")[0] == "3"
    assert page.cell("orders", 1, "left")[0] == "0"
    # 10 x 100; and an option counts a hundred times: 1 x 4 x 100.
    assert page.cell("orders", 1, "value") == ["1,000.00", 1_000.0]
    assert page.cell("orders", 3, "value") == ["400.00", 400.0]
    assert page.cell("orders", 5, "value") == ["298.50", 298.5]  # 3 x 99.50, which work
    assert page.cell("orders", 6, "value") == ["–", None]  # nothing filled, nothing works
    assert page.cell("orders", 6, "terms")[0] == "post-only"
    assert page.cell("orders", 4, "terms")[0] == "5×"
    assert page.cell("orders", 5, "client")[0] == "mine"
    assert [page.rows["orders"][n][1] for n in (1, 5, 6, 7)] == ["over", "open", "over", "over"]
    assert [page.buttons("orders", n) for n in (1, 5)] == [[], ["Cancel"]]
    assert page.rows["orders"][5][4][0]["name"] == "Cancel order p5: buy 3 ACME at 99.50"
    assert table_of(face, "orders")["count"] == "1 working"


@in_a_notebook
async def test_the_value_of_an_order_is_what_has_filled_and_what_still_works() -> None:
    ex = account()
    ex.tick("ACME", 10.0, 0.0)
    face = Blotter(ex)
    page = Replica(face)
    ex.buy("ACME", 100, limit=10.0)
    state = ex.engine.venue.account.orders["p1"]
    # One of a hundred filled at 9.00: 1 x 9 + 99 x 10.
    state.filled, state.average, state.status = 1.0, 9.0, "partial"
    await page.open("orders")
    await passing(0.2)
    assert page.cell("orders", 1, "value") == ["999.00", 999.0]
    assert page.cell("orders", 1, "left") == ["99", 99.0]


@in_a_notebook
async def test_orders_say_whose_they_are() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)
    ex.tick("ACME", 100.0, 1.0)  # the clock starts, and the first slice is sent
    ex.short("ACME", 5, limit=120.0)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders")
    assert page.cell("orders", 1, "source")[0] == f"TWAP {algo.id}"
    assert page.cell("orders", 2, "source")[0] == "short"
    assert list(face.frame("orders")["algo"]) == [f"TWAP {algo.id}", None]


@in_a_notebook
async def test_orders_and_cancels_on_their_way_say_so() -> None:
    clock = Clock(36_000.0)
    ex = account(clock, latency=ConstantLatency(500.0))
    ex.tick("ACME", 100.0, 36_000.0)
    ex.buy("ACME", 1, market=True)
    ex.buy("ACME", 1, limit=90.0)
    face = Blotter(ex, on_amend=print)
    page = Replica(face)
    await page.open("orders")

    def states() -> list[str]:
        return [page.cell("orders", n, "state")[0] for n in sorted(page.rows["orders"])]

    assert states() == ["working, on its way", "working, on its way"]
    # A market order has no price to amend.
    assert [page.buttons("orders", n) for n in (1, 2)] == [["Cancel"], ["Amend", "Cancel"]]
    ex.engine.venue.deliver(36_001 * 10**9, inclusive=True)
    ex.tick("ACME", 100.0, 36_001.0)
    await passing(0.2)
    assert states() == ["filled", "working"]
    await do(face, "cancel many", numbers=[2])
    await passing(0.2)
    assert states() == ["filled", "working, cancel on its way"]
    assert page.buttons("orders", 2) == []
    assert face.shown["said"]["text"] == "1 order cancelled, as soon as its cancel arrives."
    ex.engine.venue.deliver(36_002 * 10**9, inclusive=True)
    ex.tick("ACME", 100.0, 36_002.0)
    await passing(0.2)
    assert states() == ["filled", "cancelled"]


@in_a_notebook
async def test_fills_say_price_value_fee_and_gain() -> None:
    ex = traded()
    ex.tick("ACME", 103.5, 36_001.25)
    ex.sell("ACME", 4, market=True)
    page = Replica(Blotter(ex))
    await page.open("fills")
    shown = ("time", "market", "side", "quantity", "price", "value", "fee", "role", "realised")
    seen = {n: [page.cell("fills", n, name)[0] for name in shown] for n in page.rows["fills"]}
    assert seen[1] == [
        "10:00:00.000",
        "ACME",
        "BUY +",
        "10",
        *("100.00", "1,000.00", "1.00"),
        "taker",
        "0.00",
    ]
    # One contract of a hundred at 4.00: 400; a tenth of a percent of it.
    assert seen[3][3:7] == ["1", "4.00", "400.00", "0.40"]
    # 4 x 103.50 = 414, fee 0.414; gain 4 x 3.50 = 14.
    assert seen[5] == [
        "10:00:01.250",
        "ACME",
        "SELL −",
        "4",
        "103.50",
        "414.00",
        "0.41",
        "taker",
        "+14.00",
    ]
    assert page.cell("fills", 5, "realised") == ["+14.00", 14.0, "buy"]
    assert page.cell("fills", 5, "fee")[1] == pytest.approx(0.414, abs=1e-12)
    # 1 + 0.12 + 0.40 + 0.10 + 0.414 = 2.034
    assert table_of(page.face, "fills")["foot"] == "all fills: fees 2.03 USD, realised +14.00 USD"


@in_a_notebook
async def test_positions_say_value_and_return_and_stay_when_they_are_closed() -> None:
    ex = traded()
    ex.tick("ACME", 103.0, 36_001.0)
    ex.tick(CALL, 4.5, 36_001.0)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("positions")
    names = [it.name for it in module._SHEETS["positions"].columns]
    seen = {row[0]: dict(zip(names, row, strict=True)) for row in page.texts("positions")}
    assert list(seen) == ["ACME", "rain NO", CALL, "X-PERP"]
    acme = seen["ACME"]
    # 10 x 103; 30 on 1,000 is 3 %.
    assert (acme["position"], acme["value"], acme["unrealised"], acme["return"]) == (
        *("+10", "+1,030.00", "+30.00", "+3"),
    )
    # One sold at 4.00, now 4.50, a hundred times: −50 on 400.
    call = seen[CALL]
    assert (call["position"], call["value"], call["unrealised"], call["return"]) == (
        *("−1", "−450.00", "−50.00", "−12.5"),
    )
    assert seen["X-PERP"]["leverage"] == "5"
    assert table_of(face, "positions")["count"] == "4 held"
    ex.sell("ACME", 10, market=True)
    await passing(0.2)
    number = store_of(face, "positions").numbers()[0]
    assert [
        page.cell("positions", number, name)[0] for name in ("position", "average", "realised")
    ] == [*("0", "–", "+30.00")]
    assert page.rows["positions"][number][1:3] == ["flat", True]
    assert page.buttons("positions", number) == []
    assert table_of(face, "positions")["count"] == "3 held"


@in_a_notebook
async def test_a_position_closed_at_no_gain_and_no_fee_is_not_left_as_held() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 1, market=True)
    page = Replica(Blotter(ex))
    await page.open("positions")
    ex.sell("ACME", 1, market=True)
    await passing(0.2)
    assert page.cell("positions", 1, "position")[0] == "0"


@in_a_notebook
async def test_times_have_their_day_once_they_are_of_several() -> None:
    clock = Clock(36_000.0)
    ex = account(clock)
    ex.tick("ACME", 100.0, 36_000.0)
    ex.buy("ACME", 1, market=True)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders", "fills")
    assert page.cell("orders", 1, "sent")[0] == "10:00:00.000"
    narrow = width(face)
    clock.now = 100_000.0
    ex.buy("ACME", 1, market=True)
    await passing(0.3)
    # The first one, which has not changed, is written anew.
    assert page.cell("orders", 1, "sent")[0] == "1970-01-01 10:00:00.000"
    assert page.cell("fills", 2, "time")[0] == "1970-01-02 03:46:40.000"
    assert width(face) > narrow


@in_a_notebook
async def test_hostile_names_are_shown_as_what_they_are() -> None:
    ex = account()
    for name in HOSTILE:
        ex.declare(Market(name, Equity))
        ex.tick(name, 10.0, 0.0)
        ex.buy(name, 5, market=True)
        ex.buy(name, 5, limit=9.0, client_order_id=f"{name[:20]}!")
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders", "fills", "positions")
    for table in ("orders", "fills", "positions"):
        names = {row[0 if table == "positions" else 1] for row in page.texts(table)}
        assert names == {*HOSTILE[:2], "AAPL⟨U+202E⟩LPAA", *HOSTILE[3:]}
        packed = json.dumps(page.rows[table], ensure_ascii=False, allow_nan=False)
        packed.encode()
        assert "\u202e" not in "".join(texts([row[3] for row in page.rows[table].values()]))
    # The button's target is the id itself.
    await do(face, "flatten", id=HOSTILE[2])
    assert [it.market_id for it in ex.positions()] == [n for n in HOSTILE if n != HOSTILE[2]]


# ------------------------------------------------------------------------- what is sent
@in_a_notebook
async def test_only_what_has_changed_is_sent() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    for number in range(300):
        ex.buy("ACME", 1, limit=1.0 + number / 10)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders")
    page.pieces.clear()
    await passing(2.0)
    assert page.pieces == []
    ex.cancel("p17")
    ex.amend("p200", new_quantity=2)
    ex.buy("ACME", 1, limit=2.0)
    await passing(0.2)
    assert sorted(row[0] for piece in page.pieces for row in piece["data"]) == [17, 200, 301]
    assert page.rows["orders"] == truth(face, "orders")
    # A tick that reaches nothing changes no order, and the mark of no position.
    page.pieces.clear()
    ex.tick("ACME", 99.0, 1.0)
    await passing(0.2)
    assert page.pieces == []


@in_a_notebook
async def test_a_table_that_nobody_has_asked_for_is_not_sent() -> None:
    ex = traded()
    page = Replica(Blotter(ex))
    await passing(1.0)
    assert page.pieces == []
    await page.open("fills")
    assert {piece["rows"] for piece in page.pieces} == {"fills"}


@in_a_notebook
async def test_many_rows_come_in_pieces_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE", 100)
    ex = account(initial_cash_usd=1e9)
    ex.tick("ACME", 100.0, 0.0)
    for _ in range(350):
        ex.buy("ACME", 1, limit=50.0)
    face = Blotter(ex)
    page = Replica(face)
    await do(face, "rows", table="orders", have=0)
    (first,) = page.pieces
    assert [row[0] for row in first["data"]] == list(range(350, 250, -1))
    assert (first["whole"], first["newest"]) == (True, 350)
    await page.open("orders")
    assert [len(piece["data"]) for piece in page.pieces] == [100, 100, 100, 50]
    assert page.rows["orders"] == truth(face, "orders")
    assert page.gaps == 0


@in_a_notebook
async def test_a_second_page_and_one_that_has_missed_something_are_told_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PIECE", 30)
    ex = account(initial_cash_usd=1e9)
    ex.tick("ACME", 100.0, 0.0)
    for _ in range(70):
        ex.buy("ACME", 1, limit=50.0)
    face = Blotter(ex)
    first, second = Replica(face), Replica(face)
    face.comm.send = lambda data, **more: [page._take(data, **more) for page in (first, second)]
    await first.open("orders")
    second.rows.clear()
    second.have.clear()
    ex.cancel("p3")
    await passing(0.2)
    assert second.gaps == 1  # it cannot make anything of what leads from where it is not
    await second.open("orders")
    await passing(0.5)
    ex.cancel("p4")
    await passing(0.2)
    for page in (first, second):
        assert page.rows["orders"] == truth(face, "orders")


@in_a_notebook
async def test_a_page_that_says_what_nobody_can_know_starts_anew() -> None:
    ex = traded()
    face = Blotter(ex)
    page = Replica(face)
    await do(face, "rows", table="orders", have=999_999)
    await passing(0.3)
    assert page.rows["orders"] == truth(face, "orders")


@pytest.mark.parametrize("seed", range(6))
def test_a_page_always_arrives_at_the_truth(seed: int) -> None:
    """Random trading, with pages that come, go away for a while, and lose messages."""

    @in_a_notebook
    async def walk() -> None:
        rng = random.Random(seed)
        ex = account(initial_cash_usd=1e7, fee_bps=1.0)
        markets = ["A", "B", "C", "D"]
        for market in markets:
            ex.tick(market, 100.0, 0.0)
        face = Blotter(ex, most=60)
        page = Replica(face)
        deaf = False
        face.comm.send = lambda data, **more: None if deaf else page._take(data, **more)
        await page.open("orders", "fills", "positions")
        for step in range(150):
            deed = rng.random()
            market = rng.choice(markets)
            if deed < 0.5:
                verb = rng.choice([ex.buy, ex.sell])
                verb(market, rng.randint(1, 9), limit=round(rng.uniform(95.0, 105.0), 2))
            elif deed < 0.6 and ex.open_orders():
                ex.cancel(rng.choice(ex.open_orders()).id)
            elif deed < 0.7 and ex.open_orders():
                order = rng.choice(ex.open_orders())
                ex.amend(order.id, new_quantity=order.quantity + 1)
            elif deed < 0.95:
                ex.tick(market, round(rng.uniform(95.0, 105.0), 2), float(step))
            else:
                ex.flatten(market)
            if rng.random() < 0.1:
                deaf = not deaf
            if rng.random() < 0.4:
                await passing(0.1)
        deaf = False
        await page.open("orders", "fills", "positions")
        for table in ("orders", "fills", "positions"):
            assert page.rows[table] == truth(face, table)
        # All that is open is there, and of the rest the newest.
        assert {f"p{n}" for n in page.rows["orders"]} >= {it.id for it in ex.open_orders()}
        assert len(page.rows["orders"]) <= max(60, len(ex.open_orders()))
        frame = ex.orders_frame()
        for name, row in face.frame("orders").iterrows():
            for field in ("status", "quantity", "filled_quantity", "average_price"):
                assert _same(row[field], frame.loc[name, field]), (name, field)

    walk()


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (pd.isna(one) and pd.isna(other))


@in_a_notebook
async def test_more_rows_than_are_kept_leave_the_oldest_out_but_no_open_order() -> None:
    ex = account(initial_cash_usd=1e9)
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 1, limit=50.0)
    for _ in range(30):
        ex.buy("ACME", 1, market=True)
    face = Blotter(ex, most=10)
    page = Replica(face)
    await page.open("orders", "fills")
    assert sorted(page.rows["orders"]) == [1, *range(23, 32)]
    assert sorted(page.rows["fills"]) == list(range(21, 31))
    for _ in range(5):
        ex.buy("ACME", 1, market=True)
    await passing(0.3)
    assert sorted(page.rows["orders"]) == [1, *range(28, 37)]
    assert sorted(page.rows["fills"]) == list(range(26, 36))
    ex.cancel("p1")
    await passing(0.3)
    assert page.rows["orders"][1][2] is True
    assert len(page.rows["orders"]) == 10


@pytest.mark.parametrize("most", [1, 3])
def test_no_open_order_is_ever_missing_however_few_rows_are_kept(most: int) -> None:
    @in_a_notebook
    async def walk() -> None:
        rng = random.Random(most)
        ex = account(initial_cash_usd=1e7)
        ex.tick("ACME", 100.0, 0.0)
        face = Blotter(ex, most=most)
        for step in range(60):
            for _ in range(rng.randint(0, 6)):
                ex.buy("ACME", 1, limit=round(rng.uniform(95.0, 101.0), 2))
            for order in ex.open_orders():
                if rng.random() < 0.4:
                    ex.cancel(order.id)
            if rng.random() < 0.3:
                ex.tick("ACME", round(rng.uniform(97.0, 101.0), 2), float(step))
            statuses = face.frame("orders")["status"]
            assert set(statuses.index) >= {order.id for order in ex.open_orders()}
            ended = statuses[~statuses.isin(["new", "partial"])]
            assert len(ended) <= most

    walk()


# ------------------------------------------------------------------------- verbs
@in_a_notebook
async def test_cancel_in_the_row_and_of_many() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    for _ in range(5):
        ex.buy("ACME", 1, limit=50.0)
    face = Blotter(ex)
    await do(face, "cancel", id="p2")
    assert [order.id for order in ex.open_orders()] == ["p1", "p3", "p4", "p5"]
    await do(face, "cancel", id="p2")
    assert face.shown["error"] == "order p2 was not cancelled: it is cancelled"
    await do(face, "cancel many", numbers=[1, 2, 3, 77])
    assert [order.id for order in ex.open_orders()] == ["p4", "p5"]
    assert face.shown["said"]["text"] == "2 orders cancelled; 2 had ended before."
    assert face.shown["error"] is None
    await do(face, "cancel many", numbers=[4])
    assert face.shown["said"] == {"number": 2, "text": "1 order cancelled."}


@in_a_notebook
async def test_flatten_is_refused_when_it_comes_late() -> None:
    ex = traded()
    face = Blotter(ex)
    page = Replica(face)
    await page.open("positions")
    old = face.beat
    await passing(6.0)
    for verb, given in (
        ("flatten", {"id": "ACME"}),
        ("flatten many", {"numbers": [1]}),
        ("flatten all", {"id": ""}),
    ):
        await do(face, verb, **{**given, "beat": old})
        assert "nothing was sent" in face.shown["error"]
    assert len(ex.positions()) == 4
    await do(face, "flatten", id="ACME")
    assert [it.market_id for it in ex.positions()] == ["rain:no", CALL, "X-PERP"]
    await do(face, "flatten many", numbers=[2, 3])
    assert [it.market_id for it in ex.positions()] == ["X-PERP"]
    assert face.shown["said"]["text"] == "2 closing orders sent."
    await do(face, "flatten all", id="")
    assert ex.positions() == []
    assert [it["label"] for it in table_of(face, "positions")["tools"]] == []


@in_a_notebook
async def test_flattening_a_prediction_by_its_own_id_says_that_it_closes_both_sides() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ex.buy("rain", 10, market=True)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("positions")
    assert page.rows["positions"][1][4][0]["label"] == "Flatten"
    ex.buy("rain:no", 20, market=True)
    await passing(0.2)
    (both,) = page.rows["positions"][1][4]
    assert both["label"] == "Flatten both"
    assert both["name"].startswith("Flatten both rain, YES and NO: closes it")
    (no,) = page.rows["positions"][2][4]
    assert (no["label"], no["id"], no["sure"]) == ("Flatten", "rain:no", "Sure?")


@in_a_notebook
async def test_what_cannot_be_flattened_says_why() -> None:
    ex = account(matching="quotes")
    ex.tick("ACME", 100.0, 0.0, bid=99.0, ask=101.0)
    ex.buy("ACME", 10, market=True)
    ex.tick("ACME", 100.0, 1.0, ask=101.0)  # nobody buys
    face = Blotter(ex)
    for verb, given in (
        ("flatten", {"id": "ACME"}),
        ("flatten many", {"numbers": [1]}),
        ("flatten all", {"id": ""}),
    ):
        await do(face, verb, **given)
        assert face.shown["error"] == "ACME stays: no price: the last tick of ACME has no bid"
    await do(face, "flatten", id="NOBODY")
    assert len(ex.positions()) == 1


@in_a_notebook
async def test_amend_is_there_while_somebody_takes_it() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 1, limit=50.0)
    ex.tick("LATE", 10.0, 0.0)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders")
    assert page.buttons("orders", 1) == ["Cancel"]
    await do(face, "amend", id="p1")
    assert "has no on_amend" in face.shown["error"]
    amended: list[str] = []
    face.on_amend = amended.append
    await passing(0.2)
    assert page.buttons("orders", 1) == ["Amend", "Cancel"]
    await do(face, "amend", id="p1")
    await do(face, "amend", id="p9")
    assert amended == ["p1"]
    assert "p9" in face.shown["error"]
    face.on_amend = None
    await passing(0.2)
    assert page.buttons("orders", 1) == ["Cancel"]


@in_a_notebook
async def test_columns_and_density_are_chosen_and_stay() -> None:
    ex = traded()
    face = Blotter(ex, columns={"orders": ["state", "market"]}, density="roomy", visible_rows=5)
    # In the table's own order, whatever the order of choosing.
    assert table_of(face, "orders")["chosen"] == ["market", "state"]
    assert "market" in table_of(face, "fills")["chosen"]
    assert (face.shown["density"], face.shown["visible"]) == ("roomy", 5)
    await do(face, "columns", table="orders", names=["order", "fees"])
    await do(face, "density", density="compact")
    assert table_of(face, "orders")["chosen"] == ["order", "fees"]
    assert face.shown["density"] == "compact"
    await do(face, "columns", table="orders", names=[])
    assert "at least one column" in face.shown["error"]
    await do(face, "columns", table="orders", names=["ordr"])
    assert "Did you mean 'order'?" in face.shown["error"]
    assert table_of(face, "orders")["chosen"] == ["order", "fees"]


@pytest.mark.parametrize(
    "verb, given, expected",
    [
        ("rows", {"table": "orders"}, "have must be a whole number"),
        ("rows", {"table": "nothing", "have": 0}, "table must be one of 'orders'"),
        ("rows", {"table": "orders", "have": -1}, "have must be 0 or more"),
        ("export", {"table": "orders", "format": "xls", "numbers": []}, "format must be one of"),
        ("export", {"table": "orders", "format": "csv"}, "numbers must be a list"),
        ("cancel many", {"numbers": "12"}, "numbers must be a list"),
        ("cancel many", {"numbers": [None]}, "numbers must be a whole number"),
        ("cancel many", {"numbers": [0] * 70_000}, "numbers must be a list"),
        ("cancel", {}, "id must be text"),
        ("density", {"density": 1}, "density must be one of"),
        ("columns", {"table": "orders", "names": "order"}, "must be a list of names"),
    ],
    ids=lambda it: it if isinstance(it, str) else None,
)
def test_what_no_page_sends_is_refused_and_named(
    verb: str, given: dict[str, Any], expected: str
) -> None:
    @in_a_notebook
    async def ask() -> None:
        ex = traded()
        ex.buy("ACME", 1, limit=50.0)
        face = Blotter(ex)
        await do(face, verb, **given)
        assert expected in face.shown["error"]
        assert len(ex.open_orders()) == 1
        assert not face.ended

    ask()


# ------------------------------------------------------------------------- files and frames
@in_a_notebook
async def test_a_file_has_the_rows_asked_for_in_their_order() -> None:
    ex = account(Clock(36_000.123456789))
    for name in ("=1+1", "-5", "@x", '\u00e9t\u00e9, "1"', "plain"):
        ex.declare(Market(name, Equity))
        ex.tick(name, 10.0, 0.0)
        ex.buy(name, 1 / 3, limit=9.1)
    ex.sell("plain", 2, market=True)
    face = Blotter(ex)
    page = Replica(face)
    await do(face, "export", table="orders", format="csv", numbers=[6, 1, 2, 3, 4, 99])
    ((name, mime, content),) = page.files
    assert name.startswith("horizon-orders-")
    assert name.endswith("Z.csv")
    assert mime.startswith("text/csv")
    assert page.asked[-1]["page"] == ""
    assert face.shown["said"]["text"] == "5 rows of orders exported; 1 had gone before."
    lines = content.decode().split("\r\n")
    assert lines[0].split(",")[:6] == [
        "id",
        "market_id",
        "side",
        "quantity",
        "filled_quantity",
        "price",
    ]
    # A formula is a text; a number is one, with its sign and every digit.
    frame = pd.read_csv(BytesIO(content)).set_index("id")
    assert list(frame.index) == ["p6", "p1", "p2", "p3", "p4"]
    assert list(frame["market_id"]) == ["plain", "'=1+1", "'-5", "'@x", '\u00e9t\u00e9, "1"']
    assert frame["quantity"]["p1"] == 1 / 3
    assert frame["price"]["p1"] == 9.1
    assert np.isnan(frame["price"]["p6"])
    assert frame["submitted_at"]["p1"] == "1970-01-01T10:00:00.123456789Z"
    await do(face, "export", table="fills", format="json", numbers=[1])
    (row,) = json.loads(page.files[1][2])
    assert row == {
        "id": "f1",
        "order_id": "p6",
        "market_id": "plain",
        "side": "sell",
        "quantity": 2.0,
        "price": 10.0,
        "fee": 0.0,
        "timestamp": "1970-01-01T10:00:00.123456789Z",
        "is_maker": False,
        "realized_pnl": 0.0,
    }
    await do(face, "export", table="positions", format="csv", numbers=[1])
    positions = pd.read_csv(StringIO(page.files[2][2].decode()))
    assert positions["quantity"][0] == -2.0


@in_a_notebook
async def test_a_frame_is_what_the_account_has() -> None:
    ex = traded()
    ex.buy("ACME", 3, limit=99.5)
    face = Blotter(ex)
    orders, theirs = face.frame("orders"), ex.orders_frame()
    for name in ("market_id", "side", "quantity", "filled_quantity", "price", "status", "fees"):
        assert orders[name].fillna(-1).tolist() == theirs[name].fillna(-1).tolist(), name
    fills, theirs = face.frame("fills"), ex.fills_frame()
    for name in ("market_id", "side", "quantity", "price", "fee", "is_maker", "realized_pnl"):
        assert fills[name].tolist() == theirs[name].tolist(), name
    assert str(fills["timestamp"].dt.tz) == "UTC"
    positions, theirs = face.frame("positions"), ex.positions_frame()
    for name in ("quantity", "avg_cost", "mark", "unrealized_pnl", "realized_pnl", "fees"):
        assert positions[name].tolist() == theirs[name].tolist(), name
    assert list(positions.index) == list(theirs.index)
    # At once, and not as it was painted last.
    ex.cancel("p5")
    assert face.frame("orders")["status"]["p5"] == "canceled"
    empty = Blotter(account()).frame("orders")
    assert (len(empty), empty.dtypes.astype(str).to_dict()) == (
        0,
        orders.dtypes.astype(str).to_dict(),
    )
    with pytest.raises(ValueError, match="table must be one of"):
        face.frame("trades")


# ------------------------------------------------------------------------- its life
@in_a_notebook
async def test_it_can_be_read_and_exported_after_its_account_was_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PIECE", 2)
    ex = traded()
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders")
    for _ in range(5):
        ex.buy("ACME", 1, limit=50.0)
    ex.close()
    await passing(0.2)
    assert "closed" in face.ended
    # The very last change has come, and a page that is opened now gets everything.
    assert page.rows["orders"] == truth(face, "orders")
    late = Replica(face)
    await do(face, "rows", table="fills", have=0)
    assert late.rows["fills"] == truth(face, "fills")
    await do(face, "export", table="orders", format="csv", numbers=[5])
    assert b"p5,ACME" in late.files[0][2]
    await do(face, "library")
    assert "DataTables" in late.asked[-1]["library"]
    await do(face, "cancel", id="p5")
    assert len(face.frame("orders")) == 9
    assert face.frame("orders")["status"]["p5"] == "new"


@in_a_notebook
async def test_it_shows_an_engine_and_a_run_and_stays_when_the_run_has_ended() -> None:
    assert len(Blotter(traded().engine).frame("orders")) == 4
    feed = Synthetic(1, volatility=0.02, speed=2_000.0)
    with pytest.MonkeyPatch.context() as patch:  # ended before the loop's own patch is
        patch.setattr("horizon.feeds.deck.time", time)  # the run's thread has a clock that goes
        with in_background(feeds={"m": feed}, pipeline=[quoter], name="blotted") as handle:
            face = Blotter(handle)
            page = Replica(face)
            until(lambda: len(handle.fills) > 3)
            await page.open("orders", "fills", "positions")
            result = handle.stop()
    await passing(0.2)
    assert "closed" in face.ended
    for table in ("orders", "fills", "positions"):
        assert page.rows[table] == truth(face, table)
    assert not any(it["do"] for row in page.rows["orders"].values() for it in row[4])
    assert face.frame("fills")["price"].tolist() == [fill.price for fill in result.fills]
    statuses = face.frame("orders")["status"]
    assert set(statuses) <= {"filled", "canceled", "rejected"}
    assert len(statuses) == len(result.orders_frame())


def test_an_account_that_packs_its_orders_is_shown_like_any_other() -> None:
    """A run keeps its orders packed: ended ones are read from there."""

    @in_a_notebook
    async def look() -> None:
        from horizon.client import ImperativeClient
        from horizon.engine import Engine
        from horizon.venues.paper import Paper

        packed = Paper(initial_cash_usd=1e6, clock=lambda: 0.0)
        packed.account = type(packed.account)(1e6, compact=True)
        packed.apply = packed.account
        plain = Paper(initial_cash_usd=1e6, clock=lambda: 0.0)
        pages = []
        for venue in (packed, plain):
            ex = ImperativeClient(Engine(venue=venue))
            ex.tick("ACME", 100.0, 0.0)
            face = Blotter(ex)
            page = Replica(face)
            await page.open("orders", "fills")
            for number in range(40):
                ex.buy("ACME", 1 + number % 3, limit=99.0 + number % 4)
                if number % 7 == 0:
                    await passing(0.1)
            ex.cancel("p1")
            ex.tick("ACME", 99.0, 1.0)
            await passing(0.3)
            pages.append(page)
        assert len(pages[0].rows["orders"]) == 40
        assert pages[0].rows == pages[1].rows

    look()


@in_a_notebook
async def test_orders_of_another_thread_are_seen_whole() -> None:
    ex = account(initial_cash_usd=1e9)
    ex.tick("ACME", 100.0, 0.0)
    face = Blotter(ex)
    page = Replica(face)
    await page.open("orders", "fills")

    def trade() -> None:
        for number in range(400):
            ex.buy("ACME", 1, limit=99.0 + number % 3)

    worker = threading.Thread(target=trade)
    worker.start()
    while worker.is_alive():
        await passing(0.1)
        for row in page.rows["orders"].values():
            assert row[3][3][0] in ("working", "filled")
            assert (row[3][3][0] == "filled") == (row[3][4][1] == row[3][5][1])
    await asyncio.to_thread(worker.join)
    await turns()
    await page.open("orders", "fills")
    assert page.rows["orders"] == truth(face, "orders")
    assert len(page.rows["orders"]) == 400


@pytest.mark.parametrize(
    "options, error, expected",
    [
        ({"tabs": "orders"}, TypeError, "tabs must be a list of names"),
        ({"tabs": ["order"]}, ValueError, "Did you mean 'orders'?"),
        ({"tabs": []}, ValueError, "at least one table"),
        ({"columns": ["market"]}, TypeError, "columns must map a table"),
        ({"columns": {"order": ["market"]}}, ValueError, "columns must be one of"),
        ({"columns": {"orders": ["markt"]}}, ValueError, "Did you mean 'market'?"),
        ({"tabs": ["fills"], "columns": {"orders": ["market"]}}, ValueError, "columns must be"),
        ({"columns": {"orders": []}}, ValueError, "at least one column"),
        ({"density": "dense"}, ValueError, "density must be one of 'compact', 'roomy'"),
        ({"visible_rows": 2}, ValueError, "visible_rows must be 3 or more"),
        ({"most": 0}, ValueError, "most must be 1 or more"),
        ({"most": 25_001}, ValueError, "most must be at most 25,000, was 25,001"),
        ({"on_amend": "ticket"}, TypeError, "on_amend must be callable"),
        ({"palette": "blue"}, ValueError, "palette must be one of"),
    ],
    ids=lambda it: next(iter(it)) if isinstance(it, dict) else None,
)
def test_wrong_arguments_are_named(
    options: dict[str, Any], error: type[Exception], expected: str
) -> None:
    @in_a_notebook
    async def make() -> None:
        with pytest.raises(error, match=expected.replace("?", r"\?")):
            Blotter(account(), **options)

    make()


@in_a_notebook
async def test_no_client_is_refused() -> None:
    with pytest.raises(TypeError, match="ex must be a client"):
        Blotter("paper")
    face = Blotter(account())
    with pytest.raises(TypeError, match="on_amend must be callable"):
        face.on_amend = 3  # type: ignore[assignment]


@in_a_notebook
async def test_without_its_grid_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from horizon.widgets.blotter import grid as blotter_grid

    blotter_grid._bundle.cache_clear()
    monkeypatch.setattr(blotter_grid, "_PACKAGE", "no_such_package")
    with pytest.raises(ModuleNotFoundError, match=r"horizon-workbench\[lab\]"):
        Blotter(account())
    blotter_grid._bundle.cache_clear()


@in_a_notebook
async def test_only_its_tabs_are_looked_at() -> None:
    face = Blotter(traded(), tabs=["positions", "fills"])
    assert [it["id"] for it in face.shown["tables"]] == ["positions", "fills"]
    await do(face, "cancel many", numbers=[1])
    assert "table must be one of 'positions', 'fills'" in face.shown["error"]
