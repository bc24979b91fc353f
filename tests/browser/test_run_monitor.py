"""The monitor of a run in a real notebook: what is drawn, and the switches that take a while."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
#: A run that stands still but for what the test lets it do; a stage fails in one market.
RUN = f"""
import horizon as hz
HOSTILE = {HOSTILE!r}

def quoter(ctx):
    if ctx.market_id == "snow":
        raise KeyError("<script>alert(1)</script>")
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)

prices = [0.50, 0.52, 0.48, 0.55, 0.45, 0.60]
rows = {{"timestamp": [3600.0 * i for i in range(6)], "price": prices}}
names = ["rain", "snow", HOSTILE]
handle = hz.run(
    HOSTILE,
    feeds={{name: hz.feeds.Replay(rows, market_id=name) for name in names}},
    markets=[hz.Market(name, hz.Prediction) for name in names],
    pipeline=[quoter],
    interval=None,
    feed_stale_threshold=None,
    paper_fee_rate=0.0,
    background=True,
)
"""
WATCHED = """
import time
while handle.status().messages < 3:
    time.sleep(0.01)
handle.pause()
monitor = hz.widgets.RunMonitor(handle)
monitor
"""
HELD = "print(handle.status().kill_switch)"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_run_is_watched_stepped_killed_and_stopped(lab, dark: bool) -> None:
    lab.open_cells(RUN, WATCHED, dark=dark)
    lab.run_all()
    page, desk = lab.page, Desk(lab, cell=1)
    run = desk.part("Run ")
    chip = run.locator(".hz-chip").first
    expect(chip).to_have_text("PAUSED")
    if dark:  # how it looks is the same code; what is shown is tested on the light page
        assert not lab.axe(".hz-face")
        lab.kernel_exec("handle.stop()")
        return

    # Stepped by a button: the second row fills, the markets' table follows.
    run.get_by_role("button", name="Play 1 step at once").click()
    trouble = run.get_by_role("table", name=re.compile("^Trouble"))
    expect(trouble.get_by_text("'<script>alert(1)</script>'")).to_be_visible()
    markets = run.get_by_role("table", name=re.compile("^Markets"))
    expect(markets.get_by_role("row").filter(has_text="rain YES")).to_contain_text("−10")
    expect(markets.get_by_text(f"{HOSTILE} YES")).to_be_visible()
    # The line is told by keys.
    line = run.get_by_role("img", name=re.compile("^Equity line"))

    def told_at_the_end() -> int:
        # Again if need be: the line may just have been drawn anew, with the point that is told.
        line.focus()
        page.keyboard.press("End")
        return run.get_by_role("status").filter(has_text="1,000.00 USD").count()

    desk.eventually(told_at_the_end, 1)

    # Held too shortly, by pointer and by key: nothing is done.
    kill = run.get_by_role("button", name=re.compile("^Throw the kill switch.*Hold for one second"))
    kill.scroll_into_view_if_needed()
    kill.hover()
    page.mouse.down()
    page.wait_for_timeout(300)
    page.mouse.up()
    expect(kill).to_contain_text("Let go too early")
    kill.focus()
    page.keyboard.down("Enter")
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    page.keyboard.up("Enter")
    # A pointer that leaves the button is let go.
    kill.hover()
    page.mouse.down()
    page.mouse.move(5, 5)
    page.wait_for_timeout(1300)
    page.mouse.up()
    assert lab.kernel_exec(HELD) == "False"

    # Held for a second, once: thrown once, however long it is held.
    kill.focus()
    page.keyboard.down(" ")
    expect(run.get_by_role("alert").filter(has_text="The kill switch is on")).to_be_visible()
    page.wait_for_timeout(1200)
    page.keyboard.up(" ")
    assert lab.kernel_exec(HELD) == "True"
    expect(run.get_by_text("Again at")).to_have_count(0)
    # Lifted in two presses; thrown again in two steps, by what cannot hold a button.
    run.get_by_role("button", name=re.compile("^Switch the kill switch off")).click()
    page.wait_for_timeout(600)
    run.get_by_role("button", name=re.compile("^Trade again")).click()
    expect(run.get_by_role("alert").filter(has_text="kill switch")).to_be_hidden()
    kill.dispatch_event("click")  # a screen reader's press
    steps = page.locator(":focus")
    expect(steps).to_have_text("Kill switch in two steps")
    page.keyboard.press("Enter")
    expect(steps).to_have_text("Throw it?")
    page.wait_for_timeout(600)
    page.keyboard.press("Enter")
    expect(run.get_by_role("alert").filter(has_text="The kill switch is on")).to_be_visible()
    assert not lab.axe(".hz-face")

    # Stopped in two presses; what it was stays, with its tearsheet.
    run.get_by_role("button", name=re.compile("^Stop the run")).click()
    page.wait_for_timeout(600)
    run.get_by_role("button", name=re.compile(r"^Stop it\?")).click()
    expect(chip).to_have_text("ENDED")
    expect(run.get_by_text("Stopped by hand.")).to_be_visible()
    expect(kill).to_be_hidden()
    run.get_by_role("button", name=re.compile("^Open the tearsheet")).click()
    expect(run.get_by_role("tab").first).to_be_visible()
    assert page.title() != "owned"
    assert_no_problems(lab)
