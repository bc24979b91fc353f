"""Whether strategies looked ahead: `hz.check_lookahead(strategies=…)`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.strategies import EqualWeight, Signal, SignalExecution, Strategy, Zscore, strategy
from horizon.strategies.prebuilt import BollingerReversion, Ensemble, Momentum, RsiReversion
from horizon.types import Urgency


def walk(n: int = 60, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    path = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
    return pd.DataFrame({"timestamp": np.arange(n, dtype=float), "price": path})


def two() -> dict[str, pd.DataFrame]:
    return {"A": walk(seed=1), "B": walk(seed=2)}


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: Momentum(5), id="momentum"),
        pytest.param(lambda: BollingerReversion(5, 1.0), id="bollinger"),
        pytest.param(lambda: Ensemble([RsiReversion(3), Momentum(4)], [2, 1]), id="ensemble"),
    ],
)
@pytest.mark.parametrize("urgency", list(Urgency), ids=lambda one: one.value)
def test_the_prebuilt_ones_do_not_look_ahead(made: Any, urgency: Urgency) -> None:
    report = hz.check_lookahead(
        two(),
        strategies=[made()],
        sizer=EqualWeight(0.5),
        execution=SignalExecution(urgency=urgency, ttl=2.5),
        cuts=4,
    )
    assert report.ok
    assert report.reruns["compared"].sum() > 100


def test_a_strategy_made_of_all_data_is_found() -> None:
    def factory(data: Any) -> list[Strategy]:
        tomorrow = dict(zip(data["timestamp"], data["price"].shift(-1), strict=True))

        @strategy
        def seer(f: Any, universe: Any, ctx: Any) -> list[Signal]:
            if tomorrow[ctx.timestamp] > ctx.price("market"):
                return [Signal.increase("market", edge_bps=10)]
            return [Signal.flatten("market")]

        return [seer]

    report = hz.check_lookahead(walk(), strategies=factory)
    assert not report.ok
    first = report.first
    assert (first.kind, first.name, first.market_id) == ("signals", "seer", "market")
    assert "strategy seer returned [['increase', 10, 1]]" in str(report)


def test_a_strategy_with_data_of_its_own_is_named_as_not_cut() -> None:
    prices = walk()["price"]

    @strategy
    def seer(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        n = int(ctx.timestamp)
        ahead = n + 1 < len(prices) and prices[n + 1] > prices[n]
        return [Signal.increase("market", edge_bps=10)] if ahead else [Signal.flatten("market")]

    report = hz.check_lookahead(walk(), strategies=[seer], cuts=2)
    assert report.ok
    assert "The strategies ran as they are" in str(report)
    assert "a function as strategies" in str(report)


def test_strategies_with_a_state_are_repeatable() -> None:
    class Counting(Strategy):
        features = {"z": Zscore(5)}

        def __init__(self) -> None:
            self.calls = 0

        def evaluate(self, f: Any, universe: Any) -> list[Signal]:
            self.calls += 1
            action = Signal.increase if self.calls % 3 else Signal.decrease
            return [action("market", edge_bps=5)]

    one = Counting()
    one.calls = 1
    report = hz.check_lookahead(walk(), strategies=[one, Momentum], cuts=2)
    assert report.repeatable
    assert report.ok
    assert one.calls == 1  # the copies ran


def test_strategies_beside_a_pipeline() -> None:
    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=1.0, size=1.0)

    report = hz.check_lookahead(walk(), [quoter], strategies=[Momentum(3)], cuts=3)
    assert report.ok
    assert "The stages and strategies ran as they are" in str(report)
    # A return and a signal at each of the rows that were compared, but for the first three.
    assert report.kinds["signals"] == report.kinds["output"] >= 40
    assert f"{report.kinds['signals']} signals" in str(report)


def test_the_order_that_came_of_a_signal_is_shown() -> None:
    def factory(data: Any) -> list[Strategy]:
        best = int(data["price"].to_numpy().argmin())

        @strategy
        def bottom(f: Any, universe: Any, ctx: Any) -> list[Signal]:
            return [Signal.increase("market", edge_bps=10)] if ctx.timestamp == best else []

        return [bottom]

    path = pd.DataFrame({"timestamp": np.arange(20.0), "price": [*range(120, 101, -1), 200.0]})
    report = hz.check_lookahead(path, strategies=factory, cuts=19)
    first = report.first
    # On less data the bottom is earlier; what says so names the market, and the order it sent.
    assert first.market_id == "market"
    assert "strategy bottom returned []" in str(report)
    assert "buy" in first.order


def test_a_strategy_that_fails_with_another_future_is_named() -> None:
    def factory(data: Any) -> list[Strategy]:
        @strategy
        def seer(f: Any, universe: Any, ctx: Any) -> list[Signal]:
            # It is the last price that it looks at.
            return [] if data["price"].iloc[-1] == 200.0 else [1 / 0]

        return [seer]

    path = pd.DataFrame({"timestamp": np.arange(20.0), "price": [*range(120, 101, -1), 200.0]})
    report = hz.check_lookahead(path, strategies=factory, cuts=2)
    assert not report.ok
    assert report.first.kind == "signals"
    assert "strategy seer raised ZeroDivisionError" in str(report)


@pytest.mark.parametrize("interval", [0.5, 0.7, 1.0, 3.0])
def test_cycles_between_rows_are_no_leak(interval: float) -> None:
    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=1.0, size=1.0)

    report = hz.check_lookahead(walk(30), [quoter], strategies=[Momentum(3)], interval=interval)
    assert report.ok
    assert report.reruns["compared"].sum() > 30


def test_a_leak_in_cycles_is_found() -> None:
    def factory(data: Any) -> list[Strategy]:
        tomorrow = data["price"].shift(-1).to_numpy()

        @strategy
        def seer(f: Any, universe: Any, ctx: Any) -> list[Signal]:
            if tomorrow[int(ctx.timestamp)] > ctx.price("market"):
                return [Signal.increase("market", edge_bps=10)]
            return [Signal.flatten("market")]

        return [seer]

    assert not hz.check_lookahead(walk(30), strategies=factory, interval=0.7).ok


class Uncopied(Strategy):
    def __init__(self) -> None:
        self.generator = (n for n in range(3))

    def evaluate(self, f: Any, universe: Any) -> list[Signal]:
        return []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "give pipeline or pipeline_factory"),
        ({"strategies": []}, "at least one strategy"),
        ({"strategies": Momentum()}, "put it into a list"),
        ({"strategies": Momentum}, "put it into a list"),
        ({"strategies": 3}, "must be a list of Strategy"),
        ({"strategies": [Uncopied()]}, "cannot be copied for each run .*give a function"),
        ({"strategies": lambda data: 3}, "strategies= must return strategies"),
        ({"strategies": [Momentum()], "sizer": 3}, "sizer must have a method target"),
    ],
    ids=range(8),
)
def test_arguments_that_do_not_fit_are_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        hz.check_lookahead(walk(), **how)


def test_a_strategy_that_fails_on_less_data_is_no_leak() -> None:
    def factory(data: Any) -> list[Strategy]:
        if len(data) < 60:
            raise KeyError("too short")
        return [Momentum(3)]

    report = hz.check_lookahead(walk(), strategies=factory, cuts=2)
    assert report.ok
    failed = report.reruns["failed"]
    assert failed.str.startswith("the strategies' function raised KeyError").any()
