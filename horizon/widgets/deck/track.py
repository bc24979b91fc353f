"""Where feeds are in their data, and where a reader wants them to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from horizon import checks, words
from horizon.errors import HorizonError
from horizon.feeds import Feed
from horizon.feeds.times import stamp_text

__all__ = ["Goal", "Track", "goals_of"]

_NS: Final = 1_000_000_000
_DAY: Final = 86_400 * _NS
#: Places of the slider where feeds play side by side.
_PLACES: Final = 1_000
_AHEAD: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII)
_UNITS: Final = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?", re.ASCII)
_ROWS: Final = re.compile(r"(?:rows?\s*)?(\d[\d,]*)", re.ASCII | re.IGNORECASE)
_MORE_ROWS: Final = re.compile(r"\+\s*(\d[\d,]*)\s*rows?", re.ASCII | re.IGNORECASE)
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
_ACCEPTED: Final = (
    "a row (1500), rows ahead (+500 rows), time ahead (+5m, +1h30m), a share of the data (50%), a "
    "time of day (14:30) or a date and time (2026-03-04 14:30), in UTC"
)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a feed is to jump: to a row, or else to a time as the client sees it."""

    row: int | None = None
    to: float | None = None

    def send(self, feed: Feed) -> None:
        """Let a feed jump there."""
        feed.seek(row=self.row, to=self.to)


class Track:
    """The feeds of a deck as one line from their first rows to their last.

    One feed is measured in rows; several in a thousand parts of the time of the longest. Feeds
    without end, or that do not know their times, have no such line.

    Parameters
    ----------
    feeds : sequence of Feed
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds
        self._spans = [_span(feed) for feed in feeds]

    @property
    def end(self) -> int | None:
        """The last place; None where there is no line."""
        if len(self._feeds) == 1:
            return self._feeds[0].total or None
        return _PLACES if all(span is not None for span in self._spans) else None

    @property
    def place(self) -> int:
        """Where the feeds are: of several, the one that is furthest."""
        if len(self._feeds) == 1:
            return self._feeds[0].position
        longest = self._longest()
        passed = 0
        for feed, span in zip(self._feeds, self._spans, strict=True):
            now = _data_time(feed)
            if span is not None and now is not None and feed.position:
                passed = max(passed, now - span[0])
        return min(passed * _PLACES // longest, _PLACES) if longest else _PLACES * bool(passed)

    @property
    def here(self) -> str:
        """Say the time in the data where the feeds are; empty where it is not known."""
        if len(self._feeds) > 1:
            return self.words(self.place)
        at = _data_time(self._feeds[0])
        return "" if at is None else f"{_stamp(at)} in the data"

    def words(self, place: int) -> str:
        """Say what stands at a place."""
        if len(self._feeds) == 1:
            feed = self._feeds[0]
            at = feed.time_at(max(place - 1, 0))
            when = "" if at is None else f", {_stamp(at)} in the data"
            return f"row {place:,} of {feed.total:,}{when}"
        after = self._longest() * place // _PLACES
        return f"{words.duration(after // _NS)} of {words.duration(self._longest() // _NS)}"

    def goals(self, place: int) -> list[Goal]:
        """Each feed's row at a place."""
        if len(self._feeds) == 1:
            return [Goal(row=place)]
        after = self._longest() * place // _PLACES
        return [
            Goal(row=feed.row_at(span[0] + after))
            for feed, span in zip(self._feeds, self._spans, strict=True)
            if span is not None
        ]

    def _longest(self) -> int:
        return max((span[1] - span[0] for span in self._spans if span is not None), default=0)


