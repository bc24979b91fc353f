"""Tables of books, wide or long, taken apart into arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.books.judge import Draft, Flaw
from horizon.books.snapshots import Books, Floats, Times

__all__ = ["LongTable", "WideTable", "read_table"]

_Mask = NDArray[np.bool_]
_Rows = NDArray[np.intp]

#: Endings of a column of times, and the nanoseconds of its unit.
_UNITS: Final = {"_ts_ns": 1, "_ts_us": 1_000, "_ts_ms": 1_000_000, "_ts_s": 1_000_000_000}
_SIDES: Final = {"bid": 0, "buy": 0, "ask": 1, "sell": 1}


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Rows of a table with a value that cannot be read, and how to say so."""

    bad: _Mask
    reason: str
    rule: str
    value: Callable[[int], object]


@dataclass(frozen=True, slots=True)
class WideTable:
    """A row for each book.

    Attributes
    ----------
    names : list of str
        The first columns, for messages.
    markets : column or None
        The column of market ids.
    """

    names: list[str]
    markets: Any
    books: Books
    wrong: list[_Wrong]

    def draft(self, rows: _Rows | None) -> Draft:
        """The books of some rows, or of all."""
        flaws = []
        for wrong in self.wrong:

            def say(number: int, wrong: _Wrong = wrong) -> tuple[int, str, object]:
                row = number if rows is None else int(rows[number])
                return row, wrong.rule, wrong.value(row)

            bad = wrong.bad if rows is None else wrong.bad[rows]
            flaws.append(Flaw(bad, wrong.reason, say))
        return Draft(self.books if rows is None else self.books.part(rows), rows, None, flaws)


@dataclass(frozen=True, slots=True)
class LongTable:
    """A row for each level; rows of one time are one book.

    Attributes
    ----------
    names, markets : see `WideTable`
    sides : ndarray of int, shape (n_rows,)
        0 for bids, 1 for asks.
    """

    names: list[str]
    markets: Any
    times: Times
    sides: NDArray[np.int8]
    prices: Floats
    sizes: Floats
    wrong: list[_Wrong]

    def draft(self, rows: _Rows | None) -> Draft:
        """The books of some rows, or of all."""
        if rows is None:
            rows = np.arange(len(self.times))
        times = self.times[rows]
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = times[1:] != times[:-1]
        firsts = np.flatnonzero(begins)
        numbers = np.cumsum(begins) - 1
        flaws = []
        for wrong in self.wrong:
            at = np.flatnonzero(wrong.bad[rows])
            bad = np.zeros(len(firsts), dtype=bool)
            bad[numbers[at]] = True

            def say(number: int, wrong: _Wrong = wrong, at: _Rows = at) -> tuple[int, str, object]:
                row = int(rows[at[np.searchsorted(numbers[at], number)]])
                return row, wrong.rule, wrong.value(row)

            flaws.append(Flaw(bad, wrong.reason, say))
        packed = [
            self._packed(rows, numbers, len(firsts), self.sides[rows] == side) for side in (0, 1)
        ]
        (bids, bid_sizes, bid_rows), (asks, ask_sizes, ask_rows) = packed
        books = Books(times[firsts], bids, bid_sizes, asks, ask_sizes)
        return Draft(books, rows[firsts], (bid_rows, ask_rows), flaws)

    def _packed(
        self, rows: _Rows, numbers: _Rows, n_books: int, chosen: _Mask
    ) -> tuple[Floats, Floats, _Rows]:
        """Prices, sizes and rows of one side, a line for each book."""
        rows, numbers = rows[chosen], numbers[chosen]
        count = np.arange(len(rows))
        again = np.zeros(len(rows), dtype=bool)
        again[1:] = numbers[1:] == numbers[:-1]
        level = count - np.maximum.accumulate(np.where(again, 0, count))
        shape = (n_books, int(level.max(initial=-1)) + 1)
        prices, sizes = np.full(shape, np.nan), np.full(shape, np.nan)
        prices[numbers, level] = self.prices[rows]
        sizes[numbers, level] = self.sizes[rows]
        where = np.zeros(shape, dtype=np.intp)
        where[numbers, level] = rows
        return prices, sizes, where


