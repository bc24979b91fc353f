"""W1, W3 and the search of a walk-forward in backtesting.py, which knows bars only.

A tick is a bar whose four prices are one, so that a limit fills where the price reaches it. It
counts round trips: a trade is an entry and its exit, two fills of ours. `run()` ends with its
statistics.

The search is its own `optimize`, window by window, on as many processes as it takes by itself; it
has no walk-forward.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import backtesting.backtesting as module
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from told import tell
from workload_search import CASH, prices, windows
from workload_search import FAST as FASTS
from workload_search import ROWS as SEARCHED
from workload_search import SLOW as SLOWS
from workloads import BARS, FAST, HALF_SPREAD, ROWS, SIZE, SLOW, bars, ticks

warnings.simplefilter("ignore")
module._tqdm = lambda rows, **_: rows  # its progress bar is no part of the work


class Quoter(Strategy):
    """Replaces both orders at every bar."""

    def init(self) -> None:
        pass

    def next(self) -> None:
        for order in tuple(self.orders):
            order.cancel()
        value = self.data.Close[-1]
        self.buy(size=int(SIZE), limit=round(value - HALF_SPREAD, 2))
        self.sell(size=int(SIZE), limit=round(value + HALF_SPREAD, 2))


def mean(values: Any, length: int) -> np.ndarray:
    return pd.Series(values).rolling(length).mean().to_numpy()


class Cross(Strategy):
    """Long ten units while the fast mean lies above the slow one."""

    def init(self) -> None:
        self.quick = self.I(mean, self.data.Close, FAST)
        self.slow = self.I(mean, self.data.Close, SLOW)

    def next(self) -> None:
        if crossover(self.quick, self.slow):
            self.buy(size=int(SIZE))
        elif crossover(self.slow, self.quick):
            self.position.close()


def table(open_: Any, high: Any, low: Any, close: Any, seconds: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"Open": open_, "High": high, "Low": low, "Close": close, "Volume": 1000.0},
        index=pd.to_datetime(seconds, unit="s"),
    )


def w1(rows: int) -> Callable[[], int]:
    data = ticks(rows)
    price = data["price"]
    frame = table(price, price, price, price, data["timestamp"])
    return lambda: 2 * int(Backtest(frame, Quoter, cash=1e9).run()["# Trades"])


def w3(rows: int) -> Callable[[], int]:
    data = bars(rows)
    frame = table(data["open"], data["high"], data["low"], data["close"], data["timestamp"])
    return lambda: 2 * int(Backtest(frame, Cross, cash=1e6).run()["# Trades"])


class Searched(Strategy):
    """The same with lengths that a search can set."""

    fast, slow = FAST, SLOW

    def init(self) -> None:
        self.quick = self.I(mean, self.data.Close, self.fast)
        self.drawn = self.I(mean, self.data.Close, self.slow)

    def next(self) -> None:
        if crossover(self.quick, self.drawn):
            self.buy(size=int(SIZE))
        elif crossover(self.drawn, self.quick):
            self.position.close()


def search(rows: int) -> Callable[[], int]:
    seconds, price = prices(rows)
    frame = table(price, price, price, price, seconds)

    def run() -> int:
        fills = 0
        for train, test in windows(rows):
            best = Backtest(frame.iloc[train], Searched, cash=CASH).optimize(
                fast=list(FASTS), slow=list(SLOWS), maximize="Equity Final [$]"
            )["_strategy"]
            found = Backtest(frame.iloc[test], Searched, cash=CASH).run(
                fast=best.fast, slow=best.slow
            )
            fills += 2 * int(found["# Trades"]) + len(found["_strategy"].trades)
            print(f"chosen fast={best.fast} slow={best.slow}")
        return fills

    return run


if __name__ == "__main__":
    tell({"W1": (w1, ROWS), "W3": (w3, BARS), "search": (search, SEARCHED)})
