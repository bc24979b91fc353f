"""Runs on played feeds: the same rows do the same as in a backtest, at any speed."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon as hz
from horizon.backtesting.playing import play_order
from horizon.errors import DataError
from horizon.feeds import Replay, Synthetic
from horizon.feeds.recording import Recording
from horizon.running import run
from horizon.running.player import steps_of
from horizon.venues.latency import ConstantLatency
from tests.running.live import facts, in_background, quoter, until

FAST = math.inf


def rows_of(feed: Any) -> list[dict[str, Any]]:
    """A feed's rows as data for a backtest, in its own times."""
    names = ("price", "bid", "ask", "bid_size", "ask_size", "open", "high", "low", "volume")
    return [
        {"timestamp": np.datetime64(row.timestamp_ns, "ns")}
        | {name: getattr(row, name) for name in names if getattr(row, name) is not None}
        for row in feed
    ]


def wild(seed: int, n: int = 400, **options: Any) -> Synthetic:
    return Synthetic(seed, n=n, volatility=0.02, **options)


def crossing() -> Any:
    """Buys after a rise and sells after a fall, by market orders; fails at times."""
    last: dict[str, float] = {}

    def stage(ctx: Any) -> Any:
        before = last.get(ctx.market_id)
        last[ctx.market_id] = ctx.feed.price
        if before is None or before == ctx.feed.price:
            return None
        rose = ctx.feed.price > before
        if (ctx.inventory > 0) == rose and ctx.inventory:
            return None
        side = hz.OrderSide.Buy if rose else hz.OrderSide.Sell
        return hz.OrderRequest(ctx.market_id, hz.Side.Yes, side, size=5.0 + abs(ctx.inventory))

    return stage


@pytest.mark.parametrize("matching", ["price", "quotes"])
@pytest.mark.parametrize("interval", [None, 0.5, 7.0])
@pytest.mark.parametrize("stage", ["quoter", "crossing"])
def test_a_run_does_what_a_backtest_of_the_rows_does(
    interval: float | None, stage: str, matching: str
) -> None:
    def pipeline() -> list[Any]:
        return [quoter if stage == "quoter" else crossing()]

    options: dict[str, Any] = {"interval": interval, "matching": matching, "slippage_bps": 3.0}
    live = run(feeds={"m": wild(5)}, pipeline=pipeline(), speed=FAST, rebase=False, **options)
    again = hz.backtest(data={"m": rows_of(wild(5))}, pipeline=pipeline(), **options)
    assert len(again.fills) > 3
    assert facts(live) == facts(again)
    assert live.equity_curve == again.equity_curve
    assert live.metrics == again.metrics


def test_several_feeds_are_merged_as_a_backtest_merges_them() -> None:
    times = {"a": [1, 1, 3, 4, 4, 4], "b": [1, 2, 3, 3, 4, 6], "c": [3, 3, 4]}
    data = {
        name: [
            {"timestamp": 100.0 + t, "price": 0.4 + 0.01 * ((7 * i) % 5)} for i, t in enumerate(ts)
        ]
        for name, ts in times.items()
    }
    seen: list[list[Any]] = [[], []]

    def pipeline(calls: list[Any]) -> list[Any]:
        def look(ctx: Any) -> Any:
            calls.append((ctx.timestamp, ctx.market_id, [r.price for r in ctx.feeds.values()]))
            return quoter(ctx)

        return [look]

    feeds = {name: Replay(rows) for name, rows in data.items()}
    live = run(feeds=feeds, pipeline=pipeline(seen[0]), speed=FAST, rebase=False, interval=None)
    again = hz.backtest(data=data, pipeline=pipeline(seen[1]))
    assert repr(seen[0]) == repr(seen[1])
    assert len(seen[0]) == 15
    assert facts(live) == facts(again)


@pytest.mark.no_cover
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=40))
def test_steps_are_those_of_play_order(drawn: list[tuple[int, int]]) -> None:
    rows = sorted(drawn, key=lambda row: row[0])
    times, codes = (np.array([row[i] for row in rows], dtype=np.int64) for i in (0, 1))
    named = [(t, c, (f"{i}",)) for i, (t, c) in enumerate(rows)]
    mine = [(ns, [int(row[2][0]) for row in step]) for ns, step in steps_of(named)]  # type: ignore[misc,arg-type]
    if not rows:
        assert mine == []
        return
    order, starts = play_order(times, codes.astype(np.intp))
    order = np.arange(len(rows)) if order is None else order
    theirs: list[tuple[int, list[int]]] = []
    for place, begins in zip(order.tolist(), starts.tolist(), strict=True):
        if begins:
            theirs.append((int(times[place]), []))
        theirs[-1][1].append(place)
    assert mine == theirs


