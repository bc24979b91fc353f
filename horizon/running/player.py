"""Played feeds of a run: their rows in one order, at a speed, on buttons.

Rows of all feeds are merged by time. Rows of different feeds that share a time are one step; the
second row of a feed at that time is in the second step there, and so on, as in a backtest.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Final, Protocol, TypeAlias

from horizon.errors import DataError
from horizon.feeds import Feed, FeedProgress, Replay, Synthetic
from horizon.feeds.base import Fields
from horizon.feeds.deck import Deck, Status
from horizon.feeds.pace import Pace
from horizon.feeds.times import stamp_text
from horizon.running.sources import Source
from horizon.running.watch import NEVER

__all__ = ["PlayedRow", "Player", "Sink", "steps_of"]

#: Longest stretch of work, in seconds, between two turns of the event loop.
_TURN: Final = 0.008
#: A row on its way: its time in ns, the number of its feed, and what it says; None where nothing
#: was known of the feed any more as it was recorded.
PlayedRow: TypeAlias = tuple[int, int, Fields | None]
#: The same before it is placed: its own time, its market, and what it says.
_OwnRow: TypeAlias = tuple[int, str, Fields | None]

_time_of = itemgetter(0)
_number_of = itemgetter(1)


class Sink(Protocol):
    """What a player plays to."""

    @property
    def next_due_ns(self) -> int:
        """When something is due beside the rows."""

    def take_rows(self, ns: int, rows: Sequence[PlayedRow]) -> None:
        """Take one step; without rows, let time come to it."""

    def beat(self) -> None:
        """Look at what is due by the wall clock; called every few milliseconds."""


class Player(Deck):
    """Plays the rows of feeds that are not live.

    Parameters
    ----------
    sources : sequence of Source
    name : str
        What messages call it.
    speed : float
        Market seconds per wall second.
    rebase : bool
        Move the first row to the start of the run; the others keep their distance from it.
    duration_ns : int or None
        Play rows up to so long after the first.

    Notes
    -----
    `Synthetic` feeds have no time of their own: each begins with the first row of the others.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        name: str,
        speed: float,
        rebase: bool,
        duration_ns: int | None,
    ) -> None:
        super().__init__(name=name, speed=speed)
        self._sources = sources
        self._rebase = rebase
        self._duration_ns = duration_ns
        #: Rows read from each source so far, one or two of them ahead; and played, by feed.
        self._read = [0] * len(sources)
        self._played: Counter[int] = Counter()
        # From here on: a run can be paused before its thread has begun.
        self._begin(Pace(self._speed), _nothing)

    @property
    def is_under_way(self) -> bool:
        """Whether there may be rows left."""
        return self._pace is not None

    @property
    def last_ns(self) -> int:
        """The time that it has played to, of rows or of the end of its duration."""
        return -NEVER if self._last_ns is None else self._last_ns

    def feeds_progress(self) -> list[FeedProgress]:
        """How far each feed is."""
        return [
            FeedProgress(
                self.status, self._rows_of(source), source.feed.total, self.time, self.speed
            )
            for source in self._sources
            if isinstance(source.feed, Feed)
        ]

    def _rows_of(self, source: Source) -> int:
        played = sum(self._played[number] for number in source.numbers)
        # One row may go by several names.
        return played // len(source.numbers) if source.route.every else played

    async def play(self, sink: Sink, start_ns: int) -> None:
        """Play all rows, or until `stop`.

        Parameters
        ----------
        sink : Sink
        start_ns : int
            The start of the run, to which times are moved where they are.
        """
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The loop may be closed by now: then nobody is left to be woken.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        with self._lock:
            self._wake = wake
        clock = time.monotonic
        end: Status = "stopped"
        try:
            turn = clock() + _TURN
            for ns, rows in self._stepped(start_ns):
                if self._first_ns is None:
                    self._first_ns = ns
                while not self._is_free and (delay := self._gate(ns)) > 0.0:
                    sink.beat()
                    await self._wait(delay, ns, sink, woken)
                    turn = clock() + _TURN
                if self._is_stopping:
                    return
                sink.take_rows(ns, rows)
                for _, number, fields in rows:
                    self._played[number] += fields is not None
                self._position += len(rows)
                self._last_ns = ns
                if clock() >= turn:
                    sink.beat()
                    await asyncio.sleep(0)
                    turn = clock() + _TURN
            end = "done"
        except Exception:
            end = "failed"
            raise
        finally:
            self.end(end)

    def end(self, status: Status) -> None:
        """End the pass, which may never have begun to play; again at no risk."""
        if self._pace is not None:
            self._end(status)

    async def _wait(self, delay: float, ns: int, sink: Sink, woken: asyncio.Event) -> None:
        """Wait for the next row, or for what is due before it."""
        due_ns = sink.next_due_ns
        if due_ns < ns and delay < math.inf:
            with self._lock:
                sooner = delay if self._pace is None else self._pace.delay(due_ns, time.monotonic())
            if sooner <= 0.0:
                sink.take_rows(due_ns, ())
                await asyncio.sleep(0)
                return
            delay = min(delay, sooner)
        timer = None
        if delay < math.inf:
            timer = asyncio.get_running_loop().call_later(delay, woken.set)
        try:
            await woken.wait()
        finally:
            if timer is not None:
                timer.cancel()
        woken.clear()

    # ------------------------------------------------------------------ rows
    def _stepped(self, start_ns: int) -> Iterator[tuple[int, Sequence[PlayedRow]]]:
        """Give all steps; after the last an empty one at the end of the duration, if it is over."""
        until_ns: int | None = None
        for ns, rows in steps_of(self._merged(start_ns)):
            if until_ns is None:
                until_ns = NEVER if self._duration_ns is None else ns + self._duration_ns
            if ns > until_ns:
                yield until_ns, ()
                return
            yield ns, rows

    def _merged(self, start_ns: int) -> Iterable[PlayedRow]:
        """The rows of all feeds in order of time, moved to where they are played."""
        streams: list[tuple[int, Iterable[_OwnRow]]] = []
        firsts: dict[int, int] = {}
        for place in range(len(self._sources)):
            rows = self._own_rows(place)
            first = next(rows, None)
            if first is not None:
                firsts[place] = first[0]
                streams.append((place, chain((first,), rows)))
        timed = [ns for place, ns in firsts.items() if not self._is_timeless(place)]
        first_ns = min(timed, default=0)
        begins_ns = start_ns if self._rebase else first_ns
        placed = []
        for place, rows_of_it in streams:
            own = firsts[place] if self._is_timeless(place) else first_ns
            placed.append(self._placed(place, rows_of_it, begins_ns - own))
        return placed[0] if len(placed) == 1 else heapq.merge(*placed, key=_time_of)

    def _is_timeless(self, place: int) -> bool:
        return isinstance(self._sources[place].feed, Synthetic)

    def _own_rows(self, place: int) -> Iterator[_OwnRow]:
        feed = self._sources[place].feed
        assert isinstance(feed, Feed)
        rows = self._said(place, feed)
        if isinstance(feed, Replay) and feed.losses:
            losses = ((ns, market_id, None) for market_id, ns in feed.losses)
            return heapq.merge(rows, losses, key=_time_of)
        return rows

    def _said(self, place: int, feed: Feed) -> Iterator[_OwnRow]:
        last_ns = -NEVER
        for batch in feed.batches():
            for fields in batch:
                ns = fields[1]
                if ns < last_ns:
                    raise DataError(
                        f"{feed.locate(self._read[place])} goes backwards in time: "
                        f"{stamp_text(ns)} after {stamp_text(last_ns)}",
                        feed=feed.name,
                        row=self._read[place],
                        value=stamp_text(ns),
                    )
                last_ns = ns
                self._read[place] += 1
                yield ns, fields[0], fields

    def _placed(self, place: int, rows: Iterable[_OwnRow], offset_ns: int) -> Iterator[PlayedRow]:
        route = self._sources[place].route
        for ns, market_id, fields in rows:
            for number in route[market_id]:
                yield ns + offset_ns, number, fields


def steps_of(rows: Iterable[PlayedRow]) -> Iterator[tuple[int, Sequence[PlayedRow]]]:
    """Put rows in order of time into steps, each with at most one row of a feed."""
    for ns, group in groupby(rows, key=_time_of):
        together = list(group)
        if len(together) == 1:
            yield ns, together
            continue
        turns: list[list[PlayedRow]] = []
        seen: dict[int, int] = {}
        for row in together:
            turn = seen.get(row[1], 0)
            seen[row[1]] = turn + 1
            if turn == len(turns):
                turns.append([])
            turns[turn].append(row)
        for step in turns:
            yield ns, sorted(step, key=_number_of)


def _nothing() -> None:
    """Wake nobody: nothing plays yet."""
