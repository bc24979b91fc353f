"""Views of results: tearsheets and calibration, worked out again for what one chooses."""

from __future__ import annotations

from horizon.widgets.views.calibration import CalibrationView
from horizon.widgets.views.tearsheet import TearsheetView

__all__ = ["CalibrationView", "TearsheetView"]
