"""Runs on live feeds: staleness, cuts, cycles, and what is recorded of them."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import horizon as hz
from horizon.algos import TWAP
from horizon.errors import FeedError
from horizon.feeds import Backoff, Replay, Synthetic, WebSocketFeed
from horizon.feeds.recording import Recording
from horizon.feeds.updates import Levels, Update, amount
from horizon.running import run
from horizon.strategies import FixedNotional, Signal, Strategy, Zscore
from tests.feeds.servers.base import Peer, Refuse
from tests.running.live import Scripted, facts, in_background, quoter, served, until

NAN = math.nan


def levels(best: float, step: float, *sizes: float) -> Levels:
    return [round(best + i * step, 6) for i in range(len(sizes))], list(sizes)


# ---------------------------------------------------------------------------- first rows
@pytest.mark.parametrize("interval", [None, 0.01])
def test_a_market_waits_for_its_first_price(interval: float | None) -> None:
    seen = []

    async def script(feed: Scripted) -> None:
        feed.say(market="a", bid=0.4)  # a quote, and no price yet
        feed.say(0.5, "b")
        await asyncio.sleep(0.03)
        feed.say(0.6, "a")

    def look(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.feed.price))

    run(feeds=Scripted(script, ["a", "b"]), pipeline=[look], interval=interval, duration=0.06)
    first = next(i for i, (market, _) in enumerate(seen) if market == "a")
    assert first > 0
    assert {seen[i] for i in range(first)} == {("b", 0.5)}
    assert seen[first] == ("a", 0.6)


def test_nothing_is_traded_before_all_feeds_are_up() -> None:
    async def late(feed: Scripted) -> None:
        await asyncio.sleep(0.05)
        feed._set_state("up")
        began.append(feed._now_ns())
        feed.say(0.7, "b")

    async def early(feed: Scripted) -> None:
        for price in (0.1, 0.2, 0.3):
            feed.say(price, "a")

    began: list[int] = []
    seen = []

    def look(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.feed.price))

    feeds = {"a": Scripted(early, "a", waits=False), "b": Scripted(late, "b", comes_up=False)}
    result = run(feeds=feeds, pipeline=[look], interval=None, duration=0.03)
    assert seen == [("a", 0.3), ("b", 0.7)]  # of what came before, the latest
    assert result.record.times_ns[0] > began[0]  # and its time is the run's beginning


def test_what_was_lost_before_all_are_up_is_not_shown() -> None:
    async def late(feed: Scripted) -> None:
        await asyncio.sleep(0.03)
        feed._set_state("up")

    async def early(feed: Scripted) -> None:
        feed.say(0.1, "a")
        feed.cut()

    feeds = {"a": Scripted(early, "a", waits=False), "b": Scripted(late, "b", comes_up=False)}
    assert run(feeds=feeds, pipeline=[quoter], duration=0.03).config["rows"] == 0


# ---------------------------------------------------------------------------- feeds that fail
def test_a_feed_that_does_not_come_up_is_named_with_what_to_do_offline() -> None:
    feed = Scripted(comes_up=False, name="nowhere", address="wss://example.org/stream?key=secret")
    with pytest.raises(FeedError) as caught:
        run(feeds={"m": feed}, pipeline=[quoter], connect_timeout=0.05)
    said = str(caught.value)
    assert said.startswith("feed 'nowhere' at wss://example.org/stream is not up after 0.05 s")
    assert "hz.feeds.Synthetic" in said
    assert "hz.feeds.Replay" in said
    assert (caught.value.feed, caught.value.address) == ("nowhere", "wss://example.org/stream")


def test_in_the_background_the_handle_has_the_error() -> None:
    feed = Scripted(comes_up=False)
    with in_background(feeds={"m": feed}, pipeline=[quoter], connect_timeout=0.03) as handle:
        assert handle.status().state == "connecting"
        with pytest.raises(FeedError):
            handle.wait(60.0)
        assert isinstance(handle.exception, FeedError)
        with pytest.raises(FeedError):
            _ = handle.result
        assert handle.status().state == "failed"
        assert "is not up" in repr(handle)
        assert handle.stop() is None


def test_a_refusal_ends_the_run_at_once() -> None:
    with served(Refuse(403)) as server:
        begun = time.monotonic()
        with pytest.raises(FeedError, match=r"403.*Offline, play"):
            run(feeds={"m": Ticker(server.ws_url)}, pipeline=[quoter])
        assert time.monotonic() - begun < 9.0


def test_a_feed_that_fails_later_ends_the_run_and_leaves_its_result(tmp_path: Path) -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5)
        await asyncio.sleep(0.01)
        raise feed._failure("has had enough")

    saved = tmp_path / "result"
    with in_background(
        feeds={"m": Scripted(script)}, pipeline=[quoter], interval=None, save=saved
    ) as handle:
        with pytest.raises(FeedError, match=r"had enough.*Offline"):
            handle.wait(60.0)
        assert handle.result.config["stopped_by"] == "error"
        assert len(handle.result.orders_frame()) == 2
        assert hz.load_result(saved).config["rows"] == 1


class Short(Scripted):
    """Says what its script says, and has nothing more to say."""

    async def _listen(self) -> None:
        listening = asyncio.create_task(super()._listen())
        await self.said.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    def __init__(self, prices: list[float], market: str) -> None:
        self.said = asyncio.Event()

        async def script(feed: Scripted) -> None:
            for price in prices:
                feed.say(price, market)
                await asyncio.sleep(0.002)
            self.said.set()

        super().__init__(script, market)


def test_a_run_ends_when_all_its_feeds_have_ended_by_themselves() -> None:
    feeds = {"a": Short([0.5], "a"), "b": Short([0.5] * 10, "b")}
    result = run(feeds=feeds, pipeline=[quoter], interval=None)
    assert (result.config["stopped_by"], result.config["rows"]) == ("end", 11)
    orders = result.orders_frame()
    ended = orders.groupby("market_id")["ended"].max()
    assert ended["a"] < ended["b"]  # what the first one quoted was pulled as it ended
    played = {
        "a": Short([0.5], "a"),
        "b": Replay([{"timestamp": 0.03 * i, "price": 0.5} for i in range(3)]),
    }
    assert run(feeds=played, pipeline=[quoter]).config["rows"] == 4


def test_a_feed_that_does_not_hang_up_keeps_nobody_from_the_end() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    begun = time.monotonic()
    feed = Scripted(script, is_whole=False)
    result = run(feeds={"m": feed}, pipeline=[quoter], duration=0.05)
    assert 1.0 < time.monotonic() - begun < 30.0
    assert result.config["stopped_by"] == "duration"


def test_prices_that_no_such_market_has_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5)
        for _ in range(12):
            feed.say(1.5)
        feed.say(0.5, bid=0.4, ask=1.2)
        feed.book(([0.4], [1.0]), ([0.6, 1.2], [1.0, 1.0]))
        feed.say(0.6)

    with caplog.at_level(logging.ERROR, "horizon.run"):
        result = run(
            feeds={"m": Scripted(script, has_books=True)},
            pipeline=[quoter],
            interval=None,
            duration=0.03,
        )
    assert (result.config["rows"], result.config["refused_rows"]) == (2, 14)
    assert [record.args[3] for record in caplog.records] == [1, 10]  # type: ignore[index]


@pytest.mark.parametrize(
    "fields",
    [
        {"bid": 0.5, "ask": 0.4},
        {"bid": -0.1},
        {"ask": -0.1},
        {"bid_size": -1.0},
        {"ask_size": math.inf},
        {"volume": -1.0},
        {"volume": math.inf},
        {"ask": math.inf},
        {"price": -1.0},
        {"price": 2e15},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [hz.Prediction, hz.Equity])
def test_what_no_reader_would_take_is_not_played(
    fields: dict[str, float], kind: hz.AssetClass, tmp_path: Path
) -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.45)
        feed.say(**{"price": 0.45, **fields})
        feed.say(0.55)

    path = tmp_path / "session.parquet"
    logging.getLogger("horizon.run").disabled = True
    try:
        live = run(
            feeds={"m": Scripted(script, asset_class=kind)},
            pipeline=[quoter],
            interval=None,
            record=path,
            duration=0.04,
        )
    finally:
        logging.getLogger("horizon.run").disabled = False
    assert (live.config["rows"], live.config["refused_rows"]) == (2, 1)
    again = hz.backtest(**Recording(path).arguments(), pipeline=[quoter])
    assert facts(live) == facts(again)


@pytest.mark.parametrize("has_books", [True, False])
def test_a_row_that_cannot_be_true_pulls_the_quotes_of_the_one_before(has_books: bool) -> None:
    resting = []

    has_handle = threading.Event()  # the feed may be heard before its run is handed over

    async def script(feed: Scripted) -> None:
        await asyncio.to_thread(has_handle.wait)
        feed.book(levels(0.49, -0.01, 5, 5), levels(0.51, 0.01, 5, 5))
        resting.append(len(handle.open_orders))
        if has_books:
            feed.book(levels(0.49, -0.01, 5, 5), levels(0.50, -0.02, 5, 5))  # asks out of order
        else:
            feed.say(1.01)
        resting.append(len(handle.open_orders))
        if has_books:
            book = handle.engine.venue.book("m")  # type: ignore[attr-defined]
            assert (book.bids, book.asks) == ([], [])
        feed.book(levels(0.49, -0.01, 5, 5), levels(0.51, 0.01, 5, 5))
        resting.append(len(handle.open_orders))

    feed = Scripted(script, has_books=has_books)
    with in_background(feeds={"m": feed}, pipeline=[quoter], interval=None) as handle:
        has_handle.set()
        until(lambda: len(resting) == 3)
        assert resting == [2, 0, 2]
        status = handle.status()
        assert (status.refused, status.stale) == (1, ())


# ---------------------------------------------------------------------------- staleness
def looked_at(**options: Any) -> tuple[list[Any], hz.BacktestResult]:
    """A run, and what its stage saw: (price, open orders before it, is it stale)."""
    seen: list[Any] = []

    def look(ctx: Any) -> Any:
        seen.append((ctx.feed.price, len(ctx.engine.open_orders()), ctx.feed.is_stale))
        return quoter(ctx)

    return seen, run(pipeline=[look], **options)


def test_a_cut_pulls_quotes_at_once_and_the_next_row_brings_them_back() -> None:
    cut: list[int] = []

    async def script(feed: Scripted) -> None:
        feed.say(0.5)
        await asyncio.sleep(0.01)
        cut.append(feed._now_ns())
        feed.cut()
        cut.append(feed._now_ns())
        await asyncio.sleep(0.01)
        feed.say(0.4)
        await asyncio.sleep(0.01)

    seen, result = looked_at(feeds={"m": Scripted(script)}, interval=None, duration=0.12)
    assert seen == [(0.5, 0, False), (0.4, 0, False)]
    orders = result.orders_frame()
    assert len(result.fills) == 0  # the bid of 0.48 was gone when the price came to 0.40
    assert len(orders) == 4
    assert cut[0] <= orders["ended"].iloc[0].value <= cut[1]


def test_silence_pulls_quotes_when_the_threshold_has_passed() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5, "a")
        for _ in range(20):
            feed.say(0.3, "b")
            await asyncio.sleep(0.025)

    # So far apart that a machine that stands still for a moment makes nothing stale.
    result = run(
        feeds=Scripted(script, ["a", "b"]),
        pipeline=[quoter],
        interval=0.01,
        feed_stale_threshold=0.4,
        duration=0.2,
    )
    orders = result.orders_frame()
    a = orders[orders["market_id"] == "a"]
    b = orders[orders["market_id"] == "b"]
    lived = (a["ended"] - a["submitted"]).dt.total_seconds()
    assert lived.tolist() == pytest.approx([0.4, 0.4], abs=1e-6)
    # What rests in the other market is there until the end.
    assert (b["ended"] == b["ended"].max()).all()
    assert (b["ended"] - b["submitted"]).dt.total_seconds().min() > 0.4


def test_strategies_are_pulled_too() -> None:
    class Long(Strategy):
        def evaluate(self, f: Any, universe: Any) -> Any:
            return [Signal.increase(m, edge_bps=50, urgency=hz.Urgency.Passive) for m in universe]

    cut: list[int] = []

    async def script(feed: Scripted) -> None:
        feed.say(0.5, bid=0.49, ask=0.51)
        await asyncio.sleep(0.02)
        feed.cut()
        cut.append(feed._now_ns())
        await asyncio.sleep(0.01)

    result = run(
        feeds={"m": Scripted(script)},
        strategies=[Long()],
        sizer=FixedNotional(10.0),
        interval=None,
        duration=0.1,
    )
    (order,) = result.orders_frame().itertuples()
    assert order.status == "canceled"
    assert order.ended.value <= cut[0]


@pytest.mark.parametrize("matching", ["book", "quotes"])
def test_no_quote_rests_on_a_market_that_is_lost(matching: str) -> None:
    """At every cut, before anything else happens, nothing rests."""
    resting: list[int] = []

    async def script(feed: Scripted) -> None:
        rng = random.Random(4)
        for _ in range(100):
            middle = rng.randint(30, 70) / 100
            bids, asks = levels(middle - 0.01, -0.01, 5, 5), levels(middle + 0.01, 0.01, 5, 5)
            feed.book(bids, asks)
            if rng.random() < 0.5:
                feed.cut()
                resting.append(len(engine.open_orders()))
                await asyncio.sleep(0)

    seen: list[Any] = []

    def look(ctx: Any) -> Any:
        nonlocal engine
        engine = ctx.engine
        seen.append(ctx.feed.price)
        return quoter(ctx)

    engine: Any = None
    feed = Scripted(script, has_books=True)
    result = run(feeds={"m": feed}, pipeline=[look], interval=None, matching=matching, duration=0.1)
    assert len(resting) > 30
    assert set(resting) == {0}
    assert len(result.orders_frame()) > 100


def test_a_stale_market_is_said_in_the_status() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5, "a")
        feed.say(0.5, "b")
        await asyncio.sleep(0.01)
        feed._lose("gone")

    with in_background(feeds=Scripted(script, ["a", "b"]), pipeline=[quoter]) as handle:
        until(lambda: handle.status().stale == ("a", "b"))
        assert "stale: a, b" in repr(handle)


# ---------------------------------------------------------------------------- cycles
def test_cycles_lie_on_the_grid_of_the_first_row() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5)

    stamps = []

    def look(ctx: Any) -> None:
        stamps.append(ctx.now_ns)

    result = run(feeds={"m": Scripted(script)}, pipeline=[look], interval=0.01, duration=0.105)
    assert len(stamps) + result.config["overruns"] >= 9
    assert {(ns - stamps[0]) % 10_000_000 for ns in stamps} == {0}
    assert result.config["cycles"] == len(stamps)


def test_cycles_that_come_too_late_are_left_out_and_counted() -> None:
    async def script(feed: Scripted) -> None:
        for _ in range(100):
            feed.say(0.5)
            await asyncio.sleep(0.001)

    stamps = []

    def slow(ctx: Any) -> None:
        stamps.append(ctx.now_ns)
        time.sleep(0.035)

    feed = Scripted(script, is_whole=False)
    result = run(feeds={"m": feed}, pipeline=[slow], interval=0.01, duration=0.2)
    assert 2 <= len(stamps) <= 8  # each takes three and a half intervals
    assert {(ns - stamps[0]) % 10_000_000 for ns in stamps} == {0}
    gaps = [late - soon for soon, late in pairwise(stamps)]
    assert all(gap >= 30_000_000 for gap in gaps[:-1])
    assert stamps[-1] - stamps[0] <= 200_000_000  # none lies beyond the end
    left_out = (stamps[-1] - stamps[0]) // 10_000_000 + 1 - len(stamps)
    assert left_out <= result.config["overruns"] <= 21 - len(stamps)
    assert result.config["cycles"] == len(stamps)


def test_cycles_that_were_left_out_are_left_out_again(tmp_path: Path) -> None:
    async def script(feed: Scripted) -> None:
        for _ in range(60):
            feed.say(0.5)
            await asyncio.sleep(0.002)

    def slow(naps: list[float]) -> Any:
        def stage(ctx: Any) -> hz.OrderRequest:
            time.sleep(naps.pop() if naps else 0.0)
            return hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, price=0.01, size=1.0)

        return stage

    path = tmp_path / "session.parquet"
    live = run(
        feeds={"m": Scripted(script)},
        pipeline=[slow([0.05, 0.0, 0.03, 0.0])],
        interval=0.01,
        record=path,
        duration=0.15,
    )
    arguments = Recording(path).arguments()
    again = hz.backtest(**arguments, pipeline=[slow([])])
    assert live.config["overruns"] >= 6
    assert "interval" not in arguments
    assert len(live.orders_frame()) == live.config["cycles"]
    assert facts(live) == facts(again)


def test_a_row_that_was_received_before_a_cycle_and_heard_after_it_is_later() -> None:
    stamps: list[int] = []

    async def script(feed: Scripted) -> None:
        feed.say(0.5)
        while len(stamps) < 3:
            await asyncio.sleep(0.001)
        feed.say(0.6, later_ns=-15_000_000)
        rows.append(0.6)

    def look(ctx: Any) -> None:
        stamps.append(ctx.now_ns)

    rows: list[Any] = []
    with in_background(feeds={"m": Scripted(script)}, pipeline=[look], interval=0.02) as handle:
        until(lambda: bool(rows))
        result = handle.stop()
    assert result is not None
    assert result.record.times_ns[1] > stamps[2]


def test_rows_are_later_than_the_rows_and_cycles_before_them() -> None:
    async def script(feed: Scripted) -> None:
        for i in range(50):
            # A clock that stands still, or goes back: stamps do not.
            feed.say(0.5, later_ns=-1_000_000 * (i % 3))
            if i % 10 == 0:
                await asyncio.sleep(0.002)

    result = run(feeds={"m": Scripted(script)}, pipeline=[quoter], interval=0.001, duration=0.05)
    times = result.record.times_ns
    assert (times[1:] > times[:-1]).all()


# ---------------------------------------------------------------------------- played again
def restless(seed: int, markets: list[str], *, books: bool) -> Any:
    """A script of rows, books, gaps, cuts and silences."""

    async def script(feed: Scripted) -> None:
        rng = random.Random(seed)
        cents = dict.fromkeys(markets, 50)
        for _ in range(250):
            market, what = rng.choice(markets), rng.random()
            if what < 0.85:
                cents[market] = min(95, max(5, cents[market] + rng.choice((-1, 0, 1))))
                middle = cents[market] / 100
                sizes = [float(rng.randint(1, 30)) for _ in range(3)]
                if books:
                    bids = levels(middle - 0.01, -0.01, *sizes)
                    feed.book(bids, levels(middle + 0.01, 0.01, *sizes), market)
                elif what < 0.05:
                    feed.say(market=market, bid=middle - 0.01)
                elif what < 0.10:
                    feed.say(market=market)
                elif what < 0.5:
                    feed.say(middle, market, bid=middle - 0.01, ask=middle + 0.01)
                else:
                    feed.say(middle, market, volume=sizes[0])
            elif what < 0.89:
                feed.cut()
            elif what < 0.91:
                await asyncio.sleep(0.03)
            elif what < 0.97:
                await asyncio.sleep(rng.random() * 0.003)

    return script


def busy() -> list[Any]:
    """Quotes, market orders, an algorithm of its own and one of the engine's; fails at times."""
    calls: dict[str, int] = {}
    algos: dict[str, TWAP] = {}

    def model(ctx: Any) -> float:
        calls[ctx.market_id] = calls.get(ctx.market_id, 0) + 1
        return float(ctx.feed.price) + 0.01 * (calls[ctx.market_id] % 3 - 1)

    def trade(ctx: Any, fair: float) -> Any:
        count, market = calls[ctx.market_id], ctx.market_id
        if count % 7 == 0:
            side = hz.OrderSide.Sell if ctx.inventory > 0 else hz.OrderSide.Buy
            return hz.OrderRequest(market, hz.Side.Yes, side, size=5.0)
        if count == 11:
            ctx.exchange().twap(market, 8, side="buy", duration_secs=0.05, num_slices=4)
        if count == 5:
            algos[market] = TWAP(ctx.params["engine"], duration_secs=0.1, num_slices=4)
            algos[market].start(
                hz.OrderRequest(market, hz.Side.Yes, hz.OrderSide.Buy, price=fair, size=20.0)
            )
        algo = algos.get(market)
        if algo is not None and not algo.is_complete:
            algo.on_tick(ctx.feed.price, ctx.timestamp)
        if count % 13 == 0:
            raise RuntimeError("thirteen")
        return hz.quotes(fair, spread=0.04, size=10)

    return [model, trade]


