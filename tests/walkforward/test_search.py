"""Settings drawn at random, and proposed by optuna."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from horizon.walkforward.search import draw_settings, optuna_settings

Settings = tuple[dict[str, Any], ...]


# ------------------------------------------------------------------------ at random
def test_lists_are_drawn_by_the_generator_of_the_seed() -> None:
    drawn = draw_settings({"a": [10, 20, 30], "b": ["x", "y", "z"]}, 1, seed=3)

    rng = np.random.default_rng(3)
    a, b = rng.integers(3), rng.integers(3)
    assert drawn == ({"a": [10, 20, 30][a], "b": ["x", "y", "z"][b]},)


def test_distributions_are_drawn_by_the_generator_of_the_seed() -> None:
    drawn = draw_settings({"a": scipy.stats.uniform(2.0, 3.0), "b": scipy.stats.norm(0, 1)}, 2, 5)

    # Setting by setting, parameter by parameter: a uniform is 2 + 3 u.
    rng = np.random.default_rng(5)
    for setting in drawn:
        assert setting["a"] == 2.0 + 3.0 * rng.uniform()
        assert setting["b"] == rng.standard_normal()


def test_numbers_are_pythons_own() -> None:
    (drawn, *_) = draw_settings(
        {
            "f": scipy.stats.loguniform(0.01, 1.0),
            "n": scipy.stats.randint(3, 90),
            "l": list(np.arange(5)),
        },
        3,
    )

    assert [type(value) for value in drawn.values()] == [float, int, int]
    assert list(drawn) == ["f", "n", "l"]
    assert 0.01 <= drawn["f"] <= 1.0
    assert 3 <= drawn["n"] < 90


def test_draws_follow_their_distributions() -> None:
    drawn = draw_settings(
        {"g": scipy.stats.gamma(2.0), "p": scipy.stats.poisson(400), "c": list(range(4))},
        4_000,
        seed=1,
    )

    assert scipy.stats.kstest([one["g"] for one in drawn], scipy.stats.gamma(2.0).cdf).pvalue > 0.01
    # The mean of 4,000 Poisson(400) has a standard deviation of 20 / sqrt(4000) = 0.32.
    assert abs(np.mean([one["p"] for one in drawn]) - 400.0) < 4 * 0.32
    counts = np.bincount([one["c"] for one in drawn])
    assert scipy.stats.chisquare(counts).pvalue > 0.01


@given(seed=st.integers(0, 2**32), few=st.integers(1, 20), more=st.integers(0, 30))
def test_more_trials_begin_with_the_same_settings(seed: int, few: int, more: int) -> None:
    space: dict[str, object] = {"a": list(range(9)), "b": scipy.stats.uniform(), "c": [True, None]}

    drawn = draw_settings(space, few + more, seed)

    assert draw_settings(space, few, seed) == drawn[:few]
    assert len({tuple(one.values()) for one in drawn}) == len(drawn) == few + more


@given(seed=st.integers(0, 1_000), count=st.integers(1, 11))
def test_no_setting_of_lists_is_drawn_twice(seed: int, count: int) -> None:
    drawn = draw_settings({"a": [1, 2, 3], "b": [1.5, 2.5, [4], {"x": 1}]}, count, seed)

    assert len({str(one) for one in drawn}) == count


def test_as_many_trials_as_combinations_are_the_grid() -> None:
    drawn = draw_settings({"a": [1, 2], "b": ["x", "y"]}, 4, seed=9)

    assert drawn == (
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    )


def test_fewer_combinations_than_trials_are_said() -> None:
    with pytest.warns(UserWarning, match="n_trials=7, but only 4 different settings") as caught:
        drawn = draw_settings({"a": [1, 2], "b": ["x", "y"]}, 7)

    assert len(drawn) == 4
    assert caught[0].filename == __file__


def test_a_distribution_that_runs_empty_is_said() -> None:
    with pytest.warns(UserWarning, match="only 3 different settings: the last 1,000 draws"):
        drawn = draw_settings({"n": scipy.stats.randint(0, 3)}, 10)

    assert sorted(one["n"] for one in drawn) == [0, 1, 2]


def test_seeds_differ_and_global_chance_is_left_alone() -> None:
    space: dict[str, object] = {"a": scipy.stats.norm()}
    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002

    assert draw_settings(space, 5, 1) != draw_settings(space, 5, 2)
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]  # noqa: NPY002


def test_vectors_are_drawn_too() -> None:
    drawn = draw_settings({"w": scipy.stats.dirichlet([1.0, 1.0, 1.0])}, 3)

    assert [math.isclose(one["w"].sum(), 1.0) for one in drawn] == [True] * 3


class OfOnesOwn:
    """Anything with rvs will do."""

    def rvs(self, random_state: np.random.Generator) -> str:
        return str(random_state.choice(["u", "v", "w"]))


def test_a_distribution_of_ones_own_is_drawn_from() -> None:
    drawn = draw_settings({"a": OfOnesOwn()}, 3)

    assert sorted(one["a"] for one in drawn) == ["u", "v", "w"]


class Nan:
    def rvs(self, random_state: object) -> float:
        return float("nan")


@pytest.mark.parametrize(
    ("space", "error", "text"),
    [
        ({}, ValueError, "param_grid must have at least one parameter, had none"),
        (3, TypeError, "param_grid must be a dict"),
        ({"a": 3}, TypeError, "param_grid['a'] must be a list of values, was 3"),
        ({"a": []}, ValueError, "param_grid['a'] must have at least one value, had none"),
        ({1: [1]}, TypeError, "a parameter's name must be text, was 1"),
        ({1: scipy.stats.norm()}, TypeError, "a parameter's name must be text, was 1"),
        ({"engine": scipy.stats.norm()}, ValueError, "param_grid must not have 'engine'"),
        ({"a": scipy.stats.gamma}, ValueError, "param_grid['a'] cannot be drawn from"),
        ({"a": Nan()}, ValueError, "param_grid['a'] must give finite numbers, gave nan"),
        ({"a": FloatDistribution(0, 1)}, TypeError, "which search='optuna' takes"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, dict) else None,
)
def test_bad_spaces(space: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        draw_settings(space, 2)

    assert text in str(caught.value)


@pytest.mark.parametrize("n_trials", [0, -1, 1.5, True, "3"])
def test_bad_numbers_of_trials(n_trials: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="n_trials must be"):
        draw_settings({"a": [1]}, n_trials)


# ------------------------------------------------------------------------ by optuna
class Asked:
    """Evaluates settings by a function of (window, parameters), and notes what it was asked."""

    def __init__(self, function: Callable[[int, dict[str, Any]], float]) -> None:
        self.function = function
        self.rounds: list[list[tuple[int, int]]] = []
        self.found: dict[tuple[int, int], float] = {}

    def __call__(self, pairs: list[tuple[int, int]], settings: Settings) -> Sequence[float]:
        self.rounds.append(pairs)
        found = [self.function(window, settings[number]) for window, number in pairs]
        self.found.update(zip(pairs, found, strict=True))
        return found


def look(
    function: Callable[[int, dict[str, Any]], float], space: dict[str, Any], **others: Any
) -> tuple[Settings, Asked]:
    asked = Asked(function)
    held: dict[str, Any] = {"n_trials": 30, "seed": 0, "n_windows": 2, "maximize": True, **others}
    return optuna_settings(space, evaluate=asked, **held), asked


SPACE: dict[str, Any] = {
    "x": FloatDistribution(-5.0, 5.0),
    "n": IntDistribution(1, 9),
    "kind": ["a", "b", "c"],
}


def hill(window: int, params: dict[str, Any]) -> float:
    """Best at x = 2 (window 0) or x = -2 (window 1), n = 5, kind b."""
    top = 2.0 if window == 0 else -2.0
    return -((params["x"] - top) ** 2) - abs(params["n"] - 5) - (params["kind"] != "b")


def test_the_same_seed_proposes_the_same() -> None:
    one, first = look(hill, SPACE)
    other, second = look(hill, SPACE)
    third, _ = look(hill, SPACE, seed=1)

    assert one == other
    assert first.rounds == second.rounds
    assert third != one


def test_eight_trials_a_window_are_asked_for_at_a_time() -> None:
    settings, asked = look(hill, SPACE, n_trials=20)

    assert len(asked.rounds) == 3  # 8, 8 and 4 for each of two windows
    assert [len(pairs) for pairs in asked.rounds] == [16, 16, 8]
    assert {window for window, _ in asked.rounds[0]} == {0, 1}
    # Settings stand in the order in which they were first proposed.
    order = list(dict.fromkeys(number for pairs in asked.rounds for _, number in pairs))
    assert order == list(range(len(settings))) == list(range(40))


def test_each_window_looks_for_its_own_best() -> None:
    settings, asked = look(hill, SPACE, n_trials=80)

    for window, top in ((0, 2.0), (1, -2.0)):
        own = {number: value for (w, number), value in asked.found.items() if w == window}
        best = settings[max(own, key=lambda number: own[number])]
        assert abs(best["x"] - top) < 1.0
        # Informed trials gather around the top; uniform ones would be 2.5 from it on average.
        late = [settings[number]["x"] for w, number in asked.found if w == window][40:]
        assert np.median(np.abs(np.array(late) - top)) < 1.25


def test_less_may_be_better() -> None:
    settings, asked = look(lambda _, p: p["x"] ** 2, SPACE, maximize=False, n_windows=1)

    late = [abs(settings[number]["x"]) for _, number in asked.found][16:]
    assert np.median(late) < 1.25  # 2.5 if they were uniform


def test_what_says_nothing_is_avoided() -> None:
    def half(_: int, params: dict[str, Any]) -> float:
        return math.nan if params["x"] < 0.0 else 1.0

    settings, asked = look(half, {"x": FloatDistribution(-5.0, 5.0)}, n_trials=80, n_windows=1)

    late = [settings[number]["x"] for _, number in asked.found][40:]
    assert sum(x < 0.0 for x in late) < 10  # 20 if it were forgotten


def test_nothing_but_nan_is_no_error() -> None:
    settings, _ = look(lambda *_: math.nan, SPACE, n_trials=12)

    assert len(settings) == 24


def test_infinity_is_the_best() -> None:
    settings, asked = look(
        lambda _, p: math.inf if p["kind"] == "c" else p["x"], SPACE, n_windows=1
    )

    late = [settings[number]["kind"] for _, number in asked.found][16:]
    assert late.count("c") > len(late) / 2


def test_a_setting_is_evaluated_once_for_each_window() -> None:
    settings, asked = look(lambda _, p: p["a"], {"a": [1.0, 2.0, 3.0]}, n_trials=40)

    pairs = [pair for round_ in asked.rounds for pair in round_]
    assert len(settings) == 3
    assert sorted(pairs) == [(w, n) for w in range(2) for n in range(3)]


def test_values_of_lists_may_be_anything() -> None:
    one, other = (lambda x: x), {"k": [1]}

    settings, _ = look(lambda _, p: float(p["f"] is one), {"f": [one, other, None]})

    found = [setting["f"] for setting in settings]
    assert len(found) == 3
    assert any(value is one for value in found)
    assert any(value is other for value in found)


def test_distributions_of_scipy_are_looked_through_by_their_quantiles() -> None:
    space = {
        "s": scipy.stats.loguniform(0.001, 10.0),
        "n": scipy.stats.randint(2, 6),
        "z": scipy.stats.norm(),
    }

    settings, _ = look(lambda _, p: -abs(math.log10(p["s"])), space, n_trials=60, n_windows=1)

    assert {setting["n"] for setting in settings} == {2, 3, 4, 5}
    assert all(type(setting["n"]) is int for setting in settings)
    assert all(0.001 <= setting["s"] <= 10.0 for setting in settings)
    # The quantiles of 0.1 % and 99.9 % of a standard normal: ±3.0902 (tables).
    assert max(abs(setting["z"]) for setting in settings) <= 3.0903
    assert min(abs(math.log10(setting["s"])) for setting in settings) < 0.1


def test_whole_numbers_of_scipy_that_are_equal_are_one_setting() -> None:
    settings, asked = look(
        lambda _, p: float(p["n"]), {"n": scipy.stats.randint(0, 3)}, n_trials=40, n_windows=1
    )

    assert sorted(setting["n"] for setting in settings) == [0, 1, 2]
    assert sum(map(len, asked.rounds)) == 3


def test_optunas_own_categories_and_steps_are_kept() -> None:
    space = {
        "c": CategoricalDistribution(("u", "v")),
        "n": IntDistribution(10, 50, step=20),
        "f": FloatDistribution(1e-4, 1.0, log=True),
    }

    settings, _ = look(lambda *_: 1.0, space)

    assert {setting["c"] for setting in settings} == {"u", "v"}
    assert {setting["n"] for setting in settings} == {10, 30, 50}
    assert all(1e-4 <= setting["f"] <= 1.0 for setting in settings)


def test_optuna_is_silent_and_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(optuna.logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look(hill, SPACE, n_trials=9)

    assert optuna.logging.get_verbosity() == optuna.logging.INFO
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("space", "error", "text"),
    [
        ({}, ValueError, "param_grid must have at least one parameter, had none"),
        ({"a": 3}, TypeError, "param_grid['a'] must be a list of values, was 3"),
        ({"a": OfOnesOwn()}, TypeError, "which search='random' takes"),
    ],
    ids=["empty", "number", "no quantiles"],
)
def test_bad_spaces_of_optuna(space: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        look(hill, space)

    assert text in str(caught.value)


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)

    with pytest.raises(ImportError, match=r"pip install 'horizon-workbench\[optuna\]'"):
        look(hill, {"a": [1]})
