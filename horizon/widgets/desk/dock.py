"""The frame of a desk: panels in columns and stacks, which its user arranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from horizon.checks import show
from horizon.client import ImperativeClient
from horizon.widgets.access import text_of
from horizon.widgets.desk.layout import Layout
from horizon.widgets.face import Face, Verb
from horizon.widgets.palette import Palette

__all__ = ["Dock"]


class Dock(Face):
    """Shows panels where a layout says, and lets its user change that.

    Parameters
    ----------
    panels : dict of str to Face
    heads : dict of str to Face
        What stands above all panels: ``"masthead"``, ``"deck"``.
    labels : dict of str to str
        The panels' names for a reader.
    layout : Layout
        Of exactly these panels.
    presets : dict of str to Layout
        Layouts to choose from, by their names; the first one is where "Reset" leads.
    ex : ImperativeClient, optional
        The account with which it ends.
    palette : str or Palette

    Attributes
    ----------
    arrangement : Layout
        The layout as it is now; a widget's own ``layout`` is its style.
    on_layout : callable
        Told of each new layout.
    """

    script = ("dock.js",)
    style = ("dock.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"move", "hide", "show", "fold", "front", "height", "widths", "preset"}
    )
    # What has ended can still be read, and laid out for that.
    lasting = private

    def __init__(
        self,
        panels: Mapping[str, Face],
        heads: Mapping[str, Face],
        labels: Mapping[str, str],
        layout: Layout,
        presets: Mapping[str, Layout],
        *,
        ex: ImperativeClient | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        if ex is not None:
            self._ex = ex
        self._panels = dict(panels)
        self._heads = tuple(heads)
        self._labels = dict(labels)
        self._arrangement = layout
        self._presets = dict(presets)
        self.on_layout: Callable[[Layout], object] = lambda _: None
        super().__init__(palette=palette)
        for place, face in {**heads, **panels}.items():
            self.hold(place, face)
        self._look()

    @property
    def arrangement(self) -> Layout:
        """Where the panels stand."""
        return self._arrangement

    def arrange(self, layout: Layout) -> None:
        """Put the panels where a layout of these panels says."""
        if layout == self._arrangement:
            return
        self._arrangement = layout
        self._look()
        self.on_layout(layout)
        if self.ended:
            self.shown = {**self.shown, **self.picture()}
        else:
            self._live.paint(self)

    def _look(self) -> None:
        seen = self._arrangement.in_view
        for name, face in self._panels.items():
            face.in_view(name in seen)

    # ------------------------------------------------------------------ the page's verbs
    def verbs(self) -> dict[str, Verb]:
        """Move, hide, show, fold, bring to the front, size, and choose a layout."""
        return {
            "move": lambda given: self.arrange(
                self._arrangement.moved(
                    text_of(given, "panel"),
                    text_of(given, "to"),
                    text_of(given, "side"),
                )
            ),
            "hide": lambda given: self.arrange(self._arrangement.hiding(text_of(given, "panel"))),
            "show": lambda given: self.arrange(self._arrangement.showing(text_of(given, "panel"))),
            "front": lambda given: self.arrange(self._arrangement.showing(text_of(given, "panel"))),
            "fold": lambda given: self.arrange(
                self._arrangement.folding(text_of(given, "panel"), bool(given.get("on")))
            ),
            "height": lambda given: self.arrange(
                self._arrangement.sized(text_of(given, "panel"), given.get("height"))
            ),
            "widths": self._widen,
            "preset": self._choose,
        }

    def _widen(self, given: Mapping[str, Any]) -> None:
        widths = given.get("widths")
        if not isinstance(widths, Sequence) or isinstance(widths, str):
            raise TypeError(f"widths must be a list of numbers, was {show(widths)}")
        self.arrange(self._arrangement.widened(widths))

    def _choose(self, given: Mapping[str, Any]) -> None:
        name = text_of(given, "name")
        if name not in self._presets:
            raise ValueError(f"layout must be one of {', '.join(self._presets)}, was {name!r}")
        self.arrange(self._presets[name])

    def picture(self) -> dict[str, Any]:
        """The panels' names, and where they stand."""
        layout = self._arrangement
        return {
            "name": "Workbench",
            "heads": list(self._heads),
            "panels": [[name, self._labels[name]] for name in self._panels],
            "hidden": list(layout.hidden),
            "columns": layout.to_dict()["columns"],
            "presets": [
                [name, name.capitalize(), layout == preset]
                for name, preset in self._presets.items()
            ],
        }
