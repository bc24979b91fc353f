"""What a tearsheet says before its numbers: only where something misleads."""

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import Tearsheet, generate_tearsheet

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
