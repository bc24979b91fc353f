"""A server on localhost that does what a script says, and a listener that writes down.

    async def script(peer):
        assert await peer.receive() == {"subscribe": "m"}
        await peer.send({"price": 1.0})
        peer.drop()

    async with Server(script, hold) as server, Listener(Toy(url=server.ws_url)) as heard:
        await heard.until(lambda: heard.losses == 1)

The n-th connection plays the n-th script, and the last one again and again. `Refuse` in the
place of a script answers the opening request with an HTTP error, `Cut` with nothing.
`server.answers[path]` are what plain requests get, in turn, the last one again and again.
`in_loop` makes an async test one that pytest can run.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ParamSpec

from aiohttp import WSMsgType, web

from horizon.feeds.live import LiveFeed
from horizon.feeds.updates import Update

__all__ = ["Answer", "Cut", "Listener", "Peer", "Refuse", "Script", "Server", "hold", "in_loop"]


@dataclass(frozen=True)
class Refuse:
    """An HTTP error instead of a connection."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The connection is cut instead of opened, after a wait."""

    delay: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What a plain request gets: an object sent as JSON, or text sent as it is."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


class Peer:
    """The server's end of one connection."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self._ws = ws
        self.request = request
        self.received: list[Any] = []
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.pings = 0
        self.pongs: list[bytes] = []
        self.answers_pings = True
        self.is_gone = asyncio.Event()
        self.close_code: int | None = None  # what the client said goodbye with

    async def send(self, *messages: Any) -> None:
        """Send objects as JSON, text and bytes as they are."""
        for message in messages:
            if isinstance(message, bytes):
                await self._ws.send_bytes(message)
            else:
                await self._ws.send_str(
                    message if isinstance(message, str) else json.dumps(message)
                )

    async def receive(self, seconds: float = 60.0) -> Any:
        """The client's next message: JSON as an object, else text."""
        return await asyncio.wait_for(self._inbox.get(), seconds)

    async def ping(self, payload: bytes = b"") -> None:
        await self._ws.ping(payload)

    async def close(self, code: int = 1000, said: bytes = b"") -> None:
        """Say goodbye as the protocol has it."""
        await self._ws.close(code=code, message=said)

    def drop(self) -> None:
        """Cut the connection, without a goodbye."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def write_raw(self, data: bytes) -> None:
        """Write bytes past the protocol, such as half a frame."""
        assert self.request.transport is not None
        self.request.transport.write(data)  # type: ignore[attr-defined]

    def stop_reading(self) -> None:
        """Take nothing from the socket any more: what the client sends stays where it is."""
        assert self.request.transport is not None
        self.request.transport.pause_reading()  # type: ignore[attr-defined]

    async def hold(self) -> None:
        """Stay until the client goes."""
        await self.is_gone.wait()

    async def _listen(self) -> None:
        async for got in self._ws:
            if got.type is WSMsgType.PING:
                self.pings += 1
                if self.answers_pings:
                    await self._ws.pong(got.data)
            elif got.type is WSMsgType.PONG:
                self.pongs.append(bytes(got.data))
            elif got.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                try:
                    message = json.loads(got.data)
                except ValueError:
                    message = got.data
                self.received.append(message)
                self._inbox.put_nowait(message)
        self.close_code = self._ws.close_code
        self.is_gone.set()


Script = Callable[[Peer], Awaitable[object]]


async def hold(peer: Peer) -> None:
    """Say nothing, and stay."""
    await peer.hold()


class Server:
    """A web server on a free port of localhost."""

    def __init__(
        self, *scripts: Script | Refuse | Cut, answers: dict[str, list[Answer]] | None = None
    ) -> None:
        self._scripts = scripts or (hold,)
        self.answers = answers or {}
        self.peers: list[Peer] = []
        self.requests: list[web.Request] = []
        self.attempts = 0
        self.errors: list[BaseException] = []
        self.port = 0
        self._handlers: set[asyncio.Task[Any]] = set()

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Server:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        if error is None and self.errors:
            raise self.errors[0]

    async def stop(self) -> None:
        """Cut all connections, and answer no more; `__aenter__` opens the same port again."""
        for peer in self.peers:
            peer.drop()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            return await self._answer(request)
        finally:
            self._handlers.discard(task)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request)
        self.requests.append(request)
        planned = self.answers.get(request.path)
        if not planned:
            return web.Response(status=404)
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        await asyncio.sleep(answer.delay)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return web.Response(
            status=answer.status,
            text=None if answer.status == 304 else text,
            headers=answer.headers,
            content_type="application/json",
        )

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        script = self._scripts[min(self.attempts, len(self._scripts) - 1)]
        self.attempts += 1
        if isinstance(script, Refuse):
            return web.Response(status=script.status, headers=script.headers)
        if isinstance(script, Cut):
            await asyncio.sleep(script.delay)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        ws = web.WebSocketResponse(autoping=False, timeout=0.2)
        await ws.prepare(request)
        peer = Peer(ws, request)
        self.peers.append(peer)
        listening = asyncio.create_task(peer._listen())
        try:
            await script(peer)
        except ConnectionError:
            pass  # the client went before the script's end
        except Exception as error:  # an assertion in a script is the test's own
            self.errors.append(error)
            peer.drop()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
        return ws


P = ParamSpec("P")


def in_loop(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own, which shows a task that is left behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            async with asyncio.timeout(120.0):  # a feed that should have ended goes on for ever
                await test(*args, **kwargs)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks are left behind: {left}"

        asyncio.run(main())

    return run


class Listener:
    """Listens to a feed while it is entered, and writes down what it delivers."""

    def __init__(self, feed: LiveFeed, clock: Callable[[], int] | None = None) -> None:
        self.feed = feed
        self._clock = clock
        self.updates: list[Update] = []
        self.at_update: Callable[[Update], object] | None = None

    @property
    def losses(self) -> int:
        return sum(update.is_lost for update in self.updates)

    @property
    def prices(self) -> list[float]:
        return [update.price for update in self.updates if not update.is_lost]

    def _take(self, update: Update) -> None:
        self.updates.append(update)
        if self.at_update is not None:
            self.at_update(update)

    async def __aenter__(self) -> Listener:
        self.task = asyncio.create_task(self.feed.listen(self._take, clock=self._clock))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for something to become true; fail loudly where it does not, or the feed ends."""
        until = time.monotonic() + seconds
        while not is_so():
            if self.task.done():
                await self.task
                raise AssertionError("the feed ended by itself")
            if time.monotonic() > until:
                raise AssertionError(f"waited {seconds:g} s in vain: {self.feed.status()}")
            await asyncio.sleep(0.002)
