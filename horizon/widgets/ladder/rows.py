"""The rows of a ladder: prices on a grid or as they are quoted, and what stands at each.

A row is known by its *key*, a whole number of steps; a float price is never one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from horizon import rules
from horizon.venues.book import BookVenue
from horizon.venues.records import MarketState, OrderState
from horizon.venues.simulated import SimulatedVenue

__all__ = [
    "Grid",
    "Levels",
    "Own",
    "Reach",
    "Scene",
    "decimals_of",
    "grid_of",
    "own_orders",
    "scene",
]

_NAN: Final = math.nan
#: What rounding may leave of a step.
_SLACK: Final = 1e-6
#: Significant digits by which prices are told apart where a market has no tick size.
_DIGITS: Final = 12
#: (price, size) of each level, the best first; a size that is not known is NaN.
Levels = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Grid:
    """Which price belongs to which row.

    Attributes
    ----------
    step : float
        Price units between two rows; where prices are shown as quoted, what tells them apart.
    is_quoted : bool
        Whether rows are prices as they are quoted, rather than every step of a grid.
    """

    step: float
    is_quoted: bool

    def key(self, price: float, sign: int) -> int:
        """The row of a price: of a bid (1) at or below it, of an ask (-1) at or above."""
        steps = price / self.step
        nearest = math.floor(steps + 0.5)
        if self.is_quoted or abs(steps - nearest) <= _SLACK:
            return nearest
        return math.floor(steps) if sign > 0 else math.ceil(steps)

    def price(self, key: int) -> float:
        """The price of a row, as people write it: 0.43, where 43 * 0.01 is 0.43000000000000005."""
        return float(f"{key * self.step:.{_DIGITS}g}")


def grid_of(tick_size: float | None, group: int, price: float) -> Grid:
    """The rows of a market: `group` ticks apart; without a tick size as prices are quoted."""
    if tick_size is not None:
        return Grid(float(f"{tick_size * group:.{_DIGITS}g}"), False)
    power = math.floor(math.log10(price)) if price > 0.0 else 0
    return Grid(10.0 ** (power + 2 - _DIGITS), True)


@dataclass(frozen=True, slots=True)
class Reach:
    """What an order would take that reaches as far as some row.

    Attributes
    ----------
    size : float
        Units; NaN where the size of a level is not known.
    average : float
        Their average price; NaN with nothing to take.
    levels : int
    """

    size: float
    average: float
    levels: int


@dataclass(slots=True)
class Own:
    """The account's own orders at one row and side."""

    orders: list[OrderState] = field(default_factory=list)
    ahead: list[float] = field(default_factory=list)

    @property
    def size(self) -> float:
        """Units that may still fill."""
        return math.fsum(order.remaining for order in self.orders)


@dataclass(frozen=True, slots=True)
class Scene:
    """A market's book at one moment, from one of its sides.

    Attributes
    ----------
    bids, asks : sequence of (price, size)
        The best first.
    has_book : bool
        False where these are no more than the quotes of the latest tick.
    time_ns : int or None
        When they came.
    """

    bids: Levels
    asks: Levels
    has_book: bool
    time_ns: int | None

    @property
    def bid(self) -> float:
        """Best bid; NaN without one."""
        return self.bids[0][0] if self.bids else _NAN

    @property
    def ask(self) -> float:
        """Best ask; NaN without one."""
        return self.asks[0][0] if self.asks else _NAN

    @property
    def mid(self) -> float:
        """Half-way between them; NaN where a side is empty."""
        return self.bid / 2.0 + self.ask / 2.0

    def sizes(self, grid: Grid, sign: int) -> dict[int, float]:
        """Size by row of the bids (1) or the asks (-1), the best row first."""
        found: dict[int, float] = {}
        for price, size in self.bids if sign > 0 else self.asks:
            key = grid.key(price, sign)
            found[key] = found.get(key, 0.0) + size
        return found

    def reach(self, grid: Grid, sign: int, key: int) -> Reach:
        """What a buy (1) would take of the asks, or a sell (-1) of the bids, up to a row."""
        taken = [
            (price, size)
            for price, size in (self.asks if sign > 0 else self.bids)
            if sign * (grid.key(price, -sign) - key) <= 0
        ]
        size = math.fsum(size for _, size in taken)
        cost = math.fsum(price * size for price, size in taken)
        average = taken[0][0] if len(taken) == 1 else cost / size if size else _NAN
        return Reach(size, average, len(taken))


def scene(venue: SimulatedVenue, market: MarketState, is_no: bool) -> Scene:
    """Look at a market's book, or at its last quotes, with the venue's lock held."""
    leg = market.no if is_no and market.no is not None else market.yes
    view = venue.book(leg.id)
    if view is not None:
        return Scene(view.bids, view.asks, True, view.time_ns)
    if market.settled:
        return Scene([], [], isinstance(venue, BookVenue), None)
    bid, ask = leg.bid, leg.ask
    time_ns = market.tick_ns if market.price == market.price else None
    return Scene(
        [(bid, _NAN)] if bid == bid else [],
        [(ask, _NAN)] if ask == ask else [],
        isinstance(venue, BookVenue),
        time_ns,
    )


def own_orders(
    venue: SimulatedVenue, market: MarketState, grid: Grid, is_no: bool
) -> dict[tuple[int, int], Own]:
    """The open limit orders by row and side (1 the bids), with their places; the lock is held.

    NO bought is YES sold at the complement, so every order has its place on the side looked at.
    """
    found: dict[tuple[int, int], Own] = {}
    for order in market.resting.values():
        if order.is_market:
            continue
        is_mirrored = order.leg.is_no is not is_no
        sign = -order.sign if is_mirrored else order.sign
        price = rules.complement(order.price) if is_mirrored else order.price
        own = found.setdefault((grid.key(price, sign), sign), Own())
        own.orders.append(order)
        own.ahead.append(venue.ahead_of(order) if isinstance(venue, BookVenue) else _NAN)
    return found


def decimals_of(values: Iterable[float], most: int = _DIGITS) -> int:
    """Decimals that the shortest writing of these numbers needs, at most so many."""
    needed = 0
    for value in values:
        exponent = Decimal(f"{value:.{_DIGITS}g}").normalize().as_tuple().exponent
        if isinstance(exponent, int):
            needed = max(needed, -exponent)
    return min(needed, most)
