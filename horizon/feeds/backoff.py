"""How long to wait before another attempt."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime

import numpy as np

from horizon import checks

__all__ = ["Backoff", "retry_after"]


class Backoff:
    """Waits that double from attempt to attempt, each drawn evenly from zero to its bound.

    A server that comes back finds its clients spread out over the whole wait, and not all at
    once at its end ("full jitter").

    Parameters
    ----------
    first : float
        Bound of the first wait, in seconds.
    most : float
        Where the bound stops doubling, in seconds.
    rng : numpy.random.Generator, optional
        Where the draws come from; by default each object has its own.

    Raises
    ------
    TypeError, ValueError
        If `first` or `most` is no number above 0, or `most` is below `first`.

    References
    ----------
    Brooker (2015), Exponential Backoff and Jitter, AWS Architecture Blog.

    Examples
    --------
    The bound doubles with each wait, up to the most:

    >>> backoff = hz.feeds.Backoff(first=1.0, most=3.0)
    >>> for attempt in range(3):
    ...     print(backoff.bound, 0.0 <= backoff.wait() <= 3.0)
    1.0 True
    2.0 True
    3.0 True
    """

    __slots__ = ("_attempts", "_first", "_most", "_rng")

    def __init__(
        self, first: float = 0.5, most: float = 30.0, rng: np.random.Generator | None = None
    ) -> None:
        self._first = checks.positive("first", first)
        self._most = checks.positive("most", most)
        if self._most < self._first:
            raise ValueError(f"most must not be below first, {first!r}, was {most!r}")
        self._rng = np.random.default_rng() if rng is None else rng
        self._attempts = 0

    @property
    def bound(self) -> float:
        """Longest that the next wait can be, in seconds."""
        # The exponent stops where any bound is reached: 2.0 ** 1100 would overflow.
        return min(self._most, self._first * 2.0 ** min(self._attempts, 60))

    def wait(self) -> float:
        """Draw the next wait, in seconds."""
        seconds = float(self._rng.uniform(0.0, self.bound))
        self._attempts += 1
        return seconds

    def reset(self) -> None:
        """Begin again with the first bound."""
        self._attempts = 0


def retry_after(value: str | None, now_ns: int) -> float:
    """Seconds to wait as a ``Retry-After`` header asks for; 0.0 without one that can be read.

    Parameters
    ----------
    value : str or None
        Seconds, or a date as HTTP writes it.
    now_ns : int
        The present, in nanoseconds since 1970.
    """
    if value is None:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        if when.tzinfo is None:  # "-0000" in a header means UTC of an unknown place
            when = when.replace(tzinfo=UTC)
        seconds = when.timestamp() - now_ns / 1e9
    # An hour at most: a header is no reason to go to sleep for good.
    return min(max(seconds, 0.0), 3600.0) if math.isfinite(seconds) else 0.0
