"""`cpcv`: combinatorial purged cross-validation, many out-of-sample paths from one history."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from horizon import checks
from horizon.feeds.times import stamp_text
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.walkforward.asked import (
    MOST_RUNS,
    Trials,
    check_size,
    seconds_ns,
    try_factory,
    workers_of,
)
from horizon.walkforward.backends import check_executor, jobs_from
from horizon.walkforward.cpcv_result import CpcvPath, CpcvResult, CpcvSplit
from horizon.walkforward.cpcv_runs import Search
from horizon.walkforward.groups import Piece, cut_groups, splits_of, training_pieces
from horizon.walkforward.progress import Searched, progress_of
from horizon.walkforward.whole import (
    Whole,
    check_arguments,
    check_objective,
    plan_of,
    whole_of,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from horizon.backtesting.result import BacktestResult

__all__ = ["CpcvPath", "CpcvResult", "CpcvSplit", "cpcv"]

_SEARCHES: Final = ("grid", "random")


def cpcv(
    data: Any = None,
    pipeline_factory: Callable[[dict[str, Any]], Iterable[Callable[..., Any]]] | None = None,
    param_grid: Mapping[str, Any] | None = None,
    n_groups: int = 6,
    n_test_groups: int = 2,
    purge_gap: float = 0.0,
    embargo: float = 0.0,
    objective: str | Callable[[BacktestResult], float] = "sharpe_ratio",
    markets: Iterable[str | Market] | None = None,
    risk: RiskConfig | None = None,
    initial_capital: float = 1000.0,
    *,
    maximize: bool | None = None,
    warmup: float = 0.0,
    search: str = "grid",
    n_trials: int | None = None,
    search_seed: int = 0,
    n_jobs: int = 1,
    backend: str = "loky",
    executor: Executor | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: bool | Callable[[Searched], object] = False,
    span: Any = None,
    max_hours: float | None = 24.0,
    **backtest_arguments: Any,
) -> CpcvResult:
    """Choose parameters on most of the data and test them on the rest, in every combination.

    The data's time is cut into `n_groups` equal groups. For each way to take `n_test_groups` of
    them as a test, every setting is run on what is left, and the best one on the test. Each group
    is tested several times, by choices that were made without it; its first tests make the first
    path through the whole data, its second the second, and so on: C(N, k) · k / N paths (López de
    Prado 2018, chapter 12). A walk-forward is one path; here the spread between several shows how
    much of a result is owed to the one history that happened.

    Parameters
    ----------
    data, pipeline_factory, param_grid
        As `walk_forward` takes them.
    n_groups, n_test_groups : int
        N and k. 6 and 2 are 15 splits and 5 paths.
    purge_gap : float
        Seconds before each test that are left out of training.
    embargo : float
        Seconds after each test that are left out of training.
    objective, markets, risk, initial_capital, maximize
        As `walk_forward` takes them.
    warmup : float
        Seconds in which the pipeline runs and sends nothing: before a test these are rows before
        it; behind a test, the first rows of the training that goes on there.
    search : {"grid", "random"}
        Every combination, or `n_trials` of them drawn at random.
    n_trials, search_seed : int
        For the second.
    n_jobs, backend, executor, cache, progress, span, max_hours, **backtest_arguments
        As `walk_forward` takes them.

    Returns
    -------
    CpcvResult
        If the call is interrupted, with the paths that are done; `is_complete` is then False.

    Raises
    ------
    DataError
        At a row that cannot be true.
    PipelineError
        If a stage raises; it says where, and with which parameters.
    TypeError, ValueError
        For an argument that is not as above; for groups without rows; if the factory raises or
        returns no pipeline, with its parameters.

    Notes
    -----
    Where tests cut the training in pieces, each piece is run on its own, from flat, and the
    setting's objective is the mean over its pieces, weighted by their time. A piece without trades
    counts with what its metric is without trades, as long as there are trades in another one; one
    whose objective is no number is left out. A setting without trades anywhere, or without a
    number, ranks last; of equal ones the first in grid order is taken. Where none says anything
    the first of all is taken, and the split is flagged.

    Unlike a walk-forward this trains on data from after the test too: it asks how much the
    choice depends on the history at hand, not what would have been earned.

    Examples
    --------
    Two of four groups can be chosen in six ways; each group is then tested three times.

    >>> ticks = [{"timestamp": i, "price": 0.5 + 0.01 * (i % 4)} for i in range(80)]
    >>> def factory(params):
    ...     return [lambda ctx: hz.quotes(ctx.feed.price, params["spread"], size=1)]
    >>> found = hz.cpcv(ticks, factory, {"spread": [0.02, 0.05]}, n_groups=4, n_test_groups=2)
    >>> len(found.splits), len(found.paths)
    (6, 3)
    """
    began = time.perf_counter()
    check_arguments(backtest_arguments, cpcv)
    tests = splits_of(n_groups, n_test_groups)
    gaps = {
        "purge_ns": seconds_ns("purge_gap", purge_gap),
        "embargo_ns": seconds_ns("embargo", embargo),
        "warmup_ns": seconds_ns("warmup", warmup),
    }
    check_objective(objective)
    is_shown, tell = progress_of(progress)
    checks.one_of("search", search, _SEARCHES)
    hours = None if max_hours is None else checks.positive("max_hours", max_hours)
    trials = Trials.of(search, param_grid, n_trials, search_seed)
    jobs_from(n_jobs)
    check_executor(executor, n_jobs, backend)
    if not callable(pipeline_factory):
        raise TypeError(
            "pipeline_factory must be a function that takes a dict of parameters and returns a "
            f"pipeline, was {checks.show(pipeline_factory)}"
        )
    named = {"name": "cpcv", **backtest_arguments}
    whole = whole_of(data, named, markets=markets, span=span)
    edges = cut_groups(whole.first_ns, whole.last_ns, n_groups)
    _check_gaps(edges, gaps)
    pieces = [training_pieces(edges, groups, **gaps) for groups in tests]
    last_rows = _check_rows(whole, edges, pieces)
    distinct = len({piece for own in pieces for piece in own})
    n_paths = math.comb(n_groups - 1, n_test_groups - 1)
    runs = trials.count() * distinct + n_groups * min(trials.count(), n_paths)
    plan = plan_of(
        whole,
        pipeline_factory,
        trials.known() if runs <= MOST_RUNS or hours is None else trials.first(),
        objective=objective,
        maximize=maximize,
        risk=risk,
        initial_capital=initial_capital,
        last_rows=last_rows,
    )
    how = {"n_jobs": n_jobs, "backend": backend, "executor": executor}
    found = Search(plan, edges, tests, pieces, gaps["warmup_ns"], how, cache)
    try_factory(plan)
    first = found.first()
    workers = workers_of(n_jobs, executor)
    check_size(runs, first.seconds, hours, workers=workers)
    is_complete = found.run(runs, is_shown=is_shown, tell=tell, began=began, workers=workers)
    return found.result(is_complete, time.perf_counter() - began)


# ------------------------------------------------------------------------ checks
def _check_gaps(edges: Sequence[int], gaps: Mapping[str, int]) -> None:
    """Refuse gaps that leave nothing of a group between two tests."""
    shortest = min(end - start for start, end in itertools.pairwise(edges))
    total = sum(gaps.values())
    if total >= shortest:
        raise ValueError(
            "purge_gap, embargo and warmup must together be shorter than a group, which has "
            f"{shortest / 1e9:g} seconds (n_groups={len(edges) - 1}); were {total / 1e9:g}"
        )


def _check_rows(
    whole: Whole, edges: Sequence[int], pieces: Sequence[tuple[Piece, ...]]
) -> dict[int, int]:
    """Refuse groups and pieces without rows; return the last row's time before each end."""
    if whole.survey.rows < len(edges) - 1:
        raise ValueError(
            f"n_groups={len(edges) - 1:,} needs as many rows or more: the data has "
            f"{whole.survey.rows:,}"
        )
    distinct = {piece for own in pieces for piece in own}
    wanted = [
        (f"group {i}", start, end + (i == len(edges) - 2))
        for i, (start, end) in enumerate(itertools.pairwise(edges))
    ]
    wanted += [
        ("training between tests", one.orders_from_ns, one.end_ns)
        for one in sorted(distinct, key=lambda one: (one.start_ns, one.end_ns))
    ]
    cuts = {time for _, start, end in wanted for time in (start, end)}
    stretches = whole.stretches(cuts | {one.start_ns for one in distinct})
    last_rows: dict[int, int] = {}
    latest: int | None = None
    rows: dict[int, int] = {stretches[0].start_ns: 0}  # how many there are before a time
    for stretch in stretches:
        latest = latest if stretch.last_ns is None else stretch.last_ns
        rows[stretch.end_ns] = rows[stretch.start_ns] + stretch.rows
        if latest is not None:
            last_rows[stretch.end_ns] = latest
    for name, start, end in wanted:
        if rows[start] == rows[end]:
            raise ValueError(
                f"{name} has no rows: the data has none from {stamp_text(start)} to "
                f"{stamp_text(end)}. Groups are cut by time; give fewer than n_groups="
                f"{len(edges) - 1}, or a shorter purge_gap, embargo or warmup"
            )
    return last_rows
