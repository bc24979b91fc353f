"""How a blotter's page is told of its tables, and what it says of them in return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from horizon import checks
from horizon.widgets.blotter.rows import Column
from horizon.widgets.blotter.sheets import Sheet
from horizon.widgets.row_words import FLATTEN_ALL, action

__all__ = ["MOST", "counted", "describe", "names_of", "numbers_of", "usual_columns"]

#: Rows of a table at most: the grid places them by pixels, and a page has a million of those.
MOST: Final = 25_000
#: Pixels that its day adds to a time.
_DAY: Final = 72


def describe(sheet: Sheet[Any], chosen: Iterable[str], currency: str) -> dict[str, Any]:
    """A table without its rows: its tab, its columns, its groups, and what can be done."""
    count, foot = sheet.tally()
    tools = []
    if sheet.name == "positions" and not count.startswith("0 "):
        tools.append(action("flatten all", "", "Flatten all", FLATTEN_ALL))
    return {
        "id": sheet.name,
        "label": sheet.title,
        "count": count,
        "foot": foot.replace("{}", currency),
        "columns": [
            {
                "name": column.name,
                "label": column.label.replace("{}", currency),
                "kind": column.kind,
                "width": column.width + (_DAY if _is_time(column) and sheet.with_day else 0),
                "choices": list(column.choices),
            }
            for column in sheet.columns
        ],
        "chosen": list(chosen),
        "usual": list(usual_columns(sheet)),
        "groups": [[value, label] for value, label in sheet.groups.items()],
        "group": sheet.group,
        "sort": list(sheet.sorted_by),
        "version": sheet.store.version,
        "tools": tools,
        "empty": sheet.empty,
    }


def _is_time(column: Column) -> bool:
    return column.name in ("sent", "time")


def usual_columns(sheet: Sheet[Any]) -> tuple[str, ...]:
    """The columns that a table shows unless somebody chooses."""
    return tuple(column.name for column in sheet.columns if column.is_shown)


def names_of(argument: str, names: object, known: tuple[str, ...]) -> tuple[str, ...]:
    """Take a list of names, each of which is known; those given twice count once."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"{argument} must be a list of names, was {checks.show(names)}")
    return tuple(dict.fromkeys(checks.one_of(argument, name, known) for name in names))


def numbers_of(given: Mapping[str, Any]) -> list[int]:
    """Take the numbers of rows that the page has sent."""
    numbers = given.get("numbers")
    if not isinstance(numbers, (list, tuple)) or len(numbers) > 2 * MOST:
        raise TypeError(f"numbers must be a list of row numbers, was {checks.show(numbers)}")
    return [checks.integer("numbers", number, least=0) for number in numbers]


def counted(number: int, what: str) -> str:
    """So many of something, in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
