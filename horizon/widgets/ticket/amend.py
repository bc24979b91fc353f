"""Changing an open order in the ticket: what may be changed, what that would do, and once only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from horizon import words
from horizon.amend_preview import AmendPreview
from horizon.client import ImperativeClient
from horizon.errors import HorizonError, OrderError
from horizon.types import VenueOrder
from horizon.venues.records import OrderState
from horizon.widgets.access import leg_name, unit_of
from horizon.widgets.fields import FieldError, number_of
from horizon.widgets.live import words_of
from horizon.widgets.row_words import state_words
from horizon.widgets.ticket.facts import SIDE_SIGNS, taking_facts, taking_notes

__all__ = ["Change", "amend_head", "amend_picture", "read_change", "require_amendable"]


@dataclass(frozen=True, slots=True)
class Change:
    """What an amendment asks for, and the order as it was when it was asked for."""

    order_id: str
    quantity: float
    limit: float | None
    was_quantity: float
    was_limit: float | None

    def look(self, ex: ImperativeClient) -> AmendPreview:
        """Ask what it would do."""
        return ex.preview_amend(self.order_id, *self._asked())

    def send(self, ex: ImperativeClient) -> VenueOrder:
        """Make it, if the order still is what it was.

        Raises
        ------
        OrderError, RiskRejected
            If the order has changed or ended meanwhile, or money, market or risk refuse.
        """
        with ex.engine.venue.lock:
            self.require_same(ex.order(self.order_id))
            return ex.amend(self.order_id, *self._asked())

    def _asked(self) -> tuple[float | None, float | None]:
        """Only what differs: a price that stays would be refused for a market order."""
        quantity = None if self.quantity == self.was_quantity else self.quantity
        limit = None if self.limit == self.was_limit else self.limit
        return quantity, limit

    def require_same(self, order: VenueOrder) -> None:
        """Refuse where somebody else has changed or ended the order since."""
        if order.is_open and (order.quantity, order.price) != (self.was_quantity, self.was_limit):
            raise OrderError(
                f"order {order.id!r} was changed meanwhile: nothing was sent. Look again", order.id
            )


def require_amendable(ex: ImperativeClient, order_id: str) -> VenueOrder:
    """Return an open order; `OrderError` for one that is unknown or has ended."""
    order = ex.order(order_id)
    if not order.is_open:
        raise OrderError(f"order {order_id!r} is {order.status}; it cannot be amended", order_id)
    return order


def read_change(ex: ImperativeClient, order_id: str, values: dict[str, str]) -> Change:
    """Read what the form asks of an order.

    Raises
    ------
    FieldError
        For a field that cannot be read, or where nothing would change.
    OrderError
        If the order has ended.
    """
    order = require_amendable(ex, order_id)
    quantity = number_of(values, "new_quantity", "new quantity")
    limit = None if order.price is None else number_of(values, "new_limit", "new limit")
    if quantity <= order.filled_quantity:
        raise FieldError(
            "new_quantity",
            f"new quantity must be above the {words.exact(order.filled_quantity)} that have "
            f"filled, was {words.exact(quantity)}",
        )
    if (quantity, limit) == (order.quantity, order.price):
        raise FieldError("new_quantity", "nothing is changed: give another quantity or limit")
    return Change(order_id, quantity, limit, order.quantity, order.price)


# ------------------------------------------------------------------------ picture
def amend_head(order: OrderState, currency: str) -> dict[str, Any]:
    """Say which order is being changed, and where it stands now; the venue's lock is held."""
    side = "buy" if order.sign > 0 else "sell"
    at = "at the market"
    if not order.is_market:
        at = f"at {words.exact(order.price, decimals=2)} {words.name(currency)}"
    filled = f"{words.exact(order.filled)} of {words.exact(order.quantity)} filled"
    return {
        "title": f"Amend order {order.id}",
        "what": f"{SIDE_SIGNS[side]}{words.exact(order.quantity)} {leg_name(order.leg)} {at}",
        "state": f"{state_words(order)}, {filled}",
        "tone": side,
        "is_over": not order.is_open,
    }


