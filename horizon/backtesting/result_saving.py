"""A result in a folder: tables as Parquet, facts as JSON, and a checksum of everything.

The tables can be read by anything that reads Parquet. What is read back is the run bit for bit,
or refused: nothing is ever run, guessed or repaired.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_decisions import (
    DECISION_TABLES,
    DECISION_WORDS,
    decision_tables,
)
from horizon.instruments import Market
from horizon.types import Position
from horizon.venues.history import STATUSES
from horizon.venues.records import NEVER_NS

__all__ = [
    "FACTS",
    "FLAGS",
    "FORMAT",
    "LISTS",
    "PLAIN",
    "SIDES",
    "TABLES",
    "VERSION",
    "checksum",
    "require_pyarrow",
    "save_record",
]

FORMAT: Final = "horizon backtest result"
#: Counts up whenever what is written changes its meaning.
VERSION: Final = 1
FACTS: Final = "result.json"
TABLES: Final = ("equity.parquet", "fills.parquet", "orders.parquet", "settlements.parquet")
SIDES: Final = ("sell", "buy")
#: What the facts hold of a record as it is, and of which kind each is; the columns are in the
#: tables, and what was replayed nowhere.
PLAIN: Final[dict[str, tuple[type, ...]]] = {
    "name": (str,),
    "initial_capital": (int, float),
    "market_feeds": (dict,),
    "outcomes": (dict,),
    "rejections": (dict,),
    "errors": (dict,),
    "error_texts": (list, tuple),
    "remarks": (list, tuple),
    "dropped": (dict,),
    "config": (dict,),
    "engine": (str,),
    "currency": (str,),
    "periods_per_year": (int, float, type(None)),
}
#: What they hold besides.
LISTS: Final = ("markets", "positions", "fill_legs", "order_legs", "intents", "reasons")
FLAGS: Final = ("is_market", "ioc", "post_only", "reduce_only", "is_taker")


# ------------------------------------------------------------------------ saving
def save_record(record: RunRecord, path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Write a run into a folder; see `BacktestResult.save`."""
    require_pyarrow()
    target = _new_folder(path, checks.flag("overwrite", overwrite))
    # Written beside the place and moved there whole: an interrupt leaves what was there before.
    with tempfile.TemporaryDirectory(prefix=".horizon-", dir=target.parent) as workshop:
        made = Path(workshop, "result")
        made.mkdir()
        sums = {}
        for name, table in _tables(record).items():
            content = _parquet(table)
            made.joinpath(name).write_bytes(content)
            sums[name] = hashlib.sha256(content).hexdigest()
        made.joinpath(FACTS).write_text(_facts_text(record, sums), encoding="utf-8")
        _swap(made, target, Path(workshop, "former"))
    return target


def _facts_text(record: RunRecord, sums: Mapping[str, str]) -> str:
    """Write the facts as JSON, with the checksums of the tables and their own."""
    try:
        body = {"format": FORMAT, "version": VERSION, "tables": sums, "run": _facts(record)}
        body["checksum"] = checksum(body)
        return json.dumps(body, indent=1, allow_nan=False)
    except RecursionError as error:
        raise ValueError("the run's params are nested too deeply to be saved as JSON") from error


def _swap(made: Path, target: Path, former: Path) -> None:
    """Move a folder to its place; what was there is put back if that fails."""
    try:
        if target.exists():
            os.replace(target, former)
        os.replace(made, target)
    except BaseException:
        if former.exists() and not target.exists():
            os.replace(former, target)
        raise


def _new_folder(path: str | os.PathLike[str], overwrite: bool) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be a path, was {checks.show(path)} ({type(path).__name__})")
    target = Path(path).absolute()
    if not target.parent.is_dir():
        raise ValueError(f"path must lie in a folder that exists, was {str(path)!r}")
    if not target.exists():
        return target
    if not target.is_dir():
        raise FileExistsError(f"path must be a folder, {str(path)!r} is a file")
    there = {each.name for each in target.iterdir()}
    if not there:
        return target
    if not there <= {FACTS, *TABLES, *DECISION_TABLES} or not _is_result(target):
        raise FileExistsError(
            f"path must be free or hold a saved result; {str(path)!r} has other files, which are "
            "never replaced"
        )
    if not overwrite:
        raise FileExistsError(
            f"path holds a saved result already: {str(path)!r}; overwrite=True replaces it"
        )
    return target


