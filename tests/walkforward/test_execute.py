"""Runs done in this process, in others, in threads, by executors: the same outcomes."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from pathlib import Path
from typing import Any

import joblib
import pytest
from joblib.parallel import BACKENDS, ThreadingBackend

from horizon.errors import PipelineError
from horizon.walkforward.execute import Crew, Interrupted, WorkerLost, execute
from horizon.walkforward.failures import WorkerTraceback
from horizon.walkforward.tasks import Outcome, Plan, Task, run_task
from tests.walkforward.fakes import (
    expected,
    killing,
    objectives,
    outcome_of,
    plan_of,
    real_plan,
    real_tasks,
    summing,
    tasks_of,
)

SETTINGS = [{"a": 0.5}, {"a": 100.0}, {"a": -3.0}]
#: Arguments of `execute`, by what they are called here.
WAYS: dict[str, dict[str, Any]] = {
    "here": {},
    "loky": {"n_jobs": 2},
    "threading": {"n_jobs": 2, "backend": "threading"},
    "processes": {"executor": "processes"},
    "threads": {"executor": "threads"},
}


def spawned() -> ProcessPoolExecutor:
    """Processes that do not begin as a copy of this one, which has threads."""
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with spawned() as executor:
        yield executor


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    own = dict(WAYS[request.param])
    if "executor" in own:
        own["executor"] = request.getfixturevalue(own["executor"])
    return own


# ------------------------------------------------------------------------ the same everywhere
def test_outcomes_stand_in_the_order_of_tasks(way: dict[str, Any]) -> None:
    tasks = tasks_of(25, 3)

    outcomes = execute(plan_of(SETTINGS), tasks[::-1], run=summing, **way)

    assert objectives(outcomes) == expected(25, SETTINGS)
    assert [outcome.task for outcome in outcomes] == tasks


def test_backtests_give_the_same_bits_everywhere(way: dict[str, Any]) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)

    outcomes = execute(plan, tasks, **way)

    assert outcomes == [run_task(plan, task) for task in tasks]  # every bit but the seconds
    assert len({outcome.objective for outcome in outcomes}) == 8  # and not all of them the same
    assert all(outcome.trades > 10 for outcome in outcomes)


@pytest.mark.parametrize("n_jobs", [3, -1])
def test_the_number_of_workers_changes_nothing(n_jobs: int) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)

    assert execute(plan, tasks, n_jobs=n_jobs) == execute(plan, tasks)


def test_closures_and_lambdas_go_everywhere(way: dict[str, Any]) -> None:
    raised_by = 10.0
    settings = [{"f": lambda x: x + raised_by}, {"f": lambda x: 2.0 * x}]
    plan = plan_of(settings, factory=lambda params: params["f"](7.0))

    outcomes = execute(plan, tasks_of(4, 2), run=summing, **way)

    # 4 k + 6, plus 7 + 10 and 2 · 7 in turn
    assert objectives(outcomes) == [6.0 + 17.0, 10.0 + 14.0, 14.0 + 17.0, 18.0 + 14.0]


def test_any_backend_that_joblib_knows_will_do() -> None:
    class Ours(ThreadingBackend):  # type: ignore[misc]
        pass

    joblib.register_parallel_backend("ours", Ours)
    try:
        outcomes = execute(plan_of(SETTINGS), tasks_of(9, 3), run=summing, n_jobs=2, backend="ours")
    finally:
        BACKENDS.pop("ours")

    assert objectives(outcomes) == expected(9, SETTINGS)


def test_the_multiprocessing_backend_will_do() -> None:
    # In a process of its own: it forks, and this one has threads.
    code = (
        "from tests.walkforward.fakes import *\n"
        "from horizon.walkforward.execute import execute\n"
        "settings = [{'a': 0.5}, {'a': 100.0}]\n"
        "done = execute(plan_of(settings), tasks_of(30, 2), run=summing, n_jobs=2,\n"
        "               backend='multiprocessing')\n"
        "assert objectives(done) == expected(30, settings)\n"
        "print(len(done))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False
    )
    assert (done.stdout, done.returncode) == ("30\n", 0), done.stderr


def test_a_module_that_was_edited_is_run_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A worker of loky lives on, and would have imported the module as it was before.
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    written = tmp_path / "edited_strategy.py"
    text = (
        "def helper(a):\n    return a + {}\n\ndef factory(params):\n    return helper(params['a'])"
    )
    written.write_text(text.format(1000.0))
    module = importlib.import_module("edited_strategy")
    try:
        first = execute(
            plan_of([{"a": 1.0}], factory=module.factory), tasks_of(1, 1), run=summing, n_jobs=2
        )
        written.write_text(text.format(2000.0))
        importlib.reload(module)
        second = execute(
            plan_of([{"a": 1.0}], factory=module.factory), tasks_of(1, 1), run=summing, n_jobs=2
        )
    finally:
        sys.modules.pop("edited_strategy")

    assert objectives(first) == [1007.0]  # 0 + 1 + 2 + 3 + 1 + 1000
    assert objectives(second) == [2007.0]


def test_settings_may_come_round_by_round(way: dict[str, Any]) -> None:
    with Crew(plan_of([]), run=summing, **way) as crew:
        first = crew.run(tasks_of(3, 3), settings=SETTINGS)
        more = [*SETTINGS, {"a": 1.0}]
        second = crew.run([Task(3, "train", 0, 3, 3, 7, 3, 3)], settings=more)

    assert objectives(first) == expected(3, SETTINGS)
    assert objectives(second) == [19.0]  # 3 + 4 + 5 + 6 + 1


def test_each_outcome_is_told_of_once_in_this_thread(way: dict[str, Any]) -> None:
    told: list[tuple[int, int]] = []

    def note(outcome: Outcome) -> None:
        told.append((outcome.task.number, threading.get_ident()))

    execute(plan_of(SETTINGS), tasks_of(12, 3), run=summing, on_done=note, **way)

    assert sorted(told) == [(k, threading.get_ident()) for k in range(12)]


def test_no_tasks_are_no_outcomes(way: dict[str, Any]) -> None:
    assert execute(plan_of(SETTINGS), [], run=summing, **way) == []


# ------------------------------------------------------------------------ errors
def failing(plan: Plan, task: Task) -> Outcome:
    """Tasks 5 and 7 fail, 7 at once and 5 only when it has been asked after 7 was begun."""
    if task.number in (5, 7):
        raise ValueError(f"task {task.number} is bad") from KeyError("deep down")
    return summing(plan, task)


def test_the_first_task_that_fails_is_what_is_raised(way: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^task 5 is bad$") as caught:
        execute(plan_of(SETTINGS), tasks_of(12, 3), run=failing, **way)

    assert repr(caught.value.__cause__) == "KeyError('deep down')"


def test_what_was_before_the_failure_is_told_of(way: dict[str, Any]) -> None:
    done: list[int] = []

    with pytest.raises(ValueError, match="task 5"):
        execute(
            plan_of(SETTINGS),
            tasks_of(100, 3),
            run=failing,
            on_done=lambda outcome: done.append(outcome.task.number),
            **way,
        )

    assert {0, 1, 2, 3, 4} <= set(done)
    assert not {5, 7} & set(done)


def test_what_comes_behind_a_failure_is_not_begun() -> None:
    done: list[int] = []

    with pytest.raises(ValueError, match="task 5"):
        execute(
            plan_of(SETTINGS),
            tasks_of(3_000, 3),
            run=failing,
            n_jobs=2,
            on_done=lambda outcome: done.append(outcome.task.number),
        )

    # What was on its way is finished: far fewer than all, however fast they are.
    assert len(done) < 2_900


def test_an_error_keeps_its_facts_and_says_where_it_was_raised() -> None:
    def run(plan: Plan, task: Task) -> Outcome:
        raise PipelineError("stage 's' failed", stage="s", market_id="m", timestamp=3.5)

    with pytest.raises(PipelineError, match="stage 's' failed") as caught:
        execute(plan_of(SETTINGS), tasks_of(2, 1), run=run, n_jobs=2)

    error = caught.value
    assert (error.stage, error.market_id, error.timestamp) == ("s", "m", 3.5)
    assert isinstance(error.__cause__, WorkerTraceback)
    assert "in run\n    raise PipelineError(" in str(error.__cause__)


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    class Stuck(Exception):
        def __init__(self) -> None:
            super().__init__("a lock within")
            self.lock = threading.Lock()

    def run(plan: Plan, task: Task) -> Outcome:
        raise Stuck

    with pytest.raises(RuntimeError, match=r"^Stuck: a lock within$"):
        execute(plan_of(SETTINGS), tasks_of(2, 1), run=run, n_jobs=2)


def test_an_error_of_a_class_of_ones_own_is_of_that_class(way: dict[str, Any]) -> None:
    class Mine(Exception):
        pass

    def run(plan: Plan, task: Task) -> Outcome:
        raise Mine("x")

    with pytest.raises(Mine, match=r"^x$"):
        execute(plan_of(SETTINGS), tasks_of(2, 1), run=run, **way)


def test_parameters_that_cannot_travel_are_an_error_at_once() -> None:
    begun: list[int] = []

    with pytest.raises(TypeError, match="lock"):
        execute(
            plan_of([{"a": threading.Lock()}]),
            tasks_of(3, 1),
            run=summing,
            n_jobs=2,
            on_done=lambda outcome: begun.append(1),
        )

    assert begun == []


# ------------------------------------------------------------------------ lost workers
def test_a_killed_worker_of_loky_costs_a_retry(tmp_path: Path) -> None:
    run = killing(tmp_path / "killed", 5)

    with pytest.warns(RuntimeWarning, match="a worker has ended while"):
        outcomes = execute(plan_of(SETTINGS), tasks_of(12, 3), run=run, n_jobs=2)

    assert (tmp_path / "killed").exists()
    assert objectives(outcomes) == expected(12, SETTINGS)


def test_a_killed_worker_of_an_executor_costs_a_retry(tmp_path: Path) -> None:
    run = killing(tmp_path / "killed", 5)

    with spawned() as executor, pytest.warns(RuntimeWarning, match="a worker has ended while"):
        outcomes = execute(plan_of(SETTINGS), tasks_of(12, 3), run=run, executor=executor)

    assert objectives(outcomes) == expected(12, SETTINGS)


def test_a_task_that_kills_each_worker_is_given_up(tmp_path: Path) -> None:
    run = killing(tmp_path / "killed", 5, always=True)

    with (
        spawned() as executor,
        pytest.warns(RuntimeWarning, match="a worker has ended while"),
        pytest.raises(WorkerLost, match=r"ended 2 times while it was at the training of window 1"),
    ):
        execute(plan_of(SETTINGS), tasks_of(6, 3)[5:], run=run, executor=executor, retries=1)


class _Broken(Executor):
    """Breaks at the first task."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenExecutor("all gone")


