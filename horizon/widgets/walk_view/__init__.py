"""A walk-forward or a cross-validation on a page."""

from __future__ import annotations

from horizon.widgets.walk_view.view import WalkForwardView

__all__ = ["WalkForwardView"]
