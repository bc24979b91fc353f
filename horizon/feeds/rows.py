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
from horizon.feeds.reader import NUMBERS, Source
from horizon.feeds.times import stamp_text

__all__ = ["Table", "check", "merge"]

_Mask = NDArray[np.bool_]
_SIZES: Final = ("bid_size", "ask_size", "volume")
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
    """

    markets: list[str]
    codes: NDArray[np.intp]
    times: NDArray[np.int64]
    numbers: dict[str, NDArray[np.float64]]
    feeds: list[str]
    feed_codes: NDArray[np.intp]
    source_rows: NDArray[np.intp]


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
    judge = _Judge(source, market_id, zone)
    judge.read()
    if judge.bad.any() and not drop:
        raise judge.error(int(np.argmax(judge.bad)))
    table, passed_over = judge.table()
    return table, judge.counts() + passed_over


def merge(tables: Sequence[Table]) -> Table:
    """Put tables in one order of time; rows of one time keep the order of the tables."""
    markets = list(dict.fromkeys(market for table in tables for market in table.markets))
    number = {market: code for code, market in enumerate(markets)}
    codes = [np.array([number[m] for m in t.markets], dtype=np.intp)[t.codes] for t in tables]
    times = np.concatenate([table.times for table in tables])
    # Not a repair: every market is in order, and only their rows are laced together.
    order = np.argsort(times, kind="stable")
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
    )


class _Judge:
    """The columns of one source as arrays, and what is wrong with which row."""

    def __init__(self, source: Source, market_id: str, zone: str | None) -> None:
        self.source = source
        self.zone = zone
        n = source.length
        columns = source.columns
        self.bad: _Mask = np.zeros(n, dtype=bool)
        # By reason, in the order in which they are asked: the rows, and what to say of one.
        self.faults: dict[str, tuple[_Mask, Callable[[int], tuple[str, object]]]] = {}
        self.markets, self.codes = [market_id], np.zeros(n, dtype=np.intp)
        self.not_ids: list[int] = []
        if "market_id" in columns:
            self.codes, self.markets, self.not_ids = market_codes(columns["market_id"])
        self.times = nanoseconds(columns["timestamp"], zone) if n else np.zeros(0, dtype=np.int64)
        self.numbers: dict[str, NDArray[np.float64]] = {}
        self.not_numbers: dict[str, _Mask] = {}
        for name in NUMBERS:
            if name in columns:
                self.numbers[name], self.not_numbers[name] = numbers(columns[name])
        nothing = np.full(n, np.nan)
        self.bid, self.ask = self.numbers.get("bid", nothing), self.numbers.get("ask", nothing)
        price = self.numbers.get("price", nothing)
        with np.errstate(invalid="ignore"):  # bad rows have all sorts of quotes
            self.price = np.where(np.isnan(price), self.bid / 2.0 + self.ask / 2.0, price)

    def read(self) -> None:
        """Ask every question; a row's first fault is the one that counts."""
        self._fault("timestamp", self.times == NEVER, self._say_time)
        if self.not_ids:
            wrong = np.isin(self.codes, self.not_ids)
            self._fault("market_id", wrong, self._say_market)
        for name in sorted(self.numbers, key=_SIZES.__contains__):  # prices before sizes
            values, reason = self.numbers[name], "size" if name in _SIZES else "price"
            with np.errstate(invalid="ignore"):
                wrong = self.not_numbers[name] | (values < 0.0) | (values > checks.LARGEST)
            self._fault(f"{name}:{reason}", wrong, partial(self._say, name))
        self._pair("bid", "ask", "crossed")
        for lower, upper in _BAR:
            self._pair(lower, upper, "bar")
        self._fault("backwards", self._backwards(), self._say_backwards)

    def table(self) -> tuple[Table, Counter[str]]:
        """The rows that can be sent, and how many of the good ones cannot."""
        good = ~self.bad
        unpriced = good & np.isnan(self.price)
        one_sided = unpriced & ~(np.isnan(self.bid) & np.isnan(self.ask))
        counts = Counter(one_sided=int(one_sided.sum()), empty=int((unpriced & ~one_sided).sum()))
        keep = np.flatnonzero(good & ~unpriced)
        table = Table(
            markets=self.markets,
            codes=self.codes[keep],
            times=self.times[keep],
            numbers={name: v[keep] for name, v in (self.numbers | {"price": self.price}).items()},
            feeds=[self.source.name],
            feed_codes=np.zeros(len(keep), dtype=np.intp),
            source_rows=keep,
        )
        return table, +counts

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
        wrong = np.zeros(self.source.length, dtype=bool)
        times = np.where(self.bad, NEVER, self.times)
        if not (times[1:] < np.maximum.accumulate(times)[:-1])[~self.bad[1:]].any():
            return wrong  # in order as a whole, as most data is
        order = np.argsort(self.codes, kind="stable")
        cuts = np.flatnonzero(np.diff(self.codes[order])) + 1
        for rows in np.split(order, cuts):
            peak = np.maximum.accumulate(times[rows])
            wrong[rows[1:]] = times[rows[1:]] < peak[:-1]
        return wrong & ~self.bad

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
            f"to 2262, was {checks.show(value)}",
            value,
        )

    def _say(self, name: str, row: int) -> tuple[str, object]:
        value = _item(self.source.columns[name], row)
        return f"{name} must be a number from 0 to 1e15, was {checks.show(value)}", value

    def _say_backwards(self, row: int) -> tuple[str, object]:
        mine = (self.codes[:row] == self.codes[row]) & ~self.bad[:row]
        latest, now = int(self.times[:row][mine].max()), int(self.times[row])
        return (
            f"time goes backwards in market {self.markets[self.codes[row]]!r}: "
            f"{stamp_text(now)} after {stamp_text(latest)}. Sort the data by time, or leave such "
            "rows out with bad_rows='drop'",
            stamp_text(now),
        )


def _item(values: Any, row: int) -> object:
    value = (values.iloc if hasattr(values, "iloc") else values)[row]  # by place, not by label
    # NumPy's and Arrow's scalars do not print as what they stand for.
    if isinstance(value, (np.integer, np.floating)):
        return value.item()
    return value.as_py() if hasattr(value, "as_py") else value
