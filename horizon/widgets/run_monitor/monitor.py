"""The monitor of a run in the background: how it stands, its feeds, its money, its end."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, ClassVar

from horizon import checks, words
from horizon.analytics.metrics import Metrics
from horizon.backtesting.result_words import counted
from horizon.errors import HorizonError
from horizon.running import FeedHealth, RunHandle, RunStatus, handles
from horizon.venues.records import OrderState
from horizon.walkforward.words import KEY_FIGURES, figure_words
from horizon.widgets import sections
from horizon.widgets.face import Face, Verb
from horizon.widgets.job import Job
from horizon.widgets.live import FIGURES
from horizon.widgets.palette import Palette
from horizon.widgets.run_monitor.ending import ending_sections, failure_words, stopping_words
from horizon.widgets.run_monitor.line import EquityLine, Rate
from horizon.widgets.run_monitor.parts import (
    STATES,
    account_facts,
    feeds_table,
    markets_table,
    problems,
)
from horizon.widgets.run_monitor.player import player_picture, set_speed, step
from horizon.widgets.sections import Section

__all__ = ["RunMonitor"]


class RunMonitor(Face):
    """Watch a run in the background, steer it, and end it.

    It shows how the run stands, the health of its feeds, its equity as a line, what rests and is
    held in each market, and what has gone wrong, in words. Feeds that are played can be paused,
    stepped and sped up. The run can be stopped, and its kill switch thrown: by a press that is
    held for a second, or in two steps. A run that has ended stays readable, with its result.

    Closing the monitor, or running its cell again, leaves the run alone.

    Parameters
    ----------
    handle : RunHandle or str
        What ``hz.run(..., background=True)`` returns; or the name of a run that is in the
        background now.
    palette : str or Palette

    Raises
    ------
    HorizonError
        If no run of that name is in the background.
    RuntimeError
        Outside of a notebook's event loop.
    TypeError
        If `handle` is neither.

    Examples
    --------
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.02, size=10)
    >>> handle = hz.run(
    ...     feeds=hz.feeds.Synthetic(), pipeline=[quoter], name="quoting", background=True
    ... )
    >>> monitor = hz.widgets.RunMonitor("quoting")
    >>> monitor.handle is handle
    True
    >>> monitor.close()  # the run goes on
    >>> handle.name
    'quoting'
    >>> result = handle.stop()
    """

    script = ("sections.js", "hold.js", "run_monitor.js")
    style = ("sections.css", "run_monitor.css")
    # A kill switch, or a stop, is obeyed however late it comes; what lets orders pass is not.
    risky: ClassVar[frozenset[str]] = frozenset({"reset"})

    def __init__(self, handle: RunHandle | str, *, palette: str | Palette = "blue-orange") -> None:
        self._handle = _handle_of(handle)
        self._line = EquityLine(self._handle)
        self._drawn: dict[str, Any] = {}
        self._drawn_at = -1e9
        self._rate = Rate()
        self._rates: defaultdict[int, Rate] = defaultdict(Rate)
        self._notice = ""
        self._stopping_since: float | None = None
        # Once it is over: the picture that changes no more, and the result's own figures.
        self._last: dict[str, Any] | None = None
        self._job: Job[list[tuple[str, str]]] | None = None
        self._figures: list[tuple[str, str]] = []
        super().__init__(palette=palette)

    @property
    def handle(self) -> RunHandle:
        """The run that is watched."""
        return self._handle

    # ------------------------------------------------------------------ verbs
    def verbs(self) -> dict[str, Verb]:
        """Stop, kill switch, and the buttons of played feeds."""
        return {
            "stop": lambda _: self.stop(),
            "kill": lambda _: self.kill_switch(),
            "reset": lambda _: self._reset(),
            "pause": lambda _: self._handle.pause(),
            "resume": lambda _: self._handle.resume(),
            "step": lambda given: step(self._handle, given),
            "speed": lambda given: set_speed(self._handle, given),
            "tearsheet": lambda _: self._open_tearsheet(),
        }

    def stop(self) -> None:
        """Ask for the run's end; it is shown as it comes."""
        # Nobody waits here: a stage that hangs must not hold up the page.
        with contextlib.suppress(TimeoutError):
            self._handle.stop(timeout=0.0)

    def kill_switch(self) -> None:
        """Stop all trading of the run at once, and say what that has done.

        Raises
        ------
        HorizonError
            If the run has ended.
        """
        if not self._handle.is_running:
            raise HorizonError(
                f"run {words.name(self._handle.name)!r} has ended: nothing trades any more"
            )
        venue = self._handle.engine.venue
        with venue.lock:
            before = len(venue.account.open_orders)
            closing = self._handle.kill_switch()
            known = venue.account.orders
            states: list[OrderState | None] = [known.get(order.id) for order in closing]
        filled = sum(state is None or not state.is_open for state in states)
        waiting = len(states) - filled
        at = words.clock(time.time())
        done = f"{counted(before, 'order')} cancelled, {counted(len(closing), 'position')} closed"
        if waiting:
            done += f" at market, {waiting:,} of them at the next price"
        said = f"Thrown at {at} UTC: {done}."
        self._notice = f"{self._notice} Again at {at} UTC: {done}." if self._notice else said

    def _reset(self) -> None:
        self._handle.engine.reset_kill_switch()
        self._notice = ""

    def _open_tearsheet(self) -> None:
        from horizon.widgets.views import TearsheetView

        result = self._handle.result  # says why there is none
        self.hold("tearsheet", TearsheetView(result, palette=self._palette))
        self._last = None

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The run as it stands; once it is over, as it ended."""
        if self._last is not None:
            return dict(self._last)
        status = self._handle.status()
        picture = self._picture(status)
        if status.is_over:
            self._work_out()
            if self._job is None or not self._job.is_running:
                self._last = picture
        return dict(picture)

    def _picture(self, status: RunStatus) -> dict[str, Any]:
        handle = self._handle
        currency = words.name(handle.engine.venue.currency)
        feeds = handle.health()
        if status.is_over:
            self._rate, self._rates = Rate(), defaultdict(Rate)  # nothing comes any more
        else:
            self._rate.take(status.messages)
            for place, feed in enumerate(feeds):
                self._rates[place].take(feed.rows)
        self._line.read()
        now = time.monotonic()
        if status.is_over or now - self._drawn_at >= FIGURES:
            self._drawn, self._drawn_at = self._line.picture(currency), now
        name = words.name(handle.name)
        return {
            "name": f"Run {name}",
            "title": f"Run {name}",
            "chip": list(STATES[status.state]),
            "mode": "PAPER: NO REAL MONEY",
            "time": "" if status.time is None else f"{words.clock(status.time, date=True)} UTC",
            "tools": self._tools(status),
            "kill": self._kill(status),
            "halted": self._halted(status),
            "lifts": self._lifts(status),
            "player": player_picture(handle, status, feeds),
            "top": [
                *self._ending(status),
                account_facts(status, self._line, self._rate, handle.initial_capital, currency),
            ],
            "line": self._drawn,
            "bottom": [
                feeds_table(feeds, self._rates),
                markets_table(handle, currency),
                *problems(status, handle.problems),
                *self._outlook(status, feeds),
            ],
        }

    # ------------------------------------------------------------------ its buttons
    def _tools(self, status: RunStatus) -> list[dict[str, Any]]:
        if status.is_over:
            if not self._figures:  # they are not there yet, or there is no result
                return []
            name = "Open the tearsheet of the run's result below"
            is_open = "tearsheet" in self.parts
            return [sections.action("tearsheet", "Tearsheet", name, off=is_open)]
        what = "cancels what rests, keeps positions, makes the result"
        off = status.state == "stopping"
        return [
            sections.action("stop", "Stop run", f"Stop the run: {what}", sure="Stop it?", off=off)
        ]

    def _kill(self, status: RunStatus) -> dict[str, Any] | None:
        if status.is_over:
            return None
        again = " again" if status.kill_switch else ""
        return {
            "do": "kill",
            "id": "",
            "label": f"Kill switch{again}",
            "name": f"Throw the kill switch{again}: cancel every order, close every position at "
            "market, refuse what would open",
            "hint": "Hold for 1 s",
            "sure": "Throw it?",
            "off": False,
        }

    def _halted(self, status: RunStatus) -> str:
        if not status.kill_switch:
            return ""
        what = "The kill switch is on: only reducing orders pass."
        if status.is_over:
            what = "The kill switch was on as the run ended."
        return f"{what} {self._notice}".strip()

    def _lifts(self, status: RunStatus) -> list[dict[str, Any]]:
        """The button that switches the kill switch off, beside what is said of it."""
        if not status.kill_switch or status.is_over:
            return []
        name = "Switch the kill switch off: let orders of the run pass again"
        return [sections.action("reset", "Let orders pass", name, sure="Trade again?")]

    # ------------------------------------------------------------------ its end
    def _outlook(self, status: RunStatus, feeds: Sequence[FeedHealth]) -> list[Section]:
        if status.is_over:
            return [sections.figure("tearsheet")] if "tearsheet" in self.parts else []
        is_live = any(feed.is_live for feed in feeds)
        return [failure_words(self._handle.saves_to, is_live=is_live)]

    def _ending(self, status: RunStatus) -> list[Section]:
        if status.state == "stopping":
            now = time.monotonic()
            if self._stopping_since is None:
                self._stopping_since = now
            return [stopping_words(now - self._stopping_since)]
        return ending_sections(self._handle, status, self._figures) if status.is_over else []

    def _work_out(self) -> None:
        """Have the result's figures made, once; they may take a while."""
        if self._job is not None:
            return

        def work(_: Any) -> list[tuple[str, str]]:
            metrics: Metrics = self._handle.result.metrics
            currency = words.name(self._handle.engine.venue.currency)
            return [figure_words(metrics, name, currency) for name in KEY_FIGURES]

        self._job = Job(self._live, self, work, self._worked_out)

    def _worked_out(self, job: Job[list[tuple[str, str]]]) -> None:
        if job.state == "done":
            self._figures = job.result
        # A run that never began to trade has no result, and its error has been said.
        self._last = None
        self._live.paint(self)

    def release(self, reason: str) -> None:
        """End for good; the run goes on."""
        if self._job is not None:
            self._job.cancel()
        super().release(reason)


def _handle_of(handle: object) -> RunHandle:
    if isinstance(handle, RunHandle):
        return handle
    if not isinstance(handle, str):
        raise TypeError(
            "handle must be what hz.run(..., background=True) returns, or the name of a run that "
            f"is in the background, was {checks.show(handle)}"
        )
    known = handles()
    if handle not in known:
        names = ", ".join(map(repr, known)) or "none at all"
        raise HorizonError(
            f"no run named {handle!r} is in the background, but {names}"
            f"{checks.suggestion(handle, known)}"
        )
    return known[handle]
