"""Figures of forecasts judged: exactly the numbers given, in words, safe, in two themes."""

import json
import math

import numpy as np
import pytest

from horizon.analytics.calibration import CalibrationCurve, calibration_curve
from horizon.analytics.decay import EdgeDecay, edge_decay
from horizon.figures import THEMES
from horizon.figures.calibration import edge_decay as draw_decay
from horizon.figures.calibration import reliability_diagram

HOSTILE = "<script>alert(1)</script>$x$%{y}\u202e"
HOUR = 3_600.0


@pytest.fixture
def curve() -> CalibrationCurve:
    return calibration_curve(
        [0.3, 0.7, 0.9, 0.1, 0.6, 0.8],
        [0.0, 1.0, 1.0, 0.0, 1.0, 0.0],
        5,
        groups=list("aabbbb"),
    )


@pytest.fixture
def result() -> EdgeDecay:
    """Centres 6, 18, 30 and 42 h; the edge is 0.1 at 6 h and doubles each day, but for one."""
    hours = np.array([5.0, 7.0, 18.0, 30.0, 31.0, 48.0])
    edges = np.array([0.1, 0.1, -0.05, 0.2, 0.2, 0.1 * 2**1.5])
    came = np.where(edges > 0.0, 1.0, 0.0)
    return edge_decay(came - edges, came, -HOUR * hours, np.zeros(6), 4)


def traces(figure, kind):
    return [trace for trace in figure.data if trace.type == kind]


def words(figure):
    return json.dumps(figure.to_plotly_json(), default=str, ensure_ascii=False)


# ---------------------------------------------------------------------------- reliability
def test_points_and_bars_are_the_numbers_of_the_curve(curve) -> None:
    figure = reliability_diagram(curve)
    diagonal, points = traces(figure, "scatter")
    assert (list(diagonal.x), list(diagonal.y)) == ([0.0, 1.0], [0.0, 1.0])
    # The third bin of five is empty and not drawn.
    assert list(points.x) == pytest.approx([0.1, 0.3, 0.65, 0.85])
    assert list(points.y) == [0.0, 0.0, 1.0, 0.5]
    held = [curve.intervals[i] for i in (0, 1, 3, 4)]
    assert list(points.y - points.error_y.arrayminus) == pytest.approx([low for low, _ in held])
    assert list(points.y + points.error_y.array) == pytest.approx([high for _, high in held])
    assert [row[0] for row in points.customdata] == ["1 time", "1 time", "2 times", "2 times"]
    assert [tuple(row[1:]) for row in points.customdata] == held
    (bars,) = traces(figure, "bar")
    assert list(bars.y) == [1, 1, 2, 2]
    assert list(bars.x) == pytest.approx([0.1, 0.3, 0.7, 0.9])
    assert max(bars.width) < 0.2
    assert bars.yaxis == "y2"


def test_title_says_the_scores_and_the_base_rate_is_drawn(curve) -> None:
    figure = reliability_diagram(curve)
    assert figure.layout.title.text == "Reliability"
    assert figure.layout.title.subtitle.text == (
        "Brier 0.1667, log loss 0.5074, ECE 0.3000, skill 0.3333 over 6 predictions<br>"
        "Bars on the points: 95% Wilson intervals"
    )
    assert "base rate 50.0%" in [note.text for note in figure.layout.annotations]
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == 0.5
    worse = reliability_diagram(calibration_curve([0.9, 0.1], [0, 1], confidence=0.9))
    assert "skill −2.2400 over 2 predictions" in worse.layout.title.subtitle.text
    assert "90% Wilson" in worse.layout.title.subtitle.text


def test_axes_have_units_and_hover_is_in_words(curve) -> None:
    figure = reliability_diagram(curve)
    layout = figure.layout
    assert layout.xaxis.title.text == "Predicted probability"
    assert layout.xaxis.tickformat == layout.yaxis.tickformat == ".0%"
    assert layout.yaxis.title.text == "Frequency with which it happened"
    assert layout.yaxis2.title.text == "Predictions"
    points = traces(figure, "scatter")[1]
    assert points.hovertemplate.startswith("Said %{x:.1%} on average, happened %{y:.1%} of ")
    assert "95% interval" in points.hovertemplate


