"""Where a jump through a feed ends: arithmetic alone, as the pace is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from horizon import checks
from horizon.feeds.times import stamp_text

__all__ = ["Goal", "goal_of"]


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a jump ends: after so many rows, at a time, or so long after the first row."""

    row: int | None = None
    at_ns: int | None = None
    span_ns: int | None = None

    def time_ns(self, first_ns: int | None) -> int | None:
        """The time of the goal as the client sees it; None for a row, or before the first."""
        if self.span_ns is not None:
            return None if first_ns is None else first_ns + self.span_ns
        return self.at_ns

    def is_ahead(self, position: int, first_ns: int | None, market_ns: int) -> bool:
        """Whether the row at `position`, whose time is `market_ns`, is on the way to it."""
        if self.row is not None:  # as many rows as that, so the row of that number is the next
            return position < self.row
        at_ns = self.time_ns(first_ns)
        assert at_ns is not None  # a goal has a row or a time
        return market_ns <= at_ns

    def behind(self, position: int, first_ns: int | None, last_ns: int | None) -> str:
        """Say how the goal lies behind where a pass is; empty if it does not."""
        if self.row is not None:
            if self.row >= position:
                return ""
            return f"row {self.row:,} lies behind row {position:,}, where it is"
        at_ns = self.time_ns(first_ns)
        if last_ns is None or at_ns is None or at_ns >= last_ns:
            return ""
        return f"{stamp_text(at_ns)} lies behind {stamp_text(last_ns)}, where it is"


def goal_of(row: int | None, to: object) -> Goal:
    """Take the goal of a jump: a number of rows, or a time; a timedelta counts from the first row.

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or if both or neither are given.
    """
    if (row is None) == (to is None):
        raise TypeError("seek() needs row= or to=, one of the two")
    if row is not None:
        return Goal(row=checks.integer("row", row, least=0))
    if isinstance(to, timedelta):
        if to < timedelta(0):
            raise ValueError(f"to must not be a negative timedelta, was {to}")
        return Goal(span_ns=to // timedelta(microseconds=1) * 1_000)
    return Goal(at_ns=checks.timestamp_ns("to", to))
