"""A run in real time, from the first connection to the result, on one thread and event loop.

Everything happens on that thread, in one order: a session that is recorded and played again by
`hz.backtest` sees the same rows at the same times, and does the same.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from horizon.backtesting.loop import Loop
from horizon.backtesting.result import BacktestResult
from horizon.engine import Engine
from horizon.errors import FeedError, PipelineError
from horizon.feeds.clock import steady_clock
from horizon.feeds.live import LiveFeed
from horizon.feeds.recording import RecordWriter
from horizon.feeds.updates import Update
from horizon.running.arguments import Plan
from horizon.running.ending import close
from horizon.running.intake import Intake, is_milestone
from horizon.running.player import Player
from horizon.running.problems import Problems
from horizon.running.sources import Source
from horizon.venues.book import BookVenue

__all__ = ["Session"]

_log = logging.getLogger("horizon.run")

#: Longest wait, in seconds, before the session looks at what is due.
_LOOK: Final = 0.1
#: Seconds that feeds have to hang up before the run goes on to its end without them.
_GOODBYE: Final = 1.0
#: Seconds between two looks at whether all feeds are up.
_KNOCK: Final = 0.005


class Session:
    """One run.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    engine : Engine
    loop : Loop
    intake : Intake
    player : Player or None
        Of its played feeds.
    clock : callable
        The present, in nanoseconds since 1970; it never jumps.
    stopped_by : str or None
        Who asked for its end first.
    error : BaseException or None
        What ended it, where that was an exception.
    result : BacktestResult or None
        There once it has ended, if it ever began to trade.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock: Callable[[], int] = steady_clock()
        self.engine = Engine(plan.risk, venue=plan.venue)
        for market in plan.markets:
            self.engine.declare(market)
        ids = [market.id for market in plan.markets]
        if isinstance(plan.venue, BookVenue):
            plan.venue.open_books(ids)
        number = {feed: code for code, feed in enumerate(plan.feeds)}
        self.loop = Loop(
            self.engine,
            plan.pipeline,
            markets=ids,
            feeds=plan.feeds,
            feed_of={market: number[feed] for market, feed in plan.feed_of.items()},
            params={**plan.params, "engine": self.engine},
            run_on_any=plan.runs_on_any,
            skip_errors=True,
            interval_ns=plan.interval_ns,
            signals=plan.signals,
        )
        self.loop.dealer.on_error = self._note_error
        self.stopped_by: str | None = None
        self.error: BaseException | None = None
        self.result: BacktestResult | None = None
        self.player = _player_of(plan)
        #: Live feeds that have ended by themselves, by identity.
        self._has_ended: set[int] = set()
        #: What stages have raised, in words.
        self.problems = Problems()
        self._aloop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._woken = asyncio.Event()
        self._lock = threading.Lock()
        self.intake = Intake(plan, self.loop, self.clock)
        # Last: it makes a file.
        self.recorder = None if plan.record is None else RecordWriter(plan.record, self.facts())
        self.intake.recorder = self.recorder
        self.intake.on_end = lambda: self.end("duration")
        self.intake.on_first = self._woken.set

    def end(self, reason: str, error: BaseException | None = None) -> None:
        """Ask for the end, from any thread; the first to ask is the one who is named."""
        with self._lock:
            if self.stopped_by is not None:
                return
            self.stopped_by, self.error = reason, error
            aloop = self._aloop
        self.intake.is_closed = True
        if self.player is not None:
            self.player.stop()
        if aloop is not None:
            try:
                aloop.call_soon_threadsafe(self._over.set)
            except RuntimeError:  # it has ended by itself in this moment
                pass

    def facts(self) -> dict[str, Any]:
        """Say what a reader of the recording needs to know."""
        facts: dict[str, Any] = {
            "kind": "session",
            "name": self.plan.name,
            "arguments": self.plan.repeated,
            "not_repeated": list(self.plan.not_repeated),
            "stopped_by": self.stopped_by,
        }
        if self.intake.left_out:
            facts["cycles"] = {
                "first_ns": self.intake.first_ns,
                "last_ns": self.intake.last_ns,
                "interval_ns": self.plan.interval_ns,
                "left_out": self.intake.left_out,
            }
        return facts

    # ------------------------------------------------------------------ its life
    async def run(self) -> None:
        """Run until something ends it, and make its result."""
        with self._lock:
            self._aloop = asyncio.get_running_loop()
            is_over = self.stopped_by is not None
        tasks: list[asyncio.Task[None]] = []
        try:
            if not is_over:
                for source in self.plan.sources:
                    if isinstance(source.feed, LiveFeed):
                        work = self._listen(source, source.feed)
                        tasks.append(asyncio.create_task(self._guarded(work)))
                if await self._are_up():
                    if self.plan.duration_ns is not None and self.plan.is_live:
                        self.intake.end_ns = self.clock() + self.plan.duration_ns
                    self.intake.open()
                    tasks.append(asyncio.create_task(self._guarded(self._keep_time())))
                    if self.player is not None:
                        work = self._play(self.player)
                        tasks.append(asyncio.create_task(self._guarded(work)))
                    self._end_with_the_feeds()
                    await self._over.wait()
        except Exception as error:
            self.end("error", error)
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                # A server that goes on and on must not keep us from the end.
                await asyncio.wait(tasks, timeout=_GOODBYE)
            close(self)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a part of the run; an exception in it, a stage's SystemExit too, is the run's end."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except FeedError as error:
            self.end("error", self._with_advice(error))
        except BaseException as error:
            self.end("error", error)

    async def _listen(self, source: Source, feed: LiveFeed) -> None:
        def deliver(update: Update) -> None:
            # What goes wrong here is the run's, and no matter of the feed's connection.
            try:
                self.intake.hear(source, update)
            except BaseException as error:
                self.end("error", error)

        await feed.listen(deliver, clock=self.clock)
        # It has ended by itself: there is no more of it, and no more to wait for.
        self._has_ended.add(id(feed))
        if self.intake.is_open and not self.intake.is_closed:
            self.intake.lose(max(self.intake.last_ns + 1, self.clock()), source.numbers)
        self._end_with_the_feeds()

    def _end_with_the_feeds(self) -> None:
        """End where nothing more can come of any feed."""
        feeds = [source.feed for source in self.plan.sources if isinstance(source.feed, LiveFeed)]
        is_played = self.player is None or not self.player.is_under_way
        if self.intake.is_open and is_played and all(id(f) in self._has_ended for f in feeds):
            self.end("end")

    async def _are_up(self) -> bool:
        """Wait for all live feeds; return False where something ended the run before."""
        feeds = [source.feed for source in self.plan.sources if isinstance(source.feed, LiveFeed)]
        deadline = time.monotonic() + self.plan.connect_timeout
        while not all(feed.is_up or id(feed) in self._has_ended for feed in feeds):
            if self._over.is_set():
                return False
            if time.monotonic() >= deadline:
                feed = next(f for f in feeds if not f.is_up and id(f) not in self._has_ended)
                raise self._with_advice(_not_up(feed, self.plan.connect_timeout))
            await asyncio.sleep(_KNOCK)
        return not self._over.is_set()

    async def _play(self, player: Player) -> None:
        await player.play(self.intake, self.clock())
        if self.plan.is_live:
            self._end_with_the_feeds()
        else:
            first_ns, duration = self.intake.first_ns, self.plan.duration_ns
            if first_ns is None or duration is None or player.last_ns < first_ns + duration:
                self.end("end")
            else:
                self.end("duration")

    async def _keep_time(self) -> None:
        """Do what is due by the clock: cycles, staleness, the end."""
        intake = self.intake
        while not self._over.is_set():
            intake.beat()
            wait = _LOOK
            if self.plan.is_live:
                intake.come_to(self.clock())
                wait = min(wait, max(0.0, (intake.due_ns - self.clock()) / 1e9))
            timer = asyncio.get_running_loop().call_later(wait, self._woken.set)
            try:
                await self._woken.wait()
            finally:
                timer.cancel()
            self._woken.clear()

    # ------------------------------------------------------------------ what goes wrong
    def _note_error(self, error: PipelineError) -> None:
        """Log an exception that a run has passed over."""
        cause = error.__cause__ or error
        count = self.problems.note(error)
        if is_milestone(count):
            times = "" if count == 1 else f" (so far {count:,} times)"
            _log.error("%s: %s%s", self.plan.name, error, times, exc_info=cause)

    def _with_advice(self, error: FeedError) -> FeedError:
        """Say what can be done where there is no way to the outside."""
        market = self.plan.markets[0].id
        advised = FeedError(
            f"{error}. Offline, play made-up or recorded rows instead: "
            f"feeds={{{market!r}: hz.feeds.Synthetic()}} or hz.feeds.Replay('recorded.parquet')",
            feed=error.feed,
            address=error.address,
        )
        advised.__cause__ = error.__cause__
        return advised


def _player_of(plan: Plan) -> Player | None:
    played = [source for source in plan.sources if not source.is_live]
    if not played:
        return None
    return Player(
        played,
        name=plan.name,
        speed=plan.speed,
        rebase=plan.rebase,
        duration_ns=None if plan.is_live else plan.duration_ns,
    )


def _not_up(feed: LiveFeed, seconds: float) -> FeedError:
    status = feed.status()
    at = "" if status.address is None else f" at {status.address}"
    why = "" if status.last_error is None else f": {status.last_error}"
    return FeedError(
        f"feed {feed.name!r}{at} is not up after {seconds:g} s ({status.state}){why}",
        feed=feed.name,
        address=status.address,
    )
