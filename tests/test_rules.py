"""The rules as functions of plain numbers, at their edges."""

from __future__ import annotations

import math

import pytest

from horizon import rules
from horizon.types import AssetClass

EQUITY, OPTION, PREDICTION, PERP, CRYPTO = (int(kind) for kind in AssetClass)


@pytest.mark.parametrize(
    ("price", "expected"),
    [(0.7, 0.3), (0.1, 0.9), (0.9, 0.1), (0.0, 1.0), (1.0, 0.0), (1 / 3, 0.666666666667)],
)
def test_the_complement_is_rounded_to_twelve_decimals(price: float, expected: float) -> None:
    assert rules.complement(price) == expected


def test_the_complement_of_the_complement_is_the_price_on_every_cent() -> None:
    for cents in range(101):
        price = cents / 100
        assert rules.complement(rules.complement(price)) == price


@pytest.mark.parametrize(
    ("price", "limit", "sign", "expected"),
    [
        (99.0, 100.0, 1, True),
        (101.0, 100.0, 1, False),
        (101.0, 100.0, -1, True),
        (99.0, 100.0, -1, False),
        (1e-9, 1e-9, 1, True),
        (1.1e-9, 1e-9, 1, False),  # the slack is a fraction of the limit, not a length
        (math.nan, 100.0, 1, False),
        (math.nan, 100.0, -1, False),
    ],
)
def test_a_price_reaches_a_limit_at_it_or_beyond(
    price: float, limit: float, sign: int, expected: bool
) -> None:
    assert rules.reaches(price, limit, sign) is expected


def test_a_fee_is_taken_of_the_size_whatever_its_sign() -> None:
    assert rules.fee(-10, 5.0, 100.0, 0.01) == rules.fee(10, 5.0, 100.0, 0.01) == 50.0
    assert rules.fee(10, 5.0, 1.0, -0.01) == -0.5


@pytest.mark.parametrize(
    ("held", "average", "traded", "price", "expected"),
    [
        (0.0, 0.0, 10.0, 5.0, 5.0),
        (10.0, 5.0, 10.0, 7.0, 6.0),
        (-10.0, 5.0, -30.0, 9.0, 8.0),  # (50 + 270) / 40
        (10.0, 5.0, -4.0, 9.0, 5.0),
        (10.0, 5.0, -10.0, 9.0, 5.0),
        (10.0, 5.0, -15.0, 9.0, 9.0),
    ],
)
def test_the_average_moves_on_increases_and_restarts_on_a_flip(
    held: float, average: float, traded: float, price: float, expected: float
) -> None:
    assert rules.average_after(held, average, traded, price) == expected


@pytest.mark.parametrize(
    ("held", "traded", "expected"),
    [(10.0, 5.0, 0.0), (10.0, -4.0, 4.0), (10.0, -15.0, 10.0), (-3.0, 2.0, 2.0), (0.0, 9.0, 0.0)],
)
def test_what_a_trade_closes(held: float, traded: float, expected: float) -> None:
    assert rules.closed_quantity(held, traded) == expected


def test_a_million_small_trades_closed_by_one_leave_nothing() -> None:
    held = low = 0.0
    for _ in range(1_000):
        held, low = rules.quantity_after(held, low, 0.1)
    assert rules.quantity_after(held, low, -100.0) == (0.0, 0.0)


