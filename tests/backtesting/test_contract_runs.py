"""Perpetuals, options, equities and crypto in a run: what an id says, and what money follows."""

from __future__ import annotations

from typing import Any

import pytest

import horizon as hz
from horizon import AssetClass, DataError, Market
from tests.backtesting.scenes import (
    Timetable,
    book,
    buy,
    equity,
    fills,
    long,
    orders,
    play,
    short,
    ticks,
)

CALL = "AAPL250117C00180000"


def test_the_first_price_says_what_a_plain_id_is() -> None:
    stage = Timetable(watch=lambda ctx: ctx.market.asset_class)
    play(stage, ticks(0.5), markets=["rain"])
    play(stage, ticks(1.0), markets=["rain"])
    play(stage, ticks(1.5), markets=["rain"])
    play(stage, ticks(0.5), markets=["X-PERP"])
    play(stage, ticks(0.5), markets=["ADA/USD"])
    play(stage, ticks(0.5), markets=[CALL])

    assert stage.seen == [
        AssetClass.Prediction,
        AssetClass.Prediction,
        AssetClass.Equity,
        AssetClass.Perp,
        AssetClass.Crypto,
        AssetClass.Option,
    ]


def test_a_later_price_that_a_prediction_cannot_have_names_the_way_out() -> None:
    stage = Timetable()
    with pytest.raises(DataError) as caught:
        play(stage, ticks(0.5, 0.9, 1.2), markets=["penny"])

    message = str(caught.value)
    assert "penny" in message
    assert "1.2" in message
    assert "Equity" in message  # Market("penny", hz.Equity)
    assert caught.value.row == 2
    assert stage.calls == []

    declared = Market("penny", hz.Equity)
    assert play(Timetable(), ticks(0.5, 0.9, 1.2), markets=[declared]).metrics.total_return == 0.0


def test_an_equity_by_id_and_by_market_is_the_same() -> None:
    table = {0.0: [long(3)], 2.0: [short(3)]}
    data = ticks(100.0, 101.0, 103.0, 104.0)
    by_id = play(table, data, markets=["S"])
    by_market = play(table, data, markets=[Market("S", hz.Equity)])

    # Bought at 101, sold at 104.
    assert by_id.metrics.total_return == pytest.approx(9.0, abs=1e-12)
    assert equity(by_market) == equity(by_id)


def test_an_option_counts_a_hundred_a_contract() -> None:
    table = {0.0: [long(2, market=CALL)]}
    data = ticks(1.00, 1.50, 2.00)
    result = play(table, data, markets=[CALL], paper_fee_rate=0.01)

    # 2 x 1.50 x 100 = 300, fee 3.00; at 2.00 they are worth 400.
    assert [fill.fee for fill in result.fills] == pytest.approx([3.0], abs=1e-12)
    assert equity(result) == pytest.approx([1000.0, 997.0, 1097.0], abs=1e-9)


def test_a_multiplier_and_a_grid_of_ones_own() -> None:
    market = Market("F", hz.Equity, multiplier=50.0, tick_size=0.25, lot_size=1.0)
    result = play({0.0: [long(2, market="F")]}, ticks(10.0, 10.0, 10.5), markets=[market])

    # Two contracts rise by half a point of 50 each.
    assert result.metrics.total_return == pytest.approx(50.0, abs=1e-12)

    with pytest.raises(hz.errors.PipelineError) as caught:
        play({0.0: [long(2, 9.9, market="F")]}, ticks(10.0, 10.0), markets=[market])
    assert isinstance(caught.value.__cause__, ValueError)
    assert "0.25" in str(caught.value.__cause__)


def test_a_short_position_owes_its_rise() -> None:
    result = play({0.0: [short(4)]}, ticks(50.0, 50.0, 55.0), markets=["S"])

    assert equity(result) == pytest.approx([1000.0, 1000.0, 980.0], abs=1e-12)


def test_a_perpetual_holds_margin_and_counts_its_open_profit() -> None:
    table = {0.0: [long(10, market="X-PERP", leverage=5.0)]}
    stage = Timetable(table, watch=lambda ctx: ctx.engine.status().buying_power)
    result = play(stage, ticks(100.0, 100.0, 110.0), markets=["X-PERP"])

    # 10 x 100 = 1000 of notional at leverage 5: 200 are held back. Ten points are 100 of profit,
    # which counts as equity and not as buying power.
    assert stage.seen == pytest.approx([1000.0, 800.0, 800.0], abs=1e-9)
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1100.0], abs=1e-9)


