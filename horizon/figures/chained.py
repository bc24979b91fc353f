"""The equity of a walk-forward's tests, beside that of the best setting in hindsight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.drawdown import underwater
from horizon.figures.long import LongFigure
from horizon.figures.page import Page, hover_moment, stamps
from horizon.figures.searched import (
    Spans,
    counted,
    faint,
    legend_above,
    numbers_of,
    of_each,
    setting_words,
    spans_of,
)
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

__all__ = ["out_of_sample"]

#: More tests than these are not shaded, and their marks are small.
_FEW: Final = 40


def out_of_sample(
    equity: Any,
    *,
    hindsight: Any = None,
    hindsight_name: str = "best in hindsight",
    windows: Any = None,
    chosen: Sequence[Mapping[str, Any] | None] | None = None,
    log: bool = False,
    theme: str = "light",
    currency: str = "USD",
    title: str = "Out of sample",
) -> LongFigure:
    """Draw the chained equity of the tests, and what the best setting in hindsight had made.

    The distance between both is what nobody could have known.

    Parameters
    ----------
    equity : curve
        As `generate_tearsheet` takes one: a Series indexed by time, a list of (time, equity), …
    hindsight : curve, optional
        Of the setting that turned out best over the same time, from the same capital.
    hindsight_name : str
        What it is called in the legend.
    windows : sequence of WalkForwardWindow, optional
        Their tests are shaded by turns, and a mark stands where each begins.
    chosen : sequence of mapping or None, optional
        What each window has chosen, told at its mark.
    log : bool
        A logarithmic axis: equal distances are equal growth.
    theme : {"light", "dark"}
    currency : str
        What the equity is in.
    title : str

    Returns
    -------
    LongFigure
        As wide as its container. Curves of more than 2,000 points are thinned, keeping the
        extremes; the figure then says so.

    Raises
    ------
    DataError, TypeError, ValueError
        If a curve cannot be read or is empty, or an argument is not as above.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=3)
    >>> figure = hz.figures.out_of_sample(
    ...     pd.Series([100.0, 101.0, 99.0], days), hindsight=pd.Series([100.0, 104.0, 108.0], days)
    ... )
    >>> print(figure.layout.title.subtitle.text)
    out of sample −1.00 %, best in hindsight +8.00 %
    """
    look = theme_named(theme)
    is_log = checks.flag("log", log)
    money = plain(checks.text("currency", currency))
    spans = None if windows is None else spans_of(windows)
    if spans is None and chosen is not None:
        raise ValueError("chosen needs windows, whose parameters they are")
    picked = None if spans is None else of_each("chosen", chosen, len(spans))
    curves = {"equity": _curve("equity", equity, is_log)}
    if hindsight is not None:
        curves["hindsight"] = _curve("hindsight", hindsight, is_log)
    labels = {
        "equity": "out of sample",
        "hindsight": plain(checks.text("hindsight_name", hindsight_name)),
    }
    page, figure = Page(look), LongFigure()
    page.panel("y", "", 320)
    page.axis("y", title={"text": money + (", logarithmic" if is_log else "")}, tickformat=",~f")
    page.axis("y", type="log" if is_log else "linear")
    page.panel("y2", "Below the highest so far", 120)
    page.axis("y2", title={"text": "Drawdown"}, tickformat=".3~%", rangemode="tozero")
    styles = {
        "hindsight": {"color": look.muted, "width": 1.5, "dash": "dash"},
        "equity": {"color": look.plan, "width": 2},
    }
    # The one that counts is drawn last, and so on top.
    for key in ("hindsight", "equity"):
        if key in curves:
            _add_curve(figure, curves[key], labels[key], styles[key], f" {money}")
    own = curves["equity"]
    if spans is not None:
        _shade(page, spans, own)
        _begin(figure, look, spans, own, numbers_of(windows, len(spans)), picked)
    page.across("x", "y", own.initial, color=look.muted, width=1, dash="dot")
    dates = np.concatenate([curve.times_ns for curve in curves.values()])
    page.axis("x", anchor="y2", title={"text": "Time, UTC"}, hoverformat=hover_moment(dates))
    page.axis("x", type="date", spikecolor=look.muted, spikethickness=1, spikedash="solid")
    told = [_grown(curves, labels), *figure.notes]
    if spans is not None:
        told[0] = f"{counted(len(spans), 'window')}, {told[0]}"
    figure.layout = {
        **page.layout(plain(checks.text("title", title)), told),
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "showlegend": True,
        "legend": legend_above(page, "y"),
    }
    return figure


def _curve(name: str, given: Any, is_log: bool) -> Curve:
    curve = curve_of(given, name=name)
    if not len(curve):
        raise ValueError(f"{name} must have one point or more, was empty")
    if is_log and not curve.equity.min() > 0.0:
        raise ValueError(
            f"{name} must be above 0 for a logarithmic axis, falls to {curve.equity.min():g}; "
            "draw it with log=False"
        )
    return curve


def _add_curve(
    figure: LongFigure, curve: Curve, label: str, line: dict[str, Any], unit: str
) -> None:
    depth = underwater(curve.equity)
    mode = "lines" if len(curve) > 1 else "markers"

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": mode,
            "name": label,
            "legendgroup": label,
            "line": line,
            "marker": {"color": line["color"]},
            "x": stamps(curve.times_ns[kept]),
            "y": curve.equity[kept],
            "customdata": depth[kept],
            "hovertemplate": f"{label} %{{y:,.2f}}{unit}, %{{customdata:.2%}} from its peak"
            "<extra></extra>",
        }

    def draw_depth(kept: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": mode,
            "name": label,
            "legendgroup": label,
            "showlegend": False,
            "line": {**line, "width": 1.25, "dash": "solid"},
            "marker": {"color": line["color"]},
            "x": stamps(curve.times_ns[kept]),
            "y": depth[kept],
            "yaxis": "y2",
            "hoverinfo": "skip",
        }

    figure.add_long(curve.times_ns, curve.equity, draw, what="points")
    figure.add_long(curve.times_ns, depth, draw_depth, what="points")


def _shade(page: Page, spans: Spans, curve: Curve) -> None:
    """Tint every second test, as far as there is equity."""
    if len(spans) > _FEW:
        return
    first, last = int(curve.times_ns[0]), int(curve.times_ns[-1])
    for place in range(1, len(spans), 2):
        begin = max(int(spans.test_start[place]), first)
        end = min(int(spans.test_end[place]), last)
        if begin >= end:
            continue
        edges = np.array([begin, end]).astype("datetime64[ns]").astype("datetime64[ms]").tolist()
        page.shapes += [
            {
                "type": "rect",
                "layer": "below",
                "xref": "x",
                "yref": f"{axis} domain",
                "x0": edges[0],
                "x1": edges[1],
                "y0": 0.0,
                "y1": 1.0,
                "line": {"width": 0},
                "fillcolor": faint(page.look.muted, 0.12),
            }
            for axis in ("y", "y2")
        ]


def _begin(
    figure: LongFigure,
    look: Theme,
    spans: Spans,
    curve: Curve,
    names: Sequence[int],
    picked: Sequence[Mapping[str, Any] | None] | None,
) -> None:
    """Mark where each test begins, and tell what it runs with."""
    # On the first point of the test; of a window without points there is nothing to mark.
    at = np.searchsorted(curve.times_ns, spans.test_start, side="left")
    rows = [i for i in range(len(spans)) if at[i] < len(curve)]
    rows = [i for i in rows if curve.times_ns[at[i]] <= spans.test_end[i]]
    if not rows:
        return
    told = []
    for i in rows:
        setting = picked[i] if picked is not None else None
        told.append(
            f"Window {names[i]}" + ("" if setting is None else f": {setting_words(setting)}")
        )
    figure.add_trace(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "a test begins",
            "x": stamps(curve.times_ns[at[rows]]),
            "y": curve.equity[at[rows]],
            "marker": {
                "symbol": "diamond",
                "size": 9 if len(rows) <= _FEW else 5,
                "color": look.done,
                "line": {"width": 1, "color": look.paper},
            },
            "customdata": told,
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    )


def _grown(curves: Mapping[str, Curve], labels: Mapping[str, str]) -> str:
    """Say what each curve came to."""
    said = []
    for key, curve in curves.items():
        if curve.initial > 0.0:
            share = f"{curve.final / curve.initial - 1.0:+.2%}".replace("-", "−")
            said.append(f"{labels[key]} {share.replace('%', ' %')}")
    return ", ".join(said) or "no growth to tell: equity does not begin above 0"
