"""Live feeds over a WebSocket: connect, subscribe, hear, and do it again after every loss."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from horizon import checks
from horizon.feeds.backoff import Backoff, retry_after
from horizon.feeds.libraries import library
from horizon.feeds.live import REFUSALS, WRONG, LiveFeed, said, web_address
from horizon.feeds.updates import Gap, Hangup, Update
from horizon.types import AssetClass

if TYPE_CHECKING:
    import aiohttp

__all__ = ["WebSocketFeed"]

#: Longest stretch of work, in seconds, between two turns of the event loop.
_TURN: Final = 0.008
#: Garbage in a row after which the connection itself is doubted.
_MOST_GARBAGE: Final = 100
#: Seconds after which a connection counts as one that holds.
_HOLDS: Final = 30.0
#: Looks, at least, at a silent connection before it is given up.
_LOOKS: Final = 4
#: Seconds that the other side has for its half of a goodbye.
_GOODBYE: Final = 0.5
#: Largest message taken, in bytes.
_LARGEST: Final = 16 * 1024 * 1024

_End = Literal["loss", "gap"]


class WebSocketFeed(LiveFeed):
    """A feed that hears its updates over a WebSocket.

    A subclass gives `_take`, and as much of the following as its protocol asks for.

    `_reset()`
        Forget what was known: a new connection begins.
    ``await _address(http)``
        Say where to connect; may look things up by `http`, an ``aiohttp.ClientSession``.
    ``await _headers()``
        Headers of the opening request, such as a signature.
    ``await _subscribe(ws)``
        Send what the server waits for, by ``ws.send_json(...)`` and the like.
    `_parse(raw)`
        Text or bytes into an object, or None for a message that says nothing; JSON by default.
    ``_take(message, received_ns)``
        Return the updates that a message means: none, one or many. What it raises of `WRONG`,
        `Garbage` among it, means that the message cannot be read or cannot be true: it is
        counted and left out, so `_take` must judge a message before it changes anything. Where
        a message that is left out leaves a book behind that is wrong, it raises `Gap` instead:
        everything known is lost, and begins anew with a new connection. `Hangup` connects anew
        after a wait, where the server has asked for that, and a `FeedError` (see `_failure`)
        ends the feed. `_reply(message)` sends an answer, as JSON; `_call_later` and
        `_break_off` are for what is due while no message comes.
    ``await _ping(ws)``
        Ask the server for a sign of life, every `ping_every` seconds.

    Where the protocol confirms a login or a subscription, the subclass sets `confirms` and
    calls `_set_state("up")` in `_take`; else a feed is up once `_subscribe` has returned.

    Parameters
    ----------
    name, market_ids, asset_class, has_books, backoff
        See `LiveFeed`.
    url : str
        An address with ``ws://`` or ``wss://``.
    silence : float
        Seconds without any message, pings and pongs among them, after which the connection is
        taken to be dead.
    connect_timeout : float
        Seconds that connecting and subscribing may take.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    A protocol in which one asks for markets by their names, and hears a price with each message:

    >>> class Ticker(hz.feeds.WebSocketFeed):
    ...     async def _subscribe(self, ws):
    ...         await ws.send_json({"subscribe": list(self.market_ids)})
    ...
    ...     def _take(self, message, received_ns):
    ...         price = float(message["price"])
    ...         return [hz.feeds.Update(message["market"], received_ns, price=price)]
    >>> feed = Ticker("ticker", ["rain"], url="wss://prices.example/stream")
    >>> feed
    <Ticker 'ticker', 'rain', idle, 0 messages>
    >>> [update] = feed._take({"market": "rain", "price": "0.40"}, 10**9)
    >>> update.price
    0.4
    """

    confirms: bool = False
    #: Seconds between pings; None is a third of `silence`.
    ping_every: float | None = None

    def __init__(
        self,
        name: str,
        market_ids: Sequence[str],
        *,
        url: str,
        asset_class: AssetClass | None = None,
        has_books: bool = False,
        silence: float = 15.0,
        connect_timeout: float = 10.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._url = web_address("url", url, ("ws", "wss"))
        super().__init__(
            name,
            market_ids,
            asset_class=asset_class,
            has_books=has_books,
            address=self._url,
            backoff=backoff,
        )
        self._silence = checks.positive("silence", silence)
        self._connect_timeout = checks.positive("connect_timeout", connect_timeout)
        self._heard = 0
        self._outbox: list[Any] = []
        self._loads: Callable[[str | bytes], Any] = library("orjson").loads
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._limit: asyncio.Timeout | None = None
        self._broken: Gap | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    # ------------------------------------------------------------- what a protocol fills in
    def _reset(self) -> None:
        """Forget what was known: a new connection begins."""

    async def _address(self, http: aiohttp.ClientSession) -> str:
        """Say where to connect."""
        return self._url

    async def _headers(self) -> dict[str, str]:
        """Headers of the opening request."""
        return {}

    async def _subscribe(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Send what the server waits for."""

    def _parse(self, raw: str | bytes) -> Any:
        """Read a message; None if it says nothing."""
        return self._loads(raw)

    @abstractmethod
    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        """Return the updates that a message means."""

    async def _ping(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Ask the server for a sign of life."""
        await ws.ping()

    def _reply(self, message: Any) -> None:
        """Send a message, as JSON, once `_take` has returned."""
        self._outbox.append(message)

    def _call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call something after a while, should this connection still be there by then."""
        if self._limit is None:  # nothing is connected: somebody asks what a message means
            return

        def call() -> None:
            self._timers.discard(timer)
            callback()

        timer = asyncio.get_running_loop().call_later(seconds, call)
        self._timers.add(timer)

    def _break_off(self, gap: Gap) -> None:
        """End this connection as `_take` does by raising a `Gap`, from outside of it."""
        if self._limit is not None and self._broken is None:
            self._broken = gap
            self._limit.reschedule(asyncio.get_running_loop().time())

    # ------------------------------------------------------------------- connection after
    async def _listen(self) -> None:
        may_hurry = True  # the first gap is mended at once
        while True:
            begun = time.monotonic()
            end, wait = await self._live_once()
            if time.monotonic() - begun >= _HOLDS:
                self._backoff.reset()
                may_hurry = True
            self._reconnects += 1
            if end == "gap" and may_hurry:
                may_hurry = False
            else:
                await asyncio.sleep(max(wait, self._backoff.wait()))

    async def _live_once(self) -> tuple[_End, float]:
        """One connection, from the attempt to its end; say how long to wait at least."""
        aiohttp = library("aiohttp")
        self._ws = None
        http = aiohttp.ClientSession(
            trust_env=True, timeout=aiohttp.ClientTimeout(total=self._connect_timeout)
        )
        try:
            await self._connect(http)
        except aiohttp.ClientResponseError as error:
            # Its own text has the whole address in it, and what the query may hold.
            self._lose(f"the server answered HTTP {error.status} {error.message}")
            if error.status in REFUSALS:
                self._refuse(error.status)
            headers = error.headers or {}
            return "loss", retry_after(headers.get("Retry-After"), self._now_ns())
        except TimeoutError:
            self._lose(f"no connection within {self._connect_timeout:g} s")
            return "loss", 0.0
        except (aiohttp.ClientError, OSError, *WRONG) as error:
            self._lose(f"no connection: {said(error)}")
            return "loss", 0.0
        else:
            return await self._hear(), 0.0
        finally:
            # The session first: it hangs up, whatever state the connection is in. There is
            # nobody left then for the goodbye of close() to wait for. A listener that leaves
            # just now cancels the one, and not the other.
            try:
                await http.close()
            finally:
                await _close(self._ws)

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(self._connect_timeout):
            self._reset()
            self._outbox.clear()
            address = await self._address(http)
            self._ws = await http.ws_connect(
                address,
                headers=await self._headers(),
                autoping=False,  # pings are a sign of life, and have to be seen for that
                timeout=library("aiohttp").ClientWSTimeout(ws_close=_GOODBYE),
                max_msg_size=_LARGEST,
            )
            await self._subscribe(self._ws)
        if not self.confirms:
            self._set_state("up")

    async def _hear(self) -> _End:
        """Hand on what comes until the connection ends, and say how it ended."""
        ws = self._ws
        assert ws is not None  # _connect() has put it there
        reason: str | None = None
        pings = asyncio.create_task(self._keep_pinging(ws))
        try:
            async with asyncio.timeout(None) as limit:
                self._limit, self._broken = limit, None
                with self._watch(limit):
                    reason, end = await self._take_all(ws)
        except TimeoutError:
            if not limit.expired():  # not ours: whoever was delivered to has raised it
                raise
            end = "loss"
            reason = f"nothing heard for {self._silence:g} s"
            if not self.is_up:
                reason = f"no confirmation within {self._connect_timeout:g} s"
            if self._broken is not None:
                end, reason = "gap", f"gap: {self._broken}"
                self._gaps += 1
        except asyncio.CancelledError:
            await _close(ws)
            raise
        finally:
            pings.cancel()
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            self._limit = None
        self._lose(reason)
        return end

    async def _take_all(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[str, _End]:
        kinds = library("aiohttp").WSMsgType
        text, binary, ping, pong = kinds.TEXT, kinds.BINARY, kinds.PING, kinds.PONG
        receive, now_ns, monotonic = ws.receive, self._now_ns, time.monotonic
        take, hand_on = self._take, self._hand_on
        is_plain = type(self)._parse is WebSocketFeed._parse  # one call less for each message
        parse = self._loads if is_plain else self._parse
        in_a_row = 0
        turn = monotonic() + _TURN
        while True:
            got = await receive()
            self._heard += 1
            kind = got.type
            if kind is text or kind is binary:
                received_ns = now_ns()
                self._messages += 1
                self._last_received_ns = received_ns
                try:
                    message = parse(got.data)
                    updates = () if message is None else take(message, received_ns)
                    if type(updates) is not tuple:
                        updates = tuple(updates)  # what a generator raises is its message's fault
                except Gap as gap:
                    self._gaps += 1
                    return f"gap: {gap}", "gap"
                except Hangup as hangup:
                    return f"the server says: {hangup}", "loss"
                except WRONG as error:
                    self._discard(got.data, error)
                    in_a_row += 1
                    if in_a_row >= _MOST_GARBAGE:
                        return f"{in_a_row} messages in a row were {self._last_error}", "loss"
                else:
                    in_a_row = 0
                    hand_on(updates)
                    if self._outbox and not await self._post(ws):
                        return "the connection closed while a message was sent", "loss"
                # Messages that wait already come without a pause: others need a turn as well.
                if monotonic() >= turn:
                    await asyncio.sleep(0)
                    turn = monotonic() + _TURN
            elif kind is ping:
                with contextlib.suppress(ConnectionError):  # the next receive() tells
                    await ws.pong(got.data)
            elif kind is not pong:
                return _goodbye(ws, got), "loss"

    async def _post(self, ws: aiohttp.ClientWebSocketResponse) -> bool:
        messages, self._outbox = self._outbox, []
        try:
            for message in messages:
                await ws.send_json(message)
        except (ConnectionError, RuntimeError):
            return False
        return True

    async def _keep_pinging(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        every = self._silence / 3.0 if self.ping_every is None else self.ping_every
        # Where a ping cannot be sent the connection is gone, which receive() is told as well.
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(every)
                await self._ping(ws)

    @contextlib.contextmanager
    def _watch(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Let `limit` expire once nothing has been heard for too long.

        Looks are counted, not seconds: a loop that was held up itself comes late to one look,
        and has not missed the others.
        """
        loop = asyncio.get_running_loop()
        confirmed_by = loop.time() + self._connect_timeout
        every = self._silence / _LOOKS
        if self._state != "up":
            every = min(every, self._connect_timeout / _LOOKS)
        most = math.ceil(self._silence / every)
        heard, quiet = self._heard, 0
        handle: asyncio.TimerHandle | None = None

        def look() -> None:
            nonlocal handle, heard, quiet
            quiet = quiet + 1 if self._heard == heard else 0
            heard = self._heard
            is_late = self._state != "up" and loop.time() > confirmed_by
            if quiet >= most or is_late:
                limit.reschedule(loop.time())
            else:
                handle = loop.call_later(every, look)

        handle = loop.call_later(every, look)
        try:
            yield
        finally:
            handle.cancel()


async def _close(ws: aiohttp.ClientWebSocketResponse | None) -> None:
    """Say goodbye, and wait a little for the other side's."""
    if ws is None:
        return
    # aiohttp waits anew after each message that comes before it: a flood would keep us for good.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await ws.close()


def _goodbye(ws: aiohttp.ClientWebSocketResponse, got: Any) -> str:
    """Say how a connection ended."""
    if got.type is library("aiohttp").WSMsgType.ERROR:
        return f"the connection failed: {said(got.data)}"
    code = ws.close_code
    words = f": {got.extra}" if isinstance(got.extra, str) and got.extra else ""
    return "the connection closed" if code is None else f"the connection closed ({code}){words}"
