"""A curve as a small SVG, which needs neither plotly nor a script."""

from __future__ import annotations

import html
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from horizon import words

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["percent", "sketch"]


def sketch(sheet: Tearsheet) -> str:
    """Draw the equity, and below it how far it was under its peak, as a small SVG.

    It has the colour of the text around it, and says in words what it shows. Of a curve with fewer
    than two points there is nothing to draw: the text is empty.
    """
    if len(sheet.times) < 2:
        return ""
    times, equity, depth = sheet.curve.times_ns, sheet.equity, sheet.underwater
    # In terms of the largest, so that no difference is too large for a float.
    largest = max(abs(float(equity.min())), abs(float(equity.max()))) or 1.0
    low, high = float(equity.min()) / largest, float(equity.max()) / largest
    height = (high - low) or 1.0
    middle = 0.5 if high == low else 0.0
    deepest = float(depth.min()) or -1.0
    rises, falls = _kept(equity), _kept(depth)
    levels = 84.0 - 80.0 * ((equity[rises] / largest - low) / height + middle)
    line = _path(_across(times, rises), levels)
    area = _path(_across(times, falls), 92.0 + 36.0 * (depth[falls] / deepest))
    told = (
        f"Equity from {words.cash(float(sheet.equity[0]), sheet.currency)} to "
        f"{words.cash(float(sheet.equity[-1]), sheet.currency)}, at most "
        f"{percent(max(0.0, -float(depth.min())))} below its peak"
    )
    label = html.escape(told, quote=True)
    plain = 'fill="none" stroke="currentColor" vector-effect="non-scaling-stroke"'
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 640 132" preserveAspectRatio="none" '
        'style="display:block;width:100%;height:132px;color:inherit;background:transparent">'
        f"<title>{html.escape(told)}</title>"
        f'<path d="M0 {levels[0]:.1f}H640" {plain} stroke-opacity=".5" stroke-dasharray="4 4"/>'
        f'<path d="M0 92L{area}L640 92Z" fill="currentColor" fill-opacity=".3"/>'
        f'<path d="M{line}" {plain} stroke-width="1.5"/></svg>'
    )


def _kept(values: NDArray[np.float64], stretches: int = 320) -> NDArray[np.intp]:
    """Choose points to draw: of many, the lowest and the highest of each stretch."""
    n = len(values)
    if n <= 2 * stretches:
        return np.arange(n)
    edges = np.linspace(0, n, stretches + 1).astype(np.intp).tolist()
    found = [0, n - 1]
    for begin, end in pairwise(edges):
        part = values[begin:end]
        found += [begin + int(part.argmin()), begin + int(part.argmax())]
    return np.unique(found)


def _across(times_ns: NDArray[np.int64], kept: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where points stand on a width of 640; those of one moment all alone stand side by side."""
    # Unsigned, since two moments may be further apart than an int64 says.
    start = times_ns[:1].view(np.uint64)
    span = float((times_ns[-1:].view(np.uint64) - start)[0])
    if span == 0.0:
        return kept.astype(np.float64) * (640.0 / (len(times_ns) - 1))
    return (times_ns[kept].view(np.uint64) - start).astype(np.float64) * (640.0 / span)


def _path(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Write points as an SVG path, without its first letter."""
    points = zip(x.tolist(), y.tolist(), strict=True)
    return "L".join(f"{left:.1f} {down:.1f}" for left, down in points)


def percent(value: float, places: int = 2) -> str:
    """Write a fraction as percent; what is rounded to 0 has no sign."""
    shown = f"{abs(value) * 100.0:,.{places}f}"
    return f"{'−' if value < 0.0 and shown.strip('0.,') else ''}{shown} %"