def test_a_broken_executor_that_cannot_be_replaced_is_said() -> None:
    with (
        pytest.warns(RuntimeWarning, match="a worker has ended"),
        pytest.raises(WorkerLost, match=r"the executor \(_Broken\) has lost a worker"),
    ):
        execute(plan_of(SETTINGS), tasks_of(3, 3), run=summing, executor=_Broken())


# ------------------------------------------------------------------------ interrupts
def test_an_interrupt_keeps_what_was_done(way: dict[str, Any]) -> None:
    done: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        done.append(outcome)
        if len(done) == 4:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        execute(plan_of(SETTINGS), tasks_of(40, 3), run=summing, on_done=note, **way)

    assert caught.value.done == sorted(done, key=lambda outcome: outcome.task.number)
    assert len(done) == 4


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Python's own answer to an interrupt: started in the background, a process ignores it."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("interruptible")
def test_a_signal_while_workers_work_keeps_what_was_done() -> None:
    parent = os.getpid()

    def run(plan: Plan, task: Task) -> Outcome:
        if task.number == 6:
            os.kill(parent, signal.SIGINT)  # arrives before this task can be done
        return summing(plan, task)

    told: list[int] = []
    with pytest.raises(KeyboardInterrupt) as caught:
        execute(
            plan_of(SETTINGS),
            tasks_of(40, 3),
            run=run,
            n_jobs=2,
            on_done=lambda outcome: told.append(outcome.task.number),
        )

    assert isinstance(caught.value, Interrupted)
    assert [outcome.task.number for outcome in caught.value.done] == sorted(told)
    assert 6 not in told
    # And the next call finds workers.
    again = execute(plan_of(SETTINGS), tasks_of(9, 3), run=summing, n_jobs=2)
    assert objectives(again) == expected(9, SETTINGS)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_within_a_task_keeps_what_was_done() -> None:
    def run(plan: Plan, task: Task) -> Outcome:
        if task.number == 3:
            signal.raise_signal(signal.SIGINT)
        return outcome_of(task, 1.0)

    with pytest.raises(Interrupted, match="interrupted with 3 runs done") as caught:
        execute(plan_of(SETTINGS), tasks_of(9, 3), run=run)

    assert [outcome.task.number for outcome in caught.value.done] == [0, 1, 2]


