"""An explorer's results as tables and files."""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from horizon import words
from horizon.analytics.metrics import Metrics

if TYPE_CHECKING:
    import pandas as pd

    from horizon.widgets.explorer.kept import Kept

__all__ = ["EXPORTS", "export", "frame_of", "saved_name"]

#: What can be saved: what it is called, what is put to its file's name, and its kind.
EXPORTS: Final = {
    "metrics": ("Metrics of all results, CSV", "metrics.csv", "text/csv"),
    "equity": ("Equity curve, CSV", "equity.csv", "text/csv"),
    "fills": ("Fills, CSV", "fills.csv", "text/csv"),
    "orders": ("Orders, CSV", "orders.csv", "text/csv"),
    "summary": ("Parameters and metrics, JSON", "summary.json", "application/json"),
    "result": ("Whole result, Parquet in a ZIP", "result.zip", "application/zip"),
}
#: A cell of a spreadsheet that begins with one of these is a formula to it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: What not every system takes in the name of a file.
_NOT_FIT: Final = re.compile(r"[^0-9A-Za-z._-]+")


def saved_name(result: str, what: str) -> str:
    """Name a file that is saved."""
    own = "explorer" if what == "metrics" else _NOT_FIT.sub("-", result).strip("-._")
    return f"{own or 'result'}-{EXPORTS[what][1]}"


def frame_of(kept: Sequence[Kept], parameters: Sequence[str]) -> pd.DataFrame:
    """Results as a table: a row for each, with its parameters, its metrics and its seconds."""
    import pandas as pd

    names = [one.name for one in kept]
    columns: dict[str, Any] = {
        name: pd.Series([one.setting[name] for one in kept], index=names) for name in parameters
    }
    for each in fields(Metrics):
        values = [getattr(one.result.metrics, each.name) for one in kept]
        own = each.name if each.name not in columns else f"{each.name} (metric)"
        columns[own] = [math.nan if value is None else value for value in values]
    columns["seconds"] = [one.seconds for one in kept]
    return pd.DataFrame(columns, index=pd.Index(names, name="result", dtype="str"))


def export(what: str, one: Kept, kept: Sequence[Kept], parameters: Sequence[str]) -> bytes:
    """Write what is asked for as a file.

    Raises
    ------
    ImportError
        For the whole result, without pyarrow.
    """
    if what == "metrics":
        return _table(frame_of(kept, parameters).reset_index())
    if what == "summary":
        told = {
            "name": one.name,
            "parameters": {name: _plain(value) for name, value in one.setting.items()},
            "metrics": {
                each.name: _plain(getattr(one.result.metrics, each.name))
                for each in fields(Metrics)
            },
            "cautions": one.result.cautions,
            "arguments": one.result.record.config,
        }
        return json.dumps(told, indent=1, ensure_ascii=False).encode()
    with tempfile.TemporaryDirectory() as folder:
        if what == "result":
            return _packed(one.result.save(Path(folder) / "result"))
        return one.result.to_csv(Path(folder) / "table.csv", what).read_bytes()


def _packed(folder: Path) -> bytes:
    """A folder as a ZIP file, whose columns are packed already."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"result/{path.relative_to(folder).as_posix()}")
    return held.getvalue()


def _table(frame: pd.DataFrame) -> bytes:
    """A frame as CSV: numbers with every digit, and no text that is a formula."""
    for name in frame.columns:
        if frame[name].dtype.kind not in "biuf":
            frame[name] = [_harmless(value) for value in frame[name]]
    frame.columns = [_harmless(name) for name in frame.columns]
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _harmless(value: Any) -> Any:
    """Put an apostrophe before what a spreadsheet would work out."""
    if not isinstance(value, (str, int, float)):
        value = words.value(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    """A value as JSON has it; infinity and NaN, which it has not, as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return words.value(value)
