"""The backtest explorer: a pipeline's parameters as controls, its results side by side."""

from horizon.widgets.explorer.panel import BacktestExplorer
from horizon.widgets.explorer.space import Range

__all__ = ["BacktestExplorer", "Range"]
