"""Figures: numbers in, a plotly figure out.

Every function returns a ``plotly.graph_objects.Figure`` and shows nothing by itself. Figures are
drawn for a light page by default; ``theme="dark"`` draws for a dark one.
"""

from __future__ import annotations

from horizon.figures.calibration import edge_decay, reliability_diagram
from horizon.figures.chained import out_of_sample
from horizon.figures.chance import trials
from horizon.figures.curves import equity_curves
from horizon.figures.depth import book_depth
from horizon.figures.execution import algo_schedule, price_and_fills
from horizon.figures.export import save
from horizon.figures.heat_maps import parameter_heat_map
from horizon.figures.long import LongFigure
from horizon.figures.performance import tearsheet
from horizon.figures.themes import THEMES, Theme, theme_named
from horizon.figures.train_test import train_against_test
from horizon.figures.volume import volume_profile
from horizon.figures.walk_forward import windows_timeline

__all__ = [
    "THEMES",
    "LongFigure",
    "Theme",
    "algo_schedule",
    "book_depth",
    "edge_decay",
    "equity_curves",
    "out_of_sample",
    "parameter_heat_map",
    "price_and_fills",
    "reliability_diagram",
    "save",
    "tearsheet",
    "theme_named",
    "train_against_test",
    "trials",
    "volume_profile",
    "windows_timeline",
]


def __dir__() -> list[str]:
    return sorted(__all__)
