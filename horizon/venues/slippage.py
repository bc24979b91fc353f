"""What an order takes on its arrival, and what that costs against the market before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from horizon.types import Shown

__all__ = ["Level", "Taking", "taking_of"]

#: Price and quantity: what is taken there.
Level = tuple[float, float]

_BPS: Final = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking(Shown):
    """What an order would take on its arrival. Money is the account's, sizes are in units.

    Slippage is what the average price is worse than a price of the market before the order;
    below 0 it is better. It is None where the market shows no such price.

    Attributes
    ----------
    source : {"book", "quotes", "price"}
        What the order meets: the levels of a book; the best bid or ask, whatever its size; or
        the last price. The latter two as the paper venue fills, its own slippage included.
    side : {"buy", "sell"}
    levels : tuple of (float, float)
        (price, quantity) of each level taken, the best first; one where there is no book.
    unfilled : float
        What finds nothing: it ends with a market order or one for now or never, and rests
        with a limit order.
    multiplier : float
        Currency per point and unit.
    touch : float or None
        The best price that the order's side could take: the ask for a buy, the bid for a sell.
    mid : float or None
        Half-way between bid and ask.
    last : float or None
        The market's last price.

    Examples
    --------
    Not made by hand: it is the ``taking`` of an order's preview. Buying 15 out of 10 at 100.1 and
    10 at 100.4 pays 10 × 0.1 + 5 × 0.4 = 3.00 more than 15 at the mid of 100:

    >>> ex = hz.connect("book", clock=lambda: 0.0)
    >>> fills = ex.take_book("ACME", bids=[(99.9, 10)], asks=[(100.1, 10), (100.4, 10)])
    >>> taking = ex.preview("ACME", 15, market=True).taking
    >>> taking.levels
    ((100.1, 10.0), (100.4, 5.0))
    >>> round(taking.slippage_to_mid, 6), round(taking.slippage_to_mid_bps, 6)
    (3.0, 20.0)
    """

    source: str
    side: str
    levels: tuple[Level, ...]
    unfilled: float
    multiplier: float
    touch: float | None
    mid: float | None
    last: float | None

    @property
    def quantity(self) -> float:
        """What is taken."""
        return math.fsum(quantity for _, quantity in self.levels)

    @property
    def average_price(self) -> float:
        """Average price of what is taken."""
        return math.fsum(price * quantity for price, quantity in self.levels) / self.quantity

    @property
    def worst_price(self) -> float:
        """Price of the last level that is taken."""
        return self.levels[-1][0]

    def slippage(self, benchmark: float | None) -> float | None:
        """What it costs more than at the price `benchmark`, in money; None without one."""
        if benchmark is None:
            return None
        sign = 1.0 if self.side == "buy" else -1.0
        dearer = math.fsum((price - benchmark) * quantity for price, quantity in self.levels)
        return sign * dearer * self.multiplier

    def slippage_bps(self, benchmark: float | None) -> float | None:
        """What it costs more than at `benchmark`, in basis points of that price.

        None without a benchmark, or with one that is not above 0.
        """
        if benchmark is None or benchmark <= 0.0:
            return None
        sign = 1.0 if self.side == "buy" else -1.0
        dearer = math.fsum((price - benchmark) * quantity for price, quantity in self.levels)
        return sign * dearer / self.quantity / benchmark * _BPS

    @property
    def slippage_to_mid(self) -> float | None:
        """What it costs more than at the mid, in money."""
        return self.slippage(self.mid)

    @property
    def slippage_to_mid_bps(self) -> float | None:
        """What it costs more than at the mid, in basis points."""
        return self.slippage_bps(self.mid)

    @property
    def slippage_to_touch(self) -> float | None:
        """What it costs more than at the best price of the side taken, in money."""
        return self.slippage(self.touch)

    @property
    def slippage_to_touch_bps(self) -> float | None:
        """What it costs more than at the best price of the side taken, in basis points."""
        return self.slippage_bps(self.touch)


def taking_of(
    source: str,
    sign: int,
    levels: Sequence[Level],
    quantity: float,
    multiplier: float,
    quotes: tuple[float, float],
    last: float,
) -> Taking | None:
    """Put together what an order of `quantity` takes; None if it takes nothing.

    `quotes` are bid and ask, `last` the last price; NaN where there is none.
    """
    if not levels:
        return None
    bid, ask = quotes
    taken = math.fsum(size for _, size in levels)
    return Taking(
        source=source,
        side="buy" if sign > 0 else "sell",
        levels=tuple(levels),
        unfilled=max(quantity - taken, 0.0),
        multiplier=multiplier,
        touch=_given(ask if sign > 0 else bid),
        mid=_given((bid + ask) / 2.0),
        last=_given(last),
    )


def _given(price: float) -> float | None:
    return None if math.isnan(price) else price
