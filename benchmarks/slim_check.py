"""Whether the slim loops and the backtest do the same, order by order and point by point.

python benchmarks/slim_check.py
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from slim_backtest import SlimRun

from horizon.venues.history import STATUSES


def differences(run: SlimRun, result: Any) -> list[str]:
    """What a backtest's result has otherwise: nothing, if both followed the same rules."""
    record = result.record
    orders, fills = record.orders, record.fills
    found: list[str] = []

    def compare(name: str, ours: Any, theirs: Any, within: float = 0.0) -> None:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        if ours.shape != theirs.shape:
            found.append(f"{name}: {ours.shape} against {theirs.shape}")
        elif within == 0.0:
            if not np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"):
                found.append(f"{name}: {np.count_nonzero(ours != theirs)} differ")
        elif len(ours) and float(np.max(np.abs(ours - theirs))) > within:
            found.append(f"{name}: up to {np.max(np.abs(ours - theirs)):g} apart")

    number, sign, price, size, filled, at, _, taker, sent, ended, status = zip(
        *run.orders, strict=True
    )
    compare("order numbers", number, np.arange(1, len(orders) + 1))
    compare("order signs", sign, orders.signs)
    compare("order prices", price, orders.prices)
    compare("order sizes", size, orders.quantities)
    compare("filled sizes", filled, orders.filled, 1e-9)
    compare("average prices", at, orders.averages, 1e-9)
    compare("takers", taker, orders.is_taker)
    compare("times sent", sent, orders.submitted_ns)
    still_open = np.asarray(ended) == 0
    compare("times ended", np.asarray(ended)[~still_open], orders.ended_ns[~still_open])
    compare("statuses", status, [STATUSES[code] for code in orders.statuses.tolist()])

    number, sign, size, price, fee, time, maker, gain, value = zip(*run.fills, strict=True)
    compare("fills' orders", number, fills.order_numbers)
    compare("fills' signs", sign, fills.signs)
    compare("fills' sizes", size, fills.quantities, 1e-9)
    compare("fills' prices", price, fills.prices)
    compare("fees", fee, fills.fees, 1e-12)
    compare("fills' times", time, fills.times_ns)
    compare("makers", maker, fills.is_maker)
    compare("realised profit", gain, fills.realized, 1e-9)
    compare("fair values", value, record.fair_values)

    compare("equity", run.equity, record.equity[: len(run.equity)], 1e-9)
    compare("points of equity", len(run.equity), len(record.equity))
    moved = fills.signs * fills.quantities * fills.prices + fills.fees
    compare("cash", [run.cash], [record.initial_capital - math.fsum(moved)], 1e-9)
    held = sum(position.size for position in record.positions)
    compare("position", [run.position], [held], 1e-9)
    compare("refusals", sum(run.refused.values()), sum(record.rejections.values()))
    return found


if __name__ == "__main__":
    from bench_backtest import require_equal

    require_equal()
