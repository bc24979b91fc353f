"""`walk_forward`: parameters chosen on the past, tested on what came after, window by window."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from horizon import checks
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.walkforward.asked import (
    MOST_RUNS,
    Asked,
    Trials,
    check_rows,
    check_size,
    seconds_ns,
    share,
    try_factory,
    workers_of,
)
from horizon.walkforward.backends import check_executor, jobs_from
from horizon.walkforward.progress import Searched, progress_of
from horizon.walkforward.result import WalkForwardResult
from horizon.walkforward.runs import Walk
from horizon.walkforward.whole import check_arguments, check_objective, plan_of, whole_of
from horizon.walkforward.windows import cut_windows

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from horizon.backtesting.result import BacktestResult

__all__ = ["walk_forward"]


def walk_forward(
    data: Any = None,
    pipeline_factory: Callable[[dict[str, Any]], Iterable[Callable[..., Any]]] | None = None,
    param_grid: Mapping[str, Any] | None = None,
    n_splits: int = 5,
    train_ratio: float = 0.7,
    expanding: bool = True,
    objective: str | Callable[[BacktestResult], float] = "sharpe_ratio",
    purge_gap: float = 0.0,
    markets: Iterable[str | Market] | None = None,
    risk: RiskConfig | None = None,
    initial_capital: float = 1000.0,
    *,
    maximize: bool | None = None,
    embargo: float = 0.0,
    warmup: float = 0.0,
    search: str = "grid",
    n_trials: int | None = None,
    search_seed: int = 0,
    n_jobs: int = 1,
    backend: str = "loky",
    executor: Executor | None = None,
    cache: str | os.PathLike[str] | None = None,
    progress: bool | Callable[[Searched], object] = False,
    overfitting: bool = True,
    span: Any = None,
    max_hours: float | None = 24.0,
    **backtest_arguments: Any,
) -> WalkForwardResult:
    """Choose parameters on training windows, and test each choice on what came after.

    The last ``1 - train_ratio`` of the data's time is cut into `n_splits` test windows. Before
    each, every setting of the grid is run on its training window; the best one is run on the
    test. The tests, one after the other, are what the strategy would have earned.

    Parameters
    ----------
    data : object
        As `hz.backtest` takes it. The path of a Parquet file, and a callable that returns a fresh
        iterator of chunks, are walked in pieces and never held whole; a callable with a parameter
        ``span`` is told by it which (start, end), in seconds since 1970, is wanted, the end no
        part of it, and needs `span`.
    pipeline_factory : callable
        Takes a dict of parameters and returns a pipeline, strategies, or a list of both (``sizer=``
        and ``execution=`` are then taken as by `hz.backtest`); it is called anew for each run. The
        parameters are in ``ctx.params`` too.
    param_grid : dict of str to list
        Values by parameter. With ``search="random"`` or ``"optuna"`` a value may be a
        distribution of scipy.stats in place of a list.
    n_splits : int
        Test windows.
    train_ratio : float
        Fraction of the data's time before the first test, in (0, 1).
    expanding : bool
        Whether training begins with the data; else it is the `train_ratio` before its end.
    objective : str or callable
        A metric (a field of `hz.Metrics`), or a function of the `BacktestResult` of a run.
    purge_gap : float
        Seconds between the end of training and the start of its test.
    markets, risk, initial_capital
        As for `hz.backtest`. Each window begins flat, with the initial capital.
    maximize : bool, optional
        Whether more of the objective is better. Left out, it is for a function, and for a metric
        as the metric has it: less of a drawdown, of volatility, fees or a Brier score is better.
    embargo : float
        Seconds at the start of a test in which nothing is sent; the test's equity begins after
        them, and their time is in no figure. (All training lies before its
        test, so the only side on which a gap can be wanted besides `purge_gap` is the test's.)
    warmup : float
        Seconds before each window in which the pipeline runs and sends nothing, so that its
        indicators are warm; as far as there are rows. Before a test these are rows of its
        training.
    search : {"grid", "random", "optuna"}
        Every combination; `n_trials` of them drawn at random, the same for all windows; or
        `n_trials` for each window, proposed by optuna.
    n_trials, search_seed : int
        For the last two.
    n_jobs : int
        Runs at a time; -1 is one for each core.
    backend : str
        Of joblib: ``"loky"``, ``"threading"``, ``"dask"``, ``"ray"`` and so on.
    executor : concurrent.futures.Executor, optional
        Where to run in place of these two.
    cache : path, optional
        A folder in which finished runs are kept. A later call finds those whose data, code,
        parameters and arguments are the same. What code reads as it runs, from files or the
        environment, is not seen: hand it in as parameters, or let the factory close over it. Code
        that imports modules by names made up as it runs is refused.
    progress : bool or callable
        Show a progress bar with the best so far; or tell a function, after each run and in this
        thread, how far the search is (see `Searched`). A KeyboardInterrupt that it raises is one
        of the user: what is done is kept. Anything else ends the search, and is raised.
    overfitting : bool
        Also run each setting over the whole data, which `WalkForwardResult.overfitting` is
        judged by.
    span : (start, end), optional
        The time to cut windows from, in place of that of the first and the last row.
    max_hours : float, optional
        How long all runs together may take, by the first one's time; None for as long as it
        takes. Beyond it, and beyond 100,000 runs, the call ends with an error after the first.
    **backtest_arguments
        Anything else that `hz.backtest` takes, the same for every run.

    Returns
    -------
    WalkForwardResult
        If the call is interrupted, with the windows that are done; `is_complete` is then False.

    Raises
    ------
    DataError
        At a row that cannot be true.
    PipelineError
        If a stage raises; it says in which window, and with which parameters.
    TypeError, ValueError
        For an argument that is not as above; for windows without rows; if the factory raises or
        returns no pipeline, with its parameters.

    Notes
    -----
    What a window cannot know of its own is decided once, from the whole data: what each market
    is, how often returns are taken, and when outcomes resolve, so that no run before a
    resolution hears of it.

    Each run has its own copies of parameters and models, and a pipeline of its own; a factory
    that remembers something between its calls makes results depend on where and in what order
    they were run.

    A setting whose training has no trades, or whose objective is no number, ranks last; of equal
    ones the first in grid order is taken. Where no setting says anything, the grid's first is
    taken and the window is flagged.

    Examples
    --------
    A price that rises by 1 a day: whoever tries to be long and to be short of it finds in each
    training that long is better. Of 40 days the last half are two tests of ten.

    >>> days = pd.date_range("2026-01-01", periods=41)
    >>> rows = pd.DataFrame({"timestamp": days, "price": 100.0 + np.arange(41)})
    >>> def factory(params):
    ...     @hz.strategy
    ...     def hold(f, universe):
    ...         return [hz.Signal(m.id, params["action"], edge_bps=10) for m in universe]
    ...     return [hold]
    >>> grid = {"action": ["decrease", "increase"]}
    >>> found = hz.walk_forward(rows, factory, grid, n_splits=2, train_ratio=0.5)
    >>> found.best_params_per_window
    [{'action': 'increase'}, {'action': 'increase'}]
    >>> [f"{pd.Timestamp(window.test_start, unit='s'):%d %b}" for window in found.windows]
    ['21 Jan', '31 Jan']
    """
    began = time.perf_counter()
    check_arguments(backtest_arguments, walk_forward)
    asked = Asked(
        n_splits=checks.integer("n_splits", n_splits),
        train_ratio=share("train_ratio", train_ratio),
        expanding=checks.flag("expanding", expanding),
        purge_ns=seconds_ns("purge_gap", purge_gap),
        embargo_ns=seconds_ns("embargo", embargo),
        warmup_ns=seconds_ns("warmup", warmup),
        overfitting=checks.flag("overfitting", overfitting),
        max_hours=None if max_hours is None else checks.positive("max_hours", max_hours),
    )
    check_objective(objective)
    is_shown, tell = progress_of(progress)
    trials = Trials.of(search, param_grid, n_trials, search_seed)
    jobs_from(n_jobs)
    check_executor(executor, n_jobs, backend)
    if not callable(pipeline_factory):
        raise TypeError(
            "pipeline_factory must be a function that takes a dict of parameters and returns a "
            f"pipeline, was {checks.show(pipeline_factory)}"
        )
    whole = whole_of(data, backtest_arguments, markets=markets, span=span)
    windows = cut_windows(
        whole.first_ns,
        whole.last_ns,
        n_splits=asked.n_splits,
        train_ratio=asked.train_ratio,
        expanding=asked.expanding,
        purge_ns=asked.purge_ns,
    )
    last_rows = check_rows(whole, windows, asked)
    runs = trials.runs(asked)
    plan = plan_of(
        whole,
        pipeline_factory,
        trials.known() if runs <= MOST_RUNS or asked.max_hours is None else trials.first(),
        objective=objective,
        maximize=maximize,
        risk=risk,
        initial_capital=initial_capital,
        last_rows=last_rows,
    )
    how = {"n_jobs": n_jobs, "backend": backend, "executor": executor}
    walk = Walk(plan, whole, windows, asked, how, cache)
    try_factory(plan)
    if plan.settings:
        first = walk.first()
        check_size(runs, first.seconds, asked.max_hours, workers=workers_of(n_jobs, executor))
    is_complete = walk.run(trials, runs, is_shown=is_shown, tell=tell, began=began)
    return walk.result(is_complete, runs, time.perf_counter() - began)
