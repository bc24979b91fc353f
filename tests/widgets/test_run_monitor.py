"""The monitor of a run: what it says of it, and what its buttons do to it, without a browser."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.running import RunHandle
from horizon.running.problems import Problems
from horizon.widgets.run_monitor import RunMonitor
from horizon.widgets.run_monitor.line import EquityLine, Rate
from tests.running.live import Scripted, in_background
from tests.widgets.notebook import assert_fit_to_show, do, in_a_notebook, loop_now

#: Rows that are an hour apart: nothing plays by itself but the first.
PRICES = [0.50, 0.52, 0.48, 0.55, 0.45, 0.60]
HOUR = 3_600.0


def replay(prices: list[float] | None = None, market: str = "rain") -> hz.feeds.Replay:
    own = PRICES if prices is None else prices
    rows = {"timestamp": [HOUR * i for i in range(len(own))], "price": own}
    return hz.feeds.Replay(rows, market_id=market)


def quoter(ctx: Any) -> Any:
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)


async def until(is_so: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for the run's thread, in the time of the wall."""
    end = time.perf_counter() + seconds
    while not is_so():
        assert time.perf_counter() < end, "waited in vain"
        time.sleep(0.002)
        await asyncio.sleep(0.05)


@contextmanager
def stepped(**arguments: Any) -> Iterator[RunHandle]:
    """A run that has played its first row, and stands still."""
    given: dict[str, Any] = {
        "feeds": {"rain": replay()},
        "pipeline": [quoter],
        "interval": None,
        "paper_fee_rate": 0.0,
        "markets": [hz.Market("rain", hz.Prediction)],
        "feed_stale_threshold": None,
        **arguments,
    }
    with in_background(**given) as handle:
        end = time.perf_counter() + 20.0
        while handle.status().messages < 1:
            assert time.perf_counter() < end
            time.sleep(0.002)
        handle.pause()
        yield handle


async def step(handle: RunHandle, n: int = 1) -> None:
    before = handle.status().messages
    handle.step(n)
    await until(lambda: handle.status().messages == before + n)


def section(monitor: RunMonitor, name: str) -> dict[str, Any]:
    both = [*monitor.shown["top"], *monitor.shown["bottom"]]
    return next(one for one in both if one["id"] == name)


def facts(monitor: RunMonitor, name: str = "account") -> dict[str, str]:
    return {label: text for label, text, _ in section(monitor, name)["facts"]}


def rows(monitor: RunMonitor, name: str) -> list[list[str]]:
    return [
        [cell[0] if isinstance(cell, list) else cell for cell in row["cells"]]
        for row in section(monitor, name)["rows"]
    ]


def labels(actions: list[dict[str, Any]]) -> list[str]:
    return [one["label"] for one in actions]


# ------------------------------------------------------------------------ how it stands
@in_a_notebook
async def test_a_run_by_hand() -> None:
    with stepped(initial_capital=100.0) as handle:
        monitor = RunMonitor(handle)
        await step(handle, 2)
        await until(lambda: facts(monitor)["Rows so far"] == "3")
        await until(lambda: len(monitor.shown["line"]["points"]) == 3)

        # Quotes at 0.48 and 0.52 after the first row. The second, 0.52, sells 10 at 0.52; new
        # quotes stand at 0.50 and 0.54. The third, 0.48, buys 10 at 0.50: 0.20 are earned.
        shown = facts(monitor)
        assert shown["Equity"] == "100.20 USD"
        assert shown["Profit since the start"] == "+0.20 USD"
        assert shown["Return"] == "+0.20 %"
        assert shown["Fills"] == "2"
        assert shown["Open orders"] == "2"
        assert shown["Running for"] == "2 h"
        assert monitor.shown["chip"] == ["PAUSED", "warn"]
        assert monitor.shown["mode"] == "PAPER: NO REAL MONEY"
        # Now quoted around 0.48; nothing held.
        ((name, last, _, _, bid, bought, ask, sold, held, *_, realised),) = rows(monitor, "markets")
        assert [name, last, bid, bought, ask, sold, held, realised] == [
            "rain YES", "0.48", "0.46", "10", "0.50", "10", "0", "+0.20",
        ]  # fmt: skip
        assert section(monitor, "markets")["title"] == "Markets: resting in 1, held 0"
        # The equity at the three rows: 100, 100 (sold at its price), 100.2.
        line = monitor.shown["line"]
        np.testing.assert_allclose([point[1] for point in line["points"]], [100.0, 100.0, 100.2])
        assert line["points"][2][2].endswith("UTC  100.20 USD")
        assert_fit_to_show(monitor)


