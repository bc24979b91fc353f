"""Groups, splits, pieces of training and paths: by the book, by hand, and as laws."""

import itertools
import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from horizon.walkforward.groups import (
    Piece,
    cut_groups,
    path_table,
    splits_of,
    training_pieces,
)

EDGES = (0, 100, 200, 300, 400, 500, 600)


def test_splits_and_paths_of_the_book() -> None:
    # López de Prado (2018), chapter 12: N = 6 groups, k = 2: 15 splits and 5 paths, and the table
    # of which split's test of a group belongs to which path.
    splits = splits_of(6, 2)
    table = path_table(splits, 6)
    assert len(splits) == 15
    assert table.max() + 1 == 5
    book = """
        1 2 3 4 5 . . . . . . . . . .
        1 . . . . 2 3 4 5 . . . . . .
        . 1 . . . 2 . . . 3 4 5 . . .
        . . 1 . . . 2 . . 3 . . 4 5 .
        . . . 1 . . . 2 . . 3 . 4 . 5
        . . . . 1 . . . 2 . . 3 . 4 5
    """
    rows = [row.split() for row in book.strip().splitlines()]
    expected = [[-1 if cell == "." else int(cell) - 1 for cell in row] for row in rows]
    assert table.tolist() == expected


@pytest.mark.parametrize(
    ("n", "k", "n_splits", "n_paths"),
    # C(N, k) and C(N, k) · k / N by hand; one test group at a time is one path.
    [
        (2, 1, 2, 1),
        (10, 1, 10, 1),
        (6, 3, 20, 10),
        (10, 2, 45, 9),
        (5, 4, 5, 4),
        (16, 8, 12870, 6435),
    ],
)
def test_numbers_of_splits_and_paths(n: int, k: int, n_splits: int, n_paths: int) -> None:
    splits = splits_of(n, k)
    table = path_table(splits, n)
    assert (len(splits), int(table.max()) + 1) == (n_splits, n_paths)


@settings(deadline=None)
@given(st.integers(2, 9), st.data())
def test_each_path_has_one_test_of_every_group(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n - 1))
    splits = splits_of(n, k)
    table = path_table(splits, n)
    n_paths = math.comb(n, k) * k // n
    for path in range(n_paths):
        assert (table == path).sum(axis=1).tolist() == [1] * n
    for split, groups in enumerate(splits):
        assert [g for g in range(n) if table[g, split] >= 0] == list(groups)


@pytest.mark.parametrize(
    ("n", "k", "message"),
    [
        (1, 1, "n_groups must be 2 or more, was 1"),
        (6, 0, "n_test_groups must be 1 or more, was 0"),
        (6, 6, "n_test_groups must be from 1 to 5, so that one of 6 groups is left"),
        (6, 2.0, "n_test_groups must be a whole number"),
        (40, 20, "at most 100,000 splits"),
        (10**9, 10**8, "at most 100,000 splits"),
    ],
    ids=str,
)
def test_what_leaves_nothing_or_too_much_is_refused(n: int, k: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        splits_of(n, k)


# ------------------------------------------------------------------------ groups
def test_groups_share_their_edges() -> None:
    assert cut_groups(0, 600, 6) == EDGES
    # A third of 100 ns is not whole: 33.3 and 66.7 are rounded.
    assert cut_groups(1_000, 1_100, 3) == (1_000, 1_033, 1_067, 1_100)


@pytest.mark.parametrize(
    ("first", "last", "n", "message"),
    [(5, 5, 2, "groups need data that spans some time"), (0, 3, 6, "n_groups=6 leaves groups")],
)
def test_too_short_a_span_is_refused(first: int, last: int, n: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cut_groups(first, last, n)


# ------------------------------------------------------------------------ training
def test_pieces_around_two_tests_by_hand() -> None:
    # Tests of groups 1 and 4, [100, 200) and [400, 500). Training ends 7 before each, and goes on
    # 11 after; orders begin 5 later; the last row, at 600, belongs to it.
    found = training_pieces(EDGES, (1, 4), purge_ns=7, embargo_ns=11, warmup_ns=5)
    assert found == (Piece(0, 93, 0), Piece(211, 393, 216), Piece(511, 601, 516))
    assert [piece.length_ns for piece in found] == [93, 177, 85]


def test_neighbouring_tests_and_tests_at_the_ends() -> None:
    assert training_pieces(EDGES, (2, 3)) == (Piece(0, 200, 0), Piece(400, 601, 400))
    assert training_pieces(EDGES, (0, 5), purge_ns=1, embargo_ns=2) == (Piece(102, 499, 102),)
    assert training_pieces(EDGES, (0, 1, 2, 3, 4)) == (Piece(500, 601, 500),)


@settings(deadline=None)
@given(
    st.integers(2, 8),
    st.data(),
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_no_row_of_training_is_near_a_test(
    n: int, data: st.DataObject, purge: int, embargo: int, warmup: int
) -> None:
    tests = data.draw(st.sampled_from(splits_of(n, data.draw(st.integers(1, n - 1)))))
    edges = cut_groups(0, 100 * n, n)
    assume(purge + embargo + warmup < 100)
    pieces = training_pieces(edges, tests, purge_ns=purge, embargo_ns=embargo, warmup_ns=warmup)
    last = edges[-1]
    tested = [(edges[g], edges[g + 1] + (g == n - 1)) for g in tests]
    for row in range(last + 1):
        is_trained = any(piece.start_ns <= row < piece.end_ns for piece in pieces)
        is_near = any(start - purge <= row < end + embargo for start, end in tested)
        assert is_trained is not is_near
    for piece in pieces:
        assert piece.start_ns <= piece.orders_from_ns < piece.end_ns
    for one, other in itertools.pairwise(pieces):
        assert one.end_ns < other.start_ns
