"""The documents' own program, an algorithm in a pipeline with the wall clock, as they print it."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import Any

import pytest

import horizon as hz
from horizon import OrderRequest, OrderSide, Side
from horizon.algos import TWAP
from horizon.feeds import Synthetic

active_algo: Any = None


def model(ctx: Any) -> float:
    fair_value = 0.60  # Your model logic here
    return fair_value  # noqa: RET504  # as it is printed


def algo_manager(ctx: Any, fair: float) -> None:
    """Manage a TWAP algo to accumulate a position."""
    global active_algo
    engine = ctx.params["engine"]

    # Start a TWAP if we don't have one running
    if active_algo is None or active_algo.is_complete:
        positions = engine.positions()
        current_pos = next((p for p in positions if p.market_id == ctx.market_id), None)
        current_size = current_pos.size if current_pos else 0.0

        # Target 100 contracts; start TWAP if below target
        if current_size < 100.0:
            request = OrderRequest(
                market_id=ctx.market_id,
                side=Side.Yes,
                order_side=OrderSide.Buy,
                price=fair,
                size=100.0 - current_size,
            )
            active_algo = TWAP(engine, duration_secs=120, num_slices=6)
            active_algo.start(request)

    # Advance the algo each tick
    if active_algo and not active_algo.is_complete:
        active_algo.on_tick(ctx.feed.price, time.time())


def test_a_twap_by_the_wall_clock_accumulates_its_position(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The wall clock goes as fast as the market: two minutes take no time.
    clock = SimpleNamespace(now=0.0, time=lambda: clock.now)
    monkeypatch.setitem(globals(), "time", clock)
    monkeypatch.setitem(globals(), "active_algo", None)

    def look(ctx: Any) -> None:
        clock.now = ctx.timestamp

    result = hz.run(
        name="twap-accumulator",
        markets=["election-winner"],
        feeds={"election-winner": Synthetic(3, volatility=0.01, n=600)},
        pipeline=[look, model, algo_manager],
        speed=math.inf,
    )
    assert result.errors == {}
    (position,) = result.positions
    assert position.size == 100.0
    # Of the first algorithm, a slice each twenty seconds.
    orders = result.orders_frame().iloc[:6]
    assert orders["size"].tolist() == pytest.approx([100 / 6] * 6)
    sent = orders["submitted"].diff().dt.total_seconds()
    assert sent.iloc[1:].tolist() == pytest.approx([20.0] * 5, abs=0.5)
