"""A run in the background on a page."""

from __future__ import annotations

from horizon.widgets.run_monitor.monitor import RunMonitor

__all__ = ["RunMonitor"]
