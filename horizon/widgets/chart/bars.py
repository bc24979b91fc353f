"""Bars made of ticks, and the widths that a chart offers for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon.widgets.tape import Numbers, Ticks

__all__ = ["WIDTHS", "Bars", "bars_of", "fitting"]

#: Widths of a bar in seconds, smallest first, with their names.
WIDTHS: Final = (
    (1, "1 s"),
    (5, "5 s"),
    (15, "15 s"),
    (60, "1 min"),
    (300, "5 min"),
    (900, "15 min"),
    (3_600, "1 h"),
    (14_400, "4 h"),
    (86_400, "1 d"),
    (7 * 86_400, "7 d"),
    (28 * 86_400, "28 d"),
)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars in order of time; one without a tick is not there.

    Attributes
    ----------
    width : int
        Seconds.
    starts : ndarray
        Seconds since 1970.
    opens, highs, lows, closes : ndarray
    volumes : ndarray or None
        Units; NaN in a bar that was told none, None where no tick tells any.
    counts : ndarray of int
        Ticks of each.
    """

    width: int
    starts: Numbers
    opens: Numbers
    highs: Numbers
    lows: Numbers
    closes: Numbers
    volumes: Numbers | None
    counts: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.starts)


def fitting(seconds: float, most: int, least: int = 0) -> int:
    """Choose the smallest width, of at least `least`, with which so long a stretch has at most
    `most` bars; beyond the widest, the widest."""
    offered = [width for width, _ in WIDTHS if width >= least]
    return next((width for width in offered if seconds / width <= most - 1), WIDTHS[-1][0])


def bars_of(ticks: Ticks, width: int) -> Bars:
    """Make bars so many seconds wide, which begin at whole multiples of it since 1970 (UTC)."""
    keys = ticks.times // (width * 1_000_000_000)
    edges = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    ends = np.append(edges[1:], len(keys))
    prices = ticks.prices
    return Bars(
        width=width,
        starts=keys[edges].astype(np.float64) * width,
        opens=prices[edges],
        highs=np.maximum.reduceat(prices, edges),
        lows=np.minimum.reduceat(prices, edges),
        closes=prices[ends - 1],
        volumes=None if ticks.volumes is None else _sums(ticks.volumes, edges),
        counts=ends - edges,
    )


def _sums(volumes: Numbers, edges: NDArray[np.intp]) -> Numbers:
    told = ~np.isnan(volumes)
    sums = np.add.reduceat(np.where(told, volumes, 0.0), edges)
    sums[~np.logical_or.reduceat(told, edges)] = np.nan
    return sums
