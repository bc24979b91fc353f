"""A figure that keeps its long series, and thinning itself."""

from __future__ import annotations

import copy
import pickle
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from horizon.figures import LongFigure
from horizon.figures.series import thinned

NS = 1_000_000_000
HOW = ", extremes kept"


def long_figure(n: int = 10_000, *, spike: int = 5_005) -> LongFigure:
    """A second between points; one low spike in a saw that rises and falls."""
    times = np.arange(n, dtype=np.int64) * NS
    values = np.arange(n, dtype=float) % 7.0
    values[spike] = -50.0
    figure = LongFigure()
    figure.add_long(times, values, drawn_from(times, values), what="points")
    return figure


def drawn_from(times: Any, values: Any, **more: Any) -> Any:
    def draw(kept: Any) -> dict[str, Any]:
        x = times[kept]
        return {
            "type": "scatter",
            "x": x.astype("datetime64[ns]") if x.dtype.kind == "i" else x,
            "y": values[kept],
            "customdata": kept,
            "marker": {"color": values[kept], "size": 4},
            **more,
        }

    return draw


# ------------------------------------------------------------------------- thinning
@settings(deadline=None)
@given(
    arrays(
        np.float64,
        st.integers(0, 300),
        elements=st.one_of(st.floats(-5, 5), st.sampled_from([np.nan, np.inf, -np.inf])),
    ),
    st.integers(2, 60),
)
def test_thinning_keeps_its_promise(values: Any, most: int) -> None:
    kept = thinned(values, most)
    assert (np.diff(kept) > 0).all()
    assert len(kept) == len(values) if len(values) <= most else len(kept) <= most
    if not len(values):
        return
    assert {0, len(values) - 1} <= set(kept.tolist())
    some = values[~np.isnan(values)]
    if len(some) and most >= 4:
        assert np.nanmin(values[kept]) == some.min()
        assert np.nanmax(values[kept]) == some.max()


def test_each_stretch_keeps_its_own_extremes() -> None:
    # Twenty points, at most six: two runs of ten, and of each the lowest and the highest.
    values = np.zeros(20)
    values[[3, 4, 15, 16]] = [-1.0, 1.0, 2.0, -2.0]
    assert thinned(values, 6).tolist() == [0, 3, 4, 15, 16, 19]


def test_a_gap_stays_a_gap() -> None:
    values = np.ones(1_000)
    values[400:600] = np.nan
    assert np.isnan(values[thinned(values, 100)]).any()
    # The only numbers of a run count, infinity among them.
    values = np.full(100, np.nan)
    values[[30, 70]] = [np.inf, -np.inf]
    assert {30, 70} <= set(thinned(values, 10).tolist())


def test_a_million_points_are_thinned_at_once() -> None:
    values = np.random.default_rng(1).normal(size=1_000_000).cumsum()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        kept = thinned(values)
        times.append(time.perf_counter() - began)
    assert len(kept) <= 2_000
    assert min(times) < 0.05  # a few milliseconds on a machine of our own


# ------------------------------------------------------------------------- a plain figure
def test_it_draws_two_thousand_points_and_says_so() -> None:
    figure = long_figure()
    trace = figure.data[0]
    assert len(trace.x) <= 2_000
    assert -50.0 in trace.y.tolist()
    assert figure.notes == [f"Drawn: {len(trace.x):,} of 10,000 points{HOW}"]
    assert figure.is_long
    assert isinstance(figure, go.Figure)


def test_a_short_series_is_drawn_whole_and_nothing_is_said() -> None:
    figure = LongFigure()
    times = np.arange(5.0)
    figure.add_long(times, times, drawn_from(times, times), what="points")
    assert figure.data[0].x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert (figure.notes, figure.is_long, figure.between(1, 2)) == ([], False, {})


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_nothing_can_be_drawn(n: int) -> None:
    times = np.arange(n, dtype=np.int64)
    figure = LongFigure()
    figure.add_long(times, times, drawn_from(times, times), what="points")
    assert len(figure.data[0].x) == n
    assert figure.between(0, 10) == {}


def test_a_copy_of_any_kind_has_the_drawn_points() -> None:
    figure = long_figure()
    for other in (copy.deepcopy(figure), pickle.loads(pickle.dumps(figure)), go.Figure(figure)):
        assert other == figure
        assert not getattr(other, "is_long", False)
    assert LongFigure(figure).notes == []


