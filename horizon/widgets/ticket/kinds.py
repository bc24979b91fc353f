"""What a market's kind has to say of an order: payouts, break-even, margin, short reserve."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from horizon import rules, words
from horizon.instruments import Market
from horizon.preview import OrderPreview
from horizon.types import AssetClass
from horizon.venues.records import Leg
from horizon.venues.simulated import SimulatedVenue
from horizon.widgets.access import price_label, unit_of
from horizon.widgets.ticket.draft import Draft
from horizon.widgets.ticket.filling import Filling, filling_of

__all__ = ["contract_words", "kind_facts", "quote_facts"]


def kind_facts(draft: Draft, seen: OrderPreview, venue: SimulatedVenue) -> list[list[str]]:
    """Label and value of what matters for orders of this kind alone."""
    leg, fills = venue.leg_of(draft.target), filling_of(draft, seen, venue)
    return _FACTS[seen.asset_class](draft, seen, fills, leg, venue)


def contract_words(market: Market | None, kind: AssetClass, currency: str) -> str:
    """Say in one line what a market's contract is."""
    if market is None:
        return ""
    parts = [str(kind)]
    money = words.name(currency)
    if market.strike is not None:
        right = f"{market.right} " if market.right else ""
        parts.append(f"{right}{words.exact(market.strike, decimals=2)} {money}")
    if market.expiry is not None:
        parts.append(f"expires {market.expiry.isoformat()}")
    if market.tick_size is not None:
        parts.append(f"tick {words.exact(market.tick_size)} {money}")
    if market.lot_size is not None:
        parts.append(f"lot {words.exact(market.lot_size)} {unit_of(kind)}")
    if market.multiplier is not None and market.multiplier != 1.0:
        parts.append(f"multiplier {words.exact(market.multiplier)}")
    return " · ".join(parts)


def quote_facts(leg: Leg | None, venue: SimulatedVenue) -> list[list[str]]:
    """Bid, ask and last price of the side that the ticket trades; what is missing is a dash."""
    bid, ask, last = math.nan, math.nan, math.nan
    if leg is not None:
        (bid, ask), last = venue.quotes_of(leg), leg.price
    prices = {"Bid": bid, "Ask": ask, price_label(venue): last}
    return [[label, words.price(_given(price))] for label, price in prices.items()]


def _given(price: float) -> float | None:
    return None if math.isnan(price) else price


# ------------------------------------------------------------------------ predictions
def _prediction(
    draft: Draft, seen: OrderPreview, fills: Filling, leg: Leg, venue: SimulatedVenue
) -> list[list[str]]:
    if fills.price is None:
        return []
    money, own, other = seen.currency, "NO" if leg.is_no else "YES", "YES" if leg.is_no else "NO"
    is_buy = draft.side == "buy"
    chance = rules.complement(fills.price) if leg.is_no else fills.price
    facts = [["Implied chance of YES", _chance(chance)]]
    if fills.opening:
        fee = (seen.fee or 0.0) * fills.opening / fills.quantity
        payout = fills.opening * leg.market.multiplier
        gain = (1.0 - fills.price if is_buy else fills.price) * payout - fee
        facts += [
            [f"{'Pays' if is_buy else 'Owes'} if it ends {own}", words.cash(payout, money)],
            ["Most it can gain, fee deducted", words.cash(gain, money)],
        ]
    if fills.quantity:
        side = "SELL −" if is_buy else "BUY +"
        price = words.price(rules.complement(fills.price))
        size = words.exact(fills.quantity)
        same = f"{side}{size} {other} at {price} {words.name(money)}"
        facts.append(["The same bet", same])
    return facts


def _chance(price: float) -> str:
    return f"{price * 100.0:.4g} %"


# ------------------------------------------------------------------------ options
def _option(
    draft: Draft, seen: OrderPreview, fills: Filling, leg: Leg, venue: SimulatedVenue
) -> list[list[str]]:
    market, money = leg.market.instrument, words.name(seen.currency)
    if market is None or market.strike is None:
        return []
    right = market.right or "right not known"
    facts = [["Right and strike", f"{right}, {words.exact(market.strike, decimals=2)} {money}"]]
    if market.expiry is not None:
        days = (market.expiry - datetime.fromtimestamp(venue.time, UTC).date()).days
        left = "today" if days == 0 else f"in {days:,} d" if days > 0 else f"{-days:,} d ago"
        facts.append(["Expiry", f"{market.expiry.isoformat()}, {left}"])
    if fills.price is not None and market.right is not None:
        sign = 1.0 if market.right == "call" else -1.0
        at = market.strike + sign * fills.price
        facts.append(["Break-even at expiry, before fees", f"{words.price(at)} {money}"])
    spot = _underlying(market, venue)
    if spot is not None and market.right is not None:
        sign = 1.0 if market.right == "call" else -1.0
        worth = max(sign * (spot - market.strike), 0.0)
        state = "in" if worth else "at" if spot == market.strike else "out of"
        facts.append(["Underlying, last price", f"{words.price(spot)} {money}, {state} the money"])
    return facts


def _underlying(market: Market, venue: SimulatedVenue) -> float | None:
    """Last price of the market whose id the option's symbol begins with, if there is one."""
    root = market.id[:-15]  # the fixed part of an OSI symbol
    state = venue.account.markets.get(root) if market.id[-15:-9].isdigit() else None
    return None if state is None else _given(state.price)


# ------------------------------------------------------------------------ perpetuals
def _perp(
    draft: Draft, seen: OrderPreview, fills: Filling, leg: Leg, venue: SimulatedVenue
) -> list[list[str]]:
    money, market = seen.currency, leg.market
    leverage = venue.leverage_for(market, draft.leverage)
    facts = [["Leverage", f"{words.exact(leverage)}×"]]
    if fills.price is not None and fills.opening:
        margin = fills.opening * fills.price * market.multiplier / leverage
        facts.append(["Margin of what it opens", words.cash(margin, money)])
    at = seen.liquidation_price
    shown = "never" if at is None else f"{words.price(at)} {words.name(money)}"
    facts.append(["Position liquidated at", shown])
    if at is not None and leg.price > 0.0:  # false for NaN
        facts.append(["From the last price", f"{_percent(abs(at / leg.price - 1.0))} away"])
    return facts


def _percent(fraction: float) -> str:
    return f"{fraction * 100.0:.2f} %"


# ------------------------------------------------------------------------ what is sold short
def _short(
    draft: Draft, seen: OrderPreview, fills: Filling, leg: Leg, venue: SimulatedVenue
) -> list[list[str]]:
    if draft.side == "buy" or not fills.opening or fills.price is None:
        return []
    last = fills.price if math.isnan(leg.price) else max(fills.price, leg.price)
    reserve = rules.SHORT_RESERVE * fills.opening * last * leg.market.multiplier
    percent = f"{rules.SHORT_RESERVE * 100.0:g} %"
    return [[f"Short reserve, {percent} of its worth", words.cash(reserve, seen.currency)]]


_FACTS: Final[
    dict[
        AssetClass,
        Callable[[Draft, OrderPreview, Filling, Leg, SimulatedVenue], list[list[str]]],
    ]
] = {
    AssetClass.Prediction: _prediction,
    AssetClass.Option: _option,
    AssetClass.Perp: _perp,
    AssetClass.Equity: _short,
    AssetClass.Crypto: _short,
}
