"""The page side of a figure by itself: a model and a plotly.js made up, one event at a time."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from horizon.widgets.face import _static

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

#: Draws nothing, and keeps what it was asked to draw.
PLOTLY = """({
  version: "1",
  react: async (plot, { data }) => {
    plot.data = data;
    plot.on = (_, heard) => (plot.look = heard);
    plot.removeAllListeners = () => {};
    plot.range ??= [0, 10];
    plot._fullData = [];
    plot._fullLayout = { xaxis: { get range() { return plot.range; }, r2c: (end) => end } };
  },
  update: async (plot, changes) => (plot.updates ??= []).push(changes),
  purge: () => {},
  Plots: { resize: async () => {} },
})"""
MODEL = """(module) => {
  globalThis.sent = [];
  globalThis.heard = {};
  const state = { shown: { name: "A" }, colours: {}, ended: "", quiet: true, beat: 1 };
  globalThis.model = {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      for (const hear of heard["change:" + name] ?? []) hear();
    },
    on: (name, hear) => (heard[name] ??= []).push(hear),
    off: () => {},
    send: (message) => sent.push(message),
  };
  globalThis.tell = (message, ...buffers) => {
    for (const hear of heard["msg:custom"]) hear(message, buffers);
  };
  const source = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  globalThis.show = async () => {
    heard = {};
    document.body.replaceChildren();
    (await import(source)).default.render({ model, el: document.body });
    await wait(50);
  };
  globalThis.wait = (ms) => new Promise((done) => setTimeout(done, ms));
  globalThis.plot = () => document.querySelector(".hz-figure");
}"""


def drawing(y: int) -> str:
    facts = {"library": "plotly.js 1", "axes": {"x": False}, "anew": [], "note": ""}
    return json.dumps({"facts": facts, "figure": {"data": [{"y": [y]}], "layout": {}}})


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.evaluate(MODEL, _static("face.js", "library.js", "live_figure.js"))
    page.evaluate("drawing => model.set('drawing', drawing)", drawing(1))
    yield page
    context.close()


def asked(page: Page, verb: str) -> list[dict[str, Any]]:
    return [message for message in page.evaluate("sent") if message["do"] == verb]


def zoom(page: Page, start: int, end: int) -> dict[str, Any]:
    """Change the window, and return what the kernel is asked."""
    page.evaluate(
        "async range => { plot().range = range; plot().look(); await wait(100); }", [start, end]
    )
    return asked(page, "view")[-1]


def answer(page: Page, request: dict[str, Any], y: int) -> None:
    view = json.dumps({"traces": {"0": {"y": [y]}}, "layout": {}, "note": ""})
    told = {"view": view, "page": request["page"], "request": request["request"]}
    page.evaluate("message => tell(message)", told)


PRESS = "plot().dispatchEvent(new Event('pointerdown'))"
RELEASE = "async () => { window.dispatchEvent(new Event('pointerup')); await wait(100); }"


def test_an_answer_waits_for_a_drag_to_end(page: Page) -> None:
    page.evaluate(f"globalThis.Plotly = {PLOTLY}; show()")
    request = zoom(page, 2, 3)
    page.evaluate(PRESS)
    answer(page, request, 7)
    assert page.evaluate("plot().updates") is None
    page.evaluate(RELEASE)
    assert page.evaluate("plot().updates") == [{"y": [[7]]}]


def test_an_answer_that_waits_is_dropped_with_its_figure(page: Page) -> None:
    page.evaluate(f"globalThis.Plotly = {PLOTLY}; show()")
    request = zoom(page, 2, 3)
    page.evaluate(PRESS)
    answer(page, request, 7)
    page.evaluate("async next => { model.set('drawing', next); await wait(50); }", drawing(2))
    page.evaluate(RELEASE)
    assert page.evaluate("plot().data[0].y") == [2]
    assert page.evaluate("plot().updates") is None


def test_a_start_of_plotly_that_failed_may_be_tried_again(page: Page) -> None:
    send = """async packed => {
        tell({ library: "plotly.js 1" }, Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)));
        await wait(100);
    }"""
    page.evaluate("show()")
    assert len(asked(page, "library")) == 1
    page.evaluate(send, base64.b64encode(b"no packed script").decode())
    expect(page.locator(".hz-note")).to_contain_text("This figure cannot be drawn")
    assert page.evaluate("plot().data") is None
    # The cell is run again: plotly.js is asked for again at once, and this time it comes whole.
    page.evaluate("show()")
    assert len(asked(page, "library")) == 2
    module = zlib.compress(f"export default {PLOTLY};".encode())
    page.evaluate(send, base64.b64encode(module).decode())
    assert page.evaluate("plot().data[0].y") == [1]
    expect(page.locator(".hz-note")).to_be_hidden()
