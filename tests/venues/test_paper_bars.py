"""Bars and quotes: what of a tick an order meets."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from horizon.instruments import Equity, Market, Prediction
from tests.venues.helpers import buy, held, open_paper, refused, sell, unchanged


# ------------------------------------------------------------------------ cross
def test_cross_ignores_high_low_and_open() -> None:
    paper = open_paper()
    buy(paper, 1, 95.0)
    sell(paper, 1, 105.0)
    assert paper.tick("ACME", 100.0, high=110.0, low=90.0, open=92.0) == []
    assert len(paper.open_orders()) == 2


# ------------------------------------------------------------------------ touch
@pytest.mark.parametrize(("side", "limit"), [("buy", 95.0), ("sell", 105.0)])
def test_touch_fills_at_the_limit_where_low_or_high_reaches_it(side: str, limit: float) -> None:
    paper = open_paper(bar_fill_mode="touch")
    (buy if side == "buy" else sell)(paper, 1, limit)
    assert paper.tick("ACME", 100.0, high=104.0, low=96.0, open=100.0) == []
    (fill,) = paper.tick("ACME", 100.0, high=105.0, low=95.0, open=100.0)
    assert (fill.side, fill.price) == (side, limit)
    # The bar is marked at its close.
    assert paper.positions()[0].mark == 100.0


def test_touch_fills_at_the_open_where_the_bar_opens_beyond_the_limit() -> None:
    paper = open_paper(bar_fill_mode="touch")
    buy(paper, 1, 95.0)
    sell(paper, 1, 105.0)
    (bought,) = paper.tick("ACME", 94.0, high=97.0, low=90.0, open=93.0)
    assert bought.price == 93.0  # the bar opened 2 below the limit of 95
    (sold,) = paper.tick("ACME", 106.0, high=110.0, low=101.0, open=108.0)
    assert sold.price == 108.0  # 3 above the limit of 105


def test_touch_fills_at_the_limit_where_the_bar_opens_before_it() -> None:
    paper = open_paper(bar_fill_mode="touch")
    buy(paper, 1, 95.0)
    (fill,) = paper.tick("ACME", 94.0, high=97.0, low=90.0, open=96.0)
    assert fill.price == 95.0


def test_touch_without_high_and_low_uses_the_price() -> None:
    paper = open_paper(bar_fill_mode="touch")
    buy(paper, 1, 95.0)
    assert paper.tick("ACME", 95.5) == []
    assert paper.tick("ACME", 94.0)[0].price == 95.0


def test_touch_with_a_low_alone_uses_the_price_for_the_high() -> None:
    paper = open_paper(bar_fill_mode="touch")
    buy(paper, 1, 95.0)
    sell(paper, 1, 101.0)
    fills = paper.tick("ACME", 100.0, low=94.0)
    assert [fill.side for fill in fills] == ["buy"]
    assert [fill.side for fill in paper.tick("ACME", 101.0, low=94.0)] == ["sell"]


def test_one_bar_may_fill_both_sides_in_order_of_arrival() -> None:
    paper = open_paper(bar_fill_mode="touch")
    sell(paper, 1, 105.0)
    buy(paper, 1, 95.0)
    fills = paper.tick("ACME", 100.0, high=106.0, low=94.0)
    assert [(fill.side, fill.price) for fill in fills] == [("sell", 105.0), ("buy", 95.0)]
    assert paper.realized_pnl() == 10.0  # sold at 105, bought back at 95


def test_an_ioc_limit_in_touch_mode_is_decided_by_the_bar() -> None:
    paper = open_paper(bar_fill_mode="touch")
    buy(paper, 1, 95.0, tif="ioc")
    assert len(paper.tick("ACME", 100.0, low=95.0, high=101.0)) == 1


# ------------------------------------------------------------------------ quotes
def test_price_matching_ignores_quotes() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    assert paper.tick("ACME", 101.0, bid=99.0, ask=100.0) == []
    assert len(paper.tick("ACME", 100.0, bid=99.0, ask=101.0)) == 1


def test_a_tick_with_quotes_matches_buys_at_the_ask_and_sells_at_the_bid() -> None:
    paper = open_paper(matching="quotes")
    buy(paper, 1, 100.0)
    sell(paper, 1, 102.0)
    # The price alone would fill both of them at some time here; ask and bid do not.
    assert paper.tick("ACME", 100.0, bid=99.5, ask=100.5) == []
    assert paper.tick("ACME", 102.0, bid=101.5, ask=102.5) == []
    (bought,) = paper.tick("ACME", 101.0, bid=99.0, ask=100.0)
    assert (bought.side, bought.price) == ("buy", 100.0)
    (sold,) = paper.tick("ACME", 101.0, bid=103.0, ask=104.0)
    assert (sold.side, sold.price) == ("sell", 102.0)


def test_a_missing_side_fills_nothing() -> None:
    paper = open_paper(matching="quotes")
    buy(paper, 1, 100.0)
    sell(paper, 1, 90.0)
    assert [f.side for f in paper.tick("ACME", 95.0, bid=95.0)] == ["sell"]
    assert paper.tick("ACME", 95.0, bid=95.0) == []
    assert [f.side for f in paper.tick("ACME", 95.0, ask=95.0)] == ["buy"]


def test_a_tick_with_neither_quote_matches_at_the_price() -> None:
    paper = open_paper(matching="quotes")
    buy(paper, 1, 100.0)
    assert paper.tick("ACME", 101.0, bid=100.5, ask=101.5) == []
    assert len(paper.tick("ACME", 99.0)) == 1


def test_quotes_belong_to_the_tick_that_brought_them() -> None:
    paper = open_paper(matching="quotes", slippage_bps=100)
    paper.tick("ACME", 100.0, bid=98.0, ask=103.0)
    paper.tick("ACME", 100.0)
    order = buy(paper, 1)
    assert order.average_price == 101.0  # last 100 * 1.01, no longer the ask of 103
    quote = paper.quote("ACME")
    assert quote is not None
    assert (quote.bid, quote.ask) == (None, None)


@pytest.mark.parametrize(("side", "price"), [("buy", 104.03), ("sell", 97.02)])
def test_a_market_order_meets_the_opposite_quote_and_slippage(side: str, price: float) -> None:
    paper = open_paper(matching="quotes", slippage_bps=100)
    paper.tick("ACME", 100.0, bid=98.0, ask=103.0)
    order = (buy if side == "buy" else sell)(paper, 1)
    # 103 * 1.01 = 104.03; 98 * 0.99 = 97.02
    assert order.average_price == pytest.approx(price, abs=1e-12)


def test_a_market_order_without_its_side_is_rejected_now() -> None:
    paper = open_paper(matching="quotes")
    paper.tick("ACME", 100.0, bid=98.0)
    order = buy(paper, 1)
    assert order.status == "rejected"
    assert "no ask" in order.metadata["reason"]
    assert sell(paper, 1).average_price == 98.0
    paper.tick("ACME", 100.0, ask=103.0)
    assert "no bid" in sell(paper, 1).metadata["reason"]


def test_a_market_order_without_its_side_waits_with_next_tick() -> None:
    paper = open_paper(matching="quotes", market_fill="next_tick", slippage_bps=100)
    paper.tick("ACME", 100.0, bid=98.0)
    order = buy(paper, 1)
    assert order.status == "new"
    assert paper.tick("ACME", 100.0, bid=99.0) == []
    (fill,) = paper.tick("ACME", 100.0, bid=99.0, ask=102.0)
    assert fill.price == pytest.approx(103.02, abs=1e-12)  # 102 * 1.01


def test_a_waiting_market_order_matches_at_the_price_of_a_tick_without_quotes() -> None:
    paper = open_paper(matching="quotes", market_fill="next_tick")
    paper.tick("ACME", 100.0, bid=98.0, ask=102.0)
    buy(paper, 1)
    assert paper.tick("ACME", 101.0)[0].price == 101.0


def test_marketable_means_reaching_the_opposite_quote() -> None:
    paper = open_paper(matching="quotes", maker_fee_rate=0.0, taker_fee_rate=0.01)
    paper.tick("ACME", 100.0, bid=98.0, ask=103.0)
    assert buy(paper, 1, 103.0, post_only=True).status == "rejected"
    assert sell(paper, 1, 98.0, post_only=True).status == "rejected"
    maker, taker = buy(paper, 1, 102.0), buy(paper, 1, 103.0)
    fills = {f.order_id: f.is_maker for f in paper.tick("ACME", 100.0, bid=98.0, ask=100.0)}
    assert fills == {maker.id: True, taker.id: False}


@pytest.mark.parametrize(
    ("quotes", "side", "limit", "is_taker"),
    [
        ({"ask": 101.0}, "buy", 101.0, True),
        ({"ask": 101.0}, "buy", 100.5, False),  # beyond the price, and yet short of the ask
        ({"ask": 101.0}, "sell", 50.0, False),  # no bid to take
        ({"bid": 99.0}, "sell", 99.0, True),
        ({"bid": 99.0}, "sell", 99.5, False),
        ({"bid": 99.0}, "buy", 500.0, False),  # no ask to take
        ({}, "buy", 100.0, True),
        ({}, "sell", 100.0, True),
    ],
)
def test_a_lone_quote_decides_what_is_marketable(
    quotes: dict[str, float], side: str, limit: float, is_taker: bool
) -> None:
    paper = open_paper(matching="quotes")
    paper.tick("ACME", 100.0, **quotes)
    order = (buy if side == "buy" else sell)(paper, 1, limit, post_only=True)
    assert order.is_rejected is is_taker


def test_an_ioc_limit_without_its_side_is_cancelled() -> None:
    paper = open_paper(matching="quotes")
    order = buy(paper, 1, 100.0, tif="ioc")
    assert paper.tick("ACME", 90.0, bid=89.0) == []
    assert paper.order(order.id).status == "canceled"


def test_a_quote_is_the_whole_market_even_where_the_tick_is_a_bar() -> None:
    paper = open_paper(matching="quotes", bar_fill_mode="touch")
    buy(paper, 1, 100.0)
    bar = {"open": 95.0, "high": 103.0, "low": 94.0}
    assert paper.tick("ACME", 101.0, bid=100.5, ask=101.5, **bar) == []
    (fill,) = paper.tick("ACME", 99.0, bid=98.5, ask=99.5, **bar)
    assert fill.price == 100.0  # the limit, not the bar's open


def test_quotes_are_shown_and_volume_too() -> None:
    paper = open_paper()
    assert paper.quote("ACME") is None
    paper.tick("ACME", 100.0, 1_500.0, bid=99.0, volume=0)
    quote = paper.quote("ACME")
    assert quote is not None
    assert (quote.market_id, quote.price, quote.timestamp) == ("ACME", 100.0, 1_500.0)
    assert (quote.bid, quote.ask, quote.volume) == (99.0, None, 0.0)


# ------------------------------------------------------------------------ what tick refuses
@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"price": math.nan}, ValueError, "price must be a finite number, was nan"),
        ({"price": math.inf}, ValueError, "price must be a finite number, was inf"),
        ({"price": -math.inf}, ValueError, "price must be a finite number, was -inf"),
        ({"price": 0.0}, ValueError, "price must be above 0 for Equity 'ACME', was 0.0"),
        ({"price": -1.0}, ValueError, "price must be above 0 for Equity 'ACME', was -1.0"),
        ({"price": 1e16}, ValueError, "price must be at most 1e15 in size, was 1e+16"),
        ({"price": 10**400}, ValueError, "price must be at most 1e15"),
        ({"price": True}, TypeError, "price must be a number, was True"),
        ({"price": "100"}, TypeError, "price must be a number, was '100'"),
        ({"price": None}, TypeError, "price must be a number, was None"),
        ({"price": np.array([100.0])}, TypeError, "price must be a number"),
        ({"bid": 101.0, "ask": 100.0}, ValueError, "bid must not lie above ask, was 101"),
        ({"bid": math.nan}, ValueError, "bid must be a finite number, was nan"),
        ({"ask": -1.0}, ValueError, "ask must be above 0"),
        ({"ask": "101"}, TypeError, "ask must be a number, was '101'"),
        ({"bid": True}, TypeError, "bid must be a number, was True"),
        ({"volume": -1}, ValueError, "volume must be 0 or more, was -1"),
        ({"volume": math.nan}, ValueError, "volume must be a finite number, was nan"),
        ({"low": 101.0}, ValueError, "low must not lie above price, was 101.0 over 100.0"),
        ({"high": 99.0}, ValueError, "high must not lie below price, was 99.0 under 100.0"),
        ({"low": 98.0, "open": 97.0}, ValueError, "open must not lie below low, was 97.0"),
        ({"high": 102.0, "open": 103.0}, ValueError, "open must not lie above high, was 103.0"),
        ({"high": math.inf}, ValueError, "high must be a finite number, was inf"),
        ({"low": math.nan}, ValueError, "low must be a finite number, was nan"),
        ({"open": "99"}, TypeError, "open must be a number, was '99'"),
        ({"low": 0.0}, ValueError, "low must be above 0"),
        ({"timestamp": math.nan}, ValueError, "timestamp must be seconds since 1970"),
        ({"timestamp": "2024-01-01"}, TypeError, "timestamp must be seconds or a datetime"),
        ({"timestamp": True}, TypeError, "timestamp must be seconds or a datetime, was True"),
        ({"market_id": ""}, ValueError, "market_id must have 1 to 256 characters, has 0"),
        ({"market_id": "a" * 257}, ValueError, "market_id must have 1 to 256 characters, has 257"),
        ({"market_id": "A\x1bB"}, ValueError, "U+001B"),
        ({"market_id": "ACME "}, ValueError, "must not begin or end with a blank"),
        ({"market_id": None}, TypeError, "market_id must be text, was None"),
        ({"market_id": ["ACME"]}, TypeError, "market_id must be text"),
        ({"market_id": ":no"}, ValueError, "names the NO side of no market"),
        ({"market_id": "ACME:no", "price": 0.5}, ValueError, "'ACME' is known as Equity"),
        ({"last": 100.0}, TypeError, "last"),
    ],
)
def test_a_tick_that_cannot_be_is_refused_and_changes_nothing(
    given: dict[str, Any], kind: type[Exception], words: str
) -> None:
    paper = open_paper()
    buy(paper, 1, 200.0)  # any accepted tick would fill it
    with refused(paper, kind, words):
        paper.tick(**{"market_id": "ACME", "price": 100.0, **given})


def test_an_undeclared_market_refuses_bad_prices_all_the_same() -> None:
    paper = open_paper()
    for price in (math.nan, math.inf, -0.01, 1e16):
        with refused(paper, ValueError, "price must be"):
            paper.tick("new", price)
    with refused(paper, ValueError, "bid must not lie above ask"):
        paper.tick("new", 1.0, bid=2.0, ask=1.0)


@pytest.mark.parametrize("price", [0, 0.0, 1, np.float32(0.5)])
def test_an_undeclared_market_may_be_a_prediction_and_takes_0_and_1(price: float) -> None:
    paper = open_paper()
    paper.tick("new", price)
    paper.declare(Market("new", Prediction))
    assert sell(paper, 1, market_id="new").average_price == float(price)


@pytest.mark.parametrize("price", [-0.01, 1.01, math.nan])
@pytest.mark.parametrize("market_id", ["rain", "rain:no"])
def test_a_prediction_is_marked_between_0_and_1(market_id: str, price: float) -> None:
    paper = open_paper()
    paper.declare(Market("rain", Prediction))
    with refused(paper, ValueError, "price must"):
        paper.tick(market_id, price)
    with refused(paper, ValueError, "ask must"):
        paper.tick(market_id, 0.5, ask=1.5)
    for edge in (0, 1):
        assert paper.tick(market_id, edge) == []


def test_a_tick_from_before_the_last_tick_is_refused_with_both_times() -> None:
    paper = open_paper()
    buy(paper, 1, 200.0)
    paper.tick("OTHER", 50.0, 2_000.0)
    paper.tick("ACME", 300.0, 1_500.5)
    with refused(paper, ValueError, "timestamp", "'ACME'", "1500.5", "1500.25"):
        paper.tick("ACME", 100.0, 1_500.25)
    with refused(paper, ValueError, "timestamp", "'ACME'"):
        paper.tick("ACME", 100.0, datetime(1970, 1, 1, tzinfo=UTC))
    # The same moment is legal, and other markets have times of their own.
    assert len(paper.tick("ACME", 100.0, 1_500.5)) == 1


def test_numbers_of_every_kind_are_prices() -> None:
    paper = open_paper()
    for price in (100, np.float32(100), np.int64(100)):
        paper.tick("ACME", price, bid=99, ask=np.int8(101), volume=5)
        quote = paper.quote("ACME")
        assert quote is not None
        assert (quote.price, quote.bid, quote.ask) == (100.0, 99.0, 101.0)


def test_a_settled_market_records_ticks_and_matches_nothing() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 1)
    paper.settle("ACME", 100.0)
    before = paper.balance()
    assert paper.tick("ACME", 50.0, bid=49.0, ask=51.0) == []
    quote = paper.quote("ACME")
    assert quote is not None
    assert quote.price == 50.0
    assert (paper.balance(), held(paper)) == (before, {})


def test_a_declared_class_bounds_the_quotes_of_an_equity() -> None:
    paper = open_paper()
    paper.declare(Market("ACME", Equity))
    with refused(paper, ValueError, "bid must be above 0"):
        paper.tick("ACME", 100.0, bid=0.0)
    with unchanged(paper):
        assert paper.open_orders() == []
