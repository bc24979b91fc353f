"""The order ticket: one preview, one confirmation, one order."""

from __future__ import annotations

import json
from typing import Any

import pytest

import horizon as hz
from horizon import Market, Perp, RiskConfig
from horizon.algos import ExecAlgo
from horizon.venues.events import state_of
from horizon.widgets import OrderTicket
from horizon.widgets.ticket import orders
from horizon.widgets.ticket.form import DEFAULTS
from tests.widgets.notebook import account, do, in_a_notebook, loop_now, passing, turns
from tests.widgets.tickets import confirm, edit, facts, preview, refused_preview


def acme(price: float = 100.0, **options: Any) -> hz.ImperativeClient:
    """An account for which ACME has a price."""
    ex = account(**options)
    ex.tick("ACME", price, 0.0)
    return ex


TEN = {"market": "ACME", "quantity": "10", "limit": "99"}


# ------------------------------------------------------------------------- one for one
@in_a_notebook
async def test_a_preview_sends_nothing() -> None:
    ex = acme()
    before = state_of(ex.engine.venue.account)
    ticket = OrderTicket(ex)
    await preview(ticket, **TEN)
    await preview(ticket, kind="prediction", market="rain", limit="0.4")
    await preview(ticket, order="twap", limit="")
    await passing(1.0)
    assert state_of(ex.engine.venue.account) == before


@in_a_notebook
async def test_a_confirmation_sends_one_order_with_the_id_of_its_preview() -> None:
    ex = acme()
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, **TEN)
    assert (seen["headline"], seen["confirm"]) == ("BUY +10 ACME at 99.00 USD", "Confirm: buy 10")
    await confirm(ticket)
    (order,) = ex.orders()
    assert (order.market_id, order.side, order.quantity, order.price) == ("ACME", "buy", 10.0, 99.0)
    assert order.client_order_id == seen["id"]
    assert ticket.shown["preview"] is None
    assert ticket.shown["done"] == {
        "text": "Order p1: BUY +10 ACME, working.",
        "filled": "",
        "is_bad": False,
    }


@pytest.mark.parametrize("times", [2, 3])
@in_a_notebook
async def test_clicks_on_one_preview_make_one_order(times: int) -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, **TEN)
    for _ in range(times):  # all of them are under way before the first is obeyed
        ticket._hear(ticket, {"do": "confirm", "beat": ticket.beat, "preview": seen["id"]})
    await turns()
    assert len(ex.orders()) == 1
    assert ticket.shown["error"] is None
    assert ticket.shown["done"]["text"].startswith("Order p1:")


@in_a_notebook
async def test_a_second_tab_finds_the_order_of_the_first() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, **TEN)
    await confirm(ticket, seen)
    ex.cancel("p1")
    other = await preview(ticket, quantity="20")
    await confirm(ticket, seen)  # the other tab had not drawn anew
    assert len(ex.orders()) == 1
    assert "p1" in ticket.shown["done"]["text"]
    assert "cancelled" in ticket.shown["done"]["text"]
    assert ticket.shown["preview"]["id"] == other["id"]


@in_a_notebook
async def test_two_previews_of_the_same_terms_are_two_orders() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    first = await preview(ticket, **TEN)
    await confirm(ticket)
    second = await preview(ticket, **TEN)
    assert first["id"] != second["id"]
    await confirm(ticket)
    assert [order.client_order_id for order in ex.orders()] == [first["id"], second["id"]]


@in_a_notebook
async def test_previews_sent_long_ago_are_forgotten_and_still_send_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orders, "_REMEMBERED", 2)
    ex = acme()
    ticket = OrderTicket(ex)
    seen = []
    for _ in range(3):
        seen.append(await preview(ticket, **TEN))
        await confirm(ticket)
    await confirm(ticket, seen[0])
    assert ticket.shown["error"].startswith("nothing was sent: the preview has changed")
    await confirm(ticket, seen[2])
    assert (len(ex.orders()), ticket.shown["error"]) == (3, None)


# ------------------------------------------------------------------------- gone previews
@in_a_notebook
async def test_a_dropped_preview_sends_nothing() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, **TEN)
    await do(ticket, "drop")
    assert ticket.shown["preview"] is None
    await confirm(ticket, seen)
    assert ex.orders() == []
    assert ticket.shown["error"] == "nothing was sent: the preview has changed. Look again"


