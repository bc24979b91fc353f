"""How fast a tearsheet is: metrics and tables, the figure, and the page.

    python benchmarks/bench_analytics.py [--rounds 7]

Two series of returns: ten years of business days, and 1,000,000 minutes. The minutes are measured
twice, sampled daily as a tearsheet does by itself, and with a return for every point. The peers
(empyrical-reloaded, and quantstats where it is installed) run on the same series in the same
rounds; they take every point as a return.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from horizon import figures
from horizon.analytics import Tearsheet

SEED = 42


def daily() -> pd.Series:
    chance = np.random.default_rng(SEED)
    days = pd.bdate_range("2014-01-01", periods=2_520)
    return pd.Series(chance.normal(0.0004, 0.01, len(days)), index=days)


def minutes() -> pd.Series:
    chance = np.random.default_rng(SEED)
    times = pd.date_range("2014-01-01", periods=1_000_000, freq="1min")
    return pd.Series(chance.normal(1e-7, 1e-4, len(times)), index=times)


def measured(returns: pd.Series, sampling: str = "auto") -> int:
    """Every metric, and every table of a report; returns how many metrics there are."""
    sheet = Tearsheet.from_returns(returns, sampling=sampling)
    count = len(list(sheet.metrics.rows()))
    _ = sheet.monthly_table, sheet.yearly_returns, sheet.drawdowns, sheet.time_of_day
    _ = sheet.by_weekday, sheet.histogram
    return count


def rolled(returns: pd.Series, sampling: str = "auto") -> None:
    sheet = Tearsheet.from_returns(returns, sampling=sampling, rolling_window=63)
    for metric in ("sharpe", "sortino", "volatility"):
        sheet.rolling(metric)


def drawn(returns: pd.Series) -> Any:
    sheet = Tearsheet.from_returns(returns)
    return figures.tearsheet(sheet)


def written(returns: pd.Series, folder: Path) -> Path:
    return Tearsheet.from_returns(returns).to_html(folder / "tearsheet.html")


def by_empyrical(returns: pd.Series) -> int:
    """Fourteen metrics, those that it has for one series."""
    import empyrical as ep

    found = [
        ep.annual_return(returns),
        ep.annual_volatility(returns),
        ep.sharpe_ratio(returns),
        ep.sortino_ratio(returns),
        ep.calmar_ratio(returns),
        ep.omega_ratio(returns),
        ep.max_drawdown(returns),
        ep.downside_risk(returns),
        ep.tail_ratio(returns),
        ep.stability_of_timeseries(returns),
        ep.value_at_risk(returns),
        ep.conditional_value_at_risk(returns),
        ep.cum_returns_final(returns),
        ep.cum_returns(returns).iloc[-1],
    ]
    return len(found)


def by_quantstats(returns: pd.Series) -> int:
    import matplotlib as mpl

    mpl.use("Agg")
    import quantstats as qs

    return len(qs.reports.metrics(returns, mode="full", display=False))


def page_by_quantstats(returns: pd.Series, folder: Path) -> None:
    import quantstats as qs

    qs.reports.html(returns, output=str(folder / "peer.html"), title="peer")


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    days, points = daily(), minutes()
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own
        folder = Path(name)
        named: dict[str, Callable[[], object]] = {
            "10 years daily: metrics": lambda: Tearsheet.from_returns(days).metrics,
            "10 years daily: metrics and tables": lambda: measured(days),
            "10 years daily: figure": lambda: drawn(days),
            "10 years daily: page, written": lambda: written(days, folder),
            "1,000,000 minutes: metrics and tables, daily returns": lambda: measured(points),
            "1,000,000 minutes: metrics and tables, every point": (
                lambda: measured(points, "points")
            ),
            "1,000,000 minutes: three rolling metrics, every point": (
                lambda: rolled(points, "points")
            ),
            "1,000,000 minutes: figure": lambda: drawn(points),
        }
        if importlib.util.find_spec("empyrical"):
            named["10 years daily: empyrical-reloaded, 14 metrics"] = lambda: by_empyrical(days)
            named["1,000,000 minutes: empyrical-reloaded, 14 metrics"] = lambda: by_empyrical(
                points
            )
        if importlib.util.find_spec("quantstats"):
            named["10 years daily: quantstats, full metrics"] = lambda: by_quantstats(days)
            named["10 years daily: quantstats, page"] = lambda: page_by_quantstats(days, folder)
            named["1,000,000 minutes: quantstats, full metrics"] = lambda: by_quantstats(points)
        for work in named.values():
            work()  # imports and caches
        taken: dict[str, list[float]] = {what: [] for what in named}
        for _ in range(rounds):
            for what, work in named.items():
                slow = "quantstats" in what
                if not slow or len(taken[what]) < 3:
                    taken[what].append(seconds(work))
        print(f"{'':<58}{'median':>10}{'min':>10}{'max':>10}")
        for what, times in taken.items():
            low, high = min(times), max(times)
            print(
                f"{what:<58}{statistics.median(times) * 1e3:>7,.1f} ms"
                f"{low * 1e3:>7,.1f} ms{high * 1e3:>7,.1f} ms"
            )
        size = written(days, folder).stat().st_size
        text = drawn(days).to_json()
        print(f"metrics in the record: {measured(days)}")
        print(f"figure of 10 years: {len(text) / 1e6:.2f} MB of JSON")
        print(f"figure of 1,000,000 minutes: {len(drawn(points).to_json()) / 1e6:.2f} MB of JSON")
        print(f"page of 10 years: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
