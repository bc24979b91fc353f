"""A second set of books, kept the slow way and sharing no code with the package.

It is told the contracts, each tick, each order as it is seen open, each fill and each
settlement, and recounts everything from those. Money and sizes are decimals of sixty
digits, so its own rounding never shows.
"""

from __future__ import annotations

import decimal
import math
from dataclasses import dataclass, field
from decimal import Decimal

EXACT = decimal.Context(prec=60, Emax=10**6, Emin=-(10**6))
ZERO = Decimal(0)
#: Four units in the last place of a float: less than this part of a size is its rounding.
DUST = Decimal("8.9e-16")


def exact(number: float) -> Decimal:
    return EXACT.create_decimal_from_float(number)


def times(*numbers: Decimal) -> Decimal:
    product = numbers[0]
    for number in numbers[1:]:
        product = EXACT.multiply(product, number)
    return product


def plus(*numbers: Decimal) -> Decimal:
    total = numbers[0]
    for number in numbers[1:]:
        total = EXACT.add(total, number)
    return total


@dataclass(frozen=True)
class Terms:
    """The terms of an account that decide what fills cost."""

    cash: float = 100_000.0
    maker: float = 0.0
    taker: float = 0.0
    slippage: float = 0.0
    quotes: bool = False
    touch: bool = False
    now: bool = True
    enforce: bool = True


@dataclass(frozen=True)
class Contract:
    """What one market trades."""

    id: str
    kind: str  # equity, crypto, option, prediction, perp
    multiplier: float = 1.0
    strike: float = 0.0


@dataclass
class Tick:
    """The last tick of a market, in YES prices; NaN is what it did not bring."""

    price: float = math.nan
    bid: float = math.nan
    ask: float = math.nan
    seconds: float = -math.inf


@dataclass
class Working:
    """An open order."""

    id: str
    leg: str
    sign: int
    quantity: float
    price: float | None
    ioc: bool = False
    reduce_only: bool = False
    taker: bool = False
    unit: float = 0.0  # reserved per unit opened
    reference: float = 0.0  # its own price in notional
    filled: float = 0.0

    @property
    def left(self) -> float:
        return self.quantity - self.filled


@dataclass
class Holding:
    """One position: signed size and the signed money it was entered for."""

    size: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    traded: float = 0.0  # sum of all sizes, the measure of rounding
    largest: float = 0.0  # of position and trade at the last fill


@dataclass
class Verdict:
    """What an order would be, and why it should be refused."""

    opening: float
    unit: float
    reference: float
    taker: bool
    required: float
    available: float
    refusal: str | None
    is_close: bool  # required and available are too near each other to tell


def flip(price: float) -> float:
    """The price of the other side of a prediction, on twelve decimals."""
    return price if math.isnan(price) else round(1.0 - price, 12)


def at_or_beyond(price: float, limit: float, sign: int) -> bool:
    return sign * (price - limit) <= 1e-9 * abs(limit)


