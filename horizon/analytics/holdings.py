"""What fills held: exposure and time in the market, and how much was turned over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.fills import FillTable, table_of
from horizon.analytics.products import dot
from horizon.instruments import NO_SUFFIX

__all__ = ["Exposure", "exposure", "time_in_market", "turnover"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exposure:
    """What is at stake, at entry cost, as steps: row i holds from its time to the next one's.

    Before the first step both are 0.

    Not made by hand: `exposure` returns it.

    Attributes
    ----------
    times_ns : ndarray of int64, shape (s,)
        Rising.
    gross : ndarray of float, shape (s,)
        Sum over positions of ``|quantity · average price · multiplier|``.
    net : ndarray of float, shape (s,)
        Longs less shorts. NO, at its own price, counts against its market: long NO is below 0.

    Examples
    --------
    1,000 at stake for one hour of four (times are seconds since 1970):

    >>> steps = hz.analytics.exposure(hz.analytics.fill_table({
    ...     "timestamp": [0.0, 3_600.0], "market_id": ["ACME", "ACME"], "side": ["buy", "sell"],
    ...     "quantity": [10, 10], "price": [100.0, 105.0]}))
    >>> steps.gross.tolist()
    [1000.0, 0.0]
    >>> steps.mean(start_ns=0, end_ns=4 * 3_600 * 10**9)
    (250.0, 250.0)
    """

    times_ns: NDArray[np.int64]
    gross: NDArray[np.float64]
    net: NDArray[np.float64]

    def mean(self, start_ns: int, end_ns: int) -> tuple[float, float]:
        """Return the time-weighted means of gross and net over [start, end]; 0.0 for no span.

        Parameters
        ----------
        start_ns, end_ns : int
            Nanoseconds since 1970 (UTC). The last step holds on.

        Raises
        ------
        ValueError
            If the end lies before the start.
        """
        weights = _shares(self.times_ns, start_ns, end_ns)
        return dot(weights, self.gross), dot(weights, self.net)

    def __len__(self) -> int:
        return len(self.times_ns)

    def __repr__(self) -> str:
        peak = float(self.gross.max(initial=0.0))
        return f"<Exposure: {len(self):,} steps, at most {peak:,.2f} gross>"


def time_in_market(table: Any, start_ns: int, end_ns: int) -> float:
    """Return the fraction of [start, end] in which anything was held; 0.0 for no span.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.
    start_ns, end_ns : int
        Nanoseconds since 1970 (UTC). What is held at the last row is held on.

    Raises
    ------
    ValueError
        If the end lies before the start.

    Examples
    --------
    Held for one hour of four (times are seconds since 1970):

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": [0.0, 3_600.0], "market_id": ["ACME", "ACME"], "side": ["buy", "sell"],
    ...     "quantity": [4, 4], "price": [100.0, 105.0]})
    >>> hz.analytics.time_in_market(table, 0, 4 * 3_600 * 10**9)
    0.25
    """
    table = table_of(table, name="table")
    is_held = _positions_held(table) > 0
    return float(min(_shares(table.times_ns, start_ns, end_ns)[is_held].sum(), 1.0))


def exposure(table: Any) -> Exposure:
    """Return what was at stake through time, at entry cost.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    Exposure
        Gross and net in currency, as steps: each holds from its time to the next one's.

    Examples
    --------
    10 bought for 100, then 5 of another market sold short for 40:

    >>> steps = hz.analytics.exposure(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "BOLT"],
    ...     "side": ["buy", "sell"], "quantity": [10, 5], "price": [100.0, 40.0]}))
    >>> steps.gross.tolist(), steps.net.tolist()
    ([1000.0, 1200.0], [1000.0, 800.0])
    """
    table = table_of(table, name="table")
    steps = table.steps
    change = steps.cost_after - steps.cost_before
    change_of_size = np.abs(steps.cost_after) - np.abs(steps.cost_before)
    is_no = np.array([name.endswith(NO_SUFFIX) for name in steps.names], dtype=bool)
    change = np.where(is_no[steps.positions], -change, change)
    # What running sums leave of a flat book is rounding.
    is_held = _positions_held(table) > 0
    gross = np.where(is_held, np.maximum(np.cumsum(change_of_size), 0.0), 0.0)
    net = np.where(is_held, np.cumsum(change), 0.0)
    last = np.append(np.diff(table.times_ns) > 0, True)[: len(table)]  # the last row of each time
    return Exposure(table.times_ns[last], gross[last], net[last])


def turnover(table: Any, mean_equity: float) -> float:
    """Return traded notional over mean equity, both sides of a trade counted.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.
    mean_equity : float
        Money, in the account's currency.

    Returns
    -------
    float
        1.0 where as much was traded as there was; 0.0 where `mean_equity` is not above 0.

    Raises
    ------
    TypeError, ValueError
        If `mean_equity` is no finite number.

    Examples
    --------
    Bought for 1,000 and sold for 1,050, with 4,100 on average:

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 10], "price": [100.0, 105.0]})
    >>> hz.analytics.turnover(table, mean_equity=4_100.0)
    0.5
    """
    table = table_of(table, name="table")
    equity = checks.number("mean_equity", mean_equity)
    traded = float(table.notionals[~table.is_settlement].sum())
    return traded / equity if equity > 0.0 else 0.0


# ---------------------------------------------------------------------- helpers
def _positions_held(table: FillTable) -> NDArray[np.int64]:
    """How many positions are held after each row."""
    steps = table.steps
    change = (steps.after != 0.0).astype(np.int64) - (steps.before != 0.0)
    return np.cumsum(change)


def _shares(times_ns: NDArray[np.int64], start_ns: int, end_ns: int) -> NDArray[np.float64]:
    """Fraction of [start, end] from each time to the next, the last one's to the end."""
    if end_ns < start_ns:
        raise ValueError(f"end_ns must not lie before start_ns {start_ns}, was {end_ns}")
    if end_ns == start_ns or not len(times_ns):
        return np.zeros(len(times_ns))
    edges = np.clip(np.append(times_ns, end_ns), start_ns, end_ns)
    shares: NDArray[np.float64] = np.diff(edges) / (end_ns - start_ns)
    return shares
