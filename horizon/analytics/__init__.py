"""Analytics: pure functions over arrays and frames, and the records that they fill.

==================  ================================================================
`returns`           metrics of a series of returns: Sharpe, Sortino, Omega, VaR ...
`drawdown`          depth, length and list of drawdowns; ulcer and pain
`benchmark`         alpha, beta, information ratio, capture
`rolling`           metrics over a moving window
`periods`           returns and profit by month, year, weekday and hour
`inference`         error of a Sharpe ratio, many trials, bootstrap intervals
`overfitting`       how far a search explains what it has found: CSCV; `trials`: resampled
                    best of many; `sensitivity`: whether parameters stay where they were
`fills`, `trades`   closings, round trips, exposure, turnover, fees of a list of fills
`edges`             Brier score and edge of fills
`metrics`           all of these in one record
`tearsheet`         the record, the tables and the series of one equity curve
`calibration`       whether probabilities mean what they say
`decay`             what is left of an edge as events come near
`spans`             stretches of time; `sheet_parts`: a tearsheet of one, or of some markets;
                    `pairs`: forecasts that can be chosen by time, market and side
`volume`, `depth`   fills against a day's volume; order books through time
==================  ================================================================

Rates and returns are fractions, money is in the account's currency, times are nanoseconds or
float seconds since 1970 in UTC. No function draws, and none needs an engine or an account.
"""

from __future__ import annotations

from horizon.analytics.benchmark import (
    active_return,
    alpha,
    appraisal_ratio,
    beta,
    capture_ratio,
    correlation,
    down_capture,
    information_ratio,
    m_squared,
    r_squared,
    specific_risk,
    systematic_risk,
    tracking_error,
    treynor_ratio,
    up_capture,
)
from horizon.analytics.calibration import (
    CalibrationCurve,
    brier_score,
    calibration_curve,
    log_loss,
    wilson_interval,
)
from horizon.analytics.curves import Curve, curve_of, equity_of
from horizon.analytics.decay import EdgeDecay, edge_decay
from horizon.analytics.depth import DepthGrid, depth_grid
from horizon.analytics.deviations import (
    downside_deviation,
    downside_frequency,
    downside_potential,
    mean_absolute_deviation,
    upside_frequency,
    upside_potential,
    upside_risk,
    volatility,
)
from horizon.analytics.distribution import (
    autocorrelation,
    conditional_value_at_risk,
    kurtosis,
    skewness,
    skewness_kurtosis_ratio,
    tail_ratio,
    value_at_risk,
    variability_skewness,
    volatility_skewness,
)
from horizon.analytics.drawdown import (
    DrawdownRecord,
    drawdowns,
    max_drawdown,
    max_drawdown_duration,
    max_drawdown_money,
    running_peak,
    time_under_water,
    underwater,
)
from horizon.analytics.drawdown_ratios import (
    burke_ratio,
    calmar_ratio,
    pain_index,
    pain_ratio,
    ulcer_index,
    ulcer_performance_index,
)
from horizon.analytics.edges import ForecastScores, forecast_scores
from horizon.analytics.fills import FillTable, fill_table
from horizon.analytics.holdings import Exposure, exposure, time_in_market, turnover
from horizon.analytics.inference import (
    Interval,
    bootstrap_interval,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe_ratio,
    sharpe_standard_error,
)
from horizon.analytics.measure import metrics_of
from horizon.analytics.metrics import MetricRow, Metrics
from horizon.analytics.overfitting import Cscv, cscv
from horizon.analytics.pair_reader import forecast_pairs
from horizon.analytics.pairs import ForecastPairs
from horizon.analytics.periods import (
    by_hour,
    by_month,
    by_weekday,
    daily_returns,
    monthly_returns,
    monthly_table,
    profit_by_hour,
    profit_by_weekday,
    yearly_returns,
)
from horizon.analytics.ratios import (
    adjusted_sharpe_ratio,
    d_ratio,
    gain_to_pain_ratio,
    kappa_ratio,
    kelly_fraction,
    omega_ratio,
    omega_sharpe_ratio,
    sharpe_ratio,
    sortino_ratio,
)
from horizon.analytics.returns import (
    annual_return,
    geometric_mean_return,
    longest_streaks,
    stability,
    total_return,
)
from horizon.analytics.rolling import (
    rolling_beta,
    rolling_sharpe,
    rolling_sortino,
    rolling_volatility,
)
from horizon.analytics.sampling import Sampling
from horizon.analytics.sensitivity import ParameterStability, parameter_stability
from horizon.analytics.sheet_parts import tearsheet_part
from horizon.analytics.spans import Span, span_between, span_named
from horizon.analytics.tearsheet import Tearsheet, generate_tearsheet
from horizon.analytics.trades import (
    Closings,
    RoundTrips,
    TradeStats,
    closings,
    pnl_by_hour,
    pnl_by_market,
    pnl_by_weekday,
    round_trips,
    trade_stats,
)
from horizon.analytics.trials import RealityCheck, Regression, reality_check
from horizon.analytics.volume import VolumeShares, volume_shares
from horizon.books import Books, read_books

