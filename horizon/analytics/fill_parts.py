"""Some rows of a table of fills, each with what it did to its position in the whole history.

A fill means what the fills before it make of it: an entry, an exit, a loss. So a part is cut out
of the followed table, and is not followed anew from a position that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.curves import Curve
from horizon.analytics.fill_reader import market_of
from horizon.analytics.fills import FillTable
from horizon.analytics.positions import Steps
from horizon.analytics.sampling import DAY_NS
from horizon.analytics.trades import closings

__all__ = ["are_of", "kept_rows", "markets_of", "open_before", "realised_curve"]


def markets_of(table: FillTable) -> list[str]:
    """Return the markets of a table in the order in which they were first traded; NO is YES's."""
    return list(dict.fromkeys(market_of(name) for name in table.steps.names))


def are_of(table: FillTable, markets: Iterable[str]) -> NDArray[np.bool_]:
    """Find the rows of some markets, NO with its market, shape (n,)."""
    wanted = set(markets)
    own = np.array([market_of(name) in wanted for name in table.steps.names], dtype=bool)
    found: NDArray[np.bool_] = own[table.steps.positions]
    return found


def kept_rows(table: FillTable, keep: NDArray[np.bool_]) -> FillTable:
    """Return some rows of a table.

    What a row closed and gained is what it did in the whole history. A round trip that is not
    whole here, because it began or ended in a row that is left out, counts as one without end.
    `source_rows` number the fills that are left, from 0.

    Parameters
    ----------
    table : FillTable
    keep : ndarray of bool, shape (n,)
        All rows of some markets, or of a stretch of time.
    """
    if bool(keep.all()):
        return replace(table, source_rows=_numbered(table.is_settlement))
    rows = np.flatnonzero(keep)
    number = np.cumsum(keep) - 1
    return FillTable(
        times_ns=table.times_ns[rows],
        market_ids=table.market_ids[rows],
        is_buy=table.is_buy[rows],
        quantities=table.quantities[rows],
        prices=table.prices[rows],
        fees=table.fees[rows],
        is_maker=table.is_maker[rows],
        realized=table.realized[rows],
        is_settlement=table.is_settlement[rows],
        multipliers=table.multipliers[rows],
        source_rows=_numbered(table.is_settlement[rows]),
        steps=_kept_steps(table.steps, keep, rows, number),
    )


def _numbered(is_settlement: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number the fills from 0, and the settlements from 0."""
    settled = np.cumsum(is_settlement) - 1
    filled = np.cumsum(~is_settlement) - 1
    return np.where(is_settlement, settled, filled).astype(np.intp)


def _kept_steps(
    steps: Steps, keep: NDArray[np.bool_], rows: NDArray[np.intp], number: NDArray[np.intp]
) -> Steps:
    used = np.unique(steps.positions[rows])
    closes = keep[steps.rows]
    opened_by, closed_by = steps.trips[rows], steps.closed_trips[closes]
    trips = np.unique(np.concatenate([opened_by[opened_by >= 0], closed_by]))
    starts, ends = steps.trip_starts[trips], steps.trip_ends[trips]
    is_whole = keep[starts] & (ends >= 0) & keep[np.maximum(ends, 0)]
    # Of one that began before, the first row that is left.
    first = np.full(len(trips), len(rows), dtype=np.intp)
    opening = np.flatnonzero(opened_by >= 0)
    np.minimum.at(first, np.searchsorted(trips, opened_by[opening]), opening)
    np.minimum.at(first, np.searchsorted(trips, closed_by), number[steps.rows[closes]])
    new_trips = np.where(opened_by >= 0, np.searchsorted(trips, opened_by), -1)
    return Steps(
        names=tuple(steps.names[at] for at in used.tolist()),
        positions=np.searchsorted(used, steps.positions[rows]).astype(np.intp),
        before=steps.before[rows],
        after=steps.after[rows],
        cost_before=steps.cost_before[rows],
        cost_after=steps.cost_after[rows],
        trips=new_trips.astype(np.intp),
        rows=number[steps.rows[closes]].astype(np.intp),
        closed=steps.closed[closes],
        averages=steps.averages[closes],
        opened_ns=steps.opened_ns[closes],
        gains=steps.gains[closes],
        fee_shares=steps.fee_shares[closes],
        closed_trips=np.searchsorted(trips, closed_by).astype(np.intp),
        trip_starts=first,
        trip_ends=np.where(is_whole, number[np.maximum(ends, 0)], -1).astype(np.intp),
    )


def open_before(table: FillTable, at_ns: int) -> int:
    """Count the positions that are open just before a moment."""
    steps = table.steps
    change = (steps.after != 0.0).astype(np.int64) - (steps.before != 0.0)
    return int(change[: int(np.searchsorted(table.times_ns, at_ns, side="left"))].sum())


def realised_curve(curve: Curve, table: FillTable) -> Curve:
    """Return what the fills alone have made of the capital of a curve, at the curve's times.

    The initial capital, and on it the realised profit of each closing and settlement less every
    fee, from the moment at which it was realised or paid. What open positions are worth is not
    in it.

    Parameters
    ----------
    curve : Curve
        One that bears dates has a day's fills at that day, at whatever hour they were.
    table : FillTable
        Rows after the last point are in no point.

    Returns
    -------
    Curve
        With the times of `curve`.
    """
    if len(curve) < 2:
        return curve
    amounts = -table.fees
    closed = closings(table)
    amounts[closed.rows] += closed.pnl_gross
    times = table.times_ns
    if bool((curve.times_ns % DAY_NS == 0).all()):
        times = times // DAY_NS * DAY_NS
    # The first point is the start, before anything was done.
    at = np.maximum(np.searchsorted(curve.times_ns, times, side="left"), 1)
    by_point = np.bincount(at, amounts, minlength=len(curve) + 1)[: len(curve)]
    equity: NDArray[np.float64] = np.cumsum(by_point)
    equity += curve.initial
    return Curve(curve.times_ns, equity)
