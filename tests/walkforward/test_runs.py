"""Searches, interrupts, caches and workers of a walk-forward."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import horizon as hz
from horizon.walkforward import WalkForwardResult, walk_forward
from tests.walkforward.worked import holding, swinging, ticks_of

GRID = {"size": [1.0, 3.0, 2.0]}


def walk(data: Any, **more: Any) -> WalkForwardResult:
    arguments: dict[str, Any] = {
        "pipeline_factory": holding,
        "param_grid": GRID,
        "objective": "total_return",
        "paper_fee_rate": 0.0,
        "n_splits": 2,
        "train_ratio": 0.5,
        **more,
    }
    return walk_forward(data, **arguments)


# ------------------------------------------------------------------------ interrupts
def interrupting(after: int, *, again: bool = False) -> Callable[[hz.BacktestResult], float]:
    """The total return; the run after so many is interrupted, and with `again` each one then."""
    done: list[str] = []

    def objective(result: hz.BacktestResult) -> float:
        done.append(result.name)
        if len(done) == after + 1 or (again and len(done) > after):
            raise KeyboardInterrupt
        return result.metrics.total_return

    return objective


def test_an_interrupt_before_any_window_is_one(rising: Any) -> None:
    for after in (0, 1, 2):  # three trainings make the first window
        with pytest.raises(KeyboardInterrupt):
            walk(rising, objective=interrupting(after))


@pytest.mark.parametrize("after", [3, 4, 5])
def test_an_interrupt_in_training_leaves_the_windows_that_were_trained(
    rising: Any, after: int
) -> None:
    found = walk(rising, objective=interrupting(after))
    assert not found.is_complete
    assert [window.number for window in found.windows] == [0]
    assert found.best_params_per_window == [{"size": 3.0}]
    assert found.test_results[0].metrics.total_return == 69.0
    assert found.aggregate_metrics.total_return == 69.0
    # Trainings that were done, and one test.
    assert (found.n_runs, found.n_planned) == (after + 1, 3 * 5)
    assert found.cautions[0] == f"Interrupted: 1 window is done, {after + 1} of 15 runs."
    assert np.isnan(found.test_objectives[0, 0])
    assert np.isnan(found.whole_objectives).all()


def test_another_interrupt_ends_what_an_interrupt_has_left(rising: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        walk(rising, objective=interrupting(4, again=True))


@pytest.mark.parametrize("after", [8, 10, 13])
def test_an_interrupt_after_the_tests_leaves_all_windows(rising: Any, after: int) -> None:
    # Six trainings, the two tests that count, four others, three over all.
    found = walk(rising, objective=interrupting(after))
    assert not found.is_complete
    assert len(found.windows) == 2
    assert found.n_runs == after
    assert [one.metrics.total_return for one in found.test_results] == [69.0, 72.0]


# ------------------------------------------------------------------------ caches
def test_a_cache_makes_only_what_is_new(rising: Any, tmp_path: Path) -> None:
    first = walk(rising, cache=tmp_path, objective="total_return")
    again = walk(rising, cache=tmp_path, objective="total_return")
    assert again.outcomes == first.outcomes
    assert again.aggregate_equity == first.aggregate_equity
    assert [one.seconds for one in again.outcomes] == [one.seconds for one in first.outcomes]
    larger = walk(
        rising, cache=tmp_path, objective="total_return", param_grid={"size": [1.0, 3.0, 2.0, 5.0]}
    )
    plain = walk(rising, objective="total_return", param_grid={"size": [1.0, 3.0, 2.0, 5.0]})
    assert larger.outcomes == plain.outcomes
    known = {one.seconds for one in first.outcomes}
    made = [one for one in larger.outcomes if one.seconds not in known]
    # Five runs of the new setting, and the tests of both windows in which it is now the best are
    # its own: nothing else is new.
    assert {one.task.setting for one in made} <= {1, 3}
    assert sum(one.task.setting == 3 for one in made) == 5


def test_a_cache_knows_other_data(rising: Any, tmp_path: Path) -> None:
    first = walk(rising, cache=tmp_path)
    other = {name: values.copy() for name, values in rising.items()}
    other["price"][-1] += 1.0
    changed = walk(other, cache=tmp_path)
    assert changed.test_objectives[1, 0] == first.test_objectives[1, 0] + 1.0


# ------------------------------------------------------------------------ workers
def test_workers_change_no_bit(noisy: Any) -> None:
    def with_workers(**more: Any) -> WalkForwardResult:
        return walk_forward(
            noisy, swinging, {"window": [3, 20], "spread": [0.2, 0.6]}, n_splits=2, **more
        )

    alone = with_workers()
    with ThreadPoolExecutor(2) as pool:
        for more in ({"n_jobs": 2}, {"n_jobs": 2, "backend": "threading"}, {"executor": pool}):
            other = with_workers(**more)
            assert other.outcomes == alone.outcomes
            assert other.aggregate_equity == alone.aggregate_equity
            assert other.best_settings == alone.best_settings


def test_workers_walk_files_and_callables_by_themselves(rising: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame(rising).to_parquet(path, row_group_size=10)

    def chunks() -> Any:
        for i in range(0, 101, 9):
            yield {name: values[i : i + 9] for name, values in rising.items()}

    alone = walk(rising)
    for data in (path, chunks):
        assert walk(data, n_jobs=2).outcomes == alone.outcomes


# ------------------------------------------------------------------------ searches
def test_a_random_search_tries_the_same_settings_in_all_windows(rising: Any) -> None:
    grid = {"size": scipy.stats.uniform(1.0, 4.0), "note": ["a", "b"]}
    found = walk(rising, param_grid=grid, search="random", n_trials=6, search_seed=3)
    assert len(found.settings) == 6
    sizes = [setting["size"] for setting in found.settings]
    assert len(set(sizes)) == 6
    assert all(1.0 <= size <= 5.0 for size in sizes)
    assert not np.isnan(found.train_objectives).any()
    # The data rises: the largest is the best, in both windows.
    assert found.best_settings == [int(np.argmax(sizes))] * 2
    again = walk(rising, param_grid=grid, search="random", n_trials=6, search_seed=3)
    assert again.outcomes == found.outcomes
    other = walk(rising, param_grid=grid, search="random", n_trials=6, search_seed=4)
    assert other.settings != found.settings


def test_optuna_searches_each_window_by_itself(rising: Any) -> None:
    grid = {"size": scipy.stats.uniform(1.0, 4.0)}
    found = walk(rising, param_grid=grid, search="optuna", n_trials=10)
    tried = ~np.isnan(found.train_objectives)
    assert (tried.sum(axis=1) <= 10).all()
    assert tried.any(axis=0).all()  # the settings are those that some window has tried
    for place, best in enumerate(found.best_settings):
        row = found.train_objectives[place]
        assert row[best] == np.nanmax(row)
    # Cells that were not run are NaN, in the tests too; over all data every setting was run.
    np.testing.assert_array_equal(np.isnan(found.test_objectives), ~tried)
    assert not np.isnan(found.whole_objectives).any()
    again = walk(rising, param_grid=grid, search="optuna", n_trials=10, n_jobs=2)
    assert again.outcomes == found.outcomes


def test_progress_is_shown_where_it_is_asked_for(
    rising: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    walk(rising)
    assert capsys.readouterr().err == ""
    walk(rising, progress=True)
    assert "15/15" in capsys.readouterr().err


def test_without_judging_the_search_nothing_runs_over_the_whole(rising: Any) -> None:
    found = walk(rising, overfitting=False)
    assert found.n_runs == 12
    assert found.whole_outcomes == (None, None, None)
    assert {one.task.kind for one in found.outcomes} == {"train", "test"}


def test_hundreds_of_markets_and_steps_are_chained(tmp_path: Path) -> None:
    data = {f"M{i}": ticks_of([50.0 + i, 51.0 + i] * 20) for i in range(20)}

    def factory(params: dict[str, Any]) -> Any:
        return [lambda ctx: hz.quotes(ctx.feed.price, params["spread"], 1)]

    found = walk(data, pipeline_factory=factory, param_grid={"spread": [0.5]}, n_splits=3)
    total = sum(one.metrics.total_trades for one in found.test_results)
    assert found.aggregate_metrics.total_trades == total > 0
    assert found.aggregate_metrics.closing_count == sum(
        one.metrics.closing_count for one in found.test_results
    )
    assert found.aggregate_metrics.total_fees == pytest.approx(
        sum(one.metrics.total_fees for one in found.test_results), rel=1e-12
    )
