"""Buying power: what positions and orders reserve, and what is refused for want of money."""

from __future__ import annotations

import pytest

from horizon.instruments import Market, Option, Prediction
from horizon.types import VenueOrder
from horizon.venues import Paper
from tests.venues.helpers import assert_books, buy, fill_part, held, open_paper, sell


def power(paper: Paper) -> tuple[float, float]:
    """Buying power left, and what is held back."""
    money = paper.balance()
    return money.buying_power, money.used_buying_power


def assert_rejected(order: VenueOrder, required: float, available: float) -> None:
    """Assert a rejection for money that tells both numbers."""
    assert order.status == "rejected"
    assert "buying power" in order.metadata["reason"]
    assert order.metadata["required"] == pytest.approx(required, abs=1e-9)
    assert order.metadata["available"] == pytest.approx(available, abs=1e-9)


# ------------------------------------------------------------------------ orders
def test_a_buy_reserves_its_price_and_fee_until_it_ends() -> None:
    paper = open_paper(1_000.0, fee_bps=100)
    order = buy(paper, 5, 100.0)
    assert power(paper) == (pytest.approx(495.0), pytest.approx(505.0))  # 5 * 100 * 1.01
    paper.cancel(order.id)
    assert power(paper) == (1_000.0, 0.0)


def test_a_buy_for_exactly_what_is_there_passes_and_a_cent_more_does_not() -> None:
    paper = open_paper(1_000.0)
    assert_rejected(buy(paper, 10, 100.001), 1_000.01, 1_000.0)
    assert buy(paper, 10, 100.0).status == "new"
    assert_rejected(buy(paper, 1, 0.01, market_id="OTHER"), 0.01, 0.0)


def test_a_rejection_changes_nothing_but_the_history() -> None:
    paper = open_paper(1_000.0)
    before = paper.balance()
    order = buy(paper, 11, 100.0)
    assert paper.orders() == [order]
    assert (paper.balance(), paper.open_orders(), paper.positions()) == (before, [], [])
    assert paper.tick("ACME", 1.0) == []


def test_a_market_buy_reserves_last_and_slippage() -> None:
    paper = open_paper(1_000.0, slippage_bps=100)
    paper.tick("ACME", 100.0)
    assert_rejected(buy(paper, 10), 1_010.0, 1_000.0)  # 10 * 101
    assert buy(paper, 9.9).status == "filled"  # 999.90


def test_a_rebate_counts_as_no_fee() -> None:
    paper = open_paper(1_000.0, fee_bps=-100)
    buy(paper, 5, 100.0)
    assert power(paper) == (500.0, 500.0)


def test_a_taker_reserves_the_taker_fee_and_a_maker_the_maker_fee() -> None:
    paper = open_paper(10_000.0, maker_fee_rate=0.01, taker_fee_rate=0.05)
    paper.tick("ACME", 100.0)
    order = buy(paper, 10, 90.0)
    assert power(paper)[1] == pytest.approx(909.0)  # 900 * 1.01
    paper.amend(order.id, new_price=100.0)
    assert power(paper)[1] == pytest.approx(1_050.0)  # 1,000 * 1.05


def test_a_reserve_is_fixed_at_arrival_and_anew_at_a_price_amend() -> None:
    paper = open_paper(10_000.0)
    paper.tick("ACME", 100.0)
    order = sell(paper, 10, 90.0)
    # 150 % of max(90, 100), less 90: 60 a unit.
    assert power(paper)[1] == 600.0
    paper.tick("OTHER", 1.0)
    waiting = sell(paper, 10, 120.0)
    assert power(paper)[1] == 1_200.0  # + 10 * (180 - 120)
    paper.cancel(order.id)
    paper.tick("ACME", 110.0)
    assert power(paper)[1] == 600.0  # the price has moved, the reserve has not
    paper.amend(waiting.id, new_price=115.0)
    assert power(paper)[1] == 575.0  # 10 * (172.50 - 115)


def test_a_quantity_amend_reserves_the_new_size() -> None:
    paper = open_paper(1_000.0)
    order = buy(paper, 5, 100.0)
    paper.amend(order.id, new_quantity=8)
    assert power(paper) == (200.0, 800.0)
    paper.amend(order.id, new_quantity=2)
    assert power(paper) == (800.0, 200.0)


def test_what_has_filled_of_an_order_reserves_nothing_any_more() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    order = buy(paper, 10, 50.0)
    fill_part(paper, order, 4.0, 50.0)
    assert paper.cash() == 800.0
    assert power(paper) == (500.0, 300.0)  # 6 * 50 are still reserved
    paper.amend(order.id, new_quantity=16)
    assert power(paper) == (200.0, 600.0)  # 12 * 50


