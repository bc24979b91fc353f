"""Drawdowns of an equity curve: how far below its highest it was, and for how long.

`equity` is an array of shape (n,) whose first value is the initial capital, so that a loss on
the first day is a drawdown; `equity_of` makes one of returns. Depths are positive: 0.2 is a fall
of 20 % from the peak, and where equity falls below 0 it is above 1. As long as the highest is not
above 0 there is no fraction of it, and the depth counts as 0.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import checked_returns
from horizon.analytics.forecasts import same_labels
from horizon.analytics.products import dot
from horizon.analytics.times import read_stamps

__all__ = [
    "DrawdownRecord",
    "Episodes",
    "drawdowns",
    "episodes_of",
    "max_drawdown",
    "max_drawdown_duration",
    "max_drawdown_money",
    "running_peak",
    "time_under_water",
    "underwater",
]

Numbers = NDArray[np.float64]
Nanoseconds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DrawdownRecord:
    """One stretch below a peak.

    Not made by hand: `drawdowns` returns them.

    Attributes
    ----------
    peak_time, trough_time : float
        Last moment at the peak, and the moment of the lowest fraction; seconds since 1970.
    recovery_time : float or None
        First moment at the peak again; None if that has not come.
    depth : float
        Largest fall as a fraction of the peak, positive.
    depth_money : float
        The same fall in currency, positive.
    duration_secs : float
        From the peak to the recovery, or to the last point.
    recovery_secs : float or None
        From the trough to the recovery.

    Examples
    --------
    >>> days = np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], "datetime64[D]")
    >>> fall = hz.analytics.drawdowns(days, [100.0, 80.0, 90.0, 110.0])[0]
    >>> round(fall.depth, 4), fall.depth_money
    (0.2, 20.0)

    Three days from the peak to above it, two of them from the trough:

    >>> fall.duration_secs / 86_400, fall.recovery_secs / 86_400
    (3.0, 2.0)
    """

    peak_time: float
    trough_time: float
    recovery_time: float | None
    depth: float
    depth_money: float
    duration_secs: float
    recovery_secs: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """Every stretch below a peak, as indices into the curve; one element each.

    Attributes
    ----------
    peaks : ndarray of int
        Last point at the peak.
    ends : ndarray of int
        First point at the peak again, or the curve's last point.
    depths : ndarray of float64
    is_over : ndarray of bool
        Whether the peak was reached again.
    """

    peaks: NDArray[np.intp]
    ends: NDArray[np.intp]
    depths: Numbers
    is_over: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.peaks)


def _with_times(times_ns: Any, equity: Any) -> tuple[Nanoseconds, Numbers]:
    """Take equity with a time for each point, in order of time."""
    values = checked_returns("equity", equity)
    same_labels(times_ns=times_ns, equity=equity)
    size = np.size(times_ns) if not hasattr(times_ns, "__len__") else len(times_ns)
    if size != len(values) or np.ndim(times_ns) != 1:
        raise ValueError(
            f"times_ns must have a time for each of equity, had {size} for {len(values)}"
        )
    return read_stamps("times_ns", times_ns), values


def running_peak(equity: Any) -> Numbers:
    """Return the highest value so far, at each point.

    Parameters
    ----------
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> hz.analytics.running_peak([100.0, 120.0, 90.0, 130.0]).tolist()
    [100.0, 120.0, 120.0, 130.0]
    """
    return np.maximum.accumulate(checked_returns("equity", equity))


def underwater(equity: Any) -> Numbers:
    """Return how far each point is below the highest so far: equity / peak − 1, 0 or less.

    Parameters
    ----------
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.

    Returns
    -------
    ndarray of float64, shape (n,)
        0.0 as long as no peak is above 0.

    Examples
    --------
    90 is a quarter below 120:

    >>> hz.analytics.underwater([100.0, 120.0, 90.0, 130.0]).tolist()
    [0.0, 0.0, -0.25, 0.0]
    """
    values = checked_returns("equity", equity)
    return below_peak(values, np.maximum.accumulate(values))


def below_peak(equity: Numbers, peak: Numbers) -> Numbers:
    """Return equity / peak − 1 where the peak is above 0, elsewhere 0."""
    if len(peak) and peak[0] > 0.0:  # the highest so far never falls
        depth = equity / peak
        depth -= 1.0
        return depth
    depth = np.zeros(len(equity))
    np.divide(equity, peak, out=depth, where=peak > 0.0)
    depth[peak > 0.0] -= 1.0
    return depth


def max_drawdown(equity: Any) -> float:
    """Largest fall from a peak, as a positive fraction of it.

    Parameters
    ----------
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 if there is none; above 1 where equity falls below 0.

    Examples
    --------
    A quarter, from 120 to 90; of returns, `equity_of` makes a curve.

    >>> hz.analytics.max_drawdown([100.0, 120.0, 90.0, 130.0])
    0.25
    >>> round(hz.analytics.max_drawdown(hz.analytics.equity_of([-0.2, 0.1])), 4)
    0.2
    """
    depth = underwater(equity)
    return -float(depth.min()) + 0.0 if len(depth) else 0.0


def max_drawdown_money(equity: Any) -> float:
    """Largest fall from a peak in currency, positive; it may be another one than the deepest.

    Parameters
    ----------
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 if there is none.

    Examples
    --------
    The deepest is the half of 10, the largest in money the tenth of 100:

    >>> hz.analytics.max_drawdown_money([10.0, 5.0, 100.0, 90.0])
    10.0
    """
    values = checked_returns("equity", equity)
    return float((np.maximum.accumulate(values) - values).max()) if len(values) else 0.0


def episodes_of(depth: Numbers) -> Episodes:
    """Cut an underwater curve into its stretches below the peak.

    Parameters
    ----------
    depth : ndarray of float64, shape (n,)
        As `underwater` gives it; the first is 0.
    """
    n = len(depth)
    is_below = depth < 0.0
    edges = np.flatnonzero(is_below[1:] != is_below[:-1])
    if len(edges) == 0:
        nothing = np.zeros(0, dtype=np.intp)
        return Episodes(nothing, nothing, np.zeros(0), np.zeros(0, dtype=bool))
    peaks = edges[::2]  # the last point that is not below
    ends = edges[1::2] + 1
    is_over = np.ones(len(peaks), dtype=bool)
    if len(ends) < len(peaks):
        ends = np.append(ends, n - 1)
        is_over[-1] = False
    # Points at a peak are 0, so one reduction over [peak, next peak) sees the stretch alone.
    depths = -np.minimum.reduceat(depth, peaks)
    return Episodes(peaks, ends, depths, is_over)


def drawdowns(times_ns: Any, equity: Any, *, most: int | None = 5) -> list[DrawdownRecord]:
    """List the deepest drawdowns, the deepest first; of equals the earlier.

    Parameters
    ----------
    times_ns : array-like of datetimes or int64, shape (n,)
        One for each of `equity`, never falling: datetimes of any kind or ISO text, UTC where no
        zone is given; or integers, which are nanoseconds since 1970 (UTC). The ``asi8`` of a
        pandas index has its own unit, which pandas 3 makes microseconds: give the index itself.
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.
    most : int or None
        How many at most; None for all.

    Returns
    -------
    list of DrawdownRecord

    Raises
    ------
    DataError
        At the first equity that is not a finite number, and at the first time that is missing
        (NaT) or lies before the one above it; the row and the value are named.
    TypeError, ValueError
        If there is not one time for each of `equity`, the labels of two Series differ, or times
        are neither integers nor datetimes.

    Examples
    --------
    120 to 90 is a quarter and was made good; 130 to 117 is a tenth and was not.

    >>> seconds = np.arange(5) * 1_000_000_000
    >>> falls = hz.analytics.drawdowns(seconds, [120.0, 90.0, 120.0, 130.0, 117.0])
    >>> [(round(fall.depth, 4), fall.recovery_time) for fall in falls]
    [(0.25, 2.0), (0.1, None)]
    """
    times_ns, equity = _with_times(times_ns, equity)
    depth = underwater(equity)
    episodes = episodes_of(depth)
    order = np.argsort(-episodes.depths, kind="stable")
    if most is not None:
        order = order[: checks.integer("most", most)]
    return [record_of(times_ns, equity, depth, episodes, int(i)) for i in order]


def record_of(
    times_ns: Nanoseconds, equity: Numbers, depth: Numbers, episodes: Episodes, number: int
) -> DrawdownRecord:
    """Describe one stretch below a peak."""
    peak, end = int(episodes.peaks[number]), int(episodes.ends[number])
    trough = peak + int(np.argmin(depth[peak : end + 1]))
    peak_ns, trough_ns, end_ns = (int(times_ns[i]) for i in (peak, trough, end))
    is_over = bool(episodes.is_over[number])
    return DrawdownRecord(
        peak_time=checks.ns_to_seconds(peak_ns),
        trough_time=checks.ns_to_seconds(trough_ns),
        recovery_time=checks.ns_to_seconds(end_ns) if is_over else None,
        depth=float(episodes.depths[number]),
        depth_money=float(equity[peak]) - float(equity[trough]),
        duration_secs=checks.ns_to_seconds(end_ns - peak_ns),
        recovery_secs=checks.ns_to_seconds(end_ns - trough_ns) if is_over else None,
    )


def max_drawdown_duration(times_ns: Any, equity: Any, *, counted: str = "peak") -> float:
    """Longest drawdown, in seconds, to its recovery or to the last point.

    Parameters
    ----------
    times_ns : array-like of datetimes or int64, shape (n,)
        One for each of `equity`, never falling: datetimes of any kind or ISO text, UTC where no
        zone is given; or integers, which are nanoseconds since 1970 (UTC). The ``asi8`` of a
        pandas index has its own unit, which pandas 3 makes microseconds: give the index itself.
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.
    counted : {"peak", "below"}
        From the last point at the peak; or, as in Chan (2009), from the first point below it,
        which is one period less.

    Returns
    -------
    float
        0.0 without a drawdown.

    Raises
    ------
    DataError
        At the first equity that is not a finite number, and at the first time that is missing
        (NaT) or lies before the one above it; the row and the value are named.
    TypeError, ValueError
        If there is not one time for each of `equity`, the labels of two Series differ, or times
        are neither integers nor datetimes.

    References
    ----------
    Chan (2009), Quantitative Trading.

    Examples
    --------
    From the peak on day 0 to the new high on day 3; the first point below is on day 1.

    >>> days = np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]")
    >>> equity = [100.0, 80.0, 90.0, 110.0]
    >>> hz.analytics.max_drawdown_duration(days, equity) / 86_400
    3.0
    >>> hz.analytics.max_drawdown_duration(days, equity, counted="below") / 86_400
    2.0
    """
    checks.one_of("counted", counted, ("peak", "below"))
    times_ns, equity = _with_times(times_ns, equity)
    episodes = episodes_of(underwater(equity))
    if len(episodes) == 0:
        return 0.0
    begins = episodes.peaks + (counted == "below")
    return checks.ns_to_seconds(int((times_ns[episodes.ends] - times_ns[begins]).max()))


def time_under_water(times_ns: Any, equity: Any) -> float:
    """Share of the time that was spent below a peak, 0 to 1; each point holds until the next.

    Parameters
    ----------
    times_ns : array-like of datetimes or int64, shape (n,)
        One for each of `equity`, never falling: datetimes of any kind or ISO text, UTC where no
        zone is given; or integers, which are nanoseconds since 1970 (UTC). The ``asi8`` of a
        pandas index has its own unit, which pandas 3 makes microseconds: give the index itself.
    equity : array-like of shape (n,)
        Equity in currency; the first value is the initial capital. A NaN raises `DataError`.

    Returns
    -------
    float
        0.0 for no span.

    Raises
    ------
    DataError
        At the first equity that is not a finite number, and at the first time that is missing
        (NaT) or lies before the one above it; the row and the value are named.
    TypeError, ValueError
        If there is not one time for each of `equity`, the labels of two Series differ, or times
        are neither integers nor datetimes.

    Examples
    --------
    Below from the 10th second to the 40th, of 100:

    >>> times = np.array([0, 10, 40, 100]) * 1_000_000_000
    >>> hz.analytics.time_under_water(times, [100.0, 90.0, 100.0, 120.0])
    0.3
    """
    times_ns, equity = _with_times(times_ns, equity)
    span = int(times_ns[-1]) - int(times_ns[0]) if len(times_ns) else 0
    if span == 0:
        return 0.0
    is_below = underwater(equity)[:-1] < 0.0
    return dot(np.diff(times_ns).astype(np.float64), is_below) / span
