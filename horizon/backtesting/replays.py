"""What a backtest is run on, handed out whole, or cut or changed after a time."""

from __future__ import annotations

import copy
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from horizon import checks, words
from horizon.backtesting.arrange import endings_of
from horizon.backtesting.changes import Change
from horizon.backtesting.data import DataChunks, data_of_books, read_data
from horizon.backtesting.decisions import Watch
from horizon.backtesting.lookahead_report import LatestRow
from horizon.backtesting.own_data import OwnData
from horizon.backtesting.pipeline import Pipeline, Stage
from horizon.backtesting.playing import MarketData
from horizon.backtesting.record import RunRecord
from horizon.backtesting.simulate import backtest
from horizon.books import Books, read_book_data
from horizon.feeds.reader import column_map
from horizon.feeds.rows import zone_of
from horizon.strategies.base import Strategy, strategies_of
from horizon.types import AssetClass

__all__ = ["Replays"]

#: Before any time.
_NEVER = -(2**63)


class Replays:
    """One backtest, to be run again with another future.

    Parameters
    ----------
    data : object
    stages : sequence of Stage, optional
    factory : callable, optional
        Makes the stages of the data, where there are none.
    labels : sequence of str, optional
        Columns that tell how a row's market has ended.
    strategies : list of Strategy, or callable
        Copied for each run, or made of the data for each.
    run : dict
        All other arguments of `backtest`.

    Attributes
    ----------
    first_ns, last_ns : int
        Cuts lie from the first to before the last; known after `run_whole`.
    end_ns : int
        The end of the run on all data.
    """

    def __init__(
        self,
        data: Any,
        stages: Sequence[Stage] | None,
        factory: Callable[..., Any] | None,
        labels: Sequence[str] | None,
        run: dict[str, Any],
        strategies: Any = None,
    ) -> None:
        self._data = data
        self._stages = stages
        self._factory = factory
        self._strategies = strategies
        self._wanted = _named_parameters(factory)
        self._run = run
        self._bad_rows = run.get("bad_rows", "raise")
        self._books: dict[str, Books] = {}
        if run.get("book_data") is not None:
            self._books, _ = read_book_data(run["book_data"], bad_rows=self._bad_rows)
        self._finds_labels = labels is None
        self._own = OwnData(
            data,
            columns=column_map(run.get("columns")),
            zone=zone_of(run.get("timezone")),
            labels=labels or (),
        )
        if data is not None:
            self._own.require_labels()
        elif labels:
            raise ValueError("labels are columns of data, which was not given")
        self._rows: MarketData | None = None
        self._has_run = False
        self.end_ns = self.first_ns = self.last_ns = 0

    # ------------------------------------------------------------------ all data
    def stages(self) -> Sequence[Stage]:
        """The stages for all data; a factory makes them anew."""
        outcomes = self._run.get("outcomes")
        own = None if self._data is None or self._factory is None else self._own.whole()
        return self._made(own, self._books, outcomes)

    def strategies(self) -> list[Strategy]:
        """The strategies for all data, made anew or copied; empty where there are none."""
        own = None if self._data is None or not callable(self._strategies) else self._own.whole()
        return self._made_strategies(own, self._books, self._run.get("outcomes"))

    def run_whole(self, watch: Watch, strategies: Sequence[Strategy] = ()) -> None:
        """Run on all data, and keep what a run on less could not find out by itself."""
        run = self._run | {"strategies": list(strategies) or None}
        if self._books:
            run["book_data"] = self._books
        record = backtest(data=self._data, pipeline=watch.pipeline, **run).record
        if not self._has_run:
            self._has_run = True
            self._remember(record)

    def _remember(self, record: RunRecord) -> None:
        self._markets = record.markets
        self._feeds = record.market_feeds
        self._classes = {market.id: market.asset_class for market in record.markets}
        self.end_ns = int(record.times_ns[-1])
        outcomes, resolutions = self._run.get("outcomes"), self._run.get("resolutions")
        ends = endings_of(outcomes, resolutions, record.markets, record.markets)
        self._outcomes = {market: price for _, market, price in ends.timed} | dict(ends.at_end)
        self._resolved = {market: at for at, market, _ in ends.timed}
        self._resolved |= {market: self.end_ns for market, _ in ends.at_end}
        bounded = {m for m, kind in self._classes.items() if kind is AssetClass.Prediction}
        self._bounded = frozenset({self._feeds[m] for m in bounded} | (bounded & set(self._books)))
        if self._data is not None:
            source = self._read()
            self._rows = None if isinstance(source, DataChunks) else source
        self.last_ns = self.end_ns
        # A run with books needs one of each market.
        begins = [int(books.times_ns[0]) for books in self._books.values()]
        self.first_ns = max(begins, default=_NEVER)
        is_made = self._factory is not None or callable(self._strategies)
        is_cut = is_made or self._is_handed(self._data)
        if self._data is not None and self._finds_labels and self._outcomes and is_cut:
            markets: dict[str, list[str]] = {}
            for market, feed in self._feeds.items():
                markets.setdefault(feed, []).append(market)
            self._own.find_labels(self._outcomes, markets)

    # ------------------------------------------------------------------ another future
    def changed(
        self, cut_ns: int, *, is_truncated: bool, seed: int
    ) -> tuple[Callable[[], tuple[Sequence[Stage], list[Strategy]]], dict[str, Any]]:
        """Return the way to make stages and strategies, and a run's arguments, after a change."""
        change = Change(cut_ns, is_truncated=is_truncated, seed=seed, bounded=self._bounded)
        books = {market: change.books(market, one) for market, one in self._books.items()}
        known, outcomes = self._endings(change)
        own = None if self._data is None else self._own.after(change, self._is_open(cut_ns))
        run = self._run | {
            "data": self._played(change),
            "markets": self._markets,
            "feeds": self._feeds,
            "columns": None,
            "timezone": None,
            "bad_rows": "raise",
            "params": self._handed(own, books, known),
            "outcomes": outcomes or None,
            "resolutions": None,
        }
        if outcomes:
            run["resolutions"] = {m: np.datetime64(at, "ns") for m, at in self._resolved.items()}
        if books:
            run["book_data"] = books

        def made() -> tuple[Sequence[Stage], list[Strategy]]:
            return self._made(own, books, known), self._made_strategies(own, books, known)

        return made, run

    def _made(self, data: Any, books: Mapping[str, Books], outcomes: Any) -> Sequence[Stage]:
        if self._stages is not None:
            return self._stages
        assert self._factory is not None
        made = self._called(self._factory, self._wanted, data, books, outcomes)
        try:
            return Pipeline(made).stages
        except (TypeError, ValueError) as error:
            raise type(error)(f"pipeline_factory must return the stages: {error}") from None

    def _called(
        self,
        factory: Callable[..., Any],
        wanted: Sequence[str],
        data: Any,
        books: Mapping[str, Books],
        outcomes: Any,
    ) -> Any:
        if isinstance(outcomes, Mapping):
            outcomes = dict(outcomes)
        named = {"book_data": dict(books), "outcomes": outcomes}
        return factory(
            dict(books) if self._data is None else data, **{name: named[name] for name in wanted}
        )

    def _made_strategies(
        self, data: Any, books: Mapping[str, Books], outcomes: Any
    ) -> list[Strategy]:
        given = self._strategies
        if given is None:
            return []
        if callable(given):
            made = self._called(given, _named_parameters(given), data, books, outcomes)
            try:
                return list(strategies_of(made))
            except (TypeError, ValueError) as error:
                raise type(error)(f"strategies= must return strategies: {error}") from None
        try:
            return list(strategies_of(copy.deepcopy(given)))
        except Exception as error:
            raise TypeError(
                f"strategies cannot be copied for each run ({words.raised(error)}); "
                "give a function of the data that makes them"
            ) from error

    def _endings(self, change: Change) -> tuple[dict[str, float], dict[str, float]]:
        """Outcomes as far as they are known at the cut, and for the run."""
        is_open = {market: at > change.cut_ns for market, at in self._resolved.items()}
        if change.is_truncated:
            known = {m: price for m, price in self._outcomes.items() if not is_open[m]}
            return known, dict(self._outcomes)
        other = {
            market: self._other_outcome(market, price) if is_open[market] else price
            for market, price in self._outcomes.items()
        }
        return other, dict(other)

    def _other_outcome(self, market: str, price: float) -> float:
        if self._classes[market] is AssetClass.Prediction:
            return 1.0 - price if price != 0.5 else 0.0
        return 0.8 * price if price else 1.0

    def _is_open(self, cut_ns: int) -> Callable[[str], bool]:
        """Whether something that a feed prices is not over at the cut."""
        ends: dict[str, int] = {}
        for market, feed in self._feeds.items():
            at = self._resolved.get(market, self.end_ns)
            ends[feed] = max(at, ends.get(feed, at))
        return lambda feed: ends.get(feed, self.end_ns) > cut_ns

    def _is_handed(self, value: object) -> bool:
        params = self._run.get("params")
        if not isinstance(params, Mapping) or isinstance(value, (str, os.PathLike)):
            return False
        return any(one is value for one in params.values())

    def _handed(self, own: Any, books: Mapping[str, Books], outcomes: Any) -> Any:
        """``params=`` with what is changed in the place of what was given."""
        params = self._run.get("params")
        if not isinstance(params, Mapping):
            return params
        replaced = [
            (given, now)
            for given, now in (
                (self._data, own),
                (self._run.get("book_data"), dict(books)),
                (self._run.get("outcomes"), outcomes),
            )
            if given is not None and not isinstance(given, (str, os.PathLike))
        ]
        return {
            name: next((now for given, now in replaced if given is value), value)
            for name, value in params.items()
        }

    # ------------------------------------------------------------------ rows
    def _read(self) -> MarketData | DataChunks:
        return read_data(
            self._data,
            bad_rows=self._bad_rows,
            columns=self._run.get("columns"),
            timezone=self._run.get("timezone"),
        )

    def _pieces(self) -> Iterator[MarketData]:
        """The rows of all feeds, or of the books where these are the rows."""
        if self._data is None:
            yield data_of_books(self._books)
        elif self._rows is not None:
            yield self._rows
        else:
            source = self._read()
            assert isinstance(source, DataChunks)
            yield source.first
            yield from source

    def _played(self, change: Change) -> Any:
        """The rows of a run after a change, by feed; None where the books are the rows."""
        if self._data is None:
            return None
        if self._rows is not None:
            return _by_feed(change.rows(self._rows))

        def chunks() -> Iterator[Any]:
            for piece in self._pieces():
                rows = change.rows(piece)
                if not len(rows):
                    return
                yield _by_feed(rows)

        return chunks

    def last_before(self, time_ns: int) -> int:
        """The last time up to one at which there is data: where a run on less data ends."""
        latest = _NEVER
        every = [piece.times_ns for piece in self._pieces()]
        for times in [*every, *(books.times_ns for books in self._books.values())]:
            place = int(np.searchsorted(times, time_ns, side="right"))
            if place:
                latest = max(latest, int(times[place - 1]))
        return latest

    def latest_row(self, market: str, time_ns: int) -> LatestRow | None:
        """The last row up to a time; of the market's own feed where several have one then."""
        own = self._feeds.get(market)
        counts: Counter[str] = Counter()
        latest: LatestRow | None = None
        latest_ns = _NEVER
        for data in self._pieces():
            end = int(np.searchsorted(data.times_ns, time_ns, side="right"))
            for code, feed in enumerate(data.feeds):
                if data.codes is None:
                    mine = np.arange(end)
                else:
                    mine = np.flatnonzero(data.codes[:end] == code)
                counts[feed] += len(mine)
                if not len(mine):
                    continue
                at = int(data.times_ns[mine[-1]])
                if at > latest_ns or (at == latest_ns and feed == own):
                    price = float(data.numbers["price"][mine[-1]])
                    latest_ns = at
                    latest = LatestRow(feed, counts[feed] - 1, checks.ns_to_seconds(at), price)
        return latest


def _by_feed(data: MarketData) -> dict[str, dict[str, Any]]:
    """Rows as a dict of columns for each feed."""
    tables = {}
    for code, feed in enumerate(data.feeds):
        mine: Any = slice(None) if data.codes is None else data.codes == code
        table: dict[str, Any] = {"timestamp": data.times_ns[mine].view("datetime64[ns]")}
        tables[feed] = table | {name: values[mine] for name, values in data.numbers.items()}
    return tables


def _named_parameters(factory: Any) -> tuple[str, ...]:
    """Which of ``book_data`` and ``outcomes`` a factory asks for by name."""
    if factory is None:
        return ()
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):  # some builtins do not tell
        return ()
    first = next(iter(parameters), None)
    return tuple(name for name in ("book_data", "outcomes") if name in parameters and name != first)
