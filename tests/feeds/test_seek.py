"""Jumping ahead in a feed: every row is sent, none is waited for, and nothing goes back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from horizon.errors import HorizonError
from horizon.feeds import Replay, Synthetic
from tests.feeds.fakes import Recorder
from tests.widgets.notebook import in_a_notebook, passing

SECOND = 1_000_000_000


def tape(*times: float, **options: Any) -> Replay:
    """Rows at these epoch seconds with prices 1, 2, 3 …"""
    prices = [float(i + 1) for i in range(len(times))]
    return Replay({"ts": list(times), "price": prices}, market_id="ACME", **options)


async def soon(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_true():
            await asyncio.sleep(0.001)


async def ended(feed: Replay | Synthetic, task: asyncio.Task[int]) -> int:
    feed.stop()
    return await task


# ------------------------------------------------------------------------- forward
@pytest.mark.parametrize("paused", [True, False], ids=["paused", "playing"])
def test_a_jump_to_a_row_sends_all_rows_before_it_at_once(paused: bool) -> None:
    async def main() -> None:
        feed, client = tape(*range(0, 100_000, 100)), Recorder(clock=500.0)
        task = asyncio.create_task(feed.play(client, paused=paused))
        await soon(lambda: feed.status != "idle")
        feed.seek(row=900)
        assert feed.is_seeking
        await soon(lambda: not feed.is_seeking)
        assert (feed.position, feed.status) == (900, "paused" if paused else "playing")
        # Every row, in its order, and at its own time: the first at the client's present.
        assert client.prices == [float(i + 1) for i in range(900)]
        assert client.times == [(500 + 100 * i) * SECOND for i in range(900)]
        await asyncio.sleep(0.02)
        assert feed.position == 900  # the next is 100 s away
        assert await ended(feed, task) == 900

    asyncio.run(main())


@pytest.mark.parametrize(
    ("to", "rows"),
    [
        (500.0 + 250.0, 3),  # rows at 0, 100, 200 s after the start
        (500.0 + 300.0, 4),  # that time included
        (datetime.fromtimestamp(700, tz=UTC), 3),
        (np.datetime64(700, "s"), 3),
        (timedelta(seconds=199), 2),
        (timedelta(seconds=200), 3),
        (timedelta(0), 1),
    ],
    ids=["between", "at a row", "datetime", "datetime64", "span", "span at a row", "first"],
)
def test_a_jump_to_a_time_sends_all_rows_up_to_it(to: object, rows: int) -> None:
    async def main() -> None:
        feed, client = tape(*range(0, 1_000, 100)), Recorder(clock=500.0)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(to=to)
        await soon(lambda: not feed.is_seeking)
        assert feed.position == rows
        await ended(feed, task)

    asyncio.run(main())


@in_a_notebook
async def test_after_a_jump_to_a_time_the_market_stands_at_that_time() -> None:
    feed, client = tape(0, 100, 200), Recorder(clock=500.0)
    task = asyncio.create_task(feed.play(client))
    await passing(50.0)
    feed.seek(to=680.0)  # 80 s after the second row, 20 s before the third
    await passing(19.0)
    assert feed.position == 2
    await passing(2.0)
    assert (feed.position, await task) == (3, 3)


@in_a_notebook
async def test_after_a_jump_to_a_row_the_next_comes_at_its_distance() -> None:
    feed, client = tape(0, 1_000, 1_010), Recorder()
    task = asyncio.create_task(feed.play(client))
    await passing(50.0)
    feed.seek(row=2)
    await passing(9.0)
    assert feed.position == 2
    await passing(2.0)
    assert (feed.position, await task) == (3, 3)


def test_a_jump_before_the_first_row_does_not_hold_it_up() -> None:
    async def main() -> None:
        feed, client = tape(0, 1_000), Recorder(clock=500.0)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(to=100.0)  # before everything: there is nothing to send
        await soon(lambda: not feed.is_seeking)
        assert feed.position == 0
        feed.resume()
        await soon(lambda: feed.position == 1)
        await ended(feed, task)

    asyncio.run(main())


def test_a_jump_to_the_end_or_beyond_it_in_time_ends_the_pass() -> None:
    async def main() -> None:
        for goal in ({"row": 3}, {"to": 1e6}):
            feed = tape(0, 1_000, 2_000)
            task = asyncio.create_task(feed.play(Recorder(), speed=1.0))
            await soon(lambda feed=feed: feed.position == 1)
            feed.seek(**goal)
            assert await task == 3
            assert (feed.status, feed.is_seeking) == ("done", False)

    asyncio.run(main())


def test_a_free_pass_takes_a_span_from_its_first_row() -> None:
    async def main() -> None:
        feed, client = Synthetic(interval=1.0, speed=None), Recorder(clock=500.0)
        client.tick = lambda *args, **rest: None  # type: ignore[method-assign]
        task = asyncio.create_task(feed.play(client))
        await soon(lambda: feed.position > 100)
        feed.pause()
        there = feed.position
        feed.seek(to=timedelta(seconds=there + 50_000))
        await soon(lambda: not feed.is_seeking)
        assert feed.position == there + 50_001  # the first row is at 0
        await ended(feed, task)

    asyncio.run(main())


def test_a_jump_in_a_free_pass_ends_where_it_was_to() -> None:
    def at_tick(count: int) -> None:
        if count == 10:
            feed.seek(row=20)
        seen.append(feed.is_seeking)

    seen: list[bool] = []
    feed = tape(*range(40))
    assert feed.run(Recorder(at_tick=at_tick)) == 40
    # Called with the eleventh row; the row at 20 is the 21st.
    assert seen == [False] * 10 + [True] * 10 + [False] * 20


def test_the_loop_gets_its_turns_while_a_feed_jumps() -> None:
    async def main() -> None:
        feed, client = Synthetic(n=100_000), Recorder()
        client.tick = lambda *args, **rest: None  # type: ignore[method-assign]
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(row=90_000)
        seen = set()
        while feed.is_seeking:
            seen.add(feed.position)
            await asyncio.sleep(0)
        assert len(seen) > 3
        await ended(feed, task)

    asyncio.run(main())


# ------------------------------------------------------------------------- what ends it
@pytest.mark.parametrize("how", ["pause", "step", "stop"])
def test_pause_step_and_stop_end_a_jump_where_it_is(how: str) -> None:
    async def main() -> None:
        def at_tick(count: int) -> None:
            if count == 20:
                getattr(feed, how)()

        feed = tape(*range(0, 100_000, 100))
        client = Recorder(at_tick=at_tick)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(row=900)
        await soon(lambda: not feed.is_seeking)
        await asyncio.sleep(0.02)
        # Called while the 21st row is taken; a step sends one more.
        assert feed.position == (22 if how == "step" else 21)
        assert feed.status == ("stopped" if how == "stop" else "paused")
        await ended(feed, task)

    asyncio.run(main())


def test_a_new_jump_takes_the_place_of_the_one_under_way() -> None:
    async def main() -> None:
        feed = tape(*range(0, 100_000, 100))
        client = Recorder(at_tick=lambda count: feed.seek(row=30) if count == 9 else None)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(row=900)
        await soon(lambda: not feed.is_seeking)
        assert feed.position == 30
        await ended(feed, task)

    asyncio.run(main())


def test_resume_during_a_jump_plays_on_after_it() -> None:
    async def main() -> None:
        feed = tape(*range(0, 100_000, 100))
        client = Recorder(at_tick=lambda count: feed.resume() if count == 9 else None)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.seek(row=500)
        await soon(lambda: not feed.is_seeking)
        assert (feed.position, feed.status) == (500, "playing")
        await ended(feed, task)

    asyncio.run(main())


# ------------------------------------------------------------------------- refusals
def test_nothing_goes_back() -> None:
    async def main() -> None:
        feed, client = tape(0, 10, 20, 30), Recorder(clock=500.0)
        task = asyncio.create_task(feed.play(client, paused=True))
        await soon(lambda: feed.status == "paused")
        feed.step(3)
        await soon(lambda: feed.position == 3)
        with pytest.raises(HorizonError, match="cannot go back: row 2 lies behind row 3"):
            feed.seek(row=2)
        for to in (519.0, timedelta(seconds=19)):
            with pytest.raises(
                HorizonError,
                match="1970-01-01T00:08:39Z lies behind 1970-01-01T00:08:40Z, where it is",
            ):
                feed.seek(to=to)
        feed.seek(row=3)  # where it is
        feed.seek(to=520.0)
        await soon(lambda: not feed.is_seeking)
        assert feed.position == 3
        await ended(feed, task)
        with pytest.raises(HorizonError, match=r"is stopped, and seek\(\) needs a pass"):
            feed.seek(row=4)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("goal", "error", "match"),
    [
        ({}, TypeError, "row= or to=, one of the two"),
        ({"row": 1, "to": 5.0}, TypeError, "one of the two"),
        ({"row": 1.5}, TypeError, "row must be a whole number"),
        ({"row": -1}, ValueError, "row must be 0 or more"),
        ({"row": 3}, ValueError, "row must be at most 2, the rows of the feed, was 3"),
        ({"to": "noon"}, TypeError, "to must be seconds or a datetime"),
        ({"to": math.nan}, ValueError, "to must be"),
        ({"to": timedelta(-1)}, ValueError, "to must not be a negative timedelta"),
    ],
    ids=["none", "both", "broken", "negative", "beyond", "text", "nan", "before"],
)
def test_what_is_no_goal_is_refused(
    goal: dict[str, Any], error: type[Exception], match: str
) -> None:
    feed = tape(0, 1)
    with pytest.raises(error, match=match):
        feed.seek(**goal)
    assert not feed.is_seeking


# ------------------------------------------------------------------------- rows and times
def test_a_replay_knows_the_times_of_its_rows() -> None:
    feed = tape(10, 20, 20, 40)
    assert [feed.time_at(row) for row in (-1, 0, 2, 3, 4)] == [
        None,
        10 * SECOND,
        20 * SECOND,
        40 * SECOND,
        None,
    ]
    # How many rows are not later: one at 10, three at 20, four at 40.
    assert [feed.row_at(second * SECOND) for second in (9, 10, 19, 20, 39, 40, 99)] == [
        0,
        1,
        1,
        3,
        3,
        4,
        4,
    ]


@pytest.mark.parametrize("n", [None, 3], ids=["without end", "three rows"])
def test_a_made_up_feed_knows_the_times_of_its_rows(n: int | None) -> None:
    feed = Synthetic(interval=0.5, n=n)
    rows = list(feed)[:3] if n else [next(iter(feed))]
    assert [feed.time_at(row) for row in range(len(rows))] == [row.timestamp_ns for row in rows]
    assert feed.time_at(3) == (None if n else 3 * SECOND // 2)
    assert [feed.row_at(ns) for ns in (-1, 0, SECOND // 2 - 1, SECOND // 2)] == [0, 1, 1, 2]
    assert feed.row_at(100 * SECOND) == (3 if n else 201)
