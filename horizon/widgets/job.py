"""A piece of work in a thread beside the event loop, with its progress, that can be ended."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from horizon.widgets.live import Live, Owner

__all__ = ["Cancelled", "Job", "JobState", "Tell"]

T = TypeVar("T")

JobState: TypeAlias = Literal["running", "done", "cancelled", "failed"]
#: What the work calls now and then with its progress.
Tell: TypeAlias = Callable[[Any], None]


class Cancelled(BaseException):
    """The work is not wanted any more.

    Like `KeyboardInterrupt` it is no `Exception`, so that work which goes on after its errors
    ends all the same.
    """


class Job(Generic[T]):
    """Work that goes on in a thread of its own while its widget stays live.

    Parameters
    ----------
    live : Live
        Whose loop hears of the end.
    owner : Owner
        Shown an error of `done`.
    work : callable
        Takes `tell`, which it calls with its progress as often as it likes, and returns the
        result. After `cancel`, `tell` raises `Cancelled`.
    done : callable
        Called on the loop with this job, once it has ended in any way; what it raises is shown
        at the owner.

    Notes
    -----
    The thread is a daemon: it does not keep a kernel from ending. Work that never tells anything
    cannot be ended, but what comes of it is not heard after `cancel`.
    """

    def __init__(
        self,
        live: Live,
        owner: Owner,
        work: Callable[[Tell], T],
        done: Callable[[Job[T]], object],
    ) -> None:
        self._live = live
        self._owner = owner
        self._work = work
        self._done = done
        self._began = time.monotonic()
        self._ended: float | None = None
        self._is_cancelled = False
        self._is_heard = False
        self._outcome: JobState = "running"
        self._result: T | None = None
        #: The newest of what the work has told; None before the first.
        self.progress: Any = None
        #: What the work raised, if it failed.
        self.error: BaseException | None = None
        # A thread that is the first to load pandas leaves it half made for the loop meanwhile,
        # and plotly looks at it whenever it draws.
        import pandas  # noqa: F401

        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._run,), name="horizon-job", daemon=True
        ).start()

    def _run(self) -> None:
        outcome: JobState = "failed"
        try:
            result = self._work(self._tell)
        except Cancelled:
            outcome = "cancelled"
        except BaseException as error:
            self.error = error
        else:
            self._result, outcome = result, "done"
        self._outcome = outcome
        self._ended = time.monotonic()
        try:
            self._live.soon(self._hear, self._owner)
        except RuntimeError:
            pass  # the loop has been closed: nobody is left to hear of it

    def _hear(self) -> None:
        """Tell of the end, on the loop. What nobody wants any more by then is not a result."""
        if self._is_cancelled:
            self._outcome, self._result, self.error = "cancelled", None, None
        self._is_heard = True
        self._done(self)

    def _tell(self, progress: Any) -> None:
        if self._is_cancelled:
            raise Cancelled
        self.progress = progress

    def cancel(self) -> None:
        """Let the work end at its next word; again, and after its end, at no risk.

        From now on it has no result, even if its thread has come to the end already.
        """
        if not self._is_heard:
            self._is_cancelled = True

    @property
    def is_running(self) -> bool:
        """Whether it is at work, or its end has not been heard of yet."""
        return not self._is_heard

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants it any more, be it at work still or not."""
        return self._is_cancelled

    @property
    def state(self) -> JobState:
        """How it stands: ``"running"``, ``"done"``, ``"cancelled"`` or ``"failed"``."""
        return self._outcome if self._is_heard else "running"

    @property
    def seconds(self) -> float:
        """How long it has worked."""
        return (time.monotonic() if self._ended is None else self._ended) - self._began

    @property
    def result(self) -> T:
        """What the work has returned.

        Raises
        ------
        RuntimeError
            If it has not, or was cancelled.
        """
        if self.state != "done":
            raise RuntimeError(f"there is no result: the job is {self.state}")
        return self._result  # type: ignore[return-value]  # set where it is done
