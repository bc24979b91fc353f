"""From money, or a share of the buying power, to units of a market: rounded down, and said.

An order may be sized by what it should cost, or by how much of the buying power it may take. What
that comes to depends on the price that it would have, so it is worked out on the venue's own
preview, and is a number of units from then on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Final

from horizon import rules, words
from horizon.instruments import Market
from horizon.preview import OrderPreview
from horizon.types import AssetClass
from horizon.venues.records import Leg
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.slippage import Level, Taking
from horizon.widgets.access import unit_of
from horizon.widgets.fields import FieldError
from horizon.widgets.ticket.draft import Draft
from horizon.widgets.ticket.form import SIZES

__all__ = ["lot_of", "price_step", "size_step", "sized", "stepped", "affordable", "written"]

#: Classes that are counted in whole units, where a market has no lot size.
_WHOLE: Final = (AssetClass.Equity, AssetClass.Option, AssetClass.Prediction)
#: The finest part of a coin or contract of the others.
_FINEST: Final = Decimal("1e-8")
_CENT: Final = Decimal("0.01")
#: Beyond this no walk of a book is tried.
_MOST: Final = 1e15
#: How near a number of lots is to a whole one that rounding has kept it from, in lots.
_NEAR: Final = 1e-9
_SINGULAR: Final = {"shares": "share", "contracts": "contract", "coins": "coin"}


def sized(
    draft: Draft, venue: SimulatedVenue, look: Callable[[Draft], OrderPreview]
) -> tuple[Draft, str]:
    """Give a draft its quantity; returns it with what is to be said of that, if anything.

    Parameters
    ----------
    draft : Draft
    venue : SimulatedVenue
        Where it would be sent; its lock is held.
    look : callable
        Asks what a draft would do.

    Raises
    ------
    FieldError
        Where the market has no price, or there is not enough for one lot.
    """
    if draft.size_by == "quantity":
        return draft, ""
    leg = venue.leg_of(draft.target)
    lot = lot_of(leg.market.instrument)
    field = SIZES[draft.size_by]
    probe = look(replace(draft, quantity=float(lot)))
    if probe.price is None or probe.reserve_each is None:
        raise FieldError(
            field, f"{field} needs a price, and {draft.name} has none now: size it by quantity"
        )
    by_power = draft.size_by == "power"
    budget = draft.size / 100.0 * probe.buying_power if by_power else draft.size
    if budget <= 0.0:
        raise FieldError(field, f"{field} needs buying power, there is none")
    price = probe.price

    def cost(at: float) -> float:
        return _reserve(draft, venue, leg, at) if by_power else at * leg.market.multiplier

    each = probe.reserve_each if by_power else cost(price)
    if each <= 0.0:
        raise FieldError(field, f"{field} says no size where a unit costs nothing: give a quantity")
    raw, end = budget / each, ""
    levels: list[Level] = []
    if draft.is_market and venue.matching == "book" and raw <= _MOST and probe.taking is not None:
        asked = budget / cost(probe.taking.touch or price)
        reach, is_short = _reach(draft, asked, lot, budget, cost, look)
        if reach is not None:
            levels = affordable(budget, reach.levels, cost)
            raw = math.fsum(size for _, size in levels)
            price = _average(levels)
            if is_short:
                end = "; the book shows no more" if reach.unfilled else "; no more can be reduced"
    quantity = _down(raw, lot)
    unit, money = unit_of(draft.kind), words.name(venue.currency)
    one, whole = _count(float(lot), unit), words.cash(budget, money)
    share = ""
    if by_power:
        power = words.cash(probe.buying_power, money)
        share = f" ({words.exact(draft.size)} % of {power})"
    if not quantity:
        each = budget / raw if by_power else price
        what = f"{whole}{share}, {words.cash(each, money)} each"
        if not by_power:
            what = f"{whole} at {words.price(price)} {money}"
        raise FieldError(field, f"{field} comes to less than {one}: {what}")
    taken = _first(levels, float(quantity)) if levels else [(price, float(quantity))]
    spent = math.fsum(cost(at) * size for at, size in taken)
    at = f" at {words.price(_average(taken))} {money}"
    if by_power:
        at = f", {words.cash(spent / float(quantity), money)} each"
    came = words.cash(spent, money)
    comes_to = came if came == whole else f"{words.cash(spent, '').strip()} of {whole}"
    is_even = math.isclose(float(quantity), raw, rel_tol=1e-12)
    rounding = "" if is_even else f", down to {_grid(lot, unit)}"
    says = f"{_count(float(quantity), unit)}: {comes_to}{share}{at}{rounding}{end}"
    return replace(draft, quantity=float(quantity)), says


def _reach(
    draft: Draft,
    asked: float,
    lot: Decimal,
    budget: float,
    cost: Callable[[float], float],
    look: Callable[[Draft], OrderPreview],
) -> tuple[Taking | None, bool]:
    """Walk the book as far as a budget goes; also says whether the walk ends before it.

    `asked` is what the budget would be enough for at the best price. Further down a unit of a
    buy costs more; one that is sold brings in less, so a notional goes further than that.
    """
    while True:
        wanted = float(_up(asked, lot))
        taking = look(replace(draft, quantity=wanted)).taking
        if taking is None:
            return None, False
        is_all = taking.quantity < wanted * (1.0 - rules.SLACK)
        enough = math.fsum(cost(price) * size for price, size in taking.levels) >= budget
        if is_all or enough or 2.0 * wanted > _MOST:
            return taking, is_all and not enough
        asked = 2.0 * wanted


def _first(levels: Sequence[Level], quantity: float) -> list[Level]:
    """Take the first units of some levels."""
    return affordable(quantity, levels, lambda _: 1.0)


def _average(levels: Sequence[Level]) -> float:
    worth = math.fsum(price * size for price, size in levels)
    return worth / math.fsum(size for _, size in levels)


def affordable(
    budget: float, levels: Sequence[Level], cost: Callable[[float], float]
) -> list[Level]:
    """Take what a budget buys, level by level; `cost` is that of one unit at a price."""
    bought: list[Level] = []
    for price, size in levels:
        each = cost(price)
        if each * size >= budget:
            return [*bought, (price, budget / each)]
        bought.append((price, size))
        budget -= each * size
    return bought


def _reserve(draft: Draft, venue: SimulatedVenue, leg: Leg, price: float) -> float:
    """What an opening unit takes of the buying power at a price, as the venue reckons it."""
    market = leg.market
    leverage = 1.0
    if market.asset_class == AssetClass.Perp:
        leverage = venue.leverage_for(market, draft.leverage)
    return rules.unit_reserve(
        market.asset_class,
        1 if draft.side == "buy" else -1,
        price,
        price if math.isnan(leg.price) else leg.price,
        market.multiplier,
        market.strike,
        leverage,
        venue.fee_rate(market, price, is_maker=False),
    )


def lot_of(instrument: Market | None) -> Decimal:
    """The step of sizes: the market's lot, else one unit, or the finest part of a coin."""
    if instrument is not None and instrument.lot_size is not None:
        return Decimal(repr(instrument.lot_size))
    if instrument is None or instrument.asset_class in _WHOLE:
        return Decimal(1)
    return _FINEST


