"""Colours and templates of the figures, for a light page and for a dark one.

Colours are those of Okabe and Ito, which stay apart for every kind of colour vision; nothing is
told by colour alone. Backgrounds are the theme's own paper, so that a light figure stays readable
on a dark page, and the other way round.

References
----------
Okabe and Ito (2008), Color Universal Design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from horizon import checks

__all__ = ["THEMES", "Theme", "theme_named"]

#: Families whose digits all have one width, so that numbers stand in columns.
_FONT: Final = "Arial, 'Helvetica Neue', Helvetica, 'Liberation Sans', sans-serif"
_CLEAR: Final = "rgba(0,0,0,0)"

#: A plotly colour scale: positions from 0 to 1, each with its colour.
Scale = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Theme:
    """What the figures take from a page: each colour by what it stands for.

    Attributes
    ----------
    name : str
    ink, muted, grid : str
        Text, lines that stand back, and grid lines.
    paper : str
        The page behind, for what has to cover something, such as the hover box.
    plan, done : str
        What was meant, and what came about.
    buy, sell : str
    reference : str
        A price to compare with.
    series : tuple of str
        Colours of curves side by side, at 3:1 or more against the paper. They differ in lightness
        as well as in hue; beyond the first few, and wherever it is cheap, a curve also has a
        dash of its own.
    gain, loss : str
        What was won and what was lost: the colours of buying and selling.
    diverging : tuple of (float, str)
        From the largest loss over nothing, which is close to the paper, to the largest gain. The
        ink is readable on every colour of it, so that numbers can stand in the cells.
    sequential : tuple of (float, str)
        From nothing, which is close to the paper, to the most.

    Examples
    --------
    A theme of one's own is made of one that is there:

    >>> from dataclasses import replace
    >>> light = hz.figures.THEMES["light"]
    >>> warm = replace(light, name="warm", paper="#fffaf0")
    >>> warm.template.layout.paper_bgcolor
    '#fffaf0'
    """

    name: str
    ink: str
    muted: str
    grid: str
    paper: str
    plan: str
    done: str
    buy: str
    sell: str
    reference: str
    series: tuple[str, ...]
    diverging: Scale
    sequential: Scale

    @property
    def gain(self) -> str:
        """What was won."""
        return self.buy

    @property
    def loss(self) -> str:
        """What was lost."""
        return self.sell

    @property
    def template(self) -> go.layout.Template:
        """The layout that every figure of this theme starts from."""
        axis: dict[str, Any] = {
            "gridcolor": self.grid,
            "linecolor": self.muted,
            "tickcolor": self.muted,
            "zerolinecolor": self.grid,
            "ticks": "outside",
            "automargin": True,
            "title": {"standoff": 10, "font": {"size": 13}},
        }
        return go.layout.Template(
            layout={
                "paper_bgcolor": self.paper,
                "plot_bgcolor": self.paper,
                "font": {"family": _FONT, "color": self.ink, "size": 13},
                "title": {
                    "x": 0.0,
                    "xref": "paper",
                    "xanchor": "left",
                    "y": 1.0,
                    "yref": "container",
                    "yanchor": "top",
                    "pad": {"t": 14},
                    "font": {"size": 16},
                    "subtitle": {"font": {"size": 13, "color": self.muted}},
                },
                "xaxis": axis,
                "yaxis": axis,
                "colorway": list(self.series),
                "legend": {"orientation": "h", "bgcolor": _CLEAR, "font": {"size": 12}},
                "hoverlabel": {
                    "align": "left",
                    "bgcolor": self.paper,
                    "bordercolor": self.muted,
                    "font": {"family": _FONT, "color": self.ink, "size": 13},
                },
                "margin": {"l": 72, "r": 24, "t": 72, "b": 56},
            }
        )


#: The themes by name. The light one has the darker oranges and blues of the palette: its pure
#: orange and sky blue are hard to see on white.
THEMES: Final = {
    "light": Theme(
        name="light",
        ink="#1a1a1a",
        muted="#6b6b6b",
        grid="#e3e3e3",
        paper="#ffffff",
        plan="#0072b2",
        done="#d55e00",
        buy="#0072b2",
        sell="#d55e00",
        reference="#007a5a",
        series=("#0072b2", "#d55e00", "#004d38", "#cc79a7", "#5c4500", "#1a1a1a"),
        diverging=(
            (0.0, "#e8834a"),
            (0.25, "#f3bd9b"),
            (0.5, "#f6f6f6"),
            (0.75, "#a6d2ee"),
            (1.0, "#56a9dc"),
        ),
        sequential=(
            (0.0, "#f5f9fc"),
            (0.25, "#b5d7ee"),
            (0.5, "#5aa9da"),
            (0.75, "#0072b2"),
            (1.0, "#00304d"),
        ),
    ),
    "dark": Theme(
        name="dark",
        ink="#ececec",
        muted="#a3a3a3",
        grid="#3d3d3d",
        paper="#1c1c1c",
        plan="#56b4e9",
        done="#e69f00",
        buy="#56b4e9",
        sell="#e69f00",
        reference="#2fc79a",
        series=("#56b4e9", "#e69f00", "#128a65", "#b85c95", "#f0e442", "#ffffff"),
        diverging=(
            (0.0, "#a84a00"),
            (0.25, "#653414"),
            (0.5, "#262626"),
            (0.75, "#124260"),
            (1.0, "#00659e"),
        ),
        sequential=(
            (0.0, "#20272c"),
            (0.25, "#0d4467"),
            (0.5, "#0072b2"),
            (0.75, "#56b4e9"),
            (1.0, "#e2f4ff"),
        ),
    ),
}


def theme_named(theme: str) -> Theme:
    """Return a theme by its name.

    Parameters
    ----------
    theme : {"light", "dark"}

    Raises
    ------
    ValueError
        If there is no theme of that name.

    Examples
    --------
    >>> hz.figures.theme_named("dark").paper
    '#1c1c1c'
    """
    return THEMES[checks.one_of("theme", theme, tuple(THEMES))]
