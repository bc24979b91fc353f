"""What a live feed or a session said, in a Parquet file, and read back for a backtest."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.errors import DataError
from horizon.feeds.libraries import library
from horizon.feeds.updates import NAN, Levels, Update
from horizon.instruments import Market
from horizon.types import AssetClass

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RecordWriter", "Recording"]

_NUMBERS: Final = (
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
#: Rows that are written at once: what a killed process loses besides, and what is in memory.
_GROUP: Final = 8_192
_KEY: Final = b"horizon"
_VERSION: Final = 1
_EMPTY: Final[tuple[Levels, Levels]] = (([], []), ([], []))


class RecordWriter:
    """Writes rows to a Parquet file, a few thousand at once.

    Until `close` the file is named ``<path>.part`` (``.part2`` where that is there already, of
    another writer or left by one that was killed); a file that stands at `path` already is
    replaced then, and not before.

    Parameters
    ----------
    path : path
        In a folder that exists.
    facts : mapping
        What is to be known of the recording, as JSON has it: text, numbers, lists, dicts.

    Notes
    -----
    *Columns.* ``timestamp`` (nanoseconds, UTC), ``market_id``, ``price``, ``bid``, ``ask``,
    ``bid_size``, ``ask_size``, ``open``, ``high``, ``low``, ``volume`` (NaN where missing),
    ``is_stale`` (nothing was known of the market), ``exchange_time`` (nanoseconds or null),
    ``bids`` and ``asks`` (lists of price and size, the best first; null where the row is about
    no book). The facts are JSON under the key ``horizon`` of the file's metadata.

    Examples
    --------
    >>> writer = hz.feeds.RecordWriter("session.parquet")
    >>> for second, price in enumerate([0.5, 0.6]):
    ...     writer.add(second * 10**9, "rain", price)
    >>> path = writer.close()
    >>> hz.feeds.Recording(path).data["price"].tolist()
    [0.5, 0.6]
    """

    def __init__(self, path: object, facts: Mapping[str, Any] | None = None) -> None:
        self._path = checks.new_file("path", path)
        self._part = _part_of(self._path)
        self._facts = _json(facts)
        arrow, parquet = _pyarrow()
        level = arrow.struct([("price", arrow.float64()), ("size", arrow.float64())])
        self._schema = arrow.schema(
            [
                ("timestamp", arrow.timestamp("ns", tz="UTC")),
                ("market_id", arrow.string()),
                *((name, arrow.float64()) for name in _NUMBERS),
                ("is_stale", arrow.bool_()),
                ("exchange_time", arrow.timestamp("ns", tz="UTC")),
                ("bids", arrow.list_(level)),
                ("asks", arrow.list_(level)),
            ]
        )
        self._rows: list[tuple[Any, ...]] = []
        self._count = 0
        self._booked: set[str] = set()
        self._file = parquet.ParquetWriter(self._part, self._schema, compression="zstd")
        self._is_closed = False

    @property
    def path(self) -> Path:
        """Where the file will be."""
        return self._path

    def __len__(self) -> int:
        """Rows so far."""
        return self._count

    def add(
        self,
        timestamp_ns: int,
        market_id: str,
        price: float = NAN,
        bid: float = NAN,
        ask: float = NAN,
        bid_size: float = NAN,
        ask_size: float = NAN,
        open: float = NAN,
        high: float = NAN,
        low: float = NAN,
        volume: float = NAN,
        is_stale: bool = False,
        exchange_ns: int | None = None,
        levels: tuple[Levels, Levels] | None = None,
    ) -> None:
        """Take one row.

        Parameters
        ----------
        timestamp_ns : int
            Nanoseconds since 1970 (UTC).
        market_id : str
            The market it is about.
        price : float
            Last price or mark. NaN is not known, as it is of all numbers here.
        bid, ask, bid_size, ask_size : float
            Best quotes, and their sizes in units.
        open, high, low : float
            The rest of a bar, where it is one; `price` is its close.
        volume : float
            Units traded.
        is_stale : bool
            Nothing is known of the market from here on, until its next row.
        exchange_ns : int, optional
            The exchange's own time, in nanoseconds since 1970.
        levels : tuple of Levels, optional
            Bids and asks of the whole book, each a list of prices and a list of sizes. They are
            kept as they are until they are written.
        """
        self._rows.append(
            (
                timestamp_ns,
                market_id,
                price,
                bid,
                ask,
                bid_size,
                ask_size,
                open,
                high,
                low,
                volume,
                is_stale,
                exchange_ns,
                None if levels is None else levels[0],
                None if levels is None else levels[1],
            )
        )
        self._count += 1
        if len(self._rows) >= _GROUP:
            self._flush()

    def add_update(self, timestamp_ns: int, update: Update) -> None:
        """Take what a live feed said, an `update`; `timestamp_ns` is the row's time in the file.

        A market that is lost has an empty book from then on, where it had books.
        """
        levels = update.levels
        if levels is not None:
            self._booked.add(update.market_id)
        elif update.is_lost and update.market_id in self._booked:
            levels = _EMPTY
        self.add(
            timestamp_ns,
            update.market_id,
            update.price,
            update.bid,
            update.ask,
            update.bid_size,
            update.ask_size,
            volume=update.volume,
            is_stale=update.is_lost,
            exchange_ns=update.exchange_ns,
            levels=levels,
        )

    def close(self, facts: Mapping[str, Any] | None = None) -> Path:
        """Write what is left, and give the file its name; again at no risk.

        Parameters
        ----------
        facts : mapping, optional
            Instead of those given at the start: what is known at the end only.
        """
        if self._is_closed:
            return self._path
        told = self._facts if facts is None else _json(facts)
        self._flush()
        self._file.add_key_value_metadata({_KEY: told})
        self._is_closed = True
        self._file.close()
        os.replace(self._part, self._path)
        return self._path

    def discard(self) -> None:
        """Give the recording up: nothing is left of it, and what stood at `path` stays."""
        if not self._is_closed:
            self._is_closed = True
            self._file.close()
            self._part.unlink()

    def _flush(self) -> None:
        if not self._rows:
            return
        arrow, _ = _pyarrow()
        *plain, bids, asks = zip(*self._rows, strict=True)
        types = self._schema.types
        columns = [arrow.array(c, type=t) for c, t in zip(plain, types, strict=False)]
        columns += [_lists(arrow, bids), _lists(arrow, asks)]
        batch = arrow.record_batch(columns, schema=self._schema)
        self._rows.clear()
        self._file.write_batch(batch)


class Recording(Mapping[str, Any]):
    """A recorded feed or session, as data for a backtest.

    It is a mapping of column names to arrays, so it can be given wherever data is taken:
    ``hz.feeds.Replay(recording)``, ``hz.backtest(data=recording, ...)``.

    Parameters
    ----------
    path : path
        Of a file that `RecordWriter` has written.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it is no recording, or an unfinished one.

    Examples
    --------
    >>> writer = hz.feeds.RecordWriter("session.parquet")
    >>> for second, price in enumerate([0.50, 0.44, 0.50]):
    ...     writer.add(second * 10**9, "rain", price)
    >>> recording = hz.feeds.Recording(writer.close())
    >>> recording
    <Recording 'session.parquet', 3 rows of 'rain'>
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> result = hz.backtest(**recording.arguments(), pipeline=[quoter])
    >>> [(fill.order_side.name, round(fill.price, 2)) for fill in result.fills]
    [('Buy', 0.48), ('Sell', 0.46)]
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path must be a path, was {checks.show(path)}")
        self._path = Path(path)
        if not self._path.is_file():
            raise FileNotFoundError(f"path: there is no file {str(self._path)!r}")
        arrow, parquet = _pyarrow()
        try:
            with parquet.ParquetFile(self._path) as file:
                table = file.read()
                text = (file.metadata.metadata or {}).get(_KEY)
            self._facts: dict[str, Any] = {} if text is None else json.loads(text)
        except (arrow.ArrowInvalid, ValueError) as error:
            raise DataError(
                f"path: {str(self._path)!r} is no finished recording: {error}"
            ) from None
        missing = {"timestamp", "market_id", *_NUMBERS, "is_stale", "bids"} - set(
            table.column_names
        )
        if text is None or missing:
            raise DataError(
                f"path: {str(self._path)!r} is a Parquet file and no recording: "
                + ("it has no facts under the key 'horizon'" if text is None else f"no {missing}")
            )
        if self._facts.get("version") != _VERSION:
            raise DataError(
                f"path: {str(self._path)!r} is a recording of version "
                f"{self._facts.get('version')!r}, and {_VERSION} can be read"
            )
        self._table = table

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def facts(self) -> dict[str, Any]:
        """What was recorded and how, as its writer said."""
        return dict(self._facts)

    @cached_property
    def market_ids(self) -> tuple[str, ...]:
        """The markets with at least one row, in order of appearance."""
        return tuple(self._table["market_id"].unique().to_pylist())

    @cached_property
    def data(self) -> dict[str, Any]:
        """Columns by name, as ``hz.backtest(data=...)`` and `Replay` take them; no books."""
        times = self._table["timestamp"].to_numpy().astype("datetime64[ns]")
        codes = self._table["market_id"].combine_chunks().dictionary_encode()
        names = np.array(codes.dictionary.to_pylist(), dtype=object)
        data = {"timestamp": times, "market_id": names[codes.indices.to_numpy()]}
        for name in _NUMBERS:
            values = self._table[name].to_numpy()
            # A column in which nothing stands says nothing, and bars that are none are not bars.
            if name == "price" or not np.isnan(values).all():
                data[name] = values
        stale = self._table["is_stale"].to_numpy()
        if stale.any():
            data["is_stale"] = stale
        return data

    @cached_property
    def books(self) -> dict[str, pd.DataFrame]:
        """Books by market, a row for each, as ``hz.backtest(book_data=...)`` takes them."""
        import pyarrow.compute as compute

        books = {}
        table = self._table.select(["timestamp", "market_id", "bids", "asks"])
        table = table.filter(compute.is_valid(table["bids"]))
        for market_id in table["market_id"].unique().to_pylist():
            books[market_id] = _wide(table.filter(compute.equal(table["market_id"], market_id)))
        return books

    def arguments(self, *, without: Sequence[str] = ()) -> dict[str, Any]:
        """Return what ``hz.backtest(**...)`` needs to play the recording again.

        ``data``, ``book_data`` where there are books, and what a session was run with: its
        markets, interval, capital, fees, limits, … Where cycles were left out, being too late,
        ``cycles`` has the times of those that were run, in place of ``interval``.

        Parameters
        ----------
        without : sequence of str
            Arguments that you give to the backtest yourself: they are left out here.

        Raises
        ------
        ValueError
            If the session was run with models of its own (``latency=``, ``fill_model=``, …),
            which no file can hold: name them in `without`, and give them to the backtest again.
        """
        left = {without} if isinstance(without, str) else set(without)
        unsaid = [name for name in self._facts.get("not_repeated", ()) if name not in left]
        if unsaid:
            names = ", ".join(f"{name}=" for name in unsaid)
            raise ValueError(
                f"the session was run with {names} of its own, which no file can hold: give it to "
                f"the backtest again, **recording.arguments(without={unsaid!r}), {names}..."
            )
        told = dict(self._facts.get("arguments", {}))
        if "markets" in told:
            told["markets"] = [_market(fields) for fields in told["markets"]]
        elif self._facts.get("asset_class"):
            # A feed knows what its markets are; their ids and prices do not always tell.
            kind = AssetClass[self._facts["asset_class"]]
            told["markets"] = [Market(market_id, kind) for market_id in self.market_ids]
        if "risk" in told:
            from horizon.risk import RiskConfig

            told["risk"] = RiskConfig(**told["risk"])
        if "cycles" in self._facts:
            told.pop("interval", None)
            told["cycles"] = _cycles(self._facts["cycles"])
        found: dict[str, Any] = {"data": dict(self.data)}
        if self.books:
            # A session's market may be priced by a feed of another name.
            feeds = told.get("feeds") or {market_id: market_id for market_id in self.books}
            found["book_data"] = {
                market: self.books[feed] for market, feed in feeds.items() if feed in self.books
            }
        return {name: value for name, value in {**found, **told}.items() if name not in left}

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        """Number of columns, as of any mapping; `n_rows` counts the rows."""
        return len(self.data)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        markets = ", ".join(map(repr, self.market_ids[:3]))
        more = len(self.market_ids) - 3
        markets += f" and {more:,} more" if more > 0 else ""
        return f"<Recording {self._path.name!r}, {self.n_rows:,} rows of {markets or 'no market'}>"