def test_bars_fill_within_their_range() -> None:
    bars = [
        {"timestamp": 60.0 * i, "open": o, "high": h, "low": lo, "close": c}
        for i, (o, h, lo, c) in enumerate(
            [(10, 11, 9, 10), (10, 10.2, 9.4, 10), (10.1, 10.6, 10, 10.3), (10, 10.5, 9.5, 10)]
        )
    ]

    def stage(ctx: Any) -> Any:
        return [hz.Quote(ctx.feed.price - 0.5, ctx.feed.price + 0.25, 1.0)]

    options: dict[str, Any] = {"bar_fill_mode": "touch", "paper_fee_rate": 0.0}
    live = run(
        feeds={"ACME": Replay(bars)},
        pipeline=[stage],
        interval=None,
        speed=FAST,
        feed_stale_threshold=None,
        rebase=False,
        **options,
    )
    # The bid of 9.5 is touched by the low of 9.4, the ask of 10.25 by the high of 10.6, and the
    # bid of 9.8 made at the third bar by the low of 9.5.
    assert [(fill.timestamp, fill.price) for fill in live.fills] == [
        (60.0, 9.5),
        (120.0, 10.25),
        (180.0, pytest.approx(9.8)),
    ]
    assert live.markets[0].asset_class is hz.Equity  # by its first price
    again = hz.backtest(data={"ACME": bars}, pipeline=[stage], **options)
    assert facts(live) == facts(again)


def test_the_first_row_is_moved_to_the_present_and_the_others_keep_their_distance() -> None:
    before = time.time()
    result = run(feeds={"m": wild(1, n=5)}, pipeline=[quoter], speed=FAST, interval=None)
    times = [t for t, _ in result.equity_curve]
    assert before - 0.01 <= times[0] <= time.time()
    assert np.diff(times) == pytest.approx(np.ones(4), abs=1e-6)


def test_a_synthetic_feed_begins_with_the_recorded_one_beside_it() -> None:
    recorded = Replay([{"timestamp": 1_000_000.0 + i, "price": 0.5} for i in (3, 4, 5)])
    seen = []

    def look(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.timestamp))

    run(
        feeds={"s": wild(1, n=3), "r": recorded},
        pipeline=[look],
        speed=FAST,
        interval=None,
        rebase=False,
    )
    assert seen == [(name, 1_000_003.0 + i) for i in range(3) for name in ("s", "r")]


def test_a_feed_of_several_markets_stands_for_all_of_them() -> None:
    rows = [
        {"timestamp": float(i), "market_id": name, "price": 0.5}
        for i in range(3)
        for name in ("a", "b")
    ]
    result = run(feeds=Replay(rows), pipeline=[quoter], speed=FAST)
    assert [market.id for market in result.markets] == ["a", "b"]
    assert result.config["rows"] == 6
    one = run(feeds={"b": Replay(rows)}, pipeline=[quoter], speed=FAST)
    assert one.config["rows"] == 3


def test_an_extra_feed_is_seen_and_not_traded() -> None:
    seen = []

    def look(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.feeds["oil"].price))

    oil = Replay([{"timestamp": float(i), "price": 70.0 + i} for i in range(3)])
    result = run(
        markets=["m"],
        feeds={"m": wild(1, n=3), "oil": oil},
        pipeline=[look],
        speed=FAST,
        interval=None,
        rebase=True,
    )
    assert seen == [("m", 70.0), ("m", 71.0), ("m", 72.0)]
    assert [market.id for market in result.markets] == ["m"]


def test_a_lone_feed_prices_every_market() -> None:
    result = run(
        markets=["x", hz.Market("y", hz.Prediction)],
        feeds={"all": wild(3)},
        pipeline=[quoter],
        speed=FAST,
    )
    assert {fill.market_id for fill in result.fills} == {"x", "y"}


def test_the_engine_is_among_the_parameters() -> None:
    seen = []

    def look(ctx: Any) -> None:
        seen.append((ctx.params["engine"] is ctx.engine, ctx.params["edge"]))

    given = {"edge": 2.0}
    run(feeds={"m": wild(1, n=2)}, pipeline=[look], speed=FAST, interval=None, params=given)
    assert seen == [(True, 2.0)] * 2
    assert given == {"edge": 2.0}


