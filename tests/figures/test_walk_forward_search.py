"""What a search has found, drawn: by parameters, training against test, and all trials."""

import json

import numpy as np
import pytest

from horizon.figures import THEMES
from horizon.figures.chance import trials
from horizon.figures.heat_maps import parameter_heat_map
from horizon.figures.train_test import train_against_test

HOSTILE = "<script>$x$%{y}"
#: Two by three, in grid order.
GRID = [{"fast": f, "slow": s} for f in (5, 10) for s in (200, 50, 100)]
NAN = float("nan")


def grid(first, second, **others):
    return [{"a": a, "b": b, **others} for a in first for b in second]


def text(figure):
    return json.dumps(figure.to_plotly_json(), default=str, ensure_ascii=False)


def maps(figure):
    """The heat maps of values, without those of gaps."""
    return [t for t in figure.data if t.type == "heatmap" and t.coloraxis]


def gaps(figure):
    return [t for t in figure.data if t.type == "heatmap" and not t.coloraxis]


def titles(figure):
    return [a.text for a in figure.layout.annotations]


def named(figure, name):
    (found,) = [t for t in figure.data if t.name == name]
    return found


# ------------------------------------------------------------------------ heat map
def test_cells_stand_at_their_parameters_in_order_of_size() -> None:
    figure = parameter_heat_map(GRID, [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    (cells,) = maps(figure)
    assert list(cells.x) == ["5", "10"]
    assert list(cells.y) == ["50", "100", "200"]
    # fast=5: 200 is 1, 50 is 2, 100 is 3; fast=10: 4, 5, 6.
    np.testing.assert_array_equal(cells.z, [[2.0, 5.0], [3.0, 6.0], [1.0, 4.0]])
    assert list(cells.text[0]) == ["2.00", "5.00"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("fast", "slow")
    assert figure.layout.title.subtitle.text == "6 settings in 1 window"


def test_each_window_has_a_map_and_all_share_their_colours() -> None:
    figure = parameter_heat_map(GRID, [[1.0] * 6, [-3.0] * 6, [2.0] * 6])
    assert len(maps(figure)) == 3
    assert [t for t in titles(figure) if "Window" in t] == [f"<b>Window {i}</b>" for i in range(3)]
    # Around 0, as far as the largest either way.
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-3.0, 3.0)
    alone = parameter_heat_map(GRID, [[1.0] * 6, [-3.0] * 6], window=1)
    assert len(maps(alone)) == 1
    assert titles(alone) == ["<b>Window 1</b>"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("values", "maximize", "ends"),
    [
        ([1.0, 2.0], True, (2, 4)),
        ([-2.0, -1.0], True, (0, 2)),
        ([1.0, 2.0], False, (2, 0)),
        ([-2.0, -1.0], False, (4, 2)),
    ],
    ids=["gains", "losses", "costs", "negative costs"],
)
def test_the_better_is_blue_and_the_palest_nearest_to_0(theme, values, maximize, ends) -> None:
    figure = parameter_heat_map([{"a": 1}, {"a": 2}], [values], maximize=maximize, theme=theme)
    colours = [colour for _, colour in THEMES[theme].diverging]
    scale = figure.layout.coloraxis.colorscale
    assert [scale[0][1], scale[-1][1]] == [colours[ends[0]], colours[ends[1]]]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == tuple(values)


def test_chosen_cells_are_framed() -> None:
    figure = parameter_heat_map(GRID, [[1.0] * 6] * 2, chosen=[3, None])
    (frame,) = figure.layout.shapes
    # fast=10 is the second column, slow=200 the third row; the first window's axes.
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (0.5, 1.5, 1.5, 2.5)
    assert (frame.xref, frame.yref) == ("x", "y")


def test_cells_without_a_number_say_why() -> None:
    values = [[NAN, 2.0, NAN, 4.0, 5.0, NAN]]
    figure = parameter_heat_map(
        GRID, values, reasons={(0, 0): "no trades", (0, 2): "no trades"}, window=0
    )
    (grey,) = gaps(figure)
    assert [list(row) for row in grey.customdata] == [
        ["", ""],
        ["no trades", "not run"],
        ["no trades", ""],
    ]
    assert np.isnan(grey.z[0]).all()
    assert list(grey.text[1]) == ["no trades", "not run"]
    assert figure.layout.title.subtitle.text.endswith("grey: 2 no trades, 1 not run")


def test_other_parameters_are_held_at_what_was_chosen() -> None:
    settings = [{"a": a, "b": b, "size": s} for s in (1, 2) for a in (1, 2) for b in (1, 2)]
    values = [[*range(8)], [*range(8)]]
    figure = parameter_heat_map(settings, values, chosen=[1, 6])
    # size=1 has the first four, size=2 the others; rows are b, columns a.
    np.testing.assert_array_equal(maps(figure)[0].z, [[0, 2], [1, 3]])
    np.testing.assert_array_equal(maps(figure)[1].z, [[4, 6], [5, 7]])
    assert titles(figure) == ["<b>Window 0, size=1</b>", "<b>Window 1, size=2</b>"]
    assert "held at what each window chose" in figure.layout.title.subtitle.text
    turned = parameter_heat_map(settings, values, chosen=[1, 6], window=0, x="size", y="a")
    # b=2 was chosen: sizes 1 and 2 in columns, a in rows.
    np.testing.assert_array_equal(maps(turned)[0].z, [[1, 5], [3, 7]])


def test_values_that_only_meet_once_are_drawn_as_points() -> None:
    # Every pair of a and b was tried, but each with another size: a map has one cell only.
    settings = [{"a": a, "b": b, "size": 10 * a + b} for a in (1, 2) for b in (1, 2)]
    figure = parameter_heat_map(settings, [[1.0, 2.0, 3.0, 4.0]])
    assert maps(figure) == []
    assert [len(t.x) for t in figure.data] == [0, 4]


def test_windows_can_have_numbers_of_their_own() -> None:
    figure = parameter_heat_map(GRID, [[1.0] * 6, [2.0] * 6], numbers=[3, 5], window=5)
    assert titles(figure) == ["<b>Window 5</b>"]
    assert maps(figure)[0].z[0][0] == 2.0
    points = train_against_test(
        [[1.0], [2.0]], [[1.0], [2.0]], settings=[{}], chosen=[0, 0], numbers=[3, 5]
    )
    assert list(named(points, "what the window chose").text) == ["3", "5"]


def test_one_parameter_has_the_windows_for_rows() -> None:
    figure = parameter_heat_map(
        [{"k": 4}, {"k": 1}, {"k": 2}], [[1.0, 2.0, 3.0], [4.0, 5.0, NAN]], chosen=[2, 0]
    )
    (cells,) = maps(figure)
    assert list(cells.x) == ["1", "2", "4"]
    np.testing.assert_array_equal(cells.z, [[2.0, 3.0, 1.0], [5.0, NAN, 4.0]])
    assert figure.layout.yaxis.title.text == "Window"
    assert [(s.x0, s.y0) for s in figure.layout.shapes] == [(0.5, -0.5), (1.5, 0.5)]


def test_a_sparse_search_is_drawn_as_points() -> None:
    rng = np.random.default_rng(3)
    spreads = 10.0 ** rng.uniform(-4, 0, 30)
    settings = [{"spread": float(s), "n": n} for n, s in enumerate(spreads)]
    values = rng.normal(size=(1, 30))
    values[0, 4] = NAN
    figure = parameter_heat_map(settings, values, chosen=[7], reasons={(0, 4): "no trades"})
    without, points, ring = figure.data
    assert len(points.x) == 29
    assert points.marker.color.tolist() == np.delete(values[0], 4).tolist()
    assert list(points.x) == np.delete(spreads, 4).tolist()
    assert figure.layout.xaxis.type == "log"
    assert next(iter(without.customdata)).endswith("no trades")
    assert (list(ring.x), list(ring.y)) == ([spreads[7]], [7.0])


def test_values_that_are_no_numbers_keep_their_order() -> None:
    def rule():
        raise AssertionError

    kinds = ["mean", None, True, 1, rule, (1, 2), [3]]
    figure = parameter_heat_map(grid(kinds, (1, 2)), [[0.0] * 14])
    (cells,) = maps(figure)
    assert [str(label).partition(".")[0] for label in cells.x] == [
        "mean",
        "None",
        "True",
        "1",
        "test_values_that_ar…",
        "(1, 2)",
        "[3]",
    ]


def test_values_that_are_called_alike_stay_apart() -> None:
    figure = parameter_heat_map(grid([lambda: 1, lambda: 2], (1, 2)), [[1.0, 2.0, 3.0, 4.0]])
    (cells,) = maps(figure)
    assert len(set(cells.x)) == 2
    np.testing.assert_array_equal(cells.z, [[1.0, 3.0], [2.0, 4.0]])


def test_settings_that_lack_a_parameter_have_a_place_of_their_own() -> None:
    figure = parameter_heat_map([{"a": 1, "b": 1}, {"a": 2}], [[1.0, 2.0]])
    (cells,) = maps(figure)
    assert list(cells.y) == ["1", "–"]


def test_two_hundred_windows_are_drawn_as_twelve_and_it_says_so() -> None:
    figure = parameter_heat_map(GRID, np.zeros((200, 6)))
    assert len(maps(figure)) == 12
    assert titles(figure)[0] == "<b>Window 0</b>"
    assert titles(figure)[-1] == "<b>Window 199</b>"
    assert "Drawn: 12 of 200 windows" in figure.layout.title.subtitle.text


def test_two_thousand_settings_leave_out_labels_and_numbers() -> None:
    figure = parameter_heat_map(grid(range(50), range(40)), np.zeros((1, 2_000)))
    (cells,) = maps(figure)
    assert cells.z.shape == (40, 50)
    assert cells.text is None
    assert len(figure.layout.xaxis.tickvals) <= 25
    assert figure.layout.height < 700


def test_equal_values_and_no_values_have_colours_too() -> None:
    assert parameter_heat_map(GRID, np.full((1, 6), 2.0)).layout.coloraxis.cmin < 2.0
    nothing = parameter_heat_map(GRID, np.full((1, 6), NAN))
    assert len(gaps(nothing)) == 1


def test_names_from_outside_are_text_in_a_heat_map() -> None:
    settings = [
        {HOSTILE: a, "b": b, "c": HOSTILE * c}
        for a in (HOSTILE, "x")
        for b in (1, 2)
        for c in (1, 2)
    ]
    figure = parameter_heat_map(
        settings,
        [[1.0, NAN] * 4],
        chosen=[0],
        reasons={(0, 1): HOSTILE},
        objective=HOSTILE,
        title=HOSTILE,
    )
    told = text(figure)
    assert not any(bad in told for bad in ("<script", "$x$", "%{y}'"))
    assert "&#60;script&#62;" in told


@pytest.mark.parametrize(
    ("settings", "values", "options", "error", "match"),
    [
        ([], [[1.0]], {}, ValueError, "one setting or more"),
        ({}, [[1.0]], {}, TypeError, "settings must be a list of dictionaries"),
        ([5], [[1.0]], {}, TypeError, "number 0 was 5"),
        ([{}], [[1.0]], {}, ValueError, "must have a parameter"),
        (GRID, [[1.0]], {}, ValueError, r"one column for each of 6 settings, had the shape \(1, 1"),
        (GRID, [[np.inf] * 6], {}, ValueError, "was inf in window 0 at setting 0"),
        (GRID, [[1.0] * 6], {"window": 1}, ValueError, "window must be one of 0 to 0, was 1"),
        (GRID, [[1.0] * 6], {"x": "fats"}, ValueError, "Did you mean 'fast'"),
        (GRID, [[1.0] * 6], {"x": "fast", "y": "fast"}, ValueError, "two parameters, were both"),
        (GRID, [[1.0] * 6], {"chosen": [6]}, ValueError, "indices of 6 settings, had 6"),
        (GRID, [[1.0] * 6], {"chosen": [1, 2]}, ValueError, "one index for each of 1 windows"),
        (GRID, [[1.0] * 6], {"chosen": 1}, TypeError, "chosen must be a list"),
        (GRID, [[1.0] * 6], {"reasons": "x"}, TypeError, "reasons must be a dictionary"),
        (GRID, [[1.0] * 6], {"numbers": [1, 2]}, ValueError, "numbers must be one for each of 1"),
        (GRID, [[1.0] * 6], {"maximize": 1}, TypeError, "maximize must be True or False"),
    ],
)
def test_what_is_no_search_is_refused(settings, values, options, error, match) -> None:
    with pytest.raises(error, match=match):
        parameter_heat_map(settings, values, **options)


# ------------------------------------------------------------------------ training and test
def test_points_are_settings_in_windows_and_what_was_chosen_stands_out() -> None:
    train = [[1.0, 2.0], [3.0, NAN]]
    test = [[0.5, -1.0], [NAN, 2.0]]
    figure = train_against_test(train, test, settings=[{"a": 1}, {"a": 2}], chosen=[1, 0])
    points = named(figure, "a setting in a window")
    assert (list(points.x), list(points.y)) == ([1.0], [0.5])
    chosen = named(figure, "what the window chose")
    assert (list(chosen.x), list(chosen.y), list(chosen.text)) == ([2.0], [-1.0], ["0"])
    assert chosen.customdata[0] == "<b>Window 0</b>: a=2<br>training 2.000, test −1.000"
    # Two of the four lack a number on one side.
    assert figure.layout.title.subtitle.text.startswith(
        "2 points: 2 settings in 2 windows, 2 left out without a number in training or test"
    )
    diagonal = named(figure, "as in training")
    assert list(diagonal.x) == list(diagonal.y) == [1.0, 2.0]  # as far as training goes


def test_the_regression_is_the_one_that_is_given() -> None:
    figure = train_against_test(
        [[1.0, 3.0]], [[0.0, 1.0]], settings=[{"a": 1}, {"a": 2}], fit=(0.5, -0.25, 0.8)
    )
    line = named(figure, "regression")
    # 0.5 · 1 − 0.25 and 0.5 · 3 − 0.25
    assert (list(line.x), list(line.y)) == ([1.0, 3.0], [0.25, 1.25])
    said = figure.layout.title.subtitle.text
    assert "test = 0.5 × training − 0.25, R² 0.8" in said


def test_many_points_are_counted_in_cells_with_what_was_chosen_above() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(2, 200, 2_000))
    figure = train_against_test(
        train, test, settings=grid(range(50), range(40)), chosen=train.argmax(axis=1)
    )
    (cells,) = [t for t in figure.data if t.type == "heatmap"]
    assert np.nansum(cells.z) == 400_000
    assert len(named(figure, "what the window chose").x) == 200
    assert len(figure.to_json()) < 500_000


def test_nothing_to_compare_is_said() -> None:
    figure = train_against_test([[NAN]], [[1.0]], settings=[{}], fit=(1.0, 0.0, 1.0))
    assert "No setting has both" in titles(figure)[1]


def test_names_from_outside_are_text_beside_points() -> None:
    figure = train_against_test(
        [[1.0]], [[1.0]], settings=[{HOSTILE: HOSTILE}], objective=HOSTILE, title=HOSTILE
    )
    assert not any(bad in text(figure) for bad in ("<script", "$x$", "%{y}'"))


@pytest.mark.parametrize(
    ("test", "options", "error", "match"),
    [
        ([[1.0], [2.0]], {}, ValueError, "train and test must have one shape"),
        ([[1.0]], {"fit": (1.0, 2.0)}, TypeError, r"fit must be \(slope, intercept, r2\)"),
        ([[1.0]], {"fit": (1.0, 2.0, NAN)}, ValueError, "fit must be a finite number"),
    ],
    ids=["shape", "short", "nan"],
)
def test_what_cannot_be_compared_is_refused(test, options, error, match) -> None:
    with pytest.raises(error, match=match):
        train_against_test([[1.0]], test, settings=[{}], **options)


# ------------------------------------------------------------------------ trials
def test_trials_are_counted_marked_and_held_against_chance() -> None:
    values = [0.0, 1.0, 1.1, 2.0, NAN]
    figure = trials(values, settings=[{"k": k} for k in range(5)], threshold=2.5, deflated=0.31)
    bars = named(figure, "trials")
    # Five bars of 0.4 from 0 to 2: one in the first, two in the third, one in the last.
    assert list(bars.y) == [1, 0, 2, 0, 1]
    strokes, best = figure.data[1:]
    assert sorted(strokes.x) == [0.0, 1.0, 1.1, 2.0]
    assert strokes.customdata[0] == "k=0<br>Sharpe 0.000"
    assert (list(best.x), best.customdata[0]) == ([2.0], "k=3<br>Sharpe 2.000")
    lines = {s.x0: s.line.dash for s in figure.layout.shapes}
    assert lines == {2.0: "solid", 2.5: "dash"}
    assert {"best 2.000", "luck on average 2.500"} <= set(titles(figure))
    assert figure.layout.xaxis.range[1] > 2.5
    assert figure.layout.title.subtitle.text.replace("<br>", " ") == (
        "5 trials, 1 left out without a number The best is not above what the best of 4 without "
        "an edge reaches on average, deflated Sharpe ratio 31.0 %"
    )


def test_a_best_above_chance_is_said_to_be_above() -> None:
    said = trials([0.0, 3.0], threshold=1.0).layout.title.subtitle.text
    assert "The best is above what the best of 2" in said


@pytest.mark.parametrize(("needed", "side"), [(2.0, "above"), (4.0, "not above")])
def test_what_is_needed_decides_where_it_is_known(needed, side) -> None:
    # Half of all searches without an edge are above luck's average.
    figure = trials([0.0, 3.0], threshold=1.0, needed=needed)
    said = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert f"The best is {side} what is needed to be more than luck" in said
    assert {f"needed {needed:.3f}", "luck on average 1.000"} <= set(titles(figure))


def test_the_trial_to_mark_can_be_named() -> None:
    figure = trials([0.5, 3.0], chosen=0)
    assert list(figure.data[2].x) == [0.5]
    assert figure.data[2].customdata[0] == "Setting 0<br>Sharpe 0.500"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.8], "The only trial has 0.800."),
        ([0.8, 0.8, 0.8], "All 3 trials have 0.800."),
        ([0.8, np.nextafter(0.8, 1.0), 0.8], "All 3 trials have 0.800."),
        ([NAN], "No trial has a number."),
        ([], "No trial has a number."),
    ],
    ids=["one", "alike", "to rounding", "nan", "none"],
)
def test_what_has_no_distribution_says_so(values, said) -> None:
    assert said in titles(trials(values, threshold=0.0))


