"""A book venue over a few snapshots written as lists, with a clock that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from horizon.books import read_books
from horizon.instruments import Market
from horizon.types import AssetClass
from horizon.venues.book import BookVenue
from horizon.venues.book_view import BookView
from horizon.venues.records import MarketState

Side = Sequence[tuple[float, float]]
#: Bids and asks, each a list of (price, size), the best first.
Book = tuple[Side, Side]

NS = 1_000_000_000
START = 1_000


def recorded(*books: Book, times: Sequence[float] | None = None) -> Any:
    """Snapshots one second apart from 1,000 s on, unless told otherwise."""
    at = times or [START + k for k in range(len(books))]
    return read_books(
        [
            {"timestamp": time, "bids": list(bids), "asks": list(asks)}
            for time, (bids, asks) in zip(at, books, strict=True)
        ]
    )


class Replayed(BookVenue):
    """A connected book venue of one market or several; `next` shows their next snapshots.

    The first snapshot is in force at once, unless `shown` is False.
    """

    def __init__(
        self,
        *books: Book,
        times: Sequence[float] | None = None,
        market: Market | None = None,
        others: dict[Market, Sequence[Book]] | None = None,
        shown: bool = True,
        **options: Any,
    ) -> None:
        self.seconds = float(START if times is None else times[0])
        options.setdefault("initial_cash", 1_000_000.0)
        super().__init__(clock=lambda: self.seconds, **options)
        self.connect()
        contract = market or Market("M", AssetClass.Prediction)
        self.own_id = contract.id
        every = {contract: recorded(*books, times=times)}
        for other, its in (others or {}).items():
            every[other] = recorded(*its, times=times)
        for one in every:
            self.declare(one)
        self.load({one.id: taken for one, taken in every.items()})
        self.snapshot = -1
        if shown:
            self.next()

    def state(self, market_id: str | None = None) -> MarketState:
        """The living record of a market."""
        return self.account.markets[market_id or self.own_id]

    def next(self) -> list[Any]:
        """Let each market's next snapshot come; returns the fills that this made."""
        self.snapshot += 1
        count = len(self.account.fills)
        with self.lock:
            for market_id, depth in self._books.items():
                at = int(depth.books.times_ns[self.snapshot])
                self.deliver(at, inclusive=False)
                self.seconds = at / NS
                self.show(self.account.markets[market_id], self.snapshot, at)
                self.deliver(at, inclusive=True)
        return self._fills_from(count)

    def now(self, market_id: str | None = None) -> BookView:
        """The book as it stands."""
        book = self.book(market_id or self.own_id)
        assert book is not None
        return book

    def traded(self) -> list[tuple[str, float, float, bool]]:
        """Side, quantity, price and maker of every fill, oldest first."""
        return [(f.side, f.quantity, f.price, f.is_maker) for f in self.fill_history()]
