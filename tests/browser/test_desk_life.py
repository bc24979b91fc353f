"""What becomes of a desk: cells that block, kernels that end, outputs that go."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.browser

QUIET = 2_000  # milliseconds in which nothing may happen
MADE_UP = """
import horizon as hz
desk = hz.workbench()
desks = [*globals().get("desks", []), desk]
desk
"""
BLOCKING = """
import pathlib, time
while not pathlib.Path({flag!r}).exists():
    time.sleep(0.05)
"""
AWAITING = """
import asyncio, pathlib
while not pathlib.Path({flag!r}).exists():
    ex.tick("AAPL", 190 - ex.quote("AAPL").price)
    await asyncio.sleep(0.1)
"""
#: Tasks of the library that are under way, and the state of the desk's feeds.
LEFT = """
import asyncio
codes = [task.get_coro().cr_code for task in asyncio.all_tasks()]
print(sum("horizon" in code.co_filename for code in codes), *(f.status for f in desk.feeds))
"""
JS_COMMAND = """([command, index]) => {
  window.horizonPanel.content.activeCellIndex = index;
  return window.jupyterapp.commands.execute(command);
}"""
DEAD = "Dead: the kernel that ran this has ended."


def expect_out_of_reach(desk: Desk) -> None:
    """Nothing in the desk's panels can be pressed or reached with Tab; the frame can."""
    desk.expect_state("dead")
    controls = desk.output.locator("button:visible, input:visible, select:visible")
    outside = """all => all.filter(control => !control.closest('[inert]')
      && !/^hz-dock-(head|tabs|bar)|^hz-tools/.test(control.parentElement.className))
      .map(it => it.outerHTML)"""
    assert controls.evaluate_all(outside) == []
    for _ in range(20):
        desk.page.keyboard.press("Tab")
        assert desk.output.locator(".hz-dock-room :focus").count() == 0


def test_cell_that_blocks_and_cell_that_awaits(lab) -> None:
    flag = lab.folder / "go on"
    lab.open_cells(OWN, BLOCKING.format(flag=str(flag)), AWAITING.format(flag=str(flag)))
    lab.run_cell(0)
    desk = Desk(lab)
    head = desk.part("Horizon desk").get_by_role("status")
    desk.tick("AAPL", 90.0)
    desk.look(market="AAPL", quantity="3", limit="80")
    expect(desk.confirm).to_have_text("Confirm: buy 3")

    # A blocking cell stands the desk still, and the desk says so.
    lab.run_cell(1, wait=False)
    expect(head).to_contain_text("Not updating: the kernel is busy with a cell", timeout=8_000)
    desk.expect_state("stale")
    # A confirm clicked meanwhile sends nothing, and that is said afterwards.
    desk.confirm.click()
    lab.page.wait_for_timeout(6_000)  # what was clicked is now too old
    flag.touch()
    lab.wait_idle()
    expect(desk.ticket.get_by_role("alert")).to_contain_text("nothing was sent: the click came")
    expect(head).to_contain_text("A running cell held this up for")
    desk.expect_state("note")
    assert desk.orders() == []
    # It goes on, and takes the same order.
    desk.tick("AAPL", 91.0)
    expect(desk.row("Prices", "AAPL")).to_contain_text("91.00")
    desk.confirm.click()
    expect(desk.row("Orders", "p1")).to_contain_text("working")
    expect(desk.ticket.get_by_role("alert")).to_have_text("", use_inner_text=True)

    # A cell that awaits holds nothing up: prices move, orders go.
    flag.unlink()
    lab.run_cell(2, wait=False)
    for price in ("99.00", "91.00"):
        expect(desk.row("Prices", "AAPL")).to_contain_text(price)
    desk.look(quantity="4", limit="80")
    desk.confirm.click()
    expect(desk.row("Orders", "p2")).to_contain_text("working")
    expect(head).not_to_contain_text("Not updating")
    flag.touch()
    lab.wait_idle()
    assert desk.orders() == [["AAPL", "buy", 3, 80, "new"], ["AAPL", "buy", 4, 80, "new"]]
    assert_no_problems(lab)


