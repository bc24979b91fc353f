"""What an order would do where it meets a book: the walk, its slippage, and the money after it."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

import horizon as hz
from horizon.errors import OrderError
from horizon.instruments import Market
from horizon.preview import OrderPreview
from horizon.types import AssetClass
from horizon.venues.fill_models import ProbabilisticFills
from horizon.venues.impact import LinearImpact
from horizon.venues.slippage import Taking
from tests.venues.helpers import unchanged
from tests.venues.replayed import Book, Replayed

BIDS = [(0.54, 100.0), (0.53, 200.0), (0.52, 500.0)]
ASKS = [(0.56, 100.0), (0.57, 200.0), (0.58, 500.0)]
SHARE = Market("S", AssetClass.Equity)


def client(*books: Book, **options: Any) -> hz.ImperativeClient:
    """A client of a venue that shows these books, by default one of ten cents about 0.55."""
    return hz.connect(Replayed(*(books or ((BIDS, ASKS),)), **options))


def preview(ex: hz.ImperativeClient, qty: float, name: str = "M", **how: Any) -> OrderPreview:
    with unchanged(ex.engine.venue):
        return ex.preview(name, qty, **how)


def taking(ex: hz.ImperativeClient, qty: float, name: str = "M", **how: Any) -> Taking:
    seen = preview(ex, qty, name, **how).taking
    assert seen is not None
    return seen


# ------------------------------------------------------------------------ the walk
def test_a_market_order_walks_the_levels_and_says_what_that_costs() -> None:
    ex = client(taker_fee_rate=0.01)
    seen = preview(ex, 250, market=True)
    walk = seen.taking
    assert walk is not None
    assert walk.levels == ((0.56, 100.0), (0.57, 150.0))
    # 100 x 0.56 + 150 x 0.57 = 56 + 85.50 = 141.50; over 250 that is 0.566.
    assert walk.average_price == pytest.approx(0.566)
    assert (walk.quantity, walk.unfilled, walk.worst_price) == (250.0, 0.0, 0.57)
    assert (walk.source, walk.side, walk.touch) == ("book", "buy", 0.56)
    # The mid is 0.55. 250 x 0.016 = 4.00, 0.016 of 0.55 is 290.9 bps; of the ask 0.006 x 250.
    assert walk.mid == pytest.approx(0.55)
    assert walk.slippage_to_mid == pytest.approx(4.0)
    assert walk.slippage_to_mid_bps == pytest.approx(0.016 / 0.55 * 10_000)
    assert walk.slippage_to_touch == pytest.approx(1.5)
    assert walk.slippage_to_touch_bps == pytest.approx(0.006 / 0.56 * 10_000)
    assert (seen.price, seen.notional) == (pytest.approx(0.566), pytest.approx(141.5))
    assert seen.fee == pytest.approx(1.415)
    assert seen.cash_after == pytest.approx(1_000_000 - 141.5 - 1.415)
    assert seen.worst_loss == pytest.approx(141.5 + 1.415)
    assert seen.position_after == 250.0


def test_a_sale_is_compared_with_the_bid() -> None:
    walk = taking(client(), 300, side="sell", market=True)
    assert walk.levels == ((0.54, 100.0), (0.53, 200.0))
    # 160 received, where 300 at 0.54 are 162 and at 0.55 are 165.
    assert (walk.touch, walk.side) == (0.54, "sell")
    assert walk.slippage_to_touch == pytest.approx(2.0)
    assert walk.slippage_to_mid == pytest.approx(5.0)
    assert walk.slippage_to_mid_bps == pytest.approx(5.0 / 165.0 * 10_000)


def test_the_book_of_no_is_walked_at_its_own_prices() -> None:
    walk = taking(client(), 150, "M:no", market=True)
    # Its asks are the bids of YES at 1 - p.
    assert [level[0] for level in walk.levels] == pytest.approx([0.46, 0.47])
    assert [level[1] for level in walk.levels] == [100.0, 50.0]
    assert walk.touch == pytest.approx(0.46)
    assert walk.mid == pytest.approx(0.45)


def test_a_limit_order_takes_to_its_limit_and_the_rest_rests() -> None:
    ex = client(maker_fee_rate=0.001, taker_fee_rate=0.01)
    seen = preview(ex, 400, limit=0.57)
    walk = seen.taking
    assert walk is not None
    assert walk.levels == ((0.56, 100.0), (0.57, 200.0))
    assert walk.unfilled == 100.0
    # 56 + 114 = 170 taken at 1 %; 57 rest at 0.1 %.
    assert (seen.price, seen.notional) == (0.57, pytest.approx(227.0))
    assert seen.fee == pytest.approx(1.7 + 0.057)
    assert seen.position_after == 400.0
    # Resting it keeps back 57, and the fee that was reckoned when it came: a taker's.
    assert seen.buying_power_after == pytest.approx(1_000_000 - 171.7 - 57.57)
    order = ex.buy("M", 400, limit=0.57)
    assert (order.filled_quantity, order.status) == (300.0, "partial")
    assert ex.balance().buying_power == pytest.approx(seen.buying_power_after)


def test_what_a_market_order_finds_nothing_for_ends() -> None:
    seen = preview(client(), 1_000, market=True)
    walk = seen.taking
    assert walk is not None
    assert (walk.quantity, walk.unfilled) == (800.0, 200.0)
    # 56 + 114 + 290.
    assert (seen.notional, seen.position_after) == (pytest.approx(460.0), 800.0)
    assert seen.worst_loss == pytest.approx(460.0)


def test_now_or_never_that_reaches_nothing_leaves_nothing() -> None:
    seen = preview(client(), 10, limit=0.5, tif="ioc")
    assert (seen.taking, seen.refusal, seen.notional, seen.fee) == (None, None, 0.0, 0.0)
    assert (seen.cash_after, seen.buying_power_after) == (1_000_000.0, 1_000_000.0)
    assert (seen.position_after, seen.worst_loss) == (0.0, 0.0)


def test_a_limit_that_nothing_reaches_takes_nothing_and_rests() -> None:
    seen = preview(client(maker_fee_rate=0.01), 10, limit=0.5)
    assert (seen.taking, seen.is_taker, seen.fee) == (None, False, pytest.approx(0.05))
    assert seen.buying_power_after == pytest.approx(1_000_000 - 5.05)


def test_a_reduction_is_walked_for_what_there_is() -> None:
    ex = client()
    ex.buy("M", 120, market=True)
    walk = taking(ex, 120 * (1 + 5e-13), side="sell", market=True, reduce_only=True)
    assert (walk.quantity, walk.unfilled) == (120.0, 0.0)


def test_the_impact_of_what_it_takes_is_in_the_prices() -> None:
    ex = client(impact=LinearImpact(temporary_bps=1.0))
    # A level is worse by filled x 1 / 10,000: 0.57 after 100 are taken is 0.58.
    assert taking(ex, 150, market=True).levels == ((0.56, 100.0), (pytest.approx(0.58), 50.0))


def test_what_was_taken_from_the_snapshot_is_not_there_again() -> None:
    ex = client()
    ex.buy("M", 150, market=True)
    walk = taking(ex, 100, market=True)
    assert walk.levels == ((0.57, 100.0),)
    assert walk.touch == 0.57


def test_a_side_that_shows_nothing_is_refused_in_the_venue_s_words() -> None:
    seen = preview(client((BIDS, [])), 10, market=True)
    assert (seen.refusal, seen.rule) == ("no price: the book of M has no ask", "no price")
    assert (seen.taking, seen.price) == (None, None)
    one_sided = taking(client((BIDS, [])), 10, side="sell", market=True)
    assert (one_sided.mid, one_sided.slippage_to_mid, one_sided.slippage_to_mid_bps) == (None,) * 3


def test_a_repeated_client_order_id_takes_nothing() -> None:
    ex = client()
    ex.buy("M", 10, limit=0.6, client_order_id="mine")
    seen = preview(ex, 10, limit=0.6, client_order_id="mine")
    assert (seen.duplicate_of, seen.taking, seen.fee) == ("p1", None, 0.0)


# ------------------------------------------------------------------------ without a book
def paper(**options: Any) -> hz.ImperativeClient:
    return hz.connect("paper", initial_cash_usd=10_000.0, clock=lambda: 0.0, **options)


def test_quotes_are_one_level_of_any_size() -> None:
    ex = paper(matching="quotes", slippage_bps=100)
    ex.tick("ACME", 100.0, bid=98.0, ask=102.0)
    walk = taking(ex, 10, "ACME", market=True)
    # 102 and 1 %, against a mid of 100.
    assert (walk.source, walk.levels) == ("quotes", ((pytest.approx(103.02), 10.0),))
    assert walk.slippage_to_mid_bps == pytest.approx(302.0)
    assert walk.slippage_to_mid == pytest.approx(30.2)
    assert walk.slippage_to_touch_bps == pytest.approx(100.0)
    assert preview(ex, 10, "ACME", limit=200.0).taking is None  # it waits for a tick
    ex.tick("ACME", 100.0)
    assert taking(ex, 1, "ACME", market=True).source == "price"


def test_the_last_price_is_one_level_and_quotes_are_only_compared_with() -> None:
    ex = paper(slippage_bps=50)
    ex.tick("ACME", 100.0)
    walk = taking(ex, 10, "ACME", side="sell", market=True)
    assert (walk.source, walk.mid, walk.touch, walk.last) == ("price", None, None, 100.0)
    assert walk.slippage(walk.last) == pytest.approx(5.0)
    assert walk.slippage_bps(walk.last) == pytest.approx(50.0)
    ex.tick("ACME", 100.0, bid=99.0, ask=103.0)
    walk = taking(ex, 10, "ACME", market=True)
    # 100.50 is paid where 101 is the mid: better, and so below 0.
    assert walk.slippage_to_mid == pytest.approx(-5.0)


def test_an_order_that_waits_for_a_tick_is_shown_at_the_present_price() -> None:
    ex = paper(market_fill="next_tick")
    ex.tick("ACME", 100.0)
    assert taking(ex, 10, "ACME", market=True).levels == ((100.0, 10.0),)


def test_what_each_opening_unit_keeps_back() -> None:
    ex = paper(fee_bps=100)
    ex.tick("ACME", 100.0)
    assert preview(ex, 1, "ACME", limit=90.0).reserve_each == pytest.approx(90.9)
    # A short: 150 % of 100 less 100 that come in, and the fee.
    assert preview(ex, 1, "ACME", side="sell", market=True).reserve_each == pytest.approx(51.0)
    assert preview(ex, 1, "NEW", market=True).reserve_each is None


def test_a_benchmark_of_zero_has_no_basis_points() -> None:
    ex = paper()
    ex.declare(Market("rain", AssetClass.Prediction))
    ex.tick("rain", 0.0)
    walk = taking(ex, 10, "rain", market=True)
    assert (walk.slippage_bps(walk.last), walk.slippage(walk.last)) == (None, 0.0)


# ------------------------------------------------------------------------ as sending does
def _book(chance: random.Random, about: float, step: float) -> Book:
    def side(sign: int) -> list[tuple[float, float]]:
        levels = chance.randint(0 if chance.random() < 0.1 else 1, 4)
        return [
            (round(about + sign * step * (k + 1), 4), float(chance.choice([5, 10, 30])))
            for k in range(levels)
        ]

    return side(-1), side(1)


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(30))
def test_money_and_position_after_are_those_of_sending(seed: int) -> None:
    chance = random.Random(seed)
    kind, about, step = chance.choice(
        [(AssetClass.Prediction, 0.5, 0.02), (AssetClass.Equity, 50.0, 1.0)]
    )
    ex = client(
        *(_book(chance, about, step) for _ in range(12)),
        market=Market("M", kind),
        initial_cash=chance.choice([400.0, 100_000.0]),
        maker_fee_rate=chance.choice([0.0, -0.001, 0.002]),
        taker_fee_rate=chance.choice([0.0, 0.01]),
        impact=chance.choice([None, LinearImpact(2.0, 0.5)]),
        fill_model=ProbabilisticFills(0.5, 0.0),
    )
    venue, sent, taken, rested = ex.engine.venue, 0, 0, 0
    assert isinstance(venue, Replayed)
    for _ in range(11):
        for _ in range(3):
            names = ["M", "M:no"] if kind is AssetClass.Prediction else ["M"]
            name, side = chance.choice(names), chance.choice(["buy", "sell"])
            how: dict[str, Any] = {"market": True}
            if chance.random() < 0.6:
                how = {
                    "limit": round(about + step * chance.randint(-4, 4), 4),
                    "tif": chance.choice(["gtc", "gtc", "ioc"]),
                }
            how["reduce_only"] = chance.random() < 0.2
            size = float(chance.choice([1, 7, 20, 60]))
            seen = preview(ex, size, name, side=side, **how)
            order = (ex.buy if side == "buy" else ex.sell)(name, size, **how)
            money = ex.balance()
            assert order.is_rejected is seen.is_refused
            assert money.buying_power == pytest.approx(seen.buying_power_after, rel=1e-9)
            held = {p.market_id: p.quantity for p in ex.positions()}.get(name, 0.0)
            if seen.is_refused:
                assert seen.position_after == pytest.approx(held)
                continue
            sign = 1.0 if side == "buy" else -1.0
            rest = order.remaining if order.is_open else 0.0
            assert seen.position_after == pytest.approx(held + sign * rest, abs=1e-9)
            filled = 0.0 if seen.taking is None else seen.taking.quantity
            assert order.filled_quantity == pytest.approx(filled)
            if seen.taking is not None:
                assert order.average_price == pytest.approx(seen.taking.average_price)
                if not rest:
                    assert order.fees == pytest.approx(seen.fee)
                    assert money.cash == pytest.approx(seen.cash_after)
            sent, taken, rested = sent + 1, taken + (filled > 0.0), rested + (rest > 0.0)
        venue.next()
    assert sent > 5
    assert taken + rested > 3


# ------------------------------------------------------------------------ amendments
def test_a_new_price_is_a_new_arrival_and_says_what_it_takes() -> None:
    ex = client(maker_fee_rate=0.001, taker_fee_rate=0.01)
    order = ex.buy("M", 150, limit=0.5)
    with unchanged(ex.engine.venue):
        seen = ex.preview_amend(order.id, new_price=0.57)
    assert (seen.keeps_place, seen.is_taker, seen.refusal) == (False, True, None)
    assert (seen.price, seen.price_after, seen.quantity_after) == (0.5, 0.57, 150.0)
    assert seen.taking is not None
    assert seen.taking.levels == ((0.56, 100.0), (0.57, 50.0))
    # 85.50 at 1 %, where 75 at 0.1 % were kept back.
    assert seen.notional_after == pytest.approx(85.5)
    assert seen.fee_after == pytest.approx(0.855)
    assert seen.buying_power == pytest.approx(1_000_000 - 75.075)
    assert seen.buying_power_after == pytest.approx(1_000_000 - 86.355)
    assert ex.amend(order.id, new_price=0.57).average_price == pytest.approx(
        seen.taking.average_price
    )


def test_a_new_quantity_alone_keeps_the_place() -> None:
    ex = client()
    order = ex.buy("M", 150, limit=0.5)
    seen = ex.preview_amend(order.id, new_quantity=100)
    assert (seen.keeps_place, seen.taking, seen.changes_nothing) == (True, None, False)
    assert seen.buying_power_after == 1_000_000.0 - 50.0
    assert ex.preview_amend(order.id, new_quantity=150, new_price=0.5).changes_nothing
    ex.amend(order.id, new_quantity=100)
    assert ex.balance().buying_power == 1_000_000.0 - 50.0


def test_money_and_risk_refuse_an_amendment_in_the_answer() -> None:
    ex = client(initial_cash=100.0)
    order = ex.buy("M", 150, limit=0.5)
    with unchanged(ex.engine.venue):
        seen = ex.preview_amend(order.id, new_quantity=300)
    # 150 are needed, 25 are left beside the 75 that the order has.
    assert seen.refusal is not None
    assert (seen.rule, seen.is_refused) == ("buying power", True)
    assert "would need 150.00 USD" in seen.refusal
    assert seen.buying_power_after == seen.buying_power == 25.0
    with pytest.raises(OrderError) as caught:
        ex.amend(order.id, new_quantity=300)
    assert str(caught.value) == seen.refusal
    limited = hz.connect("paper", clock=lambda: 0.0, risk=hz.RiskConfig(max_order_size=20))
    order = limited.buy("ACME", 10, limit=5.0)
    refused = limited.preview_amend(order.id, new_quantity=30)
    assert (refused.rule, limited.engine.rejections) == ("max_order_size", {})
    assert limited.preview_amend(order.id, new_quantity=20).refusal is None


def test_what_cannot_be_amended_at_all_raises() -> None:
    ex = client()
    done = ex.buy("M", 10, market=True)
    with unchanged(ex.engine.venue):
        with pytest.raises(OrderError, match="is filled; it cannot be amended"):
            ex.preview_amend(done.id, new_quantity=20)
        with pytest.raises(OrderError, match="unknown"):
            ex.preview_amend("p99", new_quantity=20)
        with pytest.raises(ValueError, match="was given neither"):
            ex.preview_amend(done.id)
    part = ex.buy("M", 150, limit=0.56)
    assert part.filled_quantity == 90.0
    with pytest.raises(OrderError, match="above the 90"):
        ex.preview_amend(part.id, new_quantity=90)
    with pytest.raises(ValueError, match="between 0 and 1"):
        ex.preview_amend(part.id, new_price=math.pi)
