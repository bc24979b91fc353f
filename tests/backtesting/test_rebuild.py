"""Cash, positions and equity of whole runs, rebuilt from fills and settlements alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from horizon import AssetClass
from tests.backtesting.worlds import World, book_worlds, busy_world, contract_of, worlds
from tests.properties.naive import Book, Contract, Terms, Tick

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def prices_at(world: World, result: Any) -> list[dict[str, float]]:
    """The mark of each market at each point of the curve, read from the data again.

    The nth point of a time has seen the first n rows of each feed at that time.
    """
    source = world.data if world.data is not None else world.books
    assert source is not None
    last: dict[str, float] = {}
    found = []
    rows = {market: list(source[market]) for market in world.markets}
    for time, _ in result.equity_curve:
        for market in world.markets:
            left = rows[market]
            if left and left[0]["timestamp"] <= time:
                price = price_of(left.pop(0))
                if price is not None:
                    last[market] = price
        found.append(dict(last))
    return found


def price_of(row: dict[str, Any]) -> float | None:
    if "bids" in row:
        if not row["bids"] or not row["asks"]:
            return None
        return float((row["bids"][0][0] + row["asks"][0][0]) / 2)
    return float(row.get("close", row.get("price")))


class Ledger:
    """The naive ledger, told one fill or settlement after another."""

    def __init__(self, world: World) -> None:
        self.contracts = {}
        for name in world.markets:
            market = contract_of(name)
            kind = market.asset_class.name.lower()
            self.contracts[name] = Contract(name, kind, float(market.multiplier or 1.0))
        self.book = Book(Terms(cash=world.how["initial_capital"]), self.contracts)

    def fill(self, fill: Any) -> float:
        leg = fill.market_id + (":no" if fill.side.value == "no" else "")
        return self.book.fill(leg, fill.order_side.sign, fill.size, fill.price, fill.fee)

    def equity(self, marks: dict[str, float]) -> float:
        for market, price in marks.items():
            if market not in self.book.settled:
                self.book.ticks[market] = Tick(price)
        return self.book.recount()["equity"]


def rebuild(world: World, result: Any) -> None:
    ledger = Ledger(world)
    book = ledger.book
    events: list[tuple[float, int, Any]] = [(fill.timestamp, 0, fill) for fill in result.fills]
    events += [(row.timestamp, 1, row) for row in result.settlements]
    # Settlements of one time come after its fills; both lists are in order in themselves.
    events.sort(key=lambda event: event[:2])
    settled = {row.market_id.removesuffix(":no") for row in result.settlements}
    scale = world.how["initial_capital"]

    # Every fill in turn: profit as reported, and prices no worse than limits.
    frame = result.orders_frame()
    limits, quantities = frame.price.to_dict(), frame["size"].to_dict()
    filled: dict[str, float] = {}
    rates = (world.how["paper_maker_fee_rate"], world.how["paper_taker_fee_rate"])
    for _, kind, event in events:
        if kind == 1:
            continue
        multiplier = book.contract(event.market_id).multiplier
        notional = event.size * event.price * multiplier
        scale += notional
        rate = rates[0] if event.is_maker else rates[1]
        assert event.fee == pytest.approx(notional * rate, rel=1e-12)
        limit = limits[event.order_id]
        assert math.isnan(limit) or event.order_side.sign * (event.price - limit) <= 1e-9 * limit
        filled[event.order_id] = filled.get(event.order_id, 0.0) + event.size
        assert event.size > 0.0
        assert filled[event.order_id] <= quantities[event.order_id] * (1 + 1e-12)
    for order_id, amount in filled.items():
        assert amount == pytest.approx(frame.filled[order_id], rel=1e-12)
    assert sum(frame.filled > 0.0) == len(filled)

    # Along the curve, where each point is after the fills of its row; several points of one
    # time cannot be told apart by the fills' times, so the last of each time is compared.
    curve, marks = result.equity_curve, prices_at(world, result)
    done = 0
    near = 1e-11 * scale + 1e-9
    outcomes = world.how.get("outcomes", {})
    for n, (time, equity) in enumerate(curve):
        is_last = n + 1 == len(curve)
        if not is_last and curve[n + 1][0] == time:
            continue
        while done < len(events) and (events[done][0] < time or is_last):
            take(ledger, events[done], outcomes)
            done += 1
        here = done
        while here < len(events) and events[here][0] == time and events[here][1] == 0:
            # What is filled at this very time may come before the point or, where a book is
            # taken from by the pipeline, after it: see below.
            here += 1
        if here != done and world.books is not None and not is_last:
            continue
        while done < here:
            take(ledger, events[done], outcomes)
            done += 1
        assert ledger.equity(marks[n]) == pytest.approx(equity, abs=near), f"point {n} at {time}"
    assert done == len(events)

    # The end.
    assert settled <= set(outcomes)
    positions = {p.market_id + (":no" if p.side.value == "no" else ""): p for p in result.positions}
    held = {leg: h for leg, h in book.holdings.items() if h.size != 0}
    assert set(positions) == set(held)
    for leg, holding in held.items():
        assert positions[leg].size == pytest.approx(float(holding.size), rel=1e-12)
        assert positions[leg].realized_pnl == pytest.approx(float(holding.realized), abs=near)
    unrealized = sum(position.unrealized_pnl for position in result.positions)
    pnl = sum(result.pnl_by_market().values())
    gained = curve[-1][1] - world.how["initial_capital"]
    assert pnl + unrealized == pytest.approx(gained, abs=near)
    assert pnl == pytest.approx(float(book.realized - book.fees), abs=near)
    metrics = result.metrics
    assert metrics.total_return == pytest.approx(gained, abs=near)
    assert metrics.total_fees == pytest.approx(float(book.fees), abs=near)
    assert metrics.total_trades == len(result.fills)


def take(ledger: Ledger, event: tuple[float, int, Any], outcomes: dict[str, float]) -> None:
    _, kind, row = event
    if kind == 0:
        gain = ledger.fill(row)
        assert row.realized_pnl == pytest.approx(gain, abs=1e-9 + 1e-11 * ledger.book.scale())
        return
    market = row.market_id.removesuffix(":no")
    if market not in ledger.book.settled:
        closed = ledger.book.settle(market, outcomes[market])
        assert row.market_id in [leg for leg, _, _ in closed]
    wanted = outcomes[market]
    assert row.price == (round(1.0 - wanted, 12) if row.market_id.endswith(":no") else wanted)


@QUICK
@given(worlds())
def test_the_books_of_random_runs_can_be_rebuilt(world: World) -> None:
    rebuild(world, world.run())


@QUICK
@given(book_worlds())
def test_the_books_of_random_runs_over_order_books_can_be_rebuilt(world: World) -> None:
    rebuild(world, world.run())


@pytest.mark.parametrize("mode", ["price", "quotes", "bars", "books"])
def test_the_books_of_busy_runs_can_be_rebuilt(mode: str) -> None:
    for seed in range(200, 212):
        world = busy_world(seed, mode=mode, rows=80)
        result = world.run()
        rebuild(world, result)
        assert result.fills


CHANCES: list[dict[str, Any]] = [
    {"fill_model": "probabilistic", "fill_model_params": {"lambda": 0.5, "queue_frac": 0.5}},
    {"fill_model": "glft", "fill_model_params": {"intensity": 0.5, "kappa": 1.0}},
]


@pytest.mark.parametrize("how", CHANCES, ids=lambda how: how["fill_model"])
def test_the_books_of_runs_by_chance_can_be_rebuilt(how: dict[str, Any]) -> None:
    more = 0
    for seed in range(300, 310):
        world = busy_world(seed, mode="books", rows=80, **how)
        result = world.run()
        rebuild(world, result)
        plain = busy_world(seed, mode="books", rows=80).run()
        more += len(result.fills) > len(plain.fills)
    assert more > 5  # chance fills beside the certain ones


def test_a_liquidation_is_in_the_books() -> None:
    # Perpetuals at leverage 20 close by themselves in some of these runs.
    closed = 0
    for seed in range(400, 430):
        world = busy_world(seed, mode="price", rows=100)
        if "X-PERP" not in world.markets:
            continue
        result = world.run()
        rebuild(world, result)
        closed += int((result.orders_frame().intent == "liquidation").sum())
    assert closed >= 5
    assert contract_of("X-PERP").asset_class is AssetClass.Perp
