"""What an order has met in a run with books: the book of its arrival, and each one after it.

The books are shown again to the same working book and the same fill model that the venue had,
so that every price, size, chance and draw is the one that decided. What filled is read from the
record.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from horizon import rules, words
from horizon.backtesting.explain_rows import (
    FILLED,
    LATE,
    MISSED,
    NOTHING,
    REACHED,
    SENT,
    TRAVELLING,
    Met,
    filled_words,
    moment,
    put_fill,
)
from horizon.backtesting.order_facts import OrderFacts
from horizon.backtesting.record import Replayed, RunRecord
from horizon.instruments import NO_SUFFIX, Market, split_side
from horizon.venues import chance
from horizon.venues.book_view import first_levels
from horizon.venues.depth_book import DepthBook, direction_of
from horizon.venues.fill_models import RestingOrder

__all__ = ["ARRIVED", "books_of"]

_Floats = NDArray[np.float64]

#: What an order and a book were to each other, beside what it can be with a row.
ARRIVED: Final = "arrived"
BEHIND: Final = "behind the touch"
QUEUED: Final = "in the queue"
UNLUCKY: Final = "drawn in vain"
UNSERVED: Final = "no size left"
_NAN: Final = math.nan


def books_of(record: RunRecord, replayed: Replayed, market: Market, order: OrderFacts) -> Met:
    """Go through the books of the order's market from the one it was decided on to its end."""
    return _Shown(record, replayed, market, order).met()


