"""Changing an open order in the ticket: loaded, previewed, confirmed once, or refused."""

from __future__ import annotations

from typing import Any

import pytest

import horizon as hz
from horizon import Market, Prediction, RiskConfig
from horizon.errors import OrderError
from horizon.types import VenueOrder
from horizon.venues.events import state_of
from horizon.venues.latency import ConstantLatency
from horizon.widgets import OrderTicket
from tests.venues.helpers import fill_part
from tests.widgets.notebook import (
    Clock,
    account,
    assert_fit_to_show,
    do,
    in_a_notebook,
    passing,
    turns,
)
from tests.widgets.tickets import confirm, edit, facts, preview, refused_preview


def resting(**options: Any) -> tuple[hz.ImperativeClient, VenueOrder]:
    """An account in which 10 of ACME are bid for at 99, of a market at 100."""
    ex = account(**options)
    ex.tick("ACME", 100.0, 0.0)
    return ex, ex.buy("ACME", 10, limit=99.0)


@in_a_notebook
async def test_an_order_is_loaded_with_what_may_be_changed() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex, market="OTHER")
    ticket.amend(order.id)
    assert ticket.amending == order.id
    shown = ticket.shown
    assert [(f["name"], f["label"]) for f in shown["fields"]] == [
        ("new_quantity", "New quantity, shares, filled ones included"),
        ("new_limit", "New limit, USD"),
    ]
    assert (shown["values"]["new_quantity"], shown["values"]["new_limit"]) == ("10", "99")
    assert shown["amend"] == {
        "title": "Amend order p1",
        "what": "BUY +10 ACME at 99.00 USD",
        "state": "working, 0 of 10 filled",
        "tone": "buy",
        "is_over": False,
    }
    assert dict(shown["quote"])["Last"] == "100.00"  # of its market, whatever the form says
    assert shown["call"] == 1  # the page brings the focus here
    assert_fit_to_show(ticket)
    await do(ticket, "leave")
    assert (ticket.amending, ticket.shown["amend"]) == (None, None)
    assert ticket.shown["fields"][0]["name"] == "market"
    assert ticket.shown["values"]["market"] == "OTHER"


@in_a_notebook
async def test_a_new_quantity_keeps_the_place_and_gives_back() -> None:
    ex, order = resting(fee_bps=10.0)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    before = state_of(ex.engine.venue.account)
    seen = await preview(ticket, new_quantity="4")
    assert seen["headline"] == "Amend p1: quantity 10 → 4"
    # 990 and a fee of 0.99 are kept back, 396.396 would be.
    assert facts(ticket) == {
        "Quantity, shares": "10 → 4",
        "Limit price, USD": "99.00",
        "Open after": "4 shares (0 filled)",
        "Queue place": "kept",
        "Notional still open": "396.00 USD",
        "Fee of that, as maker": "0.40 USD",
        "Buying power after": "99,603.60 USD (now 99,009.01)",
    }
    assert (seen["confirm"], seen["refusal"]) == ("Confirm: amend p1", None)
    assert state_of(ex.engine.venue.account) == before
    await confirm(ticket)
    assert ex.order(order.id).quantity == 4.0
    assert ticket.amending is None
    assert ticket.shown["done"]["text"] == "Order p1: BUY +4 ACME, working."


@in_a_notebook
async def test_a_new_limit_loses_the_place_and_says_so() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_limit="101", new_quantity="12")
    assert seen["headline"] == "Amend p1: quantity 10 → 12, limit 99.00 → 101.00 USD"
    assert facts(ticket)["Queue place"] == "lost: a new price arrives last"
    assert facts(ticket)["Limit price, USD"] == "99.00 → 101.00"
    assert "Fee of that, as taker" in facts(ticket)
    assert seen["notes"] == ["ACME has reached the new limit: the next tick may fill it."]
    await confirm(ticket)
    now = ex.order(order.id)
    assert (now.quantity, now.price) == (12.0, 101.0)


