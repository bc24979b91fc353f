"""The views of results in JupyterLab: choices by hand and by keys, tabs, figures, files, themes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.desk import assert_no_problems

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

#: Worked by hand in the tests of the parts of tearsheets; B has a name made to break out.
SHEET = """
import horizon as hz, pandas as pd
from horizon.widgets.views import CalibrationView, TearsheetView
EVIL = "<img src=x onerror=alert(1)>\\u202eB"
curve = [("2024-01-01 00:00", 1000.0), ("2024-01-01 16:00", 1010.0), ("2024-01-02 16:00", 1020.0),
    ("2024-01-03 16:00", 1000.0), ("2024-01-04 16:00", 1050.0), ("2024-01-05 16:00", 1040.0),
    ("2024-01-06 16:00", 1060.0)]
names = ["timestamp", "market_id", "side", "quantity", "price", "fee"]
fills = pd.DataFrame([
    ("2024-01-02 10:00", "A", "buy", 10.0, 10.0, 1.0),
    ("2024-01-02 11:00", "C", "sell", 2.0, 50.0, 0.2),
    ("2024-01-03 12:00", "C", "buy", 2.0, 40.0, 0.3),
    ("2024-01-04 10:00", "A", "sell", 4.0, 12.0, 0.5),
    ("2024-01-04 12:00", EVIL, "buy", 5.0, 20.0, 0.0),
    ("2024-01-05 11:00", "A", "sell", 6.0, 11.0, 0.5)], columns=names)
sheet = hz.generate_tearsheet(curve, fills, sampling="daily", title="By hand " + EVIL)
index = [(time, 50.0 + 5.0 * i) for i, (time, _) in enumerate(curve)]
view = TearsheetView(sheet, benchmark={"Index": index})
view
"""
PAIRS = """
judged = CalibrationView([0.4, 0.3, 0.6, 0.5], [1, 0, 1, 0.5],
    markets=["rain", EVIL, "rain", "draw"], sides=["buy", "sell", "buy", "buy"],
    times=pd.to_datetime(["2024-01-01"] * 4), resolutions=pd.to_datetime(["2024-01-04"] * 4))
judged
"""


def fact(view: Locator, label: str) -> Locator:
    """A number above the tabs."""
    return (
        view.locator(".hz-view-key > div").filter(has_text=re.compile(rf"^{label}")).locator("dd")
    )


def test_views_work_by_hand_by_keys_in_both_themes_and_save_what_they_show(lab: Lab) -> None:
    lab.open_cells(SHEET, PAIRS)
    lab.run_all()
    view = lab.output(0).get_by_role("group", name=re.compile(r"^Tearsheet: By hand"))
    expect(fact(view, "Net profit")).to_have_text("60.00 USD")
    expect(view.locator(".js-plotly-plot")).to_be_visible()

    # A period, from the fields of dates.
    view.get_by_label("From, UTC").fill("2024-01-04")
    view.get_by_label("To, UTC").fill("2024-01-05")
    expect(fact(view, "Net profit")).to_have_text("40.00 USD")
    expect(view.get_by_label("Period")).to_have_value("custom")
    expect(view.locator(".hz-view-cautions li").first).to_contain_text("2 of 6 returns")
    assert lab.kernel_exec("print(view.tearsheet.metrics.total_return)") == "40.0"
    # One that is no period is said at its field, and what is shown stays.
    view.get_by_label("From, UTC").fill("2024-01-06")
    expect(view.locator(".hz-wrong:visible")).to_contain_text("end must be after start")
    expect(fact(view, "Net profit")).to_have_text("40.00 USD")
    view.get_by_role("button", name="Take back every choice").click()
    expect(fact(view, "Net profit")).to_have_text("60.00 USD")

    # A market, by its box and the space bar; then the tabs, by arrows.
    view.get_by_role("checkbox", name="A", exact=True).press(" ")
    expect(fact(view, "Net profit")).to_have_text("12.00 USD")
    view.get_by_role("tab", name="Overview").press("ArrowLeft")
    trips = view.get_by_role("tab", name="Round trips")
    expect(trips).to_have_attribute("aria-selected", "true")
    expect(trips).to_be_focused()
    expect(view.get_by_role("tabpanel")).to_contain_text("2024-01-02 10:00:00")
    trips.press("Home")
    expect(view.locator(".js-plotly-plot")).to_be_visible()

    # Files come from the kernel, and hold what is shown.
    with lab.page.expect_download() as coming:
        view.get_by_role("button", name="Save all metrics, months").click()
    numbers = json.loads(coming.value.path().read_text())
    assert (numbers["metrics"]["total_return"], numbers["markets"]) == (12.0, ["A"])
    assert coming.value.suggested_filename.endswith("-numbers.json")

    # Calibration: bins, groups, and what stands in the tables.
    judged = lab.output(1).get_by_role("group", name="Calibration: Forecasts")
    expect(fact(judged, "Brier score")).to_have_text("0.1525")
    judged.get_by_label("Groups", exact=True).select_option("market")
    judged.get_by_role("tab", name="Groups").click()
    rows = judged.get_by_role("tabpanel").locator("tbody th:visible")
    expect(rows).to_have_text(["rain", "<img src=x onerror=alert(1)>⟨U+202E⟩B", "draw"])
    expect(judged.locator(".js-plotly-plot:visible")).to_have_count(1)
    judged.get_by_role("textbox", name="Bins").fill("2")
    judged.get_by_role("tab", name="Reliability").click()
    expect(judged.get_by_role("tabpanel").locator("tbody tr")).to_have_count(2)

    # Dark: the figures are drawn anew for it.
    light = lab.kernel_exec(
        "print(view.parts['overview'].figure.layout.template.layout.font.color)"
    )
    lab.page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    expect(view).to_have_attribute("data-theme", "dark")
    lab.page.wait_for_timeout(1500)
    dark = lab.kernel_exec("print(view.parts['overview'].figure.layout.template.layout.font.color)")
    assert dark != light
    assert not lab.axe(".jp-Notebook .hz-view")
    assert_no_problems(lab)
