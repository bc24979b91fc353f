"""What the ticket's keys do: steps of size and price, cancels, and their own change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from horizon import checks, words
from horizon.client import ImperativeClient
from horizon.errors import HorizonError
from horizon.instruments import NO_SUFFIX
from horizon.types import AssetClass
from horizon.venues.records import Leg
from horizon.widgets.access import leg_name, text_of
from horizon.widgets.fields import FieldError, number_of
from horizon.widgets.hotkeys import ACTIONS, Hotkeys, key_words
from horizon.widgets.row_words import say_refused
from horizon.widgets.ticket.form import SIZES, kind_of
from horizon.widgets.ticket.size import lot_of, price_step, size_step, stepped, written

__all__ = ["TicketKeys", "keys_of"]

#: Keys that write a choice into a field, and what they write.
_CHOICES: Final = {
    "buy": ("side", "buy"),
    "sell": ("side", "sell"),
    "limit": ("order", "limit"),
    "market": ("order", "market"),
}
#: Keys that move a number, and which way.
_STEPS: Final = {
    "size_up": ("size", 1),
    "size_down": ("size", -1),
    "price_up": ("price", 1),
    "price_down": ("price", -1),
}
#: Order types that have a price of their own.
_PRICED: Final = ("limit", "iceberg", "twap", "vwap")


def keys_of(given: object) -> Hotkeys:
    """Take the keys of a ticket; None stands for the usual ones."""
    if given is None:
        return Hotkeys()
    if not isinstance(given, Hotkeys):
        raise TypeError(f"hotkeys must be Hotkeys, was {checks.show(given)}")
    return given


class TicketKeys:
    """A ticket's keys, and what they do to its form and to its account.

    Parameters
    ----------
    ex : ImperativeClient
    hotkeys : Hotkeys
        The keys at first; they may be changed.
    """

    def __init__(self, ex: ImperativeClient, hotkeys: Hotkeys) -> None:
        self._ex = ex
        self._first = hotkeys
        self.hotkeys = hotkeys

    # ------------------------------------------------------------------ which keys
    def bind(self, arguments: Mapping[str, Any]) -> None:
        """Give an action another key; an empty one is none."""
        action, key = text_of(arguments, "action"), text_of(arguments, "key")
        self.hotkeys = self.hotkeys.with_key(action, key or None)

    def reset(self) -> None:
        """Take back what was changed here."""
        self.hotkeys = self._first

    def picture(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Say which key does what, now; the venue's lock is held."""
        keys = self.hotkeys
        about = {"cancel_last": self._newest(), "flatten": self._flattened(values)}
        rows = []
        for action, label in ACTIONS.items():
            key = getattr(keys, action)
            target = about.get(action)
            row = {
                "action": action,
                "label": label,
                "key": key or "",
                "shown": key_words(key),
                "name": f"Change the key for: {label}. Now {key_words(key)}",
                "id": "" if target is None else target[0],
                # What the first of two presses says: what the second will do, or that there is
                # nothing to do. Both are empty for a key that acts at once.
                "sure": "",
                "idle": "",
            }
            if action == "cancel_all":
                if self._ex.engine.venue.account.open_orders:
                    row["sure"] = f"Press {key_words(key)} again to cancel every open order."
                else:
                    row["idle"] = "There is no open order to cancel."
            elif action == "flatten":
                if target is not None:
                    row["sure"] = f"Press {key_words(key)} again to flatten {target[1]}."
                else:
                    row["idle"] = "There is nothing to flatten in the ticket's market."
            rows.append(row)
        return {"rows": rows, "hint": _hint(keys), "spoken": _spoken(keys)}

    # ------------------------------------------------------------------ the form
    def press(
        self, arguments: Mapping[str, Any], values: Mapping[str, str], amending: str | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Do what a key does to the form; returns what it writes, and what is wrong with it."""
        action = checks.one_of("action", text_of(arguments, "action"), (*_CHOICES, *_STEPS))
        if action in _CHOICES:
            field, value = _CHOICES[action]
            is_same = amending is not None or values[field] == value
            return ({} if is_same else {field: value}), {}
        what, by = _STEPS[action]
        try:
            with self._ex.engine.venue.lock:
                if what == "price":
                    return self._step_price(values, amending, by), {}
                return self._step_size(values, amending, by), {}
        except FieldError as error:
            return {}, {error.field: str(error)}

    def _step_price(
        self, values: Mapping[str, str], amending: str | None, by: int
    ) -> dict[str, str]:
        field = "limit" if amending is None else "new_limit"
        leg, kind = self._leg(values, amending)
        if amending is None and values["order"] not in _PRICED:
            return {}
        if amending is not None and self._ex.order(amending).price is None:
            return {}
        contract = None if leg is None else leg.market.instrument
        if not values[field].strip():
            return {field: written(self._start(leg, values["side"], field))}
        price = _number(values, field)
        moved = stepped(price, price_step(contract, kind, price), by)
        highest = Decimal(1) if kind is AssetClass.Prediction else Decimal("1e15")
        if not 0 < moved < highest:
            raise FieldError(field, f"limit price cannot go beyond {words.exact(float(price))}")
        return {field: written(moved)}

    def _start(self, leg: Leg | None, side: str, field: str) -> Decimal:
        """Where a price begins that is not written yet: at the best one of its own side."""
        price = math.nan
        if leg is not None:
            bid, ask = self._ex.engine.venue.quotes_of(leg)
            price = bid if side == "buy" else ask
            price = leg.price if math.isnan(price) else price
        if math.isnan(price) or leg is None:
            raise FieldError(
                field, "limit price has nothing to begin with: the market has no price"
            )
        if leg.market.instrument is not None:
            price = leg.market.instrument.round_price(price, 1 if side == "buy" else -1)
        return Decimal(f"{price:.15g}")

    def _step_size(
        self, values: Mapping[str, str], amending: str | None, by: int
    ) -> dict[str, str]:
        leg, kind = self._leg(values, amending)
        size_by = "quantity" if amending is not None else values["size_by"]
        field = "new_quantity" if amending is not None else SIZES.get(size_by, "quantity")
        lot = lot_of(None if leg is None else leg.market.instrument)
        if leg is None and kind in (AssetClass.Perp, AssetClass.Crypto):
            lot = Decimal("1e-8")
        size = _number(values, field) if values[field].strip() else Decimal(0)
        moved = stepped(size, size_step(size_by, lot, size), by)
        if moved <= 0 or (size_by == "power" and moved > 100):
            raise FieldError(field, f"{field.replace('_', ' ')} cannot go beyond {size}")
        return {field: written(moved)}

    def _leg(
        self, values: Mapping[str, str], amending: str | None
    ) -> tuple[Leg | None, AssetClass]:
        """The position that the form is about, if the account knows it, and its kind."""
        venue = self._ex.engine.venue
        if amending is not None:
            leg = venue.account.orders[amending].leg
            return leg, AssetClass(leg.market.asset_class)
        kind = kind_of(values, venue.market)
        base = values["market"].strip()
        is_no = base.endswith(NO_SUFFIX) or values["outcome"] == "no"
        state = venue.account.markets.get(base.removesuffix(NO_SUFFIX))
        if state is None:
            return None, kind
        return (state.no if is_no and state.no is not None else state.yes), kind

    # ------------------------------------------------------------------ the account
    def _newest(self) -> tuple[str, str] | None:
        orders = self._ex.engine.venue.account.open_orders
        order_id = next(reversed(orders), None)
        return None if order_id is None else (order_id, order_id)

    def cancel_last(self, arguments: Mapping[str, Any]) -> str:
        """Cancel the order that was the newest open one when the key was pressed."""
        order_id = text_of(arguments, "id")
        if not order_id:
            raise HorizonError("there is no open order to cancel")
        if not self._ex.cancel(order_id):
            raise HorizonError(f"order {words.name(order_id)} was not cancelled: it is not open")
        return f"Order {order_id}: cancelled by its key."

    def cancel_all(self) -> str:
        """Cancel every open order of the account."""
        count = self._ex.cancel_all()
        if not count:
            raise HorizonError("there is no open order to cancel")
        return f"Cancelled {count:,} open order{'' if count == 1 else 's'}."

    def _flattened(self, values: Mapping[str, str]) -> tuple[str, str] | None:
        """The market that the key flattens: the ticket's, with both sides, if anything is there."""
        base = values["market"].strip().removesuffix(NO_SUFFIX)
        state = self._ex.engine.venue.account.markets.get(base)
        if state is None or not (state.held or state.resting):
            return None
        both = "" if state.no is None else ", YES and NO"
        return state.id, f"{leg_name(state)}{both}"

    def flatten(self, arguments: Mapping[str, Any], values: Mapping[str, str]) -> str:
        """Close what is held in the ticket's market, with its orders and algorithms."""
        market_id = text_of(arguments, "id")
        with self._ex.engine.venue.lock:
            target = self._flattened(values)
            if target is None or target[0] != market_id:
                raise HorizonError(
                    "nothing was sent: the ticket's market has changed, or has nothing to flatten"
                )
            sent = self._ex.flatten(market_id)
            say_refused(sent)
        return f"Flattened {target[1]}: {len(sent):,} order{'' if len(sent) == 1 else 's'} sent."


def _number(values: Mapping[str, str], field: str) -> Decimal:
    number_of(values, field, field.replace("_", " "))
    return Decimal(values[field].strip())


def _hint(keys: Hotkeys) -> str:
    """Say how the two steps go by keys, in one line."""
    parts = []
    if keys.preview is not None:
        parts.append(f"{key_words(keys.preview)} previews")
    if keys.confirm is not None:
        again = " again" if keys.confirm == keys.preview else ""
        parts.append(f"{key_words(keys.confirm)}{again} confirms")
    if keys.drop is not None:
        parts.append(f"{key_words(keys.drop)} drops")
    return ", ".join(parts)


def _spoken(keys: Hotkeys) -> str:
    """What is said with each new preview."""
    parts = []
    if keys.confirm is not None:
        parts.append(f"{key_words(keys.confirm)} confirms")
    if keys.drop is not None:
        parts.append(f"{'Escape' if keys.drop == 'Escape' else key_words(keys.drop)} drops")
    return ", ".join(parts) or "Confirm it by its button"
