"""A paper venue whose fills and refusals a test decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from horizon.venues import Paper
from horizon.venues.records import Leg


class ScriptedVenue(Paper):
    """`Paper`, with a handler that may refuse an order and a `fill` that may be partial.

    Parameters
    ----------
    handler : callable, optional
        Takes market id, sign and quantity of a new limit order; returns the reason to reject
        it for, or None to let it pass.
    """

    name = "scripted"

    def __init__(
        self, handler: Callable[[str, int, float], str | None] | None = None, **options: Any
    ) -> None:
        options.setdefault("clock", lambda: 0.0)
        # With a class list given, every order is asked about (see `_refusal`).
        super().__init__(supported_classes=_all_classes(), **options)
        self._handler = handler

    def _refusal(self, leg: Leg, sign: int, quantity: float, *rest: Any) -> Any:
        reason = None if self._handler is None else self._handler(leg.id, sign, quantity)
        if reason is not None:
            return reason, float("nan"), float("nan")
        return super()._refusal(leg, sign, quantity, *rest)

    def fill(self, order_id: str, quantity: float | None = None) -> None:
        """Fill a part of an open order at its limit, or all that is left of it."""
        with self.lock:
            order = self.account.open_orders[order_id]
            size = order.remaining if quantity is None else quantity
            self._execute(order, size, order.price, True, self.now_ns(order.leg.market))


def _all_classes() -> list[Any]:
    from horizon.types import AssetClass

    return list(AssetClass)
