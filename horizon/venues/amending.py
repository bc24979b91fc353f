"""Changes of orders that are open: checked like a cancel and a new order together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from horizon import checks, rules
from horizon.errors import OrderError, RiskRejected
from horizon.types import VenueOrder
from horizon.venues import snapshots
from horizon.venues.account import Account
from horizon.venues.carrying import CarryingVenue, Delay
from horizon.venues.records import Leg, OrderState

__all__ = ["AmendingVenue", "Amendment", "Gate"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an amendment would make of an open order, decided and not applied yet.

    `moved` is whether it arrives anew; `is_checked` whether it may take something, so that
    money and risk have to be asked.
    """

    order: OrderState
    quantity: float
    price: float
    moved: bool
    is_checked: bool
    is_taker: bool
    fee_rate: float
    unit_reserve: float
    now_ns: int


class Gate(Protocol):
    """What an engine asks of an order before the venue sees it; it raises to refuse."""

    def __call__(
        self,
        leg: Leg,
        sign: int,
        quantity: float,
        opening: float,
        reference: float,
        now_ns: int,
        given_back: float = 0.0,
        notional_back: float = 0.0,
    ) -> None:
        """Raise `RiskRejected`, or let the order pass.

        `given_back` and `notional_back` are what an amendment takes off the book for it.
        """


