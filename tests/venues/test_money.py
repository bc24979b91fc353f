"""Money: fees, average cost, realised and unrealised profit, and that the books add up."""

from __future__ import annotations

import math
import random

import pytest

from horizon.instruments import Market, Option, Prediction
from horizon.venues import Paper
from tests.venues.helpers import assert_books, buy, held, open_paper, sell


def trade(paper: Paper, signed: float, price: float, market_id: str = "ACME") -> None:
    """Trade a signed quantity at this very price."""
    paper.tick(market_id, price)
    verb = buy if signed > 0 else sell
    assert verb(paper, abs(signed), market_id=market_id).is_filled


# ------------------------------------------------------------------------ average cost
def test_average_cost_moves_on_increases_only() -> None:
    paper = open_paper()
    trade(paper, 10, 100.0)
    trade(paper, 30, 120.0)
    assert paper.positions()[0].avg_cost == 115.0  # (10 * 100 + 30 * 120) / 40
    trade(paper, -15, 150.0)
    (position,) = paper.positions()
    assert (position.quantity, position.avg_cost) == (25.0, 115.0)
    assert position.realized_pnl == paper.realized_pnl() == 525.0  # 15 * (150 - 115)
    assert position.unrealized_pnl == 875.0  # 25 * (150 - 115)
    assert_books(paper)


def test_a_short_position_has_its_average_and_gains_as_the_price_falls() -> None:
    paper = open_paper()
    trade(paper, -10, 100.0)
    trade(paper, -10, 80.0)
    assert paper.positions()[0].avg_cost == 90.0
    assert paper.cash() == 101_800.0  # + 1,000 + 800
    trade(paper, 5, 70.0)
    assert paper.realized_pnl() == 100.0  # 5 * (90 - 70)
    (position,) = paper.positions()
    assert (position.quantity, position.avg_cost) == (-15.0, 90.0)
    assert position.unrealized_pnl == 300.0  # 15 * (90 - 70)
    assert paper.equity() == 100_400.0
    assert_books(paper)


@pytest.mark.parametrize(("sign", "realized"), [(1, 200.0), (-1, -200.0)])
def test_a_flip_closes_then_opens(sign: int, realized: float) -> None:
    paper = open_paper()
    trade(paper, sign * 10, 100.0)
    trade(paper, -sign * 25, 120.0)
    # Ten close with a difference of 20; fifteen open at 120.
    (position,) = paper.positions()
    assert (position.quantity, position.avg_cost) == (-sign * 15.0, 120.0)
    assert (position.realized_pnl, position.unrealized_pnl) == (realized, 0.0)
    assert_books(paper)


def test_a_flip_is_one_fill_with_the_profit_of_what_it_closed() -> None:
    paper = open_paper()
    trade(paper, 10, 100.0)
    trade(paper, -25, 120.0)
    fills = paper.drain_fills()
    assert [(fill.quantity, fill.realized_pnl) for fill in fills] == [(10.0, 0.0), (25.0, 200.0)]


def test_a_flat_position_is_gone_and_its_profit_stays() -> None:
    paper = open_paper()
    for _ in range(10):
        trade(paper, 0.1, 100.0)
    trade(paper, -1.0, 100.0)  # ten times 0.1 is 0.9999999999999999 in floats
    assert paper.positions() == []
    assert paper.balance().unrealized_pnl == 0.0
    assert paper.equity() == pytest.approx(100_000.0, abs=1e-9)


def test_a_position_of_dust_against_a_large_trade_is_flat_and_a_small_one_is_not() -> None:
    paper = open_paper(enforce_buying_power=False)
    trade(paper, 1e9, 1.0)
    trade(paper, -1e9, 1.0)
    assert held(paper) == {}
    trade(paper, 1e-9, 1.0)
    assert held(paper) == {"ACME": 1e-9}


def test_a_reopened_position_starts_anew_and_keeps_the_realised_profit() -> None:
    paper = open_paper()
    trade(paper, 10, 100.0)
    trade(paper, -10, 110.0)
    trade(paper, 5, 50.0)
    assert paper.positions()[0].avg_cost == 50.0
    assert paper.realized_pnl() == 100.0


# ------------------------------------------------------------------------ fees
def test_realised_profit_is_gross_and_fees_are_kept_beside_it() -> None:
    paper = open_paper(fee_bps=100)
    trade(paper, 10, 100.0)
    trade(paper, -10, 120.0)
    money = paper.balance()
    assert money.realized_pnl == 200.0
    assert money.fees == pytest.approx(22.0, abs=1e-12)  # 1 % of 1,000 and of 1,200
    assert money.equity == money.cash == pytest.approx(100_178.0, abs=1e-9)
    assert [fill.realized_pnl for fill in paper.drain_fills()] == [0.0, 200.0]
    assert_books(paper)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_positive_rate_is_a_cost_on_every_side_and_a_negative_one_a_rebate(sign: int) -> None:
    for rate, equity in ((0.01, 99_990.0), (-0.01, 100_010.0)):
        paper = open_paper(taker_fee_rate=rate)
        trade(paper, sign * 10, 100.0)
        # 1 % of 10 * 100 is 10.
        assert paper.equity() == pytest.approx(equity, abs=1e-9)
        assert paper.positions()[0].fees == pytest.approx(100_000.0 - equity, abs=1e-9)
        assert_books(paper)


