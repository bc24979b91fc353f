"""Every call that the documents show for a backtest works as shown, with data of our own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import RiskConfig, Side, backtest, generate_tearsheet
from horizon.algos import TWAP


def test_the_quick_start_to_the_cent() -> None:
    def model(ctx: Any) -> float:
        return ctx.feed.price * 1.02

    def quoter(ctx: Any, fair: float) -> Any:
        if fair > ctx.feed.price:
            return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        return None

    prices = [0.50, 0.52, 0.48, 0.55, 0.60]
    result = hz.backtest(
        name="simple-backtest",
        markets=["my-market"],
        data=[{"timestamp": 1000 + n, "price": price} for n, price in enumerate(prices)],
        pipeline=[model, quoter],
    )

    # Quotes are two cents either side of each row, and the next row meets one of them:
    # 0.52 meets the ask of 0.50 + 0.02; 0.48 the bid of 0.52 - 0.02; 0.55 the ask of 0.50;
    # 0.60 the ask of 0.57.
    assert [(f.timestamp, f.order_side.value, f.price) for f in result.trades] == [
        (1001.0, "sell", pytest.approx(0.52)),
        (1002.0, "buy", pytest.approx(0.50)),
        (1003.0, "sell", pytest.approx(0.50)),
        (1004.0, "sell", pytest.approx(0.57)),
    ]
    # Money in: 10 x (0.52 - 0.50 + 0.50 + 0.57) = 10.90; fees 10 x 2.09 / 1000 = 0.0209; short
    # 20 at a mark of 0.60: -12. Together -1.1209.
    metrics = result.metrics
    assert metrics.total_return == pytest.approx(-1.1209, abs=1e-12)
    assert metrics.total_fees == pytest.approx(0.0209, abs=1e-12)
    assert metrics.total_trades == 4
    # One closing: the buy at 0.50 of what was sold at 0.52, 0.20 less fees of 0.0052 + 0.005.
    assert metrics.win_rate == 100.0
    assert metrics.expectancy == pytest.approx(0.1898, abs=1e-12)

    lines = result.summary().splitlines()
    assert lines[0] == "=== Backtest: simple-backtest ==="
    # -1.1209 of 1000 is -0.11 %.
    assert "-0.11%" in lines[1]
    labels = [line.partition(":")[0] for line in lines[1:10]]
    assert labels == [
        "Total Return",
        "CAGR",
        "Sharpe",
        "Sortino",
        "Calmar",
        "Max Drawdown",
        "Trades",
        "Profit Factor",
        "Fees",
    ]
    assert "4 (Win Rate: 100.00%)" in result.summary()
    assert lines[9].endswith("$0.02")


def test_signature_and_defaults() -> None:
    import inspect

    parameters = inspect.signature(hz.backtest).parameters
    wanted = {
        "name": "backtest",
        "data": None,
        "feeds": None,
        "risk": None,
        "params": None,
        "paper_fee_rate": 0.001,
        "paper_maker_fee_rate": None,
        "paper_taker_fee_rate": None,
        "initial_capital": 1000.0,
        "outcomes": None,
        "book_data": None,
        "fill_model": "deterministic",
        "fill_model_params": None,
        "impact_temporary_bps": 0.0,
        "impact_permanent_fraction": 0.0,
        "latency_ms": 0.0,
        "rng_seed": None,
    }
    assert {name: parameters[name].default for name in wanted} == wanted
    # By place they come in the documents' order.
    assert list(parameters)[:17] == [
        "name",
        "markets",
        "data",
        "feeds",
        "pipeline",
        "risk",
        "params",
        "paper_fee_rate",
        "paper_maker_fee_rate",
        "paper_taker_fee_rate",
        "initial_capital",
        "outcomes",
        "book_data",
        "fill_model",
        "fill_model_params",
        "impact_temporary_bps",
        "impact_permanent_fraction",
    ]
    assert backtest is hz.backtest


def walk(n: int, seed: int = 42, start: float = 0.50) -> list[dict[str, Any]]:
    steps = np.random.default_rng(seed).normal(0.0, 0.01, n)
    prices = np.clip(start + np.cumsum(steps), 0.01, 0.99).round(4)
    return [{"timestamp": 1_700_000_000 + i, "price": p} for i, p in enumerate(prices.tolist())]


def reverting(ctx: Any) -> float:
    return 0.50


def cautious(ctx: Any, fair: float) -> Any:
    if abs(fair - ctx.feed.price) < 0.03:
        return None
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)


def test_the_basic_example_prints_a_summary() -> None:
    result = hz.backtest(
        name="mean-reversion",
        markets=["test-market"],
        data=walk(1000),
        pipeline=[reverting, cautious],
        initial_capital=1000.0,
        paper_fee_rate=0.002,
    )

    assert result.metrics.total_trades > 10
    # No quote is sent within three cents of a half, so every fill's order lay beyond.
    by_id = result.orders_frame()
    for fill in result.fills:
        mid = by_id.price[fill.order_id] + (0.02 if fill.order_side.value == "buy" else -0.02)
        assert abs(0.50 - mid) >= 0.03 - 1e-12
    assert result.summary().startswith("=== Backtest: mean-reversion ===")


def test_every_metric_of_the_documents_is_there() -> None:
    result = hz.backtest(markets=["m"], data=walk(500), pipeline=[reverting, cautious])
    m = result.metrics
    text = (
        f"${m.total_return:.2f} {m.total_return_pct:.2%} {m.cagr:.2%} {m.sharpe_ratio:.3f} "
        f"{m.sortino_ratio:.3f} {m.calmar_ratio:.3f} ${m.max_drawdown:.2f} "
        f"{m.max_drawdown_pct:.2%} {m.max_drawdown_duration_secs:.0f}s {m.total_trades} "
        f"{m.win_rate:.1f}% {m.profit_factor:.2f} ${m.expectancy:.4f} ${m.avg_win:.4f} "
        f"${m.avg_loss:.4f} ${m.largest_win:.4f} ${m.largest_loss:.4f} ${m.total_fees:.4f}"
    )
    assert "nan" not in text
    assert m.brier_score is None
    assert isinstance(m.total_trades, int)
    assert m.avg_edge is not None  # the model gives a fair value
    curve = result.equity_curve
    assert all(isinstance(t, float) and isinstance(v, float) for t, v in curve[:5])
    for fill in result.trades[:5]:
        assert f"{fill.side} {fill.order_side} {fill.size} @ {fill.price}"
    assert list(result.pnl_by_market()) == ["m"]


def test_a_second_feed_as_a_signal() -> None:
    def cross_market(ctx: Any) -> float:
        return 0.75 if ctx.feeds["exchange"].price > 0.60 else 0.35

    def quoter(ctx: Any, fair: float) -> Any:
        edge = fair - ctx.feed.price
        if abs(edge) > 0.05:
            return hz.quotes(ctx.feed.price, spread=0.04, size=20)
        return None

    times = range(1_700_000_000, 1_700_000_500)
    data = {
        "poll": [
            {"timestamp": t, "price": 0.50 + (t % 10) * 0.02, "bid": 0.49, "ask": 0.53}
            for t in times
        ],
        "exchange": [{"timestamp": t, "price": 0.55 + (t % 20) * 0.01} for t in times],
    }
    # Rows whose price lies outside of their quotes are taken, as the documents have them.
    result = hz.backtest(
        name="cross-market",
        markets=["btc-above-100k"],
        data=data,
        feeds={"btc-above-100k": "poll"},
        pipeline=[cross_market, quoter],
        initial_capital=5000.0,
    )

    assert result.metrics.total_trades > 50
    for market, pnl in result.pnl_by_market().items():
        assert market == "btc-above-100k"
        assert math.isfinite(pnl)


def test_a_frame_in_and_two_files_out(tmp_path: Path) -> None:
    source = tmp_path / "historical_prices.csv"
    pd.DataFrame(walk(300, seed=3)).to_csv(source, index=False)
    df = pd.read_csv(source)

    def momentum(ctx: Any) -> float:
        return ctx.feed.price * 1.01

    def quoter(ctx: Any, fair: float) -> Any:
        if fair > ctx.feed.ask:
            return hz.quotes(ctx.feed.ask, spread=0.04, size=5)
        return None

    result = hz.backtest(
        name="momentum-df", markets=["my-market"], data=df, pipeline=[momentum, quoter]
    )
    equity_file, trades_file = tmp_path / "equity_curve.csv", tmp_path / "trade_log.csv"
    result.to_csv(str(equity_file), what="equity")
    result.to_csv(str(trades_file), what="trades")

    equity, trades = pd.read_csv(equity_file), pd.read_csv(trades_file)
    curve = result.equity_curve
    assert equity.iloc[:, 0].tolist() == [t for t, _ in curve]
    assert equity.iloc[:, 1].tolist() == [v for _, v in curve]
    assert len(trades) == len(result.trades) > 5
    assert trades["price"].tolist() == [f.price for f in result.trades]

    same = hz.backtest(
        name="momentum-df", markets=["my-market"], data=source, pipeline=[momentum, quoter]
    )
    assert same.equity_curve == curve


def test_a_brier_score_with_an_outcome() -> None:
    def probability(ctx: Any) -> float:
        return 0.65

    def quoter(ctx: Any, fair: float) -> Any:
        if fair > ctx.feed.price + 0.03:
            return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        return None

    data = [
        {"timestamp": t, "price": 0.55 + (t % 5) * 0.01}
        for t in range(1_700_000_000, 1_700_000_200)
    ]
    result = hz.backtest(
        name="calibration-test",
        markets=["will-it-rain"],
        data=data,
        pipeline=[probability, quoter],
        outcomes={"will-it-rain": 1.0},
    )

    m = result.metrics
    assert m.total_trades > 0
    prices = [f.price for f in result.fills]
    # Against 1.0, one term for each fill, buys and sells alike.
    assert m.brier_score == pytest.approx(np.mean([(p - 1.0) ** 2 for p in prices]), abs=1e-12)
    edges = [(0.65 - f.price) * f.order_side.sign for f in result.fills]
    assert m.avg_edge == pytest.approx(np.mean(edges), abs=1e-12)
    assert f"{m.brier_score:.4f} {m.avg_edge:.4f}"
    assert result.positions == []


def test_risk_limits_as_they_are_live() -> None:
    risk = RiskConfig(
        max_position_per_market=100.0,
        max_order_size=20.0,
        max_portfolio_notional=5000.0,
        max_daily_drawdown_pct=10.0,
    )
    data = [
        {"timestamp": t, "price": 0.50 + (t % 10) * 0.005}
        for t in range(1_700_000_000, 1_700_001_000)
    ]
    result = hz.backtest(
        name="risk-limited",
        markets=["test-market"],
        data=data,
        pipeline=[lambda ctx: 0.60, lambda ctx, fair: hz.quotes(ctx.feed.price, 0.04, size=50)],
        risk=risk,
        initial_capital=2000.0,
    )

    # Fifty are more than twenty: both legs of every row are refused.
    assert result.trades == []
    assert result.rejections == {"max_order_size": 2000}
    assert "Trades:" in result.summary()

    smaller = hz.backtest(
        markets=["test-market"],
        data=data,
        pipeline=[lambda ctx: hz.quotes(ctx.feed.price, 0.04, size=20)],
        risk=risk,
        initial_capital=2000.0,
    )
    held = 0.0
    for fill in smaller.trades:
        held += fill.size * fill.order_side.sign
        assert abs(held) <= 100.0 + 1e-9
    assert smaller.trades


BOOK_DATA = {
    "election": [
        {
            "timestamp": 1_700_000_000,
            "bids": [(0.54, 100), (0.53, 200), (0.52, 500)],
            "asks": [(0.56, 100), (0.57, 200), (0.58, 500)],
        },
        {
            "timestamp": 1_700_000_001,
            "bids": [(0.55, 150), (0.54, 250)],
            "asks": [(0.57, 150), (0.58, 250)],
        },
    ],
}
TICKS = [
    {"timestamp": 1_700_000_000, "price": 0.55, "bid": 0.54, "ask": 0.56, "volume": 100},
    {"timestamp": 1_700_000_001, "price": 0.56, "bid": 0.55, "ask": 0.57, "volume": 150},
    {"timestamp": 1_700_000_002, "price": 0.54, "bid": 0.53, "ask": 0.55, "volume": 80},
]


def taker(ctx: Any) -> Any:
    if ctx.timestamp == 1_700_000_000:
        return [hz.OrderRequest(ctx.market_id, Side.Yes, hz.OrderSide.Buy, 150.0, 0.57)]
    return None


@pytest.mark.parametrize(
    "how",
    [
        {"fill_model": "deterministic"},
        {"fill_model": "probabilistic", "fill_model_params": {"lambda": 1.0, "queue_frac": 0.5}},
        {"fill_model": "glft", "fill_model_params": {"intensity": 1.0, "kappa": 1.5}},
        {"impact_temporary_bps": 0.1, "impact_permanent_fraction": 0.3},
        {"rng_seed": 42},
    ],
    ids=str,
)
def test_books_with_each_option(how: dict[str, Any]) -> None:
    result = hz.backtest(
        markets=["election"], data=TICKS, pipeline=[taker], book_data=BOOK_DATA, **how
    )

    # A hundred at 0.56 and fifty at 0.57, at once; impact adds 100 x 0.1 / 10 000 = 0.001 to the
    # second level, which is then beyond the limit, so that fifty rest.
    first, *rest = result.fills
    assert (first.size, first.price, first.timestamp) == (100.0, 0.56, 1_700_000_000.0)
    if "impact_temporary_bps" in how:
        assert not [f for f in rest if f.timestamp == 1_700_000_000.0]
    else:
        assert (rest[0].size, rest[0].price) == (50.0, 0.57)


def test_books_with_latency() -> None:
    result = hz.backtest(
        markets=["election"], data=TICKS, pipeline=[taker], book_data=BOOK_DATA, latency_ms=50.0
    )

    assert [(f.timestamp, f.size, f.price) for f in result.fills] == [
        (1_700_000_000.05, 100.0, 0.56),
        (1_700_000_000.05, 50.0, 0.57),
    ]


def test_a_tearsheet_of_a_run_and_of_its_curve() -> None:
    result = hz.backtest(markets=["m"], data=walk(500), pipeline=[reverting, cautious])
    for sheet in (
        result.tearsheet(),
        generate_tearsheet(
            equity_curve=result.equity_curve, trades=result.fills, initial_capital=1000.0
        ),
    ):
        assert list(sheet.monthly_returns) == ["2023-11"]
        assert len(sheet.drawdowns) <= 5
        for value in (sheet.avg_win, sheet.avg_loss, sheet.largest_win, sheet.largest_loss):
            assert math.isfinite(value)
        assert sheet.win_streak >= 0
        assert sheet.loss_streak >= 0
        assert isinstance(sheet.tail_ratio, float)
        assert isinstance(sheet.time_of_day, dict)
        assert isinstance(sheet.rolling_sharpe, list)
        assert isinstance(sheet.rolling_sortino, list)
    assert result.tearsheet().avg_win == result.metrics.avg_win


ACTIVE: dict[str, Any] = {}


def test_an_algorithm_inside_a_pipeline() -> None:
    ACTIVE.clear()

    def model(ctx: Any) -> float:
        return 0.62

    def manager(ctx: Any, fair: float) -> None:
        engine = ctx.params["engine"]
        algo = ACTIVE.get("algo")
        if algo is None or algo.is_complete:
            held = next((p for p in engine.positions() if p.market_id == ctx.market_id), None)
            size = held.size if held else 0.0
            if size < 100.0:
                algo = TWAP(engine, duration_secs=120, num_slices=6)
                algo.start(
                    hz.OrderRequest(
                        market_id=ctx.market_id,
                        side=Side.Yes,
                        order_side=hz.OrderSide.Buy,
                        price=fair,
                        size=100.0 - size,
                    )
                )
                ACTIVE["algo"] = algo
        if algo is not None and not algo.is_complete:
            algo.on_tick(ctx.feed.price, ctx.timestamp)

    result = hz.backtest(
        name="twap-accumulator",
        markets=["election"],
        data={"poll": walk(600, seed=5, start=0.55)},
        feeds={"election": "poll"},
        pipeline=[model, manager],
    )

    bought = sum(f.size for f in result.fills)
    assert bought == pytest.approx(100.0, abs=1e-9)
    assert all(f.order_side is hz.OrderSide.Buy for f in result.fills)
