"""Random data and random strategies for whole runs, as Hypothesis draws them.

A world is what `hz.backtest` is called with; its strategy decides by a counter and the row alone,
so that the same world always does the same.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

import horizon as hz
from horizon import AssetClass, Market, OrderRequest, OrderSide, Quote, Side
from horizon.venues.latency import Latency

#: What a market of a world trades: its id says so.
PREDICTIONS = ("rain", "vote")
OTHERS = ("S", "X-PERP", "ADA/USD", "OPT250117C00050000")


@dataclass(frozen=True)
class World:
    """The arguments of a run, and what its stages do at each call."""

    markets: tuple[str, ...]
    data: dict[str, list[dict[str, Any]]] | None
    plans: dict[str, list[list[tuple[Any, ...]]]]
    how: dict[str, Any] = field(default_factory=dict)
    books: dict[str, list[dict[str, Any]]] | None = None

    def run(self, **how: Any) -> Any:
        """Run it, with some arguments replaced."""
        arguments = {
            "markets": [contract_of(market) for market in self.markets],
            "data": self.data,
            "pipeline": [Strategy(self.plans)],
            "book_data": self.books,
            **self.how,
            **how,
        }
        return hz.backtest(**arguments)

    def with_(self, **changes: Any) -> World:
        return replace(self, **changes)


class Wobbling(Latency):
    """A delay of nothing to three quarters of a second, by the time of day: later may be sooner."""

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        return now_ns // 500_000_000 % 4 * 250_000_000


class Strategy:
    """Does in each market, call by call, what its plan says: a list of moves in whole numbers."""

    def __init__(self, plans: dict[str, list[list[tuple[Any, ...]]]]) -> None:
        self.plans = plans
        self.calls = dict.fromkeys(plans, 0)

    def __call__(self, ctx: Any) -> Any:
        market = ctx.market_id
        plan = self.plans.get(market)
        if not plan:
            return None
        number = self.calls[market]
        self.calls[market] = number + 1
        output: list[Any] = []
        for move in plan[number % len(plan)]:
            made = made_of(move, market, ctx.feed.price, ctx.market.asset_class)
            if made == "cancel":
                ctx.engine.cancel_all(market)
            elif made is not None:
                output.append(made)
        return output or None


def made_of(move: tuple[Any, ...], market: str, price: float, kind: AssetClass) -> Any:
    """Turn a move into a Quote, an OrderRequest or "cancel"; None where it has no legal price."""
    verb, *numbers = move
    if verb == "cancel":
        return "cancel"
    tick = 0.01 if kind is AssetClass.Prediction else 0.5
    flags: dict[str, Any] = {}
    if kind is AssetClass.Perp:
        # Quotes have no leverage of their own; a perpetual's bid stands for one.
        flags["leverage"] = 20.0
        if verb == "quote":
            verb, numbers = "limit", [True, False, numbers[0], -numbers[1], ""]
    if verb == "quote":
        size, below, above = numbers
        return Quote(round(price - below * tick, 6), round(price + above * tick, 6), float(size))
    buys, no, size, offset, how = numbers
    side = Side.Long
    if kind is AssetClass.Prediction:
        side = Side.No if no else Side.Yes
    limit = None
    if verb == "limit":
        limit = round((1.0 - price if side is Side.No else price) + offset * tick, 6)
        if not 0.0 < limit < (1.0 if kind is AssetClass.Prediction else math.inf):
            return None
    if how == "ioc":
        flags["tif"] = "ioc"
    elif how == "reduce":
        flags["reduce_only"] = True
    order_side = OrderSide.Buy if buys else OrderSide.Sell
    return OrderRequest(market, side, order_side, float(size), limit, **flags)


# ---------------------------------------------------------------------------- drawing
def moves() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    sizes = st.integers(1, 12)
    orders = st.tuples(
        st.sampled_from(["limit", "limit", "market"]),
        st.booleans(),
        st.booleans(),
        sizes,
        st.integers(-4, 4),
        st.sampled_from(["", "", "", "ioc", "reduce"]),
    )
    quoting = st.tuples(st.just("quote"), sizes, st.integers(0, 4), st.integers(0, 4))
    one = st.one_of(orders, quoting, st.just(("cancel",)))
    return st.lists(one, max_size=2)


def plans() -> st.SearchStrategy[list[list[tuple[Any, ...]]]]:
    return st.lists(moves(), min_size=1, max_size=5)


@st.composite
def prices(draw: Any, market: str, n: int) -> list[float]:
    """A walk on a grid of cents, or of halves for what is no prediction."""
    is_prediction = market in PREDICTIONS
    steps = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    value, path = (50 if is_prediction else 200), []
    for step in steps:
        value = min(max(value + step, 2), 98) if is_prediction else max(value + step, 20)
        path.append(value / 100 if is_prediction else value / 2)
    return path


@st.composite
def feeds(draw: Any, market: str, *, quoted: bool, barred: bool) -> list[dict[str, Any]]:
    n = draw(st.integers(2, 14))
    gaps = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    tick = 0.01 if market in PREDICTIONS else 0.5
    rows, time = [], 0
    for price, gap in zip(draw(prices(market, n)), gaps, strict=True):
        time += gap
        row: dict[str, Any] = {"timestamp": 1000.0 + time / 2, "price": price}
        if quoted:
            for name, sign in (("bid", -1), ("ask", 1)):
                away = draw(st.sampled_from([1, 1, 2, None]))
                if away is not None:
                    row[name] = round(price + sign * away * tick, 6)
        if barred:
            up, down, opened = (draw(st.integers(0, 3)) for _ in range(3))
            high, low = round(price + up * tick, 6), round(price - down * tick, 6)
            high = min(high, 1.0) if market in PREDICTIONS else high
            del row["price"]
            row |= {"high": high, "low": low, "close": price}
            row["open"] = round(low + (high - low) * opened / 3, 6)
        rows.append(row)
    return rows


@st.composite
def worlds(draw: Any, *, kinds: tuple[str, ...] = PREDICTIONS + OTHERS) -> World:
    """A run without books, over one to three markets."""
    markets = tuple(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3, unique=True)))
    mode = draw(st.sampled_from(["price", "price", "quotes", "bars"]))
    data = {
        market: draw(feeds(market, quoted=mode == "quotes", barred=mode == "bars"))
        for market in markets
    }
    how: dict[str, Any] = {
        "initial_capital": float(draw(st.sampled_from([60, 1000, 100_000]))),
        "paper_maker_fee_rate": draw(st.sampled_from([0.0, 0.001, -0.0005])),
        "paper_taker_fee_rate": draw(st.sampled_from([0.0, 0.002])),
        "latency_ms": draw(st.sampled_from([0.0, 0.0, 250.0, 500.0, 900.0])),
        "slippage_bps": draw(st.sampled_from([0.0, 25.0])),
        "enforce_buying_power": draw(st.booleans()),
        "run_on": draw(st.sampled_from(["feed", "feed", "any"])),
        "matching": "quotes" if mode == "quotes" else "price",
        "bar_fill_mode": draw(st.sampled_from(["cross", "touch"])) if mode == "bars" else "cross",
    }
    if not draw(st.integers(0, 3)):
        how |= {"latency_ms": 0.0, "latency": Wobbling()}
    outcomes = {m: draw(st.sampled_from([0.0, 1.0, 0.5])) for m in markets if draw(st.booleans())}
    outcomes = {m: v for m, v in outcomes.items() if m in PREDICTIONS}
    if outcomes:
        how["outcomes"] = outcomes
        timed = {m: 1000.0 + draw(st.integers(0, 24)) / 2 for m in outcomes if draw(st.booleans())}
        if timed:
            how["resolutions"] = timed
    return World(markets, data, {market: draw(plans()) for market in markets}, how)


@st.composite
def ladders(draw: Any, market: str) -> list[dict[str, Any]]:
    """Snapshots on the market's grid, one to three levels a side; a side may be empty."""
    is_prediction = market in PREDICTIONS
    tick = 0.01 if is_prediction else 0.5
    n = draw(st.integers(2, 12))
    gaps = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    rows, time = [], 0
    for price, gap in zip(draw(prices(market, n)), gaps, strict=True):
        time += gap
        sides: list[list[tuple[float, float]]] = []
        for sign in (-1, 1):
            levels, away = [], draw(st.integers(0 if sign > 0 else 1, 2))
            for _ in range(draw(st.sampled_from([0, 1, 2, 2, 3]))):
                level = round(price + sign * away * tick, 6)
                if 0.0 < level < (1.0 if is_prediction else math.inf):
                    levels.append((level, float(draw(st.integers(1, 9)))))
                away += draw(st.integers(1, 2))
            sides.append(levels)
        rows.append({"timestamp": 1000.0 + time / 2, "bids": sides[0], "asks": sides[1]})
    return rows