def read_table(name: str, table: Any, time: str | None) -> WideTable | LongTable:
    """Take a frame, or the file of one, apart.

    Parameters
    ----------
    name : str
        What messages call it.
    table : frame or path
    time : str or None
        Its column of times; see `read_books`.

    Raises
    ------
    ValueError
        If it lacks a column.
    """
    if isinstance(table, (str, os.PathLike)):
        table = columns.read_file(name, table, "market_id")
    try:
        found, index = columns.frame_columns(table)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a frame of pandas, polars or Arrow, was {type(table).__name__}"
        ) from error
    if index is not None and (time is None or time == index[0]):
        found = {index[0]: index[1]} | found
        time = index[0]
    times = _times(name, found, time)
    markets = next((found[column] for column in found if column.lower() == "market_id"), None)
    names = list(found)[:12]
    if "side" in found and "bid_px_1" not in found:
        for column in ("price", "size"):
            if column not in found:
                raise ValueError(
                    f"{name} must have a column {column!r} beside 'side', have {names}"
                )
        return _long(names, markets, times, found)
    return _wide(name, names, markets, times, found)


def _times(name: str, found: dict[str, Any], time: str | None) -> Times:
    if time is None:
        plain = [column for column in columns.TIMES if column in found]
        counted = [column for column in found if column.endswith(tuple(_UNITS))]
        if not plain and not counted:
            raise ValueError(
                f"{name} must have a column 'timestamp', or one that ends in _ts_ns, _ts_us, "
                f"_ts_ms or _ts_s; have {list(found)[:12]}"
            )
        if "timestamp" not in plain and len(plain) > 1:
            raise ValueError(f"{name} have several columns of times, {plain}: say which by time=")
        time = (plain + counted)[0]
    elif time not in found:
        raise ValueError(f"{name} have no column {time!r}{checks.suggestion(time, found)}")
    unit = next((ns for ending, ns in _UNITS.items() if time.endswith(ending)), None)
    if unit is None:
        return columns.nanoseconds(found[time], None)
    return _counted(found[time], unit)


def _counted(values: Any, unit: int) -> Times:
    floats, bad = columns.numbers(values)
    array = np.asarray(values)
    known = np.isfinite(floats) & ~bad & (np.abs(floats) <= 9.2e18 / unit)
    if array.dtype.kind in "iu":  # exactly: today's nanoseconds do not fit into a float
        whole = np.where(known, array.astype(np.int64), 0) * unit
    else:
        kept = np.where(known, floats, 0.0)
        whole = kept.astype(np.int64) * unit + np.rint((kept % 1.0) * unit).astype(np.int64)
    return np.where(known, whole, columns.NEVER)


def _wide(
    name: str, names: list[str], markets: Any, times: Times, found: dict[str, Any]
) -> WideTable:
    parts: list[Floats] = []
    wrong: list[_Wrong] = []
    for side in ("bid", "ask"):
        levels = 0
        while f"{side}_px_{levels + 1}" in found:
            levels += 1
        if not levels:
            raise ValueError(f"{name} must have a column '{side}_px_1', have {names}")
        for kind, reason in (("px", "price"), ("sz", "size")):
            values = np.empty((len(times), levels))
            for level in range(levels):
                column = f"{side}_{kind}_{level + 1}"
                if column not in found:
                    raise ValueError(
                        f"{name} must have a column '{column}' beside {side}_px_{level + 1}"
                    )
                values[:, level] = _numbers(found, column, reason, wrong)
            parts.append(values)
    return WideTable(names, markets, Books(times, *parts), wrong)


def _long(names: list[str], markets: Any, times: Times, found: dict[str, Any]) -> LongTable:
    wrong: list[_Wrong] = []
    prices = _numbers(found, "price", "price", wrong)
    sizes = _numbers(found, "size", "size", wrong)
    codes, words = _words(found["side"])
    known = np.array([_SIDES.get(word, -1) for word in words], dtype=np.int8)
    sides = known[codes]
    # The side of nothing may be left empty.
    unknown = (sides < 0) & ~(np.isnan(prices) & np.isnan(sizes))
    if unknown.any():
        values = found["side"]
        rule = "side must be 'bid' or 'buy', 'ask' or 'sell'"
        wrong.append(_Wrong(unknown, "side", rule, lambda row: _item(values, row)))
    return LongTable(names, markets, times, sides, prices, sizes, wrong)


def _words(values: Any) -> tuple[_Rows, Sequence[str]]:
    """A column of few words, in small letters, by their number."""
    codes, words, _ = columns.market_codes(values)
    return codes, [word.lower() for word in words]


def _numbers(found: dict[str, Any], column: str, reason: str, wrong: list[_Wrong]) -> Floats:
    values = found[column]
    floats, bad = columns.numbers(values)
    if bad.any():
        rule = f"{column} must be a number"
        wrong.append(_Wrong(bad, reason, rule, lambda row: _item(values, row)))
    return floats


def _item(values: Any, row: int) -> object:
    value = values[row]
    return value.item() if isinstance(value, np.generic) else value
