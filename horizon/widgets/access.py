"""What the widgets ask of a client: its venue under one lock, and names for what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from horizon import checks, words
from horizon.client import ImperativeClient
from horizon.engine import Engine
from horizon.types import AssetClass
from horizon.venues.records import Leg, MarketState
from horizon.venues.simulated import SimulatedVenue

__all__ = ["client_of", "leg_name", "text_of", "unit_of", "venue_of"]

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


def leg_name(leg: Leg | MarketState) -> str:
    """Name a position or market for a reader; NO is said in a word."""
    if isinstance(leg, MarketState):
        return words.name(leg.id)
    if leg.is_no:
        return f"{words.name(leg.market.id)} NO"
    is_prediction = leg.market.asset_class == AssetClass.Prediction
    return words.name(leg.market.id) + (" YES" if is_prediction else "")


def unit_of(kind: AssetClass) -> str:
    """What a quantity of this class counts."""
    return _UNITS[kind]


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
