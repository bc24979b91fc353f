"""A run without books, worked out a second time: slowly, and with none of the package's code.

Money and matching are those of the naive ledger of `tests.properties`, which sees decimals; the
order of events is written here as the specification says it, one event after another.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from horizon import AssetClass, OrderRequest, Quote, Side
from tests.backtesting.worlds import Strategy, World, contract_of
from tests.properties.naive import Book, Contract, Terms, Tick, Working

NS = 1_000_000_000


@dataclass
class Constant:
    """The same delay for everything."""

    ms: float

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        return round(self.ms * 1e6)


@dataclass
class Sent(Working):
    """An order on its way, at rest, or ended."""

    sent: float = 0.0
    status: str = "new"
    is_quote: bool = False
    arrived: bool = True
    leaving: bool = False
    average: float = 0.0


class Second:
    """Plays a world; `fills`, `orders` and `curve` are then to be compared."""

    def __init__(self, world: World) -> None:
        self.world = world
        how = world.how
        self.terms = Terms(
            cash=how["initial_capital"],
            maker=how["paper_maker_fee_rate"],
            taker=how["paper_taker_fee_rate"],
            slippage=how["slippage_bps"] / 10_000,
            quotes=how["matching"] == "quotes",
            touch=how["bar_fill_mode"] == "touch",
            now=False,
            enforce=how["enforce_buying_power"],
        )
        self.latency = how.get("latency", Constant(how["latency_ms"]))
        found = {name: contract_of(name) for name in world.markets}
        self.contracts = {
            name: Contract(
                name, c.asset_class.name.lower(), float(c.multiplier or 1.0), c.strike or 0.0
            )
            for name, c in found.items()
        }
        self.kinds = {name: c.asset_class for name, c in found.items()}
        self.book = Book(self.terms, self.contracts)
        self.strategy = Strategy(world.plans)
        self.orders: list[Sent] = []
        self.fills: list[tuple[Any, ...]] = []
        self.curve: list[tuple[float, float]] = []
        self.refused: dict[str, int] = {}
        self.transit: list[tuple[float, int, Any]] = []
        self.count = 0
        self.now = 0.0
        self.last_prices: dict[str, float] = {}
        #: An equity so near to nothing, or money so near to what is needed, that rounding tells.
        self.is_close = False

    # ------------------------------------------------------------------ time
    def play(self) -> Second:
        outcomes = dict(self.world.how.get("outcomes", {}))
        timed = self.world.how.get("resolutions", {})
        endings = sorted((time, list(outcomes).index(m), m) for m, time in timed.items())
        steps = self.steps()
        for time, rows in steps:
            while endings and endings[0][0] < time:
                self.end(endings.pop(0), outcomes)
            self.deliver(lambda due, time=time: due < time)
            self.now = time
            for market in self.world.markets:
                if market in rows:
                    self.tick(market, rows[market])
            self.deliver(lambda due, time=time: due <= time)
            self.curve.append((time, self.book.recount()["equity"]))
            any_row = self.world.how["run_on"] == "any"
            for market in self.world.markets:
                runs = market in rows or (any_row and market in self.last_prices)
                if runs and market not in self.book.settled:
                    self.decide(market)
        while endings and endings[0][0] <= self.now:
            self.end(endings.pop(0), outcomes)
        for market, price in outcomes.items():
            if market not in timed:
                self.settle(market, price)
        equity = self.book.recount()["equity"]
        if equity != self.curve[-1][1]:
            self.curve.append((self.now, equity))
        return self

    def steps(self) -> list[tuple[float, dict[str, dict[str, Any]]]]:
        """The nth rows of one time of all feeds together."""
        found: dict[tuple[float, int], dict[str, dict[str, Any]]] = {}
        assert self.world.data is not None
        for market, rows in self.world.data.items():
            turns: dict[float, int] = {}
            for row in rows:
                turn = turns[row["timestamp"]] = turns.get(row["timestamp"], -1) + 1
                found.setdefault((row["timestamp"], turn), {})[market] = row
        return [(key[0], found[key]) for key in sorted(found)]

    def deliver(self, is_due: Any) -> None:
        while self.transit and is_due(self.transit[0][0]):
            self.now, _, act = heapq.heappop(self.transit)
            act()

    def later(self, act: Any) -> None:
        delay = self.delay()
        if delay:
            self.count += 1
            heapq.heappush(self.transit, (self.now + delay, self.count, act))
        else:
            act()

    def delay(self) -> float:
        """Seconds that something takes which is sent now."""
        return float(self.latency.delay_ns("", round(self.now * NS)) / NS)

    # ------------------------------------------------------------------ a row
    def tick(self, market: str, row: dict[str, Any]) -> None:
        book = self.book
        price = row["close"] if "close" in row else row["price"]
        nan = math.nan
        bar = (row.get("open", nan), row.get("high", nan), row.get("low", nan))
        bid, ask = row.get("bid", nan), row.get("ask", nan)
        self.last_prices[market] = price
        if market in book.settled:
            book.ticks[market] = Tick(price, bid, ask, self.now)
            return
        book.ticks[market] = Tick(price, bid, ask, self.now)
        queue = book.queue(market)
        book.queues[market] = [order for order in queue if order.arrived]  # type: ignore[attr-defined]
        met = {order.id for order in book.queues[market]}
        found = book.matches(market, price, bar, bid, ask)
        book.queues[market] = queue
        for order_id, size, paid, is_maker in found:
            order = self.orders[int(order_id) - 1]
            if order.status in ("new", "partial"):
                self.fill(order, size, paid, is_maker)
        for order in list(book.queue(market)):
            if order.ioc and order.id in met:
                self.close(order, "canceled")
        self.liquidate(market, price)
        equity = book.recount()["equity"]
        self.is_close |= abs(equity) < 1e-6
        if equity <= 0.0:
            openings = book.all_openings()
            for order in [o for o in self.orders if openings.get(o.id, 0.0) > 0.0]:
                self.cancel(order)

    def fill(self, order: Sent, size: float, price: float, is_maker: bool) -> None:
        book = self.book
        multiplier = book.contract(order.leg).multiplier
        fee = abs(size * price * multiplier) * (self.terms.maker if is_maker else self.terms.taker)
        book.fill(order.leg, order.sign, size, price, fee)
        self.fills.append((self.now, order.leg, order.sign, size, price, fee, is_maker))
        order.filled += size
        order.status = "partial"
        if order.left <= 1e-12 * order.quantity:
            self.close(order, "filled")
        for other in list(book.queue(order.leg)):
            if other.reduce_only and other.sign * book.held(other.leg) >= 0.0:
                self.close(other, "canceled")

    def liquidate(self, market: str, price: float) -> None:
        book = self.book
        held = book.held(market)
        if self.kinds[market] is not AssetClass.Perp or held == 0.0:
            return
        margin, profit = book.margin(market), book.unrealized(market)
        left, least = margin + profit, min(margin / 2, 0.05 * abs(held) * price)
        self.is_close |= abs(left - least) < 1e-9
        if left > least:
            return
        for order in list(book.queue(market)):
            self.close(order, "canceled")
        sign = -1 if held > 0 else 1
        order = Sent(str(len(self.orders) + 1), market, sign, abs(held), None, sent=self.now)
        self.orders.append(order)
        book.queue(market).append(order)
        self.fill(order, abs(held), price, False)

    # ------------------------------------------------------------------ decisions
    def decide(self, market: str) -> None:
        ctx = SimpleNamespace(
            market_id=market,
            feed=SimpleNamespace(price=self.last_prices[market]),
            market=SimpleNamespace(asset_class=self.kinds[market]),
            engine=SimpleNamespace(cancel_all=self.cancel_all),
        )
        output = self.strategy(ctx) or []
        wanted = [item for item in output if isinstance(item, Quote)]
        self.requote(market, wanted)
        for item in output:
            if isinstance(item, OrderRequest):
                self.request(item)

    def cancel_all(self, market: str) -> None:
        for order in list(self.book.queue(market)):
            self.cancel(order)

    def requote(self, market: str, wanted: list[Quote]) -> None:
        legs = [leg for q in wanted for leg in ((1, q.bid, q.size), (-1, q.ask, q.size))]
        kept: set[int] = set()
        for order in sorted(self.book.queue(market), key=lambda order: int(order.id)):
            if not order.is_quote or order.leaving:
                continue
            fits = [
                (-size, n)
                for n, (sign, price, size) in enumerate(legs)
                if (sign, price) == (order.sign, order.price) and size <= order.left
            ]
            fits = sorted(fit for fit in fits if fit[1] not in kept)
            if not fits:
                self.cancel(order)
                continue
            size, n = -fits[0][0], fits[0][1]
            kept.add(n)
            if size < order.left:
                self.shrink(order, order.filled + size)
        top = 1.0 if self.kinds[market] is AssetClass.Prediction else math.inf
        for n, (sign, price, size) in enumerate(legs):
            if n in kept:
                continue
            if 0.0 < price < top:
                self.send(market, sign, size, price, is_quote=True)
            else:
                self.count_refusal("price_bounds")

    def shrink(self, order: Sent, quantity: float) -> None:
        def act() -> None:
            if order.status in ("new", "partial") and quantity > order.filled:
                order.quantity = quantity

        self.later(act)

    def request(self, item: OrderRequest) -> None:
        leg = item.market_id + (":no" if item.side is Side.No else "")
        self.send(
            leg,
            item.order_side.sign,
            item.size,
            item.price,
            ioc=item.tif == "ioc",
            reduce_only=item.reduce_only,
            leverage=item.leverage or 1.0,
        )

    def send(
        self,
        leg: str,
        sign: int,
        size: float,
        price: float | None,
        *,
        is_quote: bool = False,
        ioc: bool = False,
        reduce_only: bool = False,
        leverage: float = 1.0,
    ) -> None:
        book = self.book
        sums = book.recount()
        verdict = book.judge(
            leg, sign, size, price, False, reduce_only, leverage, sums["buying_power"]
        )
        self.is_close |= verdict.is_close and verdict.required > 0.0
        if verdict.opening and sums["equity"] <= 0.0:
            self.count_refusal("equity")
            return
        order = Sent(
            str(len(self.orders) + 1),
            leg,
            sign,
            size,
            price,
            ioc,
            reduce_only,
            verdict.taker,
            verdict.unit,
            verdict.reference,
            sent=self.now,
            is_quote=is_quote,
        )
        self.orders.append(order)
        if verdict.refusal is not None:
            order.status = "rejected"
            self.count_refusal(verdict.refusal)
            return
        book.rests(order, leverage)
        if self.delay():
            order.arrived = False

            def land() -> None:
                if order.status in ("new", "partial"):
                    self.landed(order)

            self.later(land)

    def landed(self, order: Sent) -> None:
        """It has arrived: the last of those that are there.

        Orders are sent in a row, and keep it but where one was overtaken on its way.
        """
        queue = self.book.queue(order.leg)
        if any(other.arrived for other in queue[queue.index(order) + 1 :]):
            queue.remove(order)
            queue.append(order)
        order.arrived = True
        if order.price is not None:
            order.taker = self.book.is_taker(order.leg, order.sign, order.price)

    def count_refusal(self, rule: str) -> None:
        self.refused[rule] = self.refused.get(rule, 0) + 1

    # ------------------------------------------------------------------ endings
    def cancel(self, order: Sent) -> None:
        if order.leaving and self.delay():
            return  # one is on its way
        order.leaving = True
        self.later(lambda: self.close(order, "canceled"))

    def close(self, order: Sent, status: str) -> None:
        if order.status in ("new", "partial"):
            order.status = status
            self.book.ends(order)

    def end(self, ending: tuple[float, int, str], outcomes: dict[str, float]) -> None:
        time, _, market = ending
        self.deliver(lambda due: due <= time)
        self.now = max(self.now, time)
        self.settle(market, outcomes[market])

    def settle(self, market: str, price: float) -> None:
        for order in list(self.book.queue(market)):
            self.close(order, "canceled")
        self.book.settle(market, price)
