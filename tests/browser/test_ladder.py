"""The book ladder on a page: what is clicked and pressed there, and that it keeps still."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

NAME = '<img src=x onerror="window.pwned=1">\u202e"'
SHOWN = '<img src=x onerror="window.pwned=1">⟨U+202E⟩"'
LADDER = f"""
import horizon as hz
from horizon.widgets.ladder import BookLadder
NAME = {NAME!r}
fills = hz.venues.ProbabilisticFills(0.0, 1.0)
ex = hz.connect("book", fill_model=fills, clock=lambda: 36_000.0)
ex.declare(hz.Market(NAME, hz.Prediction, tick_size=0.01))
def show(mid, size=50.0):
    bids = [((mid - k) / 100, size * k) for k in range(1, 8)]
    ex.take_book(NAME, bids, [((mid + k) / 100, size * k) for k in range(1, 8)])
show(50)
ex.buy(NAME, 10, limit=0.46); ex.buy(NAME, 5, market=True)
told = []
ladder = BookLadder(ex, on_price=lambda *given: told.append(list(given)))
ladder
"""
PLAYED = """
feed = hz.feeds.SyntheticBooks(seed=1, market_id="rain", interval=0.1)
played = hz.connect("book")
view = BookLadder(played, depth=5)
hz.widgets.FeedDeck(played, feed)
"""
# Where a row's price stands on the page, and the price of the row at a point.
JS_ROWS = """root => [...root.querySelectorAll('tbody tr')].map(row =>
  [row.querySelector('th').textContent, Math.round(row.getBoundingClientRect().top)])"""


def told(desk: Desk) -> list[list[object]]:
    return json.loads(desk.lab.kernel_exec("import json; print(json.dumps(told))"))


def test_prices_are_taken_and_orders_cancelled_by_pointer_and_keys(lab) -> None:
    lab.open_cells(LADDER)
    lab.run_all()
    desk = Desk(lab)
    ladder = desk.part("Book ladder")
    grid = ladder.get_by_role("grid")

    def row(price: str):
        return grid.get_by_role("row").filter(has=lab.page.get_by_role("rowheader", name=price))

    expect(ladder.get_by_role("combobox", name="Market")).to_have_text(SHOWN)
    assert lab.page.evaluate("window.pwned") is None

    # The pointer: the left of a row buys, the right sells; Shift takes the quantity as well.
    row("0.49").get_by_role("gridcell").nth(2).click()
    row("0.53").get_by_role("gridcell").nth(3).click()
    row("0.53").get_by_role("gridcell").nth(2).click(modifiers=["Shift"])
    desk.eventually(
        lambda: told(desk),
        [
            [NAME, "buy", 0.49, None],
            [NAME, "sell", 0.53, None],
            # Of 50, 100 and 150 that were asked five are taken.
            [NAME, "buy", 0.53, 295],
        ],
    )

    # The rows stay where they are while the pointer is on them, and follow when it has left.
    before = grid.evaluate(JS_ROWS)
    lab.kernel_exec("show(55, 33.0)")
    expect(row("0.54").get_by_role("gridcell").nth(2)).to_have_text("33")
    assert grid.evaluate(JS_ROWS) == before
    expect(desk.button("Book ladder", "Keep the middle")).to_have_text("Held still")
    lab.page.mouse.move(5, 5)
    grid.blur()
    expect(row("0.65").get_by_role("rowheader")).to_be_visible()
    expect(desk.button("Book ladder", "Keep the middle")).to_have_text("Follow")
    lab.kernel_exec("show(50); ex.sell(NAME, 20, limit=0.52)")
    expect(row("0.41").get_by_role("rowheader")).to_be_visible()

    # The keyboard alone: as fast as one can press.
    lab.kernel_exec("told.clear()")
    grid.focus()
    lab.page.keyboard.press("Escape")
    for key in ("ArrowUp", "ArrowUp", "Shift+Enter", "ArrowDown", "ArrowLeft", "Enter"):
        lab.page.keyboard.press(key)
    desk.eventually(lambda: told(desk), [[NAME, "buy", 0.52, 150], [NAME, "buy", 0.51, None]])
    expect(ladder.get_by_role("status").filter(has_text="Buy side, 0.51. Buy 50")).to_have_count(1)
    cell = grid.get_attribute("aria-activedescendant")
    assert lab.page.evaluate("id => document.getElementById(id) !== null", cell)
    for key in ("ArrowUp", "ArrowRight", "Delete"):
        lab.page.keyboard.press(key)
    desk.eventually(lambda: desk.orders()[2][2:], [20.0, 0.52, "canceled"])

    # The button in the row; its name says all of the order.
    name = f"Cancel order p1: BUY +10 {SHOWN} YES at 0.46, 200 ahead of it in the queue"
    desk.button("Book ladder", name).click()
    desk.eventually(lambda: desk.orders()[0][4], "canceled")

    # The other side of the market, and other rows.
    ladder.get_by_role("button", name="Show NO").click()
    expect(row("0.49").get_by_role("gridcell").nth(2)).to_have_text("50")
    ladder.get_by_role("combobox", name="Row").select_option("5")
    expect(row("0.45").get_by_role("gridcell").nth(2)).to_have_text("750")  # 50 + … + 250
    ladder.get_by_role("combobox", name="Depth").select_option("5")
    expect(grid.get_by_role("rowheader")).to_have_count(10)
    assert lab.axe(".hz-face") == []
    assert_no_problems(lab)


def test_a_played_book_is_followed_in_the_dark_where_there_is_little_room(lab) -> None:
    lab.page.set_viewport_size({"width": 480, "height": 900})
    lab.open_cells(LADDER, PLAYED, "view", dark=True)
    lab.run_all()
    desk = Desk(lab)
    view = Desk(lab, 2)
    times = []
    for _ in range(2):
        facts = view.part("Book ladder").locator("dl")
        times.append(facts.text_content())
        view.eventually(lambda facts=facts: facts.text_content() != times[-1], True)
    lab.kernel_exec("feed.pause()")
    size = lab.kernel_exec("print(f\"{played.book('rain').bids[0][1]:,.0f}\")")
    touch = view.part("Book ladder").locator("tr[data-touch] td:nth-child(3)")
    view.eventually(lambda: size in touch.all_text_contents(), True)
    # Nothing sticks out to the side, whatever the room.
    for part in (desk, view):
        face = part.part("Book ladder")
        assert face.evaluate("face => face.scrollWidth <= face.clientWidth + 1")
    assert lab.axe(".hz-face") == []
    lab.kernel_exec("feed.stop()")
    assert_no_problems(lab)
