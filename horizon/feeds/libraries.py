"""What live feeds need besides NumPy, loaded when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["library"]


def library(name: str) -> Any:
    """Import a library of the extra ``live``.

    Raises
    ------
    ModuleNotFoundError
        With what to type, if it is not there.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        raise ModuleNotFoundError(
            f"live feeds and recordings need {missing}: pip install 'horizon-workbench[live]'",
            name=missing,
        ) from error
