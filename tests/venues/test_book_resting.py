"""A book venue: orders that rest, and what later snapshots fill of them."""

from __future__ import annotations

import pytest

from horizon.instruments import Market
from horizon.types import AssetClass
from tests.venues.helpers import assert_books, buy, held, sell
from tests.venues.replayed import NS, Book, Replayed

BOOK: Book = ([(0.54, 100), (0.53, 200)], [(0.56, 100), (0.57, 200)])


def test_a_resting_order_fills_at_its_limit_when_a_later_snapshot_reaches_it() -> None:
    venue = Replayed(BOOK, BOOK, ([(0.53, 1)], [(0.55, 80)]))
    buy(venue, 50, 0.55, market_id="M")
    assert venue.next() == []
    (fill,) = venue.next()
    assert (fill.quantity, fill.price, fill.is_maker, fill.timestamp) == (50.0, 0.55, True, 1_002.0)
    assert_books(venue)


def test_it_fills_at_its_limit_where_the_snapshot_is_better() -> None:
    venue = Replayed(BOOK, ([(0.4, 1)], [(0.45, 80)]))
    buy(venue, 50, 0.55, market_id="M")
    assert venue.next()[0].price == 0.55


def test_it_fills_up_to_the_size_at_or_through_its_limit() -> None:
    reaching: Book = ([(0.5, 1)], [(0.54, 20), (0.55, 10), (0.56, 100)])
    venue = Replayed(BOOK, reaching, reaching)
    order = buy(venue, 50, 0.55, market_id="M")
    # 20 through the limit and 10 at it.
    assert [f.quantity for f in venue.next()] == [30.0]
    assert venue.order(order.id).status == "partial"
    # The next snapshot shows its size anew.
    assert [f.quantity for f in venue.next()] == [20.0]
    assert venue.order(order.id).status == "filled"


def test_an_order_never_fills_at_the_snapshot_that_it_arrived_under() -> None:
    venue = Replayed(BOOK, BOOK)
    order = buy(venue, 150, 0.56, market_id="M")
    assert order.filled_quantity == 100.0
    # 100 at 0.56 again: what rested is a maker now.
    (fill,) = venue.next()
    assert (fill.quantity, fill.price, fill.is_maker) == (50.0, 0.56, True)


def test_a_resting_sale_is_reached_by_bids() -> None:
    venue = Replayed(BOOK, ([(0.56, 20), (0.55, 30), (0.54, 100)], [(0.6, 1)]))
    sell(venue, 60, 0.55, market_id="M")
    assert [(f.side, f.quantity, f.price) for f in venue.next()] == [("sell", 50.0, 0.55)]


def test_a_price_a_billionth_from_the_limit_reaches_it() -> None:
    for beyond, count in ((5e-10, 1), (3e-9, 0)):
        venue = Replayed(BOOK, ([(0.5, 1)], [(0.55 * (1 + beyond), 80)]))
        buy(venue, 50, 0.55, market_id="M")
        assert len(venue.next()) == count


def test_several_orders_share_one_displayed_level() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 60)]))
    first, second, third = (buy(venue, 25, 0.55, market_id="M") for _ in range(3))
    # 25 + 25 + 10, in order of arrival.
    assert [(f.order_id, f.quantity) for f in venue.next()] == [
        (first.id, 25.0),
        (second.id, 25.0),
        (third.id, 10.0),
    ]


def test_the_better_price_comes_first_then_the_earlier_order() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.54, 60)]))
    low, high, late = (buy(venue, 25, price, market_id="M") for price in (0.54, 0.55, 0.55))
    assert [(f.order_id, f.quantity, f.price) for f in venue.next()] == [
        (high.id, 25.0, 0.55),
        (late.id, 25.0, 0.55),
        (low.id, 10.0, 0.54),
    ]


def test_each_order_shares_only_what_is_within_its_own_limit() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.53, 10), (0.54, 20), (0.55, 30)]))
    far, near = buy(venue, 100, 0.53, market_id="M"), buy(venue, 25, 0.55, market_id="M")
    # The near one is served first and takes the best levels: 10 at 0.53 and 15 of 0.54. Nothing
    # at or through 0.53 is left for the other.
    assert [(f.order_id, f.quantity) for f in venue.next()] == [(near.id, 25.0)]
    assert venue.order(far.id).filled_quantity == 0.0
    assert venue.now().asks == [(0.54, 5.0), (0.55, 30.0)]


def test_what_resting_orders_took_is_gone_for_who_arrives_under_that_snapshot() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 60), (0.56, 100)]))
    buy(venue, 40, 0.55, market_id="M")
    venue.next()
    buy(venue, 30, market_id="M")
    assert [f[1:3] for f in venue.traded()[1:]] == [(20.0, 0.55), (10.0, 0.56)]


def test_buys_of_yes_and_sales_of_no_share_the_asks_of_yes_by_their_price() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.53, 30)]))
    yes = buy(venue, 20, 0.54, market_id="M")
    no = sell(venue, 20, 0.45, market_id="M:no")  # as good as 0.55 for YES
    assert [(f.order_id, f.market_id, f.quantity, f.price) for f in venue.next()] == [
        (no.id, "M:no", 20.0, 0.45),
        (yes.id, "M", 10.0, 0.54),
    ]


def test_a_resting_buy_of_no_is_reached_by_bids_of_yes() -> None:
    venue = Replayed(BOOK, ([(0.55, 30)], [(0.6, 1)]), ([(0.56, 30)], [(0.6, 1)]))
    buy(venue, 50, 0.44, market_id="M:no")
    assert venue.next() == []  # 1 - 0.55 = 0.45 is too dear
    assert [(f.quantity, f.price) for f in venue.next()] == [(30.0, 0.44)]


