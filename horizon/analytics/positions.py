"""Positions followed through their trades: what each one opens, closes, gains and owes in fees.

This is the one sequential part of the arithmetic of trades, in the rules of `horizon.rules`:
average cost, compensated quantities, dust is flat. It makes the same profits, to the bit, as
the ledger of an account that booked the same trades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.errors import DataError
from horizon.rules import (
    average_after,
    closed_cost,
    closed_quantity,
    quantity_after,
    realized,
    two_sum,
)

__all__ = ["Steps", "follow"]

#: A settlement closes what is held; files of trades are written with fewer digits than that.
_SAME: Final = 1e-9
#: Far above what the rules call dust, and below what is ever left on purpose.
_NEARLY_FLAT: Final = 1e-12
_FLAT: Final = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Steps:
    """What each of n trades did to its position.

    Attributes
    ----------
    names : tuple of str
        Positions by number: a market's id, or ``"<id>:no"``.
    positions : ndarray of int, shape (n,)
        The position that each row trades.
    before, after : ndarray of float, shape (n,)
        Signed quantity held before and after the row.
    cost_before, cost_after : ndarray of float, shape (n,)
        Signed entry cost of the position before and after the row, in money.
    trips : ndarray of int, shape (n,)
        The round trip, by number, that the row opened into; -1 where it opened nothing.
    rows : ndarray of int, shape (k,)
        The rows that close something, in order; the following have one element for each.
    closed : ndarray of float, shape (k,)
        Quantity closed.
    averages : ndarray of float, shape (k,)
        Average entry price of what is closed.
    opened_ns : ndarray of int64, shape (k,)
        Its time of entry: the mean over what was held, weighted by quantity.
    gains : ndarray of float, shape (k,)
        Profit before fees, by average cost.
    fee_shares : ndarray of float, shape (k,)
        The closing part of the row's own fee, and the closed part's share of the opening fees.
    closed_trips : ndarray of int, shape (k,)
        The round trip that the closing belongs to.
    trip_starts, trip_ends : ndarray of int, shape (m,)
        First and last row of each round trip; the end is -1 while it is open.
    """

    names: tuple[str, ...]
    positions: NDArray[np.intp]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    cost_before: NDArray[np.float64]
    cost_after: NDArray[np.float64]
    trips: NDArray[np.intp]
    rows: NDArray[np.intp]
    closed: NDArray[np.float64]
    averages: NDArray[np.float64]
    opened_ns: NDArray[np.int64]
    gains: NDArray[np.float64]
    fee_shares: NDArray[np.float64]
    closed_trips: NDArray[np.intp]
    trip_starts: NDArray[np.intp]
    trip_ends: NDArray[np.intp]


def follow(
    names: Sequence[str],
    positions: NDArray[np.intp],
    times_ns: NDArray[np.int64],
    traded: NDArray[np.float64],
    prices: NDArray[np.float64],
    fees: NDArray[np.float64],
    multipliers: Sequence[float],
    is_settlement: NDArray[np.bool_],
    source_rows: NDArray[np.intp],
) -> Steps:
    """Follow the positions through n trades in order of time.

    Parameters
    ----------
    names : sequence of str
        Positions by number.
    positions : ndarray of int, shape (n,)
    times_ns : ndarray of int64, shape (n,)
    traded : ndarray of float, shape (n,)
        Signed quantities, above 0 for buys. A settlement's is the negative of what it closes.
    prices, fees : ndarray of float, shape (n,)
    multipliers : sequence of float
        Currency per point and unit, by position.
    is_settlement : ndarray of bool, shape (n,)
    source_rows : ndarray of int, shape (n,)
        What to call a row in an error.

    Raises
    ------
    DataError
        For a settlement of another quantity than the trades before it have left.
    """
    n = len(positions)
    start_ns = int(times_ns[0]) if n else 0
    # From the first trade on, because a float cannot count the nanoseconds since 1970.
    times = (times_ns - start_ns).astype(np.float64)
    states: list[Any] = [_FLAT] * len(names)
    before, after, trips = [0.0] * n, [0.0] * n, [-1] * n
    cost_before, cost_after = [0.0] * n, [0.0] * n
    starts: list[int] = []
    ends: list[int] = []
    rows: list[int] = []
    sizes: list[float] = []
    averages: list[float] = []
    opens: list[float] = []
    gains: list[float] = []
    shares: list[float] = []
    closed_trips: list[int] = []
    columns = (positions, traded, prices, fees, times, is_settlement)
    for i, (number, trade, price, fee, time, settles) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        held, low, average, cost, cost_low, pool, opened, trip = states[number]
        if settles:
            if abs(trade + held) > _SAME * abs(held):
                raise _not_what_is_held(names[number], int(source_rows[i]), -trade, held)
            trade = -held
        multiplier = multipliers[number]
        before[i], cost_before[i] = held, cost + cost_low
        quantity = held + trade
        # Whole lots add up exactly, which is seen in less time than the rule takes.
        if (
            low != 0.0
            or quantity - trade != held
            or quantity - held != trade
            or (quantity != 0.0 and abs(quantity) <= _NEARLY_FLAT * abs(held))
        ):
            quantity, low = quantity_after(held, low, trade)
        if held == 0.0:
            average, opened, pool, trip = price, time, fee, len(starts)
            cost = trade * price * multiplier
            starts.append(i)
            ends.append(-1)
            trips[i] = trip
        elif (held > 0.0) == (trade > 0.0):
            average = average_after(held, average, trade, price)
            opened += (time - opened) * (trade / quantity)
            cost, cost_low = two_sum(cost, cost_low, trade * price * multiplier)
            pool += fee
            trips[i] = trip
        else:
            size, amount = abs(held), abs(trade)
            closed = size if quantity == 0.0 else closed_quantity(held, trade)
            leaving = closed_cost(held, average, cost + cost_low, closed, multiplier)
            gain = realized(held, min(closed, amount), price, multiplier, leaving)
            rows.append(i)
            sizes.append(closed)
            averages.append(average)
            opens.append(opened)
            gains.append(gain)
            closed_trips.append(trip)
            if closed < size:
                share = pool * (closed / size)
                pool -= share
                shares.append(fee + share)
                cost, cost_low = two_sum(cost, cost_low, -leaving)
            else:
                # A flip pays one fee for two things: it is shared out by quantity.
                own = fee if quantity == 0.0 else fee * (closed / amount)
                shares.append(own + pool)
                ends[trip] = i
                pool, cost, cost_low, average, opened, trip = 0.0, 0.0, 0.0, 0.0, 0.0, -1
                if quantity != 0.0:
                    pool, average, opened, trip = fee - own, price, time, len(starts)
                    cost = quantity * price * multiplier
                    starts.append(i)
                    ends.append(-1)
                    trips[i] = trip
        states[number] = (quantity, low, average, cost, cost_low, pool, opened, trip)
        after[i], cost_after[i] = quantity, cost + cost_low

    return Steps(
        names=tuple(names),
        positions=positions,
        before=np.array(before),
        after=np.array(after),
        cost_before=np.array(cost_before),
        cost_after=np.array(cost_after),
        trips=np.array(trips, dtype=np.intp),
        rows=np.array(rows, dtype=np.intp),
        closed=np.array(sizes, dtype=np.float64),
        averages=np.array(averages, dtype=np.float64),
        opened_ns=start_ns + np.rint(np.array(opens, dtype=np.float64)).astype(np.int64),
        gains=np.array(gains, dtype=np.float64),
        fee_shares=np.array(shares, dtype=np.float64),
        closed_trips=np.array(closed_trips, dtype=np.intp),
        trip_starts=np.array(starts, dtype=np.intp),
        trip_ends=np.array(ends, dtype=np.intp),
    )


def _not_what_is_held(name: str, row: int, settled: float, held: float) -> DataError:
    return DataError(
        f"settlements row {row}: quantity must be what the fills before it leave of {name!r}, "
        f"{held:g}; was {settled:g}",
        feed="settlements",
        row=row,
        value=settled,
    )