def test_a_real_rest_is_no_dust() -> None:
    assert rules.quantity_after(1.0, 0.0, -0.999999)[0] == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("kind", "sign", "price", "last", "expected"),
    [
        (EQUITY, 1, 100.0, 90.0, 101.0),  # price and a fee of 1 %
        (EQUITY, -1, 100.0, 90.0, 51.0),  # 150 - 100 + 1
        (EQUITY, -1, 100.0, 120.0, 81.0),  # 180 - 100 + 1
        (CRYPTO, -1, 100.0, 120.0, 81.0),
        (OPTION, -1, 3.0, 4.0, 11.03),  # 4 + 0.2 * 50 - 3 + 0.03
        (PREDICTION, 1, 0.4, 0.9, 0.404),
        (PREDICTION, -1, 0.4, 0.9, 0.604),  # 1 - 0.40 + 0.004
        (PERP, 1, 100.0, 90.0, 31.0),  # 20 + 10 + 1
        (PERP, 1, 100.0, 110.0, 21.0),
        (PERP, -1, 100.0, 110.0, 31.0),
        (PERP, -1, 100.0, 90.0, 21.0),
    ],
)
def test_what_a_unit_to_open_reserves(
    kind: int, sign: int, price: float, last: float, expected: float
) -> None:
    unit = rules.unit_reserve(kind, sign, price, last, 1.0, 50.0, 5.0, 0.01)
    assert unit == pytest.approx(expected, abs=1e-12)
    ten = rules.unit_reserve(kind, sign, price, last, 10.0, 50.0, 5.0, 0.01)
    assert ten == pytest.approx(10 * expected, abs=1e-12)


def test_a_reserve_is_never_below_zero() -> None:
    # A rebate of half the notional does not turn what an order costs into a gift.
    for kind in (EQUITY, OPTION, PREDICTION, PERP, CRYPTO):
        for sign in (1, -1):
            assert rules.unit_reserve(kind, sign, 5.0, 0.1, 1.0, 0.001, 5.0, -0.5) >= 0.0


@pytest.mark.parametrize(
    ("quantity", "closable", "held", "expected"),
    [
        (10.0, 0.0, 0.0, 10.0),
        (10.0, 4.0, 4.0, 6.0),
        (10.0, 10.0, 10.0, 0.0),
        (10.0, -3.0, 10.0, 10.0),
        (0.30000000000000004, 0.3, 0.3, 0.0),  # rounding opens nothing
    ],
)
def test_the_opening_part(quantity: float, closable: float, held: float, expected: float) -> None:
    assert rules.opening_part(quantity, closable, held) == expected


@pytest.mark.parametrize(
    ("margin", "profit", "at_mark", "expected"),
    [
        (10.0, -5.0, 100.0, True),  # 5 = M / 2 = 5 % of 100
        (10.0, -4.999, 100.0, False),
        (10.0, -5.0, 99.0, False),  # 5 > 4.95
        (10.0, -5.05, 99.0, True),
        (1.0, -0.5, 100.0, True),
        (1.0, -50.0, 50.0, True),
    ],
)
def test_the_liquidation_threshold(
    margin: float, profit: float, at_mark: float, expected: bool
) -> None:
    assert rules.is_liquidated(margin, profit, at_mark) is expected


@pytest.mark.parametrize(
    ("required", "available", "cash", "expected"),
    [
        (100.0, 100.0, 100.0, True),
        (100.01, 100.0, 100.0, False),
        (3e9 * (1 + 4e-16), 3e9, 3e9, True),  # the last bit of a large sum
        (3e9 + 0.01, 3e9, 3e9, False),
        (0.3 * (1 + 4e-16), 0.3, 0.3, True),
        (1e-4, 0.0, 3e9, True),  # cash of 3e9 is itself rounded to 5e-7 at best
        (0.01, 0.0, 3e9, False),
        (1e-4, 0.0, 0.0, False),
    ],
)
def test_money_is_enough_to_rounding(
    required: float, available: float, cash: float, expected: bool
) -> None:
    assert rules.is_affordable(required, available, cash) is expected


@pytest.mark.parametrize(
    ("amount", "limit", "expected"),
    [
        (100.0, 100.0, False),
        (100.0 * (1 + 4e-16), 100.0, False),
        (100.001, 100.0, True),
        (1e9 + 1e-4, 1e9, False),
        (1e9 + 0.01, 1e9, True),
        (1e-6 + 1e-15, 1e-6, True),
    ],
)
def test_a_limit_is_exceeded_beyond_rounding(amount: float, limit: float, expected: bool) -> None:
    assert rules.exceeds(amount, limit) is expected


def test_a_compensated_sum_loses_nothing() -> None:
    high = low = 0.0
    for term in (1e16, 1.0, -1e16, 1e-3):
        high, low = rules.two_sum(high, low, term)
    assert high + low == 1.001
