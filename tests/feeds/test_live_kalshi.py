"""Kalshi's books, over sockets on localhost that speak the venue's published protocol."""

import asyncio
import pickle
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from horizon.errors import FeedError
from horizon.feeds.backoff import Backoff
from horizon.feeds.kalshi import KalshiBook
from horizon.feeds.live import WRONG
from horizon.feeds.updates import Gap, Update
from horizon.types import AssetClass
from tests.feeds.servers.base import Listener, Peer, Refuse, Script, Server
from tests.feeds.servers.kalshi import KEY_ID, Kalshi, new_key, pem_of

SECOND = 1_000_000_000
TICKER = "HIGHNY-22DEC23-B53.5"
KEY = new_key()
PEM = pem_of(KEY).decode()
#: A line of the key itself, which nobody is to see.
INSIDE = PEM.splitlines()[5]

#: Bids of YES, bids of NO: the example of the venue's documentation.
BOOK = ({"0.0800": "300.00", "0.2200": "333.00"}, {"0.5400": "20.00", "0.5600": "146.00"})
#: The same as bids and asks of YES: 1 - 0.56 = 0.44, 1 - 0.54 = 0.46.
LEVELS = (([0.22, 0.08], [333.0, 300.0]), ([0.44, 0.46], [146.0, 20.0]))


def venue(**options: Any) -> Kalshi:
    return Kalshi({TICKER: BOOK, "OTHER": ({"0.4000": "1.00"}, {})}, KEY, **options)


def feed_of(markets: Any = TICKER, **options: Any) -> KalshiBook:
    options = {"key_id": KEY_ID, "private_key": PEM, "backoff": Backoff(0.01, 0.02)} | options
    return KalshiBook(markets, **options)


def opened(kalshi: Kalshi, feed: KalshiBook | None = None, **options: Any) -> KalshiBook:
    """A feed without a connection, that has had its first snapshot."""
    feed = feed or feed_of(**options)
    feed._reset()
    kalshi.in_yes_prices = options.get("use_yes_price", True) and not kalshi.is_old
    list(feed._take(kalshi.snapshot(TICKER), SECOND))
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
    markets: Any = TICKER,
    **options: Any,
) -> Listener:
    """Let the server play a script (and more for further connections) until it is enough."""

    async def run() -> Listener:
        scripts = [stay(each) for each in (script, *more)]
        async with Server(*scripts) as server:
            feed = feed_of(markets, url=f"{server.ws_url}/v2", **options)
            async with Listener(feed) as heard:
                await heard.until(lambda: enough(heard))
            heard.status = feed.status()  # type: ignore[attr-defined]
            return heard

    return asyncio.run(run())


@pytest.mark.parametrize("use_yes_price", [True, False])
@pytest.mark.parametrize("is_old", [False, True], ids=["dollars", "cents"])
def test_snapshot_has_bids_of_no_as_offers_of_yes(is_old: bool, use_yes_price: bool) -> None:
    kalshi = venue(is_old=is_old)
    heard = play(kalshi.open, lambda h: len(h.updates) == 1, use_yes_price=use_yes_price)
    (update,) = heard.updates
    assert update == Update(
        TICKER,
        update.received_ns,
        None,
        0.33,  # (0.22 + 0.44) / 2
        0.22,
        0.44,
        333.0,
        146.0,
        update.volume,
        LEVELS,
    )
    (command,) = kalshi.commands
    assert command["params"] == {
        "channels": ["orderbook_delta", "trade"],
        "market_tickers": [TICKER],
        "use_yes_price": use_yes_price,
    }


