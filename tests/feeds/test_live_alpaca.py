"""Alpaca's quotes and trades, over sockets on localhost that speak the published protocol."""

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.errors import FeedError
from horizon.feeds.alpaca import AlpacaFeed
from horizon.feeds.backoff import Backoff
from horizon.feeds.live import WRONG
from horizon.feeds.updates import Garbage
from horizon.types import AssetClass
from tests.feeds.servers.alpaca import KEY_ID, SECRET_KEY, Alpaca
from tests.feeds.servers.base import Listener, Peer, Refuse, Script, Server

SECOND = 1_000_000_000
#: 2021-02-22T15:51:45.335689322Z, and 15:51:44.208Z: 1,614,009,105 and ...104 seconds since 1970.
QUOTE_NS = 1_614_009_105_335_689_322
TRADE_NS = 1_614_009_104_208_000_000


def feed_of(markets: Any = "AAPL", **options: Any) -> AlpacaFeed:
    options = {"key_id": KEY_ID, "secret_key": SECRET_KEY, "backoff": Backoff(0.01, 0.02)} | options
    return AlpacaFeed(markets, **options)


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
    markets: Any = "AAPL",
    **options: Any,
) -> Listener:
    """Let the server play a script (and more for further connections) until it is enough."""

    async def run() -> Listener:
        async with Server(*[stay(each) for each in (script, *more)]) as server:
            feed = feed_of(markets, url=server.ws_url, **options)
            async with Listener(feed) as heard:
                await heard.until(lambda: enough(heard))
                heard.status = feed.status()  # type: ignore[attr-defined]
            heard.paths = [peer.request.path for peer in server.peers]  # type: ignore[attr-defined]
            return heard

    return asyncio.run(run())


def test_conversation_comes_before_the_data_and_ends_with_a_feed_that_is_up() -> None:
    alpaca = Alpaca()
    heard = play(alpaca.open, lambda h: h.feed.is_up, markets=["AAPL", "MSFT"], feed="sip")
    symbols = ["AAPL", "MSFT"]
    assert alpaca.asked == [{"action": "subscribe", "quotes": symbols, "trades": symbols}]
    assert heard.paths == ["/ws/sip"]
    assert heard.updates == []


def test_feed_is_not_up_before_it_is_subscribed() -> None:
    alpaca = Alpaca()

    async def slow(peer: Peer) -> None:
        await alpaca.greet(peer)

    async def run() -> None:
        async with Server(stay(slow)) as server:
            feed = feed_of(url=server.ws_url, connect_timeout=0.15)
            async with Listener(feed) as heard:
                await heard.until(lambda: feed.status().reconnects == 1)
                assert feed.status().last_error == "no confirmation within 0.15 s"
                assert not feed.is_up

    asyncio.run(run())


def test_quotes_and_trades_of_one_message() -> None:
    alpaca = Alpaca()

    async def script(peer: Peer) -> None:
        await alpaca.open(peer)
        await peer.send(
            [alpaca.quote("AAPL", 126.5, 126.6), alpaca.trade("AAPL", 126.55, 10)],
        )

    quote, trade = play(script, lambda heard: len(heard.updates) == 2).updates
    assert quote[2:9] == (QUOTE_NS, 126.55, 126.5, 126.6, 3.0, 4.0, quote.volume)
    assert quote.volume != quote.volume
    # The trade has the mid as its price, (126.5 + 126.6) / 2, and the quotes as they stand.
    assert trade[2:9] == (TRADE_NS, 126.55, 126.5, 126.6, 3.0, 4.0, 10.0)
    assert quote.levels is None


def test_last_price_is_that_of_the_last_trade() -> None:
    alpaca, feed = Alpaca(), feed_of(price="last")
    (before,) = feed._take([alpaca.quote("AAPL", 1.0, 2.0)], SECOND)
    (trade,) = feed._take([alpaca.trade("AAPL", 1.9, 5)], SECOND)
    (after,) = feed._take([alpaca.quote("AAPL", 1.0, 1.8)], SECOND)
    assert before.price != before.price
    assert (trade.price, after.price, after.ask) == (1.9, 1.9, 1.8)


