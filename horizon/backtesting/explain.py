"""Why an order filled, or did not: in words, and row by row."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from horizon import rules, words
from horizon.backtesting.explain_books import ARRIVED, books_of
from horizon.backtesting.explain_rows import (
    FILLED,
    REACHED,
    SENT,
    TRAVELLING,
    Met,
    fill_only,
    moment,
    rows_of,
)
from horizon.backtesting.order_facts import OrderFacts, facts_of
from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_words import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Explanation", "explain"]

#: Rows at the start and at the end of a life that are told one by one, and fills between them.
_ENDS: Final = 4
_FILLS: Final = 6


def explain(record: RunRecord, order_id: str) -> Explanation:
    """Explain an order of a run; see `BacktestResult.explain`."""
    order = facts_of(record, order_id)
    replayed = record.replayed
    market = next((one for one in record.markets if one.id == order.market_id), None)
    if replayed is None:
        note = "The rows that it met are not saved with a result; run it again to see them."
        return Explanation(order, fill_only(order), note)
    if market is None:
        return Explanation(order, fill_only(order), "Its market is not one of the run's.")
    if replayed.books:
        return Explanation(order, books_of(record, replayed, market, order), "")
    if replayed.data is None:
        note = "The data came in chunks, which are not kept; give it whole to see the rows."
        return Explanation(order, fill_only(order), note)
    return Explanation(order, rows_of(record, replayed, order), "")


class Explanation:
    """Why an order filled, or did not.

    Made by `BacktestResult.explain`. Prices are those of the order's own side.

    Attributes
    ----------
    order_id : str
    """

    def __init__(self, order: OrderFacts, met: Met, note: str) -> None:
        self.order_id = order.order_id
        self._order = order
        self._met = met
        self._note = note

    @property
    def rows(self) -> pd.DataFrame:
        """Every row, or book, of its market from the one it was decided on to its end.

        Columns: `time` (UTC); `row`, the row's number in its feed without dropped rows, or
        `book`, the snapshot's; what it showed; `away`, how far what the order could meet was from
        its limit (0 or below is reached); `state`; `filled` and `fill_price`. Without books
        `meets` is the price that the order could meet.

        With books `best` is the best price of the other side, and `displacement` how far our
        impact had moved the market, in prices of YES. Where the limit was reached `shown` is the
        size at or through it, and `taken_before` what our other orders had of that side before.
        With a fill model of chances there are `touch`, the best price of the order's own side;
        `ahead`, what stood before it in the queue; `chance`, and `draw`: it fills where the draw
        lies below the chance.
        """
        return self._met.to_frame()

    @property
    def words(self) -> str:
        """The whole story as text; the middle of a long life is told in one line."""
        table = [(time, shown, came) for time, shown, came in self._lines()]
        width = max((len(time) for time, _, _ in table), default=0)
        wide = max((len(shown) for _, shown, _ in table), default=0)
        lines = [
            f"{time:<{width}}  {shown:<{wide}}  {came}".rstrip() for time, shown, came in table
        ]
        return "\n".join([*self._head(), *(["", *lines] if lines else [])])

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        first, *others = self._head()
        told = "<br>".join(html.escape(line) for line in others)
        rows = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in line)
            + "</tr>"
            for line in self._lines()
        )
        shown = "What it showed" if len(self._met) else ""
        head = (
            "<thead><tr><th style='text-align:left'>Time, UTC</th>"
            f"<th style='text-align:left'>{shown}</th>"
            "<th style='text-align:left'>What came of it</th></tr></thead>"
        )
        table = f"<table>{head}<tbody>{rows}</tbody></table>" if rows else ""
        return (
            f"<div style='color:inherit;background:transparent'><p><strong>{html.escape(first)}"
            f"</strong><br>{told}</p>{table}</div>"
        )

    # ------------------------------------------------------------------ in words
    def _head(self) -> list[str]:
        order = self._order
        lines = [f"Order {order.order_id}: {order.in_words}", self._life()]
        if self._note:
            lines.append(self._note)
        else:
            lines += self._sum()
        return lines

    def _life(self) -> str:
        order = self._order
        told = f"Sent {moment(order.submitted_ns)}"
        if order.travels:
            told += f", to arrive {moment(order.arrived_ns)}"
        if order.is_rejected:
            return f"{told}, rejected: {_reason(order)}."
        size = f"filled {words.amount(order.filled)} of {words.amount(order.quantity)}"
        if order.filled > 0.0 and len(order.fill_prices):
            cost = float(np.dot(order.fill_prices, order.fill_quantities))
            size += f" at {words.price(cost / float(order.fill_quantities.sum()))}"
            if len(order.fill_prices) > 1:
                size += f" in {counted(len(order.fill_prices), 'fill')}"
        return f"{told}, {self._ending()}; {size}."

    def _ending(self) -> str:
        order = self._order
        if order.ended_ns is None:
            return "still open at the end of the run"
        at = moment(order.ended_ns)
        if order.status == "filled":
            return f"done {at}"
        why = f" ({_reason(order)})" if order.reason else ""
        return f"cancelled {at}{why}"

    def _sum(self) -> list[str]:
        """Say in one line how many rows there were, and how near they came."""
        order, met = self._order, self._met
        if order.is_rejected:
            return []
        counts = Counter(met.states.tolist())
        arrived = counts.pop(ARRIVED, 0)
        later = counts.total() - counts[SENT] - counts[TRAVELLING]
        if not later and not arrived:
            if order.travels and (order.ended_ns is None or order.ended_ns < order.arrived_ns):
                return ["It ended, or the run did, before it arrived."]
            return [f"No {met.what} of its market came while it was there."]
        after = "the one it arrived at" if arrived else "it was sent"
        told = [f"It met {counted(later, met.what)} after {after}"]
        hits = counts[FILLED] + counts[REACHED]
        if later and not order.is_market:
            told.append(f"{hits or 'none'} reached the limit or filled it")
        near = self._nearest()
        if near is not None and not hits and order.filled == 0.0:
            at, away = near
            side = "above" if order.sign > 0 else "below"
            told.append(f"the nearest was {words.price(away)} {side} the limit, {at}")
        lines = ["; ".join(told) + "."]
        if len(met) > 1 and (met.times_ns[1:] == met.times_ns[:-1]).any():
            lines.append(
                f"Some {met.what}s have one time; which of them it met first is inferred from its "
                "fills."
            )
        return lines

    def _nearest(self) -> tuple[str, float] | None:
        """When a row came nearest, and how near; None where none can be compared, or all."""
        met = self._met
        away = np.where((met.states == SENT) | (met.states == TRAVELLING), np.nan, met.away)
        if np.isnan(away).all():
            return None
        place = int(np.nanargmin(away))
        if away[place] <= rules.REACH * abs(self._order.limit):
            return None
        return moment(int(met.times_ns[place])), float(away[place])

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        """Each row that is told, what lies between them in one line, and the end."""
        met, order = self._met, self._order
        told = _chosen(met)
        last = -1
        for i in told:
            if i > last + 1:
                yield "…", *self._between(last + 1, i)
            yield moment(int(met.times_ns[i])), *met.say(i)
            last = i
        if order.is_rejected:
            yield moment(order.submitted_ns), "", f"rejected: {_reason(order)}"
        elif order.ended_ns is None:
            yield "", "", "the run ended; the order was still open"
        elif order.status != "filled":
            why = f": {_reason(order)}" if order.reason else ""
            yield moment(order.ended_ns), "", f"cancelled{why}"

    def _between(self, start: int, end: int) -> tuple[str, str]:
        """Say what lies between two rows that are told."""
        met = self._met
        part = slice(start, end)
        counts = Counter(met.states[part].tolist())
        kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
        away = met.away[part]
        near = ""
        if not np.isnan(away).all():
            least = float(np.nanmin(away))
            side = "beyond" if least <= 0.0 else "above" if self._order.sign > 0 else "below"
            near = f"; the nearest {words.price(abs(least))} {side} the limit"
        return counted(end - start, met.what), kinds + near


def _reason(order: OrderFacts) -> str:
    return words.name(order.reason) if order.reason else "no reason is given"


def _chosen(met: Met) -> list[int]:
    """Places of the rows that are told one by one: the ends, and the first fills between."""
    n = len(met)
    if n <= 2 * _ENDS + 2:
        return list(range(n))
    fills = np.flatnonzero(met.states == FILLED)[:_FILLS].tolist()
    return sorted({*range(_ENDS), *fills, *range(n - _ENDS, n)})
