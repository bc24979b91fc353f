"""The living records of an account: small, mutable, with slots.

Only the apply functions of `horizon.venues.account.Account` change them. What a user sees
are snapshots made from them on request.
"""

from __future__ import annotations

import math
from typing import Final

from horizon import rules
from horizon.checks import LARGEST
from horizon.instruments import Market

__all__ = [
    "NEVER_NS",
    "QUOTE_INTENT",
    "UNDECIDED",
    "AlgoState",
    "Leg",
    "MarketState",
    "OrderState",
    "RunningSum",
]

#: The asset class of a market that has had ticks only: nothing has said yet what it is.
UNDECIDED: Final = -1
#: ``metadata["intent"]`` of the orders that quotes have become.
QUOTE_INTENT: Final = "quote"
#: Before every point in time that int64 nanoseconds can say.
NEVER_NS: Final = -(2**63)


def _complement_or_nan(price: float) -> float:
    """`rules.complement`, where the price may be missing."""
    return price if math.isnan(price) else rules.complement(price)


class RunningSum:
    """A sum that is kept, not recounted: compensated, so that it does not drift.

    The same terms in the same order give the same bits, whatever the number of markets.
    """

    __slots__ = ("high", "low")

    def __init__(self, start: float = 0.0) -> None:
        self.high = start
        self.low = 0.0

    def add(self, term: float) -> None:
        """Add one term."""
        # `rules.two_sum`, in line: each order moves several sums, and calls cost more than this.
        high = self.high
        total = high + term
        virtual = total - high
        self.low += (high - (total - virtual)) + (term - virtual)
        self.high = total

    def add_two(self, first: float, second: float) -> None:
        """Add one term, then another."""
        high = self.high
        total = high + first
        virtual = total - high
        low = self.low + ((high - (total - virtual)) + (first - virtual))
        high = total + second
        virtual = high - total
        self.low = low + ((total - (high - virtual)) + (second - virtual))
        self.high = high

    @property
    def total(self) -> float:
        """The sum so far."""
        return self.high + self.low

    def replace(self, former: float, term: float) -> None:
        """Add a term in the place of one that was added before."""
        high = self.high
        total = high + term
        virtual = total - high
        low = self.low + ((high - (total - virtual)) + (term - virtual))
        high = total - former
        virtual = high - total
        self.low = low + ((total - (high - virtual)) - (former + virtual))
        self.high = high


