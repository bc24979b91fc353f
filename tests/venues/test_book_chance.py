"""A book venue: fills by chance, who may have them, how much, and which number decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from horizon.instruments import Market
from horizon.types import AssetClass
from horizon.venues import chance
from horizon.venues.book_view import BookView
from horizon.venues.fill_models import (
    FillModel,
    GLFTFills,
    ProbabilisticFills,
    RestingOrder,
)
from horizon.venues.impact import LinearImpact
from horizon.venues.latency import ConstantLatency
from tests.venues.helpers import assert_books, buy, held, sell
from tests.venues.replayed import Book, Replayed

BIDS = [(0.54, 100.0), (0.53, 200.0)]
ASKS = [(0.56, 80.0), (0.57, 200.0)]
BOOK: Book = (BIDS, ASKS)


class Odds(FillModel):
    """A user's own model: the same chance for every order; it writes down what it is asked."""

    def __init__(self, odds: float = 1.0) -> None:
        self.odds = odds
        self.asked: list[tuple[str, float]] = []

    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        self.asked.append((order.id, seconds))
        return self.odds


def filled(venue: Replayed) -> list[tuple[str, float, float]]:
    return [(f.order_id, f.quantity, f.price) for f in venue.next()]


# ------------------------------------------------------------------------ who may fill
@pytest.mark.parametrize(
    ("place", "price", "is_asked"),
    [
        (buy, 0.54, True),  # at the best bid
        (buy, 0.55, True),  # inside the spread
        (buy, 0.53, False),
        (buy, 0.539, False),
        (sell, 0.56, True),
        (sell, 0.55, True),
        (sell, 0.57, False),
    ],
)
def test_a_chance_needs_an_order_at_or_inside_its_own_sides_best(
    place: Callable[..., Any], price: float, is_asked: bool
) -> None:
    model = Odds()
    venue = Replayed(BOOK, BOOK, fill_model=model)
    place(venue, 10, price, market_id="M")
    assert len(filled(venue)) == is_asked
    assert len(model.asked) == is_asked


@pytest.mark.parametrize(
    ("place", "price", "is_asked"),
    [(buy, 0.44, True), (buy, 0.43, False), (sell, 0.46, True), (sell, 0.47, False)],
)
def test_an_order_of_no_stands_in_the_book_of_no(
    place: Callable[..., Any], price: float, is_asked: bool
) -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    place(venue, 10, price, market_id="M:no")
    assert len(filled(venue)) == is_asked


def test_an_order_on_an_empty_side_is_the_best() -> None:
    book: Book = ([], ASKS)
    venue = Replayed(book, book, fill_model=Odds())
    buy(venue, 10, 0.2, market_id="M")
    assert len(filled(venue)) == 1


def test_a_chance_fill_is_a_makers_at_the_limit() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds(), maker_fee_rate=0.01)
    buy(venue, 10, 0.55, market_id="M")
    (fill,) = venue.next()
    assert (fill.price, fill.is_maker, fill.fee) == (0.55, True, pytest.approx(0.055))
    assert_books(venue)


def test_an_order_that_the_book_reaches_is_not_asked_about() -> None:
    model = Odds()
    venue = Replayed(BOOK, ([(0.5, 100)], [(0.55, 30)]), fill_model=model)
    buy(venue, 20, 0.55, market_id="M")
    buy(venue, 20, 0.55, market_id="M")
    # The rule fills 20 and 10 of them; no chance for the rest, nor after it.
    assert [f[1] for f in filled(venue)] == [20.0, 10.0]
    assert model.asked == []


def test_orders_fill_by_the_rule_first_and_by_chance_after() -> None:
    venue = Replayed(BOOK, ([(0.53, 100)], [(0.55, 5)]), fill_model=Odds())
    lucky = buy(venue, 20, 0.545, market_id="M")
    reached = buy(venue, 20, 0.55, market_id="M")
    # The other one takes the opposite best, which the first has used up.
    assert filled(venue) == [(reached.id, 5.0, 0.55)]
    assert venue.order(lucky.id).filled_quantity == 0.0


