"""The runs of a walk-forward: trained, chosen, tested, and what came of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from horizon.walkforward.asked import Asked, Trials, check_size, watched, workers_of
from horizon.walkforward.choose import best_of
from horizon.walkforward.execute import Crew, Interrupted, execute
from horizon.walkforward.progress import Progress, Tell, Told
from horizon.walkforward.result import WalkForwardResult
from horizon.walkforward.tasks import Kind, Outcome, Plan, Task
from horizon.walkforward.whole import Whole
from horizon.walkforward.windows import Window

__all__ = ["Walk"]


class Walk:
    """The runs of a walk-forward, and what came of them.

    Parameters
    ----------
    plan : Plan
    whole : Whole
    windows : tuple of Window
    asked : Asked
    how : dict
        ``n_jobs``, ``backend`` and ``executor`` of `Crew`.
    cache : path or None
    """

    def __init__(
        self,
        plan: Plan,
        whole: Whole,
        windows: tuple[Window, ...],
        asked: Asked,
        how: dict[str, Any],
        cache: str | os.PathLike[str] | None,
    ) -> None:
        self.plan = plan
        self._whole = whole
        self._windows = windows
        self._asked = asked
        self._workers = workers_of(how["n_jobs"], how["executor"])
        self._store: Any = None
        if cache is not None:
            from horizon.walkforward.store import Store

            self._store = Store(cache, plan)
        self._crew = Crew(plan, store=self._store, **how)
        self._settings: tuple[dict[str, Any], ...] = plan.settings
        self._outcomes: dict[tuple[Kind, int, int], Outcome] = {}
        self._next = 0

    # ------------------------------------------------------------------ tasks
    def task(self, kind: Kind, window: int, setting: int, *, is_chosen: bool = False) -> Task:
        """Make the next task."""
        asked = self._asked
        first, end = self._whole.first_ns, self._whole.last_ns + 1
        start = orders = first
        warmup = 0
        if kind != "whole":
            own, warmup = self._windows[window], asked.warmup_ns
            if kind == "train":
                start = orders = own.train_start_ns
                end = own.train_end_ns
            else:
                start, end = own.test_start_ns, own.test_until_ns
                orders = start + asked.embargo_ns
        number, self._next = self._next, self._next + 1
        return Task(
            number=number,
            kind=kind,
            window=window,
            setting=setting,
            start_ns=start,
            end_ns=end,
            orders_from_ns=orders,
            rows_from_ns=max(first, start - warmup),
            keeps_record=is_chosen,
            keeps_returns=kind == "whole",
        )

    def first(self) -> Outcome:
        """Run the first training here, by which the rest is estimated."""
        task = self.task("train", 0, 0)
        outcome, self.plan = watched(
            self.plan, lambda: execute(self.plan, [task], n_jobs=1, store=self._store)[0]
        )
        self._keep(outcome)
        return outcome

    # ------------------------------------------------------------------ all of it
    def run(
        self,
        trials: Trials,
        runs: int,
        *,
        is_shown: bool,
        tell: Tell | None = None,
        began: float | None = None,
    ) -> bool:
        """Run everything; return whether it was not interrupted.

        Raises
        ------
        Exception
            What a run raises, or `tell`.
        """
        with Progress(
            runs,
            self.plan,
            is_shown=is_shown,
            tell=tell,
            windows=self._windows,
            span_ns=self._span_ns(trials.count()),
            workers=self._workers,
            began=began,
        ) as bar:
            try:
                return self._run_all(bar, trials)
            except Told as told:
                error = told.error
        raise error

    def _run_all(self, bar: Progress, trials: Trials) -> bool:
        try:
            for outcome in self._outcomes.values():
                bar.begin_with(outcome)
            with self._crew as crew:
                self._train(crew, bar, trials)
                self._test(crew, bar)
        except KeyboardInterrupt as interrupt:
            for outcome in interrupt.done if isinstance(interrupt, Interrupted) else ():
                self._keep(outcome)
        else:
            return True
        self._test_what_is_trained(bar)
        return False

    def _span_ns(self, count: int) -> int:
        """The time that all runs cover together, each of so many settings everywhere."""
        first, last = self._whole.first_ns, self._whole.last_ns
        span = (last - first) * self._asked.overfitting
        for window in self._windows:
            span += window.train_end_ns - window.train_start_ns
            span += window.test_until_ns - window.test_start_ns
        return count * span

    def _train(self, crew: Any, bar: Progress, trials: Trials) -> None:
        if trials.search != "optuna":
            count = len(self._settings)
            every = ((w, s) for w in range(len(self._windows)) for s in range(count))
            self._send(crew, bar, [("train", w, s, False) for w, s in every])
            return
        from horizon.walkforward.search import optuna_settings

        def evaluate(
            pairs: Sequence[tuple[int, int]], settings: tuple[dict[str, Any], ...]
        ) -> list[float]:
            self._settings = tuple(settings)
            self._send(crew, bar, [("train", w, s, False) for w, s in pairs])
            if len(self._outcomes) == len(pairs):
                seconds = max(outcome.seconds for outcome in self._outcomes.values())
                check_size(
                    trials.runs(self._asked),
                    seconds,
                    self._asked.max_hours,
                    workers=self._workers,
                )
            return [self._outcomes["train", w, s].objective for w, s in pairs]

        self._settings = optuna_settings(
            trials.grid,
            n_trials=trials.n_trials or 0,
            seed=trials.seed,
            n_windows=len(self._windows),
            maximize=self.plan.maximize,
            evaluate=evaluate,
        )

    def _test(self, crew: Any, bar: Progress) -> None:
        """Test what was chosen, then the others, then run all over the whole span."""
        chosen = self.chosen()
        wanted: list[tuple[Kind, int, int, bool]] = [
            ("test", w, s, True) for w, s in chosen.items()
        ]
        for window, best in chosen.items():
            tried = [s for kind, w, s in self._outcomes if kind == "train" and w == window]
            wanted += [("test", window, s, False) for s in sorted(tried) if s != best]
        if self._asked.overfitting:
            wanted += [("whole", -1, s, False) for s in range(len(self._settings))]
        self._send(crew, bar, wanted, is_last=True)

    def _send(
        self,
        crew: Any,
        bar: Progress,
        wanted: Iterable[tuple[Kind, int, int, bool]],
        *,
        is_last: bool = False,
    ) -> None:
        tasks = [
            self.task(kind, window, setting, is_chosen=is_chosen)
            for kind, window, setting, is_chosen in wanted
            if (kind, window, setting) not in self._outcomes
        ]
        bar.settings = self._settings  # optuna knows none beforehand
        if is_last:
            bar.expect(tasks)
        done = crew.run(tasks, settings=self._settings, on_done=bar, on_found=bar.found)
        for outcome in done:
            self._keep(outcome)

    def _test_what_is_trained(self, bar: Progress) -> None:
        """After an interrupt: test the choices of the windows whose training is done.

        That is one short run for each; another interrupt ends it.
        """
        plan = replace(self.plan, settings=self._settings)
        try:
            for window, best in self.chosen().items():
                if ("test", window, best) not in self._outcomes:
                    task = self.task("test", window, best, is_chosen=True)
                    (outcome,) = execute(plan, [task], n_jobs=1, store=self._store)
                    self._keep(outcome)
                    bar(outcome)
        except KeyboardInterrupt:
            return

    def _keep(self, outcome: Outcome) -> None:
        task = outcome.task
        self._outcomes[task.kind, task.window, task.setting] = outcome

    def chosen(self) -> dict[int, int]:
        """The best setting of each window whose training is done."""
        found = {}
        for window in self._windows:
            own = {
                s: outcome.objective
                for (kind, w, s), outcome in self._outcomes.items()
                if kind == "train" and w == window.number
            }
            if self._is_trained(own):
                found[window.number] = best_of(own, maximize=self.plan.maximize)
        return found

    def _is_trained(self, own: Mapping[int, float]) -> bool:
        expected = len(self.plan.settings)  # none are known beforehand to optuna
        return bool(own) and len(own) >= expected

    def result(self, is_complete: bool, runs: int, seconds: float) -> WalkForwardResult:
        """Put the result together.

        Raises
        ------
        KeyboardInterrupt
            If an interrupt has left not one window.
        """
        chosen = {
            window: best
            for window, best in self.chosen().items()
            if ("test", window, best) in self._outcomes
        }
        if not chosen:
            raise KeyboardInterrupt("interrupted before the first window was done")
        return WalkForwardResult(
            plan=replace(self.plan, settings=self._settings),
            windows=[self._windows[number] for number in chosen],
            best_settings=list(chosen.values()),
            outcomes=sorted(self._outcomes.values(), key=lambda one: one.task.number),
            is_complete=is_complete,
            n_planned=len(self._outcomes) if is_complete else runs,
            seconds=seconds,
        )