@in_a_notebook
async def test_of_several_quotes_the_best_is_told_and_the_sizes_are_added() -> None:
    def layers(ctx: Any) -> Any:
        inner = hz.quotes(ctx.feed.price, spread=0.04, size=10)
        return [*inner, *hz.quotes(ctx.feed.price, spread=0.08, size=5)]

    with stepped(pipeline=[layers]) as handle:
        monitor = RunMonitor(handle)
        await until(lambda: facts(monitor)["Open orders"] == "4")
        ((_, _, _, _, bid, bought, ask, sold, *_),) = rows(monitor, "markets")
        assert [bid, bought, ask, sold] == ["0.48 +1", "15", "0.52 +1", "15"]


@in_a_notebook
async def test_feeds_have_a_row_each_with_their_health() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5, "snow")
        feed.say(0.6, "snow")
        await asyncio.sleep(0.02)
        feed.cut()

    live = Scripted(script, "snow", is_whole=False)
    feeds = {"rain": replay(), "snow": live}
    with stepped(feeds=feeds, markets=None, feed_stale_threshold=None) as handle:
        monitor = RunMonitor(handle)
        await until(lambda: rows(monitor, "feeds")[1][9] != "no")
        # By one clock: beside a live feed it goes on, and played feeds have the speed 1.
        played, snow = rows(monitor, "feeds")
        assert played[:2] == ["rain", "played, paused"]
        assert played[4] == "1 of 6"
        assert snow[:2] == ["snow", "live, up"]
        assert snow[4:8] == ["3", "0", "0", "0"]  # two updates, and one that says it is lost
        assert snow[9].startswith("snow for 0.")
        assert snow[10] == "cut"
        assert section(monitor, "feeds")["title"] == "Feeds: 1 of 1 live up, 1 played, 1 stale"
        assert not monitor.shown["player"]["canSpeed"]
        await do(monitor, "speed", speed="5")
        assert "the speed beside a live feed is 1" in monitor.shown["error"]
        assert any("Where a feed is lost" in line for line in section(monitor, "ends")["lines"])


@in_a_notebook
async def test_exceptions_are_told_with_what_they_say_and_where() -> None:
    def broken(ctx: Any) -> Any:
        raise KeyError(f"no <b>model</b> at {ctx.feed.price}")

    with stepped(pipeline=[broken]) as handle:
        monitor = RunMonitor(handle)
        await step(handle, 2)
        await until(lambda: rows(monitor, "trouble") and rows(monitor, "trouble")[0][2] == "3")
        ((what, where, _, at, says),) = rows(monitor, "trouble")
        assert (what, where) == ("Exception: KeyError", "stage broken, market rain")
        assert says == "'no <b>model</b> at 0.48'"
        assert at != "–"
        assert section(monitor, "trouble")["title"] == "Trouble: 3 exceptions, 0 orders refused"
        trace = section(monitor, "trace 0")
        assert trace["title"] == "Where KeyError in broken was raised"
        # The first of a kind keeps its place in the code; the latest what it says.
        assert "no <b>model</b> at 0.5'" in trace["text"]
        assert "raise KeyError" in trace["text"]
        (problem,) = handle.problems
        assert (problem.stage, problem.kind, problem.count) == ("broken", "KeyError", 3)


def test_an_exception_that_cannot_say_itself_is_told_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    known = Problems()
    error = hz.PipelineError("stage failed", stage="broken", market_id="rain", timestamp=7.0)
    error.__cause__ = Mute()
    assert [known.note(error) for _ in range(3)] == [1, 2, 3]
    (problem,) = known.all()
    assert problem.message == "(its text cannot be read: RuntimeError)"
    assert (problem.kind, problem.count, problem.time) == ("Mute", 3, 7.0)


def test_a_message_without_end_is_cut() -> None:
    known = Problems()
    error = hz.PipelineError("x", stage="s", market_id="m", timestamp=0.0)
    error.__cause__ = ValueError("y" * 10_000)
    known.note(error)
    (problem,) = known.all()
    assert problem.message == "y" * 2_000 + "…"
    assert len(problem.trace) == 2_001


@in_a_notebook
async def test_refusals_are_counted_by_their_rule() -> None:
    with stepped(risk=hz.RiskConfig(max_order_size=5)) as handle:
        monitor = RunMonitor(handle)
        await until(lambda: rows(monitor, "trouble"))
        assert [row[:3] for row in rows(monitor, "trouble")] == [
            ["Order refused", "max_order_size", "2"],
        ]
        assert section(monitor, "trouble")["title"] == "Trouble: 0 exceptions, 2 orders refused"


