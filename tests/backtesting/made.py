"""Runs made by hand, for tests of what is made of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from horizon.backtesting.record import RunRecord
from horizon.instruments import Equity, Market, Prediction
from horizon.types import Position, Side
from horizon.venues.history import STATUSES, FillColumns, OrderColumns
from horizon.venues.records import NEVER_NS

#: 14 November 2023, 22:13:20 UTC.
T0 = 1_700_000_000
NS = 1_000_000_000


def ns(seconds: float) -> int:
    """A time that many seconds after T0."""
    return T0 * NS + round(seconds * NS)


def orders_of(rows: Sequence[dict[str, Any]], leg_ids: tuple[str, ...]) -> OrderColumns:
    """Orders p1, p2, … of rows; what a row leaves out is as usual."""
    intents, reasons = [""], [""]

    def number(texts: list[str], text: str) -> int:
        if text not in texts:
            texts.append(text)
        return texts.index(text)

    usual = {
        "leg": leg_ids[0] if leg_ids else "",
        "sign": 1,
        "quantity": 1.0,
        "price": None,
        "filled": 0.0,
        "average": 0.0,
        "sent": 0.0,
        "ended": None,
        "status": "new",
        "ioc": False,
        "post_only": False,
        "reduce_only": False,
        "is_taker": False,
        "intent": "",
        "reason": "",
    }
    for row in rows:
        assert row.keys() <= usual.keys(), row
    full = [{**usual, **row} for row in rows]

    def column(name: str, kind: Any) -> Any:
        return np.array([row[name] for row in full], dtype=kind)

    return OrderColumns(
        legs=np.array([leg_ids.index(row["leg"]) for row in full], dtype=np.int32),
        signs=column("sign", np.int8),
        quantities=column("quantity", np.float64),
        prices=np.array([np.nan if r["price"] is None else r["price"] for r in full], dtype=float),
        filled=column("filled", np.float64),
        averages=column("average", np.float64),
        submitted_ns=np.array([ns(row["sent"]) for row in full], dtype=np.int64),
        ended_ns=np.array(
            [NEVER_NS if row["ended"] is None else ns(row["ended"]) for row in full],
            dtype=np.int64,
        ),
        statuses=np.array([STATUSES.index(row["status"]) for row in full], dtype=np.int8),
        is_market=np.array([row["price"] is None for row in full], dtype=bool),
        ioc=column("ioc", bool),
        post_only=column("post_only", bool),
        reduce_only=column("reduce_only", bool),
        is_taker=column("is_taker", bool),
        intents=np.array([number(intents, row["intent"]) for row in full], dtype=np.int32),
        reasons=np.array([number(reasons, row["reason"]) for row in full], dtype=np.int32),
        leg_ids=leg_ids,
        intent_names=tuple(intents),
        reason_texts=tuple(reasons),
    )


def fills_of(rows: Sequence[tuple[Any, ...]], leg_ids: tuple[str, ...]) -> FillColumns:
    """Fills of rows: order number, leg, sign, quantity, price, fee, realised, seconds, maker?"""
    columns = list(zip(*rows, strict=True)) or [()] * 9
    kinds = (np.int64, object, np.int8, float, float, float, float, float, bool)
    number, leg, sign, quantity, price, fee, realized, at, is_maker = (
        np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)
    )
    return FillColumns(
        order_numbers=number,
        legs=np.array([leg_ids.index(each) for each in leg], dtype=np.int32),
        signs=sign,
        quantities=quantity,
        prices=price,
        fees=fee,
        realized=realized,
        times_ns=np.array([ns(seconds) for seconds in at.tolist()], dtype=np.int64),
        is_maker=is_maker,
        leg_ids=leg_ids,
    )


def record_of(
    curve: Sequence[tuple[float, float]],
    fills: Sequence[tuple[Any, ...]] = (),
    orders: Sequence[dict[str, Any]] = (),
    *,
    leg_ids: tuple[str, ...] = ("rain",),
    **facts: Any,
) -> RunRecord:
    """A run of its curve (seconds after T0, equity), fills and orders."""
    given: dict[str, Any] = {
        "name": "made",
        "initial_capital": 1000.0,
        "markets": tuple(Market(leg, Prediction) for leg in leg_ids if not leg.endswith(":no")),
        "market_feeds": {leg: "data" for leg in leg_ids if not leg.endswith(":no")},
        "times_ns": np.array([ns(at) for at, _ in curve], dtype=np.int64),
        "equity": np.array([value for _, value in curve], dtype=np.float64),
        "fills": fills_of(fills, leg_ids),
        "orders": orders_of(orders, leg_ids),
        "fair_values": np.full(len(fills), np.nan),
        "settlements": (),
        "positions": (),
        "outcomes": {},
        "rejections": {},
        "errors": {},
        "error_texts": (),
        "dropped": {},
        "config": {},
    }
    return RunRecord(**{**given, **facts})


def whole_run(**facts: Any) -> RunRecord:
    """Fills in YES, in NO and in a stock, a settlement, an order that never filled.

    ====  ==============================  ========  =====  ======================
    time  what happens                    realised   fees  equity
    ====  ==============================  ========  =====  ======================
       0  nothing                                          1000
      10  10 YES at 0.40                             0.01  1000 − 0.01 = 999.99
      20  5 NO at 0.30, 2 ACME at 50                 0.12  1000 + 10 × 0.30 (YES
                                                           at 0.70) − 0.13 = 1002.87
      30  1 ACME sold at 55                      5   0.05  1000 + 3 + 5 + 5 − 0.18
                                                           = 1012.82
      40  YES at 0.90, ACME at 54                          1000 + 5 (YES) − 1 (NO)
                                                           + 5 + 4 − 0.18 = 1012.82
      40  YES settles at 1                 6 − 1.5         1000 + 4.5 + 5 + 4 − 0.18
                                                           = 1013.32
    ====  ==============================  ========  =====  ======================

    Realised 9.50, unrealised 4 (one ACME from 50 to 54), fees 0.18: 13.32 in all.
    """
    legs = ("rain", "rain:no", "ACME")
    fills = [
        (1, "rain", 1, 10.0, 0.40, 0.01, 0.0, 10.0, True),
        (2, "rain:no", 1, 5.0, 0.30, 0.02, 0.0, 20.0, False),
        (3, "ACME", 1, 2.0, 50.0, 0.10, 0.0, 20.0, False),
        (4, "ACME", -1, 1.0, 55.0, 0.05, 5.0, 30.0, True),
    ]
    done = {"status": "filled"}
    orders = [
        {"leg": "rain", "quantity": 10.0, "price": 0.4, "filled": 10.0, "average": 0.4, **done}
        | {"ended": 10.0, "intent": "quote"},
        {"leg": "rain:no", "quantity": 5.0, "price": 0.3, "filled": 5.0, "average": 0.3, **done}
        | {"sent": 10.0, "ended": 20.0, "is_taker": True},
        {"leg": "ACME", "quantity": 2.0, "filled": 2.0, "average": 50.0, "sent": 10.0, **done}
        | {"ended": 20.0, "is_taker": True},
        {"leg": "ACME", "sign": -1, "price": 55.0, "filled": 1.0, "average": 55.0, **done}
        | {"sent": 20.0, "ended": 30.0, "reduce_only": True},
        {"leg": "rain", "price": 0.1, "sent": 20.0, "ended": 30.0, "status": "canceled"}
        | {"reason": "the quote has moved"},
        {"leg": "ACME", "quantity": 1e6, "price": 50.0, "sent": 30.0, "ended": 30.0}
        | {"status": "rejected", "reason": "buying power: the order needs 50,000,000.00 USD"},
        {"leg": "ACME", "price": 10.0, "sent": 30.0, "ioc": False, "post_only": True},
    ]
    given: dict[str, Any] = {
        "name": "by hand",
        "leg_ids": legs,
        "markets": (Market("rain", Prediction), Market("ACME", Equity)),
        "market_feeds": {"rain": "rain", "ACME": "ACME"},
        "fair_values": np.array([0.55, 0.65, np.nan, np.nan]),
        "settlements": (("rain", 10.0, 1.0, 6.0, ns(40)), ("rain:no", 5.0, 0.0, -1.5, ns(40))),
        "positions": (Position("ACME", Side.Long, 1.0, 50.0, 5.0, 4.0),),
        "outcomes": {"rain": 1.0},
        "rejections": {"buying power": 1},
        "config": {"name": "by hand", "markets": ["rain", "ACME"], "params": {"width": 0.04}},
    }
    curve = [
        (0, 1000.0),
        (10, 999.99),
        (20, 1002.87),
        (30, 1012.82),
        (40, 1012.82),
        (40, 1013.32),
    ]
    return record_of(curve, fills, orders, **{**given, **facts})


def with_name(record: RunRecord, name: str) -> RunRecord:
    """The same run under another name."""
    return replace(record, name=name)
