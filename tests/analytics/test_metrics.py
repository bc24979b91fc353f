"""The record of all metrics: its numbers are those of the functions, its tables are whole."""

import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon import analytics as an
from horizon.analytics import (
    FillTable,
    Metrics,
    Sampling,
    curve_of,
    fill_table,
    metrics_of,
    periods,
    trades,
)
from horizon.analytics.metrics import GROUPS, shown
from horizon.errors import DataError

JULIAN_YEAR = 31_557_600.0


@dataclass(frozen=True)
class Run:
    """What metrics are worked out of, and the parts that the functions take."""

    curve: an.Curve
    table: FillTable
    how: Sampling
    rate: float
    benchmark: np.ndarray
    outcomes: dict[str, float]
    fair_values: np.ndarray

    @property
    def r(self) -> np.ndarray:
        equity = self.how.take(self.curve).equity
        return equity[1:] / equity[:-1] - 1.0

    @property
    def n(self) -> float:
        return self.how.periods_per_year

    @property
    def free(self) -> float:
        return self.rate / self.n

    @property
    def all_falls(self) -> list[an.DrawdownRecord]:
        return an.drawdowns(self.curve.times_ns, self.curve.equity, most=None)

    @property
    def every_return(self) -> np.ndarray:
        return self.curve.equity[1:] / self.curve.equity[:-1] - 1.0

    @property
    def mean_equity(self) -> float:
        steps = np.diff(self.curve.times_ns) / 1e9
        return float(steps @ self.curve.equity[:-1]) / self.curve.span_secs

    @property
    def span(self) -> tuple[int, int]:
        return int(self.curve.times_ns[0]), int(self.curve.times_ns[-1])

    def days(self) -> np.ndarray:
        return periods.daily_returns(self.curve)[1]

    def months(self) -> np.ndarray:
        return np.array(list(periods.monthly_returns(self.curve).values()))

    def years(self) -> np.ndarray:
        return np.array(list(periods.yearly_returns(self.curve).values()))


def stat(name: str) -> Callable[[Run], float]:
    return lambda run: getattr(trades.trade_stats(run.table), name)


def scores(name: str) -> Callable[[Run], Any]:
    return lambda run: getattr(
        an.forecast_scores(run.table, outcomes=run.outcomes, fair_values=run.fair_values), name
    )


def per_period_sharpe(run: Run) -> dict[str, Any]:
    return {
        "sharpe": an.sharpe_ratio(run.r, risk_free=run.free, periods_per_year=1.0),
        "skewness": an.skewness(run.r),
        "kurtosis": an.kurtosis(run.r, excess=False),
    }


def beside(name: str, **options: Any) -> Callable[[Run], float]:
    """The function of the same name of returns and benchmark."""
    metric = getattr(an, name)
    with_rate = name in ("alpha", "treynor_ratio", "m_squared")
    without_year = name in ("beta", "correlation", "r_squared")

    def found(run: Run) -> float:
        given = dict(options)
        if with_rate:
            given["risk_free"] = run.free
        if not without_year:
            given["periods_per_year"] = run.n
        return metric(run.r, run.benchmark, **given)

    return found