def test_trade_before_any_quote_has_no_mid() -> None:
    (trade,) = feed_of()._take([Alpaca().trade("AAPL", 1.9, 5)], SECOND)
    assert trade.price != trade.price
    assert trade.volume == 5.0


@pytest.mark.parametrize(
    ("bid", "ask"), [(0, 126.6), (126.5, 0), (0, 0)], ids=["no bid", "no ask", "neither"]
)
def test_price_of_zero_is_no_quote(bid: float, ask: float) -> None:
    (update,) = feed_of()._take([Alpaca().quote("AAPL", bid, ask)], SECOND)
    assert update.price != update.price
    assert update.bid == bid if bid else update.bid != update.bid
    assert update.ask == ask if ask else update.ask != update.ask
    assert (update.bid_size == 3.0) is bool(bid)
    assert (update.ask_size == 4.0) is bool(ask)


def test_sizes_in_round_lots_can_be_turned_into_shares() -> None:
    (update,) = feed_of(quote_unit=100)._take([Alpaca().quote("AAPL", 1.0, 2.0)], SECOND)
    assert (update.bid_size, update.ask_size) == (300.0, 400.0)


def test_symbols_have_the_ids_given() -> None:
    alpaca = Alpaca()
    feed = feed_of({"apple": "AAPL", "soft": "MSFT"})
    rows = [alpaca.quote("MSFT", 1.0, 2.0), alpaca.quote("IBM", 1.0, 2.0)]
    assert [update.market_id for update in feed._take(rows, SECOND)] == ["soft"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-02-22T15:51:45Z", 1_614_009_105_000_000_000),
        ("2021-02-22T15:51:45.3Z", 1_614_009_105_300_000_000),
        ("2021-02-22T15:51:45.335689322Z", QUOTE_NS),
        ("2021-02-22T10:51:45.335689322-05:00", QUOTE_NS),
    ],
)
def test_times_keep_their_nanoseconds(text: str, expected: int) -> None:
    (update,) = feed_of()._take([Alpaca().quote("AAPL", 1.0, 2.0, t=text)], SECOND)
    assert update.exchange_ns == expected


def test_one_second_in_two_zones_is_two_times() -> None:
    feed, noon = feed_of(), "2021-02-22T12:00:00"
    assert feed._time_ns(f"{noon}+01:00") - feed._time_ns(f"{noon}Z") == -3600 * SECOND


@pytest.mark.no_cover
@given(
    at=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    digits=st.integers(0, 9),
    fraction=st.integers(0, 999_999_999),
)
def test_any_time_is_read_to_the_nanosecond(at: datetime, digits: int, fraction: int) -> None:
    text = f"{fraction:09d}"[:digits]
    said = f"{at:%Y-%m-%dT%H:%M:%S}" + (f".{text}" if text else "") + "Z"
    whole = (at.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert FEED._time_ns(said) == whole * SECOND + int(text.ljust(9, "0"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "2021-02-22", "2021-02-22 15:51:45Z", "2021-02-22T15:51:45"),
        *("2021-13-22T15:51:45Z", "2021-02-22T15:51:45.1234567890Z"),
        *("٢٠٢١-02-22T15:51:45Z", 1614009105, None),
    ],
    ids=ascii,
)
def test_time_of_another_form_is_garbage(text: Any) -> None:
    with pytest.raises(WRONG):
        FEED._time_ns(text)


