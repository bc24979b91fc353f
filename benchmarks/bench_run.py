"""How fast a run in real time hears, thinks and trades, beside a bare client of the same socket.

    python benchmarks/bench_run.py [--rounds 5] [--only rate latency memory cuts]

A server in a process of its own sends quotes as JSON over a WebSocket on localhost.

*rate*: messages per second from the socket to a pipeline call (``interval=None``), the server
sending as fast as it is read: with a stage that does nothing, and with one that replaces both its
quotes whenever the price has moved. Each round takes, one after another, a bare client (receive,
parse, count), the run, and the bare client again; a ratio is that of one round. The bare loop of
`yardsticks.py` is taken in the same rounds.

*latency*: from the moment the server sends a message to the moment an order decided on it has been
accepted on paper, at a steady rate; both processes read one monotonic clock.

*memory*: what a run keeps of a million messages.

*cuts*: connections that the server cuts at random points: how many were made again, how often a
quote rested while nothing was known, and how long it took to hear the first row again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import orjson
from aiohttp import web
from yardsticks import bare_loop

import horizon as hz
from horizon.feeds import Backoff, Update, WebSocketFeed

SECTIONS = ("rate", "latency", "memory", "cuts")
#: Messages that the server writes at once when it sends as fast as it can.
BATCH = 64


# ---------------------------------------------------------------------------- the server
def quotes(seed: int) -> Iterator[tuple[float, float]]:
    """A bid and an ask that move by a cent, or stay."""
    chance = random.Random(seed)
    cents = 50
    while True:
        cents = min(max(cents + chance.choice((-1, 0, 0, 0, 1)), 10), 90)
        yield (cents - 1) / 100, (cents + 1) / 100


def message(quote: tuple[float, float], sent: int) -> str:
    return f'{{"e":"quote","m":"m","b":"{quote[0]}","a":"{quote[1]}","B":"50","A":"40","t":{sent}}}'


async def flood(ws: web.WebSocketResponse, request: web.Request) -> None:
    """Send as fast as it is read."""
    made = quotes(1)
    while True:
        for _ in range(BATCH):
            await ws.send_str(message(next(made), 0))


async def steady(ws: web.WebSocketResponse, request: web.Request) -> None:
    """Send at a rate, each message with the time at which it is sent."""
    made = quotes(2)
    gap = 1.0 / float(request.query["rate"])
    due = time.perf_counter()
    while True:
        due += gap
        while (left := due - time.perf_counter()) > 0.0:
            await asyncio.sleep(left if left > 0.0005 else 0)
        await ws.send_str(message(next(made), time.monotonic_ns()))


async def cut(ws: web.WebSocketResponse, request: web.Request) -> None:
    """Send some messages, and cut the connection in the middle of one."""
    made, chance = quotes(3), random.Random()
    for _ in range(chance.randint(1, 200)):
        await ws.send_str(message(next(made), time.monotonic_ns()))
        if chance.random() < 0.05:
            await asyncio.sleep(0.002)
    assert request.transport is not None
    request.transport.write(b"\x81\x7e\x00")  # type: ignore[attr-defined]  # half a frame
    request.transport.abort()


async def serve() -> None:
    app = web.Application()

    def handler(play: Callable[..., Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.WebSocketResponse:
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            with contextlib.suppress(ConnectionError, RuntimeError):
                await play(ws, request)
            return ws

        return handle

    for name, play in (("flood", flood), ("steady", steady), ("cut", cut)):
        app.router.add_get(f"/{name}", handler(play))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@contextlib.contextmanager
def server() -> Iterator[str]:
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


# ---------------------------------------------------------------------------- the client
class Quotes(WebSocketFeed):
    """The server's protocol."""

    def __init__(self, url: str) -> None:
        super().__init__(
            "quotes", "m", url=url, asset_class=hz.Prediction, backoff=Backoff(0.005, 0.02)
        )
        self.sent = 0
        self.connections = 0

    def _reset(self) -> None:
        self.connections += 1

    def _take(self, message: Any, received_ns: int) -> list[Update]:
        self.sent = message["t"]
        bid, ask = float(message["b"]), float(message["a"])
        return [
            Update(
                message["m"],
                received_ns,
                price=(bid + ask) / 2.0,
                bid=bid,
                ask=ask,
                bid_size=float(message["B"]),
                ask_size=float(message["A"]),
            )
        ]


def nothing(ctx: Any) -> None:
    """Look, and do nothing."""


def quoter(ctx: Any) -> list[hz.Quote]:
    return hz.quotes(ctx.feed.price, spread=0.06, size=10)


async def _bare(url: str, n: int) -> float:
    async with aiohttp.ClientSession() as http:
        ws = await http.ws_connect(url)  # hung up on with the session: a goodbye takes its time
        await ws.receive()
        start = time.perf_counter()
        for _ in range(n):
            orjson.loads((await ws.receive()).data)
        return n / (time.perf_counter() - start)


def bare_client(url: str, n: int) -> float:
    """Messages per second of a client that parses and forgets them."""
    return asyncio.run(_bare(f"{url}/flood", n))


