"""Front ends in a notebook: the live desk and its parts.

Each part is a widget of its own; `workbench` puts them together. They need a running event loop,
as every notebook has, and update while the kernel is free or a cell awaits.
"""

from __future__ import annotations

from horizon.widgets.chart import PriceChart
from horizon.widgets.deck import FeedDeck
from horizon.widgets.desk import PANELS, Workbench, workbench
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.monitor import AlgoMonitor
from horizon.widgets.palette import PALETTES, Palette
from horizon.widgets.tables import Balance, Fills, Orders, Positions, Prices
from horizon.widgets.ticket import OrderTicket

__all__ = [
    "PALETTES",
    "PANELS",
    "AlgoMonitor",
    "Balance",
    "FeedDeck",
    "Fills",
    "LiveFigure",
    "OrderTicket",
    "Orders",
    "Palette",
    "Positions",
    "PriceChart",
    "Prices",
    "Workbench",
    "workbench",
]


def __dir__() -> list[str]:
    return sorted(__all__)
