"""Tests put end to end, by hand."""

from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.analytics import holdings, trades
from horizon.analytics.curves import Curve
from horizon.analytics.sampling import Sampling
from horizon.walkforward.chain import chained_curve, chained_metrics, joined_table
from tests.walkforward.worked import NS, ticks_of

EACH = Sampling("points", 100.0)


def curve(start: int, *equity: float) -> Curve:
    times = (start + np.arange(len(equity))) * NS
    return Curve(times.astype(np.int64), np.array(equity))


def test_equity_is_compounded() -> None:
    # +10 %, then −20 %, then +50 %: 1000, 1100, 880, 1320.
    curves = [curve(0, 1000, 1100), curve(10, 1000, 900, 800), curve(20, 1000, 1500)]
    chained = chained_curve(curves, 1000.0)
    assert chained.times_ns.tolist() == [at * NS for at in (0, 1, 10, 11, 12, 20, 21)]
    assert chained.equity.tolist() == pytest.approx(
        [1000, 1100, 1100, 990, 880, 880, 1320], rel=1e-15
    )
    assert chained.equity[1] == chained.equity[2]  # nothing is between, to the last digit
    assert curves[1].equity.tolist() == [1000, 900, 800]  # the runs' own are left alone


def test_what_is_lost_cannot_grow_again() -> None:
    chained = chained_curve([curve(0, 1000, -50), curve(10, 1000, 2000)], 1000.0)
    assert chained.equity.tolist() == [1000, -50, -50, -50]


# ------------------------------------------------------------------------ fills
def run(prices: list[float], orders: dict[int, float], start: float, **more: Any) -> Any:
    """A run that sends market orders at rows by their number; they fill at the next row."""
    rows: list[int] = []
    side = hz.Side.Yes if prices[0] < 1.0 else hz.Side.Long

    def send(ctx: Any) -> Any:
        rows.append(1)
        size = orders.get(len(rows) - 1)
        if size is None:
            return None
        way = hz.OrderSide.Buy if size > 0 else hz.OrderSide.Sell
        return [hz.OrderRequest(ctx.market_id, side, way, abs(size))]

    return hz.backtest(
        data=ticks_of(prices, start=start), pipeline=[send], paper_fee_rate=0.0, **more
    )


def test_a_run_closes_nothing_that_another_has_opened() -> None:
    # First: buy 1 at 11, hold. Second: sell 1 at 21 (opens a short), buy it back at 19: +2.
    first = run([10, 11, 12], {0: 1.0}, 0.0)
    second = run([20, 21, 19, 19], {0: -1.0, 1: 1.0}, 10.0)
    tables = [one.tearsheet().fills for one in (first, second)]
    table = joined_table(tables, [2 * NS, 13 * NS])
    closed = trades.closings(table)
    assert closed.pnl.tolist() == [2.0]
    assert closed.is_long.tolist() == [False]
    stats = trades.trade_stats(table)
    assert (stats.total_trades, stats.closings, stats.round_trips) == (3, 1, 1)
    assert stats.traded_notional == 11 + 21 + 19
    # What the first still held is at stake until it ends (1 to 2 s), not until the second's end.
    shown = holdings.exposure(table)
    assert shown.times_ns.tolist() == [1 * NS, 2 * NS, 11 * NS, 12 * NS]
    assert shown.gross.tolist() == [11.0, 0.0, 21.0, 0.0]
    assert holdings.time_in_market(table, 0, 13 * NS) == pytest.approx(2 / 13)
    assert trades.pnl_by_market(table) == {"market": 2.0}


def test_what_is_open_at_the_end_is_no_round_trip_in_any_place() -> None:
    open_run = run([10, 11, 12], {0: 1.0}, 0.0)
    whole_run = run([20, 21, 19, 19], {0: 1.0, 1: -1.0}, 10.0)
    for first, second in ((open_run, whole_run), (whole_run, open_run)):
        tables = [one.tearsheet().fills for one in (first, second)]
        # One after the other, whatever their times.
        table = joined_table(tables, [2 * NS, 13 * NS])
        assert table.steps.trip_ends.tolist().count(-1) == 1
        trips = trades.round_trips(table)
        assert trips.pnl.tolist() == [-2.0]
        assert (trips.opened_ns.tolist(), trips.closed_ns.tolist()) == ([11 * NS], [12 * NS])


def test_metrics_of_a_chain_add_up() -> None:
    first = run([10, 11, 12, 13], {0: 1.0, 2: -1.0}, 0.0)  # 11 to 13: +2
    second = run([20, 21, 20, 18], {0: 2.0, 1: -2.0}, 10.0)  # 2 × (21 to 20): −2
    curve = chained_curve([first.curve, second.curve], 1000.0)
    metrics, table, fair = chained_metrics([first, second], curve, EACH)
    # 1000 → 1002 → 1002 × 998/1000 = 999.996.
    assert metrics.final_equity == pytest.approx(999.996, rel=1e-15)
    assert metrics.total_return_pct == pytest.approx(-0.000004, abs=1e-15)
    assert (metrics.total_trades, metrics.closing_count) == (4, 2)
    assert (metrics.win_rate, metrics.profit_factor) == (50.0, 1.0)
    assert metrics.traded_notional == 11 + 13 + 42 + 40
    assert metrics.periods_per_year == 100.0
    assert len(fair) == 4
    assert len(table) == 4


def test_one_run_is_a_chain_of_itself() -> None:
    only = run([10, 11, 12, 13, 12], {0: 1.0, 2: -1.0, 3: 1.0}, 0.0, periods_per_year=100.0)
    metrics, _, _ = chained_metrics([only], chained_curve([only.curve], 1000.0), only.sampling)
    ours = {name: getattr(metrics, name) for name in metrics.__dataclass_fields__}
    whole = {name: getattr(only.metrics, name) for name in metrics.__dataclass_fields__}
    assert ours == whole


def test_forecasts_are_weighted_by_the_fills_that_are_scored() -> None:
    # Resolved at 1: fills at 0.4 and 0.6 give (0.36 + 0.16) / 2; the other run is not resolved.
    first = run([0.5, 0.5], {0: 1.0}, 0.0)
    second = run([0.4, 0.4, 0.6], {0: 1.0, 1: 1.0}, 10.0, outcomes={"market": 1.0})
    assert first.metrics.brier_score is None
    chain = chained_curve([first.curve, second.curve], 1000.0)
    metrics, _, _ = chained_metrics([first, second], chain, EACH)
    assert metrics.brier_score == pytest.approx(0.26, abs=1e-15)
    assert metrics.model_brier_score is None
    third = run([0.2, 0.2], {0: 1.0}, 20.0, outcomes={"market": 0.0})  # 0.04
    chain = chained_curve([second.curve, third.curve], 1000.0)
    metrics, _, _ = chained_metrics([second, third], chain, EACH)
    assert metrics.brier_score == pytest.approx((0.36 + 0.16 + 0.04) / 3, abs=1e-15)


def test_no_tables_are_an_empty_one() -> None:
    assert len(joined_table([], [])) == 0
