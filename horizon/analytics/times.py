"""Times of a curve, in any form, as nanoseconds in order: one reader for all that take them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.columns import NEVER, nanoseconds
from horizon.errors import DataError

__all__ = ["read_stamps", "read_times"]

Nanoseconds = NDArray[np.int64]

_LATEST_NS: Final = 2**63 - 1
#: What is idle in a time that is written with all its digits.
_IDLE: Final = ("T00:00:00.000000000", ".000000000")


def read_times(name: str, times: Any, accepted: str) -> Nanoseconds:
    """Read times in order: epoch seconds, datetimes of any kind, or ISO text.

    UTC where no zone is given. pandas times in a zone that are all midnight there are taken as
    dates.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    times : list, array or Series
    accepted : str
        What it must be or have, for messages.

    Raises
    ------
    DataError
        At the first time that cannot be read or lies before the one above it.
    """
    times = _dates(times)
    stamps = nanoseconds(times, None)
    if len(stamps) and stamps.min() == NEVER:
        row = int(np.argmax(stamps == NEVER))
        bad = times.iloc[row] if hasattr(times, "iloc") else times[row]
        raise _unread(name, accepted, row, bad)
    _require_order(name, stamps, stamps.view("datetime64[ns]"))
    return stamps


def read_stamps(name: str, times: Any) -> Nanoseconds:
    """Read times in order, as `read_times` does, but for numbers: integers are nanoseconds.

    Raises
    ------
    TypeError
        If there are numbers that are no integers.
    DataError
        At the first time that cannot be read or lies before the one above it, or that is not an
        integer as others are.
    """
    array = times if isinstance(times, np.ndarray) else np.asarray(times)
    if array.dtype.kind == "f" and "int" in str(getattr(times, "dtype", "")).lower():
        array = np.asarray(times, dtype=object)  # integers of which some are missing
    kind = array.dtype.kind
    if kind == "O" and array.ndim == 1:
        are_integers = [
            isinstance(one, (int, np.integer)) and not isinstance(one, bool) for one in array
        ]
        if any(are_integers):
            kind = "i"
            if not all(are_integers):
                row = are_integers.index(False)
                accepted = "all be integers (nanoseconds) or all be datetimes"
                raise _unread(name, accepted, row, array[row])
        elif any(isinstance(one, (bool, float, np.floating)) and one == one for one in array):
            kind = "f"
    if len(array) and kind not in "iuMOUT":
        raise TypeError(f"{name} must be integers (nanoseconds) or datetimes, was {array.dtype}")
    if kind not in "iu":
        return read_times(name, times, "be times")
    beyond = array > _LATEST_NS if array.dtype.kind in "uO" else np.zeros(array.shape, dtype=bool)
    if beyond.any():
        row = int(np.argmax(beyond))
        raise _unread(name, "be nanoseconds before the year 2262", row, int(array[row]))
    stamps: Nanoseconds = array.astype(np.int64)
    # The lowest of integers stands for a time that is missing, in datetimes as in frames.
    if len(stamps) and stamps.min() == NEVER:
        raise _unread(name, "be times", int(np.argmax(stamps == NEVER)), int(NEVER))
    _require_order(name, stamps, stamps)
    return stamps


def _unread(name: str, accepted: str, row: int, value: Any) -> DataError:
    shown = str(value) if isinstance(value, np.datetime64) else checks.show(value)
    return DataError(f"{name} must {accepted}, row {row} has {shown}", row=row, value=value)


def _require_order(name: str, stamps: Nanoseconds, shown: NDArray[Any]) -> None:
    """Refuse times of which one lies before the one above it."""
    falls = stamps[1:] < stamps[:-1]
    if falls.any():
        row = int(np.argmax(falls)) + 1
        here, before = shown[row], shown[row - 1]
        raise DataError(
            f"{name} must be in order of time, row {row} at {_text(here)} comes after "
            f"{_text(before)}",
            row=row,
            value=here,
        )


def _dates(times: Any) -> Any:
    """Take times in a zone that are all midnight there as the dates that they stand for."""
    if hasattr(times, "to_series") and not hasattr(times, "iloc"):
        times = times.to_series()  # of an index of pandas
    if not hasattr(times, "dt"):
        is_listed = isinstance(times, (list, tuple)) or str(getattr(times, "dtype", "")) == "object"
        is_date = is_listed and len(times) > 0 and all(map(_is_midnight, times))
        return [one.replace(tzinfo=None) for one in times] if is_date else times
    zoned = getattr(times, "dt", None)
    if zoned is None or getattr(zoned, "tz", None) is None or len(times) == 0:
        return times
    wall = zoned.tz_localize(None)
    is_midnight = wall.eq(wall.dt.normalize())
    return wall if bool(is_midnight.all()) else times


def _is_midnight(time: Any) -> bool:
    """Whether it is a datetime in a zone, at midnight there."""
    if not isinstance(time, datetime) or time.tzinfo is None:
        return False
    beyond: Any = getattr(time, "nanosecond", 0)  # of pandas
    return (time.hour, time.minute, time.second, time.microsecond, beyond) == (0, 0, 0, 0, 0)


def _text(time: np.datetime64 | np.int64) -> str:
    text = str(time)
    for idle in _IDLE:
        text = text.removesuffix(idle)
    return text
