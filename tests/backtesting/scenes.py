"""Small stages for hand-worked backtests: data in one line, a pipeline that is a timetable."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import horizon as hz
from horizon import OrderRequest, OrderSide, Quote, Side

Rows = list[dict[str, Any]]


def ticks(*prices: float | None, start: float = 0.0, step: float = 1.0, **columns: Any) -> Rows:
    """One row a second with these prices; further columns as lists, None leaves a cell out."""
    rows: Rows = []
    for n, price in enumerate(prices):
        row = {"timestamp": start + n * step, "price": price}
        row.update({name: values[n] for name, values in columns.items()})
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows


def bars(*parts: tuple[float, float, float, float], start: float = 0.0) -> Rows:
    """One bar a second, each (open, high, low, close)."""
    names = ("open", "high", "low", "close")
    return [
        {"timestamp": start + n, **dict(zip(names, bar, strict=True))}
        for n, bar in enumerate(parts)
    ]


def book(
    timestamp: float,
    bids: list[tuple[float, float]] | None = None,
    asks: list[tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """One snapshot."""
    return {"timestamp": timestamp, "bids": bids or [], "asks": asks or []}


def buy(size: float, price: float | None = None, market: str = "m", **how: Any) -> OrderRequest:
    """A buy of YES."""
    return OrderRequest(market, Side.Yes, OrderSide.Buy, size, price, **how)


def sell(size: float, price: float | None = None, market: str = "m", **how: Any) -> OrderRequest:
    """A sale of YES."""
    return OrderRequest(market, Side.Yes, OrderSide.Sell, size, price, **how)


def buy_no(size: float, price: float | None = None, market: str = "m", **how: Any) -> OrderRequest:
    """A buy of NO."""
    return OrderRequest(market, Side.No, OrderSide.Buy, size, price, **how)


def sell_no(size: float, price: float | None = None, market: str = "m", **how: Any) -> OrderRequest:
    """A sale of NO."""
    return OrderRequest(market, Side.No, OrderSide.Sell, size, price, **how)


def long(size: float, price: float | None = None, market: str = "S", **how: Any) -> OrderRequest:
    """A buy of something that has no sides."""
    return OrderRequest(market, Side.Long, OrderSide.Buy, size, price, **how)


def short(size: float, price: float | None = None, market: str = "S", **how: Any) -> OrderRequest:
    """A sale of something that has no sides."""
    return OrderRequest(market, Side.Long, OrderSide.Sell, size, price, **how)


class Timetable:
    """A stage that returns what the table has for (market and) time, else None.

    It notes every call as (time, market), and what `watch` makes of the context.
    """

    def __init__(
        self, table: Mapping[Any, Any] | None = None, watch: Callable[[Any], Any] | None = None
    ) -> None:
        self.table = dict(table or {})
        self.watch = watch
        self.calls: list[tuple[float, str]] = []
        self.seen: list[Any] = []

    def __call__(self, ctx: Any) -> Any:
        self.calls.append((ctx.timestamp, ctx.market_id))
        if self.watch is not None:
            self.seen.append(self.watch(ctx))
        key = (ctx.market_id, ctx.timestamp)
        return self.table.get(key, self.table.get(ctx.timestamp))


def play(table: Any, data: Any = None, **how: Any) -> Any:
    """A run without fees in the market "m", for a thousand; `table` is a timetable or a stage."""
    stage = table if callable(table) else Timetable(table)
    if isinstance(how.get("fees"), (dict, type(None))):
        how.setdefault("paper_fee_rate", 0.0)
    if how.setdefault("markets", ["m"]) is None:
        del how["markets"]
    return hz.backtest(data=data, pipeline=[stage], **how)


def fills(result: Any) -> list[tuple[float, str, float, float]]:
    """(time, "buy"/"sell", size, price) of each fill; those of a NO side end in " no"."""
    return [
        (
            fill.timestamp,
            fill.order_side.value + (" no" if fill.side is Side.No else ""),
            fill.size,
            fill.price,
        )
        for fill in result.fills
    ]


def orders(result: Any) -> list[tuple[float, str, float, float | None, str]]:
    """(time sent, "buy"/"sell", size, limit or None, status) of every order, by its number.

    Those of a NO side end in " no", as in `fills`.
    """
    frame = result.orders_frame()
    return [
        (
            row.submitted.timestamp(),
            row.order_side + (" no" if row.side == "no" else ""),
            row.size,
            None if math.isnan(row.price) else row.price,
            row.status,
        )
        for row in frame.itertuples()
    ]


def equity(result: Any) -> list[float]:
    """The equity at each point of the curve."""
    return [value for _, value in result.equity_curve]


def quote(bid: float, ask: float, size: float = 10.0) -> list[Quote]:
    """A two-sided quote by its two prices."""
    return [Quote(bid, ask, size)]