class AmendingVenue(CarryingVenue):
    """A venue that changes the quantity and the price of open orders."""

    #: Whether orders are refused whose opening part the account cannot carry.
    _enforce: bool

    def __init__(
        self, account: Account, clock: Callable[[], float] | None, latency: Delay | None
    ) -> None:
        super().__init__(account, clock, latency)
        #: What the amendments on their way will make of which order.
        self._amending: dict[str, tuple[float, float]] = {}

    def amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> VenueOrder:
        """Change an open order; it keeps its id.

        A new price is a new arrival: the order goes to the end of the queue, and whether it is
        maker or taker is decided anew. A new quantity alone keeps its place. The change is
        checked like a cancel and a new order together; a smaller quantity at the same price
        only gives back and always passes.

        Parameters
        ----------
        order_id : str
        new_quantity : float, optional
            The whole quantity, what has filled included; above that.
        new_price : float, optional
            The new limit.

        Raises
        ------
        OrderError
            If the order is unknown or closed, `new_quantity` is not above what has filled, or
            the market or the account's money refuse the change. The order stays as it was.
        TypeError, ValueError
            If neither argument is given, or one is not a number above 0 on the market's grid.
        """
        with self._lock:
            order = self.amend_order(order_id, new_quantity, new_price)
            return snapshots.order_snapshot(order, self.name)

    def amend_order(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
        gate: Gate | None = None,
        *,
        at_ns: int | None = None,
    ) -> OrderState:
        """Amend with the lock held, through an engine's risk checks; see `amend`.

        With latency the amendment is sent.

        Parameters
        ----------
        order_id, new_quantity, new_price
            As in `amend`.
        gate : callable, optional
            An engine's risk rules.
        at_ns : int, optional
            Where one that was sent arrives: when, in nanoseconds since 1970.

        Returns
        -------
        OrderState
            The account's living record.

        Raises
        ------
        OrderError, RiskRejected, TypeError, ValueError
            As `amend`, and what the rules refuse.
        """
        change = self.amendment(order_id, new_quantity, new_price, at_ns=at_ns)
        order, quantity, price = change.order, change.quantity, change.price
        if change.is_checked:
            self.check_amendment(change, gate)
        now = change.now_ns
        delay = 0
        if self.latency is not None and at_ns is None:
            delay = self._delay_ns(order.leg.market, now)
        if delay:
            self._send_amendment(order, quantity, price, gate, now + delay)
            return order
        self.apply.amended(
            now, order_id, quantity, price, change.is_taker, change.fee_rate, change.unit_reserve
        )
        if change.moved and self._walks and not order.in_transit:
            self._arrive(order, now)
        return order

    def amendment(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
        *,
        at_ns: int | None = None,
    ) -> Amendment:
        """Say what an amendment would make of an order, with the lock held; nothing changes.

        The arguments are those of `amend_order`.

        Raises
        ------
        OrderError, TypeError, ValueError
            What `amend` raises, but for money, reduce-only and risk, which `check_amendment` asks.
        """
        self.require_connection()
        if new_quantity is None and new_price is None:
            raise ValueError("amend needs new_quantity, new_price, or both; was given neither")
        quantity = None if new_quantity is None else checks.positive("new_quantity", new_quantity)
        price = None if new_price is None else checks.positive("new_price", new_price)
        order = self._find(order_id)
        leg, market = order.leg, order.leg.market
        instrument = market.instrument
        assert instrument is not None
        if not order.is_open:
            raise OrderError(
                f"order {order_id!r} is {order.status}; it cannot be amended", order_id
            )
        if quantity is None:
            quantity = order.quantity
        elif quantity <= order.filled:
            raise OrderError(
                f"new_quantity must be above the {order.filled:g} of order {order_id!r} that have "
                f"filled, was {quantity:g}",
                order_id,
            )
        instrument.check_quantity("new_quantity", quantity)
        if price is None:
            price = order.price
        elif order.is_market:
            raise OrderError(f"order {order_id!r} is a market order; it has no price", order_id)
        else:
            instrument.check_order_price("new_price", price)

        moved = not order.is_market and price != order.price
        taker, rate, unit = order.is_taker, order.fee_rate, order.unit_reserve
        if moved:
            last = leg.price
            taker = self._is_marketable(leg, order.sign, price, last)
            rate = self.fee_rate(market, price, not taker)
            unit = rules.unit_reserve(
                market.asset_class,
                order.sign,
                price,
                price if math.isnan(last) else last,
                market.multiplier,
                market.strike,
                order.leverage,
                rate,
            )
            if order.post_only and taker:
                raise OrderError(
                    f"order {order_id!r} is post_only and would take liquidity at {price:g}",
                    order_id,
                )
        now = self.now_ns(market) if at_ns is None else at_ns
        is_checked = moved or quantity > order.quantity
        return Amendment(order, quantity, price, moved, is_checked, taker, rate, unit, now)

    def _send_amendment(
        self, order: OrderState, quantity: float, price: float, gate: Gate | None, due_ns: int
    ) -> None:
        """Let an amendment travel; where it cannot be made any more when it arrives, it is not."""
        change = (quantity, price)
        if self._amending.get(order.id) == change:
            return  # asked for already
        self._amending[order.id] = change

        def land(due: int) -> None:
            if self._amending.get(order.id) == change:
                del self._amending[order.id]
            if not order.is_open or quantity <= order.filled:
                return
            limit = None if order.is_market else price
            try:
                self.amend_order(order.id, quantity, limit, gate, at_ns=due)
            except (OrderError, RiskRejected):
                self.apply.refused(due, "amend")

        self._send(order.leg.market, due_ns, land)

    def check_amendment(self, change: Amendment, gate: Gate | None) -> None:
        """Refuse an amendment that money, its own reduce-only or risk do not let pass.

        Parameters
        ----------
        change : Amendment
            As `amendment` gives it.
        gate : callable or None
            An engine's risk rules.

        Raises
        ------
        OrderError, RiskRejected, ValueError
            As `amend` does.
        """
        order, quantity, price, moved = change.order, change.quantity, change.price, change.moved
        unit, now_ns = change.unit_reserve, change.now_ns
        leg, account = order.leg, self.account
        remaining = quantity - order.filled
        if order.reduce_only:
            closable = account.closable(leg, order.sign)
            if rules.opening_part(remaining, closable, leg.quantity) > 0.0:
                raise OrderError(
                    f"order {order.id!r} is reduce_only: {remaining:g} are more than the position "
                    f"of {closable:g}",
                    order.id,
                )
        # What it takes from the position it takes from the orders behind it, which then open
        # more: all of its side are counted, as they are and as they would be.
        reference = order.reference if order.is_market else price
        _, before, reserved, held_by = self._side_as_it_is(order)
        own, after, required, would_be = self._side_of(order, remaining, unit, reference, moved)
        opening = max(after - before + order.opening, own)
        if opening <= rules.SLACK * quantity:
            opening = 0.0
        size = quantity * reference * leg.market.multiplier
        if opening != 0.0 and size > checks.LARGEST:
            raise ValueError(f"notional must be at most 1e15, would be {size:g}")
        if gate is not None:
            # The rule on notional adds the order's own; what the others give back or take is
            # in the difference of the two sums.
            added = opening * reference * leg.market.multiplier
            back = added - (would_be - held_by)
            gate(leg, order.sign, remaining, opening, reference, now_ns, order.remaining, back)
        if opening != 0.0 and self._enforce:
            available = account.buying_power + reserved
            if not rules.is_affordable(required, available, account.cash):
                raise OrderError(
                    f"buying power: the orders of {leg.id!r} would need {required:,.2f} "
                    f"{self.currency} with order {order.id!r} amended, available are "
                    f"{available:,.2f}",
                    order.id,
                )

    def reserve_change(self, change: Amendment) -> float:
        """Say what `change` makes the orders of its side reserve more, with the lock held."""
        order = change.order
        reference = order.reference if order.is_market else change.price
        remaining = change.quantity - order.filled
        reserved = self._side_as_it_is(order)[2]
        required = self._side_of(order, remaining, change.unit_reserve, reference, change.moved)[2]
        return required - reserved

    def _side_as_it_is(self, order: OrderState) -> tuple[float, float, float, float]:
        return self._side_of(order, order.remaining, order.unit_reserve, order.reference, False)

    def _side_of(
        self, changed: OrderState, remaining: float, unit: float, reference: float, moved: bool
    ) -> tuple[float, float, float, float]:
        """What the orders of one side open and reserve, with one of them changed.

        In order of arrival, where a moved order has arrived last. Returns what the changed
        order opens, what all open, reserve, and have as notional.
        """
        leg = changed.leg
        queue = [o for o in leg.market.resting.values() if o.leg is leg and o.sign == changed.sign]
        if moved:
            queue.remove(changed)
            queue.append(changed)
        left = self.account.closable(leg, changed.sign)
        own = total = reserved = notional = 0.0
        for order in queue:
            is_changed = order is changed
            size = remaining if is_changed else order.remaining
            opening = 0.0
            if not order.reduce_only:
                opening = rules.opening_part(size, left, leg.quantity)
            left -= size
            if is_changed:
                own = opening
            total += opening
            reserved += opening * (unit if is_changed else order.unit_reserve)
            price = reference if is_changed else order.reference
            notional += opening * price * leg.market.multiplier
        return own, total, reserved, notional
