"""The fills of an account as a chart shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from horizon import words
from horizon.venues.account import FillRow
from horizon.venues.records import Leg
from horizon.venues.simulated import SimulatedVenue
from horizon.widgets.chart.marks import Outlook, side_name

__all__ = ["KEPT", "MOST", "FillLog", "Numbered", "count", "fills_drawn", "fills_words"]

#: Fills remembered of one market, and taken up in one paint.
KEPT: Final = 2_000
_READ: Final = 20_000
#: Fills that are drawn at once.
MOST: Final = 200

Numbered = tuple[int, FillRow]


class FillLog:
    """The fills of an account by market, numbered from 1, as they are taken up."""

    def __init__(self) -> None:
        self._fills: dict[str, deque[tuple[int, FillRow]]] = {}
        self._read = 0

    def read(self, venue: SimulatedVenue) -> None:
        """Take up the fills since the last time, with the venue's lock held."""
        # A long log is taken up in parts, a paint each: nobody waits for it.
        rows = venue.account.fills[self._read : self._read + _READ]
        for number, row in enumerate(rows, self._read + 1):
            market = venue.account.legs[row[1]].market
            self._fills.setdefault(market.id, deque(maxlen=KEPT)).append((number, row))
        self._read += len(rows)

    def of(self, market_id: str) -> list[tuple[int, FillRow]]:
        """The latest fills in a market, oldest first, with their numbers."""
        return list(self._fills.get(market_id, ()))


def fills_drawn(
    fills: list[Numbered], legs: Mapping[str, Leg], outlook: Outlook, currency: str
) -> list[list[Any]]:
    """Return of each of the latest fills its name, time, place, side and words."""
    drawn = []
    for number, (_, leg_id, sign, quantity, price, _, ns, *_) in fills[-MOST:]:
        leg = legs[leg_id]
        drawn.append(
            [
                f"f{number}",
                ns / 1e9,
                outlook.place(price, leg),
                "buy" if outlook.is_buy(sign, leg) else "sell",
                f"{words.clock(ns / 1e9, date=True)} UTC: {'bought' if sign > 0 else 'sold'} "
                f"{words.exact(quantity)}{side_name(leg)} at {words.price(price)} {currency}",
            ]
        )
    return drawn


def fills_words(fills: list[Numbered], legs: Mapping[str, Leg], outlook: Outlook) -> str:
    """Say how many there are, and how those of the other side stand."""
    shown = fills[-MOST:]
    less = "" if len(shown) == len(fills) else f", the latest {len(shown):,} drawn"
    over = "more than " if len(fills) == KEPT else ""
    text = f"{over}{count(len(fills), 'fill')}{less}"
    if any(legs[row[1]].is_no is not outlook.is_no for _, row in shown):
        here, there = ("NO", "YES") if outlook.is_no else ("YES", "NO")
        text += f"; a trade in {there} stands as the trade in {here} that it equals"
    return text


def count(number: int, what: str) -> str:
    """Say how many there are of something."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
