"""Times on their way out: from a feed's own nanoseconds to what the client gets."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from horizon import checks

__all__ = ["Shift", "stamp_text"]

_NS = 1_000_000_000


def stamp_text(ns: int) -> str:
    """Nanoseconds since 1970 as ISO text in UTC, without idle zeros."""
    text = str(np.datetime64(ns, "ns"))
    whole, _, broken = text.partition(".")
    broken = broken.rstrip("0")
    return f"{whole}.{broken}Z" if broken else f"{whole}Z"


class Shift:
    """Where a pass puts its rows in time, and where it ends.

    Parameters
    ----------
    present : float or None
        The client's time, in seconds, that the first row is moved to; None moves nothing.
    until : float, datetime, timedelta or None
        Last time to send, as the client sees it; a timedelta counts from the first row.
    """

    __slots__ = ("_limit_ns", "_offset_ns", "_present_ns", "_span")

    def __init__(self, present: float | None, until: object) -> None:
        self._present_ns = None if present is None else _present_ns(present)
        self._span = until if isinstance(until, timedelta) else None
        self._limit_ns: int | None = None
        if until is not None and self._span is None:
            self._limit_ns = checks.timestamp_ns("until", until)
        if self._span is not None and self._span < timedelta(0):
            raise ValueError(f"until must not be a negative timedelta, was {self._span}")
        self._offset_ns: int | None = None

    def begin(self, first_ns: int) -> None:
        """Take the feed's first time, which everything else hangs on."""
        self._offset_ns = 0 if self._present_ns is None else self._present_ns - first_ns
        first = first_ns + self._offset_ns
        if self._span is not None:
            self._limit_ns = first + self._span // timedelta(microseconds=1) * 1000
        elif self._limit_ns is not None and self._limit_ns < first:
            raise ValueError(
                f"until must not be before the first row at {stamp_text(first)}, was "
                f"{stamp_text(self._limit_ns)}; a timedelta counts from the first row"
            )

    def move(self, times_ns: Sequence[int]) -> tuple[list[int], list[float | np.datetime64], bool]:
        """Move the times of a batch.

        Returns
        -------
        list of int
            Nanoseconds as the client is to see them, without what comes after the end.
        list of float or numpy.datetime64
            The same, as ``ex.tick`` takes them.
        bool
            Whether the end was reached.
        """
        assert self._offset_ns is not None  # begin() came first
        moved = np.asarray(times_ns, dtype=np.int64) + self._offset_ns
        as_list: list[int] = moved.tolist()
        is_end = self._limit_ns is not None and as_list[-1] > self._limit_ns
        if self._limit_ns is not None and is_end:
            keep = bisect_right(as_list, self._limit_ns)
            as_list, moved = as_list[:keep], moved[:keep]
        stamps: list[float | np.datetime64] = [ns / _NS for ns in as_list]
        if self._present_ns is None:
            # The data's own times must not collapse: today a float second resolves 0.24 µs.
            for i in np.flatnonzero(_seconds_to_ns(np.array(stamps, dtype=float)) != moved):
                stamps[i] = np.datetime64(as_list[i], "ns")
        return as_list, stamps, is_end


def _present_ns(present: float) -> int:
    """The client's time in nanoseconds, not before any that `present` may stand for."""
    ns = checks.timestamp_ns("ex.time", present)
    # A client that divides its nanoseconds by a float rounds twice, and may show the float
    # just below the one it was given. A row there would lie before its market's last tick.
    later = checks.timestamp_ns("ex.time", math.nextafter(present, math.inf))
    return later if later / 1e9 == present else ns


def _seconds_to_ns(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole and broken seconds apart: the product with 1e9 would lose up to 128 ns today."""
    whole = np.trunc(seconds)
    broken = np.rint((seconds - whole) * 1e9).astype(np.int64)
    ns: NDArray[np.int64] = whole.astype(np.int64) * _NS + broken
    return ns
