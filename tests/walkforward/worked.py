"""Data and pipelines of which every number can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import horizon as hz

NS = 1_000_000_000


def ticks_of(prices: Sequence[float], *, start: float = 0.0, step: float = 1.0) -> dict[str, Any]:
    """Ticks `step` seconds apart."""
    return {
        "timestamp": start + step * np.arange(len(prices)),
        "price": np.asarray(prices, dtype=float),
    }


def holding(params: dict[str, Any]) -> list[Callable[..., Any]]:
    """Buy ``size`` at the first row (it fills at the second), and hold; nothing for size 0."""
    sent: list[bool] = []

    def buy(ctx: hz.backtesting.Context) -> Any:
        if sent or not params["size"]:
            return None
        sent.append(True)
        side = hz.Side.Yes if ctx.market.asset_class is hz.Prediction else hz.Side.Long
        return [hz.OrderRequest(ctx.market_id, side, hz.OrderSide.Buy, params["size"])]

    return [buy]


def swinging(params: dict[str, Any]) -> list[Callable[..., Any]]:
    """Quote around the mean of the last ``window`` prices."""
    seen: list[float] = []

    def mean(ctx: hz.backtesting.Context) -> float:
        seen.append(ctx.feed.price)
        own = seen[-params["window"] :]
        return sum(own) / len(own)

    def quoter(ctx: hz.backtesting.Context, fair: float) -> Any:
        return hz.quotes(fair, spread=params["spread"], size=1)

    return [mean, quoter]
