"""Tearsheets of a period, of some markets, beside another benchmark: worked by hand.

The account below has 1,000 USD and points at 16:00 UTC each day.

=====  ======  =========================================  ======
day    time    what happens                               equity
=====  ======  =========================================  ======
Jan 1  00:00   the start                                    1000
Jan 1                                                       1010
Jan 2  10:00   10 A bought at 10, fee 1
       11:00   2 C sold short at 50, fee 0.20               1020
Jan 3  12:00   2 C bought back at 40, fee 0.30              1000
Jan 4  10:00   4 A sold at 12, fee 0.50
       12:00   5 B bought at 20                             1050
Jan 5  11:00   6 A sold at 11, fee 0.50                     1040
Jan 6                                                       1060
=====  ======  =========================================  ======

A has realised 4 × 2 + 6 × 1 = 14 and paid 2: 12. C has realised 2 × 10 = 20 and paid 0.50: 19.50.
B is still held.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics import fill_table, generate_tearsheet
from horizon.analytics.curves import Curve
from horizon.analytics.fill_parts import are_of, kept_rows, markets_of, open_before, realised_curve
from horizon.analytics.fills import FillTable
from horizon.analytics.metrics import Metrics
from horizon.analytics.positions import Steps
from horizon.analytics.sheet_parts import TearsheetPart, tearsheet_part
from horizon.analytics.spans import Span, span_between, span_named
from horizon.analytics.tearsheet import Tearsheet
from horizon.analytics.trades import round_trips, trade_stats
from horizon.backtesting.result import BacktestResult
from tests.backtesting.made import whole_run

CURVE = [
    ("2024-01-01 00:00", 1000.0),
    ("2024-01-01 16:00", 1010.0),
    ("2024-01-02 16:00", 1020.0),
    ("2024-01-03 16:00", 1000.0),
    ("2024-01-04 16:00", 1050.0),
    ("2024-01-05 16:00", 1040.0),
    ("2024-01-06 16:00", 1060.0),
]
FILLS = pd.DataFrame(
    [
        ("2024-01-02 10:00", "A", "buy", 10.0, 10.0, 1.0),
        ("2024-01-02 11:00", "C", "sell", 2.0, 50.0, 0.2),
        ("2024-01-03 12:00", "C", "buy", 2.0, 40.0, 0.3),
        ("2024-01-04 10:00", "A", "sell", 4.0, 12.0, 0.5),
        ("2024-01-04 12:00", "B", "buy", 5.0, 20.0, 0.0),
        ("2024-01-05 11:00", "A", "sell", 6.0, 11.0, 0.5),
    ],
    columns=["timestamp", "market_id", "side", "quantity", "price", "fee"],
)


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.fixture
def whole() -> Tearsheet:
    return generate_tearsheet(CURVE, FILLS, sampling="daily", title="By hand")


@pytest.fixture
def two_days(whole: Tearsheet) -> Tearsheet:
    """4 and 5 January: 4 A and 6 A sold, B bought."""
    return tearsheet_part(whole, span=span_between("2024-01-04", "2024-01-05"))


# ------------------------------------------------------------------------ a period
def test_a_period_has_the_returns_that_end_in_it(whole: Tearsheet, two_days: Tearsheet) -> None:
    assert two_days.returns.tolist() == close([0.05, 1040.0 / 1050.0 - 1.0])
    assert two_days.returns.tolist() == whole.returns[3:5].tolist()
    m = two_days.metrics
    assert (m.initial_equity, m.final_equity, m.total_return) == (1000.0, 1040.0, 40.0)
    assert m.total_return_pct == close(0.04)
    # From 3 January 16:00 to 5 January 16:00; 50 below the peak of 1050 is none of its falls.
    assert m.years == close(2.0 / 365.25)
    assert (m.max_drawdown, m.drawdown_count) == (10.0, 1)
    assert m.periods_per_year == whole.metrics.periods_per_year


def test_what_a_period_closes_counts_from_its_entry_before(two_days: Tearsheet) -> None:
    m = two_days.metrics
    # 4 × 2 − 0.50 − 0.4 × 1 = 7.10 and 6 × 1 − 0.50 − 0.6 × 1 = 4.90.
    assert two_days.closings["pnl"].tolist() == close([7.1, 4.9])
    assert (m.total_trades, m.closing_count, m.win_rate) == (3, 2, 100.0)
    assert m.expectancy == close(6.0)
    assert m.total_fees == close(1.0)
    # 48 + 100 + 66 of notional.
    assert m.traded_notional == close(214.0)
    assert two_days.pnl_by_market == {"A": close(13.0), "B": 0.0}


def test_a_round_trip_belongs_to_the_period_that_it_ended_in(two_days: Tearsheet) -> None:
    (trip,) = two_days.round_trips.to_dict("records")
    assert trip["market_id"] == "A"
    assert trip["opened"] == pd.Timestamp("2024-01-02 10:00", tz="UTC")
    assert trip["pnl"] == close(12.0)
    # Alone the period does not know how A was entered, and calls nothing a round trip.
    assert len(round_trips(two_days.fills)) == 0


def test_what_was_held_at_the_start_counts_as_held(two_days: Tearsheet) -> None:
    m = two_days.metrics
    assert m.time_in_market == close(1.0)
    # At entry cost: 100 for 18 hours, 60 for 2, 160 for 23, 100 for 5; equity 1000 and 1050.
    mean = (100.0 * 18 + 60.0 * 2 + 160.0 * 23 + 100.0 * 5) / 48.0
    assert m.average_gross_exposure == close(mean / 1025.0)
    assert m.average_net_exposure == close(mean / 1025.0)
    assert two_days.exposure.gross.tolist() == close([100.0, 60.0, 160.0, 100.0])
    start = np.datetime64("2024-01-03T16:00", "ns").astype(np.int64)
    assert int(two_days.exposure.times_ns[0]) == start


def test_a_short_that_was_carried_in_is_net_below_zero(whole: Tearsheet) -> None:
    part = tearsheet_part(whole, span=span_between("2024-01-03", "2024-01-03"))
    # From 2 January 16:00: 100 of A throughout, −100 of C for 20 of 24 hours; equity 1020.
    assert part.metrics.average_gross_exposure == close((100.0 + 100.0 * 20 / 24) / 1020.0)
    assert part.metrics.average_net_exposure == close((100.0 - 100.0 * 20 / 24) / 1020.0)


def test_a_period_without_fills_still_has_what_was_held(whole: Tearsheet) -> None:
    part = tearsheet_part(whole, span=span_between("2024-01-06"))
    assert (len(part.fills), part.metrics.total_trades) == (0, 0)
    assert part.metrics.time_in_market == 1.0
    assert part.metrics.average_gross_exposure == close(100.0 / 1040.0)
    assert {row.group for row in part.rows()}.isdisjoint({"Trades", "Costs"})


def test_a_period_says_first_what_it_is_a_part_of(two_days: Tearsheet) -> None:
    first, second = two_days.cautions[:2]
    assert first == (
        "Period 2024-01-04 to 2024-01-05 UTC: 2 of 6 returns. Its initial capital is the equity "
        "at 2024-01-03 16:00:00 UTC."
    )
    assert second.startswith("1 position was open when it began: ")


def test_periods_that_follow_each_other_add_up_to_the_whole(whole: Tearsheet) -> None:
    cuts = ["2024-01-01", "2024-01-03", "2024-01-05"]
    parts = [
        tearsheet_part(whole, span=span_between(a, b))
        for a, b in zip(cuts, ["2024-01-02", "2024-01-04", "2024-01-06"], strict=True)
    ]
    found = [part.metrics for part in parts]
    m = whole.metrics
    assert np.prod([1.0 + one.total_return_pct for one in found]) == close(1.06)
    for name in ("total_return", "total_trades", "closing_count", "total_fees", "years"):
        assert sum(getattr(one, name) for one in found) == close(getattr(m, name)), name
    held = sum(one.time_in_market * one.years for one in found)
    assert held / m.years == close(m.time_in_market)
    gross = sum(
        one.average_gross_exposure * one.years * _mean_equity(part)
        for one, part in zip(found, parts, strict=True)
    )
    assert gross / m.years / _mean_equity(whole) == close(m.average_gross_exposure)
    assert sum(len(part.round_trips) for part in parts) == len(whole.round_trips) == 2


def _mean_equity(sheet: Tearsheet) -> float:
    steps = np.diff(sheet.curve.times_ns)
    return float((steps * sheet.equity[:-1]).sum() / steps.sum())


def test_a_span_that_leaves_nothing_out_has_every_number_of_the_whole(whole: Tearsheet) -> None:
    assert tearsheet_part(whole) is whole
    part = tearsheet_part(whole, span=span_between("2020-01-01", "2030-01-01"))
    assert isinstance(part, TearsheetPart)
    assert part.metrics == whole.metrics
    assert part.round_trips.equals(whole.round_trips)
    assert part.exposure.gross.tolist() == whole.exposure.gross.tolist()


def test_a_part_is_drawn_and_written_as_any_tearsheet(two_days: Tearsheet, tmp_path: Any) -> None:
    assert "2 of 6 returns" in repr(two_days)
    assert "2 of 6 returns" in two_days._repr_html_()
    drawn = two_days.figure()
    assert sum(trace.name == "sold" for trace in drawn.data) == 2  # the marks, and their legend
    from horizon.analytics.report import html_page

    assert "2 of 6 returns" in html_page(two_days, figure=False)


# ------------------------------------------------------------------------ some markets
def test_a_markets_equity_is_the_capital_and_what_it_has_realised(whole: Tearsheet) -> None:
    a = tearsheet_part(whole, markets=["A"])
    # The fee of 1 on 2 January; 8 − 0.50 on the 4th; 6 − 0.50 on the 5th.
    assert a.equity.tolist() == close([1000.0, 1000.0, 999.0, 999.0, 1006.5, 1012.0, 1012.0])
    assert a.metrics.total_return == close(12.0)
    assert a.pnl_by_market == {"A": close(12.0)}
    rest = tearsheet_part(whole, markets=("C", "B"))
    assert rest.equity.tolist() == close([1000.0, 1000.0, 999.8, 1019.5, 1019.5, 1019.5, 1019.5])
    assert rest.metrics.total_trades == 3
    # Together they are what all have realised.
    assert a.metrics.total_return + rest.metrics.total_return == close(
        sum(whole.pnl_by_market.values())
    )


def test_markets_say_what_their_equity_means_and_what_is_still_open(whole: Tearsheet) -> None:
    text = tearsheet_part(whole, markets=["B", "C"]).cautions[0]
    assert text.startswith("Of 2 of 3 markets (C, B): equity is the whole initial capital")
    assert text.endswith("1 position in them is open at the end, not counted.")
    assert "open at the end" not in tearsheet_part(whole, markets=["A"]).cautions[0]


def test_all_markets_are_the_whole(whole: Tearsheet) -> None:
    assert tearsheet_part(whole, markets=["C", "A", "B"]) is whole


@pytest.mark.parametrize(
    ("markets", "said"),
    [(["A", "Z"], "markets must have fills, 'Z' has none"), ([], "at least, named none")],
    ids=["unknown", "none"],
)
def test_a_market_without_fills_is_refused(whole: Tearsheet, markets: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tearsheet_part(whole, markets=markets)


def test_a_period_of_some_markets_is_a_period_of_what_they_realised(whole: Tearsheet) -> None:
    part = tearsheet_part(whole, span=span_between("2024-01-04", "2024-01-05"), markets=["A"])
    assert part.equity.tolist() == close([999.0, 1006.5, 1012.0])
    assert part.metrics.total_fees == close(1.0)
    assert part.metrics.time_in_market == close((24.0 + 19.0) / 48.0)
    assert [text.split(" ")[0] for text in part.cautions[:3]] == ["Of", "Period", "1"]


def test_a_curve_of_dates_has_a_days_fills_at_that_day() -> None:
    dates = [(text[:10], equity) for text, equity in CURVE[1:]]
    sheet = generate_tearsheet(dates, FILLS, sampling="daily")
    a = tearsheet_part(sheet, markets=["A"])
    assert a.equity.tolist() == close([1010.0, 1009.0, 1009.0, 1016.5, 1022.0, 1022.0])


def test_no_and_settlements_belong_to_their_market() -> None:
    sheet = BacktestResult(whole_run()).tearsheet()
    rain = tearsheet_part(sheet, markets=["rain"])
    # 6 − 1.50 realised at the settlement, fees 0.01 and 0.02 when they were paid.
    assert rain.metrics.total_return == close(4.47)
    assert rain.equity.tolist() == close([1000.0, 999.99, 999.97, 999.97, 1004.47, 1004.47])
    assert (rain.metrics.total_trades, rain.metrics.closing_count) == (2, 2)
    assert rain.metrics.brier_score == sheet.metrics.brier_score
    acme = tearsheet_part(sheet, markets=["ACME"])
    # 5 realised, 0.15 paid; the 4 that are unrealised are not in it.
    assert acme.metrics.total_return == close(4.85)
    assert acme.metrics.brier_score is None


def test_fair_values_stay_with_their_fills() -> None:
    sheet = BacktestResult(whole_run()).tearsheet()
    # YES bought at 0.40 with 0.55, NO at 0.30 (YES sold at 0.70) with 0.65: 0.15 and 0.05.
    assert sheet.metrics.avg_edge == close(0.10)
    late = Span(start_ns=int(sheet.curve.times_ns[2]))
    assert tearsheet_part(sheet, span=late).metrics.avg_edge == close(0.05)
    assert tearsheet_part(sheet, span=late).metrics.model_brier_score == close((0.65 - 1.0) ** 2)
    assert tearsheet_part(sheet, span=late).metrics.brier_score == close((0.70 - 1.0) ** 2)


def test_what_a_run_says_of_itself_is_said_of_its_parts() -> None:
    sheet = BacktestResult(whole_run(dropped={"rain": {"crossed": 2}})).tearsheet()
    part = tearsheet_part(sheet, markets=["rain"])
    assert any("bad rows left out" in text for text in part.cautions)
    assert len(part.cautions) == len(set(part.cautions))


# ------------------------------------------------------------------------ the benchmark
def test_a_benchmark_is_taken_from_the_start_of_the_period(whole: Tearsheet) -> None:
    index = [(time, 50.0 + 5.0 * i) for i, (time, _) in enumerate(CURVE)]
    span = span_between("2024-01-04", "2024-01-05")
    part = tearsheet_part(whole, span=span, benchmark=index, benchmark_name="Index")
    # 65 at the start of the period, 70 and 75 in it, scaled to the equity of 1000.
    assert part.benchmark_equity is not None
    assert part.benchmark_equity.tolist() == close([1000.0, 70e3 / 65.0, 75e3 / 65.0])
    assert part.metrics.benchmark_return_pct == close(75.0 / 65.0 - 1.0)
    assert part.benchmark_name == "Index"
    # The same from another grid of times: the value in force.
    other = [("2024-01-01 00:00", 1.0), ("2024-01-03 15:00", 65.0), ("2024-01-04 17:00", 75.0)]
    other.append(("2024-01-04 18:00", 75.0))  # two in a day: these are times, and not dates
    part = tearsheet_part(whole, span=span, benchmark=other)
    assert part.benchmark_equity is not None
    assert part.benchmark_equity.tolist() == close([1000.0, 1000.0, 75e3 / 65.0])


def test_a_benchmark_can_be_left_out_and_put_back(whole: Tearsheet) -> None:
    index = [(time, 50.0 + i) for i, (time, _) in enumerate(CURVE)]
    against = tearsheet_part(whole, benchmark=index)
    assert against.metrics.beta is not None
    assert tearsheet_part(against, span=span_named("mtd", 0)).metrics.beta is not None
    assert tearsheet_part(against, benchmark=None).metrics.beta is None
    assert whole.metrics.beta is None


def test_a_benchmark_that_begins_too_late_is_refused(whole: Tearsheet) -> None:
    with pytest.raises(hz.DataError, match="must begin by the end of the first period"):
        tearsheet_part(whole, benchmark=[("2024-01-05", 5.0)])


# ------------------------------------------------------------------------ tables of fills
def _columns(table: FillTable) -> dict[str, Any]:
    """Every column of a table and its steps; positions by their names, rows of markets apart."""
    found = {each.name: getattr(table, each.name) for each in fields(FillTable)}
    steps = found.pop("steps")
    found.pop("source_rows")
    found |= {f"steps.{each.name}": getattr(steps, each.name) for each in fields(Steps)}
    names = found.pop("steps.names")
    found["steps.positions"] = [names[at] for at in found["steps.positions"].tolist()]
    return {name: np.asarray(value).tolist() for name, value in found.items()}


def _random_fills(seed: int, n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "timestamp": 1_700_000_000.0 + np.sort(rng.integers(0, 10 * 86_400, n)),
            "market_id": rng.choice(["A", "B", "C:no", "C", "D"], n),
            "side": rng.choice(["buy", "sell"], n),
            "quantity": rng.integers(1, 4, n).astype(float),
            "price": rng.integers(1, 99, n) / 100.0,
            "fee": rng.integers(0, 3, n) / 4.0,
        }
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_rows_of_some_markets_are_what_their_fills_alone_would_be(seed: int) -> None:
    fills = _random_fills(seed)
    table = fill_table(fills)
    for markets in (["A"], ["B", "C"], ["D"]):
        own = kept_rows(table, are_of(table, markets))
        names = [*markets, *(f"{name}:no" for name in markets)]
        alone = fill_table(fills[fills["market_id"].isin(names)])
        seen, wanted = _columns(own), _columns(alone)
        # Mean times of entry are counted from the first row, which is another one.
        for key in ("steps.opened_ns", "realized"):
            np.testing.assert_allclose(seen.pop(key), wanted.pop(key), atol=300.0)
        # A round trip has its number by the order in which trips begin: the same here.
        assert seen == wanted
        assert trade_stats(own).gross_profit == trade_stats(alone).gross_profit


@pytest.mark.parametrize("seed", range(6))
def test_stretches_of_time_share_out_every_closing(seed: int) -> None:
    table = fill_table(_random_fills(seed))
    cuts = [0, 1_700_000_000 + 2 * 86_400, 1_700_000_000 + 7 * 86_400, 2**33]
    parts = [
        kept_rows(table, (table.times_ns >= a * 10**9) & (table.times_ns < b * 10**9))
        for a, b in pairwise(cuts)
    ]
    for name in ("closings", "wins", "losses", "total_trades", "total_fees", "traded_notional"):
        found = sum(getattr(trade_stats(part), name) for part in parts)
        assert found == pytest.approx(getattr(trade_stats(table), name), rel=1e-12), name
    gains = np.concatenate([part.steps.gains for part in parts])
    assert gains.tolist() == table.steps.gains.tolist()
    # A trip that a cut goes through is in no part; every other is in one.
    trips = round_trips(table)
    spans = zip(trips.opened_ns.tolist(), trips.closed_ns.tolist(), strict=True)
    whole = sum(any(a * 10**9 <= o and c < b * 10**9 for a, b in pairwise(cuts)) for o, c in spans)
    assert sum(len(round_trips(part)) for part in parts) == whole
    held = [open_before(table, at * 10**9) for at in cuts[1:-1]]
    assert held == [
        sum(1 for _, own in _frame_until(table, at * 10**9).items() if abs(own) > 1e-9)
        for at in cuts[1:-1]
    ]


def _frame_until(table: FillTable, at_ns: int) -> dict[str, float]:
    """What is held in each market, added up from the fills."""
    held: dict[str, float] = {}
    for ns, name, is_buy, quantity in zip(
        table.times_ns.tolist(),
        table.market_ids.tolist(),
        table.is_buy.tolist(),
        table.quantities.tolist(),
        strict=True,
    ):
        if ns < at_ns:
            held[name] = held.get(name, 0.0) + (quantity if is_buy else -quantity)
    return held


def test_nothing_kept_is_an_empty_table_and_all_is_all() -> None:
    table = fill_table(FILLS)
    none = kept_rows(table, np.zeros(len(table), dtype=bool))
    assert (len(none), trade_stats(none).total_trades, len(round_trips(none))) == (0, 0, 0)
    same, own = _columns(kept_rows(table, np.ones(len(table), dtype=bool))), _columns(table)
    np.testing.assert_array_equal(same.pop("realized"), own.pop("realized"))
    assert same == own
    assert markets_of(table) == ["A", "C", "B"]


def test_a_curve_of_one_point_has_nothing_realised() -> None:
    single = Curve(np.array([0]), np.array([1.0]))
    assert realised_curve(single, fill_table(FILLS)) is single


def test_a_fill_after_the_last_point_is_in_no_point_and_that_is_said() -> None:
    sheet = generate_tearsheet(CURVE[:5], FILLS, sampling="daily")
    a = tearsheet_part(sheet, markets=["A"])
    assert a.equity.tolist() == close([1000.0, 1000.0, 999.0, 999.0, 1006.5])
    assert any("1 of 3 fills lie outside the time of the curve" in text for text in a.cautions)


def test_every_metric_of_a_part_is_a_number_or_none(two_days: Tearsheet) -> None:
    values = [getattr(two_days.metrics, each.name) for each in fields(Metrics)]
    assert not [value for value in values if value is not None and value != value]
