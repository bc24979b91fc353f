"""Time the live desk in a real JupyterLab, in a headless Chromium.

python benchmarks/bench_desk.py [--orders 60] [--seconds 60]     # needs Chromium

Prints how long it takes from the start of Lab to a desk that can be used; from the click that
confirms an order to its row; how often the page is painted, and how old the numbers on it are,
with ten algorithms and ten markets at twenty ticks a second each, and with ten algorithms on ten
order books at ten updates a second each, one of them shown; and what kernel and tab need.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser.lab import Lab
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

DESK = "import horizon as hz\n\ndesk = hz.workbench()\ndesk"
OWN = """import asyncio, time
import horizon as hz

ex = hz.connect("paper")
ex.tick("ACME", 100.0)
desk = hz.workbench(ex, market="ACME")
desk"""
LOADED = """START = time.time()
MARKETS = [f"M{i}" for i in range(10)]

async def tick_along():
    due = time.perf_counter()
    while True:
        for market in MARKETS:
            # The price is the time of its tick: what the page shows tells how old it is.
            ex.tick(market, 1.0 + time.time() - START)
        due += 0.05
        await asyncio.sleep(max(0.0, due - time.perf_counter()))

for market in MARKETS:
    ex.twap(market, 6_000, side="sell", duration_secs=3_600, num_slices=6_000)
ticking = asyncio.create_task(tick_along())
print(START)"""
# Ten books of twenty levels; the best bid of each is the time of its update.
BOOKS = """import asyncio, time
import horizon as hz

ex = hz.connect("book")
MARKETS = [f"M{i}" for i in range(10)]
START = time.time()

def bring(market):
    best = round(1.0 + time.time() - START, 3)
    bids = [(round(best - 0.001 * n, 3), 100.0 + n) for n in range(20)]
    asks = [(round(best + 0.001 * (n + 1), 3), 100.0 + n) for n in range(20)]
    ex.take_book(market, bids, asks)

async def go_on():
    due = time.perf_counter()
    while True:
        for market in MARKETS:
            bring(market)
        due += 0.1
        await asyncio.sleep(max(0.0, due - time.perf_counter()))

for market in MARKETS:
    ex.declare(hz.Market(market, hz.Equity, tick_size=0.001))
    bring(market)
    ex.twap(market, 6_000, side="sell", duration_secs=3_600, num_slices=6_000)
desk = hz.workbench(ex, market="M0", layout="book")
running = asyncio.ensure_future(go_on())
desk"""
JS_BOOK = """async ([start, seconds]) => {
  const face = document.querySelector('.hz-face[aria-label^="Book"]');
  const cell = face.querySelector('.hz-ladder-facts dd');
  const ages = [];
  let shown = cell.textContent;
  const observer = new MutationObserver(() => {
    if (cell.textContent === shown) return;
    shown = cell.textContent;
    ages.push(Date.now() - 1000 * (start + parseFloat(shown.replaceAll(',', '')) - 1));
  });
  observer.observe(face, {subtree: true, characterData: true, childList: true});
  await new Promise(done => setTimeout(done, 1000 * seconds));
  observer.disconnect();
  return ages;
}"""
# One order after the other, all in the page: fields, preview, the click, the row.
JS_ORDERS = """async count => {
  const face = name => document.querySelector(`.hz-face[aria-label^="${name}"]`);
  const ticket = face('Order ticket');
  const field = label => [...ticket.querySelectorAll('label')]
    .find(it => it.textContent.startsWith(label)).control;
  const until = async (what, seconds = 10) => {
    const end = performance.now() + 1000 * seconds;
    while (!what()) {
      if (performance.now() > end) throw new Error('waited in vain for ' + what);
      await new Promise(done => setTimeout(done, 4));
    }
  };
  const write = (input, value) => {
    input.value = value;
    input.dispatchEvent(new Event('input', {bubbles: true}));
  };
  const button = text => [...ticket.querySelectorAll('button')]
    .find(it => it.textContent.startsWith(text));
  const newest = () => face('Orders').querySelector('tbody th')?.textContent ?? '';
  const times = [];
  write(field('Limit price'), '9');
  for (let i = 0; i < count; i++) {
    write(field('Quantity'), String(i + 1));
    button('Preview').click();
    await until(() => button('Confirm')?.textContent === `Confirm: buy ${i + 1}`
      && button('Confirm').offsetParent !== null);
    const before = newest();
    const row = new Promise(done => {
      const watch = new MutationObserver(() => {
        if (newest() === before) return;
        watch.disconnect();
        done(performance.now());
      });
      watch.observe(face('Orders'), {subtree: true, childList: true, characterData: true});
    });
    const clicked = performance.now();
    button('Confirm').click();
    times.push(await row - clicked);
  }
  return times;
}"""
# The age of each price that is painted, and how often values, bars and the line are painted.
JS_LAG = """async ([start, seconds]) => {
  const face = name => document.querySelector(`.hz-face[aria-label^="${name}"]`);
  const ages = [];
  const counts = {prices: 0, algorithms: 0, line: 0};
  const watchers = [];
  const watch = (element, what, options, act) => {
    let frame = 0;
    const observer = new MutationObserver(() => {
      if (act) act();
      if (frame) return;
      frame = setTimeout(() => { frame = 0; counts[what] += 1; }, 0);
    });
    observer.observe(element, {subtree: true, ...options});
    watchers.push(observer);
  };
  const row = [...face('Prices').querySelectorAll('tbody tr')]
    .find(it => it.firstChild.textContent === 'M0');
  const cell = row.children[1];
  let shown = cell.textContent;
  watch(face('Prices'), 'prices', {characterData: true, childList: true}, () => {
    if (cell.textContent === shown) return;
    shown = cell.textContent;
    const ticked = start + Number(shown.replaceAll(',', '')) - 1;
    ages.push(Date.now() - 1000 * ticked);
  });
  watch(face('Algorithms'), 'algorithms', {characterData: true, childList: true, attributes: true});
  watch(face('Price').querySelector('.hz-path'), 'line', {attributes: true});
  await new Promise(done => setTimeout(done, 1000 * seconds));
  watchers.forEach(it => it.disconnect());
  return {ages, counts};
}"""


def quantile(values: list[float], share: float) -> float:
    """The value below which so much of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(name: str, values: list[float], unit: str) -> None:
    """Print median, 99th (or 95th) percentile and the ends."""
    print(
        f"{name}: p50 {statistics.median(values):,.0f} {unit}, p95 {quantile(values, 0.95):,.0f}, "
        f"p99 {quantile(values, 0.99):,.0f}, max {max(values):,.0f} ({len(values):,} samples)"
    )


