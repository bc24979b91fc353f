"""Metrics of returns beside those of a benchmark.

Both are simple returns of the same periods, shape (n,), as fractions. Fewer than two periods, or a
benchmark without variance, give 0.0. `risk_free` is a rate per period; where an annual one is
needed, it is that times `periods_per_year`.

References
----------
Jensen (1968), The Performance of Mutual Funds. Treynor (1965), How to Rate Management of
Investment Funds. Modigliani and Modigliani (1997), Risk-Adjusted Performance. Bacon (2008).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.products import dot
from horizon.analytics.returns import annual_return, checked_returns, compounded, deviation, ratio

__all__ = [
    "active_return",
    "alpha",
    "appraisal_ratio",
    "beta",
    "capture_ratio",
    "correlation",
    "down_capture",
    "information_ratio",
    "m_squared",
    "r_squared",
    "specific_risk",
    "systematic_risk",
    "tracking_error",
    "treynor_ratio",
    "up_capture",
]

Numbers = NDArray[np.float64]


def _pair(returns: Any, benchmark: Any) -> tuple[Numbers, Numbers]:
    if hasattr(returns, "iloc") and hasattr(benchmark, "iloc"):
        same = len(returns) != len(benchmark) or returns.index.equals(benchmark.index)
        if not same:
            raise ValueError(
                "benchmark must have the index of returns, its labels differ; align them first: "
                "benchmark.reindex(returns.index)"
            )
    own = checked_returns("returns", returns)
    other = checked_returns("benchmark", benchmark)
    if len(own) != len(other):
        raise ValueError(
            f"benchmark must have a return for each of returns, had {len(other)} for {len(own)}"
        )
    return own, other


def _size(own: Numbers, other: Numbers) -> float:
    """The largest of all returns, by which rounding in their differences is measured."""
    return float(max(np.abs(own).max(), np.abs(other).max())) if len(own) else 0.0


def _less(growth: float, other: float) -> float:
    """Difference of two growth rates; 0.0 where neither can be told from the other."""
    return 0.0 if math.isinf(growth) and growth == other else growth - other


def _yearly(risk_free: object, periods_per_year: object) -> float:
    """Annual rate of a risk-free rate per period: not compounded, as it is in Sharpe ratios."""
    free = checks.number("risk_free", risk_free)
    return free * checks.positive("periods_per_year", periods_per_year)


def beta(returns: Any, benchmark: Any) -> float:
    """Covariance with the benchmark over the benchmark's variance."""
    own, other = _pair(returns, benchmark)
    if deviation(other) == 0.0:
        return 0.0
    centred = other - other.mean()
    return dot(own - own.mean(), centred) / dot(centred, centred)


def alpha(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    method: str = "compound",
) -> float:
    """Annual return that the benchmark's does not explain, as a fraction.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
    risk_free : float
        Per period.
    periods_per_year : float
    method : {"compound", "simple", "jensen"}
        With a = mean(r − risk_free) − beta · mean(b − risk_free) per period: compounded,
        (1 + a)^periods_per_year − 1; or times periods_per_year; or Jensen's alpha of compound
        annual returns, R − Rf − beta · (B − Rf), as Bacon's tables have it; 0.0 where that of the
        benchmark overflows.
    """
    own, other = _pair(returns, benchmark)
    free = checks.number("risk_free", risk_free)
    per_year = checks.positive("periods_per_year", periods_per_year)
    checks.one_of("method", method, ("compound", "simple", "jensen"))
    if deviation(other) == 0.0:
        return 0.0
    slope = beta(own, other)
    if method == "jensen":
        yearly = _yearly(free, per_year)
        over = _less(annual_return(own, periods_per_year=per_year), yearly)
        market = _less(annual_return(other, periods_per_year=per_year), yearly)
        return _less(over, slope * market) if math.isfinite(market) else 0.0
    excess = float(own.mean()) - free - slope * (float(other.mean()) - free)
    if method == "simple":
        return excess * per_year
    return compounded(math.log1p(excess) * per_year) if excess > -1.0 else -1.0


def correlation(returns: Any, benchmark: Any) -> float:
    """Correlation with the benchmark, −1 to 1; 0.0 where either does not vary."""
    own, other = _pair(returns, benchmark)
    if deviation(own) == 0.0 or deviation(other) == 0.0:
        return 0.0
    a, b = own - own.mean(), other - other.mean()
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def r_squared(returns: Any, benchmark: Any) -> float:
    """Share of the variance that the benchmark explains: the correlation squared."""
    return correlation(returns, benchmark) ** 2


