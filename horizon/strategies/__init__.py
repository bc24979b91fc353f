"""Strategies that return signals: features, sizing and execution lie downstream of them."""

from __future__ import annotations

from horizon.strategies.base import FunctionStrategy, Strategy, strategy
from horizon.strategies.board import FeatureBoard, FeatureValues
from horizon.strategies.context import StrategyContext
from horizon.strategies.decisions import Decision, SignalNote
from horizon.strategies.execution import SignalExecution
from horizon.strategies.features import (
    EMA,
    RSI,
    SMA,
    BollingerZ,
    Feature,
    MovingAverageCross,
    Price,
    RealizedVol,
    Return,
    Zscore,
)
from horizon.strategies.signals import Signal
from horizon.strategies.sizing import (
    EqualWeight,
    FixedNotional,
    Kelly,
    Sizer,
    SizingAccount,
    VolTarget,
)
from horizon.strategies.views import View

__all__ = [
    "EMA",
    "RSI",
    "SMA",
    "BollingerZ",
    "Decision",
    "EqualWeight",
    "Feature",
    "FeatureBoard",
    "FeatureValues",
    "FixedNotional",
    "FunctionStrategy",
    "Kelly",
    "MovingAverageCross",
    "Price",
    "RealizedVol",
    "Return",
    "Signal",
    "SignalExecution",
    "SignalNote",
    "Sizer",
    "SizingAccount",
    "Strategy",
    "StrategyContext",
    "View",
    "VolTarget",
    "Zscore",
    "strategy",
]
