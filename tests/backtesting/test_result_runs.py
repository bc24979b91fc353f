"""Results of whole runs: what they say is what the run did."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics import fill_table, generate_tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.instruments import Market, Prediction
from horizon.types import OrderSide, Side
from tests.backtesting.scenes import book, buy, buy_no, long, play, sell, ticks
from tests.backtesting.test_result_files import same

FEE = 0.002


def two_markets(seed: int = 1, rows: int = 120, **how: Any) -> BacktestResult:
    """Random orders in YES and NO of a prediction and in a stock; the prediction resolves."""
    rng = np.random.default_rng(seed)
    rain = np.clip(0.5 + np.cumsum(rng.normal(0.0, 0.02, rows)), 0.1, 0.9).round(2)
    acme = 50.0 + np.cumsum(rng.normal(0.0, 0.5, rows)).round(2)
    data = {"rain": ticks(*rain.tolist()), "ACME": ticks(*acme.tolist())}

    def fair(ctx: Any) -> float:
        return (
            float(np.clip(ctx.feed.price + 0.05, 0.01, 0.99)) if ctx.market_id == "rain" else 50.0
        )

    def trade(ctx: Any, value: float) -> Any:
        if rng.random() < 0.6:
            return None
        sign = [OrderSide.Buy, OrderSide.Sell][rng.integers(2)]
        side = [Side.Yes, Side.No][rng.integers(2)] if ctx.market_id == "rain" else Side.Long
        price = ctx.feed.price if side is not Side.No else 1.0 - ctx.feed.price
        limit = None if rng.random() < 0.3 else round(price * rng.uniform(0.97, 1.03), 2)
        return [hz.OrderRequest(ctx.market_id, side, sign, float(rng.integers(1, 5)), limit)]

    how = {"outcomes": {"rain": 1.0}, "paper_fee_rate": FEE, "initial_capital": 5000.0, **how}
    return hz.backtest(
        name="two markets",
        markets=[Market("rain", Prediction), "ACME"],
        data=data,
        feeds={"rain": "rain", "ACME": "ACME"},
        pipeline=[fair, trade],
        **how,
    )


# ------------------------------------------------------------------------ books
@pytest.mark.parametrize("seed", range(5))
def test_profits_by_market_and_what_is_open_are_the_total_return(seed: int) -> None:
    result = two_markets(seed)
    assert len(result.fills) > 20
    assert list(result.pnl_by_market()) == ["rain", "ACME"]
    open_ = sum(position.unrealized_pnl for position in result.positions)
    gross = sum(fill.size * fill.price for fill in result.fills)
    assert sum(result.pnl_by_market().values()) + open_ == pytest.approx(
        result.metrics.total_return, abs=1e-12 * (5000.0 + gross)
    )
    assert result.tearsheet().pnl_by_market == pytest.approx(result.pnl_by_market(), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_last_equity_is_that_of_fills_and_settlements_alone(seed: int) -> None:
    result = two_markets(seed)
    cash, held = 5000.0, defaultdict(float)
    for fill in result.fills:
        sign = fill.order_side.sign
        cash -= sign * fill.size * fill.price + fill.fee
        held[fill.market_id, fill.side] += sign * fill.size
        assert fill.fee == pytest.approx(fill.size * fill.price * FEE, rel=1e-12)
    for settled in result.settlements:
        side = Side.No if settled.market_id.endswith(":no") else Side.Yes
        assert held.pop(("rain", side)) == pytest.approx(settled.quantity, abs=1e-12)
        assert settled.price == (0.0 if side is Side.No else 1.0)
        cash += settled.quantity * settled.price
    # What did not settle was flat, but for the stock.
    assert all(abs(size) < 1e-12 for (market, _), size in held.items() if market == "rain")
    last = result.record.replayed.data.numbers["price"][-1]
    worth = held["ACME", Side.Long] * last
    assert result.equity.iloc[-1] == pytest.approx(cash + worth, abs=1e-9)


def test_metrics_are_those_of_the_lists_read_by_anybody() -> None:
    result = two_markets()
    table = fill_table(result.fills, result.settlements)
    again = hz.analytics.metrics_of(
        result.equity_curve,
        table,
        outcomes=result.outcomes,
        fair_values=result.fills_frame()["fair_value"].to_numpy(),
    )
    own = result.metrics
    for row in own.rows():
        assert getattr(again, row.name) == pytest.approx(row.value, rel=1e-9), row.name


def test_forecasts_are_those_of_the_pipeline() -> None:
    result = two_markets()
    frame = result.fills_frame()
    rain = frame[frame["market_id"] == "rain"]
    is_no = rain["side"] == "no"
    price = rain["price"].where(~is_no, 1.0 - rain["price"])
    is_buy = (rain["order_side"] == "buy") != is_no
    m = result.metrics
    assert m.brier_score == pytest.approx(((price - 1.0) ** 2).mean(), rel=1e-12)
    assert m.model_brier_score == pytest.approx(((rain["fair_value"] - 1.0) ** 2).mean(), rel=1e-12)
    edge = (rain["fair_value"] - price).where(is_buy, price - rain["fair_value"])
    acme = frame[frame["market_id"] == "ACME"]
    other = (50.0 - acme["price"]).where(acme["order_side"] == "buy", acme["price"] - 50.0)
    assert m.avg_edge == pytest.approx(pd.concat([edge, other]).mean(), rel=1e-9)
    assert result.calibration().brier_score == pytest.approx(m.brier_score, rel=1e-12)
    assert result.calibration("model").count == len(rain)


def test_an_outcome_beyond_the_data_is_marked_and_said() -> None:
    result = two_markets(resolutions={"rain": 1e6})
    assert result.settlements == []
    assert result.outcomes == {}
    assert result.metrics.brier_score is None
    assert result.metrics.avg_edge is not None
    assert any("The outcome of rain was not reached" in caution for caution in result.cautions)


# ------------------------------------------------------------------------ document 002
def test_the_calls_of_the_document(tmp_path: Path) -> None:
    result = two_markets()
    m = result.metrics
    text = (
        f"{m.total_return:.2f} {m.total_return_pct:.2%} {m.cagr:.2%} {m.sharpe_ratio:.3f} "
        f"{m.sortino_ratio:.3f} {m.calmar_ratio:.3f} {m.max_drawdown:.2f} "
        f"{m.max_drawdown_pct:.2%} {m.max_drawdown_duration_secs:.0f}s {m.total_trades} "
        f"{m.win_rate:.1f}% {m.profit_factor:.2f} {m.expectancy:.4f} {m.avg_win:.4f} "
        f"{m.avg_loss:.4f} {m.largest_win:.4f} {m.largest_loss:.4f} {m.total_fees:.4f} "
        f"{m.brier_score:.4f} {m.avg_edge:.4f}"
    )
    assert "nan" not in text
    for market, realized in result.pnl_by_market().items():
        assert f"{market}: ${realized:.2f}"
    for ts, equity in result.equity_curve[:5]:
        assert f"t={ts}: ${equity:.2f}"
    for fill in result.trades[:5]:
        assert f"{fill.side} {fill.order_side} {fill.size} @ {fill.price}"
    result.to_csv(tmp_path / "equity.csv", what="equity")
    result.to_csv(tmp_path / "trades.csv", what="trades")
    assert result.summary().startswith("=== Backtest: two markets ===\nTotal Return:     ")
    assert len(result.tearsheet().drawdowns) <= 5
    sheet = generate_tearsheet(
        equity_curve=result.equity_curve, trades=result.fills, initial_capital=5000.0
    )
    assert sheet.metrics.total_return == m.total_return


def test_a_run_without_trades_has_numbers_for_everything() -> None:
    result = play({}, ticks(0.5, 0.5, 0.6))
    for row in result.metrics.rows():
        assert row.value == 0.0 or row.name in (
            "initial_equity",
            "final_equity",
            "highest_equity",
            "lowest_equity",
            "years",
            "return_count",
            "periods_per_year",
            "probabilistic_sharpe_ratio",
            "minimum_track_record",
        ), row
    assert "! No order was sent." in result.summary()
    assert result.fills_frame().empty
    assert "<svg" in result._repr_html_()


def test_a_run_that_loses_everything_has_numbers_for_everything() -> None:
    # Sold short at 10, which costs all there is at 150.
    run = play(
        {0.0: [hz.OrderRequest("S", Side.Long, OrderSide.Sell, 10.0)]},
        ticks(10.0, 10.0, 150.0, 260.0),
        markets=["S"],
        initial_capital=1000.0,
    )
    assert run.equity.iloc[-1] == pytest.approx(1000.0 + 100.0 - 2600.0)
    assert all(not math.isnan(row.value) for row in run.metrics.rows())
    assert any("below 0" in caution for caution in run.cautions)


# ------------------------------------------------------------------------ kinds of runs
def test_orders_and_fills_belong_together() -> None:
    result = two_markets()
    orders, fills = result.orders_frame(), result.fills_frame()
    by_order = fills.groupby("order_id")
    filled = by_order["size"].sum().reindex(orders.index).fillna(0.0)
    pd.testing.assert_series_equal(filled, orders["filled"], check_names=False)
    paid = (fills["size"] * fills["price"]).groupby(fills["order_id"]).sum()
    average = (paid / by_order["size"].sum()).reindex(orders.index)
    np.testing.assert_allclose(average, orders["average_price"], rtol=1e-12)
    assert set(orders["market_id"]) == {"rain", "ACME"}
    # A sale of a stock that would be short of more than there is money for is refused.
    assert result.rejections.get("buying power", 0) == (orders["status"] == "rejected").sum()


def test_a_run_with_books_has_the_same_result() -> None:
    books = [book(float(n), [(0.48, 10.0)], [(0.50, 5.0), (0.51, 9.0)]) for n in range(5)]
    run = play(
        {0.0: [buy(8)], 1.0: [buy_no(2, 0.52)], 2.0: [sell(3, 0.48)]},
        book_data={"m": books},
        outcomes={"m": 0.0},
        paper_fee_rate=FEE,
    )
    assert [(f.size, f.price, f.is_maker) for f in run.fills] == [
        (5.0, 0.50, False),
        (3.0, 0.51, False),
        (2.0, 0.52, False),
        (3.0, 0.48, False),
    ]
    # Bought 8 for 4.03 and 2 of NO for 1.04, sold 3 for 1.44; NO pays 2.
    fees = (4.03 + 1.04 + 1.44) * FEE
    assert run.metrics.total_return == pytest.approx(-4.03 - 1.04 + 1.44 + 2.0 - fees, abs=1e-12)
    assert run.pnl_by_market() == pytest.approx({"m": run.metrics.total_return}, abs=1e-12)


def test_dropped_rows_and_passed_over_exceptions_are_said() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 3.0:
            raise ZeroDivisionError("no spread")

    run = play(
        stage,
        ticks(0.5, 0.5, math.inf, 0.6),
        bad_rows="drop",
        on_error="skip",
    )
    assert run.dropped == {"data": {"price": 1}}
    assert run.errors == {"stage": 1}
    assert any("1 bad row left out of the data (data, price: 1)." in one for one in run.cautions)
    assert any("1 exception in the pipeline passed over (stage: 1)" in one for one in run.cautions)


@pytest.mark.parametrize("kind", ["prices", "books", "chunks", "nothing"])
def test_every_kind_of_run_comes_back_from_a_file(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run: Any
    if kind == "prices":
        run = two_markets(latency_ms=500.0, risk=hz.RiskConfig(max_order_size=3.0))
    elif kind == "books":
        books = [book(float(n), [(0.48, 10.0)], [(0.50, 5.0)]) for n in range(5)]
        run = play(
            {0.0: [buy(8)], 2.0: [sell(3, 0.55)]},
            book_data={"m": books},
            fill_model="glft",
            fill_model_params={"intensity": 2.0},
            impact_temporary_bps=1.0,
            outcomes={"m": 1.0},
        )
    elif kind == "chunks":
        run = play({0.0: [long(2)]}, lambda: iter([ticks(10.0, 11.0)]), markets=["S"])
    else:
        run = play({}, ticks(0.5))
    again = hz.load_result(run.save(tmp_path / "run"))
    for name in ("quantities", "prices", "submitted_ns", "ended_ns", "statuses", "reasons"):
        assert same(getattr(run.record.orders, name), getattr(again.record.orders, name)), name
    assert again.fills == run.fills
    assert again.orders_frame().equals(run.orders_frame())
    assert again.fills_frame().equals(run.fills_frame())
    assert again.equity.equals(run.equity)
    assert again.metrics == run.metrics
    assert again.config == run.config
    assert again.positions == run.positions
    assert again.settlements == run.settlements
    assert again.rejections == run.rejections
    assert again.summary() == run.summary()
    assert again._repr_html_() == run._repr_html_()


def test_runs_are_compared() -> None:
    cheap, dear = two_markets(paper_fee_rate=0.0), two_markets(paper_fee_rate=0.01)
    both = cheap.compare(dear, names=["no fee", "1 %"])
    assert both.frame.loc["total_fees", "no fee"] == 0.0
    assert both.differences.loc["total_return", "1 %"] < 0.0
    assert both.arguments.loc["paper_fee_rate"].tolist() == [0.0, 0.01]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for name in ("a", "b"):
        two_markets().save(tmp_path / name)
    for file in sorted(each.name for each in (tmp_path / "a").iterdir()):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_run_says_that_its_market_orders_have_paid_no_spread() -> None:
    quotes = [{"timestamp": t, "price": 0.5, "bid": 0.48, "ask": 0.52} for t in range(3)]
    plain = [{"timestamp": t, "price": 0.5} for t in range(3)]

    def stage(ctx: Any) -> Any:
        return buy(1.0, market=ctx.market_id)

    def said(data: Any, **how: Any) -> bool:
        run = hz.backtest(data=data, pipeline=[stage], **how)
        assert run.fills
        return any("filled at the price, between bid and ask" in one for one in run.record.remarks)

    assert said(quotes)
    assert not said(quotes, matching="quotes")
    assert not said(quotes, slippage_bps=400)
    assert not said(plain)
