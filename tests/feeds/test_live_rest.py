"""Prices out of JSON over HTTP: paths, what is no answer, and when to ask again."""

from __future__ import annotations

import asyncio
import math
import time
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from horizon.errors import FeedError
from horizon.feeds import Backoff, RESTFeed, Update, create
from horizon.types import AssetClass
from tests.feeds.servers.base import Answer, Listener, Server, in_loop

QUICK = Backoff(0.001, 0.004)
TICKER = {"data": [{"last": "0.5", "bid": 0.49, "ask": 0.51, "sizes": {"bid": 10, "a.sk": 20}}]}


def feed_of(server: Server, path: str = "/t", **options: Any) -> RESTFeed:
    options = {"market_id": "m", "every": 0.01, "price": "p", "backoff": QUICK} | options
    return RESTFeed(server.url + path, **options)


def told(update: Update) -> dict[str, object]:
    """Fields of an update that stand for something, without its time."""
    fields = update._asdict()
    del fields["received_ns"]
    return {k: v for k, v in fields.items() if v not in (None, False) and v == v}


# --------------------------------------------------------------------------------- paths
@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"price": "data.0.last"}, {"price": 0.5}),
        ({"price": ["data", 0, "last"]}, {"price": 0.5}),
        ({"price": lambda answer: Decimal(answer["data"][0]["last"])}, {"price": 0.5}),
        ({"bid": "data.0.bid", "ask": "data.0.ask"}, {"price": 0.5, "bid": 0.49, "ask": 0.51}),
        (
            {
                "price": "data.0.last",
                "bid_size": "data.0.sizes.bid",
                "ask_size": ("data", 0, "sizes", "a.sk"),
                "volume": lambda answer: len(answer["data"]),
            },
            {"price": 0.5, "bid_size": 10.0, "ask_size": 20.0, "volume": 1.0},
        ),
    ],
    ids=["dots", "list", "callable", "quotes", "sizes"],
)
@in_loop
async def test_numbers_are_found_at_their_paths(paths: Any, expected: Any) -> None:
    async with Server(answers={"/t": [Answer(TICKER)]}) as server:
        options = {"price": None} | paths
        async with Listener(feed_of(server, **options)) as heard:
            await heard.until(lambda: len(heard.updates) >= 1)
            assert told(heard.updates[0]) == {"market_id": "m"} | expected
            assert heard.feed.is_up


@in_loop
async def test_side_without_a_quote_is_null() -> None:
    answer = Answer({"p": 0.5, "bid": None, "ask": 0.51})
    server = Server(answers={"/t": [answer]})
    async with server, Listener(feed_of(server, bid="bid", ask="ask")) as heard:
        await heard.until(lambda: len(heard.updates) >= 1)
        assert told(heard.updates[0]) == {"market_id": "m", "price": 0.5, "ask": 0.51}


# -------------------------------------------------------------------------- what is wrong
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("<html>"), "garbage: "),
        (Answer("null"), "price: nothing at 'p' (LookupError: 'p' in None)"),
        (Answer({"q": 1}), "price: nothing at 'p' (KeyError: 'p')"),
        (Answer([1]), "price: nothing at 'p' (ValueError"),
        (Answer({"p": None}), "price must be a number, was None"),
        (Answer({"p": "NaN"}), "price must be a number from 0 to 1e15, was 'NaN'"),
        (Answer('{"p": NaN}'), "garbage: "),
        (Answer({"p": -0.1}), "price must be a number from 0 to 1e15, was -0.1"),
        (Answer({"p": True}), "price must be a number, was True"),
        (Answer({"p": [0.5]}), "price must be a number, was [0.5]"),
        (Answer({"p": 1, "bid": 0.6, "ask": 0.5}), "bid 0.6 is above ask 0.5"),
        (Answer({"p": 1}, status=500), "the server answered HTTP 500 Internal Server Error"),
        (Answer(status=304), "the server answered HTTP 304 Not Modified"),
        (Answer({"p": 1}, delay=0.5), "no answer within 0.2 s"),
    ],
    ids=lambda value: str(getattr(value, "body", ""))[:24] or None,
)
@in_loop
async def test_answer_that_is_none_loses_the_market_until_the_next_good_one(
    answer: Answer, said: str
) -> None:
    def optional(name: str) -> Any:
        return lambda found: found.get(name) if isinstance(found, dict) else None

    good = Answer({"p": 1.0})
    timeout = 0.2 if answer.delay else 10.0
    async with Server(answers={"/t": [good, answer, answer, good]}) as server:
        feed = feed_of(server, bid=optional("bid"), ask=optional("ask"), timeout=timeout)
        async with Listener(feed) as heard:
            states = []
            heard.at_update = lambda update: states.append(feed.is_up)
            await heard.until(lambda: len(heard.updates) >= 3)
            # Lost once, though two answers were none.
            assert [u.is_lost for u in heard.updates[:3]] == [False, True, False]
            assert states[1] is False
            assert said in str(feed.status().last_error)
            assert feed.status().reconnects == 2
            is_garbage = answer.status == 200 and not answer.delay
            assert feed.status().garbage == 2 * is_garbage


