"""Instruments: what an id says, what a contract accepts, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from horizon.instruments import (
    Crypto,
    Equity,
    Market,
    Option,
    Perp,
    Prediction,
    canonical_id,
    class_of_id,
    on_grid,
    option_id,
    split_side,
)
from horizon.types import AssetClass


# ------------------------------------------------------------------------ ids
@pytest.mark.parametrize(
    ("market_id", "expected"),
    [
        ("AAPL", Equity),
        ("BRK/B", Equity),  # one letter is a share class, not a currency
        ("BRK.B", Equity),
        ("perp", Equity),
        ("ACME-perp", Equity),  # case counts
        ("will-it-rain", Equity),
        ("BTC/USD", Crypto),
        ("kraken:ETH/USDT", Crypto),
        ("BTC-PERP", Perp),
        ("hyperliquid:BTC-PERP", Perp),
        ("will-it-rain:no", Prediction),
        ("AAPL250117C00180000", Option),
        ("AAPL  250117C00180000", Option),
        ("SPXW  250117P05000000", Option),
        ("AAPL250117X00180000", Equity),  # neither call nor put
        ("AAPL250117C0018000", Equity),  # one digit short
        ("ABCDEFG250117C00180000", Equity),  # a root of seven
    ],
)
def test_an_id_tells_its_class(market_id: str, expected: AssetClass) -> None:
    assert class_of_id(market_id) is expected


def test_an_option_symbol_has_one_spelling_with_or_without_padding() -> None:
    assert canonical_id("AAPL  250117C00180000") == "AAPL250117C00180000"
    assert canonical_id("AAPL250117C00180000") == "AAPL250117C00180000"
    assert canonical_id("two words and 5 more ") == "two words and 5 more "


def test_a_29_february_that_exists_is_an_option_and_one_that_does_not_is_refused() -> None:
    assert class_of_id("AAPL280229C00180000") is Option
    with pytest.raises(ValueError) as caught:
        class_of_id("AAPL270229C00180000")
    assert "AAPL270229C00180000" in str(caught.value)
    assert "2027-02-29 does not exist" in str(caught.value)


@pytest.mark.parametrize("market_id", ["AAPL251317C00180000", "AAPL250100C00180000"])
def test_an_option_symbol_with_an_impossible_date_is_refused(market_id: str) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        class_of_id(market_id)


def test_an_option_symbol_with_a_strike_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="strike of 0"):
        class_of_id("AAPL250117C00000000")


def test_the_no_side_is_split_from_its_market() -> None:
    assert split_side("rain") == ("rain", False)
    assert split_side("rain:no") == ("rain", True)
    assert split_side("rain:yes") == ("rain:yes", False)
    assert split_side("a:b:no") == ("a:b", True)


@pytest.mark.parametrize("market_id", [":no", "rain:no:no", "rain :no"])
def test_the_no_side_of_no_market_is_refused(market_id: str) -> None:
    with pytest.raises(ValueError, match="names the NO side of no market"):
        split_side(market_id)


# ------------------------------------------------------------------------ option_id
def test_an_option_symbol_is_root_date_right_and_strike_in_thousandths() -> None:
    # 180 dollars are 180,000 thousandths, written in eight digits.
    assert option_id("AAPL", 180, "2025-01-17", "call") == "AAPL250117C00180000"
    assert option_id("SPX", 4_512.5, date(2030, 12, 20), "put") == "SPX301220P04512500"


def test_an_option_symbol_takes_datetimes_letters_and_other_numbers() -> None:
    expected = "F250117P00011500"
    assert option_id("F", Decimal("11.5"), datetime(2025, 1, 17, 16), "P") == expected
    assert option_id("F", 11.5, "2025-01-17", "PUT") == expected


@pytest.mark.parametrize(
    ("strike", "digits"), [(0.001, "00000001"), (99_999.999, "99999999"), (0.07, "00000070")]
)
def test_the_finest_and_the_largest_strike_fit(strike: float, digits: str) -> None:
    assert option_id("X", strike, "2099-12-31", "c") == f"X991231C{digits}"


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"expiry": "2027-02-29"}, ValueError, "expiry must be a day that exists"),
        ({"expiry": "2100-01-15"}, ValueError, "years 2000 to 2099, was 2100-01-15"),
        ({"expiry": "1999-12-31"}, ValueError, "years 2000 to 2099, was 1999-12-31"),
        ({"expiry": "17.01.2025"}, ValueError, "'YYYY-MM-DD', was '17.01.2025'"),
        ({"expiry": "2025-1-17"}, ValueError, "'YYYY-MM-DD'"),
        ({"expiry": 20250117}, TypeError, "expiry must be a date or 'YYYY-MM-DD'"),
        ({"expiry": None}, TypeError, "expiry must be a date"),
        ({"strike": 180.0005}, ValueError, "strike must be a multiple of 0.001"),
        ({"strike": 0.0004}, ValueError, "0.001 to 99,999.999, was 0.0004"),
        ({"strike": 100_000}, ValueError, "0.001 to 99,999.999, was 100000"),
        ({"strike": 0}, ValueError, "strike must be above 0, was 0"),
        ({"strike": -180}, ValueError, "strike must be above 0, was -180"),
        ({"strike": math.nan}, ValueError, "strike must be a finite number, was nan"),
        ({"strike": True}, TypeError, "strike must be a number, was True"),
        ({"strike": "180"}, TypeError, "strike must be a number, was '180'"),
        ({"underlying": "ABCDEFG"}, ValueError, "1 to 6 capitals"),
        ({"underlying": "aapl"}, ValueError, "was 'aapl'"),
        ({"underlying": ""}, ValueError, "underlying must have 1 to 256 characters"),
        ({"underlying": 5}, TypeError, "underlying must be text, was 5"),
        ({"right": "straddle"}, ValueError, "right must be one of 'call', 'put'"),
        ({"right": 1}, TypeError, "right must be one of 'call', 'put'"),
    ],
)
def test_what_an_option_symbol_cannot_hold_is_refused(
    changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    terms = {"underlying": "AAPL", "strike": 180, "expiry": "2025-01-17", "right": "call"}
    with pytest.raises(kind) as caught:
        option_id(**{**terms, **changes})
    assert words in str(caught.value)


def test_the_first_and_the_last_day_that_a_symbol_can_hold() -> None:
    assert option_id("X", 1, "2000-01-01", "put") == "X000101P00001000"
    assert option_id("X", 1, "2099-12-31", "put") == "X991231P00001000"


def test_29_february_of_a_leap_year_is_an_expiry() -> None:
    assert option_id("AAPL", 180, "2028-02-29", "call") == "AAPL280229C00180000"


# ------------------------------------------------------------------------ Market
@pytest.mark.parametrize("kind", list(AssetClass))
def test_the_multiplier_is_100_for_options_and_1_for_all_else(kind: AssetClass) -> None:
    market = Market("X", kind, strike=50 if kind is Option else None)
    assert market.multiplier == (100.0 if kind is Option else 1.0)
    assert Market("X", Equity, multiplier=5).multiplier == 5.0


def test_an_option_symbol_gives_its_own_terms() -> None:
    market = Market("AAPL  250117C00180500", Option)
    assert market.id == "AAPL250117C00180500"
    assert (market.strike, market.expiry, market.right) == (180.5, date(2025, 1, 17), "call")


def test_an_option_of_any_other_id_states_its_terms() -> None:
    market = Market("acme-x", Option, strike=50, expiry="2025-01-17", right="p")
    assert (market.strike, market.expiry, market.right) == (50.0, date(2025, 1, 17), "put")


def test_a_market_is_frozen_and_equal_by_its_terms() -> None:
    market = Market("ACME", Equity, tick_size=0.01)
    assert market == Market("ACME", AssetClass.Equity, multiplier=1, tick_size=Decimal("0.01"))
    assert hash(market) == hash(Market("ACME", Equity, tick_size=0.01))
    with pytest.raises(dataclasses.FrozenInstanceError):
        market.tick_size = 0.05  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"id": ""}, ValueError, "market id must have 1 to 256 characters, has 0"),
        ({"id": "a" * 257}, ValueError, "market id must have 1 to 256 characters, has 257"),
        ({"id": " ACME"}, ValueError, "market id must not begin or end with a blank"),
        ({"id": "AC\x00ME"}, ValueError, "market id must not contain control characters"),
        ({"id": 5}, TypeError, "market id must be text, was 5"),
        ({"id": "rain:no"}, ValueError, "'rain:no' names the NO side of 'rain'"),
        ({"asset_class": "Equity"}, TypeError, "asset_class must be an AssetClass, was 'Equity'"),
        ({"asset_class": 0}, TypeError, "asset_class must be an AssetClass, was 0"),
        ({"multiplier": 0}, ValueError, "multiplier must be above 0, was 0"),
        ({"multiplier": True}, TypeError, "multiplier must be a number, was True"),
        ({"tick_size": -0.01}, ValueError, "tick_size must be above 0, was -0.01"),
        ({"tick_size": math.nan}, ValueError, "tick_size must be a finite number, was nan"),
        ({"lot_size": "1"}, TypeError, "lot_size must be a number, was '1'"),
        ({"lot_size": math.inf}, ValueError, "lot_size must be a finite number, was inf"),
        ({"strike": 50}, ValueError, "strike belongs to an Option, not to Equity"),
        ({"right": "call"}, ValueError, "right belongs to an Option, not to Equity"),
        ({"asset_class": Option}, ValueError, "strike is needed for the option 'ACME'"),
        (
            {"asset_class": Option, "strike": 50, "expiry": "2027-02-29"},
            ValueError,
            "expiry must be a day that exists, was '2027-02-29'",
        ),
        (
            {"asset_class": Option, "strike": 50, "right": "both"},
            ValueError,
            "right must be one of 'call', 'put'; was 'both'",
        ),
        (
            {"id": "AAPL250117C00180000", "asset_class": Option, "strike": 181},
            ValueError,
            "strike must be 180.0 as 'AAPL250117C00180000' says, was 181.0",
        ),
        ({"size": 1}, TypeError, "size"),
    ],
)
def test_a_market_refuses_what_it_cannot_be(
    arguments: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        Market(**{"id": "ACME", "asset_class": Equity, **arguments})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "market_id", ["a" * 256, "<script>", "日本株", "Will it rain?", "rain", "Rain"]
)
def test_a_market_takes_any_readable_id_and_case_counts(market_id: str) -> None:
    assert Market(market_id, Prediction).id == market_id


# ------------------------------------------------------------------------ prices and sizes
@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (Prediction, [0.0, 0.5, 1.0], [-0.01, 1.01]),
        (Option, [0.0, 3.5, 1e15], [-0.01]),
        (Equity, [0.0001, 1e15], [0.0, -1.0]),
        (Perp, [0.0001, 1e6], [0.0, -1.0]),
        (Crypto, [1e-8, 1e6], [0.0, -1.0]),
    ],
)
def test_marks_lie_where_the_class_allows(
    kind: AssetClass, taken: list[float], refused: list[float]
) -> None:
    market = Market("X", kind, strike=50 if kind is Option else None)
    for price in taken:
        assert market.check_mark("price", price) == price
    for price in refused:
        with pytest.raises(ValueError) as caught:
            market.check_mark("price", price)
        assert f"{kind} 'X', was {price}" in str(caught.value)


@pytest.mark.parametrize("price", [0.0, 1.0, 1.5])
def test_a_prediction_order_lies_strictly_between_0_and_1(price: float) -> None:
    market = Market("X", Prediction)
    assert market.check_order_price("limit", 0.001) == 0.001
    with pytest.raises(ValueError, match=r"limit must lie strictly between 0 and 1 .* was "):
        market.check_order_price("limit", price)


def test_prices_and_sizes_lie_on_the_grid_that_is_given() -> None:
    market = Market("X", Equity, tick_size=0.05, lot_size=10)
    assert market.check_order_price("limit", 20.15) == 20.15  # 403 ticks
    assert market.check_quantity("qty", 250.0) == 250.0
    with pytest.raises(ValueError) as caught:
        market.check_order_price("limit", 20.12)
    assert str(caught.value) == "limit must be a multiple of tick size 0.05 in 'X', was 20.12"
    with pytest.raises(ValueError) as caught:
        market.check_quantity("qty", 25.0)
    assert str(caught.value) == "qty must be a multiple of lot size 10 in 'X', was 25.0"


def test_without_a_grid_every_price_and_size_is_on_it() -> None:
    market = Market("X", Equity)
    assert market.check_order_price("limit", math.pi) == math.pi
    assert market.check_quantity("qty", math.e) == math.e


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        (0.3, 0.1, True),  # 0.3 / 0.1 is 2.9999999999999996
        (0.07, 0.01, True),  # 7.000000000000001
        (1e6 + 0.01, 0.01, True),
        (0.305, 0.01, False),
        (0.004, 0.01, False),  # less than one step is none
        (1e-12, 0.01, False),
        (10.0, 10.0, True),
        (15.0, 10.0, False),
    ],
)
def test_the_grid_forgives_rounding_and_nothing_else(
    value: float, step: float, expected: bool
) -> None:
    assert on_grid(value, step) is expected


def test_rounding_to_the_grid_never_pays_more() -> None:
    market = Market("X", Equity, tick_size=0.5)
    assert market.round_price(20.3, 1) == 20.0  # a buy is rounded down
    assert market.round_price(20.3, -1) == 20.5  # a sell up
    assert market.round_price(20.5, 1) == 20.5
    assert Market("X", Equity).round_price(20.3, 1) == 20.3
