"""What the widgets ask of a client: its venue under one lock, and names for what is in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from horizon import checks, words
from horizon.client import ImperativeClient
from horizon.engine import Engine
from horizon.instruments import canonical_id, split_side
from horizon.types import AssetClass
from horizon.venues.listing import nearly
from horizon.venues.records import Leg, MarketState
from horizon.venues.simulated import SimulatedVenue

__all__ = [
    "client_of",
    "feeds_of_run",
    "first_market",
    "leg_name",
    "market_named",
    "price_label",
    "text_of",
    "unit_of",
    "units_of",
    "venue_of",
]

#: Markets that a message lists, and that a column's unit is read from where it has no rows.
_LISTED: Final = 8
_ASKED: Final = 100
_UNITS = {
    AssetClass.Equity: "shares",
    AssetClass.Option: "contracts",
    AssetClass.Prediction: "contracts",
    AssetClass.Perp: "contracts",
    AssetClass.Crypto: "coins",
}


def client_of(ex: object, name: str = "ex") -> ImperativeClient:
    """Take a client, or the engine under one or of a run; `name` is the argument's."""
    if isinstance(ex, Engine):
        return ImperativeClient(ex)
    if not isinstance(ex, ImperativeClient) and isinstance(getattr(ex, "engine", None), Engine):
        return ImperativeClient(ex.engine)  # type: ignore[attr-defined]  # a run's handle
    if not isinstance(ex, ImperativeClient):
        raise TypeError(
            f"{name} must be a client, as hz.connect('paper') gives it, was {checks.show(ex)}"
        )
    return ex


def venue_of(ex: ImperativeClient) -> SimulatedVenue:
    """Return the venue of a client, which must be open."""
    ex.engine.require_open()
    return ex.engine.venue


class Named(str):
    """A market's name that was found to be known: a desk's parts do not ask about it again."""

    __slots__ = ()


def market_named(given: object, venue: SimulatedVenue, feeds: Iterable[object] = ()) -> Named:
    """Take the argument `market`, in its one spelling.

    An account that knows no market yet takes any name. One that does takes those, and what the
    feeds that play to it will bring; where a feed cannot say what that is, any name again.

    Raises
    ------
    TypeError, ValueError
        For what is no name, or one that would only ever show an empty panel.
    """
    if isinstance(given, Named):
        return given
    name = Named(canonical_id(checks.market_id("market", given)))
    venue.market(name)  # says what is wrong with a name that is none
    known = dict.fromkeys(venue.account.markets)
    for feed in feeds:
        brought = _brought_by(feed)
        if brought is None:
            return name
        known |= dict.fromkeys(brought)
    base = split_side(name)[0]
    if known and base not in known:
        listed = ", ".join(map(repr, list(known)[:_LISTED]))
        more = f" and {len(known) - _LISTED:,} more" if len(known) > _LISTED else ""
        near = nearly(base, known)
        meant = "" if near is None else f" Did you mean {near!r}?"
        raise ValueError(
            f"market must be one that is known here: {listed}{more}; was {name!r}."
            f"{meant} One whose prices come later is declared first: "
            f"ex.declare(hz.Market({base!r}, …))"
        )
    return name


def feeds_of_run(ex: object) -> tuple[object, ...]:
    """The feeds of a run whose handle this is; none for anything else."""
    feeds = getattr(ex, "feeds", None)
    return tuple(feeds.values()) if isinstance(feeds, Mapping) else ()


def first_market(venue: SimulatedVenue, feeds: Iterable[object]) -> Named | None:
    """The market that a desk begins with: the feeds' first, else the account's first price."""
    for feed in feeds:
        brought = _brought_by(feed)
        if brought:
            return Named(brought[0])
    markets = venue.account.markets.values()
    return next((Named(market.id) for market in markets if not math.isnan(market.price)), None)


def _brought_by(feed: object) -> tuple[str, ...] | None:
    """The markets that a feed has rows or updates of; None where it does not say."""
    for attribute in ("markets", "market_ids"):
        found = getattr(feed, attribute, None)
        if isinstance(found, tuple):
            return tuple(str(market) for market in found)
    one = getattr(feed, "market_id", None)
    return (one,) if isinstance(one, str) else None


def leg_name(leg: Leg | MarketState) -> str:
    """Name a position or market for a reader; NO is said in a word."""
    if isinstance(leg, MarketState):
        return words.name(leg.id)
    if leg.is_no:
        return f"{words.name(leg.market.id)} NO"
    is_prediction = leg.market.asset_class == AssetClass.Prediction
    return words.name(leg.market.id) + (" YES" if is_prediction else "")


def price_label(venue: SimulatedVenue) -> str:
    """What the price of a market is: where books are traded no trade, but what marks positions."""
    return "Mark" if venue.matching == "book" else "Last"


def unit_of(kind: AssetClass) -> str:
    """What a quantity of this class counts."""
    return _UNITS[kind]


def units_of(markets: Iterable[MarketState], venue: SimulatedVenue) -> str:
    """What quantities of these markets count, and of the account's first: the same, or units."""
    asked = {market.asset_class for market in markets}
    asked.update(market.asset_class for market in islice(venue.account.markets.values(), _ASKED))
    # One that nobody has classified yet counts nothing that has a name.
    found = {unit_of(AssetClass(kind)) if kind >= 0 else "units" for kind in asked}
    return found.pop() if len(found) == 1 else "units"


def text_of(arguments: Mapping[str, Any], field: str, *, most: int = 1000) -> str:
    """Take one text that the page sent, of at most so many letters."""
    value = arguments.get(field)
    if not isinstance(value, str) or len(value) > most:
        raise TypeError(
            f"{field} must be text of at most {most:,} letters, was {checks.show(value)}"
        )
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{field} must be text, has half a character in {checks.show(value)}")
    return value
