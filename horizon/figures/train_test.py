"""What each setting promised in training, and what it kept in the test."""

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
    called,
    chosen_of,
    counted,
    legend_above,
    matrix_of,
    objective_of,
    setting_words,
    settings_of,
)
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

__all__ = ["train_against_test"]

#: More points than these are drawn as a density.
_MOST: Final = 2_000
#: Cells of a density along each axis.
_CELLS: Final = 50
#: Windows whose chosen points have their number beside them.
_NAMED: Final = 20


def train_against_test(
    train: Any,
    test: Any,
    *,
    settings: Any,
    chosen: Sequence[int | None] | None = None,
    fit: tuple[float, float, float] | None = None,
    numbers: Sequence[int] | None = None,
    objective: str = "sharpe_ratio",
    theme: str = "light",
    title: str = "Training against test",
) -> go.Figure:
    """Draw what each setting achieved in each test against what it had achieved in training.

    Points on the diagonal kept what they promised. A cloud without a slope says that training
    tells nothing of the test, and so that choosing by it is choosing by chance.

    Parameters
    ----------
    train, test : array_like of float, shape (n_windows, n_settings)
        The objective; NaN where there is none.
    settings : sequence of mapping
        Parameters of each setting, told at its points.
    chosen : sequence of int or None, optional
        By window, the index of the setting it has chosen: drawn large.
    fit : (slope, intercept, r2), optional
        The regression of test on training, as it was worked out elsewhere.
    numbers : sequence of int, optional
        What the windows are called, by default from 0.
    objective : str
        What the values are: the name of a metric, or any other name.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container. More than 2,000 points are drawn as a density; what was chosen
        is always drawn.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    In both windows the setting that was best in training was the worse one in the test.

    >>> figure = hz.figures.train_against_test(
    ...     [[0.5, 1.0], [0.2, 0.8]],
    ...     [[0.4, 0.1], [0.3, 0.2]],
    ...     settings=[{"fast": 1}, {"fast": 2}],
    ...     chosen=[1, 1],
    ... )
    >>> chosen = figure.data[-1]
    >>> [float(x) for x in chosen.x], [float(y) for y in chosen.y]
    ([1.0, 0.8], [0.1, 0.2])
    """
    look = theme_named(theme)
    measure = objective_of(objective)
    listed = settings_of(settings)
    first = matrix_of("train", train, len(listed))
    second = matrix_of("test", test, len(listed))
    if first.shape != second.shape:
        raise ValueError(
            f"train and test must have one shape, had {first.shape} and {second.shape}"
        )
    picked = chosen_of(chosen, len(first), len(listed))
    line = None if fit is None else _fit_of(fit)
    page = Page(look)
    page.depth += 20.0  # the legend has two rows where the figure is 700 pixels wide
    page.panel("y", "", 420)
    page.axis("x", title={"text": f"{measure.label} in training"}, tickformat=measure.tick_format)
    page.axis("y", title={"text": f"{measure.label} in the test"}, tickformat=measure.tick_format)
    for axis in ("x", "y"):
        page.axis(axis, zeroline=True, zerolinecolor=look.muted, zerolinewidth=1)
    has = np.isfinite(first) & np.isfinite(second)
    rows, columns = np.nonzero(has)
    x, y = first[has], second[has]
    is_chosen = picked[rows] == columns
    traces: list[dict[str, Any]] = []
    if len(x):
        # As far as training goes: tests are short, and spread much further.
        ends = (float(x.min()), float(x.max()))
        traces.append(_line_of("as in training", ends, ends, look.muted, "dash"))
    else:
        page.say("x", "y", "No setting has both a training and a test to compare.", alone=False)
        traces.append(nothing("x", "y"))
    rest = np.flatnonzero(~is_chosen)
    told = _Told(listed, measure, np.array(called(numbers, len(first)))[rows], columns, x, y)
    if len(x) > _MOST:
        traces.append(_density(look, measure, x, y))
    elif len(rest):
        traces.append(_points(told, rest, "a setting in a window", _small(look)))
    if line is not None and len(x):
        heights = (line[1] + line[0] * ends[0], line[1] + line[0] * ends[1])
        traces.append(_line_of("regression", ends, heights, look.reference, "solid"))
    best = np.flatnonzero(is_chosen)
    if len(best):
        marker = {
            "symbol": "diamond",
            "size": 11 if len(best) <= _NAMED else 7,
            "color": look.done,
            "line": {"width": 1, "color": look.paper},
        }
        trace = _points(told, best, "what the window chose", marker)
        if len(best) <= _NAMED:
            trace |= {
                "mode": "markers+text",
                "text": [f"{row}" for row in told.rows[best].tolist()],
                "textposition": "top center",
                "textfont": {"size": 12, "color": look.ink},
                "cliponaxis": False,
            }
        traces.append(trace)
    figure = go.Figure()
    figure.add_traces(traces)
    figure.layout = {
        **page.layout(
            plain(checks.text("title", title)), _lines(has, best, line, len(best) <= _NAMED)
        ),
        "hovermode": "closest",
        "showlegend": True,
        "legend": legend_above(page, "y"),
    }
    return figure


