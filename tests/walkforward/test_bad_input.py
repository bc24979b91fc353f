"""What a walk-forward refuses, and what it says."""

import functools
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.errors import DataError, PipelineError
from horizon.walkforward import walk_forward
from horizon.walkforward.asked import check_size
from horizon.walkforward.whole import is_more_better
from tests.walkforward.worked import holding, ticks_of

GRID = {"size": [1.0, 2.0]}


def never(params: dict[str, Any]) -> Any:
    raise AssertionError("nothing may be run")


def refused(error: Any, text: str, **more: Any) -> pytest.ExceptionInfo[Exception]:
    arguments: dict[str, Any] = {
        "data": ticks_of(np.arange(100.0, 200.0)),
        "pipeline_factory": never,
        "param_grid": GRID,
        **more,
    }
    with pytest.raises(error, match=text) as caught:
        walk_forward(**arguments)
    return caught


# ------------------------------------------------------------------------ windows
def test_windows_that_end_up_empty() -> None:
    # 50 rows in the first second, one at 1,000: the tests lie in the gap.
    data = ticks_of([5.0] * 50, step=0.02)
    data = {
        "timestamp": np.append(data["timestamp"], 1000.0),
        "price": np.append(data["price"], 5.0),
    }
    refused(
        ValueError,
        r"test window 0 has no rows: the data has none from 1970-01-01T00:11:40Z to "
        r"1970-01-01T00:12:40Z\. Windows are cut by time; give fewer than n_splits=5",
        data=data,
    )


def test_training_windows_that_end_up_empty() -> None:
    # Rolling: the second training is [300, 400), where nothing is.
    data = {"timestamp": [*range(50), *range(150, 200), 500, 800, 1000], "price": [5.0] * 103}
    refused(
        ValueError,
        r"training window 1 has no rows: the data has none from 1970-01-01T00:05:00Z to "
        r"1970-01-01T00:06:40Z\. Windows are cut by time",
        data=data,
        expanding=False,
        n_splits=3,
        train_ratio=0.1,
    )


def test_purge_longer_than_training() -> None:
    refused(
        ValueError,
        r"purge_gap must be shorter than the first training window, which has 69\.3 seconds",
        purge_gap=70.0,
    )


def test_a_purge_that_leaves_no_row_to_train_on() -> None:
    data = {"timestamp": [0.5, *range(40, 101)], "price": [5.0] * 62}
    text = "training window 0 has no rows"
    refused(ValueError, text, data=data, span=(0.0, 100.0), purge_gap=69.9)


def test_fewer_rows_than_splits() -> None:
    refused(
        ValueError,
        "n_splits=5 needs more rows than windows: the data has 4",
        data=ticks_of([1.0, 2.0, 3.0, 4.0]),
    )


def test_data_of_one_moment() -> None:
    text = "windows need data that spans some time"
    refused(ValueError, text, data={"timestamp": [5.0, 5.0], "price": [1.0, 2.0]})


def test_an_embargo_as_long_as_a_test() -> None:
    text = r"embargo must be shorter than a test window, which has 5\.94 seconds; was 6"
    refused(ValueError, text, embargo=6.0)


def test_an_embargo_that_leaves_no_row() -> None:
    data = {"timestamp": [*range(85), 100.0], "price": [5.0] * 86}
    text = "test window 0 has no rows after its embargo"
    refused(ValueError, text, data=data, n_splits=2, embargo=14.9)


