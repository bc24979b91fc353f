"""One run of a search: what it is to do, how it is done, and what comes of it.

A `Plan` holds what all runs share and travels once to each worker; a `Task` is a few numbers. A
run depends on its plan and its task alone, so that it gives the same bits wherever it is done.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.metrics import Metrics
from horizon.analytics.periods import changes
from horizon.analytics.sampling import Sampling
from horizon.errors import PipelineError

if TYPE_CHECKING:
    from horizon.backtesting.record import RunRecord
    from horizon.backtesting.result import BacktestResult
    from horizon.instruments import Market
    from horizon.strategies.base import Strategy
    from horizon.walkforward.source import Source

__all__ = ["Kind", "Outcome", "Plan", "Task", "make_pipeline", "run_task", "setting_text"]

Kind = Literal["train", "test", "whole"]
Objective = str | Callable[["BacktestResult"], float]
Factory = Callable[[dict[str, Any]], Iterable[Callable[..., Any]]]

#: Why a run without trades says nothing.
NO_TRADES: Final = "no trades"


class Task(NamedTuple):
    """One run of one setting over one stretch of time.

    Attributes
    ----------
    number : int
        Its place among all runs; results stand in this order.
    kind : {"train", "test", "whole"}
    window : int
        -1 for a run over the whole span.
    setting : int
        Place of its parameters in ``Plan.settings``.
    start_ns, end_ns : int
        Rows from the first to before the second belong to it.
    orders_from_ns : int
        Rows before it run the pipeline and send nothing; the curve begins with the first row at
        or after it.
    rows_from_ns : int
        Where the rows begin that warm the pipeline up; `start_ns` without warm-up.
    keeps_record : bool
        Whether the outcome holds the run's record.
    keeps_returns : bool
        Whether the outcome holds the run's returns.
    """

    number: int
    kind: Kind
    window: int
    setting: int
    start_ns: int
    end_ns: int
    orders_from_ns: int
    rows_from_ns: int
    keeps_record: bool = False
    keeps_returns: bool = False

    @property
    def where(self) -> str:
        """What it runs over, in words."""
        if self.kind == "whole":
            return "the whole span"
        name = "training" if self.kind == "train" else "test"
        return f"the {name} of window {self.window}"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a task.

    Two outcomes are equal if every bit of theirs is, but for `seconds`.

    Attributes
    ----------
    task : Task
    objective : float
        NaN where it says nothing; `why` then says why.
    why : str
        Empty where the objective is a number.
    metrics : dict of str to float
        Every field of `Metrics`; NaN for one that the run does not have.
    trades : int
        Fills.
    rows : int
        Rows played, those of the warm-up among them.
    seconds : float
        How long it took.
    returns : ndarray of float64, shape (n,)
        The sampled returns of the run, where the task keeps them.
    returns_ns : ndarray of int64, shape (n,)
        When each of them ends.
    record : RunRecord or None
        The run, where the task keeps it; without what it has replayed.
    remarks : tuple of str
        What a user should know of how the run went.
    """

    task: Task
    objective: float
    why: str
    metrics: dict[str, float]
    trades: int
    rows: int
    seconds: float
    returns: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    returns_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    record: RunRecord | None = None
    remarks: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Outcome):
            return NotImplemented
        return self._bits() == other._bits()

    __hash__ = None  # type: ignore[assignment]  # it holds arrays and a dict

    def _bits(self) -> tuple[object, ...]:
        record = self.record
        return (
            self.task,
            np.float64(self.objective).tobytes(),
            self.why,
            tuple(self.metrics),
            np.array(list(self.metrics.values()), dtype=np.float64).tobytes(),
            self.trades,
            self.rows,
            self.returns.tobytes(),
            self.returns_ns.tobytes(),
            self.remarks,
            None if record is None else _bits_of(record),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What all runs of a search share; it can be pickled (its functions by cloudpickle).

    Attributes
    ----------
    source : Source
        The rows and books of the whole span.
    factory : callable
        Parameters to pipeline.
    settings : tuple of dict
        The parameters of each setting, in grid order.
    arguments : dict
        What `hz.backtest` is given beside everything else here.
    contracts : tuple of Market
        The markets, as they are decided from the whole data.
    feeds : dict of str to str
        Which feed prices each market.
    sampling : Sampling
        Decided from the whole data.
    objective : str or callable
        A field of `Metrics`, or a function of a run's result.
    maximize : bool
        Whether more of it is better.
    initial_capital : float
    params : dict
        Parameters that all runs have beside those of their setting.
    name : str
        What the runs' names begin with.
    last_rows : dict of int to int
        By where stretches end, in ns, the time of the last row before it.
    doubts : tuple of str
        What the first run has shown that a user should know, in sentences.
    """

    source: Source
    factory: Factory
    settings: tuple[dict[str, Any], ...]
    arguments: dict[str, Any]
    contracts: tuple[Market, ...]
    feeds: dict[str, str]
    sampling: Sampling
    objective: Objective
    maximize: bool
    initial_capital: float
    params: dict[str, Any] = field(default_factory=dict)
    name: str = "walk-forward"
    last_rows: dict[int, int] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def run_task(plan: Plan, task: Task) -> Outcome:
    """Run one task.

    Raises
    ------
    PipelineError
        If a stage raises; with where it was, and its parameters.
    TypeError, ValueError
        If the factory fails, or the objective returns no number.
    """
    from horizon.backtesting.result import BacktestResult
    from horizon.backtesting.simulate import backtest

    began = time.perf_counter()
    setting = plan.settings[task.setting]
    pipeline, strategies = make_pipeline(plan.factory, setting)
    data, books = plan.source.part(task.rows_from_ns, task.end_ns)
    arguments = {**_own(plan.arguments), **_settled_by(plan, task)}
    if task.orders_from_ns > task.rows_from_ns:
        arguments["trade_from"] = np.datetime64(task.orders_from_ns, "ns")
    try:
        ran = backtest(
            name=f"{plan.name}: {task.where}",
            markets=plan.contracts,
            data=data,
            feeds=plan.feeds,
            pipeline=pipeline,
            strategies=strategies or None,
            params={**_own(plan.params), **_own(setting)},
            initial_capital=plan.initial_capital,
            book_data=books,
            **arguments,
        )
    except PipelineError as error:
        raise PipelineError(
            f"{error} (in {task.where}, with {setting_text(setting)})",
            stage=error.stage,
            market_id=error.market_id,
            timestamp=error.timestamp,
        ) from (error.__cause__ or error)
    result = BacktestResult(ran.record, sampling=plan.sampling)
    metrics = _numbers(result.metrics)
    trades = len(result.record.fills)
    objective, why = _objective_of(plan, task, result)
    returns, returns_ns = np.zeros(0), np.zeros(0, dtype=np.int64)
    if task.keeps_returns:
        sampled = plan.sampling.take(result.curve)
        returns, returns_ns = changes(sampled.equity), sampled.times_ns[1:].copy()
    rows = result.record.config["rows"]
    assert isinstance(rows, int)
    return Outcome(
        task=task,
        objective=objective,
        why=why,
        metrics=metrics,
        trades=trades,
        rows=rows,
        seconds=time.perf_counter() - began,
        returns=returns,
        returns_ns=returns_ns,
        record=replace(ran.record, replayed=None) if task.keeps_record else None,
        remarks=tuple(ran.record.remarks),
    )


def make_pipeline(
    factory: Factory, setting: Mapping[str, Any]
) -> tuple[list[Callable[..., Any]], list[Strategy]]:
    """Make a setting's pipeline and its strategies, of a copy of its parameters.

    Raises
    ------
    TypeError, ValueError
        If the factory raises, or what it returns is no pipeline; with the parameters.
    """
    from horizon.backtesting.pipeline import Pipeline
    from horizon.strategies.base import Strategy as Base
    from horizon.strategies.base import strategies_of

    try:
        made = factory(_own(setting))
    except Exception as error:
        raise ValueError(
            f"pipeline_factory raised {words.raised(error)}, for {setting_text(setting)}"
        ) from error
    if made is None:
        raise TypeError(
            "pipeline_factory must return a pipeline (a list of functions), returned None for "
            f"{setting_text(setting)}: is there a return in it?"
        )
    try:
        parts: Any = made
        if isinstance(made, Iterator):
            parts = list(made)  # it can be walked once, and is checked first
        strategies: list[Strategy] = []
        if isinstance(parts, (list, tuple)):
            strategies = [part for part in parts if isinstance(part, Base)]
            parts = [part for part in parts if not isinstance(part, Base)]
        if strategies:
            strategies_of(strategies)
        if parts or not strategies:
            Pipeline(parts)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"pipeline_factory must return a pipeline (a list of functions), returned "
            f"{checks.show(made)} for {setting_text(setting)}: {error}"
        ) from error
    return list(parts), strategies


def setting_text(setting: Mapping[str, Any]) -> str:
    """Write parameters as people read them: ``spread=0.02, size=5``."""
    if not setting:
        return "no parameters"
    return ", ".join(f"{name}={checks.show(value)}" for name, value in setting.items())


# ------------------------------------------------------------------------ small parts
def _own(given: Mapping[str, Any]) -> dict[str, Any]:
    """A run's own copies: what it does to them no other run sees, in this process or another."""
    own = {}
    for name, value in given.items():
        try:
            own[name] = copy.deepcopy(value)
        except Exception:  # what cannot be copied (a lock, a handle) is shared within a process
            own[name] = value
    return own


def _settled_by(plan: Plan, task: Task) -> dict[str, Any]:
    """The times at which markets settle in this run.

    A resolution behind the last row of a stretch and still within it comes with that row: it is
    this stretch's result, and no row is left that could bring it.
    """
    times = plan.arguments.get("resolutions")
    last = plan.last_rows.get(task.end_ns)
    if times is None or last is None:
        return {}
    latest, end = np.datetime64(last, "ns"), np.datetime64(task.end_ns, "ns")
    return {
        "resolutions": {market: latest if latest < at < end else at for market, at in times.items()}
    }


def _numbers(metrics: Metrics) -> dict[str, float]:
    values = {one.name: getattr(metrics, one.name) for one in fields(Metrics)}
    return {name: math.nan if value is None else float(value) for name, value in values.items()}


def _objective_of(plan: Plan, task: Task, result: BacktestResult) -> tuple[float, str]:
    """The objective, and why it says nothing where it does not."""
    if len(result.record.fills) == 0:
        return math.nan, NO_TRADES
    wanted = plan.objective
    if isinstance(wanted, str):
        value, name = getattr(result.metrics, wanted), wanted
    else:
        name = getattr(wanted, "__name__", "objective")
        try:
            value = wanted(result)
        except Exception as error:
            raise ValueError(
                f"objective {name} raised {words.raised(error)}, in {task.where} with "
                f"{setting_text(plan.settings[task.setting])}"
            ) from error
    if value is None:
        return math.nan, f"{name} is None"
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.number)):
        raise TypeError(
            f"objective {name} must return a number, returned {checks.show(value)} in "
            f"{task.where} with {setting_text(plan.settings[task.setting])}"
        )
    number = float(value)
    if math.isnan(number):
        return math.nan, f"{name} is NaN"
    if math.isinf(number) and (number < 0.0) == plan.maximize:
        return math.nan, f"{name} is {number}"
    return number, ""


def _bits_of(record: RunRecord) -> tuple[object, ...]:
    """All that a record holds, as bytes and plain values."""
    fills = record.fills
    return (
        record.times_ns.tobytes(),
        record.equity.tobytes(),
        record.fair_values.tobytes(),
        *(np.asarray(getattr(fills, one.name)).tobytes() for one in fields(fills)),
        record.settlements,
        record.positions,
        tuple(sorted(record.outcomes.items())),
        tuple(sorted(record.rejections.items())),
        tuple(sorted(record.errors.items())),
        record.remarks,
    )
