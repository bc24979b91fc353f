"""Tables of every kind, one way to take rows of them and to put numbers into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.columns import is_frame

__all__ = ["OwnTable", "as_numbers", "flipped", "like", "own_table"]

_Mask = NDArray[np.bool_]
_Rows = NDArray[np.intp]


class OwnTable(Protocol):
    """One table of any kind; what it was made of is never changed."""

    def names(self) -> list[str]: ...
    def values(self, name: str) -> Any: ...
    def copy(self) -> Any: ...
    def taken(self, keep: _Mask) -> Any: ...
    def put(self, table: Any, name: str, rows: _Rows, values: list[Any]) -> Any: ...


class _Pandas:
    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def names(self) -> list[str]:
        return [name for name in self._frame.columns if isinstance(name, str)]

    def values(self, name: str) -> Any:
        return self._frame[name]

    def copy(self) -> Any:
        return self._frame.copy()

    def taken(self, keep: _Mask) -> Any:
        return self._frame[keep].copy()

    def put(self, table: Any, name: str, rows: _Rows, values: list[Any]) -> Any:
        column = table[name].copy()
        column.iloc[rows] = values
        table[name] = column
        return table


class _Narwhals:
    """Frames of other libraries: polars, Arrow and what else there is."""

    def __init__(self, frame: Any) -> None:
        import narwhals as nw

        table: Any = nw.from_native(frame)
        self._is_lazy = isinstance(table, nw.LazyFrame)
        self._frame = table.collect() if self._is_lazy else table

    def names(self) -> list[str]:
        return list(self._frame.columns)

    def values(self, name: str) -> Any:
        return self._frame[name]

    def copy(self) -> Any:
        return self._native(self._frame)  # immutable, or copied when it is written to

    def taken(self, keep: _Mask) -> Any:
        return self._native(self._frame.filter(keep.tolist()))

    def put(self, table: Any, name: str, rows: _Rows, values: list[Any]) -> Any:
        import narwhals as nw

        frame: Any = nw.from_native(table)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        listed = frame[name].to_list()
        for row, value in zip(rows.tolist(), values, strict=True):
            listed[row] = value
        backend = frame.implementation
        new = nw.new_series(name, listed, frame[name].dtype, backend=backend)
        return self._native(frame.with_columns(new))

    def _native(self, frame: Any) -> Any:
        return (frame.lazy() if self._is_lazy else frame).to_native()


class _Records:
    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows

    def names(self) -> list[str]:
        return list(dict.fromkeys(key for row in self._rows for key in row))

    def values(self, name: str) -> Any:
        return [row.get(name) for row in self._rows]

    def copy(self) -> Any:
        return [dict(row) for row in self._rows]

    def taken(self, keep: _Mask) -> Any:
        return [dict(row) for row, kept in zip(self._rows, keep, strict=True) if kept]

    def put(self, table: Any, name: str, rows: _Rows, values: list[Any]) -> Any:
        for row, value in zip(rows.tolist(), values, strict=True):
            table[row][name] = value
        return table


class _Columns:
    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = columns

    def names(self) -> list[str]:
        return [str(name) for name in self._columns]

    def values(self, name: str) -> Any:
        return self._columns[name]

    def copy(self) -> Any:
        return {name: _picked(values, None) for name, values in self._columns.items()}

    def taken(self, keep: _Mask) -> Any:
        return {name: _picked(values, keep) for name, values in self._columns.items()}

    def put(self, table: Any, name: str, rows: _Rows, values: list[Any]) -> Any:
        column = table[name]
        if isinstance(column, (np.ndarray, list)):
            for row, value in zip(rows.tolist(), values, strict=True):
                column[row] = value
            return table
        listed = list(column)
        for row, value in zip(rows.tolist(), values, strict=True):
            listed[row] = value
        table[name] = type(column)(listed) if isinstance(column, tuple) else np.array(listed)
        return table


def own_table(table: Any) -> OwnTable:
    """Take a frame of any library, a dict of columns or a list of rows by its kind."""
    if is_frame(table):
        import pandas as pd

        return _Pandas(table) if isinstance(table, pd.DataFrame) else _Narwhals(table)
    if isinstance(table, Mapping):
        return _Columns(table)
    return _Records(table)


# ------------------------------------------------------------------------ values
def _picked(values: Any, keep: _Mask | None) -> Any:
    if isinstance(values, (list, tuple)):
        return list(values) if keep is None else [v for v, k in zip(values, keep, strict=True) if k]
    array = np.asarray(values) if not hasattr(values, "copy") else values
    if keep is not None:
        if isinstance(array, np.ndarray) or hasattr(array, "iloc"):
            return array[keep]
        return np.asarray(array)[keep]
    return array.copy() if hasattr(array, "copy") else array


def as_numbers(values: Any) -> Any:
    """Booleans count as 0 and 1 here."""
    listed = list(values)
    if listed and all(isinstance(value, (bool, np.bool_)) for value in listed):
        return [float(value) for value in listed]
    return values


def like(old: object, new: float) -> object:
    """A number of the type that stood there."""
    if isinstance(old, (int, np.integer)):
        return round(new)
    if isinstance(old, Decimal):
        return Decimal(repr(float(new)))
    if isinstance(old, Fraction):
        return Fraction(float(new))
    return float(new)


def flipped(name: str, values: list[Any]) -> list[Any]:
    """Another ending for each: 1 - x from 0 to 1, else the next value that the column has."""
    there = [value for value in dict.fromkeys(values) if not _is_missing(value)]
    if all(_is_share(value) for value in there):
        return [_opposite(value) if not _is_missing(value) else value for value in values]
    if len(there) == 1:
        raise ValueError(
            f"the label column {name!r} has one value only, {checks.show(there[0])}: nothing else "
            "can be put in its place"
        )
    following = dict(zip(there, [*there[1:], there[0]], strict=True))
    return [following.get(value, value) for value in values]


def _is_missing(value: Any) -> bool:
    return value is None or value != value


def _is_share(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    try:
        return bool(0.0 <= float(value) <= 1.0)
    except (TypeError, ValueError):
        return False


def _opposite(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return not value
    other = 1 - value
    return other if other != value else value - value