@pytest.mark.parametrize("use_yes_price", [True, False])
@pytest.mark.parametrize("is_old", [False, True], ids=["dollars", "cents"])
def test_deltas_are_differences_on_either_side(is_old: bool, use_yes_price: bool) -> None:
    kalshi = venue(is_old=is_old)

    async def script(peer: Peer) -> None:
        await kalshi.open(peer)
        await peer.send(kalshi.delta(TICKER, "yes", "0.2200", "-54.00"))
        await peer.send(kalshi.delta(TICKER, "no", "0.5600", "-146.00"))
        await peer.send(kalshi.delta(TICKER, "no", "0.5500", "10.00"))

    heard = play(script, lambda h: len(h.updates) == 4, use_yes_price=use_yes_price)
    assert [update.levels for update in heard.updates[1:]] == [
        (([0.22, 0.08], [279.0, 300.0]), LEVELS[1]),
        (([0.22, 0.08], [279.0, 300.0]), ([0.46], [20.0])),
        (([0.22, 0.08], [279.0, 300.0]), ([0.45, 0.46], [10.0, 20.0])),
    ]
    stamp = None if is_old else 1_669_149_841_000 * 1_000_000
    assert [update.exchange_ns for update in heard.updates[1:]] == [stamp] * 3


@pytest.mark.parametrize("is_old", [False, True], ids=["dollars", "cents"])
@pytest.mark.parametrize(("price", "expected"), [("mid", 0.33), ("last", 0.36)])
def test_trade_comes_with_its_count_as_volume(price: Any, expected: float, is_old: bool) -> None:
    kalshi = venue(is_old=is_old)
    feed = opened(kalshi, price=price)
    (trade,) = feed._take(kalshi.trade(TICKER, "0.3600", "136.00"), 2 * SECOND)
    assert (trade.price, trade.volume, trade.levels) == (expected, 136.0, LEVELS)
    (later,) = feed._take(kalshi.delta(TICKER, "yes", "0.1000", "1.00"), 2 * SECOND)
    assert later.volume != later.volume  # delivered once


@pytest.mark.parametrize("use_yes_price", [True, False])
def test_form_with_dollars_and_whole_sizes_has_no_in_its_own_prices(use_yes_price: bool) -> None:
    said = {
        "market_ticker": TICKER,
        "yes": [[8, 300], [22, 333]],
        "yes_dollars": [["0.080", 300], ["0.220", 333]],
        "no": [[54, 20], [56, 146]],
        "no_dollars": [["0.540", 20], ["0.560", 146]],
    }
    snapshot = {"type": "orderbook_snapshot", "sid": 2, "seq": 2, "msg": said}
    feed = feed_of(use_yes_price=use_yes_price)
    (update,) = feed._take(snapshot, SECOND)
    assert update.levels == LEVELS
    change = {"price": 56, "price_dollars": "0.560", "delta": -54, "side": "no"}
    delta = {"type": "orderbook_delta", "sid": 2, "seq": 3, "msg": said | change}
    (update,) = feed._take(delta, SECOND)
    assert update.levels == (LEVELS[0], ([0.44, 0.46], [92.0, 20.0]))  # 146 - 54


def test_trades_of_markets_that_nobody_asked_for_are_passed_over() -> None:
    kalshi = venue()
    feed = feed_of()
    assert list(feed._take(kalshi.trade("OTHER", "0.4000", "1.00"), SECOND)) == []
    assert list(feed._take(kalshi.trade(TICKER, "0.3600", "1.00"), SECOND)) == []  # no book yet
    kalshi.in_yes_prices = True
    (update,) = feed._take(kalshi.snapshot(TICKER), SECOND)
    assert update.volume == 1.0


def test_several_markets_share_a_connection_and_its_numbers() -> None:
    kalshi = venue()
    markets = {"warm": TICKER, "other": "OTHER"}
    heard = play(kalshi.open, lambda h: len(h.updates) == 2, markets=markets)
    warm, other = heard.updates
    assert (warm.market_id, warm.bid, other.market_id, other.bid) == ("warm", 0.22, "other", 0.4)
    assert other.levels == (
        ([0.4], [1.0]),
        ([], []),
    )  # the key of a side without orders is left out
    assert other.price != other.price


