"""What an order would do: the answer to an order that is decided and not sent.

The venue decides a trial as it decides any order, and the ledger's own code books its fill on
a copy of one position. Nothing here knows when an order is refused, or what a trade costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from horizon import rules, words
from horizon.after_order import After, Course, after_order, course_of, liquidation_price
from horizon.errors import RiskRejected
from horizon.risk import RiskGate
from horizon.types import AssetClass, Shown
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.slippage import Taking, taking_of

__all__ = ["OrderPreview", "TrialGate", "order_preview"]

_OPTION: Final = int(AssetClass.Option)
#: What one unit of it is called; everything else is counted in contracts.
_UNITS: Final = {AssetClass.Equity: "share", AssetClass.Crypto: "coin"}
_PREDICTION: Final = int(AssetClass.Prediction)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview(Shown):
    """What an order would do, were it sent now. Money is in `currency`, sizes in units.

    A market order that fills on arrival is shown after that fill. Any other order rests at
    first: `buying_power_after` is then what is left beside its reserve, and `cash_after` and
    `position_after` are what they will be once it has filled whole at `price`, all else being
    as it is now.

    Where orders meet a book, what the order takes of it on arrival counts at the prices of its
    levels, as the book stands now; `taking` shows them. The rest of a limit order rests; what a
    market order finds nothing for ends, and no number but `quantity` and `opening` counts it.

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
        ``|quantity x price x multiplier|`` of what fills; None without a price.
    fee : float or None
        What that costs; below 0 is a rebate, None without a price.
    is_taker : bool
        Whether the order would take liquidity if it arrived now, and pay the taker's rate. Where
        orders travel, that is decided by the market which it finds.
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
    reserve_each : float or None
        What each unit that opens takes of the buying power while the order rests, its fee
        included; None without a price.
    taking : Taking or None
        What it would take on arrival, and its slippage; None for an order that takes nothing.
    cautions : tuple of str
        What a trader would want to be told before sending it, a sentence each: that a limit
        beyond the market is what a fill on paper pays, or that nothing is known of the market
        while another is nearly called so.

    Examples
    --------
    Not made by hand: ``ex.preview(…)`` returns it. Ten shares for 180 each at 10 basis points
    cost 1,800 and a fee of 1.80:

    >>> ex = hz.connect("paper", initial_cash_usd=10_000, fee_bps=10)
    >>> fills = ex.tick("AAPL", 180.0)
    >>> seen = ex.preview("AAPL", 10, market=True)
    >>> seen.notional, seen.fee, seen.cash_after, seen.position_after, seen.is_refused
    (1800.0, 1.8, 8198.2, 10.0, False)

    A share that is sold short can rise without end; bought, it can lose what it cost:

    >>> ex.preview("AAPL", 10, market=True, side="sell").worst_loss, seen.worst_loss
    (inf, 1801.8)

    A limit far above the market is paid on paper:

    >>> print(*ex.preview("AAPL", 10, limit=200.0).cautions)
    The last price, 180.00 USD, has reached this limit of 200.00 USD. Paper fills at the limit, not
    at the price: 20.00 USD worse for each share, 200.00 USD in all.
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
    reserve_each: float | None
    taking: Taking | None
    cautions: tuple[str, ...] = ()

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
    reserve_each = None if price is None else order.unit_reserve
    notional = fee = worst_loss = taking = course = None
    opening = order.opening
    takes = None if duplicate_of is not None else venue.on_arrival(order)
    if price is not None:
        course = course_of(order, venue, takes)
        taking = _taking(order, course, venue)
        if takes is None:
            notional = rules.notional(order.quantity, price, multiplier)
            fee = rules.fee(order.quantity, price, multiplier, order.fee_rate)
            worst_loss = _worst_loss(order, opening, price, fee)
        else:
            if order.is_market:
                price = None if taking is None else taking.average_price
            notional, fee = course.notional(multiplier), course.fee(multiplier)
            worst_loss = _worst_loss_of(order, course, notional, fee)
    if duplicate_of is not None:
        opening = fee = worst_loss = 0.0
        taking = None
    after = After(leg, account.cash, account.buying_power)
    cautions = []
    if refusal is None and duplicate_of is None and course is not None:
        after = after_order(order, course, gate, venue)
        cautions = _cautions(order, venue)
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
        cash=account.cash,
        cash_after=after.cash,
        buying_power=account.buying_power,
        buying_power_after=after.buying_power,
        position=leg.quantity,
        position_after=after.leg.quantity,
        equity=account.equity,
        worst_loss=worst_loss,
        liquidation_price=liquidation_price(after.leg),
        refusal=refusal,
        rule=rule,
        duplicate_of=duplicate_of,
        reserve_each=reserve_each,
        taking=taking,
        cautions=tuple(cautions),
    )


def _cautions(order: OrderState, venue: SimulatedVenue) -> list[str]:
    """Warn of a limit that is beyond the market, where a fill pays the limit all the same."""
    if order.is_market or venue.matching == "book":  # a book is taken at what it shows
        return []
    leg, what, present = order.leg, "last price", order.leg.price
    if venue.matching == "quotes":
        bid, ask = venue.quotes_of(leg)
        if bid == bid or ask == ask:
            what, present = ("ask", ask) if order.sign > 0 else ("bid", bid)
    worse = order.sign * (order.price - present)
    if not worse > rules.REACH * order.price:  # false for NaN, where there is no price
        return []
    each = worse * leg.market.multiplier
    money = words.name(venue.currency)
    unit = _UNITS.get(AssetClass(leg.market.asset_class), "contract")
    is_bar = venue.bar_fill_mode == "touch"
    opens = ", or at the open of a bar that opens better" if is_bar else ""
    return [
        f"The {what}, {words.price(present)} {money}, has reached this limit of "
        f"{words.price(order.price)} {money}. Paper fills at the limit{opens}, not at the price: "
        f"{'up to ' if is_bar else ''}{words.price(each)} {money} worse for each {unit}, "
        f"{words.cash(each * order.quantity, venue.currency)} in all."
    ]


def _taking(order: OrderState, course: Course, venue: SimulatedVenue) -> Taking | None:
    """Describe what an order takes on arrival; on paper, a market order at its reference."""
    leg = order.leg
    parts = course.at_once
    if not parts and order.is_market and course.later is not None:
        parts = [course.later]  # it waits for a tick, which the present stands for
    quotes, source = venue.quotes_of(leg), venue.matching
    if source == "quotes" and math.isnan(quotes[0]) and math.isnan(quotes[1]):
        source = "price"
    levels = [(price, size) for size, price, _ in parts]
    wanted = order.quantity
    if order.reduce_only:
        wanted = min(wanted, venue.account.closable(leg, order.sign))
    return taking_of(source, order.sign, levels, wanted, leg.market.multiplier, quotes, leg.price)


def _worst_loss_of(order: OrderState, course: Course, notional: float, fee: float) -> float:
    """`_worst_loss` of an order that meets a book, for what of it fills."""
    filled = sum(size for size, _, _ in course.parts)
    if filled == 0.0:
        return 0.0
    opening = max(order.opening - course.unfilled, 0.0)
    price = notional / (filled * order.leg.market.multiplier)
    return _worst_loss(order, opening, price, fee, fee * opening / filled)


def _worst_loss(
    order: OrderState, opening: float, price: float, fee: float, share: float | None = None
) -> float:
    market = order.leg.market
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
    if share is None:
        share = rules.fee(opening, price, market.multiplier, order.fee_rate)
    return max(opening * at_risk * market.multiplier + share, 0.0)


def _right(market: MarketState) -> str | None:
    return None if market.instrument is None else market.instrument.right
