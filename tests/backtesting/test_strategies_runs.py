"""Strategies in whole backtests, by hand: money, fills, latency, warm-up, settlement, books."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import Equity, Market, OrderRequest, OrderSide, Prediction, RiskConfig, Side
from horizon.errors import PipelineError
from horizon.strategies import (
    EqualWeight,
    FixedNotional,
    Price,
    Signal,
    SignalExecution,
    Strategy,
    Zscore,
    strategy,
)
from horizon.strategies.prebuilt import BollingerReversion, Ensemble, Momentum, RsiReversion
from horizon.types import Urgency
from tests.backtesting.worlds import Wobbling


class Units:
    """A sizer of tests: so many units of the view's direction."""

    def __init__(self, units: float) -> None:
        self.units = units

    def target(self, view: Any, account: Any) -> float:
        return self.units * view.sign


def up(market: str = "market", **fields: Any) -> Signal:
    return Signal.increase(market, edge_bps=10, **fields)


def down(market: str = "market", **fields: Any) -> Signal:
    return Signal.decrease(market, edge_bps=10, **fields)


def out(market: str = "market") -> Signal:
    return Signal.flatten(market)


def at(said: dict[float, list[Signal]]) -> Strategy:
    """A strategy that speaks at given times."""

    @strategy
    def script(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        return said.get(ctx.timestamp, [])

    return script


def ticks(*prices: float, start: float = 0.0, **columns: list[float]) -> pd.DataFrame:
    times = start + np.arange(len(prices), dtype=float)
    return pd.DataFrame({"timestamp": times, "price": prices, **columns})


def run(said: dict[float, list[Signal]], data: Any, units: float = 10.0, **how: Any) -> Any:
    how = {"paper_fee_rate": 0.0, "initial_capital": 10_000.0, "sizer": Units(units), **how}
    return hz.backtest(data=data, strategies=[at(said)], **how)


def fills(result: Any) -> list[tuple[float, str, float, float]]:
    return [(f.timestamp, f.order_side.value, f.size, f.price) for f in result.fills]


# ---------------------------------------------------------------------------- when and at what
def test_an_order_fills_at_the_row_after_its_signal() -> None:
    result = run({1.0: [up()], 3.0: [out()]}, ticks(100.0, 101.0, 102.0, 103.0, 104.0))
    assert fills(result) == [(2.0, "buy", 10.0, 102.0), (4.0, "sell", 10.0, 104.0)]
    assert result.metrics.total_return == 20.0
    assert [one.done for one in result.decisions] == ["ordered", "ordered"]


def test_fees_and_slippage_are_paid() -> None:
    result = run(
        {0.0: [up()], 1.0: [out()]},
        ticks(100.0, 100.0, 100.0),
        paper_fee_rate=0.001,
        slippage_bps=50,
    )
    # Bought at 100.5, sold at 99.5: 10 lost on 10, fees 1.005 + 0.995.
    assert result.metrics.total_return == pytest.approx(-12.0)
    assert [one.average_price for one in result.decisions] == [
        pytest.approx(100.5),
        pytest.approx(99.5),
    ]


def test_on_bars_a_market_order_fills_at_the_next_open() -> None:
    bars = pd.DataFrame(
        {
            "timestamp": [0.0, 1.0, 2.0],
            "open": [99.0, 101.0, 103.0],
            "high": [101.0, 104.0, 105.0],
            "low": [98.0, 97.0, 102.0],
            "close": [100.0, 102.0, 104.0],
        }
    )
    result = run({0.0: [up()]}, bars)
    assert fills(result) == [(1.0, "buy", 10.0, 101.0)]
    # The decision saw the close of its own bar, and was sized by it.
    assert result.decisions[0].price == 100.0


def test_a_patient_limit_on_bars_fills_at_a_touch() -> None:
    bars = pd.DataFrame(
        {
            "timestamp": [0.0, 1.0, 2.0],
            "open": [99.0, 103.0, 103.0],
            "high": [101.0, 104.0, 105.0],
            "low": [98.0, 100.0, 102.0],
            "close": [100.0, 102.0, 104.0],
        }
    )
    patient = SignalExecution(urgency=Urgency.Patient)
    touched = run({0.0: [up()]}, bars, execution=patient, bar_fill_mode="touch")
    assert fills(touched) == [(1.0, "buy", 10.0, 100.0)]
    assert fills(run({0.0: [up()]}, bars, execution=patient)) == []


def test_by_quotes_a_passive_order_saves_the_spread() -> None:
    data = ticks(100.0, 100.0, 98.5, bid=[99.0, 99.0, 98.0], ask=[101.0, 101.0, 99.0])
    passive = SignalExecution(urgency=Urgency.Passive)
    waited = run({0.0: [up()]}, data, execution=passive, matching="quotes")
    at_once = run({0.0: [up()]}, data, matching="quotes")
    assert fills(waited) == [(2.0, "buy", 10.0, 99.0)]
    assert fills(at_once) == [(1.0, "buy", 10.0, 101.0)]
    assert waited.fills[0].is_maker
    assert not at_once.fills[0].is_maker


LADDER = {"bids": [(0.48, 100.0), (0.47, 100.0)], "asks": [(0.52, 4.0), (0.53, 100.0)]}


def test_with_books_an_order_takes_what_is_displayed_at_that_moment() -> None:
    books = {"vote": [{"timestamp": float(t), **LADDER} for t in range(3)]}
    result = run({1.0: [up("vote")]}, None, book_data=books)
    # 4 at 0.52 and 6 at 0.53, at the very snapshot that the decision saw.
    assert fills(result) == [(1.0, "buy", 4.0, 0.52), (1.0, "buy", 6.0, 0.53)]
    (one,) = result.decisions
    assert (one.filled, one.status) == (10.0, "filled")
    assert one.average_price == pytest.approx((4 * 0.52 + 6 * 0.53) / 10)


def test_with_books_a_passive_order_rests_behind_the_best_of_its_side() -> None:
    later = {"timestamp": 2.0, "bids": [(0.45, 10.0)], "asks": [(0.48, 7.0), (0.5, 100.0)]}
    books = {"vote": [{"timestamp": float(t), **LADDER} for t in range(2)] + [later]}
    passive = SignalExecution(urgency=Urgency.Passive)
    result = run({1.0: [up("vote")]}, None, book_data=books, execution=passive)
    # Its bid is 0.48; the ask comes down to it with 7 on offer.
    assert fills(result) == [(2.0, "buy", 7.0, 0.48)]
    (one,) = result.decisions
    assert (one.quantity, one.filled, one.status) == (10.0, 7.0, "partial")


def test_with_books_a_turn_around_is_done_at_one_snapshot() -> None:
    deep = {"bids": [(0.48, 5_000.0)], "asks": [(0.52, 5_000.0)]}
    books = {"vote": [{"timestamp": float(t), **deep} for t in range(3)]}
    said = {0.0: [up("vote")], 1.0: [down("vote")]}
    result = run(said, None, units=1_700.0, book_data=books, initial_capital=1_000.0)
    # 116 are left beside 1,700 YES; short 1,700 needs 884. What closes fills at once: 932.
    assert [(d.timestamp, d.done, d.quantity) for d in result.decisions] == [
        (0.0, "ordered", 1_700.0),
        (1.0, "closing first", -1_700.0),
        (1.0, "ordered", -1_700.0),
    ]
    assert [(f.timestamp, f.price) for f in result.fills] == [(0.0, 0.52), (1.0, 0.48), (1.0, 0.48)]


# ---------------------------------------------------------------------------- latency, time
def test_with_latency_an_order_fills_at_the_first_row_after_its_arrival() -> None:
    result = run({0.0: [up()]}, ticks(100.0, 101.0, 102.0, 103.0), latency_ms=1_500)
    assert fills(result) == [(2.0, "buy", 10.0, 102.0)]


def test_what_is_on_its_way_is_not_sent_twice() -> None:
    said = {float(t): [up()] for t in range(4)}
    result = run(said, ticks(100.0, 101.0, 102.0, 103.0), latency_ms=1_500)
    assert fills(result) == [(2.0, "buy", 10.0, 102.0)]
    assert [one.done for one in result.decisions] == [
        "ordered",
        "kept working",
        "at target",
        "at target",
    ]


def test_with_latency_a_larger_target_sends_the_difference_only() -> None:
    class Steps:
        def __init__(self) -> None:
            self.calls = 0

        def target(self, view: Any, account: Any) -> float:
            self.calls += 1
            return 10.0 if self.calls == 1 else 12.0

    said = {float(t): [up()] for t in range(8)}
    result = run(said, ticks(*[100.0] * 8), sizer=Steps(), latency_ms=1_500)
    # Sent at 0 and 1, there at 1.5 and 2.5; a cancel of the first would have come too late.
    assert fills(result) == [(2.0, "buy", 10.0, 100.0), (3.0, "buy", 2.0, 100.0)]
    assert [(d.current, d.quantity, d.done) for d in result.decisions[:4]] == [
        (0.0, 10.0, "ordered"),
        (10.0, 2.0, "ordered"),
        (12.0, 0.0, "kept working"),
        (12.0, 0.0, "at target"),
    ]


def test_with_latency_a_turn_around_counts_what_is_on_its_way() -> None:
    said = {0.0: [up()], 1.0: [down()], 2.0: [out()]}
    result = run(said, ticks(*[100.0] * 6), latency_ms=1_500)
    # +10, then -20 to be at -10, then +10 to be out.
    assert [(side, size) for _, side, size, _ in fills(result)] == [
        ("buy", 10.0),
        ("sell", 20.0),
        ("buy", 10.0),
    ]
    assert result.positions == []


def test_with_latency_what_closes_may_close_what_is_on_its_way() -> None:
    class Steps:
        def target(self, view: Any, account: Any) -> float:
            return view.edge_bps / 10

    said = {
        0.0: [Signal.increase("market", edge_bps=100)],
        3.0: [Signal.increase("market", edge_bps=120)],
        4.0: [out()],
    }
    result = run(said, ticks(*[100.0] * 8), sizer=Steps(), latency_ms=1_500)
    # At 4, 10 are held and 2 on their way: 12 are sold, which is more than is held.
    assert [one.quantity for one in result.decisions] == [10.0, 2.0, -12.0]
    assert [one.status for one in result.decisions] == ["filled"] * 3
    assert result.positions == []


def test_with_latency_a_market_order_stays_whatever_the_urgency_is_then() -> None:
    said = {0.0: [up()], 1.0: [up(urgency=Urgency.Patient)]}
    result = run(said, ticks(*[100.0] * 4), latency_ms=1_500)
    assert [(one.done, one.order_ids) for one in result.decisions] == [
        ("ordered", ("p1",)),
        ("kept working", ("p1",)),
    ]


def test_what_has_expired_is_sent_anew_when_its_cancel_has_arrived() -> None:
    passive = Urgency.Passive
    said = {0.0: [up(urgency=passive, ttl=1.8)], 2.0: [up(urgency=passive)]}
    data = ticks(*[100.0] * 7, bid=[99.0] * 7, ask=[101.0] * 7)
    result = run(said, data, latency_ms=1_500, matching="quotes")
    # At the same price: it is not the order that is wanted, but one that stays.
    assert [(d.timestamp, d.done, d.status) for d in result.decisions] == [
        (0.0, "ordered", "expired"),
        (2.0, "replacing", ""),
        (4.0, "ordered", "new"),
    ]


def test_what_is_being_cancelled_counts_until_its_cancel_has_arrived() -> None:
    said = {0.0: [up(urgency=Urgency.Patient)], 2.0: [out()], 3.0: [out()]}
    result = run(said, ticks(100.0, 101.0, 102.0, 103.0, 104.0), latency_ms=1_500)
    # The cancel sent at 2 arrives at 3.5; then nothing is left to do.
    assert [(one.timestamp, one.current, one.done) for one in result.decisions] == [
        (0.0, 0.0, "ordered"),
        (2.0, 10.0, "replacing"),
        (3.0, 10.0, "replacing"),
        (4.0, 0.0, "at target"),
    ]
    (order,) = result.orders_frame().itertuples()
    assert (order.status, order.reason) == ("canceled", "replaced")


def test_an_order_that_fills_before_its_cancel_arrives_is_counted() -> None:
    said = {0.0: [up(urgency=Urgency.Patient)], 2.0: [out()]}
    result = run(said, ticks(100.0, 101.0, 102.0, 99.0, 99.0, 99.0, 99.0), latency_ms=1_500)
    # Out is wanted at 2; the order fills at 3 all the same, its cancel being on the way; so the
    # sale can be sent at 3, and is there at 4.5.
    assert fills(result) == [(3.0, "buy", 10.0, 100.0), (5.0, "sell", 10.0, 99.0)]
    assert [(d.timestamp, d.done, d.status) for d in result.decisions] == [
        (0.0, "ordered", "filled"),
        (2.0, "replacing", ""),
        (3.0, "ordered", "filled"),
    ]


def test_a_patient_order_moves_when_the_cancel_of_the_last_has_arrived() -> None:
    said = {float(t): [up(urgency=Urgency.Patient)] for t in (0, 2)}
    result = run(said, ticks(100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 103.5), latency_ms=1_500)
    # Cancelled at 2, gone at 3.5; sent again at 4, at the price of 4, for what was wanted at 2.
    assert [(d.timestamp, d.price, d.done) for d in result.decisions] == [
        (0.0, 100.0, "ordered"),
        (2.0, 102.0, "replacing"),
        (4.0, 104.0, "ordered"),
    ]
    assert fills(result) == [(6.0, "buy", 10.0, 104.0)]


def test_what_waits_for_a_cancel_ends_with_its_market() -> None:
    said = {0.0: [up("rain", urgency=Urgency.Patient)], 2.0: [down("rain")]}
    result = run(
        said,
        {"rain": ticks(0.5, 0.6, 0.6, 0.6, 0.6, 0.6)},
        latency_ms=1_500,
        outcomes={"rain": 1.0},
        resolutions={"rain": 3.0},
    )
    assert [one.done for one in result.decisions] == ["ordered", "replacing"]
    assert len(result.orders_frame()) == 1


def test_what_waits_for_a_cancel_is_not_forgotten_for_an_edge_that_is_too_small() -> None:
    said = {
        0.0: [up(urgency=Urgency.Patient)],
        2.0: [down()],
        3.0: [Signal.increase("market", edge_bps=1)],
    }
    result = run(
        said,
        ticks(100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0),
        latency_ms=1_500,
        execution=SignalExecution(min_edge_bps=5),
    )
    assert [one.done for one in result.decisions] == [
        "ordered",
        "replacing",
        "edge too small",
        "ordered",
    ]
    assert fills(result) == [(6.0, "sell", 10.0, 106.0)]


def test_what_waits_for_a_cancel_ends_with_its_time() -> None:
    patient = up(urgency=Urgency.Patient, ttl=1.9)
    said = {0.0: [up(urgency=Urgency.Patient)], 2.0: [patient]}
    result = run(said, ticks(100.0, 101.0, 102.0, 103.0, 104.0, 90.0), latency_ms=1_500)
    # 3.9 comes before the row at 4, at which it could have been sent.
    assert [one.done for one in result.decisions] == ["ordered", "replacing"]
    assert fills(result) == []


def test_an_order_that_expires_counts_until_its_cancel_has_arrived() -> None:
    patient = up(urgency=Urgency.Patient, ttl=1.8)
    said = {0.0: [patient], 2.0: [patient], 3.0: [patient]}
    result = run(said, ticks(100.0, 101.0, 102.0, 99.0, 103.0), latency_ms=1_500)
    # Its cancel is on its way from 1.8 to 3.3; it fills at 3, and nothing more is wanted.
    assert fills(result) == [(3.0, "buy", 10.0, 100.0)]
    assert [one.done for one in result.decisions] == ["ordered", "replacing", "at target"]


def test_children_of_a_stopped_twap_count_until_their_cancels_have_arrived() -> None:
    twap = SignalExecution(
        urgency=Urgency.Patient, patient="twap", twap_secs=20, twap_slices=2, no_trade_band=0.0
    )
    data = ticks(100.0, 100.0, 101.0, 101.0, 101.0, 100.0, *[101.0] * 6)
    said = {0.0: [up()], 4.0: [out()]}
    result = run(said, data, execution=twap, latency_ms=1_500)
    # Its first child, 5 at 100 of the row at 1, rests from 2.5 on. Stopped at 4, it fills at 5,
    # before the cancel of 5.5; these 5 are then sold.
    bought = [fill for fill in fills(result) if fill[1] == "buy"]
    assert bought == [(5.0, "buy", 5.0, 100.0)]
    assert [(d.done, d.current, d.quantity) for d in result.decisions] == [
        ("ordered", 0.0, 10.0),
        ("replacing", 10.0, 0.0),
        ("ordered", 5.0, -5.0),
    ]


def test_an_order_that_somebody_else_cancels_counts_until_it_is_gone() -> None:
    @strategy
    def hasty(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        if ctx.timestamp == 2.0:
            ctx.exchange("paper").cancel_all()
            return []
        return [up(urgency=Urgency.Patient)] if ctx.timestamp in (0.0, 3.0) else []

    result = hz.backtest(
        data=ticks(100.0, 101.0, 102.0, 100.5, 102.0),
        strategies=[hasty],
        sizer=Units(1.0),
        latency_ms=1_500,
    )
    # The first order was in the market at 1.5; its cancel arrives at 3.5.
    assert [(one.timestamp, one.done, one.current) for one in result.decisions] == [
        (0.0, "ordered", 0.0),
        (3.0, "replacing", 1.0),
        (4.0, "ordered", 0.0),
    ]


@pytest.mark.no_cover
@settings(max_examples=80)
@given(
    targets=st.lists(st.integers(-9, 9), min_size=1, max_size=8),
    gaps=st.lists(st.integers(1, 3), min_size=8, max_size=8),
    latency_ms=st.sampled_from([0, 400, 1_000, 1_500, 2_700, None]),
    urgencies=st.lists(st.sampled_from(list(Urgency)), min_size=8, max_size=8),
    says_once=st.booleans(),
)
def test_with_any_latency_the_position_comes_to_its_target_and_never_passes_it(
    targets: list[int],
    gaps: list[int],
    latency_ms: int | None,
    urgencies: list[Urgency],
    says_once: bool,
) -> None:
    wanted: dict[float, tuple[int, Urgency]] = {}
    time = 0
    for target, gap, urgency in zip(targets, gaps, urgencies, strict=False):
        for later in range(1 if says_once else gap):
            wanted[float(time + later)] = (target, urgency)
        time += gap
    end = time + 16  # long enough for a cancel, an order, and a row each
    if not says_once:
        for later in range(time, end):
            wanted[float(later)] = wanted[float(time - 1)]

    class Targets:
        def target(self, view: Any, account: Any) -> float:
            return float(round(view.edge_bps / 10))

    @strategy
    def script(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        if ctx.timestamp not in wanted:
            return []
        target, urgency = wanted[ctx.timestamp]
        if target == 0:
            return [Signal.flatten("market", urgency=urgency)]
        say = Signal.increase if target > 0 else Signal.decrease
        return [say("market", edge_bps=10 * abs(target), urgency=urgency)]

    result = hz.backtest(
        data=ticks(*[100.0] * (end + 1)),
        strategies=[script],
        sizer=Targets(),
        execution=SignalExecution(no_trade_band=0.0),
        initial_capital=1e6,
        **({"latency": Wobbling()} if latency_ms is None else {"latency_ms": latency_ms}),
        paper_fee_rate=0.0,
    )
    held, low, high = 0.0, 0.0, 0.0
    for fill in result.fills:
        held += fill.order_side.sign * fill.size
        low, high = min(low, held), max(high, held)
    assert held == targets[-1]
    if latency_ms is not None:  # else a later order may overtake an earlier one
        assert min(0, *targets, 0) <= low
        assert high <= max(0, *targets, 0)
    assert sum(one.filled for one in result.decisions) == targets[-1]


def test_an_order_ends_with_its_time() -> None:
    patient = up(urgency=Urgency.Patient, ttl=1.5)
    result = run({0.0: [patient]}, ticks(100.0, 101.0, 99.0))
    assert fills(result) == []
    (order,) = result.orders_frame().itertuples()
    assert (order.status, order.reason) == ("canceled", "expired")
    # It ends when its time is over, not when the next row happens to come.
    assert (
        pd.Timestamp(1.5, unit="s", tz="UTC") <= order.ended < pd.Timestamp(2, unit="s", tz="UTC")
    )
    assert result.decisions[0].status == "expired"


def test_before_trade_from_strategies_warm_up() -> None:
    calls: list[float] = []

    class Dips(Strategy):
        features = {"z": Zscore(3)}

        def evaluate(self, f: Any, universe: Any, ctx: Any) -> list[Signal]:
            calls.append(ctx.timestamp)
            return [up()] if f.z["market"] < -1 else []

    data = ticks(10.0, 12.0, 9.0, 8.0, 8.0)
    # Scores: at 2 -0.87, at 3 (12, 9, 8) -0.80, at 4 (9, 8, 8) -0.58. Nothing, until 11, 11, 8.
    more = ticks(10.0, 12.0, 6.0, 11.0, 11.0, 8.0, 8.0)
    how: dict[str, Any] = {"strategies": [Dips], "sizer": Units(1.0), "paper_fee_rate": 0.0}
    assert hz.backtest(data=data, **how).decisions == []
    calls.clear()
    result = hz.backtest(data=more, trade_from=4.0, **how)
    # At 2 the score of 6 among 10, 12, 6 is -1.09, before the start; at 5 that of 8 is -1.15.
    assert [one.timestamp for one in result.decisions] == [5.0]
    assert calls == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [point[0] for point in result.equity_curve] == [4.0, 5.0, 6.0]


def test_with_an_interval_strategies_are_asked_in_cycles() -> None:
    asked: list[float] = []

    @strategy
    def watcher(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        asked.append(ctx.timestamp)
        return []

    hz.backtest(data=ticks(*[1.0] * 7), strategies=[watcher], interval=2.5)
    assert asked == [0.0, 2.5, 5.0]


# ---------------------------------------------------------------------------- markets
def test_rows_of_one_time_are_one_evaluation() -> None:
    asked: list[tuple[float, tuple[str, ...]]] = []

    @strategy
    def watcher(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        asked.append((ctx.timestamp, tuple(market.id for market in universe)))
        return []

    data = {"A": ticks(10.0, 11.0, 12.0), "B": ticks(20.0, 21.0, start=1.0)}
    hz.backtest(data=data, strategies=[watcher])
    assert asked == [(0.0, ("A",)), (1.0, ("A", "B")), (2.0, ("A", "B"))]


def test_a_settled_market_pays_and_leaves_the_universe() -> None:
    asked: list[tuple[str, ...]] = []

    @strategy
    def holder(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        asked.append(tuple(market.id for market in universe))
        return [up(market.id) for market in universe]

    data = {"rain": ticks(0.5, 0.6, 0.7, 0.8), "snow": ticks(0.5, 0.5, 0.5, 0.5)}
    result = hz.backtest(
        data=data,
        strategies=[holder],
        sizer=Units(10.0),
        outcomes={"rain": 1.0},
        resolutions={"rain": 1.5},
        paper_fee_rate=0.0,
    )
    assert asked == [("rain", "snow")] * 2 + [("snow",)] * 2
    # Bought at 0.6, settled at 1.0.
    assert result.pnl_by_market() == {"rain": pytest.approx(4.0), "snow": 0.0}
    # The bets were on 0.5 and ten bps of 1.00.
    assert result.fills_frame()["fair_value"].tolist() == [pytest.approx(0.501)] * 2
    assert result.metrics.avg_edge == pytest.approx((0.501 - 0.6 + 0.501 - 0.5) / 2)


def test_a_short_prediction_is_short_yes() -> None:
    result = run({0.0: [down("rain")]}, {"rain": ticks(0.5, 0.6)}, markets=["rain"])
    (position,) = result.positions
    assert (position.side, position.size) == (Side.Yes, -10.0)


def test_a_gap_feeds_no_feature() -> None:
    seen: list[float] = []

    class Reader(Strategy):
        features = {"z": Zscore(3), "p": Price()}

        def evaluate(self, f: Any, universe: Any, ctx: Any) -> list[Signal]:
            seen.append(f.z["market"])
            return []

    gaps = ticks(1.0, 2.0, math.nan, 4.0, bid=[math.nan] * 4)
    hz.backtest(data=gaps, markets=[Market("market", Equity)], strategies=[Reader])
    assert [math.isnan(one) for one in seen] == [True, True, True, False]
    # 1, 2 and 4: mean 7/3, squares (16 + 1 + 25) / 9 over 2.
    assert seen[3] == pytest.approx((4 - 7 / 3) / math.sqrt(42 / 9 / 2))


def test_a_lost_feed_pulls_orders_and_leaves_the_universe() -> None:
    asked: list[tuple[float, tuple[str, ...]]] = []

    @strategy
    def patient(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        asked.append((ctx.timestamp, tuple(market.id for market in universe)))
        return [up("A", urgency=Urgency.Patient)] if ctx.timestamp == 0.0 else []

    lost = ticks(100.0, math.nan, 90.0, is_stale=[False, True, False])
    data = {"A": lost, "B": ticks(50.0, 50.0, 50.0)}
    result = hz.backtest(data=data, strategies=[patient], sizer=Units(1.0))
    assert asked == [(0.0, ("A", "B")), (1.0, ("B",)), (2.0, ("A", "B"))]
    # 90 would have filled it.
    assert result.fills == []
    assert result.decisions[0].status == "stale"


def test_chunks_are_played_as_one() -> None:
    whole = ticks(*[100.0 + math.sin(n) for n in range(300)])
    pieces = [whole.iloc[:100], whole.iloc[100:]]
    how: dict[str, Any] = {"sizer": EqualWeight(0.5), "initial_capital": 1e4}
    one = hz.backtest(data=whole, strategies=[BollingerReversion(5, 1.0)], **how)
    two = hz.backtest(data=lambda: iter(pieces), strategies=[BollingerReversion(5, 1.0)], **how)
    assert len(one.fills) > 10
    assert one.fills == two.fills
    assert one.decisions == two.decisions


# ---------------------------------------------------------------------------- beside a pipeline
def test_a_pipeline_and_strategies_trade_one_account() -> None:
    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=2.0, size=1.0)

    result = hz.backtest(
        data=ticks(100.0, 100.0, 101.0, 100.0),
        pipeline=[quoter],
        strategies=[at({0.0: [up()]})],
        sizer=Units(10.0),
        initial_capital=10_000.0,
        paper_fee_rate=0.0,
    )
    # The desk's market order at 1; the ask of 101 of the row at 1 is met at 2; the bid at 100 of
    # the row at 2 is met at 3.
    assert fills(result) == [
        (1.0, "buy", 10.0, 100.0),
        (2.0, "sell", 1.0, 101.0),
        (3.0, "buy", 1.0, 100.0),
    ]
    orders = result.orders_frame()
    assert orders["intent"].value_counts().to_dict()["signal"] == 1
    assert set(orders["intent"]) == {"signal", "quote"}
    assert result.config["pipeline"] == ("quoter",)


def test_pipelines_come_first_at_each_step() -> None:
    calls: list[str] = []

    def stage(ctx: Any) -> None:
        calls.append(f"pipeline {ctx.market_id}")

    @strategy
    def watcher(f: Any, universe: Any) -> list[Signal]:
        calls.append("strategy")
        return []

    data = {"A": ticks(1.0), "B": ticks(2.0)}
    hz.backtest(data=data, pipeline=[stage], strategies=[watcher])
    assert calls == ["pipeline A", "pipeline B", "strategy"]


def test_what_a_pipeline_holds_counts_as_held() -> None:
    def buyer(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            return [OrderRequest("market", Side.Long, OrderSide.Buy, 4.0)]
        return None

    result = hz.backtest(
        data=ticks(100.0, 100.0, 100.0),
        pipeline=[buyer],
        strategies=[at({1.0: [up()]})],
        sizer=Units(10.0),
        initial_capital=10_000.0,
    )
    (one,) = result.decisions
    assert (one.current, one.quantity) == (4.0, 6.0)


# ---------------------------------------------------------------------------- the escape hatch
def test_the_documents_escape_hatch() -> None:
    # The class of the document; the emergency is a fall below 50.
    class MyStrategy(Strategy):
        asset_classes = [Equity]
        features = {"z": Zscore(20)}

        def _emergency_condition(self) -> bool:
            return self.price < 50.0

        def evaluate(self, f: Any, universe: Any, ctx: Any) -> Any:
            self.price = ctx.price("ACME")
            if self._emergency_condition():
                ctx.exchange("paper").flatten_all()
                return []
            return [Signal.increase(m, edge_bps=30) for m in universe if f.z[m.id] < -2]

    rng = np.random.default_rng(3)
    prices = [*(100.0 + rng.normal(0, 0.1, 30)), 95.0, 95.0, 49.0, 49.0, 49.0]
    result = hz.backtest(
        markets=["ACME"], data=ticks(*prices), strategies=[MyStrategy()], paper_fee_rate=0.0
    )
    # 950 in ACME at the first 95, sized by it; flattened at the row after 49.
    assert fills(result) == [(31.0, "buy", 10.0, 95.0), (33.0, "sell", 10.0, 49.0)]
    assert result.positions == []
    orders = result.orders_frame()
    assert orders["intent"].tolist() == ["signal", "flatten"]


# ---------------------------------------------------------------------------- errors and limits
def test_what_risk_refuses_is_counted_and_shown() -> None:
    result = run({0.0: [up()]}, ticks(100.0, 100.0), risk=RiskConfig(max_order_size=5.0))
    assert result.rejections == {"max_order_size": 1}
    assert result.decisions[0].done == "refused: max_order_size"


def test_what_money_refuses_is_counted_and_shown() -> None:
    result = run({0.0: [up()]}, ticks(100.0, 100.0), initial_capital=500.0)
    assert result.rejections == {"buying power": 1}
    (one,) = result.decisions
    assert (one.done, one.status, one.order_ids) == ("refused: buying power", "rejected", ("p1",))


def test_an_exception_stops_the_run_or_is_counted() -> None:
    @strategy
    def breaks(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        if ctx.timestamp == 1.0:
            raise KeyError("oops")
        return [up()]

    how: dict[str, Any] = {"data": ticks(100.0, 100.0, 100.0), "strategies": [breaks]}
    with pytest.raises(PipelineError, match="strategy 'breaks' failed at 1970-01-01 00:00:01"):
        hz.backtest(**how)
    result = hz.backtest(on_error="skip", **how)
    assert result.errors == {"breaks": 1}
    assert "KeyError: 'oops'" in result.error_texts[0]
    assert [one.timestamp for one in result.decisions] == [0.0, 2.0]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "pipeline must have at least one stage, had none; or give strategies="),
        ({"pipeline": []}, "pipeline must have at least one stage, had none; or give strategies="),
        ({"strategies": []}, "strategies must have at least one strategy"),
        ({"strategies": [up()]}, r"strategies\[0\] must be a Strategy"),
        ({"sizer": EqualWeight()}, "sizer belongs to strategies="),
        ({"pipeline": [print], "execution": SignalExecution()}, "execution belongs to strategies="),
        ({"strategies": [Momentum()], "sizer": "kelly"}, "sizer must have a method target"),
        ({"strategies": [Momentum, Momentum()]}, "'Momentum' is there twice"),
    ],
    ids=range(8),
)
def test_arguments_that_do_not_fit_are_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        hz.backtest(data=ticks(1.0), **how)


# ---------------------------------------------------------------------------- used again
def test_an_object_keeps_what_it_keeps_and_a_class_begins_anew() -> None:
    class Counting(Strategy):
        features = {"z": Zscore(2)}

        def __init__(self) -> None:
            self.calls = 0
            self.ready: list[bool] = []

        def evaluate(self, f: Any, universe: Any) -> list[Signal]:
            self.calls += 1
            self.ready.append(not math.isnan(f.z["market"]))
            return [up()] if self.calls == 2 else []

    one = Counting()
    data = ticks(100.0, 101.0, 102.0)
    how: dict[str, Any] = {"data": data, "sizer": Units(1.0)}
    first = hz.backtest(strategies=[one], **how)
    second = hz.backtest(strategies=[one], **how)
    assert (len(first.decisions), len(second.decisions)) == (1, 0)
    # The features are each run's own: not ready at its first row.
    assert (one.calls, one.ready) == (6, [False, True, True] * 2)
    for _ in range(2):
        assert hz.backtest(strategies=[Counting], **how).decisions == first.decisions


def test_the_same_run_twice_is_the_same() -> None:
    rng = np.random.default_rng(5)
    data = {m: ticks(*(100 + np.cumsum(rng.normal(0, 1, 200)))) for m in "ABC"}
    both = Ensemble([BollingerReversion(10, 1.0), RsiReversion(5)], [2.0, 1.0])
    runs = [hz.backtest(data=data, strategies=[both, Momentum(20)]) for _ in range(2)]
    assert len(runs[0].fills) > 20
    assert runs[0].fills == runs[1].fills
    assert runs[0].equity_curve == runs[1].equity_curve
    assert runs[0].decisions == runs[1].decisions


# ---------------------------------------------------------------------------- what always holds
@st.composite
def worlds(draw: Any) -> dict[str, Any]:
    """Random data, signals and settings."""
    n = draw(st.integers(3, 25))
    markets = draw(st.sampled_from([["A"], ["A", "rain"], ["A", "B", "rain"]]))
    data, said = {}, {}
    for market in markets:
        steps = draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n))
        path = 50 + np.cumsum(steps)
        path = np.clip(path, 2, 98) if market == "rain" else np.clip(path, 10, None)
        data[market] = ticks(*(path / 100 if market == "rain" else path))
        actions = draw(st.lists(st.sampled_from("udf."), min_size=n, max_size=n))
        edges = draw(st.lists(st.integers(1, 50), min_size=n, max_size=n))
        for time, (action, edge) in enumerate(zip(actions, edges, strict=True)):
            own = {
                "u": lambda m=market, e=edge: Signal.increase(m, edge_bps=e, confidence=0.7),
                "d": lambda m=market, e=edge: Signal.decrease(m, edge_bps=e),
                "f": lambda m=market, e=edge: Signal.flatten(m),
            }.get(action)
            if own is not None:
                said.setdefault(float(time), []).append(own())
    return {
        "data": data,
        "said": said,
        "units": draw(st.sampled_from([1.0, 3.0, 7.5])),
        "markets": [
            Market(m, Prediction if m == "rain" else Equity, lot_size=0.5) for m in markets
        ],
        "paper_fee_rate": draw(st.sampled_from([0.0, 0.002])),
        "latency_ms": draw(st.sampled_from([0.0, 700.0, 1_500.0])),
        "initial_capital": draw(st.sampled_from([200.0, 10_000.0])),
        "execution": SignalExecution(
            no_trade_band=draw(st.sampled_from([0.0, 0.1, 0.5])),
            urgency=draw(st.sampled_from(list(Urgency))),
            ttl=draw(st.sampled_from([None, 0.5, 2.0])),
            long_only=draw(st.booleans()),
        ),
    }


@pytest.mark.no_cover
@settings(max_examples=60)
@given(world=worlds())
def test_money_and_decisions_agree_with_the_fills(world: dict[str, Any]) -> None:
    result = run(**world)
    # Cash and positions, made of the fills alone.
    held: dict[str, float] = {}
    cash = world["initial_capital"]
    for fill in result.fills:
        sign = fill.order_side.sign
        held[fill.market_id] = held.get(fill.market_id, 0.0) + sign * fill.size
        cash -= sign * fill.size * fill.price + fill.fee
    marks = {market: rows["price"].iloc[-1] for market, rows in world["data"].items()}
    worth = sum(size * marks[market] for market, size in held.items())
    assert result.equity_curve[-1][1] == pytest.approx(cash + worth, abs=1e-9)
    # Every fill belongs to one decision, which came before it.
    decisions = result.decisions
    filled: dict[str, float] = {}
    sent = {order: one for one in decisions if one.quantity for order in one.order_ids}
    for one in decisions:
        filled[one.market_id] = filled.get(one.market_id, 0.0) + one.filled
        assert one.filled == 0.0 or one.filled * one.quantity > 0.0
        assert abs(one.filled) <= abs(one.quantity) + 1e-9
    for market, size in held.items():
        assert filled[market] == pytest.approx(size, abs=1e-9)
    for fill in result.fills:
        assert sent[fill.order_id].timestamp < fill.timestamp
    if world["execution"].long_only:
        running: dict[str, float] = {}
        for fill in result.fills:
            now = running.get(fill.market_id, 0.0) + fill.order_side.sign * fill.size
            running[fill.market_id] = now
            assert now >= -1e-9


@pytest.mark.no_cover
@settings(max_examples=25)
@given(world=worlds())
def test_the_beginning_does_not_depend_on_the_rest(world: dict[str, Any]) -> None:
    whole = run(**world)
    cut = {market: rows.iloc[: len(rows) // 2 + 1] for market, rows in world["data"].items()}
    part = run(**{**world, "data": cut})
    last = max(rows["timestamp"].iloc[-1] for rows in cut.values())
    assert [f for f in whole.fills if f.timestamp <= last] == part.fills

    def decided(result: Any) -> list[tuple[Any, ...]]:
        return [
            (d.timestamp, d.market_id, d.signals, d.target, d.current, d.done, d.quantity)
            for d in result.decisions
            if d.timestamp <= last
        ]

    assert decided(whole) == decided(part)


def test_equal_weight_through_a_run_by_hand() -> None:
    # Two markets, half of 90 % each. At 0: 1000 x 0.45 / 100 = 4.5 and / 50 = 9. Filled at 1, at
    # 110 and 40: cash 1000 - 495 - 360 = 145. At 1, equity 145 + 495 + 360 = 1000: targets
    # 450 / 110 = 4.09 (9.1 % less, in the band) and 450 / 40 = 11.25 (20 % more: 2.25 bought).
    data = {"A": ticks(100.0, 110.0, 110.0), "B": ticks(50.0, 40.0, 40.0)}

    @strategy
    def both(f: Any, universe: Any) -> list[Signal]:
        return [up(market.id) for market in universe]

    result = hz.backtest(data=data, strategies=[both], sizer=EqualWeight(0.9), paper_fee_rate=0.0)
    assert [(d.market_id, d.done, d.quantity) for d in result.decisions[:4]] == [
        ("A", "ordered", 4.5),
        ("B", "ordered", 9.0),
        ("A", "within the band", 0.0),
        ("B", "ordered", pytest.approx(2.25)),
    ]
    assert result.equity_curve[-1][1] == pytest.approx(1_000.0)


def test_fixed_notional_on_an_option_counts_its_multiplier() -> None:
    name = "AAPL250117C00180000"
    result = run(
        {0.0: [up(name)]},
        {name: ticks(5.0, 5.0)},
        markets=[name],
        sizer=FixedNotional(2_500.0),
    )
    # A contract costs 5 x 100.
    assert fills(result) == [(1.0, "buy", 5.0, 5.0)]
