"""Small runs of every kind whose results are kept beside the tests.

A changed number is a decision: ``python -m tests.backtesting.stored_runs --rewrite`` (or with
the names of some runs) writes the files in ``stored/`` anew, and the change is read and
committed with its reason. Without the option it says what differs.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import horizon as hz
from horizon import OrderRequest, OrderSide, Quote, Side

STORED = Path(__file__).parent / "stored"
START = 1_700_000_000
RUNS: dict[str, Callable[[], Any]] = {}


def stored(run: Callable[[], Any]) -> Callable[[], Any]:
    """Make a function one of the runs, by its name."""
    RUNS[run.__name__] = run
    return run


# ---------------------------------------------------------------------------- data
class Numbers:
    """Whole numbers from a linear congruence (Knuth's MMIX), the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.state = seed * 2 + 1

    def below(self, n: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


def cents(n: int, seed: int, *, start: int = 50, low: int = 3, high: int = 97) -> list[int]:
    """A walk of whole numbers, up to two at a step."""
    numbers, value, path = Numbers(seed), start, []
    for _ in range(n):
        value = min(max(value + numbers.below(5) - 2, low), high)
        path.append(value)
    return path


def ticks(n: int = 200, seed: int = 1, **how: int) -> list[dict[str, Any]]:
    """One row a second, a prediction's price in cents, with quotes a cent either side."""
    return [
        {
            "timestamp": START + i,
            "price": c / 100,
            "bid": (c - 1) / 100,
            "ask": (c + 1) / 100,
        }
        for i, c in enumerate(cents(n, seed, **how))
    ]


def shares(n: int = 200, seed: int = 2, step: int = 60) -> list[dict[str, Any]]:
    """Prices around a hundred in halves."""
    return [
        {"timestamp": START + i * step, "price": c / 2}
        for i, c in enumerate(cents(n, seed, start=200, low=120, high=400))
    ]


def days(n: int = 200, seed: int = 3) -> list[dict[str, Any]]:
    """Daily bars around a hundred."""
    numbers, rows, before = Numbers(seed + 100), [], 200
    for i, close in enumerate(cents(n, seed, start=200, low=120, high=400)):
        low = min(before, close) - numbers.below(3)
        high = max(before, close) + numbers.below(3)
        rows.append(
            {
                "timestamp": 1_600_000_000 + i * 86_400,
                "open": before / 2,
                "high": high / 2,
                "low": low / 2,
                "close": close / 2,
                "volume": 1_000 + numbers.below(500),
            }
        )
        before = close
    return rows


def snapshots(n: int = 200, seed: int = 4) -> list[dict[str, Any]]:
    """Three levels a side around a walk in cents; now and then a side is empty."""
    numbers, books = Numbers(seed + 200), []
    for i, c in enumerate(cents(n, seed, low=10, high=90)):
        sides = []
        for sign in (-1, 1):
            levels = [((c + sign * (k + 1)) / 100, float(1 + numbers.below(12))) for k in range(3)]
            sides.append([] if numbers.below(40) == 0 else levels)
        books.append({"timestamp": START + i, "bids": sides[0], "asks": sides[1]})
    return books


# ---------------------------------------------------------------------------- strategies
def quoter(ctx: Any) -> Any:
    return hz.quotes(ctx.feed.price, 0.02, 5)


def leaning(ctx: Any) -> Any:
    lean = 0.01 * round(ctx.inventory / 20)
    price = round(ctx.feed.price, 4)
    return [Quote(price - 0.01 - max(lean, 0.0), price + 0.01 - min(lean, 0.0), 4)]


def half(ctx: Any) -> float:
    return 0.50


def reverting(ctx: Any, fair: float) -> Any:
    if abs(fair - ctx.feed.price) < 0.03:
        return None
    return hz.quotes(ctx.feed.price, 0.04, 10)


def request(ctx: Any, buys: bool, size: float, price: float | None = None, **how: Any) -> Any:
    side = how.pop("side", Side.Long)
    order_side = OrderSide.Buy if buys else OrderSide.Sell
    return OrderRequest(ctx.market_id, side, order_side, size, price, **how)


class Averages:
    """Long above, short below: a short average crossing a long one, by market orders."""

    def __init__(self, short: int = 5, long: int = 15, size: float = 2.0) -> None:
        self.short, self.long, self.size = short, long, size
        self.prices: list[float] = []

    def __call__(self, ctx: Any) -> Any:
        self.prices.append(ctx.feed.price)
        if len(self.prices) < self.long:
            return None
        quick = math.fsum(self.prices[-self.short :]) / self.short
        slow = math.fsum(self.prices[-self.long :]) / self.long
        wanted = self.size if quick > slow else -self.size
        missing = wanted - ctx.inventory
        if missing == 0.0 or ctx.engine.open_orders():
            return None
        return [request(ctx, missing > 0, abs(missing))]


class Now:
    """Does something on some calls."""

    def __init__(self, every: int, act: Callable[[Any, int], Any]) -> None:
        self.every, self.act, self.calls = every, act, 0

    def __call__(self, ctx: Any) -> Any:
        self.calls += 1
        return self.act(ctx, self.calls) if self.calls % self.every == 0 else None


def run(pipeline: list[Any], data: Any = None, **how: Any) -> Any:
    return hz.backtest(data=data, pipeline=pipeline, **how)


# ---------------------------------------------------------------------------- without books
@stored
def quotes_at_the_price() -> Any:
    return run([quoter], ticks())


@stored
def quotes_against_quotes() -> Any:
    return run([leaning], ticks(), matching="quotes")


@stored
def quotes_reverting_with_a_model() -> Any:
    return run([half, reverting], ticks(400, 7), paper_fee_rate=0.002)


@stored
def maker_rebate_and_taker_fee() -> Any:
    return run([leaning], ticks(), paper_maker_fee_rate=-0.001, paper_taker_fee_rate=0.003)


@stored
def averages_on_bars() -> Any:
    return run([Averages()], days(), markets=["ACME"], initial_capital=10_000)


@stored
def averages_with_slippage() -> Any:
    return run([Averages()], shares(), markets=["ACME"], slippage_bps=20, initial_capital=10_000)


@stored
def limits_on_bars_that_cross() -> Any:
    stage = Now(3, lambda ctx, n: [request(ctx, n % 2 == 0, 1.0, ctx.feed.price)])
    return run([stage], days(), markets=["ACME"], initial_capital=10_000)


@stored
def limits_on_bars_that_touch() -> Any:
    stage = Now(3, lambda ctx, n: [request(ctx, n % 2 == 0, 1.0, ctx.feed.price - 1.0)])
    return run([stage], days(), markets=["ACME"], initial_capital=10_000, bar_fill_mode="touch")


@stored
def latency_within_a_row() -> Any:
    return run([leaning], ticks(), latency_ms=400)


@stored
def latency_over_several_rows() -> Any:
    return run([leaning], ticks(), latency_ms=3_500)


@stored
def both_sides_with_an_outcome() -> Any:
    def act(ctx: Any, n: int) -> Any:
        no = n % 8 == 0
        price = 1.0 - ctx.feed.price if no else ctx.feed.price
        side = Side.No if no else Side.Yes
        return [request(ctx, n % 12 != 0, 3.0, round(price, 4), side=side)]

    return run([half, Now(4, act)], ticks(300, 9), outcomes={"market": 1.0})


@stored
def resolutions_within_the_run() -> Any:
    data = {name: ticks(200, seed) for name, seed in (("a", 11), ("b", 12), ("c", 13))}
    return run(
        [half, reverting],
        data,
        outcomes={"a": 1.0, "b": 0.0, "c": 0.5},
        resolutions={"a": START + 80, "b": START + 120.5},
    )


@stored
def limits_of_risk() -> Any:
    def act(ctx: Any, n: int) -> Any:
        price = round(ctx.feed.price, 4)
        return [Quote(price - 0.01, price + 0.01, 1 + n % 9), Quote(price - 0.02, price + 0.02, 1)]

    risk = hz.RiskConfig(
        max_position_per_market=25,
        max_order_size=8,
        max_portfolio_notional=12,
        max_orders_per_second=3,
    )
    return run([Now(1, act)], ticks(), risk=risk)


@stored
def a_drawdown_that_halts() -> Any:
    risk = hz.RiskConfig(max_daily_drawdown_pct=5)
    stage = Now(5, lambda ctx, n: [request(ctx, True, 60.0, ctx.feed.price, side=Side.Yes)])
    return run([stage], ticks(250, 17, start=60), risk=risk, initial_capital=300)


@stored
def money_that_runs_out() -> Any:
    return run([quoter], ticks(), initial_capital=10)


@stored
def orders_that_are_decided_at_once() -> Any:
    stage = Now(
        2, lambda ctx, n: [request(ctx, n % 4 == 0, 2.0, ctx.feed.price, side=Side.Yes, tif="ioc")]
    )
    return run([stage], ticks())


@stored
def orders_that_only_reduce() -> Any:
    def act(ctx: Any, n: int) -> Any:
        held = ctx.inventory
        if held >= 4.0:
            size = min(held, 3.0)
            return [request(ctx, False, size, ctx.feed.price, side=Side.Yes, reduce_only=True)]
        return [request(ctx, True, 2.0, ctx.feed.price, side=Side.Yes, post_only=n % 3 == 0)]

    return run([Now(2, act)], ticks())


@stored
def perpetuals_with_liquidations() -> Any:
    def act(ctx: Any, n: int) -> Any:
        return [request(ctx, n % 14 != 0, 5.0, leverage=25.0)]

    return run([Now(7, act)], shares(300, 19), markets=["X-PERP"], initial_capital=2_000)


@stored
def options_by_the_hundred() -> Any:
    stage = Averages(4, 12, 1.0)
    data = [dict(row, price=row["price"] / 20) for row in shares(150, 21)]
    return run([stage], data, markets=["ACME250117C00100000"], initial_capital=50_000)


@stored
def a_pair_of_coins() -> Any:
    return run(
        [lambda ctx: hz.quotes(ctx.feed.price, 1.0, 2)],
        shares(),
        markets=["ADA/USD"],
        initial_capital=5_000,
    )


@stored
def a_second_feed_as_a_signal() -> Any:
    def stage(ctx: Any) -> Any:
        spot = ctx.feeds["spot"].price
        return [request(ctx, spot > 100.0, 1.0, side=Side.Yes)] if ctx.inventory < 20 else None

    data = {"poll": ticks(), "spot": shares(200, 23, step=1)}
    return run([stage], data, markets=["rain"], feeds={"rain": "poll"})


@stored
def rows_of_any_feed() -> Any:
    data = {"a": ticks(150, 25)[::3], "b": ticks(150, 26)}
    return run([quoter], data, markets=["a", "b"], run_on="any")


@stored
def rows_of_one_time() -> Any:
    data = [dict(row, timestamp=row["timestamp"] // 3 * 3) for row in ticks(180, 27)]
    return run([leaning], data)


@stored
def rows_and_stages_that_fail() -> Any:
    def act(ctx: Any) -> Any:
        if ctx.feed.price > 0.55:
            raise ValueError("too dear")
        return hz.quotes(ctx.feed.price, 0.02, 5)

    data = ticks(200, 29)
    data[20]["price"] = math.inf
    data[40]["bid"] = 0.99
    data[60]["timestamp"] -= 5
    return run([act], data, on_error="skip", bad_rows="drop")


@stored
def algorithms_of_three_kinds() -> Any:
    def act(ctx: Any) -> Any:
        ex = ctx.exchange("paper")
        second = ctx.timestamp - START
        if second == 5:
            ex.twap("market", 40, duration_secs=40, num_slices=8)
        elif second == 60:
            ex.vwap("market", 30, duration_secs=30, volume_profile=[1.0, 2.0, 3.0], side="sell")
        elif second == 110:
            ex.iceberg("market", 25, show_size=4, limit=ctx.feed.price)

    return run([act], ticks(200, 31))


# ---------------------------------------------------------------------------- over books
def over(pipeline: list[Any], seed: int = 4, **how: Any) -> Any:
    return run(pipeline, book_data={"m": snapshots(200, seed)}, **how)


def taking(ctx: Any, n: int) -> Any:
    return [request(ctx, n % 2 == 0, 12.0, side=Side.Yes)]


@stored
def taking_from_a_book() -> Any:
    return over([Now(5, taking)])


@stored
def resting_in_a_book() -> Any:
    return over([half, leaning])


@stored
def a_book_with_temporary_impact() -> Any:
    return over([Now(5, taking)], impact_temporary_bps=8)


@stored
def a_book_with_permanent_impact() -> Any:
    return over([Now(5, taking)], impact_temporary_bps=8, impact_permanent_fraction=0.4)


@stored
def a_queue_by_chance() -> Any:
    return over(
        [half, leaning],
        fill_model="probabilistic",
        fill_model_params={"lambda": 0.3, "queue_frac": 0.6},
        rng_seed=5,
    )


@stored
def an_intensity_by_distance() -> Any:
    return over(
        [half, leaning],
        fill_model="glft",
        fill_model_params={"intensity": 0.8, "kappa": 40.0},
        rng_seed=5,
    )


@stored
def a_book_with_everything() -> Any:
    def act(ctx: Any, n: int) -> Any:
        side = Side.No if n % 9 == 0 else Side.Yes
        price = 1.0 - ctx.feed.price if side is Side.No else ctx.feed.price
        return [request(ctx, n % 2 == 0, 7.0, round(price, 2), side=side)]

    books = {name: snapshots(150, seed) for name, seed in (("x", 41), ("y", 42))}
    data = {name: ticks(75, seed)[::2] for name, seed in (("x", 43), ("y", 44))}
    return run(
        [half, Now(3, act)],
        data,
        book_data=books,
        latency_ms=350,
        fill_model="probabilistic",
        impact_temporary_bps=5,
        impact_permanent_fraction=0.5,
        paper_maker_fee_rate=0.0,
        outcomes={"x": 0.0},
        rng_seed=9,
    )


# ---------------------------------------------------------------------------- what is kept
#: Everything of an order but the words of its reason.
ORDER_FIELDS = [
    "submitted",
    "ended",
    "market_id",
    "side",
    "order_side",
    "size",
    "price",
    "order_type",
    "status",
    "filled",
    "average_price",
    "tif",
    "post_only",
    "reduce_only",
    "is_taker",
    "intent",
]
FILL_FIELDS = [
    "timestamp",
    "order_id",
    "market_id",
    "side",
    "order_side",
    "size",
    "price",
    "fee",
    "is_maker",
    "realized_pnl",
    "fair_value",
]


def digest(result: Any) -> str:
    """One hash over all orders and fills, to the last bit."""
    hashed = hashlib.sha256()
    for frame in (result.orders_frame()[ORDER_FIELDS], result.fills_frame()[FILL_FIELDS]):
        for row in frame.itertuples():
            hashed.update(repr([plain(value) for value in row]).encode())
    return hashed.hexdigest()


def plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return None if value != value else value.value  # nanoseconds; NaT is none
    return value.item() if hasattr(value, "item") else value


def told(result: Any) -> dict[str, Any]:
    """Everything of a run that is kept."""
    return {
        "hash": digest(result),
        "orders": len(result.orders_frame()),
        "fills": len(result.fills),
        "settlements": len(result.settlements),
        "points": len(result.equity_curve),
        "final_equity": result.equity_curve[-1][1],
        "pnl_by_market": result.pnl_by_market(),
        "positions": {f"{p.market_id} {p.side.value}": p.size for p in result.positions},
        "rejections": dict(sorted(result.rejections.items())),
        "errors": dict(sorted(result.errors.items())),
        "dropped": {feed: dict(sorted(n.items())) for feed, n in sorted(result.dropped.items())},
        "metrics": dataclasses.asdict(result.metrics),
    }


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return found


def write(name: str, kept: dict[str, Any]) -> None:
    STORED.mkdir(exist_ok=True)
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    (STORED / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def differences(kept: Any, found: Any, where: str = "") -> list[str]:
    """What differs between two runs, in words; floats to one part in 10⁹.

    Orders and fills are compared to the last bit by their hash; statistics may differ in the
    last digits from one NumPy to another.
    """
    if isinstance(kept, dict) and isinstance(found, dict):
        said = []
        for key in [*kept, *(key for key in found if key not in kept)]:
            inner = f"{where}.{key}" if where else str(key)
            if key not in kept or key not in found:
                said.append(f"{inner} is {'new' if key in found else 'gone'}")
            else:
                said += differences(kept[key], found[key], inner)
        return said
    if isinstance(kept, float) and isinstance(found, (int, float)):
        same = kept == found or math.isclose(kept, found, rel_tol=1e-9, abs_tol=1e-12)
    else:
        same = type(kept) is type(found) and kept == found
    return [] if same else [f"{where} was {kept!r}, is {found!r}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *RUNS], default=[], metavar="name")
    parser.add_argument("--rewrite", action="store_true", help="write the results anew")
    chosen = parser.parse_args()
    for name in chosen.names or RUNS:
        found = json.loads(json.dumps(told(RUNS[name]())))
        if chosen.rewrite:
            write(name, found)
        said = differences(read(name), found)
        print(f"{name}: {'; '.join(said) or 'as stored'}")
    if chosen.rewrite and not chosen.names:
        for path in STORED.glob("*.json"):
            if path.stem not in RUNS:
                path.unlink()


if __name__ == "__main__":
    main()
