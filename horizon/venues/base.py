"""What every venue is: an account behind a lock, verbs that change it, and who watches.

`Venue` holds what does not depend on how orders are matched: the connection, the lock, the
clock, event listeners, the engine that watches, and everything that reads. The verbs are left to
`horizon.venues.simulated.SimulatedVenue` for simulated books.
"""

from __future__ import annotations

import html
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol

from horizon import checks
from horizon.errors import OrderError, VenueError
from horizon.instruments import Market, canonical_id, split_side
from horizon.types import (
    OrderAction,
    VenueCapital,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuote,
    VenueSettlement,
)
from horizon.venues import snapshots
from horizon.venues.account import Account
from horizon.venues.events import Listener, recorded
from horizon.venues.interrupts import defer_interrupts
from horizon.venues.records import Leg, MarketState, OrderState

__all__ = ["Observer", "Venue", "clock_ns"]


class Observer(Protocol):
    """Who stands on a venue and must act inside its commands: an engine.

    These are the methods that a venue calls. It is a protocol: have the methods and derive from
    nothing; to call it is a ``TypeError``. An exception in `after_tick` or `after_command` is
    raised from the command, which has done its work by then.

    Examples
    --------
    Any object that has the four will do; one that counts ticks:

    >>> class Counter:
    ...     ticks = 0
    ...     def after_tick(self, market, now_ns):
    ...         self.ticks += 1
    ...     def stop_algos(self, market_id, reason):
    ...         pass
    ...     def replaced(self):
    ...         pass
    ...     def after_command(self):
    ...         pass
    >>> paper = hz.Paper()
    >>> counter = Counter()
    >>> paper.connect()
    >>> paper.attach(counter)
    >>> fills = paper.tick("ACME", 20.0)
    >>> fills = paper.tick("ACME", 20.1)
    >>> counter.ticks
    2
    """

    def after_tick(self, market: MarketState, now_ns: int) -> None:
        """Act after a tick has matched; the venue's lock is held.

        Parameters
        ----------
        market : MarketState
            The account's living record of the market; only to be read.
        now_ns : int
            The tick's time, in nanoseconds since 1970.
        """

    def stop_algos(self, market_id: str | None, reason: str) -> None:
        """Stop the algorithms of a market before it settles or is liquidated.

        The venue's lock is held. It must not raise.

        Parameters
        ----------
        market_id : str or None
            None for those of every market.
        reason : str
            Such as ``"settled"``.
        """

    def replaced(self) -> None:
        """Take no more calls: another engine stands on the venue now."""

    def after_command(self) -> None:
        """Act after a settlement or an order sent to the venue itself; the lock is held."""


def clock_ns(clock: Callable[[], float] | None) -> Callable[[], int]:
    """Turn a clock of float seconds into one of integer nanoseconds; None is the wall's."""
    if clock is None:
        return time.time_ns
    if not callable(clock):
        raise TypeError(f"clock must be a function that returns seconds, was {clock!r}")

    def read() -> int:
        now = clock()
        if type(now) is float and 0.0 <= now <= 9.2e9:
            whole = int(now)
            ns = whole * 1_000_000_000
            return ns if whole == now else ns + round((now - whole) * 1e9)
        return checks.timestamp_ns("clock()", now)

    return read