@pytest.mark.parametrize("times", [2, 3])
@in_a_notebook
async def test_clicks_on_one_amendment_make_one(times: int) -> None:
    ex, order = resting()
    heard: list[str] = []
    ex.engine.venue.subscribe(lambda event: heard.append(event[0]))
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_limit="98")
    for _ in range(times):
        ticket._hear(ticket, {"do": "confirm", "beat": ticket.beat, "preview": seen["id"]})
    await turns()
    await confirm(ticket, seen)  # another tab, later
    assert heard.count("amended") == 1
    assert ticket.shown["error"] is None


@in_a_notebook
async def test_an_order_that_has_filled_meanwhile_is_left_alone() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_quantity="20")
    ex.tick("ACME", 98.0, 1.0)
    await passing(0.2)
    assert ticket.shown["preview"]["refusal"] == "order 'p1' is filled; it cannot be amended"
    assert ticket.shown["amend"]["is_over"]
    assert ticket.shown["amend"]["state"] == "filled, 10 of 10 filled"
    before = state_of(ex.engine.venue.account)
    await confirm(ticket, seen)
    assert ticket.shown["error"] == "order 'p1' is filled; it cannot be amended"
    assert state_of(ex.engine.venue.account) == before
    await refused_preview(ticket, new_quantity="30")
    assert ticket.shown["error"] == "order 'p1' is filled; it cannot be amended"


@in_a_notebook
async def test_an_order_that_somebody_else_has_changed_is_looked_at_again() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_quantity="20")
    ex.amend(order.id, new_price=97.0)
    await passing(0.2)
    changed = "order 'p1' was changed meanwhile: nothing was sent. Look again"
    assert ticket.shown["preview"]["refusal"] == changed
    await confirm(ticket, seen)
    assert ticket.shown["error"] == changed
    assert ex.order(order.id).quantity == 10.0
    await preview(ticket, new_quantity="20", new_limit="97")
    await confirm(ticket)
    assert (ex.order(order.id).quantity, ex.order(order.id).price) == (20.0, 97.0)


@in_a_notebook
async def test_a_part_that_fills_meanwhile_stays_filled() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    await preview(ticket, new_quantity="8")
    fill_part(ex.engine.venue, order, 6.0, 99.0)
    await passing(0.2)
    assert facts(ticket)["Open after"] == "2 shares (6 filled)"
    assert ticket.shown["amend"]["state"] == "partly filled, 6 of 10 filled"
    await confirm(ticket)
    assert (ex.order(order.id).quantity, ex.order(order.id).filled_quantity) == (8.0, 6.0)
    ticket.amend(order.id)
    assert await refused_preview(ticket, new_quantity="6") == {
        "new_quantity": "new quantity must be above the 6 that have filled, was 6"
    }


@in_a_notebook
async def test_what_cannot_be_is_said_at_its_field() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction, tick_size=0.01, lot_size=10.0))
    order = ex.buy("rain", 100, limit=0.4)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    same = {"new_quantity": "nothing is changed: give another quantity or limit"}
    assert await refused_preview(ticket) == same
    assert await refused_preview(ticket, new_quantity="1e2", new_limit="0.40") == same
    assert list(await refused_preview(ticket, new_quantity="105")) == ["new_quantity"]
    assert list(await refused_preview(ticket, new_quantity="x")) == ["new_quantity"]
    wrong = await refused_preview(ticket, new_quantity="100", new_limit="0.455")
    assert list(wrong) == ["new_limit"]
    assert list(await refused_preview(ticket, new_limit="1.2")) == ["new_limit"]
    assert list(await refused_preview(ticket, new_limit="")) == ["new_limit"]
    assert ticket.shown["error"] is None
    await edit(ticket, new_limit="0.41")
    assert ticket.shown["wrong"] == {}


