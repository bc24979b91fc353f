"""The tearsheet's figure: the sheet's own numbers, panels that say what is missing, any width."""

import json
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest

from horizon import figures
from horizon.analytics.tearsheet import Tearsheet, generate_tearsheet
from horizon.figures.series import MOST_POINTS

HOSTILE = "<script>alert(1)</script>$x$%{y}"
DAY = 86_400
T0 = 1_325_376_000  # 1 January 2012, a Sunday


def curve(*equity: float, step: int = DAY) -> list[tuple[float, float]]:
    return [(T0 + step * i, value) for i, value in enumerate(equity)]


def walk(n: int, step: int = DAY, seed: int = 0) -> list[tuple[float, float]]:
    moves = np.random.default_rng(seed).normal(0.0003, 0.01, n - 1)
    return curve(1000.0, *(1000.0 * np.cumprod(1.0 + moves)).tolist(), step=step)


def fills(*rows: tuple[int, str, float, float], market: str = "ACME") -> pd.DataFrame:
    """Rows of (day, side, quantity, price)."""
    return pd.DataFrame(
        {
            "timestamp": [float(T0 + DAY * day) for day, *_ in rows],
            "market_id": market,
            "side": [side for _, side, *_ in rows],
            "quantity": [quantity for *_, quantity, _ in rows],
            "price": [price for *_, price in rows],
        }
    )


def trace(figure, name):
    """The trace of that name that has points; one without is for the legend."""
    found = [t for t in figure.data if t.name == name and t.hoverinfo != "skip"]
    assert len(found) == 1, [t.name for t in figure.data]
    return found[0]


def seconds(values) -> list[int]:
    return np.asarray(values, dtype="datetime64[s]").astype(int).tolist()


def says(figure) -> str:
    return " | ".join(a.text for a in figure.layout.annotations)


@pytest.fixture(scope="module")
def small() -> Tearsheet:
    """Sixty days up and down, bought on the second day and sold on the fourth."""
    return generate_tearsheet(
        walk(60),
        fills((1, "buy", 10.0, 5.0), (3, "sell", 10.0, 6.0)),
        benchmark=[(t, 2.0 * e) for t, e in walk(60, seed=1)],
        benchmark_name="Index",
        title="Sixty days",
        currency="EUR",
    )


# ------------------------------------------------------------------------ numbers
def test_lines_are_the_sheets_own(small) -> None:
    figure = figures.tearsheet(small)
    equity, drawdown = trace(figure, "equity"), trace(figure, "drawdown")
    assert seconds(equity.x) == [T0 + DAY * i for i in range(60)]
    assert list(equity.y) == small.equity.tolist()
    assert list(drawdown.y) == small.underwater.tolist()
    rolled = trace(figure, "Sharpe ratio")
    assert list(zip(seconds(rolled.x), rolled.y, strict=True)) == small.rolling_sharpe
    assert list(trace(figure, "Index").y) == small.benchmark_equity.tolist()


def test_fills_stand_on_the_equity_of_their_moment(small) -> None:
    figure = figures.tearsheet(small)
    bought, sold = trace(figure, "bought"), trace(figure, "sold")
    assert (seconds(bought.x), seconds(sold.x)) == ([T0 + DAY], [T0 + 3 * DAY])
    assert (list(bought.y), list(sold.y)) == ([small.equity[1]], [small.equity[3]])
    assert [tuple(row) for row in bought.customdata] == [(10.0, 5.0, "ACME")]
    # They point up and down, besides their colours.
    assert (bought.marker.angle, abs(sold.marker.angle)) == (0, 180)


def test_a_fill_between_two_points_stands_on_the_earlier() -> None:
    sheet = generate_tearsheet(
        curve(100.0, 110.0, 120.0),
        pd.DataFrame(
            {
                "timestamp": [T0 + 1.5 * DAY],
                "market_id": "A",
                "side": "buy",
                "quantity": 1.0,
                "price": 1.0,
            }
        ),
    )
    assert list(trace(figures.tearsheet(sheet), "bought").y) == [110.0]


def test_legend_has_an_entry_for_each_side_that_hides_its_marks(small) -> None:
    figure = figures.tearsheet(small)
    for word in ("bought", "sold"):
        both = [t for t in figure.data if t.name == word]
        assert [t.showlegend for t in both].count(False) == 1
        assert {t.legendgroup for t in both} == {word}


def test_settlements_are_not_drawn_as_fills() -> None:
    settled = pd.DataFrame(
        {
            "timestamp": [float(T0 + 2 * DAY)],
            "market_id": "A",
            "side": "buy",
            "quantity": 1.0,
            "price": 1.0,
        }
    )
    sheet = generate_tearsheet(
        curve(100.0, 100.0, 100.5),
        fills((1, "buy", 1.0, 0.5), market="A"),
        settlements=settled,
    )
    figure = figures.tearsheet(sheet)
    assert len(trace(figure, "bought").x) == 1
    assert not [t for t in figure.data if t.name == "sold"]


