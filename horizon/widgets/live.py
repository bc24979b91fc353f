"""The live layer: one owner of the event loop, of every task on it, and of every paint.

Widgets do not schedule anything themselves. They collect values, and a `Live` paints them: the
newest value wins, however many came since the last paint. It starts their tasks, shows what
goes wrong in one, and ends them with the widget: when it is closed, when its cell is run again,
and when its output has gone.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from horizon.checks import error_text
from horizon.errors import HorizonError
from horizon.words import name

__all__ = ["FIGURES", "VALUES", "Live", "Owner", "Stall", "words_of"]

#: Seconds between two paints of values, and of figures.
VALUES: Final = 0.1
FIGURES: Final = 0.25
#: A paint that comes so many seconds late was held up by a cell, and that is said.
_STALL: Final = 2.0
#: Longest that a stall is told after its end, in seconds.
_TOLD: Final = 15.0

_log = logging.getLogger("horizon.widgets")


class Owner(Protocol):
    """Who has tasks and paints: a widget, or a group of them."""

    def paint(self) -> None:
        """Show the newest values."""

    def fail(self, error: BaseException) -> None:
        """Show an exception that nobody caught."""

    def release(self, reason: str) -> None:
        """End for good, because of `reason`."""

    def broken(self, error: BaseException) -> None:
        """End for good, because painting raised this."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A stretch in which the loop did not run: how many seconds, and its end (since 1970)."""

    seconds: float
    ended_at: float


