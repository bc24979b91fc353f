"""What a desk shows when it is given nothing: three made-up prediction markets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from horizon.client import ImperativeClient
from horizon.feeds import Feed, Synthetic
from horizon.feeds.base import Fields
from horizon.instruments import Market, Prediction

__all__ = ["made_up"]

#: Ticks in 1 of the made-up markets, and their size: a tenth of a cent.
_TICKS: Final = 1_000
_GRID: Final = 1.0 / _TICKS
#: The made-up markets: name, first price, volatility.
_MADE_UP: Final = (
    ("rain-tomorrow", 0.42, 0.006),
    ("rate-cut-in-june", 0.65, 0.004),
    ("home-win", 0.5, 0.008),
)


class _OnGrid(Synthetic):
    """A made-up market whose last price lies on its grid, as prices of trades do.

    A rounded price is no martingale, but nothing fills there: bid and ask stay where they were,
    further from the fair price than it is rounded.
    """

    def batches(self) -> Iterator[Sequence[Fields]]:
        for rows in super().batches():
            yield [_rounded(row) for row in rows]


def _rounded(row: Fields) -> Fields:
    market, at, price, *rest = row
    assert price is not None
    return (market, at, round(price * _TICKS) / _TICKS, *rest)  # type: ignore[return-value]


def made_up(ex: ImperativeClient) -> tuple[Feed, ...]:
    """Three made-up prediction markets that differ in odds and pace."""
    made = []
    for seed, (name, start, pace) in enumerate(_MADE_UP):
        ex.declare(Market(name, Prediction, tick_size=_GRID))
        made.append(
            _OnGrid(
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
