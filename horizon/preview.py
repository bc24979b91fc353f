"""What an order would do: the answer to an order that is decided and not sent.

The venue decides a trial as it decides any order, and the ledger's own code books its fill on
a copy of one position. Nothing here knows when an order is refused, or what a trade costs.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Final

from horizon import rules
from horizon.errors import RiskRejected
from horizon.risk import RiskConfig, RiskGate, drawdown_floor
from horizon.types import AssetClass, Shown
from horizon.venues.account import Account
from horizon.venues.ledger import Ledger
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import SimulatedVenue

__all__ = ["OrderPreview", "TrialGate", "order_preview"]

_OPTION: Final = int(AssetClass.Option)
_PREDICTION: Final = int(AssetClass.Prediction)
_PERP: Final = int(AssetClass.Perp)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview(Shown):
    """What an order would do, were it sent now. Money is in `currency`, sizes in units.

    A market order that fills on arrival is shown after that fill. Any other order rests at
    first: `buying_power_after` is then what is left beside its reserve, and `cash_after` and
    `position_after` are what they will be once it has filled whole at `price`, all else being
    as it is now.

    Of a refused order `price`, `notional`, `fee`, `opening` and `worst_loss` are still its own.
    One whose client order id was used before sends nothing: its terms are the first order's as
    it stands, its `fee`, `opening` and `worst_loss` are 0. In both cases everything ``_after``
    is as it is now.

    Attributes
    ----------
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    asset_class : AssetClass
    side : {"buy", "sell"}
    quantity : float
        In units or contracts; above 0.
    order_type : {"limit", "market"}
    price : float or None
        The limit, or what a market order is expected to fill at, slippage included; None where
        the market has no price.
    currency : str
    notional : float or None
        ``|quantity x price x multiplier|``; None without a price.
    fee : float or None
        What filling whole at `price` costs; below 0 is a rebate, None without a price.
    is_taker : bool
        Whether the order would take liquidity on arrival, and pay the taker's rate.
    opening : float
        The part of `quantity` that opens a position or adds to one, earlier orders of its side
        filled first; the rest reduces.
    cash, cash_after : float
        Money in the account.
    buying_power, buying_power_after : float
        What an opening order may still reserve.
    position, position_after : float
        Held on this side of the market; below 0 is short.
    equity : float
        Cash and positions at their marks, now.
    worst_loss : float or None
        The most that the opening part can lose by itself, its share of the fee included; 0 or
        more, and infinite where there is no limit to it. Bought, it loses all that it costs (a
        perpetual its whole notional); a sold prediction what is missing to 1, a sold put its
        strike less the premium. An order that only reduces loses its fee. None without a price.
    liquidation_price : float or None
        Perpetuals: the mark at which `position_after` would be closed, at its leverage. None if
        flat, if no mark can do it, and for everything else.
    refusal : str or None
        Why risk or the market would refuse the order, in their words; None if they would not.
    rule : str or None
        The name of the risk rule that refuses, or the beginning of the market's reason, such as
        ``"buying power"``.
    duplicate_of : str or None
        The order that had the same client order id, which is all that sending would return.
    """

    market_id: str
    asset_class: AssetClass
    side: str
    quantity: float
    order_type: str
    price: float | None
    currency: str
    notional: float | None
    fee: float | None
    is_taker: bool
    opening: float
    cash: float
    cash_after: float
    buying_power: float
    buying_power_after: float
    position: float
    position_after: float
    equity: float
    worst_loss: float | None
    liquidation_price: float | None
    refusal: str | None
    rule: str | None
    duplicate_of: str | None

    @property
    def is_refused(self) -> bool:
        """Whether risk or the market would refuse the order; `refusal` says why."""
        return self.refusal is not None


class TrialGate:
    """Risk rules, asked without effect: what they refuse is noted, and the order goes on."""

    __slots__ = ("_gate", "refusal", "rule")

    def __init__(self, gate: RiskGate) -> None:
        self._gate = gate
        self.refusal: str | None = None
        self.rule: str | None = None

    def __call__(
        self,
        leg: Leg,
        sign: int,
        quantity: float,
        opening: float,
        reference: float,
        now_ns: int,
        given_back: float = 0.0,
        notional_back: float = 0.0,
    ) -> None:
        """Ask the rules, as a venue does of any gate."""
        try:
            self._gate(leg, sign, quantity, opening, reference, now_ns, given_back, notional_back)
        except RiskRejected as refused:
            self.refusal, self.rule = str(refused), refused.rule


def order_preview(
    order: OrderState, asked: TrialGate, gate: RiskGate, venue: SimulatedVenue
) -> OrderPreview:
    """Say what an order would do, with the venue's lock held.

    Parameters
    ----------
    order : OrderState
        A trial, or the account's own record where the client order id was used before.
    asked : TrialGate
        What the risk rules have said to it.
    gate : RiskGate
        The rules themselves: they also end orders that a fill leaves too much to open.
    venue : SimulatedVenue
        Where it would be sent.
    """
    account, leg, market = venue.account, order.leg, order.leg.market
    multiplier = market.multiplier
    duplicate_of = order.id if account.orders.get(order.id) is order else None
    refusal, rule = asked.refusal, asked.rule
    if refusal is None and order.status == "rejected" and order.reason is not None:
        refusal, rule = order.reason, order.reason.partition(":")[0]
    price = None if math.isnan(order.reference) else order.reference
    notional = fee = worst_loss = None
    opening = order.opening
    if price is not None:
        notional = rules.notional(order.quantity, price, multiplier)
        fee = rules.fee(order.quantity, price, multiplier, order.fee_rate)
        worst_loss = _worst_loss(order, price, fee)
    if duplicate_of is not None:
        opening = fee = worst_loss = 0.0
    now = _After(leg, account.cash, account.buying_power)
    is_sent = refusal is None and duplicate_of is None
    after = _after(order, gate, venue) if is_sent else now
    return OrderPreview(
        market_id=leg.id,
        asset_class=AssetClass(market.asset_class),
        side="buy" if order.sign > 0 else "sell",
        quantity=order.quantity,
        order_type="market" if order.is_market else "limit",
        price=price,
        currency=venue.currency,
        notional=notional,
        fee=fee,
        is_taker=order.is_taker,
        opening=opening,
        cash=now.cash,
        cash_after=after.cash,
        buying_power=now.buying_power,
        buying_power_after=after.buying_power,
        position=leg.quantity,
        position_after=after.leg.quantity,
        equity=account.equity,
        worst_loss=worst_loss,
        liquidation_price=_liquidation_price(after.leg),
        refusal=refusal,
        rule=rule,
        duplicate_of=duplicate_of,
    )


def _worst_loss(order: OrderState, price: float, fee: float) -> float:
    opening, market = order.opening, order.leg.market
    if opening == 0.0:
        return max(fee, 0.0)
    if order.sign > 0:
        at_risk = price
    elif market.asset_class == _PREDICTION:
        at_risk = 1.0 - price
    elif market.asset_class == _OPTION and _right(market) == "put":
        at_risk = market.strike - price
    else:
        return math.inf
    share = rules.fee(opening, price, market.multiplier, order.fee_rate)
    return max(opening * at_risk * market.multiplier + share, 0.0)


def _right(market: MarketState) -> str | None:
    return None if market.instrument is None else market.instrument.right


def _liquidation_price(leg: Leg) -> float | None:
    """Solve `rules.is_liquidated` for the mark; None where no mark fulfils it."""
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


# ------------------------------------------------------------------------ after the order
@dataclass(frozen=True, slots=True)
class _After:
    """Position, cash and buying power as an order would leave them."""

    leg: Leg
    cash: float
    buying_power: float


class _Scratch(Ledger):
    """A ledger of nothing: it books a trade on the copy of a position as on any."""

    __slots__ = ()

    def trade(self, leg: Leg, traded: float, price: float) -> float:
        """Move the position and value it anew; return the profit realised, before fees."""
        gain = self._trade(leg, traded, price)
        self._revalue_leg(leg)
        return gain


def _after(order: OrderState, gate: RiskGate, venue: SimulatedVenue) -> _After:
    """Follow an order that passes: accepted, filled, and what the engine does upon that."""
    account, leg, price = venue.account, _copy_of(order), order.reference
    fills_now = order.is_market and venue.fills_on_arrival
    # An order that rests reserves while the position is what it was, one that fills after it.
    reserved = 0.0 if fills_now else _reserved_by(order, leg, gate)
    size = order.quantity
    if order.reduce_only:
        size = min(size, account.closable(leg, order.sign))
    gain = _Scratch(0.0).trade(leg, order.sign * size, price)
    paid = rules.fee(size, price, leg.market.multiplier, order.fee_rate)
    if leg.market.asset_class != _PERP:
        gain = -order.sign * size * price * leg.market.multiplier
    cash = account.cash + gain - paid
    power, equity = account.buying_power, account.equity
    if fills_now:
        reserved = _reserved_after_fill(order, leg, gate)
        power += gain - paid - (leg.reserve - order.leg.reserve)
        equity += gain - paid + (leg.value - order.leg.value)
    if order.is_market and _ends_opening(account, gate.config, order.submitted_ns, equity):
        reserved = -account.order_reserve.total
    return _After(leg, cash, power - reserved)


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


def _reserved_after_fill(order: OrderState, leg: Leg, gate: RiskGate) -> float:
    """What the orders that stay open reserve more, once this one has moved the position.

    They have more or less to close now, each after those that came before it.
    """
    market, before = leg.market, order.leg.quantity
    opposite = leg.sells if order.sign > 0 else leg.buys
    openings: dict[str, float] = {}
    change = 0.0
    if opposite or order.sign * before < 0.0:
        held = leg.quantity
        left = {1: max(-held, 0.0), -1: max(held, 0.0)}
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
