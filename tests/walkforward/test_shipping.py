"""A plan goes once to each worker, and its arrays are mapped there, not copied."""

from __future__ import annotations

import importlib
import mmap
import multiprocessing
import os
import pickle
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from horizon.walkforward.execute import Crew, execute
from horizon.walkforward.rounds import Answer, Queue, Round, work
from horizon.walkforward.shipping import Address, NotHere, Shipment, dumps, fetch
from horizon.walkforward.tasks import Outcome, Plan, Task
from tests.walkforward.fakes import (
    Numbers,
    expected,
    objectives,
    outcome_of,
    plan_of,
    real_plan,
    real_tasks,
    summing,
    tasks_of,
)

SETTINGS = [{"a": 0.5}, {"a": 100.0}, {"a": -3.0}]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


def fetched(plan: object) -> Any:
    """A plan as another process has it."""
    shipment = Shipment(plan)
    try:
        # Under a token that this process does not know as its own.
        return fetch(shipment.address._replace(token=secrets.token_hex(4)))
    finally:
        shipment.close()


def owner(array: np.ndarray[Any, Any]) -> object:
    """Whose memory an array is in."""
    held: Any = array
    while isinstance(held, (np.ndarray, memoryview)) and held is not None:
        held = held.base if isinstance(held, np.ndarray) else held.obj
    return held


# ------------------------------------------------------------------------ arrays
def test_arrays_are_mapped_and_equal() -> None:
    plan = {"x": np.arange(10_000.0), "n": np.arange(5_000), "words": ("a", "b")}

    got = fetched(plan)

    assert got["words"] == ("a", "b")
    for name in ("x", "n"):
        assert got[name].dtype == plan[name].dtype  # type: ignore[attr-defined]
        assert got[name].tobytes() == plan[name].tobytes()  # type: ignore[attr-defined]
        assert isinstance(owner(got[name]), mmap.mmap)
        assert got[name].ctypes.data % 64 == 0


@pytest.mark.parametrize(
    "array",
    [
        np.arange(20_000.0)[::2],
        np.arange(20_000.0).reshape(100, 200)[:, 3:77],
        np.asfortranarray(np.arange(20_000.0).reshape(100, 200)),
        np.arange(20_000).astype("datetime64[s]"),
        np.arange(20_000).astype(">i4"),
    ],
    ids=["every second", "columns", "fortran", "datetimes", "big-endian"],
)
def test_arrays_of_any_order_are_mapped(array: np.ndarray[Any, Any]) -> None:
    got = fetched([array])[0]

    assert np.array_equal(got, array)
    assert got.dtype == array.dtype
    assert isinstance(owner(got), mmap.mmap)


def test_an_array_that_is_a_file_already_is_mapped(tmp_path: Path) -> None:
    np.arange(20_000.0).tofile(tmp_path / "x")
    array = np.memmap(tmp_path / "x", dtype=np.float64, mode="r")

    got = fetched([array])[0]

    assert isinstance(owner(got), mmap.mmap)
    assert np.array_equal(got, array)
    assert not got.flags.writeable  # as it was


def test_what_a_worker_writes_into_an_array_stays_there() -> None:
    shared = np.zeros(10_000)
    shipment = Shipment([shared])
    one = fetch(shipment.address._replace(token=secrets.token_hex(4)))[0]
    one[:] = 1.0
    other = fetch(shipment.address._replace(token=secrets.token_hex(4)))[0]
    shipment.close()

    assert (one == 1.0).all()
    assert (other == 0.0).all()
    assert (shared == 0.0).all()


def test_small_and_odd_arrays_travel_too() -> None:
    plan = [np.zeros(0), np.array(5.0), np.array([{"a": 1}, None]), np.arange(3)]

    got = fetched(plan)

    assert [len(got[0]), float(got[1]), got[2][0], got[3].tolist()] == [0, 5.0, {"a": 1}, [0, 1, 2]]


def test_mapped_arrays_outlive_their_folder() -> None:
    shipment = Shipment([np.arange(10_000.0)])
    folder = Path(shipment.address.folder)
    got = fetch(shipment.address._replace(token=secrets.token_hex(4)))[0]

    assert {path.name for path in folder.iterdir()} == {"plan.pickle", "arrays.bin"}
    shipment.close()
    assert not folder.exists()
    assert got.sum() == 9_999 * 10_000 / 2


def test_a_plan_that_cannot_be_pickled_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(TypeError, match="pickle"):
        Shipment([threading.Lock()])

    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------ once to each
class Counted:
    """Rows that note each time that they arrive somewhere."""

    def __init__(self, values: np.ndarray[Any, Any], log: str) -> None:
        self.values, self.log = values, log

    def __reduce__(self) -> tuple[object, ...]:
        return arrived, (self.values, self.log)


def arrived(values: np.ndarray[Any, Any], log: str) -> Counted:
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\n")
    return Counted(values, log)


def test_a_plan_is_read_once_by_each_worker(tmp_path: Path, processes: ProcessPoolExecutor) -> None:
    log = tmp_path / "log"
    plan = plan_of(SETTINGS, source=Counted(np.arange(20_000.0), str(log)))

    with Crew(plan, executor=processes, run=summing) as crew:
        for _ in range(3):  # rounds
            assert objectives(crew.run(tasks_of(20, 3))) == expected(20, SETTINGS)

    readers = log.read_text().split()
    assert 1 <= len(readers) <= 2
    assert len(set(readers)) == len(readers)


def test_threads_are_given_the_plan_itself() -> None:
    log = "never written"
    plan = plan_of(SETTINGS, source=Counted(np.arange(20_000.0), log))

    outcomes = execute(plan, tasks_of(9, 3), n_jobs=2, backend="threading", run=summing)

    assert objectives(outcomes) == expected(9, SETTINGS)
    assert not Path(log).exists()