# ------------------------------------------------------------------------ short positions
def test_a_short_equity_reserves_150_percent_at_its_mark() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 50.0)
    sell(paper, 10)
    assert paper.cash() == 1_500.0
    assert power(paper) == (750.0, 750.0)  # 1.5 * 10 * 50
    paper.tick("ACME", 60.0)
    assert power(paper) == (600.0, 900.0)
    paper.tick("ACME", 40.0)
    assert power(paper) == (900.0, 600.0)


def test_a_short_sale_needs_the_reserve_less_the_proceeds_plus_the_fee() -> None:
    paper = open_paper(500.0, fee_bps=100)
    paper.tick("ACME", 50.0)
    # A unit: 75 - 50 + 0.50 = 25.50.
    assert_rejected(sell(paper, 20), 510.0, 500.0)
    assert sell(paper, 19).is_filled  # 484.50


def test_a_short_limit_below_the_last_price_reserves_at_the_last_price() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    sell(paper, 10, 80.0)
    assert power(paper)[1] == 700.0  # 10 * (150 - 80)


def test_a_short_limit_before_any_price_reserves_at_its_own() -> None:
    paper = open_paper(1_000.0)
    sell(paper, 10, 80.0)
    assert power(paper)[1] == 400.0  # 10 * (120 - 80)


def test_a_short_crypto_reserves_like_an_equity() -> None:
    paper = open_paper(10_000.0)
    paper.tick("ETH/USD", 2_000.0)
    sell(paper, 2, market_id="ETH/USD")
    assert power(paper) == (8_000.0, 6_000.0)  # cash 14,000; 1.5 * 4,000


def test_a_short_option_reserves_its_premium_and_a_fifth_of_the_strike() -> None:
    paper = open_paper(10_000.0)
    symbol = "AAPL250117P00180000"
    paper.tick(symbol, 3.5)
    sell(paper, 1, market_id=symbol)
    assert paper.cash() == 10_350.0
    assert power(paper)[1] == 3_950.0  # (3.50 + 0.2 * 180) * 100
    paper.tick(symbol, 5.0)
    assert power(paper)[1] == 4_100.0  # (5 + 36) * 100


def test_a_short_option_order_reserves_that_less_its_proceeds() -> None:
    paper = open_paper(3_600.0)
    symbol = "AAPL250117P00180000"
    paper.tick(symbol, 3.5)
    assert sell(paper, 1, 3.5, market_id=symbol).status == "new"
    assert power(paper) == (0.0, 3_600.0)  # 36 * 100
    assert_rejected(sell(paper, 1, 3.0, market_id=symbol), 3_650.0, 0.0)  # (39.5 - 3) * 100


@pytest.mark.parametrize(("market_id", "price"), [("rain", 0.3), ("rain:no", 0.7)])
def test_a_short_prediction_reserves_one_a_contract_on_each_side(
    market_id: str, price: float
) -> None:
    paper = open_paper(100.0)
    paper.declare(Market("rain", Prediction))
    paper.tick("rain", 0.3)
    order = sell(paper, 100, price, market_id=market_id)
    assert power(paper)[1] == pytest.approx(100 * (1 - price))
    paper.cancel(order.id)
    sell(paper, 100, market_id=market_id)
    assert paper.cash() == pytest.approx(100 + 100 * price)
    assert power(paper)[1] == 100.0


def test_both_sides_of_a_prediction_reserve_by_themselves() -> None:
    paper = open_paper(1_000.0)
    paper.declare(Market("rain", Prediction))
    paper.tick("rain", 0.5)
    sell(paper, 100, market_id="rain")
    sell(paper, 50, market_id="rain:no")
    assert power(paper)[1] == 150.0
    assert held(paper) == {"rain": -100.0, "rain:no": -50.0}


def test_a_long_position_reserves_nothing() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 5)
    assert power(paper) == (500.0, 0.0)


def test_a_multiplier_counts_in_every_reserve() -> None:
    paper = open_paper(10_000.0)
    paper.declare(Market("x", Option, multiplier=10, strike=50))
    paper.tick("x", 2.0)
    buy(paper, 3, 1.0, market_id="x")
    assert power(paper)[1] == 30.0
    sell(paper, 1, market_id="x")
    # (2 + 10) * 10 for the short; one of the three bought would now close it.
    assert power(paper)[1] == 140.0


