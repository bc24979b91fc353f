"""Returns and profit by calendar: months, years, hours of the day and days of the week, in UTC.

Everything is read from an equity curve in any form that `curve_of` takes; its first point is the
start. A period's return is the equity at its last point over that at the last point before it,
less 1; where the equity before is not above 0 there is no such fraction, and it counts as 0.0. A
point at midnight belongs to the day, month and year that begin there, as dates are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.sampling import DAY_NS, last_of_each

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "by_hour",
    "by_month",
    "by_weekday",
    "changes",
    "daily_returns",
    "histogram",
    "is_intraday",
    "monthly_returns",
    "monthly_table",
    "profit_by_hour",
    "profit_by_weekday",
    "yearly_returns",
]

Numbers = NDArray[np.float64]

HOUR_NS: Final = 3_600 * 1_000_000_000
#: 1 January 1970 was a Thursday; Monday is 0.
_EPOCH_WEEKDAY: Final = 3


def changes(equity: Numbers) -> Numbers:
    """Simple returns between the points of a curve, shape (n − 1,).

    A return from an equity that is not above 0 counts as 0.0; one that ends below 0 is less than
    −1.
    """
    before = equity[:-1]
    if len(before) == 0:
        return np.zeros(0)
    if before.min() > 0.0:
        returns = equity[1:] / before
        returns -= 1.0
        return returns
    can = before > 0.0
    returns = np.ones(len(before))
    np.divide(equity[1:], before, out=returns, where=can)
    returns -= 1.0
    return returns


def _stretches(curve: Curve, step_ns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the last point in each stretch, and the last before it; the start is in none."""
    ends = last_of_each(curve.times_ns[1:], step_ns) + 1
    return ends, np.concatenate([np.zeros(min(1, len(ends)), dtype=np.intp), ends[:-1]])


def _by_calendar(curve: Curve, unit: str) -> tuple[list[str], Numbers]:
    """Names of the months or years that have points, and their returns."""
    days, _ = _stretches(curve, DAY_NS)
    if len(days) == 0:
        return [], np.zeros(0)
    names = curve.times_ns[days].view("datetime64[ns]").astype(f"datetime64[{unit}]")
    ends = days[np.append(np.flatnonzero(names[1:] != names[:-1]), len(days) - 1)]
    equity = curve.equity[np.concatenate([[0], ends])]
    labels = curve.times_ns[ends].view("datetime64[ns]").astype(f"datetime64[{unit}]")
    return labels.astype(str).tolist(), changes(equity)


def monthly_returns(curve: Any) -> dict[str, float]:
    """Return of each month that has points, by ``"YYYY-MM"``, as a fraction; months in UTC.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of str to float
        In order of time. A month without points is left out.

    Examples
    --------
    100 to 110 in January, 110 to 99 in March:

    >>> curve = [("2024-12-31", 100.0), ("2025-01-31", 110.0), ("2025-03-10", 99.0)]
    >>> found = hz.analytics.monthly_returns(curve)
    >>> {month: round(value, 4) for month, value in found.items()}
    {'2025-01': 0.1, '2025-03': -0.1}
    """
    names, returns = _by_calendar(curve_of(curve, name="curve"), "M")
    return dict(zip(names, returns.tolist(), strict=True))


def yearly_returns(curve: Any) -> dict[str, float]:
    """Return of each year that has points, by ``"YYYY"``, as a fraction; years in UTC.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of str to float
        In order of time. A year without points is left out.

    Examples
    --------
    >>> curve = [("2023-12-31", 100.0), ("2024-12-31", 125.0), ("2025-03-10", 100.0)]
    >>> found = hz.analytics.yearly_returns(curve)
    >>> {year: round(value, 4) for year, value in found.items()}
    {'2024': 0.25, '2025': -0.2}
    """
    names, returns = _by_calendar(curve_of(curve, name="curve"), "Y")
    return dict(zip(names, returns.tolist(), strict=True))


