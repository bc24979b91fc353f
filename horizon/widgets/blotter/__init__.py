"""The blotter: every order, fill and position of an account in one grid."""

from __future__ import annotations

from horizon.widgets.blotter.widget import TABLES, Blotter

__all__ = ["TABLES", "Blotter"]
