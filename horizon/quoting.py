"""Two-sided quotes: building them, and keeping what rests equal to what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.errors import RiskRejected
from horizon.types import OrderSide, Quote, Side
from horizon.venues.records import Leg

if TYPE_CHECKING:
    from horizon.engine import Engine

__all__ = ["QUOTE_INTENT", "quotes", "submit_quotes"]

#: ``metadata["intent"]`` of the orders that quotes have become.
QUOTE_INTENT: Final = "quote"

#: Order side, price and size of one side of a quote.
_Wanted = tuple[OrderSide, float, float]


def quotes(fair: float, spread: float, size: float) -> list[Quote]:
    """Quote both sides of a fair price.

    Parameters
    ----------
    fair : float
        The middle, in price units.
    spread : float
        Ask less bid, 0 or more.
    size : float
        Of each side; above 0.

    Returns
    -------
    list of one Quote
        ``[Quote(fair - spread / 2, fair + spread / 2, size)]``

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number as above.
    """
    middle = checks.number("fair", fair)
    half = checks.non_negative("spread", spread) / 2.0
    return [Quote(middle - half, middle + half, size)]


def submit_quotes(
    engine: Engine, market_id: str, wanted: Iterable[Quote], side: Side
) -> list[str | None]:
    """Do what `Engine.submit_quotes` says, with the venue's lock held."""
    legs: list[_Wanted] = []
    if not isinstance(wanted, Iterable):
        raise TypeError(f"quotes must be a list of Quote, was {checks.show(wanted)}")
    for item in wanted:
        if not isinstance(item, Quote):
            raise TypeError(f"quotes must hold Quote, has {checks.show(item)}")
        legs.append((OrderSide.Buy, item.bid, item.size))
        legs.append((OrderSide.Sell, item.ask, item.size))
    if not isinstance(side, Side):
        raise TypeError(f"side must be a Side (Yes, No or Long), was {checks.show(side)}")
    engine.require_open()
    leg = engine.leg_of(market_id, side)
    contract = leg.market.instrument
    assert contract is not None
    lowest, highest = contract.price_bounds
    for _, price, size in legs:
        if lowest < price < highest:
            contract.check_order_price("quote's price", price)
        contract.check_quantity("quote's size", size)
        if abs(price) * size * leg.market.multiplier > checks.LARGEST:
            raise ValueError(f"a quote's notional must be at most 1e15, was {price:g} x {size:g}")
    kept = _keep(engine, leg, legs)
    return [kept.get(n) or _send(engine, leg, item) for n, item in enumerate(legs)]


def _keep(engine: Engine, leg: Leg, legs: list[_Wanted]) -> dict[int, str]:
    """Keep the resting quotes that are still wanted, cancel the others."""
    kept: dict[int, str] = {}
    resting = [o for o in leg.market.resting.values() if o.leg is leg and o.intent == QUOTE_INTENT]
    for order in resting:
        number = None
        for n, (order_side, price, size) in enumerate(legs):
            same = order_side.sign == order.sign and price == order.price
            if same and size <= order.remaining and n not in kept:
                number = n
                break
        if number is None:
            engine.venue.cancel_orders([order], None)
            continue
        kept[number] = order.id
        size = legs[number][2]
        if size < order.remaining:
            engine.venue.amend_order(order.id, order.filled + size)
    return kept


def _send(engine: Engine, leg: Leg, wanted: _Wanted) -> str | None:
    order_side, price, size = wanted
    contract = leg.market.instrument
    assert contract is not None
    lowest, highest = contract.price_bounds
    if not lowest < price < highest:
        engine.count("price_bounds")
        return None
    kind = contract.asset_class
    try:
        return engine.place(leg.id, kind, order_side.sign, size, price, intent=QUOTE_INTENT).id
    except RiskRejected:
        return None
