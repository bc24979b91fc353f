"""Columns of any kind as NumPy arrays: int64 nanoseconds, float64 numbers, market codes.

Frames and files are taken apart into columns here as well.

What cannot be read is marked, not raised: which row is wrong, and what to do about it, is
decided by who asked for the column.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from horizon import checks

__all__ = [
    "NEVER",
    "TIMES",
    "frame_columns",
    "is_frame",
    "market_codes",
    "numbers",
    "nanoseconds",
    "read_file",
]

#: Stands for a time that cannot be read.
NEVER: Final = np.iinfo(np.int64).min

#: Names of a column of times.
TIMES: Final = ("timestamp", "ts", "time", "date", "datetime")

_NS: Final = 1_000_000_000
#: int64 nanoseconds end in the year 2262.
_LATEST_S: Final = 9.2e9
_A_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000}
_HAS_ZONE: Final = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*", re.ASCII | re.IGNORECASE
)
#: A number as people write it: "1,000.5", "1 000", "$12", "12 %", "(5)".
_WRITTEN_OTHERWISE: Final = re.compile(r"[-+(]?\s*[^\w\s.,]?\s*\d[\d.,'’_\s]*[%)]?\s*[^\w\s.,]?")
_REAL: Final = (int, float, np.integer, np.floating, Decimal, Fraction)


def numbers(values: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read a number column.

    Returns
    -------
    ndarray of float64
        NaN where there is none.
    ndarray of bool
        Where something stands that is no number: text, a boolean, what no float can hold. One
        cell that is no number makes texts of a whole column of a CSV: where only some of its
        texts are numbers, the others are meant.
    """
    array, _ = _as_array(values)
    if array.dtype.kind in "iuf":
        floats = array.astype(np.float64)
        return floats, np.zeros(len(floats), dtype=bool)
    floats = np.full(len(array), np.nan)
    bad = np.zeros(len(array), dtype=bool)
    listed = array.tolist()
    if (read := _numbers_among_texts(listed)) is not None:
        return read
    for i, value in enumerate(listed):
        if _is_missing(value):
            continue
        if isinstance(value, bool) or not isinstance(value, _REAL):
            bad[i] = True
            continue
        try:
            floats[i] = float(value)
        except OverflowError:
            bad[i] = True
    return floats, bad


