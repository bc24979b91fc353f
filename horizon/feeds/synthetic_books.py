"""A made-up market with an order book: depth that comes and goes, and trades that eat it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.books import Books
from horizon.feeds.base import Fields
from horizon.feeds.book_rows import BookFeed, BookRow, Side
from horizon.instruments import Market
from horizon.types import AssetClass

__all__ = ["SyntheticBooks"]

_Sizes = NDArray[np.float64]

#: Books made at once.
_BATCH: Final = 8
#: How often a second an order of a level changes its mind, and what it then takes away of the
#: level on average.
_CHANGES: Final = 0.6
_LEAVING: Final = 0.5
#: Of what stands too close to a price that has moved, makers take this part away at once.
_PULLED: Final = 0.7
#: Size of one order, as a fraction of the usual depth of a level.
_ORDER: Final = 0.12
#: Mean size of a trade, likewise.
_TRADE: Final = 0.4
#: Ticks that makers keep from the fair price, beside half of the spread beyond one tick.
_MARGIN: Final = 0.2


class SyntheticBooks(BookFeed):
    """Order books of a made-up market, the same for the same seed, for ``hz.connect("book")``.

    A fair price wanders that nobody sees. Around it makers put orders and take them away; what
    they left on its wrong side is swept by those who know better, and others buy and sell
    without a reason. So the levels next to the touch are thin and change often, trades eat
    them, and it takes some seconds until they are full again.

    Parameters
    ----------
    seed : int
        Zero or more. The books hang on the seed, the market and the arguments alone.
    market_id : str or Market
        A name is that of a prediction market; a `Market` says itself what it is. Each pass
        declares it.
    start : float, optional
        First fair price; 0.5 for a prediction and else 100 by default.
    tick_size : float, optional
        The grid of prices: that of the `Market`, else 0.01.
    levels : int
        Most levels of a side that are shown, from 1 to 200.
    depth : float
        Usual size of a full level, in units.
    spread : float
        Usual distance of ask and bid while nothing was taken, in ticks, 1 or more.
    volatility : float
        Standard deviation of the fair price's change over the root of a second, in ticks. That
        of a prediction is as large at even odds, and shrinks as the price nears 0 or 1.
    trade_rate : float
        Trades a second without a reason, 0 or more.
    interval : float
        Seconds between books, from 1e-9. They begin at time 0; `run` and `play` move them to
        the client's present.
    n : int, optional
        Number of books; without end by default, when `run` needs ``until=`` or ``n=``.
    speed : float or None
        Market seconds per wall second of `play`; None or infinity is as fast as possible.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range, or if grid and spread leave no room
        for a price.

    Notes
    -----
    The price of a row is the mid of its book, as of any recorded one; its volume is what traded
    since the book before, at the prices that stood there then. Sizes are whole lots of the
    `Market`, else whole units.

    The feed does not know of an account's own orders. What an account takes of a book stays
    taken until the next one, as in ``hz.backtest``, and is there again then.

    The fair price is a martingale, but the books are no fair game: whoever quotes is swept when
    the fair price has moved, and whoever sees the book sees some of where it is.

    Examples
    --------
    >>> feed = hz.feeds.SyntheticBooks(seed=7, market_id="rain", start=0.4)
    >>> ex = hz.connect("book", fill_model="probabilistic")
    >>> feed.run(ex, n=20)  # four a second: five seconds
    20
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        market_id: str | Market = "synthetic",
        start: float | None = None,
        tick_size: float | None = None,
        levels: int = 20,
        depth: float = 500.0,
        spread: float = 1.0,
        volatility: float = 0.5,
        trade_rate: float = 0.5,
        interval: float = 0.25,
        n: int | None = None,
        speed: float | None = 1.0,
    ) -> None:
        self._market = _market_of(market_id, tick_size)
        super().__init__(name=self._market.id, speed=speed)
        self._seed = checks.integer("seed", seed, least=0)
        self._n = None if n is None else checks.integer("n", n)
        self._interval_ns = round(checks.positive("interval", interval) * 1e9)
        if self._interval_ns < 1:
            raise ValueError(f"interval must be at least 1e-9 seconds, was {interval!r}")
        self._levels = checks.integer("levels", levels)
        if self._levels > 200:
            raise ValueError(f"levels must be at most 200, was {levels!r}")
        self._depth = checks.positive("depth", depth)
        self._spread = checks.number("spread", spread)
        if self._spread < 1.0:
            raise ValueError(f"spread must be 1 tick or more, was {spread!r}")
        self._volatility = checks.non_negative("volatility", volatility)
        self._trade_rate = checks.non_negative("trade_rate", trade_rate)
        is_prediction = self._market.asset_class is AssetClass.Prediction
        tick = self._market.tick_size
        assert tick is not None
        #: Ticks between the fair price and the nearest quote, at least.
        self._half = (self._spread - 1.0) / 2.0 + _MARGIN
        # The lowest and the highest tick that an order may have.
        self._lowest = 1
        self._highest = math.ceil(1.0 / tick - 1e-9) - 1 if is_prediction else 2**52
        low, high = self._lowest + self._half + 1.0, self._highest - self._half - 1.0
        if not low < high:
            raise ValueError(f"spread {spread!r} and tick_size {tick!r} leave no room for a price")
        first = (0.5 if is_prediction else 100.0) if start is None else start
        self._start = checks.positive("start", first) / tick
        if not low <= self._start <= high:
            raise ValueError(
                f"start must lie between {low * tick:g} and {high * tick:g} with this spread and "
                f"tick size, was {first!r}"
            )

    @property
    def total(self) -> int | None:
        """Books of the whole feed; None without end."""
        return self._n

    @property
    def market_id(self) -> str:
        """The market of all books."""
        return self._market.id

    @property
    def contracts(self) -> tuple[Market, ...]:
        """The market itself."""
        return (self._market,)

    def books(self, n: int | None = None) -> dict[str, Books]:
        """Return the first `n` books, all by default, as ``hz.backtest(book_data=...)`` takes them.

        Raises
        ------
        ValueError
            If the feed has no end and `n` is not given.
        """
        count = self._n if n is None else checks.integer("n", n)
        if count is None:
            raise ValueError(f"feed {self.name!r} has no end: books() needs n=")
        if self._n is not None:
            count = min(count, self._n)
        arrays = [np.full((count, self._levels), np.nan) for _ in range(4)]
        times = np.arange(count, dtype=np.int64) * self._interval_ns
        done = 0
        for batch in self.batches():
            for row in batch[: count - done]:
                assert isinstance(row, BookRow)
                for side, levels in enumerate(row.levels()):
                    for level, (price, size) in enumerate(levels):
                        arrays[2 * side][done, level] = price
                        arrays[2 * side + 1][done, level] = size
                done += 1
            if done == count:
                break
        return {self._market.id: Books(times, *arrays)}

    def batches(self) -> Iterator[Sequence[Fields]]:
        """Give the rows from the first on, each with its book; each call begins anew."""
        maker = _Maker(self, self._generator())
        first = 0
        while self._n is None or first < self._n:
            count = _BATCH if self._n is None else min(_BATCH, self._n - first)
            yield [self._row(maker, number) for number in range(first, first + count)]
            first += count

    def _row(self, maker: _Maker, number: int) -> Any:
        if number:
            maker.move(self._interval_ns / 1e9)
        bids, asks = maker.side(1), maker.side(-1)
        bid, bid_size = bids[0] if bids else (None, None)
        ask, ask_size = asks[0] if asks else (None, None)
        mid = None if bid is None or ask is None else bid / 2.0 + ask / 2.0
        ns = number * self._interval_ns
        fields: Fields = (
            self._market.id,
            ns,
            mid,
            bid,
            ask,
            bid_size,
            ask_size,
            None,
            None,
            None,
            maker.volume,
        )
        return BookRow.of(fields, partial(_both, bids, asks), maker.last)

    def time_at(self, row: int) -> int | None:
        """Return the time of book `row` (from 0), in nanoseconds from the first; None for none."""
        is_there = row >= 0 and (self._n is None or row < self._n)
        return row * self._interval_ns if is_there else None

    def row_at(self, ns: int) -> int:
        """Return how many books are not later than `ns` nanoseconds after the first."""
        rows = max(ns // self._interval_ns + 1, 0)
        return rows if self._n is None else min(rows, self._n)

    def _generator(self) -> np.random.Generator:
        text = f"books:{self._seed}:{self._market.id}"
        key = hashlib.blake2b(text.encode(), digest_size=16)
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key.digest(), "big")))

    def _facts(self) -> dict[str, str]:
        facts = {"market": self._market.id, "seed": str(self._seed)}
        if self._n is None:
            facts["length"] = "without end"
        return facts | super()._facts()