@pytest.mark.parametrize("seed", range(8))
def test_a_recorded_session_played_again_gives_the_same(seed: int, tmp_path: Path) -> None:
    books, interval = seed % 2 == 0, None if seed % 4 < 2 else 0.01
    markets = ["a", "b"] if seed in (1, 2, 5, 6) else ["m"]
    path = tmp_path / "session.parquet"
    options: dict[str, Any] = {"latency_ms": 3.0 if seed >= 4 else 0.0, "initial_capital": 400.0}
    if books:
        options |= {"fill_model": "probabilistic", "fill_model_params": {"lambda": 9.0}}
        options |= {"impact_temporary_bps": 2.0, "impact_permanent_fraction": 0.5}
    logging.getLogger("horizon.run").disabled = True
    try:
        live = run(
            feeds=Scripted(restless(seed, markets, books=books), markets, has_books=books),
            pipeline=busy(),
            interval=interval,
            feed_stale_threshold=0.02,
            record=path,
            duration=0.5,
            **options,
        )
    finally:
        logging.getLogger("horizon.run").disabled = False
    recording = Recording(path)
    again = hz.backtest(**recording.arguments(), pipeline=busy())
    assert recording.data["is_stale"].sum() > 1
    assert len(live.fills) > 1
    assert facts(live) == facts(again)
    assert live.equity_curve == again.equity_curve
    assert live.errors == again.errors


