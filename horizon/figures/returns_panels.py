"""The panels of a tearsheet that show its returns: months, distribution, means by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from horizon.figures.page import TICKS, Page, nothing
from horizon.figures.words import period_word
from horizon.words import MONTHS, WEEKDAYS

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["by_clock", "distribution", "months"]

Traces = list[dict[str, Any]]

_ROW: Final = 24
#: Where the column of years stands, a little apart from the months.
_YEAR_AT: Final = 12.2
#: So many returns have a worst 5 %.
_ENOUGH: Final = 20
#: How much higher than the bars the panel is, where it has words of two lines above them.
_ABOVE: Final = 1.25
#: Counts up to this have a label each.
_FEW: Final = 5


def months(page: Page, sheet: Tearsheet) -> Traces:
    """Draw the table of months and years (axes 4): a number in each cell, tinted by its size."""
    look = page.look
    table = sheet.monthly_table
    years = [str(year) for year in table.index]
    page.panel("y4", "Returns by month and year, %", max(2, len(years)) * _ROW)
    names = [*MONTHS, "Year"]
    bare = {"ticks": "", "showgrid": False, "showline": False, "zeroline": False}
    page.axis(
        "x4",
        showspikes=False,
        anchor="y4",
        tickvals=[*range(12), _YEAR_AT],
        ticktext=names,
        **bare,
    )
    page.axis("y4", anchor="x4", tickvals=list(range(len(years))), ticktext=years, **bare)
    page.axis("x4", range=[-0.5, _YEAR_AT + 0.5], tickangle=0)
    page.axis("y4", range=[max(1, len(years) - 1) + 0.5, -0.5])
    page.depth += TICKS
    if not years:
        page.say("x4", "y4", "No month with a return.")
        return [nothing("x4", "y4")]
    cells = np.asarray(table, dtype=np.float64)
    rows = np.arange(len(years) + 1) - 0.5
    traces: Traces = []
    # Months and years have a scale each: on one, either would be pale or all alike.
    for columns, edges in (
        (slice(0, 12), np.arange(13) - 0.5),
        (slice(12, 13), np.array([_YEAR_AT - 0.5, _YEAR_AT + 0.5])),
    ):
        part = cells[:, columns]
        most = float(np.nanmax(np.abs(part), initial=0.0)) or 1.0
        traces.append(
            {
                "type": "heatmap",
                "x": edges,
                "y": rows,
                "z": part,
                "zmin": -most,
                "zmax": most,
                "colorscale": [list(step) for step in look.diverging],
                "showscale": False,
                "hoverongaps": False,
                "xgap": 2,
                "ygap": 2,
                "text": [[_cell(value) for value in row] for row in part.tolist()],
                "texttemplate": "%{text}",
                "textfont": {"color": look.ink, "size": 12},
                "customdata": [
                    [f"{name} {year}".removeprefix("Year ") for name in names[columns]]
                    for year in years
                ],
                "hovertemplate": "%{customdata}: %{z:+.2%}<extra></extra>",
                "xaxis": "x4",
                "yaxis": "y4",
                "name": "by month" if part.shape[1] > 1 else "by year",
            }
        )
    return traces


def distribution(page: Page, sheet: Tearsheet) -> Traces:
    """Draw how often each return was (axes 5), on the left half of the page."""
    look = page.look
    period = sheet.sampling.period
    each = "" if period == "point" else f"{sheet.sampling.each} "
    kinds = period_word(period)
    page.panel("y5", f"Distribution of {each}returns", 200)
    page.axis("x5", showspikes=False, anchor="y5", domain=[0.0, 0.43])
    page.axis("x5", title={"text": "Return"}, tickformat=".3~%")
    page.axis("y5", anchor="x5", title={"text": kinds.capitalize()}, tickformat=",~d")
    edges, counts = sheet.histogram
    if len(counts) < 2:
        several = (
            f"All {len(sheet.returns):,} returns" if len(sheet.returns) > 1 else "The only return"
        )
        verb = "are" if len(sheet.returns) > 1 else "is"
        alike = f"{several} {verb} {_percent(float(sheet.returns[0]))}." if len(counts) else ""
        page.say("x5", "y5", alike or "No return yet.")
        return [nothing("x5", "y5")]
    if counts.max() <= _FEW:
        page.axis("y5", dtick=1)  # halves of a day would be written as whole ones
    low, high = edges[:-1], edges[1:]
    colours = np.where(high <= 0.0, look.loss, np.where(low >= 0.0, look.gain, look.muted))
    bars = {
        "type": "bar",
        "name": "returns",
        "x": low + (high - low) / 2.0,
        "y": counts,
        "width": high - low,
        "marker": {"color": colours.tolist(), "line": {"width": 0.5, "color": look.paper}},
        "customdata": np.column_stack([low, high]),
        "hovertemplate": "%{customdata[0]:.2%} to %{customdata[1]:.2%}: %{y:,} "
        f"{kinds}<extra></extra>",
        "showlegend": False,
        "xaxis": "x5",
        "yaxis": "y5",
    }
    page.upright("x5", "y5", 0.0, below=True, color=look.ink, width=1)
    if len(sheet.returns) >= _ENOUGH:
        _value_at_risk(page, sheet, float(edges[0]), float(edges[-1]))
    return [bars]


def _value_at_risk(page: Page, sheet: Tearsheet, low: float, high: float) -> None:
    look = page.look
    value = sheet.metrics.value_at_risk_95
    page.upright("x5", "y5", value, color=look.loss, width=1.5, dash="dash")
    # The words stand above the bars.
    page.axis("y5", range=[0.0, _ABOVE * float(sheet.histogram[1].max())])
    is_left = value - low < 0.3 * (high - low)  # no room for words on that side
    page.annotations.append(
        {
            "text": f"5 % of {period_word(sheet.sampling.period)}<br>below {_percent(value)}",
            "x": value,
            "y": 1.0,
            "xref": "x5",
            "yref": "y5 domain",
            "xanchor": "left" if is_left else "right",
            "yanchor": "top",
            "align": "left" if is_left else "right",
            "xshift": 4 if is_left else -4,
            "showarrow": False,
            "bgcolor": look.paper,
            "opacity": 0.9,
            "font": {"size": 12, "color": look.ink},
        }
    )


def by_clock(page: Page, sheet: Tearsheet) -> Traces:
    """Draw mean returns by hour, weekday or month of the year (axes 6), beside the panel before."""
    look = page.look
    by, means = _slots_of(sheet)
    page.beside("y6", f"Mean return by {by.name}", 0.59)
    page.axis("x6", showspikes=False, anchor="y6", domain=[0.59, 1.0], showgrid=False)
    page.axis("x6", title={"text": f"{by.name[0].upper()}{by.name[1:]}, UTC"})
    page.axis("y6", anchor="x6", title={"text": "Mean return"}, tickformat=".3~%")
    if not means:
        page.say("x6", "y6", "No return yet.")
        return [nothing("x6", "y6")]
    slots = sorted(means)
    values = np.array([means[slot] for slot in slots], dtype=np.float64)
    if not values.any():
        page.axis("y6", range=[-0.01, 0.01])
        page.say("x6", "y6", "All means are 0 %.", alone=False, height=0.75)
    page.axis("x6", **by.axis)
    bars = {
        "type": "bar",
        "name": "mean return",
        "x": [by.places[slot] for slot in slots],
        "y": values,
        "marker": {"color": [look.loss if v < 0.0 else look.gain for v in values.tolist()]},
        "customdata": [by.said[slot] for slot in slots],
        "hovertemplate": "%{customdata}: %{y:+.4%} on average<extra></extra>",
        "showlegend": False,
        "xaxis": "x6",
        "yaxis": "y6",
    }
    page.axis("y6", zeroline=True, zerolinecolor=look.muted, zerolinewidth=1)
    return [bars]


class _Slots(NamedTuple):
    """What means are compared by: its name, and by number where each stands and what it is."""

    name: str
    places: Mapping[int, Any]
    said: Mapping[int, str]
    axis: dict[str, Any]


_HOURS: Final = _Slots(
    "hour of day",
    {hour: hour for hour in range(24)},
    {hour: f"{hour:02d}:00 to {hour + 1:02d}:00" for hour in range(24)},
    {"tickmode": "array", "tickvals": list(range(0, 24, 3)), "range": [-0.7, 23.7]},
)
_WEEKDAYS: Final = _Slots(
    "weekday", {day: word[:3] for day, word in enumerate(WEEKDAYS)}, dict(enumerate(WEEKDAYS)), {}
)
#: By their initials: a figure of 700 pixels has no room for more.
_MONTHS: Final = _Slots(
    "month of the year",
    {month: month for month in range(1, 13)},
    dict(enumerate(MONTHS, 1)),
    {
        "tickmode": "array",
        "tickvals": list(range(1, 13)),
        "ticktext": [word[0] for word in MONTHS],
        "tickangle": 0,
        "range": [0.3, 12.7],
    },
)


def _slots_of(sheet: Tearsheet) -> tuple[_Slots, dict[int, float]]:
    """Choose what has several slots that each return can be told of."""
    if sheet.is_intraday:
        return _HOURS, sheet.time_of_day
    if sheet.sampling.period in ("week", "month"):
        return _MONTHS, sheet.by_month
    return _WEEKDAYS, sheet.by_weekday


def _cell(value: float) -> str:
    """Write a return into a cell: percent to one decimal, without the sign of percent."""
    if np.isnan(value):
        return ""
    percent = value * 100.0
    shown = f"{abs(percent):,.{1 if abs(percent) < 999.5 else 0}f}"
    return f"−{shown}" if percent < 0.0 and shown != "0.0" else shown


def _percent(value: float) -> str:
    """Write a return with as many decimals as it takes to see it."""
    places = 1 if abs(value) >= 0.001 or not value else 4
    return f"{value:.{places}%}".replace("-", "−").replace("%", " %")
