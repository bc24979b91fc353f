"""How volume is spread over the day: what was expected, and what was filled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from horizon import checks
from horizon.analytics.volume import VolumeShares, volume_shares
from horizon.figures.page import Page
from horizon.figures.series import fill_columns
from horizon.figures.themes import theme_named
from horizon.figures.words import amount, plain

__all__ = ["volume_profile"]

_CLEAR: Final = "rgba(0,0,0,0)"
#: So many bars can have a pattern that is still seen.
_FEW: Final = 80


def volume_profile(
    weights: Any,
    *,
    fills: Any = None,
    timezone: str = "UTC",
    theme: str = "light",
    title: str = "Volume over the day",
) -> go.Figure:
    """Draw the shares of a day's volume by the clock, and beside them those of fills.

    Parameters
    ----------
    weights : Series or mapping of str to float
        As `horizon.volume_profile` returns them: by the wall time at which each bucket begins.
    fills : DataFrame or sequence of VenueFill or Fill, optional
        The account's fills, e.g. ``ex.fills_frame()``, in any order; all days and both sides
        count together.
    timezone : str
        The zone of the wall times: the one that the weights were made with.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container: shares in bars, and what they add up to in lines. Fills at
        other hours are in no share; the figure then says how many.

    Raises
    ------
    DataError
        At the first fill that cannot be right.
    ValueError, TypeError
        If `title` or `fills` are not as above, or as `horizon.analytics.volume.volume_shares`
        does.

    Examples
    --------
    >>> figure = hz.figures.volume_profile({"09:00": 0.75, "10:00": 0.25})
    >>> shares, together = figure.data
    >>> [float(share) for share in shares.y], [float(share) for share in together.y]
    ([0.75, 0.25], [0.75, 1.0])
    """
    look = theme_named(theme)
    heading = plain(checks.text("title", title))
    done = fill_columns(() if fills is None else fills)
    times = done.times.astype("datetime64[ns]").astype(np.int64)
    shares = volume_shares(weights, times, done.quantities, timezone=timezone)
    page = Page(look)
    page.panel("y", "Share of the volume in each bucket", 260)
    page.axis("y", title={"text": "Share"}, tickformat=".1~%", rangemode="tozero")
    page.axis("x", anchor="y2", title={"text": f"Bucket begins at, {plain(timezone)}"})
    page.axis("x", type="category", showgrid=False, spikecolor=look.muted, spikethickness=1)
    page.panel("y2", "Share by the end of each bucket", 160)
    page.axis("y2", title={"text": "Share so far"}, tickformat=".0%", range=[0.0, 1.05])
    many = len(shares.starts) > _FEW
    outline = {
        "color": _CLEAR,
        "line": {"color": look.plan, "width": 1.5},
        "pattern": {"shape": "/", "fgcolor": look.plan, "bgcolor": _CLEAR, "size": 6},
    }
    drawn = [
        ("expected", shares.expected, shares.cumulative_expected, look.plan, "dash"),
        ("filled", shares.filled, shares.cumulative_filled, look.done, "solid"),
    ]
    traces: list[dict[str, Any]] = []
    said = [f"{start} to {end}" for start, end in zip(shares.starts, shares.ends, strict=True)]
    units = [said, shares.quantities.tolist()]
    for name, part, total, colour, dash in drawn if fills is not None else drawn[:1]:
        is_filled = name == "filled"
        quantity = " (%{customdata[1]:,.6~f} units)" if is_filled else ""
        shared = {"x": list(shares.starts), "name": name, "legendgroup": name}
        traces += [
            {
                **shared,
                "type": "bar",
                "y": part,
                "marker": {"color": colour} if is_filled or many else outline,
                "customdata": [list(row) for row in zip(*units, strict=True)],
                "hovertemplate": f"%{{customdata[0]}}: {name} %{{y:.2%}}{quantity}<extra></extra>",
            },
            {
                **shared,
                "type": "scatter",
                "mode": "lines" if many else "lines+markers",
                "y": total,
                "yaxis": "y2",
                "showlegend": False,
                "line": {"color": colour, "dash": dash, "width": 2},
                "customdata": list(shares.ends),
                "hovertemplate": f"By %{{customdata}}: {name} %{{y:.2%}}<extra></extra>",
            },
        ]
    figure = go.Figure(traces)
    figure.layout = {
        **page.layout(heading, _told(shares, fills is not None)),
        "barmode": "group",
        "bargap": 0.25,
        "bargroupgap": 0.0,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "showlegend": True,
        "legend": {
            "x": 1.0,
            "xanchor": "right",
            "y": page.share(page.depth_of("y")),
            "yanchor": "bottom",
        },
    }
    return figure


def _told(shares: VolumeShares, has_fills: bool) -> list[str]:
    count = len(shares.starts)
    text = f"{count} bucket{'' if count == 1 else 's'} from {shares.starts[0]} to {shares.ends[-1]}"
    if not has_fills:
        return [text]
    text += f", {amount(float(shares.quantities.sum()))} units filled"
    if not shares.outside_fills:
        return [text]
    left_out = f"{shares.outside_fills:,} fill{'' if shares.outside_fills == 1 else 's'}"
    return [text, f"Left out: {left_out} of {amount(shares.outside)} units at other hours"]
