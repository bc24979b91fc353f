"""The figures that a face holds: made beside the event loop, the newest wish wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Final

from horizon.widgets import sections
from horizon.widgets.face import Face
from horizon.widgets.job import Job
from horizon.widgets.live import Live, words_of
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.sections import Section

__all__ = ["Drawings"]

#: How many times as long as a drawing takes nothing is drawn after it.
_AT_EASE: Final = 10.0


class _Place:
    """A place: what is wanted there, and what has come of it."""

    def __init__(self) -> None:
        self.wanted: Hashable = None
        self.job: Job[Any] | None = None
        self.wrong = ""
        #: When the last drawing was over, and how long it had taken; by the monotonic clock.
        self.drawn_at = -1e9
        self.took = 0.0


class Drawings:
    """The figures that a face holds, by their places.

    A figure takes a tenth of a second and more to make; that is done in a thread, and the one
    before it stays until then.

    Parameters
    ----------
    face : Face
    live : Live
    """

    def __init__(self, face: Face, live: Live) -> None:
        self._face = face
        self._live = live
        self._places: dict[str, _Place] = {}

    def want(self, place: str, key: Hashable, make: Callable[[], Any]) -> None:
        """Have a figure made for a place, unless one of this key is there or on its way."""
        own = self._places.setdefault(place, _Place())
        if own.wanted == key:
            return
        self._cancel(own)
        own.wanted = key
        own.job = Job(self._live, self._face, lambda _: make(), partial(self._made, place))

    def _made(self, place: str, job: Job[Any]) -> None:
        own = self._places.get(place)
        if own is None or own.job is not job or self._face.ended:
            return  # another is wanted by now
        own.took, own.drawn_at, own.wrong, own.job = job.seconds, time.monotonic(), "", None
        former = self._face.parts.get(place)
        if job.state == "failed":
            assert job.error is not None
            own.wrong = f"No figure: {words_of(job.error)}"
            self._face.hold(place, None)
        elif isinstance(former, LiveFigure):
            former.show(job.result)
        else:
            self._face.hold(place, LiveFigure(job.result))
        self._live.paint(self._face)

    def is_at_ease(self, place: str, least: float, most: float) -> bool:
        """Whether nothing is being made, and the last drawing is some seconds ago.

        Ten times as long as it has taken, though within these bounds.
        """
        own = self._places.get(place)
        if own is None:
            return True
        rest = min(max(least, _AT_EASE * own.took), most)
        return own.job is None and time.monotonic() - own.drawn_at >= rest

    def section(self, place: str) -> Section:
        """What the page draws of a place."""
        own = self._places.get(place)
        if own is None:
            return sections.figure(place, busy="Drawing …")
        # While another is made, the one before it is there to be looked at.
        is_empty = own.job is not None and place not in self._face.parts
        return sections.figure(place, busy="Drawing …" if is_empty else "", wrong=own.wrong)

    def drop(self, place: str) -> None:
        """Empty a place."""
        own = self._places.pop(place, None)
        if own is not None:
            self._cancel(own)
        self._face.hold(place, None)

    def end(self) -> None:
        """Want nothing any more."""
        for own in self._places.values():
            self._cancel(own)

    @staticmethod
    def _cancel(own: _Place) -> None:
        if own.job is not None:
            own.job.cancel()
            own.job = None