def test_makers_and_takers_pay_their_own_rates() -> None:
    paper = open_paper(fee_bps=50, maker_fee_rate=-0.001)
    buy(paper, 10, 100.0)
    (maker,) = paper.tick("ACME", 99.0)
    assert maker.fee == pytest.approx(-1.0, abs=1e-12)  # 1,000 * -0.001
    sell(paper, 10)
    assert paper.fill_history()[-1].fee == pytest.approx(4.95, abs=1e-12)  # 990 * 0.005
    assert_books(paper)


def test_an_option_trades_a_hundred_units_a_contract() -> None:
    paper = open_paper(fee_bps=10)
    symbol = "AAPL250117C00180000"
    trade(paper, 5, 3.5, symbol)
    assert paper.fill_history()[0].fee == pytest.approx(1.75, abs=1e-12)  # 5 * 350 * 0.001
    assert paper.cash() == pytest.approx(98_248.25, abs=1e-9)  # - 1,750 - 1.75
    paper.tick(symbol, 4.0)
    (position,) = paper.positions()
    assert position.unrealized_pnl == 250.0  # 5 * 0.50 * 100
    assert paper.equity() == pytest.approx(100_248.25, abs=1e-9)
    assert_books(paper)


def test_a_multiplier_of_its_own_counts_in_cash_fee_and_profit() -> None:
    paper = open_paper(fee_bps=100)
    paper.declare(Market("future", Option, multiplier=5, strike=10))
    trade(paper, 2, 10.0, "future")
    trade(paper, -2, 11.0, "future")
    assert paper.realized_pnl() == 10.0  # 2 * 1 * 5
    assert paper.balance().fees == pytest.approx(2.1, abs=1e-12)  # 1 % of 100 and of 110


# ------------------------------------------------------------------------ the whole account
def test_equity_is_cash_and_what_positions_are_worth_at_their_marks() -> None:
    paper = open_paper()
    trade(paper, 10, 100.0)
    trade(paper, -4, 50.0, "OTHER")
    paper.tick("ACME", 90.0)
    paper.tick("OTHER", 45.0)
    money = paper.balance()
    assert money.cash == 99_200.0  # - 1,000 + 200
    assert money.equity == 99_920.0  # + 10 * 90 - 4 * 45
    assert money.unrealized_pnl == -80.0  # - 100 + 20
    assert (money.initial_cash, money.currency, money.venue_name) == (100_000.0, "USD", "paper")
    assert paper.equity() == money.equity
    assert_books(paper)


def test_positions_come_in_the_order_in_which_markets_were_seen_and_yes_before_no() -> None:
    paper = open_paper()
    paper.declare(Market("rain", Prediction))
    trade(paper, 1, 10.0, "B")
    trade(paper, 1, 0.5, "rain:no")
    trade(paper, 1, 0.5, "rain")
    trade(paper, 1, 10.0, "A")
    assert list(held(paper)) == ["rain", "rain:no", "B", "A"]


def test_a_fill_at_a_worse_price_may_overdraw_and_then_only_reducing_orders_pass() -> None:
    paper = open_paper(1_000.0, market_fill="next_tick")
    paper.tick("ACME", 100.0)
    buy(paper, 10)  # reserves 1,000 at the last price
    paper.tick("ACME", 150.0)
    assert paper.cash() == -500.0
    assert buy(paper, 0.001, 1.0).status == "rejected"
    assert sell(paper, 1, 1.0, market_id="OTHER").status == "rejected"
    assert sell(paper, 10, 160.0).status == "new"
    assert sell(paper, 1, 160.0).status == "rejected"  # that one would open a short
    assert_books(paper)


def test_totals_do_not_drift_over_many_trades() -> None:
    paper = open_paper(1e9, taker_fee_rate=0.001)
    chance = random.Random(1)
    moved, worth = [1e9], []
    for number in range(3_000):
        market_id, price = f"M{number % 50}", chance.uniform(0.01, 0.1)
        trade(paper, 0.1, price, market_id)
        moved += [-0.1 * price, -(0.1 * price * 0.001)]
    for position in paper.positions():
        assert position.mark is not None
        worth.append(position.quantity * position.mark)
    # Beside 1e9 a plain running sum would round every term to the nearest 1.2e-7.
    assert paper.cash() == math.fsum(moved)
    assert paper.equity() == math.fsum([*moved, *worth])


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(25))
def test_the_books_add_up_after_any_sequence_of_trades(seed: int) -> None:
    chance = random.Random(seed)
    paper = open_paper(
        chance.choice([0.0, 1_000.0, 1e9]),
        maker_fee_rate=chance.choice([-0.002, 0.0, 0.001]),
        taker_fee_rate=chance.choice([-0.001, 0.003]),
        slippage_bps=chance.choice([0, 7]),
        enforce_buying_power=chance.random() < 0.5,
    )
    paper.declare(Market("rain", Prediction))
    ids = ["ACME", "BTC/USD", "BTC-PERP", "AAPL250117C00180000", "rain", "rain:no"]
    for _ in range(120):
        market_id = chance.choice(ids)
        scale = 1.0 if market_id.startswith("rain") else 100.0
        price = scale * chance.uniform(0.05, 0.95)
        doing = chance.random()
        if doing < 0.4:
            paper.tick(market_id, price)
        elif doing < 0.9:
            limit = price if chance.random() < 0.5 else None
            size = chance.choice([0.1, 1.0, 3.3, 1e6])
            (buy if chance.random() < 0.5 else sell)(paper, size, limit, market_id=market_id)
        elif doing < 0.95:
            paper.cancel_all(market_id)
        assert_books(paper)
