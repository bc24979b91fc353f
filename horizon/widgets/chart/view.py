"""Which stretch of time a chart shows: the latest, or one that stands still."""

from __future__ import annotations

import math
from typing import Any, Final

from horizon import checks, words

__all__ = ["SPANS", "View"]

#: Stretches of time to choose from, in seconds.
SPANS: Final = (
    ("60", "1 min"),
    ("300", "5 min"),
    ("900", "15 min"),
    ("3600", "1 h"),
    ("86400", "1 d"),
    ("all", "all"),
)
#: The shortest stretch, in seconds: below it the axis would have no marks to tell it by.
_LEAST: Final = 0.01


class View:
    """A stretch of time: its length, and whether it follows the latest price.

    Attributes
    ----------
    span : str
        One of `SPANS`, or ``"own"`` for a length that was zoomed to.
    """

    def __init__(self) -> None:
        self.span = "all"
        self._seconds: float | None = None
        self._end: float | None = None

    @property
    def follows(self) -> bool:
        """Whether its end is the latest price."""
        return self._end is None

    @property
    def spans(self) -> list[list[str]]:
        """The lengths to choose from, with the one that was zoomed to."""
        listed = [list(span) for span in SPANS]
        if self.span == "own" and self._seconds is not None:
            # Not rounded up, as a time that is left would be.
            length = self._seconds
            said = words.duration(length if length < 1.0 else math.floor(length + 0.5))
            listed.append(["own", f"zoomed: {said}"])
        return listed

    def between(self, first: float, latest: float) -> tuple[float, float]:
        """Return start and end in seconds, for a line from `first` to `latest`."""
        end = latest if self._end is None else self._end
        if self._seconds is None:
            return first, max(end, first)
        start = end - self._seconds
        return (max(start, first) if self.follows else start), end

    def choose(self, span: str) -> None:
        """Take one of the lengths; the end stays where it is."""
        if span not in dict(SPANS):
            raise ValueError(f"span must be one of {', '.join(dict(SPANS))}, was {span!r}")
        self.span = span
        self._seconds = None if span == "all" else float(span)
        if self._seconds is None:
            self._end = None  # all there is goes to the latest

    def follow(self, follows: bool, first: float, latest: float) -> None:
        """Follow the latest price, or stand still where it is now."""
        self._end = None if follows else self.between(first, latest)[1]

    def zoom(self, factor: Any, at: Any, first: float, latest: float) -> None:
        """Make the stretch so many times as long; of its length, the point at `at` stays.

        One that follows the latest price goes on doing so: its end stays, wherever `at` is.
        """
        times = checks.positive("factor", factor)
        share = checks.number("at", at)
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"at must lie in [0, 1], was {share:g}")
        start, end = self.between(first, latest)
        whole = max(latest - first, _LEAST)
        length = max((end - start) * times, _LEAST)
        if length >= whole:
            self.choose("all")
            return
        self.span, self._seconds = "own", length
        if not self.follows:
            stays = start + share * (end - start)
            self._end = min(max(stays + (1.0 - share) * length, first + length), latest)

    def move(self, start: Any, first: float, latest: float) -> None:
        """Begin elsewhere, over the line; at its end it follows the latest price again."""
        begins = checks.number("start", start)
        former, end = self.between(first, latest)
        length = end - former
        end = max(begins + length, first + length)
        self._end = None if end >= latest else end
