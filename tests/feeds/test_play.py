"""Running and playing: what is sent when, and what the buttons do."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import horizon as hz
from horizon.errors import HorizonError
from horizon.feeds import Feed, FeedProgress, Replay, Synthetic
from horizon.feeds.base import Fields
from horizon.feeds.pace import Pace
from tests.feeds.fakes import Recorder

SECOND = 1_000_000_000


def tape(*times: float, **options: Any) -> Replay:
    """Rows at these epoch seconds with prices 1, 2, 3 …"""
    prices = [float(i + 1) for i in range(len(times))]
    return Replay({"ts": list(times), "price": prices}, market_id="ACME", **options)


async def soon(is_true: Callable[[], bool]) -> None:
    """Let the loop turn until something holds, on a machine as busy as may be."""
    async with asyncio.timeout(60):
        while not is_true():
            await asyncio.sleep(0.001)


# ---------------------------------------------------------------------------------- run


def test_run_sends_every_field_of_every_row() -> None:
    bars = {"ts": [5], "open": [1.0], "high": [4.0], "low": [0.5], "close": [2.0]}
    quotes = {"bid": [1.5], "ask": [2.5], "bid_size": [7], "ask_size": [8], "volume": [9]}
    client = Recorder(clock=100.0)
    assert Replay(bars | quotes, market_id="ACME").run(client) == 1
    rest = {"open": 1.0, "high": 4.0, "low": 0.5, "bid": 1.5, "ask": 2.5, "volume": 9.0}
    assert client.ticks == [("ACME", 2.0, 100 * SECOND, rest)]


def test_first_row_is_moved_to_the_present_and_the_others_keep_their_distance() -> None:
    client = Recorder(clock=1_700_000_000.0)
    feed = tape(10, 10.5, 12)
    feed.run(client)
    start = 1_700_000_000 * SECOND
    assert client.times == [start, start + SECOND // 2, start + 2 * SECOND]
    assert feed.time == 1_700_000_002.0


def test_run_again_starts_over_after_what_was_sent() -> None:
    client = Recorder(clock=100.0)
    feed = tape(1, 2)
    feed.run(client)
    feed.run(client)
    assert client.prices == [1.0, 2.0, 1.0, 2.0]
    assert [ns // SECOND for ns in client.times] == [100, 101, 101, 102]
    assert (feed.status, feed.position, feed.total) == ("done", 2, 2)


@given(
    clock=st.floats(0, 4e9),
    gaps=st.lists(st.integers(0, 10**12), min_size=1, max_size=20),
    divisor=st.sampled_from([10**9, 1e9]),  # rounded once, and rounded twice
)
@example(clock=1_700_000_000.0, gaps=list(range(0, 4_000_000_000, 100_000_007)), divisor=1e9)
def test_running_again_and_again_never_goes_back_in_time(
    clock: float, gaps: list[int], divisor: float
) -> None:
    client = Recorder(clock=clock, divisor=divisor)
    times = np.cumsum(gaps).astype("datetime64[ns]")
    feed = Replay({"ts": times, "price": np.ones(len(times))})
    for _ in range(20):
        feed.run(client)  # the recorder refuses a time that goes back
    assert client.times == sorted(client.times)


def test_paper_client_takes_a_feed_again_and_again() -> None:
    with hz.connect("paper") as ex:
        for seed in range(100):
            feed = Synthetic(seed=seed, market_id="rain", interval=86_400.7, n=20)
            assert feed.run(ex) == 20
        assert ex.quote("rain").price == list(feed)[-1].price


def test_own_times_are_sent_exact_to_the_nanosecond() -> None:
    first = 1_709_553_600 * SECOND
    times = [first, first + 1, first + 500_000_000, first + 999_999_999]
    data = {"ts": np.array(times, dtype="datetime64[ns]"), "price": [1.0] * 4}
    client = Recorder()
    Replay(data).run(client, rebase=False)
    assert client.times == times


@pytest.mark.parametrize(
    ("until", "count"),
    [
        (101.0, 2),  # included
        (100.999, 1),
        (datetime.fromtimestamp(102, tz=UTC), 3),
        (np.datetime64(101, "s"), 2),
        (timedelta(seconds=1), 2),
        (timedelta(0), 1),
        (1e6, 4),
    ],
)
def test_until_is_the_last_time_as_the_client_sees_it(until: object, count: int) -> None:
    client = Recorder(clock=100.0)
    feed = tape(1, 2, 3, 9)
    assert feed.run(client, until=until) == count == len(client.ticks)
    assert feed.status == "done"


def test_until_takes_all_rows_of_its_time_however_many() -> None:
    data = {"ts": np.repeat([1, 2], 5_000), "price": np.ones(10_000)}
    client = Recorder()
    client.tick = lambda *args, **rest: None  # type: ignore[method-assign]
    assert Replay(data).run(client, until=timedelta(0)) == 5_000


def test_n_is_the_most_rows_and_may_be_nothing() -> None:
    client = Recorder()
    assert tape(1, 2, 3).run(client, n=2) == 2
    assert tape(1, 2, 3).run(client, n=0) == 0
    assert tape(1, 2, 3).run(client, n=9) == 3
    assert tape(1, 2, 3).run(client, n=3, until=timedelta(seconds=1)) == 2


def test_feed_without_rows_is_done_at_once() -> None:
    feed = Replay([])
    assert feed.run(Recorder()) == 0
    assert (feed.status, feed.time) == ("done", None)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"n": -1}, ValueError, "n must be 0 or more"),
        ({"n": 1.5}, TypeError, "n must be a whole number"),
        ({"until": "noon"}, TypeError, "until must be seconds or a datetime"),
        ({"until": 60}, ValueError, "until must not be before the first row.*a timedelta counts"),
        ({"until": timedelta(-1)}, ValueError, "until must not be a negative timedelta"),
        ({"speed": 0}, ValueError, "speed must be above 0"),
        ({"speed": True}, TypeError, "speed must be a number"),
        ({"rebase": 1}, TypeError, "rebase must be True or False"),
    ],
)
def test_wrong_arguments_send_nothing(
    options: dict[str, Any], error: type[Exception], match: str
) -> None:
    client = Recorder()
    with pytest.raises(error, match=match):
        tape(1, 2).run(client, **options)
    with pytest.raises(error, match=match):
        asyncio.run(tape(1, 2).play(client, **options))
    assert client.ticks == []


def test_something_else_than_a_client_is_refused() -> None:
    with pytest.raises(TypeError, match=r"ex must be a client.*was 'paper'"):
        tape(1).run("paper")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="paused must be True or False"):
        asyncio.run(tape(1).play(Recorder(), paused=1))  # type: ignore[arg-type]


def test_tick_that_raises_is_passed_on_with_its_row() -> None:
    def refuse(count: int) -> None:
        if count == 1:
            raise ValueError("no such market")

    # The row that failed is the third of the data: the second has no price.
    data = {"ts": [0, 60, 60.5, 61], "price": [1.0, None, 2.5, 3.0]}
    feed = Replay(data, market_id="ACME", name="tape")
    with pytest.raises(ValueError, match="no such market") as caught:
        feed.run(Recorder(at_tick=refuse))
    assert caught.value.__notes__ == [
        "raised by row 2 of feed 'tape': 'ACME' at 1970-01-01T00:01:00.5Z in the data, price 2.5"
    ]
    assert (feed.status, feed.position) == ("failed", 1)
    assert feed.run(Recorder()) == 3  # not broken for good


def test_interrupt_leaves_the_feed_stopped_at_the_rows_taken() -> None:
    def interrupt(count: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    feed = tape(1, 2, 3)
    client = Recorder(at_tick=interrupt)
    with pytest.raises(KeyboardInterrupt):
        feed.run(client)
    assert (feed.status, feed.position, len(client.ticks)) == ("stopped", 2, 2)


def test_run_with_a_speed_waits_between_rows() -> None:
    began = time.monotonic()
    tape(0, 1_000, 2_000).run(Recorder(), speed=100_000.0)  # 2,000 s at 100,000× are 20 ms
    assert 0.019 < time.monotonic() - began < 10.0


def test_run_ignores_the_speed_of_the_feed() -> None:
    assert tape(0, 1e6, speed=1.0).run(Recorder()) == 2


def test_running_feed_is_stopped_from_another_thread() -> None:
    feed = tape(0, 1_000)
    timer = threading.Timer(0.02, feed.stop)
    # From its first row on: a stop before the pass is under way would do nothing.
    assert feed.run(Recorder(at_tick=lambda _: timer.start()), speed=1.0) == 1
    timer.join()
    assert feed.status == "stopped"


def test_running_feed_is_paused_and_stepped_from_another_thread() -> None:
    feed = tape(*range(1_000))
    client = Recorder(at_tick=lambda count: feed.pause() if count == 4 else None)
    thread = threading.Thread(target=feed.run, args=(client,))
    thread.start()
    while feed.status != "paused":
        time.sleep(0.001)
    time.sleep(0.005)
    assert feed.position == 5
    feed.step(2)
    while feed.position < 7:
        time.sleep(0.001)
    feed.resume()
    thread.join(60)
    assert (feed.status, len(client.ticks)) == ("done", 1_000)


# --------------------------------------------------------------------------------- play


def test_play_without_limit_sends_all_and_lets_the_loop_turn() -> None:
    async def main() -> None:
        # Time of this thread alone: what else the machine does is not the feed's.
        longest, last, is_over = 0.0, time.thread_time(), False

        async def beat() -> None:
            nonlocal longest, last
            while not is_over:
                now = time.thread_time()
                longest, last = max(longest, now - last), now
                await asyncio.sleep(0)

        task = asyncio.create_task(beat())
        feed = Synthetic(n=300_000, speed=None)  # half a second of it
        client = Recorder()
        # A tick of its own takes no time here; the batch of rows before it may.
        client.tick = lambda *args, **rest: None  # type: ignore[method-assign]
        last = time.thread_time()
        assert await feed.play(client) == 300_000
        longest, is_over = max(longest, time.thread_time() - last), True
        await task
        assert longest < 0.1  # 8 ms, and a collection of garbage

    asyncio.run(main())


def test_play_lets_the_loop_turn_after_each_row_that_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("horizon.feeds.base._TURN", 0.0)

    async def main() -> None:
        log: list[str] = []
        feed = tape(*range(5), speed=None)
        task = asyncio.create_task(feed.play(Recorder(at_tick=lambda _: log.append("row"))))
        while not task.done():
            log.append("other")
            await asyncio.sleep(0)
        rows = "".join(what[0] for what in log)
        assert rows.strip("o") == "rorororor"

    asyncio.run(main())


def test_play_keeps_the_speed() -> None:
    async def main() -> None:
        wall: list[float] = []
        feed = tape(0, 1_000, 2_000, 2_000, 4_000)
        began = time.monotonic()
        client = Recorder(at_tick=lambda _: wall.append(time.monotonic() - began))
        await feed.play(client, speed=100_000.0)
        # Due at 0, 10, 20, 20 and 40 ms: never early, and far sooner than at another speed.
        for due, sent in zip([0.0, 0.01, 0.02, 0.02, 0.04], wall, strict=True):
            assert due - 0.0005 <= sent < due + 10.0

    asyncio.run(main())


def test_pause_step_and_resume() -> None:
    async def main() -> None:
        feed, client = tape(0, 1, 2, 3, 4), Recorder()
        task = asyncio.create_task(feed.play(client, speed=math.inf, paused=True))
        await soon(lambda: feed.status == "paused")
        await asyncio.sleep(0.005)
        assert client.ticks == []
        feed.step()
        await soon(lambda: feed.position == 1)
        feed.step(2)
        await soon(lambda: feed.position == 3)
        await asyncio.sleep(0.005)
        assert (feed.status, client.prices) == ("paused", [1.0, 2.0, 3.0])
        feed.resume()
        assert await task == 5
        assert feed.status == "done"

    asyncio.run(main())


def test_step_while_playing_pauses_after_its_rows() -> None:
    async def main() -> None:
        feed, client = tape(0, 1_000, 2_000, 3_000), Recorder()
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position == 1)
        feed.step(2)
        await soon(lambda: feed.position == 3)
        assert feed.status == "paused"
        feed.stop()
        assert await task == 3
        assert feed.status == "stopped"

    asyncio.run(main())


def test_speed_can_be_set_while_playing() -> None:
    async def main() -> None:
        feed, client = tape(0, 1_000, 2_000), Recorder()
        task = asyncio.create_task(feed.play(client, speed=0.5))
        await soon(lambda: feed.position == 1)
        assert feed.speed == 0.5
        feed.speed = None
        assert await task == 3
        assert feed.speed == math.inf
        with pytest.raises(ValueError, match="speed must be above 0, was -1"):
            feed.speed = -1

    asyncio.run(main())


def test_speed_of_one_pass_is_forgotten_after_it() -> None:
    feed = tape(0, speed=3.0)
    asyncio.run(feed.play(Recorder(), speed=7.0))
    assert feed.speed == 3.0


def test_buttons_work_from_other_threads() -> None:
    async def main() -> None:
        feed, client = tape(*range(0, 100_000, 1_000)), Recorder()
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position == 1)
        await asyncio.to_thread(feed.pause)
        assert feed.status == "paused"
        await asyncio.to_thread(feed.step, 3)
        await soon(lambda: feed.position == 4)
        await asyncio.to_thread(feed.resume)
        assert feed.status == "playing"
        await asyncio.to_thread(feed.stop)
        assert await task == 4

    asyncio.run(main())


def test_no_step_is_lost_or_doubled_among_threads() -> None:
    async def main() -> None:
        feed, client = tape(*range(1_000)), Recorder()
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")

        def press() -> None:
            for _ in range(100):
                feed.step()

        await asyncio.gather(*(asyncio.to_thread(press) for _ in range(4)))
        await soon(lambda: feed.position == 400)
        await asyncio.sleep(0.005)
        assert feed.position == 400
        feed.stop()
        await task

    asyncio.run(main())


def test_second_pass_at_one_time_is_refused_and_does_no_harm() -> None:
    async def main() -> None:
        feed, client = tape(0, 1_000), Recorder()
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position == 1)
        with pytest.raises(HorizonError, match="feed 'replay' is already playing: stop"):
            await feed.play(client)
        with pytest.raises(HorizonError, match="already playing"):
            feed.run(client)
        assert feed.status == "playing"
        feed.speed = math.inf
        assert await task == 2

    asyncio.run(main())


def test_cancelled_play_is_stopped_and_can_start_over() -> None:
    async def main() -> None:
        feed, client = tape(0, 1_000), Recorder()
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (feed.status, feed.position) == ("stopped", 1)
        assert await feed.play(client, speed=math.inf) == 2
        assert feed.status == "done"

    asyncio.run(main())


def test_buttons_of_a_resting_feed_do_nothing_and_step_says_why() -> None:
    feed = tape(0, 1)
    for _ in range(2):
        feed.pause()
        feed.resume()
        feed.stop()
    assert feed.status == "idle"
    with pytest.raises(HorizonError, match=r"is idle, and step\(\) needs a pass under way"):
        feed.step()
    assert feed.run(Recorder()) == 2
    with pytest.raises(ValueError, match="n must be 1 or more"):
        feed.step(0)


def test_tick_that_raises_fails_a_play_too() -> None:
    def refuse(count: int) -> None:
        raise ValueError("closed")

    feed = tape(0)
    with pytest.raises(ValueError, match="closed"):
        asyncio.run(feed.play(Recorder(at_tick=refuse)))
    assert feed.status == "failed"


def test_two_feeds_play_side_by_side() -> None:
    async def main() -> None:
        client = Recorder()
        one, two = Synthetic(market_id="a", n=30), Synthetic(market_id="b", n=30)
        await asyncio.gather(one.play(client, speed=1e4), two.play(client, speed=1e4))
        assert sorted({market for market, *_ in client.ticks}) == ["a", "b"]
        assert len(client.ticks) == 60

    asyncio.run(main())


# ---------------------------------------------------------------------------- observers


@pytest.fixture
def no_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a row does not take so long that others have their turn."""
    monkeypatch.setattr("horizon.feeds.base._TURN", math.inf)


