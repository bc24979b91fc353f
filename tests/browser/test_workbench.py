"""The desk's frame in a browser: its user pulls panels, sizes, folds, hides and shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

CELL = """
import horizon as hz
ex = hz.connect("paper", fee_bps=10, clock=lambda: 36_000.0)
ex.tick("ACME", 100.0)
desk = hz.workbench(
    ex, panels=["balance", "chart", "prices", "orders", "fills"],
    layout=[["balance"], ["chart", ("orders", "fills"), "prices"]], market="ACME",
)
desk
"""


class Frame(Desk):
    """The desk's panels by the names on their heads."""

    def tab(self, panel: str) -> Locator:
        return self.output.locator(f"[data-panel={panel}]")

    def stack(self, panel: str) -> Locator:
        return self.output.locator(".hz-dock-stack").filter(
            has=self.page.locator(f"[data-panel={panel}]")
        )

    def places(self) -> list[Any]:
        layout = json.loads(self.lab.kernel_exec("import json; print(json.dumps(desk.layout))"))
        return [[stack["panels"] for stack in column["stacks"]] for column in layout["columns"]]

    def expect_places(self, *columns: list[list[str]]) -> None:
        self.eventually(self.places, list(columns))

    def pull(self, panel: str, to: str, across: float, down: float) -> None:
        """Pull a panel by its name to a place within another one's stack, as shares of its size."""
        start, end = self.tab(panel).bounding_box(), self.stack(to).bounding_box()
        assert start is not None
        assert end is not None
        mouse = self.page.mouse
        mouse.move(start["x"] + 8, start["y"] + 8)
        mouse.down()
        mouse.move(start["x"] + 30, start["y"] + 30, steps=3)
        mouse.move(end["x"] + across * end["width"], end["y"] + down * end["height"], steps=4)
        expect(self.output.locator(".hz-dock-mark")).to_be_visible()
        mouse.up()


def test_panels_go_where_their_user_wants_them(lab) -> None:
    lab.page.set_viewport_size({"width": 1400, "height": 1700})  # all of it in sight
    lab.open_cells(CELL)
    lab.run_all()
    frame = Frame(lab)
    frame.expect_state("live")
    frame.expect_places([["balance"]], [["chart"], ["orders", "fills"], ["prices"]])
    expect(frame.part("Fills")).to_be_hidden()

    # By hand: above, beside, and behind.
    frame.pull("prices", "balance", 0.5, 0.3)
    frame.expect_places([["prices"], ["balance"]], [["chart"], ["orders", "fills"]])
    frame.pull("fills", "chart", 0.99, 0.5)
    frame.expect_places([["prices"], ["balance"]], [["chart"], ["orders"]], [["fills"]])
    expect(frame.part("Fills")).to_be_visible()
    frame.pull("orders", "fills", 0.2, 0.02)
    frame.expect_places([["prices"], ["balance"]], [["chart"]], [["fills", "orders"]])
    expect(frame.part("Orders")).to_be_visible()
    expect(frame.part("Fills")).to_be_hidden()

    # What has been moved is the same widget, and live.
    lab.kernel_exec("ex.buy('ACME', 5, market=True); ex.buy('ACME', 7, limit=90)")
    expect(frame.part("Orders")).to_contain_text("Orders: 1 open")
    frame.tab("fills").click()
    expect(frame.part("Fills")).to_contain_text("Fills: 1")
    assert lab.output(0).locator(".hz-face").count() == 7

    # By keyboard: along the tabs, to another place, wider, higher; the focus stays with it.
    frame.tab("fills").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(frame.tab("orders")).to_be_focused()
    expect(frame.part("Orders")).to_be_visible()
    lab.page.keyboard.press("Alt+ArrowDown")
    frame.expect_places([["prices"], ["balance"]], [["chart"]], [["fills"], ["orders"]])
    expect(frame.tab("orders")).to_be_focused()
    lab.page.keyboard.press("Alt+ArrowLeft")
    frame.expect_places([["prices"], ["balance"]], [["orders"], ["chart"]], [["fills"]])
    side = frame.output.get_by_role("separator", name="Width of the columns").first
    before = frame.stack("prices").bounding_box()["width"]
    side.focus()
    lab.page.keyboard.press("ArrowRight")
    frame.eventually(lambda: 20 < frame.stack("prices").bounding_box()["width"] - before < 28, True)
    foot = frame.stack("chart").get_by_role("separator")
    before = frame.stack("chart").bounding_box()["height"]
    foot.focus()
    for _ in range(2):
        lab.page.keyboard.press("ArrowUp")
        lab.page.wait_for_timeout(150)
    frame.eventually(lambda: 40 < before - frame.stack("chart").bounding_box()["height"] < 56, True)

    # Alone, folded, hidden, and back.
    frame.output.get_by_role("button", name="Chart alone").click()
    expect(frame.stack("prices")).to_be_hidden()
    frame.output.get_by_role("button", name="Back to the whole desk").click()
    expect(frame.stack("prices")).to_be_visible()
    frame.output.get_by_role("button", name="Fold Chart").click()
    expect(frame.stack("chart").locator(".hz-face")).to_be_hidden()
    frame.tab("chart").click()
    expect(frame.stack("chart").locator(".hz-face")).to_be_visible()
    frame.output.get_by_role("button", name="Hide Chart").click()
    expect(frame.tab("chart")).to_have_count(0)
    frame.output.get_by_role("button", name="Layout: panels").click()
    assert lab.axe(".hz-face") == []
    frame.output.get_by_role("checkbox", name="Chart").check()
    expect(frame.stack("chart").locator(".hz-face")).to_be_visible()
    frame.output.get_by_role("button", name="Layout Single").click()
    frame.eventually(lambda: len(frame.places()), 1)
    lab.page.keyboard.press("Escape")
    expect(frame.output.get_by_role("group", name="Layouts")).to_be_hidden()

    # What its former user chose is not lost with the page, and can be given again.
    lab.kernel_exec("desk.layout = [['orders', ('balance', 'fills')], ['chart']]")
    frame.expect_places([["orders"], ["balance", "fills"]], [["chart"]])
    other = lab.second_page()
    expect(other.output(0).locator("[data-panel]")).to_have_count(4)
    other.page.close()

    # In a narrow output they stand one below the other; the theme may change.
    lab.page.set_viewport_size({"width": 620, "height": 900})
    lefts = lambda: {round(frame.stack(p).bounding_box()["x"]) for p in ("orders", "chart")}  # noqa: E731
    frame.eventually(lambda: len(lefts()), 1)
    lab.kernel_exec("desk.close()")
    expect(frame.part("Horizon desk").get_by_role("status")).to_contain_text("Ended: it was closed")
    # It can still be read: another panel, in full.
    frame.tab("fills").click()
    expect(frame.part("Fills")).to_contain_text("Fills: 1")
    assert_no_problems(lab)
