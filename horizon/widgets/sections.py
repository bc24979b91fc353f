"""Sections of a view: descriptions of words, facts, tables and figures that the page draws.

Each section has an id of its own, by which the page keeps it while it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from horizon.widgets.live import words_of

__all__ = [
    "Cell",
    "Section",
    "action",
    "bar",
    "column",
    "details",
    "facts",
    "figure",
    "form",
    "lines_of",
    "said",
    "table",
    "tools",
]

Section: TypeAlias = dict[str, Any]
#: The text of a cell; or its text and its tone.
Cell: TypeAlias = str | list[str]

#: Lines of an error after its first.
_LINES: Final = 6


def said(
    name: str,
    lines: Sequence[str] = (),
    *,
    title: str = "",
    lead: str = "",
    tone: str = "",
    is_loud: bool = False,
) -> Section:
    """Words: a title, a sentence that leads, and a list of others.

    `tone` is ``"good"``, ``"warn"``, ``"bad"`` or nothing; what it means is in the words too. The
    loud ones have its colour for their paper.
    """
    return {
        "id": name,
        "kind": "words",
        "title": title,
        "lead": lead,
        "lines": list(lines),
        "tone": tone,
        "loud": is_loud,
    }


def lines_of(error: BaseException) -> tuple[str, list[str]]:
    """What an error says: its first line, and the few after it."""
    # A name has no line breaks, and shows one as what it is; a text of several lines has them.
    first, *more = words_of(error).replace("⟨U+000A⟩", "\n").splitlines() or [""]
    return first, [line for line in more if line.strip()][:_LINES]


def facts(
    name: str, pairs: Sequence[tuple[str, str]], *, title: str = "", wide: Sequence[str] = ()
) -> Section:
    """Pairs of a label and a value, side by side; those of `wide` labels have room for words."""
    return {
        "id": name,
        "kind": "facts",
        "title": title,
        "facts": [[label, text, label in wide] for label, text in pairs],
    }


def bar(name: str, label: str, percent: float, text: str) -> Section:
    """How far something is, from 0 to 100, and the same in words beside it."""
    return {
        "id": name,
        "kind": "bar",
        "bar": {"name": label, "percent": percent, "words": text},
        "text": text,
    }


def column(
    label: str, *, number: bool = False, minor: bool = False, wraps: bool = False
) -> dict[str, Any]:
    """A column: of numbers, left out where it is narrow, of texts that may be broken."""
    return {"label": label, "number": number, "minor": minor, "wraps": wraps}


def table(
    name: str,
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[tuple[str, Sequence[Cell]] | tuple[str, Sequence[Cell], str]],
    *,
    title: str = "",
    empty: str = "",
    note: str = "",
) -> Section:
    """A table; a row is its id, its cells, and its tone if it has one."""
    return {
        "id": name,
        "kind": "table",
        "title": title,
        "columns": [dict(one) for one in columns],
        "rows": [
            {"id": row[0], "cells": list(row[1]), "tone": row[2] if len(row) > 2 else ""}
            for row in rows
        ],
        "empty": empty,
        "note": note,
    }


def details(name: str, title: str, text: str) -> Section:
    """A long text that is folded until somebody wants it."""
    return {"id": name, "kind": "details", "title": title, "text": text}


def figure(place: str, *, busy: str = "", wrong: str = "") -> Section:
    """The place of a figure; what is being done for it; why there is none."""
    return {"id": f"figure {place}", "kind": "figure", "place": place, "busy": busy, "wrong": wrong}


def form(name: str, picture: Mapping[str, Any]) -> Section:
    """Fields, as `Form.picture` describes them; what they hold comes with the verb "form"."""
    return {"id": name, "kind": "form", "form": dict(picture)}


def tools(name: str, actions: Sequence[Mapping[str, Any]]) -> Section:
    """Buttons in a row."""
    return {"id": name, "kind": "tools", "actions": [dict(one) for one in actions]}


def action(
    verb: str, label: str, name: str, *, ident: str = "", sure: str = "", off: bool = False
) -> dict[str, Any]:
    """A button: what is asked for, its words, its full name; asked again first where `sure`."""
    made: dict[str, Any] = {"do": verb, "id": ident, "label": label, "name": name, "off": off}
    if sure:
        made["sure"] = sure
    return made
