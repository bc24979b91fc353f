"""W1 and W3 in backtrader, which knows bars only.

A tick is a bar whose four prices are one, so that a limit fills where the price reaches it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import backtrader as bt
import pandas as pd
from told import tell
from workloads import BARS, FAST, HALF_SPREAD, SIZE, SLOW, bars, ticks


class Counting(bt.Strategy):
    """Counts its fills."""

    def __init__(self) -> None:
        self.fills = 0

    def notify_order(self, order: Any) -> None:
        self.fills += order.status == order.Completed


class Quoter(Counting):
    """Replaces both orders at every bar."""

    def __init__(self) -> None:
        super().__init__()
        self.quotes: tuple[Any, ...] = ()

    def next(self) -> None:
        for order in self.quotes:
            if order.alive():
                self.cancel(order)
        value = self.data.close[0]
        limit = {"exectype": bt.Order.Limit, "size": int(SIZE)}
        self.quotes = (
            self.buy(price=round(value - HALF_SPREAD, 2), **limit),
            self.sell(price=round(value + HALF_SPREAD, 2), **limit),
        )


class Cross(Counting):
    """Long ten units while the fast mean lies above the slow one."""

    def __init__(self) -> None:
        super().__init__()
        close = self.data.close
        self.cross = bt.ind.CrossOver(
            bt.ind.SMA(close, period=FAST), bt.ind.SMA(close, period=SLOW)
        )

    def next(self) -> None:
        if self.cross[0] > 0 and not self.position:
            self.buy(size=int(SIZE))
        elif self.cross[0] < 0 and self.position:
            self.close()


def prepared(strategy: type[Counting], frame: pd.DataFrame, cash: float) -> Callable[[], int]:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame, openinterest=None))
    cerebro.addstrategy(strategy)
    cerebro.broker.setcash(cash)
    return lambda: int(cerebro.run()[0].fills)


def w1(rows: int) -> Callable[[], int]:
    data = ticks(rows)
    prices = dict.fromkeys(("open", "high", "low", "close"), data["price"])
    frame = pd.DataFrame({**prices, "volume": 1000.0}, pd.to_datetime(data["timestamp"], unit="s"))
    return prepared(Quoter, frame, 1e9)


def w3(rows: int) -> Callable[[], int]:
    data = bars(rows)
    times = pd.to_datetime(data.pop("timestamp"), unit="s")
    return prepared(Cross, pd.DataFrame(data, times), 1e6)


if __name__ == "__main__":
    # It keeps every order there ever was: 200,000 rows of W1 need two gigabytes.
    tell({"W1": (w1, 50_000), "W3": (w3, BARS)})
