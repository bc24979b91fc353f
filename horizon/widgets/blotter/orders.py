"""The orders that a blotter knows of, kept up to date.

An order that has ended never changes, so a look at the account costs no more than what is open
and what is new, however many orders there have been.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from horizon.types import AssetClass
from horizon.venues.account import Account
from horizon.venues.records import OrderState
from horizon.widgets.blotter import cells, files, rows
from horizon.widgets.blotter.cells import Cell
from horizon.widgets.blotter.rows import OrderRow
from horizon.widgets.blotter.sheets import Sheet

__all__ = ["OrderSheet"]


class OrderSheet(Sheet[OrderRow]):
    """Every order: the open ones, and the latest that have ended."""

    name = "orders"
    title = "Orders"
    columns = rows.ORDER_COLUMNS
    fields = files.ORDER_FIELDS
    groups: ClassVar = {"": "All orders", "open": "Working", "over": "Ended"}
    sorted_by = ("order", True)
    empty = "No orders yet."

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._seen = 0
        #: What was open at the last look, and how it stood.
        self._open: dict[int, tuple[OrderState, tuple[object, ...]]] = {}
        self._ended: deque[int] = deque()
        self._algos: dict[str, str] = {}
        self._children: dict[str, int] = {}

    def look(self, account: Account) -> None:
        """Take up new orders, and those that have changed among the open ones."""
        self._look_at_algos(account)
        fresh = list(self._fresh(account))
        for serial, order in fresh:
            self._take(serial, order)
        # The oldest goes first when there are too many.
        self._ended.extend(serial for serial, order in reversed(fresh) if not order.is_open)
        self._seen = account.next_order - 1
        for serial, (order, stood) in list(self._open.items()):
            if _standing(order) != stood:
                self._take(serial, order)
                if not order.is_open:
                    self._ended.append(serial)
        if len(self._open) < len(account.open_orders):
            # More have come at once than are kept; what is open is, however old.
            for order in account.open_orders.values():
                if order.serial not in self._open:
                    self._take(order.serial, order)
        while len(self.store) > self._most and self._ended:
            self.store.drop(self._ended.popleft())

    def _fresh(self, account: Account) -> Iterator[tuple[int, OrderState]]:
        """Orders that came since the last look, by their serial numbers, the newest first."""
        if account.archive is None:
            for order in islice(reversed(account.orders.values()), self._most):
                if order.serial <= self._seen:
                    return
                yield order.serial, order
            return
        newest = account.next_order - 1
        for number in range(newest, max(self._seen, newest - self._most), -1):
            found = account.orders.get(f"p{number}")
            if found is not None:
                yield number, found  # one that was packed has forgotten its number

    def _look_at_algos(self, account: Account) -> None:
        for algo in account.algos.values():
            known = self._children.get(algo.id, 0)
            if len(algo.children) > known:
                source = f"{algo.kind} {algo.id}"
                for order_id in algo.children[known:]:
                    self._algos[order_id] = source
                self._children[algo.id] = len(algo.children)

    def _take(self, serial: int, order: OrderState) -> None:
        if order.is_open:
            self._open[serial] = order, _standing(order)
        else:
            self._open.pop(serial, None)
        self._see_day(order.submitted_ns)
        leg = order.leg
        market = leg.market
        row = OrderRow(
            order.id,
            leg.id,
            self._name(leg),
            order.sign,
            order.quantity,
            order.filled,
            None if order.is_market else order.price,
            order.average if order.filled else None,
            order.fees,
            order.status,
            order.is_open,
            order.in_transit,
            order.is_leaving,
            order.reason,
            order.intent,
            order.submitted_ns,
            order.ioc,
            order.post_only,
            order.reduce_only,
            order.leverage if market.asset_class == AssetClass.Perp else None,
            order.client_order_id,
            self._algos.get(order.id),
            market.multiplier,
        )
        self.store.put(serial, row)

    def cells(self, row: OrderRow) -> list[Cell]:
        """See `cells.order_cells`."""
        return cells.order_cells(row, self.with_day)

    def record(self, row: OrderRow) -> tuple[Any, ...]:
        """See `files.order_record`."""
        return files.order_record(row)

    def group_of(self, row: OrderRow) -> str:
        """Open or over."""
        return "open" if row.is_open else "over"

    def is_over(self, row: OrderRow) -> bool:
        """Whether it has ended."""
        return not row.is_open

    def actions(self, row: OrderRow, *, can_amend: bool) -> list[dict[str, Any]]:
        """Cancel and amend."""
        return cells.order_actions(row, can_amend=can_amend)

    def tally(self) -> tuple[str, str]:
        """How many work, and how many there have been."""
        return f"{len(self._open):,} working", f"{self._seen:,} orders so far"


def _standing(order: OrderState) -> tuple[object, ...]:
    """All of an order that can change while it is open."""
    return (
        order.quantity,
        order.filled,
        order.price,
        order.status,
        order.in_transit,
        order.is_leaving,
    )
