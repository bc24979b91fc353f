"""Which rows run which market's pipeline, in what order, and what it sees of the other feeds."""

from __future__ import annotations

import math
from typing import Any

import pytest

import horizon as hz
from tests.backtesting.scenes import Timetable, book, buy, equity, fills, play, ticks


def seen(ctx: Any) -> tuple[float, str, float]:
    return ctx.timestamp, ctx.market_id, ctx.feed.price


# ---------------------------------------------------------------------------- which feed
def test_a_market_runs_on_the_rows_of_its_own_feed() -> None:
    data = {
        "poll": ticks(0.30, 0.31, start=0.0, step=2.0),
        "spot": ticks(70.0, 71.0, 72.0, start=1.0, step=1.0),
    }
    stage = Timetable(watch=seen)
    play(stage, data, markets=["rain"], feeds={"rain": "poll"})

    assert stage.seen == [(0.0, "rain", 0.30), (2.0, "rain", 0.31)]


def test_run_on_any_runs_it_on_the_rows_of_every_feed() -> None:
    data = {
        "poll": ticks(0.30, 0.31, start=1.0, step=2.0),
        "spot": ticks(70.0, 71.0, 72.0, start=0.0, step=1.0),
    }
    stage = Timetable(watch=lambda ctx: (*seen(ctx), ctx.feeds["spot"].price))
    play(stage, data, markets=["rain"], feeds={"rain": "poll"}, run_on="any")

    # At 0 the market has had no price yet. From then on at each time of any feed, once.
    assert stage.seen == [
        (1.0, "rain", 0.30, 71.0),
        (2.0, "rain", 0.30, 72.0),
        (3.0, "rain", 0.31, 72.0),
    ]


def test_a_row_of_another_feed_fills_nothing_here() -> None:
    data = {
        "poll": ticks(0.50, 0.50, start=0.0, step=3.0),
        "spot": ticks(0.10, 0.10, start=1.0, step=1.0),
    }
    result = play(
        {0.0: [buy(10, 0.50, "rain")]},
        data,
        markets=["rain"],
        feeds={"rain": "poll"},
        run_on="any",
    )

    assert fills(result) == [(3.0, "buy", 10.0, 0.50)]


def test_rows_of_one_time_are_all_applied_before_a_pipeline_runs() -> None:
    data = {"a": ticks(0.10, 0.11), "b": ticks(0.20, 0.21)}
    stage = Timetable(watch=lambda ctx: (*seen(ctx), ctx.feeds["a"].price, ctx.feeds["b"].price))
    result = play(stage, data, markets=["x", "y"], feeds={"x": "a", "y": "b"})

    assert stage.seen == [
        (0.0, "x", 0.10, 0.10, 0.20),
        (0.0, "y", 0.20, 0.10, 0.20),
        (1.0, "x", 0.11, 0.11, 0.21),
        (1.0, "y", 0.21, 0.11, 0.21),
    ]
    assert result.equity_curve == [(0.0, 1000.0), (1.0, 1000.0)]


def test_markets_run_in_their_own_order_whatever_the_feeds_are() -> None:
    data = {"b": ticks(0.20), "a": ticks(0.10)}
    stage = Timetable()
    play(stage, data, markets=["z", "x"], feeds={"z": "a", "x": "b"})

    assert stage.calls == [(0.0, "z"), (0.0, "x")]


def test_fills_of_one_step_go_in_the_order_of_markets() -> None:
    data = {"b": ticks(0.50, 0.50), "a": ticks(0.50, 0.50)}
    table = {(name, 0.0): [buy(1, 0.50, name)] for name in "xyz"}
    feeds = {"x": "a", "y": "b", "z": "a"}
    result = play(table, data, markets=["x", "y", "z"], feeds=feeds)

    assert [fill.market_id for fill in result.fills] == ["x", "y", "z"]


def test_two_markets_may_share_one_feed() -> None:
    stage = Timetable(watch=seen)
    play(stage, {"f": ticks(0.10)}, markets=["x", "y"], feeds={"x": "f", "y": "f"})

    assert stage.seen == [(0.0, "x", 0.10), (0.0, "y", 0.10)]


def test_a_lone_feed_serves_every_market_that_has_none() -> None:
    stage = Timetable(watch=seen)
    play(stage, ticks(0.10, 0.11), markets=["x", "y"])
    assert stage.seen == [(0.0, "x", 0.1), (0.0, "y", 0.1), (1.0, "x", 0.11), (1.0, "y", 0.11)]

    stage = Timetable(watch=seen)
    play(stage, {"only": ticks(0.10)}, markets=["x", "y"], feeds={"x": "only"})
    assert stage.seen == [(0.0, "x", 0.1), (0.0, "y", 0.1)]


