"""Tables of numbers as pictures, and as CSV, JSON and HTML that hold what they say."""

from __future__ import annotations

import csv
import html
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from horizon import words
from horizon.analytics.report import Table

__all__ = ["csv_bytes", "json_bytes", "page_bytes", "table_picture"]

#: A cell of a spreadsheet that begins with one of these is a formula to it; the last four are
#: the same characters in their wide form, which some take for them.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table_picture(table: Table, *, small: bool | None = None) -> dict[str, Any]:
    """Return what the page draws a table from; every text of it is shown as it stands."""
    return {
        "caption": words.name(table.caption),
        "header": [words.name(text) for text in table.header],
        "rows": [
            {
                "id": str(number),
                "name": words.name(about),
                "hint": words.name(table.hints.get(about, "")),
                "cells": [[words.name(c.text), c.tint, c.is_number] for c in cells],
            }
            for number, (about, cells) in enumerate(table.rows)
        ],
        "note": table.note,
        "empty": table.empty,
        "small": table.is_small if small is None else small,
        "tinted": table.is_tinted,
    }


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as CSV: numbers with every digit, and no text that a spreadsheet would work out.

    Such a text, which begins with ``=``, ``+``, ``-`` or ``@``, gets an apostrophe before it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return repr(value) if not math.isnan(value) else ""
    return "" if value is None else value


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Write numbers as JSON; what JSON cannot hold (infinity, NaN) is the text of it or null."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=1).encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0.0 else "-inf")
    return value


# ------------------------------------------------------------------------ a page
_TEXT: Final = {True: "", False: ' class="text"'}
_STYLE: Final = """
body{{font:15px/1.45 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;
color:{ink};background:{paper};font-variant-numeric:tabular-nums}}
h1{{font-size:1.4em;margin:0}}p{{margin:.4em 0}}.muted{{color:{muted}}}
.caution{{border-inline-start:4px solid {muted};padding-inline-start:.7em}}
table{{border-collapse:collapse;margin:1.2em 0}}caption{{text-align:start;font-weight:600}}
th,td{{padding:2px 14px 2px 0;border-bottom:1px solid {grid};text-align:end;white-space:nowrap}}
th:first-child,td.text{{text-align:start;font-weight:normal}}thead th{{color:{muted}}}
"""


def page_bytes(
    title: str,
    period: str,
    cautions: Iterable[str],
    key: Iterable[tuple[str, str]],
    tables: Iterable[Table],
    figures: Iterable[Any],
    *,
    theme: str,
) -> bytes:
    """Write one page that needs nothing else: what to know, the figures, and every table.

    Every text is escaped, and shown as it stands.
    """
    from horizon.figures import theme_named

    look = theme_named(theme)
    colours = {name: getattr(look, name) for name in ("ink", "muted", "grid", "paper")}
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{_safe(title)}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{_STYLE.format(**colours)}</style></head><body>",
        f'<h1>{_safe(title)}</h1><p class="muted">{_safe(period)}</p>',
        *(f'<p class="caution">{_safe(text)}</p>' for text in cautions),
    ]
    for number, figure in enumerate(figures):
        parts.append(figure.to_html(full_html=False, include_plotlyjs=number == 0))
    summary = [(label, [(value, True)]) for label, value in key]
    parts.append(_html_table("In short", ("", ""), summary))
    for table in tables:
        rows = [(about, [(c.text, c.is_number) for c in cells]) for about, cells in table.rows]
        parts.append(_html_table(table.caption, table.header, rows, table.note or ""))
    parts.append("</body></html>")
    return "\n".join(parts).encode("utf-8")


def _html_table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[tuple[str, Sequence[tuple[str, bool]]]],
    note: str = "",
) -> str:
    head = "".join(f'<th scope="col">{_safe(text)}</th>' for text in header)
    lines = []
    for about, cells in rows:
        own = "".join(f"<td{_TEXT[is_number]}>{_safe(text)}</td>" for text, is_number in cells)
        lines.append(f'<tr><th scope="row">{_safe(about)}</th>{own}</tr>')
    below = f'<p class="muted">{_safe(note)}</p>' if note else ""
    body = "".join(lines)
    headed = f"<thead><tr>{head}</tr></thead>" if any(header) else ""
    return f"<table><caption>{_safe(caption)}</caption>{headed}<tbody>{body}</tbody></table>{below}"


def _safe(text: str) -> str:
    return html.escape(words.name(text))