@in_loop
async def test_neither_bid_nor_ask_is_no_price() -> None:
    async with Server(answers={"/t": [Answer({"b": None, "a": None})]}) as server:
        feed = feed_of(server, price=None, bid="b", ask="a")
        async with Listener(feed) as heard:
            await heard.until(lambda: feed.status().garbage >= 1)
            assert "bid and ask: the answer has neither" in str(feed.status().last_error)
            assert heard.updates == []


@in_loop
async def test_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("horizon.feeds.rest._LARGEST", 100_000)
    server = Server(answers={"/t": [Answer("9" * 200_000)]})
    async with server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: heard.feed.status().garbage >= 1)
        assert "the answer is larger than 100,000 bytes" in str(heard.feed.status().last_error)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
@in_loop
async def test_refusal_ends_the_feed(status: int) -> None:
    async with Server(answers={"/t": [Answer({}, status=status)]}) as server:
        feed = feed_of(server, "/t?key=secret")
        with pytest.raises(
            FeedError, match=rf"feed 'rest' at http://.*/t is refused.*{status}"
        ) as e:
            await feed.listen(print)
        assert len(server.requests) == 1
        assert "secret" not in str(e.value) + str(feed.status())


@in_loop
async def test_feed_that_was_up_is_refused_three_times_before_it_ends() -> None:
    good, gone = Answer({"p": 1}), Answer(status=404)
    async with Server(answers={"/t": [good, gone, gone, good, gone]}) as server:
        updates: list[Update] = []
        with pytest.raises(FeedError):
            await feed_of(server).listen(updates.append)
        assert [u.is_lost for u in updates] == [False, True, False, True]
        assert len(server.requests) == 7


@in_loop
async def test_what_the_receiver_raises_is_passed_on() -> None:
    def refuse(update: Update) -> None:
        raise TimeoutError("mine")

    async with Server(answers={"/t": [Answer({"p": 1})]}) as server:
        with pytest.raises(TimeoutError, match="mine"):
            await feed_of(server).listen(refuse)


# --------------------------------------------------------------------------- when to ask
@in_loop
async def test_server_that_asks_for_peace_has_it() -> None:
    busy = Answer(status=429, headers={"Retry-After": "0.2"})
    server = Server(answers={"/t": [busy, Answer({"p": 1})]})
    async with server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(server.requests) == 1)
        begun = time.monotonic()
        await heard.until(lambda: len(heard.updates) >= 1)
        assert time.monotonic() - begun > 0.15


@in_loop
async def test_questions_keep_their_distance_whatever_an_answer_takes() -> None:
    server = Server(answers={"/t": [Answer({"p": 1}, delay=0.04)]})
    async with server, Listener(feed_of(server, every=0.1)) as heard:
        await heard.until(lambda: len(heard.updates) >= 6)
        times = [u.received_ns for u in heard.updates[:6]]
        # 0.1 s from one to the next, and not 0.14: the quickest of five, since others may be busy.
        assert min(b - a for a, b in pairwise(times)) < 0.13e9
        assert times[-1] - times[0] > 0.3e9


@in_loop
async def test_unchanged_answer_is_told_by_its_tag_and_is_an_update() -> None:
    tagged, same = Answer({"p": 1}, headers={"ETag": '"v1"'}), Answer(status=304)
    server = Server(answers={"/t": [tagged, same]})
    async with server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) >= 3)
        assert heard.prices[:3] == [1.0, 1.0, 1.0]
        times = [u.received_ns for u in heard.updates[:3]]
        assert times == sorted(set(times))
        tags = [request.headers.get("If-None-Match") for request in server.requests[:3]]
        assert tags == [None, '"v1"', '"v1"']
        assert heard.losses == 0


@in_loop
async def test_several_markets_are_asked_for_each_by_itself() -> None:
    answers = {
        "/t/1": [Answer({"p": 1})],
        "/t/b/c?d": [Answer({"p": 2}), Answer(status=500), Answer({"p": 2})],
    }
    async with Server(answers=answers) as server:
        feed = feed_of(server, "/t/{market}?k={market}", market_id={"a": "1", "b": "b/c?d"})
        async with Listener(feed) as heard:
            await heard.until(lambda: heard.losses == 1 and heard.prices.count(2.0) >= 2)
            assert {(u.market_id, u.price) for u in heard.updates if not u.is_lost} == {
                ("a", 1.0),
                ("b", 2.0),
            }
            # The trouble of one is not the other's.
            assert {u.market_id for u in heard.updates if u.is_lost} == {"b"}
            queries = {(request.path, request.query["k"]) for request in server.requests}
            assert queries == {("/t/1", "1"), ("/t/b/c?d", "b/c?d")}


