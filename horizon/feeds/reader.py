"""Market data of many kinds, read into named columns; nothing is judged here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeAlias

from horizon import checks
from horizon.columns import TIMES, frame_columns, is_frame, read_file
from horizon.errors import DataError

__all__ = [
    "COLUMNS",
    "NUMBERS",
    "STALE",
    "Columns",
    "Source",
    "column_map",
    "feeds_of",
    "is_table",
    "sources",
]

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
#: Says of a row, true or false (1 or 0), that it brings no data: its feed has been lost.
STALE: Final = "is_stale"
COLUMNS: Final = ("timestamp", "market_id", *NUMBERS, STALE)

#: Other names of a column, taken where its own is missing and just one of these is there.
_ALIASES: Final = {"timestamp": TIMES[1:], "price": ("close",)}

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
    names : dict
        What the data calls each column; ``"timestamp"`` may be the name of a frame's index.
    """

    name: str
    columns: Columns
    length: int
    names: dict[str, str] = field(default_factory=dict)


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
    feeds = feeds_of(data)
    if feeds is None:
        return [_source(name, data, columns)]
    return [_source(checks.text("a feed's name", key), feeds[key], columns) for key in feeds]


def feeds_of(data: object) -> Mapping[Any, object] | None:
    """Return `data` if it maps feed names to tables; None if it is a table itself."""
    if not isinstance(data, Mapping):
        return None
    values = list(data.values())
    # An empty list may be a column or a feed without rows: the other values tell.
    if any(map(is_table, values)) and all(is_table(v) or _is_empty(v) for v in values):
        return data
    return None


def is_table(value: object) -> bool:
    """Whether a value is a table of rows: a frame, a mapping, a path, or a list of mappings."""
    if isinstance(value, (Mapping, str, os.PathLike)) or is_frame(value):
        return True
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def _is_empty(value: object) -> bool:
    return isinstance(value, (list, tuple)) and not value


def _source(name: str, data: object, wanted: Mapping[str, str]) -> Source:
    if isinstance(data, (str, os.PathLike)):
        data = read_file("data", data, wanted.get("market_id", "market_id"))
    if is_frame(data):
        raw = _frame(data, wanted)
    elif isinstance(data, Mapping):
        raw = {str(key): value for key, value in data.items()}
    elif isinstance(data, (list, tuple)):
        return _records(name, data, wanted)
    elif hasattr(type(data), "to_frame"):
        raise TypeError(
            f"data must be {_ACCEPTED}, was a {type(data).__name__}; make it a table: "
            'data.to_frame("price")'
        )
    else:
        raise TypeError(f"data must be {_ACCEPTED}, was {checks.show(data)}")
    found = _resolve(name, list(raw), wanted)
    columns = {ours: raw[theirs] for ours, theirs in found.items()}
    return Source(name, columns, _length(name, columns), found)


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
    records: Sequence[Any] = rows
    if set(map(type, rows)) != {dict}:  # one question for all of them, as a rule
        for row, record in enumerate(rows):
            if not isinstance(record, Mapping):
                raise DataError(
                    f"feed {name!r}, row {row}: must be a dict, was {checks.show(record)}",
                    feed=name,
                    row=row,
                    value=record,
                )
        records = [dict(record) for record in records]
    keys = list(dict.fromkeys(chain.from_iterable(records)))
    # No rows, no columns: nothing is missing from an empty list.
    found = _resolve(name, keys, wanted) if rows else {}
    columns = {ours: _values(records, theirs) for ours, theirs in found.items()}
    return Source(name, columns, len(rows), found)


def _values(records: Sequence[Any], key: str) -> list[Any]:
    """What the records have under a key; None where they lack it."""
    try:
        return list(map(itemgetter(key), records))
    except KeyError:
        return [record.get(key) for record in records]


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
    for axis, way in (
        ("index", "make them columns: data.reset_index()"),
        ("columns", "give a dict of frames by feed, or one long frame with a market_id column"),
    ):
        # pandas alone has levels, and a lazy frame must not be asked for its columns yet.
        is_pandas = type(frame).__module__.partition(".")[0] == "pandas"
        if is_pandas and getattr(getattr(frame, axis, None), "nlevels", 1) > 1:
            raise TypeError(f"data is a frame with several levels in its {axis}; {way}")
    try:
        columns, index = frame_columns(frame)
    except TypeError:
        raise TypeError(f"data must be {_ACCEPTED}, was {type(frame).__name__}") from None
    if index is None:
        return columns
    # The times of a pandas frame often are its index. It gives way to a column that is asked
    # for by name, and stands above one that merely looks like a time.
    asked = wanted.get("timestamp")
    label, times = index
    if asked is None:
        plain = {name: values for name, values in columns.items() if name.lower() not in TIMES}
        return {"timestamp": times} | plain
    return {asked: times} | columns if asked == label else columns
