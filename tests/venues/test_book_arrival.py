"""A book venue: what an order takes on its arrival, and what is left of it and of the book."""

from __future__ import annotations

import math

import pytest

from horizon.engine import Engine
from horizon.errors import DataError, OrderError, VenueError
from horizon.instruments import Market
from horizon.risk import RiskConfig
from horizon.types import AssetClass
from horizon.venues.book import BookVenue
from horizon.venues.latency import ConstantLatency
from tests.venues.helpers import assert_books, buy, held, sell
from tests.venues.replayed import NS, Book, Replayed, recorded

BIDS = [(0.54, 100.0), (0.53, 200.0), (0.52, 500.0)]
ASKS = [(0.56, 100.0), (0.57, 200.0), (0.58, 500.0)]
BOOK = (BIDS, ASKS)


# ------------------------------------------------------------------------ walking the book
def test_a_market_order_takes_level_by_level_at_each_levels_price() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 250, market_id="M")
    assert venue.traded() == [("buy", 100.0, 0.56, False), ("buy", 150.0, 0.57, False)]
    # (100 x 0.56 + 150 x 0.57) / 250 = 141.5 / 250.
    assert (order.status, order.average_price) == ("filled", pytest.approx(0.566))
    assert venue.cash() == pytest.approx(1_000_000 - 141.5)
    assert_books(venue)


def test_a_sale_takes_the_bids_from_the_highest_on() -> None:
    venue = Replayed(BOOK)
    sell(venue, 301, market_id="M")
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.54), (200.0, 0.53), (1.0, 0.52)]
    assert held(venue) == {"M": -301.0}


def test_an_order_of_exactly_a_levels_size_leaves_the_next_one_alone() -> None:
    venue = Replayed(BOOK)
    assert buy(venue, 100, market_id="M").status == "filled"
    assert venue.now().asks == ASKS[1:]


def test_sizes_that_do_not_add_up_in_floats_leave_no_dust() -> None:
    venue = Replayed(([], [(0.5, 0.1), (0.6, 0.2), (0.7, 0.3)]))
    # 0.3 - 0.1 - 0.2 is -2.8e-17 in floats.
    order = buy(venue, 0.3, market_id="M")
    assert (order.status, order.filled_quantity, len(venue.traded())) == ("filled", 0.3, 2)


def test_an_order_ends_where_what_is_left_is_rounding_of_its_size() -> None:
    books: list[Book] = [([], [(0.5, 1e12 - 4)]), ([], [(0.6, 3.5), (0.61, 10.0)])]
    venue = Replayed(*books, initial_cash=1e13)
    order = buy(venue, 1e12, 0.5, market_id="M")
    assert order.remaining == 4.0
    venue.next()
    # 0.5 of 1e12 is within 1e-12 of all: the order is done, and no more is taken.
    assert venue.amend(order.id, new_price=0.61).status == "filled"
    assert venue.traded()[1:] == [("buy", 3.5, 0.6, False)]
    assert venue.now().asks == [(0.61, 10.0)]


def test_a_limit_order_takes_what_is_within_its_limit_and_rests_with_the_rest() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 350, 0.57, market_id="M")
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.56), (200.0, 0.57)]
    assert (order.status, order.remaining, order.is_open) == ("partial", 50.0, True)


def test_a_limit_order_gets_the_levels_price_not_its_limit() -> None:
    venue = Replayed(BOOK)
    buy(venue, 100, 0.99, market_id="M")
    sell(venue, 100, 0.01, market_id="M")
    assert [f[2] for f in venue.traded()] == [0.56, 0.54]


def test_a_limit_order_that_is_not_marketable_rests_whole() -> None:
    venue = Replayed(BOOK)
    assert buy(venue, 10, 0.55, market_id="M").status == "new"
    assert sell(venue, 10, 0.55, market_id="M").status == "new"
    assert venue.traded() == []


def test_a_level_a_billionth_beyond_the_limit_is_reached_and_paid_at_the_limit() -> None:
    venue = Replayed(([], [(0.56 * (1 + 5e-10), 100), (0.56 * (1 + 3e-9), 100)]))
    buy(venue, 150, 0.56, market_id="M")
    assert venue.traded() == [("buy", 100.0, 0.56, False)]


def test_the_rest_of_an_ioc_ends() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 350, 0.57, market_id="M", tif="ioc")
    assert (order.status, order.filled_quantity) == ("canceled", 300.0)
    assert order.metadata["reason"] == "ioc: no liquidity left within the limit"
    assert venue.open_orders() == []


def test_an_ioc_that_is_not_marketable_ends_at_once() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 10, 0.55, market_id="M", tif="ioc")
    assert (order.status, order.filled_quantity) == ("canceled", 0.0)


