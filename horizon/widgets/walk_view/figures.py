"""The figures of a walk-forward view, by name."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from horizon import words
from horizon.walkforward.cpcv_result import CpcvResult
from horizon.walkforward.result import WalkForwardResult

__all__ = ["PLACES", "figure_in"]

#: The figures of each tab, by the tab.
PLACES: Final[dict[str, tuple[str, ...]]] = {
    "windows": ("windows",),
    "parameters": ("heat_map",),
    "equity": ("out_of_sample",),
    "trials": ("train_test", "trials"),
    "paths": ("paths",),
}
#: Paths drawn at most.
_PATHS: Final = 12


def figure_in(result: WalkForwardResult | CpcvResult, place: str, **options: Any) -> Any:
    """Draw one figure of a result; takes long enough to be done beside the event loop."""
    if isinstance(result, WalkForwardResult):
        return result.figure(place, **options)
    return _paths(result, **options) if place == "paths" else _splits(result, **options)


def _paths(result: CpcvResult, *, theme: str, log: bool) -> Any:
    from horizon.figures.curves import equity_curves

    paths = sorted(result.paths, key=lambda path: path.curve.final)
    title = f"{_name(result.name)}: paths out of sample"
    if len(paths) > _PATHS:
        # From the worst to the best, both among them.
        step = (len(paths) - 1) / (_PATHS - 1)
        title += f", {_PATHS} of {len(paths):,} from the worst to the best"
        paths = [paths[round(i * step)] for i in range(_PATHS)]
    curves = {f"path {path.number}": path.curve for path in reversed(paths)}
    return equity_curves(curves, rebase=False, log=log, theme=theme, title=title)


def _splits(
    result: CpcvResult,
    *,
    theme: str,
    window: int | None = None,
    x: str | None = None,
    y: str | None = None,
) -> Any:
    from horizon.figures.heat_maps import parameter_heat_map

    values = result.train_objectives
    why = {
        (int(split), int(setting)): "without limit"
        for split, setting in zip(*np.nonzero(np.isinf(values)), strict=True)
    }
    why |= {
        (int(split), int(setting)): "said nothing"
        for split, setting in zip(*np.nonzero(np.isnan(values)), strict=True)
    }
    return parameter_heat_map(
        result.settings,
        np.where(np.isinf(values), np.nan, values),
        window=window,
        x=x,
        y=y,
        chosen=[split.best_setting for split in result.splits],
        reasons=why,
        row_name="split",
        objective=result.objective,
        maximize=result.maximize,
        theme=theme,
        title=f"{_name(result.name)}: training by parameters",
    )


def _name(text: str) -> str:
    name = words.name(text)
    return name if len(name) <= 28 else f"{name[:27]}…"
