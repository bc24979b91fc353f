"""Settlement: a market ends at a price, without fee, and nothing trades there again."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.errors import OrderError
from horizon.instruments import Market, Prediction
from horizon.venues import Paper
from tests.venues.helpers import assert_books, buy, held, open_paper, refused, sell, unchanged


def both_sides(**options: Any) -> Paper:
    """Long 100 YES at 0.40 and 50 NO at 0.60, of 1,000 in cash."""
    paper = open_paper(1_000.0, **options)
    paper.declare(Market("rain", Prediction))
    paper.tick("rain", 0.4)
    buy(paper, 100, market_id="rain")
    buy(paper, 50, market_id="rain:no")
    return paper


@pytest.mark.parametrize(
    ("outcome", "yes", "no", "cash"),
    [
        (1.0, 60.0, -30.0, 1_030.0),  # 930 + 100 * 1 + 50 * 0
        (0.0, -40.0, 20.0, 980.0),  # 930 + 0 + 50
        (0.5, 10.0, -5.0, 1_005.0),  # 930 + 50 + 25
    ],
)
def test_a_prediction_closes_both_sides_at_its_outcome(
    outcome: float, yes: float, no: float, cash: float
) -> None:
    paper = both_sides()
    rows = paper.settle("rain", outcome)
    assert [(r.market_id, r.quantity, r.price) for r in rows] == [
        ("rain", 100.0, outcome),
        ("rain:no", 50.0, 1.0 - outcome),
    ]
    assert [r.realized_pnl for r in rows] == pytest.approx([yes, no], abs=1e-12)
    assert paper.cash() == paper.equity() == pytest.approx(cash, abs=1e-12)
    assert paper.realized_pnl() == pytest.approx(yes + no, abs=1e-12)
    assert (held(paper), paper.settlements()) == ({}, rows)
    assert_books(paper)


def test_by_the_id_of_no_the_price_is_that_of_no() -> None:
    paper = both_sides()
    rows = paper.settle("rain:no", 1.0)
    assert [(r.market_id, r.price) for r in rows] == [("rain", 0.0), ("rain:no", 1.0)]


def test_a_settlement_has_no_fee_and_is_no_fill() -> None:
    paper = both_sides(fee_bps=100)
    fees = paper.balance().fees
    paper.drain_fills()
    paper.settle("rain", 1.0)
    assert paper.balance().fees == fees == pytest.approx(0.7, abs=1e-12)  # 1 % of 40 and of 30
    assert paper.drain_fills() == []
    assert_books(paper)


@pytest.mark.parametrize(
    ("sign", "strike", "last", "intrinsic", "profit"),
    [
        (1, 180, 3.5, 12.25, 1_750.0),  # 2 contracts * 100 * (12.25 - 3.50)
        (1, 180, 3.5, 0.0, -700.0),  # worth nothing: the premium is lost
        (-1, 180, 3.5, 12.25, -1_750.0),
        (-1, 180, 3.5, 0.0, 700.0),
    ],
)
def test_an_option_settles_at_its_intrinsic_value(
    sign: int, strike: int, last: float, intrinsic: float, profit: float
) -> None:
    paper = open_paper()
    symbol = f"AAPL250117C00{strike}000"
    paper.tick(symbol, last)
    (buy if sign > 0 else sell)(paper, 2, market_id=symbol)
    (row,) = paper.settle(symbol, intrinsic)
    assert (row.quantity, row.price, row.realized_pnl) == (2.0 * sign, intrinsic, profit)
    assert paper.cash() == 100_000.0 + profit
    assert_books(paper)


def test_a_perpetual_settles_in_cash() -> None:
    paper = open_paper(1_000.0)
    paper.tick("BTC-PERP", 100.0)
    sell(paper, 5, market_id="BTC-PERP", leverage=10)
    (row,) = paper.settle("BTC-PERP", 80.0)
    assert row.realized_pnl == 100.0
    assert paper.cash() == paper.balance().buying_power == 1_100.0
    assert_books(paper)


def test_settling_ends_the_open_orders_of_both_sides_with_their_reserves() -> None:
    paper = both_sides()
    orders = [
        buy(paper, 10, 0.3, market_id="rain"),
        sell(paper, 200, 0.9, market_id="rain:no"),
    ]
    other = buy(paper, 1, 10.0)
    paper.settle("rain", 1.0)
    for order in orders:
        ended = paper.order(order.id)
        assert (ended.status, ended.metadata["reason"]) == ("canceled", "settled")
    assert paper.open_orders() == [other]
    assert paper.balance().used_buying_power == 10.0


def test_waiting_market_orders_end_with_their_market() -> None:
    paper = open_paper(market_fill="next_tick")
    paper.tick("ACME", 10.0)
    order = buy(paper, 1)
    paper.settle("ACME", 10.0)
    assert paper.tick("ACME", 10.0) == []
    assert paper.order(order.id).status == "canceled"


@pytest.mark.parametrize("market_id", ["rain", "rain:no"])
@pytest.mark.parametrize("price", [0.5, None])
def test_orders_in_a_settled_market_are_rejected(market_id: str, price: float | None) -> None:
    paper = both_sides()
    paper.settle("rain", 1.0)
    order = buy(paper, 1, price, market_id=market_id)
    assert (order.status, order.metadata["reason"]) == ("rejected", "settled")
    assert paper.open_orders() == []


def test_settling_twice_at_one_price_is_harmless_and_at_another_an_error() -> None:
    paper = both_sides()
    paper.settle("rain", 1.0)
    with unchanged(paper):
        assert paper.settle("rain", 1.0) == []
        assert paper.settle("rain:no", 0.0) == []
    with refused(paper, OrderError, "'rain'", "settled already", "1"):
        paper.settle("rain", 0.0)


def test_a_market_without_a_position_settles_too() -> None:
    paper = open_paper()
    buy(paper, 1, 10.0)
    assert paper.settle("ACME", 12.0) == []
    assert paper.settlements() == []
    assert buy(paper, 1, 10.0).metadata["reason"] == "settled"


def test_a_market_that_was_never_seen_settles_too() -> None:
    paper = open_paper()
    assert paper.settle("ACME", 12.0) == []
    assert buy(paper, 1, 10.0).metadata["reason"] == "settled"


@pytest.mark.parametrize(
    ("price", "kind", "words"),
    [
        (1.5, ValueError, "price must lie between 0 and 1"),
        (-0.5, ValueError, "price must be 0 or more, was -0.5"),
        (math.nan, ValueError, "price must be a finite number, was nan"),
        (math.inf, ValueError, "price must be a finite number, was inf"),
        (10**400, ValueError, "price must be at most 1e15"),
        (True, TypeError, "price must be a number, was True"),
        ("1", TypeError, "price must be a number, was '1'"),
        (None, TypeError, "price must be a number, was None"),
        ([1.0], TypeError, "price must be a number"),
    ],
)
def test_a_price_that_nothing_settles_at_is_refused(
    price: Any, kind: type[Exception], words: str
) -> None:
    paper = both_sides()
    for market_id in ("rain", "rain:no"):
        with refused(paper, kind, words):
            paper.settle(market_id, price)


@pytest.mark.parametrize("market_id", ["", "x\n", None, 5, ":no"])
def test_an_id_that_names_nothing_cannot_settle(market_id: Any) -> None:
    paper = both_sides()
    with refused(paper, TypeError if not isinstance(market_id, str) else ValueError, "market_id"):
        paper.settle(market_id, 1.0)


def test_the_no_side_of_an_equity_cannot_settle() -> None:
    paper = open_paper()
    buy(paper, 1, 10.0)
    with refused(paper, ValueError, "'ACME' is known as Equity"):
        paper.settle("ACME:no", 1.0)


def test_settled_positions_bear_the_time_of_the_settlement() -> None:
    now = [1_000.0]
    paper = both_sides(clock=lambda: now[0])
    now[0] = 1_234.5
    assert [r.timestamp for r in paper.settle("rain", 1.0)] == [1_234.5, 1_234.5]


def test_nothing_expires_by_itself() -> None:
    paper = open_paper(clock=lambda: 4_000_000_000.0)  # the year 2096
    symbol = "AAPL250117C00180000"
    paper.tick(symbol, 3.5)
    assert buy(paper, 1, market_id=symbol).is_filled
    assert held(paper) == {symbol: 1.0}
