"""The explorer's runs: what a change brings about, what is kept, how it ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.backtesting import play as playing
from horizon.widgets.explorer import BacktestExplorer
from horizon.widgets.explorer.space import Range
from tests.backtesting.scenes import buy, ticks
from tests.widgets.notebook import assert_fit_to_show, do, in_a_notebook, turns

#: Of a market that nobody has touched.
PRICES = (0.25, 0.5, 0.75)


def make(params: dict[str, Any]) -> list[Callable[[Any], Any]]:
    """Buy so many at the first row: they fill at 0.5 and end at 0.75, a quarter each."""

    def once(ctx: Any) -> Any:
        if params.get("fails"):
            raise ZeroDivisionError("nothing to divide")
        return buy(params["size"], market="m") if ctx.timestamp == 0.0 else None

    return [once]


def explorer(factory: Any = make, params: Any = None, **options: Any) -> BacktestExplorer:
    """An explorer whose only parameter is the size, without fees."""
    return BacktestExplorer(
        ticks(*PRICES),
        factory,
        {"size": [1, 2, 4, 8]} if params is None else params,
        **{"markets": ["m"], "paper_fee_rate": 0.0, **options},
    )


async def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Let the loop turn until something holds that a thread brings about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.001)  # the thread's turn
        await turns(1)


def profits(made: BacktestExplorer) -> list[float]:
    return [one.metrics.total_return for one in made.results.values()]


class Gate:
    """A factory whose stage waits at its second row until it is let through."""

    def __init__(self) -> None:
        self.waits = threading.Event()
        self.open = threading.Event()
        self.begun: list[Any] = []

    def __call__(self, params: dict[str, Any]) -> list[Callable[[Any], Any]]:
        self.begun.append(params["size"])

        def stage(ctx: Any) -> Any:
            if ctx.timestamp == 1.0:
                self.waits.set()
                assert self.open.wait(20.0)
            return buy(params["size"], market="m") if ctx.timestamp == 0.0 else None

        return [stage]


@pytest.fixture
def told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run tells of every row, whatever the clock says."""
    monkeypatch.setattr(playing, "_EVERY", -1.0)


# ------------------------------------------------------------------------ runs
@in_a_notebook
async def test_it_runs_with_the_values_to_begin_with() -> None:
    made = explorer(start={"size": 4})
    assert made.result is None
    await made.done()

    # 4 × (0.75 − 0.5)
    assert made.result is not None
    assert made.result.metrics.total_return == 1.0
    assert made.setting == {"size": 4}
    assert made.shown["shown"]["setting"] == "size=4"
    assert made.result.name == "Run 1: size=4"
    assert_fit_to_show(made)


@in_a_notebook
async def test_it_runs_nothing_before_it_is_asked() -> None:
    made = explorer(begin=False)
    await turns()

    assert not made.is_running
    assert made.shown["run"]["text"] == "Nothing has been run yet."
    assert made.shown["kept"]["rows"] == []
    assert_fit_to_show(made)


@in_a_notebook
async def test_a_change_on_the_page_runs_again() -> None:
    made = explorer()
    await made.done()
    await do(made, "change", values={"p1": "8"}, by="me", edit=1)
    await made.done()

    assert profits(made) == [0.25, 2.0]
    assert made.result is made.results["Run 2"]
    assert made.shown["form"]["values"] == {"p1": "8"}
    assert (made.shown["form"]["by"], made.shown["form"]["edit"]) == ("me", 1)


@in_a_notebook
async def test_a_change_that_cannot_be_read_runs_nothing_and_is_said_at_its_field() -> None:
    made = explorer()
    await made.done()
    await do(made, "change", values={"p1": "3"}, by="me", edit=1)

    assert made.shown["form"]["wrong"] == {"p1": "size must be one of 1, 2, 4, 8, was 3"}
    assert made.shown["run"]["state"] == "wrong"
    assert not made.is_running
    await do(made, "change", values={"p1": "2"}, by="me", edit=2)
    await made.done()
    assert made.shown["form"]["wrong"] == {}
    assert profits(made) == [0.25, 0.5]