@st.composite
def book_worlds(draw: Any, *, kinds: tuple[str, ...] = ("rain", "vote", "S", "X-PERP")) -> World:
    """A run over books, with or without data of its own."""
    markets = tuple(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True)))
    books = {market: draw(ladders(market)) for market in markets}
    data: Any = None
    how: dict[str, Any] = {
        "initial_capital": float(draw(st.sampled_from([60, 1000, 100_000]))),
        "paper_maker_fee_rate": draw(st.sampled_from([0.0, 0.001, -0.0005])),
        "paper_taker_fee_rate": draw(st.sampled_from([0.0, 0.002])),
        "latency_ms": draw(st.sampled_from([0.0, 0.0, 250.0, 500.0, 900.0])),
        "enforce_buying_power": draw(st.booleans()),
        "impact_temporary_bps": draw(st.sampled_from([0.0, 0.0, 20.0])),
        "impact_permanent_fraction": draw(st.sampled_from([0.0, 0.5])),
    }
    if not how["impact_temporary_bps"]:
        how["impact_permanent_fraction"] = 0.0
    if draw(st.booleans()):
        data = {market: draw(feeds(market, quoted=False, barred=False)) for market in markets}
        how["run_on"] = draw(st.sampled_from(["feed", "any"]))
    outcomes = {m: draw(st.sampled_from([0.0, 1.0])) for m in markets if m in PREDICTIONS}
    if outcomes and draw(st.booleans()):
        how["outcomes"] = outcomes
    chosen = draw(st.sampled_from(["deterministic", "probabilistic", "glft"]))
    how["fill_model"] = chosen
    if chosen == "probabilistic":
        how["fill_model_params"] = {"lambda": 0.7, "queue_frac": draw(st.sampled_from([0.0, 0.5]))}
    elif chosen == "glft":
        how["fill_model_params"] = {"intensity": 0.7, "kappa": 1.5}
    plans_of = {market: draw(plans()) for market in markets}
    return World(markets, data, plans_of, how, books)


