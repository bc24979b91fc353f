"""A book venue against a naive one in whole numbers, and what must hold whatever happens."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

from horizon.instruments import Market
from horizon.types import AssetClass
from horizon.venues.events import replay, state_of
from horizon.venues.fill_models import FillModel, GLFTFills, ProbabilisticFills
from horizon.venues.impact import LinearImpact
from horizon.venues.latency import ConstantLatency
from tests.venues.helpers import assert_books, place
from tests.venues.replayed import Book, Replayed

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

SEEDS = range(40)


def random_books(rng: random.Random, count: int) -> list[Book]:
    """Books in ticks of a cent around a mid that wanders; at times a side is missing."""
    books: list[Book] = []
    mid = 50
    for _ in range(count):
        mid = min(max(mid + rng.choice((-3, -2, -1, 0, 0, 1, 2, 3)), 15), 85)
        sides = []
        for way in (-1, 1):
            price, side = mid + way * rng.randint(0 if way > 0 else 1, 2), []
            for _ in range(rng.choice((0, 1, 3, 3, 4))):
                side.append((price / 100, float(rng.randint(1, 40))))
                price += way * rng.randint(1, 2)
            sides.append(side)
        books.append((sides[0], sides[1]))
    return books


@dataclass
class Naive:
    """An order of the naive venue, in prices of YES and whole ticks."""

    order_id: str
    market_id: str
    takes_asks: bool
    left: int
    limit: int


class NaiveBook:
    """Matching with dictionaries of whole numbers, straight from the rules."""

    def __init__(self) -> None:
        self.asks: dict[int, int] = {}
        self.bids: dict[int, int] = {}
        self.resting: list[Naive] = []
        self.fills: list[tuple[str, int, int, bool]] = []

    def show(self, book: Book) -> None:
        self.bids, self.asks = (
            {round(price * 100): round(size) for price, size in side} for side in book
        )
        # The better price first; `sorted` keeps the order of arrival.
        for takes_asks in (True, False):
            group = [order for order in self.resting if order.takes_asks is takes_asks]
            for order in sorted(group, key=lambda o: -o.limit if takes_asks else o.limit):
                self.take(order, maker=True)
        self.resting = [order for order in self.resting if order.left]

    def arrive(self, order: Naive, ioc: bool) -> None:
        self.take(order, maker=False)
        if order.left and not ioc:
            self.resting.append(order)

    def take(self, order: Naive, maker: bool) -> None:
        side = self.asks if order.takes_asks else self.bids
        got = 0
        for price in sorted(side, reverse=not order.takes_asks):
            if price > order.limit if order.takes_asks else price < order.limit:
                break
            size = min(side[price], order.left)
            if not size:
                continue
            side[price] -= size
            order.left -= size
            got += size
            if not maker:
                self.fills.append((order.order_id, size, price, False))
        if maker and got:
            self.fills.append((order.order_id, got, order.limit, True))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_fill_is_that_of_a_naive_venue_in_whole_numbers(seed: int) -> None:
    rng = random.Random(seed)
    books = random_books(rng, 60)
    venue, naive = Replayed(*books, initial_cash=1e6), NaiveBook()
    naive.show(books[0])
    for book in books[1:]:
        for _ in range(rng.randint(0, 4)):
            is_no, buys = rng.random() < 0.5, rng.random() < 0.5
            limit, size = rng.randint(5, 95), rng.randint(1, 60)
            ioc, is_market = rng.random() < 0.2, rng.random() < 0.2
            takes_asks = buys is not is_no
            side = naive.asks if takes_asks else naive.bids
            order = place(
                venue,
                "buy" if buys else "sell",
                size,
                None if is_market else limit / 100,
                market_id="M:no" if is_no else "M",
                tif="ioc" if ioc else "gtc",
            )
            assert (order.status == "rejected") is (is_market and not any(side.values()))
            bound = (100 if takes_asks else 0) if is_market else 100 - limit if is_no else limit
            copy = Naive(order.id, order.market_id, takes_asks, size, bound)
            naive.arrive(copy, ioc or is_market)
        if rng.random() < 0.3 and naive.resting:
            gone = naive.resting.pop(rng.randrange(len(naive.resting)))
            assert venue.cancel(gone.order_id)
        venue.next()
        naive.show(book)
    mirrored = [
        (
            fill.order_id,
            round(fill.quantity),
            round((1 - fill.price if fill.market_id == "M:no" else fill.price) * 100),
            fill.is_maker,
        )
        for fill in venue.fill_history()
    ]
    assert len(mirrored) > 30
    assert mirrored == naive.fills
    assert_books(venue)


MODELS: dict[str, FillModel | None] = {
    "deterministic": None,
    "probabilistic": ProbabilisticFills(lambda_=0.5, queue_frac=0.5),
    "glft": GLFTFills(intensity=0.5, kappa=30.0),
}


def busy(seed: int, *, mirrored: bool = False, **options: Any) -> Replayed:
    """A run of random orders over random books; mirrored, every order is one of the other side."""
    rng = random.Random(seed)
    venue = Replayed(*random_books(rng, 50), maker_fee_rate=-0.001, taker_fee_rate=0.002, **options)
    for _ in range(49):
        for _ in range(rng.randint(0, 3)):
            side, size = rng.choice(("buy", "sell")), float(rng.randint(1, 60))
            price = None if rng.random() < 0.2 else rng.randint(5, 95) / 100
            is_no = rng.random() < 0.4
            place(
                venue,
                side,
                size,
                price,
                market_id="M:no" if is_no else "M",
                tif=rng.choice(("gtc", "gtc", "gtc", "ioc")),
                post_only=rng.random() < 0.1 and price is not None,
            )
        if rng.random() < 0.2:
            venue.cancel_all("M:no" if rng.random() < 0.5 else "M")
        venue.next()
    return venue


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(12))
def test_fills_are_never_worse_than_the_limit_nor_more_than_was_asked_for(
    seed: int, model: str
) -> None:
    venue = busy(seed, fill_model=MODELS[model], impact=LinearImpact(3.0, 0.2))
    assert len(venue.fill_history()) > 20
    orders = {order.id: order for order in venue.orders()}
    for fill in venue.fill_history():
        order = orders[fill.order_id]
        sign = 1 if order.side == "buy" else -1
        if order.price is not None:
            assert sign * (fill.price - order.price) <= 0.0
        assert 0.0 < fill.price < 1.0
    for order in orders.values():
        assert order.filled_quantity <= order.quantity
    assert_books(venue)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(6))
def test_a_replay_of_the_events_gives_the_same_account(seed: int, model: str) -> None:
    rng = random.Random(seed)
    options = {"fill_model": MODELS[model], "latency": ConstantLatency(300.0)}
    venue = Replayed(*random_books(rng, 40), shown=False, **options)
    events: list[tuple[Any, ...]] = []
    venue.subscribe(events.append)
    # What was declared before the listener came is the first event.
    told = [("declared", 1_000 * 10**9, "M", 2, 1.0, None, None, None, None, None)]
    for _ in range(40):
        venue.next()
        for _ in range(2):
            price = None if rng.random() < 0.3 else rng.randint(20, 80) / 100
            market_id = rng.choice(("M", "M:no"))
            place(venue, rng.choice(("buy", "sell")), 5, price, market_id=market_id)
        with venue.lock:
            venue.mark(venue.state(), venue.now_ns(), 0.5, 0.49, 0.51, float("nan"))
    assert len(venue.fill_history()) > 20
    assert state_of(replay(1_000_000.0, told + events)) == state_of(venue.account)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(6))
def test_a_prefix_of_the_books_has_a_prefix_of_the_fills(seed: int, model: str) -> None:
    def run(count: int) -> list[Any]:
        rng = random.Random(seed)
        books = random_books(rng, 60)[:count]
        venue = Replayed(*books, fill_model=MODELS[model], impact=LinearImpact(2.0, 0.3))
        for k in range(1, count):
            fresh = random.Random(1_000 * seed + k)
            side = fresh.choice(("buy", "sell"))
            place(venue, side, 20, fresh.randint(30, 70) / 100, market_id="M")
            venue.next()
        return venue.fill_history()

    whole = run(60)
    for count in (2, 17, 41):
        part = run(count)
        assert part == whole[: len(part)]
        # The part ends with its last snapshot; in the whole an order follows at that time.
        last = 1_000.0 + count - 1
        seen = [f for f in whole if f.timestamp < last or (f.timestamp == last and f.is_maker)]
        assert len(part) == len(seen)


@pytest.mark.parametrize("seed", range(10))
def test_trading_no_at_one_less_the_price_is_trading_yes(seed: int) -> None:
    def run(is_no: bool) -> list[tuple[float, float, bool]]:
        rng = random.Random(seed)
        books = random_books(rng, 40)
        venue = Replayed(*books, impact=LinearImpact(4.0, 0.0))
        for _ in range(39):
            side, ticks = rng.choice(("buy", "sell")), rng.randint(20, 80)
            price = None if ticks < 30 else ticks
            if is_no:
                side = "sell" if side == "buy" else "buy"
                price = None if price is None else 100 - price
            limit = None if price is None else price / 100
            place(venue, side, 25, limit, market_id="M:no" if is_no else "M")
            venue.next()
        return [
            (f.quantity, round(1 - f.price if is_no else f.price, 9), f.is_maker)
            for f in venue.fill_history()
        ]

    assert run(True) == run(False)


def test_other_markets_do_not_touch_each_other() -> None:
    rng = random.Random(3)
    books = random_books(rng, 30)
    other = Market("N", AssetClass.Prediction)

    def run(busy_elsewhere: bool) -> list[Any]:
        fresh = random.Random(4)
        impact = LinearImpact(3.0, 0.5)
        venue = Replayed(*books, others={other: books}, impact=impact, fill_model=MODELS["glft"])
        for _ in range(29):
            place(venue, "buy", 30, fresh.randint(30, 70) / 100, market_id="M")
            if busy_elsewhere:
                place(venue, "buy", 70, 0.9, market_id="N")
            venue.next()
        return [
            (f.quantity, f.price, f.timestamp) for f in venue.fill_history() if f.market_id == "M"
        ]

    assert run(True) == run(False)
