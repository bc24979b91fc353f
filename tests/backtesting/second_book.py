"""A run over order books, worked out a second time: walking, resting, impact and latency.

Deterministic fills only. It shares nothing with the package but the records of a request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from horizon import AssetClass
from tests.backtesting.second import Second, Sent
from tests.backtesting.worlds import World
from tests.properties.naive import Tick, at_or_beyond, flip


@dataclass
class Shelf:
    """What is left of one market's snapshot: [price, size] of YES, the best first."""

    bids: list[list[float]] = field(default_factory=list)
    asks: list[list[float]] = field(default_factory=list)
    moved: float = 0.0
    is_shown: bool = False


class SecondBook(Second):
    """Plays a world over books."""

    def __init__(self, world: World) -> None:
        super().__init__(
            world.with_(
                how={
                    "slippage_bps": 0.0,
                    "matching": "price",
                    "bar_fill_mode": "cross",
                    "run_on": "feed",
                    **world.how,
                }
            )
        )
        assert world.books is not None
        self.temporary = world.how["impact_temporary_bps"] / 10_000
        self.permanent = world.how["impact_permanent_fraction"] * self.temporary
        self.shelves = {market: Shelf() for market in world.markets}
        self.has_data = world.data is not None

    # ------------------------------------------------------------------ time
    def play(self) -> SecondBook:
        outcomes = dict(self.world.how.get("outcomes", {}))
        for time, rows, shown in self.happenings():
            self.deliver(lambda due, time=time: due < time)
            self.now = time
            for market, snapshot in shown:
                self.show(market, snapshot)
            self.deliver(lambda due, time=time: due <= time)
            for market in self.world.markets:
                if market in rows:
                    self.mark(market, rows[market])
            if rows:
                self.curve.append((time, self.worth()))
                any_row = self.world.how["run_on"] == "any"
                for market in self.world.markets:
                    if (market in rows or any_row) and market in self.last_prices:
                        self.decide(market)
        self.deliver(lambda due: due <= self.now)
        for market, price in outcomes.items():
            self.settle(market, price)
        equity = self.worth()
        if (self.now, equity) != self.curve[-1]:
            self.curve.append((self.now, equity))
        return self

    def worth(self) -> float:
        equity = self.book.recount()["equity"]
        self.is_close |= equity <= 1e-6  # what happens then is tested elsewhere
        return equity

    def happenings(self) -> list[tuple[float, dict[str, Any], list[tuple[str, Any]]]]:
        """Each step: its time, the rows that mark, and the snapshots that come first."""
        books = self.world.books
        assert books is not None
        if not self.has_data:
            found: dict[tuple[float, int], dict[str, Any]] = {}
            for market in self.world.markets:
                turns: dict[float, int] = {}
                for row in books[market]:
                    turn = turns[row["timestamp"]] = turns.get(row["timestamp"], -1) + 1
                    found.setdefault((row["timestamp"], turn), {})[market] = row
            return [
                (key[0], {m: middle(row) for m, row in rows.items()}, list(rows.items()))
                for key, rows in sorted(found.items(), key=lambda item: item[0])
            ]
        every = sorted(
            ((row["timestamp"], m, row) for m in self.world.markets for row in books[m]),
            key=lambda item: item[0],
        )
        steps: list[tuple[float, dict[str, Any], list[tuple[str, Any]]]] = []
        rows_of = self.steps()
        for time in sorted({t for t, _, _ in every} | {t for t, _ in rows_of}):
            shown = [(m, row) for t, m, row in every if t == time]
            turns_here = [rows for t, rows in rows_of if t == time]
            prices = [{m: r["price"] for m, r in rows.items()} for rows in turns_here]
            for n, rows in enumerate(prices or [{}]):
                steps.append((time, rows, shown if n == 0 else []))
        return steps

    def mark(self, market: str, price: float | None) -> None:
        if price is None:
            if market not in self.last_prices:
                return
            price = self.last_prices[market]
        self.last_prices[market] = price
        if market not in self.book.settled:
            self.book.ticks[market] = Tick(price, math.nan, math.nan, self.now)
            self.liquidate(market, price)
            self.is_close |= self.book.recount()["equity"] <= 1e-6

    # ------------------------------------------------------------------ books
    def show(self, market: str, snapshot: dict[str, Any]) -> None:
        shelf = self.shelves[market]
        shelf.bids = [list(level) for level in snapshot["bids"]]
        shelf.asks = [list(level) for level in snapshot["asks"]]
        shelf.is_shown = True
        if market in self.book.settled:
            return
        waiting = [order for order in self.book.queue(market) if order.arrived]

        def urgency(order: Sent) -> tuple[int, float]:
            no = order.leg.endswith(":no")
            direction = -order.sign if no else order.sign
            assert order.price is not None
            own = flip(order.price) if no else order.price
            return -direction, -direction * own

        for order in sorted(waiting, key=urgency):
            if order.status not in ("new", "partial"):
                continue
            levels = self.met_by(order.leg, order.sign)
            through = [
                level for price, level in levels if at_or_beyond(price, order.price, order.sign)
            ]
            size = min(order.left, sum(level[1] for level in through))
            if order.reduce_only:
                size = min(size, max(-order.sign * self.book.held(order.leg), 0.0))
            if size <= 0.0:
                continue
            left = size
            for level in through:
                taken = min(level[1], left)
                level[1] -= taken
                left -= taken
            self.fill(order, size, order.price, True)

    def met_by(self, leg: str, sign: int) -> list[tuple[float, list[float]]]:
        """The levels that an order of a side meets, in its own prices, displaced against it."""
        market = leg.removesuffix(":no")
        is_no = leg.endswith(":no")
        shelf = self.shelves[market]
        buys_yes = (sign > 0) is not is_no
        worse = max(shelf.moved, 0.0) if buys_yes else min(shelf.moved, 0.0)
        top = 1.0 if self.kinds[market] is AssetClass.Prediction else math.inf
        found = []
        for level in shelf.asks if buys_yes else shelf.bids:
            price = level[0] + worse
            if worse and not 0.0 < price < top:
                continue
            if level[1] > 0.0:
                found.append((flip(price) if is_no else price, level))
        return found

    def arrive(self, order: Sent) -> None:
        """Take what is there, and rest or end with the rest."""
        order.arrived = True
        notional = done = 0.0
        market = order.leg.removesuffix(":no")
        multiplier = self.contracts[market].multiplier
        scale_by_price = self.kinds[market] is not AssetClass.Prediction
        left = order.left
        if order.reduce_only:
            left = min(left, max(-order.sign * self.book.held(order.leg), 0.0))
            if left <= 0.0:
                self.close(order, "canceled")
                return
        for price, level in self.met_by(order.leg, order.sign):
            worse = order.sign * done * self.temporary * (price if scale_by_price else 1.0)
            paid = price + worse
            if order.price is not None and not at_or_beyond(paid, order.price, order.sign):
                break
            if not scale_by_price and not 0.0 <= paid <= 1.0:
                self.is_close = True  # impact beyond the bounds: no rule says what then
                break
            size = min(level[1], left)
            level[1] -= size
            left -= size
            done += size
            notional += size * paid * multiplier
            self.fill(order, size, paid, False)
            if left <= 1e-12 or order.status not in ("new", "partial"):
                break
        if notional and self.permanent:
            no = order.leg.endswith(":no")
            self.shelves[market].moved += (-1 if no else 1) * order.sign * notional * self.permanent
        if order.status in ("new", "partial") and (order.price is None or order.ioc):
            self.close(order, "canceled")

    def send(self, leg: str, sign: int, size: float, price: float | None, **how: Any) -> None:
        market = leg.removesuffix(":no")
        if price is None and not self.travels() and not self.met_by(leg, sign):
            # Nobody to trade with: rejected, as the paper venue does without a price.
            order = Sent(str(len(self.orders) + 1), leg, sign, size, None, sent=self.now)
            order.status = "rejected"
            self.orders.append(order)
            self.count_refusal("no price")
            return
        before = len(self.orders)
        super().send(leg, sign, size, price, **how)
        order = self.orders[before] if len(self.orders) > before else None
        if order is not None and order.status == "new" and order.arrived:
            assert market in self.last_prices
            self.arrive(order)

    def travels(self) -> bool:
        """Whether this run has latency: a market order then asks nobody at once."""
        return "latency" in self.world.how or self.world.how["latency_ms"] > 0.0

    def landed(self, order: Sent) -> None:
        super().landed(order)
        self.arrive(order)


def middle(row: dict[str, Any]) -> float | None:
    """The mid of a snapshot, None where a side is empty."""
    if not row["bids"] or not row["asks"]:
        return None
    return float(row["bids"][0][0] / 2 + row["asks"][0][0] / 2)
