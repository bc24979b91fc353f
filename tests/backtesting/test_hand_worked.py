"""Runs small enough to work out by hand: when orders fill, at what price, and for what money.

Prices are those of a prediction, a thousand is in the account, and there are no fees unless a
test says otherwise.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

import horizon as hz
from horizon import Quote
from tests.backtesting.scenes import (
    Timetable,
    bars,
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


# ---------------------------------------------------------------------------- the next row
def test_a_limit_is_not_filled_by_the_row_that_its_decision_saw() -> None:
    result = play({0.0: [buy(10, 0.50)]}, ticks(0.50, 0.50, 0.50))

    assert fills(result) == [(1.0, "buy", 10.0, 0.50)]


def test_a_limit_fills_at_its_own_price_wherever_the_row_goes() -> None:
    # 0.40 is far below 0.45: still 0.45 is paid, the documents' mid-price rule.
    result = play({0.0: [buy(10, 0.45)]}, ticks(0.50, 0.46, 0.40))

    assert fills(result) == [(2.0, "buy", 10.0, 0.45)]


def test_a_price_reaches_a_limit_that_differs_by_rounding_only() -> None:
    # 0.1 + 0.2 is 0.30000000000000004, above a limit of 0.3 by a part in 10^16.
    result = play({0.0: [buy(10, 0.3)]}, ticks(0.5, 0.1 + 0.2))
    assert len(fills(result)) == 1

    result = play({0.0: [buy(10, 0.3)]}, ticks(0.5, 0.3 + 1e-8))
    assert fills(result) == []


def test_a_market_order_fills_at_the_next_row() -> None:
    result = play({0.0: [buy(10)], 1.0: [sell(4)]}, ticks(0.50, 0.53, 0.51))

    assert fills(result) == [(1.0, "buy", 10.0, 0.53), (2.0, "sell", 4.0, 0.51)]
    assert not any(fill.is_maker for fill in result.fills)


def test_a_market_order_pays_the_slippage() -> None:
    table = {0.0: [buy(10)], 1.0: [sell(4)]}
    result = play(table, ticks(0.50, 0.53, 0.51), slippage_bps=100)

    # 100 bps is 1 %: 0.53 x 1.01 = 0.5353, and 0.51 x 0.99 = 0.5049.
    assert [price for _, _, _, price in fills(result)] == pytest.approx([0.5353, 0.5049], abs=1e-15)


def test_slippage_leaves_limit_orders_alone() -> None:
    result = play({0.0: [buy(10, 0.45)]}, ticks(0.50, 0.44), slippage_bps=100)

    assert fills(result) == [(1.0, "buy", 10.0, 0.45)]


def test_slippage_does_not_carry_a_prediction_beyond_one() -> None:
    # 0.99 x 1.02 = 1.0098.
    result = play({0.0: [buy(10)]}, ticks(0.98, 0.99), slippage_bps=200)

    assert fills(result) == [(1.0, "buy", 10.0, 1.0)]


def test_an_order_of_the_last_row_stays_open() -> None:
    result = play({1.0: [buy(10), buy(5, 0.9)]}, ticks(0.50, 0.53))

    assert fills(result) == []
    assert orders(result) == [(1.0, "buy", 10.0, None, "new"), (1.0, "buy", 5.0, 0.9, "new")]


def test_a_run_of_one_row_is_legal() -> None:
    result = play({0.0: [buy(10)]}, ticks(0.50))

    assert fills(result) == []
    assert result.equity_curve == [(0.0, 1000.0)]
    assert result.metrics.total_return == 0.0


# ---------------------------------------------------------------------------- the order at a row
def test_matching_comes_first_then_the_mark_then_the_pipeline() -> None:
    stage = Timetable(
        {0.0: [buy(10, 0.48)]},
        watch=lambda ctx: (
            [(p.size, p.avg_entry_price) for p in ctx.engine.positions()],
            ctx.equity,
            ctx.feed.price,
        ),
    )
    result = play(stage, ticks(0.50, 0.40, 0.45))

    # Row 1 fills 10 at 0.48 and marks them at 0.40: 1000 + 10 x (0.40 - 0.48) = 999.2; row 2
    # marks them at 0.45: 999.7. The pipeline of row 1 sees the fill and the mark.
    assert stage.seen[0] == ([], 1000.0, 0.50)
    assert stage.seen[1] == ([(10.0, 0.48)], pytest.approx(999.2, abs=1e-12), 0.40)
    assert stage.seen[2] == ([(10.0, 0.48)], pytest.approx(999.7, abs=1e-12), 0.45)
    assert equity(result) == pytest.approx([1000.0, 999.2, 999.7], abs=1e-12)
    assert [time for time, _ in result.equity_curve] == [0.0, 1.0, 2.0]


def test_resting_orders_of_one_row_fill_in_order_of_arrival() -> None:
    table = {0.0: [buy(1, 0.45), buy(2, 0.49)], 1.0: [buy(3, 0.48)]}
    result = play(table, ticks(0.50, 0.50, 0.40))

    # All three are reached at once by 0.40: the price does not say who is first, arrival does.
    assert [size for _, _, size, _ in fills(result)] == [1.0, 2.0, 3.0]


def test_own_orders_never_match_each_other() -> None:
    # The sale at 0.45 would cross the bid at 0.55; a row between them fills both at their own
    # limits, a row at 0.50 each.
    result = play({0.0: [buy(10, 0.55), sell(10, 0.45)]}, ticks(0.50, 0.50))

    assert fills(result) == [(1.0, "buy", 10.0, 0.55), (1.0, "sell", 10.0, 0.45)]

    result = play({0.0: [buy(10, 0.55), sell(10, 0.56)]}, ticks(0.60, 0.58, 0.59))
    assert fills(result) == [(1.0, "sell", 10.0, 0.56)]


# ---------------------------------------------------------------------------- money
def test_money_of_a_round_trip_to_the_cent() -> None:
    table = {0.0: [buy(100, 0.40)], 2.0: [sell(100, 0.46)]}
    result = play(table, ticks(0.42, 0.39, 0.44, 0.47), paper_fee_rate=0.01)

    # Bought 100 at 0.40: 40.00 and a fee of 0.40. Sold 100 at 0.46: 46.00, fee 0.46.
    # Row 1 holds 100 marked at 0.39: 1000 - 40.40 + 39 = 998.60; row 2 at 0.44: 1003.60.
    # The end: 1000 + 6.00 - 0.86 = 1005.14.
    assert equity(result) == pytest.approx([1000.0, 998.60, 1003.60, 1005.14], abs=1e-12)
    assert [fill.fee for fill in result.fills] == pytest.approx([0.40, 0.46], abs=1e-15)
    assert [fill.realized_pnl for fill in result.fills] == pytest.approx([0.0, 6.0], abs=1e-12)
    metrics = result.metrics
    assert metrics.total_return == pytest.approx(5.14, abs=1e-12)
    assert metrics.total_return_pct == pytest.approx(0.00514, abs=1e-15)
    assert metrics.total_fees == pytest.approx(0.86, abs=1e-15)
    assert metrics.total_trades == 2
    # The peak of 1000 lies 1.40 above row 1.
    assert metrics.max_drawdown == pytest.approx(1.40, abs=1e-12)
    assert metrics.max_drawdown_pct == pytest.approx(0.0014, abs=1e-15)
    # One closing: 6.00 less its fee of 0.46 and the opening's of 0.40.
    assert metrics.win_rate == 100.0
    assert metrics.expectancy == pytest.approx(5.14, abs=1e-12)
    assert metrics.avg_win == metrics.largest_win == pytest.approx(5.14, abs=1e-12)
    assert metrics.avg_loss == metrics.largest_loss == 0.0
    assert metrics.profit_factor == math.inf
    assert result.pnl_by_market() == {"m": pytest.approx(5.14, abs=1e-12)}


def test_fees_default_to_a_thousandth_of_notional() -> None:
    result = hz.backtest(
        markets=["m"],
        data=ticks(0.50, 0.50),
        pipeline=[Timetable({0.0: [buy(10, 0.50)]})],
    )

    # 10 x 0.50 x 0.001; and a thousand is the capital.
    assert [fill.fee for fill in result.fills] == pytest.approx([0.005], abs=1e-18)
    assert result.equity_curve[0] == (0.0, 1000.0)
    assert equity(result)[1] == pytest.approx(999.995, abs=1e-12)


def test_what_is_marketable_on_arrival_is_a_taker_and_what_rests_a_maker() -> None:
    table = {0.0: [buy(10, 0.50), buy(10, 0.49), buy(10)]}
    result = play(
        table,
        ticks(0.50, 0.48),
        paper_fee_rate=0.5,
        paper_maker_fee_rate=-0.01,
        paper_taker_fee_rate=0.02,
    )

    # A bid at the price of its row takes, one below it makes; a market order takes.
    # Fees: 5.00 x 0.02 = 0.10; 4.90 x -0.01 = -0.049; 4.80 x 0.02 = 0.096.
    assert [fill.is_maker for fill in result.fills] == [False, True, False]
    assert [fill.fee for fill in result.fills] == pytest.approx([0.10, -0.049, 0.096], abs=1e-15)
    assert result.metrics.total_fees == pytest.approx(0.147, abs=1e-15)


def test_one_rate_alone_replaces_the_common_one() -> None:
    table = {0.0: [buy(10, 0.50), buy(10, 0.49)]}
    result = play(table, ticks(0.50, 0.48), paper_fee_rate=0.001, paper_maker_fee_rate=0.0)

    assert [fill.fee for fill in result.fills] == pytest.approx([0.005, 0.0], abs=1e-18)


def test_realised_unrealised_and_fees_make_the_return() -> None:
    table = {0.0: [buy(30, 0.50)], 1.0: [sell(10, 0.52)]}
    result = play(table, ticks(0.50, 0.50, 0.53, 0.55), paper_fee_rate=0.002)

    # 30 at 0.50 (fee 0.03), 10 sold at 0.52 (fee 0.0104): 0.20 realised, 20 held at 0.55: 1.00.
    assert result.pnl_by_market() == {"m": pytest.approx(0.20 - 0.0404, abs=1e-12)}
    frame = result.positions_frame()
    assert len(frame) == 1
    (position,) = result.positions
    assert (position.size, position.avg_entry_price) == (20.0, 0.50)
    assert position.unrealized_pnl == pytest.approx(1.0, abs=1e-12)
    assert result.metrics.total_return == pytest.approx(0.20 - 0.0404 + 1.0, abs=1e-12)


def test_an_order_beyond_the_money_is_rejected_and_counted() -> None:
    # 3000 x 0.50 = 1500, and there are 1000; 1900 x 0.50 = 950 pass.
    table = {0.0: [buy(3000, 0.50), buy(1900, 0.50)]}
    result = play(table, ticks(0.50, 0.50))

    assert [row[-1] for row in orders(result)] == ["rejected", "filled"]
    assert result.rejections == {"buying power": 1}
    assert play(table, ticks(0.50, 0.50), enforce_buying_power=False).rejections == {}


# ---------------------------------------------------------------------------- quotes matching
def test_quotes_match_against_the_opposite_side() -> None:
    data = ticks(0.50, 0.50, 0.50, 0.50, bid=[0.49, 0.47, 0.48, 0.49], ask=[0.51, 0.50, 0.49, 0.51])
    result = play({0.0: [buy(10, 0.49)]}, data, matching="quotes")
    # The ask comes down to 0.49 at row 2.
    assert fills(result) == [(2.0, "buy", 10.0, 0.49)]

    # At the price itself, 0.50 all along, the same bid is never met.
    assert fills(play({0.0: [buy(10, 0.49)]}, data, matching="price")) == []


def test_quotes_that_are_missing_fill_nothing() -> None:
    nan = math.nan
    data = ticks(0.50, 0.40, 0.40, bid=[0.49, 0.39, 0.39], ask=[0.51, nan, 0.41])
    table = {0.0: [buy(10, 0.45), buy(5)]}
    result = play(table, data, matching="quotes")

    # Row 1 has a bid and no ask: neither the limit nor the market order meets anybody. Row 2
    # has an ask of 0.41: the limit pays 0.45, the market order 0.41.
    assert fills(result) == [(2.0, "buy", 10.0, 0.45), (2.0, "buy", 5.0, 0.41)]


def test_a_row_without_either_quote_matches_at_its_price() -> None:
    nan = math.nan
    data = ticks(0.50, 0.45, bid=[0.49, nan], ask=[0.51, nan])
    result = play({0.0: [buy(10, 0.45), sell(5)]}, data, matching="quotes")

    assert fills(result) == [(1.0, "buy", 10.0, 0.45), (1.0, "sell", 5.0, 0.45)]


def test_a_quote_alone_is_met_under_quotes_and_by_nobody_at_the_price() -> None:
    # Row 1 has an ask of 0.44 and no price: the mark stays at 0.50.
    data = ticks(0.50, None, 0.50, bid=[0.49, None, 0.49], ask=[0.51, 0.44, 0.51])
    table = {0.0: [buy(10, 0.45), buy(2)]}
    result = play(table, data, matching="quotes")

    # 10 at 0.45 and 2 at 0.44, marked at 0.50: 0.50 + 0.12.
    assert fills(result) == [(1.0, "buy", 10.0, 0.45), (1.0, "buy", 2.0, 0.44)]
    assert equity(result) == pytest.approx([1000.0, 1000.62, 1000.62], abs=1e-12)

    at_price = play(table, data, matching="price")
    assert fills(at_price) == [(2.0, "buy", 2.0, 0.50)]


def test_market_orders_take_the_opposite_quote_and_the_slippage() -> None:
    data = ticks(0.50, 0.50, bid=[0.49, 0.48], ask=[0.51, 0.52])
    result = play({0.0: [buy(10), sell(10)]}, data, matching="quotes", slippage_bps=50)

    # 0.52 x 1.005 = 0.5226; 0.48 x 0.995 = 0.4776.
    assert [price for *_, price in fills(result)] == pytest.approx([0.5226, 0.4776], abs=1e-15)


def test_makers_and_takers_go_by_the_quotes_under_quotes() -> None:
    data = ticks(0.50, 0.50, bid=[0.48, 0.40], ask=[0.52, 0.41])
    result = play({0.0: [buy(10, 0.51), buy(10, 0.52)]}, data, matching="quotes")

    # 0.51 lies inside the spread of 0.48 to 0.52 and rests; 0.52 is the ask.
    assert [fill.is_maker for fill in result.fills] == [True, False]


# ---------------------------------------------------------------------------- bars
BARS = bars(
    (100, 101, 99, 100),
    (102, 104, 97, 103),
    (95, 99, 94, 98),
    (98, 99, 97, 98),
)


def test_a_bar_has_its_close_for_a_price_and_market_orders_fill_at_the_next_open() -> None:
    stage = Timetable({0.0: [long(1)], 1.0: [short(1)]}, watch=lambda ctx: ctx.feed.price)
    result = play(stage, BARS, markets=["S"], slippage_bps=10)

    assert stage.seen == [100.0, 103.0, 98.0, 98.0]
    # 102 x 1.001 = 102.102; 95 x 0.999 = 94.905. Row 1 marks at 103: 1000.898.
    assert [(t, p) for t, _, _, p in fills(result)] == [
        (1.0, pytest.approx(102.102, abs=1e-12)),
        (2.0, pytest.approx(94.905, abs=1e-12)),
    ]
    assert equity(result)[1] == pytest.approx(1000.898, abs=1e-12)


def test_crossing_bars_fill_limits_by_their_close_alone() -> None:
    # The low of row 1 (97) passes through 98, its close (103) does not; row 2 closes at 98.
    result = play({0.0: [long(1, 98.0)]}, BARS, markets=["S"])

    assert fills(result) == [(2.0, "buy", 1.0, 98.0)]


def test_touching_bars_fill_limits_by_their_extremes() -> None:
    result = play({0.0: [long(1, 98.0)]}, BARS, markets=["S"], bar_fill_mode="touch")
    assert fills(result) == [(1.0, "buy", 1.0, 98.0)]

    # Sent after row 1, the bid of 98 meets an open of 95 at row 2: that is what it pays.
    result = play({1.0: [long(1, 98.0)]}, BARS, markets=["S"], bar_fill_mode="touch")
    assert fills(result) == [(2.0, "buy", 1.0, 95.0)]

    # A sale at 103.5 is touched by the high of 104; at 101 row 1 opens beyond it, at 102.
    result = play(
        {0.0: [short(1, 103.5), short(1, 101.0)]}, BARS, markets=["S"], bar_fill_mode="touch"
    )
    assert fills(result) == [(1.0, "sell", 1.0, 103.5), (1.0, "sell", 1.0, 102.0)]


def test_touching_without_extremes_uses_the_price() -> None:
    table = {0.0: [buy(1, 0.45)]}

    assert fills(play(table, ticks(0.5, 0.46, 0.45), bar_fill_mode="touch")) == [
        (2.0, "buy", 1.0, 0.45)
    ]


# ---------------------------------------------------------------------------- YES and NO
def test_no_is_one_less_yes() -> None:
    table = {0.0: [buy_no(10, 0.45)], 2.0: [sell_no(4, 0.50)]}
    result = play(table, ticks(0.50, 0.54, 0.56, 0.52, 0.48))

    # NO costs 0.50, 0.46, 0.44 (reaches 0.45), 0.48, 0.52 (reaches 0.50).
    assert fills(result) == [(2.0, "buy no", 10.0, 0.45), (4.0, "sell no", 4.0, 0.50)]
    # Held are 10 NO at 0.45, marked 0.44 and 0.48; then 4 are sold: 0.20 won, 6 marked at 0.52.
    wanted = [1000.0, 1000.0, 999.9, 1000.3, 1000.0 + 4 * 0.05 + 6 * 0.07]
    assert equity(result) == pytest.approx(wanted, abs=1e-12)


def test_yes_and_no_are_two_positions() -> None:
    table = {0.0: [buy(10, 0.50), buy_no(10, 0.50)]}
    result = play(table, ticks(0.50, 0.50, 0.70))

    # Ten pairs cost ten, and are worth ten whatever happens: 10 x 0.70 + 10 x 0.30.
    assert sorted((p.side.value, p.size) for p in result.positions) == [
        ("no", 10.0),
        ("yes", 10.0),
    ]
    assert equity(result) == pytest.approx([1000.0] * 3, abs=1e-12)
    assert [p.market_id for p in result.positions] == ["m", "m"]


def test_market_orders_of_no_fill_at_its_own_price() -> None:
    result = play({0.0: [buy_no(10)]}, ticks(0.50, 0.60), slippage_bps=100)

    # 1 - 0.60 = 0.40, and 1 % on top: 0.404.
    assert [p for *_, p in fills(result)] == pytest.approx([0.404], abs=1e-15)


def test_no_meets_the_mirrored_quotes() -> None:
    data = ticks(0.50, 0.50, bid=[0.49, 0.48], ask=[0.51, 0.53])
    result = play({0.0: [buy_no(10), sell_no(10)]}, data, matching="quotes")

    # NO is offered at 1 - 0.48 = 0.52 and bid at 1 - 0.53 = 0.47.
    assert fills(result) == [(1.0, "buy no", 10.0, 0.52), (1.0, "sell no", 10.0, 0.47)]


# ---------------------------------------------------------------------------- what quotes leave
def steady(quotes_at: dict[float, Any]) -> Any:
    """Quote what the table says from each of its times on."""

    def stage(ctx: Any) -> Any:
        return quotes_at[max(time for time in quotes_at if time <= ctx.timestamp)]

    return stage


def test_equal_quotes_keep_their_orders() -> None:
    result = play(steady({0.0: quote(0.40, 0.60)}), ticks(*[0.50] * 5))

    assert [row[1:] for row in orders(result)] == [
        ("buy", 10.0, 0.40, "new"),
        ("sell", 10.0, 0.60, "new"),
    ]


def test_a_moved_leg_is_replaced_and_the_other_kept() -> None:
    result = play(steady({0.0: quote(0.40, 0.60), 1.0: quote(0.41, 0.60)}), ticks(0.5, 0.5, 0.5))

    assert orders(result) == [
        (0.0, "buy", 10.0, 0.40, "canceled"),
        (0.0, "sell", 10.0, 0.60, "new"),
        (1.0, "buy", 10.0, 0.41, "new"),
    ]


def test_a_smaller_quote_is_amended_down_and_a_larger_one_is_new() -> None:
    table = {0.0: quote(0.40, 0.60, 10), 1.0: quote(0.40, 0.60, 7), 2.0: quote(0.40, 0.60, 8)}
    result = play(steady(table), ticks(0.5, 0.5, 0.5))

    assert orders(result) == [
        (0.0, "buy", 7.0, 0.40, "canceled"),
        (0.0, "sell", 7.0, 0.60, "canceled"),
        (2.0, "buy", 8.0, 0.40, "new"),
        (2.0, "sell", 8.0, 0.60, "new"),
    ]


def test_a_kept_quote_keeps_its_place_in_the_queue() -> None:
    # The bid of row 0 is amended down at row 1, after the user's own bid: it is still first.
    table = {
        0.0: [*quote(0.40, 0.60, 10), buy(1, 0.40)],
        1.0: quote(0.40, 0.60, 7),
    }
    result = play(steady(table), ticks(0.5, 0.5, 0.40))

    assert [(size, price) for _, _, size, price in fills(result)] == [(7.0, 0.40), (1.0, 0.40)]


def test_a_filled_leg_is_quoted_anew_and_the_other_kept() -> None:
    result = play(steady({0.0: quote(0.40, 0.60)}), ticks(0.5, 0.38, 0.5, 0.39))

    # Filled at rows 1 and 3, each time with a new order behind it.
    assert orders(result) == [
        (0.0, "buy", 10.0, 0.40, "filled"),
        (0.0, "sell", 10.0, 0.60, "new"),
        (1.0, "buy", 10.0, 0.40, "filled"),
        (3.0, "buy", 10.0, 0.40, "new"),
    ]


@pytest.mark.parametrize("nothing", [None, [], 0.5, (), 1], ids=repr)
def test_nothing_is_left_resting_by(nothing: Any) -> None:
    result = play(steady({0.0: quote(0.40, 0.60), 1.0: nothing}), ticks(0.5, 0.5, 0.3))

    assert [row[-1] for row in orders(result)] == ["canceled", "canceled"]
    assert fills(result) == []


def test_requests_are_sent_once_and_stay() -> None:
    # The request outlives the quotes beside it, and is not sent again by later rows.
    table = {0.0: [*quote(0.40, 0.60), buy(3, 0.35)], 1.0: None, 2.0: quote(0.45, 0.65)}
    result = play(steady(table), ticks(0.5, 0.5, 0.5, 0.34))

    assert [row[1:4] for row in orders(result)] == [
        ("buy", 10.0, 0.40),
        ("sell", 10.0, 0.60),
        ("buy", 3.0, 0.35),
        ("buy", 10.0, 0.45),
        ("sell", 10.0, 0.65),
        ("buy", 10.0, 0.45),  # behind the one that the last row has filled
    ]
    # At 0.34 both bids are reached, the request's being older.
    assert fills(result) == [(3.0, "buy", 3.0, 0.35), (3.0, "buy", 10.0, 0.45)]


def test_one_record_counts_as_a_list_of_one() -> None:
    assert len(orders(play({0.0: Quote(0.40, 0.60, 5)}, ticks(0.5, 0.5)))) == 2
    assert len(orders(play({0.0: buy(5, 0.4)}, ticks(0.5, 0.5)))) == 1


def test_several_quotes_make_a_ladder() -> None:
    ladder = [Quote(0.45, 0.55, 10), Quote(0.40, 0.60, 20)]
    result = play(steady({0.0: ladder}), ticks(0.5, 0.42, 0.42, 0.39))

    # Row 1 takes the 10 at 0.45, which row 1 quotes anew, row 2 takes again, and row 3 takes
    # with the 20 at 0.40, which are older.
    assert fills(result) == [
        (1.0, "buy", 10.0, 0.45),
        (2.0, "buy", 10.0, 0.45),
        (3.0, "buy", 20.0, 0.40),
        (3.0, "buy", 10.0, 0.45),
    ]


def test_of_two_legs_at_one_price_the_larger_keeps_the_order() -> None:
    table = {0.0: quote(0.40, 0.60, 6), 1.0: [Quote(0.40, 0.60, 4), Quote(0.40, 0.61, 1)]}
    result = play(steady(table), ticks(0.5, 0.5, 0.5))

    assert orders(result) == [
        (0.0, "buy", 4.0, 0.40, "new"),
        (0.0, "sell", 4.0, 0.60, "new"),
        (1.0, "buy", 1.0, 0.40, "new"),
        (1.0, "sell", 1.0, 0.61, "new"),
    ]


def test_two_equal_legs_keep_two_orders() -> None:
    ladder = [Quote(0.40, 0.60, 5), Quote(0.40, 0.60, 5), Quote(0.40, 0.60, 3)]
    result = play(steady({0.0: ladder}), ticks(0.5, 0.5, 0.5))

    assert len(orders(result)) == 6


def test_a_locked_quote_is_legal_and_a_crossed_one_is_not() -> None:
    result = play({0.0: quote(0.50, 0.50)}, ticks(0.50, 0.50))
    assert fills(result) == [(1.0, "buy", 10.0, 0.50), (1.0, "sell", 10.0, 0.50)]

    with pytest.raises(hz.errors.PipelineError) as caught:
        play(lambda ctx: hz.quotes(0.5, spread=-0.02, size=1), ticks(0.50, 0.50))
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match=r"0\.6.*0\.4"):
        Quote(0.6, 0.4, 1)


def test_quotes_are_half_a_spread_on_each_side() -> None:
    assert hz.quotes(0.50, spread=0.04, size=10) == [Quote(0.48, 0.52, 10.0)]
    assert hz.quotes(fair=0.25, spread=0.0, size=2) == [Quote(0.25, 0.25, 2.0)]


def test_a_leg_outside_the_market_is_not_sent_and_counted() -> None:
    # 0.01 - 0.02 is below 0; and 1.00 exactly is no price that an order may have.
    table = {0.0: hz.quotes(0.01, 0.04, 10), 1.0: quote(0.90, 1.00)}
    result = play(steady(table), ticks(0.01, 0.95, 0.97))

    # The ask of 0.03 stands and is met at row 1; the bid of 0.90 rests.
    assert fills(result) == [(1.0, "sell", 10.0, 0.03)]
    assert [row[1:4] for row in orders(result)] == [
        ("sell", 10.0, 0.03),
        ("buy", 10.0, 0.90),
    ]
    # Row 0 once, rows 1 and 2 once each.
    assert result.rejections == {"price_bounds": 3}


def test_risk_refuses_by_rule_and_the_run_goes_on() -> None:
    risk = hz.RiskConfig(max_order_size=5, max_position_per_market=8)
    table = {0.0: [buy(6, 0.50), buy(5, 0.50)], 1.0: [buy(4, 0.50)], 2.0: [buy(3, 0.50)]}
    result = play(table, ticks(*[0.50] * 4), risk=risk)

    # 6 is too large; 5 passes; 5 + 4 = 9 is over 8; 5 + 3 = 8 is not.
    assert result.rejections == {"max_order_size": 1, "max_position_per_market": 1}
    assert fills(result) == [(1.0, "buy", 5.0, 0.50), (3.0, "buy", 3.0, 0.50)]


def test_a_drawdown_stops_what_opens_until_the_next_day() -> None:
    day = 86_400.0
    risk = hz.RiskConfig(max_daily_drawdown_pct=10.0)
    data = [
        {"timestamp": 10.0, "price": 0.50},
        {"timestamp": 20.0, "price": 0.50},
        {"timestamp": 30.0, "price": 0.30},
        {"timestamp": 40.0, "price": 0.30},
        {"timestamp": day + 1, "price": 0.30},
        {"timestamp": day + 2, "price": 0.30},
    ]
    table = {
        10.0: [buy(1000, 0.50), buy(10, 0.20)],
        30.0: [buy(1, 0.30), sell(100, 0.30)],
        day + 1: [buy(1, 0.30)],
    }
    result = play(table, data, risk=risk)

    # 1000 at 0.50, marked at 0.30: 800 of 1000 is 20 % down. The bid at 0.20 opens and is
    # cancelled, a buy is refused, a sale passes; the next day a buy passes again.
    assert fills(result) == [
        (20.0, "buy", 1000.0, 0.50),
        (40.0, "sell", 100.0, 0.30),
        (day + 2, "buy", 1.0, 0.30),
    ]
    assert result.rejections == {"max_daily_drawdown_pct": 1}
    assert orders(result)[1][-1] == "canceled"


# ---------------------------------------------------------------------------- tif
def test_an_ioc_limit_is_decided_at_the_next_row() -> None:
    table = {0.0: [buy(10, 0.49, tif="ioc")], 1.0: [buy(5, 0.49, tif="ioc")]}
    result = play(table, ticks(0.50, 0.50, 0.49, 0.49))

    # The first meets 0.50 and ends; the second meets 0.49.
    assert fills(result) == [(2.0, "buy", 5.0, 0.49)]
    assert [row[-1] for row in orders(result)] == ["canceled", "filled"]


def test_post_only_and_reduce_only_mean_what_they_say() -> None:
    table = {
        0.0: [buy(10, 0.51, post_only=True), buy(10, 0.49, post_only=True)],
        1.0: [sell(20, 0.48, reduce_only=True), sell(7, 0.48, reduce_only=True)],
    }
    result = play(table, ticks(0.50, 0.48, 0.48))

    # 0.51 would take at 0.50. Of the 10 held, 20 are too many to reduce.
    assert [row[-1] for row in orders(result)] == ["rejected", "filled", "rejected", "filled"]
    assert result.rejections == {"post_only": 1, "reduce_only": 1}
    assert fills(result) == [(1.0, "buy", 10.0, 0.49), (2.0, "sell", 7.0, 0.48)]


# ---------------------------------------------------------------------------- latency
def test_latency_lets_a_row_pass_that_comes_before_the_arrival() -> None:
    # Sent at 0, it arrives at 1.5: row 1 (0.40) is too early, row 2 (0.45) is the first.
    table = {0.0: [buy(10, 0.45), buy(5)]}
    result = play(table, ticks(0.50, 0.40, 0.45, 0.44), latency_ms=1500)

    assert fills(result) == [(2.0, "buy", 10.0, 0.45), (2.0, "buy", 5.0, 0.45)]


def test_an_order_that_arrives_at_a_row_is_first_met_by_the_next() -> None:
    result = play({0.0: [buy(10, 0.45), buy(5)]}, ticks(0.50, 0.40, 0.44), latency_ms=1000)

    assert fills(result) == [(2.0, "buy", 10.0, 0.45), (2.0, "buy", 5.0, 0.44)]


def test_what_arrives_after_the_last_row_never_does() -> None:
    result = play({1.0: [buy(10)]}, ticks(0.50, 0.50, 0.50), latency_ms=2000)

    assert fills(result) == []
    assert equity(result) == [1000.0] * 3


def test_a_cancel_travels_too() -> None:
    # The quote of row 0 arrives at 0.5. Row 1 wants nothing, which arrives at 1.5: row 2 finds
    # it gone. With 1500 ms it arrives at 1.5, and the cancel of row 1 at 2.5: row 2 fills it.
    stage = steady({0.0: quote(0.40, 0.60), 1.0: None})
    data = ticks(0.50, 0.50, 0.40, 0.40)

    assert fills(play(stage, data, latency_ms=500)) == []
    assert fills(play(stage, data, latency_ms=1500)) == [(2.0, "buy", 10.0, 0.40)]


def test_an_amendment_counts_though_a_cancel_is_behind_it() -> None:
    # Ten are on offer from 1.5 on; four from 3.5 on; none from 4.5 on. Row 4 is in between.
    stage = steady({0.0: quote(0.40, 0.60, 10), 2.0: quote(0.40, 0.60, 4), 3.0: None})
    result = play(stage, ticks(0.5, 0.5, 0.5, 0.5, 0.40, 0.40), latency_ms=1500)

    assert fills(result) == [(4.0, "buy", 4.0, 0.40)]


def test_reserves_and_limits_count_from_submission() -> None:
    # 1900 x 0.50 = 950 are on their way when 200 x 0.50 = 100 are asked for: 50 are left.
    table = {0.0: [buy(1900, 0.50)], 1.0: [buy(200, 0.50)]}
    result = play(table, ticks(*[0.50] * 8), latency_ms=3500)

    assert fills(result) == [(4.0, "buy", 1900.0, 0.50)]
    assert result.rejections == {"buying power": 1}

    risk = hz.RiskConfig(max_position_per_market=10)
    result = play({0.0: [buy(7, 0.5), buy(7, 0.5)]}, ticks(0.5, 0.5), risk=risk, latency_ms=100)
    assert result.rejections == {"max_position_per_market": 1}


def test_latency_within_a_bar_is_said_to_have_cost_nothing() -> None:
    bars = [
        {"timestamp": 60.0 * i, "open": p, "high": p + 2, "low": p - 2, "close": p + 1}
        for i, p in enumerate([100.0, 110.0, 120.0], start=1)
    ]

    def once(ctx: hz.backtesting.Context) -> Any:
        if ctx.timestamp == 60.0:
            return hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, 1)
        return None

    late = hz.backtest(markets=["ACME"], data=bars, pipeline=[once], latency_ms=5_000)
    # Sent at 60, there at 65; the bar that ends at 120 opened at 110 just after 60.
    assert [(fill.timestamp, fill.price) for fill in late.fills] == [(120.0, 110.0)]
    assert any("a price from before its arrival" in said for said in late.cautions)
    prompt = hz.backtest(markets=["ACME"], data=bars, pipeline=[once])
    assert not any("before its arrival" in said for said in prompt.cautions)