def test_own_orders_never_match_each_other() -> None:
    venue = Replayed(BOOK, BOOK)
    buy(venue, 10, 0.551, market_id="M")
    assert sell(venue, 10, 0.549, market_id="M").status == "new"
    assert venue.next() == []
    assert len(venue.open_orders()) == 2


def test_both_sides_fill_at_one_snapshot_between_crossed_own_orders() -> None:
    venue = Replayed(BOOK, ([(0.55, 10)], [(0.55, 10)]))
    buy(venue, 10, 0.551, market_id="M")
    sell(venue, 10, 0.549, market_id="M")
    assert [(f.side, f.price) for f in venue.next()] == [("buy", 0.551), ("sell", 0.549)]


def test_an_empty_side_reaches_nothing() -> None:
    venue = Replayed(BOOK, ([], []), ([], [(0.5, 10)]))
    buy(venue, 10, 0.55, market_id="M")
    sell(venue, 10, 0.55, market_id="M")
    assert venue.next() == []
    assert [f.side for f in venue.next()] == ["buy"]


def test_rows_of_data_match_nothing() -> None:
    venue = Replayed(BOOK)
    buy(venue, 10, 0.55, market_id="M")
    with venue.lock:
        venue.mark(venue.state(), 1_001 * NS, 0.3, 0.29, 0.31, 5.0)
    assert (venue.traded(), venue.quote("M").price) == ([], 0.3)  # type: ignore[union-attr]


def test_cancelled_orders_are_not_filled() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 60)]))
    gone, stays = buy(venue, 10, 0.55, market_id="M"), buy(venue, 10, 0.55, market_id="M")
    venue.cancel(gone.id)
    assert [f.order_id for f in venue.next()] == [stays.id]


def test_a_settled_market_matches_nothing() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 60)]))
    buy(venue, 10, 0.55, market_id="M")
    venue.settle("M", 1.0)
    assert venue.next() == []
    assert buy(venue, 10, market_id="M").metadata["reason"] == "settled"


def test_an_amended_price_goes_to_the_end_and_a_smaller_quantity_keeps_its_place() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 30)]))
    moved = buy(venue, 25, 0.54, market_id="M")
    first, second = buy(venue, 25, 0.55, market_id="M"), buy(venue, 25, 0.55, market_id="M")
    venue.amend(moved.id, new_price=0.55)
    venue.amend(first.id, new_quantity=20)
    assert [(f.order_id, f.quantity) for f in venue.next()] == [
        (first.id, 20.0),
        (second.id, 10.0),
    ]


def test_reduce_only_orders_end_where_nothing_is_left_to_reduce() -> None:
    venue = Replayed(BOOK, ([(0.6, 500)], [(0.7, 1)]))
    buy(venue, 30, market_id="M")
    first = sell(venue, 30, 0.6, market_id="M", reduce_only=True)
    second = sell(venue, 20, 0.6, market_id="M", reduce_only=False)
    third = sell(venue, 5, 0.59, market_id="M", reduce_only=True)
    venue.next()
    # By price: 5 of the third; then 25 of the first are all that is left, and it is cut.
    assert [(f.order_id, f.quantity) for f in venue.fill_history()[1:]] == [
        (third.id, 5.0),
        (first.id, 25.0),
        (second.id, 20.0),
    ]
    assert venue.order(first.id).status == "canceled"
    assert held(venue) == {"M": -20.0}


def test_a_reduce_only_order_is_ended_by_a_fill_of_the_same_snapshot() -> None:
    venue = Replayed(BOOK, ([(0.6, 500)], [(0.7, 1)]))
    buy(venue, 30, market_id="M")
    first, second = (sell(venue, 30, 0.6, market_id="M", reduce_only=True) for _ in range(2))
    assert [(f.order_id, f.quantity) for f in venue.next()] == [(first.id, 30.0)]
    assert venue.order(second.id).metadata["reason"] == "reduce_only: nothing left to reduce"


def test_a_perpetual_is_liquidated_at_the_price_of_its_row() -> None:
    market = Market("BTC-PERP", AssetClass.Perp)
    books: list[Book] = [([(99.0, 100)], [(100.0, 100)])] * 2
    venue = Replayed(*books, market=market, taker_fee_rate=0.001)
    buy(venue, 10, market_id=market.id, leverage=10.0)
    with venue.lock:
        venue.mark(venue.state(), 1_000 * NS, 94.0, 93.0, 95.0, 1.0)
    # A margin of 100 less a loss of 60: 40 are below half of it, 50, and below 5 % of 940, 47.
    fill = venue.fill_history()[-1]
    assert (fill.side, fill.quantity, fill.price, fill.is_maker) == ("sell", 10.0, 94.0, False)
    assert fill.fee == pytest.approx(0.94)


def test_a_market_order_left_over_by_a_stopped_command_is_cancelled_by_the_next_snapshot() -> None:
    venue = Replayed(BOOK, BOOK)

    def refuse(event: tuple[object, ...]) -> None:
        if event[0] == "filled":
            raise RuntimeError("the disk is full")

    stop = venue.subscribe(refuse)
    with pytest.raises(RuntimeError):
        buy(venue, 10, market_id="M")
    stop()
    assert venue.next() == []
    assert venue.orders()[0].metadata["reason"] == "not filled on arrival"