@pytest.mark.parametrize(
    "name, value, error, text",
    [
        ("n_splits", 0, ValueError, "n_splits must be 1 or more, was 0"),
        ("n_splits", 2.5, TypeError, "n_splits must be a whole number, was 2.5"),
        ("n_splits", True, TypeError, "n_splits must be a whole number"),
        ("train_ratio", 0.0, ValueError, "train_ratio must lie between 0 and 1, was 0.0"),
        ("train_ratio", 1.0, ValueError, "train_ratio must lie between 0 and 1, was 1.0"),
        ("train_ratio", float("nan"), ValueError, "train_ratio must be a finite number"),
        ("train_ratio", "0.7", TypeError, "train_ratio must be a number"),
        ("expanding", 1, TypeError, "expanding must be True or False"),
        ("maximize", "yes", TypeError, "maximize must be True or False"),
        ("overfitting", None, TypeError, "overfitting must be True or False"),
        ("progress", 1, TypeError, "progress must be True or False"),
        ("purge_gap", -1.0, ValueError, "purge_gap must be 0 or more"),
        ("purge_gap", float("inf"), ValueError, "purge_gap must be a finite number"),
        ("purge_gap", 1e12, ValueError, "purge_gap must be at most 9.2e9 seconds"),
        ("embargo", -1.0, ValueError, "embargo must be 0 or more"),
        ("warmup", -1.0, ValueError, "warmup must be 0 or more"),
        ("warmup", "1h", TypeError, "warmup must be a number"),
        ("initial_capital", 0.0, ValueError, "initial_capital must be above 0"),
        ("max_hours", 0.0, ValueError, "max_hours must be above 0"),
        ("search", "gird", ValueError, r"search must be one of .*Did you mean 'grid'\?"),
        ("n_trials", 5, ValueError, "n_trials belongs to search='random' or 'optuna', was 5"),
        ("search_seed", -1, ValueError, "search_seed must be 0 or more"),
        ("risk", {"max_order_size": 1}, TypeError, "risk must be a RiskConfig"),
        ("markets", "ACME", TypeError, "markets must be a list of ids or Markets"),
        ("n_jobs", 0, ValueError, "n_jobs"),
        ("backend", 5, TypeError, "backend"),
        ("executor", "pool", TypeError, "executor"),
        ("cache", 5, TypeError, "cache must be the path of a folder"),
        ("span", 5, TypeError, "span must be a pair"),
        ("initial_capital", "1000", TypeError, "initial_capital must be a number"),
    ],
)
def test_arguments_that_cannot_be(name: str, value: Any, error: Any, text: str) -> None:
    refused(error, text, **{name: value})


# ------------------------------------------------------------------------ objective
def test_an_unknown_objective_with_its_near_match() -> None:
    refused(
        ValueError,
        r"objective must be the name of a metric .*was 'sharp_ratio'\. Did you mean 'sharpe_ratio'",
        objective="sharp_ratio",
    )


def test_an_objective_that_is_none() -> None:
    refused(TypeError, "objective must be the name of a metric, or a function", objective=None)


# ------------------------------------------------------------------------ grid
@pytest.mark.parametrize(
    "grid, error, text",
    [
        ({}, ValueError, "param_grid must have at least one parameter, had none"),
        (None, TypeError, "param_grid must be a dict of parameters"),
        ({"size": []}, ValueError, r"param_grid\['size'\] must have at least one value, had none"),
        ({"size": 5}, TypeError, r"param_grid\['size'\] must be a list of values, was 5"),
    ],
    ids=["empty", "none", "no-values", "no-list"],
)
@pytest.mark.parametrize("search", ["grid", "random", "optuna"])
def test_a_grid_without_settings(grid: Any, error: Any, text: str, search: str) -> None:
    more = {} if search == "grid" else {"n_trials": 3}
    refused(error, text.split(",")[0], param_grid=grid, search=search, **more)


@pytest.mark.parametrize("search", ["random", "optuna"])
def test_a_search_without_an_end(search: str) -> None:
    refused(ValueError, f"search='{search}' needs n_trials=", search=search)
    refused(ValueError, "n_trials must be 1 or more", search=search, n_trials=0)


