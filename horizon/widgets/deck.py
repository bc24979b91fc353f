"""The feed's deck: play, pause, step, stop and speed, with what the feed says of itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from horizon import checks, words
from horizon.errors import HorizonError
from horizon.feeds import Feed
from horizon.widgets.access import client_of, text_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.palette import Palette

__all__ = ["FeedDeck", "feeds_of"]

_SPEEDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, math.inf)


def feeds_of(feed: Feed | Iterable[Feed]) -> tuple[Feed, ...]:
    """Take one feed, or several that play side by side."""
    feeds = (feed,) if isinstance(feed, Feed) else feed
    is_data = isinstance(feeds, (str, bytes, Mapping)) or hasattr(feeds, "columns")
    if is_data or not isinstance(feeds, Iterable):
        raise TypeError(
            f"feed must be a feed such as hz.feeds.Replay(data), was {type(feed).__name__}"
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

    Parameters
    ----------
    ex : ImperativeClient
        What the feeds play to.
    feed : Feed or iterable of Feed
        One feed, or several that play side by side.
    play : bool
        Begin at once.
    palette : str or Palette
    """

    script = ("deck.js",)

    def __init__(
        self,
        ex: object,
        feed: Feed | Iterable[Feed],
        *,
        play: bool = True,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue_of(self._ex)
        self.feeds = feeds_of(feed)
        begins = checks.flag("play", play)
        for one in self.feeds:
            self._require_ours(one)
        self._notice: str | None = None
        # The passes that were begun here and have not ended, each in a task.
        self._passes: dict[Feed, asyncio.Task[Any]] = {}
        # Those of them that begin paused.
        self._held: set[Feed] = set()
        super().__init__(palette=palette)
        if begins:
            self.play()

    # ------------------------------------------------------------------ controls
    def play(self) -> None:
        """Let the feeds play: those that pause go on, those at rest begin at their first row."""
        self._notice = None
        for feed in self.feeds:
            self._require_ours(feed)
            if self._is_begun(feed):
                feed.resume()
            elif feed not in self._passes:
                self._begin(feed)

    def pause(self) -> None:
        """Let the feeds stand still."""
        for feed in self.feeds:
            if self._is_begun(feed):
                feed.pause()
            elif feed in self._passes:
                self._begin(feed, is_paused=True)

    def stop(self) -> None:
        """End the feeds' pass."""
        for feed in self.feeds:
            feed.stop()
            if not self._is_begun(feed) and (task := self._passes.pop(feed, None)) is not None:
                task.cancel()

    def step(self) -> None:
        """Send one row of each feed, and stand still."""
        for feed in self.feeds:
            if self._is_begun(feed):
                feed.step()
            else:
                # Two steps in one turn are two rows of one pass.
                task = self._passes.get(feed)
                if task is None or feed not in self._held:
                    task = self._begin(feed, is_paused=True)
                self._live.start(self._step_into(feed, task), self)

    def _require_ours(self, feed: Feed) -> None:
        """Refuse a feed that is playing to another account: these would be its controls."""
        client = feed.client
        if self._is_begun(feed) and client is not None:
            engine = self._ex.engine
            if client not in (self._ex, engine, engine.venue) and engine is not getattr(
                client, "engine", None
            ):
                raise HorizonError(
                    f"feed {words.name(feed.name)!r} is {feed.status} to another account: stop it "
                    "first"
                )

    @staticmethod
    def _is_begun(feed: Feed) -> bool:
        return feed.status in ("playing", "paused") and not feed.is_stopping

    def _begin(self, feed: Feed, *, is_paused: bool = False) -> asyncio.Task[Any]:
        """Begin a pass in a task; one that has not taken its first step yet is begun anew."""
        former = self._passes.get(feed)
        if former is not None:
            former.cancel()
        (self._held.add if is_paused else self._held.discard)(feed)
        task = self._live.start(self._pass(feed, is_paused), self)
        self._passes[feed] = task

        def forget(ended: asyncio.Task[Any]) -> None:
            if self._passes.get(feed) is ended:
                del self._passes[feed]

        task.add_done_callback(forget)
        return task

    async def _pass(self, feed: Feed, is_paused: bool) -> None:
        while feed.is_stopping:  # a former pass, of this deck or of the one before it
            await asyncio.sleep(0.005)
        await feed.play(self._ex, paused=is_paused)

    async def _step_into(self, feed: Feed, task: asyncio.Task[Any]) -> None:
        while not self._is_begun(feed) and not task.done():
            await asyncio.sleep(0)
        if not task.done():
            feed.step()

    async def done(self) -> None:
        """Wait until the feeds that were begun here have ended; raises what one of them raised."""
        for task in list(self._passes.values()):
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def verbs(self) -> dict[str, Verb]:
        """Play, pause, step, stop, speed."""
        return {
            "play": lambda _: self.play(),
            "pause": lambda _: self.pause(),
            "step": lambda _: self.step(),
            "stop": lambda _: self.stop(),
            "speed": self._set_speed,
        }

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
        status = (playing or under_way or states)[0].status
        sent = sum(state.position for state in states)
        totals = [state.total for state in states if state.total is not None]
        total = sum(totals) if len(totals) == len(states) else None
        times = [state.time for state in states if state.time is not None]
        rows = f"{sent:,} rows" if total is None else f"{sent:,} of {total:,} rows"
        market_time = f", market time {words.clock(max(times), date=True)} UTC" if times else ""
        names = ", ".join(words.name(feed.name) for feed in self.feeds[:3])
        more = f" and {len(self.feeds) - 3} more" if len(self.feeds) > 3 else ""
        is_playing, is_on = bool(playing), bool(under_way)
        return {
            "name": "Feed",
            "what": f"Feed {names}{more}",
            "status": f"{status}: {rows}{market_time}",
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
