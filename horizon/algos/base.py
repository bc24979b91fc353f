"""What every execution algorithm shares: its life, its children, its progress.

An algorithm's state is a record in the account, changed by events like everything else; this
object decides the events and is the handle that a user holds.
"""

from __future__ import annotations

import html
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from horizon import checks, rules
from horizon.algos.progress import RUNNING, AlgoProgress, progress_of
from horizon.algos.schedule import clock_slack_ns
from horizon.engine import Engine
from horizon.errors import AlgoError, OrderError, RiskRejected
from horizon.instruments import Market
from horizon.types import AssetClass, OrderRequest
from horizon.venues.records import NEVER_NS, AlgoState, Leg, OrderState

if TYPE_CHECKING:
    # A script that never awaits need not pay for it on import.
    import asyncio

__all__ = ["ExecAlgo", "Plan", "engine_of"]

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What an algorithm makes of a request: its slices, over how long, and at which limit."""

    slices: tuple[float, ...]
    duration_ns: int
    limit: float


class ExecAlgo(ABC):
    """Base of the execution algorithms.

    One object works one parent order: `start` takes it, each `on_tick` advances it. Children
    are orders like any other and pass the same risk rules.

    Parameters
    ----------
    engine : Engine or ImperativeClient
        Where the children are sent.
    price_limit : float, optional
        The most that a child may pay when buying, the least it may take when selling.

    Examples
    --------
    `horizon.TWAP`, `horizon.VWAP` and `horizon.Iceberg` are the ones that there are. A client's
    verbs start them, and each tick of their market advances them:

    >>> ex = hz.connect("paper")
    >>> algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
    >>> isinstance(algo, hz.ExecAlgo), algo.status
    (True, 'running')

    `subscribe` tells what happens, here the part that has filled:

    >>> seen = []
    >>> stop = algo.subscribe(lambda progress: seen.append(progress.filled))
    >>> for second, price in [(0.0, 20.0), (20.0, 20.0), (40.0, 20.0), (60.0, 20.4)]:
    ...     fills = ex.tick("ACME", price, second)
    >>> seen[0], seen[-1], algo.status
    (0.0, 20.0, 'expired')

    The last slice was sent at the third tick, for 20.0, and the price has left. What is missing
    is left to you:

    >>> algo.progress.remaining
    10.0
    """

    #: Its name in `AlgoProgress`.
    kind: ClassVar[str] = "algo"

    def __init__(self, engine: Any, *, price_limit: float | None = None) -> None:
        self._engine = engine_of(engine)
        self._venue = self._engine.venue
        self._account = self._venue.account
        self._price_limit = (
            math.nan if price_limit is None else checks.positive("price_limit", price_limit)
        )
        self._state: AlgoState | None = None
        self._request: OrderRequest | None = None
        self._contract: Market | None = None
        # Children that may still fill; what the others have filled is added up once.
        self._open: list[OrderState] = []
        self._read = 0
        self._filled = 0.0
        self._cost = 0.0
        self._clock_ns = NEVER_NS
        self._callbacks: dict[object, Callable[[AlgoProgress], object]] = {}
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._reported: tuple[object, ...] = ()
        # How many slices were due when what is planned was last added up, and the sum.
        self._planned = (0, 0.0)

    # ------------------------------------------------------------------ left to the algorithm
    @abstractmethod
    def _plan(self, request: OrderRequest, contract: Market) -> Plan:
        """Check the request against the algorithm's parameters and cut it."""

    @abstractmethod
    def _work(self, state: AlgoState, price: float, now_ns: int) -> None:
        """Send what is due at this tick; the algorithm runs and is not filled."""

    # ------------------------------------------------------------------ life
    def start(
        self, request: OrderRequest, *, auto: bool = False, market: Market | None = None
    ) -> None:
        """Take a parent order.

        Parameters
        ----------
        request : OrderRequest
            `size` is the whole quantity. `tif`, `post_only`, `reduce_only` and `leverage` hold
            for every child.
        auto : bool
            Advance on every tick of the market, with its price and time; else the owner calls
            `on_tick`.
        market : Market, optional
            What the request's market is, where its id does not say.

        Raises
        ------
        AlgoError
            If it was started before, or the market is settled.
        TypeError, ValueError
            If the request does not fit the market or the algorithm.
        """
        with self._engine.venue.lock:
            leg, contract, plan = self._checked(request, market)
            self._engine.require_passage(leg.id)
            self._venue.declare(contract)
            algo_id = f"a{self._account.next_algo}"
            self._venue.apply.algo_started(
                self._venue.now_ns(),
                algo_id,
                self.kind,
                leg.id,
                request.order_side.sign,
                request.size,
                plan.limit,
                self._price_limit,
                plan.duration_ns,
                plan.slices,
                request.tif == "ioc",
                request.post_only,
                request.reduce_only,
                request.leverage,
                auto,
            )
            self._request = request
            self._contract = contract
            self._state = self._account.algos[algo_id]
            self._engine.enlist(self)
            self._report()

    def check(self, request: OrderRequest, *, market: Market | None = None) -> Plan:
        """Say what `start` would make of a parent order; nothing changes.

        The arguments are those of `start`.

        Returns
        -------
        Plan
            Its ``slices``, its ``duration_ns``, and its children's ``limit`` (NaN where they have
            the price of their tick).

        Raises
        ------
        AlgoError, TypeError, ValueError
            What `start` would.
        """
        with self._engine.venue.lock:
            return self._checked(request, market)[2]

    def _checked(self, request: OrderRequest, market: Market | None) -> tuple[Leg, Market, Plan]:
        if not isinstance(request, OrderRequest):
            raise TypeError(f"request must be an OrderRequest, was {checks.show(request)}")
        if request.client_order_id is not None:
            raise ValueError(
                "client_order_id names a single order, an algorithm sends many: was "
                f"{request.client_order_id!r}"
            )
        self._engine.require_open()
        if self._state is not None:
            raise AlgoError(f"{self._called()} was started before; make a new one")
        leg = self._engine.leg_of(request.market_id, request.side, market)
        if leg.market.settled:
            raise AlgoError(f"market {leg.market.id!r} is settled: nothing can trade there")
        contract = leg.market.instrument
        assert contract is not None
        contract.check_quantity("size", request.size)
        if request.leverage is not None:
            self._venue.leverage_for(leg.market, request.leverage)
        for name, price in (("price", request.price), ("price_limit", self._price_limit)):
            if price is not None and not math.isnan(price):
                contract.check_order_price(name, price)
        return leg, contract, self._plan(request, contract)

    def on_tick(self, current_price: float, timestamp: Any) -> None:
        """Advance the algorithm.

        Parameters
        ----------
        current_price : float
            Of the side traded, above 0 (0 and 1 too for a prediction, where nothing is sent).
        timestamp : float, int or datetime
            Seconds on a clock of the owner's choice. An earlier one than before counts as the
            latest seen.

        Raises
        ------
        AlgoError
            Before `start`. After the end it does nothing.
        TypeError, ValueError
            If an argument is not as above.
        """
        price = checks.non_negative("current_price", current_price)
        clock = checks.timestamp_ns("timestamp", timestamp)
        with self._engine.venue.lock:
            self._started("on_tick")
            self._tick(price, clock)

    def after_tick(self, now_ns: int) -> None:
        """Take note of a tick of the market that has just matched; called by the engine.

        One that was started with ``auto=True`` takes its price and time. Of another it only
        sees what its children have filled: its owner advances it.

        Parameters
        ----------
        now_ns : int
            The tick's time, in nanoseconds since 1970.
        """
        state = self._started("after_tick")
        if state.auto:
            self._tick(self._account.legs[state.leg_id].price, now_ns)
            return
        self._read_children()
        if state.status in RUNNING and self._is_filled():
            self._end("completed")
        self._report()

    def _tick(self, price: float, clock_ns: int) -> None:
        state = self._started("on_tick")
        if state.status not in RUNNING:
            return
        self._clock_ns = clock_ns = max(clock_ns, self._clock_ns)
        self._read_children()
        if state.first_ns == NEVER_NS:
            self._venue.apply.algo_clocked(self._venue.now_ns(), state.id, clock_ns, price)
        if self._is_filled():
            self._end("completed")
        elif self._is_over(clock_ns):
            self._end("expired")
        else:
            self._work(state, price, clock_ns)
        self._report()

    def pause(self) -> bool:
        """Send nothing until `resume`; children stay, the clock runs on.

        Returns
        -------
        bool
            False if it had no effect: it was not running.
        """
        return self._switch("running", "paused")

    def resume(self) -> bool:
        """Go on; the next tick sends every slice that came due.

        Returns
        -------
        bool
            False if it had no effect: it was not paused.
        """
        return self._switch("paused", "running")

    def cancel(self) -> bool:
        """End the algorithm and cancel its open children. False if it has ended before."""
        return self._end_early("canceled")

    def stop(self, reason: str) -> bool:
        """End the algorithm because its market is flattened, settled, or everything stops.

        Parameters
        ----------
        reason : str
            Why. The status is ``"stopped"`` whatever it is.

        Returns
        -------
        bool
            False if it had ended before.
        """
        return self._end_early("stopped")

    def _switch(self, before: str, after: str) -> bool:
        with self._engine.venue.lock:
            state = self._started("pause and resume")
            self._engine.require_open()
            if state.status != before:
                return False
            self._venue.apply.algo_switched(self._venue.now_ns(), state.id, after)
            self._report()
            return True

    def _end_early(self, status: str) -> bool:
        with self._engine.venue.lock:
            state = self._started("cancel")
            if state.status not in RUNNING:
                return False
            self._end("completed" if self._is_filled() else status)
            self._report()
            return True

    def _end(self, status: str) -> None:
        state = self._started("an end")
        self._venue.apply.algo_switched(self._venue.now_ns(), state.id, status)
        self._engine.dismiss(self)
        self._venue.cancel_orders(list(self._open), f"algo {status}")
        self._read_children()

    def _is_over(self, clock_ns: int) -> bool:
        state = self._state
        return (
            state is not None
            and state.duration_ns > 0
            and state.first_ns != NEVER_NS
            and clock_ns + clock_slack_ns(state.duration_ns, len(state.slices))
            >= state.first_ns + state.duration_ns
        )

    def _is_filled(self) -> bool:
        state = self._state
        if state is None:
            return False
        return state.target - self.total_filled <= rules.SLACK * state.target

    # ------------------------------------------------------------------ children
    def _send(self, state: AlgoState, size: float, price: float) -> bool:
        """Send one child; a refusal is written down and tried again a second later."""
        sign, contract = state.sign, self._contract
        assert contract is not None
        if not math.isnan(state.price_limit):
            price = min(price, state.price_limit) if sign > 0 else max(price, state.price_limit)
        price = contract.round_price(price, sign)
        lowest, highest = contract.price_bounds
        if not lowest < price < highest:
            self._refused("price_bounds", f"no order can have the price {price:g}", "")
            return False
        try:
            # What the market may have become since the start is asked before anything changes;
            # an error from the order itself is no refusal, and is not taken for one.
            if contract.asset_class is AssetClass.Perp:
                self._venue.leverage_for(self._account.legs[state.leg_id].market, state.leverage)
        except OrderError as error:
            self._refused("leverage", str(error), "")
            return False
        if size * price * (contract.multiplier or 1.0) > checks.LARGEST:
            self._refused("notional", f"notional of {size:g} at {price:g} is over 1e15", "")
            return False
        try:
            order = self._engine.place(
                state.leg_id,
                contract.asset_class,
                sign,
                size,
                price,
                state.ioc,
                state.post_only,
                state.reduce_only,
                None,
                state.leverage,
                f"algo {state.id}",
                algo_id=state.id,
            )
        except RiskRejected as refusal:
            self._refused(refusal.rule, str(refusal), "")
            return False
        if order.status == "rejected":
            reason = order.reason or "rejected"
            self._refused(reason.partition(":")[0], reason, order.id)
            return False
        self._open.append(order)
        self._read += 1
        return True

    def _refused(self, rule: str, message: str, order_id: str) -> None:
        state = self._started("a refusal")
        retry_ns = self._clock_ns + _SECOND_NS
        self._venue.apply.algo_refused(
            self._venue.now_ns(), state.id, rule, message, order_id, retry_ns
        )

    def _read_children(self) -> None:
        """Take up new children, and add up what the ended ones have filled."""
        state = self._state
        if state is None:
            return
        for order_id in state.children[self._read :]:
            self._open.append(self._account.orders[order_id])
        self._read = len(state.children)
        still_open = []
        for order in self._open:
            if order.is_open:
                still_open.append(order)
            else:
                self._filled += order.filled
                self._cost += order.filled * order.average
        self._open = still_open

    def _started(self, what: str) -> AlgoState:
        if self._state is None:
            raise AlgoError(f"{what} needs a parent order: call start(request) first")
        return self._state

    # ------------------------------------------------------------------ reading
    @property
    def id(self) -> str | None:
        """The algorithm's id in its account; None before the start."""
        return None if self._state is None else self._state.id

    @property
    def engine(self) -> Engine:
        """What its children are sent through."""
        return self._engine

    @property
    def market_id(self) -> str:
        """The market it works in, without a side; empty before the start."""
        return "" if self._request is None else self._contract_id()

    def _contract_id(self) -> str:
        assert self._contract is not None
        return self._contract.id

    @property
    def status(self) -> str:
        """Where it stands.

        ``"ready"``, ``"running"``, ``"paused"``, ``"completed"`` (filled), ``"expired"`` (its
        time was over), ``"canceled"``, or ``"stopped"`` (its market was flattened or settled).
        """
        with self._engine.venue.lock:
            state = self._state
            if state is None:
                return "ready"
            if state.status in RUNNING and self._is_filled():
                return "completed"
            return state.status

    @property
    def is_complete(self) -> bool:
        """Whether the parent is filled, or a scheduled algorithm is over.

        TWAP and VWAP are over when their time is, or when they were ended before; so a loop
        that waits for this always ends. An iceberg has no time: see `is_done`.
        """
        with self._engine.venue.lock:
            state = self._state
            if state is None:
                return False
            ended = state.duration_ns > 0 and state.status not in RUNNING
            return ended or self._is_filled() or self._is_over(self._clock_ns)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, one way or another, and will send nothing more."""
        return self.status not in ("ready", *RUNNING)

    @property
    def child_order_ids(self) -> list[str]:
        """Ids of all children sent so far, oldest first."""
        with self._engine.venue.lock:
            return [] if self._state is None else list(self._state.children)

    @property
    def total_filled(self) -> float:
        """What all children have filled, in units or contracts."""
        with self._engine.venue.lock:
            self._read_children()
            return self._filled + sum(order.filled for order in self._open)

    @property
    def rejections(self) -> dict[str, tuple[int, str]]:
        """Refused children by rule: how many, and the last refusal's words."""
        with self._engine.venue.lock:
            if self._state is None:
                return {}
            return {rule: seen[:2] for rule, seen in self._state.rejections.items()}

    @property
    def progress(self) -> AlgoProgress:
        """A frozen picture of this moment; `AlgoError` before the start."""
        return self._progress(is_brief=False)

    @property
    def brief_progress(self) -> AlgoProgress:
        """`progress` with its `schedule` and `children` left empty.

        It costs the same for a million slices as for one, so it can be asked for many times a
        second.
        """
        return self._progress(is_brief=True)

    def _progress(self, *, is_brief: bool) -> AlgoProgress:
        with self._engine.venue.lock:
            state = self._started("progress")
            filled = self.total_filled
            cost = self._cost + sum(order.filled * order.average for order in self._open)
            average = cost / filled if filled > 0.0 else None
            summed, planned = self._planned
            if summed != state.due:
                # Slices lie on one grid: their sum has no rounding, in whatever parts it is made.
                planned += math.fsum(state.slices[summed : state.due])
                self._planned = state.due, planned
            orders = None if is_brief else self._account.orders
            return progress_of(
                state, orders, self.status, filled, self._planned[1], average, self._clock_ns
            )

    # ------------------------------------------------------------------ telling
    def subscribe(self, callback: Callable[[AlgoProgress], object]) -> Callable[[], None]:
        """Call a function with each new progress.

        It is called at once with the present state if the algorithm has started, then after
        each command that changed something, with the venue's lock held. An exception in it is
        raised from that command, after everything else has been told.

        Parameters
        ----------
        callback : callable
            Takes an `AlgoProgress`.

        Returns
        -------
        callable
            Call it without arguments to end the subscription.

        Raises
        ------
        TypeError
            If `callback` cannot be called.
        """
        if not callable(callback):
            raise TypeError(f"callback must be a function, was {checks.show(callback)}")
        with self._engine.venue.lock:
            if self._state is not None:
                callback(self.progress)  # one that fails at once is not subscribed
            key = object()
            self._callbacks[key] = callback

        def unsubscribe() -> None:
            with self._engine.venue.lock:
                self._callbacks.pop(key, None)

        return unsubscribe

    async def done(self) -> AlgoProgress:
        """Wait until the algorithm has ended; returns its last progress.

        Raises
        ------
        AlgoError
            Before `start`.
        """
        import asyncio

        with self._engine.venue.lock:
            self._started("done()")
            if self.is_done:
                return self.progress
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._waiters.append((loop, future))
        await future
        return self.progress

    def _report(self) -> None:
        state = self._started("a report")
        if state.status not in RUNNING:
            waiters, self._waiters = self._waiters, []
            for loop, future in waiters:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_finish, future)
        if not self._callbacks:
            return
        seen = (
            self.status,
            self.total_filled,
            state.due,
            state.sent,
            sum(count for count, *_ in state.rejections.values()),
            len(self._open),
        )
        if seen == self._reported:
            return
        self._reported = seen
        progress = self.progress
        first: Exception | None = None
        for callback in list(self._callbacks.values()):
            try:
                callback(progress)
            except Exception as error:  # told to the others first, then shown
                first = first or error
        if first is not None:
            raise first

    def _called(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        if self._state is None:
            return f"<{self._called()} ready>"
        p = self.progress
        price = "" if p.average_price is None else f", avg {p.average_price:,.6g}"
        refused = "".join(f", refused {n} x by {rule}" for rule, (n, _) in p.rejections.items())
        return (
            f"<{self._called()} {p.id} {p.status}: {p.side} {p.filled:,g} of {p.target:,g} "
            f"{p.market_id}{price}, {len(p.children)} children{refused}"
            f"{f'; {p.ending}' if p.ending else ''}>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def engine_of(target: Any) -> Engine:
    """Return the engine of a client, or the engine itself."""
    engine = getattr(target, "engine", target)
    if not isinstance(engine, Engine):
        raise TypeError(
            f"engine must be an Engine or an ImperativeClient, was {checks.show(target)}"
        )
    return engine


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
