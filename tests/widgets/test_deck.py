"""The feed's deck: its buttons, what it says of its feeds, and when it stops them."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import horizon as hz
from horizon import Market, Prediction
from horizon.feeds import Feed, Replay, Synthetic
from horizon.feeds.base import Fields
from horizon.widgets import FeedDeck
from tests.widgets.notebook import (
    account,
    assert_fit_to_show,
    do,
    in_a_notebook,
    passing,
    turns,
)


def rows(*times: float, market: str = "ACME", **options: Any) -> Replay:
    """Rows at these seconds with prices 1, 2, 3 …"""
    prices = [float(i + 1) for i in range(len(times))]
    return Replay({"ts": list(times), "price": prices}, market_id=market, **options)


def price(ex: hz.ImperativeClient, market: str = "ACME") -> float | None:
    quote = ex.quote(market)
    return None if quote is None else quote.price


def buttons(deck: FeedDeck) -> dict[str, bool]:
    """The buttons and whether they are on."""
    return {action["do"]: not action["off"] for action in deck.shown["actions"]}


class Failing(Feed):
    """A feed whose source breaks after one row."""

    def batches(self) -> Iterator[Sequence[Fields]]:
        yield [("ACME", 0, 1.0, *[None] * 8)]  # type: ignore[list-item]
        raise OSError("the line is dead")


# ------------------------------------------------------------------------- playing
@in_a_notebook
async def test_a_feed_plays_at_its_pace_and_says_how_far_it_is() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(0.5)
    assert price(ex) == 1.0
    assert deck.shown["what"] == "Feed replay"
    assert deck.shown["status"] == "playing: 1 of 3 rows"
    assert deck.shown["time"] == "market time 1970-01-01 00:00:00 UTC"
    assert deck.shown["bar"] == {
        "name": "Rows sent of feed replay",
        "percent": 33.3,
        "words": "1 of 3 rows",
    }
    assert buttons(deck) == {"pause": True, "step": False, "stop": True}
    await passing(10.0)
    assert price(ex) == 2.0
    await passing(10.0)
    assert deck.shown["status"] == "done: 3 of 3 rows"
    assert deck.shown["time"] == "market time 1970-01-01 00:00:20 UTC"
    assert deck.shown["bar"]["percent"] == 100
    assert buttons(deck) == {"play": True, "step": True, "stop": False}


@in_a_notebook
async def test_a_feed_that_should_not_begin_by_itself_waits() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10), play=False)
    await passing(5.0)
    assert (price(ex), deck.shown["status"]) == (None, "idle: 0 of 2 rows")
    assert buttons(deck) == {"play": True, "step": True, "stop": False}
    await do(deck, "play")
    assert price(ex) == 1.0


@in_a_notebook
async def test_a_pause_stands_still_and_play_goes_on_from_there() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(4.0)
    await do(deck, "pause")
    assert deck.shown["status"].startswith("paused: 1 of 3 rows")
    assert buttons(deck) == {"play": True, "step": True, "stop": True}
    await passing(100.0)
    assert price(ex) == 1.0
    await do(deck, "play")
    await passing(5.9)  # 4 of the 10 seconds had passed
    assert price(ex) == 1.0
    await passing(0.2)
    assert price(ex) == 2.0


@in_a_notebook
async def test_a_step_sends_one_row_and_stands_still() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20), play=False)
    for expected in (1.0, 2.0):
        await do(deck, "step")
        await passing(60.0)
        assert price(ex) == expected
        assert deck.shown["status"].startswith("paused")
    await do(deck, "play")
    await passing(10.1)
    assert deck.feeds[0].status == "done"


@in_a_notebook
async def test_stop_ends_the_pass_and_play_begins_at_the_first_row() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(10.5)
    await do(deck, "stop")
    await turns()
    await passing(30.0)
    assert (price(ex), deck.shown["status"].split(":")[0]) == (2.0, "stopped")
    await do(deck, "play")
    assert price(ex) == 1.0
    assert deck.shown["error"] is None


@in_a_notebook
async def test_stop_and_play_in_one_breath_begin_anew() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(10.5)
    deck.stop()
    deck.play()
    await passing(0.5)
    assert (price(ex), deck.feeds[0].status, deck.feeds[0].position) == (1.0, "playing", 1)


@in_a_notebook
async def test_two_clicks_on_play_begin_one_pass() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10), play=False)
    for _ in range(2):
        deck._hear(deck, {"do": "play"})
    await passing(0.5)
    assert (deck.shown["error"], deck.feeds[0].position) == (None, 1)
    deck.play()
    await passing(0.5)
    assert (deck.shown["error"], deck.feeds[0].position) == (None, 1)


@in_a_notebook
async def test_what_is_said_before_the_first_row_holds() -> None:
    ex = account()
    stopped, paused = FeedDeck(ex, rows(0, 10)), FeedDeck(ex, rows(0, 10))
    stepped = FeedDeck(ex, rows(0, 10), play=False)
    stopped.stop()
    paused.pause()
    stepped.step()
    stepped.step()
    await passing(60.0)
    assert (stopped.feeds[0].status, stopped.feeds[0].position) == ("idle", 0)
    assert (paused.feeds[0].status, paused.feeds[0].position) == ("paused", 0)
    assert stepped.feeds[0].position == 2
    for deck in (stopped, paused, stepped):
        assert deck.shown["error"] is None


# ------------------------------------------------------------------------- speed
@in_a_notebook
async def test_the_speed_can_be_changed_while_it_plays() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 100))
    assert deck.shown["speed"] == "1"
    await passing(10.0)
    await do(deck, "speed", speed="60")
    assert (deck.shown["speed"], deck.feeds[0].speed) == ("60", 60.0)
    await passing(1.4)  # 90 of 100 seconds were left: 1.5 at this speed
    assert price(ex) == 1.0
    await passing(0.2)
    assert price(ex) == 2.0


@in_a_notebook
async def test_speeds_are_told_in_words_and_the_feed_s_own_is_among_them() -> None:
    deck = FeedDeck(account(), rows(0, speed=7.5), play=False)
    shown = dict(deck.shown["speeds"])
    assert shown["0.5"] == "0.5×"
    assert shown["86400"] == "86,400×"
    assert shown["max"] == "as fast as possible"
    assert deck.shown["speed"] == "7.5"
    assert shown["7.5"] == "7.5×"
    await do(deck, "speed", speed="max")
    assert deck.feeds[0].speed == math.inf


@pytest.mark.parametrize(
    "speed", ["0", "-1", "nan", "inf", "1e400", "", "3", None, 2, [], {}, "9" * 2_000], ids=ascii
)
@in_a_notebook
async def test_a_speed_that_is_not_offered_is_refused(speed: Any) -> None:
    deck = FeedDeck(account(), rows(0, 1), play=False)
    await do(deck, "speed", speed=speed)
    assert deck.feeds[0].speed == 1.0
    assert deck.shown["error"].startswith("speed must be")


# ------------------------------------------------------------------------- many feeds
@in_a_notebook
async def test_several_feeds_play_side_by_side_under_one_deck() -> None:
    ex = account()
    feeds = [rows(0, 10, market=f"M{n}", name=f"feed {n}") for n in range(5)]
    deck = FeedDeck(ex, feeds)
    await passing(0.5)
    assert [price(ex, f"M{n}") for n in range(5)] == [1.0] * 5
    assert deck.shown["what"] == "Feed feed 0, feed 1, feed 2 and 2 more"
    assert deck.shown["status"].startswith("playing: 5 of 10 rows")
    feeds[0].stop()  # by hand, elsewhere
    await passing(0.5)
    assert deck.shown["status"].startswith("playing")
    await do(deck, "pause")
    assert [feed.status for feed in feeds] == ["stopped", *["paused"] * 4]
    await do(deck, "stop")
    await turns()
    assert {feed.status for feed in feeds} == {"stopped"}


@in_a_notebook
async def test_a_feed_without_end_has_no_bar() -> None:
    ex = account()
    deck = FeedDeck(ex, Synthetic(1, market_id="rain", interval=1.0))
    await passing(3.5)
    assert deck.shown["bar"] is None
    assert deck.shown["status"] == "playing: 4 rows"
    assert deck.shown["time"].startswith("market time")


@in_a_notebook
async def test_what_is_not_all_sent_is_never_shown_as_100_percent() -> None:
    deck = FeedDeck(account(), rows(*range(3_000), speed=math.inf), play=False)
    task = asyncio.create_task(deck.feeds[0].play(account(), n=2_999))
    await task
    await passing(0.2)
    # 2,999 of 3,000 are 99.97 %.
    assert deck.shown["bar"]["percent"] == 99.9


# ------------------------------------------------------------------------- faults
@in_a_notebook
async def test_a_feed_that_fails_is_shown_with_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    deck = FeedDeck(account(), Failing(name="live"))
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await passing(0.5)
    assert deck.shown["error"] == "OSError: the line is dead"
    assert deck.shown["status"].startswith("failed: 1 rows")
    assert len(caplog.records) == 1
    assert deck.ended == ""
    assert buttons(deck)["play"]


@in_a_notebook
async def test_a_row_that_the_market_cannot_have_is_shown_with_its_error() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    other = rows(0, 1, 2, market="ACME", name="other")
    deck = FeedDeck(ex, [rows(0, 1, 2, market="rain"), other])
    await passing(3.5)
    assert "must be between 0 and 1 for Prediction 'rain', was 2.0" in deck.shown["error"]
    assert [feed.status for feed in deck.feeds] == ["failed", "done"]


@in_a_notebook
async def test_waiting_for_the_deck_ends_with_its_feeds_or_raises_what_they_raise() -> None:
    deck = FeedDeck(account(), rows(0, 1, 2))
    await deck.done()
    assert deck.feeds[0].status == "done"
    failing = FeedDeck(account(), Failing(name="live"))
    with pytest.raises(OSError, match="the line is dead"):
        await failing.done()
    idle = FeedDeck(account(), rows(0, 1), play=False)
    await idle.done()


@in_a_notebook
async def test_a_closed_account_ends_its_deck_and_the_feed() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(1.0)
    ex.close()
    await passing(10.0)
    assert (deck.ended, deck.feeds[0].status) == ("its account was closed", "stopped")


# ------------------------------------------------------------------------- its end
@in_a_notebook
async def test_closing_the_deck_stops_the_feeds_that_it_has_begun() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(1.0)
    deck.close()
    await passing(60.0)
    assert (price(ex), deck.feeds[0].status) == (1.0, "stopped")
    await do(deck, "play")
    await passing(1.0)
    assert deck.feeds[0].status == "stopped"


@in_a_notebook
async def test_closing_the_deck_leaves_a_feed_that_another_cell_plays() -> None:
    ex = account()
    feed = rows(0, 10, 20)
    task = asyncio.create_task(feed.play(ex))
    await turns()
    deck = FeedDeck(ex, feed, play=False)
    deck.close()
    await passing(25.0)
    assert task.done()
    assert (feed.status, price(ex)) == ("done", 3.0)


@in_a_notebook
async def test_a_feed_that_plays_to_another_account_is_not_to_be_controlled_here() -> None:
    ex, other = account(), account()
    feed = rows(0, 10, 20)
    task = asyncio.create_task(feed.play(other))
    await turns()
    with pytest.raises(hz.HorizonError, match="is playing to another account: stop it first"):
        FeedDeck(ex, feed)
    await passing(25.0)
    assert (task.done(), feed.status, feed.client) == (True, "done", None)
    deck = FeedDeck(ex, feed)
    await passing(0.5)
    assert feed.client is ex
    assert deck.shown["status"].startswith("playing")


@in_a_notebook
async def test_a_feed_that_was_lent_to_another_account_is_not_resumed_here() -> None:
    ex, other = account(), account()
    feed = rows(0, 10, 20)
    deck = FeedDeck(ex, feed, play=False)
    task = asyncio.create_task(feed.play(other, paused=True))
    await turns()
    await do(deck, "play")
    assert deck.shown["error"] == "feed 'replay' is paused to another account: stop it first"
    await passing(30.0)
    assert (feed.status, feed.position) == ("paused", 0)
    feed.stop()
    await task


@in_a_notebook
async def test_a_pass_that_another_cell_began_is_stopped_and_begun_anew() -> None:
    ex = account()
    feed = rows(0, 10, 20)
    deck = FeedDeck(ex, feed, play=False)
    task = asyncio.create_task(feed.play(ex))
    await passing(10.5)
    deck.stop()
    deck.play()
    await passing(0.5)
    assert task.done()
    assert (price(ex), feed.status, deck.shown["error"]) == (1.0, "playing", None)


@in_a_notebook
async def test_the_feeds_stop_when_nobody_sees_the_deck_and_it_says_so() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 10, 20))
    await passing(1.0)
    await do(deck, "left")
    await passing(60.0)
    assert (price(ex), deck.feeds[0].status) == (1.0, "stopped")
    await do(deck, "looks")
    assert deck.shown["notice"] == (
        "Stopped, because its output was closed. Play begins at the first row."
    )
    assert deck.shown["page_notice"] == deck.shown["notice"]
    await do(deck, "play")
    assert (deck.shown["notice"], price(ex)) == (None, 1.0)


@in_a_notebook
async def test_an_idle_deck_that_nobody_sees_has_nothing_to_say() -> None:
    deck = FeedDeck(account(), rows(0, 10), play=False)
    await do(deck, "left")
    await passing(6.0)
    await do(deck, "looks")
    assert deck.shown["notice"] is None


@pytest.mark.parametrize(
    ("feed", "error"),
    [
        (None, TypeError),
        (5, TypeError),
        ("replay.csv", TypeError),
        ([5], TypeError),
        ([], ValueError),
        (Ellipsis, TypeError),
    ],
    ids=repr,
)
@in_a_notebook
async def test_what_is_no_feed_is_refused(feed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^feed must"):
        FeedDeck(account(), feed)


@in_a_notebook
async def test_a_feed_given_twice_and_a_play_that_is_no_flag_are_refused() -> None:
    feed = rows(0, 1)
    with pytest.raises(ValueError, match="each once"):
        FeedDeck(account(), [feed, feed])
    with pytest.raises(TypeError, match="play must be True or False"):
        FeedDeck(account(), feed, play="yes")  # type: ignore[arg-type]
    assert feed.status == "idle"


# ------------------------------------------------------------------------- through the data
HOUR = 3_600.0
NOON = 1_700_049_600.0  # 2023-11-15 12:00:00 UTC


def session(n: int = 100, *, market: str = "ACME", gap: float = 60.0, **options: Any) -> Replay:
    """A row a minute from 2023-11-15 12:00 UTC on, with prices 1, 2, 3 …"""
    return rows(*(NOON + gap * i for i in range(n)), market=market, **options)


@pytest.mark.parametrize(
    ("to", "position"),
    [
        ("30", 30),
        ("row 30", 30),
        ("Rows 30", 30),
        (" 1,000 ", 1_000),
        ("+20 rows", 25),
        ("+ 1 row", 6),
        # Five rows are there, the last at 12:04.
        ("+5m", 10),
        ("+5 min", 10),
        ("+90", 6),  # 12:05:30
        ("+1h30m", 95),
        ("+0.5h", 35),
        ("25%", 250),
        ("0.5 %", 5),
        ("12:30", 31),  # with the row of 12:30 itself
        ("12:30:59.5", 31),
        ("4:00", 961),  # the next morning: 16 hours after noon
        ("2023-11-15 13:00", 61),
        ("2023-11-15T13:00:30", 61),
        ("2023-11-15T14:00+01:00", 61),
    ],
)
@in_a_notebook
async def test_a_jump_plays_every_row_up_to_what_was_asked_for(to: str, position: int) -> None:
    ex = account()
    seen: list[float] = []
    ex.engine.venue.subscribe(lambda event: seen.append(event[3]) if event[0] == "marked" else 0)
    deck = FeedDeck(ex, session(1_000), play=False)
    await do(deck, "step", rows="5")
    await do(deck, "jump", to=to)
    await passing(0.2)
    assert deck.shown["error"] is None
    assert deck.feeds[0].position == position
    assert deck.shown["status"].startswith(
        "done" if position == 1_000 else f"paused: {position:,} of 1,000 rows"
    )
    assert seen == [float(i + 1) for i in range(position)]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("", "to must"),
        ("soon", "jump to a row (1500), rows ahead"),
        ("+", "jump to a row"),
        ("+5 lightyears", "jump to a row"),
        ("+5m!", "jump to a row"),
        ("-5m", "jump to a row"),
        ("12:04", "2023-11-16T12:04:00Z lies after the last row"),  # the next one, not this
        ("12:60", "'12:60' is no time of day"),
        ("24:00", "'24:00' is no time of day"),
        ("2023-13-01", "jump to a row"),
        ("20231115", "feed 'replay' has 1,000 rows, row 20,231,115 lies beyond them"),
        ("1001", "feed 'replay' has 1,000 rows, row 1,001 lies beyond them"),
        ("+996 rows", "row 1,001 lies beyond them"),
        ("101%", "must be at most 100%"),
        ("2024-01-01", "2024-01-01T00:00:00Z lies after the last row of feed 'replay', at 2023-11"),
        ("row 4", "row 4 lies behind row 5"),
        ("0%", "row 0 lies behind row 5"),
        ("2023-11-15 12:03", "2023-11-15T12:03:00Z lies behind 2023-11-15T12:04:00Z"),
        ("\u202e1", "jump to a row"),
        ("1" * 2_000, "to must be text of at most"),
        (None, "to must be text"),
        (7, "to must be text"),
    ],
    ids=lambda value: ascii(value)[:30],
)
@in_a_notebook
async def test_a_jump_to_nowhere_or_back_is_refused_and_moves_nothing(to: Any, said: str) -> None:
    deck = FeedDeck(account(), session(1_000), play=False)
    await do(deck, "step", rows="5")
    await do(deck, "jump", to=to)
    await passing(0.2)
    assert said in deck.shown["error"]
    assert deck.feeds[0].position == 5
    assert_fit_to_show(deck)


@in_a_notebook
async def test_a_feed_that_plays_goes_on_after_a_jump() -> None:
    ex = account()
    deck = FeedDeck(ex, session())
    await passing(1.0)
    deck.jump("row 50")
    await passing(1.0)
    assert deck.shown["status"].startswith("playing: 50 of 100 rows")
    await passing(60.0)
    assert price(ex) == 51.0


@in_a_notebook
async def test_a_feed_that_knows_no_times_jumps_in_the_account_s() -> None:
    class Made(Feed):
        def batches(self) -> Iterator[Sequence[Fields]]:
            for i in range(1_000):
                yield [("ACME", i * 60 * 10**9, float(i + 1), *[None] * 8)]  # type: ignore[list-item]

    deck = FeedDeck(account(), Made(name="made"), play=False)
    assert deck.shown["track"] is None
    await do(deck, "jump", to="+5m")
    assert "does not know its times before it plays" in deck.shown["error"]
    await do(deck, "jump", to="50%")
    assert "a feed that may have no end has no share" in deck.shown["error"]
    await do(deck, "jump", to="10")
    await passing(0.2)
    assert deck.feeds[0].position == 10  # the last at 00:09
    await do(deck, "jump", to="+5m")
    await passing(0.2)
    assert deck.feeds[0].position == 15
    await do(deck, "jump", to="1:00")
    await passing(0.2)
    assert deck.feeds[0].position == 61
    await do(deck, "go", place=5)
    assert "no line to jump on" in deck.shown["error"]


@in_a_notebook
async def test_the_slider_says_where_it_is_and_what_stands_elsewhere() -> None:
    deck = FeedDeck(account(), session(1_000), play=False)
    assert deck.shown["track"]["end"] == 1_000
    assert (deck.shown["track"]["place"], deck.shown["track"]["words"]) == (
        0,
        "row 0 of 1,000, 2023-11-15 12:00:00 UTC in the data",
    )
    await do(deck, "point", place=61)
    assert deck.shown["pointed"] == [61, "row 61 of 1,000, 2023-11-15 13:00:00 UTC in the data"]
    assert deck.feeds[0].position == 0
    await do(deck, "go", place=61)
    await passing(0.2)
    track = deck.shown["track"]
    assert (track["place"], track["here"]) == (61, "2023-11-15 13:00:00 UTC in the data")
    for place in (60, 1_001, -1, 1.5, None, "61", True):
        await do(deck, "go", place=place)
        assert deck.shown["error"], place
        assert deck.feeds[0].position == 61


@in_a_notebook
async def test_several_feeds_jump_beside_each_other() -> None:
    ex = account()
    order: list[str] = []
    ex.engine.venue.subscribe(lambda event: order.append(event[2]) if event[0] == "marked" else 0)
    # An hour of seconds, and one of minutes.
    fast = session(3_601, market="fast", name="fast", gap=1.0)
    slow = session(61, market="slow", name="slow")
    deck = FeedDeck(ex, [fast, slow], play=False)
    assert deck.shown["track"]["end"] == 1_000
    await do(deck, "go", place=500)  # half an hour
    await passing(0.5)
    assert [feed.position for feed in deck.feeds] == [1_801, 31]
    assert deck.shown["track"]["here"] == "30 min of 1 h"
    # No row of the slow one is much before or after those of its minute in the fast one.
    minute = 0
    for number, market in enumerate(order):
        if market == "slow":
            passed = number - minute
            assert abs(passed - 60 * minute) <= 60, (minute, passed)
            minute += 1
    await do(deck, "jump", to="+15m")
    await passing(0.5)
    assert [feed.position for feed in deck.feeds] == [2_701, 46]
    await do(deck, "jump", to="50")
    assert "several feeds play side by side: give a time" in deck.shown["error"]
    await do(deck, "go", place=1_000)
    await passing(0.5)
    assert {feed.status for feed in deck.feeds} == {"done"}
    await do(deck, "jump", to="+5m")
    assert "there is no way ahead from there: Restart" in deck.shown["error"]


@in_a_notebook
async def test_a_feed_that_has_ended_holds_back_no_jump_of_the_others() -> None:
    long, short = session(100, market="long", name="long"), session(3, market="short", name="short")
    deck = FeedDeck(account(), [long, short], play=False)
    await do(deck, "jump", to="+10m")
    assert "lies after the last row of feed 'short'" in deck.shown["error"]
    await do(deck, "go", place=500)
    await passing(0.5)
    assert (long.position, short.status) == (50, "done")
    await do(deck, "jump", to="+10m")
    await passing(0.5)
    assert (deck.shown["error"], long.position) == (None, 60)


@in_a_notebook
async def test_a_pause_ends_the_jump_of_several_feeds() -> None:
    ex = account()
    feeds = [session(5_000, market=f"M{n}", name=f"m{n}", gap=1.0) for n in range(2)]
    deck = FeedDeck(ex, feeds, play=False)

    def pause(event: tuple[Any, ...]) -> None:
        if event[0] == "marked" and event[3] == 1_000.0:
            deck.pause()

    ex.engine.venue.subscribe(pause)
    await do(deck, "go", place=1_000)
    await passing(0.5)
    assert all(900 <= feed.position < 1_200 for feed in feeds)
    assert {feed.status for feed in feeds} == {"paused"}


@pytest.mark.parametrize(
    "count", ["0", "-1", "1.5", "", "many", "1000001", "٣", None, 5], ids=ascii
)
@in_a_notebook
async def test_a_number_of_rows_that_is_none_steps_nowhere(count: Any) -> None:
    deck = FeedDeck(account(), session(), play=False)
    await do(deck, "step", rows=count)
    await passing(0.2)
    assert "rows must be" in deck.shown["error"]
    assert deck.feeds[0].position == 0


@in_a_notebook
async def test_restart_begins_at_the_first_row_and_says_what_the_account_keeps() -> None:
    ex = account()
    deck = FeedDeck(ex, session())
    assert deck.shown["restart"]["off"]  # nothing has been played
    await passing(61.0)
    ex.buy("ACME", 5, market=True)
    await do(deck, "restart")
    await passing(0.5)
    assert deck.shown["status"].startswith("playing: 1 of 100 rows")
    assert (price(ex), [held.quantity for held in ex.positions()]) == (1.0, [5.0])
    assert deck.shown["notice"].startswith(
        "Began again at the first row. The account keeps its cash, orders, fills and positions"
    )
    # A page without cells has none to run.
    assert deck.shown["notice"].endswith("for a fresh one, run the cell that makes it.")
    assert deck.shown["page_notice"].endswith("for a fresh one, load this page again.")
    # One that stands still does so at the first row.
    await do(deck, "pause")
    await do(deck, "restart")
    await passing(100.0)
    assert deck.shown["status"].startswith("paused: 0 of 100 rows")
    await do(deck, "jump", to="70")
    await passing(0.2)
    assert (price(ex), deck.shown["notice"]) == (70.0, None)


@in_a_notebook
async def test_a_loop_begins_again_when_all_feeds_have_come_to_their_end() -> None:
    ex = account()
    long, short = rows(0, 100, market="long"), rows(0, 10, market="short")
    deck = FeedDeck(ex, [long, short], loop=True)
    assert deck.shown["loops"]
    await passing(50.0)
    assert (short.status, short.position) == ("done", 2)  # it waits for the long one
    await passing(51.0)
    assert [feed.status for feed in deck.feeds] == ["playing", "playing"]
    assert [feed.position for feed in deck.feeds] == [1, 1]
    await do(deck, "loop", loops=False)
    await passing(150.0)
    assert [feed.status for feed in deck.feeds] == ["done", "done"]
    for wrong in (None, "yes", 1):
        await do(deck, "loop", loops=wrong)
        assert "loops must be True or False" in deck.shown["error"]
        assert not deck.loops


@in_a_notebook
async def test_a_loop_is_stopped_and_a_feed_that_sends_nothing_does_not_spin() -> None:
    ex = account()
    deck = FeedDeck(ex, rows(0, 1), loop=True)
    await passing(10.3)
    await do(deck, "stop")
    await passing(10.0)
    assert deck.feeds[0].status == "stopped"
    by_hand = FeedDeck(ex, rows(0, 100), loop=True)
    await passing(10.0)
    by_hand.feeds[0].stop()
    await passing(10.0)
    assert by_hand.feeds[0].status == "stopped"
    empty = FeedDeck(ex, Replay([]), loop=True)
    await empty.done()
    assert empty.feeds[0].status == "done"
