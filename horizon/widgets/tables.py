"""Small live tables: positions, orders, fills, balance and last prices."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, ClassVar, Final

from horizon import checks, rules, words
from horizon.types import AssetClass
from horizon.venues.account import Account
from horizon.venues.records import NEVER_NS, Leg, MarketState, OrderState
from horizon.widgets.access import client_of, leg_name, price_label, text_of, units_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.palette import Palette
from horizon.widgets.row_words import (
    FLATTEN_ALL,
    SIDES,
    action,
    amend_action,
    cancel_action,
    ended_words,
    flatten_action,
    say_refused,
    state_words,
)

__all__ = ["Balance", "Fills", "Orders", "Positions", "Prices"]

#: Rows that a live table shows; it says how many more there are.
_ROWS: Final = 50
_ENDED: Final = 12
#: New orders that are looked through at a paint for those that have ended already.
_FRESH: Final = 1_000
_DAY_NS: Final = 86_400 * 1_000_000_000
#: Decimals of a price in a market without a tick size, and most of them for a very small one.
_FINEST: Final = 6
_SMALLEST: Final = 12


class _Table(Face):
    """A table face: a name, columns, rows."""

    script = ("table.js",)

    def __init__(self, ex: object, *, palette: str | Palette = "blue-orange") -> None:
        self._ex = client_of(ex)
        venue_of(self._ex)
        super().__init__(palette=palette)

    @property
    def _currency(self) -> str:
        return words.name(self._ex.engine.venue.currency)


def _columns(*labels: str, numbers: int = 0, minor: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    """Headings; the last `numbers` stand over numbers, those at `minor` go where it is narrow."""
    first = len(labels) - numbers
    return [
        {"label": label, "number": i >= first, "minor": i in minor}
        for i, label in enumerate(labels)
    ]


def _note(shown: int, total: int, what: str) -> str | None:
    return None if shown >= total else f"{total - shown:,} more {what} not shown."


class Positions(_Table):
    """What is held, with its profit, and a button in each row that flattens it.

    Parameters
    ----------
    ex : ImperativeClient
    palette : str or Palette

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, market=True)
    >>> _ = ex.tick("ACME", 10.5, 60.0)
    >>> positions = hz.widgets.Positions(ex)
    >>> market, quantity, average, mark, unrealised, realised = positions.shown["rows"][0]["cells"]
    >>> average, mark, unrealised
    ('10.00', '10.50', '+50.00')
    >>> positions.close()
    """

    risky: ClassVar[frozenset[str]] = frozenset({"flatten", "flatten all"})

    def verbs(self) -> dict[str, Verb]:
        """Flatten one position or all."""
        return {
            "flatten": lambda given: say_refused(self._ex.flatten(text_of(given, "id"))),
            "flatten all": lambda _: say_refused(self._ex.flatten_all()),
        }

    def picture(self) -> dict[str, Any]:
        """Positions at their marks."""
        venue = venue_of(self._ex)
        with venue.lock:
            held = [
                (market, leg)
                for market in venue.account.markets.values()
                if market.held
                for leg in market.legs()
                if leg.quantity != 0.0
            ]
            rows = [self._row(market, leg) for market, leg in held[:_ROWS]]
            units = units_of((market for market, _ in held[:_ROWS]), venue)
        tools = []
        if held:
            tools.append(action("flatten all", "", "Flatten all", FLATTEN_ALL))
        return {
            "name": "Positions",
            "columns": _columns(
                "Market",
                f"Position, {units}",
                f"Average, {self._currency}",
                f"Mark, {self._currency}",
                f"Unrealised, {self._currency}",
                f"Realised, {self._currency}",
                numbers=5,
                minor=(2, 5),
            ),
            "rows": rows,
            "tools": tools,
            "empty": "Nothing is held.",
            "note": _note(len(rows), len(held), "positions"),
        }

    def _row(self, market: MarketState, leg: Leg) -> dict[str, Any]:
        account = self._ex.engine.venue.account
        name = leg_name(leg)
        gain = account.leg_unrealized(leg)
        leverage = f" {market.leverage:g}×" if market.asset_class == AssetClass.Perp else ""
        return {
            "id": leg.id,
            "cells": [
                name + leverage,
                [words.signed(leg.quantity), "buy" if leg.quantity > 0 else "sell"],
                words.price(leg.average),
                words.price(leg.price),
                _bare(gain),
                _bare(leg.realized),
            ],
            "actions": [flatten_action(market, leg)],
        }


class Orders(_Table):
    """Open orders with a button that cancels each, and the latest that have ended.

    Parameters
    ----------
    ex : ImperativeClient
    ended : bool
        Show the latest ended orders below the open ones.
    palette : str or Palette

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, limit=9.5)
    >>> orders = hz.widgets.Orders(ex)
    >>> orders.shown["name"], orders.shown["rows"][0]["cells"][0]
    ('Orders: 1 open', 'p1')
    >>> orders.close()
    """

    def __init__(
        self, ex: object, *, ended: bool = True, palette: str | Palette = "blue-orange"
    ) -> None:
        self._with_ended = checks.flag("ended", ended)
        # What was open at the last paint, how many orders there were, and what has ended.
        self._open: list[OrderState] = []
        self._seen = 0
        self._over: deque[OrderState] = deque(maxlen=_ENDED)
        #: Told of the order that is to be amended; without it there is no button for that.
        self.on_amend: Callable[[str], object] | None = None
        super().__init__(ex, palette=palette)

    def _take_ended(self, account: Account) -> None:
        """Put what has ended since the last paint at the end of the ended ones."""
        if not self._with_ended:
            return
        ended = [order for order in self._open if not order.is_open]
        # Those that came and went between two paints are among the newest.
        fresh = islice(reversed(account.orders.values()), max(0, len(account.orders) - self._seen))
        came_and_went = [order for order in islice(fresh, _FRESH) if not order.is_open]
        self._over.extend([*ended, *reversed(came_and_went[:_ENDED])])
        self._open, self._seen = list(account.open_orders.values()), len(account.orders)

    def verbs(self) -> dict[str, Verb]:
        """Cancel one order or all, or hand one over to be amended."""
        return {
            "amend": self._amend,
            "cancel": self._cancel,
            "cancel all": lambda _: self._ex.cancel_all(),
        }

    def _amend(self, arguments: Mapping[str, Any]) -> None:
        if self.on_amend is None:
            raise ValueError("nothing here amends an order: use ex.amend(order_id, …)")
        self.on_amend(text_of(arguments, "id"))

    def _cancel(self, arguments: Mapping[str, Any]) -> None:
        order_id = text_of(arguments, "id")
        if not self._ex.cancel(order_id):
            order = self._ex.order(order_id)
            raise ValueError(f"order {order_id} was not cancelled: it is {ended_words(order)}")

    def picture(self) -> dict[str, Any]:
        """Open orders, newest first, then ended ones."""
        venue = venue_of(self._ex)
        with venue.lock:
            account = venue.account
            working = list(islice(reversed(account.open_orders.values()), _ROWS))
            count = len(account.open_orders)
            self._take_ended(account)
            can_amend = self.on_amend is not None
            shown = (*working, *reversed(self._over))
            rows = [_order_row(order, can_amend) for order in shown]
            units = units_of((order.leg.market for order in shown), venue)
        tools = []
        if count:
            tools.append(action("cancel all", "", "Cancel all", "Cancel every open order"))
        return {
            "name": f"Orders: {count:,} open",
            "columns": _columns(
                "Order",
                "Market",
                "Side",
                "State",
                f"Quantity, {units}",
                f"Filled, {units}",
                f"Limit, {self._currency}",
                f"Average, {self._currency}",
                numbers=4,
                minor=(0, 7),
            ),
            "rows": rows,
            "tools": tools,
            "empty": "No orders yet.",
            "note": _note(len(working), count, "open orders"),
        }


def _order_row(order: OrderState, can_amend: bool) -> dict[str, Any]:
    name = leg_name(order.leg)
    limit = "market" if order.is_market else words.exact(order.price, decimals=2)
    actions = [cancel_action(order)] if order.is_open else []
    if can_amend and order.is_open and not order.is_market:
        actions.insert(0, amend_action(order))
    return {
        "id": order.id,
        "tone": None if order.is_open else "over",
        "cells": [
            order.id,
            name,
            SIDES[order.sign],
            state_words(order),
            words.exact(order.quantity),
            words.exact(order.filled),
            limit,
            words.price(order.average if order.filled else None),
        ],
        "actions": actions,
    }


class Fills(_Table):
    """The latest fills, newest first.

    Parameters
    ----------
    ex : ImperativeClient
    palette : str or Palette

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, market=True)
    >>> fills = hz.widgets.Fills(ex)
    >>> fills.shown["rows"][0]["cells"][1:6]
    ['ACME', ['BUY +', 'buy'], 'p1', '100', '10.00']
    >>> fills.close()
    """

    def picture(self) -> dict[str, Any]:
        """The fill log's end."""
        venue = venue_of(self._ex)
        with venue.lock:
            log = venue.account.fills
            first = max(0, len(log) - _ENDED)
            with_day = _span_days([row[6] for row in log[first:]])
            rows = []
            filled = (venue.account.legs[row[1]].market for row in log[first:])
            units = units_of(filled, venue)
            for number in range(len(log) - 1, first - 1, -1):
                order_id, leg_id, sign, quantity, price, fee, ts, is_maker, _ = log[number]
                cells = [
                    words.clock(ts / 1e9, date=with_day),
                    leg_name(venue.account.legs[leg_id]),
                    SIDES[sign],
                    order_id,
                    words.exact(quantity),
                    words.price(price),
                    f"{_bare(fee, plus=False)} {'maker' if is_maker else 'taker'}",
                ]
                rows.append({"id": f"f{number + 1}", "cells": cells})
        return {
            "name": f"Fills: {len(log):,}",
            "columns": _columns(
                "Time, UTC",
                "Market",
                "Side",
                "Order",
                f"Quantity, {units}",
                f"Price, {self._currency}",
                f"Fee, {self._currency}",
                numbers=3,
                minor=(3,),
            ),
            "rows": rows,
            "empty": "No fills yet.",
            "note": _note(len(rows), len(log), "earlier fills"),
        }