@dataclass
class Book:
    """Everything an account should be, recounted."""

    terms: Terms
    contracts: dict[str, Contract]
    cash: Decimal = ZERO
    fees: Decimal = ZERO
    realized: Decimal = ZERO
    gross: float = 0.0
    peak: float = 0.0  # of notional ever held: what prices multiply beyond what was traded
    holdings: dict[str, Holding] = field(default_factory=dict)
    ticks: dict[str, Tick] = field(default_factory=dict)
    queues: dict[str, list[Working]] = field(default_factory=dict)
    leverage: dict[str, float] = field(default_factory=dict)
    settled: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cash = exact(self.terms.cash)

    # ------------------------------------------------------------------ reading
    def contract(self, leg: str) -> Contract:
        return self.contracts[leg.removesuffix(":no")]

    def holding(self, leg: str) -> Holding:
        return self.holdings.setdefault(leg, Holding())

    def held(self, leg: str) -> float:
        found = self.holdings.get(leg)
        return 0.0 if found is None else float(found.size)

    def sides(self, market: str) -> list[str]:
        both = self.contracts[market].kind == "prediction"
        return [market, f"{market}:no"] if both else [market]

    def tick_of(self, leg: str) -> Tick:
        """The last tick as a side sees it."""
        tick = self.ticks.get(leg.removesuffix(":no"), Tick())
        if leg.endswith(":no"):
            return Tick(flip(tick.price), flip(tick.ask), flip(tick.bid), tick.seconds)
        return tick

    def queue(self, leg: str) -> list[Working]:
        return self.queues.setdefault(leg.removesuffix(":no"), [])

    def is_busy(self, market: str) -> bool:
        """Whether anything is held or open in a market."""
        return bool(self.queue(market)) or any(self.held(leg) for leg in self.sides(market))

    # ------------------------------------------------------------------ prices
    def quoted(self, tick: Tick) -> bool:
        return self.terms.quotes and not (math.isnan(tick.bid) and math.isnan(tick.ask))

    def market_price(self, leg: str, sign: int, reference: float) -> float:
        price = reference * (1 + sign * self.terms.slippage)
        if self.contract(leg).kind == "prediction":
            price = min(max(price, 0.0), 1.0)
        return price

    def starts_from(self, leg: str, sign: int) -> float:
        """What a market order of this moment starts from; NaN where there is nothing."""
        tick = self.tick_of(leg)
        if self.quoted(tick):
            opposite = tick.ask if sign > 0 else tick.bid
            if not math.isnan(opposite) or self.terms.now:
                return opposite
        return tick.price

    def is_taker(self, leg: str, sign: int, limit: float) -> bool:
        tick = self.tick_of(leg)
        meets = tick.price
        if self.quoted(tick):
            meets = tick.ask if sign > 0 else tick.bid
        return at_or_beyond(meets, limit, sign)

    # ------------------------------------------------------------------ reserves
    def short_reserve(self, contract: Contract, price: float) -> float:
        """Held back for each unit short."""
        if contract.kind == "prediction":
            return contract.multiplier
        if contract.kind == "option":
            return (price + 0.2 * contract.strike) * contract.multiplier
        return 1.5 * price * contract.multiplier

    def unit_of(self, leg: str, sign: int, price: float, taker: bool, leverage: float) -> float:
        contract, last = self.contract(leg), self.tick_of(leg).price
        last = price if math.isnan(last) else last
        rate = max(self.terms.taker if taker else self.terms.maker, 0.0)
        fee = price * contract.multiplier * rate
        if contract.kind == "perp":
            worse = max(price - last, 0.0) if sign > 0 else max(last - price, 0.0)
            return (price / leverage + worse) * contract.multiplier + fee
        if sign > 0:
            return price * contract.multiplier + fee
        proceeds = price * contract.multiplier
        return max(self.short_reserve(contract, max(price, last)) - proceeds + fee, 0.0)

    def openings(self, leg: str, sign: int) -> dict[str, float]:
        """Opening part of each open order: what it adds once the earlier ones have filled."""
        parts: dict[str, float] = {}
        held = at_first = self.held(leg)
        for order in self.queue(leg):
            if order.leg != leg or order.sign != sign:
                continue
            closable = max(-sign * held, 0.0)
            traded, opening = order.left, order.left - min(order.left, closable)
            if order.reduce_only:
                traded, opening = min(order.left, closable), 0.0
            if closable > 0.0 and opening <= 1e-12 * abs(at_first):
                opening = 0.0
            parts[order.id] = opening
            held += sign * traded
            if abs(held) <= 1e-12 * abs(at_first):
                held = 0.0
        return parts

    def all_openings(self) -> dict[str, float]:
        parts: dict[str, float] = {}
        for queue in self.queues.values():
            for leg, sign in {(order.leg, order.sign): None for order in queue}:
                parts.update(self.openings(leg, sign))
        return parts

    def margin(self, leg: str) -> float:
        return abs(float(self.holding(leg).cost)) / self.leverage.get(leg, 1.0)

    def worth(self, leg: str) -> float:
        """Size times mark times multiplier."""
        held = self.held(leg)
        if held == 0.0:
            return 0.0
        return held * self.tick_of(leg).price * self.contract(leg).multiplier

    def unrealized(self, leg: str) -> float:
        holding = self.holding(leg)
        if holding.size == 0:
            return 0.0
        contract = self.contract(leg)
        mark = exact(self.tick_of(leg).price)
        return float(plus(times(holding.size, mark, exact(contract.multiplier)), -holding.cost))

    def recount(self) -> dict[str, float]:
        """Equity, reserves, notional and buying power from nothing but the facts."""
        values, reserves, notional, losses, profits = [], [], [], [], []
        for leg, holding in self.holdings.items():
            if holding.size == 0:
                continue
            contract, worth, profit = self.contract(leg), self.worth(leg), self.unrealized(leg)
            notional.append(abs(worth))
            profits.append(profit)
            if contract.kind == "perp":
                values.append(profit)
                reserves.append(self.margin(leg))
                losses.append(min(profit, 0.0))
                continue
            values.append(worth)
            if holding.size < 0:
                per_unit = self.short_reserve(contract, self.tick_of(leg).price)
                reserves.append(-self.held(leg) * per_unit)
        openings = self.all_openings()
        orders = [o for queue in self.queues.values() for o in queue]
        reserved = math.fsum(openings[o.id] * o.unit for o in orders)
        ordered = math.fsum(
            openings[o.id] * o.reference * self.contract(o.leg).multiplier for o in orders
        )
        cash = float(self.cash)
        return {
            "cash": cash,
            "equity": math.fsum([cash, *values]),
            "unrealized": math.fsum(profits),
            "position_reserve": math.fsum(reserves) - math.fsum(losses),
            "position_notional": math.fsum(notional),
            "order_reserve": reserved,
            "order_notional": ordered,
            "buying_power": math.fsum([cash, *losses, *(-r for r in reserves), -reserved]),
            "opening_orders": sum(part > 0.0 for part in openings.values()),
        }

    # ------------------------------------------------------------------ what should happen
    def judge(
        self,
        leg: str,
        sign: int,
        quantity: float,
        limit: float | None,
        post_only: bool,
        reduce_only: bool,
        leverage: float,
        available: float,
    ) -> Verdict:
        """What an order would be, sent at this moment."""
        if limit is None:
            reference, taker = self.market_price(leg, sign, self.starts_from(leg, sign)), True
        else:
            reference, taker = limit, self.is_taker(leg, sign, limit)
        new = Working("new", leg, sign, quantity, limit, reduce_only=reduce_only)
        queue = self.queue(leg)
        queue.append(new)
        opening = self.openings(leg, sign)["new"]
        queue.pop()
        unit = 0.0
        if not math.isnan(reference):
            unit = self.unit_of(leg, sign, reference, taker, leverage)
        required = opening * unit
        closable = max(-sign * self.held(leg), 0.0)
        refusal = None
        if leg.removesuffix(":no") in self.settled:
            refusal = "settled"
        elif math.isnan(reference):
            refusal = "no price"
        elif post_only and taker:
            refusal = "post_only"
        elif reduce_only and quantity - closable > 1e-12 * closable:
            refusal = "reduce_only"
        elif opening and self.terms.enforce and required > available:
            refusal = "buying power"
        slack = 1e-9 * max(required, abs(available), abs(float(self.cash)))
        is_close = abs(required - available) <= slack
        return Verdict(opening, unit, reference, taker, required, available, refusal, is_close)

    def matches(
        self, market: str, price: float, bar: tuple[float, float, float], bid: float, ask: float
    ) -> list[tuple[str, float, float, bool]]:
        """The fills that a tick (in YES prices) should make: order, size, price, maker.

        `bar` is open, high and low; the tick is in `ticks` already.
        """
        if market in self.settled:
            return []
        opened, high, low = bar
        quoted = self.terms.quotes and not (math.isnan(bid) and math.isnan(ask))
        lowest, highest = price, price
        if quoted:
            lowest, highest = ask, bid
        elif self.terms.touch:
            # What the bar is known to have traded at; a missing part is NaN.
            lowest = min(part for part in (price, opened, low) if not math.isnan(part))
            highest = max(part for part in (price, opened, high) if not math.isnan(part))
        held = {leg: self.held(leg) for leg in self.sides(market)}
        fills: list[tuple[str, float, float, bool]] = []
        ended: set[str] = set()
        for order in self.queue(market):
            if order.id in ended:
                continue
            is_no = order.leg.endswith(":no")
            buys, sells = (flip(highest), flip(lowest)) if is_no else (lowest, highest)
            start = flip(opened) if is_no else opened
            meets = buys if order.sign > 0 else sells
            if order.price is None:
                reference = meets
                if not quoted:
                    last = flip(price) if is_no else price
                    reference = last if math.isnan(start) else start
                if math.isnan(reference):
                    continue
                paid = self.market_price(order.leg, order.sign, reference)
            elif at_or_beyond(meets, order.price, order.sign):
                paid = order.price
                is_better = order.sign * (start - paid) < 0  # false for a missing open
                if self.terms.touch and not quoted and is_better:
                    paid = start
            else:
                continue
            size = order.left
            if order.reduce_only:
                size = min(size, max(-order.sign * held[order.leg], 0.0))
            held[order.leg] += order.sign * size
            if abs(held[order.leg]) <= 1e-15 * size:
                held[order.leg] = 0.0
            fills.append((order.id, size, paid, order.price is not None and not order.taker))
            # After each fill, what cannot reduce any more is at its end.
            ended |= {
                other.id
                for other in self.queue(market)
                if other.reduce_only and other.sign * held[other.leg] >= 0.0
            }
        return fills

    # ------------------------------------------------------------------ what did happen
    def rests(self, order: Working, leverage: float) -> None:
        """An order is seen open for the first time, or anew at another price."""
        market = order.leg.removesuffix(":no")
        if self.contracts[market].kind == "perp":
            self.leverage[market] = leverage
        self.queue(order.leg).append(order)

    def ends(self, order: Working) -> None:
        self.queue(order.leg).remove(order)

    def fill(self, leg: str, sign: int, quantity: float, price: float, fee: float) -> float:
        """Book one fill; returns the profit it realises."""
        contract, holding = self.contract(leg), self.holding(leg)
        traded = times(exact(quantity), Decimal(sign))
        money = times(exact(price), exact(contract.multiplier))
        before = holding.size
        holding.traded += quantity
        holding.largest = max(abs(float(before)), quantity)
        self.gross += quantity * price * contract.multiplier
        gain = ZERO
        closing = ZERO
        if before * traded < 0:
            closing = -traded if abs(traded) <= abs(before) else before
            part = EXACT.divide(closing, before)
            leaves = holding.cost if part == 1 else times(holding.cost, part)
            gain = plus(times(closing, money), -leaves)
            holding.cost = plus(holding.cost, -leaves)
        opened = plus(traded, closing)
        holding.cost = plus(holding.cost, times(opened, money))
        holding.size = plus(before, traded)
        if abs(holding.size) <= EXACT.multiply(DUST, max(abs(before), abs(traded))):
            # What is left is rounding of the sizes: flat, and all of its cost is realised.
            gain = plus(gain, -holding.cost)
            holding.size = holding.cost = ZERO
        holding.realized = plus(holding.realized, gain)
        self.realized = plus(self.realized, gain)
        self.fees = plus(self.fees, exact(fee))
        moved = gain if contract.kind == "perp" else -times(traded, money)
        self.cash = plus(self.cash, moved, -exact(fee))
        return float(gain)

    def settle(self, market: str, price: float) -> list[tuple[str, float, float]]:
        """Close a market at a price; returns what was held, by side."""
        self.settled[market] = price
        tick = self.ticks.setdefault(market, Tick())
        tick.price, tick.bid, tick.ask = price, math.nan, math.nan
        closed = []
        for leg in self.sides(market):
            holding = self.holding(leg)
            if holding.size == 0:
                continue
            at = flip(price) if leg.endswith(":no") else price
            contract = self.contracts[market]
            got = times(holding.size, exact(at), exact(contract.multiplier))
            # A contract of a tiny price can pay a whole unit: money of that size has moved.
            self.gross += abs(float(got))
            gain = plus(got, -holding.cost)
            self.realized = plus(self.realized, gain)
            self.cash = plus(self.cash, gain if contract.kind == "perp" else got)
            closed.append((leg, float(holding.size), at))
            holding.realized = plus(holding.realized, gain)
            holding.size = holding.cost = ZERO
        return closed

    def forget_dust(self, leg: str) -> None:
        """A position was found gone: what is left here is the rounding of its fills."""
        holding = self.holding(leg)
        if holding.size != 0:
            # Its money was realised with the last fill.
            self.realized = plus(self.realized, -holding.cost)
            holding.realized = plus(holding.realized, -holding.cost)
            holding.size = holding.cost = ZERO

    # ------------------------------------------------------------------ how near is near
    def scale(self) -> float:
        """Initial cash and gross notional traded: what rounding is measured against."""
        return self.terms.cash + self.gross
