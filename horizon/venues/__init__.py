"""Venues: where orders meet a market, the account that they move, and the models of a market.

`Paper` matches against ticks, `BookVenue` against recorded books, `BookAccount` against books
that come one by one. Derive from `Fees`, `Latency`, `Impact` or `FillModel` for a model of your
own, and hand it to `hz.backtest`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from horizon.venues.base import Observer, Venue
from horizon.venues.paper import Paper
from horizon.venues.simulated import SimulatedVenue

if TYPE_CHECKING:  # what is loaded on first use
    from horizon.venues.book import BookVenue
    from horizon.venues.book_account import BookAccount
    from horizon.venues.book_view import BookView
    from horizon.venues.fees import Fees, FlatFees
    from horizon.venues.fill_models import (
        DeterministicFills,
        FillModel,
        GLFTFills,
        ProbabilisticFills,
        RestingOrder,
    )
    from horizon.venues.impact import Impact, LinearImpact, NoImpact
    from horizon.venues.latency import ConstantLatency, Latency, NoLatency

__all__ = [
    "BookAccount",
    "BookVenue",
    "BookView",
    "ConstantLatency",
    "DeterministicFills",
    "Fees",
    "FillModel",
    "FlatFees",
    "GLFTFills",
    "Impact",
    "Latency",
    "LinearImpact",
    "NoImpact",
    "NoLatency",
    "Observer",
    "Paper",
    "ProbabilisticFills",
    "RestingOrder",
    "SimulatedVenue",
    "Venue",
]

_LAZY = {
    "BookAccount": "book_account",
    "BookVenue": "book",
    "BookView": "book_view",
    "ConstantLatency": "latency",
    "DeterministicFills": "fill_models",
    "Fees": "fees",
    "FillModel": "fill_models",
    "FlatFees": "fees",
    "GLFTFills": "fill_models",
    "Impact": "impact",
    "Latency": "latency",
    "LinearImpact": "impact",
    "NoImpact": "impact",
    "NoLatency": "latency",
    "ProbabilisticFills": "fill_models",
    "RestingOrder": "fill_models",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"horizon.venues.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'horizon.venues' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
