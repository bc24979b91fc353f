"""How far a search is: a progress bar with the best setting so far, or a function that is told."""

from __future__ import annotations

import html
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from horizon import checks
from horizon.walkforward.tasks import Kind, setting_text

if TYPE_CHECKING:
    from horizon.walkforward.tasks import Outcome, Plan, Task

__all__ = ["Progress", "Searched", "Tell", "Told", "progress_of"]

#: Letters of parameters that a line has room for.
_ROOM: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How far a search is: what ``walk_forward(progress=callable)`` and ``cpcv`` call with.

    Attributes
    ----------
    method : {"walk_forward", "cpcv"}
        Which of the two searches.
    name : str
        Of the search.
    runs, total : int
        Runs done so far, and all. With optuna, and before the tests of `cpcv`, at most so many.
    kind : {"train", "test", "whole"}
        What the last run was: training, test, or over the whole span.
    window : int
        Where it was: the number of its window, and -1 for the whole span; of `cpcv` the place of
        its training in `windows`, or the group that was tested.
    setting : int
        Place of its parameters in `settings`.
    params : dict
        Its parameters.
    objective : float
        What it achieved; NaN where it says nothing.
    why : str
        Why it says nothing; empty where `objective` is a number.
    trades : int
        Its fills.
    run_seconds : float
        How long it took, here or where it was first run.
    is_found : bool
        Whether it was found in the cache.
    seconds : float
        How long the search has taken so far.
    remaining : float or None
        How long the rest will take, by the pace so far and the time that each run covers; None
        before anything can be said.
    best : float or None
        The best objective of any training so far; None before there is one.
    best_params : dict or None
        Its parameters.
    best_window : int or None
        Where that was.
    metric : str
        The name of the objective.
    maximize : bool
        Whether more of it is better.
    windows : tuple
        Of a walk-forward its windows; of `cpcv` the pieces of time that are trained on.
    settings : tuple of dict
        The parameters that are known so far: all of them from the start, but with optuna.

    Examples
    --------
    One window and two settings: each is trained, tested, and run over the whole span.

    >>> ticks = [{"timestamp": i, "price": 0.5 + 0.01 * (i % 4)} for i in range(40)]
    >>> def factory(params):
    ...     return [lambda ctx: hz.quotes(ctx.feed.price, params["spread"], size=1)]
    >>> told = []
    >>> found = hz.walk_forward(
    ...     ticks, factory, {"spread": [0.02, 0.05]}, n_splits=1, progress=told.append
    ... )
    >>> [(one.runs, one.total) for one in told]
    [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]
    >>> sorted({one.kind for one in told})
    ['test', 'train', 'whole']
    """

    method: Literal["walk_forward", "cpcv"]
    name: str
    runs: int
    total: int
    kind: Kind
    window: int
    setting: int
    params: dict[str, Any]
    objective: float
    why: str
    trades: int
    run_seconds: float
    is_found: bool
    seconds: float
    remaining: float | None
    best: float | None
    best_params: dict[str, Any] | None
    best_window: int | None
    metric: str
    maximize: bool
    windows: tuple[Any, ...] = field(repr=False)
    settings: tuple[Mapping[str, Any], ...] = field(repr=False)

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


#: Takes how far a search is.
Tell = Callable[[Searched], object]


class Told(BaseException):
    """Carries what a function that was told has raised past all that catches errors of runs.

    Attributes
    ----------
    error : Exception
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(checks.error_text(error))
        self.error = error


def progress_of(progress: object) -> tuple[bool, Tell | None]:
    """Read ``progress=``: whether a bar is shown, and who is told instead."""
    if callable(progress):
        return False, progress
    try:
        return checks.flag("progress", progress), None
    except TypeError:
        raise TypeError(
            "progress must be True or False, or a function that takes a Searched, was "
            f"{checks.show(progress)} ({type(progress).__name__})"
        ) from None


