"""A second import path of `calibration_curve`, `log_loss` and `edge_decay`."""

from __future__ import annotations

from horizon.analytics.calibration import calibration_curve, log_loss
from horizon.analytics.decay import edge_decay

__all__ = ["calibration_curve", "edge_decay", "log_loss"]
