"""The buttons and the display of a feed: a small state machine, safe from any thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias

from horizon import checks
from horizon.errors import HorizonError
from horizon.feeds.goal import Goal, goal_of
from horizon.feeds.pace import Pace, speed_of

__all__ = ["Deck", "FeedProgress", "Status"]

Status: TypeAlias = Literal["idle", "playing", "paused", "stopped", "done", "failed"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedProgress:
    """A feed at one moment: what a progress bar draws.

    Attributes
    ----------
    status : str
        ``"idle"``, ``"playing"``, ``"paused"``, ``"stopped"``, ``"done"`` or ``"failed"``.
    position : int
        Rows that the client has taken in this pass.
    total : int or None
        Rows of the whole feed; None for a feed without end.
    time : float or None
        Time of the last row as the client got it, in seconds since 1970; None before it.
    speed : float
        Market seconds per wall second; infinity is without limit.

    Examples
    --------
    >>> hz.feeds.Synthetic(seed=1, n=600).progress
    FeedProgress(status='idle', position=0, total=600, time=None, speed=1.0)
    """

    status: Status
    position: int
    total: int | None
    time: float | None
    speed: float


class Deck:
    """Play, pause, step, jump and stop, as on a tape deck, and who watches.

    A *pass* is one walk over the rows. Every control may be used from any thread, from a
    callback too, and repeated at no risk; without a pass under way it does nothing, except
    for `step` and `seek`, which need one.

    Parameters
    ----------
    name : str
        What messages call the feed.
    speed : float or None
        Market seconds per wall second; None or infinity is without limit.
    """

    def __init__(self, *, name: str, speed: float | None) -> None:
        self._name = checks.text("name", name)
        self._speed = speed_of("speed", speed)
        self._lock = Lock()
        self._callbacks: list[Callable[[FeedProgress], object]] = []
        self._status: Status = "idle"
        self._position = 0
        self._last_ns: int | None = None
        self._pace: Pace | None = None  # there while a pass is under way, and only then
        self._wake: Callable[[], object] = _nothing
        self._is_stopping = False
        self._steps = 0
        # Where a jump ends: after so many rows, or at a time as the client sees it.
        self._seek: Goal | None = None
        self._first_ns: int | None = None
        # Read once a row without the lock: whether no control needs a look before it.
        self._is_free = True

    @property
    def name(self) -> str:
        """What messages call the feed."""
        return self._name

    @property
    def total(self) -> int | None:
        """Rows of the whole feed; None if it has no end or does not know."""
        return None

    @property
    def status(self) -> Status:
        """``"idle"``, ``"playing"``, ``"paused"``, ``"stopped"``, ``"done"`` or ``"failed"``."""
        return self._status

    @property
    def is_stopping(self) -> bool:
        """Whether the pass under way was told to stop and has not come to its end yet."""
        return self._pace is not None and self._is_stopping

    @property
    def is_seeking(self) -> bool:
        """Whether a jump is under way; see `seek`."""
        return self._seek is not None

    @property
    def position(self) -> int:
        """Rows that the client has taken in this pass, or in the last one."""
        return self._position

    @property
    def time(self) -> float | None:
        """Time of the last row as the client got it, in seconds since 1970; None before it."""
        last = self._last_ns
        return None if last is None else last / 10**9

    @property
    def speed(self) -> float:
        """Market seconds per wall second; may be set while playing, None is without limit."""
        with self._lock:
            return self._speed if self._pace is None else self._pace.speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        checked = speed_of("speed", speed)
        with self._lock:
            self._speed = checked
            if self._pace is not None:
                self._pace.set_speed(checked, time.monotonic())
            self._refresh()
        self._notify()

    @property
    def progress(self) -> FeedProgress:
        """Status, position, total, time and speed as they stand now."""
        return FeedProgress(self.status, self.position, self.total, self.time, self.speed)

    def pause(self) -> None:
        """Stand still after the row being sent; market time stands still too."""
        with self._lock:
            if self._pace is None:
                return
            if self._pace.is_paused and not self._steps and self._seek is None:
                return
            self._steps = 0
            self._seek = None
            self._pace.pause(time.monotonic())
            self._refresh()
        self._notify()

    def resume(self) -> None:
        """Go on after a pause, the next row at its distance from where time stood."""
        with self._lock:
            if self._pace is None or not self._pace.is_paused:
                return
            self._steps = 0
            self._pace.resume(time.monotonic())
            self._refresh()
        self._notify()

    def step(self, n: int = 1) -> None:
        """Send the next `n` rows at once and stand still after them; pauses where it plays.

        Raises
        ------
        HorizonError
            If no pass is under way: begin one with ``play(ex, paused=True)``.
        TypeError, ValueError
            If `n` is not a whole number of 1 or more.
        """
        count = checks.integer("n", n)
        with self._lock:
            self._under_way("step").pause(time.monotonic())
            self._seek = None
            self._steps += count
            self._refresh()
        self._notify()

    def seek(self, *, row: int | None = None, to: object = None) -> None:
        """Jump forward: send every row up to a point at once, then go on as before.

        Nothing is left out: the client takes all rows in between, in their order, without the
        waiting, so that its orders, algorithms and equity are what they would have been. A feed
        that plays goes on from there at its speed, one that pauses stands still there.
        `pause`, `step` and `stop` end a jump where it is.

        Parameters
        ----------
        row : int, optional
            Jump until the client has taken so many rows of this pass.
        to : float, datetime or timedelta, optional
            Jump to this time, that time included, as the client sees it; a timedelta counts
            from the first row. One of the two is needed.

        Raises
        ------
        HorizonError
            If no pass is under way, or if the point lies behind: a client cannot take back
            what it has done, so ``stop()`` and begin again, with a new client for a new account.
        TypeError, ValueError
            For a point that is none, such as a row beyond the last.

        Notes
        -----
        While ``task = asyncio.create_task(feed.play(ex, speed=60))`` plays in a notebook::

            feed.seek(row=5_000)
            feed.seek(to=timedelta(hours=2))
        """
        goal = goal_of(row, to)
        total = self.total
        if goal.row is not None and total is not None and goal.row > total:
            raise ValueError(f"row must be at most {total:,}, the rows of the feed, was {row:,}")
        with self._lock:
            self._under_way("seek")
            behind = goal.behind(self._position, self._first_ns, self._last_ns)
            if behind:
                raise HorizonError(
                    f"feed {self._name!r} cannot go back: {behind}. A client cannot take back what "
                    "it has done: stop() the feed and begin again"
                )
            self._steps = 0
            self._seek = goal
            self._refresh()
        self._notify()

    def stop(self) -> None:
        """End the pass after the row being sent; `run` or `play` then returns."""
        with self._lock:
            if self._pace is None or self._is_stopping:
                return
            self._is_stopping = True
            self._refresh()

    def subscribe(self, callback: Callable[[FeedProgress], object]) -> Callable[[], None]:
        """Call `callback` with a `FeedProgress` at each change.

        Rows do not get a call each: one comes after those that were due together, and about
        every ten milliseconds among many. It is made by the thread that changed something.
        An exception in it is logged; the feed and the other callbacks go on.

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
        with self._lock:
            self._callbacks.append(callback)
        is_subscribed = True

        def unsubscribe() -> None:
            # A flag rather than a search: one callback may be subscribed twice.
            nonlocal is_subscribed
            with self._lock:
                if is_subscribed:
                    is_subscribed = False
                    self._callbacks.remove(callback)

        return unsubscribe

    def _under_way(self, verb: str) -> Pace:
        """The pace of the pass under way; under the lock."""
        if self._pace is None:
            raise HorizonError(
                f"feed {self._name!r} is {self._status}, and {verb}() needs a pass under way: "
                "begin one with play(ex, paused=True)"
            )
        return self._pace

    def _begin(self, pace: Pace, wake: Callable[[], object]) -> None:
        with self._lock:
            if self._pace is not None:
                raise HorizonError(
                    f"feed {self._name!r} is already {self._status}: "
                    "stop() it or wait for its end before another pass"
                )
            self._pace, self._wake = pace, wake
            self._is_stopping, self._steps, self._seek = False, 0, None
            self._position, self._first_ns, self._last_ns = 0, None, None
            self._refresh()
        self._notify()

    def _end(self, status: Status) -> None:
        with self._lock:
            self._pace, self._wake, self._status, self._seek = None, _nothing, status, None
        self._notify()

    def _gate(self, market_ns: int) -> float:
        """Wall seconds to wait before the row at `market_ns`; then the gate is asked again."""
        with self._lock:
            assert self._pace is not None  # rows are sent in a pass only
            wall = time.monotonic()
            if self._is_stopping:
                return 0.0
            if self._seek is not None:
                if self._seek.is_ahead(self._position, self._first_ns, market_ns):
                    self._pace.jump(market_ns, wall)
                    return 0.0
                # There: the market's clock stands at the time that was asked for, but not before
                # the first row, which is due whenever it comes.
                at_ns = self._seek.time_ns(self._first_ns)
                if at_ns is not None and self._position:
                    self._pace.jump(at_ns, wall)
                self._seek = None
                self._refresh()
            if self._steps:
                self._steps -= 1
                self._pace.jump(market_ns, wall)
                return 0.0
            return self._pace.delay(market_ns, wall)

    def _refresh(self) -> None:
        """Bring what hangs on the controls up to date, and wake the pass; under the lock."""
        if self._pace is None:
            return
        self._status = "paused" if self._pace.is_paused else "playing"
        self._is_free = self._pace.is_free and not self._is_stopping and self._seek is None
        self._wake()

    def _notify(self) -> None:
        with self._lock:
            callbacks = list(self._callbacks)
        if not callbacks:
            return
        progress = self.progress
        for callback in callbacks:
            try:
                callback(progress)
            except Exception:
                _log.exception("a callback of feed %r failed", self._name)


def _nothing() -> None:
    """Wake nobody: no pass is under way."""
