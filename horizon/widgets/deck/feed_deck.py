"""The feed's deck: play, pause, step, jump, stop and speed, with what the feed says of itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.errors import HorizonError
from horizon.feeds import Feed
from horizon.widgets.access import client_of, text_of, venue_of
from horizon.widgets.deck.passes import Passes
from horizon.widgets.deck.track import Track, goals_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.live import Live
from horizon.widgets.palette import Palette

__all__ = ["FeedDeck", "feeds_of"]

_SPEEDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, math.inf)
#: Rows of one step, at most.
_STEPS: Final = 1_000_000
_AGAIN: Final = (
    "Began again at the first row. The account keeps its cash, orders, fills and positions; for a "
    "fresh one, run the cell that makes it."
)
#: The same where there are no cells.
_AGAIN_ON_PAGE: Final = _AGAIN.replace("run the cell that makes it", "load this page again")


def feeds_of(feed: Feed | Iterable[Feed]) -> tuple[Feed, ...]:
    """Take one feed, or several that play side by side."""
    feeds = (feed,) if isinstance(feed, Feed) else feed
    is_data = isinstance(feeds, (str, bytes, Mapping)) or hasattr(feeds, "columns")
    if is_data or not isinstance(feeds, Iterable):
        raise TypeError(
            f"feed must be a feed such as hz.feeds.Replay(data), was {checks.show(feed)}"
        )
    feeds = tuple(feeds)
    for one in feeds:
        if not isinstance(one, Feed):
            raise TypeError(f"feed must hold feeds such as hz.feeds.Replay, has {checks.show(one)}")
    if not feeds or len(set(map(id, feeds))) < len(feeds):
        raise ValueError("feed must hold one feed or more, each once")
    return feeds


class FeedDeck(Face):
    """Controls of the feeds that play to a client.

    A slider shows where in the data they are, and jumps ahead: what lies between is played at
    full speed, with every row and nothing left out. Nothing goes back, since an account cannot
    take back what it has done; a restart begins at the first row, with the account as it is.

    Parameters
    ----------
    ex : ImperativeClient
        What the feeds play to.
    feed : Feed or iterable of Feed
        One feed, or several that play side by side.
    play : bool
        Begin at once.
    loop : bool
        Begin again whenever all feeds have come to their end.
    palette : str or Palette

    Notes
    -----
    On the page, the space bar plays and pauses, and the full stop steps, wherever no field or
    button has the focus.

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> ticks = pd.DataFrame({"timestamp": [0, 1, 2], "price": [0.4, 0.5, 0.6]})
    >>> deck = hz.widgets.FeedDeck(ex, hz.feeds.Replay(ticks, market_id="RAIN"), play=False)
    >>> deck.shown["status"]
    'idle: 0 of 3 rows'
    >>> deck.step(2)  # two rows, as soon as the cell has ended
    >>> deck.close()
    """

    script = ("deck.js",)
    style = ("deck.css",)
    private: ClassVar[frozenset[str]] = frozenset({"point"})

    def __init__(
        self,
        ex: object,
        feed: Feed | Iterable[Feed],
        *,
        play: bool = True,
        loop: bool = False,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue_of(self._ex)
        self.feeds = feeds_of(feed)
        begins = checks.flag("play", play)
        loops = checks.flag("loop", loop)
        self._track = Track(self.feeds)
        # A place of the slider that a page has asked about.
        self._pointed: list[Any] = []
        self._notice: str | None = None
        self._passes = Passes(self._ex, self.feeds, Live.here(), self, loops=loops)
        self._passes.require_ours()
        super().__init__(palette=palette)
        if begins:
            self.play()

    # ------------------------------------------------------------------ controls
    def play(self) -> None:
        """Let the feeds play: those that pause go on, those at rest begin at their first row."""
        self._notice = None
        self._passes.play()

    def pause(self) -> None:
        """Let the feeds stand still."""
        self._passes.pause()

    def stop(self) -> None:
        """End the feeds' pass."""
        self._passes.stop()

    def step(self, n: int = 1) -> None:
        """Send the next `n` rows of each feed, and stand still.

        Raises
        ------
        TypeError, ValueError
            If `n` is not a whole number from 1 to a million.
        """
        count = checks.integer("n", n)
        if count > _STEPS:
            raise ValueError(f"n must be at most {_STEPS:,} rows, was {count:,}")
        self._passes.step(count)

    def jump(self, to: str) -> None:
        """Jump ahead in the data; feeds at rest begin, and stand still there.

        All rows on the way are played, as fast as the account takes them. Feeds that play go on
        from there, those that pause stand still there. Several feeds stay beside each other.

        Parameters
        ----------
        to : str
            A row (``"1500"``), rows ahead (``"+500 rows"``), time ahead (``"+1h30m"``), a share
            of the data (``"50%"``), a time of day (``"14:30"``: the next), or a date and time
            (``"2026-03-04 14:30"``). Times are the data's own, in UTC; those of a feed that
            does not know its rows before they play are the account's.

        Raises
        ------
        ValueError
            If it is none of these, or lies beyond the data.
        HorizonError
            If it lies behind: `restart` begins again at the first row.
        """
        feeds = self._passes.movable()
        goals = goals_of(checks.text("to", to), feeds)
        self._passes.go(dict(zip(feeds, goals, strict=True)))
        self._notice = None

    def restart(self) -> None:
        """Begin again at the first row: playing, if a feed plays, else standing still.

        The account keeps its cash, orders, fills and positions.
        """
        self._passes.restart()
        self._notice = _AGAIN

    @property
    def loops(self) -> bool:
        """Whether the feeds begin again when all have come to their end; may be set."""
        return self._passes.loops

    @loops.setter
    def loops(self, loops: bool) -> None:
        self._passes.loops = checks.flag("loops", loops)

    async def done(self) -> None:
        """Wait until the feeds that were begun here have ended; raises what one of them raised.

        In a loop they do not end by themselves.
        """
        await self._passes.done()

    # ------------------------------------------------------------------ verbs
    def verbs(self) -> dict[str, Verb]:
        """Play, pause, step, jump, stop, begin again, loop, speed."""
        return {
            "play": lambda _: self.play(),
            "pause": lambda _: self.pause(),
            "step": self._step_rows,
            "stop": lambda _: self.stop(),
            "restart": lambda _: self.restart(),
            "loop": self._set_loop,
            "jump": lambda given: self.jump(text_of(given, "to").strip()),
            "go": self._go_to,
            "point": self._point,
            "speed": self._set_speed,
        }

    def _set_loop(self, arguments: Mapping[str, Any]) -> None:
        self.loops = checks.flag("loops", arguments.get("loops"))

    def _step_rows(self, arguments: Mapping[str, Any]) -> None:
        if "rows" not in arguments:
            self.step()
            return
        text = text_of(arguments, "rows").strip().replace(",", "")
        if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:12]) <= _STEPS:
            raise ValueError(
                f"rows must be a whole number from 1 to {_STEPS:,}, was {words.name(text)!r}"
            )
        self.step(int(text))

    def _place_of(self, arguments: Mapping[str, Any]) -> int:
        end = self._track.end
        if end is None:
            raise HorizonError("these feeds have no line to jump on: give a row or a time")
        place = checks.integer("place", arguments.get("place"), least=0)
        if place > end:
            raise ValueError(f"place must be at most {end:,}, was {place:,}")
        return place

    def _go_to(self, arguments: Mapping[str, Any]) -> None:
        goals = zip(self.feeds, self._track.goals(self._place_of(arguments)), strict=True)
        feeds = self._passes.movable()
        self._passes.go({feed: goal for feed, goal in goals if feed in feeds})
        self._notice = None

    def _point(self, arguments: Mapping[str, Any]) -> None:
        place = self._place_of(arguments)
        self._pointed = [place, self._track.words(place)]

    def _set_speed(self, arguments: Mapping[str, Any]) -> None:
        asked = text_of(arguments, "speed")
        known = {_speed_id(speed): speed for speed in self._speeds()}
        if asked not in known:
            raise ValueError(f"speed must be one of {', '.join(known)}, was {asked!r}")
        for feed in self.feeds:
            feed.speed = known[asked]

    def _speeds(self) -> list[float]:
        return sorted({*_SPEEDS, *(feed.speed for feed in self.feeds)})

    def out_of_sight(self) -> None:
        """Stop the feeds when nobody sees them any more."""
        if any(feed.status in ("playing", "paused") for feed in self.feeds):
            self._notice = "Stopped, because its output was closed. Play begins at the first row."
        self.stop()
        super().out_of_sight()

    def release(self, reason: str) -> None:
        """Stop the feeds that were started here, then end for good."""
        if not self.ended and self._passes:
            self.stop()
            self.shown = {**self.shown, "status": "stopped"}
        super().release(reason)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """Status, position, time and speed of the feeds, and the buttons that make sense."""
        states = [feed.progress for feed in self.feeds]
        first = states[0]
        playing = [state for state in states if state.status == "playing"]
        under_way = [state for state in states if state.status in ("playing", "paused")]
        status: str = (playing or under_way or states)[0].status
        if any(feed.is_seeking for feed in self.feeds):
            status = "jumping"
        sent = sum(state.position for state in states)
        totals = [state.total for state in states if state.total is not None]
        total = sum(totals) if len(totals) == len(states) else None
        times = [state.time for state in states if state.time is not None]
        rows = f"{sent:,} rows" if total is None else f"{sent:,} of {total:,} rows"
        market_time = f"market time {words.clock(max(times), date=True)} UTC" if times else ""
        names = ", ".join(words.name(feed.name) for feed in self.feeds[:3])
        more = f" and {len(self.feeds) - 3} more" if len(self.feeds) > 3 else ""
        is_playing, is_on = bool(playing), bool(under_way)
        return {
            "name": "Feed",
            "what": f"Feed {names}{more}",
            "status": f"{status}: {rows}",
            "time": market_time,
            "bar": None
            if not total
            else {
                "name": f"Rows sent of feed {names}",
                "percent": min(99.9, round(100.0 * sent / total, 1)) if sent < total else 100,
                "words": rows,
            },
            "actions": [
                _action("pause" if is_playing else "play", True, again=bool(sent) and not is_on),
                _action("step", not is_playing),
                _action("stop", is_on),
            ],
            "speeds": [[_speed_id(speed), _speed_words(speed)] for speed in self._speeds()],
            "speed": _speed_id(first.speed),
            "notice": self._notice,
            "page_notice": _AGAIN_ON_PAGE if self._notice == _AGAIN else self._notice,
            "track": self._line(),
            "pointed": self._pointed,
            "loops": self.loops,
            "restart": {
                **_action("restart", is_on or bool(sent)),
                "name": "Begin again at the first row; the account keeps its orders, fills and "
                "positions",
            },
        }

    def _line(self) -> dict[str, Any] | None:
        """Where in the data the feeds are, for the slider; None where there is no line."""
        end = self._track.end
        if end is None:
            return None
        place = min(self._track.place, end)
        return {
            "name": "Where in the data it is; move it ahead to jump",
            "end": end,
            "place": place,
            "words": self._track.words(place),
            "here": self._track.here,
            "step": max(1, end // 1_000),
        }


def _speed_id(speed: float) -> str:
    return "max" if speed == math.inf else f"{speed:g}"


def _speed_words(speed: float) -> str:
    return "as fast as possible" if speed == math.inf else f"{speed:,g}×"


def _action(verb: str, is_on: bool, *, again: bool = False) -> dict[str, Any]:
    return {
        "do": verb,
        "id": "",
        "label": "Play again" if again else verb.capitalize(),
        "name": "Play the feed again from its first row"
        if again
        else f"{verb.capitalize()} the feed",
        "off": not is_on,
    }
