"""Who has not been heard of for too long."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

__all__ = ["NEVER", "Watch"]

#: Later than any time.
NEVER: Final = 2**63 - 1


class Watch:
    """Deadlines of feeds, all of them the same time after a feed's last row.

    Since one threshold holds for all, the feed heard of longest ago is the next to be stale: the
    order in which they were heard is the order of their deadlines.

    Parameters
    ----------
    threshold_ns : int or None
        None watches nobody; a feed can then be lost, and is never late.
    """

    __slots__ = ("_heard", "_lost", "_threshold_ns", "before_ns")

    def __init__(self, threshold_ns: int | None) -> None:
        self._threshold_ns = threshold_ns
        self._heard: OrderedDict[int, int] = OrderedDict()
        #: The lost ones, with when they were last heard of.
        self._lost: dict[int, int] = {}
        #: Nobody is stale before this time; `next_ns` says when exactly.
        self.before_ns = NEVER

    def hear(self, number: int, now_ns: int) -> None:
        """Note a row of a feed."""
        heard = self._heard
        if number in heard:
            heard[number] = now_ns
            heard.move_to_end(number)
            return
        heard[number] = now_ns
        self._lost.pop(number, None)
        if self._threshold_ns is not None:
            self.before_ns = min(self.before_ns, now_ns + self._threshold_ns)

    def lose(self, number: int) -> bool:
        """Note that a feed is lost; return whether it was known until now."""
        heard_ns = self._heard.pop(number, None)
        if heard_ns is None:
            return False
        self._lost[number] = heard_ns
        return True

    def heard_ns(self, number: int) -> int | None:
        """When a feed was last heard of, lost or not; None if it never was."""
        heard_ns = self._heard.get(number)
        return self._lost.get(number) if heard_ns is None else heard_ns

    @property
    def next_ns(self) -> int:
        """When the next feed is stale: just after the last moment that would be in time."""
        next_ns = NEVER
        if self._threshold_ns is not None and self._heard:
            next_ns = next(iter(self._heard.values())) + self._threshold_ns + 1
        self.before_ns = next_ns
        return next_ns

    def late(self, now_ns: int) -> list[int]:
        """Return the feeds that are stale at a time, in order of their numbers."""
        if self._threshold_ns is None:
            return []
        latest = now_ns - self._threshold_ns - 1
        found = []
        for number, heard_ns in self._heard.items():
            if heard_ns > latest:
                break
            found.append(number)
        return sorted(found)

    @property
    def heard(self) -> list[int]:
        """The feeds of which something is known, in order of their numbers."""
        return sorted(self._heard)

    @property
    def lost(self) -> list[int]:
        """The feeds that had a row, and are lost, in order of their numbers."""
        return sorted(self._lost)