def test_largest_drawdowns_are_marked_and_told() -> None:
    # 100 to 80 is a fall of 20 %, made good on the third day; 110 to 99 one of 10 %, not yet.
    sheet = generate_tearsheet(curve(100.0, 80.0, 100.0, 110.0, 99.0))
    marks = trace(figures.tearsheet(sheet), "largest drawdowns")
    assert list(marks.y) == pytest.approx([-0.2, -0.1])
    assert seconds(marks.x) == [T0 + DAY, T0 + 4 * DAY]
    assert marks.customdata[0] == (
        "Drawdown 1: −20.00% from 2012-01-01 to 2012-01-02, recovered 2012-01-03; 2 d in all"
    )
    assert "not recovered yet" in marks.customdata[1]
    assert marks.text == ("1", "2")


def test_months_and_years_stand_in_the_cells() -> None:
    # January 2012 ends at 110, February at 99: +10 % and −10 %; the year so far −1 %.
    sheet = generate_tearsheet([(T0, 100.0), (T0 + 30 * DAY, 110.0), (T0 + 40 * DAY, 99.0)])
    figure = figures.tearsheet(sheet)
    months, year = trace(figure, "by month"), trace(figure, "by year")
    np.testing.assert_array_equal(months.z, sheet.monthly_table.to_numpy()[:, :12])
    np.testing.assert_array_equal(year.z, sheet.monthly_table.to_numpy()[:, 12:])
    assert list(months.text[0][:3]) == ["10.0", "−10.0", ""]
    assert list(year.text[0]) == ["−1.0"]
    for cells in (months, year):
        assert cells.zmin == -cells.zmax  # 0 is in the neutral middle
        assert len(cells.x) == cells.z.shape[1] + 1  # edges
    assert months.zmax == pytest.approx(0.1)
    assert list(months.customdata[0][:2]) == ["Jan 2012", "Feb 2012"]
    assert list(figure.layout.yaxis4.ticktext) == ["2012"]


def test_histogram_is_the_sheets_own(small) -> None:
    figure = figures.tearsheet(small)
    bars = trace(figure, "returns")
    edges, counts = small.histogram
    assert list(bars.y) == counts.tolist()
    assert list(bars.customdata[:, 0]) == edges[:-1].tolist()
    assert list(bars.customdata[:, 1]) == edges[1:].tolist()
    at_risk = [s for s in figure.layout.shapes if s.xref == "x5" and s.x0 != 0.0]
    assert [s.x0 for s in at_risk] == [small.metrics.value_at_risk_95]


def test_means_are_by_weekday_where_there_is_one_return_a_day(small) -> None:
    figure = figures.tearsheet(small)
    bars = trace(figure, "mean return")
    assert dict(zip(range(7), bars.y, strict=True)) == small.by_weekday
    assert bars.x[0] == "Mon"
    assert figure.layout.xaxis6.title.text == "Weekday, UTC"
    assert "Mean return by weekday" in says(figure)


def test_means_are_by_hour_within_days() -> None:
    sheet = generate_tearsheet(walk(300, step=900))
    figure = figures.tearsheet(sheet)
    bars = trace(figure, "mean return")
    assert dict(zip(bars.x, bars.y, strict=True)) == sheet.time_of_day
    assert figure.layout.xaxis6.title.text == "Hour of day, UTC"
    assert bars.customdata[0] == "00:00 to 01:00"


def test_daily_closes_of_a_zone_with_summer_time_are_by_weekday() -> None:
    # Four in the afternoon in New York is 20:00 or 21:00 UTC, which makes no hours of days.
    closes = pd.date_range("2012-01-02 16:00", periods=300, freq="B", tz="America/New_York")
    sheet = generate_tearsheet(pd.Series([e for _, e in walk(300)], index=closes))
    assert len(sheet.time_of_day) == 2
    figure = figures.tearsheet(sheet)
    assert "Mean return by weekday" in says(figure)
    assert list(trace(figure, "mean return").x) == ["Mon", "Tue", "Wed", "Thu", "Fri"]


