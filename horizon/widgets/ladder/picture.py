"""A ladder's picture, made of a market as it stands, of what is looked at, and of its window."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from horizon import rules, words
from horizon.types import AssetClass
from horizon.venues.account import Account
from horizon.venues.records import MarketState
from horizon.venues.simulated import SimulatedVenue
from horizon.widgets.access import unit_of
from horizon.widgets.ladder.rows import (
    Grid,
    Own,
    Scene,
    decimals_of,
    grid_of,
    own_orders,
    scene,
)
from horizon.widgets.ladder.window import Bounds, Window
from horizon.widgets.ladder.words import (
    SIDES,
    Wording,
    cursor_words,
    facts,
    imbalance,
    rows,
)

__all__ = ["GROUPS", "Look", "draw", "is_seen", "nothing"]

#: Ticks in a row that can be chosen.
GROUPS: Final = (1, 5, 10, 25, 100)
#: Fills looked through for the last one of the market.
_RECENT: Final = 200
#: The largest row of a prediction, in price units.
_WIDEST: Final = 0.25


@dataclass(slots=True)
class Look:
    """What is looked at, and how.

    Attributes
    ----------
    group : int
        Ticks in a row.
    given_tick : float or None
        The grid of markets that have none.
    is_no : bool
        Whether it is the NO side.
    grid : Grid or None
        The rows of the market, which stay while it does; None before it has had a price.
    decimals : dict of str to int
        The most decimals that each market's prices have had, so that its rows do not jump.
    """

    group: int
    given_tick: float | None
    is_no: bool
    grid: Grid | None = None
    decimals: dict[str, int] = field(default_factory=dict)


def is_seen(venue: SimulatedVenue, market: MarketState) -> bool:
    """Whether there is anything of a market to look at, with the venue's lock held."""
    if market.price == market.price or market.resting:
        return True
    return venue.book(market.id) is not None


def nothing(currency: str) -> dict[str, Any]:
    """The picture of no market."""
    return {
        "groups": [["1", "1 tick"]],
        "group": "1",
        "is_grid": False,
        "has_book": False,
        "facts": [],
        "imbalance": None,
        "columns": _columns("units", words.name(currency)),
        "caption": "",
        "rows": [],
        "cursor": None,
        "held": False,
        "note": "",
        "empty": "No market has a price yet.",
    }


def draw(
    venue: SimulatedVenue,
    market: MarketState,
    look: Look,
    window: Window,
    *,
    column: str,
    is_held: bool,
    can_take: bool,
) -> dict[str, Any]:
    """Make the picture of one market, with the venue's lock held.

    Parameters
    ----------
    column : str
        The cursor's: ``"buy"`` or ``"sell"``.
    is_held : bool
        Whether somebody points at the ladder.
    can_take : bool
        Whether anybody is told of a price that is taken.
    """
    look.is_no = look.is_no and market.no is not None
    seen = scene(venue, market, look.is_no)
    own_tick = None if market.instrument is None else market.instrument.tick_size
    tick = look.given_tick if own_tick is None else own_tick
    last = _last(market, look.is_no)
    grid = look.grid = look.grid or _grid(market, look, seen, tick, last)
    say = _wording(venue, market, look, seen)
    # A price that is only half-way between the quotes is nobody's trade: neither those that are
    # left, nor those that the book came with before this account took of it.
    told = venue.last_trade(market)
    told = rules.complement(told) if look.is_no and told == told else told
    came_with = 0.5 * (market.bid + market.ask)
    is_mid = last == seen.mid or math.isclose(market.price, came_with, rel_tol=1e-12)
    traded = last if market.settled or (told != told and not is_mid) else told
    at = words.clock(None if seen.time_ns is None else seen.time_ns / 1e9)
    picture: dict[str, Any] = {
        "groups": _groups(look, market, tick, say),
        "group": "1" if tick is None else str(look.group),
        "is_grid": grid is not None and not grid.is_quoted,
        "has_book": seen.has_book,
        "facts": facts(seen, say, tick=tick, last=traded, at=at),
        "imbalance": None,
        "columns": _columns(say.unit, say.money),
        "caption": f"Sizes in {say.unit}, prices in {say.money}.",
        "rows": [],
        "cursor": None,
        "held": is_held and window.follows,
        "note": _note(market, seen),
        "empty": "No price yet.",
    }
    if grid is None:
        return picture
    owned = own_orders(venue, market, grid, look.is_no)
    _place(window, grid, seen, owned, last, _bounds(market, look, grid), is_held)
    picture["imbalance"] = imbalance(seen, window.keys, grid, say)
    picture["rows"] = rows(
        window.keys,
        grid,
        seen,
        owned,
        say,
        tags=_tags(venue.account, market, look.is_no, grid, seen, traded, say),
        highest=1.0 if market.asset_class == AssetClass.Prediction else math.inf,
    )
    picture["cursor"] = _cursor(window.cursor, column, grid, seen, say, can_take)
    picture["note"] = " ".join(filter(None, (picture["note"], _outside(window, grid, seen))))
    return picture