@pytest.mark.parametrize(
    "change", [{"quantity": "100"}, {"side": "sell"}, {"limit": "99.0"}, {"market": "ACME "}]
)
@in_a_notebook
async def test_a_changed_field_drops_the_preview(change: dict[str, str]) -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, **TEN)
    await edit(ticket, **change)
    assert ticket.shown["preview"] is None
    await confirm(ticket, seen)
    assert ex.orders() == []
    assert ticket.shown["error"].startswith("nothing was sent")


@in_a_notebook
async def test_fields_that_were_told_again_keep_the_preview() -> None:
    ticket = OrderTicket(acme())
    seen = await preview(ticket, **TEN)
    await edit(ticket)
    assert ticket.shown["preview"]["id"] == seen["id"]


@in_a_notebook
async def test_a_new_preview_takes_the_place_of_the_one_before() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    old = await preview(ticket, **TEN)
    new = await preview(ticket, quantity="20")
    await confirm(ticket, old)
    assert ex.orders() == []
    await confirm(ticket, new)
    assert [order.quantity for order in ex.orders()] == [20.0]


@in_a_notebook
async def test_a_field_that_cannot_be_read_drops_the_preview_too() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    old = await preview(ticket, **TEN)
    wrong = await refused_preview(ticket, quantity="ten")
    assert list(wrong) == ["quantity"]
    assert ticket.shown["preview"] is None
    await confirm(ticket, old)
    assert ex.orders() == []
    # The next change takes the message back.
    await edit(ticket, quantity="10")
    assert ticket.shown["wrong"] == {}


@pytest.mark.parametrize("asked", ["", "ticket-0", "x" * 1000, None, 5, ["ticket"], {}], ids=repr)
@in_a_notebook
async def test_an_unknown_preview_sends_nothing(asked: object) -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    await preview(ticket, **TEN)
    await do(ticket, "confirm", preview=asked)
    assert ex.orders() == []
    assert ticket.shown["error"]
    await confirm(ticket)  # the one on show is still good
    assert len(ex.orders()) == 1


@in_a_notebook
async def test_a_click_that_waited_for_a_busy_kernel_sends_nothing() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    await preview(ticket, **TEN)
    loop_now().block(6.0)
    await confirm(ticket)
    assert ex.orders() == []
    assert "because the kernel was busy. Look again and repeat it" in ticket.shown["error"]
    await confirm(ticket)
    assert (len(ex.orders()), ticket.shown["error"]) == (1, None)


# ------------------------------------------------------------------------- refusals
@in_a_notebook
async def test_a_refusal_by_risk_is_in_the_preview_and_holds() -> None:
    ex = acme(risk=RiskConfig(max_order_size=5.0))
    ticket = OrderTicket(ex)
    seen = await preview(ticket, **TEN)
    assert seen["refusal"] == (
        "order in ACME refused by max_order_size: size 10 is over the max_order_size of 5"
    )
    await confirm(ticket)
    assert ex.orders() == []
    assert "max_order_size" in ticket.shown["error"]


@in_a_notebook
async def test_a_refusal_for_money_is_in_the_preview_and_holds() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    # 2,000 x 99 = 198,000 with 100,000 in the account.
    seen = await preview(ticket, market="ACME", quantity="2000", limit="99")
    assert seen["refusal"] == (
        "buying power: the order needs 198,000.00 USD, available are 100,000.00"
    )
    await confirm(ticket)
    assert ex.open_orders() == []
    assert ex.balance().buying_power == 100_000.0
    assert ticket.shown["done"]["is_bad"]
    assert "rejected: buying power" in ticket.shown["done"]["text"]


@in_a_notebook
async def test_a_refusal_that_comes_between_look_and_click_is_said() -> None:
    ex = acme(risk=RiskConfig(max_position_per_market=15.0))
    ticket = OrderTicket(ex)
    assert (await preview(ticket, **TEN))["refusal"] is None
    ex.buy("ACME", 10, limit=98.0)  # from another cell
    await confirm(ticket)
    assert len(ex.orders()) == 1
    # 10 rest and 10 are asked for.
    assert "the position would be 20 with all open orders" in ticket.shown["error"]
    assert (ticket.shown["preview"], ticket.shown["done"]) == (None, None)