def test_nobody_is_asked_under_the_deterministic_model() -> None:
    venue = Replayed(BOOK, BOOK)
    buy(venue, 10, 0.555, market_id="M")
    assert filled(venue) == []


def test_orders_on_their_way_have_no_chance() -> None:
    model = Odds()
    venue = Replayed(BOOK, BOOK, BOOK, fill_model=model, latency=ConstantLatency(1_500.0))
    buy(venue, 10, 0.55, market_id="M")
    assert filled(venue) == []
    assert [f[1] for f in filled(venue)] == [10.0]
    # It arrived half a second before the second snapshot.
    assert [seconds for _, seconds in model.asked] == [0.5]


# ------------------------------------------------------------------------ how much
def test_it_takes_what_is_shown_at_its_price_at_most() -> None:
    venue = Replayed(BOOK, BOOK, BOOK, fill_model=Odds())
    order = buy(venue, 150, 0.54, market_id="M")
    assert filled(venue) == [(order.id, 100.0, 0.54)]
    assert filled(venue) == [(order.id, 50.0, 0.54)]


def test_inside_the_spread_it_takes_what_the_opposite_best_shows() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    order = buy(venue, 150, 0.55, market_id="M")
    assert filled(venue) == [(order.id, 80.0, 0.55)]
    # That size is taken: who arrives now meets the next level.
    assert venue.now().asks == [(0.57, 200.0)]


def test_own_orders_share_the_size_at_their_price() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    first, second = (buy(venue, 60, 0.54, market_id="M") for _ in range(2))
    assert filled(venue) == [(first.id, 60.0, 0.54), (second.id, 40.0, 0.54)]
    # Those who stand there are not ours to take: a sale meets all of them.
    assert venue.now().bids == BIDS


def test_own_orders_share_the_opposite_best_the_better_price_first() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    low, high = (buy(venue, 60, price, market_id="M") for price in (0.545, 0.55))
    assert filled(venue) == [(high.id, 60.0, 0.55), (low.id, 20.0, 0.545)]


def test_an_order_in_two_parts_gets_no_more_by_chance_than_in_one() -> None:
    whole, split = (Replayed(BOOK, BOOK, fill_model=Odds()) for _ in range(2))
    buy(whole, 1_000, 0.55, market_id="M")
    for _ in range(2):
        buy(split, 500, 0.55, market_id="M")
    # 0.57 behind it is not the best that was shown.
    assert [f[1] for f in filled(whole)] == [f[1] for f in filled(split)] == [80.0]


def test_without_an_opposite_side_there_is_nothing_to_take() -> None:
    book: Book = (BIDS, [])
    venue = Replayed(book, book, fill_model=Odds())
    inside, at_best = (buy(venue, 10, price, market_id="M") for price in (0.55, 0.54))
    assert filled(venue) == [(at_best.id, 10.0, 0.54)]
    assert venue.order(inside.id).is_open


def test_both_sides_may_fill_at_one_snapshot() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    buy(venue, 10, 0.54, market_id="M")
    sell(venue, 10, 0.56, market_id="M")
    assert [f[2] for f in filled(venue)] == [0.54, 0.56]
    assert venue.cash() == pytest.approx(1_000_000.2)


def test_reduce_only_orders_are_cut_and_end() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    buy(venue, 30, market_id="M")
    order = sell(venue, 30, 0.56, market_id="M", reduce_only=True)
    sell(venue, 20, market_id="M")
    assert filled(venue) == [(order.id, 10.0, 0.56)]
    assert (venue.order(order.id).status, held(venue)) == ("canceled", {})


def test_a_reduce_only_order_is_ended_by_a_chance_fill_of_the_same_snapshot() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds())
    buy(venue, 30, market_id="M")
    first, second = (sell(venue, 30, 0.56, market_id="M", reduce_only=True) for _ in range(2))
    assert filled(venue) == [(first.id, 30.0, 0.56)]
    assert venue.order(second.id).status == "canceled"


