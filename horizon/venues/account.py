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

from horizon.instruments import NO_SUFFIX, Market
from horizon.types import AssetClass
from horizon.venues import rules
from horizon.venues.records import (
    NEVER_NS,
    AlgoState,
    Leg,
    MarketState,
    OrderState,
    RunningSum,
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


class Account:
    """Cash, positions, orders and marks of one account in one currency.

    Parameters
    ----------
    initial_cash : float
        0 or more.
    """

    __slots__ = (
        "algos",
        "cash_sum",
        "client_ids",
        "day_end_ns",
        "drained",
        "drawdown_until_ns",
        "fees_sum",
        "fills",
        "halted",
        "high_seen",
        "initial_cash",
        "legs",
        "markets",
        "next_algo",
        "next_order",
        "now_ns",
        "open_orders",
        "order_notional",
        "order_reserve",
        "orders",
        "position_notional",
        "position_reserve",
        "realized_sum",
        "recent_ns",
        "refusals",
        "settlements",
        "value_sum",
    )

    def __init__(self, initial_cash: float) -> None:
        self.initial_cash = initial_cash
        self.cash_sum = RunningSum(initial_cash)
        self.fees_sum = RunningSum()
        self.realized_sum = RunningSum()
        self.value_sum = RunningSum()
        self.position_reserve = RunningSum()
        self.position_notional = RunningSum()
        self.order_reserve = RunningSum()
        self.order_notional = RunningSum()
        self.now_ns = NEVER_NS
        self.day_end_ns = NEVER_NS
        self.high_seen = initial_cash
        self.drawdown_until_ns = NEVER_NS
        self.halted = False
        self.markets: dict[str, MarketState] = {}
        #: Legs whose market's class is decided, by their own id (``"X"``, ``"X:no"``).
        self.legs: dict[str, Leg] = {}
        self.orders: dict[str, OrderState] = {}
        self.open_orders: dict[str, OrderState] = {}
        #: client order id -> order id and what was asked for.
        self.client_ids: dict[str, tuple[str, tuple[object, ...]]] = {}
        self.next_order = 1
        self.next_algo = 1
        self.fills: list[FillRow] = []
        self.drained = 0
        self.settlements: list[SettlementRow] = []
        self.recent_ns: deque[int] = deque(maxlen=_RECENT)
        self.refusals: dict[str, int] = {}
        self.algos: dict[str, AlgoState] = {}

    # -------------------------------------------------------------------- totals
    @property
    def cash(self) -> float:
        """Money in the account."""
        return self.cash_sum.high + self.cash_sum.low

    @property
    def equity(self) -> float:
        """Cash and what all positions are worth at their marks."""
        cash, worth = self.cash_sum, self.value_sum
        return (cash.high + worth.high) + (cash.low + worth.low)

    @property
    def day_high(self) -> float:
        """The highest equity of the account's UTC day."""
        return max(self.high_seen, self.equity)

    @property
    def realized_pnl(self) -> float:
        """Profit of everything closed so far, before fees."""
        return self.realized_sum.total

    @property
    def fees(self) -> float:
        """Fees paid so far, rebates taken off."""
        return self.fees_sum.total

    @property
    def unrealized_pnl(self) -> float:
        """Profit of the positions at their marks, summed in market order."""
        total = RunningSum()
        for market in self.markets.values():
            if market.held:
                for leg in market.legs():
                    total.add(self.leg_unrealized(leg))
        return total.total

    @property
    def used_buying_power(self) -> float:
        """What positions and open orders hold back."""
        return self.position_reserve.total + self.order_reserve.total

    @property
    def buying_power(self) -> float:
        """What an opening order may still reserve; below 0 after a fill at a worse price."""
        return self.cash - self.used_buying_power

    def leg_mark(self, leg: Leg) -> float:
        """The price a position is valued at: the last, or its entry before any tick."""
        price = leg.price
        return leg.average if math.isnan(price) else price

    def leg_unrealized(self, leg: Leg) -> float:
        """Profit of one position at its mark."""
        if leg.quantity == 0.0:
            return 0.0
        cost = leg.cost + leg.cost_low
        return rules.unrealized(leg.quantity, self.leg_mark(leg), leg.market.multiplier, cost)

    def closable(self, leg: Leg, sign: int) -> float:
        """What of a position an order of this direction could close, were it the first."""
        held = -sign * leg.quantity
        return held if held > 0.0 else 0.0

    def opening_of(self, leg: Leg, sign: int, quantity: float, skip: str | None = None) -> float:
        """What a new last order would open, the earlier ones of its side filled first."""
        left = self.closable(leg, sign)
        if left == 0.0:
            return quantity
        for order in leg.market.resting.values():
            if order.leg is leg and order.sign == sign and order.id != skip:
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
        self._advance(ts)
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
            self._see_high()
        market.price = price
        market.bid = bid
        market.ask = ask
        market.volume = volume
        market.tick_ns = ts
        if market.held:
            for leg in market.legs():
                if leg.quantity != 0.0:
                    self._revalue_leg(leg)

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
        client_order_id: str | None,
        intent: str | None,
        is_taker: bool,
        fee_rate: float,
        unit_reserve: float,
        reference: float,
    ) -> None:
        """An order is open. `reference` is its price in limits on notional."""
        if ts > self.now_ns:
            self._advance(ts)
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
        self.next_order += 1
        self.recent_ns.append(ts)
        self.orders[order_id] = order
        if client_order_id is not None:
            self._remember(order)
        market = leg.market
        if is_market:
            self._see_high()
        if market.asset_class == _PERP:
            market.leverage = leverage
        if not reduce_only:
            opening = (
                quantity if sign * leg.quantity >= 0.0 else self.opening_of(leg, sign, quantity)
            )
            if opening != 0.0:
                self._set_opening(order, opening)
        else:
            market.reduce_only += 1
        self.open_orders[order_id] = order
        self._rest(order)

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
        client_order_id: str | None,
        intent: str | None,
        reason: str,
        required: float,
        available: float,
    ) -> None:
        """An order is refused by the market and kept in the history."""
        self._advance(ts)
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
        self.next_order += 1
        self.recent_ns.append(ts)
        self.orders[order_id] = order
        if client_order_id is not None:
            self._remember(order)

    def filled(
        self, ts: int, order_id: str, quantity: float, price: float, fee: float, is_maker: bool
    ) -> None:
        """A part of an order, or all of it, is executed: money and position move."""
        if ts > self.now_ns:
            self._advance(ts)
        order = self.orders[order_id]
        leg, sign = order.leg, order.sign
        market = leg.market
        held = leg.quantity
        traded = sign * quantity

        gain = self._trade(leg, traded, price)
        self.fees_sum.add(fee)
        leg.fees += fee
        if market.asset_class == _PERP:
            self.cash_sum.add(gain)
        else:
            self.cash_sum.add(-traded * price * market.multiplier)
        self.cash_sum.add(-fee)

        order.average = rules.average_after(order.filled, order.average, quantity, price)
        order.fees += fee
        left = order.quantity - order.filled - quantity
        if left <= rules.SLACK * order.quantity:
            self._end(order, "filled")
            order.filled = order.quantity
        else:
            self._pend(order, -quantity)
            order.filled += quantity
            order.status = "partial"
        self.fills.append((order_id, leg.id, sign, quantity, price, fee, ts, is_maker, gain))
        market.held = market.yes.quantity != 0.0 or (
            market.no is not None and market.no.quantity != 0.0
        )
        self._revalue_leg(leg)
        if market.resting:
            self._recount(leg, sign)
            if held != leg.quantity:
                self._recount(leg, -sign)

    def cancelled(self, ts: int, order_id: str, reason: str | None) -> None:
        """An open order ends with what has filled of it."""
        if ts > self.now_ns:
            self._advance(ts)
        order = self.orders[order_id]
        order.reason = reason
        self._end(order, "canceled")
        leg, sign = order.leg, order.sign
        if sign * leg.quantity < 0.0 and leg.market.resting:
            self._recount(leg, sign)

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
        self._advance(ts)
        self.recent_ns.append(ts)
        order = self.orders[order_id]
        self._pend(order, quantity - order.quantity)
        order.quantity = quantity
        if price != order.price:
            self._leave(order)
            self._set_opening(order, 0.0)
            order.price = order.reference = price
            order.is_taker = is_taker
            order.fee_rate = fee_rate
            order.unit_reserve = unit_reserve
            self._rest(order)
        self._recount(order.leg, order.sign)

    def settled(self, ts: int, market_id: str, price: float) -> None:
        """A market is over: both positions close at its price, without fee."""
        self._advance(ts)
        self._see_high()
        market = self.markets[market_id]
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
        self._advance(ts)
        self.drained += count

    def forgotten(self, ts: int, order_id: str) -> None:
        """A rejected order leaves the history (retries of an algorithm fill it otherwise)."""
        self._advance(ts)
        self.orders.pop(order_id, None)

    def refused(self, ts: int, rule: str) -> None:
        """A risk rule has refused an order."""
        self._advance(ts)
        self.refusals[rule] = self.refusals.get(rule, 0) + 1

    def switched(self, ts: int, halted: bool) -> None:
        """The kill switch is thrown or reset."""
        self._advance(ts)
        self.halted = halted

    def drawdown_passed(self, ts: int) -> None:
        """The day's drawdown limit is passed: only reducing orders until the next UTC day."""
        self._advance(ts)
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
        reduce_only: bool,
        leverage: float | None,
        auto: bool,
    ) -> None:
        """An execution algorithm has its parent order."""
        self._advance(ts)
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
            reduce_only,
            leverage,
            auto,
        )

    def algo_clocked(self, ts: int, algo_id: str, clock_ns: int, price: float) -> None:
        """An algorithm's first tick: its clock starts, its arrival price is this."""
        self._advance(ts)
        algo = self.algos[algo_id]
        algo.first_ns = clock_ns
        algo.arrival = price

    def algo_due(self, ts: int, algo_id: str, size: float, price: float) -> None:
        """A slice is due at this price (what the schedule itself would have got)."""
        self._advance(ts)
        algo = self.algos[algo_id]
        algo.due += 1
        algo.benchmark_size += size
        algo.benchmark_cost += size * price

    def algo_sent(self, ts: int, algo_id: str, order_id: str) -> None:
        """A slice has become a child order (an empty text: it has no size, and needs none)."""
        self._advance(ts)
        algo = self.algos[algo_id]
        algo.sent += 1
        if order_id:
            algo.children.append(order_id)

    def algo_refused(
        self, ts: int, algo_id: str, rule: str, message: str, order_id: str, retry_ns: int
    ) -> None:
        """A child was refused by risk or rejected by the venue; it is tried again later."""
        self._advance(ts)
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
        self._advance(ts)
        algo = self.algos[algo_id]
        algo.status = status
        if status not in ("running", "paused"):
            algo.ended_ns = ts

    # -------------------------------------------------------------------- inside
    def _advance(self, ts: int) -> None:
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

    def _remember(self, order: OrderState) -> None:
        asked = (
            order.leg.id,
            order.sign,
            order.quantity,
            None if order.is_market else order.price,
            order.ioc,
            order.post_only,
            order.reduce_only,
            order.leverage,
            order.intent,
        )
        assert order.client_order_id is not None
        self.client_ids[order.client_order_id] = (order.id, asked)

    def _trade(self, leg: Leg, traded: float, price: float) -> float:
        """Move a position by a signed trade; return the profit realised, before fees."""
        held, multiplier = leg.quantity, leg.market.multiplier
        quantity, low = rules.quantity_after(held, leg.quantity_low, traded)
        closed = rules.closed_quantity(held, traded)
        gain = 0.0
        opened = traded
        if closed != 0.0:
            whole = leg.cost + leg.cost_low
            if quantity == 0.0:
                closed = abs(held)
            cost = rules.closed_cost(held, leg.average, whole, closed, multiplier)
            gain = rules.realized(held, min(closed, abs(traded)), price, multiplier, cost)
            self.realized_sum.add(gain)
            leg.realized += gain
            if closed >= abs(held):
                leg.cost = leg.cost_low = 0.0
                opened = quantity
            else:
                leg.cost, leg.cost_low = rules.two_sum(leg.cost, leg.cost_low, -cost)
                opened = 0.0
        if opened != 0.0:
            added = opened * price * multiplier
            leg.cost, leg.cost_low = rules.two_sum(leg.cost, leg.cost_low, added)
        leg.average = (
            0.0 if quantity == 0.0 else rules.average_after(held, leg.average, traded, price)
        )
        leg.quantity, leg.quantity_low = quantity, low
        return gain

    def _revalue_leg(self, leg: Leg) -> None:
        market, held = leg.market, leg.quantity
        if held == 0.0:
            value = reserve = notional = 0.0
        else:
            mark = self.leg_mark(leg)
            cost = leg.cost + leg.cost_low
            kind, multiplier = market.asset_class, market.multiplier
            value = rules.value(kind, held, mark, multiplier, cost)
            reserve = rules.position_reserve(
                kind, held, mark, multiplier, cost, market.strike, market.leverage
            )
            notional = rules.notional(held, mark, multiplier)
        if value != leg.value:
            self.value_sum.add(value)
            self.value_sum.add(-leg.value)
            leg.value = value
        if reserve != leg.reserve:
            self.position_reserve.add(reserve)
            self.position_reserve.add(-leg.reserve)
            leg.reserve = reserve
        if notional != leg.notional:
            self.position_notional.add(notional)
            self.position_notional.add(-leg.notional)
            leg.notional = notional

    def _set_opening(self, order: OrderState, opening: float) -> None:
        before = order.opening
        order.opening = opening
        unit = order.unit_reserve
        unit_notional = order.reference * order.leg.market.multiplier
        if before != 0.0:
            self.order_reserve.add(-before * unit)
            self.order_notional.add(-before * unit_notional)
        if opening != 0.0:
            self.order_reserve.add(opening * unit)
            self.order_notional.add(opening * unit_notional)

    def _recount(self, leg: Leg, sign: int) -> None:
        """Count the opening parts of one direction's orders anew, in order of arrival."""
        left = self.closable(leg, sign)
        held = leg.quantity
        for order in leg.market.resting.values():
            if order.leg is leg and order.sign == sign:
                remaining = order.quantity - order.filled
                opening = 0.0
                if not order.reduce_only:
                    opening = rules.opening_part(remaining, left, held)
                if opening != order.opening:
                    self._set_opening(order, opening)
                left -= remaining

    def _pend(self, order: OrderState, change: float) -> None:
        if order.sign > 0:
            order.leg.pending_buy += change
        else:
            order.leg.pending_sell += change

    def _rest(self, order: OrderState) -> None:
        """Put an order at the end of its market's queue."""
        market, leg = order.leg.market, order.leg
        market.resting[order.id] = order
        if order.sign > 0:
            leg.pending_buy += order.quantity - order.filled
        else:
            leg.pending_sell += order.quantity - order.filled
        if order.is_market or order.ioc:
            market.urgent += 1
            return
        # Generous by more than the reach of a price, since it only spares walks.
        price = order.price
        if leg.is_no:
            falls = order.sign < 0
            reach = 1.0 - price + (3e-9 if falls else -3e-9)
        else:
            falls = order.sign > 0
            reach = price * (1.0 + 3e-9 if falls else 1.0 - 3e-9)
        order.reach = reach
        if falls:
            if reach > market.reach_below:
                market.reach_below = reach
        elif reach < market.reach_above:
            market.reach_above = reach

    def _leave(self, order: OrderState) -> None:
        """Take an order out of its market's queue."""
        leg = order.leg
        market = leg.market
        resting = market.resting
        del resting[order.id]
        if not resting:
            # Sums of sizes start from a clean zero whenever they can.
            leg.pending_buy = leg.pending_sell = 0.0
            if market.no is not None:
                market.yes.pending_buy = market.yes.pending_sell = 0.0
                market.no.pending_buy = market.no.pending_sell = 0.0
            market.reach_below = -math.inf
            market.reach_above = math.inf
            market.urgent = 0
            return
        self._pend(order, -(order.quantity - order.filled))
        if order.is_market or order.ioc:
            market.urgent -= 1
        elif order.reach == market.reach_below or order.reach == market.reach_above:
            self._reach_anew(market)

    def _reach_anew(self, market: MarketState) -> None:
        below, above = -math.inf, math.inf
        for order in market.resting.values():
            if order.is_market or order.ioc:
                continue
            if (order.sign > 0) is not order.leg.is_no:
                below = max(below, order.reach)
            else:
                above = min(above, order.reach)
        market.reach_below, market.reach_above = below, above

    def _end(self, order: OrderState, status: str) -> None:
        """Take an order off the book for good; its filled quantity is set by the caller."""
        self._leave(order)
        if order.opening != 0.0:
            self._set_opening(order, 0.0)
        if order.reduce_only:
            order.leg.market.reduce_only -= 1
        del self.open_orders[order.id]
        order.is_open = False
        order.status = status
