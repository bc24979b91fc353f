"""TWAP: equal slices at equal intervals."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from horizon import checks
from horizon.algos.base import ExecAlgo, Plan
from horizon.algos.schedule import due_count, twap_slices
from horizon.instruments import Market
from horizon.types import OrderRequest
from horizon.venues.records import AlgoState

__all__ = ["TWAP", "ScheduledAlgo", "duration_ns"]

_MOST_SLICES: Final = 1_000_000


class ScheduledAlgo(ExecAlgo):
    """An algorithm whose slices come due by the clock.

    The clock starts at the first tick, which sends slice one; slice k is due k intervals later.
    A late tick sends every slice that is overdue, one child each, as a limit order at that
    tick's price. A tick at or after the end sends nothing: unfilled children are cancelled, and
    the status is ``"expired"`` if anything is missing.
    """

    def _work(self, state: AlgoState, price: float, now_ns: int) -> None:
        elapsed = now_ns - state.first_ns
        n = len(state.slices)
        for number in range(state.due, due_count(elapsed, state.duration_ns, n)):
            size = state.slices[number]
            self._venue.apply.algo_due(self._venue.now_ns(), state.id, size, price)
        if state.status == "paused":
            return
        while state.sent < state.due and now_ns >= state.retry_ns:
            size = state.slices[state.sent]
            if size == 0.0:
                self._venue.apply.algo_skipped(self._venue.now_ns(), state.id)
            elif not self._send(state, size, price):
                break


class TWAP(ScheduledAlgo):
    """Time-weighted average price: equal slices, evenly spaced.

    Evenly on the clock of its ticks: on daily bars a slice that comes due over a weekend is sent
    with Monday's. Number the sessions as days where each should have its slice.

    Parameters
    ----------
    engine : Engine or ImperativeClient
        Where the children are sent.
    duration_secs : float
        The whole window; above 0.
    num_slices : int
        1 or more. A slice is due every ``duration_secs / num_slices`` seconds.
    price_limit : float, optional
        The most that a child may pay when buying, the least it may take when selling.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    A slice of 10 every 6 seconds; the first is sent with the first tick. Started without
    ``auto=True`` it is advanced by hand:

    >>> engine = hz.Engine(clock=lambda: 0.0)
    >>> twap = hz.TWAP(engine, duration_secs=60, num_slices=10)
    >>> twap.start(hz.OrderRequest("btc-100k", hz.Side.Yes, hz.OrderSide.Buy, 100))
    >>> twap.on_tick(0.55, 0.0)
    >>> [engine.order(child).quantity for child in twap.child_order_ids]
    [10.0]

    Twelve seconds on, the second and the third slice are due (at 6 and at 12). This tick sends
    both, at its own price:

    >>> twap.on_tick(0.54, 12.0)
    >>> [(order.quantity, order.price) for order in engine.open_orders()]
    [(10.0, 0.55), (10.0, 0.54), (10.0, 0.54)]
    """

    kind: ClassVar[str] = "TWAP"

    def __init__(
        self,
        engine: Any,
        duration_secs: float,
        num_slices: int,
        *,
        price_limit: float | None = None,
    ) -> None:
        super().__init__(engine, price_limit=price_limit)
        self._duration_ns = duration_ns(duration_secs)
        self._n = checks.integer("num_slices", num_slices)
        if self._n > _MOST_SLICES:
            raise ValueError(f"num_slices must be at most {_MOST_SLICES:,}, was {self._n:,}")

    def _plan(self, request: OrderRequest, contract: Market) -> Plan:
        slices = twap_slices(request.size, self._n, contract.lot_size)
        return Plan(slices, self._duration_ns, float("nan"))


def duration_ns(duration_secs: object) -> int:
    """Take a duration in seconds as nanoseconds; at least one, at most ten years."""
    seconds = checks.positive("duration_secs", duration_secs)
    ns = checks.seconds_to_ns(seconds) if seconds <= 3.2e8 else 0
    if ns < 1:
        raise ValueError(f"duration_secs must lie between 1e-9 and 3.2e8, was {seconds:g}")
    return ns