# ------------------------------------------------------------------------ how long
def test_time_counts_from_the_later_of_arrival_and_the_snapshot_before() -> None:
    model = Odds(0.0)
    venue = Replayed(*[BOOK] * 4, times=[1_000, 1_003, 1_003, 1_010.5], fill_model=model)
    venue.seconds = 1_001.0
    early = buy(venue, 10, 0.54, market_id="M")
    venue.next()
    late = buy(venue, 10, 0.54, market_id="M")
    venue.next()
    venue.next()
    assert model.asked == [
        (early.id, 2.0),  # since its arrival at 1,001
        (early.id, 0.0),  # the second snapshot of that time
        (late.id, 0.0),
        (early.id, 7.5),
        (late.id, 7.5),
    ]


def test_a_new_price_is_a_new_arrival() -> None:
    model = Odds(0.0)
    venue = Replayed(BOOK, BOOK, fill_model=model)
    order = buy(venue, 10, 0.53, market_id="M")
    venue.seconds = 1_000.75
    venue.amend(order.id, new_price=0.54)
    venue.next()
    assert model.asked == [(order.id, 0.25)]


def test_before_the_first_snapshot_time_counts_from_arrival() -> None:
    model = Odds(0.0)
    venue = Replayed(BOOK, times=[1_005], shown=False, fill_model=model)
    venue.seconds = 1_003.0
    order = buy(venue, 10, 0.54, market_id="M")
    venue.next()
    assert model.asked == [(order.id, 2.0)]


# ------------------------------------------------------------------------ which number decides
def test_an_order_fills_where_its_uniform_number_is_below_the_chance() -> None:
    key = chance.market_key("M")
    for seed in range(20):
        venue = Replayed(*[BOOK] * 10, fill_model=Odds(0.3), seed=seed)
        for price in (0.53, 0.53, 0.55):
            order = buy(venue, 5, price, market_id="M")
        at = next(
            (k for k in range(1, 10) if chance.uniform(seed, key, 3, k) < 0.3),
            None,
        )
        for k in range(1, 10):
            expected = [(order.id, 5.0, 0.55)] if k == at else []
            assert filled(venue) == expected


def test_the_number_of_an_order_counts_the_orders_of_its_market_on_both_sides() -> None:
    other = Market("N", AssetClass.Prediction)
    books = [BOOK] * 2
    venue = Replayed(*books, others={other: books}, fill_model=Odds(0.5))
    placed = [buy(venue, 5, 0.4, market_id=m) for m in ("N", "M", "M:no", "N", "M")]
    assert [venue.account.orders[order.id].number for order in placed] == [1, 1, 2, 2, 3]


def test_an_extra_order_elsewhere_changes_nothing() -> None:
    other = Market("N", AssetClass.Prediction)
    books = [BOOK] * 60

    def run(extra: bool) -> list[tuple[float, float, float]]:
        venue = Replayed(*books, others={other: books}, fill_model=Odds(0.2), seed=9)
        times = []
        for k in range(59):
            if extra and k % 3 == 0:
                buy(venue, 1, 0.55, market_id="N")
            buy(venue, 2, 0.55, market_id="M")
            times += [
                (f.timestamp, f.quantity, f.price) for f in venue.next() if f.market_id == "M"
            ]
        return times

    plain = run(False)
    assert len(plain) > 20
    assert run(True) == plain


def test_another_seed_makes_other_fills_and_the_same_seed_the_same() -> None:
    def run(seed: int) -> list[float]:
        venue = Replayed(*[BOOK] * 100, fill_model=Odds(0.2), seed=seed)
        for _ in range(99):
            buy(venue, 1, 0.55, market_id="M")
            venue.next()
        return [f.timestamp for f in venue.fill_history()]

    assert run(1) == run(1) != run(2)


def test_fills_come_about_as_often_as_their_chance_says() -> None:
    venue = Replayed(*[BOOK] * 2_001, fill_model=Odds(0.3))
    count = 0
    for _ in range(2_000):
        order = buy(venue, 1, 0.55, market_id="M")
        count += len(venue.next())
        venue.cancel(order.id)
    # Binomial: 600 expected, sqrt(2000 x 0.3 x 0.7) = 20.5; four of them.
    assert abs(count - 600) < 82


