"""A benchmark is compared with over the curve's own time: no earlier, no later."""

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import generate_tearsheet, profit_by_hour
from horizon.analytics.alignment import beside
from horizon.analytics.curves import Curve
from horizon.analytics.periods import by_hour, by_month, is_intraday
from horizon.analytics.sampling import Sampling
from horizon.errors import DataError

HOUR = pd.Timedelta(hours=1)


def hourly(begin: str, n: int, values: object = 100.0) -> pd.Series:
    return pd.Series(values, index=pd.date_range(begin, periods=n, freq="h"), dtype=float)


def test_what_a_benchmark_did_before_the_curve_began_is_not_counted() -> None:
    curve = hourly("2025-01-01 15:00", 40 * 24)
    market = hourly("2025-01-01 00:00", 41 * 24)
    market.iloc[10:] = 110.0  # at ten, five hours before the curve
    assert generate_tearsheet(curve, benchmark=market).metrics.benchmark_return_pct == 0.0


def test_what_a_benchmark_did_after_the_curve_ended_is_not_counted() -> None:
    curve = hourly("2025-01-01 00:00", 40 * 24 + 6)  # its last point is at five
    market = hourly("2025-01-01 00:00", 41 * 24)
    market[curve.index[-1] + HOUR :] = 150.0
    sheet = generate_tearsheet(curve, benchmark=market)
    assert sheet.metrics.benchmark_return_pct == 0.0
    market[curve.index[-1] :] = 150.0  # an hour earlier it belongs to the last day
    sheet = generate_tearsheet(curve, benchmark=market)
    assert sheet.metrics.benchmark_return_pct == pytest.approx(0.5, rel=1e-12)


def test_points_take_the_last_value_at_their_time_or_before() -> None:
    curve = Curve(np.array([10, 20, 30]), np.array([50.0, 51.0, 52.0]))
    market = Curve(np.array([5, 20, 29, 31]), np.array([10.0, 20.0, 30.0, 40.0]))
    found = beside(market, curve, Sampling("points", 365.0))
    assert found.tolist() == [50.0, 100.0, 150.0]  # 10, 20, 30, and never 40; scaled by five
    late = Curve(market.times_ns + 16, market.equity)
    with pytest.raises(DataError, match="must begin by the end of the first period"):
        beside(late, curve, Sampling("points", 365.0))


def test_a_point_on_the_hour_ends_the_hour_before_unless_there_are_only_days() -> None:
    # From nine to ten 100 -> 101, then nothing; of daily data the hour is the stamp's own.
    curve = hourly("2025-01-06 09:00", 3, [100.0, 101.0, 101.0])
    assert is_intraday(curve)
    assert by_hour(curve) == pytest.approx({9: 0.01, 10: 0.0})
    assert profit_by_hour(curve) == pytest.approx({9: 1.0, 10: 0.0})
    days = pd.Series([100.0, 101.0], index=pd.date_range("2025-01-06 21:00", periods=2))
    assert not is_intraday(days)
    assert by_hour(days) == pytest.approx({21: 0.01})


def test_closes_that_move_with_the_summer_are_of_days_all_the_same() -> None:
    closes = pd.date_range("2025-01-01 16:00", periods=200, tz="America/New_York")
    curve = pd.Series(np.linspace(1.0, 2.0, 200), index=closes)  # 21:00 and 20:00 in UTC
    assert not generate_tearsheet(curve).is_intraday


def test_months_of_two_years_are_averaged() -> None:
    ends = ["2023-12-31", "2024-01-31", "2024-12-31", "2025-01-31"]
    curve = pd.Series([100.0, 110.0, 110.0, 143.0], index=pd.to_datetime(ends))
    # January +10 % and +30 %, December 0 %.
    assert by_month(curve) == pytest.approx({1: 0.2, 12: 0.0})


def test_one_risk_free_rate_for_ratio_interval_and_benchmark() -> None:
    days = pd.date_range("2024-01-01", periods=300)
    chance = np.random.default_rng(3)
    own = pd.Series(100 * np.cumprod(1 + chance.normal(1e-3, 0.01, 300)), index=days)
    market = pd.Series(100 * np.cumprod(1 + chance.normal(1e-3, 0.01, 300)), index=days)
    sheet = generate_tearsheet(own, benchmark=market, risk_free=0.04)
    m = sheet.metrics
    assert sheet.bootstrap(n_resamples=100).value == pytest.approx(m.sharpe_ratio, rel=1e-12)
    assert m.beta is not None
    assert m.treynor_ratio == pytest.approx((m.cagr - 0.04) / m.beta, rel=1e-12)


def test_time_in_market_needs_no_equity_above_zero() -> None:
    curve = [(0.0, 100.0), (100.0, -300.0), (200.0, -300.0)]
    fills = {"timestamp": [50.0], "market_id": ["A"], "side": ["buy"], "quantity": [1.0]}
    sheet = generate_tearsheet(curve, trades={**fills, "price": [5.0]})
    assert sheet.metrics.time_in_market == pytest.approx(0.75, rel=1e-12)
    assert sheet.metrics.turnover == 0.0


def test_a_table_of_fills_already_has_its_settlements() -> None:
    sheet = generate_tearsheet([(0.0, 1.0)])
    with pytest.raises(ValueError, match="trades is such a table already"):
        generate_tearsheet([(0.0, 1.0)], sheet.fills, multipliers={"A": 2.0})
