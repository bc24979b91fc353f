"""All metrics of a run, worked out together so that long series are walked once.

Each is the metric of the same name in `returns`, `drawdown`, `benchmark`, `inference` and
`trades`. Ratios are made of the sampled returns; drawdowns, and what is divided by them, of every
point of the curve, each counting alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics import benchmark as against
from horizon.analytics import holdings, inference, periods, trades
from horizon.analytics.arithmetic import checked_returns, compounded, deviation, ratio
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.distribution import worst_count
from horizon.analytics.drawdown import below_peak, episodes_of
from horizon.analytics.edges import forecast_scores
from horizon.analytics.fills import FillTable, table_of
from horizon.analytics.metrics import Metrics
from horizon.analytics.products import dot
from horizon.analytics.ratios import adjusted
from horizon.analytics.returns import annual_return, straightness, streaks, total_return
from horizon.analytics.sampling import YEAR_SECONDS, Sampling

__all__ = ["metrics_of"]

Numbers = NDArray[np.float64]


def metrics_of(
    curve: Any,
    fills: Any = (),
    *,
    settlements: Any = (),
    sampling: Sampling | None = None,
    risk_free: float = 0.0,
    benchmark: Any = None,
    outcomes: Mapping[str, float] | None = None,
    fair_values: Any = None,
) -> Metrics:
    """Work out all metrics of a run.

    Parameters
    ----------
    curve : Curve, or an equity curve in any form that `curve_of` takes
    fills, settlements
        As `fill_table` takes them, or the table that it gave.
    sampling : Sampling, optional
        How often returns are taken; decided from the curve where it is None. Windows of one data
        set are given the sampling of the whole.
    risk_free : float
        Annual rate, as a fraction; ratios take off its part for a period, rate / periods a year.
    benchmark : array-like of shape (n,), optional
        The benchmark's return in each of the curve's sampled periods.
    outcomes : mapping of market id to float, optional
        What each market resolved to; fills in other markets have no part in the Brier score.
    fair_values : array-like of shape (n_fills,), optional
        The model's fair value of YES at each fill; NaN where it had none.

    Returns
    -------
    Metrics

    Raises
    ------
    DataError, TypeError, ValueError
        If fills, benchmark, outcomes or fair values cannot be right.

    Examples
    --------
    Three daily returns, 10, −10 and 20 %, with a fall from 110 to 99 between:

    >>> metrics = hz.analytics.metrics_of([
    ...     ("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-08", 99.0),
    ...     ("2025-01-09", 118.8)])
    >>> metrics.return_count, round(metrics.mean_return, 4), metrics.max_drawdown
    (3, 0.0667, 11.0)
    """
    curve = curve_of(curve, name="curve")
    table = table_of(fills, settlements, name="fills")
    rate = checks.number("risk_free", risk_free)
    how = Sampling.of(curve) if sampling is None else sampling
    sampled = how.take(curve)
    # Curves of 300 digits overflow here and there; what comes of that is sorted out below.
    with np.errstate(over="ignore", invalid="ignore"):
        found, fallen = _of_equity(curve)
        found.update(_of_returns(sampled, how, rate))
        if found["return_count"]:
            found.update(_of_both(found, fallen))
        found.update(_of_periods(curve))
        found.update(_of_trades(curve, table))
        found.update(_of_forecasts(table, outcomes, fair_values))
        if benchmark is not None:
            found.update(_of_benchmark(sampled, benchmark, how, rate))
    undefined = {name: 0.0 for name, value in found.items() if value != value}
    return Metrics(**{**found, **undefined})


# ------------------------------------------------------------------------ the parts
def _of_equity(curve: Curve) -> tuple[dict[str, Any], float]:
    """What is read from every point of the curve, and the root of its squared drawdowns."""
    equity, times = curve.equity, curve.times_ns
    if len(equity) == 0:
        return {}, 0.0
    peak = np.maximum.accumulate(equity)
    depth = below_peak(equity, peak)
    falls = peak  # no longer needed as such
    falls -= equity
    episodes = episodes_of(depth)
    lengths = times[episodes.ends] - times[episodes.peaks]
    span_ns = int(times[-1]) - int(times[0])
    under = int(lengths.sum()) if len(lengths) else 0
    if span_ns and len(lengths):
        # From the first point below, not from the peak, for which the point before still holds.
        under -= int((times[episodes.peaks + 1] - times[episodes.peaks]).sum())
    observed = depth[1:]
    n = len(observed)
    count = len(episodes)
    found = {
        "initial_equity": curve.initial,
        "final_equity": curve.final,
        "highest_equity": float(equity.max()),
        "lowest_equity": float(equity.min()),
        "years": curve.span_secs / YEAR_SECONDS,
        "total_return": curve.final - curve.initial,
        "total_return_pct": (curve.final - curve.initial) / curve.initial
        if curve.initial > 0.0
        else 0.0,
        "max_drawdown": float(falls.max()),
        "max_drawdown_pct": float(episodes.depths.max()) if count else 0.0,
        "max_drawdown_duration_secs": checks.ns_to_seconds(int(lengths.max())) if count else 0.0,
        "average_drawdown_pct": float(episodes.depths.mean()) if count else 0.0,
        "average_drawdown_duration_secs": float(lengths.mean()) / 1e9 if count else 0.0,
        "drawdown_count": count,
        "current_drawdown_pct": -float(depth[-1]) + 0.0,
        "time_under_water": under / span_ns if span_ns else 0.0,
        "ulcer_index": math.sqrt(dot(observed, observed) / n) if n else 0.0,
        "pain_index": -float(observed.mean()) + 0.0 if n else 0.0,
    }
    return found, math.sqrt(dot(episodes.depths, episodes.depths))


def _of_returns(sampled: Curve, how: Sampling, rate: float) -> dict[str, Any]:
    """What is read from the sampled returns."""
    returns = periods.changes(sampled.equity)
    n, per_year = len(returns), how.periods_per_year
    found: dict[str, Any] = {"return_count": n, "periods_per_year": per_year}
    if n == 0:
        return found
    annual = math.sqrt(per_year)
    ordered = np.sort(returns)
    mean = float(returns.mean())
    free = rate / per_year if per_year > 0.0 else 0.0
    excess = mean - free
    below, above = int(np.searchsorted(ordered, 0.0)), int(np.searchsorted(ordered, 0.0, "right"))
    losses, gains = ordered[:below], ordered[above:]
    lost, gained = -float(losses.sum()) + 0.0, float(gains.sum())
    short = math.sqrt(dot(losses, losses) / n)
    spread = deviation(returns)
    found.update(_of_moments(returns, mean, spread))
    low, high = _quantile(ordered, 0.05), _quantile(ordered, 0.95)
    missed = np.minimum(returns - free, 0.0) if free else losses
    skew, tails = found["skewness"], found["kurtosis"]
    z = NormalDist().inv_cdf(1.0 - 0.95)
    bent = (
        z
        + (z * z - 1.0) * skew / 6.0
        + (z**3 - 3.0 * z) * tails / 24.0
        - (2.0 * z**3 - 5.0 * z) * skew * skew / 36.0
    )
    sharpe = excess / spread if spread > 0.0 else 0.0
    error = inference.sharpe_standard_error(sharpe, n, skewness=skew, kurtosis=tails + 3.0)
    up, down = streaks(returns)
    growth = _log_growth(sampled)
    found.update(
        sharpe_ratio=sharpe * annual,
        sharpe_standard_error=error * annual if per_year > 0.0 and spread > 0.0 else 0.0,
        probabilistic_sharpe_ratio=inference.probabilistic_sharpe_ratio(
            sharpe, n, skewness=skew, kurtosis=tails + 3.0
        )
        if spread > 0.0
        else 0.5,
        minimum_track_record=inference.minimum_track_record(
            sharpe, skewness=skew, kurtosis=tails + 3.0
        ),
        sortino_ratio=ratio(excess * annual, math.sqrt(dot(missed, missed) / n)),
        omega_ratio=ratio(gained, lost),
        gain_to_pain_ratio=ratio(float(returns.sum()), lost),
        tail_ratio=ratio(abs(high), abs(low)),
        kelly_fraction=mean / (spread * spread) if spread > 0.0 else 0.0,
        volatility=spread * annual,
        downside_deviation=short * annual,
        value_at_risk_95=low,
        value_at_risk_99=_quantile(ordered, 0.01),
        conditional_value_at_risk_95=float(ordered[: worst_count(n, 0.05)].mean()),
        conditional_value_at_risk_99=float(ordered[: worst_count(n, 0.01)].mean()),
        value_at_risk_modified=mean + bent * spread,
        mean_return=mean,
        best_return=float(ordered[-1]),
        worst_return=float(ordered[0]),
        average_gain=gained / len(gains) if len(gains) else 0.0,
        average_loss=-lost / len(losses) + 0.0 if len(losses) else 0.0,
        positive_returns=len(gains) / n,
        up_streak=up,
        down_streak=down,
        stability=_stability(sampled.equity),
        geometric_mean_return=compounded(growth / n),
        cagr=compounded(growth * per_year / n) if per_year > 0.0 else 0.0,
    )
    return found


def _of_moments(returns: Numbers, mean: float, spread: float) -> dict[str, float]:
    n = len(returns)
    centred = returns - mean
    found = {"mean_absolute_deviation": float(np.abs(centred).mean())}
    if spread == 0.0:
        return {**found, "skewness": 0.0, "kurtosis": 0.0, "autocorrelation": 0.0}
    centred /= spread * math.sqrt((n - 1) / n)
    squares = centred * centred
    found["skewness"] = dot(squares, centred) / n
    found["kurtosis"] = dot(squares, squares) / n - 3.0
    found["autocorrelation"] = dot(centred[1:], centred[:-1]) / n
    return found


def _of_both(found: dict[str, Any], fallen: float) -> dict[str, float]:
    """Ratios of what the curve and its returns have given."""
    growth, spread = found["cagr"], found["volatility"]
    ratios = {
        "calmar_ratio": ratio(growth, found["max_drawdown_pct"]),
        "ulcer_performance_index": ratio(growth, found["ulcer_index"]),
        "pain_ratio": ratio(growth, found["pain_index"]),
        "burke_ratio": ratio(growth, fallen),
        "recovery_factor": ratio(found["total_return"], found["max_drawdown"]),
    }
    if spread > 0.0:
        ratios["adjusted_sharpe_ratio"] = adjusted(
            growth / spread, found["skewness"], found["kurtosis"]
        )
    return ratios


def _of_periods(curve: Curve) -> dict[str, Any]:
    found: dict[str, Any] = {}
    months = periods.monthly_returns(curve)
    years = periods.yearly_returns(curve)
    for name, values in (
        ("day", periods.daily_returns(curve)[1]),
        ("month", np.array(list(months.values()))),
        ("year", np.array(list(years.values()))),
    ):
        if len(values):
            found[f"best_{name}"] = float(values.max())
            found[f"worst_{name}"] = float(values.min())
            found[f"positive_{name}s"] = int(np.count_nonzero(values > 0.0)) / len(values)
    if months:
        found["return_month_to_date"] = list(months.values())[-1]
        found["return_year_to_date"] = list(years.values())[-1]
    return found


def _of_trades(curve: Curve, table: FillTable) -> dict[str, Any]:
    if len(table) == 0:
        return {}
    stats = trades.trade_stats(table)
    found = {
        name: getattr(stats, name)
        for name in (
            "total_trades",
            "win_rate",
            "profit_factor",
            "expectancy",
            "avg_win",
            "avg_loss",
            "payoff_ratio",
            "largest_win",
            "largest_loss",
            "win_streak",
            "loss_streak",
            "long_share",
            "traded_notional",
            "total_fees",
            "fee_bps",
            "fee_share",
            "maker_share",
        )
    }
    found["closing_count"] = stats.closings
    found["average_holding_secs"] = stats.avg_holding_secs
    found["longest_holding_secs"] = stats.longest_holding_secs
    if len(curve) == 0:
        return found
    start, end = int(curve.times_ns[0]), int(curve.times_ns[-1])
    if end > start:
        found["time_in_market"] = holdings.time_in_market(table, start, end)
    mean = _mean_equity(curve)
    if mean <= 0.0:
        return found
    found["turnover"] = stats.traded_notional / mean
    years = curve.span_secs / YEAR_SECONDS
    found["annual_turnover"] = found["turnover"] / years if years > 0.0 else 0.0
    if end > start:
        gross, net = holdings.exposure(table).mean(start, end)
        found["average_gross_exposure"] = gross / mean
        found["average_net_exposure"] = net / mean
    return found


def _of_forecasts(
    table: FillTable, outcomes: Mapping[str, float] | None, fair_values: Any
) -> dict[str, Any]:
    if outcomes is None and fair_values is None:
        return {}
    scores = forecast_scores(table, outcomes=outcomes, fair_values=fair_values)
    return {
        "brier_score": scores.brier_score,
        "model_brier_score": scores.model_brier_score,
        "avg_edge": scores.avg_edge,
    }


def _of_benchmark(sampled: Curve, benchmark: Any, how: Sampling, rate: float) -> dict[str, Any]:
    returns = periods.changes(sampled.equity)
    benchmark = checked_returns("benchmark", benchmark)
    per_year = how.periods_per_year
    if len(benchmark) != len(returns):
        raise ValueError(
            f"benchmark must have a return for each sampled period, had {len(benchmark)} for "
            f"{len(returns)}"
        )
    if len(returns) == 0 or per_year == 0.0:
        return dict.fromkeys(_AGAINST, 0.0)
    free = rate / per_year
    a: dict[str, Any] = {"periods_per_year": per_year}
    spread = deviation(benchmark)
    market = annual_return(benchmark, **a)
    beta = against.beta(returns, benchmark)
    correlation = against.correlation(returns, benchmark)
    up = against.up_capture(returns, benchmark, **a)
    down = against.down_capture(returns, benchmark, **a)
    return {
        "benchmark_return_pct": total_return(benchmark),
        "benchmark_cagr": market,
        "benchmark_sharpe_ratio": (float(benchmark.mean()) - free) / spread * math.sqrt(per_year)
        if spread > 0.0
        else 0.0,
        "active_return": against.active_return(returns, benchmark, **a),
        "alpha": against.alpha(returns, benchmark, risk_free=free, **a),
        "beta": beta,
        "correlation": correlation,
        "r_squared": correlation**2,
        "tracking_error": against.tracking_error(returns, benchmark, **a),
        "information_ratio": against.information_ratio(returns, benchmark, **a),
        "treynor_ratio": against.treynor_ratio(returns, benchmark, risk_free=free, **a),
        "m_squared": against.m_squared(returns, benchmark, risk_free=free, **a),
        "up_capture": up,
        "down_capture": down,
        "capture_ratio": up / down if down < 0.0 else ratio(up, down),
    }


_AGAINST: Final = [each.name for each in fields(Metrics) if each.metadata["group"] == "Benchmark"]


# ------------------------------------------------------------------------ small parts
def _log_growth(sampled: Curve) -> float:
    """Logarithm of last over first equity: −inf where nothing is left, 0.0 of nothing."""
    if sampled.initial <= 0.0:
        return 0.0
    if sampled.final <= 0.0:
        return -math.inf
    return math.log(sampled.final) - math.log(sampled.initial)


def _quantile(ordered: Numbers, share: float) -> float:
    """Quantile of sorted values, interpolated linearly as NumPy does."""
    place = share * (len(ordered) - 1)
    low = int(place)
    rest = place - low
    if low + 1 >= len(ordered):
        return float(ordered[-1])
    below, above = float(ordered[low]), float(ordered[low + 1])
    return below + (above - below) * rest


def _stability(equity: Numbers) -> float:
    if len(equity) < 3 or equity.min() <= 0.0:
        return 0.0
    return straightness(np.log(equity[1:]))


def _mean_equity(curve: Curve) -> float:
    """Mean over time; each point holds until the next."""
    if len(curve) == 0:
        return 0.0
    span = int(curve.times_ns[-1]) - int(curve.times_ns[0])
    if span == 0:
        return float(curve.equity.mean())
    steps = np.diff(curve.times_ns).astype(np.float64)
    return dot(steps, curve.equity[:-1]) / span
