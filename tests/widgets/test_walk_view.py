"""A walk-forward on a page: its search, its verdict, its tables and figures, without a browser."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.walkforward import CpcvResult, WalkForwardResult, cpcv, walk_forward
from horizon.widgets.walk_view import WalkForwardView, walk
from tests.walkforward.worked import holding, swinging, ticks_of
from tests.widgets.notebook import Page, assert_fit_to_show, do, in_a_notebook

GRID = {"size": [1.0, 3.0, 0.0]}


async def until(is_so: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for threads, in the time of the wall; the loop's own time may run on meanwhile."""
    end = time.perf_counter() + seconds
    while not is_so():
        assert time.perf_counter() < end, "waited in vain"
        time.sleep(0.002)
        await asyncio.sleep(0.05)


def section(view: WalkForwardView, name: str) -> dict[str, Any]:
    return next(one for one in view.shown["sections"] if one["id"] == name)


def names(view: WalkForwardView) -> list[str]:
    return [one["id"] for one in view.shown["sections"]]


def rows(view: WalkForwardView, name: str) -> list[list[str]]:
    return [
        [cell[0] if isinstance(cell, list) else cell for cell in row["cells"]]
        for row in section(view, name)["rows"]
    ]


def facts(view: WalkForwardView, name: str) -> dict[str, str]:
    return {label: text for label, text, _ in section(view, name)["facts"]}


RISING = ticks_of(np.arange(100.0, 201.0))
HOW: dict[str, Any] = {
    "objective": "total_return",
    "paper_fee_rate": 0.0,
    "n_splits": 2,
    "train_ratio": 0.5,
}


@pytest.fixture(scope="module")
def held() -> WalkForwardResult:
    """As in `test_a_walk_by_hand`."""
    return walk_forward(RISING, holding, GRID, **HOW)


@pytest.fixture(scope="module")
def crossed() -> CpcvResult:
    prices = 50.0 + 2.0 * np.sin(np.arange(240) / 9.0)
    data = ticks_of(prices.round(4), start=1_700_000_000.0, step=60.0)
    grid = {"window": [3, 8], "spread": [0.1, 0.4]}
    return cpcv(data, swinging, grid, 4, 2, objective="total_return")


# ------------------------------------------------------------------------ a result
@in_a_notebook
async def test_a_result_is_worked_out_beside_the_loop(held: WalkForwardResult) -> None:
    view = WalkForwardView(held)
    assert view.shown["chip"] == ["WORKING OUT", ""]
    assert view.result is held
    await until(lambda: view.shown["tabs"])

    assert view.shown["title"] == "Walk-forward: walk-forward"
    assert [tab for tab, _ in view.shown["tabs"]] == [
        "overview", "windows", "parameters", "equity", "trials",
    ]  # fmt: skip
    # Cautions come before everything else, and are counted where they are out of sight.
    assert names(view)[0] == "cautions"
    many = len(held.cautions)
    assert section(view, "cautions")["lines"] == held.cautions
    assert view.shown["tabs"][0][1] == f"Overview ({many} cautions)"
    assert section(view, "verdict")["lead"] == held.overfitting.verdict
    assert section(view, "verdict")["lines"] == list(held.overfitting.reasons)
    # 1000 to 1145.968, as worked out by hand in tests/walkforward/test_walk.py.
    assert facts(view, "key")["Total return"] == "14.60 %"
    assert_fit_to_show(view)


@in_a_notebook
async def test_windows_are_a_row_each(held: WalkForwardResult) -> None:
    view = WalkForwardView(held)
    await until(lambda: view.shown["tabs"])
    await do(view, "tab", tab="windows")

    # Trainings [0, 50) and [0, 75); 144 and 219 were the best, 69 and 72 came of them; of two
    # settings that traded the best.
    assert [row[:1] + row[5:] for row in rows(view, "windows")] == [
        ["0", "size=3", "144.00 USD", "69.00 USD", "1/2", "6.90 %", "1"],
        ["1", "size=3", "219.00 USD", "72.00 USD", "1/2", "7.20 %", "1"],
    ]
    assert rows(view, "windows")[1][1:5] == [
        "1970-01-01 00:00:00",
        "1970-01-01 00:01:15",
        "1970-01-01 00:01:15",
        "1970-01-01 00:01:40",
    ]
    await until(lambda: "windows" in view.parts)
    assert "windows" in view.parts["windows"].shown["name"]
    assert_fit_to_show(view)