def test_kernel_that_ends_and_page_that_is_reloaded(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk = Desk(lab)
    head = desk.part("Horizon desk").get_by_role("status")
    desk.tick("AAPL", 90.0)
    lab.kernel_exec("ex.buy('AAPL', 5, limit=100); ex.tick('AAPL', 91)")
    desk.look(market="AAPL", quantity="3", limit="80")
    expect(desk.confirm).to_be_visible()

    # A restart: the desk stays as it was, says that it is dead, and takes nothing.
    lab.restart_kernel()
    expect(head).to_contain_text(DEAD)
    expect(head).to_have_count(1)
    expect(desk.row("Positions", "AAPL")).to_contain_text("+5")
    expect_out_of_reach(desk)

    # Its cell run again gives a live one in its place, with a new account.
    lab.run_all()
    desk.expect_state("live")
    expect(desk.part("Positions")).to_have_count(1)
    expect(desk.part("Positions")).to_contain_text("Nothing is held.")
    desk.tick("AAPL", 90.0)
    desk.look(market="AAPL", quantity="3", limit="80")
    desk.confirm.click()
    expect(desk.row("Orders", "p1")).to_contain_text("working")

    # A page that is loaded again shows the same desk, as it is by now.
    desk.write(quantity="17")
    typed = "print(desk.panel('ticket').shown['values']['quantity'])"
    desk.eventually(lambda: lab.kernel_exec(typed), "17")
    lab.save()
    lab.reload()
    desk.expect_state("live")
    expect(desk.row("Orders", "p1")).to_contain_text("working")
    expect(desk.field("Quantity")).to_have_value("17")
    desk.tick("AAPL", 79.0)
    expect(desk.row("Orders", "p1")).to_contain_text("filled")
    desk.field("Quantity").press("Enter")
    expect(desk.confirm).to_have_text("Confirm: buy 17")
    desk.confirm.click()
    expect(desk.row("Orders", "p2")).to_contain_text("working")

    # A kernel that is shut down: dead as well.
    lab.shut_down_kernel()
    expect(head).to_contain_text(DEAD)
    expect_out_of_reach(desk)
    assert_no_problems(lab)


def test_output_that_goes_and_desk_that_is_closed(lab) -> None:
    lab.open_cells(MADE_UP, "desk", "1")
    lab.run_cell(0)
    desk = Desk(lab)
    expect(desk.part("Feed")).to_contain_text("playing")
    assert lab.kernel_exec(LEFT) == "3 playing playing playing"

    # A cell that is moved takes its desk along.
    lab.page.evaluate(JS_COMMAND, ["notebook:move-cell-down", 0])
    desk = Desk(lab, 1)
    expect(desk.part("Feed")).to_contain_text("playing")
    lab.page.wait_for_timeout(6_000)  # longer than an output may be away
    desk.expect_state("live")
    assert lab.kernel_exec(LEFT) == "3 playing playing playing"

    # Run again, it has a new desk, and the former one has ended.
    lab.run_cell(1)
    expect(desk.part("Feed")).to_have_count(1)
    desk.expect_state("live")
    assert lab.kernel_exec("print([one.is_closed for one in desks])") == "[True, False]"
    assert lab.kernel_exec(LEFT) == "3 playing playing playing"

    # An output that is cleared ends feeds and tasks.
    lab.page.evaluate(JS_COMMAND, ["notebook:clear-cell-output", 1])
    expect(lab.page.locator(".hz-face")).to_have_count(0)
    desk.eventually(lambda: lab.kernel_exec(LEFT), "0 stopped stopped stopped")
    rounds = "from horizon.widgets.live import Live; print(Live.here().rounds)"

    def rounds_in_quiet() -> int:
        painted = int(lab.kernel_exec(rounds))
        lab.page.wait_for_timeout(QUIET)
        return int(lab.kernel_exec(rounds)) - painted

    desk.eventually(rounds_in_quiet, 0)  # a panel rests when its own place has gone

    # Shown again it is live, and says why its feed stands still.
    lab.run_cell(0)
    desk = Desk(lab, 0)
    desk.expect_state("live")
    expect(desk.part("Feed")).to_contain_text("Stopped, because its output was closed.")
    desk.part("Feed").get_by_role("button", name="Play the feed").click()
    expect(desk.part("Feed")).to_contain_text("playing")
    desk.look(quantity="5", limit="0.01")
    desk.confirm.click()
    expect(desk.row("Orders", "p1")).to_contain_text("working")

    # Closed it says so, and leaves nothing behind; its frames stay.
    lab.kernel_exec("desk.close()")
    head = desk.part("Horizon desk").get_by_role("status")
    expect(head).to_have_text("Ended: it was closed. Nothing here is live.")
    expect_out_of_reach(desk)
    assert lab.kernel_exec(LEFT) == "0 stopped stopped stopped"
    assert lab.kernel_exec("print(len(desk.orders), desk.ex.is_connected)") == "1 False"
    assert_no_problems(lab)
