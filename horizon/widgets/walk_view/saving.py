"""What a reader saves of a result: its table, under a name that any system takes."""

from __future__ import annotations

import re
from typing import Any, Final

from horizon import words
from horizon.widgets.views.tables import csv_bytes
from horizon.widgets.walk_view.search import AnyResult

__all__ = ["file_name", "table_bytes"]

_LONGEST: Final = 80
#: A spreadsheet takes a text that begins with one of these for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def file_name(name: str, ending: str) -> str:
    """Make a file's name of any text: letters, digits, dots, dashes."""
    bare = re.sub(r"[^0-9A-Za-z._-]+", "-", name).strip("-._")[:_LONGEST]
    return f"{bare or 'horizon'}.{ending}"


def table_bytes(result: AnyResult) -> bytes:
    """Write the table of a result as CSV: numbers with every digit, no text a formula."""
    frame = result.to_frame().reset_index()
    rows = frame.itertuples(index=False, name=None)
    names = [_safe(words.name(str(name))) for name in frame.columns]
    return csv_bytes(names, ([_plain(value) for value in row] for row in rows))


def _plain(value: Any) -> Any:
    """A parameter may be anything; what is no number is written as its view shows it."""
    item = value.item() if hasattr(value, "item") else value
    if item is None or isinstance(item, (bool, int, float)):
        return item
    return _safe(words.value(item))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
