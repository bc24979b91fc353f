"""A figure of a million points as its reader meets it: painted, zoomed, left alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import assert_no_problems

if TYPE_CHECKING:
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

MILLION = """
import numpy as np
import horizon as hz
from horizon.figures import LongFigure, theme_named

def equity(n=1_000_000, theme="light", panels=1):
    look = theme_named(theme)
    times = 1_600_000_000 * 10**9 + np.arange(n, dtype=np.int64) * 10**9
    figure = LongFigure()
    if panels > 1:
        figure.set_subplots(rows=panels, cols=1, shared_xaxes=True)
    for row in range(1, panels + 1):
        values = 100.0 + np.random.default_rng(row).normal(0.0, 0.01, n).cumsum()
        def draw(kept, values=values):
            return {"type": "scatter", "mode": "lines", "x": times[kept].astype("M8[ns]"),
                    "y": values[kept], "customdata": kept}
        figure.add_long(times, values, draw, what="points", row=row if panels > 1 else None,
                        col=1 if panels > 1 else None)
    figure.update_layout(template=look.template, height=400, showlegend=False, title={
        "text": "Equity", "subtitle": {"text": "<br>".join(figure.notes)}})
    return figure

LiveFigure = hz.widgets.LiveFigure
"""
SHOW = "LiveFigure(equity())"
DEPTH = """
from horizon.figures import book_depth
books = [{"timestamp": 1.6e9 + t, "bids": [(100 + t % 7, 5), (99, 2)], "asks": [(110 + t % 5, 3)]}
         for t in range(3_000)]
LiveFigure(book_depth(books))
"""
BLOCK = """
import pathlib, time
while not pathlib.Path({flag!r}).exists():
    time.sleep(0.05)
"""
WHOLE = "Drawn: 2,000 of 1,000,000 points, extremes kept"
JS_PLOT = """plot => ({
  points: plot.data.map(trace => trace.x.length),
  range: plot._fullLayout.xaxis.range.map(end => plot._fullLayout.xaxis.r2c(end) / 1000 - 1.6e9),
  paper: getComputedStyle(plot.querySelector('.main-svg')).backgroundColor,
  width: plot._fullLayout.width,
})"""
JS_HEIGHTS = """plot => {
  const [low, high] = plot._fullLayout.xaxis.range.map(end => plot._fullLayout.xaxis.r2c(end));
  const heights = plot.calcdata[0].filter(p => p.x >= low && p.x <= high).map(p => p.y);
  const [bottom, top] = plot._fullLayout.yaxis.range;
  return {
    share: (Math.max(...heights) - Math.min(...heights)) / (top - bottom),
    auto: plot._fullLayout.yaxis.autorange,
    range: [bottom, top],
  };
}"""
# The page may have other libraries as well: it is kept from one test to the next.
JS_PLOTLIES = "[...horizonLibraries.values()].filter(it => it.key.startsWith('plotly.js'))"
JS_CHOSEN_HEIGHT = f"""plot => {JS_PLOTLIES}[0].module.default.relayout(
  plot, {{ 'yaxis.range[0]': 0, 'yaxis.range[1]': 1000 }})"""
JS_INSIDE = """plot => {
  const [low, high] = plot._fullLayout.xaxis.range.map(end => plot._fullLayout.xaxis.r2c(end));
  return plot.data.map(trace => Array.from(trace.x)
    .map(x => Date.parse(x + 'Z')).filter(x => x >= low && x <= high).length);
}"""


class Plot:
    """One figure in the output of a cell."""

    def __init__(self, lab: Lab, cell: int) -> None:
        self.lab = lab
        self.page = lab.page
        self.output = lab.output(cell)
        self.plot = self.output.locator(".js-plotly-plot")

    def expect_painted(self, lines: int = 1) -> None:
        expect(self.plot.locator(".scatterlayer .js-line")).to_have_count(lines)
        self.lab.wait_idle()

    def expect_note(self, text: str | re.Pattern[str]) -> None:
        expect(self.output.locator(".gtitle-subtitle")).to_have_text(text)

    def expect(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something holds: a drag and the kernel's answer take their time."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.state()
            self.page.wait_for_timeout(50)

    def expect_whole(self) -> None:
        """Wait until the million points' whole width is in view, at its own height."""
        ends = pytest.approx((0, 999_999), abs=1)
        self.expect(lambda: tuple(self.state()["range"]) == ends and self.heights()["auto"])

    @property
    def words(self) -> Any:
        """What is said below the figure."""
        return self.output.locator(".hz-figure-face > .hz-note")

    def state(self) -> dict[str, Any]:
        return self.plot.evaluate(JS_PLOT)

    def inside(self) -> list[int]:
        """Of each line, how many points are drawn in view."""
        return self.plot.evaluate(JS_INSIDE)

    def heights(self) -> dict[str, Any]:
        """How much of the height the points in view fill, and whose choice the range is."""
        return self.plot.evaluate(JS_HEIGHTS)

    def cells(self) -> float:
        """The width of a heat map's columns, in seconds."""
        return self.plot.evaluate(
            "({data: [{x}]}) => (Date.parse(x.at(-1)) - Date.parse(x[0])) / 1000 / (x.length - 1)"
        )

    def box(self, panel: int = 0) -> dict[str, float]:
        self.plot.scroll_into_view_if_needed()
        box = self.plot.locator(".nsewdrag").nth(panel).bounding_box()
        assert box is not None
        return box

    def drag(self, begin: float, end: float, *, panel: int = 0, release: bool = True) -> None:
        """Drag from one share of the width to another, at half the height."""
        box = self.box(panel)
        height = box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(box["x"] + begin * box["width"], height)
        mouse.down()
        mouse.move(box["x"] + (begin + end) / 2 * box["width"], height, steps=2)
        mouse.move(box["x"] + end * box["width"], height, steps=2)
        if release:
            mouse.up()

    def reset(self) -> None:
        """Click twice, as plotly has it."""
        self.page.wait_for_timeout(400)  # apart from a click before
        box = self.box()
        self.page.mouse.dblclick(
            box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, delay=20
        )

    def button(self, name: str) -> Any:
        return self.output.locator(f".modebar-btn[data-title^='{name}']")