def test_flat_data_with_a_market_column_is_split_by_it() -> None:
    data = [
        {"timestamp": 0.0, "market_id": "x", "price": 0.10},
        {"timestamp": 0.0, "market_id": "y", "price": 0.20},
        {"timestamp": 1.0, "market_id": "y", "price": 0.21},
        {"timestamp": 2.0, "market_id": "x", "price": 0.11},
    ]
    stage = Timetable(watch=lambda ctx: (*seen(ctx), sorted(ctx.feeds)))
    result = play(stage, data, markets=None)

    both = ["x", "y"]
    assert stage.seen == [
        (0.0, "x", 0.10, both),
        (0.0, "y", 0.20, both),
        (1.0, "y", 0.21, both),
        (2.0, "x", 0.11, both),
    ]
    assert list(result.pnl_by_market()) == both


def test_without_a_market_there_is_one_called_market() -> None:
    stage = Timetable()
    result = play(stage, ticks(0.5), markets=None)

    assert stage.calls == [(0.0, "market")]
    assert result.pnl_by_market() == {"market": 0.0}


def test_without_markets_those_of_the_books_are_taken() -> None:
    books = {"u": [book(0.0, [(0.4, 1)], [(0.6, 1)])], "v": [book(1.0, [(0.4, 1)], [(0.6, 1)])]}
    stage = Timetable()
    play(stage, None, markets=None, book_data=books)

    assert stage.calls == [(0.0, "u"), (1.0, "v")]


def test_a_feed_without_a_row_yet_is_stale_and_has_no_prices() -> None:
    data = {"a": ticks(0.10, 0.11), "late": ticks(5.0, start=1.0)}
    stage = Timetable(watch=lambda ctx: ctx.feeds["late"])
    play(stage, data, markets=["x"], feeds={"x": "a"})

    before, after = stage.seen
    assert before.is_stale
    assert all(math.isnan(value) for value in (before.price, before.bid, before.ask))
    assert not after.is_stale
    assert (after.price, after.timestamp) == (5.0, 1.0)


def test_a_feed_keeps_its_last_row_until_it_has_another() -> None:
    data = {"a": ticks(0.10, 0.11, 0.12), "b": ticks(7.0, 8.0, step=2.0)}
    stage = Timetable(watch=lambda ctx: (ctx.feeds["b"].price, ctx.feeds["b"].timestamp))
    play(stage, data, markets=["x"], feeds={"x": "a"})

    assert stage.seen == [(7.0, 0.0), (7.0, 0.0), (8.0, 2.0)]


# ---------------------------------------------------------------------------- equal times
def test_further_rows_of_one_time_follow_one_by_one() -> None:
    data = [{"timestamp": 0.0, "price": p} for p in (0.50, 0.48, 0.47)]
    prices: list[float] = []

    def stage(ctx: Any) -> Any:
        prices.append(ctx.feed.price)
        return [buy(10, 0.48)] if len(prices) == 1 else None

    result = play(stage, data)

    assert prices == [0.50, 0.48, 0.47]
    # The second row is the next row of the first, though at its time.
    assert fills(result) == [(0.0, "buy", 10.0, 0.48)]
    assert equity(result) == pytest.approx([1000.0, 1000.0, 999.9], abs=1e-12)
    assert [time for time, _ in result.equity_curve] == [0.0, 0.0, 0.0]


def test_ties_of_several_feeds_pair_up_row_by_row() -> None:
    data = {
        "a": [{"timestamp": 0.0, "price": p} for p in (0.10, 0.11)],
        "b": [{"timestamp": 0.0, "price": p} for p in (0.20, 0.21, 0.22)],
    }
    stage = Timetable(watch=lambda ctx: (ctx.market_id, ctx.feeds["a"].price, ctx.feeds["b"].price))
    play(stage, data, markets=["x", "y"], feeds={"x": "a", "y": "b"})

    # First rows together, then second rows together, then b's third alone.
    assert stage.seen == [
        ("x", 0.10, 0.20),
        ("y", 0.10, 0.20),
        ("x", 0.11, 0.21),
        ("y", 0.11, 0.21),
        ("y", 0.11, 0.22),
    ]


# ---------------------------------------------------------------------------- quotes of a row
def test_a_row_without_quotes_has_both_at_its_price() -> None:
    stage = Timetable(watch=lambda ctx: (ctx.feed.bid, ctx.feed.ask))
    play(stage, ticks(0.50, 0.52))

    assert stage.seen == [(0.50, 0.50), (0.52, 0.52)]


def test_an_empty_quote_is_no_quote_on_that_side() -> None:
    nan = math.nan
    data = ticks(0.50, 0.50, 0.50, bid=[0.49, nan, nan], ask=[0.51, 0.51, nan])
    stage = Timetable(watch=lambda ctx: (ctx.feed.bid, ctx.feed.ask))
    play(stage, data)

    assert stage.seen[0] == (0.49, 0.51)
    assert math.isnan(stage.seen[1][0])
    assert stage.seen[1][1] == 0.51
    assert stage.seen[2] == (0.50, 0.50)


