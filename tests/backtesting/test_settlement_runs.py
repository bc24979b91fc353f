"""Outcomes and resolutions: when a market settles, what for, and how forecasts are scored."""

from __future__ import annotations

from typing import Any

import pytest

import horizon as hz
from tests.backtesting.scenes import (
    Timetable,
    book,
    buy,
    buy_no,
    equity,
    fills,
    long,
    orders,
    play,
    sell,
    ticks,
)


# ---------------------------------------------------------------------------- settlement
def test_without_an_outcome_positions_are_marked() -> None:
    result = play({0.0: [buy(10, 0.50)]}, ticks(0.50, 0.50, 0.70))

    assert result.metrics.total_return == pytest.approx(2.0, abs=1e-12)
    assert result.metrics.brier_score is None
    assert len(result.positions) == 1
    assert result.settlements == []


@pytest.mark.parametrize("outcome,gain", [(1.0, 5.0), (0.0, -5.0), (0.5, 0.0)])
def test_a_market_settles_at_its_outcome_after_the_last_row(outcome: float, gain: float) -> None:
    result = play({0.0: [buy(10, 0.50)]}, ticks(0.50, 0.50, 0.70), outcomes={"m": outcome})

    # The last row marks ten at 0.70: 1002. The settlement follows as a point of its own.
    assert result.equity_curve == [
        (0.0, 1000.0),
        (1.0, 1000.0),
        (2.0, pytest.approx(1002.0, abs=1e-12)),
        (2.0, pytest.approx(1000.0 + gain, abs=1e-12)),
    ]
    assert result.pnl_by_market() == {"m": pytest.approx(gain, abs=1e-12)}
    assert result.positions == []
    # Settling is free, and no fill.
    assert result.metrics.total_fees == 0.0
    assert result.metrics.total_trades == 1


def test_no_settles_at_one_less_the_outcome() -> None:
    table = {0.0: [buy_no(10, 0.60), buy(5, 0.40)]}
    result = play(table, ticks(0.40, 0.40), outcomes={"m": 0.0})

    # NO pays 1.00 for 0.60, YES nothing for 0.40: 4.00 - 2.00.
    assert result.metrics.total_return == pytest.approx(2.0, abs=1e-12)
    rows = [(row.market_id, row.quantity, row.price) for row in result.settlements]
    assert sorted(rows) == [
        ("m", 5.0, 0.0),
        ("m:no", 10.0, 1.0),
    ]


def test_a_settlement_is_a_closing_of_its_own() -> None:
    table = {0.0: [buy(10, 0.50)]}
    result = play(table, ticks(0.50, 0.50), outcomes={"m": 1.0}, paper_fee_rate=0.01)

    # 10 x (1 - 0.50) less the opening fee of 0.05.
    assert result.metrics.win_rate == 100.0
    assert result.metrics.expectancy == pytest.approx(4.95, abs=1e-12)
    assert result.metrics.total_return == pytest.approx(4.95, abs=1e-12)


def test_orders_of_a_settled_market_are_cancelled() -> None:
    result = play({0.0: [buy(10, 0.30)]}, ticks(0.50, 0.50), outcomes={"m": 1.0})

    assert [row[-1] for row in orders(result)] == ["canceled"]


def test_a_resolution_within_the_run_ends_the_market_there() -> None:
    data = ticks(0.50, 0.50, 0.60, 0.20, 0.10)
    stage = Timetable({0.0: [buy(10, 0.50)], 2.0: [buy(10, 0.60), sell(10, 0.55)]})
    result = play(stage, data, outcomes={"m": 1.0}, resolutions={"m": 2.0})

    # Row 2 is played in full, and then the market settles at once: what row 2 sent never
    # fills, and the pipeline does not run again.
    assert stage.calls == [(0.0, "m"), (1.0, "m"), (2.0, "m")]
    assert fills(result) == [(1.0, "buy", 10.0, 0.50)]
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1001.0, 1005.0, 1005.0], abs=1e-12)
    (row,) = result.settlements
    assert (row.market_id, row.quantity, row.price, row.timestamp) == ("m", 10.0, 1.0, 2.0)
    assert row.realized_pnl == pytest.approx(5.0, abs=1e-12)


