"""What feeds of whole books share: a book for each market, and doubt while one makes no sense."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar

from horizon import checks
from horizon.feeds.backoff import Backoff
from horizon.feeds.level_book import LevelBook
from horizon.feeds.protocols import PriceOf
from horizon.feeds.updates import NAN, Gap, Update
from horizon.feeds.websocket import WebSocketFeed
from horizon.types import AssetClass

__all__ = ["BookFeed", "MarketBook"]


class MarketBook:
    """One market of a feed: its book, and what is held back of it."""

    __slots__ = ("book", "is_known", "last", "market_id", "volume")

    def __init__(self, market_id: str) -> None:
        self.market_id = market_id
        self.book = LevelBook()
        self.forget()

    def forget(self) -> None:
        """Begin again without a snapshot."""
        self.book.clear()
        self.is_known = False
        self.last = NAN
        #: Traded, but not delivered yet.
        self.volume = 0.0


class BookFeed(WebSocketFeed):
    """A feed that builds whole books from snapshots and changes.

    A subclass keeps `self._books` right and calls `_say` for each market that a message was
    about. Some venues tell one match in several messages, and between two of them the book
    may be crossed, or differ from the best prices that the venue states: such a book is not
    delivered. It has `_SETTLES_NS` to make sense again, else messages are missing, which is a
    gap. `_look_back` asks for that and belongs at the end of `_take`: the message may be the
    one that settles it.

    Parameters
    ----------
    name, market_ids, url, silence, connect_timeout, backoff
        See `WebSocketFeed`.
    price : {"mid", "last"}
        What updates have as their price.
    """

    #: Nanoseconds that a book may make no sense: a match is told within milliseconds.
    _SETTLES_NS: ClassVar[int] = 1_000_000_000

    def __init__(
        self,
        name: str,
        market_ids: Sequence[str],
        *,
        url: str,
        price: PriceOf,
        silence: float,
        connect_timeout: float,
        backoff: Backoff | None,
    ) -> None:
        super().__init__(
            name,
            market_ids,
            url=url,
            asset_class=AssetClass.Prediction,
            has_books=True,
            silence=silence,
            connect_timeout=connect_timeout,
            backoff=backoff,
        )
        self._by_last = checks.one_of("price", price, ("mid", "last")) == "last"
        #: By the venue's name of the market.
        self._books: dict[str, MarketBook] = {}
        #: Since when books have made no sense, and why, by market id.
        self._doubted: dict[str, tuple[int, str]] = {}

    def _reset(self) -> None:
        for market in self._books.values():
            market.forget()
        self._doubted.clear()

    def _say(
        self,
        market: MarketBook,
        received_ns: int,
        exchange_ns: int | None,
        doubt: str | None = None,
    ) -> Iterable[Update]:
        """Return a market's update, or nothing while its book makes no sense."""
        book = market.book
        if doubt is None and book.is_crossed:
            doubt = f"bid {book.bids.best:g} is not below ask {book.asks.best:g}"
        if doubt is not None:
            if market.market_id not in self._doubted:
                # The look after the next message is not enough: there may be no next one.
                again = partial(self._look_again, market.market_id, received_ns)
                self._call_later(self._SETTLES_NS / 1e9, again)
            since, _ = self._doubted.get(market.market_id, (received_ns, ""))
            self._doubted[market.market_id] = since, doubt
            return ()
        if self._doubted:
            self._doubted.pop(market.market_id, None)
        volume = NAN
        if market.volume:
            volume, market.volume = market.volume, 0.0
        bids, asks = book.bids, book.asks
        return (
            Update(
                market.market_id,
                received_ns,
                exchange_ns,
                market.last if self._by_last else book.mid,
                bids.best,
                asks.best,
                bids.best_size,
                asks.best_size,
                volume,
                (bids.levels, asks.levels),
            ),
        )

    def _look_back(self, updates: Iterable[Update], received_ns: int) -> Iterable[Update]:
        """Return `updates`, unless a book has made no sense for too long."""
        for market_id, (since, doubt) in self._doubted.items():
            if received_ns - since >= self._SETTLES_NS:
                raise self._gap(market_id, doubt)
        return updates

    def _look_again(self, market_id: str, since: int) -> None:
        """Break off where a market has been in the same doubt `since`."""
        found, doubt = self._doubted.get(market_id, (None, ""))
        if found == since:
            self._break_off(self._gap(market_id, doubt))

    def _unreadable(self, message: object, error: Exception) -> Gap:
        """Count garbage that leaves a book behind which lacks what it said."""
        self._discard(message, error)
        return Gap(f"a change of a book cannot be read: {error}")

    def _gap(self, market_id: str, doubt: str) -> Gap:
        return Gap(f"the book of {market_id!r} does not add up: {doubt}", [market_id])