def test_numbers_are_counted_for_each_subscription() -> None:
    kalshi = venue()
    feed = opened(kalshi)
    delta = kalshi.delta(TICKER, "yes", "0.1000", "1.00")
    other = kalshi.snapshot("OTHER") | {"sid": 99, "seq": 500}
    assert list(feed._take(other, SECOND)) == []  # nobody asked for that market
    (update,) = feed._take(delta, SECOND)
    assert update.levels[0][0] == [0.22, 0.10, 0.08]


def test_signature_is_made_anew_for_every_connection() -> None:
    kalshi = venue()

    async def drop(peer: Peer) -> None:
        await kalshi.open(peer)
        await asyncio.sleep(0.01)
        peer.drop()

    before = time.time_ns() // 1_000_000
    play(drop, lambda heard: heard.losses == 2)
    after = time.time_ns() // 1_000_000
    # The server has verified each: see Kalshi.check.
    assert before <= kalshi.timestamps[0] < kalshi.timestamps[1] <= after


def test_dropped_connection_loses_the_market_at_once_and_comes_back_with_a_fresh_book() -> None:
    kalshi = venue()

    async def first(peer: Peer) -> None:
        await kalshi.open(peer)
        kalshi.delta(TICKER, "yes", "0.2300", "11.00")  # what nobody hears of
        peer.drop()

    heard = play(first, lambda heard: len(heard.updates) == 3, kalshi.open)
    before, lost, after = heard.updates
    assert (before.bid, lost.is_lost) == (0.22, True)
    assert (after.bid, after.bid_size) == (0.23, 11.0)
    assert (heard.status.reconnects, heard.status.gaps) == (1, 0)


@pytest.mark.parametrize("step", [2, 0, -1], ids=["missing", "repeated", "gone back"])
def test_wrong_number_is_a_gap_and_begins_anew(step: int) -> None:
    kalshi = venue()

    async def first(peer: Peer) -> None:
        await kalshi.open(peer)
        kalshi.delta(TICKER, "yes", "0.2300", "11.00")
        kalshi.number = 1
        await peer.send(kalshi.delta(TICKER, "yes", "0.2400", "1.00") | {"seq": 1 + step})

    heard = play(first, lambda heard: len(heard.updates) == 3, kalshi.open)
    assert [update.is_lost for update in heard.updates] == [False, True, False]
    assert heard.updates[-1].levels[0][0] == [0.24, 0.23, 0.22, 0.08]
    assert heard.status.gaps == 1
    assert heard.status.last_error == f"gap: number 2 of subscription 7 was due, {1 + step} came"


def test_taking_more_than_a_level_has_is_a_gap() -> None:
    kalshi = venue()
    feed = opened(kalshi)
    kalshi.books[TICKER][0]["0.2200"] = "999.00"  # the venue knows more than we do
    with pytest.raises(Gap, match=r"500 were taken from '.*' at 0.22, where there were"):
        feed._take(kalshi.delta(TICKER, "yes", "0.2200", "-500.00"), SECOND)


