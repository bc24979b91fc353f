"""The blotter in a real JupyterLab: its grid, its keys, its files, and what rows do while they
are looked at."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

#: 1,200 orders: limits of 1 to 600 cents twice, every third of 100 markets filled.
MANY = """
import horizon as hz
from horizon.widgets.blotter import Blotter

ex = hz.connect("paper", initial_cash_usd=1e9, fee_bps=10, clock=lambda: 36_000.0)
for number in range(100):
    ex.tick(f"M{number}", 10.0, 36_000.0)
for number in range(1_200):
    if number % 3 == 0:
        ex.buy(f"M{number % 100}", 1 + number % 7, market=True)
    else:
        ex.buy(f"M{number % 100}", 1 + number % 7, limit=(1 + number % 600) / 100)
blotter = Blotter(ex)
blotter
"""
IMAGE = '<img src=x onerror="window.pwned=1">'
#: The second is what an innerHTML would make an image of, by way of an entity.
NAMES = (IMAGE, "&lt;&amp;" + IMAGE, "=HYPERLINK(1)", "AAPL\u202eLPAA", "W" * 256)
HOSTILE = f"""
import horizon as hz
from horizon.widgets.blotter import Blotter

ex = hz.connect("paper", clock=lambda: 36_000.0)
for name in {NAMES!r}:
    ex.declare(hz.Market(name, hz.Equity))
    ex.tick(name, 10.0, 36_000.0)
    ex.buy(name, 5, market=True)
    ex.buy(name, 2, limit=9.0, client_order_id=name[:40] + "!")
