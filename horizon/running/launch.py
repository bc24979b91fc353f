"""`run`: a pipeline or strategies in real time, on paper, with the code of the backtest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from horizon.backtesting.arguments import DEFAULT_FEE_RATE
from horizon.backtesting.result import BacktestResult
from horizon.feeds import Feed
from horizon.feeds.live import LiveFeed
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.running.arguments import plan_of
from horizon.running.handle import RunHandle
from horizon.running.session import Session
from horizon.running.worker import Worker
from horizon.venues.fees import Fees
from horizon.venues.fill_models import FillModel
from horizon.venues.impact import Impact
from horizon.venues.latency import Latency

if TYPE_CHECKING:
    import os

    from horizon.strategies import Sizer, Strategy
    from horizon.strategies.execution import SignalExecution

__all__ = ["run"]

_log = logging.getLogger("horizon.run")
#: Seconds that a run has to end after an interrupt before that is said.
_PATIENCE: Final = 10.0


def run(
    name: str = "run",
    markets: Iterable[str | Market] | None = None,
    feeds: Mapping[str, str | Feed | LiveFeed] | Feed | LiveFeed | None = None,
    pipeline: Iterable[Callable[..., Any]] = (),
    risk: RiskConfig | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    strategies: Iterable[Strategy | type[Strategy]] | None = None,
    sizer: Sizer | None = None,
    execution: SignalExecution | None = None,
    interval: float | None = 0.5,
    mode: str = "paper",
    duration: float | timedelta | None = None,
    background: bool = False,
    feed_stale_threshold: float | timedelta | None = 30.0,
    connect_timeout: float = 10.0,
    initial_capital: float = 1000.0,
    paper_fee_rate: float = DEFAULT_FEE_RATE,
    paper_maker_fee_rate: float | None = None,
    paper_taker_fee_rate: float | None = None,
    fees: Fees | Mapping[str, Fees | float] | None = None,
    matching: str | None = None,
    bar_fill_mode: str = "cross",
    slippage_bps: float = 0.0,
    fill_model: str | FillModel = "deterministic",
    fill_model_params: Mapping[str, float] | None = None,
    impact_temporary_bps: float = 0.0,
    impact_permanent_fraction: float = 0.0,
    impact: Impact | None = None,
    latency_ms: float = 0.0,
    latency: Latency | None = None,
    rng_seed: int | None = None,
    enforce_buying_power: bool = True,
    run_on: str = "feed",
    record: str | os.PathLike[str] | None = None,
    save: str | os.PathLike[str] | None = None,
    speed: float | None = None,
    rebase: bool = True,
) -> Any:
    """Run a pipeline, strategies, or both in real time, on paper.

    Every message is matched against what rests; the pipeline runs in cycles, or at each message.
    Engine, risk rules, matching and accounts are those of `hz.backtest`: a session that is
    recorded and played again by it gives the same orders and fills, for stages that read nothing
    but their context.

    Parameters
    ----------
    name : str
        What the result, the thread and messages call the run.
    markets : list of str or Market, optional
        What is traded, in the order in which pipelines run; all keys of `feeds` where it is left
        out. A `Market` says what it is. An id is what its feed says, or its form (``AAPL240119…``
        is an option), or the first price of a played feed; else it has to be said.
    feeds : dict of key to feed
        Where rows come from: a live feed, one that is played (`hz.feeds.Replay`,
        `hz.feeds.Synthetic`), or a name such as ``"polymarket_book"``, of which one is made with
        the key as its market. The feed with a market's name prices it; a lone feed prices every
        market without one. Other keys are extra feeds, which stages find in ``ctx.feeds[key]``.
        An object with rows of several markets may stand under several keys, each of them one of
        its markets. A feed instead of a dict stands for all its markets.
    pipeline : list of callable
        As in `hz.backtest`.
    risk : RiskConfig, optional
        Limits on opening orders; none by default.
    params : dict, optional
        What ``ctx.params`` holds, beside ``"engine"``.
    strategies, sizer, execution
        As in `hz.backtest`: strategies that return signals, alone or beside a pipeline.
    interval : float, optional
        Seconds between two cycles, in which every market's pipeline runs, if the market has a
        price, is not settled, and its feed not stale. The first is at the first row. None runs a
        market's pipeline at each of its messages.
    mode : {"paper"}
        Live venues are not part of this release: ``"live"`` is a `VenueError`.
    duration : float or timedelta, optional
        Seconds of the run's own time after which it ends: with a live feed from the moment that
        all are up, else from the first row. Left out, it runs until it is stopped, or its played
        feeds have ended.
    background : bool
        Return a `RunHandle` at once, and leave the caller free. Of one name one can run at a
        time; `hz.running.handles` lists what does.
    feed_stale_threshold : float or timedelta, optional
        Seconds of the run's own time without a row after which a feed is stale; so it is at once
        when its connection is lost. What the pipeline and the strategies have resting in its
        markets is then pulled, and they rest until its next row. None: only where it is lost.
        Bars that are further apart than this make a feed stale between any two of them.
    connect_timeout : float
        Seconds within which every live feed has to be up.
    initial_capital, paper_fee_rate, paper_maker_fee_rate, paper_taker_fee_rate, fees
        As in `hz.backtest`.
    matching : {"book", "quotes", "price"}, optional
        What orders meet: live order books, bid and ask, or the price. Left out, books where every
        market's feed has them, else the price.
    bar_fill_mode, slippage_bps
        Of a run without books; as in `hz.backtest`.
    fill_model, fill_model_params, impact_temporary_bps, impact_permanent_fraction, impact
        Of a run with books; as in `hz.backtest`.
    latency_ms, latency, rng_seed, enforce_buying_power, run_on
        As in `hz.backtest`.
    record : path, optional
        A Parquet file for all rows as they were played; see `hz.feeds.Recording`.
    save : path, optional
        A new folder, into which the result is written as it ends; see `hz.load_result`.
    speed : float, optional
        Market seconds per wall second of played feeds: their own by default, which then must be
        one and the same; infinity is as fast as possible. Beside a live feed it is 1.
    rebase : bool
        Move the first played row to the present, the others keeping their distance; False plays
        the data's own times.

    Returns
    -------
    BacktestResult or RunHandle
        The result; with `background` the handle, which has it in the end. The result's
        ``config["stopped_by"]`` says what ended the run: ``"stop"``, ``"interrupt"``,
        ``"duration"``, ``"end"`` (of the played feeds), ``"exit"`` (of the program) or
        ``"error"``.

    Raises
    ------
    FeedError
        If a live feed is not up in time, refuses us, or ends; it says what to do offline. In the
        background it is the handle's `exception`.
    DataError
        If a played row cannot be true of its market.
    VenueError
        For ``mode="live"``.
    HorizonError
        If a run of that name is in the background already.
    TypeError, ValueError
        For an argument that is not as above, before anything has begun.

    Notes
    -----
    *Ending.* Ctrl-C (a notebook's stop button) ends a run that blocks, and its result is returned;
    a second one raises KeyboardInterrupt. However it ends, strategies hear `on_stop`, algorithms
    are stopped, what rests is cancelled, and the result is made and written to `save`; so it is
    when the program ends while a run is in the background. Positions are marked, and not closed.
    Where an exception ends it, that is raised after all this.

    *Errors of stages* are logged (``horizon.run``: the first of a kind, the tenth, the
    hundredth, …), counted in the result's `errors`, and the market is skipped that time.

    *Time.* A live row has the time at which it was received, by a clock that does not jump, and is
    later than the row and the cycle before it. A cycle that is late by more than one interval is
    left out and counted as an overrun: of several that are due, the last is run. With rows of
    played feeds alone nothing is left out, and the same rows give the same run at any speed.

    *Played again.* What is in no recording cannot be repeated: orders sent from outside the run
    (``handle.engine``, `kill_switch`), stages that read another clock than ``ctx.timestamp``, and
    what strategies send in `on_stop`, which a backtest asks for after the last row.

    *Played feeds.* Rows are merged by time; rows of different feeds with one time are one step.
    `hz.feeds.Synthetic` has no time of its own: it begins with the first row of the others.

    Examples
    --------
    Ten minutes of a made-up market, as fast as possible:

    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> feed = hz.feeds.Synthetic(seed=1, n=600)
    >>> result = hz.run(feeds={"rain": feed}, pipeline=[quoter], speed=np.inf)
    >>> result.config["stopped_by"]
    'end'

    In the background it returns a handle at once. This one has no end of its own:

    >>> endless = hz.feeds.Synthetic(seed=1)
    >>> handle = hz.run("rain", feeds={"rain": endless}, pipeline=[quoter], background=True)
    >>> handle.is_running
    True
    >>> result = handle.stop()
    >>> handle.is_running
    False
    """
    session = Session(plan_of(locals()))
    handle = RunHandle(session, Worker(session, logs=background))
    if background:
        handle.start()
        return handle
    return _wait(handle)


def _wait(handle: RunHandle) -> BacktestResult:
    """Begin, and wait; the first interrupt ends the run, the second the wait."""
    worker = handle.worker
    try:
        worker.start()
        worker.wait()
    except KeyboardInterrupt:
        worker.session.end("interrupt")
        if not worker.wait(_PATIENCE):
            _log.warning("%s: still ending; another interrupt leaves it alone", handle.name)
            worker.wait()
    return handle.wait(0.0)
