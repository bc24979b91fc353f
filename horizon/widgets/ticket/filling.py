"""What of an order its numbers count: all that fills, and at which price."""

from __future__ import annotations

from dataclasses import dataclass

from horizon.preview import OrderPreview
from horizon.venues.simulated import SimulatedVenue
from horizon.widgets.ticket.draft import Draft

__all__ = ["Filling", "filling_of"]


@dataclass(frozen=True, slots=True)
class Filling:
    """The part of an order that fills, now or later at its limit.

    Attributes
    ----------
    quantity : float
        Units that fill; 0 where an order that cannot rest finds nothing.
    opening : float
        What of them opens a position or adds to one: an order reduces first, so what finds
        nothing would have opened.
    price : float or None
        Their average price; the limit where nothing fills, None where there is no price at all.
    """

    quantity: float
    opening: float
    price: float | None


def filling_of(draft: Draft, seen: OrderPreview, venue: SimulatedVenue) -> Filling:
    """Say what of an order fills, as its preview reckons notional and fee."""
    taking = seen.taking
    if venue.matching != "book":
        return Filling(seen.quantity, seen.opening, seen.price)
    ends = seen.order_type == "market" or draft.tif == "ioc"
    if taking is None:
        if ends:
            return Filling(0.0, 0.0, seen.price)
        return Filling(seen.quantity, seen.opening, seen.price)
    if ends:
        opening = max(seen.opening - taking.unfilled, 0.0)
        return Filling(taking.quantity, opening, taking.average_price)
    quantity = taking.quantity + taking.unfilled
    price = taking.average_price
    if taking.unfilled and seen.price is not None:  # the rest fills at the limit
        worth = price * taking.quantity + seen.price * taking.unfilled
        price = worth / quantity
    return Filling(quantity, seen.opening, price)
