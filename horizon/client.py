"""The imperative client: place orders by hand, no pipeline required.

>>> import horizon as hz
>>> with hz.connect("paper", initial_cash_usd=100_000) as ex:
...     order = ex.buy("AAPL", qty=10, limit=180.0)
...     order.status
'new'
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from horizon import checks
from horizon.algos import TWAP, VWAP, ExecAlgo, Iceberg
from horizon.amend_preview import AmendPreview
from horizon.calls import OPTION_WORDS, ORDER_WORDS, caller_level, explained, meant
from horizon.engine import Engine
from horizon.errors import VenueError
from horizon.instruments import Market, split_side
from horizon.order_verbs import OrderVerbs, checked_fields, doubt
from horizon.preview import OrderPreview
from horizon.risk import RiskConfig
from horizon.types import (
    AssetClass,
    OrderRequest,
    OrderSide,
    Side,
    VenueCapital,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuote,
    VenueSettlement,
    check_leverage,
)
from horizon.venues.paper import Paper
from horizon.venues.simulated import SimulatedVenue

if TYPE_CHECKING:
    import pandas as pd

    from horizon.venues.book_view import BookView

__all__ = ["ImperativeClient", "connect", "register_venue"]

_Algo = TypeVar("_Algo", bound=ExecAlgo)

_ORDER_COLUMNS: Final = [
    "market_id",
    "side",
    "quantity",
    "filled_quantity",
    "price",
    "average_price",
    "status",
    "reason",
]


def _book_account(**options: Any) -> SimulatedVenue:
    """Open a `BookAccount`, which is loaded on first use."""
    from horizon.venues.book_account import BookAccount

    _check_options("book", BookAccount, options)
    return BookAccount(**options)


_VENUES: Final[dict[str, Callable[..., SimulatedVenue]]] = {"paper": Paper, "book": _book_account}


@explained(OPTION_WORDS)
def connect(
    venue: str | SimulatedVenue, *, risk: RiskConfig | None = None, **options: Any
) -> ImperativeClient:
    """Connect to a venue.

    Parameters
    ----------
    venue : str or Venue
        ``"paper"``, whose orders meet ticks; ``"book"``, whose orders meet order books (see
        `horizon.venues.BookAccount`); another name given to `register_venue`; or a venue object.
    risk : RiskConfig, optional
        Limits on opening orders; None is no limit.
    **options
        Passed to the venue's factory, e.g. ``initial_cash_usd=50_000, fee_bps=10`` for paper,
        ``initial_cash=50_000, fill_model="probabilistic"`` for books.

    Returns
    -------
    ImperativeClient
        Connected; also a context manager, which closes it. A venue object has one client at a
        time: connecting it again replaces the former, whose algorithms are stopped.

    Raises
    ------
    VenueError
        If the name is unknown; the message lists those that are known.
    TypeError, ValueError
        If an option is none of the venue's, or not as it takes it.

    Examples
    --------
    On paper, orders meet the prices that you tick:

    >>> with hz.connect("paper", initial_cash_usd=50_000, fee_bps=10) as ex:
    ...     fills = ex.tick("AAPL", 180.0)
    ...     order = ex.buy("AAPL", 10, market=True)
    ...     print(order.status, order.average_price, order.fees)
    filled 180.0 1.8

    With books they take what is there, level by level. Three at 100.5 and two at 101:

    >>> ex = hz.connect("book", initial_cash=1_000)
    >>> fills = ex.take_book("ACME", bids=[(99.5, 10)], asks=[(100.5, 3), (101.0, 10)])
    >>> ex.buy("ACME", 5, market=True).average_price
    100.7

    Limits are given with ``risk=``:

    >>> ex = hz.connect("paper", risk=hz.RiskConfig(max_order_size=100))
    >>> ex.engine.risk_config.max_order_size
    100.0
    """
    if isinstance(venue, str):
        factory = _VENUES.get(venue)
        if factory is None:
            known = ", ".join(repr(name) for name in sorted(_VENUES))
            hint = checks.suggestion(venue, _VENUES) or "."
            raise VenueError(
                f"venue {venue!r} is unknown; known are {known}{hint} This release trades on paper "
                "only"
            )
        _check_options(venue, factory, options)
        target = factory(**options)
    else:
        if options:
            raise TypeError(
                f"{next(iter(options))} cannot be given with a venue object; give it to the venue"
            )
        target = venue
    if not isinstance(target, SimulatedVenue):
        raise TypeError(f"venue must be a name or a Venue, was {checks.show(target)}")
    return ImperativeClient(Engine(risk, venue=target))


def register_venue(
    name: str, factory: Callable[..., SimulatedVenue], *, replace: bool = False
) -> None:
    """Make a venue known to `connect` by a name.

    Parameters
    ----------
    name : str
    factory : callable
        Takes the options of `connect` and returns a venue.
    replace : bool
        Whether a name that is taken may be given anew.

    Raises
    ------
    TypeError
        If `name` is no text, or `factory` cannot be called.
    ValueError
        If the name is taken and `replace` is False.

    Examples
    --------
    A paper account with a broker's own fees, 2 basis points for makers and 5 for takers:

    >>> def broker(cash=100_000.0):
    ...     return hz.Paper(cash, maker_fee_rate=0.0002, taker_fee_rate=0.0005)
    >>> hz.register_venue("my-broker", broker, replace=True)
    >>> ex = hz.connect("my-broker", cash=10_000)
    >>> fills = ex.tick("ACME", 100.0)
    >>> ex.buy("ACME", 20, market=True).fees
    1.0
    """
    checks.text("name", name)
    if not callable(factory):
        raise TypeError(f"factory must be a function or class, was {checks.show(factory)}")
    if name in _VENUES and not replace:
        raise ValueError(f"name {name!r} is taken; pass replace=True to give it anew")
    _VENUES[name] = factory


def _check_options(venue: str, factory: Callable[..., Any], options: dict[str, Any]) -> None:
    import inspect

    parameters = inspect.signature(factory).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in options:
        if name not in parameters:
            near = " or ".join(map(repr, meant(name, parameters, OPTION_WORDS)))
            raise TypeError(
                f"{name!r} is no option of venue {venue!r}; its options are "
                f"{', '.join(parameters)}{f'. Did you mean {near}?' if near else ''}"
            )


class ImperativeClient(OrderVerbs):
    """Orders by hand on one venue, through an engine and its risk rules.

    `horizon.connect` makes one. Every order verb takes exactly one of ``limit=`` and
    ``market=True`` and returns the order as it then stands, frozen; `order` gives the present
    one. A market may be named by its id or by a `Market`, which then says what it is.

    A wrong argument raises ``ValueError`` or ``TypeError``, a limit of yours `RiskRejected`, and
    nothing is sent. What the market refuses comes back as an order with status ``"rejected"``.
    After `close` every call raises `VenueError`.

    Parameters
    ----------
    engine : Engine
        What the client stands on.

    Attributes
    ----------
    engine : Engine
        The same; its limits, refusals and kill switch are there.

    Raises
    ------
    TypeError
        If `engine` is no `Engine`.

    Examples
    --------
    Buy at the market, and sell half when the price has risen. Fees are 10 basis points: 1.80 of
    the 1,800 that ten shares cost, 0.95 of the 950 that five bring in.

    >>> ex = hz.connect("paper", initial_cash_usd=10_000, fee_bps=10)
    >>> fills = ex.tick("AAPL", 180.0)
    >>> bought = ex.buy("AAPL", 10, market=True)
    >>> bought.status, bought.average_price, bought.fees
    ('filled', 180.0, 1.8)
    >>> fills = ex.tick("AAPL", 190.0)
    >>> sold = ex.sell("AAPL", 5, market=True)
    >>> ex.realized_pnl(), round(ex.balance().fees, 6)
    (50.0, 2.75)

    A limit order waits for its price:

    >>> waiting = ex.buy("AAPL", 5, limit=185.0)
    >>> waiting.status
    'new'
    >>> [(fill.quantity, fill.price) for fill in ex.tick("AAPL", 184.0)]
    [(5.0, 185.0)]

    An order that the account cannot pay comes back refused, with what it needed:

    >>> refused = ex.buy("AAPL", 1_000, market=True)
    >>> refused.status, refused.metadata["required"]
    ('rejected', 184184.0)

    Close everything, and leave:

    >>> [(order.side, order.quantity) for order in ex.flatten_all()]
    [('sell', 10.0)]
    >>> ex.close()
    """

    def __init__(self, engine: Engine) -> None:
        if not isinstance(engine, Engine):
            raise TypeError(f"engine must be an Engine, was {checks.show(engine)}")
        super().__init__(engine)

    # ------------------------------------------------------------------ before an order
    @explained(ORDER_WORDS)
    def preview(
        self,
        market_id: str | Market,
        qty: float,
        *,
        side: str = "buy",
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
        leverage: float | None = None,
    ) -> OrderPreview:
        """Say what an order would do, without sending it; nothing changes.

        Parameters
        ----------
        market_id, qty, limit, market, tif, post_only, reduce_only, client_order_id
            As in `buy`.
        side : {"buy", "sell"}
        leverage : float, optional
            As in `buy_perp`; perpetuals only.

        Returns
        -------
        OrderPreview
            Price, fee, and what it would leave of cash, buying power and position; or, in
            ``refusal``, why risk or the market would refuse it.

        Raises
        ------
        OrderError
            If `client_order_id` was used for another order, or the leverage is not the one
            that the market's position or orders have.
        VenueError
            If the client is closed.
        TypeError, ValueError
            If an argument is not as above.

        Examples
        --------
        >>> import horizon as hz
        >>> ex = hz.connect("paper", initial_cash_usd=1_000)
        >>> ex.preview("AAPL", 10, limit=180.0).refusal
        'buying power: the order needs 1,800.00 USD, available are 1,000.00'
        """
        sign = 1 if checks.one_of("side", side, ("buy", "sell")) == "buy" else -1
        leverage = check_leverage(leverage)
        fields = checked_fields(
            market_id, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )
        with self._venue.lock:
            seen = self.engine.preview(market_id, None, sign, *fields, leverage)
            if (near := self._nearest(market_id)) is not None:
                said = doubt(market_id, near, self._course(seen, ioc=fields[2]))
                seen = replace(seen, cautions=(said, *seen.cautions))
            return seen

    # ------------------------------------------------------------------ change and end
    @explained(ORDER_WORDS)
    def amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> VenueOrder:
        """Change an open order's quantity, price, or both; it keeps its id.

        A new price is a new arrival, a new quantity alone keeps the place in the queue.

        Parameters
        ----------
        order_id : str
        new_quantity : float, optional
            The whole quantity, what has filled included; above that.
        new_price : float, optional
            The new limit.

        Returns
        -------
        VenueOrder
            As it stands after that; with a book, it may have filled on its new arrival.

        Raises
        ------
        OrderError, RiskRejected
            If the order, the market, money or risk refuse it; the order stays as it was.
        TypeError, ValueError
            If neither argument is given, or one is not a number above 0 on the market's grid.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> order = ex.buy("AAPL", 10, limit=180.0)
        >>> changed = ex.amend(order.id, new_quantity=12, new_price=181.0)
        >>> changed.id == order.id, changed.quantity, changed.price
        (True, 12.0, 181.0)
        """
        return self.engine.amend(order_id, new_quantity, new_price)

    @explained(ORDER_WORDS)
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
            What would be open then, whether the order keeps its place in the queue, and what is
            left of the buying power; or, in ``refusal``, why money or risk would refuse it.

        Raises
        ------
        OrderError
            If the order is unknown or closed, has filled more than `new_quantity`, or is
            post-only and would take liquidity.
        TypeError, ValueError
            If neither argument is given, or one is not a number above 0 on the market's grid.

        Examples
        --------
        >>> import horizon as hz
        >>> ex = hz.connect("paper")
        >>> order = ex.buy("AAPL", 10, limit=180.0)
        >>> seen = ex.preview_amend(order.id, new_price=181.0)
        >>> seen.price_after, seen.keeps_place
        (181.0, False)
        """
        return self.engine.preview_amend(order_id, new_quantity, new_price)

    def cancel(self, order_id: str) -> bool:
        """End an open order.

        Parameters
        ----------
        order_id : str

        Returns
        -------
        bool
            False for one that is closed already, or unknown: a cancel may be sent twice.
        """
        return self.engine.cancel(order_id)

    def cancel_all(self, market_id: str | None = None) -> int:
        """End the open orders of a market, or all of them.

        Parameters
        ----------
        market_id : str, optional
            Both sides of a prediction market; by its ``:no`` id, the orders for NO alone.

        Returns
        -------
        int
            How many.

        Warns
        -----
        UserWarning
            If nothing is known of the market while another is nearly called so.
        """
        if market_id is not None:
            self._ask_about(market_id, "nothing is cancelled")
        return self.engine.cancel_all(market_id)

    def flatten(self, market_id: str) -> list[VenueOrder]:
        """Close what is held in a market, both its sides.

        Its algorithms are stopped and its open orders cancelled first; then market orders are
        sent for what is held. Risk refuses none of it.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, that side alone; the market's algorithms are stopped all the
            same.

        Returns
        -------
        list of VenueOrder
            The market orders, one for each side that was held; empty where nothing was.

        Warns
        -----
        UserWarning
            If nothing is known of the market while another is nearly called so.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("TSLA", 200.0)
        >>> order = ex.short("TSLA", 10, market=True)
        >>> [(order.side, order.quantity, order.status) for order in ex.flatten("TSLA")]
        [('buy', 10.0, 'filled')]
        """
        checks.text("market_id", market_id)
        self._ask_about(market_id, "nothing is closed")
        return self.engine.flatten(market_id)

    def _ask_about(self, market_id: str, what: str) -> None:
        """Warn of a market that is unknown, and nearly called as one that is not."""
        with self._venue.lock:
            near = self._nearest(market_id, priced=False)
        if near is not None:
            warnings.warn(
                f"Nothing is known of {market_id!r}: {what}. Did you mean {near!r}?",
                stacklevel=caller_level(),
            )

    def flatten_all(self) -> list[VenueOrder]:
        """Close everything that is held, in every market; see `flatten`."""
        return self.engine.flatten()

    @explained(ORDER_WORDS)
    def settle(self, market_id: str, price: float) -> list[VenueSettlement]:
        """End a market at a price, e.g. a prediction at its outcome 1.0 or 0.0.

        Its algorithms are stopped, its orders cancelled, and both its sides closed without fee.
        Orders that follow are rejected (``"settled"``).

        Parameters
        ----------
        market_id : str
            By the id of a NO side, `price` is NO's.
        price : float
            0 to 1 for a prediction, the intrinsic value of an option, 0 or more for anything else.

        Returns
        -------
        list of VenueSettlement
            One for each position closed; empty where there was none, and where the market is
            settled already at this price.

        Raises
        ------
        OrderError
            If the market is settled already at another price.
        TypeError, ValueError
            If the price is none that the market can settle at, or nothing is known of the market
            while another is nearly called so.

        Examples
        --------
        A call bought for 3.50, at 185 on its last day: it is worth 5.00, times 100.

        >>> ex = hz.connect("paper")
        >>> call = ex.buy_option("AAPL", 180, "2025-01-17", "call", 1, limit=3.5).market_id
        >>> fills = ex.tick(call, 3.4)
        >>> ex.settle(call, 5.0)[0].realized_pnl, ex.positions()
        (150.0, [])
        """
        with self._venue.lock:
            if (near := self._nearest(market_id, priced=False)) is not None:
                raise ValueError(
                    f"market_id must be one that is known here, was {market_id!r}. Did you mean "
                    f"{near!r}? One that is to settle before anything else is declared first: "
                    f"ex.declare(hz.Market({split_side(market_id)[0]!r}, …))"
                )
            return self.engine.settle(market_id, price)

    # ------------------------------------------------------------------ algorithms
    @explained(ORDER_WORDS)
    def twap(
        self,
        market_id: str | Market,
        qty: float,
        *,
        duration_secs: float,
        num_slices: int,
        side: str = "buy",
        price_limit: float | None = None,
        reduce_only: bool = False,
    ) -> TWAP:
        """Work an order in equal slices over time.

        Parameters
        ----------
        market_id : str or Market
            ``"<id>:no"`` is the NO side of a prediction market.
        qty : float
            The whole order.
        duration_secs : float
            The window in market time; it begins with the market's next tick.
        num_slices : int
        side : {"buy", "sell"}
        price_limit : float, optional
            The most a child may pay when buying, the least it may take when selling.
        reduce_only : bool
            Let the children only reduce a position.

        Returns
        -------
        TWAP
            Started; every tick of the market advances it. ``await algo.done()`` waits for it.

        Raises
        ------
        AlgoError
            If the market is settled.
        TypeError, ValueError
            If an argument is not as above, or does not fit the market.

        Warns
        -----
        UserWarning
            If nothing is known of the market while another is nearly called so.

        Examples
        --------
        A slice of 10 every 20 seconds. Each is a limit at the price of its tick, and fills when
        the market comes back to it:

        >>> ex = hz.connect("paper")
        >>> algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
        >>> for second, price in [(0, 20.0), (20, 19.9), (40, 19.8), (50, 19.8), (60, 19.7)]:
        ...     fills = ex.tick("ACME", price, float(second))
        >>> algo.status, algo.progress.filled, round(algo.progress.average_price, 6)
        ('completed', 30.0, 19.9)
        """
        algo = TWAP(self, duration_secs, num_slices, price_limit=price_limit)
        return self._run(algo, market_id, qty, side, None, reduce_only)

    @explained(ORDER_WORDS)
    def vwap(
        self,
        market_id: str | Market,
        qty: float,
        *,
        duration_secs: float,
        volume_profile: Iterable[float],
        side: str = "buy",
        price_limit: float | None = None,
        reduce_only: bool = False,
    ) -> VWAP:
        """Work an order in slices sized by a volume profile; the other arguments are `twap`'s.

        Parameters
        ----------
        volume_profile : sequence of float
            Relative volume of each slice; they need not sum to 1. See `horizon.VWAP`.

        Returns
        -------
        VWAP
            Started, as by `twap`.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> algo = ex.vwap("ACME", 100, duration_secs=60, volume_profile=[0.5, 0.2, 0.3])
        >>> [piece.size for piece in algo.progress.schedule]
        [50.0, 20.0, 30.0]
        """
        algo = VWAP(self, duration_secs, volume_profile, price_limit=price_limit)
        return self._run(algo, market_id, qty, side, None, reduce_only)

    @explained(ORDER_WORDS)
    def iceberg(
        self,
        market_id: str | Market,
        qty: float,
        *,
        show_size: float,
        limit: float,
        side: str = "buy",
        reduce_only: bool = False,
    ) -> Iceberg:
        """Rest an order at a limit, showing a part of it at a time.

        Parameters
        ----------
        market_id, qty, side, reduce_only
            As in `twap`.
        show_size : float
            The most that is shown at once.
        limit : float
            Of every part.

        Returns
        -------
        Iceberg
            Started; the first part is sent with the market's next tick.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> algo = ex.iceberg("ACME", 25, show_size=10, limit=20.0)
        >>> fills = ex.tick("ACME", 20.5)
        >>> [order.quantity for order in ex.open_orders()]
        [10.0]
        """
        algo = Iceberg(self, show_size)
        return self._run(algo, market_id, qty, side, checks.positive("limit", limit), reduce_only)

    def _run(
        self,
        algo: _Algo,
        market_id: str | Market,
        qty: float,
        side: str,
        limit: float | None,
        reduce_only: bool,
    ) -> _Algo:
        with self._venue.lock:
            request, contract = self.algo_request(
                market_id, qty, side=side, limit=limit, reduce_only=reduce_only
            )
            if (near := self._nearest(market_id)) is not None:
                algo.check(request, market=contract)
                started = "the algorithm starts with the first one"
                warnings.warn(doubt(market_id, near, started), stacklevel=caller_level())
            algo.start(request, auto=True, market=contract)
        return algo

    def algo_request(
        self,
        market_id: str | Market,
        qty: float,
        *,
        side: str = "buy",
        limit: float | None = None,
        reduce_only: bool = False,
    ) -> tuple[OrderRequest, Market | None]:
        """Say a parent order in an algorithm's words, for its ``check`` and ``start``.

        Parameters
        ----------
        market_id, qty, side, reduce_only
            As in `twap`.
        limit : float, optional
            The parent's price.

        Returns
        -------
        tuple of OrderRequest and Market or None
            The parent order, and the market if it was given as one.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> request, _ = ex.algo_request("rain:no", 100, side="buy", limit=0.3)
        >>> request.market_id, request.side, request.size, request.price
        ('rain', Side.No, 100.0, 0.3)
        """
        order_side = OrderSide(checks.one_of("side", side, ("buy", "sell")))
        quantity = checks.positive("qty", qty)
        with self._venue.lock:
            self._venue.require_connection()
            contract = market_id if isinstance(market_id, Market) else None
            leg = self._venue.leg_of(market_id)
            contract_side = Side.Long
            if leg.market.asset_class == AssetClass.Prediction:
                contract_side = Side.No if leg.is_no else Side.Yes
            request = OrderRequest(
                leg.market.id,
                contract_side,
                order_side,
                quantity,
                limit,
                reduce_only=reduce_only,
            )
        return request, contract

    @property
    def algos(self) -> list[ExecAlgo]:
        """The algorithms that are running."""
        return self.engine.algos

    @property
    def algo_history(self) -> list[ExecAlgo]:
        """The latest thousand algorithms that were started, ended ones too, oldest first."""
        return self.engine.algo_history

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

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> ex.declare(hz.Market("rain", hz.Prediction))
        >>> ex.buy("rain", 100, limit=1.2)
        Traceback (most recent call last):
        ...
        ValueError: limit price must lie strictly between 0 and 1 for Prediction 'rain', was 1.2
        """
        self.engine.declare(market)

    def tick(
        self, market_id: str, price: float, timestamp: Any = None, **bar: Any
    ) -> list[VenueFill]:
        """Give a paper market its price, and match its resting orders.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, all prices are NO's.
        price : float
            Last price, or a bar's close; positions are marked at it.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime (a naive one is local time). Left out: the later of
            the clock and the market's last tick.
        **bar
            ``high``, ``low`` and ``open`` of a bar, ``bid`` and ``ask``, ``volume``; see
            `Paper.tick`.

        Returns
        -------
        list of VenueFill
            What this tick filled; `fills` gives them as well.

        Raises
        ------
        TypeError, ValueError
            For a price that the market cannot have, or a time before its last tick.
        VenueError
            If the venue has its prices from books.
        """
        return self._venue.tick(market_id, price, timestamp, **bar)

    def quote(self, market_id: str) -> VenueQuote | None:
        """The last tick of a market, by ``"<id>:no"`` in the price of NO; None before the first."""
        return self._venue.quote(market_id)

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
        """Give a market of a book account its next order book, and match its resting orders.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, the book is NO's.
        bids, asks : sequence of (price, size)
            The best first; a side may be empty. Sizes are above 0.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime (a naive one is local time). Left out: the present.
        price : float, optional
            What positions are marked at; the mid if left out.
        volume : float, optional
            Units traded since the book before; matching does not use it.
        trade : float, optional
            Price of the latest trade, to be shown; it marks and fills nothing.

        Returns
        -------
        list of VenueFill
            What this book filled; `fills` gives them as well.

        Raises
        ------
        DataError, TypeError, ValueError
            For a book that cannot be; see `horizon.venues.BookAccount.take_book`.
        VenueError
            If the venue takes no books, as on paper.
        """
        return self._venue.take_book(
            market_id, bids, asks, timestamp, price=price, volume=volume, trade=trade
        )

    def book(self, market_id: str) -> BookView | None:
        """The order book as the next order would meet it; None where there is none.

        By the id of a NO side it is the book of NO. What this account has taken since the last
        book came is gone from it.

        Examples
        --------
        >>> ex = hz.connect("book", clock=lambda: 0.0)
        >>> fills = ex.take_book("ACME", bids=[(99.5, 10)], asks=[(100.5, 3), (101.0, 10)])
        >>> order = ex.buy("ACME", 5, market=True)
        >>> ex.book("ACME").asks
        [(101.0, 8.0)]
        """
        return self._venue.book(market_id)

    @property
    def time(self) -> float:
        """The present: the later of the clock and the latest command, in float seconds."""
        return self._venue.time

    # ------------------------------------------------------------------ reading
    def positions(self) -> list[VenuePosition]:
        """What is held, market by market; YES before NO."""
        return self._venue.positions()

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Orders that may still fill, oldest first; of one market where it is named."""
        return self._venue.open_orders(market_id)

    def orders(self) -> list[VenueOrder]:
        """Every order of this account, ended ones too, oldest first."""
        return self._venue.orders()

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
        return self._venue.order(order_id)

    def balance(self) -> VenueCapital:
        """Cash, equity, buying power and how they came about."""
        return self._venue.balance()

    def realized_pnl(self) -> float:
        """Profit of everything closed so far, before fees, in the account's currency."""
        return self._venue.realized_pnl()

    def fills(self) -> list[VenueFill]:
        """Fills since the last call, oldest first; each is given once.

        `fills_frame` shows all of them, as often as it is asked.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("AAPL", 180.0)
        >>> order = ex.buy("AAPL", 10, market=True)
        >>> len(ex.fills()), len(ex.fills()), len(ex.fills_frame())
        (1, 0, 1)
        """
        return self._venue.drain_fills()

    def settlements(self) -> list[VenueSettlement]:
        """Every position closed by a settlement, oldest first."""
        return self._venue.settlements()

    def orders_frame(self) -> pd.DataFrame:
        """Every order as a table, one row each, indexed by order id.

        What an order says of itself comes first; ``intent`` and ``reason`` are from its metadata.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> order = ex.buy("AAPL", 10, limit=180.0)
        >>> order = ex.short("TSLA", 5, limit=210.0)
        >>> print(ex.orders_frame()[["market_id", "side", "price", "status"]])
           market_id  side  price status
        id
        p1      AAPL   buy  180.0    new
        p2      TSLA  sell  210.0    new
        """
        frame = _frame(self.orders(), VenueOrder, "id")
        for name in ("intent", "reason"):
            frame[name] = [metadata.get(name) for metadata in frame["metadata"]]
        return frame[[*_ORDER_COLUMNS, *frame.columns.difference(_ORDER_COLUMNS, sort=False)]]

    def fills_frame(self) -> pd.DataFrame:
        """Every fill, drained or not, as a table indexed by fill id; times are UTC."""
        import pandas as pd

        with self._venue.lock:
            frame = _frame(self._venue.fill_history(), VenueFill, "id")
            times = [row[6] for row in self._venue.account.fills]
        # A float of seconds resolves a quarter of a microsecond: finer digits are nobody's.
        frame["timestamp"] = pd.to_datetime(times, unit="ns", utc=True).round("us")
        return frame

    def positions_frame(self) -> pd.DataFrame:
        """What is held as a table, indexed by market."""
        return _frame(self.positions(), VenuePosition, "market_id")

    # ------------------------------------------------------------------ end
    @property
    def is_connected(self) -> bool:
        """Whether the client takes calls."""
        return not self.engine.is_closed and self.engine.venue.is_connected

    def close(self) -> None:
        """Stop the running algorithms and close the client and its venue.

        A second call does nothing.
        """
        self.engine.close()

    def __enter__(self) -> ImperativeClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        venue = self.engine.venue
        with venue.lock:
            state = "connected" if self.is_connected else "closed"
            return (
                f"<ImperativeClient on {venue.name}, {state}: equity {venue.account.equity:,.2f} "
                f"{venue.currency}, {len(venue.account.open_orders)} open orders>"
            )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _frame(records: list[Any], kind: type, index: str) -> pd.DataFrame:
    import dataclasses

    import pandas as pd

    names = [field.name for field in dataclasses.fields(kind)]
    rows = [[_cell(getattr(record, name)) for name in names] for record in records]
    frame = pd.DataFrame(rows, columns=names)
    # So that a table without rows has the types of one with rows.
    numbers = {f.name: float for f in dataclasses.fields(kind) if f.type == "float"}
    return frame.astype(numbers).set_index(index)


def _cell(value: Any) -> Any:
    # pandas would turn the number behind an asset class into a column of integers.
    return str(value) if isinstance(value, AssetClass) else value
