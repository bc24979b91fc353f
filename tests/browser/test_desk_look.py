"""How the desk and its parts look: accessible in every state, in both themes, and alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

DESK = """
import horizon as hz, pandas as pd
ex = hz.connect("paper", fee_bps=10, clock=lambda: 0.0, risk=hz.RiskConfig(max_order_size=500))
ex.declare(hz.Market("rain", hz.Prediction))
bars = pd.DataFrame({"timestamp": [1_000.0, 2_000.0], "price": [0.4, 0.5]})
desk = hz.workbench(ex, hz.feeds.Replay(bars, market_id="rain"), play=False)
desk
"""
TRADES = """
import math
for second in range(300):
    ex.tick("ACME", 100 + 5 * math.sin(second / 20), float(second))
    rain = round(0.4 + 0.05 * math.cos(second / 30), 3)
    ex.tick("rain", rain, float(second), bid=0.3, ask=0.6)
    if second == 50:
        ex.buy("ACME", 10, market=True)
        ex.buy("rain", 100, limit=0.6)
    if second == 90:
        ex.sell("ACME", 5, limit=90)
        ex.twap("ACME", 40, duration_secs=600, num_slices=10)
        ex.vwap("rain", 10, duration_secs=50, volume_profile=[1, 2, 1]).cancel()
    if second == 99:
        ex.algos[0].pause()
ex.buy("ACME", 10, limit=80)
ex.sell("rain:no", 5, limit=0.9)
ex.cancel(ex.buy("ACME", 10, limit=70).id)
"""
MADE_UP = """
import horizon as hz
desk = hz.workbench()
desk
"""
QUIET = 1_500  # milliseconds in which nothing may happen
JS_MIDDLE = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { clientX: left + width / 2, clientY: top + height / 2 };
}"""
#: Whether nothing lies over an element's middle, a host's own bars included.
JS_IS_SEEN = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  const over = document.elementFromPoint(left + width / 2, top + height / 2);
  return element.contains(over) || over?.contains(element);
}"""
BLOCKING = """
import pathlib, time
while not pathlib.Path({flag!r}).exists():
    time.sleep(0.05)
"""
PARTS = {
    "ticket": "hz.widgets.OrderTicket(ex, market='rain')",
    "monitor": "hz.widgets.AlgoMonitor(ex)",
    "one": "hz.widgets.AlgoMonitor(ex.algo_history[0])",
    "positions": "hz.widgets.Positions(ex)",
    "orders": "hz.widgets.Orders(ex)",
    "fills": "hz.widgets.Fills(ex)",
    "balance": "hz.widgets.Balance(ex)",
    "prices": "hz.widgets.Prices(ex)",
    "chart": "hz.widgets.PriceChart(ex, market='ACME')",
    "deck": "hz.widgets.FeedDeck(ex, hz.feeds.Synthetic(1, market_id='rain'), play=False)",
}
NARROW = """
import horizon as hz
ex = hz.connect("book")
ex.declare(hz.Market("presidential-election-winner", hz.Prediction))
books = ("presidential-election-winner", [(0.51, 300)], [(0.53, 200), (0.54, 500)])
ex.take_book(*books, timestamp=0.0)
for side, size, limit in (("buy", 100, 0.51), ("buy", 2_500, 0.53), ("sell", 1_000, 0.9)):
    getattr(ex, f"{side}_prediction")("presidential-election-winner", size, limit=limit)