def _last(market: MarketState, is_no: bool) -> float:
    """The last price of a side, or what it was settled at; NaN without one."""
    last = market.settled_at if market.settled else market.price
    return rules.complement(last) if is_no and last == last else last


def _columns(unit: str, money: str) -> list[list[str]]:
    """Headings from left to right, each with what they count."""
    sizes = ("My buys", "Bid total", "Bid", "Price", "Ask", "Ask total", "My sells")
    return [[name, money if name == "Price" else unit] for name in sizes]


def _grid(
    market: MarketState, look: Look, seen: Scene, tick: float | None, last: float
) -> Grid | None:
    known = (seen.bid, seen.ask, last, *(order.price for order in market.resting.values()))
    price = next((value for value in known if value == value), None)
    return None if price is None else grid_of(tick, look.group, price)


def _groups(look: Look, market: MarketState, tick: float | None, say: Wording) -> list[list[str]]:
    if tick is None:
        return [["1", "as quoted"]]
    is_prediction = market.asset_class == AssetClass.Prediction
    fitting = [
        group
        for group in GROUPS
        if group in (1, look.group) or not is_prediction or group * tick <= _WIDEST
    ]
    return [
        [
            str(group),
            f"{group} {'tick' if group == 1 else 'ticks'}, "
            f"{words.exact(float(f'{group * tick:.12g}'), decimals=2)} {say.money}",
        ]
        for group in fitting
    ]


def _wording(venue: SimulatedVenue, market: MarketState, look: Look, seen: Scene) -> Wording:
    prices = [price for side in (seen.bids, seen.asks) for price, _ in side[:50]]
    prices += [order.price for order in market.resting.values() if not order.is_market]
    if look.grid is not None and not look.grid.is_quoted:
        prices = [look.grid.step]
    decimals = max(2, decimals_of(prices), look.decimals.get(market.id, 0))
    look.decimals[market.id] = decimals
    unit = "units"
    if market.instrument is not None:
        unit = unit_of(AssetClass(market.asset_class))
    return Wording(decimals, unit, words.name(venue.currency))


# ------------------------------------------------------------------------ rows
def _place(
    window: Window,
    grid: Grid,
    seen: Scene,
    owned: dict[tuple[int, int], Own],
    last: float,
    bounds: Bounds,
    is_held: bool,
) -> None:
    """Choose the rows that are shown."""
    if not grid.is_quoted:
        window.place(grid, _middle(grid, seen, last), bounds, is_held=is_held)
        return
    quoted = [list(seen.sizes(grid, sign)) for sign in (1, -1)]
    own = [key for key, _ in owned]
    if last == last and not any(quoted):
        own.append(grid.key(last, 1))
    window.place_quoted(quoted, own, is_held=is_held)


def _middle(grid: Grid, seen: Scene, last: float) -> int | None:
    """The row just below the middle of the market; of one side, or the last price, alone."""
    bid, ask = seen.bid, seen.ask
    if bid == bid and ask == ask:
        return (grid.key(bid, 1) + grid.key(ask, -1)) // 2
    if bid == bid:
        return grid.key(bid, 1)
    if ask == ask:
        return grid.key(ask, -1) - 1
    return grid.key(last, 1) if last == last else None


