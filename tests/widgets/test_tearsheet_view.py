"""The tearsheet view: what is worked out for which choice, and what is said of it."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any
from unittest.mock import ANY

import pandas as pd
import plotly.graph_objects as go
import pytest

import horizon as hz
from horizon.analytics import generate_tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.figures import theme_named
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.views import TearsheetView
from horizon.widgets.views import files as view_files
from tests.analytics.test_sheet_parts import CURVE, FILLS
from tests.backtesting.made import T0, record_of, whole_run
from tests.widgets.notebook import do, in_a_notebook, turns
from tests.widgets.results import (
    HOSTILE,
    assert_shows_text_as_it_stands,
    change,
    key,
    rows,
    saved,
    settled,
)

INDEX = [(time, 50.0 + 5.0 * i) for i, (time, _) in enumerate(CURVE)]


def sheet(**options: Any) -> hz.Tearsheet:
    """Worked by hand in the tests of the parts of tearsheets."""
    return generate_tearsheet(CURVE, FILLS, sampling="daily", title="By hand", **options)


class Bare(TearsheetView):
    """Draws no figure, which takes longer than all else."""

    def figures_of(self, answer: Any, theme: str) -> dict[str, Any]:
        return {}


async def view_of(source: Any = None, kind: Any = Bare, **options: Any) -> TearsheetView:
    view = kind(sheet() if source is None else source, **options)
    await settled(view)
    return view


# ------------------------------------------------------------------------- what is shown
@in_a_notebook
async def test_it_shows_the_whole_and_its_object() -> None:
    whole = sheet()
    view = TearsheetView(whole)
    assert (view.tearsheet, view.shown["tabs"], view.shown["empty"]) == (None, [], "")
    await settled(view)
    assert view.tearsheet is whole
    assert view.shown["name"] == "Tearsheet: By hand"
    assert view.shown["period"] == "2024-01-01 to 2024-01-06, 6 daily returns; USD"
    # 1060 of 1000; fees 1 + 0.20 + 0.30 + 0.50 + 0.50.
    assert key(view)["Net profit"] == "60.00 USD"
    assert key(view)["Total return"] == "6.00 %"
    assert (key(view)["Fills"], key(view)["Fees"]) == ("6", "2.50 USD")
    assert view.shown["cautions"] == whole.cautions
    values = view.shown["form"]["values"]
    assert (values["period"], values["start"], values["end"]) == ("all", "2024-01-01", "2024-01-06")
    assert view.shown["can_reset"] is False


@in_a_notebook
async def test_tabs_hold_the_tables_of_the_page() -> None:
    view = await view_of()
    assert [name for name, _ in view.shown["tabs"]] == [
        "overview", "metrics", "returns", "drawdowns", "markets", "trips",
    ]  # fmt: skip
    assert (view.shown["figure"], view.shown["tables"]) == (True, [])
    await do(view, "tab", id="markets")
    assert view.shown["figure"] is False
    # A 14 − 2, C 20 − 0.50, B nothing: as the tests of the parts say.
    assert rows(view, "Realised profit") == {"C": ["+19.50"], "A": ["+12.00"], "B": ["0.00"]}
    await do(view, "tab", id="metrics")
    assert rows(view, "Result")["Final equity"] == ["1,060.00 USD"]
    await do(view, "tab", id="nowhere")
    assert "the tab 'nowhere', which is not here" in view.shown["error"]
    assert view.shown["tab"] == "metrics"


# ------------------------------------------------------------------------- choices
@in_a_notebook
async def test_ends_that_are_written_are_a_period_of_ones_own() -> None:
    view = await view_of()
    await change(view, start="2024-01-04", end="2024-01-05")
    assert view.shown["form"]["values"]["period"] == "custom"
    assert ["custom", "From and to", ""] in view.shown["form"]["fields"][0]["options"]
    # 1000 to 1040; sold 4 and 6 A, bought B: fees 0.50 twice.
    assert key(view)["Net profit"] == "40.00 USD"
    assert (key(view)["Fills"], key(view)["Fees"]) == ("3", "1.00 USD")
    assert view.shown["cautions"][0].startswith("Period 2024-01-04 to 2024-01-05 UTC: 2 of 6")
    assert view.tearsheet is not None
    assert view.tearsheet.metrics.total_return == 40.0
    await do(view, "reset")
    await settled(view)
    assert key(view)["Net profit"] == "60.00 USD"
    assert view.shown["form"]["values"]["period"] == "all"


@in_a_notebook
async def test_a_named_period_writes_its_ends() -> None:
    curve = [("2023-12-20", 90.0), ("2023-12-30", 100.0), ("2024-01-10", 110.0)]
    view = await view_of([(time, equity) for time, equity in curve])
    await change(view, period="ytd")
    values = view.shown["form"]["values"]
    assert (values["start"], values["end"]) == ("2024-01-01", "2024-01-10")
    assert key(view)["Total return"] == "10.00 %"


@in_a_notebook
async def test_a_page_that_is_behind_takes_no_field_back() -> None:
    view = await view_of()
    old = dict(view.shown["form"]["values"])  # both messages leave before an answer has come
    first = {"values": {**old, "start": "2024-01-04"}, "by": "p", "edit": 1, "touched": ["start"]}
    both = {**old, "start": "2024-01-04", "end": "2024-01-05"}
    await do(view, "change", **first)
    await do(view, "change", values=both, by="p", edit=2, touched=["start", "end"])
    await settled(view)
    values = view.shown["form"]["values"]
    assert (values["period"], values["start"], values["end"]) == (
        "custom", "2024-01-04", "2024-01-05",
    )  # fmt: skip
    assert key(view)["Net profit"] == "40.00 USD"
    # A name first and an end after it: the end counts from what the name has written.
    late = {**values, "period": "ytd"}
    await do(view, "change", values=late, by="p", edit=3, touched=["period"])
    late["end"] = "2024-01-03"
    await do(view, "change", values=late, by="p", edit=4, touched=["period", "end"])
    await settled(view)
    values = view.shown["form"]["values"]
    assert (values["start"], values["end"]) == ("2024-01-01", "2024-01-03")


@in_a_notebook
async def test_markets_that_are_ticked_are_what_they_realised() -> None:
    view = await view_of()
    await change(view, markets="A\nB")
    assert key(view)["Net profit"] == "12.00 USD"
    assert "2 of 3 markets" in view.shown["period"]
    assert view.shown["cautions"][0].startswith("Of 2 of 3 markets (A, B): equity is the whole")
    await change(view, markets="A\nB\nC")
    assert view.tearsheet is not None
    assert view.tearsheet.metrics.total_return == 60.0


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"start": "soon"}, "start", "start must be a date as 2024-03-31"),
        ({"end": "2024-02-31"}, "end", "end must be a date"),
        ({"start": "2024-01-05", "end": "2024-01-04"}, "end", "end must be after start"),
        (
            {"start": "2024-02-01", "end": ""},
            "start",
            "no point of the curve lies in the period from 2024-02",
        ),
        ({"period": "2y"}, "period", "was '2y'"),
        ({"benchmark": "given:x"}, "benchmark", "was 'given:x'"),
        ({"markets": "Z"}, "markets", "markets has 'Z', which is none of its choices"),
    ],
    ids=["word", "no day", "backwards", "empty", "period", "benchmark", "market"],
)
def test_what_cannot_be_chosen_is_said_at_its_field(
    values: dict[str, str], field: str, said: str
) -> None:
    @in_a_notebook
    async def run() -> None:
        view = await view_of()
        await change(view, **values)
        assert said in view.shown["form"]["wrong"][field]
        # What is shown is still right, and says what it is of.
        assert key(view)["Net profit"] == "60.00 USD"
        assert view.shown["period"].startswith("2024-01-01 to 2024-01-06")
        await do(view, "reset")
        await settled(view)
        assert view.shown["form"]["wrong"] == {}

    run()


@in_a_notebook
async def test_a_short_record_takes_hours() -> None:
    curve = [(T0 + 600.0 * i, 100.0 + i) for i in range(7)]  # from 22:13:20 to 23:13:20
    view = await view_of(curve)
    fields = view.shown["form"]["fields"]
    assert [field["label"] for field in fields[1:3]] == [
        "From, UTC: day and time",
        "To, UTC: day and time",
    ]
    assert view.shown["form"]["values"]["end"] == "2023-11-14 23:14"
    await change(view, start="2023-11-14 22:40", end="2023-11-14 23:00")
    # Points at 22:43:20 and 22:53:20, after the one at 22:33:20: 102 to 104.
    assert key(view)["Net profit"] == "2.00 USD"


@in_a_notebook
async def test_many_markets_are_written_with_stars() -> None:
    names = [f"RAIN{i}" for i in range(20)] + [f"SNOW[{i}]" for i in range(10)]
    fills = pd.DataFrame(
        {
            "timestamp": "2024-01-02 10:00",
            "market_id": names,
            "side": "buy",
            "quantity": 1.0,
            "price": 1.0,
            "fee": 0.5,
        }
    )
    view = await view_of(generate_tearsheet(CURVE, fills, sampling="daily"))
    (field,) = [one for one in view.shown["form"]["fields"] if one["name"] == "markets"]
    assert field["kind"] == "text"
    assert field["label"] == "Markets, of 30: names, with * for any letters, apart by ;"
    await change(view, markets="RAIN1; SNOW[*")
    assert view.tearsheet is not None
    assert view.tearsheet.metrics.total_return == pytest.approx(-11 * 0.5)
    await change(view, markets="rain")
    assert "no market is called 'rain'" in view.shown["form"]["wrong"]["markets"]


# ------------------------------------------------------------------------- the benchmark
@in_a_notebook
async def test_what_was_given_is_compared_with_from_the_beginning() -> None:
    view = await view_of(benchmark={"Index": INDEX, "Late": [("2024-01-05", 5.0)]})
    (field,) = [one for one in view.shown["form"]["fields"] if one["name"] == "benchmark"]
    assert [text for _, text, _ in field["options"]] == ["None", "Index", "Late"]
    assert view.shown["form"]["values"]["benchmark"] == "given:Index"
    assert view.shown["period"].endswith("; against Index")
    assert view.tearsheet is not None
    assert view.tearsheet.metrics.benchmark_return_pct == pytest.approx(80.0 / 50.0 - 1.0)
    await change(view, benchmark="given:Late")
    assert "must begin by the end of the first" in view.shown["form"]["wrong"]["benchmark"]
    assert view.shown["period"].endswith("; against Index")
    await change(view, benchmark="")
    assert "Alpha" not in key(view)
    view.choose(benchmark="Index")
    await settled(view)
    assert "Alpha" in key(view)


@in_a_notebook
async def test_a_market_that_a_run_was_fed_can_be_held() -> None:
    feed = [T0 + 60.0 * i for i in range(4)]
    data = {"RAIN": pd.DataFrame({"timestamp": feed, "price": [0.4, 0.5, 0.4, 0.6]})}
    result = hz.backtest(data=data, pipeline=[lambda ctx: None], initial_capital=100.0)
    view = await view_of(result)
    assert view.shown["form"]["values"]["benchmark"] == ""
    view.choose(benchmark="RAIN")
    await settled(view)
    assert view.shown["period"].endswith("; against RAIN, held")
    assert view.tearsheet is not None
    assert view.tearsheet.metrics.benchmark_return_pct == pytest.approx(0.5)


@in_a_notebook
async def test_a_tearsheets_own_benchmark_is_the_first() -> None:
    view = await view_of(sheet(benchmark=INDEX, benchmark_name="Own"), benchmark=INDEX)
    assert view.shown["form"]["values"]["benchmark"] == "own:Own"
    view.choose(start="2024-01-04", end="2024-01-05")
    await settled(view)
    assert view.tearsheet is not None
    assert view.tearsheet.benchmark_name == "Own"
    assert view.tearsheet.metrics.benchmark_return_pct == pytest.approx(75.0 / 65.0 - 1.0)


# ------------------------------------------------------------------------- work
class Slow(TearsheetView):
    """Waits with each answer until it is let go on; its figure is a small one."""

    go: threading.Event
    asked: list[str]

    def answer(self, base: Any, asked: Any, tell: Any) -> Any:
        self.asked.append(asked.markets and asked.markets[0])
        assert self.go.wait(10.0)
        tell("numbers")
        return super().answer(base, asked, tell)

    def figures_of(self, answer: Any, theme: str) -> dict[str, Any]:
        return {"overview": go.Figure(layout={"template": theme_named(theme).template})}


def slow_view() -> Slow:
    view = Slow(None)
    view.go, view.asked = threading.Event(), []
    view.go.set()
    view.show(sheet())
    return view


@in_a_notebook
async def test_the_newest_choice_wins_and_what_is_shown_stays_until_then() -> None:
    view = slow_view()
    await settled(view)
    view.go.clear()
    for name in ("A", "B", "C"):
        await do(view, "change", values={**view._form.values, "markets": name}, by="p", edit=1)
    assert view.is_working
    assert key(view)["Net profit"] == "60.00 USD"
    assert view.shown["can_stop"] is True
    time.sleep(0.31)
    view.paint()
    told = re.match(
        r"Working out the numbers, (\d+\.\d) s; shown is the choice", view.shown["working"]
    )
    assert told is not None
    assert float(told[1]) >= 0.3  # and more where the machine is busy
    view.go.set()
    await settled(view)
    # What was asked for between the first and the last was never begun.
    assert view.asked == [None, "A", "C"]
    assert key(view)["Net profit"] == "19.50 USD"
    assert view.shown["working"] == ""


@in_a_notebook
async def test_stopped_work_leaves_what_is_shown_and_takes_the_choice_back() -> None:
    view = slow_view()
    await settled(view)
    view.go.clear()
    await do(view, "change", values={**view._form.values, "markets": "A"}, by="p", edit=1)
    await do(view, "stop")
    view.go.set()
    await settled(view)
    assert key(view)["Net profit"] == "60.00 USD"
    assert view.shown["form"]["values"]["markets"] == ""


@in_a_notebook
async def test_a_view_that_ends_drops_its_work_and_its_figure() -> None:
    view = slow_view()
    await settled(view)
    figure = view.parts["overview"]
    assert isinstance(figure, LiveFigure)
    view.go.clear()
    view.choose(markets=["A"])
    view.close()
    view.go.set()
    await settled(view)
    assert view.ended == "it was closed"
    assert figure.ended
    assert key(view)["Net profit"] == "60.00 USD"


@in_a_notebook
async def test_a_dark_page_gets_its_figure_anew_and_no_number() -> None:
    view = slow_view()
    await settled(view)
    light = view.parts["overview"].figure.layout.template.layout.font.color
    await do(view, "theme", dark=True)
    await settled(view)
    assert view.parts["overview"].figure.layout.template.layout.font.color != light
    assert len(view.asked) == 1


@in_a_notebook
async def test_the_theme_that_turns_during_work_is_not_missed() -> None:
    view = slow_view()
    view.go.clear()
    await do(view, "theme", dark=True)
    view.go.set()
    await settled(view)
    await settled(view)
    assert view._made is not None
    assert view._made.theme == "dark"
    assert len(view.asked) == 1


# ------------------------------------------------------------------------- another source
@in_a_notebook
async def test_choices_stay_for_another_source_where_they_apply() -> None:
    view = await view_of(kind=TearsheetView, benchmark={"Index": INDEX})
    view.choose(period="mtd", markets=["A", "C"], benchmark="Index")
    await settled(view)
    kept = view.parts["overview"]
    some = generate_tearsheet(CURVE, FILLS[FILLS["market_id"] != "C"], sampling="daily")
    view.show(some)
    await settled(view)
    values = view.shown["form"]["values"]
    assert (values["period"], values["markets"]) == ("mtd", "A")
    assert view.shown["cautions"][0] == "Not traded here are markets chosen before: C."
    assert view.parts["overview"] is kept  # the same place, another figure
    view.show(BacktestResult(whole_run()))
    await settled(view)
    # The run is of 2023, and the benchmark of 2024.
    assert view.shown["title"] == "by hand"
    assert view.shown["cautions"][0].startswith("Not compared with Index, as before: benchmark mu")
    assert view.shown["cautions"][1] == "Not traded here are markets chosen before: A."
    view.choose(start="2023-11-14", end="2023-11-15")
    await settled(view)
    view.show(sheet())
    await settled(view)
    assert view.shown["cautions"][0].startswith(
        "What was chosen before does not fit here, so all is shown: no point of the curve lies in"
    )


@in_a_notebook
async def test_the_same_source_again_costs_nothing_and_none_empties() -> None:
    whole = sheet()
    view = await view_of(whole, kind=TearsheetView)
    view.show(whole)
    assert not view.is_working
    view.show(None)
    await turns()
    assert (view.tearsheet, view.shown["tabs"], view.parts) == (None, [], {})
    assert view.shown["empty"] == "Nothing to show yet."
    view.show(whole)
    await settled(view)
    assert view.tearsheet is whole


@in_a_notebook
async def test_a_source_that_cannot_be_read_shows_nothing_and_why() -> None:
    view = await view_of(kind=TearsheetView)
    view.show([("2024-01-02", 1.0), ("2024-01-01", 2.0)])
    await settled(view)
    assert (view.tearsheet, view.parts) == (None, {})
    assert "must be in order of time" in view.shown["empty"]


@in_a_notebook
async def test_choices_can_be_made_before_there_is_anything() -> None:
    view = TearsheetView()
    assert view.shown["empty"] == "Nothing to show yet."
    view.choose(start="2024-01-04", end="2024-01-05")
    view.show(sheet())
    await settled(view)
    assert key(view)["Net profit"] == "40.00 USD"


# ------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"period": "2y"}, "period.*'2y'"),
        ({"period": "ytd", "start": "2024-01-01"}, "period must not come with start"),
        ({"start": "soon"}, "start must be a date.*'soon'"),
        ({"markets": ["Z"]}, "'Z'"),
        ({"benchmark": "Z"}, "benchmark must be one of none, was 'Z'"),
        ({"start": "2025-01-01"}, "end must be after start"),
        ({"start": "2025-01-01", "end": None}, "no point of the curve"),
    ],
    ids=["period", "both", "start", "market", "benchmark", "backwards", "empty"],
)
def test_a_wrong_choice_in_a_cell_changes_nothing(choice: dict[str, Any], said: str) -> None:
    @in_a_notebook
    async def run() -> None:
        view = await view_of()
        with pytest.raises(ValueError, match=said):
            view.choose(**choice)
        assert not view.is_working
        assert view.shown["form"]["values"]["period"] == "all"
        assert view._form.values == view.starting(view.base)

    run()


@in_a_notebook
async def test_a_choice_in_a_cell_is_judged_beside_what_was_accepted_last() -> None:
    view = await view_of()
    whole = dict(view._form.values)
    await change(view, start="2025-01-01")  # after the end: refused at its field
    assert view.shown["form"]["wrong"] == {"end": ANY}
    refused = dict(view._form.values)
    # What is wrong here is the market, and not what the page has written.
    with pytest.raises(ValueError, match="markets has 'Z', which is none of its choices"):
        view.choose(markets=["Z"])
    assert view._form.values == refused
    view.paint()
    assert view.shown["form"]["wrong"] == {"end": ANY}
    view.choose(markets=["A"])
    await settled(view)
    assert view._form.values == {**whole, "markets": "A"}
    assert view.shown["form"]["wrong"] == {}
    # Choices that follow each other at once add up, though no answer has come between them.
    view.choose(start="2024-01-02")
    view.choose(end="2024-01-05")
    await settled(view)
    values = view._form.values
    assert (values["start"], values["end"], values["markets"]) == ("2024-01-02", "2024-01-05", "A")


@in_a_notebook
async def test_a_choice_that_there_is_not_is_told_which_there_are() -> None:
    view = await view_of()
    said = r"choose takes period, start, end, markets, benchmark; was given 'market'. Did you mean"
    with pytest.raises(TypeError, match=said):
        view.choose(market="A")
    with pytest.raises(TypeError, match=r"period must be one of .* start= and end= give one of"):
        view.choose(period=("2024-01-02", "2024-01-05"))
    assert not view.is_working


@in_a_notebook
async def test_what_is_no_source_or_benchmark_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"source must be a result.*was 'x.csv'"):
        TearsheetView("x.csv")
    with pytest.raises(TypeError, match="benchmark"):
        TearsheetView(benchmark=5)
    with pytest.raises(hz.DataError, match=r"benchmark\['Index'\]"):
        TearsheetView(benchmark={"Index": [("x", 1.0)]})
    view = await view_of()
    with pytest.raises(TypeError, match="source must be"):
        view.show(3.0)
    assert view.tearsheet is not None


# ------------------------------------------------------------------------- files
@in_a_notebook
async def test_numbers_are_saved_with_every_digit() -> None:
    named = generate_tearsheet(CURVE, FILLS, sampling="daily", title="=cmd()|<b>")
    view = await view_of(named, benchmark=INDEX)
    view.choose(markets=["A"])
    await settled(view)
    files = saved(view)
    for kind in ("csv", "json", "curve", "html"):
        await do(view, "export", kind=kind)
        await settled(view)
    (csv, json_, curve, html) = files
    assert [name for name, _, _ in files] == [
        "tearsheet-cmd-b-numbers.csv",
        "tearsheet-cmd-b-numbers.json",
        "tearsheet-cmd-b-curve.csv",
        "tearsheet-cmd-b.html",
    ]
    lines = csv[2].decode().splitlines()
    assert lines[1] == "title,Title,What,text,'=cmd()|<b>"
    assert "total_return,Net profit,Result,currency,12.0" in lines
    numbers = json.loads(json_[2])
    assert (numbers["markets"], numbers["benchmark"]) == (["A"], "Benchmark")
    assert numbers["metrics"]["total_return"] == 12.0
    assert (numbers["start_utc"], numbers["end_utc"]) == (
        "2024-01-01T00:00:00Z",
        "2024-01-06T16:00:00Z",
    )
    assert numbers["cautions"][0].startswith("Of 1 of 3 markets (A)")
    assert curve[2].decode().splitlines()[:2] == [
        "time_utc,equity,drawdown",
        "2024-01-01T00:00:00Z,1000.0,0.0",
    ]
    assert len(curve[2].decode().splitlines()) == 8
    assert html[1] == "text/html"
    assert b"&lt;b&gt;" in html[2]
    assert b"Of 1 of 3 markets (A)" in html[2]


@in_a_notebook
async def test_a_picture_needs_kaleido_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    view = await view_of()
    files = saved(view)

    def refuse(*_: Any, **__: Any) -> None:
        raise ImportError("PNG needs the package kaleido")

    monkeypatch.setattr(view_files, "save", refuse)
    await do(view, "export", kind="png")
    await settled(view)
    assert (files, view.shown["error"]) == ([], "PNG needs the package kaleido")

    def write(_: Any, path: Any) -> Any:
        path.write_bytes(b"PNG")
        return path

    monkeypatch.setattr(view_files, "save", write)
    await do(view, "export", kind="png")
    await settled(view)
    assert files == [("tearsheet-By-hand.png", "image/png", b"PNG")]
    await do(view, "export", kind="exe")
    assert "a file 'exe', which is not here" in view.shown["error"]


@in_a_notebook
async def test_one_file_at_a_time_and_none_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    view = TearsheetView()
    await do(view, "export", kind="csv")
    assert view.shown["error"] == "there is nothing to save yet"
    view.show(sheet())
    await settled(view)
    files, go = saved(view), threading.Event()
    whole = view.file_of

    def wait(*given: Any) -> Any:
        assert go.wait(10.0)
        return whole(*given)

    monkeypatch.setattr(view, "file_of", wait)
    await do(view, "export", kind="csv")
    await do(view, "export", kind="json")
    assert "a file is being written" in view.shown["error"]
    await do(view, "stop")
    go.set()
    await settled(view)
    assert files == []


# ------------------------------------------------------------------------- names
@in_a_notebook
async def test_names_are_shown_for_what_they_are_on_every_tab() -> None:
    fills = [(i + 1, name, 1, 1.0, 0.5, 0.1, 0.0, 10.0, False) for i, name in enumerate(HOSTILE)]
    fills += [(9, name, -1, 1.0, 0.6, 0.1, 0.1, 20.0, False) for name in HOSTILE]
    record = record_of(
        [(0, 1000.0), (10, 999.0), (20, 1001.0)],
        fills,
        leg_ids=tuple(HOSTILE),
        name=HOSTILE[1],
        currency="<i>",
    )
    view = await view_of(BacktestResult(record), benchmark={HOSTILE[1]: [(T0, 1.0), (T0 + 9, 2.0)]})
    for tab, _ in view.shown["tabs"]:
        await do(view, "tab", id=tab)
        assert_shows_text_as_it_stands(view)
    view.choose(markets=HOSTILE[:3])
    await settled(view)
    assert_shows_text_as_it_stands(view)
    assert "A⟨U+202E⟩B" in view.shown["cautions"][0]
