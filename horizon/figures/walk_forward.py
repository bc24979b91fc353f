"""The windows of a walk-forward through time."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from horizon import checks, words
from horizon.figures.page import Page, hover_moment, stamps
from horizon.figures.searched import (
    Measure,
    Spans,
    counted,
    faint,
    legend_above,
    legend_rows,
    numbers_of,
    objective_of,
    of_each,
    reason_words,
    setting_words,
    spans_of,
)
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import plain

__all__ = ["windows_timeline"]

#: Up to so many windows there is room for words in each row, and for a mark at each start.
_FEW: Final = 40
#: Pixels of a row, at least and at most, and of all rows together before they become thin.
_ROW: Final = (4.0, 28.0)
_ROWS: Final = 900.0
#: Letters of a setting written into a bar.
_LETTERS: Final = 40
_DAY_NS: Final = 86_400_000_000_000


# ------------------------------------------------------------------------ windows
def windows_timeline(
    windows: Any,
    *,
    chosen: Sequence[Mapping[str, Any] | None] | None = None,
    scores: Sequence[float] | None = None,
    objective: str = "sharpe_ratio",
    flagged: Mapping[int, str] | None = None,
    embargo: float = 0.0,
    theme: str = "light",
    title: str = "Windows of the walk-forward",
) -> go.Figure:
    """Draw the windows of a walk-forward, a row each: training, purge, embargo and test.

    Parameters
    ----------
    windows : sequence of WalkForwardWindow
        Anything with ``train_start_ns``, ``train_end_ns``, ``test_start_ns`` and
        ``test_end_ns``.
    chosen : sequence of mapping or None, optional
        The parameters that each window has chosen, written into its training. None where the
        window was not finished: it is then drawn hollow.
    scores : sequence of float, optional
        What the chosen setting achieved in each test, shown beside it; NaN where it has none.
    objective : str
        What the scores are: the name of a metric, or any other name.
    flagged : mapping of int to str, optional
        By the window's number, why it should not be relied on.
    embargo : float
        Seconds at the beginning of a test that were run without orders.
    theme : {"light", "dark"}
    title : str

    Returns
    -------
    plotly.graph_objects.Figure
        As wide as its container, the first window on top.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or lengths differ.

    Examples
    --------
    >>> day = 86_400 * 10**9
    >>> windows = [
    ...     hz.walkforward.WalkForwardWindow(0, 0, 90 * day, 90 * day, 120 * day, False),
    ...     hz.walkforward.WalkForwardWindow(1, 0, 120 * day, 120 * day, 150 * day, True),
    ... ]
    >>> figure = hz.figures.windows_timeline(windows, chosen=[{"fast": 5}, {"fast": 8}])
    >>> print(figure.layout.title.subtitle.text)
    2 windows, tests of 30 d
    """
    look = theme_named(theme)
    measure = objective_of(objective)
    spans = spans_of(windows)
    names = numbers_of(windows, len(spans))
    marks = _flags(flagged, names)
    picked = of_each("chosen", chosen, len(spans))
    values = of_each("scores", scores, len(spans))
    held = round(checks.non_negative("embargo", embargo) * 1e9)
    page = Page(look)
    row = min(_ROW[1], max(_ROW[0], _ROWS / len(spans)))
    listed = ["training", "purged", "embargo", "test", *(["not to be relied on"] if marks else [])]
    page.depth += 20.0 * (legend_rows(listed) - 1)
    has_scores = values is not None and len(spans) <= _FEW
    above = 20.0 if has_scores else 0.0  # the name of the scores stands below the legend
    page.depth += above
    page.panel("y", "", max(60.0, row * len(spans)))
    _axes(page, spans, names, has_scores=has_scores)
    figure = go.Figure()
    told = [_said(names[i], spans, i, picked, values, marks, measure) for i in range(len(spans))]
    done = np.array([picked is None or picked[i] is not None for i in range(len(spans))])
    start_of_test = np.minimum(spans.test_start + held, spans.test_end)
    for name, begin, end, style in (
        ("training", spans.train_start, spans.train_end, {"color": faint(look.plan, 0.45)}),
        ("purged", spans.train_end, spans.test_start, _hatched(look.muted)),
        ("embargo", spans.test_start, start_of_test, _hatched(look.done)),
        ("test", start_of_test, spans.test_end, {"color": look.done}),
    ):
        figure.add_traces(_bars(name, begin, end, style, done, told, look))
    if picked is not None and len(spans) <= _FEW:
        _write_settings(figure, look, spans, picked)
    if values is not None and len(spans) <= _FEW:
        _write_scores(page, names, values, measure)
    if marks:
        figure.add_trace(_marked(look, spans, marks, told))
    lines = [_summary(spans, held)]
    if marks:
        lines.append(f"Marked with a cross: {counted(len(marks), 'window')} not to be relied on")
    if not done.all():
        lines.append(f"Hollow: {counted(int((~done).sum()), 'window')} not finished")
    figure.layout = {
        **page.layout(plain(checks.text("title", title)), lines),
        "barmode": "overlay",
        "bargap": 0.3 if row > 8.0 else 0.1,
        "hovermode": "closest",
        "showlegend": True,
        "uniformtext": {"minsize": 10, "mode": "hide"},
        "legend": legend_above(page, "y", above),
    }
    return figure


def _flags(flagged: Mapping[int, str] | None, names: Sequence[int]) -> dict[int, str]:
    """Reasons by a window's place."""
    if flagged is None:
        return {}
    if not isinstance(flagged, Mapping):
        raise TypeError(
            f"flagged must be a dictionary of reasons by window, was {checks.show(flagged)}"
        )
    for number in flagged:
        if number not in names:
            raise ValueError(
                f"flagged must be by the number of a window, which are {names[0]} to {names[-1]}; "
                f"had {checks.show(number)}"
            )
    return {
        place: reason_words(str(flagged[number]))
        for place, number in enumerate(names)
        if number in flagged
    }