@in_loop
async def test_feed_is_up_once_all_markets_are() -> None:
    bad = Answer(status=500)
    answers = {"/t/a": [Answer({"p": 1})], "/t/b": [*[bad] * 6, Answer({"p": 2})]}
    async with Server(answers=answers) as server:
        feed = feed_of(server, "/t/{market}", market_id=["a", "b"])
        async with Listener(feed) as heard:
            early: list[bool] = []  # whether it was up while b had not said anything

            def look(update: Update) -> None:
                if 2.0 not in heard.prices:
                    early.append(feed.is_up)

            heard.at_update = look
            await heard.until(lambda: feed.is_up)
            assert early
            assert not any(early)
            assert 2.0 in heard.prices


@in_loop
async def test_wait_after_a_bad_answer_doubles_until_a_good_one() -> None:
    bounds: list[float] = []

    class Noted(Backoff):
        def wait(self) -> float:
            bounds.append(self.bound)
            return super().wait()

    good, bad = Answer({"p": 1}), Answer(status=500)
    server = Server(answers={"/t": [bad, bad, bad, good, bad, good]})
    async with server, Listener(feed_of(server, backoff=Noted(0.001, 0.1))) as heard:
        await heard.until(lambda: len(heard.prices) >= 2)
        assert bounds == [0.001, 0.002, 0.004, 0.001]


@in_loop
async def test_headers_and_params_are_sent_and_kept_to_one_server() -> None:
    answers = {
        "/t": [Answer({}, status=302, headers={"Location": "/other"})],
        "/other": [Answer({"p": 1})],
    }
    async with Server(answers=answers) as server:
        feed = feed_of(server, headers={"X-Key": "secret"}, params={"q": "1 2"})
        async with Listener(feed) as heard:
            await heard.until(lambda: feed.status().reconnects >= 1)
            assert server.requests[0].headers["X-Key"] == "secret"
            assert server.requests[0].query["q"] == "1 2"
            # With a key among the headers nobody is followed anywhere.
            assert {request.path for request in server.requests} == {"/t"}
            assert "secret" not in str(feed.status()) + repr(feed) + str(heard.updates)
        async with Listener(feed_of(server)) as heard:
            await heard.until(lambda: len(heard.updates) >= 1)


@pytest.mark.parametrize("place", ["/t?key=again", "//:0/?key=again", "ftp://x/?key=again"])
@in_loop
async def test_redirection_that_leads_nowhere_shows_no_key(place: str) -> None:
    nowhere = Answer({}, status=302, headers={"Location": place})
    async with Server(answers={"/t": [nowhere]}) as server:
        feed = feed_of(server, params={"key": "secret"})
        async with Listener(feed):
            while not feed.status().reconnects:
                await asyncio.sleep(0.002)
            assert "no answer: " in str(feed.status().last_error)
            assert "secret" not in str(feed.status())
            assert "again" not in str(feed.status())


@in_loop
async def test_server_that_is_not_there_yet_is_waited_for() -> None:
    server = Server(answers={"/t": [Answer({"p": 1})]})
    async with server:
        pass
    feed = feed_of(server)
    async with Listener(feed) as heard:
        await heard.until(lambda: feed.status().reconnects >= 2)
        assert feed.status().state == "connecting"
        assert "no answer: Cannot connect" in str(feed.status().last_error)
        async with server:
            await heard.until(lambda: len(heard.updates) >= 1)
            assert feed.is_up
        await heard.until(lambda: heard.losses == 1)
        assert feed.status().state == "reconnecting"


# ----------------------------------------------------------------------------- arguments
@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"price": None}, ValueError, "price must be given, or bid and ask"),
        ({"price": None, "bid": "b"}, ValueError, "price must be given, or bid and ask"),
        ({"price": ""}, ValueError, "price must be a path such as 'data.0.last'"),
        ({"price": "a..b"}, ValueError, "price must be a path"),
        ({"price": [-1]}, ValueError, "price must be a path"),
        ({"price": 3}, ValueError, "price must be a path .* was 3"),
        ({"market_id": ["a", "b"]}, ValueError, r"url must have \{market\} in it for 2 markets"),
        ({"every": 0}, ValueError, "every must be above 0"),
        ({"timeout": math.inf}, ValueError, "timeout must be a finite number"),
        ({"headers": {"k": 1}}, TypeError, "headers must map text to text, has a int"),
        ({"headers": "k"}, TypeError, "headers must be a dict of texts, was a str"),
        ({"url": "ws://host"}, ValueError, "url must be an address with http:// or https://"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(options: Any, kind: type[Exception], said: str) -> None:
    given = {"url": "http://host/t", "market_id": "m", "price": "p"} | options
    with pytest.raises(kind, match=said):
        RESTFeed(given.pop("url"), **given)


def test_feed_is_made_by_its_name() -> None:
    feed = create("rest", url="http://h/t", market_id="m", price="p", asset_class=AssetClass.Equity)
    assert isinstance(feed, RESTFeed)
    assert (feed.market_ids, feed.asset_class, feed.has_books) == (("m",), AssetClass.Equity, False)


@in_loop
async def test_leaving_leaves_no_question_behind() -> None:
    async with Server(answers={"/t": [Answer({"p": 1}, delay=0.2)]}) as server:
        async with Listener(feed_of(server)) as heard:
            await heard.until(lambda: len(server.requests) == 1)
        assert heard.feed.status().state == "stopped"
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1