def goals_of(text: str, feeds: Sequence[Feed]) -> list[Goal]:
    """Read where to jump, for each feed.

    Raises
    ------
    ValueError
        If the text says none of the accepted forms, or a point beyond the data.
    HorizonError
        If the feeds cannot tell where that is.
    """
    said = text.strip()
    if match := _MORE_ROWS.fullmatch(said):
        return [Goal(row=_rows(feed, feed.position + _count(match[1]))) for feed in feeds]
    if match := _ROWS.fullmatch(said):
        if len(feeds) > 1:
            raise HorizonError("several feeds play side by side: give a time, not a row")
        return [Goal(row=_rows(feeds[0], _count(match[1])))]
    if match := _SHARE.fullmatch(said):
        track, share = Track(feeds), float(match[1])
        if track.end is None:
            raise HorizonError("a feed that may have no end has no share: give a row or a time")
        if share > 100.0:
            raise ValueError(f"a share of the data must be at most 100%, was {words.name(said)}")
        return track.goals(round(track.end * share / 100.0))
    if said.startswith("+"):
        ahead = _ahead_ns(said[1:])
        return [_ahead(feed, ahead) for feed in feeds]
    if match := _CLOCK.fullmatch(said):
        hours, minutes, seconds = int(match[1]), int(match[2]), float(match[3] or 0)
        if hours > 23 or minutes > 59 or seconds >= 60.0:
            raise ValueError(f"{words.name(said)!r} is no time of day")
        of_day = (hours * 3_600 + minutes * 60) * _NS + round(seconds * 1e9)
        return [_at(feed, _next(feed, of_day)) for feed in feeds]
    try:
        at = checks.timestamp_ns("time", _as_datetime(said))
    except (TypeError, ValueError):
        raise ValueError(f"jump to {_ACCEPTED}; was {words.name(said)!r}") from None
    return [_at(feed, at) for feed in feeds]


def _as_datetime(text: str) -> Any:
    from datetime import UTC, datetime

    if not re.match(r"\d{4}-", text):
        raise ValueError(text)
    when = datetime.fromisoformat(text)
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _count(text: str) -> int:
    return int(text.replace(",", ""))


def _rows(feed: Feed, row: int) -> int:
    if feed.total is not None and row > feed.total:
        raise ValueError(
            f"feed {words.name(feed.name)!r} has {feed.total:,} rows, row {row:,} lies beyond them"
        )
    return row


def _ahead_ns(text: str) -> int:
    parts = _AHEAD.findall(text.lower())
    rest = _AHEAD.sub("", text.lower()).strip()
    if not parts or rest or any(unit not in _UNITS for _, unit in parts):
        raise ValueError(f"jump to {_ACCEPTED}; was {words.name('+' + text)!r}")
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts) * 1e9)


def _data_time(feed: Feed) -> int | None:
    """The data's own time where a feed is; before its first row, that row's."""
    return feed.time_at(max(feed.position - 1, 0))


def _now(feed: Feed) -> int | None:
    """Where a feed is: in its data's time, else as its client sees it."""
    own = _data_time(feed)
    if own is not None or feed.time is None:
        return own
    return checks.timestamp_ns("time", feed.time)


def _ahead(feed: Feed, ahead: int) -> Goal:
    now = _now(feed)
    if now is None:
        raise HorizonError(
            f"feed {words.name(feed.name)!r} does not know its times before it plays: let it play "
            "a row first"
        )
    return _at(feed, now + ahead)


def _next(feed: Feed, of_day: int) -> int:
    """The next time with this clock after where a feed is."""
    now = _now(feed)
    if now is None:
        raise HorizonError(
            f"feed {words.name(feed.name)!r} does not know its times before it plays: give a row"
        )
    at = now // _DAY * _DAY + of_day
    return at if at > now else at + _DAY


def _at(feed: Feed, ns: int) -> Goal:
    """A time in the data, or as the client sees it where the feed knows none of its own."""
    row = feed.row_at(ns)
    if row is None:
        return Goal(to=ns / 1e9)
    span = _span(feed)
    if span is not None and ns > span[1]:
        raise ValueError(
            f"{stamp_text(ns)} lies after the last row of feed {words.name(feed.name)!r}, at "
            f"{stamp_text(span[1])}"
        )
    if row < feed.position:
        own = feed.time_at(feed.position - 1)
        assert own is not None  # it has told its row at a time
        raise HorizonError(
            f"{stamp_text(ns)} lies behind {stamp_text(own)}, where feed "
            f"{words.name(feed.name)!r} is: what was played cannot be taken back. Restart begins "
            "again at the first row"
        )
    return Goal(row=row)


def _span(feed: Feed) -> tuple[int, int] | None:
    """First and last time in a feed's data; None where it does not know them."""
    if not feed.total:
        return None
    first, last = feed.time_at(0), feed.time_at(feed.total - 1)
    return None if first is None or last is None else (first, last)


def _stamp(ns: int) -> str:
    return f"{words.clock(ns / 1e9, date=True)} UTC"
