"""Quotes of one side: a None is a side that is not quoted, and no refusal."""

from typing import Any

import pytest

import horizon as hz

PRICES = [0.50, 0.47, 0.53, 0.50, 0.44]
TICKS = [{"timestamp": 1000 + i, "price": price} for i, price in enumerate(PRICES)]


def test_only_the_side_that_is_given_rests() -> None:
    def bid_below(ctx: Any) -> Any:
        return [hz.Quote(round(ctx.feed.price - 0.02, 2), None, 10)]

    result = hz.backtest(data=TICKS, pipeline=[bid_below], paper_fee_rate=0.0)
    # Bids at 0.48, 0.45, 0.51, 0.48, 0.42, each until the next row: 0.47 reaches the first,
    # 0.50 the third, 0.44 the fourth.
    assert [(fill.price, fill.order_side) for fill in result.fills] == [
        (0.48, hz.OrderSide.Buy),
        (0.51, hz.OrderSide.Buy),
        (0.48, hz.OrderSide.Buy),
    ]
    assert len(result.orders_frame()) == 5
    assert result.rejections == {}


def test_a_side_taken_away_is_cancelled_and_the_other_stays_in_its_place() -> None:
    def then_only_ask(ctx: Any) -> Any:
        return [hz.Quote(0.40 if ctx.timestamp < 1001 else None, 0.60, 10)]

    orders = hz.backtest(data=TICKS, pipeline=[then_only_ask]).orders_frame()
    assert orders["status"].tolist() == ["canceled", "new"]
    assert orders["price"].tolist() == [0.40, 0.60]


def test_its_fair_value_is_unknown_without_a_number() -> None:
    def bid(ctx: Any) -> Any:
        return hz.Quote(0.48, None, 10)

    result = hz.backtest(data=TICKS, pipeline=[bid], outcomes={"market": 1.0})
    assert result.fills_frame()["fair_value"].isna().all()
    assert result.metrics.model_brier_score is None


@pytest.mark.parametrize(
    ("bid", "ask", "why"),
    [
        (None, None, "bid or ask must be a price, were both None"),
        (float("nan"), 0.5, "bid must be"),
        (None, "0.5", "ask must be"),
        (0.6, 0.5, "bid must not lie above ask"),
    ],
    ids=["neither", "NaN", "text", "crossed"],
)
def test_what_is_no_quote(bid: Any, ask: Any, why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=why):
        hz.Quote(bid, ask, 10)


def test_by_an_engine_and_on_the_no_side() -> None:
    ex = hz.connect("paper")
    ex.tick("rain", 0.30)
    engine = ex.engine
    engine.declare(hz.Market("rain", hz.AssetClass.Prediction))
    bid, ask = engine.submit_quotes("rain", [hz.Quote(None, 0.75, 5)], hz.Side.No)
    assert bid is None
    assert ask is not None
    order = engine.order(ask)
    assert (order.market_id, order.side, order.price) == ("rain:no", "sell", 0.75)
    assert engine.submit_quotes("rain", [], hz.Side.No) == []
    assert engine.open_orders() == []
    ex.close()


def test_the_grid_and_the_largest_notional_hold_for_one_side() -> None:
    ex = hz.connect("paper")
    ex.engine.declare(hz.Market("ACME", hz.AssetClass.Equity, tick_size=0.05))
    with pytest.raises(ValueError, match="quote's price"):
        ex.engine.submit_quotes("ACME", [hz.Quote(10.01, None, 5)], hz.Side.Long)
    with pytest.raises(ValueError, match="notional must be at most 1e15"):
        ex.engine.submit_quotes("ACME", [hz.Quote(1e9, None, 1e7)], hz.Side.Long)
    ex.close()
