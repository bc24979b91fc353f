"""Test windows put end to end: their equity compounded, their fills in one table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.curves import Curve
from horizon.analytics.fills import FillTable, fill_table
from horizon.analytics.measure import metrics_of
from horizon.analytics.metrics import Metrics
from horizon.analytics.positions import Steps
from horizon.analytics.sampling import Sampling
from horizon.backtesting.result_tables import are_foreign, forecast_outcomes, table_of_run

if TYPE_CHECKING:
    from horizon.backtesting.result import BacktestResult

__all__ = ["chained_curve", "chained_metrics", "joined_table"]


def chained_curve(curves: Sequence[Curve], initial_capital: float) -> Curve:
    """Compound equity curves, each of which begins with the initial capital.

    Parameters
    ----------
    curves : sequence of Curve
        In order of time.
    initial_capital : float
        Above 0.

    Returns
    -------
    Curve
        All points of all curves; each curve's first has what the one before has left, so the time
        between them is flat. Once nothing is left it stays so.
    """
    capital = initial_capital
    equities = []
    for curve in curves:
        if capital <= 0.0:
            equity = np.full(len(curve), capital)
        else:
            equity = curve.equity * (capital / initial_capital)
            equity[0] = capital  # what is handed on, to the last digit
        capital = float(equity[-1])
        equities.append(equity)
    return Curve(np.concatenate([curve.times_ns for curve in curves]), np.concatenate(equities))


def joined_table(tables: Sequence[FillTable], ends_ns: Sequence[int]) -> FillTable:
    """Put the fills of runs behind each other that each began flat.

    Parameters
    ----------
    tables : sequence of FillTable
        In order of time.
    ends_ns : sequence of int
        When each run ended. What it still held then is held no longer, which is no closing: a
        row of quantity 0 among the settlements says so.

    Returns
    -------
    FillTable
        The positions of each run are its own, so that no run closes what another has opened.
    """
    if not tables:
        return fill_table()
    whole = [_ended(table, end_ns) for table, end_ns in zip(tables, ends_ns, strict=True)]
    rows = _offsets([len(table) for table in whole])
    positions = _offsets([len(table.steps.names) for table in whole])
    trips = _offsets([len(table.steps.trip_starts) for table in whole])
    settled = [int(table.is_settlement.sum()) for table in whole]
    fills = _offsets([len(table) - n for table, n in zip(whole, settled, strict=True)])
    settlements = _offsets(settled)

    def shifted(of: str, by: Sequence[int]) -> NDArray[Any]:
        parts = [getattr(table.steps, of) for table in whole]
        # -1 stands for none.
        return np.concatenate(
            [np.where(part < 0, part, part + n) for part, n in zip(parts, by, strict=True)]
        )

    moved = {
        "positions": shifted("positions", positions),
        "trips": shifted("trips", trips),
        "rows": shifted("rows", rows),
        "closed_trips": shifted("closed_trips", trips),
        "trip_starts": shifted("trip_starts", rows),
        "trip_ends": shifted("trip_ends", rows),
    }
    steps = Steps(
        names=tuple(name for table in whole for name in table.steps.names),
        **moved,
        **{
            one.name: np.concatenate([getattr(table.steps, one.name) for table in whole])
            for one in fields(Steps)
            if one.name != "names" and one.name not in moved
        },
    )
    sources = [
        table.source_rows + np.where(table.is_settlement, apart, n)
        for table, n, apart in zip(whole, fills, settlements, strict=True)
    ]
    return FillTable(
        steps=steps,
        source_rows=np.concatenate(sources),
        **{
            one.name: np.concatenate([getattr(table, one.name) for table in whole])
            for one in fields(FillTable)
            if one.name not in ("steps", "source_rows")
        },
    )


def chained_metrics(
    results: Sequence[BacktestResult], curve: Curve, sampling: Sampling
) -> tuple[Metrics, FillTable, NDArray[np.float64]]:
    """Work out the metrics of tests put end to end.

    Parameters
    ----------
    results : sequence of BacktestResult
    curve : Curve
        Their `chained_curve`.
    sampling : Sampling

    Returns
    -------
    Metrics
        Of equity, returns and drawdowns: those of the chained curve. Of trades and costs: those
        of all fills in the sizes that they had, each test having begun with the initial capital.
        Of forecasts: each test's, weighted by the fills that are scored in it.
    FillTable
    ndarray of float64, shape (n_fills,)
        The fair value behind each fill; NaN where there was none.
    """
    tables = [table_of_run(one.record) for one in results]
    table = joined_table(tables, [int(one.curve.times_ns[-1]) for one in results])
    fair = np.concatenate([_forecasts(one) for one in results])
    metrics = metrics_of(curve, table, sampling=sampling)
    scores: dict[str, list[tuple[float, int]]] = {
        "brier_score": [],
        "model_brier_score": [],
        "avg_edge": [],
    }
    for one in results:
        for name, own in scores.items():
            value = getattr(one.metrics, name)
            if value is not None:
                own.append((value, _scored(one, name)))
    forecasts: dict[str, Any] = {name: _mean(own) for name, own in scores.items()}
    return replace(metrics, **forecasts), table, fair


def _scored(result: BacktestResult, score: str) -> int:
    """How many fills a forecast score is the mean of."""
    record = result.record
    outcomes = forecast_outcomes(record) or {}
    markets = [leg.removesuffix(":no") for leg in record.fills.leg_ids]
    resolved = np.array([market in outcomes for market in markets], dtype=bool)
    fair = ~np.isnan(_forecasts(result))
    if score == "avg_edge":
        return int(fair.sum())
    own = resolved[record.fills.legs]
    return int((own & fair).sum() if score == "model_brier_score" else own.sum())


def _forecasts(result: BacktestResult) -> NDArray[np.float64]:
    """The fair value behind each fill; NaN too where it would have to be a probability."""
    return np.where(are_foreign(result.record), np.nan, result.record.fair_values)


def _mean(scores: Sequence[tuple[float, int]]) -> float | None:
    count = sum(n for _, n in scores)
    return math.fsum(value * n for value, n in scores) / count if count else None


def _offsets(lengths: Sequence[int]) -> list[int]:
    """Where each of several lengths begins when they are put end to end."""
    ends = np.cumsum(lengths).tolist()
    return [end - length for end, length in zip(ends, lengths, strict=True)]


def _ended(table: FillTable, end_ns: int) -> FillTable:
    """A table with a row behind it for each position that is still held."""
    steps = table.steps
    last = np.full(len(steps.names), -1, dtype=np.intp)
    last[steps.positions] = np.arange(len(table))  # of several rows the last one counts
    held = last[last >= 0]
    held = held[steps.after[held] != 0.0]
    n = len(held)
    if not n:
        return table

    def more(values: NDArray[Any], rest: Any) -> NDArray[Any]:
        return np.concatenate([values, np.broadcast_to(np.asarray(rest), n).astype(values.dtype)])

    zeros = np.zeros(n)
    at = max(end_ns, int(table.times_ns[-1]))
    return FillTable(
        times_ns=more(table.times_ns, at),
        market_ids=np.concatenate([table.market_ids, table.market_ids[held]]),
        is_buy=more(table.is_buy, steps.after[held] < 0.0),
        quantities=more(table.quantities, zeros),
        prices=more(table.prices, zeros),
        fees=more(table.fees, zeros),
        is_maker=more(table.is_maker, False),
        realized=more(table.realized, zeros),
        is_settlement=more(table.is_settlement, True),
        multipliers=more(table.multipliers, table.multipliers[held]),
        source_rows=more(table.source_rows, 0),
        steps=replace(
            steps,
            positions=more(steps.positions, steps.positions[held]),
            before=more(steps.before, steps.after[held]),
            after=more(steps.after, zeros),
            cost_before=more(steps.cost_before, steps.cost_after[held]),
            cost_after=more(steps.cost_after, zeros),
            trips=more(steps.trips, -1),
        ),
    )
