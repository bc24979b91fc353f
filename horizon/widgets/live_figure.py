"""A figure in a notebook whose long series are thinned again for what is in view."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import traitlets

from horizon import checks, words
from horizon.checks import show
from horizon.figures.export import as_json, plotly_module, plotly_version
from horizon.figures.long import LongFigure
from horizon.figures.page import wrapped
from horizon.widgets.access import text_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.library import Library

__all__ = ["LiveFigure"]

#: Seconds between two beats; nothing else is painted by itself.
_EVERY: Final = 1.0
_NS_PER_MS: Final = 1_000_000
_LATEST_NS: Final = 9.2e18
_TAG: Final = re.compile(r"<[^>]*>")


#: What draws it.
_PLOTLY: Final = Library("plotly.js", plotly_version, plotly_module)


class LiveFigure(Face):
    """Show a figure; of a `LongFigure`, zooming in shows more points.

    The page draws what the kernel has thinned. When it is zoomed or panned, the kernel thins the
    series again within the window, and the figure says how many points of how many are drawn.
    While the kernel is busy, and after it has ended, the figure still zooms what it has.

    All figures of a page share one plotly.js, which comes from the kernel: nothing is loaded
    from the internet.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        It fills the width of its output, unless its layout has a width.
    on_point : callable, optional
        Told of each point that is clicked on, as a dictionary: ``"trace"`` (its number), ``"x"``,
        ``"y"`` and ``"customdata"``.

    Raises
    ------
    TypeError
        If `figure` is no plotly figure.
    RuntimeError
        Outside of an event loop, which every notebook has.

    Examples
    --------
    >>> figure = hz.figures.volume_profile({"09:00": 0.75, "10:00": 0.25})
    >>> live = hz.widgets.LiveFigure(figure)
    >>> live.figure is figure
    True
    >>> live.close()
    """

    script = ("library.js", "live_figure.js")
    private: ClassVar[frozenset[str]] = frozenset({"library", "view", "point"})

    #: The figure as JSON, with what the page has to know of it.
    drawing = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, figure: Any, *, on_point: Callable[[dict[str, Any]], object] | None = None
    ) -> None:
        if on_point is not None and not callable(on_point):
            raise TypeError(f"on_point must be a function, was {show(on_point)}")
        self._on_point = on_point
        self._take(figure)
        self.drawing = self._drawing()
        self.quiet = True  # it says by itself how things stand, and only where it matters
        _PLOTLY.prepare()
        super().__init__(every=_EVERY)

    @property
    def figure(self) -> Any:
        """The figure on show."""
        return self._figure

    def show(self, figure: Any = None) -> None:
        """Draw another `figure` in this place, or the same one anew, after it was changed."""
        self._take(self._figure if figure is None else figure)
        self.drawing = self._drawing()
        self._live.paint(self)

    def give_back(self) -> None:
        """Leave page and kernel for good; a page keeps what it knew of a widget, so it is emptied.

        JupyterLab's own list of a kernel's listeners holds on to every widget that was closed.
        """
        self.drawing = ""
        self.beat += 1  # a page's model remembers what was before the latest change, too
        super().give_back()

    # ------------------------------------------------------------------ the figure
    def _take(self, figure: Any) -> None:
        if not hasattr(figure, "to_plotly_json") or not hasattr(figure, "layout"):
            raise TypeError(f"figure must be a plotly figure, was {show(figure)}")
        self._figure = figure
        self._long = figure if isinstance(figure, LongFigure) and figure.is_long else None
        # Where the figure tells how much of it is drawn, by the path that plotly knows it by.
        self._telling: dict[str, str] = {}
        if self._long is not None and self._long.notes:
            note = self._long.notes[0]
            # A long line may have been broken.
            broken = re.compile(r"(?: |<br>)".join(map(re.escape, note.split(" "))))
            self._telling = {
                path: broken.sub(lambda _: note, text)
                for path, text in _texts(figure.layout)
                if broken.search(text)
            }

    @property
    def _note(self) -> str:
        notes = [] if self._long is None else self._long.notes
        return notes[0] if notes else ""

    def _drawing(self) -> str:
        facts: dict[str, Any] = {"library": _PLOTLY.key, "axes": {}, "anew": [], "note": ""}
        facts["clicks"] = self._on_point is not None
        if self._long is not None:
            facts["axes"] = self._long.long_axes
            facts["anew"] = self._long.drawn_anew
            facts["note"] = "" if self._telling else self._note
        return f'{{"facts":{as_json(facts)},"figure":{as_json(self._figure)}}}'

    # ------------------------------------------------------------------ what the page asks
    def picture(self) -> dict[str, Any]:
        """The figure's name; what is drawn is in `drawing`."""
        title = self._figure.layout.title.text or ""
        bare = " ".join(html.unescape(_TAG.sub(" ", title)).split())
        return {"name": words.name(bare) or "Figure"}

    def verbs(self) -> dict[str, Verb]:
        """Send plotly.js, or the points of a window."""
        return {"library": _PLOTLY.sender(self), "view": self._send_view, "point": self._tell_point}

    def _tell_point(self, arguments: Mapping[str, Any]) -> None:
        if self._on_point is not None:
            number = checks.integer("trace", arguments.get("trace"), least=0)
            told = {name: arguments.get(name) for name in ("x", "y", "customdata")}
            self._on_point({"trace": number, **told})

    def _send_view(self, arguments: Mapping[str, Any]) -> None:
        number = checks.integer("request", arguments.get("request"), least=0)
        page = text_of(arguments, "page")
        long = self._long
        if long is None:
            return
        asked = arguments.get("windows")
        if not isinstance(asked, Mapping):
            raise ValueError(f"windows must be given by axis, were {show(asked)}")
        windows = {
            axis: _window(asked[axis], is_dated)
            for axis, is_dated in long.long_axes.items()
            if asked.get(axis) is not None
        }
        view = long.view(windows)
        note = self._note
        told = "<br>".join(wrapped(view.note))
        layout = {path: text.replace(note, told) for path, text in self._telling.items()}
        answer = {
            "traces": view.traces,
            "layout": layout,
            "note": "" if self._telling else view.note,
        }
        self.send({"view": as_json(answer), "page": page, "request": number})


def _window(asked: object, is_dated: bool) -> tuple[Any, Any]:
    """Read a range that the page has sent: dates as milliseconds since 1970."""
    if not isinstance(asked, (list, tuple)) or len(asked) != 2:
        raise ValueError(f"a window must be a pair of numbers, was {show(asked)}")
    ends = []
    for value in asked:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise ValueError(f"a window must be a pair of numbers, was {show(asked)}")
        if is_dated:
            value = round(min(max(value * _NS_PER_MS, -_LATEST_NS), _LATEST_NS))
        ends.append(value)
    return min(ends), max(ends)


def _texts(layout: Any) -> list[tuple[str, str]]:
    """The texts of a layout that may hold a note, by their path."""
    found = [
        ("title.text", layout.title.text),
        ("title.subtitle.text", layout.title.subtitle.text),
    ]
    found += [
        (f"annotations[{number}].text", annotation.text)
        for number, annotation in enumerate(layout.annotations)
    ]
    return [(path, text) for path, text in found if text]
