"""The page of a tearsheet in a browser: drawn offline, readable for all, light on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from horizon.analytics.tearsheet import generate_tearsheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

DAY = 86_400
#: What A4 has between margins of 14 mm, in pixels of 1/96 inch.
PAPER = 688


def written(path: Path, theme: str) -> str:
    moves = np.random.default_rng(0).normal(0.0003, 0.01, 750)
    equity = 1000.0 * np.cumprod(1.0 + moves)
    curve = [(1_325_376_000.0 + DAY * i, float(e)) for i, e in enumerate(equity)]
    fills = [
        {
            "timestamp": curve[day][0],
            "market_id": "<b>ACME</b>",
            "side": "buy" if day % 2 else "sell",
            "quantity": 10.0,
            "price": 5.0,
        }
        for day in range(1, 41)
    ]
    sheet = generate_tearsheet(curve, pd.DataFrame(fills), title="<i>Seven hundred</i> days")
    return sheet.to_html(path / "page.html", theme=theme).as_uri()


@pytest.fixture(scope="module", params=["light", "dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The page as it is written; at its end nothing has gone wrong, and nothing was asked for."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("request", lambda r: wrong.append(r.url) if r.url.startswith("http") else None)
    shown.goto(written(tmp_path_factory.mktemp("page"), request.param))
    shown.wait_for_selector("#figure .main-svg")
    shown.wait_for_timeout(300)
    yield shown
    assert wrong == []
    context.close()


def test_every_panel_is_drawn_and_names_are_text(page: Page) -> None:
    panels = page.locator("#figure .cartesianlayer > .subplot")
    assert panels.count() == 6
    assert page.locator("h1").inner_text() == "<i>Seven hundred</i> days"
    assert page.locator("#figure .legendtext").all_text_contents() == ["equity", "bought", "sold"]


def test_words_of_the_figure_do_not_overlap(page: Page) -> None:
    for width in (1100, 700):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)
        check_words(page, width)
    page.set_viewport_size({"width": 1100, "height": 900})


def check_words(page: Page, width: int) -> None:
    boxes = [one.bounding_box() for one in page.locator("#figure .annotation").all()]
    boxes += [one.bounding_box() for one in page.locator("#figure .legend").all()]
    found = [box for box in boxes if box is not None]
    assert len(found) > 15
    for i, one in enumerate(found):
        assert one["x"] >= 0
        assert one["x"] + one["width"] <= width
        for other in found[i + 1 :]:
            beside = (
                one["x"] + one["width"] <= other["x"] + 1
                or other["x"] + other["width"] <= one["x"] + 1
            )
            below = (
                one["y"] + one["height"] <= other["y"] + 3
                or other["y"] + other["height"] <= one["y"] + 3
            )
            assert beside or below, (one, other)


def test_page_is_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert len(found.response["passes"]) > 20  # the page's policy has let the checker in
    problems = [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]
    assert problems == []


def test_on_paper_it_is_light_and_fits(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 971})
    page.wait_for_timeout(400)
    colours = page.evaluate(
        """() => [
            getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector("#figure .main-svg")).backgroundColor,
        ]"""
    )
    assert colours == ["rgb(26, 26, 26)", "rgb(255, 255, 255)"]
    box = page.locator("#figure .main-svg").first.bounding_box()
    assert box is not None
    assert box["width"] <= PAPER
    assert box["height"] <= 971
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