def _down(units: float, lot: Decimal) -> Decimal:
    lots = math.floor(units / float(lot) + _NEAR)
    return lots * lot


def _up(units: float, lot: Decimal) -> Decimal:
    return max(math.ceil(units / float(lot)), 1) * lot


def _count(quantity: float, unit: str) -> str:
    return f"{words.exact(quantity)} {_SINGULAR[unit] if quantity == 1.0 else unit}"


def _grid(lot: Decimal, unit: str) -> str:
    """Say what sizes are whole numbers of."""
    return f"whole {unit}" if lot == 1 else f"lots of {_count(float(lot), unit)}"


# ------------------------------------------------------------------------ steps
def price_step(instrument: Market | None, kind: AssetClass, price: Decimal) -> Decimal:
    """By how much a key moves a price: the tick, else a cent, or the fifth digit of a coin's."""
    if instrument is not None and instrument.tick_size is not None:
        return Decimal(repr(instrument.tick_size))
    if kind in (AssetClass.Perp, AssetClass.Crypto) and price > 0:
        return Decimal(1).scaleb(price.adjusted() - 4)
    if kind is AssetClass.Equity and 0 < price < 1:
        return Decimal("0.0001")
    return _CENT


def size_step(size_by: str, lot: Decimal, size: Decimal) -> Decimal:
    """By how much a key moves a size: a lot of units, a tenth of a sum's first digit, 5 %."""
    if size_by == "power":
        return Decimal(5)
    if size_by == "notional" or lot < 1:
        # 250 moves by 10, 1,000 by 100.
        return max(Decimal(1).scaleb(size.adjusted() - 1) if size > 0 else Decimal(1), _FINEST)
    return lot


def stepped(value: Decimal, step: Decimal, by: int) -> Decimal:
    """Move a number to the next of its grid, up (1) or down (-1)."""
    steps = value / step
    if by > 0:
        whole = steps.to_integral_value(ROUND_FLOOR) + 1
    else:
        whole = steps.to_integral_value(ROUND_CEILING) - 1
    return whole * step


def written(value: Decimal) -> str:
    """Write a number as somebody would type it."""
    shown = f"{value:f}"
    if "." in shown and value == value.to_integral_value(ROUND_DOWN):
        return shown.split(".")[0]
    return shown
