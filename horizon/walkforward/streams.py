"""Data that is walked without being held: a callable that gives chunks, or a Parquet file."""

from __future__ import annotations

import hashlib
import inspect
import math
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.backtesting.data import DataChunks, read_data
from horizon.backtesting.playing import MarketData
from horizon.books import Books
from horizon.columns import NEVER, TIMES, nanoseconds
from horizon.errors import DataError
from horizon.feeds.reader import COLUMNS
from horizon.walkforward.source import (
    Rows,
    Source,
    book_part,
    no_rows,
    update,
    update_books,
)
from horizon.walkforward.survey import Survey, Surveyor

__all__ = ["ParquetChunks", "StreamSource", "is_parquet", "takes_span", "unsorted_file"]

#: Rows that are in memory at a time, of a Parquet file.
_BATCH: Final = 65_536
#: Bytes of each column that are read from it at a time.
_PAGES: Final = 65_536
#: A file's statistics may have been cut to whole microseconds.
_MARGIN_NS: Final = 1_000


class StreamSource(Source):
    """Rows that come in pieces, made anew for each run, and never held together.

    Parameters
    ----------
    data : callable
        It returns a fresh iterator of chunks at each call, as `hz.backtest` takes it. One with a
        parameter ``span`` is called with it: the (start, end) in seconds since 1970 that is
        needed, the end no part of it; what it gives beyond is passed over.
    books : dict of str to Books
        In memory.
    reading : dict
        ``bad_rows``, ``columns`` and ``timezone``, as `hz.backtest` takes them.
    start_ns, end_ns : int, optional
        Rows before the first and from the second on are no part of it.
    """

    def __init__(
        self,
        data: Callable[..., object],
        books: dict[str, Books],
        reading: Mapping[str, Any],
        start_ns: int | None = None,
        end_ns: int | None = None,
        dropped: dict[str, dict[str, int]] | None = None,
    ) -> None:
        self.books = books
        self.priced = ()
        self.dropped = dict(dropped or {})
        self._data = data
        self._reading = dict(reading)
        self._start_ns = -_FOREVER if start_ns is None else start_ns
        self._end_ns = _FOREVER if end_ns is None else end_ns
        self._takes_span = takes_span(data)
        self._digest: str | None = None
        self._rows: int | None = None

    def survey(self) -> Survey:
        """Look at all rows once; digest them on the way."""
        surveyor, digest, rows = Surveyor(), hashlib.blake2b(digest_size=20), 0
        for piece in self._counted(self._start_ns, self._end_ns):
            surveyor.add(piece)
            update(digest, piece)
            rows += len(piece)
        if not rows:
            raise no_rows(self._start_ns, self._end_ns)
        update_books(digest, self.books)
        self._digest, self._rows = digest.hexdigest(), rows
        return surveyor.survey()

    def pieces(self, start_ns: int, end_ns: int) -> Iterator[MarketData]:
        """Give the rows from one time to before another, piece by piece."""
        chunks = self._chunks(start_ns, end_ns)
        yield from self._cut(chunks, start_ns, end_ns)

    def part(self, start_ns: int, end_ns: int) -> tuple[Rows, dict[str, Books] | None]:
        """Return what a backtest from one time to before another is given."""
        books = book_part(self.books, self.priced, start_ns, end_ns)
        return (lambda: self.pieces(start_ns, end_ns)), books

    def digest(self) -> str:
        """Digest of every row, as they were at the survey."""
        if self._digest is None:
            self.survey()
        assert self._digest is not None
        return self._digest

    def require_fresh(self, rows: int) -> None:
        """Raise if another pass had other rows than the first.

        Raises
        ------
        ValueError
            A callable that hands out one iterator again and again would make every run but the
            first one of nothing.
        """
        if self._rows is not None and rows != self._rows:
            raise ValueError(
                "data() must return a fresh iterator of the same rows at each call: the first "
                f"had {self._rows:,} rows, the second {rows:,}"
            )

    # ------------------------------------------------------------------ small parts
    def _chunks(self, start_ns: int, end_ns: int) -> DataChunks:
        begin, end = max(start_ns, self._start_ns), min(end_ns, self._end_ns)
        made: Callable[[], object] = self._data
        if self._takes_span:
            span = _seconds_around(begin, end)

            def made() -> object:
                return self._data(span=span)

        read = read_data(made, **self._reading)
        assert isinstance(read, DataChunks)
        return read

    def _counted(self, start_ns: int, end_ns: int) -> Iterator[MarketData]:
        """The same as `pieces`, and note what was dropped."""
        chunks = self._chunks(start_ns, end_ns)
        yield from self._cut(chunks, start_ns, end_ns)
        self.dropped.update(chunks.dropped)

    def _cut(self, chunks: DataChunks, start_ns: int, end_ns: int) -> Iterator[MarketData]:
        begin_ns, end_ns = max(start_ns, self._start_ns), min(end_ns, self._end_ns)
        for piece in chain([chunks.first], chunks):
            if int(piece.times_ns[0]) >= end_ns:
                return  # rows come in order of time: none of those behind is wanted
            begin, end = np.searchsorted(piece.times_ns, [begin_ns, end_ns]).tolist()
            if begin == 0 and end == len(piece):
                yield piece
            elif begin < end:
                yield piece.part(slice(begin, end))


#: Further away than any time.
_FOREVER: Final = 2**62 + 2**61


def _seconds_around(begin_ns: int, end_ns: int) -> tuple[float, float]:
    """Float seconds that leave no nanosecond out: today's are 238 ns apart."""
    begin, end = checks.ns_to_seconds(begin_ns), checks.ns_to_seconds(end_ns)
    if checks.seconds_to_ns(begin) > begin_ns:
        begin = math.nextafter(begin, -math.inf)
    if checks.seconds_to_ns(end) < end_ns:
        end = math.nextafter(end, math.inf)
    return begin, end


