"""What this machine does without any library, to measure everything else against.

Machines differ and a shared one drifts, so a figure is only worth its ratio to these, taken in
the same run.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


def _first(x: int) -> int:
    return x


def _second(x: int) -> int:
    return x


def bare_loop(n: int = 400_000) -> float:
    """Iterations per second of a loop that calls two functions that do nothing."""
    numbers = range(n)
    start = time.perf_counter()
    for number in numbers:
        _first(number)
        _second(number)
    return n / (time.perf_counter() - start)


class _Resting:
    __slots__ = ("number", "price", "sign", "size")

    def __init__(self, number: int, sign: int, price: float, size: float) -> None:
        self.number = number
        self.sign = sign
        self.price = price
        self.size = size


class _SlimExchange:
    """The least that an honest event loop with order objects can do: no checks, no account."""

    def __init__(self) -> None:
        self.resting: dict[int, _Resting] = {}
        self.fills: list[tuple[int, int, float]] = []
        self.count = 0
        self.position = 0.0
        self.cash = 0.0

    def place(self, sign: int, price: float, size: float) -> int:
        self.count += 1
        self.resting[self.count] = _Resting(self.count, sign, price, size)
        return self.count

    def cancel_all(self) -> None:
        self.resting.clear()

    def tick(self, price: float) -> None:
        for order in list(self.resting.values()):
            if order.sign * (price - order.price) <= 1e-9:
                self.position += order.sign * order.size
                self.cash -= order.sign * order.size * order.price
                self.fills.append((order.number, order.sign, order.price))
                del self.resting[order.number]


def slim_order_loop(n: int = 50_000) -> float:
    """Ticks per second of that exchange, a quoter replacing both its quotes on each."""
    chance = random.Random(7)
    price, prices = 50.0, []
    for _ in range(n):
        price = min(max(price + chance.choice((-1.0, 0.0, 1.0)), 5.0), 95.0)
        prices.append(price)
    exchange = _SlimExchange()
    start = time.perf_counter()
    for price in prices:
        exchange.tick(price)
        exchange.cancel_all()
        exchange.place(1, price - 2.0, 10.0)
        exchange.place(-1, price + 2.0, 10.0)
    return n / (time.perf_counter() - start)


@dataclass(frozen=True)
class Figure:
    """Medians over the rounds, and the spread of the rates."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    per_yardstick: float
    yardstick: str


def measure(
    named: dict[str, tuple[str, Callable[[], float]]], rounds: int = ROUNDS
) -> tuple[list[Figure], dict[str, float]]:
    """Take every rate `rounds` times, each between two runs of its yardstick; return medians.

    The ratio is the median of the rounds' own ratios, so that a slow minute slows both sides.
    """
    bare: list[float] = []
    slim: list[float] = []
    rates: dict[str, list[float]] = {name: [] for name in named}
    ratios: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(rounds):
        for name, (kind, rate) in named.items():
            loop = bare_loop if kind == "bare" else slim_order_loop
            before, measured, after = loop(), rate(), loop()
            yardstick = (before + after) / 2
            (bare if kind == "bare" else slim).append(yardstick)
            rates[name].append(measured)
            ratios[name].append(yardstick / measured)
    figures = [
        Figure(
            name,
            "/s",
            statistics.median(rates[name]),
            min(rates[name]),
            max(rates[name]),
            statistics.median(ratios[name]),
            "bare loop" if kind == "bare" else "slim order loop",
        )
        for name, (kind, _) in named.items()
    ]
    base = {"bare loop": statistics.median(bare or [bare_loop()])}
    base["slim order loop"] = statistics.median(slim or [slim_order_loop()])
    return figures, base
