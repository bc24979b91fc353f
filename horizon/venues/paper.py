"""Paper: an in-memory exchange that matches against ticks.

It has no book of its own: a tick is the market, and resting orders fill when its price (or
its quotes, or its bar's extremes) reaches them. Own orders never match each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from horizon import checks, rules
from horizon.instruments import Market, canonical_id, class_of_id, split_side
from horizon.types import AssetClass, VenueFill
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.venues.simulated import Delay, FeeRates, SimulatedVenue

__all__ = ["Paper"]

_NAN: Final = math.nan
_PERP: Final = int(AssetClass.Perp)
#: Of a tick: price, bid, ask, volume, floor, ceiling and open, as `Paper.advance` takes them.
Row = tuple[float, float, float, float, float, float, float]


class Paper(SimulatedVenue):
    """In-memory exchange with tick-based matching, fees and slippage.

    Parameters
    ----------
    initial_cash_usd : float
        Cash at the start, 0 or more.
    supported_classes : list of AssetClass, optional
        Orders for other classes are rejected; None takes all.
    fee_bps : float
        Fee of each fill in basis points of its notional, unless a rate below says otherwise.
    slippage_bps : float
        Market orders fill this much worse than their reference; in [0, 10 000).
    bar_fill_mode : {"cross", "touch"}
        What reaches a resting limit: the tick's price, or its bar's low (buys) and high
        (sells). In ``"touch"`` a bar that opens beyond the limit fills at its open.
    maker_fee_rate, taker_fee_rate : float, optional
        Fractions of notional in (-1, 1), negative for a rebate; each defaults to `fee_bps`.
        A limit order that was marketable on arrival is a taker throughout, any other a maker.
    enforce_buying_power : bool
        Reject orders whose opening part the account cannot carry.
    matching : {"price", "quotes"}
        ``"price"``: everything matches at the tick's price. ``"quotes"``: a tick that brings a
        bid or an ask matches only against those, and a missing side fills nothing.
    market_fill : {"now", "next_tick"}
        When market orders fill: on arrival, or at the next tick of their market (at its open,
        where it is a bar).
    clock : callable, optional
        Returns the present in float seconds; left out, the wall clock. With `latency` and ticks
        that come with a `timestamp`, the latest of these is the present instead; where it is ahead
        of the wall clock, ticks without one go on from there at the wall clock's pace.
    latency : Latency, optional
        How long orders, cancels and amendments travel. What is on its way arrives with its
        market's tick of that time, or with the first later one of any market; see the notes.
    fees : Fees, or mapping of market id to Fees, optional
        In place of the rates, for all markets or for those named.
    compact : bool
        Pack orders that have ended, as millions of them ask for.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    A limit order never fills on its arrival, whatever its price: it waits for the next tick, and
    fills whole when that reaches it, at its limit and not better (but for a bar's open, in
    ``"touch"`` mode). Who buys with a limit far above the market pays that limit. A tick says
    nothing of size; where the size in the market matters, trade with books (`BookAccount`).

    With `latency` an order can first fill at the first tick after it has arrived, a market order
    too, whatever `market_fill` is: what arrives by a tick's time is there when the tick matches,
    what arrives at that very time is not. Money and limits count an order from the moment at which
    it is sent. The fills are those of `hz.backtest` with the same rows and ``latency_ms=``.

    Examples
    --------
    >>> from horizon.venues import Paper
    >>> from horizon.types import OrderAction
    >>> paper = Paper(initial_cash_usd=1_000, clock=lambda: 0.0)
    >>> paper.connect()
    >>> order = paper.submit(OrderAction.place(market_id="ACME", side="buy", quantity=5, price=20))
    >>> [(fill.quantity, fill.price) for fill in paper.tick("ACME", 19.5)]
    [(5.0, 20.0)]
    >>> paper.cash()
    900.0

    Slippage and fees, worked out: buying 10 at 100 with 5 basis points of slippage pays
    100 × 1.0005 = 100.05 each, and 10 basis points of 1,000.50 are a fee of 1.0005:

    >>> ex = hz.connect("paper", fee_bps=10, slippage_bps=5)
    >>> fills = ex.tick("ACME", 100.0)
    >>> order = ex.buy("ACME", 10, market=True)
    >>> round(order.average_price, 6), round(order.fees, 6)
    (100.05, 1.0005)

    A bar in ``"touch"`` mode: its low reaches the limit, though its close does not.

    >>> ex = hz.connect("paper", bar_fill_mode="touch")
    >>> order = ex.buy("ACME", 10, limit=99.0)
    >>> [fill.price for fill in ex.tick("ACME", 100.2, open=100.0, high=100.5, low=98.8)]
    [99.0]

    With ``matching="quotes"`` a buy meets the ask, and what rested pays the maker's fee:

    >>> ex = hz.connect("paper", matching="quotes", maker_fee_rate=-0.0001, taker_fee_rate=0.0005)
    >>> order = ex.buy("ACME", 10, limit=99.0)
    >>> fills = ex.tick("ACME", 99.0, bid=98.9, ask=99.1)
    >>> [(fill.price, round(fill.fee, 6)) for fill in ex.tick("ACME", 99.0, bid=98.9, ask=99.0)]
    [(99.0, -0.099)]

    Half a second on its way, an order misses what the ticks show until then:

    >>> ex = hz.connect("paper", latency=hz.venues.ConstantLatency(500))
    >>> fills = ex.tick("ACME", 100.0, timestamp=0.0)
    >>> ex.buy("ACME", 10, market=True).status
    'new'
    >>> ex.tick("ACME", 100.5, timestamp=0.4)
    []
    >>> [(fill.price, fill.timestamp) for fill in ex.tick("ACME", 101.0, timestamp=1.0)]
    [(101.0, 1.0)]
    """

    name: ClassVar[str] = "paper"

    def __init__(
        self,
        initial_cash_usd: float = 100_000.0,
        supported_classes: Iterable[AssetClass] | None = None,
        fee_bps: float = 0.0,
        slippage_bps: float = 0.0,
        bar_fill_mode: str = "cross",
        *,
        maker_fee_rate: float | None = None,
        taker_fee_rate: float | None = None,
        enforce_buying_power: bool = True,
        matching: str = "price",
        market_fill: str = "now",
        clock: Callable[[], float] | None = None,
        latency: Delay | None = None,
        fees: FeeRates | Mapping[str, FeeRates] | None = None,
        compact: bool = False,
    ) -> None:
        base_rate = _rate("fee_bps", checks.number("fee_bps", fee_bps) / 10_000, fee_bps)
        slippage = checks.number("slippage_bps", slippage_bps)
        if not 0.0 <= slippage < 10_000:
            raise ValueError(f"slippage_bps must lie in [0, 10000), was {slippage:g}")
        super().__init__(
            initial_cash=checks.non_negative("initial_cash_usd", initial_cash_usd),
            supported_classes=supported_classes,
            maker_fee_rate=_rate("maker_fee_rate", maker_fee_rate, maker_fee_rate, base_rate),
            taker_fee_rate=_rate("taker_fee_rate", taker_fee_rate, taker_fee_rate, base_rate),
            slippage=slippage / 10_000,
            enforce_buying_power=checks.flag("enforce_buying_power", enforce_buying_power),
            clock=clock,
            latency=latency,
            fees=fees,
            compact=compact,
        )
        mode = checks.one_of("bar_fill_mode", bar_fill_mode, ("cross", "touch"))
        self._touch = mode == "touch"
        self._by_quotes = checks.one_of("matching", matching, ("price", "quotes")) == "quotes"
        fills = checks.one_of("market_fill", market_fill, ("now", "next_tick"))
        self._fill_now = fills == "now"
        #: Whether the present is that of the ticks, where they bring their times.
        self._follows_ticks = clock is None and latency is not None
        self._told_ns: int | None = None
        self._told_at_ns = 0  # by the wall clock, when that was
        self._ahead_ns = 0  # how far the present is ahead of the wall clock otherwise
        if self._follows_ticks:
            self._clock_ns = self._present_ns

    # ------------------------------------------------------------------ time
    def set_clock(self, read_ns: Callable[[], int]) -> None:
        """Take the present from somewhere else from now on.

        Parameters
        ----------
        read_ns : callable
            Returns whole nanoseconds since 1970.
        """
        with self._lock:
            self._follows_ticks = False
            super().set_clock(read_ns)

    def _present_ns(self) -> int:
        return time.time_ns() + self._ahead_ns if self._told_ns is None else self._told_ns

    def _follow(self, market: MarketState, now_ns: int, has_time: bool) -> int:
        """Let the present be that of a tick; returns the tick's time."""
        told_ns = self._told_ns
        if not has_time:
            # Ticks that were ahead of the wall clock set the present ahead of it: time goes on from
            # theirs, rather than stand until the wall clock has come so far, with all that travels.
            if told_ns is not None:
                self._ahead_ns = max(told_ns - self._told_at_ns, 0)
                self._told_ns = None
            wall_ns = time.time_ns()
            self._ahead_ns = max(self._ahead_ns, market.tick_ns - wall_ns)
            return wall_ns + self._ahead_ns
        if told_ns is None:
            # What was sent by the clock has as far to go as before.
            behind = self._present_ns() - now_ns
            self.transit[:] = [(sent[0] - behind, *sent[1:]) for sent in self.transit]
        if told_ns is None or now_ns > told_ns:
            self._told_ns, self._told_at_ns = now_ns, time.time_ns()
        return now_ns

    # ------------------------------------------------------------------ arrival
    @property
    def matching(self) -> str:
        """What orders meet: ``"price"``, the last one, or ``"quotes"``, bid and ask."""
        return "quotes" if self._by_quotes else "price"

    @property
    def bar_fill_mode(self) -> str:
        """What of a bar reaches a resting limit: ``"cross"``, its close, or ``"touch"``."""
        return "touch" if self._touch else "cross"

    @property
    def fills_on_arrival(self) -> bool:
        """Whether a market order fills as it is accepted.

        So it is with ``market_fill="now"`` where nothing travels.
        """
        return self._fill_now and self.latency is None

    def _reference(self, leg: Leg, sign: int) -> float:
        if self._by_quotes:
            bid, ask = leg.bid, leg.ask
            if bid == bid or ask == ask:
                opposite = ask if sign > 0 else bid
                waits = not self._fill_now or self.latency is not None
                if waits and math.isnan(opposite):
                    # It waits for a tick that has the side; until then the price stands for it.
                    return leg.price
                return opposite
        return leg.price

    def _is_marketable(self, leg: Leg, sign: int, price: float, last: float) -> bool:
        if self._by_quotes:
            if leg.is_no:
                bid, ask = leg.bid, leg.ask
            else:
                bid, ask = leg.market.bid, leg.market.ask
            if bid == bid or ask == ask:
                last = ask if sign > 0 else bid
        # A missing price is NaN, which reaches nothing.
        return rules.reaches(last, price, sign)

    def _arrive(self, order: OrderState, now_ns: int) -> None:
        # What has travelled meets the next tick: the last one is from before its arrival.
        if not self._fill_now or order.arrived_ns != order.submitted_ns:
            return
        if self.latency is not None and math.isnan(self._opposite(order)):
            self.apply.cancelled(now_ns, order.id, self._no_price(order.leg, order.sign))
            return
        self._execute(order, order.remaining, order.reference, False, now_ns)

    def _opposite(self, order: OrderState) -> float:
        """What a market order meets now; NaN where a tick with quotes lacks its side."""
        leg = order.leg
        if self._by_quotes and (leg.bid == leg.bid or leg.ask == leg.ask):
            return leg.ask if order.sign > 0 else leg.bid
        return leg.price

    # ------------------------------------------------------------------ ticks
    def tick(  # type: ignore[override]
        self,
        market_id: str,
        price: float,
        timestamp: Any = None,
        *,
        high: float | None = None,
        low: float | None = None,
        open: float | None = None,
        bid: float | None = None,
        ask: float | None = None,
        volume: float | None = None,
    ) -> list[VenueFill]:
        """Give a market its price and match its resting orders, in order of their arrival.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, all prices are NO's.
        price : float
            Last price, or a bar's close; the positions are marked at it.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime (a naive one is local time). Left out: the later of
            the clock (the wall's, if none was given; see the class) and the market's
            last tick.
        high, low, open : float, optional
            The rest of a bar; ``low <= price <= high``, the open between them too.
        bid, ask : float, optional
            Best quotes, ``bid <= ask``. They belong to this tick alone.
        volume : float, optional
            0 or more; shown by `quote`, matching does not use it.

        Returns
        -------
        list of VenueFill
            The fills that this tick made; `drain_fills` gives them as well.

        Raises
        ------
        TypeError, ValueError
            For a price that the market cannot have, a crossed quote, a bar that contradicts
            itself, or a time before the market's last tick. Nothing has changed then.
        """
        with self._lock:
            if not self._connected:
                self.require_connection()
            if self.is_replaying:
                self.refuse_prices()
            account = self.account
            is_listed = True
            try:
                market = account.markets[market_id]
            except (KeyError, TypeError):
                is_listed = False
                market, is_no, undeclared = self._ticked(market_id)
                market_id = market.id
                if is_no:
                    given = (price, high, low, open, bid, ask)
                    price, high, low, open, bid, ask = _as_yes(market, *given)
            if type(price) is not float or not market.lowest <= price <= market.highest:
                price = _mark(market, "price", price)
            if timestamp is None:
                now = self._clock_ns()
                if now < market.tick_ns:
                    now = market.tick_ns
            else:
                if type(timestamp) is float and 0.0 <= timestamp <= 9.2e9:
                    # `checks.seconds_to_ns`, in line: this is the path of every tick.
                    whole = int(timestamp)
                    now = whole * 1_000_000_000
                    if timestamp != whole:
                        now += round((timestamp - whole) * 1e9)
                else:
                    now = checks.timestamp_ns("timestamp", timestamp)
                if now < market.tick_ns:
                    raise ValueError(
                        f"timestamp must not lie before the last tick of {market_id!r} at "
                        f"{market.tick_ns / 10**9:.9f} s, was {now / 10**9:.9f} s"
                    )
            bid_ = ask_ = volume_ = open_ = _NAN
            if bid is not None or ask is not None or volume is not None:
                bid_, ask_, volume_ = _quotes(market, bid, ask, volume)
            floor = ceiling = price
            if high is not None or low is not None or open is not None:
                floor, ceiling, open_ = _bar(market, price, high, low, open)

            if not is_listed and undeclared is not None:
                self._declare(undeclared)
            count = len(account.fills)
            if not is_listed:
                market = account.markets.get(market_id, market)
            if self.latency is None and not self.transit:
                self.advance(market, now, price, bid_, ask_, volume_, floor, ceiling, open_)
            else:
                row = price, bid_, ask_, volume_, floor, ceiling, open_
                self._advance_with_arrivals(market, now, row, timestamp is not None)
            return self._fills_from(count) if len(account.fills) != count else []

    def _advance_with_arrivals(
        self, market: MarketState, now_ns: int, row: Row, has_time: bool
    ) -> None:
        """One step: what was due before arrives, then the tick, then what is due now."""
        if self._follows_ticks:
            now_ns = self._follow(market, now_ns, has_time)
        self.deliver(now_ns, inclusive=False)
        self.advance(market, now_ns, *row)
        self.deliver(now_ns, inclusive=True, market_id=market.id)

    def advance(
        self,
        market: MarketState,
        now_ns: int,
        price: float,
        bid: float,
        ask: float,
        volume: float,
        floor: float,
        ceiling: float,
        open_: float,
    ) -> None:
        """Take a tick that was checked, with the lock held; see `tick`.

        Parameters
        ----------
        market : MarketState
            The account's record.
        now_ns : int
            The tick's time, in nanoseconds since 1970.
        price, bid, ask, volume : float
            Of YES; what is missing is NaN.
        floor, ceiling : float
            The bar's low and high, or the price.
        open_ : float
            The bar's open; NaN without.
        """
        self.apply.marked(now_ns, market.id, price, bid, ask, volume)
        if market.tick_ns != now_ns:  # the first tick of a market that nobody has declared
            market = self.account.markets[market.id]
        if market.resting:
            if self._by_quotes and (bid == bid or ask == ask):
                # NaN reaches nothing, as a missing side should.
                floor, ceiling, open_ = ask, bid, _NAN
            elif not self._touch:
                floor = ceiling = price
            if (
                floor <= market.reach_below or ceiling >= market.reach_above or market.urgent
            ) and not market.settled:
                self._match(market, floor, ceiling, open_, now_ns)
        if market.asset_class == _PERP and market.held:
            self._liquidate(market, now_ns)
        if self._observer is not None:
            self._observer.after_tick(market, now_ns)

    def requote(
        self, market: MarketState, now_ns: int, bid: float, ask: float, volume: float
    ) -> None:
        """Take a row that brings quotes without a price, with the lock held.

        The position stays marked at the last price. Under ``matching="quotes"`` orders meet the
        quotes; under ``"price"`` nothing does, since the last price has been met already.

        Parameters
        ----------
        market : MarketState
            The account's record.
        now_ns : int
            The row's time, in nanoseconds since 1970.
        bid, ask, volume : float
            Of YES; what is missing is NaN.
        """
        self.apply.marked(now_ns, market.id, market.price, bid, ask, volume)
        if self._by_quotes and market.resting and not market.settled:
            self._match(market, ask, bid, _NAN, now_ns)
        if self._observer is not None:
            self._observer.after_tick(market, now_ns)

    def _ticked(self, market_id: str) -> tuple[MarketState, bool, Market | None]:
        """Find the market of an id in another spelling, of a NO side, or not seen before.

        Returns the market (outside the account where it is new), whether the id names its NO
        side, and the contract to declare where that says what the market is.
        """
        base, is_no = split_side(canonical_id(checks.market_id("market_id", market_id)))
        if is_no:
            # Only a prediction has a NO side, so the id says the class.
            market = self.leg_of(f"{base}:no").market
            is_known = self.account.markets.get(base) is market
            return market, True, None if is_known else market.instrument
        known = self.account.markets.get(base)
        if known is None:
            class_of_id(base)  # refuses an option symbol that no contract can have
            known = MarketState(base)
        return known, False, None

    # ------------------------------------------------------------------ matching
    def _match(
        self, market: MarketState, floor: float, ceiling: float, open_: float, now_ns: int
    ) -> None:
        """Fill what this tick reaches. `floor` is where buys of YES meet it, `ceiling` sells."""
        no = market.no
        has_no = no is not None and bool(no.buys or no.sells)
        no_floor = _complement(ceiling) if has_no else _NAN
        no_ceiling = _complement(floor) if has_no else _NAN
        no_open = _complement(open_) if has_no else _NAN
        for order in list(market.resting.values()):
            if not order.is_open or order.in_transit:  # an earlier fill may have ended it
                continue
            if order.leg.is_no:
                meets, opened = (no_floor if order.sign > 0 else no_ceiling), no_open
            else:
                meets, opened = (floor if order.sign > 0 else ceiling), open_
            if order.is_market:
                self._fill_waiting(order, meets, opened, now_ns)
            elif rules.reaches(meets, order.price, order.sign):
                price = order.price
                if self._touch and order.sign * (opened - price) < 0.0:
                    price = opened
                self._execute(order, order.remaining, price, not order.is_taker, now_ns)
            elif order.ioc:
                self.apply.cancelled(now_ns, order.id, "ioc: not reached by the first tick")

    def _fill_waiting(self, order: OrderState, meets: float, opened: float, now_ns: int) -> None:
        """Fill a market order that waited for this tick; without its side it waits on."""
        if self._fill_now and order.arrived_ns == order.submitted_ns:
            # It should have filled on arrival: that command was stopped in between, by a
            # listener that refused the fill. Whatever the price is now, nobody asked for it.
            self.apply.cancelled(now_ns, order.id, "not filled on arrival")
            return
        leg = order.leg
        by_quotes = self._by_quotes and (leg.bid == leg.bid or leg.ask == leg.ask)
        reference = meets if by_quotes else leg.price
        if not by_quotes and opened == opened:
            reference = opened
        if math.isnan(reference):
            if order.ioc:
                self.apply.cancelled(now_ns, order.id, "ioc: no quote at the first tick")
            return
        kind = leg.market.asset_class
        price = rules.marketable_price(reference, order.sign, self._slippage, kind)
        self._execute(order, order.remaining, price, False, now_ns)


