"""Data of the walk-forward tests."""

from typing import Any

import numpy as np
import pytest

from tests.walkforward.worked import ticks_of


@pytest.fixture
def rising() -> dict[str, Any]:
    """101 ticks a second apart that rise from 100 to 200."""
    return ticks_of(np.arange(100.0, 201.0))


@pytest.fixture
def noisy() -> dict[str, Any]:
    """300 ticks a minute apart that swing around 50."""
    generator = np.random.default_rng(7)
    prices = 50.0 + 2.0 * np.sin(np.arange(300) / 9.0) + 0.2 * generator.standard_normal(300)
    return ticks_of(prices.round(4), start=1_700_000_000.0, step=60.0)