def run_rate(url: str, n: int, stage: Callable[[Any], Any]) -> float:
    """Messages per second of a run, from the socket to the pipeline call."""
    seen, begun = 0, 0.0
    rate = 0.0

    def counted(ctx: Any) -> Any:
        nonlocal seen, begun, rate
        if seen == 0:
            begun = time.perf_counter()
        elif seen == n:
            rate = n / (time.perf_counter() - begun)
            handles[0].stop()
        seen += 1
        return stage(ctx)

    handles: list[hz.RunHandle] = []
    handle = hz.run(
        feeds={"m": Quotes(f"{url}/flood")},
        pipeline=[counted],
        interval=None,
        matching="quotes",
        background=True,
    )
    handles.append(handle)
    handle.wait()
    return rate


def measure_rate(url: str, rounds: int, n: int) -> None:
    print(f"\nrate: {n:,} messages, median of {rounds} rounds (lowest to highest)")
    for name, stage in (("a stage that does nothing", nothing), ("quotes on each move", quoter)):
        rates, bares, loops, ratios, per_loop = [], [], [], [], []
        for _ in range(rounds):
            before = bare_client(url, n)
            rates.append(run_rate(url, n, stage))
            after = bare_client(url, n)
            loops.append(bare_loop())
            bares.append((before + after) / 2)
            ratios.append(bares[-1] / rates[-1])
            per_loop.append(loops[-1] / rates[-1])
        print(
            f"  {name}: {statistics.median(rates):,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f});"
            f" bare client {statistics.median(bares):,.0f}/s, "
            f"{statistics.median(ratios):.2f} times as fast; one message costs "
            f"{statistics.median(per_loop):,.0f} turns of the bare loop"
        )


def measure_latency(url: str, n: int) -> None:
    print(f"\nlatency: from the server's send to an order accepted on paper, {n:,} messages")
    for rate in (100, 1_000, 5_000):
        feed = Quotes(f"{url}/steady?rate={rate}")
        taken: list[int] = []

        def order(ctx: Any, feed: Quotes = feed, taken: list[int] = taken) -> None:
            sent = feed.sent
            ctx.exchange().buy("m", 1.0, limit=0.01)
            taken.append(time.monotonic_ns() - sent)
            if len(taken) % 100 == 0:
                ctx.exchange().cancel_all()

        count = min(n, 10 * rate)
        handle = hz.run(
            feeds={"m": feed},
            pipeline=[order],
            interval=None,
            matching="quotes",
            background=True,
            initial_capital=1e6,
        )
        while len(taken) < count:
            time.sleep(0.05)
        handle.stop()
        micros = np.array(taken[min(50, count // 10) : count]) / 1e3
        p50, p99, most = np.percentile(micros, [50, 99, 100])
        print(f"  {rate:>5,}/s: p50 {p50:,.0f} us, p99 {p99:,.0f} us, longest {most:,.0f} us")


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def measure_memory(url: str, n: int) -> None:
    print(f"\nmemory: growth over {n:,} messages")
    for name, stage in (("a stage that does nothing", nothing), ("quotes on each move", quoter)):
        points: list[tuple[int, float]] = []
        handles: list[hz.RunHandle] = []
        seen = 0

        def look(ctx: Any, stage: Any = stage, points: Any = points, handles: Any = handles) -> Any:
            nonlocal seen
            if seen % (n // 10) == 0:
                points.append((seen, resident()))
                if seen == n:
                    handles[0].stop()
            seen += 1
            return stage(ctx)

        handle = hz.run(
            feeds={"m": Quotes(f"{url}/flood")},
            pipeline=[look],
            interval=None,
            matching="quotes",
            background=True,
        )
        handles.append(handle)
        orders = len(handle.wait().orders_frame())
        start = points[1]
        per = (points[-1][1] - start[1]) * 1e6 / (points[-1][0] - start[0])
        print(
            f"  {name}: {points[-1][1] - points[0][1]:,.0f} MB, {per:,.0f} bytes for each message "
            f"after the first tenth; {orders:,} orders"
        )


def measure_cuts(url: str, n: int) -> None:
    feed = Quotes(f"{url}/cut")
    resting: list[int] = []
    waits: list[float] = []
    lost_at = 0.0

    def look(ctx: Any) -> Any:
        nonlocal lost_at
        if lost_at:
            waits.append(time.perf_counter() - lost_at)
            lost_at = 0.0
        return quoter(ctx)

    lose = feed._lose

    def losing(*args: Any) -> None:
        nonlocal lost_at
        lose(*args)
        resting.append(len(handle.open_orders))
        lost_at = time.perf_counter()

    feed._lose = losing  # type: ignore[method-assign]
    handle = hz.run(
        feeds={"m": feed}, pipeline=[look], interval=None, matching="quotes", background=True
    )
    while feed.connections <= n:
        time.sleep(0.02)
    result = handle.stop()
    assert result is not None
    print(
        f"\ncuts: {len(resting):,} connections cut in the middle of a message, "
        f"{feed.connections:,} made; {len(waits):,} times rows came again, after "
        f"{statistics.median(waits) * 1e3:.1f} ms (longest {max(waits) * 1e3:.0f} ms); quotes left "
        f"on a stale book: {sum(resting)}; {result.config['rows']:,} rows, "
        f"{len(result.fills):,} fills"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve())
        return
    with server() as url:
        if "rate" in chosen.only:
            measure_rate(url, chosen.rounds, 50_000)
        if "latency" in chosen.only:
            measure_latency(url, 20_000)
        if "memory" in chosen.only:
            measure_memory(url, 1_000_000)
        if "cuts" in chosen.only:
            measure_cuts(url, 200)


if __name__ == "__main__":
    main()