def test_it_takes_subplots_other_traces_and_layout_as_any_figure_does() -> None:
    figure = LongFigure(layout={"title": {"text": "Both"}})
    figure.set_subplots(rows=2, cols=1)
    figure.add_scatter(x=[1, 2], y=[3, 4], row=1, col=1)
    x = np.arange(5_000.0)
    figure.add_long(x, x, drawn_from(x, x), what="points", row=2, col=1)
    times = x.astype(np.int64)
    figure.add_long(times, x, drawn_from(times, x), what="fills", row=1, col=1)
    assert figure.long_axes == {"x2": False, "x": True}
    assert set(figure.between(10, 20)) == {1, 2}
    # A trace that is taken out is no longer thinned; the others keep theirs.
    figure.data = (figure.data[2],)
    assert set(figure.between(10, 20)) == {0}
    assert figure.long_axes == {"x": True}


def test_notes_count_points_of_one_name_and_length_once() -> None:
    x = np.arange(5_000.0)
    figure = LongFigure()
    for values, what in ((x, "points"), (np.sin(x), "points"), (x, "fills")):
        figure.add_long(x, values, drawn_from(x, values), what=what)
    figure.add_long(x[:100], x[:100], drawn_from(x, x), what="marks")
    drawn = [len(trace.x) for trace in figure.data]
    assert figure.notes == [
        f"Drawn: {max(drawn[:2]):,} of 5,000 points, {drawn[2]:,} of 5,000 fills{HOW}"
    ]


# ------------------------------------------------------------------------- a window of it
def test_a_window_is_drawn_whole_with_a_neighbour_on_each_side() -> None:
    figure = long_figure()
    first = figure.data[0].customdata
    found = figure.between(3_000 * NS, 3_100 * NS)[0]["customdata"]
    inside = found[(found >= 2_999) & (found <= 3_101)]
    assert inside.tolist() == list(range(2_999, 3_102))
    # Around it the first picture stays.
    assert found[found < 2_999].tolist() == first[first < 2_999].tolist()
    assert found[found > 3_101].tolist() == first[first > 3_101].tolist()


def test_a_long_window_is_thinned_with_its_extremes() -> None:
    figure = long_figure(100_000, spike=50_005)
    drawn = figure.between(40_000 * NS, 60_000 * NS)[0]
    kept = drawn["customdata"]
    inside = kept[(kept >= 40_000) & (kept <= 60_000)]
    assert 1_900 < len(inside) <= 2_000
    assert 50_005 in inside
    assert {39_999, 60_001} <= set(kept.tolist())
    note = figure.view({"x": (40_000 * NS, 60_000 * NS)}).note
    assert note == f"Drawn: {len(inside):,} of 20,001 points in view{HOW}"
    assert figure.view({"x": (0, 50 * NS)}).note == "Drawn: all 51 points in view"


def test_zooming_out_gives_the_first_picture_back() -> None:
    figure = long_figure()
    first = figure.data[0]
    whole = figure.view({"x": None})
    for drawn in (
        figure.between(-5 * NS, 20_000 * NS)[0],
        figure.between(0, 9_999 * NS)[0],
        whole.traces[0],
    ):
        assert set(drawn) == {"x", "y", "customdata", "marker.color"}
        for name in ("x", "y", "customdata"):
            assert drawn[name].tolist() == first[name].tolist()
        assert drawn["marker.color"].tolist() == first.marker.color.tolist()
    assert whole.note == figure.notes[0]


@pytest.mark.parametrize("window", [(-20, -10), (50_000, 60_000)], ids=str)
def test_a_window_beside_the_series_keeps_the_first_picture(window: tuple[int, int]) -> None:
    figure = long_figure()
    start, end = (second * NS for second in window)
    assert figure.between(start, end)[0]["x"].tolist() == figure.data[0].x.tolist()
    assert figure.view({"x": (start, end)}).note == "Drawn: all 0 points in view"


def test_a_window_can_be_given_in_any_form_of_time() -> None:
    figure = long_figure()
    wanted = figure.between(3_600 * NS, 3_660 * NS)[0]["customdata"].tolist()
    for start, end in (
        ("1970-01-01 01:00:00", "1970-01-01T01:01:00Z"),
        (np.datetime64(3_600, "s"), np.datetime64(3_660, "s")),
        (datetime(1970, 1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 1, 1)),
    ):
        assert figure.between(start, end)[0]["customdata"].tolist() == wanted


def test_each_axis_can_have_a_window_of_its_own() -> None:
    x = np.arange(50_000.0)
    figure = LongFigure()
    figure.set_subplots(rows=2, cols=1)
    for row in (1, 2):
        figure.add_long(x, x, drawn_from(x, x), what="points", row=row, col=1)
    traces = figure.view({"x2": (10.0, 20.0)}).traces
    assert traces[0]["x"].tolist() == figure.data[0].x.tolist()
    assert {float(value) for value in range(9, 22)} <= set(traces[1]["x"].tolist())


