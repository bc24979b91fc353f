"""W1 and W2 in hftbacktest, whose strategy is compiled by Numba: no Python runs at a tick.

Compiling is not in the rate. The order latency is a nanosecond, and the strategy looks ten
nanoseconds after each row. A run ends with its data, so the last row is never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hftbacktest import (
    ALL_ASSETS,
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
    event_dtype,
)
from numba import njit
from told import tell
from workloads import ROWS, books, ticks

SECOND = 10**9
BOTH_TIMES = EXCH_EVENT | LOCAL_EVENT


@njit
def quote(run: Any, start: int, rows: int) -> int:
    """Replace both orders after each row. Orders 2n and 2n + 1 belong to row n."""
    run.elapse(1)
    for row in range(rows):
        if run.elapse(start + row * 1_000_000_000 + 10 - run.current_timestamp) != 0:
            return row
        run.clear_inactive_orders(ALL_ASSETS)
        if row > 0:
            resting = run.orders(0)
            for old in range(2 * row - 2, 2 * row):
                if old in resting:
                    run.cancel(0, old, False)
        depth = run.depth(0)
        middle = np.round(50.0 * (depth.best_bid + depth.best_ask)) / 100.0
        run.submit_buy_order(0, 2 * row, middle - 0.02, 10.0, GTC, LIMIT, False)
        run.submit_sell_order(0, 2 * row + 1, middle + 0.02, 10.0, GTC, LIMIT, False)
    return rows


def prepared(seconds: Any, bids: Any, bid_sizes: Any, asks: Any, ask_sizes: Any) -> Any:
    """Each row clears both sides and sets its levels; a missing level is one of size 0."""
    rows, levels = bids.shape
    events = np.zeros((rows, 2 + 2 * levels), event_dtype)
    events["exch_ts"] = events["local_ts"] = (seconds.astype(np.int64) * SECOND)[:, None]
    events["ev"][:, :2] = DEPTH_CLEAR_EVENT | BOTH_TIMES
    events["ev"][:, 0] |= BUY_EVENT
    events["ev"][:, 1] |= SELL_EVENT
    events["px"][:, 1] = 1.0
    events["ev"][:, 2 : 2 + levels] = DEPTH_EVENT | BUY_EVENT | BOTH_TIMES
    events["ev"][:, 2 + levels :] = DEPTH_EVENT | SELL_EVENT | BOTH_TIMES
    events["px"][:, 2 : 2 + levels] = np.nan_to_num(bids, nan=0.01)
    events["px"][:, 2 + levels :] = np.nan_to_num(asks, nan=0.99)
    events["qty"][:, 2:] = np.nan_to_num(np.hstack([bid_sizes, ask_sizes]), nan=0.0)
    flat = np.ascontiguousarray(events.reshape(-1))
    start = int(seconds[0]) * SECOND

    def exchange(some: Any) -> Any:
        asset = (
            BacktestAsset()
            .data([some])
            .linear_asset(1.0)
            .constant_order_latency(1, 1)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(0.01)
            .lot_size(1.0)
            .roi_lb(0.0)
            .roi_ub(1.0)
        )
        return ROIVectorMarketDepthBacktest([asset])

    first = flat[: 4 * (2 + 2 * levels)]
    warm = exchange(first)
    quote(warm, start, 2)  # compiles
    warm.close()
    real = exchange(flat)

    def run() -> int:
        seen = quote(real, start, rows)
        assert seen >= rows - 1
        assert len(flat)  # named here: it has to outlive the run, which reads it where it lies
        return int(real.state_values(0).num_trades)

    return run


def w1(rows: int) -> Callable[[], int]:
    data = ticks(rows)
    size = np.full((rows, 1), 1000.0)
    return prepared(data["timestamp"], data["bid"][:, None], size, data["ask"][:, None], size)


def w2(rows: int) -> Callable[[], int]:
    data = books(rows)
    sides = (data[f"{side}_{what}"] for side in ("bid", "ask") for what in ("prices", "sizes"))
    return prepared(data["timestamp"], *sides)


if __name__ == "__main__":
    tell({"W1": (w1, ROWS), "W2": (w2, ROWS)})
