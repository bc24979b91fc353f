"""Polymarket's books, over sockets on localhost that speak the venue's published protocol."""

import asyncio
import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.errors import FeedError
from horizon.feeds.backoff import Backoff
from horizon.feeds.live import WRONG
from horizon.feeds.polymarket import PolymarketBook
from horizon.feeds.updates import Gap, Update
from horizon.types import AssetClass
from tests.feeds.servers.base import Answer, Listener, Peer, Refuse, Script, Server
from tests.feeds.servers.polymarket import NO, OTHER, YES, Polymarket, market_answer

SECOND = 1_000_000_000


def venue() -> Polymarket:
    """The book of the venue's own documentation, and that of another outcome."""
    bids = {"0.48": "30", "0.49": "20", "0.50": "15"}
    asks = {"0.52": "25", "0.53": "60", "0.54": "10"}
    return Polymarket({YES: (bids, asks), NO: ({"0.46": "7"}, {"0.50": "9"})})


def feed_of(server: Server, markets: Any = YES, **options: Any) -> PolymarketBook:
    options.setdefault("backoff", Backoff(0.01, 0.02))
    return PolymarketBook(markets, url=server.ws_url, http_url=server.url, **options)


def opened(market: Any = "m") -> PolymarketBook:
    """A feed without a connection, that has had its first book."""
    feed = PolymarketBook({market: YES})
    list(feed._take(venue().book(YES), SECOND))
    return feed


def stay(script: Script) -> Script:
    """Let the server hold the connection once the script is at its end."""

    async def then_stay(peer: Peer) -> None:
        await script(peer)
        await peer.hold()

    return then_stay


def play(
    script: Script,
    enough: Callable[[Listener], bool],
    *more: Script,
    markets: Any = YES,
    **options: Any,
) -> Listener:
    """Let the server play a script (and more for further connections) until it is enough."""

    async def run() -> Listener:
        scripts = [stay(each) for each in (script, *more)]
        async with Server(*scripts) as server:
            feed = feed_of(server, markets, **options)
            async with Listener(feed) as heard:
                await heard.until(lambda: enough(heard))
            heard.status = feed.status()  # type: ignore[attr-defined]
            return heard

    return asyncio.run(run())


def test_first_book_is_delivered_whole_and_best_first() -> None:
    poly = venue()
    heard = play(poly.open, lambda heard: len(heard.updates) == 1)
    (update,) = heard.updates
    assert update == Update(
        YES,
        update.received_ns,
        1_757_908_892_001 * 1_000_000,  # the venue's first stamp, in milliseconds
        0.51,  # (0.50 + 0.52) / 2
        0.50,
        0.52,
        15.0,
        25.0,
        update.volume,
        (([0.50, 0.49, 0.48], [15.0, 20.0, 30.0]), ([0.52, 0.53, 0.54], [25.0, 60.0, 10.0])),
    )
    assert update.volume != update.volume
    assert poly.subscriptions == [{"assets_ids": [YES], "type": "market"}]


def test_changes_set_add_and_take_away_levels() -> None:
    poly = venue()

    async def script(peer: Peer) -> None:
        await poly.open(peer)
        await peer.send(poly.change(YES, "BUY", "0.50", "40"))
        await peer.send(poly.change(YES, "SELL", "0.52", "0"))
        await peer.send(poly.change(YES, "BUY", "0.515", "2.5"))

    heard = play(script, lambda heard: len(heard.updates) == 4)
    assert [update.levels for update in heard.updates[1:]] == [
        (([0.50, 0.49, 0.48], [40.0, 20.0, 30.0]), ([0.52, 0.53, 0.54], [25.0, 60.0, 10.0])),
        (([0.50, 0.49, 0.48], [40.0, 20.0, 30.0]), ([0.53, 0.54], [60.0, 10.0])),
        (
            ([0.515, 0.50, 0.49, 0.48], [2.5, 40.0, 20.0, 30.0]),
            ([0.53, 0.54], [60.0, 10.0]),
        ),
    ]
    last = heard.updates[-1]
    assert (last.bid, last.bid_size, last.ask, last.ask_size) == (0.515, 2.5, 0.53, 60.0)