class Venue(ABC):
    """A place that takes orders, with the account that its events make.

    Every public method takes the venue's lock, and one that changes or reads the account
    raises `VenueError` while the venue is not connected.

    Parameters
    ----------
    account : Account
        The account that the venue's events are applied to.
    clock : callable, optional
        Returns the present time in float seconds; left out, the wall clock.

    Examples
    --------
    Venues that are there: `Paper`, `BookVenue` and `BookAccount`. Whatever the kind, it reads
    the same:

    >>> paper = hz.Paper(1_000)
    >>> isinstance(paper, hz.venues.Venue), paper.name, paper.is_connected
    (True, 'paper', False)
    >>> paper.connect()
    >>> paper.balance().equity, paper.positions(), paper.open_orders()
    (1000.0, [], [])
    """

    #: Name of the venue in snapshots and messages.
    name: ClassVar[str] = "venue"
    #: Whether real money moves; then an engine needs explicit limits.
    is_live: ClassVar[bool] = False
    #: The currency that all money is in.
    currency: ClassVar[str] = "USD"

    def __init__(self, account: Account, clock: Callable[[], float] | None = None) -> None:
        self.account = account
        self._clock_ns = clock_ns(clock)
        self._lock = threading.RLock()
        self._connected = False
        self._listeners: list[Listener] = []
        self._observer: Observer | None = None
        #: Whether a run plays recorded data here, and no one else may give prices.
        self.is_replaying = False
        #: What the apply functions are called on: the account, or a recorder before it.
        self.apply = account

    # ------------------------------------------------------------------ connection
    def connect(self) -> None:
        """Open the venue; a second call does nothing."""
        with self._lock:
            self._connected = True
        defer_interrupts(self)

    def close(self) -> None:
        """Close the venue; a second call does nothing. The account keeps its state."""
        with self._lock:
            self._connected = False

    @property
    def is_connected(self) -> bool:
        """Whether the venue takes calls."""
        return self._connected

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """The lock that serialises every command; hold it to do several as one."""
        return self._lock

    def require_connection(self) -> None:
        """Raise `VenueError` while the venue is not connected."""
        if not self._connected:
            raise VenueError(
                f"venue {self.name!r} is not connected; connect the venue, or make a new client "
                "with hz.connect"
            )

    def refuse_prices(self) -> None:
        """Raise `VenueError` while a run plays its data here."""
        if self.is_replaying:
            raise VenueError(
                "a run's prices come from its data, and its markets settle at their outcomes: "
                "it takes no tick and no settlement of its own"
            )

    # ------------------------------------------------------------------ who watches
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener every event before it is applied; returns the way to stop it.

        Parameters
        ----------
        listener : callable
            Takes one tuple: the name of what happens and its arguments, the time first. It runs
            inside the venue's lock; an exception stops the command before that event has changed
            anything.

        Returns
        -------
        callable
            Call it without arguments to end the subscription.

        Examples
        --------
        >>> paper, seen = hz.Paper(), []
        >>> paper.connect()
        >>> stop = paper.subscribe(lambda event: seen.append(event[0]))
        >>> fills = paper.tick("ACME", 20.0)
        >>> order = paper.submit(hz.OrderAction.place(market_id="ACME", side="buy", quantity=1))
        >>> stop()
        >>> seen
        ['marked', 'declared', 'accepted', 'filled']
        """
        with self._lock:
            self._listeners.append(listener)
            self.apply = recorded(self.account, self._listeners)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)
                self.apply = recorded(self.account, self._listeners)

        return unsubscribe

    def attach(self, observer: Observer) -> None:
        """Let an engine act inside this venue's commands, in place of the one before it.

        A venue has one engine: an account with two sets of limits has none that one can rely
        on, and a cell that connects is run again. The former is told, and takes no more calls.

        Parameters
        ----------
        observer : Observer
            From now on, the one that acts.
        """
        with self._lock:
            former, self._observer = self._observer, observer
            if former is not None and former is not observer:
                former.replaced()

    def detach(self, observer: Observer) -> None:
        """End what `attach` began; another observer than the present one is no error."""
        with self._lock:
            if self._observer is observer:
                self._observer = None

    # ------------------------------------------------------------------ time
    def set_clock(self, read_ns: Callable[[], int]) -> None:
        """Take the present from somewhere else from now on.

        Parameters
        ----------
        read_ns : callable
            Returns whole nanoseconds since 1970.
        """
        with self._lock:
            self._clock_ns = read_ns

    @property
    def time(self) -> float:
        """The present: the later of the clock and the latest command, in float seconds."""
        with self._lock:
            now = max(self._clock_ns(), self.account.now_ns)
        seconds = checks.ns_to_seconds(now)
        if checks.seconds_to_ns(seconds) < now:
            # The nearest float lies before it; a tick at the present must not.
            seconds = math.nextafter(seconds, math.inf)
        return seconds

    def now_ns(self, market: MarketState | None = None) -> int:
        """Time of a command that gives none: the later of the clock and the market's last tick.

        Parameters
        ----------
        market : MarketState, optional
            The account's record; without it the clock alone.

        Returns
        -------
        int
            Nanoseconds since 1970.
        """
        now = self._clock_ns()
        return now if market is None or market.tick_ns < now else market.tick_ns

    # ------------------------------------------------------------------ reading
    def cash(self) -> float:
        """Money in the account."""
        with self._lock:
            self.require_connection()
            return self.account.cash

    def equity(self) -> float:
        """Cash and what all positions are worth at their marks."""
        with self._lock:
            self.require_connection()
            return self.account.equity

    def realized_pnl(self) -> float:
        """Profit of everything closed so far, before fees, in the venue's currency."""
        with self._lock:
            self.require_connection()
            return self.account.realized_pnl

    def balance(self) -> VenueCapital:
        """Cash, equity, buying power and how they came about."""
        with self._lock:
            self.require_connection()
            return snapshots.capital_snapshot(self.account, self.currency, self.name)

    def positions(self) -> list[VenuePosition]:
        """What is held, in the order in which markets were first seen; YES before NO."""
        with self._lock:
            self.require_connection()
            return [
                snapshots.position_snapshot(self.account, leg, self.name)
                for market in self.account.markets.values()
                if market.held
                for leg in market.legs()
                if leg.quantity != 0.0
            ]

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Orders that may still fill, oldest first.

        Parameters
        ----------
        market_id : str, optional
            Of this market alone; by the id of a NO side, of that side.
        """
        with self._lock:
            self.require_connection()
            return [snapshots.order_snapshot(o, self.name) for o in self._open(market_id)]

    def orders(self) -> list[VenueOrder]:
        """Every order of this account, ended ones too, oldest first."""
        with self._lock:
            self.require_connection()
            return [
                snapshots.order_snapshot(order, self.name) for order in self.account.orders.values()
            ]

    def order(self, order_id: str) -> VenueOrder:
        """Return one order as it stands.

        Parameters
        ----------
        order_id : str

        Raises
        ------
        TypeError
            If `order_id` is no text.
        OrderError
            If no order has this id.
        """
        with self._lock:
            self.require_connection()
            return snapshots.order_snapshot(self._find(order_id), self.name)

    def fill_history(self) -> list[VenueFill]:
        """Every fill of this account, drained or not, oldest first."""
        with self._lock:
            self.require_connection()
            return self._fills_from(0)

    def settlements(self) -> list[VenueSettlement]:
        """Every position closed by a settlement, oldest first."""
        with self._lock:
            self.require_connection()
            return [snapshots.settlement_snapshot(row) for row in self.account.settlements]

    def quote(self, market_id: str) -> VenueQuote | None:
        """The last tick of a market or of its NO side; None before the first."""
        with self._lock:
            self.require_connection()
            base, is_no = split_side(canonical_id(checks.market_id("market_id", market_id)))
            market = self.account.markets.get(base)
            if market is None or market.price != market.price:
                return None
            leg = market.yes if not is_no else market.no or Leg(market, market_id, is_no=True)
            return snapshots.quote_snapshot(leg)

    def market(self, market_id: str) -> Market | None:
        """The contract of a market; None where nothing has said its class yet."""
        with self._lock:
            self.require_connection()
            base, _ = split_side(canonical_id(checks.market_id("market_id", market_id)))
            state = self.account.markets.get(base)
            return None if state is None else state.instrument

    def drain_fills(self) -> list[VenueFill]:
        """Fills since the last drain, oldest first; each is given once."""
        with self._lock:
            self.require_connection()
            start = self.account.drained
            count = len(self.account.fills) - start
            if count:
                self.apply.drained_fills(self.now_ns(), count)
            return self._fills_from(start)

    def _fills_from(self, start: int) -> list[VenueFill]:
        rows = self.account.fills
        return [snapshots.fill_snapshot(rows[i], i + 1, self.name) for i in range(start, len(rows))]

    def _find(self, order_id: str) -> OrderState:
        if not isinstance(order_id, str):
            raise TypeError(f"order_id must be text, was {checks.show(order_id)}")
        found = self.account.orders.get(order_id)
        if found is None:
            raise OrderError(f"order {order_id!r} is unknown to {self.name!r}", order_id)
        return found

    def _open(self, market_id: str | None) -> list[OrderState]:
        if market_id is None:
            return list(self.account.open_orders.values())
        leg_id = canonical_id(checks.market_id("market_id", market_id))
        base, is_no = split_side(leg_id)
        market = self.account.markets.get(base)
        if market is None:
            return []
        # The market's id names all its orders; the id of its NO side only those.
        return [o for o in market.resting.values() if not is_no or o.leg.is_no]

    # ------------------------------------------------------------------ changing
    @abstractmethod
    def declare(self, market: Market) -> None:
        """Say what `market` is, before or instead of what its id says."""

    @abstractmethod
    def submit(self, action: OrderAction) -> VenueOrder:
        """Send an order.

        Parameters
        ----------
        action : OrderAction

        Returns
        -------
        VenueOrder
            As it stands after that.
        """

    @abstractmethod
    def cancel(self, order_id: str) -> bool:
        """End an open order; False for one that is closed or unknown."""

    @abstractmethod
    def cancel_all(self, market_id: str | None = None) -> int:
        """End the open orders of a market, or all; returns how many."""

    @abstractmethod
    def amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> VenueOrder:
        """Change an open order's quantity, price, or both; it keeps its id.

        Parameters
        ----------
        order_id : str
        new_quantity : float, optional
            The whole quantity, what has filled included.
        new_price : float, optional
            The new limit.
        """

    @abstractmethod
    def settle(self, market_id: str, price: float) -> list[VenueSettlement]:
        """End a market at `price`: its orders are cancelled, its positions closed."""

    @abstractmethod
    def tick(
        self, market_id: str, price: float, timestamp: Any = None, **bar: Any
    ) -> list[VenueFill]:
        """Give a market its price.

        Parameters
        ----------
        market_id : str
        price : float
            The last price.
        timestamp : float, int or datetime, optional
            Left out: the present.
        **bar
            What else the kind of venue takes.

        Returns
        -------
        list of VenueFill
            The fills that this made.
        """

    def __repr__(self) -> str:
        with self._lock:
            state = "connected" if self._connected else "not connected"
            return f"<{type(self).__name__} {state}, equity {self.account.equity:,.2f}>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"
