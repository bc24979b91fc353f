"""How runs end from outside: interrupts, the program's end, a kernel's stop button."""

from __future__ import annotations

import itertools
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import horizon as hz
from horizon.feeds import Synthetic
from horizon.feeds.recording import Recording
from horizon.running import run
from tests.running.live import Scripted, quoter, until

ROOT = Path(__file__).resolve().parents[2]
QUOTER = """
import sys, time
import horizon as hz

def quoter(ctx):
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)

feed = hz.feeds.Synthetic(1, volatility=0.02, speed=500.0)
"""


def script(body: str, *arguments: object) -> subprocess.Popen[str]:
    """A program of its own, that says "ready" when it may be interrupted."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", QUOTER + body, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.strip(), err.strip()


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_an_interrupt_ends_a_script_with_its_result_and_its_file(tmp_path: Path) -> None:
    process = script(
        """
def stage(ctx):
    if len(ctx.engine.open_orders()):
        print("ready", flush=True)
    return quoter(ctx)

result = hz.run(
    feeds={"m": feed}, pipeline=[stage], save=sys.argv[1], record=sys.argv[2], interval=1.0
)
print("ended", result.config["stopped_by"], len(result.orders_frame().query("status == 'new'")))
""",
        tmp_path / "result",
        tmp_path / "rows.parquet",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    code, out, err = said(process)
    assert (code, out.splitlines()[-1], err) == (0, "ended interrupt 0", "")
    saved = hz.load_result(tmp_path / "result")
    assert saved.config["stopped_by"] == "interrupt"
    # And a last row, which says how far time had come.
    assert Recording(tmp_path / "rows.parquet").n_rows == saved.config["rows"] + 1


def test_the_programs_end_writes_the_result_of_a_run_in_the_background(tmp_path: Path) -> None:
    process = script(
        """
handle = hz.run(
    feeds={"m": feed}, pipeline=[quoter], save=sys.argv[1], record=sys.argv[2], background=True
)
while len(handle.open_orders) == 0:
    time.sleep(0.01)
raise SystemExit(7)  # an exception or none, it is all the same
""",
        tmp_path / "result",
        tmp_path / "rows.parquet",
    )
    assert said(process) == (7, "", "")
    saved = hz.load_result(tmp_path / "result")
    assert saved.config["stopped_by"] == "exit"
    assert saved.config["rows"] == Recording(tmp_path / "rows.parquet").n_rows - 1 > 0
    assert not saved.orders_frame()["status"].isin(["new", "partial"]).any()


class Escaped(Exception):
    """An interrupt that nothing has taken: raised as itself it would end the whole test run."""


def interrupted(work: Callable[[], Any], is_there: threading.Event, *, times: int = 1) -> Any:
    """Do some work in this thread, and interrupt it once it is there."""

    def interrupt() -> None:
        assert is_there.wait(60.0)
        for _ in range(times):
            time.sleep(0.1)  # for what comes between a run's thread and the wait for it
            signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident
    assert main is not None
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        result = work()
        thread.join()
    except KeyboardInterrupt as error:
        raise Escaped from error
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    return result


def telling(is_there: threading.Event) -> Callable[[Any], Any]:
    """A quoter that says when it has been called for the fifth time."""
    calls = itertools.count(1)

    def stage(ctx: Any) -> Any:
        if next(calls) == 5:
            is_there.set()
        return quoter(ctx)

    return stage


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_the_first_interrupt_ends_a_run_that_blocks() -> None:
    is_there = threading.Event()
    feed, stage = Synthetic(1, speed=500.0), telling(is_there)
    result = interrupted(lambda: run(feeds={"m": feed}, pipeline=[stage], interval=None), is_there)
    assert result.config["stopped_by"] == "interrupt"
    assert result.config["rows"] >= 5


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_an_interrupt_while_connecting_ends_it_as_well() -> None:
    is_there = threading.Event()

    async def connecting(_: Scripted) -> None:
        is_there.set()

    feed = Scripted(connecting, comes_up=False)
    with pytest.raises(hz.HorizonError, match="was interrupted before its feeds were up"):
        interrupted(
            lambda: run(feeds={"m": feed}, pipeline=[quoter], connect_timeout=60.0), is_there
        )


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_the_second_interrupt_ends_the_wait() -> None:
    is_there, is_free = threading.Event(), threading.Event()

    def stage(ctx: Any) -> None:
        is_there.set()
        is_free.wait(60.0)

    try:
        with pytest.raises(Escaped):
            interrupted(lambda: run(feeds={"m": Synthetic(1)}, pipeline=[stage]), is_there, times=2)
    finally:
        is_free.set()
    until(lambda: not any(t.name == "horizon-run-run" for t in threading.enumerate()))


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_an_interrupt_of_a_wait_leaves_the_run_alone() -> None:
    is_there = threading.Event()
    feed = Synthetic(1, speed=500.0)
    handle = run(feeds={"m": feed}, pipeline=[telling(is_there)], interval=None, background=True)
    try:
        with pytest.raises(Escaped):
            interrupted(handle.wait, is_there)
        assert handle.is_running
    finally:
        handle.stop()


@pytest.mark.long
def test_a_kernels_stop_button_ends_the_cell_with_its_result() -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(ROOT))
    try:

        def execute(code: str) -> str:
            message = client.execute(code)
            texts: list[str] = []
            while True:
                got = client.get_iopub_msg(timeout=20)
                if got["parent_header"].get("msg_id") != message:
                    continue
                kind, content = got["msg_type"], got["content"]
                if kind == "stream":
                    texts.append(content["text"])
                    if content["text"].startswith("running"):
                        time.sleep(1.0)
                        manager.interrupt_kernel()
                elif kind == "error":
                    texts.append(content["ename"])
                elif kind == "status" and content["execution_state"] == "idle":
                    return "".join(texts).strip()

        execute(QUOTER)
        cell = """