class Progress:
    """Counts runs, and shows the best training so far; in a terminal or in a notebook.

    Parameters
    ----------
    total : int
        How many runs there are.
    plan : Plan
        Whose objective is looked at.
    is_shown : bool
        Without it nothing is drawn and nothing imported; `best` is kept all the same.
    tell : callable, optional
        Takes a `Searched` after each run, in this thread. What it raises is raised here as
        `Told`, but for what is no `Exception`, such as KeyboardInterrupt.
    method : {"walk_forward", "cpcv"}
    windows : sequence
        What `Searched.windows` holds.
    span_ns : int
        The time that all runs cover together, by which the rest is estimated; 0 where nobody
        knows, and runs are counted.
    workers : int
        How many runs are done at a time, as far as is known.
    began : float, optional
        When the search began, by ``time.perf_counter``.

    Attributes
    ----------
    best : Outcome or None
        The training with the best objective of any window; of equal ones that of the smallest
        number.
    settings : sequence of dict
        What an outcome's setting counts: the plan's, until it is set otherwise.
    """

    def __init__(
        self,
        total: int,
        plan: Plan,
        *,
        is_shown: bool = True,
        tell: Tell | None = None,
        method: Literal["walk_forward", "cpcv"] = "walk_forward",
        windows: Sequence[Any] = (),
        span_ns: int = 0,
        workers: int = 1,
        began: float | None = None,
    ) -> None:
        self.best: Outcome | None = None
        self.settings: Sequence[Mapping[str, Any]] = plan.settings
        self._plan = plan
        self._tell = tell
        self._method = method
        self._windows = tuple(windows)
        self._total, self._runs = total, 0
        now = time.perf_counter()
        self._began = now if began is None else began
        self._pace = _Pace(now, span_ns or total, by_time=span_ns > 0, workers=workers)
        self._bar: Any = None
        if is_shown:
            from tqdm.auto import tqdm  # a widget in a notebook, a line elsewhere

            self._bar = tqdm(total=total, desc=plan.name, unit=" runs")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, outcome: Outcome) -> None:
        """Count one more run."""
        self._count(outcome, is_found=False)

    def found(self, outcome: Outcome) -> None:
        """Count one more run, which the cache has had."""
        self._count(outcome, is_found=True)

    def begin_with(self, outcome: Outcome) -> None:
        """Count the run that was done alone, before this was made."""
        self._pace.begin_with(outcome)
        self._count(outcome, is_found=False)

    def expect(self, rest: Iterable[Task]) -> None:
        """Take it that these runs are all that is left."""
        left = list(rest)
        self._total = self._runs + len(left)
        self._pace.expect(left)
        if self._bar is not None and self._bar.total != self._total:
            self._bar.total = self._total
            self._bar.refresh()

    def _count(self, outcome: Outcome, *, is_found: bool) -> None:
        is_better = self._is_better(outcome)
        if is_better:
            self.best = outcome
        self._runs += 1
        self._total = max(self._total, self._runs)
        self._pace.take(outcome, is_found=is_found)
        if self._bar is not None:
            if is_better:
                self._bar.set_postfix_str(self.text, refresh=False)
            self._bar.update()
        if self._tell is not None:
            try:
                self._tell(self._searched(outcome, is_found))
            except Exception as error:
                raise Told(error) from error

    def _searched(self, outcome: Outcome, is_found: bool) -> Searched:
        task, best, now = outcome.task, self.best, time.perf_counter()
        settings = self.settings
        if not isinstance(settings, tuple):
            settings = tuple(settings)
        return Searched(
            method=self._method,
            name=self._plan.name,
            runs=self._runs,
            total=self._total,
            kind=task.kind,
            window=task.window,
            setting=task.setting,
            params=dict(settings[task.setting]),
            objective=outcome.objective,
            why=outcome.why,
            trades=outcome.trades,
            run_seconds=outcome.seconds,
            is_found=is_found,
            seconds=now - self._began,
            remaining=self._pace.remaining(now),
            best=None if best is None else best.objective,
            best_params=None if best is None else dict(settings[best.task.setting]),
            best_window=None if best is None else best.task.window,
            metric=self._metric,
            maximize=self._plan.maximize,
            windows=self._windows,
            settings=settings,
        )

    @property
    def _metric(self) -> str:
        wanted = self._plan.objective
        return wanted if isinstance(wanted, str) else getattr(wanted, "__name__", "objective")

    @property
    def text(self) -> str:
        """The best so far in words; empty before there is one."""
        if self.best is None:
            return ""
        text = f"best {self._metric} {self.best.objective:.4g}"
        number = self.best.task.setting
        if number < len(self.settings):
            told = setting_text(self.settings[number])
            text += f" ({told if len(told) <= _ROOM else told[: _ROOM - 1] + '…'})"
        return text

    def _is_better(self, outcome: Outcome) -> bool:
        if outcome.task.kind != "train" or math.isnan(outcome.objective):
            return False
        if self.best is None:
            return True
        sign = 1.0 if self._plan.maximize else -1.0
        mine, best = sign * outcome.objective, sign * self.best.objective
        return mine > best or (mine == best and outcome.task.number < self.best.task.number)


class _Pace:
    """How long the rest will take.

    Runs differ in length: a training of the last window covers many times the first test. So it
    is the time that runs cover which is counted, and not the runs. What the cache has had says
    nothing of the pace.
    """

    def __init__(self, began: float, total: int, *, by_time: bool, workers: int) -> None:
        self._began = began
        self._left = total
        self._by_time = by_time
        self._workers = workers
        self._fresh = 0
        #: Seconds of one unit, by the first run alone.
        self._first: float | None = None
        self._skips = False

    def _size(self, task: Task) -> int:
        return max(1, task.end_ns - task.rows_from_ns) if self._by_time else 1

    def begin_with(self, outcome: Outcome) -> None:
        """Take the first run, which was over before the clock began."""
        self._first = outcome.seconds / self._size(outcome.task)
        self._skips = True

    def take(self, outcome: Outcome, *, is_found: bool) -> None:
        """Count a run."""
        size = self._size(outcome.task)
        self._left = max(0, self._left - size)
        if not is_found and not self._skips:
            self._fresh += size
        self._skips = False

    def expect(self, rest: Iterable[Task]) -> None:
        """Take it that these runs are all that is left."""
        self._left = sum(map(self._size, rest))

    def remaining(self, now: float) -> float | None:
        """Seconds that the rest will take; None before the first run."""
        if self._left == 0:
            return 0.0
        if self._fresh:
            return self._left * (now - self._began) / self._fresh
        return None if self._first is None else self._left * self._first / self._workers
