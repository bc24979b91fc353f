"""Book: a venue whose orders meet recorded order books, level by level.

A marketable order takes what the book of the moment shows, and what it took stays taken until
the next snapshot. What is left of a limit order rests: it fills at its limit when a later
snapshot's other side reaches it, up to the size shown there, or by the chance that a fill model
gives it. Own orders never match each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, NoReturn

import numpy as np

from horizon import checks, rules
from horizon.books import Books
from horizon.errors import DataError, VenueError
from horizon.instruments import canonical_id, split_side
from horizon.types import AssetClass
from horizon.venues import chance
from horizon.venues.book_view import BookView, Levels
from horizon.venues.depth_book import DepthBook, direction_of
from horizon.venues.fill_models import DeterministicFills, FillModel, RestingOrder
from horizon.venues.impact import Impact, NoImpact
from horizon.venues.live_book import LiveBook
from horizon.venues.models import asked, nonsense
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import Delay, FeeRates, SimulatedVenue

__all__ = ["BookVenue", "require_book"]

_PERP: Final = int(AssetClass.Perp)
_NAN: Final = math.nan
#: So many orders that have ended are forgotten at once, rather than each by itself.
_FORGOTTEN: Final = 64


class BookVenue(SimulatedVenue):
    """A venue that replays order books.

    `hz.backtest` and `hz.run` play recorded books here. To trade with books by hand, take
    `BookAccount`.

    Parameters
    ----------
    initial_cash : float
        0 or more.
    maker_fee_rate, taker_fee_rate : float
        Fractions of notional in (-1, 1): what rested is maker, what executes on arrival taker.
    fees : FeeRates, or mapping of market id to FeeRates, optional
        In place of the two rates.
    fill_model : FillModel, optional
        What fills beside orders that the book reaches; nothing by default.
    impact : Impact, optional
        What orders do to prices; nothing by default.
    latency : Delay, optional
        How long orders, cancels and amendments travel.
    seed : int
        Of the chance of fills, 0 or more.
    enforce_buying_power : bool
        Reject orders whose opening part the account cannot carry.
    clock : callable, optional
        Returns float seconds; left out, the wall clock.
    compact : bool
        Pack orders that have ended.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    A marketable order takes what the book of the moment shows, level by level, and what it took
    stays taken until the next snapshot. The rest of a limit order rests: it fills at its limit
    when a later snapshot's other side reaches it, up to the size shown at or through the limit,
    or by the chance that the fill model gives it.

    Examples
    --------
    What a run does with each snapshot. A buy of 5 at no more than 100.50 finds 3:

    >>> venue = hz.venues.BookVenue(1_000, clock=lambda: 0.0)
    >>> venue.connect()
    >>> venue.declare(hz.Market("ACME", hz.Equity))
    >>> venue.open_books(["ACME"])
    >>> number = venue.bring("ACME", ([99.5], [10.0]), ([100.5, 101.0], [3.0, 10.0]))
    >>> venue.show(venue.account.markets["ACME"], number, now_ns=0)
    >>> action = hz.OrderAction.place(market_id="ACME", side="buy", quantity=5, price=100.5)
    >>> order = venue.submit(action)
    >>> order.status, order.filled_quantity, venue.book("ACME").asks
    ('partial', 3.0, [(101.0, 10.0)])
    """

    name: ClassVar[str] = "book"
    _walks: ClassVar[bool] = True

    def __init__(
        self,
        initial_cash: float = 100_000.0,
        *,
        maker_fee_rate: float = 0.0,
        taker_fee_rate: float = 0.0,
        fees: FeeRates | Mapping[str, FeeRates] | None = None,
        fill_model: FillModel | None = None,
        impact: Impact | None = None,
        latency: Delay | None = None,
        seed: int = 0,
        enforce_buying_power: bool = True,
        clock: Callable[[], float] | None = None,
        compact: bool = False,
    ) -> None:
        super().__init__(
            initial_cash=checks.non_negative("initial_cash", initial_cash),
            supported_classes=None,
            maker_fee_rate=checks.rate("maker_fee_rate", maker_fee_rate),
            taker_fee_rate=checks.rate("taker_fee_rate", taker_fee_rate),
            slippage=0.0,
            enforce_buying_power=checks.flag("enforce_buying_power", enforce_buying_power),
            clock=clock,
            latency=latency,
            fees=fees,
            compact=compact,
        )
        self.fill_model = DeterministicFills() if fill_model is None else fill_model
        if not isinstance(self.fill_model, FillModel):
            raise TypeError(f"fill_model must be a FillModel, was {checks.show(fill_model)}")
        self.impact = NoImpact() if impact is None else impact
        if not isinstance(self.impact, Impact):
            raise TypeError(f"impact must be an Impact, was {checks.show(impact)}")
        self.seed = checks.integer("seed", seed, least=0)
        self._has_impact = type(self.impact) is not NoImpact
        self._has_chance = self.fill_model.has_chance
        self._follows = type(self.fill_model).follow is not FillModel.follow
        self._books: dict[str, DepthBook] = {}
        self._keys: dict[str, int] = {}
        #: By market, the orders that rest there as the fill model sees them.
        self._rested: dict[str, dict[str, RestingOrder]] = {}
        #: Each change of a market's displacement: time in ns, market id, price units after it.
        self.displacements: list[tuple[int, str, float]] = []

    @property
    def matching(self) -> str:
        """What orders meet: ``"book"``."""
        return "book"

    # ------------------------------------------------------------------ books
    def load(self, books: Mapping[str, Books]) -> None:
        """Take the recorded books of markets that are declared.

        Parameters
        ----------
        books : mapping of market id to Books

        Raises
        ------
        DataError
            If a price is none that the market can have.
        ValueError
            If a market is not declared.
        """
        with self._lock:
            for market_id, recorded in books.items():
                market = self._declared(market_id)
                bounds = market.lowest, market.highest
                _require_in_bounds(market, recorded)
                kind = AssetClass(market.asset_class)
                self._put(DepthBook(market_id, recorded, kind, bounds))

    def open_books(self, market_ids: Iterable[str]) -> None:
        """Make ready for books that come one by one, of markets that are declared; see `bring`.

        Parameters
        ----------
        market_ids : iterable of str

        Raises
        ------
        ValueError
            If a market is not declared.
        """
        with self._lock:
            for market_id in market_ids:
                market = self._declared(market_id)
                bounds = market.lowest, market.highest
                kind = AssetClass(market.asset_class)
                self._put(LiveBook(market_id, kind, bounds))

    def bring(self, market_id: str, bids: Levels, asks: Levels) -> int:
        """Take the next book of a market of `open_books`; `show` puts it in force.

        Parameters
        ----------
        market_id : str
        bids, asks : pair of lists
            Prices, best first, and the size at each, above 0. They are the venue's from now on.

        Returns
        -------
        int
            The snapshot's number.

        Raises
        ------
        DataError
            If a price is none that the market can have, levels are out of order, a size is not
            above 0, or bids and asks cross; the book stays as it was.
        ValueError
            If the market has no such book.
        """
        depth = self._books.get(market_id)
        if not isinstance(depth, LiveBook):
            raise ValueError(f"market {market_id!r} was not opened for books that come one by one")
        require_book(depth, bids, asks)
        return depth.bring(bids, asks)

    def _declared(self, market_id: str) -> MarketState:
        market = self.account.markets.get(market_id)
        if market is None or market.instrument is None:
            raise ValueError(f"books are of a declared market, {market_id!r} is not")
        return market

    def _put(self, depth: DepthBook) -> None:
        self._books[depth.market_id] = depth
        self._keys[depth.market_id] = chance.market_key(depth.market_id)
        self._rested[depth.market_id] = {}

    def book(self, market_id: str) -> BookView | None:
        """Return the book as the next order would meet it; None before the first snapshot.

        What we have taken from this snapshot is gone, and prices are displaced against us. By
        the id of a NO side it is the book of NO.
        """
        with self._lock:
            is_no = False
            depth = self._books.get(market_id)
            if depth is None:
                base, is_no = split_side(canonical_id(checks.market_id("market_id", market_id)))
                depth = self._books.get(base)
            return None if depth is None or depth.index < 0 else depth.view(is_no)

    def displacement(self, market_id: str) -> float:
        """How far impact has moved a market so far, in price units of YES.

        Above 0: our own buys have made it dearer. It works against our buys while above 0 and
        against our sells while below, never for either.
        """
        depth = self._books.get(market_id)
        return 0.0 if depth is None else depth.displacement

    # ------------------------------------------------------------------ arrival
    def _reference(self, leg: Leg, sign: int) -> float:
        depth = self._books.get(leg.market.id)
        if depth is not None:
            best = depth.best(direction_of(sign, leg.is_no))
            if best == best:
                return rules.complement(best) if leg.is_no else best
        # What travels meets another book; until then the last price stands for it.
        return _NAN if self.latency is None else leg.price

    def best_for(self, market: MarketState, sign: int) -> float:
        """What an order for YES would meet first on arrival; NaN where there is nothing.

        Parameters
        ----------
        market : MarketState
            The account's record.
        sign : int
            1 for a buy, which meets the ask; -1 for a sell.
        """
        depth = self._books.get(market.id)
        return _NAN if depth is None else depth.best(sign)

    def _is_marketable(self, leg: Leg, sign: int, price: float, last: float) -> bool:
        depth = self._books.get(leg.market.id)
        if depth is None:
            return False
        best = depth.best(direction_of(sign, leg.is_no))
        if best != best:
            return False
        return rules.reaches(rules.complement(best) if leg.is_no else best, price, sign)

    def quotes_of(self, leg: Leg) -> tuple[float, float]:
        """Return best bid and ask of a side of the book; NaN without."""
        view = self.book(leg.id)
        return (_NAN, _NAN) if view is None else (view.best_bid, view.best_ask)

    def _no_price(self, leg: Leg, sign: int) -> str:
        return f"no price: the book of {leg.id} has no {'ask' if sign > 0 else 'bid'}"

    def _arrive(self, order: OrderState, now_ns: int) -> None:
        leg, sign = order.leg, order.sign
        market = leg.market
        depth = self._books.get(market.id)
        # Whether it takes was decided a moment ago, by the book as it stands.
        if order.is_taker and depth is not None:
            self._take(order, depth, direction_of(sign, leg.is_no), now_ns)
        if not order.is_open:
            return
        if order.is_market:
            worse = ", with the impact of what it took" if self._has_impact else ""
            self.apply.cancelled(now_ns, order.id, f"no liquidity left{worse}")
        elif order.ioc:
            self.apply.cancelled(now_ns, order.id, "ioc: no liquidity left within the limit")
        elif self._has_chance and depth is not None:
            self._rest(order, depth)

    def _take(self, order: OrderState, depth: DepthBook, direction: int, now_ns: int) -> None:
        """Walk the other side, level by level."""
        leg = order.leg
        quantity = order.remaining
        if order.reduce_only:  # `_execute` would cut it too; the levels must know of it
            quantity = min(quantity, self.account.closable(leg, order.sign))
        impact = self.impact if self._has_impact else None
        notional = 0.0
        for position, size, price in depth.walk(
            order.sign, leg.is_no, quantity, order.price, impact
        ):
            if not order.is_open:  # the rest is rounding
                break
            self._execute(order, size, price, False, now_ns)
            depth.take(direction, position, size)
            notional += rules.notional(size, price, leg.market.multiplier)
        if impact is not None and notional > 0.0:
            answer = asked(impact, "permanent", notional, depth.asset_class)
            try:
                change = checks.non_negative("permanent", answer)
            except (TypeError, ValueError):
                accepted = "a change in price units, 0 or more"
                raise nonsense(impact, "permanent", accepted, answer) from None
            if change > 0.0:
                depth.displace(direction, change)
                self.displacements.append((now_ns, depth.market_id, depth.displacement))

    def on_arrival(self, order: OrderState) -> list[tuple[float, float]]:
        """What an order would take were it to arrive now, with the lock held; see the base."""
        leg = order.leg
        depth = self._books.get(leg.market.id)
        if depth is None or not order.is_taker or order.post_only:
            return []
        quantity = order.remaining
        if order.reduce_only:
            quantity = min(quantity, self.account.closable(leg, order.sign))
        impact = self.impact if self._has_impact else None
        takes = depth.walk(order.sign, leg.is_no, quantity, order.price, impact)
        return [(size, price) for _, size, price in takes]

    def ahead_of(self, order: OrderState) -> float:
        """Units before a resting order in its queue, as the fill model has it, the lock held.

        NaN where no place is kept: the model keeps none, the level was never shown, or no book
        has come yet.

        Parameters
        ----------
        order : OrderState
            The account's record.

        Raises
        ------
        ModelError
            If the fill model raises, or says what is no number of units.
        """
        seen = self._rested.get(order.leg.market.id, {}).get(order.id)
        if seen is None or order.in_transit or not order.is_open:
            return _NAN
        ahead = asked(self.fill_model, "ahead", seen)
        if isinstance(ahead, bool) or not isinstance(ahead, (int, float)) or ahead < 0.0:
            raise nonsense(self.fill_model, "ahead", "units, 0 or more, or NaN", ahead)
        return float(ahead)

    # ------------------------------------------------------------------ snapshots and marks
    def show(self, market: MarketState, index: int, now_ns: int) -> None:
        """Put a market's snapshot in force, and fill what it fills; the lock is held.

        What we took of the one before comes back. Resting orders that the other side reaches
        fill first, the best price first and the earlier first; then come the fill model's.

        Parameters
        ----------
        market : MarketState
            The account's record.
        index : int
            The snapshot's number in its recording, or as `bring` gave it.
        now_ns : int
            Its time, in nanoseconds since 1970.
        """
        depth = self._books[market.id]
        depth.show(index, now_ns)
        if not market.resting or market.settled:
            return
        ask, bid, moved = depth.ask, depth.bid, depth.displacement
        if moved > 0.0:
            ask += moved
        elif moved < 0.0:
            bid += moved
        # NaN, an empty side, reaches nothing.
        if ask <= market.reach_below or bid >= market.reach_above or market.urgent:
            self._match(market, depth, now_ns)
        if self._has_chance and market.resting:
            self._match_by_chance(market, depth, now_ns)

    def mark(
        self,
        market: MarketState,
        now_ns: int,
        price: float,
        bid: float,
        ask: float,
        volume: float,
    ) -> None:
        """Take a row of data that was checked, with the lock held: it marks, and matches nothing.

        Parameters
        ----------
        market : MarketState
            The account's record.
        now_ns : int
            The row's time, in nanoseconds since 1970.
        price, bid, ask, volume : float
            Of YES; what is missing is NaN.
        """
        self.apply.marked(now_ns, market.id, price, bid, ask, volume)
        if market.asset_class == _PERP and market.held:
            self._liquidate(market, now_ns)
        if self._observer is not None:
            self._observer.after_tick(market, now_ns)

    def tick(self, market_id: str, price: float, timestamp: Any = None, **bar: Any) -> NoReturn:
        """Refuse: a book venue has its prices from the books and rows that it replays.

        Raises
        ------
        VenueError
            Always.
        """
        raise VenueError(
            "a book venue replays recorded books and takes no ticks; hz.connect('paper') does"
        )

    # ------------------------------------------------------------------ matching
    def _match(self, market: MarketState, depth: DepthBook, now_ns: int) -> None:
        """Fill what this snapshot's levels reach, each order at its limit."""
        reached = []
        for order in list(market.resting.values()):
            if order.in_transit:
                continue
            if order.is_market or order.ioc:
                # It should have ended on arrival: that command was stopped in between, by a
                # listener that refused a fill. Nobody asked for what the book is now.
                self.apply.cancelled(now_ns, order.id, "not filled on arrival")
            elif depth.is_reached(order.sign, order.leg.is_no, order.price):
                reached.append(order)
        for order in _ranked(reached):
            if not order.is_open:  # an earlier fill has ended it
                continue
            is_no = order.leg.is_no
            size = min(order.remaining, depth.size_through(order.sign, is_no, order.price))
            if size > 0.0:
                before = order.filled
                self._execute(order, size, order.price, True, now_ns)
                depth.take_best(direction_of(order.sign, is_no), order.filled - before)

    def _match_by_chance(self, market: MarketState, depth: DepthBook, now_ns: int) -> None:
        """Ask the fill model about every resting order that the book has not reached."""
        model, rested = self.fill_model, self._rested[market.id]
        views: dict[tuple[float, bool], BookView] = {}
        lucky = []
        for order in market.resting.values():
            if order.in_transit or order.is_market:
                continue
            sign, is_no = order.sign, order.leg.is_no
            seen = rested.get(order.id)
            if seen is None:  # it came before the first book
                seen = self._rest(order, depth)
            # A missing touch is NaN: nobody stands before an order on an empty side.
            touch = depth.touch(sign, is_no)
            has_chance = not (
                (touch == touch and not rules.reaches(touch, order.price, sign))
                or depth.is_reached(sign, is_no, order.price)
            )
            if not has_chance and not self._follows:
                continue
            seen.quantity, seen.remaining = order.quantity, order.remaining
            # Orders that the same displacement works against have one book between them.
            shift = depth.shift(direction_of(sign, is_no))
            view = views.get((shift, is_no))
            if view is None:
                view = views[shift, is_no] = depth.seen_by(sign, is_no)
            asked(model, "follow", seen, view)
            if has_chance and self._is_lucky(order, seen, view, depth, now_ns):
                lucky.append(order)
        for order in _ranked(lucky):
            if not order.is_open:
                continue
            sign, is_no = order.sign, order.leg.is_no
            position, size = depth.size_for_chance(sign, is_no, order.price)
            size = min(order.remaining, size)
            if size > 0.0:
                before = order.filled
                self._execute(order, size, order.price, True, now_ns)
                depth.take_by_chance(sign, is_no, position, order.filled - before)

    def _is_lucky(
        self,
        order: OrderState,
        seen: RestingOrder,
        view: BookView,
        depth: DepthBook,
        now_ns: int,
    ) -> bool:
        """Whether an order's own number for this snapshot lies below its chance."""
        since = max(order.arrived_ns, depth.previous_ns)
        # By another clock than the books' an order may have come after this one was taken.
        seconds = max(now_ns - since, 0) / 1_000_000_000
        answer = asked(self.fill_model, "chance", seen, view, seconds)
        try:
            odds = checks.number("chance", answer)
        except (TypeError, ValueError):
            odds = _NAN
        if not 0.0 <= odds <= 1.0:
            raise nonsense(self.fill_model, "chance", "a probability in [0, 1]", answer)
        key = self._keys[depth.market_id]
        return odds > 0.0 and odds > chance.uniform(self.seed, key, order.number, depth.index)

    def _rest(self, order: OrderState, depth: DepthBook) -> RestingOrder:
        """Show the fill model an order that comes to rest."""
        leg = order.leg
        seen = RestingOrder(
            order.id,
            leg.id,
            order.number,
            order.sign,
            order.price,
            order.quantity,
            order.remaining,
            order.arrived_ns,
        )
        if depth.index >= 0:
            rested, resting = self._rested[leg.market.id], leg.market.resting
            if len(rested) > 2 * len(resting) + _FORGOTTEN:
                for order_id in [known for known in rested if known not in resting]:
                    del rested[order_id]
            rested[order.id] = seen
            asked(self.fill_model, "rest", seen, depth.seen_by(order.sign, leg.is_no))
        return seen