@in_a_notebook
async def test_a_preview_that_can_no_longer_be_is_refused_in_its_place() -> None:
    ex = account()
    ex.declare(Market("X-PERP", Perp))
    ex.tick("X-PERP", 100.0, 0.0)
    ticket = OrderTicket(ex, market="X-PERP")
    await preview(ticket, quantity="1", limit="90", leverage="5")
    ex.buy_perp("X-PERP", 1, limit=80.0, leverage=2.0)
    await passing(0.2)
    seen = ticket.shown["preview"]
    assert seen["refusal"].startswith("leverage of 'X-PERP' is 2 while it has a position or open")
    assert (seen["headline"], seen["facts"]) == ("BUY +1 X-PERP at 90.00 USD", [])
    await confirm(ticket)
    assert len(ex.orders()) == 1
    assert ticket.shown["error"].startswith("leverage of 'X-PERP' is 2")


@in_a_notebook
async def test_the_venue_s_words_stand_at_the_field_that_they_are_about() -> None:
    ex = account()
    ex.declare(Market("GRID", hz.Equity, tick_size=0.5, lot_size=10.0))
    ex.declare(Market("X-PERP", Perp))
    ticket = OrderTicket(ex)
    grid = {"market": "GRID", "quantity": "20", "limit": "99.5"}
    assert list(await refused_preview(ticket, **{**grid, "quantity": "25"})) == ["quantity"]
    assert list(await refused_preview(ticket, **{**grid, "limit": "99.4"})) == ["limit"]
    assert list(await refused_preview(ticket, **grid, kind="prediction")) == ["kind"]
    twap = {**grid, "kind": "auto", "order": "twap"}
    assert list(await refused_preview(ticket, **{**twap, "quantity": "25"})) == ["quantity"]
    assert list(await refused_preview(ticket, **{**twap, "limit": "99.4"})) == ["limit"]
    assert list(await refused_preview(ticket, **{**twap, "slices": "2000000"})) == ["slices"]
    assert list(await refused_preview(ticket, **{**twap, "duration": "1e14"})) == ["duration"]
    iceberg = {**grid, "order": "iceberg", "show": "15"}
    assert list(await refused_preview(ticket, **iceberg)) == ["show"]
    perp = {"market": "X-PERP", "order": "limit", "limit": "9", "leverage": "101"}
    assert list(await refused_preview(ticket, **perp)) == ["leverage"]
    for market in (":no", "a:no:no"):
        new = {"market": market, "outcome": "no", "limit": "0.5"}
        assert list(await refused_preview(ticket, **new)) == ["market"]


# ------------------------------------------------------------------------- the market moves
@in_a_notebook
async def test_the_preview_follows_the_market_while_it_is_shown() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, market="ACME", quantity="10", order="market")
    assert facts(ticket)["Expected price"] == "100.00 USD"
    ex.tick("ACME", 101.5, 1.0)
    await passing(0.2)
    assert ticket.shown["preview"]["id"] == seen["id"]
    assert facts(ticket)["Expected price"] == "101.50 USD"
    assert facts(ticket)["Notional"] == "1,015.00 USD"
    await confirm(ticket, seen)
    assert ex.orders()[0].average_price == 101.5


@in_a_notebook
async def test_what_became_of_an_order_follows_it() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    await preview(ticket, **TEN)
    await confirm(ticket)
    ex.tick("ACME", 99.0, 1.0)
    await passing(0.2)
    done = ticket.shown["done"]
    assert done["text"] == "Order p1: BUY +10 ACME, filled."
    assert done["filled"] == "10 of 10 filled at 99.00 USD"
    await preview(ticket, quantity="5")
    assert ticket.shown["done"] is None