blotter = Blotter(ex, columns={{"orders": ["order", "market", "limit", "client"]}})
blotter
"""
#: What is seen: the first whole row, and how far down the grid is.
JS_TOP = """() => {
  const box = document.querySelector('.hz-blotter .dt-scroll-body');
  const edge = box.getBoundingClientRect().top;
  const rows = [...box.querySelectorAll('tbody tr')];
  const first = rows.find(row => row.getBoundingClientRect().top >= edge - 1);
  return [first?.querySelector('th').textContent, box.scrollTop];
}"""
JS_ACTIVE = """() => {
  const grid = document.querySelector('.hz-blotter [role=grid]');
  const row = document.getElementById(grid.getAttribute('aria-activedescendant'));
  const box = grid.closest('.dt-scroll-body');
  if (!row) return null;
  const place = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
  return [row.querySelector('th').textContent, row.getAttribute('aria-rowindex'),
    row.getAttribute('aria-selected'), Math.round(place), document.activeElement === grid];
}"""

#: What reaches beyond its place: the blotter itself, its tools, the notebook.
JS_OVER = """() => {
  const face = document.querySelector('.hz-blotter');
  const outer = document.querySelector('.jp-WindowedPanel-outer');
  const right = face.getBoundingClientRect().right + 1;
  const inside = [...face.querySelectorAll(':scope *:not(.hz-blotter-grid *, option)')]
    .filter(it => it.getBoundingClientRect().right > right);
  return [...inside, ...[face, outer].filter(it => it.scrollWidth > it.clientWidth + 1)]
    .map(it => it.className);
}"""


class BlotterPage(Desk):
    """A blotter by names, roles and words."""

    def column(self, name: str) -> list[str]:
        """The texts of a column, of the rows in the page."""
        js = """([name]) => {
          const root = document.querySelector('.hz-blotter');
          const heads = [...root.querySelectorAll('.dt-scroll-head thead th')];
          const place = heads.findIndex(it => it.textContent.startsWith(name));
          return [...root.querySelectorAll('.dt-scroll-body tbody tr')]
            .map(row => row.cells[place]?.textContent);
        }"""
        return self.page.evaluate(js, [name])

    @property
    def blotter(self) -> Any:
        return self.part("Blotter")

    @property
    def grid(self) -> Any:
        return self.blotter.get_by_role("grid")

    @property
    def filters(self) -> Any:
        return self.blotter.get_by_role("button", name=re.compile("^Filters"))

    def says(self, text: str) -> None:
        """Wait until the line below the rows says so; of how many rows, just that."""
        foot = self.blotter.locator(".hz-blotter-foot")
        if re.fullmatch(r"[\d,]+( of [\d,]+)? rows?(, [\d,]+ selected)?", text):
            expect(foot.locator(".hz-blotter-count")).to_have_text(text)
        else:
            expect(foot).to_contain_text(text)

    def many(self, name: str) -> Any:
        return self.blotter.locator(".hz-blotter-many button", has_text=name)

    def go_to(self, tab: str) -> None:
        self.blotter.get_by_role("tab", name=tab).click()


def test_a_thousand_orders_are_sorted_filtered_cancelled_and_exported(lab, tmp_path) -> None:
    lab.open_cells(MANY)
    lab.run_all()
    desk = BlotterPage(lab)
    desk.says("1,200 rows")
    assert desk.column("Order")[:2] == ["p1200", "p1199"]
    expect(desk.grid).to_have_attribute("aria-rowcount", "1201")

    # Sorted by value: 9 cents come before 10 as they do in no text, and market orders have none.
    limit = desk.blotter.get_by_role("button", name="Limit, USD: sort")
    limit.focus()
    limit.press("Enter")
    desk.eventually(lambda: desk.column("Limit")[:3], ["6.00", "6.00", "5.99"])
    desk.blotter.get_by_role("columnheader", name="Limit, USD").first.click()
    desk.eventually(lambda: desk.column("Limit")[:3], ["0.02", "0.02", "0.03"])
    heading = desk.blotter.locator(".dt-scroll-head th", has_text="Limit, USD")
    expect(heading).to_have_attribute("aria-sort", "ascending")

    # Filters: of each column by value or text, of all, of what works.
    desk.filters.click()
    desk.blotter.get_by_label("Filter: Limit, USD").fill("0.1..0.2")
    # Cents 10 to 20 twice each; 1 + n % 600 with n divisible by 3 is a market order.
    count = 2 * sum((cents - 1) % 3 != 0 for cents in range(10, 21))
    desk.says(f"{count} of 1,200 rows")
    assert desk.column("Limit")[0] == "0.11"
    desk.blotter.get_by_label("Filter: Market").fill("m1")
    desk.blotter.get_by_label("Filter: Quantity, units").fill(">= 3")
    wanted = sum(
        n % 3 != 0 and 10 <= 1 + n % 600 <= 20 and 1 + n % 7 >= 3 and f"m{n % 100}".startswith("m1")
        for n in range(1_200)
    )
    desk.says(f"{wanted} of 1,200 rows")
    desk.blotter.get_by_label("Filter: Quantity, units").fill(">")
    wrong = desk.blotter.get_by_label("Filter: Quantity, units")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    desk.blotter.get_by_role("button", name="Clear all filters").click()
    desk.says("1,200 rows")
    desk.blotter.get_by_label("Filter: State").select_option("filled")
    desk.blotter.get_by_label("Find in all columns").fill("M77 buy")
    filled = [n for n in range(1_200) if n % 3 == 0 and n % 100 == 77]
    desk.says(f"{len(filled)} of 1,200 rows")

    # A file of just these rows, in this order, made of values.
    desk.blotter.get_by_role("columnheader", name="Order").first.click()
    desk.eventually(lambda: desk.column("Order")[0], f"p{filled[0] + 1}")
    with lab.page.expect_download() as download:
        desk.blotter.get_by_role("button", name="Export what is shown as CSV").click()
    path = tmp_path / "orders.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [row["id"] for row in rows] == [f"p{n + 1}" for n in filled]
    assert {row["market_id"] for row in rows} == {"M77"}
    assert [float(row["quantity"]) for row in rows] == [1 + n % 7 for n in filled]
    desk.says(f"{len(filled)} rows of orders exported.")

    # What was selected under another filter is told, and not acted on.
    desk.grid.focus()
    lab.page.keyboard.press("Control+a")  # four that are filled: they can be exported, no more
    expect(desk.many("Cancel selected")).to_have_text("Cancel selected (0)")
    desk.blotter.get_by_label("Filter: State").select_option("working")
    desk.blotter.get_by_label("Find in all columns").fill("M76 buy")
    desk.eventually(lambda: set(desk.column("Market")), {"M76"})
    unseen = f"({len(filled)} of them not shown)"
    expect(desk.blotter.locator(".hz-blotter-count")).to_contain_text(unseen)
    desk.grid.focus()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("Space")
    both = f"{len(filled) + 1} selected {unseen}"
    expect(desk.blotter.locator(".hz-blotter-count")).to_contain_text(both)
    expect(desk.many("Cancel selected")).to_have_text("Cancel selected (1)")
    desk.many("Cancel selected").click()
    expect(desk.many("Sure?")).to_be_visible()
    desk.blotter.get_by_label("Find in all columns").fill("M75 buy")
    expect(desk.many("Sure?")).to_have_count(0)
    expect(desk.many("Cancel selected")).to_have_text("Cancel selected (0)")

    desk.grid.focus()
    lab.page.keyboard.press("Escape")
    expect(desk.blotter.locator(".hz-blotter-count")).not_to_contain_text("selected")

    # Many at once, in two presses, and never more than were counted at the first.
    desk.blotter.get_by_label("Find in all columns").fill("M77 buy")
    desk.blotter.get_by_label("Filter: State").select_option("working")
    working = sum(n % 3 != 0 and n % 100 == 77 for n in range(1_200))
    desk.eventually(lambda: set(desk.column("Market")), {"M77"})
    desk.says(f"{working} of 1,200 rows")
    desk.many("Cancel shown").click()
    expect(desk.many("Sure?")).to_be_visible()
    lab.kernel_exec("ex.buy('M77', 1, limit=0.5)")
    lab.page.wait_for_timeout(600)  # beyond a double click
    desk.many("Sure?").click()
    desk.says(f"{working} orders cancelled.")
    left = "print(sum(o.market_id == 'M77' for o in ex.open_orders()))"
    assert lab.kernel_exec(left) == "1"
    expect(desk.blotter.get_by_role("tab", name="Orders")).to_contain_text(f"{800 - working + 1} ")

    # Columns and rows' height, chosen here and kept by the kernel.
    desk.blotter.get_by_role("button", name="View").click()
    desk.blotter.get_by_label("Client order id").check()
    desk.blotter.get_by_label("Sent, UTC", exact=True).uncheck()
    desk.blotter.get_by_label("Height of rows").select_option("roomy")
    lab.page.keyboard.press("Escape")
    expect(desk.blotter.get_by_role("columnheader", name="Client order id").first).to_be_visible()
    expect(desk.blotter.locator(".dt-scroll-head th", has_text="Sent")).to_have_count(0)
    row = "document.querySelector('.hz-grid tbody tr').offsetHeight"
    desk.eventually(lambda: lab.page.evaluate(row), 34)

    # Positions: one is flattened in its row, in two presses.
    desk.go_to("Positions")
    desk.says("100 rows")
    first = desk.grid.get_by_role("row").filter(has_text="M0").first
    button = first.locator("button")
    assert button.inner_text() == "Flatten"
    button.click()
    lab.page.wait_for_timeout(600)
    first.get_by_role("button", name="Sure?").click()
    lab.page.mouse.move(5, 5)
    desk.eventually(lambda: lab.kernel_exec("print(ex.positions()[0].market_id)"), "M1")
    desk.eventually(lambda: desk.column("Market")[0], "M1")
    desk.go_to("Fills")
    desk.says("401 rows")
    assert desk.column("Side")[0] == "SELL −"
    assert lab.axe(".hz-blotter") == []
    assert_no_problems(lab)


def test_rows_stay_where_they_are_looked_at_while_others_come(lab) -> None:
    lab.open_cells(MANY, dark=True)
    lab.run_all()
    desk = BlotterPage(lab)
    desk.says("1,200 rows")
    lab.page.mouse.move(5, 5)
    top = lambda: lab.page.evaluate(JS_TOP)  # noqa: E731
    more = "for _ in range(7): ex.buy('M1', 3, limit=1.0)"

    # What is scrolled to stays on the screen; at the very top the new ones are seen at once.
    lab.page.evaluate("document.querySelector('.dt-scroll-body').scrollTop = 2600")
    desk.eventually(top, ["p1100", 2600])
    lab.kernel_exec(more)
    desk.says("1,207 rows")
    desk.eventually(top, ["p1100", 2600 + 7 * 26])
    lab.page.evaluate("document.querySelector('.dt-scroll-body').scrollTop = 0")
    lab.kernel_exec(more)
    desk.eventually(top, ["p1214", 0])

    # Below a pointer nothing moves, and what waits is said; but a state that changes is shown.
    first = desk.grid.get_by_role("row").filter(has_text="p1214")
    first.hover()
    lab.kernel_exec(more + "\nex.cancel('p1213')")
    desk.says("7 changes wait until the pointer leaves the rows")
    expect(desk.grid.get_by_role("row").filter(has_text="p1213")).to_contain_text("cancelled")
    assert top() == ["p1214", 0]
    lab.page.mouse.move(5, 5)
    desk.eventually(top, ["p1221", 0])

    # By keyboard: rows, selection, a row's buttons; the row that one is at keeps its place.
    active = lambda: lab.page.evaluate(JS_ACTIVE)  # noqa: E731
    desk.grid.focus()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("Space")
    assert active() == ["p1219", "4", "true", 52, True]
    lab.kernel_exec(more)
    desk.says("1,228 rows, 1 selected")
    desk.eventually(active, ["p1219", "11", "true", 52, True])
    lab.page.keyboard.press("End")
    desk.eventually(lambda: (active() or [""])[0], "p1")
    lab.page.keyboard.press("Home")
    desk.eventually(lambda: (active() or [""])[0], "p1228")
    lab.page.keyboard.press("Shift+ArrowDown")
    desk.says("1,228 rows, 3 selected")
    lab.page.keyboard.press("Enter")
    expect(desk.grid.locator("button:focus")).to_have_text("Cancel")
    lab.kernel_exec("ex.buy('M1', 3, limit=1.0)")
    desk.says("1 change waits until the row's button is left")
    lab.page.keyboard.press("Enter")
    desk.says("1,229 rows, 2 selected")  # one that has ended is selected no more
    assert lab.kernel_exec("print(ex.order('p1227').status)") == "canceled"
    desk.eventually(lambda: (active() or [""])[0], "p1227")
    lab.page.keyboard.press("Control+a")
    desk.says("1,229 rows, 1,229 selected")
    lab.page.keyboard.press("Escape")
    expect(desk.many("Cancel selected")).to_be_disabled()

    # Scrolling through all leaves no row behind in the page.
    for place in range(0, 32_000, 1_500):
        lab.page.evaluate(f"document.querySelector('.dt-scroll-body').scrollTop = {place}")
        lab.page.wait_for_timeout(20)
    drawn = lab.page.evaluate("document.querySelectorAll('.hz-grid tbody tr').length")
    assert drawn < 100
    assert lab.axe(".hz-blotter") == []
    assert_no_problems(lab)


def test_hostile_names_are_text_and_what_has_ended_can_be_read(lab, tmp_path: Path) -> None:
    lab.open_cells(HOSTILE)
    lab.run_all()
    desk = BlotterPage(lab)
    desk.says("10 rows")
    shown = [name.replace("\u202e", "⟨U+202E⟩") for name in NAMES]
    assert set(desk.column("Market")) == set(shown)
    # Sorting, searching and filtering read them, too, and measure nothing with them.
    for column in ("Market", "Client order id"):
        desk.blotter.locator(".dt-scroll-head th", has_text=column).click()
    desk.blotter.get_by_label("Find in all columns").fill("<img src")
    desk.says("4 of 10 rows")
    desk.filters.click()
    desk.blotter.get_by_label("Filter: Market").fill("&lt;&amp;")
    desk.says("2 of 10 rows")
    desk.blotter.get_by_role("button", name="Clear all filters").click()
    for tab in ("Fills", "Positions"):
        desk.go_to(tab)
        desk.says("5 rows")
        desk.eventually(lambda: set(desk.column("Market")), set(shown))
    assert lab.page.evaluate("window.pwned") is None
    assert desk.output.locator("img:not([role]), script, [onerror]").count() == 0
    assert "\u202e" not in desk.output.inner_text()
    for width in (1400, 700, 420):
        lab.page.set_viewport_size({"width": width, "height": 900})
        desk.eventually(lambda: lab.page.evaluate(JS_OVER), [])

    # Its account closes: it says so, nothing acts, and all can be read, sorted and exported.
    desk.go_to("Orders")
    desk.says("10 rows")
    lab.kernel_exec("ex.close()")
    expect(desk.blotter.locator(".hz-state")).to_contain_text("Ended: its account was closed")
    expect(desk.grid.locator("button").first).to_be_hidden()
    desk.blotter.get_by_label("Find in all columns").fill("HYPERLINK")
    desk.says("2 of 10 rows")
    with lab.page.expect_download() as download:
        desk.blotter.get_by_role("button", name="Export what is shown as JSON").click()
    download.value.save_as(tmp_path / "orders.json")
    rows = json.loads((tmp_path / "orders.json").read_text(encoding="utf-8"))
    assert {row["market_id"] for row in rows} == {"=HYPERLINK(1)"}

    assert_no_problems(lab)