def test_a_resolution_between_rows_settles_there() -> None:
    result = play(
        {0.0: [buy(10, 0.50)]},
        ticks(0.50, 0.50, 0.60),
        outcomes={"m": 1.0},
        resolutions={"m": 1.5},
    )

    (row,) = result.settlements
    assert row.timestamp == 1.5
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1005.0], abs=1e-12)


def test_a_resolution_after_the_last_row_is_not_reached() -> None:
    result = play(
        {0.0: [buy(10, 0.50)]},
        ticks(0.50, 0.50, 0.70),
        outcomes={"m": 0.0},
        resolutions={"m": 2.5},
    )

    # Marked at 0.70; and what nobody knows yet scores nothing.
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1002.0], abs=1e-12)
    assert result.metrics.brier_score is None
    assert result.metrics.model_brier_score is None
    assert result.outcomes == {}


def test_a_market_resolved_before_the_first_row_is_over() -> None:
    data = {"a": ticks(0.50, 0.50, start=10.0), "b": ticks(0.30, 0.30, start=10.0)}
    stage = Timetable({10.0: [buy(1, market="x"), buy(1, market="y")]})
    result = play(
        stage,
        data,
        markets=["x", "y"],
        feeds={"x": "a", "y": "b"},
        outcomes={"x": 1.0},
        resolutions={"x": 5.0},
    )

    assert stage.calls == [(10.0, "y"), (11.0, "y")]
    assert [f.market_id for f in result.fills] == ["y"]
    assert result.rejections == {"settled": 1}


def test_other_markets_go_on_after_a_settlement() -> None:
    data = {"a": ticks(0.50, 0.50, 0.50, 0.50), "b": ticks(0.30, 0.30, 0.30, 0.30)}
    table = {
        ("x", 0.0): [buy(10, 0.50, "x")],
        ("y", 0.0): [buy(10, 0.30, "y")],
        ("y", 2.0): [buy(5, 0.30, "y"), buy(5, 0.50, "x")],
    }
    result = play(
        table,
        data,
        markets=["x", "y"],
        feeds={"x": "a", "y": "b"},
        outcomes={"x": 0.0, "y": 1.0},
        resolutions={"x": 1.0},
    )

    assert [(f.market_id, f.timestamp) for f in result.fills] == [
        ("x", 1.0),
        ("y", 1.0),
        ("y", 3.0),
    ]
    assert result.rejections == {"settled": 1}
    # x loses 5.00; y wins 15 x 0.70 = 10.50 at the last row.
    wanted = {"x": pytest.approx(-5.0, abs=1e-12), "y": pytest.approx(10.5, abs=1e-12)}
    assert result.pnl_by_market() == wanted


def test_the_default_resolution_is_the_last_row_of_the_whole_data() -> None:
    # x's own feed ends at 1, the data at 3.
    data = {"a": ticks(0.50, 0.50), "b": ticks(*[0.30] * 4)}
    result = play(
        {("x", 0.0): [buy(10, 0.50, "x")]},
        data,
        markets=["x", "y"],
        feeds={"x": "a", "y": "b"},
        outcomes={"x": 1.0},
    )

    assert [row.timestamp for row in result.settlements] == [3.0]


def test_an_order_on_its_way_ends_with_its_market() -> None:
    result = play(
        {1.0: [buy(10)]},
        ticks(*[0.50] * 6),
        outcomes={"m": 1.0},
        resolutions={"m": 2.0},
        latency_ms=2500,
    )

    assert fills(result) == []
    assert [row[-1] for row in orders(result)] == ["canceled"]


def test_a_book_is_settled_with_what_the_last_row_took() -> None:
    # The last row buys 5 at 0.50 from the book; the market then resolves YES.
    books = [book(0.0, [(0.48, 9.0)], [(0.50, 9.0)]), book(1.0, [(0.48, 9.0)], [(0.50, 9.0)])]
    result = play({1.0: [buy(5)]}, None, book_data={"m": books}, outcomes={"m": 1.0})

    assert fills(result) == [(1.0, "buy", 5.0, 0.50)]
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1002.5], abs=1e-12)


def test_anything_may_settle_at_the_price_it_is_worth() -> None:
    result = play(
        {0.0: [long(2, 100.0)]}, ticks(100.0, 99.0, 98.0), markets=["S"], outcomes={"S": 110.0}
    )

    assert result.metrics.total_return == pytest.approx(20.0, abs=1e-12)