# ------------------------------------------------------------------------- what comes in
COMPLETE = dict(DEFAULTS)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"values": None},
        {"values": [], "by": "page", "edit": 1},
        {"values": "quantity", "by": "page", "edit": 1},
        {"values": {}, "by": "page", "edit": 1},
        {"values": {**COMPLETE, "quantity": 10}, "by": "page", "edit": 1},
        {"values": {**COMPLETE, "quantity": None}, "by": "page", "edit": 1},
        {"values": {**COMPLETE, "quantity": ["10"]}, "by": "page", "edit": 1},
        {"values": {**COMPLETE, "market": "x" * 1_001}, "by": "page", "edit": 1},
        {"values": {k: v for k, v in COMPLETE.items() if k != "side"}, "by": "page", "edit": 1},
        {"values": {**COMPLETE, "market": "other"}, "edit": 1},
        {"values": {**COMPLETE, "market": "other"}, "by": 5, "edit": 1},
    ],
)
@pytest.mark.parametrize("verb", ["edit", "preview"])
@in_a_notebook
async def test_a_form_that_is_not_whole_is_refused_and_changes_nothing(
    verb: str, arguments: dict[str, Any]
) -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    await preview(ticket, **TEN)
    before = state_of(ex.engine.venue.account)
    await do(ticket, verb, **arguments)
    assert ticket.ended == ""
    assert len(ticket.shown["error"]) < 300
    assert ticket.shown["preview"] is None or ticket.shown["values"]["quantity"] == "10"
    assert state_of(ex.engine.venue.account) == before


@pytest.mark.parametrize("number", [None, "1", 1.5, True, -1, 10**30, [1]], ids=repr)
@in_a_notebook
async def test_any_edit_number_is_taken_or_passed_over(number: object) -> None:
    ticket = OrderTicket(acme())
    await do(ticket, "edit", values={**COMPLETE, "market": "ACME"}, by="page", edit=number)
    assert ticket.shown["values"]["market"] == "ACME"
    assert isinstance(ticket.shown["edit"], int)


@in_a_notebook
async def test_half_a_character_does_not_end_the_ticket() -> None:
    ticket = OrderTicket(acme())
    await do(ticket, "edit", values={**COMPLETE, "market": "half \ud83d"}, by="\udc00", edit=1)
    assert ticket.ended == ""
    # As a kernel packs it.
    json.dumps(dict(ticket.shown), ensure_ascii=False, allow_nan=False).encode("utf-8")


@in_a_notebook
async def test_the_page_s_own_counters_come_back_to_it() -> None:
    ticket = OrderTicket(acme())
    await do(ticket, "edit", values={**COMPLETE, "market": "ACME"}, by="tab 7", edit=41)
    assert (ticket.shown["by"], ticket.shown["edit"]) == ("tab 7", 41)


@pytest.mark.parametrize(
    ("market", "error"),
    [(5, TypeError), ("", ValueError), (" A", ValueError), ("a\nb", ValueError)],
)
@in_a_notebook
async def test_a_ticket_begins_with_a_market_that_can_be(
    market: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="market"):
        OrderTicket(acme(), market=market)
    assert OrderTicket(acme(), market="ACME").shown["values"]["market"] == "ACME"


@in_a_notebook
async def test_markets_are_suggested_and_not_too_many_of_them() -> None:
    ex = account()
    for number in range(300):
        ex.tick(f"M{number}", 1.0, 0.0)
    suggestions = OrderTicket(ex).shown["fields"][0]["suggestions"]
    assert suggestions[:2] == ["M0", "M1"]
    assert len(suggestions) == 200


# ------------------------------------------------------------------------- algorithms
@in_a_notebook
async def test_an_algorithm_is_started_once_however_often_it_is_confirmed() -> None:
    ex = acme()
    ticket = OrderTicket(ex)
    told: list[ExecAlgo] = []
    ticket.on_algo = told.append
    seen = await preview(ticket, market="ACME", quantity="100", order="twap", slices="4")
    for _ in range(3):
        ticket._hear(ticket, {"do": "confirm", "beat": ticket.beat, "preview": seen["id"]})
    await turns()
    await confirm(ticket, seen)
    assert told == ex.algos
    assert len(ex.algo_history) == 1
    assert ex.orders() == []  # the first tick sends the first slice
    assert ticket.shown["done"]["text"].startswith("TWAP a1 started: BUY +100 ACME, running.")


@in_a_notebook
async def test_a_listener_that_fails_does_not_hide_that_the_algorithm_has_started() -> None:
    ex = acme()
    ticket = OrderTicket(ex)

    def fails(_: ExecAlgo) -> None:
        raise ValueError("the listener's own")

    ticket.on_algo = fails
    seen = await preview(ticket, market="ACME", quantity="100", order="twap")
    await confirm(ticket)
    assert ticket.shown["error"] == "the listener's own"
    await confirm(ticket, seen)
    assert len(ex.algo_history) == 1
    assert ticket.shown["done"]["text"].startswith("TWAP a1 started")
