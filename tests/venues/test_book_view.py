"""What is shown of a book, and the working book beneath it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from horizon.books import Books
from horizon.types import AssetClass
from horizon.venues.book_view import BookView, Snapshot, first_levels, level_at
from horizon.venues.depth_book import DepthBook, direction_of
from tests.venues.helpers import buy, sell
from tests.venues.replayed import Book, Replayed, recorded

BOOK: Book = ([(0.54, 100.0), (0.53, 200.0)], [(0.56, 100.0), (0.57, 200.0)])


def depth(*books: Book) -> DepthBook:
    return DepthBook("M", recorded(*books), AssetClass.Prediction, (0.0, 1.0))


# ------------------------------------------------------------------------ what ctx.book shows
def test_a_view_shows_levels_and_what_follows_from_them() -> None:
    book = Replayed(BOOK).now()
    assert (book.bids, book.asks) == (BOOK[0], BOOK[1])
    assert (book.best_bid, book.best_ask, book.timestamp) == (0.54, 0.56, 1_000.0)
    assert book.mid == pytest.approx(0.55)
    assert book.spread == pytest.approx(0.02)
    assert (book.market_id, book.time_ns) == ("M", 1_000 * 10**9)


def test_a_view_of_an_empty_side_has_no_best_and_no_mid() -> None:
    book = Replayed((BOOK[0], [])).now()
    assert (book.asks, book.best_bid) == ([], 0.54)
    assert all(math.isnan(value) for value in (book.best_ask, book.mid, book.spread))
    assert repr(book) == "<BookView of M: 100 @ 0.54 / no ask, 2 + 0 levels>"


def test_a_view_never_changes() -> None:
    venue = Replayed(BOOK, ([], []))
    before = venue.now()  # nothing of it is worked out yet
    buy(venue, 150, market_id="M")
    between = venue.now()
    sell(venue, 150, market_id="M")
    venue.next()
    assert (before.bids, before.asks) == (BOOK[0], BOOK[1])
    assert (between.bids, between.asks) == (BOOK[0], [(0.57, 150.0)])
    assert (venue.now().bids, venue.now().asks) == ([], [])


def test_lists_of_a_view_belong_to_who_asks() -> None:
    book = Replayed(BOOK).now()
    book.bids.clear()
    book.asks.append((0.6, 1.0))
    assert (book.bids, book.asks) == (BOOK[0], BOOK[1])


def test_a_view_reads_well() -> None:
    book = Replayed(BOOK).now()
    assert repr(book) == "<BookView of M: 100 @ 0.54 / 100 @ 0.56, 2 + 2 levels>"
    page = book._repr_html_()
    rows = ["0.57", "0.56", "0.54", "0.53"]
    assert [page.index(price) for price in rows] == sorted(page.index(price) for price in rows)


def test_a_market_may_be_called_anything() -> None:
    name = "<script>alert(1)</script>"
    view = BookView(Snapshot(recorded(BOOK), 0), name, 0)
    assert name not in view._repr_html_()
    assert "&lt;script&gt;" in view._repr_html_()


@pytest.mark.parametrize("market_id", [5, None, "", " M"])
def test_a_book_is_asked_for_by_an_id(market_id: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="market_id must"):
        Replayed(BOOK).book(market_id)


# ------------------------------------------------------------------------ for resting orders
@pytest.mark.parametrize(
    ("price", "sign", "size"),
    [
        (0.54, 1, 100.0),
        (0.53, 1, 200.0),
        (0.53 * (1 + 5e-10), 1, 200.0),  # a price within a billionth is the same
        (0.535, 1, 0.0),
        (0.55, 1, 0.0),
        (0.56, 1, 0.0),  # the other side's
        (0.52, 1, math.nan),
        (0.56, -1, 100.0),
        (0.55, -1, 0.0),
        (0.565, -1, 0.0),
        (0.58, -1, math.nan),
    ],
)
def test_the_size_that_is_displayed_at_a_price(price: float, sign: int, size: float) -> None:
    view = depth_seen(sign, is_no=False)
    assert view.displayed(price, sign) == pytest.approx(size, nan_ok=True)


@pytest.mark.parametrize(
    ("price", "sign", "size"),
    [(0.44, 1, 100.0), (0.43, 1, 200.0), (0.45, 1, 0.0), (0.42, 1, math.nan), (0.46, -1, 100.0)],
)
def test_the_size_that_is_displayed_in_the_book_of_no(price: float, sign: int, size: float) -> None:
    view = depth_seen(sign, is_no=True)
    assert view.displayed(price, sign) == pytest.approx(size, nan_ok=True)


def depth_seen(sign: int, is_no: bool, displacement: float = 0.0) -> BookView:
    book = depth(BOOK)
    book.show(0, 0)
    book.displacement = displacement
    return book.seen_by(sign, is_no)


@pytest.mark.parametrize(
    ("sign", "is_no", "displacement", "touch", "mid"),
    [
        (1, False, 0.0, 0.54, 0.55),
        (-1, False, 0.0, 0.56, 0.55),
        (1, False, 0.01, 0.55, 0.56),
        (1, False, -0.01, 0.54, 0.55),  # never in our favour
        (-1, False, -0.01, 0.55, 0.54),
        (-1, False, 0.01, 0.56, 0.55),
        (1, True, 0.0, 0.44, 0.45),
        (1, True, -0.01, 0.45, 0.46),
        (1, True, 0.01, 0.44, 0.45),
        (-1, True, 0.01, 0.45, 0.44),
    ],
)
def test_a_resting_order_sees_all_prices_displaced_against_it(
    sign: int, is_no: bool, displacement: float, touch: float, mid: float
) -> None:
    view = depth_seen(sign, is_no, displacement)
    assert view.touch(sign) == pytest.approx(touch, abs=1e-12)
    assert view.mid == pytest.approx(mid, abs=1e-12)


def test_the_touch_counts_levels_that_were_pushed_out_of_the_market() -> None:
    view = depth_seen(1, is_no=False, displacement=0.5)
    assert (view.bids, view.asks) == ([], [])
    assert view.touch(1) == pytest.approx(1.04)


def test_an_empty_side_has_no_touch() -> None:
    book = depth(([], BOOK[1]))
    book.show(0, 0)
    assert math.isnan(book.seen_by(1, False).touch(1))


# ------------------------------------------------------------------------ the working book
@pytest.mark.parametrize(
    ("sign", "is_no", "direction"), [(1, False, 1), (-1, False, -1), (1, True, -1), (-1, True, 1)]
)
def test_buys_of_yes_and_sales_of_no_take_the_asks(sign: int, is_no: bool, direction: int) -> None:
    assert direction_of(sign, is_no) == direction


def test_a_walk_is_a_plan_and_changes_nothing() -> None:
    book = depth(BOOK)
    book.show(0, 0)
    plan = book.walk(1, False, 150.0, math.nan, None)
    assert plan == [(0, 100.0, 0.56), (1, 50.0, 0.57)]
    assert book.walk(1, False, 150.0, math.nan, None) == plan
    book.take(1, 0, 100.0)
    assert book.walk(1, False, 150.0, 0.56, None) == []
    assert book.walk(1, False, 150.0, 0.57, None) == [(1, 150.0, 0.57)]


def test_before_the_first_snapshot_there_is_nothing() -> None:
    book = depth(BOOK)
    assert math.isnan(book.best(1))
    assert book.walk(1, False, 1.0, math.nan, None) == []
    assert book.size_through(1, False, 0.9) == 0.0


def test_best_prices_are_those_of_the_snapshot_in_force_wherever_it_lies() -> None:
    # More snapshots than are turned into floats at a time, forward, back, and across the seams.
    count = 1_000
    prices = 100.0 + np.arange(count, dtype=float)
    sizes = np.ones((count, 1))
    books = Books(np.arange(count), prices[:, None] - 1.0, sizes, prices[:, None] + 1.0, sizes)
    book = DepthBook("M", books, AssetClass.Equity, (0.0, 1e15))
    order = [*range(600), 5, 999, 998, 255, 256, 257, 511, 512, 0, 700, 955, 956]
    for index in order:
        book.show(index, index)
        assert (book.bid, book.ask) == (99.0 + index, 101.0 + index)


def test_the_first_column_is_used_as_it_is_where_it_has_the_best() -> None:
    books = recorded(BOOK, ([], []), BOOK)
    found = first_levels(books.bid_prices, books.bid_sizes)
    assert found.base is not None
    assert np.array_equal(found, [0.54, math.nan, 0.54], equal_nan=True)


def test_books_without_levels_have_no_best() -> None:
    empty = np.empty((2, 0))
    assert np.isnan(first_levels(empty, empty)).tolist() == [True, True]


def test_a_level_is_found_by_its_price() -> None:
    assert level_at([0.5, 0.4], [1.0, 2.0], 0.4, 1, False) == (1, 2.0)
    assert level_at([], [], 0.4, 1, False) == (-1, 0.0)