@in_a_notebook
async def test_the_heat_map_shows_what_its_fields_say(crossed: CpcvResult) -> None:
    view = WalkForwardView(crossed)
    await until(lambda: view.shown["tabs"])
    await do(view, "tab", tab="parameters")
    await until(lambda: "heat_map" in view.parts)
    heat = view.parts["heat_map"]
    # Six ways to take two of four groups.
    assert sum(trace.type == "heatmap" for trace in heat.figure.data) == 6
    headings = [note.text for note in heat.figure.layout.annotations]
    assert any("Split 5" in text for text in headings)

    form = section(view, "form parameters")["form"]
    assert [field["name"] for field in form["fields"]] == ["window"]
    first = heat.figure
    await do(view, "form", values={"window": "3"}, by="me", edit=1)
    await until(lambda: heat.figure is not first)
    assert sum(trace.type == "heatmap" for trace in heat.figure.data) == 1
    assert section(view, "form parameters")["form"]["edit"] == 1

    await do(view, "form", values={"window": "77"}, by="me", edit=2)
    assert "window must be one of" in view.shown["error"]
    assert section(view, "form parameters")["form"]["values"]["window"] == "3"


@in_a_notebook
async def test_a_cross_validation_has_paths_and_splits(crossed: CpcvResult) -> None:
    view = WalkForwardView(crossed)
    await until(lambda: view.shown["tabs"])
    assert [tab for tab, _ in view.shown["tabs"]] == ["overview", "paths", "splits", "parameters"]
    above = sum(path.metrics.sharpe_ratio > 0 for path in crossed.paths)
    assert section(view, "verdict")["lead"].startswith(f"{above} of 3 paths ha")
    await do(view, "tab", tab="splits")
    assert [row[1] for row in rows(view, "splits")] == [
        "0, 1", "0, 2", "0, 3", "1, 2", "1, 3", "2, 3",
    ]  # fmt: skip
    await do(view, "tab", tab="paths")
    assert [row[0] for row in rows(view, "paths")] == ["0", "1", "2"]
    await until(lambda: "paths" in view.parts)
    assert_fit_to_show(view)
    await do(view, "tab", tab="parameters")
    votes = [row[1] for row in rows(view, "votes")]
    assert sum(int(text.split(" of ")[0]) for text in votes) == 6


@in_a_notebook
async def test_a_dark_page_has_its_figures_drawn_anew(held: WalkForwardResult) -> None:
    view = WalkForwardView(held)
    await until(lambda: view.shown["tabs"])
    await do(view, "tab", tab="equity")
    await until(lambda: "out_of_sample" in view.parts)
    light = view.parts["out_of_sample"].figure
    await do(view, "theme", dark=True)
    await until(lambda: view.parts["out_of_sample"].figure is not light)
    dark = view.parts["out_of_sample"].figure
    assert dark.layout.template.layout.font.color != light.layout.template.layout.font.color


@in_a_notebook
async def test_a_figure_that_cannot_be_drawn_is_told_in_its_place() -> None:
    result = walk_forward(RISING, holding, GRID, overfitting=False, **HOW)
    view = WalkForwardView(result)
    await until(lambda: view.shown["tabs"])
    await do(view, "tab", tab="trials")
    await until(lambda: section(view, "figure trials")["wrong"])
    assert "needs each setting's run over the whole data" in section(view, "figure trials")["wrong"]
    await until(lambda: "train_test" in view.parts)  # the one beside it is there


@in_a_notebook
async def test_files_are_saved_with_names_that_any_system_takes() -> None:
    name = "../=cmd|' \u202eevil"
    result = walk_forward(RISING, holding, GRID, name=name, **HOW)
    view = WalkForwardView(result)
    await until(lambda: view.shown["tabs"])
    files: list[tuple[str, str, bytes]] = []
    view.send_file = lambda *file: files.append(file)  # type: ignore[method-assign]
    await do(view, "save table")
    await do(view, "save summary")

    (table, mime, content), (summary, *_) = files
    assert (table, mime, summary) == ("cmd-evil.csv", "text/csv", "cmd-evil.txt")
    lines = content.decode().splitlines()
    assert lines[0].startswith("window,setting,size,is_best,train_objective,test_objective,why")
    assert lines[1].startswith("0,0,1.0,False,48.0,23.0,,")
    assert len(lines) == 1 + 2 * 3
    assert_fit_to_show(view)


