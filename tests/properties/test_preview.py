"""A preview says what sending does, and does nothing itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import rules
from horizon.errors import OrderError, RiskRejected
from horizon.venues.events import state_of
from tests.properties.witness import Clock

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

CALL, PUT = "AAPL250117C00180000", "AAPL250117P00180000"
#: A market of each class, with a price that suits it. GRID has lots and ticks.
PRICES = {
    "ACME": 100.0,
    "GRID": 12.5,
    "BTC/USD": 250.0,
    "X-PERP": 100.0,
    CALL: 4.0,
    PUT: 6.0,
    "rain": 0.4,
    "rain:no": 0.6,
}
BETS = ("rain", "rain:no")


@dataclass(frozen=True)
class Order:
    """An order as drawn; `away` is its limit in 32nds of the market's price, None at market."""

    market: str
    side: str
    size: float
    away: int | None
    ioc: bool
    post_only: bool
    reduce_only: bool
    client_order_id: str | None
    leverage: float | None

    @property
    def arguments(self) -> dict[str, Any]:
        """What `preview` takes, but for side and leverage what `buy` and `sell` take too."""
        price = PRICES[self.market]
        at: dict[str, Any] = {"market": True}
        if self.away is not None:
            at = {"limit": round(price * (1 + self.away / 32), 2)}
        return {
            "market_id": self.market,
            "qty": self.size,
            **at,
            "tif": "ioc" if self.ioc else "gtc",
            "post_only": self.post_only and self.away is not None,
            "reduce_only": self.reduce_only,
            "client_order_id": self.client_order_id,
        }

    def preview(self, ex: hz.ImperativeClient) -> hz.OrderPreview:
        """Ask what it would do."""
        return ex.preview(**self.arguments, side=self.side, leverage=self.leverage)

    def send(self, ex: hz.ImperativeClient) -> hz.VenueOrder:
        """Do it."""
        if self.market == "X-PERP":
            verb: Any = ex.buy_perp if self.side == "buy" else ex.sell_perp
            return verb(**self.arguments, leverage=self.leverage)
        return (ex.buy if self.side == "buy" else ex.sell)(**self.arguments)


def rarely(strategy: Any) -> Any:
    return st.one_of(st.none(), st.none(), st.none(), strategy)


sides = st.sampled_from(["buy", "sell"])
mostly_false = st.sampled_from([False, False, False, True])
sizes = st.one_of(st.sampled_from([1.0, 5.0, 10.0, 20.0, 500.0]), st.floats(0.01, 50.0))


@st.composite
def orders(draw: Any, market: str | None = None, *, at_limit: bool = False) -> Order:
    away = st.integers(-8, 8)
    name = market or draw(st.sampled_from(list(PRICES)))
    return Order(
        market=name,
        side=draw(sides),
        size=draw(st.sampled_from([10.0, 40.0])) if name == "GRID" else draw(sizes),
        away=draw(away if at_limit else st.one_of(st.none(), away)),
        ioc=draw(mostly_false),
        post_only=draw(mostly_false),
        reduce_only=draw(mostly_false),
        client_order_id=draw(rarely(st.sampled_from(["mine", "yours"]))),
        leverage=draw(rarely(st.sampled_from([1.0, 3.0, 25.0]))) if name == "X-PERP" else None,
    )


#: Few markets, so that positions, orders and quotes of one meet.
markets = st.sampled_from(list(PRICES))
steps_of = st.lists(
    st.one_of(
        orders(),
        orders(),
        orders(market="ACME"),
        orders(market="rain"),
        st.tuples(st.just("tick"), markets, st.integers(-6, 6), st.integers(0, 3)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["settle", "later"]), st.integers(0, 6)),
    ),
    min_size=1,
    max_size=30,
)
limits = st.builds(
    hz.RiskConfig,
    max_order_size=rarely(st.sampled_from([8.0, 100.0])),
    max_position_per_market=st.one_of(st.none(), st.sampled_from([12.0, 60.0])),
    max_portfolio_notional=rarely(st.sampled_from([2_000.0, 20_000.0])),
    max_daily_drawdown_pct=st.one_of(st.none(), st.sampled_from([0.05, 2.0, 20.0])),
    max_orders_per_second=rarely(st.just(5)),
)
rates = st.sampled_from([0.0, 0.001, 0.02, -0.0005])
options_of = st.fixed_dictionaries(
    {
        "initial_cash_usd": st.sampled_from([2_000.0, 20_000.0, 1e7]),
        "maker_fee_rate": rates,
        "taker_fee_rate": rates,
        "slippage_bps": st.sampled_from([0.0, 25.0, 300.0]),
        "matching": st.sampled_from(["price", "quotes"]),
        "market_fill": st.sampled_from(["now", "now", "next_tick"]),
        "enforce_buying_power": st.sampled_from([True, True, False]),
    }
)


