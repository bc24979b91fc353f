"""An explorer's one run at a time: the newest wish takes the place of the run that goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from horizon.widgets.explorer.runs import Failure, Ran, Runner, failure_of
from horizon.widgets.job import Job
from horizon.widgets.live import Live, Owner

if TYPE_CHECKING:
    from horizon.backtesting.result import BacktestResult
    from horizon.widgets.explorer.kept import Kept

__all__ = ["Queue"]


class _Wish:
    """A run that somebody has asked for, and the future of its result."""

    def __init__(self, setting: dict[str, Any]) -> None:
        self.setting = setting
        self.future: asyncio.Future[BacktestResult] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        """Hand on what was raised; where nobody waits for it, the page has said it."""
        if not self.future.done():
            # A future takes neither a StopIteration nor, without harm, a KeyboardInterrupt.
            is_fit = isinstance(error, Exception) and not isinstance(error, StopIteration)
            told = error if is_fit else RuntimeError(f"the run ended with {error!r}")
            self.future.set_exception(told)
            self.future.exception()  # looked at: no warning where nobody awaits it


class Queue:
    """Runs what is asked for last; see `ask`.

    Parameters
    ----------
    live : Live
    owner : Owner
    runner : Runner
    name_of : callable
        What a run of a setting is called.
    on_result : callable
        Takes a setting and what came of it, and returns what is kept.
    on_end : callable
        Called on the loop after each run, however it has ended.

    Attributes
    ----------
    failure : Failure or None
        Why the latest run has no result; None if it has one, or was interrupted.
    """

    def __init__(
        self,
        live: Live,
        owner: Owner,
        runner: Runner,
        *,
        name_of: Callable[[dict[str, Any]], str],
        on_result: Callable[[dict[str, Any], Ran], Kept],
        on_end: Callable[[], object],
    ) -> None:
        self._live, self._owner, self._runner = live, owner, runner
        self._name_of, self._on_result, self._on_end = name_of, on_result, on_end
        self.failure: Failure | None = None
        self._job: Job[Ran] | None = None
        self._at_work: _Wish | None = None
        self._next: _Wish | None = None

    # ------------------------------------------------------------------ how things stand
    @property
    def is_running(self) -> bool:
        """Whether a run goes on, or waits for the former to end."""
        return self._job is not None or self._next is not None

    @property
    def is_stopping(self) -> bool:
        """Whether the run that goes on is not wanted any more."""
        return self._job is not None and self._job.is_cancelled

    @property
    def setting(self) -> dict[str, Any]:
        """The parameters of the run that goes on, or of the one that takes its place."""
        wish = self._next or self._at_work
        return {} if wish is None else wish.setting

    @property
    def progress(self) -> Any:
        """What the run that goes on has told last: a text, `Going`, or None."""
        return None if self._job is None else self._job.progress

    @property
    def seconds(self) -> float:
        """For how long it goes on."""
        return 0.0 if self._job is None else self._job.seconds

    # ------------------------------------------------------------------ wishes
    def ask(self, setting: dict[str, Any]) -> asyncio.Future[BacktestResult]:
        """Run a setting as soon as the run before it has ended, which is told to end now."""
        wish = _Wish(setting)
        if self._next is not None:
            self._next.future.cancel()
        self._next = wish
        if self._job is None:
            self._start()
        else:
            self._job.cancel()
        return wish.future

    def stop(self) -> Any:
        """Interrupt the run; returns what it has told last, None where nothing ran."""
        if self._next is not None:
            self._next.future.cancel()
            self._next = None
        if self._job is None or self._job.is_cancelled:
            return None
        self._job.cancel()
        return self._job.progress

    async def done(self) -> None:
        """Wait until nothing runs; what a run raised is not raised here."""
        while self.is_running:
            wish = self._next or self._at_work
            if wish is None or wish.future.done():
                await asyncio.sleep(0.005)  # its thread is on its way out
            else:
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await asyncio.shield(wish.future)

    def _start(self) -> None:
        wish, self._next = self._next, None
        assert wish is not None
        self._at_work = wish
        name, runner = self._name_of(wish.setting), self._runner
        self._job = Job(
            self._live, self._owner, lambda tell: runner.run(name, wish.setting, tell), self._ended
        )

    def _ended(self, job: Job[Ran]) -> None:
        wish, self._job, self._at_work = self._at_work, None, None
        assert wish is not None
        if self._next is not None:
            self._start()
        try:
            self._settle(job, wish)
        finally:
            if not wish.future.done():
                wish.future.cancel()
            self._on_end()

    def _settle(self, job: Job[Ran], wish: _Wish) -> None:
        if job.state == "done" and not wish.future.cancelled():
            self.failure = None
            wish.future.set_result(self._on_result(wish.setting, job.result).result)
        elif job.state == "failed" and job.error is not None:
            self.failure = failure_of(wish.setting, job.error)
            wish.fail(job.error)