@pytest.mark.usefixtures("no_turns")
def test_subscribers_see_the_changes_and_the_last_state() -> None:
    async def main() -> None:
        seen: list[FeedProgress] = []
        feed, client = tape(0, 0, 1_000), Recorder(clock=50.0)
        feed.subscribe(seen.append)
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position == 2)
        await asyncio.sleep(0.002)
        feed.pause()
        feed.stop()
        await task
        assert [(p.status, p.position, p.time) for p in seen] == [
            ("playing", 0, None),
            ("playing", 2, 50.0),  # both rows of one time in one call
            ("paused", 2, 50.0),
            ("stopped", 2, 50.0),
        ]
        assert seen[-1] == feed.progress
        assert (seen[0].total, seen[0].speed) == (3, 1.0)

    asyncio.run(main())


@pytest.mark.parametrize("way", ["run", "play"])
def test_subscribers_are_told_at_each_turn_that_others_have(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("horizon.feeds.base._TURN", 0.0)  # each row takes longer than that
    feed, seen = tape(0, 0, 1, speed=None), []
    feed.subscribe(lambda progress: seen.append((progress.status, progress.position)))
    if way == "run":
        feed.run(Recorder())
    else:
        asyncio.run(feed.play(Recorder()))
    assert seen == [*(("playing", position) for position in range(4)), ("done", 3)]


@pytest.mark.usefixtures("no_turns")
def test_unsubscribed_callback_is_not_called_again() -> None:
    feed, seen = tape(0), []
    first, second = feed.subscribe(seen.append), feed.subscribe(seen.append)
    first()
    first()  # again at no risk, and not at the other's cost
    feed.run(Recorder())
    assert [p.status for p in seen] == ["playing", "done"]
    second()
    feed.run(Recorder())
    assert len(seen) == 2


@pytest.mark.usefixtures("no_turns")
def test_failing_callback_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: FeedProgress) -> None:
        raise RuntimeError("no widget")

    feed, seen = tape(0), []
    feed.subscribe(fail)
    feed.subscribe(seen.append)
    with caplog.at_level(logging.ERROR):
        assert feed.run(Recorder()) == 1
    assert len(seen) == 2
    assert "a callback of feed 'replay' failed" in caplog.text
    assert "no widget" in caplog.text


