"""Execution algorithms: work a large order as many small ones."""

from horizon.algos.base import ExecAlgo
from horizon.algos.iceberg import Iceberg
from horizon.algos.profile import volume_profile
from horizon.algos.progress import AlgoProgress, SliceProgress
from horizon.algos.twap import TWAP
from horizon.algos.vwap import VWAP

__all__ = [
    "TWAP",
    "VWAP",
    "AlgoProgress",
    "ExecAlgo",
    "Iceberg",
    "SliceProgress",
    "volume_profile",
]
