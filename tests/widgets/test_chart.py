"""The live price line, and the tape that it is drawn from."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon import Market, Prediction
from horizon.widgets import tape
from horizon.widgets.chart import PriceChart, drawing
from horizon.widgets.tape import Tape
from tests.widgets.notebook import (
    Clock,
    Page,
    account,
    assert_fit_to_show,
    do,
    in_a_notebook,
    passing,
    turns,
)


def ticked(*prices: float, market: str = "ACME", **options: Any) -> hz.ImperativeClient:
    """An account for which a market has ticked once a second."""
    ex = account(**options)
    for second, price in enumerate(prices):
        ex.tick(market, price, float(second))
    return ex


def points(shown: PriceChart) -> list[tuple[float, float]]:
    return [(second, price) for second, price, _ in shown.shown["points"]]


# ------------------------------------------------------------------------- the line
@in_a_notebook
async def test_before_the_first_tick_there_is_nothing_to_draw() -> None:
    shown = PriceChart(account())
    assert shown.market is None
    assert shown.shown["summary"] == "No price yet."
    assert (shown.shown["points"], shown.shown["fills"], shown.shown["markets"]) == ([], [], [])


@in_a_notebook
async def test_the_line_begins_with_the_last_price_and_follows_every_tick() -> None:
    ex = ticked(10.0, 11.0)
    shown = PriceChart(ex)
    assert (shown.market, points(shown)) == ("ACME", [(1.0, 11.0)])
    ex.tick("ACME", 9.0, 5.0)
    ex.tick("ACME", 10.5, 9.0)
    await passing(0.3)
    assert points(shown) == [(1.0, 11.0), (5.0, 9.0), (9.0, 10.5)]
    assert shown.shown["points"][-1][2] == "00:00:09 UTC  10.50"
    assert shown.shown["summary"] == "10.50 USD; low 9.00, high 11.00 over 3 ticks; 0 fills"
    start, end, _, label = shown.shown["x"]
    assert (start, end, label) == (1.0, 9.0, "Time, UTC")
    assert shown.shown["y"][3] == "Price, USD"


@in_a_notebook
async def test_it_is_drawn_four_times_a_second_at_most() -> None:
    ex = ticked(10.0)
    shown = PriceChart(ex)
    page = Page(shown)
    for number in range(1, 101):
        ex.tick("ACME", 10.0 + number, float(number))
        await passing(0.01)
    assert len(page.pictures) <= 5  # in one second


@in_a_notebook
async def test_a_market_can_be_chosen_from_those_that_have_ticked() -> None:
    ex = ticked(10.0)
    ex.tick("other", 5.0, 0.0)
    shown = PriceChart(ex)
    assert shown.shown["markets"] == [["ACME", "ACME"], ["other", "other"]]
    await do(shown, "choose", market="other")
    assert (shown.market, shown.shown["market"]) == ("other", "other")
    assert points(shown) == [(0.0, 5.0)]
    for unknown in ("nothing", "", None, 5, ["ACME"], "x" * 2_000):
        await do(shown, "choose", market=unknown)
        assert shown.shown["error"]
        assert shown.market == "other"


@in_a_notebook
async def test_a_chart_begins_with_a_market_that_the_account_knows() -> None:
    with pytest.raises(ValueError, match="market must be one that is known here: 'ACME'; was 'zz'"):
        PriceChart(ticked(10.0), market="zz")
    ex = account()
    waiting = PriceChart(ex, market="zz")  # a fresh account takes any
    ex.tick("zz", 5.0, 0.0)
    waiting.paint()
    assert points(waiting) == [(0.0, 5.0)]


@in_a_notebook
async def test_a_chart_can_be_turned_to_a_market_that_has_ticked_and_to_no_other() -> None:
    ex = ticked(10.0)
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    shown = PriceChart(ex, market="ACME")
    await turns()
    shown.show("rain:no")  # the line is the market's own
    assert (shown.market, points(shown)) == ("rain", [(0.0, 0.4)])
    shown.show("nothing")
    assert shown.market == "rain"


@pytest.mark.parametrize(
    ("span", "first", "count"), [("60", 3_940.0, 7), ("300", 3_700.0, 31), ("3600", 400.0, 361)]
)
@in_a_notebook
async def test_a_span_shows_the_latest_stretch(span: str, first: float, count: int) -> None:
    ex = account()
    shown = PriceChart(ex)
    for tens in range(401):  # a tick every ten seconds up to 4,000
        ex.tick("ACME", 100.0 + tens, 10.0 * tens)
    await do(shown, "span", span=span)
    drawn = points(shown)
    assert (drawn[0][0], drawn[-1][0], len(drawn)) == (first, 4_000.0, count)
    assert shown.shown["x"][:2] == [first, 4_000.0]
    # 100 + first / 10 is the lowest price of a line that rises.
    assert f"low {100 + first / 10:.2f}, high 500.00" in shown.shown["summary"]
    await do(shown, "span", span="all")
    assert points(shown)[0] == (0.0, 100.0)


@pytest.mark.parametrize("span", ["", "0", "60.0", "ALL", "nan", None, 60, []], ids=repr)
@in_a_notebook
async def test_a_span_that_is_not_offered_is_refused(span: Any) -> None:
    shown = PriceChart(ticked(10.0))
    await do(shown, "span", span=span)
    assert shown.shown["error"].startswith("span must be")
    assert shown.shown["span"] == "all"


@in_a_notebook
async def test_a_long_line_is_thinned_and_keeps_its_extremes() -> None:
    ex = account()
    shown = PriceChart(ex)
    for number in range(5_000):
        price = 1.0 if number == 1_234 else 900.0 if number == 3_456 else 100.0 + number % 7
        ex.tick("ACME", price, float(number))
    await passing(0.3)
    drawn = points(shown)
    assert len(drawn) <= 600
    assert {(0.0, 100.0), (1_234.0, 1.0), (3_456.0, 900.0)} <= set(drawn)
    assert drawn[-1] == (4_999.0, 100.0 + 4_999 % 7)
    assert "low 1.00, high 900.00 over 5,000 ticks, drawn with" in shown.shown["summary"]


@pytest.mark.parametrize("price", [4e-322, 1e-300, 1e-9, 1e15])
@in_a_notebook
async def test_a_price_of_any_size_can_be_drawn(price: float) -> None:
    ex = ticked(price)
    shown = PriceChart(ex)
    ex.tick("ACME", price, 0.5)
    await passing(0.3)
    assert shown.ended == ""
    assert_fit_to_show(shown)


@in_a_notebook
async def test_a_chart_of_a_no_side_shows_the_line_of_its_market() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    shown = PriceChart(ex, market="rain:no")
    assert points(shown) == [(0.0, 0.4)]


@in_a_notebook
async def test_a_settled_market_that_never_ticked_is_no_point_in_time() -> None:
    ex = account()
    ex.settle("rain", 1.0)
    assert PriceChart(ex).shown["points"] == []
    assert PriceChart(ex, market="rain").shown["points"] == []


# ------------------------------------------------------------------------- fills on it
@in_a_notebook
async def test_fills_stand_on_the_line_with_their_side_and_words() -> None:
    clock = Clock()
    ex = ticked(100.0, clock=clock)
    shown = PriceChart(ex)
    clock.now = 3.0
    ex.buy("ACME", 10, market=True)
    ex.tick("ACME", 102.0, 5.0)
    clock.now = 6.0
    ex.sell("ACME", 4, market=True)
    await passing(0.3)
    assert shown.shown["fills"] == [
        ["f1", 3.0, 100.0, "buy", "1970-01-01 00:00:03 UTC: bought 10 at 100.00 USD"],
        ["f2", 6.0, 102.0, "sell", "1970-01-01 00:00:06 UTC: sold 4 at 102.00 USD"],
    ]
    assert shown.shown["summary"].endswith("2 fills")
    # The sale came after the last tick: the axis goes that far.
    assert shown.shown["x"][1] >= 6.0


@in_a_notebook
async def test_a_fill_of_no_stands_as_the_trade_in_yes_that_it_equals() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.42, 0.0)
    ex.buy("rain:no", 10, market=True)
    ex.buy("rain", 5, market=True)
    shown = PriceChart(ex)
    assert [(at, side, text) for _, _, at, side, text in shown.shown["fills"]] == [
        # NO bought at 0.58 is YES sold at 0.42.
        (0.42, "sell", "1970-01-01 00:00:00 UTC: bought 10 NO at 0.58 USD"),
        (0.42, "buy", "1970-01-01 00:00:00 UTC: bought 5 YES at 0.42 USD"),
    ]
    assert "a trade in NO stands as the trade in YES that it equals" in shown.shown["summary"]


@in_a_notebook
async def test_a_limit_fill_away_from_every_tick_is_within_the_axis() -> None:
    ex = ticked(100.0)
    ex.buy("ACME", 1, limit=90.0)
    shown = PriceChart(ex)
    ex.tick("ACME", 80.0, 10.0)
    ex.tick("ACME", 95.0, 20.0)
    await do(shown, "span", span="60")
    low, high = shown.shown["y"][:2]
    assert low <= 80.0 <= 90.0 <= 100.0 <= high


@in_a_notebook
async def test_a_fill_keeps_its_name_whatever_is_drawn_beside_it() -> None:
    clock = Clock()
    ex = ticked(100.0, clock=clock)
    shown = PriceChart(ex)
    ex.buy("ACME", 1, market=True)
    clock.now = 1_000.0
    ex.tick("ACME", 100.0, 1_000.0)
    ex.sell("ACME", 1, market=True)
    await passing(0.3)
    names = {name: side for name, _, _, side, _ in shown.shown["fills"]}
    assert list(names.values()) == ["buy", "sell"]
    await do(shown, "span", span="60")
    assert [(name, side) for name, _, _, side, _ in shown.shown["fills"]] == [
        (list(names)[1], "sell")
    ]


@in_a_notebook
async def test_fills_of_another_market_are_not_drawn() -> None:
    ex = ticked(100.0)
    ex.tick("other", 5.0, 0.0)
    ex.buy("other", 1, market=True)
    shown = PriceChart(ex, market="ACME")
    assert shown.shown["fills"] == []
    await do(shown, "choose", market="other")
    assert len(shown.shown["fills"]) == 1


@in_a_notebook
async def test_many_fills_are_counted_whole_and_drawn_in_part() -> None:
    ex = ticked(100.0)
    shown = PriceChart(ex)
    for _ in range(450):
        ex.buy("ACME", 1, market=True)
        await passing(0.01)
    await passing(0.3)
    assert "450 fills" in shown.shown["summary"]
    names = [name for name, *_ in shown.shown["fills"]]
    assert len(names) == len(set(names)) == 200
    assert names[-1] == "f450"


@in_a_notebook
async def test_the_chart_takes_no_fill_from_the_client() -> None:
    ex = ticked(100.0)
    ex.buy("ACME", 1, market=True)
    PriceChart(ex)
    assert len(ex.fills()) == 1


# ------------------------------------------------------------------------- the tape
def path(kept: Tape, market: str = "ACME") -> list[float]:
    return kept.ticks(market).prices.tolist()


def test_the_tape_keeps_every_price_while_somebody_watches() -> None:
    ex = ticked(1.0)
    venue = ex.engine.venue
    kept = Tape.of(venue)
    ex.tick("ACME", 2.0, 1.0)
    assert Tape.of(venue) is kept
    kept.leave()
    ex.tick("ACME", 3.0, 2.0)
    assert path(kept) == [1.0, 2.0, 3.0]
    assert path(kept, "other") == []
    kept.leave()
    assert venue.apply is venue.account
    ex.tick("ACME", 4.0, 3.0)
    assert path(kept) == [1.0, 2.0, 3.0]
    again = Tape.of(venue)
    assert path(again) == [4.0]
    again.leave()
    again.leave()
    assert venue.apply is venue.account


def test_times_are_kept_to_the_nanosecond() -> None:
    ex = account()
    kept = Tape.of(ex.engine.venue)
    ex.tick("ACME", 1.0, np.datetime64("2026-01-02T03:04:05.123456789"))
    assert (
        str(kept.ticks("ACME").times.astype("datetime64[ns]")[0]) == "2026-01-02T03:04:05.123456789"
    )
    kept.leave()


def test_the_tape_s_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "_TICKS", 10)
    monkeypatch.setattr(tape, "_MARKETS", 3)
    ex = account()
    kept = Tape.of(ex.engine.venue)
    for second in range(95):
        ex.tick("ACME", float(second + 1), float(second))
        assert len(kept._kept["ACME"].times) < 20
    assert path(kept) == [float(price) for price in range(86, 96)]
    for number in range(10):
        ex.tick(f"M{number}", 1.0, 0.0)
    assert kept.markets == ["ACME", "M0", "M1"]
    kept.leave()


@in_a_notebook
async def test_a_market_beyond_those_that_are_kept_has_its_line_if_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tape, "_MARKETS", 3)
    ex = account()
    for number in range(10):
        ex.tick(f"M{number}", 1.0 + number, 0.0)
    shown = PriceChart(ex, market="M8")
    assert points(shown) == [(0.0, 9.0)]
    ex.tick("M8", 9.5, 1.0)
    await passing(0.3)
    assert points(shown) == [(0.0, 9.0), (1.0, 9.5)]


@in_a_notebook
async def test_the_last_chart_to_close_leaves_the_venue_as_it_was() -> None:
    ex = ticked(100.0)
    venue = ex.engine.venue
    first, second = PriceChart(ex), PriceChart(ex)
    assert venue.apply is not venue.account
    first.close()
    first.close()
    ex.tick("ACME", 101.0, 1.0)
    await passing(0.3)
    assert len(points(second)) == 2
    second.close()
    assert venue.apply is venue.account


@in_a_notebook
async def test_a_chart_whose_first_paint_fails_leaves_the_venue_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ex = ticked(100.0)

    def fails(*_: object) -> None:
        raise ArithmeticError("no axis")

    monkeypatch.setattr(drawing, "price_ticks", fails)
    with pytest.raises(ArithmeticError, match="no axis"):
        PriceChart(ex)
    gc.collect()
    assert ex.engine.venue.apply is ex.engine.venue.account


@in_a_notebook
async def test_a_chart_that_fails_later_leaves_the_venue_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ex = ticked(100.0)
    shown = PriceChart(ex)

    def fails(*_: object) -> None:
        raise ArithmeticError("no axis")

    monkeypatch.setattr(drawing, "price_ticks", fails)
    await passing(0.3)
    assert shown.ended == "an error stopped it (ArithmeticError: no axis)"
    assert ex.engine.venue.apply is ex.engine.venue.account
