"""What a tearsheet says before its numbers: only where something misleads."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import Metrics, Tearsheet, generate_tearsheet
from horizon.analytics.metrics import ANNUALISED
from horizon.analytics.report import html_summary, tables_of

DAYS = pd.date_range("2024-01-01", periods=200)
EVEN = pd.Series(100.0 + np.arange(200) % 7 + np.arange(200) / 10, index=DAYS)


def test_a_record_of_half_a_year_needs_no_caution() -> None:
    sheet = generate_tearsheet(EVEN, benchmark=EVEN * 2)
    assert sheet.cautions == []
    assert "!" not in repr(sheet)


def test_a_short_record_is_said_to_be_short() -> None:
    few = generate_tearsheet(EVEN[:5])
    assert few.cautions == ["Short record: 4 returns over 4 d; what is annualised says little."]
    assert repr(few).endswith("! " + few.cautions[0])
    minutes = pd.Series(EVEN.to_numpy(), index=pd.date_range("2024-01-01", periods=200, freq="min"))
    assert generate_tearsheet(minutes).cautions == [
        "Short record: 199 returns over 3 h 19 min; what is annualised says little."
    ]


def test_what_is_annualised_of_a_short_record_is_marked_where_it_stands() -> None:
    """The numbers are what they were; from thirty days on nothing is marked."""
    note = "* scaled up from 29 d 23 h to a year: arithmetic, not what a year would bring"
    hours = pd.Series(
        100.0 + np.arange(721) % 5, index=pd.date_range("2024-01-01", periods=721, freq="h")
    )
    for curve, is_marked in ((hours[:-1], True), (hours, False)):
        sheet = generate_tearsheet(curve)
        text, summary = repr(sheet), html_summary(sheet)
        tables = {table.caption: table for table in tables_of(sheet)["metrics"]}
        for label, metric in (
            ("CAGR", "cagr"),
            ("Sharpe", "sharpe_ratio"),
            ("Calmar", "calmar_ratio"),
        ):
            assert (f"{label} *:" in text, f">{label} *</dt>" in summary) == (is_marked, is_marked)
            assert (f"{label}:" in text, f">{label}</dt>" in summary) == (not is_marked,) * 2
            assert metric in ANNUALISED
        assert "Total return:" in text
        assert "Time under water *" not in text
        lines = text.splitlines()
        # Right beneath the numbers, before what else there is to say.
        assert (note in lines and lines[lines.index(note) + 1].startswith("! Short")) == is_marked
        assert (note in summary) == is_marked
        assert [name for name, table in tables.items() if table.note == note] == (
            ["Result", "Reward for risk", "Risk"] if is_marked else []
        )
        result = [label for label, _ in tables["Result"].rows]
        assert ("CAGR *" in result, "CAGR" in result) == (is_marked, not is_marked)
        assert set(tables["Result"].hints) == set(result)
        assert {row.name: row.label for row in sheet.rows()}["cagr"] == "CAGR"


def test_what_is_marked_is_what_a_year_of_another_length_changes() -> None:
    """Found by trying: more returns a year, and the same curve spread over twice the time."""
    rng = np.random.default_rng(1)
    times = pd.date_range("2024-01-01", periods=400)
    equity, market = (100.0 * np.cumprod(1.0 + rng.normal(0.001, 0.01, 400)) for _ in range(2))
    rows = {
        "timestamp": times[[10, 20]],
        "market_id": ["A", "A"],
        "side": ["buy", "sell"],
        "quantity": [1, 1],
        "price": [10.0, 11.0],
    }

    def measured(step: int, per_year: float) -> dict[str, object]:
        own = times[0] + (times - times[0]) * step
        found = generate_tearsheet(
            pd.Series(equity, index=own),
            trades=rows | {"timestamp": own[[10, 20]]},
            benchmark=pd.Series(market, index=own),
            periods_per_year=per_year,
            sampling="points",
        ).metrics
        return {each.name: getattr(found, each.name) for each in fields(Metrics)}

    once = measured(1, 252.0)
    changed = {
        name
        for other in (measured(1, 365.0), measured(2, 252.0))
        for name, value in other.items()
        if value is not None and value != pytest.approx(once[name], rel=1e-9, abs=1e-12)
    }
    of_time = {name for name in changed if name.endswith("_secs")}
    of_the_calendar = {
        name
        for name in changed
        if name.split("_")[-1] in ("day", "days", "month", "months", "years", "date")
    }
    assert changed - of_time - of_the_calendar - {"years", "best_year", "worst_year"} == (
        ANNUALISED | {"periods_per_year"}
    )


@pytest.mark.parametrize("first", [0.0, -5.0])
def test_a_curve_of_profits_is_taken_for_what_it_is(first: float) -> None:
    sheet = generate_tearsheet(pd.Series(first + np.arange(200.0), index=DAYS))
    assert sheet.cautions == [
        "The curve begins at 0 or below, so fractions of it mean nothing. A curve of profits "
        "wants the capital added to it."
    ]


def test_capital_that_is_not_the_curves_own() -> None:
    sheet = generate_tearsheet(EVEN, initial_capital=100_000)
    assert sheet.cautions == [
        "The first equity, 100, is far from the initial capital of 100,000: they may not belong "
        "together."
    ]


def test_an_account_below_zero() -> None:
    bust = pd.Series([100.0, -20.0] + [5.0] * 198, index=DAYS)
    bust.iloc[1] = 90.0
    bust.iloc[50] = -20.0
    assert generate_tearsheet(bust).cautions == [
        "The account was below 0: drawdowns pass 100 %, and later returns count as 0."
    ]


@pytest.mark.parametrize(
    ("price", "fair", "is_far"),
    [
        (180.0, 1.0, True),  # the sign of a trend, say
        (180.0, 0.0, True),
        (180.0, -1.0, True),
        (180.0, 18.0, False),
        (180.0, 17.9, True),
        (180.0, 1_800.0, False),
        (180.0, 1_801.0, True),
        (0.02, 0.4, False),  # a long shot
        (0.02, 1.0, False),
        (0.02, 1.1, True),
        (0.5, 0.0, False),
        (0.5, -0.1, True),
        (0.5, 4.9, False),  # it may be a share
        (0.5, 5.1, True),
        (0.5, math.nan, False),
    ],
)
def test_fair_values_that_are_no_prices_are_told(price: float, fair: float, is_far: bool) -> None:
    fills = {
        "timestamp": ["2024-01-02 15:00", "2024-01-03 15:00"],
        "market_id": ["ACME", "ACME"],
        "side": ["buy", "sell"],
        "quantity": [1, 1],
        "price": [price, price],
    }
    sheet = generate_tearsheet(EVEN, trades=fills, fair_values=[fair, price])
    assert (sheet.cautions != []) == is_far
    if is_far:
        assert sheet.cautions[0].startswith(
            "The fair values behind 1 of 2 fills are far from the price"
        )
    # As they are of NO: bought at 0.3 is sold at 0.7 of YES, of which 0.9 is no stranger.
    no = fills | {"market_id": ["rain:no"] * 2, "price": [0.3, 0.3]}
    assert generate_tearsheet(EVEN, trades=no, fair_values=[0.9, 0.1]).cautions == []
    assert (
        generate_tearsheet(EVEN, trades=no, fair_values=[7.1, -0.1])
        .cautions[0]
        .startswith("The fair values behind 2 of 2 fills")
    )


def test_fills_outside_the_curve_are_counted() -> None:
    fills = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(
                ["2024-01-02 15:00", "2024-07-18 15:00", "2030-01-01 15:00"]
            ),
            "market_id": "ACME",
            "side": ["buy", "sell", "buy"],
            "quantity": 1.0,
            "price": 10.0,
        }
    )
    # The curve bears dates: all of its last day, 18 July, is within it.
    sheet = generate_tearsheet(EVEN, trades=fills)
    assert sheet.cautions == ["1 of 3 fills lie outside the time of the curve."]
    assert generate_tearsheet(EVEN, trades=fills[:2]).cautions == []


def test_a_benchmark_that_has_ended_or_is_too_coarse() -> None:
    ended = generate_tearsheet(EVEN, benchmark=EVEN[:80])
    # 199 periods, of which the first 79 have a change; in them EVEN changes always.
    assert ended.cautions == [
        "The benchmark stands still in 120 of 199 periods: it has ended, or its values are too far "
        "apart."
    ]
    weekly = generate_tearsheet(EVEN, benchmark=EVEN[::7])
    assert weekly.cautions == [
        "The benchmark stands still in 171 of 199 periods: it has ended, or its values are too far "
        "apart."
    ]


def test_returns_have_cautions_too() -> None:
    assert len(Tearsheet.from_returns(EVEN.pct_change().dropna()[:10]).cautions) == 1
