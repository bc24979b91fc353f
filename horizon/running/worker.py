"""The thread of a run: begun, waited for, and brought to its end with the program."""

from __future__ import annotations

import asyncio
import atexit

# Many a module that writes a file imports this one, and it refuses to be imported first when the
# program is about to end.
import concurrent.futures.thread  # noqa: F401
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from horizon.running.session import Session

__all__ = ["Worker"]

_log = logging.getLogger("horizon.run")
#: Longest single wait: some systems hold an interrupt back until its end.
_NAP: Final = 0.05
#: Seconds that a run has to end when the program does.
_AT_EXIT: Final = 10.0
#: Seconds that connections have after the end.
_LEFT: Final = 2.0

_running: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """Runs a session on a thread and an event loop of its own.

    Parameters
    ----------
    session : Session
    logs : bool
        Say what ends the run where that is an exception: nobody may be waiting to be told.
    """

    def __init__(self, session: Session, *, logs: bool) -> None:
        self.session = session
        self._logs = logs
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []
        # A daemon: the interpreter's end must not wait for it before it is told to stop.
        self._thread = threading.Thread(
            target=self._work, name=f"horizon-run-{session.plan.name}", daemon=True
        )

    def start(self) -> None:
        """Begin; once."""
        _running.add(self)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, and its result is there."""
        return self._is_over.is_set()

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the run's own thread: a stage, or a callback."""
        return threading.current_thread() is self._thread

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, in naps, so that an interrupt is heard; return whether it has come."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self._is_over.is_set():
            nap = _NAP if until is None else min(_NAP, until - time.monotonic())
            if nap <= 0.0:
                return False
            self._is_over.wait(nap)
        return True

    def when_over(self, callback: Callable[[], object]) -> None:
        """Call it once the run has ended; at once if it has."""
        with self._lock:
            if not self._is_over.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def _work(self) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.session.run())
        except BaseException as error:
            _log.exception("%s: the run failed as it ended", self.session.plan.name)
            self.session.error = self.session.error or error
        finally:
            if self._logs and self.session.error is not None:
                ended_by = self.session.error
                _log.error("%s: ended by %r", self.session.plan.name, ended_by, exc_info=ended_by)
            with self._lock:
                self._is_over.set()
                callbacks, self._callbacks = self._callbacks, []
            _running.discard(self)
            for callback in callbacks:
                try:
                    callback()
                except Exception:
                    _log.exception("%s: a callback failed", self.session.plan.name)
            # Only now: what hangs in a connection has nothing to do with the result.
            with contextlib.suppress(Exception):
                left = asyncio.all_tasks(loop)
                for task in left:
                    task.cancel()
                if left:
                    loop.run_until_complete(asyncio.wait(left, timeout=_LEFT))
                loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def _stop_all() -> None:
    """End all runs with the program: what rests is cancelled, and results are written."""
    workers = list(_running)
    for worker in workers:
        worker.session.end("exit")
    until = time.monotonic() + _AT_EXIT
    for worker in workers:
        if not worker.wait(max(0.0, until - time.monotonic())):
            _log.error(
                "%s: had not ended %g s after the program, and its result is lost",
                worker.session.plan.name,
                _AT_EXIT,
            )


atexit.register(_stop_all)
