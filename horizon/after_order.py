"""What an order leaves behind: position, cash and buying power, as sending it would.

The ledger's own code books its fills on a copy of one position; nothing here changes an account.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Final

from horizon import rules
from horizon.risk import RiskConfig, RiskGate, drawdown_floor
from horizon.types import AssetClass
from horizon.venues.account import Account
from horizon.venues.ledger import Ledger
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import SimulatedVenue

__all__ = ["After", "Course", "Part", "after_order", "course_of", "liquidation_price"]

_PERP: Final = int(AssetClass.Perp)

#: Size, price and fee rate of what fills together.
Part = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Course:
    """How an order fills: at once, and what rests of it fills later at its limit.

    Attributes
    ----------
    at_once : list of Part
        What fills on arrival, level by level.
    later : Part or None
        What rests.
    unfilled : float
        What ends without a fill, for want of liquidity.
    """

    at_once: list[Part]
    later: Part | None
    unfilled: float

    @property
    def parts(self) -> list[Part]:
        """All that fills, in the order in which it does."""
        return self.at_once if self.later is None else [*self.at_once, self.later]

    def notional(self, multiplier: float) -> float:
        """Size of all that fills, in money."""
        return sum(rules.notional(size, price, multiplier) for size, price, _ in self.parts)

    def fee(self, multiplier: float) -> float:
        """What all of it pays."""
        return sum(rules.fee(size, price, multiplier, rate) for size, price, rate in self.parts)


def course_of(
    order: OrderState, venue: SimulatedVenue, takes: list[tuple[float, float]] | None
) -> Course:
    """Say how an order that has a price fills.

    `takes` are the levels that it takes of a book, as `SimulatedVenue.on_arrival` gives them;
    None where orders meet none.
    """
    size = order.quantity
    if order.reduce_only:
        size = min(size, venue.account.closable(order.leg, order.sign))
    if takes is None:
        part = (size, order.reference, order.fee_rate)
        if order.is_market and venue.fills_on_arrival:
            return Course([part], None, 0.0)
        return Course([], part, 0.0)
    market = order.leg.market
    at_once = [
        (taken, price, venue.fee_rate(market, price, is_maker=False)) for taken, price in takes
    ]
    left = size - sum(taken for taken, _ in takes)
    if left <= rules.SLACK * order.quantity:
        return Course(at_once, None, 0.0)
    if order.is_market or order.ioc:
        return Course(at_once, None, left)
    rate = venue.fee_rate(market, order.price, is_maker=True)
    return Course(at_once, (left, order.price, rate), 0.0)


@dataclass(frozen=True, slots=True)
class After:
    """Position, cash and buying power as an order would leave them."""

    leg: Leg
    cash: float
    buying_power: float


class _Scratch(Ledger):
    """A ledger of nothing: it books a trade on the copy of a position as on any."""

    __slots__ = ()

    def fill(self, leg: Leg, sign: int, part: Part) -> float:
        """Move the position and value it anew; return what cash receives, less the fee."""
        size, price, rate = part
        multiplier = leg.market.multiplier
        gain = self._trade(leg, sign * size, price)
        self._revalue_leg(leg)
        if leg.market.asset_class != _PERP:
            gain = -sign * size * price * multiplier
        return gain - rules.fee(size, price, multiplier, rate)


def after_order(order: OrderState, course: Course, gate: RiskGate, venue: SimulatedVenue) -> After:
    """Follow an order that passes: accepted, filled, and what the engine does upon that.

    `cash` and `leg` are as they are once what rests has filled too, `buying_power` is beside the
    reserve of what rests.
    """
    account, leg = venue.account, _copy_of(order)
    scratch = _Scratch(0.0)
    later = 0.0 if course.later is None else course.later[0]
    paid, reserved = 0.0, 0.0
    power, equity = account.buying_power, account.equity
    if course.at_once:
        # An order that rests reserves while the position is what it was, one that fills after it.
        for part in course.at_once:
            paid += scratch.fill(leg, order.sign, part)
        power += paid - (leg.reserve - order.leg.reserve)
        equity += paid + (leg.value - order.leg.value)
        reserved = _reserved_after_fill(order, leg, gate, later)
    elif later:
        reserved = _reserved_by(order, leg, gate)
    if course.later is not None:
        paid += scratch.fill(leg, order.sign, course.later)
    if order.is_market and _ends_opening(account, gate.config, order.submitted_ns, equity):
        reserved = -account.order_reserve.total
    return After(leg, account.cash + paid, power - reserved)


def _copy_of(order: OrderState) -> Leg:
    """Copy an order's position, and around it its market as accepting the order makes it.

    The open orders are the market's own: they are only read.
    """
    leg, market = copy(order.leg), copy(order.leg.market)
    leg.market = market
    if market.asset_class == _PERP:
        market.leverage = order.leverage
    if leg.is_no:
        market.yes, market.no = copy(market.yes), leg
    else:
        market.yes, market.no = leg, copy(market.no)
    return leg


def _reserved_by(order: OrderState, leg: Leg, gate: RiskGate) -> float:
    """What all open orders reserve more once this one rests."""
    if order.opening != 0.0:
        return order.opening * order.unit_reserve
    # The rules were not asked about it, so it may leave them other orders to end.
    _pend(leg, order.sign, order.quantity)
    return -_ended_reserve(leg.market, {}, gate)


def _reserved_after_fill(order: OrderState, leg: Leg, gate: RiskGate, rest: float) -> float:
    """What the orders that stay open reserve more, once this one has moved the position.

    They have more or less to close now, each after those that came before it; last comes the
    `rest` of this one.
    """
    market, before = leg.market, order.leg.quantity
    opposite = leg.sells if order.sign > 0 else leg.buys
    held = leg.quantity
    left = {1: max(-held, 0.0), -1: max(held, 0.0)}
    openings: dict[str, float] = {}
    change = 0.0
    if opposite or order.sign * before < 0.0:
        for other in market.resting.values():
            if other.leg is not order.leg:
                continue
            if other.reduce_only:
                if -other.sign * held <= 0.0:  # nothing left to reduce: the venue ends it
                    _pend(leg, other.sign, -other.remaining)
            else:
                opening = rules.opening_part(other.remaining, left[other.sign], held)
                openings[other.id] = opening
                change += (opening - other.opening) * other.unit_reserve
            left[other.sign] -= other.remaining
    if rest:
        _pend(leg, order.sign, rest)
        if not order.reduce_only:
            opening = rules.opening_part(rest, left[order.sign], held)
            change += opening * order.unit_reserve
    return change - _ended_reserve(market, openings, gate)


def _ended_reserve(market: MarketState, openings: dict[str, float], gate: RiskGate) -> float:
    """What is given back by the orders that the engine ends at the position limit.

    It ends the newest that open. `openings` says what they do where that has changed.
    """
    if gate.excess(market) == 0:
        return 0.0
    given_back = 0.0
    opening = {o.id: openings.get(o.id, o.opening) for o in market.resting.values()}
    newest = [o for o in reversed(market.resting.values()) if opening[o.id] > 0.0]
    while (direction := gate.excess(market)) != 0:
        beyond = [o for o in newest if o.sign == direction * (-1 if o.leg.is_no else 1)]
        if not beyond:
            break
        ended = beyond[0]
        newest.remove(ended)
        leg = market.no if ended.leg.is_no else market.yes
        assert leg is not None
        _pend(leg, ended.sign, -ended.remaining)
        given_back += opening[ended.id] * ended.unit_reserve
    return given_back


def _pend(leg: Leg, sign: int, change: float) -> None:
    """Change what the open orders of a copied position may still fill."""
    if sign > 0:
        leg.pending_buy += change
    else:
        leg.pending_sell += change


def _ends_opening(account: Account, config: RiskConfig, now_ns: int, equity: float) -> bool:
    """Whether the engine, finding this equity, would end all orders that open.

    Then nothing is reserved any more: an order that only reduces reserves nothing.
    """
    now_ns = max(now_ns, account.now_ns)
    percent = config.max_daily_drawdown_pct
    if percent is not None:
        if now_ns < account.drawdown_until_ns:
            return True
        high = account.equity if now_ns >= account.day_end_ns else account.day_high
        floor = drawdown_floor(high, percent)
        if high > 0.0 and equity < floor - rules.SLACK * abs(floor):
            return True
    return account.halted or equity <= 0.0


# ------------------------------------------------------------------------ perpetuals
def liquidation_price(leg: Leg) -> float | None:
    """Mark at which a perpetual is closed: `rules.is_liquidated`, solved; None if no mark does."""
    market, held = leg.market, leg.quantity
    if market.asset_class != _PERP or held == 0.0:
        return None
    cost = abs(leg.cost + leg.cost_low)
    margin = cost / market.leverage
    # What is left of the margin is compared with two things, and must be at or under both.
    # A long with leverage 1 has margin for any fall.
    if held > 0.0:
        worth = min(cost - margin / 2.0, (cost - margin) / (1.0 - rules.MAINTENANCE))
    else:
        worth = max(cost + margin / 2.0, (cost + margin) / (1.0 + rules.MAINTENANCE))
    mark = worth / (abs(held) * market.multiplier)
    return mark if market.lowest <= mark <= market.highest else None
