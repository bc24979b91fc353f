"""Binance's streams: quotes, trades, their order, and what cannot be true."""

from __future__ import annotations

from typing import Any

import pytest

from horizon.feeds import Backoff, BinanceWS, create
from horizon.types import AssetClass
from tests.feeds.servers.base import Listener, Peer, Refuse, Server, hold, in_loop

TIME_MS = 1_672_515_782_136


def quote(number: int, bid: object = "25.30", ask: object = "25.40", **rest: object) -> Any:
    data = {"u": number, "s": "BNBUSDT", "b": bid, "B": "31.21", "a": ask, "A": "40.66"}
    return {"stream": "bnbusdt@bookTicker", "data": data | rest}


def trade(number: int, price: object = "25.35", size: object = "2", **rest: object) -> Any:
    data = {
        "e": "trade",
        "E": TIME_MS + 1,
        "s": "BNBUSDT",
        "t": number,
        "p": price,
        "q": size,
        "T": TIME_MS,
        "m": True,
        "M": True,
    }
    return {"stream": "bnbusdt@trade", "data": data | rest}


def feed_of(server: Server, markets: Any = "BNB/USDT", **options: Any) -> BinanceWS:
    url = f"ws://127.0.0.1:{server.port}"
    return BinanceWS(markets, url=url, backoff=Backoff(0.001, 0.004), **options)


def says(*messages: Any) -> Any:
    async def script(peer: Peer) -> None:
        await peer.send(*messages)
        await peer.hold()

    return script


@in_loop
async def test_streams_of_all_markets_are_asked_for_in_the_address() -> None:
    async with Server() as server:
        feed = feed_of(server, ["BNB/USDT", "ethbtc"])
        async with Listener(feed) as heard:
            await heard.until(lambda: feed.is_up)
            request = server.peers[0].request
            assert request.path == "/stream"
            assert request.query["streams"] == (
                "bnbusdt@bookTicker/bnbusdt@trade/ethbtc@bookTicker/ethbtc@trade"
            )
            assert server.peers[0].received == []  # nothing else is said
            assert feed.market_ids == ("BNB/USDT", "ethbtc")
            assert (feed.asset_class, feed.has_books) == (AssetClass.Crypto, False)


@in_loop
async def test_quotes_and_trades_become_updates() -> None:
    script = says(quote(7), trade(40), quote(9, "25.32", "25.36"))
    async with Server(script, hold) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 3)
        first, second, third = (
            (u.price, u.bid, u.bid_size, u.ask, u.ask_size) for u in heard.updates
        )
        assert first == (pytest.approx(25.35), 25.30, 31.21, 25.40, 40.66)
        assert second == first  # a trade comes with the mid and the quotes as they were
        assert third == (pytest.approx(25.34), 25.32, 31.21, 25.36, 40.66)
        assert [u.volume for u in heard.updates][1] == 2.0
        assert [u.volume == u.volume for u in heard.updates] == [False, True, False]
        # Binance gives its spot quotes no time.
        assert [u.exchange_ns for u in heard.updates] == [None, TIME_MS * 10**6, None]
        assert {u.market_id for u in heard.updates} == {"BNB/USDT"}


@in_loop
async def test_price_may_be_that_of_the_last_trade() -> None:
    script = says(quote(7), trade(40, "25.31"), quote(8))
    server = Server(script, hold)
    async with server, Listener(feed_of(server, price="last")) as heard:
        await heard.until(lambda: len(heard.updates) == 3)
        first, *rest = heard.prices
        assert first != first
        assert rest == [25.31, 25.31]


@in_loop
async def test_quotes_of_futures_have_their_time() -> None:
    script = says(quote(7, e="bookTicker", E=TIME_MS + 2, T=TIME_MS))
    async with Server(script, hold) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 1)
        assert heard.updates[0].exchange_ns == TIME_MS * 10**6


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([quote(7), quote(6)], "gap: update 6 of BNBUSDT after 7"),
        ([quote(7), trade(40), trade(42)], "gap: trade 42 of BNBUSDT after 40"),
        ([quote(7), trade(40), trade(39)], "gap: trade 39 of BNBUSDT after 40"),
    ],
    ids=["quote back", "trade missing", "trade back"],
)
@in_loop
async def test_gap_loses_the_market_and_begins_anew(messages: list[Any], said: str) -> None:
    server = Server(says(*messages), says(quote(3), trade(2)))
    async with server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == len(messages) + 2)
        # The new connection has numbers of its own, which are below the old one's.
        expected = [False] * (len(messages) - 1) + [True, False, False]
        assert [u.is_lost for u in heard.updates] == expected
        assert (heard.feed.status().gaps, heard.feed.status().last_error) == (1, said)


