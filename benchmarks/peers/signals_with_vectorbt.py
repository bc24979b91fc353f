"""The rule of the strategies benchmark in vectorbt: all bars of all markets as one array.

Features, the rule and the sizes are whole arrays; orders are made by one compiled loop over bars
and markets, which share their cash. A signal of one bar is filled at the next one's open. Its own
RSI is not Wilder's (its exponential averages begin with the first change, its plain ones forget);
with a span of 27 the weight of the newest change is Wilder's 1/14, and after the 200 bars that the
slow mean needs the two agree to 1e-6. All of it is run once before it is measured, on few bars:
its loops are compiled then.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import workload_strategies as work

warnings.simplefilter("ignore")


def traded(opened: pd.DataFrame, close: pd.DataFrame) -> Any:
    """Run the rule, and return the portfolio."""
    mean = vbt.MA.run(close, work.WINDOW).ma.to_numpy()
    width = vbt.MSTD.run(close, work.WINDOW).mstd.to_numpy()
    wider = np.sqrt(work.WINDOW / (work.WINDOW - 1))  # from the divisor n to n - 1
    z = (close.to_numpy() - mean) / (width * wider)
    fast = vbt.MA.run(close, work.FAST).ma.to_numpy()
    slow = vbt.MA.run(close, work.SLOW).ma.to_numpy()
    cross = (fast - slow) / slow
    rsi = vbt.RSI.run(close, 2 * work.WILDER - 1, ewm=True).rsi.to_numpy()
    returns = np.log(close).diff()
    vol = vbt.MSTD.run(returns, work.WINDOW).mstd.to_numpy() * wider
    entries = (z < work.ENTER_Z) & (cross > 0.0) & (rsi < work.ENTER_RSI) & (vol < work.ENTER_VOL)
    exits = (z > work.LEAVE_Z) | (cross < 0.0) | (rsi > work.LEAVE_RSI)
    sizes = np.floor(work.NOTIONAL / close.to_numpy())

    def later(values: Any, fill: Any) -> pd.DataFrame:
        moved = np.empty_like(values)
        moved[0], moved[1:] = fill, values[:-1]
        return pd.DataFrame(moved, close.index, close.columns)

    return vbt.Portfolio.from_signals(
        close,
        later(entries, False),
        later(exits, False),
        size=later(sizes, 0.0),
        price=opened,
        fees=work.FEE_RATE,
        init_cash=work.CASH,
        cash_sharing=True,
        group_by=True,
        freq="1D",
    )


def tables(bars: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = [work.market_bars(number, bars) for number in range(work.MARKETS)]
    index = pd.to_datetime(columns[0]["timestamp"], unit="s")
    opened, close = (
        pd.DataFrame({k: one[name] for k, one in enumerate(columns)}, index=index)
        for name in ("open", "close")
    )
    return opened, close


def prepare(bars: int) -> Callable[[], tuple[list[work.Trade], float]]:
    def run(given: Any) -> tuple[list[work.Trade], float]:
        records = traded(*given).orders.records
        signs = np.where(records["side"] == 0, 1.0, -1.0)
        columns = (records["col"], records["idx"] - 1, signs * records["size"], records["price"])
        found = [work.Trade(*one) for one in zip(*(c.tolist() for c in columns), strict=True)]
        return found, float(records["fees"].sum())

    run(tables(400))
    given = tables(bars)
    return lambda: run(given)


if __name__ == "__main__":
    work.answer(prepare)