def _both(bids: Side, asks: Side) -> tuple[Side, Side]:
    return bids, asks


def _market_of(market_id: str | Market, tick_size: float | None) -> Market:
    tick = 0.01 if tick_size is None else checks.positive("tick_size", tick_size)
    if not isinstance(market_id, Market):
        return Market(market_id, AssetClass.Prediction, tick_size=tick)
    market = market_id
    if market.tick_size is None:
        return Market(
            market.id,
            market.asset_class,
            multiplier=market.multiplier,
            tick_size=tick,
            lot_size=market.lot_size,
            strike=market.strike,
            expiry=market.expiry,
            right=market.right,
        )
    if tick_size is not None and tick != market.tick_size:
        raise ValueError(
            f"tick_size {tick:g} contradicts that of market {market.id!r}, {market.tick_size:g}"
        )
    return market


class _Maker:
    """The book of one pass: sizes by tick in a window around the fair price, which moves."""

    def __init__(self, feed: SyntheticBooks, rng: np.random.Generator) -> None:
        self._rng = rng
        market = feed._market
        assert market.tick_size is not None
        self._tick = market.tick_size
        self._lot = 1.0 if market.lot_size is None else market.lot_size
        self._is_prediction = market.asset_class is AssetClass.Prediction
        self._lowest, self._highest = feed._lowest, feed._highest
        self._shown = feed._levels
        self._half = feed._half
        self._volatility, self._rate = feed._volatility, feed._trade_rate
        #: In lots, at least one.
        self._depth = max(feed._depth / self._lot, 1.0)
        #: The fair price, in ticks.
        self._fair = feed._start
        # Room for what is shown and as much again, on both sides.
        self._reach = 2 * self._shown + 10
        self._base = math.floor(self._fair) - self._reach
        # Sizes in lots, bids and asks, from the tick `_base` on.
        self._sizes: dict[int, _Sizes] = {
            sign: self._full(sign, 0, 2 * self._reach + 1) for sign in (1, -1)
        }
        #: Last trade, and units traded in the present step.
        self.last: float | None = None
        self.volume = 0.0

    # ------------------------------------------------------------------ what is shown
    def side(self, sign: int) -> Side:
        """The levels of the bids (1) or the asks (-1), the best first."""
        sizes = self._sizes[sign]
        places = np.flatnonzero(sizes)
        chosen = places[::-1][: self._shown] if sign > 0 else places[: self._shown]
        base, tick, lot = self._base, self._tick, self._lot
        return [
            (round((base + place) * tick, 12), round(size * lot, 12))
            for place, size in zip(chosen.tolist(), sizes[chosen].tolist(), strict=True)
        ]

    # ------------------------------------------------------------------ one step
    def move(self, seconds: float) -> None:
        """Let time pass until the next book."""
        self.volume = 0.0
        self._wander(seconds)
        self._follow()
        rng = self._rng
        for sign in (1, -1):
            self._sweep(sign)
        for _ in range(int(rng.poisson(self._rate * seconds))):
            self._trade(1 if rng.random() < 0.5 else -1, self._trade_size())
        share = 1.0 - math.exp(-_CHANGES * seconds)
        for sign in (1, -1):
            self._change(sign, share)

    def _wander(self, seconds: float) -> None:
        step = self._volatility * math.sqrt(seconds) * float(self._rng.standard_normal())
        if self._is_prediction:
            odds = self._fair * self._tick
            step *= 4.0 * odds * (1.0 - odds)
        room = self._half + 1.0
        low, high = self._lowest + room, self._highest - room
        moved = self._fair + step
        # What would leave the room that quotes need is thrown back from its end.
        if moved < low:
            moved = min(2.0 * low - moved, high)
        elif moved > high:
            moved = max(2.0 * high - moved, low)
        self._fair = moved

    def _follow(self) -> None:
        """Keep the window around the fair price; new levels come in as full as usual."""
        drift = math.floor(self._fair) - self._reach - self._base
        if abs(drift) <= self._shown // 2:
            return
        width = 2 * self._reach + 1
        self._base += drift
        for sign, sizes in self._sizes.items():
            kept = np.zeros(width)
            if abs(drift) < width:
                if drift > 0:
                    kept[: width - drift] = sizes[drift:]
                else:
                    kept[-drift:] = sizes[:drift]
            fresh = (max(width - drift, 0), width) if drift > 0 else (0, min(-drift, width))
            kept[slice(*fresh)] = self._full(sign, *fresh)
            self._sizes[sign] = kept

    def _usual(self, sign: int, first: int, last: int) -> _Sizes:
        """The mean size of levels, by their places: none nearer to the fair price than quotes."""
        ticks = self._base + np.arange(first, last)
        if sign > 0:
            distance = math.ceil(self._fair - self._half) - 1 - ticks
        else:
            distance = ticks - math.floor(self._fair + self._half) - 1
        near = distance.astype(float)
        usual = self._depth * (1.0 - 0.65 * np.exp(-near / 1.5)) * np.exp(-near / 30.0)
        there = (distance >= 0) & (ticks >= self._lowest) & (ticks <= self._highest)
        return np.where(there, usual, 0.0)

    def _full(self, sign: int, first: int, last: int) -> _Sizes:
        """Draw levels as they stand when nothing has happened for long."""
        return self._orders(self._usual(sign, first, last))

    def _orders(self, mean: _Sizes) -> _Sizes:
        """Draw what comes of orders whose sizes sum to this on average."""
        size = max(_ORDER * self._depth, 1.0)
        counts = self._rng.poisson(mean / size)
        drawn = np.zeros(len(mean))
        some = counts > 0
        drawn[some] = np.maximum(np.rint(size * self._rng.standard_gamma(counts[some])), 1.0)
        return drawn

    def _change(self, sign: int, share: float) -> None:
        """Some orders are taken away, and others come, which keeps the usual sizes."""
        sizes, rng = self._sizes[sign], self._rng
        width = len(sizes)
        touched = rng.random(width) < share
        left = np.where(touched, np.rint(sizes * (1.0 - 2.0 * _LEAVING * rng.random(width))), sizes)
        self._sizes[sign] = left + self._orders(self._usual(sign, 0, width) * share * _LEAVING)

    # ------------------------------------------------------------------ trades
    def _sweep(self, sign: int) -> None:
        """Trade away what stands on the wrong side of the fair price; makers pull what is near."""
        sizes = self._sizes[sign]
        ticks = self._base + np.arange(len(sizes))
        wrong = sign * (ticks - self._fair) > 0.0
        quantity = float(sizes[wrong].sum())
        if quantity:
            self._trade(-sign, quantity)
            sizes = self._sizes[sign]
        near = ~wrong & (sign * (ticks - self._fair) > -self._half) & (sizes > 0.0)
        if near.any():
            sizes[near] = np.rint(sizes[near] * (1.0 - _PULLED))

    def _trade_size(self) -> float:
        return max(1.0, round(_TRADE * self._depth * float(self._rng.standard_exponential())))

    def _trade(self, sign: int, quantity: float) -> None:
        """Let a buy (1) take asks, or a sell (-1) bids, from the best on."""
        sizes = self._sizes[-sign]
        places = np.flatnonzero(sizes)
        if sign < 0:
            places = places[::-1]
        for place in places.tolist():
            taken = min(quantity, float(sizes[place]))
            sizes[place] -= taken
            quantity -= taken
            self.volume += taken * self._lot
            self.last = round((self._base + place) * self._tick, 12)
            if quantity <= 0.0:
                return
