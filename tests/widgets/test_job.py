"""Work in a thread: its progress, its end, and who hears of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from horizon.widgets.job import Job
from horizon.widgets.live import Live


class Owner:
    def __init__(self) -> None:
        self.failed: list[BaseException] = []

    def fail(self, error: BaseException) -> None:
        self.failed.append(error)


def run(work: Any, during: Any = None, done: Any = None) -> tuple[Job[Any], Owner, list[Any]]:
    """Run one job on a loop until it has been heard of."""
    heard: list[Any] = []
    owner = Owner()

    async def go() -> Job[Any]:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()

        def end(job: Job[Any]) -> None:
            heard.append((job.state, asyncio.get_running_loop() is loop))
            over.set()
            if done is not None:
                done(job)

        job: Job[Any] = Job(Live.here(), owner, work, end)
        if during is not None:
            during(job)
        await asyncio.wait_for(over.wait(), 10)
        await asyncio.sleep(0)
        return job

    return asyncio.run(go()), owner, heard


def test_a_result_is_heard_of_on_the_loop() -> None:
    thread: list[threading.Thread] = []

    def work(tell: Any) -> int:
        thread.append(threading.current_thread())
        tell("half")
        return 7

    job, _, heard = run(work)
    assert (job.result, job.progress, job.error) == (7, "half", None)
    assert heard == [("done", True)]
    assert thread[0] is not threading.main_thread()
    assert thread[0].daemon


def test_cancelled_work_ends_at_its_next_word_and_has_no_result() -> None:
    go_on, told = threading.Event(), []

    def work(tell: Any) -> None:
        tell(1)
        go_on.wait(10)
        for n in range(2, 100):
            try:
                tell(n)
            except Exception:  # work that goes on after its errors
                continue
            told.append(n)

    def during(job: Job[Any]) -> None:
        job.cancel()
        go_on.set()

    job, _, heard = run(work, during)
    assert told == []
    assert heard == [("cancelled", True)]
    assert not job.is_running
    with pytest.raises(RuntimeError, match="there is no result: the job is cancelled"):
        _ = job.result


def test_work_that_tells_nothing_and_was_cancelled_has_no_result_either() -> None:
    go_on = threading.Event()

    def during(job: Job[Any]) -> None:
        job.cancel()
        go_on.set()

    job, _, _ = run(lambda _: go_on.wait(10), during)
    assert job.state == "cancelled"


def test_what_is_cancelled_before_its_end_is_heard_of_has_no_result() -> None:
    ended = threading.Event()

    def work(_: Any) -> str:
        ended.set()
        return "of a choice that is no longer made"

    def during(job: Job[Any]) -> None:
        # The loop is held up, as by a cell that blocks, until the thread is at its end.
        ended.wait(10)
        for thread in threading.enumerate():
            if thread.name == "horizon-job":
                thread.join(10)
        assert job.state == "running"
        job.cancel()

    job, _, heard = run(work, during)
    assert heard == [("cancelled", True)]
    with pytest.raises(RuntimeError, match="the job is cancelled"):
        _ = job.result
    # After that, a cancel changes nothing.
    other, _, _ = run(lambda _: 7)
    other.cancel()
    assert (other.state, other.is_cancelled, other.result) == ("done", False, 7)


def test_an_error_is_kept_and_one_of_the_listener_is_shown() -> None:
    def work(_: Any) -> None:
        raise ValueError("no such market")

    def done(_: Any) -> None:
        raise KeyError("shown")

    job, owner, _ = run(work, done=done)
    assert job.state == "failed"
    assert str(job.error) == "no such market"
    assert [type(error) for error in owner.failed] == [KeyError]


def test_its_seconds_stand_still_once_it_has_ended() -> None:
    job, _, _ = run(lambda _: None)
    assert job.seconds == job.seconds
    assert 0.0 <= job.seconds < 10.0
