"""Feeds of order books: rows that bring the levels of a market's book, not only its best."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from horizon import checks
from horizon.feeds.base import Feed, Fields
from horizon.feeds.times import stamp_text
from horizon.instruments import Market

__all__ = ["BookClient", "BookFeed", "BookRow", "Side"]

#: (price, size) of each level, the best first.
Side: TypeAlias = list[tuple[float, float]]


class BookClient(Protocol):
    """What a feed of books plays to: a client or engine of ``hz.connect("book")``."""

    @property
    def time(self) -> float:
        """The present in seconds since 1970."""

    def declare(self, market: Market) -> None:
        """Say what a market is."""

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
    ) -> object:
        """Take one book."""


class BookRow(tuple[Any, ...]):
    """The fields of a row, as a plain tuple, with the book that came with them.

    Attributes
    ----------
    levels : callable
        Makes the book: bids and asks.
    trade : float or None
        Price of the latest trade, where it is known.
    """

    levels: Callable[[], tuple[Side, Side]]
    trade: float | None

    @classmethod
    def of(
        cls,
        fields: Fields,
        levels: Callable[[], tuple[Side, Side]],
        trade: float | None = None,
    ) -> BookRow:
        """Put a book to the fields of a row."""
        row = cls(fields)
        row.levels, row.trade = levels, trade
        return row


class BookFeed(Feed):
    """A feed whose rows bring order books, to an account of ``hz.connect("book")``.

    A subclass gives `batches`, whose rows are `BookRow`, and `contracts`.
    """

    @property
    @abstractmethod
    def contracts(self) -> tuple[Market, ...]:
        """The markets of which it is known what they are; each pass declares them."""

    @contextlib.contextmanager
    def _pass(self, ex: Any, *given: Any, **more: Any) -> Iterator[Iterator[float]]:
        if not callable(getattr(ex, "take_book", None)) or not hasattr(ex, "time"):
            raise TypeError(
                "ex must be a client or engine that takes books, as hz.connect('book') gives it, "
                f"was {checks.show(ex)}"
            )
        for market in self.contracts:
            ex.declare(market)
        with super()._pass(ex, *given, **more) as waits:
            yield waits

    def _tick(self, ex: Any, stamp: object, fields: Fields, position: int) -> None:
        market_id, ns, price, *_, volume = fields
        assert isinstance(fields, BookRow)
        bids, asks = fields.levels()
        try:
            ex.take_book(
                market_id, bids, asks, stamp, price=price, volume=volume, trade=fields.trade
            )
        except Exception as error:
            error.add_note(
                f"raised by {self.locate(position)}: the book of {market_id!r} at "
                f"{stamp_text(ns)} in the data"
            )
            raise

    def locate(self, position: int) -> str:
        """Say which book comes at `position` (from 0), for messages."""
        return f"book {position} of feed {self.name!r}"
