"""The shape of a trading day: how volume is spread over equal slices of the session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from horizon import checks
from horizon.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["volume_profile"]

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_TIMES: Final = ("timestamp", "ts", "time", "date", "datetime")
#: A day, or a bucket, counts as whole when it lacks no more than this part of itself.
_SLACK: Final = 0.1
#: Where the weights settle no further: far below anything a lot size could show.
_SETTLED: Final = 1e-15
_MOST_ROUNDS: Final = 100_000


def volume_profile(
    bars: Any,
    buckets: int = 13,
    *,
    session: tuple[str | time, str | time] | None = None,
    timezone: str = "UTC",
    column: str = "volume",
    timestamp: str | None = None,
    label: str = "end",
) -> pd.Series[float]:
    """Relative volume in equal slices of a trading day, from intraday bars.

    The weights can be handed to a VWAP algorithm as they are, if its duration is the
    session's length.

    Parameters
    ----------
    bars : pandas, polars or Arrow frame, or dict of arrays
        Bars of one market, in any order, with a time and a volume; bars of one time add up.
        Minutes without a bar had no volume.
    buckets : int
        Number of slices of the session, none shorter than a second or than the bars. The
        default of 13 makes half hours of a session of six and a half hours.
    session : tuple of two texts or datetime.time, optional
        Open and close as wall time of `timezone`, e.g. ``("09:30", "16:00")``. A close that
        is earlier than the open is on the next day, as in ``("18:00", "17:00")``; ``"24:00"``
        is midnight at the end. By default the whole day, for markets that never close.
    timezone : str
        The exchange's zone, e.g. ``"America/New_York"``. The session follows its clock, so
        winter and summer fall into the same buckets. Times of `bars` without a zone are UTC.
    column : str
        Name of the volume column.
    timestamp : str, optional
        Name of the time column. By default a ``DatetimeIndex``, or else the only one of
        timestamp, ts, time, date and datetime.
    label : {"end", "start"}
        Whether a bar's time is its end or its start. A bar stamped 10:00 is the last one
        before ten, or the first one after.

    Returns
    -------
    pandas.Series of shape (buckets,)
        Weights that sum to 1, indexed by the wall time at which each bucket begins
        (``"09:30"``). ``attrs`` has ``days``, the days used, and ``days_left_out``, those
        without volume, with a clock change inside the session, or too short to say anything.

    Raises
    ------
    DataError
        If a column is missing, a time cannot be read, or a volume is negative, infinite or
        not a number; the first such row is named.
    ValueError
        If an argument is out of range, there are no bars in the session or no volume, or no
        day covers the whole session.
    TypeError
        If `bars` or an argument is of the wrong type.

    Notes
    -----
    *Days count alike.* Weights are the mean over days of each bucket's share of its day's
    volume, so that one heavy day does not set the shape for all.

    *Short days.* The usual hours go from the earliest to the latest bar seen in the session. A
    day whose bars begin later or end earlier than these by more than a tenth of them is short:
    a half day, or one that the data cuts off. Counted as zeros, the hours it lacks would pull
    down the buckets there; left out from a plain mean of shares, it would push up all others.
    Instead its volume V is compared only to the buckets that it covers, set C, and scaled to
    the profile there:

        w(b) = mean over days d that cover b of V(d, b) · Σ w(c) / Σ V(d, c), c in C(d).

    This is solved by iteration from equal weights. Full days, whose weights sum to 1, enter
    with plain shares; short days say how volume is spread over what they cover and nothing
    about the rest. The rush before an early close is in the bucket where it happened.

    A bucket counts as covered when a day lacks no more than a tenth of it. Inside a day's
    hours a bucket without bars had no volume. Buckets outside the usual hours weigh 0.

    *Outside the session* bars are ignored. Some data has the closing auction in a bar after
    the close; end the session a minute later to have it counted.

    Examples
    --------
    Two short days of hourly bars, each stamped with its end. The first has 50 %, 20 % and 30 % of
    its volume in its three hours, the second, ten times as heavy, 60 %, 10 % and 30 %; the
    profile is their mean:

    >>> ends = [f"2025-03-{day} {hour}:00" for day in ("03", "04") for hour in (10, 11, 12)]
    >>> bars = pd.DataFrame({"timestamp": ends, "volume": [50, 20, 30, 600, 100, 300]})
    >>> weights = hz.volume_profile(bars, buckets=3, session=("09:00", "12:00"))
    >>> {begin: round(weight, 6) for begin, weight in weights.items()}
    {'09:00': 0.55, '10:00': 0.15, '11:00': 0.3}

    A VWAP over that session takes it as it is:

    >>> ex = hz.connect("paper")
    >>> algo = ex.vwap("ACME", 200, duration_secs=3 * 3600, volume_profile=weights)
    >>> [round(piece.size, 6) for piece in algo.progress.schedule]
    [110.0, 30.0, 60.0]
    """
    import numpy as np

    count = checks.integer("buckets", buckets)
    is_end = checks.one_of("label", label, ("end", "start")) == "end"
    zone = checks.timezone("timezone", timezone)
    opens, length = _session(session)
    if count * _SECOND > length:
        raise ValueError(
            f"buckets must be a second or longer in a session of {length // _SECOND} seconds, "
            f"was {buckets}"
        )
    wall, volume = _read(bars, column, timestamp, zone)
    day, offset = _place(wall, opens, is_end)
    inside = offset <= length if is_end else offset < length
    if not inside.any():
        raise ValueError(f"bars must have rows in the session, had none of {len(wall)}")
    day, offset, volume = day[inside], offset[inside], volume[inside]
    width = _bar_width(day, offset)
    if width * count > length:
        raise ValueError(
            f"buckets must not be shorter than the bars: {buckets} buckets take "
            f"{length / count / _SECOND:g} seconds each, the bars {width / _SECOND:g}"
        )
    # What a bar ends with still belongs to the bucket before it; in integers, so that no
    # rounding moves a bar over an edge.
    bucket = ((offset - 1) if is_end else offset) * count // length
    days, row = np.unique(day, return_inverse=True)
    volumes = np.zeros((len(days), count))
    np.add.at(volumes, (row, bucket), volume)
    covered = _covered(row, offset - width if is_end else offset, width, count, length)
    volumes[~covered] = 0.0
    even = np.array([_is_even(int(d), opens, length, zone) for d in days])
    # One bucket alone cannot be compared to anything, unless it is the whole session.
    telling = (volumes.sum(axis=1) > 0.0) & even & (covered.sum(axis=1) >= min(2, count))
    weights = _weights(volumes[telling], covered[telling])
    return _series(weights, opens, length, days=int(telling.sum()), seen=len(days))


def _weights(volumes: NDArray[np.float64], covered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Solve for the profile; see the notes of `volume_profile`."""
    import numpy as np

    if not len(volumes):
        raise ValueError("bars must have a day with volume in the session, had none")
    usual = covered.any(axis=0)
    if not (covered == usual).all(axis=1).any():
        raise ValueError(
            "bars must have a day that covers the whole session, had only parts of days; give a "
            "session= that one of them covers"
        )
    totals = volumes.sum(axis=1)
    shares = volumes / totals[:, None]
    days = covered.sum(axis=0)
    weights: NDArray[np.float64] = usual / usual.sum()
    for _ in range(_MOST_ROUNDS):
        before = weights
        held = covered @ before
        weights = np.divide(
            (shares * held[:, None]).sum(axis=0), days, out=np.zeros(len(days)), where=usual
        )
        weights /= weights.sum()
        if np.abs(weights - before).max() <= _SETTLED:
            break
    return weights