# ------------------------------------------------------------------------ its buttons
@in_a_notebook
async def test_played_feeds_have_a_deck() -> None:
    with stepped() as handle:
        monitor = RunMonitor(handle)
        assert labels(monitor.shown["player"]["actions"]) == ["Play", "+1", "+10", "+100"]
        await do(monitor, "step", id="1")
        await until(lambda: handle.status().messages == 2)
        await do(monitor, "speed", speed="max")
        await until(lambda: monitor.shown["player"]["speed"] == "max")
        assert handle.speed == float("inf")
        await do(monitor, "speed", speed="7")
        assert "speed must be one of 0.5, 1," in monitor.shown["error"]
        await do(monitor, "step", id="-3")
        assert "steps must be one of 1, 10, 100" in monitor.shown["error"]
        await do(monitor, "resume")
        await until(lambda: not handle.is_running)
        assert handle.result.config["stopped_by"] == "end"
        await until(lambda: monitor.shown["chip"] == ["ENDED", ""])
        assert all(action["off"] for action in monitor.shown["player"]["actions"])


@in_a_notebook
async def test_the_kill_switch_cancels_closes_and_says_so() -> None:
    with stepped() as handle:
        monitor = RunMonitor(handle)
        assert "kill" not in RunMonitor.risky  # however late it comes, it is obeyed
        handle.step(1)
        await until(lambda: handle.status().fills == 1)
        assert monitor.shown["halted"] == ""
        await do(monitor, "kill")

        # Sold 10 at 0.52; two quotes rest, and the short position is bought back at the next row.
        assert handle.status().kill_switch
        assert monitor.shown["halted"].startswith(
            "The kill switch is on: only reducing orders pass. Thrown at "
        )
        assert monitor.shown["halted"].endswith(
            ": 2 orders cancelled, 1 position closed at market, 1 of them at the next price."
        )
        assert [order.quantity for order in handle.open_orders] == [10.0]
        await step(handle)
        assert handle.positions == []
        assert labels(monitor.shown["lifts"]) == ["Let orders pass"]
        assert monitor.shown["kill"]["label"] == "Kill switch again"
        await do(monitor, "kill")
        assert "Again at" in monitor.shown["halted"]

        await do(monitor, "reset", beat=-1)  # a click on numbers of long ago
        assert "nothing was sent" in monitor.shown["error"]
        assert handle.status().kill_switch
        await do(monitor, "reset")
        assert not handle.status().kill_switch
        assert monitor.shown["halted"] == ""


@in_a_notebook
async def test_a_run_is_stopped_without_waiting_and_stays_readable() -> None:
    with stepped(initial_capital=100.0) as handle:
        monitor = RunMonitor(handle)
        await step(handle)
        began = time.perf_counter()
        await do(monitor, "stop")
        assert time.perf_counter() - began < 2.0
        await until(lambda: monitor.shown["chip"] == ["ENDED", ""] and monitor.shown["tools"])

        assert section(monitor, "ending")["lead"] == "Stopped by hand."
        assert section(monitor, "ending")["lines"][0] == (
            "Held at the end, at its last prices: −10 rain."
        )
        assert facts(monitor, "result")["Fills"] == "1"
        assert facts(monitor)["Open orders"] == "0"
        assert rows(monitor, "markets")[0][8] == "−10"
        # A run takes leave of its feeds as it ends; they are not stale for that.
        assert [[row[2], row[9]] for row in rows(monitor, "feeds")] == [["–", "no"]]
        assert monitor.shown["kill"] is None
        assert monitor.shown["line"]["points"]
        still = monitor.shown
        await asyncio.sleep(5.0)
        assert monitor.shown == still
        with pytest.raises(hz.HorizonError, match="has ended: nothing trades"):
            monitor.kill_switch()
        await do(monitor, "tearsheet")
        assert type(monitor.parts["tearsheet"]).__name__ == "TearsheetView"
        assert monitor.shown["tools"][0]["off"]
        assert_fit_to_show(monitor)


@in_a_notebook
async def test_a_stage_that_hangs_is_told_while_the_run_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("horizon.widgets.run_monitor.monitor.time", loop_now())
    gate, begun = threading.Event(), threading.Event()

    def slow(ctx: Any) -> Any:
        if ctx.feed.price == 0.52:
            begun.set()
            gate.wait(20.0)

    with stepped(pipeline=[slow]) as handle:
        monitor = RunMonitor(handle)
        handle.step(1)
        await until(begun.is_set)
        await do(monitor, "stop")
        await until(lambda: monitor.shown["chip"][0] == "STOPPING")
        assert monitor.shown["error"] is None
        assert monitor.shown["tools"][0]["off"]
        loop_now().block(10.0)
        await until(lambda: "A stage has been at work" in section(monitor, "ending")["lead"])
        gate.set()
        await until(lambda: monitor.shown["chip"][0] == "ENDED")