class MarketState:
    """A market in an account: its contract, its last tick, and its open orders."""

    __slots__ = (
        "ask",
        "asset_class",
        "bid",
        "held",
        "highest",
        "id",
        "instrument",
        "landed",
        "leverage",
        "lowest",
        "multiplier",
        "no",
        "orders",
        "price",
        "reach_above",
        "reach_below",
        "reach_stale",
        "reduce_only",
        "resting",
        "settled",
        "settled_at",
        "strike",
        "tick_ns",
        "urgent",
        "volume",
        "yes",
    )

    def __init__(self, market_id: str) -> None:
        self.id = market_id
        self.instrument: Market | None = None
        self.asset_class = UNDECIDED
        self.multiplier = 1.0
        self.strike = 0.0
        self.leverage = 1.0
        self.lowest, self.highest = 0.0, LARGEST
        self.price = math.nan
        self.bid = math.nan
        self.ask = math.nan
        self.volume = math.nan
        self.tick_ns = NEVER_NS
        self.settled = False
        self.settled_at = math.nan
        self.held = False
        self.yes = Leg(self, market_id, is_no=False)
        self.no: Leg | None = None
        #: How many orders it has accepted so far.
        self.orders = 0
        #: Orders of an earlier serial that are still on their way may have been overtaken.
        self.landed = 0
        #: Open orders of both sides: those that are there in order of arrival, and those on their
        #: way where they will be if nothing overtakes them.
        self.resting: dict[str, OrderState] = {}
        # A tick between these two YES prices reaches no resting limit: one comparison instead
        # of a walk through the orders. `urgent` counts orders that each tick must visit.
        self.reach_below = -math.inf
        self.reach_above = math.inf
        self.reach_stale = False
        self.urgent = 0
        self.reduce_only = 0

    def legs(self) -> tuple[Leg, ...]:
        """The market's positions: one, or YES and NO."""
        return (self.yes,) if self.no is None else (self.yes, self.no)

    @property
    def net(self) -> float:
        """Position with NO against YES, as position limits count it."""
        return self.yes.quantity - (0.0 if self.no is None else self.no.quantity)

    # The queue: changed by the account's apply functions alone.
    def rest(self, order: OrderState) -> None:
        """Put an order at the end of the queue."""
        self.resting[order.id] = order
        leg, sign = order.leg, order.sign
        if sign > 0:
            leg.buys += 1
            leg.pending_buy += order.quantity - order.filled
        else:
            leg.sells += 1
            leg.pending_sell += order.quantity - order.filled
        if not order.in_transit:
            self.expose(order)

    def expose(self, order: OrderState) -> None:
        """Let the next tick meet an order that rests: it is in the market now."""
        leg, sign = order.leg, order.sign
        if order.is_market or order.ioc:
            self.urgent += 1
            return
        # Generous by more than the reach of a price, since it only spares walks.
        price = order.price
        if leg.is_no:
            falls = sign < 0
            reach = 1.0 - price + (3e-9 if falls else -3e-9)
        else:
            falls = sign > 0
            reach = price * (1.0 + 3e-9 if falls else 1.0 - 3e-9)
        order.reach = reach
        if falls:
            if reach > self.reach_below:
                self.reach_below = reach
        elif reach < self.reach_above:
            self.reach_above = reach

    def leave(self, order: OrderState) -> None:
        """Take an order out of the queue."""
        del self.resting[order.id]
        leg = order.leg
        # Sums of sizes start from a clean zero whenever they can.
        if order.sign > 0:
            leg.buys -= 1
            left = leg.pending_buy - (order.quantity - order.filled)
            leg.pending_buy = left if leg.buys else 0.0
        else:
            leg.sells -= 1
            left = leg.pending_sell - (order.quantity - order.filled)
            leg.pending_sell = left if leg.sells else 0.0
        if order.in_transit:
            return  # no tick has looked for it yet
        if order.is_market or order.ioc:
            self.urgent -= 1
        elif not self.resting:
            self.reach_below, self.reach_above = -math.inf, math.inf
            self.reach_stale = False
        elif order.reach == self.reach_below or order.reach == self.reach_above:
            # The bounds are too generous now, which is safe; the next tick renews them once,
            # however many orders leave before it.
            self.reach_stale = True

    def pend(self, order: OrderState, change: float) -> None:
        """Change what an open order may still fill, as its leg counts it."""
        if order.sign > 0:
            order.leg.pending_buy += change
        else:
            order.leg.pending_sell += change

    def renew_reach(self) -> None:
        """Find the bounds of the resting limits anew."""
        self.reach_stale = False
        below, above = -math.inf, math.inf
        for order in self.resting.values():
            if order.is_market or order.ioc or order.in_transit:
                continue
            if (order.sign > 0) is not order.leg.is_no:
                below = max(below, order.reach)
            else:
                above = min(above, order.reach)
        self.reach_below, self.reach_above = below, above


class Leg:
    """One position: the plain or YES side of a market, or its NO side."""

    __slots__ = (
        "average",
        "buys",
        "cost",
        "cost_low",
        "fees",
        "id",
        "is_no",
        "market",
        "notional",
        "pending_buy",
        "pending_sell",
        "quantity",
        "quantity_low",
        "quotes",
        "realized",
        "reserve",
        "sells",
        "value",
    )

    def __init__(self, market: MarketState, leg_id: str, *, is_no: bool) -> None:
        self.market = market
        self.id = leg_id
        self.is_no = is_no
        self.quantity = 0.0
        self.quantity_low = 0.0
        self.average = 0.0
        self.cost = 0.0
        self.cost_low = 0.0
        self.realized = 0.0
        self.fees = 0.0
        # What this position has in the account's running sums at the moment.
        self.value = 0.0
        self.reserve = 0.0
        self.notional = 0.0
        # How many open orders there are of each direction, and what they may still fill.
        self.buys = 0
        self.sells = 0
        self.pending_buy = 0.0
        self.pending_sell = 0.0
        #: Its open orders that quotes have become, but for those whose cancel is on its way.
        self.quotes: dict[str, OrderState] = {}

    @property
    def price(self) -> float:
        """The last price of this side; NaN before the first tick."""
        price = self.market.price
        return _complement_or_nan(price) if self.is_no else price

    @property
    def bid(self) -> float:
        """The bid of this side that the last tick brought, else NaN."""
        market = self.market
        return _complement_or_nan(market.ask) if self.is_no else market.bid

    @property
    def ask(self) -> float:
        """The ask of this side that the last tick brought, else NaN."""
        market = self.market
        return _complement_or_nan(market.bid) if self.is_no else market.ask


