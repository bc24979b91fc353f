"""What trades made: closings, round trips, their statistics, profits by market and hour.

Profits are net of fees where nothing else is said. A closing, each fill or settlement that
reduces a position, bears the closing part of its own fee and the closed part's share of the
opening fees; a fill that flips a position closes first, then opens, and its fee is shared out
by quantity. YES and NO of a market are two positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.fill_reader import market_of
from horizon.analytics.fills import table_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Closings",
    "RoundTrips",
    "TradeStats",
    "closings",
    "pnl_by_hour",
    "pnl_by_market",
    "pnl_by_weekday",
    "round_trips",
    "trade_stats",
]

_NS: Final = 1_000_000_000
_HOUR_NS: Final = 3600 * _NS
_DAY_NS: Final = 24 * _HOUR_NS
#: 1 January 1970 was a Thursday; Monday is 0.
_FIRST_WEEKDAY: Final = 3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Closings:
    """The k closings of a table of fills, in order of time.

    Not made by hand: `closings` returns it.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
        The row of the table that closed.
    market_ids : ndarray of object, shape (k,)
        A market's id; ``"<id>:no"`` for the NO side.
    is_long : ndarray of bool, shape (k,)
        Whether what was closed was long.
    quantities : ndarray of float, shape (k,)
        Above 0; of a flip only the part that closes.
    entry_prices, exit_prices : ndarray of float, shape (k,)
        Average price of what was held; price of the closing.
    opened_ns, closed_ns : ndarray of int64, shape (k,)
        Mean time of entry, weighted by quantity like the average price; time of the closing.
    pnl_gross, fees, pnl : ndarray of float, shape (k,)
        Profit before fees (as the fill states it, else by average cost), fees borne, and their
        difference.
    is_settlement : ndarray of bool, shape (k,)

    Examples
    --------
    10 bought for 100 and sold for 105, an hour later:

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 10], "price": [100.0, 105.0]})
    >>> closed = hz.analytics.closings(table)
    >>> closed
    <Closings: 1, net 50.00>
    >>> closed.holding_secs.tolist(), closed.to_frame()["pnl"].tolist()
    ([3600.0], [50.0])
    """

    rows: NDArray[np.intp]
    market_ids: NDArray[np.object_]
    is_long: NDArray[np.bool_]
    quantities: NDArray[np.float64]
    entry_prices: NDArray[np.float64]
    exit_prices: NDArray[np.float64]
    opened_ns: NDArray[np.int64]
    closed_ns: NDArray[np.int64]
    pnl_gross: NDArray[np.float64]
    fees: NDArray[np.float64]
    pnl: NDArray[np.float64]
    is_settlement: NDArray[np.bool_]

    @property
    def holding_secs(self) -> NDArray[np.float64]:
        """Seconds from mean entry to closing; shape (k,)."""
        return (self.closed_ns - self.opened_ns) / _NS

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Closings: {len(self):,}, net {self.pnl.sum():,.2f}>"

    def _repr_html_(self) -> str:
        return str(self.to_frame()._repr_html_())  # type: ignore[operator]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each closing; times are UTC, `holding` is a time span."""
        import pandas as pd

        return pd.DataFrame(
            {
                "market_id": _texts(self.market_ids),
                "side": _texts(np.where(self.is_long, "long", "short")),
                "quantity": self.quantities,
                "entry_price": self.entry_prices,
                "exit_price": self.exit_prices,
                "opened": _times(self.opened_ns),
                "closed": _times(self.closed_ns),
                "holding": _spans(self.closed_ns - self.opened_ns),
                "pnl_gross": self.pnl_gross,
                "fees": self.fees,
                "pnl": self.pnl,
                "is_settlement": self.is_settlement,
            }
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RoundTrips:
    """The m round trips of a table of fills, flat to flat, in order of their end.

    A flip ends one and begins the next. What is still open at the end is no round trip.

    Not made by hand: `round_trips` returns it.

    Attributes
    ----------
    market_ids : ndarray of object, shape (m,)
        A market's id; ``"<id>:no"`` for the NO side.
    is_long : ndarray of bool, shape (m,)
    largest_quantities : ndarray of float, shape (m,)
        The most that was held.
    entry_prices, exit_prices : ndarray of float, shape (m,)
        Mean prices of all that was opened and closed, weighted by quantity.
    opened_ns, closed_ns : ndarray of int64, shape (m,)
        Times of the first and the last row.
    fills : ndarray of int, shape (m,)
        Fills that took part, settlements not counted; a flip takes part in two.
    pnl_gross, fees, pnl : ndarray of float, shape (m,)
        Sums over the closings.
    is_settled : ndarray of bool, shape (m,)
        Whether a settlement ended it.

    Examples
    --------
    10 bought for 100 and sold for 105, an hour later:

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 10], "price": [100.0, 105.0]})
    >>> trips = hz.analytics.round_trips(table)
    >>> trips
    <RoundTrips: 1, net 50.00>
    >>> trips.largest_quantities.tolist(), trips.fills.tolist()
    ([10.0], [2])
    """

    market_ids: NDArray[np.object_]
    is_long: NDArray[np.bool_]
    largest_quantities: NDArray[np.float64]
    entry_prices: NDArray[np.float64]
    exit_prices: NDArray[np.float64]
    opened_ns: NDArray[np.int64]
    closed_ns: NDArray[np.int64]
    fills: NDArray[np.intp]
    pnl_gross: NDArray[np.float64]
    fees: NDArray[np.float64]
    pnl: NDArray[np.float64]
    is_settled: NDArray[np.bool_]

    @property
    def holding_secs(self) -> NDArray[np.float64]:
        """Seconds from the first fill to flat; shape (m,)."""
        return (self.closed_ns - self.opened_ns) / _NS

    def __len__(self) -> int:
        return len(self.opened_ns)

    def __repr__(self) -> str:
        return f"<RoundTrips: {len(self):,}, net {self.pnl.sum():,.2f}>"

    def _repr_html_(self) -> str:
        return str(self.to_frame()._repr_html_())  # type: ignore[operator]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each round trip; times are UTC, `holding` is a time span."""
        import pandas as pd

        return pd.DataFrame(
            {
                "market_id": _texts(self.market_ids),
                "side": _texts(np.where(self.is_long, "long", "short")),
                "largest_quantity": self.largest_quantities,
                "entry_price": self.entry_prices,
                "exit_price": self.exit_prices,
                "opened": _times(self.opened_ns),
                "closed": _times(self.closed_ns),
                "holding": _spans(self.closed_ns - self.opened_ns),
                "fills": self.fills,
                "pnl_gross": self.pnl_gross,
                "fees": self.fees,
                "pnl": self.pnl,
                "is_settled": self.is_settled,
            }
        )


@dataclass(frozen=True, slots=True)
class TradeStats:
    """Statistics of fills and closings; money in the account's currency.

    Not made by hand: `trade_stats` returns it.

    What has no closing, win or loss to speak of is 0.0. A closing of exactly 0 is neither a
    win nor a loss, and ends both streaks.

    Attributes
    ----------
    total_trades : int
        Fills; settlements are none.
    closings, wins, losses : int
    round_trips : int
        Flat to flat; what is open at the end is none.
    win_rate : float
        Percentage of closings that won, 0 to 100.
    gross_profit, gross_loss : float
        Sum of the wins; sum of the losses, at or above 0.
    profit_factor : float
        `gross_profit` / `gross_loss`; infinite without losses, 0.0 without closings.
    expectancy : float
        Mean profit of a closing.
    avg_win, avg_loss : float
        Mean profit of wins; of losses, at or below 0.
    largest_win, largest_loss : float
        Likewise.
    payoff_ratio : float
        `avg_win` / -`avg_loss`; infinite with wins and no losses.
    win_streak, loss_streak : int
        Most wins and most losses in a row, in order of time.
    avg_holding_secs, longest_holding_secs : float
        From mean entry to closing, over closings.
    long_share : float
        Fraction of closings that closed a long position.
    total_fees : float
        Fees of all fills, of what is still open too; rebates taken off.
    traded_notional : float
        Sum of quantity × price × multiplier over fills.
    fee_bps : float
        `total_fees` in basis points of `traded_notional`.
    fee_share : float
        `total_fees` as a fraction of the profits before fees of the closings that had one.
    maker_share : float
        Fraction of `traded_notional` that rested.

    Examples
    --------
    10 bought for 100 and sold for 105; no closing lost:

    >>> table = hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 10], "price": [100.0, 105.0]})
    >>> stats = hz.analytics.trade_stats(table)
    >>> stats.traded_notional, stats.expectancy, stats.win_rate, stats.profit_factor
    (2050.0, 50.0, 100.0, inf)
    """

    total_trades: int
    closings: int
    wins: int
    losses: int
    round_trips: int
    win_rate: float
    gross_profit: float
    gross_loss: float
    profit_factor: float
    expectancy: float
    avg_win: float
    avg_loss: float
    largest_win: float
    largest_loss: float
    payoff_ratio: float
    win_streak: int
    loss_streak: int
    avg_holding_secs: float
    longest_holding_secs: float
    long_share: float
    total_fees: float
    traded_notional: float
    fee_bps: float
    fee_share: float
    maker_share: float


def closings(table: Any) -> Closings:
    """Return every fill or settlement that reduced a position, with what it made.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    Closings
        In order of time, columns as arrays of shape (k,); `to_frame` makes a table of them.

    Examples
    --------
    10 bought for 100 and a fee of 1; 4 of them sold for 105 and a fee of 1. They gain 4 · 5 and
    bear 4 / 10 of the first fee.

    >>> closed = hz.analytics.closings(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [10, 4], "price": [100.0, 105.0],
    ...     "fee": [1.0, 1.0]}))
    >>> closed.pnl_gross.tolist(), closed.fees.tolist(), closed.pnl.tolist()
    ([20.0], [1.4], [18.6])
    """
    table = table_of(table, name="table")
    steps, rows = table.steps, table.steps.rows
    stated = table.realized[rows]
    gross = np.where(np.isnan(stated), steps.gains, stated)
    return Closings(
        rows=rows,
        market_ids=table.market_ids[rows],
        is_long=steps.before[rows] > 0.0,
        quantities=steps.closed,
        entry_prices=steps.averages,
        exit_prices=table.prices[rows],
        opened_ns=np.minimum(steps.opened_ns, table.times_ns[rows]),  # a mean's last digit
        closed_ns=table.times_ns[rows],
        pnl_gross=gross,
        fees=steps.fee_shares,
        pnl=gross - steps.fee_shares,
        is_settlement=table.is_settlement[rows],
    )


def round_trips(table: Any) -> RoundTrips:
    """Return every way of a position from flat to flat, with what it made.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    RoundTrips
        In order of their end, columns as arrays of shape (m,); `to_frame` makes a table of them.
        What is still open is none.

    Examples
    --------
    10 bought for 100, sold in two parts for 105 and 102: 4 · 5 + 6 · 2.

    >>> trips = hz.analytics.round_trips(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00", "2024-01-01 11:00"],
    ...     "market_id": ["ACME"] * 3, "side": ["buy", "sell", "sell"],
    ...     "quantity": [10, 4, 6], "price": [100.0, 105.0, 102.0]}))
    >>> trips.pnl.tolist(), trips.fills.tolist(), trips.holding_secs.tolist()
    ([32.0], [3], [7200.0])
    """
    table = table_of(table, name="table")
    steps, closed = table.steps, closings(table)
    ended = np.flatnonzero(steps.trip_ends >= 0)
    # Of two that end at one time, the row decides: no row ends two.
    ended = ended[np.argsort(steps.trip_ends[ended])]
    first, last = steps.trip_starts[ended], steps.trip_ends[ended]
    opening = np.flatnonzero(steps.trips >= 0)
    opened_by = steps.trips[opening]
    count = len(steps.trip_starts)

    def total(trips: NDArray[np.intp], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        sums = np.bincount(trips, weights=weights, minlength=count)[ended]
        return sums.astype(np.float64)

    # A flip opens what it has left; any other row what it trades.
    flips = steps.before[opening] != 0.0
    flips &= (steps.before[opening] > 0.0) != (steps.after[opening] > 0.0)
    opened = np.where(flips, np.abs(steps.after[opening]), table.quantities[opening])
    largest = np.zeros(count)
    np.maximum.at(largest, opened_by, np.abs(steps.after[opening]))
    closes_by_fill = ~closed.is_settlement
    fills = total(opened_by, None) + total(steps.closed_trips[closes_by_fill], None)
    entered = total(opened_by, opened * table.prices[opening]) / total(opened_by, opened)
    left = total(steps.closed_trips, closed.quantities * closed.exit_prices)
    return RoundTrips(
        market_ids=table.market_ids[first],
        is_long=steps.after[first] > 0.0,
        largest_quantities=largest[ended],
        entry_prices=entered,
        exit_prices=left / total(steps.closed_trips, closed.quantities),
        opened_ns=table.times_ns[first],
        closed_ns=table.times_ns[last],
        fills=fills.astype(np.intp),
        pnl_gross=total(steps.closed_trips, closed.pnl_gross),
        fees=total(steps.closed_trips, closed.fees),
        pnl=total(steps.closed_trips, closed.pnl),
        is_settled=table.is_settlement[last],
    )


def trade_stats(table: Any) -> TradeStats:
    """Return the statistics of a table of fills; an empty one has zeros throughout.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    TradeStats
        Money in the account's currency, `win_rate` in percent.

    Examples
    --------
    Closings of 4 · 5, 3 · 2 and 3 · (−1):

    >>> stats = hz.analytics.trade_stats(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00", "2024-01-01 11:00",
    ...                   "2024-01-01 12:00"],
    ...     "market_id": ["ACME"] * 4, "side": ["buy", "sell", "sell", "sell"],
    ...     "quantity": [10, 4, 3, 3], "price": [100.0, 105.0, 102.0, 99.0]}))
    >>> stats.closings, round(stats.win_rate, 4), round(stats.profit_factor, 4)
    (3, 66.6667, 8.6667)
    >>> round(stats.expectancy, 4), stats.largest_win, stats.largest_loss
    (7.6667, 20.0, -3.0)
    """
    table = table_of(table, name="table")
    closed = closings(table)
    pnl, holding = closed.pnl, closed.holding_secs
    wins, losses = pnl[pnl > 0.0], pnl[pnl < 0.0]
    profit, loss = float(wins.sum()), float(-losses.sum())
    avg_win, avg_loss = _mean(wins), _mean(losses)
    is_fill = ~table.is_settlement
    notionals = table.notionals
    traded = float(notionals[is_fill].sum())
    rested = float(notionals[is_fill & table.is_maker].sum())
    fees = float(table.fees.sum())
    gains = float(closed.pnl_gross[closed.pnl_gross > 0.0].sum())
    return TradeStats(
        total_trades=int(is_fill.sum()),
        closings=len(closed),
        wins=len(wins),
        losses=len(losses),
        round_trips=int((table.steps.trip_ends >= 0).sum()),
        win_rate=100.0 * _ratio(len(wins), len(closed)),
        gross_profit=profit,
        gross_loss=abs(loss),  # no losses are 0.0, not -0.0
        profit_factor=profit / loss if loss > 0.0 else math.inf if len(closed) else 0.0,
        expectancy=_mean(pnl),
        avg_win=avg_win,
        avg_loss=avg_loss,
        largest_win=float(wins.max(initial=0.0)),
        largest_loss=float(losses.min(initial=0.0)),
        payoff_ratio=_ratio(avg_win, -avg_loss, alone=np.inf),
        win_streak=_longest_run(pnl > 0.0),
        loss_streak=_longest_run(pnl < 0.0),
        avg_holding_secs=_mean(holding),
        longest_holding_secs=float(holding.max(initial=0.0)),
        long_share=_ratio(int(closed.is_long.sum()), len(closed)),
        total_fees=fees,
        traded_notional=traded,
        fee_bps=1e4 * _ratio(fees, traded),
        fee_share=_ratio(fees, gains),
        maker_share=_ratio(rested, traded),
    )


def pnl_by_market(table: Any) -> dict[str, float]:
    """Return each market's realised profit less all its fees, NO with its market.

    The fees of what is still open count too: the sum and what is unrealised are the account's
    total return.

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    dict of str to float
        Currency, in the order in which markets were first traded.

    Examples
    --------
    4 · 5 less two fees of 1; of what is still open the fee alone:

    >>> hz.analytics.pnl_by_market(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00", "2024-01-01 11:00"],
    ...     "market_id": ["ACME", "ACME", "BOLT"], "side": ["buy", "sell", "buy"],
    ...     "quantity": [4, 4, 10], "price": [100.0, 105.0, 20.0], "fee": [1.0, 1.0, 2.0]}))
    {'ACME': 18.0, 'BOLT': -2.0}
    """
    table = table_of(table, name="table")
    closed = closings(table)
    markets: dict[str, int] = {}
    of_position = np.array(
        [markets.setdefault(market_of(n), len(markets)) for n in table.steps.names], dtype=np.intp
    )
    by_row = of_position[table.steps.positions]
    gross = np.bincount(by_row[closed.rows], closed.pnl_gross, minlength=len(markets))
    fees = np.bincount(by_row, table.fees, minlength=len(markets))
    return dict(zip(markets, (gross - fees).tolist(), strict=True))


def pnl_by_hour(table: Any) -> dict[int, float]:
    """Return the net profit of the closings of each hour of the day (UTC).

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    dict of int to float
        Currency, for each hour from 0 to 23; 0.0 where nothing was closed.

    Examples
    --------
    Sold at 10:00 and at 10:30: 4 · 5 + 6 · 2.

    >>> found = hz.analytics.pnl_by_hour(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-01 10:00", "2024-01-01 10:30"],
    ...     "market_id": ["ACME"] * 3, "side": ["buy", "sell", "sell"],
    ...     "quantity": [10, 4, 6], "price": [100.0, 105.0, 102.0]}))
    >>> found[9], found[10], len(found)
    (0.0, 32.0, 24)
    """
    closed = closings(table)
    hours = closed.closed_ns // _HOUR_NS % 24
    return dict(enumerate(np.bincount(hours, closed.pnl, minlength=24).tolist()))


def pnl_by_weekday(table: Any) -> dict[int, float]:
    """Return the net profit of the closings of each weekday (UTC).

    Parameters
    ----------
    table : FillTable, or fills in any form that `fill_table` takes
        Settlements and multipliers come in a table only.

    Returns
    -------
    dict of int to float
        Currency, for each day from 0 (Monday) to 6; 0.0 where nothing was closed.

    Examples
    --------
    Bought on a Monday, sold on the Tuesday after: 4 · 5.

    >>> hz.analytics.pnl_by_weekday(hz.analytics.fill_table({
    ...     "timestamp": ["2024-01-01 09:00", "2024-01-02 10:00"], "market_id": ["ACME", "ACME"],
    ...     "side": ["buy", "sell"], "quantity": [4, 4], "price": [100.0, 105.0]}))
    {0: 0.0, 1: 20.0, 2: 0.0, 3: 0.0, 4: 0.0, 5: 0.0, 6: 0.0}
    """
    closed = closings(table)
    days = (closed.closed_ns // _DAY_NS + _FIRST_WEEKDAY) % 7
    return dict(enumerate(np.bincount(days, closed.pnl, minlength=7).tolist()))


# ---------------------------------------------------------------------- helpers
def _ratio(part: float, whole: float, *, alone: float = 0.0) -> float:
    """A quotient; over 0 it is `alone` where the part is above 0, else 0.0."""
    if whole > 0.0:
        return part / whole
    return alone if part > 0.0 else 0.0


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _longest_run(mask: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _texts(values: NDArray[np.object_] | NDArray[np.str_]) -> pd.Series[str]:
    import pandas as pd

    return pd.Series(values.tolist(), dtype="str")


def _times(ns: NDArray[np.int64]) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.to_datetime(ns, unit="ns", utc=True)


def _spans(ns: NDArray[np.int64]) -> pd.TimedeltaIndex:
    import pandas as pd

    return pd.to_timedelta(ns, unit="ns")
