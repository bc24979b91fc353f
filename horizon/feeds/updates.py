"""What a live feed says of a market, and how a message of it can be wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from horizon import checks

__all__ = ["NAN", "Garbage", "Gap", "Hangup", "Levels", "Update", "amount", "lost", "milliseconds"]

NAN: Final = math.nan

#: Prices and sizes of one side of a book, the best first.
Levels: TypeAlias = tuple[list[float], list[float]]


class Update(NamedTuple):
    """What is known of a market after one message; NaN is not known, or not there.

    Attributes
    ----------
    market_id : str
        Which market it is about.
    received_ns : int
        When the message was taken in, in nanoseconds since 1970 (UTC), by the feed's clock.
    exchange_ns : int or None
        When it was made, as the message says.
    price : float
        Mid or last price, as the feed was asked for.
    bid, ask : float
        Best quotes; NaN is no quote on that side.
    bid_size, ask_size : float
        Sizes at the best quotes, in units.
    volume : float
        Units that this message says were traded; NaN where it is about something else.
    levels : tuple of Levels or None
        Bids and asks of the whole book after this message, each a list of prices and a list of
        sizes, the best first; None where the message is about no book. Nobody changes the
        lists, the feed neither: two updates may share one.
    is_lost : bool
        Nothing is known of this market any more, until its next update.

    Examples
    --------
    >>> update = hz.feeds.Update("rain", 10**9, price=0.5, bid=0.49, ask=0.51)
    >>> update.bid, update.volume, update.is_lost
    (0.49, nan, False)
    """

    market_id: str
    received_ns: int
    exchange_ns: int | None = None
    price: float = NAN
    bid: float = NAN
    ask: float = NAN
    bid_size: float = NAN
    ask_size: float = NAN
    volume: float = NAN
    levels: tuple[Levels, Levels] | None = None
    is_lost: bool = False


class Garbage(ValueError):
    """A message that cannot be true or cannot be read: counted, and never delivered.

    What `_take` of a `WebSocketFeed` raises of such a message. It is a ValueError.

    Examples
    --------
    >>> raise hz.feeds.Garbage("price must be above 0, was -0.5")
    Traceback (most recent call last):
    horizon.feeds.updates.Garbage: price must be above 0, was -0.5
    """


class Gap(Exception):
    """Messages are missing: what is known of some markets can no longer be relied on.

    Parameters
    ----------
    reason : str
        What was expected and what came, for `FeedStatus.last_error`.
    market_ids : iterable of str
        The markets concerned; none given are all of the feed's.

    Examples
    --------
    >>> gap = hz.feeds.Gap("message 8 came after message 5", ["rain"])
    >>> gap.market_ids
    ('rain',)
    """

    def __init__(self, reason: str, market_ids: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.market_ids = tuple(market_ids)


class Hangup(Exception):
    """The server says that it cannot go on now: to be tried again after a wait.

    What `_take` of a `WebSocketFeed` raises of a message that says so.

    Examples
    --------
    >>> raise hz.feeds.Hangup("down for maintenance until 07:00 UTC")
    Traceback (most recent call last):
    horizon.feeds.updates.Hangup: down for maintenance until 07:00 UTC
    """


def lost(market_id: str, received_ns: int) -> Update:
    """Return the update that says that nothing is known of a market any more."""
    return Update(market_id, received_ns, is_lost=True)


def amount(name: str, value: Any) -> float:
    """Read a price or a size out of a message: a number, or the text of one.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : object

    Raises
    ------
    Garbage
        For anything but a finite number from 0 to 1e15: NaN, text of none, a boolean, null.
    """
    kind = type(value)
    if kind is str or kind is float or kind is int:
        try:
            number = float(value)
        except (ValueError, OverflowError):
            pass
        else:
            if 0.0 <= number <= checks.LARGEST:  # false for NaN
                return number
    raise Garbage(f"{name} must be a number from 0 to 1e15, was {checks.show(value)}")


def milliseconds(name: str, value: Any) -> int:
    """Read a time out of a message: milliseconds since 1970, as nanoseconds.

    Raises
    ------
    Garbage
        For anything but a whole number, or the text of one, in the years 1970 to 2261.
    """
    kind = type(value)
    if kind is int or kind is str:
        try:
            number = int(value)
        except ValueError:
            pass
        else:
            if 0 <= number <= 9_200_000_000_000:
                return number * 1_000_000
    raise Garbage(f"{name} must be milliseconds since 1970, was {checks.show(value)}")