@in_a_notebook
async def test_money_and_risk_refuse_in_the_preview_and_at_the_click() -> None:
    ex, order = resting(risk=RiskConfig(max_order_size=5_000.0))
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_quantity="2000")
    assert seen["refusal"].startswith("buying power: the orders of 'ACME' would need 198,000.00")
    assert seen["confirm"] == "Cannot be sent"
    await confirm(ticket)
    assert ticket.shown["error"].startswith("buying power: ")
    seen = await preview(ticket, new_quantity="6000")
    assert "max_order_size" in seen["refusal"]
    assert ex.engine.rejections == {}
    assert ex.order(order.id).quantity == 10.0


@in_a_notebook
async def test_a_limit_that_reaches_the_book_shows_what_it_takes() -> None:
    ex = hz.connect("book", initial_cash=1_000.0, clock=lambda: 0.0)
    ex.take_book("ACME", bids=[(98.0, 5)], asks=[(100.0, 3), (101.0, 20)])
    order = ex.buy("ACME", 5, limit=97.0)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    await preview(ticket, new_limit="101")
    # 3 at 100 and 2 at 101 are 502: 100.40 each, 1.40 from the mid of 99 ... 0.40 from the ask.
    shown = facts(ticket)
    assert shown["Levels taken"] == "2, to 101.00 USD"
    assert shown["Average price taken"] == "100.40 USD"
    assert shown["Slippage to the mid"] == "141.4 bps, 7.00 USD worse"
    assert shown["Slippage to the best ask"] == "40.0 bps, 2.00 USD worse"
    await confirm(ticket)
    assert ex.order(order.id).average_price == pytest.approx(100.4)


@in_a_notebook
async def test_a_market_order_that_waits_has_no_limit_to_change() -> None:
    ex = account(market_fill="next_tick")
    ex.tick("ACME", 100.0, 0.0)
    order = ex.buy("ACME", 10, market=True)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    assert [field["name"] for field in ticket.shown["fields"]] == ["new_quantity"]
    assert ticket.shown["amend"]["what"] == "BUY +10 ACME at the market"
    await preview(ticket, new_quantity="5")
    await confirm(ticket)
    assert ex.order(order.id).quantity == 5.0


@in_a_notebook
async def test_an_algorithm_s_order_is_said_to_be_one() -> None:
    ex, _ = resting()
    ex.iceberg("ACME", 100, show_size=10, limit=90.0)
    ex.tick("ACME", 100.0, 1.0)
    child = ex.open_orders()[-1]
    ticket = OrderTicket(ex)
    ticket.amend(child.id)
    seen = await preview(ticket, new_quantity="20")
    assert seen["notes"] == ["This is algo a1's order: what works it does not know of the change."]


@in_a_notebook
async def test_an_amendment_that_travels_is_made_when_it_arrives() -> None:
    clock = Clock(1_000.0)
    ex = hz.connect("book", initial_cash=1_000.0, clock=clock, latency=ConstantLatency(0.5))
    ex.take_book("ACME", bids=[(98.0, 5)], asks=[(100.0, 3)], timestamp=1_000.0)
    order = ex.buy("ACME", 5, limit=97.0)
    clock.now = 1_001.0
    ex.take_book("ACME", bids=[(98.0, 5)], asks=[(100.0, 3)], timestamp=1_001.0)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_quantity="4")
    assert seen["notes"] == [
        "Amendments travel for a while here: the order may fill before this one."
    ]
    await confirm(ticket)
    assert ex.order(order.id).quantity == 5.0
    clock.now = 1_002.0
    ex.take_book("ACME", bids=[(98.0, 5)], asks=[(100.0, 3)], timestamp=1_002.0)
    assert ex.order(order.id).quantity == 4.0


@in_a_notebook
async def test_only_open_orders_are_loaded() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    for wrong in ("p99", "", None, 5):
        with pytest.raises((OrderError, TypeError, ValueError), match=r"p99|order_id"):
            ticket.amend(wrong)  # type: ignore[arg-type]
    ex.cancel(order.id)
    with pytest.raises(OrderError, match="is canceled"):
        ticket.amend(order.id)
    assert ticket.amending is None