@in_a_notebook
async def test_what_a_page_may_not_ask_for_is_refused(held: WalkForwardResult) -> None:
    view = WalkForwardView(held)
    await until(lambda: view.shown["tabs"])
    for tab in ("nothing", 3, None):
        await do(view, "tab", tab=tab)
        assert view.shown["error"]
        assert view.shown["tab"] == "overview"


def test_what_is_no_result_is_refused() -> None:
    async def go() -> None:
        with pytest.raises(TypeError, match=r"result must be what hz\.walk_forward or hz\.cpcv"):
            WalkForwardView([1, 2])  # type: ignore[arg-type]

    asyncio.run(go())


@pytest.mark.parametrize(
    ("kind", "probability", "badge", "doubts"),
    [
        ("edge", 0.99, ("EDGE", "good"), 0),
        ("edge", 0.833, ("EDGE, NOT YET PROVEN", "warn"), 2),
        ("edge", float("nan"), ("EDGE, NOT YET PROVEN", "warn"), 2),
        ("noise", 0.2, ("NOISE", "bad"), 0),
    ],
    ids=["proven", "short", "untold", "noise"],
)
def test_an_edge_on_a_short_record_says_so_in_its_badge(
    kind: str, probability: float, badge: tuple[str, str], doubts: int
) -> None:
    judged: Any = SimpleNamespace(
        kind=kind,
        out_of_sample_probability=probability,
        expected_maximum=5.03,
        needed_sharpe=4.45,
        n_trials=6,
    )
    assert walk._badge(judged) == badge
    told = list(walk._doubts(judged))
    assert len(told) == doubts
    if probability == 0.833:
        assert "is 83.3 %; 95 % is usual" in told[0]
    if doubts:
        assert "4.450 is what these settings show by chance" in told[1]


# ------------------------------------------------------------------------ a search
class Gate:
    """Lets runs through one by one: a factory that waits."""

    def __init__(self) -> None:
        self.open = threading.Semaphore(0)

    def __call__(self, params: dict[str, Any]) -> Any:
        stages = holding(params)
        waits = [True]

        def wait(ctx: Any) -> Any:
            if waits:
                waits.clear()
                assert self.open.acquire(timeout=20)
            return stages[0](ctx)

        return [wait]

    def let(self, runs: int) -> None:
        for _ in range(runs):
            self.open.release()


@in_a_notebook
async def test_a_search_fills_in_and_ends_as_its_result() -> None:
    gate = Gate()
    view = WalkForwardView.search(RISING, gate, GRID, **HOW)
    page = Page(view)
    assert view.is_running
    assert view.shown["chip"] == ["SEARCHING", ""]
    assert names(view) == ["waiting"]
    with pytest.raises(hz.HorizonError, match=r"goes on: await view\.done"):
        _ = view.result

    gate.let(4)
    await until(lambda: view.shown["sections"][0]["id"] == "bar"
                and section(view, "bar")["text"].startswith("4 of 15 runs"))  # fmt: skip
    # 48, 144 and nothing in window 0; 73 in window 1.
    assert section(view, "bar")["bar"]["percent"] == 26.6
    shown = facts(view, "facts")
    assert shown["Best in training"] == "total_return 144.00"
    assert shown["Its parameters"] == "size=3"
    assert shown["Found in"] == "window 0"
    assert shown["Trainings that said nothing"] == "no trades (1)"
    assert [row[3:] for row in rows(view, "windows")] == [
        ["3", "144.00", "size=3", "–"],
        ["1", "73.00", "size=1", "–"],
    ]
    assert_fit_to_show(view)
    await until(lambda: "search" in view.parts)
    assert "so far" in view.parts["search"].shown["name"]

    gate.let(11)
    result = await view.done()
    assert result.is_complete
    assert view.result is result
    await until(lambda: view.shown["tabs"])
    assert "search" not in view.parts
    assert [p["chip"][0] for p in page.pictures if p["chip"][0] == "WORKING OUT"]


