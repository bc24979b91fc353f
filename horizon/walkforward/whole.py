"""What is decided once, from the whole data, and handed to every run of a search.

Which market is what, which feed prices it, when it settles, and how often returns are taken: a
run that decided these from its own window alone would differ from its neighbours, or know less,
or more, than it should.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.analytics.curves import Curve
from horizon.analytics.metrics import Metrics
from horizon.analytics.sampling import Sampling
from horizon.backtesting.arguments import params_of
from horizon.backtesting.arrange import (
    check_prices,
    endings_of,
    feeds_of_markets,
    market_ids,
    markets_of,
    priced_by_books,
    time_of,
)
from horizon.backtesting.data import read_data
from horizon.backtesting.playing import MarketData
from horizon.backtesting.simulate import backtest
from horizon.books import Books, read_book_data
from horizon.calls import RUN_WORDS, meant
from horizon.errors import DataError
from horizon.feeds.reader import column_map
from horizon.feeds.rows import zone_of
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.walkforward.source import MemorySource, Source, Stretch
from horizon.walkforward.streams import (
    ParquetChunks,
    StreamSource,
    is_parquet,
    takes_span,
    unsorted_file,
)
from horizon.walkforward.survey import Survey
from horizon.walkforward.tasks import Factory, Objective, Plan

__all__ = [
    "Whole",
    "check_arguments",
    "check_objective",
    "is_more_better",
    "plan_of",
    "sampling_of",
    "whole_of",
]

#: Arguments of a backtest that a search gives itself, and what to give it instead.
_OWN: Final = {
    "pipeline": "the pipeline comes from pipeline_factory",
    "strategies": "the strategies come from pipeline_factory, in the list that it returns",
    "trade_from": "give warmup=, in seconds",
}
_GIVEN: Final = ("data", "markets", "risk", "initial_capital", "progress")
#: Metrics of which less is better, unless somebody says otherwise.
_LESS_IS_BETTER: Final = frozenset(
    {
        "annual_turnover",
        "average_drawdown_duration_secs",
        "average_drawdown_pct",
        "brier_score",
        "current_drawdown_pct",
        "down_capture",
        "down_streak",
        "downside_deviation",
        "drawdown_count",
        "fee_bps",
        "fee_share",
        "kurtosis",
        "loss_streak",
        "max_drawdown",
        "max_drawdown_duration_secs",
        "max_drawdown_pct",
        "mean_absolute_deviation",
        "minimum_track_record",
        "model_brier_score",
        "pain_index",
        "sharpe_standard_error",
        "time_under_water",
        "total_fees",
        "tracking_error",
        "turnover",
        "ulcer_index",
        "volatility",
    }
)
_READING: Final = ("bad_rows", "columns", "timezone")


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """What holds for the whole data.

    Attributes
    ----------
    source : Source
    survey : Survey
    contracts : tuple of Market
    listed : tuple of str or Market
        The markets as they were named.
    feeds : dict of str to str
        Feed by market.
    sampling : Sampling
    first_ns, last_ns : int
        What windows are cut from: the times of the first and the last row, or what ``span=``
        says.
    arguments : dict
        What else every backtest is given.
    params : dict
        Parameters that every run has.
    name : str
    """

    source: Source
    survey: Survey
    contracts: tuple[Market, ...]
    listed: tuple[str | Market, ...]
    feeds: dict[str, str]
    sampling: Sampling
    first_ns: int
    last_ns: int
    arguments: dict[str, Any]
    params: dict[str, Any]
    name: str

    def stretches(self, edges: Iterable[int]) -> list[Stretch]:
        """Count the rows between edges, and check their prices on the way.

        Raises
        ------
        DataError
            At a price that its market cannot have.
        ValueError
            If a callable gives other rows the second time.
        """
        inner = sorted({edge for edge in edges if self.first_ns < edge <= self.last_ns})
        found = self.source.spans(self.first_ns, self.last_ns + 1, inner, self._check)
        if isinstance(self.source, StreamSource):
            self.source.require_fresh(sum(one.rows for one in found))
        return found

    def _check(self, piece: MarketData) -> None:
        check_prices(self.contracts, self.listed, self.feeds, piece)


def check_arguments(given: Mapping[str, Any], caller: Callable[..., Any]) -> None:
    """Refuse what `hz.backtest` does not take, before anything is read.

    Parameters
    ----------
    given : mapping
        Keyword arguments to pass on.
    caller : callable
        The function that was given them.

    Raises
    ------
    TypeError
        It names the near match among the caller's and the backtest's arguments.
    """
    taken = [name for name in inspect.signature(backtest).parameters if name not in _GIVEN]
    for name in given:
        if name in _OWN:
            raise TypeError(f"{caller.__name__}() takes no {name!r}: {_OWN[name]}")
        if name not in taken:
            own = [
                parameter.name
                for parameter in inspect.signature(caller).parameters.values()
                if parameter.kind is not parameter.VAR_KEYWORD
            ]
            accepted = [one for one in (*own, *taken) if one not in _OWN]
            near = " or ".join(map(repr, meant(name, accepted, RUN_WORDS)))
            raise TypeError(
                f"{caller.__name__}() got {name!r}, which neither it nor hz.backtest takes"
                f"{f'. Did you mean {near}?' if near else ''}"
            )


def check_objective(objective: object) -> Objective:
    """Take the name of a metric, or a function of a result."""
    if callable(objective):
        return objective
    if not isinstance(objective, str):
        raise TypeError(
            "objective must be the name of a metric, or a function of a BacktestResult, was "
            f"{checks.show(objective)}"
        )
    names = [one.name for one in fields(Metrics)]
    if objective not in names:
        raise ValueError(
            f"objective must be the name of a metric such as 'sharpe_ratio' or 'total_return_pct' "
            f"(a field of hz.Metrics), was {checks.show(objective)}"
            f"{checks.suggestion(objective, names)}"
        )
    return objective


def is_more_better(objective: object, maximize: object) -> bool:
    """Take `maximize`; where it is None, as the metric has it, True for a function."""
    if maximize is None:
        return not (isinstance(objective, str) and objective in _LESS_IS_BETTER)
    return checks.flag("maximize", maximize)


def plan_of(
    whole: Whole,
    factory: object,
    settings: Iterable[dict[str, Any]],
    *,
    objective: object,
    maximize: object,
    risk: RiskConfig | None,
    initial_capital: object,
    last_rows: Mapping[int, int] | None = None,
) -> Plan:
    """Put together what all runs share.

    Raises
    ------
    TypeError, ValueError
        For an argument that no run could use.
    """
    if not callable(factory):
        raise TypeError(
            "pipeline_factory must be a function of a dict of parameters that returns a pipeline, "
            f"was {checks.show(factory)}"
        )
    if risk is not None and not isinstance(risk, RiskConfig):
        raise TypeError(f"risk must be a RiskConfig, was {checks.show(risk)}")
    chosen = tuple(settings)
    for name in whole.params:
        if any(name in setting for setting in chosen):
            raise ValueError(f"params and param_grid both have {name!r}")
    made: Factory = factory
    return Plan(
        source=whole.source,
        factory=made,
        settings=chosen,
        arguments={**whole.arguments, "risk": risk},
        contracts=whole.contracts,
        feeds=whole.feeds,
        sampling=whole.sampling,
        objective=check_objective(objective),
        maximize=is_more_better(objective, maximize),
        initial_capital=checks.positive("initial_capital", initial_capital),
        params=whole.params,
        name=whole.name,
        last_rows=dict(last_rows or {}),
    )


def whole_of(
    data: Any,
    arguments: Mapping[str, Any],
    *,
    markets: Iterable[str | Market] | None = None,
    span: Any = None,
) -> Whole:
    """Read the data, and decide what holds for all of it.

    Parameters
    ----------
    data : object
        As `hz.backtest` takes it; a Parquet path and a callable are walked and not held.
    arguments : mapping
        Other arguments of the backtests, checked by `check_arguments`.
    markets : list of str or Market, optional
    span : (start, end), optional
        Use rows from the start to the end, the end's own among them, and cut windows from
        these times. What `checks.timestamp_ns` takes, or ISO text.

    Raises
    ------
    DataError
        At a row that cannot be true, or where there is none.
    TypeError, ValueError
        For an argument that is not as `hz.backtest` takes it.
    """
    rest = dict(arguments)
    name = checks.text("name", rest.pop("name", "walk-forward"))
    params = params_of(rest.pop("params", None))
    book_data = rest.pop("book_data", None)
    feeds = rest.pop("feeds", None)
    outcomes, resolutions = rest.pop("outcomes", None), rest.pop("resolutions", None)
    reading: dict[str, Any] = {key: rest.pop(key) for key in _READING if key in rest}
    per_year = rest.get("periods_per_year")
    if per_year is not None:
        checks.positive("periods_per_year", per_year)
    asked = None if span is None else _span_of(span)
    source = _source_of(data, book_data, reading, asked)
    survey = _surveyed(source, data)

    listed = market_ids(markets, feeds, survey.feeds if survey.is_named else None, source.books)
    priced = priced_by_books(listed, feeds, survey.openers, source.books)
    if priced and isinstance(source, StreamSource):
        raise ValueError(
            f"market {priced[0]!r} would be priced by its books, and data in chunks cannot be "
            f"laced with books: name the feed that prices it, feeds={{{priced[0]!r}: ...}}"
        )
    if priced and isinstance(source, MemorySource) and data is not None:
        source.price_by_books(priced)
        survey = source.survey()
    feed_of = feeds_of_markets(listed, feeds, survey.feeds)
    contracts = markets_of(listed, feed_of, survey.openers)
    ends = endings_of(outcomes, resolutions, contracts, listed)
    first_ns, last_ns = (survey.first_ns, survey.last_ns) if asked is None else asked
    if ends.timed or ends.at_end:
        # Absolute, so that a window that ends before it never hears of it.
        timed = {market: at for at, market, _ in ends.timed}
        rest["outcomes"] = {m: price for _, m, price in ends.timed} | dict(ends.at_end)
        rest["resolutions"] = {
            market: np.datetime64(timed.get(market, survey.last_ns), "ns")
            for market in rest["outcomes"]
        }
    return Whole(
        source=source,
        survey=survey,
        contracts=tuple(contracts),
        listed=tuple(listed),
        feeds=feed_of,
        sampling=sampling_of(survey, per_year),
        first_ns=first_ns,
        last_ns=last_ns,
        arguments=rest,
        params=params,
        name=name,
    )


def sampling_of(survey: Survey, periods_per_year: float | None = None) -> Sampling:
    """Decide the sampling of a curve over the whole data, as `Sampling.of` would.

    The curve has a point for each step; here they are only counted.
    """
    span = checks.ns_to_seconds(survey.last_ns - survey.first_ns)
    ends = np.array([survey.first_ns, survey.last_ns], dtype=np.int64)
    kind = Sampling.of(Curve(ends, np.ones(2))).kind
    returns = survey.days if kind == "daily" else survey.steps - 1 - survey.begins_twice
    counted = Sampling.counted(kind, returns, span)
    if periods_per_year is None:
        return counted
    return Sampling(kind, periods_per_year)


# ------------------------------------------------------------------------ small parts
def _span_of(span: Any) -> tuple[int, int]:
    if isinstance(span, (str, Mapping)) or not isinstance(span, Iterable):
        raise TypeError(f"span must be a pair (start, end), was {checks.show(span)}")
    ends = list(span)
    if len(ends) != 2:
        raise ValueError(f"span must be a pair (start, end), had {len(ends)}")
    start, end = time_of("the start of span", ends[0]), time_of("the end of span", ends[1])
    if end <= start:
        raise ValueError(f"span must end after it starts, was {checks.show(span)}")
    return start, end


def _source_of(
    data: Any, book_data: Any, reading: dict[str, Any], span: tuple[int, int] | None
) -> Source:
    dropped: dict[str, dict[str, int]] = {}
    books: dict[str, Books] = {}
    if book_data is not None:
        books, dropped = read_book_data(book_data, bad_rows=reading.get("bad_rows", "raise"))
    if data is None:
        if not books:
            raise ValueError("data (or book_data) must be given: there is nothing to replay")
        for argument in ("columns", "timezone"):
            if reading.get(argument) is not None:
                raise ValueError(
                    f"{argument}={reading[argument]!r} is for data, of which there is none"
                )
        whole = MemorySource(None, books, dropped)
        return whole if span is None else whole.within(span[0], span[1] + 1)
    if is_parquet(data):
        data = ParquetChunks(
            data, column_map(reading.get("columns")), zone_of(reading.get("timezone"))
        )
    elif callable(data) and takes_span(data) and span is None:
        raise ValueError(
            "data() has a parameter span, by which it is told what is wanted: say what there is, "
            "span=(start, end)"
        )
    if callable(data):
        begin, end = (None, None) if span is None else (span[0], span[1] + 1)
        return StreamSource(data, books, reading, begin, end, dropped)
    read = read_data(data, **reading)
    assert isinstance(read, MarketData)
    whole = MemorySource(read, books, {**dropped, **read.dropped})
    return whole if span is None else whole.within(span[0], span[1] + 1)


def _surveyed(source: Source, data: object) -> Survey:
    try:
        return source.survey()
    except DataError as error:
        if is_parquet(data) and "time goes backwards" in str(error):
            raise unsorted_file(error) from None
        raise