def test_a_million_points_are_painted_zoomed_and_panned(fresh_lab) -> None:
    lab = fresh_lab  # no plotly.js is there yet
    lab.open_cells(MILLION, SHOW, SHOW, "LiveFigure(equity(100_000, panels=2))")
    lab.run_all()
    shown, second, linked = Plot(lab, 1), Plot(lab, 2), Plot(lab, 3)
    shown.expect_painted()
    shown.expect_note(WHOLE)
    assert shown.state()["points"] == [2_000]
    expect(shown.words).to_be_hidden()

    # One plotly.js for all of them.
    second.expect_painted()
    linked.expect_painted(2)
    assert lab.page.evaluate(f"{JS_PLOTLIES}.length") == 1
    assert lab.page.evaluate("typeof window.Plotly") == "undefined"  # nobody else's is touched

    # A zoom draws about two thousand points in view, and says so; the rest stays as it was.
    shown.drag(0.4, 0.6)
    shown.expect_note(re.compile(r"Drawn: [12],\d{3} of (19|20)\d,\d{3} points in view"))
    assert 1_900 <= shown.inside()[0] <= 2_000
    assert shown.state()["points"][0] > 3_000
    expect(shown.output.locator(".hz-state")).to_be_hidden()
    # A further one shows each point.
    for _ in range(2):
        shown.page.wait_for_timeout(400)  # two clicks at once would be a reset
        shown.drag(0.45, 0.55)
    shown.expect_note(re.compile(r"Drawn: (all )?[12],\d{3} (of \d,\d{3} )?points in view"))
    # What is in view fills the height, which is 6 % of it above and below: 1 / 1.12.
    assert shown.heights()["share"] == pytest.approx(1 / 1.12, rel=1e-6)
    # The other figure has its own window.
    second.expect_note(WHOLE)
    assert second.state()["points"] == [2_000]

    # Panned: other points; what a drag is under way over is drawn when it ends.
    shown.output.hover()
    shown.button("Pan").click()
    before = shown.state()["range"]
    shown.drag(0.3, 0.7, release=False)
    shown.page.wait_for_timeout(500)
    shown.page.mouse.up()
    shown.expect(lambda: shown.state()["range"][0] < before[0])
    shown.expect(lambda: 1_900 <= shown.inside()[0] <= 2_100)

    # Two clicks give the first picture back.
    shown.reset()
    shown.expect_note(WHOLE)
    shown.expect_whole()
    assert shown.state()["points"] == [2_000]

    # A height that was chosen by hand stays as it is.
    shown.plot.evaluate(JS_CHOSEN_HEIGHT)
    shown.drag(0.4, 0.6)
    shown.expect_note(re.compile("in view"))
    shown.page.wait_for_timeout(300)
    assert shown.heights()["range"] == [0, 1000]

    # Linked axes: a zoom in one panel shows more in both.
    linked.drag(0.4, 0.6, panel=1)
    linked.expect_note(re.compile(r"Drawn: [12],\d{3} of (19|20),\d{3} points in view"))
    assert all(1_900 <= count <= 2_000 for count in linked.inside())

    # The camera gives a picture.
    linked.output.hover()
    with lab.page.expect_download() as download:
        linked.button("Download").click()
    assert download.value.suggested_filename.endswith(".png")
    assert_no_problems(lab)