def test_one_message_may_change_both_outcomes_and_several_levels() -> None:
    poly = venue()

    async def script(peer: Peer) -> None:
        await poly.open(peer)
        yes = poly.change(YES, "BUY", "0.51", "5")["price_changes"]
        no = poly.change(NO, "SELL", "0.49", "5")["price_changes"]
        again = poly.change(YES, "BUY", "0.50", "0")["price_changes"]
        await peer.send(poly.changes(yes + no + again))

    heard = play(script, lambda h: len(h.updates) == 4, markets={"yes": YES, "no": NO})
    yes, no = heard.updates[2:]
    assert (yes.market_id, yes.bid, yes.levels[0][0]) == ("yes", 0.51, [0.51, 0.49, 0.48])
    assert (no.market_id, no.ask) == ("no", 0.49)


def test_changes_of_assets_that_nobody_asked_for_are_passed_over() -> None:
    poly = venue()

    async def script(peer: Peer) -> None:
        await poly.open(peer)
        await peer.send(
            poly.book(NO), poly.change(NO, "BUY", "0.47", "1"), poly.trade(NO, ".5", "1")
        )
        await peer.send(poly.change(YES, "BUY", "0.51", "1"))

    heard = play(script, lambda heard: len(heard.updates) == 2)
    assert [update.bid for update in heard.updates] == [0.50, 0.51]
    assert heard.status.garbage == 0


def test_older_form_of_a_change_is_read() -> None:
    poly = venue()
    feed = opened()
    (update,) = feed._take(poly.old_change(YES, "SELL", "0.51", "3"), 2 * SECOND)
    assert (update.ask, update.ask_size, update.bid) == (0.51, 3.0, 0.50)


def test_older_names_of_the_sides_of_a_book_are_read() -> None:
    feed = PolymarketBook(YES)
    book = venue().book(YES)
    book["buys"], book["sells"] = book.pop("bids"), book.pop("asks")
    (update,) = feed._take(book, SECOND)
    assert (update.bid, update.ask) == (0.50, 0.52)


def test_book_replaces_what_was_there() -> None:
    feed = opened()
    poly = Polymarket({YES: ({"0.10": "1"}, {})})
    (update,) = feed._take([poly.book(YES)], 2 * SECOND)
    assert update.levels == (([0.10], [1.0]), ([], []))
    assert update.price != update.price  # no ask, no mid
    assert update.ask != update.ask


@pytest.mark.parametrize(("price", "expected"), [("mid", 0.51), ("last", 0.52)])
def test_trade_comes_with_its_size_as_volume(price: Any, expected: float) -> None:
    poly = venue()
    feed = PolymarketBook(YES, price=price)
    (first,) = feed._take(poly.book(YES), SECOND)
    (trade,) = feed._take(poly.trade(YES, "0.52", "12.5"), 2 * SECOND)
    (later,) = feed._take(poly.change(YES, "BUY", "0.48", "1"), 3 * SECOND)
    assert first.price == 0.51 if price == "mid" else first.price != first.price
    assert (trade.price, trade.volume) == (expected, 12.5)
    assert later.price == expected
    assert later.volume != later.volume  # delivered once


def test_last_price_that_a_book_states_is_taken() -> None:
    feed = PolymarketBook(YES, price="last")
    (update,) = feed._take(venue().book(YES) | {"last_trade_price": "0.515"}, SECOND)
    assert update.price == 0.515


def test_messages_of_other_kinds_say_nothing() -> None:
    feed = opened()
    for message in ("PONG", [], venue().tick_size(YES), {"event_type": "new_market"}):
        assert list(feed._take(message, 2 * SECOND)) == []


def test_changes_before_the_first_book_are_passed_over() -> None:
    feed = PolymarketBook(YES)
    poly = venue()
    assert list(feed._take(poly.change(YES, "BUY", "0.51", "1"), SECOND)) == []
    assert list(feed._take(poly.old_change(YES, "SELL", "0.54", "0"), SECOND)) == []
    assert list(feed._take(poly.trade(YES, "0.5", "1"), SECOND)) == []
    (update,) = feed._take(poly.book(YES), SECOND)
    assert (update.bid, update.volume) == (0.51, 1.0)


