"""A walk-forward in a real notebook: searched, interrupted, and looked at, tab by tab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
#: A search that waits where the test wants it to: after the runs of the first window.
SEARCH = f"""
import threading
import numpy as np
import horizon as hz

gate = threading.Semaphore(6)
prices = (50 + 2 * np.sin(np.arange(240) / 9)).round(4)
data = {{"timestamp": 1_700_000_000.0 + 3600.0 * np.arange(240), "price": prices}}

def factory(params):
    waits = [True]
    def quoter(ctx):
        if waits:
            waits.clear()
            gate.acquire(timeout=60)
        return hz.quotes(ctx.feed.price, spread=params["spread"], size=params[{HOSTILE!r}])
    return [quoter]

grid = {{"spread": [0.05, 0.1, 0.4], {HOSTILE!r}: [1.0, 2.0]}}
view = hz.widgets.WalkForwardView.search(
    data, factory, grid, n_splits=3, name={HOSTILE!r}, objective="total_return"
)
view
"""
FREE = "gate.release(1000)"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_search_is_watched_interrupted_and_read(lab, dark: bool) -> None:
    lab.open_cells(SEARCH, dark=dark)
    lab.run_all()
    page, desk = lab.page, Desk(lab)
    view = desk.part("Walk-forward")
    bar = view.get_by_role("progressbar")
    # Six trainings make the first window: 6 of 3 · 6 + 3 · 6 + 6 = 42 runs.
    expect(bar).to_have_attribute("aria-valuetext", re.compile("^6 of 42 runs"))
    windows = view.get_by_role("table", name="Windows")
    expect(windows.get_by_role("row").nth(1)).to_contain_text(f"{HOSTILE}=")
    figure = view.get_by_role("group", name=re.compile("so far"))
    expect(figure.locator(".main-svg").first).to_be_visible()
    if dark:
        assert not lab.axe(".hz-face")
        lab.kernel_exec(f"view.close(); {FREE}")
        return
    view.get_by_role("button", name=re.compile("^Interrupt the search")).click()
    expect(view.get_by_text("then each window that is trained is tested")).to_be_visible()
    lab.kernel_exec(FREE)

    # Its result, by keyboard from tab to tab.
    tab = view.get_by_role("tab", name=re.compile("^Overview"))
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(view.get_by_role("listitem").filter(has_text="Interrupted: 1 window")).to_be_visible()
    expect(view.get_by_text("Overfitting: TOO LITTLE TO JUDGE")).to_be_visible()
    assert not lab.axe(".hz-face")
    tab.focus()
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("tab", name="Windows")).to_be_focused()
    expect(windows.get_by_role("row")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    expect(view.get_by_role("tab", name="Parameters")).to_be_focused()
    expect(view.get_by_role("group", name=re.compile("training by par"))).to_be_visible()
    view.get_by_label("Test", exact=True).check()
    expect(view.get_by_role("group", name=re.compile("test by par"))).to_be_visible()
    with page.expect_download() as started:
        view.get_by_role("button", name=re.compile("^Save the table")).click()
    saved = started.value
    assert saved.suggested_filename == "img-src-x-onerror-document.title-owned.csv"
    lines = saved.path().read_text().splitlines()
    assert lines[0].startswith('window,setting,spread,"<img src=x onerror=""')
    assert len(lines) == 1 + 6
    for name, title in (("Out of sample", "out of sample"), ("Training and test", "training agai")):
        view.get_by_role("tab", name=name).click()
        expect(view.get_by_role("group", name=re.compile(title))).to_be_visible()
    assert not lab.axe(".hz-face")
    assert page.title() != "owned"
    assert_no_problems(lab)
