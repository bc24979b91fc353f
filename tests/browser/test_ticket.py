"""The ticket in a page: sizes, slippage at the book, amendments, and prices clicked elsewhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk, assert_no_problems

pytestmark = pytest.mark.browser

NAME = '<img src=x onerror="window.pwned=1">\u202e'
SHOWN = '<img src=x onerror="window.pwned=1">⟨U+202E⟩'
BOOK = f"""
import horizon as hz
name = {NAME!r}
ex = hz.connect("book", initial_cash=1_000, clock=lambda: 36_000.0)
ex.declare(hz.Market(name, hz.Prediction, tick_size=0.01, lot_size=10))
ex.take_book(name, bids=[(0.40, 300)], asks=[(0.42, 200), (0.44, 400)])
ticket = hz.widgets.OrderTicket(ex, market=name)
ticket
"""
ORDERS = """
orders = hz.widgets.Orders(ex)
orders.on_amend = ticket.amend
orders
"""


def test_sizes_slippage_and_amendments(lab) -> None:
    lab.open_cells(BOOK, ORDERS)
    lab.run_all()
    desk, orders = Desk(lab), lab.output(1)
    ticket, keys = desk.ticket, lab.page.keyboard
    expect(ticket).to_contain_text("Bid0.40Ask0.42Mark0.41")
    expect(ticket).to_contain_text("Prediction · tick 0.01 USD · lot 10 contracts")

    # By money, down the book: 200 for 84, and 36 more for 81 at 0.44, down to a lot of ten.
    desk.write(size_by="notional", order_type="market")
    notional = ticket.get_by_role("textbox", name="Notional, USD, before fees")
    notional.fill("120")
    comes_to = "280 contracts: 119.20 of 120.00 USD at 0.425714 USD, down to lots of 10 contracts"
    expect(ticket).to_contain_text(comes_to)
    notional.press("Enter")
    expect(desk.preview).to_contain_text(f"BUY +280 {SHOWN} YES at the market")
    facts = desk.facts()
    assert facts["Size, as it was previewed"] == comes_to
    # 84 and 35.20 for 280 are 0.425714; 114.80 at the mid of 0.41, 117.60 at the ask.
    assert facts["Levels taken"] == "2, to 0.44 USD"
    assert facts["Slippage to the mid"] == "383.3 bps, 4.40 USD worse"
    assert facts["Slippage to the best ask"] == "136.1 bps, 1.60 USD worse"
    assert facts["The same bet"].startswith("SELL −280 NO at 0.57")
    assert lab.axe("[aria-label='Order ticket']") == []
    keys.press("Escape")
    expect(desk.preview).to_be_hidden()

    # By a share of what there is, with the slider: 10 % of 1,000 are 234 at 0.42 and 0.44.
    desk.write(size_by="power")
    slider = ticket.get_by_role("slider", name="Share of buying power, %")
    slider.focus()
    keys.press("Home")
    for _ in range(2):
        keys.press("ArrowRight")
    share = ticket.get_by_role("textbox", name="Share of buying power, %")
    expect(share).to_have_value("10")
    expect(ticket).to_contain_text("230 contracts: 97.20 of 100.00 USD (10 % of 1,000.00 USD), ")

    # A price clicked elsewhere writes into the form, and does not take the focus.
    slider.focus()
    lab.kernel_exec("ticket.prefill(market=name + ':no', side='sell', price=0.7, quantity=50)")
    expect(desk.field("Limit")).to_have_value("0.7")
    expect(ticket.get_by_role("radio", name="NO", exact=True)).to_be_checked()
    expect(ticket.get_by_role("radio", name="SELL")).to_be_checked()
    desk.field("Limit").press("Enter")
    expect(desk.preview).to_contain_text(f"SELL −50 {SHOWN} NO at 0.70 USD")
    desk.confirm.click()
    expect(orders).to_contain_text("Orders: 1 open")

    # Amended from its row: the ticket takes the focus, and changes it once.
    orders.get_by_role("button", name="Amend order p1").click()
    group = ticket.get_by_role("group", name="Order to amend")
    expect(group).to_contain_text(f"Amend order p1SELL −50 {SHOWN} NO at 0.70 USD")
    quantity = ticket.get_by_role("textbox", name="New quantity")
    expect(quantity).to_be_focused()
    quantity.fill("80")
    keys.press("ArrowUp")  # a tick of its limit
    expect(ticket.get_by_role("textbox", name="New limit")).to_have_value("0.71")
    keys.press("Enter")
    expect(desk.preview).to_contain_text("quantity 50 → 80, limit 0.70 → 0.71 USD")
    assert desk.facts()["Queue place"] == "lost: a new price arrives last"
    assert lab.axe("[aria-label='Order ticket']") == []
    desk.confirm.dblclick()
    expect(group).to_be_hidden()
    desk.eventually(desk.orders, [[f"{NAME}:no", "sell", 80, 0.71, "new"]])
    expect(ticket.get_by_role("status").first).to_contain_text("Order p1: SELL −80")

    # One that ends meanwhile is left alone; back to a new order, which is what it was.
    orders.get_by_role("button", name="Amend order p1").click()
    quantity.fill("90")
    quantity.press("Enter")
    expect(desk.confirm).to_be_enabled()
    lab.kernel_exec("ex.cancel('p1')")
    expect(desk.preview).to_contain_text("Refused: order 'p1' is canceled; it cannot be amended")
    expect(desk.confirm).to_be_disabled()
    expect(ticket.get_by_role("button", name="Preview the amendment")).to_be_disabled()
    ticket.get_by_role("button", name=re.compile("^Leave this order")).click()
    expect(desk.field("Quantity")).to_have_value("50")
    assert desk.orders() == [[f"{NAME}:no", "sell", 80, 0.71, "canceled"]]

    assert lab.page.evaluate("window.pwned") is None
    assert "\u202e" not in lab.output(0).inner_text()
    assert_no_problems(lab)