#: Every field of the record, by the functions that say it alone.
BY_FUNCTIONS: dict[str, Callable[[Run], Any]] = {
    # Result
    "total_return": lambda x: x.curve.equity[-1] - x.curve.equity[0],
    "total_return_pct": lambda x: an.total_return(x.every_return),
    "cagr": lambda x: an.annual_return(x.r, periods_per_year=x.n),
    "initial_equity": lambda x: x.curve.equity[0],
    "final_equity": lambda x: x.curve.equity[-1],
    "highest_equity": lambda x: max(x.curve.equity),
    "lowest_equity": lambda x: min(x.curve.equity),
    "years": lambda x: x.curve.span_secs / JULIAN_YEAR,
    "return_count": lambda x: len(x.r),
    "periods_per_year": lambda x: x.n,
    "return_month_to_date": lambda x: x.months()[-1],
    "return_year_to_date": lambda x: x.years()[-1],
    # Reward for risk
    "sharpe_ratio": lambda x: an.sharpe_ratio(x.r, risk_free=x.free, periods_per_year=x.n),
    "sharpe_standard_error": lambda x: (
        an.sharpe_standard_error(n=len(x.r), **per_period_sharpe(x)) * math.sqrt(x.n)
    ),
    "probabilistic_sharpe_ratio": lambda x: an.probabilistic_sharpe_ratio(
        n=len(x.r), **per_period_sharpe(x)
    ),
    "minimum_track_record": lambda x: an.minimum_track_record(**per_period_sharpe(x)),
    "adjusted_sharpe_ratio": lambda x: an.adjusted_sharpe_ratio(x.r, periods_per_year=x.n),
    "sortino_ratio": lambda x: an.sortino_ratio(x.r, minimum=x.free, periods_per_year=x.n),
    "calmar_ratio": lambda x: (
        an.annual_return(x.r, periods_per_year=x.n) / an.max_drawdown(x.curve.equity)
    ),
    "omega_ratio": lambda x: an.omega_ratio(x.r),
    "gain_to_pain_ratio": lambda x: an.gain_to_pain_ratio(x.r),
    "ulcer_performance_index": lambda x: (
        an.annual_return(x.r, periods_per_year=x.n) / an.ulcer_index(x.every_return)
    ),
    "pain_ratio": lambda x: (
        an.annual_return(x.r, periods_per_year=x.n) / an.pain_index(x.every_return)
    ),
    "burke_ratio": lambda x: (
        an.annual_return(x.r, periods_per_year=x.n)
        / math.sqrt(sum(fall.depth**2 for fall in x.all_falls))
    ),
    "recovery_factor": lambda x: (
        (x.curve.final - x.curve.initial) / an.max_drawdown_money(x.curve.equity)
    ),
    "tail_ratio": lambda x: an.tail_ratio(x.r),
    "kelly_fraction": lambda x: an.kelly_fraction(x.r),
    "stability": lambda x: an.stability(x.r),
    # Risk
    "volatility": lambda x: an.volatility(x.r, periods_per_year=x.n),
    "downside_deviation": lambda x: an.downside_deviation(x.r, periods_per_year=x.n),
    "mean_absolute_deviation": lambda x: an.mean_absolute_deviation(x.r),
    "skewness": lambda x: an.skewness(x.r),
    "kurtosis": lambda x: an.kurtosis(x.r),
    "value_at_risk_95": lambda x: an.value_at_risk(x.r),
    "conditional_value_at_risk_95": lambda x: an.conditional_value_at_risk(x.r),
    "value_at_risk_99": lambda x: an.value_at_risk(x.r, confidence=0.99),
    "conditional_value_at_risk_99": lambda x: an.conditional_value_at_risk(x.r, confidence=0.99),
    "value_at_risk_modified": lambda x: an.value_at_risk(x.r, method="modified"),
    "autocorrelation": lambda x: an.autocorrelation(x.r),
    # Drawdowns
    "max_drawdown": lambda x: an.max_drawdown_money(x.curve.equity),
    "max_drawdown_pct": lambda x: an.max_drawdown(x.curve.equity),
    "max_drawdown_duration_secs": lambda x: an.max_drawdown_duration(
        x.curve.times_ns, x.curve.equity
    ),
    "current_drawdown_pct": lambda x: -an.underwater(x.curve.equity)[-1],
    "average_drawdown_pct": lambda x: np.mean([fall.depth for fall in x.all_falls]),
    "average_drawdown_duration_secs": lambda x: np.mean([f.duration_secs for f in x.all_falls]),
    "drawdown_count": lambda x: len(x.all_falls),
    "time_under_water": lambda x: an.time_under_water(x.curve.times_ns, x.curve.equity),
    "ulcer_index": lambda x: an.ulcer_index(x.every_return),
    "pain_index": lambda x: an.pain_index(x.every_return),
    # Periods
    "mean_return": lambda x: np.mean(x.r),
    "geometric_mean_return": lambda x: an.geometric_mean_return(x.r),
    "best_return": lambda x: max(x.r),
    "worst_return": lambda x: min(x.r),
    "average_gain": lambda x: np.mean(x.r[x.r > 0.0]),
    "average_loss": lambda x: np.mean(x.r[x.r < 0.0]),
    "positive_returns": lambda x: np.mean(x.r > 0.0),
    "up_streak": lambda x: an.longest_streaks(x.r)[0],
    "down_streak": lambda x: an.longest_streaks(x.r)[1],
    "best_day": lambda x: max(x.days()),
    "worst_day": lambda x: min(x.days()),
    "positive_days": lambda x: np.mean(x.days() > 0.0),
    "best_month": lambda x: max(x.months()),
    "worst_month": lambda x: min(x.months()),
    "positive_months": lambda x: np.mean(x.months() > 0.0),
    "best_year": lambda x: max(x.years()),
    "worst_year": lambda x: min(x.years()),
    "positive_years": lambda x: np.mean(x.years() > 0.0),
    # Trades and costs
    **{
        name: stat(name)
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
    },
    "closing_count": stat("closings"),
    "average_holding_secs": stat("avg_holding_secs"),
    "longest_holding_secs": stat("longest_holding_secs"),
    "turnover": lambda x: an.turnover(x.table, x.mean_equity),
    "annual_turnover": lambda x: (
        an.turnover(x.table, x.mean_equity) / (x.curve.span_secs / JULIAN_YEAR)
    ),
    "time_in_market": lambda x: an.time_in_market(x.table, *x.span),
    "average_gross_exposure": lambda x: an.exposure(x.table).mean(*x.span)[0] / x.mean_equity,
    "average_net_exposure": lambda x: an.exposure(x.table).mean(*x.span)[1] / x.mean_equity,
    # Forecasts
    "brier_score": scores("brier_score"),
    "model_brier_score": scores("model_brier_score"),
    "avg_edge": scores("avg_edge"),
    # Benchmark
    "benchmark_return_pct": lambda x: an.total_return(x.benchmark),
    "benchmark_cagr": lambda x: an.annual_return(x.benchmark, periods_per_year=x.n),
    "benchmark_sharpe_ratio": lambda x: an.sharpe_ratio(
        x.benchmark, risk_free=x.free, periods_per_year=x.n
    ),
    **{
        name: beside(name)
        for name in (
            "active_return",
            "alpha",
            "beta",
            "correlation",
            "r_squared",
            "tracking_error",
            "information_ratio",
            "treynor_ratio",
            "m_squared",
            "up_capture",
            "down_capture",
            "capture_ratio",
        )
    },
}

