"""The context of a stage: what it shows, the user's own orders, and algorithms inside a run."""

from __future__ import annotations

import math
from typing import Any

import pytest

import horizon as hz
from horizon import TWAP, VWAP, Iceberg, OrderRequest, OrderSide, Side
from horizon.errors import VenueError
from tests.backtesting.scenes import (
    Timetable,
    book,
    buy,
    buy_no,
    equity,
    fills,
    orders,
    play,
    ticks,
)


def watched(watch: Any, data: Any, table: Any = None, **how: Any) -> list[Any]:
    """What a stage sees, row by row."""
    stage = Timetable(table, watch=watch)
    play(stage, data, **how)
    return stage.seen


# ---------------------------------------------------------------------------- what it shows
def test_feed_market_and_time() -> None:
    seen = watched(
        lambda ctx: (ctx.timestamp, ctx.feed.timestamp, ctx.feed.price, ctx.market_id),
        ticks(0.5, 0.6, start=7.0, step=0.25),
    )
    assert seen == [(7.0, 7.0, 0.5, "m"), (7.25, 7.25, 0.6, "m")]

    seen = watched(lambda ctx: (ctx.market.id, ctx.market.asset_class), ticks(0.5))
    assert seen == [("m", hz.Prediction)]


def test_feeds_are_all_feeds_by_name() -> None:
    data = {"poll": ticks(0.5, 0.6), "spot": ticks(70.0, 71.0)}
    seen = watched(
        lambda ctx: {name: row.price for name, row in ctx.feeds.items()}, data, feeds={"m": "poll"}
    )

    assert seen == [{"poll": 0.5, "spot": 70.0}, {"poll": 0.6, "spot": 71.0}]


def test_a_stage_cannot_change_the_feeds() -> None:
    def meddle(ctx: Any) -> Any:
        with pytest.raises(TypeError):
            ctx.feeds["market"] = None
        return ctx.feed.price

    assert watched(meddle, ticks(0.5)) == [0.5]


def test_the_quickest_feed_of_a_typo_has_a_suggestion() -> None:
    with pytest.raises(hz.errors.PipelineError) as caught:
        play(
            lambda ctx: ctx.feeds["spto"],
            {"poll": ticks(0.5), "spot": ticks(7.0)},
            feeds={"m": "poll"},
        )
    assert isinstance(caught.value.__cause__, KeyError)
    assert "spto" in str(caught.value)


def test_params_hold_the_callers_and_the_engine() -> None:
    seen = watched(
        lambda ctx: (ctx.params["spread"], ctx.params["engine"] is ctx.engine),
        ticks(0.5),
        params={"spread": 0.02},
    )
    assert seen == [(0.02, True)]

    seen = watched(lambda ctx: sorted(ctx.params), ticks(0.5))
    assert seen == [["engine"]]


def test_what_a_stage_puts_into_params_lasts_for_the_run_alone() -> None:
    mine = {"n": 0}

    def stage(ctx: Any) -> None:
        ctx.params["n"] += 1
        seen.append(ctx.params["n"])

    for _ in range(2):
        seen: list[int] = []
        play(stage, ticks(0.5, 0.5, 0.5), params=mine)
        assert seen == [1, 2, 3]
    assert mine == {"n": 0}


def test_without_books_there_is_no_book() -> None:
    assert watched(lambda ctx: ctx.book, ticks(0.5)) == [None]


def test_book_before_the_first_snapshot() -> None:
    seen = watched(
        lambda ctx: ctx.book is None or (ctx.book.bids, ctx.book.asks, math.isnan(ctx.book.mid)),
        ticks(0.5, 0.5),
        book_data={"m": [book(1.0, [(0.4, 1.0)], [(0.6, 2.0)])]},
    )

    assert seen[0] in (True, ([], [], True))
    assert seen[1] == ([(0.4, 1.0)], [(0.6, 2.0)], False)


def test_a_book_shows_its_middle_spread_and_time() -> None:
    seen = watched(
        lambda ctx: (ctx.book.mid, ctx.book.spread, ctx.book.timestamp),
        ticks(0.5, 0.5),
        book_data={"m": [book(0.0, [(0.4, 1.0)], [(0.6, 2.0)])]},
    )

    assert seen == [(pytest.approx(0.5), pytest.approx(0.2), 0.0)] * 2