@pytest.mark.parametrize("odds", [0.0, 1.0])
def test_no_chance_never_fills_and_certainty_always(odds: float) -> None:
    venue = Replayed(*[BOOK] * 200, fill_model=Odds(odds))
    for _ in range(199):
        buy(venue, 1, 0.55, market_id="M")
        assert len(venue.next()) == (odds == 1.0)
        venue.cancel_all()


@pytest.mark.parametrize("odds", [-0.1, 1.1, math.nan, math.inf])
def test_a_chance_that_is_no_probability_is_an_error(odds: float) -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds(odds))
    buy(venue, 1, 0.55, market_id="M")
    with pytest.raises(ValueError, match=r"Odds\.chance must return a probability"):
        venue.next()


# ------------------------------------------------------------------------ the ready models
def test_the_front_of_the_queue_fills_once_the_level_has_been_empty() -> None:
    without: Book = ([(0.53, 200.0)], ASKS)
    model = ProbabilisticFills(lambda_=1e9, queue_frac=0.5)
    venue = Replayed(BOOK, BOOK, ([(0.54, 10.0)], ASKS), without, fill_model=model)
    order = buy(venue, 10, 0.54, market_id="M")
    assert filled(venue) == []  # behind 50 of 100
    assert filled(venue) == []  # behind 5 of 10
    # Nobody else stands at 0.54; the size is that of the opposite best.
    assert filled(venue) == [(order.id, 10.0, 0.54)]


def test_an_order_at_the_front_from_the_start_fills_with_its_first_chance() -> None:
    model = ProbabilisticFills(lambda_=1e9, queue_frac=0.0)
    venue = Replayed(BOOK, BOOK, fill_model=model)
    buy(venue, 10, 0.54, market_id="M")
    assert [f[1] for f in filled(venue)] == [10.0]


def test_lambda_of_zero_fills_nothing_but_what_is_reached() -> None:
    model = ProbabilisticFills(lambda_=0.0, queue_frac=0.0)
    venue = Replayed(BOOK, BOOK, ([], [(0.54, 5.0)]), fill_model=model)
    buy(venue, 10, 0.54, market_id="M")
    assert (filled(venue), [f[1] for f in filled(venue)]) == ([], [5.0])


def test_queues_move_while_an_order_is_not_at_the_best() -> None:
    # At 0.53 behind 100 of 200. The level empties while 0.54 is the best; when 0.53 is the best
    # again, nobody is ahead.
    empty: Book = ([(0.54, 100.0), (0.52, 9.0)], ASKS)
    back: Book = ([(0.53, 70.0), (0.52, 9.0)], ASKS)
    model = ProbabilisticFills(lambda_=1e9, queue_frac=0.5)
    venue = Replayed(BOOK, empty, back, fill_model=model)
    order = buy(venue, 100, 0.53, market_id="M")
    assert filled(venue) == []
    assert filled(venue) == [(order.id, 70.0, 0.53)]


def test_a_queue_moves_while_the_order_is_partly_filled_by_the_rule() -> None:
    model = ProbabilisticFills(lambda_=1e9, queue_frac=0.5)
    venue = Replayed(BOOK, ([(0.53, 1.0)], [(0.54, 4.0)]), BOOK, fill_model=model)
    order = buy(venue, 10, 0.54, market_id="M")
    assert filled(venue) == [(order.id, 4.0, 0.54)]  # reached; its level is empty
    assert filled(venue) == [(order.id, 6.0, 0.54)]  # those who came are behind


def test_the_chance_of_glft_is_that_of_the_distance() -> None:
    key = chance.market_key("M")
    venue = Replayed(*[BOOK] * 40, fill_model=GLFTFills(intensity=0.5, kappa=50.0), seed=4)
    order = buy(venue, 5, 0.54, market_id="M")
    # 1 - exp(-0.5 x exp(-50 x 0.01) x 1 s) = 1 - exp(-0.30326533) = 0.26160329.
    at = next(k for k in range(1, 40) if chance.uniform(4, key, 1, k) < 0.26160329)
    for k in range(1, at + 1):
        assert filled(venue) == ([(order.id, 5.0, 0.54)] if k == at else [])


