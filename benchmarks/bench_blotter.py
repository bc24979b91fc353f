"""Time the blotter with ten thousand rows in a real JupyterLab, in a headless Chromium.

python benchmarks/bench_blotter.py [--rows 10000] [--rounds 40]     # needs Chromium

Prints what the kernel needs to look at the account and to write rows; how long it takes from the
start of the cell to the first row and to all of them; a jump to another place in the rows, a sort,
a filter, and from an order to its row; and what kernel and tab need while orders keep coming.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.lab import Lab
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

ACCOUNT = """import horizon as hz
from horizon.widgets.blotter import Blotter

ex = hz.connect("paper", initial_cash_usd=1e12, fee_bps=1)
for market in range(100):
    ex.tick(f"M{market}", 100.0)
for number in range(ROWS):
    market, size = f"M{number % 100}", 1 + number % 9
    if number % 3:
        ex.buy(market, size, limit=90 + number % 997 / 100)
    else:
        ex.buy(market, size, market=True)"""
KERNEL = """import json, statistics, time

def timed(work, rounds=20):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)

sheet = blotter._sheets["orders"]
rows = [(n, sheet.store.get(n)) for n in sheet.store.numbers()[-1000:]]
write = timed(lambda: [blotter._written(sheet, n, row) for n, row in rows])
print(f"kernel: a look at the account {timed(blotter._look):.1f} ms, 1,000 rows written "
      f"{write:.1f} ms, a paint without news {timed(blotter.paint):.1f} ms")"""
# When the first row and the last of all are there, in milliseconds since 1970.
JS_SHOWN = """async rows => {
  const seen = {};
  const until = performance.now() + 120_000;
  while (performance.now() < until) {
    const count = document.querySelector('.hz-blotter-count')?.textContent ?? '';
    if (!seen.first && document.querySelector('.hz-blotter tbody th')) seen.first = Date.now();
    if (count === `${rows.toLocaleString('en-US')} rows`) {
      seen.all = Date.now();
      return seen;
    }
    await new Promise(done => setTimeout(done, 5));
  }
  throw new Error('waited in vain');
}"""
# Until the browser has painted: the frame after the one in which the change was made.
JS_STEPS = """async ([kind, rounds]) => {
  const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  const root = document.querySelector('.hz-blotter');
  const box = root.querySelector('.dt-scroll-body');
  const count = () => root.querySelector('.hz-blotter-count').textContent;
  const find = root.querySelector('input[type=search]');
  const heads = [...root.querySelectorAll('.dt-scroll-head thead th.dt-orderable-asc')];
  const times = [];
  for (let round = 0; round < rounds; round++) {
    await new Promise(done => setTimeout(done, 250));
    const begin = performance.now();
    if (kind === 'jump') box.scrollTop = (round * 7919 * 26) % (box.scrollHeight - 500);
    else if (kind === 'wheel') box.scrollTop += 78;
    else if (kind === 'sort') heads[round % heads.length].click();
    else {
      const before = count();
      find.value = round % 2 ? '' : `M${round}`;
      find.dispatchEvent(new Event('input', {bubbles: true}));
      while (count() === before) await new Promise(done => setTimeout(done, 1));
    }
    await painted();
    times.push(performance.now() - begin);
  }
  return times;
}"""
# How old a new order is when its row is painted: its limit tells when it was sent.
JS_NEW = """async ([start, seconds]) => {
  const root = document.querySelector('.hz-blotter');
  const ages = [];
  let newest = '';
  const place = [...root.querySelectorAll('.dt-scroll-head th')]
    .findIndex(it => it.textContent.startsWith('Limit'));
  const watch = new MutationObserver(() => {
    const row = root.querySelector('.dt-scroll-body tbody tr');
    const id = row?.querySelector('th')?.textContent;
    if (!id || id === newest) return;
    newest = id;
    const sent = start + Number(row.cells[place].textContent.replaceAll(',', ''));
    ages.push(Date.now() - 1000 * sent);
  });
  watch.observe(root.querySelector('.dt-scroll-body tbody'), {childList: true});
  await new Promise(done => setTimeout(done, 1000 * seconds));
  watch.disconnect();
  return ages.slice(1);
}"""
LIVE = """import asyncio
START = time.time()

async def go_on():
    while True:
        # Twenty a second, each with its time for a limit; and all positions move.
        ex.buy("M1", 1, limit=round(1 + time.time() - START, 4))
        ex.tick(f"M{2 + int(time.time() * 20) % 98}", 100.0 + time.time() % 1)
        await asyncio.sleep(0.05)

going = asyncio.create_task(go_on())
print(START - 1)"""


def spread(name: str, values: list[float]) -> None:
    """Print the median, the 95th percentile and the largest."""
    if not values:
        print(f"{name}: nothing was seen")
        return
    at = min(len(values) - 1, int(0.95 * len(values)))
    print(
        f"{name}: p50 {statistics.median(values):,.0f} ms, p95 {sorted(values)[at]:,.0f}, "
        f"max {max(values):,.0f} ({len(values)} samples)"
    )


def memory(lab: Lab) -> tuple[float, float]:
    """Megabytes of kernel and tab."""
    return lab.kernel_memory() / 1e6, lab.js_heap() / 1e6


def measure(folder: Path, chromium: str, rows: int, rounds: int, seconds: float) -> None:
    """All of it, on one page."""
    with (
        serve_lab(folder) as server,
        open_browser(chromium) as browser,
        open_page(browser, server, folder) as lab,
    ):
        lab.page.set_default_timeout(300_000)
        lab.open_cells(ACCOUNT.replace("ROWS", str(rows)), "blotter = Blotter(ex)\nblotter")
        lab.run_cell(0)
        begin = 1000.0 * time.time()
        lab.run_cell(1, wait=False)
        seen = lab.page.evaluate(JS_SHOWN, rows)
        print(
            f"{rows:,} orders, from the cell's start: first row {seen['first'] - begin:,.0f} ms, "
            f"all rows {seen['all'] - begin:,.0f} ms"
        )
        print(lab.kernel_exec(KERNEL))
        for kind, name in (
            ("jump", "a jump to another place, to painted"),
            ("wheel", "three rows further, to painted"),
            ("sort", "a sort of all rows, to painted"),
            ("filter", "a word sought in all columns (with 120 ms of typing), to painted"),
        ):
            spread(name, lab.page.evaluate(JS_STEPS, [kind, rounds]))
        lab.page.evaluate("document.querySelector('.hz-blotter .dt-scroll-body').scrollTop = 0")
        order = lab.page.locator(".hz-blotter .dt-scroll-head th", has_text="Order")
        while order.get_attribute("aria-sort") != "descending":
            order.click()
        lab.page.mouse.move(5, 5)
        before = memory(lab)
        start = float(lab.kernel_exec(LIVE))
        spread(
            "age of a new order when its row is there, at 20 orders/s",
            lab.page.evaluate(JS_NEW, [start, seconds]),
        )
        lab.kernel_exec("going.cancel()")
        after = memory(lab)
        for name, first, last in zip(("kernel", "tab"), before, after, strict=True):
            print(f"memory of the {name}: {first:.1f} MB, after {seconds:.0f} s {last:.1f} MB")
        for problem in lab.problems():
            print(f"PROBLEM: {problem}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=20.0)
    args = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium on PATH, and none named in HORIZON_CHROMIUM: nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chromium, args.rows, args.rounds, args.seconds)


if __name__ == "__main__":
    main()
