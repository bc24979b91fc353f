"""What a ladder says: its rows, its facts and its cursor, as finished texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from horizon import words
from horizon.venues.records import OrderState
from horizon.widgets.access import leg_name
from horizon.widgets.ladder.rows import Grid, Own, Reach, Scene

__all__ = ["SIDES", "Wording", "cursor_words", "facts", "imbalance", "own_cell", "rows"]

#: From here on a size is shown in millions.
_MILLIONS: Final = 10_000_000.0
#: Orders of one row that are told one by one.
_TOLD: Final = 5
#: A side in a word and a sign, by the sign of its quantity.
SIDES: Final = {1: "BUY +", -1: "SELL −"}


@dataclass(frozen=True, slots=True)
class Wording:
    """How prices and sizes of one market are written.

    Attributes
    ----------
    decimals : int
        Of every price.
    unit, money : str
        What a size counts, and the currency.
    """

    decimals: int
    unit: str
    money: str

    def price(self, value: float) -> str:
        """A price under others of its kind; one too small for their decimals with its digits."""
        if math.isnan(value) or 0.0 < abs(value) < 0.5 * 10.0**-self.decimals:
            return words.price(value)
        return f"{value:,.{self.decimals}f}"

    def average(self, value: float) -> str:
        """An average of prices, two decimals finer at most."""
        if math.isnan(value):
            return words.MISSING
        shown = f"{value:,.{self.decimals + 2}f}"
        whole, _, broken = shown.partition(".")
        return f"{whole}.{broken.rstrip('0').ljust(max(self.decimals, 2), '0')}"

    def size(self, value: float) -> str:
        """A size in a narrow column; its exact number is said elsewhere."""
        if math.isnan(value):
            return "?"
        if value >= _MILLIONS:
            return f"{value / 1e6:,.1f} M"
        return words.amount(value)


# ------------------------------------------------------------------------ rows
def rows(
    keys: Sequence[int],
    grid: Grid,
    seen: Scene,
    owned: dict[tuple[int, int], Own],
    say: Wording,
    *,
    tags: dict[int, list[list[str]]],
    highest: float,
) -> list[dict[str, Any]]:
    """Make the rows of a ladder, the highest price first.

    Parameters
    ----------
    keys : sequence of int
        Falling.
    tags : dict of key to list of [kind, text, tone, name]
        Marks beside prices.
    highest : float
        An order's price lies strictly between 0 and this.
    """
    sides = {sign: seen.sizes(grid, sign) for sign in (1, -1)}
    totals = {sign: _totals(sizes) for sign, sizes in sides.items()}
    shown = set(keys)
    largest = max(
        (size for sizes in sides.values() for key, size in sizes.items() if key in shown),
        default=0.0,
    )
    best_bid, best_ask = next(iter(sides[1]), None), next(iter(sides[-1]), None)
    made = []
    for key in keys:
        price = grid.price(key)
        zone = "inside"
        if best_bid is not None and key <= best_bid:
            zone = "bid"
        elif best_ask is not None and key >= best_ask:
            zone = "ask"
        made.append(
            {
                "id": str(key),
                "price": say.price(price),
                "zone": zone,
                "touch": key in (best_bid, best_ask),
                "bid": _size_cell(sides[1], totals[1], key, largest, say),
                "ask": _size_cell(sides[-1], totals[-1], key, largest, say),
                "own": [own_cell(owned.get((key, sign)), say) for sign in (1, -1)],
                "tags": tags.get(key, []),
                "off": not 0.0 < price < highest,
            }
        )
    return made


def _totals(sizes: dict[int, float]) -> dict[int, float]:
    total = 0.0
    found = {}
    for key, size in sizes.items():
        total += size
        found[key] = total
    return found


def _size_cell(
    sizes: dict[int, float], totals: dict[int, float], key: int, largest: float, say: Wording
) -> list[Any] | None:
    """Size, its part of the largest in percent, and what stands up to it; None for nothing."""
    size = sizes.get(key)
    if size is None:
        return None
    part = round(100.0 * size / largest) if largest > 0.0 else 0
    return [say.size(size), part, say.size(totals[key])]


def own_cell(own: Own | None, say: Wording) -> dict[str, Any] | None:
    """The own orders of one row and side: size, place, and their names for a button."""
    if own is None:
        return None
    orders = own.orders
    count = len(orders)
    told = [_order_words(order, ahead) for order, ahead in zip(orders, own.ahead, strict=True)]
    more = f"; and {count - _TOLD:,} more" if count > _TOLD else ""
    what = "order" if count == 1 else f"{count:,} orders:"
    return {
        "size": say.size(own.size),
        "place": _place(orders[0], own.ahead[0], say) + ("" if count == 1 else f" ({count:,})"),
        "ids": [order.id for order in orders],
        "title": f"{'; '.join(told[:_TOLD])}{more}",
        "name": f"Cancel {what} {'; '.join(told[:_TOLD])}{more}",
        "leaving": all(order.is_leaving for order in orders),
    }


def _place(order: OrderState, ahead: float, say: Wording) -> str:
    if order.in_transit:
        return "on its way"
    if order.is_leaving:
        return "cancel on its way"
    if math.isnan(ahead):
        return "place unknown"
    return f"{say.size(ahead)} ahead"


def _order_words(order: OrderState, ahead: float) -> str:
    filled = f", {words.exact(order.filled)} of it filled" if order.filled else ""
    place = "place in the queue unknown"
    if order.in_transit:
        place = "on its way to the market"
    elif not math.isnan(ahead):
        place = f"{words.amount(ahead)} ahead of it in the queue"
    return (
        f"{order.id}: {SIDES[order.sign]}{words.exact(order.quantity)} {leg_name(order.leg)} at "
        f"{words.exact(order.price, decimals=2)}{filled}, {place}"
    )


# ------------------------------------------------------------------------ facts
def facts(
    seen: Scene, say: Wording, *, tick: float | None, last: float, at: str
) -> list[list[str]]:
    """Best prices, spread, mid, last, and when: pairs of a label and a text.

    Parameters
    ----------
    tick : float or None
        The market's tick size.
    last : float
        Last price; NaN without one.
    at : str
        When these came, in words.
    """
    bid_size = seen.bids[0][1] if seen.bids else math.nan
    ask_size = seen.asks[0][1] if seen.asks else math.nan
    spread = seen.ask - seen.bid
    told = words.MISSING
    if not math.isnan(spread):
        told = f"{say.price(round(spread, 12))}"
        if tick is not None:
            ticks = spread / tick
            told += (
                f" ({words.amount(round(ticks, 3))} {'tick' if round(ticks, 3) == 1 else 'ticks'}"
            )
            told += f", {_bps(spread, seen.mid)})"
        else:
            told += f" ({_bps(spread, seen.mid)})"
    return [
        [f"Bid, {say.money}", _quote(seen.bid, bid_size, say)],
        [f"Ask, {say.money}", _quote(seen.ask, ask_size, say)],
        [f"Spread, {say.money}", told],
        [f"Mid, {say.money}", say.average(seen.mid)],
        [f"Last, {say.money}", say.average(last)],
        ["Time, UTC", at],
    ]


def _quote(price: float, size: float, say: Wording) -> str:
    if math.isnan(price):
        return words.MISSING
    return say.price(price) if math.isnan(size) else f"{say.price(price)} × {say.size(size)}"


def _bps(part: float, whole: float) -> str:
    return f"{1e4 * part / whole:,.1f} bps" if whole > 0.0 else f"{words.MISSING} bps"


def imbalance(seen: Scene, keys: Sequence[int], grid: Grid, say: Wording) -> dict[str, Any] | None:
    """How much of the size on the ladder is bid; None where sizes are not known."""
    shown = set(keys)
    bids, asks = (
        math.fsum(size for key, size in seen.sizes(grid, sign).items() if key in shown)
        for sign in (1, -1)
    )
    total = bids + asks
    if not total > 0.0:  # false for NaN too
        return None
    percent = 100.0 * bids / total
    return {
        "percent": round(percent, 1),
        "words": f"{percent:.0f} % bid: {say.size(bids)} bid, {say.size(asks)} asked, "
        f"{say.unit} shown",
    }


def cursor_words(seen: Scene, grid: Grid, key: int, reaches: dict[int, Reach], say: Wording) -> str:
    """Say what an order would take that reaches as far as the cursor's row.

    Parameters
    ----------
    reaches : dict
        What a buy (1) and a sell (-1) would take.
    """
    price = say.price(grid.price(key))
    for sign, verb, way in ((1, "Buy", "up"), (-1, "Sell", "down")):
        reach = reaches[sign]
        if not reach.levels:
            continue
        level = "1 level" if reach.levels == 1 else f"{reach.levels:,} levels"
        if math.isnan(reach.size):
            return f"{verb} {way} to {price} {say.money}: the size there is not known."
        notional = words.cash(reach.size * reach.average, say.money)
        off = ""
        if not math.isnan(seen.mid) and seen.mid > 0.0:
            cost = sign * (reach.average - seen.mid)
            off = f", {words.bps(1e4 * cost / seen.mid)} than the mid"
        return (
            f"{verb} {words.amount(reach.size)} {say.unit} {way} to {price} {say.money}: {level}, "
            f"average {say.average(reach.average)} {say.money}, {notional}{off}."
        )
    return f"{price} {say.money}: nothing stands up to here that an order would take."