def test_pings_as_text_keep_a_silent_connection_open() -> None:
    poly = venue()

    async def run() -> None:
        async def script(peer: Peer) -> None:
            await poly.open(peer)
            await peer.hold()

        async with Server(script) as server:
            feed = feed_of(server, silence=0.2)
            feed.ping_every = 0.04
            async with Listener(feed) as heard:
                await heard.until(lambda: feed.is_up and server.peers[0].pings >= 8)
                assert (server.attempts, heard.losses) == (1, 0)
                server.peers[0].answers_pings = False
                await heard.until(lambda: server.attempts == 2 and feed.is_up)
            assert heard.losses == 1

    asyncio.run(run())


def test_dropped_connection_loses_the_market_at_once_and_comes_back_with_a_fresh_book() -> None:
    poly = venue()

    async def first(peer: Peer) -> None:
        await poly.open(peer)
        poly.change(YES, "BUY", "0.51", "11")  # what nobody hears of
        peer.drop()

    heard = play(first, lambda heard: len(heard.updates) == 3, poly.open)
    before, lost, after = heard.updates
    assert (before.bid, lost.is_lost, lost.market_id) == (0.50, True, YES)
    assert (after.bid, after.bid_size) == (0.51, 11.0)
    assert heard.status.reconnects == 1
    assert heard.status.gaps == 0


