"""The rules of money and matching, as pure functions of scalars.

Every venue, the account and any compiled loop use these and no others. They take floats,
ints and bools, return the same, read nothing else and never raise on checked input. Only
operations with one right answer in IEEE 754 are used (+ - x ÷, comparisons, floor, abs), so
that machine code made from the same source gives the same bits.

Conventions: `sign` is 1 for buys and long, -1 for sells and short; quantities of positions are
signed, of orders positive; `asset_class` is the number of an `horizon.types.AssetClass`;
rates and slippage are fractions; `multiplier` is currency per point and unit.
"""

from __future__ import annotations

import math

__all__ = [
    "average_after",
    "closed_cost",
    "closed_quantity",
    "complement",
    "exceeds",
    "fee",
    "is_affordable",
    "is_liquidated",
    "marketable_price",
    "notional",
    "opening_part",
    "position_reserve",
    "quantity_after",
    "reaches",
    "realized",
    "two_sum",
    "unit_reserve",
    "unrealized",
    "value",
]

# Numba freezes module globals into the code, as it should: these are constants.
_OPTION = 1
_PREDICTION = 2
_PERP = 3

#: A price reaches a limit from within this fraction of it.
REACH = 1e-9
#: What is left of a quantity below this fraction of the sizes it came from is rounding: four
#: units in the last place.
DUST = 8.9e-16
#: Slack of a comparison of sums against a limit: far above their rounding, far below a cent.
SLACK = 1e-12
#: A short position reserves this multiple of its notional (equity, crypto).
SHORT_RESERVE = 1.5
#: A short option reserves its premium and this fraction of the strike.
OPTION_RESERVE = 0.2
#: A perpetual is closed at the latest when this fraction of its notional is left.
MAINTENANCE = 0.05


def complement(price: float) -> float:
    """Price of NO at a price of YES, and the other way round: 1 - p on twelve decimals."""
    return math.floor((1.0 - price) * 1e12 + 0.5) / 1e12


def reaches(price: float, limit: float, sign: int) -> bool:
    """Whether a price is at a limit or beyond: at or below for a buy, above for a sell."""
    return sign * (price - limit) <= REACH * abs(limit)


def marketable_price(reference: float, sign: int, slippage: float, asset_class: int) -> float:
    """Price of a market order: the reference moved against it; predictions stay in [0, 1]."""
    price = reference * (1.0 + sign * slippage)
    if asset_class == _PREDICTION:
        price = min(max(price, 0.0), 1.0)
    return price


def notional(quantity: float, price: float, multiplier: float) -> float:
    """Size of a trade or a position in money, without sign."""
    return abs(quantity * price * multiplier)


def fee(quantity: float, price: float, multiplier: float, rate: float) -> float:
    """Fee of a fill: |quantity x price x multiplier| x rate; below 0 is a rebate."""
    return abs(quantity * price * multiplier) * rate


def closed_quantity(held: float, traded: float) -> float:
    """How much of a signed trade reduces the signed position held, without sign."""
    # Signs are compared, not multiplied: a product of very small sizes would be 0.
    if held == 0.0 or (held > 0.0) == (traded > 0.0):
        return 0.0
    return min(abs(held), abs(traded))


def quantity_after(held: float, held_low: float, traded: float) -> tuple[float, float]:
    """Position after a signed trade, as a compensated pair; dust is flat.

    The pair's second part holds what the first rounds away, so that a million small fills
    closed by one large one leave nothing.
    """
    high, low = two_sum(held, held_low, traded)
    rounded, rest = two_sum(high, 0.0, low)
    if abs(rounded) <= DUST * max(abs(held), abs(traded)):
        return 0.0, 0.0
    return rounded, rest


def average_after(held: float, average: float, traded: float, price: float) -> float:
    """Average entry price after a signed trade: it moves only where the position grows.

    A reduction keeps it, a flip starts anew at the trade's price.
    """
    if held == 0.0:
        return price
    if (held > 0.0) != (traded > 0.0):
        return price if abs(traded) > abs(held) else average
    return average + (price - average) * (traded / (held + traded))


def closed_cost(
    held: float, average: float, cost: float, closed: float, multiplier: float
) -> float:
    """Entry cost that leaves a position with the part that is closed, signed like it.

    All of it where all is closed, so that rounding of the average never outlives a position.
    """
    if closed >= abs(held):
        return cost
    return math.copysign(closed * average * multiplier, held)


