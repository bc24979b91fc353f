"""How often an equity curve is sampled for ratios, and how many returns make a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.curves import Curve, curve_of

__all__ = ["DAY_NS", "YEAR_SECONDS", "Sampling", "last_of_each"]

DAY_NS: Final = 86_400 * 1_000_000_000
#: Seconds of a mean Julian year.
YEAR_SECONDS: Final = 365.25 * 86_400
#: Data that spans at least so many days is sampled daily.
_DAILY_FROM: Final = 30
#: Returns per year that markets have by convention: trading days, and days.
_USUAL: Final = (252.0, 365.0)
#: Fewer closes a year than these are no longer of days, and no longer of weeks.
_WEEKLY: Final = 60.0
_MONTHLY: Final = 14.0
#: How near the counted number of returns per year must be to a usual one.
_NEAR: Final = 0.03


@dataclass(frozen=True, slots=True)
class Sampling:
    """How often returns are taken, and how many of them make a year.

    It is decided once, from a whole data set, and handed to every window of it, so that ratios
    of windows can be compared.

    Parameters
    ----------
    kind : {"daily", "points"}
        Closes of UTC days, or every point of the curve.
    periods_per_year : float
        Returns in a year; 0 where nothing can be annualised.

    Examples
    --------
    An hourly curve of one day: a point an hour is 24 · 365.25 a year.

    >>> times = 3_600.0 * np.arange(25)
    >>> how = hz.analytics.Sampling.of(np.column_stack([times, 100.0 + times]))
    >>> how.kind, round(how.periods_per_year, 4)
    ('points', 8766.0)
    """

    kind: Literal["daily", "points"]
    periods_per_year: float

    def __post_init__(self) -> None:
        checks.one_of("kind", self.kind, ("daily", "points"))
        checks.non_negative("periods_per_year", self.periods_per_year)

    @classmethod
    def of(
        cls,
        curve: Any,
        *,
        kind: str = "auto",
        periods_per_year: float | None = None,
    ) -> Sampling:
        """Decide from the data.

        Parameters
        ----------
        curve : Curve, or an equity curve in any form that `curve_of` takes
            The whole data.
        kind : {"auto", "daily", "points"}
            ``"auto"`` takes daily closes where the data spans at least 30 days.
        periods_per_year : float, optional
            Overrides what is counted: the number of returns over the span in years of 365.25
            days, taken to be 252 or 365 where it is within 3 % of one of these. A span of 0
            gives 0, and so do points of less than 32 ns apart.
        """
        curve = curve_of(curve, name="curve")
        checks.one_of("sampling", kind, ("auto", "daily", "points"))
        span = curve.span_secs
        chosen: Literal["daily", "points"] = (
            "daily"
            if kind == "daily" or (kind == "auto" and span >= _DAILY_FROM * 86_400)
            else "points"
        )
        if periods_per_year is not None:
            return cls(chosen, checks.positive("periods_per_year", periods_per_year))
        kept = _chosen(curve, chosen)
        returns = len(kept) - 1
        if returns > 0 and curve.times_ns[kept[0]] == curve.times_ns[kept[1]]:
            returns -= 1  # from the initial capital to the first equity took no time
        return cls.counted(chosen, returns, span)

    @classmethod
    def counted(cls, kind: Literal["daily", "points"], returns: int, span_secs: float) -> Sampling:
        """Decide the returns of a year from how many there are; see `of`.

        Parameters
        ----------
        kind : {"daily", "points"}
        returns : int
            In the whole data, those that took time.
        span_secs : float
            From its first point to its last.
        """
        if span_secs <= 0.0 or returns < 1:
            return cls(kind, 0.0)
        counted = returns * YEAR_SECONDS / span_secs
        if counted > checks.LARGEST:
            return cls(kind, 0.0)
        nearest = min(_USUAL, key=lambda usual: abs(counted / usual - 1.0))
        return cls(kind, nearest if abs(counted / nearest - 1.0) <= _NEAR else counted)

    def take(self, curve: Curve) -> Curve:
        """Return the start and the points that returns are taken between.

        Parameters
        ----------
        curve : Curve
            The same curve where every point is taken.
        """
        kept = _chosen(curve, self.kind)
        if len(kept) == len(curve):
            return curve
        return Curve(curve.times_ns[kept], curve.equity[kept])

    @property
    def period(self) -> str:
        """What one return is of: ``"day"``, ``"week"``, ``"month"`` or ``"point"``.

        Daily closes of which there are fewer than 60 in a year are those of weeks, and below 14
        those of months.
        """
        if self.kind == "points":
            return "point"
        if self.periods_per_year >= _WEEKLY or self.periods_per_year == 0.0:
            return "day"
        return "week" if self.periods_per_year >= _MONTHLY else "month"

    @property
    def each(self) -> str:
        """The period as an adjective: ``"daily"``, ``"weekly"``, ``"monthly"``, …"""
        words = {"day": "daily", "week": "weekly", "month": "monthly", "point": "point to point"}
        return words[self.period]


def _chosen(curve: Curve, kind: str) -> NDArray[np.intp]:
    if kind == "points" or len(curve) < 2:
        return np.arange(len(curve))
    closes = last_of_each(curve.times_ns[1:], DAY_NS) + 1
    return np.concatenate([np.zeros(1, dtype=np.intp), closes])


def last_of_each(times_ns: NDArray[np.int64], step_ns: int) -> NDArray[np.intp]:
    """Find the last point in each stretch of `step_ns` since 1970 that has points at all.

    Parameters
    ----------
    times_ns : ndarray of int64, shape (n,)
        Never falling.

    Returns
    -------
    ndarray of int
        Indices, rising.
    """
    n = len(times_ns)
    if n == 0:
        return np.zeros(0, dtype=np.intp)
    first, last = int(times_ns[0]) // step_ns, int(times_ns[-1]) // step_ns
    if last - first < n // 4:  # few stretches of many points: look for their ends
        ends = np.arange(first + 1, last + 1, dtype=np.int64) * step_ns
        ends_at = np.append(np.searchsorted(times_ns, ends, side="left"), n) - 1
        ends_at = ends_at[np.diff(ends_at, prepend=-1) > 0]
        return ends_at.astype(np.intp)
    stretches = times_ns // step_ns
    return np.append(np.flatnonzero(stretches[1:] != stretches[:-1]), n - 1)
