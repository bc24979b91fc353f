"""What a walk-forward was asked for: its numbers, its settings, whether it can be meant."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from horizon import checks, words
from horizon.feeds.times import stamp_text
from horizon.walkforward.settings import check_grid, count_of, settings_of
from horizon.walkforward.tasks import Outcome, Plan, make_pipeline
from horizon.walkforward.whole import Whole
from horizon.walkforward.windows import Window

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = [
    "MOST_RUNS",
    "Asked",
    "Trials",
    "check_rows",
    "check_size",
    "seconds_ns",
    "share",
    "try_factory",
    "watched",
    "workers_of",
]

#: More runs than these are not begun unless somebody says so.
MOST_RUNS: Final = 100_000
#: Seconds spent on trying the factory with every setting before anything is run.
_TRIAL_SECONDS: Final = 1.0
_SEARCHES: Final = ("grid", "random", "optuna")


def check_size(runs: int, seconds: float, max_hours: float | None, *, workers: int = 1) -> None:
    """Refuse a search that is too large to be meant.

    Parameters
    ----------
    runs : int
        How many there would be.
    seconds : float
        How long the first one took.
    max_hours : float or None
        How long all may take; None for any time and number.
    workers : int
        How many run at a time.

    Raises
    ------
    ValueError
    """
    if max_hours is None:
        return
    needed = runs * seconds / workers
    if runs <= MOST_RUNS and needed <= max_hours * 3600.0:
        return
    limit = (
        f"over max_hours={max_hours:g}"
        if needed > max_hours * 3600.0
        else f"more than {MOST_RUNS:,} runs"
    )
    raise ValueError(
        f"the search would be {runs:,} runs, and the first took {words.duration(seconds)}: "
        f"{words.duration(needed)} on {workers:,} worker{'s' * (workers != 1)}, {limit}. Give "
        "fewer values or splits, or search='random' with n_trials=; or say max_hours=None to run "
        "it all the same"
    )


# ------------------------------------------------------------------------ what was asked for
@dataclass(frozen=True, slots=True)
class Asked:
    """The numbers of a walk, checked."""

    n_splits: int
    train_ratio: float
    expanding: bool
    purge_ns: int
    embargo_ns: int
    warmup_ns: int
    overfitting: bool
    max_hours: float | None


@dataclass(frozen=True, slots=True)
class Trials:
    """Which settings are tried."""

    search: str
    grid: dict[str, Any]
    n_trials: int | None
    seed: int
    drawn: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, search: object, param_grid: object, n_trials: object, seed: object) -> Trials:
        kind = checks.one_of("search", search, _SEARCHES)
        own_seed = checks.integer("search_seed", seed, least=0)
        if kind == "grid":
            if n_trials is not None:
                raise ValueError(
                    f"n_trials belongs to search='random' or 'optuna', was {checks.show(n_trials)} "
                    "with 'grid'"
                )
            return cls(kind, check_grid(param_grid), None, own_seed)
        if n_trials is None:
            raise ValueError(f"search={kind!r} needs n_trials=, how many settings to try")
        count = checks.integer("n_trials", n_trials)
        if not isinstance(param_grid, Mapping):
            check_grid(param_grid)
        assert isinstance(param_grid, Mapping)
        drawn: tuple[dict[str, Any], ...] = ()
        if kind == "random":
            from horizon.walkforward.search import draw_settings

            drawn = draw_settings(param_grid, count, own_seed)
        return cls(kind, dict(param_grid), count, own_seed, drawn)

    def count(self) -> int:
        """Settings of a window."""
        if self.search == "grid":
            return count_of(self.grid)
        return len(self.drawn) if self.search == "random" else self.n_trials or 0

    def runs(self, asked: Asked) -> int:
        """How many runs there are; with optuna at most so many."""
        each = self.count()
        if self.search == "optuna":
            return each * asked.n_splits * (3 if asked.overfitting else 2)
        return each * (2 * asked.n_splits + asked.overfitting)

    def first(self) -> list[dict[str, Any]]:
        """The first setting alone."""
        return list(islice(self._all(), 1))

    def known(self) -> list[dict[str, Any]]:
        """The settings that are known before anything has run."""
        return list(self._all())

    def _all(self) -> Iterator[dict[str, Any]]:
        return settings_of(self.grid) if self.search == "grid" else iter(self.drawn)


def share(name: str, value: object) -> float:
    """Take a fraction above 0 and below 1."""
    fraction = checks.number(name, value)
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, was {fraction!r}")
    return fraction


def seconds_ns(name: str, value: object) -> int:
    """Take a length of time in seconds, 0 or more, as nanoseconds."""
    seconds = checks.non_negative(name, value)
    if seconds > 9.2e9:
        raise ValueError(f"{name} must be at most 9.2e9 seconds, was {seconds!r}")
    return checks.seconds_to_ns(seconds)


def workers_of(n_jobs: int, executor: Executor | None) -> int:
    """Guess how many runs are done at a time; 1 where nobody says."""
    if executor is not None:
        return max(1, int(getattr(executor, "_max_workers", 1)))
    if n_jobs > 0:
        return n_jobs
    return max(1, (os.cpu_count() or 1) + 1 + n_jobs)


def try_factory(plan: Plan) -> None:
    """Make every setting's pipeline once, so that what fails does so before hours of runs.

    A factory that takes its time is not tried with all.
    """
    began = time.perf_counter()
    for setting in plan.settings:
        make_pipeline(plan.factory, setting)
        if time.perf_counter() - began > _TRIAL_SECONDS:
            return


def watched(plan: Plan, run: Callable[[], Outcome]) -> tuple[Outcome, Plan]:
    """Do the first run, and see whether it has left something behind in the factory.

    Returns
    -------
    Outcome
    Plan
        With the doubt, where there is one. What has no fingerprint is not doubted.
    """
    before = _fingerprint(plan)
    outcome = run()
    if before is None or before == _fingerprint(plan):
        return outcome, plan
    doubt = (
        "The factory, or what it uses, was changed by a run: what one run leaves behind the next "
        "one finds, so that results depend on their order and on the workers. Make in the factory "
        "what a run may change."
    )
    return outcome, replace(plan, doubts=(*plan.doubts, doubt))


def _fingerprint(plan: Plan) -> str | None:
    from horizon.walkforward.keys import fingerprint

    try:
        return fingerprint(plan.factory, plan.objective)
    except TypeError:  # it holds what cannot be told apart, such as a lock
        return None


def check_rows(whole: Whole, windows: Sequence[Window], asked: Asked) -> dict[int, int]:
    """Refuse windows without rows; return the last row's time before each window's end.

    Raises
    ------
    ValueError
    """
    if whole.survey.rows <= len(windows):
        raise ValueError(
            f"n_splits={len(windows):,} needs more rows than windows: the data has "
            f"{whole.survey.rows:,}"
        )
    edges = [whole.last_ns + 1]
    for window in windows:
        if window.test_start_ns + asked.embargo_ns >= window.test_until_ns:
            raise ValueError(
                f"embargo must be shorter than a test window, which has "
                f"{(window.test_end_ns - window.test_start_ns) / 1e9:g} seconds; was "
                f"{asked.embargo_ns / 1e9:g}"
            )
        edges += [window.train_start_ns, window.train_end_ns, window.test_start_ns]
        edges += [window.test_start_ns + asked.embargo_ns, window.test_until_ns]
    stretches = whole.stretches(edges)

    def rows(start_ns: int, end_ns: int) -> int:
        return sum(s.rows for s in stretches if start_ns <= s.start_ns and s.end_ns <= end_ns)

    for window in windows:
        start = window.test_start_ns + asked.embargo_ns
        for name, begin, end, more in (
            ("training window", window.train_start_ns, window.train_end_ns, ""),
            ("test window", window.test_start_ns, window.test_until_ns, ""),
            ("test window", start, window.test_until_ns, " after its embargo"),
        ):
            if not rows(begin, end):
                raise ValueError(
                    f"{name} {window.number} has no rows{more}: the data has none from "
                    f"{stamp_text(begin)} to {stamp_text(end)}. Windows are cut by time; give "
                    f"fewer than n_splits={len(windows)}, or another train_ratio or purge_gap"
                )
    last_rows: dict[int, int] = {}
    latest: int | None = None
    for stretch in stretches:
        latest = latest if stretch.last_ns is None else stretch.last_ns
        if latest is not None:
            last_rows[stretch.end_ns] = latest
    return last_rows
