"""Rows of live and played feeds as the events that a loop plays."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Final

from horizon.backtesting.context import FeedRow
from horizon.backtesting.tape import Event
from horizon.feeds.base import Fields
from horizon.feeds.updates import Update

__all__ = ["event_of_fields", "event_of_update", "stale_event"]

_NAN: Final = math.nan
_NS: Final = 1_000_000_000
#: A row of what is in the tuple, without a call in Python for it.
_row: Any = partial(tuple.__new__, FeedRow)


def event_of_update(number: int, ns: int, update: Update, book: int | None) -> Event:
    """Make the event of a live update, as the recorded row would be read.

    Parameters
    ----------
    number : int
        Of its feed.
    ns : int
        The time of its step.
    book : int or None
        The number of its book, where it brings one that orders meet.
    """
    _, _, _, price, bid, ask, bid_size, ask_size, volume, _, _ = update
    shown_bid, shown_ask = bid, ask
    if bid != bid and ask != ask:
        shown_bid = shown_ask = price
    elif price != price:
        price = bid / 2.0 + ask / 2.0  # NaN where one of them is
    row: FeedRow = _row(
        (
            ns / _NS,
            price,
            shown_bid,
            shown_ask,
            volume,
            _NAN,
            _NAN,
            _NAN,
            bid_size,
            ask_size,
            False,
        )
    )
    return (number, row, bid, ask, price, price, _NAN, book)


def event_of_fields(number: int, ns: int, fields: Fields) -> Event:
    """Make the event of a played row, as a backtest would of the same row."""
    _, _, *given = fields
    price, bid, ask, bid_size, ask_size, opened, high, low, volume = (
        _NAN if value is None else value for value in given
    )
    shown_bid, shown_ask = bid, ask
    if bid != bid and ask != ask:
        shown_bid = shown_ask = price
    elif price != price:
        price = bid / 2.0 + ask / 2.0
    floor, ceiling = low, high
    # A row that gives its open without its extremes has traded there at least.
    if low != low:
        floor = opened if opened < price or price != price else price
    if high != high:
        ceiling = opened if opened > price or price != price else price
    row = FeedRow(
        ns / _NS,
        price,
        shown_bid,
        shown_ask,
        volume,
        opened,
        high,
        low,
        bid_size,
        ask_size,
        False,
    )
    return (number, row, bid, ask, floor, ceiling, opened, None)


def stale_event(number: int, ns: int, book: int | None) -> Event:
    """Make the event that says that nothing is known of a feed any more; its book is empty."""
    row = FeedRow(ns / _NS, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, is_stale=True)
    return (number, row, _NAN, _NAN, _NAN, _NAN, _NAN, book)