# ------------------------------------------------------------------------ equal to the functions
START = 1_709_164_800.0  # 29 February 2024


def random_fills(rng: np.random.Generator, span: float, n: int = 40) -> FillTable:
    at = np.sort(rng.uniform(0.0, span, n))
    return fill_table(
        pd.DataFrame(
            {
                "timestamp": START + at,
                "market_id": rng.choice(["rain", "snow"], n),
                "side": rng.choice(["buy", "sell"], n),
                "quantity": rng.integers(1, 9, n).astype(float),
                "price": rng.uniform(0.1, 0.9, n).round(2),
                "fee": rng.uniform(-0.01, 0.05, n).round(3),
                "is_maker": rng.random(n) < 0.5,
            }
        )
    )


def run_of(seed: int, kind: str, rate: float = 0.03) -> Run:
    rng = np.random.default_rng(seed)
    n, step = {
        "minutes": (400, 60.0),
        "days": (500, 86_400.0),
        "hours into days": (2400, 3600.0),
        "uneven": (300, 12_000.0),
    }[kind]
    gaps = rng.exponential(step, n) if kind == "uneven" else np.full(n, step)
    times = START + np.concatenate([[0.0], np.cumsum(gaps)[:-1]])
    moves = rng.standard_t(4, n) * 0.004 + 0.0004
    moves[rng.integers(0, n, n // 20)] = 0.0
    curve = curve_of(np.column_stack([times, 1000.0 * np.cumprod(1.0 + moves)]), 1000.0)
    how = Sampling.of(curve)
    returns = len(how.take(curve)) - 1
    table = random_fills(rng, times[-1] - START)
    return Run(
        curve=curve,
        table=table,
        how=how,
        rate=rate,
        benchmark=rng.normal(0.0005, 0.006, returns),
        outcomes={"rain": 1.0},
        fair_values=np.where(rng.random(40) < 0.2, np.nan, rng.uniform(0.1, 0.9, 40)),
    )


def record_of(run: Run) -> Metrics:
    return metrics_of(
        run.curve,
        run.table,
        sampling=run.how,
        risk_free=run.rate,
        benchmark=run.benchmark,
        outcomes=run.outcomes,
        fair_values=run.fair_values,
    )


def test_every_field_is_compared_with_a_function() -> None:
    assert {each.name for each in fields(Metrics)} == set(BY_FUNCTIONS)


@pytest.mark.parametrize("kind", ["minutes", "days", "hours into days", "uneven"])
@pytest.mark.parametrize("seed", range(4))
def test_record_is_what_the_functions_say(seed: int, kind: str) -> None:
    run = run_of(seed, kind, rate=0.0 if seed == 0 else 0.03)
    assert run.how.kind == ("points" if kind == "minutes" else "daily")
    record = record_of(run)
    expected = {name: function(run) for name, function in BY_FUNCTIONS.items()}
    found = {each.name: getattr(record, each.name) for each in fields(record)}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert all(math.isfinite(value) for value in found.values() if value != math.inf)


@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 22, 40, 41, 42, 100, 101, 102, 201])
def test_tails_are_those_of_the_functions_at_whole_shares(n: int) -> None:
    returns = np.random.default_rng(n).normal(0.0, 0.01, n)
    curve = curve_of(list(enumerate(an.equity_of(returns).tolist())))
    record, r = metrics_of(curve), curve.equity[1:] / curve.equity[:-1] - 1.0
    for name, confidence in (("95", 0.95), ("99", 0.99)):
        expected = an.value_at_risk(r, confidence=confidence)
        assert getattr(record, f"value_at_risk_{name}") == pytest.approx(expected, rel=1e-12)
        expected = an.conditional_value_at_risk(r, confidence=confidence)
        assert getattr(record, f"conditional_value_at_risk_{name}") == pytest.approx(expected)
    assert record.tail_ratio == pytest.approx(an.tail_ratio(r), rel=1e-10)


