"""Feeds by name, for a configuration or a drop-down list."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from horizon import checks
from horizon.feeds.base import Feed
from horizon.feeds.live import LiveFeed
from horizon.feeds.replay import Replay
from horizon.feeds.rest import RESTFeed
from horizon.feeds.synthetic import Synthetic

__all__ = ["create", "known", "register"]

_Factory: TypeAlias = Callable[..., Feed | LiveFeed]


def _live(module: str, kind: str) -> _Factory:
    """A factory of live feeds whose first argument is what `create` calls ``market_id``."""

    def make(market_id: Any, **options: Any) -> LiveFeed:
        # Its module is loaded with the first feed of it.
        found = getattr(importlib.import_module(f"horizon.feeds.{module}"), kind)
        feed: LiveFeed = found(market_id, **options)
        return feed

    return make


_FACTORIES: Final[dict[str, _Factory]] = {
    "alpaca": _live("alpaca", "AlpacaFeed"),
    "binance_ws": _live("binance", "BinanceWS"),
    "kalshi_book": _live("kalshi", "KalshiBook"),
    "polymarket_book": _live("polymarket", "PolymarketBook"),
    "replay": Replay,
    "rest": RESTFeed,
    "synthetic": Synthetic,
}


def register(name: str, factory: _Factory, *, replace: bool = False) -> None:
    """Make a feed known under a name.

    Parameters
    ----------
    name : str
        By which `create` knows it.
    factory : callable
        Takes the options of `create` and returns a `Feed` or a `LiveFeed`; a class of either
        will do.
    replace : bool
        Needed to give a known name to another factory. The same factory again is fine.

    Raises
    ------
    ValueError
        If the name is taken, or is not 1 to 256 printable characters.
    TypeError
        If `factory` cannot be called.

    Examples
    --------
    A calmer market by the name of the usual one, and that again:

    >>> def calm(**options):
    ...     return hz.feeds.Synthetic(volatility=0.0001, **options)
    >>> hz.feeds.register("synthetic", calm, replace=True)
    >>> hz.feeds.create("synthetic", n=600).total
    600
    >>> hz.feeds.register("synthetic", hz.feeds.Synthetic, replace=True)
    """
    key = checks.text("name", name)
    if not callable(factory):
        raise TypeError(f"factory must be callable, was {checks.show(factory)}")
    taken = _FACTORIES.get(key)
    if taken is not None and taken is not factory and not checks.flag("replace", replace):
        raise ValueError(f"name {key!r} is taken by {taken!r}; replace=True gives it away")
    _FACTORIES[key] = factory


def create(name: str, **options: Any) -> Feed | LiveFeed:
    """Make a new feed by its name.

    Parameters
    ----------
    name : str
        One of `known`.
    **options
        Handed to the feed's factory. A live feed takes its market by ``market_id=``.

    Raises
    ------
    ValueError
        If the name is not known; the message lists those that are.
    TypeError
        If the factory returns something else than a feed.

    Examples
    --------
    >>> hz.feeds.create("synthetic", seed=7, n=1_000)
    <Synthetic 'synthetic', market: synthetic, seed: 7, status: idle, rows sent: 0 of 1,000,
     speed: 1×>
    >>> hz.feeds.create("binance_ws", market_id="BTC/USDT")
    <BinanceWS 'binance', 'BTC/USDT', idle, 0 messages>
    """
    feed = _FACTORIES[checks.one_of("name", name, known())](**options)
    if not isinstance(feed, (Feed, LiveFeed)):
        raise TypeError(
            f"the factory of feed {name!r} must return a Feed or a LiveFeed, gave {feed!r}"
        )
    return feed


def known() -> list[str]:
    """Names that `create` takes, in alphabetical order; a new list.

    Examples
    --------
    >>> "synthetic" in hz.feeds.known()
    True
    """
    return sorted(_FACTORIES)
