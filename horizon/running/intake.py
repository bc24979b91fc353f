"""Rows on their way into the loop: stamped, with what is due before them, recorded and played.

* *Stamps.* A live row has the time at which it was received, and is later than the row or the
  cycle before it. Played rows alone keep their own times.
* *Cycles* lie on a grid that begins with the first row. One that is due is run by a timer, or
  before the first row that is later; one that comes too late to be run before the next is due is
  left out, and counted.
* *Stale* feeds get a row that says so, in the order of time like any other.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from horizon import checks
from horizon.backtesting.loop import Loop
from horizon.backtesting.tape import Event
from horizon.errors import DataError
from horizon.feeds.recording import RecordWriter
from horizon.feeds.times import stamp_text
from horizon.feeds.updates import Levels, Update
from horizon.running.arguments import Plan
from horizon.running.player import PlayedRow
from horizon.running.rows import event_of_fields, event_of_update, stale_event
from horizon.running.sources import Source
from horizon.running.watch import NEVER, Watch
from horizon.venues.book import BookVenue

__all__ = ["Intake", "is_milestone"]

_log = logging.getLogger("horizon.run")

#: Rows between two looks at what is no longer needed.
_TIDY: Final = 16_384
_LARGEST: Final = checks.LARGEST
#: The book of a market of which nothing is known.
_NOTHING: Final[tuple[Levels, Levels]] = (([], []), ([], []))


class Intake:
    """Takes the rows of all feeds, one after another, on the session's thread.

    Parameters
    ----------
    plan : Plan
    loop : Loop
        Where they are played.
    clock : callable
        The present, in nanoseconds.

    Attributes
    ----------
    recorder : RecordWriter or None
        Where rows are written down as they are played.
    messages, refused, overruns : int
        See `RunStatus`.
    first_ns : int or None
        Time of the first row.
    last_ns : int
        The time that rows and cycles have come to.
    end_ns : int
        The last time of a run of some duration.
    is_open : bool
        False before all live feeds are up: of what comes then, the latest of each market counts.
    is_closed : bool
        True once the run is ending: what comes then is not looked at.
    on_end : callable or None
        Called when time has come to `end_ns`.
    on_first : callable or None
        Called at the first row: from then on something is due.
    on_beat : callable or None
        Called now and then while rows are played.
    """

    def __init__(self, plan: Plan, loop: Loop, clock: Callable[[], int]) -> None:
        self._plan = plan
        self._loop = loop
        self._clock = clock
        self.recorder: RecordWriter | None = None
        self._venue = plan.venue if isinstance(plan.venue, BookVenue) else None
        self._is_live = plan.is_live
        #: The markets that each feed prices, and the prices that all of them can have.
        self._priced = [[m for m, of in plan.feed_of.items() if of == name] for name in plan.feeds]
        self._bounds = [_bounds(plan, markets) for markets in self._priced]
        self.watch = Watch(plan.threshold_ns)
        self.messages = self.refused = self.overruns = 0
        self.first_ns: int | None = None
        self.last_ns = 0
        self.end_ns = NEVER
        #: Where cycles were left out: the first of them, in ns, and how many.
        self.left_out: list[tuple[int, int]] = []
        self.is_open = self.is_closed = False
        self.on_end: Callable[[], object] | None = None
        self.on_first: Callable[[], object] | None = None
        self.on_beat: Callable[[], object] | None = None
        self._early: dict[tuple[int, str], tuple[Source, Update]] = {}
        self._steps = 0
        self._has_warned = False
        #: Played rows by feed.
        self._played: Counter[int] = Counter()

    @property
    def cycles(self) -> int:
        """Cycles that were run."""
        interval, first_ns = self._plan.interval_ns, self.first_ns
        if interval is None or first_ns is None:
            return 0
        return (self._loop.next_cycle_ns - first_ns) // interval - self.overruns

    def open(self) -> None:
        """Begin to play, first of all what came before all feeds were up."""
        self.is_open = True
        early, self._early = self._early, {}
        now_ns = self._clock()  # when the run begins, and its cycles with it
        for source, update in sorted(early.values(), key=lambda one: one[1].received_ns):
            self.hear(source, update._replace(received_ns=now_ns))

    # ------------------------------------------------------------------ rows
    def hear(self, source: Source, update: Update) -> None:
        """Take what a live feed says."""
        if self.is_closed:
            return
        if not self.is_open:
            key = (id(source), update.market_id)
            self._early.pop(key, None)
            if not update.is_lost:
                self._early[key] = (source, update)
            return
        numbers = source.route[update.market_id]
        if not numbers:
            return
        ns = update.received_ns
        if ns <= self.last_ns:
            ns = self.last_ns + 1
        watch = self.watch
        if (watch.before_ns < ns and watch.next_ns < ns) or ns > self.end_ns:
            if not self.come_to(ns - 1 if ns <= self.end_ns else ns):
                return
            ns = max(self.last_ns + 1, ns)
        if update.is_lost:
            self.lose(ns, numbers)
            return
        fault = self._fault(numbers, update)
        if fault is not None:
            self._refuse(ns, numbers, source, update, fault)
            return
        try:
            index = self._bring(numbers, update.levels)
        except DataError as error:
            self._refuse(ns, numbers, source, update, str(error))
            return
        self.messages += 1
        if len(numbers) == 1:
            events = [event_of_update(numbers[0], ns, update, index)]
        else:
            events = [event_of_update(number, ns, update, index) for number in numbers]
        self._step(ns, events, update)
        for number in numbers:
            watch.hear(number, ns)

    def _fault(self, numbers: Sequence[int], update: Update) -> str | None:
        """Say what about an update cannot be true of its markets; None where all can.

        What is asked is what a reader of the recording asks. A quote of 0 may stand in data, and
        NaN, which is no value, passes every comparison here.
        """
        _, _, _, price, bid, ask, bid_size, ask_size, volume, _, _ = update
        for number in numbers:
            lowest, highest = self._bounds[number]
            if price < lowest or price > highest or bid > highest or ask > highest:
                return f"no such market can have price {price:g}, bid {bid:g}, ask {ask:g}"
        if bid > ask or bid < 0.0 or ask < 0.0:
            return f"no market can have bid {bid:g} and ask {ask:g}"
        if (
            bid_size < 0.0
            or ask_size < 0.0
            or volume < 0.0
            or bid_size > _LARGEST
            or ask_size > _LARGEST
            or volume > _LARGEST
        ):
            return (
                f"sizes must lie between 0 and 1e15, were {bid_size:g} bid, {ask_size:g} asked, "
                f"{volume:g} traded"
            )
        return None

    def _refuse(
        self, ns: int, numbers: Sequence[int], source: Source, update: Update, why: str
    ) -> None:
        """Leave out what cannot be true of its market: nothing is known of that any more."""
        self.refused += 1
        if is_milestone(self.refused):
            _log.error(
                "%s: a row of %r from feed %r is left out (so far %d): %s",
                self._plan.name,
                update.market_id,
                source.feed.name,
                self.refused,
                why,
            )
        self.lose(ns, numbers)

    def _bring(self, numbers: Sequence[int], levels: tuple[Levels, Levels] | None) -> int | None:
        """Hand a book to the venue; return its number there."""
        if levels is None or self._venue is None:
            return None
        index: int | None = None
        for number in numbers:
            for market in self._priced[number]:
                index = self._venue.bring(market, *levels)
        return index

    def take_rows(self, ns: int, rows: Sequence[PlayedRow]) -> None:
        """Take a step of played rows; without rows, let time come to it."""
        if self.is_closed:
            return
        if self._is_live:
            ns = max(self.last_ns + 1, self._clock())
        if not rows or ns > self.end_ns:
            self.come_to(ns)
            return
        if self.watch.next_ns < ns:
            self.come_to(ns - 1)
            ns = max(ns, self.last_ns + self._is_live)
        events, heard = [], []
        for _, number, fields in rows:
            if fields is not None:
                event = event_of_fields(number, ns, fields)
                self._require_possible(event)
                events.append(event)
                heard.append(number)
            elif self.watch.lose(number):
                events.append(stale_event(number, ns, None))
        if not events:
            return
        self.messages += len(heard)
        self._step(ns, events)
        for number in heard:
            self.watch.hear(number, ns)
            self._played[number] += 1

    def _require_possible(self, event: Event) -> None:
        """Refuse a played row that its market cannot have: the data is wrong, and stays so."""
        number, row, bid, ask, floor, ceiling, _, _ = event
        lowest, highest = self._bounds[number]
        prices = (row[1], bid, ask, floor, ceiling)
        if row[1] < lowest or any(price > highest for price in prices):
            name, markets = self._plan.feeds[number], ", ".join(map(repr, self._priced[number]))
            raise DataError(
                f"feed {name!r}, at {stamp_text(round(row[0] * 1e9))}: prices of {markets} must "
                f"lie between {lowest:g} and {highest:g}, was {row[1]:g} (bid {bid:g}, ask "
                f"{ask:g}); say what it is with markets=[hz.Market(...)]",
                feed=name,
                value=row[1],
            )

    def lose(self, ns: int, numbers: Sequence[int]) -> None:
        """Play that nothing is known of some feeds any more; of those that were known."""
        known = [number for number in numbers if self.watch.lose(number)]
        if known:
            self._play_stale(ns, known)

    def say_goodbye(self, ns: int, *, to_all: bool) -> None:
        """Play that nothing more will be known of any feed; or of those never heard of alone."""
        known = {*self.watch.heard, *self.watch.lost}
        numbers = [n for n in range(len(self._plan.feeds)) if to_all or n not in known]
        for number in numbers:
            self.watch.lose(number)
        if numbers:
            self._play_stale(ns, numbers)

    def _play_stale(self, ns: int, numbers: Sequence[int]) -> None:
        lost = Update("", ns, levels=_NOTHING, is_lost=True)
        events = [stale_event(number, ns, self._bring((number,), _NOTHING)) for number in numbers]
        self._step(ns, events, lost)

    def _step(self, ns: int, events: list[Event], update: Update | None = None) -> None:
        """Play one step, and the cycles before it."""
        if self.first_ns is None:
            self.first_ns = ns
            if self.on_first is not None:
                self.on_first()
        elif self._is_live and self._loop.next_cycle_ns < ns:
            self._run_cycles(ns - 1)
        if self.recorder is not None:
            self._write(ns, events, update)  # first: what then goes wrong can be looked into
        self._loop.play(((ns, events),))
        self.last_ns = ns
        self._steps += 1
        if self._steps % _TIDY == 0:
            self._loop.fair.forget()

    def _write(self, ns: int, events: Sequence[Event], update: Update | None) -> None:
        """Record a step as its rows are played."""
        assert self.recorder is not None
        for number, row, bid, ask, _, _, _, book in events:
            self.recorder.add(
                ns,
                self._plan.feeds[number],
                row.price,
                bid,
                ask,
                row.bid_size,
                row.ask_size,
                row.open,
                row.high,
                row.low,
                row.volume,
                row.is_stale,
                None if update is None else update.exchange_ns,
                None if update is None or book is None else update.levels,
            )

    # ------------------------------------------------------------------ time
    @property
    def due_ns(self) -> int:
        """When something is due beside the rows."""
        due_ns = min(self._loop.next_cycle_ns, self.watch.next_ns, self.end_ns)
        desk = self._loop.desk
        return due_ns if desk is None else min(due_ns, desk.next_expiry_ns)

    @property
    def next_due_ns(self) -> int:
        """When something is due that a player has to wait for: beside live feeds a timer does."""
        return NEVER if self._is_live else self.due_ns

    def beat(self) -> None:
        """Tell who watches."""
        if self.on_beat is not None:
            self.on_beat()

    def come_to(self, now_ns: int) -> bool:
        """Do what is due up to a time, that time included; return whether the run goes on."""
        until_ns = min(now_ns, self.end_ns)
        if self.first_ns is not None:
            while (stale_ns := self.watch.next_ns) <= until_ns:
                numbers = self.watch.late(stale_ns)
                if not self._is_live:
                    self._warn(numbers)
                self.lose(max(stale_ns, self.last_ns + 1), numbers)
            self._run_cycles(until_ns)
        if now_ns > self.end_ns and self.on_end is not None:
            self.on_end()
        return now_ns <= self.end_ns

    def _warn(self, numbers: Sequence[int]) -> None:
        """Say once where played rows are further apart as a rule: bars are, and are not lost."""
        apart = [number for number in numbers if self._played[number] == 1]
        if not apart or self._has_warned:
            return
        self._has_warned = True
        _log.warning(
            "%s: the first rows of played feed %r are further apart than feed_stale_threshold: it "
            "is stale between them, and what was quoted is pulled. For bars give "
            "feed_stale_threshold=None and interval=None",
            self._plan.name,
            self._plan.feeds[apart[0]],
        )

    def _run_cycles(self, until_ns: int) -> None:
        loop, due_ns = self._loop, self._loop.next_cycle_ns
        left_out = loop.come_to(until_ns, skip=self._is_live)
        if left_out:
            self.overruns += left_out
            self.left_out.append((due_ns, left_out))
        # A row after a cycle is later than it.
        if loop.now_ns > self.last_ns:
            self.last_ns = loop.now_ns


def _bounds(plan: Plan, markets: Sequence[str]) -> tuple[float, float]:
    """The prices that all markets of a feed can have; all prices for an extra feed."""
    bounds = [market.price_bounds for market in plan.markets if market.id in markets]
    if not bounds:
        return 0.0, checks.LARGEST
    return max(low for low, _ in bounds), min(high for _, high in bounds)


def is_milestone(count: int) -> bool:
    """Whether a count is 1, 10, 100, …: what repeats itself is not said each time."""
    return str(count).strip("0") == "1"
