"""What a blotter's rows say: finished texts, each beside the value that it is sorted by.

They are made when a page is to be told, and not before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from horizon import words
from horizon.widgets.blotter.rows import STATES, FillRow, OrderRow, PositionRow
from horizon.widgets.row_words import SIDES, action

__all__ = [
    "Cell",
    "fill_cells",
    "money",
    "order_actions",
    "order_cells",
    "position_actions",
    "position_cells",
    "time_words",
]

#: A cell: its text, the value it is sorted by (None stands behind all others), and its tone.
Cell = list[Any]

_NS: Final = 1_000_000_000
_REMEMBERED: Final = 10_000


# ------------------------------------------------------------------------- numbers as cells
def money(value: float, *, plus: bool = True) -> str:
    """A sum of money under a heading that names its currency."""
    return words.cash(value, "", sign=plus).strip()


def _number(value: float | None, write: Callable[[float], str], tone: str = "") -> Cell:
    if value is None or math.isnan(value):
        return [words.MISSING, None]
    key = value if math.isfinite(value) else None
    return [write(value), key, tone] if tone else [write(value), key]


# The same sizes and prices come again and again, and writing one takes microseconds.
_exact: Final = lru_cache(_REMEMBERED)(words.exact)
_price: Final = lru_cache(_REMEMBERED)(words.price)


@lru_cache(_REMEMBERED)
def _fee(value: float) -> str:
    return money(value, plus=False)


@lru_cache(_REMEMBERED)
def _limit(value: float) -> str:
    return words.exact(value, decimals=2)


def _percent(fraction: float) -> str:
    shown = words.percent(abs(fraction)).removesuffix(" %")
    return shown if shown == "0" else f"{'+' if fraction > 0.0 else '−'}{shown}"


def _tone(value: float) -> str:
    return "" if abs(value) < 0.005 else SIDES[1 if value > 0.0 else -1][1]


def time_words(ns: int, with_day: bool) -> str:
    """A point in time to the millisecond, which is cut, not rounded."""
    seconds, rest = divmod(ns, _NS)
    return f"{words.clock(float(seconds), date=with_day)}.{rest // 1_000_000:03d}"


def _text(text: str | None) -> Cell:
    return [text, text] if text else ["", None]


def _side(sign: int) -> Cell:
    word, tone = SIDES[sign]
    return [word, word, tone]


# ------------------------------------------------------------------------- orders
def order_cells(row: OrderRow, with_day: bool) -> list[Cell]:
    """The cells of an order, in the order of `ORDER_COLUMNS`."""
    left = max(0.0, row.quantity - row.filled) if row.is_open else 0.0
    return [
        [row.id, _serial(row.id)],
        [row.market, row.market],
        _side(row.sign),
        [_state(row), STATES.get(row.status, row.status)],
        _number(row.quantity, _exact),
        _number(row.filled, _exact),
        _number(left, _exact),
        ["market", None] if row.limit is None else _number(row.limit, _limit),
        _number(row.average, _price),
        _number(_value(row, left), _fee),
        _number(row.fees, _fee),
        _text(_terms(row)),
        [time_words(row.sent_ns, with_day), row.sent_ns / _NS],
        _text(_source(row)),
        _text(None if row.client_order_id is None else words.name(row.client_order_id)),
    ]


def _value(row: OrderRow, left: float) -> float | None:
    """What has filled at its average price, and what still works at its limit."""
    filled = 0.0 if row.average is None else row.filled * row.average
    working = 0.0 if row.limit is None else left * row.limit
    return None if filled == working == 0.0 else (filled + working) * row.multiplier


def _serial(order_id: str) -> int | str:
    """Order ids are numbered: p9 comes before p10."""
    digits = order_id[1:]
    return int(digits) if digits.isdecimal() and digits.isascii() else order_id


def _state(row: OrderRow) -> str:
    state = STATES.get(row.status, row.status)
    if row.is_open:
        if row.is_leaving:
            return f"{state}, cancel on its way"
        return f"{state}, on its way" if row.is_on_its_way else state
    if row.reason is not None and row.status in ("rejected", "canceled"):
        return f"{state}: {words.name(row.reason)}"
    return state


def _source(row: OrderRow) -> str | None:
    if row.algo is not None:
        return row.algo
    # A liquidation is nobody's order, and must not look like one.
    return None if row.intent is None else words.name(row.intent).replace("_", " ")


def _terms(row: OrderRow) -> str:
    terms = ["IOC"] if row.ioc else []
    if row.post_only:
        terms.append("post-only")
    if row.reduce_only:
        terms.append("reduce-only")
    if row.leverage is not None:
        terms.append(f"{row.leverage:g}×")
    return ", ".join(terms)


def order_actions(row: OrderRow, *, can_amend: bool) -> list[dict[str, Any]]:
    """What can be done with an order: nothing once it has ended."""
    if not row.is_open or row.is_leaving:
        return []
    side = "buy" if row.sign > 0 else "sell"
    limit = "market" if row.limit is None else _limit(row.limit)
    what = f"order {row.id}: {side} {words.exact(row.quantity)} {row.market} at {limit}"
    actions = [action("cancel", row.id, "Cancel", f"Cancel {what}")]
    if can_amend and row.limit is not None:
        actions.insert(0, action("amend", row.id, "Amend", f"Amend {what}"))
    return actions


# ------------------------------------------------------------------------- fills
def fill_cells(row: FillRow, with_day: bool) -> list[Cell]:
    """The cells of a fill, in the order of `FILL_COLUMNS`."""
    role = "maker" if row.is_maker else "taker"
    return [
        [time_words(row.time_ns, with_day), row.time_ns / _NS],
        [row.market, row.market],
        _side(row.sign),
        _number(row.quantity, _exact),
        _number(row.price, _price),
        _number(row.quantity * row.price * row.multiplier, _fee),
        _number(row.fee, _fee),
        [role, role],
        _number(row.realized, money, _tone(row.realized)),
        [row.order_id, _serial(row.order_id)],
        [row.id, _serial(row.id)],
    ]


# ------------------------------------------------------------------------- positions
def position_cells(row: PositionRow, with_day: bool) -> list[Cell]:
    """The cells of a position, in the order of `POSITION_COLUMNS`."""
    del with_day
    is_held = row.quantity != 0.0
    value = row.quantity * row.mark * row.multiplier if is_held and row.mark is not None else None
    cost = abs(row.quantity * row.average * row.multiplier) if row.average else 0.0
    earned = row.unrealized / cost if is_held and cost else None
    tone = SIDES[1 if row.quantity > 0.0 else -1][1] if is_held else ""
    return [
        [row.market, row.market],
        [row.kind, row.kind],
        _number(row.quantity, words.signed, tone),
        _number(row.average if is_held else None, _price),
        _number(row.mark, _price),
        _number(value, money),
        _number(row.unrealized if is_held else None, money, _tone(row.unrealized)),
        _number(earned, _percent),
        _number(row.realized, money, _tone(row.realized)),
        _number(row.fees, _fee),
        _number(row.leverage, "{:g}".format),
    ]


def position_actions(row: PositionRow) -> list[dict[str, Any]]:
    """The button that flattens a position, saying all that `Engine.flatten` does."""
    if row.quantity == 0.0:
        return []
    label, what = ("Flatten", row.market) if row.both is None else ("Flatten both", row.both)
    name = f"{label} {what}: closes it, cancels its orders, ends its algorithms"
    return [action("flatten", row.market_id, label, name)]
