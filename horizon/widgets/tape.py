"""The tape: every price of a venue's markets since somebody began to watch, as far as it fits."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from horizon.venues.records import NEVER_NS
from horizon.venues.simulated import SimulatedVenue

__all__ = ["Tape"]

#: Ticks kept of a market, and markets that are kept.
_TICKS: Final = 20_000
_MARKETS: Final = 50


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
        self._times: dict[str, array[int]] = {}
        self._prices: dict[str, array[float]] = {}

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
                    if market.price == market.price and market.tick_ns != NEVER_NS:
                        tape._note(market.tick_ns, market.id, market.price)
                tape._unsubscribe = venue.subscribe(tape._hear)
        return tape

    def keep(self, market_id: str) -> None:
        """Keep a market's ticks from now on, beyond the number that is kept of itself."""
        with self._venue.lock:
            if market_id not in self._times:
                self._times[market_id], self._prices[market_id] = array("q"), array("d")
                market = self._venue.account.markets.get(market_id)
                if market is not None and market.tick_ns != NEVER_NS:
                    self._note(market.tick_ns, market_id, market.price)

    def leave(self) -> None:
        """Watch no more; the last one to leave ends it."""
        self._watchers -= 1
        if self._watchers <= 0 and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            Tape._known.pop(id(self._venue), None)

    def _hear(self, event: tuple[Any, ...]) -> None:
        # Inside the venue's command: this must be quick, and must not raise.
        if event[0] == "marked":
            self._note(event[1], event[2], event[3])

    def _note(self, ns: int, market_id: str, price: float) -> None:
        times = self._times.get(market_id)
        if times is None:
            if len(self._times) >= _MARKETS:
                return
            times = self._times[market_id] = array("q")
            self._prices[market_id] = array("d")
        prices = self._prices[market_id]
        times.append(ns)
        prices.append(price)
        if len(times) >= 2 * _TICKS:
            del times[:_TICKS]
            del prices[:_TICKS]

    @property
    def markets(self) -> list[str]:
        """The markets that are kept and have had a tick, in the order of their first."""
        with self._venue.lock:
            return [market for market, times in self._times.items() if times]

    def path(self, market_id: str) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
        """Return times and prices of a market, oldest first; empty if it has had none."""
        with self._venue.lock:
            times = self._times.get(market_id)
            if times is None:
                return np.empty(0, dtype="datetime64[ns]"), np.empty(0)
            ns = np.array(times[-_TICKS:], dtype=np.int64)
            return ns.astype("datetime64[ns]"), np.array(self._prices[market_id][-_TICKS:])
