"""What metrics of returns are made of: the check of a series, and the steps that they share."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.products import dot
from horizon.columns import numbers
from horizon.errors import DataError

__all__ = [
    "NO_SPREAD",
    "NOISE",
    "Numbers",
    "checked_returns",
    "compounded",
    "deviation",
    "open_share",
    "ratio",
    "ruin_of",
]

Numbers = NDArray[np.float64]

#: A standard deviation below this fraction of the largest return is rounding: none at all.
NO_SPREAD: Final = 1e-14
#: And so is one below this: equity that returns are made of rounds 1 + r.
NOISE: Final = 1e-15
_LARGEST_EXPONENT: Final = math.log(np.finfo(float).max)


def checked_returns(name: str, returns: Any) -> Numbers:
    """Take returns as a float array of one dimension.

    Raises
    ------
    DataError
        At the first value that is not a finite number; its row is named.
    ValueError
        If there is more than one dimension.
    """
    try:
        shape = np.shape(returns)
    except ValueError:  # rows of unlike lengths: the first that is no number is named below
        shape = (len(returns),)
    if len(shape) != 1:
        raise ValueError(f"{name} must have one dimension, had shape {shape}")
    values, is_bad = numbers(returns)
    if is_bad.any() or not np.isfinite(values).all():
        row = int(np.argmax(is_bad | ~np.isfinite(values)))
        bad = returns.iloc[row] if hasattr(returns, "iloc") else returns[row]
        bad = bad.item() if isinstance(bad, np.generic) else bad
        raise DataError(
            f"{name} must be finite numbers, row {row} has {checks.show(bad)}", row=row, value=bad
        )
    return values


def ratio(reward: float, risk: float) -> float:
    """Divide a reward by a risk of 0 or more: ``inf`` for a reward without risk, 0.0 for none."""
    if risk > 0.0:
        return reward / risk
    return math.inf if reward > 0.0 else 0.0


def compounded(log_growth: float) -> float:
    """Turn a sum of log returns into a simple return, ``inf`` where it is beyond a float."""
    return math.expm1(log_growth) if log_growth < _LARGEST_EXPONENT else math.inf


def deviation(values: Numbers, ddof: int = 1, *, size: float | None = None) -> float:
    """Standard deviation; exactly 0.0 where what is left is rounding, or there are too few.

    Rounding is 1e-14 of `size`, the largest of the numbers that the values were made of (by
    default that of the values themselves), and at least 1e-15: so much 1 + r is rounded by.
    """
    if len(values) <= ddof:
        return 0.0
    largest = float(np.abs(values).max())
    if largest == 0.0:
        return 0.0
    # In units of the largest, squares neither overflow nor vanish.
    centred = (values - values.mean()) / largest
    spread = largest * math.sqrt(dot(centred, centred) / (len(values) - ddof))
    least = max(NO_SPREAD * (largest if size is None else size), NOISE)
    return spread if spread > least else 0.0


def ruin_of(returns: Numbers) -> int:
    """Return the place of the first return by which everything is lost, −1 or below; n for none."""
    is_ruin = returns <= -1.0
    return int(is_ruin.argmax()) if is_ruin.any() else len(returns)


def open_share(name: str, value: object) -> float:
    """Take a number strictly between 0 and 1."""
    checked = checks.number(name, value)
    if not 0.0 < checked < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, both excluded, was {checked:g}")
    return checked
