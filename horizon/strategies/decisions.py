"""What was decided of signals, and what became of it, as records."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from horizon import checks
from horizon.strategies.decision_log import ALGO_ENDINGS, DESK_ENDINGS, DecisionColumns
from horizon.strategies.signals import ACTIONS
from horizon.types import Shown
from horizon.venues.archive import STATUSES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Decision", "SignalNote", "decisions_of", "outcomes_of"]

_ACTIONS: Final = tuple(ACTIONS)


class SignalNote(NamedTuple):
    """A signal as a decision remembers it.

    Attributes
    ----------
    strategy : str
        The name of the strategy that gave it.
    action : {"increase", "decrease", "flatten"}
    edge_bps, confidence : float
        As the signal gave them.
    reason : str
        Likewise; empty where it gave none.

    Examples
    --------
    >>> hz.strategies.SignalNote("dips", "increase", 30.0, 1.0, "far below its mean")
    SignalNote(strategy='dips', action='increase', edge_bps=30.0, confidence=1.0,
               reason='far below its mean')
    """

    strategy: str
    action: str
    edge_bps: float
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Decision(Shown):
    """What became of the signals on one market at one moment.

    Not made by hand: `BacktestResult.decisions` lists them.

    Attributes
    ----------
    timestamp : float
        Seconds since 1970.
    market_id : str
        The market.
    signals : tuple of SignalNote
        What was said of it then.
    price : float
        The market's, of YES for a prediction.
    edge_bps, confidence : float
        Combined; the edge is below 0 to be short.
    target : float or None
        The position wanted, in signed units, cut to lots; None where nobody was asked.
    current : float
        The position held, with what was still on its way to it.
    done : str
        ``"ordered"``; ``"kept working"``, an order that was there already; ``"withdrawn"``, one
        that was cancelled, and none needed in its place; ``"replacing"``, one whose cancel is on
        its way; ``"closing first"``, the part of a turn around for which there is money now;
        ``"waiting for money"`` of positions that are being made smaller. After these three a
        decision of its own follows by itself, when that has happened. ``"at target"``, ``"within
        the band"``, ``"edge too small"``, ``"no size"``, ``"long only"``: nothing was to do; or
        ``"refused: …"`` with the risk rule or the market's reason.
    order_ids : tuple of str
        The order that was sent or kept, or the children of the algorithm.
    quantity : float
        What was ordered, in signed units; 0.0 where nothing was, or an earlier order was kept.
    filled : float
        What of that has filled by now, likewise: the fills of a kept order count with the
        decision that has sent it.
    average_price : float or None
        None where `filled` is 0.0.
    status : str
        Of the order: ``"new"``, ``"partial"``, ``"filled"``, ``"canceled"``, ``"rejected"``; or
        ``"expired"`` (its `ttl`, or its algorithm's time, was over), ``"replaced"`` (by a later
        decision), ``"stale"`` (its feed was). Empty without an order.

    Examples
    --------
    Ten shares are bought at the second row, at which a market order of the first one fills; what
    is held then is what is wanted.

    >>> @hz.strategy
    ... def long(f, universe):
    ...     return [hz.Signal.increase(market, edge_bps=10) for market in universe]
    >>> result = hz.backtest(
    ...     data=[{"timestamp": i, "price": 50.0, "market_id": "ACME"} for i in range(3)],
    ...     markets=[hz.Market("ACME", hz.Equity)],
    ...     strategies=[long],
    ...     sizer=hz.FixedNotional(500),
    ... )
    >>> for one in result.decisions:
    ...     print(one.timestamp, one.target, one.done, one.filled)
    0.0 10.0 ordered 10.0
    1.0 10.0 at target 0.0
    2.0 10.0 at target 0.0
    """

    timestamp: float
    market_id: str
    signals: tuple[SignalNote, ...]
    price: float
    edge_bps: float
    confidence: float
    target: float | None
    current: float
    done: str
    order_ids: tuple[str, ...]
    quantity: float
    filled: float
    average_price: float | None
    status: str

    @property
    def strategies(self) -> tuple[str, ...]:
        """Names of the strategies behind it, each once, in the order of their signals."""
        return tuple(dict.fromkeys(note.strategy for note in self.signals))


class Outcomes(NamedTuple):
    """What became of each decision's orders, all of shape (n,)."""

    filled: NDArray[np.float64]
    averages: NDArray[np.float64]
    statuses: list[str]


