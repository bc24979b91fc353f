"""The imperative client: place orders by hand, no pipeline required.

>>> import horizon as hz
>>> with hz.connect("paper", initial_cash_usd=100_000) as ex:
...     order = ex.buy("AAPL", qty=10, limit=180.0)
...     order.status
'new'
"""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from horizon import checks
from horizon.algos import TWAP, VWAP, ExecAlgo, Iceberg
from horizon.engine import Engine
from horizon.errors import VenueError
from horizon.instruments import NO_SUFFIX, Market, option_id
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
from horizon.venues.snapshots import order_snapshot

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImperativeClient", "connect", "register_venue"]

_Algo = TypeVar("_Algo", bound=ExecAlgo)

_VENUES: Final[dict[str, Callable[..., SimulatedVenue]]] = {"paper": Paper}


def connect(
    venue: str | SimulatedVenue, *, risk: RiskConfig | None = None, **options: Any
) -> ImperativeClient:
    """Connect to a venue.

    Parameters
    ----------
    venue : str or Venue
        ``"paper"``, another name given to `register_venue`, or a venue object.
    risk : RiskConfig, optional
        Limits on opening orders; None is no limit.
    **options
        Passed to the venue's factory, e.g. ``initial_cash_usd=50_000, fee_bps=10`` for paper.

    Returns
    -------
    ImperativeClient
        Connected; also a context manager, which closes it.

    Raises
    ------
    VenueError
        If the name is unknown; the message lists those that are known.
    TypeError, ValueError
        If an option is none of the venue's, or not as it takes it.
    """
    if isinstance(venue, str):
        factory = _VENUES.get(venue)
        if factory is None:
            known = ", ".join(repr(name) for name in sorted(_VENUES))
            hint = checks.suggestion(venue, _VENUES)
            raise VenueError(
                f"venue {venue!r} is unknown; known are {known}{hint}. This release trades on "
                "paper only"
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
    ValueError
        If the name is taken and `replace` is False.
    """
    checks.text("name", name)
    if not callable(factory):
        raise TypeError(f"factory must be a function or class, was {checks.show(factory)}")
    if name in _VENUES and not replace:
        raise ValueError(f"name {name!r} is taken; pass replace=True to give it anew")
    _VENUES[name] = factory


def _check_options(venue: str, factory: Callable[..., Any], options: dict[str, Any]) -> None:
    parameters = inspect.signature(factory).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in options:
        if name not in parameters:
            raise TypeError(
                f"{name!r} is no option of venue {venue!r}; its options are "
                f"{', '.join(parameters)}{checks.suggestion(name, parameters)}"
            )


class ImperativeClient:
    """Orders by hand on one venue, through an engine and its risk rules.

    Every order verb takes exactly one of ``limit=`` and ``market=True`` and returns the order as
    it then stands, frozen; `order` gives the present one. A market may be named by its id or by
    a `Market`, which then says what it is.

    Attributes
    ----------
    engine : Engine
        What the client stands on.
    """

    def __init__(self, engine: Engine) -> None:
        if not isinstance(engine, Engine):
            raise TypeError(f"engine must be an Engine, was {checks.show(engine)}")
        self.engine = engine
        self._venue = engine.venue

    # ------------------------------------------------------------------ orders
    def buy(
        self,
        market_id: str | Market,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Buy.

        Parameters
        ----------
        market_id : str or Market
            What to buy; ``"<id>:no"`` is the NO side of a prediction market.
        qty : float
            Units or contracts, above 0.
        limit : float, optional
            The most to pay for each.
        market : bool
            True for a market order.
        tif : {"gtc", "ioc"}
            Rest until cancelled, or end at the first tick that does not reach the limit.
        post_only : bool
            Reject it rather than take liquidity on arrival.
        reduce_only : bool
            Only reduce a short position: more than that is rejected, and it is cut to what
            there is when it fills.
        client_order_id : str, optional
            A name of your own. The same name with the same parameters returns the first order,
            so a cell can be run again.

        Returns
        -------
        VenueOrder
            ``"new"``, ``"filled"``, or ``"rejected"`` with the reason in ``metadata``.

        Raises
        ------
        RiskRejected
            If a risk rule refuses it.
        OrderError
            If `client_order_id` was used for another order.
        VenueError
            If the client is closed.
        TypeError, ValueError
            If an argument is not as above.
        """
        return self._order(
            market_id, 1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    def sell(
        self,
        market_id: str | Market,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Sell; what is not held is sold short. The arguments are those of `buy`."""
        return self._order(
            market_id, -1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    def short(
        self,
        market_id: str | Market,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Sell short: `sell`, with ``metadata["intent"]`` ``"short"``."""
        return self._order(
            market_id,
            -1,
            qty,
            limit,
            market,
            tif,
            post_only,
            False,
            client_order_id,
            intent="short",
        )

    def cover(
        self,
        market_id: str | Market,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Buy back a short position: `buy` with ``reduce_only``; more than is short is rejected."""
        return self._order(
            market_id, 1, qty, limit, market, tif, post_only, True, client_order_id, intent="cover"
        )

    def buy_option(
        self,
        underlying: str,
        strike: float,
        expiry: Any,
        right: str,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Buy option contracts of 100 each.

        Parameters
        ----------
        underlying : str
            Root symbol, e.g. ``"AAPL"``.
        strike : float
        expiry : datetime.date or "YYYY-MM-DD"
        right : {"call", "put"}
        qty : float
            Contracts.
        limit : float, optional
            Premium for one unit of the underlying; a contract costs 100 times that.
        """
        contract = Market(option_id(underlying, strike, expiry, right), AssetClass.Option)
        return self._order(
            contract, 1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    def sell_option(
        self,
        underlying: str,
        strike: float,
        expiry: Any,
        right: str,
        qty: float,
        *,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Sell option contracts; the arguments are those of `buy_option`."""
        contract = Market(option_id(underlying, strike, expiry, right), AssetClass.Option)
        return self._order(
            contract, -1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    def buy_prediction(
        self,
        market_id: str | Market | None = None,
        /,
        qty: float | None = None,
        *,
        market: str | Market | bool = False,
        limit: float | None = None,
        side: str = "yes",
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Buy contracts of a prediction market that pay 1.00 if they come true.

        Parameters
        ----------
        market_id : str or Market
            The market, as first argument or as ``market="…"``; in the first form
            ``market=True`` makes a market order.
        qty : float
            Contracts.
        limit : float, optional
            The most to pay for each, strictly between 0 and 1, in the price of `side`.
        side : {"yes", "no"}
            Which contract.
        """
        return self._prediction(
            1,
            market_id,
            qty,
            market,
            limit,
            side,
            tif,
            post_only,
            reduce_only,
            client_order_id,
        )

    def sell_prediction(
        self,
        market_id: str | Market | None = None,
        /,
        qty: float | None = None,
        *,
        market: str | Market | bool = False,
        limit: float | None = None,
        side: str = "yes",
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Sell contracts of a prediction market; the arguments are those of `buy_prediction`."""
        return self._prediction(
            -1,
            market_id,
            qty,
            market,
            limit,
            side,
            tif,
            post_only,
            reduce_only,
            client_order_id,
        )

    def buy_perp(
        self,
        market_id: str | Market,
        qty: float,
        *,
        leverage: float | None = None,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Buy a perpetual.

        Parameters
        ----------
        leverage : float, optional
            1 to 100. Left out: what the market's position or orders have, else 1. Another
            leverage than theirs is an `OrderError`.
        """
        return self._order(
            market_id,
            1,
            qty,
            limit,
            market,
            tif,
            post_only,
            reduce_only,
            client_order_id,
            asset_class=AssetClass.Perp,
            leverage=check_leverage(leverage),
        )

    def sell_perp(
        self,
        market_id: str | Market,
        qty: float,
        *,
        leverage: float | None = None,
        limit: float | None = None,
        market: bool = False,
        tif: str = "gtc",
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
    ) -> VenueOrder:
        """Sell a perpetual; the arguments are those of `buy_perp`."""
        return self._order(
            market_id,
            -1,
            qty,
            limit,
            market,
            tif,
            post_only,
            reduce_only,
            client_order_id,
            asset_class=AssetClass.Perp,
            leverage=check_leverage(leverage),
        )

    def _prediction(
        self,
        sign: int,
        market_id: str | Market | None,
        qty: float | None,
        market: str | Market | bool,
        limit: float | None,
        side: str,
        tif: str,
        post_only: bool,
        reduce_only: bool,
        client_order_id: str | None,
    ) -> VenueOrder:
        if market_id is None:
            if isinstance(market, bool):
                raise TypeError("the market is missing: name it first, or as market='…'")
            market_id, market = market, False
            if limit is None:
                raise ValueError(
                    "limit is missing; for a market order name the market first: "
                    "buy_prediction('…', qty=…, market=True)"
                )
        elif not isinstance(market, bool):
            raise TypeError(
                f"the market is named twice: {checks.show(market_id)} and {checks.show(market)}"
            )
        is_no = checks.one_of("side", side, ("yes", "no")) == "no"
        target: str | Market = market_id
        if is_no:
            if isinstance(market_id, Market):
                self.engine.declare(market_id)
                market_id = market_id.id
            if checks.text("market", market_id).endswith(NO_SUFFIX):
                raise ValueError(f"market {market_id!r} names the NO side itself; leave side= out")
            target = market_id + NO_SUFFIX
        return self._order(
            target,
            sign,
            qty,
            limit,
            market,
            tif,
            post_only,
            reduce_only,
            client_order_id,
            asset_class=AssetClass.Prediction,
        )

    def _order(
        self,
        target: str | Market,
        sign: int,
        qty: float | None,
        limit: float | None,
        market: bool,
        tif: str,
        post_only: bool,
        reduce_only: bool,
        client_order_id: str | None,
        *,
        asset_class: AssetClass | None = None,
        leverage: float | None = None,
        intent: str | None = None,
    ) -> VenueOrder:
        if not isinstance(target, Market):
            checks.text("market_id", target)
        quantity = checks.positive("qty", qty)
        at_market = checks.flag("market", market)
        if at_market is (limit is not None):
            raise ValueError(
                "give exactly one of limit= and market=True; was given "
                f"{'both' if at_market else 'neither'}"
            )
        price = None if limit is None else checks.positive("limit", limit)
        ioc = checks.one_of("tif", tif, ("gtc", "ioc")) == "ioc"
        only_post = checks.flag("post_only", post_only)
        if only_post and at_market:
            raise ValueError("post_only needs limit=, was given with market=True")
        only_reduce = checks.flag("reduce_only", reduce_only)
        if client_order_id is not None:
            checks.text("client_order_id", client_order_id)
        with self._venue.lock:
            order = self.engine.place(
                target,
                asset_class,
                sign,
                quantity,
                price,
                ioc,
                only_post,
                only_reduce,
                client_order_id,
                leverage,
                intent,
            )
            return order_snapshot(order, self._venue.name)

    # ------------------------------------------------------------------ change and end
    def amend(
        self,
        order_id: str,
        new_quantity: float | None = None,
        new_price: float | None = None,
    ) -> VenueOrder:
        """Change an open order's quantity, price, or both; it keeps its id.

        A new price is a new arrival, a new quantity alone keeps the place in the queue.

        Raises
        ------
        OrderError, RiskRejected
            If the order, the market, money or risk refuse it; the order stays as it was.
        """
        return self.engine.amend(order_id, new_quantity, new_price)

    def cancel(self, order_id: str) -> bool:
        """End an open order; False for one that is closed or unknown."""
        return self.engine.cancel(order_id)

    def cancel_all(self, market_id: str | None = None) -> int:
        """End the open orders of a market, or all of them; returns how many."""
        return self.engine.cancel_all(market_id)

    def flatten(self, market_id: str) -> list[VenueOrder]:
        """Close what is held in a market, both its sides; see `Engine.flatten`."""
        checks.text("market_id", market_id)
        return self.engine.flatten(market_id)

    def flatten_all(self) -> list[VenueOrder]:
        """Close everything that is held; see `Engine.flatten`."""
        return self.engine.flatten()

    def settle(self, market_id: str, price: float) -> list[VenueSettlement]:
        """End a market at a price, e.g. a prediction at its outcome 1.0 or 0.0."""
        return self.engine.settle(market_id, price)

    # ------------------------------------------------------------------ algorithms
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
        """
        algo = TWAP(self, duration_secs, num_slices, price_limit=price_limit)
        return self._run(algo, market_id, qty, side, None, reduce_only)

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
        """Work an order in slices sized by a volume profile; see `twap` and `VWAP`."""
        algo = VWAP(self, duration_secs, volume_profile, price_limit=price_limit)
        return self._run(algo, market_id, qty, side, None, reduce_only)

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
        """Rest an order at a limit, showing `show_size` of it at a time; see `Iceberg`."""
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
        order_side = OrderSide(checks.one_of("side", side, ("buy", "sell")))
        quantity = checks.positive("qty", qty)
        with self._venue.lock:
            self._venue.require_connection()
            if isinstance(market_id, Market):
                self.engine.declare(market_id)
                market_id = market_id.id
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
            algo.start(request, auto=True)
        return algo

    @property
    def algos(self) -> list[ExecAlgo]:
        """The algorithms that are running."""
        return self.engine.algos

    # ------------------------------------------------------------------ market
    def declare(self, market: Market) -> None:
        """Say what a market is, before its first order."""
        self.engine.declare(market)

    def tick(
        self, market_id: str, price: float, timestamp: Any = None, **bar: Any
    ) -> list[VenueFill]:
        """Give a paper market its price; see `horizon.venues.Paper.tick`.

        Returns the fills that this made; `fills` gives them as well.
        """
        return self._venue.tick(market_id, price, timestamp, **bar)

    def quote(self, market_id: str) -> VenueQuote | None:
        """The last tick of a market; None before the first."""
        return self._venue.quote(market_id)

    @property
    def time(self) -> float:
        """The present: the later of the clock and the latest command, in float seconds."""
        return self._venue.time

    # ------------------------------------------------------------------ reading
    def positions(self) -> list[VenuePosition]:
        """What is held, market by market; YES before NO."""
        return self._venue.positions()

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Orders that may still fill, oldest first."""
        return self._venue.open_orders(market_id)

    def orders(self) -> list[VenueOrder]:
        """Every order of this account, ended ones too, oldest first."""
        return self._venue.orders()

    def order(self, order_id: str) -> VenueOrder:
        """Return one order as it stands; `OrderError` if it is unknown."""
        return self._venue.order(order_id)

    def balance(self) -> VenueCapital:
        """Cash, equity, buying power and how they came about."""
        return self._venue.balance()

    def realized_pnl(self) -> float:
        """Profit of everything closed so far, before fees."""
        return self._venue.realized_pnl()

    def fills(self) -> list[VenueFill]:
        """Fills since the last call, oldest first; each is given once."""
        return self._venue.drain_fills()

    def settlements(self) -> list[VenueSettlement]:
        """Every position closed by a settlement, oldest first."""
        return self._venue.settlements()

    def orders_frame(self) -> pd.DataFrame:
        """Every order as a table, one row each, indexed by order id."""
        return _frame(self.orders(), VenueOrder, "id")

    def fills_frame(self) -> pd.DataFrame:
        """Every fill, drained or not, as a table indexed by fill id; times are UTC."""
        import pandas as pd

        frame = _frame(self._venue.fill_history(), VenueFill, "id")
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="s", utc=True)
        return frame

    def positions_frame(self) -> pd.DataFrame:
        """What is held as a table, indexed by market."""
        return _frame(self.positions(), VenuePosition, "market_id")

    # ------------------------------------------------------------------ end
    @property
    def is_connected(self) -> bool:
        """Whether the client takes calls."""
        return self._venue.is_connected

    def close(self) -> None:
        """Close the client and its venue; a second call does nothing."""
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
        account = self._venue.account
        state = "connected" if self.is_connected else "closed"
        return (
            f"<ImperativeClient on {self._venue.name}, {state}: equity {account.equity:,.2f} "
            f"{self._venue.currency}, {len(account.open_orders)} open orders>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _frame(records: list[Any], kind: type, index: str) -> pd.DataFrame:
    import dataclasses

    import pandas as pd

    names = [field.name for field in dataclasses.fields(kind)]
    rows = [[getattr(record, name) for name in names] for record in records]
    return pd.DataFrame(rows, columns=names).set_index(index)
