"""How fast forecasts are judged: a million pairs, beside plain NumPy and scikit-learn.

    python benchmarks/bench_calibration.py [--pairs 1000000] [--rounds 9]

Every round runs each of them once, one after the other, so that a slow minute slows all. Plain
NumPy is what one would write by hand: bins by `bincount`, Brier score, log loss and calibration
error, without any check of the input. scikit-learn has no calibration error; its three calls are
`calibration_curve`, `brier_score_loss` and `log_loss`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from operator import truediv

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.calibration import calibration_curve as sklearn_curve

from horizon.analytics.calibration import brier_score, calibration_curve, log_loss
from horizon.analytics.decay import edge_decay

Floats = NDArray[np.float64]
BINS = 10
DAY = 86_400.0


def forecasts(n: int) -> tuple[Floats, Floats]:
    """Forecasts that are a little too sure of themselves, and what came of them."""
    rng = np.random.default_rng(7)
    p = rng.uniform(0.01, 0.99, n)
    return p, (rng.uniform(0.0, 1.0, n) < 0.5 + 0.85 * (p - 0.5)).astype(float)


def stamps(n: int) -> tuple[Floats, Floats]:
    """When each was entered and resolved: a day apart on average, many much longer."""
    rng = np.random.default_rng(8)
    resolution = 1_700_000_000.0 + rng.uniform(0.0, 100 * DAY, n)
    return resolution - rng.exponential(DAY, n), resolution


def by_hand(p: Floats, y: Floats) -> tuple[float, float, float]:
    """The same numbers in plain NumPy."""
    codes = np.minimum((p * BINS).astype(np.intp), BINS - 1)
    counts = np.bincount(codes, minlength=BINS)
    means = np.bincount(codes, p, BINS) / np.maximum(counts, 1)
    rates = np.bincount(codes, y, BINS) / np.maximum(counts, 1)
    ece = float(np.dot(counts, np.abs(means - rates))) / len(p)
    brier = float(np.mean((p - y) ** 2))
    clipped = np.clip(p, 1e-15, 1.0 - 1e-15)
    loss = -float(np.mean(y * np.log(clipped) + (1.0 - y) * np.log(1.0 - clipped)))
    return brier, loss, ece


def decay_by_hand(p: Floats, y: Floats, entry: Floats, resolution: Floats) -> Floats:
    """Mean edges in plain NumPy, without standard errors and the fit."""
    hours = (resolution - entry) / 3_600.0
    codes = np.minimum((hours / hours.max() * BINS).astype(np.intp), BINS - 1)
    return np.bincount(codes, y - p, BINS) / np.maximum(np.bincount(codes, minlength=BINS), 1)


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    p, y = forecasts(arguments.pairs)
    entry, resolution = stamps(arguments.pairs)
    lists = p.tolist(), y.tolist()
    groups = np.arange(arguments.pairs) % 8

    def sklearn() -> tuple[float, float]:
        sklearn_curve(y, p, n_bins=BINS)
        return metrics.brier_score_loss(y, p), metrics.log_loss(y, p)

    hand, learn = "plain NumPy, no checks", "scikit-learn, three calls"
    edges = "edges in plain NumPy, no checks"
    named: dict[str, Callable[[], object]] = {
        hand: lambda: by_hand(p, y),
        learn: sklearn,
        "calibration_curve": lambda: calibration_curve(p, y, BINS),
        "the same, quantile bins": lambda: calibration_curve(p, y, BINS, strategy="quantile"),
        "the same, eight groups": lambda: calibration_curve(p, y, BINS, groups=groups),
        "the same, from lists": lambda: calibration_curve(*lists, BINS),
        "log_loss": lambda: log_loss(p, y),
        "brier_score": lambda: brier_score(p, y),
        edges: lambda: decay_by_hand(p, y, entry, resolution),
        "edge_decay": lambda: edge_decay(p, y, entry, resolution, BINS),
    }
    curve, (brier, loss, ece) = calibration_curve(p, y, BINS), by_hand(p, y)
    for ours, theirs in ((curve.brier_score, brier), (curve.log_loss, loss), (curve.ece, ece)):
        if abs(ours - theirs) > 1e-12:
            raise SystemExit(f"the two disagree: {ours!r} and {theirs!r}")

    seconds: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(arguments.rounds):
        for name, run in named.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    print(f"{arguments.pairs:,} pairs, {BINS} bins, {arguments.rounds} rounds; milliseconds")
    print(f"{'':<34} {'median':>8} {'lowest':>8} {'highest':>8}   yardsticks take")
    for name, taken in seconds.items():
        compared = [edges] if "edge" in name else [hand, learn]
        ratios = ", ".join(
            f"{statistics.median(map(truediv, seconds[yardstick], taken)):.2f} x ({yardstick})"
            for yardstick in compared
        )
        print(
            f"{name:<34} {1e3 * statistics.median(taken):>8.1f} {1e3 * min(taken):>8.1f} "
            f"{1e3 * max(taken):>8.1f}   {ratios}"
        )


if __name__ == "__main__":
    main()
