"""Runs on real clusters of this computer: Dask with two worker processes, and Ray where it is."""

from __future__ import annotations

import logging
import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from horizon.walkforward import walk_forward
from horizon.walkforward.execute import Crew, Interrupted, execute
from horizon.walkforward.shipping import Shipment
from horizon.walkforward.store import Store
from horizon.walkforward.tasks import Outcome, Plan, Task
from tests.walkforward.fakes import (
    expected,
    killing,
    objectives,
    outcome_of,
    plan_of,
    quoting,
    real_plan,
    real_tasks,
    summing,
    tasks_of,
)

SETTINGS = [{"a": 0.5}, {"a": 100.0}, {"a": -3.0}]


@pytest.fixture(scope="module")
def dask_client() -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    # What Dask says of workers that we kill is no news here.
    dask.config.set({"logging.distributed": "critical"})
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port: another test may have a cluster
            host="127.0.0.1",
        ) as cluster,
        Client(cluster, timeout="300s") as client,
    ):
        client.wait_for_workers(2, timeout=300)
        yield client


@pytest.fixture(params=["backend", "executor"])
def dask_way(request: pytest.FixtureRequest, dask_client: Any) -> dict[str, Any]:
    """Through joblib, and as an executor."""
    if request.param == "backend":
        return {"backend": "dask"}
    return {"executor": dask_client.get_executor()}


# ------------------------------------------------------------------------ Dask
def test_dask_gives_the_same_bits(dask_way: dict[str, Any]) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)

    assert execute(plan, tasks, **dask_way) == execute(plan, tasks)


def pid(plan: Plan, task: Task) -> Outcome:
    return outcome_of(task, float(os.getpid()))


def test_dask_uses_its_workers_and_not_this_process(dask_way: dict[str, Any]) -> None:
    pids = set(objectives(execute(plan_of(SETTINGS), tasks_of(40, 3), run=pid, **dask_way)))

    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_closures_and_lambdas_go_to_dask(dask_way: dict[str, Any]) -> None:
    shift = 10.0
    settings = [{"f": lambda x: x + shift}, {"f": lambda x: 2.0 * x}]
    plan = plan_of(settings, factory=lambda params: params["f"](7.0))

    outcomes = execute(plan, tasks_of(4, 2), run=summing, **dask_way)

    # 4 k + 6, plus 7 + 10 and 2 · 7 in turn
    assert objectives(outcomes) == [23.0, 24.0, 31.0, 32.0]


def mapped(plan: Plan, task: Task) -> Outcome:
    """1 where the rows are mapped from a file."""
    held: Any = plan.source.values  # type: ignore[attr-defined]
    while isinstance(held, (np.ndarray, memoryview)):
        held = held.base if isinstance(held, np.ndarray) else held.obj
    return outcome_of(task, float(isinstance(held, mmap.mmap)))


def test_workers_of_dask_map_the_rows(dask_way: dict[str, Any]) -> None:
    outcomes = execute(plan_of(SETTINGS), tasks_of(6, 3), run=mapped, **dask_way)

    assert objectives(outcomes) == [1.0] * 6


def test_workers_of_dask_on_another_machine_are_sent_the_rows(dask_way: dict[str, Any]) -> None:
    plan = plan_of(SETTINGS, rows=25_000)

    with Crew(plan, run=summing, **dask_way) as crew:
        # As if the folder were of another machine than the workers'.
        crew._shipment = Shipment((summing, plan))
        crew._shipment.address = crew._shipment.address._replace(folder="/not/here")
        outcomes = crew.run(tasks_of(30, 3))

    assert objectives(outcomes) == expected(30, SETTINGS)


def test_a_killed_worker_of_dask_costs_a_retry(tmp_path: Path, dask_way: dict[str, Any]) -> None:
    run = killing(tmp_path / "killed", 5)

    outcomes = execute(plan_of(SETTINGS), tasks_of(24, 3), run=run, **dask_way)

    assert (tmp_path / "killed").exists()
    assert objectives(outcomes) == expected(24, SETTINGS)


def test_an_error_comes_back_from_dask(dask_way: dict[str, Any]) -> None:
    def run(plan: Plan, task: Task) -> Outcome:
        if task.number in (5, 7):
            raise ValueError(f"task {task.number} is bad") from KeyError("deep down")
        return summing(plan, task)

    with pytest.raises(ValueError, match=r"^task 5 is bad$") as caught:
        execute(plan_of(SETTINGS), tasks_of(12, 3), run=run, **dask_way)

    assert repr(caught.value.__cause__) == "KeyError('deep down')"


def test_an_interrupt_keeps_what_dask_has_done(tmp_path: Path, dask_way: dict[str, Any]) -> None:
    plan = plan_of(SETTINGS)
    store = Store(tmp_path, plan)
    done: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        done.append(outcome)
        if len(done) == 4:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        execute(plan, tasks_of(12, 3), run=summing, store=store, on_done=note, **dask_way)

    assert caught.value.done == sorted(done, key=lambda outcome: outcome.task.number)
    # And the rest is done by the next call.
    again = execute(plan, tasks_of(12, 3), run=summing, store=store, **dask_way)
    assert objectives(again) == expected(12, SETTINGS)


def test_a_walk_forward_on_dask(noisy: dict[str, Any], dask_way: dict[str, Any]) -> None:
    grid = {"window": [3, 8], "spread": [0.1, 0.3]}

    here = walk_forward(noisy, quoting, grid, n_splits=2)
    there = walk_forward(noisy, quoting, grid, n_splits=2, **dask_way)

    assert there.best_params_per_window == here.best_params_per_window
    assert there.aggregate_equity == here.aggregate_equity
    assert there.aggregate_metrics == here.aggregate_metrics


# ------------------------------------------------------------------------ Ray
# In a process of its own: Ray leaves processes to the garbage collector, which warns of them.
RAY = """
import os, sys, warnings
from pathlib import Path
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
import ray
from horizon.walkforward.execute import execute
from tests.walkforward.fakes import *
from tests.walkforward.test_clusters import SETTINGS, mapped
try:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
except Exception as error:  # it gives itself half a minute, which a busy computer does not keep
    sys.exit(f"Ray does not start here: {error}")

plan = real_plan()
tasks = real_tasks(plan)
assert execute(plan, tasks, backend="ray") == execute(plan, tasks)

shift = 10.0
settings = [{"f": lambda x: x + shift}]
plan = plan_of(settings, factory=lambda params: params["f"](7.0))
# 4 k + 6, plus 7 + 10
assert objectives(execute(plan, tasks_of(2, 1), run=summing, backend="ray")) == [23.0, 27.0]

plan = plan_of(SETTINGS)
assert objectives(execute(plan, tasks_of(6, 3), run=mapped, backend="ray")) == [1.0] * 6

with warnings.catch_warnings(record=True) as caught:
    run = killing(Path(sys.argv[1]), 5)
    done = execute(plan, tasks_of(12, 3), run=run, backend="ray")
assert objectives(done) == expected(12, SETTINGS)
assert any("a worker has ended while" in str(one.message) for one in caught)
ray.shutdown()
print("the same bits")
"""


def test_ray_gives_the_same_bits(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")

    done = subprocess.run(
        [sys.executable, "-c", RAY, str(tmp_path / "killed")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=600,
    )

    if "Ray does not start here" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.stdout.strip().endswith("the same bits"), done.stderr
