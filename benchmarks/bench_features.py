"""How fast features are, and what ten million rows leave of their accuracy.

    python benchmarks/bench_features.py [--rows 10000000] [--rounds 5]

Two tables. The first: rows per second of each feature, one by one (`update`) and as an array
(`batch`), and of a board of four features on 20 markets; each rate is also given as a ratio to a
bare loop taken in the same rounds. pandas' own rolling and ewm stand beside those that it has.

The second: every feature is fed a random walk in steps of 0.01 around 100, in which about every
5,000th price is 1e15. The value after the last row is compared with the definition, worked out in
decimals of 60 digits from the rows that it depends on. Beside it stands the same of a window that
adds what comes and subtracts what goes.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from yardsticks import bare_loop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from horizon.backtesting.context import FeedRow
from horizon.strategies.board import FeatureBoard
from horizon.strategies.features import (
    EMA,
    RSI,
    SMA,
    BollingerZ,
    Feature,
    MovingAverageCross,
    Price,
    RealizedVol,
    Return,
    Zscore,
)
from tests.strategies.exactly import exactly, rows_needed

SEED = 42
OUTLIER = 1e15
FEATURES: list[Feature] = [
    Price(),
    Return(),
    Return(5, log=True),
    SMA(20),
    SMA(500),
    EMA(20),
    Zscore(20),
    Zscore(500),
    BollingerZ(20),
    RealizedVol(20),
    RealizedVol(20, returns="difference"),
    RSI(14),
    MovingAverageCross(10, 50),
    MovingAverageCross(10, 50, kind="ema"),
]


def prices(n: int, *, outliers: bool) -> Iterator[np.ndarray]:
    """A walk in cents between 50 and 150, a million rows at a time; calm at its end."""
    chance = np.random.default_rng(SEED)
    cents, size = 10_000, 1_000_000
    for start in range(0, n, size):
        count = min(size, n - start)
        walk = cents + np.cumsum(chance.integers(-3, 4, count))
        walk = 5_000 + np.abs((walk - 5_000) % 20_000 - 10_000)  # reflected at both ends
        cents = int(walk[-1])
        part = walk / 100.0
        if outliers:
            planted = np.flatnonzero(chance.random(count) < 1 / 5_000)
            part[planted[planted < n - start - 2_000]] = OUTLIER
        yield part


class Sliding:
    """The usual way: two sums, to which the new is added and of which the old is taken off."""

    def __init__(self, n: int) -> None:
        self.n, self.rows = n, deque[float]()
        self.total = self.squares = 0.0

    def update(self, price: float) -> tuple[float, float]:
        self.rows.append(price)
        self.total += price
        self.squares += price * price
        if len(self.rows) > self.n:
            gone = self.rows.popleft()
            self.total -= gone
            self.squares -= gone * gone
        mean = self.total / self.n
        variance = (self.squares - self.n * mean * mean) / (self.n - 1)
        return mean, (price - mean) / math.sqrt(variance) if variance > 0.0 else math.nan


def rows_per_second(work: Callable[[], object], n: int) -> float:
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def one_by_one(feature: Feature, rows: list[float]) -> None:
    update = feature.fresh().update
    for row in rows:
        update(row)


def board_seconds() -> float:
    """20 markets of 5,000 bars each, with four features."""
    features = {"z": Zscore(20), "sma": SMA(50), "rsi": RSI(14), "vol": RealizedVol(20)}
    board = FeatureBoard(features, [f"M{number}" for number in range(20)])
    (closes,) = prices(5_000, outliers=False)
    rows = [
        FeedRow(float(k), p, p, p, 1.0, p, p, p, 1.0, 1.0, is_stale=False)
        for k, p in enumerate(closes.tolist())
    ]
    start = time.perf_counter()
    for row in rows:
        for number in range(20):
            board.see(number, row)
    return time.perf_counter() - start


def pandas_peers(series: pd.Series) -> dict[str, Callable[[], object]]:
    return {
        "SMA(20)": lambda: series.rolling(20).mean(),
        "SMA(500)": lambda: series.rolling(500).mean(),
        "EMA(20)": lambda: series.ewm(span=20, adjust=False).mean(),
        "Zscore(20)": lambda: (series - series.rolling(20).mean()) / series.rolling(20).std(),
        "Zscore(500)": lambda: (series - series.rolling(500).mean()) / series.rolling(500).std(),
    }


def speeds(rounds: int) -> None:
    n = 200_000
    (given,) = prices(n, outliers=False)
    rows, peers = given.tolist(), pandas_peers(pd.Series(given))
    one: dict[Feature, list[float]] = {feature: [] for feature in FEATURES}
    ratio: dict[Feature, list[float]] = {feature: [] for feature in FEATURES}
    batch: dict[Feature, list[float]] = {feature: [] for feature in FEATURES}
    peer: dict[str, list[float]] = {name: [] for name in peers}
    boards: list[float] = []
    for _ in range(rounds):
        boards.append(board_seconds())
        for feature in FEATURES:
            before = bare_loop()
            rate = rows_per_second(lambda feature=feature: one_by_one(feature, rows), n)
            one[feature].append(rate)
            ratio[feature].append((before + bare_loop()) / 2.0 / rate)
            batch[feature].append(rows_per_second(lambda feature=feature: feature.batch(given), n))
            work = peers.get(repr(feature))
            if work is not None:
                peer[repr(feature)].append(rows_per_second(work, n))
    print(f"{'rows per second, in millions':<42}{'update':>8}{'bare/':>8}{'batch':>8}{'pandas':>8}")
    for feature in FEATURES:
        beside = peer.get(repr(feature))
        shown = f"{statistics.median(beside) / 1e6:8.2f}" if beside else f"{'':>8}"
        print(
            f"{feature!r:<42}{statistics.median(one[feature]) / 1e6:8.2f}"
            f"{statistics.median(ratio[feature]):8.1f}"
            f"{statistics.median(batch[feature]) / 1e6:8.1f}{shown}"
        )
    taken = statistics.median(boards)
    print(
        f"board: 20 markets x 5,000 bars x 4 features: {taken:.3f} s "
        f"({min(boards):.3f} to {max(boards):.3f}), {400_000 / taken / 1e6:.2f} M updates/s"
    )


def errors(n: int) -> None:
    states = [feature.fresh() for feature in FEATURES]
    sliding = Sliding(20)
    kept: deque[float] = deque(maxlen=max(rows_needed(feature) for feature in FEATURES))
    outliers, slid = 0, (math.nan, math.nan)
    for part in prices(n, outliers=True):
        outliers += int((part == OUTLIER).sum())
        rows = part.tolist()
        kept.extend(rows)
        for state in states:
            update = state.update
            for row in rows:
                update(row)
        for row in rows:
            slid = sliding.update(row)
    last = list(kept)
    print(f"\nafter {n:,} rows, {outliers:,} of them 1e15")
    print(f"{'':<42}{'value':>22}{'error':>11}{'of value':>11}")
    found: list[tuple[str, float, Decimal]] = [
        (repr(state), state.value, exactly(state, last)) for state in states
    ]
    found.append(("sums that slide: mean of 20", slid[0], exactly(SMA(20), last)))
    found.append(("sums that slide: score of 20", slid[1], exactly(Zscore(20), last)))
    for name, value, truth in found:
        if math.isnan(value):
            print(f"{name:<42}{'nan':>22}")
            continue
        error = abs(Decimal(value) - truth)
        share = f"{float(error / abs(truth)):11.1e}" if truth else f"{'':>11}"
        print(f"{name:<42}{value:>22.15g}{float(error):11.1e}{share}")


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    speeds(asked.rounds)
    errors(asked.rows)


if __name__ == "__main__":
    main()