def _json(facts: Mapping[str, Any] | None) -> bytes:
    # JSON has no NaN and no infinity; a reader elsewhere would stumble over ours.
    return json.dumps({"version": _VERSION, **(facts or {})}, allow_nan=False).encode()


def _part_of(path: Path) -> Path:
    """Make the file that is written to until the recording is whole: nobody else's."""
    for n in itertools.count(1):
        part = path.with_name(f"{path.name}.part{n if n > 1 else ''}")
        try:
            part.touch(exist_ok=False)
        except FileExistsError:
            continue
        return part
    raise AssertionError  # there is a number for everybody


def _cycles(facts: Mapping[str, Any]) -> NDArray[np.datetime64]:
    """The times of a session's cycles: those of their grid that were not left out."""
    first, interval = facts["first_ns"], facts["interval_ns"]
    is_run = np.ones((facts["last_ns"] - first) // interval + 1, dtype=bool)
    for since, count in facts["left_out"]:
        place = (since - first) // interval
        is_run[place : place + count] = False
    times = first + np.flatnonzero(is_run).astype(np.int64) * interval
    return np.asarray(times, dtype="datetime64[ns]")


def _market(fields: Mapping[str, Any]) -> Market:
    """A market as JSON has it: the name of its class, its day as text."""
    given = {name: value for name, value in fields.items() if value is not None}
    if "asset_class" in given:
        given["asset_class"] = AssetClass[given["asset_class"]]
    return Market(**given)


def _lists(arrow: Any, sides: tuple[Levels | None, ...]) -> Any:
    """One side of each book as Arrow lists of price and size; null where there is no book."""
    prices: list[float] = []
    sizes: list[float] = []
    begins: list[int | None] = []
    for side in sides:
        # A null offset makes a null list; the next one that is there ends it.
        begins.append(None if side is None else len(prices))
        if side is not None:
            prices += side[0]
            sizes += side[1]
    begins.append(len(prices))
    levels = arrow.StructArray.from_arrays(
        [arrow.array(prices, type=arrow.float64()), arrow.array(sizes, type=arrow.float64())],
        ["price", "size"],
    )
    return arrow.ListArray.from_arrays(arrow.array(begins, type=arrow.int32()), levels)


def _wide(table: Any) -> pd.DataFrame:
    """Books of one market in a frame, a row for each; NaN where a book has no such level."""
    import pandas as pd

    columns = {"timestamp": table["timestamp"].to_numpy()}
    for side, label in (("bids", "bid"), ("asks", "ask")):
        lists = table[side].combine_chunks()
        offsets = lists.offsets.to_numpy()
        levels = lists.values  # of the whole array; the offsets point into it
        counts = np.diff(offsets)
        depth = max(int(counts.max(initial=0)), 1)
        rows = np.repeat(np.arange(len(counts)), counts)
        places = np.arange(offsets[0], offsets[-1]) - np.repeat(offsets[:-1], counts)
        for field, short in ((0, "px"), (1, "sz")):
            values = levels.field(field).to_numpy()[offsets[0] : offsets[-1]]
            grid = np.full((len(counts), depth), np.nan)
            grid[rows, places] = values
            columns |= {f"{label}_{short}_{i + 1}": grid[:, i] for i in range(depth)}
    return pd.DataFrame(columns)


def _pyarrow() -> tuple[Any, Any]:
    return library("pyarrow"), library("pyarrow.parquet")