def _rate(name: str, rate: float | None, given: object, default: float = 0.0) -> float:
    if rate is None:
        return default
    checked = checks.number(name, rate)
    if not -1.0 < checked < 1.0:
        accepted = "(-10000, 10000)" if name.endswith("bps") else "(-1, 1)"
        raise ValueError(f"{name} must lie in {accepted}, was {checks.show(given)}")
    return checked


def _complement(price: float) -> float:
    return price if math.isnan(price) else rules.complement(price)


def _as_yes(
    market: MarketState,
    price: float,
    high: float | None,
    low: float | None,
    open_: float | None,
    bid: float | None,
    ask: float | None,
) -> tuple[Any, ...]:
    """Turn the prices of a NO tick into YES: each one mirrored, highs and lows change places."""
    # Checked as they were given, so that a refusal speaks of the caller's numbers.
    checked = _mark(market, "price", price)
    _bar(market, checked, high, low, open_)
    _quotes(market, bid, ask, None)

    def mirrored(value: float | None) -> float | None:
        return None if value is None else rules.complement(float(value))

    return (
        mirrored(checked),
        mirrored(low),
        mirrored(high),
        mirrored(open_),
        mirrored(ask),
        mirrored(bid),
    )


def _mark(market: MarketState, name: str, value: object) -> float:
    """Take a price that the market may have; one whose class is open may be 0."""
    price = checks.number(name, value)
    if market.instrument is not None:
        return market.instrument.check_mark(name, price)
    if price < 0.0:
        raise ValueError(f"{name} must be 0 or more, was {value!r}")
    return price