def _bounds(market: MarketState, look: Look, grid: Grid) -> Bounds:
    """Rows of prices that orders can have; put together, the outermost lie at 0 and at 1."""
    if market.asset_class != AssetClass.Prediction:
        return Bounds(1, None)
    is_wide = look.group > 1
    return Bounds(0 if is_wide else 1, grid.key(1.0, -1) - (0 if is_wide else 1))


def _tags(
    account: Account,
    market: MarketState,
    is_no: bool,
    grid: Grid,
    seen: Scene,
    last: float,
    say: Wording,
) -> dict[int, list[list[str]]]:
    """Marks beside prices: the last trade, and the account's last fill."""
    found: dict[int, list[list[str]]] = {}
    if last == last:
        key = grid.key(last, -1 if last >= seen.ask else 1)
        found.setdefault(key, []).append(["last", "last", "", "Last price"])
    fills = account.fills
    for number in range(len(fills) - 1, max(-1, len(fills) - 1 - _RECENT), -1):
        _, leg_id, sign, quantity, price, *_ = fills[number]
        leg = account.legs[leg_id]
        if leg.market is not market:
            continue
        if leg.is_no is not is_no:
            sign, price = -sign, rules.complement(price)
        side = "buy" if sign > 0 else "sell"
        text = f"{'▲' if sign > 0 else '▼'} {say.size(quantity)}"
        bought = "bought" if sign > 0 else "sold"
        name = f"Last own fill: {bought} {words.amount(quantity)} at {words.price(price)}"
        found.setdefault(grid.key(price, sign), []).append(["fill", text, side, name])
        break
    return found


def _cursor(
    key: int | None, column: str, grid: Grid, seen: Scene, say: Wording, can_take: bool
) -> dict[str, Any] | None:
    """The cursor's row, what it says, and the prices that can be taken there."""
    if key is None:
        return None
    reaches = {sign: seen.reach(grid, sign, key) for sign in (1, -1)}
    price = say.price(grid.price(key))
    text = cursor_words(seen, grid, key, reaches, say)
    actions = []
    if can_take:
        for sign, side in ((1, "buy"), (-1, "sell")):
            label = f"{SIDES[sign]} at {price}"
            actions.append(_action(side, False, label, f"Take the price: {label}"))
        for sign, side in ((1, "buy"), (-1, "sell")):
            if reaches[sign].size > 0.0:
                label = f"{SIDES[sign]}{words.amount(reaches[sign].size)} to {price}"
                actions.append(_action(side, True, label, f"Take price and quantity: {label}"))
    return {
        "row": str(key),
        "side": column,
        "words": text,
        "spoken": f"{column.capitalize()} side, {price}. {text}",
        "actions": actions,
    }


def _action(side: str, is_taking: bool, label: str, name: str) -> dict[str, Any]:
    what = f"{side} with its quantity" if is_taking else side
    return {
        "do": "price",
        "id": what,
        "side": side,
        "take": is_taking,
        "label": label,
        "name": name,
    }


# ------------------------------------------------------------------------ what is said below
def _note(market: MarketState, seen: Scene) -> str:
    if market.settled:
        return f"Settled at {words.price(market.settled_at)}."
    if not seen.has_book:
        return (
            "This account has no order book: bid, ask and last are those of the latest tick, "
            "without sizes."
        )
    if not seen.bids and not seen.asks:
        return "No book has come yet, or it is empty on both sides."
    return ""


def _outside(window: Window, grid: Grid, seen: Scene) -> str:
    """Say so where the best prices are not among the rows."""
    best = [
        grid.key(price, sign) for price, sign in ((seen.bid, 1), (seen.ask, -1)) if price == price
    ]
    if not best or not window.keys or any(key in window.keys for key in best):
        return ""
    return (
        "The best prices lie outside of the rows shown: Centre brings them back, or put more ticks "
        "in a row."
    )
