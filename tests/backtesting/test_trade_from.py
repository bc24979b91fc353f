"""`trade_from=`: rows before it warm the pipeline up, and nothing is sent."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.errors import PipelineError, RiskRejected

PRICES = [0.50, 0.47, 0.53, 0.46, 0.55, 0.50, 0.44]
TICKS = [{"timestamp": 1000 + i, "price": price} for i, price in enumerate(PRICES)]


def quoter(ctx: Any) -> list[hz.Quote]:
    return hz.quotes(ctx.feed.price, spread=0.02, size=10)


def same(a: hz.BacktestResult, b: hz.BacktestResult) -> None:
    assert a.equity_curve == b.equity_curve
    assert a.fills == b.fills
    assert a.orders_frame().equals(b.orders_frame())
    assert a.rejections == b.rejections


@pytest.mark.parametrize(
    "when",
    [1003, 1002.5, "1970-01-01T00:16:43", dt.datetime(1970, 1, 1, 0, 16, 43, tzinfo=dt.UTC)],
    ids=["seconds", "between", "text", "datetime"],
)
def test_a_run_without_memory_is_the_run_on_the_later_rows(when: Any) -> None:
    whole = hz.backtest(data=TICKS, pipeline=[quoter], trade_from=when)
    later = hz.backtest(data=TICKS[3:], pipeline=[quoter])
    same(whole, later)
    assert whole.equity_curve[0] == (1003.0, 1000.0)


def test_in_chunks_and_as_columns_alike() -> None:
    columns = {
        "timestamp": np.array([tick["timestamp"] for tick in TICKS], dtype=float),
        "price": np.array(PRICES),
    }
    a = hz.backtest(data=columns, pipeline=[quoter], trade_from=1003)
    b = hz.backtest(data=lambda: iter([TICKS[:2], TICKS[2:]]), pipeline=[quoter], trade_from=1003)
    same(a, b)


def test_stages_run_on_every_row_and_only_then_trade() -> None:
    seen: list[float] = []

    def mean_of_three(ctx: Any) -> float:
        seen.append(ctx.feed.price)
        return sum(seen[-3:]) / len(seen[-3:])

    def buy_below_mean(ctx: Any, mean: float) -> list[hz.OrderRequest]:
        if ctx.feed.price < mean:
            return [hz.OrderRequest(ctx.market_id, hz.Side.Yes, hz.OrderSide.Buy, 10)]
        return []

    result = hz.backtest(data=TICKS, pipeline=[mean_of_three, buy_below_mean], trade_from=1003)
    assert seen == PRICES
    # At 1003: 0.46 < (0.47 + 0.53 + 0.46) / 3. At 1005: 0.50 < (0.46 + 0.55 + 0.50) / 3 = 0.5033.
    # At 1006: 0.44 < 0.4967. Each fills at the next row; the last one has none.
    assert [(fill.timestamp, fill.price) for fill in result.fills] == [
        (1004.0, 0.55),
        (1006.0, 0.44),
    ]
    assert len(result.orders_frame()) == 3


def test_a_stage_that_sends_by_itself_ends_there_until_trading_begins() -> None:
    reached: list[float] = []

    def own(ctx: Any) -> None:
        ctx.exchange("paper").buy_prediction(ctx.market_id, 10, limit=0.10)
        reached.append(ctx.timestamp)

    result = hz.backtest(data=TICKS, pipeline=[own], trade_from=1004)
    assert reached == [1004.0, 1005.0, 1006.0]
    assert len(result.orders_frame()) == 3
    assert result.rejections == {}


def test_a_stage_may_catch_the_refusal() -> None:
    refused: list[str] = []

    def own(ctx: Any) -> None:
        algo = hz.TWAP(ctx.engine, duration_secs=2, num_slices=2)
        request = hz.OrderRequest(ctx.market_id, hz.Side.Yes, hz.OrderSide.Buy, 10)
        for send in (lambda: ctx.engine.submit_order(request), lambda: algo.start(request)):
            try:
                send()
            except RiskRejected as error:
                refused.append(f"{ctx.timestamp} {error.rule}")

    result = hz.backtest(data=TICKS, pipeline=[own], trade_from=1001)
    assert refused == ["1000.0 warmup"] * 2
    assert result.equity_curve[0] == (1001.0, 1000.0)
    assert len(result.orders_frame()) == 6  # one at each row from then on


def test_other_faults_of_a_stage_are_faults_before_it_too() -> None:
    def broken(ctx: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(PipelineError, match="broken"):
        hz.backtest(data=TICKS, pipeline=[broken], trade_from=1004)


def test_a_market_that_ends_before_it_is_over() -> None:
    result = hz.backtest(
        markets=["a"],
        data=TICKS,
        pipeline=[quoter],
        outcomes={"a": 1.0},
        resolutions={"a": 1001},
        trade_from=1003,
    )
    assert result.fills == []
    assert dict(result.outcomes) == {}


def test_it_must_leave_rows_to_trade_on() -> None:
    with pytest.raises(ValueError, match=r"trade_from must not lie after the last row at .*, was"):
        hz.backtest(data=TICKS, pipeline=[quoter], trade_from=1007)
    with pytest.raises(ValueError, match="trade_from"):
        hz.backtest(data=TICKS, pipeline=[quoter], trade_from="soon")