def contract_of(name: str) -> Market:
    """What a market of a world is."""
    kinds = {
        "S": AssetClass.Equity,
        "X-PERP": AssetClass.Perp,
        "ADA/USD": AssetClass.Crypto,
        "OPT250117C00050000": AssetClass.Option,
    }
    return Market(name, kinds.get(name, AssetClass.Prediction))


# ---------------------------------------------------------------------------- larger, by a seed
class Dice:
    """Stands in for Hypothesis: draws from a seeded generator, in long and busy runs."""

    def __init__(self, seed: int, rows: int) -> None:
        self.random = random.Random(seed)
        self.rows = rows

    def walk(self, market: str, n: int) -> list[float]:
        is_prediction = market in PREDICTIONS
        value, path = (50 if is_prediction else 200), []
        for _ in range(n):
            step = self.random.choice([-3, -2, -1, -1, 0, 0, 1, 1, 2, 3])
            value = min(max(value + step, 3), 97) if is_prediction else max(value + step, 20)
            path.append(value / 100 if is_prediction else value / 2)
        return path

    def times(self) -> list[float]:
        time, found = 1000.0, []
        for _ in range(self.rows):
            time += self.random.choice([0.0, 0.5, 0.5, 0.5, 1.0, 1.5])
            found.append(time)
        return found

    def rows_of(self, market: str, mode: str) -> list[dict[str, Any]]:
        tick = 0.01 if market in PREDICTIONS else 0.5
        pick = self.random.choice
        rows = []
        for time, price in zip(self.times(), self.walk(market, self.rows), strict=True):
            row: dict[str, Any] = {"timestamp": time, "price": price}
            if mode == "quotes":
                for name, sign in (("bid", -1), ("ask", 1)):
                    away = pick([1, 1, 2, None])
                    if away is not None:
                        row[name] = round(price + sign * away * tick, 6)
            elif mode == "bars":
                del row["price"]
                low, high = price - pick([0, 1, 2]) * tick, price + pick([0, 1, 2]) * tick
                row |= {"close": price, "low": round(low, 6), "high": round(high, 6)}
                row["open"] = pick([row["low"], row["high"], price])
            rows.append(row)
        return rows

    def books_of(self, market: str) -> list[dict[str, Any]]:
        tick = 0.01 if market in PREDICTIONS else 0.5
        pick = self.random.choice
        books = []
        for time, price in zip(self.times(), self.walk(market, self.rows), strict=True):
            sides: dict[str, list[tuple[float, float]]] = {}
            for name, sign in (("bids", -1), ("asks", 1)):
                away, levels = 1, []
                for _ in range(pick([0, 2, 2, 3, 3, 3])):
                    level = round(price + sign * away * tick, 6)
                    if level > 0.0 and (level < 1.0 or market not in PREDICTIONS):
                        levels.append((level, float(pick([1, 2, 3, 5, 8]))))
                    away += pick([1, 1, 2])
                sides[name] = levels
            books.append({"timestamp": time, **sides})
        return books

    def plan(self, *, reduces: bool = True) -> list[list[tuple[Any, ...]]]:
        pick, integer = self.random.choice, self.random.randint
        plan: list[list[tuple[Any, ...]]] = []
        for _ in range(integer(5, 12)):
            made: list[tuple[Any, ...]] = []
            for _ in range(pick([0, 1, 1, 2])):
                verb = pick(["quote", "quote", "quote", "limit", "limit", "market", "cancel"])
                size = integer(1, 6)
                if verb == "quote":
                    made.append((verb, size, integer(0, 2), integer(0, 2)))
                elif verb == "cancel":
                    made.append((verb,))
                else:
                    how = pick(["", "", "", "ioc", "reduce" if reduces else ""])
                    offset = integer(-3, 2)
                    made.append((verb, pick([True, False]), pick([True, False]), size, offset, how))
            plan.append(made)
        return plan