class Live:
    """The one owner of an event loop's tasks and paints; see `here`.

    Every method is for the loop's own thread, except `soon`, which is for all others.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
    """

    _known: ClassVar[list[Live]] = []

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # When each is due, and how often.
        self._due: dict[Owner, tuple[float, float]] = {}
        # The context of the cell that made each: what is published in it belongs to that cell,
        # and the kernel keeps a widget's messages on the thread that last published for it.
        self._contexts: dict[Owner, contextvars.Context] = {}
        self._tasks: dict[asyncio.Task[Any], Owner] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._planned = 0.0
        self._claimed = 0.0
        self._stall: Stall | None = None
        # By cell: the run that made them, and what it made.
        self._cells: dict[str, tuple[str, list[Owner]]] = {}
        #: Rounds of painting so far.
        self.rounds = 0

    @classmethod
    def here(cls) -> Live:
        """Return the owner of the running event loop; the same one each time.

        Raises
        ------
        RuntimeError
            If no event loop is running.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "a widget needs a running event loop, as every notebook has; a plain script has "
                "none (make it inside an async function)"
            ) from None
        cls._known = [live for live in cls._known if not live._loop.is_closed()]
        for live in cls._known:
            if live._loop is loop:
                return live
        cls._known.append(cls(loop))
        return cls._known[-1]

    # ------------------------------------------------------------------ who is on it
    def claim(self, owner: Owner) -> None:
        """Tie an owner to the cell that is making it; what a former run made is ended."""
        self._contexts[owner] = contextvars.copy_context()
        self._claimed = self._loop.time()
        cell = _cell()
        if cell is None:
            return
        key, run = cell
        known_run, owners = self._cells.get(key, (run, []))
        if known_run != run:
            for former in list(owners):  # they take themselves off it
                former.release("its cell was run again")
            owners = []
        owners.append(owner)
        self._cells[key] = run, owners

    def adopt(self, owner: Owner, holder: Owner) -> None:
        """Tie an owner to the one that holds it.

        It still ends with the cell that made it, if that is another one than its holder's.
        """
        for _, owners in self._cells.values():
            if owner in owners and holder in owners:
                owners.remove(owner)
        context = self._contexts.get(holder)
        if context is not None and owner in self._contexts:
            self._contexts[owner] = context

    def end(self, owner: Owner) -> None:
        """Stop painting an owner and cancel its tasks; again at no risk."""
        self._due.pop(owner, None)
        self._contexts.pop(owner, None)
        for task, whose in list(self._tasks.items()):
            if whose is owner:
                task.cancel()
        for _, owners in self._cells.values():
            if owner in owners:
                owners.remove(owner)
        self._plan()

    # ------------------------------------------------------------------ paints
    def show(self, owner: Owner, every: float = VALUES) -> None:
        """Paint an owner from now on, every so many seconds."""
        self._due[owner] = (self._loop.time(), every)
        self._plan()

    def rest(self, owner: Owner) -> None:
        """Stop painting an owner for now."""
        self._due.pop(owner, None)
        self._plan()

    def paint(self, owner: Owner) -> None:
        """Paint one owner now."""
        if owner in self._due:
            self._due[owner] = (self._loop.time() + self._due[owner][1], self._due[owner][1])
            self._paint(owner)

    def paint_all(self) -> None:
        """Paint everything now: after a command, whose result should not wait for its turn."""
        now = self._loop.time()
        for owner, (_, every) in list(self._due.items()):
            if every <= VALUES:
                self._due[owner] = (now + every, every)
                self._paint(owner)

    @property
    def stall(self) -> Stall | None:
        """The last stall, for a while after its end."""
        if self._stall is not None and time.time() - self._stall.ended_at > _TOLD:
            self._stall = None
        return self._stall

    def _plan(self) -> None:
        if self._timer is not None:
            if self._due and min(due for due, _ in self._due.values()) >= self._planned:
                return
            self._timer.cancel()
            self._timer = None
        if self._due and not self._loop.is_closed():
            self._planned = min(due for due, _ in self._due.values())
            self._timer = self._loop.call_at(self._planned, self._round)

    def _round(self) -> None:
        self._timer = None
        try:
            now = self._loop.time()
            # The cell that makes widgets takes its time, and nobody has missed anything.
            late = now - max(self._planned, self._claimed)
            if late > _STALL:
                self._stall = Stall(late, time.time())
            self.rounds += 1
            for owner, (due, every) in list(self._due.items()):
                if owner in self._due and due <= now:
                    # From now on, not from when it was due: what is late is not made up for.
                    self._due[owner] = (now + every, every)
                    self._paint(owner)
        finally:
            # A KeyboardInterrupt may fall into a paint; the next one must come all the same.
            self._plan()

    def _paint(self, owner: Owner) -> None:
        context = self._contexts.get(owner)
        try:
            if context is None:
                owner.paint()
            else:
                # A copy: this may be a call that runs in that very context.
                context.copy().run(owner.paint)
        except Exception as error:
            # The next paint would fail as well, ten times a second.
            self.tell(owner, error)
            owner.broken(error)

    # ------------------------------------------------------------------ tasks and calls
    def start(self, work: Coroutine[Any, Any, object], owner: Owner) -> asyncio.Task[Any]:
        """Run a coroutine as a task of `owner`, which is told if it raises."""
        task = self._loop.create_task(work)
        self._tasks[task] = owner
        task.add_done_callback(self._finished)
        return task

    def tasks_of(self, owner: Owner) -> list[asyncio.Task[Any]]:
        """The tasks of an owner that have not ended."""
        return [task for task, whose in self._tasks.items() if whose is owner]

    def _finished(self, task: asyncio.Task[Any]) -> None:
        owner = self._tasks.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.tell(owner, error)

    def soon(self, job: Callable[[], object], owner: Owner) -> None:
        """Call `job` on the loop, from any thread; `owner` is told if it raises.

        A message from the browser comes here: some kernels deliver it in another thread, with
        a loop of its own.
        """

        def call() -> None:
            try:
                job()
            except Exception as error:
                self.tell(owner, error)

        context = self._contexts.get(owner)
        self._loop.call_soon_threadsafe(call, context=None if context is None else context.copy())

    def later(self, seconds: float, job: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `job` after so many seconds, unless the handle is cancelled before."""
        return self._loop.call_later(seconds, job)

    @staticmethod
    def tell(owner: Owner, error: BaseException) -> None:
        """Show an error at its owner; one that is not in our own words, in the log as well."""
        if not isinstance(error, HorizonError):
            _log.error("shown on a widget: %s", words_of(error), exc_info=error)
        owner.fail(error)


def words_of(error: BaseException) -> str:
    """Say an error in words: our own speak for themselves, others with their kind."""
    # Notes say where it happened: which row of which feed.
    notes = getattr(error, "__notes__", [])
    told = error_text(error)
    text = name("; ".join([told, *map(str, notes)]) if told else "")
    if isinstance(error, (HorizonError, ValueError, TypeError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _cell() -> tuple[str, str] | None:
    """Return the id of the cell that runs now, and that of this run; None outside of one."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return None if cell is None or run is None else (str(cell), str(run))
