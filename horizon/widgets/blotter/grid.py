"""The grid of a blotter's page: DataTables, out of an installed Python package."""

from __future__ import annotations

from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Final

from horizon.widgets.library import Library

__all__ = ["GRID", "require_grid"]

_PACKAGE: Final = "itables"
_FILE: Final = "html/dt_bundle.js"


@cache
def _bundle() -> Path:
    # The package itself is not imported: it would take hold of how frames are shown.
    found = util.find_spec(_PACKAGE)
    for folder in (found.submodule_search_locations or []) if found is not None else []:
        bundle = Path(folder) / _FILE
        if bundle.is_file():
            return bundle
    raise ModuleNotFoundError(
        f"the blotter's grid comes with the package {_PACKAGE}, which is not installed here: "
        f"pip install 'horizon-workbench[lab]', or pip install {_PACKAGE}"
    )


def require_grid() -> None:
    """Raise ModuleNotFoundError where the grid is not installed."""
    _bundle()


@cache
def _version() -> str:
    return metadata.version(_PACKAGE)


def _source() -> str:
    return _bundle().read_text(encoding="utf-8")


#: DataTables with its extension Scroller.
GRID: Final = Library("DataTables", _version, _source)