def _quotes(
    market: MarketState, bid: float | None, ask: float | None, volume: float | None
) -> tuple[float, float, float]:
    """Check a tick's quotes and volume; what is missing is NaN."""
    bid_ = _NAN if bid is None else _quote(market, "bid", bid)
    ask_ = _NAN if ask is None else _quote(market, "ask", ask)
    if bid_ > ask_:
        raise ValueError(f"bid must not lie above ask, was {bid_!r} over {ask_!r}")
    return bid_, ask_, _NAN if volume is None else checks.non_negative("volume", volume)


def _quote(market: MarketState, name: str, value: float) -> float:
    if type(value) is float and market.lowest <= value <= market.highest:
        return value
    return _mark(market, name, value)


def _bar(
    market: MarketState,
    price: float,
    high: float | None,
    low: float | None,
    open_: float | None,
) -> tuple[float, float, float]:
    """Check a bar against its close; without low or high the price stands for them."""
    opened = _NAN if open_ is None else _mark(market, "open", open_)
    # A bar that gives its open without its extremes has traded there at least. NaN, a missing
    # open, loses every comparison.
    floor = opened if opened < price else price
    ceiling = opened if opened > price else price
    if low is not None:
        floor = _mark(market, "low", low)
    if high is not None:
        ceiling = _mark(market, "high", high)
    if floor > price:
        raise ValueError(f"low must not lie above price, was {floor!r} over {price!r}")
    if ceiling < price:
        raise ValueError(f"high must not lie below price, was {ceiling!r} under {price!r}")
    if low is not None and opened < floor:
        raise ValueError(f"open must not lie below low, was {opened!r} under {floor!r}")
    if high is not None and opened > ceiling:
        raise ValueError(f"open must not lie above high, was {opened!r} over {ceiling!r}")
    return floor, ceiling, opened
