"""Time a live feed: messages a second from a socket on this machine to `deliver`.

python benchmarks/bench_feeds.py [--messages 200000] [--rounds 5]

A server in a process of its own sends Binance's messages as fast as it can, on one connection.
They are taken by a bare loop (aiohttp and orjson, a float for each of four fields, and nothing
else), by `BinanceWS`, and by `BinanceWS` whose updates are recorded; in turn, so that whatever
slows the machine down slows all of them. The ratio is of the processor's time, since the server
and whatever else is running have a share of the seconds.

Then it sends a message each millisecond, which says when it was sent: what a message takes from
there to `deliver` where nothing waits before it. Both processes read one clock.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import orjson
import psutil
from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from horizon.feeds import BinanceWS, FeedStatus, Recording, RecordWriter, Update

#: Messages that are sent one at a time.
PACED = 3_000


def message_of(number: int, size: str = "31.21000000") -> str:
    """A best quote as Binance writes it."""
    data = {
        "u": 400_900_217 + number,
        "s": "BTCUSDT",
        "b": f"{60_000 + number % 97 * 0.01:.8f}",
        "B": size,
        "a": f"{60_001 + number % 89 * 0.01:.8f}",
        "A": "40.66000000",
    }
    return json.dumps({"stream": "btcusdt@bookTicker", "data": data}, separators=(",", ":"))


def now_ns() -> int:
    """A time that fits a size: both processes read it, and a float holds it to the nanosecond."""
    return time.monotonic_ns() % 10**15


def serve(pipe: Connection, count: int) -> None:
    """Send `count` messages to whoever connects; in a process of its own."""
    messages = list(map(message_of, range(count)))

    async def handle(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if request.path.startswith("/paced"):
            for number in range(PACED):
                await ws.send_str(message_of(number, str(now_ns())))
                await asyncio.sleep(0.001)
        else:
            for message in messages:
                await ws.send_str(message)
        with contextlib.suppress(ConnectionError):
            await ws.receive()
        return ws

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        while not pipe.poll():
            await asyncio.sleep(0.05)
        await runner.cleanup()

    asyncio.run(main())


async def bare(url: str, count: int) -> tuple[float, float]:
    """The least that reads the messages and knows the four numbers: seconds, and of the CPU."""
    total = 0.0
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as ws:
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            data = orjson.loads((await ws.receive()).data)["data"]
            total += float(data["b"]) + float(data["B"]) + float(data["a"]) + float(data["A"])
        return time.perf_counter() - start, time.process_time() - cpu


async def ours(
    url: str, count: int, writer: RecordWriter | None = None
) -> tuple[float, float, FeedStatus]:
    """The same through the feed."""
    done = asyncio.Event()
    feed = BinanceWS("BTCUSDT", url=url, trades=False)
    start = cpu = 0.0
    seen = 0

    def deliver(update: Update) -> None:
        nonlocal cpu, seen, start
        if seen == 0:
            start, cpu = time.perf_counter(), time.process_time()
        if writer is not None:
            writer.add_update(update.received_ns, update)
        seen += 1
        if seen == count:
            done.set()

    listening = asyncio.create_task(feed.listen(deliver))
    await done.wait()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    status = feed.status()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return seconds, cpu, status


async def ways(url: str) -> list[float]:
    """Microseconds from the server's sending of a message to `deliver`."""
    done = asyncio.Event()
    found: list[float] = []

    def deliver(update: Update) -> None:
        found.append((now_ns() - update.bid_size) / 1e3)
        if len(found) == PACED:
            done.set()

    feed = BinanceWS("BTCUSDT", url=f"{url}/paced", trades=False)
    listening = asyncio.create_task(feed.listen(deliver))
    await done.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return sorted(found)


def memory_mb() -> float:
    """Resident memory of this process."""
    return psutil.Process().memory_info().rss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    # A new interpreter: a fork would take this one's threads and sockets along.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there, asked.messages), daemon=True)
    server.start()
    url = f"ws://127.0.0.1:{here.recv()}"
    count = asked.messages
    taken: dict[str, list[tuple[float, float]]] = {"bare": [], "feed": [], "recorded": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.parquet"
        before = 0.0
        for number in range(asked.rounds):
            taken["bare"].append(asyncio.run(bare(url, count)))
            *times, status = asyncio.run(ours(url, count))
            assert (status.messages, status.garbage, status.gaps) == (count, 0, 0)
            taken["feed"].append((times[0], times[1]))
            writer = RecordWriter(path)
            *times, _ = asyncio.run(ours(url, count, writer))
            writer.close()
            taken["recorded"].append((times[0], times[1]))
            if number == 0:  # what every first time needs is there now
                before = memory_mb()
        grown = memory_mb() - before
        assert Recording(path).n_rows == count
        size = path.stat().st_size / count
    times = asyncio.run(ways(url))
    here.send(None)
    server.join()
    print(f"{count:,} messages over a socket on this machine, median of {asked.rounds}")
    bare_cpu = statistics.median(cpu for _, cpu in taken["bare"])
    for name, said in (
        ("bare", "a bare loop of aiohttp and orjson"),
        ("feed", "BinanceWS to deliver()"),
        ("recorded", "the same, recorded to Parquet"),
    ):
        rate = count / statistics.median(seconds for seconds, _ in taken[name])
        cpu = statistics.median(cpu for _, cpu in taken[name])
        print(
            f"  {said:34} {rate:>9,.0f} messages/s  {cpu / count * 1e6:5.2f} µs of CPU each  "
            f"{bare_cpu / cpu:5.2f} of the bare loop's speed"
        )
    more = 3 * (asked.rounds - 1) * count
    print(f"  memory grew by {grown:.1f} MB over {more:,} messages after the first round")
    half, most = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"  from sending to deliver(), one at a time: p50 {half:.0f} µs, p99 {most:.0f} µs")
    print(f"  a recorded row takes {size:.1f} bytes")


if __name__ == "__main__":
    main()
