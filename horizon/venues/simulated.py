"""Order handling of simulated venues: everything but the matching.

A command goes three ways: it is checked (and may raise, having changed nothing); each event
is decided and applied before the next; the answer is made after the last. How orders meet the
market is left to the venue kind, in three methods: `_reference`, `_is_marketable` and
`_arrive`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from horizon import checks, rules
from horizon.errors import OrderError, VenueError
from horizon.instruments import Market, canonical_id, split_side
from horizon.types import (
    AssetClass,
    OrderAction,
    VenueFill,
    VenueOrder,
)
from horizon.venues import snapshots
from horizon.venues.account import Account
from horizon.venues.amending import AmendingVenue, Gate
from horizon.venues.carrying import Delay
from horizon.venues.models import asked, can_answer, nonsense
from horizon.venues.records import Leg, MarketState, OrderState

if TYPE_CHECKING:  # it is loaded with the first book
    from horizon.venues.book_view import BookView

__all__ = ["Delay", "FeeRates", "Gate", "SimulatedVenue"]

_PERP: Final = int(AssetClass.Perp)
_NAN: Final = math.nan


class FeeRates(Protocol):
    """What the fills of a market cost."""

    def rate(self, price: float, is_maker: bool, asset_class: AssetClass) -> float:
        """Return the fee of a fill at this price as a fraction of its notional."""


class SimulatedVenue(AmendingVenue):
    """A venue whose book is simulated in this process.

    Parameters
    ----------
    initial_cash : float
        0 or more.
    supported_classes : iterable of AssetClass, optional
        Orders of other classes are rejected; None takes all.
    maker_fee_rate, taker_fee_rate : float
        Fractions of notional, in (-1, 1); negative is a rebate.
    slippage : float
        Fraction by which a market order does worse than its reference, in [0, 1).
    enforce_buying_power : bool
        Reject orders whose opening part the account cannot carry.
    clock : callable, optional
        Returns float seconds; left out, the wall clock.
    latency : Delay, optional
        How long orders, cancels and amendments travel; None is no time at all. What is on its
        way reaches the market when `deliver` is called, as `Paper` does with each tick and
        `BookAccount` with each book.
    fees : FeeRates, or mapping of market id to FeeRates, optional
        In place of the two rates, for all markets or for those named.
    compact : bool
        Pack orders that have ended, as millions of them ask for.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    What `Paper`, `BookVenue` and `BookAccount` have in common, and what `horizon.Engine` and
    `horizon.connect` stand on:

    >>> paper = hz.Paper(1_000, fee_bps=10, slippage_bps=5)
    >>> isinstance(paper, hz.venues.SimulatedVenue)
    True
    >>> paper.fee_rates, paper.slippage, paper.enforces_buying_power
    ((0.001, 0.001), 0.0005, True)
    """

    def __init__(
        self,
        *,
        initial_cash: float,
        supported_classes: Iterable[AssetClass] | None,
        maker_fee_rate: float,
        taker_fee_rate: float,
        slippage: float,
        enforce_buying_power: bool,
        clock: Callable[[], float] | None,
        latency: Delay | None = None,
        fees: FeeRates | Mapping[str, FeeRates] | None = None,
        compact: bool = False,
    ) -> None:
        account = Account(initial_cash, compact=checks.flag("compact", compact))
        super().__init__(account, clock, latency)
        self._supported = _asset_classes(supported_classes)
        self._maker_rate = maker_fee_rate
        self._taker_rate = taker_fee_rate
        self._slippage = slippage
        self._enforce = enforce_buying_power
        self._fees, self._market_fees = _schedules(fees)
        self._has_fees = fees is not None

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

        Raises
        ------
        ModelError
            If a fee model raises, or returns no fraction in (-1, 1).
        """
        if self._has_fees:
            fees = self._market_fees.get(market.id, self._fees)
            if fees is not None:
                rate = asked(fees, "rate", price, is_maker, AssetClass(market.asset_class))
                try:
                    return checks.rate("rate", rate)
                except (TypeError, ValueError):
                    raise nonsense(fees, "rate", "a fraction in (-1, 1)", rate) from None
        return self._maker_rate if is_maker else self._taker_rate

    @property
    def fee_rates(self) -> tuple[float, float]:
        """Maker and taker fee rate, as fractions of notional."""
        return self._maker_rate, self._taker_rate

    @property
    def has_fee_schedules(self) -> bool:
        """Whether fees are asked of models, not told by two rates."""
        return self._has_fees

    @property
    def takes_every_class(self) -> bool:
        """Whether no asset class is refused."""
        return self._supported is None

    @property
    def enforces_buying_power(self) -> bool:
        """Whether orders that the account cannot carry are refused."""
        return self._enforce

    @property
    def slippage(self) -> float:
        """How much worse than its reference price a market order fills, as a fraction."""
        return self._slippage

    @property
    def matching(self) -> str:
        """What orders meet: ``"price"``, the last one, or ``"quotes"``, bid and ask."""
        return "price"

    @property
    def bar_fill_mode(self) -> str:
        """What of a bar reaches a resting limit: ``"cross"``, its close, or ``"touch"``."""
        return "cross"

    @property
    def fills_on_arrival(self) -> bool:
        """Whether a market order fills as it is accepted, rather than at a later tick."""
        return True

    def quotes_of(self, leg: Leg) -> tuple[float, float]:
        """Return best bid and ask of a position's side, with the lock held; NaN without.

        Parameters
        ----------
        leg : Leg
            The account's record of one side of a market.
        """
        return leg.bid, leg.ask

    # ------------------------------------------------------------------ books
    def book(self, market_id: str) -> BookView | None:
        """Return the order book of a market; None where the venue has none, as here.

        Raises
        ------
        TypeError, ValueError
            If the id is none.
        """
        checks.market_id("market_id", market_id)
        return None

    def take_book(
        self,
        market_id: str,
        bids: Sequence[tuple[float, float]],
        asks: Sequence[tuple[float, float]],
        timestamp: Any = None,
        *,
        price: float | None = None,
        volume: float | None = None,
        trade: float | None = None,
    ) -> list[VenueFill]:
        """Refuse a book: only a `BookAccount` takes them.

        Parameters
        ----------
        market_id, bids, asks, timestamp, price, volume, trade
            As in `BookAccount.take_book`.

        Raises
        ------
        VenueError
            Always.
        """
        raise VenueError(
            f"venue {self.name!r} takes no books by hand; the account of hz.connect('book') does"
        )

    def last_trade(self, market: MarketState) -> float:
        """Price of YES of the latest trade that the market's data told of; NaN where it does not.

        The last price of a market may be a mid; this never is.

        Parameters
        ----------
        market : MarketState
            The account's record.
        """
        return _NAN

    def on_arrival(self, order: OrderState) -> list[tuple[float, float]] | None:
        """Say what an order would take were it to arrive now, level by level; nothing changes.

        Parameters
        ----------
        order : OrderState
            The account's record, or that of a trial.

        Returns
        -------
        list of (size, price), or None
            The best price first; None where orders meet no book, as here.
        """
        return None

    # ------------------------------------------------------------------ submit
    def submit(self, action: OrderAction) -> VenueOrder:
        """Send an order.

        Parameters
        ----------
        action : OrderAction

        Returns
        -------
        VenueOrder
            As the order stands after its arrival: ``"new"``, ``"filled"``, ``"canceled"`` or
            ``"rejected"`` (then ``metadata["reason"]`` says why).

        Raises
        ------
        VenueError
            If the venue is not connected.
        OrderError
            If the client order id was used before for another order, or the leverage is not
            the one that the market's position or orders have.
        TypeError, ValueError
            If the action does not fit the market (price bounds, grids, class).
        """
        if not isinstance(action, OrderAction):
            raise TypeError(f"action must be an OrderAction, was {checks.show(action)}")
        with self._lock:
            order = self.place(
                action.market_id,
                None,
                1 if action.side == "buy" else -1,
                action.quantity,
                action.price,
                ioc=action.tif == "ioc",
                post_only=action.post_only,
                reduce_only=action.reduce_only,
                client_order_id=action.client_order_id,
                leverage=action.leverage,
                intent=action.intent,
            )
            if self._observer is not None:
                self._observer.after_command()
            return snapshots.order_snapshot(order, self.name)

    def place(
        self,
        market_id: str | Market,
        asset_class: AssetClass | None,
        sign: int,
        quantity: float,
        limit: float | None,
        ioc: bool = False,
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
        leverage: float | None = None,
        intent: str | None = None,
        gate: Gate | None = None,
        *,
        any_lot: bool = False,
        no_side: bool = False,
        algo_id: str | None = None,
        trial: bool = False,
    ) -> OrderState:
        """Send an order whose fields were checked one by one, with the lock held.

        This is the one way in, for `submit` and for an engine; call those.

        Parameters
        ----------
        market_id : str or Market
            ``"<id>:no"`` for the NO side of a prediction market.
        asset_class : AssetClass or None
            What the caller knows the market to be; None leaves it to the id.
        sign : int
            1 for a buy, -1 for a sell.
        quantity : float
            Units or contracts, above 0.
        limit : float or None
            None for a market order.
        ioc : bool
            Now or never, rather than good till cancelled.
        post_only, reduce_only, client_order_id, leverage, intent
            As in `OrderAction`.
        gate : callable, optional
            An engine's risk rules; it raises to refuse.
        any_lot : bool
            Let a position be closed that lies off the lot grid.
        no_side : bool
            Ask for the NO side of a `Market`; an id says it itself.
        algo_id : str, optional
            The algorithm whose child it is.
        trial : bool
            Decide it like any order and change nothing: the record, which also holds what the
            order would open, has no id and is put nowhere.

        Returns
        -------
        OrderState
            The account's living record.

        Raises
        ------
        VenueError, OrderError, TypeError, ValueError
            As `submit`, and what `gate` raises.
        """
        if not self._connected:
            self.require_connection()
        account = self.account
        leg = account.legs.get(market_id)  # type: ignore[arg-type]  # a Market is no key
        is_declared = True
        if leg is None or (asset_class is not None and leg.market.asset_class != asset_class):
            leg = self.leg_of(market_id, asset_class, no_side=no_side)
            is_declared = account.legs.get(leg.id) is leg
        market = leg.market
        instrument = market.instrument
        assert instrument is not None
        if instrument.lot_size is not None and not any_lot:
            instrument.check_quantity("quantity", quantity)
        is_market = limit is None
        if limit is None:
            price = _NAN
        else:
            price = instrument.check_order_price("limit price", limit)
        if client_order_id is not None:
            # Before anything that depends on the present: the same call again is always safe.
            asked = (
                leg.id,
                sign,
                quantity,
                limit,
                ioc,
                post_only,
                reduce_only,
                leverage,
                intent,
            )
            first = self._seen(client_order_id, asked)
            if first is not None:
                return first
        asked_leverage = leverage
        if leverage is not None or market.asset_class == _PERP:
            leverage = self.leverage_for(market, leverage)
        else:
            leverage = 1.0
        return self._decide(
            leg,
            is_declared,
            sign,
            quantity,
            price,
            is_market,
            ioc,
            post_only,
            reduce_only,
            client_order_id,
            leverage,
            asked_leverage,
            intent,
            gate,
            algo_id,
            trial,
        )

    def place_limit(
        self, leg: Leg, sign: int, quantity: float, price: float, intent: str, gate: Gate
    ) -> OrderState:
        """Send a plain limit order on a leg, with the lock held.

        It is `place` for who sends many such orders and has checked them already.

        Parameters
        ----------
        leg : Leg
            The account's record of one side of a market.
        sign : int
            1 for a buy, -1 for a sell.
        quantity, price : float
            Checked against the market's bounds and grids.
        intent : str
            Kept in the order's ``metadata``.
        gate : callable
            An engine's risk rules.
        """
        known = self.account.legs.get(leg.id)
        if known is not None:
            leg = known
        market = leg.market
        leverage = self.leverage_for(market, None) if market.asset_class == _PERP else 1.0
        return self._decide(
            leg,
            known is not None,
            sign,
            quantity,
            price,
            False,
            False,
            False,
            False,
            None,
            leverage,
            None,
            intent,
            gate,
            None,
            False,
        )

    def _decide(
        self,
        leg: Leg,
        is_declared: bool,
        sign: int,
        quantity: float,
        price: float,
        is_market: bool,
        ioc: bool,
        post_only: bool,
        reduce_only: bool,
        client_order_id: str | None,
        leverage: float,
        asked_leverage: float | None,
        intent: str | None,
        gate: Gate | None,
        algo_id: str | None,
        trial: bool,
    ) -> OrderState:
        """Work out what an order would be; then refuse it, or accept it and let it go."""
        account, market = self.account, leg.market
        now = self._clock_ns()
        if now < market.tick_ns:
            now = market.tick_ns
        # ---- what the order would be, and whether anything speaks against it
        last = leg.price if leg.is_no else market.price
        if is_market:
            reference = rules.marketable_price(
                self._reference(leg, sign), sign, self._slippage, market.asset_class
            )
            taker = True
        else:
            reference = price
            taker = self._is_marketable(leg, sign, price, last)
        if reduce_only:
            opening = 0.0
        elif sign * leg.quantity >= 0.0:
            opening = quantity
        else:
            opening = account.opening_of(leg, sign, quantity)
        if opening != 0.0 and quantity * reference * market.multiplier > checks.LARGEST:
            raise ValueError(
                f"notional must be at most 1e15, was {quantity * reference * market.multiplier:g} "
                f"({quantity:g} x {reference:g} x {market.multiplier:g})"
            )
        if gate is not None:
            gate(leg, sign, quantity, opening, reference, now)
        if self._has_fees:
            rate = self.fee_rate(market, reference, not taker) if reference == reference else 0.0
        else:
            rate = self._taker_rate if taker else self._maker_rate
        delay = 0 if self.latency is None or trial else self._delay_ns(market, now)
        unit = rules.unit_reserve(
            market.asset_class,
            sign,
            reference,
            reference if last != last else last,
            market.multiplier,
            market.strike,
            leverage,
            rate,
        )
        refusal = None
        if (
            post_only
            or reduce_only
            or market.settled
            or reference != reference
            or self._supported is not None
        ):
            # What is on its way is maker or taker when it gets there.
            takes = taker and not delay
            refusal = self._refusal(leg, sign, quantity, reference, takes, post_only, reduce_only)
        if refusal is None and opening != 0.0 and self._enforce:
            required = opening * unit
            available = account.buying_power
            if required > available and not rules.is_affordable(required, available, account.cash):
                refusal = (
                    f"buying power: the order needs {required:,.2f} {self.currency}, "
                    f"available are {available:,.2f}",
                    required,
                    available,
                )
        if trial:
            order = OrderState(
                "",
                leg,
                sign,
                quantity,
                price,
                is_market,
                ioc,
                post_only,
                reduce_only,
                leverage,
                client_order_id,
                intent,
                now,
            )
            return _tried(order, taker, rate, unit, reference, opening, refusal)
        # ---- from here on things change
        if not is_declared:
            assert market.instrument is not None
            leg = self._declare_leg(market.instrument, leg.is_no)
            market = leg.market
        order_id = f"p{account.next_order}"
        if refusal is not None:
            self.apply.rejected(
                now,
                order_id,
                leg.id,
                sign,
                quantity,
                price,
                is_market,
                ioc,
                post_only,
                reduce_only,
                leverage,
                asked_leverage,
                client_order_id,
                intent,
                *refusal,
            )
            return account.orders[order_id]
        self.apply.accepted(
            now,
            order_id,
            leg.id,
            sign,
            quantity,
            price,
            is_market,
            ioc,
            post_only,
            reduce_only,
            leverage,
            asked_leverage,
            client_order_id,
            intent,
            taker,
            rate,
            unit,
            reference,
            opening,
            algo_id,
            delay > 0,
        )
        order = account.orders[order_id]
        if delay:
            self._send(market, now + delay, lambda due: self._land(order, due))
        elif is_market or self._walks:
            self._arrive(order, now)
        return order

    def _refusal(
        self,
        leg: Leg,
        sign: int,
        quantity: float,
        reference: float,
        taker: bool,
        post_only: bool,
        reduce_only: bool,
    ) -> tuple[str, float, float] | None:
        """Why the market itself refuses an order, whatever the account has; None if it does not."""
        market = leg.market
        if market.settled:
            return "settled", _NAN, _NAN
        if self._supported is not None and market.asset_class not in self._supported:
            kind = AssetClass(market.asset_class)
            return f"unsupported: {self.name} takes no orders for {kind}", _NAN, _NAN
        if math.isnan(reference):
            near = self.nearest_market(market.id)  # None for one that is declared
            hint = "" if near is None else f". Did you mean {near!r}?"
            return self._no_price(leg, sign) + hint, _NAN, _NAN
        if post_only and taker:
            return "post_only: the order would take liquidity on arrival", _NAN, _NAN
        if reduce_only:
            closable = self.account.closable(leg, sign)
            if rules.opening_part(quantity, closable, leg.quantity) > 0.0:
                reason = (
                    f"reduce_only: the order is for {quantity:g}, the position to reduce is "
                    f"{closable:g}"
                )
                return reason, quantity, closable
        return None

    def _no_price(self, leg: Leg, sign: int) -> str:
        if math.isnan(leg.price):
            return f"no price: {leg.id} has had no tick yet"
        return f"no price: the last tick of {leg.id} has no {'ask' if sign > 0 else 'bid'}"

    def leverage_for(self, market: MarketState, asked: float | None) -> float:
        """Return the leverage of a new order, or refuse the one that is asked for.

        Parameters
        ----------
        market : MarketState
            The account's record.
        asked : float or None
            None for what the market has, else 1.

        Raises
        ------
        ValueError
            If the market is no perpetual.
        OrderError
            If the market's position or orders have another.
        """
        if market.asset_class != _PERP:
            kind = AssetClass(market.asset_class)
            raise ValueError(f"leverage belongs to a Perp, {market.id!r} is {kind}; was {asked:g}")
        in_force = market.leverage if market.held or market.resting else None
        if asked is None:
            return 1.0 if in_force is None else in_force
        if in_force is not None and asked != in_force:
            raise OrderError(
                f"leverage of {market.id!r} is {in_force:g} while it has a position or open "
                f"orders, was {asked:g}"
            )
        return asked

    def _seen(self, client_order_id: str, asked: tuple[object, ...]) -> OrderState | None:
        known = self.account.client_ids.get(client_order_id)
        if known is None:
            return None
        order_id, first = known
        if first != asked:
            raise OrderError(
                f"client_order_id {client_order_id!r} was used for order {order_id!r} with other "
                "parameters",
                order_id,
            )
        return self.account.orders[order_id]

    # ------------------------------------------------------------------ executions
    def _execute(
        self, order: OrderState, quantity: float, price: float, is_maker: bool, now_ns: int
    ) -> None:
        """Fill a part of an order, cut to what a reduce-only order may take."""
        market = order.leg.market
        if order.reduce_only:
            quantity = min(quantity, self.account.closable(order.leg, order.sign))
            if quantity <= 0.0:
                self.apply.cancelled(now_ns, order.id, "reduce_only: nothing left to reduce")
                return
        if self._has_fees:
            rate = self.fee_rate(market, price, is_maker)
        else:
            rate = self._maker_rate if is_maker else self._taker_rate
        cost = rules.fee(quantity, price, market.multiplier, rate)
        self.apply.filled(now_ns, order.id, quantity, price, cost, is_maker)
        if market.reduce_only:
            self._drop_reduce_only(market, now_ns)

    def _drop_reduce_only(self, market: MarketState, now_ns: int) -> None:
        """Cancel reduce-only orders that cannot reduce any more."""
        for order in list(market.resting.values()):
            if order.reduce_only and self.account.closable(order.leg, order.sign) == 0.0:
                self.apply.cancelled(now_ns, order.id, "reduce_only: nothing left to reduce")

    def _liquidate(self, market: MarketState, now_ns: int) -> None:
        """Close a perpetual whose margin no longer carries it, at the tick's price."""
        leg = market.yes
        held, cost = leg.quantity, leg.cost + leg.cost_low
        mark = leg.price
        profit = rules.unrealized(held, mark, market.multiplier, cost)
        margin = abs(cost) / market.leverage
        at_mark = rules.notional(held, mark, market.multiplier)
        if not rules.is_liquidated(margin, profit, at_mark):
            return
        if self._observer is not None:
            self._observer.stop_algos(market.id, "liquidation")
        for order in list(market.resting.values()):
            self.apply.cancelled(now_ns, order.id, "liquidation")
        order_id = f"p{self.account.next_order}"
        self.apply.accepted(
            now_ns,
            order_id,
            leg.id,
            -1 if held > 0.0 else 1,
            abs(held),
            _NAN,
            True,
            False,
            False,
            True,
            market.leverage,
            None,
            None,
            "liquidation",
            True,
            self._taker_rate,
            0.0,
            mark,
            0.0,
            None,
            False,
        )
        self._execute(self.account.orders[order_id], abs(held), mark, False, now_ns)


