"""Orders, cancels and amendments on their way to the market."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from operator import index
from typing import ClassVar, Protocol

from horizon import checks
from horizon.venues.account import Account
from horizon.venues.listing import ListingVenue
from horizon.venues.models import asked, can_answer, nonsense
from horizon.venues.records import Leg, MarketState, OrderState

__all__ = ["CarryingVenue", "Delay"]


class Delay(Protocol):
    """How long what is sent is on its way to the market."""

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        """Return the nanoseconds that an order, a cancel or an amendment sent now travels."""


class CarryingVenue(ListingVenue):
    """A venue that what is sent takes time to reach, or none at all.

    What is on its way gets there when `deliver` is called, each at its own time: a venue that takes
    ticks or books calls it with each of them, a run with each of its rows.

    Parameters
    ----------
    account : Account
    clock : callable, optional
        Returns float seconds; left out, the wall clock.
    latency : Delay, optional
        None is no time at all.

    Raises
    ------
    TypeError
        If `latency` cannot say how long something travels.
    """

    #: Whether limit orders meet the market on arrival too, not only market orders.
    _walks: ClassVar[bool] = False

    def __init__(
        self, account: Account, clock: Callable[[], float] | None, latency: Delay | None
    ) -> None:
        super().__init__(account, clock)
        if latency is not None and not can_answer(latency, "delay_ns"):
            raise TypeError(
                f"latency must be a Latency, was {checks.show(latency)}; for milliseconds give "
                "hz.venues.ConstantLatency"
            )
        self.latency = latency
        #: What is on its way: when it is due, its number, its market, and what it then does.
        self.transit: list[tuple[int, int, str, Callable[[int], None]]] = []
        self._sent = 0

    # ------------------------------------------------------------------ left to the venue kind
    @abstractmethod
    def _reference(self, leg: Leg, sign: int) -> float:
        """Price that a market order of this side starts from now; NaN where there is none."""

    @abstractmethod
    def _is_marketable(self, leg: Leg, sign: int, price: float, last: float) -> bool:
        """Whether a limit order would take liquidity if it met the market of this moment.

        `last` is the leg's last price, NaN before its first tick.
        """

    @abstractmethod
    def _arrive(self, order: OrderState, now_ns: int) -> None:
        """Let an accepted order meet the market."""

    @abstractmethod
    def fee_rate(self, market: MarketState, price: float, is_maker: bool) -> float:
        """Fee of a fill at this price, as a fraction of its notional.

        Parameters
        ----------
        market : MarketState
            The account's record.
        price : float
            Of a unit, in the price of the side that fills.
        is_maker : bool
            Whether the order had rested.
        """

    # ------------------------------------------------------------------ on the way
    def _delay_ns(self, market: MarketState, now_ns: int) -> int:
        assert self.latency is not None
        delay = asked(self.latency, "delay_ns", market.id, now_ns)
        if type(delay) is int and delay >= 0:
            return delay
        try:
            whole = -1 if isinstance(delay, bool) else index(delay)
        except TypeError:
            whole = -1
        if whole < 0:
            raise nonsense(self.latency, "delay_ns", "whole nanoseconds, 0 or more", delay)
        return whole

    def _send(self, market: MarketState, due_ns: int, act: Callable[[int], None]) -> None:
        self._sent += 1
        heappush(self.transit, (due_ns, self._sent, market.id, act))

    def deliver(self, until_ns: int, *, inclusive: bool, market_id: str | None = None) -> None:
        """Let what is due before a time, or at it too, reach the market; the lock is held.

        Each arrival happens at its own time, in the order in which they are due; those of one
        time in the order in which they were sent.

        Parameters
        ----------
        until_ns : int
            Nanoseconds since 1970.
        inclusive : bool
            Whether what is due at that very time arrives too.
        market_id : str, optional
            Of what is due at that very time, only what goes to this market arrives: others may yet
            have a tick or a book of that time, which comes first.
        """
        transit = self.transit
        count = self._sent - len(transit)
        others = []
        try:
            while transit and (
                transit[0][0] < until_ns or (inclusive and transit[0][0] == until_ns)
            ):
                sent = heappop(transit)
                due, _, goes_to, act = sent
                if market_id is not None and due == until_ns and goes_to != market_id:
                    others.append(sent)
                else:
                    act(due)
        finally:
            for sent in others:
                heappush(transit, sent)
        if self._observer is not None and self._sent - len(transit) != count:
            self._observer.after_command()

    def _land(self, order: OrderState, now_ns: int) -> None:
        """An order reaches the market."""
        if not order.is_open:  # a settlement or a liquidation has ended it on its way
            return
        leg = order.leg
        taker = True
        if not order.is_market:
            taker = self._is_marketable(leg, order.sign, order.price, leg.price)
        rate = order.fee_rate
        if taker is not order.is_taker:
            rate = self.fee_rate(leg.market, order.price, not taker)
        self.apply.arrived(now_ns, order.id, taker, rate)
        if taker and order.post_only:
            reason = "post_only: the order would take liquidity on arrival"
            self.apply.cancelled(now_ns, order.id, reason)
            self.apply.refused(now_ns, "post_only")
        elif order.is_market or self._walks:
            self._arrive(order, now_ns)

    def cancel_orders(self, orders: Iterable[OrderState], reason: str | None) -> int:
        """Cancel these orders as far as they are open, with the lock held; return how many.

        With latency their cancels are sent; one whose cancel is on its way already counts too.

        Parameters
        ----------
        orders : iterable of OrderState
            The account's living records.
        reason : str or None
            Kept in the metadata of each.
        """
        count = 0
        for order in orders:
            if order.is_open:
                count += 1
                self.cancel_order(order, reason)
        return count

    def cancel_order(self, order: OrderState, reason: str | None) -> None:
        """Cancel one order that is open, with the lock held.

        Parameters
        ----------
        order : OrderState
            The account's living record.
        reason : str or None
            Kept in its metadata.
        """
        market = order.leg.market
        now = self._clock_ns()
        if now < market.tick_ns:
            now = market.tick_ns
        delay = 0 if self.latency is None else self._delay_ns(market, now)
        if not delay:
            self.apply.cancelled(now, order.id, reason)
        elif not order.is_leaving:
            self.apply.cancel_sent(now, order.id)

            def land(due: int) -> None:
                if order.is_open:
                    self.apply.cancelled(due, order.id, reason)

            self._send(market, now + delay, land)

    # ------------------------------------------------------------------ cancel
    def cancel(self, order_id: str) -> bool:
        """End an open order.

        Parameters
        ----------
        order_id : str

        Returns
        -------
        bool
            False if the order is closed already, or unknown; that may be asked again at no risk.

        Raises
        ------
        TypeError
            If `order_id` is no text.
        """
        if not isinstance(order_id, str):
            raise TypeError(
                f"order_id must be text, the id of an order, was {checks.show(order_id)}"
            )
        with self._lock:
            if not self._connected:
                self.require_connection()
            order = self.account.open_orders.get(order_id)
            if order is None:
                return False
            self.cancel_order(order, None)
            return True

    def cancel_all(self, market_id: str | None = None) -> int:
        """End the open orders of a market (of one side, by its ``:no`` id), or all of them.

        Parameters
        ----------
        market_id : str, optional

        Returns
        -------
        int
            How many.
        """
        with self._lock:
            self.require_connection()
            return self.cancel_orders(self._open(market_id), None)
