"""A live feed written to a file while the caller waits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from horizon import checks
from horizon.feeds.recording import RecordWriter
from horizon.feeds.updates import Update

if TYPE_CHECKING:
    from horizon.feeds.live import LiveFeed

__all__ = ["record"]

#: Longest single wait: some systems hold an interrupt back until its end.
_NAP: Final = 0.1


def record(
    feed: LiveFeed, path: object, *, duration: float | None = None, n: int | None = None
) -> Path:
    """Write a feed's updates to a file while the caller waits; see `LiveFeed.record`."""
    seconds = None if duration is None else checks.positive("duration", duration)
    most = None if n is None else checks.integer("n", n)
    writer = RecordWriter(
        path,
        {
            "kind": "feed",
            "feed": feed.name,
            "class": type(feed).__name__,
            "asset_class": None if feed.asset_class is None else feed.asset_class.name,
            "has_books": feed.has_books,
        },
    )
    failed: list[BaseException] = []
    is_ending, is_over = threading.Event(), threading.Event()
    last_ns = 0

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def take(update: Update) -> None:
            nonlocal last_ns
            # No two rows at one time: the file's order is the order in which they came.
            last_ns = max(last_ns + 1, update.received_ns)
            if most is None or len(writer) < most:
                writer.add_update(last_ns, update)
            if most is not None and len(writer) >= most:
                ended.set()

        async def wait() -> None:
            until = None if seconds is None else loop.time() + seconds
            while not is_ending.is_set() and not ended.is_set():
                left = _NAP if until is None else min(_NAP, until - loop.time())
                if left <= 0.0:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), left)

        listening = asyncio.create_task(feed.listen(take))
        waiting = asyncio.create_task(wait())
        await asyncio.wait((listening, waiting), return_when=asyncio.FIRST_COMPLETED)
        for task in (listening, waiting):
            task.cancel()
        done = await asyncio.gather(listening, waiting, return_exceptions=True)
        failed.extend(
            error
            for error in done
            if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError)
        )
        if not failed and not feed.has_been_up:
            # An empty file would say that nothing happened there.
            failed.append(feed._failure(f"was never up: {feed.status().last_error or 'no answer'}"))

    def work() -> None:
        # All of it in this thread: whoever waits may be interrupted, and leave, at any time.
        try:
            asyncio.run(listen())
        except BaseException as error:
            failed.append(error)
        try:
            if failed and not len(writer):
                writer.discard()  # no reason to replace a recording that is there
            else:
                writer.close()
        except BaseException as error:
            failed.append(error)
        is_over.set()

    thread = threading.Thread(target=work, name=f"horizon-record-{feed.name}", daemon=True)
    try:
        thread.start()
        # No join(): interrupted, Python 3.11 takes a thread that is at work for one that ended.
        while not is_over.wait(_NAP):
            pass
    except KeyboardInterrupt:
        pass
    finally:
        is_ending.set()
        # Where the interrupt fell into start() itself there may be no thread to wait for.
        while not is_over.wait(_NAP) and thread.is_alive():
            pass
    if failed:
        raise failed[0]
    return writer.path
