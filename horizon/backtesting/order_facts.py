"""One order of a run, as it was sent, as it filled, and as it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_tables import legs_named
from horizon.errors import OrderError
from horizon.instruments import split_side
from horizon.types import AssetClass, Side
from horizon.venues.history import STATUSES
from horizon.venues.records import NEVER_NS

__all__ = ["OrderFacts", "facts_of"]

_ORDER: Final = re.compile(r"p([1-9][0-9]{0,17})", re.ASCII)
_FILL: Final = re.compile(r"f([1-9][0-9]{0,17})", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_REJECTED: Final = STATUSES.index("rejected")


@dataclass(frozen=True, slots=True, eq=False)
class OrderFacts:
    """What the record knows of one order.

    Attributes
    ----------
    order_id, market_id : str
    side : Side
    number : int
        Its place among the orders that its market accepted, from 1; 0 for one that was refused.
    asset_class : AssetClass
    sign : int
        1 to buy, -1 to sell.
    quantity, filled : float
    limit : float
        Of the order's own side; NaN for a market order.
    ioc, post_only, reduce_only : bool
    status, reason, intent : str
        `reason` and `intent` are empty where there is none.
    submitted_ns : int
    arrived_ns : int
        When it was to reach the market; `submitted_ns` without latency.
    ended_ns : int or None
        None for an order that was still open.
    fill_times_ns, fill_quantities, fill_prices, fill_fees, fill_is_maker : ndarray, shape (k,)
        Its fills, oldest first; prices are of its own side.
    fill_rows : ndarray of int, shape (k,)
        Their numbers among all fills of the run.
    """

    order_id: str
    market_id: str
    side: Side
    number: int
    asset_class: AssetClass
    sign: int
    quantity: float
    filled: float
    limit: float
    ioc: bool
    post_only: bool
    reduce_only: bool
    status: str
    reason: str
    intent: str
    submitted_ns: int
    arrived_ns: int
    ended_ns: int | None
    fill_times_ns: NDArray[np.int64]
    fill_quantities: NDArray[np.float64]
    fill_prices: NDArray[np.float64]
    fill_fees: NDArray[np.float64]
    fill_is_maker: NDArray[np.bool_]
    fill_rows: NDArray[np.intp]

    @property
    def is_market(self) -> bool:
        """Whether it has no limit."""
        return self.limit != self.limit

    @property
    def is_no(self) -> bool:
        """Whether it is an order of the NO side."""
        return self.side is Side.No

    @property
    def is_rejected(self) -> bool:
        """Whether the venue refused it."""
        return self.status == "rejected"

    @property
    def travels(self) -> bool:
        """Whether it took time to reach the market."""
        return self.arrived_ns > self.submitted_ns

    @property
    def last_fill_ns(self) -> int | None:
        """When it filled last; None where it never did."""
        return int(self.fill_times_ns[-1]) if len(self.fill_times_ns) else None

    @property
    def in_words(self) -> str:
        """The order as one would say it: ``buy 10 YES of rain at 0.40``."""
        verb = "buy" if self.sign > 0 else "sell"
        what = "" if self.side is Side.Long else f"{self.side.name.upper()} of "
        price = "at the market" if self.is_market else f"at {words.price(self.limit)}"
        flags = [
            name
            for name, has in (
                ("ioc", self.ioc),
                ("post only", self.post_only),
                ("reduce only", self.reduce_only),
            )
            if has
        ]
        if self.intent:
            flags.append(words.name(self.intent))
        told = f" ({', '.join(flags)})" if flags else ""
        size = words.amount(self.quantity)
        return f"{verb} {size} {what}{words.name(self.market_id)} {price}{told}"


def facts_of(record: RunRecord, order_id: str) -> OrderFacts:
    """Find an order in the record.

    Raises
    ------
    OrderError
        If the run has no such order; the nearest id is named.
    TypeError
        If the id is no text.
    """
    orders = record.orders
    row = _row(record, order_id)
    leg_id = orders.leg_ids[int(orders.legs[row])]
    market_id, side = legs_named(record, orders.leg_ids)[int(orders.legs[row])]
    market = next((one for one in record.markets if one.id == market_id), None)
    submitted = int(orders.submitted_ns[row])
    ended = int(orders.ended_ns[row])
    replayed = record.replayed
    arrived = submitted
    if replayed is not None and replayed.latency is not None:
        arrived += int(replayed.latency.delay_ns(market_id, submitted))
    fills = record.fills
    rows = np.flatnonzero(fills.order_numbers == row + 1)
    return OrderFacts(
        order_id=order_id,
        market_id=market_id,
        side=side,
        number=_number_in_market(record, row, leg_id),
        asset_class=AssetClass.Equity if market is None else market.asset_class,
        sign=int(orders.signs[row]),
        quantity=float(orders.quantities[row]),
        filled=float(orders.filled[row]),
        limit=float(orders.prices[row]),
        ioc=bool(orders.ioc[row]),
        post_only=bool(orders.post_only[row]),
        reduce_only=bool(orders.reduce_only[row]),
        status=STATUSES[int(orders.statuses[row])],
        reason=orders.reason_texts[int(orders.reasons[row])],
        intent=orders.intent_names[int(orders.intents[row])],
        submitted_ns=submitted,
        arrived_ns=arrived,
        ended_ns=None if ended == NEVER_NS else ended,
        fill_times_ns=fills.times_ns[rows],
        fill_quantities=fills.quantities[rows],
        fill_prices=fills.prices[rows],
        fill_fees=fills.fees[rows],
        fill_is_maker=fills.is_maker[rows],
        fill_rows=rows,
    )


def _row(record: RunRecord, order_id: object) -> int:
    """Find the row of an order by its id, or say which ids there are."""
    count = len(record.orders)
    if not isinstance(order_id, str):
        raise TypeError(f"order_id must be text such as 'p1', was {checks.show(order_id)}")
    matched = _ORDER.fullmatch(order_id)
    if matched is not None and int(matched[1]) <= count:
        return int(matched[1]) - 1
    if count == 0:
        raise OrderError(
            f"order_id must be that of an order, was {checks.show(order_id)}; the run sent none",
            order_id,
        )
    there = "'p1'" if count == 1 else f"'p1' to 'p{count}'"
    raise OrderError(
        f"order_id must be {there}, was {checks.show(order_id)}{_near(record, order_id)}", order_id
    )


def _near(record: RunRecord, order_id: str) -> str:
    """Guess the order that was meant: the one of a fill, or of the same number."""
    fill = _FILL.fullmatch(order_id)
    if fill is not None and int(fill[1]) <= len(record.fills):
        owner = record.fills.order_numbers[int(fill[1]) - 1]
        return f", which is a fill of 'p{owner}'"
    digits = _DIGITS.search(order_id)
    if digits is None or not 1 <= int(digits[0]) <= len(record.orders):
        return ""
    return f". Did you mean 'p{int(digits[0])}'?"


def _number_in_market(record: RunRecord, row: int, leg_id: str) -> int:
    """Count the orders that its market accepted, up to this one, both sides together."""
    orders = record.orders
    if orders.statuses[row] == _REJECTED:
        return 0
    market, _ = split_side(leg_id)
    own = np.array([split_side(each)[0] == market for each in orders.leg_ids], dtype=bool)
    until = slice(0, row + 1)
    return int(np.count_nonzero(own[orders.legs[until]] & (orders.statuses[until] != _REJECTED)))
