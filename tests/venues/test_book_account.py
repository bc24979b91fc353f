"""A hand-traded account on order books: the same matching as a backtest's, book by book."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.errors import DataError, OrderError, VenueError
from horizon.venues import BookAccount, LinearImpact
from horizon.venues.events import replay, state_of
from horizon.venues.fill_models import FillModel, ProbabilisticFills
from horizon.venues.latency import ConstantLatency
from tests.venues.helpers import refused

BIDS = [(0.54, 100.0), (0.53, 200.0)]
ASKS = [(0.56, 100.0), (0.57, 200.0)]
M = hz.Market("m", hz.Prediction, tick_size=0.01)


def opened(**options: Any) -> hz.ImperativeClient:
    """An account with one book, at 1,000 s."""
    options.setdefault("markets", [M])
    ex = hz.connect("book", **options)
    ex.take_book("m", BIDS, ASKS, 1_000.0)
    return ex


# ------------------------------------------------------------------------ orders and books
def test_an_order_takes_the_levels_and_what_it_took_comes_back_with_the_next_book() -> None:
    ex = opened(initial_cash=1_000, fee_bps=100)
    order = ex.buy("m", 150, market=True)
    # 100 at 0.56 and 50 at 0.57 are 84.50; a fee of one percent is 0.845.
    assert [(f.quantity, f.price) for f in ex.fills()] == [(100, 0.56), (50, 0.57)]
    assert order.average_price == pytest.approx(84.5 / 150)
    assert ex.balance().cash == pytest.approx(1_000 - 84.5 - 0.845)
    assert ex.book("m").asks == [(0.57, 150.0)]
    ex.take_book("m", BIDS, ASKS, 1_001.0)
    assert ex.book("m").asks == ASKS


def test_a_resting_order_fills_at_the_next_book_that_reaches_it() -> None:
    ex = opened()
    ex.buy("m", 30, limit=0.55)
    assert ex.fills() == []
    fills = ex.take_book("m", [(0.50, 10)], [(0.545, 12), (0.55, 5), (0.56, 90)], 1_002.5)
    # 12 and 5 are shown at 0.55 or better; it rested, so it fills at its own price.
    assert [(f.quantity, f.price, f.is_maker, f.timestamp) for f in fills] == [
        (17.0, 0.55, True, 1_002.5)
    ]
    assert ex.fills() == fills
    assert [order.quantity - order.filled_quantity for order in ex.open_orders()] == [13.0]


def test_positions_are_marked_at_the_last_price_else_at_the_mid() -> None:
    ex = opened()
    ex.buy("m", 10, market=True)
    assert ex.quote("m").price == 0.55
    ex.take_book("m", [(0.60, 1)], [(0.64, 1)], 1_001.0)
    assert ex.positions()[0].unrealized_pnl == pytest.approx(10 * (0.62 - 0.56))
    ex.take_book("m", [(0.60, 1)], [], 1_002.0)  # no mid: the mark stays
    assert ex.quote("m").price == 0.62
    ex.take_book("m", [(0.60, 1)], [(0.64, 1)], 1_003.0, price=0.61, volume=7)
    quote = ex.quote("m")
    assert (quote.price, quote.bid, quote.ask, quote.volume) == (0.61, 0.60, 0.64, 7.0)


def test_a_book_of_no_is_the_book_of_yes_at_the_complement() -> None:
    ex = hz.connect("book", markets=[M])
    ex.take_book("m:no", [(0.44, 5.0)], [(0.46, 7.0), (0.47, 9.0)], 1.0, price=0.45)
    assert ex.book("m").bids == [(0.54, 7.0), (0.53, 9.0)]
    assert ex.book("m").asks == [(0.56, 5.0)]
    assert ex.book("m:no").asks == [(0.46, 7.0), (0.47, 9.0)]
    assert ex.quote("m").price == 0.55


def test_what_is_on_its_way_arrives_with_the_book_of_its_time() -> None:
    ex = opened(latency=ConstantLatency(500))
    order = ex.buy("m", 10, limit=0.56)
    ex.take_book("m", BIDS, [(0.56, 4.0)], 1_000.4)
    assert ex.order(order.id).filled_quantity == 0.0  # still on its way
    ex.take_book("m", BIDS, [(0.58, 4.0)], 1_000.6)
    # It arrived at 1,000.5 s, when the book before was in force.
    assert [(f.quantity, f.price, f.timestamp) for f in ex.fills()] == [(4.0, 0.56, 1_000.5)]


def test_at_one_time_each_market_has_its_book_before_its_arrivals() -> None:
    ex = hz.connect("book", latency=ConstantLatency(500))
    for market in ("A", "B"):
        ex.take_book(market, [(99.0, 5.0)], [(100.0, 5.0)], 0.0)
    ex.buy("B", 5, market=True)
    ex.take_book("A", [(99.0, 5.0)], [(100.0, 5.0)], 0.5)
    # It arrives at 0.5, when the book of B that is in force is the one of 0.5.
    fills = ex.take_book("B", [(101.0, 5.0)], [(102.0, 5.0)], 0.5)
    assert [(fill.price, fill.timestamp) for fill in fills] == [(102.0, 0.5)]


def test_a_settled_market_takes_books_and_fills_nothing() -> None:
    ex = opened()
    ex.buy("m", 10, limit=0.50)
    ex.settle("m", 1.0)
    assert ex.take_book("m", [], [(0.40, 99)], 1_001.0) == []
    assert ex.fills() == []
    assert ex.book("m").asks == ASKS  # as it ended


def test_a_perpetual_is_liquidated_at_the_mark_of_its_book() -> None:
    ex = hz.connect("book", initial_cash=100)
    ex.take_book("X-PERP", [(99.0, 9)], [(100.0, 9)], 1.0)
    ex.buy_perp("X-PERP", 5, leverage=10, market=True)
    ex.take_book("X-PERP", [(90.0, 9)], [(90.5, 9)], 2.0)
    assert ex.positions() == []
    assert ex.orders()[-1].metadata["intent"] == "liquidation"


# ------------------------------------------------------------------------ as in a backtest
@pytest.mark.parametrize("model", ["deterministic", "probabilistic", "glft"])
def test_trading_by_hand_is_a_backtest_bit_for_bit(model: str) -> None:
    feed = hz.feeds.SyntheticBooks(seed=3, market_id=M, n=250, volatility=1.0)
    books = feed.books()
    orders: dict[int, tuple[str, float, float | None]] = {}
    rng = np.random.default_rng(5)
    for row in range(0, 240, 5):
        is_buy = bool(rng.random() < 0.5)
        price = float(books["m"].best_bid[row] if is_buy else books["m"].best_ask[row])
        limit = None if rng.random() < 0.2 else round(price, 2)
        orders[row] = ("buy" if is_buy else "sell", float(rng.integers(1, 300)), limit)
    options: dict[str, Any] = {
        "fill_model": model,
        "fill_model_params": {"lambda": 2.0, "queue_frac": 0.1}
        if model == "probabilistic"
        else None,
        "impact": LinearImpact(3.0, 0.5),
        "enforce_buying_power": False,
    }
    rows = iter(range(250))

    def stage(ctx: hz.backtesting.Context) -> None:
        send(ctx.exchange(), orders.get(next(rows)))

    def send(ex: Any, order: tuple[str, float, float | None] | None) -> None:
        if order is not None:
            side, size, limit = order
            verb = ex.buy if side == "buy" else ex.sell
            verb("m", size, limit=limit, market=limit is None)

    result = hz.backtest(
        markets=[M],
        book_data=books,
        pipeline=[stage],
        paper_fee_rate=0.002,
        rng_seed=11,
        initial_capital=1_000.0,
        **options,
    )
    ex = hz.connect(
        "book", initial_cash=1_000.0, fee_bps=20, seed=11, markets=[M], clock=lambda: 0.0, **options
    )
    for row, (ns, bids, asks) in enumerate(snapshots(books["m"])):
        ex.take_book("m", bids, asks, ns / 1e9)
        send(ex, orders.get(row))
    by_hand = [
        (f.order_id, f.quantity, f.price, f.fee, f.timestamp, f.is_maker)
        for f in ex.engine.venue.fill_history()
    ]
    run = [(f.order_id, f.size, f.price, f.fee, f.timestamp, f.is_maker) for f in result.trades]
    assert len(by_hand) > 20
    assert by_hand == run
    assert ex.balance().equity == result.equity_curve[-1][1]


def snapshots(books: Any) -> Any:
    """Time, bids and asks of each recorded book."""
    sides = (books.bid_prices, books.bid_sizes), (books.ask_prices, books.ask_sizes)
    for row, ns in enumerate(books.times_ns.tolist()):
        levels = [
            [
                (p, s)
                for p, s in zip(prices[row].tolist(), sizes[row].tolist(), strict=True)
                if p == p
            ]
            for prices, sizes in sides
        ]
        yield ns, *levels


def test_its_journal_gives_the_same_account() -> None:
    ex = hz.connect("book", initial_cash=1_000.0, markets=[], fill_model="probabilistic")
    told: list[Any] = []
    ex.engine.venue.subscribe(told.append)
    ex.declare(M)
    for second in range(20):
        ex.take_book("m", BIDS, ASKS, 1_000.0 + second)
        ex.buy("m", 1 + second, limit=0.54)
    ex.take_book("m", [(0.40, 1)], [], 1_021.0)  # brings no price
    ex.sell("m", 3, market=True)
    assert state_of(replay(1_000.0, told)) == state_of(ex.engine.venue.account)


# ------------------------------------------------------------------------ time
def test_the_present_is_the_time_of_the_latest_book() -> None:
    before = time.time()
    ex = hz.connect("book", markets=[M])
    assert before <= ex.time <= time.time()
    ex.take_book("m", BIDS, ASKS, 5_000.0)
    assert ex.time == 5_000.0  # recorded long ago
    ex.take_book("m", BIDS, ASKS, 5_001.0)
    order = ex.buy("m", 1, limit=0.5)
    assert ex.engine.venue.account.orders[order.id].submitted_ns == 5_001 * 10**9
    ex.take_book("m", BIDS, ASKS)  # by hand, without a time: that is now
    assert before <= ex.time <= time.time()
    later = time.time() + 1_000.0
    ex.take_book("m", BIDS, ASKS, later)
    ex.take_book("m", BIDS, ASKS)  # but nothing goes back
    assert ex.time == later


def test_no_time_passes_between_two_books_that_chance_could_use() -> None:
    ex = opened(fill_model=ProbabilisticFills(1e9, 0.0), clock=lambda: 2_000.0)
    ex.buy("m", 5, limit=0.55)  # by this clock at 2,000 s
    assert ex.take_book("m", BIDS, ASKS, 1_500.0) == []  # a book from before the order
    assert [f.quantity for f in ex.take_book("m", BIDS, ASKS, 2_001.0)] == [5.0]


def test_a_book_may_not_come_before_the_last_one_of_its_market() -> None:
    ex = opened()
    with refused(ex.engine.venue, ValueError, "timestamp must not lie before the last book of 'm'"):
        ex.take_book("m", BIDS, ASKS, 999.0)
    ex.take_book("ACME", [], [(9.0, 1)], 1_500.0)  # it brings no price, but it has a time
    with refused(ex.engine.venue, ValueError, "1500.0", "was 1400.0"):
        ex.take_book("ACME", [(8.0, 1)], [(9.0, 1)], 1_400.0)


# ------------------------------------------------------------------------ queue places
def test_places_in_the_queue_are_the_fill_models_own() -> None:
    ex = opened(fill_model=ProbabilisticFills(0.0, 0.5))
    venue = ex.engine.venue
    shown = venue.account.open_orders[ex.buy("m", 5, limit=0.54).id]
    inside = venue.account.open_orders[ex.buy("m", 5, limit=0.55).id]
    deep = venue.account.open_orders[ex.buy("m", 5, limit=0.50).id]
    assert venue.ahead_of(shown) == 50.0  # half of the 100 that are displayed
    assert venue.ahead_of(inside) == 0.0  # no level has this price
    assert math.isnan(venue.ahead_of(deep))  # beyond the last level shown
    # 40 of the 100 have left: of the 50 ahead as many, in proportion.
    ex.take_book("m", [(0.54, 60.0)], ASKS, 1_001.0)
    assert venue.ahead_of(shown) == pytest.approx(50 - 40 * 50 / 100)
    ex.cancel(shown.id)
    assert math.isnan(venue.ahead_of(shown))


def test_a_model_without_a_queue_has_no_places() -> None:
    ex = opened(fill_model="glft")
    venue = ex.engine.venue
    assert math.isnan(venue.ahead_of(venue.account.open_orders[ex.buy("m", 5, limit=0.54).id]))


def test_a_model_that_says_nonsense_about_a_place_is_named() -> None:
    class Odd(ProbabilisticFills):
        def ahead(self, order: Any) -> Any:
            return -1

    ex = opened(fill_model=Odd())
    venue = ex.engine.venue
    order = venue.account.open_orders[ex.buy("m", 5, limit=0.54).id]
    with pytest.raises(hz.ModelError, match=r"Odd.ahead must return units, 0 or more.*was -1"):
        venue.ahead_of(order)
    assert math.isnan(FillModel.ahead(Odd(), order))


# ------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("bids", "asks", "more", "error", "words"),
    [
        ([(0.6, 1)], [(0.5, 1)], {}, DataError, "bids must not lie above the lowest ask"),
        ([(0.4, 1), (0.5, 1)], [], {}, DataError, "bids must be ordered"),
        ([], [(1.5, 1)], {}, DataError, "prices of asks must lie between 0 and 1"),
        ([(0.5, 0.0)], [], {}, DataError, "sizes of bids must be finite and above 0"),
        ([(0.5, "9")], [], {}, TypeError, "a size of bids must be a number, was '9'"),
        ([(0.5,)], [], {}, TypeError, "bids must be a list of (price, size), was [(0.5,)]"),
        ([0.5], [], {}, TypeError, "bids must be a list of (price, size), was [0.5]"),
        ("ab", [], {}, TypeError, "bids must be a list of (price, size), was 'ab'"),
        ([], None, {}, TypeError, "asks must be a list of (price, size), was None"),
        (BIDS, ASKS, {"price": 1.2}, ValueError, "price must be between 0 and 1"),
        (BIDS, ASKS, {"trade": 1.2}, ValueError, "trade must be between 0 and 1"),
        (BIDS, ASKS, {"volume": -1}, ValueError, "volume must be 0 or more, was -1"),
        (BIDS, ASKS, {"timestamp": "noon"}, TypeError, "timestamp must be seconds"),
    ],
    ids=range(13),
)
def test_a_book_that_cannot_be_changes_nothing(
    bids: Any, asks: Any, more: dict[str, Any], error: type[Exception], words: str
) -> None:
    ex = opened()
    with refused(ex.engine.venue, error, words):
        ex.take_book("m", bids, asks, **more)
    assert ex.book("m").bids == BIDS
    fresh = hz.connect("book")
    with refused(fresh.engine.venue, (error, DataError, ValueError), ""):  # type: ignore[arg-type]
        fresh.take_book("other:no", bids, asks, **more)
    assert fresh.engine.venue.market("other") is None  # not even what the market is


def test_ids_that_name_no_market_are_refused() -> None:
    ex = opened()
    ex.declare(hz.Market("ACME", hz.Equity))
    with pytest.raises(ValueError, match="known as Equity; it cannot be used as Prediction"):
        ex.take_book("ACME:no", BIDS, ASKS)
    with pytest.raises(TypeError, match="market_id must be text"):
        ex.take_book(3, BIDS, ASKS)  # type: ignore[arg-type]


def test_ticks_are_for_paper_and_books_for_this() -> None:
    ex = opened()
    with pytest.raises(VenueError, match=r"takes books, not ticks: .*hz.feeds.BookReplay\(books\)"):
        ex.tick("m", 0.5)
    paper = hz.connect("paper")
    with pytest.raises(VenueError, match=r"takes no books by hand; .*hz.connect\('book'\)"):
        paper.take_book("m", BIDS, ASKS)
    assert paper.book("m") is None
    assert paper.engine.book("m") is None
    with pytest.raises(TypeError, match="market_id must be text"):
        paper.book(3)  # type: ignore[arg-type]
    with pytest.raises(VenueError, match="takes no books by hand"):
        hz.Engine(venue=hz.venues.BookVenue(1_000.0)).take_book("m", BIDS, ASKS)


def test_an_engine_takes_books_and_answers_in_its_own_words() -> None:
    engine = hz.Engine(venue=BookAccount(1_000.0, markets=[M], clock=lambda: 0.0))
    engine.take_book("m", BIDS, ASKS, 1.0)
    engine.submit_order(hz.OrderRequest("m", hz.Side.No, hz.OrderSide.Buy, 5, 0.45))
    (fill,) = engine.take_book("m", [(0.55, 9)], [(0.57, 9)], 2.0)
    assert (fill.market_id, fill.side, fill.price, fill.size) == ("m", hz.Side.No, 0.45, 5.0)
    assert engine.book("m").best_bid == 0.55
    assert engine.take_book("m", BIDS, ASKS, 3.0) == []


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"fee_bps": 10_000}, ValueError, r"fee_bps must lie in \(-10000, 10000\), was 10000"),
        ({"fill_model": "queue"}, ValueError, "fill_model must be one of .* was 'queue'"),
        ({"fill_model_params": {"lambda": 1}}, ValueError, "fill_model_params of 'deterministic'"),
        ({"markets": [3]}, TypeError, "markets must hold Market, has 3"),
        ({"markets": M}, TypeError, "markets must hold Market, was"),
        ({"impact": 3}, TypeError, "impact must be an Impact"),
        ({"initial_cash": -1}, ValueError, "initial_cash must be 0 or more"),
        ({"fil_model": 1}, TypeError, "no option of venue 'book'.*Did you mean 'fill_model'"),
    ],
    ids=range(8),
)
def test_wrong_options_are_refused(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        hz.connect("book", **options)


def test_rates_stand_beside_the_fee_in_basis_points() -> None:
    ex = opened(fee_bps=10, maker_fee_rate=-0.001)
    assert ex.engine.venue.fee_rates == (-0.001, 0.001)


def test_the_name_book_is_taken() -> None:
    with pytest.raises(ValueError, match="name 'book' is taken"):
        hz.register_venue("book", hz.Paper)
    with pytest.raises(VenueError, match="known are 'book', 'paper'"):
        hz.connect("alpaca")


def test_a_limit_order_may_wait_for_the_first_book() -> None:
    ex = hz.connect("book", markets=[M], fill_model=ProbabilisticFills(1e9, 0.0))
    ex.buy("m", 5, limit=0.55)
    assert ex.buy("m", 5, market=True).metadata["reason"] == "no price: the book of m has no ask"
    assert ex.book("m") is None
    start = ex.time
    assert [f.quantity for f in ex.take_book("m", BIDS, ASKS, start + 1)] == [5.0]
    with pytest.raises(OrderError):
        ex.amend("p1", new_quantity=9)
