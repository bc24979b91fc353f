"""The passes of feeds that play to one account: begun, held, moved ahead and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from horizon import words
from horizon.client import ImperativeClient
from horizon.errors import HorizonError
from horizon.feeds import Feed
from horizon.widgets.deck.track import Goal
from horizon.widgets.live import Live, Owner

__all__ = ["Passes"]

#: Parts that a jump of several feeds is cut into, so that they stay beside each other.
_LEGS: Final = 100
#: Seconds between the end of a pass and the next one of a loop.
_BREATH: Final = 0.05


class Passes:
    """Plays feeds to an account, each in a task of its own.

    Parameters
    ----------
    ex : ImperativeClient
    feeds : sequence of Feed
    live : Live
        Whose tasks they are.
    owner : Owner
        Who is told what goes wrong in one.
    loops : bool
        Begin again whenever all feeds have come to their end.
    """

    def __init__(
        self, ex: ImperativeClient, feeds: Sequence[Feed], live: Live, owner: Owner, *, loops: bool
    ) -> None:
        self._ex = ex
        self._feeds = feeds
        self._live = live
        self._owner = owner
        self.loops = loops
        # The passes that were begun here and have not ended, each in a task.
        self._tasks: dict[Feed, asyncio.Task[Any]] = {}
        # Those of them that begin paused.
        self._held: set[Feed] = set()
        self._way: asyncio.Task[Any] | None = None

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def require_ours(self) -> None:
        """Refuse a feed that is playing to another account: these would be its controls."""
        for feed in self._feeds:
            client = feed.client
            if not _is_begun(feed) or client is None:
                continue
            engine = self._ex.engine
            if client not in (self._ex, engine, engine.venue) and engine is not getattr(
                client, "engine", None
            ):
                raise HorizonError(
                    f"feed {words.name(feed.name)!r} is {feed.status} to another account: stop it "
                    "first"
                )

    # ------------------------------------------------------------------ controls
    def play(self) -> None:
        """Let those that pause go on; those at rest begin."""
        self.require_ours()
        for feed in self._feeds:
            if _is_begun(feed):
                feed.resume()
            elif feed not in self._tasks:
                self._begin(feed)

    def pause(self) -> None:
        """Let them stand still."""
        for feed in self._feeds:
            if _is_begun(feed):
                feed.pause()
            elif feed in self._tasks:
                self._begin(feed, is_paused=True)

    def stop(self) -> None:
        """End every pass."""
        for feed in self._feeds:
            feed.stop()
            if not _is_begun(feed) and (task := self._tasks.pop(feed, None)) is not None:
                task.cancel()

    def restart(self) -> None:
        """Begin again: playing, if one plays, else standing still."""
        self.require_ours()
        plays = any(feed.status == "playing" for feed in self._feeds)
        self.stop()
        for feed in self._feeds:
            self._begin(feed, is_paused=not plays)

    def step(self, n: int) -> None:
        """Send so many rows of each, and stand still."""
        self.require_ours()
        for feed in self._feeds:
            # Two steps in one turn are steps of one pass.
            self._when_begun(feed, lambda feed: feed.step(n))

    # ------------------------------------------------------------------ ahead
    def movable(self) -> list[Feed]:
        """The feeds that have a way ahead of them: those under way, or not begun yet.

        Raises
        ------
        HorizonError
            If there is none, or if one plays to another account.
        """
        self.require_ours()
        over = ("stopped", "done", "failed")
        found = [feed for feed in self._feeds if feed in self._tasks or feed.status not in over]
        if not found:
            feed = self._feeds[0]
            raise HorizonError(
                f"feed {words.name(feed.name)!r} is {feed.status}, and there is no way ahead from "
                "there: Restart begins again at the first row"
            )
        return found

    def go(self, goals: Mapping[Feed, Goal]) -> None:
        """Let feeds jump ahead, beside each other; those at rest begin, and stand still there."""
        for feed, goal in goals.items():
            if goal.row is not None and goal.row < feed.position:
                raise HorizonError(
                    f"row {goal.row:,} lies behind row {feed.position:,}, where feed "
                    f"{words.name(feed.name)!r} is: what was played cannot be taken back. Restart "
                    "begins again at the first row"
                )
        if self._way is not None:
            self._way.cancel()
            self._way = None
        if len(goals) == 1:
            for feed, goal in goals.items():
                self._when_begun(feed, goal.send)
            return
        for feed in goals:
            self._when_begun(feed, lambda _: None)
        self._way = self._live.start(self._go_together(goals), self._owner)

    async def _go_together(self, goals: Mapping[Feed, Goal]) -> None:
        """Jump a part of the way at a time, so that none runs far ahead of the others."""
        while not all(_is_begun(feed) for feed in goals):
            if not any(_is_begun(feed) or feed in self._tasks for feed in goals):
                return
            await asyncio.sleep(0)
        ways = [(feed, feed.position, goal) for feed, goal in goals.items()]
        for leg in range(1, _LEGS + 1):
            under_way = []
            for feed, begin, goal in ways:
                if not _is_begun(feed):
                    continue
                part = goal if goal.row is None else Goal(row=_part(feed, begin, goal.row, leg))
                if part.row is None or part.row > feed.position:
                    part.send(feed)
                    under_way.append((feed, part))
            while any(feed.is_seeking for feed, _ in under_way):
                await asyncio.sleep(0)
            for feed, part in under_way:
                if part.row is not None and _is_begun(feed) and feed.position < part.row:
                    return  # somebody has paused or stepped it

    # ------------------------------------------------------------------ tasks
    def _begin(self, feed: Feed, *, is_paused: bool = False) -> asyncio.Task[Any]:
        """Begin a pass in a task; one that has not taken its first step yet is begun anew."""
        former = self._tasks.get(feed)
        if former is not None:
            former.cancel()
        (self._held.add if is_paused else self._held.discard)(feed)
        task = self._live.start(self._pass(feed, is_paused), self._owner)
        self._tasks[feed] = task

        def forget(ended: asyncio.Task[Any]) -> None:
            if self._tasks.get(feed) is ended:
                del self._tasks[feed]

        task.add_done_callback(forget)
        return task

    async def _pass(self, feed: Feed, is_paused: bool) -> None:
        while feed.is_stopping:  # a former pass, of this deck or of the one before it
            await asyncio.sleep(0.005)
        while await feed.play(self._ex, paused=is_paused):
            is_paused = False
            # Those that came to their end before the others wait for them.
            while self.loops and any(_is_begun(other) for other in self._feeds):
                await asyncio.sleep(_BREATH)
            if not self.loops or feed.status != "done":
                return
            await asyncio.sleep(_BREATH)

    def _when_begun(self, feed: Feed, act: Callable[[Feed], object]) -> None:
        """Do something with a feed's pass; one at rest begins, and stands still."""
        if _is_begun(feed):
            act(feed)
            return
        task = self._tasks.get(feed)
        if task is None or feed not in self._held:
            task = self._begin(feed, is_paused=True)
        self._live.start(self._act_into(feed, task, act), self._owner)

    async def _act_into(
        self, feed: Feed, task: asyncio.Task[Any], act: Callable[[Feed], object]
    ) -> None:
        while not _is_begun(feed) and not task.done():
            await asyncio.sleep(0)
        if not task.done():
            act(feed)

    async def done(self) -> None:
        """Wait until all have ended; raises what one of them raised."""
        for task in list(self._tasks.values()):
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error


def _is_begun(feed: Feed) -> bool:
    return feed.status in ("playing", "paused") and not feed.is_stopping


def _part(feed: Feed, begin: int, goal: int, leg: int) -> int:
    """The row after so many parts of the way from one row to another, in equal parts of time."""
    if leg >= _LEGS:
        return goal
    first, last = feed.time_at(begin), feed.time_at(goal - 1)
    if first is not None and last is not None and goal > begin:
        row = feed.row_at(first + (last - first) * leg // _LEGS)
        if row is not None:
            return min(max(row, begin), goal)
    return begin + (goal - begin) * leg // _LEGS
