"""Which setting a training window chooses."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["best_of"]


def best_of(objectives: Mapping[int, float], *, maximize: bool) -> int:
    """Return the setting with the best objective.

    Parameters
    ----------
    objectives : mapping of int to float
        By setting, in any order; NaN for one that says nothing.
    maximize : bool
        Whether more is better.

    Returns
    -------
    int
        Of equal ones the first; where none says anything, the first of all.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not objectives:
        raise ValueError("there must be at least one setting to choose from, was none")
    sign = -1.0 if maximize else 1.0
    return min(
        objectives,
        key=lambda setting: (
            math.isnan(objectives[setting]),
            0.0 if math.isnan(objectives[setting]) else sign * objectives[setting],
            setting,
        ),
    )