def busy_world(seed: int, *, mode: str = "price", rows: int = 60, **how: Any) -> World:
    """A run of some hundred orders; `mode` is "price", "quotes", "bars" or "books"."""
    dice = Dice(seed, rows)
    pick = dice.random.choice
    kinds = ["rain", "vote", "S", "X-PERP", "ADA/USD"]
    dice.random.shuffle(kinds)
    markets = tuple(kinds[: pick([1, 2, 3])])
    books, data = None, None
    if mode == "books":
        books = {market: dice.books_of(market) for market in markets}
    if mode != "books" or pick([True, False]):
        data = {market: dice.rows_of(market, mode) for market in markets}
    settings: dict[str, Any] = {
        "initial_capital": 1e6,
        "paper_maker_fee_rate": pick([0.0, 0.001, -0.0005]),
        "paper_taker_fee_rate": pick([0.0, 0.002]),
        "latency_ms": pick([0.0, 0.0, 250.0, 750.0]),
        "enforce_buying_power": True,
        "run_on": pick(["feed", "any"]),
    }
    if mode == "books":
        settings["impact_temporary_bps"] = pick([0.0, 10.0])
        kept = pick([0.0, 0.5])
        settings["impact_permanent_fraction"] = kept if settings["impact_temporary_bps"] else 0.0
    else:
        settings["slippage_bps"] = pick([0.0, 25.0])
        settings["matching"] = "quotes" if mode == "quotes" else "price"
        settings["bar_fill_mode"] = pick(["cross", "touch"]) if mode == "bars" else "cross"
    ends = {market: pick([0.0, 1.0]) for market in markets if market in PREDICTIONS}
    if ends and pick([True, False]):
        settings["outcomes"] = ends
        if mode != "books" and pick([True, False]):
            settings["resolutions"] = dict.fromkeys(ends, 1000.0 + 0.5 * rows * 0.6)
    settings.update(how)
    return World(markets, data, {market: dice.plan() for market in markets}, settings, books)
