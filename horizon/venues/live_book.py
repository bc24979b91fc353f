"""The book of one market whose snapshots come one after another, rather than out of a recording."""

from __future__ import annotations

import math
from typing import Final

from horizon.types import AssetClass
from horizon.venues.book_view import NO_BOOKS, Levels, Snapshot
from horizon.venues.depth_book import DepthBook

__all__ = ["LiveBook"]

_NAN: Final = math.nan
_NOTHING: Final = Snapshot.of(([], []), ([], []))


class LiveBook(DepthBook):
    """The working book of one market that is quoted now.

    Parameters
    ----------
    market_id : str
    asset_class : AssetClass
    bounds : pair of float
        Lowest and highest price that the market can have.
    """

    __slots__ = ("_coming", "_count")

    def __init__(
        self, market_id: str, asset_class: AssetClass, bounds: tuple[float, float]
    ) -> None:
        super().__init__(market_id, NO_BOOKS, asset_class, bounds)
        self._coming = _NOTHING
        self._count = 0

    def bring(self, bids: Levels, asks: Levels) -> int:
        """Take the levels of the next snapshot, best first; return its number, from 0."""
        self._coming = Snapshot.of(bids, asks)
        self._count += 1
        return self._count - 1

    def show(self, index: int, now_ns: int) -> None:
        """Put the snapshot that was brought last in force."""
        self.previous_ns = self.time_ns
        self.index = index
        self.time_ns = now_ns
        if self._is_touched:
            self._forget()
        self._recorded = coming = self._coming
        self._is_touched = True
        bids, asks = coming.side(0)[0], coming.side(1)[0]
        self.bid = bids[0] if bids else _NAN
        self.ask = asks[0] if asks else _NAN
