"""Parameters as controls: what may be given, what its field is, what is read from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from horizon.widgets.explorer.parameters import Choice, Flag, Number, Parameter, Text
from horizon.widgets.explorer.space import Range, parameters_of
from horizon.widgets.fields import FieldError


def one(given: Any) -> Parameter:
    return parameters_of({"x": given})["x"]


# ------------------------------------------------------------------------ which control
@pytest.mark.parametrize(
    ("given", "kind", "start"),
    [
        (True, Flag, True),
        ([False, True], Flag, False),
        ("abc", Text, "abc"),
        (5, Number, 5),
        (0.25, Number, 0.25),
        (np.float64(0.25), Number, 0.25),
        ([5, 10, 20], Number, 5),
        (range(5, 50, 5), Number, 5),
        (np.array([0.1, 0.2, 0.4]), Number, 0.1),
        (["slow", "fast"], Choice, "slow"),
        ([20, 10, 5], Choice, 20),
        ([1, 2], Choice, 1),
        ([1, None, 2], Choice, 1),
        (("a", "b", "c"), Choice, "a"),
        (Range(0.0, 1.0), Number, 0.5),
        (Range(0, 10), Number, 5),
        (Range(0.0, 1.0, start=0.3), Number, 0.3),
    ],
    ids=str,
)
def test_what_is_given_makes_a_control_that_begins_somewhere(
    given: Any, kind: type, start: Any
) -> None:
    found = one(given)

    assert type(found) is kind
    assert found.start == start
    assert type(found.start) is type(start)


def test_its_field_has_a_key_of_ours_and_a_label_of_the_users() -> None:
    found = parameters_of({"a b‮": 1, "<b>": Range(1, 5, unit="bps")})

    assert [each.key for each in found.values()] == ["p1", "p2"]
    assert [each.field()["label"] for each in found.values()] == ["a b⟨U+202E⟩", "<b>, bps"]


@pytest.mark.parametrize(
    ("given", "stops"),
    [
        ([5, 10, 20], ["5", "10", "20"]),
        (range(1, 8, 3), ["1", "4", "7"]),
        (Range(0.1, 0.5, 0.1), ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        (Range(0, 10, 4), ["0", "4", "8"]),
        (Range(2, 5), ["2", "3", "4", "5"]),
        (5, []),
    ],
    ids=str,
)
def test_a_slider_stops_at_its_values(given: Any, stops: list[str]) -> None:
    assert one(given).field()["stops"] == stops


def test_a_range_without_steps_has_a_hundred_stops_apart() -> None:
    even = one(Range(0.0, 1.0)).field()["stops"]
    growing = one(Range(1.0, 100.0, log=True)).field()["stops"]

    assert (len(even), even[:3], even[-1]) == (101, ["0", "0.01", "0.02"], "1")
    # Half-way by factors is 10; each is 10 to the 2/100 of the one before: 1.047.
    assert (growing[0], growing[1], growing[50], growing[-1]) == ("1", "1.047", "10", "100")


def test_a_long_list_keeps_its_values_and_thins_its_stops() -> None:
    found = one(list(range(1000)))

    assert len(found.field()["stops"]) == 200
    assert found.field()["stops"][-1] == "999"
    assert found.read("997") == 997  # also where the slider does not stop


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["a", "b"], "radio"),
        (["a", "b", "c", "d", "e"], "choice"),
        (["a" * 30, "b" * 30], "choice"),
    ],
    ids=["few", "many", "long"],
)
def test_few_short_values_stand_side_by_side(given: list[str], shown: str) -> None:
    assert one(given).field()["kind"] == shown


# ------------------------------------------------------------------------ distributions
def test_a_distribution_is_a_range_with_its_quantiles_for_stops() -> None:
    found = one(stats.uniform(2.0, 4.0))  # from 2 to 6, so its quantile of 25 % is 3

    stops = found.field()["stops"]
    assert (stops[0], stops[25], stops[-1]) == ("2", "3", "6")
    assert found.start == 4.0
    with pytest.raises(FieldError, match="a number from 2 to 6, was 7"):
        found.read("7")


def test_of_a_distribution_without_ends_a_thousandth_is_cut_off_at_each() -> None:
    found = one(stats.norm(0.0, 1.0))  # 3.0902 is in every table of the normal distribution

    assert found.take(3.09) == 3.09
    with pytest.raises(ValueError, match="x must be a number from"):
        found.take(3.1)


def test_a_distribution_of_whole_numbers_has_whole_numbers() -> None:
    found = one(stats.randint(1, 5))

    assert found.field()["stops"] == ["1", "2", "3", "4"]
    with pytest.raises(FieldError, match="a whole number from 1 to 4"):
        found.read("2.5")


def test_distributions_of_optuna_are_ranges_and_choices() -> None:
    optuna = pytest.importorskip("optuna")
    made = optuna.distributions

    step = one(made.FloatDistribution(0.1, 0.3, step=0.1))
    whole = one(made.IntDistribution(1, 9, step=4))
    log = one(made.FloatDistribution(1.0, 100.0, log=True))
    kinds = one(made.CategoricalDistribution(("x", "y")))

    assert step.field()["stops"] == ["0.1", "0.2", "0.3"]
    assert whole.field()["stops"] == ["1", "5", "9"]
    assert log.field()["stops"][50] == "10"
    assert isinstance(kinds, Choice)


# ------------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("given", "text", "value"),
    [
        (Range(0.0, 1.0), " 0.25 ", 0.25),
        (Range(-1.0, 1.0), "−0.5", -0.5),
        (Range(0.1, 0.5, 0.1), "0.3", 0.3),
        (Range(0, 10), "7", 7),
        (Range(0, 10), "7.0", 7),
        ([5, 10, 20], "10", 10),
        ([0.5, 1.0, 1.5], "1", 1.0),
        (["slow", "fast"], "1", "fast"),
        ([1, None, 2], "1", None),
        (True, "", False),
        (True, "yes", True),
        ("abc", " d ", "d"),
        (3, "-4", -4),
        (0.5, "1e-3", 0.001),
    ],
    ids=str,
)
def test_what_is_written_is_read(given: Any, text: str, value: Any) -> None:
    read = one(given).read(text)

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("given", "text", "why"),
    [
        (Range(0.0, 1.0), "", "x is empty: give a number from 0 to 1"),
        (Range(0.0, 1.0), "1,5", "x must be a number from 0 to 1, was '1,5'"),
        (Range(0.0, 1.0), "nan", "x must be a number from 0 to 1, was 'nan'"),
        (Range(0.0, 1.0), "1e999", "x must be a finite number"),
        (Range(0.0, 1.0), "2", "x must be a number from 0 to 1, was 2"),
        (Range(0.1, 0.5, 0.1), "0.25", "from 0.1 to 0.5 in steps of 0.1, was 0.25"),
        (Range(0, 10), "2.5", "a whole number from 0 to 10, was 2.5"),
        ([5, 10, 20], "7", "x must be one of 5, 10, 20, was 7"),
        (["a", "b"], "2", "x must be one of its values, was '2'"),
        (True, "no", "x must be yes or nothing, was 'no'"),
        ("abc", "  ", "x must have 1 to 256 characters, has 0"),
        (3, "4.5", "x must be a whole number, was 4.5"),
        ([1, 2, 3], "٣", "x must be one of 1, 2, 3, was '٣'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_its_field(given: Any, text: str, why: str) -> None:
    with pytest.raises(FieldError) as caught:
        one(given).read(text)

    assert why in str(caught.value)
    assert caught.value.field == "p1"


@pytest.mark.parametrize(
    "given",
    [True, "abc", 5, 0.25, [5, 10, 20], ["a", "b"], [1, None], Range(0.0, 1.0), Range(0, 9, 3)],
    ids=str,
)
def test_what_is_written_of_a_value_reads_as_that_value(given: Any) -> None:
    found = one(given)

    assert found.read(found.write(found.start)) == found.start


def test_python_values_are_checked_as_written_ones_are() -> None:
    assert one(Range(0, 10)).take(np.int64(3)) == 3
    assert one([5, 10, 20]).take(10.0) == 10
    assert one([1, True, "a"]).take(True) is True
    with pytest.raises(TypeError, match="x must be a number, was '5'"):
        one(Range(0, 10)).take("5")
    with pytest.raises(ValueError, match="x must be one of 'a', 'b'; was 'c'"):
        one(["a", "b"]).take("c")
    with pytest.raises(TypeError, match="x must be True or False, was 1"):
        one(True).take(1)


# ------------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("params", "kind", "why"),
    [
        (None, TypeError, "params must be a dict"),
        ({}, ValueError, "params must be a dict"),
        ([("a", 1)], TypeError, "params must be a dict"),
        ({1: [2]}, TypeError, "name must be text, was 1"),
        ({" a": [2]}, ValueError, "must not begin or end with a blank"),
        ({"engine": [1]}, ValueError, "must not have 'engine'"),
        ({"a": []}, ValueError, r"params\['a'\] must have at least one value"),
        ({"a": [1, 1]}, ValueError, r"params\['a'\] has the value 1 twice"),
        ({"a": {1, 2}}, TypeError, "must have an order"),
        ({"a": {"b": 1}}, TypeError, r"params\['a'\] must be a list of values"),
        ({"a": float("nan")}, ValueError, "finite number"),
        ({"a": ...}, TypeError, r"params\['a'\] must be a list of values"),
    ],
    ids=str,
)
def test_what_is_no_parameter_is_refused(params: Any, kind: type[Exception], why: str) -> None:
    with pytest.raises(kind, match=why):
        parameters_of(params)


@pytest.mark.parametrize(
    ("arguments", "kind", "why"),
    [
        ((1.0, 1.0), ValueError, "high must be above low, were 1.0 and 1.0"),
        ((0.0, 1.0, 2.0), ValueError, "step must be at most 1, was 2.0"),
        ((0.0, 1.0, -1.0), ValueError, "step must be above 0"),
        ((0.0, 1.0, None, 2.0), ValueError, "start must be a number from 0 to 1, was 2.0"),
        ((0.0, 1.0, 0.5, 0.4), ValueError, "start must be .* in steps of 0.5, was 0.4"),
        ((0.0, 1.0, None, None, True), ValueError, "log is for a range of positive numbers"),
        (("a", 1.0), TypeError, "low must be a number"),
        ((0.0, 1.0, None, None, False, 5), TypeError, "unit must be text"),
    ],
    ids=str,
)
def test_a_range_that_is_none_is_refused(
    arguments: tuple[Any, ...], kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        Range(*arguments)


def test_values_to_begin_with_are_checked() -> None:
    space = {"fast": [5, 10, 20], "on": True}

    assert parameters_of(space, {"fast": 10})["fast"].start == 10
    with pytest.raises(ValueError, match=r"'fats', which is no parameter.*Did you mean 'fast'"):
        parameters_of(space, {"fats": 10})
    with pytest.raises(ValueError, match=r"^start\['fast'\] must be one of 5, 10, 20, was 7"):
        parameters_of(space, {"fast": 7})
    with pytest.raises(TypeError, match=r"^start\['on'\] must be True or False, was 1"):
        parameters_of(space, {"on": 1})
    with pytest.raises(TypeError, match="start must be a dict"):
        parameters_of(space, [("fast", 10)])  # type: ignore[arg-type]
