"""Forms: what a page's fields hold, and the reading of it."""

from __future__ import annotations

from typing import Any

import pytest

from horizon.widgets.fields import (
    FieldError,
    Form,
    is_ticked,
    many_of,
    number_of,
    one_of,
    whole_of,
)


def form() -> Form:
    return Form({"from": "", "to": "", "span": "all"})


def test_a_page_says_what_its_fields_hold() -> None:
    own = form()
    own.wrong = {"from": "no day", "to": "no day"}
    assert own.take({"values": {"from": "a", "to": "", "span": "all"}, "by": "p", "edit": 3}) == {
        "from"
    }
    picture = own.picture([{"name": "from"}])
    assert picture["values"] == {"from": "a", "to": "", "span": "all"}
    assert (picture["by"], picture["edit"], picture["wrong"]) == ("p", 3, {"to": "no day"})
    # A field that this page does not show keeps what it holds.
    assert own.take({"values": {"to": "b"}, "by": "p", "edit": 4}) == {"to"}
    assert own.values["from"] == "a"


def test_what_a_page_has_not_touched_is_no_wish() -> None:
    own = form()
    own.values["from"] = "filled in by the kernel"
    stale = {"from": "", "to": "b", "span": "all"}
    assert own.take({"values": stale, "touched": ["to"], "by": "p", "edit": 1}) == {"to"}
    assert own.values["from"] == "filled in by the kernel"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "values must hold the texts of the fields"),
        ({"values": {"from": 3}, "by": "p"}, "from must be text"),
        ({"values": {"from": "x" * 100_001}, "by": "p"}, "at most 100,000 letters"),
        ({"values": {"from": "x"}}, "by must be text"),
    ],
    ids=["nothing", "number", "long", "nobody"],
)
def test_what_is_no_form_changes_nothing(given: dict[str, Any], message: str) -> None:
    own = form()
    with pytest.raises(TypeError, match=message):
        own.take(given)
    assert own.values == {"from": "", "to": "", "span": "all"}


def test_numbers_and_choices_are_read_or_refused() -> None:
    values = {"n": " 2.5 ", "w": "12", "c": "a", "m": "b\na", "t": "yes", "bad": "1,000"}
    assert number_of(values, "n") == 2.5
    assert whole_of(values, "w") == 12
    assert one_of(values, "c", ("a", "b")) == "a"
    assert many_of(values, "m", ("a", "b", "c")) == ["a", "b"]
    assert is_ticked(values, "t") is True
    for read, field, message in (
        (number_of, "bad", "bad must be a number above 0 such as 12.5, without a comma"),
        (whole_of, "n", "n must be a whole number of 1 or more"),
        (lambda v, f: one_of(v, f, ("x",)), "c", "c must be one of 'x', was 'a'"),
        (lambda v, f: many_of(v, f, ("a",)), "m", "m has 'b', which is none of its choices"),
    ):
        with pytest.raises(FieldError, match=message) as caught:
            read(values, field)  # type: ignore[operator]
        assert caught.value.field == field
