"""What the ticket sends is what its form says, down to the last tick box."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import horizon as hz
from horizon import Market, Perp, RiskConfig
from horizon.widgets import OrderTicket
from tests.widgets.notebook import account, do, in_a_notebook, passing
from tests.widgets.tickets import confirm, preview, refused_preview


def priced(**options: Any) -> hz.ImperativeClient:
    ex = account(**options)
    ex.tick("ACME", 100.0, 0.0)
    ex.declare(Market("X-PERP", Perp))
    ex.tick("X-PERP", 100.0, 0.0)
    return ex


@pytest.mark.parametrize(
    ("texts", "sent"),
    [
        ({"side": "buy"}, {"side": "buy"}),
        ({"side": "sell"}, {"side": "sell"}),
        ({"tif": "ioc"}, {"tif": "ioc", "post_only": False, "reduce_only": False}),
        ({"post_only": "yes"}, {"post_only": True, "tif": "gtc"}),
        ({"reduce_only": "yes", "side": "sell", "limit": "101"}, {"reduce_only": True}),
        ({"order": "market"}, {"order_type": "market", "price": None}),
        ({"market": "X-PERP", "side": "buy", "leverage": "7"}, {"side": "buy", "leverage": 7.0}),
        ({"market": "X-PERP", "side": "sell", "leverage": "7"}, {"side": "sell", "leverage": 7.0}),
        ({"market": "X-PERP", "leverage": ""}, {"leverage": 1.0}),
    ],
    ids=str,
)
@in_a_notebook
async def test_every_field_of_an_order_reaches_the_venue(
    texts: dict[str, str], sent: dict[str, Any]
) -> None:
    ex = priced()
    ex.buy("ACME", 20, market=True)
    ticket = OrderTicket(ex, market="ACME")
    await preview(ticket, **{"quantity": "10", "limit": "99", **texts})
    await confirm(ticket)
    order = ex.orders()[-1]
    assert order.quantity == 10.0
    assert {name: getattr(order, name) for name in sent} == sent


@pytest.mark.parametrize("order", ["twap", "vwap", "iceberg"])
@in_a_notebook
async def test_every_field_of_an_algorithm_reaches_its_children(order: str) -> None:
    ex = priced()
    ex.buy("ACME", 20, market=True)
    ticket = OrderTicket(ex, market="ACME")
    await preview(
        ticket,
        order=order,
        side="sell",
        quantity="20",
        limit="103",
        reduce_only="yes",
        show="5",
        slices="4",
        profile="1, 3",
        duration="120",
    )
    await confirm(ticket)
    ex.tick("ACME", 100.0, 1.0)
    child = ex.orders()[-1]
    assert (child.side, child.price, child.reduce_only) == ("sell", 103.0, True)
    # A quarter of 20, of weights 1 and 3, and what an iceberg shows: five each.
    assert child.quantity == 5.0
    assert ex.algos[0].progress.ends_at == (None if order == "iceberg" else 121.0)


@in_a_notebook
async def test_an_order_for_now_or_never_ends_with_the_next_tick() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    await preview(ticket, quantity="10", limit="99", tif="ioc")
    await confirm(ticket)
    ex.tick("ACME", 100.0, 1.0)
    await passing(0.2)
    assert ticket.shown["done"]["text"] == (
        "Order p1: BUY +10 ACME, cancelled: ioc: not reached by the first tick."
    )


@in_a_notebook
async def test_a_refused_order_has_no_button_that_says_confirm() -> None:
    ticket = OrderTicket(priced(risk=RiskConfig(max_order_size=5.0)), market="ACME")
    seen = await preview(ticket, quantity="10", limit="99")
    assert seen["confirm"] == "Cannot be sent"
    seen = await preview(ticket, quantity="5")
    assert seen["confirm"] == "Confirm: buy 5"


@in_a_notebook
async def test_a_listener_of_the_venue_that_fails_does_not_hide_the_order() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="10", order="market")

    def fails(event: tuple[Any, ...]) -> None:
        if event[0] == "filled":
            raise OSError("the journal is full")

    unsubscribe = ex.engine.venue.subscribe(fails)
    await confirm(ticket)
    assert ticket.shown["error"] == "OSError: the journal is full"
    assert ticket.shown["done"]["text"].startswith("Order p1: BUY +10 ACME")
    unsubscribe()
    await confirm(ticket, seen)
    assert len(ex.orders()) == 1


# ------------------------------------------------------------------------- names
@in_a_notebook
async def test_a_name_that_is_nearly_a_market_s_is_asked_about() -> None:
    ex = priced()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, market="acme", quantity="10", limit="99")
    assert seen["cautions"][0] == "Did you mean ACME? There is no acme yet."
    seen = await preview(ticket, market="ACME")
    assert not any(note.startswith("Did you mean") for note in seen["cautions"])
    seen = await preview(ticket, market="something else")
    assert not any(note.startswith("Did you mean") for note in seen["cautions"])


@in_a_notebook
async def test_the_ticket_asks_once_whatever_the_order() -> None:
    ex = priced()
    ex.tick("rain", 0.6, 0.0)
    ticket = OrderTicket(ex)
    asks = "Did you mean rain? There is no rian NO yet."
    seen = await preview(
        ticket, market="rian", kind="prediction", outcome="no", quantity="10", limit="0.3"
    )
    assert seen["cautions"][0] == asks
    assert sum("Did you mean" in note for note in seen["cautions"]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the preview has asked
        await confirm(ticket)
    assert [order.market_id for order in ex.open_orders()] == ["rian:no"]
    seen = await preview(ticket, market="raiin", order="market")
    assert seen["refusal"].endswith("has had no tick yet. Did you mean 'rain'?")
    assert not any("Did you mean" in note for note in seen["cautions"])
    seen = await preview(ticket, order="twap", slices="2", duration="60")
    assert [note for note in seen["cautions"] if "Did you mean" in note] == [
        "Did you mean rain? There is no raiin NO yet."
    ]


@in_a_notebook
async def test_a_name_that_had_to_be_spelled_out_is_not_suggested() -> None:
    ex = priced()
    ex.tick("AC\u202eME", 1.0, 0.0)
    assert OrderTicket(ex).shown["fields"][0]["suggestions"] == ["ACME", "X-PERP"]


@in_a_notebook
async def test_the_desk_is_told_of_a_market_that_there_is() -> None:
    ticket = OrderTicket(priced())
    told: list[str] = []
    ticket.on_market = told.append
    for market in ("A", "AC", "ACME", "ACME", " ACME ", "X-PERP", ""):
        values = {**ticket.shown["values"], "market": market}
        await do(ticket, "edit", values=values, by="page", edit=1)
    assert told[:1] == ["ACME"]
    assert told[-1] == "X-PERP"
    assert set(told) == {"ACME", "X-PERP"}


@in_a_notebook
async def test_an_iceberg_that_shows_all_of_itself_says_so() -> None:
    ticket = OrderTicket(priced(), market="ACME")
    seen = await preview(ticket, order="iceberg", quantity="10", limit="99", show="10")
    assert "It shows the whole order at once." in seen["notes"]
    seen = await preview(ticket, show="9")
    assert "It shows the whole order at once." not in seen["notes"]


@in_a_notebook
async def test_no_field_of_another_order_type_can_be_wrong() -> None:
    ticket = OrderTicket(priced(), market="ACME")
    odd = {"leverage": "x", "slices": "x", "profile": "x", "show": "x", "strike": "x"}
    assert await refused_preview(ticket, quantity="1", limit="99", **odd) == {}
    assert await refused_preview(ticket, order="market", limit="x", tif="x", post_only="x") == {}