@in_a_notebook
async def test_a_new_preview_is_dropped_when_an_order_is_loaded_and_left() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="3", limit="98")
    ticket.amend(order.id)
    await confirm(ticket, seen)
    assert len(ex.orders()) == 1
    change = await preview(ticket, new_quantity="5")
    await do(ticket, "leave")
    await confirm(ticket, change)
    assert ex.order(order.id).quantity == 10.0
    assert ticket.shown["error"].startswith("nothing was sent")


@in_a_notebook
async def test_a_listener_that_fails_does_not_hide_that_nothing_else_was_changed() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    seen = await preview(ticket, new_quantity="5")

    def fails(event: tuple[Any, ...]) -> None:
        if event[0] == "amended":
            raise OSError("the journal is full")

    stop = ex.engine.venue.subscribe(fails)
    await confirm(ticket)
    assert ticket.shown["error"] == "OSError: the journal is full"
    stop()
    await confirm(ticket, seen)
    assert ex.order(order.id).quantity == 10.0
    assert ticket.amending == order.id  # it can be asked for again


# ------------------------------------------------------------------------- prefill
@in_a_notebook
async def test_a_click_on_a_price_fills_the_form_and_sends_nothing() -> None:
    ex, _ = resting()
    ex.declare(Market("rain", Prediction))
    ticket = OrderTicket(ex, market="ACME")
    told: list[str] = []
    ticket.on_market = told.append
    await preview(ticket, quantity="3", order="market")
    ticket.prefill(market="rain:no", side="sell", price=0.1 + 0.2, quantity=250)
    values = ticket.shown["values"]
    assert (values["market"], values["outcome"], values["side"]) == ("rain", "no", "sell")
    assert (values["order"], values["limit"], values["quantity"]) == ("limit", "0.3", "250")
    assert (ticket.shown["preview"], told) == (None, ["rain"])
    seen = await preview(ticket)
    assert seen["headline"] == "SELL −250 rain NO at 0.30 USD"
    assert len(ex.orders()) == 1


@in_a_notebook
async def test_what_is_not_given_stays_as_it_is() -> None:
    ex, order = resting()
    ticket = OrderTicket(ex, market="ACME")
    await edit(ticket, side="sell", limit="101", size_by="power", share="5", order="twap")
    ticket.prefill(price=102)
    values = ticket.shown["values"]
    assert (values["side"], values["limit"], values["order"]) == ("sell", "102", "twap")
    assert (values["size_by"], values["share"]) == ("power", "5")
    ticket.amend(order.id)
    ticket.prefill(quantity=7)
    assert ticket.amending is None
    assert ticket.shown["values"]["size_by"] == "quantity"
    ticket.prefill()
    assert ticket.shown["values"]["quantity"] == "7"


@pytest.mark.parametrize(
    "given",
    [
        {"market": ""},
        {"market": 5},
        {"side": "hold"},
        {"side": 1},
        {"price": 0.0},
        {"price": float("nan")},
        {"price": "5"},
        {"quantity": -1},
        {"market": "ACME", "quantity": 0},
    ],
    ids=str,
)
@in_a_notebook
async def test_a_wrong_argument_writes_nothing(given: dict[str, Any]) -> None:
    ex, _ = resting()
    ticket = OrderTicket(ex, market="OTHER")
    before = dict(ticket.shown["values"])
    with pytest.raises((TypeError, ValueError), match=list(given)[-1]):
        ticket.prefill(**given)
    assert ticket.shown["values"] == before


@in_a_notebook
async def test_a_side_of_no_market_yet_is_a_prediction() -> None:
    ex, _ = resting()
    ticket = OrderTicket(ex)
    ticket.prefill(market="snow:no", side="buy", price=0.2, quantity=5)
    assert (await preview(ticket))["headline"] == "BUY +5 snow NO at 0.20 USD"