def test_groups_are_told_apart_by_colour_and_shape(curve) -> None:
    for figure in (
        curve.figure(groups=True),
        reliability_diagram({"a": curve.groups["a"], "b": curve.groups["b"]}),
    ):
        _, first, second = traces(figure, "scatter")
        assert first.name == "a: Brier 0.0900, n 2"  # (0.09 + 0.09) / 2
        assert second.name.startswith("b: ")
        assert first.marker.color != second.marker.color
        assert first.marker.symbol != second.marker.symbol
        assert list(first.x) == pytest.approx([0.3, 0.7])
        left, right = traces(figure, "bar")
        # Both have one in the bin from 0.6 to 0.8, side by side in it.
        assert left.x[1] == pytest.approx(0.65)
        assert right.x[1] == pytest.approx(0.75)
        assert left.width[1] <= 0.1
        assert figure.layout.title.subtitle.text.startswith("2 curves over 6 predictions")


def test_more_groups_than_can_be_told_apart_are_left_out_and_it_says_so() -> None:
    labels = [number for number in range(9) for _ in range(1 + number)]
    n = len(labels)
    curve = calibration_curve(np.full(n, 0.5), np.ones(n), groups=labels)
    figure = curve.figure(groups=True)
    names = [trace.name.partition(":")[0] for trace in traces(figure, "scatter")[1:]]
    assert names == ["3", "4", "5", "6", "7", "8"]  # those with the most pairs, in order
    assert len({trace.marker.symbol for trace in traces(figure, "scatter")[1:]}) == 6
    assert len({trace.marker.color for trace in traces(figure, "scatter")[1:]}) == 6
    said = figure.layout.title.subtitle.text
    assert "Drawn: the 6 of 9 curves with the most pairs" in said


def test_many_bins_are_thinned_and_it_says_so() -> None:
    p = (np.arange(5_000) + 0.5) / 5_000
    y = np.zeros(5_000)
    y[1_234] = 1.0
    figure = calibration_curve(p, y, 5_000).figure()
    points = traces(figure, "scatter")[1]
    assert len(points.x) <= 2_000
    assert max(points.y) == 1.0  # the extreme is kept
    assert f"Drawn: {len(points.x):,} of 5,000 bins" in figure.layout.title.subtitle.text


def test_quantile_bins_have_bars_of_their_width() -> None:
    curve = calibration_curve([0.1, 0.1, 0.2, 0.8], [0, 1, 0, 1], 2, strategy="quantile")
    (bars,) = traces(curve.figure(), "bar")
    # Edges 0.1, 0.15, 0.8
    first, second = (tuple(row) for row in bars.customdata)
    assert first == (0.1, pytest.approx(0.15), "2 predictions")
    assert second == (pytest.approx(0.15), 0.8, "2 predictions")
    assert bars.width[1] > 10 * bars.width[0]
    alone = calibration_curve([0.4] * 3, [0, 1, 0], strategy="quantile").figure()
    assert traces(alone, "bar")[0].width[0] > 0.0
    assert traces(alone, "bar")[0].x[0] == pytest.approx(0.4)


def test_nothing_is_drawn_as_nothing() -> None:
    figure = calibration_curve([], []).figure()
    assert len(traces(figure, "scatter")[1].x) == 0
    assert "No predictions" in [note.text for note in figure.layout.annotations]
    assert "over 0 predictions" in figure.layout.title.subtitle.text


def test_hostile_labels_are_drawn_as_they_stand() -> None:
    curve = calibration_curve([0.5, 0.6], [0, 1], groups=[HOSTILE, "b"])
    for figure in (curve.figure(groups=True), reliability_diagram({HOSTILE: curve})):
        told = words(figure)
        for bad in ("<script", "$x$", "%{y}\u202e", "\u202e"):
            assert bad not in told
        assert "&#60;script&#62;" in told
        assert "⟨U+202E⟩" in told
    assert "&#60;b&#62;" in words(reliability_diagram(curve, title="<b>"))