@in_loop
async def test_number_that_comes_twice_is_passed_over() -> None:
    script = says(quote(7), quote(7, "1", "2"), trade(40), trade(40), trade(41), quote(8))
    async with Server(script) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 4)
        assert heard.prices == pytest.approx([25.35] * 4)
        assert heard.losses == 0


@in_loop
async def test_markets_have_numbers_of_their_own() -> None:
    script = says(quote(7), quote(5, s="ETHBTC"), quote(8), quote(6, s="ETHBTC"))
    server = Server(script)
    async with server, Listener(feed_of(server, {"b": "bnbusdt", "e": "ethbtc"})) as heard:
        await heard.until(lambda: len(heard.updates) == 4)
        assert [u.market_id for u in heard.updates] == ["b", "e", "b", "e"]


@in_loop
async def test_side_without_an_offer_has_no_quote() -> None:
    script = says(quote(7, B="0.00000000"), quote(8, ask="0.00"))
    async with Server(script) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 2)
        assert [u.bid == u.bid for u in heard.updates] == [False, True]
        assert [u.ask == u.ask for u in heard.updates] == [True, False]
        assert all(price != price for price in heard.prices)  # no mid of one side


GARBAGE = [
    quote(8, "25.50", "25.40"),
    quote(8, "nan"),
    quote(8, -1),
    quote(8, None),
    quote("8"),
    quote(True),
    quote(8, s="BTCUSDT"),
    quote(8, s=["BNBUSDT"]),
    trade(40, "0"),
    trade(40, size="0"),
    trade(40, "inf"),
    trade("40"),
    trade(40, T="soon"),
    {"stream": "bnbusdt@trade"},
    {"stream": "bnbusdt@trade", "data": 3},
    [quote(8)],
]


@in_loop
async def test_what_cannot_be_true_changes_nothing() -> None:
    script = says(quote(7), trade(39), *GARBAGE, trade(40), quote(8))
    async with Server(script) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 4)
        assert heard.prices == pytest.approx([25.35] * 4)
        status = heard.feed.status()
        assert (status.garbage, status.gaps, server.attempts) == (len(GARBAGE), 0, 1)


@in_loop
async def test_other_messages_say_nothing() -> None:
    others = [
        {"stream": "bnbusdt@kline_1m", "data": {"e": "kline", "s": "BNBUSDT"}},
        {"e": "serverShutdown", "E": TIME_MS},
        {"result": None, "id": 1},
    ]
    async with Server(says(*others, quote(7))) as server, Listener(feed_of(server)) as heard:
        await heard.until(lambda: len(heard.updates) == 1)
        assert heard.feed.status().garbage == 0


@in_loop
async def test_error_of_the_server_is_a_loss_with_its_words() -> None:
    script = says(quote(7), {"error": {"code": 3, "msg": "Too many requests"}})
    async with Server(script, Refuse(503), says(quote(8))) as server:
        async with Listener(feed_of(server)) as heard:
            await heard.until(lambda: len(heard.updates) == 3)
            assert [u.is_lost for u in heard.updates] == [False, True, False]
        other = Server(says({"code": 2, "msg": "Invalid"}))
        async with other, Listener(feed_of(other)) as heard:
            await heard.until(lambda: heard.feed.status().reconnects >= 1)
            assert "the server says: {'code': 2" in str(heard.feed.status().last_error)


@pytest.mark.parametrize(
    ("markets", "options", "said"),
    [
        ([], {}, "markets must name at least one market"),
        ("BTC USDT", {}, "must be letters and digits such as 'BTCUSDT', was 'BTC USDT'"),
        ({"btc": "x?y=1"}, {}, "the symbol of 'btc' must be letters and digits"),
        (["BTC/USDT", "BTCUSDT"], {}, "markets must not name a symbol twice, has 'BTCUSDT'"),
        ([f"A{i}" for i in range(513)], {}, "at most 1,024 streams on one connection, need 1,026"),
        ("BTCUSDT", {"price": "bid"}, "price must be one of 'mid', 'last'"),
        ("BTCUSDT", {"price": "last", "trades": False}, "price='last' needs trades=True"),
        ("BTCUSDT", {"url": "https://x"}, "url must be an address with ws:// or wss://"),
    ],
    ids=["none", "blank", "query", "twice", "many", "price", "no trades", "url"],
)
def test_wrong_arguments_are_refused(markets: Any, options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BinanceWS(markets, **options)


def test_feed_is_made_by_its_name() -> None:
    feed = create("binance_ws", market_id="BTC/USDT", trades=False)
    assert isinstance(feed, BinanceWS)
    assert feed.market_ids == ("BTC/USDT",)
    assert feed.status().address == "wss://stream.binance.com:9443/stream"
