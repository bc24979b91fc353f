"""Books through time, and their depth on a grid of price and time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from horizon.analytics.depth import depth_grid
from horizon.books import read_books
from horizon.errors import DataError

NS = 1_000_000_000


def book(at: float, bids: Any = (), asks: Any = ()) -> dict[str, Any]:
    return {"timestamp": at, "bids": list(bids), "asks": list(asks)}


def wide(**columns: Any) -> pd.DataFrame:
    whole = {
        "timestamp": [0.0, 1.0],
        "bid_px_1": [10.0, 10.0],
        "bid_sz_1": [1.0, 1.0],
        "ask_px_1": [11.0, 11.0],
        "ask_sz_1": [1.0, 1.0],
    }
    return pd.DataFrame(whole | columns)


# ------------------------------------------------------------------------------ the grid
def test_a_cell_holds_the_time_weighted_mean_size_of_its_price() -> None:
    grid = depth_grid(
        [
            book(0.0, [(10, 4)], [(12, 1)]),
            book(3.0, [(10, 8), (9, 2)], [(11, 6)]),
            book(8.0, [(9, 1)], [(11, 5)]),  # ends the grid: no time of its own
        ],
        n_times=2,
    )
    # Two columns of 4 s each; rows of one tick, 1: 9, 10, 11 and 12.
    assert grid.tick == 1.0
    assert grid.time_edges_ns.tolist() == [0, 4 * NS, 8 * NS]
    assert grid.price_edges.tolist() == [8.5, 9.5, 10.5, 11.5, 12.5]
    assert grid.prices.tolist() == [9.0, 10.0, 11.0, 12.0]
    assert grid.times_ns.tolist() == [2 * NS, 6 * NS]
    # First column: 3 s of the first book, 1 s of the second. Bids at 10: (3*4 + 1*8) / 4 = 5;
    # at 9: 1*2 / 4 = 0.5. Asks at 12: 3*1 / 4 = 0.75; at 11: 1*6 / 4 = 1.5.
    # Second column: 4 s of the second book.
    assert grid.bid_sizes.tolist() == [[0.5, 2.0], [5.0, 8.0], [0.0, 0.0], [0.0, 0.0]]
    assert grid.ask_sizes.tolist() == [[0.0, 0.0], [0.0, 0.0], [1.5, 6.0], [0.75, 0.0]]


def test_rows_of_several_ticks_add_the_sizes_of_their_prices() -> None:
    # The prices 0.50, 0.51, ... 0.55, a tick of 0.01, at most three rows: two ticks each, 50 and
    # 51, 52 and 53, 54 and 55; their edges lie half a tick lower.
    bids = [(0.52, 4), (0.51, 2), (0.50, 1)]
    asks = [(0.53, 8), (0.54, 16), (0.55, 32)]
    grid = depth_grid([book(0.0, bids, asks), book(1.0, bids, asks)], n_times=1, n_prices=3)
    assert grid.tick == 0.01
    assert grid.price_edges == pytest.approx([0.495, 0.515, 0.535, 0.555], abs=1e-12)
    assert grid.bid_sizes.tolist() == [[3.0], [4.0], [0.0]]
    assert grid.ask_sizes.tolist() == [[0.0], [8.0], [48.0]]


def test_rows_begin_at_multiples_of_their_height_and_are_never_too_many() -> None:
    # The prices 1 to 4 in at most two rows: two ticks each would begin at 0, 2 and 4.
    grid = depth_grid(
        [book(0.0, [(2, 1), (1, 1)], [(3, 1), (4, 1)]), book(1.0)], n_times=1, n_prices=2
    )
    assert grid.price_edges.tolist() == [-0.5, 2.5, 5.5]
    assert (grid.bid_sizes + grid.ask_sizes).tolist() == [[2.0], [2.0]]


def test_prices_off_every_grid_have_rows_of_equal_height() -> None:
    low, high = 1.0 / 3.0, 2.0 / 3.0
    grid = depth_grid([book(0.0, [(low, 2)], [(high, 3)]), book(1.0)], n_times=1, n_prices=4)
    assert grid.tick == 0.0
    # From 1/3 to 2/3 in four; the highest price belongs to the last row.
    assert grid.price_edges == pytest.approx([1 / 3, 5 / 12, 1 / 2, 7 / 12, 2 / 3])
    assert grid.bid_sizes[:, 0].tolist() == [2.0, 0.0, 0.0, 0.0]
    assert grid.ask_sizes[:, 0].tolist() == [0.0, 0.0, 0.0, 3.0]


def test_prices_that_arithmetic_made_are_on_the_grid_that_was_meant() -> None:
    # 0.1 + 0.2 is not the float 0.3; the tick is 0.1 all the same.
    grid = depth_grid([book(0.0, [(0.1 + 0.2, 1), (0.1, 1)], [(0.7, 1)]), book(1.0)], n_times=1)
    assert grid.tick == 0.1
    assert len(grid.prices) == 7


def test_a_book_that_another_follows_at_once_counts_for_nothing() -> None:
    grid = depth_grid([book(0.0, [(5, 100)]), book(0.0, [(5, 2)]), book(2.0, [(5, 9)])], n_times=1)
    assert grid.bid_sizes.tolist() == [[2.0]]


def test_books_of_one_time_show_the_last_as_it_stands() -> None:
    grid = depth_grid([book(7.0, [(5, 1)]), book(7.0, [(5, 3)], [(6, 4)])])
    assert grid.time_edges_ns.tolist() == [7 * NS, 7 * NS]
    assert (grid.bid_sizes.tolist(), grid.ask_sizes.tolist()) == ([[3.0], [0.0]], [[0.0], [4.0]])


def test_between_leaves_out_what_lies_outside() -> None:
    bids = [(10, 1), (9, 2), (2, 50)]
    grid = depth_grid([book(0.0, bids, [(11, 3), (900, 9)]), book(1.0)], between=(9, 11))
    assert grid.prices.tolist() == [9.0, 10.0, 11.0]
    assert grid.bid_sizes[:, 0].tolist() == [2.0, 1.0, 0.0]


def test_a_window_begins_with_the_book_before_it() -> None:
    books = [
        book(0.0, [(5, 1)]),
        book(10.0, [(5, 3)]),
        book(20.0, [(6, 8)]),
        book(30.0, [(6, 8)]),
    ]
    grid = depth_grid(books, n_times=2, start_ns=8 * NS, end_ns=12 * NS)
    # Two seconds of size 1, then two of size 3; the price 6 is of later books.
    assert grid.time_edges_ns.tolist() == [8 * NS, 10 * NS, 12 * NS]
    assert grid.bid_sizes.tolist() == [[1.0, 3.0]]
    assert grid.books.times_ns.tolist() == [0, 10 * NS]
    # It goes no further than the books do.
    for start, end, edges in (
        (-5, 10, [0, 10]),
        (25, 99, [25, 30]),
        (-9, -5, [0, 0]),
        (50, 60, [30, 30]),
    ):
        grid = depth_grid(books, n_times=1, start_ns=start * NS, end_ns=end * NS)
        assert grid.time_edges_ns.tolist() == [edge * NS for edge in edges]
    assert grid.bid_sizes.tolist() == [[8.0]]
    assert depth_grid([], start_ns=0).bid_sizes.shape == (0, 0)
    # Nanoseconds of today are large numbers.
    today = 1_723_161_254 * NS
    later = [book(1_723_161_254 + at, [(5, 1)]) for at in (0, 10)]
    grid = depth_grid(later, n_times=1, start_ns=today + 1, end_ns=today + 2)
    assert grid.time_edges_ns.tolist() == [today + 1, today + 2]
    with pytest.raises(TypeError, match=r"start_ns must be int nanoseconds since 1970, was 1.5"):
        depth_grid(books, start_ns=1.5)


def test_without_books_there_are_no_cells_and_without_prices_no_rows() -> None:
    nothing = depth_grid([])
    assert nothing.bid_sizes.shape == nothing.ask_sizes.shape == (0, 0)
    assert len(nothing.books) == len(nothing.books.mid) == 0
    empty = depth_grid([book(0.0), book(1.0)], n_times=5)
    assert empty.bid_sizes.shape == (0, 5)
    assert np.isnan(empty.books.best_bid).all()
    # A level of size 0 is nothing that rests.
    assert depth_grid([book(0.0, [(5, 0)]), book(1.0)]).prices.tolist() == []


def test_times_closer_than_a_column_each_make_fewer_columns() -> None:
    times = np.array([0, 3], dtype="datetime64[ns]")
    frame = wide(timestamp=times)
    assert depth_grid(frame, n_times=100).time_edges_ns.tolist() == [0, 1, 2, 3]


@pytest.mark.no_cover
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**12),
            st.lists(st.integers(1, 400), max_size=6, unique=True),
            st.lists(st.integers(401, 800), max_size=6, unique=True),
        ),
        min_size=2,
        max_size=12,
    ),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_no_size_is_lost_whatever_the_grid(
    drawn: list[tuple[int, list[int], list[int]]], n_times: int, n_prices: int
) -> None:
    drawn.sort(key=lambda it: it[0])
    books = [
        book(
            ns / 1e9,
            [(price / 8, price) for price in sorted(bids, reverse=True)],
            [(price / 8, price) for price in sorted(asks)],
        )
        for ns, bids, asks in drawn
    ]
    grid = depth_grid(books, n_times=n_times, n_prices=n_prices)
    assert grid.bid_sizes.shape[0] <= n_prices
    times = grid.books.times_ns
    held = np.diff(times)
    widths = np.diff(grid.time_edges_ns)
    for cells, number in ((grid.bid_sizes, 1), (grid.ask_sizes, 2)):
        sizes = np.array([sum(row[number]) for row in drawn], dtype=float)
        wanted = (sizes[:-1] * held).sum() if times[-1] > times[0] else sizes[-1]
        total = (cells * widths).sum() if times[-1] > times[0] else cells.sum()
        assert total == pytest.approx(wanted, rel=1e-9)


def test_three_thousand_books_of_ten_levels_are_gridded_at_once() -> None:
    import time

    steps = np.arange(3_000)
    middle = 100.0 + np.cumsum(np.random.default_rng(3).integers(-1, 2, 3_000)) * 0.01
    frame = {"timestamp": steps.astype(float)}
    for level in range(1, 11):
        frame[f"bid_px_{level}"] = np.round(middle - 0.01 * level, 2)
        frame[f"ask_px_{level}"] = np.round(middle + 0.01 * level, 2)
        frame[f"bid_sz_{level}"] = frame[f"ask_sz_{level}"] = np.ones(3_000)
    began = time.perf_counter()
    grid = depth_grid(pd.DataFrame(frame))
    assert time.perf_counter() - began < 0.3
    # Ten levels of size 1 on each side of every book.
    assert grid.bid_sizes.sum(axis=0) == pytest.approx(np.full(240, 10.0))


# ------------------------------------------------------------------------------ what is read
def test_mappings_and_frames_of_all_kinds_say_the_same() -> None:
    frame = wide(
        timestamp=[5.0, 6.5],
        bid_px_2=[9.5, np.nan],
        bid_sz_2=[3.0, np.nan],
        ask_px_1=[10.5, 11.0],
    )
    listed = [
        book(5.0, [(10.0, 1.0), (9.5, 3.0)], [(10.5, 1.0)]),
        book(6.5, [(10.0, 1.0)], [(11.0, 1.0)]),
    ]
    milliseconds = frame.drop(columns="timestamp").assign(exchange_ts_ms=[5_000, 6_500])
    nanoseconds = frame.drop(columns="timestamp").assign(local_ts_ns=[5 * NS, 6_500_000_000])
    dated = frame.assign(timestamp=pd.to_datetime([5_000, 6_500], unit="ms"))
    for given_books in (listed, frame, pl.DataFrame(frame), milliseconds, nanoseconds, dated):
        read = read_books(given_books)
        assert read.times_ns.tolist() == [5 * NS, 6_500_000_000]
        assert read.best_bid.tolist() == [10.0, 10.0]
        assert read.best_ask.tolist() == [10.5, 11.0]
        assert read.mid.tolist() == [10.25, 10.5]
        np.testing.assert_array_equal(read.bid_prices[:, 1], [9.5, np.nan])
    assert read_books(read) is read


def test_todays_nanoseconds_are_taken_to_the_last() -> None:
    odd = 1_723_161_254_236_551_067
    frame = wide().drop(columns="timestamp").assign(local_ts_ns=[odd, odd + 1])
    assert read_books(frame).times_ns.tolist() == [odd, odd + 1]


def test_the_column_of_times_can_be_named() -> None:
    frame = wide(exchange_ts_ms=[3_000, 4_000], seen=["2024-08-08T00:00:00Z"] * 2)
    assert read_books(frame).times_ns.tolist() == [0, NS]
    assert read_books(frame, time="exchange_ts_ms").times_ns.tolist() == [3 * NS, 4 * NS]
    assert read_books(frame, time="seen").times_ns.tolist() == [1_723_075_200 * NS] * 2
    with pytest.raises(ValueError, match=r"no column 'seem'. Did you mean 'seen'"):
        read_books(frame, time="seem")
    with pytest.raises(ValueError, match="time names a column of a frame"):
        read_books([], time="seen")


@pytest.mark.parametrize(
    ("second", "said", "value"),
    [
        pytest.param(book(-1.0), "not be before that of row 0", None, id="time backwards"),
        pytest.param(book("soon"), "time must be one that can be read", None, id="no time"),
        pytest.param(book(1, [(12, 1)], [(11, 1)]), "not be above the best ask", None, id="cross"),
        pytest.param(book(1, [(9, 1), (10, 1)]), "prices of bids must fall", 10.0, id="bids rise"),
        pytest.param(book(1, [], [(9, 1), (8, 1)]), "of asks must rise", 8.0, id="asks fall"),
        pytest.param(book(1, [(9, 1), (9, 1)]), "prices of bids must fall", 9.0, id="same twice"),
        pytest.param(book(1, [(9, -2)]), "size of bids must be 0 or more", -2.0, id="negative"),
        pytest.param(book(1, [(9, float("inf"))]), "size of bids must be finite", None, id="inf"),
        pytest.param(book(1, [(float("nan"), 1)]), "must be numbers", None, id="nan"),
        pytest.param(book(1, [("9", 1)]), "must be numbers", None, id="text"),
        pytest.param(book(1, [(9, 1, 3)]), "must be a price and a size", (9, 1, 3), id="three"),
        pytest.param(book(1, [9, 1]), "must be a list of", None, id="flat"),
        pytest.param({"timestamp": 1, "bids": []}, "a book must have asks", None, id="no asks"),
        pytest.param([1, [], []], "a book must be a mapping", None, id="a list"),
    ],
)
def test_a_book_that_cannot_be_true_is_named(second: Any, said: str, value: Any) -> None:
    with pytest.raises(DataError, match=f"book 1: .*{said}") as refused:
        read_books([book(0.0, [(9, 1)], [(11, 1)]), second])
    assert refused.value.row == 1
    if value is not None:
        assert refused.value.value == value


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"bid_sz_1": [1.0, np.nan]}, "must have both a price and a size"),
        ({"bid_px_1": [10.0, "x"]}, "bid_px_1 must be a number, was 'x'"),
        ({"timestamp": [1.0, 0.5]}, "the time must not be before"),
        ({"timestamp": [1.0, np.nan]}, "the time must be one that can be read"),
        # A level may be missing in the middle; the ones around it are compared.
        (
            {
                "bid_px_2": [np.nan] * 2,
                "bid_sz_2": [np.nan] * 2,
                "bid_px_3": [9.0, 10.0],
                "bid_sz_3": [1.0, 1.0],
            },
            "prices of bids must fall from the best on, was 10.0",
        ),
    ],
    ids=["no size", "text", "backwards", "no time", "gap"],
)
def test_a_row_of_a_frame_that_cannot_be_true_is_named(columns: Any, said: str) -> None:
    with pytest.raises(DataError, match=f"book 1: .*{said}"):
        read_books(wide(**columns))


def test_books_of_two_ages_are_refused() -> None:
    with pytest.raises(DataError, match="book 1: the time must be within 292 years of the first"):
        read_books([book(-9e9), book(9e9)])


def test_a_locked_book_is_taken() -> None:
    assert read_books([book(0, [(10, 1)], [(10, 1)])]).mid.tolist() == [10.0]


@pytest.mark.parametrize("name", ["timestamp", "bid_px_1", "ask_px_1", "bid_sz_1"])
def test_a_frame_that_lacks_a_column_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="books must have a column"):
        read_books(wide().drop(columns=name))


@pytest.mark.parametrize("books", ["books", 5, None, {"timestamp": 1}], ids=repr)
def test_what_is_no_list_of_books_is_refused(books: Any) -> None:
    with pytest.raises(TypeError, match="must be a list of books or a frame"):
        read_books(books)


@pytest.mark.parametrize(
    "options",
    [{"n_times": 0}, {"n_prices": -1}, {"between": (2, 1)}, {"between": 5}, {"between": (1, 1)}],
    ids=str,
)
def test_a_grid_that_cannot_be_is_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        depth_grid([], **options)