class Balance(_Table):
    """Cash, equity, buying power and profit.

    Parameters
    ----------
    ex : ImperativeClient
    palette : str or Palette

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, market=True)
    >>> balance = hz.widgets.Balance(ex)
    >>> dict(row["cells"] for row in balance.shown["rows"])["Cash"]  # 100,000 − 100 · 10
    '99,000.00'
    >>> balance.close()
    """

    def picture(self) -> dict[str, Any]:
        """The account's money at this moment."""
        money = self._ex.balance()
        figures = {
            "Equity": _bare(money.equity, plus=False),
            "Cash": _bare(money.cash, plus=False),
            "Buying power": _bare(money.buying_power, plus=False),
            "Unrealised profit": _bare(money.unrealized_pnl),
            "Realised profit": _bare(money.realized_pnl),
            "Fees paid": _bare(money.fees, plus=False),
        }
        return {
            "name": "Balance",
            "columns": _columns("Account", words.name(money.currency), numbers=1),
            "rows": [{"id": label, "cells": [label, text]} for label, text in figures.items()],
            "empty": "",
        }


class Prices(_Table):
    """The last price of each market, with its quotes and its change since the table was made.

    On an account that trades in books the price is the mark: the mid, unless the book came with
    another one.

    Prices of a market with a tick size are shown one digit finer than that at most, others to
    six decimals, or six significant digits; a row keeps the most that it has had.

    Parameters
    ----------
    ex : ImperativeClient
    palette : str or Palette

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> prices = hz.widgets.Prices(ex)
    >>> _ = ex.tick("ACME", 10.25, 60.0)
    >>> prices.paint()  # a notebook paints by itself, ten times a second
    >>> prices.shown["rows"][0]["cells"][1], prices.shown["rows"][0]["cells"][4]
    ('10.25', ['+0.25', 'buy'])
    >>> prices.close()
    """

    def __init__(self, ex: object, *, palette: str | Palette = "blue-orange") -> None:
        self._first: dict[str, float] = {}
        # The most decimals that each market's prices have had, so that its row does not jump.
        self._decimals: dict[str, int] = {}
        super().__init__(ex, palette=palette)

    def picture(self) -> dict[str, Any]:
        """Last ticks; beyond the rows there are, markets with a position or orders come first."""
        venue = venue_of(self._ex)
        with venue.lock:
            markets = [m for m in venue.account.markets.values() if not math.isnan(m.price)]
            shown = markets
            if len(markets) > _ROWS:
                shown = sorted(markets, key=lambda m: not (m.held or m.resting))[:_ROWS]
            with_day = _span_days([m.tick_ns for m in shown if m.tick_ns != NEVER_NS])
            rows = [self._row(market, with_day) for market in shown]
        return {
            "name": "Prices",
            "columns": _columns(
                "Market",
                f"{price_label(venue)}, {self._currency}",
                f"Bid, {self._currency}",
                f"Ask, {self._currency}",
                f"Change, {self._currency}",
                "Time, UTC",
                numbers=5,
            ),
            "rows": rows,
            "empty": "No price yet.",
            "note": _note(len(rows), len(markets), "markets"),
        }

    def _row(self, market: MarketState, with_day: bool) -> dict[str, Any]:
        ticked = None if market.tick_ns == NEVER_NS else market.tick_ns / 1e9
        # Ticks that come after a settlement say nothing of what was paid.
        last = market.settled_at if market.settled else market.price
        quotes = (math.nan, math.nan) if market.settled else (market.bid, market.ask)
        prices = (last, *quotes)
        change = last - self._first.setdefault(market.id, last)
        tone = "" if abs(change) < rules.SLACK * abs(last) else "buy" if change > 0.0 else "sell"
        grid = None if market.instrument is None else market.instrument.tick_size
        finest = _fitting(last) if grid is None else _decimals_of(grid) + 1
        used = max(_decimals_of(value) for value in prices if not math.isnan(value))
        decimals = min(finest, max(2, used, self._decimals.get(market.id, 0)))
        self._decimals[market.id] = decimals
        return {
            "id": market.id,
            "cells": [
                leg_name(market) + (" (settled)" if market.settled else ""),
                *(_aligned(value, decimals) for value in prices),
                [_change(change, decimals), tone],
                words.clock(ticked, date=with_day),
            ],
        }


