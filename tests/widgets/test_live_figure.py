"""A figure in a notebook, seen from the kernel."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from horizon.figures import LongFigure
from horizon.figures.words import plain
from horizon.widgets import LiveFigure
from tests.widgets.notebook import Page, assert_fit_to_show, do, in_a_notebook, passing, turns

MINUTE = 60_000  # milliseconds, as a page counts dates
NS = 1_000_000_000


def long_figure(n: int = 10_000, *, noted: bool = True, dated: bool = True) -> LongFigure:
    """A second (or 1.0) between points."""
    times: Any = np.arange(n, dtype=np.int64) * NS if dated else np.arange(n, dtype=float)
    values = np.sin(np.arange(n))
    figure = LongFigure()
    figure.add_long(
        times,
        values,
        lambda kept: {
            "type": "scatter",
            "x": times[kept].astype("datetime64[ns]") if dated else times[kept],
            "y": values[kept],
        },
        what="points",
    )
    figure.update_layout(title={"text": "A <b>long</b> line"})
    if noted:
        figure.update_layout(title={"subtitle": {"text": "Made up<br>" + figure.notes[0]}})
    return figure


def answers(page: Page) -> list[dict[str, Any]]:
    return [
        {**message, "view": json.loads(message["view"])}
        for message in page.asked
        if "view" in message
    ]


async def ask(shown: LiveFigure, windows: Any, request: Any = 1) -> None:
    await do(shown, "view", page="p", request=request, windows=windows)


# ------------------------------------------------------------------------- what is drawn
@in_a_notebook
async def test_the_page_gets_the_thinned_figure_and_its_name() -> None:
    figure = long_figure()
    shown = LiveFigure(figure)
    drawing = json.loads(shown.drawing)
    assert shown.figure is figure
    assert shown.shown["name"] == "A long line"
    assert drawing["figure"]["layout"]["title"]["text"] == "A <b>long</b> line"
    assert drawing["facts"]["axes"] == {"x": True}
    assert drawing["facts"]["note"] == ""  # it stands in the figure
    assert len(shown.drawing) < 200_000


@in_a_notebook
async def test_a_figure_of_any_kind_is_shown_as_it_is() -> None:
    shown = LiveFigure(go.Figure(go.Bar(y=[1, 2])))
    page = Page(shown)
    assert json.loads(shown.drawing)["facts"]["axes"] == {}
    assert shown.shown["name"] == "Figure"
    await ask(shown, {"x": [0, 1]})
    assert answers(page) == []
    assert shown.shown["error"] is None
    short = LongFigure()
    short.add_long(
        np.arange(3.0), np.arange(3.0), lambda kept: {"type": "bar", "y": kept}, what="bars"
    )
    assert json.loads(LiveFigure(short).drawing)["facts"] == {
        "library": json.loads(shown.drawing)["facts"]["library"],
        "axes": {},
        "anew": [],
        "note": "",
        "clicks": False,
    }


@in_a_notebook
async def test_the_name_is_what_a_reader_sees_of_the_title() -> None:
    hostile = go.Figure(layout={"title": {"text": plain("<b>\u202ex & co") + "<br>two"}})
    shown = LiveFigure(hostile)
    assert shown.shown["name"] == "<b>⟨U+202E⟩x & co two"
    assert_fit_to_show(shown)


@in_a_notebook
async def test_a_note_that_the_figure_does_not_tell_is_told_below_it() -> None:
    figure = long_figure(noted=False)
    shown = LiveFigure(figure)
    page = Page(shown)
    assert json.loads(shown.drawing)["facts"]["note"] == figure.notes[0]
    await ask(shown, {"x": [0, MINUTE]})
    view = answers(page)[0]["view"]
    assert view["layout"] == {}
    assert view["note"] == "Drawn: all 61 points in view"


@in_a_notebook
async def test_a_note_that_was_broken_into_lines_is_found_in_them() -> None:
    figure = long_figure(noted=False)
    # "Drawn: 2,000 of 10,000 points, extremes kept"
    broken = figure.notes[0].replace("points, ", "points,<br>")
    assert broken != figure.notes[0]
    figure.update_layout(title={"subtitle": {"text": "Made up<br>" + broken}})
    shown = LiveFigure(figure)
    page = Page(shown)
    assert json.loads(shown.drawing)["facts"]["note"] == ""
    await ask(shown, {"x": [0, MINUTE]})
    view = answers(page)[0]["view"]
    assert view["layout"] == {"title.subtitle.text": "Made up<br>Drawn: all 61 points in view"}


@in_a_notebook
async def test_it_is_still_until_somebody_asks() -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    await passing(10.0)
    assert 9 <= len(page.beats) <= 11  # the pulse, and nothing else
    assert all(set(update) == {"beat"} for update in page.updates)


# ------------------------------------------------------------------------- zoom
@in_a_notebook
async def test_a_window_is_answered_with_its_points_and_its_note() -> None:
    figure = long_figure()
    shown = LiveFigure(figure)
    page = Page(shown)
    # Of 10,000 seconds the minute from 1:00:00 to 1:01:00.
    await ask(shown, {"x": [60 * MINUTE, 61 * MINUTE]}, request=7)
    (answer,) = answers(page)
    assert (answer["page"], answer["request"]) == ("p", 7)
    view = answer["view"]
    assert view["layout"] == {"title.subtitle.text": "Made up<br>Drawn: all 61 points in view"}
    assert view["note"] == ""
    traces = view["traces"]
    wanted = figure.between(3_600 * NS, 3_660 * NS)[0]
    assert list(traces) == ["0"]
    assert traces["0"]["y"] == wanted["y"].tolist()
    assert traces["0"]["x"][0].startswith("1970-01-01T00:00:00")
    assert sum("T01:00:" in x for x in traces["0"]["x"]) == 60


@in_a_notebook
async def test_a_window_may_be_turned_round_cut_through_a_millisecond_or_far_away() -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    for window in (
        [61 * MINUTE, 60 * MINUTE],
        [60 * MINUTE - 0.25, 61 * MINUTE + 0.25],
    ):
        await ask(shown, {"x": window})
    await ask(shown, {"x": [-1e300, 1e300]})
    first, second, whole = (answer["view"] for answer in answers(page))
    assert first == second
    assert whole["layout"]["title.subtitle.text"].endswith("extremes kept")


@in_a_notebook
async def test_the_whole_gives_the_first_picture_back() -> None:
    figure = long_figure()
    shown = LiveFigure(figure)
    page = Page(shown)
    await ask(shown, {"x": None})
    view = answers(page)[0]["view"]
    assert view["traces"]["0"]["y"] == figure.data[0].y.tolist()
    assert view["layout"] == {"title.subtitle.text": figure.layout.title.subtitle.text}


@in_a_notebook
async def test_axes_that_count_something_else_take_numbers() -> None:
    shown = LiveFigure(long_figure(dated=False))
    page = Page(shown)
    await ask(shown, {"x": [10, 20.5], "x7": [1, 2]})
    view = answers(page)[0]["view"]
    assert {float(x) for x in range(9, 22)} <= set(view["traces"]["0"]["x"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"windows": {"x": "all"}, "request": 1, "page": "p"}, "a window must be a pair"),
        ({"windows": {"x": [1]}, "request": 1, "page": "p"}, "a window must be a pair"),
        ({"windows": {"x": [1, "2"]}, "request": 1, "page": "p"}, "a window must be a pair"),
        ({"windows": {"x": [1, True]}, "request": 1, "page": "p"}, "a window must be a pair"),
        ({"windows": {"x": [1, float("nan")]}, "request": 1, "page": "p"}, "must be a pair"),
        ({"windows": [1, 2], "request": 1, "page": "p"}, "windows must be given by axis"),
        ({"windows": {}, "request": "1", "page": "p"}, "request must be a whole number"),
        ({"windows": {}, "request": 1, "page": 5}, "page"),
    ],
    ids=lambda it: str(it)[:40],
)
@in_a_notebook
async def test_what_is_no_window_is_refused(arguments: Any, said: str) -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    await do(shown, "view", **arguments)
    assert said in shown.shown["error"]
    assert answers(page) == []
    # The next one that is right takes the message away.
    await ask(shown, {})
    assert shown.shown["error"] is None


# ------------------------------------------------------------------------- plotly.js
@in_a_notebook
async def test_plotly_is_sent_when_a_page_asks_and_only_then() -> None:
    shown = LiveFigure(go.Figure())
    sent: list[Any] = []
    shown.send = lambda content, buffers=None: sent.append((content, buffers))
    await passing(3.0)
    assert sent == []
    await do(shown, "library")
    ((content, (packed,)),) = sent
    assert content == {"library": json.loads(shown.drawing)["facts"]["library"]}
    assert zlib.decompress(packed).endswith(b"export default Plotly;\n")
    # A server cuts off a kernel that sends more than three megabytes in three seconds.
    assert len(packed) < 2_000_000


# ------------------------------------------------------------------------- its life
@in_a_notebook
async def test_another_figure_can_take_its_place() -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    other = go.Figure(go.Scatter(y=[5, 6]), layout={"title": {"text": "Other"}})
    shown.show(other)
    await turns()
    assert shown.figure is other
    assert shown.shown["name"] == "Other"
    # The same one anew, after it was changed.
    other.data[0].y = [7, 8]
    shown.show()
    drawings = [update["drawing"] for update in page.updates if "drawing" in update]
    assert len(drawings) == 2
    with pytest.raises(TypeError, match="figure must be a plotly figure, was 'x'"):
        shown.show("x")
    assert shown.figure is other


@in_a_notebook
async def test_once_closed_it_answers_nothing() -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    shown.close()
    assert shown.ended == "it was closed"
    await ask(shown, {"x": [0, MINUTE]})
    assert page.asked == []


@in_a_notebook
async def test_once_ended_and_out_of_sight_it_leaves_nothing_in_the_page() -> None:
    shown = LiveFigure(long_figure())
    page = Page(shown)
    shown.release("its cell was run again")
    await passing(10.0)
    assert shown.drawing  # it may be on show elsewhere
    await do(shown, "left")
    await passing(10.0)
    assert shown.is_gone
    assert [update["drawing"] for update in page.updates if "drawing" in update] == [""]


@pytest.mark.parametrize("figure", [None, "figure", [1, 2], {"data": []}, go.Scatter()], ids=str)
@in_a_notebook
async def test_what_is_no_figure_is_refused(figure: Any) -> None:
    with pytest.raises(TypeError, match="figure must be a plotly figure"):
        LiveFigure(figure)


def test_without_an_event_loop_it_says_what_it_needs() -> None:
    with pytest.raises(RuntimeError, match="a widget needs a running event loop"):
        LiveFigure(go.Figure())


@in_a_notebook
async def test_a_click_on_a_point_is_told_where_somebody_listens() -> None:
    clicked: list[dict[str, Any]] = []
    shown = LiveFigure(go.Figure(go.Scatter(y=[1, 2])), on_point=clicked.append)
    assert json.loads(shown.drawing)["facts"]["clicks"] is True
    await do(shown, "point", trace=0, x=1, y=2, customdata="o7", page="p")
    assert clicked == [{"trace": 0, "x": 1, "y": 2, "customdata": "o7"}]
    await do(shown, "point", trace="first", x=1, y=2)
    assert "trace must be a whole number" in shown.shown["error"]
    assert len(clicked) == 1
    silent = LiveFigure(go.Figure())
    await do(silent, "point", trace=0, x=1, y=2)
    assert silent.shown["error"] is None
    with pytest.raises(TypeError, match="on_point must be a function, was 3"):
        LiveFigure(go.Figure(), on_point=3)  # type: ignore[arg-type]