def _covered(
    row: NDArray[np.intp], starts: NDArray[np.int64], width: int, count: int, length: int
) -> NDArray[np.bool_]:
    """For each day and bucket, whether the market was open there."""
    import numpy as np

    n_days = int(row.max()) + 1
    first = np.full(n_days, length, dtype=np.int64)
    last = np.zeros(n_days, dtype=np.int64)
    np.minimum.at(first, row, np.maximum(starts, 0))
    np.maximum.at(last, row, np.minimum(starts + width, length))
    # The usual hours, out to the edges of their buckets.
    earliest, latest = int(first.min()), int(last.max())
    opening = earliest * count // length * length // count
    closing = ((latest * count + length - 1) // length * length + count - 1) // count
    slack = _SLACK * (latest - earliest)
    first = np.where(first - earliest <= slack, opening, first)
    last = np.where(latest - last <= slack, closing, last)
    edges = np.arange(count + 1) * (length / count)
    shown = np.minimum(last[:, None], edges[1:]) - np.maximum(first[:, None], edges[:-1])
    covered: NDArray[np.bool_] = shown >= (1.0 - _SLACK) * (length / count)
    return covered


def _bar_width(day: NDArray[np.int64], offset: NDArray[np.int64]) -> int:
    """The least distance of two bars of one day; next to nothing where there are no two."""
    import numpy as np

    stamps = np.unique(day * _DAY + offset)
    gaps = np.diff(stamps)[np.diff(stamps // _DAY) == 0]
    return int(gaps.min()) if len(gaps) else 1


def _place(
    wall: NDArray[np.int64], opens: int, is_end: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Day number of the session's open, and nanoseconds since that open."""
    # A bar that ends at the open belongs to the day before: (0, 24 h], not [0, 24 h).
    since = wall - opens - int(is_end)
    return since // _DAY, since % _DAY + int(is_end)


def _is_even(day: int, opens: int, length: int, zone: ZoneInfo) -> bool:
    """Whether the session of a day lasts as long as its wall clock says."""
    start = datetime(1970, 1, 1) + timedelta(days=day, microseconds=opens // 1000)
    end = start + timedelta(microseconds=length // 1000)
    return start.replace(tzinfo=zone).utcoffset() == end.replace(tzinfo=zone).utcoffset()


def _series(
    weights: NDArray[np.float64], opens: int, length: int, *, days: int, seen: int
) -> pd.Series[float]:
    import pandas as pd

    starts = [(opens + i * length // len(weights)) % _DAY // _SECOND for i in range(len(weights))]
    has_seconds = any(start % 60 for start in starts)
    texts = [
        f"{start // 3600:02d}:{start // 60 % 60:02d}"
        + (f":{start % 60:02d}" if has_seconds else "")
        for start in starts
    ]
    series = pd.Series(weights, index=pd.Index(texts, name="bucket_start"), name="weight")
    series.attrs = {"days": days, "days_left_out": seen - days}
    return series


def _session(session: object) -> tuple[int, int]:
    """Nanoseconds from midnight to the open, and from open to close."""
    if session is None:
        return 0, _DAY
    if not isinstance(session, (tuple, list)) or len(session) != 2:
        raise TypeError(
            "session must be a pair of wall times such as ('09:30', '16:00'), was "
            f"{checks.show(session)}"
        )
    opens, closes = (_time_of_day(value) for value in session)
    length = (closes - opens) % _DAY
    if length == 0 and (opens, closes) != (0, _DAY):
        raise ValueError(
            f"session must not open and close at one time, was {session!r}; session=None is "
            "the whole day"
        )
    return opens % _DAY, length or _DAY


def _time_of_day(value: object) -> int:
    if value == "24:00":
        return _DAY
    try:
        at = time.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if not isinstance(at, time) or at.tzinfo is not None:
        raise ValueError(
            "session must hold wall times such as '09:30' or datetime.time(9, 30), without a "
            f"zone, was {checks.show(value)}"
        )
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND + at.microsecond * 1000


def _read(
    bars: Any, column: str, timestamp: str | None, zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Wall times of the zone in nanoseconds, and volumes."""
    frame = _frame(bars)
    stamps: Any = frame.index
    if timestamp is not None or type(stamps).__name__ != "DatetimeIndex":
        stamps = frame[_time_column(frame, timestamp)]
    if column not in frame.columns:
        raise DataError(
            f"bars have no column {column!r}, which column= names; they have "
            f"{', '.join(map(repr, frame.columns))}",
            feed="bars",
            value=column,
        )
    return _wall(stamps, zone), _volumes(frame[column])


def _frame(bars: Any) -> pd.DataFrame:
    import narwhals as nw
    import pandas as pd

    if isinstance(bars, Mapping):
        try:
            return pd.DataFrame(dict(bars))
        except ValueError as error:
            raise ValueError(f"bars must be a dict of arrays of one length: {error}") from None
    try:
        frame: Any = nw.from_native(bars)
    except TypeError:
        raise TypeError(
            "bars must be a pandas, polars or Arrow frame or a dict of arrays, was "
            f"{checks.show(bars)}"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    pandas_frame: pd.DataFrame = frame.to_pandas()
    return pandas_frame


def _time_column(frame: pd.DataFrame, timestamp: str | None) -> str:
    names = [str(name) for name in frame.columns]
    if timestamp is not None:
        found = [name for name in names if name == timestamp]
    else:
        found = [name for name in names if name.lower() in _TIMES]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise DataError(
            f"bars have several columns that may be the time: {', '.join(map(repr, found))}; "
            "say which by timestamp=",
            feed="bars",
            value=found,
        )
    wanted = "time column" if timestamp is None else f"column {timestamp!r}"
    raise DataError(
        f"bars have no {wanted}; they have {', '.join(map(repr, names))}. Say which is meant by "
        "timestamp=",
        feed="bars",
        value=timestamp,
    )


def _wall(stamps: Any, zone: ZoneInfo) -> NDArray[np.int64]:
    import numpy as np
    import pandas as pd

    if pd.api.types.is_numeric_dtype(stamps) and not pd.api.types.is_bool_dtype(stamps):
        seconds = np.asarray(stamps, dtype=float)
        # Bars last seconds at least: a microsecond is exact enough to place one.
        good = np.abs(seconds) <= 9.2e9
        micros = np.rint(np.where(good, seconds, 0.0) * 1e6).astype(np.int64)
        epoch = pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC")
        times = pd.DatetimeIndex(epoch.where(good))
    else:
        kind = "ISO8601" if pd.api.types.is_string_dtype(stamps) else None
        times = pd.DatetimeIndex(pd.to_datetime(stamps, utc=True, errors="coerce", format=kind))
    bad = np.flatnonzero(times.isna())
    if len(bad):
        row = int(bad[0])
        value = list(stamps)[row]
        raise DataError(
            f"bars, row {row}: the time must be epoch seconds, a datetime or ISO text, was "
            f"{checks.show(value)}",
            feed="bars",
            row=row,
            value=value,
        )
    local = times.tz_convert(zone).tz_localize(None).as_unit("ns")
    return np.asarray(local.asi8, dtype=np.int64)


def _volumes(values: Any) -> NDArray[np.float64]:
    import numpy as np
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number:
        volumes = values.to_numpy(dtype=float, na_value=np.nan)
    else:
        volumes = np.array([_volume(value) for value in values], dtype=float)
    bad = np.flatnonzero(~((volumes >= 0.0) & (volumes <= checks.LARGEST)))
    if len(bad):
        row = int(bad[0])
        value = list(values)[row]
        raise DataError(
            f"bars, row {row}: volume must be a number from 0 to 1e15, was {checks.show(value)}",
            feed="bars",
            row=row,
            value=value,
        )
    return np.asarray(volumes, dtype=float)


def _volume(value: object) -> float:
    import numpy as np

    try:
        return checks.number("volume", value)
    except (TypeError, ValueError):
        return np.nan