def test_a_row_without_a_price_has_it_from_the_middle_of_its_quotes() -> None:
    data = ticks(0.50, None, bid=[0.48, 0.40], ask=[0.52, 0.44])
    stage = Timetable({0.0: [buy(10, 0.42)]}, watch=lambda ctx: ctx.feed.price)
    result = play(stage, data)

    # 0.40 / 2 + 0.44 / 2 = 0.42, where the bid at 0.42 is reached.
    assert stage.seen == [0.50, pytest.approx(0.42, abs=1e-15)]
    assert fills(result) == [(1.0, "buy", 10.0, 0.42)]


def test_a_row_with_neither_price_nor_both_quotes_only_updates_quotes() -> None:
    data = ticks(0.50, None, 0.47, bid=[0.48, None, 0.46], ask=[0.52, 0.44, 0.48])
    stage = Timetable(
        {0.0: [buy(10, 0.50), buy(5)]}, watch=lambda ctx: (ctx.feed.price, ctx.feed.ask)
    )
    result = play(stage, data)

    # Row 1 has no price to match or mark at: the last one stands, and orders wait for row 2.
    assert stage.seen == [(0.50, 0.52), (0.50, 0.44), (0.47, 0.48)]
    assert fills(result) == [(2.0, "buy", 10.0, 0.50), (2.0, "buy", 5.0, 0.47)]
    assert equity(result) == pytest.approx([1000.0, 1000.0, 1000.0 - 0.30], abs=1e-12)


def test_further_columns_are_part_of_the_row() -> None:
    data = ticks(0.50, volume=[7], bid_size=[3], ask_size=[4], bid=[0.49], ask=[0.51])
    stage = Timetable(watch=lambda ctx: ctx.feed)
    play(stage, data)

    row = stage.seen[0]
    assert (row.volume, row.bid_size, row.ask_size) == (7.0, 3.0, 4.0)
    assert (row.timestamp, row.price, row.bid, row.ask) == (0.0, 0.50, 0.49, 0.51)
    with pytest.raises(AttributeError):
        row.price = 0.9


def test_a_bar_shows_its_parts() -> None:
    data = [{"timestamp": 1.0, "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0}]
    stage = Timetable(watch=lambda ctx: ctx.feed)
    play(stage, data, markets=["S"])

    row = stage.seen[0]
    assert (row.open, row.high, row.low, row.price) == (10.0, 12.0, 9.0, 11.0)


# ---------------------------------------------------------------------------- market orders wait
def test_a_market_order_waits_for_a_row_of_its_own_market() -> None:
    data = {"a": ticks(0.50, 0.51, 0.52, 0.53), "b": ticks(0.20, 0.23, step=3.0)}
    table = {("x", 0.0): [buy(5, market="y"), buy(7, market="x")]}
    result = play(table, data, markets=["x", "y"], feeds={"x": "a", "y": "b"})

    assert [(f.market_id, f.timestamp, f.price) for f in result.fills] == [
        ("x", 1.0, 0.51),
        ("y", 3.0, 0.23),
    ]


def test_several_markets_share_one_account() -> None:
    data = {"a": ticks(0.50, 0.50), "b": ticks(0.20, 0.20)}
    table = {("x", 0.0): [buy(1800, 0.50, "x")], ("y", 0.0): [buy(600, 0.20, "y")]}
    result = play(table, data, markets=["x", "y"], feeds={"x": "a", "y": "b"})

    # 900 of the 1000 are reserved in x; 120 more are not there.
    assert [f.market_id for f in result.fills] == ["x"]
    assert result.rejections == {"buying power": 1}


def test_time_may_be_datetimes_or_text() -> None:
    for times in (
        ["2024-03-04T12:00:00Z", "2024-03-04T12:00:01Z"],
        [1709553600, 1709553601],
    ):
        stage = Timetable(watch=lambda ctx: ctx.timestamp)
        data = [{"timestamp": time, "price": 0.5} for time in times]
        result = play(stage, data)
        assert stage.seen == [1709553600.0, 1709553601.0]
        assert [time for time, _ in result.equity_curve] == [1709553600.0, 1709553601.0]


def test_chunks_are_the_same_run_as_the_whole() -> None:
    rows = ticks(*[0.50 + 0.01 * math.sin(n) for n in range(50)])

    def chunks() -> Any:
        for n in range(0, 50, 7):
            yield rows[n : n + 7]

    def stage(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, 0.006, 5)

    whole, parts = play(stage, rows), play(stage, chunks)
    assert len(whole.fills) > 10
    assert fills(parts) == fills(whole)
    assert parts.equity_curve == whole.equity_curve