def test_an_ioc_that_is_filled_whole_is_filled() -> None:
    venue = Replayed(BOOK)
    assert buy(venue, 300, 0.57, market_id="M", tif="ioc").status == "filled"


def test_the_rest_of_a_market_order_ends_where_no_liquidity_is_left() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 1_000, market_id="M")
    # 100 + 200 + 500.
    assert (order.status, order.filled_quantity) == ("canceled", 800.0)
    assert order.metadata["reason"] == "no liquidity left"
    assert venue.now().asks == []


@pytest.mark.parametrize("price", [0.56, 0.6])
def test_post_only_that_would_take_is_rejected(price: float) -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 10, price, market_id="M", post_only=True)
    assert order.status == "rejected"
    assert order.metadata["reason"] == "post_only: the order would take liquidity on arrival"
    assert venue.traded() == []


def test_post_only_rests_below_the_ask_and_at_an_ask_that_we_have_taken() -> None:
    venue = Replayed(BOOK)
    assert buy(venue, 10, 0.559, market_id="M", post_only=True).status == "new"
    buy(venue, 100, market_id="M")
    assert buy(venue, 10, 0.56, market_id="M", post_only=True).status == "new"


# ------------------------------------------------------------------------ what was taken
def test_what_we_took_stays_taken_until_the_next_snapshot() -> None:
    venue = Replayed(BOOK, BOOK)
    buy(venue, 150, market_id="M")
    assert venue.now().asks == [(0.57, 150.0), (0.58, 500.0)]
    buy(venue, 200, market_id="M")
    assert [f[1:3] for f in venue.traded()[2:]] == [(150.0, 0.57), (50.0, 0.58)]
    assert venue.now().asks == [(0.58, 450.0)]
    venue.next()
    assert venue.now().asks == ASKS
    buy(venue, 100, market_id="M")
    assert venue.traded()[-1] == ("buy", 100.0, 0.56, False)


def test_what_is_taken_from_one_side_leaves_the_other() -> None:
    venue = Replayed(BOOK)
    buy(venue, 800, market_id="M")
    assert venue.now().bids == BIDS
    sell(venue, 100, market_id="M")
    assert (venue.now().bids, venue.now().asks) == (BIDS[1:], [])


def test_marketability_is_judged_by_what_is_left() -> None:
    venue = Replayed(BOOK)
    buy(venue, 100, market_id="M")
    # 0.56 is gone: an order there takes nothing, rests, and is a maker.
    order = buy(venue, 50, 0.56, market_id="M")
    assert (order.status, len(venue.traded())) == ("new", 1)


def test_split_orders_take_what_one_order_takes() -> None:
    whole, split = Replayed(BOOK), Replayed(BOOK)
    buy(whole, 512, market_id="M")
    for _ in range(4):
        buy(split, 128, market_id="M")
    assert whole.cash() == pytest.approx(split.cash(), abs=1e-9)
    assert whole.now().asks == split.now().asks


def test_a_new_price_is_a_new_arrival_that_takes() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 150, 0.55, market_id="M")
    now = venue.amend(order.id, new_price=0.56)
    assert (now.status, now.filled_quantity) == ("partial", 100.0)
    assert venue.traded() == [("buy", 100.0, 0.56, False)]
    # What is filled leaves the order; the new price walks for the rest alone.
    venue.amend(order.id, new_price=0.57)
    assert venue.traded()[1:] == [("buy", 50.0, 0.57, False)]


def test_a_new_quantity_alone_takes_nothing() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 50, 0.55, market_id="M")
    assert venue.amend(order.id, new_quantity=500).filled_quantity == 0.0


def test_a_post_only_order_is_not_moved_to_where_it_would_take() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 50, 0.55, market_id="M", post_only=True)
    with pytest.raises(OrderError, match="post_only and would take liquidity"):
        venue.amend(order.id, new_price=0.56)
    assert venue.order(order.id).price == 0.55


# ------------------------------------------------------------------------ YES and NO
def test_buying_no_takes_the_bids_of_yes_at_one_less_their_price() -> None:
    venue = Replayed(BOOK)
    buy(venue, 150, market_id="M:no")
    # 1 - 0.54 and 1 - 0.53, on twelve decimals.
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.46), (50.0, 0.47)]
    assert venue.now().bids == [(0.53, 150.0), (0.52, 500.0)]
    assert held(venue) == {"M:no": 150.0}


def test_selling_no_takes_the_asks_of_yes() -> None:
    venue = Replayed(BOOK)
    sell(venue, 150, market_id="M:no")
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.44), (50.0, 0.43)]
    assert venue.now().asks == [(0.57, 150.0), (0.58, 500.0)]


def test_a_limit_of_no_is_a_price_of_no() -> None:
    venue = Replayed(BOOK)
    order = buy(venue, 150, 0.46, market_id="M:no")
    assert (order.filled_quantity, venue.traded()) == (100.0, [("buy", 100.0, 0.46, False)])
    assert buy(venue, 10, 0.46, market_id="M:no").filled_quantity == 0.0


