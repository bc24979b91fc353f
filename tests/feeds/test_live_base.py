"""What all live feeds share: amounts, clocks, waits, statuses, listening, losing."""

from __future__ import annotations

import asyncio
import math
import pickle
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from horizon import checks
from horizon.errors import FeedError, HorizonError
from horizon.feeds import Backoff, Garbage, LiveFeed, Update
from horizon.feeds.backoff import retry_after
from horizon.feeds.clock import steady_clock
from horizon.feeds.credentials import Secret
from horizon.feeds.libraries import library
from horizon.feeds.live import market_names, public_address, web_address
from horizon.feeds.updates import amount, lost, milliseconds
from horizon.types import AssetClass
from tests.feeds.servers.base import in_loop


class Told(LiveFeed):
    """Does what it is told, without a socket."""

    def __init__(self, does: Callable[[Told], Any] | None = None, **options: Any) -> None:
        super().__init__("told", options.pop("market_ids", ["a", "b"]), **options)
        self.does = does

    async def _listen(self) -> None:
        if self.does is not None:
            self.does(self)
        await asyncio.Event().wait()


# ------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("value", "number"),
    [("0.45", 0.45), (0.45, 0.45), (3, 3.0), ("0", 0.0), ("1e-8", 1e-8), (10**15, 1e15)],
    ids=str,
)
def test_amount_is_a_number_or_its_text(value: object, number: float) -> None:
    assert amount("p", value) == number


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        math.nan,
        "inf",
        -1e-9,
        "-1",
        "",
        "abc",
        None,
        True,
        [1],
        {},
        1.1e15,
        10**400,
        "1" * 5_000,
        Decimal(1),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_amount_refuses_what_cannot_be(value: object) -> None:
    with pytest.raises(Garbage, match="p must be a number from 0 to 1e15, was"):
        amount("p", value)


@pytest.mark.parametrize("value", [1_672_515_782_136, "1672515782136"])
def test_milliseconds_become_nanoseconds(value: object) -> None:
    assert milliseconds("T", value) == 1_672_515_782_136_000_000


@pytest.mark.parametrize("value", [-1, 1.5, "x", None, True, 10**16])
def test_milliseconds_refuse_what_is_no_time(value: object) -> None:
    with pytest.raises(Garbage, match="T must be milliseconds since 1970"):
        milliseconds("T", value)


# --------------------------------------------------------------------------------- clock
def test_steady_clock_counts_on_when_the_system_clock_is_set() -> None:
    wall, elapsed = [1_000_000], [50]
    now_ns = steady_clock(lambda: wall[0], lambda: elapsed[0])
    assert now_ns() == 1_000_000
    wall[0] = -(10**18)  # somebody sets the clock to long ago
    elapsed[0] += 7
    assert now_ns() == 1_000_007


def test_steady_clock_begins_at_the_present() -> None:
    assert abs(steady_clock()() - time.time_ns()) < 10**9


# --------------------------------------------------------------------------------- waits
def test_waits_double_to_their_bound_and_begin_anew() -> None:
    backoff = Backoff(first=1.0, most=5.0)
    bounds = []
    for _ in range(5):
        bounds.append(backoff.bound)
        backoff.wait()
    assert bounds == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.bound == 1.0


def test_waits_are_spread_evenly_over_the_whole_bound() -> None:
    waits = []
    for seed in range(2_000):
        waits.append(Backoff(1.0, 8.0, np.random.default_rng(seed)).wait())
    # Each tenth of [0, 1) holds 200 of 2,000 evenly spread draws, give or take; three standard
    # deviations are 3 * sqrt(2000 * 0.1 * 0.9) = 40.
    counts = np.histogram(waits, bins=10, range=(0.0, 1.0))[0]
    assert counts.sum() == 2_000
    assert abs(counts - 200).max() <= 50


def test_a_thousand_attempts_do_not_overflow() -> None:
    backoff = Backoff(1.0, 30.0)
    assert all(0.0 <= backoff.wait() <= 30.0 for _ in range(1_200))


def test_backoff_refuses_bounds_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"most must not be below first, 2\.0, was 1\.0"):
        Backoff(2.0, 1.0)
    with pytest.raises(ValueError, match="first must be above 0"):
        Backoff(0.0)


NOON = 1_700_000_000_000_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("99999", 3600.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
    ids=str,
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after(header, NOON) == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="no zone of one's own on this system")
def test_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert retry_after("Tue, 14 Nov 2023 22:13:50 -0000", NOON) == 30.0
    finally:
        monkeypatch.undo()
        time.tzset()


# ----------------------------------------------------------------------------- arguments
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("wss://host:9443/ws?key=secret#x", "wss://host:9443/ws"),
        ("https://user:secret@host/path", "https://host/path"),
    ],
    ids=["query", "user"],
)
def test_shown_address_keeps_secrets(address: str, shown: str) -> None:
    assert public_address(address) == shown
    assert Told(address=address).status().address == shown