def outcomes_of(columns: DecisionColumns, orders: Any) -> Outcomes:
    """Read what the orders of decisions have filled.

    Parameters
    ----------
    columns : DecisionColumns
    orders : OrderColumns or PackedOrders
        Of the same run; row k - 1 is the order ``"p<k>"``.
    """
    import numpy as np

    starts = columns.order_starts
    rows = columns.orders - 1
    filled = orders.filled[rows] * orders.signs[rows]
    spent = filled * orders.averages[rows]
    # One more, so that decisions at the end without orders have somewhere to begin.
    sums = [np.append(one, 0.0) for one in (filled, spent)]
    have = starts[1:] > starts[:-1]
    sent = have & (columns.quantities != 0.0)
    total, cost = (np.where(sent, np.add.reduceat(one, starts[:-1]), 0.0) for one in sums)
    traded = total != 0.0
    averages = np.full(len(columns), math.nan)
    averages[traded] = cost[traded] / total[traded]
    # A single order's own average has no rounding of a product in it.
    single = traded & (starts[1:] - starts[:-1] == 1)
    averages[single] = orders.averages[rows[starts[:-1][single]]]
    statuses = np.full(len(columns), "", dtype=object)
    last = rows[starts[1:][have] - 1]
    statuses[have] = np.array(STATUSES, dtype=object)[orders.statuses[last]]
    # The desk's own cancels have its reasons.
    reasons = list(orders.reason_texts)
    for word in DESK_ENDINGS:
        if word in reasons:
            theirs = have.copy()
            theirs[have] = orders.reasons[last] == reasons.index(word)
            statuses[theirs] = word
    for decision in np.flatnonzero(columns.algos).tolist():
        word = ALGO_ENDINGS[columns.algos[decision]]
        if word == "running":
            word = "partial" if traded[decision] else "new"
        statuses[decision] = word
    return Outcomes(total + 0.0, averages, statuses.tolist())


def decisions_of(columns: DecisionColumns, orders: Any) -> list[Decision]:
    """Make the records of all decisions, oldest first."""
    outcomes = outcomes_of(columns, orders)
    names, texts = columns.strategy_names, columns.reason_texts
    notes = [
        SignalNote(names[strategy], _ACTIONS[action], edge, confidence, texts[reason])
        for strategy, action, edge, confidence, reason in zip(
            columns.strategies.tolist(),
            columns.actions.tolist(),
            columns.signal_edges.tolist(),
            columns.signal_confidences.tolist(),
            columns.reasons.tolist(),
            strict=True,
        )
    ]
    ids = [f"p{number}" for number in columns.orders.tolist()]
    signal_starts, order_starts = columns.signal_starts.tolist(), columns.order_starts.tolist()
    rows = zip(
        columns.times_ns.tolist(),
        columns.markets.tolist(),
        columns.prices.tolist(),
        columns.edges.tolist(),
        columns.confidences.tolist(),
        columns.targets.tolist(),
        columns.currents.tolist(),
        columns.done.tolist(),
        columns.quantities.tolist(),
        outcomes.filled.tolist(),
        outcomes.averages.tolist(),
        outcomes.statuses,
        strict=True,
    )
    return [
        Decision(
            timestamp=checks.ns_to_seconds(ns),
            market_id=columns.market_ids[market],
            signals=tuple(notes[signal_starts[i] : signal_starts[i + 1]]),
            price=price,
            edge_bps=edge,
            confidence=confidence,
            target=None if target != target else target,
            current=current,
            done=columns.done_texts[done],
            order_ids=tuple(ids[order_starts[i] : order_starts[i + 1]]),
            quantity=quantity,
            filled=filled,
            average_price=None if average != average else average,
            status=status,
        )
        for i, (
            ns,
            market,
            price,
            edge,
            confidence,
            target,
            current,
            done,
            quantity,
            filled,
            average,
            status,
        ) in enumerate(rows)
    ]
