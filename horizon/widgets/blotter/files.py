"""A blotter's rows as values: a frame, or a file of CSV or JSON.

Numbers are written with every digit they have, times in ISO 8601 and UTC. A text that a
spreadsheet would take for a formula is written behind an apostrophe in CSV; nothing else is.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from horizon.widgets.blotter.rows import FillRow, OrderRow, PositionRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FILL_FIELDS",
    "FORMATS",
    "ORDER_FIELDS",
    "POSITION_FIELDS",
    "as_csv",
    "as_frame",
    "as_json",
    "fill_record",
    "file_name",
    "iso_time",
    "order_record",
    "position_record",
]

#: The forms of a file, with the mime type of each.
FORMATS: Final = {"csv": "text/csv;charset=utf-8", "json": "application/json"}
#: What a spreadsheet reads as the beginning of a formula, or skips before one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: Names and kinds of what a file or a frame has of each row, as the client's own frames have.
ORDER_FIELDS: Final = {
    "id": "text",
    "market_id": "text",
    "side": "text",
    "quantity": "number",
    "filled_quantity": "number",
    "price": "number",
    "average_price": "number",
    "status": "text",
    "reason": "text",
    "intent": "text",
    "submitted_at": "time",
    "fees": "number",
    "tif": "text",
    "post_only": "flag",
    "reduce_only": "flag",
    "client_order_id": "text",
    "leverage": "number",
    "algo": "text",
}
FILL_FIELDS: Final = {
    "id": "text",
    "order_id": "text",
    "market_id": "text",
    "side": "text",
    "quantity": "number",
    "price": "number",
    "fee": "number",
    "timestamp": "time",
    "is_maker": "flag",
    "realized_pnl": "number",
}
POSITION_FIELDS: Final = {
    "market_id": "text",
    "asset_class": "text",
    "quantity": "number",
    "avg_cost": "number",
    "mark": "number",
    "unrealized_pnl": "number",
    "realized_pnl": "number",
    "fees": "number",
    "leverage": "number",
}


def _side_word(sign: int) -> str:
    return "buy" if sign > 0 else "sell"


def order_record(row: OrderRow) -> tuple[Any, ...]:
    """An order's values, in the order of `ORDER_FIELDS`."""
    return (
        row.id,
        row.market_id,
        _side_word(row.sign),
        row.quantity,
        row.filled,
        row.limit,
        row.average,
        row.status,
        row.reason,
        row.intent,
        row.sent_ns,
        row.fees,
        "ioc" if row.ioc else "gtc",
        row.post_only,
        row.reduce_only,
        row.client_order_id,
        row.leverage,
        row.algo,
    )


def fill_record(row: FillRow) -> tuple[Any, ...]:
    """A fill's values, in the order of `FILL_FIELDS`."""
    return (
        row.id,
        row.order_id,
        row.market_id,
        _side_word(row.sign),
        row.quantity,
        row.price,
        row.fee,
        row.time_ns,
        row.is_maker,
        row.realized,
    )


def position_record(row: PositionRow) -> tuple[Any, ...]:
    """A position's values, in the order of `POSITION_FIELDS`."""
    is_held = row.quantity != 0.0
    return (
        row.market_id,
        row.kind,
        row.quantity,
        row.average if is_held else None,
        row.mark,
        row.unrealized,
        row.realized,
        row.fees,
        row.leverage,
    )


# ------------------------------------------------------------------------- files and frames
def iso_time(ns: int) -> str:
    """A point in time as ISO 8601 writes it, in UTC, with all its nanoseconds."""
    seconds, rest = divmod(ns, _NS)
    at = _EPOCH + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def as_csv(fields: Mapping[str, str], records: Iterable[tuple[Any, ...]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8), under a line with the names of their fields."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(fields)
    kinds = tuple(fields.values())
    for record in records:
        writer.writerow([_csv(value, kind) for value, kind in zip(record, kinds, strict=True)])
    return sink.getvalue().encode()


def _csv(value: Any, kind: str) -> str:
    if value is None or (kind == "number" and math.isnan(value)):
        return ""
    if kind == "number":
        return repr(value)
    if kind == "time":
        return iso_time(value)
    if kind == "flag":
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_json(fields: Mapping[str, str], records: Iterable[tuple[Any, ...]]) -> bytes:
    """Rows as a JSON list of objects; what is not there is null."""
    kinds = tuple(fields.values())
    rows = [
        {name: _json(value, kind) for name, value, kind in zip(fields, record, kinds, strict=True)}
        for record in records
    ]
    return json.dumps(rows, ensure_ascii=False, allow_nan=False, indent=1).encode()


def _json(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return iso_time(value)
    # JSON has no word for what is no number.
    return None if kind == "number" and not math.isfinite(value) else value


def as_frame(fields: Mapping[str, str], records: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows as a table, indexed by the first field; a table without rows has the same types."""
    import pandas as pd

    columns = list(zip(*records, strict=True)) or [()] * len(fields)
    made: dict[str, Any] = {}
    for (name, kind), values in zip(fields.items(), columns, strict=True):
        if kind == "number":
            made[name] = pd.Series(values, dtype=float)
        elif kind == "time":
            made[name] = pd.to_datetime(pd.Series(values, dtype="int64"), unit="ns", utc=True)
        elif kind == "flag":
            made[name] = pd.Series(values, dtype=bool)
        else:
            made[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(made).set_index(next(iter(fields)))


def file_name(table: str, form: str, at: datetime) -> str:
    """A name for a file made at this time: ``horizon-orders-20260102T150405Z.csv``."""
    return f"horizon-{table}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.{form}"
