"""Closings, round trips and their statistics, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from horizon.analytics.edges import forecast_scores
from horizon.analytics.fills import FillTable, fill_table
from horizon.analytics.holdings import exposure, time_in_market, turnover
from horizon.analytics.trades import (
    TradeStats,
    closings,
    pnl_by_hour,
    pnl_by_market,
    pnl_by_weekday,
    round_trips,
    trade_stats,
)
from horizon.types import VenueFill, VenueSettlement

HOUR = 3600.0
#: Monday, 1 January 2024, 21:30 UTC.
START = 1_704_067_200.0 + 21.5 * HOUR
CALL = "AAPL250117C00180000"


def ns(hours: float) -> int:
    """Nanoseconds since 1970 of so many hours after START."""
    return int((START + hours * HOUR) * 1e9)


def fill(
    signed: float,
    price: float,
    *,
    at: float = 0.0,
    fee: float = 0.0,
    market: str = "ACME",
    maker: bool = False,
    realized: float = math.nan,
) -> VenueFill:
    """A fill so many hours after START; `signed` is below 0 for a sell."""
    side = "buy" if signed > 0 else "sell"
    when = START + at * HOUR
    return VenueFill(
        "f", "p", market, side, abs(signed), price, fee, when, maker, realized, "paper"
    )


def settled(quantity: float, price: float, *, at: float, market: str = "ACME") -> VenueSettlement:
    return VenueSettlement(market, quantity, price, math.nan, START + at * HOUR)


@pytest.fixture
def story() -> FillTable:
    """Buy, add, reduce, flip, settle.

    ===  ==============  ====  ==========================================================
    h    trade           fee   position after it
    ===  ==============  ====  ==========================================================
    0    buy 10 @ 100    1     10 @ 100
    1    buy 30 @ 104    3     40 @ 103 (4120 / 40), entered at 0.75 h on average, fees 4
    2    sell 10 @ 109   1     30 @ 103; a quarter is closed, fees 3 are left
    3    sell 50 @ 101   5     -20 @ 101; 30 are closed (fee 3), 20 opened (fee 2)
    5    settle at 96    0     flat
    ===  ==============  ====  ==========================================================
    """
    fills = [
        fill(10, 100, at=0, fee=1),
        fill(30, 104, at=1, fee=3, maker=True),
        fill(-10, 109, at=2, fee=1, maker=True),
        fill(-50, 101, at=3, fee=5),
    ]
    return fill_table(fills, [settled(-20, 96, at=5)])


def test_closings_of_the_story(story: FillTable) -> None:
    closed = closings(story)
    assert len(closed) == 3
    assert closed.rows.tolist() == [2, 3, 4]
    assert closed.market_ids.tolist() == ["ACME"] * 3
    assert closed.is_long.tolist() == [True, True, False]
    assert closed.quantities.tolist() == [10, 30, 20]
    assert closed.entry_prices.tolist() == [103, 103, 101]
    assert closed.exit_prices.tolist() == [109, 101, 96]
    # 10 x (109 - 103), 30 x (101 - 103), 20 x (101 - 96).
    assert closed.pnl_gross.tolist() == [60, -60, 100]
    # Own 1 and 4 x 10/40; own 5 x 30/50 and the 3 left; the 2 of the flip's opening part.
    assert closed.fees.tolist() == [2, 6, 2]
    assert closed.pnl.tolist() == [58, -66, 98]
    # The first 10 wait 1 h, 30 none: entered at 0.75 h. The reduction moves no entry.
    assert closed.opened_ns.tolist() == [ns(0.75), ns(0.75), ns(3)]
    assert closed.closed_ns.tolist() == [ns(2), ns(3), ns(5)]
    assert closed.holding_secs.tolist() == [1.25 * HOUR, 2.25 * HOUR, 2 * HOUR]
    assert closed.is_settlement.tolist() == [False, False, True]


def test_round_trips_of_the_story(story: FillTable) -> None:
    trips = round_trips(story)
    assert len(trips) == 2
    assert trips.market_ids.tolist() == ["ACME", "ACME"]
    assert trips.is_long.tolist() == [True, False]
    assert trips.largest_quantities.tolist() == [40, 20]
    # In: (10 x 100 + 30 x 104) / 40. Out: (10 x 109 + 30 x 101) / 40.
    assert trips.entry_prices.tolist() == [103, 101]
    assert trips.exit_prices.tolist() == [103, 96]
    assert trips.opened_ns.tolist() == [ns(0), ns(3)]
    assert trips.closed_ns.tolist() == [ns(3), ns(5)]
    assert trips.holding_secs.tolist() == [3 * HOUR, 2 * HOUR]
    assert trips.fills.tolist() == [4, 1]  # the flip is in both
    assert trips.pnl_gross.tolist() == [0, 100]
    assert trips.fees.tolist() == [8, 2]
    assert trips.pnl.tolist() == [-8, 98]
    assert trips.is_settled.tolist() == [False, True]


def test_statistics_of_the_story(story: FillTable) -> None:
    stats = trade_stats(story)
    assert stats == TradeStats(
        total_trades=4,
        closings=3,
        wins=2,
        losses=1,
        round_trips=2,
        win_rate=pytest.approx(200 / 3, rel=1e-15),
        gross_profit=58 + 98,
        gross_loss=66,
        profit_factor=156 / 66,
        expectancy=90 / 3,
        avg_win=78,
        avg_loss=-66,
        largest_win=98,
        largest_loss=-66,
        payoff_ratio=78 / 66,
        win_streak=1,
        loss_streak=1,
        avg_holding_secs=(1.25 + 2.25 + 2) * HOUR / 3,
        longest_holding_secs=2.25 * HOUR,
        long_share=2 / 3,
        total_fees=10,
        traded_notional=10_260,  # 1000 + 3120 + 1090 + 5050; a settlement is not traded
        fee_bps=pytest.approx(1e5 / 10_260, rel=1e-15),
        fee_share=10 / 160,  # of the closings that gained: 60 + 100
        maker_share=4210 / 10_260,
    )


def test_sums_by_market_hour_and_weekday(story: FillTable) -> None:
    assert pnl_by_market(story) == {"ACME": 100 - 10}
    # Closed at 23:30 on Monday, 00:30 and 02:30 on Tuesday.
    by_hour, by_day = pnl_by_hour(story), pnl_by_weekday(story)
    assert by_hour == dict.fromkeys(range(24), 0.0) | {23: 58.0, 0: -66.0, 2: 98.0}
    assert by_day == dict.fromkeys(range(7), 0.0) | {0: 58.0, 1: 32.0}


def test_days_before_1970_are_days_too() -> None:
    early = -1.5 * 86_400  # noon of Tuesday, 30 December 1969
    sides = {"market_id": ["A", "A"], "side": ["buy", "sell"]}
    table = fill_table(
        {"timestamp": [early - 1, early], **sides, "quantity": [1, 1], "price": [1, 3]}
    )
    assert pnl_by_weekday(table)[1] == 2.0
    assert pnl_by_hour(table)[12] == 2.0


def test_exposure_of_the_story(story: FillTable) -> None:
    at_stake = exposure(story)
    assert at_stake.times_ns.tolist() == [ns(h) for h in (0, 1, 2, 3, 5)]
    # 10 x 100, 40 x 103, 30 x 103, -20 x 101, nothing.
    assert at_stake.gross.tolist() == [1000, 4120, 3090, 2020, 0]
    assert at_stake.net.tolist() == [1000, 4120, 3090, -2020, 0]
    # Hours 1, 1, 1, 2: (1000 + 4120 + 3090 + 2 x 2020) / 5, and with -2020.
    assert at_stake.mean(ns(0), ns(5)) == (pytest.approx(2450), pytest.approx(834))
    assert at_stake.mean(ns(-5), ns(5)) == (pytest.approx(1225), pytest.approx(417))
    assert at_stake.mean(ns(2.5), ns(3.5)) == (pytest.approx(2555), pytest.approx(535))
    assert at_stake.mean(ns(-5), ns(-4)) == (0.0, 0.0)
    assert at_stake.mean(ns(6), ns(7)) == (0.0, 0.0)
    assert at_stake.mean(ns(1), ns(1)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("start", "end", "share"),
    [(0, 10, 0.5), (-5, 5, 0.5), (1, 4, 1.0), (4, 6, 0.5), (-2, -1, 0.0), (5, 6, 0.0), (3, 3, 0.0)],
)
def test_time_in_market_of_the_story(
    story: FillTable, start: float, end: float, share: float
) -> None:
    assert time_in_market(story, ns(start), ns(end)) == pytest.approx(share, abs=1e-15)


def test_time_in_market_is_the_union_over_markets() -> None:
    # A from 0 to 2, B from 1 to 3 and C, a NO side, from 5 on: 3 h and 3 h of 8.
    fills = [
        fill(1, 10, at=0, market="A"),
        fill(1, 10, at=1, market="B"),
        fill(-1, 10, at=2, market="A"),
        fill(-1, 10, at=3, market="B"),
        fill(-1, 0.4, at=5, market="C:no"),
    ]
    assert time_in_market(fill_table(fills), ns(0), ns(8)) == pytest.approx(6 / 8)


def test_an_end_before_the_start_is_refused(story: FillTable) -> None:
    with pytest.raises(ValueError, match="end_ns"):
        time_in_market(story, 5, 4)
    with pytest.raises(ValueError, match="end_ns"):
        exposure(story).mean(5, 4)


def test_turnover_counts_both_sides(story: FillTable) -> None:
    assert turnover(story, 5130.0) == 2.0
    assert turnover(story, 0.0) == turnover(story, -1.0) == 0.0
    with pytest.raises(ValueError, match="mean_equity"):
        turnover(story, math.nan)


def test_rows_of_one_time_make_one_step_of_exposure() -> None:
    fills = [fill(1, 10), fill(1, 20), fill(-1, 30), fill(-2, 5, at=1)]
    at_stake = exposure(fill_table(fills))
    # 2 @ 15, one sold: 15. Then a flip to -1 @ 5.
    assert at_stake.times_ns.tolist() == [ns(0), ns(1)]
    assert at_stake.gross.tolist() == [15, 5]
    assert at_stake.net.tolist() == [15, -5]


# ------------------------------------------------------------------ kinds of markets
def test_both_sides_of_a_prediction_are_apart_and_count_together() -> None:
    fills = [
        fill(100, 0.40, fee=0.4, market="rain"),
        fill(50, 0.55, fee=0.2, market="rain:no", at=1),
    ]
    open_ = fill_table(fills)
    # It rains: YES is worth 1, NO is worth 0.
    ended = fill_table(
        fills, [settled(100, 1, at=2, market="rain"), settled(50, 0, at=2, market="rain:no")]
    )
    closed = closings(ended)
    assert closed.market_ids.tolist() == ["rain", "rain:no"]
    assert closed.pnl_gross.tolist() == pytest.approx([60, -27.5])
    assert closed.pnl.tolist() == pytest.approx([59.6, -27.7])
    assert pnl_by_market(ended) == {"rain": pytest.approx(31.9)}
    assert pnl_by_market(open_) == {"rain": pytest.approx(-0.6)}  # fees are paid already
    # 40 and 27.50 are laid out; the NO is a bet against the same market.
    assert exposure(open_).gross.tolist() == pytest.approx([40, 67.5])
    assert exposure(open_).net.tolist() == pytest.approx([40, 12.5])
    assert exposure(ended).gross[-1] == exposure(ended).net[-1] == 0.0


def test_markets_come_in_order_of_their_first_trade() -> None:
    fills = [
        fill(1, 2, market="B", fee=0.5),
        fill(1, 0.5, market="A:no", fee=0.25),
        fill(-1, 5, market="B", fee=0.5),
        fill(1, 0.5, market="A", fee=0.25),
    ]
    assert list(pnl_by_market(fill_table(fills)).items()) == [("B", 2.0), ("A", -0.5)]


@pytest.mark.parametrize(
    ("market", "multipliers", "multiplier"),
    [
        (CALL, None, 100.0),
        (CALL, {CALL: 10}, 10.0),
        ("AAPL  250117C00180000", {"AAPL  250117C00180000": 10}, 10.0),
        ("ES", {"ES": 50.0, "unknown": 3}, 50.0),
        ("X-PERP", None, 1.0),
        ("BTC/USD", None, 1.0),
        ("ACME", {}, 1.0),
    ],
)
def test_multipliers(market: str, multipliers: Any, multiplier: float) -> None:
    # Short 3 @ 7, covered at 5: 3 x 2 points.
    table = fill_table(
        [fill(-3, 7, market=market), fill(3, 5, market=market)], multipliers=multipliers
    )
    assert closings(table).pnl_gross.tolist() == [6 * multiplier]
    assert closings(table).is_long.tolist() == [False]
    assert trade_stats(table).traded_notional == (21 + 15) * multiplier
    assert exposure(table).gross.tolist() == [0]
    assert exposure(fill_table([fill(-3, 7, market=market)], multipliers=multipliers)).net.tolist()[
        0
    ] == pytest.approx(-21 * multiplier)


def test_no_shares_the_multiplier_of_its_market() -> None:
    table = fill_table([fill(2, 0.25, market="rain:no")], multipliers={"rain": 10})
    assert trade_stats(table).traded_notional == 5.0


def test_a_prediction_whose_id_looks_like_an_option_is_no_option() -> None:
    table = fill_table([fill(1, 0.5, market=CALL), fill(1, 0.5, market=CALL + ":no")])
    assert table.multipliers.tolist() == [1, 1]


def test_a_stated_profit_counts_as_it_is_stated() -> None:
    # By average cost it would be 2; the market has a multiplier that its id does not tell.
    table = fill_table([fill(1, 3, realized=0.0), fill(-1, 5, realized=10.0)])
    assert closings(table).pnl_gross.tolist() == [10]


def test_dust_is_flat() -> None:
    # 0.1 + 0.2 is not 0.3 in binary; the position is flat all the same.
    table = fill_table([fill(0.1, 10), fill(0.2, 10), fill(-0.3, 10, at=1)])
    assert len(round_trips(table)) == 1
    assert time_in_market(table, ns(0), ns(2)) == pytest.approx(0.5)
    assert exposure(table).gross.tolist()[-1] == 0.0


def test_rebates_are_shared_out_like_fees() -> None:
    table = fill_table([fill(4, 10, fee=-0.8), fill(-1, 10, fee=-0.1)])
    assert closings(table).pnl.tolist() == pytest.approx([0.1 + 0.2])
    assert trade_stats(table).fee_bps == pytest.approx(-0.9 / 50 * 1e4)


# ------------------------------------------------------------------ statistics
def trips_with(*gains: float) -> FillTable:
    """One unit bought at 100 and sold, for each gain."""
    return fill_table([f for gain in gains for f in (fill(1, 100), fill(-1, 100 + gain))])


def test_a_closing_of_nothing_ends_both_streaks() -> None:
    stats = trade_stats(trips_with(1, 2, 0, 3, -1, -2, 0, -3, -4, -5, 6))
    assert (stats.win_streak, stats.loss_streak) == (2, 3)
    assert (stats.wins, stats.losses, stats.closings) == (4, 5, 11)
    assert stats.win_rate == pytest.approx(400 / 11)  # in 11 closings, the zeros among them
    assert stats.expectancy == pytest.approx(-3 / 11)


def test_streaks_at_the_ends_count() -> None:
    stats = trade_stats(trips_with(1, 1, 1, -1, -1))
    assert (stats.win_streak, stats.loss_streak) == (3, 2)


@pytest.mark.parametrize(
    ("gains", "factor", "payoff"),
    [
        ((1, 2), math.inf, math.inf),
        ((-1, -2), 0.0, 0.0),
        ((0, 0), math.inf, 0.0),
        ((0, 2), math.inf, math.inf),
        ((3, -1, -2), 1.0, 2.0),
        ((), 0.0, 0.0),
    ],
)
def test_profit_factor_and_payoff(gains: tuple[float, ...], factor: float, payoff: float) -> None:
    stats = trade_stats(trips_with(*gains))
    assert (stats.profit_factor, stats.payoff_ratio) == (factor, payoff)
    # What is not there is 0.0, and never -0.0.
    for name in ("avg_loss", "largest_loss", "gross_loss", "avg_win", "largest_win"):
        value = getattr(stats, name)
        assert value != 0.0 or math.copysign(1.0, value) == 1.0, name
    if not any(gain < 0 for gain in gains):
        assert stats.avg_loss == stats.largest_loss == stats.gross_loss == 0.0
    if not any(gain > 0 for gain in gains):
        assert stats.avg_win == stats.largest_win == stats.gross_profit == 0.0


def test_fees_decide_what_wins() -> None:
    # A gain of 1 that pays 0.5 in and 0.5 out is no win, and of 0 none either.
    fills = [fill(1, 100, fee=0.5), fill(-1, 101, fee=0.5), fill(1, 100), fill(-1, 100, fee=0.01)]
    stats = trade_stats(fill_table(fills))
    assert (stats.wins, stats.losses) == (0, 1)
    assert stats.largest_loss == -0.01


# ------------------------------------------------------------------ degenerate
@pytest.mark.parametrize("fills", [[], [fill(1, 10, fee=0.5)], [fill(1, 10), fill(2, 11)]])
def test_without_closings_everything_is_zero(fills: list[VenueFill]) -> None:
    table = fill_table(fills)
    stats = trade_stats(table)
    kept = {"total_trades", "total_fees", "traded_notional", "fee_bps", "maker_share"}
    for field in fields(stats):
        value = getattr(stats, field.name)
        assert type(value) in (int, float), field.name
        assert field.name in kept or (value == 0 and math.copysign(1, value) > 0), field.name
    assert stats.total_trades == len(fills)
    assert len(closings(table)) == len(round_trips(table)) == 0
    assert set(pnl_by_hour(table).values()) == set(pnl_by_weekday(table).values()) == {0.0}
    assert sum(pnl_by_market(table).values()) == pytest.approx(-stats.total_fees)
    assert time_in_market(table, ns(0), ns(1)) == (1.0 if fills else 0.0)
    assert len(exposure(table)) == (1 if fills else 0)
    assert exposure(table).mean(ns(0), ns(1))[0] == pytest.approx(stats.traded_notional)
    for made in (closings(table), round_trips(table)):
        assert made.to_frame().shape[0] == 0
        assert repr(made)
        assert made._repr_html_()


def test_frames_have_the_same_types_with_and_without_rows(story: FillTable) -> None:
    for make in (closings, round_trips, lambda table: table):
        full, empty = make(story).to_frame(), make(fill_table()).to_frame()
        assert full.dtypes.to_dict() == empty.dtypes.to_dict()


def test_frames_of_the_story(story: FillTable) -> None:
    frame = closings(story).to_frame()
    assert frame["side"].tolist() == ["long", "long", "short"]
    assert frame["pnl"].tolist() == [58, -66, 98]
    assert frame["closed"].iloc[0].isoformat() == "2024-01-01T23:30:00+00:00"
    assert frame["holding"].dt.total_seconds().tolist() == [1.25 * HOUR, 2.25 * HOUR, 2 * HOUR]
    frame = round_trips(story).to_frame()
    assert frame["fills"].tolist() == [4, 1]
    assert frame["is_settled"].tolist() == [False, True]
    assert str(frame["opened"].dtype) == "datetime64[ns, UTC]"
    frame = story.to_frame()
    assert frame["notional"].tolist() == [1000, 3120, 1090, 5050, 1920]
    assert frame["side"].tolist() == ["buy", "buy", "sell", "sell", "buy"]


def test_entry_times_are_means_to_the_nanosecond() -> None:
    # 1 unit at 1 ns and 2 units at 4 ns past an odd time: (1 + 2 x 4) / 3 = 3.
    since = 1_704_144_600_123_456_789
    stamps = np.array([since + 1, since + 4, since + 9], dtype="datetime64[ns]")
    names, sides = ["A"] * 3, ["buy", "buy", "sell"]
    columns = {"timestamp": stamps, "market_id": names, "side": sides, "price": [1, 1, 1]}
    table = fill_table(columns | {"quantity": [1, 2, 3]})
    assert closings(table).opened_ns.tolist() == [since + 3]


def test_a_settlement_written_with_fewer_digits_closes_all() -> None:
    table = fill_table([fill(1 / 3, 10)], [settled(0.3333333333, 12, at=1)])
    assert closings(table).quantities.tolist() == [1 / 3]
    assert closings(table).pnl_gross.tolist() == pytest.approx([2 / 3])
    assert len(round_trips(table)) == 1
    assert exposure(table).gross.tolist()[-1] == 0.0


def test_only_what_a_flip_opens_counts_for_its_entry() -> None:
    # 3 sold @ 12 leave -2; 2 more @ 14: (2 x 12 + 2 x 14) / 4 = 13.
    table = fill_table([fill(1, 10), fill(-3, 12), fill(-2, 14), fill(4, 11)])
    assert round_trips(table).entry_prices.tolist() == [10, 13]
    assert round_trips(table).exit_prices.tolist() == [12, 11]


def test_round_trips_come_in_order_of_their_end() -> None:
    fills = [fill(1, 1, market="A"), fill(1, 1, market="B")]
    fills += [fill(-1, 1, market="B", at=1), fill(-1, 1, market="A", at=2)]
    assert round_trips(fill_table(fills)).market_ids.tolist() == ["B", "A"]


def test_reprs_say_what_there_is(story: FillTable) -> None:
    assert repr(story) == "<FillTable: 4 fills, 1 settlements, 1 positions>"
    assert repr(closings(story)) == "<Closings: 3, net 90.00>"
    assert repr(round_trips(story)) == "<RoundTrips: 2, net 90.00>"
    assert repr(exposure(story)) == "<Exposure: 5 steps, at most 4,120.00 gross>"
    assert repr(exposure(fill_table())) == "<Exposure: 0 steps, at most 0.00 gross>"


def test_what_is_still_open_is_no_round_trip_and_its_fees_are_not_yet_shared_out() -> None:
    # 4 bought for a fee of 2, one sold for 0.25: a quarter of 2 is borne.
    table = fill_table([fill(4, 10, fee=2), fill(-1, 12, fee=0.25)])
    assert closings(table).fees.tolist() == [0.75]
    assert len(round_trips(table)) == 0
    assert pnl_by_market(table) == {"ACME": 2 - 2.25}
    assert trade_stats(table).total_fees == 2.25


def test_a_long_history_keeps_its_nanoseconds() -> None:
    # Ten years apart: the mean of the two entries, to the nanosecond that a float has left.
    years = 10 * 365 * 24
    table = fill_table([fill(1, 10), fill(1, 10, at=years), fill(-2, 10, at=years)])
    (opened,) = closings(table).opened_ns
    assert abs(int(opened) - (ns(0) + ns(years)) // 2) <= 64
    assert np.all(closings(table).opened_ns <= closings(table).closed_ns)


@pytest.mark.parametrize("as_given", [list, iter, fill_table], ids=["list", "iterator", "table"])
def test_fills_of_any_form_are_read(as_given: Any) -> None:
    def given() -> Any:
        return as_given([fill(10, 100, at=0, fee=1), fill(-10, 105, at=1, fee=1)])

    # 10 * 5 less two fees of 1; 1,000 in and 1,050 out; 1,000 at stake for the first hour of two.
    assert closings(given()).pnl.tolist() == [48.0]
    assert round_trips(given()).pnl.tolist() == [48.0]
    assert trade_stats(given()).expectancy == 48.0
    assert pnl_by_market(given()) == {"ACME": 48.0}
    assert sum(pnl_by_hour(given()).values()) == sum(pnl_by_weekday(given()).values()) == 48.0
    assert exposure(given()).gross.tolist() == [1000.0, 0.0]
    assert turnover(given(), 4_100.0) == 0.5
    assert time_in_market(given(), ns(0), ns(2)) == 0.5
    assert forecast_scores(given()).brier_score is None


def test_what_is_no_fills_is_refused_by_type() -> None:
    whole = (closings, round_trips, trade_stats, pnl_by_market, pnl_by_hour, pnl_by_weekday)
    calls = [
        *whole,
        exposure,
        forecast_scores,
        lambda bad: turnover(bad, 1.0),
        lambda bad: time_in_market(bad, 0, 1),
    ]
    for call in calls:
        for bad in (5, None, [1]):
            with pytest.raises(TypeError, match="must be a list of VenueFill or of Fill, or a fra"):
                call(bad)
