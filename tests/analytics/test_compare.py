"""Equity curves on one footing."""

import numpy as np
import pytest

from horizon.analytics.compare import common_start_ns, rebased, since
from horizon.analytics.curves import Curve


def made(*points: tuple[int, float]) -> Curve:
    times, equity = zip(*points, strict=True)
    return Curve(np.array(times, dtype=np.int64), np.array(equity, dtype=np.float64))


EMPTY = Curve(np.zeros(0, dtype=np.int64), np.zeros(0))


def test_common_start_is_the_latest_start() -> None:
    assert common_start_ns({"a": made((1, 5.0), (9, 6.0)), "b": made((4, 1.0), (5, 1.0))}) == 4


def test_a_curve_that_ends_where_another_begins_has_that_moment_in_common() -> None:
    assert common_start_ns({"a": made((1, 5.0), (4, 6.0)), "b": made((4, 1.0))}) == 4


@pytest.mark.parametrize(
    ("curves", "match"),
    [
        ({}, "one or more"),
        ({"a": EMPTY}, "'a' has none"),
        ({"a": made((1, 5.0)), "b": made((4, 1.0))}, "'a' ends before 'b' begins"),
    ],
    ids=["none", "empty", "apart"],
)
def test_without_a_common_time_there_is_no_start(curves, match) -> None:
    with pytest.raises(ValueError, match=match):
        common_start_ns(curves)


def test_since_takes_the_value_in_force() -> None:
    cut = since(made((1, 5.0), (4, 6.0), (9, 7.0)), 6)
    assert cut.times_ns.tolist() == [6, 9]
    assert cut.equity.tolist() == [6.0, 7.0]


def test_since_keeps_every_point_of_the_start_itself() -> None:
    curve = made((1, 5.0), (4, 6.0), (4, 6.5), (9, 7.0))
    assert since(curve, 4).equity.tolist() == [6.0, 6.5, 7.0]
    assert since(curve, 1) is curve


def test_since_after_the_end_is_the_last_value() -> None:
    cut = since(made((1, 5.0), (4, 6.0)), 8)
    assert (cut.times_ns.tolist(), cut.equity.tolist()) == ([8], [6.0])


def test_since_leaves_the_curve_as_it_was() -> None:
    curve = made((1, 5.0), (4, 6.0))
    since(curve, 2)
    assert curve.times_ns.tolist() == [1, 4]


def test_since_does_not_go_back_before_the_curve() -> None:
    with pytest.raises(ValueError, match="was 0"):
        since(made((1, 5.0)), 0)


def test_rebased_scales_from_the_first_value() -> None:
    # 4 to 5 is a quarter more, 4 to 3 a quarter less.
    curve = made((1, 4.0), (2, 5.0), (3, 3.0))
    assert rebased(curve).equity.tolist() == [100.0, 125.0, 75.0]
    assert rebased(curve, 1.0).equity.tolist() == [1.0, 1.25, 0.75]


@pytest.mark.parametrize("first", [0.0, -1.0])
def test_nothing_is_said_in_terms_of_nothing(first) -> None:
    with pytest.raises(ValueError, match="begin above 0"):
        rebased(made((1, first), (2, 1.0)))


def test_an_empty_curve_cannot_be_rebased() -> None:
    with pytest.raises(ValueError, match="begin above 0"):
        rebased(EMPTY)
    with pytest.raises(ValueError, match="value"):
        rebased(made((1, 1.0)), 0.0)
