"""What a function that is handed to a search is told, and what it may do to the search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from horizon.walkforward import Searched, WalkForwardResult, cpcv, walk_forward
from horizon.walkforward.progress import Progress
from horizon.walkforward.tasks import Task
from tests.walkforward.fakes import NS, outcome_of, plan_of
from tests.walkforward.worked import holding

GRID = {"size": [1.0, 3.0, 0.0]}
NAN = math.nan


def walk(data: Any, tell: Callable[[Searched], object], **more: Any) -> WalkForwardResult:
    arguments: dict[str, Any] = {
        "objective": "total_return",
        "paper_fee_rate": 0.0,
        "n_splits": 2,
        "train_ratio": 0.5,
        **more,
    }
    return walk_forward(data, holding, GRID, progress=tell, **arguments)


def places(told: list[Searched]) -> list[tuple[str, int, int]]:
    return [(one.kind, one.window, one.setting) for one in told]


# ------------------------------------------------------------------------ what is told
def test_each_run_is_told_with_the_best_so_far(rising: Any) -> None:
    # As in `test_a_walk_by_hand`: trainings earn 48, 144 and nothing, then 73, 219 and nothing.
    told: list[Searched] = []
    found = walk(rising, told.append)

    assert [one.runs for one in told] == list(range(1, 16))
    assert {one.total for one in told} == {15}
    trainings = [("train", w, s) for w in (0, 1) for s in (0, 1, 2)]
    tests = [("test", 0, 1), ("test", 1, 1), ("test", 0, 0), ("test", 0, 2), ("test", 1, 0)]
    whole = [("whole", -1, s) for s in (0, 1, 2)]
    assert places(told) == [*trainings, *tests, ("test", 1, 2), *whole]
    np.testing.assert_array_equal(
        [one.objective for one in told],
        [48.0, 144.0, NAN, 73.0, 219.0, NAN, 69.0, 72.0, 23.0, NAN, 24.0, NAN, 99.0, 297.0, NAN],
    )
    assert [one.best for one in told] == [48.0, 144.0, 144.0, 144.0, *[219.0] * 11]
    assert [one.best_window for one in told] == [0, 0, 0, 0, *[1] * 11]
    assert told[0].best_params == {"size": 1.0}
    assert told[-1].best_params == {"size": 3.0}
    assert [one.why for one in told[:3]] == ["", "", "no trades"]
    assert [one.trades for one in told[:3]] == [1, 1, 0]
    assert told[1].params == {"size": 3.0}
    first = told[0]
    assert (first.method, first.name, first.metric) == (
        "walk_forward",
        "walk-forward",
        "total_return",
    )
    assert first.maximize
    assert first.windows == tuple(found.windows)
    assert first.settings == found.settings
    assert not any(one.is_found for one in told)
    assert [one.remaining for one in told][-1] == 0.0
    assert all(one.remaining is not None and one.remaining > 0.0 for one in told[:-1])
    assert [one.seconds for one in told] == sorted(one.seconds for one in told)


def test_what_is_told_can_neither_be_changed_nor_change_the_search(rising: Any) -> None:
    def spoil(searched: Searched) -> None:
        searched.params["size"] = 77.0
        assert searched.best_params is not None
        searched.best_params.clear()
        with pytest.raises(FrozenInstanceError):
            searched.runs = 3  # type: ignore[misc]

    found = walk(rising, spoil)

    assert found.settings == ({"size": 1.0}, {"size": 3.0}, {"size": 0.0})
    assert found.best_params_per_window == [{"size": 3.0}] * 2


def test_a_search_that_is_told_of_gives_the_same(rising: Any) -> None:
    alone = walk_forward(
        rising,
        holding,
        GRID,
        objective="total_return",
        paper_fee_rate=0.0,
        n_splits=2,
        train_ratio=0.5,
    )
    assert walk(rising, lambda _: None).outcomes == alone.outcomes


def test_what_the_cache_has_is_told_as_found(rising: Any, tmp_path: Path) -> None:
    told: list[Searched] = []
    walk(rising, lambda _: None, cache=tmp_path)
    walk(rising, told.append, cache=tmp_path)

    # The first is asked for by itself, by whose time the rest is estimated.
    assert [one.is_found for one in told] == [False, *[True] * 14]
    assert len(set(places(told))) == 15


def test_workers_tell_of_every_run_once(rising: Any) -> None:
    told: list[Searched] = []
    found = walk(rising, told.append, n_jobs=2, backend="threading")

    assert sorted(one.runs for one in told) == list(range(1, 16))
    assert sorted(places(told)) == sorted((o.task[1], o.task[2], o.task[3]) for o in found.outcomes)


def test_optuna_tells_of_settings_as_they_are_proposed(rising: Any) -> None:
    told: list[Searched] = []
    found = walk(rising, told.append, search="optuna", n_trials=3)

    assert all(one.setting < len(one.settings) for one in told)
    assert told[0].total == 3 * 2 * 3  # at most: three proposals for each of two windows
    assert [told[-1].runs, told[-1].total] == [found.n_runs] * 2
    assert told[-1].settings == found.settings
    assert told[-1].remaining == 0.0


def test_cpcv_tells_of_pieces_and_groups(rising: Any) -> None:
    told: list[Searched] = []
    found = cpcv(
        rising, holding, GRID, 4, 1, objective="total_return", paper_fee_rate=0.0,
        progress=told.append,
    )  # fmt: skip

    # Tests of one of four groups leave [1 to 3], [0] and [2, 3], [0, 1] and [3], [0 to 2].
    assert len(told[0].windows) == 6
    assert {one.method for one in told} == {"cpcv"}
    trainings = [one for one in told if one.kind == "train"]
    assert len(trainings) == 6 * 3
    assert sorted(one.window for one in told if one.kind == "test") == [0, 1, 2, 3]
    assert [told[-1].runs, told[-1].total, found.n_runs] == [22, 22, 22]
    # Before the trainings: each group with each setting, though no more than there are paths.
    assert told[0].total == 6 * 3 + 4 * 1
    assert told[-1].remaining == 0.0


def test_a_record_says_what_it_is_without_all_settings(rising: Any) -> None:
    told: list[Searched] = []
    walk(rising, told.append)

    assert "settings=" not in repr(told[0])
    assert "runs=1, total=15" in repr(told[0])
    assert "windows" not in told[0]._repr_html_()
    assert "&#x27;walk_forward&#x27;" in told[0]._repr_html_()


# ------------------------------------------------------------------------ what it may do
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_from_it_keeps_what_is_done(rising: Any, n_jobs: int) -> None:
    trained: Counter[int] = Counter()

    def stop(searched: Searched) -> None:
        # Two workers may end the second window before the first: whichever is whole first.
        if searched.kind == "train":
            trained[searched.window] += 1
            if trained[searched.window] == 3:
                raise KeyboardInterrupt

    found = walk(rising, stop, n_jobs=n_jobs, backend="threading")

    assert not found.is_complete
    whole = [window for window, runs in trained.items() if runs == 3]
    assert [window.number for window in found.windows] == whole
    assert n_jobs == 2 or whole == [0]
    assert found.n_planned == 15
    # The test of the window that was trained is run all the same.
    earned = {0: 69.0, 1: 72.0}
    assert [one.metrics.total_return for one in found.test_results] == [earned[w] for w in whole]


def test_a_second_interrupt_ends_the_tests_too(rising: Any) -> None:
    told: list[Searched] = []

    def stop(searched: Searched) -> None:
        told.append(searched)
        if searched.runs >= 6:
            raise KeyboardInterrupt

    found = walk(rising, stop)

    # Six trainings, and the first of the two tests: told, kept, and the last.
    assert [(one.kind, one.window) for one in told[5:]] == [("train", 1), ("test", 0)]
    assert [window.number for window in found.windows] == [0]


def test_an_interrupt_before_the_first_window_is_passed_on(rising: Any) -> None:
    def stop(_: Searched) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="before the first window"):
        walk(rising, stop)
    with pytest.raises(KeyboardInterrupt, match="before the first path"):
        cpcv(rising, holding, GRID, 4, 1, progress=stop)


@pytest.mark.parametrize(
    "error", [RuntimeError("enough"), CancelledError("enough"), OSError("enough")], ids=repr
)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_else_it_raises_ends_the_search(rising: Any, error: Exception, n_jobs: int) -> None:
    told: list[Searched] = []

    def stop(searched: Searched) -> None:
        told.append(searched)
        if searched.runs == 3:
            raise error

    # A pool's own errors mean that a worker was lost, and its runs are made again; these do not.
    with pytest.raises(type(error), match="enough") as caught:
        walk(rising, stop, n_jobs=n_jobs, backend="threading")
    assert caught.value is error
    assert len(told) == 3


def test_progress_that_is_neither_is_refused(rising: Any) -> None:
    for search in (walk_forward, cpcv):
        with pytest.raises(
            TypeError, match=r"progress must be True or False, or a function .* was 1 \(int\)"
        ):
            search(rising, holding, GRID, progress=1)  # type: ignore[operator]


# ------------------------------------------------------------------------ how long it takes
class Watch:
    """A clock that is told what time it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("horizon.walkforward.progress.time.perf_counter", lambda: self.now)


