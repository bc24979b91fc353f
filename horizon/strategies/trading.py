"""From what should be held to orders: what is missing is sent, what is too much withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from horizon import checks, rules
from horizon.errors import HorizonError, ModelError, PipelineError
from horizon.instruments import Market
from horizon.strategies.decision_log import DecisionLog
from horizon.strategies.execution import SignalExecution, is_near, to_lots
from horizon.strategies.seats import failure
from horizon.strategies.views import View
from horizon.strategies.working import NEVER_NS, Working
from horizon.types import Urgency

if TYPE_CHECKING:
    from horizon.engine import Engine
    from horizon.venues.records import MarketState

__all__ = ["TradingDesk", "Wanted"]


class Wanted(NamedTuple):
    """What should be held in a market, before anything is sent."""

    number: int
    view: View
    target: float
    #: Why there is nothing to do, where that is known already.
    idle: str
    #: Why the target is 0 although there is an edge.
    cut: str
    #: When its time is over, where it has waited; else that is worked out as it is traded.
    expires_ns: int | None = None
    #: Whether it waits for the money of positions that are being made smaller.
    for_money: bool = False

    def until(self, expires_ns: int) -> Wanted:
        """Return it with the time at which it is over, waiting for nothing yet."""
        return self._replace(expires_ns=expires_ns, for_money=False)


class TradingDesk:
    """The half of a desk that trades: what works in each market, and the log of decisions.

    Parameters
    ----------
    engine : Engine
    markets, states : sequence
        The run's markets by number.
    execution : SignalExecution
    log : DecisionLog

    Attributes
    ----------
    log : DecisionLog
    on_error : callable
        Takes the `PipelineError` of a strategy or the sizer; raises it unless the loop says
        otherwise. Then the markets concerned are left as they are in this step.
    next_expiry_ns : int
        The first time at which `expire` has something to do.
    fair_values : dict of order id to float
        The fair price behind orders sent since somebody last emptied it: price and edge.
    """

    def __init__(
        self,
        engine: Engine,
        markets: Sequence[Market],
        states: Sequence[MarketState],
        execution: SignalExecution,
        log: DecisionLog,
    ) -> None:
        self._markets = tuple(markets)
        self._states = tuple(states)
        self._execution = execution
        self._lock = engine.venue.lock
        self._working = [
            Working(engine, market, state, execution)
            for market, state in zip(markets, states, strict=True)
        ]
        self._now_ns = 0
        #: Numbers of the markets that can be traded now.
        self._open: frozenset[int] = frozenset()
        #: What is wanted in which market as soon as something else has happened.
        self._waiting: dict[int, Wanted] = {}
        self._travels = engine.venue.latency is not None
        self.log = log
        self.on_error: Callable[[PipelineError], object] = _raise
        self.next_expiry_ns = NEVER_NS
        self.fair_values: dict[str, float] = {}

    def _opens(self, one: Wanted) -> bool:
        """Whether a position would become larger, or another; False sorts first."""
        held = self._states[one.number].yes.quantity
        return abs(one.target) > abs(held) or one.target * held < 0.0

    def _trade(self, wanted: Wanted, now_ns: int) -> None:
        number, view, target, idle, cut, expires_ns, _ = wanted
        working, execution = self._working[number], self._execution
        if not idle:
            self._waiting.pop(number, None)
        held = self._states[number].yes.quantity
        flight, is_leaving = working.in_flight()
        current = _sum(held, flight)
        urgency = view.urgency or execution.urgency
        if expires_ns is None:
            expires_ns = self._expiry(view, now_ns)
        quantity = 0.0
        done = idle
        if not done and not is_leaving and is_near(target, current, execution.no_trade_band):
            if flight == 0.0:
                done = (cut or "at target") if target == current else "within the band"
            elif working.is_placed(urgency):
                done = "kept working"
        is_half = working.is_closing and flight != 0.0 and target * held < 0.0
        if not done and is_half and not is_leaving and working.is_placed(urgency):
            done = "kept working"  # it still is the first half of what is wanted
            self._waiting[number] = wanted.until(expires_ns)
        if not done:
            if flight != 0.0:
                self._cancel(number, "replaced", spares_market_orders=self._travels)
                left, is_leaving = working.in_flight()
            else:
                left = 0.0
            if is_leaving:
                # What may fill or not cannot be counted on either way.
                done = "replacing"
                self._waiting[number] = wanted.until(expires_ns)
            else:
                quantity = to_lots(view.market, _sum(target - held, -left))
                if quantity != 0.0:
                    done, quantity = self._order(
                        wanted.until(expires_ns), quantity, urgency, held, left
                    )
                elif left != 0.0:
                    done = "kept working"
                else:
                    done = "withdrawn" if flight != 0.0 else "no size"
        order, algo = 0, None
        if quantity != 0.0 or done == "kept working":
            order, algo = working.order_number, working.algo_id
            if done in ("ordered", "closing first", "kept working"):
                working.expires_ns = expires_ns
                self.next_expiry_ns = min(self.next_expiry_ns, expires_ns)
                if order:
                    self.fair_values[f"p{order}"] = view.price + view.edge
            elif not order:
                quantity = 0.0  # a risk rule has refused it: there is no such order
        self.log.add(
            now_ns,
            number,
            view.signals,
            view.price,
            view.edge_bps,
            view.confidence,
            target,
            current,
            quantity,
            done,
            order,
            algo,
        )

    def _order(
        self, wanted: Wanted, quantity: float, urgency: Urgency, held: float, left: float
    ) -> tuple[str, float]:
        """Send what is missing, or the part of it that there is money for now.

        Returns
        -------
        str, float
            What was done, and how much of it was ordered.
        """
        number, target = wanted.number, wanted.target
        turns = quantity * held < 0.0 and abs(quantity) > abs(held)
        may_open = turns or quantity * held >= 0.0
        if may_open and self._lacks_money(wanted, quantity, urgency):
            if turns and left == 0.0:
                # What a position gives back is there when it is closed, not before.
                done = self._send(wanted, -held, urgency, reduces=True)
                if done == "ordered":
                    self._working[number].is_closing = True
                    self._waiting[number] = wanted
                    done = "closing first"
                return done, -held
            if not turns and self._is_reducing(number):
                self._waiting[number] = wanted._replace(for_money=True)
                return "waiting for money", 0.0
        # What only closes may never open the other side, whatever else fills before it.
        reduces = not may_open and target * held >= 0.0
        return self._send(wanted, quantity, urgency, reduces=reduces), quantity

    def _send(self, wanted: Wanted, quantity: float, urgency: Urgency, *, reduces: bool) -> str:
        try:
            return self._working[wanted.number].send(quantity, urgency, reduces=reduces)
        except (TypeError, ValueError, HorizonError) as error:
            name = wanted.view.signals[0][0]
            self._fail(f"an order of strategy {name!r}", error, name, wanted.number)
            return f"refused: {type(error).__name__}"

    def _lacks_money(self, wanted: Wanted, quantity: float, urgency: Urgency) -> bool:
        try:
            return self._working[wanted.number].lacks_money(quantity, urgency)
        except (TypeError, ValueError, HorizonError):
            return False  # sending it says what is wrong with it

    def _is_reducing(self, but: int) -> bool:
        """Whether orders of the desk in other markets are about to make positions smaller."""
        return any(
            working.in_flight()[0] * state.yes.quantity < 0.0
            for number, (working, state) in enumerate(zip(self._working, self._states, strict=True))
            if number != but
        )

    def _expiry(self, view: View, now_ns: int) -> int:
        """The first time at which what is sent for a view is cancelled."""
        ttl = view.ttl if view.ttl is not None else self._execution.ttl
        # A row at the very end may still fill it.
        return NEVER_NS if ttl is None else min(now_ns + round(ttl * 1e9) + 1, NEVER_NS)

    def _cancel(self, number: int, reason: str, *, spares_market_orders: bool = False) -> None:
        working = self._working[number]
        for algo_id in working.cancel(reason, spares_market_orders=spares_market_orders):
            self.log.stopped(algo_id, reason)

    def _arrived(self, now_ns: int, others: Collection[int]) -> list[Wanted]:
        """What need not wait any longer, in markets where nothing new is said.

        It has waited for a cancel to arrive, for a position to be closed, or for money.
        """
        ready = []
        for number, wanted in list(self._waiting.items()):
            price = self._states[number].price
            if number in others or number not in self._open:
                continue
            working = self._working[number]
            flight, is_leaving = working.in_flight()
            waits = is_leaving or (working.is_closing and flight != 0.0)
            if wanted.expires_ns is not None and wanted.expires_ns <= now_ns:
                del self._waiting[number]
            elif not waits and not (wanted.for_money and self._is_reducing(number)):
                ready.append(wanted._replace(view=replace(wanted.view, price=price)))
        return ready

    def expire(self, now_ns: int) -> None:
        """Cancel what is past its time; called before rows from `next_expiry_ns` on."""
        with self._lock:
            for number, working in enumerate(self._working):
                if working.expires_ns <= now_ns:
                    self._cancel(number, "expired")
        self.next_expiry_ns = min((one.expires_ns for one in self._working), default=NEVER_NS)

    def pull(self, number: int, now_ns: int) -> None:
        """Cancel what works in a market whose feed is stale."""
        self._waiting.pop(number, None)
        with self._lock:
            self._cancel(number, "stale")

    def _fail(
        self,
        what: str,
        error: Exception,
        stage: str,
        number: int | None = None,
        at: float | None = None,
    ) -> None:
        """Hand what went wrong to whoever decides whether the run goes on."""
        if isinstance(error, ModelError):
            raise error  # no fault of the strategy that sent an order
        if not isinstance(error, PipelineError):
            error = failure(
                what,
                error,
                stage=stage,
                market_id="" if number is None else self._markets[number].id,
                timestamp=checks.ns_to_seconds(self._now_ns) if at is None else at,
            )
        self.on_error(error)


def _sum(one: float, other: float) -> float:
    """The sum of two sizes; nothing where only their rounding is left."""
    total = one + other
    return 0.0 if abs(total) <= rules.SLACK * max(abs(one), abs(other)) else total


def _raise(error: PipelineError) -> None:
    raise error