ENTRY = {"asset_id": YES, "price": "0.49", "size": "20", "side": "BUY"}
BAD = {
    "not JSON": "{",
    "a number": "7",
    "no event_type": {"asset_id": YES},
    "event_type a list": {"event_type": []},
    "trade without a size": {"event_type": "last_trade_price", "asset_id": YES, "price": "0.5"},
}
BAD_CHANGES = {
    "price NaN": [ENTRY | {"price": "NaN"}],
    "price one": [ENTRY | {"price": "1"}],
    "price zero": [ENTRY | {"price": "0"}],
    "price below zero": [ENTRY | {"price": "-0.1"}],
    "price null": [ENTRY | {"price": None}],
    "size below zero": [ENTRY | {"size": "-1"}],
    "size infinite": [ENTRY | {"size": "inf"}],
    "size true": [ENTRY | {"size": True}],
    "side unknown": [ENTRY | {"side": "HOLD"}],
    "entry no object": [ENTRY, 3],
    "second of two wrong": [ENTRY | {"size": "77"}, ENTRY | {"size": ""}],
    "best no number": [ENTRY | {"best_bid": "x", "best_ask": "y"}],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_garbage_is_counted_and_changes_nothing(bad: Any) -> None:
    poly = venue()

    async def script(peer: Peer) -> None:
        await poly.open(peer)
        await peer.send(bad)
        await peer.send(poly.change(YES, "SELL", "0.53", "1"))

    heard = play(script, lambda heard: len(heard.updates) == 2)
    assert (heard.status.garbage, heard.status.gaps) == (1, 0)
    assert heard.status.last_error.startswith("garbage: ")
    assert heard.updates[-1].levels == (
        ([0.50, 0.49, 0.48], [15.0, 20.0, 30.0]),
        ([0.52, 0.53, 0.54], [25.0, 1.0, 10.0]),
    )


@pytest.mark.parametrize(
    "bad", [*BAD_CHANGES.values(), None], ids=[*BAD_CHANGES.keys(), "level of a book"]
)
def test_change_of_a_book_that_cannot_be_read_loses_the_book(bad: Any) -> None:
    poly = venue()

    async def script(peer: Peer) -> None:
        await poly.open(peer)
        wrong = poly.book(YES) | {"bids": [{"price": "0.10", "size": ""}]}
        await peer.send(wrong if bad is None else poly.changes(bad))
        await peer.hold()

    heard = play(script, lambda heard: len(heard.updates) == 3, poly.open)
    assert [update.is_lost for update in heard.updates] == [False, True, False]
    assert (heard.status.garbage, heard.status.gaps) == (1, 1)
    assert heard.status.last_error.startswith("gap: a change of a book cannot be read: ")


def test_change_of_another_market_may_be_anything() -> None:
    poly = venue()
    feed = opened()
    other = poly.changes([ENTRY | {"asset_id": "3" * 40, "size": "?"}, ENTRY | {"size": "21"}])
    (update,) = feed._take(other, 2 * SECOND)
    assert update.levels[0][1][update.levels[0][0].index(0.49)] == 21.0


def test_garbage_in_a_list_does_not_hold_back_the_rest() -> None:
    poly = venue()
    feed = PolymarketBook({"yes": YES, "no": NO})
    wrong = {"event_type": "last_trade_price", "asset_id": YES, "price": "0.5"}
    (update,) = feed._take([wrong, poly.book(NO)], SECOND)
    assert update.market_id == "no"
    assert feed.status().garbage == 1
    wrong = poly.book(YES) | {"bids": [{"price": "2", "size": "1"}]}
    with pytest.raises(Gap, match="cannot be read: price must lie between 0 and 1"):
        feed._take([poly.book(NO), wrong], SECOND)
    assert feed.status().garbage == 2


def test_book_that_is_crossed_between_two_messages_of_one_match_is_not_delivered() -> None:
    poly = venue()
    feed = opened()
    # A buy of 30 at 0.52 takes the 25 on offer and rests with 5. The venue tells the bid
    # first, with the best prices after the match, and the offer that is gone second.
    bid = poly.change(YES, "BUY", "0.52", "5")
    (entry,) = bid["price_changes"]
    entry["best_ask"] = "0.53"
    assert list(feed._take(bid, 2 * SECOND)) == []
    assert list(feed._take(poly.trade(YES, "0.52", "25"), 2 * SECOND)) == []
    # The second may be taken in late, where something held us up in between.
    (update,) = feed._take(poly.change(YES, "SELL", "0.52", "0"), 5 * SECOND)
    assert (update.bid, update.ask, update.volume) == (0.52, 0.53, 25.0)
    assert list(feed._take("PONG", 9 * SECOND)) == []  # settled: no gap


@pytest.mark.parametrize(
    ("best_bid", "best_ask"), [("0.51", "0.52"), ("0.5", "0.51"), ("0", "0.52"), ("0.5", "1")]
)
def test_best_prices_that_differ_for_a_second_are_a_gap(best_bid: str, best_ask: str) -> None:
    feed = opened()
    entry = ENTRY | {"best_bid": best_bid, "best_ask": best_ask}
    assert list(feed._take(venue().changes([entry]), 2 * SECOND)) == []
    assert list(feed._take(venue().trade(YES, "0.51", "1"), 2 * SECOND)) == []  # of that book
    assert list(feed._take("PONG", 3 * SECOND - 1)) == []
    with pytest.raises(Gap, match=r"book of 'm' does not add up: the venue has .* for the best"):
        feed._take("PONG", 3 * SECOND)


def test_doubts_end_with_their_connection() -> None:
    feed = opened()
    wrong = venue().changes([ENTRY | {"best_bid": "0.51", "best_ask": "0.52"}])
    assert list(feed._take(wrong, 2 * SECOND)) == []
    feed._reset()
    assert list(feed._take("PONG", 9 * SECOND)) == []


@pytest.mark.parametrize("none", ["0", "", "1"], ids=["zero", "empty", "one"])
def test_side_without_orders_is_stated_as_it_pleases(none: str) -> None:
    feed = PolymarketBook(YES)
    poly = Polymarket({YES: ({"0.5": "1"}, {"0.6": "1"})})
    list(feed._take(poly.book(YES), SECOND))
    gone = poly.change(YES, "SELL", "0.6", "0")
    gone["price_changes"][0]["best_ask"] = none
    (update,) = feed._take(gone, SECOND)
    assert (update.bid, update.levels[1]) == (0.5, ([], []))


def test_gap_begins_anew_with_a_fresh_book() -> None:
    poly = venue()
    clock = count(SECOND, SECOND // 2)  # half a second between any two looks at it

    async def first(peer: Peer) -> None:
        await poly.open(peer)
        poly.change(YES, "BUY", "0.51", "11")  # lost on its way
        await peer.send(*(poly.change(YES, "SELL", "0.54", str(n)) for n in range(1, 9)))

    async def run() -> None:
        async with Server(stay(first), stay(poly.open)) as server:
            feed = feed_of(server)
            async with Listener(feed, clock=lambda: next(clock)) as heard:
                await heard.until(lambda: len(heard.updates) == 3)
            assert [update.is_lost for update in heard.updates] == [False, True, False]
            assert heard.updates[-1].bid == 0.51
            assert feed.status().gaps == 1

    asyncio.run(run())


def test_connection_without_any_book_is_given_up() -> None:
    poly = venue()

    async def silent(peer: Peer) -> None:
        await peer.receive()
        await peer.send("[]")

    heard = play(silent, lambda heard: len(heard.updates) == 1, poly.open, connect_timeout=0.2)
    assert heard.status.reconnects == 1
    assert heard.status.last_error == "no confirmation within 0.2 s"


@pytest.mark.no_cover
def test_connections_cut_anywhere_end_with_the_venues_book() -> None:
    poly = Polymarket({YES: ({"0.40": "5"}, {"0.60": "5"})})
    rng = random.Random(7)
    cuts = 25

    def change() -> dict[str, Any]:
        side, low = rng.choice([("BUY", 20), ("SELL", 51)])
        return poly.change(YES, side, f"0.{rng.randrange(low, low + 29)}", str(rng.randrange(4)))

    async def cut(peer: Peer) -> None:
        if rng.random() < 0.9:
            await poly.open(peer)
        for _ in range(rng.randrange(30)):
            await peer.send(change())
        for _ in range(rng.randrange(5)):
            change()  # what nobody hears of
        peer.drop()

    async def run() -> None:
        async with Server(*[cut] * cuts, stay(poly.open)) as server:
            feed = feed_of(server, backoff=Backoff(0.001, 0.001))
            async with Listener(feed) as heard:
                await heard.until(lambda: server.attempts == cuts + 1 and feed.is_up)
                await heard.until(lambda: not heard.updates[-1].is_lost)
        status = feed.status()
        assert (status.reconnects, status.gaps, status.garbage) == (cuts, 0, 0)
        # Between two connections the market was lost exactly where something was known of it.
        known = False
        for update in heard.updates:
            assert known or not update.is_lost
            known = not update.is_lost
        model = [{float(p): float(s) for p, s in side.items()} for side in poly.books[YES]]
        bids, asks = heard.updates[-1].levels or ((), ())
        assert [dict(zip(*side, strict=True)) for side in (bids, asks)] == model

    asyncio.run(run())


# ------------------------------------------------------------------------------- look-ups
def look_up(
    answers: dict[str, list[Answer]], markets: Any = "rain", **options: Any
) -> tuple[Server, Polymarket, list[Update]]:
    async def run() -> tuple[Server, Polymarket, list[Update]]:
        poly = venue()

        async def script(peer: Peer) -> None:
            await poly.open(peer)
            await peer.hold()

        async with Server(script, answers=answers) as server:
            feed = feed_of(server, markets, **options)
            async with Listener(feed) as heard:
                await heard.until(lambda: len(heard.updates) == len(feed.market_ids))
        return server, poly, heard.updates

    return asyncio.run(run())


RAIN = {"/markets/slug/rain": [market_answer("rain", [YES, NO])]}


@pytest.mark.parametrize(("outcome", "bid"), [(None, 0.50), ("Yes", 0.50), ("No", 0.46)])
def test_slug_is_looked_up_and_gives_the_outcome_asked_for(outcome: Any, bid: float) -> None:
    server, poly, updates = look_up(RAIN, outcome=outcome)
    assert [request.path for request in server.requests] == ["/markets/slug/rain"]
    assert poly.subscriptions[0]["assets_ids"] == [NO if outcome == "No" else YES]
    assert (updates[0].market_id, updates[0].bid) == ("rain", bid)


def test_tokens_and_slugs_share_one_connection_under_the_ids_given() -> None:
    server, poly, updates = look_up(RAIN, {"a": "rain", "b": NO})
    assert server.attempts == 1
    assert sorted(poly.subscriptions[0]["assets_ids"]) == sorted([YES, NO])
    assert {update.market_id: update.bid for update in updates} == {"a": 0.50, "b": 0.46}


def test_token_needs_no_look_up() -> None:
    server, _, _ = look_up({}, YES)
    assert server.requests == []


def test_slug_is_looked_up_once_for_all_connections() -> None:
    async def run() -> None:
        poly = venue()

        async def drop(peer: Peer) -> None:
            await poly.open(peer)
            peer.drop()

        async with Server(drop, answers=dict(RAIN)) as server:
            async with Listener(feed_of(server, "rain")) as heard:
                await heard.until(lambda: server.attempts == 4)
            assert len(server.requests) == 1

    asyncio.run(run())


def test_look_up_that_fails_for_a_moment_is_tried_again() -> None:
    answers = {"/markets/slug/rain": [Answer("down", status=503), *RAIN["/markets/slug/rain"]]}
    server, _, updates = look_up(answers)
    assert len(server.requests) == 2
    assert updates[0].bid == 0.50


@pytest.mark.parametrize(
    "body",
    [[], "{", {"outcomes": "[1]", "clobTokenIds": "[]"}],
    ids=["list", "not JSON", "outcomes that are no texts"],
)
def test_look_up_that_cannot_be_read_is_tried_again(body: Any) -> None:
    answers = {"/markets/slug/rain": [Answer(body), *RAIN["/markets/slug/rain"]]}
    server, _, updates = look_up(answers)
    assert len(server.requests) == 2
    assert updates[0].bid == 0.50


EVENT = Answer({"slug": "weather", "markets": [{"slug": f"rain-{n}"} for n in range(7)]})
REFUSED: dict[str, tuple[dict[str, list[Answer]], dict[str, Any], str]] = {
    "unknown slug": ({}, {}, r"knows no market 'rain'$"),
    "event": (
        {"/events/slug/rain": [EVENT]},
        {},
        r"knows no market 'rain': it is an event, whose markets are 'rain-0', .* and 2 more",
    ),
    "unknown outcome": (
        RAIN,
        {"outcome": "Maybe"},
        r"has no outcome 'Maybe' of 'rain'; its outcomes are 'Yes', 'No'",
    ),
    "closed": (
        {"/markets/slug/rain": [market_answer("rain", [YES, NO], closed=True)]},
        {},
        "has closed the market 'rain'",
    ),
    "no tokens": (
        {"/markets/slug/rain": [market_answer("rain", [YES, NO], clobTokenIds=None)]},
        {},
        "has no order book for 'rain'",
    ),
    "one token twice": (
        RAIN,
        {"markets": {"a": YES, "b": "rain"}},
        "has one book for 'a' and 'b'",
    ),
    "forbidden": (
        {"/markets/slug/rain": [Answer("no", status=403)]},
        {},
        r"is refused with HTTP 403 Forbidden",
    ),
}


@pytest.mark.parametrize(("answers", "options", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_market_that_cannot_be_had_ends_the_feed(
    answers: dict[str, list[Answer]], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(FeedError, match=said) as caught:
        look_up(answers, **options)
    assert str(caught.value).startswith("feed 'polymarket_book' at ws://127.0.0.1:")


def test_refused_connection_ends_the_feed() -> None:
    async def run() -> None:
        async with Server(Refuse(403)) as server, Listener(feed_of(server)) as heard:
            await heard.until(lambda: False)

    with pytest.raises(FeedError, match="refused with HTTP 403"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (((),), r"markets must name at least one market"),
        ((7,), r"markets must be a market id or a list of them, was 7"),
        (({"a": YES, "b": YES},), r"markets must not have one name twice.*for 'a' and for 'b'"),
        (({"a": 5},), r"markets\['a'\] must be text"),
        ((["x", "x"],), r"must not name a market twice"),
    ],
    ids=["none", "number", "one token twice", "number for a name", "one id twice"],
)
def test_wrong_markets_are_refused_at_construction(arguments: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        PolymarketBook(*arguments)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"price": "close"}, "price must be one of 'mid', 'last'"),
        ({"url": "http://x"}, "url must be an address with ws:// or wss://"),
        ({"http_url": "ftp://x"}, "http_url must be an address with http:// or https://"),
        ({"outcome": ""}, "outcome must have 1 to 256 characters"),
    ],
    ids=["price", "url", "http_url", "outcome"],
)
def test_wrong_options_are_refused_at_construction(option: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PolymarketBook(YES, **option)


def test_facts_of_the_feed() -> None:
    feed = PolymarketBook({"rain": OTHER, "snow": "snow-tomorrow"})
    assert feed.market_ids == ("rain", "snow")
    assert feed.asset_class is AssetClass.Prediction
    assert feed.has_books
    assert feed.name == "polymarket_book"
    assert feed.status().state == "idle"


# ---------------------------------------------------------------------------- any messages
LEVEL = st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 3))