def run(number: int, seconds: int, *, took: float = 0.0) -> Any:
    """A training of setting 0 over so many seconds of data."""
    task = Task(number, "train", number, 0, 0, seconds * NS, 0, 0)
    return outcome_of(task, 1.0).__class__(task, 1.0, "", {}, 1, 4, took)


def test_the_rest_is_estimated_by_the_time_that_runs_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, told = Watch(monkeypatch), list[Searched]()
    bar = Progress(
        5, plan_of([{"a": 1.0}]), is_shown=False, tell=told.append, span_ns=100 * NS, workers=2
    )
    # 10 of 100 s of data in 4 s, alone: 90 more at 0.4 s each by two workers are 18 s.
    bar.begin_with(run(0, 10, took=4.0))
    assert told[-1].remaining == pytest.approx(18.0)
    watch.now = 5.0
    bar(run(1, 20))  # 20 in 5 s: the other 70 in 17.5 s
    assert told[-1].remaining == pytest.approx(17.5)
    watch.now = 6.0
    bar.found(run(2, 30))  # nobody has worked for it: 40 are left, 20 were done in 6 s
    assert told[-1].remaining == pytest.approx(12.0)
    bar.expect([run(3, 5).task])  # 5 are left after all
    watch.now = 8.0
    bar(run(3, 4))  # 1 is left, 24 were done in 8 s
    assert told[-1].remaining == pytest.approx(1 / 3)
    assert told[-1].total == 4
    assert told[-1].seconds == 8.0


def test_nothing_is_estimated_from_what_the_cache_has_had(monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch)
    told: list[Searched] = []
    bar = Progress(4, plan_of([{"a": 1.0}]), is_shown=False, tell=told.append, span_ns=40 * NS)
    bar.found(run(0, 10))

    assert told[-1].remaining is None


def test_where_no_span_is_known_runs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, told = Watch(monkeypatch), list[Searched]()
    bar = Progress(4, plan_of([{"a": 1.0}]), is_shown=False, tell=told.append)
    watch.now = 3.0
    bar(run(0, 10))

    assert told[-1].remaining == pytest.approx(9.0)


def test_a_bar_takes_the_number_of_runs_that_are_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(9, plan_of([{"a": 1.0}])) as bar:
        bar(run(0, 10))
        bar.expect([run(1, 10).task])
        bar(run(1, 10))

    assert "2/2" in capsys.readouterr().err
