"""A clock for stamps: right at its start, and steady from then on."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

__all__ = ["steady_clock"]


if hasattr(time, "CLOCK_BOOTTIME"):
    # Where a laptop's lid is closed, Linux stops its monotonic clock, and this one goes on.
    _elapsed_ns: Callable[[], int] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
else:
    _elapsed_ns = time.monotonic_ns


def steady_clock(
    wall: Callable[[], int] = time.time_ns, elapsed: Callable[[], int] = _elapsed_ns
) -> Callable[[], int]:
    """Return a clock of nanoseconds since 1970 (UTC) that never jumps and never goes back.

    The wall clock is read once, here; the rest is counted. A system clock that is set, or that
    a time server corrects, moves no stamp, makes no feed stale and ends no wait.

    Parameters
    ----------
    wall, elapsed : callable
        Where the start and the time since come from, in nanoseconds.

    Examples
    --------
    >>> now_ns = steady_clock()
    >>> now_ns() <= now_ns()
    True
    """
    offset = wall() - elapsed()

    def now_ns() -> int:
        return offset + elapsed()

    return now_ns