@pytest.mark.parametrize(
    ("given", "options", "error", "said"),
    [
        ("curve", {"groups": 1}, TypeError, "groups must be True or False"),
        ("curve", {"theme": "drak"}, ValueError, "'light', 'dark'"),
        ("curve", {"title": 5}, TypeError, "title must be text"),
        ("alone", {"groups": True}, ValueError, "groups must be False for a curve without groups"),
        ("dict", {"groups": True}, ValueError, "groups must be False where several"),
        ([0.1], {}, TypeError, r"curve must be a CalibrationCurve or a dictionary .* was \[0.1\]"),
        ({"a": 1}, {}, TypeError, "curve must be a CalibrationCurve or"),
        ({}, {}, ValueError, "curve must hold at least one"),
    ],
)
def test_a_wrong_argument_is_named(curve, given, options, error, said) -> None:
    known = {"curve": curve, "alone": curve.groups["a"], "dict": {"a": curve}}
    value = known[given] if isinstance(given, str) else given
    with pytest.raises(error, match=said):
        reliability_diagram(value, **options)


# ---------------------------------------------------------------------------- decay
def test_edges_fit_and_counts_are_the_numbers_of_the_result(result) -> None:
    figure = draw_decay(result)
    fitted, left_out, fit = traces(figure, "scatter")
    assert list(fitted.x) == [6.0, 30.0, 42.0]
    assert list(fitted.y) == pytest.approx([0.1, 0.2, 0.1 * 2**1.5])
    assert list(left_out.x) == [18.0]
    assert list(left_out.y) == pytest.approx([-0.05])
    assert fitted.marker.symbol == "circle"
    assert left_out.marker.symbol == "circle-open"
    # No spread among equal edges, and none to be known of a single one.
    assert fitted.error_y.array[0] == pytest.approx(0.0, abs=1e-15)
    assert fitted.error_y.array[2] is None
    # 0.1 at 6 h, doubling each 24 h: 0.1 · 2^(−1/4) at resolution
    assert fit.x[0] == 0.0
    assert fit.y[0] == pytest.approx(0.1 * 2**-0.25, rel=1e-9)
    assert fit.x[-1] == 48.0
    assert fit.y[-1] == pytest.approx(0.1 * 2**1.75, rel=1e-9)
    assert fit.name == "fit: halves every 24 h"
    (bars,) = traces(figure, "bar")
    assert list(bars.y) == [2, 1, 2, 1]
    assert list(bars.x) == [6.0, 18.0, 30.0, 42.0]


def test_standard_errors_are_the_bars() -> None:
    # Edges 0.1 and 0.3: a standard deviation of 0.1 · √2 over √2
    result = edge_decay([0.9, 0.7, 0.5], [1, 1, 1], [-HOUR, -HOUR, -4 * HOUR], [0.0] * 3, 2)
    points = traces(draw_decay(result), "scatter")[0]
    assert list(points.error_y.array) == [pytest.approx(0.1), None]
    assert [tuple(row) for row in points.customdata] == [
        ("0.2000", "0.1000", "2 entries"),
        ("0.5000", "unknown", "1 entry"),
    ]


def test_time_runs_towards_resolution_and_the_half_life_is_marked(result) -> None:
    figure = result.figure()
    start, end = figure.layout.xaxis.range
    assert start > 48.0 > 0.0 > end
    assert figure.layout.xaxis.title.text == "Hours before resolution"
    assert figure.layout.yaxis.title.text == "Mean edge, of a contract that pays 1"
    assert figure.layout.yaxis2.title.text == "Entries"
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == pytest.approx(24.0)
    assert "one half-life, 24 h, to go" in [note.text for note in figure.layout.annotations]
    # 2 · 0.1 − 0.05 + 2 · 0.2 + 0.2828 = 0.8328, over 6
    assert figure.layout.title.subtitle.text == "Half-life 24 h<br>Mean edge 0.1388 over 6 entries"


