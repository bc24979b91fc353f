"""Every front end in JupyterLab, Notebook 7 and Voilà: what docs/front-ends.md says of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.hosts import Host, open_host

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.browser

START = """
import asyncio
import numpy as np
import horizon as hz
from horizon import widgets

ex = hz.connect("paper", clock=lambda: 36_000.0)
ex.declare(hz.Market("rain", hz.Prediction, tick_size=0.001))
feed = hz.feeds.Synthetic(
    1, market_id="rain", start=0.42, interval=0.2, spread=0.01, tick_size=0.001
)
feed.run(ex, n=50)
ex.buy("rain", 20, market=True)
ex.buy("rain", 5, limit=0.01)

books = hz.connect("book")
book_feed = hz.feeds.SyntheticBooks(seed=1, market_id="snow", interval=0.2)
playing = asyncio.get_running_loop().create_task(book_feed.play(books))

rows = {"ts": 3_600.0 * np.arange(400), "price": 50.0 + np.sin(np.arange(400) / 9.0)}

def make(params):
    return [lambda ctx: hz.quotes(ctx.feed.price, spread=0.3, size=params["size"])]

data = {"data": rows, "markets": ["m"], "paper_fee_rate": 0.0}
result = hz.backtest(pipeline=make({"size": 1}), **data)
chances = np.random.default_rng(1).random(300)
came = np.random.default_rng(2).random(300) < chances
live = {"rain": hz.feeds.Synthetic(2, market_id="rain", interval=0.2)}
"""
#: The front ends: the cell that makes each, by the beginning of its name on the page.
DESK = {
    "Feed": "widgets.FeedDeck(ex, feed)",
    "Price": "widgets.PriceChart(ex, market='rain')",
    "Order ticket": "widgets.OrderTicket(ex, market='rain')",
    "Blotter": "widgets.Blotter(ex)",
    "Book ladder": "widgets.BookLadder(books, market='snow')",
}
WORK = {
    "Workbench": "hz.workbench()",
    "Run run": "widgets.RunMonitor(hz.run(feeds=live, pipeline=make({'size': 1}), "
    "background=True))",
    "Backtest explorer": "widgets.BacktestExplorer(rows, make, {'size': [1, 2]}, markets=['m'])",
    "Walk-forward": "widgets.WalkForwardView(hz.walk_forward("
    "pipeline_factory=make, param_grid={'size': [1, 2]}, n_splits=2, **data))",
    "Tearsheet": "widgets.TearsheetView(result)",
    "Calibration": "widgets.CalibrationView(chances, came)",
    "backtest": "widgets.LiveFigure(result.figure())",
}


def changes(part: Locator) -> None:
    """Wait until what a part says has changed by itself."""
    before = part.inner_text()
    expect(part).not_to_have_text(before, use_inner_text=True)


def assert_desk_works(host: Host, folder: Path) -> None:
    """Each part of a desk is drawn, goes with what happens, and its verbs arrive."""
    deck, chart, ticket = host.face("Feed"), host.face("Price"), host.face("Order ticket")
    blotter, ladder = host.face("Blotter"), host.face("Book ladder")
    for part in (deck.locator(".hz-deck-status"), chart.locator(".hz-reading")):
        changes(part)
    changes(ladder.locator("tbody"))

    chart.get_by_label("Drawn as").select_option(label="Candles")
    expect(chart).to_contain_text("in bars of")
    ladder.get_by_label("Depth").select_option(label="5 rows")
    expect(ladder.locator("tbody tr")).to_have_count(10)
    ticket.get_by_label(re.compile("^Quantity")).fill("7")
    ticket.get_by_label(re.compile("^Limit price")).fill("0.02")
    ticket.get_by_label(re.compile("^Limit price")).press("Enter")
    preview = ticket.get_by_role("group", name="Preview", exact=True)
    expect(preview).to_contain_text("BUY +7 rain YES at 0.02 USD")
    preview.get_by_role("button").first.click()
    expect(blotter).to_contain_text("2 working")
    expect(chart).to_contain_text("2 working orders")
    deck.get_by_role("button", name="Pause the feed").click()
    expect(deck).to_contain_text("paused")

    with host.page.expect_download() as coming:
        blotter.get_by_role("button", name="Export what is shown as CSV").click()
    path = folder / "orders.csv"
    coming.value.save_as(path)
    assert len(path.read_text().splitlines()) == 1 + 3  # with the one that has filled


def assert_drawn(host: Host, names: list[str], theme: str) -> None:
    for name in names:
        face = host.face(name)
        expect(face).to_be_visible(timeout=60_000)
        expect(face).to_have_attribute("data-theme", theme)
        expect(face).not_to_have_attribute("data-state", "dead")


# Voilà is tried at length by the tests of `horizon desk`, at each run.
@pytest.mark.parametrize("name", ["notebook", pytest.param("voila", marks=pytest.mark.long)])
def test_a_desk_works_in_another_host(browser: Browser, tmp_path: Path, name: str) -> None:
    with open_host(browser, name, tmp_path / "home") as host:
        host.show(START, *DESK.values())
        assert_drawn(host, list(DESK), "light")
        assert_desk_works(host, tmp_path)
        assert host.problems() == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["lab", "notebook", "voila"])
def test_every_front_end_works_in_every_host_light_and_dark(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    with open_host(browser, name, tmp_path / "home") as host:
        host.show(START, *DESK.values(), *WORK.values())
        assert_drawn(host, [*DESK, *WORK], "light")
        # Figures of results are drawn by plotly.js, out of the kernel; once they are, all is.
        expect(host.face("backtest").locator(".main-svg").first).to_be_visible(timeout=60_000)
        assert_desk_works(host, tmp_path)
        workbench, run = host.face("Workbench"), host.face("Run run")
        changes(workbench.locator(".hz-reading").first)
        changes(run)
        explorer = host.face("Backtest explorer")
        explorer.get_by_role("button", name="Run the backtest with these parameters").click()
        expect(explorer).to_contain_text("Run 2")
        for part in ("Tearsheet", "Calibration", "Walk-forward"):
            saves = (
                host.face(part).get_by_role("button").filter(has_text=re.compile("CSV|Save table"))
            )
            with host.page.expect_download():
                saves.first.click()
        assert host.problems() == []
    with open_host(browser, name, tmp_path / "dark") as host:
        host.show(START, *DESK.values(), *WORK.values(), dark=True)
        assert_drawn(host, [*DESK, *WORK], "dark")
        assert host.problems() == []
