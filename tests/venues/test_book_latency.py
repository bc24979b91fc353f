"""A book venue with latency: orders, cancels and amendments meet the book in force on arrival."""

from __future__ import annotations

import pytest

from horizon.venues.fill_models import ProbabilisticFills
from horizon.venues.latency import ConstantLatency, NoLatency
from tests.venues.helpers import buy, sell
from tests.venues.replayed import Book, Replayed

BOOK: Book = ([(0.54, 100)], [(0.56, 100), (0.57, 200)])
HIGHER: Book = ([(0.57, 100)], [(0.59, 100), (0.6, 200)])
LOWER: Book = ([(0.5, 100)], [(0.52, 100), (0.53, 200)])


def delayed(*books: Book, ms: float = 500.0, **options: object) -> Replayed:
    return Replayed(*books, latency=ConstantLatency(ms), **options)


def test_an_order_meets_the_book_in_force_when_it_arrives() -> None:
    venue = delayed(BOOK, HIGHER, HIGHER, ms=1_500.0)
    order = buy(venue, 150, market_id="M")
    assert (order.status, venue.traded()) == ("new", [])
    venue.next()
    assert venue.traded() == []
    venue.next()
    # It arrived at 1,001.5 s, under the book of 1,001 s.
    assert venue.traded() == [("buy", 100.0, 0.59, False), ("buy", 50.0, 0.6, False)]
    assert [f.timestamp for f in venue.fill_history()] == [1_001.5, 1_001.5]


def test_what_arrives_at_the_time_of_a_snapshot_meets_that_snapshot() -> None:
    venue = delayed(BOOK, HIGHER, ms=1_000.0)
    buy(venue, 10, market_id="M")
    assert [(f.price, f.timestamp) for f in venue.next()] == [(0.59, 1_001.0)]


def test_what_is_on_its_way_takes_nothing_and_is_not_reached() -> None:
    venue = delayed(BOOK, LOWER, LOWER, ms=1_500.0)
    order = buy(venue, 10, 0.55, market_id="M")
    assert venue.next() == []  # 0.52 would reach it
    assert venue.now().asks[0] == (0.52, 100.0)
    # It arrives under LOWER and takes: the level's price, as a taker.
    venue.next()
    assert venue.traded() == [("buy", 10.0, 0.52, False)]
    assert venue.order(order.id).status == "filled"


def test_a_limit_that_is_passed_on_the_way_rests_on_arrival() -> None:
    venue = delayed(BOOK, HIGHER, BOOK, ms=1_500.0)
    order = buy(venue, 10, 0.56, market_id="M")
    venue.next()
    (fill,) = venue.next()
    # Marketable when it was sent, not when it arrived; then the next snapshot reached it.
    assert (fill.order_id, fill.price, fill.is_maker) == (order.id, 0.56, True)


def test_a_market_order_that_finds_an_empty_side_ends() -> None:
    venue = delayed(BOOK, ([(0.5, 1)], []), BOOK, ms=1_500.0)
    order = buy(venue, 10, market_id="M")
    venue.next()
    venue.next()
    now = venue.order(order.id)
    assert (now.status, now.metadata["reason"]) == ("canceled", "no liquidity left")


def test_a_market_order_may_be_sent_to_an_empty_side_once_there_is_a_price() -> None:
    venue = delayed(([(0.5, 1)], []), BOOK, BOOK, ms=1_500.0)
    assert buy(venue, 10, market_id="M").status == "rejected"
    with venue.lock:
        venue.mark(venue.state(), venue.now_ns(), 0.5, 0.5, float("nan"), float("nan"))
    assert buy(venue, 10, market_id="M").status == "new"
    venue.next()
    assert [f.price for f in venue.next()] == [0.56]


@pytest.mark.parametrize(("then", "status"), [(BOOK, "canceled"), (HIGHER, "new")])
def test_post_only_is_judged_on_arrival(then: Book, status: str) -> None:
    venue = delayed(BOOK, then, then, ms=1_500.0)
    order = buy(venue, 10, 0.56, market_id="M", post_only=True)
    assert order.status == "new"
    venue.next()
    venue.next()
    assert (venue.order(order.id).status, venue.traded()) == (status, [])


def test_an_ioc_is_decided_on_arrival() -> None:
    venue = delayed(BOOK, BOOK)
    order = buy(venue, 150, 0.56, market_id="M", tif="ioc")
    venue.next()
    now = venue.order(order.id)
    assert (now.status, now.filled_quantity) == ("canceled", 100.0)


def test_an_order_may_fill_before_its_cancel_arrives() -> None:
    venue = delayed(BOOK, BOOK, LOWER, BOOK, ms=500.0)
    early, late = (buy(venue, 10, 0.55, market_id="M") for _ in range(2))
    venue.next()
    assert venue.cancel(early.id)  # arrives at 1,001.5 s
    venue.seconds = 1_001.75
    assert venue.cancel(late.id)  # arrives at 1,002.25 s, after LOWER
    venue.next()
    assert (venue.order(early.id).status, venue.order(late.id).status) == ("canceled", "filled")


def test_an_amendment_meets_the_book_when_it_arrives() -> None:
    venue = delayed(BOOK, BOOK, HIGHER, HIGHER, ms=1_500.0)
    order = sell(venue, 10, 0.7, market_id="M")
    venue.next()
    venue.next()
    venue.amend(order.id, new_price=0.56)  # sent at 1,002 s
    assert venue.order(order.id).price == 0.7
    venue.seconds = 1_003.5
    with venue.lock:
        venue.deliver(1_003_500_000_000, inclusive=True)
    assert venue.traded() == [("sell", 10.0, 0.57, False)]


def test_what_would_arrive_after_the_last_snapshot_never_does() -> None:
    venue = delayed(BOOK, BOOK, ms=5_000.0)
    order = buy(venue, 10, market_id="M")
    venue.next()
    assert (venue.order(order.id).status, venue.traded()) == ("new", [])


def test_reserves_count_from_submission() -> None:
    venue = delayed(BOOK, BOOK, initial_cash=10.0)
    assert buy(venue, 10, 0.5, market_id="M").status == "new"
    # 5 of 10 are reserved for the first.
    assert venue.balance().buying_power == pytest.approx(5.0)
    assert buy(venue, 11, 0.5, market_id="M").status == "rejected"


def test_a_queue_begins_on_arrival() -> None:
    model = ProbabilisticFills(lambda_=1e9, queue_frac=0.5)
    gone: Book = ([(0.53, 1)], [(0.56, 100)])
    # 0.54 is empty as the order arrives: nobody is ahead, whoever was there when it was sent.
    venue = delayed(BOOK, gone, gone, ms=1_500.0, fill_model=model)
    buy(venue, 10, 0.54, market_id="M")
    assert venue.next() == []
    assert [f.quantity for f in venue.next()] == [10.0]


def test_no_latency_is_as_without_one() -> None:
    with_none = Replayed(BOOK, latency=NoLatency())
    assert buy(with_none, 10, market_id="M").status == "filled"
