"""Windows cut by hand."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.walkforward import WalkForwardWindow
from horizon.walkforward.windows import cut_windows, share_of

NS = 1_000_000_000


def seconds(windows: tuple[WalkForwardWindow, ...]) -> list[tuple[float, float, float, float]]:
    return [(w.train_start, w.train_end, w.test_start, w.test_end) for w in windows]


def test_expanding_windows_train_from_the_start() -> None:
    # The last 30 % of 1,000 seconds in five: 60 seconds each, from 700 on.
    windows = cut_windows(0, 1000 * NS, n_splits=5, train_ratio=0.7)
    assert seconds(windows) == [
        (0.0, 700.0, 700.0, 760.0),
        (0.0, 760.0, 760.0, 820.0),
        (0.0, 820.0, 820.0, 880.0),
        (0.0, 880.0, 880.0, 940.0),
        (0.0, 940.0, 940.0, 1000.0),
    ]
    assert [w.is_last for w in windows] == [False] * 4 + [True]
    assert [w.number for w in windows] == [0, 1, 2, 3, 4]


def test_rolling_windows_train_on_the_ratio_before_their_end() -> None:
    # 700 seconds each; the first three hundred drop out sixty by sixty.
    windows = cut_windows(0, 1000 * NS, n_splits=5, train_ratio=0.7, expanding=False)
    assert [(w.train_start, w.train_end) for w in windows] == [
        (0.0, 700.0),
        (60.0, 760.0),
        (120.0, 820.0),
        (180.0, 880.0),
        (240.0, 940.0),
    ]


def test_a_purge_ends_training_before_its_test() -> None:
    windows = cut_windows(0, 1000 * NS, n_splits=3, train_ratio=0.7, purge_ns=50 * NS)
    assert seconds(windows) == [
        (0.0, 650.0, 700.0, 800.0),
        (0.0, 750.0, 800.0, 900.0),
        (0.0, 850.0, 900.0, 1000.0),
    ]


def test_a_rolling_training_keeps_its_length_before_a_purge_but_for_what_is_not_there() -> None:
    windows = cut_windows(
        0, 1000 * NS, n_splits=3, train_ratio=0.7, expanding=False, purge_ns=50 * NS
    )
    # 650 − 700 lies before the data; 750 − 700 = 50; 850 − 700 = 150.
    assert [(w.train_start, w.train_end) for w in windows] == [
        (0.0, 650.0),
        (50.0, 750.0),
        (150.0, 850.0),
    ]


def test_the_last_test_has_the_last_row_and_the_others_not_their_end() -> None:
    first, last = cut_windows(0, 100 * NS, n_splits=2, train_ratio=0.5)
    assert first.test_until_ns == first.test_end_ns == last.test_start_ns == 75 * NS
    assert last.test_until_ns == 100 * NS + 1


def test_edges_are_rounded_to_the_nearest_nanosecond() -> None:
    # Half of ten, and five in three: 5 + 5/3 = 6.67, 5 + 10/3 = 8.33.
    windows = cut_windows(0, 10, n_splits=3, train_ratio=0.5)
    assert [(w.test_start_ns, w.test_end_ns) for w in windows] == [(5, 7), (7, 8), (8, 10)]


def test_a_ratio_is_the_decimal_number_that_it_is_written_as() -> None:
    # The float 0.7 is 5.6e-17 less: of a span of 10**17 ns it would be lost by rounding.
    assert share_of(10**17, 0.7) == 7 * 10**16
    assert share_of(3 * 10**18, 0.1) == 3 * 10**17


def test_times_in_between_do_not_matter() -> None:
    start = 1_700_000_000 * NS
    windows = cut_windows(start, start + 1000 * NS, n_splits=1, train_ratio=0.9)
    assert seconds(windows) == [
        (1_700_000_000.0, 1_700_000_900.0, 1_700_000_900.0, 1_700_001_000.0)
    ]


@given(
    first=st.integers(-(10**18), 10**18),
    span=st.integers(1_000, 10**18),
    n_splits=st.integers(1, 40),
    percent=st.integers(10, 90),
    expanding=st.booleans(),
    purge=st.integers(0, 50),
)
def test_windows_are_adjacent_and_train_on_the_past(
    first: int, span: int, n_splits: int, percent: int, expanding: bool, purge: int
) -> None:
    windows = cut_windows(
        first,
        first + span,
        n_splits=n_splits,
        train_ratio=percent / 100,
        expanding=expanding,
        purge_ns=purge,
    )
    assert len(windows) == n_splits
    assert windows[-1].test_end_ns == first + span
    assert all(a.test_end_ns == b.test_start_ns for a, b in pairwise(windows))
    for w in windows:
        assert first <= w.train_start_ns < w.train_end_ns == w.test_start_ns - purge
        assert w.test_start_ns < w.test_end_ns
        assert w.train_start_ns == first or not expanding
    # Equal but for the rounding of their edges.
    lengths = [w.test_end_ns - w.test_start_ns for w in windows]
    assert max(lengths) - min(lengths) <= 2


def test_data_of_one_moment_has_no_windows() -> None:
    with pytest.raises(ValueError, match="all of it is of one moment, 1970-01-01T00:00:05Z"):
        cut_windows(5 * NS, 5 * NS, n_splits=1, train_ratio=0.7)


def test_windows_that_would_be_empty_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_splits=5 and train_ratio=0\.7 leave windows empty"):
        cut_windows(0, 3, n_splits=5, train_ratio=0.7)


def test_a_purge_longer_than_training_is_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"purge_gap must be shorter than the first training window, which has 70 seconds "
        r"\(train_ratio=0\.7 of 100 seconds\); was 70 seconds",
    ):
        cut_windows(0, 100 * NS, n_splits=5, train_ratio=0.7, purge_ns=70 * NS)


def test_a_window_says_its_times_and_can_be_pickled() -> None:
    (window,) = cut_windows(0, 10 * NS, n_splits=1, train_ratio=0.5)
    assert repr(window) == (
        "<WalkForwardWindow 0: train 1970-01-01T00:00:00Z to 1970-01-01T00:00:05Z, "
        "test 1970-01-01T00:00:05Z to 1970-01-01T00:00:10Z>"
    )
    assert window._repr_html_().startswith("WalkForwardWindow 0")
    assert pickle.loads(pickle.dumps(window)) == window