@pytest.mark.parametrize("interval", [None, 0.01])
def test_strategies_in_a_recorded_session_decide_the_same_again(
    interval: float | None, tmp_path: Path
) -> None:
    class Dips(Strategy):
        features = {"z": Zscore(5)}

        def evaluate(self, f: Any, universe: Any) -> Any:
            return [
                Signal.decrease(m, edge_bps=40, urgency=hz.Urgency.Passive, ttl=0.004)
                if f.z[m.id] > 0
                else Signal.increase(m, edge_bps=60)
                for m in universe
                if abs(f.z[m.id]) > 0.5
            ]

    def strategies() -> dict[str, Any]:
        return {"strategies": [Dips()], "sizer": FixedNotional(20.0)}

    path = tmp_path / "session.parquet"
    feed = Scripted(restless(3, ["a", "b"], books=False), ["a", "b"])
    live = run(
        feeds=feed,
        interval=interval,
        feed_stale_threshold=0.02,
        record=path,
        duration=0.4,
        **strategies(),
    )
    again = hz.backtest(**Recording(path).arguments(), **strategies())
    assert len(live.decisions) > 5
    assert facts(live) == facts(again)
    assert live.decisions_frame().equals(again.decisions_frame())


class Ticker(WebSocketFeed):
    """A protocol of one kind of message: [price, bid, ask]."""

    def __init__(self, url: str, **options: Any) -> None:
        options.setdefault("backoff", Backoff(0.005, 0.01))
        super().__init__("ticker", "m", url=url, asset_class=hz.Prediction, **options)

    def _take(self, message: Any, received_ns: int) -> list[Update]:
        price, bid, ask = (amount("price", value) for value in message)
        return [Update("m", received_ns, price=price, bid=bid, ask=ask)]