def _tried(
    order: OrderState,
    taker: bool,
    rate: float,
    unit: float,
    reference: float,
    opening: float,
    refusal: tuple[str, float, float] | None,
) -> OrderState:
    """Complete a record as `accepted` or `rejected` would have, outside of any account."""
    order.is_taker = taker
    order.fee_rate = rate
    order.unit_reserve = unit
    order.reference = reference
    order.opening = opening
    if refusal is not None:
        order.status = "rejected"
        order.is_open = False
        order.reason, order.required, order.available = refusal
    return order


def _schedules(
    given: FeeRates | Mapping[str, FeeRates] | None,
) -> tuple[FeeRates | None, dict[str, FeeRates]]:
    """Take what fills cost apart: for all markets, and by market."""
    if not isinstance(given, Mapping):
        if given is None or can_answer(given, "rate"):
            return given, {}
        raise TypeError(
            f"fees must be Fees, or a dict of them by market, was {checks.show(given)}; for two "
            "rates give maker_fee_rate and taker_fee_rate"
        )
    by_market = {}
    for market_id, fees in given.items():
        base, is_no = split_side(canonical_id(checks.market_id("fees' market", market_id)))
        if is_no:
            raise ValueError(
                f"fees must be given by market, whose NO side has the same; was {market_id!r}, "
                f"give {base!r}"
            )
        if not can_answer(fees, "rate"):
            raise TypeError(f"fees[{market_id!r}] must be Fees, was {checks.show(fees)}")
        by_market[base] = fees
    return None, by_market


def _asset_classes(given: Iterable[AssetClass] | None) -> frozenset[AssetClass] | None:
    if given is None:
        return None
    if not isinstance(given, Iterable):
        raise TypeError(f"supported_classes must hold AssetClass, was {checks.show(given)}")
    classes: list[Any] = list(given)
    for item in classes:
        if not isinstance(item, AssetClass):
            raise TypeError(f"supported_classes must hold AssetClass, has {checks.show(item)}")
    return frozenset(classes)