# ------------------------------------------------------------------------ a grid too large
def test_a_grid_of_too_many_runs_says_how_many_and_how_long_the_first_took() -> None:
    made: list[Any] = []

    def factory(params: dict[str, Any]) -> Any:
        made.append(params)
        return holding({"size": 1.0})

    refused(
        ValueError,
        # 10^9 settings, on 5 trainings, 5 tests and the whole.
        r"the search would be 11,000,000,000 runs, and the first took [\d.]+ s: .* d .* on 1 "
        r"worker, over max_hours=24\. Give fewer values or splits, or search='random' with "
        r"n_trials=; or say max_hours=None to run it all the same",
        pipeline_factory=factory,
        param_grid={name: list(range(1000)) for name in "abc"},
    )
    assert all(params == {"a": 0, "b": 0, "c": 0} for params in made)


def test_a_grid_that_takes_too_long_says_so_after_the_first_run() -> None:
    refused(
        ValueError,
        r"would be 22 runs, and the first took .* on 2 workers, over max_hours=1e-09",
        pipeline_factory=holding,
        max_hours=1e-9,
        n_jobs=2,
    )


def test_a_size_that_is_meant() -> None:
    check_size(10, 8640.0, 24.0)  # just a day
    check_size(10**9, 1e6, None)
    check_size(20, 8640.0, 24.0, workers=2)
    with pytest.raises(ValueError, match=r"11 runs, and the first took 2 h 24 min: 1 d 2 h 24 min"):
        check_size(11, 8640.0, 24.0)
    with pytest.raises(ValueError, match=r"100,001 runs, .*, more than 100,000 runs"):
        check_size(100_001, 1e-6, 24.0)


# ------------------------------------------------------------------------ factories
def test_a_factory_that_is_none() -> None:
    refused(TypeError, "pipeline_factory must be a function .* was None", pipeline_factory=None)
    refused(
        TypeError,
        "pipeline_factory must be a function that takes a dict",
        pipeline_factory=[lambda ctx: None],
    )


def test_a_factory_that_returns_no_pipeline() -> None:
    refused(
        TypeError,
        r"pipeline_factory must return a pipeline .*returned None for size=1\.0",
        pipeline_factory=lambda params: None,
    )


def test_a_factory_that_raises_for_a_late_setting_does_so_before_anything_has_run() -> None:
    ran: list[float] = []

    def factory(params: dict[str, Any]) -> Any:
        if params["size"] == 9.0:
            raise ZeroDivisionError("nine")
        return [lambda ctx: ran.append(params["size"])]

    refused(
        ValueError,
        r"pipeline_factory raised ZeroDivisionError: nine, for size=9\.0",
        pipeline_factory=factory,
        param_grid={"size": [1.0, 2.0, 9.0]},
    )
    assert not ran


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_stage_that_raises_names_window_and_parameters(n_jobs: int) -> None:
    def factory(params: dict[str, Any]) -> Any:
        def stage(ctx: Any) -> None:
            if params["size"] == 2.0 and ctx.timestamp >= 75.0:
                raise KeyError("late")

        return [stage]

    # Trainings end at 69.3, 75.24, 81.18 …: the second has the row at 75.
    caught = refused(
        PipelineError,
        r"KeyError.*late.*\(in the training of window 1, with size=2\.0\)",
        pipeline_factory=factory,
        n_jobs=n_jobs,
    )
    assert isinstance(caught.value, PipelineError)
    assert caught.value.stage == "stage"


# ------------------------------------------------------------------------ data
def test_a_one_shot_iterator() -> None:
    text = "must be a callable that returns a fresh iterator of chunks at each call"
    refused(TypeError, text, data=iter([ticks_of([1.0, 2.0])]))
    refused(TypeError, text, data=(table for table in [ticks_of([1.0, 2.0])]))


def test_a_callable_that_gives_one_iterator_again_and_again() -> None:
    for make in (iter, lambda tables: (table for table in tables)):
        once = make([ticks_of(np.arange(1.0, 100.0))])
        refused(
            (ValueError, DataError), "fresh iterator", data=functools.partial(lambda x: x, once)
        )


def test_no_data() -> None:
    refused(ValueError, r"data \(or book_data\) must be given", data=None)
    refused(DataError, "data holds no rows", data=[])


def test_a_row_that_cannot_be_true() -> None:
    data = ticks_of(np.arange(100.0, 200.0))
    data["price"][57] = np.inf
    refused(DataError, "feed 'data', row 57", data=data)


