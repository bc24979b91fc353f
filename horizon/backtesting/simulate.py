"""`backtest`: a pipeline over history, through the engine, the risk rules and a venue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from horizon import checks
from horizon.backtesting.arguments import (
    DEFAULT_FEE_RATE,
    check_name,
    config_of,
    cycles_of,
    fees_from,
    fill_model_from,
    impact_from,
    interval_of,
    latency_from,
    params_of,
    require_books,
    stages_of,
)
from horizon.backtesting.arrange import (
    check_prices,
    endings_of,
    feeds_of_markets,
    market_ids,
    markets_of,
    priced_by_books,
    require_market,
    time_of,
)
from horizon.backtesting.data import DataChunks, data_of_books, read_data, with_books
from horizon.backtesting.ending import record_of
from horizon.backtesting.loop import Loop
from horizon.backtesting.play import Played, play_all, progress_of
from horizon.backtesting.playing import MarketData
from horizon.backtesting.record import Replayed
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.tape import Snapshots
from horizon.backtesting.venue import VenuePlan
from horizon.books import Books, read_book_data
from horizon.calls import RUN_WORDS, explained
from horizon.engine import Engine
from horizon.feeds.times import stamp_text
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.strategies.base import Strategy
from horizon.strategies.desk import plan_of
from horizon.strategies.execution import SignalExecution
from horizon.strategies.sizing import Sizer
from horizon.types import AssetClass
from horizon.venues.book import BookVenue
from horizon.venues.fees import Fees
from horizon.venues.fill_models import FillModel
from horizon.venues.impact import Impact
from horizon.venues.latency import Latency

__all__ = ["backtest"]


@explained(RUN_WORDS)
def backtest(
    name: str = "backtest",
    markets: Iterable[str | Market] | None = None,
    data: Any = None,
    feeds: Mapping[str, str] | None = None,
    pipeline: Iterable[Callable[..., Any]] = (),
    risk: RiskConfig | None = None,
    params: Mapping[str, Any] | None = None,
    paper_fee_rate: float = DEFAULT_FEE_RATE,
    paper_maker_fee_rate: float | None = None,
    paper_taker_fee_rate: float | None = None,
    initial_capital: float = 1000.0,
    outcomes: Mapping[str, float] | None = None,
    book_data: Any = None,
    fill_model: str | FillModel = "deterministic",
    fill_model_params: Mapping[str, float] | None = None,
    impact_temporary_bps: float = 0.0,
    impact_permanent_fraction: float = 0.0,
    latency_ms: float = 0.0,
    rng_seed: int | None = None,
    *,
    resolutions: Mapping[str, Any] | None = None,
    run_on: str = "feed",
    matching: str = "price",
    bar_fill_mode: str = "cross",
    slippage_bps: float = 0.0,
    on_error: str = "raise",
    bad_rows: str = "raise",
    progress: bool | Callable[[Played], object] = False,
    fees: Fees | Mapping[str, Fees | float] | None = None,
    impact: Impact | None = None,
    latency: Latency | None = None,
    enforce_buying_power: bool = True,
    periods_per_year: float | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    trade_from: Any = None,
    interval: float | None = None,
    cycles: Any = None,
    strategies: Iterable[Strategy | type[Strategy]] | None = None,
    sizer: Sizer | None = None,
    execution: SignalExecution | None = None,
) -> BacktestResult:
    """Run a pipeline, strategies, or both over history.

    Parameters
    ----------
    name : str
        What the result calls itself.
    markets : list of str or Market, optional
        What is traded, in the order in which pipelines run. Left out, it is read from `feeds`,
        from the data, from the books, or is ``["market"]``. An id that says nothing of itself
        is a prediction if its first price lies between 0 and 1, else an equity; a `Market`
        says what it is.
    data : object, optional
        Rows with a ``timestamp`` and a ``price`` (or ``bid`` and ``ask``; or ``open``,
        ``high``, ``low``, ``close``: a bar, at its end): a list of dicts, a dict of arrays, a
        pandas, polars or Arrow frame, a path to a CSV or Parquet file, a dict of these by feed
        name, or a callable that returns a fresh iterator of such chunks. A ``market_id`` column
        makes a feed for each market.
    feeds : dict of market to feed name, optional
        Which feed prices a market. Left out, the feed of its name; else its own books, where
        the data names its feeds; else the only feed.
    pipeline : list of callable
        Each takes the context (see `horizon.backtesting.Context`), and by its further positional
        parameters the outputs of the stages before, the most recent last. What the last returns
        should now rest (a list of `Quote`) or is sent once (one of `OrderRequest`). The last
        number that a stage returns is the fair value of the orders, by which edge and forecast are
        judged; without one it is the quote's mid.
    risk : RiskConfig, optional
        Limits on opening orders; none by default.
    params : dict, optional
        What ``ctx.params`` holds, beside ``"engine"``. What stages keep or change, here or in
        themselves, is there again in the next run.
    paper_fee_rate, paper_maker_fee_rate, paper_taker_fee_rate : float
        Fractions of notional; the last two each in place of the first.
    initial_capital : float
        Above 0.
    outcomes : dict of market to float, optional
        What markets settle at, at their resolution.
    book_data : dict of market to books, optional
        Snapshots with ``timestamp``, ``bids`` and ``asks`` as lists of (price, size), the best
        first; wide frames (``timestamp``, ``bid_px_1``, ``bid_sz_1``, ``ask_px_1``, …), long
        ones (``timestamp``, ``side``, ``price``, ``size``), or Parquet files; or one table with
        a ``market_id`` column. Orders then meet these books.
    fill_model : {"deterministic", "probabilistic", "glft"} or FillModel
        What else fills a resting order in a book.
    fill_model_params : dict, optional
        Parameters of a model given by its name.
    impact_temporary_bps, impact_permanent_fraction : float
        How far our own trades move a book. A level's price worsens by bps / 10,000 for each
        unit that the order has taken before it (in price units for a prediction, as a fraction
        of the level's price for all else: at 5 bps, after 100 contracts, by 0.05); and from then
        on the book is displaced by notional × fraction × bps / 10,000, which is nothing at 0 bps.
    latency_ms : float
        How long orders, cancels and amendments travel. With bars a market order fills at the
        open of the bar in which it arrives, a price from before its arrival.
    rng_seed : int, optional
        Of the fill model's chances; None is 0.
    resolutions : dict of market to time, optional
        When markets with an outcome settle; left out, with the last row.
    run_on : {"feed", "any"}
        Run a market's pipeline on rows of its own feed, or of every feed.
    matching : {"price", "quotes"}
        Without books, what resting orders meet: the price, or bid and ask of a row that has
        them.
    bar_fill_mode : {"cross", "touch"}
        Whether a bar fills at its close, or also at its low and high.
    slippage_bps : float
        Without books, how much worse than the next row a market order fills.
    on_error : {"raise", "skip"}
        What an exception in a stage does: end the run, or be counted.
    bad_rows : {"raise", "drop"}
        What a row that cannot be true does: end the run before it begins, or be counted.
    progress : bool or callable
        Show a progress bar; or tell a function, at the start, at the end, and some ten times a
        second between, how far the run is (see `Played`). What it raises ends the run.
    fees, impact, latency : Fees, Impact, Latency, optional
        Models of your own, in place of the numbers above; `fees` also by market.
    enforce_buying_power : bool
        Reject orders that the account cannot carry.
    periods_per_year : float, optional
        Returns in a year, for annualised metrics; left out, counted from the data.
    columns : dict, optional
        Horizon's column names to the data's, for those that differ.
    timezone : str, optional
        Zone of times that have none; UTC by default.
    trade_from : time, optional
        Rows before it run the pipeline, so that indicators are warm, and send nothing: what a
        stage wants is passed over, and a stage that sends an order itself ends there for that
        row. The result begins with the first row at or after it.
    interval : float, optional
        Run pipelines at the first row's time and every so many seconds from then on, for every
        market that has a price, rather than at each row: as `hz.run` does.
    cycles : sequence of times, optional
        In place of an interval, the times at which they run, each later than the one before. A
        cycle comes after the rows of its time; one before the first row or after the last does
        not happen.
    strategies : list of Strategy, optional
        What trades by signals, beside a pipeline or in its place. They are asked once at each
        step at which some feed has a row, after the pipelines. An object is used as it is: what
        it keeps in itself, it has in the next run too. Of a class a new object is made each time.
    sizer : Sizer, optional
        How much is held of a signal; left out, `EqualWeight`.
    execution : SignalExecution, optional
        How targets become orders; left out, market orders beyond a band of a tenth.

    Returns
    -------
    BacktestResult

    Raises
    ------
    DataError
        At a row that cannot be true, with its feed, row and value; before any row is played.
    PipelineError
        If a stage or a strategy raises, or returns what cannot be used.
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    An order never fills on the row that it was decided on, unless it takes what a book displays
    at that moment: market orders fill at their market's next row (a bar's open), limit orders
    from the next row on. Without books a limit order fills at its limit, also where the
    market was better when it was sent; but in ``"touch"`` mode at the open of a bar that opens
    beyond it.

    A row without price and quotes is a gap: stages run on it with the last price. A row with
    ``is_stale`` true says that its feed is lost: what was quoted there is pulled, and pipelines
    rest until its next row.

    Examples
    --------
    Quote two cents on either side of the last price. The fall to 0.44 takes the bid of 0.48; the
    rise after it takes the ask that was put around 0.44.

    >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> result = hz.backtest(data=ticks, pipeline=[quoter])
    >>> [(fill.order_side.name, round(fill.price, 2)) for fill in result.fills]
    [('Buy', 0.48), ('Sell', 0.46)]

    A strategy says what it wants to hold, and a sizer how much of it:

    >>> @hz.strategy(features={"mean": hz.SMA(2)})
    ... def below(f, universe, ctx):
    ...     cheap = [m for m in universe if ctx.price(m) < f.mean[m.id]]
    ...     return [hz.Signal.increase(m, edge_bps=50) for m in cheap]
    >>> result = hz.backtest(data=ticks, strategies=[below], sizer=hz.FixedNotional(44))
    >>> [(fill.timestamp, fill.size) for fill in result.fills]
    [(2.0, 100.0)]
    """
    given = {key: value for key, value in locals().items() if key not in ("data", "book_data")}
    check_name(name)
    signals = plan_of(strategies, sizer, execution)
    stages = stages_of(pipeline, signals)
    capital = checks.positive("initial_capital", initial_capital)
    if risk is not None and not isinstance(risk, RiskConfig):
        raise TypeError(f"risk must be a RiskConfig, was {checks.show(risk)}")
    values = params_of(params)
    seed = 0 if rng_seed is None else checks.integer("rng_seed", rng_seed, least=0)
    runs_on_any = checks.one_of("run_on", run_on, ("feed", "any")) == "any"
    skips = checks.one_of("on_error", on_error, ("raise", "skip")) == "skip"
    checks.one_of("bad_rows", bad_rows, ("raise", "drop"))
    is_shown, tell = progress_of(progress)
    if periods_per_year is not None:
        checks.positive("periods_per_year", periods_per_year)
    interval_ns = interval_of(interval)
    cycles_ns = cycles_of(cycles, interval)
    begins_ns = None if trade_from is None else time_of("trade_from", trade_from)
    model = fill_model_from(fill_model, fill_model_params)
    moves = impact_from(impact, impact_temporary_bps, impact_permanent_fraction)
    way = latency_from(latency, latency_ms)
    if book_data is None:
        require_books(fill_model, fill_model_params, impact, moves)
    else:
        for argument, value, default in (
            ("matching", matching, "price"),
            ("bar_fill_mode", bar_fill_mode, "cross"),
        ):
            if value != default:
                raise ValueError(f"{argument}={value!r} belongs to a run without book_data")
        if slippage_bps:
            raise ValueError(f"slippage_bps={slippage_bps!r} belongs to a run without book_data")

    # ---- what is replayed
    dropped: dict[str, dict[str, int]] = {}
    books: dict[str, Books] = {}
    if book_data is not None:
        books, dropped = read_book_data(book_data, bad_rows=bad_rows)
    chunks: Iterator[MarketData] = iter(())
    source: MarketData | DataChunks
    if data is not None:
        source = read_data(data, bad_rows=bad_rows, columns=columns, timezone=timezone)
    elif books:
        for argument, reading in (("columns", columns), ("timezone", timezone)):
            if reading is not None:
                raise ValueError(f"{argument}={reading!r} is for data, of which there is none")
        source = data_of_books(books)
    else:
        hint = f"; a file is given as data={name!r}" if name.endswith((".csv", ".parquet")) else ""
        raise ValueError(f"data (or book_data) must be given: there is nothing to replay{hint}")
    if isinstance(source, DataChunks):
        first, chunks = source.first, iter(source)
    else:
        first = source
    listed = market_ids(markets, feeds, first.feeds if first.is_named else None, books)
    priced = priced_by_books(listed, feeds, first, books)
    if priced and isinstance(source, DataChunks):
        raise ValueError(
            f"market {priced[0]!r} would be priced by its books, and data in chunks cannot be "
            f"laced with books: name the feed that prices it, feeds={{{priced[0]!r}: ...}}"
        )
    if priced and data is not None:
        first = with_books(first, {market: books[market] for market in priced})
    feed_of = feeds_of_markets(listed, feeds, first.feeds)
    is_whole = not isinstance(source, DataChunks)
    contracts = markets_of(listed, feed_of, first, is_whole=is_whole)
    check_prices(contracts, listed, feed_of, first)
    ids = [market.id for market in contracts]
    for market in books:
        require_market("book_data", market, ids)
    if book_data is not None:
        for market in ids:
            if market not in books:
                raise ValueError(
                    f"book_data must have books for every market, has none for {market!r}"
                    f"{checks.suggestion(market, books)}"
                )
        books = {market: books[market] for market in ids}  # books of one time go in this order
    ends = endings_of(outcomes, resolutions, contracts, listed)

    # Who is told of its progress is nothing that two runs could differ by.
    given["progress"] = is_shown or tell is not None
    # As it was before any stage could change it.
    config = {**config_of(given, stages, signals), "markets": ids}

    # ---- who trades
    maker, taker, schedules = fees_from(
        fees, paper_fee_rate, paper_maker_fee_rate, paper_taker_fee_rate, ids
    )
    checks.flag("enforce_buying_power", enforce_buying_power)
    plan = VenuePlan(
        capital=capital,
        maker=maker,
        taker=taker,
        fees=schedules,
        latency=way,
        enforce_buying_power=enforce_buying_power,
        slippage_bps=slippage_bps,
        bar_fill_mode=bar_fill_mode,
        matching=matching,
        fill_model=model,
        impact=moves,
        seed=seed,
    )
    venue = plan.paper() if book_data is None else plan.book()
    engine = Engine(risk, venue=venue)
    for contract in contracts:
        engine.declare(contract)
    if isinstance(venue, BookVenue):
        venue.load(books)
    values["engine"] = engine
    number = {feed: code for code, feed in enumerate(first.feeds)}
    # Books that are rows come with these.
    apart = {} if data is None else {m: one for m, one in books.items() if m not in priced}
    loop = Loop(
        engine,
        stages,
        markets=ids,
        feeds=first.feeds,
        feed_of={market: number[feed] for market, feed in feed_of.items()},
        params=values,
        run_on_any=runs_on_any,
        skip_errors=skips,
        settlements=ends.timed,
        snapshots=Snapshots(apart) if apart else None,
        # With one feed each row is a step: the curve has the times of the rows.
        notes_times=isinstance(source, DataChunks)
        or first.starts is not None
        or begins_ns is not None,
        trade_from_ns=begins_ns,
        interval_ns=interval_ns,
        cycles_ns=cycles_ns,
        signals=signals,
    )

    # ---- the run
    try:
        rows = play_all(
            loop,
            first,
            chunks,
            (contracts, listed, feed_of),
            name if is_shown else None,
            tell,
            len(first) if is_whole else None,
        )
        last_ns = loop.now_ns
        if loop.is_warming:
            raise ValueError(
                f"trade_from must not lie after the last row at {stamp_text(last_ns)}, was "
                f"{checks.show(trade_from)}"
            )
        loop.finish(ends.at_end)
    except BaseException:
        engine.end_run()
        raise
    dropped = {**dropped, **source.dropped}
    starts_ns = int(first.times_ns[0]) if begins_ns is None else begins_ns
    settled = {
        market: venue.account.markets[market].settled_at
        for market in [
            *(name for time, name, _ in ends.timed if time >= starts_ns),
            *(name for name, _ in ends.at_end),
        ]
        if venue.account.markets[market].settled
    }
    record = record_of(
        loop,
        name=name,
        capital=capital,
        contracts=contracts,
        feed_of=feed_of,
        outcomes={
            market.id: settled[market.id]
            for market in contracts
            if market.id in settled and market.asset_class is AssetClass.Prediction
        },
        dropped=dropped,
        config={
            **config,
            "seed": seed,
            "rows": rows,
            "first_ns": int(first.times_ns[0]),
            "last_ns": last_ns,
            "feeds_of_data": list(first.feeds),
            "books": {market: len(one) for market, one in books.items()},
            "settled": list(settled),
            # As they were read: of a datetime, `resolutions` has no more than its text.
            "resolutions_ns": {market: at for at, market, _ in ends.timed},
        },
        periods_per_year=periods_per_year,
        data=first,
        replayed=Replayed(
            data=None if isinstance(source, DataChunks) else first,
            books=books,
            displacements=tuple(venue.displacements) if isinstance(venue, BookVenue) else (),
            matching=matching,
            bar_fill_mode=bar_fill_mode,
            slippage=float(slippage_bps) / 10_000,
            latency=way,
            fill_model=model if books else None,
            impact=moves if books else None,
            seed=seed,
        ),
    )
    return BacktestResult(record)
