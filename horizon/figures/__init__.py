"""Figures: numbers in, a plotly figure out.

Every function returns a ``plotly.graph_objects.Figure`` and shows nothing by itself. Figures are
drawn for a light page by default; ``theme="dark"`` draws for a dark one.
"""

from __future__ import annotations

from horizon.figures.execution import algo_schedule, price_and_fills
from horizon.figures.themes import THEMES, Theme, theme_named

__all__ = [
    "THEMES",
    "Theme",
    "algo_schedule",
    "price_and_fills",
    "theme_named",
]