def test_record_agrees_with_the_functions_where_growth_overflows() -> None:
    # 1 to 1.2 within four seconds, each second's return compounded over a year.
    curve = curve_of([(0.0, 1.0), (1.0, 1.3), (2.0, 1.1), (3.0, 1.2), (4.0, 1.2)])
    market = np.array([0.0, -0.1, 0.05, -0.02])
    record = metrics_of(curve, benchmark=market)
    returns, year = curve.equity[1:] / curve.equity[:-1] - 1.0, {"periods_per_year": 31_557_600.0}
    assert record.cagr == an.annual_return(returns, **year) == math.inf
    for name in ("active_return", "alpha", "treynor_ratio", "m_squared", "up_capture",
                 "down_capture", "capture_ratio", "information_ratio"):  # fmt: skip
        expected = getattr(an, name)(returns, market, **year)
        assert getattr(record, name) == pytest.approx(expected, rel=1e-9), name
    assert record.adjusted_sharpe_ratio == an.adjusted_sharpe_ratio(returns, **year)


def test_fields_are_plain_python_numbers() -> None:
    record = record_of(run_of(1, "days"))
    for each in fields(record):
        kinds = (int,) if each.type == "int" else (float, type(None))
        assert type(getattr(record, each.name)) in kinds, each.name


