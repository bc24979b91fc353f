"""A saved result read again: bit for bit what it was, or refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_decisions import DECISION_TABLES, decision_columns
from horizon.backtesting.result_saving import (
    FACTS,
    FLAGS,
    FORMAT,
    LISTS,
    PLAIN,
    SIDES,
    TABLES,
    VERSION,
    checksum,
    require_pyarrow,
)
from horizon.errors import DataError
from horizon.instruments import Market
from horizon.types import AssetClass, Position, Side
from horizon.venues.history import STATUSES, FillColumns, OrderColumns
from horizon.venues.records import NEVER_NS

__all__ = ["load_result"]


def load_result(path: str | os.PathLike[str]) -> BacktestResult:
    """Read a result that `BacktestResult.save` has written.

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    BacktestResult
        With the same lists, metrics and names, bit for bit. The data that was replayed is not
        saved: `explain` has no rows to show.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    DataError
        If it is no saved result, of another version, or was changed after it was saved.
    ImportError
        Without pyarrow.

    Examples
    --------
    >>> ticks = [{"timestamp": i, "price": 0.5} for i in range(3)]
    >>> result = hz.backtest("quiet", data=ticks, pipeline=[lambda ctx: None])
    >>> folder = result.save("quiet")
    >>> again = hz.load_result(folder)
    >>> again.name, again.equity_curve == result.equity_curve
    ('quiet', True)
    """
    require_pyarrow()
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be a path, was {checks.show(path)} ({type(path).__name__})")
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"path must be the folder of a saved result, was {str(path)!r}")
    try:
        facts, tables = _read(folder)
        return BacktestResult(_record(_decoded(facts), tables))
    except DataError:
        raise
    except RecursionError as error:
        raise DataError(f"{_at(folder)} does not fit together: it is nested too deeply") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DataError(f"{_at(folder)} does not fit together: {error}") from error


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _at(folder: Path) -> str:
    return f"the saved result {str(folder)!r}"


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read facts and tables, both of which must be as they were written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = folder / FACTS
    if not facts.is_file():
        raise DataError(f"{str(folder)!r} is no saved result: it has no {FACTS}")
    try:
        body = json.loads(facts.read_text(encoding="utf-8"), parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{_at(folder)} is damaged: {FACTS} cannot be read ({error})") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise DataError(f"{str(folder)!r} is no saved result: {FACTS} is of another kind")
    version = body.get("version")
    if version != VERSION or type(version) is not int:
        raise DataError(
            f"{_at(folder)} has the format version {checks.show(version)}, this Horizon reads "
            f"version {VERSION}"
        )
    if body.get("checksum") != checksum(body):
        raise DataError(f"{_at(folder)} is damaged: {FACTS} was changed after it was saved")
    sums = body.get("tables")
    # What runs without strategies leave, and with them.
    expected = {frozenset(names): names for names in (TABLES, (*TABLES, *DECISION_TABLES))}
    if not isinstance(sums, dict) or frozenset(sums) not in expected:
        raise DataError(f"{_at(folder)} does not fit together: its tables are not those expected")
    tables = {}
    for name in expected[frozenset(sums)]:
        try:
            content = folder.joinpath(name).read_bytes()
        except OSError as error:
            raise DataError(f"{_at(folder)} is damaged: {name} cannot be read ({error})") from error
        if hashlib.sha256(content).hexdigest() != sums[name]:
            raise DataError(f"{_at(folder)} is damaged: {name} was changed after it was saved")
        try:
            tables[name] = pq.read_table(pa.BufferReader(content))
        except pa.ArrowException as error:
            raise DataError(f"{_at(folder)} is damaged: {name} is no Parquet ({error})") from error
    run = body.get("run")
    if not isinstance(run, dict):
        raise DataError(f"{_at(folder)} does not fit together: it has no run")
    return run, tables


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$float" in value:
        return float(value["$float"])
    return {k.removeprefix("$"): _decoded(v) for k, v in value.items()}


def _record(facts: dict[str, Any], tables: dict[str, Any]) -> RunRecord:
    """Put facts and tables together; whatever does not fit raises."""
    equity = _Columns("equity.parquet", tables)
    fills = _Columns("fills.parquet", tables)
    orders = _Columns("orders.parquet", tables)
    settled = _Columns("settlements.parquet", tables)
    fill_legs, order_legs = tuple(facts["fill_legs"]), tuple(facts["order_legs"])
    intents, reasons = tuple(facts["intents"]), tuple(facts["reasons"])
    made_orders = OrderColumns(
        legs=orders.codes("market_id", order_legs, np.int32),
        signs=_signs(orders),
        quantities=orders.floats("quantity"),
        prices=orders.floats("price"),
        filled=orders.floats("filled"),
        averages=orders.floats("average_price"),
        submitted_ns=orders.times("submitted"),
        ended_ns=orders.times("ended"),
        statuses=orders.codes("status", STATUSES, np.int8),
        intents=orders.codes("intent", intents, np.int32),
        reasons=orders.codes("reason", reasons, np.int32),
        leg_ids=order_legs,
        intent_names=intents,
        reason_texts=reasons,
        **{name: orders.flags(name) for name in FLAGS},
    )
    numbers = fills.whole("order_number")
    if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= len(made_orders)):
        raise ValueError("fills.parquet names orders that orders.parquet does not have")
    made_fills = FillColumns(
        order_numbers=numbers,
        legs=fills.codes("market_id", fill_legs, np.int32),
        signs=_signs(fills),
        quantities=fills.floats("quantity"),
        prices=fills.floats("price"),
        fees=fills.floats("fee"),
        realized=fills.floats("realized_pnl"),
        times_ns=fills.times("time"),
        is_maker=fills.flags("is_maker"),
        leg_ids=fill_legs,
    )
    settlements = zip(
        settled.column("market_id", "string").to_pylist(),
        *(settled.floats(name).tolist() for name in ("quantity", "price", "realized_pnl")),
        settled.times("time").tolist(),
        strict=True,
    )
    decisions = None
    if "decisions.parquet" in tables:
        said = facts.pop("decisions")
        decisions = decision_columns(lambda name: _Columns(name, tables), said, len(made_orders))
    plain = _plain(facts)
    plain["error_texts"] = tuple(plain["error_texts"])
    plain["remarks"] = tuple(plain["remarks"])
    return RunRecord(
        **plain,
        markets=tuple(_market(each) for each in facts["markets"]),
        positions=tuple(
            Position(**{**each, "side": Side(each["side"])}) for each in facts["positions"]
        ),
        times_ns=equity.times("time"),
        equity=equity.floats("equity"),
        fills=made_fills,
        fair_values=fills.floats("fair_value"),
        orders=made_orders,
        settlements=tuple(settlements),
        decisions=decisions,
    )


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts that are taken as they are, each of which must be of its kind."""
    if facts.keys() != {*PLAIN, *LISTS}:
        odd = sorted(facts.keys() ^ {*PLAIN, *LISTS})
        raise ValueError(f"{FACTS} lacks {odd[0]!r}, or has it and should not")
    for name, kinds in PLAIN.items():
        if not isinstance(facts[name], kinds) or isinstance(facts[name], bool):
            raise TypeError(f"{FACTS} has {name!r} as {checks.show(facts[name])}")
    return {name: facts[name] for name in PLAIN}


