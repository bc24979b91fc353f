"""A paper venue at a fixed time, its verbs in short, and what "nothing has changed" means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from horizon.types import AssetClass, OrderAction, VenueOrder
from horizon.venues import Paper, Venue
from horizon.venues.events import state_of


def open_paper(cash: float = 100_000.0, **options: Any) -> Paper:
    """A connected paper venue whose clock stands at 1,000 s unless told otherwise."""
    options.setdefault("clock", lambda: 1_000.0)
    paper = Paper(cash, **options)
    paper.connect()
    return paper


def place(venue: Venue, side: str, quantity: float, price: float | None, **rest: Any) -> VenueOrder:
    """Send an order in ACME, unless a market is named; without a price a market order."""
    rest.setdefault("market_id", "ACME")
    return venue.submit(OrderAction.place(side=side, quantity=quantity, price=price, **rest))


def buy(venue: Venue, quantity: float, price: float | None = None, **rest: Any) -> VenueOrder:
    """Buy at a limit, or at the market without one."""
    return place(venue, "buy", quantity, price, **rest)


def sell(venue: Venue, quantity: float, price: float | None = None, **rest: Any) -> VenueOrder:
    """Sell at a limit, or at the market without one."""
    return place(venue, "sell", quantity, price, **rest)


def fill_part(venue: Venue, order: VenueOrder, quantity: float, price: float) -> None:
    """Execute a part of an order: ticks fill whole orders, other venues' books do not."""
    with venue.lock:
        venue.apply.filled(venue.now_ns(), order.id, quantity, price, 0.0, True)


@contextmanager
def unchanged(venue: Venue) -> Iterator[None]:
    """Assert that everything the account holds is, to the bit, what it was."""
    before = state_of(venue.account)
    yield
    assert state_of(venue.account) == before


@contextmanager
def refused(venue: Venue, kind: type[Exception], *words: str) -> Iterator[None]:
    """Assert an error of this kind whose message has these words, and that nothing changed."""
    with unchanged(venue):
        with pytest.raises(kind) as caught:
            yield
        message = str(caught.value)
        assert not [word for word in words if word not in message], message


def held(venue: Venue) -> dict[str, float]:
    """Signed quantity by market."""
    return {position.market_id: position.quantity for position in venue.positions()}


def assert_books(venue: Venue) -> None:
    """Assert that equity, cash and positions follow from fills and settlements alone."""
    money = venue.balance()
    traded = sum(abs(fill.quantity * fill.price) for fill in venue.fill_history())
    slack = 1e-12 * (money.initial_cash + 100.0 * traded)
    earned = money.realized_pnl + money.unrealized_pnl - money.fees
    assert abs(money.equity - money.initial_cash - earned) <= slack
    assert abs(money.fees - sum(fill.fee for fill in venue.fill_history())) <= slack
    flows = [money.initial_cash, *(-fill.fee for fill in venue.fill_history())]
    for fill in venue.fill_history():
        sign = 1.0 if fill.side == "buy" else -1.0
        paid = sign * fill.quantity * fill.price * _multiplier(venue, fill.market_id)
        flows.append(fill.realized_pnl if _is_perp(venue, fill.market_id) else -paid)
    for row in venue.settlements():
        received = row.quantity * row.price * _multiplier(venue, row.market_id)
        flows.append(row.realized_pnl if _is_perp(venue, row.market_id) else received)
    assert abs(money.cash - math.fsum(flows)) <= slack
    traded_by: dict[str, list[float]] = {}
    for fill in venue.fill_history():
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        traded_by.setdefault(fill.market_id, []).append(signed)
    for row in venue.settlements():
        traded_by[row.market_id].append(-row.quantity)
    positions = held(venue)
    for market_id, sizes in traded_by.items():
        rounding = 1e-14 * max(map(abs, sizes))
        assert abs(math.fsum(sizes) - positions.pop(market_id, 0.0)) <= rounding
    assert positions == {}


def _multiplier(venue: Venue, market_id: str) -> float:
    market = venue.market(market_id)
    assert market is not None
    return market.multiplier or 1.0


def _is_perp(venue: Venue, market_id: str) -> bool:
    market = venue.market(market_id)
    assert market is not None
    return market.asset_class is AssetClass.Perp