def monthly_table(curve: Any) -> pd.DataFrame:
    """Return of each month, one row a year, and of the whole year in the column ``"Year"``.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    pandas.DataFrame of shape (years, 13)
        Fractions, NaN where a month has no points. Indexed by the year as int, columns ``"Jan"``
        to ``"Dec"`` and ``"Year"``.

    Examples
    --------
    100 to 110 to 99 to 79.2:

    >>> curve = [("2024-12-31", 100.0), ("2025-01-31", 110.0), ("2025-02-28", 99.0),
    ...          ("2025-04-30", 79.2)]
    >>> table = hz.analytics.monthly_table(curve)
    >>> table.loc[2025, ["Jan", "Feb", "Mar", "Apr", "Year"]].round(4).tolist()
    [0.1, -0.1, nan, -0.2, -0.208]
    """
    import pandas as pd

    curve = curve_of(curve, name="curve")
    years = yearly_returns(curve)
    grid = np.full((len(years), 13), np.nan)
    rows = {year: row for row, year in enumerate(years)}
    for month, value in monthly_returns(curve).items():
        year, _, number = month.rpartition("-")
        grid[rows[year], int(number) - 1] = value
    grid[:, 12] = list(years.values())
    index = pd.Index([int(year) for year in years], name="year", dtype=int)
    return pd.DataFrame(grid, index=index, columns=[*words.MONTHS, "Year"])


def daily_returns(curve: Any) -> tuple[NDArray[np.datetime64], Numbers]:
    """Return of each UTC day that has points, with the days.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    days : ndarray of datetime64[D], shape (n,)
    returns : ndarray of float64, shape (n,)
        Fractions. The first day's is since the start; a later day's since the last day that has
        points.

    Examples
    --------
    100 to 110 on the 6th, 110 to 99 on the 7th:

    >>> curve = [("2025-01-06 09:00", 100.0), ("2025-01-06 16:00", 110.0),
    ...          ("2025-01-07 10:00", 120.0), ("2025-01-07 16:00", 99.0)]
    >>> days, returns = hz.analytics.daily_returns(curve)
    >>> days.astype(str).tolist(), returns.round(4).tolist()
    (['2025-01-06', '2025-01-07'], [0.1, -0.1])
    """
    curve = curve_of(curve, name="curve")
    ends, _ = _stretches(curve, DAY_NS)
    days = curve.times_ns[ends].view("datetime64[ns]").astype("datetime64[D]")
    equity = curve.equity[np.concatenate([np.zeros(min(1, len(curve)), dtype=np.intp), ends])]
    return days, changes(equity)


def is_intraday(curve: Any) -> bool:
    """Whether some UTC day has points in more than one hour."""
    curve = curve_of(curve, name="curve")
    hours, _ = _stretches(curve, HOUR_NS)
    return len(hours) > len(_stretches(curve, DAY_NS)[0])


def by_hour(curve: Any) -> dict[int, float]:
    """Mean return of an hour, by hour of the day (0 to 23, UTC).

    Each clock hour that has points counts once, however many points there are in it. A point on
    the hour ends the hour before it, as bars bear the time of their end; of daily data, which has
    no hours, it is the day's. The first hour after a break has the return since the break began.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of int to float
        Fractions; hours without points are left out.

    Examples
    --------
    From 9 to 10 h 100 to 110, from 10 to 11 h 110 to 99:

    >>> curve = [("2025-01-06 09:00", 100.0), ("2025-01-06 09:30", 105.0),
    ...          ("2025-01-06 10:00", 110.0), ("2025-01-06 11:00", 99.0)]
    >>> found = hz.analytics.by_hour(curve)
    >>> {hour: round(value, 4) for hour, value in found.items()}
    {9: 0.1, 10: -0.1}
    """
    return _means(*_hours(curve))


def by_weekday(curve: Any) -> dict[int, float]:
    """Mean return of a day, by day of the week (0 is Monday, UTC).

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of int to float
        Fractions; weekdays without points are left out.

    Examples
    --------
    Two Tuesdays, +10 % and −10 %, and a Sunday, +50 %:

    >>> curve = [("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-14", 99.0),
    ...          ("2025-01-19", 148.5)]
    >>> found = hz.analytics.by_weekday(curve)
    >>> {day: round(value, 4) + 0.0 for day, value in found.items()}
    {1: 0.0, 6: 0.5}
    """
    return _means(*_weekdays(curve))


