"""The runs of a combinatorial purged cross-validation: trained, chosen, tested."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from typing import Any

from horizon.walkforward.asked import watched
from horizon.walkforward.choose import best_of
from horizon.walkforward.cpcv_result import CpcvPath, CpcvResult, CpcvSplit
from horizon.walkforward.execute import Crew, Interrupted, execute
from horizon.walkforward.groups import Piece, path_table
from horizon.walkforward.progress import Progress, Tell, Told
from horizon.walkforward.result import objective_name
from horizon.walkforward.tasks import Kind, Outcome, Plan, Task

__all__ = ["Search"]


class Search:
    """The runs of a cross-validation, and what came of them.

    Parameters
    ----------
    plan : Plan
    edges : tuple of int
        Of the groups.
    tests : list of tuple of int
        By split, the groups that are tested.
    pieces : list of tuple of Piece
        By split, what is trained on.
    warmup_ns : int
        Before each test.
    how : dict
        ``n_jobs``, ``backend`` and ``executor`` of `Crew`.
    cache : path or None
    """

    def __init__(
        self,
        plan: Plan,
        edges: tuple[int, ...],
        tests: list[tuple[int, ...]],
        pieces: list[tuple[Piece, ...]],
        warmup_ns: int,
        how: dict[str, Any],
        cache: str | os.PathLike[str] | None,
    ) -> None:
        self.plan = plan
        self._edges = edges
        self._tests = tests
        self._pieces = pieces
        #: Pieces are shared by splits, and run once.
        self._distinct = sorted(
            {piece for own in pieces for piece in own}, key=lambda one: (one.start_ns, one.end_ns)
        )
        self._place = {piece: i for i, piece in enumerate(self._distinct)}
        self._warmup_ns = warmup_ns
        self._store: Any = None
        if cache is not None:
            from horizon.walkforward.store import Store

            self._store = Store(cache, plan)
        self._crew = Crew(plan, store=self._store, **how)
        self._outcomes: dict[tuple[Kind, int, int], Outcome] = {}
        self._next = 0

    # ------------------------------------------------------------------ runs
    def first(self) -> Outcome:
        """Run the first training here, by which the rest is estimated."""
        task = self._training(0, 0)
        outcome, self.plan = watched(
            self.plan, lambda: execute(self.plan, [task], n_jobs=1, store=self._store)[0]
        )
        self._keep(outcome)
        return outcome

    def run(
        self,
        runs: int,
        *,
        is_shown: bool,
        tell: Tell | None = None,
        began: float | None = None,
        workers: int = 1,
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
            method="cpcv",
            windows=self._distinct,
            span_ns=self._span_ns(runs),
            workers=workers,
            began=began,
        ) as bar:
            try:
                return self._run_all(bar)
            except Told as told:
                error = told.error
        raise error

    def _run_all(self, bar: Progress) -> bool:
        count = len(self.plan.settings)
        every = itertools.product(range(len(self._distinct)), range(count))
        try:
            for outcome in self._outcomes.values():
                bar.begin_with(outcome)
            with self._crew as crew:
                self._send(crew, bar, [self._training(p, s) for p, s in every])
                tests = [self._test(g, s) for g, s in self._wanted()]
                bar.expect(tests)
                self._send(crew, bar, tests)
        except KeyboardInterrupt as interrupt:
            for outcome in interrupt.done if isinstance(interrupt, Interrupted) else ():
                self._keep(outcome)
            return False
        return True

    def _span_ns(self, runs: int) -> int:
        """The time that all runs cover together; of so many runs, those of training aside."""
        trainings = len(self.plan.settings) * len(self._distinct)
        trained = len(self.plan.settings) * sum(p.end_ns - p.start_ns for p in self._distinct)
        group = (self._edges[-1] - self._edges[0]) // (len(self._edges) - 1)
        return trained + (runs - trainings) * group

    def _wanted(self) -> list[tuple[int, int]]:
        """Each group with each setting that it is tested with, once."""
        chosen = self._chosen()
        wanted = {(g, chosen[i]) for i, groups in enumerate(self._tests) for g in groups}
        return sorted(wanted)

    def _send(self, crew: Crew, bar: Progress, tasks: Sequence[Task]) -> None:
        new = [t for t in tasks if (t.kind, t.window, t.setting) not in self._outcomes]
        for outcome in crew.run(new, on_done=bar, on_found=bar.found):
            self._keep(outcome)

    def _keep(self, outcome: Outcome) -> None:
        task = outcome.task
        self._outcomes[task.kind, task.window, task.setting] = outcome

    def _training(self, place: int, setting: int) -> Task:
        piece = self._distinct[place]
        return self._task("train", place, setting, piece.start_ns, piece.end_ns, piece.start_ns)

    def _test(self, group: int, setting: int) -> Task:
        start, end = self._edges[group], self._edges[group + 1]
        end += group == len(self._edges) - 2
        rows_from = max(self._edges[0], start - self._warmup_ns)
        return self._task("test", group, setting, start, end, rows_from)

    def _task(
        self, kind: Kind, window: int, setting: int, start_ns: int, end_ns: int, rows_from_ns: int
    ) -> Task:
        number, self._next = self._next, self._next + 1
        orders = start_ns if kind == "test" else self._distinct[window].orders_from_ns
        return Task(
            number=number,
            kind=kind,
            window=window,
            setting=setting,
            start_ns=start_ns,
            end_ns=end_ns,
            orders_from_ns=orders,
            rows_from_ns=rows_from_ns,
            keeps_record=kind == "test",
        )

    # ------------------------------------------------------------------ what came of them
    def _objective(self, split: int, setting: int) -> float:
        """The objective of a setting over the pieces of a split's training."""
        found = [
            (piece, self._outcomes["train", self._place[piece], setting])
            for piece in self._pieces[split]
        ]
        if not any(outcome.trades for _, outcome in found):
            return math.nan
        wrong = -math.inf if self.plan.maximize else math.inf
        said = []
        for piece, outcome in found:
            value = outcome.objective
            if not outcome.trades:
                # What a metric is without trades; a function is not asked, and gets 0.
                named = isinstance(self.plan.objective, str)
                value = outcome.metrics[str(self.plan.objective)] if named else 0.0
            if not math.isnan(value) and value != wrong:
                said.append((value, piece.length_ns))
        if any(math.isinf(value) for value, _ in said):
            return -wrong
        weight = sum(length for _, length in said)
        return math.fsum(value * length for value, length in said) / weight if said else math.nan

    def _objectives(self, split: int) -> list[float]:
        return [self._objective(split, setting) for setting in range(len(self.plan.settings))]

    def _chosen(self) -> list[int]:
        return [
            best_of(dict(enumerate(self._objectives(split))), maximize=self.plan.maximize)
            for split in range(len(self._tests))
        ]

    def result(self, is_complete: bool, seconds: float) -> CpcvResult:
        """Put the result together.

        Raises
        ------
        KeyboardInterrupt
            If an interrupt has left not one path.
        """
        wanted = len(self._distinct) * len(self.plan.settings)
        trained = sum(kind == "train" for kind, _, _ in self._outcomes)
        if trained < wanted:
            raise KeyboardInterrupt("interrupted before the first path was done")
        objectives = [self._objectives(split) for split in range(len(self._tests))]
        chosen = self._chosen()
        table = path_table(self._tests, len(self._edges) - 1)
        paths = []
        for number in range(int(table.max()) + 1):
            own = [int((row == number).argmax()) for row in table]
            runs = [
                self._outcomes.get(("test", group, chosen[split]))
                for group, split in enumerate(own)
            ]
            done = [run for run in runs if run is not None]
            if len(done) == len(own):
                paths.append((number, tuple(own), done))
        if not paths:
            raise KeyboardInterrupt("interrupted before the first path was done")
        splits = [
            CpcvSplit(
                number=i,
                test_groups=groups,
                best_setting=chosen[i],
                train_objective=objectives[i][chosen[i]],
                pieces=self._pieces[i],
            )
            for i, groups in enumerate(self._tests)
        ]
        return CpcvResult(
            plan=self.plan,
            objective=objective_name(self.plan.objective),
            edges_ns=self._edges,
            splits=splits,
            train_objectives=objectives,
            assignment=table,
            paths=[
                CpcvPath(number, own, tuple(chosen[s] for s in own), done, self.plan)
                for number, own, done in paths
            ],
            is_complete=is_complete,
            n_runs=len(self._outcomes),
            seconds=seconds,
        )