def test_duration_counts_the_runs_own_time() -> None:
    endless = Synthetic(2, volatility=0.02)
    begun = time.monotonic()
    result = run(feeds={"m": endless}, pipeline=[quoter], speed=FAST, duration=100, interval=0.4)
    assert time.monotonic() - begun < 50.0  # and not the 100 s
    assert result.config["stopped_by"] == "duration"
    assert result.config["rows"] == 101  # at 0 and at 100 as well
    assert result.config["cycles"] == 251


def test_time_after_the_last_row_counts_too() -> None:
    # Rows at 0 and 60, and 50 s: cycles go on until the end, staleness comes at 30 s.
    rows = [{"timestamp": t, "price": 0.5} for t in (0.0, 60.0)]
    seen = []

    def look(ctx: Any) -> Any:
        seen.append(ctx.timestamp)
        return quoter(ctx)

    result = run(
        feeds={"m": Replay(rows)},
        pipeline=[look],
        speed=FAST,
        duration=50,
        interval=10,
        rebase=False,
    )
    assert seen == [0.0, 10.0, 20.0, 30.0]
    ended = result.orders_frame()["ended"]
    assert [end.timestamp() for end in ended] == [pytest.approx(30.0, abs=1e-6)] * 2


def test_a_gap_makes_a_feed_stale_and_pulls_its_quotes(caplog: pytest.LogCaptureFixture) -> None:
    prices = [(0, 0.50), (1, 0.50), (62, 0.40), (63, 0.40), (64, 0.30)]
    rows = [{"timestamp": float(t), "price": p} for t, p in prices]
    result = run(
        feeds={"m": Replay(rows)}, pipeline=[quoter], speed=FAST, interval=None, rebase=False
    )
    # The bid of 0.48 is gone when the price comes to 0.40 a minute later; that of 0.38 fills.
    assert [(f.timestamp, round(f.price, 9)) for f in result.fills] == [(64.0, 0.38)]
    kept = run(
        feeds={"m": Replay(rows)},
        pipeline=[quoter],
        speed=FAST,
        interval=None,
        rebase=False,
        feed_stale_threshold=None,
    )
    assert [f.timestamp for f in kept.fills] == [62.0, 64.0]
    assert caplog.records == []  # a gap, and not the rule


def test_rows_that_are_always_too_far_apart_are_said_to_be_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    days = Replay([{"timestamp": 86_400.0 * i, "price": 0.5} for i in range(5)])
    result = run(feeds={"m": days}, pipeline=[quoter], speed=FAST, interval=None)
    assert result.config["rows"] == 5
    (said,) = caplog.records
    assert "the first rows of played feed 'm' are further apart" in said.getMessage()


def test_a_row_at_the_very_threshold_is_in_time() -> None:
    rows = [{"timestamp": 30.0 * i, "price": 0.5 - 0.1 * i} for i in range(3)]
    result = run(feeds={"m": Replay(rows)}, pipeline=[quoter], speed=FAST, interval=None)
    assert len(result.fills) == 2


@pytest.mark.parametrize("interval", [None, 0.5])
def test_a_recording_of_a_played_run_gives_the_same_again(
    tmp_path: Any, interval: float | None
) -> None:
    path = tmp_path / "session.parquet"
    prices = np.random.default_rng(3).choice([0.46, 0.48, 0.5, 0.52], size=200)
    gaps = np.random.default_rng(4).choice([0.1, 1.0, 40.0], size=200, p=[0.5, 0.4, 0.1])
    rows = [
        {"timestamp": 1e9 + t, "price": p}
        for t, p in zip(np.cumsum(gaps).tolist(), prices.tolist(), strict=True)
    ]
    live = run(
        feeds={"x": Replay(rows), "y": wild(8)},
        pipeline=[quoter],
        speed=FAST,
        interval=interval,
        record=path,
        duration=900.3,
        initial_capital=500.0,
        paper_fee_rate=0.002,
    )
    again = hz.backtest(**Recording(path).arguments(), pipeline=[quoter])
    assert len(live.fills) > 5
    assert facts(live) == facts(again)
    assert live.equity_curve == again.equity_curve


def one_each(ctx: Any) -> hz.OrderRequest:
    """An order in each cycle: a cycle too many shows."""
    return hz.OrderRequest(ctx.market_id, hz.Side.Yes, hz.OrderSide.Buy, price=0.01, size=1.0)


