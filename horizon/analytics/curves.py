"""Equity curves, read from whatever they are in and checked.

A curve begins with its start: the initial capital, at the time of the first point. What a curve
says between two points is its earlier point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.arithmetic import checked_returns, ruin_of
from horizon.analytics.times import read_times
from horizon.columns import numbers
from horizon.errors import DataError

__all__ = ["Curve", "curve_of", "equity_of", "returns_of"]

Numbers = NDArray[np.float64]
Nanoseconds = NDArray[np.int64]

#: A first equity within this fraction of the initial capital is the start itself.
_SAME: Final = 1e-12
_TIME_NAMES: Final = ("timestamp", "time", "date", "datetime", "ts")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Equity through time.

    Not made by hand: `curve_of` reads one from whatever it is in.

    Attributes
    ----------
    times_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970 (UTC), never falling.
    equity : ndarray of float64, shape (n,)
        In currency; the first is the initial capital. Empty only if nothing at all was given.

    Examples
    --------
    >>> curve = hz.analytics.curve_of([("2025-01-06", 100.0), ("2025-01-07", 110.0)])
    >>> curve.initial, curve.final, curve.span_secs
    (100.0, 110.0, 86400.0)
    """

    times_ns: Nanoseconds
    equity: Numbers

    def __len__(self) -> int:
        return len(self.equity)

    @property
    def initial(self) -> float:
        """The initial capital; 0.0 of an empty curve."""
        return float(self.equity[0]) if len(self.equity) else 0.0

    @property
    def final(self) -> float:
        """The last equity; 0.0 of an empty curve."""
        return float(self.equity[-1]) if len(self.equity) else 0.0

    @property
    def span_secs(self) -> float:
        """Seconds from the start to the last point."""
        if len(self.times_ns) == 0:
            return 0.0
        return checks.ns_to_seconds(int(self.times_ns[-1]) - int(self.times_ns[0]))

    @property
    def times(self) -> NDArray[np.datetime64]:
        """The times as ``datetime64[ns]``, UTC."""
        return self.times_ns.view("datetime64[ns]")


# ------------------------------------------------------------------------ reading
def curve_of(
    data: Any, initial_capital: float | None = None, *, name: str = "equity_curve"
) -> Curve:
    """Read an equity curve.

    Parameters
    ----------
    data : list of (time, equity) tuples, Series, frame, dict of columns, array or Curve
        Or a result that has a `Curve` as its ``curve``. A Series is indexed by time; a frame has
        a column ``equity`` and one of timestamp, time, date, datetime and ts, or (pandas) its
        index; an array has shape (n, 2). Times are epoch seconds or datetimes, UTC where no zone
        is given. pandas times in a zone that are all midnight there are taken as dates.
    initial_capital : float, optional
        What the account began with, above 0; the first equity where it is None. A first equity
        that differs from it (by more than 1e-12 of it) is a return: then the start comes before
        the first point, at its time.
    name : str
        The argument's name, for messages.

    Returns
    -------
    Curve

    Raises
    ------
    DataError
        If a time cannot be read or lies before the one above it, or an equity is not a finite
        number; the row is named.
    TypeError, ValueError
        If the data has no such columns, or `initial_capital` is not above 0.

    Examples
    --------
    The first equity is a gain of 1 on the initial capital, so the start is put before it:

    >>> days = pd.to_datetime(["2025-01-06", "2025-01-07"])
    >>> curve = hz.analytics.curve_of(pd.Series([101.0, 99.0], index=days), initial_capital=100.0)
    >>> curve.equity.tolist()
    [100.0, 101.0, 99.0]
    """
    initial = (
        None if initial_capital is None else checks.positive("initial_capital", initial_capital)
    )
    if not isinstance(data, Curve):
        own = getattr(data, "curve", None)
        data = own if isinstance(own, Curve) else data
    if isinstance(data, Curve):
        times, equity = data.times_ns, data.equity
    else:
        times, equity = _columns(data, name)
    if len(equity) == 0:
        if initial is None:
            return Curve(np.zeros(0, dtype=np.int64), np.zeros(0))
        return Curve(np.zeros(1, dtype=np.int64), np.array([initial]))
    if initial is None or abs(equity[0] - initial) <= _SAME * initial:
        return Curve(times, equity)
    return Curve(np.concatenate([times[:1], times]), np.concatenate([[initial], equity]))


def returns_of(data: Any, *, name: str = "returns") -> tuple[Nanoseconds, Numbers]:
    """Read simple returns with the times at which their periods end; forms as in `curve_of`.

    A frame has a column ``return`` or ``returns``.
    """
    return _columns(data, name, ("return", "returns"))


def equity_of(returns: Any, initial: float = 1.0) -> Numbers:
    """Compound simple returns from an initial value; the start is part of the result.

    Parameters
    ----------
    returns : array-like of shape (n,)
        Simple returns per period, as fractions: 0.01 is 1 %. A NaN raises `DataError`.
    initial : float
        The first value, in currency, above 0.

    Returns
    -------
    ndarray of float64, shape (n + 1,)
        Infinite from where it overflows. From the first return of −1 or below on it stays as it
        is, 0.0 or a debt: there is no capital that a later return could be a fraction of.

    Raises
    ------
    TypeError, ValueError
        If `returns` have more than one dimension, or `initial` is not above 0.

    Examples
    --------
    >>> hz.analytics.equity_of([0.1, -0.5], initial=1_000.0).round(4).tolist()
    [1000.0, 1100.0, 550.0]

    More than everything is lost at once, and stays lost:

    >>> hz.analytics.equity_of([-1.5, 3.0]).tolist()
    [1.0, -0.5, -0.5]
    """
    values = checked_returns("returns", returns)
    scale = checks.positive("initial", initial)
    ruin = ruin_of(values)
    equity = np.empty(len(values) + 1)
    equity[0] = 1.0
    np.add(values, 1.0, out=equity[1:])
    if ruin < len(values):
        left = equity[ruin + 1]
        equity[ruin + 1 :] = 1.0
    with np.errstate(over="ignore"):
        np.cumprod(equity, out=equity)
        equity *= scale
    if ruin < len(values):
        equity[ruin + 1 :] = equity[ruin] * left if left < 0.0 else 0.0
    return equity