def test_a_worker_keeps_one_plan_at_a_time(processes: ProcessPoolExecutor) -> None:
    for rows in (20_000, 30_000, 40_000):
        execute(plan_of(SETTINGS, rows=rows), tasks_of(8, 3), executor=processes, run=summing)

    kept = processes.submit(plans_kept).result()
    assert kept == 1


def plans_kept() -> int:
    from horizon.walkforward import shipping

    return len(shipping._SENT) + len(shipping._MADE)


@pytest.mark.parametrize("rows", [1_000, 1_000_000])
def test_a_task_moves_few_bytes_however_many_rows_there_are(rows: int) -> None:
    plan = real_plan(rows)
    shipment = Shipment((None, plan))
    try:
        queue = Queue(jobs_of(plan), shipment, Round(plan.settings, None, None))
        sizes = [len(message) for message in queue.messages()]
        mapped = Path(shipment.address.folder, "arrays.bin").stat().st_size
    finally:
        shipment.close()

    assert len(sizes) == 8
    assert max(sizes) < 2_000
    # Two columns of eight bytes for each row, each from a multiple of 64 on.
    assert 0 <= mapped - 16 * rows < 64


def jobs_of(plan: Plan) -> list[Any]:
    return Round(plan.settings, None, None).look_up(real_tasks(plan))


# ------------------------------------------------------------------------ other machines
def test_a_worker_without_the_folder_says_so() -> None:
    with pytest.raises(NotHere):
        fetch(Address("another", "/not/here"))


def test_a_plan_may_come_in_a_parcel() -> None:
    shipment = Shipment({"x": np.arange(10_000.0), "y": 1})
    address = shipment.address._replace(token=secrets.token_hex(4), folder="/not/here")

    got = fetch(address, shipment.parcel())
    shipment.close()

    assert got["y"] == 1
    assert np.array_equal(got["x"], np.arange(10_000.0))
    assert isinstance(owner(got["x"]), mmap.mmap)


def test_workers_that_see_no_folder_are_sent_the_plan(processes: ProcessPoolExecutor) -> None:
    plan = plan_of(SETTINGS, rows=25_000)

    with Crew(plan, executor=processes, run=summing) as crew:
        # As if this folder were of another machine than the workers'.
        crew._shipment = Shipment((summing, plan))
        crew._shipment.address = crew._shipment.address._replace(folder="/not/here")
        outcomes = crew.run(tasks_of(60, 3))

    assert objectives(outcomes) == expected(60, SETTINGS)


def test_a_worker_asks_for_the_plan_and_a_parcel_answers() -> None:
    plan = plan_of(SETTINGS)
    shipment = Shipment((summing, plan))
    shipment.address = shipment.address._replace(token=secrets.token_hex(4), folder="/not/here")
    round_ = Round(plan.settings, None, None)
    queue = Queue(round_.look_up(tasks_of(1, 3)), shipment, round_)

    (first,) = queue.messages()
    said = work(first)
    queue.take(said)
    (second,) = queue.messages()
    queue.take(work(second))
    shipment.close()

    assert isinstance(said, bytes)
    assert pickle.loads(said) == Answer(0, "not here", None)
    assert len(first) < 2_000 < 160_000 < len(second)  # 20,000 rows of eight bytes
    assert objectives(round_.outcomes()) == expected(1, SETTINGS)


# ------------------------------------------------------------------------ code
def test_functions_of_a_module_of_ones_own_go_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_helper.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "own_strategy.py").write_text(
        "import own_helper\n\ndef factory(params):\n    return own_helper.twice(params['a']) + 1\n"
    )
    module = importlib.import_module("own_strategy")
    try:
        (tmp_path / "pickled").write_bytes(dumps(module.factory))
    finally:
        sys.modules.pop("own_strategy")
        sys.modules.pop("own_helper")

    read = f"pickle.load(open({str(tmp_path / 'pickled')!r}, 'rb'))"
    done = subprocess.run(
        [sys.executable, "-c", f"import pickle; print({read}({{'a': 3}}))"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr


def test_a_module_with_what_cannot_travel_goes_by_its_name_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_locked.py").write_text(
        "import threading\n\nLOCK = threading.Lock()\n\n"
        "def factory(params):\n    with LOCK:\n        return params['a'] + 1\n"
    )
    module = importlib.import_module("own_locked")
    try:
        with pytest.warns(RuntimeWarning, match="own_locked cannot be sent to workers as it"):
            sent = dumps(module.factory)
        assert len(sent) < 100  # its name and no more
        assert pickle.loads(sent)({"a": 1}) == 2
    finally:
        sys.modules.pop("own_locked")


def test_pickling_changes_no_registry() -> None:
    import cloudpickle

    before = set(cloudpickle.list_registry_pickle_by_value())
    dumps(expected)
    assert set(cloudpickle.list_registry_pickle_by_value()) == before


def peek(plan: Plan, task: Task) -> Outcome:
    """1 where the rows are mapped, else 0."""
    values = plan.source.values  # type: ignore[attr-defined]
    return outcome_of(task, float(isinstance(owner(values), mmap.mmap)))


def test_workers_of_loky_map_the_rows() -> None:
    plan = plan_of(SETTINGS, source=Numbers(np.arange(50_000.0)))

    assert objectives(execute(plan, tasks_of(6, 3), n_jobs=2, run=peek)) == [1.0] * 6
    assert objectives(execute(plan, tasks_of(6, 3), n_jobs=1, run=peek)) == [0.0] * 6
