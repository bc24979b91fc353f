"""What the backtest is measured against: its rules written out by hand for one case each.

`quoter` is a two-sided quoter in one prediction market (W1 on ticks, W2 on books), `on_bars`
buys and sells ten units of one stock at the next bar's open (W3). Both keep what `hz.backtest`
keeps: a record of every order and fill, average cost with realised profit, fees, what positions
and orders reserve, the comparisons of every risk rule though no limit is set, and equity at
every row. Nothing else: no other kind of order, market, venue or strategy, and an order's record
is written when the order ends.

`slim_check.py` compares their orders, fills, cash and equity with those of `hz.backtest`, and
`bench_backtest.py` does so before it measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from workloads import HALF_SPREAD, SIZE, Columns, Crossover

CAPITAL = 100_000.0
MAKER, TAKER = 0.0002, 0.001

REACH = 1e-9
SLACK = 1e-12
LARGEST = 1e15
DAY_NS = 86_400 * 10**9

#: number, sign, price (NaN: market), size, filled, average, fees, taker?, sent, ended, status
Order = tuple[int, int, float, float, float, float, float, bool, int, int, str]
#: order number, sign, size, price, fee, time in ns, maker?, realised profit, fair value
Fill = tuple[int, int, float, float, float, int, bool, float, float]
#: The two stages of a quoter.
Stages = tuple[Callable[[Any], float], Callable[[Any, float], Sequence[Any]]]


class Row(NamedTuple):
    """One row: its time in ns, its mark, and what buys and sells meet."""

    now: int
    price: float
    floor: float
    ceiling: float


class Context:
    """What a stage sees."""

    __slots__ = ("feed",)
    feed: Row


@dataclass(slots=True)
class SlimRun:
    """What a run leaves."""

    orders: list[Order | None]
    fills: list[Fill]
    equity: list[float]
    cash: float
    position: float
    average: float
    realized: float
    fees: float
    refused: dict[str, int]


def fair(ctx: Context) -> float:
    """First stage of the quoter."""
    return ctx.feed.price


def quote(ctx: Context, value: float) -> list[tuple[float, float, float]]:
    """Second stage: bid, ask and size, without a look at any of them."""
    return [(value - HALF_SPREAD, value + HALF_SPREAD, SIZE)]


def on_ticks(ticks: Columns, matching: str, stages: Stages = (fair, quote)) -> SlimRun:
    """W1."""
    price = ticks["price"]
    by_quotes = matching == "quotes"
    floors, ceilings = (ticks["ask"], ticks["bid"]) if by_quotes else (price, price)
    return quoter(stages, ticks["timestamp"], price, floors, ceilings)


def on_books(books: Columns, stages: Stages = (fair, quote)) -> SlimRun:
    """W2: a quote fills up to the size shown at its price and beyond."""
    bids, asks = books["bid_prices"], books["ask_prices"]
    bid_sizes, ask_sizes = books["bid_sizes"], books["ask_sizes"]
    for prices in (-bids, asks):
        if not np.all((np.diff(prices) > 0.0) | np.isnan(prices[:, 1:])):
            raise ValueError("a book is not sorted")
    if np.any(bids[:, 0] >= asks[:, 0]):
        raise ValueError("a book is crossed")

    def shown(number: int, sign: int, limit: float) -> float:
        prices, sizes = (asks, ask_sizes) if sign > 0 else (bids, bid_sizes)
        total = 0.0
        for price, size in zip(prices[number].tolist(), sizes[number].tolist(), strict=True):
            if not sign * (price - limit) <= REACH * limit:
                break
            total += size
        return total

    best_bid, best_ask = bids[:, 0], asks[:, 0]
    marks = (best_bid + best_ask) / 2.0
    return quoter(stages, books["timestamp"], marks, best_ask, best_bid, shown)


def quoter(
    stages: Stages,
    seconds: NDArray[np.float64],
    marks: NDArray[np.float64],
    floors: NDArray[np.float64],
    ceilings: NDArray[np.float64],
    shown: Callable[[int, int, float], float] | None = None,
    *,
    halted: bool = False,
    max_size: float = math.inf,
    max_position: float = math.inf,
    max_notional: float = math.inf,
    max_drawdown: float | None = None,
    max_rate: int = 0,
) -> SlimRun:
    """Play the rows: `floors` is what buys meet, `ceilings` sells, `shown` limits a fill.

    Every limit is off; what follows once one is passed is not written here.
    """
    if not np.all((marks >= 0.0) & (marks <= 1.0)):
        raise ValueError("a prediction's prices lie in [0, 1]")
    columns = (times_ns(seconds), marks.tolist(), floors.tolist(), ceilings.tolist())
    fair, quote = stages
    ctx = Context()
    orders: list[Order | None] = []
    fills: list[Fill] = []
    curve: list[float] = []
    refused: dict[str, int] = {}
    cash, cash_low = CAPITAL, 0.0  # compensated, as every sum of an account is
    equity = high = CAPITAL
    held = average = cost = realized = fees = position_reserve = 0.0
    day_end = drawdown_until = 0
    # The two quotes, each described by its number (0: none) and what belongs to it.
    bid = ask = bid_sent = ask_sent = 0
    bid_price = bid_size = bid_left = bid_fees = bid_unit = bid_reserve = bid_value = 0.0
    ask_price = ask_size = ask_left = ask_fees = ask_unit = ask_reserve = ask_value = 0.0
    bid_taker = ask_taker = False

    for row in map(Row._make, zip(*columns, strict=True)):
        now, price, floor, ceiling = row
        if now >= day_end:
            day_end = (now // DAY_NS + 1) * DAY_NS
            high = equity
        elif equity > high:
            high = equity

        # ---- matching; bid lies below ask in both places, so that one quote fills at most
        sign = 0
        if bid and floor - bid_price <= REACH * bid_price:
            sign, at, left, is_maker = 1, bid_price, bid_left, not bid_taker
        elif ask and ask_price - ceiling <= REACH * ask_price:
            sign, at, left, is_maker = -1, ask_price, ask_left, not ask_taker
        if sign:
            size = left
            if shown is not None:
                size = min(size, shown(len(curve), sign, at))
            fee = size * at * (MAKER if is_maker else TAKER)
            traded = sign * size
            before = held
            held += traded
            gain = 0.0
            if before == 0.0:
                average, cost = at, traded * at
            elif (before > 0.0) == (sign > 0):
                average += (at - average) * (traded / held)
                cost += traded * at
            elif size < abs(before):
                part = math.copysign(size * average, before)
                gain = math.copysign(size * at, before) - part
                cost -= part
            else:
                gain = before * at - cost
                average, cost = (at, held * at) if held != 0.0 else (0.0, 0.0)
            realized += gain
            fees += fee
            for term in (-traded * at, -fee):
                total = cash + term
                virtual = total - cash
                cash_low += (cash - (total - virtual)) + (term - virtual)
                cash = total
            position_reserve = -held if held < 0.0 else 0.0
            left -= size
            if sign > 0:
                bid_fees += fee
                fills.append((bid, 1, size, at, fee, now, is_maker, gain, bid_value))
                if left <= SLACK * bid_size:
                    orders[bid - 1] = (
                        bid, 1, at, bid_size, bid_size, at, bid_fees, bid_taker,
                        bid_sent, now, "filled",
                    )  # fmt: skip
                    bid, left = 0, 0.0
                bid_left = left
            else:
                ask_fees += fee
                fills.append((ask, -1, size, at, fee, now, is_maker, gain, ask_value))
                if left <= SLACK * ask_size:
                    orders[ask - 1] = (
                        ask, -1, at, ask_size, ask_size, at, ask_fees, ask_taker,
                        ask_sent, now, "filled",
                    )  # fmt: skip
                    ask, left = 0, 0.0
                ask_left = left
            # The position has changed, and with it what either order would open.
            bid_reserve = opening_part(bid_left, -held) * bid_unit if bid else 0.0
            ask_reserve = opening_part(ask_left, held) * ask_unit if ask else 0.0

        # ---- equity, and what it may forbid
        equity = (cash + held * price) + cash_low
        if halted or equity <= 0.0 or max_drawdown is not None:
            raise NotImplementedError("no limit is set, and none is passed")
        curve.append(equity)

        # ---- the strategy, and its quotes in place of those that rest
        ctx.feed = row
        value = fair(ctx)
        ((want_bid, want_ask, size),) = quote(ctx, value)
        if want_bid > want_ask or not 0.0 < size <= LARGEST:
            raise ValueError("a quote has its bid above its ask, or no size")
        if bid:
            if want_bid == bid_price and size == bid_left:
                bid_value = value
            else:
                filled = bid_size - bid_left
                orders[bid - 1] = (
                    bid, 1, bid_price, bid_size, filled, bid_price if filled else 0.0,
                    bid_fees, bid_taker, bid_sent, now, "canceled",
                )  # fmt: skip
                bid, bid_reserve = 0, 0.0
        if ask:
            if want_ask == ask_price and size == ask_left:
                ask_value = value
            else:
                filled = ask_size - ask_left
                orders[ask - 1] = (
                    ask, -1, ask_price, ask_size, filled, ask_price if filled else 0.0,
                    ask_fees, ask_taker, ask_sent, now, "canceled",
                )  # fmt: skip
                ask, ask_reserve = 0, 0.0
        if not bid:
            if 0.0 < want_bid < 1.0:
                bid_taker = floor - want_bid <= REACH * want_bid
                opening = size if held >= 0.0 else opening_part(size, -held)
                if opening != 0.0 and (
                    halted
                    or equity <= 0.0
                    or now < drawdown_until
                    or size > max_size
                    or held + size > max_position
                    or max_notional != math.inf
                    or max_rate
                ):
                    raise NotImplementedError("no limit is set, and none is passed")
                bid_unit = want_bid + want_bid * (TAKER if bid_taker else MAKER)
                bid_reserve = opening * bid_unit
                available = (cash - position_reserve - ask_reserve) + cash_low
                if opening != 0.0 and bid_reserve > available:
                    raise NotImplementedError("the money is enough for every order")
                orders.append(None)
                bid, bid_sent, bid_value = len(orders), now, value
                bid_price, bid_size, bid_left, bid_fees = want_bid, size, size, 0.0
            else:
                refused["price_bounds"] = refused.get("price_bounds", 0) + 1
        if not ask:
            if 0.0 < want_ask < 1.0:
                ask_taker = want_ask - ceiling <= REACH * want_ask
                opening = size if held <= 0.0 else opening_part(size, held)
                if opening != 0.0 and (
                    halted
                    or equity <= 0.0
                    or now < drawdown_until
                    or size > max_size
                    or size - held > max_position
                    or max_notional != math.inf
                    or max_rate
                ):
                    raise NotImplementedError("no limit is set, and none is passed")
                ask_unit = 1.0 - want_ask + want_ask * (TAKER if ask_taker else MAKER)
                ask_reserve = opening * ask_unit
                available = (cash - position_reserve - bid_reserve) + cash_low
                if opening != 0.0 and ask_reserve > available:
                    raise NotImplementedError("the money is enough for every order")
                orders.append(None)
                ask, ask_sent, ask_value = len(orders), now, value
                ask_price, ask_size, ask_left, ask_fees = want_ask, size, size, 0.0
            else:
                refused["price_bounds"] = refused.get("price_bounds", 0) + 1

    for number, side, limit, whole, left, paid, taker, sent in (
        (bid, 1, bid_price, bid_size, bid_left, bid_fees, bid_taker, bid_sent),
        (ask, -1, ask_price, ask_size, ask_left, ask_fees, ask_taker, ask_sent),
    ):
        if number:
            filled = whole - left
            at, status = (limit, "partial") if filled else (0.0, "new")
            orders[number - 1] = (
                number, side, limit, whole, filled, at, paid, taker, sent, 0, status,
            )  # fmt: skip
    return SlimRun(orders, fills, curve, cash + cash_low, held, average, realized, fees, refused)


def on_bars(
    bars: Columns,
    *,
    halted: bool = False,
    max_size: float = math.inf,
    max_position: float = math.inf,
    max_notional: float = math.inf,
    max_drawdown: float | None = None,
    max_rate: int = 0,
) -> SlimRun:
    """W3: at most one order at a time, a market order for the next bar's open."""
    opened, high, low, close = (bars[name] for name in ("open", "high", "low", "close"))
    if not np.all((low <= np.minimum(opened, close)) & (high >= np.maximum(opened, close))):
        raise ValueError("a bar contradicts itself")
    if not (np.all(low > 0.0) and np.all(high <= LARGEST)):
        raise ValueError("prices must lie in (0, 1e15]")
    columns = (times_ns(bars["timestamp"]), opened.tolist(), close.tolist())
    cross = Crossover()
    orders: list[Order | None] = []
    fills: list[Fill] = []
    curve: list[float] = []
    cash, cash_low = CAPITAL, 0.0
    equity = day_high = CAPITAL
    held = average = cost = realized = fees = 0.0
    day_end = drawdown_until = sent = sign = 0

    for now, open_, price in zip(*columns, strict=True):
        if now >= day_end:
            day_end = (now // DAY_NS + 1) * DAY_NS
            day_high = equity
        elif equity > day_high:
            day_high = equity
        if sign:
            traded = sign * SIZE
            fee = SIZE * open_ * TAKER
            gain = 0.0
            if sign > 0:
                average, cost = open_, traded * open_
            else:
                gain = SIZE * open_ - cost
                average = cost = 0.0
            held += traded
            realized += gain
            fees += fee
            for term in (-traded * open_, -fee):
                total = cash + term
                virtual = total - cash
                cash_low += (cash - (total - virtual)) + (term - virtual)
                cash = total
            number = len(orders)
            fills.append((number, sign, SIZE, open_, fee, now, False, gain, math.nan))
            orders[number - 1] = (
                number, sign, math.nan, SIZE, SIZE, open_, fee, True, sent, now, "filled",
            )  # fmt: skip
            sign = 0
        equity = (cash + held * price) + cash_low
        if halted or equity <= 0.0 or max_drawdown is not None:
            raise NotImplementedError("no limit is set, and none is passed")
        curve.append(equity)

        sign = cross(price)
        if sign:
            opening = SIZE if sign * held >= 0.0 else opening_part(SIZE, -sign * held)
            if opening != 0.0:
                if (
                    halted
                    or equity <= 0.0
                    or now < drawdown_until
                    or max_size < SIZE
                    or sign * held + SIZE > max_position
                    or max_notional != math.inf
                    or max_rate
                ):
                    raise NotImplementedError("no limit is set, and none is passed")
                if opening * (price + price * TAKER) > cash + cash_low:
                    raise NotImplementedError("the money is enough for every order")
            orders.append(None)
            sent = now
    if sign:
        orders[-1] = (
            len(orders), sign, math.nan, SIZE, 0.0, 0.0, 0.0, True, sent, 0, "new",
        )  # fmt: skip
    return SlimRun(orders, fills, curve, cash + cash_low, held, average, realized, fees, {})


def opening_part(size: float, closable: float) -> float:
    """What an order opens beyond what it closes."""
    if closable <= 0.0:
        return size
    opening = size - closable
    return opening if opening > SLACK * closable else 0.0


def times_ns(seconds: NDArray[np.float64]) -> list[int]:
    times = np.round(seconds * 1e9).astype(np.int64)
    if len(times) == 0 or np.any(times[1:] < times[:-1]):
        raise ValueError("there must be rows, in order of time")
    found: list[int] = times.tolist()
    return found
