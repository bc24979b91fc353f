"""Clients that write down what a feed sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from horizon import checks


@dataclass
class Recorder:
    """A client with the one rule that matters to a feed: no market's time goes back."""

    clock: float = 1_000.0
    at_tick: Callable[[int], object] | None = None
    divisor: float = 10**9
    ticks: list[tuple[str, float, int, dict[str, float | None]]] = field(default_factory=list)

    @property
    def time(self) -> float:
        latest = max((ns for _, _, ns, _ in self.ticks), default=0)
        return max(self.clock, latest / self.divisor)

    def tick(
        self, market_id: str, price: float, timestamp: object = None, **rest: float | None
    ) -> None:
        if self.at_tick is not None:
            self.at_tick(len(self.ticks))
        ns = checks.timestamp_ns("timestamp", timestamp)
        if any(ns < before for market, _, before, _ in self.ticks[-1:] if market == market_id):
            raise ValueError(f"{market_id} goes back")
        self.ticks.append((market_id, checks.number("price", price), ns, rest))

    @property
    def prices(self) -> list[float]:
        return [price for _, price, _, _ in self.ticks]

    @property
    def times(self) -> list[int]:
        return [ns for _, _, ns, _ in self.ticks]
