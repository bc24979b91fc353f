"""What several venues' protocols share: the venue's own names, and lists of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from horizon import checks
from horizon.feeds.live import WRONG, LiveFeed, market_names
from horizon.feeds.updates import Update

__all__ = ["PriceOf", "take_each", "venue_names"]

#: What an update's price is: half way between the quotes, or the last trade.
PriceOf: TypeAlias = Literal["mid", "last"]


def venue_names(argument: str, value: Any) -> dict[str, str]:
    """Take markets as one id, a list of ids, or ids with the names that a venue has for them.

    Returns
    -------
    dict
        Names at the venue, by market id; each name once.
    """
    if not isinstance(value, Mapping):
        return {name: name for name in market_names(argument, value)}
    names: dict[str, str] = {}
    seen: dict[str, str] = {}
    for market_id in market_names(argument, list(value)):
        name = checks.text(f"{argument}[{market_id!r}]", value[market_id])
        if name in seen:
            raise ValueError(
                f"{argument} must not have one name twice, has {name!r} for {seen[name]!r} and "
                f"for {market_id!r}"
            )
        seen[name] = market_id
        names[market_id] = name
    return names


def take_each(
    feed: LiveFeed, events: list[Any], take: Callable[[Any], Iterable[Update]]
) -> list[Update]:
    """Take the events of one message, each for itself.

    Garbage in one must not hold back what another has changed: it is counted and left out.
    Where all of them are garbage the message is, and the last one's error is raised.
    """
    updates: list[Update] = []
    wrong: list[tuple[Any, Exception]] = []
    for event in events:
        try:
            updates += take(event)
        except WRONG as error:
            wrong.append((event, error))
    if wrong and len(wrong) == len(events):
        raise wrong[-1][1]
    for event, reason in wrong:
        feed._discard(event, reason)
    return updates