def test_crossed_book_is_given_up_though_nothing_more_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(KalshiBook, "_SETTLES_NS", SECOND // 10)
    kalshi = venue()

    async def quiet(peer: Peer) -> None:
        await kalshi.open(peer)
        # The second of the two settles the first, in time.
        await peer.send(kalshi.delta(TICKER, "yes", "0.4400", "1.00"))
        await peer.send(kalshi.delta(TICKER, "yes", "0.4400", "-1.00"))
        await asyncio.sleep(0.06)
        await peer.send(kalshi.delta(TICKER, "yes", "0.4400", "1.00"))
        await peer.hold()

    async def run() -> None:
        async with Server(quiet) as server, Listener(feed_of(url=server.ws_url)) as heard:
            await heard.until(lambda: heard.losses == 1)
            assert [u.bid for u in heard.updates[:-1]] == [0.22, 0.22]
            taken = heard.updates[-1].received_ns - heard.updates[-2].received_ns
            # 0.06 s of pause, 0.1 s of doubt; the first doubt, which was settled, is forgotten.
            assert taken > 0.15 * SECOND
            assert "does not add up: bid 0.44" in str(heard.feed.status().last_error)
            assert heard.feed.status().gaps >= 1

    asyncio.run(run())


def test_book_that_stays_crossed_is_a_gap() -> None:
    kalshi = venue()
    feed = opened(kalshi)
    crossing = kalshi.delta(TICKER, "yes", "0.4400", "1.00")
    assert list(feed._take(crossing, SECOND)) == []
    with pytest.raises(Gap, match=r"does not add up: bid 0.44 is not below ask 0.44"):
        feed._take(kalshi.delta(TICKER, "yes", "0.0100", "1.00"), 2 * SECOND)


def test_book_crossed_for_a_moment_is_held_back_until_it_is_not() -> None:
    kalshi = venue()
    feed = opened(kalshi)
    assert list(feed._take(kalshi.delta(TICKER, "yes", "0.4400", "1.00"), SECOND)) == []
    (update,) = feed._take(kalshi.delta(TICKER, "no", "0.5600", "-146.00"), SECOND + 1)
    assert (update.bid, update.ask) == (0.44, 0.46)


CHANGE = {"market_ticker": TICKER, "side": "yes", "price_dollars": "0.1000", "delta_fp": "1.00"}
BAD_CHANGES = {
    "price NaN": {"price_dollars": "nan"},
    "price one": {"price_dollars": "1.0000"},
    "price null and no cents": {"price_dollars": None},
    "delta infinite": {"delta_fp": "inf"},
    "delta twice negative": {"delta_fp": "--1"},
    "delta text": {"delta_fp": "many"},
    "delta list": {"delta_fp": []},
    "cents zero": {"price_dollars": None, "delta_fp": None, "price": 0, "delta": 1},
    "delta null and none": {"delta_fp": None},
    "side unknown": {"side": "maybe"},
    "time text": {"ts_ms": "soon"},
    "no ticker": {"market_ticker": None, "side": None},
}


@pytest.mark.parametrize("change", BAD_CHANGES.values(), ids=BAD_CHANGES.keys())
def test_change_that_cannot_be_read_is_garbage_and_a_gap(change: dict[str, Any]) -> None:
    # Sizes are differences: without this one the book is wrong from here on.
    kalshi = venue()

    async def first(peer: Peer) -> None:
        await kalshi.open(peer)
        await peer.send({"type": "orderbook_delta", "sid": 7, "seq": 2, "msg": CHANGE | change})

    heard = play(first, lambda heard: len(heard.updates) == 3, kalshi.open)
    assert [update.is_lost for update in heard.updates] == [False, True, False]
    assert (heard.status.garbage, heard.status.gaps) == (1, 1)
    assert "a change of a book cannot be read" in heard.status.last_error


@pytest.mark.parametrize(
    "message",
    ["{", "[]", "3", {"sid": 1}, {"type": "trade", "msg": {"market_ticker": TICKER}}],
    ids=["not JSON", "list", "number", "no type", "trade without price"],
)
def test_other_garbage_is_counted_and_changes_nothing(message: Any) -> None:
    kalshi = venue()

    async def script(peer: Peer) -> None:
        await kalshi.open(peer)
        await peer.send(message)
        await peer.send(kalshi.delta(TICKER, "yes", "0.1000", "1.00"))

    heard = play(script, lambda heard: len(heard.updates) == 2)
    assert (heard.status.garbage, heard.status.gaps) == (1, 0)
    assert heard.updates[-1].levels[0][0] == [0.22, 0.10, 0.08]


def test_messages_of_other_kinds_say_nothing() -> None:
    feed = opened(venue())
    for message in ({"type": "ok", "id": 1}, {"type": "ticker", "msg": {}}):
        assert list(feed._take(message, SECOND)) == []


def test_pings_of_the_server_are_answered_and_count_as_life() -> None:
    kalshi = venue()

    async def run() -> None:
        async def script(peer: Peer) -> None:
            await kalshi.open(peer)
            for _ in range(12):
                await peer.ping(b"heartbeat")
                await asyncio.sleep(0.04)
            await peer.hold()

        async with Server(script) as server:
            feed = feed_of(url=server.ws_url, silence=0.2)
            feed.ping_every = 60.0
            async with Listener(feed) as heard:
                await heard.until(lambda: heard.losses == 1)
                # Twelve pings of 0.04 s came before the silence of 0.2 s.
                assert server.peers[0].received[1:] == []
            assert feed.status().last_error == "nothing heard for 0.2 s"

    begun = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - begun > 0.45


# -------------------------------------------------------------------------------- refusals
def test_unknown_ticker_ends_the_feed() -> None:
    with pytest.raises(FeedError, match=r"says error 16: 'Market not found'; .* for 'NOWHERE'"):
        play(venue().open, lambda heard: False, markets="NOWHERE")


def test_refused_key_ends_the_feed() -> None:
    async def run() -> None:
        server = Server(Refuse(401))
        async with server, Listener(feed_of(url=server.ws_url)) as heard:
            await heard.until(lambda: False)

    with pytest.raises(FeedError, match="is refused with HTTP 401 Unauthorized") as caught:
        asyncio.run(run())
    assert KEY_ID not in str(caught.value)


@pytest.mark.parametrize(("code", "gaps"), [(25, 1), (17, 0), (27, 0)])
def test_error_that_passes_is_tried_again(code: int, gaps: int) -> None:
    kalshi = venue()

    async def first(peer: Peer) -> None:
        await kalshi.open(peer)
        await peer.send(kalshi.error(code, f"oh, {KEY_ID}"))

    heard = play(first, lambda heard: len(heard.updates) == 3, kalshi.open)
    assert [update.is_lost for update in heard.updates] == [False, True, False]
    assert heard.status.gaps == gaps
    assert f"error {code}: 'oh, ***'" in heard.status.last_error


# ------------------------------------------------------------------------------------ keys
def test_key_may_be_text_bytes_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "kalshi.pem"
    path.write_text(PEM)
    for key in (PEM, PEM.encode(), path, str(path)):
        assert feed_of(private_key=key)._private_key.private_numbers() == KEY.private_numbers()


def test_keys_are_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "kalshi.pem"
    path.write_text(PEM)
    monkeypatch.setenv("KALSHI_API_KEY_ID", KEY_ID)
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", str(path))
    assert KalshiBook(TICKER)._key_id.reveal() == KEY_ID


@pytest.mark.parametrize("missing", ["key_id", "private_key"])
def test_missing_key_is_an_error_that_says_where_to_put_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KALSHI_API_KEY_ID", "KALSHI_PRIVATE_KEY_PATH"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=rf"^{missing} is missing: .* variable KALSHI_"):
        feed_of(**{missing: None})


WRONG_KEYS: dict[str, tuple[Any, str]] = {
    "no file": ("/nowhere/kalshi.pem", "failed: No such file or directory"),
    "text without its frame": ("\n".join(PEM.splitlines()[1:-1]), "as a path failed"),
    "broken": (PEM.replace(INSIDE, ""), "must be an RSA key in PEM form"),
    "with a password": (pem_of(KEY, b"x"), "must be an RSA key without a password"),
    "of another kind": (pem_of(ec.generate_private_key(ec.SECP256R1())), "must be an RSA key, was"),
    "number": (5, "must be a path or a PEM text, was of type int"),
}


@pytest.mark.parametrize(("key", "said"), WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_key_that_cannot_be_read_is_refused_and_not_shown(key: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said) as caught:
        feed_of(private_key=key)
    assert INSIDE not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key_id", ["", "a b", "a\nb", 7], ids=["empty", "blank", "line", "number"])
def test_key_id_that_is_none_is_refused_and_not_shown(key_id: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^key_id must be") as caught:
        feed_of(key_id=key_id)
    assert "a b" not in str(caught.value)


def test_keys_are_neither_shown_nor_pickled() -> None:
    feed = feed_of()
    shown = f"{feed!r} {feed.status()!r} {feed._repr_html_()} {feed._key_id!r}"
    assert KEY_ID not in shown
    assert INSIDE not in shown
    with pytest.raises(TypeError):
        pickle.dumps(feed._key_id)


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "cryptography.hazmat.primitives.serialization"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'horizon-workbench\[live\]'"):
        feed_of()


def test_facts_of_the_feed() -> None:
    feed = feed_of({"warm": TICKER})
    assert feed.market_ids == ("warm",)
    assert feed.asset_class is AssetClass.Prediction
    assert feed.has_books
    assert feed.status().address == "wss://external-api-ws.kalshi.com/trade-api/ws/v2"


# ---------------------------------------------------------------------------- any messages
#: Reading a key takes longer than a run of changes.
FEEDS = {flag: feed_of(use_yes_price=flag) for flag in (True, False)}


@pytest.mark.no_cover
@given(
    changes=st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(-300, 300))),
    use_yes_price=st.booleans(),
)
def test_book_from_any_deltas_is_that_of_a_plain_dictionary(
    changes: list[tuple[bool, int, int]], use_yes_price: bool
) -> None:
    kalshi = venue()
    feed = opened(kalshi, FEEDS[use_yes_price], use_yes_price=use_yes_price)
    model = [{Decimal(p): Decimal(s) for p, s in side.items()} for side in BOOK]
    levels = LEVELS
    for is_yes, tick, hundredths in changes:
        # Bids of YES up to 0.40, and of NO up to 0.58 (offers of YES from 0.42): no crossing.
        price = Decimal(tick) / 100 if is_yes else Decimal(tick + 18) / 100
        side = model[0 if is_yes else 1]
        change = max(Decimal(hundredths) / 100, -side.get(price, Decimal(0)))
        if not change:
            continue
        side[price] = side.get(price, Decimal(0)) + change
        message = kalshi.delta(TICKER, "yes" if is_yes else "no", f"{price:.4f}", f"{change:.2f}")
        (update,) = feed._take(message, SECOND)
        levels = update.levels
    bids = {float(price): float(size) for price, size in model[0].items() if size}
    asks = {float(1 - price): float(size) for price, size in model[1].items() if size}
    highest, lowest = sorted(bids, reverse=True), sorted(asks)
    assert levels == ((highest, [bids[p] for p in highest]), (lowest, [asks[p] for p in lowest]))


VALUE = st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4)


