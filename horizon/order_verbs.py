"""The order verbs of the imperative client: from a desk's words to one call of the engine."""

from __future__ import annotations

from typing import Any

from horizon import checks
from horizon.engine import Engine
from horizon.instruments import NO_SUFFIX, Market, option_id
from horizon.types import AssetClass, VenueOrder, check_leverage
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.snapshots import order_snapshot

__all__ = ["OrderVerbs", "checked_fields"]


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
            order = self.engine.place(target, asset_class, sign, *fields, leverage, intent, no_side)
            return order_snapshot(order, self._venue.name)


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
