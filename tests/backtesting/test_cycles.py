"""Pipelines that run in cycles of their own times, rather than at each row."""

from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon import OrderRequest, OrderSide, Side


def rows(*pairs: tuple[float, float], **more: Any) -> list[dict[str, Any]]:
    return [{"timestamp": t, "price": p, **more} for t, p in pairs]


def seen_by(data: Any, **run: Any) -> list[tuple[str, float, float]]:
    seen: list[tuple[str, float, float]] = []

    def note(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.timestamp, ctx.feed.price))

    hz.backtest(data=data, pipeline=[note], **run)
    return seen


def test_a_cycle_comes_after_the_rows_of_its_time_and_before_later_ones() -> None:
    data = rows((100.0, 0.1), (100.4, 0.2), (101.0, 0.3), (101.0, 0.4), (101.7, 0.5), (103.0, 0.6))
    assert seen_by(data, interval=1.0) == [
        ("market", 100.0, 0.1),
        ("market", 101.0, 0.4),
        ("market", 102.0, 0.5),
        ("market", 103.0, 0.6),
    ]


def test_cycles_begin_with_the_first_row_and_end_with_the_last() -> None:
    assert seen_by(rows((7.3, 0.1), (7.9, 0.2)), interval=0.5) == [
        ("market", 7.3, 0.1),
        ("market", 7.8, 0.1),
    ]


def test_each_market_waits_for_its_first_price() -> None:
    data = {"a": rows((0.0, 0.1), (3.0, 0.2)), "b": rows((1.5, 0.7))}
    assert seen_by(data, interval=1.0) == [
        ("a", 0.0, 0.1),
        ("a", 1.0, 0.1),
        ("a", 2.0, 0.1),
        ("b", 2.0, 0.7),
        ("a", 3.0, 0.2),
        ("b", 3.0, 0.7),
    ]


def buy_once(price: float | None = None) -> Any:
    sent: list[float] = []

    def stage(ctx: Any) -> Any:
        if sent or ctx.timestamp < 1.0:
            return None
        sent.append(ctx.timestamp)
        return OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 10, price)

    return stage


def test_what_a_cycle_sends_meets_the_next_row_and_no_earlier_one() -> None:
    data = rows((0.0, 0.50), (1.0, 0.60), (1.2, 0.40), (1.4, 0.55))
    run = hz.backtest(data=data, pipeline=[buy_once()], interval=1.0, paper_fee_rate=0.0)
    (fill,) = run.fills
    assert (fill.timestamp, fill.price) == (1.2, 0.40)
    (order,) = run.orders_frame().itertuples()
    assert order.submitted.timestamp() == 1.0


def test_latency_counts_from_the_cycle() -> None:
    data = rows((0.0, 0.50), (1.1, 0.60), (1.2, 0.40), (1.4, 0.55))
    run = hz.backtest(
        data=data, pipeline=[buy_once()], interval=1.0, latency_ms=150, paper_fee_rate=0.0
    )
    (fill,) = run.fills  # sent at 1.0 and there at 1.15
    assert (fill.timestamp, fill.price) == (1.2, 0.40)


def test_a_market_that_has_ended_has_no_more_cycles() -> None:
    data = {"a": rows((0.0, 0.1), (4.0, 0.2)), "b": rows((0.0, 0.5), (4.0, 0.5))}
    seen = seen_by(data, interval=1.0, outcomes={"a": 1.0}, resolutions={"a": 2.0})
    # It ends at 2, after the rows of that time and before the cycle.
    assert [time for market, time, _ in seen if market == "a"] == [0.0, 1.0]
    assert [time for market, time, _ in seen if market == "b"] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_warm_up_runs_cycles_and_sends_nothing() -> None:
    data = rows(*((float(t), 0.5) for t in range(6)))
    times: list[float] = []

    def stage(ctx: Any) -> Any:
        times.append(ctx.timestamp)
        return OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 1)

    run = hz.backtest(data=data, pipeline=[stage], interval=2.0, trade_from=3.0)
    assert times == [0.0, 2.0, 4.0]
    assert [fill.timestamp for fill in run.fills] == [5.0]
    assert run.equity_curve[0][0] == 3.0


