"""Figures as files and as text: pictures, pages, and what a browser needs to draw them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from horizon import checks

__all__ = ["as_json", "plotly_module", "plotly_version", "save"]

_PICTURES: Final = ("png", "svg", "pdf", "webp")
_WIDTH: Final = 1_000
_HEIGHT: Final = 500
#: Dots of a raster picture for each point of the layout: sharp on paper and on dense screens.
_SCALE: Final = 2.0
_LARGEST: Final = 10_000
_HTML: Final = "a page (.html) needs neither"


def save(
    figure: go.Figure,
    path: str | Path,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
) -> Path:
    """Write a figure to a file, of the kind that its name ends in.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    path : str or Path
        Ends in ``.png``, ``.webp``, ``.svg`` or ``.pdf``, drawn by an installed Chrome or
        Chromium through the package kaleido; or in ``.html``, a page that needs no network and
        nothing but a browser.
    width, height : int, optional
        In points of the layout; by default the figure's own, else 1,000 and 500. A page without
        a `width` is as wide as its window.
    scale : float, optional
        Dots for each point of a raster picture, 2 by default; a factor to the size of the
        others, 1 by default. A page has none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If `figure` is no plotly figure, or a size no number.
    ValueError
        If the name ends otherwise, its folder does not exist, a size is out of range, or a page
        is given a `scale`.
    ImportError
        If kaleido is not installed.
    RuntimeError
        If no browser is found, or it fails.

    Examples
    --------
    >>> figure = hz.figures.volume_profile({"09:00": 0.75, "10:00": 0.25})
    >>> hz.figures.save(figure, "volume.html").name
    'volume.html'
    """
    if not isinstance(figure, go.Figure):
        raise TypeError(f"figure must be a plotly figure, was {checks.show(figure)}")
    file = checks.new_file("path", path)
    kind = file.suffix.lower().removeprefix(".")
    if kind not in (*_PICTURES, "html"):
        accepted = ", ".join(f".{name}" for name in (*_PICTURES, "html"))
        raise ValueError(f"path must end in one of {accepted}; was {checks.show(str(path))}")
    wide = _size("width", width)
    high = _size("height", height)
    if kind == "html":
        if scale is not None:
            raise ValueError(f"scale is for pictures; a page has none, was given {scale!r}")
        page = figure if wide is None and high is None else go.Figure(figure)
        if page is not figure:
            page.update_layout(width=wide or figure.layout.width, height=high or _high(figure))
        page.write_html(file, include_plotlyjs=True, full_html=True)
        return file
    factor = 1.0 if kind in ("svg", "pdf") else _SCALE
    if scale is not None:
        factor = checks.positive("scale", scale)
    options = {
        "format": kind,
        "width": wide or figure.layout.width or _WIDTH,
        "height": high or _high(figure),
        "scale": factor,
    }
    file.write_bytes(_picture(figure, options))
    return file


def _high(figure: go.Figure) -> Any:
    return figure.layout.height or _HEIGHT


def _size(name: str, value: object) -> int | None:
    if value is None:
        return None
    size = checks.integer(name, value)
    if size > _LARGEST:
        raise ValueError(f"{name} must be at most {_LARGEST:,}, was {size:,}")
    return size


def _picture(figure: go.Figure, options: dict[str, Any]) -> bytes:
    kind = str(options["format"]).upper()
    try:
        import kaleido
        from kaleido.errors import (
            BrowserClosedError,
            BrowserFailedError,
            ChromeNotFoundError,
        )
    except ImportError as error:
        raise ImportError(
            f"{kind} needs the package kaleido, 1.0 or newer, which is not installed: "
            f"pip install 'horizon-workbench[export]' ({_HTML})"
        ) from error
    try:
        # Without its MathJax, which it would look for on the internet; texts have no TeX.
        picture = kaleido.calc_fig_sync(figure.to_dict(), options, kopts={"mathjax": False})
    except ChromeNotFoundError as error:
        raise RuntimeError(
            f"{kind} needs an installed Chrome or Chromium, and none was found: install one, or "
            f"name its file in the environment variable BROWSER_PATH ({_HTML})"
        ) from error
    except (BrowserFailedError, BrowserClosedError) as error:
        raise RuntimeError(
            f"the browser that draws {kind} ended before its time: {error} ({_HTML})"
        ) from error
    return bytes(picture)


# ------------------------------------------------------------------------- for a browser
def as_json(value: Any) -> str:
    """Write a figure, or arrays in lists and dictionaries, as JSON that a browser can read.

    Times are ISO text, and what is not finite is null, as plotly has it. Tables of numbers are
    packed, as plotly packs those of a figure.
    """
    if isinstance(value, go.Figure):
        return str(value.to_json(validate=False))
    from plotly.io.json import to_json_plotly

    return str(to_json_plotly(_plain(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim == 2:
        packed = base64.b64encode(value.astype("<f4").tobytes()).decode("ascii")
        return {"dtype": "f4", "bdata": packed, "shape": f"{value.shape[0]}, {value.shape[1]}"}
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        finite = np.isfinite(value)
        if finite.all():
            return value.tolist()
        spread = value.astype(object)
        spread[~finite] = None
        return spread.tolist()
    return value


def plotly_version() -> str:
    """The version of the plotly.js that comes with the installed plotly."""
    from plotly.offline import get_plotlyjs_version

    return str(get_plotlyjs_version())


def plotly_module() -> str:
    """Return plotly.js as an ES module whose default export is Plotly.

    It comes wrapped in functions, for loaders of all kinds, which a browser parses twice before
    it runs them. Without the wrapping it starts a third faster. Where the wrapping is not as we
    know it, it stays. It has five megabytes, so whoever needs it again keeps it.
    """
    from plotly.offline import get_plotlyjs

    source = str(get_plotlyjs())
    begin = source.find('"use strict";var Plotly=(')
    end = source.rfind("window.Plotly = Plotly;")
    if 0 <= begin < 1_000 and len(source) - end < 1_000:
        return f"{source[begin:end]}\nexport default Plotly;\n"
    return f"{source}\nexport default globalThis.Plotly;\n"