@in_a_notebook
async def test_a_run_that_fails_says_why_and_keeps_what_it_did() -> None:
    def leaving(ctx: Any) -> Any:
        if ctx.feed.price == 0.52:
            raise SystemExit("<i>enough</i>")
        return quoter(ctx)

    with stepped(pipeline=[leaving], name="<b>x</b>") as handle:
        monitor = RunMonitor(handle)
        handle.step(1)
        await until(lambda: monitor.shown["chip"] == ["FAILED", "bad"] and monitor.shown["tools"])
        ending = section(monitor, "ending")
        assert ending["title"] == "The run has failed; what it did until then is kept"
        assert ending["lead"] == "SystemExit: <i>enough</i>"
        assert monitor.shown["title"] == "Run <b>x</b>"
        assert facts(monitor, "result")["Fills"] == "1"


@in_a_notebook
async def test_a_run_that_never_began_says_so() -> None:
    feed = Scripted(comes_up=False)
    with in_background(feeds={"m": feed}, pipeline=[quoter], connect_timeout=0.05) as handle:
        monitor = RunMonitor(handle)
        await until(lambda: monitor.shown["chip"] == ["FAILED", "bad"])
        await asyncio.sleep(1.0)
        assert "is not up after 0.05 s" in section(monitor, "ending")["lead"]
        assert monitor.shown["tools"] == []  # there is no result to open
        assert monitor.shown["line"]["points"] == []


# ------------------------------------------------------------------------ its life
@in_a_notebook
async def test_a_closed_monitor_leaves_the_run_alone() -> None:
    with stepped(name="alone") as handle:
        monitor = RunMonitor("alone")
        assert monitor.handle is handle
        monitor.close()
        assert monitor.ended
        assert handle.is_running
        RunMonitor(handle)  # and another may watch


@in_a_notebook
async def test_what_is_no_run_is_refused() -> None:
    with stepped(name="known"):
        with pytest.raises(hz.HorizonError, match=r"no run named 'knwon'.*'known'"):
            RunMonitor("knwon")
        with pytest.raises(TypeError, match=r"handle must be what hz\.run"):
            RunMonitor(7)  # type: ignore[arg-type]


# ------------------------------------------------------------------------ what it keeps
class Curve:
    """Stands in for a handle that has an equity curve."""

    initial_capital = 100.0

    def __init__(self, equity: Any) -> None:
        self.equity = np.asarray(equity, dtype=float)
        self.length = 0
        self.asked: list[int] = []

    def equity_since(self, n: int) -> Any:
        self.asked.append(n)
        times = 1_000_000_000 * np.arange(n, self.length, dtype=np.int64)
        return times, self.equity[n : self.length]


def test_the_line_takes_up_each_point_once_and_knows_the_drawdown() -> None:
    curve = Curve([100.0, 110.0, 99.0, 104.5, 88.0, 132.0, 126.72])
    line: Any = EquityLine(curve)  # type: ignore[arg-type]
    found = []
    for length in (0, 2, 4, 5, 7):
        curve.length = length
        line.read()
        found.append((round(line.drawdown, 12), round(line.largest_drawdown, 12)))
    # 104.5 is 5 % below 110, 99 was 10 %; 88 is 20 %; 126.72 is 4 % below 132.
    assert found == [(0.0, 0.0), (0.0, 0.0), (0.05, 0.1), (0.2, 0.2), (0.04, 0.2)]
    assert curve.asked == [0, 0, 2, 4, 5]
    assert line.picture("USD")["summary"] == (
        "Equity 126.72 USD; lowest 88.00 USD, highest 132.00 USD over 7 points"
    )


def test_a_loss_on_the_first_row_is_a_drawdown() -> None:
    curve = Curve([75.0])
    curve.length = 1
    line: Any = EquityLine(curve)  # type: ignore[arg-type]
    line.read()
    assert line.drawdown == line.largest_drawdown == 0.25


def test_a_long_run_keeps_its_extremes_in_few_points() -> None:
    equity = np.full(130_000, 100.0)
    equity[3], equity[70_001], equity[-1] = 250.0, 20.0, 101.0
    curve = Curve(equity)
    line: Any = EquityLine(curve)  # type: ignore[arg-type]
    for length in range(10_000, 130_001, 10_000):
        curve.length = length
        line.read()
    assert len(line._equity) <= 40_000
    picture = line.picture("USD")
    values = [point[1] for point in picture["points"]]
    assert len(values) <= 602
    assert (max(values), min(values), values[-1]) == (250.0, 20.0, 101.0)
    assert "over 130,000 points" in picture["summary"]


def test_a_rate_is_that_of_the_last_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("horizon.widgets.run_monitor.line.time.monotonic", lambda: now[0])
    rate = Rate()
    assert rate.text == "–"
    count = 0
    for second in range(31):
        now[0] = float(second)
        count += 7 if second <= 15 else 2
        rate.take(count)
    assert rate.text == "2.0"
    for _ in range(3):
        rate.take(10**9)  # two looks a second are enough
    assert rate.text == "2.0"
