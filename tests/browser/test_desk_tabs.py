"""One desk in two browser tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.browser

#: The kernel is busy for a moment: what is clicked meanwhile arrives at once.
JS_BUSY = """async () => {
  const kernel = window.horizonPanel.sessionContext.session.kernel;
  kernel.requestExecute({code: 'import time; time.sleep(1.5)', store_history: false});
  while (kernel.status !== 'busy') await new Promise(done => setTimeout(done, 20));
}"""
JS_CLEAR = "() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')"


def test_two_tabs_show_and_trade_one_desk(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    one = Desk(lab)
    one.tick("AAPL", 90.0)
    one.write(market="AAPL", quantity="3")
    other_lab = lab.second_page()
    two = Desk(other_lab)

    # Both show the same, and what is written in one stands in the other.
    for desk in (one, two):
        desk.expect_state("live")
        expect(desk.row("Prices", "AAPL")).to_contain_text("90.00")
        expect(desk.field("Quantity")).to_have_value("3")
    two.write(quantity="4")
    expect(one.field("Quantity")).to_have_value("4")
    one.write(limit="80")
    expect(two.field("Limit")).to_have_value("80")
    two.ticket.get_by_role("radio", name="SELL").check()
    expect(one.ticket.get_by_role("radio", name="SELL")).to_be_checked()
    one.ticket.get_by_role("radio", name="BUY").check()
    expect(two.ticket.get_by_role("radio", name="BUY")).to_be_checked()

    # Both see the preview, and lose it when either changes a field or drops it.
    one.field("Quantity").press("Enter")
    for desk in (one, two):
        expect(desk.preview).to_contain_text("BUY +4 AAPL at 80.00 USD")
    two.write(quantity="5")
    expect(one.preview).to_be_hidden()
    two.field("Quantity").press("Enter")
    for desk in (one, two):
        expect(desk.preview).to_contain_text("BUY +5 AAPL at 80.00 USD")
    one.preview.get_by_role("button", name="Drop").click()
    expect(two.preview).to_be_hidden()
    two.field("Quantity").press("Enter")
    for desk in (one, two):
        expect(desk.preview).to_contain_text("BUY +5 AAPL at 80.00 USD")

    # Confirmed in both before the kernel has heard of either, it is one order.
    assert one.orders() == []
    confirms = [desk.confirm.element_handle() for desk in (one, two)]
    lab.page.evaluate(JS_BUSY)
    for confirm in (*confirms, *confirms):
        confirm.evaluate("confirm => confirm.click()")
    for desk in (one, two):
        expect(desk.row("Orders", "p1")).to_contain_text("working")
        expect(desk.ticket.get_by_role("status").last).to_contain_text("Order p1: BUY +5 AAPL")
    assert one.orders() == [["AAPL", "buy", 5, 80, "new"]]

    # An error is shown in both, and dismissed for both.
    lab.kernel_exec("desk.panel('ticket').fail(ValueError('made on purpose'))")
    for desk in (one, two):
        expect(desk.ticket.get_by_role("alert")).to_contain_text("made on purpose")
    two.ticket.get_by_role("button", name="Dismiss this message").click()
    for desk in (one, two):
        expect(desk.ticket.get_by_role("alert")).to_have_text("", use_inner_text=True)

    # A tab that clears its output, and one that is closed, leave the other as it is.
    other_lab.page.evaluate(JS_CLEAR)
    expect(other_lab.page.locator(".hz-face")).to_have_count(0)
    lab.page.wait_for_timeout(6_000)  # longer than an output may be away
    assert_no_problems(other_lab)
    other_lab.page.close()
    one.tick("AAPL", 79.0)
    expect(one.row("Orders", "p1")).to_contain_text("filled")
    one.expect_state("live")
    assert_no_problems(lab)
