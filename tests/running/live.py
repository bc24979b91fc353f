"""Live feeds that do what a script says, and what a test looks at in a run."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import horizon as hz
from horizon.backtesting import BacktestResult
from horizon.feeds import Update
from horizon.feeds.live import LiveFeed
from horizon.feeds.updates import Levels
from horizon.running import RunHandle, run
from horizon.running.watch import NEVER
from tests.feeds.servers.base import Refuse, Script, Server

__all__ = ["Scripted", "facts", "in_background", "quoter", "served", "until"]


#: By run, how many scripts it is waiting for, and when it was to end.
_scripts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
_ends: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


@contextmanager
def _duration_begins_after(intake: Any, now_ns: Callable[[], int]) -> Iterator[None]:
    """Put the end of a run off by what its scripts take, however slow the machine is."""
    begun_ns = now_ns()
    if intake.end_ns == NEVER and intake not in _scripts:
        yield  # a run without end
        return
    if intake not in _scripts:
        _scripts[intake] = 0
        _ends[intake], intake.end_ns = intake.end_ns, NEVER
    _scripts[intake] += 1
    try:
        yield
    finally:
        _scripts[intake] -= 1
        if not _scripts[intake]:
            intake.end_ns = _ends[intake] + now_ns() - begun_ns


class Scripted(LiveFeed):
    """A feed that is up at once, and whose script says what is heard.

    The script is ``async def script(feed)``: it calls `say`, `cut` and `asyncio.sleep`. It begins
    when the run has begun, if the feed `waits`; when it returns, the feed falls silent. A run's
    duration begins after it, unless the script need not be played as a `whole`.
    """

    def __init__(
        self,
        script: Callable[[Scripted], Awaitable[object]] | None = None,
        market_ids: str | Sequence[str] = ("m",),
        *,
        comes_up: bool = True,
        waits: bool = True,
        is_whole: bool = True,
        **options: Any,
    ) -> None:
        options.setdefault("asset_class", hz.Prediction)
        super().__init__(options.pop("name", "scripted"), market_ids, **options)
        self._script = script
        self._comes_up = comes_up
        self._waits = waits
        self._is_whole = is_whole

    async def _listen(self) -> None:
        if self._comes_up:
            self._set_state("up")
            # However busy the machine is: the script begins once the run has.
            session = inspect.getclosurevars(self._deliver).nonlocals["self"]
            while self._waits and not session.intake.is_open:
                await asyncio.sleep(0.001)
        if self._script is not None:
            if self._waits and self._comes_up and self._is_whole:
                with _duration_begins_after(session.intake, self._now_ns):
                    await self._script(self)
            else:
                await self._script(self)
        await asyncio.Event().wait()

    def say(
        self, price: float = float("nan"), market: str = "m", *, later_ns: int = 0, **fields: Any
    ) -> None:
        """Hand on one update, received now."""
        self._messages += 1
        ns = self._now_ns() + later_ns
        self._hand_on([Update(market, ns, price=price, **fields)])

    def book(self, bids: Levels, asks: Levels, market: str = "m") -> None:
        """Hand on a whole book, whose mid is the price."""
        (bid, *_), (ask, *_) = bids[0], asks[0]
        self.say(
            (bid + ask) / 2,
            market,
            bid=bid,
            ask=ask,
            bid_size=bids[1][0],
            ask_size=asks[1][0],
            levels=(bids, asks),
        )

    def cut(self) -> None:
        """Lose the connection; the feed is up again at once."""
        self._lose("cut")
        self._set_state("up")


def quoter(ctx: Any) -> list[hz.Quote]:
    """Quote two cents around the price."""
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)


def facts(result: BacktestResult) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """What a run did: its fills, and its orders, with how they ended.

    A run cancels what rests when it ends, a backtest leaves it open.
    """
    orders = result.orders_frame().reset_index()
    names = ["id", "submitted", "market_id", "side", "order_side", "size", "price", "filled"]
    rows = [tuple(map(str, row)) for row in orders[names].itertuples(index=False)]
    ends = [
        "open"
        if status in ("new", "partial") or reason == "the run has ended"
        else f"{status} {at}"
        for status, reason, at in zip(
            orders["status"], orders["reason"], orders["ended"], strict=True
        )
    ]
    return result.fills, [(*row, end) for row, end in zip(rows, ends, strict=True)]


def until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to become true; fail where it does not."""
    limit = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.002)


@contextmanager
def in_background(**arguments: Any) -> Iterator[RunHandle]:
    """A run beside the test, which ends with it."""
    handle = run(background=True, **arguments)
    try:
        yield handle
    finally:
        handle.stop()


@contextmanager
def served(*scripts: Script | Refuse) -> Iterator[Server]:
    """A server on a thread of its own, for runs that block the test."""
    server = Server(*scripts)
    ready, over = threading.Event(), []

    async def serve() -> None:
        ending = asyncio.Event()
        over.extend((asyncio.get_running_loop(), ending))
        async with server:
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(60.0)
    try:
        yield server
    finally:
        loop, ending = over
        loop.call_soon_threadsafe(ending.set)
        thread.join()