print("running", flush=True)
result = hz.run(feeds={"m": feed}, pipeline=[quoter], interval=1.0)
print(result.config["stopped_by"])
"""
        assert execute(cell).split() == ["running", "interrupt"]
        after = "hz.run(feeds={'m': feed}, pipeline=[quoter], duration=5.0).config['stopped_by']"
        assert execute(f"print({after})") == "duration"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_result_that_cannot_be_written_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    handle = run(
        feeds={"m": Synthetic(1, speed=500.0)},
        pipeline=[quoter],
        save=folder / "result",
        background=True,
    )
    until(lambda: handle.status().messages > 3)
    folder.rmdir()
    result = handle.stop()
    assert result is not None
    assert result.config["rows"] > 3
    with pytest.raises(ValueError, match="folder that exists") as caught:
        handle.wait()
    assert "as the result of 'run' was saved" in caught.value.__notes__[0]
    assert handle.status().state == "failed"


def test_a_strategy_whose_goodbye_fails_leaves_nothing_resting() -> None:
    from horizon.strategies import FixedNotional, Signal, Strategy

    class Rude(Strategy):
        def evaluate(self, f: Any, universe: Any) -> Any:
            return [Signal.increase(m, edge_bps=50, urgency=hz.Urgency.Passive) for m in universe]

        def on_stop(self, ctx: Any) -> None:
            raise RuntimeError("no")

    handle = run(
        feeds={"m": Synthetic(1, n=20)},
        strategies=[Rude()],
        sizer=FixedNotional(10.0),
        speed=math.inf,
        background=True,
    )
    result = handle.wait(60.0)
    assert result.errors["Rude"] == 1
    assert not result.orders_frame()["status"].isin(["new", "partial"]).any()
    assert result.decisions


def test_an_order_of_another_thread_is_in_the_result_or_refused() -> None:
    handle = run(feeds={"m": Synthetic(1, speed=500.0)}, pipeline=[quoter], background=True)
    until(lambda: handle.status().messages > 2)
    accepted: list[str] = []
    refused: list[Exception] = []

    def send() -> None:
        request = hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, price=0.01, size=1.0)
        while not refused:
            try:
                accepted.append(handle.engine.submit_order(request))
            except hz.HorizonError as error:
                refused.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    until(lambda: len(accepted) > 5)
    result = handle.stop()
    thread.join()
    assert result is not None
    orders = result.orders_frame()
    assert set(accepted) <= set(orders.index)
    assert not orders["status"].isin(["new", "partial"]).any()
    assert "the run has ended" in str(refused[0]) or "ended with its run" in str(refused[0])


def test_a_strategy_may_close_its_positions_as_the_run_ends() -> None:
    class Tidy(hz.Strategy):
        def evaluate(self, f: Any, universe: Any) -> Any:
            return [hz.Signal.increase(market, edge_bps=50) for market in universe]

        def on_stop(self, ctx: Any) -> None:
            ctx.exchange().flatten_all()

    async def script(feed: Scripted) -> None:
        feed.book(([0.49], [500.0]), ([0.51], [500.0]))

    result = run(
        feeds={"m": Scripted(script, has_books=True)},
        strategies=[Tidy()],
        sizer=hz.FixedNotional(10.0),
        interval=None,
        duration=0.05,
    )
    assert [fill.order_side for fill in result.fills] == [hz.OrderSide.Buy, hz.OrderSide.Sell]
    assert result.positions == []