def test_no_fit_and_no_decay_are_said_in_words() -> None:
    growing = edge_decay([0.5, 0.9], [1, 1], [-HOUR, -4 * HOUR], [0.0, 0.0], 2).figure()
    assert growing.layout.title.subtitle.text.startswith("The edge does not shrink")
    assert traces(growing, "scatter")[2].name == "fit: does not shrink"
    assert len(growing.layout.shapes) == 0
    losing = edge_decay([0.5, 0.9], [0, 0], [-HOUR, -4 * HOUR], [0.0, 0.0], 2).figure()
    assert losing.layout.title.subtitle.text == (
        "No fit: fewer than two buckets have a positive mean edge<br>"
        "Mean edge −0.7000 over 2 entries"
    )
    fitted, left_out = traces(losing, "scatter")
    assert not fitted.showlegend
    assert len(left_out.x) == 2
    nothing = edge_decay([], [], [], []).figure()
    assert "No entries" in [note.text for note in nothing.layout.annotations]
    at_once = edge_decay([0.5], [1], [0.0], [0.0]).figure()
    assert at_once.layout.xaxis.range[0] > 0.0


def test_a_half_life_beyond_the_data_is_not_marked() -> None:
    # Centres 1 h and 3 h, 0.1 and 0.11: a half-life of 2 ln 2 / ln 1.1 = 14.5 h
    slow = edge_decay([0.9, 0.89], [1, 1], [-HOUR, -4 * HOUR], [0.0, 0.0], 2)
    figure = slow.figure()
    assert traces(figure, "scatter")[2].name == "fit: halves every 14.5 h"
    assert len(figure.layout.shapes) == 0


def test_many_buckets_are_thinned_and_it_says_so() -> None:
    hours = np.arange(5_000) + 0.5
    prices = np.full(5_000, 0.5)
    prices[1_234] = 0.0
    result = edge_decay(prices, np.ones(5_000), -HOUR * hours, np.zeros(5_000), 5_000)
    figure = result.figure()
    points = traces(figure, "scatter")[0]
    assert len(points.x) <= 2_000
    assert max(points.y) == 1.0
    assert f"Drawn: {len(points.x):,} of 5,000 buckets" in figure.layout.title.subtitle.text


def test_a_wrong_result_theme_or_title_is_named(result) -> None:
    with pytest.raises(TypeError, match="result must be an EdgeDecay, was 5"):
        draw_decay(5)
    with pytest.raises(ValueError, match="'light', 'dark'"):
        draw_decay(result, theme="drak")
    assert "&#60;b&#62;" in words(draw_decay(result, title="<b>"))


def test_losses_have_a_minus_sign_in_words(result) -> None:
    left_out = traces(draw_decay(result), "scatter")[1]
    assert left_out.customdata[0][0] == "−0.0500"


# ---------------------------------------------------------------------------- both
def test_themes_have_their_own_paper_and_colours(curve, result) -> None:
    for draw in (curve.figure, result.figure):
        light, dark = draw(theme="light"), draw(theme="dark")
        papers = [each.layout.template.layout.paper_bgcolor for each in (light, dark)]
        assert papers == [THEMES["light"].paper, THEMES["dark"].paper]
        point_colours = {each.data[1].marker.color for each in (light, dark)}
        assert len(point_colours) == 2


def test_a_long_legend_has_room_above_the_panels() -> None:
    names = [f"a category with quite a long name, {number}" for number in range(6)]
    curve = calibration_curve(np.full(6, 0.5), np.ones(6), groups=names)
    long, short = curve.figure(groups=True), curve.figure()
    # Each name takes a row of its own in a narrow figure: six beside the diagonal's.
    assert long.layout.margin.t >= short.layout.margin.t + 5 * 26
    assert long.layout.height - long.layout.margin.t == short.layout.height - short.layout.margin.t


def test_figures_are_plain_json(curve, result) -> None:
    for figure in (curve.figure(groups=True), result.figure()):
        sent = json.loads(figure.to_json())
        assert len(json.dumps(sent)) < 100_000
        assert not any(math.isnan(v) for v in sent["layout"]["xaxis"]["range"])
