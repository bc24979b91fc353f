"""Why an order filled or did not, row by row, in runs without books."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.backtesting.explain import Explanation
from horizon.backtesting.result import BacktestResult
from horizon.errors import OrderError
from horizon.instruments import Market, Perp, Prediction
from tests.backtesting.made import whole_run
from tests.backtesting.scenes import (
    bars,
    buy,
    buy_no,
    long,
    play,
    sell,
    sell_no,
    short,
    ticks,
)


def states(explanation: Explanation) -> list[str]:
    return list(explanation.rows["state"])


def told(explanation: Explanation) -> list[str]:
    """The lines about rows, with one blank between their parts."""
    _, _, body = explanation.words.partition("\n\n")
    return [re.sub(" {2,}", " | ", line) for line in body.splitlines()]


# ------------------------------------------------------------------------ limits
def test_a_limit_is_met_by_every_row_after_the_one_it_was_sent_on() -> None:
    data = ticks(0.50, 0.45, 0.42, 0.40, 0.38)
    found = play({0.0: [buy(10, 0.40)]}, data).explain("p1")
    rows = found.rows
    assert states(found) == ["sent", "not reached", "not reached", "filled"]
    assert rows["row"].tolist() == [0, 1, 2, 3]
    assert rows["price"].tolist() == rows["meets"].tolist() == [0.50, 0.45, 0.42, 0.40]
    # 0.45 − 0.40, 0.42 − 0.40.
    assert rows["away"].tolist() == pytest.approx([0.10, 0.05, 0.02, 0.0], abs=1e-15)
    assert rows["filled"].tolist() == [0.0, 0.0, 0.0, 10.0]
    assert rows["fill_price"].isna().tolist() == [True, True, True, False]
    assert rows["fill_price"].iloc[3] == 0.40
    assert str(rows["time"].dt.tz) == "UTC"


def test_the_words_say_all_of_it() -> None:
    data = ticks(0.50, 0.45, 0.42, 0.40, 0.38)
    found = play({0.0: [buy(10, 0.40)]}, data).explain("p1")
    assert repr(found) == found.words
    assert found.words.splitlines()[:3] == [
        "Order p1: buy 10 YES of m at 0.40",
        "Sent 1970-01-01 00:00:00, done 1970-01-01 00:00:03; filled 10 of 10 at 0.40.",
        "It met 3 rows after it was sent; 1 reached the limit or filled it.",
    ]
    assert told(found) == [
        "1970-01-01 00:00:00 | price 0.50 | sent here; an order never meets the row that it was "
        "decided on",
        "1970-01-01 00:00:01 | price 0.45 | 0.05 above the limit",
        "1970-01-01 00:00:02 | price 0.42 | 0.02 above the limit",
        "1970-01-01 00:00:03 | price 0.40 | filled 10 at 0.40: 0.40 reaches the limit",
    ]


def test_an_order_that_never_fills_is_told_how_near_it_came() -> None:
    data = ticks(0.50, 0.45, 0.42, 0.44)
    found = play({0.0: [buy(10, 0.40)]}, data).explain("p1")
    assert found.words.splitlines()[1:3] == [
        "Sent 1970-01-01 00:00:00, still open at the end of the run; filled 0 of 10.",
        "It met 3 rows after it was sent; none reached the limit or filled it; the nearest was "
        "0.02 above the limit, 1970-01-01 00:00:02.",
    ]
    assert told(found)[-1] == " | the run ended; the order was still open"


def test_a_sale_waits_for_prices_from_below() -> None:
    found = play({0.0: [sell(5, 0.60)]}, ticks(0.50, 0.55, 0.61)).explain("p1")
    assert states(found) == ["sent", "not reached", "filled"]
    assert "0.05 below the limit" in found.words
    assert found.rows["away"].tolist() == pytest.approx([0.10, 0.05, -0.01], abs=1e-15)


def test_a_price_within_a_billionth_reaches_the_limit() -> None:
    limit = 0.40
    near, far = limit * (1 + 9e-10), limit * (1 + 2e-9)
    found = play({0.0: [buy(1, limit)]}, ticks(0.50, far, near)).explain("p1")
    assert states(found) == ["sent", "not reached", "filled"]


def test_prices_are_those_of_the_orders_own_side() -> None:
    data = ticks(0.50, 0.55, 0.62, bid=[0.49, 0.54, 0.61], ask=[0.51, 0.56, 0.63])
    found = play({0.0: [buy_no(10, 0.40)]}, data).explain("p1")
    # NO at 1 − 0.50, 1 − 0.55, 1 − 0.62; its bid is 1 − the ask of YES.
    assert found.rows["price"].tolist() == [0.50, 0.45, 0.38]
    assert found.rows["bid"].tolist() == [0.49, 0.44, 0.37]
    assert found.rows["ask"].tolist() == [0.51, 0.46, 0.39]
    assert states(found) == ["sent", "not reached", "filled"]
    assert found.words.startswith("Order p1: buy 10 NO of m at 0.40\n")


def test_a_sale_of_no_waits_for_yes_to_fall() -> None:
    table = {0.0: [buy_no(10, 0.60)], 1.0: [sell_no(10, 0.70)]}
    found = play(table, ticks(0.50, 0.45, 0.31, 0.29)).explain("p2")
    # NO at 0.55 when it is sent, 0.69, then 0.71.
    assert found.rows["meets"].tolist() == [0.55, 0.69, 0.71]
    assert states(found) == ["sent", "not reached", "filled"]


def test_a_cancelled_order_is_told_why() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 2.0:
            ctx.params["engine"].cancel_all()
        return [buy(1, 0.30)] if ctx.timestamp == 0.0 else None

    found = play(stage, ticks(0.50, 0.45, 0.44, 0.20)).explain("p1")
    # It met the row at whose time it was cancelled, and none after it.
    assert states(found) == ["sent", "not reached", "not reached"]
    assert "cancelled 1970-01-01 00:00:02; filled 0 of 1." in found.words
    assert told(found)[-1] == "1970-01-01 00:00:02 | cancelled"


def test_an_order_that_is_settled_away_says_so() -> None:
    run = play({0.0: [buy(1, 0.30)]}, ticks(0.50, 0.45), outcomes={"m": 1.0})
    assert run.explain("p1").words.endswith("cancelled: settled")


def test_an_order_sent_on_the_last_row_has_met_nothing() -> None:
    found = play({1.0: [buy(1, 0.40)]}, ticks(0.50, 0.45)).explain("p1")
    assert states(found) == ["sent"]
    assert "No row of its market came while it was there." in found.words


# ------------------------------------------------------------------------ kinds of orders
def test_a_market_order_fills_at_the_next_row_with_slippage() -> None:
    run = play({0.0: [buy(10)]}, ticks(0.50, 0.40, 0.30), slippage_bps=50)
    found = run.explain("p1")
    assert states(found) == ["sent", "filled"]
    # 0.40 × 1.005.
    assert found.rows["fill_price"].iloc[1] == pytest.approx(0.402, abs=1e-15)
    assert found.rows["away"].isna().all()
    assert told(found)[1].endswith("filled 10 at 0.402: 0.40 and 50 bps of slippage")
    assert "buy 10 YES of m at the market\n" in found.words


def test_a_market_order_fills_at_the_open_of_the_next_bar() -> None:
    data = bars((50.0, 52.0, 49.0, 51.0), (51.5, 53.0, 51.0, 52.0))
    found = play({0.0: [long(2)]}, data, markets=["S"]).explain("p1")
    assert found.rows["meets"].tolist() == [50.0, 51.5]
    assert told(found)[1].endswith(
        "open 51.50, high 53.00, low 51.00, close 52.00 | filled 2 at 51.50: 51.50"
    )
    assert found.words.startswith("Order p1: buy 2 S at the market\n")


def test_a_bar_crosses_a_limit_with_its_close_alone() -> None:
    data = bars((50.0, 52.0, 49.0, 51.0), (51.0, 51.0, 47.0, 50.0), (50.0, 50.0, 47.0, 47.5))
    found = play({0.0: [long(2, 48.0)]}, data, markets=["S"]).explain("p1")
    assert states(found) == ["sent", "not reached", "filled"]
    assert found.rows["meets"].tolist() == [51.0, 50.0, 47.5]


def test_a_bar_touches_a_limit_with_its_low_or_opens_beyond_it() -> None:
    data = bars((50.0, 52.0, 49.0, 51.0), (51.0, 51.0, 48.5, 50.0), (46.0, 49.0, 45.0, 48.5))
    table = {0.0: [long(2, 48.0), short(1, 50.5), long(1, 48.5)]}
    run = play(table, data, markets=["S"], bar_fill_mode="touch")
    falls, rises, touched = (run.explain(f"p{k}") for k in (1, 2, 3))
    assert states(falls) == ["sent", "not reached", "filled"]
    assert falls.rows["meets"].tolist() == [49.0, 48.5, 45.0]
    assert told(falls)[1].endswith("| 0.50 above the limit")
    assert told(falls)[2].endswith("| filled 2 at 46.00: opened beyond the limit")
    # The second bar opens at 51, above the sale's limit.
    assert rises.rows["meets"].tolist() == [52.0, 51.0]
    assert told(rises)[1].endswith("| filled 1 at 51.00: opened beyond the limit")
    assert told(touched)[1].endswith("| filled 1 at 48.50: 48.50 reaches the limit")


def test_quotes_alone_are_met_under_matching_quotes() -> None:
    data = ticks(
        0.50,
        0.30,
        None,
        0.45,
        bid=[0.49, 0.44, 0.43, 0.40],
        ask=[0.51, None, 0.42 + 0.02, 0.41],
    )
    found = play({0.0: [buy(10, 0.41)]}, data, matching="quotes").explain("p1")
    # The price of 0.30 fills nothing: that row has a bid alone, which no buyer meets.
    assert states(found) == ["sent", "nothing to meet", "not reached", "filled"]
    assert told(found)[1:] == [
        "1970-01-01 00:00:01 | bid 0.44, no ask | no ask to meet",
        "1970-01-01 00:00:02 | bid 0.43, ask 0.44 | 0.03 above the limit",
        "1970-01-01 00:00:03 | bid 0.40, ask 0.41 | filled 10 at 0.41: 0.41 reaches the limit",
    ]


def test_a_row_without_a_price_is_not_met_under_matching_price() -> None:
    data = ticks(0.50, None, 0.40, bid=[None, 0.20, None])
    found = play({0.0: [buy(10, 0.40)]}, data).explain("p1")
    assert states(found) == ["sent", "nothing to meet", "filled"]
    assert told(found)[1].endswith(
        "| quotes without a price | nothing to meet: orders meet prices here, and it has none"
    )


def test_an_ioc_ends_at_the_first_row_that_it_meets() -> None:
    found = play({0.0: [buy(10, 0.40, tif="ioc")]}, ticks(0.50, 0.45, 0.30)).explain("p1")
    assert states(found) == ["sent", "not reached"]
    assert "buy 10 YES of m at 0.40 (ioc)" in found.words
    assert told(found)[-1].endswith("cancelled: ioc: not reached by the first tick")


def test_a_rejected_order_is_told_why() -> None:
    run = play({0.0: [buy(5000, 0.40), buy(1, 0.60, post_only=True)]}, ticks(0.50, 0.40))
    money, post = run.explain("p1"), run.explain("p2")
    assert "rejected: buying power: the order needs 2,000.00 USD, available are" in money.words
    assert states(money) == ["sent"]
    assert "rejected: post_only: the order would take liquidity on arrival" in post.words
    assert told(post)[0].endswith("| price 0.50 | sent here")


def test_nothing_left_to_reduce_is_said() -> None:
    table = {0.0: [buy(10)], 1.0: [sell(10), sell(10, reduce_only=True)]}
    found = play(table, ticks(0.50, 0.50, 0.52)).explain("p3")
    # The plain sale, which is older, has closed the position at the same row.
    assert "reduce_only: nothing left to reduce" in found.words
    assert found.rows["filled"].sum() == 0.0


def test_a_liquidation_is_told_at_the_row_that_made_it() -> None:
    order = hz.OrderRequest("B-PERP", hz.Side.Long, hz.OrderSide.Buy, 50.0, None, leverage=10.0)
    # 50 at 100 with a margin of 500: at 94 the loss of 300 leaves less than half of it.
    run = play({0.0: [order]}, ticks(100.0, 100.0, 94.0), markets=[Market("B-PERP", Perp)])
    found = run.explain("p2")
    assert "(liquidation)" in found.words.replace("reduce only, ", "")
    assert states(found) == ["filled"]
    assert found.rows["fill_price"].tolist() == [94.0]


def test_an_amended_order_filled_at_the_limit_it_had_then() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            return [buy(10, 0.10)]
        if ctx.timestamp == 1.0:
            ctx.exchange("paper").amend("p1", new_price=0.45)
        return None

    found = play(stage, ticks(0.50, 0.44, 0.44)).explain("p1")
    # By the limit that it ended with, the first row would have filled it.
    assert states(found) == ["sent", "reached", "filled"]
    assert "it had another one then" in told(found)[1]


# ------------------------------------------------------------------------ latency
def test_an_order_on_its_way_meets_nothing() -> None:
    data = ticks(0.50, 0.30, 0.30, 0.35)
    found = play({0.0: [buy(10, 0.40)]}, data, latency_ms=1500).explain("p1")
    assert states(found) == ["sent", "on its way", "filled"]
    assert "to arrive 1970-01-01 00:00:01.5" in found.words
    assert told(found)[1].endswith("| on its way, there at 1970-01-01 00:00:01.5")


def test_an_order_that_arrives_with_a_row_meets_the_next() -> None:
    data = ticks(0.50, 0.30, 0.30)
    found = play({0.0: [buy(10, 0.40)]}, data, latency_ms=1000).explain("p1")
    assert states(found) == ["sent", "on its way", "filled"]


def test_an_order_that_never_arrives_says_so() -> None:
    found = play({0.0: [buy(10, 0.40)]}, ticks(0.50, 0.30), latency_ms=5000).explain("p1")
    assert states(found) == ["sent", "on its way"]
    assert "It ended, or the run did, before it arrived." in found.words


# ------------------------------------------------------------------------ several feeds
def test_an_order_meets_the_rows_of_its_own_feed_alone() -> None:
    data = {"a": ticks(0.50, 0.45, 0.38), "b": ticks(0.10, 0.11, 0.12, 0.13, start=0.5)}
    run = play({("m", 0.0): [buy(10, 0.40)]}, data, markets=["m", "k"], feeds={"m": "a", "k": "b"})
    found = run.explain("p1")
    assert found.rows["price"].tolist() == [0.50, 0.45, 0.38]
    assert found.rows["row"].tolist() == [0, 1, 2]


def test_an_order_decided_on_another_feeds_row_begins_with_what_its_own_showed() -> None:
    data = {"a": ticks(0.50, 0.45, 0.38), "b": ticks(0.10, 0.11, start=0.5)}
    run = play(
        {("m", 1.5): [buy(10, 0.40)]},
        data,
        markets=["m", "k"],
        feeds={"m": "a", "k": "b"},
        run_on="any",
    )
    found = run.explain("p1")
    # Sent at 1.5; the row of 1 was known, that of 2 fills it.
    assert found.rows["row"].tolist() == [1, 2]
    assert states(found) == ["sent", "filled"]
    assert "Sent 1970-01-01 00:00:01.5" in found.words


def test_rows_of_one_time_are_told_apart_by_the_fill() -> None:
    data = [
        {"timestamp": 0.0, "price": 0.50},
        {"timestamp": 1.0, "price": 0.45},
        {"timestamp": 1.0, "price": 0.39},
        {"timestamp": 1.0, "price": 0.38},
    ]
    found = play({0.0: [buy(10, 0.40)]}, data).explain("p1")
    assert states(found) == ["sent", "not reached", "filled"]
    assert "Some rows have one time; which of them it met first is inferred" in found.words


def test_an_ioc_meets_the_first_of_several_rows_of_one_time() -> None:
    data = [{"timestamp": t, "price": p} for t, p in ((0.0, 0.5), (1.0, 0.45), (1.0, 0.30))]
    found = play({0.0: [buy(10, 0.40, tif="ioc")]}, data).explain("p1")
    assert states(found) == ["sent", "not reached"]
    assert found.rows["price"].tolist() == [0.5, 0.45]


def test_a_row_after_the_cancel_of_its_time_comes_too_late() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 1.0:
            ctx.params["engine"].cancel_all()
        return [buy(10, 0.40)] if ctx.timestamp == 0.0 else None

    data = [{"timestamp": t, "price": p} for t, p in ((0.0, 0.5), (1.0, 0.45), (1.0, 0.30))]
    found = play(stage, data).explain("p1")
    assert states(found) == ["sent", "not reached", "too late"]
    assert "reaches the limit, at the time at which the order was cancelled" in found.words


def test_rows_are_numbered_in_their_feed() -> None:
    data = {"b": ticks(0.10, 0.11, 0.12, 0.13, start=0.5), "a": ticks(0.50, 0.45, 0.42, 0.38)}
    run = play({("m", 2.0): [buy(10, 0.40)]}, data, markets=["m", "k"], feeds={"m": "a", "k": "b"})
    assert run.explain("p1").rows["row"].tolist() == [2, 3]


# ------------------------------------------------------------------------ long lives
def test_a_long_life_is_cut_in_the_middle_but_not_its_rows() -> None:
    prices = [0.50] + [0.45] * 500 + [0.42] + [0.46] * 499
    found = play({0.0: [buy(10, 0.40)]}, ticks(*prices)).explain("p1")
    assert len(found.rows) == 1001
    lines = told(found)
    # Four rows, one line for the 993 between, four rows, and the end.
    assert len(lines) == 10
    assert lines[4] == "… | 993 rows | 993 not reached; the nearest 0.02 above the limit"
    assert len(found._repr_html_()) < 5_000


# ------------------------------------------------------------------------ what is not there
@pytest.mark.parametrize(
    ("order_id", "words"),
    [
        ("p8", r"order_id must be 'p1' to 'p7', was 'p8'$"),
        ("P3", r"was 'P3'\. Did you mean 'p3'\?"),
        ("3", r"was '3'\. Did you mean 'p3'\?"),
        ("order 7", r"Did you mean 'p7'\?"),
        ("p03", r"Did you mean 'p3'\?"),
        ("p 3", r"Did you mean 'p3'\?"),
        ("f4", r"was 'f4', which is a fill of 'p4'$"),
        ("f5", r"Did you mean 'p5'\?"),
        ("", r"was ''$"),
        ("p" + "9" * 5000, r"order_id must be 'p1' to 'p7'"),
        ("p٣", r"order_id must be 'p1' to 'p7'"),
        ("<b>p1</b>", r"Did you mean 'p1'\?"),
    ],
    ids=[
        "beyond",
        "capital",
        "number",
        "words",
        "zero",
        "blank",
        "fill",
        "no fill",
        "empty",
        "huge",
        "other digits",
        "tags",
    ],
)
def test_an_unknown_order_is_named_with_the_nearest(order_id: str, words: str) -> None:
    with pytest.raises(OrderError, match=words) as caught:
        BacktestResult(whole_run()).explain(order_id)
    assert caught.value.order_id == order_id


def test_an_order_id_is_text() -> None:
    with pytest.raises(TypeError, match="order_id must be text such as 'p1', was 3"):
        BacktestResult(whole_run()).explain(3)  # type: ignore[arg-type]


def test_a_run_without_orders_has_none_to_explain() -> None:
    with pytest.raises(OrderError, match="the run sent none"):
        play({}, ticks(0.5, 0.5)).explain("p1")
    with pytest.raises(OrderError, match="order_id must be 'p1', was 'p2'"):
        play({0.0: [buy(1, 0.1)]}, ticks(0.5, 0.5)).explain("p2")


def test_a_loaded_result_says_that_rows_are_not_saved(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    run = play({0.0: [buy(10, 0.40)]}, ticks(0.50, 0.45, 0.40))
    found = hz.load_result(run.save(tmp_path / "run")).explain("p1")
    assert "The rows that it met are not saved with a result; run it again" in found.words
    assert "Sent 1970-01-01 00:00:00, done 1970-01-01 00:00:02; filled 10 of 10" in found.words
    # What is known of it is shown.
    assert found.rows["fill_price"].tolist() == [0.40]
    assert states(found) == ["filled"]
    assert "not saved" in found._repr_html_()


def test_data_in_chunks_is_not_kept() -> None:
    def chunks() -> Any:
        yield ticks(0.50, 0.45)
        yield ticks(0.40, 0.38, start=2.0)

    found = play({0.0: [buy(10, 0.40)]}, chunks).explain("p1")
    assert "The data came in chunks, which are not kept" in found.words
    assert found.rows["filled"].tolist() == [10.0]


# ------------------------------------------------------------------------ shown
def test_names_and_reasons_are_escaped() -> None:
    market = "<script>alert(1)</script>"

    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 1.0:
            engine = ctx.params["engine"]
            engine.venue.cancel_orders(
                list(engine.venue.account.open_orders.values()), "<img src=x>\u202e"
            )
        return [buy(1, 0.30, market=market)] if ctx.timestamp == 0.0 else None

    data = ticks(0.50, 0.45)
    found = play(stage, data, markets=[Market(market, Prediction)]).explain("p1")
    page = found._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page + found.words
    assert "&lt;script&gt;" in page
    assert "⟨U+202E⟩" in found.words


def test_rows_belong_to_the_caller() -> None:
    found = play({0.0: [buy(10, 0.40)]}, ticks(0.50, 0.45, 0.40)).explain("p1")
    rows = found.rows
    rows["filled"] = 7.0
    rows.loc[:, "meets"] = 7.0
    assert found.rows["filled"].tolist() == [0.0, 0.0, 10.0]


def test_an_explanation_changes_nothing_in_the_run() -> None:
    run = play({0.0: [buy(10, 0.40), buy(5)]}, ticks(0.50, 0.45, 0.40))
    before = run.fills_frame(), run.orders_frame(), run.equity
    for order in ("p1", "p2"):
        assert repr(run.explain(order)) == repr(run.explain(order))
    for old, new in zip(before, (run.fills_frame(), run.orders_frame(), run.equity), strict=True):
        assert old.equals(new)


# ------------------------------------------------------------------------ against what happened
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"latency_ms": 1500.0},
        {"latency_ms": 1000.0, "slippage_bps": 20.0},
        {"matching": "quotes"},
        {"matching": "quotes", "latency_ms": 700.0},
        {"bar_fill_mode": "touch"},
    ],
    ids=["price", "late", "late with a row", "quotes", "late quotes", "touch"],
)
def test_what_is_told_is_what_happened(seed: int, how: dict[str, Any]) -> None:
    run = play(Random(seed), random_rows(seed, bars_="bar_fill_mode" in how), **how)
    orders = run.orders_frame()
    assert len(orders) > 10
    for order_id, order in orders.iterrows():
        found = run.explain(order_id)
        rows = found.rows
        assert rows["filled"].sum() == pytest.approx(order["filled"], rel=1e-12)
        met = rows[~rows["state"].isin(["sent", "on its way"])]
        limit = order["price"]
        sign = 1 if order["order_side"] == "buy" else -1
        if math.isnan(limit):
            assert (met["meets"].notna() == (met["filled"] > 0.0)).all() or order["reduce_only"]
            continue
        reached = sign * (met["meets"] - limit) <= 1e-9 * limit
        # Reached and filled are one, unless something else ended the order there.
        odd = reached != (met["filled"] > 0.0)
        assert not odd.any() or order["reason"].startswith("reduce_only"), found
        assert "had another" not in found.words
        assert "it had then" not in found.words
        if "bar_fill_mode" not in how:
            assert met["fill_price"].dropna().eq(limit).all()


class Random:
    """Orders of every kind at random times, and now and then a cancel of everything."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(1000 + seed)

    def __call__(self, ctx: Any) -> Any:
        rng = self.rng
        if rng.random() < 0.1:
            ctx.params["engine"].cancel_all()
        if rng.random() < 0.5:
            return None
        side = [hz.Side.Yes, hz.Side.No][rng.integers(2)]
        verb = [hz.OrderSide.Buy, hz.OrderSide.Sell][rng.integers(2)]
        size, how = float(rng.integers(1, 10)), {"reduce_only": bool(rng.random() < 0.15)}
        if rng.random() < 0.2:
            return [hz.OrderRequest(ctx.market_id, side, verb, size, **how)]
        own = ctx.feed.price if side is hz.Side.Yes else 1.0 - ctx.feed.price
        price = round(float(np.clip(own + rng.normal(0.0, 0.03), 0.02, 0.98)), 2)
        tif = "ioc" if rng.random() < 0.2 else "gtc"
        return [hz.OrderRequest(ctx.market_id, side, verb, size, price, tif=tif, **how)]


def random_rows(seed: int, *, bars_: bool) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    prices = np.clip(0.5 + np.cumsum(rng.normal(0.0, 0.02, 60)), 0.1, 0.9).round(2)
    rows = []
    for n, price in enumerate(prices.tolist()):
        row = {"timestamp": float(n), "price": price}
        if bars_:
            opened = round(price + rng.normal(0.0, 0.01), 2)
            row |= {"open": opened, "high": max(opened, price) + 0.01}
            row |= {"low": min(opened, price) - 0.01}
        else:
            row |= {"bid": price - 0.01} if rng.random() < 0.8 else {}
            row |= {"ask": price + 0.01} if rng.random() < 0.8 else {}
            if n and rng.random() < 0.1:
                del row["price"]
        rows.append(row)
    return rows
