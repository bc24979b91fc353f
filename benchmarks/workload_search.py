"""The search of the walk-forward benchmark: twelve crossovers of two averages, five windows.

Needs NumPy alone, so that a peer's own environment can import it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from workloads import START, bars

ROWS = 100_000
WINDOWS = 5
TRAIN = 0.7
SIZE = 10.0
CASH = 1_000_000.0
FAST = (5, 10, 20)
SLOW = (60, 120, 240, 480)
#: In grid order: twelve.
SETTINGS = tuple({"fast": fast, "slow": slow} for fast in FAST for slow in SLOW)


def prices(rows: int = ROWS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ticks a second apart: times in seconds since 1970, and prices from 100 on."""
    return START + np.arange(rows, dtype=float), bars(rows)["close"]


def windows(rows: int = ROWS, count: int = WINDOWS) -> list[tuple[slice, slice]]:
    """The rows of each training, from the first on, and of the test behind it."""
    span = rows - 1.0  # seconds
    first = TRAIN * span
    edges = [math.ceil(first + (span - first) * i / count) for i in range(count)] + [rows]
    return [(slice(0, edges[i]), slice(edges[i], edges[i + 1])) for i in range(count)]
