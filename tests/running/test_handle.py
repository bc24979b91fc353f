"""The handle of a run in the background: what it shows, what it steers, how it ends."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import horizon as hz
from horizon.errors import HorizonError, ModelError, VenueError
from horizon.feeds import Replay, Synthetic
from horizon.running import RunHandle, RunStatus, run
from horizon.venues.latency import Latency
from tests.feeds.servers.base import in_loop
from tests.running.live import Scripted, in_background, quoter, until
from tests.widgets.notebook import in_a_notebook

FAST = math.inf


def endless(**options: Any) -> Synthetic:
    return Synthetic(1, volatility=0.02, speed=2000.0, **options)


def test_a_run_in_the_background_leaves_the_caller_free() -> None:
    begun = time.monotonic()
    with in_background(feeds={"m": endless()}, pipeline=[quoter], name="quiet") as handle:
        assert time.monotonic() - begun < 10.0  # it has no end
        assert handle.is_running
        until(lambda: len(handle.fills) > 3)
        status = handle.status()
        assert (status.name, status.state, status.stopped_by) == ("quiet", "running", None)
        assert status.messages > 3
        assert status.fills >= 3
        assert not status.is_over
        assert status.started is not None
        assert status.time is not None
        assert status.time > status.started
        assert handle.exception is None
        curve = handle.equity_curve
        assert curve[0][1] == 1000.0
        assert isinstance(handle.equity, pd.Series)
        assert handle.equity.index.is_monotonic_increasing
        assert str(handle.equity.index.tz) == "UTC"
        result = handle.stop()
    assert not handle.is_running
    assert result is handle.result is handle.wait() is handle.stop()
    assert result.config["stopped_by"] == "stop"
    assert handle.fills == result.fills
    assert handle.fills[0].market_id == "m"
    assert handle.positions == result.positions
    assert handle.open_orders == []
    assert handle.equity_curve == result.equity_curve
    assert handle.status().state == "done"
    assert handle.status().is_over


def test_what_fills_and_positions_say_is_what_the_result_says() -> None:
    with in_background(feeds={"m": endless()}, pipeline=[quoter]) as handle:
        until(lambda: len(handle.fills) > 5)
        handle.pause()
        until(lambda: handle.status().state == "paused")
        time.sleep(0.01)
        fills, positions = handle.fills, handle.positions
        result = handle.stop()
        assert result is not None
        assert fills == result.fills
        assert positions == result.positions


def test_the_result_is_not_there_while_it_runs() -> None:
    with (
        in_background(feeds={"m": endless()}, pipeline=[quoter], name="long") as handle,
        pytest.raises(HorizonError, match=r"run 'long' is still running: stop\(\) it"),
    ):
        _ = handle.result


def test_the_end_of_the_feeds_ends_the_run() -> None:
    feed = Synthetic(1, n=50)
    with in_background(feeds={"m": feed}, pipeline=[quoter], speed=FAST) as handle:
        assert handle.wait(60.0).config["stopped_by"] == "end"
        assert handle.stop() is handle.result


def test_what_rests_is_cancelled_and_algorithms_are_stopped() -> None:
    algos = []

    def stage(ctx: Any) -> Any:
        if not algos:
            algos.append(ctx.exchange().iceberg("m", 100, side="buy", limit=0.01, show_size=5))
        return quoter(ctx)

    with in_background(
        feeds={"m": endless()}, pipeline=[stage], latency_ms=50.0, interval=None
    ) as handle:
        until(lambda: len(handle.open_orders) >= 3)
        result = handle.stop()
    assert result is not None
    orders = result.orders_frame()
    assert not orders["status"].isin(["new", "partial"]).any()
    assert "the run has ended" in set(orders["reason"])
    assert algos[0].progress.status == "stopped"


# ---------------------------------------------------------------------------- ends
def test_stop_from_many_threads_gives_one_result() -> None:
    with in_background(feeds={"m": endless()}, pipeline=[quoter]) as handle:
        until(lambda: handle.status().messages > 3)
        results: list[Any] = []
        threads = [threading.Thread(target=lambda: results.append(handle.stop())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 8
        assert all(result is handle.result for result in results)


def test_stop_before_anything_has_come() -> None:
    handle = run(feeds={"m": Scripted(comes_up=False)}, pipeline=[quoter], background=True)
    assert handle.stop() is None
    with pytest.raises(HorizonError, match="stopped before its feeds were up"):
        _ = handle.result
    assert handle.exception is None


def test_a_run_without_a_row_has_a_result_of_one_point() -> None:
    with in_background(feeds={"m": Scripted()}, pipeline=[quoter]) as handle:
        until(lambda: handle.status().state == "running")
        assert handle.status().time is None
        result = handle.stop()
    assert result is not None
    assert [equity for _, equity in result.equity_curve] == [1000.0]
    assert result.metrics.total_trades == 0
    assert abs(result.equity_curve[0][0] - time.time()) < 5.0


def test_a_stage_may_stop_its_own_run() -> None:
    handles: list[RunHandle] = []
    calls = []

    def stage(ctx: Any) -> None:
        calls.append(ctx.timestamp)
        if len(calls) == 3:
            until(lambda: bool(handles))
            assert handles[0].stop() is None
            with pytest.raises(HorizonError, match="no end"):
                handles[0].wait()

    with in_background(feeds={"m": endless()}, pipeline=[stage], interval=None) as handle:
        handles.append(handle)
        assert handle.wait(60.0).config["stopped_by"] == "stop"
        assert len(calls) == 3
        assert handle.result.errors == {}


def test_a_stage_that_hangs_makes_stop_say_so() -> None:
    is_free, is_here = threading.Event(), threading.Event()

    def stage(ctx: Any) -> None:
        is_here.set()
        is_free.wait(60.0)

    with in_background(feeds={"m": endless()}, pipeline=[stage], name="slow") as handle:
        assert is_here.wait(60.0)
        with pytest.raises(TimeoutError, match=r"run 'slow' has not ended within 0\.05 s"):
            handle.stop(timeout=0.05)
        assert handle.status().state == "stopping"
        is_free.set()
        assert handle.wait(60.0).config["stopped_by"] == "stop"


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_what_is_no_ordinary_exception_ends_the_run_with_its_result(
    end: BaseException, tmp_path: Path
) -> None:
    calls = []

    def stage(ctx: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise end
        return quoter(ctx)

    feed = Synthetic(1, n=10)
    with pytest.raises(type(end)):
        run(
            feeds={"m": feed},
            pipeline=[stage],
            interval=None,
            speed=FAST,
            save=tmp_path / "result",
        )
    saved = hz.load_result(tmp_path / "result")
    assert saved.config["stopped_by"] == "error"
    assert saved.config["rows"] == 4


def test_exceptions_of_stages_are_logged_counted_and_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stage(ctx: Any) -> Any:
        if ctx.market_id == "a":
            raise ValueError("no <luck>")
        return quoter(ctx)

    feeds = {"a": Synthetic(1, n=120), "b": Synthetic(2, n=120, volatility=0.02)}
    with caplog.at_level(logging.ERROR, "horizon.run"):
        handle = run(
            feeds=feeds,
            pipeline=[stage],
            interval=None,
            speed=FAST,
            background=True,
            name="unlucky",
        )
        result = handle.wait(60.0)
    assert result.errors == {"stage": 120}
    assert {fill.market_id for fill in result.fills} == {"b"}
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3  # the first, the tenth, the hundredth
    assert said[0].startswith("unlucky: stage 'stage' failed for market 'a' at ")
    assert "ValueError: no <luck>" in said[0]
    assert said[2].endswith("(so far 100 times)")
    assert caplog.records[0].exc_info is not None
    assert handle.status().errors == {"stage": 120}
    assert "errors: 120 in stage" in repr(handle)


def test_a_model_that_fails_ends_the_run() -> None:
    class Broken(Latency):
        def delay_ns(self, market_id: str, now_ns: int) -> int:
            return -1

    handle = run(
        feeds={"m": Synthetic(1, n=10)},
        pipeline=[quoter],
        speed=FAST,
        latency=Broken(),
        background=True,
    )
    with pytest.raises(ModelError):
        handle.wait(60.0)
    assert handle.status().state == "failed"
    assert handle.result.config["stopped_by"] == "error"


# ---------------------------------------------------------------------------- steering
def test_the_kill_switch_closes_what_is_held_and_refuses_the_rest() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.inventory == 0:
            return hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, size=5.0)
        return quoter(ctx)

    with in_background(feeds={"m": endless()}, pipeline=[stage], interval=None) as handle:
        until(lambda: bool(handle.positions))
        handle.kill_switch()
        assert handle.status().kill_switch
        until(lambda: not handle.positions)
        until(lambda: handle.status().rejections.get("kill_switch", 0) > 0)
        before = len(handle.fills)
        time.sleep(0.02)
        assert len(handle.fills) == before
        handle.stop()
    with pytest.raises(VenueError):
        handle.kill_switch()


def test_live_feeds_cannot_be_paused_or_sped_up() -> None:
    with in_background(feeds={"m": Scripted()}, pipeline=[quoter]) as handle:
        for verb in (handle.pause, handle.resume, handle.step, lambda: handle.speed):
            with pytest.raises(HorizonError, match="has live feeds only"):
                verb()
    feeds = {"m": Scripted(), "s": Synthetic(1)}
    with in_background(feeds=feeds, pipeline=[quoter]) as handle:
        with pytest.raises(HorizonError, match="the speed beside a live feed is 1"):
            handle.speed = 3.0
        handle.pause()
        assert handle.speed == 1.0


def test_after_its_end_a_run_has_no_step_left() -> None:
    handle = run(feeds={"m": Synthetic(1, n=5)}, pipeline=[quoter], speed=FAST, background=True)
    handle.wait(60.0)
    handle.pause()
    handle.resume()
    with pytest.raises(HorizonError, match="nothing left to step"):
        handle.step()


# ---------------------------------------------------------------------------- watching
def test_subscribers_are_told_now_and_then_and_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[RunStatus] = []
    unwanted: list[RunStatus] = []

    def broken(status: RunStatus) -> None:
        raise RuntimeError("cannot draw")

    with (
        caplog.at_level(logging.ERROR, "horizon.run"),
        in_background(feeds={"m": endless()}, pipeline=[quoter]) as handle,
    ):
        handle.subscribe(broken)
        handle.subscribe(told.append)
        stop = handle.subscribe(unwanted.append)
        stop()
        stop()
        until(lambda: len(told) >= 3)
        handle.stop()
    until(lambda: told[-1].state == "done")
    assert {status.state for status in told[:-1]} <= {"running", "stopping", "connecting"}
    assert told[1].messages > told[0].messages
    assert len(unwanted) <= 1
    assert "a subscriber failed" in caplog.text
    late: list[RunStatus] = []
    handle.subscribe(late.append)
    assert [status.state for status in late] == ["done"]


@in_loop
async def test_a_run_can_be_awaited_while_the_loop_goes_on() -> None:
    handle = run(feeds={"m": Synthetic(1, n=60, speed=1000.0)}, pipeline=[quoter], background=True)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.002)
            turns += 1

    counting = asyncio.create_task(count())
    result = await asyncio.wait_for(handle.done(), 5.0)
    counting.cancel()
    assert turns > 5
    assert result is handle.result
    assert await handle.done() is result


@in_loop
async def test_an_await_that_is_cancelled_leaves_the_run_alone() -> None:
    with in_background(feeds={"m": endless()}, pipeline=[quoter]) as handle:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handle.done(), 0.03)
        assert handle.is_running


@in_loop
async def test_a_run_that_blocks_works_inside_a_running_loop() -> None:
    result = run(feeds={"m": Synthetic(1, n=60)}, pipeline=[quoter], speed=FAST)
    assert result.config["rows"] == 60


def test_several_runs_at_once_are_several() -> None:
    def one(place: int, seed: int) -> RunHandle:
        feed = Synthetic(seed, n=400, volatility=0.02)
        handle: RunHandle = run(
            name=f"run {place}",
            feeds={"m": feed},
            pipeline=[quoter],
            speed=FAST,
            background=True,
            rebase=False,
        )
        return handle

    handles = [one(place, seed) for place, seed in enumerate((1, 2, 3, 1))]
    fills = [handle.wait(60.0).fills for handle in handles]
    assert fills[0] == fills[3]
    assert fills[0] != fills[1] != fills[2]


def test_runs_in_the_background_are_listed_and_have_different_names() -> None:
    assert "twice" not in hz.running.handles()
    with in_background(name="twice", feeds={"m": endless()}, pipeline=[quoter]) as handle:
        assert hz.running.handles()["twice"] is handle
        said = (
            r"a run named 'twice' is in the background already: see it again, "
            r"hz\.widgets\.RunMonitor\('twice'\); or stop it, "
            r"hz\.running\.handles\(\)\['twice'\]\.stop\(\); or give this one another name="
        )
        with pytest.raises(HorizonError, match=said):
            run(name="twice", feeds={"m": endless()}, pipeline=[quoter], background=True)
        assert handle.is_running
        handle.stop()
        assert "twice" not in hz.running.handles()
        again = run(name="twice", feeds={"m": endless()}, pipeline=[quoter], background=True)
        again.stop()


@in_a_notebook
async def test_the_hint_to_see_a_run_again_shows_that_run() -> None:
    with in_background(name="it's on", feeds={"m": endless()}, pipeline=[quoter]) as handle:
        with pytest.raises(HorizonError) as caught:
            run(name="it's on", feeds={"m": endless()}, pipeline=[quoter], background=True)
        hint = re.search(r"hz\.widgets\.RunMonitor\(.*?\)", str(caught.value))
        assert hint is not None
        monitor = eval(hint[0], {"hz": hz})
        assert monitor.handle is handle
        monitor.close()
        assert handle.is_running


# ---------------------------------------------------------------------------- how it looks
def test_names_are_escaped() -> None:
    feeds = {"<b>": Replay([{"timestamp": 0.0, "price": 0.5}])}
    handle = run(
        feeds=feeds,
        name="<i>run</i>",
        pipeline=[quoter],
        speed=FAST,
        background=True,
        feed_stale_threshold=1,
    )
    handle.wait(60.0)
    page = handle._repr_html_()
    assert "<i>" not in page
    assert "&lt;i&gt;run&lt;/i&gt;" in page
    shown = handle.status()._repr_html_()
    assert "<b>" not in shown
    assert "&lt;i&gt;run&lt;/i&gt;" in shown
    assert f"<td style='text-align:left'>{time.gmtime().tm_year}-" in shown  # no bare seconds
    assert repr(handle).startswith("<RunHandle '<i>run</i>', state: done")
    assert handle.result.summary().startswith("=== Paper run: ")