def test_books_of_other_times_and_cycles_come_in_order() -> None:
    books = [
        {"timestamp": t, "bids": [(p - 0.01, 100)], "asks": [(p + 0.01, 100)]}
        for t, p in ((0.0, 0.40), (1.5, 0.50), (2.5, 0.60))
    ]
    seen: list[tuple[float, float]] = []

    def note(ctx: Any) -> None:
        seen.append((ctx.timestamp, round(ctx.book.best_ask, 9)))

    hz.backtest(
        data=rows((0.0, 0.4), (3.0, 0.6)),
        book_data={"market": books},
        pipeline=[note],
        interval=1.0,
    )
    assert seen == [(0.0, 0.41), (1.0, 0.41), (2.0, 0.51), (3.0, 0.61)]


def test_an_interval_that_rows_keep_is_a_run_on_rows() -> None:
    prices = [0.5, 0.48, 0.52, 0.47, 0.55, 0.5, 0.49]
    data = rows(*((float(t), p) for t, p in enumerate(prices)))

    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=0.02, size=10)

    by_row = hz.backtest(data=data, pipeline=[quoter])
    by_cycle = hz.backtest(data=data, pipeline=[quoter], interval=1.0)
    assert by_row.fills  # else there is nothing to compare
    assert by_cycle.fills == by_row.fills
    assert by_cycle.equity_curve == by_row.equity_curve


def test_cycles_are_passed_over_while_all_feeds_are_lost() -> None:
    # Half a second for thirty years would be two thousand million cycles.
    years = 30 * 365 * 86_400.0
    data = [
        {"timestamp": 0.0, "price": 0.5},
        {"timestamp": 1.2, "price": None, "is_stale": True},
        {"timestamp": years + 0.2, "price": 0.4},
        {"timestamp": years + 0.9, "price": 0.4},
    ]
    assert seen_by(data, interval=0.5) == [
        ("market", 0.0, 0.5),
        ("market", 0.5, 0.5),
        ("market", 1.0, 0.5),
        ("market", years + 0.5, 0.4),
    ]
    at = [0.0, 5.0, 6.0, years + 0.2]
    assert [time for _, time, _ in seen_by(data, cycles=at)] == [0.0, years + 0.2]


def test_cycles_may_have_times_of_their_own() -> None:
    data = rows((1.0, 0.1), (2.0, 0.2), (3.0, 0.3), (4.0, 0.4))
    at = [0.5, 1.0, 2.5, 2.75, 4.0, 9.0]  # before the first row nothing happens, nor after the last
    assert seen_by(data, cycles=at) == [
        ("market", 1.0, 0.1),
        ("market", 2.5, 0.2),
        ("market", 2.75, 0.2),
        ("market", 4.0, 0.4),
    ]
    stamps = np.array([1_000_000_000, 2_500_000_000], dtype="datetime64[ns]")
    assert seen_by(data, cycles=stamps) == [("market", 1.0, 0.1), ("market", 2.5, 0.2)]


@pytest.mark.parametrize(
    ("cycles", "why"),
    [
        ([], "cycles must have at least one time"),
        ([1.0, 1.0], r"cycles must rise, and cycles\[1\]"),
        ([2.0, 1.0], r"cycles must rise, and cycles\[1\]"),
        ([1.0, None], r"cycles\[1\] must be a time, was None"),
        (1.0, "cycles must be a list or an array of times, was 1.0"),
        ("now", "cycles must be a list or an array of times"),
    ],
    ids=range(6),
)
def test_wrong_cycles_are_refused(cycles: Any, why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=why):
        hz.backtest(data=rows((0.0, 0.5)), pipeline=[lambda ctx: None], cycles=cycles)


def test_cycles_and_interval_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="cycles and interval exclude each other"):
        hz.backtest(data=rows((0.0, 0.5)), pipeline=[lambda ctx: None], cycles=[0.0], interval=1.0)


@pytest.mark.parametrize("interval", [0, -1.0, float("nan"), "1", True, 1e-12])
def test_a_wrong_interval_is_refused(interval: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="interval"):
        hz.backtest(data=rows((0.0, 0.5)), pipeline=[lambda ctx: None], interval=interval)
