"""What rows of orders, fills and positions say, and the buttons that they have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from horizon import words
from horizon.types import VenueOrder
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.widgets.access import leg_name

__all__ = [
    "FLATTEN_ALL",
    "SIDES",
    "action",
    "amend_action",
    "cancel_action",
    "ended_words",
    "flatten_action",
    "say_refused",
    "state_words",
]

#: What the button that flattens everything does.
FLATTEN_ALL: Final = "Flatten every position: closes all, cancels every order, ends every algorithm"
#: A side in a word and a sign, and its tone, by the sign of its quantity.
SIDES: Final = {1: ["BUY +", "buy"], -1: ["SELL −", "sell"]}
_STATUS: Final = {"new": "working", "partial": "partly filled", "canceled": "cancelled"}


def state_words(order: OrderState) -> str:
    """Say where an order stands, with the reason, and with whose order it was if nobody's."""
    state = _STATUS.get(order.status, order.status)
    if order.reason is not None and order.status in ("rejected", "canceled"):
        state = f"{state}: {words.name(order.reason)}"
    if order.intent is not None and order.intent != order.reason:
        # A liquidation is nobody's order, and must not look like one.
        state = f"{state} ({words.name(order.intent).replace('_', ' ')})"
    return state


def ended_words(order: VenueOrder) -> str:
    """Say where an order stands, with the reason if there is one."""
    state = _STATUS.get(order.status, order.status)
    reason = order.metadata.get("reason")
    return state if reason is None else f"{state}: {words.name(reason)}"


def action(verb: str, target: str, label: str, name: str) -> dict[str, Any]:
    """A button: its verb and what it is about, its text, and what it is called."""
    made = {"do": verb, "id": target, "label": label, "name": name}
    if verb.startswith("flatten"):  # it trades: one click arms, the next one acts
        made["sure"] = "Sure?"
    return made


def flatten_action(market: MarketState, leg: Leg) -> dict[str, Any]:
    """The button of a row, saying all that `Engine.flatten` does."""
    label, what = "Flatten", leg_name(leg)
    if market.no is not None and not leg.is_no:
        # By its own id a market is flattened whole.
        what = f"{leg_name(market)}, YES and NO"
        label = "Flatten both" if market.no.quantity != 0.0 else label
    name = f"{label} {what}: closes it, cancels its orders, ends its algorithms"
    return action("flatten", leg.id, label, name)


def say_refused(orders: Iterable[VenueOrder]) -> None:
    """Raise what kept orders from closing what they should have closed, if anything did."""
    refused = [
        f"{words.name(order.market_id)} stays: {words.name(str(order.metadata.get('reason')))}"
        for order in orders
        if order.is_rejected
    ]
    if refused:
        raise ValueError("; ".join(refused))


def amend_action(order: OrderState) -> dict[str, Any]:
    """The button that takes an open order to where it can be amended."""
    return action("amend", order.id, "Amend", f"Amend {_said(order)}")


def cancel_action(order: OrderState) -> dict[str, Any]:
    """The button of an open order."""
    return action("cancel", order.id, "Cancel", f"Cancel {_said(order)}")


def _said(order: OrderState) -> str:
    limit = "market" if order.is_market else words.exact(order.price, decimals=2)
    side = "buy" if order.sign > 0 else "sell"
    what = f"order {order.id}: {side} {words.exact(order.quantity)} {leg_name(order.leg)}"
    return f"{what} at {limit}"
