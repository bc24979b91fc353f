"""What a tearsheet is printed as, and the page that is written of it."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from horizon.cli.problems import Failed

if TYPE_CHECKING:
    from horizon.analytics.metrics import Metrics
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["FORMATS", "form_of", "metrics_csv", "metrics_json", "page_path", "write_page"]

FORMATS = ("text", "json", "csv")


def form_of(form: str | None, as_json: bool) -> str:
    """Return what is to be printed, of ``--format`` and its short form ``--json``."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"give --json or --format {form}, not both")
    return "json" if as_json else form or "text"


def metrics_json(sheet: Tearsheet, cautions: list[str], metrics: Metrics) -> str:
    """Write what a run or curve came to as JSON: every metric by its name, with every digit."""
    curve = sheet.curve
    span = [f"{time}Z" for time in curve.times[[0, -1]].astype(str).tolist()] if len(curve) else []
    body = {
        "title": sheet.title,
        "currency": sheet.currency,
        "from": span[0] if span else None,
        "to": span[-1] if span else None,
        "returns": {
            "count": len(sheet.returns),
            "sampling": sheet.sampling.kind,
            "per_year": _plain(sheet.sampling.periods_per_year),
        },
        "cautions": cautions,
        "metrics": {one.name: _plain(getattr(metrics, one.name)) for one in fields(metrics)},
    }
    return json.dumps(body, indent=1, allow_nan=False)


def metrics_csv(metrics: Metrics, currency: str) -> str:
    """Write metrics as a table: name, value with every digit, unit, and what it says."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", "value", "unit", "group", "label", "meaning"])
    for row in metrics.rows(currency):
        value = "" if row.value is None else repr(row.value)
        table.writerow([row.name, value, row.unit, row.group, row.label, row.meaning])
    return text.getvalue().rstrip("\n")


def _plain(value: Any) -> Any:
    """Put into JSON what it has no number for, as text: ``"inf"``, ``"-inf"`` and ``"nan"``."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    return value


# ------------------------------------------------------------------------ the page
def page_path(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Check where a page is to be written, before the work that makes it."""
    if path is None:
        return None
    if path.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"must end with .html, was {str(path)!r}", ctx, param)
    if not path.absolute().parent.is_dir():
        raise click.BadParameter(f"must lie in a folder that exists, was {str(path)!r}", ctx, param)
    return path


def write_page(sheet: Tearsheet, path: Path, theme: str) -> None:
    """Write the page of a tearsheet, and say where it is."""
    try:
        sheet.to_html(path, theme=theme)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("horizon"):
            raise
        raise Failed(
            f"the page needs {error.name}: pip install 'horizon-workbench[lab]'"
        ) from error
    click.echo(f"wrote {path}", err=True)
