"""What every feed has: rows, and two ways to send them to a client."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, Protocol, TypeAlias

from horizon import checks
from horizon.feeds.deck import Deck, Status
from horizon.feeds.pace import Pace, speed_of
from horizon.feeds.times import Shift, stamp_text

__all__ = ["Client", "Feed", "Fields", "Row"]

_Number: TypeAlias = float | None
#: The fields of a `Row`, in its order, as a plain tuple.
Fields: TypeAlias = tuple[
    str,
    int,
    _Number,
    _Number,
    _Number,
    _Number,
    _Number,
    _Number,
    _Number,
    _Number,
    _Number,
]

#: Longest stretch of work, in seconds, between two turns of the event loop.
_TURN: Final = 0.008
#: Longest single wait of a blocking pass: some systems hold an interrupt back until its end.
_NAP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of market data.

    Attributes
    ----------
    market_id : str
        Whose row it is.
    timestamp_ns : int
        Nanoseconds since 1970 (UTC), in the feed's own time, before any rebasing.
    price : float or None
        Last price or mark; the close of a bar. A client takes no row without one.
    bid, ask : float or None
        Best quotes; None is no quote on that side.
    bid_size, ask_size : float or None
        Sizes shown at the best quotes, in units; None where not known.
    open, high, low : float or None
        The rest of a bar, where the row is one.
    volume : float or None
        Units traded in the row's interval; None where not known.

    Examples
    --------
    >>> row = hz.feeds.Row("rain", 10**9, 0.5, bid=0.49, ask=0.51)
    >>> row.price, row.volume
    (0.5, None)
    """

    market_id: str
    timestamp_ns: int
    price: float | None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    volume: float | None = None


class Client(Protocol):
    """What a feed plays to: a client, an engine or a paper venue."""

    @property
    def time(self) -> float:
        """The present in seconds since 1970: the later of its clock and its latest command."""

    def tick(
        self,
        market_id: str,
        price: Any,
        timestamp: Any = None,
        *,
        open: Any = None,
        high: Any = None,
        low: Any = None,
        bid: Any = None,
        ask: Any = None,
        volume: Any = None,
    ) -> object:
        """Take one row."""