def _span_days(times_ns: list[int]) -> bool:
    """Whether times need their day: they are of several, or all at a midnight (daily bars)."""
    if not times_ns:
        return False
    days = {ns // _DAY_NS for ns in times_ns}
    return len(days) > 1 or all(ns % _DAY_NS == 0 for ns in times_ns)


def _decimals_of(value: float) -> int:
    """How many decimals the shortest writing of a number has."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _fitting(price: float) -> int:
    """Decimals that leave six significant digits of a price, and six decimals at least."""
    if not 0.0 < price < 0.1:
        return _FINEST
    return min(_SMALLEST, _FINEST - 1 - math.floor(math.log10(price)))


def _aligned(value: float, decimals: int) -> str:
    """A price with this number of decimals; one too small for them with its digits."""
    if math.isnan(value) or 0.0 < value < 0.5 * 10.0**-decimals:
        return words.price(value)
    return f"{value:,.{decimals}f}"


def _change(change: float, decimals: int) -> str:
    shown = f"{abs(change):,.{decimals}f}"
    if not shown.strip("0."):
        return shown
    return f"{'+' if change > 0.0 else '−'}{shown}"


def _bare(value: float, *, plus: bool = True) -> str:
    """A sum of money under a heading that names its currency."""
    return words.cash(value, "", sign=plus).strip()
