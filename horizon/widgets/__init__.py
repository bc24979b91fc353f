"""Front ends in a notebook: the desk, its parts, and what shows backtests, searches and runs.

Each part is a widget of its own; `workbench` puts them together. They need a running event loop,
as every notebook has, and update while the kernel is free or a cell awaits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horizon.widgets.blotter import Blotter
from horizon.widgets.chart import PriceChart
from horizon.widgets.deck import FeedDeck
from horizon.widgets.desk import PANELS, Layout, Workbench, workbench
from horizon.widgets.hotkeys import Hotkeys
from horizon.widgets.ladder import BookLadder
from horizon.widgets.monitor import AlgoMonitor
from horizon.widgets.palette import PALETTES, Palette
from horizon.widgets.tables import Balance, Fills, Orders, Positions, Prices
from horizon.widgets.ticket import OrderTicket

if TYPE_CHECKING:
    from horizon.widgets.explorer import BacktestExplorer, Range
    from horizon.widgets.live_figure import LiveFigure
    from horizon.widgets.run_monitor import RunMonitor
    from horizon.widgets.views import CalibrationView, TearsheetView
    from horizon.widgets.walk_view import WalkForwardView

__all__ = [
    "PALETTES",
    "PANELS",
    "AlgoMonitor",
    "BacktestExplorer",
    "Balance",
    "Blotter",
    "BookLadder",
    "CalibrationView",
    "FeedDeck",
    "Fills",
    "Hotkeys",
    "Layout",
    "LiveFigure",
    "OrderTicket",
    "Orders",
    "Palette",
    "Positions",
    "PriceChart",
    "Prices",
    "Range",
    "RunMonitor",
    "TearsheetView",
    "WalkForwardView",
    "Workbench",
    "workbench",
]

# A desk to trade by hand needs neither plotly nor pandas; these do, and come when first named.
_LAZY = {
    "BacktestExplorer": "horizon.widgets.explorer",
    "CalibrationView": "horizon.widgets.views",
    "LiveFigure": "horizon.widgets.live_figure",
    "Range": "horizon.widgets.explorer",
    "RunMonitor": "horizon.widgets.run_monitor",
    "TearsheetView": "horizon.widgets.views",
    "WalkForwardView": "horizon.widgets.walk_view",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