@pytest.mark.parametrize("url", ["host/ws", "http://host", "ws://", "ws://[::1", "ws://h:99999"])
def test_address_must_have_scheme_and_host(url: str) -> None:
    with pytest.raises(ValueError, match="url must be an address with ws:// or wss://, was"):
        web_address("url", url, ("ws", "wss"))


def test_markets_are_one_or_many_each_once() -> None:
    assert market_names("markets", "a") == ("a",)
    assert market_names("markets", ["a", "b"]) == ("a", "b")
    with pytest.raises(ValueError, match="markets must not name a market twice, has 'a' again"):
        market_names("markets", ["a", "b", "a"])
    with pytest.raises(ValueError, match="markets must name at least one market"):
        market_names("markets", [])
    with pytest.raises(TypeError, match="markets must be a market id or a list of them, was 3"):
        market_names("markets", 3)
    with pytest.raises(TypeError, match=r"markets\[1\] must be text"):
        market_names("markets", ["a", None])


def test_feed_refuses_wrong_options() -> None:
    with pytest.raises(TypeError, match="asset_class must be an AssetClass, was 'Crypto'"):
        Told(asset_class="Crypto")
    with pytest.raises(TypeError, match="backoff must be a Backoff, was 3"):
        Told(backoff=3)


def test_missing_library_says_what_to_install() -> None:
    with pytest.raises(
        ModuleNotFoundError, match=r"no_such.*pip install 'horizon-workbench\[live\]'"
    ):
        library("no_such")


def test_key_is_hidden_wherever_a_message_is_cut() -> None:
    key = "PKc0ffee'\\d00dfeed1234567890QRSTUVWXYZ"
    for before in range(70):
        shown = Secret(key).hide_in(checks.show("." * before + key + "." * 100))
        # Nothing is left of it: the rest is dots, and what show() says of the length.
        assert set(shown.partition(" (")[0]) <= set("'\".*…")


# ----------------------------------------------------------------------------- listening
async def _listen_for(feed: LiveFeed, turns: int = 5, **options: Any) -> list[Update]:
    updates: list[Update] = []
    task = asyncio.create_task(feed.listen(updates.append, **options))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return updates


@in_loop
async def test_only_known_markets_are_lost_and_only_once() -> None:
    def does(feed: Told) -> None:
        feed._lose("nothing was known yet")
        feed._hand_on([Update("b", 1, price=0.5)])
        feed._lose("the first loss")
        feed._lose("the second loss")

    feed = Told(does)
    updates = await _listen_for(feed, clock=lambda: 77)
    assert [(u.market_id, u.received_ns, u.is_lost) for u in updates] == [
        ("b", 1, False),
        ("b", 77, True),
    ]
    assert feed.status().last_error == "the second loss"
    assert feed.status().updates == 2


@in_loop
async def test_markets_may_be_lost_one_by_one() -> None:
    def does(feed: Told) -> None:
        feed._hand_on([Update("a", 1, price=0.5), Update("b", 1, price=0.5)])
        feed._lose("b alone", ["b", "nobody"])
        feed._lose("the rest")

    updates = await _listen_for(Told(does))
    assert [(u.market_id, u.is_lost) for u in updates] == [
        ("a", False),
        ("b", False),
        ("b", True),
        ("a", True),
    ]


@in_loop
async def test_update_that_says_lost_is_not_said_again() -> None:
    def does(feed: Told) -> None:
        feed._hand_on([Update("a", 1, price=0.5), lost("a", 2)])
        feed._lose("later")

    assert [u.is_lost for u in await _listen_for(Told(does))] == [False, True]


@in_loop
async def test_states_and_their_times() -> None:
    now = [10**9]
    seen = []

    def does(feed: Told) -> None:
        seen.append((feed.status().state, feed.status().since, feed.is_up))
        now[0] = 2 * 10**9
        feed._set_state("up")
        feed._set_state("up")
        now[0] = 3 * 10**9
        seen.append((feed.status().state, feed.status().since, feed.is_up))
        feed._lose("gone")
        seen.append((feed.status().state, feed.status().since, feed.is_up))

    feed = Told(does)
    assert (feed.status().state, feed.status().since) == ("idle", None)
    await _listen_for(feed, clock=lambda: now[0])
    assert seen == [("connecting", 1.0, False), ("up", 2.0, True), ("reconnecting", 3.0, False)]
    assert feed.status().state == "stopped"