def test_kernel_that_is_busy_and_kernel_that_ends(lab) -> None:
    flag = lab.folder / "go on"
    lab.open_cells(MILLION, SHOW, BLOCK.format(flag=str(flag)), DEPTH)
    for cell in (0, 1, 3):
        lab.run_cell(cell)
    shown, depth = Plot(lab, 1), Plot(lab, 3)
    shown.expect_painted()
    # Cells of a book's depth become finer: 240 over it all, 480 over a fifth of it twice.
    depth.expect_painted(3)
    assert depth.cells() == pytest.approx(2_999 / 240, abs=0.01)
    depth.drag(0.4, 0.6)
    depth.expect_note(re.compile(r"Drawn: all (59|60)\d books in view"))
    assert depth.cells() == pytest.approx(2_999 / 5 * 2 / 480, rel=0.02)

    # While a cell blocks the kernel the figure zooms what it has; then the newest window wins.
    lab.run_cell(2, wait=False)
    shown.drag(0.2, 0.8)
    shown.page.wait_for_timeout(400)
    shown.drag(0.4, 0.6)
    expect(shown.words).to_contain_text("The kernel has not answered yet")
    assert shown.state()["points"] == [2_000]
    low, high = shown.state()["range"]
    assert high - low < 200_000
    flag.touch()
    shown.expect_note(re.compile(r"points in view"))
    expect(shown.words).to_be_hidden()
    assert 1_900 <= shown.inside()[0] <= 2_000
    lab.wait_idle()

    # A kernel that has ended: the same, and it is said. What is drawn for a window alone is
    # drawn as a whole again.
    lab.shut_down_kernel()
    expect(depth.words).to_contain_text("The kernel has ended")
    depth.reset()
    depth.page.wait_for_function(
        "plot => plot.data[0].x.length === 241", arg=depth.plot.element_handle()
    )
    assert depth.cells() == pytest.approx(2_999 / 240, abs=0.01)
    expect(shown.words).to_contain_text("The kernel has ended")
    shown.reset()
    shown.expect_whole()

    # A height that was chosen by hand stays as it is.
    shown.plot.evaluate(JS_CHOSEN_HEIGHT)
    shown.drag(0.4, 0.6)
    shown.expect_note(re.compile("in view"))
    shown.page.wait_for_timeout(300)
    assert shown.heights()["range"] == [0, 1000]
    shown.drag(0.4, 0.6)
    shown.expect(lambda: shown.state()["range"][1] - shown.state()["range"][0] < 300_000)
    assert_no_problems(lab)


def test_outputs_that_change_their_size_theme_and_figure_or_go(lab) -> None:
    lab.open_cells(
        MILLION,
        "shown = LiveFigure(equity(theme='dark'))\nshown",
        "shown.show(equity(50_000))",
        "LiveFigure(equity(20_000))",
    )
    lab.run_cell(0)
    lab.run_cell(1)
    shown = Plot(lab, 1)
    shown.expect_painted()
    assert shown.state()["paper"] == "rgb(28, 28, 28)"

    # It fills its output, and follows it.
    wide = shown.state()["width"]
    lab.page.set_viewport_size({"width": 900, "height": 900})
    shown.page.wait_for_function(
        "width => !document.querySelector('.js-plotly-plot')"
        " || document.querySelector('.js-plotly-plot')._fullLayout.width"
        " < width - 300",
        arg=wide,
    )
    # Another figure in its place.
    lab.run_cell(2)
    shown.expect_note(re.compile("of 50,000 points"))
    assert shown.state()["paper"] == "rgb(255, 255, 255)"

    # One that is closed still zooms what it has.
    lab.kernel_exec("shown.close()")
    expect(shown.words).to_contain_text("This figure has ended (it was closed)")
    shown.drag(0.4, 0.6)

    # A cell that is run again and again leaves nothing behind, in the page or in the kernel.
    lab.run_cell(3)
    again = Plot(lab, 3)
    again.expect_painted()
    count = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"

    def run_often(times: int) -> int:
        for _ in range(times):
            lab.run_cell(3)
            again.expect_painted()
        lab.page.wait_for_timeout(6_500)  # a former output is given back after some seconds
        return lab.js_heap()

    before, widgets = run_often(4), lab.kernel_exec(count)
    after = run_often(12)
    assert lab.kernel_exec(count) == widgets
    assert after - before < 12 * 300_000, f"{(after - before) / 12 / 1e3:.0f} kB each"
    assert lab.page.evaluate(f"{JS_PLOTLIES}.length") == 1
    assert_no_problems(lab)


def test_plotly_of_the_notebook_itself_is_taken_where_it_is_there(fresh_lab) -> None:
    lab = fresh_lab  # no plotly.js is there yet
    lab.open_cells(MILLION, "equity(5_000)", SHOW, dark=True)
    lab.run_cell(0)
    lab.run_cell(1)
    expect(lab.output(1).locator(".scatterlayer .js-line")).to_have_count(1)
    lab.run_cell(2)
    shown = Plot(lab, 2)
    shown.expect_painted()
    same = f"{JS_PLOTLIES}.map(it => it.module.default === Plotly)"
    assert lab.page.evaluate(same) == [True]
    shown.drag(0.4, 0.6)
    shown.expect_note(re.compile("points in view"))
    assert_no_problems(lab)