# ---------------------------------------------------------------------------- scores
def constant(fair: float, table: dict[float, Any]) -> list[Any]:
    """A model of one opinion, and a timetable behind it."""
    timetable = Timetable(table)

    def model(ctx: Any) -> float:
        return fair

    def trade(ctx: Any, opinion: float) -> Any:
        return timetable(ctx)

    return [model, trade]


def scored(pipeline: list[Any], data: Any, **how: Any) -> Any:
    return hz.backtest(
        markets=["m"], data=data, pipeline=pipeline, paper_fee_rate=0.0, **how
    ).metrics


def test_scores_of_fills_against_the_outcome() -> None:
    table = {0.0: [buy(10, 0.60), buy_no(20, 0.45)], 1.0: [sell(5, 0.70)]}
    metrics = scored(constant(0.65, table), ticks(0.60, 0.60, 0.70), outcomes={"m": 1.0})

    # Fills, as prices of YES: bought at 0.60; NO at 0.45 is YES sold at 0.55; sold at 0.70.
    # Brier: (0.40^2 + 0.45^2 + 0.30^2) / 3 = (0.16 + 0.2025 + 0.09) / 3.
    assert metrics.total_trades == 3
    assert metrics.brier_score == pytest.approx(0.4525 / 3, abs=1e-12)
    # The model says 0.65 each time: 0.35^2.
    assert metrics.model_brier_score == pytest.approx(0.1225, abs=1e-12)
    # Edge: 0.65 - 0.60; NO is worth 0.35 and was paid 0.45; sold at 0.70 what is worth 0.65.
    assert metrics.avg_edge == pytest.approx((0.05 - 0.10 + 0.05) / 3, abs=1e-12)


def test_edge_needs_no_outcome_and_brier_no_model() -> None:
    table = {0.0: [buy(10, 0.60)]}
    metrics = scored(constant(0.65, table), ticks(0.60, 0.60))
    assert (metrics.brier_score, metrics.model_brier_score) == (None, None)
    assert metrics.avg_edge == pytest.approx(0.05, abs=1e-12)

    metrics = scored([Timetable(table)], ticks(0.60, 0.60), outcomes={"m": 1.0})
    assert metrics.brier_score == pytest.approx(0.16, abs=1e-12)
    assert (metrics.model_brier_score, metrics.avg_edge) == (None, None)


def test_without_a_model_the_middle_of_the_quote_is_the_fair_value() -> None:
    def stage(ctx: Any) -> Any:
        return [hz.Quote(0.50, 0.60, 10)] if ctx.timestamp == 0 else None

    metrics = scored([stage], ticks(0.56, 0.49), outcomes={"m": 0.0})

    # Bought at 0.50 what it held to be worth 0.55: edge 0.05, Brier of the model 0.55^2.
    assert metrics.total_trades == 1
    assert metrics.avg_edge == pytest.approx(0.05, abs=1e-12)
    assert metrics.model_brier_score == pytest.approx(0.3025, abs=1e-12)


def test_the_last_float_of_the_run_that_sent_the_order_is_the_fair_value() -> None:
    # The bid of 0.40 is kept from row 0 on and fills at row 3. Row 2 kept it, thinking 0.52.
    opinions = {0.0: 0.50, 1.0: 0.51, 2.0: 0.52, 3.0: 0.53}

    def first(ctx: Any) -> float:
        return 0.99

    def second(ctx: Any, other: float) -> float:
        return opinions[ctx.timestamp]

    def quoter(ctx: Any, fair: float) -> Any:
        return [hz.Quote(0.40, 0.60, 10)]

    metrics = scored([first, second, quoter], ticks(0.50, 0.50, 0.50, 0.39))

    assert metrics.total_trades == 1
    assert metrics.avg_edge == pytest.approx(0.52 - 0.40, abs=1e-12)


def test_calibration_of_prices_and_of_the_model() -> None:
    table = {0.0: [buy(10, 0.60)]}
    result = hz.backtest(
        markets=["m"],
        data=ticks(0.60, 0.60),
        pipeline=constant(0.75, table),
        outcomes={"m": 1.0},
        paper_fee_rate=0.0,
    )

    assert result.calibration().brier_score == pytest.approx(0.16, abs=1e-12)
    assert result.calibration(of="model").brier_score == pytest.approx(0.0625, abs=1e-12)
