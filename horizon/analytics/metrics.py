"""The record of all metrics of one run: what each is called, its unit, and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from horizon import words
from horizon.analytics.sampling import YEAR_SECONDS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANNUALISED", "GROUPS", "MARK", "MetricRow", "Metrics", "annual_note", "marked"]

#: The groups in which metrics are shown, in this order.
GROUPS: Final = (
    "Result",
    "Reward for risk",
    "Risk",
    "Drawdowns",
    "Periods",
    "Trades",
    "Costs",
    "Forecasts",
    "Benchmark",
)

#: What is scaled to a year, by return, risk or length.
ANNUALISED: Final = frozenset(
    {
        "active_return",
        "adjusted_sharpe_ratio",
        "alpha",
        "annual_turnover",
        "benchmark_cagr",
        "benchmark_sharpe_ratio",
        "burke_ratio",
        "cagr",
        "calmar_ratio",
        "capture_ratio",
        "down_capture",
        "downside_deviation",
        "information_ratio",
        "m_squared",
        "pain_ratio",
        "sharpe_ratio",
        "sharpe_standard_error",
        "sortino_ratio",
        "tracking_error",
        "treynor_ratio",
        "ulcer_performance_index",
        "up_capture",
        "volatility",
    }
)
#: Stands behind the label of each of them where the record is too short for it to mean much.
MARK: Final = "*"
#: A record shorter than this, in years, is too short: thirty days.
_SHORT: Final = 30 * 86_400 / YEAR_SECONDS


def annual_note(years: float) -> str:
    """Say what the mark means at the metrics of a short record; empty where none is needed.

    Parameters
    ----------
    years : float
        From the start of the record to its last point.
    """
    if not 0.0 < years < _SHORT:
        return ""
    span = " ".join(words.duration(years * YEAR_SECONDS).split()[:4])
    return f"{MARK} scaled up from {span} to a year: arithmetic, not what a year would bring"


def _metric(group: str, label: str, unit: str, meaning: str, default: Any = 0.0) -> Any:
    return field(
        default=default,
        metadata={"group": group, "label": label, "unit": unit, "meaning": meaning},
    )


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric as a table shows it.

    Not made by hand: `Metrics.rows` and `Tearsheet.rows` give them.

    Attributes
    ----------
    name : str
        The attribute of `Metrics`.
    label, group, meaning : str
        What it is called on screen, where it stands, and what it says.
    unit : str
        ``"currency"``, ``"fraction"``, ``"percent"`` (0 to 100), ``"ratio"``, ``"seconds"``,
        ``"years"``, ``"periods"``, ``"count"`` or ``"bps"``.
    value : float, int or None
    shown : str
        The value as people write it.

    Examples
    --------
    >>> metrics = hz.analytics.metrics_of([("2025-01-06", 100.0), ("2025-01-07", 112.5)])
    >>> row = next(row for row in metrics.rows() if row.name == "total_return_pct")
    >>> row.label, row.unit, row.value, row.shown
    ('Total return', 'fraction', 0.125, '12.50 %')
    """

    name: str
    label: str
    group: str
    unit: str
    value: float | int | None
    shown: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Metrics:
    """All metrics of one run.

    Not made by hand: `hz.analytics.metrics_of` returns it, and a tearsheet has it as its
    `metrics`.

    Fractions are fractions (0.1425 is 14.25 %), money is in the account's currency, `win_rate`
    alone is in percent. What nothing can be said of is 0.0, and so is the difference or ratio of
    what no float can hold; a gain without risk is ``inf``; forecasts and benchmark are None where
    there are none. Nothing is NaN.

    Examples
    --------
    100 to 110 to 99, a tenth below the peak:

    >>> curve = [("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-08", 99.0)]
    >>> metrics = hz.generate_tearsheet(curve).metrics
    >>> metrics.total_return, round(metrics.max_drawdown_pct, 4), metrics.win_rate
    (-1.0, 0.1, 0.0)
    >>> metrics.to_frame().loc["max_drawdown_pct", "shown"]
    '10.00 %'
    """

    # ---- Result
    total_return: float = _metric(
        "Result", "Net profit", "currency", "last equity − initial capital"
    )
    total_return_pct: float = _metric(
        "Result", "Total return", "fraction", "total return over the initial capital"
    )
    cagr: float = _metric(
        "Result", "CAGR", "fraction", "compound annual growth rate from the first and last equity"
    )
    initial_equity: float = _metric("Result", "Initial capital", "currency", "equity at the start")
    final_equity: float = _metric("Result", "Final equity", "currency", "last equity")
    highest_equity: float = _metric("Result", "Highest equity", "currency", "highest equity")
    lowest_equity: float = _metric("Result", "Lowest equity", "currency", "lowest equity")
    years: float = _metric("Result", "Length", "years", "from the start to the last point")
    return_count: int = _metric(
        "Result", "Returns", "count", "number of returns that ratios are made of", 0
    )
    periods_per_year: float = _metric(
        "Result", "Returns a year", "ratio", "what ratios are annualised with"
    )
    return_month_to_date: float = _metric(
        "Result", "Last month", "fraction", "return of the last calendar month, so far"
    )
    return_year_to_date: float = _metric(
        "Result", "Last year", "fraction", "return of the last calendar year, so far"
    )
    # ---- Reward for risk
    sharpe_ratio: float = _metric(
        "Reward for risk", "Sharpe", "ratio", "mean return over its standard deviation, annualised"
    )
    sharpe_standard_error: float = _metric(
        "Reward for risk",
        "Sharpe, error",
        "ratio",
        "of the annualised Sharpe ratio, skewness and tails counted (Mertens 2002)",
    )
    probabilistic_sharpe_ratio: float = _metric(
        "Reward for risk",
        "Sharpe above 0, probability",
        "fraction",
        "that the true Sharpe ratio is above 0 (Bailey and López de Prado 2012)",
    )
    minimum_track_record: float = _metric(
        "Reward for risk",
        "Track record needed",
        "periods",
        "returns after which a Sharpe ratio like this is above 0 with 95 % confidence",
    )
    adjusted_sharpe_ratio: float = _metric(
        "Reward for risk", "Adjusted Sharpe", "ratio", "CAGR per volatility, corrected for tails"
    )
    sortino_ratio: float = _metric(
        "Reward for risk", "Sortino", "ratio", "mean return over downside deviation, annualised"
    )
    calmar_ratio: float = _metric(
        "Reward for risk", "Calmar", "ratio", "CAGR over the largest drawdown"
    )
    omega_ratio: float = _metric(
        "Reward for risk", "Omega", "ratio", "sum of gains over sum of losses of the returns"
    )
    gain_to_pain_ratio: float = _metric(
        "Reward for risk", "Gain to pain", "ratio", "sum of returns over sum of losses"
    )
    ulcer_performance_index: float = _metric(
        "Reward for risk", "Ulcer performance index", "ratio", "CAGR over the ulcer index"
    )
    pain_ratio: float = _metric("Reward for risk", "Pain ratio", "ratio", "CAGR over pain index")
    burke_ratio: float = _metric(
        "Reward for risk", "Burke", "ratio", "CAGR over the root of squared drawdowns"
    )
    recovery_factor: float = _metric(
        "Reward for risk", "Recovery factor", "ratio", "total return over the largest drawdown"
    )
    tail_ratio: float = _metric(
        "Reward for risk", "Tail ratio", "ratio", "95th percentile of returns over the 5th"
    )
    kelly_fraction: float = _metric(
        "Reward for risk", "Kelly fraction", "ratio", "mean over variance of the returns"
    )
    stability: float = _metric(
        "Reward for risk", "Stability", "ratio", "R² of a straight line through log equity"
    )
    # ---- Risk
    volatility: float = _metric("Risk", "Volatility", "fraction", "standard deviation, annualised")
    downside_deviation: float = _metric(
        "Risk", "Downside deviation", "fraction", "of returns below 0, over all, annualised"
    )
    mean_absolute_deviation: float = _metric(
        "Risk", "Mean absolute deviation", "fraction", "mean distance of a return from the mean"
    )
    skewness: float = _metric("Risk", "Skewness", "ratio", "third moment of the returns")
    kurtosis: float = _metric("Risk", "Kurtosis, excess", "ratio", "fourth moment − 3")
    value_at_risk_95: float = _metric(
        "Risk", "VaR 95 %", "fraction", "return that 5 % of the periods fall below"
    )
    conditional_value_at_risk_95: float = _metric(
        "Risk", "CVaR 95 %", "fraction", "mean of the worst 5 % of the returns"
    )
    value_at_risk_99: float = _metric(
        "Risk", "VaR 99 %", "fraction", "return that 1 % of the periods fall below"
    )
    conditional_value_at_risk_99: float = _metric(
        "Risk", "CVaR 99 %", "fraction", "mean of the worst 1 % of the returns"
    )
    value_at_risk_modified: float = _metric(
        "Risk", "VaR 95 %, Cornish–Fisher", "fraction", "normal quantile corrected for tails"
    )
    autocorrelation: float = _metric(
        "Risk", "Autocorrelation", "ratio", "correlation of a return with the one before"
    )
    # ---- Drawdowns
    max_drawdown: float = _metric(
        "Drawdowns", "Largest drawdown, money", "currency", "largest fall from a peak in money"
    )
    max_drawdown_pct: float = _metric(
        "Drawdowns", "Largest drawdown", "fraction", "largest fall as a fraction of its peak"
    )
    max_drawdown_duration_secs: float = _metric(
        "Drawdowns", "Longest drawdown", "seconds", "from a peak to its recovery, or to the end"
    )
    current_drawdown_pct: float = _metric(
        "Drawdowns", "Drawdown at the end", "fraction", "last equity below the highest"
    )
    average_drawdown_pct: float = _metric(
        "Drawdowns", "Average drawdown", "fraction", "mean depth of all drawdowns"
    )
    average_drawdown_duration_secs: float = _metric(
        "Drawdowns", "Average length", "seconds", "mean length of all drawdowns"
    )
    drawdown_count: int = _metric("Drawdowns", "Drawdowns", "count", "stretches below a peak", 0)
    time_under_water: float = _metric(
        "Drawdowns", "Time under water", "fraction", "share of the time below a peak"
    )
    ulcer_index: float = _metric(
        "Drawdowns", "Ulcer index", "fraction", "root mean square depth below the peak"
    )
    pain_index: float = _metric("Drawdowns", "Pain index", "fraction", "mean depth below the peak")
    # ---- Periods
    mean_return: float = _metric("Periods", "Mean return", "fraction", "mean of the returns")
    geometric_mean_return: float = _metric(
        "Periods", "Geometric mean", "fraction", "growth a period that compounds to the same"
    )
    best_return: float = _metric("Periods", "Best return", "fraction", "of one period")
    worst_return: float = _metric("Periods", "Worst return", "fraction", "of one period")
    average_gain: float = _metric("Periods", "Average gain", "fraction", "mean of returns above 0")
    average_loss: float = _metric("Periods", "Average loss", "fraction", "mean of returns below 0")
    positive_returns: float = _metric(
        "Periods", "Returns above 0", "fraction", "share of all returns"
    )
    up_streak: int = _metric("Periods", "Longest rise", "count", "returns above 0 in a row", 0)
    down_streak: int = _metric("Periods", "Longest fall", "count", "returns below 0 in a row", 0)
    best_day: float = _metric("Periods", "Best day", "fraction", "return of a UTC day")
    worst_day: float = _metric("Periods", "Worst day", "fraction", "return of a UTC day")
    positive_days: float = _metric("Periods", "Days above 0", "fraction", "share of days")
    best_month: float = _metric("Periods", "Best month", "fraction", "return of a month")
    worst_month: float = _metric("Periods", "Worst month", "fraction", "return of a month")
    positive_months: float = _metric("Periods", "Months above 0", "fraction", "share of months")
    best_year: float = _metric("Periods", "Best year", "fraction", "return of a calendar year")
    worst_year: float = _metric("Periods", "Worst year", "fraction", "return of a calendar year")
    positive_years: float = _metric("Periods", "Years above 0", "fraction", "share of years")
    # ---- Trades
    total_trades: int = _metric("Trades", "Fills", "count", "number of fills", 0)
    closing_count: int = _metric(
        "Trades", "Closings", "count", "fills that reduce a position, and settlements", 0
    )
    win_rate: float = _metric("Trades", "Win rate", "percent", "closings with a profit after fees")
    profit_factor: float = _metric(
        "Trades", "Profit factor", "ratio", "sum of winning closings over sum of losing ones"
    )
    expectancy: float = _metric("Trades", "Expectancy", "currency", "mean profit of a closing")
    avg_win: float = _metric("Trades", "Average win", "currency", "mean of winning closings")
    avg_loss: float = _metric("Trades", "Average loss", "currency", "mean of losing closings")
    payoff_ratio: float = _metric(
        "Trades", "Payoff ratio", "ratio", "average win over average loss"
    )
    largest_win: float = _metric("Trades", "Largest win", "currency", "best closing")
    largest_loss: float = _metric("Trades", "Largest loss", "currency", "worst closing")
    win_streak: int = _metric("Trades", "Longest winning streak", "count", "wins in a row", 0)
    loss_streak: int = _metric("Trades", "Longest losing streak", "count", "losses in a row", 0)
    average_holding_secs: float = _metric(
        "Trades", "Average holding time", "seconds", "of closings, from their mean entry time"
    )
    longest_holding_secs: float = _metric(
        "Trades", "Longest holding time", "seconds", "of one closing"
    )
    long_share: float = _metric("Trades", "Long closings", "fraction", "share of all closings")
    traded_notional: float = _metric(
        "Trades", "Traded notional", "currency", "sum of quantity × price × multiplier of fills"
    )
    turnover: float = _metric(
        "Trades", "Turnover", "ratio", "traded notional over mean equity, whole run"
    )
    annual_turnover: float = _metric(
        "Trades", "Turnover a year", "ratio", "turnover over the length in years"
    )
    time_in_market: float = _metric(
        "Trades", "Time in market", "fraction", "share of the time with any position"
    )
    average_gross_exposure: float = _metric(
        "Trades", "Gross exposure", "fraction", "mean gross position at cost over mean equity"
    )
    average_net_exposure: float = _metric(
        "Trades", "Net exposure", "fraction", "mean net position at cost over mean equity"
    )
    # ---- Costs
    total_fees: float = _metric("Costs", "Fees", "currency", "sum of fees; below 0 is a rebate")
    fee_bps: float = _metric("Costs", "Fees of notional", "bps", "fees over traded notional")
    fee_share: float = _metric(
        "Costs", "Fees of gross profit", "fraction", "fees over the gross profit of closings"
    )
    maker_share: float = _metric(
        "Costs", "Maker share", "fraction", "share of traded notional that was filled resting"
    )
    # ---- Forecasts
    brier_score: float | None = _metric(
        "Forecasts",
        "Brier score",
        "ratio",
        "mean of (price − outcome)² over fills, prices as those of YES",
        None,
    )
    model_brier_score: float | None = _metric(
        "Forecasts", "Brier score, model", "ratio", "the same for the fair value at each fill", None
    )
    avg_edge: float | None = _metric(
        "Forecasts",
        "Average edge",
        "ratio",
        "mean of fair value − price of buys and price − fair value of sells, in units of price",
        None,
    )
    # ---- Benchmark
    benchmark_return_pct: float | None = _metric(
        "Benchmark", "Benchmark, total return", "fraction", "over the same periods", None
    )
    benchmark_cagr: float | None = _metric(
        "Benchmark", "Benchmark, CAGR", "fraction", "over the same periods", None
    )
    benchmark_sharpe_ratio: float | None = _metric(
        "Benchmark", "Benchmark, Sharpe", "ratio", "over the same periods", None
    )
    active_return: float | None = _metric(
        "Benchmark", "Active return", "fraction", "CAGR less that of the benchmark", None
    )
    alpha: float | None = _metric(
        "Benchmark", "Alpha", "fraction", "annual return beyond beta, compounded", None
    )
    beta: float | None = _metric("Benchmark", "Beta", "ratio", "slope on the benchmark", None)
    correlation: float | None = _metric(
        "Benchmark", "Correlation", "ratio", "with the benchmark", None
    )
    r_squared: float | None = _metric(
        "Benchmark", "R²", "ratio", "share of variance explained", None
    )
    tracking_error: float | None = _metric(
        "Benchmark", "Tracking error", "fraction", "deviation of differences, annualised", None
    )
    information_ratio: float | None = _metric(
        "Benchmark", "Information ratio", "ratio", "mean difference over tracking error", None
    )
    treynor_ratio: float | None = _metric(
        "Benchmark", "Treynor", "ratio", "CAGR over the risk-free one, per beta", None
    )
    m_squared: float | None = _metric(
        "Benchmark", "M²", "fraction", "annual return at the benchmark's volatility", None
    )
    up_capture: float | None = _metric(
        "Benchmark", "Up capture", "ratio", "growth where it rose, over its own", None
    )
    down_capture: float | None = _metric(
        "Benchmark", "Down capture", "ratio", "growth where it fell, over its own", None
    )
    capture_ratio: float | None = _metric(
        "Benchmark", "Capture ratio", "ratio", "up capture over down capture", None
    )

    def rows(self, currency: str = "USD") -> Iterator[MetricRow]:
        """Yield each metric that is not None, with its label, unit and the value in words.

        Parameters
        ----------
        currency : str
            What money is written with, such as ``"USD"``.

        Yields
        ------
        MetricRow
        """
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None:
                continue
            about = each.metadata
            yield MetricRow(
                name=each.name,
                label=about["label"],
                group=about["group"],
                unit=about["unit"],
                value=value,
                shown=shown(value, about["unit"], currency),
                meaning=about["meaning"],
            )

    def __repr__(self) -> str:
        lines, group = [], ""
        for row in self.rows():
            if row.group != group:
                group = row.group
                lines.append(group)
            lines.append(f"  {row.name + ':':<32}{row.shown:>20}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return str(self.to_frame()[["group", "label", "shown"]].to_html(escape=True))

    def to_frame(self) -> pd.DataFrame:
        """Return a frame indexed by name: value, unit, shown, group, label, meaning."""
        import pandas as pd

        rows = [
            (r.name, r.value, r.unit, r.shown, r.group, r.label, r.meaning) for r in self.rows()
        ]
        names = ["name", "value", "unit", "shown", "group", "label", "meaning"]
        return pd.DataFrame(rows, columns=names).set_index("name")


def shown(value: float | int, unit: str, currency: str) -> str:
    """Write a metric as people do: fractions in percent, seconds as a stretch of time."""
    if unit == "count":
        return f"{value:,}"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if unit == "currency":
        return words.cash(value, currency)
    if unit == "seconds":
        whole = words.duration(value).split()
        return " ".join(whole[:4])  # the two largest units
    if unit in ("fraction", "percent"):
        percent = value * (100.0 if unit == "fraction" else 1.0)
        text = f"{percent:,.2f} %" if abs(percent) < 1e6 else f"{percent:.3g} %"
    elif unit == "years":
        text = f"{value:,.2f} years" if value >= 0.1 else words.duration(value * YEAR_SECONDS)
    elif unit == "periods":
        text = f"{value:,.0f} returns"
    elif unit == "bps":
        text = f"{value:,.2f} bps"
    else:
        text = f"{value:,.3f}" if abs(value) < 1e6 else f"{value:.3g}"
    if float(text.split()[0].replace(",", "")) == 0.0:
        return text.removeprefix("-")
    return text.replace("-", "−", 1)


def shown_difference(change: float | int, unit: str, currency: str) -> str:
    """Write by how much a metric differs, with its sign; of percentages in points (pp)."""
    # The sign by itself: a duration has none, and is written as none.
    text = shown(abs(change), unit, currency)
    if unit in ("fraction", "percent"):
        text = text.replace(" %", " pp")
    return f"{'−' if change < 0.0 else '+'}{text}"


def marked(row: MetricRow, note: str) -> str:
    """Write a metric's label, with the mark that a note explains where it is for this metric."""
    return f"{row.label} {MARK}" if note and row.name in ANNUALISED else row.label


def _document() -> None:
    """Put what each metric says into the class's docstring, from the one place that has it."""
    text, heading, example = (Metrics.__doc__ or "").partition("    Examples\n")
    lines = [text.rstrip(), "", "    Attributes", "    ----------"]
    for each in fields(Metrics):
        about = each.metadata
        lines += [f"    {each.name} : {each.type}", f"        {about['unit']}; {about['meaning']}."]
    Metrics.__doc__ = "\n".join([*lines, "", heading + example])


_document()
