"""Stands beside a client, and after every call compares all it shows with the naive books."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.errors import OrderError, RiskRejected
from horizon.venues.events import replay, state_of
from tests.properties.naive import Book, Contract, Terms, Tick, Verdict, Working

DAY = 86_400.0


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Witness:
    """One client, its naive books, and what must hold between the two.

    Every call goes through a method here, which ends in `look`: fills and orders that are new
    are booked by hand, and whatever the client reports is compared.
    """

    def __init__(
        self, terms: Terms, contracts: dict[str, Contract], risk: hz.RiskConfig | None = None
    ) -> None:
        self.terms, self.risk = terms, risk or hz.RiskConfig()
        self.clock = Clock()
        self.ex = hz.connect(
            "paper",
            risk=risk,
            initial_cash_usd=terms.cash,
            slippage_bps=terms.slippage * 10_000,
            maker_fee_rate=terms.maker,
            taker_fee_rate=terms.taker,
            bar_fill_mode="touch" if terms.touch else "cross",
            matching="quotes" if terms.quotes else "price",
            market_fill="now" if terms.now else "next_tick",
            enforce_buying_power=terms.enforce,
            clock=self.clock,
        )
        self.venue = self.ex.engine.venue
        self.book = Book(terms, contracts)
        self.events: list[tuple[Any, ...]] = []
        self.venue.subscribe(self.events.append)
        self.read = 0
        #: False once a comparison has failed: then there is nothing left to compare.
        self.is_sound = True
        self.is_halted = False
        self.working: dict[str, Working] = {}
        self.closed: dict[str, Any] = {}
        self.ids: list[str] = []
        self.amended: set[str] = set()
        self.fills: list[Any] = []
        self.drained: list[Any] = []
        self.sums: dict[str, float] = self.book.recount()
        self.sent_at: list[float] = []
        self.day_end = self.day_high = -math.inf
        self.passed_until = -math.inf

    # ------------------------------------------------------------------ calls
    def refused(self, call: Callable[[], Any], *errors: type[Exception], about: str = "") -> None:
        """A call that must raise, and leave everything as it was."""
        before, count = self.picture(), len(self.events)
        with pytest.raises(errors) as caught:
            call()
        assert about in str(caught.value), f"{caught.value} does not name {about}"
        assert len(self.events) == count
        assert self.picture() == before

    def picture(self) -> tuple[object, ...]:
        """Everything a user sees."""
        ex = self.ex
        return (
            ex.balance(),
            ex.positions(),
            ex.open_orders(),
            len(self.venue.account.orders),
            len(self.venue.account.fills),
            [ex.quote(market) for market in self.book.contracts],
            ex.engine.status(),
        )

    def order(
        self,
        send: Callable[[], Any],
        leg: str,
        sign: int,
        quantity: float,
        limit: float | None,
        *,
        post_only: bool = False,
        reduce_only: bool = False,
        leverage: float | None = None,
    ) -> Any:
        """Send an order, having worked out what must become of it; None where it was refused."""
        book, market = self.book, leg.removesuffix(":no")
        in_force = book.leverage.get(market) if book.is_busy(market) else None
        if leverage is not None and in_force is not None and leverage != in_force:
            self.refused(send, OrderError, about="leverage")
            return None
        lever = leverage or in_force or 1.0
        available = self.sums["buying_power"]
        verdict = book.judge(leg, sign, quantity, limit, post_only, reduce_only, lever, available)
        must, may = self.rules_against(leg, sign, quantity, verdict)
        notional = verdict.reference * quantity * book.contract(leg).multiplier
        if verdict.opening > 0.0 and notional > 1e15:
            self.refused(send, ValueError, RiskRejected)
            return None
        count = len(self.events)
        order = refusal = None
        try:
            order = send()
        except RiskRejected as error:
            refusal = error
        if order is None:
            assert refusal is not None
            assert refusal.rule in may, f"{refusal} with {may} {verdict}"
            assert [event[0] for event in self.events[count:]] == ["refused"]
            self.look()
            return None
        assert not must, f"accepted against {must}: {order} {verdict}"
        self.judged(order, verdict, quantity, limit)
        self.ids.append(order.id)
        self.look()
        return order

    def judged(self, order: Any, verdict: Verdict, quantity: float, limit: float | None) -> None:
        """Compare what came back with what the rules say."""
        assert order.quantity == quantity
        assert order.price == limit
        if order.status == "rejected":
            reason = order.metadata["reason"].partition(":")[0]
            assert reason == verdict.refusal or (
                reason == "buying power" and verdict.is_close and verdict.refusal is None
            ), f"{order} against {verdict}"
            if reason == "buying power":
                near = self.nearness() + 1e-11 * verdict.required
                assert abs(order.metadata["required"] - verdict.required) <= near
                assert abs(order.metadata["available"] - verdict.available) <= near
            return
        fits = verdict.refusal is None or (verdict.refusal == "buying power" and verdict.is_close)
        assert fits, f"accepted: {order} against {verdict}"
        if limit is None and self.terms.now:
            assert order.status == "filled", order
            assert order.filled_quantity == quantity
            assert math.isclose(order.average_price, verdict.reference, rel_tol=1e-12)
        else:
            assert (order.status, order.filled_quantity) == ("new", 0.0)

    def rules_against(
        self, leg: str, sign: int, quantity: float, verdict: Verdict
    ) -> tuple[set[str], set[str]]:
        """Risk rules that must refuse an order, and those that may: they differ by rounding."""
        must: set[str] = set()
        may: set[str] = set()
        if verdict.opening == 0.0:
            return must, may
        risk, book, status = self.risk, self.book, self.ex.engine.status()

        def limit(rule: str, value: float, most: float | None) -> None:
            if most is not None and value > most * (1 + 1e-9):
                must.add(rule)
            if most is not None and value > most * (1 - 1e-9):
                may.add(rule)

        if self.is_halted:
            must.add("kill_switch")
        near = self.nearness()
        if self.sums["equity"] < -near:
            must.add("equity")
        if self.sums["equity"] <= near:
            may.add("equity")
        now = max(self.clock.now, book.tick_of(leg).seconds)
        if now < self.passed_until:
            must.add("max_daily_drawdown_pct")
        if status.drawdown_passed:
            may.add("max_daily_drawdown_pct")
        limit("max_order_size", quantity, risk.max_order_size)
        market = leg.removesuffix(":no")
        direction = -sign if leg.endswith(":no") else sign
        net = book.held(market) - book.held(f"{market}:no")
        toward = [
            order
            for order in book.queue(leg)
            if (-order.sign if order.leg.endswith(":no") else order.sign) == direction
        ]
        counted = direction * net + quantity
        whole = counted + sum(order.left for order in toward)
        least = counted + sum(order.left for order in toward if not order.reduce_only)
        rule = "max_position_per_market"
        most = risk.max_position_per_market
        limit(rule, least, most)
        if most is not None and whole > most * (1 - 1e-9):
            may.add(rule)
        own = verdict.opening * verdict.reference * book.contract(leg).multiplier
        if not math.isnan(own):
            total = self.sums["position_notional"] + self.sums["order_notional"] + own
            limit("max_portfolio_notional", total, risk.max_portfolio_notional)
        rate = risk.max_orders_per_second
        if rate is not None and len(self.sent_at) >= rate:
            gap = now - self.sent_at[-int(rate)]
            if gap < 1 - 1e-6:
                must.add("max_orders_per_second")
            if gap < 1 + 1e-6:
                may.add("max_orders_per_second")
        return must, may | must

    def amend(self, order_id: str, quantity: float | None, price: float | None) -> None:
        """Amend an order; what it may open more must have been affordable."""
        working, book = self.working.get(order_id), self.book
        before, count = dict(self.sums), len(self.events)
        refusal: Exception | None = None
        try:
            self.ex.amend(order_id, quantity, price)
        except (OrderError, RiskRejected, ValueError) as error:
            refusal = error
        if refusal is not None:
            names = [event[0] for event in self.events[count:]]
            assert names == (["refused"] if isinstance(refusal, RiskRejected) else [])
            if working is not None and quantity is not None and price is None:
                gives_back = working.filled < quantity <= working.quantity
                assert not gives_back, f"an amendment that only gives back: {refusal}"
            self.look()
            return
        assert working is not None, f"amended {order_id}, which is not open"
        assert quantity is None or quantity > working.filled
        self.amended.add(order_id)
        if quantity is not None:
            working.quantity = quantity
        if price is not None and price != working.price:
            assert working.price is not None
            book.ends(working)
            working.price = working.reference = price
            working.taker = book.is_taker(working.leg, working.sign, price)
            leverage = book.leverage.get(working.leg, 1.0)
            working.unit = book.unit_of(working.leg, working.sign, price, working.taker, leverage)
            book.queue(working.leg).append(working)
        self.look()
        if self.terms.enforce:
            grown = self.sums["order_reserve"] - before["order_reserve"]
            near = self.nearness()
            assert grown <= near or self.sums["buying_power"] >= -near, "amended past its money"

    def tick(
        self,
        leg: str,
        price: float,
        *,
        bar: tuple[float, float, float] | None = None,
        bid: float | None = None,
        ask: float | None = None,
    ) -> None:
        """A tick of one side, whose fills are foretold; `bar` is open, high, low."""
        book, market = self.book, leg.removesuffix(":no")
        options: dict[str, float] = {}
        if bar is not None:
            named = zip(("open", "high", "low"), bar, strict=True)
            options |= {name: part for name, part in named if not math.isnan(part)}
        options |= {k: v for k, v in (("bid", bid), ("ask", ask)) if v is not None}
        got = self.ex.tick(leg, price, **options)
        opened, high, low = bar or (math.nan, math.nan, math.nan)
        bid, ask = math.nan if bid is None else bid, math.nan if ask is None else ask
        if leg.endswith(":no"):
            price, opened, high, low = flipped(price, opened, low, high)
            bid, ask = flipped(ask, bid)
        tick = book.ticks.setdefault(market, Tick())
        tick.price, tick.bid, tick.ask = price, bid, ask
        tick.seconds = max(self.clock.now, tick.seconds)
        foretold = book.matches(market, price, (opened, high, low), bid, ask)
        made = [f for f in got if f.order_id in self.working]
        assert len(made) == len(foretold), f"{made} instead of {foretold}"
        for fill, (order_id, size, paid, maker) in zip(made, foretold, strict=True):
            assert fill.order_id == order_id
            rounding = 1e-14 * self.working[order_id].quantity
            assert math.isclose(fill.quantity, size, rel_tol=1e-9, abs_tol=rounding)
            assert math.isclose(fill.price, paid, rel_tol=1e-12)
            assert fill.is_maker is maker
        before = [order_id for order_id, w in self.working.items() if w.leg == market]
        children = set(self.venue.account.open_orders) - set(self.working)
        self.look()
        assert [f.id for f in got] == [f.id for f in self.fills[len(self.fills) - len(got) :]]
        if book.contracts[market].kind == "perp":
            self.margin_holds(market)
            if len(made) < len(got):  # the last one is a liquidation
                assert not self.working.keys() & set(before), "orders outlive a liquidation"
        self.children_affordable(children)

    def margin_holds(self, market: str) -> None:
        """After a tick no perpetual is left with less than its margin asks for."""
        book = self.book
        if book.held(market) == 0.0:
            return
        margin, profit = book.margin(market), book.unrealized(market)
        least = min(margin / 2, 0.05 * abs(book.worth(market)))
        assert margin + profit > least * (1 - 1e-9) - self.nearness(), "not liquidated"

    def children_affordable(self, children: set[str]) -> None:
        """What algorithms sent in a tick came last: it must leave buying power."""
        parts = self.book.all_openings()
        if self.terms.enforce and any(parts.get(child, 0.0) > 0.0 for child in children):
            assert self.sums["buying_power"] >= -self.nearness(), "a child past its money"

    def settle(self, leg: str, price: float) -> None:
        market = leg.removesuffix(":no")
        closed = self.ex.settle(leg, price)
        at = flipped(price)[0] if leg.endswith(":no") else price
        expected = self.book.settle(market, at)
        assert [(c.market_id, c.price) for c in closed] == [(leg, at) for leg, _, at in expected]
        for row, (_, size, _) in zip(closed, expected, strict=True):
            assert math.isclose(row.quantity, size, rel_tol=1e-9)
        self.look()
        assert self.ex.open_orders(market) == []

    # ------------------------------------------------------------------ comparison
    def nearness(self) -> float:
        """How far reserves and buying power may be from the naive ones by rounding."""
        sums = self.sums
        sizes = ("position_notional", "order_notional", "position_reserve", "order_reserve")
        return 1e-11 * (self.book.scale() + sum(abs(sums[name]) for name in sizes))

    def look(self, may_shrink: bool = False) -> None:
        """Take note of what is new, then compare everything."""
        fresh = self.events[self.read :]
        if not fresh:
            return
        self.read = len(self.events)
        self.is_sound = False
        kinds = {event[0] for event in fresh}
        for event in fresh:
            if event[0] in ("accepted", "rejected", "amended"):
                self.sent_at.append(event[1] / 1e9)
        if "filled" in kinds:
            history = self.venue.fill_history()
            for fill in history[len(self.fills) :]:
                self.take(fill)
        self.read_orders(may_shrink)
        self.compare(max(event[1] for event in fresh) / 1e9)
        self.is_sound = True

    def take(self, fill: Any) -> None:
        """Book one fill, after asking whether it may be."""
        book = self.book
        order = self.working.get(fill.order_id)
        leg, sign = fill.market_id, 1 if fill.side == "buy" else -1
        contract = book.contract(leg)
        if order is None:
            order = self.unseen(fill, leg, sign)
        assert (order.leg, order.sign) == (leg, sign)
        assert fill.quantity > 0
        assert fill.id not in {f.id for f in self.fills[-3:]}
        rate = self.terms.maker if fill.is_maker else self.terms.taker
        assert fill.is_maker is (order.price is not None and not order.taker)
        notional = fill.quantity * fill.price * contract.multiplier
        assert math.isclose(fill.fee, notional * rate, rel_tol=1e-12)
        assert rate <= 0.0 or fill.fee >= 0.0
        if order.price is not None:
            assert sign * (fill.price - order.price) <= 0.0, "worse than its limit"
        held = book.held(leg)
        if order.reduce_only:
            assert held * sign < 0.0, "a reduce-only fill that does not reduce"
            assert fill.quantity <= abs(held) * (1 + 1e-12)
        order.filled += fill.quantity
        assert order.filled <= order.quantity * (1 + 1e-12)
        gain = book.fill(leg, sign, fill.quantity, fill.price, fill.fee)
        assert abs(gain - fill.realized_pnl) <= 1e-12 * book.scale()
        self.fills.append(fill)

    def unseen(self, fill: Any, leg: str, sign: int) -> Working:
        """An order that came and filled within one call: at market, or a liquidation."""
        book, order = self.book, self.ex.order(fill.order_id)
        assert order.id not in self.closed
        assert order.order_type == "market", order
        if order.metadata.get("intent") == "liquidation":
            expected = book.tick_of(leg).price
            margin, profit = book.margin(leg), book.unrealized(leg)
            least = min(margin / 2, 0.05 * abs(book.worth(leg)))
            assert margin + profit <= least * (1 + 1e-9) + self.nearness(), "liquidated early"
            assert order.reduce_only
        else:
            assert self.terms.now
            expected = book.market_price(leg, sign, book.starts_from(leg, sign))
        assert math.isclose(fill.price, expected, rel_tol=1e-12)
        if order.leverage is not None:
            book.leverage[leg] = order.leverage
        self.closed[order.id] = order
        return Working(
            order.id, leg, sign, order.quantity, None, reduce_only=order.reduce_only, taker=True
        )

    def read_orders(self, may_shrink: bool) -> None:
        """Note which orders are open now, and check those that no longer are."""
        book = self.book
        shown = {order.id: order for order in self.ex.open_orders()}
        for order_id in [i for i in self.working if i not in shown]:
            working, order = self.working.pop(order_id), self.ex.order(order_id)
            book.ends(working)
            assert order.status in ("filled", "canceled"), order
            assert (order.status == "filled") is (order.filled_quantity == order.quantity)
            near = 1e-12 * order.quantity
            assert abs(order.filled_quantity - working.filled) <= near, order
            self.closed[order_id] = order
        for order_id, order in shown.items():
            known = self.working.get(order_id)
            if known is None:
                self.adopt(order)
                continue
            if may_shrink and order.quantity < known.quantity:
                known.quantity = order.quantity
            assert order.quantity == known.quantity
            assert order.price == known.price
            assert order.filled_quantity == known.filled < order.quantity
            assert order.status == ("partial" if known.filled else "new")

    def adopt(self, order: Any) -> None:
        """An order is open that was not before; its terms are fixed at this moment."""
        book = self.book
        assert order.id not in self.closed, f"{order.id} is open again"
        assert order.filled_quantity == 0.0
        leg, sign = order.market_id, 1 if order.side == "buy" else -1
        leverage = order.leverage or 1.0
        if order.price is None:
            assert not self.terms.now
            reference, taker = book.market_price(leg, sign, book.starts_from(leg, sign)), True
        else:
            reference, taker = order.price, book.is_taker(leg, sign, order.price)
        working = Working(
            order.id,
            leg,
            sign,
            order.quantity,
            order.price,
            ioc=order.tif == "ioc",
            reduce_only=order.reduce_only,
            taker=taker,
            reference=reference,
        )
        book.rests(working, leverage)
        working.unit = book.unit_of(leg, sign, reference, taker, leverage)
        self.working[order.id] = working
        self.ids.append(order.id)

    def compare(self, now: float) -> None:
        """Everything that the client says of money and positions, against the books."""
        book = self.book
        self.compare_positions()
        shown = self.ex.balance()
        equity_before = self.sums["equity"]
        self.sums = sums = book.recount()
        near = 1e-12 * book.scale() + 1e-15 * sums["position_notional"]
        made = shown.realized_pnl + shown.unrealized_pnl - shown.fees
        assert abs(shown.equity - shown.initial_cash - made) <= near
        assert abs(shown.cash - sums["cash"]) <= near
        assert abs(shown.equity - sums["equity"]) <= near
        assert abs(shown.realized_pnl - float(book.realized)) <= near
        assert abs(shown.unrealized_pnl - sums["unrealized"]) <= near
        assert abs(shown.fees - float(book.fees)) <= near
        near = self.nearness()
        assert abs(shown.buying_power - sums["buying_power"]) <= near, "buying power"
        account = self.venue.account
        for name in ("position_reserve", "order_reserve", "position_notional", "order_notional"):
            kept = getattr(account, name).total
            assert abs(kept - sums[name]) <= near, f"{name}: {kept} instead of {sums[name]}"
            assert kept >= -1e-3 * near, f"{name} is {kept}"
        self.compare_limits(now, equity_before, near)

    def compare_positions(self) -> None:
        book = self.book
        shown = {position.market_id: position for position in self.ex.positions()}
        scale = book.scale()
        for leg, holding in book.holdings.items():
            position = shown.pop(leg, None)
            size = float(holding.size)
            rounding = 2e-15 * holding.traded
            if position is None:
                assert abs(size) <= rounding, f"{leg} is gone, {size} should be there"
                book.forget_dust(leg)
                continue
            assert abs(position.quantity - size) <= rounding
            assert abs(position.quantity) > 4.4e-16 * holding.largest, "dust"
            assert size != 0.0, f"{position.quantity} of {leg} should be gone"
            cost = position.avg_cost * position.quantity * book.contract(leg).multiplier
            assert abs(cost - float(holding.cost)) <= 1e-12 * scale
            near = 1e-12 * scale + 1e-15 * abs(book.worth(leg))
            assert abs(position.unrealized_pnl - book.unrealized(leg)) <= near
            assert abs(position.realized_pnl - float(holding.realized)) <= near
            assert position.mark == book.tick_of(leg).price
        assert not shown, f"positions out of nothing: {shown}"

    def compare_limits(self, now: float, equity_before: float, near: float) -> None:
        """Whatever halts new risk leaves nothing resting that opens."""
        risk, sums, status = self.risk, self.sums, self.ex.engine.status()
        if now >= self.day_end:
            self.day_end = (now // DAY + 1) * DAY
            self.day_high = equity_before
        self.day_high = max(self.day_high, sums["equity"])
        assert status.day_high >= self.day_high - near
        percent = risk.max_daily_drawdown_pct
        fell = sums["equity"] < self.day_high * (1 - (percent or 0.0) / 100) - near
        # Of a day that never had money no part can be lost; there equity refuses everything.
        if percent is not None and fell and self.day_high > 0.0:
            self.passed_until = self.day_end
            assert status.drawdown_passed
        assert status.kill_switch is self.is_halted
        if self.is_halted or status.drawdown_passed or sums["equity"] < -near:
            parts = self.book.all_openings()
            opens = {i: part for i, part in parts.items() if part > 1e-9 * self.working[i].left}
            assert not opens, f"orders that open are resting: {opens}"
        most = risk.max_position_per_market
        if most is not None:
            for leg in self.book.holdings:
                # Of a prediction's two sides one may always be closed, whatever that leaves.
                if self.book.contract(leg).kind != "prediction":
                    assert abs(self.book.held(leg)) <= most * (1 + 1e-9)

    # ------------------------------------------------------------------ the end
    def drain(self) -> None:
        start = len(self.drained)
        self.drained += self.ex.fills()
        self.look()
        assert self.drained[start:] == self.fills[start:]

    def close(self) -> None:
        """The last look: each fill drained once, closed orders as they ended, replay the same."""
        self.drain()
        assert self.drained == self.fills == self.venue.fill_history()
        assert len({fill.id for fill in self.fills}) == len(self.fills)
        orders = self.ex.orders()
        shown = {order.id: order for order in orders}
        assert len(shown) == len(orders)
        for order_id, order in self.closed.items():
            assert shown[order_id] == order, "a closed order has changed"
        filled: dict[str, float] = {}
        for fill in self.fills:
            filled[fill.order_id] = filled.get(fill.order_id, 0.0) + fill.quantity
        for order in orders:
            off = abs(order.filled_quantity - filled.get(order.id, 0.0))
            assert off <= 1e-12 * order.quantity
        rebuilt = replay(self.terms.cash, self.events)
        assert state_of(rebuilt) == state_of(self.venue.account)
        self.ex.close()
        self.ex.close()


def flipped(*prices: float) -> tuple[float, ...]:
    """Prices of one side of a prediction as the other side's."""
    return tuple(price if math.isnan(price) else round(1.0 - price, 12) for price in prices)
