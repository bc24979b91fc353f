"""What one holds of a run in the background: to look at it, to steer it, and to end it."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.backtesting.result import BacktestResult
from horizon.engine import Engine
from horizon.errors import HorizonError
from horizon.feeds.live import LiveFeed
from horizon.instruments import split_side
from horizon.running.health import FeedHealth, health_of
from horizon.running.player import Player
from horizon.running.problems import Problem
from horizon.running.session import Session
from horizon.running.sources import AnyFeed
from horizon.running.status import RunState, RunStatus
from horizon.running.worker import Worker
from horizon.types import AssetClass, Fill, OrderSide, Position, Side, VenueOrder
from horizon.venues.account import Account, FillRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunHandle", "handles"]

_log = logging.getLogger("horizon.run")
#: Least seconds between two statuses that a subscriber is told.
_TOLD: Final = 0.1

#: The runs in the background, by name.
_background: dict[str, RunHandle] = {}
_lock = threading.Lock()


def handles() -> dict[str, RunHandle]:
    """Return the runs that are in the background now, by name: one whose handle was lost, too.

    Examples
    --------
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> _ = hz.run("lost", feeds=hz.feeds.Synthetic(), pipeline=[quoter], background=True)
    >>> handle = hz.running.handles()["lost"]
    >>> result = handle.stop()
    >>> "lost" in hz.running.handles()
    False
    """
    with _lock:
        return {name: handle for name, handle in _background.items() if handle.is_running}


class RunHandle:
    """A run that goes on by itself, on a thread of its own.

    Not made by hand: ``hz.run(..., background=True)`` returns it. Everything may be called from
    any thread, and again at no risk.

    Attributes
    ----------
    name : str
        As `hz.run` was given it: `handles` finds the handle by it.
    engine : Engine
        The run's own: what it does is seen by the run at once. It takes no calls any more once
        the run has ended.
    feeds : dict of str to Feed or LiveFeed
        The run's feeds by their keys.

    Examples
    --------
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> feed = hz.feeds.Synthetic(seed=1, n=100)
    >>> handle = hz.run(
    ...     "rain", feeds={"rain": feed}, pipeline=[quoter], speed=np.inf, background=True
    ... )
    >>> result = handle.wait(10)
    >>> handle.status().state, handle.status().messages
    ('done', 100)
    >>> handle.result is result
    True
    """

    def __init__(self, session: Session, worker: Worker) -> None:
        self._session = session
        self.worker = self._worker = worker
        self.name = session.plan.name
        self.engine: Engine = session.engine
        by_number = {n: source.feed for source in session.plan.sources for n in source.numbers}
        self.feeds: dict[str, AnyFeed] = {
            feed: by_number[number] for number, feed in enumerate(session.plan.feeds)
        }
        self._callbacks: list[Callable[[RunStatus], object]] = []
        self._told = -1.0
        session.intake.on_beat = self._tell_now_and_then

    def start(self) -> None:
        """Begin in the background; `hz.run` has done so.

        Raises
        ------
        HorizonError
            If a run of this name is in the background already.
        """
        with _lock:
            other = _background.get(self.name)
            if other is not None and other.is_running:
                raise HorizonError(
                    f"a run named {self.name!r} is in the background already: see it again, "
                    f"hz.widgets.RunMonitor({self.name!r}); or stop it, "
                    f"hz.running.handles()[{self.name!r}].stop(); or give this one another name="
                )
            _background[self.name] = self
        self._worker.when_over(self._leave)
        self._worker.start()

    def _leave(self) -> None:
        with _lock:
            if _background.get(self.name) is self:
                del _background[self.name]
        self._tell()

    # ------------------------------------------------------------------ how it goes
    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._worker.is_over

    @property
    def exception(self) -> BaseException | None:
        """What ended the run, where that was an exception; None while it runs."""
        return self._session.error if self._worker.is_over else None

    @property
    def result(self) -> BacktestResult:
        """What the run has done, once it has ended.

        Raises
        ------
        HorizonError
            While it runs.
        Exception
            What ended it, where it never began to trade. A run that failed later has a result:
            what it did until then.
        """
        if not self._worker.is_over:
            raise HorizonError(
                f"run {self.name!r} is still running: stop() it, or wait() for its end"
            )
        result = self._session.result
        if result is None:
            raise self._failure()
        return result

    def _failure(self) -> BaseException:
        error = self._session.error
        if error is not None:
            return error
        what = "interrupted" if self._session.stopped_by == "interrupt" else "stopped"
        return HorizonError(f"run {self.name!r} was {what} before its feeds were up")

    def status(self) -> RunStatus:
        """Return the run as it stands now."""
        session, engine = self._session, self.engine
        account = engine.venue.account
        with engine.venue.lock:
            equity, cash = account.equity, account.cash
            open_orders, fills = len(account.open_orders), len(account.fills)
            rejections, is_killed = dict(account.refusals), account.halted
        first = session.intake.first_ns
        now = None if first is None else session.loop.now_ns
        feeds: list[Any] = [
            source.feed.status()
            for source in session.plan.sources
            if isinstance(source.feed, LiveFeed)
        ]
        if session.player is not None:
            feeds += session.player.feeds_progress()
        stale = [session.plan.feeds[number] for number in session.intake.watch.lost]
        return RunStatus(
            name=self.name,
            state=self._state(),
            time=None if now is None else checks.ns_to_seconds(now),
            started=None if first is None else checks.ns_to_seconds(first),
            messages=session.intake.messages,
            refused=session.intake.refused,
            cycles=session.intake.cycles,
            overruns=session.intake.overruns,
            equity=equity,
            cash=cash,
            open_orders=open_orders,
            fills=fills,
            errors=dict(session.loop.dealer.errors),
            rejections=rejections,
            stale=() if self._worker.is_over else tuple(stale),
            kill_switch=is_killed,
            stopped_by=session.stopped_by,
            feeds=tuple(feeds),
        )

    def _state(self) -> RunState:
        session = self._session
        if self._worker.is_over:
            return "done" if session.error is None else "failed"
        if session.stopped_by is not None:
            return "stopping"
        if not session.intake.is_open:
            return "connecting"
        is_paused = session.player is not None and session.player.status == "paused"
        return "paused" if is_paused else "running"

    def health(self) -> list[FeedHealth]:
        """How each feed is doing: its state, its last row, its stale markets; a new list."""
        return health_of(self._session, is_over=self._worker.is_over)

    @property
    def problems(self) -> list[Problem]:
        """What stages have raised so far and the run has passed over, by kind; a new list."""
        return self._session.problems.all()

    @property
    def saves_to(self) -> str:
        """Where the result is written as the run ends; empty for nowhere."""
        path = self._session.plan.save
        return "" if path is None else str(path)

    @property
    def initial_capital(self) -> float:
        """What the account began with."""
        return self._session.plan.capital

    def equity_since(self, n: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the equity curve without its first `n` points, of which one knows already.

        Raises
        ------
        TypeError, ValueError
            If `n` is no whole number of 0 or more.

        Returns
        -------
        ndarray of int64, ndarray of float64
            Times in nanoseconds since 1970, and equity; copies.
        """
        begin = checks.integer("n", n, least=0)
        loop = self._session.loop
        assert loop.times is not None
        # Both grow while they are copied: the shorter copy counts.
        equity, times = loop.equity[begin:], loop.times[begin:]
        n_points = min(len(equity), len(times))
        return (
            np.array(times[:n_points], dtype=np.int64),
            np.array(equity[:n_points], dtype=np.float64),
        )

    @property
    def equity_curve(self) -> list[tuple[float, float]]:
        """(time in seconds since 1970, equity) so far, one for each row; a new list."""
        times, equity = self._curve()
        return list(zip(map(checks.ns_to_seconds, times), equity, strict=True))

    @property
    def equity(self) -> pd.Series[float]:
        """The equity curve so far as a Series, indexed by time in UTC."""
        import pandas as pd

        times, equity = self._curve()
        index = pd.DatetimeIndex(np.array(times, dtype="datetime64[ns]"), tz="UTC", name="time")
        return pd.Series(equity, index=index, name="equity", dtype=float)

    def _curve(self) -> tuple[list[int], list[float]]:
        loop = self._session.loop
        assert loop.times is not None
        # Both grow while they are copied: the shorter copy counts.
        equity, times = loop.equity[:], loop.times[:]
        n = min(len(equity), len(times))
        return times[:n].tolist(), equity[:n].tolist()

    @property
    def fills(self) -> list[Fill]:
        """Every fill so far, oldest first; a new list."""
        if self._worker.is_over and self._session.result is not None:
            return self._session.result.fills
        account = self.engine.venue.account
        with self.engine.venue.lock:
            return [_fill(account, row) for row in account.fills]

    @property
    def positions(self) -> list[Position]:
        """What is held, or was at the end."""
        if self._worker.is_over and self._session.result is not None:
            return self._session.result.positions
        return self.engine.positions()

    @property
    def open_orders(self) -> list[VenueOrder]:
        """What rests; nothing once the run has ended."""
        return [] if self._worker.is_over else self.engine.open_orders()

    # ------------------------------------------------------------------ its end
    def stop(self, timeout: float | None = 10.0) -> BacktestResult | None:
        """End the run: cancel what rests, make the result, write it where `save` says.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait; None waits as long as it takes.

        Returns
        -------
        BacktestResult or None
            None where the run never began to trade; and on the run's own thread (in a stage, or
            a callback), where nobody can wait for its end.

        Raises
        ------
        TimeoutError
            If it has not ended in time, since a stage is still at work; it ends after that.
        """
        self._session.end("stop")
        if self._worker.is_here:
            return self._session.result
        self._await(timeout)
        return self._session.result

    def wait(self, timeout: float | None = None) -> BacktestResult:
        """Wait for the run's end, `timeout` seconds at most, and return its result.

        An interrupt ends the wait, and not the run.

        Raises
        ------
        TimeoutError
            If it has not ended in time.
        HorizonError
            On the run's own thread, where the wait would have no end.
        Exception
            What ended the run, where that was an exception; `result` has what it did until then.
        """
        if self._worker.is_here:
            raise HorizonError("wait() in a stage or a callback of the run itself has no end")
        self._await(timeout)
        return self._outcome()

    def _await(self, timeout: float | None) -> None:
        seconds = None if timeout is None else checks.non_negative("timeout", timeout)
        if not self._worker.wait(seconds):
            raise TimeoutError(f"run {self.name!r} has not ended within {seconds:g} s")

    def _outcome(self) -> BacktestResult:
        if self._session.error is not None:
            raise self._session.error
        return self.result

    async def done(self) -> BacktestResult:
        """Wait for the run's end without blocking the event loop: ``await handle.done()``.

        Raises
        ------
        Exception
            As `wait`. Cancelling the wait leaves the run alone.
        """
        loop = asyncio.get_running_loop()
        over = asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(over.set)

        self._worker.when_over(tell)
        await over.wait()
        return self._outcome()

    def kill_switch(self) -> list[VenueOrder]:
        """Stop all trading at once: algorithms, open orders, positions; refuse what would open.

        The run goes on, so that its positions close at its next rows; `stop` ends it.

        Returns
        -------
        list of VenueOrder
            The market orders that close the positions.

        Raises
        ------
        VenueError
            Once the run has ended.
        """
        return self.engine.kill_switch()

    # ------------------------------------------------------------------ played feeds
    def pause(self) -> None:
        """Let the run's played feeds stand still, and its time with them."""
        self._player().pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._player().resume()

    def step(self, n: int = 1) -> None:
        """Play `n` steps at once and stand still after them; pauses where it plays.

        A step is all rows of one time.

        Raises
        ------
        HorizonError
            Once the run has ended, or where it has live feeds only.
        TypeError, ValueError
            If `n` is no whole number of 1 or more.
        """
        if self._worker.is_over:
            raise HorizonError(f"run {self.name!r} has ended: there is nothing left to step")
        self._player().step(n)

    @property
    def speed(self) -> float:
        """Market seconds per wall second of the played feeds; may be set, None is no limit."""
        return self._player().speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        player = self._player()
        if self._session.plan.is_live:
            raise HorizonError("the speed beside a live feed is 1: its time is everybody's")
        player.speed = speed

    def _player(self) -> Player:
        player = self._session.player
        if player is None:
            raise HorizonError(
                f"run {self.name!r} has live feeds only, which nobody can pause or speed up"
            )
        return player

    # ------------------------------------------------------------------ who watches
    def subscribe(self, callback: Callable[[RunStatus], object]) -> Callable[[], None]:
        """Call `callback` with a `RunStatus` about ten times a second, and at the end.

        It is called on the run's own thread, so it should be quick. An exception in it is logged;
        the run goes on.

        Returns
        -------
        callable
            Ends the subscription; again at no risk.

        Raises
        ------
        TypeError
            If `callback` cannot be called.
        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, was {checks.show(callback)}")

        def call(status: RunStatus) -> object:
            return callback(status)

        self._callbacks = [*self._callbacks, call]
        if self._worker.is_over:
            self._tell()

        def unsubscribe() -> None:
            self._callbacks = [one for one in self._callbacks if one is not call]

        return unsubscribe

    def _tell_now_and_then(self) -> None:
        if not self._callbacks:
            return
        now = asyncio.get_running_loop().time()
        if now - self._told >= _TOLD:
            self._told = now
            self._tell()

    def _tell(self) -> None:
        callbacks = self._callbacks
        if not callbacks:
            return
        status = self.status()
        for callback in callbacks:
            try:
                callback(status)
            except Exception:
                _log.exception("%s: a subscriber failed", self.name)

    # ------------------------------------------------------------------ how it looks
    def _facts(self) -> dict[str, str]:
        status = self.status()
        facts = {
            "state": status.state,
            "time": "none yet" if status.time is None else words.clock(status.time, date=True),
            "messages": f"{status.messages:,}",
            "equity": words.cash(status.equity, "USD"),
            "open orders": f"{status.open_orders:,}",
            "fills": f"{status.fills:,}",
        }
        if status.errors:
            facts["errors"] = ", ".join(f"{n:,} in {stage}" for stage, n in status.errors.items())
        if status.stale:
            facts["stale"] = ", ".join(status.stale)
        if status.overruns:
            facts["overruns"] = f"{status.overruns:,}"
        if self.exception is not None:
            facts["exception"] = words.raised(self.exception)
        return facts

    def __repr__(self) -> str:
        facts = ", ".join(f"{label}: {fact}" for label, fact in self._facts().items())
        return f"<RunHandle {self.name!r}, {facts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(words.name(fact))}</td></tr>"
            for label, fact in self._facts().items()
        )
        return (
            f"<table><caption>Run {html.escape(self.name)}</caption><tbody>{rows}</tbody></table>"
        )


def _fill(account: Account, row: FillRow) -> Fill:
    """One fill in engine words."""
    order_id, leg_id, sign, quantity, price, fee, ns, is_maker, gain = row
    market, is_no = split_side(leg_id)
    is_prediction = account.legs[leg_id].market.asset_class == AssetClass.Prediction
    return Fill(
        order_id=order_id,
        market_id=market,
        side=Side.No if is_no else Side.Yes if is_prediction else Side.Long,
        order_side=OrderSide.Buy if sign > 0 else OrderSide.Sell,
        size=quantity,
        price=price,
        fee=fee,
        timestamp=checks.ns_to_seconds(ns),
        is_maker=is_maker,
        realized_pnl=gain,
    )
