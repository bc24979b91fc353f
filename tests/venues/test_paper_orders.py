"""Paper: how orders arrive, meet ticks, and end as makers or takers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from horizon.errors import OrderError
from horizon.instruments import Market, Prediction
from horizon.types import OrderAction, Urgency, VenueOrder
from horizon.venues import Paper
from tests.venues.helpers import (
    buy,
    held,
    open_paper,
    refused,
    sell,
)


# ------------------------------------------------------------------------ limits
def test_a_limit_order_rests_as_new_and_shows_what_was_asked() -> None:
    paper = open_paper(clock=lambda: 1_704_067_200.25)
    order = buy(paper, 10, 180.0, market_id="AAPL")
    assert order == VenueOrder(
        id="p1",
        market_id="AAPL",
        side="buy",
        quantity=10.0,
        filled_quantity=0.0,
        price=180.0,
        order_type="limit",
        status="new",
        submitted_at=datetime(2024, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC),
        venue_name="paper",
        metadata={},
    )
    assert (order.is_open, order.remaining) == (True, 10.0)
    assert paper.open_orders() == [order]


def test_a_resting_buy_fills_at_its_limit_when_the_price_falls_through_it() -> None:
    paper = open_paper(fee_bps=10)
    order = buy(paper, 10, 180.0)
    (fill,) = paper.tick("ACME", 179.5, 2_000.0)
    assert (fill.id, fill.order_id, fill.market_id, fill.side) == ("f1", "p1", "ACME", "buy")
    assert (fill.quantity, fill.price, fill.timestamp) == (10.0, 180.0, 2_000.0)
    assert fill.fee == pytest.approx(1.8, abs=1e-12)  # 10 * 180 * 0.001
    assert fill.is_maker
    assert (fill.realized_pnl, fill.venue_name) == (0.0, "paper")
    assert paper.cash() == pytest.approx(98_198.2, abs=1e-9)  # 100,000 - 1,800 - 1.80
    assert paper.equity() == pytest.approx(99_993.2, abs=1e-9)  # + 10 * 179.50
    (position,) = paper.positions()
    assert (position.market_id, position.quantity, position.avg_cost) == ("ACME", 10.0, 180.0)
    done = paper.order(order.id)
    assert (done.status, done.filled_quantity, done.average_price) == ("filled", 10.0, 180.0)
    assert (done.is_open, done.is_filled, done.remaining) == (False, True, 0.0)
    assert done.fees == fill.fee


def test_a_resting_sell_fills_at_its_limit_when_the_price_rises_through_it() -> None:
    paper = open_paper()
    sell(paper, 10, 180.0)
    assert paper.tick("ACME", 179.0) == []
    (fill,) = paper.tick("ACME", 185.0)
    assert (fill.side, fill.quantity, fill.price) == ("sell", 10.0, 180.0)
    assert held(paper) == {"ACME": -10.0}


def test_a_buy_does_not_fill_above_its_limit_nor_a_sell_below() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    sell(paper, 1, 102.0)
    assert paper.tick("ACME", 101.0) == []
    assert len(paper.open_orders()) == 2


@pytest.mark.parametrize(
    ("price", "fills"),
    [
        (100.0, 1),
        (100.0 + 0.9e-7, 1),  # within 1e-9 of the limit, which is 1e-7 here
        (100.0 + 1.1e-7, 0),
    ],
)
def test_a_price_reaches_a_limit_from_within_a_billionth_of_it(price: float, fills: int) -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    assert len(paper.tick("ACME", price)) == fills
    mirrored = open_paper()
    sell(mirrored, 1, 100.0)
    assert len(mirrored.tick("ACME", 200.0 - price)) == fills


def test_a_limit_order_never_fills_at_submission_whatever_its_price() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    order = buy(paper, 1, 150.0)
    assert (order.status, order.filled_quantity) == ("new", 0.0)
    # It is marketable, yet a resting limit fills at its limit.
    (fill,) = paper.tick("ACME", 100.0)
    assert fill.price == 150.0


def test_resting_orders_fill_in_order_of_arrival() -> None:
    paper = open_paper()
    first, second = buy(paper, 1, 90.0), buy(paper, 2, 110.0)
    third = sell(paper, 3, 80.0)
    fills = paper.tick("ACME", 85.0)
    assert [fill.order_id for fill in fills] == [first.id, second.id, third.id]
    assert [fill.price for fill in fills] == [90.0, 110.0, 80.0]
    assert held(paper) == {}


def test_a_tick_matches_its_own_market_only() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    buy(paper, 1, 100.0, market_id="acme")
    assert [fill.market_id for fill in paper.tick("acme", 99.0)] == ["acme"]
    assert [order.market_id for order in paper.open_orders()] == ["ACME"]


def test_own_orders_never_match_each_other() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 1, 105.0)
    sell(paper, 1, 95.0)
    assert len(paper.open_orders()) == 2
    assert paper.drain_fills() == []


# ------------------------------------------------------------------------ market orders
@pytest.mark.parametrize(("side", "price"), [("buy", 100.05), ("sell", 99.95)])
def test_a_market_order_fills_at_once_at_the_last_price_and_slippage(
    side: str, price: float
) -> None:
    paper = open_paper(slippage_bps=5)
    paper.tick("ACME", 100.0)
    order = paper.submit(
        OrderAction.place(
            market_id="ACME",
            side=side,
            quantity=10,
            order_type="market",
            urgency=Urgency.Immediate,
        )
    )
    # 5 basis points of 100 are 0.05, against the order.
    assert (order.status, order.filled_quantity, order.price) == ("filled", 10.0, None)
    assert order.average_price == pytest.approx(price, abs=1e-12)
    (fill,) = paper.drain_fills()
    assert fill.price == pytest.approx(price, abs=1e-12)
    assert not fill.is_maker


def test_a_market_order_without_a_price_is_rejected_and_kept() -> None:
    paper = open_paper()
    order = buy(paper, 10)
    assert (order.status, order.is_rejected, order.is_open) == ("rejected", True, False)
    assert "no price" in order.metadata["reason"]
    assert paper.orders() == [order]
    assert (paper.open_orders(), paper.cash()) == ([], 100_000.0)


@pytest.mark.parametrize(("side", "expected"), [("buy", 1.0), ("sell", 0.5)])
def test_a_prediction_fill_stays_within_0_and_1(side: str, expected: float) -> None:
    paper = open_paper(slippage_bps=5_000)
    paper.declare(Market("rain", Prediction))
    paper.tick("rain", 1.0)
    # 1.0 * 1.5 is held at 1; 1.0 * 0.5 is 0.5.
    order = buy(paper, 1, market_id="rain") if side == "buy" else sell(paper, 1, market_id="rain")
    assert order.average_price == expected


def test_slippage_moves_market_orders_only() -> None:
    paper = open_paper(slippage_bps=100)
    buy(paper, 1, 100.0)
    assert paper.tick("ACME", 99.0)[0].price == 100.0


def test_a_next_tick_market_order_waits_and_then_fills_at_that_price_and_slippage() -> None:
    paper = open_paper(market_fill="next_tick", slippage_bps=100)
    paper.tick("ACME", 100.0, 1_001.0)
    order = buy(paper, 10)
    assert (order.status, order.remaining) == ("new", 10.0)
    (fill,) = paper.tick("ACME", 110.0, 1_002.0)
    assert fill.price == pytest.approx(111.1, abs=1e-12)  # 110 * 1.01
    assert (fill.timestamp, fill.is_maker) == (1_002.0, False)
    assert paper.order(order.id).status == "filled"


def test_a_next_tick_market_order_fills_at_the_open_of_a_bar() -> None:
    paper = open_paper(market_fill="next_tick", slippage_bps=100)
    paper.tick("ACME", 100.0)
    sell(paper, 10)
    (fill,) = paper.tick("ACME", 110.0, open=105.0, high=112.0, low=101.0)
    assert fill.price == pytest.approx(103.95, abs=1e-12)  # 105 * 0.99


def test_a_next_tick_market_order_without_a_price_yet_is_rejected() -> None:
    paper = open_paper(market_fill="next_tick")
    assert buy(paper, 1).status == "rejected"


def test_a_waiting_market_order_can_be_cancelled_and_amended_in_quantity_only() -> None:
    paper = open_paper(market_fill="next_tick")
    paper.tick("ACME", 100.0)
    order = buy(paper, 10)
    with refused(paper, OrderError, order.id, "market order"):
        paper.amend(order.id, new_price=99.0)
    assert paper.amend(order.id, new_quantity=4).remaining == 4.0
    other = buy(paper, 1)
    assert paper.cancel(other.id)
    (fill,) = paper.tick("ACME", 101.0)
    assert (fill.quantity, fill.price) == (4.0, 101.0)


# ------------------------------------------------------------------------ ioc and post_only
def test_an_ioc_limit_is_decided_at_the_next_tick() -> None:
    paper = open_paper()
    missed = buy(paper, 1, 99.0, tif="ioc")
    taken = buy(paper, 1, 101.0, urgency=Urgency.Immediate)
    assert [missed.status, taken.status] == ["new", "new"]
    assert (missed.tif, taken.tif) == ("ioc", "ioc")
    (fill,) = paper.tick("ACME", 100.0)
    assert (fill.order_id, fill.price) == (taken.id, 101.0)
    ended = paper.order(missed.id)
    assert (ended.status, ended.filled_quantity) == ("canceled", 0.0)
    assert "ioc" in ended.metadata["reason"]
    assert paper.tick("ACME", 98.0) == []


def test_an_ioc_limit_is_not_decided_by_another_market() -> None:
    paper = open_paper()
    buy(paper, 1, 99.0, tif="ioc")
    paper.tick("OTHER", 100.0)
    assert len(paper.open_orders()) == 1


def test_post_only_that_would_be_marketable_is_rejected_and_any_other_rests() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    assert buy(paper, 1, 100.0, post_only=True).status == "rejected"
    assert "post_only" in paper.orders()[-1].metadata["reason"]
    assert sell(paper, 1, 100.0, urgency=Urgency.Passive).status == "rejected"
    resting = buy(paper, 1, 99.0, post_only=True)
    assert (resting.status, resting.post_only) == ("new", True)
    assert sell(paper, 1, 101.0, post_only=True).status == "new"


def test_post_only_before_any_price_rests() -> None:
    assert buy(open_paper(), 1, 100.0, post_only=True).status == "new"


# ------------------------------------------------------------------------ makers and takers
def test_a_limit_that_was_marketable_on_arrival_pays_the_taker_fee_throughout() -> None:
    paper = open_paper(maker_fee_rate=0.001, taker_fee_rate=0.003)
    paper.tick("ACME", 100.0)
    buy(paper, 10, 100.0)  # reaches the last price
    buy(paper, 10, 99.0)  # does not
    first, second = paper.tick("ACME", 98.0)
    assert (first.is_maker, second.is_maker) == (False, True)
    assert first.fee == pytest.approx(3.0, abs=1e-12)  # 10 * 100 * 0.003
    assert second.fee == pytest.approx(0.99, abs=1e-12)  # 10 * 99 * 0.001


def test_a_limit_before_any_price_is_a_maker() -> None:
    paper = open_paper(maker_fee_rate=0.001, taker_fee_rate=0.003)
    buy(paper, 10, 100.0)
    assert paper.tick("ACME", 90.0)[0].is_maker


def test_amending_the_price_decides_maker_or_taker_anew() -> None:
    paper = open_paper(maker_fee_rate=0.0, taker_fee_rate=0.01)
    paper.tick("ACME", 100.0)
    maker, taker = buy(paper, 1, 99.0), buy(paper, 1, 101.0)
    paper.amend(maker.id, new_price=102.0)
    paper.amend(taker.id, new_price=98.0)
    fills = {fill.order_id: fill for fill in paper.tick("ACME", 97.0)}
    assert not fills[maker.id].is_maker
    assert fills[maker.id].fee == pytest.approx(1.02, abs=1e-12)  # 102 * 0.01
    assert fills[taker.id].is_maker
    assert fills[taker.id].fee == 0.0


def test_each_fee_rate_defaults_to_the_fee_in_basis_points() -> None:
    assert Paper(fee_bps=20).fee_rates == (0.002, 0.002)
    assert Paper(fee_bps=20, maker_fee_rate=-0.001).fee_rates == (-0.001, 0.002)
    assert Paper(fee_bps=20, taker_fee_rate=0).fee_rates == (0.002, 0.0)


# ------------------------------------------------------------------------ reduce_only
def test_reduce_only_beyond_the_position_is_rejected_with_both_numbers() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    order = sell(paper, 11, 105.0, reduce_only=True)
    assert order.status == "rejected"
    assert "reduce_only" in order.metadata["reason"]
    assert (order.metadata["required"], order.metadata["available"]) == (11.0, 10.0)
    assert buy(paper, 1, 95.0, reduce_only=True).status == "rejected"  # nothing is short
    assert sell(paper, 10, 105.0, reduce_only=True).status == "new"


def test_reduce_only_is_cut_to_the_position_at_its_fill_and_the_rest_cancelled() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    order = sell(paper, 10, 105.0, reduce_only=True)
    sell(paper, 4)  # 6 are left
    (fill,) = paper.tick("ACME", 106.0)
    assert (fill.order_id, fill.quantity) == (order.id, 6.0)
    ended = paper.order(order.id)
    assert (ended.status, ended.filled_quantity, ended.remaining) == ("canceled", 6.0, 4.0)
    assert "reduce_only" in ended.metadata["reason"]
    assert held(paper) == {}


def test_reduce_only_ends_when_nothing_is_left_to_reduce() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    order = sell(paper, 10, 105.0, reduce_only=True)
    plain = sell(paper, 1, 105.0)
    sell(paper, 10)
    ended = paper.order(order.id)
    assert (ended.status, ended.filled_quantity) == ("canceled", 0.0)
    assert paper.order(plain.id).is_open


def test_reduce_only_orders_of_a_short_position_are_buys() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    sell(paper, 10)
    buy(paper, 10, 95.0, reduce_only=True)
    buy(paper, 10, 94.0, reduce_only=True)
    fills = paper.tick("ACME", 90.0)
    # The first closes all; the second has nothing left and ends.
    assert [fill.quantity for fill in fills] == [10.0]
    assert paper.open_orders() == []
    assert held(paper) == {}
