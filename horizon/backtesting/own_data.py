"""The caller's own data after a change, as the kind of table that it was given as."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.changes import Change
from horizon.backtesting.own_tables import as_numbers, flipped, like, own_table
from horizon.columns import NEVER, market_codes, nanoseconds, numbers, read_file
from horizon.feeds.reader import NUMBERS, feeds_of, is_table, sources

__all__ = ["OwnData"]

_Rows = NDArray[np.intp]

#: The feed of a table that names none.
_ONE: Final = "data"


class OwnData:
    """Data in the caller's form, to be handed out whole or changed; what he has is never touched.

    Parameters
    ----------
    data : object
        As `backtest` takes it. Files are handed out as pandas frames, everything else as it is.
    columns : dict
        Horizon's column names to the data's.
    zone : str or None
        Of times that have none.
    labels : sequence of str
        Columns that tell how a row's market has ended.
    """

    def __init__(
        self, data: object, *, columns: Mapping[str, str], zone: str | None, labels: Sequence[str]
    ) -> None:
        self._data = data
        self._columns = columns
        self._zone = zone
        self.labels = tuple(labels)

    def require_labels(self) -> None:
        """Raise if a column in `labels` is nowhere; data in chunks is not looked at."""
        if self._is_chunks():
            return
        names = {name for _, table in _tables(self._data) for name in own_table(table).names()}
        for label in self.labels:
            if label not in names:
                raise ValueError(
                    f"labels names the column {label!r}, which the data does not have; it has "
                    f"{', '.join(map(repr, sorted(names)))}{checks.suggestion(label, names)}"
                )

    def find_labels(self, outcomes: Mapping[str, float], markets: Mapping[str, list[str]]) -> None:
        """Take columns that hold every row's outcome for labels.

        Parameters
        ----------
        outcomes : mapping of market id to float
        markets : mapping of feed name to list of str
            Which markets a feed prices.
        """
        if len(set(outcomes.values())) < 2 or self._is_chunks():
            return  # a column of ones need not be the outcome of the only market
        found: dict[str, bool] = {}
        for feed, table in _tables(self._data):
            view = _View(feed, table, self._columns, self._zone)
            ends = np.array(
                [
                    next((outcomes[m] for m in markets.get(f, ()) if m in outcomes), math.nan)
                    for f in view.feeds
                ]
            )[view.codes]
            for name in view.others():
                values, bad = numbers(as_numbers(view.kind.values(name)))
                fits = not bad.any() and bool((values == ends).all()) and len(values) > 0
                found[name] = found.get(name, True) and fits
        self.labels = tuple(name for name, fits in found.items() if fits)

    def whole(self) -> object:
        """Return all of it; tables are copies."""
        return self._made(lambda _, table: own_table(table).copy(), self._data)

    def after(self, change: Change, is_open: Callable[[str], bool]) -> object:
        """Return it after a change.

        Parameters
        ----------
        change : Change
        is_open : callable
            Whether what a feed prices resolves after the cut.
        """

        def changed(feed: str, table: object) -> object:
            view = _View(feed, table, self._columns, self._zone)
            if change.is_truncated:
                return view.kind.taken(view.times <= change.cut_ns)
            return self._moved(view, change, is_open)

        if not self._is_chunks() or not change.is_truncated:
            return self._made(changed, self._data)
        made = self._made(changed, self._data)
        assert callable(made)

        def until_cut() -> Iterator[object]:
            for chunk in made():
                if not any(map(_length, _parts(chunk))):
                    return
                yield chunk

        return until_cut

    # ------------------------------------------------------------------ small parts
    def _is_chunks(self) -> bool:
        return callable(self._data) and not is_table(self._data)

    def _made(self, make: Callable[[str, object], object], data: Any) -> object:
        """Apply a function to every table, whatever they are in."""
        if callable(data) and not is_table(data):
            return lambda: (self._made(make, chunk) for chunk in data())
        feeds = feeds_of(data)
        if feeds is None:
            return make(_ONE, _read(data, self._columns))
        return {name: make(str(name), _read(table, self._columns)) for name, table in feeds.items()}

    def _moved(self, view: _View, change: Change, is_open: Callable[[str], bool]) -> object:
        kind = view.kind
        table = kind.copy()
        for name in kind.names():
            column = view.ours.get(name)
            values = kind.values(name)
            if name in self.labels:
                rows = np.flatnonzero(np.array([is_open(feed) for feed in view.feeds])[view.codes])
                ends = flipped(name, list(values))
                table = kind.put(table, name, rows, [ends[row] for row in rows])
                continue
            if column is None or column not in NUMBERS:
                continue  # what may be a time or a name must not move a row before the cut
            old, _ = numbers(values)
            new = old.copy()
            for code, feed in enumerate(view.feeds):
                mine = np.flatnonzero(view.codes == code)
                new[mine] = change.numbers(feed, column, view.times[mine], old[mine])
            rows = np.flatnonzero((new != old) & ~np.isnan(old))
            listed = list(values)
            put = [like(listed[row], value) for row, value in zip(rows, new[rows], strict=True)]
            table = kind.put(table, name, rows, put)
        return table


class _View:
    """One table: whose rows are of which time and feed."""

    def __init__(
        self, feed: str, table: object, columns: Mapping[str, str], zone: str | None
    ) -> None:
        self.kind = own_table(table)
        (source,) = sources(table, name=feed, columns=columns)
        #: The data's column names to Horizon's.
        self.ours = {theirs: ours for ours, theirs in source.names.items()}
        n = source.length
        self.times = np.zeros(0, dtype=np.int64)
        if n:
            self.times = _filled(nanoseconds(source.columns["timestamp"], zone))
        self.feeds = [feed]
        self.codes: _Rows = np.zeros(n, dtype=np.intp)
        if n and "market_id" in source.columns:
            self.codes, self.feeds, _ = market_codes(source.columns["market_id"])

    def others(self) -> list[str]:
        """Columns that are none of Horizon's."""
        return [name for name in self.kind.names() if name not in self.ours]


def _filled(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """A time that cannot be read belongs to where its row stands."""
    unread = times == NEVER
    if unread.any():
        times = np.where(unread, np.maximum.accumulate(times), times)
    return times


# ------------------------------------------------------------------------ small parts
def _tables(data: Any) -> Iterable[tuple[str, object]]:
    feeds = feeds_of(data)
    if feeds is None:
        return [(_ONE, _read(data, {}))]
    return [(str(name), _read(table, {})) for name, table in feeds.items()]


def _parts(chunk: Any) -> Iterable[object]:
    feeds = feeds_of(chunk)
    return [chunk] if feeds is None else list(feeds.values())


def _read(table: object, columns: Mapping[str, str]) -> object:
    if isinstance(table, (str, os.PathLike)):
        return read_file("data", table, columns.get("market_id", "market_id"))
    return table


def _length(table: Any) -> int:
    if isinstance(table, Mapping):
        return max(map(len, table.values()), default=0)
    return len(table)
