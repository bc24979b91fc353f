"""VWAP: slices by a profile."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import VWAP, AssetClass, Engine, Market, OrderRequest, OrderSide, RiskConfig, Side
from horizon.venues import Paper

YES, LONG, BUY, SELL = Side.Yes, Side.Long, OrderSide.Buy, OrderSide.Sell


def make() -> Engine:
    return Engine(venue=Paper(1e6, clock=lambda: 0.0))


def run(profile, size: float = 100.0, duration: float = 60.0, engine: Engine | None = None):
    engine = engine or make()
    vwap = VWAP(engine, duration_secs=duration, volume_profile=profile)
    vwap.start(OrderRequest("ACME", LONG, BUY, size, 10.0))
    vwap.on_tick(10.0, 0.0)
    vwap.on_tick(10.0, duration * 0.9999)
    return engine, vwap, [engine.order(child).quantity for child in vwap.child_order_ids]


def test_the_first_tick_sends_the_first_weight() -> None:
    engine = Engine(risk_config=RiskConfig(max_position_per_market=5_000), clock=lambda: 0.0)
    vwap = VWAP(engine, duration_secs=60.0, volume_profile=[4.0, 1.0, 1.0, 1.0, 4.0])
    vwap.start(OrderRequest("rain-in-june", Side.Yes, OrderSide.Buy, size=110.0, price=0.35))
    vwap.on_tick(current_price=0.35, timestamp=0.0)
    assert not vwap.is_complete
    assert vwap.total_filled == 0.0
    # 110 x 4/11 = 40.
    assert [engine.order(child).quantity for child in vwap.child_order_ids] == [40.0]


def test_a_loop_without_ticks_ends() -> None:
    engine = Engine(clock=lambda: 0.0)
    vwap = VWAP(engine, duration_secs=600, volume_profile=[3.0, 2.0, 1.0, 1.0, 2.0, 4.0])
    vwap.start(OrderRequest("rain-in-june", YES, BUY, 1_300.0, 0.35))
    now, sent = 0.0, []
    while not vwap.is_complete:
        vwap.on_tick(0.35, now)
        sent.append(len(vwap.child_order_ids))
        now += 50.0
    # One more every 100 s, from 0 to 500; at 600 it is over.
    assert sent == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6]
    assert (vwap.status, vwap.progress.remaining) == ("expired", 1_300.0)


def test_slices_are_in_proportion_to_the_weights() -> None:
    _, _, sizes = run([3.0, 2.0, 1.0, 1.0, 2.0, 4.0], size=1_300.0)
    assert sizes == [300.0, 200.0, 100.0, 100.0, 200.0, 400.0]


def test_slices_are_evenly_spaced_whatever_their_size() -> None:
    engine = make()
    vwap = VWAP(engine, 60.0, [9, 1, 1])
    vwap.start(OrderRequest("ACME", LONG, BUY, 110.0))
    counts = []
    for at in (0.0, 19.9, 20.0, 39.9, 40.0):
        vwap.on_tick(10.0, at)
        counts.append(len(vwap.child_order_ids))
    assert counts == [1, 1, 2, 2, 3]


def test_zero_weights_send_no_order() -> None:
    engine, vwap, sizes = run([0.0, 1.0, 0.0, 3.0, 0.0], size=8.0)
    assert sizes == [2.0, 6.0]
    assert [p.status for p in vwap.progress.schedule] == ["empty", "new", "empty", "new", "empty"]
    engine.tick("ACME", 10.0)
    assert vwap.status == "completed"


def test_a_leading_zero_weight_starts_the_clock_all_the_same() -> None:
    engine = make()
    vwap = VWAP(engine, 60.0, [0, 1])
    vwap.start(OrderRequest("ACME", LONG, BUY, 8.0))
    vwap.on_tick(10.0, 100.0)
    assert vwap.child_order_ids == []
    assert vwap.progress.started_at == 100.0
    vwap.on_tick(10.0, 130.0)
    assert len(vwap.child_order_ids) == 1


@pytest.mark.parametrize(
    "profile",
    [
        [1.0, 2.0, 1.0],
        (1, 2, 1),
        np.array([1.0, 2.0, 1.0]),
        np.array([1, 2, 1], dtype=np.int64),
        np.array([1, 2, 1], dtype=np.float32),
        pd.Series([1.0, 2.0, 1.0], index=["09:30", "11:40", "13:50"]),
        pd.Series([1, 2, 1], index=[7, 5, 3]),
        (weight for weight in (1.0, 2.0, 1.0)),
        [Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)],
        [1e-9, 2e-9, 1e-9],
    ],
    ids=["list", "tuple", "array", "int array", "float32", "series", "odd index", "generator",
         "fractions", "tiny"],
)  # fmt: skip
def test_a_profile_may_be_any_sequence_of_numbers(profile: object) -> None:
    _, _, sizes = run(profile, size=40.0)
    assert sizes == pytest.approx([10.0, 20.0, 10.0], rel=1e-12)
    assert math.fsum(sizes) == 40.0


def test_a_profile_made_from_bars_can_be_handed_on() -> None:
    stamps = pd.date_range("2024-03-04 01:00", periods=24, freq="h", tz="UTC")
    bars = pd.DataFrame({"timestamp": stamps, "volume": [1.0] * 12 + [3.0] * 12})
    profile = hz.volume_profile(bars, buckets=2)
    _, _, sizes = run(profile, size=40.0)
    assert sizes == pytest.approx([10.0, 30.0], rel=1e-12)


@pytest.mark.parametrize(
    "profile, error",
    [
        ([], ValueError),
        ([0.0, 0.0], ValueError),
        ([1.0, -1.0], ValueError),
        ([1.0, float("nan")], ValueError),
        ([1.0, float("inf")], ValueError),
        ([1.0, "2"], TypeError),
        ([1.0, True], TypeError),
        ([1.0, None], TypeError),
        (5.0, TypeError),
        ("123", TypeError),
        ({"a": 1.0}, TypeError),
        (None, TypeError),
        (np.ones((2, 2)), TypeError),
        (pd.DataFrame({"volume": [1.0, 2.0]}), TypeError),
        (np.array(1.0), TypeError),
    ],
)
def test_a_bad_profile_is_refused_by_name(profile: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="volume_profile"):
        VWAP(make(), 60.0, profile)  # type: ignore[arg-type]


def test_a_profile_changed_afterwards_changes_nothing() -> None:
    profile = [1.0, 1.0]
    engine = make()
    vwap = VWAP(engine, 60.0, profile)
    profile[0] = 99.0
    vwap.start(OrderRequest("ACME", LONG, BUY, 10.0))
    vwap.on_tick(10.0, 0.0)
    assert engine.order(vwap.child_order_ids[0]).quantity == 5.0


def test_lots_follow_the_profile_as_closely_as_lots_can() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, lot_size=10.0))
    _, _, sizes = run([3, 2, 1, 1, 2, 4], size=100.0, engine=engine)
    # Lots reached: 2.31 3.85 4.62 5.38 6.92 10 round to 2 4 5 5 7 10.
    assert sizes == [20.0, 20.0, 10.0, 20.0, 30.0]


def test_price_limit_caps_children() -> None:
    engine = make()
    vwap = VWAP(engine, 60.0, [1, 1], price_limit=9.5)
    vwap.start(OrderRequest("ACME", LONG, BUY, 10.0))
    vwap.on_tick(10.0, 0.0)
    assert engine.order(vwap.child_order_ids[0]).price == 9.5


def test_a_client_vwap_advances_on_ticks() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    vwap = ex.vwap("ACME", 40, duration_secs=20, volume_profile=[1, 3], side="sell")
    for at in (0.0, 5.0, 10.0, 11.0):
        ex.tick("ACME", 10.0, at)
    assert [ex.order(child).quantity for child in vwap.child_order_ids] == [10.0, 30.0]
    assert vwap.status == "completed"
    assert ex.positions()[0].quantity == -40.0