def _market(facts: dict[str, Any]) -> Market:
    return Market(**{**facts, "asset_class": AssetClass[facts["asset_class"]]})


def _signs(columns: _Columns) -> NDArray[np.int8]:
    signs: NDArray[np.int8] = 2 * columns.codes("side", SIDES, np.int8) - 1
    return signs.astype(np.int8)


class _Columns:
    """The columns of one table, each of the type that it was written in."""

    def __init__(self, name: str, tables: Mapping[str, Any]) -> None:
        self.name = name
        self.table = tables[name]

    def column(self, name: str, kind: str) -> Any:
        """Return a column, whose type must be the one expected."""
        if name not in self.table.column_names:
            raise ValueError(f"{self.name} has no column {name!r}")
        column = self.table.column(name)
        pa = require_pyarrow()
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if str(column.type) != kind:
            raise ValueError(f"{self.name} has {name!r} as {column.type}, not as {kind}")
        return column

    def _array(self, name: str, kind: str) -> Any:
        column = self.column(name, kind)
        if column.null_count:
            raise ValueError(f"{self.name} has gaps in {name!r}")
        return column.to_numpy()

    def floats(self, name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = self._array(name, "double")
        return values

    def whole(self, name: str) -> NDArray[np.int64]:
        values: NDArray[np.int64] = self._array(name, "int64")
        return values

    def flags(self, name: str) -> NDArray[np.bool_]:
        values: NDArray[np.bool_] = self._array(name, "bool")
        return values

    def times(self, name: str) -> NDArray[np.int64]:
        column = self.column(name, "timestamp[ns, tz=UTC]").cast("int64")
        values: NDArray[np.int64] = column.fill_null(NEVER_NS).to_numpy()
        return values

    def codes(self, name: str, words: tuple[str, ...], kind: Any) -> NDArray[Any]:
        import pyarrow.compute as pc

        column = self.column(name, "string")
        found = pc.index_in(column, value_set=require_pyarrow().array(words, type="string"))
        if found.null_count:
            raise ValueError(f"{self.name} has unknown words in {name!r}")
        numbers: NDArray[Any] = found.to_numpy().astype(kind)
        return numbers
