"""The book ladder: its rows and numbers, its cursor, and that it keeps still."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon.types import AssetClass
from horizon.venues.events import state_of
from horizon.venues.fill_models import ProbabilisticFills
from horizon.venues.latency import ConstantLatency
from horizon.widgets.ladder import BookLadder
from tests.widgets.notebook import (
    Page,
    account,
    assert_fit_to_show,
    do,
    in_a_notebook,
    loop_now,
    on_a_loop,
    passing,
    turns,
)
from tests.widgets.test_hostile_names import every_name

M = hz.Market("m", hz.Prediction, tick_size=0.01)
BIDS = [(0.54, 100.0), (0.53, 200.0), (0.50, 1_500.0)]
ASKS = [(0.56, 50.0), (0.57, 200.0), (0.60, 400.0)]


def booked(*, at: float = 1_000.0, **options: Any) -> hz.ImperativeClient:
    """An account with one book of one prediction market."""
    ex = hz.connect("book", markets=[M], clock=lambda: 0.0, **options)
    ex.take_book("m", BIDS, ASKS, at)
    return ex


def row(ladder: BookLadder, price: str) -> dict[str, Any]:
    """The row of a price."""
    return next(row for row in ladder.shown["rows"] if row["price"] == price)


def prices(ladder: BookLadder) -> list[str]:
    return [row["price"] for row in ladder.shown["rows"]]


async def press(ladder: BookLadder, verb: str, **given: Any) -> None:
    """Send what is done to a row, as the page does: with what its rows were prices of."""
    of = [ladder.shown[name] for name in ("market", "side", "ticks")]
    await do(ladder, verb, of=of, **given)


def facts(ladder: BookLadder) -> dict[str, str]:
    return dict(ladder.shown["facts"])


# ------------------------------------------------------------------------ rows
@in_a_notebook
async def test_rows_are_the_grid_around_the_mid_with_sizes_bars_and_totals() -> None:
    ladder = BookLadder(booked(), depth=5)
    # The mid is 0.55: five rows above it and five from it on down.
    assert prices(ladder) == [f"0.{cents}" for cents in range(60, 50, -1)]
    assert ladder.shown["columns"] == [
        *(["My buys", "contracts"], ["Bid total", "contracts"], ["Bid", "contracts"]),
        *(["Price", "USD"], ["Ask", "contracts"], ["Ask total", "contracts"]),
        ["My sells", "contracts"],
    ]
    # The largest size shown is 400, at 0.60: 50 are 12.5 percent of it, 200 are 50.
    asks = {r["price"]: r["ask"] for r in ladder.shown["rows"] if r["ask"]}
    assert asks == {
        "0.60": ["400", 100, "650"],
        "0.57": ["200", 50, "250"],
        "0.56": ["50", 12, "50"],
    }
    bids = {r["price"]: r["bid"] for r in ladder.shown["rows"] if r["bid"]}
    assert bids == {"0.54": ["100", 25, "100"], "0.53": ["200", 50, "300"]}
    assert [(r["price"], r["zone"]) for r in ladder.shown["rows"]][3:7] == [
        *(("0.57", "ask"), ("0.56", "ask"), ("0.55", "inside"), ("0.54", "bid")),
    ]
    assert [r["price"] for r in ladder.shown["rows"] if r["touch"]] == ["0.56", "0.54"]
    assert row(ladder, "0.55")["tags"] == []  # a mid is nobody's trade
    assert facts(ladder) == {
        "Bid, USD": "0.54 × 100",
        "Ask, USD": "0.56 × 50",
        # 0.02 of 0.55 are 363.6 basis points.
        "Spread, USD": "0.02 (2 ticks, 363.6 bps)",
        "Mid, USD": "0.55",
        "Last, USD": "–",  # a mid is nobody's trade
        "Time, UTC": "00:16:40",
    }
    # 300 of 950 that are shown; the bid of 1,500 at 0.50 is not.
    assert ladder.shown["imbalance"] == {
        "percent": 31.6,
        "words": "32 % bid: 300 bid, 650 asked, contracts shown",
    }


@in_a_notebook
async def test_rows_of_several_ticks_look_no_better_than_they_are() -> None:
    ladder = BookLadder(booked(), depth=5, group=5)
    # Bids of 0.54 and 0.53 stand at 0.50, asks of 0.56 and 0.57 at 0.60.
    assert row(ladder, "0.50")["bid"] == ["1,800", 100, "1,800"]
    assert row(ladder, "0.60")["ask"] == ["650", 36, "650"]
    assert row(ladder, "0.55")["bid"] is None
    assert row(ladder, "0.55")["zone"] == "inside"
    await do(ladder, "group", group="1")
    assert row(ladder, "0.54")["bid"][0] == "100"
    assert [text for _, text in ladder.shown["groups"]] == [
        "1 tick, 0.01 USD",
        *("5 ticks, 0.05 USD", "10 ticks, 0.10 USD", "25 ticks, 0.25 USD"),
    ]
    await do(ladder, "group", group="25")
    ends = [r for r in ladder.shown["rows"] if r["off"]]
    assert [r["price"] for r in ends] == ["1.00", "0.00"]  # where no order can be
    await do(ladder, "group", group="3")
    assert "group must be one of '1', '5'" in ladder.shown["error"]


@in_a_notebook
async def test_a_market_without_a_tick_size_is_shown_as_it_is_quoted() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    ex.take_book("ACME", [(99.5, 3.0), (98.0, 4.0)], [(100.25, 5.0), (100.5, 6.0)], 1.0)
    ex.buy("ACME", 2, limit=97.125)
    ladder = BookLadder(ex, depth=5)
    assert prices(ladder) == ["100.500", "100.250", "99.500", "98.000", "97.125"]
    assert row(ladder, "98.000")["bid"] == ["4", 67, "7"]
    assert row(ladder, "97.125")["own"][0]["size"] == "2"
    assert (ladder.shown["is_grid"], ladder.shown["groups"]) == (False, [["1", "as quoted"]])
    assert facts(ladder)["Spread, USD"] == "0.750 (75.1 bps)"
    # Ten thousandths of a cent apart, and told apart.
    ex.take_book("ACME", [(99.500001, 3.0), (99.5, 1.0)], [], 2.0)
    ladder.paint()
    assert len(ladder.shown["rows"]) == 3
    gridded = BookLadder(ex, depth=5, tick_size=0.25)
    assert prices(gridded)[:2] == ["100.75", "100.50"]
    assert row(gridded, "99.50")["bid"][0] == "4"


@in_a_notebook
async def test_large_and_small_numbers_keep_their_columns() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    tiny = hz.Market("DOGE/USD", hz.Crypto, tick_size=1e-8)
    ex.declare(tiny)
    bids = [(0.00012345, 123_456_789.0), (0.00012344, 0.000001)]
    ex.take_book("DOGE/USD", bids, [(0.00012346, 9_999_999.5)], 1.0)
    ladder = BookLadder(ex, depth=5)
    assert row(ladder, "0.00012345")["bid"][0] == "123.5 M"
    assert row(ladder, "0.00012344")["bid"][0] == "0.000001"
    assert row(ladder, "0.00012346")["ask"][0] == "9,999,999.5"
    assert facts(ladder)["Spread, USD"] == "0.00000001 (1 tick, 0.8 bps)"
    assert ladder.shown["columns"][0] == ["My buys", "coins"]
    assert ladder.shown["caption"] == "Sizes in coins, prices in USD."


@in_a_notebook
async def test_what_this_account_has_taken_is_gone_until_the_next_book() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=5)
    ex.buy("m", 80, market=True)
    ladder.paint()
    assert row(ladder, "0.56")["ask"] is None
    assert row(ladder, "0.57")["ask"] == ["170", 42, "170"]
    assert facts(ladder)["Ask, USD"] == "0.57 × 170"
    # Half-way between 0.54 and 0.57 now; the book came with 0.56. Neither is a trade.
    assert (facts(ladder)["Mid, USD"], facts(ladder)["Last, USD"]) == ("0.555", "–")
    assert row(ladder, "0.57")["tags"] == [
        ["fill", "▲ 30", "buy", "Last own fill: bought 30 at 0.57"]
    ]
    ex.take_book("ACME", [(0.55, 1.0)], [(0.56, 1.0)], 1_000.0)
    ex.buy("ACME", 1, market=True)  # another market's fill is none of its own
    ladder.paint()
    assert row(ladder, "0.57")["tags"][0][1] == "▲ 30"
    ex.take_book("m", BIDS, ASKS, 1_001.0, price=0.54)
    ladder.paint()
    assert row(ladder, "0.56")["ask"][0] == "50"
    assert row(ladder, "0.54")["tags"] == [["last", "last", "", "Last price"]]
    ex.take_book("m", BIDS, ASKS, 1_002.0, trade=0.57)
    ladder.paint()
    assert ex.quote("m").price == 0.55  # a trade marks nothing
    assert (row(ladder, "0.54")["tags"], facts(ladder)["Last, USD"]) == ([], "0.57")
    assert row(ladder, "0.57")["tags"][0] == ["last", "last", "", "Last price"]
    await do(ladder, "side", side="no")
    assert facts(ladder)["Last, USD"] == "0.43"


# ------------------------------------------------------------------------ own orders
@in_a_notebook
async def test_own_orders_stand_at_their_price_with_their_place_in_the_queue() -> None:
    ex = booked(fill_model=ProbabilisticFills(0.0, 1.0))
    ex.buy("m", 10, limit=0.54)
    ex.buy("m", 5, limit=0.54)
    ex.sell("m", 7, limit=0.60)
    ex.buy("m", 3, limit=0.52)
    ladder = BookLadder(ex, depth=5)
    own = row(ladder, "0.54")["own"]
    assert (own[0]["size"], own[0]["place"], own[0]["ids"]) == (
        "15",
        "100 ahead (2)",
        ["p1", "p2"],
    )
    assert own[1] is None
    assert own[0]["name"] == (
        "Cancel 2 orders: p1: BUY +10 m YES at 0.54, 100 ahead of it in the queue; "
        "p2: BUY +5 m YES at 0.54, 100 ahead of it in the queue"
    )
    assert row(ladder, "0.60")["own"][1]["place"] == "400 ahead"
    assert row(ladder, "0.52")["own"][0]["place"] == "0 ahead"  # nobody shows this price
    # Of 100 ahead, 75 have left: 100 - 75 x 100/100.
    ex.take_book("m", [(0.54, 25.0)], ASKS, 1_001.0)
    ladder.paint()
    assert row(ladder, "0.54")["own"][0]["place"] == "25 ahead (2)"


@in_a_notebook
async def test_a_place_that_nobody_keeps_is_said_to_be_unknown() -> None:
    ex = booked(latency=ConstantLatency(100))
    ex.take_book("m", BIDS, ASKS, 2_000.0)
    order = ex.buy("m", 10, limit=0.54)
    ladder = BookLadder(ex, depth=5)
    assert row(ladder, "0.54")["own"][0]["place"] == "on its way"
    ex.take_book("m", BIDS, ASKS, 2_001.0)
    ladder.paint()
    own = row(ladder, "0.54")["own"][0]
    assert (own["place"], own["leaving"]) == ("place unknown", False)
    assert own["title"] == "p1: BUY +10 m YES at 0.54, place in the queue unknown"
    await do(ladder, "cancel", ids=[order.id])
    own = row(ladder, "0.54")["own"][0]
    assert (own["place"], own["leaving"]) == ("cancel on its way", True)


@in_a_notebook
async def test_orders_are_cancelled_in_their_row() -> None:
    ex = booked()
    for size in (1, 2, 3):
        ex.buy("m", size, limit=0.53)
    ladder = BookLadder(ex, depth=5)
    await do(ladder, "cancel", ids=row(ladder, "0.53")["own"][0]["ids"][:2])
    assert [order.id for order in ex.open_orders()] == ["p3"]
    await do(ladder, "cancel", ids=["p1", "p3"])  # one of them has ended meanwhile
    assert (ex.open_orders(), ladder.shown["error"]) == ([], None)
    await do(ladder, "cancel", ids=["p3"])
    assert ladder.shown["error"] == "nothing was cancelled: p3 has ended already"


@in_a_notebook
async def test_delete_cancels_what_stands_at_the_cursor_on_its_side() -> None:
    ex = booked()
    ex.buy("m", 1, limit=0.53)
    ex.sell("m", 2, limit=0.60)
    ex.buy("m", 3, limit=0.54)
    ladder = BookLadder(ex, depth=5)
    await press(ladder, "cancel")
    assert len(ex.open_orders()) == 3  # there is no cursor yet
    await do(ladder, "move", by=-1, side="")  # begins at the best bid
    await do(ladder, "move", by=-1, side="")
    await do(ladder, "move", by=0, side="sell")
    await press(ladder, "cancel")
    assert len(ex.open_orders()) == 3  # nothing is sold there
    await do(ladder, "move", by=0, side="buy")
    await press(ladder, "cancel")
    assert [order.id for order in ex.open_orders()] == ["p2", "p3"]


@in_a_notebook
async def test_no_is_the_mirror_of_yes() -> None:
    ex = booked()
    ex.buy("m", 10, limit=0.52)
    ex.buy("m:no", 4, limit=0.42)  # as YES sold at 0.58
    ladder = BookLadder(ex, depth=5)
    assert ladder.shown["sides"] == [["yes", "YES"], ["no", "NO"]]
    assert row(ladder, "0.58")["own"][1]["name"].startswith("Cancel order p2: BUY +4 m NO at 0.42")
    await do(ladder, "side", side="no")
    assert ladder.market == "m:no"
    assert row(ladder, "0.44")["bid"][0] == "50"  # the ask of YES at 0.56
    assert row(ladder, "0.46")["ask"][0] == "100"
    assert row(ladder, "0.42")["own"][0]["size"] == "4"
    assert row(ladder, "0.48")["own"][1]["size"] == "10"
    named = BookLadder(ex, market="m:no", depth=5)
    assert named.shown["rows"] == ladder.shown["rows"]
    ex.buy("m:no", 50, market=True)  # takes the bid of YES at 0.54
    named.paint()
    assert row(named, "0.46")["tags"][0][1] == "▲ 50"
    await do(named, "side", side="yes")
    assert row(named, "0.54")["tags"][0][1] == "▼ 50"


# ------------------------------------------------------------------------ the window
def level(mid: int) -> tuple[Any, Any]:
    """A book one tick off the mid, which is given in cents."""
    return [((mid - 1) / 100, 5.0)], [((mid + 1) / 100, 5.0)]


def move(ex: hz.ImperativeClient, ladder: BookLadder, mid: int) -> list[str]:
    ex.take_book("m", *level(mid))
    ladder.paint()
    return [prices(ladder)[0], prices(ladder)[-1]]


@in_a_notebook
async def test_the_window_follows_the_mid_and_not_every_tick() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=10)
    assert [prices(ladder)[0], prices(ladder)[-1]] == ["0.65", "0.46"]
    for mid in (56, 57, 58, 57, 54, 52):  # within a third of ten rows
        assert move(ex, ladder, mid) == ["0.65", "0.46"]
    assert move(ex, ladder, 59) == ["0.69", "0.50"]
    count = ladder.shown["centred"]
    assert move(ex, ladder, 60) == ["0.69", "0.50"]
    assert ladder.shown["centred"] == count
    await do(ladder, "scroll", by=0)
    assert prices(ladder)[0] == "0.70"
    assert ladder.shown["centred"] == count + 1


@in_a_notebook
async def test_nothing_moves_under_the_pointer() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=5)
    await do(ladder, "hold", on=True, page="tab 1")
    assert move(ex, ladder, 70) == ["0.60", "0.51"]
    assert ladder.shown["held"] is True
    assert ladder.shown["note"].startswith("The best prices lie outside of the rows shown")
    await do(ladder, "hold", on=True, page="tab 2")
    await do(ladder, "hold", on=False, page="tab 1")
    assert move(ex, ladder, 71) == ["0.60", "0.51"]
    await do(ladder, "hold", on=False, page="tab 2")
    assert (prices(ladder)[0], ladder.shown["note"]) == ("0.76", "")
    # A tab that has gone without a word holds it for some seconds.
    await do(ladder, "hold", on=True, page="tab 3")
    assert move(ex, ladder, 50)[0] == "0.76"
    await passing(6.0)
    assert prices(ladder)[0] == "0.55"


@in_a_notebook
async def test_prices_as_quoted_keep_their_rows_under_the_pointer() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    ex.take_book("ACME", [(99.5, 3.0)], [(100.25, 5.0)], 1.0)
    ladder = BookLadder(ex)
    await do(ladder, "hold", on=True, page="here")
    ex.take_book("ACME", [(99.0, 3.0)], [(100.25, 8.0)], 2.0)
    ladder.paint()
    assert [(r["price"], r["bid"], r["ask"]) for r in ladder.shown["rows"]] == [
        ("100.25", None, ["8", 100, "8"]),
        ("99.50", None, None),
    ]
    await do(ladder, "hold", on=False, page="here")
    assert prices(ladder) == ["100.25", "99.00"]


@in_a_notebook
async def test_a_ladder_held_still_stays_and_can_be_moved_by_hand() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=10, follow=False)
    assert move(ex, ladder, 80) == ["0.65", "0.46"]
    await do(ladder, "scroll", by=1)
    assert prices(ladder)[0] == "0.70"  # by half a side
    await do(ladder, "follow")
    assert (ladder.shown["follow"], prices(ladder)[0]) == (True, "0.90")
    await do(ladder, "scroll", by=-1)
    assert (ladder.shown["follow"], prices(ladder)[0]) == (False, "0.85")


@pytest.mark.parametrize(("mid", "ends"), [(3, ["0.20", "0.01"]), (98, ["0.99", "0.80"])])
@in_a_notebook
async def test_the_rows_of_a_prediction_end_where_its_prices_do(mid: int, ends: list[str]) -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=10)
    assert move(ex, ladder, mid) == ends
    for by in (1, 1, 1) if mid > 50 else (-1, -1, -1):
        await do(ladder, "scroll", by=by)
    assert [prices(ladder)[0], prices(ladder)[-1]] == ends


@in_a_notebook
async def test_depths_can_be_chosen() -> None:
    ladder = BookLadder(booked(), depth=50)
    # A hundred rows there are not: prices of YES go from one cent to 99.
    assert [len(prices(ladder)), prices(ladder)[0], prices(ladder)[-1]] == [99, "0.99", "0.01"]
    await do(ladder, "depth", depth="5")
    assert len(prices(ladder)) == 10
    await do(ladder, "depth", depth="7")
    assert "depth must be one of '5', '10', '20', '50'" in ladder.shown["error"]


# ------------------------------------------------------------------------ the cursor
@in_a_notebook
async def test_the_cursor_says_what_an_order_would_take_up_to_there() -> None:
    ladder = BookLadder(booked(), depth=10)
    assert ladder.shown["cursor"] is None
    await do(ladder, "move", by=1, side="")
    cursor = ladder.shown["cursor"]
    assert (cursor["row"], cursor["side"]) == ("56", "sell")  # it begins at the touch
    assert cursor["words"] == (
        "Buy 50 contracts up to 0.56 USD: 1 level, average 0.56 USD, 28.00 USD, "
        "181.8 bps worse than the mid."
    )
    await do(ladder, "move", by=4, side="")
    # 50 at 0.56, 200 at 0.57 and 400 at 0.60 are 382: 0.587692... each.
    assert ladder.shown["cursor"]["words"] == (
        "Buy 650 contracts up to 0.60 USD: 3 levels, average 0.5877 USD, 382.00 USD, "
        "685.3 bps worse than the mid."
    )
    await do(ladder, "move", by=-5, side="")
    assert ladder.shown["cursor"]["words"] == (
        "0.55 USD: nothing stands up to here that an order would take."
    )
    await do(ladder, "move", by=-2, side="buy")
    assert ladder.shown["cursor"]["words"].startswith(
        "Sell 300 contracts down to 0.53 USD: 2 levels, average 0.5333 USD"
    )
    assert ladder.shown["cursor"]["spoken"].startswith("Buy side, 0.53. Sell 300")
    await do(ladder, "drop")
    assert ladder.shown["cursor"] is None


@in_a_notebook
async def test_the_window_comes_along_with_the_cursor_and_ends_with_the_prices() -> None:
    ladder = BookLadder(booked(), depth=5)
    await do(ladder, "hold", on=True, page="here")  # as its page says with the focus
    await do(ladder, "move", by=1, side="")
    await do(ladder, "move", by=10, side="")
    assert (ladder.shown["cursor"]["row"], prices(ladder)[0]) == ("66", "0.66")
    await do(ladder, "move", by=1_000, side="")
    assert (ladder.shown["cursor"]["row"], prices(ladder)[0]) == ("99", "0.99")
    await do(ladder, "move", by=-1_000, side="")
    assert (ladder.shown["cursor"]["row"], prices(ladder)[-1]) == ("1", "0.01")


@in_a_notebook
async def test_a_price_that_is_taken_is_told_with_its_side() -> None:
    told: list[Any] = []
    ladder = BookLadder(booked(), depth=5, on_price=lambda *given: told.append(given))
    await press(ladder, "price", row="57", side="buy", take=False)
    await press(ladder, "price", row="57", side="buy", take=True)
    await press(ladder, "price", row="57", side="sell", take=True)  # no bids up there
    assert told == [("m", "buy", 0.57, None), ("m", "buy", 0.57, 250.0), ("m", "sell", 0.57, None)]
    labels = [(a["label"], a["take"]) for a in ladder.shown["cursor"]["actions"]]
    assert labels == [
        *(("BUY + at 0.57", False), ("SELL − at 0.57", False), ("BUY +250 to 0.57", True)),
    ]
    told.clear()
    # Keys: whatever the page had drawn, they are about the cursor as the keys before left it.
    await do(ladder, "drop")
    await press(ladder, "price", row="", take=False)
    assert told == []
    await do(ladder, "move", by=-1, side="")
    await do(ladder, "move", by=-1, side="")
    await press(ladder, "price", row="", take=False)
    await press(ladder, "price", row="", take=True)  # 300 are sold down to there
    assert told == [("m", "buy", 0.53, None), ("m", "sell", 0.53, 300.0)]
    await do(ladder, "side", side="no")
    await press(ladder, "price", row="47", side="sell", take=False)
    assert told[-1] == ("m:no", "sell", 0.47, None)
    await press(ladder, "price", row="99", side="sell", take=False)
    assert ladder.shown["error"] == "row '99' is not on this ladder any more: look again"
    assert len(told) == 3


@pytest.mark.parametrize(
    ("turned", "now"),
    [
        (("side", {"side": "no"}), "'m', NO side, in rows of 1 tick"),
        (("group", {"group": "5"}), "'m', YES side, in rows of 5 ticks"),
        (("choose", {"market": "other"}), "'other', YES side, in rows of 1 tick"),
    ],
    ids=["side", "group", "market"],
)
@in_a_notebook
async def test_what_was_clicked_on_other_rows_is_refused(turned: Any, now: str) -> None:
    told: list[Any] = []
    ex = booked()
    ex.declare(hz.Market("other", hz.Prediction, tick_size=0.01))
    ex.take_book("other", BIDS, ASKS, 1_000.0)
    ladder = BookLadder(ex, depth=50, on_price=lambda *given: told.append(given))
    seen = ["m", "yes", "1"]
    await do(ladder, turned[0], **turned[1])
    # There is a row 10 in each: 0.10, or 0.50 in rows of five ticks.
    assert "10" in [one["id"] for one in ladder.shown["rows"]]
    for of in (seen, None, "m", []):
        await do(ladder, "price", row="10", side="buy", take=False, of=of)
        assert ladder.shown["error"] == (
            f"nothing was done: the ladder has turned, and shows {now} by now; look again"
        )
        await do(ladder, "point", row="10", side="buy", of=of)
        assert ladder.shown["error"].startswith("nothing was done")
    # Keys are about a cursor that has been put somewhere else since.
    await do(ladder, "move", by=-1, side="buy")
    ex.buy(ladder.market or "", 3, limit=0.10)
    await do(ladder, "price", row="", take=False, of=seen)
    await do(ladder, "cancel", of=seen)
    assert ladder.shown["error"].startswith("nothing was done")
    assert (told, len(ex.open_orders())) == ([], 1)
    await press(ladder, "price", row="10", side="buy", take=False)
    assert (ladder.shown["error"], len(told)) == (None, 1)


@in_a_notebook
async def test_a_price_that_is_taken_shows_at_once_in_what_it_fills() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=5)
    assert (ladder.shown["clickable"], "price" in ladder.private) == (False, False)
    await press(ladder, "price", row="57", side="buy", take=False)
    assert ladder.shown["cursor"]["actions"] == []  # nobody to be told
    ladder.on_price = lambda market, side, price, quantity: ex.buy(market, 1, limit=price)
    await press(ladder, "price", row="53", side="buy", take=False)
    assert row(ladder, "0.53")["own"][0]["size"] == "1"


@in_a_notebook
async def test_prices_of_rows_are_those_that_people_write() -> None:
    told: list[float] = []
    ex = hz.connect("book", clock=lambda: 0.0)
    ex.declare(hz.Market("ACME", hz.Equity, tick_size=0.1))
    ex.take_book("ACME", [(0.3, 1.0)], [(0.7, 1.0)], 1.0)
    ladder = BookLadder(ex, on_price=lambda _, __, price, ___: told.append(price))
    for key in (3, 6, 7):
        await press(ladder, "price", row=str(key), side="buy", take=False)
    assert told == [0.3, 0.6, 0.7]  # 3 x 0.1 is 0.30000000000000004
    assert prices(ladder)[-1] == "0.10"  # nothing has a price of 0


# ------------------------------------------------------------------------ other accounts
@in_a_notebook
async def test_a_paper_account_shows_its_quotes_and_orders_and_says_that_it_has_no_book() -> None:
    ex = account()
    ladder = BookLadder(ex, depth=5)
    assert (ladder.shown["rows"], ladder.shown["empty"]) == ([], "No market has a price yet.")
    ex.declare(hz.Market("ACME", hz.Equity, tick_size=0.5))
    ex.tick("ACME", 100.0, 5.0, bid=99.5, ask=100.5)
    ex.buy("ACME", 3, limit=99.0)
    ladder.paint()
    assert ladder.shown["note"].startswith("This account has no order book")
    assert row(ladder, "99.50")["bid"] == ["?", 0, "?"]
    assert row(ladder, "99.00")["own"][0]["place"] == "place unknown"
    assert (ladder.shown["imbalance"], facts(ladder)["Bid, USD"]) == (None, "99.50")
    await do(ladder, "move", by=1, side="")
    words = ladder.shown["cursor"]["words"]
    assert words == "Buy up to 100.50 USD: the size there is not known."
    ex.tick("ACME", 100.0, 6.0)  # without quotes
    ladder.paint()
    assert row(ladder, "100.00")["tags"] == [["last", "last", "", "Last price"]]
    assert facts(ladder)["Spread, USD"] == "–"


@in_a_notebook
async def test_before_the_first_book_and_after_the_settlement_it_says_so() -> None:
    ex = hz.connect("book", markets=[M], clock=lambda: 0.0)
    ex.buy("m", 5, limit=0.5)
    ladder = BookLadder(ex, depth=5)
    assert ladder.shown["note"].startswith("No book has come yet")
    assert ladder.shown["rows"] == []
    ex.take_book("m", [], [(0.56, 3.0)], 1.0)
    ladder.paint()
    assert row(ladder, "0.56")["touch"] is True
    assert facts(ladder)["Bid, USD"] == "–"
    ex.settle("m", 1.0)
    ladder.paint()
    assert ladder.shown["note"] == "Settled at 1.00."


@in_a_notebook
async def test_it_stands_on_an_engine_whose_books_come_in_another_thread() -> None:
    ex = booked(fill_model="probabilistic")
    ex.buy("m", 2, limit=0.54)  # of the five that come to be asked: a mid is left
    ladder = BookLadder(ex.engine, depth=50)
    is_over = threading.Event()

    def feed() -> None:
        while not is_over.is_set():
            ex.take_book("m", BIDS, ASKS, ex.time + 0.001)
            ex.take_book("m", *level(30), ex.time + 0.001)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        for _ in range(60):
            ladder.paint()
            assert facts(ladder)["Mid, USD"] in ("0.55", "0.30")
            touch = [r["price"] for r in ladder.shown["rows"] if r["touch"]]
            assert touch in (["0.56", "0.54"], ["0.31", "0.29"])
    finally:
        is_over.set()
        thread.join()
    assert not ladder.ended


@in_a_notebook
async def test_a_closed_account_leaves_its_last_book() -> None:
    ex = booked()
    ladder = BookLadder(ex, depth=5)
    ex.close()
    ladder.paint()
    assert ladder.ended == "its account was closed"
    assert row(ladder, "0.54")["bid"][0] == "100"


@in_a_notebook
async def test_markets_are_chosen_and_shown() -> None:
    ex = booked()
    ex.take_book("ACME", [(9.0, 1.0)], [(10.0, 1.0)], 1_000.0)
    ladder = BookLadder(ex)
    assert (ladder.market, ladder.shown["markets"]) == ("m", [["m", "m"], ["ACME", "ACME"]])
    await do(ladder, "move", by=1, side="")
    await do(ladder, "choose", market="ACME")
    assert (ladder.market, ladder.shown["sides"], ladder.shown["cursor"]) == ("ACME", [], None)
    ladder.show("m:no")
    assert ladder.market == "m:no"
    await do(ladder, "move", by=1, side="")
    ladder.show("m")  # is on show, on this side
    await turns()
    assert (ladder.market, ladder.shown["cursor"] is None) == ("m:no", False)
    ladder.show("nowhere")
    assert ladder.market == "m:no"
    await do(ladder, "choose", market="nowhere")
    assert ladder.shown["error"] == "market 'nowhere' is not on the list of this ladder"
    # One that has no price yet is waited for.
    with pytest.raises(ValueError, match="known here: 'm', 'ACME'; was 'later'"):
        BookLadder(ex, market="later")
    ex.declare(hz.Market("later", hz.Equity))
    waiting = BookLadder(ex, market="later")
    assert (waiting.shown["rows"], waiting.shown["markets"][-1]) == ([], ["later", "later"])
    ex.take_book("later", [(1.0, 1.0)], [(2.0, 1.0)], 1_001.0)
    waiting.paint()
    assert prices(waiting) == ["2.00", "1.00"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"depth": 7}, ValueError, "depth must be one of 5, 10, 20, 50; was 7"),
        ({"depth": "10"}, TypeError, "depth must be a whole number"),
        ({"group": 2}, ValueError, "group must be one of 1, 5, 10, 25, 100; was 2"),
        ({"tick_size": 0}, ValueError, "tick_size must be above 0"),
        ({"follow": 1}, TypeError, "follow must be True or False"),
        ({"on_price": 3}, TypeError, "on_price must be a function, was 3"),
        ({"market": ""}, ValueError, "market must have 1 to 256 characters"),
        ({"palette": "grey"}, ValueError, "palette must be one of"),
        ({"ex": 3}, TypeError, "ex must be a client"),
    ],
    ids=range(9),
)
@in_a_notebook
async def test_wrong_arguments_are_refused(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    arguments = {"ex": booked(), **given}
    with pytest.raises(error, match=words):
        BookLadder(**arguments)


# ------------------------------------------------------------------------ whatever comes
@every_name
@in_a_notebook
async def test_hostile_names_are_shown_for_what_they_are(name: str) -> None:
    ex = hz.connect("book", clock=lambda: 0.0, fill_model="probabilistic")
    ex.declare(hz.Market(name, AssetClass.Prediction, tick_size=0.01))
    ex.take_book(name, BIDS, ASKS, 1.0)
    ex.buy(name, 5, limit=0.54)
    ex.buy(name, 5, market=True)
    ladder = BookLadder(ex, depth=5, on_price=lambda *_: None)
    await do(ladder, "move", by=1, side="")
    assert_fit_to_show(ladder)
    await do(ladder, "cancel", ids=[name])
    assert_fit_to_show(ladder)


VERBS = [
    *("choose", "side", "depth", "group", "follow", "scroll", "hold", "move", "point"),
    *("drop", "price", "dismiss", "x", "__class__", "\ud800"),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2_000, 2_000),
    st.floats(),
    st.sampled_from(["m", "m:no", "yes", "no", "buy", "sell", "5", "10", "25", "54", "99", "p1"]),
    st.text(max_size=6),
    st.lists(st.text(max_size=3), max_size=2),
    st.just(["m", "yes", "1"]),
)
FIELDS = ("market", "side", "depth", "group", "by", "page", "on", "row", "take", "beat", "of")


@in_a_notebook
async def test_a_step_without_end_is_refused_in_words() -> None:
    ladder = BookLadder(booked())
    for by in (math.inf, -math.inf, math.nan):
        await do(ladder, "scroll", by=by)
        said = "by must be a whole number from -1000 to 1000, was no finite number"
        assert ladder.shown["error"] == said


@pytest.mark.no_cover
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)
@given(
    st.lists(
        st.tuples(st.sampled_from(VERBS), st.dictionaries(st.sampled_from(FIELDS), VALUES)),
        max_size=12,
    )
)
def test_whatever_a_page_sends_nothing_breaks_and_nothing_is_traded(
    sent: list[tuple[str, dict[str, Any]]],
) -> None:
    async def work() -> None:
        ex = booked()
        ex.buy("m", 5, limit=0.54)
        ladder = BookLadder(ex, depth=5, on_price=lambda *_: None)
        before = state_of(ex.engine.venue.account)
        for verb, arguments in sent:
            ladder._hear(ladder, {"do": verb, **arguments})
            await turns(2)
            assert not ladder.ended
            assert_fit_to_show(ladder)
        assert state_of(ex.engine.venue.account) == before

    on_a_loop(work)


@in_a_notebook
async def test_what_has_not_changed_is_not_sent() -> None:
    ex = booked()
    ladder = BookLadder(ex)
    await turns()
    page = Page(ladder)
    loop_now()
    await passing(0.55)
    assert page.pictures == []
    ex.take_book("m", BIDS, [(0.56, 51.0)], 1_001.0)
    await passing(0.2)
    assert len(page.pictures) == 1
