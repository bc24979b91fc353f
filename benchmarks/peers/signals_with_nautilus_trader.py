"""The rule of the strategies benchmark in nautilus_trader, with its own compiled indicators.

One strategy hears the bars of all markets. It has no z-score and no volatility of returns: both
come out of its Bollinger bands, fed with closes and with log returns, whose deviation has the
divisor n. Its log is off, all else is as it comes.

**A market order fills at the close that it was decided on**, which is what the venue knows then,
not at the next open.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.indicators import (
    BollingerBands,
    MovingAverageType,
    RelativeStrengthIndex,
    SimpleMovingAverage,
)
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import workload_strategies as work

VENUE = Venue("BENCH")
#: From a deviation with divisor n to one with n - 1.
WIDER = math.sqrt(work.WINDOW / (work.WINDOW - 1))


def contract(name: str) -> Equity:
    symbol = Symbol(name)
    return Equity(
        instrument_id=InstrumentId(symbol, VENUE),
        raw_symbol=symbol,
        currency=USD,
        price_precision=2,
        price_increment=Price(0.01, 2),
        lot_size=Quantity(1, 0),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(str(work.FEE_RATE)),
        taker_fee=Decimal(str(work.FEE_RATE)),
    )


def bar_type(instrument_id: InstrumentId) -> BarType:
    return BarType.from_str(f"{instrument_id}-1-DAY-LAST-EXTERNAL")


class State:
    """One market's features."""

    def __init__(self, instrument_id: InstrumentId) -> None:
        self.instrument_id = instrument_id
        self.bands = BollingerBands(work.WINDOW, 1.0)
        self.fast, self.slow = SimpleMovingAverage(work.FAST), SimpleMovingAverage(work.SLOW)
        self.rsi = RelativeStrengthIndex(work.WILDER, MovingAverageType.WILDER)
        self.moves = BollingerBands(work.WINDOW, 1.0)
        self.before = math.nan

    def see(self, close: float) -> tuple[float, float, float, float]:
        """Take a close; return z, cross, rsi, vol."""
        self.bands.update_raw(close, close, close)
        self.fast.update_raw(close)
        self.slow.update_raw(close)
        self.rsi.update_raw(close)
        if self.before == self.before:
            change = math.log(close / self.before)
            self.moves.update_raw(change, change, change)
        self.before = close
        if not self.slow.initialized:
            return math.nan, math.nan, math.nan, math.nan
        bands, moves, slow = self.bands, self.moves, self.slow.value
        return (
            (close - bands.middle) / ((bands.upper - bands.middle) * WIDER),
            (self.fast.value - slow) / slow,
            100.0 * self.rsi.value,
            (moves.upper - moves.middle) * WIDER,
        )


class Dips(Strategy):
    """The rule."""

    def __init__(self, instrument_ids: list[InstrumentId]) -> None:
        super().__init__()
        self.states = {bar_type(one): State(one) for one in instrument_ids}
        self.numbers = {one: number for number, one in enumerate(instrument_ids)}
        self.fills: list[Any] = []

    def on_start(self) -> None:
        for one in self.states:
            self.subscribe_bars(one)

    def on_bar(self, bar: Any) -> None:
        state = self.states[bar.bar_type]
        close = bar.close.as_double()
        z, cross, rsi, vol = state.see(close)
        held = self.portfolio.net_position(state.instrument_id)
        if held:
            if work.leaves(z, cross, rsi):
                self.send(state.instrument_id, OrderSide.SELL, Quantity(held, 0))
        elif work.enters(z, cross, rsi, vol):
            self.send(state.instrument_id, OrderSide.BUY, Quantity(work.shares(close), 0))

    def send(self, instrument_id: InstrumentId, side: OrderSide, quantity: Quantity) -> None:
        self.submit_order(self.order_factory.market(instrument_id, side, quantity))

    def on_order_filled(self, event: Any) -> None:
        self.fills.append(event)


def prepare(bars: int) -> Callable[[], tuple[list[work.Trade], float]]:
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet))
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(work.CASH, USD)],
        base_currency=USD,
    )
    ids = []
    for number, name in enumerate(work.names()):
        instrument = contract(name)
        ids.append(instrument.id)
        engine.add_instrument(instrument)
        columns = work.market_bars(number, bars)
        times = pd.to_datetime(columns.pop("timestamp"), unit="s", utc=True)
        frame = pd.DataFrame(columns, times)
        wrangler = BarDataWrangler(bar_type(instrument.id), instrument)
        engine.add_data(wrangler.process(frame))
    strategy = Dips(ids)
    engine.add_strategy(strategy)

    def run() -> tuple[list[work.Trade], float]:
        engine.run()
        found = []
        for one in strategy.fills:
            sign = 1.0 if one.order_side == OrderSide.BUY else -1.0
            bar = round((one.ts_event / 1e9 - work.START) / work.DAY) - 1
            quantity, price = one.last_qty.as_double(), one.last_px.as_double()
            number = strategy.numbers[one.instrument_id]
            found.append(work.Trade(number, bar, sign * quantity, price))
        return found, sum(one.commission.as_double() for one in strategy.fills)

    return run


if __name__ == "__main__":
    work.answer(prepare)
