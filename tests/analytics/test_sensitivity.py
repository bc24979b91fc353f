"""How far the best value of a parameter moves, and how flat the objective is around it."""

import itertools
import math

import numpy as np
import pytest

from horizon.analytics.sensitivity import ParameterStability, parameter_stability

GRID = [{"fast": fast, "slow": slow} for fast, slow in itertools.product([5, 10, 20], [50, 100])]


def of(name: str, found: tuple[ParameterStability, ...]) -> ParameterStability:
    return next(one for one in found if one.name == name)


def test_a_grid_by_hand() -> None:
    #            fast=5      fast=10     fast=20    each with slow 50 and 100
    table = [
        [0.0, 1.0, 2.0, 5.0, 1.0, 3.0],  # best: fast 10, slow 100; median 1.5, lead 3.5
        [4.0, 2.0, 2.0, 0.0, 0.0, 0.0],  # best: fast 5, slow 50; median 1, lead 3
    ]
    found = parameter_stability(GRID, [3, 0], table)
    fast, slow = of("fast", found), of("slow", found)
    assert fast.values == (5, 10, 20)
    assert fast.best == (10, 5)
    assert (fast.favourite, fast.share) == (5, 0.5)  # each once: the first of the values
    assert fast.move == 0.5  # one of two places
    assert fast.chance_move == pytest.approx(4 / 9)  # mean distance of two of three: 8/9 of 2
    # Beside fast 10 at slow 100: 1 and 3; beside fast 5 at slow 50: 2.
    assert fast.kept == pytest.approx(((1 - 1.5) / 3.5 + (3 - 1.5) / 3.5 + (2 - 1) / 3) / 3)
    assert fast.n_neighbours == 3
    assert slow.best == (100, 50)
    assert slow.move == 1.0
    assert slow.chance_move == 0.5
    # Beside slow 100 at fast 10: 2; beside slow 50 at fast 5: 2.
    assert slow.kept == pytest.approx(((2 - 1.5) / 3.5 + (2 - 1) / 3) / 2)


def test_less_is_better_where_it_is_said() -> None:
    table = np.array([[0.0, 1.0, 2.0, 5.0, 1.0, 3.0]])
    up = parameter_stability(GRID, [3], table)
    assert parameter_stability(GRID, [3], -table, maximize=False) == up
    assert math.isnan(up[0].move)  # one window has no next one
    assert up[0].share == 1.0


def test_a_plateau_keeps_everything_and_a_peak_nothing() -> None:
    settings = [{"n": n} for n in range(5)]
    (plateau,) = parameter_stability(settings, [2], [[0.0, 2.0, 2.0, 2.0, 0.0]])
    # The median is 2 and there is no lead over it: nothing to keep.
    assert math.isnan(plateau.kept)
    (wide,) = parameter_stability(settings, [2], [[0.0, 2.0, 2.0, 0.0, 0.0]])
    assert wide.kept == 0.5  # 2 on one side, the median 0 on the other
    (peak,) = parameter_stability(settings, [2], [[1.0, 1.0, 9.0, 1.0, 1.0]])
    assert peak.kept == 0.0


def test_a_neighbour_that_says_nothing_keeps_nothing() -> None:
    settings = [{"n": n} for n in range(4)]
    (found,) = parameter_stability(settings, [1], [[math.nan, 3.0, 2.0, 1.0]])
    # Median of 3, 2, 1 is 2: the lead is 1, of which 0 are left on both sides.
    assert (found.kept, found.n_neighbours) == (0.0, 2)


@pytest.mark.parametrize("best", [math.nan, math.inf])
def test_a_window_whose_best_says_nothing_is_left_out(best: float) -> None:
    settings = [{"n": n} for n in range(3)]
    (found,) = parameter_stability(settings, [0], [[best, 2.0, 1.0]])
    assert math.isnan(found.kept)
    assert found.n_neighbours == 0


def test_values_without_an_order_all_lie_beside_each_other() -> None:
    settings = [{"kind": kind} for kind in ("mean", "median", "last")]
    table = [[0.0, 1.0, 3.0], [4.0, 1.0, 0.0], [4.0, 1.0, 0.0]]
    (found,) = parameter_stability(settings, [2, 0, 0], table)
    assert found.values == ("mean", "median", "last")
    assert found.best == ("last", "mean", "mean")
    assert (found.favourite, found.share) == ("mean", pytest.approx(2 / 3))
    assert found.move == 0.5  # one change of two
    assert found.chance_move == pytest.approx(2 / 3)
    # Leads over medians 1: 2, 3, 3; beside them 0 and 1, 1 and 0, 1 and 0.
    assert found.kept == pytest.approx((-1 / 2 + 0 + 0 - 1 / 3 + 0 - 1 / 3) / 6)


def test_settings_of_a_random_search_have_no_neighbours() -> None:
    settings = [{"a": 0.3, "b": 7.0}, {"a": 0.1, "b": 9.0}, {"a": 0.2, "b": 8.0}]
    found = parameter_stability(settings, [0, 1], [[3.0, 1.0, 2.0], [0.0, 2.0, 1.0]])
    assert of("a", found).values == (0.1, 0.2, 0.3)
    assert of("a", found).move == 1.0
    assert math.isnan(of("a", found).kept)


def test_a_parameter_of_one_value_is_left_out() -> None:
    settings = [{"n": 1, "m": 5}, {"n": 2, "m": 5}]
    assert [one.name for one in parameter_stability(settings, [0], [[1.0, 2.0]])] == ["n"]


def test_values_of_any_kind_are_told_apart() -> None:
    def rule() -> None: ...

    settings = [{"x": value} for value in ([1, 2], [1, 3], rule, None, True, 1)]
    (found,) = parameter_stability(settings, [0, 5], [[1.0] * 6] * 2)
    assert len(found.values) == 6
    assert found.best == ([1, 2], 1)
    assert found.move == 1.0


@pytest.mark.parametrize(
    ("settings", "best", "table", "message"),
    [
        (GRID, [0], [[1.0, 2.0]], "objectives must have a row for each choice"),
        (GRID, [], np.zeros((0, 6)), "objectives must have a row for each choice"),
        (GRID, [6], [[0.0] * 6], r"best must be numbers of settings from 0, was \[6\]"),
        (GRID, [-1], [[0.0] * 6], "best must be numbers of settings"),
        ([{"a": 1}, {"b": 1}], [0], [[0.0, 0.0]], "settings must all have the parameters"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(
    settings: list[dict[str, int]], best: list[int], table: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parameter_stability(settings, best, table)
