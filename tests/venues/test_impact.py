"""Impact: what is paid at deeper levels, what stays, and how a venue's prices move by it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.errors import ModelError
from horizon.instruments import Market
from horizon.types import AssetClass
from horizon.venues.impact import Impact, LinearImpact, NoImpact
from tests.venues.helpers import assert_books, buy, sell
from tests.venues.replayed import Replayed

PREDICTION, EQUITY = AssetClass.Prediction, AssetClass.Equity
BIDS = [(0.54, 100), (0.53, 200), (0.52, 500)]
ASKS = [(0.56, 100), (0.57, 200), (0.58, 500)]
BOOK = (BIDS, ASKS)
#: 5 bps of temporary impact, 30 % of which stays.
FIVE = {"temporary_bps": 5.0, "permanent_fraction": 0.3}


# ------------------------------------------------------------------------ the classes
def test_temporary_impact_is_in_price_units_for_predictions() -> None:
    impact = LinearImpact(5.0)
    # 100 x 5 / 10,000 = 0.05.
    assert impact.temporary(0.57, 1, 100.0, PREDICTION) == 0.57 + 0.05
    assert impact.temporary(0.53, -1, 100.0, PREDICTION) == 0.53 - 0.05


@pytest.mark.parametrize("kind", [k for k in AssetClass if k is not PREDICTION])
def test_temporary_impact_is_a_part_of_the_price_for_all_others(kind: AssetClass) -> None:
    impact = LinearImpact(5.0)
    # 101 x 0.05 = 5.05.
    assert impact.temporary(101.0, 1, 100.0, kind) == pytest.approx(106.05, rel=1e-15)
    assert impact.temporary(101.0, -1, 100.0, kind) == pytest.approx(95.95, rel=1e-15)


def test_the_first_level_has_no_temporary_impact() -> None:
    assert LinearImpact(500.0).temporary(0.56, 1, 0.0, PREDICTION) == 0.56


@pytest.mark.parametrize("kind", list(AssetClass))
def test_permanent_impact_is_in_price_units_for_every_class(kind: AssetClass) -> None:
    # 10,000 x 0.3 x 5 / 10,000 = 1.5.
    assert LinearImpact(5.0, 0.3).permanent(10_000.0, kind) == 1.5


def test_no_impact_leaves_prices_as_they_are() -> None:
    for none in (NoImpact(), LinearImpact(), Impact()):
        assert none.temporary(0.5, 1, 1e6, PREDICTION) == 0.5
        assert none.permanent(1e6, PREDICTION) == 0.0
    assert repr(NoImpact()) == "NoImpact()"
    assert repr(LinearImpact(5.0, 0.3)) == "LinearImpact(temporary_bps=5, permanent_fraction=0.3)"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"temporary_bps": -1}, ValueError, "temporary_bps must be 0 or more, was -1"),
        ({"temporary_bps": math.nan}, ValueError, "temporary_bps must be a finite number"),
        ({"temporary_bps": "5"}, TypeError, "temporary_bps must be a number, was '5'"),
        ({"permanent_fraction": -0.1}, ValueError, "permanent_fraction must be 0 or more"),
        ({"permanent_fraction": 1.1}, ValueError, "permanent_fraction must lie in [0, 1], was 1.1"),
        ({"permanent_fraction": None}, TypeError, "permanent_fraction must be a number, was None"),
    ],
    ids=["bps -1", "bps nan", "bps text", "part -0.1", "part 1.1", "part none"],
)
def test_linear_impact_refuses(
    options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        LinearImpact(**options)
    assert message in str(caught.value)


# ------------------------------------------------------------------------ temporary
def test_each_level_is_worse_by_what_was_filled_before_it() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    buy(venue, 350, market_id="M")
    # 100 at 0.56; then 100 x 5/10,000 = 0.05 more: 200 at 0.62; then 300 x ... = 0.15: 50 at 0.73.
    assert venue.traded() == [
        ("buy", 100.0, 0.56, False),
        ("buy", 200.0, pytest.approx(0.62), False),
        ("buy", 50.0, pytest.approx(0.73), False),
    ]


def test_what_an_order_filled_starts_anew_for_the_next() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    buy(venue, 60, market_id="M")
    buy(venue, 60, market_id="M")
    # The second takes the 40 that are left at 0.56 first: 0.57 + 40 x 5/10,000 = 0.59.
    assert [f[1:3] for f in venue.traded()] == [
        (60.0, 0.56),
        (40.0, 0.56),
        (20.0, pytest.approx(0.59)),
    ]


def test_sales_get_less_by_it() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    sell(venue, 150, market_id="M")
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.54), (50.0, pytest.approx(0.48))]


def test_the_walk_stops_where_the_effective_price_passes_the_limit() -> None:
    venue = Replayed(BOOK, BOOK, impact=LinearImpact(5.0))
    order = buy(venue, 250, 0.6, market_id="M")
    # 0.57 itself is within the limit; with 0.05 of impact it is not.
    assert venue.traded() == [("buy", 100.0, 0.56, False)]
    assert venue.order(order.id).status == "partial"
    # It rests, and the next snapshot reaches it: a maker at its limit, without impact.
    venue.next()
    assert venue.traded()[1:] == [("buy", 150.0, 0.6, True)]


def test_a_level_whose_effective_price_is_the_limit_is_taken() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    buy(venue, 250, 0.62, market_id="M")
    # 0.57 + 0.05 is 0.6199999999999999 or 0.62 in floats: the limit is met either way.
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.56), (150.0, pytest.approx(0.62))]
    assert all(price <= 0.62 for _, _, price, _ in venue.traded())


def test_an_ioc_ends_where_impact_passes_its_limit() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    order = buy(venue, 250, 0.6, market_id="M", tif="ioc")
    now = venue.order(order.id)
    assert (now.status, now.filled_quantity) == ("canceled", 100.0)


def test_impact_is_a_part_of_the_levels_price_for_a_share() -> None:
    books = [([(99.0, 100), (98.0, 100)], [(100.0, 100), (101.0, 200)])]
    venue = Replayed(*books, market=Market("ACME", EQUITY), impact=LinearImpact(5.0))
    buy(venue, 150)
    sell(venue, 150)
    # 101 x (1 + 100 x 5/10,000) = 106.05; 98 x (1 - 0.05) = 93.1.
    assert [f[1:3] for f in venue.traded()] == [
        (100.0, 100.0),
        (50.0, pytest.approx(106.05)),
        (100.0, 99.0),
        (50.0, pytest.approx(93.1)),
    ]


def test_impact_of_a_no_order_is_in_the_price_of_no() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(5.0))
    buy(venue, 150, market_id="M:no")
    # 1 - 0.54 = 0.46; then 1 - 0.53 + 0.05 = 0.52.
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.46), (50.0, pytest.approx(0.52))]


def test_a_market_order_ends_where_impact_leaves_the_prices_that_there_are() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(20.0))
    order = buy(venue, 800, market_id="M")
    # 100 at 0.56, 200 at 0.57 + 0.2 = 0.77; 0.58 + 300 x 20/10,000 = 1.18 is no price.
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.56), (200.0, pytest.approx(0.77))]
    now = venue.order(order.id)
    assert (now.status, now.metadata["reason"]) == (
        "canceled",
        "no liquidity left, with the impact of what it took",
    )


# ------------------------------------------------------------------------ permanent
def test_what_stays_moves_the_asks_up_after_a_buy_and_leaves_the_bids() -> None:
    venue = Replayed(BOOK, BOOK, impact=LinearImpact(**FIVE))
    buy(venue, 100, market_id="M")
    # Notional 56; 56 x 0.3 x 5/10,000 = 0.0084. The first level is gone until the next snapshot.
    assert venue.displacement("M") == pytest.approx(0.0084, rel=1e-14)
    assert venue.now().asks == [(pytest.approx(0.5784), 200.0), (pytest.approx(0.5884), 500.0)]
    assert venue.now().bids == BIDS
    venue.next()
    assert venue.now().asks[0] == (pytest.approx(0.5684), 100.0)
    buy(venue, 10, market_id="M")
    sell(venue, 10, market_id="M")
    assert [f[1:3] for f in venue.traded()[1:]] == [(10.0, pytest.approx(0.5684)), (10.0, 0.54)]


def test_what_stays_moves_the_bids_down_after_a_sale_and_leaves_the_asks() -> None:
    venue = Replayed(BOOK, BOOK, impact=LinearImpact(**FIVE))
    sell(venue, 100, market_id="M")
    # Notional 54; 54 x 0.00015 = 0.0081.
    assert venue.displacement("M") == pytest.approx(-0.0081, rel=1e-14)
    venue.next()
    assert venue.now().bids[0] == (pytest.approx(0.5319), 100.0)
    assert venue.now().asks == ASKS


def test_a_buy_of_no_moves_yes_down_by_the_notional_of_no() -> None:
    venue = Replayed(BOOK, BOOK, impact=LinearImpact(**FIVE))
    buy(venue, 100, market_id="M:no")
    # 100 x 0.46 x 0.00015 = 0.0069. YES bids fall, so NO asks rise; YES asks stay.
    assert venue.displacement("M") == pytest.approx(-0.0069, rel=1e-14)
    venue.next()
    assert venue.now("M:no").asks[0] == (pytest.approx(0.4669), 100.0)
    assert venue.now("M:no").bids[0] == (0.44, 100.0)
    assert venue.now().asks == ASKS


def test_a_sale_of_no_moves_yes_up() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(**FIVE))
    sell(venue, 100, market_id="M:no")
    # It takes the YES asks: 100 x 0.44 x 0.00015 = 0.0066.
    assert venue.displacement("M") == pytest.approx(0.0066, rel=1e-14)


def test_displacements_of_both_directions_add_up() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(**FIVE))
    buy(venue, 100, market_id="M")
    sell(venue, 100, market_id="M")
    # 0.0084, then the sale at 0.54: 0.0084 - 0.0081 = 0.0003.
    assert [d for _, _, d in venue.displacements] == [
        pytest.approx(0.0084),
        pytest.approx(0.0003),
    ]
    assert [(ns, market) for ns, market, _ in venue.displacements] == [(1_000 * 10**9, "M")] * 2


def test_it_is_worked_out_from_the_whole_of_what_an_order_took() -> None:
    venue = Replayed(BOOK, impact=LinearImpact(**FIVE))
    buy(venue, 150, market_id="M")
    # 100 x 0.56 + 50 x 0.62 = 87; 87 x 0.00015 = 0.01305, and only then: 0.57 was still 0.57.
    assert venue.displacement("M") == pytest.approx(0.01305, rel=1e-14)
    assert len(venue.displacements) == 1


def test_notional_counts_the_multiplier() -> None:
    option = Market("ACME  260116C00100000", AssetClass.Option)
    venue = Replayed(([(4.0, 5)], [(5.0, 5)]), market=option, impact=LinearImpact(**FIVE))
    buy(venue, 2, market_id=option.id)
    # 2 x 5 x 100 = 1,000; 1,000 x 0.00015 = 0.15.
    assert venue.displacement(option.id) == pytest.approx(0.15)


def test_makers_cause_none() -> None:
    venue = Replayed(BOOK, ([(0.5, 100)], [(0.54, 500)]), impact=LinearImpact(**FIVE))
    buy(venue, 100, 0.55, market_id="M")
    assert len(venue.next()) == 1
    assert (venue.displacement("M"), venue.displacements) == (0.0, [])


def test_a_resting_buy_meets_the_displaced_asks() -> None:
    reaching = ([(0.5, 100)], [(0.5449, 10), (0.55, 100)])
    venue = Replayed(BOOK, reaching, reaching, impact=LinearImpact(**FIVE))
    order = buy(venue, 50, 0.55, market_id="M")
    buy(venue, 100, market_id="M")  # displaces by 0.0084
    venue.next()
    # 0.5449 + 0.0084 = 0.5533 is above the limit; undisplaced both levels are within it.
    assert venue.order(order.id).filled_quantity == 0.0
    sell(venue, 1, market_id="M")  # 0.5 x 0.00015 = 0.000075 back
    cheaper = venue.amend(order.id, new_price=0.5533)
    assert cheaper.filled_quantity == 10.0
    # 0.5449 + 0.008325 = 0.553225, and the next level is at 0.558325.
    assert venue.fill_history()[-1].price == pytest.approx(0.553225)


def test_a_resting_buy_is_reached_at_displaced_prices_up_to_their_size() -> None:
    reaching = ([(0.5, 100)], [(0.54, 10), (0.55, 100)])
    venue = Replayed(BOOK, reaching, impact=LinearImpact(**FIVE))
    buy(venue, 50, 0.55, market_id="M")
    buy(venue, 100, market_id="M")
    # 0.5484 is reached, 0.5584 is not: 10 at the limit.
    assert [(f.quantity, f.price, f.is_maker) for f in venue.next()] == [(10.0, 0.55, True)]


def test_a_resting_sale_meets_the_displaced_bids() -> None:
    reaching = ([(0.56, 10), (0.55, 100)], [(0.6, 100)])
    venue = Replayed(BOOK, reaching, impact=LinearImpact(**FIVE))
    sell(venue, 50, 0.55, market_id="M")
    sell(venue, 100, market_id="M")  # displaces by -0.0081
    # 0.5519 is reached, 0.5419 is not.
    assert [(f.quantity, f.price) for f in venue.next()] == [(10.0, 0.55)]


def test_displacement_never_works_in_our_favour() -> None:
    reaching = ([(0.5, 100)], [(0.5501, 100)])
    venue = Replayed(BOOK, reaching, reaching, impact=LinearImpact(**FIVE))
    order = buy(venue, 50, 0.55, market_id="M")
    sell(venue, 100, market_id="M")
    # The market stands 0.0081 lower for sales; a buy is not reached by 0.5501 for all that.
    venue.next()
    assert venue.order(order.id).filled_quantity == 0.0
    buy(venue, 10, market_id="M")
    assert venue.fill_history()[-1].price == 0.5501


def test_displacement_stays_over_snapshots_and_leaves_other_markets_alone() -> None:
    other = Market("N", PREDICTION)
    books = [BOOK] * 5
    venue = Replayed(*books, others={other: books}, impact=LinearImpact(**FIVE))
    buy(venue, 100, market_id="M")
    for _ in range(4):
        venue.next()
    assert venue.now().asks[0][0] == pytest.approx(0.5684)
    assert (venue.now("N").asks, venue.displacement("N")) == (ASKS, 0.0)


def test_displacement_moves_no_mark() -> None:
    venue = Replayed(BOOK, BOOK, impact=LinearImpact(**FIVE))
    buy(venue, 100, market_id="M")
    with venue.lock:
        venue.mark(venue.state(), 1_000 * 10**9, 0.55, 0.54, 0.56, math.nan)
    quote = venue.quote("M")
    assert quote is not None
    assert (quote.price, quote.bid, quote.ask) == (0.55, 0.54, 0.56)
    # Paid 56, worth 55.
    assert venue.equity() == pytest.approx(999_999.0)
    assert_books(venue)


# ------------------------------------------------------------------------ out of the market
class Leap(Impact):
    """Whatever is taken moves the market by the same."""

    def __init__(self, by: float) -> None:
        self.by = by

    def permanent(self, notional: float, asset_class: AssetClass) -> float:
        return self.by


def test_levels_pushed_out_of_the_prices_of_a_prediction_vanish() -> None:
    venue = Replayed(BOOK, BOOK, impact=Leap(0.43))
    buy(venue, 10, market_id="M")
    venue.next()
    # 0.56 + 0.43 = 0.99 stays; 0.57 + 0.43 is 1.0, which no order can pay, and 0.58 beyond it.
    assert venue.now().asks == [(pytest.approx(0.99), 100.0)]
    order = buy(venue, 150, market_id="M")
    assert (order.status, order.filled_quantity) == ("canceled", 100.0)


def test_bids_pushed_to_zero_or_below_vanish() -> None:
    venue = Replayed(BOOK, BOOK, impact=Leap(0.53))
    sell(venue, 10, market_id="M")
    venue.next()
    assert venue.now().bids == [(pytest.approx(0.01), 100.0)]
    assert venue.now("M:no").asks == [(pytest.approx(0.99), 100.0)]


def test_a_side_that_has_vanished_gives_no_price_and_no_fill() -> None:
    venue = Replayed(BOOK, BOOK, BOOK, impact=Leap(0.45))
    resting = buy(venue, 10, 0.55, market_id="M")
    buy(venue, 10, market_id="M")
    venue.next()
    assert math.isnan(venue.now().best_ask)
    order = buy(venue, 10, market_id="M")
    assert order.status == "rejected"
    assert order.metadata["reason"] == "no price: the book of M has no ask"
    assert venue.order(resting.id).is_open
    # A limit order there rests; sales are met where they were.
    assert buy(venue, 10, 0.99, market_id="M").status == "new"
    assert sell(venue, 10, market_id="M").status == "filled"


def test_a_level_pushed_to_1_fills_no_resting_order_however_near_its_limit() -> None:
    reaching = ([(0.4, 1)], [(0.5, 10), (0.6, 100)])
    venue = Replayed(([], [(0.56, 10)]), reaching, impact=Leap(0.4))
    buy(venue, 10, market_id="M")
    # 0.5 + 0.4 = 0.9 is within the limit, and 0.6 + 0.4 = 1 is within a billionth of it.
    buy(venue, 50, 0.9999999995, market_id="M")
    venue.next()
    assert venue.fill_history()[-1].quantity == 10.0


def test_bids_of_a_share_pushed_to_zero_vanish_too() -> None:
    books = [([(5.0, 100), (3.0, 100)], [(6.0, 100)])] * 2
    venue = Replayed(*books, market=Market("ACME", EQUITY), impact=Leap(4.0))
    sell(venue, 10)
    venue.next()
    assert venue.now().bids == [(1.0, 100.0)]


# ------------------------------------------------------------------------ a user's own
class SquareRoot(Impact):
    """Prices move with the root of what was taken."""

    def temporary(self, price: float, sign: int, filled: float, asset_class: AssetClass) -> float:
        return price * (1.0 + sign * 0.001 * math.sqrt(filled))

    def permanent(self, notional: float, asset_class: AssetClass) -> float:
        return 0.0001 * math.sqrt(notional)


def test_a_users_own_impact_is_asked_level_by_level() -> None:
    venue = Replayed(BOOK, impact=SquareRoot())
    buy(venue, 150, market_id="M")
    # sqrt(100) = 10: 0.57 x 1.01 = 0.5757; notional 56 + 28.785 = 84.785, root 9.20787.
    assert [f[1:3] for f in venue.traded()] == [(100.0, 0.56), (50.0, pytest.approx(0.5757))]
    assert venue.displacement("M") == pytest.approx(0.000920787, rel=1e-5)


class Broken(Impact):
    """Returns what it is told to."""

    def __init__(self, price: Any = None, moved: Any = 0.0) -> None:
        self.price, self.moved = price, moved

    def temporary(self, price: float, sign: int, filled: float, asset_class: AssetClass) -> Any:
        return price if self.price is None else self.price

    def permanent(self, notional: float, asset_class: AssetClass) -> Any:
        return self.moved


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Broken(0.55), "must return a price no better than the level's 0.56, was 0.55"),
        (Broken(math.nan), "no better than the level's 0.56, was nan"),
        (Broken("0.6"), "Broken.temporary must return a price no better than the level's 0.56, "),
        (Broken(moved=-0.1), "Broken.permanent must return a change in price units, 0 or more"),
        (Broken(moved=math.nan), "in price units, 0 or more, was nan"),
    ],
    ids=["better", "nan", "text", "negative", "permanent nan"],
)
def test_an_impact_that_makes_no_sense_is_an_error(broken: Impact, message: str) -> None:
    venue = Replayed(BOOK, impact=broken)
    with pytest.raises(ModelError) as caught:
        buy(venue, 10, market_id="M")
    assert message in str(caught.value)