def test_a_perpetual_is_liquidated_at_the_rows_price() -> None:
    table = {0.0: [long(100, market="X-PERP", leverage=10.0), long(1, 50.0, market="X-PERP")]}
    data = ticks(100.0, 100.0, 96.0, 94.0, 80.0)
    result = play(
        table,
        data,
        markets=["X-PERP"],
        paper_fee_rate=0.0,
        paper_taker_fee_rate=0.001,
        initial_capital=2000.0,
        slippage_bps=100,
    )

    # Bought 100 at 100 x 1.01 = 101: notional 10 100, margin M = 1010, fee 10.10. Liquidation
    # where M + profit <= min(M/2, 5 % of notional at the mark) = min(505, 480 at 96).
    # At 100: 1010 - 100 = 910. At 96: 1010 - 500 = 510 > 480. At 94: 310 <= 470: closed at 94
    # without slippage, fee 9.40; the resting bid of 50 is cancelled.
    assert fills(result) == [
        (1.0, "buy", 100.0, pytest.approx(101.0, abs=1e-12)),
        (3.0, "sell", 100.0, 94.0),
    ]
    assert [fill.fee for fill in result.fills] == pytest.approx([10.10, 9.40], abs=1e-12)
    assert equity(result)[-1] == pytest.approx(2000 - 10.10 - 700 - 9.40, abs=1e-9)
    statuses = [row[-1] for row in orders(result)]
    assert statuses == ["filled", "canceled", "filled"]
    assert result.orders_frame().intent.tolist()[2] == "liquidation"


def test_a_perpetual_is_liquidated_where_just_half_of_its_margin_is_left() -> None:
    table = {0.0: [long(10, market="X-PERP", leverage=20.0)]}

    # 10 at 100 hold 50; at 97.5 they have lost 25, and 25 is half: at 97.51 it is not.
    result = play(table, ticks(100.0, 100.0, 97.5), markets=["X-PERP"])
    assert fills(result)[1:] == [(2.0, "sell", 10.0, 97.5)]
    result = play(table, ticks(100.0, 100.0, 97.51), markets=["X-PERP"])
    assert fills(result)[1:] == []


def test_arrivals_at_a_rows_time_come_before_its_liquidations() -> None:
    def around(time: float, mid: float) -> dict[str, Any]:
        return book(time, [(mid - 1, 50.0)], [(mid + 1, 50.0)])

    books = [around(0.0, 100.0), around(1.0, 100.0), around(2.0, 96.0), around(3.0, 96.0)]
    table = {
        0.0: [long(10, market="X-PERP", leverage=20.0)],
        1.0: [short(10, market="X-PERP", leverage=20.0)],
    }
    result = play(table, None, markets=["X-PERP"], book_data={"X-PERP": books}, latency_ms=1000)

    # 10 at 101 hold a margin of 50.50; at 96 only 0.50 of it is left, and it would be closed
    # there. But the sale arrives at that time, before the mark: it takes the bid of 95.
    assert fills(result) == [(1.0, "buy", 10.0, 101.0), (2.0, "sell", 10.0, 95.0)]
    assert [row[-1] for row in orders(result)] == ["filled", "filled"]


def test_one_account_holds_all_classes() -> None:
    data = [
        {"timestamp": 0.0, "market_id": "rain", "price": 0.40},
        {"timestamp": 0.0, "market_id": "S", "price": 100.0},
        {"timestamp": 0.0, "market_id": "X-PERP", "price": 10.0},
        {"timestamp": 1.0, "market_id": "rain", "price": 0.40},
        {"timestamp": 1.0, "market_id": "S", "price": 100.0},
        {"timestamp": 1.0, "market_id": "X-PERP", "price": 10.0},
        {"timestamp": 2.0, "market_id": "rain", "price": 0.50},
        {"timestamp": 2.0, "market_id": "S", "price": 101.0},
        {"timestamp": 2.0, "market_id": "X-PERP", "price": 9.0},
    ]

    def stage(ctx: Any) -> Any:
        if ctx.timestamp:
            return None
        if ctx.market_id == "rain":
            return [buy(100, market="rain")]
        size = {"S": 2, "X-PERP": 7}[ctx.market_id]
        return [long(size, market=ctx.market_id)]

    result = play(stage, data, markets=["rain", "S", "X-PERP"])

    # 100 x 0.10 + 2 x 1 - 7 x 1.
    assert result.metrics.total_return == pytest.approx(10 + 2 - 7, abs=1e-9)


def test_an_order_in_a_market_that_the_run_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(hz.errors.PipelineError) as caught:
        play({0.0: [buy(1, 0.5, "elsewhere")]}, ticks(0.5, 0.5))

    assert "elsewhere" in str(caught.value)