def realized(held: float, closed: float, price: float, multiplier: float, cost: float) -> float:
    """Profit of closing a part of a position whose entry cost was `cost`, before fees."""
    return math.copysign(closed * price * multiplier, held) - cost


def unrealized(held: float, mark: float, multiplier: float, cost: float) -> float:
    """Profit of a position at its mark over its signed entry cost, before fees."""
    return held * mark * multiplier - cost


def value(asset_class: int, held: float, mark: float, multiplier: float, cost: float) -> float:
    """What a position adds to equity beside cash: its worth, or a perpetual's open profit."""
    if asset_class == _PERP:
        return held * mark * multiplier - cost
    return held * mark * multiplier


def position_reserve(
    asset_class: int,
    held: float,
    mark: float,
    multiplier: float,
    cost: float,
    strike: float,
    leverage: float,
) -> float:
    """Money that a position holds back from buying power.

    Perpetual: its margin and its open loss. Short equity or crypto: 150 % of notional at the
    mark. Short option: the premium and 20 % of strike. Short prediction: 1.00 a contract. A
    long position is paid for and reserves nothing.
    """
    if asset_class == _PERP:
        open_profit = held * mark * multiplier - cost
        return abs(cost) / leverage + max(-open_profit, 0.0)
    if held >= 0.0:
        return 0.0
    return -held * _short_reserve(asset_class, mark, multiplier, strike)


def _short_reserve(asset_class: int, mark: float, multiplier: float, strike: float) -> float:
    if asset_class == _PREDICTION:
        return multiplier
    if asset_class == _OPTION:
        return (mark + OPTION_RESERVE * strike) * multiplier
    return SHORT_RESERVE * mark * multiplier


def unit_reserve(
    asset_class: int,
    sign: int,
    price: float,
    last: float,
    multiplier: float,
    strike: float,
    leverage: float,
    fee_rate: float,
) -> float:
    """Money that an open order reserves for each unit that it would open.

    Parameters
    ----------
    price : float
        The limit, or what a market order is expected to pay.
    last : float
        The market's last price; `price` where there is none.

    Notes
    -----
    Buy: price and fee. Short: what the position will reserve at the worse of price and last,
    less the proceeds, plus fee. Perpetual: margin, what the price is worse than last, fee. A
    rebate counts as no fee; the whole is never below 0.
    """
    cost = price * multiplier * fee_rate if fee_rate > 0.0 else 0.0
    if asset_class == _PERP:
        cost += (price / leverage + max(sign * (price - last), 0.0)) * multiplier
    elif sign > 0:
        cost += price * multiplier
    else:
        reserve = _short_reserve(asset_class, max(price, last), multiplier, strike)
        cost += reserve - price * multiplier
    return cost if cost > 0.0 else 0.0


def opening_part(quantity: float, closable: float, held: float) -> float:
    """How much of an order opens.

    Parameters
    ----------
    quantity : float
        What the order may still fill.
    closable : float
        What it may close: the opposite position, less what earlier orders close of it.
    held : float
        The position, the measure of what is rounding.
    """
    if closable <= 0.0:
        return quantity
    opening = quantity - closable
    if opening <= SLACK * abs(held):
        return 0.0
    return opening


def is_affordable(required: float, available: float, cash: float) -> bool:
    """Whether buying power covers what an order needs, to rounding."""
    if required <= available:
        return True
    return required - available <= SLACK * max(required, abs(cash))


def exceeds(amount: float, limit: float) -> bool:
    """Whether an amount is above a limit, to rounding."""
    return amount - limit > SLACK * limit


def is_liquidated(margin: float, open_profit: float, at_mark: float) -> bool:
    """Whether what is left of a perpetual's margin no longer carries it.

    Parameters
    ----------
    margin : float
        Entry notional over leverage.
    open_profit : float
        Unrealised profit.
    at_mark : float
        Notional at the mark.
    """
    return margin + open_profit <= min(margin / 2.0, MAINTENANCE * at_mark)


def two_sum(high: float, low: float, term: float) -> tuple[float, float]:
    """Add a term to a compensated sum, whose value is high + low.

    The rounding error of the addition is found exactly and kept in `low` (Knuth, The Art of
    Computer Programming 2, 4.2.2, theorem B).
    """
    total = high + term
    virtual = total - high
    return total, low + ((high - (total - virtual)) + (term - virtual))
