"""Searches whose factory makes strategies."""

from typing import Any

import numpy as np
import pytest

import horizon as hz
from tests.walkforward.worked import holding, ticks_of

GRID = {"size": [1.0, 3.0, 0.0]}
ARGUMENTS: dict[str, Any] = {
    "objective": "total_return",
    "paper_fee_rate": 0.0,
    "n_splits": 2,
    "train_ratio": 0.5,
}


class Hold(hz.Strategy):
    """Wants so many units from its first row on."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.size = size

    def evaluate(self, f: Any, universe: Any) -> list[hz.Signal]:
        return [hz.Signal.increase(m, edge_bps=self.size) for m in universe if self.size]


class AsManyAsBasisPoints:
    def target(self, view: Any, account: Any) -> float:
        return float(view.edge_bps)


def by_strategy(params: dict[str, Any]) -> Any:
    return [Hold(params["size"])]


def test_a_search_over_strategies_is_that_over_the_same_rule_in_a_pipeline(rising: Any) -> None:
    by_signals = hz.walk_forward(
        rising, by_strategy, GRID, sizer=AsManyAsBasisPoints(), **ARGUMENTS
    )
    by_stage = hz.walk_forward(rising, holding, GRID, **ARGUMENTS)
    # By hand, in test_walk: 101 to 149 and so on.
    np.testing.assert_array_equal(by_stage.train_objectives[0], [48.0, 144.0, np.nan])
    np.testing.assert_array_equal(by_signals.train_objectives, by_stage.train_objectives)
    np.testing.assert_array_equal(by_signals.test_objectives, by_stage.test_objectives)
    assert by_signals.aggregate_equity == by_stage.aggregate_equity


def test_workers_and_combinations_find_the_same() -> None:
    data = ticks_of(100 + 5 * np.sin(np.arange(200.0)))
    more = {**ARGUMENTS, "sizer": AsManyAsBasisPoints()}
    here = hz.walk_forward(data, by_strategy, GRID, **more)
    there = hz.walk_forward(data, by_strategy, GRID, n_jobs=2, **more)
    np.testing.assert_array_equal(here.test_objectives, there.test_objectives)
    for name in ("n_splits", "train_ratio"):
        del more[name]
    paths = hz.cpcv(data, by_strategy, GRID, n_groups=4, n_test_groups=2, **more)
    del more["sizer"]
    same = hz.cpcv(data, holding, GRID, n_groups=4, n_test_groups=2, **more)
    np.testing.assert_array_equal(paths.train_objectives, same.train_objectives)


def test_a_list_may_hold_both_stages_and_strategies(rising: Any) -> None:
    seen = []

    def both(params: dict[str, Any]) -> Any:
        def look(ctx: Any) -> None:
            seen.append(ctx.inventory)

        return [look, Hold(params["size"])]

    hz.walk_forward(rising, both, {"size": [2.0]}, sizer=AsManyAsBasisPoints(), **ARGUMENTS)
    assert set(seen) == {0.0, 2.0}


def test_what_is_wrong_with_them_is_said_before_the_first_run(rising: Any) -> None:
    with pytest.raises(ValueError, match=r"for size=1.0: strategies must have different names"):
        hz.walk_forward(rising, lambda params: [Hold(1.0), Hold(2.0)], {"size": [1.0]}, **ARGUMENTS)
    with pytest.raises(TypeError, match=r"takes no 'strategies': .* come from pipeline_factory"):
        hz.walk_forward(rising, by_strategy, GRID, strategies=[Hold(1.0)], **ARGUMENTS)
