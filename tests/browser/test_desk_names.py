"""Names that would do harm, or hide something, are shown as the text that they are."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import OWN, Desk, assert_no_problems

pytestmark = pytest.mark.browser

IMAGE = '<img src=x onerror="window.pwned=1">'
SCRIPT = '"><script>window.pwned=1</script>'
TURNED = "AAPL\u202eLPAA"
LONG = "W" * 256
#: As they are shown.
NAMES = {IMAGE: IMAGE, SCRIPT: SCRIPT, TURNED: "AAPL⟨U+202E⟩LPAA", LONG: LONG}
TRADES = f"""
for name in {list(NAMES)!r}:
    ex.declare(hz.Market(name, hz.Equity))
    ex.tick(name, 10.0, 1.0)
    ex.buy(name, 5, limit=12)
    ex.tick(name, 11.0, 2.0)
    ex.sell(name, 2, limit=20)
    ex.twap(name, 10, duration_secs=1000, num_slices=10)
    ex.tick(name, 11.0, 3.0)
"""
JS_WIDE = """() => {
  const outer = document.querySelector('.jp-NotebookPanel .jp-WindowedPanel-outer');
  const output = document.querySelector('.jp-OutputArea-output');
  const wide = [document.documentElement, document.body, outer]
    .filter(it => it.scrollWidth > it.clientWidth);
  const over = (inner, outer) =>
    inner.getBoundingClientRect().right > outer.getBoundingClientRect().right + 1;
  const inside = '.hz-face :not(.hz-scroll *, option, datalist, svg *)';
  return [
    ...wide,
    ...[...document.querySelectorAll('.hz-face')].filter(face => over(face, output)),
    ...[...document.querySelectorAll(inside)].filter(it => over(it, it.closest('.hz-face'))),
  ].map(it => `${it.tagName}.${it.className}: ${it.textContent}`.slice(0, 60));
}"""


def test_hostile_names_are_shown_as_text(lab) -> None:
    lab.open_cells(OWN)
    lab.run_all()
    desk = Desk(lab)
    lab.kernel_exec(TRADES)
    chart, monitor = desk.part("Price$"), desk.part("Algorithms")

    for name, shown in NAMES.items():
        for table in ("Prices", "Positions", "Orders", "Fills"):
            expect(desk.row(table, shown).first).to_be_visible()
        expect(monitor.get_by_text(f": 10 {shown}").first).to_be_visible()
        expect(desk.button("Positions", f"Flatten {shown}")).to_be_visible()

        # In the chart: its list, its title, its fill.
        chart.get_by_label("Market").select_option(label=shown)
        expect(chart).to_contain_text("1 fill")
        expect(chart.get_by_role("img").locator("title").first).to_contain_text("bought 5 at 12.00")

        # In the ticket: its list of markets, which leaves out what cannot be shown as it stands,
        # its preview, its refusal.
        suggested = desk.ticket.locator("datalist option")
        values = suggested.evaluate_all("options => options.map(option => option.value)")
        assert (name in values) == (name == shown)
        desk.look(market=name, quantity="1", limit="9")
        expect(desk.preview).to_contain_text(f"BUY +1 {shown} at 9.00 USD")
        desk.look(quantity="100000")
        expect(desk.preview).to_contain_text("Refused: ")
        desk.look(quantity="0")
        expect(desk.field("Quantity")).to_have_attribute("aria-invalid", "true")

    # A name of 256 letters that no market has: refused or previewed, as text.
    desk.look(market=IMAGE[:-1] + "&lt;", quantity="1")
    expect(desk.preview).to_contain_text("BUY +1 <img src=x")

    assert lab.page.evaluate("window.pwned") is None
    assert desk.output.locator("img:not([role]), script, [onerror]").count() == 0
    assert "\u202e" not in desk.output.inner_text()
    raw = desk.output.locator("[aria-label*='\u202e'], [title*='\u202e']")
    assert raw.count() == 0
    for width in (1400, 700):
        lab.page.set_viewport_size({"width": width, "height": 900})
        desk.eventually(lambda: lab.page.evaluate(JS_WIDE), [])
    assert_no_problems(lab)
