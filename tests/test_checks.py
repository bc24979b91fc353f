"""Argument checks: what is taken, as what, and what a refusal says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon import checks


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is New York's, five hours behind UTC in January."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# ------------------------------------------------------------------------ numbers
@pytest.mark.parametrize(
    "given",
    [
        2,
        2.0,
        np.int8(2),
        np.uint64(2),
        np.float16(2),
        np.float32(2),
        np.float64(2),
        np.longdouble(2),
        Decimal("2.0"),
        Fraction(4, 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_usual_kind_of_number_becomes_a_plain_float(given: Any) -> None:
    taken = checks.number("qty", given)
    assert taken == 2.0
    assert type(taken) is float


def test_decimal_and_fraction_become_the_nearest_float() -> None:
    assert checks.number("qty", Decimal("0.1")) == 0.1
    assert checks.number("qty", Fraction(1, 3)) == 1 / 3


NO_NUMBERS = [
    True,
    False,
    np.True_,
    "10",
    b"10",
    None,
    1j,
    [10],
    (10,),
    {10},
    np.array(10.0),
    np.array([10.0]),
    pd.Series([10.0]),
    object(),
    float,
    np.timedelta64(5, "s"),
    np.timedelta64(5),
    timedelta(seconds=5),
    pd.NA,
]


@pytest.mark.parametrize("given", NO_NUMBERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("check", [checks.number, checks.positive, checks.non_negative])
def test_what_is_no_number_is_a_type_error_that_names_argument_and_type(
    check: Callable[[str, object], float], given: Any
) -> None:
    with pytest.raises(TypeError) as caught:
        check("qty", given)
    assert "qty must be a number" in str(caught.value)
    assert type(given).__name__ in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        math.nan,
        math.inf,
        -math.inf,
        np.float32("nan"),
        np.float64("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1e400"),
        10**400,
        -(10**400),
        Fraction(10**400, 3),
        1e16,
        -1e16,
        1e15 + 1,
    ],
)
@pytest.mark.parametrize("check", [checks.number, checks.positive, checks.non_negative])
def test_numbers_that_are_not_finite_or_too_large_are_value_errors_that_name_the_argument(
    check: Callable[[str, object], float], given: Any
) -> None:
    with pytest.raises(ValueError, match=r"^qty must be "):
        check("qty", given)


def test_an_integer_too_long_to_print_is_still_refused_by_name() -> None:
    # Python refuses to write out integers of more than 4,300 digits.
    with pytest.raises(ValueError, match=r"^qty must be at most 1e15"):
        checks.number("qty", 10**5000)


def test_the_largest_number_taken_is_ten_to_the_fifteen() -> None:
    assert checks.number("qty", 10**15) == 1e15
    assert checks.number("qty", -1e15) == -1e15


@pytest.mark.parametrize("given", [0, 0.0, -0.0, -1e-300, Decimal("-0.5"), Fraction(-1, 7)])
def test_positive_refuses_zero_and_below_and_says_the_value(given: Any) -> None:
    with pytest.raises(ValueError) as caught:
        checks.positive("qty", given)
    assert str(caught.value) == f"qty must be above 0, was {given!r}"


def test_the_smallest_float_above_zero_is_positive() -> None:
    assert checks.positive("qty", 5e-324) == 5e-324


def test_non_negative_takes_zero_and_refuses_less() -> None:
    assert checks.non_negative("volume", 0) == 0.0
    with pytest.raises(ValueError, match=r"^volume must be 0 or more, was -1$"):
        checks.non_negative("volume", -1)


@pytest.mark.parametrize("given", [1, np.int32(1)])
def test_integer_takes_whole_numbers_as_int(given: Any) -> None:
    assert type(checks.integer("num_slices", given)) is int


@pytest.mark.parametrize(
    "given", [True, np.True_, 1.0, "1", None, Decimal(1), np.float64(1), np.timedelta64(1)]
)
def test_integer_refuses_everything_that_is_no_int(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^num_slices must be a whole number, was "):
        checks.integer("num_slices", given)


@pytest.mark.parametrize(("given", "word"), [(0, "1 or more"), (-3, "-3"), (10**16, "1e15")])
def test_integer_refuses_what_is_out_of_range(given: int, word: str) -> None:
    with pytest.raises(ValueError, match=r"^num_slices must be ") as caught:
        checks.integer("num_slices", given)
    assert word in str(caught.value)


def test_flag_takes_both_kinds_of_bool() -> None:
    assert checks.flag("post_only", True) is True
    assert checks.flag("post_only", np.False_) is False


@pytest.mark.parametrize("given", [1, 0, "yes", None, np.array(True), []])
def test_flag_refuses_what_merely_looks_like_a_bool(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^post_only must be True or False, was "):
        checks.flag("post_only", given)


# ------------------------------------------------------------------------ words
@pytest.mark.parametrize(
    "given",
    [
        "A",
        "a" * 256,
        "<script>alert(1)</script>",
        "Will it rain? (50% 'odds')",
        "日本株",
        "日本　株",
        "a\u00a0b",
        "Zürich/étage",
        "🚀",
        "polymarket:rain-2028",
    ],
)
def test_any_readable_text_of_up_to_256_characters_is_taken_as_it_is(given: str) -> None:
    assert checks.text("market_id", given) == given


def test_text_that_is_a_subclass_of_str_is_taken_as_plain_text() -> None:
    class Name(str):
        __slots__ = ()

    assert checks.text("market_id", np.str_("ACME")) == "ACME"
    assert type(checks.text("market_id", Name("ACME"))) is str


@pytest.mark.parametrize("length", [0, 257, 10_000])
def test_text_of_a_wrong_length_is_refused_with_the_length(length: int) -> None:
    with pytest.raises(ValueError) as caught:
        checks.text("market_id", "a" * length)
    assert str(caught.value) == f"market_id must have 1 to 256 characters, has {length}"


@pytest.mark.parametrize("given", [" ", " A", "A ", "A\u00a0", "\u3000A", "A\n", "\tA"])
def test_text_with_a_blank_at_an_end_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"^market_id must not begin or end with a blank"):
        checks.text("market_id", given)


@pytest.mark.parametrize("code", [0x00, 0x07, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x9F])
def test_text_with_a_control_character_is_refused_by_its_code(code: int) -> None:
    with pytest.raises(ValueError) as caught:
        checks.text("market_id", f"A{chr(code)}B")
    assert "market_id must not contain control characters" in str(caught.value)
    assert f"U+{code:04X}" in str(caught.value)
    assert chr(code) not in str(caught.value)


@pytest.mark.parametrize("given", [None, 5, b"ACME", ["ACME"], True])
def test_what_is_no_text_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^market_id must be text, was "):
        checks.text("market_id", given)


def test_one_of_lists_what_is_accepted_and_suggests_a_near_miss() -> None:
    assert checks.one_of("side", "buy", ("buy", "sell")) == "buy"
    with pytest.raises(ValueError) as caught:
        checks.one_of("side", "Buy", ("buy", "sell"))
    assert str(caught.value) == (
        "side must be one of 'buy', 'sell'; was 'Buy'. Did you mean 'buy'?"
    )
    with pytest.raises(ValueError, match=r"was 'long'$"):
        checks.one_of("side", "long", ("buy", "sell"))


@pytest.mark.parametrize("given", [None, 1, True, ["buy"], b"buy"])
def test_one_of_refuses_what_is_no_text_as_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^side must be one of 'buy', 'sell'; was "):
        checks.one_of("side", given, ("buy", "sell"))


def test_a_refused_value_is_shown_short_and_even_if_its_repr_fails() -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert checks.show("x" * 1000).endswith("(1002 characters)")
    assert len(checks.show("x" * 1000)) < 100
    assert checks.show(Rude()) == "<Rude whose repr failed: RuntimeError>"


# ------------------------------------------------------------------------ time
def test_seconds_become_nanoseconds_and_come_back_as_the_same_float() -> None:
    # 1.7e9 * 1e9 is past 2**53, so a plain product would be some nanoseconds off.
    for seconds in (0.0, 0.1, 1.5, 1_700_000_000.123456, 1_700_000_000.1, 4e9 + 1e-6, -1.25):
        assert checks.timestamp_ns("timestamp", seconds) / 1e9 == seconds


def test_whole_seconds_are_exact_in_every_type() -> None:
    for given in (1_700_000_000, 1_700_000_000.0, np.int64(1_700_000_000), np.float64(1.7e9)):
        assert checks.timestamp_ns("timestamp", given) == 1_700_000_000_000_000_000


def test_aware_datetimes_are_exact_to_the_microsecond_in_every_zone() -> None:
    # 2024-01-02 is 19,724 days after 1970-01-01: 54 * 365 + 13 leap days + 1.
    expected = (19_724 * 86_400 * 10**6 + 3 * 3600 * 10**6 + 654_321) * 1000
    moment = datetime(2024, 1, 2, 3, 0, 0, 654_321, tzinfo=UTC)
    assert checks.timestamp_ns("timestamp", moment) == expected
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert checks.timestamp_ns("timestamp", elsewhere) == expected


@pytest.mark.usefixtures("new_york")
def test_a_naive_datetime_is_local_time() -> None:
    # Midnight of 1 January 2024 in New York is 05:00 UTC; that day began at 1,704,067,200 s.
    naive = datetime(2024, 1, 1)
    assert checks.timestamp_ns("timestamp", naive) == (1_704_067_200 + 5 * 3600) * 10**9


@pytest.mark.usefixtures("new_york")
def test_a_naive_datetime_in_summer_has_the_summer_offset() -> None:
    # 1 July 2024 00:00 UTC is 1,719,792,000 s; New York is then four hours behind.
    naive = datetime(2024, 7, 1)
    assert checks.timestamp_ns("timestamp", naive) == (1_719_792_000 + 4 * 3600) * 10**9


def test_numpy_and_pandas_times_keep_their_nanoseconds() -> None:
    expected = 1_704_067_200_000_000_007
    stamp = np.datetime64("2024-01-01T00:00:00.000000007")
    assert checks.timestamp_ns("timestamp", stamp) == expected
    assert checks.timestamp_ns("timestamp", pd.Timestamp(expected, tz="UTC")) == expected


@pytest.mark.parametrize(
    "given",
    [
        True,
        np.True_,
        "2024-01-01",
        None,
        [0.0],
        date(2024, 1, 1),
        timedelta(1),
        np.timedelta64(1, "s"),
        Decimal(5),
        np.array(1.0),
    ],
)
def test_what_is_no_point_in_time_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^timestamp must be "):
        checks.timestamp_ns("timestamp", given)


@pytest.mark.parametrize(
    "given",
    [
        math.nan,
        math.inf,
        -math.inf,
        1e10,
        10**400,
        np.datetime64("NaT"),
        pd.NaT,
        datetime(1500, 1, 1, tzinfo=UTC),
        datetime(2300, 1, 1, tzinfo=UTC),
        datetime.min,
        datetime.max,
        np.datetime64("2500-01-01"),
        np.datetime64(2**62, "s"),
        np.datetime64(-(2**62), "D"),
        np.datetime64(10**9, "Y"),
    ],
)
def test_times_that_nanoseconds_cannot_say_are_value_errors_that_name_the_argument(
    given: Any,
) -> None:
    with pytest.raises(ValueError, match=r"^timestamp must "):
        checks.timestamp_ns("timestamp", given)
