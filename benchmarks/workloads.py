"""The data and the strategies of the backtest benchmarks: random walks with known seeds.

Needs NumPy alone, so that a peer's own environment can import it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SEED = 42
ROWS = 200_000
BARS = 500_000
SIZE = 10.0
START = 1_700_000_000

#: A quoter stands this far from its fair price, on both sides.
HALF_SPREAD = 0.02
FAST, SLOW = 10, 30

_STEPS = np.arange(-3, 4)
_CHANCES = (0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05)
_LOW, _HIGH = 3, 97

Columns = dict[str, NDArray[np.float64]]


def walk(n: int = ROWS, seed: int = SEED) -> NDArray[np.int64]:
    """Walk in whole cents from 50, by -3 to 3 a step, turned back at 3 and at 97.

    So a quote two cents away is always a price that a prediction market can have.
    """
    steps = np.random.default_rng(seed).choice(_STEPS, size=n, p=_CHANCES)
    cents, at = [], 50
    for step in steps.tolist():
        at += step
        if at < _LOW:
            at = 2 * _LOW - at
        elif at > _HIGH:
            at = 2 * _HIGH - at
        cents.append(at)
    return np.array(cents)


def crossings(cents: NDArray[np.int64], matching: str) -> int:
    """How often a quoter two cents from each price is filled at the next one, counted directly.

    Quotes lie a cent from their price, so that ``"quotes"`` needs a step of three.
    """
    return int(np.count_nonzero(np.abs(np.diff(cents)) >= {"quotes": 3, "price": 2}[matching]))


def ticks(n: int = ROWS, seed: int = SEED) -> Columns:
    """W1: a price a second, with a bid and an ask a cent to either side."""
    cents = walk(n, seed)
    return {
        "timestamp": START + np.arange(n, dtype=float),
        "price": np.round(cents / 100, 2),
        "bid": np.round((cents - 1) / 100, 2),
        "ask": np.round((cents + 1) / 100, 2),
    }


def market_ticks(markets: int, rows: int) -> tuple[Columns, NDArray[np.str_]]:
    """Split the same number of rows over many markets, in turns, each row at its own time."""
    each = rows // markets
    walks = np.column_stack([walk(each, SEED + number) for number in range(markets)])
    cents = walks.reshape(-1)
    columns = {
        "timestamp": START + np.arange(len(cents), dtype=float),
        "price": np.round(cents / 100, 2),
        "bid": np.round((cents - 1) / 100, 2),
        "ask": np.round((cents + 1) / 100, 2),
    }
    return columns, np.tile(np.array([f"m{number}" for number in range(markets)]), each)


def books(n: int = ROWS, levels: int = 5) -> Columns:
    """W2: snapshots of `levels` levels a side around the same walk, sizes 1 to 499.

    A level that no prediction market can have is NaN. Shapes (n,) and (n, levels).
    """
    cents = walk(n)
    chance = np.random.default_rng(SEED + 1)
    away = np.arange(1, levels + 1)
    bids, asks = cents[:, None] - away, cents[:, None] + away
    bid_sizes = chance.integers(1, 500, size=bids.shape).astype(float)
    ask_sizes = chance.integers(1, 500, size=asks.shape).astype(float)
    no_bid, no_ask = bids < 1, asks > 99
    found = {
        "timestamp": START + np.arange(n, dtype=float),
        "bid_prices": np.round(bids / 100, 2),
        "bid_sizes": bid_sizes,
        "ask_prices": np.round(asks / 100, 2),
        "ask_sizes": ask_sizes,
    }
    for side, missing in (("bid", no_bid), ("ask", no_ask)):
        found[f"{side}_prices"][missing] = np.nan
        found[f"{side}_sizes"][missing] = np.nan
    return found


def bars(n: int = BARS) -> Columns:
    """W3: bars of a minute in whole cents, closes a geometric walk from 100.

    Each opens at the close before it; times are those of the bars' ends.
    """
    chance = np.random.default_rng(SEED)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, 0.0005, n)))
    opened = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opened, close) * (1.0 + chance.uniform(0.0, 0.0003, n))
    low = np.minimum(opened, close) * (1.0 - chance.uniform(0.0, 0.0003, n))
    volume = chance.integers(1, 1000, n).astype(float)
    opened, high, low, close = (np.round(column, 2) for column in (opened, high, low, close))
    return {
        "timestamp": START + 60.0 * np.arange(1, n + 1),
        "open": opened,
        "high": np.maximum(np.maximum(opened, close), high),
        "low": np.minimum(np.minimum(opened, close), low),
        "close": close,
        "volume": volume,
    }


class Crossover:
    """Two moving averages of closes: 1 where the fast one crosses up, -1 down, else 0.

    It starts flat and only ever sells what it has bought, so that positions are 0 or long.
    """

    def __init__(self, fast: int = FAST, slow: int = SLOW) -> None:
        self.fast, self.slow = fast, slow
        self.closes: list[float] = []
        self.fast_sum = self.slow_sum = 0.0
        self.was_above: bool | None = None
        self.is_long = False

    def __call__(self, close: float) -> int:
        closes = self.closes
        closes.append(close)
        self.fast_sum += close
        self.slow_sum += close
        n = len(closes)
        if n > self.fast:
            self.fast_sum -= closes[n - 1 - self.fast]
        if n > self.slow:
            self.slow_sum -= closes[n - 1 - self.slow]
        elif n < self.slow:
            return 0
        above = self.fast_sum * self.slow > self.slow_sum * self.fast
        if above is self.was_above:
            return 0
        first = self.was_above is None
        self.was_above = above
        if first or above is self.is_long:
            return 0
        self.is_long = above
        return 1 if above else -1
