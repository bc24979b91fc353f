"""Twenty minutes of a busy desk: neither the kernel nor the page grows, and nothing stalls."""

from __future__ import annotations

import os
import time
from statistics import median

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.long

LENGTH = float(os.environ.get("HORIZON_SOAK_SECONDS", "1200"))
WARM_UP = min(120.0, LENGTH / 3)
EVERY = min(60.0, (LENGTH - WARM_UP) / 6)  # seconds between two samples
#: Of what was used after the warm-up, and what an account keeps of its orders and ticks.
GROWTH, KEPT = 0.1, 6e6
BUSY = """
import asyncio, math, random, time
chance = random.Random(1)
begun = 0
ticked = 0

def begin(market, buys):
    side, (first, *later) = "buy" if buys else "sell", (1 + chance.random() for _ in range(5))
    kind = chance.randrange(3)
    if kind == 0:
        return ex.twap(market, 10, duration_secs=60, num_slices=10, side=side)
    if kind == 1:
        return ex.vwap(market, 10, duration_secs=60, volume_profile=[first, *later], side=side)
    limit = ex.quote(market).price * (0.999 if buys else 1.001)
    return ex.iceberg(market, 10, show_size=2, limit=round(limit, 2), side=side)

async def busy():
    global begun, ticked
    started, running = time.time(), {}
    while True:
        seconds = time.time() - started
        for number in range(10):
            market = f"M{number}"
            wave = math.sin(seconds / 3 + number) + 0.2 * chance.random()
            ex.tick(market, round(100 + wave, 2), time.time())
            ticked += 1
            algo, buys = running.get(market, (None, False))
            if algo is None or algo.is_done:
                running[market] = begin(market, not buys), not buys
                begun += 1
        await asyncio.sleep(0.05)
at_work = asyncio.ensure_future(busy())
"""
COUNTS = """
if at_work.done():
    at_work.result()  # raises what ended it
print(ticked, begun, len(ex.orders()), len(ex.algos))
"""


def test_busy_desk_does_not_grow(lab) -> None:
    lab.open_cells(OWN.replace(", clock=lambda: 36_000.0", ""))
    lab.run_all()
    desk = Desk(lab)
    lab.kernel_exec(BUSY)
    expect(desk.part("Algorithms")).to_contain_text("Algorithms: 10 running")

    begin, samples = time.monotonic(), []
    ticked = 0
    while time.monotonic() < begin + LENGTH:
        due = begin + WARM_UP + len(samples) * EVERY
        lab.page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1_000)
        now = [int(count) for count in lab.kernel_exec(COUNTS).split()]
        samples.append((lab.kernel_memory(), lab.js_heap()))
        print(
            f"{time.monotonic() - begin:6.0f} s: kernel {samples[-1][0] / 1e6:.1f} MB, "
            f"page {samples[-1][1] / 1e6:.1f} MB; {now[0]} ticks, {now[1]} algorithms begun, "
            f"{now[2]} orders"
        )
        # It is alive, and so is what it shows.
        assert now[0] > ticked
        assert now[3] == 10
        ticked = now[0]
        desk.expect_state("live")
        before = desk.part("Prices").inner_text()
        expect(desk.part("Prices")).not_to_have_text(before, use_inner_text=True)

    for name, used in zip(("kernel", "page"), zip(*samples, strict=True), strict=True):
        first, last = median(used[:3]), median(used[-3:])
        assert last <= first * (1 + GROWTH) + KEPT, f"{name}: {first / 1e6:.1f} to {last / 1e6:.1f}"
    lab.kernel_exec("at_work.cancel()")
    assert_no_problems(lab)
