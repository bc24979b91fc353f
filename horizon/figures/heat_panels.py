"""The panels of a heat map by parameters: cells, points, gaps, frames and colours."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from horizon.figures.page import TICKS, Page
from horizon.figures.parameters import Parameter
from horizon.figures.searched import NOT_RUN, Measure, counted, faint, setting_words
from horizon.figures.themes import Theme
from horizon.figures.words import plain

__all__ = ["Drawing"]

#: The part of a figure of 700 pixels that panels share, and the gap between two of them.
_WIDE: Final = 530.0
_GAP: Final = 0.09
#: Letters of a heading beside its window's number, by the number of columns.
_LETTERS: Final = {1: 60, 2: 20, 3: 8}
#: Pixels of a cell that has room for a number.
_ROOM: Final = (38.0, 17.0)
#: A search that fills less of its grid than this is drawn as points.
_FILLED: Final = 0.5
#: Values that span more than this factor are drawn on a logarithmic axis.
_DECADES: Final = 100.0


class Drawing:
    """One figure on its way to paper."""

    def __init__(
        self,
        look: Theme,
        measure: Measure,
        settings: list[Mapping[str, Any]],
        parameters: Sequence[Parameter],
        values: NDArray[np.float64],
        chosen: NDArray[np.intp],
        reasons: Mapping[tuple[int, int], str],
        names: Sequence[int],
        across: Parameter,
        down: Parameter | None,
        row_name: str = "window",
    ) -> None:
        self.look, self.measure = look, measure
        self.row_name, self.row_title = row_name, row_name[:1].upper() + row_name[1:]
        self.settings, self.parameters = settings, parameters
        self.values = values
        self.chosen, self.reasons = chosen, reasons
        self.names = names
        self.across, self.down = across, down
        self.page = Page(look)
        self.traces: list[dict[str, Any]] = []
        self.gaps: dict[str, int] = {}
        #: Pixels of the panel that is being drawn, in a figure of 700.
        self._width, self._height = _WIDE, 0.0

    # -------------------------------------------------------------------- what to draw
    def is_grid(self) -> bool:
        """Whether most pairs of values have been tried, with the others as they are held."""
        assert self.down is not None
        wanted = _FILLED * len(self.across) * len(self.down)
        for best in set(np.maximum(self.chosen, 0).tolist()):
            kept = self._held_with(best)
            pairs = zip(self.across.at[kept].tolist(), self.down.at[kept].tolist(), strict=True)
            if len(set(pairs)) < wanted:
                return False
        return True

    def by_window(self, rows: Sequence[int]) -> None:
        """One parameter: a row of cells for each window."""
        cells = np.full((len(rows), len(self.across)), -1, dtype=np.intp)
        for place, row in enumerate(rows):
            for setting in self._slice(row):
                cells[place, self.across.at[setting]] = setting
        labels = [f"{self.names[row]}" for row in rows]
        self._height = min(480.0, max(60.0, 24.0 * len(rows)))
        self.page.panel("y", f"By {self.row_name}", self._height)
        self._heat("", cells, rows, labels, self.row_name)
        self.page.axis("y", title={"text": self.row_title}, autorange="reversed")
        self.page.axis("x", title={"text": plain(self.across.name)})
        for place, row in enumerate(rows):
            if self.chosen[row] >= 0:
                self._frame("", self.across.at[self.chosen[row]], place)

    def cells(self, rows: Sequence[int], down: Parameter) -> None:
        """Two parameters: a map for each window."""
        high = 380.0 if len(rows) == 1 else 170.0
        height = min(high, max(70.0, (26.0 if len(rows) == 1 else 20.0) * len(down)))
        for number, row in enumerate(rows):
            key = self._place(number, row, len(rows), height)
            cells = np.full((len(down), len(self.across)), -1, dtype=np.intp)
            for setting in self._slice(row):
                cells[down.at[setting], self.across.at[setting]] = setting
            self._heat(key, cells, [row] * len(down), down.labels, plain(down.name))
            self._name_axes(key, number, len(rows))
            if self.chosen[row] >= 0:
                best = self.chosen[row]
                self._frame(key, self.across.at[best], int(down.at[best]))

    def points(self, rows: Sequence[int], down: Parameter) -> None:
        """Two parameters, sparsely tried: each setting is a point."""
        height = 380.0 if len(rows) == 1 else 170.0
        for number, row in enumerate(rows):
            key = self._place(number, row, len(rows), height)
            values = self.values[row]
            places = [self._line(key, "x", self.across), self._line(key, "y", down)]
            told = [
                f"{self.row_title} {self.names[row]}: {setting_words(one)}<br>"
                f"{self._result(row, i)}"
                for i, one in enumerate(self.settings)
            ]
            has = np.isfinite(values)
            few = len(self.settings) <= 200
            for kept, marker in (
                (~has, {"color": self.look.muted, "symbol": "x-thin-open", "size": 6}),
                (
                    has,
                    {
                        "color": values[has],
                        "coloraxis": "coloraxis",
                        "size": 10 if few else 6,
                        "line": {"width": 0.75 if few else 0, "color": self.look.muted},
                    },
                ),
            ):
                self._scatter(key, places, np.flatnonzero(kept), marker, told)
            if self.chosen[row] >= 0:
                ring = {
                    "symbol": "circle-open",
                    "size": 16,
                    "color": self.look.ink,
                    "line": {"width": 2},
                }
                self._scatter(key, places, self.chosen[row : row + 1], ring, None)
            self._count_gaps(row, np.flatnonzero(~has))
            self._name_axes(key, number, len(rows))

    def told(self, rows: Sequence[int]) -> str:
        """Say what is in the figure and what is missing in it."""
        parts = [f"{counted(len(self.settings), 'setting')} in {counted(len(rows), self.row_name)}"]
        if (self.chosen[list(rows)] >= 0).any():
            parts.append("framed: what was chosen")
        if self.gaps:
            gaps = [f"{count:,} {reason}" for reason, count in self.gaps.items()]
            parts.append(f"grey: {', '.join(gaps)}")
        return ", ".join(parts)

    # -------------------------------------------------------------------- parts
    def _slice(self, row: int) -> NDArray[np.intp]:
        """The settings that have the chosen values of every parameter off the axes."""
        return self._held_with(max(int(self.chosen[row]), 0))

    def _held_with(self, best: int) -> NDArray[np.intp]:
        kept = np.ones(len(self.settings), dtype=bool)
        for one in self.parameters:
            if one.name not in (self.across.name, self.down.name if self.down else None):
                kept &= one.at == one.at[best]
        return np.flatnonzero(kept)

    def held(self, row: int) -> str:
        """Say at what the other parameters are held."""
        drawn = (self.across.name, self.down.name if self.down else None)
        best = self.settings[max(int(self.chosen[row]), 0)]
        varying = {one.name for one in self.parameters if len(one) > 1}
        others = {k: v for k, v in best.items() if k not in drawn and str(k) in varying}
        return setting_words(others) if others else ""

    def _place(self, number: int, row: int, count: int, height: float) -> str:
        """Find room for the panel of a window; return the ending of its axes."""
        columns = 1 if count == 1 else 2 if count in (2, 4) else 3
        column = number % columns
        key = "" if number == 0 else f"{number + 1}"
        width = (1.0 - _GAP * (columns - 1)) / columns
        start = column * (width + _GAP)
        held = self.held(row)
        heading = f"{self.row_title} {self.names[row]}"
        if held and self.is_grid() and len(html.unescape(held)) <= _LETTERS[columns]:
            heading += f", {held}"
        if column == 0:
            if number:
                self.page.depth += TICKS + 22
            self.page.panel(f"y{key}", heading, height)
        else:
            self.page.beside(f"y{key}", heading, start)
        self.page.axis(f"x{key}", anchor=f"y{key}", domain=[start, min(1.0, start + width)])
        self.page.axis(f"y{key}", anchor=f"x{key}")
        self._width = width * _WIDE
        self._height = height
        return key

    def _name_axes(self, key: str, number: int, count: int) -> None:
        """Write the parameters below the panels and left of the first column."""
        assert self.down is not None
        columns = 1 if count == 1 else 2 if count in (2, 4) else 3
        self.page.axis(f"x{key}", title={"text": plain(self.across.name), "standoff": 4})
        if number % columns == 0:
            self.page.axis(f"y{key}", title={"text": plain(self.down.name)})
        else:
            self.page.axis(f"y{key}", showticklabels=False, ticks="")
        if number:  # one scale, as the labels of the first column are those of all
            self.page.axis(f"y{key}", matches="y")

    def _heat(
        self,
        key: str,
        cells: NDArray[np.intp],
        windows: Sequence[int],
        labels: Sequence[str],
        name: str,
    ) -> None:
        """Draw cells of settings; those without a number in grey, with what they lack."""
        width, height = self._width / cells.shape[1], self._height / len(cells)
        is_roomy = width >= _ROOM[0] and height >= _ROOM[1]
        row_of = np.array(windows)[:, None]
        z = np.where(cells >= 0, self.values[row_of, np.maximum(cells, 0)], np.nan)
        shared = {
            "type": "heatmap",
            "x": self.across.labels,
            "y": list(labels),
            "xaxis": f"x{key}",
            "yaxis": f"y{key}",
            "xgap": 1 if width >= 8.0 else 0,
            "ygap": 1 if height >= 8.0 else 0,
            "hoverongaps": False,
            "textfont": {"color": self.look.ink, "size": 12 if width >= 46.0 else 10},
        }
        where = f"{plain(self.across.name)} %{{x}}, {name} %{{y}}"
        held = self.held(int(row_of[0, 0])) if self.down is not None else ""
        where += f"<br>{held}" if held else ""
        value = f"{self.measure.label} %{{z:{self.measure.hover_format}}}"
        number = [[self.measure.cell(v) if np.isfinite(v) else "" for v in r] for r in z.tolist()]
        self.traces.append(
            {
                **shared,
                "z": z,
                "coloraxis": "coloraxis",
                "hovertemplate": f"{where}<br>{value}<extra></extra>",
                **({"text": number, "texttemplate": "%{text}"} if is_roomy else {}),
            }
        )
        missing = ~np.isfinite(z)
        if missing.any():
            why = [
                [
                    self._result(int(row_of[i, 0]), int(cells[i, j])) if missing[i, j] else ""
                    for j in range(cells.shape[1])
                ]
                for i in range(len(cells))
            ]
            short = [[text if 6.0 * len(text) <= width else "–" for text in line] for line in why]
            grey = faint(self.look.muted, 0.3)
            self.traces.append(
                {
                    **shared,
                    "z": np.where(missing, 0.0, np.nan),
                    "colorscale": [[0.0, grey], [1.0, grey]],
                    "showscale": False,
                    "customdata": why,
                    "hovertemplate": f"{where}<br>%{{customdata}}<extra></extra>",
                    **({"text": short, "texttemplate": "%{text}"} if is_roomy else {}),
                }
            )
            for i, row in enumerate(row_of[:, 0].tolist()):
                self._count_gaps(row, cells[i][missing[i]])
        self.page.axis(
            f"x{key}",
            type="category",
            categoryorder="array",
            categoryarray=self.across.labels,
            showgrid=False,
            tickangle=0,
            tickvals=_thin(self.across.labels, width, 7.0),
        )
        self.page.axis(
            f"y{key}",
            type="category",
            categoryorder="array",
            categoryarray=list(labels),
            showgrid=False,
            tickvals=_thin(labels, height, 0.0),
        )

    def _result(self, row: int, setting: int) -> str:
        """Say what a setting gave in a window, or why it gave nothing."""
        if setting < 0:
            return NOT_RUN
        value = float(self.values[row, setting])
        if math.isfinite(value):
            return f"{self.measure.label} {self.measure.say(value)}"
        return self.reasons.get((row, setting), NOT_RUN)

    def _count_gaps(self, row: int, settings: NDArray[np.intp]) -> None:
        for setting in settings.tolist():
            reason = self._result(row, setting)
            self.gaps[reason] = self.gaps.get(reason, 0) + 1

    def _frame(self, key: str, x: Any, y: int) -> None:
        """Put a frame around the cell at a column and a row."""
        self.page.shapes.append(
            {
                "type": "rect",
                "xref": f"x{key}",
                "yref": f"y{key}",
                "x0": int(x) - 0.5,
                "x1": int(x) + 0.5,
                "y0": y - 0.5,
                "y1": y + 0.5,
                "line": {"color": self.look.ink, "width": 2},
            }
        )

    def _line(self, key: str, side: str, one: Parameter) -> NDArray[np.float64]:
        """Lay out an axis of points; return where each setting stands on it."""
        axis = f"{side}{key}"
        if one.numbers is None:
            self.page.axis(axis, tickvals=list(range(len(one))), ticktext=one.labels)
            return one.at.astype(np.float64)
        low, high = float(one.numbers.min()), float(one.numbers.max())
        if low > 0.0 and high > _DECADES * low:
            self.page.axis(axis, type="log")
        self.page.axis(axis, tickformat="~g", nticks=4, tickangle=0)
        return one.numbers

    def _scatter(
        self,
        key: str,
        places: Sequence[NDArray[np.float64]],
        kept: NDArray[np.intp],
        marker: dict[str, Any],
        told: Sequence[str] | None,
    ) -> None:
        hover: dict[str, Any] = {"hoverinfo": "skip"}
        if told is not None:
            hover = {
                "customdata": [told[i] for i in kept.tolist()],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        self.traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": places[0][kept],
                "y": places[1][kept],
                "xaxis": f"x{key}",
                "yaxis": f"y{key}",
                "marker": marker,
                "showlegend": False,
                **hover,
            }
        )

    def figure(
        self, heading: str, notes: Sequence[str], rows: Sequence[int], is_max: bool
    ) -> go.Figure:
        """Put everything together."""
        layout = self.page.layout(heading, notes)
        layout["margin"]["r"] = 96
        layout["coloraxis"] = _colours(self.look, self.values[list(rows)], is_max)
        layout["coloraxis"]["colorbar"] = {
            "title": {"text": self.measure.label, "side": "right", "font": {"size": 13}},
            "thickness": 12,
            "tickformat": self.measure.tick_format,
            "outlinewidth": 0,
        }
        figure = go.Figure()
        figure.add_traces(self.traces)
        figure.layout = {**layout, "hovermode": "closest", "showlegend": False}
        return figure


def _colours(look: Theme, values: NDArray[np.float64], is_max: bool) -> dict[str, Any]:
    """Choose colours: blue is better, and the palest is 0 or what is nearest to it."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    steps = list(look.diverging)
    if not is_max:
        steps = [(at, colour) for (at, _), (_, colour) in zip(steps, reversed(steps), strict=True)]
    if low < 0.0 < high:
        most = max(-low, high)
        return {"cmin": -most, "cmax": most, "colorscale": [list(step) for step in steps]}
    half = steps[2:] if low >= 0.0 else steps[:3]
    scale = [[number / 2.0, colour] for number, (_, colour) in enumerate(half)]
    if low == high:  # one value alone: in the stronger colour of its sign
        low, high = (low - 1.0, high) if low >= 0.0 else (low, high + 1.0)
    return {"cmin": low, "cmax": high, "colorscale": scale}


def _thin(labels: Sequence[str], room: float, letter: float) -> list[str]:
    """Leave out labels where each has less room than it needs: every second, every third …"""
    longest = max(len(html.unescape(label)) for label in labels)
    step = math.ceil(max(16.0, letter * longest + 10.0) / room)
    return list(labels[::step])