class _Shown:
    """Books in the prices of the order's own side, and what each could do for the order."""

    def __init__(
        self, record: RunRecord, replayed: Replayed, market: Market, order: OrderFacts
    ) -> None:
        self.record, self.replayed, self.market, self.order = record, replayed, market, order
        self.books = replayed.books[market.id]
        self.direction = direction_of(order.sign, order.is_no)
        moved = [one for one in replayed.displacements if one[1] == market.id]
        self.moved_ns = np.array([ns for ns, _, _ in moved], dtype=np.int64)
        self.moved = np.array([0.0, *(after for _, _, after in moved)])
        self.at, self.arrival = self._places()
        self.times = self.books.times_ns[self.at]
        n = len(self.at)
        self.displaced = self._displacements()
        self.best = self._best()
        self.away = order.sign * (self.best - order.limit)
        # `rules.reaches`, for all at once; a missing price is NaN, which reaches nothing.
        self.reached: NDArray[np.bool_] = (
            ~np.isnan(self.best) if order.is_market else self.away <= rules.REACH * abs(order.limit)
        )
        self.shown, self.others = np.full(n, _NAN), np.zeros(n)
        self.touch, self.ahead = np.full(n, _NAN), np.full(n, _NAN)
        self.odds, self.draw = np.full(n, _NAN), np.full(n, _NAN)
        self.filled, self.prices = np.zeros(n), np.full(n, _NAN)
        if n and not order.is_rejected:
            self._look_at_sizes()
            if replayed.fill_model.has_chance and not (order.is_market or order.ioc):
                self._look_at_chances()
        self._put_fills()
        self.states = self._states()

    # ------------------------------------------------------------------ which books
    def _places(self) -> tuple[NDArray[np.intp], int]:
        """Find the books from the decision to the end, and which of them the order arrived at.

        Returns
        -------
        ndarray of int, shape (n,)
            Numbers of the books.
        int
            The place among them of the one in force when it arrived; -1 where there was none.
        """
        order, times = self.order, self.books.times_ns

        def in_force(ns: int) -> int:
            return int(np.searchsorted(times, ns, side="right")) - 1

        start, found = in_force(order.submitted_ns), in_force(order.arrived_ns)
        # A resting order filled at the time of its arrival: of several books of that time it came
        # after the first.
        if (order.fill_times_ns[order.fill_is_maker] == order.arrived_ns).any():
            found = int(np.searchsorted(times, order.arrived_ns, side="left"))
        if order.status == "filled" and order.last_fill_ns is not None:
            end = in_force(order.last_fill_ns)
        else:
            end = len(times) - 1 if order.ended_ns is None else in_force(order.ended_ns)
        start = max(min(start, found), 0)
        at = np.arange(start, max(end, found) + 1)
        return at, found - start if found >= 0 and found <= max(end, found) else -1

    def _displacements(self) -> _Floats:
        """How far impact had moved the market when each book came, shape (n,)."""
        times = self.times.copy()
        data = self.replayed.data
        if data is not None and data.snapshots is not None:
            # Each book is a row: between two of one time a pipeline ran, and sent orders.
            times[1:] += times[1:] == times[:-1]
        if self.arrival >= 0:
            times[self.arrival] = self.order.arrived_ns
        found: _Floats = self.moved[np.searchsorted(self.moved_ns, times, side="left")]
        return found

    # ------------------------------------------------------------------ all books at once
    def _best(self) -> _Floats:
        """Best price of the side that the order takes, or waits for, as its own side has it."""
        books = self.books
        if self.direction > 0:
            best = first_levels(books.ask_prices, books.ask_sizes)[self.at]
        else:
            best = first_levels(books.bid_prices, books.bid_sizes)[self.at]
        shift = np.where(self.direction * self.displaced > 0.0, self.displaced, 0.0)
        lowest, highest = self.market.price_bounds
        best = best + shift
        is_gone = (shift != 0.0) & ~((lowest < best) & (best < highest))
        best = np.where(is_gone, np.nan, best)
        # `rules.complement`, for all at once.
        return np.floor((1.0 - best) * 1e12 + 0.5) / 1e12 if self.order.is_no else best

    def _states(self) -> NDArray[np.object_]:
        order, times = self.order, self.times
        states = np.full(len(times), MISSED, dtype=object)
        states[np.isnan(self.best)] = NOTHING
        states[~np.isnan(self.touch)] = BEHIND
        asked = ~np.isnan(self.odds)
        states[asked] = UNLUCKY
        states[asked & (self.ahead > 0.0) & (self.odds == 0.0)] = QUEUED
        states[asked & (self.draw < self.odds)] = UNSERVED
        states[self.reached] = REACHED
        if order.status == "canceled":
            states[self.reached & (times == order.ended_ns) & (self.shown > self.others)] = LATE
        states[self.filled > 0.0] = FILLED
        before = times <= order.arrived_ns
        before[self.arrival + 1 :] &= self.arrival < 0
        states[before] = TRAVELLING if order.travels else SENT
        states[before & (times <= order.submitted_ns)] = SENT
        has_arrived = order.ended_ns is None or order.ended_ns >= order.arrived_ns
        if self.arrival >= 0 and has_arrived and not order.is_rejected:
            states[self.arrival] = ARRIVED
        return states

    def _put_fills(self) -> None:
        """Put what it took to the book of its arrival, the rest to the books they came with."""
        order, first = self.order, self.arrival + 1
        lucky = self.draw < self.odds
        for ns, quantity, price, is_maker in zip(
            order.fill_times_ns.tolist(),
            order.fill_quantities.tolist(),
            order.fill_prices.tolist(),
            order.fill_is_maker.tolist(),
            strict=True,
        ):
            if is_maker:
                # Of several books of one time, the first that could.
                start, end = np.searchsorted(self.times, [ns, ns + 1]).tolist()
                rows = np.arange(max(start, first), end)
                enough = self.shown[rows] >= quantity * (1.0 - rules.REACH)
                good = rows[lucky[rows] | (self.reached[rows] & enough)]
                place = int(good[0]) if len(good) else end - 1
                first = place + 1
            else:
                place = self.arrival
            if 0 <= place < len(self.at):
                put_fill(self.filled, self.prices, place, quantity, price)

    # ------------------------------------------------------------------ one book at a time
    def _book(self) -> DepthBook:
        market = self.market
        return DepthBook(market.id, self.books, market.asset_class, market.price_bounds)

    def _look_at_sizes(self) -> None:
        """Ask the working book what it showed where it was reached."""
        order, depth = self.order, self._book()
        limit = order.sign * math.inf if order.is_market else order.limit
        for i in np.flatnonzero(self.reached).tolist():
            if i >= self.arrival:
                self._put(depth, i)
                self.shown[i] = depth.size_through(order.sign, order.is_no, limit)
                self.others[i] = self._taken_by_others(i)

    def _look_at_chances(self) -> None:
        """Show the fill model every book again, and ask what it gave the order."""
        order, model, depth = self.order, self.replayed.fill_model, self._book()
        seen = RestingOrder(
            order.order_id,
            order.market_id + (NO_SUFFIX if order.is_no else ""),
            order.number,
            order.sign,
            order.limit,
            order.quantity,
            order.quantity,
            order.arrived_ns,
        )
        key = chance.market_key(self.market.id)
        start = max(self.arrival, 0)
        for i in range(start, len(self.at)):
            self._put(depth, i)
            met_before = order.fill_times_ns < self.times[i]
            if i <= self.arrival:
                met_before = ~order.fill_is_maker
            seen.remaining = order.quantity - float(order.fill_quantities[met_before].sum())
            view = depth.seen_by(order.sign, order.is_no)
            if i == start:
                model.rest(seen, view)
            if i == self.arrival:
                continue
            model.follow(seen, view)
            self.touch[i] = touch = view.touch(order.sign)
            if hasattr(model, "ahead"):
                self.ahead[i] = model.ahead(seen)
            is_behind = touch == touch and not rules.reaches(touch, order.limit, order.sign)
            if self.reached[i] or is_behind:
                continue
            since = max(order.arrived_ns, depth.previous_ns)
            self.odds[i] = model.chance(seen, view, (depth.time_ns - since) / 1_000_000_000)
            self.draw[i] = chance.uniform(self.replayed.seed, key, order.number, depth.index)

    def _put(self, depth: DepthBook, i: int) -> None:
        index = int(self.at[i])
        if index:
            depth.show(index - 1, int(self.books.times_ns[index - 1]))
        depth.show(index, int(self.times[i]))
        depth.displacement = float(self.displaced[i])

    def _taken_by_others(self, i: int) -> float:
        """What our own other orders took of a book before this one met it."""
        fills, order = self.record.fills, self.order
        end_ns = order.arrived_ns if i == self.arrival else int(self.times[i])
        start, end = np.searchsorted(fills.times_ns, [int(self.times[i]), end_ns + 1]).tolist()
        own = order.fill_rows[(order.fill_rows >= start) & (order.fill_rows < end)]
        if len(own):
            end = int(own[0])
        taken = 0.0
        for row in range(start, end):
            market, is_no = split_side(fills.leg_ids[int(fills.legs[row])])
            if market == self.market.id and self.direction == direction_of(
                int(fills.signs[row]), is_no
            ):
                taken += float(fills.quantities[row])
        return taken

    # ------------------------------------------------------------------ all of it
    def met(self) -> Met:
        """All of it, for the explanation."""
        columns: dict[str, NDArray[np.generic]] = {
            "book": self.at,
            "best": self.best,
            "displacement": self.displaced,
            "shown": self.shown,
            "taken_before": self.others,
        }
        if not np.isnan(self.odds).all() or not np.isnan(self.touch).all():
            columns |= {"touch": self.touch}
            if not np.isnan(self.ahead).all():
                columns |= {"ahead": self.ahead}
            columns |= {"chance": self.odds, "draw": self.draw}
        last = len(self.at)
        if self.order.status == "filled" and self.filled.any():
            last = int(np.flatnonzero(self.filled)[-1]) + 1
        part = slice(0, last)
        return Met(
            what="book",
            times_ns=self.times[part],
            states=self.states[part],
            away=self.away[part],
            filled=self.filled[part],
            fill_prices=self.prices[part],
            columns={name: values[part] for name, values in columns.items()},
            say=lambda i: (self._offered(i), self._came(i)),
        )

    # ------------------------------------------------------------------ in words
    def _offered(self, i: int) -> str:
        side = "asks" if self.order.sign > 0 else "bids"
        best = float(self.best[i])
        if best != best:
            return f"no {side}"
        moved = float(self.displaced[i])
        pushed = (
            f", {words.price(abs(moved))} of it our impact" if self.direction * moved > 0 else ""
        )
        return f"{side} from {words.price(best)}{pushed}"

    def _came(self, i: int) -> str:
        order, state = self.order, self.states[i]
        if state == SENT:
            return (
                "in force when it was sent" if order.travels or order.is_rejected else "sent here"
            )
        if state == TRAVELLING:
            return f"on its way, there at {moment(order.arrived_ns)}"
        if state == ARRIVED:
            return self._on_arrival(i)
        if state == FILLED:
            return self._why_filled(i)
        if state == REACHED:
            return f"reached, yet nothing filled: {self._sizes(i)}"
        if state == LATE:
            return "reached, at the time at which the order was cancelled"
        if state == NOTHING:
            return "nothing to meet"
        away = self._distance(i)
        if state == BEHIND:
            best = "bid" if order.sign > 0 else "ask"
            return f"{away}, and not at the best {best} of {words.price(float(self.touch[i]))}"
        if state == QUEUED:
            return f"{away}, {words.amount(float(self.ahead[i]))} ahead of it in the queue"
        if state == UNLUCKY:
            return f"{away}, {self._luck(i)}"
        if state == UNSERVED:
            return f"{away}, {self._luck(i)}, but no size was left for it"
        return away

    def _distance(self, i: int) -> str:
        if math.isnan(self.away[i]):
            return f"no {'asks' if self.order.sign > 0 else 'bids'} to meet"
        side = "above" if self.order.sign > 0 else "below"
        return f"{words.price(abs(float(self.away[i])))} {side} the limit"

    def _luck(self, i: int) -> str:
        return f"chance {100.0 * self.odds[i]:.3g} %, drew {100.0 * self.draw[i]:.3g} %"

    def _sizes(self, i: int) -> str:
        """What the book showed at or through the limit, and who else had it."""
        if math.isnan(self.shown[i]):
            return "from a book of the same time"
        where = "" if self.order.is_market else " at or through the limit"
        told = f"{words.amount(float(self.shown[i]))} shown{where}"
        if self.others[i] > 0.0:
            told += f", once our orders before it had {words.amount(float(self.others[i]))}"
        return told

    def _on_arrival(self, i: int) -> str:
        order, taken = self.order, float(self.filled[i])
        if taken > 0.0:
            price = float(self.prices[i])
            left = order.quantity - taken
            rest = (
                "" if left <= rules.SLACK * order.quantity else f", {words.amount(left)} were left"
            )
            told = f"arrived and took {words.amount(taken)} at {words.price(price)}"
            mean = (
                " on average"
                if np.count_nonzero(order.fill_times_ns == order.arrived_ns) > 1
                else ""
            )
            return f"{told}{mean}{rest}: {self._sizes(i)}"
        if self.reached[i]:
            return f"arrived and took nothing: {self._sizes(i)}"
        if order.is_market:
            return "arrived, nothing to meet"
        return f"arrived: {self._distance(i)}"

    def _why_filled(self, i: int) -> str:
        told = filled_words(float(self.filled[i]), float(self.prices[i]))
        if self.reached[i]:
            return f"{told}: {self._sizes(i)}"
        if not math.isnan(self.odds[i]):
            return f"{told} by chance: {self._luck(i)}"
        return f"{told}, at the limit that it had then"