# ------------------------------------------------------------------------ opening parts
def test_the_opening_part_is_what_the_earlier_orders_of_the_side_leave() -> None:
    paper = open_paper(100_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    first = sell(paper, 6, 100.0)
    assert power(paper)[1] == 0.0
    sell(paper, 6, 100.0)  # 4 reduce, 2 open
    assert power(paper)[1] == 100.0  # 2 * 50
    sell(paper, 6, 100.0)
    assert power(paper)[1] == 400.0  # 8 * 50
    paper.cancel(first.id)  # now 6 and 4 reduce, 2 open
    assert power(paper)[1] == 100.0


def test_orders_of_the_other_side_and_of_other_markets_do_not_count() -> None:
    paper = open_paper(100_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    sell(paper, 10, 100.0)
    buy(paper, 5, 90.0)
    sell(paper, 10, 90.0, market_id="OTHER")
    assert power(paper)[1] == 900.0  # 5 * 90 for the buy, 10 * 45 for the other short


def test_opening_parts_are_counted_anew_when_the_position_changes() -> None:
    paper = open_paper(100_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    sell(paper, 10, 120.0)
    assert power(paper)[1] == 0.0
    sell(paper, 10)  # reduces nothing that is not spoken for, and leaves no position
    assert held(paper) == {}
    assert power(paper)[1] == 600.0  # the resting 10 would open now: 10 * (180 - 120)
    buy(paper, 4)
    assert power(paper)[1] == 360.0  # 6 would open


def test_opening_parts_are_counted_anew_when_the_order_before_changes() -> None:
    paper = open_paper(100_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    first = sell(paper, 6, 100.0)
    sell(paper, 6, 100.0)
    paper.amend(first.id, new_quantity=10)
    assert power(paper)[1] == 300.0  # the second opens all of its 6
    paper.amend(first.id, new_quantity=1)
    assert power(paper)[1] == 0.0
    paper.amend(first.id, new_quantity=10, new_price=110.0)
    # The first is behind now: 6 and 4 reduce, 6 open at 110.
    assert power(paper)[1] == 330.0  # 6 * (165 - 110)


def test_a_price_amend_that_changes_places_is_judged_by_what_the_change_frees() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 5)
    first = sell(paper, 5, 110.0)
    sell(paper, 5, 200.0)  # opens all of its 5: 5 * (300 - 200) = 500, all there is
    assert power(paper) == (0.0, 500.0)
    paper.amend(first.id, new_price=111.0)
    # The second one reduces now, the first opens: 5 * (166.50 - 111).
    assert power(paper) == (222.5, 277.5)


def test_a_market_order_counts_the_orders_before_it() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    sell(paper, 10, 120.0)
    # With no cash at all, a sale beyond what the resting order closes would open.
    assert_rejected(sell(paper, 1), 50.0, 0.0)


def test_buys_against_a_short_are_reducing_too() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    sell(paper, 10)
    assert power(paper) == (500.0, 1_500.0)
    assert buy(paper, 10, 500.0).status == "new"  # 5,000, and reserves nothing
    assert power(paper) == (500.0, 1_500.0)
    assert_rejected(buy(paper, 6, 100.0), 600.0, 500.0)


def test_nothing_refuses_an_order_without_an_opening_part() -> None:
    paper = open_paper(1_000.0, market_fill="next_tick")
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    paper.tick("ACME", 200.0)
    assert power(paper)[0] == -1_000.0
    assert sell(paper, 4, 210.0).status == "new"
    assert sell(paper, 6).status == "new"
    paper.tick("ACME", 220.0)
    assert held(paper) == {}
    assert_books(paper)


def test_a_flip_needs_money_for_what_it_opens_only() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 8)
    # 200 are left; of 12 sold 4 open, 50 each.
    assert sell(paper, 12).is_filled
    assert held(paper) == {"ACME": -4.0}
    assert power(paper) == (800.0, 600.0)  # cash 1,400


# ------------------------------------------------------------------------ without the check
def test_the_check_of_buying_power_can_be_turned_off() -> None:
    paper = open_paper(0.0, enforce_buying_power=False)
    paper.tick("ACME", 100.0)
    assert buy(paper, 10).is_filled
    assert sell(paper, 100, 90.0).status == "new"
    order = buy(paper, 1, 50.0)
    assert paper.amend(order.id, new_quantity=1_000).quantity == 1_000.0
    assert paper.cash() == -1_000.0
    assert_books(paper)


def test_with_no_cash_nothing_opens() -> None:
    paper = open_paper(0.0)
    paper.tick("ACME", 100.0)
    assert_rejected(buy(paper, 1), 100.0, 0.0)
    assert_rejected(sell(paper, 1), 50.0, 0.0)
