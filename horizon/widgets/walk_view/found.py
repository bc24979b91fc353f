"""What every result of a search is on its view: its tabs, their sections, what may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from horizon import words
from horizon.backtesting.result_words import counted
from horizon.widgets import sections
from horizon.widgets.sections import Section

__all__ = [
    "ROWS",
    "Found",
    "cautioned",
    "more_rows",
    "overview_label",
    "searched",
    "varying_of",
]

#: Rows of a table at most: beyond them it is the frame that one reads.
ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A result as its view shows it.

    Attributes
    ----------
    title : str
    line : str
        The result in a line.
    chip : tuple of str
        The verdict in a word, and its tone.
    tabs : list of (id, label)
    parts : dict of str to list of Section
        The sections of each tab.
    rows : list of int
        The numbers of its windows, or splits.
    row_name : str
        Which of the two.
    names : list of str
        The parameters that vary.
    """

    title: str
    line: str
    chip: tuple[str, str]
    tabs: list[tuple[str, str]]
    parts: dict[str, list[Section]]
    rows: list[int]
    row_name: str
    names: list[str]


def varying_of(settings: Sequence[Any]) -> list[str]:
    """The parameters that have more than one value, in their order."""
    names = dict.fromkeys(name for one in settings for name in one)
    found = []
    for name in names:
        values = {words.value(one[name]) if name in one else None for one in settings}
        if len(values) > 1:
            found.append(str(name))
    return found


def searched(pairs: list[tuple[str, str]]) -> Section:
    """What was searched, by labels."""
    return sections.facts("search", pairs, title="The search", wide=[label for label, _ in pairs])


def cautioned(cautions: Sequence[str]) -> list[Section]:
    """What to know before reading the numbers, if there is anything."""
    if not cautions:
        return []
    return [
        sections.said(
            "cautions", cautions, title="Before reading the numbers", tone="warn", is_loud=True
        )
    ]


def overview_label(cautions: Sequence[str]) -> str:
    """The first tab's label: cautions are counted, for when they are out of sight."""
    return f"Overview ({counted(len(cautions), 'caution')})" if cautions else "Overview"


def more_rows(total: int, what: str) -> str:
    """Say how many rows of a table are left out."""
    return f"{total - ROWS:,} more {what} are in to_frame()." if total > ROWS else ""
