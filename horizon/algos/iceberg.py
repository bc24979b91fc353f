"""Iceberg: one visible order at a time."""

from __future__ import annotations

from typing import Any, ClassVar

from horizon import checks
from horizon.algos.base import ExecAlgo, Plan
from horizon.algos.schedule import iceberg_slices
from horizon.instruments import Market
from horizon.types import OrderRequest
from horizon.venues.records import AlgoState

__all__ = ["Iceberg"]


class Iceberg(ExecAlgo):
    """Show a small part of the order; when it has filled, show the next.

    The children rest at the request's price. When the visible child is cancelled from outside
    (by hand, by ``cancel_all``, by a limit), the iceberg ends with status ``"canceled"``: a new
    one in its place would undo what somebody has just done.

    Parameters
    ----------
    engine : Engine or ImperativeClient
        Where the children are sent.
    show_size : float
        The most that one child shows; above 0, on the market's lot grid.
    price_limit : float, optional
        The most that a child may pay when buying, the least it may take when selling.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above; at the start, for a request without a price.

    Examples
    --------
    Buy 25 at 20, showing 10 at a time. Each line has a tick's price, what filled, and what the
    market then sees: the first tick shows ten, and each tick that fills them shows the next.

    >>> engine = hz.Engine(paper_fee_rate=0.0)
    >>> iceberg = hz.Iceberg(engine, show_size=10)
    >>> request = hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, 25, 20.0)
    >>> iceberg.start(request, auto=True)
    >>> for second, price in enumerate([20.5, 20.0, 20.3, 19.9, 20.0]):
    ...     filled = sum(fill.size for fill in engine.tick("ACME", price, float(second)))
    ...     print(price, filled, [order.quantity for order in engine.open_orders()])
    20.5 0 [10.0]
    20.0 10.0 [10.0]
    20.3 0 [10.0]
    19.9 10.0 [5.0]
    20.0 5.0 []
    >>> iceberg.status, iceberg.total_filled
    ('completed', 25.0)
    """

    kind: ClassVar[str] = "Iceberg"

    def __init__(self, engine: Any, show_size: float, *, price_limit: float | None = None) -> None:
        super().__init__(engine, price_limit=price_limit)
        self._show_size = checks.positive("show_size", show_size)

    def _plan(self, request: OrderRequest, contract: Market) -> Plan:
        if request.price is None:
            raise ValueError("price is needed: an iceberg's children rest at the request's price")
        contract.check_quantity("show_size", self._show_size)
        if request.size / self._show_size > 1_000_000:
            raise ValueError(
                f"show_size must make at most 1,000,000 children of {request.size:g}, was "
                f"{self._show_size:g}"
            )
        return Plan(iceberg_slices(request.size, self._show_size), 0, request.price)

    def _work(self, state: AlgoState, price: float, now_ns: int) -> None:
        if self._open or state.status == "paused" or now_ns < state.retry_ns:
            return
        if state.children and self._account.orders[state.children[-1]].status != "filled":
            self._end("canceled")
            return
        size = state.slices[state.sent]
        if self._send(state, size, state.limit):
            self._venue.apply.algo_due(self._venue.now_ns(), state.id, size, price)