def _columns(
    data: Any, name: str, value_names: tuple[str, ...] = ("equity",)
) -> tuple[Nanoseconds, Numbers]:
    times, values = _two_columns(data, name, value_names)
    _refuse_numbered_days(times, name)
    for column in (times, values):
        if getattr(column, "ndim", 1) != 1:
            raise ValueError(
                f"{name} must have columns of one dimension, had one of shape {np.shape(column)}"
            )
    equity, is_bad = numbers(values)
    if is_bad.any() or not np.isfinite(equity).all():
        row = int(np.argmax(is_bad | ~np.isfinite(equity)))
        bad = values.iloc[row] if hasattr(values, "iloc") else values[row]
        bad = bad.item() if isinstance(bad, np.generic) else bad
        is_missing = not is_bad[row] and np.isnan(equity[row])
        gap = "" if not is_missing else "; drop what is missing, as in returns.dropna()"
        raise DataError(
            f"{name} must be finite numbers, row {row} has {checks.show(bad)}{gap}",
            row=row,
            value=bad,
        )
    if len(times) != len(equity):
        raise ValueError(f"{name} must have one time each, had {len(times)} and {len(equity)}")
    return read_times(name, times, "have times as epoch seconds or datetimes"), equity


def _two_columns(data: Any, name: str, value_names: tuple[str, ...]) -> tuple[Any, Any]:
    """Find the times and the values, whatever they are in."""
    has_columns = hasattr(data, "columns") or isinstance(data, dict)
    if has_columns:
        columns = list(data if isinstance(data, dict) else data.columns)
        value = _named(columns, value_names)
        time = _named(columns, _TIME_NAMES)
        if value is None:
            raise ValueError(
                f"{name} must have a column {' or '.join(map(repr, value_names))}, has "
                f"{checks.show(columns)}"
            )
        if time is not None:
            return data[time], data[value]
        if isinstance(data, dict) or not hasattr(data, "index"):
            raise ValueError(
                f"{name} must have a column of times ({', '.join(_TIME_NAMES)}), has "
                f"{checks.show(columns)}"
            )
        return _index_times(data.index, name), data[value]
    if hasattr(data, "index") and hasattr(data, "iloc"):
        return _index_times(data.index, name), data
    if isinstance(data, np.ndarray):
        if data.ndim != 2 or data.shape[1] != 2:
            raise ValueError(
                f"{name} must have shape (n, 2), times and values; was {data.shape}. A Series "
                "indexed by time says what it is"
            )
        return data[:, 0], data[:, 1]
    if isinstance(data, (str, bytes)) or not hasattr(data, "__iter__"):
        raise TypeError(
            f"{name} must be a list of (time, value) tuples, a Series indexed by time or a "
            f"frame; was {checks.show(data)} ({type(data).__name__})"
        )
    rows = data if isinstance(data, list) else list(data)
    if not rows:
        return [], []
    try:
        times, values = zip(*rows, strict=True)
    except (TypeError, ValueError):
        wrong = next(
            (i for i, row in enumerate(rows) if not hasattr(row, "__len__") or len(row) != 2), 0
        )
        raise DataError(
            f"{name} must have rows of (time, value), row {wrong} was {checks.show(rows[wrong])}",
            row=wrong,
            value=rows[wrong],
        ) from None
    return list(times), list(values)


def _named(columns: list[Any], names: tuple[str, ...]) -> Any:
    """The column that has one of the names, in any case; the first name that is there."""
    lowered = {str(column).lower(): column for column in reversed(columns)}
    return next((lowered[name] for name in names if name in lowered), None)


def _refuse_numbered_days(times: Any, name: str) -> None:
    """Refuse days written as one number, which would pass as seconds of August 1970."""
    column = times if hasattr(times, "dtype") else np.asarray(times[:2])
    if "int" not in str(column.dtype).lower() or len(column) == 0:
        return
    first = int(column.iloc[0] if hasattr(column, "iloc") else column[0])
    year, month, day = first // 10_000, first // 100 % 100, first % 100
    if 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31:
        raise DataError(
            f"{name} must have times as epoch seconds or datetimes; row 0 has {first}, which looks "
            'like a day: pd.to_datetime(times, format="%Y%m%d") reads it',
            row=0,
            value=first,
        )


def _index_times(index: Any, name: str) -> Any:
    kind = str(getattr(index, "dtype", ""))
    if kind.startswith("period"):
        index = index.to_timestamp(how="end")
    elif "int" in kind and len(index) and _counts_rows(index):
        raise ValueError(
            f"{name} must be indexed by time, its index counts rows from {index[0]} to {index[-1]}"
        )
    return index.to_series()


def _counts_rows(index: Any) -> bool:
    """Whether an index of integers numbers the rows of a table, or of a part of one."""
    first, last = int(index[0]), int(index[-1])
    return type(index).__name__ == "RangeIndex" or (
        last - first == len(index) - 1 and 0 <= first < len(index)
    )