def test_sampling_is_decided_from_the_curve_where_none_is_given() -> None:
    run = run_of(2, "hours into days")
    assert metrics_of(run.curve) == metrics_of(run.curve, sampling=Sampling.of(run.curve))
    by_point = metrics_of(run.curve, sampling=Sampling("points", 8766.0))
    assert by_point.return_count == len(run.curve) - 1


def test_record_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Metrics().cagr = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        Metrics(1.0)  # type: ignore[misc]


@pytest.mark.parametrize("wrong", [3, 399, 500])
def test_benchmark_of_another_length_is_refused(wrong: int) -> None:
    run = run_of(0, "minutes")
    with pytest.raises(ValueError, match=f"for each sampled period, had {wrong} for 400"):
        metrics_of(run.curve, benchmark=np.zeros(wrong))


def test_benchmark_is_any_column_of_returns_and_checked() -> None:
    curve = curve_of([(0.0, 1.0), (1.0, 1.3), (2.0, 1.1)])
    given = metrics_of(curve, benchmark=[0.1, -0.2])  # type: ignore[arg-type]
    assert given == metrics_of(curve, benchmark=np.array([0.1, -0.2]))
    with pytest.raises(DataError, match=r"^benchmark must be finite numbers, row 1 has .*nan"):
        metrics_of(curve, benchmark=np.array([0.1, math.nan]))