@pytest.mark.no_cover
@given(changes=st.lists(st.lists(LEVEL, min_size=1, max_size=3), max_size=40), old=st.booleans())
def test_book_from_any_changes_is_that_of_a_plain_dictionary(
    changes: list[list[tuple[bool, int, int]]], old: bool
) -> None:
    model: dict[str, dict[str, str]] = {"BUY": {"0.40": "5"}, "SELL": {"0.60": "5"}}
    poly = Polymarket({YES: (model["BUY"], model["SELL"])})
    feed = PolymarketBook(YES)
    make = poly.old_change if old else poly.change
    (update,) = feed._take(poly.book(YES), SECOND)
    for message in changes:
        entries = []
        for is_bid, tick, size in message:
            # Bids lie below a half and offers above: nothing crosses.
            side, price = ("BUY", f"0.{tick + 15:02d}") if is_bid else ("SELL", f"0.{tick + 50}")
            model[side][price] = str(size)
            entries.append(make(YES, side, price, str(size)))
        if old:
            for entry in entries:
                (update,) = feed._take(entry, SECOND)
        else:
            together = poly.changes([e for entry in entries for e in entry["price_changes"]])
            (update,) = feed._take(together, SECOND)
    for side, levels in zip(("BUY", "SELL"), update.levels, strict=True):
        expected = {float(p): float(s) for p, s in model[side].items() if float(s)}
        prices = sorted(expected, reverse=side == "BUY")
        assert levels == (prices, [expected[price] for price in prices])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@pytest.mark.no_cover
@given(
    kind=st.sampled_from(["book", "price_change", "last_trade_price"]),
    field=st.sampled_from(
        ["asset_id", "bids", "asks", "timestamp", "price_changes", "price", "size"]
    ),
    value=JSON,
    nested=st.sampled_from([None, "price", "size", "side", "asset_id", "best_bid"]),
)
def test_any_value_in_any_place_is_garbage_or_harmless(
    kind: str, field: str, value: Any, nested: str | None
) -> None:
    poly = venue()
    feed = opened()
    message = {
        "book": poly.book(YES),
        "price_change": poly.change(YES, "BUY", "0.49", "21"),
        "last_trade_price": poly.trade(YES, "0.51", "1"),
    }[kind]
    if nested is None or kind != "price_change":
        message[field] = value
    else:
        message["price_changes"][0][nested] = value
    try:
        updates = list(feed._take(message, 2 * SECOND))
    except (*WRONG, Gap):
        updates = []
    for update in updates:
        for prices, sizes in update.levels:
            assert all(0.0 < price < 1.0 for price in prices)
            assert all(0.0 < size <= 1e15 for size in sizes)
        assert not update.bid >= update.ask
