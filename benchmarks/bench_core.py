"""How fast the core is: ticks on Paper, orders through the engine with every rule on.

    python benchmarks/bench_core.py [--rounds 5]

Each rate is taken in every round beside two yardsticks of the same process (see
`yardsticks.py`): ticks against a bare loop of two empty calls, orders against the slimmest
event loop with order objects.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

from yardsticks import measure

import horizon as hz
from horizon.types import OrderAction
from horizon.venues import Paper

ALL_RULES = hz.RiskConfig(
    max_position_per_market=1e9,
    max_order_size=1e9,
    max_portfolio_notional=1e12,
    max_daily_drawdown_pct=50.0,
    max_orders_per_second=4096,
)
START = 1_700_000_000.0


def moving_clock() -> Callable[[], float]:
    """A clock that moves a second with each look, so that no rate limit is met."""
    return itertools.count(START).__next__


def paper_with(resting: int, markets: int = 1) -> Paper:
    """A paper venue whose first market has orders that no tick at 100 reaches."""
    paper = Paper(initial_cash_usd=1e9, clock=lambda: START)
    paper.connect()
    for number in range(markets):
        paper.tick(f"M{number}", 100.0, START)
    for number in range(resting):
        side, price = ("buy", 50.0 + number * 0.1) if number % 2 else ("sell", 150.0 + number)
        paper.submit(OrderAction(market_id="M0", side=side, quantity=1.0, price=price))
    return paper


def ticks(resting: int, markets: int = 1, n: int = 200_000) -> Callable[[], float]:
    """Rate of ticks that fill nothing."""
    paper = paper_with(resting, markets)
    prices = [100.0 + (i % 7) * 0.25 for i in range(n)]

    def rate() -> float:
        tick = paper.tick
        stamp = START + 1.0
        start = time.perf_counter()
        for price in prices:
            tick("M0", price, stamp)
        return n / (time.perf_counter() - start)

    return rate


def held_ticks(n: int = 100_000) -> Callable[[], float]:
    """Rate of ticks of a market in which a position is held: equity moves with each."""
    paper = paper_with(0)
    paper.submit(OrderAction(market_id="M0", side="buy", quantity=10.0))
    prices = [100.0 + (i % 7) * 0.25 for i in range(n)]

    def rate() -> float:
        tick = paper.tick
        start = time.perf_counter()
        for price in prices:
            tick("M0", price, START + 1.0)
        return n / (time.perf_counter() - start)

    return rate


def pairs(
    closed: int = 0, markets: int = 1, fresh: bool = False, n: int = 30_000
) -> Callable[[], float]:
    """Rate of submit and cancel through the engine, every risk rule on."""
    paper = Paper(initial_cash_usd=1e9, clock=moving_clock())
    engine = hz.Engine(ALL_RULES, venue=paper)
    for number in range(markets):
        engine.tick(f"M{number}", 100.0, START)
    buy, long = hz.OrderSide.Buy, hz.Side.Long
    request = hz.OrderRequest("M0", long, buy, 1.0, 99.0)
    for _ in range(closed):
        engine.cancel(engine.submit_order(request))

    def rate() -> float:
        submit, cancel = engine.submit_order, engine.cancel
        start = time.perf_counter()
        if fresh:
            for _ in range(n):
                cancel(submit(hz.OrderRequest("M0", long, buy, 1.0, 99.0)))
        else:
            for _ in range(n):
                cancel(submit(request))
        return n / (time.perf_counter() - start)

    return rate


def quoted(n: int = 20_000) -> Callable[[], float]:
    """Rate of engine ticks with two quotes replaced on each."""
    engine = hz.Engine(ALL_RULES, venue=Paper(initial_cash_usd=1e9, clock=moving_clock()))
    prices = [0.5 + (i % 7) * 0.01 for i in range(n)]

    def rate() -> float:
        start = time.perf_counter()
        for price in prices:
            engine.tick("M0", price)
            engine.submit_quotes("M0", hz.quotes(price, 0.04, 10.0))
        return n / (time.perf_counter() - start)

    return rate


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="leave out the million orders")
    arguments = parser.parse_args()
    named: dict[str, tuple[str, Callable[[], float]]] = {
        "tick, nothing resting": ("bare", ticks(0)),
        "tick, 2 resting": ("bare", ticks(2)),
        "tick, 100 resting": ("bare", ticks(100)),
        "tick, 2 resting, 100 markets": ("bare", ticks(2, 100)),
        "tick, 2 resting, 10,000 markets": ("bare", ticks(2, 10_000)),
        "tick, a position held": ("bare", held_ticks()),
        "submit + cancel, all rules": ("slim", pairs()),
        "the same, request built each time": ("slim", pairs(fresh=True)),
        "the same, 10,000 markets": ("slim", pairs(markets=10_000)),
        "engine tick, two quotes replaced": ("slim", quoted()),
    }
    if not arguments.quick:
        named["submit + cancel, 1,000,000 closed"] = ("slim", pairs(closed=1_000_000))
    figures, base = measure(named, arguments.rounds)
    for name, rate in base.items():
        print(f"{name:<36} {rate:>14,.0f} /s")
    print(f"{'':<36} {'median':>14} {'lowest':>14} {'highest':>14}   yardstick is")
    for figure in figures:
        print(
            f"{figure.name:<36} {figure.median:>14,.0f} {figure.low:>14,.0f} "
            f"{figure.high:>14,.0f}   {figure.per_yardstick:.2f} x ({figure.yardstick})"
        )


if __name__ == "__main__":
    main()
