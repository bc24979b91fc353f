"""Hand-worked runs over order books: walking, resting, impact, queues and latency."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import horizon as hz
from tests.backtesting.scenes import (
    Rows,
    Timetable,
    book,
    buy,
    buy_no,
    equity,
    fills,
    long,
    orders,
    play,
    quote,
    sell,
    sell_no,
    short,
    ticks,
)

BIDS = [(0.48, 10.0), (0.47, 20.0), (0.40, 100.0)]
ASKS = [(0.50, 5.0), (0.51, 5.0), (0.55, 100.0)]


def over(table: Any, *books: dict[str, Any], market: str = "m", **how: Any) -> Any:
    """A run over the snapshots of one market."""
    how.setdefault("markets", [market])
    return play(table, how.pop("data", None), book_data={market: list(books)}, **how)


# ---------------------------------------------------------------------------- taking
def test_a_market_order_walks_the_book_of_its_own_moment() -> None:
    result = over({0.0: [buy(8)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS))

    # Five at 0.50 and three at 0.51, at once; a taker both times.
    assert fills(result) == [(0.0, "buy", 5.0, 0.50), (0.0, "buy", 3.0, 0.51)]
    assert not any(fill.is_maker for fill in result.fills)
    # Two fills of one order: average (5 x 0.50 + 3 x 0.51) / 8 = 4.03 / 8 = 0.50375.
    assert len(orders(result)) == 1
    assert result.orders_frame().average_price.tolist() == [pytest.approx(0.50375, abs=1e-15)]
    # Marked at the mid of 0.49 from row 1 on: 1000 - 4.03 + 3.92.
    assert equity(result) == pytest.approx([1000.0, 999.89], abs=1e-12)


def test_a_sale_walks_the_bids() -> None:
    result = over({0.0: [sell(12)]}, book(0.0, BIDS, ASKS))

    assert fills(result) == [(0.0, "sell", 10.0, 0.48), (0.0, "sell", 2.0, 0.47)]
    # The only row's point comes before the sale; the end, marked at 0.49, is a second one:
    # 1000 + 4.80 + 0.94 - 12 x 0.49 = 999.86.
    assert result.equity_curve == [(0.0, 1000.0), (0.0, pytest.approx(999.86, abs=1e-12))]


def test_a_limit_takes_what_it_reaches_and_rests_with_the_rest() -> None:
    result = over(
        {0.0: [buy(20, 0.51)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, [(0.51, 4.0), (0.52, 50.0)]),
        book(2.0, [(0.45, 1.0)], [(0.49, 3.0), (0.50, 2.0), (0.60, 5.0)]),
        book(3.0, BIDS, [(0.51, 50.0)]),
    )

    # Taken: 5 at 0.50, 5 at 0.51. Ten rest at 0.51 and pay that, never less: 4 shown there;
    # then 3 + 2 shown at or through it; then the last one.
    assert fills(result) == [
        (0.0, "buy", 5.0, 0.50),
        (0.0, "buy", 5.0, 0.51),
        (1.0, "buy", 4.0, 0.51),
        (2.0, "buy", 5.0, 0.51),
        (3.0, "buy", 1.0, 0.51),
    ]
    assert [fill.is_maker for fill in result.fills] == [False, False, True, True, True]


def test_an_ioc_limit_ends_with_what_it_could_take() -> None:
    result = over({0.0: [buy(20, 0.51, tif="ioc")]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS))

    assert fills(result) == [(0.0, "buy", 5.0, 0.50), (0.0, "buy", 5.0, 0.51)]
    assert [row[-1] for row in orders(result)] == ["canceled"]


def test_a_market_order_ends_where_the_book_does() -> None:
    result = over({0.0: [buy(200)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS))

    assert [(size, price) for _, _, size, price in fills(result)] == [
        (5.0, 0.50),
        (5.0, 0.51),
        (100.0, 0.55),
    ]
    assert [row[-1] for row in orders(result)] == ["canceled"]
    reason = result.orders_frame().reason.tolist()[0]
    assert "liquidity" in reason


def test_what_was_taken_stays_taken_until_the_next_snapshot() -> None:
    table = {
        0.0: [buy(5), buy(2)],  # all of 0.50, two of 0.51
        1.0: [buy(4)],  # a row without a snapshot: three are left at 0.51, then 0.55
        2.0: [buy(4)],  # a snapshot: five at 0.50 again
    }
    result = over(
        table,
        book(0.0, BIDS, ASKS),
        book(2.0, BIDS, ASKS),
        data=ticks(0.49, 0.49, 0.49),
    )

    assert fills(result) == [
        (0.0, "buy", 5.0, 0.50),
        (0.0, "buy", 2.0, 0.51),
        (1.0, "buy", 3.0, 0.51),
        (1.0, "buy", 1.0, 0.55),
        (2.0, "buy", 4.0, 0.50),
    ]


def test_fees_go_by_arrival_in_a_book_too() -> None:
    result = over(
        {0.0: [buy(20, 0.51)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, [(0.51, 10.0)]),
        paper_maker_fee_rate=-0.001,
        paper_taker_fee_rate=0.01,
    )

    # 2.50 and 2.55 at one percent; then 5.10 at a rebate of a thousandth.
    wanted = [0.025, 0.0255, -0.0051]
    assert [fill.fee for fill in result.fills] == pytest.approx(wanted, abs=1e-15)


# ---------------------------------------------------------------------------- resting
def test_a_resting_order_waits_for_the_opposite_side() -> None:
    result = over(
        {0.0: [buy(10, 0.49)]},
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.49, 1.0)], [(0.50, 5.0)]),
        book(2.0, [(0.30, 1.0)], [(0.49, 4.0), (0.50, 9.0)]),
        book(3.0, [(0.30, 1.0)], [(0.40, 7.0)]),
    )

    assert fills(result) == [(2.0, "buy", 4.0, 0.49), (3.0, "buy", 6.0, 0.49)]
    assert all(fill.is_maker for fill in result.fills)


def test_better_prices_first_then_earlier_arrivals_share_what_is_shown() -> None:
    table = {0.0: [buy(3, 0.45), buy(3, 0.46), buy(3, 0.45)]}
    result = over(
        table,
        book(0.0, [(0.44, 1.0)], [(0.50, 1.0)]),
        book(1.0, [(0.30, 1.0)], [(0.45, 8.0)]),
    )

    # Eight are shown at 0.45: three for 0.46, then three and two for 0.45.
    assert [(size, price) for _, _, size, price in fills(result)] == [
        (3.0, 0.46),
        (3.0, 0.45),
        (2.0, 0.45),
    ]
    assert [row[-1] for row in orders(result)] == ["filled", "filled", "partial"]


def test_snapshots_between_rows_match_and_run_no_pipeline() -> None:
    stage = Timetable({0.0: [buy(10, 0.49)]})
    result = over(
        stage,
        book(0.0, BIDS, ASKS),
        book(0.25, BIDS, [(0.49, 3.0)]),
        book(0.75, BIDS, [(0.49, 4.0)]),
        book(2.0, BIDS, [(0.49, 9.0)]),
        data=ticks(0.49, 0.50),
    )

    assert stage.calls == [(0.0, "m"), (1.0, "m")]
    assert fills(result)[:2] == [(0.25, "buy", 3.0, 0.49), (0.75, "buy", 4.0, 0.49)]
    # Marks come from the rows: 7 at 0.49 marked at 0.50.
    assert equity(result)[1] == pytest.approx(1000.07, abs=1e-12)


def test_a_snapshot_and_a_row_of_one_time_are_both_there_for_the_pipeline() -> None:
    stage = Timetable(
        {1.0: [buy(2)]}, watch=lambda ctx: None if ctx.book is None else ctx.book.best_ask
    )
    result = over(
        stage, book(0.0, BIDS, ASKS), book(1.0, BIDS, [(0.53, 9.0)]), data=ticks(0.49, 0.5, 0.5)
    )

    assert stage.seen == [0.50, 0.53, 0.53]
    assert fills(result) == [(1.0, "buy", 2.0, 0.53)]


def test_without_data_each_snapshot_is_a_row_at_its_middle() -> None:
    stage = Timetable(watch=lambda ctx: (ctx.timestamp, ctx.feed.price, ctx.feed.bid, ctx.feed.ask))
    over(stage, book(0.0, BIDS, ASKS), book(2.0, [(0.30, 5.0)], [(0.40, 6.0)]))

    assert stage.seen == [
        (0.0, pytest.approx(0.49, abs=1e-15), 0.48, 0.50),
        (2.0, pytest.approx(0.35, abs=1e-15), 0.30, 0.40),
    ]


def test_a_book_of_one_side_has_no_middle_and_fills_nothing_on_the_other() -> None:
    stage = Timetable({1.0: [buy(5), sell(5)]}, watch=lambda ctx: ctx.feed.price)
    result = over(stage, book(0.0, BIDS, ASKS), book(1.0, BIDS, []), book(2.0, BIDS, ASKS))

    assert stage.seen == pytest.approx([0.49, 0.49, 0.49], abs=1e-15)
    assert fills(result) == [(1.0, "sell", 5.0, 0.48)]


def test_the_context_shows_what_is_left_of_the_book() -> None:
    table = {0.0: [buy(7)]}

    def watch(ctx: Any) -> Any:
        shown = ctx.book
        return shown.bids, shown.asks, shown.best_bid, shown.best_ask

    stage = Timetable(table, watch=watch)
    over(stage, book(0.0, BIDS, ASKS), book(2.0, BIDS, ASKS), data=ticks(0.49, 0.49, 0.49))

    assert stage.seen[0] == (BIDS, ASKS, 0.48, 0.50)
    assert stage.seen[1] == (BIDS, [(0.51, 3.0), (0.55, 100.0)], 0.48, 0.51)
    assert stage.seen[2] == (BIDS, ASKS, 0.48, 0.50)


def test_post_only_meets_the_book() -> None:
    table = {0.0: [buy(5, 0.50, post_only=True), buy(5, 0.49, post_only=True)]}
    result = over(table, book(0.0, BIDS, ASKS), book(1.0, BIDS, [(0.49, 9.0)]))

    assert fills(result) == [(1.0, "buy", 5.0, 0.49)]
    assert result.rejections == {"post_only": 1}


def test_quotes_inside_the_spread_of_a_book_rest_on_both_sides() -> None:
    result = over(
        lambda ctx: quote(0.485, 0.495, 4) if ctx.timestamp < 2 else None,
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.47, 3.0)], [(0.485, 3.0)]),
        book(2.0, [(0.495, 8.0)], [(0.50, 3.0)]),
    )

    # Row 1 fills three of the bid. The one that is left is less than the four that are wanted:
    # four are sent instead, and find nothing left at 0.485. The ask is kept until row 2.
    assert fills(result) == [(1.0, "buy", 3.0, 0.485), (2.0, "sell", 4.0, 0.495)]


# ---------------------------------------------------------------------------- NO in a book
def test_no_takes_the_other_side_of_the_yes_book() -> None:
    table = {0.0: [buy_no(12), sell_no(6)]}
    result = over(table, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS))

    # NO is offered where YES is bid: 10 at 1 - 0.48 = 0.52 and 20 at 0.53. It is bid where YES
    # is offered: 5 at 0.50 and 5 at 0.49.
    assert fills(result) == [
        (0.0, "buy no", 10.0, 0.52),
        (0.0, "buy no", 2.0, 0.53),
        (0.0, "sell no", 5.0, 0.50),
        (0.0, "sell no", 1.0, 0.49),
    ]


def test_no_and_yes_take_from_the_same_sizes() -> None:
    # Selling 10 YES at 0.48 leaves none there for a buyer of NO, who pays 1 - 0.47.
    result = over({0.0: [sell(10), buy_no(5)]}, book(0.0, BIDS, ASKS))

    assert fills(result) == [(0.0, "sell", 10.0, 0.48), (0.0, "buy no", 5.0, 0.53)]


def test_a_resting_no_order_fills_when_the_yes_side_reaches_it() -> None:
    result = over(
        {0.0: [buy_no(10, 0.45)]},
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.54, 5.0)], [(0.60, 5.0)]),
        book(2.0, [(0.56, 5.0), (0.55, 2.0), (0.50, 9.0)], [(0.60, 5.0)]),
    )

    # NO at 0.45 is YES at 0.55: bids of 5 at 0.56 and 2 at 0.55 are at or through it.
    assert fills(result) == [(2.0, "buy no", 7.0, 0.45)]


# ---------------------------------------------------------------------------- impact
def test_temporary_impact_is_in_price_units_for_a_prediction() -> None:
    result = over(
        {0.0: [buy(12)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS), impact_temporary_bps=10
    )

    # 10 bps a unit: at 0.51 five are filled, 0.51 + 5 x 0.001; at 0.55 ten, 0.55 + 10 x 0.001.
    assert [(size, price) for _, _, size, price in fills(result)] == [
        (5.0, pytest.approx(0.50, abs=1e-15)),
        (5.0, pytest.approx(0.515, abs=1e-15)),
        (2.0, pytest.approx(0.56, abs=1e-15)),
    ]


def test_temporary_impact_is_a_part_of_the_price_for_all_others() -> None:
    result = over(
        {0.0: [long(3, market="S"), short(3, market="S")]},
        book(0.0, [(99.0, 1.0), (98.0, 9.0)], [(101.0, 1.0), (102.0, 9.0)]),
        market="S",
        impact_temporary_bps=10,
    )

    # One is filled at 101; then 102 x (1 + 1 x 0.001) = 102.102. Selling: 99, then
    # 98 x (1 - 0.001) = 97.902.
    assert [price for *_, price in fills(result)] == pytest.approx(
        [101.0, 102.102, 99.0, 97.902], abs=1e-12
    )


def test_the_walk_stops_where_impact_passes_the_limit() -> None:
    result = over(
        {0.0: [buy(12, 0.51)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, ASKS),
        impact_temporary_bps=10,
    )

    # 0.515 for the second level is beyond 0.51. Seven rest, and row 1 shows 5 + 5 at or through
    # their limit: makers pay no impact.
    assert fills(result) == [(0.0, "buy", 5.0, 0.50), (1.0, "buy", 7.0, 0.51)]


def test_permanent_impact_moves_later_prices_against_us() -> None:
    table = {0.0: [buy(5)], 1.0: [buy(5), sell(4)]}
    stage = Timetable(table, watch=lambda ctx: (ctx.book.best_bid, ctx.book.best_ask, ctx.feed.ask))
    result = over(
        stage,
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, ASKS),
        book(2.0, BIDS, ASKS),
        impact_temporary_bps=100,
        impact_permanent_fraction=0.5,
    )

    # 5 at 0.50 are 2.50 of notional: d = 2.50 x 0.5 x 100 / 10 000 = 0.0125. Row 1 buys at
    # 0.50 + 0.0125 = 0.5125, 2.5625 of notional: d = 0.0125 + 0.0128125 = 0.0253125. The sale
    # meets bids + min(d, 0): 0.48, unchanged; it lowers d by 4 x 0.48 x 0.005 = 0.0096.
    assert [price for *_, price in fills(result)] == pytest.approx([0.50, 0.5125, 0.48], abs=1e-12)
    assert stage.seen[1] == (0.48, pytest.approx(0.5125, abs=1e-12), 0.50)
    assert stage.seen[2] == (0.48, pytest.approx(0.50 + 0.0157125, abs=1e-12), 0.50)
    # Marks stay at the mid of 0.49: 10 bought for 5.0625, 4 sold for 1.92, 6 worth 2.94.
    assert equity(result)[-1] == pytest.approx(1000 - 5.0625 + 1.92 + 2.94, abs=1e-12)


def test_permanent_impact_of_no_is_that_of_yes_turned_round() -> None:
    table = {0.0: [buy_no(10)], 1.0: [sell(1), buy(1)]}
    result = over(
        table,
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, ASKS),
        impact_temporary_bps=100,
        impact_permanent_fraction=1.0,
    )

    # 10 NO at 0.52 are 5.20 of notional; d = -5.20 x 0.01 = -0.052: sales of YES meet bids of
    # 0.48 - 0.052 = 0.428, buys still 0.50.
    assert [price for *_, price in fills(result)] == pytest.approx([0.52, 0.428, 0.50], abs=1e-12)


def test_resting_buys_meet_the_displaced_asks() -> None:
    # d = 0.0125 after 5 at 0.50. The bid of 0.49 is not reached by an ask of 0.48: displaced
    # that is 0.4925. An ask of 0.47 is 0.4825.
    table = {0.0: [buy(5), buy(3, 0.49)]}
    result = over(
        table,
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.40, 1.0)], [(0.48, 9.0)]),
        book(2.0, [(0.40, 1.0)], [(0.47, 9.0)]),
        impact_temporary_bps=100,
        impact_permanent_fraction=0.5,
    )

    assert fills(result) == [(0.0, "buy", 5.0, 0.50), (2.0, "buy", 3.0, 0.49)]


def test_makers_displace_nothing() -> None:
    table = {0.0: [buy(5, 0.49)], 2.0: [buy(5)]}
    result = over(
        table,
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, [(0.49, 9.0)]),
        book(2.0, BIDS, ASKS),
        impact_temporary_bps=100,
        impact_permanent_fraction=1.0,
    )

    assert fills(result) == [(1.0, "buy", 5.0, 0.49), (2.0, "buy", 5.0, 0.50)]


def test_levels_pushed_beyond_one_vanish() -> None:
    asks = [(0.90, 10.0), (0.98, 10.0)]
    result = over(
        {0.0: [buy(10)], 1.0: [buy(20)]},
        book(0.0, [(0.5, 1.0)], asks),
        book(1.0, [(0.5, 1.0)], asks),
        impact_temporary_bps=40,
        impact_permanent_fraction=1.0,
    )

    # d = 9.00 x 0.004 = 0.036: the second level would stand at 1.016, and is gone.
    assert [(size, price) for _, _, size, price in fills(result)] == [
        (10.0, 0.90),
        (10.0, pytest.approx(0.936, abs=1e-12)),
    ]


# ---------------------------------------------------------------------------- latency
def test_an_order_meets_the_book_in_force_when_it_arrives() -> None:
    result = over(
        {0.0: [buy(3)]},
        book(0.0, BIDS, ASKS),
        book(0.3, BIDS, [(0.52, 9.0)]),
        book(1.0, BIDS, [(0.60, 9.0)]),
        data=ticks(0.49, 0.49),
        latency_ms=500,
    )

    assert fills(result) == [(0.5, "buy", 3.0, 0.52)]


def test_an_arrival_at_a_snapshots_time_meets_that_snapshot() -> None:
    result = over(
        {0.0: [buy(3)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, [(0.60, 9.0)]),
        book(2.0, BIDS, ASKS),
        latency_ms=1000,
    )

    assert fills(result) == [(1.0, "buy", 3.0, 0.60)]


def test_an_order_on_its_way_rests_nowhere() -> None:
    # It arrives at 1.5, after the ask of 0.45 has come and gone.
    result = over(
        {0.0: [buy(3, 0.45)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS[2:], [(0.45, 9.0)]),
        book(1.2, BIDS, ASKS),
        book(2.0, BIDS[2:], [(0.44, 2.0)]),
        latency_ms=1500,
    )

    assert fills(result) == [(2.0, "buy", 2.0, 0.45)]
    assert result.fills[0].is_maker


def test_an_arrival_between_the_last_rows_bears_its_own_time() -> None:
    result = over(
        {0.0: [buy(3)], 1.0: [buy(3)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS), latency_ms=250
    )

    assert fills(result) == [(0.25, "buy", 3.0, 0.50)]


# ---------------------------------------------------------------------------- fill models
ALWAYS = 1e9  # 1 - exp(-1e9) is 1.0: a chance that never fails


def test_deterministic_fills_need_the_opposite_side() -> None:
    books = [book(float(t), BIDS, ASKS) for t in range(5)]

    assert fills(over({0.0: [buy(5, 0.48)]}, *books, fill_model="deterministic")) == []


def test_a_chance_fill_takes_what_is_shown_at_its_price() -> None:
    books = [book(float(t), BIDS, ASKS) for t in range(3)]
    result = over(
        {0.0: [buy(12, 0.48), buy(4, 0.47)]},
        *books,
        fill_model="probabilistic",
        fill_model_params={"lambda": ALWAYS, "queue_frac": 0.0},
    )

    # Ten are shown at 0.48; 0.47 is not at its side's best and waits.
    assert fills(result) == [(1.0, "buy", 10.0, 0.48), (2.0, "buy", 2.0, 0.48)]
    assert all(fill.is_maker for fill in result.fills)


def test_a_chance_fill_inside_the_spread_takes_what_is_shown_opposite() -> None:
    books = [book(float(t), BIDS, ASKS) for t in range(3)]
    result = over(
        {0.0: [buy(12, 0.49)]},
        *books,
        fill_model="probabilistic",
        fill_model_params={"lambda": ALWAYS, "queue_frac": 1.0},
    )

    # Nothing is shown at 0.49, and five at the best ask. Nobody is ahead of a new price.
    assert fills(result) == [(1.0, "buy", 5.0, 0.49), (2.0, "buy", 5.0, 0.49)]


def test_a_queue_moves_up_as_its_level_gets_smaller() -> None:
    def bids(shown: float) -> list[tuple[float, float]]:
        return [(0.48, shown), (0.47, 20.0)]

    result = over(
        {0.0: [buy(2, 0.48)]},
        book(0.0, bids(10.0), ASKS),
        book(1.0, bids(4.0), ASKS),
        book(2.0, bids(9.0), ASKS),
        book(3.0, [(0.47, 20.0)], ASKS),
        book(4.0, [(0.47, 20.0)], ASKS),
        fill_model="probabilistic",
        fill_model_params={"lambda": ALWAYS, "queue_frac": 0.5},
    )

    # Behind 5 of 10. Six leave: 5 - 6 x 5/10 = 2. Five come, behind us. Nine leave with their
    # level: 2 - 9 x 2/9 = 0, the front; and nothing is shown at 0.48 but 5 at the best ask.
    assert fills(result) == [(3.0, "buy", 2.0, 0.48)]


def test_glft_fills_by_the_distance_from_the_middle() -> None:
    books = [book(float(t), BIDS, ASKS) for t in range(4)]
    near = over(
        {0.0: [buy(3, 0.48)]},
        *books,
        fill_model="glft",
        fill_model_params={"intensity": ALWAYS, "kappa": 1.0},
    )
    assert fills(near) == [(1.0, "buy", 3.0, 0.48)]

    # A exp(-k x 0.01) = exp(-10 000) = 0: no chance at all.
    far = over(
        {0.0: [buy(3, 0.48)]},
        *books,
        fill_model="glft",
        fill_model_params={"intensity": 1.0, "kappa": 1e6},
    )
    assert fills(far) == []


@pytest.mark.no_cover
@pytest.mark.parametrize("model", ["probabilistic", "glft"])
def test_chance_has_the_frequency_that_the_model_gives_it(model: str) -> None:
    # Every row quotes two bids of one contract at the best bid; each meets one snapshot and is
    # replaced. p = 1 - exp(-0.3) = 0.2592 for lambda 0.3; for glft with k = 10 and a distance
    # of 0.01 from the mid, A = 0.3 e^0.1 gives the same.
    n = 2000
    books = [book(float(t), BIDS, ASKS) for t in range(n)]
    params = {
        "probabilistic": {"lambda": 0.3, "queue_frac": 0.0},
        "glft": {"intensity": 0.3 * math.exp(0.1), "kappa": 10.0},
    }

    def stage(ctx: Any) -> Any:
        ctx.engine.cancel_all("m")
        return [buy(1, 0.48)]

    def run(seed: int | None) -> Any:
        return over(stage, *books, fill_model=model, fill_model_params=params[model], rng_seed=seed)

    first = run(7)
    # The deviation of a mean of 1999 draws is sqrt(0.2592 x 0.7408 / 1999) = 0.0098.
    assert len(first.fills) / (n - 1) == pytest.approx(0.2592, abs=4 * 0.0098)
    assert fills(run(7)) == fills(first)
    assert fills(run(8)) != fills(first)
    assert fills(run(None)) == fills(run(0))


# ---------------------------------------------------------------------------- forms of books
def snapshots() -> Rows:
    return [
        book(10.0 + t, [(0.48 - 0.01 * (t % 3), 5.0 + t), (0.40, 9.0)], [(0.50, 3.0), (0.52, 4.0)])
        for t in range(20)
    ]


def test_every_form_of_books_gives_the_same_run(tmp_path: Path) -> None:
    rows = snapshots()
    wide = pd.DataFrame(
        [
            {
                "timestamp": row["timestamp"],
                **{f"bid_px_{k + 1}": p for k, (p, _) in enumerate(row["bids"])},
                **{f"bid_sz_{k + 1}": s for k, (_, s) in enumerate(row["bids"])},
                **{f"ask_px_{k + 1}": p for k, (p, _) in enumerate(row["asks"])},
                **{f"ask_sz_{k + 1}": s for k, (_, s) in enumerate(row["asks"])},
            }
            for row in rows
        ]
    )
    long_frame = pd.DataFrame(
        [
            {"timestamp": row["timestamp"], "side": side, "price": price, "size": size}
            for row in rows
            for side, levels in (("bid", row["bids"]), ("ask", row["asks"]))
            for price, size in levels
        ]
    )
    path = tmp_path / "books.parquet"
    wide.to_parquet(path)
    with_market = long_frame.assign(market_id="m")

    def stage(ctx: Any) -> Any:
        return [*quote(ctx.feed.bid, ctx.feed.ask, 2), buy(1)]

    forms: dict[str, Any] = {
        "list": {"m": rows},
        "wide": {"m": wide},
        "long": {"m": long_frame},
        "parquet": {"m": path},
        "one frame": with_market,
    }
    runs = {
        name: play(stage, book_data=data, initial_capital=100.0) for name, data in forms.items()
    }
    assert len(runs["list"].fills) >= 20
    for name, run in runs.items():
        assert fills(run) == fills(runs["list"]), name
        assert run.equity_curve == runs["list"].equity_curve, name


def test_a_level_of_size_zero_is_no_level() -> None:
    result = over({0.0: [buy(3)]}, book(0.0, BIDS, [(0.49, 0.0), (0.50, 5.0)]))

    assert fills(result) == [(0.0, "buy", 3.0, 0.50)]


# ---------------------------------------------------------------------------- several markets
def test_each_market_has_its_own_book() -> None:
    books = {
        "x": [book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS)],
        "y": [book(0.0, [(0.10, 5.0)], [(0.12, 5.0)]), book(1.0, [(0.10, 5.0)], [(0.12, 5.0)])],
    }
    table = {("x", 0.0): [buy(2, market="x")], ("y", 1.0): [buy(2, market="y")]}
    result = play(table, None, markets=["y", "x"], book_data=books)

    assert [(f.market_id, f.timestamp, f.price) for f in result.fills] == [
        ("x", 0.0, 0.50),
        ("y", 1.0, 0.12),
    ]
    assert list(result.pnl_by_market()) == ["y", "x"]


def test_the_same_books_as_data_and_without_fill_alike() -> None:
    rows = snapshots()
    data = [
        {
            "timestamp": row["timestamp"],
            "price": row["bids"][0][0] / 2 + row["asks"][0][0] / 2,
            "bid": row["bids"][0][0],
            "ask": row["asks"][0][0],
        }
        for row in rows
    ]

    def stage(ctx: Any) -> Any:
        return [*hz.quotes(ctx.feed.price, 0.01, 2), buy(1)]

    with_data = play(stage, data, book_data={"m": rows})
    without = play(stage, None, book_data={"m": rows})
    assert fills(with_data) == fills(without)
    assert with_data.equity_curve == without.equity_curve
