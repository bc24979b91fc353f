"""The judgement of rows: which are sent, which are passed over, which cannot be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.columns import NEVER, market_codes, nanoseconds, numbers
from horizon.errors import DataError
from horizon.feeds.reader import NUMBERS, STALE, Source
from horizon.feeds.times import stamp_text

__all__ = ["Checked", "Table", "check", "judge", "merge", "zone_of"]

_Mask = NDArray[np.bool_]
_FLAGS: Final[dict[Any, float]] = {True: 1.0, False: 0.0, None: 0.0, "true": 1.0, "false": 0.0}
_SIZES: Final = ("bid_size", "ask_size", "volume")
#: Rows whose times are read at once: what the reading needs besides stays small.
_BLOCK: Final = 1 << 16
#: What may not be above what in one bar.
_BAR: Final = (
    ("low", "high"),
    ("low", "price"),
    ("low", "open"),
    ("price", "high"),
    ("open", "high"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that can be sent, by column.

    Attributes
    ----------
    markets : list of str
        Market ids by number.
    codes : ndarray of int, shape (n_rows,)
        Each row's market.
    times : ndarray of int64, shape (n_rows,)
        Nanoseconds since 1970 (UTC), never going back once merged.
    numbers : dict of str to ndarray of float64, shape (n_rows,)
        The other columns that the data has; NaN is none. Always holds ``"price"``.
    feeds : list of str
        Feed names by number.
    feed_codes, source_rows : ndarray of int, shape (n_rows,)
        Where each row comes from: its feed, and its row there from 0.
    lost_codes, lost_times : ndarray of int, shape (n_losses,)
        Market and time of each row that says that its feed was lost; they are no rows to send.
    """

    markets: list[str]
    codes: NDArray[np.intp]
    times: NDArray[np.int64]
    numbers: dict[str, NDArray[np.float64]]
    feeds: list[str]
    feed_codes: NDArray[np.intp]
    source_rows: NDArray[np.intp]
    lost_codes: NDArray[np.intp]
    lost_times: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Checked:
    """The good rows of one source, those without a price among them.

    Arrays of the source are taken as they are where all rows are good and nothing had to be
    read out of another type: they may be the caller's own.

    Attributes
    ----------
    markets : list of str
        Market ids by number; the source's own name where it has no market column.
    codes : ndarray of int, shape (n_rows,), or None
        Each row's market; None where the source has no market column.
    times : ndarray of int64, shape (n_rows,)
        Nanoseconds since 1970 (UTC), never going back within a market.
    numbers : dict of str to ndarray of float64, shape (n_rows,)
        The other columns that the source has; NaN is none. Always holds ``"price"``: the mid
        of the quotes where the row has none itself, NaN where it has not both of them.
    rows : ndarray of int, shape (n_rows,), or None
        Each row's number in the source, from 0; None where all rows are good.
    dropped : dict of str to Counter
        Rows left out, by market (the source's name where it has none) and reason.
    """

    markets: list[str]
    codes: NDArray[np.intp] | None
    times: NDArray[np.int64]
    numbers: dict[str, NDArray[np.float64]]
    rows: NDArray[np.intp] | None
    dropped: dict[str, Counter[str]]


def judge(source: Source, *, zone: str | None, drop: bool, after_ns: int | None = None) -> Checked:
    """Judge the rows of one source; those without a price stay.

    Parameters
    ----------
    source : Source
    zone : str or None
        Zone of times that have none; None is UTC.
    drop : bool
        Leave bad rows out and count them, instead of raising at the first.
    after_ns : int, optional
        The latest time that was there before: an earlier row goes backwards.

    Raises
    ------
    DataError
        At the first bad row, in the order of the source, unless `drop`.
    """
    found = _Judge(source, source.name, zone, after_ns)
    found.read()
    if found.bad.any() and not drop:
        raise found.error(int(np.argmax(found.bad)))
    return found.checked()


def zone_of(timezone: object) -> str | None:
    """Check a ``timezone=`` argument; None for UTC."""
    if timezone is None:
        return None
    key = checks.timezone("timezone", timezone).key
    return None if key == "UTC" else key


def check(
    source: Source, *, market_id: str, zone: str | None, drop: bool
) -> tuple[Table, Counter[str]]:
    """Judge the rows of one source.

    Parameters
    ----------
    source : Source
    market_id : str
        The market of all rows where the source does not say.
    zone : str or None
        Zone of times that have none; None is UTC.
    drop : bool
        Leave bad rows out and count them, instead of raising at the first.

    Returns
    -------
    Table
        The good rows, in the order of the source.
    Counter
        Rows left out, by reason.

    Raises
    ------
    DataError
        At the first bad row, in the order of the source, unless `drop`.
    """
    found = _Judge(source, market_id, zone)
    found.read()
    if found.bad.any() and not drop:
        raise found.error(int(np.argmax(found.bad)))
    table, passed_over = found.table()
    return table, found.counts() + passed_over


