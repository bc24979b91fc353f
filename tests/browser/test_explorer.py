"""The backtest explorer as its user meets it, in a real JupyterLab."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.desk import assert_no_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

HOSTILE = "<b>rain</b> ${x} &amp;"
#: Prices that rise and fall by a tenth every ten seconds, and a maker around 0.5 now and then.
CELL = f"""
import time
import horizon as hz
rows = [{{"timestamp": 1000.0 + n, "price": 0.45 + 0.1 * (n // 10 % 2)}} for n in range(400)]
def make(params):
    def maker(ctx):
        if params["mode"] == "slow":
            time.sleep(0.05)
        if params["mode"] == "fails" and ctx.timestamp == 1100.0:
            raise ZeroDivisionError("it <i>broke</i>")
        if ctx.timestamp % 25 == 0:
            return hz.quotes(0.5, spread=params["spread"], size=params["size"])
    return [maker]
explorer = hz.widgets.BacktestExplorer(
    {{{HOSTILE!r}: rows}},
    make,
    {{"spread": [0.02, 0.06, 0.2], "size": [1, 5, 20], "mode": ["usual", "slow", "fails"]}},
    outcomes={{{HOSTILE!r}: 1.0}},
)
explorer
"""


class Explorer:
    """An explorer in the output of the first cell."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.page = lab, lab.page
        self.face = lab.output(0).get_by_role("group", name="Backtest explorer", exact=True)

    def expect_done(self, name: str) -> None:
        # What a screen reader is told.
        told = re.compile(rf"^{name}: [\d.]+ s, .* of it the backtest\.$")
        expect(self.face.get_by_role("status").filter(has_text=told)).to_have_count(1)

    def tab(self, name: str) -> Locator:
        return self.face.get_by_role("tab", name=name, exact=True)

    def button(self, name: str) -> Locator:
        return self.face.get_by_role("button", name=re.compile(rf"^{name}"))

    def row(self, table: str, start: str) -> Locator:
        return (
            self.face.get_by_role("table", name=re.compile(table))
            .get_by_role("row")
            .filter(has_text=re.compile(rf"^{start}"))
        )

    def setting(self) -> str:
        return self.lab.kernel_exec("print(explorer.setting)")


def opened(lab: Lab, *, dark: bool = False) -> Explorer:
    lab.open_cells(CELL, dark=dark)
    lab.run_all()
    explorer = Explorer(lab)
    explorer.expect_done("Run 1")
    return explorer


def test_parameters_are_changed_and_results_compared(lab: Lab) -> None:
    explorer = opened(lab)
    face = explorer.face

    # A slider by keyboard: from the first stop to the last, which nothing reaches.
    slider = face.get_by_role("slider", name="spread")
    slider.focus()
    slider.press("End")
    explorer.expect_done("Run 2")
    assert "'spread': 0.2" in explorer.setting()
    metrics = face.get_by_role("table", name="Metrics")
    expect(metrics.get_by_role("columnheader", name="difference")).to_be_visible()
    fills = explorer.row("Metrics", "Fills").get_by_role("cell")
    first, second = json.loads(
        lab.kernel_exec("print([len(one.trades) for one in explorer.results.values()])")
    )
    assert first > 0 == second
    expect(fills).to_have_text([str(first), "0", f"−{first}"])
    expect(
        face.get_by_role("group", name="Equity and drawdown").locator(".hz-figure .legend")
    ).to_be_visible()

    # A number that is none is said at its field; one that is runs as it is typed, and its slider
    # stands there, with the focus too. Enter after that asks for no second run.
    field = face.get_by_role("textbox", name="size")
    field.fill("7")
    expect(face.get_by_text("size must be one of 1, 5, 20, was 7")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("20")
    field.press("Tab")
    sizes = face.get_by_role("slider", name="size")
    expect(sizes).to_be_focused()
    expect(sizes).to_have_value("2")
    explorer.expect_done("Run 3")
    field.press("Enter")

    # Results: shown again, named, compared, dropped at the second press.
    explorer.button("Run 1$").click()
    expect(face.get_by_role("textbox", name="size")).to_have_value("1")
    name = face.get_by_role("textbox", name="On show")
    name.fill("base <u>")
    name.press("Enter")
    expect(explorer.button("base <u>")).to_be_visible()
    face.get_by_role("checkbox", name="Compare Run 3").check()
    expect(metrics.get_by_role("columnheader")).to_have_count(4)
    explorer.button("Pin base <u>").click()
    expect(explorer.button("Unpin base <u>")).to_have_attribute("aria-pressed", "true")
    explorer.button("Drop Run 2").click()
    explorer.button("Sure\\? Drop Run 2").click()
    expect(explorer.button("Run 2$")).to_have_count(0)
    assert lab.kernel_exec("print(list(explorer.results))") == "['base <u>', 'Run 3']"

    with explorer.page.expect_download() as download:
        explorer.button("Save it as a file").click()
    assert download.value.suggested_filename == "explorer-metrics.csv"
    assert "base <u>" in download.value.path().read_text()
    assert lab.axe(".hz-face") == []
    assert_no_problems(lab)


def test_fills_are_explained_and_mishaps_told(lab: Lab) -> None:
    explorer = opened(lab, dark=True)
    face, page = explorer.face, explorer.page

    # Tabs by keyboard.
    explorer.tab("Compare").focus()
    explorer.tab("Compare").press("ArrowRight")
    expect(explorer.tab("Fills")).to_be_focused()
    expect(explorer.tab("Fills")).to_have_attribute("aria-selected", "true")

    # A click on a fill, in the table and in the chart.
    table = face.get_by_role("table", name="Fills")
    expect(table.get_by_text(f"{HOSTILE} YES").first).to_be_visible()
    explorer.button("Explain order").first.click()
    why = face.get_by_role("group", name=re.compile("^Why order p"))
    expect(why.get_by_text(re.compile("^Order p.* of <b>rain</b>"))).to_be_visible()
    chart = face.get_by_role("group", name=re.compile("fills$"))
    point = chart.locator(".scatterlayer .trace").nth(1).locator("path.point").first
    point.scroll_into_view_if_needed()
    place = point.bounding_box()
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    buys = "[f.order_id for f in explorer.result.trades if f.order_side == hz.OrderSide.Buy]"
    first = lab.kernel_exec(f"print({buys}[0])")
    expect(face.get_by_role("group", name=f"Why order {first} filled")).to_be_visible()
    explorer.button("Oldest first|Newest first").click()
    expect(face.get_by_text(re.compile(r"^1 to \d+ of \d+ fills$"))).to_be_visible()

    # The views of one result.
    explorer.tab("Tearsheet").click()
    expect(face.get_by_role("group", name=re.compile("^Tearsheet")).first).to_be_visible()
    explorer.tab("Calibration").click()
    expect(face.get_by_role("group", name=re.compile("^Calibration")).first).to_be_visible()
    explorer.tab("Compare").click()

    # A run that takes its time shows how far it is, and can be interrupted.
    face.get_by_role("radio", name="slow").check()
    bar = face.get_by_role("progressbar", name=re.compile("^Backtest with"))
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"\d+ of 400 rows, about .* left"))
    explorer.button("Interrupt the backtest").click()
    told = re.compile(r"Interrupted at \d+ of 400 rows\.$")
    expect(face.get_by_role("status").filter(has_text=told)).to_have_count(1)
    expect(explorer.button("Run 1$")).to_be_visible()

    # An error of a stage, with its place.
    face.get_by_role("radio", name="fails").check()
    alert = face.get_by_role("alert").filter(has_text="Failed with")
    expect(alert).to_contain_text("ZeroDivisionError: it <i>broke</i>")
    expect(alert).to_contain_text("maker")
    expect(alert).to_contain_text(HOSTILE)
    expect(alert).to_contain_text("1970-01-01 00:18:20")
    assert lab.axe(".hz-face") == []

    # The cell again: the former is over, the new one runs.
    lab.kernel_exec("former = explorer")
    lab.run_cell(0)
    explorer.expect_done("Run 1")
    assert lab.kernel_exec("print(former.ended)") == "its cell was run again"
    assert_no_problems(lab)
