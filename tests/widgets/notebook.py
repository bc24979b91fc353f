"""A notebook without browser or kernel: a loop that skips time, and a page's end of a widget."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances

import horizon as hz
from horizon import words
from horizon.widgets.face import Face

#: Who reads the wall's clocks; in a test they read the loop's.
_CLOCKS = ("horizon.widgets.face", "horizon.widgets.live", "horizon.feeds.deck")


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait for its timers: its time jumps to the next of them.

    It stands in for the module ``time`` too, so that the clocks agree.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0
        wait = self._selector.select

        def skip(timeout: float | None = None) -> Any:
            if timeout is None:
                return wait(None)  # for another thread
            ready = wait(0)
            if not ready and timeout > 0.0:
                self.now += timeout
            return ready

        self._selector.select = skip

    def time(self) -> float:
        return self.now

    monotonic = time

    def block(self, seconds: float) -> None:
        """Let time pass while nothing can run, as a cell that computes does."""
        self.now += seconds


def on_a_loop(work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine as a kernel would, and see that its widgets leave nothing behind."""
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=SkippingLoop) as runner:
        loop = runner.get_loop()
        for module in _CLOCKS:
            patch.setattr(f"{module}.time", loop)

        async def run() -> None:
            try:
                await work()
            finally:
                widgets = list(_instances.values())
                for widget in widgets:
                    widget.close()
                for widget in widgets:
                    super(Face, widget).close() if isinstance(widget, Face) else widget.close()
            await turns(10)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks that outlive their widgets: {left}"

        runner.run(run())


def in_a_notebook(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a test of an async one, which runs `on_a_loop`."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        on_a_loop(lambda: test(**fixtures))

    return run


def loop_now() -> SkippingLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    return loop


async def turns(n: int = 5) -> None:
    """Let the loop turn, without time passing."""
    for _ in range(n):
        await asyncio.sleep(0)


async def passing(seconds: float) -> None:
    """Let so much of the loop's time pass."""
    await asyncio.sleep(seconds)


async def timers() -> int:
    """How many calls are planned for later, once all that is due has run."""
    await turns()
    return sum(not timer.cancelled() for timer in loop_now()._scheduled)


class Clock:
    """A clock for an account, which stands still unless it is told."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def account(clock: Callable[[], float] | None = None, **options: Any) -> hz.ImperativeClient:
    """A paper account of 100,000 USD at the beginning of 1970."""
    return hz.connect("paper", clock=clock or (lambda: 0.0), **options)


class Page:
    """The browser's end of a widget: what it is sent, and what its user does there."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.updates: list[dict[str, Any]] = []
        self.asked: list[Any] = []
        face.comm.send = self._take

    def _take(self, data: dict[str, Any], **_: Any) -> None:
        if data["method"] == "custom":
            self.asked.append(data["content"])
        else:
            self.updates.append(data["state"])

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """The pictures that were sent since this page was opened."""
        return [update["shown"] for update in self.updates if "shown" in update]

    @property
    def beats(self) -> list[int]:
        """The beats that were sent since this page was opened."""
        return [update["beat"] for update in self.updates if "beat" in update]


async def do(face: Face, verb: str, /, **arguments: Any) -> None:
    """Send a verb as the page does, with the beat that it saw, and let the loop turn."""
    face._hear(face, {"do": verb, "beat": face.beat, **arguments})
    await turns()


def cells(face: Face) -> list[list[Any]]:
    """A table's rows as a reader sees them: of a cell with a tone, its text."""
    return [
        [cell[0] if isinstance(cell, list) else cell for cell in row["cells"]]
        for row in face.shown["rows"]
    ]


def texts(picture: Any) -> Iterator[str]:
    """Every text in a picture, those of its keys left out."""
    if isinstance(picture, str):
        yield picture
    elif isinstance(picture, dict):
        for value in picture.values():
            yield from texts(value)
    elif isinstance(picture, (list, tuple)):
        for value in picture:
            yield from texts(value)


def assert_fit_to_show(face: Face) -> None:
    """A kernel can send the picture, and no text of it hides anything or is no number."""
    picture = dict(face.shown)
    packed = json.dumps(picture, ensure_ascii=False, allow_nan=False)
    packed.encode("utf-8")
    # What the user wrote stays what it was, and a list's values are what the page sends back.
    picture["markets"] = [text for _, text in picture.get("markets", [])]
    for key, part in picture.items():
        if key in ("values", "by", "market"):
            continue
        for text in texts(without_ids(part)):
            assert words.name(text) == text, f"{key}: {text!a}"
            bare = {part.strip("+−-,.:;()") for part in text.split()}
            assert not bare & {"nan", "inf", "NaN", "Infinity"}, f"{key}: {text!r}"


def without_ids(part: Any) -> Any:
    """A part of a picture without what the page only sends back or tells rows apart by."""
    if isinstance(part, dict):
        return {k: without_ids(v) for k, v in part.items() if k not in ("id", "do")}
    if isinstance(part, list):
        return [without_ids(item) for item in part]
    return part
