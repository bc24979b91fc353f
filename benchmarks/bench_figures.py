"""Time long figures: made in the kernel, painted and zoomed in a real JupyterLab.

python benchmarks/bench_figures.py [--points 1000000] [--zooms 40]     # needs Chromium

Prints how long thinning and a figure of a million points take and how large it is; how long from
running its cell to its line on the page, as a plain figure through Lab's own renderer and as a
LiveFigure, each as the first figure of a page (which then loads plotly.js) and as a later one;
how long from a zoom to the new points on the page; and what the depth of a book takes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from horizon.analytics.depth import depth_grid
from horizon.figures import LongFigure, book_depth
from horizon.figures.series import thinned
from tests.browser.lab import Lab
from tests.browser.server import find_chromium, open_browser, open_page, serve_lab

MAKE = """import numpy as np
import horizon as hz
from horizon.figures import LongFigure, theme_named

def equity(n):
    times = 1_600_000_000 * 10**9 + np.arange(n, dtype=np.int64) * 10**9
    values = 1e5 * np.exp(np.random.default_rng(7).normal(0.0, 1e-4, n).cumsum())
    look = theme_named("light")
    figure = LongFigure()
    figure.add_long(times, values, lambda kept: {
        "type": "scatter", "mode": "lines", "name": "equity",
        "x": times[kept].astype("datetime64[ns]"), "y": values[kept],
        "hovertemplate": "%{x}: %{y:,.2f} USD<extra></extra>"}, what="points")
    figure.update_layout(template=look.template, height=420, title={
        "text": "Equity", "subtitle": {"text": "<br>".join(figure.notes)}})
    return figure
"""
# From the command that runs a cell to the frame after the one with its line.
JS_PAINT = """index => new Promise(done => {
  const {shell, commands} = window.jupyterapp, panel = window.horizonPanel;
  shell.activateById(panel.id);
  panel.content.deselectAll();
  panel.content.activeCellIndex = index;
  const cell = panel.content.widgets[index].node;
  const began = performance.now();
  const look = new MutationObserver(() => {
    if (!cell.querySelector('.scatterlayer .js-line')) return;
    look.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  look.observe(cell, {subtree: true, childList: true});
  commands.execute('notebook:run-cell');
})"""
# From a new range of the x axis to the frame with the points of that range.
JS_ZOOM = """async ([index, count]) => {
  const plot = window.horizonPanel.content.widgets[index].node.querySelector('.js-plotly-plot');
  const plotly = [...horizonPlotly.values()][0].plotly;
  const [low, high] = plot._fullLayout.xaxis.range.map(end => plot._fullLayout.xaxis.r2c(end));
  const times = [];
  for (let i = 0; i < count; i++) {
    const width = (high - low) * 0.5 ** (1 + i % 8);
    const start = low + (high - low - width) * ((i * 0.37) % 1);
    const drawn = new Promise(done => plot.once('plotly_update', () =>
      requestAnimationFrame(() => setTimeout(() => done(performance.now())))));
    const began = performance.now();
    await plotly.relayout(plot, {'xaxis.range': [start, start + width]});
    times.push(await drawn - began);
    await new Promise(done => setTimeout(done, 100));
  }
  return times;
}"""


def best(work: Callable[[], object], rounds: int = 7) -> float:
    """Milliseconds of the median of some rounds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


def quantile(values: list[float], share: float) -> float:
    """The value below which so much of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def books(n: int, levels: int) -> dict[str, np.ndarray]:
    """Made-up snapshots, ten a second, in ticks of 0.01."""
    chance = np.random.default_rng(3)
    middle = 100.0 + 0.01 * chance.integers(-2, 3, n).cumsum()
    frame = {"timestamp": np.arange(n) / 10}
    for level in range(1, levels + 1):
        for side, sign in (("bid", -1), ("ask", 1)):
            frame[f"{side}_px_{level}"] = np.round(middle + sign * 0.01 * level, 2)
            frame[f"{side}_sz_{level}"] = chance.exponential(5.0, n)
    return frame


def measure_kernel(n: int) -> None:
    """What the kernel does, without any page."""
    import pandas as pd

    scope: dict[str, Callable[[int], LongFigure]] = {}
    exec(MAKE, scope)
    figure = scope["equity"](n)
    values = np.random.default_rng(1).normal(size=n).cumsum()
    start = 1_600_000_000 * 10**9
    print(f"thinning {n:,} points: {best(lambda: thinned(values)):.1f} ms")
    print(f"figure of {n:,} points (data made anew): {best(lambda: scope['equity'](n)):.0f} ms")
    print(f"  as JSON: {len(figure.to_json()) / 1e3:,.0f} kB, {best(figure.to_json):.1f} ms")
    half = n // 2 * 10**9
    window = best(lambda: figure.between(start, start + half))
    print(f"  thinned again for half of it: {window:.1f} ms")
    frame = pd.DataFrame(books(3_000, 10))
    print(f"3,000 books of 10 levels on a grid: {best(lambda: depth_grid(frame)):.0f} ms")
    print(f"  as a figure: {best(lambda: book_depth(frame)):.0f} ms", end="")
    print(f", {len(book_depth(frame).to_json()) / 1e3:,.0f} kB of JSON")


def paints(lab: Lab, source: str, n: int) -> tuple[float, list[float]]:
    """Milliseconds to paint the first figure of a page, and each of five later ones."""
    lab.open_cells(MAKE, f"figure = equity({n})", source, source)
    lab.run_cell(0)
    lab.run_cell(1)
    first = lab.page.evaluate(JS_PAINT, 2)
    later = []
    for _ in range(5):
        lab.wait_idle()
        lab.page.evaluate("window.horizonPanel.content.widgets[3].model.clearExecution()")
        lab.page.wait_for_timeout(300)
        later.append(lab.page.evaluate(JS_PAINT, 3))
    lab.wait_idle()
    return first, later


def measure_page(folder: Path, chromium: str, n: int, zooms: int, rounds: int) -> None:
    """Paint and zoom, each first figure on a page of its own."""
    sources = {
        "plain, Lab's renderer": "figure",
        "LiveFigure": "hz.widgets.LiveFigure(figure)",
    }
    first: dict[str, list[float]] = {name: [] for name in sources}
    later: dict[str, list[float]] = {name: [] for name in sources}
    waits: list[float] = []
    with serve_lab(folder) as server, open_browser(chromium) as browser:
        for _ in range(rounds):
            for name, source in sources.items():
                with open_page(browser, server, folder) as lab:
                    one, others = paints(lab, source, n)
                    first[name].append(one)
                    later[name] += others
                    if name == "LiveFigure":
                        waits += lab.page.evaluate(JS_ZOOM, [3, zooms])
                    problems = lab.problems()
                    assert not problems, problems
    for name in sources:
        print(
            f"{name}: first figure of a page painted after {statistics.median(first[name]):,.0f} "
            f"ms (best {min(first[name]):,.0f}), a later one after "
            f"p50 {statistics.median(later[name]):,.0f}, p95 {quantile(later[name], 0.95):,.0f} ms"
        )
    print(
        f"zoom to its new points: p50 {statistics.median(waits):,.0f} ms, "
        f"p95 {quantile(waits, 0.95):,.0f}, max {max(waits):,.0f} ({len(waits)} zooms)"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--zooms", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    measure_kernel(asked.points)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium: the page is not measured")
    with tempfile.TemporaryDirectory() as folder:
        measure_page(Path(folder), chromium, asked.points, asked.zooms, asked.rounds)


if __name__ == "__main__":
    main()
