"""A book venue for trading by hand: its books come one by one, from a feed or from you."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from horizon import checks, rules
from horizon.errors import VenueError
from horizon.instruments import Market
from horizon.types import AssetClass, VenueFill
from horizon.venues.book import BookVenue, require_book
from horizon.venues.book_view import Levels
from horizon.venues.fill_models import FillModel, fill_model_of
from horizon.venues.impact import Impact
from horizon.venues.live_book import LiveBook
from horizon.venues.records import NEVER_NS, MarketState
from horizon.venues.simulated import Delay, FeeRates

__all__ = ["BookAccount"]

_NAN: Final = math.nan


class BookAccount(BookVenue):
    """A paper account whose orders meet order books, level by level.

    ``hz.connect("book")`` opens one. Its books come from a feed of books, such as
    `hz.feeds.BookReplay` or `hz.feeds.SyntheticBooks`, or one by one by `take_book`. Orders
    are matched by the very code that matches them in `hz.backtest` and `hz.run`.

    Parameters
    ----------
    initial_cash : float
        0 or more.
    markets : iterable of Market
        What the markets are, where their ids do not say it; `declare` says it as well.
    fee_bps : float
        Fee of each fill in basis points of its notional, unless a rate below says otherwise.
    maker_fee_rate, taker_fee_rate : float, optional
        Fractions of notional in (-1, 1), below 0 for a rebate. What rested is maker, what
        executes on arrival taker.
    fees : Fees, or mapping of market id to Fees, optional
        In place of the rates.
    fill_model : str or FillModel
        What fills beside orders that a book reaches: ``"deterministic"`` (nothing),
        ``"probabilistic"`` (a place in the queue), ``"glft"``, or one of your own.
    fill_model_params : mapping, optional
        Parameters of a model that is named.
    impact : Impact, optional
        What orders do to prices; nothing by default.
    latency : Latency, optional
        How long orders, cancels and amendments travel. Each arrives at its own time and meets
        its market's last book up to then. That shows with its market's book of that time, or
        with the first later one of any market.
    seed : int
        Of the chance of fills, 0 or more.
    enforce_buying_power : bool
        Reject orders whose opening part the account cannot carry.
    clock : callable, optional
        Returns the present in float seconds. By default the time of the latest book, and the
        wall clock's before the first: while a feed pauses no time passes here.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    A market order takes level by level: three at 100.5 and two at 101.

    >>> ex = hz.connect("book", initial_cash=1_000, fee_bps=10)
    >>> ex.take_book("ACME", bids=[(99.5, 10)], asks=[(100.5, 3), (101.0, 10)], timestamp=0.0)
    []
    >>> order = ex.buy("ACME", 5, market=True)
    >>> order.average_price, round(order.fees, 6)
    (100.7, 0.5035)

    A limit order takes what it may and rests with the other two. The next book offers four at its
    price, and it fills as a maker:

    >>> ex = hz.connect("book", initial_cash=1_000)
    >>> fills = ex.take_book("ACME", [(99.5, 10)], [(100.5, 3), (101.0, 10)], timestamp=0.0)
    >>> order = ex.buy("ACME", 5, limit=100.5)
    >>> order.status, order.remaining
    ('partial', 2.0)
    >>> fills = ex.take_book("ACME", [(99.5, 10)], [(100.5, 4), (101.0, 10)], timestamp=1.0)
    >>> [(fill.quantity, fill.price, fill.is_maker) for fill in fills]
    [(2.0, 100.5, True)]
    """

    def __init__(
        self,
        initial_cash: float = 100_000.0,
        *,
        markets: Iterable[Market] = (),
        fee_bps: float = 0.0,
        maker_fee_rate: float | None = None,
        taker_fee_rate: float | None = None,
        fees: FeeRates | Mapping[str, FeeRates] | None = None,
        fill_model: str | FillModel = "deterministic",
        fill_model_params: Mapping[str, float] | None = None,
        impact: Impact | None = None,
        latency: Delay | None = None,
        seed: int = 0,
        enforce_buying_power: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> None:
        rate = checks.number("fee_bps", fee_bps) / 10_000
        if not -1.0 < rate < 1.0:
            raise ValueError(f"fee_bps must lie in (-10000, 10000), was {fee_bps!r}")
        super().__init__(
            initial_cash,
            maker_fee_rate=rate if maker_fee_rate is None else maker_fee_rate,
            taker_fee_rate=rate if taker_fee_rate is None else taker_fee_rate,
            fees=fees,
            fill_model=fill_model_of(fill_model, fill_model_params),
            impact=impact,
            latency=latency,
            seed=seed,
            enforce_buying_power=enforce_buying_power,
            clock=clock,
        )
        #: Time of the latest book, which is the present then.
        self._latest_ns = NEVER_NS
        self._own_clock = clock is not None
        #: Price of the latest trade by market, of YES.
        self._trades: dict[str, float] = {}
        if clock is None:
            self.set_clock(self._present_ns)
        self._markets = _contracts(markets)

    def connect(self) -> None:
        """Open the venue, and declare the markets that it was given; again at no risk."""
        super().connect()
        for market in self._markets:
            self.declare(market)

    def _present_ns(self) -> int:
        if self._latest_ns == NEVER_NS:
            return max(self.account.now_ns, time.time_ns())
        return self._latest_ns

    def now_ns(self, market: MarketState | None = None) -> int:
        """Time of a command that gives none; before the first book it is at no time of its own.

        So books of long ago may follow when a market was declared first.
        """
        if self._latest_ns == NEVER_NS and not self._own_clock:
            return max(self.account.now_ns, 0)
        return super().now_ns(market)

    # ------------------------------------------------------------------ books
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
        """Give a market its next book, and match the orders that rest there.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, the book is NO's.
        bids, asks : sequence of (price, size)
            The best first; a side may be empty. Sizes are above 0.
        timestamp : float, int or datetime, optional
            Seconds since 1970, or a datetime (a naive one is local time). Left out: the present.
        price : float, optional
            What positions are marked at; the mid if left out. With a side empty the last mark
            stays.
        volume : float, optional
            Units traded since the book before, 0 or more; matching does not use it.
        trade : float, optional
            Price of the latest trade, for those who look at the book: it marks and fills nothing.

        Returns
        -------
        list of VenueFill
            The fills that this book made; `drain_fills` gives them as well.

        Raises
        ------
        DataError
            If a level has a price that the market cannot have, levels are out of order, a size
            is not above 0, or bids and asks cross.
        TypeError, ValueError
            For a level that is no pair of numbers, a price or volume that cannot be, or a time
            before the market's last book. Nothing has changed in either case.
        """
        with self._lock:
            self.require_connection()
            leg = self.leg_of(market_id)
            market = leg.market
            sides = _levels("bids", bids), _levels("asks", asks)
            last = _NAN if price is None else self._price("price", market, price, leg.is_no)
            if leg.is_no:
                sides = _mirrored(sides[1]), _mirrored(sides[0])
            latest = None if trade is None else self._price("trade", market, trade, leg.is_no)
            traded = _NAN if volume is None else checks.non_negative("volume", volume)
            now_ns = self._time_of(market, timestamp)
            depth = self._books.get(market.id)
            if depth is None:
                kind = AssetClass(market.asset_class)
                require_book(LiveBook(market.id, kind, (market.lowest, market.highest)), *sides)
                if market.id not in self.account.legs:
                    assert market.instrument is not None
                    self._declare(market.instrument)
                self.open_books([market.id])
            index = self.bring(market.id, *sides)
            market = self.account.markets[market.id]
            if latest is not None:
                self._trades[market.id] = latest
            count = len(self.account.fills)
            self._latest_ns = max(self._latest_ns, now_ns)
            self._play(market, index, now_ns, sides, last, traded)
            return self._fills_from(count)

    def last_trade(self, market: MarketState) -> float:
        """Price of YES of the latest trade that a book came with; NaN before one."""
        return self._trades.get(market.id, _NAN)

    def _play(
        self,
        market: MarketState,
        index: int,
        now_ns: int,
        sides: tuple[Levels, Levels],
        last: float,
        volume: float,
    ) -> None:
        """One step: what was due before arrives, then the book, then what is due now; marks."""
        if self.transit:
            self.deliver(now_ns, inclusive=False)
        if not market.settled:
            self.show(market, index, now_ns)
        if self.transit:
            self.deliver(now_ns, inclusive=True, market_id=market.id)
        (bids, _), (asks, _) = sides
        bid, ask = bids[0] if bids else _NAN, asks[0] if asks else _NAN
        if last != last:
            last = bid / 2.0 + ask / 2.0  # NaN where one of them is
        if last != last:
            last = market.price
        if last == last:
            self.mark(market, now_ns, last, bid, ask, volume)

    def _time_of(self, market: MarketState, timestamp: Any) -> int:
        """When a book comes: not before the last one of its market."""
        depth = self._books.get(market.id)
        latest_ns = market.tick_ns if depth is None else max(market.tick_ns, depth.time_ns)
        if timestamp is None:
            now_ns = self._clock_ns() if self._own_clock else time.time_ns()
            return max(now_ns, latest_ns, self.account.now_ns)
        now_ns = checks.timestamp_ns("timestamp", timestamp)
        if now_ns < latest_ns:
            raise ValueError(
                f"timestamp must not lie before the last book of {market.id!r} at "
                f"{latest_ns / 10**9:.9f} s, was {now_ns / 10**9:.9f} s"
            )
        return now_ns

    @staticmethod
    def _price(name: str, market: MarketState, price: float, is_no: bool) -> float:
        assert market.instrument is not None
        checked = market.instrument.check_mark(name, checks.number(name, price))
        return rules.complement(checked) if is_no else checked

    def tick(self, market_id: str, price: float, timestamp: Any = None, **bar: Any) -> NoReturn:
        """Refuse: a book account has its prices from its books; see `take_book`.

        Raises
        ------
        VenueError
            Always.
        """
        raise VenueError(
            "a book account takes books, not ticks: play a feed of books such as "
            "hz.feeds.BookReplay(books), or call ex.take_book(market, bids, asks); "
            "hz.connect('paper') takes ticks"
        )


def _contracts(markets: object) -> tuple[Market, ...]:
    if isinstance(markets, Market) or not isinstance(markets, Iterable):
        raise TypeError(f"markets must hold Market, was {checks.show(markets)}")
    contracts = tuple(markets)
    for one in contracts:
        if not isinstance(one, Market):
            raise TypeError(f"markets must hold Market, has {checks.show(one)}")
    return contracts


def _levels(name: str, side: Any) -> Levels:
    """Take the levels of a side apart: their prices, and their sizes."""
    if isinstance(side, (str, bytes)) or not hasattr(side, "__len__"):
        raise TypeError(f"{name} must be a list of (price, size), was {checks.show(side)}")
    if not len(side):
        return [], []
    try:
        pairs = zip(*side, strict=True)
        prices, sizes = (list(numbers) for numbers in pairs)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be a list of (price, size), was {checks.show(side)}"
        ) from None
    if set(map(type, prices)) | set(map(type, sizes)) != {float}:
        prices = [checks.number(f"a price of {name}", value) for value in prices]
        sizes = [checks.number(f"a size of {name}", value) for value in sizes]
    return prices, sizes


def _mirrored(side: Levels) -> Levels:
    """A side of NO as the other side of YES."""
    prices, sizes = side
    return [rules.complement(price) for price in prices], sizes
