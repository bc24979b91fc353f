"""The desk: the front ends of one account in one output, where its user wants them."""

from __future__ import annotations

from horizon.widgets.desk.assembly import Workbench, workbench
from horizon.widgets.desk.layout import Column, Layout, Stack
from horizon.widgets.desk.presets import PANELS

__all__ = ["PANELS", "Column", "Layout", "Stack", "Workbench", "workbench"]
