"""What an account wants and has on a chart: its working orders, what it holds, prices to take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from horizon import rules, words
from horizon.types import AssetClass
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.widgets.access import unit_of
from horizon.widgets.tape import Numbers

__all__ = ["Line", "Outlook", "beyond", "holdings", "levels_of", "orders_of", "side_name"]

#: Lines of working orders that are drawn, those next to the price.
_LINES: Final = 20
#: Prices to choose from between the ends of the axis.
_LEVELS: Final = 100


@dataclass(frozen=True, slots=True)
class Outlook:
    """Which side of a market a chart looks from: a price of YES stands for one of NO at 1 - p."""

    is_no: bool

    def place(self, price: float, leg: Leg) -> float:
        """Where a price of a leg stands."""
        return price if leg.is_no is self.is_no else rules.complement(price)

    def is_buy(self, sign: int, leg: Leg) -> bool:
        """Whether a trade in a leg is, seen from here, one that buys."""
        return (sign > 0) is (leg.is_no is self.is_no)

    def turn(self, prices: Numbers) -> Numbers:
        """Prices of the market's own (YES) side, as they stand here."""
        return np.floor((1.0 - prices) * 1e12 + 0.5) / 1e12 if self.is_no else prices


@dataclass(frozen=True, slots=True)
class Line:
    """A price that is drawn across the chart, with its words and the side that it is of."""

    key: str
    price: float
    side: str
    text: str
    name: str


def side_name(leg: Leg) -> str:
    """The side of a prediction as it follows a quantity; empty for another market."""
    if leg.market.asset_class != AssetClass.Prediction:
        return ""
    return " NO" if leg.is_no else " YES"


def orders_of(market: MarketState, outlook: Outlook, currency: str) -> tuple[list[Line], int]:
    """Return the lines of the working limit orders, and how many orders there are in all.

    Orders of one side at one price share a line. Those next to the price have one, at most
    twenty; call it with the venue's lock held.
    """
    at: dict[tuple[str, int, float], list[OrderState]] = {}
    count = 0
    for order in market.resting.values():
        if not order.is_market:
            count += 1
            at.setdefault((order.leg.id, order.sign, order.price), []).append(order)
    lines = []
    for (_, sign, price), orders in at.items():
        leg = orders[0].leg
        size = math.fsum(order.quantity - order.filled for order in orders)
        word = "BUY" if sign > 0 else "SELL"
        text = f"{word} {words.amount(size)}{side_name(leg)} at {words.price(price)}"
        more = f", {len(orders)} orders" if len(orders) > 1 else ""
        way = ", on its way" if all(order.in_transit for order in orders) else ""
        lines.append(
            Line(
                key=f"order {sign} {leg.is_no} {price!r}",
                price=outlook.place(price, leg),
                side="buy" if outlook.is_buy(sign, leg) else "sell",
                text=text + more + way,
                name=f"Working order: {text} {currency}{more}{way}",
            )
        )
    own = outlook.turn(np.array([market.price]))[0]
    if own == own:
        lines.sort(key=lambda line: abs(line.price - own))
    return lines[:_LINES], count


def holdings(market: MarketState, outlook: Outlook, currency: str) -> list[Line]:
    """Return a line at the average price of each position; with the venue's lock held."""
    lines = []
    for leg in market.legs():
        if leg.quantity == 0.0:
            continue
        sign = 1 if leg.quantity > 0.0 else -1
        unit = f" {unit_of(AssetClass(market.asset_class))}"
        held = f"{'long' if sign > 0 else 'short'} {words.amount(abs(leg.quantity))}"
        lines.append(
            Line(
                key=f"position {leg.is_no}",
                price=outlook.place(leg.average, leg),
                side="buy" if outlook.is_buy(sign, leg) else "sell",
                text=f"average {words.price(leg.average)}, {held}{side_name(leg)}",
                name=f"Position: {held}{side_name(leg) or unit} at an average of "
                f"{words.price(leg.average)} {currency}",
            )
        )
    return lines


def levels_of(market: MarketState | None, low: float, high: float) -> list[list[Any]]:
    """Return the prices between two that an order could have, each with its text, lowest first.

    They lie on the market's grid, or as many of its ticks apart that at most a hundred remain.
    """
    tick = None
    if market is not None and market.instrument is not None:
        tick = market.instrument.tick_size
    low = max(low, 0.0)
    is_chance = market is not None and market.asset_class == AssetClass.Prediction
    if is_chance:
        high = min(high, 1.0)
    raw = (high - low) / _LEVELS
    if tick is None:
        step = _round_up(raw)
    else:
        step = tick * max(1.0, _round_up(math.ceil(raw / tick - 1e-9)))
    found = []
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        price = float(f"{number * step:.15g}")
        if price > 0.0 and not (is_chance and price >= 1.0):
            found.append([price, words.price(price)])
    return found


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0.0 else 1.0
    steps = (k * power for k in (1.0, 2.0, 5.0) if k * power >= value * (1.0 - 1e-9))
    return float(f"{next(steps, 10.0 * power):.15g}")


def beyond(lines: list[Line], where: str) -> str:
    """Say what lies beyond the axis, the next one in its words; empty if nothing does."""
    if not lines:
        return ""
    is_above = where == "above"
    nearest = min(lines, key=lambda line: line.price if is_above else -line.price)
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"{'▲' if is_above else '▼'} {nearest.text}{more}"
