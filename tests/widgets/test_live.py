"""The live layer: paints, tasks and calls from other threads, and the cells that own them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from horizon.errors import HorizonError
from horizon.widgets import live as live_module
from horizon.widgets.live import FIGURES, VALUES, Live, words_of
from tests.widgets.notebook import SkippingLoop, in_a_notebook, loop_now, passing, timers, turns


class Painter:
    """An owner that counts its paints, and notes what it is told."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.act = act
        self.paints = 0
        self.painted: list[Any] = []
        self.value: Any = None
        self.errors: list[BaseException] = []
        self.ends: list[str] = []

    def paint(self) -> None:
        self.paints += 1
        if not self.painted or self.painted[-1] != self.value:
            self.painted.append(self.value)
        self.act()

    def fail(self, error: BaseException) -> None:
        self.errors.append(error)

    def release(self, reason: str) -> None:
        self.ends.append(reason)
        Live.here().end(self)

    def broken(self, error: BaseException) -> None:
        self.release(f"broken by {error}")


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Say which cell runs now, and which run of it this is."""

    def run(name: str, number: str) -> None:
        monkeypatch.setattr(live_module, "_cell", lambda: (name, number))

    return run


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# ------------------------------------------------------------------------- one per loop
@in_a_notebook
async def test_there_is_one_owner_of_a_loop() -> None:
    assert Live.here() is Live.here()


def test_another_loop_has_another_owner_and_closed_loops_are_forgotten() -> None:
    async def here() -> Live:
        return Live.here()

    first, second = asyncio.run(here()), asyncio.run(here())
    assert first is not second
    assert first not in Live._known


def test_without_a_loop_it_says_what_is_needed() -> None:
    with pytest.raises(RuntimeError, match="needs a running event loop, as every notebook has"):
        Live.here()


# ------------------------------------------------------------------------- paints
@in_a_notebook
async def test_of_many_changes_between_two_paints_the_newest_is_shown() -> None:
    owner = Painter()
    Live.here().show(owner)
    for number in range(1_000):
        owner.value = number
        if number % 100 == 99:
            await passing(VALUES / 20)
    await passing(VALUES)
    # 10 pauses of 5 ms are 50 ms: the first turn paints 99, the paint 100 ms later the last.
    assert owner.painted == [99, 999]


@in_a_notebook
async def test_values_are_painted_ten_times_a_second_and_figures_four_times() -> None:
    values, figures = Painter(), Painter()
    Live.here().show(values, VALUES)
    Live.here().show(figures, FIGURES)
    await passing(1.01)
    # At 0, 0.1, … 1.0 and at 0, 0.25, … 1.0.
    assert (values.paints, figures.paints) == (11, 5)


@in_a_notebook
async def test_an_owner_at_rest_is_not_painted_until_it_is_shown_again() -> None:
    live, owner = Live.here(), Painter()
    live.show(owner)
    await turns()
    live.rest(owner)
    await passing(1.0)
    assert owner.paints == 1
    live.show(owner)
    await turns()
    assert owner.paints == 2


@in_a_notebook
async def test_the_timer_is_due_for_the_earliest_paint_and_there_is_one() -> None:
    live, slow, quick = Live.here(), Painter(), Painter()
    live.show(slow, every=60.0)
    await turns()
    live.show(quick, every=0.1)
    assert await timers() == 1
    await passing(0.35)
    assert (slow.paints, quick.paints) == (1, 4)


@in_a_notebook
async def test_paint_all_paints_values_now_and_leaves_figures_their_turn() -> None:
    live, values, figures = Live.here(), Painter(), Painter()
    live.show(values, VALUES)
    live.show(figures, FIGURES)
    await turns()
    await passing(0.05)
    live.paint_all()
    assert (values.paints, figures.paints) == (2, 1)
    await passing(0.07)  # 0.12 after the first paint, 0.07 after the second
    assert values.paints == 2


@in_a_notebook
async def test_one_owner_can_be_painted_now_and_one_at_rest_is_not() -> None:
    live, owner, other = Live.here(), Painter(), Painter()
    live.show(owner)
    live.show(other)
    await turns()
    await passing(0.05)
    live.paint(owner)
    live.rest(other)
    live.paint(other)
    assert (owner.paints, other.paints) == (2, 1)
    await passing(0.07)  # its next turn counts from then
    assert owner.paints == 2


@in_a_notebook
async def test_a_paint_that_fails_ends_its_owner_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    live, good = Live.here(), Painter()
    fault = ZeroDivisionError("nothing to divide by")
    bad = Painter(raising(fault))
    live.show(bad)
    live.show(good)
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await passing(2.05)
    assert bad.errors == [fault]
    assert bad.ends == ["broken by nothing to divide by"]
    assert bad.paints == 1
    assert good.paints == 21
    assert [record.getMessage() for record in caplog.records] == [
        "shown on a widget: ZeroDivisionError: nothing to divide by"
    ]
    assert caplog.records[0].exc_info[1] is fault


@in_a_notebook
async def test_a_painter_that_ends_another_in_mid_round_is_obeyed() -> None:
    live, second = Live.here(), Painter()
    first = Painter(lambda: live.end(second))
    live.show(first)
    live.show(second)
    await passing(0.25)
    assert (first.paints, second.paints) == (3, 0)


def test_an_interrupt_in_a_paint_does_not_stop_the_timer() -> None:
    loop = SkippingLoop()
    owner, neighbour = Painter(), Painter()

    async def show() -> None:
        Live.here().show(owner)
        Live.here().show(neighbour)

    try:
        loop.run_until_complete(show())
        owner.act = raising(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.sleep(0.5))
        assert owner.ends == []
        owner.act = lambda: None
        before = owner.paints, neighbour.paints
        # The kernel goes on with its loop.
        loop.run_until_complete(asyncio.sleep(0.95))
        # The neighbour was next in that round; its turn is made up for.
        assert (owner.paints - before[0], neighbour.paints - before[1]) == (9, 10)
    finally:
        for task in asyncio.all_tasks(loop):  # the sleep that was interrupted
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


# ------------------------------------------------------------------------- tasks
@in_a_notebook
async def test_tasks_end_with_their_owner_and_others_go_on() -> None:
    live, one, other = Live.here(), Painter(), Painter()
    mine = [live.start(asyncio.sleep(60), one) for _ in range(2)]
    theirs = live.start(asyncio.sleep(60), other)
    assert live.tasks_of(one) == mine
    live.end(one)
    await turns()
    assert all(task.cancelled() for task in mine)
    assert not theirs.done()
    assert live.tasks_of(one) == []
    assert one.errors == []  # an end is no error
    live.end(other)


@in_a_notebook
async def test_an_exception_in_a_task_is_told_to_its_owner_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise LookupError("no such thing")

    live, owner, other = Live.here(), Painter(), Painter()
    live.start(fails(), owner)
    live.start(asyncio.sleep(0), other)
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await turns()
    assert [str(error) for error in owner.errors] == ["no such thing"]
    assert other.errors == []
    assert "LookupError: no such thing" in caplog.text


@in_a_notebook
async def test_our_own_errors_are_told_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def refuses() -> None:
        raise HorizonError("the market is closed")

    owner = Painter()
    Live.here().start(refuses(), owner)
    with caplog.at_level(logging.ERROR, "horizon.widgets"):
        await turns()
    assert [str(error) for error in owner.errors] == ["the market is closed"]
    assert caplog.records == []


@in_a_notebook
async def test_ending_twice_and_ending_a_stranger_do_nothing() -> None:
    live, owner = Live.here(), Painter()
    live.show(owner)
    live.end(owner)
    live.end(owner)
    live.end(Painter())
    await passing(1.0)
    assert owner.paints == 0


@in_a_notebook
async def test_nothing_is_left_in_the_loop_once_the_last_owner_has_ended() -> None:
    live, owners = Live.here(), [Painter(), Painter()]
    for owner in owners:
        live.show(owner)
        live.start(asyncio.sleep(3_600), owner)
    await passing(1.0)
    for owner in owners:
        live.end(owner)
    assert await timers() == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (live._due, live._contexts, live._tasks) == ({}, {}, {})


# ------------------------------------------------------------------------- calls
@in_a_notebook
async def test_a_call_from_another_thread_runs_on_the_loops_own() -> None:
    live, seen = Live.here(), []
    called = asyncio.Event()

    def job() -> None:
        seen.append(threading.current_thread())
        called.set()

    other = threading.Thread(target=live.soon, args=(job, Painter()))
    other.start()
    await called.wait()
    other.join()
    assert seen == [threading.current_thread()]


@in_a_notebook
async def test_an_exception_in_a_call_is_told_to_its_owner() -> None:
    live, owner = Live.here(), Painter()
    live.soon(raising(OSError("disk full")), owner)
    await turns()
    assert [words_of(error) for error in owner.errors] == ["OSError: disk full"]


@in_a_notebook
async def test_a_later_call_comes_when_it_is_time_unless_it_is_cancelled() -> None:
    live, seen = Live.here(), []
    live.later(2.0, lambda: seen.append("first"))
    live.later(2.0, lambda: seen.append("second")).cancel()
    await passing(1.9)
    assert seen == []
    await passing(0.2)
    assert seen == ["first"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HorizonError("our words"), "our words"),
        (ValueError("qty must be above 0"), "qty must be above 0"),
        (TypeError("not a number"), "not a number"),
        (KeyError("price"), "KeyError: 'price'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (ValueError(), "ValueError"),
        (ValueError("line\nbreak \u202e"), "line⟨U+000A⟩break ⟨U+202E⟩"),
    ],
)
def test_errors_speak_for_themselves_or_with_their_kind(error: Exception, said: str) -> None:
    assert words_of(error) == said


def test_an_error_s_notes_are_said_with_it() -> None:
    error = ValueError("price must be 0 or more, was -1.0")
    error.add_note("raised by row 3 of feed 'quotes'")
    assert words_of(error) == "price must be 0 or more, was -1.0; raised by row 3 of feed 'quotes'"


def test_an_error_that_cannot_say_its_text_is_named_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise OSError

    assert words_of(Mute()) == "Mute: (its text cannot be read: OSError)"


# ------------------------------------------------------------------------- cells
@in_a_notebook
async def test_a_cell_that_is_run_again_ends_what_its_former_run_made(
    cell: Callable[[str, str], None],
) -> None:
    live = Live.here()
    first, second, again, elsewhere = Painter(), Painter(), Painter(), Painter()
    cell("here", "run 1")
    live.claim(first)
    live.claim(second)
    assert (first.ends, second.ends) == ([], [])  # the same run may make several
    cell("there", "run 2")
    live.claim(elsewhere)
    cell("here", "run 3")
    live.claim(again)
    assert first.ends == second.ends == ["its cell was run again"]
    assert elsewhere.ends == again.ends == []
    cell("here", "run 4")
    live.claim(Painter())
    assert again.ends == ["its cell was run again"]
    assert first.ends == ["its cell was run again"]  # once is enough


@in_a_notebook
async def test_what_has_ended_by_itself_is_not_ended_again(
    cell: Callable[[str, str], None],
) -> None:
    live, owner = Live.here(), Painter()
    cell("here", "run 1")
    live.claim(owner)
    owner.release("it was closed")
    cell("here", "run 2")
    live.claim(Painter())
    assert owner.ends == ["it was closed"]


@in_a_notebook
async def test_outside_of_a_cell_nothing_is_ended() -> None:
    live, one, other = Live.here(), Painter(), Painter()
    live.claim(one)
    live.claim(other)
    assert (one.ends, other.ends) == ([], [])


# ------------------------------------------------------------------------- stalls
@in_a_notebook
async def test_a_stretch_that_blocks_the_loop_is_told_and_forgotten_later() -> None:
    live, loop = Live.here(), loop_now()
    live.show(Painter(), every=0.1)
    await passing(0.25)  # painted at 0, 0.1, 0.2; the next is due at 0.3
    assert live.stall is None
    loop.block(10.0)
    await turns()
    assert live.stall is not None
    # Blocked from 0.25 to 10.25: the paint of 0.3 came 9.95 s late.
    assert live.stall.seconds == pytest.approx(9.95)
    await passing(14.0)
    assert live.stall is not None
    await passing(2.0)
    assert live.stall is None


@in_a_notebook
async def test_a_short_block_is_not_told() -> None:
    live = Live.here()
    live.show(Painter())
    await turns()
    loop_now().block(1.9)
    await passing(0.2)
    assert live.stall is None


@in_a_notebook
async def test_what_was_missed_is_not_made_up_for() -> None:
    live, owner = Live.here(), Painter()
    live.show(owner)
    await turns()
    loop_now().block(10.0)
    await passing(0.35)
    # One paint at once, then at 0.1, 0.2 and 0.3 after it: not a hundred.
    assert owner.paints == 5


@in_a_notebook
async def test_the_cell_that_makes_a_widget_may_take_its_time() -> None:
    live, owner = Live.here(), Painter()
    live.show(Painter())
    await turns()
    loop_now().block(30.0)  # the cell computes, and makes its widget at the end
    live.claim(owner)
    live.show(owner)
    await turns()
    assert live.stall is None
    live.end(owner)


# ------------------------------------------------------------------------- the kernel's side
class Shell:
    """What IPython says of the message that it is answering."""

    def __init__(self, parent: dict[str, Any]) -> None:
        self.parent = parent

    def get_parent(self) -> dict[str, Any]:
        return self.parent


@pytest.mark.parametrize(
    ("shell", "told"),
    [
        (
            Shell({"metadata": {"cellId": "c-1"}, "header": {"msg_id": "m-9"}}),
            ("c-1", "m-9"),
        ),
        (Shell({"metadata": {}, "header": {"msg_id": "m-9"}}), None),  # a console has no cells
        (Shell({}), None),
        (object(), None),  # a shell of another kind
        (None, None),  # IPython is imported, and does not run this
    ],
)
def test_the_cell_is_what_the_kernel_says_it_is(
    shell: object, told: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert live_module._cell() == told


@in_a_notebook
async def test_paints_and_calls_run_in_the_context_of_the_cell_that_made_their_owner() -> None:
    cell_of_output = contextvars.ContextVar("cell", default="none")
    seen: list[str] = []
    live, owner = Live.here(), Painter(lambda: seen.append(cell_of_output.get()))
    cell_of_output.set("first")
    live.claim(owner)
    cell_of_output.set("second")
    live.show(owner)
    await turns()
    live.paint_all()
    live.soon(lambda: seen.append(cell_of_output.get()), owner)
    await turns()
    assert seen == ["first", "first", "first"]
    live.end(owner)
