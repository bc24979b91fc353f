"""The tape: every price of a venue's markets since somebody began to watch, as far as it fits."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from horizon.venues.records import NEVER_NS, MarketState
from horizon.venues.simulated import SimulatedVenue

__all__ = ["Tape", "Ticks"]

#: Ticks kept of a market, and markets that are kept.
_TICKS: Final = 20_000
_MARKETS: Final = 50


Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ticks:
    """What is kept of a market, oldest first; NaN is what a tick did not bring.

    Attributes
    ----------
    times : ndarray of int64
        Nanoseconds since 1970.
    prices : ndarray
    bids, asks, volumes : ndarray or None
        None where no tick has brought any.
    """

    times: NDArray[np.int64]
    prices: Numbers
    bids: Numbers | None = None
    asks: Numbers | None = None
    volumes: Numbers | None = None

    def __len__(self) -> int:
        return len(self.times)

    def within(self, part: slice) -> Ticks:
        """Return a stretch of them."""
        others = (self.bids, self.asks, self.volumes)
        bids, asks, volumes = (None if one is None else one[part] for one in others)
        return Ticks(self.times[part], self.prices[part], bids, asks, volumes)


class _Kept:
    """The ticks of one market as they come; a column is made when something comes for it."""

    __slots__ = ("others", "prices", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.prices = array("d")
        self.others: list[array[float] | None] = [None, None, None]  # bids, asks, volumes

    def take(self, ns: int, price: float, brought: tuple[float, float, float]) -> None:
        before = len(self.times)
        self.times.append(ns)
        self.prices.append(price)
        for number, value in enumerate(brought):
            column = self.others[number]
            if column is None and value == value:
                column = self.others[number] = array("d", [math.nan]) * before
            if column is not None:
                column.append(value)
        if before + 1 >= 2 * _TICKS:
            for kept in (self.times, self.prices, *self.others):
                if kept is not None:
                    del kept[:_TICKS]

    def ticks(self) -> Ticks:
        bids, asks, volumes = (
            None if column is None else np.array(column[-_TICKS:]) for column in self.others
        )
        times = np.array(self.times[-_TICKS:], dtype=np.int64)
        return Ticks(times, np.array(self.prices[-_TICKS:]), bids, asks, volumes)


class Tape:
    """Prices of a venue's markets as they come; see `of`.

    The latest 20,000 ticks of each of the first fifty markets are kept.

    Parameters
    ----------
    venue : SimulatedVenue
    """

    _known: ClassVar[dict[int, Tape]] = {}

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue
        self._watchers = 0
        self._unsubscribe: Callable[[], None] | None = None
        self._kept: dict[str, _Kept] = {}

    @classmethod
    def of(cls, venue: SimulatedVenue) -> Tape:
        """Return the venue's tape, and watch it until `leave` is called as often as this."""
        tape = cls._known.get(id(venue))
        if tape is None:
            tape = cls._known[id(venue)] = cls(venue)
        tape._watchers += 1
        if tape._unsubscribe is None:
            with venue.lock:
                for market in venue.account.markets.values():
                    tape._begin_with(market)
                tape._unsubscribe = venue.subscribe(tape._hear)
        return tape

    def keep(self, market_id: str) -> None:
        """Keep a market's ticks from now on, beyond the number that is kept of itself."""
        with self._venue.lock:
            if market_id not in self._kept:
                self._kept[market_id] = _Kept()
                market = self._venue.account.markets.get(market_id)
                if market is not None:
                    self._begin_with(market)

    def leave(self) -> None:
        """Watch no more; the last one to leave ends it."""
        self._watchers -= 1
        if self._watchers <= 0 and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            Tape._known.pop(id(self._venue), None)

    def _begin_with(self, market: MarketState) -> None:
        """Take up a market's last tick, if it has had one."""
        if market.tick_ns != NEVER_NS:
            brought = (market.bid, market.ask, market.volume)
            self._note(market.tick_ns, market.id, market.price, brought)

    def _hear(self, event: tuple[Any, ...]) -> None:
        # Inside the venue's command: this must be quick, and must not raise.
        if event[0] == "marked":
            self._note(event[1], event[2], event[3], event[4:7])

    def _note(
        self, ns: int, market_id: str, price: float, brought: tuple[float, float, float]
    ) -> None:
        if price != price:  # quotes on one side of a market that has had no price yet
            return
        kept = self._kept.get(market_id)
        if kept is None:
            if len(self._kept) >= _MARKETS:
                return
            kept = self._kept[market_id] = _Kept()
        kept.take(ns, price, brought)

    @property
    def markets(self) -> list[str]:
        """The markets that are kept and have had a tick, in the order of their first."""
        with self._venue.lock:
            return [market for market, kept in self._kept.items() if kept.times]

    def ticks(self, market_id: str) -> Ticks:
        """Return what is kept of a market; empty if it has had no tick."""
        with self._venue.lock:
            kept = self._kept.get(market_id)
            return _Kept().ticks() if kept is None else kept.ticks()