def test_more_than_two_thousand_trials_keep_the_highest_marks() -> None:
    values = np.linspace(-1.0, 1.0, 5_000)
    figure = trials(values)
    assert sum(named(figure, "trials").y) == 5_000
    assert len(figure.data[1].x) == 2_000
    assert max(figure.data[1].x) == 1.0
    assert "Drawn below: the highest 2,000 of 5,000 trials" in figure.layout.title.subtitle.text


def test_names_from_outside_are_text_among_trials() -> None:
    figure = trials([1.0], settings=[{HOSTILE: HOSTILE}], objective=HOSTILE, title=HOSTILE)
    assert not any(bad in text(figure) for bad in ("<script", "$x$", "%{y}'"))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"settings": [{}]}, ValueError, "settings must be one for each of 2 values, had 1"),
        ({"deflated": 1.5}, ValueError, "deflated must be a probability"),
        ({"threshold": NAN}, ValueError, "threshold must be a finite number"),
        ({"chosen": 2}, ValueError, "indices of 2 settings, had 2"),
    ],
    ids=["settings", "deflated", "threshold", "chosen"],
)
def test_what_are_no_trials_is_refused(options, error, match) -> None:
    with pytest.raises(error, match=match):
        trials([1.0, 2.0], **options)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_have_their_own_paper(theme) -> None:
    for figure in (
        parameter_heat_map(GRID, [[1.0] * 6], theme=theme),
        train_against_test([[1.0]], [[1.0]], settings=[{}], theme=theme),
        trials([1.0, 2.0], theme=theme),
    ):
        assert figure.layout.template.layout.paper_bgcolor == THEMES[theme].paper