def _fit_of(fit: Any) -> tuple[float, float, float]:
    if not isinstance(fit, (tuple, list)) or len(fit) != 3:
        raise TypeError(f"fit must be (slope, intercept, r2), was {checks.show(fit)}")
    slope, intercept, r2 = (checks.number("fit", value) for value in fit)
    return slope, intercept, r2


class _Told:
    """What is told at each point: its window, its setting and both numbers."""

    def __init__(
        self,
        settings: Sequence[Any],
        measure: Measure,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
    ) -> None:
        self.settings, self.measure = settings, measure
        self.rows, self.columns = rows, columns
        self.x, self.y = x, y

    def of(self, point: int) -> str:
        say = self.measure.say
        return (
            f"<b>Window {self.rows[point]}</b>: "
            f"{setting_words(self.settings[self.columns[point]])}<br>"
            f"training {say(float(self.x[point]))}, test {say(float(self.y[point]))}"
        )


def _points(
    told: _Told, kept: NDArray[np.intp], name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": told.x[kept],
        "y": told.y[kept],
        "marker": marker,
        "customdata": [told.of(point) for point in kept.tolist()],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _small(look: Theme) -> dict[str, Any]:
    return {"size": 6, "color": look.plan, "opacity": 0.55, "line": {"width": 0}}


def _line_of(
    name: str, x: tuple[float, float], y: tuple[float, float], colour: str, dash: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "dash": dash, "width": 1.5 if dash == "dash" else 2.5},
        "hoverinfo": "skip",
    }


def _density(
    look: Theme, measure: Measure, x: NDArray[np.float64], y: NDArray[np.float64]
) -> dict[str, Any]:
    counts, across, up = np.histogram2d(x, y, bins=_CELLS)
    return {
        "type": "heatmap",
        "name": "settings in windows",
        "x": across,
        "y": up,
        # Empty cells are the paper, as if nothing were drawn.
        "z": np.where(counts > 0.0, counts, np.nan).T,
        "colorscale": [list(step) for step in look.sequential],
        "hoverongaps": False,
        "colorbar": {
            "title": {"text": "Settings in windows", "side": "right", "font": {"size": 13}},
            "thickness": 12,
            "outlinewidth": 0,
            "tickformat": ",~d",
        },
        "hovertemplate": f"training near %{{x:{measure.hover_format}}}, test near "
        f"%{{y:{measure.hover_format}}}: %{{z:,}}<extra></extra>",
    }


def _lines(
    has: NDArray[np.bool_],
    best: NDArray[np.intp],
    fit: tuple[float, float, float] | None,
    are_named: bool,
) -> list[str]:
    """The subtitle: what is drawn, what is missing, and what the regression says."""
    drawn, whole = int(has.sum()), has.size
    first = (
        f"{counted(drawn, 'point')}: {counted(has.shape[1], 'setting')} in "
        f"{counted(has.shape[0], 'window')}"
    )
    if drawn < whole:
        first += f", {whole - drawn:,} left out without a number in training or test"
    lines = [first]
    if fit is not None:
        slope, intercept, r2 = (f"{value:.3g}".replace("-", "−") for value in fit)
        sign = "+" if fit[1] >= 0.0 else "−"
        lines.append(
            f"Regression: test = {slope} × training {sign} {intercept.lstrip('−')}, R² {r2}"
        )
    if len(best) and are_named:
        lines.append("The number at a diamond is that of its window")
    return lines