def active_return(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return less that of the benchmark; 0.0 where both overflow."""
    own, other = _pair(returns, benchmark)
    return _less(
        annual_return(own, periods_per_year=periods_per_year),
        annual_return(other, periods_per_year=periods_per_year),
    )


def tracking_error(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Sample deviation of the differences of returns, annualised."""
    own, other = _pair(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    return deviation(own - other, size=_size(own, other)) * math.sqrt(per_year)


def information_ratio(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, method: str = "mean"
) -> float:
    """Return over the benchmark's, per tracking error, annualised.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
    periods_per_year : float
    method : {"mean", "compound"}
        The mean difference, as for the Sharpe ratio (Goodwin 1998); or the difference of
        compound annual returns, as Bacon's tables have it.
    """
    own, other = _pair(returns, benchmark)
    checks.one_of("method", method, ("mean", "compound"))
    error = tracking_error(own, other, periods_per_year=periods_per_year)
    if error == 0.0:
        return 0.0
    if method == "compound":
        return active_return(own, other, periods_per_year=periods_per_year) / error
    return float((own - other).mean()) * periods_per_year / error


def systematic_risk(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, ddof: int = 1
) -> float:
    """Annualised deviation that the benchmark explains: |beta| times the benchmark's.

    `ddof` 1 divides by n − 1, 0 by n, as Bacon's tables do.
    """
    own, other = _pair(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    spread = deviation(other, checks.integer("ddof", ddof, least=0))
    return abs(beta(own, other)) * spread * math.sqrt(per_year)


def specific_risk(
    returns: Any, benchmark: Any, *, periods_per_year: float = 252.0, ddof: int = 1
) -> float:
    """Annualised deviation of what beta leaves unexplained, r − beta · b.

    `ddof` 1 divides by n − 1, 0 by n, as Bacon's tables do.
    """
    own, other = _pair(returns, benchmark)
    per_year = checks.positive("periods_per_year", periods_per_year)
    rest = own - beta(own, other) * other
    spread = deviation(rest, checks.integer("ddof", ddof, least=0), size=_size(own, other))
    return spread * math.sqrt(per_year)


def appraisal_ratio(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    ddof: int = 1,
) -> float:
    """Jensen's alpha over the specific risk; 0.0 where there is none."""
    risk = specific_risk(returns, benchmark, periods_per_year=periods_per_year, ddof=ddof)
    if risk == 0.0:
        return 0.0
    return (
        alpha(
            returns,
            benchmark,
            risk_free=risk_free,
            periods_per_year=periods_per_year,
            method="jensen",
        )
        / risk
    )


def treynor_ratio(
    returns: Any,
    benchmark: Any,
    *,
    risk_free: float = 0.0,
    periods_per_year: float = 252.0,
    modified: bool = False,
    ddof: int = 1,
) -> float:
    """Compound annual return over the risk-free one, per beta.

    0.0 where beta is 0, or the annual return overflows.

    Parameters
    ----------
    returns, benchmark : array-like of shape (n,)
    risk_free : float
        Per period.
    periods_per_year : float
    modified : bool
        Per beta times the benchmark's annual deviation, instead of per beta.
    ddof : int
        Of that deviation: 1 divides by n − 1, 0 by n, as Bacon's tables do.
    """
    own, other = _pair(returns, benchmark)
    yearly = _yearly(risk_free, periods_per_year)
    slope = beta(own, other)
    if checks.flag("modified", modified):
        spread = deviation(other, checks.integer("ddof", ddof, least=0))
        slope *= spread * math.sqrt(periods_per_year)
    over = _less(annual_return(own, periods_per_year=periods_per_year), yearly)
    return over / slope if slope != 0.0 and math.isfinite(over) else 0.0


def m_squared(
    returns: Any, benchmark: Any, *, risk_free: float = 0.0, periods_per_year: float = 252.0
) -> float:
    """Annual return that the series would have had with the benchmark's volatility (M²).

    Rf + (R − Rf) · σ(benchmark) / σ(returns), R being the compound annual return; 0.0 where it
    overflows.
    """
    own, other = _pair(returns, benchmark)
    yearly = _yearly(risk_free, periods_per_year)
    over = _less(annual_return(own, periods_per_year=periods_per_year), yearly)
    spread = deviation(own)
    if spread == 0.0 or not math.isfinite(over):
        return 0.0
    return yearly + over * deviation(other) / spread


def up_capture(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return in periods in which the benchmark rose, over the benchmark's."""
    own, other = _pair(returns, benchmark)
    return _capture(own, other, other > 0.0, periods_per_year)


def down_capture(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Compound annual return in periods in which the benchmark fell, over the benchmark's.

    Below 1 less was lost than by the benchmark, below 0 something was gained.
    """
    own, other = _pair(returns, benchmark)
    return _capture(own, other, other < 0.0, periods_per_year)


def capture_ratio(returns: Any, benchmark: Any, *, periods_per_year: float = 252.0) -> float:
    """Up capture over down capture; ``inf`` where nothing was lost with the benchmark."""
    up = up_capture(returns, benchmark, periods_per_year=periods_per_year)
    down = down_capture(returns, benchmark, periods_per_year=periods_per_year)
    return up / down if down < 0.0 else ratio(up, down)


def _capture(own: Numbers, other: Numbers, chosen: NDArray[np.bool_], per_year: float) -> float:
    market = annual_return(other[chosen], periods_per_year=per_year)
    if market == 0.0:
        return 0.0
    captured = annual_return(own[chosen], periods_per_year=per_year)
    return captured / market if math.isfinite(market) else 0.0
