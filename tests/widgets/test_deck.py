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
from tests.widgets.notebook import account, do, in_a_notebook, passing, turns


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
    assert deck.shown["status"] == "playing: 1 of 3 rows, market time 1970-01-01 00:00:00 UTC"
    assert deck.shown["bar"] == {
        "name": "Rows sent of feed replay",
        "percent": 33.3,
        "words": "1 of 3 rows",
    }
    assert buttons(deck) == {"pause": True, "step": False, "stop": True}
    await passing(10.0)
    assert price(ex) == 2.0
    await passing(10.0)
    assert deck.shown["status"] == "done: 3 of 3 rows, market time 1970-01-01 00:00:20 UTC"
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
    assert deck.shown["status"].startswith("playing: 4 rows, market time")


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
