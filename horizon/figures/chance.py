"""All trials of a search, and what chance alone would have reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from horizon import checks
from horizon.figures.page import Page, nothing
from horizon.figures.searched import (
    Measure,
    chosen_of,
    counted,
    matrix_of,
    objective_of,
    setting_words,
    settings_of,
)
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

__all__ = ["trials"]

#: Trials with a mark of their own, the highest.
_MOST: Final = 2_000
#: Bars of a distribution at most.
_BARS: Final = 40
#: Counts up to this have a label each.
_FEW: Final = 5
#: Values apart by no more than this, of 1 or of the largest, are one value: rounding.
_SAME: Final = 1e-9


def trials(
    values: Any,
    *,
    settings: Any = None,
    threshold: float | None = None,
    needed: float | None = None,
    deflated: float | None = None,
    chosen: int | None = None,
    objective: str = "sharpe_ratio",
    theme: str = "light",
    title: str = "All trials",
) -> go.Figure:
    """Draw how the trials of a search are distributed, and what chance alone would have reached.

    Parameters
    ----------
    values : array_like of float, shape (n_settings,)
        The Sharpe ratio of each setting over the whole span; NaN where there is none.
    settings : sequence of mapping, optional
        Parameters of each setting, told at its mark.
    threshold : float, optional
        What the best of as many trials without any edge is expected to reach, in the unit of
        `values`: the threshold of the deflated Sharpe ratio. Half of all searches without an
        edge lie above it.
    needed : float, optional
        What the best has to be above to be more than chance, in the unit of `values`.
    deflated : float, optional
        The deflated Sharpe ratio of the best: the probability that it is above the threshold
        for another reason than chance, 0 to 1.
    chosen : int, optional
        The index of the trial to mark, by default that of the highest value.
    objective : str
        What the values are: the name of a metric, or any other name.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container: the distribution, and below it each trial. Of more than 2,000
        trials the highest 2,000 have a mark of their own, and the figure says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> figure = hz.figures.trials([0.5, 1.5, -0.2], threshold=1.0)
    >>> print(figure.layout.title.subtitle.text.replace("<br>", "; "))
    3 trials; The best is above what the best of 3 without an edge reaches on average
    """
    look = theme_named(theme)
    measure = objective_of(objective)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"values must be one for each setting, had the shape {array.shape}")
    if len(array):
        matrix_of("values", array, len(array))
    listed = None if settings is None else settings_of(settings)
    if listed is not None and len(listed) != len(array):
        raise ValueError(
            f"settings must be one for each of {len(array):,} values, had {len(listed):,}"
        )
    limit = None if threshold is None else checks.number("threshold", threshold)
    bound = None if needed is None else checks.number("needed", needed)
    share = None if deflated is None else _share("deflated", deflated)
    has = np.flatnonzero(np.isfinite(array))
    picked = chosen_of([chosen], 1, len(array))[0]
    if picked < 0 and len(has):
        picked = has[int(array[has].argmax())]
    page = Page(look)
    page.panel("y", "How often", 240)
    page.axis("y", title={"text": "Trials"}, tickformat=",~d", rangemode="tozero")
    page.panel("y2", "Each trial", 60)
    page.axis("y2", showticklabels=False, showgrid=False, zeroline=False, range=[-1, 1], ticks="")
    page.axis("x", anchor="y2", title={"text": f"{measure.label} over the whole span"})
    page.axis("x", tickformat=measure.tick_format)
    page.axis("x", zeroline=True, zerolinecolor=look.muted, zerolinewidth=1)
    lines = [_counted_trials(len(has), len(array))]
    figure = go.Figure()
    if not len(has):
        page.say("x", "y", "No trial has a number.")
        figure.add_traces([nothing("x", "y"), nothing("x", "y2")])
    else:
        figure.add_traces(_distribution(page, look, measure, array[has]))
        lines += _each_trial(figure, look, measure, array, has, listed, int(picked))
        _limits(page, look, measure, array, has, (limit, bound), int(picked))
    if (limit, bound) != (None, None) and len(has) and np.isfinite(array[picked]):
        lines.append(_verdict(measure, float(array[picked]), len(has), limit, bound, share))
    figure.layout = {
        **page.layout(plain(checks.text("title", title)), lines),
        "hovermode": "closest",
        "bargap": 0.02,
        "showlegend": False,
    }
    return figure


def _share(name: str, value: object) -> float:
    share = checks.number(name, value)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{name} must be a probability from 0 to 1, was {checks.show(value)}")
    return share


def _counted_trials(drawn: int, whole: int) -> str:
    said = counted(whole, "trial")
    return said if drawn == whole else f"{said}, {whole - drawn:,} left out without a number"


def _distribution(
    page: Page, look: Theme, measure: Measure, values: NDArray[np.float64]
) -> list[dict[str, Any]]:
    if values.max() - values.min() <= _SAME * max(1.0, float(np.abs(values).max())):
        page.say(
            "x",
            "y",
            f"{'The only trial has' if len(values) == 1 else f'All {len(values):,} trials have'} "
            f"{measure.say(float(values[0]))}.",
            alone=False,
        )
        page.axis("y", showticklabels=False, showgrid=False, ticks="")
        return [nothing("x", "y")]
    bars = min(_BARS, max(5, int(np.ceil(2.0 * np.cbrt(len(values))))))
    counts, edges = np.histogram(values, bins=bars)
    if counts.max() <= _FEW:
        page.axis("y", dtick=1)
    page.axis("y", range=[0.0, 1.3 * float(counts.max())])  # words stand above the bars
    low, high = edges[:-1], edges[1:]
    return [
        {
            "type": "bar",
            "name": "trials",
            "x": low + (high - low) / 2.0,
            "y": counts,
            "width": high - low,
            "marker": {"color": look.plan, "line": {"width": 0.5, "color": look.paper}},
            "customdata": np.column_stack([low, high]),
            "hovertemplate": f"%{{customdata[0]:{measure.hover_format}}} to "
            f"%{{customdata[1]:{measure.hover_format}}}: %{{y:,}}<extra></extra>",
        }
    ]


def _each_trial(
    figure: go.Figure,
    look: Theme,
    measure: Measure,
    values: NDArray[np.float64],
    has: NDArray[np.intp],
    settings: Sequence[Any] | None,
    picked: int,
) -> list[str]:
    """Draw a stroke for each trial; return what there is to say of it."""
    ordered = has[np.argsort(values[has], kind="stable")]
    kept = ordered[-_MOST:]

    def told(one: int) -> str:
        name = f"Setting {one}" if settings is None else setting_words(settings[one])
        return f"{name}<br>{measure.label} {measure.say(float(values[one]))}"

    for some, marker in (
        (kept, {"symbol": "line-ns", "size": 22, "line": {"width": 1.5, "color": look.plan}}),
        (
            np.array([picked] if np.isfinite(values[picked]) else [], dtype=np.intp),
            {
                "symbol": "diamond",
                "size": 11,
                "color": look.done,
                "line": {"width": 1, "color": look.paper},
            },
        ),
    ):
        figure.add_trace(
            {
                "type": "scatter",
                "mode": "markers",
                "x": values[some],
                "y": np.zeros(len(some)),
                "yaxis": "y2",
                "marker": {"opacity": 1.0, **marker},
                "customdata": [told(one) for one in some.tolist()],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    if len(kept) < len(ordered):
        return [f"Drawn below: the highest {len(kept):,} of {len(ordered):,} trials"]
    return []


def _limits(
    page: Page,
    look: Theme,
    measure: Measure,
    values: NDArray[np.float64],
    has: NDArray[np.intp],
    limits: tuple[float | None, float | None],
    picked: int,
) -> None:
    """Draw the best, what luck gives on average, and what is needed, each with its words."""
    limit, bound = limits
    marks = []
    if np.isfinite(values[picked]):
        value = float(values[picked])
        marks.append((value, f"best {measure.say(value)}", look.done, "solid", 1.0))
    if limit is not None:
        marks.append((limit, f"luck on average {measure.say(limit)}", look.reference, "dash", 0.88))
    if bound is not None:
        marks.append((bound, f"needed {measure.say(bound)}", look.muted, "solid", 0.76))
    every = [*values[has].tolist(), *(mark[0] for mark in marks)]
    low, high = min(every), max(every)
    room = (high - low) or max(1.0, abs(high))
    page.axis("x", range=[low - 0.06 * room, high + 0.06 * room])
    for value, words, colour, dash, height in marks:
        page.upright("x", "y", value, color=colour, width=2, dash=dash)
        is_left = value - low < 0.5 * (high - low)
        page.annotations.append(
            {
                "text": words,
                "x": value,
                "y": height,
                "xref": "x",
                "yref": "y domain",
                "xanchor": "left" if is_left else "right",
                "yanchor": "top",
                "xshift": 5 if is_left else -5,
                "showarrow": False,
                "bgcolor": look.paper,
                "opacity": 0.9,
                "font": {"size": 12, "color": colour},
            }
        )


def _verdict(
    measure: Measure,
    best: float,
    count: int,
    limit: float | None,
    bound: float | None,
    deflated: float | None,
) -> str:
    """Say whether the best is more than chance would have reached."""
    if bound is not None:
        side = "above" if best > bound else "not above"
        said = f"The best is {side} what is needed to be more than luck"
    else:
        assert limit is not None
        side = "above" if best > limit else "not above"
        said = f"The best is {side} what the best of {count:,} without an edge reaches on average"
    if count == 1 and limit is not None:
        said += f"; one trial: luck gives {measure.say(limit)} on average"
    if deflated is not None:
        said += f", deflated Sharpe ratio {deflated:.1%}".replace("%", " %")
    return said