def opened(risk: hz.RiskConfig, options: dict[str, Any]) -> tuple[hz.ImperativeClient, Clock]:
    """A client for whom every market but one has a price."""
    clock = Clock()
    ex = hz.connect("paper", risk=risk, clock=clock, **options)
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.declare(hz.Market("GRID", hz.Equity, lot_size=10, tick_size=0.01))
    for market in ("ACME", "GRID", "X-PERP", CALL, "rain", "BTC/USD"):
        ex.tick(market, PRICES[market])
    return ex, clock


def play(ex: hz.ImperativeClient, clock: Clock, step: Any) -> None:
    """A step that is no order."""
    what, *how = step
    if what == "tick":
        market, away, quoted = how
        price = PRICES[market] * (1 + away / 32)
        quotes = {"bid": price * 0.99, "ask": price * 1.01}
        for name in ("bid", "ask")[: quoted - 1] if quoted else ("bid", "ask"):
            del quotes[name]  # neither, both, no bid, or no quote at all
        ex.tick(market, price, **quotes)
    elif what == "cancel":
        working = ex.open_orders()
        if how[0] < len(working):
            ex.cancel(working[how[0]].id)
    elif what == "settle" and how[0] == 0:
        ex.settle("rain", 1.0)
    elif what == "settle" and how[0] == 1:
        ex.engine.kill_switch()
        if len(ex.orders()) % 2:
            ex.engine.reset_kill_switch()
    elif what == "later":
        clock.now += 86_400.0 if how[0] == 0 else how[0] / 3


def position_of(ex: hz.ImperativeClient, market: str) -> float:
    return sum(p.quantity for p in ex.positions() if p.market_id == market)


