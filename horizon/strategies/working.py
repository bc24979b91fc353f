"""What the desk has working in one market: orders and algorithms of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from horizon.errors import RiskRejected
from horizon.instruments import Market
from horizon.strategies.execution import SignalExecution
from horizon.types import AssetClass, OrderRequest, OrderSide, Side, Urgency

if TYPE_CHECKING:
    from horizon.algos import TWAP
    from horizon.engine import Engine
    from horizon.venues.records import MarketState, OrderState

__all__ = ["INTENT", "NEVER_NS", "Working"]

#: What ``metadata["intent"]`` of the desk's orders says.
INTENT: Final = "signal"
#: Later than any time.
NEVER_NS: Final = 2**63 - 1


class Working:
    """One market of the desk, with what works there towards its target.

    Orders of others in the market, a pipeline's quotes among them, are none of its business. An
    order counts until it has ended: one whose cancel is on its way may fill before that arrives.

    Parameters
    ----------
    engine : Engine
    market : Market
    state : MarketState
    execution : SignalExecution
    """

    __slots__ = (
        "_algos",
        "_best_for",
        "_engine",
        "_execution",
        "_limit",
        "_orders",
        "_sign",
        "_urgency",
        "algo_id",
        "expires_ns",
        "is_closing",
        "market",
        "order_number",
        "state",
    )

    def __init__(
        self, engine: Engine, market: Market, state: MarketState, execution: SignalExecution
    ) -> None:
        self.market = market
        self.state = state
        self._engine = engine
        self._execution = execution
        self._orders: list[OrderState] = []
        #: Algorithms, each with what it was asked for in signed units.
        self._algos: list[tuple[TWAP, float]] = []
        # How the last was sent; a market order and an algorithm have no limit of ours.
        self._sign = 0
        self._urgency = execution.urgency
        self._limit: float | None = None
        #: The order that was sent last, or the algorithm that was started last: 0 or None where
        #: it was the other, or was never let out.
        self.order_number = 0
        self.algo_id: str | None = None
        self.expires_ns = NEVER_NS
        #: Whether what works closes a position, so that the other side can be opened then.
        self.is_closing = False
        # A venue with books knows the best quotes that are displayed; else the tick brought them.
        self._best_for = getattr(engine.venue, "best_for", None)

    # ------------------------------------------------------------------ what is there
    def in_flight(self) -> tuple[float, bool]:
        """Return what may still fill, in signed units, and whether some is being cancelled."""
        if not self._orders and not self._algos:
            return 0.0, False
        total, is_leaving = 0.0, False
        self._orders = [order for order in self._orders if order.is_open]
        for order in self._orders:
            total += order.sign * (order.quantity - order.filled)
            is_leaving = is_leaving or order.is_leaving
        running = []
        for algo, asked in self._algos:
            if not algo.is_done:
                left = math.copysign(max(0.0, abs(asked) - algo.total_filled), asked)
            else:
                left = math.copysign(self._left_of(algo), asked)
                is_leaving = is_leaving or left != 0.0
            if left != 0.0 or not algo.is_done:
                running.append((algo, asked))
                total += left
        self._algos = running
        if not self._orders and not running:
            self.expires_ns = NEVER_NS
            self.is_closing = False
        return total, is_leaving

    def _left_of(self, algo: TWAP) -> float:
        """What children of an algorithm that has ended may still fill: their cancels travel."""
        still_open = self._engine.venue.account.open_orders
        children = (still_open.get(child) for child in algo.child_order_ids)
        return sum(child.quantity - child.filled for child in children if child is not None)

    def is_placed(self, urgency: Urgency) -> bool:
        """Whether what was sent last is what would be sent now, but for its size."""
        if urgency is not self._urgency:
            return False
        return self._limit is None or self._limit == self._terms(self._sign, urgency)[0]

    def _terms(self, sign: int, urgency: Urgency) -> tuple[float | None, bool]:
        """Limit and post-only of an order sent now; no limit for one without."""
        if urgency is Urgency.Immediate or self._is_twap(urgency):
            return None, False
        price, rests = self.state.price, False
        if urgency is Urgency.Passive:
            best = self._own_best(sign)
            if best == best:
                # Without quotes there is nothing to rest behind: an order at the market's price
                # would be refused as one that takes.
                price, rests = best, True
        return self.market.round_price(price, sign), rests

    def _is_twap(self, urgency: Urgency) -> bool:
        return urgency is Urgency.Patient and self._execution.patient == "twap"

    def _own_best(self, sign: int) -> float:
        """The best price quoted on the order's own side; NaN where there is none."""
        if self._best_for is not None:
            return float(self._best_for(self.state, -sign))
        return self.state.bid if sign > 0 else self.state.ask

    def lacks_money(self, quantity: float, urgency: Urgency) -> bool:
        """Whether an order sent now would be refused for want of buying power."""
        if self._is_twap(urgency):
            return False  # its children are asked one by one
        sign = 1 if quantity > 0.0 else -1
        limit, rests = self._terms(sign, urgency)
        tried = self._engine.venue.place(
            self.state.id, None, sign, abs(quantity), limit, post_only=rests, trial=True
        )
        return tried.reason is not None and tried.reason.startswith("buying power")

    # ------------------------------------------------------------------ changing it
    def send(self, quantity: float, urgency: Urgency, *, reduces: bool) -> str:
        """Send what should be traded now, beside what is there.

        Parameters
        ----------
        quantity : float
            Signed units.
        urgency : Urgency
        reduces : bool
            Whether it may only make the position smaller.

        Returns
        -------
        str
            What was done: ``"ordered"``, or ``"refused: …"`` and by what.
        """
        sign = 1 if quantity > 0.0 else -1
        limit, rests = self._terms(sign, urgency)
        self._urgency, self._sign, self._limit = urgency, sign, limit
        self.is_closing = False
        self.order_number, self.algo_id = 0, None
        state = self.state
        if self._is_twap(urgency):
            return self._start_twap(sign, quantity, reduces)
        if limit is not None and not state.lowest < limit < state.highest:
            return "refused: price_bounds"
        try:
            order = self._engine.place(
                state.id,
                None,
                sign,
                abs(quantity),
                limit,
                False,
                rests,
                reduces,
                None,
                None,
                INTENT,
            )
        except RiskRejected as refusal:
            return f"refused: {refusal.rule}"
        self.order_number = int(order.id[1:])
        self._orders.append(order)
        if order.status == "rejected":
            # The numbers are with the order; here the same few words for all.
            return f"refused: {(order.reason or 'rejected').partition(':')[0]}"
        return "ordered"

    def _start_twap(self, sign: int, quantity: float, reduces: bool) -> str:
        from horizon.algos import TWAP

        execution = self._execution
        assert execution.twap_secs is not None
        assert execution.twap_slices is not None
        is_prediction = self.market.asset_class is AssetClass.Prediction
        algo = TWAP(self._engine, execution.twap_secs, execution.twap_slices)
        algo.start(
            OrderRequest(
                self.market.id,
                Side.Yes if is_prediction else Side.Long,
                OrderSide.Buy if sign > 0 else OrderSide.Sell,
                abs(quantity),
                reduce_only=reduces,
            ),
            auto=True,
        )
        self._algos.append((algo, quantity))
        self.algo_id = algo.id
        return "ordered"

    def cancel(self, reason: str, *, spares_market_orders: bool = False) -> list[str]:
        """Cancel what works, as far as it does; return the algorithms that this has ended.

        Where cancels travel, one sent after a market order comes too late nearly always.
        """
        self.expires_ns = NEVER_NS
        for order in self._orders:
            if order.is_open and not (spares_market_orders and order.is_market):
                self._engine.venue.cancel_orders([order], reason)
        ended = []
        for algo, _ in self._algos:
            if algo.stop(reason) and algo.id is not None:
                ended.append(algo.id)
        return ended