def memory(lab: Lab) -> tuple[float, float]:
    """Megabytes of kernel and tab."""
    return lab.kernel_memory() / 1e6, lab.js_heap() / 1e6


def measure_start(folder: Path, chromium: str) -> None:
    """From nothing to a desk whose first order could be previewed."""
    begin = time.perf_counter()
    with serve_lab(folder) as server:
        served = time.perf_counter()
        with open_browser(chromium) as browser, open_page(browser, server, folder) as lab:
            lab.open_cells(DESK)
            opened = time.perf_counter()
            lab.run_cell(0, wait=False)
            lab.find("textbox", "Quantity, contracts").fill("1")
            price = lab.find("textbox", "Limit price, USD, 0 to 1")
            price.fill("0.4")
            price.press("Enter")
            lab.page.locator(".hz-headline").get_by_text("BUY +1").wait_for()
            usable = time.perf_counter()
    print(
        f"Lab start to a previewed order: {usable - begin:.1f} s (server {served - begin:.1f}, "
        f"browser, page and kernel {opened - served:.1f}, desk {usable - opened:.1f})"
    )


def measure_desk(folder: Path, chromium: str, orders: int, seconds: float) -> None:
    """Clicks, paints, lag and memory on one desk."""
    with (
        serve_lab(folder) as server,
        open_browser(chromium) as browser,
        open_page(browser, server, folder) as lab,
    ):
        lab.page.set_viewport_size({"width": 1400, "height": 1800})
        lab.open_cells(OWN)
        lab.run_cell(0)
        lab.page.locator(".hz-form").wait_for()
        lab.page.set_default_timeout(1000.0 * (2 * orders + seconds + 60))
        spread("click to the order's row", lab.page.evaluate(JS_ORDERS, orders), "ms")
        start = float(lab.kernel_exec(LOADED))
        chart = lab.page.locator(".hz-face[aria-label=Price]").get_by_label("Market")
        chart.select_option("M0")
        lab.page.wait_for_function(
            "() => document.querySelectorAll('.hz-algo').length === 10"
            " && document.querySelector('.hz-path')?.getAttribute('d')"
        )
        lab.page.wait_for_timeout(10_000)
        before = memory(lab)
        seen: dict[str, Any] = lab.page.evaluate(JS_LAG, [start, seconds])
        after = memory(lab)
        spread("age of a price when it is painted", seen["ages"], "ms")
        rates = {name: f"{n / seconds:.1f}/s" for name, n in seen["counts"].items()}
        print(f"paints with 10 algorithms, 10 markets at 20 ticks/s: {json.dumps(rates)}")
        filled = lab.kernel_exec("print(len(ex.fills_frame()))")
        print(f"fills meanwhile: {filled}")
        for name, first, last in zip(("kernel", "tab"), before, after, strict=True):
            print(f"memory of the {name}: {first:.1f} MB, after {seconds:.0f} s {last:.1f} MB")
        for problem in lab.problems():
            print(f"PROBLEM: {problem}")


def measure_books(folder: Path, chromium: str, seconds: float) -> None:
    """The age of a shown book, with ten algorithms at work."""
    with (
        serve_lab(folder) as server,
        open_browser(chromium) as browser,
        open_page(browser, server, folder) as lab,
    ):
        lab.page.set_viewport_size({"width": 1400, "height": 1800})
        lab.open_cells(BOOKS)
        lab.run_cell(0)
        lab.page.locator(".hz-ladder-facts dd").first.wait_for()
        lab.page.set_default_timeout(1000.0 * (seconds + 60))
        lab.page.wait_for_timeout(10_000)
        start = float(lab.kernel_exec("print(START)"))
        before = memory(lab)
        ages: list[float] = lab.page.evaluate(JS_BOOK, [start, seconds])
        after = memory(lab)
        spread("10 algorithms, 10 books at 10 updates/s: age of a book when painted", ages, "ms")
        print(f"paints of the book: {len(ages) / seconds:.1f}/s")
        counts = "print(len(ex.algos), len(ex.fills_frame()))"
        print(f"algorithms running, fills: {lab.kernel_exec(counts)}")
        for name, first, last in zip(("kernel", "tab"), before, after, strict=True):
            print(f"memory of the {name}: {first:.1f} MB, after {seconds:.0f} s {last:.1f} MB")
        for problem in lab.problems():
            print(f"PROBLEM: {problem}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--starts", type=int, default=3)
    args = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium on PATH, and none named in HORIZON_CHROMIUM: nothing measured")
        return
    for _ in range(args.starts):
        with tempfile.TemporaryDirectory() as folder:
            measure_start(Path(folder), chromium)
    with tempfile.TemporaryDirectory() as folder:
        measure_desk(Path(folder), chromium, args.orders, args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        measure_books(Path(folder), chromium, args.seconds)


if __name__ == "__main__":
    main()
