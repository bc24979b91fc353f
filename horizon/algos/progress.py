"""An execution algorithm's progress as frozen numbers: what is told and drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.types import Shown
from horizon.venues.records import NEVER_NS, AlgoState, OrderState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RUNNING", "AlgoProgress", "SliceProgress", "progress_of"]

#: The statuses of an algorithm that may still send orders.
RUNNING: Final = ("running", "paused")


@dataclass(frozen=True, slots=True)
class SliceProgress:
    """One slice of the schedule. `due_at` is on the clock of `ExecAlgo.on_tick`."""

    number: int
    size: float
    due_at: float | None
    order_id: str | None
    filled: float
    status: str


@dataclass(frozen=True, slots=True)
class AlgoProgress(Shown):
    """An execution algorithm at one moment: what a progress bar draws.

    Prices are of the side traded. Slippage is in basis points, positive where it cost money:
    against the price at the algorithm's first tick (`slippage_bps`), and against the prices at
    which its slices came due, weighted by their sizes (`schedule_slippage_bps`). None is what
    there is not yet.
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
