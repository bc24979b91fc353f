"""Panels one below the other, laid out in pixels: nothing overlaps, however wide the figure is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.figures.themes import Theme

__all__ = ["DATES", "TICKS", "TITLES", "Page", "hover_moment", "nothing", "stamps", "wrapped"]

#: Room for the labels of an x axis (dates may take two lines), and for its title below them.
TICKS: Final = 24
DATES: Final = 40
TITLES: Final = 26
#: Room for the title of a panel, above it.
_HEADING: Final = 30
_BOTTOM: Final = 56
_LINE: Final = 18
#: Room at the top, of a title, and of numbers in large type.
_MARGIN: Final = 20
_TITLE: Final = 24
_TILES: Final = 54
#: Letters of a subtitle that a figure of 700 pixels has room for.
_LONGEST: Final = 92
_DAY_NS: Final = 86_400_000_000_000


@dataclass(slots=True)
class Page:
    """The layout of a figure while it grows, from the top down."""

    look: Theme
    annotations: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, dict[str, Any]] = field(default_factory=dict)
    depth: float = 0.0
    _panels: list[tuple[str, float, float]] = field(default_factory=list)
    _headings: list[tuple[float, float, str]] = field(default_factory=list)

    def panel(self, y: str, heading: str, height: float) -> None:
        """Begin a panel below what is there: a y axis, named as traces name it, and words."""
        self.depth += _HEADING
        self._headings.append((0.0, self.depth, heading))
        self._panels.append((y, self.depth, self.depth + height))
        self.depth += height

    def beside(self, y: str, heading: str, x: float) -> None:
        """Begin a panel of the same height beside the last one, at a share of the width."""
        _, start, stop = self._panels[-1]
        self._headings.append((x, start, heading))
        self._panels.append((y, start, stop))

    def axis(self, name: str, **parts: Any) -> None:
        """Add to an axis, named as traces name it (``"x2"``)."""
        self.axes.setdefault(name, {}).update(parts)

    def say(self, x: str, y: str, words: str, *, alone: bool = True, height: float = 0.5) -> None:
        """Write into a panel what it has not got; `alone` also takes away its empty axes."""
        if alone:
            bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
            for axis in (x, y):
                self.axis(axis, **bare, title={"text": ""})
        self.annotations.append(
            {
                "text": words,
                "x": 0.5,
                "y": height,
                "xref": f"{x} domain",
                "yref": f"{y} domain",
                "showarrow": False,
                "font": {"color": self.look.muted},
            }
        )

    def across(self, x: str, y: str, value: float, **line: Any) -> None:
        """Draw a level line through a panel, below its traces."""
        self._line(f"{x} domain", y, (0, 1), (value, value), line, True)

    def upright(self, x: str, y: str, value: Any, *, below: bool = False, **line: Any) -> None:
        """Draw a line from the bottom of a panel to its top, `below` its traces or over them."""
        self._line(x, f"{y} domain", (value, value), (0, 1), line, below)

    def _line(
        self,
        x: str,
        y: str,
        xs: tuple[Any, Any],
        ys: tuple[Any, Any],
        line: dict[str, Any],
        below: bool = False,
    ) -> None:
        self.shapes.append(
            {
                "type": "line",
                "layer": "below" if below else "above",
                "xref": x,
                "yref": y,
                "x0": xs[0],
                "x1": xs[1],
                "y0": ys[0],
                "y1": ys[1],
                "line": line,
            }
        )

    def tiles(self, figures: Sequence[tuple[str, str]]) -> int:
        """Write numbers in large type above the first panel, each under its name.

        Returns
        -------
        int
            The room they need, in pixels.
        """
        longest = max((len(shown) for _, shown in figures), default=0)
        size_of_number = 18 if longest <= 9 else 14 if longest <= 12 else 11
        for number, (name, shown) in enumerate(figures):
            for text, size, colour, lift in (
                (name, 12, self.look.muted, 28),
                (f"<b>{shown}</b>", size_of_number, self.look.ink, 4),
            ):
                self.annotations.append(
                    {
                        "text": text,
                        "x": number / len(figures),
                        "y": 1.0,
                        "xref": "paper",
                        "yref": "paper",
                        "xanchor": "left",
                        "yanchor": "bottom",
                        "yshift": lift,
                        "showarrow": False,
                        "font": {"size": size, "color": colour},
                    }
                )
        return _TILES

    def layout(
        self, heading: str | None, lines: Sequence[str] = (), *, above: int = 0
    ) -> dict[str, Any]:
        """Finish: pixels become shares of the whole.

        Parameters
        ----------
        heading : str or None
            Without it there is no title, and no room for one.
        lines : sequence of str
            The subtitle, safe to draw.
        above : int
            Room between the subtitle and the first panel, for tiles.
        """
        whole = self.depth or 1.0
        lines = [part for line in lines for part in wrapped(line)]
        for y, start, stop in self._panels:
            self.axis(y, domain=[max(0.0, 1.0 - stop / whole), 1.0 - start / whole])
        headings = [
            {
                "text": f"<b>{text}</b>",
                "x": x,
                "y": 1.0 - start / whole,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "yshift": 3,
                "showarrow": False,
                "font": {"size": 13},
            }
            for x, start, text in self._headings
        ]
        top = _MARGIN + above
        title = None
        if heading is not None:
            top += _TITLE + _LINE * len(lines)
            title = {"text": heading, "subtitle": {"text": "<br>".join(lines)}}
        return {
            "template": self.look.template,
            "height": round(whole) + top + _BOTTOM,
            "margin": {"t": top, "b": _BOTTOM, "l": 76, "r": 20},
            "title": title,
            "annotations": [*headings, *self.annotations],
            "shapes": self.shapes,
            **{f"{name[0]}axis{name[1:]}": parts for name, parts in self.axes.items()},
        }

    def depth_of(self, y: str) -> float:
        """Return how far down a panel begins, in pixels."""
        return next(start for name, start, _ in self._panels if name == y)

    def share(self, pixels: float) -> float:
        """Return where a distance from the top lies on the finished figure, from 1 down to 0."""
        return 1.0 - pixels / (self.depth or 1.0)


def wrapped(line: str) -> list[str]:
    """Cut a line that is too long for 700 pixels, at a comma."""
    if len(line) <= _LONGEST:
        return [line]
    at = line.rfind(", ", 0, _LONGEST) + 1
    return [line[:at], *wrapped(line[at + 1 :])] if at else [line]


def nothing(x: str, y: str) -> dict[str, Any]:
    """Return a trace without points: a panel that has none at all is not drawn."""
    return {"type": "scatter", "x": [], "y": [], "xaxis": x, "yaxis": y, "showlegend": False}


def stamps(times_ns: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return times in the coarsest unit that is exact, so that figures stay small in bytes."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if not (times_ns % size).any():
            return (times_ns // size).astype(f"datetime64[{unit}]")
    return times_ns.astype("datetime64[ns]")


def hover_moment(times_ns: NDArray[np.int64]) -> str:
    """Return how plotly is to write such times: days alone where nothing is between days."""
    if not (times_ns % _DAY_NS).any():
        return "%-d %b %Y"
    return "%-d %b %Y, %H:%M:%S UTC"
