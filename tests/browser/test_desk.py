"""The desk by mouse: an order from its preview to its fill, ways out of it, and wrong input."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.browser

QUIET = 2_000  # milliseconds in which nothing may happen
RULES = """
import horizon as hz
ex = hz.connect("paper", clock=lambda: 0.0, risk=hz.RiskConfig(max_order_size=50))
ex.declare(hz.Market("rain", hz.Prediction))
ex.tick("rain", 0.4)
ex.buy("ACME", 20, limit=10)
hz.workbench(ex)
"""


def test_first_desk_ticks_while_no_cell_runs(lab) -> None:
    lab.open_cells("import horizon as hz\ndesk = hz.workbench()\ndesk")
    lab.run_all()
    desk = Desk(lab)
    prices, deck = desk.part("Prices"), desk.part("Feed")

    # Its three markets move by themselves, and so does the line.
    expect(prices.locator("tbody").get_by_role("row")).to_have_count(3)
    for what in (prices.locator("tbody"), desk.part("Price$").get_by_role("img")):
        before = what.inner_html()
        expect.poll(what.inner_html) if hasattr(expect, "poll") else None
        lab.page.wait_for_function(
            "([element, before]) => element.innerHTML !== before",
            arg=[what.element_handle(), before],
        )

    # Pause holds them, Step sends one row of each, Play lets them go on.
    deck.get_by_role("button", name="Pause the feed").click()
    expect(deck).to_contain_text("paused")
    held, status = desk.rows("Prices"), deck.inner_text()
    lab.page.wait_for_timeout(QUIET)
    assert (desk.rows("Prices"), deck.inner_text()) == (held, status)
    sent = int(re.search(r"(\d+) rows", status).group(1))
    deck.get_by_role("button", name="Step the feed").click()
    expect(deck).to_contain_text(f"paused: {sent + 3} rows")
    # What is used less often is folded, in the desk's one line.
    speed = deck.get_by_role("slider", name="Speed")
    expect(speed).to_be_hidden()
    more = deck.get_by_role("button", name="More of the feed")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    speed.fill("4")
    expect(speed).to_have_attribute("aria-valuetext", "10×")
    deck.get_by_role("button", name="Play the feed").click()
    expect(deck).to_contain_text("playing")
    expect(deck).not_to_contain_text(f" {sent + 3} rows")
    deck.get_by_role("button", name="Stop the feed").click()
    expect(deck).to_contain_text("stopped")
    assert_no_problems(lab)


def test_order_by_mouse_from_preview_to_fill(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk = Desk(lab)
    desk.tick("AAPL", 182.0)
    desk.expect_rows("Prices", ["AAPL", "182.00", "–", "–", "0.00", "10:00:00"])

    # 10 x 180 = 1,800, at 10 bps a fee of 1.80; a buyer loses at most both. 2 a share better.
    desk.write(market="AAPL", quantity="10", limit="180")
    desk.ticket.get_by_role("button", name="Preview the order", exact=True).click()
    expect(desk.preview).to_contain_text("BUY +10 AAPL at 180.00 USD")
    assert desk.facts() == {
        "Limit price": "180.00 USD",
        "Notional": "1,800.00 USD",
        "Fee, as maker": "1.80 USD",
        "Buying power after": "98,198.20 USD (now 100,000.00)",
        "Position after, once filled": "+10 shares (now 0)",
        "Worst loss of what it opens": "1,801.80 USD",
        "Against the last price": "20.00 USD better",
    }
    assert desk.orders() == []

    # Confirm sends it: it rests, and holds its money back.
    expect(desk.confirm).to_have_text("Confirm: buy 10")
    desk.confirm.click()
    expect(desk.row("Orders", "p1")).to_contain_text("working")
    desk.expect_rows("Orders", ["p1", "AAPL", "BUY +", "working", "10", "0", "180.00", "–"])
    expect(desk.preview).to_be_hidden()
    expect(desk.ticket.get_by_role("status").last).to_have_text("Order p1: BUY +10 AAPL, working.")
    expect(desk.row("Balance", "Buying power")).to_contain_text("98,198.20")
    expect(desk.part("Fills")).to_contain_text("No fills yet.")

    # The price reaches it: 100,000 - 1,801.80 in cash, 10 x 179.5 in shares.
    desk.tick("AAPL", 181.0, 179.5)
    expect(desk.row("Orders", "p1")).to_contain_text("filled")
    desk.expect_rows("Fills", ["10:00:00", "AAPL", "BUY +", "p1", "10", "180.00", "1.80 maker"])
    desk.expect_rows("Positions", ["AAPL", "+10", "180.00", "179.50", "−5.00", "0.00"])
    desk.expect_rows(
        "Balance",
        ["Equity", "99,993.20"],
        ["Cash", "98,198.20"],
        ["Buying power", "98,198.20"],
        ["Unrealised profit", "−5.00"],
        ["Realised profit", "0.00"],
        ["Fees paid", "1.80"],
    )
    expect(desk.part("Horizon desk")).to_contain_text("Profit, USD−6.80")
    expect(desk.ticket).to_contain_text("10 of 10 filled at 180.00")
    chart = desk.part("Price$")
    expect(chart.get_by_role("img").locator("title")).to_have_text(
        "1970-01-01 10:00:00 UTC: bought 10 at 180.00 USD"
    )

    # A sell beside it, cancelled in its row.
    desk.ticket.get_by_role("radio", name="SELL").check()
    desk.look(quantity="4", limit="190")
    expect(desk.preview).to_contain_text("SELL −4 AAPL at 190.00 USD")
    desk.confirm.click()
    expect(desk.row("Orders", "p2")).to_contain_text("working")
    desk.part("Orders").get_by_role(
        "button", name="Cancel order p2: sell 4 AAPL at 190.00", exact=True
    ).click()
    expect(desk.row("Orders", "p2")).to_contain_text("cancelled")
    expect(desk.part("Orders")).to_contain_text("Orders: 0 open")

    # Flatten asks once more: Escape, leaving it and time disarm it, two presses trade.
    flatten = desk.row("Positions", "AAPL").get_by_role("button")
    for disarm in ("escape", "leave", "wait"):
        flatten.click()
        expect(flatten).to_have_text("Sure?")
        expect(flatten).to_have_accessible_name(re.compile("^Sure. Flatten AAPL"))
        if disarm == "escape":
            lab.page.keyboard.press("Escape")
        elif disarm == "leave":
            desk.field("Quantity").focus()
        expect(flatten).to_have_text("Flatten", timeout=8_000)
        expect(flatten).to_have_accessible_name(re.compile("^Flatten AAPL"))
    flatten.dblclick()  # a double click asks, and is not its own answer
    lab.page.wait_for_timeout(QUIET)
    expect(desk.part("Orders")).to_contain_text("Orders: 0 open")
    assert len(desk.orders()) == 2
    expect(flatten).to_have_text("Sure?")
    flatten.click()
    expect(desk.part("Positions")).to_contain_text("Nothing is held.")
    expect(desk.row("Orders", "p3")).to_contain_text("filled")
    assert desk.orders() == [
        ["AAPL", "buy", 10, 180, "filled"],
        ["AAPL", "sell", 4, 190, "canceled"],
        ["AAPL", "sell", 10, None, "filled"],
    ]
    assert_no_problems(lab)


def test_wrong_input_is_answered_at_its_field(lab) -> None:
    lab.open_cells(RULES)
    lab.run_all()
    desk = Desk(lab)
    assert len(desk.orders()) == 1

    def expect_wrong(label: str, says: str) -> None:
        field = desk.field(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(says))
        expect(desk.ticket.locator("[aria-invalid]")).to_have_count(1)
        expect(desk.ticket.get_by_text(re.compile(says))).to_be_visible()
        expect(field).to_be_focused()
        expect(desk.preview).to_be_hidden()

    expect(desk.field("Market")).to_have_value("rain")  # the market of chart and book
    desk.look(market="", quantity="1")
    expect_wrong("Market", "market is empty: name what to trade")
    desk.write(market="rain", limit="0.3")
    number = "must be a number above 0 such as 12.5"
    for text, says in (
        ("abc", f"{number}, was 'abc'"),
        ("1,000", f"{number}, without a comma or blank, was '1,000'"),
        ("-5", "must be above 0 and at most 1e15, was -5"),
        ("0", "must be above 0 and at most 1e15, was 0"),
        ("", "is empty: give a number above 0"),
    ):
        desk.look(quantity=text)
        expect_wrong("Quantity", f"^quantity {re.escape(says)}$")
    desk.write(quantity="10")
    expect(desk.field("Quantity")).not_to_have_attribute("aria-invalid", "true")
    desk.look(limit="45")
    expect_wrong("Limit", "limit price must .* 0 and 1.*45")
    desk.look(limit="0.3", order_type="twap", slices="0")
    expect_wrong("Slices", "slices must be a whole number of 1 or more, was '0'")
    assert len(desk.orders()) == 1

    # What risk refuses is previewed with its reason, and cannot be confirmed.
    desk.look(order_type="limit", quantity="51")
    expect(desk.preview).to_contain_text("Refused: ")
    expect(desk.preview).to_contain_text("max_order_size")
    expect(desk.confirm).to_be_disabled()
    desk.confirm.click(force=True)
    desk.field("Limit").press("Enter")
    lab.page.wait_for_timeout(QUIET)
    assert len(desk.orders()) == 1
    desk.look(quantity="50")
    expect(desk.confirm).to_be_enabled()
    desk.confirm.click()
    expect(desk.part("Orders")).to_contain_text("Orders: 2 open")
    assert desk.orders()[1] == ["rain", "buy", 50, 0.3, "new"]
    assert_no_problems(lab)