def merge(tables: Sequence[Table]) -> Table:
    """Put tables in one order of time; rows of one time keep the order of the tables."""
    markets = list(dict.fromkeys(market for table in tables for market in table.markets))
    number = {market: code for code, market in enumerate(markets)}
    here = [np.array([number[m] for m in table.markets], dtype=np.intp) for table in tables]
    codes = [mine[table.codes] for mine, table in zip(here, tables, strict=True)]
    lost_codes = [mine[table.lost_codes] for mine, table in zip(here, tables, strict=True)]
    times = np.concatenate([table.times for table in tables])
    # Not a repair: every market is in order, and only their rows are laced together.
    order = np.argsort(times, kind="stable")
    lost_times = np.concatenate([table.lost_times for table in tables])
    lost_order = np.argsort(lost_times, kind="stable")
    names = [name for name in NUMBERS if any(name in table.numbers for table in tables)]
    return Table(
        markets=markets,
        codes=np.concatenate(codes)[order],
        times=times[order],
        numbers={
            name: np.concatenate(
                [t.numbers.get(name, np.full(len(t.times), np.nan)) for t in tables]
            )[order]
            for name in names
        },
        feeds=[table.feeds[0] for table in tables],
        feed_codes=np.concatenate(
            [np.full(len(t.times), i, dtype=np.intp) for i, t in enumerate(tables)]
        )[order],
        source_rows=np.concatenate([table.source_rows for table in tables])[order],
        lost_codes=np.concatenate(lost_codes)[lost_order],
        lost_times=lost_times[lost_order],
    )


