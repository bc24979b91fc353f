"""Perpetuals: leverage, margin, and liquidation at the exact threshold."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.errors import OrderError
from horizon.instruments import Market, Perp
from horizon.venues import Paper
from tests.venues.helpers import assert_books, buy, held, open_paper, refused, sell

BTC = "BTC-PERP"


def opened(signed: float, entry: float, leverage: float, **options: Any) -> Paper:
    """A venue with one perpetual position, entered at this price."""
    paper = open_paper(options.pop("cash", 10_000.0), **options)
    paper.tick(BTC, entry)
    verb = buy if signed > 0 else sell
    assert verb(paper, abs(signed), market_id=BTC, leverage=leverage).is_filled
    return paper


# ------------------------------------------------------------------------ money
def test_a_perpetual_moves_cash_by_profit_and_fee_only() -> None:
    paper = opened(2, 100.0, 5, fee_bps=100)
    assert paper.cash() == pytest.approx(9_998.0, abs=1e-9)  # the fee, 1 % of 200
    paper.tick(BTC, 110.0)
    money = paper.balance()
    assert money.cash == pytest.approx(9_998.0, abs=1e-9)
    assert money.unrealized_pnl == 20.0
    assert money.equity == pytest.approx(10_018.0, abs=1e-9)
    sell(paper, 1, market_id=BTC)
    # 10 realised; the fee is 1 % of 110.
    assert paper.cash() == pytest.approx(10_006.9, abs=1e-9)
    assert paper.realized_pnl() == 10.0
    assert_books(paper)


def test_a_position_holds_back_its_margin_and_its_open_loss() -> None:
    paper = opened(2, 100.0, 5)
    money = paper.balance()
    assert (money.buying_power, money.used_buying_power) == (9_960.0, 40.0)  # 200 / 5
    paper.tick(BTC, 95.0)
    assert paper.balance().buying_power == 9_950.0  # and a loss of 10
    paper.tick(BTC, 120.0)
    assert paper.balance().buying_power == 9_960.0  # an open profit does not count


def test_a_short_perpetual_gains_as_the_price_falls() -> None:
    paper = opened(-2, 100.0, 5)
    paper.tick(BTC, 90.0)
    assert paper.equity() == 10_020.0
    assert paper.cash() == 10_000.0
    assert paper.balance().used_buying_power == 40.0
    assert_books(paper)


def test_an_order_reserves_margin_and_fee_and_what_its_price_is_worse_than_last() -> None:
    paper = open_paper(10_000.0, maker_fee_rate=0.01, taker_fee_rate=0.02)
    paper.tick(BTC, 100.0)
    order = buy(paper, 1, 90.0, market_id=BTC, leverage=10)
    assert paper.balance().used_buying_power == pytest.approx(9.9)  # 9 + 0.90
    paper.cancel(order.id)
    order = buy(paper, 1, 110.0, market_id=BTC, leverage=10)
    assert paper.balance().used_buying_power == pytest.approx(23.2)  # 11 + 10 + 2.20
    paper.cancel(order.id)
    sell(paper, 1, 95.0, market_id=BTC, leverage=10)
    assert paper.balance().used_buying_power == pytest.approx(16.4)  # 9.50 + 5 + 1.90


def test_amending_the_price_reserves_anew_at_the_same_leverage() -> None:
    paper = open_paper(10_000.0)
    paper.tick(BTC, 100.0)
    order = buy(paper, 1, 90.0, market_id=BTC, leverage=10)
    assert paper.balance().used_buying_power == 9.0
    assert paper.amend(order.id, new_price=110.0).leverage == 10.0
    assert paper.balance().used_buying_power == 21.0  # 11 + 10


def test_leverage_decides_what_can_be_bought() -> None:
    paper = open_paper(100.0)
    paper.tick(BTC, 100.0)
    order = buy(paper, 11, market_id=BTC, leverage=10)
    assert order.status == "rejected"
    assert order.metadata["required"] == pytest.approx(110.0)
    assert buy(paper, 10, market_id=BTC, leverage=10).is_filled
    assert paper.balance().buying_power == 0.0


def test_a_flip_of_a_perpetual_realises_and_starts_anew() -> None:
    paper = opened(2, 100.0, 5)
    paper.tick(BTC, 110.0)
    sell(paper, 5, market_id=BTC)
    (position,) = paper.positions()
    assert (position.quantity, position.avg_cost, position.leverage) == (-3.0, 110.0, 5.0)
    assert paper.cash() == 10_020.0
    assert paper.balance().used_buying_power == 66.0  # 330 / 5
    assert_books(paper)


def test_a_multiplier_counts_in_margin_and_profit() -> None:
    paper = open_paper(10_000.0)
    paper.declare(Market("X", Perp, multiplier=10))
    paper.tick("X", 100.0)
    buy(paper, 1, market_id="X", leverage=4)
    assert paper.balance().used_buying_power == 250.0
    paper.tick("X", 101.0)
    assert paper.equity() == 10_010.0


# ------------------------------------------------------------------------ leverage
def test_leverage_is_1_unless_said_and_then_what_the_market_has() -> None:
    paper = open_paper()
    paper.tick(BTC, 100.0)
    assert buy(paper, 1, market_id=BTC).leverage == 1.0
    paper.tick("ETH-PERP", 100.0)
    buy(paper, 1, market_id="ETH-PERP", leverage=3)
    assert buy(paper, 1, 90.0, market_id="ETH-PERP").leverage == 3.0
    assert [position.leverage for position in paper.positions()] == [1.0, 3.0]
    assert buy(paper, 1, 10.0).leverage is None  # an equity has none


def test_another_leverage_is_refused_while_a_position_or_an_order_exists() -> None:
    paper = open_paper()
    paper.tick(BTC, 100.0)
    order = buy(paper, 1, 90.0, market_id=BTC, leverage=3)
    with refused(paper, OrderError, "leverage", BTC, "3", "5"):
        buy(paper, 1, market_id=BTC, leverage=5)
    buy(paper, 1, market_id=BTC, leverage=3)
    paper.cancel(order.id)
    with refused(paper, OrderError, "leverage", "5"):
        sell(paper, 1, market_id=BTC, leverage=5)
    sell(paper, 1, market_id=BTC, leverage=3)
    assert buy(paper, 1, market_id=BTC, leverage=5).leverage == 5.0


def test_leverage_belongs_to_perpetuals_only() -> None:
    paper = open_paper()
    with refused(paper, ValueError, "leverage belongs to a Perp", "'ACME' is Equity", "3"):
        buy(paper, 1, 10.0, leverage=3)


@pytest.mark.parametrize("leverage", [0.5, 0, -1, 100.5, 101, math.nan, math.inf])
def test_leverage_lies_between_1_and_100(leverage: float) -> None:
    paper = open_paper()
    with refused(paper, ValueError, "leverage must"):
        buy(paper, 1, 100.0, market_id=BTC, leverage=leverage)


@pytest.mark.parametrize("leverage", ["3", True, [3]])
def test_leverage_is_a_number(leverage: Any) -> None:
    paper = open_paper()
    with refused(paper, TypeError, "leverage must be a number"):
        buy(paper, 1, 100.0, market_id=BTC, leverage=leverage)


def test_the_same_client_order_id_is_harmless_after_the_leverage_has_changed() -> None:
    paper = open_paper()
    paper.tick(BTC, 100.0)
    order = buy(paper, 1, market_id=BTC, leverage=3, client_order_id="a")
    sell(paper, 1, market_id=BTC)
    buy(paper, 1, market_id=BTC, leverage=5)
    plain = buy(paper, 1, market_id=BTC, client_order_id="b")
    assert buy(paper, 1, market_id=BTC, leverage=3, client_order_id="a").id == order.id
    sell(paper, 2, market_id=BTC)
    assert buy(paper, 1, market_id=BTC, client_order_id="b").id == plain.id
    with refused(paper, OrderError, "'a'"):
        buy(paper, 1, market_id=BTC, leverage=4, client_order_id="a")


# ------------------------------------------------------------------------ liquidation
# M is entry notional / leverage. Closed where M + unrealised <= min(M / 2, 5 % of the mark).
THRESHOLDS = [
    # M 95; a long at leverage 1 is worth its mark, and 5 % of that is never less.
    (1, 1, 95.0, None),
    # M 105; at 200: 105 - 95 = 10 = 5 % of 200; M / 2 is 52.50.
    (-1, 1, 105.0, 200.0),
    # M 9.50; at 90: 9.50 - 5 = 4.50 = 5 % of 90; M / 2 is 4.75.
    (1, 10, 95.0, 90.0),
    # M 10; at 105: 10 - 5 = 5 = M / 2; 5 % of 105 is 5.25.
    (-1, 10, 100.0, 105.0),
    # M 1; at 99.50: 1 - 0.50 = 0.50 = M / 2; 5 % of 99.50 is 4.975.
    (1, 100, 100.0, 99.5),
    # M 1; at 100.50: 1 - 0.50 = 0.50 = M / 2.
    (-1, 100, 100.0, 100.5),
]


@pytest.mark.parametrize(("sign", "leverage", "entry", "threshold"), THRESHOLDS)
def test_a_position_is_closed_at_the_exact_threshold_and_not_a_step_before(
    sign: int, leverage: float, entry: float, threshold: float | None
) -> None:
    paper = opened(sign, entry, leverage)
    paper.drain_fills()
    if threshold is None:
        for price in (50.0, 1.0, 1e-9):
            assert paper.tick(BTC, price) == []
        assert held(paper) == {BTC: sign}
        return
    assert paper.tick(BTC, threshold + sign * 0.001) == []
    assert held(paper) == {BTC: sign}
    (fill,) = paper.tick(BTC, threshold)
    assert (fill.price, fill.quantity) == (threshold, 1.0)
    assert fill.realized_pnl == pytest.approx(sign * (threshold - entry), abs=1e-12)
    assert held(paper) == {}
    assert_books(paper)


def test_a_liquidation_is_an_order_at_the_tick_price_with_the_taker_fee_and_no_slippage() -> None:
    paper = opened(10, 100.0, 100, maker_fee_rate=0.0, taker_fee_rate=0.01, slippage_bps=500)
    # Slippage puts the entry at 105: M is 10.50, and 105 - 0.525 = 104.475 is the threshold.
    paper.drain_fills()
    (fill,) = paper.tick(BTC, 104.0, 2_000.0)
    assert (fill.side, fill.price, fill.is_maker) == ("sell", 104.0, False)
    assert fill.fee == pytest.approx(10.4, abs=1e-9)  # 1 % of 1,040
    assert fill.timestamp == 2_000.0
    order = paper.order(fill.order_id)
    assert order.metadata["intent"] == "liquidation"
    assert (order.status, order.order_type) == ("filled", "market")
    assert paper.drain_fills() == [fill]


def test_a_liquidation_first_cancels_the_orders_of_its_market_alone() -> None:
    paper = opened(1, 100.0, 10)
    inside = [buy(paper, 1, 50.0, market_id=BTC), sell(paper, 1, 150.0, market_id=BTC)]
    outside = buy(paper, 1, 10.0)
    paper.tick(BTC, 90.0)
    for order in inside:
        ended = paper.order(order.id)
        assert (ended.status, ended.metadata["reason"]) == ("canceled", "liquidation")
    assert paper.open_orders() == [outside]
    assert held(paper) == {}


def test_resting_orders_fill_before_the_position_is_judged() -> None:
    paper = opened(1, 100.0, 10)
    sell(paper, 1, 85.0, market_id=BTC)
    # The tick reaches the resting sale, which closes the position: nothing to liquidate.
    (fill,) = paper.tick(BTC, 90.0)
    assert fill.price == 85.0
    assert "intent" not in paper.order(fill.order_id).metadata


@pytest.mark.parametrize(("sign", "price"), [(1, 60.0), (-1, 140.0)])
def test_a_loss_beyond_the_margin_is_taken_from_cash(sign: int, price: float) -> None:
    paper = opened(10 * sign, 100.0, 100, cash=100.0)
    # M is 10; the gap of 40 loses 400 of the 100 that are there.
    paper.tick(BTC, price)
    assert held(paper) == {}
    assert paper.cash() == paper.equity() == -300.0
    assert paper.realized_pnl() == -400.0
    assert_books(paper)


def test_a_liquidation_is_at_the_price_of_the_tick_not_at_its_quotes_or_extremes() -> None:
    paper = opened(1, 100.0, 10, matching="quotes", bar_fill_mode="touch")
    quoted = {"bid": 80.0, "ask": 99.0, "low": 50.0, "high": 99.0, "open": 60.0}
    assert paper.tick(BTC, 95.0, **quoted) == []  # judged at 95, whatever the bid and the low
    (fill,) = paper.tick(BTC, 94.0, **quoted)
    assert fill.price == 94.0


def test_a_liquidation_ends_a_position_once() -> None:
    paper = opened(1, 100.0, 100)
    assert len(paper.tick(BTC, 99.0)) == 1
    assert paper.tick(BTC, 98.0) == []
    assert buy(paper, 1, market_id=BTC, leverage=2).is_filled


def test_a_profit_lets_a_position_stand_further_from_its_end() -> None:
    paper = opened(1, 100.0, 10)
    paper.tick(BTC, 150.0)
    buy(paper, 1, market_id=BTC)
    # Entry 250 for two, M 25; at 118: 25 + 236 - 250 = 11 against min(12.50, 11.80).
    assert paper.tick(BTC, 118.5) == []  # 12 against 11.85
    assert len(paper.tick(BTC, 118.0)) == 1


def test_any_tick_of_another_market_liquidates_nothing() -> None:
    paper = opened(1, 100.0, 10)
    paper.tick("ETH-PERP", 1.0)
    assert held(paper) == {BTC: 1.0}