def takes_span(data: Callable[..., object]) -> bool:
    """Whether a callable can be told which time is wanted."""
    try:
        return "span" in inspect.signature(data).parameters
    except (TypeError, ValueError):  # a builtin without a signature
        return False


def is_parquet(data: object) -> bool:
    """Whether data is the path of a Parquet file."""
    if not isinstance(data, (str, os.PathLike)):
        return False
    return Path(data).name.lower().endswith((".parquet", ".pq"))


class ParquetChunks:
    """A Parquet file as chunks of a few ten thousand rows, those of a stretch of time alone.

    Row groups that cannot have rows of that time, by the file's own statistics, are not read.

    Parameters
    ----------
    path : path
    columns : dict of str to str
        Horizon's column names to the file's.
    zone : str or None
        Of times that have none.
    """

    def __init__(
        self, path: str | os.PathLike[str], columns: Mapping[str, str], zone: str | None
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"data: there is no file {str(self.path)!r}")
        self._names = dict(columns)
        self._zone = zone
        self._market = self._names.get("market_id", "market_id")
        self._markets = self._find_markets()

    def __call__(self, span: tuple[float, float] | None = None) -> Iterator[object]:
        """Give the rows from the start to before the end of a span, and maybe some around it."""
        import pyarrow as pa

        file = self._opened()
        is_first = True
        for batch in file.iter_batches(
            batch_size=_BATCH, row_groups=self._groups(file, span), columns=self._wanted(file)
        ):
            if not batch.num_rows:
                continue
            frame = pa.Table.from_batches([batch]).to_pandas()
            yield self._with_all_markets(frame) if is_first and self._markets else frame
            is_first = False

    # ------------------------------------------------------------------ small parts
    def _opened(self) -> Any:
        """The file, read a page at a time: its reader would fetch all row groups beforehand."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, pre_buffer=False, buffer_size=_PAGES)

    def _wanted(self, file: Any) -> list[str]:
        """The columns that are data; others are not read."""
        known = {*COLUMNS, *TIMES, "close", *self._names.values()}
        of_index = (file.schema_arrow.pandas_metadata or {}).get("index_columns", [])
        known |= {name for name in of_index if isinstance(name, str)}
        return [name for name in file.schema_arrow.names if name in known]

    def _find_markets(self) -> list[str]:
        """The markets of the whole file, in order of appearance; empty if it does not name any."""
        import pandas as pd

        file = self._opened()
        if self._market not in file.schema_arrow.names:
            return []
        found: dict[Any, None] = {}
        for batch in file.iter_batches(batch_size=_BATCH, columns=[self._market]):
            found.update(dict.fromkeys(pd.unique(batch.column(0).to_pandas()).tolist()))
        # What is no market's name is refused, or dropped, where the rows are read.
        return list(found) if all(isinstance(name, str) and name for name in found) else []

    def _with_all_markets(self, frame: Any) -> object:
        """Let the first chunk name all feeds: a market may begin later than others."""
        groups = dict(iter(frame.groupby(self._market, observed=True)))
        return {name: groups.get(name, []) for name in self._markets}

    def _groups(self, file: Any, span: tuple[float, float] | None) -> list[int]:
        """The row groups that may have rows of a span."""
        every = list(range(file.metadata.num_row_groups))
        column = self._time_column(file)
        if span is None or column is None:
            return every
        begin, end = (checks.seconds_to_ns(second) for second in span)
        kept = []
        for group in every:
            bounds = self._bounds(file, group, column)
            if bounds is None or (bounds[0] - _MARGIN_NS < end and begin <= bounds[1] + _MARGIN_NS):
                kept.append(group)
        return kept or every[:1]

    def _time_column(self, file: Any) -> int | None:
        """Where the times stand; None where that is not plain."""
        names = file.schema_arrow.names
        own = self._names.get("timestamp")
        candidates = [own] if own is not None else [name for name in TIMES if name in names]
        if own is None and "timestamp" in candidates:
            candidates = ["timestamp"]
        if len(candidates) != 1 or candidates[0] not in names:
            return None
        # By path: a nested column before it would shift its place.
        paths = [file.schema.column(i).path for i in range(len(file.schema))]
        return paths.index(candidates[0]) if candidates[0] in paths else None

    def _bounds(self, file: Any, group: int, column: int) -> tuple[int, int] | None:
        """First and last time of a row group, in ns; None where the file does not say."""
        import pyarrow as pa

        chunk = file.metadata.row_group(group).column(column)
        kind = file.schema_arrow.field(chunk.path_in_schema).type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if not (is_number or pa.types.is_timestamp(kind)):
            return None
        if not chunk.is_stats_set or not chunk.statistics.has_min_max:
            return None
        is_aware = pa.types.is_timestamp(kind) and kind.tz is not None
        ends = [chunk.statistics.min, chunk.statistics.max]
        if is_aware and any(end.tzinfo is None for end in ends):
            ends = [end.replace(tzinfo=_utc()) for end in ends]
        times = nanoseconds(ends, None if is_aware else self._zone)
        if (times == NEVER).any():
            return None
        return int(times[0]), int(times[1])


def _utc() -> Any:
    from datetime import UTC

    return UTC


def unsorted_file(error: DataError) -> DataError:
    """Say of a file whose rows are not in order what else can be done."""
    return DataError(
        f"{error}. A Parquet file is walked piece by piece; load it if it cannot be sorted: "
        "data=pd.read_parquet(path)",
        feed=error.feed,
        row=error.row,
        value=error.value,
    )