@pytest.mark.parametrize("duration", [5, 5.2, 4.9])
def test_a_recording_ends_when_its_run_did(tmp_path: Any, duration: float) -> None:
    rows = [{"timestamp": 0.7 * i, "price": 0.5} for i in range(20)]
    path = tmp_path / "session.parquet"
    live = run(
        feeds={"m": Replay(rows)}, pipeline=[one_each], speed=FAST, record=path, duration=duration
    )
    again = hz.backtest(**Recording(path).arguments(), pipeline=[one_each])
    # At 0, and each half second up to the end, that included.
    assert len(live.orders_frame()) == int(duration / 0.5) + 1
    assert facts(live) == facts(again)


def test_so_does_that_of_a_run_that_is_stopped_between_two_rows(tmp_path: Any) -> None:
    rows = [{"timestamp": 10.0 * i, "price": 0.5} for i in range(20)]
    path = tmp_path / "session.parquet"
    with in_background(
        feeds={"m": Replay(rows)}, pipeline=[one_each], speed=100.0, record=path
    ) as handle:
        until(lambda: len(handle.open_orders) > 30)
        live = handle.stop()
    assert live is not None
    again = hz.backtest(**Recording(path).arguments(), pipeline=[one_each])
    assert facts(live) == facts(again)


def test_strategies_have_their_last_say_after_the_last_cycle() -> None:
    calls: list[str] = []

    class Loud(hz.Strategy):
        def evaluate(self, f: Any, universe: Any, ctx: Any) -> Any:
            calls.append(f"{ctx.timestamp:g}")
            return []

        def on_stop(self, ctx: Any) -> None:
            calls.append("stop")

    rows = [{"timestamp": 0.5 * i, "price": 0.5} for i in range(4)]
    run(
        feeds={"m": Replay(rows)},
        strategies=[Loud()],
        sizer=hz.FixedNotional(1.0),
        speed=FAST,
        rebase=False,
    )
    assert calls == ["0", "0.5", "1", "1.5", "stop"]


def test_a_recording_is_lost_again_where_its_session_was(tmp_path: Any) -> None:
    path = tmp_path / "session.parquet"
    prices = [(0, 0.50), (1, 0.50), (62, 0.40), (63, 0.40), (64, 0.30)]
    rows = [{"timestamp": float(t), "price": p} for t, p in prices]
    options: dict[str, Any] = {"pipeline": [quoter], "interval": None, "speed": FAST}
    first = run(feeds={"m": Replay(rows)}, record=path, rebase=False, duration=70, **options)
    again = run(feeds={"m": Replay(path)}, rebase=False, feed_stale_threshold=None, **options)
    assert [fill.timestamp for fill in first.fills] == [64.0]
    assert facts(first) == facts(again)
    assert again.config["rows"] == 5


def test_what_travels_at_the_end_arrives_where_it_did(tmp_path: Any) -> None:
    # Lost at 30 s, a cancel of half a second on its way; the run goes on to 40 s.
    rows = [{"timestamp": 0.0, "price": 0.5}, {"timestamp": 50.0, "price": 0.5}]
    path = tmp_path / "session.parquet"
    options: dict[str, Any] = {"pipeline": [quoter]}
    live = run(
        feeds={"m": Replay(rows)},
        speed=FAST,
        record=path,
        duration=40,
        latency_ms=500,
        interval=None,
        **options,
    )
    lived = live.orders_frame().eval("ended - submitted").dt.total_seconds()
    assert lived.tolist() == pytest.approx([30.5] * 2, abs=1e-6)
    assert facts(live) == facts(hz.backtest(**Recording(path).arguments(), **options))


def test_a_market_of_which_nothing_came_is_in_the_recording(tmp_path: Any) -> None:
    path = tmp_path / "session.parquet"
    rows = [{"timestamp": float(i), "price": 0.5} for i in range(3)]
    feeds = {"m": Replay(rows), "quiet": Replay([], market_id="quiet")}
    markets = ["m", hz.Market("quiet", hz.Crypto)]
    live = run(markets=markets, feeds=feeds, pipeline=[quoter], speed=FAST, record=path)
    again = hz.backtest(**Recording(path).arguments(), pipeline=[quoter])
    assert again.markets == live.markets
    assert facts(live) == facts(again)


def test_a_recording_repeats_the_arguments_that_a_file_can_hold(tmp_path: Any) -> None:
    path = tmp_path / "session.parquet"
    risk = hz.RiskConfig(max_order_size=5.0)
    given: dict[str, Any] = {
        "initial_capital": np.int64(5000),
        "fees": {"m": 0.05},
        "risk": risk,
        "slippage_bps": np.float64(2.0),
        "enforce_buying_power": np.False_,
    }
    live = run(
        feeds={"m": wild(5)},
        pipeline=[crossing()],
        speed=FAST,
        record=path,
        interval=np.int64(2),
        **given,
    )
    arguments = Recording(path).arguments()
    assert {name: arguments[name] for name in given} == given
    assert arguments["interval"] == 2
    again = hz.backtest(**arguments, pipeline=[crossing()])
    assert live.rejections == again.rejections
    assert live.rejections["max_order_size"] > 0
    assert facts(live) == facts(again)


