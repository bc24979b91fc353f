"""The ledger under an account: cash, positions, and the running sums over them.

This is the arithmetic of money alone; which events move it is the account's business.
"""

from __future__ import annotations

import math
from typing import Final

from horizon import rules
from horizon.types import AssetClass
from horizon.venues.records import Leg, MarketState, RunningSum

__all__ = ["Ledger"]

_PERP: Final = int(AssetClass.Perp)
_PREDICTION: Final = int(AssetClass.Prediction)


class Ledger:
    """Cash and positions in one currency, valued at their marks.

    Totals over markets are running sums, so that no cost grows with the number of markets.
    """

    __slots__ = (
        "cash_sum",
        "fees_sum",
        "high_seen",
        "initial_cash",
        "markets",
        "order_notional",
        "order_reserve",
        "position_notional",
        "position_reserve",
        "realized_sum",
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
        self.high_seen = initial_cash
        self.markets: dict[str, MarketState] = {}

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
        cash, held, ordered = self.cash_sum, self.position_reserve, self.order_reserve
        return (cash.high - held.high - ordered.high) + (cash.low - held.low - ordered.low)

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

    def _trade(self, leg: Leg, traded: float, price: float) -> float:
        """Move a position by a signed trade; return the profit realised, before fees."""
        held, multiplier = leg.quantity, leg.market.multiplier
        if held == 0.0 and leg.quantity_low == 0.0:
            # A position is opened: what follows, for the case that there is nothing to add to.
            leg.cost, leg.cost_low = rules.two_sum(
                leg.cost, leg.cost_low, traded * price * multiplier
            )
            leg.average = price
            leg.quantity = traded
            return 0.0
        quantity, low = rules.quantity_after(held, leg.quantity_low, traded)
        gain = 0.0
        opened = traded
        if held != 0.0 and (held > 0.0) != (traded > 0.0):
            size, amount = abs(held), abs(traded)
            closed = size if quantity == 0.0 or size < amount else amount
            whole = leg.cost + leg.cost_low
            cost = rules.closed_cost(held, leg.average, whole, closed, multiplier)
            gain = rules.realized(held, min(closed, amount), price, multiplier, cost)
            self.realized_sum.add(gain)
            leg.realized += gain
            if closed >= size:
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
            mark = leg.price if leg.is_no else market.price
            if mark != mark:
                mark = leg.average
            kind = market.asset_class
            value = held * mark * market.multiplier
            notional = value if value >= 0.0 else -value  # `rules.notional`
            # In line what most positions are: owned, which is paid for; short in a prediction.
            if held > 0.0 and kind != _PERP:
                reserve = 0.0
            elif kind == _PREDICTION:
                reserve = -held * market.multiplier
            else:
                cost = leg.cost + leg.cost_low
                value = rules.value(kind, held, mark, market.multiplier, cost)
                reserve = rules.position_reserve(
                    kind, held, mark, market.multiplier, cost, market.strike, market.leverage
                )
        former = leg.value
        if value != former:
            # `RunningSum.replace`, in line: every mark of a position comes through here.
            kept = self.value_sum
            high = kept.high
            total = high + value
            virtual = total - high
            low = kept.low + ((high - (total - virtual)) + (value - virtual))
            high = total - former
            virtual = high - total
            kept.low = low + ((total - (high - virtual)) - (former + virtual))
            kept.high = high
            leg.value = value
        if reserve != leg.reserve:
            self.position_reserve.replace(leg.reserve, reserve)
            leg.reserve = reserve
        former = leg.notional
        if notional != former:
            kept = self.position_notional
            high = kept.high
            total = high + notional
            virtual = total - high
            low = kept.low + ((high - (total - virtual)) + (notional - virtual))
            high = total - former
            virtual = high - total
            kept.low = low + ((total - (high - virtual)) - (former + virtual))
            kept.high = high
            leg.notional = notional
