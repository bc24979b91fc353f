"""The command line: ``horizon desk``, ``horizon tearsheet`` and ``horizon backtest``."""

from __future__ import annotations

from horizon.cli.group import main

__all__ = ["main"]
