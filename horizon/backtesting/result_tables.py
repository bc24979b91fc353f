"""A run's columns as what people read: fills, frames, tables for the analytics, CSV."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.fills import FillTable, fill_table
from horizon.backtesting.record import RunRecord
from horizon.instruments import Prediction, class_of_id, split_side
from horizon.types import Fill, OrderSide, Side
from horizon.venues.history import STATUSES
from horizon.venues.records import NEVER_NS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "WHAT",
    "are_foreign",
    "equity_series",
    "fills_frame",
    "fills_of",
    "forecast_outcomes",
    "instants",
    "legs_named",
    "orders_frame",
    "positions_frame",
    "profits_of",
    "table_of_run",
    "texts",
    "write_csv",
]

#: What `write_csv` knows.
WHAT: Final = ("equity", "trades", "fills", "orders")
#: A cell of a spreadsheet that begins with one of these is a formula to it; the last four are
#: the same characters in their wide form, which some take for them.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


# ------------------------------------------------------------------------ markets and sides
def legs_named(record: RunRecord, leg_ids: tuple[str, ...]) -> list[tuple[str, Side]]:
    """Return the market and the side of each leg, in engine words."""
    classes = {market.id: market.asset_class for market in record.markets}
    named = []
    for leg_id in leg_ids:
        market, is_no = split_side(leg_id)
        # An order may have gone to a market that the run does not have, and come back rejected.
        kind = classes[market] if market in classes else class_of_id(leg_id)
        side = Side.No if is_no else Side.Yes if kind is Prediction else Side.Long
        named.append((market, side))
    return named


def texts(words: tuple[str, ...] | list[str], codes: NDArray[Any]) -> NDArray[np.object_]:
    """Return the word that each number stands for, shape (n,)."""
    column = np.empty(len(words), dtype=object)
    column[:] = words
    return column[codes.astype(np.intp, copy=False)]


# ------------------------------------------------------------------------ fills
def fills_of(record: RunRecord) -> list[Fill]:
    """Make the list of fills, oldest first."""
    fills = record.fills
    legs = legs_named(record, fills.leg_ids)
    columns = (
        fills.order_numbers,
        fills.legs,
        fills.signs,
        fills.quantities,
        fills.prices,
        fills.fees,
        fills.times_ns,
        fills.is_maker,
        fills.realized,
    )
    buy, sell = OrderSide.Buy, OrderSide.Sell
    return [
        Fill(
            f"p{number}",
            legs[leg][0],
            legs[leg][1],
            buy if sign > 0 else sell,
            quantity,
            price,
            fee,
            checks.ns_to_seconds(ns),
            is_maker,
            realized,
        )
        for number, leg, sign, quantity, price, fee, ns, is_maker, realized in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def table_of_run(record: RunRecord) -> FillTable:
    """Read fills and settlements into the table that the analytics work on."""
    fills = record.fills
    settled = list(zip(*record.settlements, strict=True)) or [(), (), (), (), ()]
    leg_ids, quantities, prices, realized, times = settled
    return fill_table(
        {
            "timestamp": instants(fills.times_ns),
            "market_id": texts(fills.leg_ids, fills.legs),
            "side": texts(("sell", "buy"), fills.signs > 0),
            "quantity": fills.quantities,
            "price": fills.prices,
            "fee": fills.fees,
            "is_maker": fills.is_maker,
            "realized_pnl": fills.realized,
        },
        {
            "timestamp": instants(np.array(times, dtype=np.int64)),
            "market_id": list(leg_ids),
            "quantity": list(quantities),
            "price": list(prices),
            "realized_pnl": list(realized),
        },
        multipliers={market.id: float(market.multiplier or 1.0) for market in record.markets},
    )


def profits_of(record: RunRecord) -> dict[str, float]:
    """Return realised profit less fees by market, YES and NO and settlements together.

    In the order of the run's markets, 0.0 where nothing was traded. Each is the exactly rounded
    sum of what its fills and settlements have realised and cost.
    """
    fills = record.fills
    terms: dict[str, list[float]] = {market.id: [] for market in record.markets}
    markets = [split_side(leg_id)[0] for leg_id in fills.leg_ids]
    order = np.argsort(fills.legs, kind="stable")
    cuts = np.searchsorted(fills.legs[order], np.arange(len(markets) + 1))
    for market, start, end in zip(markets, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        rows = order[start:end]
        own = terms.setdefault(market, [])
        own += fills.realized[rows].tolist()
        own += (-fills.fees[rows]).tolist()
    for leg_id, _, _, realized, _ in record.settlements:
        terms.setdefault(split_side(leg_id)[0], []).append(realized)
    return {market: math.fsum(own) for market, own in terms.items()}


# ------------------------------------------------------------------------ forecasts
def forecast_outcomes(record: RunRecord) -> dict[str, float] | None:
    """Return the outcomes of contracts that pay 1, which alone are forecast; None without."""
    predictions = {m.id for m in record.markets if m.asset_class is Prediction}
    own = {market: value for market, value in record.outcomes.items() if market in predictions}
    return own or None


def are_foreign(record: RunRecord) -> NDArray[np.bool_]:
    """Find the fills of prediction markets whose fair value is no probability, shape (n,)."""
    fair, legs = record.fair_values, record.fills.leg_ids
    outside: NDArray[np.bool_] = (fair < 0.0) | (fair > 1.0)
    if not outside.any():
        return outside
    predictions = {market.id for market in record.markets if market.asset_class is Prediction}
    pays_one = np.array([split_side(leg_id)[0] in predictions for leg_id in legs], dtype=bool)
    foreign: NDArray[np.bool_] = outside & pays_one[record.fills.legs]
    return foreign


# ------------------------------------------------------------------------ frames
def instants(times_ns: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return nanoseconds since 1970 as times; `NEVER_NS` is none (NaT)."""
    return times_ns.view("datetime64[ns]")