# ------------------------------------------------------------------------ arguments
@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"n_jobs": 0}, ValueError, "n_jobs must be 1 or more, or -1 for one worker a core; was 0"),
        ({"n_jobs": 1.5}, TypeError, "n_jobs must be a whole number, was 1.5"),
        ({"n_jobs": True}, TypeError, "n_jobs must be a whole number, was True"),
        ({"retries": -1}, ValueError, "retries must be 0 or more, was -1"),
        ({"backend": "lokky"}, ValueError, "was 'lokky'. Did you mean 'loky'?"),
        ({"backend": 3}, TypeError, "backend must be one of"),
        ({"executor": 3}, TypeError, "executor must be a concurrent.futures.Executor, was 3"),
        (
            {"executor": _Broken(), "n_jobs": 2},
            ValueError,
            "executor and n_jobs=2 exclude each other",
        ),
        (
            {"executor": _Broken(), "backend": "dask"},
            ValueError,
            "executor and backend='dask' exclude each other",
        ),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, dict) else None,
)
def test_bad_arguments(given: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        Crew(plan_of(SETTINGS), **given)

    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("backend", "module"), [("dask", "distributed"), ("ray", "ray.util.joblib")]
)
def test_a_backend_that_is_not_installed_says_what_to_install(
    backend: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ImportError, match=rf"pip install 'horizon-workbench\[{backend}\]'"):
        Crew(plan_of(SETTINGS), backend=backend)


def test_dask_without_a_client_says_how_to_make_one() -> None:
    with pytest.raises(ValueError, match="first create a Dask Client"):
        execute(plan_of(SETTINGS), tasks_of(2, 1), run=summing, backend="dask")