def test_dropped_connection_loses_what_was_known_and_logs_in_again() -> None:
    alpaca = Alpaca()

    async def first(peer: Peer) -> None:
        await alpaca.open(peer)
        await peer.send([alpaca.quote("AAPL", 1.0, 2.0)])
        await asyncio.sleep(0.02)
        peer.drop()

    async def second(peer: Peer) -> None:
        await alpaca.open(peer)
        await peer.send([alpaca.trade("AAPL", 1.5, 1)])

    heard = play(first, lambda heard: len(heard.updates) == 3, second)
    before, lost, after = heard.updates
    assert (before.bid, lost.is_lost) == (1.0, True)
    assert after.bid != after.bid  # the quote of the old connection is gone
    assert len(alpaca.asked) == 2


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "bid NaN text": ("q", {"bp": "NaN"}),
    "bid below zero": ("q", {"bp": -1.0}),
    "ask null": ("q", {"ap": None}),
    "size true": ("q", {"bs": True}),
    "crossed": ("q", {"bp": 3.0}),
    "no time": ("q", {"t": None}),
    "trade at zero": ("t", {"p": 0}),
    "trade of nothing": ("t", {"s": 0}),
    "symbol a list": ("t", {"S": []}),
}


@pytest.mark.parametrize(("kind", "change"), BAD.values(), ids=BAD.keys())
def test_garbage_is_counted_and_changes_nothing(kind: str, change: dict[str, Any]) -> None:
    alpaca = Alpaca()
    feed = feed_of()
    list(feed._take([alpaca.quote("AAPL", 1.0, 2.0)], SECOND))
    good = alpaca.quote("AAPL", 1.0, 2.0) if kind == "q" else alpaca.trade("AAPL", 1.0, 1)
    with pytest.raises(WRONG):
        feed._take([good | change], SECOND)
    trade = alpaca.trade("AAPL", 1.5, 1)
    (update,) = feed._take([good | change, trade], SECOND)  # the good one is delivered all the same
    assert (update.bid, update.ask, update.price) == (1.0, 2.0, 1.5)
    assert feed.status().garbage == 1


@pytest.mark.parametrize("message", [{}, 3, "x", [3], [{}]], ids=repr)
def test_message_of_another_shape_is_garbage(message: Any) -> None:
    with pytest.raises(WRONG):
        feed_of()._take(message, SECOND)


def test_other_messages_say_nothing() -> None:
    feed = feed_of()
    assert list(feed._take([{"T": "b", "S": "AAPL"}, {"T": "c"}, {"T": "s"}], SECOND)) == []
    assert list(feed._take([], SECOND)) == []
    assert list(feed._take([{"T": "error", "code": 403, "msg": "already"}], SECOND)) == []


# -------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (402, "auth failed", r"says error 402: 'auth failed' \(check key_id and secret_key\)"),
        (409, "insufficient subscription", r"error 409: .* feed='iex' is for every account"),
        (405, "symbol limit exceeded", r"error 405: .*does not allow as many symbols"),
        (400, f"what is {SECRET_KEY}?", r"says error 400: 'what is \*\*\*\?'$"),
    ],
)
def test_refusal_ends_the_feed(code: int, text: str, said: str) -> None:
    alpaca = Alpaca()

    async def script(peer: Peer) -> None:
        await alpaca.refuse(peer, code, text)

    with pytest.raises(FeedError, match=said) as caught:
        play(script, lambda heard: False)
    assert SECRET_KEY not in str(caught.value)
    assert KEY_ID not in str(caught.value)


@pytest.mark.parametrize("code", [404, 406, 407, 500])
def test_error_that_passes_is_tried_again(code: int) -> None:
    alpaca = Alpaca()

    async def busy(peer: Peer) -> None:
        await alpaca.refuse(peer, code, "connection limit exceeded")

    heard = play(busy, lambda heard: heard.feed.is_up, alpaca.open)
    assert heard.status.reconnects == 1
    assert heard.status.gaps == 0
    expected = f"the server says: error {code}: 'connection limit exceeded'"
    assert expected in heard.status.last_error


def test_symbol_that_is_not_given_ends_the_feed() -> None:
    alpaca = Alpaca(gives={"quotes": ["AAPL"], "trades": []})
    with pytest.raises(FeedError, match="does not give quotes of MSFT"):
        play(alpaca.open, lambda heard: False, markets=["AAPL", "MSFT"])


