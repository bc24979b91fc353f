"""Several equity curves on one footing."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from horizon import figures
from horizon.analytics.tearsheet import generate_tearsheet
from horizon.figures.series import MOST_POINTS

DAY = 86_400
T0 = 1_325_376_000  # 1 January 2012


def curve(*equity: float, start: int = 0) -> list[tuple[float, float]]:
    return [(T0 + DAY * (start + i), value) for i, value in enumerate(equity)]


def shown(figure, name, axis=None):
    found = [t for t in figure.data if t.name == name and t.yaxis == axis]
    assert len(found) == 1
    return found[0]


def test_curves_begin_at_100_where_they_first_have_a_time_in_common() -> None:
    figure = figures.equity_curves(
        {"old": curve(50.0, 40.0, 60.0), "new": curve(10.0, 5.0, start=1)}
    )
    # From 2 January: 40 to 60 is half as much again, 10 to 5 half.
    old, new = shown(figure, "old"), shown(figure, "new")
    assert list(old.y) == [100.0, 150.0]
    assert list(new.y) == [100.0, 50.0]
    assert str(old.x[0]).startswith("2012-01-02")
    assert figure.layout.yaxis.title.text == "100 = 2012-01-02"
    assert list(shown(figure, "new", "y2").y) == [0.0, -0.5]
    # The fall of the first day came before.
    assert list(shown(figure, "old", "y2").y) == [0.0, 0.0]


def test_without_rebasing_curves_are_as_they_are() -> None:
    figure = figures.equity_curves(
        {"old": curve(50.0, 40.0), "new": curve(-1.0, 5.0, start=9)}, rebase=False, currency="EUR"
    )
    assert list(shown(figure, "old").y) == [50.0, 40.0]
    assert list(shown(figure, "new").y) == [-1.0, 5.0]
    assert figure.layout.yaxis.title.text == "EUR"
    assert list(shown(figure, "old", "y2").y) == pytest.approx([0.0, -0.2])


def test_tearsheets_go_by_their_titles() -> None:
    sheets = [generate_tearsheet(curve(1.0, 2.0), title="same") for _ in range(2)]
    figure = figures.equity_curves(sheets)
    assert [t.name for t in figure.data if t.showlegend is not False] == ["same", "same (2)"]
    alone = figures.equity_curves(sheets[0])
    assert list(shown(alone, "same").y) == [100.0, 200.0]
    named = figures.equity_curves({"mine": sheets[0], "series": pd.Series([1.0, 3.0], _days(2))})
    assert list(shown(named, "series").y) == [100.0, 300.0]


def _days(n: int) -> pd.DatetimeIndex:
    return pd.date_range("2012-01-01", periods=n, tz="UTC")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_curve_has_a_look_of_its_own(theme) -> None:
    figure = figures.equity_curves({f"c{i}": curve(1.0, 2.0) for i in range(14)}, theme=theme)
    looks = [(t.line.color, t.line.dash) for t in figure.data if t.yaxis is None]
    assert len(set(looks)) == 14
    # Those that share a colour differ in their dash, and so do those beside each other.
    for (_, one), (_, other) in itertools.pairwise(looks):
        assert one != other


def test_logarithmic_axis_is_said_and_refuses_what_it_cannot_show() -> None:
    figure = figures.equity_curves({"a": curve(1.0, 10.0)}, log=True)
    assert figure.layout.yaxis.type == "log"
    assert "logarithmic" in figure.layout.yaxis.title.text
    with pytest.raises(ValueError, match=r"'b' falls to 0; draw them with log=False"):
        figures.equity_curves({"a": curve(1.0, 1.0), "b": curve(1.0, 0.0)}, log=True)


def test_hover_tells_the_drawdown_beside_the_value() -> None:
    line = shown(figures.equity_curves({"a": curve(10.0, 8.0)}), "a")
    assert list(line.customdata) == pytest.approx([0.0, -0.2])
    assert "%{customdata:.2%} from its peak" in line.hovertemplate


def test_legend_has_room_for_its_rows() -> None:
    few = figures.equity_curves({"a": curve(1.0, 2.0)})
    many = figures.equity_curves({f"a rather long name {i}": curve(1.0, 2.0) for i in range(9)})
    # Nine names of 20 letters, 205 pixels each, stand two in a row of 540: five rows.
    assert many.layout.height - few.layout.height == 4 * 20


def test_long_curves_are_thinned_and_say_so() -> None:
    equity = np.full(10_000, 10.0)
    equity[5_000] = 99.0
    frame = pd.DataFrame({"time": T0 + 60.0 * np.arange(10_000), "equity": equity})
    figure = figures.equity_curves({"long": frame})
    assert len(shown(figure, "long").y) <= MOST_POINTS
    assert max(shown(figure, "long").y) == pytest.approx(990.0)
    assert figure.notes[0] in figure.layout.title.subtitle.text


def test_names_from_outside_are_text() -> None:
    figure = figures.equity_curves({"<b>$x%{y}": curve(1.0, 2.0)}, title="<i>", currency="<u>")
    text = json.dumps(figure.to_plotly_json(), default=str)
    assert not any(tag in text for tag in ("<b>$", "<i>", "<u>", "%{y}'"))


@pytest.mark.parametrize(
    ("curves", "error", "match"),
    [
        ({}, ValueError, "one or more"),
        ({"a": []}, ValueError, "'a' has none"),
        ({"a": curve(1.0, 2.0), "b": curve(1.0, start=9)}, ValueError, "time in common"),
        ({"a": curve(0.0, 2.0)}, ValueError, "'a' does not; draw them with rebase=False"),
        ([curve(1.0)], TypeError, "by name, or results or Tearsheets"),
        ({"a": [(1, "x")]}, ValueError, "curve 'a'"),
        ({1: curve(1.0)}, TypeError, "name of a curve"),
    ],
    ids=["none", "empty", "apart", "zero", "unnamed", "text", "number"],
)
def test_what_cannot_be_compared_is_refused(curves, error, match) -> None:
    with pytest.raises(error, match=match):
        figures.equity_curves(curves)


def test_one_point_is_a_mark() -> None:
    figure = figures.equity_curves({"a": curve(5.0)})
    assert shown(figure, "a").mode == "markers"


def test_what_is_no_curve_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="curves must be a dictionary of curves by name, or"):
        figures.equity_curves(5)
