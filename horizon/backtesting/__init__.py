"""Backtests: a pipeline of plain functions over recorded ticks, bars and order books."""

from __future__ import annotations

from horizon.backtesting.context import Context, FeedRow
from horizon.backtesting.lookahead import check_lookahead
from horizon.backtesting.lookahead_report import LookaheadReport
from horizon.backtesting.play import Played
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_files import load_result
from horizon.backtesting.simulate import backtest

__all__ = [
    "BacktestResult",
    "Context",
    "FeedRow",
    "LookaheadReport",
    "Played",
    "backtest",
    "check_lookahead",
    "load_result",
]