def test_yes_sales_and_no_buys_share_one_side_of_the_book() -> None:
    venue = Replayed(BOOK)
    sell(venue, 60, market_id="M")
    buy(venue, 60, market_id="M:no")
    assert [f[:3] for f in venue.traded()] == [
        ("sell", 60.0, 0.54),
        ("buy", 40.0, 0.46),
        ("buy", 20.0, 0.47),
    ]


def test_the_book_of_no_is_the_mirror_of_yes() -> None:
    venue = Replayed(BOOK)
    book = venue.now("M:no")
    assert book.bids == [(0.44, 100.0), (0.43, 200.0), (0.42, 500.0)]
    assert book.asks == [(0.46, 100.0), (0.47, 200.0), (0.48, 500.0)]
    assert (book.market_id, book.best_bid, book.best_ask) == ("M:no", 0.44, 0.46)


# ------------------------------------------------------------------------ no book
def test_a_market_order_without_its_side_is_rejected() -> None:
    venue = Replayed(([], ASKS), (BIDS, []))
    order = sell(venue, 10, market_id="M")
    assert order.metadata["reason"] == "no price: the book of M has no bid"
    assert buy(venue, 10, market_id="M").status == "filled"
    venue.next()
    assert buy(venue, 10, market_id="M").metadata["reason"] == (
        "no price: the book of M has no ask"
    )
    assert buy(venue, 10, market_id="M:no").status == "filled"
    assert sell(venue, 10, market_id="M:no").metadata["reason"] == (
        "no price: the book of M:no has no bid"
    )


def test_a_market_order_after_everything_is_taken_is_rejected() -> None:
    venue = Replayed(BOOK)
    buy(venue, 800, market_id="M")
    assert buy(venue, 1, market_id="M").status == "rejected"


def test_before_the_first_snapshot_there_is_no_book_and_limits_wait() -> None:
    venue = Replayed(BOOK, shown=False)
    assert venue.book("M") is None
    assert buy(venue, 10, market_id="M").status == "rejected"
    order = buy(venue, 10, 0.6, market_id="M")
    assert order.status == "new"
    # The first snapshot reaches it as any later one would: at its limit, as a maker.
    venue.next()
    assert venue.traded() == [("buy", 10.0, 0.6, True)]


def test_an_ioc_without_a_book_ends() -> None:
    venue = Replayed(BOOK, shown=False)
    assert buy(venue, 10, 0.6, market_id="M", tif="ioc").status == "canceled"


def test_a_market_without_recorded_books_fills_nothing() -> None:
    venue = Replayed(BOOK)
    assert venue.book("other") is None
    assert buy(venue, 10, 50.0, market_id="other").status == "new"
    assert buy(venue, 10, market_id="other").metadata["reason"] == (
        "no price: the book of other has no ask"
    )


# ------------------------------------------------------------------------ reduce-only
def test_a_reduce_only_order_is_cut_to_the_position_as_it_rests() -> None:
    venue = Replayed(BOOK, ([(0.6, 500)], [(0.7, 1)]))
    buy(venue, 100, market_id="M")
    order = sell(venue, 100, 0.6, market_id="M", reduce_only=True)
    sell(venue, 60, market_id="M")
    venue.next()
    assert venue.traded()[-1] == ("sell", 40.0, 0.6, True)
    assert (venue.order(order.id).status, held(venue)) == ("canceled", {})
    # 460 are left for others: only what was filled was taken.
    assert venue.now().bids == [(0.6, 460.0)]


def test_a_reduce_only_order_is_cut_to_the_position_as_it_arrives() -> None:
    venue = Replayed(BOOK, BOOK, latency=ConstantLatency(500.0))
    buy(venue, 100, market_id="M")
    venue.next()
    first = sell(venue, 70, market_id="M")
    second = sell(venue, 100, market_id="M", reduce_only=True)
    third = sell(venue, 100, 0.5, market_id="M", reduce_only=True)
    with venue.lock:
        venue.deliver(1_002 * NS, inclusive=False)
    # 70 of the 100 held are gone as the second arrives, and all of them as the third does.
    assert [(f.order_id, f.quantity, f.price) for f in venue.fill_history()[1:]] == [
        (first.id, 70.0, 0.54),
        (second.id, 30.0, 0.54),
    ]
    for order in (second, third):
        now = venue.order(order.id)
        assert now.metadata["reason"] == "reduce_only: nothing left to reduce"
    assert held(venue) == {}


# ------------------------------------------------------------------------ money
def test_an_order_reserves_at_the_best_price_of_the_moment() -> None:
    venue = Replayed(BOOK, initial_cash=56.0)
    assert buy(venue, 101, market_id="M").status == "rejected"
    assert buy(venue, 100, market_id="M").status == "filled"


