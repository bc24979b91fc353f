"""A blotter's rows and columns: orders, fills and positions as plain values."""

from __future__ import annotations

from typing import Final, NamedTuple

from horizon.types import AssetClass
from horizon.widgets.row_words import SIDES

__all__ = [
    "FILL_COLUMNS",
    "ORDER_COLUMNS",
    "POSITION_COLUMNS",
    "STATES",
    "Column",
    "FillRow",
    "OrderRow",
    "PositionRow",
]

#: The state of an order in a reader's words, by the account's.
STATES: Final = {
    "new": "working",
    "partial": "partly filled",
    "filled": "filled",
    "canceled": "cancelled",
    "rejected": "rejected",
}
_SIDE_WORDS: Final = tuple(word for word, _ in SIDES.values())
_CLASSES: Final = tuple(str(kind) for kind in AssetClass)


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    name : str
        Its own, for choosing it.
    label : str
        Its heading, with its unit; ``{}`` stands for the account's currency.
    kind : str
        How it is filtered: ``"text"``, ``"number"``, or ``"choice"``.
    width : int
        Of its text at least, in pixels.
    is_shown : bool
        Unless the user chooses otherwise.
    choices : tuple of str
        What a choice can be.
    """

    name: str
    label: str
    kind: str = "text"
    width: int = 90
    is_shown: bool = True
    choices: tuple[str, ...] = ()


ORDER_COLUMNS: Final = (
    Column("order", "Order", width=50),
    Column("market", "Market", width=116),
    Column("side", "Side", "choice", 60, choices=_SIDE_WORDS),
    Column("state", "State", "choice", 88, choices=tuple(STATES.values())),
    Column("quantity", "Quantity, units", "number", 92),
    Column("filled", "Filled, units", "number", 76),
    Column("left", "Left, units", "number", 66, is_shown=False),
    Column("limit", "Limit, {}", "number", 68),
    Column("average", "Average, {}", "number", 84),
    Column("value", "Value, {}", "number", 92, is_shown=False),
    Column("fees", "Fees, {}", "number", 70, is_shown=False),
    Column("terms", "Terms", width=120, is_shown=False),
    Column("sent", "Sent, UTC", width=84),
    Column("source", "From", width=70),
    Column("client", "Client order id", width=130, is_shown=False),
)
FILL_COLUMNS: Final = (
    Column("time", "Time, UTC", width=84),
    Column("market", "Market", width=130),
    Column("side", "Side", "choice", 62, choices=_SIDE_WORDS),
    Column("quantity", "Quantity, units", "number", 92),
    Column("price", "Price, {}", "number", 80),
    Column("value", "Value, {}", "number", 92),
    Column("fee", "Fee, {}", "number", 64),
    Column("role", "Role", "choice", 54, choices=("maker", "taker")),
    Column("realised", "Realised, {}", "number", 92),
    Column("order", "Order", width=58),
    Column("fill", "Fill", width=46, is_shown=False),
)
POSITION_COLUMNS: Final = (
    Column("market", "Market", width=130),
    Column("class", "Class", "choice", 72, is_shown=False, choices=_CLASSES),
    Column("position", "Position, units", "number", 96),
    Column("average", "Average, {}", "number", 92),
    Column("mark", "Mark, {}", "number", 80),
    Column("value", "Value, {}", "number", 92),
    Column("unrealised", "Unrealised, {}", "number", 100),
    Column("return", "Return, %", "number", 62),
    Column("realised", "Realised, {}", "number", 92),
    Column("fees", "Fees, {}", "number", 70, is_shown=False),
    Column("leverage", "Leverage, ×", "number", 76, is_shown=False),
)


class OrderRow(NamedTuple):
    """An order as it stood when it was looked at; what is not there is None."""

    id: str
    market_id: str
    market: str
    sign: int
    quantity: float
    filled: float
    limit: float | None
    average: float | None
    fees: float
    status: str
    is_open: bool
    is_on_its_way: bool
    is_leaving: bool
    reason: str | None
    intent: str | None
    sent_ns: int
    ioc: bool
    post_only: bool
    reduce_only: bool
    leverage: float | None
    client_order_id: str | None
    algo: str | None
    multiplier: float


class FillRow(NamedTuple):
    """A fill."""

    id: str
    order_id: str
    market_id: str
    market: str
    sign: int
    quantity: float
    price: float
    fee: float
    time_ns: int
    is_maker: bool
    realized: float
    multiplier: float


class PositionRow(NamedTuple):
    """A position at its mark, or what is left of one that was closed."""

    market_id: str
    market: str
    kind: str
    quantity: float
    average: float | None
    mark: float | None
    unrealized: float
    realized: float
    fees: float
    leverage: float | None
    multiplier: float
    both: str | None
