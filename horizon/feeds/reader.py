"""Market data of many kinds, read into named columns; nothing is judged here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from horizon import checks
from horizon.errors import DataError

__all__ = ["COLUMNS", "NUMBERS", "Columns", "Source", "column_map", "sources"]

#: Number columns, in the order of `Row` after its market and time.
NUMBERS: Final = (
    "price",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "open",
    "high",
    "low",
    "volume",
)
COLUMNS: Final = ("timestamp", "market_id", *NUMBERS)

#: Other names of a column, taken where its own is missing and just one of these is there.
_ALIASES: Final = {"timestamp": ("ts", "time", "date", "datetime"), "price": ("close",)}

#: Arrays, lists or narwhals Series by their name in the data.
Columns: TypeAlias = dict[str, Any]

_ACCEPTED: Final = (
    "a list of dicts, a dict of arrays, a pandas, polars or Arrow frame, a path to a CSV or "
    "Parquet file, or a dict of these by feed name"
)


@dataclass(frozen=True, slots=True)
class Source:
    """One table of rows, by column.

    Attributes
    ----------
    name : str
        What messages call it.
    columns : dict
        Columns under Horizon's names; those that the data does not have are missing.
    length : int
        Number of rows.
    """

    name: str
    columns: Columns
    length: int


def column_map(columns: object) -> dict[str, str]:
    """Check a ``columns=`` argument: Horizon's names to the data's."""
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise TypeError(
            "columns must be a dict of Horizon's column names to the data's, was "
            f"{checks.show(columns)}"
        )
    for key, value in columns.items():
        checks.one_of("a key of columns", key, COLUMNS)
        if not isinstance(value, str):
            raise TypeError(f"columns[{key!r}] must be text, was {checks.show(value)}")
    return dict(columns)


def sources(data: object, *, name: str, columns: Mapping[str, str]) -> list[Source]:
    """Read data of any accepted kind, one `Source` for each feed in it.

    Parameters
    ----------
    data : object
        See `Replay`.
    name : str
        What to call the data if it does not name its feeds.
    columns : dict
        Horizon's names to the data's, for those that differ.

    Raises
    ------
    TypeError
        If the data is of no accepted kind.
    DataError
        If a column is missing, ambiguous, or of another length.
    """
    feeds = _feeds(data)
    if feeds is None:
        return [_source(name, data, columns)]
    return [_source(checks.text("a feed's name", key), feeds[key], columns) for key in feeds]


def _feeds(data: object) -> Mapping[Any, object] | None:
    """Return `data` if it maps feed names to tables; None if it is a table itself."""
    if not isinstance(data, Mapping):
        return None
    values = list(data.values())
    # An empty list may be a column or a feed without rows: the other values tell.
    if any(map(_is_table, values)) and all(_is_table(v) or _is_empty(v) for v in values):
        return data
    return None


def _is_table(value: object) -> bool:
    if isinstance(value, (Mapping, str, os.PathLike)) or _is_frame(value):
        return True
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def _is_empty(value: object) -> bool:
    return isinstance(value, (list, tuple)) and not value


def _is_frame(value: object) -> bool:
    # Without importing a frame library, and by the type: a lazy frame computes its columns.
    kind = type(value)
    return (hasattr(kind, "columns") and hasattr(kind, "shape")) or hasattr(kind, "collect")


def _source(name: str, data: object, wanted: Mapping[str, str]) -> Source:
    if isinstance(data, (str, os.PathLike)):
        data = _file(Path(data), wanted)
    if _is_frame(data):
        raw = _frame(data, wanted)
    elif isinstance(data, Mapping):
        raw = {str(key): value for key, value in data.items()}
    elif isinstance(data, (list, tuple)):
        return _records(name, data, wanted)
    else:
        raise TypeError(f"data must be {_ACCEPTED}, was {checks.show(data)}")
    found = _resolve(name, list(raw), wanted)
    columns = {ours: raw[theirs] for ours, theirs in found.items()}
    return Source(name, columns, _length(name, columns))


def _length(name: str, columns: Columns) -> int:
    lengths = {}
    for column, values in columns.items():
        shape = getattr(values, "shape", None)
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
            raise DataError(
                f"feed {name!r}: column {column!r} must be an array or a list, was "
                f"{checks.show(values)}",
                feed=name,
                value=values,
            )
        if shape is not None and len(shape) != 1:
            raise DataError(
                f"feed {name!r}: column {column!r} must have one dimension, has {len(shape)}",
                feed=name,
                value=shape,
            )
        lengths[column] = len(values)
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"feed {name!r}: columns must have one length, have {lengths}", feed=name, value=lengths
        )
    return next(iter(lengths.values()))


def _records(name: str, rows: Sequence[object], wanted: Mapping[str, str]) -> Source:
    keys: dict[str, None] = {}
    for row, record in enumerate(rows):
        if not isinstance(record, Mapping):
            raise DataError(
                f"feed {name!r}, row {row}: must be a dict, was {checks.show(record)}",
                feed=name,
                row=row,
                value=record,
            )
        keys.update(dict.fromkeys(record))
    # No rows, no columns: nothing is missing from an empty list.
    found = _resolve(name, list(keys), wanted) if rows else {}
    columns = {
        ours: [record.get(theirs) for record in rows]  # type: ignore[attr-defined]
        for ours, theirs in found.items()
    }
    return Source(name, columns, len(rows))


def _resolve(name: str, present: Iterable[object], wanted: Mapping[str, str]) -> dict[str, str]:
    """Find Horizon's columns among the `present` ones."""
    names = [column for column in present if isinstance(column, str)]
    found: dict[str, str] = {}
    for ours in COLUMNS:
        if ours in wanted:
            if wanted[ours] not in names:
                raise DataError(
                    f"feed {name!r} has no column {wanted[ours]!r}, which columns= names for "
                    f"{ours!r}; it has {_listed(names)}{checks.suggestion(wanted[ours], names)}",
                    feed=name,
                    value=wanted[ours],
                )
            found[ours] = wanted[ours]
            continue
        for spellings in ((ours,), _ALIASES.get(ours, ())):
            near = [n for n in names if n in spellings]
            near = near or [n for n in names if n.lower() in spellings]
            if len(near) > 1:
                raise DataError(
                    f"feed {name!r} has several columns that may be {ours!r}: {_listed(near)}; "
                    f"say which by columns={{{ours!r}: ...}}",
                    feed=name,
                    value=near,
                )
            if near:
                found[ours] = near[0]
                break
    missing = [] if "timestamp" in found else ["timestamp"]
    if not {"price", "bid", "ask"} & set(found):
        missing.append("price")
    if missing:
        raise DataError(
            f"feed {name!r} has no column {' and no column '.join(map(repr, missing))}; it has "
            f"{_listed(names)}. Say which is meant by columns={{{missing[0]!r}: ...}}",
            feed=name,
            value=names,
        )
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _frame(frame: Any, wanted: Mapping[str, str]) -> Columns:
    import narwhals as nw

    try:
        table: Any = nw.from_native(frame)
    except TypeError:
        raise TypeError(f"data must be {_ACCEPTED}, was {type(frame).__name__}") from None
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    columns = {str(column): table[column] for column in table.columns}
    index = nw.maybe_get_index(table)
    if index is not None and type(index).__name__ == "DatetimeIndex":
        # The times of a pandas frame often are its index. It gives way to a column that is
        # asked for by name, and stands above one that merely looks like a time.
        asked = wanted.get("timestamp")
        label = str(index.name) if index.name is not None else "timestamp"
        if asked is None or asked == label:
            plain = {k: v for k, v in columns.items() if k.lower() not in _times()}
            return {asked or "timestamp": nw.from_native(index.to_series(), series_only=True)} | (
                columns if asked else plain
            )
    return columns


def _times() -> set[str]:
    return {"timestamp", *_ALIASES["timestamp"]}


def _file(path: Path, wanted: Mapping[str, str]) -> object:
    import pandas as pd

    kind = path.name.lower()
    if not path.is_file():
        raise FileNotFoundError(f"data: there is no file {str(path)!r}")
    if kind.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if not kind.endswith((".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".csv.zip")):
        raise ValueError(
            f"data must be a .csv (also compressed) or .parquet file, was {str(path)!r}"
        )
    market = wanted.get("market_id", "market_id")
    header = list(pd.read_csv(path, nrows=0).columns)
    # A market called 007, NA or null is a name, not a number and not a gap.
    gaps = {c: ["", "NA", "N/A", "NaN", "nan", "null", "None"] for c in header if c != market}
    # pandas 3.1 reads every digit by itself and warns when it is told to.
    is_told = tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
    exact: dict[str, Any] = {"float_precision": "round_trip"} if is_told else {}
    return pd.read_csv(
        path,
        dtype={market: str},
        keep_default_na=False,
        na_values=gaps,
        **exact,
    )
