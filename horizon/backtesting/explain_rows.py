"""What an order has met in a run without books: each row of its market's feed while it lived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from horizon import rules, words
from horizon.backtesting.order_facts import OrderFacts
from horizon.backtesting.playing import MarketData
from horizon.backtesting.record import Replayed, RunRecord

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FILLED",
    "LATE",
    "MISSED",
    "NOTHING",
    "REACHED",
    "SENT",
    "TRAVELLING",
    "Met",
    "fill_only",
    "filled_words",
    "moment",
    "put_fill",
    "rows_of",
]

_Floats = NDArray[np.float64]

#: What an order and a row were to each other.
SENT: Final = "sent"
TRAVELLING: Final = "on its way"
NOTHING: Final = "nothing to meet"
MISSED: Final = "not reached"
REACHED: Final = "reached"
LATE: Final = "too late"
FILLED: Final = "filled"


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """What an order has met, row by row.

    Attributes
    ----------
    what : str
        What a row is: ``"row"`` or ``"book"``.
    times_ns : ndarray of int64, shape (n,)
    states : ndarray of object, shape (n,)
        One word or two for each row.
    away : ndarray of float, shape (n,)
        How far what the row offers is from the limit, in price units; 0 or below is reached, NaN
        is nothing to compare.
    filled, fill_prices : ndarray of float, shape (n,)
        Quantity, and the mean price of it; 0 and NaN where nothing filled.
    columns : dict of str to ndarray, shape (n,)
        What else the table has.
    say : callable
        Takes a row's number; says what it showed, and what came of it.
    """

    what: str
    times_ns: NDArray[np.int64]
    states: NDArray[np.object_]
    away: _Floats
    filled: _Floats
    fill_prices: _Floats
    columns: dict[str, NDArray[np.generic]]
    say: Callable[[int], tuple[str, str]]

    def __len__(self) -> int:
        return len(self.times_ns)

    def to_frame(self) -> pd.DataFrame:
        """Return all rows as a table; times are UTC."""
        import pandas as pd

        times = pd.DatetimeIndex(self.times_ns.view("datetime64[ns]").copy()).tz_localize("UTC")
        return pd.DataFrame(
            {
                "time": times,
                **{name: values.copy() for name, values in self.columns.items()},
                "away": self.away.copy(),
                "state": pd.Series(self.states, dtype="str"),
                "filled": self.filled.copy(),
                "fill_price": self.fill_prices.copy(),
            }
        )


def moment(ns: int) -> str:
    """Write a time in UTC with all the digits that it has: ``2023-11-14 22:13:20.5``."""
    whole, _, broken = str(np.datetime64(ns, "ns")).partition(".")
    broken = broken.rstrip("0")
    return whole.replace("T", " ") + (f".{broken}" if broken else "")


def fill_only(order: OrderFacts) -> Met:
    """What is left to show where the rows were not kept: the fills."""
    n = len(order.fill_times_ns)

    def say(i: int) -> tuple[str, str]:
        return "", filled_words(order.fill_quantities[i], order.fill_prices[i])

    return Met(
        what="fill",
        times_ns=order.fill_times_ns,
        states=np.full(n, FILLED, dtype=object),
        away=np.full(n, np.nan),
        filled=order.fill_quantities,
        fill_prices=order.fill_prices,
        columns={},
        say=say,
    )


def filled_words(quantity: float, price: float) -> str:
    """Say what filled."""
    return f"filled {words.amount(float(quantity))} at {words.price(float(price))}"


def put_fill(filled: _Floats, prices: _Floats, place: int, quantity: float, price: float) -> None:
    """Add a fill to a row: its quantity, and its price to the mean of all; equal ones stay."""
    held = float(filled[place])
    if held == 0.0:
        prices[place] = price
    elif price != prices[place]:
        prices[place] += (price - prices[place]) * (quantity / (held + quantity))
    filled[place] = held + quantity


def rows_of(record: RunRecord, replayed: Replayed, order: OrderFacts) -> Met:
    """Go through the rows of the order's market from the one it was decided on to its end."""
    data = replayed.data
    assert data is not None
    at, number = _places(record, data, order)
    return _Seen(data, at, number, replayed, order).met()