class _Judge:
    """The columns of one source as arrays, and what is wrong with which row."""

    def __init__(
        self, source: Source, market_id: str, zone: str | None, after_ns: int | None = None
    ) -> None:
        self.source = source
        self.zone = zone
        self.after_ns = NEVER if after_ns is None else after_ns
        n = source.length
        columns = source.columns
        self.bad: _Mask = np.zeros(n, dtype=bool)
        # By reason, in the order in which they are asked: the rows, and what to say of one.
        self.faults: dict[str, tuple[_Mask, Callable[[int], tuple[str, object]]]] = {}
        self.markets: list[str] = [market_id]
        self.codes: NDArray[np.intp] | None = None
        self.not_ids: list[int] = []
        if "market_id" in columns:
            self.codes, self.markets, self.not_ids = market_codes(columns["market_id"])
        self.times = _times(columns["timestamp"], zone) if n else np.zeros(0, dtype=np.int64)
        self.numbers: dict[str, NDArray[np.float64]] = {}
        self.not_numbers: dict[str, _Mask] = {}
        for name in NUMBERS:
            if name in columns:
                self.numbers[name], not_numbers = _numbers(columns[name])
                if not_numbers is not None:
                    self.not_numbers[name] = not_numbers
        self.price = self._priced()
        if STALE in columns:
            self.numbers[STALE] = _flags(columns[STALE])

    def _priced(self) -> NDArray[np.float64]:
        """The price of each row, which may be the mid of its quotes; NaN without."""
        price, bid, ask = (self.numbers.get(name) for name in ("price", "bid", "ask"))
        if bid is None or ask is None:
            return np.full(self.source.length, np.nan) if price is None else price
        if price is not None and not np.isnan(price).any():
            return price
        with np.errstate(invalid="ignore"):  # bad rows have all sorts of quotes
            mid = bid / 2.0 + ask / 2.0
        return mid if price is None else np.where(np.isnan(price), mid, price)

    def read(self) -> None:
        """Ask every question; a row's first fault is the one that counts."""
        self._fault("timestamp", self.times == NEVER, self._say_time)
        if self.codes is not None and self.not_ids:
            wrong = np.isin(self.codes, self.not_ids)
            self._fault("market_id", wrong, self._say_market)
        for name in sorted(self.numbers, key=_SIZES.__contains__):  # prices before sizes
            if name == STALE:
                continue
            values, reason = self.numbers[name], "size" if name in _SIZES else "price"
            with np.errstate(invalid="ignore"):
                wrong = (values < 0.0) | (values > checks.LARGEST)
            if name in self.not_numbers:
                wrong |= self.not_numbers[name]
            self._fault(f"{name}:{reason}", wrong, partial(self._say, name))
        self._pair("bid", "ask", "crossed")
        for lower, upper in _BAR:
            self._pair(lower, upper, "bar")
        if STALE in self.numbers:
            self._read_stale(self.numbers[STALE])
        self._fault("backwards", self._backwards(), self._say_backwards)

    def _read_stale(self, flags: NDArray[np.float64]) -> None:
        """A row that says that its feed is lost brings nothing else."""
        self._fault(
            "stale",
            np.isnan(flags),
            lambda row: (
                "is_stale must be true or false (1 or 0), was "
                f"{checks.show(_item(self.source.columns[STALE], row))}",
                _item(self.source.columns[STALE], row),
            ),
        )
        is_stale = flags == 1.0
        for name in ("price", "bid", "ask"):
            if name in self.numbers:
                self._fault(
                    f"{name}:stale",
                    is_stale & ~np.isnan(self.numbers[name]),
                    partial(self._say_brings, name),
                )

    def _say_brings(self, name: str, row: int) -> tuple[str, object]:
        value = float(self.numbers[name][row])
        return f"a row with is_stale must have no {name}, has {value!r}", value

    def table(self) -> tuple[Table, Counter[str]]:
        """The rows that can be sent, and how many of the good ones cannot."""
        good = ~self.bad
        lost = np.zeros(len(good), dtype=bool)
        if STALE in self.numbers:
            lost = good & (self.numbers[STALE] == 1.0)
            good &= ~lost
        unpriced = good & np.isnan(self.price)
        one_sided = np.zeros(len(good), dtype=bool)
        for name in ("bid", "ask"):
            if name in self.numbers:
                one_sided |= unpriced & ~np.isnan(self.numbers[name])
        counts = Counter(one_sided=int(one_sided.sum()), empty=int((unpriced & ~one_sided).sum()))
        keep = np.flatnonzero(good & ~unpriced)
        codes = np.zeros(len(good), dtype=np.intp) if self.codes is None else self.codes
        table = Table(
            markets=self.markets,
            codes=codes[keep],
            times=self.times[keep],
            numbers={name: v[keep] for name, v in (self.numbers | {"price": self.price}).items()},
            feeds=[self.source.name],
            feed_codes=np.zeros(len(keep), dtype=np.intp),
            source_rows=keep,
            lost_codes=codes[lost],
            lost_times=self.times[lost],
        )
        return table, +counts

    def checked(self) -> Checked:
        """The good rows, and how many others each market has."""
        numbers = self.numbers | {"price": self.price}
        if not self.bad.any():
            return Checked(self.markets, self.codes, self.times, numbers, None, {})
        keep = np.flatnonzero(~self.bad)
        return Checked(
            self.markets,
            None if self.codes is None else self.codes[keep],
            self.times[keep],
            {name: values[keep] for name, values in numbers.items()},
            keep,
            self._counts_by_market(),
        )

    def _counts_by_market(self) -> dict[str, Counter[str]]:
        counts: dict[str, Counter[str]] = {}
        for key, (mask, _) in self.faults.items():
            reason = key.rpartition(":")[2]
            if self.codes is None or reason == "market_id":
                markets = [(self.source.name, int(mask.sum()))]
            else:
                each = np.bincount(self.codes[mask], minlength=len(self.markets)).tolist()
                markets = list(zip(self.markets, each, strict=True))
            for market, count in markets:
                if count:
                    counts.setdefault(market or self.source.name, Counter())[reason] += count
        return counts

    def counts(self) -> Counter[str]:
        """Bad rows by reason."""
        counts: Counter[str] = Counter()
        for key, (mask, _) in self.faults.items():
            counts[key.rpartition(":")[2]] += int(mask.sum())
        return +counts

    def error(self, row: int) -> DataError:
        """Say what is wrong with a bad row."""
        say = next(say for mask, say in self.faults.values() if mask[row])
        text, value = say(row)
        return DataError(
            f"feed {self.source.name!r}, row {row}: {text}",
            feed=self.source.name,
            row=row,
            value=value,
        )

    def _fault(self, key: str, wrong: _Mask, say: Callable[[int], tuple[str, object]]) -> None:
        new = wrong & ~self.bad
        if new.any():
            self.faults[key] = (new, say)
            self.bad |= new

    def _pair(self, lower: str, upper: str, reason: str) -> None:
        columns = self.numbers | {"price": self.price}
        if lower in columns and upper in columns:
            low, high = columns[lower], columns[upper]
            with np.errstate(invalid="ignore"):
                wrong = low > high
            self._fault(
                f"{lower} {upper}:{reason}",
                wrong,
                lambda row: (
                    f"{lower} {low[row]:g} is above {upper} {high[row]:g}",
                    (float(low[row]), float(high[row])),
                ),
            )

    def _backwards(self) -> _Mask:
        """Rows before the latest time of an earlier good row of their market."""
        wrong = ~self.bad & (self.times < self.after_ns)
        if not (self.times[1:] < self.times[:-1]).any() and not self.bad.any():
            return wrong  # without the copies that are made below
        times = np.where(self.bad | wrong, NEVER, self.times)
        if not (times[1:] < np.maximum.accumulate(times)[:-1])[~self.bad[1:]].any():
            return wrong  # in order as a whole, as most data is
        for rows in self._rows_by_market():
            peak = np.maximum.accumulate(times[rows])
            wrong[rows[1:]] |= times[rows[1:]] < peak[:-1]
        return wrong & ~self.bad

    def _rows_by_market(self) -> list[NDArray[np.intp]]:
        if self.codes is None:
            return [np.arange(self.source.length)]
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.codes[order])) + 1)

    def _say_market(self, row: int) -> tuple[str, object]:
        value = _item(self.source.columns["market_id"], row)
        return (
            "market_id must be text of 1 to 256 characters without control characters or "
            f"blanks at the ends, was {checks.show(value)}",
            value,
        )

    def _say_time(self, row: int) -> tuple[str, object]:
        value = _item(self.source.columns["timestamp"], row)
        wall = "" if self.zone is None else f" (a wall time of {self.zone} that exists, and once)"
        return (
            f"timestamp must be epoch seconds, a datetime or ISO text{wall} in the years 1678 "
            f"to 2262, was {checks.show(value)}{_unit_hint(value)}",
            value,
        )

    def _say(self, name: str, row: int) -> tuple[str, object]:
        value = _item(self.source.columns[name], row)
        return f"{name} must be a number from 0 to 1e15, was {checks.show(value)}", value

    def _say_backwards(self, row: int) -> tuple[str, object]:
        code, mine = 0, ~self.bad[:row]
        if self.codes is not None:
            code = int(self.codes[row])
            mine &= self.codes[:row] == code
        latest = int(self.times[:row][mine].max(initial=self.after_ns))
        now = int(self.times[row])
        market = self.markets[code]
        where = "" if market == self.source.name else f" in market {market!r}"
        return (
            f"time goes backwards{where}: "
            f"{stamp_text(now)} after {stamp_text(latest)}. Sort the data by time, or leave such "
            "rows out with bad_rows='drop'",
            stamp_text(now),
        )


