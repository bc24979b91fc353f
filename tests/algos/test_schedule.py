"""Slicing: what is always true of it, and small schedules worked out by hand."""

import math
import random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from horizon.algos.schedule import due_count, iceberg_slices, twap_slices, weighted_slices

sizes = st.floats(min_value=1e-9, max_value=1e15, allow_subnormal=False)
weights = st.lists(
    st.one_of(st.just(0.0), st.floats(min_value=1e-6, max_value=1e9)), min_size=1, max_size=60
).filter(lambda given: sum(given) > 0.0)


def add_up_exactly(slices: tuple[float, ...], quantity: float, seed: int = 0) -> bool:
    shuffled = list(slices)
    random.Random(seed).shuffle(shuffled)
    return math.fsum(slices) == sum(slices) == sum(reversed(slices)) == sum(shuffled) == quantity


# ---------------------------------------------------------------------------- by hand
def test_equal_slices() -> None:
    assert twap_slices(100.0, 4) == (25.0, 25.0, 25.0, 25.0)
    assert twap_slices(5.0, 1) == (5.0,)


def test_a_third_cannot_be_equal_to_the_last_bit_but_adds_up() -> None:
    slices = twap_slices(1.0, 3)
    assert slices == pytest.approx((1 / 3,) * 3, rel=1e-15)
    assert add_up_exactly(slices, 1.0)


def test_slices_by_weight() -> None:
    # 3 + 2 + 1 + 1 + 2 + 4 = 13 parts of 100 each.
    assert weighted_slices(1_300.0, [3, 2, 1, 1, 2, 4]) == (300, 200, 100, 100, 200, 400)
    # 1000 x 3/13 = 230.769..., and so on.
    expected = [1_000.0 * w / 13 for w in (3, 2, 1, 1, 2, 4)]
    slices = weighted_slices(1_000.0, [3, 2, 1, 1, 2, 4])
    assert slices == pytest.approx(expected, rel=1e-13)
    assert add_up_exactly(slices, 1_000.0)


def test_weights_need_not_sum_to_one() -> None:
    assert weighted_slices(8.0, [0.25, 0.75]) == weighted_slices(8.0, [1e9, 3e9]) == (2.0, 6.0)


def test_zero_weights_are_zero_slices_wherever_they_are() -> None:
    assert weighted_slices(6.0, [0, 1, 0, 2, 0]) == (0.0, 2.0, 0.0, 4.0, 0.0)


def test_lots_are_whole_and_never_far_from_the_schedule() -> None:
    # 2.5, 5, 7.5, 10 round to 3, 5, 8, 10.
    assert twap_slices(10.0, 4, lot_size=1.0) == (3.0, 2.0, 3.0, 2.0)
    # Fewer lots than slices: .4 .8 1.2 1.6 2 of lots of 100 round to 0 1 1 2 2.
    assert twap_slices(200.0, 5, lot_size=100.0) == (0.0, 100.0, 0.0, 100.0, 0.0)


def test_iceberg_clips_are_the_visible_size_and_what_is_left() -> None:
    assert iceberg_slices(100.0, 30.0) == (30.0, 30.0, 30.0, 10.0)
    assert iceberg_slices(100.0, 25.0) == (25.0,) * 4
    assert iceberg_slices(10.0, 30.0) == (10.0,)


def test_an_iceberg_of_tenths_leaves_no_dust() -> None:
    # 0.3 / 0.1 is a hair under 3 in floats.
    assert len(iceberg_slices(0.3, 0.1)) == 3
    assert add_up_exactly(iceberg_slices(0.3, 0.1), 0.3)


@pytest.mark.parametrize(
    "elapsed, due",
    [(0, 1), (5, 1), (6, 2), (11, 2), (12, 3), (53, 9), (54, 10), (59, 10), (60, 10), (999, 10)],
)
def test_slices_come_due_at_multiples_of_the_interval(elapsed: int, due: int) -> None:
    # Ten slices over 60 s: one every 6 s, the first at once.
    second = 1_000_000_000
    assert due_count(elapsed * second, 60 * second, 10) == due


