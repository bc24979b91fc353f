"""What an order would do: every number worked out by hand, and nothing changed by asking."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.errors import OrderError, RiskRejected, VenueError
from horizon.preview import OrderPreview
from horizon.types import AssetClass
from tests.scripted import ScriptedVenue
from tests.venues.helpers import fill_part, unchanged

CALL, PUT = "AAPL250117C00180000", "AAPL250117P00180000"


def connect(cash: float = 10_000.0, **options: Any) -> hz.ImperativeClient:
    """A client on paper whose clock stands at 1,000 s unless told otherwise."""
    options.setdefault("clock", lambda: 1_000.0)
    return hz.connect("paper", initial_cash_usd=cash, **options)


def preview(ex: hz.ImperativeClient, name: str | hz.Market, qty: float, **how: Any) -> OrderPreview:
    """A preview, asserted to change nothing and to make no event."""
    venue, heard = ex.engine.venue, []
    stop = venue.subscribe(heard.append)
    with unchanged(venue):
        seen = ex.preview(name, qty, **how)
    stop()
    assert heard == []
    return seen


def assert_shows(seen: OrderPreview, **expected: Any) -> None:
    """Compare these fields; numbers to rounding."""
    actual = {name: getattr(seen, name) for name in expected}
    wanted = {
        name: pytest.approx(value, rel=1e-12, abs=1e-9) if type(value) is float else value
        for name, value in expected.items()
    }
    assert actual == wanted


def money(ex: hz.ImperativeClient) -> tuple[float, float]:
    """Cash and buying power."""
    balance = ex.balance()
    return balance.cash, balance.buying_power


# ------------------------------------------------------------------------ each class
def test_a_limit_order_that_would_rest() -> None:
    ex = connect(maker_fee_rate=0.001, taker_fee_rate=0.002)
    ex.tick("ACME", 100.0)
    seen = preview(ex, "ACME", 10, limit=90)
    # 10 x 90 = 900, a maker's fee 0.90; the reserve is both.
    assert_shows(
        seen,
        market_id="ACME",
        asset_class=AssetClass.Equity,
        side="buy",
        quantity=10.0,
        order_type="limit",
        price=90.0,
        currency="USD",
        notional=900.0,
        fee=0.9,
        is_taker=False,
        opening=10.0,
        cash=10_000.0,
        cash_after=9_099.1,
        buying_power=10_000.0,
        buying_power_after=9_099.1,
        position=0.0,
        position_after=10.0,
        equity=10_000.0,
        worst_loss=900.9,
        liquidation_price=None,
        refusal=None,
        rule=None,
        duplicate_of=None,
        is_refused=False,
    )


def test_a_limit_that_is_marketable_pays_the_takers_fee() -> None:
    ex = connect(maker_fee_rate=-0.001, taker_fee_rate=0.002)
    ex.tick("ACME", 100.0)
    # 10 x 105 x 0.2 % = 2.10; it rests until the next tick, and fills at its limit.
    assert_shows(
        preview(ex, "ACME", 10, limit=105),
        is_taker=True,
        fee=2.1,
        cash_after=8_947.9,
        buying_power_after=8_947.9,
    )
    # 10 x 95 x -0.1 % = -0.95: a rebate comes with the fill, and reserves nothing.
    assert_shows(
        preview(ex, "ACME", 10, limit=95),
        is_taker=False,
        fee=-0.95,
        cash_after=9_050.95,
        buying_power_after=9_050.0,
        worst_loss=949.05,
    )


def test_a_market_order_with_slippage_and_fee() -> None:
    ex = connect(slippage_bps=100, taker_fee_rate=0.01)
    ex.tick("ACME", 100.0)
    # Bought 1 % above 100: 10 x 101 = 1,010, fee 10.10.
    assert_shows(
        preview(ex, "ACME", 10, market=True),
        order_type="market",
        price=101.0,
        notional=1_010.0,
        fee=10.1,
        is_taker=True,
        cash_after=8_979.9,
        buying_power_after=8_979.9,
        position_after=10.0,
        worst_loss=1_020.1,
    )
    ex.buy("ACME", 10, market=True)
    assert money(ex) == (pytest.approx(8_979.9), pytest.approx(8_979.9))
    # Sold 1 % below: 4 x 99 = 396, fee 3.96, which is all that a reduction can lose.
    assert_shows(
        preview(ex, "ACME", 4, side="sell", market=True),
        price=99.0,
        fee=3.96,
        opening=0.0,
        position=10.0,
        position_after=6.0,
        cash_after=9_371.94,
        worst_loss=3.96,
    )


def test_slippage_leaves_a_prediction_between_0_and_1() -> None:
    ex = connect(slippage_bps=500)
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.98)
    # 0.98 x 1.05 is above 1; bought at 1.00, 10 contracts can lose 10.
    assert_shows(preview(ex, "rain", 10, market=True), price=1.0, worst_loss=10.0)


def test_a_short_sale_has_no_worst_loss() -> None:
    ex = connect()
    ex.tick("ACME", 100.0)
    # Brings 1,000 and reserves 150 % of 1,000.
    seen = preview(ex, "ACME", 10, side="sell", market=True)
    assert_shows(
        seen,
        side="sell",
        opening=10.0,
        cash_after=11_000.0,
        buying_power_after=9_500.0,
        position_after=-10.0,
        worst_loss=math.inf,
    )
    # Resting at 110 it reserves 150 % of 110 less the 110 that it brings: 55 each.
    assert_shows(
        preview(ex, "ACME", 10, side="sell", limit=110),
        cash_after=11_100.0,
        buying_power_after=9_450.0,
    )
    ex.sell("ACME", 10, market=True)
    assert money(ex) == (11_000.0, 9_500.0)
    # Bought back, the reserve is free again.
    assert_shows(
        preview(ex, "ACME", 10, market=True),
        opening=0.0,
        position=-10.0,
        position_after=0.0,
        cash_after=10_000.0,
        buying_power_after=10_000.0,
        worst_loss=0.0,
    )


def test_crypto_is_bought_in_parts_and_sold_short_without_bound() -> None:
    ex = connect()
    ex.tick("BTC/USD", 40_000.0)
    assert_shows(
        preview(ex, "BTC/USD", 0.1, market=True),
        asset_class=AssetClass.Crypto,
        notional=4_000.0,
        cash_after=6_000.0,
        worst_loss=4_000.0,
    )
    assert preview(ex, "BTC/USD", 0.1, side="sell", market=True).worst_loss == math.inf


def test_yes_and_no_of_a_prediction() -> None:
    ex = connect()
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.4)
    assert_shows(
        preview(ex, "rain", 100, market=True),
        asset_class=AssetClass.Prediction,
        market_id="rain",
        price=0.4,
        cash_after=9_960.0,
        worst_loss=40.0,
    )
    # NO is at 1 - 0.40.
    assert_shows(
        preview(ex, "rain:no", 100, market=True),
        market_id="rain:no",
        price=0.6,
        cash_after=9_940.0,
        worst_loss=60.0,
    )
    ex.buy("rain:no", 30, market=True)
    assert_shows(
        preview(ex, "rain:no", 50, limit=0.55),
        is_taker=False,
        position=30.0,
        position_after=80.0,
        notional=27.5,
    )
    assert_shows(preview(ex, "rain", 50, limit=0.55), position=0.0, is_taker=True)


def test_a_prediction_sold_short_loses_what_is_missing_to_one() -> None:
    ex = connect(taker_fee_rate=0.01)
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.4)
    # Brings 40 less a fee of 0.40, reserves 100; at an outcome of 1 it loses 60, and the fee.
    assert_shows(
        preview(ex, "rain", 100, side="sell", market=True),
        cash_after=10_039.6,
        buying_power_after=9_939.6,
        position_after=-100.0,
        worst_loss=60.4,
    )
    # NO at 0.60: 40 is missing to 1, the fee is 0.60.
    assert_shows(preview(ex, "rain:no", 100, side="sell", market=True), worst_loss=40.6)


def test_a_rebate_never_makes_the_worst_loss_negative() -> None:
    ex = connect(maker_fee_rate=-0.5)
    ex.declare(hz.Market("rain", hz.Prediction))
    # Sold at 0.90: 0.10 may be lost, a rebate of 0.45 is sure.
    seen = preview(ex, "rain", 10, side="sell", limit=0.9)
    assert_shows(seen, fee=-4.5, worst_loss=0.0)


def test_options_count_a_hundred_times() -> None:
    ex = connect(100_000.0, maker_fee_rate=0.01)
    # 2 x 3.50 x 100 = 700, fee 7.
    assert_shows(
        preview(ex, CALL, 2, limit=3.5),
        asset_class=AssetClass.Option,
        notional=700.0,
        fee=7.0,
        cash_after=99_293.0,
        buying_power_after=99_293.0,
        position_after=2.0,
        worst_loss=707.0,
    )
    # A put struck at 180 and sold at 6 costs at most 174; brings 600 less 6, and reserves the
    # premium and 20 % of the strike: 42 less the 6 that it brings, x 100, and the fee.
    assert_shows(
        preview(ex, PUT, 1, side="sell", limit=6),
        cash_after=100_594.0,
        buying_power_after=96_394.0,
        worst_loss=17_406.0,
    )
    assert preview(ex, CALL, 1, side="sell", limit=6).worst_loss == math.inf


def test_a_sold_option_whose_right_nobody_has_said_may_lose_anything() -> None:
    ex = connect()
    unknown = hz.Market("OPT", hz.Option, strike=50)
    assert preview(ex, unknown, 1, side="sell", limit=6).worst_loss == math.inf
    put = hz.Market("OPT", hz.Option, strike=50, right="put", multiplier=10)
    assert preview(ex, put, 1, side="sell", limit=6).worst_loss == 440.0  # (50 - 6) x 10
    # Sold above its strike, a put can only gain.
    assert preview(ex, put, 1, side="sell", limit=51).worst_loss == 0.0


# ------------------------------------------------------------------------ perpetuals
def test_a_perpetual_bought_with_leverage() -> None:
    ex = connect(taker_fee_rate=0.01)
    ex.tick("BTC-PERP", 100.0)
    # Notional 1,000: margin 100, fee 10. At worst the notional is lost.
    seen = preview(ex, "BTC-PERP", 10, market=True, leverage=10)
    assert_shows(
        seen,
        asset_class=AssetClass.Perp,
        notional=1_000.0,
        fee=10.0,
        cash_after=9_990.0,
        buying_power_after=9_890.0,
        position_after=10.0,
        worst_loss=1_010.0,
        # Margin 100 + 10 m - 1,000 at or under half the margin, m <= 95, and under 5 % of
        # 10 m, m <= 900 / 9.5 = 94.7368: the second is the lower.
        liquidation_price=900 / 9.5,
    )


@pytest.mark.parametrize(
    ("side", "leverage", "expected"),
    [
        # Long, cost 1,000 of 10: the lower of (1,000 - margin / 2) / 10 and
        # (1,000 - margin) / 9.5.
        ("buy", 2, 500 / 9.5),  # 75.00, 52.63
        ("buy", 10, 900 / 9.5),  # 95.00, 94.74
        ("buy", 50, 99.0),  # 99.00, 103.16
        # Short: the higher of (1,000 + margin / 2) / 10 and (1,000 + margin) / 10.5.
        ("sell", 1, 2_000 / 10.5),  # 150.00, 190.48
        ("sell", 2, 1_500 / 10.5),  # 125.00, 142.86
        ("sell", 10, 105.0),  # 105.00, 104.76
        ("sell", 50, 101.0),  # 101.00, 97.14
    ],
)
def test_a_perpetual_is_liquidated_at_the_price_of_its_preview(
    side: str, leverage: float, expected: float
) -> None:
    towards = -1e-6 if side == "buy" else 1e-6
    for beyond, survives in ((-towards, True), (towards, False)):
        ex = connect()
        ex.tick("BTC-PERP", 100.0)
        seen = preview(ex, "BTC-PERP", 10, side=side, market=True, leverage=leverage)
        assert seen.liquidation_price == pytest.approx(expected, rel=1e-12)
        (ex.buy_perp if side == "buy" else ex.sell_perp)(
            "BTC-PERP", 10, market=True, leverage=leverage
        )
        ex.tick("BTC-PERP", expected + beyond)
        assert bool(ex.positions()) is survives


def test_no_price_liquidates_what_is_paid_for_or_flat() -> None:
    ex = connect()
    ex.tick("BTC-PERP", 100.0)
    assert preview(ex, "BTC-PERP", 10, market=True).liquidation_price is None
    ex.buy_perp("BTC-PERP", 10, market=True, leverage=10)
    assert preview(ex, "BTC-PERP", 5, side="sell", market=True).liquidation_price is not None
    assert preview(ex, "BTC-PERP", 10, side="sell", market=True).liquidation_price is None


def test_a_perpetual_is_closed_in_part_and_flipped() -> None:
    ex = connect()
    ex.tick("BTC-PERP", 100.0)
    ex.buy_perp("BTC-PERP", 10, market=True, leverage=10)
    ex.tick("BTC-PERP", 110.0)
    # 4 of 10 realise 40; 6 keep a margin of 60. They cost 600: (600 - 60) / 5.7.
    assert_shows(
        preview(ex, "BTC-PERP", 4, side="sell", market=True),
        opening=0.0,
        cash_after=10_040.0,
        buying_power_after=9_980.0,
        position_after=6.0,
        liquidation_price=540 / 5.7,
        worst_loss=0.0,
    )
    # All 10 realise 100; 5 short at 110 take a margin of 55: (550 + 27.5) / 5.
    assert_shows(
        preview(ex, "BTC-PERP", 15, side="sell", market=True),
        opening=5.0,
        cash_after=10_100.0,
        buying_power_after=10_045.0,
        position_after=-5.0,
        liquidation_price=115.5,
        worst_loss=math.inf,
    )
    # A resting order moves money when it fills: 10 more at 90 make 20 for 1,900, margin 190.
    # The higher margin is under 5 %: (1,900 - 190) / 19.
    assert_shows(
        preview(ex, "BTC-PERP", 10, limit=90),
        cash_after=10_000.0,
        buying_power_after=9_810.0,
        position_after=20.0,
        liquidation_price=90.0,
    )


def test_another_leverage_than_the_positions_is_refused_as_in_an_order() -> None:
    ex = connect()
    ex.tick("BTC-PERP", 100.0)
    ex.buy_perp("BTC-PERP", 1, market=True, leverage=10)
    with unchanged(ex.engine.venue), pytest.raises(OrderError, match="is 10 while it has a pos"):
        ex.preview("BTC-PERP", 1, market=True, leverage=5)
    # Left out, it is the position's: 100 / 10, twice.
    assert preview(ex, "BTC-PERP", 1, market=True).buying_power_after == 9_980.0


# ------------------------------------------------------------------------ reducing
def test_a_reduction_at_a_rebate_loses_nothing() -> None:
    ex = connect(maker_fee_rate=-0.01)
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)
    assert_shows(preview(ex, "ACME", 10, side="sell", limit=110), fee=-11.0, worst_loss=0.0)


def test_a_flip_pays_its_fee_on_both_parts_and_risks_one() -> None:
    ex = connect(fee_bps=100)
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.4)
    ex.buy("rain", 10, market=True)  # 4.00 and 0.04
    ex.tick("rain", 0.5)
    # 25 x 0.50 = 12.50, fee 0.125. 15 open: 0.50 each is missing to 1, and 15/25 of the fee.
    assert_shows(
        preview(ex, "rain", 25, side="sell", market=True),
        fee=0.125,
        opening=15.0,
        position=10.0,
        position_after=-15.0,
        cash_after=9_995.96 + 12.375,
        buying_power_after=9_995.96 + 12.375 - 15.0,
        worst_loss=7.575,
    )


def test_a_reduce_only_order_fills_at_most_what_there_is() -> None:
    ex = connect()
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)
    size = 10 * (1 + 5e-13)  # more by rounding alone
    for how in ({"market": True}, {"limit": 110}):
        seen = preview(ex, "ACME", size, side="sell", reduce_only=True, **how)
        assert (seen.is_refused, seen.opening, seen.position_after) == (False, 0.0, 0.0)


def test_earlier_orders_of_the_same_side_close_first() -> None:
    ex = connect()
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)
    ex.sell("ACME", 6, limit=110)
    # The 6 leave 4 to close; the other 3 open a short of 55 each.
    seen = preview(ex, "ACME", 7, side="sell", limit=110)
    assert_shows(seen, opening=3.0, buying_power_after=9_000.0 - 165.0)
    # Filling at once, 7 leave 3; of the 6 that rest 3 open then, at 55 each. Cash grows by 700.
    seen = preview(ex, "ACME", 7, side="sell", market=True)
    assert_shows(seen, opening=3.0, position_after=3.0, buying_power_after=9_700.0 - 165.0)
    assert ex.sell("ACME", 7, market=True).is_filled
    assert money(ex) == (9_700.0, 9_535.0)


def test_a_fill_gives_the_other_direction_more_to_close() -> None:
    ex = connect()
    ex.tick("ACME", 100.0)
    ex.sell("ACME", 10, limit=110)  # opens: 550
    assert money(ex) == (10_000.0, 9_450.0)
    # 4 bought for 400 give it 4 to close: 6 open, 330.
    seen = preview(ex, "ACME", 4, market=True)
    assert_shows(seen, opening=4.0, cash_after=9_600.0, buying_power_after=9_270.0)
    ex.buy("ACME", 4, market=True)
    assert money(ex) == (9_600.0, 9_270.0)


# ------------------------------------------------------------------------ when orders fill
def test_a_market_order_that_waits_rests_and_reserves() -> None:
    ex = connect(market_fill="next_tick", taker_fee_rate=0.01)
    ex.tick("ACME", 100.0)
    # Reserved like a short at 100: 150 - 100, and a fee of 1, each.
    seen = preview(ex, "ACME", 10, side="sell", market=True)
    assert_shows(
        seen, price=100.0, cash_after=10_990.0, buying_power_after=9_490.0, position_after=-10.0
    )
    ex.sell("ACME", 10, market=True)
    assert money(ex) == (10_000.0, 9_490.0)
    ex.tick("ACME", 100.0)
    assert ex.balance().cash == 10_990.0


def test_quotes_are_what_a_market_order_meets() -> None:
    ex = connect(matching="quotes", slippage_bps=100)
    ex.tick("ACME", 100.0, bid=98.0, ask=102.0)
    assert_shows(preview(ex, "ACME", 1, market=True), price=103.02)  # 102 and 1 %
    assert_shows(preview(ex, "ACME", 1, side="sell", market=True), price=97.02)
    assert preview(ex, "ACME", 1, limit=101).is_taker is False
    assert preview(ex, "ACME", 1, limit=102).is_taker is True
    ex.tick("ACME", 100.0, bid=98.0)
    seen = preview(ex, "ACME", 1, market=True)
    assert seen.refusal == "no price: the last tick of ACME has no ask"


# ------------------------------------------------------------------------ limits beyond the market
def test_a_limit_beyond_the_market_is_paid_on_paper_and_said() -> None:
    ex = connect()
    ex.tick("AAPL", 180.0)
    # 200 - 180 for each of 10, and for a sale 180 - 175 for each of 4.
    assert preview(ex, "AAPL", 10, limit=200).cautions == (
        "The last price, 180.00 USD, has reached this limit of 200.00 USD. Paper fills at the "
        "limit, not at the price: 20.00 USD worse for each share, 200.00 USD in all.",
    )
    assert preview(ex, "AAPL", 4, limit=175, side="sell").cautions == (
        "The last price, 180.00 USD, has reached this limit of 175.00 USD. Paper fills at the "
        "limit, not at the price: 5.00 USD worse for each share, 20.00 USD in all.",
    )
    ex.buy("AAPL", 10, limit=200)
    assert [fill.price for fill in ex.tick("AAPL", 180.0)] == [200.0]


@pytest.mark.parametrize(
    "how",
    [
        {"limit": 180.0},  # what the market says
        {"limit": 179.0},
        {"limit": 181.0, "side": "sell"},
        {"market": True},
        {"limit": 200.0, "post_only": True},  # refused
        {"limit": 200.0, "reduce_only": True},  # refused, too: there is nothing to reduce
        {"limit": 180.0 * (1 + 1e-12)},
    ],
    ids=str,
)
def test_no_caution_where_nothing_is_paid_in_excess(how: dict[str, Any]) -> None:
    ex = connect()
    ex.tick("AAPL", 180.0)
    assert preview(ex, "AAPL", 10, **how).cautions == ()
    assert connect().preview("AAPL", 10, limit=200.0).cautions == ()  # no price yet


def test_a_caution_counts_in_contracts_and_by_quotes() -> None:
    ex = connect(matching="quotes")
    ex.tick(CALL, 3.0, bid=2.9, ask=3.1)
    # 3.5 less the ask of 3.1, times 100 shares, for each of two contracts.
    assert preview(ex, CALL, 2, limit=3.5).cautions == (
        "The ask, 3.10 USD, has reached this limit of 3.50 USD. Paper fills at the limit, not at "
        "the price: 40.00 USD worse for each contract, 80.00 USD in all.",
    )
    assert preview(ex, CALL, 2, limit=3.05).cautions == ()  # between price and ask
    assert "The bid, 2.90 USD," in preview(ex, CALL, 1, limit=2.5, side="sell").cautions[0]
    ex.tick(CALL, 3.0, bid=2.9)
    assert preview(ex, CALL, 2, limit=3.5).cautions == ()  # nothing is offered
    ex.tick(CALL, 3.0)
    assert "The last price, 3.00 USD," in preview(ex, CALL, 2, limit=3.5).cautions[0]


def test_a_caution_of_no_is_in_its_price_and_of_a_reduction_for_what_is_held() -> None:
    ex = connect()
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.7)
    assert preview(ex, "rain:no", 100, limit=0.35).cautions == (
        "The last price, 0.30 USD, has reached this limit of 0.35 USD. Paper fills at the limit, "
        "not at the price: 0.05 USD worse for each contract, 5.00 USD in all.",
    )
    ex.buy("rain", 30, market=True)
    said = preview(ex, "rain", 30, limit=0.6, side="sell", reduce_only=True).cautions
    assert said[0].endswith("0.10 USD worse for each contract, 3.00 USD in all.")


def test_in_touch_mode_a_bar_may_open_better() -> None:
    ex = connect(bar_fill_mode="touch")
    ex.tick("AAPL", 180.0)
    assert preview(ex, "AAPL", 10, limit=200).cautions == (
        "The last price, 180.00 USD, has reached this limit of 200.00 USD. Paper fills at the "
        "limit, or at the open of a bar that opens better, not at the price: up to 20.00 USD "
        "worse for each share, 200.00 USD in all.",
    )
    ex.buy("AAPL", 1, limit=200)
    assert [fill.price for fill in ex.tick("AAPL", 180.0, open=181.0)] == [181.0]


def test_a_book_is_taken_at_what_it_shows() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    ex.take_book("AAPL", [(179.0, 50)], [(180.0, 50)])
    assert ex.preview("AAPL", 10, limit=200.0).cautions == ()
    assert ex.buy("AAPL", 10, limit=200.0).average_price == 180.0


@pytest.mark.parametrize("matching", ["price", "quotes"])
@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("limit", [98.0, 99.0, 99.5, 100.0, 100.5, 101.0, 102.0])
def test_maker_or_taker_is_what_the_fill_will_be(matching: str, side: str, limit: float) -> None:
    ex = connect(matching=matching, maker_fee_rate=0.001, taker_fee_rate=0.002)
    ex.tick("ACME", 100.0, bid=99.0, ask=101.0)
    seen = preview(ex, "ACME", 1, side=side, limit=limit)
    (ex.buy if side == "buy" else ex.sell)("ACME", 1, limit=limit)
    price = 90.0 if side == "buy" else 110.0
    (fill,) = ex.tick("ACME", price, bid=price, ask=price)
    assert fill.is_maker is not seen.is_taker
    # Beyond the price, or the other side's quote, it is a taker.
    reached = {"price": 100.0, "quotes": 101.0 if side == "buy" else 99.0}[matching]
    assert seen.is_taker is (limit >= reached if side == "buy" else limit <= reached)
    assert fill.fee == pytest.approx(seen.fee)


# ------------------------------------------------------------------------ refusals
def assert_refused(ex: hz.ImperativeClient, seen: OrderPreview, rule: str, words: str) -> None:
    """Assert a refusal that leaves everything as it is now."""
    assert seen.is_refused
    assert (seen.rule, seen.refusal) == (rule, words)
    assert (seen.cash_after, seen.buying_power_after) == money(ex) == (seen.cash, seen.buying_power)
    assert seen.position_after == seen.position


def test_more_than_the_buying_power() -> None:
    ex = connect(1_000.0, maker_fee_rate=0.01)
    seen = preview(ex, "ACME", 20, limit=60)
    words = "buying power: the order needs 1,212.00 USD, available are 1,000.00"
    assert_refused(ex, seen, "buying power", words)
    # Its own numbers are given all the same.
    assert_shows(seen, price=60.0, notional=1_200.0, fee=12.0, opening=20.0, worst_loss=1_212.0)
    assert ex.buy("ACME", 20, limit=60).metadata["reason"] == words


def test_a_market_order_without_a_price() -> None:
    ex = connect()
    seen = preview(ex, "ACME", 20, market=True)
    assert_refused(ex, seen, "no price", "no price: ACME has had no tick yet")
    assert (seen.price, seen.notional, seen.fee, seen.worst_loss) == (None, None, None, None)
    assert (seen.quantity, seen.opening) == (20.0, 20.0)


def test_post_only_that_would_take() -> None:
    ex = connect(taker_fee_rate=0.01)
    ex.tick("ACME", 100.0)
    seen = preview(ex, "ACME", 1, limit=100, post_only=True)
    words = "post_only: the order would take liquidity on arrival"
    assert_refused(ex, seen, "post_only", words)
    assert (seen.is_taker, seen.fee) == (True, 1.0)
    assert not preview(ex, "ACME", 1, limit=99, post_only=True).is_refused


def test_reduce_only_of_more_than_is_held() -> None:
    ex = connect(taker_fee_rate=0.01)
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 3, market=True)
    words = "reduce_only: the order is for 4, the position to reduce is 3"
    seen = preview(ex, "ACME", 4, side="sell", market=True, reduce_only=True)
    assert_refused(ex, seen, "reduce_only", words)
    assert (seen.opening, seen.worst_loss) == (0.0, 4.0)  # the fee of 400
    words = "reduce_only: the order is for 1, the position to reduce is 0"
    assert_refused(ex, preview(ex, "ACME", 1, limit=9, reduce_only=True), "reduce_only", words)


def test_a_settled_market() -> None:
    ex = connect()
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.4)
    ex.settle("rain", 1.0)
    assert_refused(ex, preview(ex, "rain", 1, limit=0.4), "settled", "settled")
    assert_refused(ex, preview(ex, "rain:no", 1, market=True), "settled", "settled")


def test_a_class_that_the_venue_does_not_take() -> None:
    ex = connect(supported_classes=[hz.Equity])
    seen = preview(ex, "BTC/USD", 1, limit=9)
    assert_refused(ex, seen, "unsupported", "unsupported: paper takes no orders for Crypto")
    assert seen.asset_class is AssetClass.Crypto
    assert not preview(ex, "ACME", 1, limit=9).is_refused


def test_a_refused_perpetual_keeps_its_liquidation_price() -> None:
    ex = connect()
    ex.tick("BTC-PERP", 100.0)
    assert preview(ex, "BTC-PERP", 1e6, market=True, leverage=2).liquidation_price is None
    ex.buy_perp("BTC-PERP", 10, market=True, leverage=10)
    seen = preview(ex, "BTC-PERP", 1e6, market=True)
    assert (seen.rule, seen.liquidation_price) == ("buying power", pytest.approx(900 / 9.5))


def held(ex: hz.ImperativeClient) -> None:
    """10 of ACME, worth 1,000 of the 10,000."""
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)


def killed(ex: hz.ImperativeClient) -> None:
    """The kill switch, with the position still there."""
    held(ex)
    ex.engine.venue.apply.switched(1_000 * 10**9, True)


def broke(ex: hz.ImperativeClient) -> None:
    """Equity below 0: 100 are short of what rises to 1,000."""
    held(ex)
    ex.tick("DEBT", 1.0)
    ex.sell("DEBT", 100, market=True)
    ex.tick("DEBT", 1_000.0)
    assert ex.balance().equity < 0


def fallen(ex: hz.ImperativeClient) -> None:
    """Down 6 % from 10,000."""
    held(ex)
    ex.tick("ACME", 40.0)


@pytest.mark.parametrize(
    ("rule", "limits", "state", "size", "words"),
    [
        ("kill_switch", {}, killed, 1, "the kill switch is on"),
        ("equity", {}, broke, 1, "equity is"),
        ("max_daily_drawdown_pct", {"max_daily_drawdown_pct": 5}, fallen, 1, "was passed"),
        ("max_order_size", {"max_order_size": 10}, held, 11, "size 11 is over"),
        ("max_position_per_market", {"max_position_per_market": 12}, held, 3, "would be 13"),
        # 1,000 held, and 6 at 90.
        ("max_portfolio_notional", {"max_portfolio_notional": 1_500}, held, 6, "1,540.00"),
        ("max_orders_per_second", {"max_orders_per_second": 1}, held, 1, "1 orders were sent"),
    ],
)
def test_each_risk_rule_refuses_in_its_own_words(
    rule: str,
    limits: dict[str, float],
    state: Callable[[hz.ImperativeClient], None],
    size: float,
    words: str,
) -> None:
    ex = connect(risk=hz.RiskConfig(**limits))
    state(ex)
    before = ex.engine.rejections
    seen = preview(ex, "ACME", size, limit=90)
    assert ex.engine.rejections == before == {}
    with pytest.raises(RiskRejected, match=words) as caught:
        ex.buy("ACME", size, limit=90)
    assert caught.value.rule == rule
    assert_refused(ex, seen, rule, str(caught.value))
    assert_shows(seen, price=90.0, notional=90.0 * size, opening=float(size))
    # What reduces is not asked.
    assert not preview(ex, "ACME", 10, side="sell", market=True).is_refused


def test_risk_is_asked_before_the_market() -> None:
    ex = connect(risk=hz.RiskConfig(max_order_size=5))
    assert preview(ex, "ACME", 6, market=True).rule == "max_order_size"
    assert preview(ex, "ACME", 5, market=True).rule == "no price"


def test_a_venue_of_its_own_rules_is_asked_by_them() -> None:
    venue = ScriptedVenue(lambda market, sign, size: "odd: uneven sizes" if size % 2 else None)
    ex = hz.connect(venue)
    seen = preview(ex, "ACME", 3, limit=9)
    assert (seen.refusal, seen.rule) == ("odd: uneven sizes", "odd")
    assert not preview(ex, "ACME", 4, limit=9).is_refused
    venue.close()


# ------------------------------------------------------------------------ nothing changes
def test_a_preview_declares_no_market_and_uses_no_id() -> None:
    ex = connect()
    seen = preview(ex, hz.Market("NEW", hz.Prediction), 10, limit=0.3, client_order_id="mine")
    assert (seen.asset_class, seen.duplicate_of) == (AssetClass.Prediction, None)
    assert ex.engine.venue.market("NEW") is None
    assert preview(ex, "NEW", 10, limit=3.0).asset_class is AssetClass.Equity
    seen = preview(ex, "NEW:no", 10, limit=0.3)
    assert (seen.market_id, seen.position_after) == ("NEW:no", 10.0)
    assert preview(ex, "X-PERP", 1, limit=3.0, leverage=3).liquidation_price is not None
    order = ex.buy("NEW", 1, limit=3, client_order_id="mine")
    assert (order.id, ex.order("p1")) == ("p1", order)


def test_a_market_that_has_only_ticked_gives_its_price_to_a_preview() -> None:
    ex = connect()
    ex.tick("odds", 0.25)
    assert preview(ex, "odds:no", 4, market=True).price == 0.75
    assert ex.engine.venue.market("odds") is None
    ex.tick("ACME", 100.0)
    with unchanged(ex.engine.venue), pytest.raises(ValueError, match="cannot be Prediction"):
        ex.preview("ACME:no", 1, limit=0.5)


def test_a_client_order_id_that_was_used_returns_the_first_order() -> None:
    ex = connect(maker_fee_rate=0.01)
    ex.tick("ACME", 100.0)
    first = ex.buy("ACME", 10, limit=90, client_order_id="mine")
    ex.amend(first.id, new_quantity=12)
    again = {"limit": 90, "client_order_id": "mine"}
    assert_shows(
        preview(ex, "ACME", 10, **again),
        duplicate_of=first.id,
        quantity=12.0,
        price=90.0,
        notional=1_080.0,
        fee=0.0,
        opening=0.0,
        worst_loss=0.0,
        # Reserved by the first: 1,080 and 10.80. Nothing more.
        buying_power_after=8_909.2,
        cash_after=10_000.0,
        position_after=0.0,
        refusal=None,
    )
    assert ex.buy("ACME", 10, **again).id == first.id
    with unchanged(ex.engine.venue), pytest.raises(OrderError, match="'mine' was used for order"):
        ex.preview("ACME", 11, **again)
    ex.cancel(first.id)
    assert not preview(ex, "ACME", 10, **again).is_refused  # cancelled is not refused


def test_a_first_order_that_was_refused_stays_refused() -> None:
    ex = connect()
    first = ex.buy("ACME", 1, market=True, client_order_id="mine")
    assert first.is_rejected
    ex.tick("ACME", 100.0)
    seen = preview(ex, "ACME", 1, market=True, client_order_id="mine")
    assert (seen.duplicate_of, seen.rule, seen.price) == (first.id, "no price", None)
    assert seen.refusal == first.metadata["reason"]


@pytest.mark.parametrize(
    "given",
    [
        {"market_id": ""},
        {"market_id": 5},
        {"market_id": "ACME:no:no"},
        {"market_id": "ACME:no", "limit": 1.5},
        {"market_id": "AAPL251399C00180000"},
        {"qty": 0},
        {"qty": "1"},
        {"qty": math.nan},
        {"qty": 1e15, "limit": 2},
        {"limit": None},
        {"limit": -1},
        {"market": True},
        {"limit": None, "market": 1},
        {"limit": None, "market": True, "post_only": True},
        {"tif": "gtd"},
        {"post_only": "no"},
        {"reduce_only": None},
        {"client_order_id": " mine"},
        {"market_id": "GRID", "qty": 5},
        {"market_id": "GRID", "qty": 10, "limit": 1.25},
        {"market_id": hz.Market("GRID", hz.Crypto)},
    ],
)
def test_wrong_arguments_raise_what_the_order_raises(given: dict[str, Any]) -> None:
    ex = connect()
    ex.declare(hz.Market("GRID", hz.Equity, tick_size=0.5, lot_size=10))
    arguments = {"market_id": "ACME", "qty": 1, "limit": 10.0, **given}
    market, qty = arguments.pop("market_id"), arguments.pop("qty")
    with unchanged(ex.engine.venue), pytest.raises((TypeError, ValueError)) as of_order:
        ex.buy(market, qty, **arguments)
    with unchanged(ex.engine.venue), pytest.raises((TypeError, ValueError)) as of_preview:
        ex.preview(market, qty, **arguments)
    assert (of_preview.type, str(of_preview.value)) == (of_order.type, str(of_order.value))


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"side": "long"}, ValueError, "side must be one of 'buy', 'sell'; was 'long'"),
        ({"side": 1}, TypeError, "side must be one of 'buy', 'sell'; was 1"),
        ({"leverage": 101}, ValueError, "leverage must lie between 1 and 100, was 101"),
        ({"leverage": "5"}, TypeError, "leverage must be a number"),
        ({"leverage": 5}, ValueError, "leverage belongs to a Perp, 'ACME' is Equity; was 5"),
    ],
)
def test_side_and_leverage_are_checked(
    given: dict[str, Any], kind: type[Exception], words: str
) -> None:
    ex = connect()
    with unchanged(ex.engine.venue), pytest.raises(kind) as caught:
        ex.preview("ACME", 1, limit=10.0, **given)
    assert words in str(caught.value)


def test_a_closed_client_gives_no_preview() -> None:
    ex = connect()
    ex.close()
    with pytest.raises(VenueError, match="this client is closed"):
        ex.preview("ACME", 1, limit=10)
    with pytest.raises(VenueError, match="this client is closed"):
        ex.engine.preview("ACME", None, 1, 1.0, 10.0)


def test_a_preview_is_frozen_and_shows_itself() -> None:
    seen = preview(connect(), "ACME", 1, side="sell", limit=10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.fee = 1.0  # type: ignore[misc]
    shown = seen._repr_html_()
    assert all(field.name in shown for field in dataclasses.fields(seen))
    documented = OrderPreview.__doc__ or ""
    assert all(field.name in documented for field in dataclasses.fields(seen))


# ------------------------------------------------------------------------ what the engine ends
def test_a_fill_that_passes_the_drawdown_limit_frees_what_is_reserved() -> None:
    ex = connect(risk=hz.RiskConfig(max_daily_drawdown_pct=1), slippage_bps=300)
    ex.tick("ACME", 100.0)
    ex.buy("OTHER", 10, limit=50)
    # 50 at 103 are worth 150 less, 1.5 % of 10,000: the order in OTHER goes, and its 500.
    seen = preview(ex, "ACME", 50, market=True)
    assert_shows(seen, cash_after=4_850.0, buying_power_after=4_850.0)
    # 30 lose 0.9 %: it stays.
    assert_shows(preview(ex, "ACME", 30, market=True), buying_power_after=10_000 - 3_090 - 500.0)
    ex.buy("ACME", 50, market=True)
    assert (money(ex), ex.open_orders()) == ((4_850.0, 4_850.0), [])


def test_a_fill_that_takes_all_equity_frees_what_is_reserved() -> None:
    ex = connect(1_000.0, slippage_bps=5_000, enforce_buying_power=False)
    ex.tick("ACME", 100.0)
    ex.buy("OTHER", 1, limit=50)
    # 30 for 4,500 are worth 3,000; with 1,000 that leaves -500.
    assert_shows(preview(ex, "ACME", 30, market=True), buying_power_after=-3_500.0)
    ex.buy("ACME", 30, market=True)
    assert (money(ex), ex.open_orders()) == ((-3_500.0, -3_500.0), [])


def recovered(ex: hz.ImperativeClient) -> None:
    """Down 6 % on the same day, and up again since."""
    fallen(ex)
    ex.tick("ACME", 100.0)


@pytest.mark.parametrize("state", [killed, fallen, recovered])
def test_a_reduction_leaves_nothing_that_would_open_where_nothing_may(
    state: Callable[[hz.ImperativeClient], None],
) -> None:
    ex = connect(risk=hz.RiskConfig(max_daily_drawdown_pct=5))
    state(ex)
    price = ex.quote("ACME").price  # type: ignore[union-attr]
    ex.sell("ACME", 10, limit=2 * price)  # has all 10 to close
    # Sold at the market, they would leave it nothing: it would open, so it is ended.
    seen = preview(ex, "ACME", 10, side="sell", market=True, reduce_only=True)
    assert_shows(seen, buying_power_after=9_000.0 + 10 * price)
    ex.sell("ACME", 10, market=True, reduce_only=True)
    assert ex.balance().buying_power == 9_000.0 + 10 * price


def test_a_new_day_falls_from_its_own_height() -> None:
    now = [0.0]
    limits = hz.RiskConfig(max_daily_drawdown_pct=10)
    ex = connect(risk=limits, slippage_bps=1_000, clock=lambda: now[0])
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 40, limit=100)
    ex.tick("ACME", 100.0)
    ex.tick("ACME", 87.5)  # 500 under the day's 10,000
    ex.buy("OTHER", 1, limit=50)
    # 60 x 87.50 at 10 % worse lose 525: 8,975 is under 9,000, and the order in OTHER goes.
    assert_shows(preview(ex, "ACME", 60, market=True), buying_power_after=6_000.0 - 5_775.0)
    # The next day begins at 9,500, and its floor is 8,550: the order in OTHER keeps its 50.
    now[0] = 86_400.0
    seen = preview(ex, "ACME", 60, market=True)
    assert_shows(seen, buying_power_after=6_000.0 - 5_775.0 - 50.0)
    ex.buy("ACME", 60, market=True)
    assert ex.balance().buying_power == pytest.approx(175.0)


def test_the_accounts_day_counts_where_a_clock_is_behind() -> None:
    limits = hz.RiskConfig(max_daily_drawdown_pct=5)
    ex = connect(risk=limits, clock=lambda: 1_000.0)
    fallen(ex)
    ex.tick("OTHER", 100.0, 86_500.0)  # the account is in the next day with this
    ex.buy("OTHER", 1, limit=50)
    # Bought for 40 at the clock's time, in the day before; nothing has fallen today.
    seen = preview(ex, "ACME", 1, market=True)
    assert_shows(seen, refusal=None, buying_power_after=9_000.0 - 40.0 - 50.0)
    ex.buy("ACME", 1, market=True)
    assert ex.balance().buying_power == 8_910.0


def test_a_reduction_ends_orders_that_could_pass_the_position_limit() -> None:
    for how in ({"limit": 105}, {"market": True}):
        ex = connect(risk=hz.RiskConfig(max_position_per_market=12))
        held(ex)
        ex.sell("ACME", 20, limit=110)  # to 10 short: 10 open, 550
        ex.sell("ACME", 2, limit=120)  # to 12 short, 2 x 60
        assert money(ex) == (9_000.0, 8_330.0)
        # 1 more sold would make 13 short; the newest that opens is ended, and that suffices.
        # At the market it brings 100 as well, and 11 of the 20 open then.
        sold = 0.0 if "limit" in how else 100.0 - 55.0
        seen = preview(ex, "ACME", 1, side="sell", reduce_only=True, **how)
        assert_shows(seen, opening=0.0, buying_power_after=8_450.0 + sold)
        ex.sell("ACME", 1, reduce_only=True, **how)
        assert ex.balance().buying_power == pytest.approx(8_450.0 + sold)


def test_a_reduction_of_no_ends_an_order_of_yes() -> None:
    ex = connect(risk=hz.RiskConfig(max_position_per_market=12))
    ex.declare(hz.Market("rain", hz.Prediction))
    ex.tick("rain", 0.4)
    ex.sell("rain:no", 10, market=True)  # 6.00 come in, 10.00 are reserved
    ex.sell("rain", 20, limit=0.5)  # from 10 to -10 as YES counts, 0.50 each
    assert money(ex) == (10_006.0, 9_986.0)
    # 5 of NO bought back count like 5 of YES sold: -15.
    order = {"limit": 0.55, "reduce_only": True}
    seen = preview(ex, "rain:no", 5, **order)
    assert_shows(seen, position=-10.0, position_after=-5.0, buying_power_after=9_996.0)
    ex.buy("rain:no", 5, **order)
    assert money(ex) == (10_006.0, 9_996.0)


def test_orders_that_can_reduce_nothing_more_do_not_count_in_the_position_limit() -> None:
    ex = connect(risk=hz.RiskConfig(max_position_per_market=12))
    held(ex)
    ex.sell("ACME", 10, limit=110, reduce_only=True)
    ex.sell("ACME", 5, limit=120)  # behind the 10: all 5 open, 60 each
    assert money(ex) == (9_000.0, 8_700.0)
    # Flat, the 10 are ended by the venue; the 5 stay and still need 300 of the 10,000.
    seen = preview(ex, "ACME", 10, side="sell", market=True, reduce_only=True)
    assert_shows(seen, position_after=0.0, buying_power_after=9_700.0)
    ex.sell("ACME", 10, market=True, reduce_only=True)
    assert ex.balance().buying_power == 9_700.0


def test_what_has_filled_of_an_order_closes_nothing_more() -> None:
    ex = connect()
    held(ex)
    order = ex.sell("ACME", 8, limit=110)
    fill_part(ex.engine.venue, order, 5, 110.0)  # 5 are left, and 3 of the order
    # 2 of 4 are left to close; 2 open at 55 each. Cash is 9,550.
    seen = preview(ex, "ACME", 4, side="sell", limit=110)
    assert_shows(seen, position=5.0, opening=2.0, position_after=1.0, buying_power_after=9_440.0)
