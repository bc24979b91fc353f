"""The imperative client: every verb, what it returns, refuses and leaves behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.errors import OrderError, RiskRejected, VenueError
from horizon.types import OrderRequest, OrderSide, Side, VenueOrder
from horizon.venues import Paper
from tests.venues.helpers import assert_books, fill_part, refused, unchanged

CALL = "AAPL250117C00180000"


def connect(cash: float = 100_000.0, **options: Any) -> hz.ImperativeClient:
    """A client on paper whose clock stands at 1,000 s unless told otherwise."""
    options.setdefault("clock", lambda: 1_000.0)
    return hz.connect("paper", initial_cash_usd=cash, **options)


@pytest.fixture
def ex() -> hz.ImperativeClient:
    return connect()


def held(ex: hz.ImperativeClient) -> dict[str, float]:
    return {position.market_id: position.quantity for position in ex.positions()}


# ------------------------------------------------------------------------ connect
def test_connect_returns_a_connected_client_on_an_engine() -> None:
    ex = hz.connect("paper", initial_cash_usd=25_000, fee_bps=10, slippage_bps=5)
    assert isinstance(ex, hz.ImperativeClient)
    assert isinstance(ex.engine, hz.Engine)
    assert isinstance(ex.engine.venue, Paper)
    assert ex.is_connected
    assert ex.balance().cash == ex.engine.equity == 25_000.0


def test_connect_takes_a_venue_object() -> None:
    paper = Paper(500)
    ex = hz.connect(paper)
    assert paper.is_connected
    assert ex.engine.venue is paper
    with pytest.raises(TypeError, match="fee_bps cannot be given with a venue object"):
        hz.connect(Paper(500), fee_bps=10)


def test_an_unknown_venue_is_a_venue_error_that_lists_the_known_ones() -> None:
    with pytest.raises(VenueError) as caught:
        hz.connect("papr")
    for word in ("'papr'", "unknown", "'paper'", "Did you mean 'paper'?"):
        assert word in str(caught.value)
    with pytest.raises(VenueError, match="'paper'"):
        hz.connect("alpaca", paper=False, api_key_env="KEY")


@pytest.mark.parametrize("given", [None, 5, Paper, {"venue": "paper"}])
def test_what_is_neither_a_name_nor_a_venue_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match="venue must be a name or a Venue"):
        hz.connect(given)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"initial_cash": 5}, TypeError, "'initial_cash' is no option of venue 'paper'"),
        ({"initial_cash": 5}, TypeError, "Did you mean 'initial_cash_usd'?"),
        ({"initial_cash_usd": -5}, ValueError, "initial_cash_usd must be 0 or more, was -5"),
        ({"fee_bps": "10"}, TypeError, "fee_bps must be a number, was '10'"),
        ({"risk": 5}, TypeError, "risk_config must be a RiskConfig, was 5"),
    ],
)
def test_connect_refuses_options_that_the_venue_does_not_take(
    options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        hz.connect("paper", **options)
    assert words in str(caught.value)


def test_a_registered_name_is_a_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horizon.client._VENUES", {"paper": Paper})
    hz.register_venue("mine", lambda cash=5.0: Paper(cash))
    assert hz.connect("mine", cash=7.0).balance().cash == 7.0
    with pytest.raises(VenueError, match="'mine', 'paper'"):
        hz.connect("yours")
    with pytest.raises(ValueError, match="name 'mine' is taken"):
        hz.register_venue("mine", Paper)
    hz.register_venue("mine", Paper, replace=True)
    with pytest.raises(TypeError, match="factory must be a function or class"):
        hz.register_venue("other", "Paper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name must"):
        hz.register_venue("", Paper)


def test_risk_limits_refuse_on_the_client_and_on_its_engine() -> None:
    ex = connect(risk=hz.RiskConfig(max_order_size=5))
    with pytest.raises(RiskRejected) as caught:
        ex.buy("ACME", 6, limit=10.0)
    assert (caught.value.rule, caught.value.limit, caught.value.value) == (
        "max_order_size",
        5.0,
        6.0,
    )
    with pytest.raises(RiskRejected):
        ex.engine.submit_order(OrderRequest("ACME", Side.Long, OrderSide.Buy, 6.0, 10.0))
    assert ex.orders() == []
    order = ex.buy("ACME", 5, limit=10.0)
    with pytest.raises(RiskRejected):
        ex.amend(order.id, new_quantity=6)
    assert ex.order(order.id) == order


def test_a_limit_on_notional_counts_resting_orders_with_their_multiplier() -> None:
    ex = connect(risk=hz.RiskConfig(max_portfolio_notional=1_000))
    for _ in range(3):
        ex.buy_option("AAPL", 180, "2025-01-17", "call", 1, limit=3.0)  # 300 each
    with pytest.raises(RiskRejected) as caught:
        ex.sell_option("AAPL", 180, "2025-01-17", "call", 1, limit=3.0)
    assert (caught.value.rule, caught.value.limit) == ("max_portfolio_notional", 1_000.0)
    assert caught.value.value == pytest.approx(1_200.0, abs=1e-9)
    assert len(ex.orders()) == 3


def test_a_limit_on_the_position_counts_what_an_order_may_still_fill() -> None:
    ex = connect(risk=hz.RiskConfig(max_position_per_market=12))
    order = ex.buy("ACME", 10, limit=50.0)
    fill_part(ex.engine.venue, order, 4.0, 50.0)
    assert ex.buy("ACME", 2, limit=50.0).status == "new"  # 4 held, 6 and 2 resting
    with pytest.raises(RiskRejected):
        ex.buy("ACME", 1, limit=50.0)


def test_a_limit_on_the_position_counts_no_against_yes() -> None:
    ex = connect(risk=hz.RiskConfig(max_position_per_market=10))
    ex.tick("rain", 0.5)
    ex.buy_prediction("rain", 10, market=True)
    with pytest.raises(RiskRejected):
        ex.buy_prediction("rain", 1, limit=0.4)
    with pytest.raises(RiskRejected):
        ex.sell_prediction("rain", 1, limit=0.6, side="no")
    assert ex.buy_prediction("rain", 20, limit=0.4, side="no").status == "new"  # 10 - 20 = -10


# ------------------------------------------------------------------------ open and closed
CALLS: dict[str, Callable[[hz.ImperativeClient], object]] = {
    "buy": lambda ex: ex.buy("ACME", 1, limit=10.0),
    "sell": lambda ex: ex.sell("ACME", 1, market=True),
    "short": lambda ex: ex.short("ACME", 1, limit=10.0),
    "cover": lambda ex: ex.cover("ACME", 1, limit=10.0),
    "buy_option": lambda ex: ex.buy_option("AAPL", 180, "2025-01-17", "call", 1, limit=3.5),
    "sell_option": lambda ex: ex.sell_option("AAPL", 180, "2025-01-17", "call", 1, limit=3.5),
    "buy_prediction": lambda ex: ex.buy_prediction("rain", 1, limit=0.5),
    "sell_prediction": lambda ex: ex.sell_prediction("rain", 1, limit=0.5, side="no"),
    "buy_perp": lambda ex: ex.buy_perp("BTC-PERP", 1, limit=10.0),
    "sell_perp": lambda ex: ex.sell_perp("BTC-PERP", 1, limit=10.0),
    "preview": lambda ex: ex.preview("ACME", 1, limit=10.0),
    "algo_request": lambda ex: ex.algo_request("ACME", 1),
    "amend": lambda ex: ex.amend("p1", new_quantity=5),
    "preview_amend": lambda ex: ex.preview_amend("p1", new_quantity=5),
    "cancel": lambda ex: ex.cancel("p1"),
    "cancel_all": lambda ex: ex.cancel_all(),
    "flatten": lambda ex: ex.flatten("ACME"),
    "flatten_all": lambda ex: ex.flatten_all(),
    "settle": lambda ex: ex.settle("ACME", 10.0),
    "twap": lambda ex: ex.twap("ACME", 10, duration_secs=10, num_slices=2),
    "vwap": lambda ex: ex.vwap("ACME", 10, duration_secs=10, volume_profile=[1, 2]),
    "iceberg": lambda ex: ex.iceberg("ACME", 10, show_size=2, limit=10.0),
    "tick": lambda ex: ex.tick("ACME", 10.0),
    "book": lambda ex: ex.book("ACME"),
    "take_book": lambda ex: ex.take_book("ACME", [(9.0, 1.0)], [(10.0, 1.0)]),
    "declare": lambda ex: ex.declare(hz.Market("ACME", hz.Equity)),
    "quote": lambda ex: ex.quote("ACME"),
    "positions": lambda ex: ex.positions(),
    "open_orders": lambda ex: ex.open_orders(),
    "orders": lambda ex: ex.orders(),
    "order": lambda ex: ex.order("p1"),
    "balance": lambda ex: ex.balance(),
    "realized_pnl": lambda ex: ex.realized_pnl(),
    "fills": lambda ex: ex.fills(),
    "settlements": lambda ex: ex.settlements(),
    "orders_frame": lambda ex: ex.orders_frame(),
    "fills_frame": lambda ex: ex.fills_frame(),
    "positions_frame": lambda ex: ex.positions_frame(),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_after_close_is_a_venue_error_and_changes_nothing(
    ex: hz.ImperativeClient, name: str
) -> None:
    ex.tick("ACME", 10.0)
    ex.buy("ACME", 1, limit=5.0)
    ex.close()
    with refused(ex.engine.venue, VenueError, "hz.connect"):
        CALLS[name](ex)


def test_every_public_verb_is_among_those_tried_after_close() -> None:
    verbs = {
        name
        for name in dir(hz.ImperativeClient)
        if not name.startswith("_") and callable(getattr(hz.ImperativeClient, name))
    }
    assert verbs - {"close"} == set(CALLS)


def test_a_context_manager_closes_and_closing_twice_is_fine() -> None:
    with connect() as ex:
        assert ex.is_connected
        ex.buy("AAPL", 10, limit=180.0)
    assert not ex.is_connected
    ex.close()
    ex.close()
    assert "closed" in repr(ex)


def test_a_closed_client_stays_closed_when_another_opens_the_venue() -> None:
    paper = Paper(clock=lambda: 1_000.0)
    first = hz.connect(paper)
    first.close()
    second = hz.connect(paper)
    with refused(paper, VenueError):
        first.buy("ACME", 1, limit=10.0)
    assert second.buy("ACME", 1, limit=10.0).status == "new"


def test_a_context_manager_closes_on_an_error_and_lets_it_through() -> None:
    with pytest.raises(ZeroDivisionError), connect() as ex:
        _ = 1 / 0
    assert not ex.is_connected


def test_the_client_shows_where_it_is_and_what_it_has(ex: hz.ImperativeClient) -> None:
    ex.buy("ACME", 1, limit=10.0)
    assert repr(ex) == (
        "<ImperativeClient on paper, connected: equity 100,000.00 USD, 1 open orders>"
    )
    assert "&lt;ImperativeClient on paper" in ex._repr_html_()
    assert "<ImperativeClient" not in ex._repr_html_()


# ------------------------------------------------------------------------ buy, sell, short, cover
def test_a_limit_order_comes_back_as_a_frozen_venue_order(ex: hz.ImperativeClient) -> None:
    order = ex.buy("AAPL", qty=10, limit=180.0)
    assert order == VenueOrder(
        id="p1",
        market_id="AAPL",
        side="buy",
        quantity=10,
        filled_quantity=0.0,
        price=180.0,
        order_type="limit",
        status="new",
        submitted_at=datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC),
        venue_name="paper",
        metadata={},
    )
    assert "AAPL" in repr(order)
    assert ex.open_orders() == [order]
    assert ex.balance().buying_power == 98_200.0


def test_a_market_order_fills_at_the_last_price_and_slippage() -> None:
    ex = connect(slippage_bps=10)
    ex.tick("MSFT", 400.0)
    order = ex.sell("MSFT", qty=5, market=True)
    assert (order.status, order.filled_quantity, order.order_type) == ("filled", 5.0, "market")
    assert order.average_price == pytest.approx(399.6, abs=1e-9)  # 400 * 0.999
    assert held(ex) == {"MSFT": -5.0}


def test_a_market_order_without_a_price_is_a_rejected_order(ex: hz.ImperativeClient) -> None:
    order = ex.sell("MSFT", qty=5, market=True)
    assert (order.status, order.filled_quantity) == ("rejected", 0.0)
    assert "no price" in order.metadata["reason"]


def test_short_and_cover_are_sell_and_buy_with_their_intent(ex: hz.ImperativeClient) -> None:
    ex.tick("SPY", 450.0)
    order = ex.short("SPY", qty=100, market=True)
    assert (order.side, order.metadata, order.reduce_only) == ("sell", {"intent": "short"}, False)
    resting = ex.short("SPY", 1, limit=460.0)
    assert (resting.side, resting.status) == ("sell", "new")
    covered = ex.cover("SPY", 40, market=True)
    assert (covered.side, covered.metadata, covered.reduce_only) == (
        "buy",
        {"intent": "cover"},
        True,
    )
    assert held(ex) == {"SPY": -60.0}
    too_many = ex.cover("SPY", 61, limit=440.0)
    assert too_many.status == "rejected"
    assert "reduce_only" in too_many.metadata["reason"]
    assert too_many.metadata["intent"] == "cover"


def test_cover_of_nothing_is_rejected(ex: hz.ImperativeClient) -> None:
    ex.tick("SPY", 450.0)
    assert ex.cover("SPY", 1, market=True).status == "rejected"
    ex.buy("SPY", 5, market=True)
    assert ex.cover("SPY", 1, market=True).status == "rejected"


def test_a_sale_of_what_is_not_held_is_short(ex: hz.ImperativeClient) -> None:
    ex.tick("ACME", 10.0)
    ex.sell("ACME", 5, market=True)
    assert held(ex) == {"ACME": -5.0}


@pytest.mark.parametrize(
    "ten", [10, 10.0, np.int64(10), np.float32(10), Decimal(10), Fraction(10)], ids=repr
)
def test_quantities_and_limits_are_any_usual_number(ex: hz.ImperativeClient, ten: Any) -> None:
    order = ex.buy("ACME", ten, limit=ten)
    assert (order.quantity, order.price) == (10.0, 10.0)
    assert type(order.quantity) is type(order.price) is float


def test_options_of_an_order_are_passed_on(ex: hz.ImperativeClient) -> None:
    order = ex.buy("ACME", 1, limit=10.0, tif="ioc", client_order_id="mine")
    assert (order.tif, order.client_order_id) == ("ioc", "mine")
    assert ex.sell("ACME", 1, limit=10.0, post_only=True).post_only
    ex.tick("ACME", 10.0)
    ex.buy("ACME", 5, market=True)
    assert ex.sell("ACME", 4, limit=20.0, reduce_only=True).reduce_only
    assert ex.sell("ACME", 6, limit=20.0, reduce_only=True).is_rejected


def test_a_market_object_says_what_a_market_is(ex: hz.ImperativeClient) -> None:
    market = hz.Market("gold", hz.Equity, multiplier=10, tick_size=0.5, lot_size=2)
    order = ex.buy(market, 4, limit=20.5)
    assert order.market_id == "gold"
    assert ex.balance().used_buying_power == 820.0  # 4 * 20.50 * 10
    with refused(ex.engine.venue, ValueError, "multiple of tick size 0.5", "20.3"):
        ex.buy("gold", 4, limit=20.3)
    with refused(ex.engine.venue, ValueError, "multiple of lot size 2", "3.0"):
        ex.buy("gold", 3, limit=20.5)
    with refused(ex.engine.venue, ValueError, "'gold' is known as"):
        ex.buy(hz.Market("gold", hz.Equity), 4, limit=20.5)


# ------------------------------------------------------------------------ options
def test_an_option_is_bought_by_its_terms(ex: hz.ImperativeClient) -> None:
    order = ex.buy_option(
        underlying="AAPL", strike=180, expiry="2025-01-17", right="call", qty=5, limit=3.5
    )
    assert (order.market_id, order.side, order.quantity) == (CALL, "buy", 5.0)
    assert ex.balance().used_buying_power == 1_750.0  # 5 * 3.50 * 100
    ex.tick(CALL, 3.4)
    assert ex.balance().cash == 98_250.0
    (position,) = ex.positions()
    assert position.asset_class is hz.Option


def test_an_option_is_sold_and_settled_at_its_intrinsic_value(ex: hz.ImperativeClient) -> None:
    ex.tick(CALL, 3.5)
    ex.sell_option("AAPL", 180, date(2025, 1, 17), "c", 2, market=True)
    assert ex.balance().cash == 100_700.0
    (row,) = ex.settle(CALL, 5.25)  # AAPL at 185.25
    assert row.realized_pnl == -350.0  # 2 * 100 * (3.50 - 5.25)
    assert ex.settlements() == [row]
    assert ex.balance().cash == 99_650.0


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"expiry": "2027-02-29"}, "expiry must be a day that exists, was '2027-02-29'"),
        ({"expiry": "2100-01-01"}, "years 2000 to 2099, was 2100-01-01"),
        ({"strike": 180.0001}, "strike must be a multiple of 0.001"),
        ({"strike": 100_000}, "strike must be a multiple of 0.001 from 0.001 to 99,999.999"),
        ({"underlying": "BERKSHIRE"}, "underlying must be 1 to 6 capitals"),
        ({"right": "x"}, "right must be one of 'call', 'put'"),
    ],
)
def test_an_option_that_no_symbol_can_hold_is_refused(
    ex: hz.ImperativeClient, terms: dict[str, Any], words: str
) -> None:
    good = {"underlying": "AAPL", "strike": 180, "expiry": "2025-01-17", "right": "put"}
    for verb in (ex.buy_option, ex.sell_option):
        with refused(ex.engine.venue, ValueError, words):
            verb(**{**good, **terms}, qty=1, limit=3.5)
    assert ex.buy_option(**{**good, "expiry": "2028-02-29"}, qty=1, limit=3.5).status == "new"


# ------------------------------------------------------------------------ predictions
def test_a_prediction_is_named_as_market_or_first(ex: hz.ImperativeClient) -> None:
    order = ex.buy_prediction(market="polymarket:rain", qty=100, limit=0.45, side="yes")
    assert (order.market_id, order.quantity, order.price) == ("polymarket:rain", 100.0, 0.45)
    assert ex.buy_prediction("polymarket:rain", 100, limit=0.45).market_id == "polymarket:rain"
    no = ex.sell_prediction("polymarket:rain", qty=10, limit=0.6, side="no")
    assert (no.market_id, no.side) == ("polymarket:rain:no", "sell")
    market = ex.engine.venue.market("polymarket:rain")
    assert market is not None
    assert market.asset_class is hz.Prediction


def test_a_prediction_trades_at_the_market_where_it_is_named_first(
    ex: hz.ImperativeClient,
) -> None:
    ex.tick("rain", 0.4)
    assert ex.buy_prediction("rain", 100, market=True, side="no").average_price == 0.6
    assert ex.sell_prediction("rain", 100, market=True).average_price == 0.4
    assert held(ex) == {"rain": -100.0, "rain:no": 100.0}


def test_a_prediction_takes_a_market_object_for_either_side(ex: hz.ImperativeClient) -> None:
    market = hz.Market("rain", hz.Prediction, tick_size=0.01)
    assert ex.buy_prediction(market, 1, limit=0.45, side="no").market_id == "rain:no"
    assert ex.buy_prediction(market=market, qty=1, limit=0.45).market_id == "rain"
    with refused(ex.engine.venue, ValueError, "multiple of tick size 0.01"):
        ex.buy_prediction("rain", 1, limit=0.455, side="no")


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"market": "rain", "side": "maybe"}, ValueError, "side must be one of 'yes', 'no'"),
        ({"market": "rain", "side": Side.No}, TypeError, "side must be one of 'yes', 'no'"),
        ({"market": "rain", "limit": 1.0}, ValueError, "strictly between 0 and 1"),
        ({"market": "rain", "limit": 45}, ValueError, "strictly between 0 and 1"),
        ({"market": "rain", "limit": 0}, ValueError, "limit must be above 0, was 0"),
        ({"market": "rain", "limit": None}, ValueError, "limit is missing"),
        ({"market": "rain", "qty": None}, TypeError, "qty must be a number, was None"),
        ({"market": "rain", "qty": -1}, ValueError, "qty must be above 0, was -1"),
        ({}, TypeError, "the market is missing"),
        ({"market": True}, TypeError, "the market is missing"),
        ({"market": "rain:no", "side": "no"}, ValueError, "names the NO side itself"),
        ({"market": "", "side": "no"}, ValueError, "must have 1 to 256 characters"),
        ({"market": 5}, TypeError, "text"),
        (
            {"market": hz.Market("rain", hz.Prediction), "qty": -1, "side": "no"},
            ValueError,
            "qty must be above 0",
        ),
        (
            {"market": hz.Market("rain", hz.Equity), "side": "no"},
            ValueError,
            "it cannot be used as Prediction",
        ),
    ],
)
def test_a_prediction_that_cannot_be_ordered_is_refused(
    ex: hz.ImperativeClient, arguments: dict[str, Any], kind: type[Exception], words: str
) -> None:
    for verb in (ex.buy_prediction, ex.sell_prediction):
        with refused(ex.engine.venue, kind, words):
            verb(**{"qty": 1, "limit": 0.45, **arguments})


def test_a_prediction_named_twice_is_refused(ex: hz.ImperativeClient) -> None:
    with refused(ex.engine.venue, TypeError, "named twice", "'rain'", "'snow'"):
        ex.buy_prediction("rain", 1, market="snow", limit=0.45)


# ------------------------------------------------------------------------ perpetuals
def test_a_perpetual_carries_its_leverage(ex: hz.ImperativeClient) -> None:
    order = ex.buy_perp("hyperliquid:BTC-PERP", qty=0.1, leverage=3, limit=95_000)
    assert (order.leverage, order.market_id) == (3.0, "hyperliquid:BTC-PERP")
    assert ex.balance().used_buying_power == pytest.approx(9_500 / 3, abs=1e-9)
    ex.tick("hyperliquid:BTC-PERP", 94_000.0)
    (position,) = ex.positions()
    assert (position.quantity, position.leverage) == (0.1, 3.0)
    assert ex.sell_perp("hyperliquid:BTC-PERP", 0.1, market=True).leverage == 3.0
    assert ex.realized_pnl() == pytest.approx(-100.0, abs=1e-9)  # 0.1 * (94,000 - 95,000)


def test_buy_perp_makes_a_perpetual_of_any_new_id(ex: hz.ImperativeClient) -> None:
    assert ex.buy_perp("my-future", 1, limit=10.0).leverage == 1.0


@pytest.mark.parametrize(
    ("leverage", "kind"),
    [(0.5, ValueError), (101, ValueError), (math.nan, ValueError), ("3", TypeError)],
)
def test_leverage_outside_1_to_100_is_refused(
    ex: hz.ImperativeClient, leverage: Any, kind: type[Exception]
) -> None:
    for verb in (ex.buy_perp, ex.sell_perp):
        with refused(ex.engine.venue, kind, "leverage must"):
            verb("BTC-PERP", 1, leverage=leverage, limit=10.0)


def test_another_leverage_is_an_order_error_while_an_order_rests(ex: hz.ImperativeClient) -> None:
    ex.buy_perp("BTC-PERP", 1, leverage=3, limit=10.0)
    with refused(ex.engine.venue, OrderError, "leverage", "3", "5"):
        ex.buy_perp("BTC-PERP", 1, leverage=5, limit=10.0)


# ------------------------------------------------------------------------ what every verb refuses
VERBS: dict[str, Callable[..., VenueOrder]] = {
    "buy": lambda ex, **rest: ex.buy(**{"market_id": "ACME", **rest}),
    "sell": lambda ex, **rest: ex.sell(**{"market_id": "ACME", **rest}),
    "short": lambda ex, **rest: ex.short(**{"market_id": "ACME", **rest}),
    "cover": lambda ex, **rest: ex.cover(**{"market_id": "ACME", **rest}),
    "buy_option": lambda ex, **rest: ex.buy_option("AAPL", 180, "2025-01-17", "call", **rest),
    "sell_option": lambda ex, **rest: ex.sell_option("AAPL", 180, "2025-01-17", "call", **rest),
    "buy_prediction": lambda ex, **rest: ex.buy_prediction("rain", **rest),
    "sell_prediction": lambda ex, **rest: ex.sell_prediction("rain", **rest),
    "buy_perp": lambda ex, **rest: ex.buy_perp(**{"market_id": "BTC-PERP", **rest}),
    "sell_perp": lambda ex, **rest: ex.sell_perp(**{"market_id": "BTC-PERP", **rest}),
}
BAD_ORDERS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"limit": None}, ValueError, "exactly one of limit= and market=True; was given neither"),
    ({"market": True}, ValueError, "exactly one of limit= and market=True; was given both"),
    ({"market": 1}, TypeError, "market"),
    ({"qty": 0}, ValueError, "qty must be above 0, was 0"),
    ({"qty": -1}, ValueError, "qty must be above 0, was -1"),
    ({"qty": math.nan}, ValueError, "qty must be a finite number, was nan"),
    ({"qty": math.inf}, ValueError, "qty must be a finite number, was inf"),
    ({"qty": 10**400}, ValueError, "qty must be at most 1e15"),
    ({"qty": 1e16}, ValueError, "qty must be at most 1e15"),
    ({"qty": True}, TypeError, "qty must be a number, was True"),
    ({"qty": "1"}, TypeError, "qty must be a number, was '1'"),
    ({"qty": [1]}, TypeError, "qty must be a number, was [1]"),
    ({"qty": np.array([1.0])}, TypeError, "qty must be a number"),
    ({"limit": 0}, ValueError, "limit must be above 0, was 0"),
    ({"limit": -0.5}, ValueError, "limit must be above 0, was -0.5"),
    ({"limit": math.nan}, ValueError, "limit must be a finite number, was nan"),
    ({"limit": -math.inf}, ValueError, "limit must be a finite number, was -inf"),
    ({"limit": False}, TypeError, "limit must be a number, was False"),
    ({"limit": "0.5"}, TypeError, "limit must be a number, was '0.5'"),
    ({"limit": 10**400}, ValueError, "limit must be at most 1e15"),
    ({"tif": "day"}, ValueError, "tif must be one of 'gtc', 'ioc'; was 'day'"),
    ({"tif": None}, TypeError, "tif must be one of 'gtc', 'ioc'"),
    ({"post_only": 1}, TypeError, "post_only must be True or False, was 1"),
    ({"post_only": True, "limit": None, "market": True}, ValueError, "post_only"),
    ({"client_order_id": ""}, ValueError, "client_order_id must have 1 to 256 characters"),
    ({"client_order_id": 5}, TypeError, "client_order_id must be text, was 5"),
    ({"stop": 5}, TypeError, "stop"),
]


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize(("changes", "kind", "words"), BAD_ORDERS, ids=lambda item: str(item)[:40])
def test_every_order_verb_refuses_bad_input_and_leaves_no_trace(
    ex: hz.ImperativeClient,
    name: str,
    changes: dict[str, Any],
    kind: type[Exception],
    words: str,
) -> None:
    with refused(ex.engine.venue, kind, words):
        VERBS[name](ex, **{"qty": 1, "limit": 0.5, **changes})


@pytest.mark.parametrize("name", sorted(set(VERBS) - {"short", "cover"}))
def test_reduce_only_is_true_or_false(ex: hz.ImperativeClient, name: str) -> None:
    with refused(ex.engine.venue, TypeError, "reduce_only must be True or False, was 'yes'"):
        VERBS[name](ex, qty=1, limit=0.5, reduce_only="yes")


BAD_IDS: list[tuple[Any, type[Exception], str]] = [
    ("", ValueError, "must have 1 to 256 characters, has 0"),
    ("a" * 257, ValueError, "must have 1 to 256 characters, has 257"),
    ("A\x07B", ValueError, "must not contain control characters, has U+0007"),
    ("A\nB", ValueError, "must not contain control characters, has U+000A"),
    (" ACME", ValueError, "must not begin or end with a blank"),
    ("ACME ", ValueError, "must not begin or end with a blank"),
    (None, TypeError, "must be text, was None"),
    (5, TypeError, "must be text, was 5"),
    (["ACME"], TypeError, "must be text"),
    (b"ACME", TypeError, "must be text"),
]


@pytest.mark.parametrize(("market_id", "kind", "words"), BAD_IDS, ids=lambda item: str(item)[:20])
@pytest.mark.parametrize("name", ["buy", "sell", "short", "cover", "buy_perp", "sell_perp"])
def test_every_order_verb_refuses_what_is_no_market_id(
    ex: hz.ImperativeClient, name: str, market_id: Any, kind: type[Exception], words: str
) -> None:
    with refused(ex.engine.venue, kind, "market_id " + words):
        VERBS[name](ex, market_id=market_id, qty=1, limit=0.5)


@pytest.mark.parametrize(("market_id", "kind", "words"), BAD_IDS, ids=lambda item: str(item)[:20])
@pytest.mark.parametrize("name", ["flatten", "cancel_all", "open_orders", "quote", "settle"])
def test_every_other_verb_refuses_what_is_no_market_id(
    ex: hz.ImperativeClient, name: str, market_id: Any, kind: type[Exception], words: str
) -> None:
    if market_id is None and name in ("cancel_all", "open_orders"):
        return  # there, None means every market
    ex.buy("ACME", 1, limit=10.0)
    rest = (0.5,) if name == "settle" else ()
    with refused(ex.engine.venue, kind, "market_id " + words):
        getattr(ex, name)(market_id, *rest)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a" * 256, "Will it rain?", "日本"])
def test_any_readable_text_is_a_market_and_case_counts(ex: hz.ImperativeClient, name: str) -> None:
    assert ex.buy(name, 1, limit=10.0).market_id == name
    ex.tick(name, 9.0)
    assert held(ex) == {name: 1.0}
    assert ex.open_orders(name.swapcase() + "x" if len(name) < 256 else "b") == []
    assert len(ex.flatten(name)) == 1


def test_an_option_with_a_grid_is_bought_by_its_terms(ex: hz.ImperativeClient) -> None:
    name = "AAPL250117C00180000"
    ex.declare(hz.Market(name, hz.Option, tick_size=0.05))
    terms = ("AAPL", 180, "2025-01-17", "call", 1)
    assert ex.buy_option(*terms, limit=3.05).market_id == name
    with pytest.raises(ValueError, match=r"limit price must be a multiple of tick size 0\.05"):
        ex.sell_option(*terms, limit=3.07)
    other = hz.connect("paper")
    other.declare(hz.Market(name, hz.Equity))
    for verb in (other.buy_option, other.sell_option):
        with pytest.raises(ValueError, match="known as Equity; it cannot be used as Option"):
            verb(*terms, limit=3.05)


def test_a_market_used_as_another_class_is_refused(ex: hz.ImperativeClient) -> None:
    venue = ex.engine.venue
    ex.buy("ACME", 1, limit=10.0)
    with refused(venue, ValueError, "'ACME' is known as Equity", "Prediction"):
        ex.buy_prediction("ACME", 1, limit=0.5)
    with refused(venue, ValueError, "'ACME' is known as Equity", "Perp"):
        ex.buy_perp("ACME", 1, limit=0.5)
    ex.buy_prediction("rain", 1, limit=0.5)
    with refused(venue, ValueError, "'rain' is known as Prediction", "Perp"):
        ex.sell_perp("rain", 1, limit=0.5)
    assert ex.buy("rain", 1, limit=0.5).market_id == "rain"  # the plain verb takes it as it is
    ex.buy_perp("swap", 1, limit=0.5)
    with refused(venue, ValueError, "'swap' is known as Perp"):
        ex.buy("swap:no", 1, limit=0.5)


# ------------------------------------------------------------------------ client order ids
def test_a_cell_that_is_run_again_returns_the_first_order(ex: hz.ImperativeClient) -> None:
    order = ex.buy("ACME", 10, limit=100.0, client_order_id="morning")
    with unchanged(ex.engine.venue):
        assert ex.buy("ACME", 10, limit=100.0, client_order_id="morning") == order
    ex.tick("ACME", 99.0)
    with unchanged(ex.engine.venue):
        again = ex.buy("ACME", 10, limit=100.0, client_order_id="morning")
    assert (again.id, again.status) == (order.id, "filled")


def test_a_client_order_id_seen_with_other_parameters_is_an_order_error(
    ex: hz.ImperativeClient,
) -> None:
    order = ex.buy("ACME", 10, limit=100.0, client_order_id="morning")
    for call in (
        lambda: ex.buy("ACME", 11, limit=100.0, client_order_id="morning"),
        lambda: ex.buy("ACME", 10, limit=101.0, client_order_id="morning"),
        lambda: ex.buy("ACME", 10, market=True, client_order_id="morning"),
        lambda: ex.sell("ACME", 10, limit=100.0, client_order_id="morning"),
        lambda: ex.cover("ACME", 10, limit=100.0, client_order_id="morning"),
        lambda: ex.buy("OTHER", 10, limit=100.0, client_order_id="morning"),
    ):
        with refused(ex.engine.venue, OrderError, "'morning'", order.id):
            call()


def test_sell_and_short_are_not_the_same_order(ex: hz.ImperativeClient) -> None:
    ex.sell("ACME", 1, limit=10.0, client_order_id="a")
    with refused(ex.engine.venue, OrderError, "'a'"):
        ex.short("ACME", 1, limit=10.0, client_order_id="a")


# ------------------------------------------------------------------------ amend and cancel
def test_amend_and_cancel_by_id(ex: hz.ImperativeClient) -> None:
    order = ex.buy("AAPL", qty=10, limit=180.0)
    changed = ex.amend(order.id, new_quantity=20, new_price=179.0)
    assert (changed.id, changed.quantity, changed.price) == (order.id, 20.0, 179.0)
    assert ex.order(order.id) == changed
    assert ex.cancel(order.id) is True
    assert ex.cancel(order.id) is False
    assert ex.cancel("nothing") is False
    with refused(ex.engine.venue, OrderError, order.id, "canceled"):
        ex.amend(order.id, new_quantity=5)
    with refused(ex.engine.venue, OrderError, "'nothing'", "unknown"):
        ex.amend("nothing", new_quantity=5)
    with refused(ex.engine.venue, OrderError, "'nothing'", "unknown"):
        ex.order("nothing")


def test_cancel_all_ends_the_orders_of_a_market_or_all(ex: hz.ImperativeClient) -> None:
    ex.buy("AAPL", 1, limit=100.0)
    ex.sell("AAPL", 1, limit=200.0)
    ex.buy("MSFT", 1, limit=100.0)
    assert ex.cancel_all(market_id="AAPL") == 2
    assert [order.market_id for order in ex.open_orders()] == ["MSFT"]
    assert ex.cancel_all() == 1
    assert ex.cancel_all() == 0


# ------------------------------------------------------------------------ flatten
def test_flatten_cancels_the_orders_and_closes_the_position(ex: hz.ImperativeClient) -> None:
    ex.tick("AAPL", 180.0)
    ex.tick("MSFT", 400.0)
    ex.buy("AAPL", 10, market=True)
    ex.short("MSFT", 2, market=True)
    resting = ex.sell("AAPL", 10, limit=200.0)
    (order,) = ex.flatten("AAPL")
    assert (order.side, order.quantity, order.status) == ("sell", 10.0, "filled")
    assert (order.reduce_only, order.metadata["intent"]) == (True, "flatten")
    assert ex.order(resting.id).status == "canceled"
    assert held(ex) == {"MSFT": -2.0}
    assert ex.flatten("AAPL") == []
    assert ex.flatten("UNKNOWN") == []
    (bought,) = ex.flatten_all()
    assert (bought.market_id, bought.side) == ("MSFT", "buy")
    assert (held(ex), ex.flatten_all()) == ({}, [])
    assert_books(ex.engine.venue)


def test_flatten_closes_both_sides_of_a_prediction(ex: hz.ImperativeClient) -> None:
    ex.tick("rain", 0.4)
    ex.buy_prediction("rain", 10, market=True)
    ex.sell_prediction("rain", 5, market=True, side="no")
    orders = ex.flatten("rain")
    assert [(o.market_id, o.side, o.quantity) for o in orders] == [
        ("rain", "sell", 10.0),
        ("rain:no", "buy", 5.0),
    ]
    assert held(ex) == {}


def test_flatten_by_the_id_of_no_closes_that_side_alone(ex: hz.ImperativeClient) -> None:
    ex.tick("rain", 0.4)
    ex.buy_prediction("rain", 10, market=True)
    ex.buy_prediction("rain", 5, market=True, side="no")
    assert [o.market_id for o in ex.flatten("rain:no")] == ["rain:no"]
    assert held(ex) == {"rain": 10.0}


def test_flatten_is_not_refused_for_want_of_money_or_by_risk() -> None:
    ex = connect(1_000.0, risk=hz.RiskConfig(max_order_size=10), market_fill="next_tick")
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)
    ex.tick("ACME", 150.0)
    assert ex.balance().buying_power == -500.0
    (order,) = ex.flatten("ACME")
    assert order.status == "new"
    ex.tick("ACME", 150.0)
    assert held(ex) == {}


def test_what_has_no_price_to_be_closed_at_is_rejected_and_visible() -> None:
    ex = connect(matching="quotes")
    ex.tick("ACME", 100.0, bid=99.0, ask=101.0)
    ex.buy("ACME", 1, market=True)
    ex.tick("ACME", 100.0, ask=101.0)
    (order,) = ex.flatten("ACME")
    assert order.status == "rejected"
    assert "no bid" in order.metadata["reason"]
    assert ex.orders()[-1] == order
    assert held(ex) == {"ACME": 1.0}


def test_a_position_off_the_lot_grid_can_be_flattened() -> None:
    ex = connect()
    ex.declare(hz.Market("ACME", hz.Equity, lot_size=10))
    ex.tick("ACME", 10.0)
    order = ex.buy("ACME", 10, limit=10.0)
    with ex.engine.venue.lock:
        ex.engine.venue.apply.filled(0, order.id, 3.0, 10.0, 0.0, True)
    (closing,) = ex.flatten("ACME")
    assert (closing.quantity, closing.status) == (3.0, "filled")


def test_flatten_first_stops_the_algorithms_of_its_market(ex: hz.ImperativeClient) -> None:
    algo = ex.twap("ACME", 10, duration_secs=100, num_slices=5)
    other = ex.twap("OTHER", 10, duration_secs=100, num_slices=5)
    ex.tick("ACME", 10.0, 2_000.0)
    ex.tick("ACME", 10.0, 2_001.0)
    assert held(ex) == {"ACME": 2.0}
    ex.flatten("ACME")
    assert algo.status == "stopped"
    assert held(ex) == {}
    assert ex.open_orders() == []
    ex.tick("ACME", 10.0, 2_050.0)
    assert ex.open_orders() == []
    assert ex.algos == [other]
    ex.flatten_all()
    assert other.status == "stopped"
    assert ex.algos == []


# ------------------------------------------------------------------------ tick, settle, algorithms
def test_tick_returns_the_fills_and_fills_drains_them_once(ex: hz.ImperativeClient) -> None:
    ex.buy("ACME", 10, limit=100.0)
    fills = ex.tick("ACME", 99.0, datetime(2024, 1, 1, tzinfo=UTC))
    assert [(f.quantity, f.price, f.timestamp) for f in fills] == [(10.0, 100.0, 1_704_067_200.0)]
    assert ex.fills() == fills
    assert ex.fills() == []
    assert ex.time == 1_704_067_200.0
    quote = ex.quote("ACME")
    assert quote is not None
    assert quote.price == 99.0


def test_tick_takes_a_bar_and_refuses_what_is_none() -> None:
    ex = connect(bar_fill_mode="touch")
    ex.buy("ACME", 1, limit=95.0)
    assert len(ex.tick("ACME", 100.0, high=101.0, low=94.0, open=98.0, volume=5)) == 1
    with refused(ex.engine.venue, TypeError, "close"):
        ex.tick("ACME", 100.0, close=5)
    with refused(ex.engine.venue, ValueError, "timestamp", "1000", "999"):
        ex.tick("ACME", 100.0, 999.0)


def test_settle_ends_a_market_its_orders_and_its_algorithms(ex: hz.ImperativeClient) -> None:
    ex.tick("rain", 0.4, 2_000.0)
    ex.buy_prediction("rain", 100, market=True)
    resting = ex.buy_prediction("rain", 5, limit=0.1)
    algo = ex.twap("rain", 10, duration_secs=100, num_slices=5)
    ex.tick("rain", 0.4, 2_001.0)
    (row,) = ex.settle("rain", 1.0)
    assert row.realized_pnl == pytest.approx(60.0, abs=1e-9)
    assert ex.order(resting.id).metadata["reason"] == "settled"
    assert algo.is_complete or algo.status != "running"
    assert (ex.algos, ex.open_orders()) == ([], [])
    assert ex.buy_prediction("rain", 1, limit=0.5).metadata["reason"] == "settled"
    assert ex.settle("rain", 1.0) == []
    with refused(ex.engine.venue, OrderError, "settled already"):
        ex.settle("rain", 0.0)
    assert_books(ex.engine.venue)


def test_the_algorithm_verbs_start_what_every_tick_advances(ex: hz.ImperativeClient) -> None:
    twap = ex.twap("A", 10, duration_secs=100, num_slices=5)
    vwap = ex.vwap("B", 10, duration_secs=100, volume_profile=[3, 1, 1])
    iceberg = ex.iceberg("C", 10, show_size=4, limit=50.0, side="sell")
    assert ex.algos == [twap, vwap, iceberg]
    for market_id in ("A", "B", "C"):
        ex.tick(market_id, 49.0, 2_000.0)
    # A fifth of 10, three fifths of 10, and the 4 that are shown.
    sent = {o.market_id: (o.side, o.quantity, o.price) for o in ex.open_orders()}
    assert sent == {
        "A": ("buy", 2.0, 49.0),
        "B": ("buy", 6.0, 49.0),
        "C": ("sell", 4.0, 50.0),
    }


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda ex, m: ex.twap(m, 0, duration_secs=1, num_slices=1), ValueError, "qty must be"),
        (
            lambda ex, m: ex.twap(m, 1, duration_secs=1, num_slices=1, side="x"),
            ValueError,
            "side must be one of 'buy', 'sell'",
        ),
        (
            lambda ex, m: ex.twap(m, 1, duration_secs=1, num_slices=1, reduce_only=3),
            TypeError,
            "reduce_only must be True or False",
        ),
        (
            lambda ex, m: ex.twap(m, 1, duration_secs=0, num_slices=1),
            ValueError,
            "duration_secs must be",
        ),
        (
            lambda ex, m: ex.iceberg(m, 1, show_size=1, limit=-1),
            ValueError,
            "limit must be above 0",
        ),
        (
            lambda ex, m: ex.vwap(m, 1, duration_secs=1, volume_profile=[]),
            ValueError,
            "volume_profile",
        ),
    ],
)
@pytest.mark.parametrize("market", ["ACME", hz.Market("ACME", hz.Equity)], ids=["id", "Market"])
def test_an_algorithm_that_cannot_start_leaves_no_trace(
    ex: hz.ImperativeClient,
    market: Any,
    call: Callable[[hz.ImperativeClient, Any], object],
    kind: type[Exception],
    words: str,
) -> None:
    with refused(ex.engine.venue, kind, words):
        call(ex, market)
    assert ex.algos == []


# ------------------------------------------------------------------------ frames
def test_frames_are_empty_tables_with_their_columns_before_anything_happens(
    ex: hz.ImperativeClient,
) -> None:
    positions, orders, fills = ex.positions_frame(), ex.orders_frame(), ex.fills_frame()
    assert (len(positions), len(orders), len(fills)) == (0, 0, 0)
    assert {"quantity", "avg_cost", "mark", "unrealized_pnl"} <= set(positions.columns)
    assert {"market_id", "side", "quantity", "status"} <= set(orders.columns)
    assert {"order_id", "price", "fee", "timestamp"} <= set(fills.columns)
    assert isinstance(fills["timestamp"].dtype, pd.DatetimeTZDtype)
    assert (positions.index.name, orders.index.name, fills.index.name) == ("market_id", "id", "id")


def test_frames_hold_a_row_for_each_record(ex: hz.ImperativeClient) -> None:
    ex.buy("ACME", 10, limit=100.0)
    ex.buy("OTHER", 1, market=True)  # rejected: no price
    ex.tick("ACME", 99.0, 1_704_067_200.5)
    ex.fills()
    orders = ex.orders_frame()
    assert list(orders.index) == ["p1", "p2"]
    assert list(orders["status"]) == ["filled", "rejected"]
    fills = ex.fills_frame()
    assert list(fills.index) == ["f1"]
    assert fills.loc["f1", "price"] == 100.0
    assert fills.loc["f1", "timestamp"] == pd.Timestamp("2024-01-01T00:00:00.5Z")
    positions = ex.positions_frame()
    assert positions.loc["ACME", "quantity"] == 10.0
    assert positions.loc["ACME", "unrealized_pnl"] == -10.0


@pytest.mark.parametrize("step", range(5))
def test_the_time_in_a_frame_is_that_of_the_fill_to_the_microsecond(
    ex: hz.ImperativeClient, step: int
) -> None:
    ex.buy("ACME", 1, limit=10.0)
    ex.tick("ACME", 9.0, 1_700_000_000 + step / 10)
    expected = pd.Timestamp(1_700_000_000 * 10**9 + step * 10**8, tz="UTC")
    assert ex.fills_frame().loc["f1", "timestamp"] == expected


def test_frames_of_hostile_names_are_escaped_in_html(ex: hz.ImperativeClient) -> None:
    name = "<script>alert(1)</script>"
    ex.buy(name, 1, limit=10.0)
    ex.tick(name, 9.0)
    for frame in (ex.positions_frame(), ex.orders_frame(), ex.fills_frame()):
        assert "<script>" not in frame._repr_html_()  # type: ignore[operator]


# ------------------------------------------------------------------------ a first day
def test_a_first_day_of_trading_adds_up() -> None:
    with connect() as ex:
        first = ex.buy("AAPL", qty=10, limit=180.0)
        rejected = ex.sell("MSFT", qty=5, market=True)
        third = ex.short("SPY", qty=100, limit=450)
        assert [first.status, rejected.status, third.status] == ["new", "rejected", "new"]
        ex.amend(first.id, new_quantity=20, new_price=179.0)
        ex.cancel(third.id)
        ex.tick("AAPL", 178.0)
        assert (ex.positions()[0].quantity, ex.positions()[0].avg_cost) == (20.0, 179.0)
        assert ex.open_orders() == []
        assert ex.balance().equity == 99_980.0  # 20 * (178 - 179)
        assert ex.realized_pnl() == 0.0
        assert len(ex.fills()) == 1
        ex.cancel_all(market_id="AAPL")
        ex.cancel_all()
        ex.flatten("AAPL")
        ex.flatten_all()
        assert ex.realized_pnl() == -20.0
        assert ex.positions() == []
