"""The desk by keyboard alone: no mouse from the load of the page on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.browser

QUIET = 1_500  # milliseconds in which nothing may happen
HELD = """
ex.buy('AAPL', 5, limit=200)
ex.tick('AAPL', 181)
ex.buy('AAPL', 7, limit=100)
"""
TICKET = [
    ("combobox", "Market"),
    ("combobox", "Kind of market"),
    ("radio", "BUY +"),
    ("combobox", "Order type"),
    ("combobox", "Size by"),
    ("textbox", "Quantity, shares"),
    ("textbox", "Limit price, USD"),
    ("combobox", "Valid"),
    ("checkbox", "Post only: never take liquidity"),
    ("checkbox", "Reduce only: never open a position"),
    ("button", "Preview the order"),
    ("button", "Show the keys, and change them"),
]
OTHERS = [
    ("Price$", "combobox", "Market"),
    ("Price$", "combobox", "Time shown"),
    ("Price$", "application", "Price chart"),
    ("Positions", "button", "Flatten every position"),
    ("Positions", "button", "Flatten AAPL"),
    ("Orders", "button", "Cancel every open order"),
    ("Orders", "button", "Amend order p2: buy 7 AAPL at 100.00"),
    ("Orders", "button", "Cancel order p2: buy 7 AAPL at 100.00"),
]
JS_CELLS = """() => window.horizonPanel.content.widgets.map(
  cell => [cell.model.type, cell.model.sharedModel.source, cell.model.executionCount ?? null])"""
JS_IN_TICKET = "() => document.activeElement.closest('.hz-face')?.ariaLabel === 'Order ticket'"


def test_order_by_keyboard(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk, keys = Desk(lab), lab.page.keyboard
    desk.tick("AAPL", 182.0)
    lab.kernel_exec(HELD)
    expect(desk.row("Orders", "p2")).to_contain_text("working")

    def named(part: str, role: str, name: str) -> Locator:
        if role == "button":
            return desk.button(part, name)
        return desk.part(part).get_by_role(role, name=name, exact=True)

    def tab_to(part: str, role: str, name: str) -> None:
        wanted = named(part, role, name)
        for _ in range(90):
            keys.press("Tab")
            if wanted.evaluate("wanted => wanted === document.activeElement"):
                return
        pytest.fail(f"Tab does not reach {role} {name!r}")

    # Tab goes through the ticket and then the other parts, as they are read; the desk's own
    # buttons stand between those.
    tab_to("Order ticket", *TICKET[0])
    for role, name in TICKET[1:]:
        keys.press("Tab")
        expect(named("Order ticket", role, name)).to_be_focused()
    for part, role, name in OTHERS:
        tab_to(part, role, name)

    # Two Enters at once preview and no more: nobody has read it yet.
    tab_to("Order ticket", *TICKET[0])
    keys.type("AAPL")
    for _ in range(5):
        keys.press("Tab")
    keys.type("3")
    keys.press("Tab")
    keys.type("150")
    keys.press("Enter")
    keys.press("Enter")
    expect(desk.preview).to_contain_text("BUY +3 AAPL at 150.00 USD")
    expect(desk.field("Limit")).to_be_focused()
    lab.page.wait_for_timeout(QUIET)
    assert len(desk.orders()) == 2

    # One more, and it is sent.
    keys.press("Enter")
    desk.eventually(lambda: desk.orders()[2:], [["AAPL", "buy", 3, 150, "new"]])
    expect(desk.preview).to_be_hidden()
    expect(desk.field("Limit")).to_be_focused()

    # A key that is held down confirms nothing, nor do Lab's own for running a cell.
    for _ in range(30):
        keys.down("Enter")
        lab.page.wait_for_timeout(30)
    keys.up("Enter")
    expect(desk.preview).to_be_visible()
    keys.press("Shift+Enter")
    keys.press("Control+Enter")
    lab.page.wait_for_timeout(QUIET)
    expect(desk.preview).to_be_visible()
    assert len(desk.orders()) == 3

    # Escape drops it, and so does a changed field.
    keys.press("Escape")
    expect(desk.preview).to_be_hidden()
    assert lab.page.evaluate(JS_IN_TICKET)
    tab_to("Order ticket", *TICKET[6])
    keys.press("Enter")
    expect(desk.preview).to_be_visible()
    keys.press("End")
    keys.type("1")  # 1501
    expect(desk.preview).to_be_hidden()
    lab.page.wait_for_timeout(QUIET)
    expect(desk.preview).to_be_hidden()
    keys.press("Backspace")

    # Enter previews from a radio button, a list and a tick box as well, with what they hold then.
    tab_to("Order ticket", *TICKET[2])
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(desk.preview).to_contain_text("SELL −3 AAPL at 150.00 USD")
    keys.press("Escape")
    tab_to("Order ticket", *TICKET[7])
    keys.press("ArrowDown")
    expect(desk.field("Valid")).to_have_value("ioc")
    keys.press("Enter")
    expect(desk.preview).to_be_visible()
    keys.press("ArrowUp")
    expect(desk.preview).to_be_hidden()
    tab_to("Order ticket", *TICKET[9])
    keys.press("Space")
    keys.press("Enter")
    expect(desk.preview).to_be_visible()
    assert len(desk.orders()) == 3

    # Confirm by its button: the focus stays in the ticket.
    tab_to("Order ticket", "button", "Confirm: sell 3: SELL −3 AAPL at 150.00 USD")
    keys.press("Space")
    desk.eventually(lambda: desk.orders()[3:], [["AAPL", "sell", 3, 150, "new"]])
    expect(desk.preview).to_be_hidden()
    assert lab.page.evaluate(JS_IN_TICKET)

    # Cancel and flatten in their rows; what was there hands the focus to its table.
    tab_to("Orders", "button", "Cancel order p2: buy 7 AAPL at 100.00")
    keys.press("Space")
    expect(desk.row("Orders", "p2")).to_contain_text("cancelled")
    expect(desk.part("Orders")).to_be_focused()
    tab_to("Positions", "button", "Flatten AAPL")
    keys.press("Enter")
    armed = desk.button("Positions", "Sure? Flatten AAPL")
    expect(armed).to_be_focused()
    keys.press("Escape")
    expect(armed).to_have_count(0)
    keys.press("Enter")
    keys.press("Enter")
    expect(desk.part("Positions")).to_contain_text("Nothing is held.")
    expect(desk.part("Positions")).to_be_focused()
    assert_no_problems(lab)


def test_enter_on_the_preview_button_confirms_what_it_has_previewed(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk, keys = Desk(lab), lab.page.keyboard
    desk.tick("AAPL", 182.0)
    desk.write(market="AAPL", quantity="3", limit="150")
    review = desk.ticket.get_by_role("button", name="Preview the order")
    review.click()
    expect(desk.preview).to_contain_text("BUY +3 AAPL at 150.00 USD")
    expect(review).to_be_focused()
    lab.page.wait_for_timeout(QUIET)
    keys.press("Enter")
    desk.eventually(desk.orders, [["AAPL", "buy", 3, 150, "new"]])
    expect(desk.preview).to_be_hidden()
    expect(review).to_be_focused()

    # By keys alone too, with the guards of a field: two at once, or one held down, only preview.
    keys.press("Enter")
    keys.press("Enter")
    expect(desk.preview).to_be_visible()
    keys.press("Escape")
    expect(desk.preview).to_be_hidden()
    for _ in range(30):
        keys.down("Enter")
        lab.page.wait_for_timeout(30)
    keys.up("Enter")
    expect(desk.preview).to_be_visible()
    lab.page.wait_for_timeout(QUIET)
    expect(desk.preview).to_be_visible()
    assert len(desk.orders()) == 1
    keys.press("Escape")
    expect(desk.preview).to_be_hidden()

    # What is refused is previewed again, as the button says.
    desk.write(quantity="1000000")
    review.click()
    expect(desk.preview).to_contain_text("Refused")
    desk.tick("AAPL", 183.0)
    lab.page.wait_for_timeout(QUIET)
    keys.press("Enter")
    expect(desk.preview).to_contain_text("Refused")
    lab.page.wait_for_timeout(QUIET)
    assert len(desk.orders()) == 1
    assert_no_problems(lab)


def test_lab_takes_no_key_that_is_meant_for_the_desk(lab) -> None:
    lab.open_cells(OWN, "'another cell'")
    lab.run_all()
    desk, keys = Desk(lab), lab.page.keyboard
    desk.tick("AAPL", 182.0)
    lab.kernel_exec(HELD)
    expect(desk.row("Orders", "p2")).to_contain_text("working")
    desk.write(market="AAPL", quantity="3", limit="150")
    cells = lab.page.evaluate(JS_CELLS)

    ours = ("a", "b", "d", "d", "x", "c", "v", "m", "y", "j", "k", "0", "0", "ArrowUp", "ArrowDown")
    with_enter = ("Shift+Enter", "Control+Enter", "Alt+Enter")
    for where in (
        desk.ticket.get_by_role("button", name="Preview the order"),
        desk.field("Kind"),
        desk.field("Reduce only"),
        desk.ticket.get_by_role("radio", name="SELL"),
        desk.part("Price$").get_by_label("Market"),
        desk.button("Positions", "Flatten AAPL"),
        desk.field("Quantity"),
    ):
        where.focus()
        for key in (*ours, *with_enter):
            keys.press(key)
        assert lab.page.evaluate(JS_CELLS) == cells, where
        assert not lab.page.locator(".jp-mod-editMode").count()
    lab.wait_idle()
    lab.page.wait_for_timeout(QUIET)
    assert lab.page.evaluate(JS_CELLS) == cells
    assert [order[4] for order in desk.orders()] == ["filled", "new"]

    # What is pressed with Ctrl is Lab's: the notebook can be saved.
    keys.press("Control+s")
    lab.page.wait_for_function("() => !window.horizonPanel.context.model.dirty")
    assert_no_problems(lab)


def test_hot_keys_of_the_desk(lab) -> None:
    lab.open_cells(OWN, "'another cell'")
    lab.run_all()
    desk, keys = Desk(lab), lab.page.keyboard
    desk.tick("AAPL", 182.0)
    lab.kernel_exec(HELD)
    expect(desk.row("Orders", "p2")).to_contain_text("working")
    cells = lab.page.evaluate(JS_CELLS)
    sell = desk.ticket.get_by_role("radio", name="SELL")
    order, size, limit = desk.field("Order type"), desk.field("Quantity"), desk.field("Limit")
    said = desk.ticket.get_by_role("status").first

    # In fields letters are letters; keys that write nothing move size and price, also when held.
    desk.field("Market").fill("")
    desk.field("Market").press_sequentially("bsAAPL")
    expect(desk.field("Market")).to_have_value("bsAAPL")
    desk.write(market="AAPL", quantity="3", limit="150")
    size.press("PageUp")
    expect(size).to_have_value("4")
    limit.focus()
    for _ in range(5):
        keys.down("ArrowDown")
    keys.up("ArrowDown")
    expect(limit).to_have_value("149.95")
    limit.press("ArrowUp")
    expect(limit).to_have_value("149.96")

    # Elsewhere on the ticket they choose; nothing is sent by any of them.
    desk.ticket.get_by_role("button", name="Preview the order").focus()
    keys.press("s")
    expect(sell).to_be_checked()
    keys.press("m")
    expect(order).to_have_value("market")
    expect(limit).to_be_hidden()
    keys.press("l")
    expect(limit).to_have_value("149.96")

    # And anywhere on the desk, but where a part has a use for the key, or the notebook.
    flatten = desk.button("Positions", "Flatten AAPL")
    flatten.focus()
    keys.press("b")
    expect(sell).not_to_be_checked()
    keys.press("ArrowUp")
    keys.press("Control+s")
    desk.part("Orders").get_by_role("button", name="Cancel order p2").focus()
    keys.press("Shift+C")
    expect(desk.row("Orders", "p2")).to_contain_text("cancelled")
    expect(desk.ticket).to_contain_text("Order p2: cancelled by its key.")
    flatten.focus()
    keys.press("Shift+F")
    expect(said).to_contain_text("Press Shift+F again to flatten AAPL.")
    expect(said).not_to_contain_text("again", timeout=8_000)  # one press alone is forgotten

    # A second press is for the market that the first one named, and for no other.
    lab.kernel_exec("ex.tick('OTHER', 10); ex.buy('OTHER', 1, limit=20); ex.tick('OTHER', 10)")
    expect(desk.row("Positions", "OTHER")).to_be_visible()
    flatten.focus()
    keys.press("Shift+F")
    expect(said).to_contain_text("Press Shift+F again to flatten AAPL.")
    lab.kernel_exec("desk.panel('ticket').prefill(market='OTHER')")
    expect(desk.field("Market")).to_have_value("OTHER")
    expect(said).not_to_contain_text("again", timeout=2_000)
    keys.press("Shift+F")
    expect(said).to_contain_text("Press Shift+F again to flatten OTHER.")
    lab.kernel_exec("desk.panel('ticket').prefill(market='AAPL')")
    expect(desk.field("Market")).to_have_value("AAPL")
    expect(said).not_to_contain_text("again", timeout=2_000)
    # With no order open there is nothing to ask about, and nothing is sent.
    keys.press("Shift+X")
    expect(said).to_contain_text("There is no open order to cancel.")
    # While the ticket is not in sight its keys are nobody's.
    desk.output.get_by_role("button", name="Fold Ticket", exact=True).click()
    expect(desk.ticket).to_be_hidden()
    flatten.focus()
    for _ in range(2):
        keys.press("Shift+F")
        lab.page.wait_for_timeout(300)
    keys.press("s")
    lab.page.wait_for_timeout(QUIET)
    desk.output.get_by_role("button", name="Open Ticket", exact=True).click()
    expect(desk.ticket).to_be_visible()
    expect(sell).not_to_be_checked()
    flatten.focus()
    lab.kernel_exec("held = [p.market_id for p in ex.positions()]; ex.flatten('OTHER')")
    assert lab.kernel_exec("print(*sorted(held))") == "AAPL OTHER"
    expect(desk.row("Positions", "OTHER")).to_be_hidden()
    expect(said).not_to_contain_text("no open order", timeout=8_000)

    keys.down("Shift")
    for _ in range(4):
        keys.down("F")  # held, it is one press
    keys.up("F")
    keys.up("Shift")
    lab.page.wait_for_timeout(QUIET)
    expect(desk.row("Positions", "AAPL")).to_be_visible()
    keys.press("Shift+F")
    expect(desk.part("Positions")).to_contain_text("Nothing is held.")
    expect(limit).to_have_value("149.96")
    own = [order for order in desk.orders() if order[0] == "AAPL"]
    assert [order[4] for order in own] == ["filled", "canceled", "filled"]

    # "?" shows them, and a press changes one; what cannot be is refused in words.
    desk.ticket.get_by_role("button", name="Preview the order").focus()
    keys.press("?")
    dialog = desk.ticket.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    assert lab.axe("[aria-label='Order ticket']") == []

    def change(what: str, *presses: str) -> None:
        dialog.get_by_role("button", name=f"Change the key for: {what}").press("Enter")
        expect(dialog.get_by_text("Press a key…")).to_be_visible()
        for press in presses:
            keys.press(press)

    change("Side: sell", "b")
    expect(desk.ticket.get_by_role("alert")).to_contain_text("sell must have a key of its own")
    expect(dialog).to_contain_text("which is that of buy")
    change("Side: sell", "F9")
    expect(dialog.get_by_role("button", name="Now F9")).to_be_visible()
    change("Flatten", "Backspace")
    expect(dialog.get_by_role("button", name="Now no key")).to_be_visible()
    change("Side: buy", "Escape")  # thought better of it
    expect(dialog.get_by_role("button", name="Side: buy. Now B")).to_be_focused()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(desk.ticket.get_by_role("button", name="Preview the order")).to_be_focused()
    keys.press("s")
    keys.press("Shift+F")
    lab.page.wait_for_timeout(300)
    expect(sell).not_to_be_checked()
    size.press("F9")  # it writes nothing, so it acts in a field
    expect(sell).to_be_checked()
    assert lab.kernel_exec("print(desk.panel('ticket').hotkeys)") == (
        "Hotkeys(sell='F9', flatten=None)"
    )
    assert lab.page.evaluate(JS_CELLS) == cells
    assert_no_problems(lab)