def amend_picture(change: Change, preview_id: str | None, ex: ImperativeClient) -> dict[str, Any]:
    """What the amendment would do now, as the ticket shows a preview; the lock is held."""
    venue = ex.engine.venue
    leg = venue.account.orders[change.order_id].leg
    picture: dict[str, Any] = {
        "id": preview_id,
        "tone": ex.order(change.order_id).side,
        "headline": f"Amend {change.order_id}: {_changes(change, venue.currency)}",
        "facts": [],
        "cautions": [],
        "notes": [],
        "confirm": f"Confirm: amend {change.order_id}",
    }
    try:
        change.require_same(ex.order(change.order_id))
        seen = change.look(ex)
    except (HorizonError, ValueError, TypeError) as error:
        return {**picture, "refusal": words_of(error), "confirm": "Cannot be sent"}
    unit, money = unit_of(seen.asset_class), seen.currency
    facts = [[f"Quantity, {unit}", _arrow(change.was_quantity, change.quantity)]]
    if change.limit is not None and change.was_limit is not None:
        limits = _arrow(change.was_limit, change.limit, decimals=2)
        facts.append([f"Limit price, {words.name(money)}", limits])
    left = words.exact(seen.quantity_after - seen.filled)
    taker = "taker" if seen.is_taker else "maker"
    facts += [
        ["Open after", f"{left} {unit} ({words.exact(seen.filled)} filled)"],
        ["Queue place", "kept" if seen.keeps_place else "lost: a new price arrives last"],
        ["Notional still open", words.cash(seen.notional_after, money)],
        [f"Fee of that, as {taker}", words.cash(seen.fee_after, money)],
        [
            "Buying power after",
            f"{words.cash(seen.buying_power_after, money)} "
            f"(now {words.cash(seen.buying_power, '').strip()})",
        ],
    ]
    notes = []
    if seen.taking is not None:
        facts += taking_facts(seen.taking, money, with_average=True)
        ends = venue.account.orders[change.order_id].ioc
        notes = taking_notes(seen.taking, venue, ends=ends)
    elif not seen.keeps_place and seen.is_taker and not seen.is_refused:
        notes.append(f"{leg_name(leg)} has reached the new limit: the next tick may fill it.")
    if venue.latency is not None:
        notes.append("Amendments travel for a while here: the order may fill before this one.")
    picture |= {
        "facts": facts,
        "cautions": [],
        "notes": [*_owner_notes(ex.order(change.order_id)), *notes],
        "refusal": None if seen.refusal is None else words.name(seen.refusal),
    }
    if seen.is_refused:
        picture["confirm"] = "Cannot be sent"
    return picture


def _changes(change: Change, currency: str) -> str:
    parts = []
    if change.quantity != change.was_quantity:
        parts.append(f"quantity {_arrow(change.was_quantity, change.quantity)}")
    if change.limit is not None and change.limit != change.was_limit:
        assert change.was_limit is not None
        limits = _arrow(change.was_limit, change.limit, decimals=2)
        parts.append(f"limit {limits} {words.name(currency)}")
    return ", ".join(parts)


def _arrow(before: float, after: float, *, decimals: int = 0) -> str:
    old = words.exact(before, decimals=decimals)
    if before == after:
        return old
    return f"{old} → {words.exact(after, decimals=decimals)}"


def _owner_notes(order: VenueOrder) -> list[str]:
    intent = order.metadata.get("intent")
    if not isinstance(intent, str) or not (intent.startswith("algo ") or intent == "quote"):
        return []
    whose = "an algorithm's quote" if intent == "quote" else f"{words.name(intent)}'s order"
    return [f"This is {whose}: what works it does not know of the change."]
