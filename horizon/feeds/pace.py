"""Market time against wall time: how long until a row is due.

A pace is arithmetic alone. It is told the wall time and never reads a clock, so a test can
walk it through hours in no time.
"""

from __future__ import annotations

import math

from horizon import checks

__all__ = ["Pace", "speed_of"]


def speed_of(name: str, value: object) -> float:
    """Take a speed: market seconds per wall second; None and infinity are without limit."""
    if value is None or (isinstance(value, float) and value == math.inf):
        return math.inf
    return checks.positive(name, value)


class Pace:
    """A pausable market clock of variable speed.

    Parameters
    ----------
    speed : float
        Market seconds per wall second; infinity makes every row due at once.
    is_paused : bool
        Whether to start standing still.

    Notes
    -----
    The clock is a line through an anchor, (wall time, market time). A change of speed, a
    pause and a resume move the anchor to the present first, so that none of them makes the
    market jump.
    """

    __slots__ = ("_market_ns", "_wall", "is_paused", "speed")

    def __init__(self, speed: float, *, is_paused: bool = False) -> None:
        self.speed = speed
        self.is_paused = is_paused
        self._market_ns: int | None = None  # nothing due yet: the first row sets it
        self._wall = 0.0

    @property
    def is_free(self) -> bool:
        """Whether every row is due without asking."""
        return not self.is_paused and self.speed == math.inf

    def set_speed(self, speed: float, wall: float) -> None:
        """Go on at another speed from `wall`, a reading in seconds."""
        self._anchor(wall)
        self.speed = speed

    def pause(self, wall: float) -> None:
        """Stand still from `wall` on."""
        self._anchor(wall)
        self.is_paused = True

    def resume(self, wall: float) -> None:
        """Go on from `wall`: the time spent standing still never happened."""
        self._anchor(wall)
        self.is_paused = False

    def jump(self, market_ns: int, wall: float) -> None:
        """Be at `market_ns` now; a row sent out of turn is followed at its spacing."""
        self._market_ns, self._wall = market_ns, wall

    def delay(self, market_ns: int, wall: float) -> float:
        """Wall seconds until `market_ns` is due; 0.0 or less is now, infinity is paused."""
        if self.is_paused:
            return math.inf
        if self.speed == math.inf:
            return 0.0
        if self._market_ns is None:
            self.jump(market_ns, wall)
            return 0.0
        # Differences of integers first: nanoseconds of today's epoch do not fit a float.
        return (market_ns - self._market_ns) / 1e9 / self.speed - (wall - self._wall)

    def _anchor(self, wall: float) -> None:
        if not self.is_paused:
            if self.speed == math.inf:
                # Nobody counted where the market is: the next row will say so.
                self._market_ns = None
            elif self._market_ns is not None:
                self._market_ns += round((wall - self._wall) * self.speed * 1e9)
        self._wall = wall