@in_a_notebook
async def test_without_auto_a_change_waits_for_the_button() -> None:
    made = explorer(auto=False)
    await made.done()
    await do(made, "change", values={"p1": "8"}, by="me", edit=1)

    assert not made.is_running
    assert made.shown["run"]["text"] == "Parameters were changed: press Run."
    await do(made, "run")
    await made.done()
    assert profits(made) == [0.25, 2.0]
    await do(made, "auto")
    assert made.shown["run"]["auto"]


@in_a_notebook
async def test_the_button_takes_what_is_written_at_that_moment() -> None:
    made = explorer(auto=False, begin=False)
    await do(made, "run", values={"p1": "4"}, by="me", edit=1)
    await made.done()

    assert profits(made) == [1.0]


@in_a_notebook
async def test_going_back_shows_what_is_kept_and_runs_nothing() -> None:
    begun: list[Any] = []

    def counting(params: dict[str, Any]) -> Any:
        begun.append(params["size"])
        return make(params)

    made = explorer(counting)
    await made.done()
    await made.run(size=2)
    await do(made, "change", values={"p1": "1"}, by="me", edit=1)
    await turns()

    assert begun == [1, 2]
    assert not made.is_running
    assert made.result is made.results["Run 1"]
    assert "Kept from before, not run again." in made.shown["run"]["text"]
    await do(made, "run")  # the button runs all the same
    await made.done()
    assert begun == [1, 2, 1]
    assert list(made.results) == ["Run 1", "Run 2", "Run 3"]


@in_a_notebook
async def test_enter_after_a_change_asks_for_no_second_run() -> None:
    begun: list[Any] = []

    def counting(params: dict[str, Any]) -> Any:
        begun.append(params["size"])
        return make(params)

    made = explorer(counting)
    await made.done()
    typed = {"values": {"p1": "2"}, "by": "me", "edit": 1}
    # Its change has begun the run, which goes on; then that has ended, and is on show.
    await do(made, "change", **typed)
    await do(made, "run", **typed, enter=True)
    await made.done()
    await do(made, "run", **typed, enter=True)
    await made.done()
    assert begun == [1, 2]
    # What no change has run is run, and so is all where changes run nothing.
    await do(made, "run", values={"p1": "4"}, by="me", edit=2, enter=True)
    await made.done()
    await do(made, "auto")
    await do(made, "run", values={"p1": "4"}, by="me", edit=2, enter=True)
    await made.done()
    assert begun == [1, 2, 4, 4]


@in_a_notebook
async def test_run_in_python_returns_the_result_and_moves_the_controls() -> None:
    made = explorer(params={"size": [1, 2, 4], "fails": False}, begin=False)
    result = await made.run(size=4)

    assert result.metrics.total_return == 1.0
    assert made.shown["form"]["values"] == {"p1": "4", "p2": ""}
    with pytest.raises(TypeError, match=r"no parameter 'sise'.*Did you mean 'size'"):
        made.run(sise=1)
    with pytest.raises(ValueError, match="size must be one of 1, 2, 4, was 3"):
        made.run(size=3)
    assert made.setting == {"size": 4, "fails": False}


@in_a_notebook
async def test_the_data_is_read_once() -> None:
    read: list[int] = []

    class Rows(list[Any]):
        def __iter__(self) -> Any:
            read.append(1)
            return super().__iter__()

    made = BacktestExplorer(
        Rows(ticks(*PRICES)), make, {"size": [1, 2, 4]}, markets=["m"], begin=False
    )
    assert read == []  # nothing is read on the loop
    await made.run(size=1)
    once = len(read)
    await made.run(size=2)
    assert len(read) == once > 0
    first, second = (one.record.replayed for one in made.results.values())
    assert first.data is second.data


@in_a_notebook
async def test_books_are_read_once_and_run_alike() -> None:
    book = [{"timestamp": float(n), "bids": [(0.4, 50.0)], "asks": [(0.6, 50.0)]} for n in range(3)]
    made = BacktestExplorer(
        None, make, {"size": [1, 2, 4]}, book_data={"m": book}, paper_fee_rate=0.0, begin=False
    )
    first, second = await made.run(size=2), await made.run(size=4)

    # Bought at 0.6 on the spot, worth the mid of 0.5.
    assert [round(one.metrics.total_return, 12) for one in (first, second)] == [-0.2, -0.4]
    assert first.record.replayed.books["m"] is second.record.replayed.books["m"]


