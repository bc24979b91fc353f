"""The price chart and the feed's deck on a page: pointer, keys, sliders, and what they send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

NAME = '<img src=x onerror="window.pwned=1">\u202e"'
SHOWN = '<img src=x onerror="window.pwned=1">⟨U+202E⟩"'
CHART = f"""
import math
import horizon as hz
NAME = {NAME!r}
ex = hz.connect("paper", clock=lambda: 36_000.0)
ex.declare(hz.Market("ACME", hz.Equity, tick_size=0.5))
ex.declare(hz.Market(NAME, hz.Prediction))
told = []
chart = hz.widgets.PriceChart(ex, market="ACME", on_price=lambda *given: told.append(given))
for second in range(541):
    price = 100.0 + second // 60
    ex.tick("ACME", price, 36_000.0 + second, bid=price - 0.5, ask=price + 0.5, volume=2)
ex.tick(NAME, 0.4, 36_540.0)
ex.buy("ACME", 10, market=True)
ex.buy("ACME", 5, limit=104.0)
ex.buy(NAME + ":no", 5, market=True)
chart
"""
DECK = """
from horizon import widgets
minutes = range(1_000)
rows = {"ts": [1_700_049_600 + 60 * i for i in minutes], "price": [1.0 + i for i in minutes]}
feed = hz.feeds.Replay(rows, market_id="M", name="noon")
other = hz.connect("paper", clock=lambda: 36_000.0)
deck = widgets.FeedDeck(other, feed, play=False)
deck
"""
#: The middle of the plot's room, in the coordinates of the page, and where prices stand in it.
JS_PLACES = """plot => {
  const box = plot.getBoundingClientRect(), room = plot.querySelector('clipPath rect').getBBox();
  return {left: box.left + room.x, right: box.left + room.x + room.width,
          top: box.top + room.y, bottom: box.top + room.y + room.height};
}"""


def test_chart_by_pointer_and_by_keys(lab) -> None:
    lab.open_cells(CHART)
    lab.run_all()
    desk, page = Desk(lab), lab.page
    chart = desk.part("Price$")
    plot, stage = chart.locator("svg.hz-plot"), chart.get_by_role("application", name="Price chart")
    reading = chart.locator(".hz-reading")

    def view() -> list[Any]:
        told = "[*chart.shown['view'], chart.shown['follows']]"
        return json.loads(lab.kernel_exec(f"import json; print(json.dumps({told}))"))

    def told() -> list[Any]:
        return json.loads(lab.kernel_exec("import json; print(json.dumps(told))"))

    # What is there, in words: the latest tick, the order, the position.
    expect(reading).to_have_text("10:09:00 UTC  109.00  bid 108.50  ask 109.50  volume 2")
    expect(chart).to_contain_text("1 fill; 1 working order")
    expect(chart).to_contain_text("Position: long 10 shares at an average of 109.00 USD")
    expect(plot.locator(".hz-line-order text")).to_have_text("BUY 5 at 104.00")
    assert lab.axe(".hz-face") == []

    # The pointer reads the line, and a click takes the price it stands at, on the grid.
    places = plot.evaluate(JS_PLACES)
    middle = (places["left"] + places["right"]) / 2
    low, high = json.loads(lab.kernel_exec("print(chart.shown['y'][:2])"))
    share = (high - 105.0) / (high - low)
    height = places["top"] + share * (places["bottom"] - places["top"])
    page.mouse.move(middle, height)
    expect(reading).to_contain_text(" UTC  104.00  bid 103.50")
    expect(reading).to_contain_text("take 105.00")
    page.mouse.click(middle, height)
    desk.eventually(told, [["ACME", None, 105.0, None]])

    # Dragged to the right it shows what was before, and stands still.
    before = view()
    assert before == [36_000.0, 36_540.0, True]
    chart.get_by_label("Time shown").select_option(label="5 min")
    desk.eventually(view, [36_240.0, 36_540.0, True])
    page.mouse.move(middle, height)
    page.mouse.down()
    page.mouse.move(middle + (places["right"] - places["left"]) / 3, height, steps=5)
    page.mouse.up()
    desk.eventually(lambda: [round(x / 5) * 5 for x in view()[:2]], [36_140, 36_440])
    expect(chart.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    assert told() == [["ACME", None, 105.0, None]]  # a drag is no click
    page.keyboard.down("Control")
    page.mouse.move(middle, height)
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    desk.eventually(lambda: round(view()[1] - view()[0]), 250)  # 300 s / 1.2
    chart.get_by_role("button", name="Follow").click()
    desk.eventually(lambda: view()[1:], [36_540.0, True])

    # By keys alone: back along the line, up the prices, and Enter.
    stage.focus()
    page.mouse.move(0, 0)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(chart.get_by_role("status").last).to_contain_text("10:08:59 UTC  108.00")
    page.keyboard.press("ArrowUp")
    expect(reading).to_contain_text("take 109.00")
    page.keyboard.press("Shift+ArrowUp")
    page.wait_for_timeout(400)
    taken = reading.inner_text().split("take ")[1]
    page.keyboard.press("Enter")
    desk.eventually(lambda: told()[1:], [["ACME", None, float(taken), None]])
    page.keyboard.press("PageUp")
    desk.eventually(lambda: view()[2], False)
    page.keyboard.press("Escape")

    # Bars, and the other side of a market whose name would do harm.
    chart.get_by_label("Drawn as").select_option(label="Candles")
    chart.get_by_label("Time shown").select_option(label="all")
    chart.get_by_label("Bar width").select_option(label="1 min")
    expect(chart).to_contain_text("over 541 ticks in bars of 1 min")
    expect(reading).to_contain_text("open 109.00  high 109.00")
    chart.get_by_label("Market").select_option(label=SHOWN)
    chart.get_by_label("Side").select_option(label="NO")
    expect(chart).to_contain_text("0.60 USD; low 0.60, high 0.60 over 1 tick")
    expect(chart).to_contain_text("long 5 NO at an average of 0.60 USD")
    assert lab.page.evaluate("window.pwned") is None
    assert lab.axe(".hz-face") == []
    assert_no_problems(lab)


def test_deck_goes_ahead_by_slider_field_and_keys(lab) -> None:
    lab.open_cells(CHART.split("told")[0], DECK)
    lab.run_all()
    desk, page = Desk(lab, 1), lab.page
    deck = desk.part("Feed")
    slider = deck.get_by_role("slider", name="Where in the data it is; move it ahead to jump")

    deck.get_by_label("Jump to").fill("12:30")
    page.keyboard.press("Enter")
    expect(deck).to_contain_text("paused: 31 of 1,000 rows")
    expect(deck).to_contain_text("2023-11-15 12:30:00 UTC in the data")
    deck.get_by_label("Rows", exact=True).fill("20")
    deck.get_by_role("button", name="Step the feed").click()
    expect(deck).to_contain_text("paused: 51 of 1,000 rows")

    # The slider says what stands where it is held, and jumps when it is let go.
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.05, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2, steps=4)
    expect(deck).to_contain_text("jump to row 5")
    page.mouse.up()
    there = "print(feed.position > 51 and not feed.is_seeking)"
    desk.eventually(lambda: lab.kernel_exec(there), "True")
    at = int(lab.kernel_exec("print(feed.position)"))
    assert 450 < at < 550
    slider.press("ArrowRight")
    expect(deck).to_contain_text(f"paused: {at + 1} of 1,000 rows")
    slider.press("ArrowLeft")
    expect(deck.get_by_role("alert")).to_contain_text("what was played cannot be taken back")
    expect(slider).to_have_value(str(at + 1))

    # Speed, keys of a tape deck, restart with its words.
    deck.get_by_label("Speed").fill("9")
    expect(deck).to_contain_text("as fast as possible")
    deck.evaluate("face => face.focus()")
    page.keyboard.press(".")
    expect(deck).to_contain_text(f"paused: {at + 21} of 1,000 rows")
    deck.get_by_label("Rows", exact=True).fill("1")
    deck.get_by_role("button", name="Begin again at the first row").click()
    expect(deck).to_contain_text("The account keeps its cash, orders, fills and positions")
    expect(deck).to_contain_text("paused: 0 of 1,000 rows")
    deck.evaluate("face => face.focus()")
    page.keyboard.press(" ")
    expect(deck).to_contain_text("done: 1,000 of 1,000 rows")
    assert lab.axe(".hz-face") == []
    assert_no_problems(lab)
