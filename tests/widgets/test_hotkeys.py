"""The ticket's keys: which can be, what they do, and that nothing goes out by one press."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import horizon as hz
from horizon import Market, Perp, Prediction
from horizon.venues.events import state_of
from horizon.widgets import OrderTicket
from horizon.widgets.hotkeys import ACTIONS, Hotkeys, key_words
from tests.widgets.notebook import account, assert_fit_to_show, do, in_a_notebook, loop_now, turns
from tests.widgets.tickets import edit, preview


# ------------------------------------------------------------------------- which keys can be
@pytest.mark.parametrize(
    ("given", "key", "shown"),
    [
        ("b", "b", "B"),
        ("B", "Shift+B", "Shift+B"),
        ("Shift+b", "Shift+B", "Shift+B"),
        ("7", "7", "7"),
        ("+", "+", "+"),
        ("é", "é", "É"),
        ("ж", "ж", "Ж"),
        ("ß", "ß", "SS"),
        ("字", "字", "字"),
        ("F2", "F2", "F2"),
        ("Shift+F9", "Shift+F9", "Shift+F9"),
        ("ArrowUp", "ArrowUp", "↑"),
        ("Shift+PageDown", "Shift+PageDown", "Shift+Page Down"),
        (None, None, "no key"),
    ],
)
def test_a_key_has_one_spelling_and_is_shown_as_it_is_written(
    given: str | None, key: str | None, shown: str
) -> None:
    keys = Hotkeys.none().with_key("buy", given)
    assert keys.buy == key
    if given != "ß":  # which has no capital of one letter
        assert key_words(keys.buy) == shown


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "one letter, digit or sign"),
        ("bb", "one letter, digit or sign"),
        ("arrowup", "Did you mean 'ArrowUp'"),
        ("\u200b", "one letter, digit or sign"),
        ("\u0301", "one letter, digit or sign"),
        ("\ud800", "one letter, digit or sign"),
        (" ", "presses buttons"),
        ("Tab", "moves the focus"),
        ("Backspace", "deletes"),
        ("F5", "the browser needs it"),
        ("F12", "the browser needs it"),
        ("Ctrl+b", "without Ctrl"),
        ("alt+1", "without alt"),
        ("Meta+s", "without Meta"),
        ("Cmd+s", "without Cmd"),
        ("Enter", "for preview and confirm only"),
        ("Escape", "for drop only"),
        ("Shift+Enter", "the notebook needs it"),
        ("Shift+?", "the sign that Shift writes"),
        ("s", "that of sell"),
    ],
    ids=ascii,
)
def test_a_key_that_cannot_be_is_refused_by_name(given: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^buy must") as caught:
        Hotkeys().with_key("buy", given)
    assert why in str(caught.value)


@pytest.mark.parametrize("given", [5, True, b"b", ["b"]], ids=repr)
def test_a_key_is_text(given: Any) -> None:
    with pytest.raises(TypeError, match="buy must be a key such as 'b', or None, was"):
        Hotkeys(buy=given)


def test_a_set_of_keys_is_whole_and_frozen() -> None:
    keys = Hotkeys()
    assert list(ACTIONS) == [field.name for field in dataclasses.fields(keys)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        keys.buy = "x"  # type: ignore[misc]
    assert (keys.preview, keys.confirm, keys.drop) == ("Enter", "Enter", "Escape")
    assert Hotkeys(confirm="c").confirm == "c"
    with pytest.raises(ValueError, match=r"sell must have a key of its own, was 'b', .* of buy"):
        Hotkeys(sell="b")
    assert set(Hotkeys.none().to_dict().values()) == {None}
    assert repr(Hotkeys(buy="F2", sell=None)) == "Hotkeys(buy='F2', sell=None)"
    assert Hotkeys(**Hotkeys(buy="F2").to_dict()) == Hotkeys(buy="F2")
    with pytest.raises(ValueError, match=r"action must be one of .*Did you mean 'buy'"):
        keys.with_key("buyy", "F2")
    with pytest.raises(TypeError):
        Hotkeys("b")  # type: ignore[misc]


# ------------------------------------------------------------------------- the form
def rain(**options: Any) -> hz.ImperativeClient:
    ex = account(**options)
    ex.declare(Market("rain", Prediction, tick_size=0.01, lot_size=10.0))
    ex.tick("rain", 0.42, 0.0, bid=0.41, ask=0.44)
    return ex


async def press(ticket: OrderTicket, *actions: str) -> dict[str, str]:
    """Press keys; returns what the form holds then."""
    for action in actions:
        await do(ticket, "key", action=action)
    values: dict[str, str] = ticket.shown["values"]
    return values


@in_a_notebook
async def test_keys_write_into_the_form_and_drop_the_preview() -> None:
    ex = rain()
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, quantity="20", limit="0.4")
    assert (await press(ticket, "sell"))["side"] == "sell"
    assert ticket.shown["preview"] is None
    assert (await press(ticket, "market"))["order"] == "market"
    seen = await preview(ticket)
    assert seen["headline"] == "SELL −20 rain YES at the market"
    assert await press(ticket, "market", "sell") == ticket.shown["values"]
    assert ticket.shown["preview"]["id"] == seen["id"]  # nothing was changed
    assert (await press(ticket, "buy", "limit"))["side"] == "buy"
    assert ex.orders() == []
    await do(ticket, "key", action="confirm")
    assert "action must be one of 'buy'" in ticket.shown["error"]


@in_a_notebook
async def test_a_price_moves_by_the_tick_and_begins_at_its_own_side() -> None:
    ticket = OrderTicket(rain(), market="rain")
    assert (await press(ticket, "price_up"))["limit"] == "0.41"
    assert (await press(ticket, "price_up", "price_up"))["limit"] == "0.43"
    assert (await press(ticket, "price_down"))["limit"] == "0.42"
    await edit(ticket, limit="0.455")
    assert (await press(ticket, "price_down"))["limit"] == "0.45"
    await edit(ticket, limit="", side="sell")
    assert (await press(ticket, "price_down"))["limit"] == "0.44"
    await edit(ticket, limit="", outcome="no")
    assert (await press(ticket, "price_up"))["limit"] == "0.59"  # NO is offered at 1 - 0.41
    for at, action in (("0.99", "price_up"), ("0.01", "price_down")):
        await edit(ticket, limit=at)
        assert (await press(ticket, action))["limit"] == at
        assert ticket.shown["wrong"] == {"limit": f"limit price cannot go beyond {at}"}
    await edit(ticket, limit="x")
    await press(ticket, "price_up")
    assert list(ticket.shown["wrong"]) == ["limit"]
    await edit(ticket, limit="", market="NEW")
    await press(ticket, "price_up")
    assert ticket.shown["wrong"]["limit"].startswith("limit price has nothing to begin")
    await edit(ticket, order="market", limit="3")
    assert (await press(ticket, "price_up"))["limit"] == "3"  # it has no price


@in_a_notebook
async def test_a_size_moves_by_the_lot_whatever_it_is_given_in() -> None:
    ex = rain()
    ex.declare(Market("X-PERP", Perp))
    ticket = OrderTicket(ex, market="rain")
    assert (await press(ticket, "size_up"))["quantity"] == "10"
    assert (await press(ticket, "size_up", "size_up", "size_down"))["quantity"] == "20"
    await edit(ticket, quantity="10")
    await press(ticket, "size_down")
    assert ticket.shown["wrong"] == {"quantity": "quantity cannot go beyond 10"}
    await edit(ticket, market="X-PERP", quantity="0.5")
    assert (await press(ticket, "size_up"))["quantity"] == "0.51"
    await edit(ticket, size_by="notional", notional="1000")
    assert (await press(ticket, "size_up"))["notional"] == "1100"
    await edit(ticket, size_by="power", share="97")
    assert (await press(ticket, "size_up"))["share"] == "100"
    await press(ticket, "size_up")
    assert ticket.shown["wrong"] == {"share": "share cannot go beyond 100"}


@in_a_notebook
async def test_an_amendment_is_moved_by_the_same_keys() -> None:
    ex = rain()
    order = ex.buy("rain", 100, limit=0.4)
    ticket = OrderTicket(ex)
    ticket.amend(order.id)
    values = await press(ticket, "size_up", "price_up", "sell", "market")
    assert (values["new_quantity"], values["new_limit"]) == ("110", "0.41")
    assert (values["side"], values["order"]) == ("buy", "limit")
    assert (await preview(ticket))["headline"] == (
        "Amend p1: quantity 100 → 110, limit 0.40 → 0.41 USD"
    )


# ------------------------------------------------------------------------- the account
def row(ticket: OrderTicket, action: str) -> dict[str, str]:
    found: dict[str, str] = next(
        row for row in ticket.shown["keys"]["rows"] if row["action"] == action
    )
    return found


@in_a_notebook
async def test_cancel_last_ends_the_order_that_was_the_newest_when_it_was_pressed() -> None:
    ex = rain()
    first = ex.buy("rain", 10, limit=0.3)
    second = ex.buy("rain", 20, limit=0.2)
    ticket = OrderTicket(ex)
    seen = row(ticket, "cancel_last")["id"]
    third = ex.buy("rain", 30, limit=0.1)  # from another cell, not seen yet
    await do(ticket, "cancel last", id=seen)
    assert [order.status for order in ex.orders()] == ["new", "canceled", "new"]
    assert ticket.shown["done"]["text"] == f"Order {second.id}: cancelled by its key."
    await do(ticket, "cancel last", id=seen)
    assert ticket.shown["error"] == f"order {second.id} was not cancelled: it is not open"
    assert row(ticket, "cancel_last")["id"] == third.id
    ex.cancel(third.id)
    ex.cancel(first.id)
    await do(ticket, "cancel last", id="")
    assert ticket.shown["error"] == "there is no open order to cancel"


@in_a_notebook
async def test_what_ends_much_asks_for_a_second_press_and_says_what_it_ends() -> None:
    ex = rain()
    ticket = OrderTicket(ex, market="rain")
    # Where there is nothing to end, a press is told so, and sends nothing.
    assert (row(ticket, "cancel_all")["sure"], row(ticket, "flatten")["sure"]) == ("", "")
    assert row(ticket, "cancel_all")["idle"] == "There is no open order to cancel."
    assert row(ticket, "flatten")["idle"] == "There is nothing to flatten in the ticket's market."
    assert row(ticket, "cancel_last")["idle"] == row(ticket, "buy")["idle"] == ""
    ex.buy("rain", 10, market=True)
    ex.buy("rain:no", 10, limit=0.3)
    ex.buy("OTHER", 1, limit=5.0)
    await turns()
    await do(ticket, "drop")
    assert row(ticket, "cancel_all")["sure"] == "Press Shift+X again to cancel every open order."
    assert row(ticket, "flatten")["sure"] == ("Press Shift+F again to flatten rain, YES and NO.")
    assert row(ticket, "cancel_all")["idle"] == row(ticket, "flatten")["idle"] == ""
    await do(ticket, "flatten", id="rain")
    assert ticket.shown["done"]["text"] == "Flattened rain, YES and NO: 1 order sent."
    assert ex.positions() == []
    assert [order.market_id for order in ex.open_orders()] == ["OTHER"]
    await do(ticket, "cancel all")
    assert ticket.shown["done"]["text"] == "Cancelled 1 open order."
    await do(ticket, "cancel all")
    assert ticket.shown["error"] == "there is no open order to cancel"
    await do(ticket, "flatten", id="rain")
    assert ticket.shown["error"].startswith("nothing was sent: the ticket's market has changed")


@in_a_notebook
async def test_flatten_is_of_the_market_that_was_seen() -> None:
    ex = rain()
    ex.tick("ACME", 10.0, 0.0)
    ex.buy("ACME", 5, market=True)
    ex.buy("rain", 10, market=True)
    ticket = OrderTicket(ex, market="ACME")
    await edit(ticket, market="rain")
    await do(ticket, "flatten", id="ACME")
    assert ticket.shown["error"].startswith("nothing was sent")
    assert len(ex.positions()) == 2


@pytest.mark.parametrize("verb", ["cancel last", "cancel all", "flatten"])
@in_a_notebook
async def test_a_press_that_waited_for_a_busy_kernel_does_nothing(verb: str) -> None:
    ex = rain()
    ex.buy("rain", 10, market=True)
    order = ex.buy("rain", 10, limit=0.3)
    ticket = OrderTicket(ex, market="rain")
    before = state_of(ex.engine.venue.account)
    loop_now().block(6.0)
    await do(ticket, verb, id=order.id if verb == "cancel last" else "rain")
    assert "because the kernel was busy" in ticket.shown["error"]
    assert state_of(ex.engine.venue.account) == before


# ------------------------------------------------------------------------- changed
@in_a_notebook
async def test_keys_are_changed_in_the_page_and_read_back() -> None:
    ticket = OrderTicket(rain(), hotkeys=Hotkeys(buy="F2"))
    assert row(ticket, "buy")["shown"] == "F2"
    await do(ticket, "bind", action="sell", key="F4")
    assert (ticket.hotkeys.sell, row(ticket, "sell")["key"]) == ("F4", "F4")
    await do(ticket, "bind", action="flatten", key="")
    assert ticket.hotkeys.flatten is None
    assert (row(ticket, "flatten")["key"], row(ticket, "flatten")["shown"]) == ("", "no key")
    for action, key in (("sell", "F2"), ("sell", "Control+x"), ("steal", "x"), ("buy", 5)):
        await do(ticket, "bind", action=action, key=key)
        assert ticket.shown["error"]
        assert ticket.hotkeys == Hotkeys(buy="F2", sell="F4", flatten=None)
    await do(ticket, "default keys")
    assert ticket.hotkeys == Hotkeys(buy="F2")
    assert ticket.shown["error"] is None
    ticket.hotkeys = Hotkeys.none()
    await do(ticket, "drop")
    assert ticket.shown["keys"]["hint"] == ""
    assert ticket.shown["keys"]["spoken"] == "Confirm it by its button"
    with pytest.raises(TypeError, match="hotkeys must be Hotkeys, was 'b'"):
        ticket.hotkeys = "b"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="hotkeys must be Hotkeys"):
        OrderTicket(rain(), hotkeys={"buy": "b"})  # type: ignore[arg-type]


@in_a_notebook
async def test_the_line_beside_the_button_says_how_the_two_steps_go() -> None:
    ticket = OrderTicket(rain())
    assert ticket.shown["keys"]["hint"] == "Enter previews, Enter again confirms, Esc drops"
    assert ticket.shown["keys"]["spoken"] == "Enter confirms, Escape drops"
    await do(ticket, "bind", action="confirm", key="F9")
    assert ticket.shown["keys"]["hint"] == "Enter previews, F9 confirms, Esc drops"
    assert_fit_to_show(ticket)