@pytest.mark.parametrize(
    ("freq", "each", "unit"),
    [("ME", "monthly", "months"), ("W", "weekly", "weeks")],
    ids=["monthly", "weekly"],
)
def test_returns_of_months_and_weeks_are_called_so(freq, each, unit) -> None:
    ends = pd.date_range("2010-01-31", periods=100, freq=freq)
    sheet = generate_tearsheet(pd.Series([e for _, e in walk(100)], index=ends))
    figure = figures.tearsheet(sheet)
    said = says(figure)
    assert f"Distribution of {each} returns" in said
    assert f"5 % of {unit}<br>below" in said
    assert f"Rolling Sharpe ratio over {sheet.rolling_window} {unit}" in said
    assert figure.layout.yaxis5.title.text == unit.capitalize()
    assert f"99 {each} returns" in figure.layout.title.subtitle.text
    assert "day" not in said.lower().replace("weekday", "")
    # Neither hours nor weekdays say anything: the months of the year, Jan to Dec.
    assert "Mean return by month of the year" in said
    bars = trace(figure, "mean return")
    assert dict(zip(bars.x, bars.y, strict=True)) == sheet.by_month
    assert bars.customdata[0] == "Jan"
    assert list(figure.layout.xaxis6.ticktext) == list("JFMAMJJASOND")
    assert figure.layout.xaxis6.title.text == "Month of the year, UTC"


def test_what_people_look_for_first_is_written_large(small) -> None:
    text = says(figures.tearsheet(small))
    shown = {row.name: row.shown for row in small.rows()}
    for name in ("total_return_pct", "cagr", "sharpe_ratio", "sortino_ratio", "max_drawdown_pct"):
        assert f"<b>{shown[name]}</b>" in text


def test_subtitle_has_the_period_and_the_fills(small) -> None:
    subtitle = figures.tearsheet(small).layout.title.subtitle.text
    first, *cautions = subtitle.split("<br>")
    assert first == "2012-01-01 to 2012-02-29, 59 daily returns, 2 fills"
    # Two months say little of a year.
    assert " ".join(cautions) == " ".join(small.cautions) != ""


# ------------------------------------------------------------------------ layout
def test_units_and_windows_are_said(small) -> None:
    layout = figures.tearsheet(small).layout
    assert layout.yaxis.title.text == "EUR"
    assert figures.tearsheet(small, currency="USD").layout.yaxis.title.text == "USD"
    assert layout.xaxis.title.text == "Time, UTC"
    for axis in (layout.yaxis2, layout.xaxis5, layout.yaxis6):
        assert axis.tickformat.endswith("%")
    # A quarter of the 59 returns, as there are fewer than a year has.
    assert "Rolling Sharpe ratio over 14 days, annualised" in says(figures.tearsheet(small))


def test_series_through_time_share_one_axis(small) -> None:
    figure = figures.tearsheet(small)
    for name, axis in (("equity", None), ("drawdown", "y2"), ("Sharpe ratio", "y3")):
        drawn = trace(figure, name)
        assert (drawn.xaxis or "x", drawn.yaxis) == ("x", axis)
    assert figure.layout.hoversubplots == "axis"


def test_panels_keep_their_distance_in_pixels(small) -> None:
    layout = figures.tearsheet(small).layout
    inner = layout.height - layout.margin.t - layout.margin.b
    names = ("yaxis", "yaxis2", "yaxis3", "yaxis4", "yaxis5")
    domains = [tuple(inner * d for d in layout[name].domain) for name in names]
    for (low, _), (_, high) in pairwise(domains):
        assert low - high >= 29.0  # a heading of 13 pixels stands between
    left, right = layout.xaxis5.domain, layout.xaxis6.domain
    assert layout.yaxis5.domain == layout.yaxis6.domain
    # At 700 pixels the inner width is 604: labels of the right panel's axis take up to 90.
    assert 604 * (right[0] - left[1]) > 90


def test_lines_of_reference_do_not_cover_what_lies_on_them(small) -> None:
    layout = figures.tearsheet(small).layout
    (capital,) = (s for s in layout.shapes if s.y0 == s.y1)
    assert (capital.y0, capital.layer) == (1000.0, "below")
    muted = figures.THEMES["light"].muted
    assert [a.zerolinecolor for a in (layout.yaxis3, layout.yaxis6)] == [muted, muted]


def test_themes_differ_in_every_colour_that_carries_something(small) -> None:
    light, dark = (figures.tearsheet(small, theme=name) for name in ("light", "dark"))
    assert light.layout.template.layout.paper_bgcolor == "#ffffff"
    assert dark.layout.template.layout.paper_bgcolor == "#1c1c1c"
    assert trace(light, "equity").line.color != trace(dark, "equity").line.color
    assert trace(light, "by month").textfont.color != trace(dark, "by month").textfont.color
    with pytest.raises(ValueError, match="theme"):
        figures.tearsheet(small, theme="sepia")


