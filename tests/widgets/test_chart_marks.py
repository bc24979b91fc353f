"""A chart beyond its line: bars, band, volume, zoom, orders, positions, sides, prices to take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import Market, Prediction, words
from horizon.widgets.chart import PriceChart
from horizon.widgets.chart.bars import WIDTHS, bars_of, fitting
from horizon.widgets.chart.view import View
from horizon.widgets.tape import Ticks
from tests.widgets.notebook import Clock, account, assert_fit_to_show, do, in_a_notebook, passing

NAN = math.nan


def drawn(shown: PriceChart) -> list[tuple[float, float]]:
    return [(second, price) for second, price, _ in shown.shown["points"]]


def lines(shown: PriceChart) -> list[tuple[float, str, str]]:
    """The lines across the chart: price, side, text."""
    return [(line["price"], line["side"], line["text"]) for line in shown.shown["lines"]]


async def ramp(shown: PriceChart, ex: hz.ImperativeClient, seconds: int, step: float = 0.1) -> None:
    """A tick a second, from 100 on by so much a second."""
    for second in range(seconds + 1):
        ex.tick("ACME", 100.0 + step * second, float(second))
    await passing(0.3)


# ------------------------------------------------------------------------- bars
@pytest.mark.parametrize("width", [1, 5, 60], ids=str)
def test_bars_are_those_of_pandas(width: int) -> None:
    rng = np.random.default_rng(5)
    seconds = np.sort(rng.integers(0, 400_000, size=3_000)) / 1_000.0 + 1_700_000_000.0
    seconds = seconds[(seconds < 1_700_000_100.0) | (seconds > 1_700_000_200.0)]  # a gap
    prices = 100.0 + np.cumsum(rng.normal(size=len(seconds)))
    volumes = np.where(rng.random(len(seconds)) < 0.3, np.nan, rng.random(len(seconds)))
    times = np.round(seconds * 1e3).astype(np.int64) * 1_000_000
    bars = bars_of(Ticks(times, prices, volumes=volumes), width)

    frame = pd.DataFrame({"p": prices, "v": volumes}, index=times.astype("datetime64[ns]"))
    groups = frame.resample(f"{width}s")
    wanted = groups["p"].ohlc().dropna()
    starts = wanted.index.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    np.testing.assert_array_equal(bars.starts, starts)
    for name, column in (
        ("open", bars.opens),
        ("high", bars.highs),
        ("low", bars.lows),
        ("close", bars.closes),
    ):
        np.testing.assert_array_equal(column, wanted[name].to_numpy())
    sums = groups["v"].sum(min_count=1).loc[wanted.index].to_numpy()
    np.testing.assert_allclose(bars.volumes, sums, rtol=1e-12)
    assert bars.counts.sum() == len(times)


@pytest.mark.parametrize(
    ("seconds", "most", "least", "width"),
    [
        (100.0, 120, 0, 1),
        (120.0, 120, 0, 5),  # 120 s may touch 121 bars of a second
        (595.0, 120, 0, 5),
        (3_600.0, 120, 0, 60),
        (3_600.0, 240, 300, 300),
        (1e12, 120, 0, WIDTHS[-1][0]),
    ],
)
def test_the_smallest_width_that_fits_is_chosen(
    seconds: float, most: int, least: int, width: int
) -> None:
    assert fitting(seconds, most, least) == width


@in_a_notebook
async def test_candles_have_open_high_low_close_volume_and_words() -> None:
    ex = account()
    shown = PriceChart(ex, kind="candles", bars=60)
    for second, price, volume in (
        (60, 10.0, 5.0),
        (80, 12.0, None),
        (119, 9.0, 7.0),
        (120, 11.0, None),
        (130, 10.5, None),
    ):
        ex.tick("ACME", price, float(second), volume=volume)
    await passing(0.3)
    assert shown.shown["bars"] == [
        [
            60.0,
            10.0,
            12.0,
            9.0,
            9.0,
            "00:01:00 UTC  open 10.00  high 12.00  low 9.00  close 9.00  volume 12  3 ticks",
        ],
        [
            120.0,
            11.0,
            11.0,
            10.5,
            10.5,
            "00:02:00 UTC  open 11.00  high 11.00  low 10.50  close 10.50  2 ticks",
        ],
    ]
    assert (shown.shown["bar"], shown.shown["points"]) == (60, [])
    assert shown.shown["x"][:2] == [60.0, 180.0]  # to the end of the last bar
    assert shown.shown["volume"]["bars"] == [[60.0, 12.0]]
    assert shown.shown["volume"]["label"] == "Volume, units in 1 min; highest 12"
    assert "over 5 ticks in bars of 1 min; 0 fills" in shown.shown["summary"]


@in_a_notebook
async def test_where_nothing_was_traded_there_is_no_bar() -> None:
    ex = account()
    for second in range(4):
        ex.tick("ACME", 100.0, float(second), volume=0.0)
    shown = PriceChart(ex, market="ACME")
    assert shown.shown["points"]
    assert shown.shown["volume"] is None


@in_a_notebook
async def test_more_bars_than_a_page_draws_at_ease_are_made_wider_and_it_says_so() -> None:
    ex = account()
    shown = PriceChart(ex, kind="candles", bars=1)
    await ramp(shown, ex, 1_000)
    # Of 1 s there would be 1,001; of 5 s there are 201.
    assert (shown.shown["bar"], len(shown.shown["bars"])) == (5, 201)
    assert "in bars of 5 s (of 1 s there would be more than 240)" in shown.shown["summary"]
    await do(shown, "bars", bars="auto")
    assert (shown.shown["bar"], shown.shown["width"]) == (15, "auto")  # 1,000 / 15 are 67
    await do(shown, "kind", kind="line")
    assert (shown.shown["bars"], shown.shown["bar"]) == ([], None)
    assert len(shown.shown["points"]) > 500


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("kind", "pie"),
        ("kind", None),
        ("bars", "7"),
        ("bars", 60),
        ("bars", "60.0"),
        ("side", "maybe"),
        ("side", []),
    ],
    ids=ascii,
)
@in_a_notebook
async def test_what_is_not_offered_is_refused(verb: str, given: Any) -> None:
    ex = account()
    ex.tick("ACME", 1.0, 0.0)
    shown = PriceChart(ex)
    await do(shown, verb, **{verb: given})
    assert verb in shown.shown["error"]
    assert (shown.shown["kind"], shown.shown["width"], shown.shown["side"]) == (
        "line",
        "auto",
        "yes",
    )


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "pie"}, "kind must be one of .*; was 'pie'"),
        ({"bars": 7}, "bars must be 'auto' or a number of seconds, one of 1, 5, .*; was 7$"),
        ({"bars": True}, "bars must be .*; was True"),
        ({"bars": 2.5}, "bars must be .*; was 2.5"),
        ({"bars": "7"}, "bars must be .*; was '7'"),
        ({"side": "no way"}, "side must be one of 'yes', 'no'; was 'no way'"),
        ({"on_price": 3}, "on_price must be callable, was 3"),
    ],
    ids=["kind", "bars", "flag", "broken", "text", "side", "callback"],
)
@in_a_notebook
async def test_a_chart_is_not_made_of_wrong_arguments(options: dict[str, Any], match: str) -> None:
    ex = account()
    with pytest.raises((TypeError, ValueError), match=match):
        PriceChart(ex, **options)
    assert ex.engine.venue.apply is ex.engine.venue.account


# ------------------------------------------------------------------------- band and volume
@in_a_notebook
async def test_bid_and_ask_stand_beside_the_line_and_in_its_words() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 10.0, 0.0)
    ex.tick("ACME", 10.5, 60.0, bid=10.4, ask=10.7, volume=3)
    ex.tick("ACME", 10.2, 120.0, ask=10.3)
    await passing(0.3)
    assert shown.shown["band"] == [[0.0, None, None], [60.0, 10.4, 10.7], [120.0, None, 10.3]]
    assert [text for _, _, text in shown.shown["points"]] == [
        "00:00:00 UTC  10.00",
        "00:01:00 UTC  10.50  bid 10.40  ask 10.70  volume 3",
        "00:02:00 UTC  10.20  ask 10.30",
    ]
    assert shown.shown["y"][1] >= 10.7
    # 120 s in at most 60 bars: of 5 s.
    assert shown.shown["volume"]["bars"] == [[60.0, 3.0]]
    assert shown.shown["volume"]["width"] == 5


@in_a_notebook
async def test_a_book_with_one_side_is_no_price() -> None:
    ex = hz.connect("book", clock=lambda: 0.0)
    shown = PriceChart(ex)
    ex.take_book("snow", [], [(0.6, 5.0)], 1.0)
    await passing(0.3)
    assert shown.shown["summary"] == "No price yet."
    ex.take_book("snow", [(0.4, 5.0)], [(0.6, 5.0)], 2.0)
    await passing(0.3)
    assert drawn(shown) == [(2.0, 0.5)]  # the mid


@in_a_notebook
async def test_quotes_without_a_price_are_no_point_of_the_line() -> None:
    ex = account()
    ex.declare(Market("ACME", hz.Equity))
    shown = PriceChart(ex, market="ACME")
    venue = ex.engine.venue
    with venue.lock:
        venue.requote(venue.account.markets["ACME"], 10**9, 9.0, 11.0, NAN)
    await passing(0.3)
    assert (shown.ended, shown.shown["summary"]) == ("", "No price yet.")


@in_a_notebook
async def test_a_market_without_quotes_or_volume_has_neither() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 10.0, 0.0)
    ex.tick("ACME", 10.0, 1.0)
    await passing(0.3)
    assert (shown.shown["band"], shown.shown["volume"]) == ([], None)


@in_a_notebook
async def test_quotes_far_from_the_price_do_not_flatten_the_line() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 10.0, 0.0, bid=0.01, ask=99.0)
    ex.tick("ACME", 10.1, 1.0, bid=10.05, ask=10.15)
    await passing(0.3)
    low, high = shown.shown["y"][:2]
    assert 9.0 < low < 10.0 < 10.15 <= high < 11.0


# ------------------------------------------------------------------------- through time
@in_a_notebook
async def test_the_line_begins_at_the_edge_with_the_price_that_held_there() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 10.0, 0.0)
    ex.tick("ACME", 11.0, 100.0)
    ex.tick("ACME", 12.0, 110.0)
    await do(shown, "span", span="60")
    assert drawn(shown) == [(50.0, 10.0), (100.0, 11.0), (110.0, 12.0)]
    assert "over 2 ticks" in shown.shown["summary"]
    assert shown.shown["points"][0][2] == "00:00:00 UTC  10.00"  # when it was said


@in_a_notebook
async def test_zooming_keeps_what_is_under_the_pointer_and_moving_stands_still() -> None:
    ex = account()
    shown = PriceChart(ex)
    await ramp(shown, ex, 1_000)
    assert (shown.shown["view"], shown.shown["follows"]) == ([0.0, 1_000.0], True)
    # While it follows, the latest price stays where it is.
    await do(shown, "zoom", factor=0.2, at=0.1)
    assert shown.shown["view"] == [800.0, 1_000.0]
    assert (shown.shown["span"], shown.shown["spans"][-1]) == ("own", ["own", "zoomed: 3 min 20 s"])
    ex.tick("ACME", 150.0, 1_010.0)
    await passing(0.3)
    assert shown.shown["view"] == [810.0, 1_010.0]
    # Moved away it stands still, whatever comes.
    await do(shown, "move", start=400.0, drag="d1")
    assert (shown.shown["view"], shown.shown["follows"]) == ([400.0, 600.0], False)
    assert shown.shown["by"] == "d1"
    ex.tick("ACME", 160.0, 1_020.0)
    await passing(0.3)
    assert shown.shown["view"] == [400.0, 600.0]
    assert drawn(shown)[0] == (400.0, 140.0)
    assert drawn(shown)[-1] == (600.0, 160.0)
    assert "160.00 USD; low 140.00, high 160.00 over 201 ticks" in shown.shown["summary"]
    # Standing still, the point at 450 stays at its quarter: 425 to 525 around it.
    await do(shown, "zoom", factor=0.5, at=0.25)
    assert shown.shown["view"] == [425.0, 525.0]
    await do(shown, "follow", follows=True)
    assert shown.shown["view"] == [920.0, 1_020.0]
    await do(shown, "follow", follows=False)
    ex.tick("ACME", 170.0, 1_030.0)
    await passing(0.3)
    assert shown.shown["view"] == [920.0, 1_020.0]
    # At the end again it follows; before the beginning there is nothing.
    await do(shown, "move", start=5_000.0, drag="d2")
    assert (shown.shown["view"], shown.shown["follows"]) == ([930.0, 1_030.0], True)
    await do(shown, "move", start=-5_000.0, drag="d3")
    assert shown.shown["view"] == [0.0, 100.0]
    await do(shown, "zoom", factor=100.0, at=0.5)
    assert (shown.shown["view"], shown.shown["span"]) == ([0.0, 1_030.0], "all")
    assert shown.shown["follows"]


@in_a_notebook
async def test_a_stretch_without_a_tick_shows_the_price_that_held() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 10.0, 0.0)
    ex.tick("ACME", 20.0, 1_000.0)
    await passing(0.3)
    await do(shown, "zoom", factor=0.1, at=0.5)
    await do(shown, "move", start=400.0, drag="")
    assert shown.shown["view"] == [400.0, 500.0]
    assert drawn(shown) == [(400.0, 10.0), (500.0, 10.0)]
    assert shown.shown["summary"].startswith("no tick in this stretch; 0 fills")
    await do(shown, "kind", kind="candles")
    assert (shown.ended, shown.shown["bars"]) == ("", [])
    assert drawn(shown) == [(400.0, 10.0), (500.0, 10.0)]
    assert_fit_to_show(shown)


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("zoom", {"factor": 0, "at": 0.5}),
        ("zoom", {"factor": NAN, "at": 0.5}),
        ("zoom", {"factor": "2", "at": 0.5}),
        ("zoom", {"factor": 2, "at": 1.5}),
        ("zoom", {"factor": 2, "at": None}),
        ("move", {"start": NAN, "drag": ""}),
        ("move", {"start": None, "drag": ""}),
        ("move", {"start": 1.0, "drag": 5}),
        ("follow", {"follows": "yes"}),
        ("follow", {}),
    ],
    ids=ascii,
)
@in_a_notebook
async def test_a_stretch_that_is_none_changes_nothing(verb: str, given: dict[str, Any]) -> None:
    ex = account()
    shown = PriceChart(ex)
    await ramp(shown, ex, 100)
    await do(shown, "zoom", factor=0.5, at=0.5)
    before = shown.shown["view"]
    await do(shown, verb, **given)
    assert shown.shown["error"]
    assert (shown.shown["view"], shown.shown["follows"]) == (before, True)


@pytest.mark.parametrize("seed", range(20))
def test_a_view_never_leaves_its_line(seed: int) -> None:
    rng, view = np.random.default_rng(seed), View()
    latest = float(rng.uniform(1.0, 1e6))
    for _ in range(200):
        latest += float(rng.exponential(10.0)) * (rng.random() < 0.3)
        match int(rng.integers(4)):
            case 0:
                view.zoom(float(rng.uniform(0.01, 5.0)), float(rng.random()), 0.0, latest)
            case 1:
                view.move(float(rng.normal(latest / 2, latest)), 0.0, latest)
            case 2:
                view.follow(bool(rng.integers(2)), 0.0, latest)
            case _:
                view.choose(str(rng.choice(["60", "300", "3600", "all"])))
        start, end = view.between(0.0, latest)
        assert start < end <= latest + 1e-6
        if view.follows:
            assert end == latest
            assert start >= 0.0


# ------------------------------------------------------------------------- orders, positions
@in_a_notebook
async def test_working_orders_and_what_is_held_are_lines_with_their_words() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 10, market=True)
    ex.tick("ACME", 104.0, 60.0)
    ex.buy("ACME", 5, limit=99.0)
    ex.buy("ACME", 7, limit=99.0)
    ex.sell("ACME", 4, limit=106.0)
    ex.sell("ACME", 1, limit=500.0)
    ex.sell("ACME", 2, limit=400.0)
    await passing(0.3)
    assert sorted(lines(shown)) == [
        (99.0, "buy", "BUY 12 at 99.00, 2 orders"),
        (100.0, "buy", "average 100.00, long 10"),
        (106.0, "sell", "SELL 4 at 106.00"),
    ]
    assert shown.shown["above"] == "▲ SELL 2 at 400.00 and 1 more"
    assert shown.shown["below"] == ""
    assert shown.shown["held"] == "Position: long 10 shares at an average of 100.00 USD"
    assert shown.shown["summary"].endswith("1 fill; 5 working orders")
    # The axis holds what is near, and no more: 99 to 106 with its room.
    low, high = shown.shown["y"][:2]
    assert (low, high) == (pytest.approx(99.0 - 0.42), pytest.approx(106.0 + 0.42))
    ids = {line["id"] for line in shown.shown["lines"]}
    ex.cancel_all()
    ex.sell("ACME", 30, market=True)
    await passing(0.3)
    assert lines(shown) == [(104.0, "sell", "average 104.00, short 20")]
    # The line of the position is the one that was there.
    assert {line["id"] for line in shown.shown["lines"]} <= ids


@in_a_notebook
async def test_of_many_orders_those_next_to_the_price_have_a_line() -> None:
    ex = account()
    shown = PriceChart(ex)
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("ACME", 110.0, 1.0)
    for number in reversed(range(40)):
        ex.buy("ACME", 1, limit=109.0 - 0.1 * number)
    await passing(0.3)
    assert [price for price, _, _ in lines(shown)] == pytest.approx(
        [109.0 - 0.1 * number for number in range(20)]
    )
    assert "40 working orders" in shown.shown["summary"]


@in_a_notebook
async def test_the_other_side_of_a_prediction_stands_as_what_it_equals() -> None:
    clock = Clock()
    ex = account(clock)
    ex.declare(Market("rain", Prediction))
    shown = PriceChart(ex, market="rain")
    ex.tick("rain", 0.42, 0.0, bid=0.41, ask=0.44)
    ex.buy("rain:no", 10, market=True)
    ex.buy("rain:no", 5, limit=0.55)
    ex.buy("rain", 3, limit=0.40)
    clock.now = 60.0
    ex.tick("rain", 0.43, 60.0, bid=0.42, ask=0.45)
    await passing(0.3)
    # NO at 0.58 is YES at 0.42, and to buy one is to sell the other.
    assert shown.shown["side"] == "yes"
    assert [at for _, at in drawn(shown)] == [0.42, 0.43]
    assert shown.shown["band"][0] == [0.0, 0.41, 0.44]
    assert sorted(lines(shown)) == [
        (0.40, "buy", "BUY 3 YES at 0.40"),
        (0.42, "sell", "average 0.58, long 10 NO"),
        (0.45, "sell", "BUY 5 NO at 0.55"),
    ]
    await do(shown, "side", side="no")
    assert [at for _, at in drawn(shown)] == [0.58, 0.57]
    assert shown.shown["band"][0] == [0.0, 0.56, 0.59]  # the ask of YES is the bid of NO
    assert sorted(lines(shown)) == [
        (0.55, "buy", "BUY 5 NO at 0.55"),
        (0.58, "buy", "average 0.58, long 10 NO"),
        (0.60, "sell", "BUY 3 YES at 0.40"),
    ]
    assert [(at, side) for _, _, at, side, _ in shown.shown["fills"]] == [(0.58, "buy")]
    assert shown.shown["y"][3] == "Price of NO, USD"
    assert (
        "0.57 USD; low 0.57, high 0.58 over 2 ticks; 1 fill; 2 working orders"
        in (shown.shown["summary"])
    )
    await do(shown, "kind", kind="candles")
    assert [bar[1:5] for bar in shown.shown["bars"]] == [[0.58] * 4, [0.57] * 4]
    ex.settle("rain", 1.0)
    await passing(0.3)
    assert shown.shown["summary"].endswith("settled at 0.00 USD")


@in_a_notebook
async def test_a_market_with_one_side_has_none_to_choose() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    shown = PriceChart(ex, side="no")
    assert (shown.shown["sides"], shown.shown["side"], drawn(shown)) == (
        [],
        "yes",
        [(0.0, 100.0)],
    )


# ------------------------------------------------------------------------- a price to take
@in_a_notebook
async def test_prices_to_take_lie_on_the_grid_of_the_market_and_inside_its_bounds() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction, tick_size=0.01))
    ex.declare(Market("ACME", hz.Equity, tick_size=0.05))
    taken: list[Any] = []
    shown = PriceChart(ex, market="rain", on_price=lambda *given: taken.append(given))
    for second, price in enumerate((0.02, 0.97)):
        ex.tick("rain", price, float(second))
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("ACME", 130.0, 1.0)
    await passing(0.3)
    prices = [price for price, _ in shown.shown["levels"]]
    assert prices == [round(0.01 * k, 2) for k in range(1, 100)]
    assert shown.shown["levels"][41] == [0.42, "0.42"]
    await do(shown, "price", price=0.42, market="rain", side="yes")
    await do(shown, "side", side="no")
    await do(shown, "price", price=0.42, market="rain", side="no")
    assert taken == [("rain", None, 0.42, None), ("rain:no", None, 0.42, None)]
    # 30 with its room, in at most a hundred parts: 0.336 and up, so ten ticks of 0.05.
    await do(shown, "choose", market="ACME")
    steps = np.diff([price for price, _ in shown.shown["levels"]])
    assert steps == pytest.approx(0.5)
    # What was clicked on another market's picture is not taken.
    await do(shown, "price", price=0.42, market="rain", side="no")
    assert "the chart has turned to another market" in shown.shown["error"]
    for wrong in (None, "5", -1.0, 0, NAN, math.inf, True):
        await do(shown, "price", price=wrong, market="ACME", side="yes")
        assert "price must be" in shown.shown["error"]
    assert len(taken) == 2


@in_a_notebook
async def test_a_chart_that_nobody_listens_to_offers_no_prices() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    shown = PriceChart(ex)
    assert shown.shown["levels"] == []
    await do(shown, "price", price=100.0, market="ACME", side="yes")
    assert shown.shown["error"] == "nothing takes a price from this chart"
    shown.on_price = lambda *_: None
    await passing(0.3)
    assert shown.shown["levels"]


@in_a_notebook
async def test_what_a_listener_raises_is_shown() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)

    def refuse(*_: object) -> None:
        raise hz.HorizonError("the ticket is sending")

    shown = PriceChart(ex, on_price=refuse)
    await do(shown, "price", price=100.0, market="ACME", side="yes")
    assert shown.shown["error"] == "the ticket is sending"
    assert shown.ended == ""


# ------------------------------------------------------------------------- calm and light
@in_a_notebook
async def test_the_axis_of_prices_stays_while_it_serves() -> None:
    ex = account()
    shown = PriceChart(ex)
    for second, price in enumerate((100.0, 110.0)):
        ex.tick("ACME", price, float(second))
    await passing(0.3)
    first = shown.shown["y"]
    for second, price in enumerate((104.0, 110.5, 99.5), start=2):
        ex.tick("ACME", price, float(second))
        await passing(0.3)
        assert shown.shown["y"] == first  # room of 6 % was left on each side
    ex.tick("ACME", 111.0, 9.0)
    await passing(0.3)
    assert shown.shown["y"][1] > 111.0
    wide = shown.shown["y"]
    # What fills less than two fifths of it gets an axis of its own.
    for second in range(100, 200):
        ex.tick("ACME", 104.0 + second % 3, float(second))
    await do(shown, "span", span="60")
    assert shown.shown["y"][0] > wide[0]
    assert shown.shown["y"][1] < wide[1]


@in_a_notebook
async def test_a_picture_stays_small_however_much_has_been_traded() -> None:
    import json

    ex = account()
    shown = PriceChart(ex, on_price=lambda *_: None)
    rng = np.random.default_rng(1)
    prices = 100.0 + np.cumsum(rng.normal(size=20_000)) * 0.01
    for second, price in enumerate(prices.tolist()):
        ex.tick("ACME", price, second / 2.0, bid=price - 0.01, ask=price + 0.01, volume=1.0)
        if second % 50 == 0:
            ex.buy("ACME", 1, market=True) if second % 100 else ex.sell("ACME", 1, market=True)
    await passing(0.3)
    assert len(shown.shown["points"]) <= 600
    assert len(shown.shown["fills"]) == 200
    assert len(json.dumps(shown.shown)) < 75_000
    # Two hundred points tell their values, with the lowest, the highest and the latest.
    told = [text for _, _, text in shown.shown["points"] if text is not None]
    assert len(told) <= 200
    for price in (prices.min(), prices.max(), prices[-1]):
        assert any(f"  {words.price(price)}  bid" in text for text in told)
    await do(shown, "kind", kind="candles")
    assert len(shown.shown["bars"]) <= 240


@in_a_notebook
async def test_a_chart_of_a_run_s_engine_is_one_of_its_account() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    shown = PriceChart(ex.engine)
    assert drawn(shown) == [(0.0, 100.0)]


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "AAPL\u202eLPAA", "W" * 256])
@in_a_notebook
async def test_a_hostile_name_is_shown_as_text(name: str) -> None:
    ex = account()
    ex.declare(Market(name, Prediction))
    shown = PriceChart(ex, market=name, on_price=lambda *_: None)
    ex.tick(name, 0.5, 0.0, bid=0.4, ask=0.6, volume=3)
    ex.buy(name, 5, market=True)
    ex.buy(f"{name}:no", 5, limit=0.3)
    await passing(0.3)
    assert shown.shown["fills"]
    assert shown.shown["lines"]
    assert_fit_to_show(shown)
