"""A WebSocket feed against a server on localhost: what it hears, and how it gets over losses."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from horizon.errors import FeedError
from horizon.feeds import Backoff, Gap, Garbage, Hangup, Update, WebSocketFeed
from horizon.feeds.clock import steady_clock
from horizon.feeds.updates import amount
from tests.feeds.servers.base import Answer, Cut, Listener, Peer, Refuse, Server, hold, in_loop


class Toy(WebSocketFeed):
    """A protocol of one kind of message: {"m": market, "p": price}, and a few commands."""

    def __init__(self, url: str, **options: Any) -> None:
        options.setdefault("backoff", Backoff(0.01, 0.02))
        markets = options.pop("markets", ["a", "b"])
        super().__init__("toy", markets, url=url, **options)
        self.resets = 0

    def _reset(self) -> None:
        self.resets += 1

    async def _subscribe(self, ws: Any) -> None:
        await ws.send_json({"subscribe": list(self.market_ids)})

    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        if "ask" in message:
            self._reply({"answer": message["ask"]})
        if "gap" in message:
            raise Gap(message["gap"])
        if "later" in message:
            raise Hangup(message["later"])
        if "unknown" in message:
            raise self._failure("knows no such market")
        if "ask" in message:
            return ()
        if message["m"] not in self.market_ids:
            raise Garbage(f"m is {message['m']!r}")
        return [Update(message["m"], received_ns, price=amount("p", message["p"]))]


async def say_one(peer: Peer) -> None:
    await peer.send({"m": "a", "p": 1.0})
    await peer.hold()


# ------------------------------------------------------------------------------ messages
@in_loop
async def test_messages_come_in_order_with_times_that_do_not_go_back() -> None:
    async def script(peer: Peer) -> None:
        assert await peer.receive() == {"subscribe": ["a", "b"]}
        for i in range(500):
            await peer.send({"m": "ab"[i % 2], "p": i})
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: len(heard.updates) == 500)
        assert heard.prices == list(map(float, range(500)))
        assert [u.market_id for u in heard.updates[:3]] == ["a", "b", "a"]
        times = [u.received_ns for u in heard.updates]
        assert times == sorted(times)
        status = heard.feed.status()
        assert (status.state, status.messages, status.updates) == ("up", 500, 500)
        assert (status.garbage, status.gaps, status.reconnects) == (0, 0, 0)
        assert status.last_message == times[-1] / 10**9


@in_loop
async def test_bytes_are_messages_too_and_a_message_may_say_nothing() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b'{"m": "a", "p": 1}', "", {"m": "a", "p": 2})
        await peer.hold()

    class Beats(Toy):
        def _parse(self, raw: str | bytes) -> Any:
            return super()._parse(raw) if raw else None

    async with Server(script) as server, Listener(Beats(server.ws_url)) as heard:
        await heard.until(lambda: heard.prices == [1.0, 2.0])
        assert heard.feed.status().garbage == 0


@in_loop
async def test_answer_of_a_message_is_sent() -> None:
    got = []

    async def script(peer: Peer) -> None:
        await peer.receive()
        await peer.send({"ask": 7})
        got.append(await peer.receive())
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: got == [{"answer": 7}])


@in_loop
async def test_opening_request_has_the_headers_and_the_address_that_were_looked_up() -> None:
    class Looking(Toy):
        async def _address(self, http: Any) -> str:
            async with http.get(self._url.replace("ws://", "http://") + "/where") as response:
                response.raise_for_status()
                return f"{self._url}/{(await response.json())['id']}"

        async def _headers(self) -> dict[str, str]:
            return {"X-Signed": "yes"}

    found = Answer({"id": "no-7"})
    answers = {"/ws/where": [Answer(status=500), Answer("<html>"), found]}
    async with Server(say_one, answers=answers) as server:
        async with Listener(Looking(server.ws_url)) as heard:
            # An error and nonsense first: that is no connection, to be tried again.
            await heard.until(lambda: heard.prices == [1.0])
            assert server.peers[0].request.path == "/ws/no-7"
            assert server.peers[0].request.headers["X-Signed"] == "yes"
        server.answers["/ws/where"] = [Answer(status=404)]
        with pytest.raises(FeedError, match="HTTP 404 Not Found"):
            await Looking(server.ws_url).listen(print)


# -------------------------------------------------------------------------------- losses
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("drop", "the connection closed (1006)"),
        ("close", "the connection closed (1001): going away"),
        ("half", "the connection closed (1006)"),
        ("bad", "the connection failed: "),
    ],
)
@in_loop
async def test_loss_is_told_at_once_before_anything_else(how: str, said: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "b", "p": 1})
        await asyncio.sleep(0.02)
        if how == "drop":
            peer.drop()
        elif how == "close":
            await peer.close(1001, b"going away")
        elif how == "half":  # of a frame of 200 bytes
            peer.write_raw(b"\x81\x7e\x00\xc8abc")
            peer.request.transport.close()  # type: ignore[union-attr]
        else:  # a frame of a kind that there is none of
            peer.write_raw(b"\x8f\x00")
            await peer.hold()

    async with Server(script, say_one) as server:
        feed = Toy(server.ws_url)
        async with Listener(feed) as heard:
            attempts = []
            heard.at_update = lambda update: attempts.append((server.attempts, feed.is_up))
            await heard.until(lambda: len(heard.updates) == 3)
            # b was known and is lost; a was not, and is not. Nobody had tried again by then.
            assert [(u.market_id, u.is_lost) for u in heard.updates] == [
                ("b", False),
                ("b", True),
                ("a", False),
            ]
            assert attempts == [(1, True), (1, False), (2, True)]
            assert said in str(feed.status().last_error)
            assert (feed.status().reconnects, feed.resets) == (1, 2)


@in_loop
async def test_silent_connection_is_lost() -> None:
    async def script(peer: Peer) -> None:
        peer.answers_pings = False
        await say_one(peer)

    async with Server(script) as server, Listener(Toy(server.ws_url, silence=0.12)) as heard:
        await heard.until(lambda: heard.losses == 1)
        assert heard.feed.status().last_error == "nothing heard for 0.12 s"
        first, second = (u.received_ns for u in heard.updates[:2])
        assert second - first > 0.09e9
        await heard.until(lambda: server.attempts == 2)
        assert server.peers[0].pings >= 1


@in_loop
async def test_connection_that_answers_pings_is_kept_however_little_it_says() -> None:
    options = {"silence": 0.2, "connect_timeout": 0.4}
    async with Server(say_one) as server, Listener(Toy(server.ws_url, **options)) as heard:
        await heard.until(lambda: heard.prices == [1.0])
        await asyncio.sleep(0.65)  # also longer than connecting may take
        assert (heard.losses, server.attempts, heard.feed.is_up) == (0, 1, True)
        assert server.peers[0].pings >= 3


@in_loop
async def test_pings_of_the_server_are_answered_and_are_a_sign_of_life() -> None:
    async def script(peer: Peer) -> None:
        peer.answers_pings = False
        await peer.send({"m": "a", "p": 1})
        for i in range(12):
            await peer.ping(b"beat %d" % i)
            await asyncio.sleep(0.04)
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url, silence=0.24)) as heard:
        await heard.until(lambda: bool(server.peers) and len(server.peers[0].pongs) == 12)
        assert server.peers[0].pongs[0] == b"beat 0"
        assert heard.losses == 0


@in_loop
async def test_loop_that_was_held_up_itself_loses_nothing() -> None:
    async def script(peer: Peer) -> None:
        for i in range(3):
            await peer.send({"m": "a", "p": i})
            await asyncio.sleep(0.01)
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url, silence=0.2)) as heard:
        heard.at_update = lambda update: time.sleep(0.3) if update.price == 0.0 else None
        await heard.until(lambda: heard.prices == [0.0, 1.0, 2.0])
        assert heard.losses == 0


@in_loop
async def test_gap_is_mended_at_once_and_the_next_one_after_a_wait() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, {"gap": "3 after 1"})
        await peer.hold()

    # The first wait is 38 s long: a second connection within this test is made without one.
    async with Server(script) as server:
        feed = Toy(server.ws_url, backoff=Backoff(60.0, 60.0, np.random.default_rng(0)))
        async with Listener(feed) as heard:
            await heard.until(lambda: heard.losses == 2)
            await asyncio.sleep(0.05)
            assert server.attempts == 2
            assert (feed.status().gaps, feed.status().last_error) == (2, "gap: 3 after 1")


@in_loop
async def test_connection_that_held_is_followed_by_a_short_wait_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("horizon.feeds.websocket._HOLDS", 0.5)
    bounds = []

    async def script(peer: Peer) -> None:
        bounds.append(backoff.bound)
        await peer.send({"m": "a", "p": 1})
        if len(bounds) >= 4:
            await asyncio.sleep(0.55)  # by now it counts as one that holds
        if len(bounds) >= 5:
            await peer.send({"gap": "mended at once, each time"})
        await peer.close()

    backoff = Backoff(0.0001, 1.0)
    async with Server(script) as server, Listener(Toy(server.ws_url, backoff=backoff)) as heard:
        await heard.until(lambda: len(bounds) == 7)
        # Doubled by each short connection; the fifth follows one that held, and after a gap
        # there is no wait that would double anything.
        assert [round(bound * 1e4) for bound in bounds] == [1, 2, 4, 8, 2, 1, 1]


@in_loop
async def test_answer_to_a_connection_that_has_ended_is_given_to_no_other() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"ask": 1, "gap": "and an end"})
        await peer.hold()

    async def other(peer: Peer) -> None:
        await peer.receive()
        await peer.send({"ask": 2})
        assert await peer.receive() == {"answer": 2}
        await say_one(peer)

    async with Server(script, other) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: heard.prices == [1.0])


@in_loop
async def test_answer_that_cannot_be_sent_is_a_loss() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, *[{"ask": i} for i in range(60)])
        peer.drop()

    class Slow(Toy):
        def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
            time.sleep(0.001)  # so that the end comes while answers are still being sent
            return super()._take(message, received_ns)

    async with Server(script, say_one) as server, Listener(Slow(server.ws_url)) as heard:
        await heard.until(lambda: len(heard.updates) == 3)
        assert [u.is_lost for u in heard.updates] == [False, True, False]


@in_loop
async def test_server_that_asks_for_a_pause_gets_one() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, {"later": "full"})
        await peer.hold()

    patient = Backoff(60.0, 60.0, np.random.default_rng(0))
    async with Server(script) as server, Listener(Toy(server.ws_url, backoff=patient)) as heard:
        await heard.until(lambda: heard.losses == 1)
        await asyncio.sleep(0.05)
        assert server.attempts == 1
        assert heard.feed.status().last_error == "the server says: full"
        assert heard.feed.status().gaps == 0


# ------------------------------------------------------------------------------- garbage
GARBAGE: list[object] = [
    "not JSON",
    "{",
    b"\xff\xfe",
    "[]",
    "null",
    "3",
    {},
    {"m": "a"},
    {"m": "a", "p": None},
    {"m": "a", "p": "NaN"},
    {"m": "a", "p": -1},
    {"m": "a", "p": {"deep": 1}},
    {"m": "c", "p": 1},
    {"m": ["a"], "p": 1},
]


@in_loop
async def test_garbage_is_counted_and_never_delivered() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, *GARBAGE, {"m": "a", "p": 2})
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
        assert heard.prices == [1.0, 2.0]
        status = heard.feed.status()
        # "null" parses to nothing, which is a message that says nothing.
        assert status.garbage == len(GARBAGE) - 1
        assert status.messages == len(GARBAGE) + 2
        assert str(status.last_error).startswith("garbage: ")
        assert server.attempts == 1


@in_loop
async def test_protocol_may_be_written_as_a_generator() -> None:
    class Lazy(Toy):
        def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
            yield from super()._take(message, received_ns)

    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, *GARBAGE, {"m": "a", "p": 2}, {"gap": "here"})
        await peer.hold()

    async with Server(script, hold) as server, Listener(Lazy(server.ws_url)) as heard:
        await heard.until(lambda: server.attempts == 2)
        assert heard.prices == [1.0, 2.0]
        assert heard.feed.status().garbage == len(GARBAGE) - 1
        assert (heard.feed.status().gaps, heard.losses) == (1, 1)


@in_loop
async def test_hundred_messages_of_garbage_in_a_row_end_the_connection() -> None:
    async def nearly(peer: Peer) -> None:
        for _ in range(3):
            await peer.send(*["?"] * 99, {"m": "a", "p": 1})
        await peer.send(*["?"] * 100)
        await peer.hold()

    async with Server(nearly, hold) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: server.attempts == 2)
        assert heard.feed.status().garbage == 397
        assert [u.is_lost for u in heard.updates] == [False, False, False, True]
        assert str(heard.feed.status().last_error).startswith("100 messages in a row were garbage")


# ------------------------------------------------------------------------------ refusals
@pytest.mark.parametrize("status", [401, 403, 404, 410])
@in_loop
async def test_refusal_for_good_ends_the_feed(status: int) -> None:
    async with Server(Refuse(status)) as server:
        feed = Toy(server.ws_url + "?key=secret")
        with pytest.raises(
            FeedError, match=rf"feed 'toy' at ws://.* is refused.*HTTP {status}"
        ) as e:
            await feed.listen(print)
        assert "secret" not in str(e.value) + str(feed.status())
        assert (server.attempts, feed.status().state) == (1, "failed")


@in_loop
async def test_server_that_is_restarted_may_refuse_for_a_moment() -> None:
    async def brief(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1})
        peer.drop()

    scripts = (brief, Refuse(404), Refuse(404), brief, Refuse(404), Refuse(403), Refuse(404))
    async with Server(*scripts) as server:
        updates: list[Update] = []
        with pytest.raises(FeedError, match="HTTP 404"):
            await Toy(server.ws_url).listen(updates.append)
        assert server.attempts == 7
        assert [u.is_lost for u in updates] == [False, True, False, True]


@pytest.mark.parametrize("script", [Refuse(503), Refuse(429), Refuse(500), Cut()], ids=str)
@in_loop
async def test_trouble_that_passes_is_waited_for(script: Refuse | Cut) -> None:
    async with Server(script, script, say_one) as server:
        feed = Toy(server.ws_url + "?key=secret")
        async with Listener(feed) as heard:
            await heard.until(lambda: heard.prices == [1.0])
            assert server.attempts == 3
            # aiohttp itself tries once more where there is no answer at all.
            assert feed.status().reconnects == (1 if isinstance(script, Cut) else 2)
            assert "secret" not in str(feed.status())


@in_loop
async def test_server_says_when_to_come_back() -> None:
    later = Refuse(429, {"Retry-After": "0.15"})
    async with Server(later, say_one) as server, Listener(Toy(server.ws_url)) as heard:
        await heard.until(lambda: server.attempts == 1)
        begun = time.monotonic()
        await heard.until(lambda: heard.prices == [1.0])
        assert time.monotonic() - begun > 0.12


@in_loop
async def test_unknown_market_ends_the_feed() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 1}, {"unknown": "b"})
        await peer.hold()

    async with Server(script) as server:
        feed = Toy(server.ws_url)
        with pytest.raises(FeedError, match=r"feed 'toy' at ws://.*/ws knows no such market"):
            await feed.listen(print)


@in_loop
async def test_server_that_is_not_there_yet_is_waited_for() -> None:
    async with Server(say_one) as server:
        pass
    feed = Toy(server.ws_url)
    async with Listener(feed) as heard:
        await heard.until(lambda: feed.status().reconnects >= 2)
        assert feed.status().state == "connecting"
        assert "no connection: Cannot connect to host 127.0.0.1" in str(feed.status().last_error)
        async with server:
            await heard.until(lambda: heard.prices == [1.0])
        await heard.until(lambda: heard.losses == 1)


@in_loop
async def test_server_that_never_answers_is_given_up() -> None:
    server = Server(Cut(delay=0.4), say_one)
    async with server, Listener(Toy(server.ws_url, connect_timeout=0.05)) as heard:
        await heard.until(lambda: heard.prices == [1.0])
        assert heard.feed.status().last_error == "no connection within 0.05 s"


@in_loop
async def test_feed_that_is_not_confirmed_in_time_is_not_up() -> None:
    class Confirmed(Toy):
        confirms = True

        def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
            if message == {"ok": True}:
                self._set_state("up")
                return ()
            return super()._take(message, received_ns)

    async def talks(peer: Peer) -> None:
        # Talk alone does not confirm anything.
        while True:
            await peer.send({"m": "a", "p": 1})
            await asyncio.sleep(0.01)

    async def confirms(peer: Peer) -> None:
        await peer.send({"ok": True})
        await peer.hold()

    async with Server(talks, confirms) as server:
        feed = Confirmed(server.ws_url, connect_timeout=0.25)
        async with Listener(feed) as heard:
            await heard.until(lambda: heard.losses == 1)
            assert feed.status().last_error == "no confirmation within 0.25 s"
            assert feed.status().state == "connecting"
            await heard.until(lambda: feed.is_up)
            await asyncio.sleep(0.4)  # it would be silent for too long by now
            assert (feed.is_up, server.attempts) == (True, 2)


# ------------------------------------------------------------------------- the receiver
@pytest.mark.parametrize("kind", [OSError, TimeoutError, ValueError, Gap, KeyError])
@in_loop
async def test_error_of_the_receiver_is_no_error_of_the_connection(kind: type[Exception]) -> None:
    calls = []

    def refuse(update: Update) -> None:
        calls.append(update)
        raise kind("mine")

    async with Server(say_one) as server:
        with pytest.raises(kind, match="mine"):
            await Toy(server.ws_url).listen(refuse)
        assert (server.attempts, len(calls)) == (1, 1)


@in_loop
async def test_leaving_says_goodbye() -> None:
    async with Server(say_one) as server:
        async with Listener(Toy(server.ws_url)) as heard:
            await heard.until(lambda: heard.prices == [1.0])
        await asyncio.wait_for(server.peers[0].is_gone.wait(), 5.0)
        assert server.peers[0].close_code == 1000
        assert heard.feed.status().state == "stopped"
        assert heard.losses == 0  # whoever has left is told nothing
        async with Listener(heard.feed) as again:
            await again.until(lambda: again.prices == [1.0])


@in_loop
async def test_leaving_waits_for_no_flood() -> None:
    async def script(peer: Peer) -> None:
        peer.stop_reading()  # our goodbye is never seen
        while True:
            await peer.send(*[{"m": "a", "p": 1}] * 100)
            await asyncio.sleep(0)

    async with Server(script) as server:
        async with Listener(Toy(server.ws_url)) as heard:
            # There is always a message that waits: nobody is ever found waiting for one.
            heard.at_update = lambda update: time.sleep(0.0002)
            await heard.until(lambda: len(heard.updates) >= 1_000)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5.0


@in_loop
async def test_connection_is_broken_off_while_nothing_comes() -> None:
    class Timed(Toy):
        def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
            if message.get("m") == "b":
                self._call_later(0.05, lambda: self._break_off(Gap("nothing followed")))
            return super()._take(message, received_ns)

    async def kept(peer: Peer) -> None:
        # The timer of this connection ends with it.
        await peer.send({"m": "b", "p": 1}, {"gap": "first"})
        await peer.hold()

    async def broken(peer: Peer) -> None:
        await peer.send({"m": "a", "p": 2})
        await asyncio.sleep(0.1)
        await peer.send({"m": "b", "p": 3})
        await peer.hold()

    async with Server(kept, broken, hold) as server, Listener(Timed(server.ws_url)) as heard:
        await heard.until(lambda: server.attempts == 3)
        told = [(u.market_id, u.is_lost) for u in heard.updates]
        assert told == [
            ("b", False),
            ("b", True),
            ("a", False),
            ("b", False),
            ("a", True),
            ("b", True),
        ]
        status = heard.feed.status()
        assert (status.gaps, status.last_error) == (2, "gap: nothing followed")


@in_loop
async def test_others_have_their_turn_while_messages_are_queued() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(*[{"m": "a", "p": i} for i in range(300)])
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url)) as heard:
        turns = 0

        def burn(update: Update) -> None:
            until = time.perf_counter() + 0.001
            while time.perf_counter() < until:
                pass

        heard.at_update = burn

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += bool(heard.updates)

        task = asyncio.create_task(other())
        await heard.until(lambda: len(heard.updates) == 300)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # 300 ms of work: a turn every 8 ms is 37, were all of them queued at once.
        assert turns >= 30


@in_loop
async def test_slow_receiver_slows_the_server_and_loses_nothing() -> None:
    text = "x" * 10_000
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        for i in range(2_000):
            await peer.send({"m": "a", "p": i, "text": text})
            sent += 1
        await peer.hold()

    async with Server(script) as server, Listener(Toy(server.ws_url)) as heard:
        ahead = 0

        def look(update: Update) -> None:
            nonlocal ahead
            if len(heard.updates) <= 50:
                time.sleep(0.002)
            ahead = max(ahead, sent - len(heard.updates))

        heard.at_update = look
        await heard.until(lambda: len(heard.updates) == 2_000)
        assert heard.prices == list(map(float, range(2_000)))
        assert heard.losses == 0
        # 20 MB were on their way: what is neither sent nor taken is in the sockets, not in us.
        assert ahead < 1_500


@in_loop
async def test_system_clock_that_jumps_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(peer: Peer) -> None:
        for i in range(60):
            await peer.send({"m": "a", "p": i})
            await asyncio.sleep(0.002)
        await peer.hold()

    real, real_ns, shift = time.time, time.time_ns, 0.0
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + int(shift * 1e9))
    begun = real_ns()
    async with Server(script) as server, Listener(Toy(server.ws_url, silence=1.0)) as heard:

        def jump(update: Update) -> None:
            nonlocal shift
            shift = {20: 86_400.0, 40: -86_400.0}.get(len(heard.updates), shift)

        heard.at_update = jump
        await heard.until(lambda: len(heard.updates) == 60)
        times = [u.received_ns for u in heard.updates]
        assert times == sorted(times)
        assert begun <= times[0]
        assert times[-1] < begun + 10 * 10**9
        assert (heard.losses, server.attempts) == (0, 1)
        since = heard.feed.status().since
        assert since is not None
        assert abs(since - begun / 1e9) < 10.0


@in_loop
async def test_stamps_are_of_the_clock_that_is_given() -> None:
    now_ns = steady_clock(lambda: 5_000, lambda: 0)
    async with Server(say_one) as server, Listener(Toy(server.ws_url), clock=now_ns) as heard:
        await heard.until(lambda: len(heard.updates) == 1)
        assert heard.updates[0].received_ns == 5_000


def test_protocol_must_say_what_a_message_means() -> None:
    class Mute(WebSocketFeed):
        pass

    with pytest.raises(TypeError, match="_take"):
        Mute("mute", ["a"], url="ws://host")  # type: ignore[abstract]


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="url must be an address with ws:// or wss://"):
        Toy("http://host")
    with pytest.raises(ValueError, match="silence must be above 0, was 0"):
        Toy("ws://host", silence=0)
    with pytest.raises(ValueError, match="connect_timeout must be above 0"):
        Toy("ws://host", connect_timeout=-1)


# ---------------------------------------------------------------------------------- cuts
async def _cut_again_and_again(cuts: int, seed: int) -> None:
    """Cut a connection at random points; each loss is told first, and none is the last."""
    rng = random.Random(seed)
    plan = [
        (rng.choice(["drop", "close", "half", "refuse", "cut", "shut"]), rng.randint(0, 30))
        for _ in range(cuts)
    ]

    def script_of(number: int, how: str, count: int) -> Any:
        if how == "refuse":
            return Refuse(503)
        if how == "cut":
            return Cut()

        async def script(peer: Peer) -> None:
            for i in range(count):
                # The price says which connection it was, and where in it.
                await peer.send({"m": "ab"[i % 2], "p": number * 1_000 + i})
            if how == "drop":
                peer.drop()
            elif how == "close":
                await peer.close(1001)
            elif how == "half":
                peer.write_raw(b"\x81\x7e\x0f")
                peer.request.transport.close()  # type: ignore[union-attr]
            else:
                peer.request.transport.close()  # type: ignore[union-attr]

        return script

    async def last(peer: Peer) -> None:
        await peer.send({"m": "a", "p": cuts * 1_000})
        await peer.hold()

    scripts = [script_of(i, *planned) for i, planned in enumerate(plan)]
    async with Server(*scripts, last) as server:
        feed = Toy(server.ws_url, backoff=Backoff(0.001, 0.004))
        async with Listener(feed) as heard:
            known: dict[str, int] = {}

            def look(update: Update) -> None:
                if update.is_lost:
                    # Told before anybody tried to connect again, and only of what was known.
                    number = known.pop(update.market_id)
                    assert server.attempts == number + 1
                    assert not feed.is_up
                    return
                number = int(update.price) // 1_000
                assert server.attempts == number + 1
                # What an earlier connection had said is gone by now.
                assert set(known.values()) <= {number}
                known[update.market_id] = number

            heard.at_update = look
            await heard.until(lambda: heard.prices[-1:] == [cuts * 1_000.0], seconds=60.0)
            assert feed.is_up
            assert known == {"a": cuts}
            # aiohttp itself tries once more where an opening request gets no answer at all.
            unanswered = sum(how == "cut" for how, _ in plan)
            assert server.attempts == cuts + 1
            assert cuts - unanswered <= feed.status().reconnects <= cuts
            assert feed.status().garbage == 0


@in_loop
async def test_ten_cuts_at_random_points_are_all_got_over() -> None:
    await _cut_again_and_again(10, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
@in_loop
async def test_two_hundred_cuts_at_random_points_are_all_got_over(seed: int) -> None:
    await _cut_again_and_again(200, seed)