def test_inventory_is_net_of_no_and_position_is_of_yes() -> None:
    table = {0.0: [buy(10, 0.50), buy_no(4, 0.50)]}
    seen = watched(
        lambda ctx: (
            ctx.inventory,
            ctx.position.size,
            ctx.position.avg_entry_price,
            ctx.position.unrealized_pnl,
            ctx.position.side,
        ),
        ticks(0.50, 0.50, 0.60),
        table,
    )

    assert seen[0] == (0.0, 0.0, 0.0, 0.0, Side.Yes)
    assert seen[1] == (6.0, 10.0, 0.50, 0.0, Side.Yes)
    assert seen[2] == (6.0, 10.0, 0.50, pytest.approx(1.0, abs=1e-12), Side.Yes)


def test_equity_and_portfolio_are_of_the_whole_account() -> None:
    data = {"a": ticks(0.50, 0.50, 0.40), "b": ticks(0.20, 0.20, 0.30)}
    table = {("x", 0.0): [buy(100, 0.50, "x")], ("y", 0.0): [buy(100, 0.20, "y")]}
    seen = watched(
        lambda ctx: (
            ctx.market_id,
            ctx.equity,
            ctx.portfolio.equity,
            ctx.portfolio.cash,
            sorted(p.market_id for p in ctx.portfolio.positions),
        ),
        data,
        table,
        markets=["x", "y"],
        feeds={"x": "a", "y": "b"},
    )

    # 100 at 0.50 and 100 at 0.20 cost 70; x loses 10, y wins 10.
    assert seen[0] == ("x", 1000.0, 1000.0, 1000.0, [])
    assert seen[2] == ("x", pytest.approx(1000.0), pytest.approx(1000.0), 930.0, ["x", "y"])
    assert seen[5] == ("y", pytest.approx(1000.0), pytest.approx(1000.0), 930.0, ["x", "y"])


def test_drawdown_is_from_the_highest_equity_so_far() -> None:
    seen = watched(
        lambda ctx: ctx.portfolio.drawdown,
        ticks(0.50, 0.50, 0.70, 0.45),
        {0.0: [buy(1000, 0.50)]},
    )

    # 1000, 1000, 1200, 950: the last is 250 under 1200.
    assert seen == pytest.approx([0.0, 0.0, 0.0, 250 / 1200], abs=1e-12)


# ---------------------------------------------------------------------------- own orders
def test_orders_of_the_exchange_fill_as_any_other() -> None:
    def stage(ctx: Any) -> None:
        ex = ctx.exchange("paper")
        if ctx.timestamp == 0.0:
            ex.buy_prediction("m", 10, limit=0.50)
            ex.sell_prediction("m", 4, market=True)
        elif ctx.timestamp == 1.0:
            seen.append((len(ex.positions()), ex.balance().cash))

    seen: list[Any] = []
    result = play(stage, ticks(0.52, 0.50, 0.50))

    assert fills(result) == [(1.0, "buy", 10.0, 0.50), (1.0, "sell", 4.0, 0.50)]
    assert seen == [(1, pytest.approx(1000 - 5.0 + 2.0, abs=1e-12))]


