"""W1, W2 and W3 in nautilus_trader, with its defaults but for its log, which is off.

Every order is some five event objects on its way through risk engine, message bus, cache,
portfolio and account. It matches against quotes; the second core should be idle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.data import BarType, BookOrder, OrderBookDepth10
from nautilus_trader.model.enums import AccountType, AssetClass, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.instruments import BinaryOption
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler, QuoteTickDataWrangler
from nautilus_trader.trading.strategy import Strategy
from told import tell
from workloads import BARS, HALF_SPREAD, SIZE, Crossover, bars, books, ticks

VENUE = Venue("BENCH")
MARKET = InstrumentId.from_str("YES.BENCH")
MINUTES = BarType.from_str(f"{MARKET}-1-MINUTE-LAST-EXTERNAL")
LOT = Quantity(SIZE, 0)


def contract() -> BinaryOption:
    return BinaryOption(
        instrument_id=MARKET,
        raw_symbol=MARKET.symbol,
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC,
        price_precision=2,
        size_precision=0,
        price_increment=Price(0.01, 2),
        size_increment=Quantity(1, 0),
        activation_ns=0,
        expiration_ns=2**62,
        ts_event=0,
        ts_init=0,
    )


class Counting(Strategy):
    """Counts its fills."""

    def __init__(self) -> None:
        super().__init__()
        self.fills = 0

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1


class Quoter(Counting):
    """Replaces both orders at every quote or book."""

    def __init__(self, by_book: bool) -> None:
        super().__init__()
        self.by_book = by_book
        self.quotes: tuple[Any, ...] = ()

    def on_start(self) -> None:
        if self.by_book:
            self.subscribe_order_book_depth(MARKET, BookType.L2_MBP)
        else:
            self.subscribe_quote_ticks(MARKET)

    def on_quote_tick(self, tick: Any) -> None:
        self.requote((tick.bid_price.as_double() + tick.ask_price.as_double()) / 2)

    def on_order_book_depth(self, depth: Any) -> None:
        self.requote((depth.bids[0].price.as_double() + depth.asks[0].price.as_double()) / 2)

    def requote(self, value: float) -> None:
        # One by one: `cancel_all_orders` looks through every order there ever was.
        for order in self.quotes:
            if order.is_open:
                self.cancel_order(order)
        make = self.order_factory.limit
        self.quotes = (
            make(MARKET, OrderSide.BUY, LOT, Price(value - HALF_SPREAD, 2)),
            make(MARKET, OrderSide.SELL, LOT, Price(value + HALF_SPREAD, 2)),
        )
        for order in self.quotes:
            self.submit_order(order)


class Cross(Counting):
    """Long ten units while the fast mean lies above the slow one."""

    def on_start(self) -> None:
        self.crossover = Crossover()
        self.subscribe_bars(MINUTES)

    def on_bar(self, bar: Any) -> None:
        sign = self.crossover(bar.close.as_double())
        if sign:
            side = OrderSide.BUY if sign > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(MARKET, side, LOT))


def prepared(
    strategy: Counting, data: Iterable[Any], book_type: BookType = BookType.L1_MBP
) -> Callable[[], int]:
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet))
    engine.add_venue(
        VENUE,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1e9, USDC)],
        base_currency=USDC,
        book_type=book_type,
    )
    engine.add_instrument(contract())
    engine.add_data(list(data))
    engine.add_strategy(strategy)

    def run() -> int:
        engine.run()
        return strategy.fills

    return run


def w1(rows: int) -> Callable[[], int]:
    data = ticks(rows)
    frame = pd.DataFrame(
        {"bid_price": data["bid"], "ask_price": data["ask"]},
        index=pd.to_datetime(data["timestamp"], unit="s", utc=True),
    )
    quotes = QuoteTickDataWrangler(contract()).process(frame, default_volume=1000)
    return prepared(Quoter(by_book=False), quotes)


def w2(rows: int) -> Callable[[], int]:
    data = books(rows)

    def side(order_side: OrderSide, name: str, row: int) -> list[BookOrder]:
        levels = zip(data[f"{name}_prices"][row], data[f"{name}_sizes"][row], strict=True)
        shown = [
            BookOrder(order_side, Price(price, 2), Quantity(size, 0), 0)
            for price, size in levels
            if not np.isnan(price)
        ]
        empty = BookOrder(order_side, Price(0.0, 2), Quantity(0, 0), 0)
        return shown + [empty] * (5 - len(shown))

    depths = [
        OrderBookDepth10(
            MARKET,
            side(OrderSide.BUY, "bid", row),
            side(OrderSide.SELL, "ask", row),
            [1] * 5,
            [1] * 5,
            0,
            row,
            int(second) * 10**9,
            int(second) * 10**9,
        )
        for row, second in enumerate(data["timestamp"])
    ]
    return prepared(Quoter(by_book=True), depths, BookType.L2_MBP)


def w3(rows: int) -> Callable[[], int]:
    data = bars(rows)
    times = pd.to_datetime(data.pop("timestamp"), unit="s", utc=True)
    frame = pd.DataFrame(data, times)
    return prepared(Cross(), BarDataWrangler(MINUTES, contract()).process(frame))


if __name__ == "__main__":
    tell({"W1": (w1, 50_000), "W2": (w2, 50_000), "W3": (w3, BARS)})