def _places(record: RunRecord, data: MarketData, order: OrderFacts) -> tuple[NDArray[np.intp], int]:
    """Find the rows of its feed from its decision to its end.

    Returns
    -------
    ndarray of int, shape (n,)
        Their places in the data.
    int
        Number of the first among the rows of its feed.
    """
    times = data.times_ns
    start = int(np.searchsorted(times, order.submitted_ns, side="left"))
    if order.status == "filled" and order.last_fill_ns is not None:
        end_ns = order.last_fill_ns
    else:
        end_ns = int(times[-1]) if order.ended_ns is None else order.ended_ns
    end = int(np.searchsorted(times, end_ns, side="right"))
    if data.codes is None:
        if start == len(times) or int(times[start]) > order.submitted_ns:
            start = max(start - 1, 0)
        return np.arange(start, end), start
    own = data.feeds.index(record.market_feeds[order.market_id])
    before = np.flatnonzero(data.codes[:start] == own)
    rows = start + np.flatnonzero(data.codes[start:end] == own)
    if len(rows) and int(times[rows[0]]) == order.submitted_ns:
        return rows, len(before)
    # It was decided on a row of another feed: its own feed's last one before shows what it knew.
    return np.concatenate([before[-1:], rows]), max(len(before) - 1, 0)


