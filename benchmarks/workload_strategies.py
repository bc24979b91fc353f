"""The rule of the strategies benchmark: 20 markets, 5,000 daily bars each, four features.

Buy a fixed sum's worth of whole shares on a dip in a rising and calm market, sell when the dip is
over; positions are opened and closed, never resized. The features are

    z      distance of the close from its mean of 20, in standard deviations (divisor 19)
    cross  (mean of 50 - mean of 200) / mean of 200
    rsi    Wilder's index of 14 changes
    vol    standard deviation of the last 20 log returns (divisor 19), per bar

Needs NumPy alone, so that a peer's own environment can import it; `answer` is how a peer's script
answers.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MARKETS = 20
BARS = 5_000
SEED = 42
#: Midnight, so that a bar of a day ends where a day does.
START = 1_000_080_000 // 86_400 * 86_400
DAY = 86_400
CASH = 1_000_000_000.0
NOTIONAL = 10_000.0
FEE_RATE = 0.0005
WINDOW, FAST, SLOW, WILDER = 20, 50, 200, 14
#: Enter below z and rsi, and below the volatility, while cross is above 0.
ENTER_Z, ENTER_RSI, ENTER_VOL = -1.0, 45.0, 0.025
#: Leave above any of these, or where cross is below 0.
LEAVE_Z, LEAVE_RSI = 0.5, 60.0

Columns = dict[str, NDArray[np.float64]]


class Trade(NamedTuple):
    """One fill: market number, number of the bar it was decided on, signed shares, price."""

    market: int
    bar: int
    quantity: float
    price: float


def names(markets: int = MARKETS) -> list[str]:
    return [f"M{number:02}" for number in range(markets)]


def market_bars(number: int, n: int = BARS) -> Columns:
    """Daily bars in whole cents: a geometric walk that drifts, now calm and now not, with gaps.

    A bar bears the time of its end. Opens differ from the closes before them, so that it shows at
    which of the two an order was filled.
    """
    chance = np.random.default_rng((SEED, number))
    calm = np.exp(0.4 * np.sin(np.arange(n) / 90.0 + number))
    moves = chance.normal(0.0004, 0.015, n) * calm
    gaps = chance.normal(0.0, 0.003, n)
    close = 100.0 * np.exp(np.cumsum(moves + gaps))
    opened = np.concatenate([[100.0], close[:-1]]) * np.exp(gaps)
    high = np.maximum(opened, close) * (1.0 + chance.uniform(0.0, 0.01, n))
    low = np.minimum(opened, close) * (1.0 - chance.uniform(0.0, 0.01, n))
    opened, high, low, close = (np.round(column, 2) for column in (opened, high, low, close))
    return {
        "timestamp": START + DAY * np.arange(1, n + 1, dtype=float),
        "open": opened,
        "high": np.maximum(np.maximum(opened, close), high),
        "low": np.minimum(np.minimum(opened, close), low),
        "close": close,
        "volume": np.full(n, 1_000_000.0),
    }


def shares(close: float) -> float:
    """Whole shares that the fixed sum buys at a close."""
    return float(math.floor(NOTIONAL / close))


def enters(z: float, cross: float, rsi: float, vol: float) -> bool:
    return z < ENTER_Z and cross > 0.0 and rsi < ENTER_RSI and vol < ENTER_VOL


def leaves(z: float, cross: float, rsi: float) -> bool:
    return z > LEAVE_Z or cross < 0.0 or rsi > LEAVE_RSI


def timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Seconds by the clock and of the processor, all threads together; and what came of it."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return (time.perf_counter() - clock, time.process_time() - processor), found


#: Prepares a number of bars; returns the run, which returns what it has traded, and the fees.
Workload = Callable[[int], Callable[[], tuple[list[Trade], float]]]


def answer(prepare: Workload) -> None:
    """Run a peer's workload once, and print a line of JSON: both times, fees and trades.

    What it takes to bring the data into the peer's own form, and to compile, is not in the times.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--bars", type=int, default=BARS)
    run = prepare(parser.parse_args().bars)
    times, (trades, fees) = timed(run)
    print(json.dumps({"times": times, "fees": fees, "trades": sorted(trades)}))