def test_a_walk_may_cost_more_than_was_reserved() -> None:
    # 56.56 are reserved for 101 at 0.56; 100 at 0.56 and 1 at 0.57 cost 56.57.
    venue = Replayed(BOOK, initial_cash=56.56)
    assert buy(venue, 101, market_id="M").status == "filled"
    assert venue.cash() == pytest.approx(-0.01)


def test_fees_are_of_the_price_of_each_level() -> None:
    venue = Replayed(BOOK, taker_fee_rate=0.01)
    buy(venue, 150, market_id="M")
    assert [f.fee for f in venue.fill_history()] == pytest.approx([0.56, 0.285])


# ------------------------------------------------------------------------ the venue itself
def test_a_book_venue_takes_no_ticks() -> None:
    venue = Replayed(BOOK)
    with pytest.raises(VenueError, match="replays recorded books and takes no ticks"):
        venue.tick("M", 0.5)


def test_a_book_venue_says_what_it_is() -> None:
    venue = Replayed(BOOK)
    assert (venue.name, venue.matching, venue.fills_on_arrival) == ("book", "book", True)
    assert venue.displacement("elsewhere") == 0.0


def test_an_engine_is_told_of_every_row() -> None:
    venue = Replayed(BOOK, initial_cash=1_000.0)
    _ = Engine(RiskConfig(max_daily_drawdown_pct=5.0), venue=venue)
    with venue.lock:
        venue.mark(venue.state(), 1_000 * NS, 0.55, 0.54, 0.56, 1.0)
    buy(venue, 100, market_id="M")
    resting = buy(venue, 10, 0.3, market_id="M")
    with venue.lock:
        venue.mark(venue.state(), 1_001 * NS, 0.01, 0.0, 0.02, 1.0)
    # 100 bought at 0.56 are worth 1: 55 of 1,000 are lost, and what would open is cancelled.
    assert venue.order(resting.id).metadata["reason"] == "max_daily_drawdown_pct"


def test_books_of_an_unknown_market_are_refused() -> None:
    venue = BookVenue()
    venue.connect()
    with pytest.raises(ValueError, match="books are of a declared market, 'M' is not"):
        venue.load({"M": recorded(BOOK)})


@pytest.mark.parametrize(
    ("kind", "book", "words"),
    [
        (
            AssetClass.Prediction,
            ([(0.5, 1)], [(1.5, 1)]),
            "prices of asks must lie between 0 and 1",
        ),
        (AssetClass.Prediction, ([(0.5, 1), (-0.5, 1)], []), "prices of bids .* was -0.5"),
        (AssetClass.Equity, ([(-1.0, 1)], []), "prices of bids .* was -1.0"),
    ],
    ids=["above 1", "below 0", "share below 0"],
)
def test_prices_that_the_market_cannot_have_are_refused(
    kind: AssetClass, book: tuple[list[tuple[float, float]], list[tuple[float, float]]], words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        Replayed(([], []), book, market=Market("M", kind))
    assert (caught.value.feed, caught.value.row) == ("M", 1)


def test_levels_at_0_and_1_are_prices_of_a_prediction() -> None:
    venue = Replayed(([(0.0, 10)], [(1.0, 10)]))
    buy(venue, 5, market_id="M")
    sell(venue, 5, market_id="M")
    assert [f[2] for f in venue.traded()] == [1.0, 0.0]


def test_a_level_without_size_or_price_is_none() -> None:
    nan = math.nan
    books = recorded(([(0.5, 10), (0.4, 10)], [(0.6, 10), (0.7, 10)]))
    books.bid_prices[0, 0] = books.bid_sizes[0, 0] = nan
    books.ask_sizes[0, 0] = 0.0
    venue = BookVenue(clock=lambda: 0.0)
    venue.connect()
    venue.declare(Market("M", AssetClass.Prediction))
    venue.load({"M": books})
    with venue.lock:
        venue.show(venue.account.markets["M"], 0, 0)
    book = venue.book("M")
    assert book is not None
    assert (book.bids, book.asks, book.best_bid, book.best_ask) == (
        [(0.4, 10.0)],
        [(0.7, 10.0)],
        0.4,
        0.7,
    )
    assert buy(venue, 5, market_id="M").average_price == 0.7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_cash": -1}, "initial_cash must be 0 or more, was -1"),
        ({"maker_fee_rate": 1}, "maker_fee_rate must lie in (-1, 1), was 1.0"),
        ({"taker_fee_rate": -1.0}, "taker_fee_rate must lie in (-1, 1), was -1.0"),
        ({"seed": -1}, "seed must be 0 or more, was -1"),
    ],
    ids=str,
)
def test_options_are_checked(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        BookVenue(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)
