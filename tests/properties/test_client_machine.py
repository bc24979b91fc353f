"""Random sessions on a client: every verb in every order, the books compared after each.

The quick profile is derandomised: a commit is judged by its own changes, not by the luck of
its run, and nothing is kept between runs. New ground is covered by the long profile, whose
sessions differ each time and whose failures are printed with what reproduces them; what it
finds goes into a test of its own.

``HORIZON_FUZZ=3000x500 python -m pytest tests/properties -k machine -s`` runs the quick test
with other numbers, and prints operations per second.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import horizon as hz
from horizon.errors import AlgoError, HorizonError, OrderError
from tests.properties.naive import Contract, Terms
from tests.properties.witness import Witness

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

CALL = "AAPL250117C00180000"
CONTRACTS = {
    contract.id: contract
    for contract in (
        Contract("ACME", "equity"),
        Contract("PENNY", "equity"),
        Contract("BTC/USD", "crypto"),
        Contract("BTC-PERP", "perp"),
        Contract("ETH-PERP", "perp"),
        Contract(CALL, "option", 100.0, 180.0),
        Contract("rain", "prediction"),
        Contract("vote", "prediction"),
    )
}
PLAIN = ["ACME", "PENNY", "BTC/USD"]
PERPS = ["BTC-PERP", "ETH-PERP"]
BETS = ["rain", "vote"]
MARKETS = list(CONTRACTS)
LEGS = [*MARKETS, "rain:no", "vote:no"]

SIZES = [1.0, 10.0, 2.0, 100.0, 7, 0.1, 0.3, 1 / 3, 5.0, 20, 250.0, Decimal("12.5"), 1e-9, 1e6, 1e9]
FACTORS = [1.0, 0.99, 1.01, 0.97, 1.03, 0.9, 1.1, 0.5, 1.5, 1 - 1e-12, 1 + 2e-9]
CHANCES = [0.5, 0.45, 0.55, 0.1, 1 / 3, 0.9, 0.99, 0.01, 0.123456789012]
WILD = [1e-9, 1e9, 0.1, 1 / 3]
LEVERAGES = [None, 1.0, 3, 10.0, 50.0, 100]
NUMBERS = [float("nan"), float("inf"), -float("inf"), True, "1", 10**400, -1.0, 1e16, 2**0.5 * 1j]
NOT_POSITIVE = [*NUMBERS, 0, -0.0, np.array([1.0]), None]

#: One limit at a time, each near what the sizes and prices here reach; then all together.
LIMITS: list[dict[str, float] | None] = [
    None,
    {"max_position_per_market": 25},
    {"max_portfolio_notional": 3_000},
    None,
    {"max_order_size": 10, "max_orders_per_second": 3},
    {"max_daily_drawdown_pct": 5},
    {"max_daily_drawdown_pct": 20},
    {
        "max_position_per_market": 120,
        "max_order_size": 30,
        "max_portfolio_notional": 20_000,
        "max_daily_drawdown_pct": 10,
        "max_orders_per_second": 20,
    },
]

sizes = st.sampled_from(SIZES)
signs = st.sampled_from([1, -1])
factors = st.sampled_from(FACTORS)
# Limit or market, and what goes with a limit: kept in one draw, which is what costs time.
kinds = st.sampled_from(
    ["limit", "market"] * 6 + ["ioc", "ioc", "post", "post", "reduce", "market reduce"]
)
legs = st.sampled_from(LEGS)
# Where a bar or a quote says more than a price does: both sides of a prediction.
quoted = st.sampled_from([*LEGS, *LEGS[-4:], *LEGS[-4:]])


@dataclass
class Count:
    """What a run of sessions has done."""

    operations: int = 0
    fills: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.operations / self.seconds
        return (
            f"{self.operations:,} operations, {self.fills:,} fills with the books intact, "
            f"{rate:,.0f} operations/s"
        )


COUNT = Count()


class ClientMachine(RuleBasedStateMachine):
    """One session; `Witness` does the comparing."""

    def __init__(self) -> None:
        super().__init__()
        self.base: dict[str, float] = {}
        self.algos: list[Any] = []
        self.named: list[tuple[Any, Any]] = []

    # ------------------------------------------------------------------ the session
    @initialize(
        cash=st.sampled_from([1e5, 1e6, 1e9, 1e5, 1e6, 1e9, 1e5, 1e6, 1e9, 1e4, 1e4, 0.0]),
        fees=st.sampled_from([(0.0, 0.0), (0.001, 0.002), (-0.0002, 0.0005), (0.3, -0.2)]),
        slippage=st.sampled_from([0.0, 0.0005, 0.0005, 0.5]),
        quotes=st.booleans(),
        touch=st.booleans(),
        now=st.sampled_from([True, True, False]),
        enforce=st.sampled_from([True, True, True, False]),
        risk=st.sampled_from(LIMITS),
        wild=st.sampled_from([False, False, False, True]),
    )
    def connect(
        self,
        cash: float,
        fees: tuple[float, float],
        slippage: float,
        quotes: bool,
        touch: bool,
        now: bool,
        enforce: bool,
        risk: dict[str, float] | None,
        wild: bool,
    ) -> None:
        limits = None if risk is None else hz.RiskConfig(**risk)
        if risk is not None and "max_daily_drawdown_pct" in risk:
            cash = min(cash, 1e4) or 1e4  # little enough to lose a part of it
        terms = Terms(cash, *fees, slippage, quotes, touch, now, enforce)
        self.witness = Witness(terms, CONTRACTS, limits)
        self.ex = self.witness.ex
        for market in BETS:
            self.ex.declare(hz.Market(market, hz.Prediction))
        self.witness.look()
        for number, market in enumerate(MARKETS):
            if CONTRACTS[market].kind == "prediction":
                self.base[market] = self.base[f"{market}:no"] = 0.5
            else:
                self.base[market] = WILD[number % 4] if wild else 10.0 * (number + 1)
        for market in MARKETS[: -1 - (cash < 1.0)]:
            self.witness.tick(market, self.base[market])

    def price(self, leg: str, factor: float) -> float:
        """A price near the market's own; what a prediction takes is kept inside (0, 1)."""
        last = self.witness.book.tick_of(leg).price
        price = (self.base[leg] if last != last or last == 0.0 else last) * factor
        if CONTRACTS[leg.removesuffix(":no")].kind == "prediction":
            return min(max(round(price, 12), 0.01), 0.99)
        return min(max(price, 1e-12), 1e12)

    # ------------------------------------------------------------------ orders
    def send(
        self,
        verb: Any,
        leg: str,
        sign: int,
        size: Any,
        factor: float,
        kind: str,
        leverage: float | None = None,
        name: str | None = None,
        reduces: bool = False,
        **more: Any,
    ) -> None:
        """Send by a verb whose positional arguments are bound, the witness watching."""
        self.witness.clock.now += 0.125
        limit = None if "market" in kind else self.price(leg, factor)
        options: dict[str, Any] = {**more}
        if limit is None:
            options["market"] = True
        else:
            options["limit"] = limit
        if kind == "ioc":
            options["tif"] = "ioc"
        if kind == "post":
            options["post_only"] = True
        if "reduce" in kind and verb.func.__name__ != "short":
            reduces = True
            if verb.func.__name__ != "cover":
                options["reduce_only"] = True
        if leverage is not None:
            options["leverage"] = leverage
        if name is not None:
            options["client_order_id"] = name
        call = partial(verb, **options)
        order = self.witness.order(
            call,
            leg,
            sign,
            float(size),
            limit,
            post_only=kind == "post",
            reduce_only=reduces,
            leverage=leverage,
        )
        if name is not None and order is not None:
            self.named.append((order, call))

    @rule(leg=legs, sign=signs, size=sizes, factor=factors, kind=kinds)
    def buy_or_sell(self, leg: str, sign: int, size: Any, factor: float, kind: str) -> None:
        verb = self.ex.buy if sign > 0 else self.ex.sell
        self.send(partial(verb, leg, size), leg, sign, size, factor, kind)

    @rule(leg=st.sampled_from(PLAIN), sign=signs, size=sizes, factor=factors, kind=kinds)
    def short_or_cover(self, leg: str, sign: int, size: Any, factor: float, kind: str) -> None:
        verb = self.ex.cover if sign > 0 else self.ex.short
        self.send(partial(verb, leg, size), leg, sign, size, factor, kind, reduces=sign > 0)

    @rule(sign=signs, size=sizes, factor=factors, kind=kinds)
    def option(self, sign: int, size: Any, factor: float, kind: str) -> None:
        verb = self.ex.buy_option if sign > 0 else self.ex.sell_option
        call = partial(verb, "AAPL", 180, "2025-01-17", "call", size)
        self.send(call, CALL, sign, size, factor, kind)

    @rule(
        market=st.sampled_from(BETS),
        no=st.booleans(),
        sign=signs,
        size=sizes,
        factor=factors,
        kind=kinds,
    )
    def prediction(
        self, market: str, no: bool, sign: int, size: Any, factor: float, kind: str
    ) -> None:
        verb = self.ex.buy_prediction if sign > 0 else self.ex.sell_prediction
        leg, side = (f"{market}:no", "no") if no else (market, "yes")
        self.send(partial(verb, market, size), leg, sign, size, factor, kind, side=side)

    @rule(
        market=st.sampled_from(PERPS),
        sign=signs,
        size=sizes,
        factor=factors,
        kind=kinds,
        leverage=st.sampled_from(LEVERAGES),
    )
    def perp(
        self, market: str, sign: int, size: Any, factor: float, kind: str, leverage: Any
    ) -> None:
        verb = self.ex.buy_perp if sign > 0 else self.ex.sell_perp
        self.send(partial(verb, market, size), market, sign, size, factor, kind, leverage)

    @rule(leg=legs, sign=signs, size=sizes, factor=factors)
    def rest(self, leg: str, sign: int, size: Any, factor: float) -> None:
        """A limit away from the market: what books of open orders are made of."""
        verb = self.ex.buy if sign > 0 else self.ex.sell
        away = min(factor, 2 - factor) if sign > 0 else max(factor, 2 - factor)
        self.send(partial(verb, leg, size), leg, sign, size, away, "limit")

    @rule(leg=legs, sign=signs, size=sizes, factor=factors, kind=kinds)
    def named_order(self, leg: str, sign: int, size: Any, factor: float, kind: str) -> None:
        verb = self.ex.buy if sign > 0 else self.ex.sell
        name = f"mine {len(self.witness.events)}"
        self.send(partial(verb, leg, size), leg, sign, size, factor, kind, name=name)

    @precondition(lambda self: self.named)
    @rule(number=st.integers(0, 9))
    def same_name_again(self, number: int) -> None:
        first, call = self.named[number % len(self.named)]
        count = len(self.witness.events)
        assert call().id == first.id
        assert len(self.witness.events) == count
        other = partial(call.func, call.args[0], 12_345.0, **call.keywords)
        self.witness.refused(other, OrderError, about="client_order_id")

    @rule(market=st.sampled_from(MARKETS), size=sizes, factor=factors)
    def quote_both_sides(self, market: str, size: Any, factor: float) -> None:
        bet = CONTRACTS[market].kind == "prediction"
        fair = self.price(market, factor)
        quotes = hz.quotes(fair, fair * 0.02, size)
        if float(size) * fair * CONTRACTS[market].multiplier * 1.01 > 1e15:
            return
        self.ex.engine.submit_quotes(market, quotes, hz.Side.Yes if bet else hz.Side.Long)
        self.witness.look(may_shrink=True)

    # ------------------------------------------------------------------ change and end
    def an_order(self, number: int) -> str:
        """An id: from 4 on an open order's if there is one, else of any kind or of nothing."""
        ids = (
            list(self.witness.working) if number > 3 and self.witness.working else self.witness.ids
        )
        return "p0" if not ids or number == 3 else ids[-1 - number % len(ids)]

    @rule(
        number=st.integers(0, 12),
        times=st.sampled_from([None, 1.0, 0.5, 2.0, 1.1, 100.0]),
        factor=st.sampled_from([None, None, *FACTORS]),
    )
    def amend(self, number: int, times: float | None, factor: float | None) -> None:
        order_id = self.an_order(number)
        if times is factor is None:
            self.witness.refused(partial(self.ex.amend, order_id), ValueError, about="neither")
            return
        quantity = price = None
        working = self.witness.working.get(order_id)
        if times is not None:
            quantity = times * (1.0 if working is None else working.quantity)
        if factor is not None:
            price = factor if working is None else self.price(working.leg, factor)
        self.witness.amend(order_id, quantity, price)

    @rule(number=st.integers(0, 12))
    def cancel(self, number: int) -> None:
        order_id = self.an_order(number)
        assert self.ex.cancel(order_id) is (order_id in self.witness.working)
        self.witness.look()
        assert order_id not in self.witness.working
        assert self.ex.cancel(order_id) is False

    @rule(leg=st.sampled_from([*LEGS, None]))
    def cancel_all(self, leg: str | None) -> None:
        witness = self.witness
        named = [
            order
            for order in witness.working.values()
            if leg is None or leg in (order.leg, order.leg.removesuffix(":no"))
        ]
        assert self.ex.cancel_all(leg) == len(named)
        witness.look()
        assert self.ex.cancel_all(leg) == 0

    @rule(what=st.sampled_from(["market", "market", "all", "kill", "kill for long"]), leg=legs)
    def flatten(self, what: str, leg: str) -> None:
        """Close a market, or all, or throw the kill switch (and mostly reset it again)."""
        if what == "market":
            self.flat(partial(self.ex.flatten, leg), [leg, f"{leg}:no"])
        elif what == "all":
            self.flat(self.ex.flatten_all, LEGS)
        else:
            self.witness.is_halted = True
            self.flat(self.ex.engine.kill_switch, LEGS)
            if what == "kill":
                self.reset_kill_switch()

    def flat(self, verb: Any, among: list[str]) -> None:
        """Whatever the state: never refused; with prices, nothing is left."""
        witness, book = self.witness, self.witness.book
        held = {leg: book.held(leg) for leg in among if book.held(leg)}
        priced = {
            leg for leg, size in held.items() if book.starts_from(leg, 1 if size < 0 else -1) > -1
        }
        orders = verb()
        witness.look()
        assert {order.market_id for order in orders} == set(held)
        for order in orders:
            state = "filled" if self.ex_fills_now else "new"
            assert order.status == (state if order.market_id in priced else "rejected")
            if state == "filled" and order.market_id in priced:
                assert book.held(order.market_id) == 0.0
        ours = {order.id for order in orders}
        left = [w for w in witness.working.values() if w.leg in among and w.id not in ours]
        assert not left

    @property
    def ex_fills_now(self) -> bool:
        return self.witness.terms.now

    @precondition(lambda self: self.witness.is_halted)
    @rule()
    def reset_kill_switch(self) -> None:
        self.witness.is_halted = False
        self.ex.engine.reset_kill_switch()
        self.witness.look()

    @rule(
        kind=st.sampled_from(["market reduce", "reduce", "limit"]),
        factor=factors,
        share=st.sampled_from([1.0, 0.5, 0.5, 1 / 3]),
    )
    def close_positions(self, kind: str, factor: float, share: float) -> None:
        """What a notebook cell does: orders against each position that is shown."""
        for position in self.ex.positions():
            sign = -1 if position.quantity > 0 else 1
            verb = self.ex.buy if sign > 0 else self.ex.sell
            size = abs(position.quantity) * share
            for _ in range(round(1 / share)):
                call = partial(verb, position.market_id, size)
                self.send(call, position.market_id, sign, size, factor, kind)

    # ------------------------------------------------------------------ the market
    @rule(leg=legs, factor=factors)
    def tick_again(self, leg: str, factor: float) -> None:
        self.witness.tick(leg, self.price(leg, factor))

    @rule(leg=legs, factor=factors)
    def tick(self, leg: str, factor: float) -> None:
        self.witness.tick(leg, self.price(leg, factor))

    @rule(
        leg=quoted,
        factor=factors,
        width=st.sampled_from([0.0, 0.01, 0.2]),
        part=st.sampled_from(["whole", "whole", "open", "high and low"]),
    )
    def tick_a_bar(self, leg: str, factor: float, width: float, part: str) -> None:
        price = self.price(leg, factor)
        low, high = price * (1 - width), self.price(leg, factor * (1 + width))
        high = max(price, high)
        opened = low + (high - low) * min(factor - int(factor), 0.75)
        opened = min(max(opened, low), high)
        if leg in ("rain", "vote") or leg.endswith(":no"):
            low, opened = round(low, 12), min(max(round(opened, 12), round(low, 12)), high)
        if part == "open":
            high = low = math.nan
        elif part == "high and low":
            opened = math.nan
        self.witness.tick(leg, price, bar=(opened, high, low))

    @rule(leg=quoted, factor=factors, given=st.sampled_from(["both", "bid", "ask", "none"]))
    def tick_quotes(self, leg: str, factor: float, given: str) -> None:
        price = self.price(leg, factor)
        bid, ask = price * 0.995, self.price(leg, factor * 1.005)
        bid, ask = (round(bid, 12), max(ask, price)) if price > 1e-6 else (price, price)
        self.witness.tick(
            leg,
            price,
            bid=bid if given in ("both", "bid") else None,
            ask=ask if given in ("both", "ask") else None,
        )

    @rule(leg=legs, price=st.sampled_from([1e-9, 1.0, 0.0, 1e9, *CHANCES]))
    def jump(self, leg: str, price: float) -> None:
        """A price far from the last: margins break, equity goes, limits are passed."""
        kind = CONTRACTS[leg.removesuffix(":no")].kind
        if kind == "prediction":
            self.witness.tick(leg, min(price, 1.0) if price != 1e-9 else 0.0)
        elif price > 0.0:
            last = self.base[leg]
            self.witness.tick(leg, last * (1e-3 if price == 1e-9 else 30 if price > 1 else price))

    @rule(
        market=st.sampled_from(PERPS),
        left=st.sampled_from([0.03, 0.045, 0.0501, 0.0499, 0.06, -0.5]),
        sign=signs,
        leverage=st.sampled_from(LEVERAGES),
    )
    def squeeze(self, market: str, left: float, sign: int, leverage: Any) -> None:
        """A price at which a perpetual's margin has just this part of its notional left."""
        book = self.witness.book
        if not book.is_busy(market):
            self.perp(market, sign, 3.0, 1.0, "market", leverage)
        held = book.held(market)
        if held == 0.0 or market in book.settled:
            return
        entry = float(book.holding(market).cost) / held
        unit = book.margin(market) / abs(held)
        # Long: unit + p - entry = left x p. Short: unit + entry - p = left x p.
        price = (entry - unit) / (1 - left) if held > 0 else (entry + unit) / (1 + left)
        if 1e-9 < price < 1e12:
            self.witness.tick(market, price)

    @rule(leg=legs, outcome=st.sampled_from([1.0, 0.0, 0.5, 12.0]))
    @precondition(
        lambda self: len(self.witness.events) > 150 * (1 + len(self.witness.book.settled))
    )
    def settle(self, leg: str, outcome: float) -> None:
        market = leg.removesuffix(":no")
        is_bet = CONTRACTS[market].kind == "prediction"
        call = partial(self.ex.settle, leg, outcome)
        if is_bet and outcome > 1.0:
            self.witness.refused(call, ValueError, about="price")
        elif market in self.witness.book.settled:
            at = 1.0 - outcome if leg.endswith(":no") else outcome
            if at == self.witness.book.settled[market]:
                assert call() == []
            else:
                self.witness.refused(call, OrderError, about="settled")
        else:
            self.witness.settle(leg, outcome)

    @rule(seconds=st.sampled_from([0.1, 1.0, 30.0, 3_600.0, 86_400.0, 86_400.0]))
    def time_passes(self, seconds: float) -> None:
        self.witness.clock.now += seconds

    @rule()
    def drain(self) -> None:
        self.witness.drain()

    # ------------------------------------------------------------------ algorithms
    @rule(
        kind=st.sampled_from(["twap", "vwap", "iceberg"]),
        leg=legs,
        size=sizes,
        side=st.sampled_from(["buy", "sell"]),
        factor=factors,
        reduces=st.booleans(),
    )
    def start_algo(
        self, kind: str, leg: str, size: Any, side: str, factor: float, reduces: bool
    ) -> None:
        options: dict[str, Any] = {"side": side, "reduce_only": reduces}
        if kind == "iceberg":
            options |= {"show_size": float(size) / 3, "limit": self.price(leg, factor)}
        else:
            options["duration_secs"] = 60.0
        if kind == "twap":
            options["num_slices"] = 3
        if kind == "vwap":
            options["volume_profile"] = [1, 0, 2.5]
        call = partial(getattr(self.ex, kind), leg, size, **options)
        if leg.removesuffix(":no") in self.witness.book.settled:
            self.witness.refused(call, AlgoError, about="settled")
            return
        self.algos.append(call())
        self.witness.look()

    @precondition(lambda self: self.algos)
    @rule(number=st.integers(0, 5), verb=st.sampled_from(["pause", "resume", "resume", "cancel"]))
    def steer_algo(self, number: int, verb: str) -> None:
        algo = self.algos[-1 - number % len(self.algos)]
        status = algo.status
        takes_effect = {
            "pause": status == "running",
            "resume": status == "paused",
            "cancel": status in ("running", "paused"),
        }
        assert getattr(algo, verb)() is takes_effect[verb]
        self.witness.look()
        self.algo_holds(algo)

    def algo_holds(self, algo: Any) -> None:
        progress = algo.progress
        children = [self.ex.order(child) for child in progress.children]
        filled = sum(child.filled_quantity for child in children)
        assert abs(progress.filled - filled) <= 1e-9 * progress.target
        # Who amends a child by hand has asked for another parent.
        if not self.witness.amended.intersection(progress.children):
            assert progress.filled <= progress.target * (1 + 1e-9)
            assert sum(child.quantity for child in children) <= progress.target * (1 + 1e-9)
        if progress.is_done:
            assert not any(child.is_open for child in children)

    # ------------------------------------------------------------------ refusals
    @rule(
        number=st.integers(0, 21),
        bad=st.sampled_from(NOT_POSITIVE),
        leg=legs,
    )
    def illegal(self, number: int, bad: Any, leg: str) -> None:
        ex, order_id = self.ex, self.an_order(0)
        kind = CONTRACTS[leg.removesuffix(":no")].kind
        number_for_flag: Any = 3
        calls: list[tuple[str, Any]] = [
            ("qty", partial(ex.buy, leg, bad, market=True)),
            ("limit", partial(ex.sell, leg, 1, limit=bad)),
            ("qty", partial(ex.short, leg, bad, limit=1)),
            ("qty", partial(ex.cover, leg, bad, limit=1)),
            ("new_quantity", partial(ex.amend, order_id, new_quantity=bad)),
            ("new_price", partial(ex.amend, order_id, new_price=bad)),
            ("qty", partial(ex.twap, leg, bad, duration_secs=1, num_slices=1)),
            ("duration_secs", partial(ex.twap, leg, 1, duration_secs=bad, num_slices=1)),
            ("show_size", partial(ex.iceberg, leg, 1, show_size=bad, limit=0.5)),
            ("limit", partial(ex.iceberg, leg, 1, show_size=1, limit=bad)),
            ("strike", partial(ex.buy_option, "AAPL", bad, "2025-01-17", "call", 1, limit=1)),
            ("leverage", partial(ex.buy_perp, "BTC-PERP", 1, leverage=bad or 0, limit=1)),
            ("tif", partial(ex.buy, leg, 1, limit=0.5, tif=bad)),
            ("reduce_only", partial(ex.buy, leg, 1, limit=0.5, reduce_only=number_for_flag)),
            ("market_id", partial(ex.buy, bad, 1, limit=0.5)),
            ("price", partial(ex.tick, leg, bad or -1.0)),
            ("high", partial(ex.tick, leg, 0.5, high=bad or -1.0)),
            ("bid", partial(ex.tick, leg, 0.5, bid=bad or -1.0)),
            ("volume", partial(ex.tick, leg, 0.5, volume=bad or -1.0)),
            ("price", partial(ex.settle, leg, bad or -1.0)),
            ("timestamp", partial(ex.tick, leg, 0.5, float("nan") if bad is None else "now")),
            ("side", partial(ex.buy_prediction, "rain", 1, limit=0.5, side=bad)),
        ]
        about, call = calls[number]
        if isinstance(bad, str) and about == "market_id":
            return  # "1" is a name like any other
        if number in (4, 5) and bad is None:
            about = "neither"
        if number == 15 and kind == "prediction" and leg.endswith(":no"):
            about = ""
        expected = (ValueError, TypeError, HorizonError)
        self.witness.refused(call, *expected, about=about if number not in (3, 4, 5, 12) else "")

    @invariant()
    def counted(self) -> None:
        """The comparing is done inside each step, where more is known of it."""
        COUNT.operations += 1

    def teardown(self) -> None:
        if not hasattr(self, "witness") or not self.witness.is_sound:
            return
        for algo in self.algos:
            self.algo_holds(algo)
        COUNT.fills += len(self.witness.fills)
        self.witness.close()


#: Sessions in one go: Hypothesis remembers each of them until the last has ended.
BATCH = 200


def sessions(examples: int, steps: int, *, random: bool = False) -> Count:
    """Run this many sessions; returns what they did. Raises where a law is broken."""
    COUNT.operations = COUNT.fills = 0
    start = time.perf_counter()
    for first in range(0, examples, BATCH):
        run_state_machine_as_test(
            ClientMachine,
            settings=settings(
                max_examples=min(BATCH, examples - first),
                stateful_step_count=steps,
                deadline=None,
                # Batches of one derandomised run would all be the first.
                derandomize=not random and examples <= BATCH,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate, Phase.shrink],
            ),
        )
    COUNT.seconds = time.perf_counter() - start
    return COUNT


def test_client_machine_keeps_its_books() -> None:
    examples, _, steps = os.environ.get("HORIZON_FUZZ", "80x300").partition("x")
    print(f"\n{sessions(int(examples), int(steps))}")


@pytest.mark.long
def test_client_machine_keeps_its_books_for_long() -> None:
    print(f"\n{sessions(3_000, 500, random=True)}")