def _is_result(folder: Path) -> bool:
    try:
        body = json.loads(folder.joinpath(FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(body, dict) and body.get("format") == FORMAT


def _facts(record: RunRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(record, name) for name in PLAIN}
    facts["markets"] = [
        {
            **{each.name: getattr(market, each.name) for each in fields(Market)},
            "asset_class": market.asset_class.name,
            "expiry": None if market.expiry is None else market.expiry.isoformat(),
        }
        for market in record.markets
    ]
    facts["positions"] = [
        {
            **{each.name: getattr(position, each.name) for each in fields(Position)},
            "side": position.side.value,
        }
        for position in record.positions
    ]
    facts["fill_legs"] = record.fills.leg_ids
    facts["order_legs"] = record.orders.leg_ids
    facts["intents"] = record.orders.intent_names
    facts["reasons"] = record.orders.reason_texts
    if record.decisions is not None:
        facts["decisions"] = {name: getattr(record.decisions, name) for name in DECISION_WORDS}
    coded: dict[str, Any] = _encoded(facts)
    return coded


def _encoded(value: Any) -> Any:
    """Put into JSON what JSON has no word for: infinite floats and NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        # A name that could be taken for ours gets one more of its sign.
        return {("$" + k if k.startswith("$") else k): _encoded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    return value


def checksum(body: Mapping[str, Any]) -> str:
    """Return the checksum of all facts but the checksum itself, whatever blanks are between."""
    rest = {name: value for name, value in body.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


# ------------------------------------------------------------------------ tables
def _tables(record: RunRecord) -> dict[str, Any]:
    fills, orders = record.fills, record.orders
    settled = list(zip(*record.settlements, strict=True)) or [(), (), (), (), ()]
    leg_ids, quantities, prices, realized, times = settled
    columns: dict[str, dict[str, Any]] = {
        "equity": {"time": _times(record.times_ns), "equity": record.equity},
        "fills": {
            "order_number": fills.order_numbers,
            "market_id": _words(fills.leg_ids, fills.legs),
            "side": _words(SIDES, fills.signs > 0),
            "quantity": fills.quantities,
            "price": fills.prices,
            "fee": fills.fees,
            "realized_pnl": fills.realized,
            "time": _times(fills.times_ns),
            "is_maker": fills.is_maker,
            "fair_value": record.fair_values,
        },
        "orders": {
            "market_id": _words(orders.leg_ids, orders.legs),
            "side": _words(SIDES, orders.signs > 0),
            "quantity": orders.quantities,
            "price": orders.prices,
            "filled": orders.filled,
            "average_price": orders.averages,
            "submitted": _times(orders.submitted_ns),
            "ended": _times(orders.ended_ns),
            "status": _words(STATUSES, orders.statuses),
            **{name: getattr(orders, name) for name in FLAGS},
            "intent": _words(orders.intent_names, orders.intents),
            "reason": _words(orders.reason_texts, orders.reasons),
        },
        "settlements": {
            "market_id": np.array(leg_ids, dtype=object),
            "quantity": np.array(quantities, dtype=np.float64),
            "price": np.array(prices, dtype=np.float64),
            "realized_pnl": np.array(realized, dtype=np.float64),
            "time": _times(np.array(times, dtype=np.int64)),
        },
    }
    if record.decisions is not None:
        columns |= decision_tables(record.decisions, _times, _words)
    return {f"{name}.parquet": _arrow(own) for name, own in columns.items()}


def _times(times_ns: NDArray[np.int64]) -> Any:
    pa = require_pyarrow()
    missing = times_ns == NEVER_NS
    column = pa.array(times_ns, mask=missing if missing.any() else None)
    return column.cast(pa.timestamp("ns", tz="UTC"))


def _words(words: tuple[str, ...], codes: NDArray[Any]) -> Any:
    pa = require_pyarrow()
    indices = pa.array(codes.astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, type=pa.string()))


def _arrow(columns: dict[str, Any]) -> Any:
    pa = require_pyarrow()
    made = {
        name: pa.array(column, type=pa.string())
        if isinstance(column, np.ndarray) and column.dtype == object
        else pa.array(column)
        if isinstance(column, np.ndarray)
        else column
        for name, column in columns.items()
    }
    return pa.table(made)


def _parquet(table: Any) -> bytes:
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def require_pyarrow() -> Any:
    """Import pyarrow, or say what to install."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            "saving and loading results needs pyarrow: pip install 'horizon-workbench[parquet]'"
        ) from error
    return pyarrow
