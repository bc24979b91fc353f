"""A tearsheet: all that is said of one equity curve and its fills, worked out when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics import drawdown as falls
from horizon.analytics import holdings, periods, rolling, trades
from horizon.analytics.alignment import beside
from horizon.analytics.cautions import cautions_of
from horizon.analytics.curves import Curve, curve_of, equity_of, returns_of
from horizon.analytics.edges import forecast_scores
from horizon.analytics.fills import FillTable, table_of
from horizon.analytics.inference import Interval, bootstrap_interval
from horizon.analytics.measure import metrics_of
from horizon.analytics.metrics import MetricRow, Metrics, annual_note, marked
from horizon.analytics.sampling import DAY_NS, Sampling
from horizon.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Tearsheet", "generate_tearsheet"]

Numbers = NDArray[np.float64]

#: Metrics that the text form shows, in two columns.
_FIRST: Final = (
    ("total_return", "total_return_pct"),
    ("cagr", "volatility"),
    ("sharpe_ratio", "sharpe_standard_error"),
    ("sortino_ratio", "calmar_ratio"),
    ("max_drawdown_pct", "current_drawdown_pct"),
    ("max_drawdown_duration_secs", "time_under_water"),
    ("best_day", "worst_day"),
    ("positive_months", "tail_ratio"),
    ("total_trades", "win_rate"),
    ("profit_factor", "expectancy"),
    ("total_fees", "time_in_market"),
    ("alpha", "beta"),
)


_OF_DAYS: Final = ("best_day", "worst_day", "positive_days")


class Tearsheet:
    """What can be said of an equity curve, and of the fills that made it.

    Not made by hand: `hz.generate_tearsheet` makes it of equity, `hz.Tearsheet.from_returns` of
    returns. Everything is worked out on first use, and is data: figures and pages are drawn from
    here. What cannot be right raises a `DataError`, `TypeError` or `ValueError` when it is made,
    not on first use.

    Attributes
    ----------
    title, currency, benchmark_name : str
    curve : Curve
        Every point, the start first.
    sampling : Sampling
        How often returns are taken, and how many make a year.
    fills : FillTable
    risk_free : float
        Annual rate, as a fraction.
    benchmark_equity : ndarray of float64, shape (m + 1,), or None
        The benchmark's value at `benchmark_times`; None without one.

    Examples
    --------
    Three daily returns: 10, −10 and 20 %.

    >>> curve = [("2025-01-06", 100.0), ("2025-01-07", 110.0), ("2025-01-08", 99.0),
    ...          ("2025-01-09", 118.8)]
    >>> sheet = hz.generate_tearsheet(curve)
    >>> sheet.returns.round(4).tolist(), sheet.underwater.round(4).tolist()
    ([0.1, -0.1, 0.2], [0.0, 0.0, -0.1, 0.0])
    >>> sheet.by_weekday.keys()
    dict_keys([1, 2, 3])
    """

    def __init__(
        self,
        curve: Any,
        *,
        fills: FillTable | None = None,
        sampling: str | Sampling = "auto",
        periods_per_year: float | None = None,
        risk_free: float = 0.0,
        rolling_window: int | None = None,
        benchmark: Any = None,
        benchmark_name: str = "Benchmark",
        outcomes: Mapping[str, float] | None = None,
        fair_values: Any = None,
        title: str = "Tearsheet",
        currency: str = "USD",
    ) -> None:
        self.title = _line("title", title)
        self.currency = checks.text("currency", currency, most=16)
        self.benchmark_name = _line("benchmark_name", benchmark_name)
        self.curve: Curve = curve_of(curve, name="curve")
        self.sampling = _sampling(self.curve, sampling, periods_per_year)
        self.fills = table_of(() if fills is None else fills)
        self.risk_free = checks.number("risk_free", risk_free)
        if not -1.0 < self.risk_free < 1.0:
            raise ValueError(
                f"risk_free must be an annual fraction between -1 and 1, was {self.risk_free:g}; "
                "4 % is 0.04"
            )
        self._outcomes = outcomes
        self._fair_values = fair_values
        # What cannot be right is said at once, not on first use.
        if outcomes is not None or fair_values is not None:
            forecast_scores(self.fills, outcomes=outcomes, fair_values=fair_values)
        self._sampled = self.sampling.take(self.curve)
        self._window = (
            None
            if rolling_window is None
            else checks.integer("rolling_window", rolling_window, least=2)
        )
        self._benchmark = None if benchmark is None else curve_of(benchmark, name="benchmark")
        self.benchmark_equity = (
            None if self._benchmark is None else beside(self._benchmark, self.curve, self.sampling)
        )

    # ------------------------------------------------------------------ made from
    @classmethod
    def from_returns(
        cls,
        returns: Any,
        trades: Iterable[Any] = (),
        *,
        initial_capital: float = 1.0,
        settlements: Any = (),
        multipliers: Mapping[str, float] | None = None,
        benchmark: Any = None,
        **options: Any,
    ) -> Tearsheet:
        """Make a tearsheet of simple returns.

        Parameters
        ----------
        returns : Series indexed by time, frame, or list of (time, return) tuples
            Fractions, each at the end of its period. The start is put one usual period (the
            median distance of the times) before the first.
        initial_capital : float
            What the returns begin with; equity is compounded from it. From a return of −1 or
            below on it stays as it is: nothing is left that could grow.
        benchmark : in the same forms, optional
            Returns of the benchmark, with the same times.
        trades, settlements, multipliers, **options
            As for `generate_tearsheet`.

        Returns
        -------
        Tearsheet

        Raises
        ------
        DataError
            At the first row that cannot be right, or where the wealth is beyond a float.
        TypeError, ValueError
            If an argument is not as above.

        Examples
        --------
        >>> returns = pd.Series([0.1, -0.5], index=pd.to_datetime(["2025-01-06", "2025-01-07"]))
        >>> sheet = hz.Tearsheet.from_returns(returns, initial_capital=1_000.0)
        >>> sheet.equity.round(4).tolist()
        [1000.0, 1100.0, 550.0]
        """
        capital = checks.positive("initial_capital", initial_capital)
        times, values = returns_of(returns)
        curve = _compounded(times, values, capital, "returns")
        if benchmark is not None:
            its_times, its_values = returns_of(benchmark, name="benchmark")
            if len(its_times) != len(times) or (its_times != times).any():
                raise ValueError(
                    "benchmark must have the times of returns, had "
                    f"{len(its_times):,} for {len(times):,}"
                    + ("" if len(its_times) != len(times) else " that differ")
                )
            benchmark = _compounded(its_times, its_values, capital, "benchmark")
        fills = table_of(trades, settlements, multipliers, name="trades")
        return cls(curve, fills=fills, benchmark=benchmark, **options)

    # ------------------------------------------------------------------ numbers
    @cached_property
    def metrics(self) -> Metrics:
        """All metrics in one record."""
        return metrics_of(
            self.curve,
            self.fills,
            sampling=self.sampling,
            risk_free=self.risk_free,
            benchmark=None
            if self.benchmark_equity is None
            else periods.changes(self.benchmark_equity),
            outcomes=self._outcomes,
            fair_values=self._fair_values,
        )

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Times of every point, the start first, shape (n,), UTC."""
        return self.curve.times

    @property
    def equity(self) -> Numbers:
        """Equity at every point, shape (n,)."""
        return self.curve.equity

    @cached_property
    def underwater(self) -> Numbers:
        """Equity over its highest so far, less 1, at every point, shape (n,); 0 or below."""
        return falls.below_peak(self.equity, np.maximum.accumulate(self.equity))

    @property
    def sampled_times(self) -> NDArray[np.datetime64]:
        """Times at which returns end, shape (m,), UTC."""
        return self._sampled.times[1:]

    @property
    def benchmark_times(self) -> NDArray[np.datetime64]:
        """Times of `benchmark_equity`: the start, then those of the returns, shape (m + 1,)."""
        return self._sampled.times

    @cached_property
    def returns(self) -> Numbers:
        """Simple returns that ratios are made of, shape (m,)."""
        return periods.changes(self._sampled.equity)

    @cached_property
    def monthly_returns(self) -> dict[str, float]:
        """Return of each month, by ``"YYYY-MM"``, as a fraction."""
        return periods.monthly_returns(self.curve)

    @cached_property
    def yearly_returns(self) -> dict[str, float]:
        """Return of each year, by ``"YYYY"``, as a fraction."""
        return periods.yearly_returns(self.curve)

    @cached_property
    def monthly_table(self) -> pd.DataFrame:
        """Years by months, and the whole year; NaN where there is no point."""
        return periods.monthly_table(self.curve)

    @cached_property
    def time_of_day(self) -> dict[int, float]:
        """Mean return of an hour, by hour of the day in UTC."""
        return periods.by_hour(self.curve)

    @cached_property
    def by_weekday(self) -> dict[int, float]:
        """Mean return of a day, by weekday in UTC; Monday is 0."""
        return periods.by_weekday(self.curve)

    @cached_property
    def by_month(self) -> dict[int, float]:
        """Mean return of a calendar month, by month of the year, 1 to 12."""
        return periods.by_month(self.curve)

    @cached_property
    def is_intraday(self) -> bool:
        """Whether some UTC day has points in more than one hour, so that hours can be told."""
        return periods.is_intraday(self.curve)

    @cached_property
    def histogram(self) -> tuple[Numbers, NDArray[np.int64]]:
        """Edges (k + 1) and counts (k) of the returns."""
        return periods.histogram(self.returns)

    @cached_property
    def drawdowns(self) -> list[falls.DrawdownRecord]:
        """The five deepest drawdowns, the deepest first."""
        return falls.drawdowns(self.curve.times_ns, self.equity)

    @property
    def rolling_window(self) -> int:
        """Returns in one window of the rolling metrics.

        By default a quarter of a year of daily returns, and at most a quarter of all; of other
        returns a tenth of all.
        """
        if self._window is not None:
            return self._window
        n = len(self.returns)
        if self.sampling.kind == "daily":
            return max(2, min(round(self.sampling.periods_per_year / 4.0), n // 4))
        return max(2, n // 10)

    def rolling(self, metric: str) -> tuple[NDArray[np.datetime64], Numbers]:
        """Return a metric of each window of `rolling_window` returns, at the time it ends.

        Parameters
        ----------
        metric : {"sharpe", "sortino", "volatility", "beta"}
            Annualised, but for beta, which is empty without a benchmark.

        Returns
        -------
        ndarray of datetime64, ndarray of float64
            Of one length, m − window + 1.
        """
        checks.one_of("metric", metric, ("sharpe", "sortino", "volatility", "beta"))
        returns, window, per_year = self.returns, self.rolling_window, self._per_year
        if metric == "sharpe":
            values = rolling.rolling_sharpe(
                returns, window, risk_free=self._free, periods_per_year=per_year
            )
        elif metric == "sortino":
            values = rolling.rolling_sortino(
                returns, window, minimum=self._free, periods_per_year=per_year
            )
        elif metric == "volatility":
            values = rolling.rolling_volatility(returns, window, periods_per_year=per_year)
        elif self.benchmark_equity is not None:
            market = periods.changes(self.benchmark_equity)
            values = rolling.rolling_beta(returns, market, window)
        else:
            values = np.zeros(0)
        return self._sampled.times[len(self._sampled) - len(values) :], values

    @cached_property
    def rolling_sharpe(self) -> list[tuple[float, float]]:
        """(time in seconds, annualised Sharpe ratio) of the window that ends there."""
        return _pairs(*self.rolling("sharpe"))

    @cached_property
    def rolling_sortino(self) -> list[tuple[float, float]]:
        """(time in seconds, annualised Sortino ratio) of the window that ends there."""
        return _pairs(*self.rolling("sortino"))

    @cached_property
    def rolling_volatility(self) -> list[tuple[float, float]]:
        """(time in seconds, annualised volatility) of the window that ends there."""
        return _pairs(*self.rolling("volatility"))

    @cached_property
    def rolling_beta(self) -> list[tuple[float, float]]:
        """(time in seconds, beta) of the window that ends there; empty without benchmark."""
        return _pairs(*self.rolling("beta"))

    @cached_property
    def closings(self) -> pd.DataFrame:
        """One row for each fill or settlement that reduced a position."""
        return trades.closings(self.fills).to_frame()

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """One row for each position from flat to flat."""
        return trades.round_trips(self.fills).to_frame()

    @cached_property
    def pnl_by_market(self) -> dict[str, float]:
        """Realised profit less fees, by market."""
        return trades.pnl_by_market(self.fills)

    @cached_property
    def pnl_by_hour(self) -> dict[int, float]:
        """Profit of closings after fees, by hour of the day in UTC."""
        return trades.pnl_by_hour(self.fills)

    @cached_property
    def pnl_by_weekday(self) -> dict[int, float]:
        """Profit of closings after fees, by weekday in UTC; Monday is 0."""
        return trades.pnl_by_weekday(self.fills)

    @cached_property
    def exposure(self) -> holdings.Exposure:
        """Gross and net positions at entry cost, at each change."""
        return holdings.exposure(self.fills)

    def bootstrap(
        self,
        statistic: Any = "sharpe_ratio",
        *,
        n_resamples: int = 1_000,
        confidence: float = 0.95,
        block: float | None = None,
        seed: int = 0,
    ) -> Interval:
        """Interval of a statistic of the returns; see `bootstrap_interval`.

        Parameters
        ----------
        statistic, n_resamples, confidence, block, seed
            As `bootstrap_interval` takes them; returns, risk-free rate and periods per year are the
            tearsheet's own.

        Returns
        -------
        Interval

        Raises
        ------
        ValueError
            As `bootstrap_interval`.
        """
        return bootstrap_interval(
            self.returns,
            statistic,
            risk_free=self._free,
            periods_per_year=self._per_year,
            n_resamples=n_resamples,
            confidence=confidence,
            block=block,
            seed=seed,
        )

    @property
    def avg_win(self) -> float:
        """Mean profit of winning closings."""
        return self.metrics.avg_win

    @property
    def avg_loss(self) -> float:
        """Mean loss of losing closings, below 0."""
        return self.metrics.avg_loss

    @property
    def largest_win(self) -> float:
        """Best closing."""
        return self.metrics.largest_win

    @property
    def largest_loss(self) -> float:
        """Worst closing, below 0."""
        return self.metrics.largest_loss

    @property
    def win_streak(self) -> int:
        """Most winning closings in a row."""
        return self.metrics.win_streak

    @property
    def loss_streak(self) -> int:
        """Most losing closings in a row."""
        return self.metrics.loss_streak

    @property
    def tail_ratio(self) -> float:
        """95th percentile of returns over the size of the 5th."""
        return self.metrics.tail_ratio

    # ------------------------------------------------------------------ shown
    @cached_property
    def cautions(self) -> list[str]:
        """What to know before reading the numbers, as sentences; shown wherever they are."""
        return cautions_of(self, self._benchmark)

    def rows(self) -> list[MetricRow]:
        """Return the metrics that say something here.

        Those of trades only if there are fills, those of days only if returns are not of weeks or
        months.
        """
        idle = () if len(self.fills) else ("Trades", "Costs")
        # A month's return at its last day is no day's return.
        no_days = _OF_DAYS if self.sampling.period in ("week", "month") else ()
        return [
            row
            for row in self.metrics.rows(self.currency)
            if row.group not in idle and row.name not in no_days
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return all metrics as a frame: value, unit, group, label and meaning by name."""
        return self.metrics.to_frame()

    def figure(self, *, theme: str = "light") -> go.Figure:
        """Draw it: equity with fills, drawdown, months, rolling Sharpe, distribution, hours.

        Parameters
        ----------
        theme : {"light", "dark"}
        """
        from horizon.figures import tearsheet

        return tearsheet(self, theme=theme)

    def to_html(self, path: str | os.PathLike[str], *, theme: str = "light") -> Path:
        """Write it as one page that needs nothing else: figure and every table.

        Parameters
        ----------
        path : path
            Written over if it exists; its folder must exist.
        theme : {"light", "dark"}

        Returns
        -------
        pathlib.Path
        """
        from horizon.analytics.report import html_page

        target = checks.new_file("path", path)
        target.write_text(html_page(self, theme=theme), encoding="utf-8")
        return target

    def __repr__(self) -> str:
        rows = {row.name: row for row in self.rows()}
        title = words.name(self.title)
        head = f"{title}: {self.span_in_words}"
        lines = [head, "=" * min(len(head), 79)]
        note = annual_note(self.metrics.years)
        for names in _FIRST:
            cells = [
                f"{marked(rows[name], note) + ':':<26}{rows[name].shown:>14}"
                for name in names
                if name in rows
            ]
            if cells:
                lines.append("   ".join(cells).rstrip())
        lines += [note] if note else []
        lines += [f"! {caution}" for caution in self.cautions]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from horizon.analytics.report import html_summary

        return html_summary(self)

    @property
    def span_in_words(self) -> str:
        """From which day to which it goes, and how many returns it has."""
        if len(self.curve) == 0 or (len(self.curve) == 1 and self.curve.times_ns[0] == 0):
            return "no points"
        days = self.curve.times[[0, -1]].astype("datetime64[D]").astype(str)
        span = str(days[0]) if days[0] == days[1] else f"{days[0]} to {days[1]}"
        n = len(self.returns)
        return f"{span}, {n:,} {self.sampling.each} return{'' if n == 1 else 's'}"

    # ------------------------------------------------------------------ small parts
    @property
    def _per_year(self) -> float:
        """Periods per year; 1 where nothing can be annualised, so that ratios are per period."""
        return self.sampling.periods_per_year or 1.0

    @property
    def _free(self) -> float:
        return self.risk_free / self._per_year if self.sampling.periods_per_year else 0.0


def generate_tearsheet(
    equity_curve: Any,
    trades: Iterable[Any] = (),
    initial_capital: float | None = None,
    *,
    settlements: Any = (),
    multipliers: Mapping[str, float] | None = None,
    benchmark: Any = None,
    benchmark_name: str = "Benchmark",
    sampling: str | Sampling = "auto",
    periods_per_year: float | None = None,
    risk_free: float = 0.0,
    rolling_window: int | None = None,
    outcomes: Mapping[str, float] | None = None,
    fair_values: Any = None,
    title: str = "Tearsheet",
    currency: str = "USD",
) -> Tearsheet:
    """Make a tearsheet of an equity curve.

    Parameters
    ----------
    equity_curve : list of (time, equity) tuples, Series, frame, dict of columns or array
        A Series is indexed by time; a frame has a column ``equity`` and one of times, or its
        index; an array has shape (n, 2). Times are epoch seconds or datetimes, in order; those
        without a zone are UTC. For returns see `Tearsheet.from_returns`.
    trades : list of Fill or VenueFill, or frame
        The fills behind the curve, e.g. ``ex.fills_frame()``.
    initial_capital : float, optional
        Above 0; the first equity by default. Drawdowns and returns start from it.
    settlements, multipliers
        What `fill_table` needs beside fills: settled positions, and currency per point of
        markets whose ids do not say it.
    benchmark : in the forms of `equity_curve`, optional
        Prices or equity of what to compare with; it must begin by the end of the first period.
        Its value in force at the start and at the end of each period is taken. Where returns are
        daily, and it has one value a UTC day at most or the curve bears dates, a day's last value
        counts at any hour of it, and the start within a first day has that of the day before.
    sampling : {"auto", "daily", "points"} or Sampling
        What returns are taken between: closes of UTC days, or all points. ``"auto"`` is daily
        where the curve spans 30 days. A `Sampling` of a whole data set makes its windows
        comparable.
    periods_per_year : float, optional
        Overrides what is counted from the data.
    risk_free : float
        Annual rate, as a fraction.
    rolling_window : int, optional
        Returns in a window of the rolling metrics.
    outcomes : mapping of market id to float, optional
        What markets resolved to, for the Brier score of the fills.
    fair_values : array-like, optional
        The model's fair value at each fill, for its own Brier score and the average edge.
    title, benchmark_name, currency : str

    Returns
    -------
    Tearsheet

    Raises
    ------
    DataError
        At the first row that cannot be right, with its number.
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    The initial capital is 100; the largest fall is from 101 to 99.

    >>> sheet = hz.generate_tearsheet([(1000, 100), (1001, 101), (1002, 99)], initial_capital=100.0)
    >>> sheet.metrics.max_drawdown
    2.0
    """
    return Tearsheet(
        curve_of(equity_curve, initial_capital),
        fills=table_of(trades, settlements, multipliers, name="trades"),
        sampling=sampling,
        periods_per_year=periods_per_year,
        benchmark=benchmark,
        benchmark_name=benchmark_name,
        risk_free=risk_free,
        rolling_window=rolling_window,
        outcomes=outcomes,
        fair_values=fair_values,
        title=title,
        currency=currency,
    )


def _pairs(times: NDArray[np.datetime64], values: Numbers) -> list[tuple[float, float]]:
    """Pair times in seconds with values."""
    seconds = map(checks.ns_to_seconds, times.view(np.int64).tolist())
    return list(zip(seconds, values.tolist(), strict=True))


def _sampling(curve: Curve, sampling: str | Sampling, periods_per_year: float | None) -> Sampling:
    if not isinstance(sampling, Sampling):
        return Sampling.of(curve, kind=sampling, periods_per_year=periods_per_year)
    if periods_per_year is None:
        return sampling
    return Sampling(sampling.kind, checks.positive("periods_per_year", periods_per_year))


def _line(name: str, value: object) -> str:
    """Take a line of text that somebody chose, of any length that is still a title."""
    return checks.text(name, value, most=500)


def _usual(steps: NDArray[np.int64]) -> int:
    """The median step, at once where all are alike."""
    shortest = int(steps.min())
    return shortest if shortest == int(steps.max()) else int(np.median(steps))


def _compounded(times: NDArray[np.int64], returns: Numbers, capital: float, name: str) -> Curve:
    """Equity of returns, its start one usual period before the first."""
    if len(times) == 0:
        return Curve(np.zeros(1, dtype=np.int64), np.array([capital]))
    equity = equity_of(returns, capital)
    if not np.isfinite(equity).all():
        row = int(np.argmin(np.isfinite(equity))) - 1
        raise DataError(
            f"{name} must compound to what a float can hold, at row {row} they no longer do; are "
            "they fractions? 1 % is 0.01",
            row=row,
            value=float(returns[row]),
        )
    usual = _usual(np.diff(times)) if len(times) > 1 else DAY_NS
    return Curve(np.concatenate([[times[0] - max(usual, 0)], times]), equity)
