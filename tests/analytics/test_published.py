"""Metrics against values printed in books, papers and documentation.

The files of returns lie beside the repository, not in it; without them the tests that need them are
skipped. The papers' examples need no data.
"""

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon import analytics as an

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "returns-with-known-metrics"
PUBLISHED = FOLDER / "published_metric_values.csv"
REFERENCE = FOLDER / "reference_metric_values_empyrical_reloaded_0_7_1.csv"
BACON = FOLDER / "bacon_portfolio_monthly_returns_2000-2001.csv.gz"
MANAGERS = FOLDER / "managers_monthly_returns_1996-2006.csv.gz"
IGE = FOLDER / "ige_daily_adjusted_close_2001-2007.csv.gz"
SPY = FOLDER / "spy_daily_adjusted_close_2001-2007.csv.gz"

MONTHLY = {"periods_per_year": 12.0}


def needs(*paths: Path) -> Any:
    missing = [path.name for path in paths if not path.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"no recorded data: {', '.join(missing)}")


@cache
def bacon() -> tuple[np.ndarray, np.ndarray]:
    """Portfolio and benchmark of Bacon's book, 24 months."""
    frame = pd.read_csv(BACON)
    return frame["portfolio_return"].to_numpy(), frame["benchmark_return"].to_numpy()


@cache
def managers() -> pd.DataFrame:
    return pd.read_csv(MANAGERS, index_col="month_end")


