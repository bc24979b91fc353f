"""Execution algorithms on the desk: begun in the ticket, followed and steered in the monitor."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.browser

#: Every tick is a second later and a cent lower, so that each fills what was sent at the last.
TICKING = """
import asyncio
rest = 0.1
async def fall():
    for second in range(1, 9_000):
        ex.tick("ACME", 100 - second / 100, 36_000.0 + second)
        await asyncio.sleep(rest)
falling = asyncio.ensure_future(fall())
"""
#: What a bar says after each change: its value, and the filled part of the value's words.
JS_WATCH = """bar => {
  const note = () => {
    const [filled, , whole] = bar.getAttribute('aria-valuetext').split(' ');
    window.seenOnBar.push([Number(bar.getAttribute('aria-valuenow')), filled / whole * 100]);
  };
  window.seenOnBar = [];
  note();
  new MutationObserver(note).observe(bar, {attributes: true, attributeFilter: ['aria-valuetext']});
}"""


def test_twap_from_the_ticket(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk = Desk(lab)
    monitor = desk.part("Algorithms")
    desk.tick("ACME", 100.0)
    expect(monitor).to_contain_text("No algorithm has been started.")

    # 120 shares in 12 slices, one every 10 s of market time; at the present price 12,000.00.
    desk.look(market="ACME", order_type="twap", quantity="120", duration="120", slices="12")
    expect(desk.preview).to_contain_text("TWAP BUY +120 ACME: 12 slices over 2 min")
    facts = desk.facts()
    assert facts["At the present price"] == "100.00 USD"
    assert facts["Notional"] == "12,000.00 USD"
    assert facts["Fee, as taker, estimated"] == "12.00 USD"
    assert facts["Position after, once filled"] == "+120 shares (now 0)"
    assert desk.orders() == []
    expect(desk.confirm).to_have_text("Start TWAP 120")
    desk.confirm.click()

    # It stands in the monitor, waiting for a tick; then its bar moves while no cell runs.
    expect(monitor).to_contain_text("Algorithms: 1 running")
    expect(monitor.get_by_role("group")).to_have_accessible_name(
        "Progress of TWAP a1, BUY +120 ACME"
    )
    bar = monitor.get_by_role("progressbar", name="Progress of TWAP a1, BUY +120 ACME", exact=True)
    expect(bar).to_have_attribute("aria-valuenow", "0")
    expect(bar).to_have_attribute("aria-valuetext", "0 of 120 shares filled, 0 %")
    bar.evaluate(JS_WATCH)
    lab.kernel_exec(TICKING)
    expect(bar).to_have_attribute("aria-valuetext", re.compile("^[2-9]0 of 120 shares filled, "))
    expect(monitor).to_contain_text(re.compile(r"[2-9]0 of 120 shares filled \(\d"))

    # Paused it sends nothing while the market goes on; resumed it makes up for it.
    monitor.get_by_role("button", name="Pause TWAP a1, BUY +120 ACME", exact=True).click()
    expect(monitor).to_contain_text("PAUSED")
    sent = lab.kernel_exec("print(ex.algos[0].progress.sent, end=' '); print(ex.time)").split()
    desk.eventually(lambda: lab.kernel_exec(f"print(ex.time > {sent[1]} + 12)"), "True")
    assert lab.kernel_exec("print(ex.algos[0].progress.sent)") == sent[0]
    lab.kernel_exec("rest = 0.01")
    monitor.get_by_role("button", name="Resume TWAP a1, BUY +120 ACME", exact=True).click()
    expect(monitor).not_to_contain_text("PAUSED")
    expect(bar).to_have_attribute("aria-valuetext", "120 of 120 shares filled, 100 %")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    expect(monitor).to_contain_text("Algorithms: 0 running")
    expect(monitor.get_by_role("button")).to_have_count(0)
    expect(desk.row("Positions", "ACME")).to_contain_text("+120")

    # What the bar said never ran ahead of what had filled, nor back.
    seen = lab.page.evaluate("window.seenOnBar")
    assert len(seen) > 3
    assert all(shown <= filled + 0.05 for shown, filled in seen), seen
    assert seen == sorted(seen)
    assert all(shown < 100 for shown, filled in seen if filled < 100)

    # A VWAP that sells, cancelled half-way.
    lab.kernel_exec("rest = 0.1")
    desk.ticket.get_by_role("radio", name="SELL").check()
    desk.look(order_type="vwap", quantity="60", profile="1, 2, 3", duration="600")
    expect(desk.preview).to_contain_text("VWAP SELL −60 ACME: 3 slices over 10 min")
    desk.confirm.click()
    group = monitor.get_by_role("group", name="Progress of VWAP a2, SELL −60 ACME", exact=True)
    expect(group).to_contain_text("1 of 3")
    group.get_by_role("button", name="Cancel VWAP a2, SELL −60 ACME", exact=True).click()
    expect(group).to_contain_text("cancelled")
    expect(group.get_by_role("button")).to_have_count(0)
    assert desk.orders()[-1] == ["ACME", "sell", 10, desk.orders()[-1][3], "canceled"]
    expect(desk.part("Orders")).to_contain_text("Orders: 0 open")

    # An iceberg shows a part at a time.
    desk.ticket.get_by_role("radio", name="BUY").check()
    desk.look(order_type="iceberg", quantity="50", limit="20", shown_at_a_time="20")
    expect(desk.preview).to_contain_text("ICEBERG BUY +50 ACME at 20.00 USD, 20 shown at a time")
    desk.confirm.click()
    expect(monitor).to_contain_text("Iceberg a3: 50 ACME")
    desk.eventually(lambda: desk.orders()[-1], ["ACME", "buy", 20, 20, "new"])
    lab.kernel_exec("falling.cancel()")
    assert_no_problems(lab)
