"""Plans and tasks whose outcomes can be worked out in the head, and real ones beside them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import horizon as hz
from horizon.analytics.sampling import Sampling
from horizon.backtesting.data import read_data
from horizon.walkforward.source import MemorySource
from horizon.walkforward.tasks import Outcome, Plan, Task

NS = 1_000_000_000


@dataclass
class Numbers:
    """Stands in for a source: rows k = 0, 1, … with the value k."""

    values: NDArray[np.float64]


def plan_of(
    settings: Sequence[dict[str, Any]],
    *,
    factory: Callable[..., Any] = lambda params: params["a"],
    rows: int = 20_000,
    **others: Any,
) -> Plan:
    held: dict[str, Any] = {
        "source": Numbers(np.arange(rows, dtype=np.float64)),
        "factory": factory,
        "settings": tuple(settings),
        "arguments": {},
        "contracts": (),
        "feeds": {},
        "sampling": Sampling("points", 252.0),
        "objective": "sharpe_ratio",
        "maximize": True,
        "initial_capital": 1000.0,
    }
    return Plan(**{**held, **others})


def tasks_of(count: int, settings: int) -> list[Task]:
    """Task k takes the rows k to k + 3 with setting k modulo the number of settings."""
    return [Task(k, "train", k // settings, k % settings, k, k + 4, k, k) for k in range(count)]


def outcome_of(task: Task, objective: float) -> Outcome:
    return Outcome(task, objective, "", {"sharpe_ratio": objective}, 1, 4, 0.0)


def summing(plan: Plan, task: Task) -> Outcome:
    """The sum of the task's rows, plus what the factory makes of its parameters."""
    rows = plan.source.values[task.start_ns : task.end_ns]  # type: ignore[attr-defined]
    return outcome_of(task, float(rows.sum()) + plan.factory(plan.settings[task.setting]))


def expected(count: int, settings: Sequence[dict[str, Any]]) -> list[float]:
    """What `summing` gives: k + (k + 1) + (k + 2) + (k + 3) = 4 k + 6, plus the parameter."""
    return [4.0 * k + 6.0 + settings[k % len(settings)]["a"] for k in range(count)]


def objectives(outcomes: Sequence[Outcome]) -> list[float]:
    return [outcome.objective for outcome in outcomes]


def killing(marker: Path, number: int, *, always: bool = False) -> Callable[[Plan, Task], Outcome]:
    """Sums, but for one task, which kills its worker: the first time, or always."""

    def run(plan: Plan, task: Task) -> Outcome:
        if task.number == number and (always or not marker.exists()):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return summing(plan, task)

    return run


# ------------------------------------------------------------------------ real runs
def quoting(params: dict[str, Any]) -> list[Callable[..., Any]]:
    """Quote around the mean of the last few prices."""
    seen: list[float] = []

    def fair(ctx: hz.backtesting.Context) -> float:
        seen.append(ctx.feed.price)
        own = seen[-params["window"] :]
        return sum(own) / len(own)

    def quotes(ctx: hz.backtesting.Context, middle: float) -> Any:
        return hz.quotes(middle, spread=params["spread"], size=1)

    return [fair, quotes]


def real_plan(rows: int = 300, **others: Any) -> Plan:
    """Prices that swing between 0.4 and 0.6, a minute apart; four settings."""
    prices = (0.5 + 0.1 * np.sin(np.arange(rows) / 5.0)).round(4)
    data = read_data({"timestamp": 60.0 * np.arange(rows), "price": prices})
    settings = [{"window": w, "spread": s} for w in (3, 8) for s in (0.01, 0.05)]
    held: dict[str, Any] = {
        "factory": quoting,
        "source": MemorySource(data, {}),  # type: ignore[arg-type]
        "contracts": (hz.Market("market", hz.Prediction),),
        "feeds": {"market": "data"},
    }
    return plan_of(settings, **{**held, **others})


def real_tasks(plan: Plan, rows: int = 300, stretches: int = 2) -> list[Task]:
    """Each setting on each stretch of the rows; records and returns are kept."""
    length = rows // stretches * 60 * NS
    count = len(plan.settings)
    return [
        Task(w * count + s, "test", w, s, w * length, (w + 1) * length, w * length, w * length)
        ._replace(keeps_record=True, keeps_returns=True)
        for w in range(stretches)
        for s in range(count)
    ]  # fmt: skip
