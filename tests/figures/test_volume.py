"""Expected and filled shares of a day's volume, side by side."""

import json

import pandas as pd
import pytest

from horizon import figures

WEIGHTS = pd.Series([0.5, 0.3, 0.2], index=["09:30", "10:00", "10:30"])
#: 2 July 2012, 13:30 UTC: half past nine in New York.
OPEN = 1_341_235_800.0


def fills(*rows: tuple[float, float]) -> pd.DataFrame:
    """Rows of (minutes since the open, quantity)."""
    return pd.DataFrame(
        {
            "timestamp": [OPEN + 60.0 * minutes for minutes, _ in rows],
            "quantity": [quantity for _, quantity in rows],
            "price": 1.0,
            "side": "buy",
            "order_id": "1",
        }
    )


def trace(figure, name, kind):
    found = [t for t in figure.data if t.name == name and t.type == kind]
    assert len(found) == 1
    return found[0]


def test_shares_are_those_of_the_weights_and_the_fills() -> None:
    figure = figures.volume_profile(
        WEIGHTS, fills=fills((0, 30.0), (40, 10.0)), timezone="America/New_York"
    )
    expected, filled = (trace(figure, name, "bar") for name in ("expected", "filled"))
    assert list(expected.x) == list(filled.x) == ["09:30", "10:00", "10:30"]
    assert list(expected.y) == pytest.approx([0.5, 0.3, 0.2])
    # 30 and 10 of 40.
    assert list(filled.y) == [0.75, 0.25, 0.0]
    assert list(trace(figure, "expected", "scatter").y) == pytest.approx([0.5, 0.8, 1.0])
    assert list(trace(figure, "filled", "scatter").y) == [0.75, 1.0, 1.0]
    assert list(filled.customdata[0]) == ["09:30 to 10:00", 30.0]
    assert figure.layout.barmode == "group"


def test_without_fills_it_shows_the_expected_alone() -> None:
    figure = figures.volume_profile(WEIGHTS)
    assert {t.name for t in figure.data} == {"expected"}
    assert figure.layout.title.subtitle.text == "3 buckets from 09:30 to 11:00"


def test_fills_at_other_hours_are_said() -> None:
    told = figures.volume_profile(
        WEIGHTS, fills=fills((0, 30.0), (300, 12.5)), timezone="America/New_York"
    ).layout.title.subtitle.text
    assert told == (
        "3 buckets from 09:30 to 11:00, 30 units filled<br>"
        "Left out: 1 fill of 12.5 units at other hours"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_expected_and_filled_differ_by_more_than_colour(theme) -> None:
    figure = figures.volume_profile(WEIGHTS, fills=fills((0, 1.0)), theme=theme)
    assert trace(figure, "expected", "bar").marker.pattern.shape == "/"
    assert trace(figure, "filled", "bar").marker.pattern.shape is None
    assert trace(figure, "expected", "scatter").line.dash == "dash"
    assert trace(figure, "filled", "scatter").line.dash == "solid"


def test_axes_say_what_they_count() -> None:
    layout = figures.volume_profile(WEIGHTS, timezone="America/New_York").layout
    assert layout.xaxis.title.text == "Bucket begins at, America/New_York"
    assert layout.yaxis.title.text == "Share"
    assert layout.yaxis.tickformat.endswith("%")


def test_many_buckets_are_drawn_plain() -> None:
    minutes = {f"{i // 60:02d}:{i % 60:02d}": 1.0 for i in range(1440)}
    figure = figures.volume_profile(minutes)
    assert trace(figure, "expected", "bar").marker.pattern.shape is None
    assert trace(figure, "expected", "scatter").mode == "lines"


def test_no_fill_yet_draws_nothing_filled() -> None:
    figure = figures.volume_profile(WEIGHTS, fills=fills())
    assert list(trace(figure, "filled", "bar").y) == [0.0, 0.0, 0.0]


def test_names_from_outside_are_text() -> None:
    text = json.dumps(figures.volume_profile(WEIGHTS, title="<b>$x%{y}").to_plotly_json())
    assert "<b>$" not in text.replace("<b>Share", "")
    with pytest.raises(ValueError, match="timezone"):
        figures.volume_profile(WEIGHTS, timezone="<b>")


def test_arguments_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="title must be text, was 5"):
        figures.volume_profile(WEIGHTS, title=5)
    with pytest.raises(TypeError, match="fills must be a list of VenueFill or Fill"):
        figures.volume_profile(WEIGHTS, fills=5)