@pytest.mark.parametrize("bad", [math.nan, "low", math.inf], ids=repr)
def test_risk_free_rate_is_a_number(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^risk_free must be"):
        metrics_of(run_of(0, "minutes").curve, risk_free=bad)


def test_forecasts_are_none_without_outcomes_and_fair_values() -> None:
    run = run_of(0, "minutes")
    record = metrics_of(run.curve, run.table)
    assert (record.brier_score, record.model_brier_score, record.avg_edge) == (None, None, None)
    assert metrics_of(run.curve, run.table, outcomes={"rain": 1}).avg_edge is None
    assert metrics_of(run.curve, run.table, fair_values=run.fair_values).brier_score is None


def test_benchmark_fields_are_none_without_one() -> None:
    record = metrics_of(run_of(0, "minutes").curve)
    for each in fields(record):
        if each.metadata["group"] == "Benchmark":
            assert getattr(record, each.name) is None


def bought_and_sold() -> pd.DataFrame:
    """Ten at 0.5, sold at 0.8 ten seconds later."""
    return pd.DataFrame(
        {
            "timestamp": [START, START + 10.0],
            "market_id": ["rain", "rain"],
            "side": ["buy", "sell"],
            "quantity": [10.0, 10.0],
            "price": [0.5, 0.8],
        }
    )


@pytest.mark.parametrize(
    "points",
    [[], [(START, -5.0), (START + 10.0, -2.0)], [(START, 0.0), (START + 10.0, 3.0)]],
    ids=["none", "below zero", "from zero"],
)
def test_trades_without_equity_above_zero_have_no_turnover(points: list) -> None:
    record = metrics_of(curve_of(points), bought_and_sold())
    assert (record.total_trades, record.closing_count) == (2, 1)
    assert record.largest_win == pytest.approx(3.0)
    assert record.traded_notional == pytest.approx(13.0)
    assert (record.turnover, record.annual_turnover, record.average_gross_exposure) == (0, 0, 0)


def test_trades_within_a_moment_have_turnover_but_none_a_year() -> None:
    record = metrics_of(curve_of([(START, 100.0), (START, 160.0)]), bought_and_sold())
    # 13 traded over the mean of the two equities, 130.
    assert record.turnover == pytest.approx(0.1)
    assert (record.annual_turnover, record.time_in_market) == (0.0, 0.0)


def test_exposure_and_turnover_worked_out_by_hand() -> None:
    # Equity 100 for 10 s, 103 for 10 s: mean 101.5. The position of 5 is held half the time.
    curve = curve_of([(START, 100.0), (START + 10.0, 103.0), (START + 20.0, 103.0)])
    record = metrics_of(curve, bought_and_sold())
    assert record.turnover == pytest.approx(13.0 / 101.5)
    assert record.annual_turnover == pytest.approx(13.0 / 101.5 * JULIAN_YEAR / 20.0)
    assert record.time_in_market == pytest.approx(0.5)
    assert record.average_gross_exposure == pytest.approx(2.5 / 101.5)
    assert record.average_net_exposure == pytest.approx(2.5 / 101.5)


# ------------------------------------------------------------------------ the document's fields
#: The names that the document gives, with their units here.
DOCUMENTED = {
    "total_return": "currency",
    "total_return_pct": "fraction",
    "cagr": "fraction",
    "sharpe_ratio": "ratio",
    "sortino_ratio": "ratio",
    "calmar_ratio": "ratio",
    "max_drawdown": "currency",
    "max_drawdown_pct": "fraction",
    "max_drawdown_duration_secs": "seconds",
    "total_trades": "count",
    "win_rate": "percent",
    "profit_factor": "ratio",
    "expectancy": "currency",
    "avg_win": "currency",
    "avg_loss": "currency",
    "largest_win": "currency",
    "largest_loss": "currency",
    "total_fees": "currency",
    "brier_score": "ratio",
    "avg_edge": "ratio",
}


def test_fields_and_units_of_the_document() -> None:
    units = {each.name: each.metadata["unit"] for each in fields(Metrics)}
    assert {name: units.get(name) for name in DOCUMENTED} == DOCUMENTED
    assert Metrics.__annotations__["total_trades"] == "int"
    assert Metrics.__annotations__["brier_score"] == "float | None"


def test_prints_of_the_document_work_and_are_in_its_units() -> None:
    # 1000 to 1142.50 in a year; two closings, +3 and -1 before fees of 0.1 each way.
    fills = pd.DataFrame(
        {
            "timestamp": [START, START + 10, START + 20, START + 30],
            "market_id": ["rain"] * 4,
            "side": ["buy", "sell", "buy", "sell"],
            "quantity": [10.0] * 4,
            "price": [0.5, 0.8, 0.5, 0.4],
            "fee": [0.1] * 4,
        }
    )
    curve = curve_of([(START, 1000.0), (START + JULIAN_YEAR, 1142.5)])
    m = metrics_of(curve, fills, outcomes={"rain": 1.0}, fair_values=[0.6, 0.7, 0.6, 0.7])
    lines = [
        f"Total Return:     ${m.total_return:.2f}",
        f"Total Return %:   {m.total_return_pct:.2%}",
        f"CAGR:             {m.cagr:.2%}",
        f"Sharpe Ratio:     {m.sharpe_ratio:.3f}",
        f"Sortino Ratio:    {m.sortino_ratio:.3f}",
        f"Calmar Ratio:     {m.calmar_ratio:.3f}",
        f"Max Drawdown:     ${m.max_drawdown:.2f}",
        f"Max Drawdown %:   {m.max_drawdown_pct:.2%}",
        f"Max DD Duration:  {m.max_drawdown_duration_secs:.0f}s",
        f"Total Trades:     {m.total_trades}",
        f"Win Rate:         {m.win_rate:.1f}%",
        f"Profit Factor:    {m.profit_factor:.2f}",
        f"Expectancy:       ${m.expectancy:.4f}",
        f"Avg Win:          ${m.avg_win:.4f}",
        f"Avg Loss:         ${m.avg_loss:.4f}",
        f"Largest Win:      ${m.largest_win:.4f}",
        f"Largest Loss:     ${m.largest_loss:.4f}",
        f"Total Fees:       ${m.total_fees:.4f}",
        f"Brier Score: {m.brier_score:.4f}",
        f"Avg Edge:    {m.avg_edge:.4f}",
    ]
    assert lines == [
        "Total Return:     $142.50",
        "Total Return %:   14.25%",
        "CAGR:             14.25%",
        "Sharpe Ratio:     0.000",  # one return has no variance
        "Sortino Ratio:    inf",
        "Calmar Ratio:     inf",
        "Max Drawdown:     $0.00",
        "Max Drawdown %:   0.00%",
        "Max DD Duration:  0s",
        "Total Trades:     4",
        "Win Rate:         50.0%",
        "Profit Factor:    2.33",  # 2.8 / 1.2: 3 - 0.2 and -1 - 0.2
        "Expectancy:       $0.8000",
        "Avg Win:          $2.8000",
        "Avg Loss:         $-1.2000",
        "Largest Win:      $2.8000",
        "Largest Loss:     $-1.2000",
        "Total Fees:       $0.4000",
        # (0.25 + 0.04 + 0.25 + 0.36) / 4; edges 0.1, 0.1, 0.1, -0.3.
        "Brier Score: 0.2250",
        "Avg Edge:    0.0000",
    ]


# ------------------------------------------------------------------------ its tables
def test_rows_have_every_metric_that_says_something() -> None:
    record = record_of(run_of(3, "days"))
    rows = list(record.rows())
    assert [row.name for row in rows] == [each.name for each in fields(Metrics)]
    for row in rows:
        assert row.value == getattr(record, row.name)
        assert row.group in GROUPS
        assert row.label
        assert row.meaning
        assert row.shown == shown(row.value, row.unit, "USD")
    assert len({(row.label, row.unit) for row in rows}) == len(rows)
    # Groups stand together, in their order.
    groups = [row.group for row in rows]
    assert list(dict.fromkeys(groups)) == list(GROUPS)
    assert groups == sorted(groups, key=GROUPS.index)
    bare = list(metrics_of(run_of(3, "days").curve).rows())
    assert {row.group for row in bare} == set(GROUPS) - {"Forecasts", "Benchmark"}


def test_units_are_those_that_the_rows_document() -> None:
    known = {
        "currency",
        "fraction",
        "percent",
        "ratio",
        "seconds",
        "years",
        "periods",
        "count",
        "bps",
    }
    assert {each.metadata["unit"] for each in fields(Metrics)} == known
    for each in fields(Metrics):
        assert (each.metadata["unit"] == "count") == (each.type == "int"), each.name


def test_frame_has_the_numbers() -> None:
    record = record_of(run_of(3, "days"))
    frame = record.to_frame()
    assert list(frame.columns) == ["value", "unit", "shown", "group", "label", "meaning"]
    assert frame.index.name == "name"
    assert frame["value"].to_dict() == {row.name: row.value for row in record.rows()}
    assert frame.loc["win_rate", "unit"] == "percent"


def test_docstring_says_what_each_field_is() -> None:
    text = Metrics.__doc__ or ""
    for each in fields(Metrics):
        assert f"    {each.name} : {each.type}\n" in text
        assert f"{each.metadata['unit']}; {each.metadata['meaning']}." in text


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.1425, "fraction", "14.25 %"),
        (-0.1425, "fraction", "−14.25 %"),
        (-0.00001, "fraction", "0.00 %"),
        (55.0, "percent", "55.00 %"),
        (12.345, "fraction", "1,234.50 %"),
        (1.23456, "ratio", "1.235"),
        (-1.5, "ratio", "−1.500"),
        (-0.0001, "ratio", "0.000"),
        (2.5e7, "ratio", "2.5e+07"),
        (1234, "count", "1,234"),
        (math.inf, "ratio", "∞"),
        (-math.inf, "fraction", "−∞"),
        (1.5, "bps", "1.50 bps"),
        (2.0, "years", "2.00 years"),
        (271.6, "periods", "272 returns"),
    ],
    ids=str,
)
def test_values_as_people_write_them(value: float, unit: str, expected: str) -> None:
    assert shown(value, unit, "USD") == expected


@pytest.mark.parametrize(("value", "sign"), [(1234.5, ""), (-1234.5, "−")])
def test_money_has_its_currency(value: float, sign: str) -> None:
    text = shown(value, "currency", "EUR")
    assert "EUR" in text
    assert "1,234.50" in text
    assert text.startswith(sign)


def test_short_spans_are_not_written_in_years() -> None:
    assert "years" not in shown(0.001, "years", "USD")
