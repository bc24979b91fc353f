"""The engine: one account on one venue, behind one set of risk rules.

Live, paper and backtest orders all come through here. The engine translates engine words
(`OrderRequest`, `Fill`, `Position`) into the venue's, asks the risk rules before the venue
sees an order, watches equity after every tick, and advances the execution algorithms that
were started on it.
"""

from __future__ import annotations

import html
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from horizon import checks
from horizon.amend_preview import AmendPreview, amend_preview
from horizon.errors import RiskRejected, VenueError
from horizon.instruments import NO_SUFFIX, Market, canonical_id, split_side
from horizon.preview import OrderPreview, TrialGate, order_preview
from horizon.quick_quotes import QuickQuotes
from horizon.quoting import submit_quotes
from horizon.risk import RiskConfig, RiskGate
from horizon.types import (
    AssetClass,
    Fill,
    OrderRequest,
    OrderSide,
    Position,
    Quote,
    Shown,
    Side,
    VenueFill,
    VenueOrder,
    VenueSettlement,
)
from horizon.venues.paper import Paper
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.snapshots import order_snapshot

if TYPE_CHECKING:
    from horizon.venues.book_view import BookView

__all__ = ["Engine", "EngineStatus"]

# Defaults that show as plain numbers, and still tell by their identity whether they were given:
# a caller's 100_000.0 is another object.
_DEFAULT_CAPITAL: Final = float("100000")
_DEFAULT_FEE_RATE: Final = float("0.001")


#: Handles of started algorithms that are kept; the account keeps every one's record.
_REMEMBERED: Final = 1_000

# An enum's member costs a look-up each time; orders look at these.
_NO: Final = Side.No
_LONG: Final = Side.Long
_BUY: Final = OrderSide.Buy
_PREDICTION: Final = AssetClass.Prediction


class RunningAlgo(Protocol):
    """What the engine asks of an execution algorithm that runs on it."""

    @property
    def market_id(self) -> str:
        """The market it works in, without a side."""

    def after_tick(self, now_ns: int) -> None:
        """Take note of a tick of its market that has just matched."""

    def stop(self, reason: str) -> bool:
        """End it and cancel its children."""


@dataclass(frozen=True, slots=True)
class EngineStatus(Shown):
    """The engine at one moment.

    Not made by hand: `Engine.status` returns it.

    Attributes
    ----------
    venue : str
        The venue's name.
    is_connected : bool
    time : float
        The present, in seconds since 1970.
    equity, cash : float
        In the venue's currency.
    buying_power : float
        What an opening order may still reserve.
    day_high : float
        Highest equity of this UTC day.
    drawdown_pct : float
        Percent (10.0 is 10 %) that equity lies under `day_high`.
    drawdown_passed : bool
        Whether ``max_daily_drawdown_pct`` was passed today, and only reducing orders pass.
    kill_switch : bool
        Whether it is on.
    open_orders, positions, running_algos : int
        How many there are; the YES and the NO of a market are two positions.
    rejections : dict of str to int
        How many orders each rule has refused; see `Engine.rejections`.

    Examples
    --------
    Bought 100 at 100, the price falls to 95: 500 of 10,000 are gone.

    >>> ex = hz.connect("paper", initial_cash_usd=10_000)
    >>> fills = ex.tick("ACME", 100.0)
    >>> order = ex.buy("ACME", 100, market=True)
    >>> fills = ex.tick("ACME", 95.0)
    >>> status = ex.engine.status()
    >>> status.equity, status.day_high, round(status.drawdown_pct, 9), status.positions
    (9500.0, 10000.0, 5.0, 1)
    """

    venue: str
    is_connected: bool
    time: float
    equity: float
    cash: float
    buying_power: float
    day_high: float
    drawdown_pct: float
    drawdown_passed: bool
    kill_switch: bool
    open_orders: int
    positions: int
    running_algos: int
    rejections: dict[str, int]


