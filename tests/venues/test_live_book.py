"""Books that come one by one: the same as recorded ones, and nothing that cannot be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon as hz
from horizon.books import read_books
from horizon.errors import DataError
from horizon.venues.book import BookVenue
from horizon.venues.fill_models import fill_model_of

NS = 1_000_000_000
M = hz.Market("m", hz.Prediction)
Side = list[tuple[float, float]]


def venue_of(**more: Any) -> tuple[BookVenue, hz.Engine]:
    venue = BookVenue(1000.0, maker_fee_rate=0.001, taker_fee_rate=0.002, **more)
    venue.set_clock(lambda: 0)
    engine = hz.Engine(venue=venue)
    engine.declare(M)
    return venue, engine


def packed(side: Side) -> tuple[list[float], list[float]]:
    return [price for price, _ in side], [size for _, size in side]


def show(venue: BookVenue, time: int, bids: Side, asks: Side) -> None:
    index = venue.bring("m", packed(bids), packed(asks))
    with venue.lock:
        venue.show(venue.account.markets["m"], index, time * NS)


def test_an_order_takes_what_the_last_book_shows() -> None:
    venue, engine = venue_of()
    venue.open_books(["m"])
    assert venue.book("m") is None
    show(venue, 1, [(0.48, 10)], [(0.50, 5), (0.52, 10)])
    order = engine.submit_order(hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, 8))
    assert [(fill.price, fill.size) for fill in engine.drain_fills()] == [(0.50, 5), (0.52, 3)]
    assert engine.order(order).status == "filled"
    assert venue.book("m").asks == [(0.52, 7)]  # what is taken stays taken
    show(venue, 2, [(0.48, 10)], [(0.50, 5)])
    assert venue.book("m").asks == [(0.50, 5)]  # until the next book


def test_a_resting_order_fills_when_a_later_book_reaches_it() -> None:
    venue, engine = venue_of()
    venue.open_books(["m"])
    show(venue, 1, [(0.48, 10)], [(0.50, 5)])
    engine.submit_order(hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, 8, 0.49))
    show(venue, 2, [], [])
    show(venue, 3, [(0.46, 10)], [(0.485, 3)])
    (fill,) = engine.drain_fills()
    assert (fill.price, fill.size, fill.is_maker, fill.timestamp) == (0.49, 3, True, 3.0)


SIDE = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 50)), max_size=4, unique_by=lambda x: x[0]
)
BOOKS = st.lists(st.tuples(SIDE, SIDE, st.integers(-8, 8)), min_size=1, max_size=12)


@pytest.mark.no_cover
@pytest.mark.parametrize("model", ["deterministic", "probabilistic", "glft"])
@given(books=BOOKS, actions=st.lists(st.tuples(st.booleans(), st.integers(1, 99)), max_size=12))
def test_live_books_are_recorded_ones_bit_for_bit(
    model: str, books: list[Any], actions: list[Any]
) -> None:
    def levels(side: list[Any], middle: int, sign: int) -> Side:
        ordered = sorted(side, key=lambda one: one[0])
        return [((middle + sign * step) / 100, float(size)) for step, size in ordered]

    shown = [
        {
            "timestamp": 1 + i,
            "bids": levels(bids, 50 + middle, -1),
            "asks": levels(asks, 50 + middle, 1),
        }
        for i, (bids, asks, middle) in enumerate(books)
    ]
    more = {"impact": hz_impact(), "seed": 7}
    live, live_engine = venue_of(fill_model=fill_model_of(model, None), **more)
    live.open_books(["m"])
    recorded, recorded_engine = venue_of(fill_model=fill_model_of(model, None), **more)
    recorded.load({"m": read_books(shown)})
    for i, book in enumerate(shown):
        show(live, 1 + i, book["bids"], book["asks"])
        with recorded.lock:
            recorded.show(recorded.account.markets["m"], i, (1 + i) * NS)
        if i < len(actions):
            is_buy, price = actions[i]
            side = hz.OrderSide.Buy if is_buy else hz.OrderSide.Sell
            request = hz.OrderRequest("m", hz.Side.Yes, side, 20, price / 100)
            live_engine.submit_order(request)
            recorded_engine.submit_order(request)
        assert str(live.book("m")) == str(recorded.book("m"))
    assert live_engine.drain_fills() == recorded_engine.drain_fills()
    assert live.orders() == recorded.orders()
    assert live.displacements == recorded.displacements
    assert live.account.equity == recorded.account.equity


def hz_impact() -> Any:
    from horizon.venues.impact import LinearImpact

    return LinearImpact(5.0, 0.5)


@pytest.mark.parametrize(
    ("bids", "asks", "why"),
    [
        ([(0.5, 0.0)], [], "sizes of bids must be finite and above 0"),
        ([(0.5, float("nan"))], [], "sizes of bids must be finite and above 0"),
        ([], [(0.5, float("inf"))], "sizes of asks must be finite and above 0"),
        ([(0.4, 1), (0.5, 1)], [], "bids must be ordered, the best price first"),
        ([], [(0.5, 1), (0.5, 1)], "asks must be ordered, the best price first"),
        ([], [(0.5, 1), (float("nan"), 1), (0.6, 1)], "prices of asks must be finite"),
        ([(1.2, 1)], [], "prices of bids must lie between 0 and 1, was 1.2"),
        ([(0.5, 1), (-0.1, 1)], [], "prices of bids must lie between 0 and 1, was -0.1"),
        ([(0.6, 1)], [(0.5, 1)], "bids must not lie above the lowest ask, 0.5, was 0.6"),
    ],
    ids=range(9),
)
def test_a_book_that_cannot_be_is_refused_and_changes_nothing(
    bids: Side, asks: Side, why: str
) -> None:
    venue, _ = venue_of()
    venue.open_books(["m"])
    show(venue, 1, [(0.48, 10)], [(0.50, 5)])
    with pytest.raises(DataError, match=why) as caught:
        venue.bring("m", packed(bids), packed(asks))
    assert caught.value.feed == "m"
    assert venue.book("m").bids == [(0.48, 10)]
    show(venue, 2, [(0.47, 10)], [])
    assert venue.book("m").bids == [(0.47, 10)]


def test_bid_equal_to_ask_is_a_book() -> None:
    venue, _ = venue_of()
    venue.open_books(["m"])
    show(venue, 1, [(0.50, 10)], [(0.50, 5)])
    assert venue.book("m").spread == 0.0


def test_markets_must_be_declared_and_opened() -> None:
    venue, _ = venue_of()
    with pytest.raises(ValueError, match="'other' is not"):
        venue.open_books(["other"])
    with pytest.raises(ValueError, match="'m' was not opened"):
        venue.bring("m", ([], []), ([], []))