@in_a_notebook
async def test_chunks_are_played_anew_by_each_run() -> None:
    made = BacktestExplorer(
        lambda: iter([ticks(0.25, 0.5), ticks(0.75, start=2.0)]),
        make,
        {"size": [1, 2, 4]},
        markets=["m"],
        paper_fee_rate=0.0,
        begin=False,
    )
    await made.run(size=2)
    await made.run(size=4)
    await do(made, "tab", tab="fills")
    await until(lambda: "price" in made.parts or made.shown["fills"]["problem"])

    assert profits(made) == [0.5, 1.0]
    assert made.shown["fills"]["problem"] == ""  # the fills alone: chunks are not kept


# ------------------------------------------------------------------------ one at a time
@in_a_notebook
async def test_the_newest_change_takes_the_place_of_the_run(told_at_once: None) -> None:
    gate = Gate()
    made = explorer(gate)
    await until(gate.waits.is_set)
    first = made.run(size=2)
    second = made.run(size=4)
    await turns()
    assert made.shown["run"]["state"] == "stopping"
    assert first.cancelled()  # it had not even begun
    gate.open.set()
    result = await second

    assert gate.begun == [1, 4]
    assert result.metrics.total_return == 1.0
    assert list(made.results) == ["Run 1"]


@in_a_notebook
async def test_progress_is_told_with_the_time_that_is_left(told_at_once: None) -> None:
    gate = Gate()
    made = explorer(gate)
    await until(gate.waits.is_set)
    await until(lambda: "1 of 3 rows" in made.picture()["run"]["text"])
    run = made.picture()["run"]

    assert run["state"] == "running"
    assert run["text"] == "1 of 3 rows, about 1 s left"
    assert run["bar"]["percent"] == 33.3
    assert run["bar"]["name"] == "Backtest with size=1"
    assert [action["off"] for action in run["actions"]] == [False, False]
    gate.open.set()
    await made.done()


@in_a_notebook
async def test_it_can_be_interrupted(told_at_once: None) -> None:
    gate = Gate()
    made = explorer(gate)
    await until(gate.waits.is_set)
    await do(made, "stop")
    assert made.shown["run"]["state"] == "stopping"
    gate.open.set()
    await made.done()

    assert made.result is None
    assert made.shown["run"]["text"].endswith("Interrupted at 1 of 3 rows.")
    assert made.shown["run"]["actions"][1]["off"]


@in_a_notebook
async def test_an_interrupt_keeps_the_results_before(told_at_once: None) -> None:
    gate = Gate()
    gate.open.set()
    made = explorer(gate)
    await made.done()
    gate.open.clear()
    gate.waits.clear()
    future = made.run(size=2)
    await until(gate.waits.is_set)
    waiting = made.run(size=4)  # which is not begun either
    made.stop()
    gate.open.set()
    for one in (future, waiting):
        with pytest.raises(asyncio.CancelledError):
            await one
    await made.done()

    assert profits(made) == [0.25]
    assert gate.begun == [1, 2]


# ------------------------------------------------------------------------ what goes wrong
@in_a_notebook
async def test_an_error_of_a_stage_is_told_with_stage_market_and_time() -> None:
    made = explorer(params={"size": [1, 2, 4], "fails": [False, True]})
    await made.done()
    with pytest.raises(hz.PipelineError, match="stage 'once' failed"):
        await made.run(fails=True)
    failure = made.shown["failure"]

    assert failure["title"] == "Failed with size=1, fails=True"
    assert failure["text"] == "ZeroDivisionError: nothing to divide"
    assert failure["facts"] == [
        ["Stage", "once"],
        ["Market", "m"],
        ["Time, UTC", "1970-01-01 00:00:00"],
    ]
    assert failure["lines"][-1].startswith("test_explorer.py, line ")
    assert 'raise ZeroDivisionError("nothing to divide")' in failure["lines"][-1]
    assert made.shown["run"]["state"] == "failed"
    assert made.shown["shown"]["setting"] == "size=1, fails=False"  # what is on show stays
    assert_fit_to_show(made)
    await made.run(fails=False)
    assert made.shown["failure"] is None


@in_a_notebook
async def test_an_error_that_nobody_awaits_is_on_the_page_alone() -> None:
    made = explorer(params={"size": [1, 2, 4], "fails": True})
    await made.done()
    await turns()

    assert made.shown["failure"]["text"] == "ZeroDivisionError: nothing to divide"
    assert made.shown["error"] is None