@pytest.mark.parametrize("interval", [None, 0.01])
def test_over_a_socket_that_is_cut_again_and_again(interval: float | None, tmp_path: Path) -> None:
    """Nothing rests while the connection is down, and what was recorded gives the same again."""

    async def script(peer: Peer) -> None:
        rng = random.Random(len(peer.request.app) + server.attempts)
        for _ in range(rng.randint(1, 40)):
            price = rng.randint(40, 60) / 100
            await peer.send([price, price - 0.01, price + 0.01])
            if rng.random() < 0.1:
                await asyncio.sleep(0.003)
        peer.drop()

    path = tmp_path / "session.parquet"
    with served(script) as server:
        live = run(
            feeds={"m": Ticker(server.ws_url)},
            pipeline=[quoter],
            interval=interval,
            matching="quotes",
            record=path,
            duration=0.6,
        )
        assert server.attempts > 5
    recording = Recording(path)
    again = hz.backtest(**recording.arguments(), pipeline=[quoter])
    assert recording.data["is_stale"].sum() > 5
    assert len(live.fills) > 3
    assert facts(live) == facts(again)


def test_a_played_feed_beside_a_live_one_is_played_as_time_goes() -> None:
    async def script(feed: Scripted) -> None:
        feed.say(0.5)

    seen = []

    def look(ctx: Any) -> None:
        seen.append((ctx.market_id, ctx.timestamp))

    replay = Replay([{"timestamp": 0.02 * i, "price": 70.0} for i in range(4)])
    run(
        feeds={"m": Scripted(script), "oil": replay},
        pipeline=[look],
        interval=None,
        duration=0.1,
    )
    oil = [stamp for market, stamp in seen if market == "oil"]
    assert len(oil) == 4
    assert oil[-1] - oil[0] > 0.05  # not all at once; and how late is the machine's affair


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"speed": 2.0}, "speed must be 1 beside a live feed"),
        ({"rebase": False}, "rebase=False is for played feeds alone"),
    ],
)
def test_beside_a_live_feed_time_is_now(options: dict[str, Any], said: str) -> None:
    feeds = {"m": Scripted(), "s": Synthetic(1)}
    with pytest.raises(ValueError, match=said):
        run(feeds=feeds, pipeline=[quoter], **options)


def test_books_are_met_where_every_feed_has_them() -> None:
    async def script(feed: Scripted) -> None:
        feed.book(levels(0.49, -0.01, 5, 5), levels(0.51, 0.01, 3, 5))
        await asyncio.sleep(0.01)
        feed.book(levels(0.49, -0.01, 5, 5), levels(0.51, 0.01, 3, 5))

    seen: list[Any] = []

    def buy(ctx: Any) -> Any:
        seen.append((ctx.book.best_bid, ctx.book.best_ask))
        if len(seen) > 1:
            return None
        return hz.OrderRequest("m", hz.Side.Yes, hz.OrderSide.Buy, size=4.0)

    result = run(
        feeds={"m": Scripted(script, has_books=True)},
        pipeline=[buy],
        interval=None,
        paper_fee_rate=0.0,
        duration=0.05,
    )
    # Four contracts: three at 0.51 and one at 0.52, on arrival.
    assert [(f.size, f.price) for f in result.fills] == [(3.0, 0.51), (1.0, 0.52)]
    assert len(seen) == 2
