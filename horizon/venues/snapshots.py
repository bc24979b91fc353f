"""Frozen snapshots, in venue words, of an account's living records."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from horizon import checks
from horizon.types import (
    AssetClass,
    FrozenDict,
    VenueCapital,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuote,
    VenueSettlement,
)
from horizon.venues.account import Account, FillRow, SettlementRow
from horizon.venues.records import Leg, OrderState

__all__ = [
    "capital_snapshot",
    "fill_snapshot",
    "ns_to_datetime",
    "order_snapshot",
    "position_snapshot",
    "quote_snapshot",
    "settlement_snapshot",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ns_to_datetime(ns: int) -> datetime:
    """Return a point in time as an aware UTC datetime, rounded to its microsecond."""
    return _EPOCH + timedelta(microseconds=round(ns / 1000))


def _given(number: float) -> float | None:
    return None if math.isnan(number) else number


def order_snapshot(order: OrderState, venue_name: str) -> VenueOrder:
    """Return an order as it stands."""
    metadata: dict[str, Any] = {}
    if order.intent is not None:
        metadata["intent"] = order.intent
    if order.reason is not None:
        metadata["reason"] = order.reason
    if not math.isnan(order.required):
        metadata["required"] = order.required
        metadata["available"] = order.available
    is_perp = order.leg.market.asset_class == AssetClass.Perp
    return VenueOrder(
        id=order.id,
        market_id=order.leg.id,
        side="buy" if order.sign > 0 else "sell",
        quantity=order.quantity,
        filled_quantity=order.filled,
        price=None if order.is_market else order.price,
        order_type="market" if order.is_market else "limit",
        status=order.status,
        submitted_at=ns_to_datetime(order.submitted_ns),
        venue_name=venue_name,
        metadata=FrozenDict(metadata),
        average_price=order.average if order.filled else None,
        fees=order.fees,
        tif="ioc" if order.ioc else "gtc",
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        client_order_id=order.client_order_id,
        leverage=order.leverage if is_perp else None,
    )


def fill_snapshot(row: FillRow, number: int, venue_name: str) -> VenueFill:
    """Return one row of the fill log; `number` counts fills from 1."""
    order_id, leg_id, sign, quantity, price, fee, ts, is_maker, gain = row
    return VenueFill(
        id=f"f{number}",
        order_id=order_id,
        market_id=leg_id,
        side="buy" if sign > 0 else "sell",
        quantity=quantity,
        price=price,
        fee=fee,
        timestamp=checks.ns_to_seconds(ts),
        is_maker=is_maker,
        realized_pnl=gain,
        venue_name=venue_name,
    )


def position_snapshot(account: Account, leg: Leg, venue_name: str) -> VenuePosition:
    """Return what is held on one side of a market."""
    kind = AssetClass(leg.market.asset_class)
    return VenuePosition(
        market_id=leg.id,
        quantity=leg.quantity,
        avg_cost=leg.average,
        mark=_given(leg.price),
        unrealized_pnl=account.leg_unrealized(leg),
        realized_pnl=leg.realized,
        fees=leg.fees,
        asset_class=kind,
        venue_name=venue_name,
        leverage=leg.market.leverage if kind is AssetClass.Perp else None,
    )


def capital_snapshot(account: Account, currency: str, venue_name: str) -> VenueCapital:
    """Return the account's money."""
    return VenueCapital(
        cash=account.cash,
        equity=account.equity,
        buying_power=account.buying_power,
        used_buying_power=account.used_buying_power,
        initial_cash=account.initial_cash,
        realized_pnl=account.realized_pnl,
        unrealized_pnl=account.unrealized_pnl,
        fees=account.fees,
        currency=currency,
        venue_name=venue_name,
    )


def quote_snapshot(leg: Leg) -> VenueQuote:
    """Return the last tick of one side of a market."""
    market = leg.market
    return VenueQuote(
        market_id=leg.id,
        price=leg.price,
        bid=_given(leg.bid),
        ask=_given(leg.ask),
        volume=_given(market.volume),
        timestamp=checks.ns_to_seconds(market.tick_ns),
    )


def settlement_snapshot(row: SettlementRow) -> VenueSettlement:
    """Return one row of the settlement log."""
    leg_id, quantity, price, gain, ts = row
    return VenueSettlement(
        market_id=leg_id,
        quantity=quantity,
        price=price,
        realized_pnl=gain,
        timestamp=checks.ns_to_seconds(ts),
    )
