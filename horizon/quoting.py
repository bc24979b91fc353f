"""Two-sided quotes: building them, and keeping what rests equal to what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from horizon import checks
from horizon.checks import LARGEST
from horizon.errors import RiskRejected
from horizon.quick_quotes import outside
from horizon.types import Quote, Side
from horizon.venues.records import QUOTE_INTENT, Leg, MarketState, OrderState

if TYPE_CHECKING:
    from horizon.engine import Engine

__all__ = ["QUOTE_INTENT", "quotes", "requote", "submit_quotes"]


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

    Examples
    --------
    >>> hz.quotes(fair=100.0, spread=0.5, size=10)
    [Quote(bid=99.75, ask=100.25, size=10.0)]
    """
    middle = fair if type(fair) is float and -LARGEST <= fair <= LARGEST else None
    if middle is None:
        middle = checks.number("fair", fair)
    if type(spread) is not float or not 0.0 <= spread <= LARGEST:
        spread = checks.non_negative("spread", spread)
    half = spread / 2.0
    return [Quote(middle - half, middle + half, size)]


def submit_quotes(
    engine: Engine, market_id: str, wanted: Iterable[Quote], side: Side
) -> list[str | None]:
    """Do what `Engine.submit_quotes` says, with the venue's lock held."""
    if not isinstance(wanted, Iterable):
        raise TypeError(f"quotes must be a list of Quote, was {checks.show(wanted)}")
    given = list(wanted)
    for item in given:
        if not isinstance(item, Quote):
            raise TypeError(f"quotes must hold Quote, has {checks.show(item)}")
    if not isinstance(side, Side):
        raise TypeError(f"side must be a Side (Yes, No or Long), was {checks.show(side)}")
    engine.require_passage(market_id)
    orders = requote(engine, engine.leg_of(market_id, side), given)
    return [None if order is None else order.id for order in orders]


def requote(engine: Engine, leg: Leg, wanted: list[Quote]) -> Sequence[OrderState | None]:
    """Make these quotes what rests of this engine's quotes on a leg, with the lock held.

    Returns the order of each bid and ask, quote by quote, kept or new; None where a leg's price
    is None or none that the market can have, or where risk refused it.
    """
    quick = engine.quick_quotes
    if quick is not None and len(wanted) == 1:
        bid, ask, size = wanted[0]
        if bid is not None and ask is not None:
            done = quick.requote(leg, bid, ask, size)
            if done is not None:
                return done
    market = leg.market
    lowest, highest = market.lowest, market.highest
    _check(market, wanted)
    kept: list[OrderState | None] = [None] * (2 * len(wanted))
    if leg.quotes:
        venue = engine.venue
        for order in list(leg.quotes.values()):
            side, price, left = (
                0 if order.sign > 0 else 1,
                order.price,
                order.quantity - order.filled,
            )
            # Of several that it could serve, the one that leaves most of it.
            found, size = -1, 0.0
            for number in range(side, len(kept), 2):
                quote = wanted[number // 2]
                if quote[side] == price and size < quote[2] <= left and kept[number] is None:
                    found, size = number, quote[2]
            if found < 0:
                venue.cancel_order(order, None)
                continue
            kept[found] = order
            if size < left:
                venue.amend_order(order.id, order.filled + size)
    number = -1
    for quote in wanted:
        for name, sign, limit in (("bid", 1, quote.bid), ("ask", -1, quote.ask)):
            number += 1
            if limit is None or kept[number] is not None:
                continue
            if not lowest < limit < highest:
                engine.count("price_bounds", outside(leg, name, limit))
                continue
            try:
                kept[number] = engine.place_limit(leg, sign, quote.size, limit, QUOTE_INTENT)
            except RiskRejected:
                pass  # the engine has counted it
    return kept


def _check(market: MarketState, wanted: list[Quote]) -> None:
    """Check every quote against the market's grids before anything changes."""
    contract = market.instrument
    assert contract is not None
    tick_size, lot_size = contract.tick_size, contract.lot_size
    largest = LARGEST / market.multiplier
    for bid, ask, size in wanted:
        prices = [price for price in (bid, ask) if price is not None]
        if tick_size is not None:
            for price in prices:
                if market.lowest < price < market.highest:
                    contract.check_order_price("quote's price", price)
        if lot_size is not None:
            contract.check_quantity("quote's size", size)
        if max(map(abs, prices)) * size > largest:
            raise ValueError(
                f"a quote's notional must be at most 1e15, was {max(map(abs, prices)):g} x {size:g}"
            )
