"""Rows that say that their feed has been lost."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import OrderRequest, OrderSide, Side

NAN = float("nan")


def row(time: float, price: float | None, is_stale: bool = False, **more: Any) -> dict[str, Any]:
    return {"timestamp": time, "price": price, "is_stale": is_stale, **more}


def quoter(ctx: Any) -> Any:
    return hz.quotes(ctx.feed.price, spread=0.10, size=10)


LOST = [row(0.0, 0.50), row(1.0, None, True), row(2.0, 0.40), row(3.0, 0.30)]


def test_quotes_are_pulled_and_come_back() -> None:
    run = hz.backtest(data=LOST, pipeline=[quoter], paper_fee_rate=0.0)
    # The bid at 0.45 is gone when the price comes to 0.40; that of 0.35 fills at 3.
    assert [(fill.timestamp, round(fill.price, 9)) for fill in run.fills] == [(3.0, 0.35)]
    kept = [r | {"price": 0.5} if r["is_stale"] else r for r in LOST]
    alike = hz.backtest(data=[r | {"is_stale": False} for r in kept], pipeline=[quoter])
    filled = [(fill.timestamp, round(fill.price, 9)) for fill in alike.fills]
    assert filled == [(2.0, 0.45), (3.0, 0.35)]


@pytest.mark.parametrize("interval", [None, 0.5])
def test_pipelines_rest_meanwhile(interval: float | None) -> None:
    seen = []

    def stage(ctx: Any) -> None:
        seen.append((ctx.timestamp, ctx.feed.is_stale))

    hz.backtest(data=LOST, pipeline=[stage], interval=interval)
    times = [0.0, 2.0, 3.0] if interval is None else [0.0, 0.5, 2.0, 2.5, 3.0]
    assert seen == [(time, False) for time in times]


def test_another_market_sees_that_the_feed_is_lost_and_its_last_price() -> None:
    seen = []

    def stage(ctx: Any) -> Any:
        if ctx.market_id == "b":
            other = ctx.feeds["a"]
            seen.append((other.is_stale, other.price, other.timestamp))
        return quoter(ctx)

    data = {
        "a": [row(0.0, 0.5), row(1.0, None, True), row(4.0, 0.6)],
        "b": [row(0.5, 0.2), row(1.5, 0.2), row(4.5, 0.2)],
    }
    run = hz.backtest(data=data, pipeline=[stage])
    assert seen == [(False, 0.5, 0.0), (True, 0.5, 1.0), (False, 0.6, 4.0)]
    orders = run.orders_frame()
    ended = orders[orders["status"] == "canceled"]
    assert set(ended["market_id"]) == {"a"}
    assert {time.timestamp() for time in ended["ended"]} == {1.0}


def test_a_feed_is_lost_until_a_row_has_a_price() -> None:
    # One-sided quotes after the loss: the last price is that of before it, and nothing to go by.
    seen = []

    def stage(ctx: Any) -> Any:
        seen.append((ctx.timestamp, ctx.feed.price))
        return quoter(ctx)

    data = [
        row(0.0, 0.50),
        row(1.0, None, True),
        row(2.0, None, bid=0.08),
        row(3.0, None),
        row(4.0, 0.10),
    ]
    run = hz.backtest(data=data, pipeline=[stage])
    assert seen == [(0.0, 0.50), (4.0, 0.10)]
    assert not run.fills


def test_others_see_the_quotes_of_a_feed_that_is_lost_still() -> None:
    seen = []

    def stage(ctx: Any) -> None:
        if ctx.market_id == "b":
            seen.append((ctx.feeds["a"].is_stale, ctx.feeds["a"].price, ctx.feeds["a"].bid))

    data = {
        "a": [row(0.0, 0.5), row(1.0, None, True), row(2.0, None, bid=0.08)],
        "b": [row(2.5, 0.2)],
    }
    hz.backtest(data=data, pipeline=[stage])
    assert seen == [(True, 0.5, 0.08)]


def test_orders_that_are_no_quotes_stay() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            return OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 5, 0.45)
        return None

    run = hz.backtest(data=LOST, pipeline=[stage])
    assert [fill.timestamp for fill in run.fills] == [2.0]


@pytest.mark.parametrize("with_books", [False, True], ids=["rows", "books"])
def test_an_algorithm_sends_no_slice_into_a_market_that_is_lost(with_books: bool) -> None:
    started = []

    def stage(ctx: Any) -> None:
        if not started:
            started.append(ctx.exchange().twap(ctx.market, 40, duration_secs=8, num_slices=4))

    data = [row(0.0, 0.5), row(1.0, 0.5), row(3.5, None, True), row(5.0, 0.5), row(7.5, 0.5)]
    more: dict[str, Any] = {}
    if with_books:
        level = {"bids": [(0.49, 1000)], "asks": [(0.5, 1000)]}
        more["book_data"] = {"market": [{"timestamp": 0.0, **level}]}
    run = hz.backtest(data=data, pipeline=[stage], initial_capital=10_000, **more)
    # Its clock begins at 1, so slices are due at 1, 3, 5 and 7: the second comes with the third.
    sent = [time.timestamp() for time in run.orders_frame()["submitted"]]
    assert sent == [1.0, 5.0, 5.0, 7.5]


def test_a_lost_feed_marks_positions_at_the_last_price() -> None:
    def stage(ctx: Any) -> Any:
        return OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 10)

    data = [row(0.0, 0.5), row(1.0, 0.5), row(2.0, None, True)]
    run = hz.backtest(data=data, pipeline=[stage], paper_fee_rate=0.0)
    assert run.equity_curve == [(0.0, 1000.0), (1.0, 1000.0), (2.0, 1000.0)]


def test_a_book_that_empties_with_its_feed_fills_nothing() -> None:
    def stage(ctx: Any) -> Any:
        return OrderRequest("a", Side.Yes, OrderSide.Buy, 5) if ctx.timestamp == 1.5 else None

    full = {"bids": [(0.49, 100)], "asks": [(0.51, 100)]}
    books = {
        "a": [{"timestamp": 0.0, **full}, {"timestamp": 1.0, "bids": [], "asks": []}],
        "b": [{"timestamp": 1.5, **full}],
    }
    data = {"a": [row(0.0, 0.5), row(1.0, None, True)], "b": [row(1.5, 0.5)]}
    run = hz.backtest(data=data, book_data=books, pipeline=[stage])
    assert not run.fills
    assert run.rejections == {"no price": 1}


FORMS = {
    "records": lambda flags: [
        {"timestamp": t, "price": p, "is_stale": f}
        for t, p, f in zip((0, 1, 2), (0.5, None, 0.4), flags, strict=True)
    ],
    "arrays": lambda flags: {
        "timestamp": [0, 1, 2],
        "price": np.array([0.5, NAN, 0.4]),
        "is_stale": np.array(flags),
    },
    "frame": lambda flags: pd.DataFrame(
        {"timestamp": [0, 1, 2], "price": [0.5, NAN, 0.4], "is_stale": flags}
    ),
}


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize(
    "flags", [[False, True, False], [0, 1, 0], [0.0, 1.0, 0.0]], ids=["bool", "int", "float"]
)
def test_the_column_is_read_in_any_form(form: str, flags: list[Any]) -> None:
    run = hz.backtest(data=FORMS[form](flags), pipeline=[quoter])
    assert not run.fills
    assert (run.orders_frame()["status"] == "canceled").sum() == 2


@pytest.mark.parametrize("flag", ["yes", 2, [1], -1.0], ids=["text", "two", "list", "minus"])
def test_a_flag_that_is_none_is_refused(flag: Any) -> None:
    with pytest.raises(hz.DataError, match=r"is_stale must be true or false .* was"):
        hz.backtest(data=[row(0.0, 0.5), row(1.0, None, flag)], pipeline=[quoter])


@pytest.mark.parametrize("name", ["price", "bid", "ask"])
def test_a_lost_row_brings_nothing(name: str) -> None:
    wrong = {"timestamp": 1.0, "price": None, "is_stale": True, name: 0.25}
    with pytest.raises(hz.DataError, match=f"must have no {name}, has 0.25") as caught:
        hz.backtest(data=[row(0.0, 0.5), wrong], pipeline=[quoter])
    assert caught.value.row == 1
    run = hz.backtest(
        data=[row(0.0, 0.5), wrong, row(2.0, 0.5)], pipeline=[quoter], bad_rows="drop"
    )
    assert run.dropped == {"data": {"stale": 1}}


def test_a_replay_passes_a_lost_row_over() -> None:
    feed = hz.feeds.Replay(LOST)
    assert [one.timestamp_ns for one in feed] == [0, 2_000_000_000, 3_000_000_000]
    assert feed.dropped == {}
    assert feed.losses == (("market", 1_000_000_000),)


def test_a_lookahead_check_leaves_the_flags_alone() -> None:
    data = [row(float(t), None if t == 5 else 0.5 + 0.01 * (t % 3), t == 5) for t in range(12)]
    assert hz.check_lookahead(data, pipeline=[quoter]).ok
