"""Pictures of forecasts judged: how often they came true, and how an edge shrinks with time."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.calibration import CalibrationCurve
from horizon.analytics.decay import EdgeDecay
from horizon.figures.series import thinned
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["edge_decay", "reliability_diagram"]

#: More curves than these cannot be told apart; each has a colour and a symbol of its own.
_MOST_CURVES: Final = 6
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x")
#: Points along a smooth line.
_SMOOTH: Final = 201
#: Bars of bins are at least so wide, as a share of the axis: those of one single value too.
_LEAST_WIDTH: Final = 0.004
#: Room of a row of the legend and of a line of the subtitle, in pixels.
_LEGEND: Final = 26
_LINE: Final = 18
#: Width of the legend in a figure of about 650 pixels, of the key of a name, and of a letter.
_NARROW: Final = 550.0
_KEY: Final = 46.0
_LETTER: Final = 6.6


# ------------------------------------------------------------------------ reliability
def reliability_diagram(
    curve: CalibrationCurve | Mapping[Any, CalibrationCurve],
    *,
    groups: bool = False,
    theme: str = "light",
    title: str = "Reliability",
) -> go.Figure:
    """Draw how often forecasts came true against what they said.

    A point on the diagonal is a bin whose forecasts came true as often as they said. The bars
    on the points are the Wilson intervals of the curve; the panel below counts the forecasts.

    Parameters
    ----------
    curve : CalibrationCurve, or mapping of label to CalibrationCurve
        With several, each has a colour and a symbol of its own; the six with the most
        pairs are drawn.
    groups : bool
        Draw the groups of the curve instead of the whole.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container. Of more than 2,000 bins the lowest and highest frequencies
        of each stretch are drawn, and the figure says so.

    Raises
    ------
    TypeError, ValueError
        If `curve` is neither, or has no groups where they are asked for.

    Examples
    --------
    >>> curve = hz.calibration_curve([0.2, 0.2, 0.2, 0.2, 0.8, 0.8], [0, 0, 1, 0, 1, 1], n_bins=5)
    >>> figure = hz.figures.reliability_diagram(curve)
    >>> points = figure.data[1]  # one of four came true that was said to be at 0.2
    >>> [round(float(said), 4) for said in points.x], [float(came) for came in points.y]
    ([0.2, 0.8], [0.25, 1.0])
    """
    look = theme_named(theme)
    curves = _curves_of(curve, checks.flag("groups", groups))
    heading = plain(checks.text("title", title))
    drawn = dict(sorted(curves.items(), key=lambda item: -item[1].count)[:_MOST_CURVES])
    drawn = {label: each for label, each in curves.items() if label in drawn}
    alone = len(drawn) == 1 and isinstance(curve, CalibrationCurve) and not groups

    figure = go.Figure()
    figure.add_trace(_diagonal(look))
    notes = []
    bars = []
    for number, (label, each) in enumerate(drawn.items()):
        name = "predictions" if alone else plain(str(label))
        style = _style(look, number)
        kept, of = _kept_bins(each)
        if len(kept) < of:
            notes.append(
                f"Drawn: {len(kept):,} of {of:,} bins{'' if alone else f' of {name}'}, with the "
                "lowest and highest frequency of each stretch"
            )
        figure.add_trace(_points(look, each, kept, name, style, alone))
        share = (number, len(drawn))
        bars.append(_count_bars(each, kept, name, style, share, alone))
    figure.add_traces(bars)

    subtitle = [_scores(each) for each in drawn.values()] if alone else []
    if alone and drawn[None].count:
        base = drawn[None].base_rate
        _mark(figure, look.muted, {"y": base}, f"base rate {base:.1%}", "right")
    if not alone:
        total = sum(each.count for each in drawn.values())
        subtitle.append(f"{_plural(len(drawn), 'curve')} over {_plural(total, 'prediction')}")
    if len(drawn) < len(curves):
        notes.append(f"Drawn: the {len(drawn)} of {len(curves):,} curves with the most pairs")
    levels = {each.confidence for each in drawn.values()}
    if any(each.count for each in drawn.values()):
        shown = " and ".join(f"{100.0 * level:g}%" for level in sorted(levels))
        subtitle.append(f"Bars on the points: {shown} Wilson intervals")
    else:
        _say_nothing(figure, look, "No predictions")
    _corner(figure, look, 0.0, 1.0, "happens more often than said")
    _corner(figure, look, 1.0, 0.0, "happens less often than said")
    _lay_out(figure, look, heading, [*subtitle, *notes])
    percent = {"range": [-0.02, 1.02], "tickformat": ".0%", "dtick": 0.1, "showgrid": True}
    figure.update_layout(
        xaxis={**percent, "title": {"text": "Predicted probability"}, "zeroline": False},
        yaxis={
            **percent,
            "title": {"text": "Frequency with which it happened"},
            "zeroline": False,
        },
        yaxis2={"title": {"text": "Predictions"}},
    )
    return figure


def _curves_of(curve: Any, groups: bool) -> dict[Any, CalibrationCurve]:
    if isinstance(curve, CalibrationCurve):
        if not groups:
            return {None: curve}
        if not curve.groups:
            raise ValueError(
                "groups must be False for a curve without groups; calibration_curve(groups=...) "
                "makes one with them"
            )
        return curve.groups
    if groups:
        raise ValueError("groups must be False where several curves are given")
    if not isinstance(curve, Mapping) or not all(
        isinstance(each, CalibrationCurve) for each in curve.values()
    ):
        raise TypeError(
            "curve must be a CalibrationCurve or a dictionary of them by label, was "
            f"{checks.show(curve)}"
        )
    if not curve:
        raise ValueError("curve must hold at least one CalibrationCurve, was an empty dictionary")
    return dict(curve)


def _style(look: Theme, number: int) -> dict[str, Any]:
    return {
        "color": look.series[number % len(look.series)],
        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
    }


def _diagonal(look: Theme) -> go.Scatter:
    return go.Scatter(
        x=[0.0, 1.0],
        y=[0.0, 1.0],
        name="as often as said",
        mode="lines",
        line={"color": look.muted, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )


def _kept_bins(curve: CalibrationCurve) -> tuple[NDArray[np.intp], int]:
    """Which bins are drawn, and how many have something to draw."""
    counts = np.array([count for _, _, count in curve.bins], dtype=np.int64)
    held = np.flatnonzero(counts)
    rates = np.array([frequency for _, frequency, _ in curve.bins], dtype=np.float64)
    return held[thinned(rates[held])], len(held)


def _points(
    look: Theme,
    curve: CalibrationCurve,
    kept: NDArray[np.intp],
    name: str,
    style: Mapping[str, Any],
    alone: bool,
) -> go.Scatter:
    bins = np.array(curve.bins, dtype=np.float64).reshape(-1, 3)[kept]
    bounds = np.array(curve.intervals, dtype=np.float64).reshape(-1, 2)[kept]
    rates, counts = bins[:, 1], bins[:, 2]
    scores = "" if alone else f": Brier {curve.brier_score:.4f}, n {curve.count:,}"
    return go.Scatter(
        x=np.array(curve.mean_predictions, dtype=np.float64)[kept],
        y=rates,
        name=f"{name}{scores}",
        mode="lines+markers",
        line={"color": style["color"], "width": 1.5},
        marker={
            "symbol": style["symbol"],
            "size": 9,
            "color": style["color"],
            "line": {"width": 1, "color": look.paper},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": bounds[:, 1] - rates,
            "arrayminus": rates - bounds[:, 0],
            "color": style["color"],
            # Intervals of several curves overlap: thin ones can still be followed.
            "thickness": 1.5 if alone else 1,
            "width": 4 if alone else 0,
        },
        customdata=[
            (_plural(int(count), "time"), lower, upper)
            for count, (lower, upper) in zip(counts.tolist(), bounds.tolist(), strict=True)
        ],
        hovertemplate=(
            ("" if alone else f"<b>{name}</b><br>")
            + "Said %{x:.1%} on average, happened %{y:.1%} of %{customdata[0]}<br>"
            f"{100.0 * curve.confidence:g}% interval "
            "%{customdata[1]:.1%} to %{customdata[2]:.1%}<extra></extra>"
        ),
        legendgroup=name,
    )


def _count_bars(
    curve: CalibrationCurve,
    kept: NDArray[np.intp],
    name: str,
    style: Mapping[str, Any],
    share: tuple[int, int],
    alone: bool,
) -> go.Bar:
    """Bars as wide as the bins; several curves stand side by side in each."""
    edges = np.array(curve.bin_edges, dtype=np.float64)
    start, stop = edges[:-1][kept], edges[1:][kept]
    number, of = share
    width = np.maximum((stop - start) / of, _LEAST_WIDTH / of)
    first = (start + stop - of * width) / 2.0
    counts = np.array([count for _, _, count in curve.bins], dtype=np.int64)[kept]
    return go.Bar(
        x=first + (number + 0.5) * width,
        y=counts,
        width=0.92 * width,
        name=name,
        marker={"color": style["color"], "line": {"width": 0}},
        customdata=[
            (begin, end, _plural(count, "prediction"))
            for begin, end, count in zip(
                start.tolist(), stop.tolist(), counts.tolist(), strict=True
            )
        ],
        hovertemplate=(
            ("" if alone else f"<b>{name}</b><br>")
            + "%{customdata[2]} from %{customdata[0]:.1%} to %{customdata[1]:.1%}"
            "<extra></extra>"
        ),
        yaxis="y2",
        legendgroup=name,
        showlegend=False,
    )


def _scores(curve: CalibrationCurve) -> str:
    return (
        f"Brier {curve.brier_score:.4f}, log loss {curve.log_loss:.4f}, ECE {curve.ece:.4f}, "
        f"skill {_signed(curve.brier_skill_score)} over {_plural(curve.count, 'prediction')}"
    )


# ------------------------------------------------------------------------ decay of an edge
def edge_decay(
    result: EdgeDecay, *, theme: str = "light", title: str = "Edge before resolution"
) -> go.Figure:
    """Draw the mean edge against the time left, the exponential fit, and the counts.

    Parameters
    ----------
    result : EdgeDecay
        Buckets that the fit leaves out, their mean edge not being positive, are hollow. Bars
        are one standard error either way, where there are two entries or more.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container; time runs to the right, towards resolution. Of more than
        2,000 buckets the lowest and highest edges of each stretch are drawn, and the figure
        says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    What came true was bought at 0.6, 0.8 and 0.9, in the third, second and last hour before: the
    edge was 0.4, 0.2 and 0.1, half as much with each hour.

    >>> bought, resolved = [0.0, 5400.0, 9000.0], [10800.0] * 3
    >>> decay = hz.edge_decay([0.6, 0.8, 0.9], [1, 1, 1], bought, resolved, n_buckets=3)
    >>> figure = hz.figures.edge_decay(decay)
    >>> [round(float(edge), 4) for edge in figure.data[0].y]
    [0.1, 0.2, 0.4]
    >>> print(figure.layout.title.subtitle.text.replace("<br>", "; "))
    Half-life 1 h; Mean edge 0.2333 over 3 entries
    """
    look = theme_named(theme)
    if not isinstance(result, EdgeDecay):
        raise TypeError(f"result must be an EdgeDecay, was {checks.show(result)}")
    heading = plain(checks.text("title", title))
    figure = go.Figure()
    columns = np.array(result.decay_curve, dtype=np.float64).reshape(-1, 2)
    counts = np.array(result.counts, dtype=np.int64)
    held = np.flatnonzero(counts)
    kept = held[thinned(columns[held, 1])]
    notes = []
    if len(kept) < len(held):
        notes.append(
            f"Drawn: {len(kept):,} of {len(held):,} buckets, with the lowest and highest edge of "
            "each stretch"
        )
    is_fitted = (columns[kept, 1] > 0.0) & (result.slope is not None)
    figure.add_trace(_edges(look, result, kept[is_fitted], True))
    figure.add_trace(_edges(look, result, kept[~is_fitted], False))
    if result.slope is not None:
        _draw_fit(figure, look, result)
    edges = np.array(result.bucket_edges, dtype=np.float64)
    start, stop = edges[:-1][kept], edges[1:][kept]
    figure.add_trace(
        go.Bar(
            x=(start + stop) / 2.0,
            y=counts[kept],
            width=0.92 * (stop - start) if result.longest_hours else [0.01] * len(kept),
            name="entries",
            marker={"color": look.plan, "line": {"width": 0}},
            customdata=[
                (begin, end, _plural(count, "entry", "entries"))
                for begin, end, count in zip(
                    start.tolist(), stop.tolist(), counts[kept].tolist(), strict=True
                )
            ],
            hovertemplate=(
                "%{customdata[2]} from %{customdata[1]:,.4~g} to %{customdata[0]:,.4~g} hours "
                "before resolution<extra></extra>"
            ),
            yaxis="y2",
            showlegend=False,
        )
    )
    if not result.count:
        _say_nothing(figure, look, "No entries")
    _lay_out(figure, look, heading, [*_verdict(result), *notes])
    longest = result.longest_hours or 1.0
    figure.update_layout(
        xaxis={
            "title": {"text": "Hours before resolution"},
            "range": [1.02 * longest, -0.02 * longest],
            "tickformat": ",~f",
            "zeroline": False,
            "showgrid": True,
        },
        yaxis={
            "title": {"text": "Mean edge, of a contract that pays 1"},
            "tickformat": ",~f",
            "zeroline": True,
            "zerolinecolor": look.muted,
            "zerolinewidth": 1.5,
            "rangemode": "tozero",
        },
        yaxis2={"title": {"text": "Entries"}},
    )
    return figure


def _edges(look: Theme, result: EdgeDecay, kept: NDArray[np.intp], fitted: bool) -> go.Scatter:
    columns = np.array(result.decay_curve, dtype=np.float64).reshape(-1, 2)[kept]
    errors = np.array(result.standard_errors, dtype=np.float64)[kept]
    counts = np.array(result.counts, dtype=np.int64)
    told = [
        (_signed(edge), _error(error), _plural(count, "entry", "entries"))
        for edge, error, count in zip(
            columns[:, 1].tolist(), errors.tolist(), counts[kept].tolist(), strict=True
        )
    ]
    return go.Scatter(
        x=columns[:, 0],
        y=columns[:, 1],
        name="mean edge ± standard error" if fitted else "the same, not part of the fit",
        mode="markers",
        marker={
            "symbol": "circle" if fitted else "circle-open",
            "size": 9,
            "color": look.plan,
            "line": {"width": 1 if fitted else 2, "color": look.paper if fitted else look.plan},
        },
        error_y={
            "type": "data",
            "array": [error if math.isfinite(error) else None for error in errors.tolist()],
            "color": look.plan,
            "thickness": 2,
            "width": 0,  # an end would be drawn even where there is no bar
        },
        customdata=told,
        hovertemplate=(
            "%{x:,.4~g} hours before resolution: mean edge %{customdata[0]}<br>"
            "standard error %{customdata[1]}, %{customdata[2]}<extra></extra>"
        ),
        showlegend=bool(len(kept)),
    )


def _error(error: float) -> str:
    return f"{error:.4f}" if math.isfinite(error) else "unknown"


def _draw_fit(figure: go.Figure, look: Theme, result: EdgeDecay) -> None:
    hours = np.linspace(0.0, result.longest_hours, _SMOOTH)
    half_life = result.half_life_hours
    halves = math.isfinite(half_life)
    figure.add_trace(
        go.Scatter(
            x=hours,
            y=result.edge_at(hours),
            name=f"fit: halves every {_hours(half_life)}" if halves else "fit: does not shrink",
            mode="lines",
            line={"color": look.done, "width": 2.5},
            hovertemplate="%{x:,.4~g} hours before resolution: fitted edge %{y:.4f}<extra></extra>",
        )
    )
    if halves and half_life <= result.longest_hours:
        side = "right" if half_life > result.longest_hours / 2.0 else "left"
        text = f"one half-life, {_hours(half_life)}, to go"
        _mark(figure, look.done, {"x": half_life}, text, side)


def _verdict(result: EdgeDecay) -> list[str]:
    """Say what the fit says, and the mean."""
    entries = _plural(result.count, "entry", "entries")
    mean = f"Mean edge {_signed(result.mean_edge)} over {entries}"
    if result.slope is None:
        return ["No fit: fewer than two buckets have a positive mean edge", mean]
    if math.isinf(result.half_life_hours):
        return ["The edge does not shrink towards resolution", mean]
    return [f"Half-life {_hours(result.half_life_hours)}", mean]


# ------------------------------------------------------------------------ what both share
def _lay_out(figure: go.Figure, look: Theme, heading: str, subtitle: Sequence[str]) -> None:
    """Two panels over one x axis, below a title, its subtitle and the legend."""
    listed = [trace.name for trace in figure.data if trace.showlegend is not False]
    top = 56 + _LINE * len(subtitle) + _LEGEND * _rows(listed)
    figure.update_layout(
        template=look.template,
        height=620 + top,
        margin={"t": top},
        title={"text": heading, "subtitle": {"text": "<br>".join(subtitle)}},
        barmode="overlay",
        hovermode="closest",
        showlegend=True,
        legend={"x": 0.0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        xaxis={"anchor": "y2"},
        yaxis={"domain": [0.25, 1.0]},
        yaxis2={"domain": [0.0, 0.18], "tickformat": ",~s", "rangemode": "tozero", "nticks": 4},
    )


def _rows(names: Sequence[str]) -> int:
    """Rows that a legend of these names takes in a narrow figure."""
    rows, taken = 1, 0.0
    for name in names:
        width = _KEY + _LETTER * len(html.unescape(name))
        if taken and taken + width > _NARROW:
            rows, taken = rows + 1, 0.0
        taken += width
    return rows


def _mark(figure: go.Figure, colour: str, at: Mapping[str, float], text: str, side: str) -> None:
    """A dotted line across the upper panel at one x or y, with words at its end."""
    upright = "x" in at
    x, y = (at["x"], 1.0) if upright else (1.0, at["y"])
    refs = {"xref": "x" if upright else "x domain", "yref": "y domain" if upright else "y"}
    figure.add_shape(
        type="line",
        x0=x if upright else 0.0,
        x1=x,
        y0=0.0 if upright else y,
        y1=y,
        line={"color": colour, "width": 1, "dash": "dot"},
        layer="below",
        **refs,
    )
    figure.add_annotation(
        text=text,
        x=x,
        y=y,
        xanchor="left" if upright and side == "right" else "right",
        yanchor="top" if upright else "bottom",
        xshift={"right": 4, "left": -4}[side] if upright else 0,
        showarrow=False,
        font={"color": colour, "size": 12},
        **refs,
    )


def _corner(figure: go.Figure, look: Theme, x: float, y: float, text: str) -> None:
    figure.add_annotation(
        text=text,
        x=0.01 + 0.98 * x,
        y=0.015 + 0.97 * y,
        xref="x domain",
        yref="y domain",
        xanchor="left" if x < 0.5 else "right",
        yanchor="bottom" if y < 0.5 else "top",
        showarrow=False,
        font={"color": look.muted, "size": 12},
        bgcolor=look.paper,
    )


def _say_nothing(figure: go.Figure, look: Theme, text: str) -> None:
    figure.add_annotation(
        text=text,
        x=0.5,
        y=0.5,
        xref="x domain",
        yref="y domain",
        showarrow=False,
        font={"color": look.muted},
        bgcolor=look.paper,
        borderpad=6,
    )
    figure.update_layout(yaxis2={"showticklabels": False})


def _plural(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def _hours(hours: float) -> str:
    return f"{hours:,.3g} h" if hours < 1_000.0 else f"{hours:,.0f} h"


def _signed(value: float) -> str:
    return f"{value:.4f}".replace("-", "−")