def test_a_recording_names_the_arguments_that_a_file_cannot_hold(tmp_path: Any) -> None:
    path = tmp_path / "session.parquet"
    way = ConstantLatency(1500.0)
    live = run(feeds={"m": wild(5)}, pipeline=[crossing()], speed=FAST, record=path, latency=way)
    recording = Recording(path)
    with pytest.raises(ValueError, match=r"run with latency= of its own, which no file can hold"):
        recording.arguments()
    arguments = recording.arguments(without=["latency"])
    assert facts(live) == facts(hz.backtest(**arguments, pipeline=[crossing()], latency=way))


def test_rows_that_cannot_be_true_of_their_market_end_the_run() -> None:
    rows = [{"timestamp": float(i), "price": p} for i, p in enumerate([0.5, 0.6, 1.5])]
    with pytest.raises(DataError, match=r"feed 'm', at 1970-01-01T00:00:02Z: .*was 1\.5"):
        run(feeds={"m": Replay(rows)}, pipeline=[quoter], speed=FAST, rebase=False)


def test_a_feed_of_ones_own_that_goes_back_in_time_is_refused() -> None:
    class Back(hz.feeds.Feed):
        market_id = "m"

        def batches(self) -> Any:
            for ns in (5, 4):
                yield [("m", ns, 0.5, *[None] * 8)]

    with pytest.raises(DataError, match="goes backwards in time"):
        run(feeds={"m": Back(name="back")}, pipeline=[quoter], speed=FAST)


# ---------------------------------------------------------------------------- speed and buttons
def test_rows_are_paced_and_cycles_run_between_them() -> None:
    # Rows 2 s apart at 40 times the speed: 50 ms. A cycle each second runs half-way, not late.
    seen = []

    def look(ctx: Any) -> None:
        seen.append((time.monotonic(), ctx.timestamp))

    feed = Replay([{"timestamp": 2.0 * i, "price": 0.5} for i in range(6)])
    run(feeds={"m": feed}, pipeline=[look], speed=40, interval=1.0, rebase=False)
    assert [stamp for _, stamp in seen] == [float(i) for i in range(11)]
    begun = seen[0][0]
    wall = [at - begun for at, _ in seen]
    assert all(at > 0.025 * i - 0.002 for i, at in enumerate(wall))
    # A cycle between two rows does not wait for the row after it, however late both are at times.
    assert max(wall[i + 1] - wall[i] for i in (1, 3, 5, 7, 9)) > 0.01


def test_pause_step_resume_and_speed() -> None:
    with in_background(feeds={"m": wild(1, n=None)}, pipeline=[quoter], speed=1000) as handle:  # type: ignore[arg-type]
        until(lambda: handle.status().messages > 5)
        handle.pause()
        until(lambda: handle.status().state == "paused")
        time.sleep(0.02)
        before = handle.status().messages
        time.sleep(0.03)
        assert handle.status().messages == before
        handle.step(3)
        until(lambda: handle.status().messages == before + 3)
        assert handle.status().state == "paused"
        assert handle.speed == 1000.0
        handle.speed = math.inf
        handle.resume()
        until(lambda: handle.status().messages > before + 2000)
        assert handle.status().state == "running"
        (progress,) = handle.status().feeds
        assert progress.position >= before + 2000


def test_a_run_can_be_paused_before_it_has_begun() -> None:
    with in_background(feeds={"m": wild(1)}, pipeline=[quoter], speed=FAST) as handle:
        handle.pause()  # its thread may be anywhere by now, but not at the end
        time.sleep(0.02)
        if handle.is_running:
            assert handle.status().state == "paused"
            handle.resume()
        assert handle.wait(60.0).config["stopped_by"] == "end"


def test_feeds_of_different_speeds_need_one() -> None:
    feeds = {"a": wild(1, n=9, speed=10.0), "b": wild(2, n=9, speed=20.0)}
    with pytest.raises(ValueError, match="the feeds must have one speed, have 10, 20: give speed="):
        run(feeds=feeds, pipeline=[quoter])
    assert run(feeds=feeds, pipeline=[quoter], speed=FAST).config["rows"] == 18