def test_displacement_never_helps_a_resting_order_to_its_chance() -> None:
    impact = LinearImpact(5.0, 0.3)
    # Bought 80 at 0.56: displaced by 44.8 x 0.00015 = 0.00672. The best bid stands at 0.54672 for
    # a buy, so one at 0.54 or 0.546 is behind it; a sale sees nothing of it.
    for price, is_asked in ((0.54, False), (0.546, False), (0.547, True)):
        model = Odds(0.0)
        venue = Replayed(BOOK, BOOK, fill_model=model, impact=impact)
        buy(venue, 80, market_id="M")
        order = buy(venue, 10, price, market_id="M")
        sale = sell(venue, 10, 0.56, market_id="M")
        venue.next()
        asked = [order_id for order_id, _ in model.asked]
        assert asked == ([order.id] if is_asked else []) + [sale.id]


def test_the_opposite_best_for_a_chance_fill_may_have_been_pushed_out() -> None:
    venue = Replayed(BOOK, BOOK, fill_model=Odds(), impact=LinearImpact(1_000.0, 1.0))
    # 4 x 0.56 x 1,000 / 10,000 = 0.224 twice: asks at 1.008 and beyond are gone.
    buy(venue, 4, market_id="M")
    buy(venue, 3, market_id="M")
    order = buy(venue, 10, 0.99, market_id="M")
    assert venue.displacement("M") > 0.44
    assert venue.next() == []
    assert venue.order(order.id).is_open


# ------------------------------------------------------------------------ a model's memory
class Counting(FillModel):
    """Remembers in the order itself how many snapshots it has seen."""

    def rest(self, order: RestingOrder, book: BookView) -> None:
        order.memory = 0

    def follow(self, order: RestingOrder, book: BookView) -> None:
        order.memory += 1

    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        return 1.0 if order.memory == 3 else 0.0


def test_a_users_own_model_keeps_its_memory_in_the_order() -> None:
    venue = Replayed(*[BOOK] * 8, fill_model=Counting())
    order = buy(venue, 10, 0.54, market_id="M")
    assert [len(venue.next()) for _ in range(2)] == [0, 0]
    # A new price is a new rest; a new quantity is not.
    venue.amend(order.id, new_price=0.55)
    venue.next()
    venue.amend(order.id, new_quantity=4)
    venue.next()
    assert [f.quantity for f in venue.next()] == [4.0]


def test_a_model_sees_the_order_as_it_stands() -> None:
    seen: list[tuple[Any, ...]] = []

    class Looking(Odds):
        def follow(self, order: RestingOrder, book: BookView) -> None:
            seen.append((order.id, order.market_id, order.number, order.sign, order.price))
            seen.append((order.quantity, order.remaining, order.arrived_ns))
            seen.append((book.market_id, book.bids, book.timestamp))

    book: Book = ([(0.57, 4.0), (0.53, 200.0)], [(0.58, 1.0)])
    venue = Replayed(BOOK, book, fill_model=Looking(0.0))
    order = buy(venue, 10, 0.43, market_id="M:no")
    assert len(venue.next()) == 1  # reached: 4 of 10
    assert seen == [
        (order.id, "M:no", 1, 1, 0.43),
        (10.0, 6.0, 1_000 * 10**9),
        ("M:no", [(0.42, 1.0)], 1_001.0),
    ]
    assert repr(RestingOrder("p1", "M", 1, -1, 0.5, 10.0, 4.0, 0)) == (
        "<RestingOrder p1: sell 4 at 0.5>"
    )


def test_orders_that_have_ended_are_forgotten() -> None:
    venue = Replayed(BOOK, fill_model=Counting())
    for _ in range(1_000):
        venue.cancel(buy(venue, 1, 0.3, market_id="M").id)
    assert len(venue._rested["M"]) < 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fill_model": GLFTFills}, "fill_model must be a FillModel, was <class"),
        ({"fill_model": "glft"}, "fill_model must be a FillModel, was 'glft'"),
        ({"impact": 5.0}, "impact must be an Impact, was 5.0"),
    ],
    ids=["class", "name", "number"],
)
def test_models_are_objects(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Replayed(BOOK, **options)
    assert message in str(caught.value)
