"""What a tearsheet can be compared with: its own benchmark, those given, a market held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from horizon import checks, words
from horizon.analytics.alignment import beside
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.sheet_parts import SAME
from horizon.analytics.tearsheet import Tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_prices import price_curve, priced_markets

__all__ = ["Benchmarks", "benchmark_options", "benchmarks_given"]

#: By key: what it is called, and where it comes from; SAME is the whole's own.
Benchmarks = dict[str, tuple[str, Callable[[], Any]]]


def benchmarks_given(given: Any) -> dict[str, Curve]:
    """Read one curve, or several by their names."""
    if given is None:
        return {}
    has_columns = isinstance(given, Mapping) and any(str(n).lower() == "equity" for n in given)
    if not isinstance(given, Mapping) or has_columns:
        return {"Benchmark": curve_of(given, name="benchmark")}
    return {
        checks.text("a name in benchmark", name, most=100): curve_of(
            curve, name=f"benchmark[{name!r}]"
        )
        for name, curve in given.items()
    }


def _itself(curve: Curve) -> Curve:
    return curve


def _same() -> Any:
    return SAME


def benchmark_options(
    source: Any, whole: Tearsheet, given: Mapping[str, Curve]
) -> tuple[Benchmarks, dict[str, str]]:
    """Find what can be compared with, and what of it cannot be with the whole, and why.

    Parameters
    ----------
    source : object
        What the tearsheet was made of; a result offers its markets.
    whole : Tearsheet
    given : mapping of name to Curve
    """
    options: Benchmarks = {}
    if whole.benchmark_equity is not None and whole.benchmark_name not in given:
        options[f"own:{whole.benchmark_name}"] = (words.name(whole.benchmark_name), _same)
    unsuited = {}
    for name, curve in given.items():
        try:
            beside(curve, whole.curve, whole.sampling)
        except ValueError as error:
            unsuited[f"given:{name}"] = str(error)
        options[f"given:{name}"] = (words.name(name), partial(_itself, curve))
    if isinstance(source, BacktestResult):
        record = source.record
        for market in priced_markets(record):
            options[f"market:{market}"] = (
                f"{words.name(market)}, held",
                partial(price_curve, record, market),
            )
    return options, unsuited