class _Seen:
    """Rows in the prices of the order's own side, and what the order meets in each."""

    def __init__(
        self,
        data: MarketData,
        at: NDArray[np.intp],
        number: int,
        replayed: Replayed,
        order: OrderFacts,
    ) -> None:
        self.order = order
        self.number = number
        self.slippage = replayed.slippage
        self.times = data.times_ns[at]
        self.at = at
        self.columns = _own_side(data, at, order.is_no)
        price, bid, ask = (self.columns[name] for name in ("price", "bid", "ask"))
        low, high, opened = (self.columns[name] for name in ("low", "high", "open"))
        quoted = ~(np.isnan(bid) & np.isnan(ask))
        self.by_quotes = (replayed.matching == "quotes") & quoted
        self.is_touch = replayed.bar_fill_mode == "touch"
        self.is_quotes = replayed.matching == "quotes"
        unpriced = np.isnan(price)
        side = ask if order.sign > 0 else bid
        opened = np.where(self.by_quotes, np.nan, opened)
        if order.is_market:
            reference = np.where(np.isnan(opened), price, opened)
        elif self.is_touch:
            floor = np.where(np.isnan(low), np.fmin(price, opened), low)
            ceiling = np.where(np.isnan(high), np.fmax(price, opened), high)
            reference = floor if order.sign > 0 else ceiling
        else:
            reference = price
        # A row that brings only quotes, or nothing, is matched against its quotes alone.
        reference = np.where(unpriced, np.nan, reference)
        self.opened = opened
        self.meets = np.where(self.by_quotes, side, reference)
        self.away = order.sign * (self.meets - order.limit)
        # `rules.reaches`, for all at once; a missing price is NaN, which reaches nothing.
        self.reached: NDArray[np.bool_] = (
            ~np.isnan(self.meets)
            if order.is_market
            else self.away <= rules.REACH * abs(order.limit)
        )
        self.states = self._states()
        self.filled, self.prices = np.zeros(len(at)), np.full(len(at), np.nan)
        self._put_fills()

    def _states(self) -> NDArray[np.object_]:
        order, times = self.order, self.times
        states = np.full(len(times), MISSED, dtype=object)
        states[np.isnan(self.meets)] = NOTHING
        states[self.reached] = REACHED
        states[times <= order.arrived_ns] = TRAVELLING if order.travels else SENT
        states[times <= order.submitted_ns] = SENT
        return states

    def _put_fills(self) -> None:
        """Put each fill at the row that made it: the first of its time that could."""
        order, times = self.order, self.times
        first = 0
        for ns, quantity, price in zip(
            order.fill_times_ns.tolist(),
            order.fill_quantities.tolist(),
            order.fill_prices.tolist(),
            strict=True,
        ):
            start, end = np.searchsorted(times, [ns, ns + 1]).tolist()
            start = max(start, first)
            if start >= end:
                start = max(end - 1, 0)
            rows = np.arange(start, end)
            if ns == order.submitted_ns and len(rows) > 1:
                rows = rows[1:]  # the first of several at that time is the one of the decision
            good = rows[self.reached[rows]]
            row = int(good[0]) if len(good) else int(rows[-1]) if len(rows) else -1
            if row < 0:
                continue
            put_fill(self.filled, self.prices, row, quantity, price)
            self.states[row] = FILLED
            first = row + 1

    def met(self) -> Met:
        """All of it, for the explanation."""
        last = self._last()
        part = slice(0, last)
        shown = {
            name: values[part]
            for name, values in self.columns.items()
            if name == "price" or not np.isnan(values).all()
        }
        return Met(
            what="row",
            times_ns=self.times[part],
            states=self.states[part],
            away=self.away[part],
            filled=self.filled[part],
            fill_prices=self.prices[part],
            columns={
                "row": self.number + np.arange(last),
                **shown,
                "meets": self.meets[part],
            },
            say=self._say,
        )

    def _last(self) -> int:
        """How many rows there were until the order ended, of those of its last time too."""
        order, states = self.order, self.states
        filled = np.flatnonzero(states == FILLED)
        if order.status == "filled":
            return int(filled[-1]) + 1 if len(filled) else len(states)
        if order.ended_ns is None:
            return len(states)
        ending = (self.times == order.ended_ns) & (states != SENT) & (states != TRAVELLING)
        if order.reason.startswith("ioc"):
            decisive = np.flatnonzero(ending)
        elif order.reason.startswith("reduce_only"):
            decisive = np.flatnonzero(ending & (states == REACHED))
        else:
            states[ending & (states == REACHED)] = LATE
            return len(states)
        return int(decisive[0]) + 1 if len(decisive) else len(states)

    # ------------------------------------------------------------------ in words
    def _say(self, i: int) -> tuple[str, str]:
        return self._shown(i), self._came(i)

    def _shown(self, i: int) -> str:
        if self.by_quotes[i]:
            return ", ".join(
                f"{name} {words.price(value)}" if value == value else f"no {name}"
                for name, value in (("bid", self._at("bid", i)), ("ask", self._at("ask", i)))
            )
        price = self._at("price", i)
        if price != price:
            return "quotes without a price" if self._has_quotes(i) else "an empty row"
        names = ["open", "high", "low"] if self.is_touch or self.order.is_market else []
        bar = [f"{name} {words.price(self._at(name, i))}" for name in names if self._has(name, i)]
        return ", ".join([*bar, f"{'close' if bar else 'price'} {words.price(price)}"])

    def _came(self, i: int) -> str:
        order, state = self.order, self.states[i]
        if state == SENT:
            if order.is_rejected:
                return "sent here"
            if np.count_nonzero(self.states == SENT) > 1:
                return "at the time at which it was sent"
            return "sent here; an order never meets the row that it was decided on"
        if state == TRAVELLING:
            return f"on its way, there at {moment(order.arrived_ns)}"
        if state == FILLED:
            return self._why_filled(i)
        if state == NOTHING:
            return self._nothing(i)
        if state == LATE:
            return "reaches the limit, at the time at which the order was cancelled"
        if state == REACHED:
            if order.reason.startswith("reduce_only") and int(self.times[i]) == order.ended_ns:
                return "could have filled it, but nothing was left to reduce"
            return "reaches the limit that it ended with; it had another one then"
        gap = abs(float(self.away[i]))
        return f"{words.price(gap)} {'above' if order.sign > 0 else 'below'} the limit"

    def _nothing(self, i: int) -> str:
        if self.by_quotes[i]:
            return f"no {'ask' if self.order.sign > 0 else 'bid'} to meet"
        return "nothing to meet: orders meet prices here, and it has none"

    def _why_filled(self, i: int) -> str:
        order, meets = self.order, float(self.meets[i])
        quantity, price = float(self.filled[i]), float(self.prices[i])
        told = filled_words(quantity, price)
        if order.is_market:
            if meets != meets:
                return told
            moved = f" and {self.slippage * 10_000:g} bps of slippage" if self.slippage else ""
            return f"{told}: {words.price(meets)}{moved}"
        if not self.reached[i]:
            return f"{told}, at the limit that it had then"
        if self.is_touch and order.sign * (price - order.limit) < 0.0:
            return f"{told}: opened beyond the limit"
        return f"{told}: {words.price(meets)} reaches the limit"

    def _at(self, name: str, i: int) -> float:
        return float(self.columns[name][i])

    def _has(self, name: str, i: int) -> bool:
        return not np.isnan(self.columns[name][i])

    def _has_quotes(self, i: int) -> bool:
        return self._has("bid", i) or self._has("ask", i)


def _own_side(data: MarketData, at: NDArray[np.intp], is_no: bool) -> dict[str, _Floats]:
    """Prices of some rows as the order's side has them; NaN for what the data does not have."""

    def column(name: str) -> _Floats:
        values = data.numbers.get(name)
        return np.full(len(at), np.nan) if values is None else values[at]

    names = {name: name for name in ("price", "bid", "ask", "open", "high", "low")}
    if not is_no:
        return {name: column(name) for name in names}
    mirror = {**names, "bid": "ask", "ask": "bid", "high": "low", "low": "high"}
    # `rules.complement`, for all at once.
    return {
        name: np.floor((1.0 - column(other)) * 1e12 + 0.5) / 1e12 for name, other in mirror.items()
    }