@in_loop
async def test_loss_is_told_when_the_feed_is_not_up_any_more() -> None:
    states = []

    def does(feed: Told) -> None:
        feed._set_state("up")
        feed._hand_on([Update("a", 1, price=0.5)])
        feed._lose("gone")

    feed = Told(does)
    task = asyncio.create_task(feed.listen(lambda update: states.append(feed.is_up)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert states == [True, False]


@in_loop
async def test_lag_is_the_way_here() -> None:
    def does(feed: Told) -> None:
        feed._hand_on([Update("a", 5_000_000, 2_500_000, price=0.5)])

    feed = Told(does)
    await _listen_for(feed)
    assert feed.status().lag_ms == 2.5  # (5 - 2.5) million ns
    assert Told().status().lag_ms is None


@in_loop
async def test_one_listens_at_a_time_and_another_afterwards() -> None:
    feed = Told()
    task = asyncio.create_task(feed.listen(print))
    await asyncio.sleep(0)
    with pytest.raises(HorizonError, match="feed 'told' is listening already: one at a time"):
        await feed.listen(print)
    assert feed.status().state == "connecting"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _listen_for(feed)


@in_loop
async def test_new_listener_hears_nothing_of_what_the_last_one_knew() -> None:
    feed = Told(lambda feed: feed._hand_on([Update("a", 1, price=0.5)]))
    heard = await _listen_for(feed)
    feed._hand_on([Update("b", 2, price=0.5)])  # whoever has left hears nothing either
    assert len(heard) == 1
    feed.does = lambda feed: feed._lose("at once")
    assert await _listen_for(feed) == []


@in_loop
async def test_listener_must_be_callable() -> None:
    with pytest.raises(TypeError, match="deliver must be callable, was None"):
        await Told().listen(None)  # type: ignore[arg-type]


@in_loop
async def test_what_the_receiver_raises_ends_the_listening() -> None:
    def refuse(update: Update) -> None:
        raise ValueError("not today")

    feed = Told(lambda feed: feed._hand_on([Update("a", 1, price=0.5)]))
    with pytest.raises(ValueError, match="not today"):
        await feed.listen(refuse)
    assert (feed.status().state, feed.status().last_error) == ("failed", "not today")


@in_loop
async def test_an_error_that_cannot_say_itself_ends_the_listening_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def refuse(update: Update) -> None:
        raise Mute

    feed = Told(lambda feed: feed._hand_on([Update("a", 1, price=0.5)]))
    with pytest.raises(Mute):
        await feed.listen(refuse)
    status = feed.status()
    assert status.state == "failed"
    assert status.last_error == "(its text cannot be read: RuntimeError)"


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (("a", 1), TypeError, r"feed 'told' must give Updates, gave \('a', 1\)"),
        (None, TypeError, "feed 'told' must give Updates, gave None"),
        (
            Update("election-winer", 1, price=0.5),
            ValueError,
            "gave an update of 'election-winer', ",
        ),
        (Update(7, 1, price=0.5), ValueError, "gave an update of 7, which is not among"),  # type: ignore[arg-type]
    ],
    ids=["tuple", "none", "market", "number"],
)
@in_loop
async def test_what_is_no_update_of_its_markets_ends_the_feed(
    given: Any, kind: type[Exception], said: str
) -> None:
    heard: list[Update] = []
    feed = Told(lambda feed: feed._hand_on([given]), market_ids=["election-winner"])
    with pytest.raises(kind, match=said) as caught:
        await feed.listen(heard.append)
    assert heard == []
    assert ("Did you mean 'election-winner'?" in str(caught.value)) == ("winer" in said)


@in_loop
async def test_first_refusal_ends_a_feed_that_was_never_up() -> None:
    feed = Told(lambda feed: feed._refuse(404), address="wss://host/ws?key=secret")
    with pytest.raises(
        FeedError, match=r"^feed 'told' at wss://host/ws is refused with HTTP 404 Not"
    ) as e:
        await feed.listen(print)
    assert (e.value.feed, e.value.address) == ("told", "wss://host/ws")
    again = pickle.loads(pickle.dumps(e.value))
    assert (str(again), again.feed, again.address) == (str(e.value), "told", "wss://host/ws")


@in_loop
async def test_third_refusal_in_a_row_ends_a_feed_that_was_up() -> None:
    counts = []

    def does(feed: Told) -> None:
        feed._set_state("up")
        for number in (1, 2):
            feed._refuse(403)
            counts.append(number)
        feed._set_state("up")  # it was let in again: the count begins anew
        for number in (3, 4, 5):
            feed._refuse(403)
            counts.append(number)

    with pytest.raises(FeedError, match="HTTP 403 Forbidden"):
        await Told(does).listen(print)
    assert counts == [1, 2, 3, 4]


def test_reprs_name_the_feed_and_escape() -> None:
    feed = Told(asset_class=AssetClass.Crypto)
    assert repr(feed) == "<Told 'told', 2 markets, idle, 0 messages>"
    assert repr(Told(market_ids=["a"])) == "<Told 'told', 'a', idle, 0 messages>"
    feed._last_error = "<script>"
    assert "<script>" not in feed._repr_html_()
    assert "&lt;script&gt;" in feed._repr_html_()