def test_a_market_order_of_a_stage_waits_for_the_next_row_too() -> None:
    def stage(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            order = ctx.exchange("paper").buy_prediction("m", 10, market=True)
            seen.append((order.status, order.filled_quantity))
            own = ctx.engine.submit_order(OrderRequest("m", Side.Yes, OrderSide.Buy, 5.0))
            seen.append(ctx.engine.order(own).status)

    seen: list[Any] = []
    result = play(stage, ticks(0.50, 0.55))

    assert seen == [("new", 0.0), "new"]
    assert fills(result) == [(1.0, "buy", 10.0, 0.55), (1.0, "buy", 5.0, 0.55)]


def test_own_orders_rest_while_the_pipelines_quotes_come_and_go() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            ctx.exchange("paper").buy_prediction("m", 3, limit=0.40)
            return hz.quotes(0.50, 0.10, 5)
        return None

    result = play(stage, ticks(0.50, 0.50, 0.40))

    assert fills(result) == [(2.0, "buy", 3.0, 0.40)]
    assert [row[-1] for row in orders(result)] == ["filled", "canceled", "canceled"]


def test_cancels_and_amendments_of_a_stage() -> None:
    def stage(ctx: Any) -> None:
        ex = ctx.exchange("paper")
        if ctx.timestamp == 0.0:
            own.append(ex.buy_prediction("m", 3, limit=0.40).id)
            own.append(ex.buy_prediction("m", 5, limit=0.41).id)
        elif ctx.timestamp == 1.0:
            assert ex.cancel(own[0])
            ex.amend(own[1], new_price=0.45)

    own: list[str] = []
    result = play(stage, ticks(0.50, 0.50, 0.45))

    assert fills(result) == [(2.0, "buy", 5.0, 0.45)]


def test_flatten_closes_at_the_next_row() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            return [buy(10, 0.50), buy(5, 0.10)]
        if ctx.timestamp == 1.0:
            ctx.exchange("paper").flatten("m")
        return None

    result = play(stage, ticks(0.50, 0.50, 0.53))

    assert fills(result) == [(1.0, "buy", 10.0, 0.50), (2.0, "sell", 10.0, 0.53)]
    assert result.positions == []
    assert [row[-1] for row in orders(result)] == ["filled", "canceled", "filled"]


def test_a_stage_may_trade_another_market() -> None:
    data = {"a": ticks(0.50, 0.50), "b": ticks(0.20, 0.21)}

    def stage(ctx: Any) -> Any:
        if ctx.market_id == "x" and ctx.timestamp == 0.0:
            return [buy(5, 0.25, "y")]
        return None

    result = play(stage, data, markets=["x", "y"], feeds={"x": "a", "y": "b"})

    assert [(f.market_id, f.timestamp, f.price) for f in result.fills] == [("y", 1.0, 0.25)]


def test_closing_the_exchange_does_not_end_the_run() -> None:
    def stage(ctx: Any) -> Any:
        with ctx.exchange("paper") as ex:
            ex.close()
            seen.append(ex.balance().equity)
        return [buy(1, 0.60)] if ctx.timestamp == 0.0 else None

    seen: list[float] = []
    result = play(stage, ticks(0.50, 0.50, 0.50))

    assert len(seen) == 3
    assert fills(result) == [(1.0, "buy", 1.0, 0.60)]


def test_there_is_one_exchange_and_it_takes_no_ticks() -> None:
    def stage(ctx: Any) -> None:
        with pytest.raises(VenueError, match=r"kraken"):
            ctx.exchange("kraken")
        ex = ctx.exchange("paper")
        assert ex is ctx.exchange("paper")
        with pytest.raises(VenueError):
            ex.tick("m", 0.9)
        with pytest.raises(VenueError):
            ex.settle("m", 1.0)
        seen.append(ctx.feed.price)

    seen: list[float] = []
    play(stage, ticks(0.50, 0.51))
    assert seen == [0.50, 0.51]


def test_fills_can_be_drained_by_the_stage() -> None:
    def stage(ctx: Any) -> Any:
        seen.append([(f.size, f.price) for f in ctx.engine.drain_fills()])
        return [buy(2, 0.55)] if ctx.timestamp < 2 else None

    seen: list[Any] = []
    result = play(stage, ticks(0.50, 0.50, 0.50, 0.50))

    assert seen == [[], [(2.0, 0.55)], [(2.0, 0.55)], []]
    assert len(result.fills) == 2


def test_the_kill_switch_ends_what_opens() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 1.0:
            ctx.engine.kill_switch()
        return [buy(2, 0.55)]

    result = play(
        stage,
        ticks(0.50, 0.50, 0.50, 0.50),
    )

    # Two bought at row 1; the switch sells them at row 2 and refuses the bids of rows 1 to 3.
    assert fills(result) == [(1.0, "buy", 2.0, 0.55), (2.0, "sell", 2.0, 0.50)]
    assert result.rejections == {"kill_switch": 3}


# ---------------------------------------------------------------------------- algorithms
def parent(size: float, price: float | None = 0.55) -> OrderRequest:
    return OrderRequest("m", Side.Yes, OrderSide.Buy, size, price)


def test_a_twap_by_hand_sends_a_slice_each_interval() -> None:
    algos: list[TWAP] = []

    def stage(ctx: Any) -> None:
        if not algos:
            algo = TWAP(ctx.params["engine"], duration_secs=4, num_slices=4)
            algo.start(parent(40))
            algos.append(algo)
        algos[0].on_tick(ctx.feed.price, ctx.timestamp)

    result = play(stage, ticks(0.50, 0.49, 0.51, 0.48, 0.48, 0.48))

    # Slices of 10 at 0, 1, 2 and 3, each a limit at its row's price. Row 1 (0.49) fills the
    # first at 0.50; row 2 (0.51) none; row 3 (0.48) those of 0.49 and 0.51; row 4 the last.
    assert [(row[0], row[3]) for row in orders(result)] == [
        (0.0, 0.50),
        (1.0, 0.49),
        (2.0, 0.51),
        (3.0, 0.48),
    ]
    assert fills(result) == [
        (1.0, "buy", 10.0, 0.50),
        (3.0, "buy", 10.0, 0.49),
        (3.0, "buy", 10.0, 0.51),
        (4.0, "buy", 10.0, 0.48),
    ]
    assert algos[0].is_complete
    assert algos[0].total_filled == 40.0


def test_a_twap_by_the_exchange_runs_by_itself() -> None:
    def stage(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            algos.append(ctx.exchange("paper").twap("m", 40, duration_secs=4, num_slices=4))

    algos: list[Any] = []
    result = play(stage, ticks(0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50))

    # Its first tick is that of row 1: slices at 1, 2, 3, 4; each is met by the row after it.
    assert [row[0] for row in orders(result)] == [1.0, 2.0, 3.0, 4.0]
    assert [row[0] for row in fills(result)] == [2.0, 3.0, 4.0, 5.0]
    assert algos[0].progress.status == "completed"


def test_a_vwap_follows_its_profile() -> None:
    def by_hand(ctx: Any) -> None:
        if not algos:
            algos.append(VWAP(ctx.engine, duration_secs=3, volume_profile=[3.0, 1.0, 2.0]))
            algos[0].start(parent(60))
        algos[0].on_tick(ctx.feed.price, ctx.timestamp)

    def by_exchange(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            profile = [3.0, 1.0, 2.0]
            ctx.exchange("paper").vwap("m", 60, duration_secs=3, volume_profile=profile)

    algos: list[Any] = []
    data = ticks(*[0.50] * 6)

    # 60 in parts of 3, 1 and 2 sixths.
    assert [(row[0], row[2]) for row in fills(play(by_hand, data))] == [
        (1.0, 30.0),
        (2.0, 10.0),
        (3.0, 20.0),
    ]
    assert [(row[0], row[2]) for row in fills(play(by_exchange, data))] == [
        (2.0, 30.0),
        (3.0, 10.0),
        (4.0, 20.0),
    ]


def test_an_iceberg_shows_its_next_part_when_the_last_has_filled() -> None:
    def by_hand(ctx: Any) -> None:
        if not algos:
            algos.append(Iceberg(ctx.engine, show_size=15.0))
            algos[0].start(parent(40, 0.50))
        if not algos[0].is_complete:
            algos[0].on_tick(ctx.feed.price, ctx.timestamp)

    def by_exchange(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            algos.append(ctx.exchange("paper").iceberg("m", 40, show_size=15, limit=0.50))

    data = ticks(0.52, 0.50, 0.52, 0.49, 0.50, 0.50, 0.50)
    for stage in (by_hand, by_exchange):
        algos: list[Any] = []
        result = play(stage, data)
        assert [row[2] for row in fills(result)] == [15.0, 15.0, 10.0]
        assert {row[3] for row in fills(result)} == {0.50}
        assert algos[0].is_complete


def test_an_algorithm_that_is_not_done_at_the_end_leaves_its_child_open() -> None:
    def stage(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            ctx.exchange("paper").iceberg("m", 4, show_size=2, limit=0.40)

    result = play(stage, ticks(0.50, 0.51, 0.52))

    # The end of the data is no event: what rested rests.
    assert [row[1:] for row in orders(result)] == [("buy", 2.0, 0.40, "new")]


def test_quotes_beside_an_algorithm_leave_its_children_alone() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            ctx.exchange("paper").iceberg("m", 20, show_size=10, limit=0.45)
        return hz.quotes(ctx.feed.price, 0.20, 5) if ctx.timestamp < 3 else None

    result = play(stage, ticks(0.50, 0.51, 0.52, 0.45, 0.45, 0.45))
    children = [row for row in orders(result) if row[2] == 10.0]

    # Children are shown at their own limit from row 1 on, or on start: filled at rows 3 and 4.
    assert [row[-1] for row in children] == ["filled", "filled"]


def test_an_unfilled_twap_expires_within_the_run() -> None:
    def stage(ctx: Any) -> None:
        if not algos:
            algo = TWAP(ctx.engine, duration_secs=2, num_slices=2)
            algo.start(parent(20))
            algos.append(algo)
        algos[0].on_tick(ctx.feed.price, ctx.timestamp)

    algos: list[Any] = []
    result = play(stage, ticks(0.50, 0.51, 0.52, 0.40))

    # Both children lie below a rising market; at 2 s they are cancelled.
    assert fills(result) == []
    assert algos[0].progress.status == "expired"
    assert [row[-1] for row in orders(result)] == ["canceled", "canceled"]


def test_an_accumulator_in_a_pipeline_reaches_its_target() -> None:
    def model(ctx: Any) -> float:
        return 0.60

    class Manager:
        algo: Any = None

        def __call__(self, ctx: Any, fair: float) -> None:
            engine = ctx.params["engine"]
            if self.algo is None or self.algo.is_complete:
                held = [p.size for p in engine.positions() if p.market_id == ctx.market_id]
                missing = 100.0 - sum(held)
                if missing > 0.0:
                    self.algo = TWAP(engine, duration_secs=120, num_slices=6)
                    self.algo.start(parent(missing, fair))
            if self.algo is not None and not self.algo.is_complete:
                self.algo.on_tick(ctx.feed.price, ctx.timestamp)

    data = ticks(*[0.50 + 0.02 * math.sin(n / 3) for n in range(300)])
    result = hz.backtest(
        name="accumulator",
        markets=["m"],
        data=data,
        pipeline=[model, Manager()],
    )

    (position,) = result.positions
    assert position.size == pytest.approx(100.0, abs=1e-9)
    assert sum(fill.size for fill in result.fills) == pytest.approx(100.0, abs=1e-9)
    assert len(result.fills) >= 6


def test_an_algorithm_in_a_book_takes_and_rests() -> None:
    def stage(ctx: Any) -> None:
        if ctx.timestamp == 0.0:
            ctx.exchange("paper").twap("m", 8, duration_secs=4, num_slices=4)

    books = [book(float(t), [(0.48, 9.0)], [(0.50, 9.0)]) for t in range(7)]
    result = play(stage, None, book_data={"m": books})

    # Children rest at the mid of 0.49, which nothing reaches: it expires with nothing bought.
    assert fills(result) == []
    assert equity(result) == [1000.0] * 7


def test_a_preview_walks_the_book_of_the_moment() -> None:
    asks = [(0.52, 10), (0.55, 20)]
    books = [{"timestamp": t, "bids": [(0.5, 10)], "asks": asks} for t in (1, 2)]
    seen = []

    def look(ctx: hz.backtesting.Context) -> None:
        seen.append(ctx.exchange().preview("m", 15, market=True))

    hz.backtest(markets=["m"], book_data={"m": books}, pipeline=[look])
    # 10 at 0.52 and 5 at 0.55 cost 7.95: 0.53 each.
    assert [one.taking.levels for one in seen] == [((0.52, 10.0), (0.55, 5.0))] * 2
    assert [one.price for one in seen] == pytest.approx([0.53] * 2)
