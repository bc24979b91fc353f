"""An execution algorithm's progress as frozen numbers: what is told and drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from horizon import checks, rules, words
from horizon.types import Shown
from horizon.venues.records import NEVER_NS, AlgoState, OrderState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RUNNING", "AlgoProgress", "SliceProgress", "progress_of"]

#: The statuses of an algorithm that may still send orders.
RUNNING: Final = ("running", "paused")


@dataclass(frozen=True, slots=True)
class SliceProgress:
    """One slice of the schedule.

    Not made by hand: they are the ``schedule`` of an `AlgoProgress`.

    Attributes
    ----------
    number : int
        From 0.
    size : float
        Units or contracts; 0 where the volume profile has no weight.
    due_at : float or None
        Seconds, on the clock of ``on_tick``. None before the first tick, and for an iceberg.
    order_id : str or None
        Its child; None before that was sent.
    filled : float
        What the child has filled.
    status : str
        ``"scheduled"``; ``"due"``, and not sent yet; ``"empty"``, of size 0; else the child's own.

    Examples
    --------
    >>> ex = hz.connect("paper")
    >>> algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
    >>> fills = ex.tick("ACME", 20.0, 0.0)
    >>> fills = ex.tick("ACME", 20.0, 20.0)
    >>> [(piece.number, piece.due_at, piece.status) for piece in algo.progress.schedule]
    [(0, 0.0, 'filled'), (1, 20.0, 'new'), (2, 40.0, 'scheduled')]
    """

    number: int
    size: float
    due_at: float | None
    order_id: str | None
    filled: float
    status: str


@dataclass(frozen=True, slots=True)
class AlgoProgress(Shown):
    """An execution algorithm at one moment: what a progress bar draws.

    Not made by hand: ``algo.progress`` and what `ExecAlgo.subscribe` reports.

    Prices are of the side traded, sizes in units or contracts, times in seconds on the clock of
    ``on_tick``. None is what there is not yet.

    Attributes
    ----------
    id : str
        ``"a1"``, ``"a2"``, … in the order in which the account's algorithms were started.
    kind : str
        ``"TWAP"``, ``"VWAP"`` or ``"Iceberg"``.
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    side : {"buy", "sell"}
    status : str
        As `ExecAlgo.status` says it.
    target : float
        The whole parent.
    filled : float
        What all children have filled.
    planned : float
        What should have been sent by now: the slices that have come due.
    average_price : float or None
        Of what has filled.
    arrival_price : float or None
        At the first tick.
    schedule_vwap : float or None
        The prices at which slices came due, weighted by their sizes.
    slippage_bps : float or None
        What `average_price` is worse than `arrival_price`, in basis points; positive costs money.
    schedule_slippage_bps : float or None
        The same against `schedule_vwap`.
    schedule : tuple of SliceProgress
        Slice by slice; empty in a brief progress.
    children : tuple of str
        Ids of the orders that were sent; empty in a brief progress.
    started_at : float or None
        Time of the first tick.
    time : float or None
        The latest time seen.
    next_slice_at : float or None
        When the next slice is due, or a refused one tried again.
    ends_at : float or None
        When its time is over; None for an iceberg, which has none.
    rejections : dict of str to (int, str)
        Refused children by rule: how many, and the last refusal's words.
    slices, sent : int
        How many slices there are, and how many are done with: sent, or left out as empty.

    Examples
    --------
    >>> ex = hz.connect("paper")
    >>> algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
    >>> fills = ex.tick("ACME", 20.0, 0.0)
    >>> fills = ex.tick("ACME", 20.0, 20.0)
    >>> now = algo.progress
    >>> now.filled, now.planned, now.remaining, now.next_slice_at, now.ends_at
    (10.0, 20.0, 20.0, 40.0, 60.0)
    >>> print(now.to_frame()[["size", "filled", "status"]])
            size  filled     status
    number
    0       10.0    10.0     filled
    1       10.0     0.0        new
    2       10.0     0.0  scheduled
    """

    id: str
    kind: str
    market_id: str
    side: str
    status: str
    target: float
    filled: float
    planned: float
    average_price: float | None
    arrival_price: float | None
    schedule_vwap: float | None
    slippage_bps: float | None
    schedule_slippage_bps: float | None
    schedule: tuple[SliceProgress, ...]
    children: tuple[str, ...]
    started_at: float | None
    time: float | None
    next_slice_at: float | None
    ends_at: float | None
    rejections: dict[str, tuple[int, str]]
    slices: int
    sent: int

    @property
    def remaining(self) -> float:
        """What of the parent has not filled."""
        return self.target - self.filled

    @property
    def fraction(self) -> float:
        """Filled part of the parent, 0 to 1."""
        return self.filled / self.target

    def to_frame(self) -> pd.DataFrame:
        """The schedule as a table, one row a slice; `due_at` in UTC."""
        import pandas as pd

        names = ["number", "size", "due_at", "filled", "status", "order_id"]
        rows = [[getattr(piece, name) for name in names] for piece in self.schedule]
        frame = pd.DataFrame(rows, columns=names).astype({"size": float, "filled": float})
        frame["due_at"] = pd.to_datetime(frame["due_at"].astype(float), unit="s", utc=True)
        return frame.set_index("number")

    @property
    def is_done(self) -> bool:
        """Whether the algorithm has ended, one way or another."""
        return self.status not in ("ready", *RUNNING)

    @property
    def ending(self) -> str | None:
        """Why it has expired with something missing, in words; None unless it has.

        Examples
        --------
        The price leaves the last slice behind, and the time is over:

        >>> ex = hz.connect("paper")
        >>> algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
        >>> for second, price in [(0.0, 20.0), (20.0, 20.0), (40.0, 20.0), (60.0, 20.4)]:
        ...     fills = ex.tick("ACME", price, second)
        >>> algo.progress.ending
        'its time was over at 00:01:00 UTC: slice 3 of 3 had not filled (10)'
        """
        if self.status != "expired":
            return None
        over = f"its time was over at {words.clock(self.ends_at)} UTC"
        lacking = [one for one in self.schedule if one.size - one.filled > rules.SLACK * one.size]
        parts = [
            self._slices([one for one in lacking if one.order_id is not None], "filled"),
            self._slices([one for one in lacking if one.order_id is None], "been sent"),
        ]
        said = "; ".join(part for part in parts if part)
        if not said:  # a brief one does not know which
            return f"{over} with {words.amount(self.remaining)} not filled"
        return f"{over}: {said}"

    def _slices(self, lacking: Sequence[SliceProgress], what: str) -> str:
        missing = words.amount(math.fsum(one.size - one.filled for one in lacking))
        if len(lacking) == 1:
            return f"slice {lacking[0].number + 1:,} of {self.slices:,} had not {what} ({missing})"
        if lacking:
            return f"{len(lacking):,} of {self.slices:,} slices had not {what} ({missing})"
        return ""


def progress_of(
    state: AlgoState,
    orders: Mapping[str, OrderState] | None,
    status: str,
    filled: float,
    planned: float,
    average: float | None,
    clock_ns: int,
) -> AlgoProgress:
    """Build the progress of an algorithm from its record and its children's.

    Without `orders` it has neither schedule nor children.
    """
    arrival = None if math.isnan(state.arrival) else state.arrival
    benchmark = state.benchmark_cost / state.benchmark_size if state.benchmark_size else None
    first = None if state.first_ns == NEVER_NS else state.first_ns
    schedule = () if orders is None else _schedule(state, orders)
    ends_ns = None if first is None or not state.duration_ns else first + state.duration_ns
    return AlgoProgress(
        id=state.id,
        kind=state.kind,
        market_id=state.leg_id,
        side="buy" if state.sign > 0 else "sell",
        status=status,
        target=state.target,
        filled=filled,
        planned=planned,
        average_price=average,
        arrival_price=arrival,
        schedule_vwap=benchmark,
        slippage_bps=_bps(state.sign, average, arrival),
        schedule_slippage_bps=_bps(state.sign, average, benchmark),
        schedule=schedule,
        children=() if orders is None else tuple(state.children),
        started_at=None if first is None else checks.ns_to_seconds(first),
        time=None if clock_ns == NEVER_NS else checks.ns_to_seconds(clock_ns),
        next_slice_at=_next_slice_at(state, status),
        ends_at=None if ends_ns is None else checks.ns_to_seconds(ends_ns),
        rejections={rule: seen[:2] for rule, seen in state.rejections.items()},
        slices=len(state.slices),
        sent=state.sent,
    )


def _schedule(state: AlgoState, orders: Mapping[str, OrderState]) -> tuple[SliceProgress, ...]:
    children = iter(state.children)
    planned = []
    for number, size in enumerate(state.slices):
        order = None
        if number < state.sent and size > 0.0:
            order = orders[next(children)]
        waiting = "empty" if size == 0.0 else "scheduled" if number >= state.due else "due"
        planned.append(
            SliceProgress(
                number=number,
                size=size,
                due_at=_due_at(state, number),
                order_id=None if order is None else order.id,
                filled=0.0 if order is None else order.filled,
                status=waiting if order is None else order.status,
            )
        )
    return tuple(planned)


def _next_slice_at(state: AlgoState, status: str) -> float | None:
    if status not in RUNNING or state.sent >= len(state.slices):
        return None
    if state.sent < state.due:  # refused before: it is tried again
        return checks.ns_to_seconds(state.retry_ns) if state.retry_ns != NEVER_NS else None
    return _due_at(state, state.sent)


def _due_at(state: AlgoState, number: int) -> float | None:
    if not state.duration_ns or state.first_ns == NEVER_NS:
        return None
    return checks.ns_to_seconds(state.first_ns + number * state.duration_ns // len(state.slices))


def _bps(sign: int, price: float | None, against: float | None) -> float | None:
    if price is None or against is None or against == 0.0:
        return None
    return sign * (price / against - 1.0) * 1e4