def test_points_of_one_time_are_all_in_the_window() -> None:
    times = np.repeat(np.arange(1_000, dtype=np.int64), 5)
    figure = LongFigure()
    figure.add_long(times, times, drawn_from(times, times), what="points")
    kept = figure.between(500, 500)[0]["customdata"]
    assert set(range(2_499, 2_506)) <= set(kept.tolist())


def test_a_window_of_a_million_points_is_thinned_at_once() -> None:
    n = 1_000_000
    times = np.arange(n, dtype=np.int64) * NS
    values = np.random.default_rng(2).normal(size=n).cumsum()
    figure = LongFigure()
    figure.add_long(times, values, drawn_from(times, values), what="points")
    began = time.perf_counter()
    for start in range(10):
        figure.between(start * NS * 50_000, (start + 10) * NS * 50_000)
    assert time.perf_counter() - began < 1.0


def test_a_trace_can_be_drawn_anew_for_each_window() -> None:
    def draw(start: Any, end: Any) -> dict[str, Any]:
        low, high = (0.0, 8.0) if start is None else (start, end)
        x = np.linspace(low, high, 3)
        return {
            "type": "bar",
            "x": x,
            "y": x / 2,
            "marker": {"color": x, "colorscale": [[0, "red"], [1, "blue"]]},
        }

    figure = LongFigure()
    figure.add_scatter(y=[1])
    figure.add_drawn(draw, is_dated=False)
    assert (figure.is_long, figure.notes, figure.drawn_anew) == (True, [], [1])
    assert figure.data[1].x.tolist() == [0.0, 4.0, 8.0]
    found = figure.between(2, 4)[1]
    assert {name: value.tolist() for name, value in found.items()} == {
        "x": [2.0, 3.0, 4.0],
        "y": [1.0, 1.5, 2.0],
        "marker.color": [2.0, 3.0, 4.0],
    }
    assert figure.view({}).traces[1]["x"].tolist() == [0.0, 4.0, 8.0]
    assert not copy.deepcopy(figure).is_long


# ------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 2, 1], "times must not fall, but that of point 2"),
        ([0.0, np.nan, 1.0], "times must not be missing, that of point 1"),
        (np.array(["NaT", "1970", "1971"], dtype="datetime64[ns]"), "that of point 0"),
        ([0, 1], "must be two columns of one length"),
        ([[0, 1, 2]], "must be two columns of one length"),
        (["a", "b", "c"], "must be int64 nanoseconds, datetime64 or floats"),
    ],
    ids=["fall", "nan", "nat", "short", "deep", "text"],
)
def test_times_that_are_no_axis_are_refused(times: Any, said: str) -> None:
    figure = LongFigure()
    with pytest.raises(ValueError, match=said):
        figure.add_long(times, [1.0, 2.0, 3.0], lambda kept: {"type": "scatter"}, what="points")
    assert len(figure.data) == 0


def test_a_series_of_five_centuries_is_in_order() -> None:
    ends = np.array([-9 * 10**18, 9 * 10**18])  # their difference does not fit
    figure = LongFigure()
    figure.add_long(ends, [1.0, 2.0], lambda kept: {"type": "scatter"}, what="points")
    with pytest.raises(ValueError, match="times must not fall"):
        figure.add_long(ends[::-1], [1.0, 2.0], lambda kept: {"type": "scatter"}, what="points")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (5 * NS, 4 * NS, "end must not be before start"),
        ("soon", 4 * NS, "start must be a point in time, was 'soon'"),
        (0, None, "end must be a point in time"),
    ],
)
def test_a_window_that_is_none_is_refused(start: Any, end: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        long_figure().between(start, end)
    x = np.arange(3_000.0)
    figure = LongFigure()
    figure.add_long(x, x, drawn_from(x, x), what="points")
    with pytest.raises(TypeError, match="start must be a number"):
        figure.between("1970-01-01", 5)


def test_a_pandas_index_and_series_follow_a_zoom_as_arrays_do() -> None:
    days = pd.date_range("2020-01-01", periods=10_000, freq="min").as_unit("ns")
    values = pd.Series(np.arange(10_000.0), index=days)
    figure = LongFigure()
    figure.add_long(
        days.to_numpy().astype("int64"),
        values.to_numpy(),
        lambda kept: {"type": "scatter", "x": days[kept], "y": values.iloc[kept]},
        what="points",
    )
    seen = figure.between(days[5_000].value, days[5_009].value)
    [trace] = seen.values()
    # One entry a point, of both.
    assert len(trace["x"]) == len(trace["y"])
    inside = [
        y
        for x, y in zip(trace["x"], trace["y"], strict=True)
        if days[5_000] <= pd.Timestamp(x) <= days[5_009]
    ]
    assert inside == [float(number) for number in range(5_000, 5_010)]
