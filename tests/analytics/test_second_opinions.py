"""Metrics of random curves against empyrical-reloaded, SciPy and pandas.

Where a convention differs, a comment says how, and the numbers are compared through it.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from horizon import analytics as an

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its optional parts, and of pandas to come
    import empyrical as ep

SEEDS = range(12)
DAILY = {"periods_per_year": 252.0}


def close(value: Any, rel: float = 1e-9) -> Any:
    return pytest.approx(value, rel=rel, abs=1e-12)


def daily(seed: int, n: int = 600) -> pd.Series:
    """Returns of business days with fat tails, some of them 0."""
    rng = np.random.default_rng(seed)
    values = rng.standard_t(3 + seed % 4, n) * 0.008 + rng.normal(0.0, 0.001)
    values[rng.integers(0, n, n // 25)] = 0.0
    return pd.Series(
        np.maximum(values, -0.5), index=pd.bdate_range("2019-06-03", periods=n), name="r"
    )


#: Ours, and theirs.
SAME: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "annual_return": (lambda r: an.annual_return(r, **DAILY), ep.annual_return),
    "cum_returns_final": (an.total_return, ep.cum_returns_final),
    "annual_volatility": (lambda r: an.volatility(r, **DAILY), ep.annual_volatility),
    "sharpe": (lambda r: an.sharpe_ratio(r, **DAILY), ep.sharpe_ratio),
    "sharpe with a rate": (
        lambda r: an.sharpe_ratio(r, risk_free=0.0002, **DAILY),
        lambda r: ep.sharpe_ratio(r, risk_free=0.0002),
    ),
    "sortino": (lambda r: an.sortino_ratio(r, **DAILY), ep.sortino_ratio),
    "sortino with a minimum": (
        lambda r: an.sortino_ratio(r, minimum=0.0004, **DAILY),
        lambda r: ep.sortino_ratio(r, required_return=0.0004),
    ),
    "downside risk": (lambda r: an.downside_deviation(r, **DAILY), ep.downside_risk),
    "downside risk with a minimum": (
        lambda r: an.downside_deviation(r, minimum=-0.001, **DAILY),
        lambda r: ep.downside_risk(r, required_return=-0.001),
    ),
    # Theirs is a fraction below 0, ours a depth above 0.
    "max drawdown": (lambda r: -an.max_drawdown(an.equity_of(r)), ep.max_drawdown),
    "calmar": (lambda r: an.calmar_ratio(r, **DAILY), ep.calmar_ratio),
    "omega": (an.omega_ratio, ep.omega_ratio),
    # Their required return is of a year and taken apart by compounding.
    "omega with a threshold": (
        lambda r: an.omega_ratio(r, threshold=1.05 ** (1 / 252) - 1),
        lambda r: ep.omega_ratio(r, required_return=0.05),
    ),
    "tail ratio": (an.tail_ratio, ep.tail_ratio),
    "stability": (an.stability, ep.stability_of_timeseries),
    "VaR": (an.value_at_risk, ep.value_at_risk),
    "VaR 99 %": (
        lambda r: an.value_at_risk(r, confidence=0.99),
        lambda r: ep.value_at_risk(r, cutoff=0.01),
    ),
    "CVaR": (an.conditional_value_at_risk, ep.conditional_value_at_risk),
    "CVaR 99 %": (
        lambda r: an.conditional_value_at_risk(r, confidence=0.99),
        lambda r: ep.conditional_value_at_risk(r, cutoff=0.01),
    ),
    # pandas corrects skewness and kurtosis for small samples, SciPy does unless bias is True.
    "skewness": (an.skewness, lambda r: stats.skew(r, bias=True)),
    "sample skewness": (lambda r: an.skewness(r, method="sample"), pd.Series.skew),
    "sample skewness of SciPy": (
        lambda r: an.skewness(r, method="sample"),
        lambda r: stats.skew(r, bias=False),
    ),
    "kurtosis": (an.kurtosis, lambda r: stats.kurtosis(r, bias=True)),
    "kurtosis with the 3": (
        lambda r: an.kurtosis(r, excess=False),
        lambda r: stats.kurtosis(r, fisher=False),
    ),
    "sample kurtosis": (lambda r: an.kurtosis(r, method="sample"), pd.Series.kurt),
    "sample kurtosis of SciPy": (
        lambda r: an.kurtosis(r, method="sample"),
        lambda r: stats.kurtosis(r, bias=False),
    ),
    "geometric mean": (an.geometric_mean_return, lambda r: stats.gmean(1.0 + r) - 1.0),
    "mean absolute deviation": (
        an.mean_absolute_deviation,
        lambda r: float((r - r.mean()).abs().mean()),
    ),
    "VaR of a normal": (
        lambda r: an.value_at_risk(r, method="gaussian", confidence=0.975),
        lambda r: stats.norm.ppf(0.025, r.mean(), r.std()),
    ),
}


@pytest.mark.parametrize("metric", SAME)
def test_metric_of_returns_is_that_of_the_library(metric: str) -> None:
    ours, theirs = SAME[metric]
    for seed in SEEDS:
        returns = daily(seed)
        assert ours(returns) == close(float(theirs(returns))), seed


@pytest.mark.parametrize(("period", "per_year"), [("weekly", 52.0), ("monthly", 12.0)])
def test_other_periods_annualise_alike(period: str, per_year: float) -> None:
    for seed in SEEDS:
        returns, year = daily(seed, 120), {"periods_per_year": per_year}
        assert an.sharpe_ratio(returns, **year) == close(ep.sharpe_ratio(returns, period=period))
        assert an.sortino_ratio(returns, **year) == close(ep.sortino_ratio(returns, period=period))
        assert an.annual_return(returns, **year) == close(ep.annual_return(returns, period=period))
        assert an.volatility(returns, **year) == close(ep.annual_volatility(returns, period=period))


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_autocorrelation_is_that_of_the_definition(lag: int) -> None:
    # pandas' autocorr takes mean and deviation of each end apart; NumPy's correlate takes those
    # of the whole, as ours and as time series analysis does.
    for seed in SEEDS:
        returns = daily(seed).to_numpy()
        d = returns - returns.mean()
        full = np.correlate(d, d, mode="full")
        middle = len(d) - 1
        assert an.autocorrelation(returns, lag=lag) == close(full[middle + lag] / full[middle])


# ------------------------------------------------------------------------ with a benchmark
def pair(seed: int, n: int = 600) -> tuple[pd.Series, pd.Series]:
    market = daily(seed + 100, n)
    return 0.6 * market + 0.7 * daily(seed, n), market


AGAINST: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "beta": (an.beta, ep.beta),
    "alpha": (lambda r, b: an.alpha(r, b, **DAILY), ep.alpha),
    "alpha with a rate": (
        lambda r, b: an.alpha(r, b, risk_free=0.0001, **DAILY),
        lambda r, b: ep.alpha(r, b, risk_free=0.0001),
    ),
    "up capture": (lambda r, b: an.up_capture(r, b, **DAILY), ep.up_capture),
    "down capture": (lambda r, b: an.down_capture(r, b, **DAILY), ep.down_capture),
    "capture ratio": (lambda r, b: an.capture_ratio(r, b, **DAILY), ep.up_down_capture),
    # Their excess Sharpe is the information ratio before it is annualised.
    "information ratio": (
        lambda r, b: an.information_ratio(r, b, **DAILY),
        lambda r, b: ep.excess_sharpe(r, b) * math.sqrt(252),
    ),
    "correlation": (an.correlation, lambda r, b: stats.pearsonr(r, b).statistic),
    "slope": (an.beta, lambda r, b: stats.linregress(b, r).slope),
    "r squared": (an.r_squared, lambda r, b: stats.linregress(b, r).rvalue ** 2),
    "simple alpha": (
        lambda r, b: an.alpha(r, b, method="simple", **DAILY),
        lambda r, b: stats.linregress(b, r).intercept * 252,
    ),
    "tracking error": (
        lambda r, b: an.tracking_error(r, b, **DAILY),
        lambda r, b: (r - b).std() * math.sqrt(252),
    ),
}


@pytest.mark.parametrize("metric", AGAINST)
def test_metric_beside_a_benchmark_is_that_of_the_library(metric: str) -> None:
    ours, theirs = AGAINST[metric]
    for seed in SEEDS:
        own, market = pair(seed)
        assert ours(own, market) == close(float(theirs(own, market))), seed


# ------------------------------------------------------------------------ rolling
@pytest.mark.parametrize("window", [5, 21, 63])
def test_rolling_metrics_are_those_of_the_library(window: int) -> None:
    for seed in range(3):
        own, market = pair(seed, 150)
        r, b = own.to_numpy(), market.to_numpy()
        theirs = ep.roll_sharpe_ratio(own, window=window).to_numpy()
        assert an.rolling_sharpe(r, window, **DAILY).tolist() == close(theirs.tolist())
        theirs = ep.roll_sortino_ratio(own, window=window).to_numpy()
        assert an.rolling_sortino(r, window, **DAILY).tolist() == close(theirs.tolist())
        theirs = ep.roll_annual_volatility(own, window=window).to_numpy()
        assert an.rolling_volatility(r, window, **DAILY).tolist() == close(theirs.tolist())
        theirs = ep.roll_beta(own, market, window=window).to_numpy()
        assert an.rolling_beta(r, b, window).tolist() == close(theirs.tolist())


def test_rolling_volatility_and_beta_are_those_of_pandas() -> None:
    for seed in SEEDS:
        own, market = pair(seed)
        found = an.rolling_volatility(own, 21, periods_per_year=1)
        assert found.tolist() == close(own.rolling(21).std().dropna().tolist())
        slopes = own.rolling(21).cov(market) / market.rolling(21).var()
        assert an.rolling_beta(own, market, 21).tolist() == close(slopes.dropna().tolist(), 1e-8)


# ------------------------------------------------------------------------ calendars and records
def test_returns_by_month_and_year_are_those_of_the_library() -> None:
    for seed in SEEDS:
        returns = daily(seed)
        sheet = an.Tearsheet.from_returns(returns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it names groups by an old way of pandas
            months = ep.aggregate_returns(returns, "monthly")
            years = ep.aggregate_returns(returns, "yearly")
        theirs = {f"{year}-{month:02d}": value for (year, month), value in months.items()}
        assert sheet.monthly_returns == close(theirs)
        assert sheet.yearly_returns == close({str(year): value for year, value in years.items()})


def test_drawdown_table_is_that_of_pandas() -> None:
    for seed in SEEDS:
        returns = daily(seed)
        sheet = an.Tearsheet.from_returns(returns)
        wealth = pd.Series(sheet.equity)
        under = wealth / wealth.cummax() - 1.0
        assert sheet.underwater.tolist() == close(under.tolist())
        # Stretches below the peak by the number of peaks before them.
        stretches = under[under < 0].groupby((under == 0).cumsum()[under < 0])
        depths = sorted((-stretches.min()).tolist(), reverse=True)
        assert [fall.depth for fall in sheet.drawdowns] == close(depths[:5])
        assert sheet.metrics.drawdown_count == len(depths)


@pytest.mark.parametrize("seed", SEEDS)
def test_tearsheet_of_daily_returns_is_the_library_throughout(seed: int) -> None:
    own, market = pair(seed)
    # Weekdays without holidays are 261 a year: 252 has to be said.
    m = an.Tearsheet.from_returns(own, benchmark=market, periods_per_year=252).metrics
    expected = {
        "cagr": ep.annual_return(own),
        "total_return_pct": ep.cum_returns_final(own),
        "volatility": ep.annual_volatility(own),
        "sharpe_ratio": ep.sharpe_ratio(own),
        "sortino_ratio": ep.sortino_ratio(own),
        "calmar_ratio": ep.calmar_ratio(own),
        "omega_ratio": ep.omega_ratio(own),
        "tail_ratio": ep.tail_ratio(own),
        "stability": ep.stability_of_timeseries(own),
        "max_drawdown_pct": -ep.max_drawdown(own),
        "downside_deviation": ep.downside_risk(own),
        "value_at_risk_95": ep.value_at_risk(own),
        "conditional_value_at_risk_95": ep.conditional_value_at_risk(own),
        "skewness": stats.skew(own),
        "kurtosis": stats.kurtosis(own),
        "alpha": ep.alpha(own, market),
        "beta": ep.beta(own, market),
        "up_capture": ep.up_capture(own, market),
        "down_capture": ep.down_capture(own, market),
        "information_ratio": ep.excess_sharpe(own, market) * math.sqrt(252),
        "benchmark_return_pct": ep.cum_returns_final(market),
        "benchmark_cagr": ep.annual_return(market),
        "benchmark_sharpe_ratio": ep.sharpe_ratio(market),
    }
    assert {name: getattr(m, name) for name in expected} == close(expected)
