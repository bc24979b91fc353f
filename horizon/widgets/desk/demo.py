"""What a desk shows when it is given nothing: three made-up prediction markets."""

from __future__ import annotations

from typing import Final

from horizon.client import ImperativeClient
from horizon.feeds import Feed, Synthetic, SyntheticBooks
from horizon.instruments import Market, Prediction

__all__ = ["first_market", "made_up"]

#: Tick size of the made-up markets: a tenth of a cent.
_GRID: Final = 0.001
#: The made-up markets: name, first price, volatility.
_MADE_UP: Final = (
    ("rain-tomorrow", 0.42, 0.006),
    ("rate-cut-in-june", 0.65, 0.004),
    ("home-win", 0.5, 0.008),
)


def made_up(ex: ImperativeClient) -> tuple[Feed, ...]:
    """Three made-up prediction markets that differ in odds and pace."""
    made = []
    for seed, (name, start, pace) in enumerate(_MADE_UP):
        ex.declare(Market(name, Prediction, tick_size=_GRID))
        made.append(
            Synthetic(
                seed,
                market_id=name,
                start=start,
                volatility=pace,
                interval=0.5,
                spread=0.002,
                tick_size=_GRID,
            )
        )
    return tuple(made)


def first_market(feeds: tuple[Feed, ...]) -> str | None:
    """The market that the first feed makes up, if it does."""
    first = feeds[0]
    return first.market_id if isinstance(first, (Synthetic, SyntheticBooks)) else None