# ------------------------------------------------------------------------ long, hostile
def test_long_curves_are_thinned_with_extremes_and_say_so() -> None:
    n = 20_000
    equity = np.full(n, 1000.0)
    equity[7_777], equity[12_345] = 1500.0, 400.0
    times = (T0 + 60 * np.arange(n)).tolist()
    figure = figures.tearsheet(generate_tearsheet(list(zip(times, equity.tolist(), strict=True))))
    for name in ("equity", "drawdown", "Sharpe ratio"):
        assert len(trace(figure, name).x) <= MOST_POINTS
    assert {1500.0, 400.0} <= set(trace(figure, "equity").y)
    assert min(trace(figure, "drawdown").y) == pytest.approx(400.0 / 1500.0 - 1.0)
    assert figure.notes
    lines = figure.layout.title.subtitle.text.split("<br>")
    assert figure.notes[0] in " ".join(lines)
    assert "of 20,000 points" in figure.notes[0]
    # What a figure of 700 pixels has room for.
    assert max(len(line) for line in lines) <= 92
    # A window has more of them.
    inside = figure.between(times[7_700], times[7_900])
    assert 1500.0 in next(iter(inside.values()))["y"]


def test_many_fills_are_thinned_and_small() -> None:
    days = range(1, 5_001)
    many = fills(*((day, "buy", 1.0, 1.0 + day % 7) for day in days))
    figure = figures.tearsheet(generate_tearsheet(walk(5_002), many))
    bought = trace(figure, "bought")
    assert len(bought.x) <= MOST_POINTS
    assert bought.marker.size == 5
    assert "of 5,000 fills" in figure.layout.title.subtitle.text.replace("<br>", " ")
    assert "5,000 fills" in figure.layout.title.subtitle.text.partition("<br>")[0]


def test_ten_years_of_days_are_small_in_bytes() -> None:
    sheet = generate_tearsheet(walk(2_520), benchmark=walk(2_520, seed=2))
    assert len(figures.tearsheet(sheet).to_json()) < 500_000


def test_names_from_outside_are_text() -> None:
    sheet = generate_tearsheet(
        walk(60),
        fills((1, "buy", 1.0, 5.0), market=HOSTILE),
        benchmark=walk(60, seed=1),
        benchmark_name=HOSTILE,
        title=HOSTILE,
        currency="<i>$%{x}",
    )
    text = json.dumps(figures.tearsheet(sheet).to_plotly_json(), default=str)
    assert "<script" not in text
    assert "<i>" not in text
    assert "$x$" not in text
    assert "%{y}'" not in text
    assert "&#60;script&#62;" in text


# ------------------------------------------------------------------------ degenerate
@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (generate_tearsheet([]), ["No equity was given.", "No return yet.", "No month"]),
        (
            generate_tearsheet(curve(100.0)),
            ["One point only", "Never below", "there are 0.", "No return yet."],
        ),
        (generate_tearsheet(curve(100.0, 101.0)), ["there is 1.", "The only return is 1.0 %."]),
        (generate_tearsheet(curve(100.0, 101.0, 99.0)), ["Rolling Sharpe ratio over 2 returns"]),
        (
            generate_tearsheet(curve(*[100.0] * 100)),
            ["Never below", "All 99 returns are 0.0 %.", "All means are 0 %."],
        ),
        (generate_tearsheet(curve(100.0, 50.0, -20.0, -60.0, 30.0)), ["Below the highest"]),
        (generate_tearsheet(curve(100.0, 0.0, 0.0)), ["Below the highest"]),
        (generate_tearsheet(curve(100.0, 101.0, 102.0, step=0)), ["Equity"]),
        (generate_tearsheet([(-4.5e9, 1.0), (4.5e9, 2.0)]), ["Equity"]),
    ],
    ids=["empty", "one", "two", "three", "flat", "negative", "ruin", "one-moment", "centuries"],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_degenerate_sheets_say_what_is_missing(sheet, words, theme) -> None:
    figure = figures.tearsheet(sheet, theme=theme)
    for word in words:
        assert word in says(figure)
    json.loads(figure.to_json())
    # A panel without a trace is not drawn at all, and its words would have no place.
    assert {t.yaxis or "y" for t in figure.data} == {"y", "y2", "y3", "y4", "y5", "y6"}


def test_drawdowns_close_to_each_other_share_no_place_for_their_numbers() -> None:
    # Falls of 30 % on day 2 and of 20 % on day 4, of 100 days; one of 10 % on day 80.
    equity = [100.0] * 100
    equity[2], equity[4], equity[80] = 70.0, 80.0, 90.0
    marks = trace(figures.tearsheet(generate_tearsheet(curve(*equity))), "largest drawdowns")
    assert marks.text == ("1", "", "3")
    labelled = [x for x, text in zip(seconds(marks.x), marks.text, strict=True) if text]
    assert all(abs(a - b) > 3 * DAY for a, b in combinations(labelled, 2))


# ------------------------------------------------------------------------ refused
def test_arguments_are_refused_by_name(small) -> None:
    with pytest.raises(TypeError, match=r"sheet must be a Tearsheet, .* was 5"):
        figures.tearsheet(5)
    with pytest.raises(TypeError, match="currency must be text, was 5"):
        figures.tearsheet(small, currency=5)
