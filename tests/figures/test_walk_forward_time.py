"""The windows of a walk-forward and its chained equity, drawn through time."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from horizon.figures import THEMES
from horizon.figures.chained import out_of_sample
from horizon.figures.series import MOST_POINTS
from horizon.figures.walk_forward import windows_timeline

HOSTILE = "<script>$x$%{y}\u202e"
DAY = 86_400
T0 = 1_325_376_000  # 1 January 2012
NS = 10**9


def window(number, train, test):
    """Days since T0: (start, end) of training and of the test."""
    (a, b), (c, d) = train, test
    days = {"train_start_ns": a, "train_end_ns": b, "test_start_ns": c, "test_end_ns": d}
    return SimpleNamespace(
        number=number, **{name: (T0 + day * DAY) * NS for name, day in days.items()}
    )


def expanding(count, purge=0):
    """Tests of ten days each behind a hundred days."""
    return [
        window(i, (0, 100 + 10 * i - purge), (100 + 10 * i, 110 + 10 * i)) for i in range(count)
    ]


def curve(*equity, start=100):
    return [(T0 + (start + i) * DAY, value) for i, value in enumerate(equity)]


def named(figure, name):
    found = [t for t in figure.data if t.name == name]
    assert len(found) == 1, [t.name for t in figure.data]
    return found[0]


def seconds(values):
    return np.asarray(values, dtype="datetime64[s]").astype(int).tolist()


def text(figure):
    return json.dumps(figure.to_plotly_json(), default=str, ensure_ascii=False)


# ------------------------------------------------------------------------ timeline
def test_bars_are_the_windows_own_times() -> None:
    figure = windows_timeline(expanding(2, purge=3))
    training, purged, test = (named(figure, name) for name in ("training", "purged", "test"))
    assert seconds(training.base) == [T0, T0]
    # A bar on an axis of dates is so many milliseconds long: 97 and 107 days.
    assert list(training.x) == [97 * DAY * 1e3, 107 * DAY * 1e3]
    assert seconds(purged.base) == [T0 + 97 * DAY, T0 + 107 * DAY]
    assert list(purged.x) == [3 * DAY * 1e3] * 2
    assert seconds(test.base) == [T0 + 100 * DAY, T0 + 110 * DAY]
    assert list(test.x) == [10 * DAY * 1e3] * 2
    assert list(test.y) == [0, 1]
    # The first window is on top.
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert figure.layout.title.subtitle.text == "2 windows, tests of 10 d, 3 d purged before each"


def test_without_purge_and_embargo_there_is_nothing_of_them() -> None:
    figure = windows_timeline(expanding(3))
    assert [t.name for t in figure.data] == ["training", "test"]


def test_embargo_is_the_first_part_of_a_test() -> None:
    figure = windows_timeline(expanding(1), embargo=2.0 * DAY)
    held, test = named(figure, "embargo"), named(figure, "test")
    assert (seconds(held.base), list(held.x)) == ([T0 + 100 * DAY], [2 * DAY * 1e3])
    assert (seconds(test.base), list(test.x)) == ([T0 + 102 * DAY], [8 * DAY * 1e3])
    assert "the first 2 d of each without orders" in figure.layout.title.subtitle.text


def test_choices_and_scores_are_written_beside_their_windows() -> None:
    figure = windows_timeline(
        expanding(2),
        chosen=[{"fast": 5}, {"fast": 20, "kind": "mean"}],
        scores=[0.5, -1.25],
        objective="total_return_pct",
    )
    (written,) = [t for t in figure.data if t.text is not None]
    assert list(written.text) == ["fast=5", "fast=20, kind=mean"]
    said = {a.text: a.y for a in figure.layout.annotations}
    assert (said["50.00 %"], said["−125.00 %"]) == (0, 1)
    assert "Total return in the test" in said
    hover = named(figure, "test").customdata[1]
    assert "Window 1" in hover
    assert "chosen: fast=20, kind=mean" in hover
    assert "test: 2012-04-20 to 2012-04-30 (10 d)" in hover  # 110 and 120 days after New Year


def test_a_window_that_is_not_finished_is_hollow() -> None:
    figure = windows_timeline(expanding(2), chosen=[{"a": 1}, None], scores=[1.0, np.nan])
    done, open_ = (t for t in figure.data if t.name == "test")
    assert (list(done.y), list(open_.y)) == ([0], [1])
    assert open_.marker.color == "rgba(0,0,0,0)"
    assert "not finished" in open_.customdata[0]
    assert "Hollow: 1 window not finished" in figure.layout.title.subtitle.text
    assert [done.showlegend, open_.showlegend] == [True, False]


def test_flagged_windows_are_marked_with_their_reason() -> None:
    windows = [window(i + 7, (0, 100), (100 + 10 * i, 110 + 10 * i)) for i in range(3)]
    figure = windows_timeline(windows, flagged={8: "no setting had a trade"})
    cross = named(figure, "not to be relied on")
    assert list(cross.y) == [1]
    assert seconds(cross.x) == [T0 + 115 * DAY]  # in the middle of its test
    assert "no setting had a trade" in cross.customdata[0]
    assert list(figure.layout.yaxis.ticktext) == ["7", "8", "9"]


@pytest.mark.parametrize("count", [1, 2, 40, 41, 200])
def test_any_number_of_windows_fits(count) -> None:
    figure = windows_timeline(expanding(count), chosen=[{"a": 1}] * count, scores=[0.1] * count)
    assert 100 < figure.layout.height < 1_300
    assert len(figure.layout.yaxis.ticktext) <= 30
    assert len(named(figure, "test").y) == count


def test_names_from_outside_are_text_in_a_timeline() -> None:
    figure = windows_timeline(
        expanding(1),
        chosen=[{HOSTILE: HOSTILE}],
        scores=[1.0],
        objective=HOSTILE.replace("\u202e", ""),
        flagged={0: HOSTILE * 5},
        title=HOSTILE,
    )
    told = text(figure)
    for bad in ("<script", "$x$", "%{y}\u202e", "\u202e"):
        assert bad not in told


@pytest.mark.parametrize(
    ("windows", "options", "error", "match"),
    [
        ([], {}, ValueError, "one window or more"),
        (5, {}, TypeError, "windows must be a list of windows, was 5"),
        ([5], {}, TypeError, "train_start_ns, .* number 0 was 5"),
        ([window(0, (5, 2), (7, 9))], {}, ValueError, "window 0 must not fall"),
        (expanding(2), {"chosen": [{}]}, ValueError, "chosen must have one for each of 2 windows"),
        (expanding(2), {"scores": [1.0]}, ValueError, "scores must have one for each of 2"),
        (expanding(2), {"flagged": {2: "x"}}, ValueError, "which are 0 to 1; had 2"),
        (expanding(2), {"flagged": ["x"]}, TypeError, "flagged must be a dictionary"),
        (expanding(2), {"embargo": -1.0}, ValueError, "embargo must be 0 or more"),
        (expanding(2), {"theme": "drak"}, ValueError, "'light', 'dark'"),
    ],
    ids=["none", "number", "no times", "fall", "few", "scores", "place", "list", "neg", "theme"],
)
def test_what_is_no_timeline_is_refused(windows, options, error, match) -> None:
    with pytest.raises(error, match=match):
        windows_timeline(windows, **options)


# ------------------------------------------------------------------------ out of sample
def test_both_curves_are_drawn_as_they_are() -> None:
    figure = out_of_sample(
        curve(100.0, 80.0, 90.0), hindsight=curve(100.0, 110.0, 120.0), currency="EUR"
    )
    own = next(t for t in figure.data if t.name == "out of sample" and t.yaxis in (None, "y"))
    best = next(t for t in figure.data if t.name == "best in hindsight" and t.yaxis in (None, "y"))
    assert list(own.y) == [100.0, 80.0, 90.0]
    assert list(best.y) == [100.0, 110.0, 120.0]
    assert best.line.dash == "dash"
    assert list(own.customdata) == pytest.approx([0.0, -0.2, -0.1])
    assert figure.layout.yaxis.title.text == "EUR"
    # 90 of 100, and 120 of 100
    assert figure.layout.title.subtitle.text == "out of sample −10.00 %, best in hindsight +20.00 %"
    (depth,) = [t for t in figure.data if t.name == "out of sample" and t.yaxis == "y2"]
    assert list(depth.y) == pytest.approx([0.0, -0.2, -0.1])


def test_each_test_has_a_mark_that_tells_its_parameters() -> None:
    figure = out_of_sample(
        curve(*np.linspace(100.0, 119.0, 20)),
        windows=expanding(2),
        chosen=[{"fast": 5}, {"fast": 9}],
    )
    begins = named(figure, "a test begins")
    assert seconds(begins.x) == [T0 + 100 * DAY, T0 + 110 * DAY]
    assert list(begins.y) == [100.0, 110.0]
    assert list(begins.customdata) == ["Window 0: fast=5", "Window 1: fast=9"]
    # Every second test is shaded, in both panels.
    shaded = [s for s in figure.layout.shapes if s.type == "rect"]
    assert len(shaded) == 2
    assert seconds([shaded[0].x0]) == [T0 + 110 * DAY]


def test_a_window_without_equity_has_no_mark() -> None:
    figure = out_of_sample(curve(100.0, 101.0), windows=expanding(3))
    assert len(named(figure, "a test begins").x) == 1


def test_long_equity_is_thinned_and_says_so() -> None:
    equity = np.full(10_000, 10.0)
    equity[5_000] = 99.0
    times = (T0 + 60 * np.arange(10_000)).tolist()
    figure = out_of_sample(list(zip(times, equity.tolist(), strict=True)), windows=expanding(200))
    own = figure.data[0]
    assert len(own.y) <= MOST_POINTS
    assert max(own.y) == 99.0
    assert figure.notes[0] in figure.layout.title.subtitle.text


def test_one_point_is_a_mark() -> None:
    assert out_of_sample(curve(100.0)).data[0].mode == "markers"


def test_names_from_outside_are_text_in_an_equity() -> None:
    safe = HOSTILE.replace("\u202e", "")
    figure = out_of_sample(
        curve(100.0, 101.0),
        hindsight=curve(100.0, 102.0),
        hindsight_name=safe,
        windows=expanding(1),
        chosen=[{HOSTILE: HOSTILE}],
        currency=safe,
        title=safe,
    )
    told = text(figure)
    for bad in ("<script", "$x$", "%{y}\u202e", "\u202e"):
        assert bad not in told


@pytest.mark.parametrize(
    ("given", "options", "error", "match"),
    [
        ([], {}, ValueError, "equity must have one point or more"),
        (curve(1.0), {"hindsight": []}, ValueError, "hindsight must have one point or more"),
        (curve(1.0, 0.0), {"log": True}, ValueError, "falls to 0; draw it with log=False"),
        (curve(1.0), {"chosen": [{}]}, ValueError, "chosen needs windows"),
        (curve(1.0), {"log": 1}, TypeError, "log must be True or False"),
        ("x", {}, TypeError, "equity"),
    ],
    ids=["empty", "no hindsight", "zero", "no windows", "flag", "text"],
)
def test_what_is_no_equity_is_refused(given, options, error, match) -> None:
    with pytest.raises(error, match=match):
        out_of_sample(given, **options)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_have_their_own_paper(theme) -> None:
    for figure in (
        windows_timeline(expanding(2), theme=theme),
        out_of_sample(curve(1.0, 2.0), theme=theme),
    ):
        assert figure.layout.template.layout.paper_bgcolor == THEMES[theme].paper
