"""The order verbs of the imperative client: from a desk's words to one call of the engine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from horizon import checks
from horizon.calls import ORDER_WORDS, caller_level, explained
from horizon.engine import Engine
from horizon.instruments import NO_SUFFIX, Market, option_id
from horizon.preview import OrderPreview
from horizon.risk import RISK_RULES
from horizon.types import AssetClass, VenueOrder, check_leverage
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.snapshots import order_snapshot

__all__ = ["OrderVerbs", "checked_fields", "doubt", "undoubted"]

#: Whether whoever calls the verbs has asked about the market's name already.
_ASKED: Final[ContextVar[bool]] = ContextVar("horizon_market_asked", default=False)


class OrderVerbs:
    """Every way to place an order by hand.

    Each verb takes exactly one of ``limit=`` and ``market=True`` and returns the order as it
    then stands, frozen.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def _venue(self) -> SimulatedVenue:
        # Another client may have opened the same venue again; this one stays closed.
        self.engine.require_open()
        return self.engine.venue

    @explained(ORDER_WORDS)
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
        """Buy; what is owed of a short position is bought back first.

        Parameters
        ----------
        market_id : str or Market
            What to buy; ``"<id>:no"`` is the NO side of a prediction market.
        qty : float
            Units or contracts, above 0.
        limit : float, optional
            The most to pay for each. On paper it is what a fill pays, wherever the price is by
            then; with a book, what takes on arrival pays the prices that it finds.
        market : bool
            True for a market order. On paper it fills at the last price, slippage added; with a
            book it takes what it finds, level by level, and what it does not find ends.
        tif : {"gtc", "ioc"}
            Rest until cancelled, or end at once: on paper with the first tick that does not
            reach the limit, with a book as soon as it has taken what it finds on arrival.
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
            As it stands now: ``"new"``, ``"filled"``, or ``"rejected"`` with the reason in
            ``metadata``. With a book also ``"partial"``, and ``"canceled"``, again with a reason,
            where it found less than it wanted and may not rest.

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

        Warns
        -----
        UserWarning
            If nothing is known of the market while another is nearly called so: the order is sent
            all the same. A `Market` in place of an id says that it is meant.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("AAPL", 180.0)
        >>> ex.buy("AAPL", 10, market=True).status
        'filled'
        >>> ex.buy("AAPL", 10, limit=175.0).status
        'new'

        A cell that is run twice sends one order, if the order has a name:

        >>> once = ex.buy("AAPL", 5, limit=170.0, client_order_id="dip")
        >>> again = ex.buy("AAPL", 5, limit=170.0, client_order_id="dip")
        >>> once.id == again.id
        True
        """
        return self._order(
            market_id, 1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    @explained(ORDER_WORDS)
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
        """Sell; what is not held is sold short.

        The arguments, what comes back and what raises are those of `buy`; ``limit`` is the least
        to take for each.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("AAPL", 180.0)
        >>> order = ex.buy("AAPL", 10, market=True)
        >>> ex.sell("AAPL", 15, market=True).status, ex.positions()[0].quantity
        ('filled', -5.0)
        """
        return self._order(
            market_id, -1, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )

    @explained(ORDER_WORDS)
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
        """Sell short: `sell`, with ``"short"`` as ``metadata["intent"]``.

        It is marked so and nothing else: what is held is sold first.

        Examples
        --------
        Short 10 at 200 and buy them back at 190:

        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("TSLA", 200.0)
        >>> ex.short("TSLA", 10, market=True).metadata["intent"]
        'short'
        >>> fills = ex.tick("TSLA", 190.0)
        >>> ex.cover("TSLA", 10, market=True).status, ex.realized_pnl()
        ('filled', 100.0)
        """
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

    @explained(ORDER_WORDS)
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
        """Buy back a short position: `buy` with ``reduce_only``; more than is short is rejected.

        Examples
        --------
        >>> ex = hz.connect("paper")
        >>> fills = ex.tick("TSLA", 200.0)
        >>> order = ex.short("TSLA", 10, market=True)
        >>> ex.cover("TSLA", 12, market=True).metadata["reason"]
        'reduce_only: the order is for 12, the position to reduce is 10'
        """
        return self._order(
            market_id, 1, qty, limit, market, tif, post_only, True, client_order_id, intent="cover"
        )

    @explained(ORDER_WORDS)
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
        market, tif, post_only, reduce_only, client_order_id
            As in `buy`, and so is what comes back and what raises.

        Examples
        --------
        Two contracts at 3.50: 2 × 100 × 3.50 = 700.

        >>> ex = hz.connect("paper")
        >>> order = ex.buy_option("AAPL", 180, "2025-01-17", "call", 2, limit=3.5)
        >>> order.market_id
        'AAPL250117C00180000'
        >>> fills = ex.tick(order.market_id, 3.4)
        >>> ex.balance().cash
        99300.0
        """
        return self._order(
            option_id(underlying, strike, expiry, right),
            1,
            qty,
            limit,
            market,
            tif,
            post_only,
            reduce_only,
            client_order_id,
            asset_class=AssetClass.Option,
        )

    @explained(ORDER_WORDS)
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
        """Sell option contracts; what is not held is sold short.

        The arguments are those of `buy_option`. A short position reserves its premium at the mark
        and 20 % of the strike, each times 100.

        Examples
        --------
        One put sold for 2.00 brings in 200, and reserves 100 × (2 + 0.2 × 150) = 3,200:

        >>> ex = hz.connect("paper")
        >>> order = ex.sell_option("AAPL", 150, "2025-01-17", "put", 1, limit=2.0)
        >>> fills = ex.tick(order.market_id, 2.0)
        >>> ex.balance().cash, ex.balance().used_buying_power
        (100200.0, 3200.0)
        """
        return self._order(
            option_id(underlying, strike, expiry, right),
            -1,
            qty,
            limit,
            market,
            tif,
            post_only,
            reduce_only,
            client_order_id,
            asset_class=AssetClass.Option,
        )

    @explained(ORDER_WORDS)
    def buy_prediction(
        self,
        market_id: str | Market | None = None,
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
        tif, post_only, reduce_only, client_order_id
            As in `buy`, and so is what comes back and what raises.

        Examples
        --------
        NO at 0.40 fills when YES is at 0.60 or above. It does not rain: NO pays 1.00.

        >>> ex = hz.connect("paper", initial_cash_usd=1_000)
        >>> order = ex.buy_prediction("rain", 100, limit=0.40, side="no")
        >>> [(fill.market_id, fill.price) for fill in ex.tick("rain", 0.62)]
        [('rain:no', 0.4)]
        >>> ex.settle("rain", 0.0)[0].realized_pnl, ex.balance().equity
        (60.0, 1060.0)
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

    @explained(ORDER_WORDS)
    def sell_prediction(
        self,
        market_id: str | Market | None = None,
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
        """Sell contracts of a prediction market; what is not held is sold short.

        The arguments are those of `buy_prediction`. A short contract reserves the 1.00 that it
        may have to pay.

        Examples
        --------
        >>> ex = hz.connect("paper", initial_cash_usd=1_000)
        >>> order = ex.sell_prediction("rain", 100, limit=0.75)
        >>> fills = ex.tick("rain", 0.75)
        >>> ex.balance().cash, ex.balance().used_buying_power, ex.balance().buying_power
        (1075.0, 100.0, 975.0)
        """
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

    @explained(ORDER_WORDS)
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
        market_id, qty, limit, market, tif, post_only, reduce_only, client_order_id
            As in `buy`, and so is what comes back.
        leverage : float, optional
            1 to 100. Left out: what the market's position or orders have, else 1.

        Raises
        ------
        OrderError
            For another leverage than the market's position or orders have, and as in `buy`.
        RiskRejected, VenueError, TypeError, ValueError
            As in `buy`.

        Examples
        --------
        0.1 at 50,000 with leverage 10 reserves 5,000 / 10 = 500, and gains 100 when the price
        rises by 1,000:

        >>> ex = hz.connect("paper", initial_cash_usd=1_000)
        >>> fills = ex.tick("BTC-PERP", 50_000.0)
        >>> order = ex.buy_perp("BTC-PERP", 0.1, leverage=10, market=True)
        >>> ex.balance().used_buying_power
        500.0
        >>> fills = ex.tick("BTC-PERP", 51_000.0)
        >>> ex.balance().equity
        1100.0
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

    @explained(ORDER_WORDS)
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
        """Sell a perpetual, short where none is held; the arguments are those of `buy_perp`.

        Examples
        --------
        Short 0.1 with leverage 10: a rise by 9 % takes 450 of the margin of 500, and what is left
        no longer carries the position. It is closed at the tick's price.

        >>> ex = hz.connect("paper", initial_cash_usd=1_000)
        >>> fills = ex.tick("BTC-PERP", 50_000.0)
        >>> order = ex.sell_perp("BTC-PERP", 0.1, leverage=10, market=True)
        >>> fills = ex.tick("BTC-PERP", 54_500.0)
        >>> ex.positions(), ex.orders()[-1].metadata["intent"], ex.balance().equity
        ([], 'liquidation', 550.0)
        """
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
        if is_no and not isinstance(market_id, Market):
            if checks.market_id("market", market_id).endswith(NO_SUFFIX):
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
            no_side=is_no,
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
        no_side: bool = False,
    ) -> VenueOrder:
        fields = checked_fields(
            target, qty, limit, market, tif, post_only, reduce_only, client_order_id
        )
        with self._venue.lock:
            terms = (target, asset_class, sign, *fields, leverage, intent, no_side)
            if (near := self._nearest(target)) is not None:
                # Before it is sent: where warnings are errors, nothing has happened then.
                seen = self.engine.preview(*terms)
                if seen.rule not in RISK_RULES:
                    course = self._course(seen, ioc=fields[2])
                    warnings.warn(doubt(target, near, course), stacklevel=caller_level())
            order = self.engine.place(*terms)
            return order_snapshot(order, self._venue.name)

    def _nearest(self, target: str | Market, *, priced: bool = True) -> str | None:
        """A known market that is nearly called so; None for one that is known, or a `Market`."""
        if not isinstance(target, str):
            return None  # who makes a `Market` has said what it is
        account = self.engine.venue.account
        if target in account.legs or target in account.markets or _ASKED.get():
            return None
        return self.engine.venue.nearest_market(target, priced=priced)

    def _course(self, seen: OrderPreview, *, ioc: bool) -> str:
        """Say what becomes of an order in a market that has no price."""
        if seen.is_refused:
            return "the order is rejected"
        if not ioc:
            return "the order rests until there is one"
        if self.engine.venue.matching == "book":
            return "the order finds nothing and ends"
        return "the order waits for the first one"


@contextmanager
def undoubted() -> Iterator[None]:
    """Warn of no market's name within: whoever sends the order has asked about it."""
    token = _ASKED.set(True)
    try:
        yield
    finally:
        _ASKED.reset(token)


def doubt(target: str | Market, near: str, course: str) -> str:
    """Ask about the name of a market that has no price, and say what becomes of its order.

    Parameters
    ----------
    target : str or Market
        What was named.
    near : str
        A known market that is nearly called so.
    course : str
        What becomes of the order.
    """
    name = target.id if isinstance(target, Market) else target
    return f"There is no price for {name!r} yet: {course}. Did you mean {near!r}?"


def checked_fields(
    target: str | Market,
    qty: float | None,
    limit: float | None,
    market: bool,
    tif: str,
    post_only: bool,
    reduce_only: bool,
    client_order_id: str | None,
) -> tuple[float, float | None, bool, bool, bool, str | None]:
    """Check an order's arguments; return those of `Engine.place`, from its quantity on."""
    if not isinstance(target, Market):
        checks.market_id("market_id", target)
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
    return quantity, price, ioc, only_post, only_reduce, client_order_id
