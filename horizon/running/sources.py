"""What ``feeds=`` means: which objects rows come from, and by which name each row goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from horizon import checks
from horizon.feeds import Feed, Synthetic, create, known
from horizon.feeds.live import LiveFeed
from horizon.types import AssetClass

__all__ = ["AnyFeed", "Route", "Source", "sources_of"]

AnyFeed: TypeAlias = Feed | LiveFeed

#: Rows looked at to tell what a market is.
_LOOKED_AT: Final = 10_000


class Route(dict[str, tuple[int, ...]]):
    """The feeds of the run that a row belongs to, by the row's own market id.

    Parameters
    ----------
    every : tuple of int
        Where rows of all other ids belong.
    """

    def __init__(self, every: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.every = every

    def __missing__(self, market_id: str) -> tuple[int, ...]:
        return self.every


@dataclass(frozen=True, slots=True)
class Source:
    """An object that rows come from, and where they belong.

    Attributes
    ----------
    feed : Feed or LiveFeed
    route : Route
        By numbers of the run's feeds, the keys of ``feeds=``.
    numbers : tuple of int
        All of them.
    """

    feed: AnyFeed
    route: Route
    numbers: tuple[int, ...]

    @property
    def is_live(self) -> bool:
        """Whether its rows come when they happen."""
        return isinstance(self.feed, LiveFeed)

    @property
    def asset_class(self) -> AssetClass | None:
        """What all its markets are, where it says so."""
        if isinstance(self.feed, LiveFeed):
            return self.feed.asset_class
        return AssetClass.Prediction if isinstance(self.feed, Synthetic) else None

    def first_price(self, number: int) -> float | None:
        """The first price of one feed of a source that is played; None if there is none soon."""
        if isinstance(self.feed, LiveFeed):
            return None
        seen = 0
        for batch in self.feed.batches():
            for market_id, _, price, *_ in batch:
                if price is not None and number in self.route[market_id]:
                    return price
            seen += len(batch)
            if seen >= _LOOKED_AT:
                break
        return None


def sources_of(feeds: Any) -> tuple[list[str], list[Source]]:
    """Read ``feeds=``.

    Returns
    -------
    list of str
        The run's feeds: the keys, whose places are their numbers.
    list of Source
        Each object once, however many keys it is given under.

    Raises
    ------
    TypeError, ValueError
        For what is no feed, an unknown name, or a key that the feed has no rows of.
    """
    if isinstance(feeds, (Feed, LiveFeed)):
        feeds = dict.fromkeys(_markets(feeds) or (feeds.name,), feeds)
    if not isinstance(feeds, Mapping):
        raise TypeError(
            f"feeds must map markets to feeds, such as {{'rain': hz.feeds.Synthetic()}}, was "
            f"{checks.show(feeds)}"
        )
    if not feeds:
        raise ValueError("feeds must have at least one feed, was empty")
    names: list[str] = []
    #: The keys of each object, by its identity: a key with a name makes an object of its own.
    objects: dict[int, tuple[AnyFeed, list[int]]] = {}
    for number, (key, given) in enumerate(feeds.items()):
        name = checks.market_id("a key of feeds", key)
        names.append(name)
        feed = _feed(name, given)
        objects.setdefault(id(feed), (feed, []))[1].append(number)
    return names, [_source(feed, numbers, names) for feed, numbers in objects.values()]


def _feed(key: str, given: Any) -> AnyFeed:
    if isinstance(given, (Feed, LiveFeed)):
        return given
    where = f"feeds[{key!r}]"
    if isinstance(given, str):
        if given not in known():
            raise ValueError(
                f"{where} must be a feed or one of {', '.join(map(repr, known()))}; was "
                f"{checks.show(given)}{checks.suggestion(given, known())}{_path_hint(given)}"
            )
        try:
            return create(given, market_id=key)
        except (TypeError, ValueError) as error:
            error.add_note(f"raised where {where}={given!r} was made; give a feed of your own")
            raise
    hint = "; recorded rows are played by hz.feeds.Replay(...)"
    if isinstance(given, type):
        hint = "; put an object of the class there"
    raise TypeError(f"{where} must be a feed or the name of one, was {checks.show(given)}{hint}")


def _path_hint(given: str) -> str:
    """Say what plays a file, where a name looks like one."""
    if given.lower().endswith((".csv", ".csv.gz", ".parquet")):
        return f"; a file is played by hz.feeds.Replay({given!r})"
    return ""


def _source(feed: AnyFeed, numbers: list[int], names: list[str]) -> Source:
    markets = _markets(feed)
    if len(markets or numbers) == 1:  # one market, or one key for what does not say
        return Source(feed, Route(tuple(numbers)), tuple(numbers))
    route = Route()
    for number in numbers:
        name = names[number]
        if markets is not None and name not in markets:
            shown = ", ".join(map(repr, markets[:8])) + (", …" if len(markets) > 8 else "")
            raise ValueError(
                f"feeds[{name!r}] must be a key that its feed has rows of: {feed.name!r} has "
                f"{shown or 'none'}{checks.suggestion(name, markets)}"
            )
        route[name] = (number,)
    return Source(feed, route, tuple(numbers))


def _markets(feed: AnyFeed) -> tuple[str, ...] | None:
    """The ids of a feed's rows; None where it does not say."""
    if isinstance(feed, LiveFeed):
        return feed.market_ids
    markets = getattr(feed, "markets", None)
    if markets is None:
        one = getattr(feed, "market_id", None)
        markets = None if one is None else (one,)
    return None if markets is None else tuple(markets)