def test_refused_connection_ends_the_feed() -> None:
    async def run() -> None:
        server = Server(Refuse(401))
        async with server, Listener(feed_of(url=server.ws_url)) as heard:
            await heard.until(lambda: False)

    with pytest.raises(FeedError, match="is refused with HTTP 401"):
        asyncio.run(run())


# ------------------------------------------------------------------------------------ keys
def test_keys_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_KEY_ID", "id")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "secret")
    feed = AlpacaFeed("AAPL")
    assert (feed._key_id.reveal(), feed._secret_key.reveal()) == ("id", "secret")


@pytest.mark.parametrize("missing", ["key_id", "secret_key"])
def test_missing_key_is_an_error_that_says_where_to_put_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=rf"^{missing} is missing: give it, or set .* APCA_API_"):
        feed_of(**{missing: None})


def test_empty_key_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "")
    with pytest.raises(ValueError, match=r"^environment variable APCA_API_SECRET_KEY must be"):
        feed_of(secret_key=None)


@pytest.mark.parametrize("key", ["a b", "a\n", "ключ", 7], ids=repr)
def test_key_that_is_none_is_refused_and_not_shown(key: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^secret_key must be") as caught:
        feed_of(secret_key=key)
    assert str(key) not in str(caught.value)


def test_keys_are_neither_shown_nor_pickled() -> None:
    feed = feed_of()
    with pytest.raises(Garbage) as garbage:
        feed._take({"echo": SECRET_KEY}, SECOND)
    feed._discard({"echo": SECRET_KEY, "id": KEY_ID}, garbage.value)
    first = feed.status().last_error or ""
    feed._lose(f"closed: {SECRET_KEY}")
    shown = f"{first} {feed!r} {feed.status()!r} {feed._repr_html_()} {feed._secret_key!r}"
    assert "'echo': '***'" in first
    assert SECRET_KEY not in shown
    assert KEY_ID not in shown
    with pytest.raises(TypeError, match="a key is not pickled"):
        pickle.dumps(feed._secret_key)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"feed": "six"}, r"feed must be one of 'iex', .*; was 'six'. Did you mean 'sip'\?"),
        ({"price": "close"}, "price must be one of 'mid', 'last'"),
        ({"quote_unit": 0}, "quote_unit must be above 0, was 0"),
        ({"url": "https://x"}, "url must be an address with ws:// or wss://"),
    ],
    ids=["feed", "price", "quote_unit", "url"],
)
def test_wrong_options_are_refused_at_construction(option: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        feed_of(**option)


def test_facts_of_the_feed() -> None:
    feed = feed_of({"apple": "AAPL"})
    assert (feed.market_ids, feed.asset_class) == (("apple",), AssetClass.Equity)
    assert not feed.has_books
    assert feed.status().address == "wss://stream.data.alpaca.markets/v2/iex"


# ---------------------------------------------------------------------------- any messages
FEED = feed_of()
VALUE = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4)


@pytest.mark.no_cover
@given(
    is_quote=st.booleans(),
    field=st.sampled_from(["T", "S", "bp", "bs", "ap", "as", "p", "s", "t"]),
    value=VALUE | st.lists(VALUE, max_size=3) | st.dictionaries(st.text(max_size=2), VALUE),
)
def test_any_value_in_any_place_is_garbage_or_harmless(
    is_quote: bool, field: str, value: Any
) -> None:
    alpaca = Alpaca()
    FEED._reset()
    row = alpaca.quote("AAPL", 1.0, 2.0) if is_quote else alpaca.trade("AAPL", 1.5, 3)
    try:
        updates = list(FEED._take([row | {field: value}], SECOND))
    except WRONG:
        updates = []
    for update in updates:
        for number in (update.bid, update.ask, update.volume):
            assert number != number or 0.0 < number <= 1e15
        assert not update.bid > update.ask
