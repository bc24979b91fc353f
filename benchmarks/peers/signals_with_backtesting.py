"""The rule of the strategies benchmark in backtesting.py: one run a market, one account each.

Features are whole columns, made with pandas before the first bar, as its documentation shows; the
rule is asked bar by bar. A market order fills at the next bar's open. RSI begins with the mean of
the first 14 changes, as Wilder has it. A run ends with its statistics.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import backtesting.backtesting as module
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import workload_strategies as work

warnings.simplefilter("ignore")
module._tqdm = lambda rows, **_: rows  # its progress bar is no part of the work


def zscore(closes: Any) -> Any:
    close = pd.Series(closes)
    rolling = close.rolling(work.WINDOW)
    return (close - rolling.mean()) / rolling.std()


def cross(closes: Any) -> Any:
    close = pd.Series(closes)
    slow = close.rolling(work.SLOW).mean()
    return (close.rolling(work.FAST).mean() - slow) / slow


def wilder(moves: pd.Series) -> pd.Series:
    n = work.WILDER
    begun = moves.copy()
    begun.iloc[n] = moves.iloc[1 : n + 1].mean()
    begun.iloc[:n] = np.nan
    return begun.ewm(alpha=1 / n, adjust=False).mean()


def rsi(closes: Any) -> Any:
    change = pd.Series(closes).diff()
    gain, loss = wilder(change.clip(lower=0.0)), wilder(-change.clip(upper=0.0))
    return 100.0 * gain / (gain + loss)


def vol(closes: Any) -> Any:
    return np.log(pd.Series(closes)).diff().rolling(work.WINDOW).std()


class Dips(Strategy):
    """The rule."""

    def init(self) -> None:
        close = self.data.Close
        self.z, self.cross = self.I(zscore, close), self.I(cross, close)
        self.rsi, self.vol = self.I(rsi, close), self.I(vol, close)

    def next(self) -> None:
        z, above, index = self.z[-1], self.cross[-1], self.rsi[-1]
        if self.position:
            if work.leaves(z, above, index):
                self.position.close()
        elif work.enters(z, above, index, self.vol[-1]):
            self.buy(size=int(work.shares(self.data.Close[-1])))


def table(columns: work.Columns) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame(
        {name.capitalize(): columns[name] for name in names},
        index=pd.to_datetime(columns["timestamp"], unit="s"),
    )


def prepare(bars: int) -> Callable[[], tuple[list[work.Trade], float]]:
    tables = [table(work.market_bars(number, bars)) for number in range(work.MARKETS)]

    def run() -> tuple[list[work.Trade], float]:
        found, fees = [], 0.0
        for number, frame in enumerate(tables):
            test = Backtest(frame, Dips, cash=work.CASH, commission=work.FEE_RATE)
            ended = test.run()["_strategy"]
            for one in (*ended.closed_trades, *ended.trades):
                size = float(one.size)
                # Filled at a bar's open, decided on the bar before.
                found.append(work.Trade(number, one.entry_bar - 1, size, one.entry_price))
                if one.exit_bar is not None:
                    found.append(work.Trade(number, one.exit_bar - 1, -size, one.exit_price))
        fees = sum(abs(one.quantity * one.price) for one in found) * work.FEE_RATE
        return found, fees

    return run


if __name__ == "__main__":
    work.answer(prepare)