def _times(values: Any, zone: str | None) -> NDArray[np.int64]:
    array = values if isinstance(values, np.ndarray) else _plain(values)
    if array is None:
        return nanoseconds(values, zone)
    if array.dtype == np.dtype("datetime64[ns]") and zone is None:
        return np.asarray(array.view(np.int64))
    if len(array) <= _BLOCK or array.dtype.kind not in "iufM":
        return nanoseconds(values, zone)
    ns = np.empty(len(array), dtype=np.int64)
    for start in range(0, len(array), _BLOCK):
        part = slice(start, start + _BLOCK)
        ns[part] = nanoseconds(array[part], zone)
    return ns


def _numbers(values: Any) -> tuple[NDArray[np.float64], _Mask | None]:
    """Read a number column without a copy where it can be had; None if all are numbers."""
    array = values if isinstance(values, np.ndarray) else _plain(values)
    if array is not None and array.dtype == np.float64:
        return array, None
    floats, bad = numbers(values)
    return floats, bad if bad.any() else None


def _flags(values: Any) -> NDArray[np.float64]:
    """Read a column of true and false: 1.0 and 0.0, NaN for what is neither; None is false."""
    return np.array([_flag(value) for value in _listed(values)], dtype=np.float64)


def _flag(value: object) -> float:
    if isinstance(value, float) and value != value:
        return 0.0  # what a frame has where a row lacks the column
    try:
        return _FLAGS.get(value, np.nan)
    except TypeError:  # it cannot be looked up
        return np.nan


def _listed(values: Any) -> list[Any]:
    """A column's values as Python objects."""
    for way in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, way):
            return list(getattr(values, way)())
    return list(values)


def _plain(values: Any) -> NDArray[Any] | None:
    """A frame's column as an array, if it is of a plain type and its times have no zone."""
    import narwhals as nw

    series: Any = nw.from_native(values, series_only=True, pass_through=True)
    if not isinstance(series, nw.Series):
        return None
    dtype = series.dtype
    if not dtype.is_float() and not (isinstance(dtype, nw.Datetime) and dtype.time_zone is None):
        return None
    return np.asarray(series.to_numpy())


def _unit_hint(value: object) -> str:
    """Say what a number too large for seconds looks like."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for unit, per_second in (("milli", 1e3), ("micro", 1e6), ("nano", 1e9)):
            if 1e8 <= abs(value) / per_second <= 9.2e9:
                return f"; that looks like {unit}seconds: divide by {per_second:,.0f}"
    return ""


def _item(values: Any, row: int) -> object:
    value = (values.iloc if hasattr(values, "iloc") else values)[row]  # by place, not by label
    # NumPy's and Arrow's scalars do not print as what they stand for.
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    return value.as_py() if hasattr(value, "as_py") else value