class Feed(Deck, ABC):
    """Rows of market data that can be sent to a client.

    A subclass gives `batches` and, where it knows it, `total`. `run` sends the rows while the
    cell waits; ``await play(...)`` sends them at a speed while the kernel stays free. Each
    call starts from the first row, and one can be under way at a time. `pause`, `resume`,
    `step`, `seek`, `stop` and `speed` work from any thread.

    Parameters
    ----------
    name : str
        What messages call the feed.
    speed : float or None
        Market seconds per wall second of `play`; None or infinity is as fast as possible.

    Examples
    --------
    A feed of one's own: three rows, a second apart, in one batch. Each has the eleven fields of a
    `Row`.

    >>> class Rising(hz.feeds.Feed):
    ...     def batches(self):
    ...         prices = [0.5, 0.6, 0.7]
    ...         yield [("rain", s * 10**9, p, *[None] * 8) for s, p in enumerate(prices)]
    >>> feed = Rising(name="rising")
    >>> ex = hz.connect("paper")
    >>> feed.run(ex, n=3)
    3
    >>> feed.status
    'done'
    """

    def __init__(self, *, name: str, speed: float | None = 1.0) -> None:
        super().__init__(name=name, speed=speed)
        self._client: Client | None = None

    @property
    def client(self) -> Client | None:
        """To whom the pass under way sends its rows; None while there is none."""
        return self._client

    @abstractmethod
    def batches(self) -> Iterator[Sequence[Fields]]:
        """Give all rows from the first on, in order of time, a few thousand at once.

        A row is a plain tuple in the order of `Row`: a pass over a million of them is spared
        a million objects. Each call begins anew.
        """

    def __iter__(self) -> Iterator[Row]:
        """Walk the rows in the feed's own times; nothing is sent."""
        return (Row(*fields) for batch in self.batches() for fields in batch)

    def run(
        self,
        ex: Client,
        *,
        until: object = None,
        n: int | None = None,
        speed: float | None = None,
        rebase: bool = True,
    ) -> int:
        """Send the rows while the caller waits, as fast as the client takes them.

        Parameters
        ----------
        ex : ImperativeClient, Engine or Paper
            Anything with ``tick(market_id, price, timestamp, *, open, high, low, bid, ask,
            volume)`` and ``time``.
        until : float, datetime or timedelta, optional
            Last time to send, that time included, as the client sees it; a timedelta counts
            from the first row. A feed without end needs `until` or `n` here.
        n : int, optional
            Send at most so many rows.
        speed : float, optional
            Market seconds per wall second. By default there is no waiting at all, whatever
            the feed's own `speed`, which is for `play`.
        rebase : bool
            Move the first row to the client's present and let the others keep their spacing,
            so that a cell can be run again. With False the data's own times are sent, exact
            to the nanosecond: as float seconds, or as ``numpy.datetime64`` where a float
            would round. Rebased times are float seconds, which resolve about 0.2 µs.

        Returns
        -------
        int
            Rows sent, also when `stop` ended the pass.

        Raises
        ------
        HorizonError
            If a pass is already under way.
        ValueError, TypeError
            For a wrong argument, before any row is sent. What ``ex.tick`` raises is passed on
            with a note that names the row, and `status` becomes ``"failed"``.

        Notes
        -----
        An interrupt leaves `status` at ``"stopped"`` and `position` at the rows taken.

        Examples
        --------
        >>> feed = hz.feeds.Synthetic(seed=1)
        >>> ex = hz.connect("paper")
        >>> feed.run(ex, n=500)
        500
        """
        if self.total is None and until is None and n is None:
            raise ValueError(f"feed {self.name!r} may have no end: run() needs until= or n=")
        woken = threading.Event()
        pace = Pace(speed_of("speed", speed))
        with self._pass(ex, pace, woken.set, until, n, rebase) as waits:
            for delay in waits:
                if delay > 0.0:
                    woken.wait(min(delay, _NAP))
                    woken.clear()
        return self._position

    async def play(
        self,
        ex: Client,
        *,
        until: object = None,
        n: int | None = None,
        speed: float | None = None,
        rebase: bool = True,
        paused: bool = False,
    ) -> int:
        """Send the rows at a speed while the kernel stays free.

        Let it run beside the cell to keep a notebook's buttons alive:
        ``task = asyncio.create_task(feed.play(ex))``.

        Parameters
        ----------
        ex, until, n, rebase
            As in `run`; a feed without end plays until it is stopped.
        speed : float, optional
            Market seconds per wall second of this pass; the feed's own by default. Infinity
            is as fast as the client takes the rows. The event loop gets its turn at least
            every ten milliseconds, or after each tick that takes longer.
        paused : bool
            Wait for `resume` or `step` before the first row.

        Returns
        -------
        int
            Rows sent, also when `stop` ended the pass.

        Raises
        ------
        HorizonError, ValueError, TypeError
            As in `run`.

        Notes
        -----
        Cancelling the task leaves `status` at ``"stopped"``, and is passed on.
        """
        pace = Pace(
            self._speed if speed is None else speed_of("speed", speed),
            is_paused=checks.flag("paused", paused),
        )
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The loop may be closed by now: then nobody is left to be woken.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        with self._pass(ex, pace, wake, until, n, rebase) as waits:
            for delay in waits:
                if delay <= 0.0:
                    await asyncio.sleep(0)
                else:
                    timer = loop.call_later(delay, woken.set) if delay < math.inf else None
                    try:
                        await woken.wait()
                    finally:
                        if timer is not None:
                            timer.cancel()
                    woken.clear()
        return self._position

    def time_at(self, row: int) -> int | None:
        """Return the own time of a `row` (from 0), in nanoseconds since 1970.

        None for a row that the feed does not have, and for a feed that does not know its rows
        before they are played.
        """
        del row
        return None

    def row_at(self, ns: int) -> int | None:
        """Return how many rows are not later than `ns`, a time of the feed's own in nanoseconds.

        As far as ``seek(row=...)`` jumps, to be there. None as for `time_at`.
        """
        del ns
        return None

    def locate(self, position: int) -> str:
        """Say which row comes at `position` (from 0), for messages."""
        return f"row {position} of feed {self.name!r}"

    @contextlib.contextmanager
    def _pass(
        self,
        ex: Client,
        pace: Pace,
        wake: Callable[[], object],
        until: object,
        n: int | None,
        rebase: bool,
    ) -> Iterator[Iterator[float]]:
        """One pass over the rows, from the checks of its arguments to its last status."""
        most = None if n is None else checks.integer("n", n, least=0)
        if not callable(getattr(ex, "tick", None)) or not hasattr(ex, "time"):
            raise TypeError(
                f"ex must be a client, an engine or a paper venue with tick() and time, "
                f"was {checks.show(ex)}"
            )
        shift = Shift(ex.time if checks.flag("rebase", rebase) else None, until)
        self._begin(pace, wake)
        self._client = ex
        # An interrupt and a cancellation are no Exception: they stop a pass, nothing failed.
        end: Status = "stopped"
        try:
            yield self._send(ex, shift, most)
            end = "stopped" if self._is_stopping else "done"
        except Exception:
            end = "failed"
            raise
        finally:
            self._client = None
            self._end(end)

    def _send(self, ex: Client, shift: Shift, most: int | None) -> Iterator[float]:
        """Send row after row; yield the seconds to wait, or 0.0 to let others have a turn."""
        clock = time.monotonic
        position = reported = 0
        turn = clock() + _TURN
        if most == 0:
            return
        for batch in self.batches():
            if not batch:
                continue
            if position == 0:
                shift.begin(batch[0][1])
            times, stamps, is_end = shift.move([fields[1] for fields in batch])
            if position == 0 and times:
                self._first_ns = times[0]
            if most is not None and position + len(times) >= most:
                times, is_end = times[: most - position], True
            for ns, stamp, fields in zip(times, stamps, batch, strict=False):
                if not self._is_free:
                    while (delay := self._gate(ns)) > 0.0:
                        if reported != position:
                            reported = position
                            self._notify()
                        yield delay
                        turn = clock() + _TURN
                    if self._is_stopping:
                        return
                self._tick(ex, stamp, fields, position)
                position += 1
                self._position, self._last_ns = position, ns
                if clock() >= turn:
                    reported = position
                    self._notify()
                    yield 0.0
                    turn = clock() + _TURN
            if is_end:
                return

    def _tick(self, ex: Client, stamp: object, fields: Fields, position: int) -> None:
        market_id, _, price, bid, ask, _, _, open_, high, low, volume = fields
        try:
            ex.tick(
                market_id,
                price,
                stamp,
                open=open_,
                high=high,
                low=low,
                bid=bid,
                ask=ask,
                volume=volume,
            )
        except Exception as error:
            error.add_note(
                f"raised by {self.locate(position)}: {market_id!r} at "
                f"{stamp_text(fields[1])} in the data, price {price!r}"
            )
            raise

    def _facts(self) -> dict[str, str]:
        """What the reprs show, by label."""
        total = self.total
        sent = f"{self.position:,}" if total is None else f"{self.position:,} of {total:,}"
        speed = self.speed
        return {
            "status": self.status,
            "rows sent": sent,
            "speed": "as fast as possible" if speed == math.inf else f"{speed:g}×",
        }

    def __repr__(self) -> str:
        facts = ", ".join(f"{label}: {fact}" for label, fact in self._facts().items())
        return f"<{type(self).__name__} {self.name!r}, {facts}>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{escape(label)}</th><td>{escape(fact)}</td></tr>"
            for label, fact in self._facts().items()
        )
        title = f"{escape(type(self).__name__)} {escape(self.name)}"
        return f"<table><caption>{title}</caption><tbody>{cells}</tbody></table>"