def _numbers_among_texts(
    values: list[Any],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Read texts of which some are numbers and some are none; None for any other column."""
    is_text = np.fromiter((isinstance(value, str) for value in values), bool, len(values))
    others = (value for value, one in zip(values, is_text, strict=True) if not one)
    if not is_text.any() or not all(map(_is_missing, others)):
        return None
    is_number = np.zeros(len(values), dtype=bool)
    for i in np.flatnonzero(is_text):
        is_number[i] = _NUMBER.fullmatch(values[i]) is not None
    bad = is_text & ~is_number
    if not is_number.any() or not bad.any():
        return None
    if any(_WRITTEN_OTHERWISE.fullmatch(values[i].strip()) for i in np.flatnonzero(bad)):
        return None  # left out alone, "1,000.5" would leave what lies below a thousand
    floats = np.full(len(values), np.nan)
    floats[is_number] = [float(values[i]) for i in np.flatnonzero(is_number)]
    return floats, bad


def nanoseconds(values: Any, zone: str | None) -> NDArray[np.int64]:
    """Read a time column as nanoseconds since 1970 (UTC), `NEVER` where it cannot be read.

    Numbers are epoch seconds. Datetimes and ISO text without a zone are wall time in `zone`,
    UTC where that is None; wall times that a clock change skips or repeats cannot be read.
    """
    array, is_utc = _as_array(values)
    if array.dtype.kind == "M":
        return _localized(_in_range(array), None if is_utc else zone)
    if array.dtype.kind in "iuf":
        return _from_seconds(array)
    return _from_objects(array, zone)


def market_codes(values: Any) -> tuple[NDArray[np.intp], list[str], list[int]]:
    """Read a market column.

    Returns
    -------
    ndarray of int
        For each row the number of its market, in order of appearance.
    list of str
        The markets by number.
    list of int
        Numbers of what stands in the place of a market and is no market id.
    """
    codes, uniques = _factorized(values)
    names: list[str] = []
    bad: list[int] = []
    for code, value in enumerate(uniques):
        try:
            names.append(checks.text("market_id", value))
        except (TypeError, ValueError):
            names.append("")
            bad.append(code)
    return np.asarray(codes, dtype=np.intp), names, bad


def _factorized(values: Any) -> tuple[Any, Any]:
    """Number what is in a column, in order of appearance; return numbers and values."""
    import narwhals as nw
    import pandas as pd

    series: Any = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series) and len(series):
        is_text = isinstance(series.dtype, (nw.String, nw.Categorical, nw.Enum))
        # By its own library: a Python string for each row is slow and takes ten times the room.
        if is_text and isinstance(series.to_native(), pd.Series):
            return pd.factorize(series.to_native(), use_na_sentinel=False)
        if is_text:
            uniques = series.unique(maintain_order=True).to_list()
            numbers = list(range(len(uniques)))
            codes = series.replace_strict(uniques, numbers, return_dtype=nw.Int64)
            return codes.to_numpy(), uniques
    array, _ = _as_array(values)
    return pd.factorize(np.asarray(array, dtype=object), use_na_sentinel=False)


def is_frame(value: object) -> bool:
    """Whether a value is a frame of any library, lazy or not."""
    # Without importing a frame library, and by the type: a lazy frame computes its columns.
    kind = type(value)
    return (hasattr(kind, "columns") and hasattr(kind, "shape")) or hasattr(kind, "collect")


def frame_columns(frame: Any) -> tuple[dict[str, Any], tuple[str, Any] | None]:
    """Take a frame of any library apart.

    Returns
    -------
    dict of str to narwhals Series
        The columns by name.
    tuple of str and narwhals Series, or None
        Name and times of the ``DatetimeIndex`` of a pandas frame; ``"timestamp"`` where it has
        no name.

    Raises
    ------
    TypeError
        If it is none.
    """
    import narwhals as nw

    table: Any = nw.from_native(frame)
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    columns = {str(column): table[column] for column in table.columns}
    index = nw.maybe_get_index(table)
    if index is None or type(index).__name__ != "DatetimeIndex":
        return columns, None
    label = str(index.name) if index.name is not None else "timestamp"
    return columns, (label, nw.from_native(index.to_series(), series_only=True))


def read_file(name: str, path: str | os.PathLike[str], market: str) -> Any:
    """Read a CSV (also compressed) or Parquet file as a frame.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    path : path
    market : str
        The column of market ids, which stay text whatever they look like.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If its name does not end as one of a CSV or Parquet file.
    """
    import pandas as pd

    path = Path(path)
    kind = path.name.lower()
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {str(path)!r}")
    if kind.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if not kind.endswith((".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".csv.zip")):
        raise ValueError(
            f"{name} must be a .csv (also compressed) or .parquet file, was {str(path)!r}"
        )
    header = list(pd.read_csv(path, nrows=0).columns)
    # A market called 007, NA or null is a name, not a number and not a gap.
    gaps = {c: ["", "NA", "N/A", "NaN", "nan", "null", "None"] for c in header if c != market}
    # pandas 3.1 reads every digit by itself and warns when it is told to.
    is_told = tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
    exact: dict[str, Any] = {"float_precision": "round_trip"} if is_told else {}
    return pd.read_csv(path, dtype={market: str}, keep_default_na=False, na_values=gaps, **exact)


def _as_array(values: Any) -> tuple[NDArray[Any], bool]:
    """Turn any column into plain NumPy; say whether its times were given with a zone."""
    if isinstance(values, np.ndarray):
        return values, False
    if hasattr(values, "to_numpy"):
        import narwhals as nw

        series: Any = nw.from_native(values, series_only=True, pass_through=True)
        if not isinstance(series, nw.Series):
            return np.asarray(values), False
        dtype = series.dtype
        is_utc = isinstance(dtype, nw.Datetime) and dtype.time_zone is not None
        if is_utc:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return series.to_numpy(), is_utc
    kinds = set(map(type, values))
    if kinds <= {int, float, type(None)}:
        try:
            return np.array(values, dtype=np.int64 if kinds == {int} else np.float64), False
        except OverflowError:
            pass  # an int that no float can hold: one by one, to say which
    if kinds == {datetime} and all(value.tzinfo is None for value in values):
        return np.array(values, dtype="datetime64[us]"), False
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array, False


def _from_seconds(array: NDArray[Any]) -> NDArray[np.int64]:
    ns = np.full(len(array), NEVER, dtype=np.int64)
    good = (array >= -_LATEST_S) & (array <= _LATEST_S)  # false for NaN
    if array.dtype.kind == "f":
        # Whole and broken seconds apart: the product with 1e9 would lose up to 128 ns today.
        seconds = array[good].astype(np.float64)
        whole = np.trunc(seconds)
        ns[good] = whole.astype(np.int64) * _NS + np.rint((seconds - whole) * 1e9).astype(np.int64)
    else:
        ns[good] = array[good].astype(np.int64) * _NS
    return ns


def _in_range(array: NDArray[Any]) -> NDArray[Any]:
    """Nanoseconds; NaT where they cannot hold the time, instead of wrapping around."""
    if array.dtype == np.dtype("datetime64[ns]"):
        return array
    unit, count = np.datetime_data(array.dtype)
    if len(array) and count == 1 and unit in _A_SECOND:  # all at once, where none is outside
        ticks, latest = array.view(np.int64), int(_LATEST_S) * _A_SECOND[unit]
        if -latest <= ticks.min() and ticks.max() <= latest:
            return array.astype("datetime64[ns]")
    seconds = array.astype("datetime64[s]").astype(np.int64)
    times = array.astype("datetime64[ns]")
    outside = (seconds < -_LATEST_S) | (seconds > _LATEST_S)
    if outside.any():
        times = np.where(outside, np.datetime64("NaT", "ns"), times)
    return times


def _localized(times: NDArray[Any], zone: str | None) -> NDArray[np.int64]:
    if zone is not None:
        import pandas as pd

        local = pd.DatetimeIndex(times).tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        times = local.tz_convert("UTC").tz_localize(None).to_numpy()
    ns: NDArray[np.int64] = times.astype("datetime64[ns]").astype(np.int64)
    return ns  # NaT has the value of NEVER


def _from_objects(array: NDArray[Any], zone: str | None) -> NDArray[np.int64]:
    values = array.tolist() if array.dtype.kind != "O" else list(array)
    is_text = np.fromiter((isinstance(value, str) for value in values), bool, len(values))
    ns = np.full(len(values), NEVER, dtype=np.int64)
    if is_text.any():
        texts = [value.strip() for value in values if isinstance(value, str)]
        ns[is_text] = _from_text(texts, zone)
    local = UTC if zone is None else ZoneInfo(zone)
    for i in np.flatnonzero(~is_text):
        ns[i] = _from_object(values[i], local)
    return ns


def _from_text(texts: list[str], zone: str | None) -> NDArray[np.int64]:
    import pandas as pd

    def parsed(chosen: list[str]) -> NDArray[np.int64]:
        times = pd.to_datetime(chosen, format="ISO8601", utc=True, errors="coerce")
        return _localized(_in_range(times.tz_localize(None).to_numpy()), None)

    ns = parsed(texts)
    if zone is not None:
        # A day alone ends in what looks like an offset, so the hours must be there too.
        is_wall = np.array([not (":" in t and _HAS_ZONE.search(t)) for t in texts], dtype=bool)
        ns[is_wall] = _localized(ns[is_wall].astype("datetime64[ns]"), zone)
    return ns


def _from_object(value: object, local: Any) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    try:
        if isinstance(value, datetime) and value.tzinfo is None and value == value:
            there = value.replace(tzinfo=local)
            if there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset():
                return NEVER  # skipped or repeated by a clock change
            value = there
        elif isinstance(value, np.datetime64) and local is not UTC:
            return int(_localized(_in_range(np.array([value])), str(local))[0])
        return checks.timestamp_ns("timestamp", value)
    except (TypeError, ValueError, OverflowError):
        return NEVER


def _is_missing(value: object) -> bool:
    # NaN, NaT and the like equal nothing, themselves included; pandas.NA refuses to say.
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"
