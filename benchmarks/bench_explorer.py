"""Time the backtest explorer in a real JupyterLab, in a headless Chromium.

python benchmarks/bench_explorer.py [--changes 15] [--ticks 100000]     # needs Chromium

Prints how long it takes from a change of a parameter to its result on the page (the row of the
result, and the equity figure drawn anew), and how much of that the backtest itself is; the same
backtest without an explorer, in the same kernel; and how long the loop was held up meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bench_desk import spread
from tests.browser.lab import Lab
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

CELL = """import asyncio, time
import numpy as np
import horizon as hz

N = {ticks}
rng = np.random.default_rng(1)
data = {{
    "timestamp": 1.7e9 + np.arange(N),
    "price": np.round(100 + np.cumsum(rng.normal(0, 0.05, N)), 2),
}}

def make(params):
    window, held = params["window"], {{"sum": 0.0, "last": []}}

    def crossing(ctx):
        # A mean of the last prices; at most one order each time that it is crossed.
        last = held["last"]
        last.append(ctx.feed.price)
        held["sum"] += ctx.feed.price
        if len(last) > window:
            held["sum"] -= last[-window - 1]
        if len(last) <= window:
            return None
        wanted = 1.0 if ctx.feed.price > held["sum"] / window else -1.0
        missing = wanted - ctx.inventory
        if not missing:
            return None
        side = hz.OrderSide.Buy if missing > 0 else hz.OrderSide.Sell
        return hz.OrderRequest(ctx.market_id, hz.Side.Long, side, abs(missing))

    return [crossing]

SETTINGS = {{"markets": [hz.Market("ACME", hz.AssetClass.Equity)], "initial_capital": 10_000.0}}
late = []

async def watch():
    # How much later than asked for the loop comes back.
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(0.01)
        late.append(time.perf_counter() - begin - 0.01)

explorer = hz.widgets.BacktestExplorer(
    data, make, {{"window": list(range(500, 500 + 10 * {changes} + 20, 10))}}, keep=3, **SETTINGS
)
explorer"""
# One change after the other, all in the page: the field, the row of its result, the figure.
JS_CHANGES = """async count => {
  const face = document.querySelector('.hz-face[aria-label="Backtest explorer"]');
  const field = [...face.querySelectorAll('label')]
    .find(it => it.textContent === 'window').control;
  const until = (holds, seconds = 120) => new Promise((done, failed) => {
    const end = performance.now() + 1000 * seconds;
    const look = () => {
      if (holds()) done(performance.now());
      else if (performance.now() > end) failed(new Error('waited in vain for ' + holds));
      else setTimeout(look, 4);
    };
    look();
  });
  const row = '.hz-x-kept tbody tr:first-child .hz-x-choose';
  const newest = () => face.querySelector(row)?.textContent;
  const drawn = () => face.querySelector('.hz-figure')?.data?.map(it => it.name).join();
  const rows = [], figures = [];
  await until(() => drawn()?.includes('Run 1'));
  for (let i = 1; i <= count; i++) {
    const name = `Run ${i + 1}`;
    const begin = performance.now();
    field.value = String(500 + 10 * i);
    field.dispatchEvent(new Event('input', {bubbles: true}));
    rows.push(await until(() => newest() === name) - begin);
    figures.push(await until(() => drawn()?.includes(name)) - begin);
    await new Promise(done => setTimeout(done, 300));
  }
  return {rows, figures};
}"""
BARE = """plain = []
for window in range(500, 550, 10):
    begin = time.perf_counter()
    hz.backtest(data=data, pipeline=make({"window": window}), params={"window": window}, **SETTINGS)
    plain.append(1000 * (time.perf_counter() - begin))
print(plain)"""


def measure(lab: Lab, ticks: int, changes: int) -> None:
    """Change a parameter so often, and print what the page and the kernel saw."""
    lab.page.set_viewport_size({"width": 1400, "height": 1800})
    lab.open_cells(CELL.format(ticks=ticks, changes=changes))
    lab.run_cell(0)
    lab.page.set_default_timeout(1_000_000.0)
    lab.kernel_exec(
        "took = []\n"
        "keep = explorer.queue._on_result\n"
        "def noted(setting, ran):\n"
        "    took.append([1000 * ran.seconds, 1000 * ran.backtest_seconds])\n"
        "    return keep(setting, ran)\n"
        "explorer.queue._on_result = noted\n"
        "watching = asyncio.get_running_loop().create_task(watch())"
    )
    seen: dict[str, Any] = lab.page.evaluate(JS_CHANGES, changes)
    took = json.loads(lab.kernel_exec("watching.cancel(); print(took)"))[-changes:]
    late = json.loads(lab.kernel_exec("print([1000 * one for one in late])"))
    plain = json.loads(lab.kernel_exec(BARE, timeout=600.0))
    fills = lab.kernel_exec("print(len(explorer.result.record.fills))")
    print(f"{ticks:,} ticks, {int(fills):,} fills in the last run")
    spread("change to the row of its result", seen["rows"], "ms")
    spread("change to the equity figure drawn anew", seen["figures"], "ms")
    spread("  of that the backtest", [backtest for _, backtest in took], "ms")
    spread("  of that the figures' numbers", [whole - backtest for whole, backtest in took], "ms")
    shares = [100 * b / f for (_, b), f in zip(took, seen["figures"], strict=True)]
    spread("share of the backtest", shares, "%")
    spread("the backtest alone, in the same kernel", plain, "ms")
    spread("the loop came so much too late", late, "ms")
    for problem in lab.problems():
        print(f"PROBLEM: {problem}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=15)
    parser.add_argument("--ticks", type=int, default=100_000)
    args = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("no Chromium on PATH, and none named in HORIZON_CHROMIUM: nothing measured")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_lab(Path(folder)) as server,
        open_browser(chromium) as browser,
        open_page(browser, server, Path(folder)) as lab,
    ):
        measure(lab, args.ticks, args.changes)


if __name__ == "__main__":
    main()