def _ranked(orders: list[OrderState]) -> list[OrderState]:
    """Orders of both sides by price, the best first, those of one price by arrival."""
    if len(orders) < 2:
        return orders
    return sorted(orders, key=_rank)


def _rank(order: OrderState) -> tuple[int, float]:
    is_no = order.leg.is_no
    price = rules.complement(order.price) if is_no else order.price
    direction = direction_of(order.sign, is_no)
    return -direction, -direction * price


def _require_in_bounds(market: MarketState, books: Books) -> None:
    """Refuse books with prices that the market cannot have."""
    for name, prices in (("bids", books.bid_prices), ("asks", books.ask_prices)):
        wrong = (prices < market.lowest) | (prices > market.highest)
        if wrong.any():
            row, level = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
            price = float(prices[row, level])
            raise DataError(
                f"book of {market.id!r}, row {row}: prices of {name} must lie between "
                f"{market.lowest:g} and {market.highest:g} for {AssetClass(market.asset_class)}, "
                f"was {price!r}; declare what the market is with a Market",
                feed=market.id,
                row=row,
                value=price,
            )


def require_book(depth: LiveBook, bids: Levels, asks: Levels) -> None:
    """Refuse a book that cannot be; whole sides at a time, for this is asked at every message.

    Raises
    ------
    DataError
        As `BookVenue.bring`.
    """
    lowest, highest = depth.bounds
    for name, (prices, sizes), descends in (("bids", bids, True), ("asks", asks, False)):
        if len(prices) != len(sizes):
            raise _no_book(depth, f"{name} must have a size for each price", len(sizes))
        if not prices:
            continue
        if not math.isfinite(sum(prices)):
            raise _no_book(depth, f"prices of {name} must be finite", sum(prices))
        if len(set(prices)) < len(prices) or sorted(prices, reverse=descends) != prices:
            raise _no_book(depth, f"{name} must be ordered, the best price first", prices)
        for price in (prices[0], prices[-1]):
            if not lowest <= price <= highest:
                raise _no_book(
                    depth, f"prices of {name} must lie between {lowest:g} and {highest:g}", price
                )
        if not (min(sizes) > 0.0 and math.isfinite(sum(sizes))):
            raise _no_book(depth, f"sizes of {name} must be finite and above 0", sizes)
    if bids[0] and asks[0] and bids[0][0] > asks[0][0]:
        raise _no_book(depth, f"bids must not lie above the lowest ask, {asks[0][0]:g}", bids[0][0])


def _no_book(depth: LiveBook, rule: str, value: object) -> DataError:
    return DataError(
        f"book of {depth.market_id!r}: {rule}, was {checks.show(value)}",
        feed=depth.market_id,
        value=value,
    )