@in_a_notebook
async def test_an_interrupt_keeps_what_is_done_and_tests_it() -> None:
    gate = Gate()
    view = WalkForwardView.search(RISING, gate, GRID, **HOW)
    gate.let(3)
    await until(lambda: view.shown["sections"][0]["id"] == "bar")
    await until(lambda: section(view, "bar")["text"].startswith("3 of"))
    await do(view, "interrupt")
    assert view.shown["chip"] == ["INTERRUPTING", "warn"]
    assert "then each window that is trained is tested" in section(view, "stopping")["lead"]
    assert view.shown["tools"][0]["label"] == "End now, without tests"
    gate.let(2)  # the run under way, and the test of window 0
    result = await view.done()

    assert isinstance(result, WalkForwardResult)
    assert not result.is_complete
    assert [window.number for window in result.windows] == [0]
    await until(lambda: view.shown["tabs"])
    assert section(view, "cautions")["lines"][0].startswith("Interrupted: 1 window is done, 5 of")


@in_a_notebook
async def test_one_interrupt_is_heeded_once_and_a_second_leaves_the_tests_out() -> None:
    for presses, windows in ((1, [0, 1]), (2, [0])):
        gate = Gate()
        view = WalkForwardView.search(RISING, gate, GRID, **{**HOW, "n_splits": 3})
        gate.let(6)  # two windows are trained
        await until(lambda view=view: view.shown["sections"][0]["id"] == "bar"
                    and section(view, "bar")["text"].startswith("6 of"))  # fmt: skip
        await do(view, "interrupt")
        gate.let(1)  # the run under way
        await until(lambda view=view: section(view, "bar")["text"].startswith("7 of"))
        for _ in range(presses - 1):
            await do(view, "interrupt")
        gate.let(8)
        result = await view.done()
        assert isinstance(result, WalkForwardResult)
        assert [window.number for window in result.windows] == windows
        view.close()


@in_a_notebook
async def test_an_interrupt_before_the_first_window_leaves_no_result() -> None:
    gate = Gate()
    view = WalkForwardView.search(RISING, gate, GRID, **HOW)
    view.interrupt()
    gate.let(1)
    with pytest.raises(KeyboardInterrupt):
        await view.done()
    await until(lambda: view.shown["chip"] == ["INTERRUPTED", "warn"])
    assert section(view, "problem")["lead"] == (
        "Interrupted before the first window was done: there is no result."
    )
    assert isinstance(view.exception, KeyboardInterrupt)
    assert not view.shown["tools"]


@in_a_notebook
async def test_a_search_that_fails_says_why() -> None:
    def broken(params: dict[str, Any]) -> Any:
        raise RuntimeError("<b>no such</b> model")

    view = WalkForwardView.search(RISING, broken, GRID, **HOW)
    with pytest.raises(ValueError, match="no such"):
        await view.done()
    await until(lambda: view.shown["chip"] == ["FAILED", "bad"])
    assert (
        "pipeline_factory raised RuntimeError: <b>no such</b> model"
        in section(view, "problem")["lead"]
    )


@in_a_notebook
async def test_a_closed_view_ends_its_search() -> None:
    gate = Gate()
    view = WalkForwardView.search(RISING, gate, GRID, **HOW)
    gate.let(1)
    await until(lambda: view.shown["sections"][0]["id"] == "bar")
    view.close()
    gate.let(14)
    await until(lambda: not view.is_running)
    assert gate.open.acquire(blocking=False)  # it has not gone on to the end
    with pytest.raises(hz.HorizonError, match="was closed before its end"):
        await view.done()


@in_a_notebook
async def test_a_cross_validation_searches_too(crossed: CpcvResult) -> None:
    view = WalkForwardView.search(
        RISING, holding, GRID, 4, 1, method="cpcv", objective="total_return", paper_fee_rate=0.0
    )
    assert view.shown["title"].startswith("Cross-validation")
    result = await view.done()
    assert isinstance(result, CpcvResult)
    assert len(result.splits) == 4
    await until(lambda: view.shown["tabs"])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"method": "walkforward"}, ValueError, "method must be one of"),
        ({"progress": True}, TypeError, "the view shows the progress itself"),
        ({"n_split": 3}, TypeError, r"got 'n_split'.*n_splits"),
        ({"pipeline": []}, TypeError, "the pipeline comes from pipeline_factory"),
    ],
    ids=["method", "progress", "typo", "pipeline"],
)
def test_names_of_arguments_are_checked_at_once(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    async def go() -> None:
        with pytest.raises(error, match=says):
            WalkForwardView.search(RISING, holding, GRID, **arguments)

    asyncio.run(go())
