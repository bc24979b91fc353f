"""Grids and the settings that they hold."""

from typing import Any

import numpy as np
import pytest

from horizon.walkforward.choose import best_of
from horizon.walkforward.settings import check_grid, count_of, settings_of

NAN = float("nan")
INF = float("inf")


def test_settings_are_all_combinations_the_last_parameter_changing_first() -> None:
    grid = check_grid({"fast": [5, 10], "slow": [20, 50], "kind": ["sma"]})
    assert count_of(grid) == 4
    assert list(settings_of(grid)) == [
        {"fast": 5, "slow": 20, "kind": "sma"},
        {"fast": 5, "slow": 50, "kind": "sma"},
        {"fast": 10, "slow": 20, "kind": "sma"},
        {"fast": 10, "slow": 50, "kind": "sma"},
    ]


@pytest.mark.parametrize(
    "values", [(1, 2), range(1, 3), np.array([1, 2]), iter([1, 2])], ids=lambda v: type(v).__name__
)
def test_values_come_in_any_order_of_things(values: Any) -> None:
    grid = check_grid({"n": values})
    assert grid == {"n": [1, 2]}
    assert all(type(value) is int for value in grid["n"])


def test_values_may_be_anything() -> None:
    class Model:
        pass

    values = [None, [1, 2], [1, 2], len, Model, {"a": 1}, np.zeros(3)]
    assert len(check_grid({"x": values})["x"]) == 7


def test_true_is_another_value_than_one() -> None:
    assert check_grid({"x": [True, 1]})["x"] == [True, 1]


@pytest.mark.parametrize(
    "grid, error, text",
    [
        (None, TypeError, "param_grid must be a dict of parameters to lists of their values"),
        ([1], TypeError, "param_grid must be a dict"),
        ({}, ValueError, "param_grid must have at least one parameter, had none"),
        ({"x": []}, ValueError, r"param_grid\['x'\] must have at least one value, had none"),
        ({"x": 5}, TypeError, r"param_grid\['x'\] must be a list of values, was 5; .* write \[5\]"),
        ({"x": "ab"}, TypeError, r"param_grid\['x'\] must be a list of values, was 'ab'"),
        ({"x": {"a": 1}}, TypeError, r"param_grid\['x'\] must be a list of values"),
        ({"x": {1, 2}}, TypeError, "must have an order, was the set"),
        ({1: [1]}, TypeError, "a parameter's name must be text, was 1"),
        ({"x": [1, 1.0]}, ValueError, r"param_grid\['x'\] has the value 1.0 twice"),
        ({"engine": [1]}, ValueError, "must not have 'engine'"),
    ],
    ids=[
        "none",
        "list",
        "empty",
        "no-value",
        "number",
        "text",
        "dict",
        "set",
        "name",
        "twice",
        "engine",
    ],
)
def test_bad_grids_are_refused(grid: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_grid(grid)


@pytest.mark.parametrize(
    "objectives, maximize, best",
    [
        ([1.0, 3.0, 2.0], True, 1),
        ([1.0, 3.0, 2.0], False, 0),
        ([2.0, 3.0, 3.0], True, 1),  # of equal ones the first
        ([NAN, -5.0, NAN], True, 1),  # what says nothing ranks last
        ([NAN, -5.0, NAN], False, 1),
        ([NAN, NAN], True, 0),  # nobody says anything: the first
        ([1.0, INF, 2.0], True, 1),
        ([1.0, -INF, 2.0], False, 1),
        ([0.0, -0.0], True, 0),
    ],
    ids=["most", "least", "tie", "nan-max", "nan-min", "all-nan", "inf", "minus-inf", "zeros"],
)
def test_the_best_setting(objectives: list[float], maximize: bool, best: int) -> None:
    assert best_of(dict(enumerate(objectives)), maximize=maximize) == best
    # Whatever order they came back in.
    assert best_of(dict(reversed(list(enumerate(objectives)))), maximize=maximize) == best


def test_there_must_be_something_to_choose_from() -> None:
    with pytest.raises(ValueError, match="at least one setting"):
        best_of({}, maximize=True)


def test_an_axis_of_a_billion_values_is_refused_before_it_is_listed() -> None:
    with pytest.raises(ValueError, match=r"'fast'\] has 999,999,999 values, more than 1,000,000"):
        check_grid({"fast": range(1, 10**9)})