hz.workbench(ex, panels=["ticket", "orders"])
"""
#: The numbers of a table that lie under the buttons of their row.
JS_UNDER_BUTTONS = """table => [...table.querySelectorAll("tbody tr")].flatMap(row => {
  const buttons = row.querySelector(".hz-actions").getBoundingClientRect();
  return [...row.querySelectorAll(".hz-number")]
    .map(cell => [cell.innerText, cell.getBoundingClientRect()])
    .filter(([text, box]) => box.width && box.right > buttons.left + 1)
    .map(([text]) => text);
})"""
JS_THEME = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_desk_is_accessible_in_every_state(lab, dark: bool) -> None:
    flag = lab.folder / "go on"
    lab.open_cells(DESK, BLOCKING.format(flag=str(flag)), dark=dark)
    lab.run_cell(0)
    desk, found = Desk(lab), {}

    def look(state: str, selector: str = ".hz-face") -> None:
        found[state] = lab.axe(selector)

    expect(desk.part("Feed")).to_contain_text("0 of 2 rows")
    theme = "dark" if dark else "light"
    faces = lab.page.locator(".hz-face")
    expect(faces.and_(lab.page.locator(f"[data-theme={theme}]"))).to_have_count(faces.count())
    look("empty")

    lab.kernel_exec(TRADES)
    expect(desk.part("Orders")).to_contain_text("cancelled")
    desk.look(market="ACME", quantity="10", limit="95")
    expect(desk.confirm).to_be_enabled()
    look("full, with a preview")

    desk.look(quantity="501")
    expect(desk.preview).to_contain_text("Refused: ")
    look("refused preview", "[aria-label='Order ticket']")

    desk.look(quantity="1,000")
    expect(desk.field("Quantity")).to_have_attribute("aria-invalid", "true")
    lab.kernel_exec("desk.panel('ticket').fail(ValueError('made on purpose'))")
    expect(desk.ticket.get_by_role("alert")).to_contain_text("made on purpose")
    desk.button("Positions", "Flatten ACME").click()
    armed = desk.part("Positions").get_by_text("Sure?")
    expect(armed).to_be_visible()
    look("armed", "[aria-label=Positions]")
    look("wrong field and error line", "[aria-label='Order ticket']")

    lab.run_cell(1, wait=False)
    expect(desk.part("Horizon desk").get_by_role("status")).to_contain_text("Not updating")
    look("stale")
    flag.touch()
    lab.wait_idle()
    expect(desk.part("Horizon desk").get_by_role("status")).to_contain_text("live again")
    look("live again", "[aria-label='Horizon desk']")

    lab.restart_kernel()
    expect(desk.part("Horizon desk").get_by_role("status")).to_contain_text("Dead")
    look("dead")
    assert {state: lines for state, lines in found.items() if lines} == {}

    # The page's theme can change under it.
    other = "light" if dark else "dark"
    lab.page.evaluate(JS_THEME, f"JupyterLab {other.capitalize()}")
    expect(faces.and_(lab.page.locator(f"[data-theme={other}]"))).to_have_count(faces.count())
    assert_no_problems(lab)


def test_an_order_is_given_and_confirmed_on_one_screen(lab) -> None:
    lab.open_cells(MADE_UP, "1")
    lab.page.evaluate("() => window.jupyterapp.shell.expandLeft()")
    lab.run_cell(0)
    desk = Desk(lab)
    expect(desk.part("Feed")).to_contain_text("playing")
    lab.output(0).evaluate("output => output.scrollIntoView()")
    # One line above the panels, and no scrolling between a price and its order.
    above = desk.output.locator(".hz-dock-bar")
    assert above.evaluate("bar => bar.getBoundingClientRect().height") <= 50
    review = desk.ticket.get_by_role("button", name="Preview the order", exact=True)
    fields = [desk.field(name) for name in ("Market", "Quantity", "Limit price")]
    side = desk.ticket.get_by_role("radio", name="BUY +")
    where = review.evaluate("button => button.getBoundingClientRect().y")
    for part in (*fields, side, review):
        expect(part).to_be_in_viewport(ratio=1)
        assert part.evaluate(JS_IS_SEEN)
    desk.write(quantity="20", limit_price="0.30")
    # A double click previews; Confirm comes elsewhere, and is no second half of it.
    review.dblclick()
    expect(desk.confirm).to_have_text("Confirm: buy 20")
    expect(desk.confirm).to_be_in_viewport(ratio=1)
    assert desk.confirm.evaluate(JS_IS_SEEN)
    assert review.evaluate("button => button.getBoundingClientRect().y") == where
    desk.confirm.dispatch_event("click", {"detail": 2, **review.evaluate(JS_MIDDLE)})
    lab.page.wait_for_timeout(QUIET)
    assert lab.kernel_exec("print(len(desk.ex.orders()))") == "0"
    desk.confirm.click()
    expect(desk.row("Orders", "p1")).to_contain_text("rain-tomorrow")

    # Out of sight it comes to sight, whichever way it is asked for; not under the pointer.
    lab.page.set_viewport_size({"width": 1400, "height": 500})
    review.evaluate("button => button.scrollIntoView({ block: 'end' })")
    box = review.bounding_box()
    assert box is not None
    lab.page.mouse.dblclick(box["x"] + 5, box["y"] + 5)
    expect(desk.confirm).to_be_in_viewport(ratio=1)
    assert desk.confirm.evaluate(JS_IS_SEEN)
    lab.page.wait_for_timeout(QUIET)
    assert lab.kernel_exec("print(len(desk.ex.orders()))") == "1"
    expect(desk.confirm).to_be_visible()
    assert_no_problems(lab)


def test_no_number_of_an_order_lies_under_its_buttons(lab) -> None:
    lab.open_cells(NARROW)
    lab.run_cell(0)
    face = Desk(lab).part("Orders")
    expect(face.locator("tbody tr")).to_have_count(3)
    expect(face).to_contain_text("partly filled")
    for width in (1_000, 800, 700, 660, 620, 560, 505, 460, 425, 360):
        face.evaluate("(face, width) => { face.style.width = `${width}px`; }", width)
        lab.page.wait_for_timeout(100)
        table = face.locator("table")
        assert table.evaluate(JS_UNDER_BUTTONS) == [], f"{width} pixels wide"
        buttons = table.locator(".hz-actions .hz-button")
        assert buttons.count() == 6
    assert_no_problems(lab)


def test_each_part_alone(lab) -> None:
    start = DESK.split("bars =")[0] + TRADES
    lab.open_cells(start, *PARTS.values())
    lab.run_all()
    texts = {
        "ticket": "Enter previews",
        "monitor": "Algorithms: 1 running",
        "one": "TWAP a1: 40 ACME",
        "positions": "rain YES",
        "orders": "Orders: ",
        "fills": "Fills: ",
        "balance": "Buying power",
        "prices": "Last, USD",
        "chart": "over 1 tick",
        "deck": "0 rows",
    }
    for cell, part in enumerate(PARTS, start=1):
        face = lab.output(cell).locator(".hz-face")
        expect(face).to_have_count(1)
        expect(face).to_contain_text(texts[part])
        expect(face).to_have_attribute("data-state", "live")
    assert lab.axe(".hz-face") == []

    # Each follows its account, and each says for itself when its kernel has gone.
    lab.kernel_exec("ex.tick('ACME', 77.5)")
    expect(lab.output(8)).to_contain_text("77.50")
    expect(lab.output(9)).to_contain_text("77.50 USD; low 77.50")
    lab.restart_kernel()
    for cell in range(1, len(PARTS) + 1):
        expect(lab.output(cell).get_by_role("status").first).to_contain_text("Dead: ")
    assert_no_problems(lab)
