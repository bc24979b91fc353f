"""The result of a backtest: numbers, lists and pictures, made when they are asked for."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.calibration import CalibrationCurve, calibration_curve
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.metrics import Metrics
from horizon.analytics.report import html_summary
from horizon.analytics.sampling import Sampling
from horizon.analytics.tearsheet import Tearsheet
from horizon.backtesting import result_decisions as decided
from horizon.backtesting import result_tables as tables
from horizon.backtesting import result_words as said
from horizon.backtesting.record import RunRecord
from horizon.instruments import Market, split_side
from horizon.types import Fill, FrozenDict, Position, VenueSettlement
from horizon.venues.snapshots import settlement_snapshot

if TYPE_CHECKING:
    import pandas as pd

    from horizon.backtesting.comparison import Comparison
    from horizon.backtesting.explain import Explanation
    from horizon.figures.long import LongFigure
    from horizon.strategies.decisions import Decision

__all__ = ["BacktestResult"]


class BacktestResult:
    """What a backtest has found.

    Made by `hz.backtest` and `hz.load_result`. The run is kept in columns; lists, frames and
    metrics are made from them on access. Lists and frames are made anew each time, and belong to
    the caller; the metrics are worked out once.

    Parameters
    ----------
    record : RunRecord
        The finished run.
    sampling : Sampling, optional
        How often returns are taken; decided from the run's own curve where it is None. Windows
        of one data set are given the sampling of the whole.

    Attributes
    ----------
    record : RunRecord
        The run in columns.
    curve : Curve
        The equity curve as the analytics take it.
    sampling : Sampling
        How often its returns are taken.

    Examples
    --------
    Ten are bought at 0.48 and sold at 0.46, which loses 20 cents:

    >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> result = hz.backtest(data=ticks, pipeline=[quoter], paper_fee_rate=0.0)
    >>> result
    <BacktestResult backtest: -$0.20 (-0.02%), 2 fills of 6 orders, 1 market, 3 points>
    >>> [round(equity, 2) for _, equity in result.equity_curve]
    [1000.0, 999.6, 999.8]
    """

    def __init__(self, record: RunRecord, *, sampling: Sampling | None = None) -> None:
        self.record = record
        self.curve: Curve = curve_of(
            Curve(record.times_ns, record.equity), record.initial_capital, name="equity"
        )
        self.sampling = (
            Sampling.of(self.curve, periods_per_year=record.periods_per_year)
            if sampling is None
            else sampling
        )
        self._config: Mapping[str, Any] | None = None
        self._measured: tuple[Metrics, tuple[str, ...]] | None = None

    if not TYPE_CHECKING:  # to a type checker it has what it has

        def __getattr__(self, name: str) -> Any:
            # A property that raised an AttributeError of its own ends here too: it says it again.
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)
            hint = said.instead_of(name, type(self))
            # Without the object, Python does not add a guess of its own.
            raise AttributeError(
                f"BacktestResult has no attribute {name!r}{hint}", name=name, obj=None
            )

    # ------------------------------------------------------------------ the run
    @property
    def name(self) -> str:
        """The run's name."""
        return self.record.name

    @property
    def engine(self) -> str:
        """Which engine ran, and why."""
        return self.record.engine

    @property
    def config(self) -> Mapping[str, Any]:
        """Every argument of the run, read-only; lists are tuples."""
        if self._config is None:
            self._config = _frozen(self.record.config)
        return self._config

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets, in the order in which they were run."""
        return self.record.markets

    @property
    def initial_capital(self) -> float:
        """Money at the start."""
        return self.record.initial_capital

    @property
    def rejections(self) -> Mapping[str, int]:
        """How many orders were refused, by risk rule or the venue's reason; read-only."""
        return FrozenDict(self.record.rejections)

    @property
    def errors(self) -> Mapping[str, int]:
        """Exceptions passed over with ``on_error="skip"``, by stage; read-only."""
        return FrozenDict(self.record.errors)

    @property
    def error_texts(self) -> tuple[str, ...]:
        """The first few of those exceptions, in words."""
        return self.record.error_texts

    @property
    def dropped(self) -> Mapping[str, Mapping[str, int]]:
        """Rows left out with ``bad_rows="drop"``, by feed and reason; read-only."""
        dropped: Mapping[str, Mapping[str, int]] = _frozen(self.record.dropped)
        return dropped

    @property
    def outcomes(self) -> Mapping[str, float]:
        """What the markets that settled within the run resolved to, as prices of YES."""
        return FrozenDict(self.record.outcomes)

    # ------------------------------------------------------------------ lists and frames
    @property
    def equity_curve(self) -> list[tuple[float, float]]:
        """(time in seconds since 1970, equity), one for each step; a new list each time."""
        seconds = map(checks.ns_to_seconds, self.record.times_ns.tolist())
        return list(zip(seconds, self.record.equity.tolist(), strict=True))

    @property
    def equity(self) -> pd.Series[float]:
        """The equity curve as a Series, indexed by time in UTC."""
        return tables.equity_series(self.record)

    @property
    def trades(self) -> list[Fill]:
        """Every fill, oldest first; a new list each time."""
        return tables.fills_of(self.record)

    @property
    def fills(self) -> list[Fill]:
        """Every fill, oldest first: what `trades` is, by its own name."""
        return tables.fills_of(self.record)

    @property
    def positions(self) -> list[Position]:
        """What was held at the end."""
        return list(self.record.positions)

    @property
    def settlements(self) -> list[VenueSettlement]:
        """The positions that were closed at their market's outcome, oldest first."""
        return [settlement_snapshot(row) for row in self.record.settlements]

    def fills_frame(self) -> pd.DataFrame:
        """Every fill as a table, indexed by fill id; times are UTC.

        In engine words, and with `fair_value`: the pipeline's fair value of YES behind the
        fill's order, NaN where it had none.

        Examples
        --------
        >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
        >>> def quoter(ctx):
        ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        >>> result = hz.backtest(data=ticks, pipeline=[quoter])
        >>> result.fills_frame()["price"].round(2).to_dict()
        {'f1': 0.48, 'f2': 0.46}
        """
        return tables.fills_frame(self.record)

    def orders_frame(self) -> pd.DataFrame:
        """Every order as a table, indexed by order id; times are UTC.

        `price` is NaN for a market order, `average_price` where nothing filled, and `ended` NaT
        for an order that was still open.
        """
        return tables.orders_frame(self.record)

    def positions_frame(self) -> pd.DataFrame:
        """What was held at the end as a table, indexed by market id."""
        return tables.positions_frame(self.record)

    @property
    def decisions(self) -> list[Decision]:
        """What became of the strategies' signals, oldest first; a new list each time.

        One for each market and moment that had signals: what was wanted, what was held, and what
        was done, with the order and its fills, or why there is none. Empty without strategies.
        """
        return decided.decision_list(self.record)

    def decisions_frame(self) -> pd.DataFrame:
        """Every decision as a table, oldest first; times are UTC.

        Several signals on one market are one row, their words joined; `edge_bps` and
        `confidence` are what they came to. `target` is NaN where nobody was asked for one, and
        `average_price` where nothing has filled.
        """
        return decided.decisions_frame(self.record)

    def to_csv(self, path: str | os.PathLike[str], what: str = "equity") -> Path:
        """Write the equity curve, the fills or the orders to a CSV file.

        Parameters
        ----------
        path : path
            Written over if it exists, as pandas does; its folder must exist.
        what : {"equity", "trades", "fills", "orders"}
            ``"trades"`` and ``"fills"`` are the same.

        Returns
        -------
        pathlib.Path

        Notes
        -----
        Times are seconds since 1970; numbers have every digit. Text that a spreadsheet would take
        for a formula (it begins with ``=``, ``+``, ``-`` or ``@``) gets an apostrophe before it.

        Examples
        --------
        >>> ticks = [{"timestamp": i, "price": 0.5} for i in range(2)]
        >>> result = hz.backtest(data=ticks, pipeline=[lambda ctx: None])
        >>> print(result.to_csv("equity.csv").read_text())
        timestamp,equity
        0.0,1000.0
        1.0,1000.0
        """
        return tables.write_csv(self.record, path, what)

    # ------------------------------------------------------------------ numbers
    @property
    def metrics(self) -> Metrics:
        """All metrics, worked out on first use."""
        return self._measure()[0]

    @property
    def cautions(self) -> list[str]:
        """What to know before reading the numbers, as sentences; shown wherever they are."""
        return list(self._measure()[1])

    def summary(self) -> str:
        """Return the metrics that people look for first as text, and what to know with them."""
        return said.summary_text(self.record, *self._measure())

    def pnl_by_market(self) -> dict[str, float]:
        """Return the realised profit less fees of each market, in the run's order.

        YES and NO and their settlements together. The sum, and what is unrealised of the
        positions still held, is the total return.

        Examples
        --------
        Ten bought at 0.48 and sold at 0.46:

        >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
        >>> def quoter(ctx):
        ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        >>> result = hz.backtest(data=ticks, pipeline=[quoter], paper_fee_rate=0.0)
        >>> {market: round(profit, 2) for market, profit in result.pnl_by_market().items()}
        {'market': -0.2}
        """
        return tables.profits_of(self.record)

    def tearsheet(
        self,
        *,
        benchmark: Any = None,
        benchmark_name: str = "Benchmark",
        risk_free: float = 0.0,
        rolling_window: int | None = None,
        title: str | None = None,
    ) -> Tearsheet:
        """Make the tearsheet of this run: curve, fills, settlements and outcomes.

        Parameters
        ----------
        benchmark, benchmark_name, risk_free, rolling_window
            As for `generate_tearsheet`.
        title : str, optional
            The run's name by default.

        Returns
        -------
        Tearsheet
        """
        sheet = Tearsheet(
            self.curve,
            fills=tables.table_of_run(self.record),
            sampling=self.sampling,
            outcomes=tables.forecast_outcomes(self.record),
            fair_values=self._forecasts(),
            title=self.name if title is None else title,
            currency=self.record.currency,
            benchmark=benchmark,
            benchmark_name=benchmark_name,
            risk_free=risk_free,
            rolling_window=rolling_window,
        )
        sheet.cautions = [*sheet.cautions, *said.run_cautions(self.record)]
        return sheet

    def calibration(self, of: str = "price", n_bins: int = 10) -> CalibrationCurve:
        """Compare the probabilities behind fills with how their markets resolved.

        Parameters
        ----------
        of : {"price", "model"}
            The prices of the fills, or the pipeline's fair values at them; both as those of YES,
            one pair for each fill in a market that settled within the run.
        n_bins : int
            Bins of one width.

        Returns
        -------
        CalibrationCurve

        Raises
        ------
        ValueError
            If no market settled within the run, or no fill there has a fair value, or there is no
            fill.

        Examples
        --------
        Fills at 0.48 and 0.46 of what came true: the mean of 0.52² and 0.54² is 0.281.

        >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
        >>> def quoter(ctx):
        ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        >>> result = hz.backtest(data=ticks, pipeline=[quoter], outcomes={"market": 1.0})
        >>> round(result.calibration(n_bins=2).brier_score, 4)
        0.281
        """
        checks.one_of("of", of, ("price", "model"))
        outcomes = tables.forecast_outcomes(self.record)
        if outcomes is None:
            raise ValueError(
                "calibration needs markets that settled within the run: give their outcomes= to "
                "backtest"
            )
        fills = self.record.fills
        legs = [split_side(leg_id) for leg_id in fills.leg_ids]
        known = np.array([outcomes.get(market, np.nan) for market, _ in legs], dtype=np.float64)
        happened = known[fills.legs]
        if of == "price":
            is_no = np.array([is_no for _, is_no in legs], dtype=bool)[fills.legs]
            # `rules.complement`, for all at once.
            mirrored = np.floor((1.0 - fills.prices) * 1e12 + 0.5) / 1e12
            predicted = np.where(is_no, mirrored, fills.prices)
        else:
            predicted = self._forecasts()
            own = predicted[~np.isnan(happened)]
            if len(own) and np.isnan(own).all():
                raise ValueError(
                    "of='model' needs fair values, which no stage of the pipeline returned for "
                    "a fill in a market that settled"
                )
        pairs = ~np.isnan(happened) & ~np.isnan(predicted)
        if not pairs.any():
            raise ValueError("calibration needs fills in markets that settled; there are none")
        whole = set(outcomes.values()) <= {0.0, 1.0}
        return calibration_curve(predicted[pairs], happened[pairs], n_bins, ties=not whole)

    def explain(self, order_id: str) -> Explanation:
        """Say row by row why an order filled, or did not.

        Parameters
        ----------
        order_id : str
            Which order: ``"p1"`` is the first one of the run.

        Returns
        -------
        Explanation
            In words; `rows` has every row of the data that the order has met.

        Raises
        ------
        OrderError
            If the run has no such order.

        Examples
        --------
        >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
        >>> def quoter(ctx):
        ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
        >>> result = hz.backtest(data=ticks, pipeline=[quoter])
        >>> result.explain("p1")
        Order p1: buy 10 YES of market at 0.48 (quote)
        Sent 1970-01-01 00:00:00, done 1970-01-01 00:00:01; filled 10 of 10 at 0.48.
        ...
        1970-01-01 00:00:01  price 0.44  filled 10 at 0.48: 0.44 reaches the limit
        """
        from horizon.backtesting.explain import explain

        return explain(self.record, order_id)

    # ------------------------------------------------------------------ others, files, pictures
    def compare(
        self, *others: BacktestResult, names: list[str] | tuple[str, ...] | None = None
    ) -> Comparison:
        """Put this result beside others: metrics, their differences, curves.

        Parameters
        ----------
        *others : BacktestResult
            One or more.
        names : list of str, optional
            What each is called, this one first; the runs' names by default.

        Returns
        -------
        Comparison

        Examples
        --------
        A wider spread is not hit by the fall to 0.44:

        >>> ticks = [{"timestamp": i, "price": p} for i, p in enumerate([0.50, 0.44, 0.50])]
        >>> def run(spread):
        ...     stage = lambda ctx: hz.quotes(ctx.feed.price, spread, size=10)
        ...     return hz.backtest(data=ticks, pipeline=[stage])
        >>> table = run(0.04).compare(run(0.20), names=["narrow", "wide"]).frame
        >>> [int(table.loc["total_trades", name]) for name in ("narrow", "wide")]
        [2, 0]
        """
        from horizon.backtesting.comparison import Comparison

        return Comparison([self, *others], names)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save it as a folder of Parquet and JSON files; `hz.load_result` reads it again.

        Parameters
        ----------
        path : path
            The folder, which must not exist yet, or be empty.
        overwrite : bool
            Replace a result that was saved there. What is no saved result is never replaced.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        FileExistsError
            If there is something that must not be replaced.
        ImportError
            Without pyarrow.
        """
        from horizon.backtesting.result_saving import save_record

        return save_record(self.record, path, overwrite=overwrite)

    def figure(self, *, theme: str = "light") -> LongFigure:
        """Draw its tearsheet: the same as ``result.tearsheet().figure()``.

        Parameters
        ----------
        theme : {"light", "dark"}
        """
        from horizon.figures import tearsheet

        return tearsheet(self.tearsheet(), theme=theme)

    def __repr__(self) -> str:
        return f"<BacktestResult {said.head_line(self.record)}>"

    def _repr_html_(self) -> str:
        record = self.record
        below = (
            f"{said.counted(len(record.orders), 'order')}, "
            f"{said.counted(len(record.markets), 'market')}, engine: {words.name(self.engine)}"
        )
        return (
            f"{html_summary(self.tearsheet())}"
            f'<p style="margin:.3em 0;opacity:.75;font-size:.85em">{html.escape(below)}</p>'
        )

    # ------------------------------------------------------------------ small parts
    def _measure(self) -> tuple[Metrics, tuple[str, ...]]:
        if self._measured is None:
            # The sheet, and the table of fills in it, go as soon as they have been asked.
            sheet = self.tearsheet()
            self._measured = sheet.metrics, tuple(sheet.cautions)
        return self._measured

    def _forecasts(self) -> NDArray[np.float64]:
        """The fair value behind each fill; NaN too where it would have to be a probability."""
        return np.where(tables.are_foreign(self.record), np.nan, self.record.fair_values)


def _frozen(value: Any) -> Any:
    """Return what JSON can hold, so that it cannot be changed."""
    if isinstance(value, Mapping):
        return FrozenDict({name: _frozen(item) for name, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item) for item in value)
    return value
