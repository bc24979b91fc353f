"""How much is worth trading, and in which lots."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.instruments import Equity, Market
from horizon.strategies import SignalExecution
from horizon.strategies.execution import is_near, to_lots
from horizon.types import Urgency


def test_the_defaults() -> None:
    made = SignalExecution()
    assert (made.no_trade_band, made.urgency, made.patient) == (0.1, Urgency.Immediate, "limit")
    assert (made.ttl, made.long_only, made.min_edge_bps) == (None, False, 0.0)


def test_a_stretch_of_time_is_kept_in_seconds() -> None:
    assert SignalExecution(ttl=timedelta(minutes=2)).ttl == 120.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"no_trade_band": -0.1}, r"no_trade_band must lie in \[0, 1\), was -0.1"),
        ({"no_trade_band": 1.0}, r"no_trade_band must lie in \[0, 1\), was 1.0"),
        ({"no_trade_band": float("nan")}, "no_trade_band must be a finite number"),
        ({"urgency": "patient"}, "urgency must be Urgency.Immediate, .* was 'patient'"),
        ({"patient": "twop"}, "patient must be one of 'limit', 'twap'.*Did you mean 'twap'"),
        ({"patient": "twap", "twap_secs": 60}, "twap_slices is needed with patient='twap'"),
        ({"patient": "twap", "twap_slices": 6}, "twap_secs is needed with patient='twap'"),
        ({"twap_secs": 60}, "twap_secs belongs to patient='twap', patient was 'limit'"),
        ({"patient": "twap", "twap_secs": 0, "twap_slices": 6}, "twap_secs must be above 0"),
        ({"patient": "twap", "twap_secs": 9, "twap_slices": 1.5}, "twap_slices must be a whole"),
        ({"ttl": 0}, "ttl must be above 0"),
        ({"long_only": 1}, "long_only must be True or False"),
        ({"min_edge_bps": -1}, "min_edge_bps must be 0 or more"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else "",
)
def test_settings_that_mean_nothing_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        SignalExecution(**fields)


@pytest.mark.parametrize(
    ("target", "current", "expected"),
    [
        # 10 apart is a tenth of 100 on either side, and more than a tenth of 99.
        (100.0, 90.0, True),
        (90.0, 100.0, True),
        (99.0, 89.0, False),
        (-100.0, -90.0, True),
        # To open, to close and to turn around are never a matter of a band.
        (0.001, 0.0, False),
        (0.0, 0.001, False),
        (1.0, -1.0, False),
        (0.0, 0.0, True),
        # A rounding error is no difference.
        (0.3, 0.1 + 0.2, True),
    ],
    ids=str,
)
def test_the_band(target: float, current: float, expected: bool) -> None:
    assert is_near(target, current, 0.1) is expected


def test_without_a_band_only_rounding_is_near() -> None:
    assert is_near(100.0, 100.0, 0.0)
    assert not is_near(100.0, 100.001, 0.0)


@pytest.mark.parametrize(
    ("lot", "quantity", "expected"),
    [
        (None, 3.7, 3.7),
        (1.0, 3.7, 3.0),
        (1.0, -3.7, -3.0),
        (10.0, 9.99, 0.0),
        (0.1, 0.3, 0.3),  # 0.3 / 0.1 is 2.9999999999999996
        (0.1, 0.39, 0.3),
        (100.0, 0.0, 0.0),
    ],
    ids=str,
)
def test_lots_are_cut_towards_nothing(lot: float | None, quantity: float, expected: float) -> None:
    assert to_lots(Market("A", Equity, lot_size=lot), quantity) == expected


@pytest.mark.no_cover
@given(
    lot=st.sampled_from([0.001, 0.1, 0.25, 1.0, 7.0, 100.0]),
    quantity=st.floats(-1e6, 1e6, allow_nan=False),
)
def test_cut_lots_are_whole_no_larger_and_less_than_a_lot_away(lot: float, quantity: float) -> None:
    market = Market("A", Equity, lot_size=lot)
    cut = to_lots(market, quantity)
    if cut:
        market.check_quantity("cut", abs(cut))
        assert (cut > 0) is (quantity > 0)
    # In exact numbers, but for what 0.1 is not.
    away = Fraction(abs(quantity)) - Fraction(abs(cut))
    slack = Fraction(lot) * max(1, Fraction(abs(quantity)) / Fraction(lot)) / 10**8
    assert -slack <= away < Fraction(lot) + slack