@pytest.mark.parametrize(
    ("factory", "why"),
    [
        (lambda params: None, "pipeline_factory must return a pipeline .* is there a return"),
        (lambda params: 1 / 0, "pipeline_factory raised ZeroDivisionError: division by zero"),
    ],
    ids=["nothing", "raises"],
)
def test_a_factory_that_fails_is_told_of(factory: Any, why: str) -> None:
    @in_a_notebook
    async def run() -> None:
        made = explorer(factory, begin=False)
        with pytest.raises((TypeError, ValueError), match=why):
            await made.run()
        assert "pipeline_factory" in made.shown["failure"]["text"]

    run()


@in_a_notebook
async def test_data_that_cannot_be_true_is_told_of_and_another_run_reads_again() -> None:
    rows = [{"timestamp": 0.0, "price": -1.0}]
    made = BacktestExplorer(rows, make, {"size": [1, 2, 4]}, markets=["m"], begin=False)
    with pytest.raises(hz.DataError):
        await made.run()

    assert "price" in made.shown["failure"]["text"]
    assert made.shown["failure"]["facts"] == []
    rows[0]["price"] = 0.5
    await made.run()
    assert made.shown["failure"] is None


@pytest.mark.parametrize(
    ("arguments", "kind", "why"),
    [
        ({"pipeline_factory": None}, TypeError, "pipeline_factory must be a function"),
        ({"data": None}, ValueError, r"data \(or book_data\) must be given"),
        ({"pipeline": []}, TypeError, "pipeline must not be given: .* pipeline_factory"),
        ({"progress": True}, TypeError, "progress must not be given"),
        ({"initial_captial": 5}, TypeError, "Did you mean 'initial_capital'"),
        ({"keep": 1}, ValueError, "keep must be 2 or more"),
        ({"auto": 1}, TypeError, "auto must be True or False"),
        ({"begin": "no"}, TypeError, "begin must be True or False"),
        ({"name": 5}, TypeError, "name must be text"),
        ({"palette": "pink"}, ValueError, "palette must be one of"),
        ({"params": {}}, ValueError, "params must be a dict"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], kind: type[Exception], why: str
) -> None:
    @in_a_notebook
    async def run() -> None:
        usual: dict[str, Any] = {"data": ticks(0.5), "pipeline_factory": make, "params": {"a": 1}}
        before = set(threading.enumerate())
        with pytest.raises(kind, match=why):
            BacktestExplorer(**{**usual, **arguments})
        assert set(threading.enumerate()) <= before  # nothing has begun

    run()


def test_it_needs_a_notebook() -> None:
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        explorer()


# ------------------------------------------------------------------------ its end
@in_a_notebook
async def test_closing_it_ends_the_run(told_at_once: None) -> None:
    gate = Gate()
    made = explorer(gate)
    await until(gate.waits.is_set)
    future = made.run(size=2)
    made.close()
    gate.open.set()
    await until(lambda: not made.is_running)

    assert future.cancelled()
    assert made.ended == "it was closed"
    assert made.results == {}
    with pytest.raises(RuntimeError, match="the explorer has ended: it was closed"):
        made.run(size=2)


@in_a_notebook
async def test_a_closed_output_ends_the_run(told_at_once: None) -> None:
    gate = Gate()
    made = explorer(gate)
    await until(gate.waits.is_set)
    made.out_of_sight()
    gate.open.set()
    await made.done()

    assert made.notice == "Interrupted, because its output was closed"
    assert made.result is None


@in_a_notebook
async def test_what_it_holds_ends_with_it() -> None:
    made = explorer()
    await made.done()
    await until(lambda: "equity" in made.parts)
    figure = made.parts["equity"]
    made.close()
    made.give_back()

    assert figure.ended
    assert figure.is_gone


@in_a_notebook
async def test_a_range_with_a_unit_says_it_in_its_label() -> None:
    made = explorer(
        lambda params: make({"size": params["units"]}),
        params={"units": Range(1, 9, 2, unit="contracts")},
        begin=False,
    )
    assert made.shown["form"]["fields"][0]["label"] == "units, contracts"
    assert made.setting == {"units": 5}
    await made.run()
    assert profits(made) == [1.25]