class Engine:
    """Orders, risk and algorithms on one venue.

    Parameters
    ----------
    risk_config : RiskConfig, optional
        The limits; None is no limit, which a live venue does not accept.
    venue : Venue, optional
        A venue to stand on; connected if it is not. Left out, a `Paper` of its own, made from
        the arguments below, which exclude `venue`.
    initial_capital : float
        Cash of that paper venue; 100,000 if left out.
    paper_fee_rate : float
        Its fee as a fraction of notional; 0.001 if left out.
    paper_maker_fee_rate, paper_taker_fee_rate : float, optional
        Its fees for makers and takers, each in place of `paper_fee_rate`.
    clock : callable, optional
        Its clock, returning float seconds; the wall clock if left out.

    Raises
    ------
    VenueError
        If a live venue is given without limits.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    Buy 100 at 0.55 with a fee of 0.1 % of the 55 that they cost, 0.055:

    >>> engine = hz.Engine(hz.RiskConfig(max_order_size=500), initial_capital=1_000)
    >>> request = hz.OrderRequest("btc-100k", hz.Side.Yes, hz.OrderSide.Buy, 100, 0.55)
    >>> order_id = engine.submit_order(request)
    >>> [(fill.size, fill.price, round(fill.fee, 6)) for fill in engine.tick("btc-100k", 0.54, 1.0)]
    [(100.0, 0.55, 0.055)]
    >>> engine.order(order_id).status, round(engine.equity, 6)
    ('filled', 998.945)
    """

    def __init__(
        self,
        risk_config: RiskConfig | None = None,
        *,
        venue: SimulatedVenue | None = None,
        initial_capital: float = _DEFAULT_CAPITAL,
        paper_fee_rate: float = _DEFAULT_FEE_RATE,
        paper_maker_fee_rate: float | None = None,
        paper_taker_fee_rate: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if risk_config is None:
            risk_config = RiskConfig()
        elif not isinstance(risk_config, RiskConfig):
            raise TypeError(f"risk_config must be a RiskConfig, was {checks.show(risk_config)}")
        if venue is None:
            rate = checks.rate("paper_fee_rate", paper_fee_rate)
            maker, taker = paper_maker_fee_rate, paper_taker_fee_rate
            venue = Paper(
                checks.non_negative("initial_capital", initial_capital),
                maker_fee_rate=rate
                if maker is None
                else checks.rate("paper_maker_fee_rate", maker),
                taker_fee_rate=rate
                if taker is None
                else checks.rate("paper_taker_fee_rate", taker),
                clock=clock,
            )
        else:
            given = {
                "initial_capital": initial_capital is not _DEFAULT_CAPITAL,
                "paper_fee_rate": paper_fee_rate is not _DEFAULT_FEE_RATE,
                "paper_maker_fee_rate": paper_maker_fee_rate is not None,
                "paper_taker_fee_rate": paper_taker_fee_rate is not None,
                "clock": clock is not None,
            }
            if any(given.values()):
                name = next(name for name, is_given in given.items() if is_given)
                raise ValueError(
                    f"{name} belongs to the engine's own paper venue; with venue= give it to that "
                    "venue instead"
                )
            if not isinstance(venue, SimulatedVenue):
                raise TypeError(f"venue must be a Venue, was {checks.show(venue)}")
        if venue.is_live and risk_config.is_unlimited:
            raise VenueError(
                f"venue {venue.name!r} is live: it needs a RiskConfig with explicit limits"
            )
        self._risk_config = risk_config
        self.venue = venue
        self._account = venue.account
        self._lock = venue.lock
        self._gate = RiskGate(risk_config, venue.account)
        #: Where the venue is plain enough for it.
        self.quick_quotes = QuickQuotes.of(self, self._gate)
        self._has_position_limit = risk_config.max_position_per_market is not None
        self._watches_drawdown = risk_config.max_daily_drawdown_pct is not None
        self._algos: dict[str, list[RunningAlgo]] = {}
        self._started: deque[RunningAlgo] = deque(maxlen=_REMEMBERED)
        self._deferred: list[Exception] = []
        #: By rule, why it refused the first order.
        self.first_refusals: dict[str, str] = {}
        self._closed: str | None = None
        self._held: tuple[str, str] | None = None
        #: Whether an order cannot be sent at all: the engine is closed, or held.
        self._is_barred = False
        if not venue.is_connected:
            venue.connect()
        venue.attach(self)

    # ------------------------------------------------------------------ orders
    def submit_order(self, request: OrderRequest) -> str:
        """Send an order.

        Parameters
        ----------
        request : OrderRequest

        Returns
        -------
        str
            The order's id. The venue may have rejected it: `order` tells.

        Raises
        ------
        RiskRejected
            If a risk rule refuses it; the venue never sees it.
        OrderError, VenueError, TypeError, ValueError
            As `SimulatedVenue.submit`.
        """
        if type(request) is not OrderRequest:
            raise TypeError(f"request must be an OrderRequest, was {checks.show(request)}")
        market_id, side, order_side, size, price, tif, post_only, reduce_only, own_id, lev = request
        if market_id.endswith(NO_SUFFIX):
            self.leg_of(market_id, side)  # says what is wrong
        if side is _NO:
            market_id += NO_SUFFIX
        with self._lock:
            order = self.place(
                market_id,
                None if side is _LONG else _PREDICTION,
                1 if order_side is _BUY else -1,
                size,
                price,
                tif == "ioc",
                post_only,
                reduce_only,
                own_id,
                lev,
            )
            return order.id

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
        no_side: bool = False,
        algo_id: str | None = None,
    ) -> OrderState:
        """Send an order whose fields were checked, through risk, with the lock held.

        It is what `submit_order` and the verbs of a client come to; call those.

        Parameters
        ----------
        market_id : str or Market
            ``"<id>:no"`` for the NO side of a prediction market.
        asset_class : AssetClass or None
            What the caller knows the market to be; None leaves it to the market's id.
        sign : int
            1 for a buy, -1 for a sell.
        quantity : float
            Units or contracts, above 0.
        limit : float or None
            None for a market order.
        ioc : bool
            Now or never, rather than good till cancelled.
        post_only, reduce_only : bool
        client_order_id : str or None
        leverage : float or None
        intent : str or None
            Kept in the order's ``metadata``.
        no_side : bool
            Whether the NO side of a `Market` is meant; an id says it itself.
        algo_id : str or None
            The algorithm whose child it is.

        Returns
        -------
        OrderState
            The account's living record.

        Raises
        ------
        RiskRejected, OrderError, VenueError, ValueError
            As `submit_order`.
        """
        if self._is_barred:
            self.require_passage(market_id if isinstance(market_id, str) else market_id.id)
        try:
            order = self.venue.place(
                market_id,
                asset_class,
                sign,
                quantity,
                limit,
                ioc,
                post_only,
                reduce_only,
                client_order_id,
                leverage,
                intent,
                self._gate,
                no_side=no_side,
                algo_id=algo_id,
            )
        except RiskRejected as refusal:
            self.count(refusal.rule, str(refusal))
            raise
        if limit is None:  # it may have filled
            self._watch()
        if order.opening == 0.0 and self._has_position_limit:
            # What only reduces was not asked about, and may leave the other orders of its
            # market room to pass the position limit.
            self.watch_position(order.leg.market)
        return order

    def place_limit(
        self, leg: Leg, sign: int, quantity: float, price: float, intent: str
    ) -> OrderState:
        """Send a plain limit order through risk; see `SimulatedVenue.place_limit`.

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

        Raises
        ------
        RiskRejected
            If a risk rule refuses it.
        """
        try:
            order = self.venue.place_limit(leg, sign, quantity, price, intent, self._gate)
        except RiskRejected as refusal:
            self.count(refusal.rule, str(refusal))
            raise
        if order.opening == 0.0 and self._has_position_limit:
            self.watch_position(leg.market)
        return order

    def preview(
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
        no_side: bool = False,
    ) -> OrderPreview:
        """Say what `place` would do with the same arguments, with the lock held.

        Nothing changes: no event, no refusal counted, no market declared, no id used. It raises
        what `place` raises, but for risk: that refuses as the venue does, in the answer.
        """
        if self._closed is not None:
            self.require_open()
        asked = TrialGate(self._gate)
        order = self.venue.place(
            market_id,
            asset_class,
            sign,
            quantity,
            limit,
            ioc,
            post_only,
            reduce_only,
            client_order_id,
            leverage,
            intent,
            asked,
            no_side=no_side,
            trial=True,
        )
        return order_preview(order, asked, self._gate, self.venue)

    def submit_quotes(
        self, market_id: str, quotes: Iterable[Quote], side: Side = Side.Yes
    ) -> list[str | None]:
        """Make these quotes what rests of this engine's quotes in a market.

        A leg with the side and price of a resting quote, and no larger size, keeps that order
        and its place in the queue (amended down); other resting quotes are cancelled first.
        Orders that are no quotes, such as an algorithm's, are left alone.

        Parameters
        ----------
        market_id : str
        quotes : iterable of Quote
            Empty: nothing is left resting.
        side : Side
            Whose prices these are.

        Returns
        -------
        list of str or None
            The order ids of bid and ask, quote by quote. None where a leg's price is none that
            the market can have, or where risk refused it; `rejections` counts both by rule.

        Raises
        ------
        TypeError
            If an item is not a Quote.

        Examples
        --------
        The bid is quoted as before and keeps its order; the ask moves by a cent and is replaced:

        >>> engine = hz.Engine()
        >>> engine.submit_quotes("rain", [hz.Quote(0.48, 0.52, 100)])
        ['p1', 'p2']
        >>> engine.submit_quotes("rain", [hz.Quote(0.48, 0.53, 100)])
        ['p1', 'p3']
        >>> [(order.side, order.price) for order in engine.open_orders()]
        [('buy', 0.48), ('sell', 0.53)]
        """
        with self._lock:
            return submit_quotes(self, market_id, quotes, side)

    def leg_of(self, market_id: str, side: Side, contract: Market | None = None) -> Leg:
        """Find the position that engine words name, which do not know ``:no`` ids.

        Parameters
        ----------
        market_id : str
        side : Side
        contract : Market, optional
            What a market is that is not declared yet.

        Raises
        ------
        TypeError, ValueError
            If the id is none, names a NO side, or its market is known as something else.
        """
        if checks.market_id("market_id", market_id).endswith(NO_SUFFIX):
            raise ValueError(
                f"market_id {market_id!r} names a NO side; in engine words that is "
                f"{market_id[: -len(NO_SUFFIX)]!r} with side=Side.No"
            )
        is_no = side is Side.No
        if contract is not None:
            kind = None if side is Side.Long else AssetClass.Prediction
            return self.venue.leg_of(contract, kind, no_side=is_no)
        if side is Side.Long:
            return self.venue.leg_of(market_id)
        return self.venue.leg_of(market_id + NO_SUFFIX * is_no, AssetClass.Prediction)

    def cancel(self, order_id: str) -> bool:
        """End an open order.

        Parameters
        ----------
        order_id : str

        Returns
        -------
        bool
            False for one that is closed already, or unknown.
        """
        self.require_open()
        return self.venue.cancel(order_id)

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
        self.require_open()
        return self.venue.cancel_all(market_id)

    def amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> VenueOrder:
        """Change an open order; it keeps its id. Risk rules are asked as well.

        Parameters
        ----------
        order_id : str
        new_quantity : float, optional
            The whole quantity, what has filled included; above that. By itself it keeps the
            order's place in the queue.
        new_price : float, optional
            The new limit, which is a new arrival.

        Returns
        -------
        VenueOrder
            As it stands after that.

        Raises
        ------
        RiskRejected
            If a rule refuses what the order would become; it stays as it was.
        OrderError
            If the order is unknown or closed, has filled more than `new_quantity`, or the market
            or the account's money refuse; it stays as it was.
        TypeError, ValueError
            If neither is given, or one is not a number above 0 on the market's grid.
        """
        with self._lock:
            self.require_open()
            try:
                order = self.venue.amend_order(order_id, new_quantity, new_price, self._gate)
            except RiskRejected as refusal:
                self.count(refusal.rule, str(refusal))
                raise
            return order_snapshot(order, self.venue.name)

    def preview_amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> AmendPreview:
        """Say what `amend` would do with the same arguments; nothing changes.

        Returns
        -------
        AmendPreview
            Where money, risk or an order's own reduce-only would refuse, it says so.

        Raises
        ------
        OrderError, TypeError, ValueError
            For all else that `amend` raises.
        """
        with self._lock:
            self.require_open()
            change = self.venue.amendment(order_id, new_quantity, new_price)
            return amend_preview(change, self._gate, self.venue)

    def settle(self, market_id: str, price: float) -> list[VenueSettlement]:
        """End a market: its algorithms, its orders, and its positions at a price, without fee.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, `price` is NO's.
        price : float
            0 to 1 for a prediction, an option's intrinsic value, 0 or more for anything else.

        Returns
        -------
        list of VenueSettlement
            One for each position closed.

        Raises
        ------
        OrderError
            If the market is settled already at another price.
        TypeError, ValueError
            If the price is none that the market can settle at.
        """
        self.require_open()
        return self.venue.settle(market_id, price)

    def flatten(self, market_id: str | None = None) -> list[VenueOrder]:
        """Close what is held in a market (both its sides), or everywhere.

        First the running algorithms there are stopped and the open orders cancelled, then
        market orders are sent for the positions; none of it can be refused by risk.

        Parameters
        ----------
        market_id : str, optional
            By the id of a NO side, that side alone. Left out: every market.

        Returns
        -------
        list of VenueOrder
            The orders sent. One is rejected where the market has no price yet.
        """
        with self._lock:
            self.require_open()
            orders = self._flatten(market_id, "flatten")
            return [order_snapshot(order, self.venue.name) for order in orders]

    def kill_switch(self) -> list[VenueOrder]:
        """Stop everything: algorithms, open orders, positions; refuse what would open.

        It stays on until `reset_kill_switch`. Throwing it again flattens what may be left.

        Returns
        -------
        list of VenueOrder
            The market orders that close the positions.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("AAPL", 180.0)
        >>> order = ex.buy("AAPL", 10, market=True)
        >>> order = ex.buy("AAPL", 5, limit=170.0)
        >>> [(order.side, order.quantity) for order in ex.engine.kill_switch()]
        [('sell', 10.0)]
        >>> ex.open_orders(), ex.positions()
        ([], [])
        >>> ex.buy("AAPL", 1, limit=170.0)
        Traceback (most recent call last):
        ...
        horizon.errors.RiskRejected: order in AAPL refused by kill_switch: the kill switch is on
        """
        with self._lock:
            self.require_open()
            self.venue.apply.switched(self.venue.now_ns(), True)
            orders = self._flatten(None, "kill_switch")
            return [order_snapshot(order, self.venue.name) for order in orders]

    def reset_kill_switch(self) -> None:
        """Let opening orders pass again; does nothing while the switch is off."""
        with self._lock:
            self.require_open()
            if self._account.halted:
                self.venue.apply.switched(self.venue.now_ns(), False)

    def _flatten(self, market_id: str | None, intent: str) -> list[OrderState]:
        markets: list[MarketState]
        only: str | None = None
        if market_id is None:
            markets = list(self._account.markets.values())
            self.stop_algos(None, intent)
        else:
            leg_id = canonical_id(checks.market_id("market_id", market_id))
            base, is_no = split_side(leg_id)
            only = leg_id if is_no else None
            found = self._account.markets.get(base)
            markets = [] if found is None else [found]
            self.stop_algos(base, intent)
        sent: list[OrderState] = []
        for market in markets:
            legs = [leg for leg in market.legs() if only is None or leg.id == only]
            self.venue.cancel_orders(
                [o for o in list(market.resting.values()) if o.leg in legs], intent
            )
            sent.extend(self._close_leg(leg, intent) for leg in legs if leg.quantity != 0.0)
            if market.resting:  # NO gone, the orders for YES may be too many
                self.watch_position(market)
        self._watch()
        self._raise_deferred()
        return sent

    def _close_leg(self, leg: Leg, intent: str) -> OrderState:
        return self.venue.place(
            leg.id,
            None,
            -1 if leg.quantity > 0.0 else 1,
            abs(leg.quantity),
            None,
            reduce_only=True,
            intent=intent,
            any_lot=True,
        )

    # ------------------------------------------------------------------ market
    def declare(self, market: Market) -> None:
        """Say what a market is, before its first order.

        Parameters
        ----------
        market : Market

        Raises
        ------
        TypeError, ValueError
            If it is no `Market`, or the market is known as something else.
        """
        self.require_open()
        self.venue.declare(market)

    def tick(self, market_id: str, price: float, timestamp: Any = None, **bar: Any) -> list[Fill]:
        """Give a paper market its price, and match its resting orders.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, all prices are NO's.
        price : float
            Last price, or a bar's close.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime. Left out: the present.
        **bar
            ``high``, ``low``, ``open``, ``bid``, ``ask``, ``volume``; see `Paper.tick`.

        Returns
        -------
        list of Fill
            What this tick filled, in order; `drain_fills` gives them as well.

        Raises
        ------
        TypeError, ValueError
            For a price that the market cannot have, or a time before its last tick.
        VenueError
            On a venue that has its prices from books.
        """
        self.require_open()
        fills = self.venue.tick(market_id, price, timestamp, **bar)
        return [self._in_engine_words(fill) for fill in fills] if fills else []

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
    ) -> list[Fill]:
        """Give a market its next book, and match its resting orders.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, the book is NO's.
        bids, asks : sequence of (price, size)
            The best first; a side may be empty.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime. Left out: the present.
        price : float, optional
            What positions are marked at; the mid if left out.
        volume : float, optional
            Units traded since the book before; matching does not use it.
        trade : float, optional
            Price of the latest trade, to be shown; it fills nothing.

        Returns
        -------
        list of Fill
            What this book filled, in order; `drain_fills` gives them as well.

        Raises
        ------
        DataError, TypeError, ValueError
            For a book that cannot be; see `horizon.venues.BookAccount.take_book`.
        VenueError
            On a venue that takes no books.
        """
        self.require_open()
        fills = self.venue.take_book(
            market_id, bids, asks, timestamp, price=price, volume=volume, trade=trade
        )
        return [self._in_engine_words(fill) for fill in fills] if fills else []

    # ------------------------------------------------------------------ reading
    @property
    def risk_config(self) -> RiskConfig:
        """The limits; another set needs another engine."""
        return self._risk_config

    @property
    def time(self) -> float:
        """The present: the later of the clock and the latest command, in float seconds."""
        return self.venue.time

    @property
    def equity(self) -> float:
        """Cash and what all positions are worth at their marks."""
        self.require_open()
        return self.venue.equity()

    def book(self, market_id: str) -> BookView | None:
        """The order book as the next order would meet it; None where there is none.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, the book of NO.
        """
        self.require_open()
        return self.venue.book(market_id)

    def order(self, order_id: str) -> VenueOrder:
        """Return one order as it stands.

        Parameters
        ----------
        order_id : str

        Raises
        ------
        OrderError
            If no order has this id.
        """
        self.require_open()
        return self.venue.order(order_id)

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Orders that may still fill, oldest first; of one market where `market_id` names it."""
        self.require_open()
        return self.venue.open_orders(market_id)

    def positions(self) -> list[Position]:
        """What is held, market by market; YES before NO."""
        with self._lock:
            self.require_open()
            return [
                Position(
                    market_id=market.id,
                    side=_side_of(leg),
                    size=leg.quantity,
                    avg_entry_price=leg.average,
                    realized_pnl=leg.realized,
                    unrealized_pnl=self._account.leg_unrealized(leg),
                )
                for market in self._account.markets.values()
                if market.held
                for leg in market.legs()
                if leg.quantity != 0.0
            ]

    def drain_fills(self) -> list[Fill]:
        """Fills since the last drain, oldest first; each is given once."""
        self.require_open()
        return [self._in_engine_words(fill) for fill in self.venue.drain_fills()]

    def _in_engine_words(self, fill: VenueFill) -> Fill:
        leg = self._account.legs[fill.market_id]
        return Fill(
            order_id=fill.order_id,
            market_id=leg.market.id,
            side=_side_of(leg),
            order_side=OrderSide.Buy if fill.side == "buy" else OrderSide.Sell,
            size=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            timestamp=fill.timestamp,
            is_maker=fill.is_maker,
            realized_pnl=fill.realized_pnl,
        )

    @property
    def rejections(self) -> dict[str, int]:
        """How many orders each rule has refused.

        Keys are the names of risk rules, as in ``RiskRejected.rule``, and of what refuses quotes
        or orders on their way: ``"price_bounds"``, ``"post_only"``, ``"amend"``. An order that
        comes back ``"rejected"`` is not counted: it is among the orders.
        """
        with self._lock:
            return dict(self._account.refusals)

    @property
    def algos(self) -> list[Any]:
        """The algorithms that are running on this engine."""
        with self._lock:
            return [algo for running in self._algos.values() for algo in running]

    @property
    def algo_history(self) -> list[Any]:
        """The latest thousand algorithms that were started here, ended ones too, oldest first."""
        with self._lock:
            return list(self._started)

    def status(self) -> EngineStatus:
        """Return money, limits and counts at this moment."""
        with self._lock:
            account = self._account
            high, equity = account.day_high, account.equity
            return EngineStatus(
                venue=self.venue.name,
                is_connected=self.venue.is_connected,
                time=self.venue.time,
                equity=equity,
                cash=account.cash,
                buying_power=account.buying_power,
                day_high=high,
                drawdown_pct=100.0 * (1.0 - equity / high) if high > 0.0 else 0.0,
                drawdown_passed=account.now_ns < account.drawdown_until_ns,
                kill_switch=account.halted,
                open_orders=len(account.open_orders),
                positions=sum(
                    leg.quantity != 0.0
                    for market in account.markets.values()
                    for leg in market.legs()
                ),
                running_algos=sum(map(len, self._algos.values())),
                rejections=dict(account.refusals),
            )

    # ------------------------------------------------------------------ watching
    def after_tick(self, market: MarketState, now_ns: int) -> None:
        """Watch equity and advance the market's algorithms; called inside a venue's tick.

        Parameters
        ----------
        market : MarketState
            The account's record of the market that has ticked.
        now_ns : int
            The tick's time, in nanoseconds since 1970.
        """
        account = self._account
        if self._watches_drawdown or account.halted:
            self._watch()
        elif account.open_orders:
            cash, worth = account.cash_sum, account.value_sum  # `Account.equity`, in line
            if (cash.high + worth.high) + (cash.low + worth.low) <= 0.0:
                self._watch()
        if self._has_position_limit and market.resting:
            self.watch_position(market)
        if self._algos:
            running = self._algos.get(market.id)
            if running:
                self._advance(running, now_ns)

    def _advance(self, running: list[RunningAlgo], now_ns: int) -> None:
        # One algorithm's error must not keep the others from their tick; the first is shown.
        first: Exception | None = None
        for algo in list(running):
            try:
                algo.after_tick(now_ns)
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def after_command(self) -> None:
        """Watch equity after a command given to the venue itself, and show what went wrong."""
        self._watch()
        self._raise_deferred()

    def _watch(self) -> None:
        """Cancel what would open more once the account may not.

        That is: under the kill switch, without equity, and past the day's drawdown limit.
        """
        account = self._account
        if self._watches_drawdown:
            passed = account.now_ns < account.drawdown_until_ns
            if not passed and self._gate.has_fallen():
                self.venue.apply.drawdown_passed(account.now_ns)
                passed = True
            if passed:
                self._cancel_opening("max_daily_drawdown_pct")
        if not account.open_orders:
            return
        if account.halted:
            self._cancel_opening("kill_switch")
        elif account.equity <= 0.0:
            self._cancel_opening("equity")

    def watch_position(self, market: MarketState) -> None:
        """Cancel the newest opening orders of `market` until the rest keep the position limit."""
        while (direction := self._gate.excess(market)) != 0:
            beyond = [
                order
                for order in market.resting.values()
                if order.opening > 0.0
                and not order.is_leaving
                and order.sign == direction * (-1 if order.leg.is_no else 1)
            ]
            if not beyond:
                return
            self.venue.cancel_orders([beyond[-1]], "max_position_per_market")

    def _cancel_opening(self, reason: str) -> None:
        for order in list(self._account.open_orders.values()):
            # Asked one by one: an earlier order gone may leave a later one nothing to open.
            if order.opening > 0.0 and not order.is_leaving:
                self.venue.cancel_orders([order], reason)

    def count(self, rule: str, why: str) -> None:
        """Count an order that a rule has refused; the first reason of each rule is kept.

        Parameters
        ----------
        rule : str
            The name under which `rejections` counts it.
        why : str
            The refusal in words.
        """
        self.first_refusals.setdefault(rule, why)
        self.venue.apply.refused(self.venue.now_ns(), rule)

    # ------------------------------------------------------------------ algorithms
    def enlist(self, algo: RunningAlgo) -> None:
        """Know an algorithm that has started: it hears of ticks, and is stopped with its market.

        Parameters
        ----------
        algo : ExecAlgo
        """
        self._algos.setdefault(algo.market_id, []).append(algo)
        self._started.append(algo)

    def dismiss(self, algo: RunningAlgo) -> None:
        """End what `enlist` began; unknown algorithms are no error."""
        running = self._algos.get(algo.market_id, [])
        if algo in running:
            running.remove(algo)
        if not running:
            self._algos.pop(algo.market_id, None)

    def stop_algos(self, market_id: str | None, reason: str) -> None:
        """Stop the algorithms of a market, or all of this engine's, with the lock held.

        Parameters
        ----------
        market_id : str or None
            None for all.
        reason : str
            Why.
        """
        for key in list(self._algos) if market_id is None else [market_id]:
            for algo in list(self._algos.get(key, ())):
                try:
                    algo.stop(reason)
                except Exception as error:  # a listener's; stopping goes on, it is shown after
                    self._deferred.append(error)

    def _raise_deferred(self) -> None:
        """Raise the first error that must not have kept a command from its end."""
        if self._deferred:
            first = self._deferred[0]
            self._deferred.clear()
            raise first

    # ------------------------------------------------------------------ end
    @property
    def is_closed(self) -> bool:
        """Whether the engine takes no more commands: closed, or replaced by another."""
        return self._closed is not None

    def require_open(self) -> None:
        """Raise `VenueError` once the engine is closed, or while its venue is not connected."""
        if self._closed is not None:
            raise VenueError(f"this client is {self._closed}; make a new one with hz.connect")
        self.venue.require_connection()

    def require_passage(self, market_id: str) -> None:
        """Raise unless orders may be sent: `VenueError` once closed, `RiskRejected` while held."""
        self.require_open()
        if self._held is not None:
            rule, why = self._held
            raise RiskRejected(
                f"order in {market_id} refused by {rule}: {why}",
                rule=rule,
                limit=0.0,
                value=0.0,
                market_id=market_id,
            )

    def hold(self, rule: str, why: str) -> None:
        """Refuse every order and algorithm from now on, uncounted, until `release`.

        Parameters
        ----------
        rule : str
            What ``RiskRejected.rule`` then says.
        why : str
            The reason in words.
        """
        self._held = (rule, why)
        self._is_barred = True

    def release(self) -> None:
        """Let orders pass again after `hold`."""
        self._held = None
        self._is_barred = self._closed is not None

    def close(self) -> None:
        """Stop the running algorithms, leave the venue and close it.

        Orders and positions stay as they are in the venue's account. A second call does nothing.
        """
        with self._lock:
            if self._closed is None:
                self.stop_algos(None, "closed")
                self._closed = "closed"
                self._is_barred = True
                self.venue.detach(self)
                self.venue.close()
                self._raise_deferred()

    def end_run(self) -> None:
        """Take no more calls, and leave everything as it stands: orders, algorithms, positions."""
        with self._lock:
            if self._closed is None:
                self._closed = "ended with its run"
                self._is_barred = True
                self._algos.clear()
                self.venue.detach(self)
                self.venue.close()

    def replaced(self) -> None:
        """Take no more calls: another engine stands on the venue now."""
        self.stop_algos(None, "replaced")
        self._closed = "replaced by a newer one on the same venue"
        self._is_barred = True

    def __repr__(self) -> str:
        with self._lock:
            return f"<Engine on {self.venue!r}, {len(self._account.open_orders)} open orders>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _side_of(leg: Leg) -> Side:
    if leg.is_no:
        return Side.No
    return Side.Yes if leg.market.asset_class == AssetClass.Prediction else Side.Long
