"""Horizon: an open workbench for trading, in notebooks and offline.

>>> import horizon as hz
>>> ex = hz.connect("paper", initial_cash_usd=100_000)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from horizon import errors
from horizon.algos import (
    TWAP,
    VWAP,
    AlgoProgress,
    ExecAlgo,
    Iceberg,
    volume_profile,
)
from horizon.amend_preview import AmendPreview
from horizon.client import ImperativeClient, connect, register_venue
from horizon.engine import Engine, EngineStatus
from horizon.errors import (
    AlgoError,
    DataError,
    FeedError,
    HorizonError,
    ModelError,
    OrderError,
    PipelineError,
    RiskRejected,
    VenueError,
)
from horizon.instruments import Crypto, Equity, Market, Option, Perp, Prediction
from horizon.preview import OrderPreview
from horizon.quoting import quotes
from horizon.risk import RiskConfig
from horizon.types import (
    AssetClass,
    Fill,
    OrderAction,
    OrderRequest,
    OrderSide,
    Position,
    Quote,
    Side,
    Urgency,
    VenueCapital,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuote,
    VenueSettlement,
)
from horizon.venues import Paper
from horizon.venues.slippage import Taking

if TYPE_CHECKING:  # what is loaded on first use, for editors and type checkers
    from horizon import analytics, backtesting, feeds, figures, running, strategies, widgets
    from horizon.analytics import (
        Metrics,
        Tearsheet,
        calibration_curve,
        edge_decay,
        generate_tearsheet,
        log_loss,
    )
    from horizon.backtesting import (
        BacktestResult,
        Played,
        backtest,
        check_lookahead,
        load_result,
    )
    from horizon.running import RunHandle, RunStatus, run
    from horizon.strategies import (
        EMA,
        RSI,
        SMA,
        BollingerZ,
        EqualWeight,
        Feature,
        FixedNotional,
        Kelly,
        MovingAverageCross,
        Price,
        RealizedVol,
        Return,
        Signal,
        SignalExecution,
        Strategy,
        VolTarget,
        Zscore,
        strategy,
    )
    from horizon.walkforward import CpcvResult, Searched, WalkForwardResult, cpcv, walk_forward
    from horizon.widgets import workbench

__version__ = "0.1.0.dev0"

__all__ = [
    "EMA",
    "RSI",
    "SMA",
    "TWAP",
    "VWAP",
    "AlgoError",
    "AlgoProgress",
    "AmendPreview",
    "AssetClass",
    "BacktestResult",
    "BollingerZ",
    "CpcvResult",
    "Crypto",
    "DataError",
    "Engine",
    "EngineStatus",
    "EqualWeight",
    "Equity",
    "ExecAlgo",
    "Feature",
    "FeedError",
    "Fill",
    "FixedNotional",
    "HorizonError",
    "Iceberg",
    "ImperativeClient",
    "Kelly",
    "Market",
    "Metrics",
    "ModelError",
    "MovingAverageCross",
    "Option",
    "OrderAction",
    "OrderError",
    "OrderPreview",
    "OrderRequest",
    "OrderSide",
    "Paper",
    "Perp",
    "PipelineError",
    "Played",
    "Position",
    "Prediction",
    "Price",
    "Quote",
    "RealizedVol",
    "Return",
    "RiskConfig",
    "RiskRejected",
    "RunHandle",
    "RunStatus",
    "Searched",
    "Side",
    "Signal",
    "SignalExecution",
    "Strategy",
    "Taking",
    "Tearsheet",
    "Urgency",
    "VenueCapital",
    "VenueError",
    "VenueFill",
    "VenueOrder",
    "VenuePosition",
    "VenueQuote",
    "VenueSettlement",
    "VolTarget",
    "WalkForwardResult",
    "Zscore",
    "analytics",
    "backtest",
    "backtesting",
    "calibration_curve",
    "check_lookahead",
    "connect",
    "cpcv",
    "edge_decay",
    "errors",
    "feeds",
    "figures",
    "generate_tearsheet",
    "load_result",
    "log_loss",
    "quotes",
    "register_venue",
    "run",
    "running",
    "strategies",
    "strategy",
    "volume_profile",
    "walk_forward",
    "walkforward",
    "widgets",
    "workbench",
]

# Loaded on first use: they are not needed to place an order.
_LAZY = (
    "analytics",
    "backtesting",
    "feeds",
    "figures",
    "running",
    "strategies",
    "walkforward",
    "widgets",
)
_LAZY_NAMES = {
    "BacktestResult": "backtesting",
    "BollingerZ": "strategies",
    "CpcvResult": "walkforward",
    "EMA": "strategies",
    "EqualWeight": "strategies",
    "Feature": "strategies",
    "FixedNotional": "strategies",
    "Kelly": "strategies",
    "Metrics": "analytics",
    "MovingAverageCross": "strategies",
    "Played": "backtesting",
    "Price": "strategies",
    "RSI": "strategies",
    "RealizedVol": "strategies",
    "Return": "strategies",
    "RunHandle": "running",
    "RunStatus": "running",
    "SMA": "strategies",
    "Searched": "walkforward",
    "Signal": "strategies",
    "SignalExecution": "strategies",
    "Strategy": "strategies",
    "Tearsheet": "analytics",
    "VolTarget": "strategies",
    "WalkForwardResult": "walkforward",
    "Zscore": "strategies",
    "backtest": "backtesting",
    "calibration_curve": "analytics",
    "check_lookahead": "backtesting",
    "cpcv": "walkforward",
    "edge_decay": "analytics",
    "generate_tearsheet": "analytics",
    "load_result": "backtesting",
    "log_loss": "analytics",
    "run": "running",
    "strategy": "strategies",
    "walk_forward": "walkforward",
    "workbench": "widgets",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY_NAMES:
        return getattr(_package(_LAZY_NAMES[name]), name)
    if name in _LAZY:
        return _package(name)
    raise AttributeError(f"module 'horizon' has no attribute {name!r}")


def _package(name: str) -> Any:
    try:
        return importlib.import_module(f"horizon.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("horizon"):
            raise
        raise ModuleNotFoundError(
            f"hz.{name} needs {error.name}: pip install 'horizon-workbench[lab]'",
            name=error.name,
        ) from error


def __dir__() -> list[str]:
    return sorted(__all__)
