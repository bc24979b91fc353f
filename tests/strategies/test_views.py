"""Views: several signals on a market as one."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.instruments import Equity, Market, Prediction
from horizon.strategies.signals import Signal
from horizon.strategies.views import View
from horizon.types import Urgency

ACME = Market("ACME", Equity)
up, down = Signal.increase, Signal.decrease


def view(*signals: Signal, market: Market = ACME, price: float = 0.5) -> View:
    return View.of(market, [(f"s{k}", signal) for k, signal in enumerate(signals)], price)


def test_one_signal_is_its_own_view() -> None:
    signal = down("ACME", edge_bps=30.3, confidence=0.3, expected_vol_bps=70.7, horizon=7, ttl=5)
    seen = View.of(ACME, [("dips", signal)], 12.5)
    assert seen == View(
        market=ACME,
        price=12.5,
        edge_bps=-30.3,
        confidence=0.3,
        expected_vol_bps=70.7,
        horizon=7.0,
        urgency=None,
        ttl=5.0,
        signals=(("dips", signal),),
    )
    assert seen.sign == -1


def test_edges_combine_by_confidence() -> None:
    # (0.5 x 40 - 0.25 x 20 + 0.25 x 0) / 1 = 15; the mean confidence is 1/3.
    seen = view(
        up("ACME", edge_bps=40, confidence=0.5),
        down("ACME", edge_bps=20, confidence=0.25),
        Signal.flatten("ACME", confidence=0.25),
    )
    assert seen.edge_bps == 15.0
    assert seen.confidence == pytest.approx(1.0 / 3.0, rel=1e-15)
    assert seen.sign == 1


def test_flatten_alone_and_edges_that_cancel_want_nothing() -> None:
    assert view(Signal.flatten("ACME")).edge_bps == 0.0
    even = view(up("ACME", edge_bps=10), down("ACME", edge_bps=20, confidence=0.5))
    assert (even.edge_bps, even.sign, even.confidence) == (0.0, 0, 0.75)


def test_volatility_horizon_and_terms_are_of_those_who_say_them() -> None:
    # Weights 1 and 1/3 (as 0.75 and 0.25): (0.75 x 100 + 0.25 x 900) / 1 = 300 = 17.32 squared.
    # Horizons 0.75 x 60 + 0.25 x 100 = 70. The third says neither.
    seen = view(
        up("ACME", edge_bps=4, confidence=0.75, expected_vol_bps=10, horizon=60, ttl=9),
        up("ACME", edge_bps=4, confidence=0.25, expected_vol_bps=30, horizon=100, ttl=7),
        up("ACME", edge_bps=4, urgency=Urgency.Passive),
    )
    assert seen.expected_vol_bps == pytest.approx(math.sqrt(300.0), rel=1e-15)
    assert seen.horizon == 70.0
    assert (seen.ttl, seen.urgency) == (7.0, Urgency.Passive)


@pytest.mark.parametrize(
    "said, heard",
    [
        ([Urgency.Passive, Urgency.Patient], Urgency.Patient),
        ([Urgency.Patient, None, Urgency.Immediate], Urgency.Immediate),
        ([Urgency.Passive, Urgency.Immediate], Urgency.Immediate),
        ([None, None], None),
    ],
    ids=["patient", "immediate", "not passive", "none"],
)
def test_most_urgent_is_heard(said: list[Urgency | None], heard: Urgency | None) -> None:
    signals = [up("ACME", edge_bps=5, urgency=one) for one in said]
    for order in permutations(signals):
        assert view(*order).urgency is heard


def test_edge_of_a_prediction_is_of_the_payout() -> None:
    # 100 bps: one cent of the payout of 1.00, or 1 % of a price of 20.
    cent = view(up("rain", edge_bps=100, expected_vol_bps=300), market=Market("rain", Prediction))
    assert (cent.edge, cent.expected_vol) == (0.01, 0.03)
    share = view(down("ACME", edge_bps=100), price=20.0)
    assert (share.edge, share.expected_vol) == (-0.2, None)


@pytest.mark.parametrize(
    "signals, price, words",
    [
        ([], 0.5, "signals must have at least one signal, was empty"),
        ([("a", up("AAPL", edge_bps=3))], 0.5, "all be on 'ACME', one was on 'AAPL'"),
        ([("a", up("ACME", edge_bps=3))], math.nan, "price must be a finite number"),
        ([("a", up("ACME", edge_bps=3))], -1.0, "price must be above 0 for Equity 'ACME'"),
    ],
    ids=["none", "elsewhere", "nan", "below 0"],
)
def test_wrong_views_are_refused(signals: Any, price: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        View.of(ACME, signals, price)


weights = st.floats(0.01, 1.0)
numbers = st.floats(0.01, 5_000.0)


@st.composite
def signal(draw: st.DrawFn) -> Signal:
    fields: dict[str, Any] = {
        "confidence": draw(weights),
        "expected_vol_bps": draw(st.none() | numbers),
        "horizon": draw(st.none() | numbers),
        "ttl": draw(st.none() | numbers),
        "urgency": draw(st.sampled_from([None, *Urgency])),
    }
    action = draw(st.sampled_from(["increase", "decrease", "flatten"]))
    if action != "flatten":
        fields["edge_bps"] = draw(numbers)
    made: Signal = getattr(Signal, action)("ACME", **fields)
    return made


@pytest.mark.no_cover
@given(st.lists(signal(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_view_is_the_weighted_mean_in_whatever_order(given_: list[Signal], chance: Any) -> None:
    seen = view(*given_)
    mixed = list(given_)
    chance.shuffle(mixed)
    assert replace(view(*mixed), signals=()) == replace(seen, signals=())
    total = sum(Fraction(one.confidence) for one in given_)
    edge = sum(Fraction(o.confidence) * Fraction(o.signed_edge_bps) for o in given_) / total
    assert abs(Fraction(seen.edge_bps) - edge) <= 1e-15 * max(one.edge_bps for one in given_)
    assert 0.0 < seen.confidence <= 1.0
    said = [one.expected_vol_bps for one in given_ if one.expected_vol_bps is not None]
    assert (seen.expected_vol_bps is None) is (not said)
    if seen.expected_vol_bps is not None:
        assert min(said) * (1 - 1e-14) <= seen.expected_vol_bps <= max(said) * (1 + 1e-14)
    # Twice as many of the same is the same view.
    twice = view(*given_, *given_)
    assert twice.edge_bps == pytest.approx(seen.edge_bps, rel=1e-12, abs=1e-11)
    assert twice.confidence == pytest.approx(seen.confidence, rel=1e-14)