def near(ex: hz.ImperativeClient) -> float:
    """One part in 10^9 of the account's scale: its cash, and all that was traded."""
    traded = sum(f.quantity * f.price for f in ex.engine.venue.fill_history())
    return 1e-9 * (ex.balance().initial_cash + 100.0 * traded)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the error that it raises."""
    try:
        return call()
    except (OrderError, RiskRejected) as error:
        return error


def compare(ex: hz.ImperativeClient, order: Order) -> None:
    """Preview an order, send it, and compare."""
    venue = ex.engine.venue
    before, heard = state_of(venue.account), []
    stop = venue.subscribe(heard.append)
    seen = outcome(lambda: order.preview(ex))
    stop()
    assert (state_of(venue.account), heard) == (before, [])
    start, count, held = ex.balance(), len(ex.orders()), position_of(ex, order.market)
    sent = outcome(lambda: order.send(ex))
    if isinstance(sent, OrderError):
        assert (type(seen), str(seen)) == (OrderError, str(sent))
        event("raised")
        return
    assert (seen.market_id, seen.side, seen.position) == (order.market, order.side, held)
    assert (seen.cash, seen.buying_power) == (start.cash, start.buying_power)
    assert seen.equity == start.equity
    if isinstance(sent, RiskRejected):
        assert (seen.refusal, seen.rule, seen.duplicate_of) == (str(sent), sent.rule, None)
        event("refused by risk")
    else:
        reason = sent.metadata["reason"] if sent.is_rejected else None
        assert seen.refusal == reason
        assert seen.rule == (None if reason is None else reason.split(":")[0])
        assert seen.duplicate_of == (sent.id if len(ex.orders()) == count else None)
        assert (seen.quantity, seen.order_type) == (sent.quantity, sent.order_type)
    if seen.is_refused or seen.duplicate_of is not None:
        assert seen.position_after == held
        assert (seen.cash_after, seen.buying_power_after) == (start.cash, start.buying_power)
        event("refused" if seen.is_refused else "seen before")
        return
    now, slack, record = ex.balance(), near(ex), venue.account.orders[sent.id]
    assert now.buying_power == pytest.approx(seen.buying_power_after, abs=slack)
    assert record.is_taker == seen.is_taker
    if sent.is_filled:
        assert sent.average_price == seen.price
        assert sent.fees == pytest.approx(seen.fee, abs=slack)
        assert now.fees - start.fees == pytest.approx(seen.fee, abs=slack)
        assert now.cash == pytest.approx(seen.cash_after, abs=slack)
        assert position_of(ex, order.market) == seen.position_after
    elif sent.is_open and record.is_open:
        assert record.opening == seen.opening
    event(f"{sent.order_type} {sent.status}")


@quick
@given(risk=limits, options=options_of, steps=steps_of)
def test_a_preview_is_what_sending_does(
    risk: hz.RiskConfig, options: dict[str, Any], steps: list[Any]
) -> None:
    ex, clock = opened(risk, options)
    for step in steps:
        if isinstance(step, Order):
            compare(ex, step)
        else:
            play(ex, clock, step)


def crowd(*names: str) -> Any:
    """Orders that meet one another: few markets, few sizes, half of them reduce-only."""
    order = st.builds(
        Order,
        market=st.sampled_from(names),
        side=sides,
        size=st.sampled_from([2.0, 3.0, 5.0, 10.0]),
        away=st.one_of(st.none(), st.integers(-8, 8)),
        ioc=st.just(False),
        post_only=st.just(False),
        reduce_only=st.booleans(),
        client_order_id=st.none(),
        leverage=st.none(),
    )
    return st.lists(order, min_size=8, max_size=24)


@pytest.mark.no_cover
@quick
@given(
    options=options_of,
    most=st.sampled_from([None, 10.0, 12.0]),
    percent=st.sampled_from([None, None, 0.1]),
    held=st.tuples(*[st.sampled_from([-10.0, 10.0])] * 2),
    steps=st.one_of(crowd("ACME"), crowd(*BETS), crowd("ACME", "rain")),
)
def test_what_happens_to_the_other_orders_is_in_a_preview(
    options: dict[str, Any],
    most: float | None,
    percent: float | None,
    held: tuple[float, float],
    steps: list[Order],
) -> None:
    """They have more or less to close; and what then opens too much is ended by the engine."""
    risk = hz.RiskConfig(max_position_per_market=most, max_daily_drawdown_pct=percent)
    ex, _ = opened(risk, {**options, "initial_cash_usd": 20_000.0})
    for market, size in zip(("ACME", "rain"), held, strict=True):
        (ex.buy if size > 0 else ex.sell)(market, abs(size), limit=PRICES[market])
        ex.tick(market, PRICES[market])
    for order in steps:
        ended = len(ex.orders()) - len(ex.open_orders())
        compare(ex, order)
        if len(ex.orders()) - len(ex.open_orders()) > ended + 1:
            event("ended others")


@pytest.mark.no_cover
@quick
@given(risk=limits, options=options_of, steps=steps_of, last=orders(at_limit=True))
def test_a_limit_order_that_fills_whole_leaves_what_its_preview_said(
    risk: hz.RiskConfig, options: dict[str, Any], steps: list[Any], last: Order
) -> None:
    """At its limit: in mode "cross" a tick at the limit fills there, however far it has come."""
    ex, clock = opened(risk, {**options, "matching": "price"})
    for step in steps:
        if isinstance(step, Order):
            outcome(partial(step.send, ex))
        else:
            play(ex, clock, step)
    seen, sent = outcome(lambda: last.preview(ex)), outcome(lambda: last.send(ex))
    assume(isinstance(sent, hz.VenueOrder) and sent.is_open)
    assume(seen.duplicate_of is None)
    for other in ex.open_orders():
        if other.id != sent.id:
            ex.cancel(other.id)
    count = len(ex.orders())
    assert seen.price is not None
    ex.tick(last.market, seen.price)
    assert ex.order(sent.id).status == "filled"
    if len(ex.orders()) == count:  # no liquidation on top
        slack = near(ex)
        assert ex.balance().cash == pytest.approx(seen.cash_after, abs=slack)
        assert position_of(ex, last.market) == seen.position_after
        assert ex.order(sent.id).fees == pytest.approx(seen.fee, abs=slack)


@quick
@given(
    sign=st.sampled_from(["buy", "sell"]),
    parts=st.lists(st.tuples(st.floats(0.01, 1e4), st.floats(0.01, 1e5)), min_size=1, max_size=3),
    leverage=st.one_of(st.sampled_from([1.0, 2.0, 10.0, 100.0]), st.floats(1.0, 100.0)),
    multiplier=st.sampled_from([1.0, 0.1, 25.0]),
)
def test_a_perpetual_is_liquidated_at_the_price_that_is_said_and_not_before(
    sign: str, parts: list[tuple[float, float]], leverage: float, multiplier: float
) -> None:
    ex = hz.connect("paper", initial_cash_usd=1e14, clock=Clock())
    ex.declare(hz.Market("X", hz.Perp, multiplier=multiplier))
    verb = ex.buy_perp if sign == "buy" else ex.sell_perp
    seen = None
    for size, price in parts:
        seen = ex.preview("X", size, side=sign, limit=price, leverage=leverage)
        verb("X", size, limit=price, leverage=leverage)
        leg = ex.engine.venue.account.legs["X"]
        with ex.engine.venue.lock:  # filled, without a tick that might liquidate it
            order = next(iter(leg.market.resting.values()))
            ex.engine.venue._execute(order, order.remaining, price, True, 0)
    assert seen is not None
    assert seen.position_after == leg.quantity
    direction = 1.0 if sign == "buy" else -1.0

    def dies_at(mark: float) -> bool:
        cost = leg.cost + leg.cost_low
        profit = rules.unrealized(leg.quantity, mark, multiplier, cost)
        at_mark = rules.notional(leg.quantity, mark, multiplier)
        return rules.is_liquidated(abs(cost) / leverage, profit, at_mark)

    at = seen.liquidation_price
    if at is None:
        # Only a long that has paid for all of itself.
        assert direction > 0
        assert math.isclose(leverage, 1.0, rel_tol=1e-12)
        assert not dies_at(1e-9)
        return
    assert dies_at(at * (1.0 - direction * 1e-9) - direction * 1e-9 * leg.average)
    assert not dies_at(at * (1.0 + direction * 1e-9) + direction * 1e-9 * leg.average)
