"""Figures as files."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from horizon.figures import LongFigure, save
from horizon.figures.export import as_json, plotly_module, plotly_version

FIGURE = go.Figure(go.Scatter(y=[1, 3, 2]), layout={"title": {"text": "Three"}, "height": 300})
BEGINS = {"png": b"\x89PNG", "webp": b"RIFF", "svg": b"<svg", "pdf": b"%PDF"}


def test_a_page_holds_the_figure_and_all_that_draws_it(tmp_path: Path) -> None:
    file = save(FIGURE, tmp_path / "three.HTML")
    page = file.read_text(encoding="utf-8")
    assert "Three" in page
    assert f"plotly.js v{plotly_version()}" in page
    assert not re.search(r"<(script|link)[^>]+(src|href)=.http", page)
    wide = save(LongFigure(FIGURE), tmp_path / "wide.html", width=640).read_text(encoding="utf-8")
    assert '"width":640' in wide
    assert FIGURE.layout.width is None


def test_it_asks_kaleido_for_what_the_name_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kaleido

    asked: list[Any] = []

    def draw(figure: Any, options: Any, *, kopts: Any) -> bytes:
        asked.append((figure["layout"]["title"]["text"], options, kopts))
        return b"drawn"

    monkeypatch.setattr(kaleido, "calc_fig_sync", draw)
    assert save(FIGURE, str(tmp_path / "a.png")).read_bytes() == b"drawn"
    save(FIGURE, tmp_path / "b.svg", width=200, height=100, scale=3)
    save(go.Figure(layout={"title": {"text": "Three"}}), tmp_path / "c.PDF")
    assert [(title, kopts) for title, _, kopts in asked] == [("Three", {"mathjax": False})] * 3
    assert [options for _, options, _ in asked] == [
        {"format": "png", "width": 1_000, "height": 300, "scale": 2.0},
        {"format": "svg", "width": 200, "height": 100, "scale": 3.0},
        {"format": "pdf", "width": 1_000, "height": 500, "scale": 1.0},
    ]


@pytest.mark.browser
@pytest.mark.parametrize("kind", BEGINS)
def test_a_browser_draws_it(kind: str, tmp_path: Path) -> None:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))):
        pytest.skip("no Chrome or Chromium on PATH")
    drawn = save(FIGURE, tmp_path / f"three.{kind}", width=300).read_bytes()
    assert drawn.startswith(BEGINS[kind])
    if kind == "png":  # its size in dots stands in its head: twice 300 by 300
        assert [int.from_bytes(drawn[at : at + 4], "big") for at in (16, 20)] == [600, 600]
    if kind == "svg":
        assert b">Three<" in drawn


def test_without_kaleido_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ImportError, match=r"PNG needs the package kaleido.*workbench\[export\]"):
        save(FIGURE, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    save(FIGURE, tmp_path / "a.html")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ChromeNotFoundError", "SVG needs an installed Chrome or Chromium, and none was found"),
        ("BrowserClosedError", "the browser that draws SVG ended before its time: gone"),
        ("BrowserFailedError", "the browser that draws SVG ended before its time: gone"),
    ],
)
def test_without_a_browser_it_says_so(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kaleido
    import kaleido.errors

    def fail(*_: Any, **__: Any) -> bytes:
        raise getattr(kaleido.errors, name)("gone")

    monkeypatch.setattr(kaleido, "calc_fig_sync", fail)
    with pytest.raises(RuntimeError, match=said):
        save(FIGURE, tmp_path / "a.svg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "options", "error", "said"),
    [
        ("a.jpg", {}, ValueError, r"path must end in one of .png, .svg, .pdf, .webp, .html; was"),
        ("a", {}, ValueError, "path must end in one of"),
        ("a.png", {"width": 0}, ValueError, "width must be 1 or more"),
        ("a.png", {"height": 20_000}, ValueError, "height must be at most 10,000, was 20,000"),
        ("a.png", {"width": 2.5}, TypeError, "width must be a whole number"),
        ("a.png", {"scale": 0}, ValueError, "scale must be above 0"),
        ("a.html", {"scale": 2}, ValueError, "scale is for pictures; a page has none"),
    ],
)
def test_what_cannot_be_written_is_refused(
    path: str, options: Any, error: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        save(FIGURE, tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_what_is_no_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="figure must be a plotly figure, was 5"):
        save(5, tmp_path / "a.png")


# ------------------------------------------------------------------------- for a browser
def test_what_is_not_finite_is_null_in_json_and_times_are_text() -> None:
    given = {
        "x": np.array([0, 1], dtype="datetime64[s]"),
        "y": np.array([1.5, np.nan]),
        "z": np.array([[1.0, -2.0, 0.5]]),
        "n": np.array([1, 2]),
    }
    assert json.loads(as_json(given)) == {
        "x": ["1970-01-01T00:00:00", "1970-01-01T00:00:01"],
        "y": [1.5, None],
        # 1.0, -2.0 and 0.5 as floats of four bytes: 3f800000, c0000000, 3f000000, low byte first.
        "z": {"dtype": "f4", "bdata": "AACAPwAAAMAAAAA/", "shape": "1, 3"},
        "n": [1, 2],
    }
    assert json.loads(as_json(FIGURE))["layout"]["title"]["text"] == "Three"


def test_plotly_comes_as_a_module_without_its_wrapping() -> None:
    source = plotly_module()
    assert source.startswith('"use strict";var Plotly=(')
    assert source.endswith("export default Plotly;\n")


def test_plotly_in_an_unknown_wrapping_is_left_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "window.Plotly = {};")
    assert plotly_module() == "window.Plotly = {};\nexport default globalThis.Plotly;\n"


def test_a_path_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path must lie in a folder that exists, was '.*a\.html'"):
        save(FIGURE, tmp_path / "none" / "a.html")
    (tmp_path / "b.html").mkdir()
    with pytest.raises(ValueError, match=r"path must be a file, was the folder '.*b\.html'"):
        save(FIGURE, tmp_path / "b.html")
    with pytest.raises(TypeError, match="path must be a path, was 5"):
        save(FIGURE, 5)  # type: ignore[arg-type]