def _axes(page: Page, spans: Spans, names: Sequence[int], *, has_scores: bool) -> None:
    count = len(spans)
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, count) if count <= 30 * size)
    ticks = list(range(0, count, step))
    page.axis(
        "y", title={"text": "Window"}, tickvals=ticks, ticktext=[f"{names[i]}" for i in ticks]
    )
    page.axis("y", range=[count - 0.5, -0.5], showgrid=False, zeroline=False, ticks="")
    times = np.concatenate([spans.train_start, spans.test_end])
    page.axis("x", type="date", title={"text": "Time, UTC"}, anchor="y")
    page.axis("x", hoverformat=hover_moment(times))
    first, last = int(times.min()), int(times.max())
    room = (last - first) or _DAY_NS
    ends = np.array([first - room // 80, last + room // (8 if has_scores else 80)])
    page.axis("x", range=ends.astype("datetime64[ns]").astype("datetime64[ms]").tolist())


def _hatched(colour: str) -> dict[str, Any]:
    return {
        "color": faint(colour, 0.12),
        "pattern": {"shape": "/", "fgcolor": colour, "bgcolor": faint(colour, 0.12), "size": 6},
    }


def _bars(
    name: str,
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    style: dict[str, Any],
    done: NDArray[np.bool_],
    told: Sequence[str],
    look: Theme,
) -> list[dict[str, Any]]:
    """One trace of bars for the windows that are finished, and a hollow one for the others."""
    found = []
    outline = {"color": "rgba(0,0,0,0)", "line": {"color": look.muted, "width": 1}}
    for is_done, marker in ((True, style), (False, outline)):
        rows = np.flatnonzero((end > begin) & (done == is_done))
        if not len(rows):
            continue
        found.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "legendgroup": name,
                "showlegend": is_done or not done.any(),
                "base": stamps(begin[rows]),
                "x": (end[rows] - begin[rows]) / 1e6,  # a length of time is in milliseconds
                "y": rows,
                "marker": {"line": {"width": 0}, **marker},
                "customdata": [
                    f"{told[i]}<br>{name}: {_stretch(int(begin[i]), int(end[i]))}"
                    for i in rows.tolist()
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    return found


def _write_settings(
    figure: go.Figure,
    look: Theme,
    spans: Spans,
    picked: Sequence[Mapping[str, Any] | None],
) -> None:
    """Write what each window has chosen at the end of its training."""
    figure.add_trace(
        {
            "type": "bar",
            "orientation": "h",
            "base": stamps(spans.train_start),
            "x": (spans.train_end - spans.train_start) / 1e6,
            "y": np.arange(len(spans)),
            "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
            "text": [_short(one) for one in picked],
            "textposition": "inside",
            "insidetextanchor": "end",
            "textangle": 0,
            "insidetextfont": {"color": look.ink, "size": 11},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    )


def _short(setting: Mapping[str, Any] | None) -> str:
    """Write as many parameters as a bar has room for; none where the first is too long."""
    if setting is None:
        return ""
    for most in range(len(setting), 0, -1):
        text = setting_words(setting, most=most)
        if len(html.unescape(text)) <= _LETTERS:
            return text
    return ""


def _write_scores(
    page: Page, names: Sequence[int], values: Sequence[float], measure: Measure
) -> None:
    """Write what was achieved in each test into a column at the right edge."""
    shared = {
        "x": 1.0,
        "xref": "paper",
        "xanchor": "right",
        "showarrow": False,
        "font": {"size": 12, "color": page.look.ink},
    }
    for place, value in enumerate(values):
        text = measure.say(float(value)) if np.isfinite(value) else words.MISSING
        page.annotations.append(
            {**shared, "text": text, "y": place, "yref": "y", "yanchor": "middle"}
        )
    page.annotations.append(
        {
            **shared,
            "text": f"{measure.label} in the test",
            "y": 1.0,
            "yref": "y domain",
            "yanchor": "bottom",
            "yshift": 4,
            "font": {"size": 12, "color": page.look.muted},
        }
    )


def _marked(
    look: Theme, spans: Spans, marks: Mapping[int, str], told: Sequence[str]
) -> dict[str, Any]:
    rows = np.array(list(marks), dtype=np.intp)
    middle = spans.test_start[rows] + (spans.test_end[rows] - spans.test_start[rows]) // 2
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "not to be relied on",
        "x": stamps(middle),
        "y": rows,
        "marker": {
            "symbol": "x",
            "size": 9,
            "color": look.ink,
            "line": {"width": 1.5, "color": look.paper},
        },
        "customdata": [told[i] for i in rows.tolist()],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _said(
    name: int,
    spans: Spans,
    place: int,
    picked: Sequence[Mapping[str, Any] | None] | None,
    values: Sequence[float] | None,
    marks: Mapping[int, str],
    measure: Measure,
) -> str:
    lines = [f"<b>Window {name}</b>"]
    setting = picked[place] if picked is not None else None
    if picked is not None:
        lines.append("not finished" if setting is None else f"chosen: {setting_words(setting)}")
    if values is not None and np.isfinite(values[place]):
        lines.append(f"{measure.label} in the test: {measure.say(float(values[place]))}")
    if place in marks:
        lines.append(f"not to be relied on: {marks[place]}")
    return "<br>".join(lines)


def _stretch(begin: int, end: int) -> str:
    """Write a stretch of time with its length."""
    days = not (begin % _DAY_NS or end % _DAY_NS)
    cut = 10 if days else 19
    first, last = (words.clock(checks.ns_to_seconds(ns), date=True)[:cut] for ns in (begin, end))
    return f"{first} to {last} ({words.duration(checks.ns_to_seconds(end - begin))})"


def _summary(spans: Spans, held: int) -> str:
    parts = [counted(len(spans), "window")]
    tests = spans.test_end - spans.test_start
    parts.append(f"tests of {_long(int(np.median(tests)))}")
    gap = int((spans.test_start - spans.train_end).max())
    if gap:
        parts.append(f"{_long(gap)} purged before each")
    if held:
        parts.append(f"the first {_long(held)} of each without orders")
    return ", ".join(parts)


def _long(ns: int) -> str:
    """Write a length of time by its two largest units."""
    return " ".join(words.duration(checks.ns_to_seconds(ns)).split()[:4])