class OrderState:
    """One order, from its arrival on."""

    __slots__ = (
        "arrived_ns",
        "available",
        "average",
        "client_order_id",
        "fee_rate",
        "fees",
        "filled",
        "id",
        "in_transit",
        "intent",
        "ioc",
        "is_leaving",
        "is_market",
        "is_open",
        "is_taker",
        "leg",
        "leverage",
        "number",
        "opening",
        "post_only",
        "price",
        "quantity",
        "reach",
        "reason",
        "reduce_only",
        "reference",
        "required",
        "serial",
        "sign",
        "status",
        "submitted_ns",
        "unit_reserve",
    )

    def __init__(
        self,
        order_id: str,
        leg: Leg,
        sign: int,
        quantity: float,
        price: float,
        is_market: bool,
        ioc: bool,
        post_only: bool,
        reduce_only: bool,
        leverage: float,
        client_order_id: str | None,
        intent: str | None,
        submitted_ns: int,
    ) -> None:
        self.id = order_id
        self.leg = leg
        self.sign = sign
        self.quantity = quantity
        self.filled = 0.0
        self.price = price
        self.is_market = is_market
        self.ioc = ioc
        self.post_only = post_only
        self.reduce_only = reduce_only
        self.leverage = leverage
        self.client_order_id = client_order_id
        self.intent = intent
        self.submitted_ns = submitted_ns
        self.status = "new"
        self.is_open = True
        #: On its way to the market: it counts everywhere, and nothing fills it yet.
        self.in_transit = False
        #: Its cancel is on the way.
        self.is_leaving = False
        self.arrived_ns = submitted_ns
        #: Its place among the orders of its market, from 1; 0 for one that was refused.
        self.number = 0
        #: Its place among all orders of the account, from 1.
        self.serial = 0
        self.is_taker = False
        self.fee_rate = 0.0
        self.unit_reserve = 0.0
        self.reference = price
        self.opening = 0.0
        self.reach = 0.0
        self.average = 0.0
        self.fees = 0.0
        self.reason: str | None = None
        self.required = math.nan
        self.available = math.nan

    @property
    def remaining(self) -> float:
        """What may still fill, were the order open."""
        return self.quantity - self.filled


class AlgoState:
    """One execution algorithm's run, as events have made it."""

    __slots__ = (
        "arrival",
        "auto",
        "benchmark_cost",
        "benchmark_size",
        "children",
        "due",
        "duration_ns",
        "ended_ns",
        "first_ns",
        "id",
        "ioc",
        "kind",
        "leg_id",
        "leverage",
        "limit",
        "post_only",
        "price_limit",
        "reduce_only",
        "rejections",
        "retry_ns",
        "sent",
        "sign",
        "slices",
        "status",
        "target",
    )

    def __init__(
        self,
        algo_id: str,
        kind: str,
        leg_id: str,
        sign: int,
        target: float,
        limit: float,
        price_limit: float,
        duration_ns: int,
        slices: tuple[float, ...],
        ioc: bool,
        post_only: bool,
        reduce_only: bool,
        leverage: float | None,
        auto: bool,
    ) -> None:
        self.id = algo_id
        self.kind = kind
        self.leg_id = leg_id
        self.sign = sign
        self.target = target
        self.limit = limit
        self.price_limit = price_limit
        self.duration_ns = duration_ns
        #: Sizes of the scheduled slices; an iceberg has one, its visible size.
        self.slices = slices
        self.ioc = ioc
        self.post_only = post_only
        self.reduce_only = reduce_only
        self.leverage = leverage
        self.auto = auto
        self.status = "running"
        self.first_ns = NEVER_NS
        self.ended_ns = NEVER_NS
        self.arrival = math.nan
        #: How many slices have come due, and how many of them have been dealt with (sent as
        #: a child, or of size zero).
        self.due = 0
        self.sent = 0
        self.children: list[str] = []
        self.retry_ns = NEVER_NS
        #: Rule or reason -> (count, last message, first rejected order, last rejected order).
        self.rejections: dict[str, tuple[int, str, str, str]] = {}
        # Price of each slice when it was due, times its size: the schedule's own VWAP.
        self.benchmark_cost = 0.0
        self.benchmark_size = 0.0