@cache
def closes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times in nanoseconds, and prices."""
    frame = pd.read_csv(path, parse_dates=["date"])
    times = frame["date"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    return times, frame["adj_close"].to_numpy()


@cache
def daily(path: Path) -> np.ndarray:
    prices = closes(path)[1]
    return prices[1:] / prices[:-1] - 1.0


@cache
def hedged() -> np.ndarray:
    """Half long IGE, half short SPY (Chan, example 3.5)."""
    return (daily(IGE) - daily(SPY)) / 2.0


@cache
def ham1() -> np.ndarray:
    column = managers()["HAM1"]
    return column[column.index.str.startswith("1996")].to_numpy()


# ------------------------------------------------------------------------ the printed table
HALF_PERCENT = {"minimum": 0.005}
IN_BACON = "bacon_portfolio_monthly_returns_2000-2001"
IN_HAM1 = "managers_monthly_returns_1996-2006 column HAM1, year 1996 only"
IN_IGE = "ige_daily_adjusted_close_2001-2007"
IN_HEDGED = "ige and spy, (ige return - spy return)/2"
DAY = 86_400.0

#: Every row of the table: how we call it. What stands in DIFFERENT is left out here.
SAME: dict[tuple[str, str], Any] = {
    (IN_BACON, "adjusted_sharpe_ratio"): lambda: an.adjusted_sharpe_ratio(bacon()[0], **MONTHLY),
    (IN_BACON, "bernardo_ledoit_ratio"): lambda: an.omega_ratio(bacon()[0]),
    (IN_BACON, "d_ratio"): lambda: an.d_ratio(bacon()[0]),
    (IN_BACON, "downside_deviation"): lambda: an.downside_deviation(
        bacon()[0], periods_per_year=1.0, **HALF_PERCENT
    ),
    (IN_BACON, "downside_potential"): lambda: an.downside_potential(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "downside_frequency"): lambda: an.downside_frequency(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "upside_frequency"): lambda: an.upside_frequency(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "kappa order 2 (Sortino ratio)"): lambda: an.kappa_ratio(
        bacon()[0], order=2.0, **HALF_PERCENT
    ),
    (IN_BACON, "upside_risk"): lambda: an.upside_risk(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "upside_potential"): lambda: an.upside_potential(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "omega_sharpe_ratio"): lambda: an.omega_sharpe_ratio(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "volatility_skewness"): lambda: an.volatility_skewness(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "variability_skewness"): lambda: an.variability_skewness(bacon()[0], **HALF_PERCENT),
    (IN_BACON, "pain_index"): lambda: an.pain_index(bacon()[0]),
    (IN_BACON, "martin_ratio"): lambda: an.ulcer_performance_index(bacon()[0], **MONTHLY),
    (IN_BACON, "mean_absolute_deviation"): lambda: an.mean_absolute_deviation(bacon()[0]),
    (IN_BACON, "skewness_kurtosis_ratio"): lambda: an.skewness_kurtosis_ratio(bacon()[0]),
    (IN_BACON, "jensen_alpha"): lambda: an.alpha(*bacon(), method="jensen", **MONTHLY),
    (IN_BACON, "m_squared"): lambda: an.m_squared(*bacon(), **MONTHLY),
    # These divide by n: with the default n - 1 they are 0.0336, -0.42 and 0.7807.
    (IN_BACON, "specific_risk"): lambda: an.specific_risk(*bacon(), ddof=0, **MONTHLY),
    (IN_BACON, "appraisal_ratio"): lambda: an.appraisal_ratio(*bacon(), ddof=0, **MONTHLY),
    (IN_BACON, "treynor_ratio modified"): lambda: an.treynor_ratio(
        *bacon(), modified=True, ddof=0, **MONTHLY
    ),
    # With the default method, over n, they are 2.77 and -0.60 ...
    (IN_BACON, "kurtosis sample"): lambda: an.kurtosis(bacon()[0], method="sample", excess=False),
    (IN_BACON, "kurtosis sample_excess"): lambda: an.kurtosis(bacon()[0], method="sample"),
    # A drawdown is here a run of losses, however high the equity still is: by default 0.71, 3.48.
    (IN_BACON, "burke_ratio"): lambda: an.burke_ratio(bacon()[0], stretch="losses", **MONTHLY),
    (IN_BACON, "burke_ratio modified"): lambda: an.burke_ratio(
        bacon()[0], stretch="losses", modified=True, **MONTHLY
    ),
    (IN_HAM1, "bernardo_ledoit_ratio"): lambda: an.omega_ratio(ham1()),
    (IN_HAM1, "downside_frequency"): lambda: an.downside_frequency(ham1()),
    (IN_HAM1, "upside_frequency"): lambda: an.upside_frequency(ham1()),
    (IN_HAM1, "omega_sharpe_ratio"): lambda: an.omega_sharpe_ratio(ham1()),
    (IN_IGE, "sharpe_ratio"): lambda: an.sharpe_ratio(daily(IGE), risk_free=0.04 / 252.0),
    (IN_HEDGED, "sharpe_ratio"): lambda: an.sharpe_ratio(hedged()),
    (IN_HEDGED, "max_drawdown"): lambda: -an.max_drawdown(an.equity_of(hedged())),
    # Trading days below the high-water mark: the row's number stands for the time.
    (IN_HEDGED, "max_drawdown_duration_days"): lambda: an.max_drawdown_duration(
        np.arange(len(hedged()) + 1) * 1_000_000_000, an.equity_of(hedged()), counted="below"
    ),
    (IN_IGE, "max_drawdown"): lambda: -an.max_drawdown(closes(IGE)[1]),
    (IN_IGE, "max_drawdown_duration_calendar_days"): lambda: (
        an.max_drawdown_duration(*closes(IGE), counted="below") / DAY
    ),
}

#: Rows whose printed value is not what we get: ours, and why.
DIFFERENT: dict[tuple[str, str], tuple[Any, float, str]] = {
    (IN_BACON, "pain_ratio"): (
        lambda: an.pain_ratio(bacon()[0], **MONTHLY),
        2.5926,
        "0.10368 / 0.03999; the print divides by an index that was cut to 0.039",
    ),
    (IN_HAM1, "kappa order 2 (Sortino ratio)"): (
        lambda: an.kappa_ratio(ham1()),
        1.4921,
        "0.01135833 / 0.00761252; the returns of the file have four digits",
    ),
}

#: Printed digits cut off, not rounded.
CUT = {(IN_BACON, "mean_absolute_deviation")}


def rows() -> list[Any]:
    if not PUBLISHED.exists():
        return []
    table = pd.read_csv(PUBLISHED, dtype={"published_value": str})
    return [
        pytest.param(
            (row.series, row.metric), row.published_value, id=f"{row.series[:6]}-{row.metric}"
        )
        for row in table.itertuples()
    ]


def digits_after_the_point(printed: str) -> int:
    return len(printed.partition(".")[2])


@needs(PUBLISHED, BACON, MANAGERS, IGE, SPY)
@pytest.mark.parametrize(("row", "printed"), rows())
def test_published_value_comes_out_to_its_printed_digits(row: Any, printed: str) -> None:
    if row in DIFFERENT:
        metric, ours, _ = DIFFERENT[row]
        assert metric() == pytest.approx(ours, abs=5e-5)
        assert metric() != pytest.approx(float(printed), rel=1e-4)
        return
    value, digits = SAME[row](), digits_after_the_point(printed)
    if digits > 10:
        assert value == pytest.approx(float(printed), abs=1e-12)
    elif row in CUT:
        assert math.floor(value * 10**digits) / 10**digits == float(printed)
    else:
        assert abs(value - float(printed)) <= 0.5 * 10.0**-digits * (1.0 + 1e-9)


@needs(PUBLISHED)
def test_every_row_of_the_table_is_spoken_for() -> None:
    table = pd.read_csv(PUBLISHED)
    named = set(zip(table["series"], table["metric"], strict=True))
    assert named == set(SAME) | set(DIFFERENT)
    assert not set(SAME) & set(DIFFERENT)


@needs(BACON)
def test_pain_ratio_of_the_book_divides_by_an_index_of_three_digits() -> None:
    growth = an.annual_return(bacon()[0], **MONTHLY)
    assert math.floor(an.pain_index(bacon()[0]) * 1000) == 39
    assert round(growth / 0.039, 2) == 2.66


@needs(BACON)
def test_default_conventions_where_the_book_has_others() -> None:
    own, market = bacon()
    root = math.sqrt(24 / 23)
    # ddof 1 for 0 makes a deviation larger by the root of 24/23, and a ratio smaller by it.
    assert an.specific_risk(own, market, **MONTHLY) == pytest.approx(
        an.specific_risk(own, market, ddof=0, **MONTHLY) * root
    )
    assert an.appraisal_ratio(own, market, **MONTHLY) == pytest.approx(
        an.appraisal_ratio(own, market, ddof=0, **MONTHLY) / root
    )
    assert an.treynor_ratio(own, market, modified=True, **MONTHLY) == pytest.approx(
        an.treynor_ratio(own, market, modified=True, ddof=0, **MONTHLY) / root
    )
    # Drawdowns below a peak: 0.010, 0.014, 0.005, and 0.1447 from January 2001 to the end, while
    # the book has runs of losses 0.010 0.014 0.005 0.098 0.071 0.065 0.014 of root 0.13924.
    growth = an.annual_return(own, **MONTHLY)
    runs = np.array([0.010, 0.014, 0.005, 0.098, 0.071, 0.065, 0.014])
    assert an.burke_ratio(own, stretch="losses", **MONTHLY) == pytest.approx(
        growth / math.sqrt(float(runs @ runs))
    )
    wealth = np.cumprod(1.0 + own)
    fall = 1.0 - wealth.min(where=np.arange(24) > 12, initial=9.0) / wealth[:13].max()
    below = np.array([0.010, 0.014, 0.005, fall])
    assert an.burke_ratio(own, **MONTHLY) == pytest.approx(growth / math.sqrt(float(below @ below)))


# ------------------------------------------------------------------------ computed by a library
def reference_rows() -> list[Any]:
    if not REFERENCE.exists():
        return []
    return [
        pytest.param(
            row.series,
            row.metric,
            row.period,
            row.value,
            id=f"{row.series.split(',')[0]}-{row.metric}",
        )
        for row in pd.read_csv(REFERENCE).itertuples()
    ]


def series_of(name: str) -> np.ndarray:
    if name.startswith("managers: "):
        return managers()[name.removeprefix("managers: ")].to_numpy()
    return daily(IGE if name.startswith("ige") else SPY)


OURS: dict[str, Any] = {
    "sharpe_ratio": lambda r, n: an.sharpe_ratio(r, periods_per_year=n),
    "sortino_ratio": lambda r, n: an.sortino_ratio(r, periods_per_year=n),
    "max_drawdown": lambda r, n: -an.max_drawdown(an.equity_of(r)),
    "annual_return": lambda r, n: an.annual_return(r, periods_per_year=n),
    "annual_volatility": lambda r, n: an.volatility(r, periods_per_year=n),
    "calmar_ratio": lambda r, n: an.calmar_ratio(r, periods_per_year=n),
    "omega_ratio": lambda r, n: an.omega_ratio(r),
    "cum_return_final": lambda r, n: an.total_return(r),
    "downside_risk": lambda r, n: an.downside_deviation(r, periods_per_year=n),
    "tail_ratio": lambda r, n: an.tail_ratio(r),
    "value_at_risk_5pct": lambda r, n: an.value_at_risk(r),
    "conditional_value_at_risk_5pct": lambda r, n: an.conditional_value_at_risk(r),
    "stability_of_timeseries": lambda r, n: an.stability(r),
}


@needs(REFERENCE, MANAGERS, IGE, SPY)
@pytest.mark.parametrize(("series", "metric", "period", "value"), reference_rows())
def test_reference_value_comes_out(series: str, metric: str, period: str, value: float) -> None:
    per_year = {"daily": 252.0, "monthly": 12.0}[period]
    # The table has ten digits after the point.
    assert OURS[metric](series_of(series), per_year) == pytest.approx(value, abs=1e-9)


#: Metrics of the record that the reference table has too.
FIELDS = {
    "sharpe_ratio": "sharpe_ratio",
    "sortino_ratio": "sortino_ratio",
    "annual_return": "cagr",
    "annual_volatility": "volatility",
    "calmar_ratio": "calmar_ratio",
    "omega_ratio": "omega_ratio",
    "cum_return_final": "total_return_pct",
    "downside_risk": "downside_deviation",
    "tail_ratio": "tail_ratio",
    "value_at_risk_5pct": "value_at_risk_95",
    "conditional_value_at_risk_5pct": "conditional_value_at_risk_95",
    "stability_of_timeseries": "stability",
}


@needs(REFERENCE, IGE, SPY)
@pytest.mark.parametrize("path", [IGE, SPY], ids=["ige", "spy"])
def test_tearsheet_of_daily_closes_has_the_reference_values(path: Path) -> None:
    times, prices = closes(path)
    metrics = an.generate_tearsheet(np.column_stack([times / 1e9, prices])).metrics
    assert (metrics.periods_per_year, metrics.return_count) == (252.0, len(prices) - 1)
    table = pd.read_csv(REFERENCE)
    mine = table[table["series"].str.startswith(path.name[:3])]
    values = dict(zip(mine["metric"], mine["value"], strict=True))
    assert metrics.max_drawdown_pct == pytest.approx(-values.pop("max_drawdown"), abs=1e-9)
    found = {metric: getattr(metrics, FIELDS[metric]) for metric in values}
    assert found == pytest.approx(values, abs=1e-9)


# ------------------------------------------------------------------------ Bailey and López de Prado
def test_probabilistic_sharpe_of_the_hedge_fund_of_the_paper() -> None:
    # The Sharpe Ratio Efficient Frontier (2012): 24 months, 1.59 a year is 0.458 a month.
    shape = {"skewness": -2.448, "kurtosis": 10.164}
    assert round(an.probabilistic_sharpe_ratio(0.458, 24), 3) == 0.982
    assert round(an.probabilistic_sharpe_ratio(0.458, 24, **shape), 3) == 0.913


@pytest.mark.parametrize(
    ("per_year", "years"),
    [(252, 2.73), (52, 2.83), (12, 3.24)],
    ids=["daily", "weekly", "monthly"],
)
def test_minimum_track_record_of_the_paper(per_year: int, years: float) -> None:
    # Sharpe 2 a year against 1 a year, normal returns, 95 %.
    root = math.sqrt(per_year)
    needed = an.minimum_track_record(2.0 / root, benchmark=1.0 / root)
    assert round(needed / per_year, 2) == years


def test_deflated_sharpe_of_the_paper() -> None:
    # The Deflated Sharpe Ratio (2014): the best of 100 trials has 2.5 a year over 1,250 days,
    # the trials' annual ratios vary by 1/2, skewness -3, kurtosis 10.
    daily_ratio = 2.5 / math.sqrt(250)
    variance = 0.5 / 250
    assert round(an.expected_maximum_sharpe(100, variance), 4) == 0.1132
    shape = {"skewness": -3.0, "kurtosis": 10.0, "variance": variance}
    found = an.deflated_sharpe_ratio(daily_ratio, 1250, n_trials=100, **shape)
    assert round(found, 4) == 0.9004
    # 46 independent trials are the most that leave 95 % of confidence; a normal strategy, which
    # the paper looks at too, has 88.
    best = an.deflated_sharpe_ratio(daily_ratio, 1250, n_trials=46, **shape)
    assert round(best, 4) == 0.9505
    assert an.deflated_sharpe_ratio(daily_ratio, 1250, n_trials=47, **shape) < best
    normal = an.deflated_sharpe_ratio(daily_ratio, 1250, n_trials=88, variance=variance)
    assert round(normal, 4) == 0.9505


@pytest.mark.parametrize(
    ("sharpe", "n", "error"),
    [
        (0.50, 12, 0.306),
        (0.50, 60, 0.137),
        (1.00, 24, 0.250),
        (1.50, 36, 0.243),
        (2.00, 125, 0.155),
        (3.00, 12, 0.677),
        (3.00, 500, 0.105),
    ],
    ids=lambda value: f"{value:g}",
)
def test_standard_error_of_normal_returns_is_that_of_lo(
    sharpe: float, n: int, error: float
) -> None:
    # Lo (2002), Table 1: sqrt((1 + SR²/2) / T). It divides by T, we by n - 1, so n is T + 1.
    assert round(an.sharpe_standard_error(sharpe, n + 1), 3) == error