def by_month(curve: Any) -> dict[int, float]:
    """Mean return of a calendar month, by month of the year (1 to 12, UTC).

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of int to float
        Fractions; months without points are left out.

    Examples
    --------
    Two Januaries, +10 % and +20 %, and a February, −10 %:

    >>> curve = [("2023-12-31", 100.0), ("2024-01-31", 110.0), ("2024-02-29", 99.0),
    ...          ("2025-01-31", 118.8)]
    >>> found = hz.analytics.by_month(curve)
    >>> {month: round(value, 4) for month, value in found.items()}
    {1: 0.15, 2: -0.1}
    """
    found: dict[int, list[float]] = {}
    for month, value in monthly_returns(curve).items():
        found.setdefault(int(month.rpartition("-")[2]), []).append(value)
    return {month: sum(found[month]) / len(found[month]) for month in sorted(found)}


def profit_by_hour(curve: Any) -> dict[int, float]:
    """Change of equity in currency, summed by hour of the day (0 to 23, UTC), as in `by_hour`.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of int to float
        Currency; hours without points are left out.

    Examples
    --------
    >>> curve = [("2025-01-06 09:00", 100.0), ("2025-01-06 10:00", 110.0),
    ...          ("2025-01-06 11:00", 99.0)]
    >>> hz.analytics.profit_by_hour(curve)
    {9: 10.0, 10: -11.0}
    """
    return _profits(*_hours(curve))


def profit_by_weekday(curve: Any) -> dict[int, float]:
    """Change of equity in currency, summed by day of the week (0 is Monday, UTC).

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
        The first point is the start: no return ends there.

    Returns
    -------
    dict of int to float
        Currency; weekdays without points are left out.

    Examples
    --------
    Two Tuesdays, +10 and −11, and a Sunday, +49.5:

    >>> curve = [("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-14", 99.0),
    ...          ("2025-01-19", 148.5)]
    >>> hz.analytics.profit_by_weekday(curve)
    {1: -1.0, 6: 49.5}
    """
    return _profits(*_weekdays(curve))


#: For each stretch of the clock its key, and the equity at its end, the start's before all.
_Keyed = tuple[NDArray[np.int64], Numbers]


def _hours(curve: Any) -> _Keyed:
    curve = curve_of(curve, name="curve")
    if is_intraday(curve):
        curve = Curve(curve.times_ns - 1, curve.equity)
    return _keyed(curve, HOUR_NS, 24, 0)


def _weekdays(curve: Any) -> _Keyed:
    return _keyed(curve_of(curve, name="curve"), DAY_NS, 7, _EPOCH_WEEKDAY)


def _keyed(curve: Curve, step_ns: int, count: int, shift: int) -> _Keyed:
    ends, _ = _stretches(curve, step_ns)
    kept = np.concatenate([np.zeros(min(1, len(curve)), dtype=np.intp), ends])
    return (curve.times_ns[ends] // step_ns + shift) % count, curve.equity[kept]


def _means(keys: NDArray[np.int64], equity: Numbers) -> dict[int, float]:
    totals, numbers = _totals(keys, changes(equity)), np.bincount(keys)
    return {key: total / int(numbers[key]) for key, total in totals.items()}


def _profits(keys: NDArray[np.int64], equity: Numbers) -> dict[int, float]:
    return _totals(keys, np.diff(equity))


def _totals(keys: NDArray[np.int64], values: Numbers) -> dict[int, float]:
    totals = np.bincount(keys, weights=values)
    return {int(key): float(totals[key]) for key in np.unique(keys)}


def histogram(returns: Numbers, bins: Any = None) -> tuple[Numbers, NDArray[np.int64]]:
    """Count returns in equal bins.

    Parameters
    ----------
    returns : ndarray of shape (n,)
    bins : int, optional
        By default as many as the rule of Freedman and Diaconis (1981) asks, within 5 to 120.

    Returns
    -------
    ndarray of float64, shape (bins + 1,)
        Edges; of equal returns one bin of a millionth of their size. Empty without returns.
    ndarray of int64, shape (bins,)
        Counts; the last bin is closed.
    """
    n = len(returns)
    if n == 0:
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    low, high = float(returns.min()), float(returns.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        half = max(abs(low), 1e-6) * 5e-7
        return np.array([low - half, high + half]), np.array([n], dtype=np.int64)
    if bins is None:
        lower, upper = np.quantile(returns, [0.25, 0.75])
        width = 2.0 * float(upper - lower) / n ** (1.0 / 3.0)
        count = int(min(max(np.ceil((high - low) / width), 5), 120)) if width > 0.0 else 30
    else:
        count = checks.integer("bins", bins)
    counts, edges = np.histogram(returns, bins=count, range=(low, high))
    return edges, counts.astype(np.int64)
