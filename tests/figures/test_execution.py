"""Figures of orders at work: exactly the numbers given, in words, in two themes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import horizon as hz
from horizon import figures
from horizon.figures.series import MOST_POINTS

HOSTILE = "<script>alert(1)</script>$x$%{y}"
T0 = 1_330_000_000.0  # any time: 23 February 2012


@pytest.fixture
def worked():
    """Four slices of 25 a minute; three fill a minute after they were sent, one never."""
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.twap("ACME", 100, duration_secs=240, num_slices=4)
    # Slice at 10, filled at 10; at 9, filled at 9; at 8, filled at 8; at 7, never reached.
    for minute, price in enumerate((10.0, 9.0, 8.0, 7.0, 11.0)):
        if minute == 2:
            ex.buy("OTHER", 5, limit=3.0)
            ex.tick("OTHER", 3.0, T0 + 120)
        ex.tick("ACME", price, T0 + 60 * minute)
    return ex, algo


def trace(figure, name):
    found = [t for t in figure.data if t.name.startswith(name)]
    assert len(found) == 1, [t.name for t in figure.data]
    return found[0]


def words(figure):
    return json.dumps(figure.to_plotly_json(), default=str)


def test_planned_and_filled_are_the_numbers_given(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame(), elapsed=True)
    planned, filled = figure.data[:2]
    assert (planned.name, filled.name) == ("planned", "filled")
    # Due at 0, 60, 120, 180 seconds; the last point draws the plan to its end at 240.
    assert list(planned.x) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert list(planned.y) == [25.0, 50.0, 75.0, 100.0, 100.0]
    assert planned.line.shape == filled.line.shape == "hv"
    assert list(filled.x) == [1.0, 2.0, 3.0]
    assert list(filled.y) == [25.0, 50.0, 75.0]
    assert list(trace(figure, "bought").y) == [10.0, 9.0, 8.0]


def test_elapsed_time_has_a_unit_that_reads_well(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame(), elapsed=True)
    assert figure.layout.xaxis2.title.text == "Time since the first tick, minutes"


def test_dates_are_utc(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame())
    assert figure.layout.xaxis2.title.text == "Time, UTC"
    first = np.datetime64(int(T0), "s") + np.timedelta64(60, "s")
    assert np.datetime64(figure.data[1].x[0]) == first


def test_every_axis_names_its_unit(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame(), currency="EUR")
    layout = figure.layout
    assert layout.yaxis.title.text == "Quantity, units"
    assert layout.yaxis2.title.text == "Price, EUR"
    assert layout.yaxis3.title.text == "Slice, units"
    assert layout.xaxis3.title.text


def test_arrival_and_average_are_the_progress_own(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame())
    assert list(trace(figure, "arrival 10.00 USD").y) == [10.0, 10.0]
    # (10 + 9 + 8) / 3 = 9
    assert list(trace(figure, "average 9.00 USD").y) == [9.0, 9.0]


def test_slices_say_what_became_of_them(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame())
    bars = {t.name: t for t in figure.data if t.type == "bar" and t.showlegend}
    assert set(bars) == {"filled", "canceled"}
    assert list(bars["filled"].x) == [1, 2, 3]
    assert list(bars["canceled"].x) == [4]
    assert bars["canceled"].hovertext == ("Slice 4: 25, canceled",)
    assert bars["canceled"].marker.pattern.shape != bars["filled"].marker.pattern.shape


def test_partly_filled_slice_shows_both_sizes(worked) -> None:
    _, algo = worked
    progress = algo.progress
    piece = replace(progress.schedule[3], filled=10.0, status="partial")
    progress = replace(progress, schedule=(*progress.schedule[:3], piece))
    figure = figures.algo_schedule(progress)
    assert list(trace(figure, "partly filled").y) == [25.0]
    assert list(trace(figure, "filled part").y) == [10.0]


def test_title_of_an_algorithm_that_paid_what_it_found() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.tick("ACME", 10.0, 0.0)
    algo = ex.twap("ACME", 4, duration_secs=10.0, num_slices=1)
    ex.tick("ACME", 10.0, 0.0)
    ex.tick("ACME", 10.0, 1.0)
    subtitle = figures.algo_schedule(algo.progress, ex.fills_frame()).layout.title.subtitle.text
    assert subtitle == "Completed: 4 filled (100%) at 10.00 USD on average, at the arrival price"


def test_title_says_how_far_it_has_come(worked) -> None:
    ex, algo = worked
    title = figures.algo_schedule(algo.progress, ex.fills_frame()).layout.title
    assert title.text == "TWAP: buy 100 ACME"
    # 9 against an arrival of 10 is 1,000 bps better.
    assert title.subtitle.text == (
        "Expired: 75 filled (75%) at 9.00 USD on average, 25 missing, 1,000.0 bps better than "
        "arrival"
    )


def test_hover_is_in_words(worked) -> None:
    ex, algo = worked
    figure = figures.algo_schedule(algo.progress, ex.fills_frame(), elapsed=True)
    assert figure.data[1].hovertext[0] == (
        "after 1 minute: bought 25 at 10.00 USD; 25 of 100 by then"
    )
    figure = figures.algo_schedule(algo.progress, ex.fills_frame())
    assert trace(figure, "bought").hovertext[0] == (
        "23 Feb 2012, 12:27:40 UTC: bought 25 at 10.00 USD"
    )


def test_fills_may_be_a_list_and_in_any_order(worked) -> None:
    ex, algo = worked
    as_frame = figures.algo_schedule(algo.progress, ex.fills_frame())
    as_list = figures.algo_schedule(algo.progress, ex.fills()[::-1])
    assert words(as_frame) == words(as_list)


def test_engine_fills_are_taken() -> None:
    engine = hz.Engine(clock=lambda: T0)
    engine.submit_order(hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Sell, 3.0, 10.0))
    engine.tick("ACME", 10.0)
    figure = figures.price_and_fills(([T0], [10.0]), engine.drain_fills())
    assert list(trace(figure, "sold").y) == [10.0]
    assert trace(figure, "sold").marker.symbol == "triangle-down"


def test_prices_may_be_series_frame_or_pair(worked) -> None:
    _, algo = worked
    times = pd.date_range("2012-02-23", periods=3, freq="min", tz="UTC")
    series = pd.Series([1.0, 2.0, 3.0], index=times)
    frame = pd.DataFrame({"timestamp": times, "close": [1.0, 2.0, 3.0]})
    pair = ([stamp.timestamp() for stamp in times], [1.0, 2.0, 3.0])
    pictures = [
        words(figures.algo_schedule(algo.progress, prices=prices))
        for prices in (series, frame, frame.set_index("timestamp"), pair)
    ]
    assert len(set(pictures)) == 1
    assert list(trace(figures.price_and_fills(series), "price").y) == [1.0, 2.0, 3.0]


def test_times_of_another_zone_are_the_same_moments() -> None:
    times = pd.date_range("2012-02-23", periods=2, freq="h", tz="America/New_York")
    drawn = figures.price_and_fills(pd.Series([1.0, 2.0], index=times)).data[0].x
    assert list(drawn) == list(times.tz_convert("UTC").tz_localize(None).to_numpy())


def test_polars_frames_are_taken() -> None:
    times = pd.date_range("2012-02-23", periods=2, freq="h", tz="America/New_York")
    frame = pl.DataFrame({"timestamp": times.as_unit("ns"), "price": [1.0, 2.0]})
    drawn = figures.price_and_fills(frame).data[0]
    assert list(drawn.x) == list(times.tz_convert("UTC").tz_localize(None).to_numpy())
    assert list(drawn.y) == [1.0, 2.0]


def test_themes_differ_and_bring_their_own_paper(worked) -> None:
    ex, algo = worked
    light, dark = (
        figures.algo_schedule(algo.progress, ex.fills_frame(), theme=theme)
        for theme in ("light", "dark")
    )
    for figure in (light, dark):
        look = figure.layout.template.layout
        assert look.paper_bgcolor == look.plot_bgcolor
        assert look.paper_bgcolor.startswith("#")  # opaque: readable whatever page is behind
    assert light.layout.template.layout.font.color != dark.layout.template.layout.font.color
    assert light.data[0].line.color != dark.data[0].line.color
    with pytest.raises(ValueError, match="'light', 'dark'"):
        figures.price_and_fills(([], []), theme="drak")


@pytest.mark.parametrize("theme", figures.THEMES.values(), ids=lambda theme: theme.name)
def test_no_two_meanings_have_one_colour(theme) -> None:
    assert len({theme.plan, theme.done, theme.reference, theme.muted, theme.ink}) == 5
    assert theme.buy != theme.sell


def test_hostile_names_are_drawn_as_they_stand() -> None:
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.twap(HOSTILE, 10, duration_secs=10, num_slices=1)
    ex.tick(HOSTILE, 5.0)
    ex.tick(HOSTILE, 5.0)
    drawn = [
        figures.algo_schedule(algo.progress, ex.fills_frame(), currency="<b>$"),
        figures.price_and_fills(([T0], [5.0]), ex.fills(), market_id=HOSTILE, currency="<b>$"),
    ]
    for figure in drawn:
        shown = words(figure.update_layout(template=None))
        assert not any(mark in shown for mark in ("<script", "<b>", "$", "%{"))
        assert "&#60;script&#62;alert(1)&#60;/script&#62;&#36;x&#36;&#37;&#123;y" in shown


def test_very_long_names_are_cut() -> None:
    figure = figures.price_and_fills(([T0], [5.0]), market_id="A" * 256)
    assert figure.layout.title.text == "A" * 47 + "…"


def test_long_paths_keep_their_extremes_and_say_so() -> None:
    n = 10_000
    prices = np.sin(np.arange(n) / 50.0) + 10.0
    prices[1234], prices[8765] = 99.0, 0.5  # one point each
    figure = figures.price_and_fills((np.arange(n, dtype=float), prices))
    drawn = figure.data[0]
    assert len(drawn.y) <= MOST_POINTS
    assert max(drawn.y) == 99.0
    assert min(drawn.y) == 0.5
    assert (drawn.y[0], drawn.y[-1]) == (prices[0], prices[-1])
    assert f"{len(drawn.y):,} of 10,000 prices" in figure.layout.title.subtitle.text
    assert list(drawn.x) == sorted(drawn.x)


def test_short_paths_are_drawn_whole_and_without_a_note() -> None:
    prices = np.arange(MOST_POINTS, dtype=float)
    figure = figures.price_and_fills((prices, prices + 1.0))
    assert len(figure.data[0].y) == MOST_POINTS
    assert not figure.layout.title.subtitle.text


def test_many_slices_are_thinned_to_the_whole_order() -> None:
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.twap("ACME", 5000, duration_secs=5000, num_slices=5000)
    ex.tick("ACME", 10.0)
    figure = figures.algo_schedule(algo.progress)
    assert figure.data[0].y[-1] == 5000.0
    assert len(figure.data[0].y) <= MOST_POINTS
    # The first slice is at work, the others are to come; the plan has a point at its end, too.
    lines = figure.layout.title.subtitle.text.split("<br>")
    assert max(map(len, lines)) <= 92  # what a figure of 700 pixels has room for
    note = " ".join(lines)
    assert "of 5,001 steps of the plan" in note
    assert "of 4,999 scheduled slices" in note
    # Too thin for an outline: what is to come is grey, what is at work has the plan's colour.
    bars = {t.name: t.marker for t in figure.data if t.type == "bar"}
    assert bars["scheduled"].color == figures.THEMES["light"].grid
    assert bars["working"].color == figures.THEMES["light"].plan


def test_algorithm_that_waits_for_its_first_tick_is_drawn() -> None:
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)
    figure = figures.algo_schedule(algo.progress, ex.fills_frame(), elapsed=True)
    assert "clock starts with the first tick" in words(figure)
    assert list(trace(figure, "scheduled").y) == [5.0, 5.0]


def test_iceberg_has_no_planned_line_but_its_slices() -> None:
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.iceberg("ACME", 10, show_size=5, limit=9.0, side="sell")
    ex.tick("ACME", 9.0)
    ex.tick("ACME", 9.0)
    figure = figures.algo_schedule(algo.progress, ex.fills_frame())
    names = [t.name for t in figure.data]
    assert "planned" not in names
    assert list(trace(figure, "sold").y) == [9.0]
    assert list(trace(figure, "working").x) == [2]


def test_drawing_shows_nothing_and_changes_nothing(worked, monkeypatch) -> None:
    ex, algo = worked
    monkeypatch.setattr("plotly.graph_objects.Figure.show", None)
    before, frame = algo.progress, ex.fills_frame()
    figures.algo_schedule(before, frame)
    assert algo.progress == before
    pd.testing.assert_frame_equal(frame, ex.fills_frame())


def test_missing_columns_are_named() -> None:
    columns = ["timestamp", "quantity", "price", "side"]
    with pytest.raises(ValueError, match=r"missing \['order_id'\]"):
        figures.price_and_fills(([], []), pd.DataFrame(columns=columns))
    with pytest.raises(ValueError, match="column 'price' or 'close'"):
        figures.price_and_fills(pd.DataFrame({"last": [1.0]}))
    with pytest.raises(ValueError, match="one time each, had 1 and 2"):
        figures.price_and_fills(([T0], [1.0, 2.0]))


# ------------------------------------------------------------------------ windows
def many_fills(n: int) -> pd.DataFrame:
    """A fill a second, bought and sold by turns, at 1, 2, 3 ..."""
    return pd.DataFrame(
        {
            "timestamp": T0 + np.arange(n),
            "quantity": 1.0,
            "price": np.arange(1.0, n + 1.0),
            "side": ["buy", "sell"] * (n // 2),
            "order_id": "o1",
        }
    )


def between(figure, start: float, end: float) -> dict:
    """What is drawn anew for a window, by the names of the traces."""
    ns = [round(moment * 1e9) for moment in (start, end)]
    return {figure.data[i].name: made for i, made in figure.between(*ns).items()}


def test_a_window_has_every_price_and_fill_in_it_with_its_words() -> None:
    times = T0 + np.arange(10_000.0)
    figure = figures.price_and_fills((times, np.sin(times)), many_fills(10_000))
    assert figure.layout.title.subtitle.text == figure.notes[0]
    for counted in ("of 10,000 prices", "of 5,000 buys", "of 5,000 sells"):
        assert counted in figure.notes[0]
    drawn = between(figure, T0 + 5_000, T0 + 5_009)
    assert set(drawn) == {"price", "bought", "sold"}
    # Fills of the seconds 5,000, 5,002 ... 5,008 are the 5,001st, 5,003rd ...
    inside = (drawn["bought"]["y"] >= 5_001.0) & (drawn["bought"]["y"] <= 5_010.0)
    assert drawn["bought"]["y"][inside].tolist() == [5_001.0, 5_003.0, 5_005.0, 5_007.0, 5_009.0]
    at = int(np.flatnonzero(inside)[0])
    # 26 minutes and 40 seconds after midnight of 23 February at noon, and 5,000 seconds.
    assert drawn["bought"]["hovertext"][at] == (
        "23 Feb 2012, 13:50:00 UTC: bought 1 at 5,001.00 USD"
    )
    stamps = drawn["price"]["x"].astype("datetime64[s]").astype(int)
    seconds = stamps - int(T0)
    assert set(range(5_000, 5_010)) <= set(seconds.tolist())
    assert len(drawn["price"]["hovertext"]) == len(seconds)


@pytest.mark.parametrize("elapsed", [False, True])
def test_a_window_of_a_schedule_has_more_of_every_panel(elapsed) -> None:
    ex = hz.connect("paper", clock=lambda: T0)
    algo = ex.twap("ACME", 5000, duration_secs=5000, num_slices=5000)
    ex.tick("ACME", 10.0)
    progress = replace(algo.progress, children=("o1",))
    times = T0 + np.arange(5_000.0)
    figure = figures.algo_schedule(
        progress, many_fills(5_000), prices=(times, np.sin(times)), elapsed=elapsed
    )
    assert figure.long_axes == {"x": not elapsed, "x2": not elapsed, "x3": False}
    # Seconds 600 to 659 of the clock: minutes where time has elapsed.
    ns = [round((T0 + second) * 1e9) for second in (600, 659)]
    window = (10.0, 10.0 + 59 / 60) if elapsed else tuple(ns)
    view = figure.view({"x": window, "x2": window, "x3": (600.0, 659.0)})
    drawn = {figure.data[i].name: made for i, made in view.traces.items()}
    assert set(drawn) == {"planned", "filled", "price", "bought", "scheduled"}
    # A unit is due and filled each second, the first at second 0.
    for name in ("planned", "filled"):
        assert set(range(601, 661)) <= set(drawn[name]["y"].tolist())
    at = drawn["planned"]["y"].tolist().index(601.0)
    when = "after 10 minutes" if elapsed else "23 Feb 2012, 12:36:40 UTC"
    assert drawn["planned"]["hovertext"][at] == (
        f"{when}: slice 601 of 5000 due, 601 planned by then"
    )
    assert set(range(600, 660)) <= set(drawn["scheduled"]["x"])
    assert "all 60 steps of the plan" in view.note


# ------------------------------------------------------------------------ refused
@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda p: figures.algo_schedule(5), "progress must be an AlgoProgress"),
        (lambda p: figures.algo_schedule(p, 5), "fills must be a list of VenueFill or Fill"),
        (lambda p: figures.algo_schedule(p, [5]), "fills must be .* row 0 was 5"),
        (lambda p: figures.algo_schedule(p, currency=5), "currency must be text, was 5"),
        (lambda p: figures.algo_schedule(p, elapsed=1), "elapsed must be True or False, was 1"),
        (lambda p: figures.price_and_fills(5), "prices must be a Series, a frame, or a pair"),
        (lambda p: figures.price_and_fills(([1.0], 5)), "prices must be .* a part was 5"),
        (lambda p: figures.price_and_fills(([], []), market_id=5), "market_id must be text, was 5"),
        (lambda p: figures.price_and_fills(([], []), currency=None), "currency must be text"),
    ],
    ids=[
        "progress",
        "fills",
        "a fill",
        "currency",
        "elapsed",
        "prices",
        "a part",
        "market",
        "no currency",
    ],
)
def test_arguments_are_refused_by_name(worked, draw, said) -> None:
    with pytest.raises(TypeError, match=said):
        draw(worked[1].progress)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price": [1.0, np.nan]}, "fills row 1: price must be a number from 0 to 1e15, was nan"),
        ({"quantity": [0.0, 1.0]}, "fills row 0: quantity must be above 0"),
        ({"quantity": [1.0, "2"]}, "fills row 1: quantity must be above 0 .* was '2'"),
        ({"side": ["buy", "long"]}, "fills row 1: side must be 'buy' or 'sell', was 'long'"),
        ({"timestamp": [T0, None]}, "fills row 1: timestamp must be a time"),
    ],
    ids=["price", "zero", "text", "side", "time"],
)
def test_a_fill_that_cannot_be_is_named_by_its_row(change, said) -> None:
    frame = many_fills(2).assign(**change)
    with pytest.raises(hz.DataError, match=said):
        figures.price_and_fills(([], []), frame)


@pytest.mark.parametrize(
    ("times", "prices", "said"),
    [
        ([T0, T0 + 2, T0 + 1], [1.0] * 3, "prices row 2: timestamp must be in order of time"),
        ([T0, np.nan], [1.0] * 2, "prices row 1: timestamp must be a time"),
        ([T0, T0 + 1], [1.0, np.inf], "prices row 1: price must be a finite number"),
        ([T0, T0 + 1], [1.0, "x"], "prices row 1: price must be a finite number, .* was 'x'"),
    ],
    ids=["order", "time", "infinite", "text"],
)
def test_a_price_that_cannot_be_is_named_by_its_row(times, prices, said) -> None:
    with pytest.raises(hz.DataError, match=said):
        figures.price_and_fills((times, prices))


def test_a_price_that_is_missing_leaves_a_gap() -> None:
    drawn = figures.price_and_fills(([T0, T0 + 1, T0 + 2], [1.0, np.nan, 2.0])).data[0]
    np.testing.assert_array_equal(drawn.y, [1.0, np.nan, 2.0])
