"""A small loop around one desk, on a real engine: rows by hand, decisions at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from horizon.backtesting.context import NOTHING_YET, FeedRow, Portfolio, RunClient
from horizon.engine import Engine
from horizon.errors import PipelineError
from horizon.instruments import Equity, Market
from horizon.risk import RiskConfig
from horizon.strategies import Signal, SignalExecution, Strategy
from horizon.strategies.decisions import Decision, decisions_of
from horizon.strategies.desk import SignalDesk, plan_of
from horizon.venues.history import packed_orders
from horizon.venues.paper import Paper

NAN = float("nan")


class Script(Strategy):
    """Says at each time what it was given to say: signals, or a function of the context."""

    def __init__(
        self,
        said: Mapping[float, Sequence[Signal] | Callable[[Any], Any]] | None = None,
        *,
        name: str = "script",
        always: Sequence[Signal] = (),
    ) -> None:
        self.said = dict(said or {})
        self.always = always
        self.name = name
        self.seen: list[tuple[float, tuple[str, ...]]] = []

    def evaluate(self, f: Any, universe: Sequence[Market], ctx: Any) -> Any:
        self.seen.append((ctx.timestamp, tuple(market.id for market in universe)))
        told = self.said.get(ctx.timestamp, self.always)
        return told(ctx) if callable(told) else list(told)


class Bench:
    """Markets, a paper venue that fills market orders at the next row, and a desk."""

    def __init__(
        self,
        strategies: Iterable[Strategy | type[Strategy]],
        *,
        sizer: Any = None,
        markets: Sequence[Market | str] = ("A",),
        cash: float = 1_000.0,
        fee: float = 0.0,
        risk: RiskConfig | None = None,
        skips: bool = False,
        venue: Mapping[str, Any] | None = None,
        **execution: Any,
    ) -> None:
        self.now_ns = 0
        self.venue = Paper(
            cash,
            maker_fee_rate=fee,
            taker_fee_rate=fee,
            market_fill="next_tick",
            compact=True,
            **(venue or {}),
        )
        self.venue.set_clock(lambda: self.now_ns)
        self.engine = Engine(risk, venue=self.venue)
        contracts = [one if isinstance(one, Market) else Market(one, Equity) for one in markets]
        for contract in contracts:
            self.engine.declare(contract)
        ids = [contract.id for contract in contracts]
        self.rows: dict[str, FeedRow] = dict.fromkeys(ids, NOTHING_YET)
        self.numbers = {market: number for number, market in enumerate(ids)}
        plan = plan_of(strategies, sizer, SignalExecution(**execution))
        assert plan is not None
        self.desk = SignalDesk(
            plan,
            self.engine,
            RunClient(self.engine),
            markets=contracts,
            states=[self.venue.account.markets[market] for market in ids],
            feeds=self.rows,
            feed_names=ids,
            portfolio=Portfolio(self.engine),
            params={"engine": self.engine},
        )
        self.errors: list[PipelineError] = []
        if skips:
            self.desk.on_error = self.errors.append

    def row(
        self,
        time: float,
        *,
        stale: Iterable[str] = (),
        send: bool = True,
        **prices: float | tuple[float, float],
    ) -> None:
        """Play one step: a price, or a bid and an ask, for some markets; then evaluate."""
        now_ns = round(time * 1e9)
        if self.desk.next_expiry_ns <= now_ns:
            self.desk.expire(now_ns)
        self.now_ns = now_ns
        for market, given in prices.items():
            bid, ask = given if isinstance(given, tuple) else (NAN, NAN)
            price = (bid + ask) / 2 if isinstance(given, tuple) else given
            row = FeedRow(time, price, bid, ask, *[NAN] * 6, is_stale=False)
            self.rows[market] = row
            self.desk.see(self.numbers[market], row)
            quotes = {"bid": bid, "ask": ask} if isinstance(given, tuple) else {}
            self.venue.tick(market, price, time, **quotes)
        self.desk.evaluate(now_ns, send=send, stale={self.numbers[one] for one in stale})

    def play(self, path: Iterable[float], market: str = "A") -> None:
        """Play a price a second, from 0 on."""
        for time, price in enumerate(path):
            self.row(float(time), **{market: price})

    @property
    def decisions(self) -> list[Decision]:
        """Everything decided so far; the run is over after that."""
        account = self.venue.account
        return decisions_of(self.desk.log.columns(account), packed_orders(account))

    @property
    def done(self) -> list[str]:
        return [decision.done for decision in self.decisions]

    def held(self, market: str = "A") -> float:
        return self.venue.account.legs[market].quantity

    @property
    def working(self) -> list[tuple[str, float, float | None]]:
        """Side, what is left, and limit of each open order."""
        return [(o.side, o.remaining, o.price) for o in self.engine.open_orders()]


def up(market: str = "A", edge: float = 10.0, **fields: Any) -> Signal:
    return Signal.increase(market, edge_bps=edge, **fields)


def down(market: str = "A", edge: float = 10.0, **fields: Any) -> Signal:
    return Signal.decrease(market, edge_bps=edge, **fields)


def out(market: str = "A", **fields: Any) -> Signal:
    return Signal.flatten(market, **fields)