__all__ = [
    # returns
    "adjusted_sharpe_ratio",
    "annual_return",
    "autocorrelation",
    "conditional_value_at_risk",
    "d_ratio",
    "downside_deviation",
    "downside_frequency",
    "downside_potential",
    "gain_to_pain_ratio",
    "geometric_mean_return",
    "kappa_ratio",
    "kelly_fraction",
    "kurtosis",
    "longest_streaks",
    "mean_absolute_deviation",
    "omega_ratio",
    "omega_sharpe_ratio",
    "sharpe_ratio",
    "skewness",
    "skewness_kurtosis_ratio",
    "sortino_ratio",
    "stability",
    "tail_ratio",
    "total_return",
    "upside_frequency",
    "upside_potential",
    "upside_risk",
    "value_at_risk",
    "variability_skewness",
    "volatility",
    "volatility_skewness",
    # drawdowns
    "DrawdownRecord",
    "burke_ratio",
    "calmar_ratio",
    "drawdowns",
    "max_drawdown",
    "max_drawdown_duration",
    "max_drawdown_money",
    "pain_index",
    "pain_ratio",
    "running_peak",
    "time_under_water",
    "ulcer_index",
    "ulcer_performance_index",
    "underwater",
    # benchmark
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
    # rolling
    "rolling_beta",
    "rolling_sharpe",
    "rolling_sortino",
    "rolling_volatility",
    # calendar
    "by_hour",
    "by_month",
    "by_weekday",
    "daily_returns",
    "monthly_returns",
    "monthly_table",
    "profit_by_hour",
    "profit_by_weekday",
    "yearly_returns",
    # inference
    "Interval",
    "bootstrap_interval",
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "probabilistic_sharpe_ratio",
    "sharpe_standard_error",
    # fills and trades
    "Closings",
    "Exposure",
    "FillTable",
    "ForecastScores",
    "RoundTrips",
    "TradeStats",
    "closings",
    "exposure",
    "fill_table",
    "forecast_scores",
    "pnl_by_hour",
    "pnl_by_market",
    "pnl_by_weekday",
    "round_trips",
    "time_in_market",
    "trade_stats",
    "turnover",
    # searches
    "Cscv",
    "ParameterStability",
    "RealityCheck",
    "Regression",
    "cscv",
    "parameter_stability",
    "reality_check",
    # parts of a record
    "Span",
    "span_between",
    "span_named",
    "tearsheet_part",
    # forecasts
    "CalibrationCurve",
    "EdgeDecay",
    "ForecastPairs",
    "brier_score",
    "calibration_curve",
    "edge_decay",
    "forecast_pairs",
    "log_loss",
    "wilson_interval",
    # volume and depth
    "Books",
    "DepthGrid",
    "VolumeShares",
    "depth_grid",
    "read_books",
    "volume_shares",
    # the whole
    "Curve",
    "MetricRow",
    "Metrics",
    "Sampling",
    "Tearsheet",
    "curve_of",
    "equity_of",
    "generate_tearsheet",
    "metrics_of",
]


def __dir__() -> list[str]:
    return sorted(__all__)
