"""What `hz.workbench` is given, read and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.client import ImperativeClient
from horizon.engine import Engine
from horizon.widgets.desk.presets import PANELS
from horizon.widgets.face import Face

if TYPE_CHECKING:
    from horizon.running import RunHandle

__all__ = ["LABELS", "file_of", "panels_of", "run_of", "widgets_of"]

#: Panels by name, for a reader.
LABELS: Final = {
    "ticket": "Ticket",
    "balance": "Balance",
    "chart": "Chart",
    "book": "Book",
    "prices": "Prices",
    "algos": "Algorithms",
    "positions": "Positions",
    "orders": "Orders",
    "fills": "Fills",
    "blotter": "Blotter",
    "run": "Run",
}


def panels_of(panels: Iterable[str]) -> tuple[str, ...]:
    """Take the names of panels."""
    if isinstance(panels, str) or not isinstance(panels, Iterable):
        raise TypeError(f"panels must be a list of names, was {checks.show(panels)}")
    return tuple(checks.one_of("panels", panel, PANELS) for panel in panels)


def widgets_of(given: Mapping[str, Face] | Iterable[Face] | Face) -> dict[str, Face]:
    """Take widgets that are to be placed, by the names that they get."""
    if isinstance(given, Mapping):
        named = dict(given)
    else:
        named = {}
        if not isinstance(given, Face) and (
            isinstance(given, str) or not isinstance(given, Iterable)
        ):
            raise TypeError(
                "widgets must be a widget such as hz.widgets.Blotter(ex), or several, was "
                f"{checks.show(given)}"
            )
        for face in (given,) if isinstance(given, Face) else given:
            label = _name_of(face)
            number = 1 + sum(name == label or name.startswith(f"{label} ") for name in named)
            named[label if number == 1 else f"{label} {number}"] = face
    for name, face in named.items():
        checks.text("widgets", name)
        if not isinstance(face, Face):
            raise TypeError(
                f"widgets must hold widgets such as hz.widgets.Blotter(ex), has {checks.show(face)}"
            )
        if face.is_held or face.ended:
            state = "has ended" if face.ended else "is on a desk already"
            raise ValueError(f"widgets must be free ones: {name!r} {state}")
        if name in LABELS:
            raise ValueError(f"widgets must have names of their own, has {name!r}, a panel's")
    return named


def _name_of(face: object) -> str:
    """Name a widget after its class: "Backtest explorer"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(face).__name__)
    return spaced[:1] + spaced[1:].lower()


def run_of(ex: object) -> RunHandle | None:
    """Take the handle of a run; None if it is none."""
    if ex is None or isinstance(ex, (ImperativeClient, Engine)):
        return None
    from horizon.running import RunHandle

    return ex if isinstance(ex, RunHandle) else None


def file_of(layout: object) -> Path | None:
    """Take the path of a layout file; None if it is none."""
    if isinstance(layout, os.PathLike) or (isinstance(layout, str) and layout.endswith(".json")):
        path = Path(layout)
        if path.suffix != ".json":
            raise ValueError(f"layout file must end with .json, was {str(path)!r}")
        if not path.absolute().parent.is_dir():
            raise ValueError(f"layout file must be in a folder that exists, was {str(path)!r}")
        return path
    return None