def test_callback_may_use_the_buttons() -> None:
    feed = Synthetic(n=1_000_000)
    client = Recorder()
    client.tick = lambda *args, **rest: None  # type: ignore[method-assign]
    feed.subscribe(lambda progress: feed.stop() if progress.position else None)
    assert 0 < feed.run(client) < 1_000_000
    assert feed.status == "stopped"


def test_callback_must_be_callable() -> None:
    with pytest.raises(TypeError, match="callback must be callable, was 3"):
        tape(0).subscribe(3)  # type: ignore[arg-type]


# ------------------------------------------------------------------- own feeds and pace


class Counting(Feed):
    """The least that a feed of one's own needs."""

    def batches(self) -> Iterator[Sequence[Fields]]:
        rest = (None,) * 8
        yield []
        for i in range(3):
            yield [("MINE", i * SECOND, float(i), *rest)]


def test_feed_of_ones_own_needs_batches_only() -> None:
    feed = Counting(name="mine")
    client = Recorder()
    with pytest.raises(ValueError, match="may have no end"):
        feed.run(client)
    assert feed.run(client, n=10) == 3
    assert client.prices == [0.0, 1.0, 2.0]
    assert feed.locate(2) == "row 2 of feed 'mine'"


def test_pace_counts_market_time_through_pauses_and_changes_of_speed() -> None:
    pace = Pace(2.0)
    assert pace.delay(100 * SECOND, 0.0) == 0.0  # the first row is due whenever it comes
    assert pace.delay(110 * SECOND, 0.0) == 5.0
    assert pace.delay(110 * SECOND, 2.0) == 3.0  # the market is at 104
    pace.pause(3.0)  # at 106
    assert pace.delay(110 * SECOND, 50.0) == math.inf
    pace.resume(100.0)
    assert pace.delay(110 * SECOND, 100.0) == 2.0
    pace.set_speed(0.5, 101.0)  # at 108
    assert pace.delay(110 * SECOND, 101.0) == 4.0
    assert pace.delay(110 * SECOND, 105.0) == 0.0
    assert pace.delay(109 * SECOND, 105.0) == -2.0  # late


def test_pace_without_limit_goes_on_from_the_next_row() -> None:
    pace = Pace(math.inf)
    assert pace.is_free
    assert pace.delay(5 * SECOND, 0.0) == 0.0
    pace.set_speed(1.0, 10.0)
    assert pace.delay(900 * SECOND, 10.0) == 0.0
    assert pace.delay(901 * SECOND, 10.0) == 1.0


def test_step_moves_the_market_to_its_row() -> None:
    pace = Pace(1.0, is_paused=True)
    pace.jump(50 * SECOND, 0.0)
    pace.resume(10.0)
    assert pace.delay(53 * SECOND, 10.0) == 3.0
