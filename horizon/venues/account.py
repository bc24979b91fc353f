"""The account: the one place where money moves.

An account is what its events have made it. Each public method below the line "apply
functions" applies one event: it takes scalars that were checked and decided before, changes
the state, never raises, and reads no clock and no chance. The same calls in the same order
give the same state, bit for bit; that is all that a journal needs (`replay`).

Totals over markets are running sums, so that no cost grows with the number of markets, nor
with the number of orders that have ended.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from horizon import rules
from horizon.instruments import NO_SUFFIX, Market
from horizon.types import AssetClass
from horizon.venues.archive import FillLog, OrderArchive
from horizon.venues.ledger import Ledger
from horizon.venues.records import (
    NEVER_NS,
    QUOTE_INTENT,
    AlgoState,
    Leg,
    MarketState,
    OrderState,
)

__all__ = ["DAY_NS", "Account", "FillRow", "SettlementRow"]

DAY_NS: Final = 86_400 * 1_000_000_000
#: Orders whose times are remembered for the rule on orders per second.
_RECENT: Final = 4096
_PERP: Final = AssetClass.Perp

#: order id, leg id, sign, quantity, price, fee, time in ns, maker?, realised P&L.
FillRow = tuple[str, str, int, float, float, float, int, bool, float]
#: leg id, signed quantity, price, realised P&L, time in ns.
SettlementRow = tuple[str, float, float, float, int]


class Account(Ledger):
    """Cash, positions, orders and marks of one account in one currency.

    Parameters
    ----------
    initial_cash : float
        0 or more.
    compact : bool
        Pack orders that have ended, and fills. Order ids are then ``"p<number>"``.
    """

    __slots__ = (
        "algos",
        "archive",
        "client_ids",
        "day_end_ns",
        "drained",
        "drawdown_until_ns",
        "fills",
        "halted",
        "legs",
        "next_algo",
        "next_order",
        "now_ns",
        "open_orders",
        "orders",
        "recent_ns",
        "refusals",
        "settlements",
    )

    def __init__(self, initial_cash: float, *, compact: bool = False) -> None:
        super().__init__(initial_cash)
        #: Where orders go that have ended; None keeps them as they are.
        self.archive = OrderArchive() if compact else None
        self.now_ns = NEVER_NS
        self.day_end_ns = NEVER_NS
        self.drawdown_until_ns = NEVER_NS
        self.halted = False
        #: Legs whose market's class is decided, by their own id (``"X"``, ``"X:no"``).
        self.legs: dict[str, Leg] = {}
        self.orders: dict[str, OrderState] = {} if self.archive is None else self.archive
        self.open_orders: dict[str, OrderState] = {}
        #: client order id -> order id and what was asked for.
        self.client_ids: dict[str, tuple[str, tuple[object, ...]]] = {}
        self.next_order = 1
        self.next_algo = 1
        self.fills: list[FillRow] | FillLog = FillLog() if compact else []
        self.drained = 0
        self.settlements: list[SettlementRow] = []
        self.recent_ns: deque[int] = deque(maxlen=_RECENT)
        self.refusals: dict[str, int] = {}
        self.algos: dict[str, AlgoState] = {}

    def closable(self, leg: Leg, sign: int) -> float:
        """What of a position an order of this direction could close, were it the first."""
        held = -sign * leg.quantity
        return held if held > 0.0 else 0.0

    def opening_of(self, leg: Leg, sign: int, quantity: float) -> float:
        """What a new last order would open, the earlier ones of its side filled first."""
        left = self.closable(leg, sign)
        if left == 0.0:
            return quantity
        for order in leg.market.resting.values():
            if order.leg is leg and order.sign == sign:
                left -= order.quantity - order.filled
                if left <= 0.0:
                    return quantity
        return rules.opening_part(quantity, left, leg.quantity)

    # -------------------------------------------------------------------- apply functions
    def declared(
        self,
        ts: int,
        market_id: str,
        asset_class: int,
        multiplier: float,
        tick_size: float | None,
        lot_size: float | None,
        strike: float | None,
        expiry: str | None,
        right: str | None,
    ) -> None:
        """A market's contract is known from here on."""
        self.advance_to(ts)
        market = self.markets.get(market_id)
        if market is None:
            market = self.markets[market_id] = MarketState(market_id)
        market.instrument = Market(
            market_id,
            AssetClass(asset_class),
            multiplier=multiplier,
            tick_size=tick_size,
            lot_size=lot_size,
            strike=strike,
            expiry=expiry,  # type: ignore[arg-type]  # taken as text as well
            right=right,
        )
        market.asset_class = asset_class
        market.multiplier = multiplier
        market.strike = market.instrument.strike or 0.0
        market.lowest, market.highest = market.instrument.price_bounds
        self.legs[market_id] = market.yes
        if asset_class == AssetClass.Prediction:
            market.no = Leg(market, market_id + NO_SUFFIX, is_no=True)
            self.legs[market.no.id] = market.no

    def marked(
        self, ts: int, market_id: str, price: float, bid: float, ask: float, volume: float
    ) -> None:
        """A tick gives a market its price; NaN is what the tick did not bring."""
        if ts > self.now_ns:
            self.now_ns = ts
            if ts >= self.day_end_ns:
                self._start_day(ts)
        try:
            market = self.markets[market_id]
        except KeyError:
            market = self.markets[market_id] = MarketState(market_id)
        if market.resting or market.held:
            cash, worth = self.cash_sum, self.value_sum  # `_see_high`, in line
            equity = (cash.high + worth.high) + (cash.low + worth.low)
            if equity > self.high_seen:
                self.high_seen = equity
            if market.reach_stale:
                market.renew_reach()
        market.price = price
        market.bid = bid
        market.ask = ask
        market.volume = volume
        market.tick_ns = ts
        if market.held:
            leg = market.yes
            if leg.quantity != 0.0:
                self._revalue_leg(leg)
            other = market.no
            if other is not None and other.quantity != 0.0:
                self._revalue_leg(other)

    def accepted(
        self,
        ts: int,
        order_id: str,
        leg_id: str,
        sign: int,
        quantity: float,
        price: float,
        is_market: bool,
        ioc: bool,
        post_only: bool,
        reduce_only: bool,
        leverage: float,
        asked_leverage: float | None,
        client_order_id: str | None,
        intent: str | None,
        is_taker: bool,
        fee_rate: float,
        unit_reserve: float,
        reference: float,
        opening: float,
        algo_id: str | None,
        in_transit: bool,
    ) -> None:
        """An order is open, `opening` of it would open; `reference` is its price in limits.

        With `algo_id` it is the child of that algorithm's next slice: one event for both, so
        that no record can hold an order whose parent does not know of it. One `in_transit`
        has not reached the market yet; its money is reserved, and limits count it.
        """
        if ts > self.now_ns:
            self.now_ns = ts
            if ts >= self.day_end_ns:
                self._start_day(ts)
        leg = self.legs[leg_id]
        order = OrderState(
            order_id,
            leg,
            sign,
            quantity,
            price,
            is_market,
            ioc,
            post_only,
            reduce_only,
            leverage,
            client_order_id,
            intent,
            ts,
        )
        order.is_taker = is_taker
        order.fee_rate = fee_rate
        order.unit_reserve = unit_reserve
        order.reference = reference
        order.serial = self.next_order
        self.next_order += 1
        self.recent_ns.append(self.now_ns)
        self.orders[order_id] = order
        if client_order_id is not None:
            self._remember(order, asked_leverage)
        market = leg.market
        market.orders += 1
        order.number = market.orders
        if in_transit:
            order.in_transit = True
        else:
            market.landed = order.serial
        if intent == QUOTE_INTENT:
            leg.quotes[order_id] = order
        if is_market:
            self._see_high()
        if market.asset_class == _PERP:
            market.leverage = leverage
        if opening != 0.0:
            self._set_opening(order, opening)
        if reduce_only:
            market.reduce_only += 1
        self.open_orders[order_id] = order
        market.rest(order)
        if algo_id is not None:
            algo = self.algos[algo_id]
            algo.sent += 1
            algo.children.append(order_id)

    def arrived(self, ts: int, order_id: str, is_taker: bool, fee_rate: float) -> None:
        """An order that was on its way is in the market, behind those that are there."""
        self.advance_to(ts)
        order = self.orders[order_id]
        order.arrived_ns = ts
        order.is_taker = is_taker
        order.fee_rate = fee_rate
        market = order.leg.market
        if order.serial > market.landed:
            market.landed = order.serial
            order.in_transit = False
            market.expose(order)
            return
        resting = iter(market.resting.values())
        next(other for other in resting if other is order)
        if all(other.in_transit for other in resting):
            order.in_transit = False
            market.expose(order)
            return
        # It was overtaken: those that are there are in order of arrival. Whatever else is on its
        # way, with a place before it by now, arrives behind it.
        market.leave(order)
        order.in_transit = False
        market.rest(order)
        market.landed = self.next_order - 1
        self._recount(order.leg, order.sign)

    def cancel_sent(self, ts: int, order_id: str) -> None:
        """The cancel of an open order is on its way."""
        self.advance_to(ts)
        order = self.orders[order_id]
        order.is_leaving = True
        order.leg.quotes.pop(order_id, None)

    def rejected(
        self,
        ts: int,
        order_id: str,
        leg_id: str,
        sign: int,
        quantity: float,
        price: float,
        is_market: bool,
        ioc: bool,
        post_only: bool,
        reduce_only: bool,
        leverage: float,
        asked_leverage: float | None,
        client_order_id: str | None,
        intent: str | None,
        reason: str,
        required: float,
        available: float,
    ) -> None:
        """An order is refused by the market and kept in the history."""
        self.advance_to(ts)
        order = OrderState(
            order_id,
            self.legs[leg_id],
            sign,
            quantity,
            price,
            is_market,
            ioc,
            post_only,
            reduce_only,
            leverage,
            client_order_id,
            intent,
            ts,
        )
        order.status = "rejected"
        order.is_open = False
        order.reason = reason
        order.required = required
        order.available = available
        order.serial = self.next_order
        self.next_order += 1
        self.recent_ns.append(self.now_ns)
        self.orders[order_id] = order
        if client_order_id is not None:
            self._remember(order, asked_leverage)
        if self.archive is not None:
            self.archive.retire(order, ts)

    def filled(
        self, ts: int, order_id: str, quantity: float, price: float, fee: float, is_maker: bool
    ) -> None:
        """A part of an order, or all of it, is executed: money and position move."""
        if ts > self.now_ns:
            self.advance_to(ts)
        order = self.orders[order_id]
        leg, sign = order.leg, order.sign
        market = leg.market
        held = leg.quantity
        traded = sign * quantity

        gain = self._trade(leg, traded, price)
        self.fees_sum.add(fee)
        leg.fees += fee
        paid = gain if market.asset_class == _PERP else -traded * price * market.multiplier
        self.cash_sum.add_two(paid, -fee)

        if order.filled == 0.0:
            order.average = price
        else:
            order.average = rules.average_after(order.filled, order.average, quantity, price)
        order.fees += fee
        left = order.quantity - order.filled - quantity
        if left <= rules.SLACK * order.quantity:
            self._end(order, "filled")
            order.filled = order.quantity
        else:
            market.pend(order, -quantity)
            order.filled += quantity
            order.status = "partial"
        self.fills.append((order_id, leg.id, sign, quantity, price, fee, ts, is_maker, gain))
        market.held = market.yes.quantity != 0.0 or (
            market.no is not None and market.no.quantity != 0.0
        )
        self._revalue_leg(leg)
        # The other direction has more or less to close now. This one's orders only change
        # where there was something to close; else each opens all that it has left.
        if leg.sells if sign > 0 else leg.buys:
            self._recount(leg, -sign)
        if sign * held < 0.0:
            if leg.buys if sign > 0 else leg.sells:
                self._recount(leg, sign)
        elif order.is_open and not order.reduce_only:
            self._set_opening(order, order.quantity - order.filled)
        if self.archive is not None and not order.is_open:
            self.archive.retire(order, ts)

    def cancelled(self, ts: int, order_id: str, reason: str | None) -> None:
        """An open order ends with what has filled of it."""
        if ts > self.now_ns:
            self.now_ns = ts
            if ts >= self.day_end_ns:
                self._start_day(ts)
        order = self.orders[order_id]
        order.reason = reason
        self._end(order, "canceled")
        leg, sign = order.leg, order.sign
        if (leg.buys if sign > 0 else leg.sells) and sign * leg.quantity < 0.0:
            self._recount(leg, sign)
        if self.archive is not None:
            self.archive.retire(order, ts)

    def amended(
        self,
        ts: int,
        order_id: str,
        quantity: float,
        price: float,
        is_taker: bool,
        fee_rate: float,
        unit_reserve: float,
    ) -> None:
        """An open order has a new quantity or price; a new price is a new arrival."""
        self.advance_to(ts)
        self.recent_ns.append(self.now_ns)
        order = self.orders[order_id]
        market = order.leg.market
        market.pend(order, quantity - order.quantity)
        order.quantity = quantity
        if not order.is_market and price != order.price:
            market.leave(order)
            market.landed = self.next_order - 1  # whatever is on its way arrives behind it
            self._set_opening(order, 0.0)
            order.price = order.reference = price
            order.is_taker = is_taker
            order.fee_rate = fee_rate
            order.unit_reserve = unit_reserve
            order.arrived_ns = ts
            market.rest(order)
        self._recount(order.leg, order.sign)

    def settled(self, ts: int, market_id: str, price: float) -> None:
        """A market is over: both positions close at its price, without fee."""
        self.advance_to(ts)
        self._see_high()
        try:
            market = self.markets[market_id]
        except KeyError:
            market = self.markets[market_id] = MarketState(market_id)
        market.price = price
        market.bid = market.ask = market.volume = math.nan
        market.settled = True
        market.settled_at = price
        for leg in market.legs():
            held = leg.quantity
            if held == 0.0:
                continue
            at = leg.price
            gain = self._trade(leg, -held, at)
            if market.asset_class == _PERP:
                self.cash_sum.add(gain)
            else:
                self.cash_sum.add(held * at * market.multiplier)
            self._revalue_leg(leg)
            self.settlements.append((leg.id, held, at, gain, ts))
        market.held = False

    def drained_fills(self, ts: int, count: int) -> None:
        """The user has been given the oldest `count` fills not given before."""
        self.advance_to(ts)
        self.drained += count

    def refused(self, ts: int, rule: str) -> None:
        """A risk rule has refused an order."""
        self.advance_to(ts)
        self.refusals[rule] = self.refusals.get(rule, 0) + 1

    def switched(self, ts: int, halted: bool) -> None:
        """The kill switch is thrown or reset."""
        self.advance_to(ts)
        self.halted = halted

    def drawdown_passed(self, ts: int) -> None:
        """The day's drawdown limit is passed: only reducing orders until the next UTC day."""
        self.advance_to(ts)
        self.drawdown_until_ns = self.day_end_ns

    def algo_started(
        self,
        ts: int,
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
        """An execution algorithm has its parent order."""
        self.advance_to(ts)
        self.next_algo += 1
        self.algos[algo_id] = AlgoState(
            algo_id,
            kind,
            leg_id,
            sign,
            target,
            limit,
            price_limit,
            duration_ns,
            slices,
            ioc,
            post_only,
            reduce_only,
            leverage,
            auto,
        )

    def algo_clocked(self, ts: int, algo_id: str, clock_ns: int, price: float) -> None:
        """An algorithm's first tick: its clock starts, its arrival price is this."""
        self.advance_to(ts)
        algo = self.algos[algo_id]
        algo.first_ns = clock_ns
        algo.arrival = price

    def algo_due(self, ts: int, algo_id: str, size: float, price: float) -> None:
        """A slice is due at this price (what the schedule itself would have got)."""
        self.advance_to(ts)
        algo = self.algos[algo_id]
        algo.due += 1
        algo.benchmark_size += size
        algo.benchmark_cost += size * price

    def algo_skipped(self, ts: int, algo_id: str) -> None:
        """A slice of size zero is dealt with: it needs no order."""
        self.advance_to(ts)
        self.algos[algo_id].sent += 1

    def algo_refused(
        self, ts: int, algo_id: str, rule: str, message: str, order_id: str, retry_ns: int
    ) -> None:
        """A child was refused by risk or rejected by the venue; it is tried again later."""
        self.advance_to(ts)
        algo = self.algos[algo_id]
        algo.retry_ns = retry_ns
        count, _, first, last = algo.rejections.get(rule, (0, "", "", ""))
        if order_id:
            # The first and the last rejected order stay in the history, the retries between
            # them would fill it.
            if last and last != first:
                self.orders.pop(last, None)
            first, last = first or order_id, order_id
        algo.rejections[rule] = (count + 1, message, first, last)

    def algo_switched(self, ts: int, algo_id: str, status: str) -> None:
        """An algorithm is paused, resumed, or at its end."""
        self.advance_to(ts)
        algo = self.algos[algo_id]
        algo.status = status
        if status not in ("running", "paused"):
            algo.ended_ns = ts

    # -------------------------------------------------------------------- inside
    def advance_to(self, ts: int) -> None:
        """Let the account's time come to a moment; it never goes back."""
        if ts > self.now_ns:
            self.now_ns = ts
            if ts >= self.day_end_ns:
                self._start_day(ts)

    def _start_day(self, ts: int) -> None:
        self.day_end_ns = (ts // DAY_NS + 1) * DAY_NS
        self.high_seen = self.equity

    def _see_high(self) -> None:
        # Seen at the start of whatever may move equity, never between a tick's mark and its
        # fills, where equity passes through values that nobody ever had.
        equity = self.equity
        if equity > self.high_seen:
            self.high_seen = equity

    def _remember(self, order: OrderState, asked_leverage: float | None) -> None:
        asked = (
            order.leg.id,
            order.sign,
            order.quantity,
            None if order.is_market else order.price,
            order.ioc,
            order.post_only,
            order.reduce_only,
            asked_leverage,
            order.intent,
        )
        assert order.client_order_id is not None
        self.client_ids[order.client_order_id] = (order.id, asked)

    def _set_opening(self, order: OrderState, opening: float) -> None:
        change = -order.opening
        order.opening = opening
        unit = order.unit_reserve
        unit_notional = order.reference * order.leg.market.multiplier
        reserve, notional = self.order_reserve, self.order_notional
        if change == 0.0:
            change = opening
            opening = 0.0
        while change != 0.0:
            # `RunningSum.add` for both sums, in line: every order comes and goes through here.
            term = change * unit
            high = reserve.high
            total = high + term
            virtual = total - high
            reserve.low += (high - (total - virtual)) + (term - virtual)
            reserve.high = total
            term = change * unit_notional
            high = notional.high
            total = high + term
            virtual = total - high
            notional.low += (high - (total - virtual)) + (term - virtual)
            notional.high = total
            change = opening
            opening = 0.0

    def _recount(self, leg: Leg, sign: int) -> None:
        """Count the opening parts of one direction's orders anew, in order of arrival."""
        held = leg.quantity
        left = -sign * held if sign * held < 0.0 else 0.0  # `closable`, in line
        for order in leg.market.resting.values():
            if order.leg is leg and order.sign == sign:
                opening = remaining = order.quantity - order.filled
                if order.reduce_only:
                    opening = 0.0
                elif left > 0.0:
                    opening = rules.opening_part(remaining, left, held)
                if opening != order.opening:
                    self._set_opening(order, opening)
                left -= remaining

    def _end(self, order: OrderState, status: str) -> None:
        """Take an order off the book for good; its filled quantity is set by the caller."""
        order.leg.market.leave(order)
        if order.intent == QUOTE_INTENT:
            order.leg.quotes.pop(order.id, None)
        if order.opening != 0.0:
            self._set_opening(order, 0.0)
        if order.reduce_only:
            order.leg.market.reduce_only -= 1
        del self.open_orders[order.id]
        order.is_open = False
        order.status = status