def _utc(times_ns: NDArray[np.int64]) -> pd.DatetimeIndex:
    import pandas as pd

    # A copy: what the caller does to a frame, he does not do to the run.
    return pd.DatetimeIndex(instants(times_ns).copy()).tz_localize("UTC")


def _text(words: tuple[str, ...] | list[str], codes: NDArray[Any]) -> pd.Series[str]:
    import pandas as pd

    return pd.Series(texts(words, codes), dtype="str")


def _ids(letter: str, numbers: NDArray[np.int64]) -> list[str]:
    return [f"{letter}{number}" for number in numbers.tolist()]


def equity_series(record: RunRecord) -> pd.Series[float]:
    """Return the equity curve, indexed by time in UTC."""
    import pandas as pd

    index = _utc(record.times_ns)
    index.name = "time"
    return pd.Series(record.equity.copy(), index=index, name="equity")


def fills_frame(record: RunRecord) -> pd.DataFrame:
    """Return one row for each fill, indexed by fill id, in engine words."""
    import pandas as pd

    fills = record.fills
    legs = legs_named(record, fills.leg_ids)
    index = pd.Index(_ids("f", np.arange(1, len(fills) + 1)), dtype="str", name="id")
    return pd.DataFrame(
        {
            "timestamp": _utc(fills.times_ns),
            "order_id": pd.Series(fills.order_ids, dtype="str"),
            "market_id": _text([market for market, _ in legs], fills.legs),
            "side": _text([side.value for _, side in legs], fills.legs),
            "order_side": _text(("sell", "buy"), fills.signs > 0),
            "size": fills.quantities.copy(),
            "price": fills.prices.copy(),
            "fee": fills.fees.copy(),
            "is_maker": fills.is_maker.copy(),
            "realized_pnl": fills.realized.copy(),
            "fair_value": record.fair_values.copy(),
        }
    ).set_index(index)


def orders_frame(record: RunRecord) -> pd.DataFrame:
    """Return one row for each order, indexed by order id, in engine words."""
    import pandas as pd

    orders = record.orders
    legs = legs_named(record, orders.leg_ids)
    index = pd.Index(_ids("p", np.arange(1, len(orders) + 1)), dtype="str", name="id")
    return pd.DataFrame(
        {
            "submitted": _utc(orders.submitted_ns),
            "ended": _utc(orders.ended_ns),
            "market_id": _text([market for market, _ in legs], orders.legs),
            "side": _text([side.value for _, side in legs], orders.legs),
            "order_side": _text(("sell", "buy"), orders.signs > 0),
            "size": orders.quantities.copy(),
            "price": orders.prices.copy(),
            "order_type": _text(("limit", "market"), orders.is_market),
            "status": _text(STATUSES, orders.statuses),
            "filled": orders.filled.copy(),
            "average_price": np.where(orders.filled > 0.0, orders.averages, np.nan),
            "tif": _text(("gtc", "ioc"), orders.ioc),
            "post_only": orders.post_only.copy(),
            "reduce_only": orders.reduce_only.copy(),
            "is_taker": orders.is_taker.copy(),
            "intent": _text(orders.intent_names, orders.intents),
            "reason": _text(orders.reason_texts, orders.reasons),
        }
    ).set_index(index)


def positions_frame(record: RunRecord) -> pd.DataFrame:
    """Return one row for each position held at the end, indexed by market id."""
    import pandas as pd

    held = record.positions
    return pd.DataFrame(
        {
            "side": pd.Series([position.side.value for position in held], dtype="str"),
            "size": np.array([position.size for position in held], dtype=np.float64),
            "avg_entry_price": np.array([p.avg_entry_price for p in held], dtype=np.float64),
            "realized_pnl": np.array([p.realized_pnl for p in held], dtype=np.float64),
            "unrealized_pnl": np.array([p.unrealized_pnl for p in held], dtype=np.float64),
        }
    ).set_index(pd.Index([p.market_id for p in held], dtype="str", name="market_id"))


# ------------------------------------------------------------------------ CSV
def write_csv(record: RunRecord, path: str | os.PathLike[str], what: str) -> Path:
    """Write the curve, the fills or the orders as CSV; see `BacktestResult.to_csv`."""
    import pandas as pd

    checks.one_of("what", what, WHAT)
    target = checks.new_file("path", path)
    if what == "equity":
        frame = pd.DataFrame(
            {"timestamp": list(_seconds(record.times_ns)), "equity": record.equity}
        )
    elif what == "orders":
        frame = orders_frame(record).reset_index()
        for name in ("submitted", "ended"):
            frame[name] = list(_seconds(getattr(record.orders, f"{name}_ns")))
    else:
        frame = fills_frame(record).reset_index(drop=True)
        frame["timestamp"] = list(_seconds(record.fills.times_ns))
    for name in frame.columns:
        if frame[name].dtype.kind not in "biuf":
            frame[name] = _harmless(frame[name])
    frame.to_csv(target, index=False, encoding="utf-8", lineterminator="\n")
    return target


def _seconds(times_ns: NDArray[np.int64]) -> Iterator[float | None]:
    return (None if ns == NEVER_NS else checks.ns_to_seconds(ns) for ns in times_ns.tolist())


def _harmless(column: pd.Series[str]) -> pd.Series[str]:
    """Put an apostrophe before what a spreadsheet would work out; few words repeat often."""
    return column.map({word: _as_text(word) for word in column.unique()})


def _as_text(word: str) -> str:
    return f"'{word}" if word.startswith(_FORMULA) else word