# ------------------------------------------------------------------------ what is passed on
def test_an_argument_that_nobody_takes_with_its_near_match() -> None:
    refused(TypeError, r"walk_forward\(\) got 'purge', .*Did you mean 'purge_gap'\?", purge=1.0)
    refused(TypeError, r"got 'fil_model', .*Did you mean 'fill_model'\?", fil_model="glft")
    refused(TypeError, r"got 'strategy', .*Did you mean 'pipeline_factory'\?", strategy=1)
    refused(TypeError, r"got 'commission', .*Did you mean 'paper_fee_rate'\?", commission=0)
    refused(TypeError, "got 'zzz', which neither it nor hz.backtest takes$", zzz=1)


def test_arguments_of_a_backtest_that_a_search_has_of_its_own() -> None:
    refused(TypeError, "takes no 'pipeline': the pipeline comes from pipeline_factory", pipeline=[])
    refused(TypeError, "takes no 'trade_from': give warmup=", trade_from=5)


def test_arguments_of_a_backtest_are_checked_before_the_search() -> None:
    refused(
        ValueError, "fill_model='glft' needs book_data", fill_model="glft", pipeline_factory=holding
    )
    refused(ValueError, "name must have 1 to 256", name="")
    refused(ValueError, "params must not hold 'engine'", params={"engine": 1})
    refused(ValueError, "params and param_grid both have 'size'", params={"size": 1})
    refused(ValueError, "feeds names market 'x'", feeds={"x": "y"}, markets=["a"])
    refused(ValueError, "outcomes names market 'x'", outcomes={"x": 1.0})
    refused(ValueError, "periods_per_year must be above 0", periods_per_year=0)


def test_a_parameter_may_be_called_anything() -> None:
    grid = {"window": [1], "why": [2], "train_objective": [3.5], "setting": [4], "a b": [5]}
    found = walk_forward(
        ticks_of(np.arange(100.0, 200.0)), lambda params: holding({"size": 1.0}), grid, n_splits=1
    )
    frame = found.to_frame()
    assert frame.index.names == ["window", "setting"]
    assert frame["param_window"].tolist() == [1]
    assert frame["param_train_objective"].tolist() == [3.5]
    assert frame["a b"].tolist() == [5]
    assert isinstance(found.test_results[0], hz.BacktestResult)


# ------------------------------------------------------------------------ what is better
@pytest.mark.parametrize(
    "objective,maximize,more",
    [
        ("sharpe_ratio", None, True),
        ("max_drawdown_pct", None, False),
        ("total_fees", None, False),
        ("worst_day", None, True),
        ("max_drawdown_pct", True, True),
        (len, None, True),
        (len, False, False),
    ],
    ids=["sharpe", "drawdown", "fees", "worst day", "drawdown asked for", "function", "less of it"],
)
def test_whether_more_is_better(objective: Any, maximize: Any, more: bool) -> None:
    assert is_more_better(objective, maximize) is more


def test_a_search_of_any_size_is_of_all_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horizon.walkforward.walk.MOST_RUNS", 3)
    rows = ticks_of(np.arange(100.0, 200.0))
    found = walk_forward(rows, holding, GRID, n_splits=2, max_hours=None)
    assert [one["size"] for one in found.settings] == [1.0, 2.0]
    assert found.n_runs == 2 * (2 + 2 + 1)
    monkeypatch.setattr("horizon.walkforward.asked.MOST_RUNS", 3)
    refused(ValueError, "more than 3 runs", pipeline_factory=holding)


def test_workers_are_a_number() -> None:
    refused(TypeError, "n_jobs must be a whole number", n_jobs="all")


def test_a_distribution_needs_another_search() -> None:
    stats = pytest.importorskip("scipy.stats")
    refused(
        TypeError,
        r"param_grid\['size'\] is a distribution, .*give search='random' or 'optuna'",
        param_grid={"size": stats.randint(1, 5)},
    )