@given(st.integers(10_000, 10**17), st.integers(1, 1_000))
def test_a_slice_is_due_at_its_due_time_and_not_long_before(duration: int, n: int) -> None:
    assume(duration // n > 10_000)
    for k in {0, 1, n // 2, n - 1}:
        at = k * duration // n
        assert due_count(at, duration, n) >= min(k + 1, n)
        early = at - 2_000  # two microseconds
        if k > 0 and early >= 0:
            assert due_count(early, duration, n) == k


# ---------------------------------------------------------------------------- always
@given(sizes, st.integers(1, 400), st.integers(0, 9))
@example(1e15, 399, 0)
@example(1e-9, 400, 1)
def test_equal_slices_sum_to_the_parent_in_any_order(size: float, n: int, seed: int) -> None:
    slices = twap_slices(size, n)
    assert len(slices) == n
    assert min(slices) >= 0.0
    assert add_up_exactly(slices, size, seed)
    # Equal to rounding: a few units in the parent's last place.
    assert max(slices) - min(slices) <= 8.0 * math.ulp(size)


@given(sizes, weights, st.integers(0, 9))
@example(0.1, [0.0, 1e-6, 1e9, 0.0], 0)
def test_weighted_slices_sum_to_the_parent_in_any_order(
    size: float, given_weights: list[float], seed: int
) -> None:
    slices = weighted_slices(size, given_weights)
    assert len(slices) == len(given_weights)
    assert min(slices) >= 0.0
    assert add_up_exactly(slices, size, seed)
    total = math.fsum(given_weights)
    for weight, piece in zip(given_weights, slices, strict=True):
        if weight == 0.0:
            assert piece == 0.0
        # What is left at the end may be taken by the slice before it, if it is next to nothing.
        assert abs(piece - size * weight / total) <= 2e-12 * size


@given(st.integers(1, 10**6), st.sampled_from([1.0, 5.0, 100.0, 0.25, 0.5, 2.0**-10]), weights)
def test_binary_lots_stay_whole_and_sum_exactly(
    lots: int, lot: float, given_weights: list[float]
) -> None:
    size = lots * lot
    slices = weighted_slices(size, given_weights, lot)
    assert all(piece >= 0.0 and piece % lot == 0.0 for piece in slices)
    assert add_up_exactly(slices, size)
    # Never more than half a lot off the schedule.
    done, part, total = 0.0, 0.0, math.fsum(given_weights)
    for weight, piece in zip(given_weights, slices, strict=True):
        done, part = done + piece, part + weight
        assert abs(done - size * part / total) <= lot * (0.5 + 1e-6)


@given(st.integers(1, 10**5), st.sampled_from([0.1, 0.01, 0.001, 0.3, 1 / 3]), weights)
@example(7, 0.1, [1.0] * 7)
def test_decimal_lots_stay_whole_to_rounding_and_sum_exactly(
    lots: int, lot: float, given_weights: list[float]
) -> None:
    size = lots * lot
    slices = weighted_slices(size, given_weights, lot)
    assert min(slices) >= 0.0
    for piece in slices:
        assert abs(piece / lot - round(piece / lot)) <= 1e-9
    assert math.fsum(slices) == size
    assert sum(slices) == pytest.approx(size, rel=1e-14)


@given(sizes, st.floats(min_value=1e-3, max_value=2.0), st.integers(0, 9))
@example(0.3, 1 / 3, 0)
def test_iceberg_clips_sum_exactly_and_never_show_more(
    size: float, fraction: float, seed: int
) -> None:
    show = size * fraction
    assume(0.0 < show <= 1e15)
    clips = iceberg_slices(size, show)
    assert min(clips) > 0.0
    assert add_up_exactly(clips, size, seed)
    assert max(clips) <= show + 2.0 * math.ulp(size)
    assert len(clips) == max(math.ceil(size / show - 1e-9), 1)


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_iceberg_of_whole_lots_shows_whole_lots(size: int, show: int) -> None:
    clips = iceberg_slices(float(size), float(show))
    assert all(clip == int(clip) for clip in clips)
    assert all(clip == show for clip in clips[:-1])