@pytest.mark.no_cover
@given(
    kind=st.sampled_from(["snapshot", "delta", "trade"]),
    field=st.sampled_from(
        [
            *("market_ticker", "side", "price_dollars", "delta_fp", "ts_ms"),
            *("yes_dollars_fp", "no_dollars_fp", "yes_price_dollars", "count_fp"),
        ]
    ),
    outer=st.sampled_from([None, None, "sid", "seq", "msg", "type"]),
    value=VALUE | st.lists(VALUE, max_size=3) | st.dictionaries(st.text(max_size=2), VALUE),
)
def test_any_value_in_any_place_is_garbage_a_gap_or_harmless(
    kind: str, field: str, outer: str | None, value: Any
) -> None:
    kalshi = venue()
    feed = opened(kalshi, FEEDS[True])
    message = {
        "snapshot": lambda: kalshi.snapshot(TICKER),
        "delta": lambda: kalshi.delta(TICKER, "yes", "0.1000", "1.00"),
        "trade": lambda: kalshi.trade(TICKER, "0.3000", "1.00"),
    }[kind]()
    if outer is None:
        message["msg"][field] = value
    else:
        message[outer] = value
    try:
        updates = list(feed._take(message, SECOND))
    except (*WRONG, Gap):
        updates = []
    for update in updates:
        for prices, sizes in update.levels:
            assert all(0.0 < price < 1.0 for price in prices)
            assert all(0.0 < size <= 1e15 for size in sizes)
        assert not update.bid >= update.ask
