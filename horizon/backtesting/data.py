"""Market data of any form, in the order in which a run plays it."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.playing import MarketData, laced
from horizon.books import Books
from horizon.errors import DataError
from horizon.feeds.reader import Source, column_map, feeds_of, is_table, sources
from horizon.feeds.rows import Checked, judge, zone_of

__all__ = ["DataChunks", "MarketData", "data_of_books", "read_data", "with_books"]

_Floats = NDArray[np.float64]

#: The feed of a table that names neither feeds nor markets.
_ONE: Final = "data"
#: What makes a row with a price a bar, whose close it then is.
_BAR: Final = frozenset(("open", "high", "low", "price"))


def read_data(
    data: object,
    *,
    bad_rows: str = "raise",
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
) -> MarketData | DataChunks:
    """Read and check market data, and put it in the order in which it is played.

    Parameters
    ----------
    data : object
        A list of dicts, a dict of arrays, a pandas, polars or Arrow frame, a path to a CSV
        (also compressed) or Parquet file; a dict of these by feed name; or a callable that
        returns a fresh iterator of any of them, played one after the other. Columns, times and
        gaps are read as by `horizon.feeds.Replay`, but a row without a price stays. A table
        with a ``market_id`` column is one feed for each market, named by it; any other table is
        the feed ``"data"``.
    bad_rows : {"raise", "drop"}
        What to do about a row that cannot be true: raise a `DataError`, or leave it out and
        count it.
    columns : dict, optional
        Horizon's column names to the data's, for those that differ.
    timezone : str, optional
        Zone of datetimes and texts that have none; UTC by default.

    Returns
    -------
    MarketData or DataChunks
        `DataChunks` for a callable.

    Raises
    ------
    DataError
        If there is no row, a column is missing, or at the first bad row, with its feed, row
        (from 0) and value.
    TypeError, ValueError
        For an argument that is not as described, an iterator instead of a callable among them.
    """
    is_dropping = checks.one_of("bad_rows", bad_rows, ("raise", "drop")) == "drop"
    reader = _Reader(column_map(columns), zone_of(timezone), is_dropping)
    if callable(data):
        return DataChunks(data, reader)
    if isinstance(data, Iterator):
        raise TypeError(
            "data must be a callable that returns a fresh iterator of chunks at each call, for "
            f"a second run finds an iterator used up; was {checks.show(data)}"
        )
    read = data if isinstance(data, MarketData) else reader.read(data)
    if not len(read):
        raise DataError(f"data holds no rows{_dropped_text(read.dropped)}", value=data)
    return read


def data_of_books(books: Mapping[str, Books]) -> MarketData:
    """Make each snapshot a row of its market's feed, with the best quotes and their mid.

    Raises
    ------
    DataError
        If there is no snapshot.
    """
    parts = []
    for market, book in books.items():
        numbers = {
            "price": book.mid,
            "bid": book.best_bid,
            "ask": book.best_ask,
            "bid_size": book.best_bid_size,
            "ask_size": book.best_ask_size,
        }
        part = MarketData((market,), None, book.times_ns, numbers, None, (False,), {})
        parts.append(replace(part, snapshots=np.arange(len(book), dtype=np.int64)))
    if not any(map(len, parts)):
        raise DataError("book_data holds no books", value=dict(books))
    return laced(parts, tuple(books))


def with_books(data: MarketData, books: Mapping[str, Books]) -> MarketData:
    """Lace the rows of feeds with snapshots of markets that have none, each a row of its own."""
    rows = data if data.snapshots is not None else replace(data, snapshots=_none(len(data)))
    more = data_of_books(books)
    whole = laced([rows, more], (*data.feeds, *more.feeds))
    return replace(whole, dropped=data.dropped)


def _none(count: int) -> NDArray[np.int64]:
    return np.full(count, -1, dtype=np.int64)


class DataChunks:
    """Data that comes in pieces, none of which is read before the one in front was played.

    Iterating plays what follows `first`, once. The rows of a piece's last time wait for the
    next piece where there are several feeds, so that a step is never cut in two.

    Attributes
    ----------
    first : MarketData
        The first rows, already read.
    dropped : dict of str to dict of str to int
        Bad rows left out so far, by feed and reason.
    """

    def __init__(self, data: Callable[[], object], reader: _Reader) -> None:
        self._reader = reader
        self.dropped: dict[str, dict[str, int]] = {}
        self._pieces = self._played(_fresh(data))
        try:
            self.first = next(self._pieces)
        except StopIteration:
            raise DataError(
                f"data() gave no rows{_dropped_text(self.dropped)}; it must return a fresh "
                "iterator of chunks at each call"
            ) from None

    @property
    def feeds(self) -> tuple[str, ...]:
        """Names of the feeds, the same in every piece."""
        return self.first.feeds

    def __iter__(self) -> Iterator[MarketData]:
        return self._pieces

    def _played(self, chunks: Iterator[object]) -> Iterator[MarketData]:
        held: MarketData | None = None
        for data in self._read(chunks):
            whole = data if held is None else laced([held, data], data.feeds)
            held = None
            if len(whole.feeds) > 1:
                cut = int(np.searchsorted(whole.times_ns, whole.times_ns[-1]))
                whole, held = whole.part(slice(0, cut)), whole.part(slice(cut, None))
            if len(whole):
                yield whole
        if held is not None:
            yield held

    def _read(self, chunks: Iterator[object]) -> Iterator[MarketData]:
        """The rows of each chunk that has some, read with regard to those before."""
        before: MarketData | None = None
        for number, chunk in enumerate(chunks):
            try:
                read = self._reader.read(chunk, before)
            except DataError as error:
                raise DataError(
                    f"chunk {number}: {error}", feed=error.feed, row=error.row, value=error.value
                ) from None
            except TypeError as error:
                raise TypeError(f"chunk {number}: {error}") from error
            for feed, counts in read.dropped.items():
                total = Counter(self.dropped.get(feed))
                total.update(counts)
                self.dropped[feed] = dict(total)
            if len(read):
                before = replace(read, dropped={})
                yield before


def _fresh(data: Callable[[], object]) -> Iterator[object]:
    """Call for the chunks, and make sure that nobody has taken some before."""
    chunks = data()
    if isinstance(chunks, Mapping) or not isinstance(chunks, Iterable) or _is_rows(chunks):
        raise TypeError(
            "data() must return an iterator of chunks, each a table or a dict of tables, "
            f"returned {checks.show(chunks)}"
        )
    if inspect.isgenerator(chunks) and inspect.getgeneratorstate(chunks) != inspect.GEN_CREATED:
        raise ValueError(
            "data() must return a fresh iterator at each call, returned a generator that was "
            "already begun: write data=lambda: make_chunks(), not data=lambda: chunks"
        )
    return iter(chunks)


def _is_rows(chunks: object) -> bool:
    if not is_table(chunks):
        return False
    if isinstance(chunks, (list, tuple)):  # of mappings: rows, unless their values are columns
        first: Mapping[object, object] = chunks[0]
        return not any(is_table(v) or isinstance(v, (list, np.ndarray)) for v in first.values())
    return True


class _Reader:
    """How data is to be read, by the arguments given."""

    def __init__(self, columns: Mapping[str, str], zone: str | None, is_dropping: bool) -> None:
        self._columns = columns
        self._zone = zone
        self._is_dropping = is_dropping

    def read(self, data: object, before: MarketData | None = None) -> MarketData:
        """Read a table or a dict of tables, which follows the rows `before` where there are any."""
        if isinstance(data, MarketData):
            return self._taken(data, before)
        if isinstance(data, Mapping) and all(_is_nothing(values) for values in data.values()):
            data = []  # no rows, whether its names are of columns or of feeds
        is_by_feed = feeds_of(data) is not None
        after_ns = None if before is None else int(before.times_ns[-1])
        parts = []
        for source in sources(data, name=_ONE, columns=self._columns):
            checked = judge(source, zone=self._zone, drop=self._is_dropping, after_ns=after_ns)
            if is_by_feed:
                _require_one_market(source, checked)
                parts.append(_one_feed(source, checked, is_named=True))
            elif checked.codes is None:
                parts.append(_one_feed(source, checked, is_named=False))
            else:
                parts.append(_by_market(source, checked))
        dropped = {feed: counts for part in parts for feed, counts in part.dropped.items()}
        feeds = tuple(feed for part in parts for feed in part.feeds)
        full = [part for part in parts if len(part)]
        is_bars: tuple[bool, ...] | None = None
        if before is not None:
            _require_known(full, before.feeds)
            feeds, is_bars = before.feeds, before.is_bars
        if not full:
            nothing = {"price": np.zeros(0)}
            times = np.zeros(0, dtype=np.int64)
            return MarketData(feeds, None, times, nothing, None, (False,) * len(feeds), dropped)
        return replace(laced(full, feeds, is_bars), dropped=dropped)

    @staticmethod
    def _taken(data: MarketData, before: MarketData | None) -> MarketData:
        """Rows that were read before, as they are."""
        if before is not None and len(data):
            if data.feeds != before.feeds:
                raise DataError(
                    f"a chunk that was read before must have the feeds of the first, "
                    f"{before.feeds!r}, has {data.feeds!r}",
                    value=data.feeds,
                )
            if data.times_ns[0] < before.times_ns[-1]:
                raise DataError(
                    f"time goes back from one chunk to the next, from "
                    f"{before.times_ns[-1]} to {data.times_ns[0]} ns",
                    row=0,
                    value=int(data.times_ns[0]),
                )
        return data


def _require_known(parts: Iterable[MarketData], known: tuple[str, ...]) -> None:
    for part in parts:
        for feed in part.feeds:
            if feed not in known:
                raise DataError(
                    f"feed {feed!r} is new: all feeds must be in the first chunk, which has "
                    f"{', '.join(map(repr, known))}",
                    feed=feed,
                    value=feed,
                )


def _is_nothing(values: object) -> bool:
    return isinstance(values, (list, tuple)) and not values


def _dropped_text(dropped: Mapping[str, Mapping[str, int]]) -> str:
    total: Counter[str] = Counter()
    for counts in dropped.values():
        total.update(counts)
    if not total:
        return ""
    return " but bad ones, dropped: " + ", ".join(f"{n} {why}" for why, n in total.items())


def _require_one_market(source: Source, checked: Checked) -> None:
    codes = checked.codes
    if codes is None or not len(codes) or (codes == codes[0]).all():
        return
    row = int(np.argmax(codes != codes[0]))
    first, second = (checked.markets[codes[i]] for i in (0, row))
    raise DataError(
        f"feed {source.name!r} holds several markets, {first!r} and {second!r} among them: give "
        "one table with a market_id column, which is split by it, or one table for each feed",
        feed=source.name,
        row=row if checked.rows is None else int(checked.rows[row]),
        value=second,
    )


def _one_feed(source: Source, checked: Checked, *, is_named: bool) -> MarketData:
    counts = sum(checked.dropped.values(), Counter())
    return MarketData(
        feeds=(source.name,),
        codes=None,
        times_ns=checked.times,
        numbers=checked.numbers,
        starts=None,
        is_bars=(bool(_bars(source, checked.numbers).any()),),
        dropped={source.name: dict(counts)} if counts else {},
        is_named=is_named,
    )


def _by_market(source: Source, checked: Checked) -> MarketData:
    """A feed for each market that has a row; rows are not in order yet."""
    codes = checked.codes
    assert codes is not None
    each = np.bincount(codes, minlength=len(checked.markets))
    used = np.flatnonzero(each)
    if len(used) < len(each):
        number = np.cumsum(each > 0) - 1
        codes = number[codes]
    bars = np.bincount(codes[_bars(source, checked.numbers)], minlength=len(used))
    return MarketData(
        feeds=tuple(checked.markets[code] for code in used),
        codes=codes if len(used) > 1 else None,
        times_ns=checked.times,
        numbers=checked.numbers,
        starts=None,
        is_bars=tuple((bars > 0).tolist()),
        dropped={market: dict(counts) for market, counts in checked.dropped.items()},
    )


def _bars(source: Source, numbers: Mapping[str, _Floats]) -> NDArray[np.bool_]:
    """Which rows have all four prices of a bar, the close under its own name."""
    n = len(numbers["price"])
    if not _BAR.issubset(source.columns):
        return np.zeros(n, dtype=bool)
    is_bar = np.ones(n, dtype=bool)
    for name in _BAR:
        is_bar &= ~np.isnan(numbers[name])
    return is_bar
