"""Walk-forward optimisation: choose parameters on one stretch of time, test them on the next.

>>> from horizon.walkforward import walk_forward
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from horizon.walkforward.combinatorial import CpcvResult, cpcv
    from horizon.walkforward.overfitting import Overfitting
    from horizon.walkforward.progress import Searched
    from horizon.walkforward.result import WalkForwardResult
    from horizon.walkforward.walk import walk_forward
    from horizon.walkforward.windows import WalkForwardWindow

__all__ = [
    "CpcvResult",
    "Overfitting",
    "Searched",
    "WalkForwardResult",
    "WalkForwardWindow",
    "cpcv",
    "walk_forward",
]

# Loaded on first use.
_HOMES = {
    "CpcvResult": "combinatorial",
    "Overfitting": "overfitting",
    "Searched": "progress",
    "WalkForwardResult": "result",
    "WalkForwardWindow": "windows",
    "cpcv": "combinatorial",
    "walk_forward": "walk",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
