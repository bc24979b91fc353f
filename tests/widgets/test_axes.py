"""The marks of an axis, for whatever prices and times there may be."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from horizon.widgets.axes import price_ticks, time_ticks


def assert_is_an_axis(low: float, high: float, axis: object, most: int) -> None:
    """The ends hold what is to be shown; the marks lie within, rise, and differ in text."""
    start, end, marks = axis  # type: ignore[misc]
    assert start <= low <= high <= end
    assert start < end
    assert all(map(math.isfinite, (start, end)))
    values = [value for value, _ in marks]
    texts = [text for _, text in marks]
    room = 1e-9 * (end - start)
    assert all(start - room <= value <= end + room for value in values)
    assert all(left < right for left, right in itertools.pairwise(values))
    assert len(set(texts)) == len(texts)
    assert len(marks) <= 2 * most
    assert all(0 < len(text) <= 32 and "nan" not in text and "inf" not in text for text in texts)


def test_prices_are_marked_at_round_numbers() -> None:
    # 6 % of 10 on each side: 99.4 to 110.6. A sixth of 11.2 is 1.87, the next round step 2.
    low, high, marks = price_ticks(100.0, 110.0)
    assert (low, high) == (pytest.approx(99.4), pytest.approx(110.6))
    assert [tuple(mark) for mark in marks] == [
        (100.0, "100"),
        (102.0, "102"),
        (104.0, "104"),
        (106.0, "106"),
        (108.0, "108"),
        (110.0, "110"),
    ]


def test_small_steps_have_the_decimals_that_tell_them_apart() -> None:
    # 0.397 to 0.453 is 0.056 wide, with room; a sixth is 0.0093, the next round step 0.01.
    _, _, marks = price_ticks(0.4, 0.45)
    assert [text for _, text in marks] == ["0.40", "0.41", "0.42", "0.43", "0.44", "0.45"]


def test_a_flat_line_has_room_above_and_below() -> None:
    low, high, marks = price_ticks(50.0, 50.0)
    assert low < 50.0 < high
    assert 50.0 in [value for value, _ in marks]


def test_large_prices_have_their_thousands_apart() -> None:
    _, _, marks = price_ticks(20_000.0, 40_000.0)
    assert "25,000" in [text for _, text in marks]


prices = st.floats(0.0, 1e15) | st.sampled_from([0.0, 5e-324, 4e-322, 2.3e-308, 1e-300, 1e15])


@given(prices, prices, st.integers(2, 12))
@example(0.0, 0.0, 6)
@example(4e-322, 4e-322, 6)
@example(1e15 - 0.25, 1e15, 6)
@example(1e15, 1e15, 6)
@example(1e-300, 1e-300, 6)
@example(0.0, 1e-300, 6)
@example(0.1, 0.1 + 1e-15, 6)
def test_prices_of_any_size_make_an_axis(one: float, other: float, most: int) -> None:
    low, high = sorted((one, other))
    assert_is_an_axis(low, high, price_ticks(low, high, most), most)


@given(st.floats(1e-6, 1e12), st.floats(1.001, 1e6))
def test_prices_that_people_trade_at_have_a_few_marks(low: float, ratio: float) -> None:
    _, _, marks = price_ticks(low, low * ratio)
    # The step is at most 2.5 times a sixth of the axis.
    assert len(marks) >= 2


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        # 60 s hold at most seven marks: 10 s apart.
        (
            0.0,
            60.0,
            [f"00:00:{second:02}" for second in range(0, 60, 10)] + ["00:01:00"],
        ),
        # An hour: ten minutes apart.
        (36_000.0, 39_600.0, [f"10:{m:02}" for m in range(0, 60, 10)] + ["11:00"]),
        # Three days: twelve hours apart, the day told.
        (
            0.0,
            259_200.0,
            [f"{day} Jan {hour}:00" for day in (1, 2, 3) for hour in ("00", "12")]
            + ["4 Jan 00:00"],
        ),
        # 30 days: a week apart, from the Thursday of 1970-01-01 on.
        (
            0.0,
            2_592_000.0,
            ["1970-01-01", "1970-01-08", "1970-01-15", "1970-01-22", "1970-01-29"],
        ),
    ],
)
def test_times_are_marked_at_round_times(start: float, end: float, shown: list[str]) -> None:
    assert [text for _, text in time_ticks(start, end)[2]] == shown


def test_one_moment_has_a_second_on_each_side() -> None:
    start, end, _ = time_ticks(100.0, 100.0)
    assert (start, end) == (99.0, 101.0)


moments = st.floats(-9.2e9, 9.2e9)


@given(moments, moments, st.integers(4, 12))
@example(-9.2e9, 9.2e9, 7)
@example(0.1, 0.5, 7)
@example(1_700_000_000.123, 1_700_000_000.125, 7)
@example(0.0, 5e-324, 7)
def test_times_of_any_stretch_make_an_axis(one: float, other: float, most: int) -> None:
    start, end = sorted((one, other))
    assert_is_an_axis(start, end, time_ticks(start, end, most), most)


@given(st.floats(0.0, 4e9), st.floats(0.01, 3e9))
def test_a_stretch_that_can_be_seen_has_a_mark(start: float, length: float) -> None:
    assert time_ticks(start, start + length)[2]
