"""From signals to orders and fills, by numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.errors import ModelError, PipelineError, RiskRejected
from horizon.instruments import Crypto, Equity, Market, Prediction
from horizon.risk import RiskConfig
from horizon.strategies import (
    EqualWeight,
    FixedNotional,
    Kelly,
    Price,
    Signal,
    SignalExecution,
    Strategy,
    VolTarget,
)
from horizon.strategies.desk import plan_of
from horizon.strategies.features import Feature
from horizon.types import Urgency
from tests.strategies.bench import Bench, Script, down, out, up

VOTE = Market("vote", Prediction)


class Units:
    """A sizer of tests: so many units of the view's direction, by its confidence."""

    def __init__(self, units: float = 10.0) -> None:
        self.units = units
        self.accounts: list[Any] = []

    def target(self, view: Any, account: Any) -> float:
        self.accounts.append(account)
        return self.units * view.sign * view.confidence


# ---------------------------------------------------------------------------- one signal
def test_a_signal_is_ordered_at_once_and_fills_at_the_next_row() -> None:
    bench = Bench([Script({0.0: [up()]})], sizer=FixedNotional(500.0))
    bench.row(0.0, A=100.0)
    assert bench.working == [("buy", 5.0, None)]
    bench.row(1.0, A=101.0)
    assert bench.held() == 5.0
    (one,) = bench.decisions
    assert (one.timestamp, one.market_id, one.price) == (0.0, "A", 100.0)
    assert (one.target, one.current, one.quantity, one.done) == (5.0, 0.0, 5.0, "ordered")
    assert (one.order_ids, one.filled, one.average_price, one.status) == (
        ("p1",),
        5.0,
        101.0,
        "filled",
    )
    assert one.strategies == ("script",)
    assert one.signals == (("script", "increase", 10.0, 1.0, ""),)


def test_the_same_signal_again_changes_nothing() -> None:
    # Ten units at every price; the first order fills at the second row.
    bench = Bench([Script(always=[up()])], sizer=Units())
    bench.play([50.0, 51.0, 52.0])
    assert bench.held() == 10.0
    assert bench.done == ["ordered", "at target", "at target"]


def test_no_signal_leaves_everything_as_it_is() -> None:
    bench = Bench([Script({0.0: [up()]})], sizer=Units())
    bench.play([50.0, 51.0, 10.0, 90.0])
    assert bench.held() == 10.0
    assert bench.done == ["ordered"]


def test_flatten_closes_and_the_other_direction_turns_around() -> None:
    script = Script({0.0: [up()], 1.0: [down()], 2.0: [out()]})
    bench = Bench([script], sizer=Units(), cash=10_000.0)
    bench.play([50.0, 50.0, 50.0, 50.0])
    # 10, then 20 sold to be short 10, then 10 bought back.
    assert [(d.target, d.current, d.quantity) for d in bench.decisions] == [
        (10.0, 0.0, 10.0),
        (-10.0, 10.0, -20.0),
        (0.0, -10.0, 10.0),
    ]
    assert bench.held() == 0.0
    orders = bench.engine.venue.orders()
    # What closes may only close; what turns around opens too.
    assert [order.reduce_only for order in orders] == [False, False, True]
    assert {order.metadata["intent"] for order in orders} == {"signal"}


def test_what_is_still_on_its_way_counts_as_held() -> None:
    # B's rows are between A's: the order in A waits for the next row of A.
    bench = Bench([Script(always=[up()])], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(1.0, B=7.0)
    bench.row(2.0, B=7.0)
    assert bench.working == [("buy", 10.0, None)]
    kept = bench.decisions[1:]
    assert [(d.done, d.current, d.order_ids, d.status) for d in kept] == [
        ("kept working", 10.0, ("p1",), "new")
    ] * 2


def test_a_kept_order_counts_its_fills_once() -> None:
    bench = Bench([Script(always=[up()])], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(1.0, B=7.0)
    bench.row(2.0, A=51.0)
    decisions = bench.decisions
    assert [(d.quantity, d.filled) for d in decisions] == [(10.0, 10.0), (0.0, 0.0), (0.0, 0.0)]
    assert decisions[1].average_price is None


# ---------------------------------------------------------------------------- several signals
def test_signals_of_several_strategies_are_weighed_by_confidence() -> None:
    # (1.0 x 30 - 0.5 x 60) / 1.5 = 0; (1.0 x 30 - 0.5 x 20) / 1.5 = 13.33 at a mean confidence
    # of 0.75: 10 x 0.75 units.
    one = Script({0.0: [up(edge=30.0)], 1.0: [up(edge=30.0)]}, name="one")
    two = Script(
        {0.0: [down(edge=20.0, confidence=0.5)], 1.0: [down(edge=60.0, confidence=0.5)]},
        name="two",
    )
    bench = Bench([one, two], sizer=Units())
    bench.play([50.0, 50.0, 50.0])
    first, second = bench.decisions
    assert first.edge_bps == pytest.approx(20.0 / 1.5)
    assert (first.confidence, first.target) == (0.75, 7.5)
    assert (second.edge_bps, second.target, second.quantity) == (0.0, 0.0, -7.5)
    assert first.strategies == ("one", "two")
    assert [note.action for note in first.signals] == ["increase", "decrease"]
    assert bench.held() == 0.0


def test_signals_of_one_strategy_on_one_market_are_combined_too() -> None:
    bench = Bench([Script({0.0: [up(edge=10.0), up(edge=30.0)]})], sizer=Units())
    bench.play([50.0])
    (one,) = bench.decisions
    assert (one.edge_bps, one.strategies) == (20.0, ("script",))


def test_the_most_urgent_and_the_shortest_time_count() -> None:
    one = Script({0.0: [up(urgency=Urgency.Patient, ttl=5)]}, name="one")
    two = Script({0.0: [up(urgency=Urgency.Immediate, ttl=9)]}, name="two")
    bench = Bench([one, two], sizer=Units())
    bench.row(0.0, A=50.0)
    assert bench.working == [("buy", 10.0, None)]
    # A row at 5 s may still fill it: it ends one nanosecond later.
    assert bench.desk.next_expiry_ns == 5_000_000_001


# ---------------------------------------------------------------------------- each sizer
DAY = 86_400.0


@pytest.mark.parametrize(
    ("sizer", "market", "price", "signal", "expected"),
    [
        pytest.param(FixedNotional(500.0), "A", 100.0, up(), 5.0, id="fixed"),
        pytest.param(
            FixedNotional(500.0), "A", 100.0, down(confidence=0.5), -2.5, id="fixed short, half"
        ),
        # A seller of YES at 0.8 stakes 0.2 on NO: 500 / 0.2.
        pytest.param(
            FixedNotional(500.0), VOTE, 0.8, down("vote"), -2_500.0, id="fixed, a prediction"
        ),
        # 10,000 x 0.5 / 1 market / 100.
        pytest.param(EqualWeight(0.5), "A", 100.0, up(), 50.0, id="equal"),
        # 1 % a day is 0.01 x sqrt(365) a year: 0.10 / 0.19105 = 0.5234 of the equity.
        pytest.param(
            VolTarget(0.10),
            "A",
            100.0,
            up(expected_vol_bps=100.0, horizon=DAY),
            10_000.0 * 0.10 / (0.01 * math.sqrt(365.0)) / 100.0,
            id="vol target",
        ),
        # p = 0.5, q = 0.5 + 1000 bps of 1.00 = 0.6: (0.6 - 0.5) / 0.5 = 0.2 of the equity, a
        # quarter of it, at 0.5 each: 10,000 x 0.05 / 0.5.
        pytest.param(Kelly(0.25), VOTE, 0.5, up("vote", 1_000.0), 1_000.0, id="kelly binary"),
        # Short: (0.5 - 0.4) / 0.5 on NO at 0.5.
        pytest.param(
            Kelly(0.25), VOTE, 0.5, down("vote", 1_000.0), -1_000.0, id="kelly binary short"
        ),
        # mu 0.004, sigma 0.1: 0.004 / 0.01 = 0.4, a quarter: 0.1 of the equity.
        pytest.param(
            Kelly(0.25), "A", 100.0, up(edge=40.0, expected_vol_bps=1_000.0), 10.0, id="kelly"
        ),
    ],
)
def test_each_sizer_through_to_the_fill(
    sizer: Any, market: Any, price: float, signal: Signal, expected: float
) -> None:
    bench = Bench([Script({0.0: [signal]})], sizer=sizer, markets=[market], cash=10_000.0)
    name = market if isinstance(market, str) else market.id
    bench.row(0.0, **{name: price})
    bench.row(1.0, **{name: price})
    (one,) = bench.decisions
    assert one.target == pytest.approx(expected, rel=1e-12)
    assert bench.held(name) == one.quantity == one.filled == one.target
    assert one.average_price == price


def test_every_market_that_a_strategy_wants_has_its_share() -> None:
    class Stocks(Script):
        asset_classes = [Equity]

    markets = ["A", "B", Market("X/USD", Crypto)]
    bench = Bench([Stocks(always=[up("A")])], sizer=EqualWeight(0.9), markets=markets)
    bench.row(0.0, A=10.0)
    # 1,000 x 0.9 over A and B, not over the coin as well: 450 / 10.
    assert bench.decisions[0].target == 45.0


def test_the_default_sizer_leaves_room_for_fees() -> None:
    bench = Bench([Script({0.0: [up()]})], fee=0.001)
    bench.play([100.0, 100.0])
    # 1,000 x 0.95 / 100, which cost 950.95.
    assert bench.held() == 9.5
    assert bench.venue.cash() == pytest.approx(1_000.0 - 950.0 - 0.95)


def test_targets_of_one_step_are_sized_by_one_equity() -> None:
    sizer = Units()
    bench = Bench(
        [Script({0.0: [up("B"), up("A")]})],
        sizer=sizer,
        markets=["A", "B"],
        venue={"slippage_bps": 100},
    )
    bench.row(0.0, A=10.0, B=10.0)
    assert [account.equity for account in sizer.accounts] == [1_000.0, 1_000.0]
    assert {account.market_count for account in sizer.accounts} == {2}
    # In the order of the run's markets, whatever the order of the signals.
    assert [one.market_id for one in bench.decisions] == ["A", "B"]


@pytest.mark.parametrize("target", [float("nan"), float("inf"), "7", None], ids=repr)
def test_a_target_that_is_no_number_is_the_sizers_error(target: Any) -> None:
    class Odd:
        def target(self, view: Any, account: Any) -> Any:
            return target

    bench = Bench([Script({0.0: [up()]})], sizer=Odd())
    with pytest.raises(PipelineError, match="sizer Odd failed for market 'A' at 1970-01-01") as e:
        bench.row(0.0, A=10.0)
    assert (e.value.stage, e.value.market_id) == ("Odd", "A")


def test_a_sizer_without_what_it_needs_names_it_before_anything_is_sent() -> None:
    markets = ["A", "B"]
    signals = [up("A", expected_vol_bps=10.0, horizon=1.0), up("B")]
    bench = Bench([Script({0.0: signals})], sizer=VolTarget(), markets=markets)
    with pytest.raises(PipelineError, match=r"needs expected_vol_bps=? in the signals on .B."):
        bench.row(0.0, A=10.0, B=10.0)
    assert bench.engine.venue.orders() == []


# ---------------------------------------------------------------------------- the band
def test_within_the_band_nothing_is_traded() -> None:
    # 1,000 a position: 10 at 100; at 110 it would be 9.0909…, 9.09 % less: within the band. At
    # 112 it is 8.9286, 10.7 % less: the difference is sold.
    bench = Bench([Script(always=[up()])], sizer=FixedNotional(1_000.0), cash=5_000.0)
    bench.play([100.0, 100.0, 110.0, 112.0, 112.0])
    assert bench.done == ["ordered", "at target", "within the band", "ordered", "at target"]
    sold = bench.decisions[3]
    assert sold.target == pytest.approx(1_000.0 / 112.0)
    assert sold.quantity == pytest.approx(1_000.0 / 112.0 - 10.0)
    assert bench.held() == pytest.approx(1_000.0 / 112.0)
    assert bench.engine.venue.orders()[1].reduce_only


def test_a_band_of_nothing_trades_every_difference() -> None:
    bench = Bench(
        [Script(always=[up()])], sizer=FixedNotional(1_000.0), cash=5_000.0, no_trade_band=0.0
    )
    bench.play([100.0, 101.0, 102.0])
    assert bench.done == ["ordered"] * 3


# ---------------------------------------------------------------------------- edges and lots
def test_an_edge_that_is_too_small_changes_nothing() -> None:
    script = Script({0.0: [up(edge=20.0)], 1.0: [down(edge=4.0)], 2.0: [out()]})
    bench = Bench([script], sizer=Units(), min_edge_bps=5.0)
    bench.play([50.0, 50.0, 50.0, 50.0])
    assert bench.done == ["ordered", "edge too small", "ordered"]
    small = bench.decisions[1]
    assert (small.target, small.current, small.quantity) == (None, 10.0, 0.0)
    assert bench.held() == 0.0


def test_opposite_signals_are_no_wish_to_flatten_where_edges_have_a_least_size() -> None:
    one, two = Script({1.0: [up()]}, name="one"), Script({1.0: [down()]}, name="two")
    first = Script({0.0: [up()]}, name="first")
    bench = Bench([first, one, two], sizer=Units(), min_edge_bps=5.0)
    bench.play([50.0, 50.0, 50.0])
    assert bench.done == ["ordered", "edge too small"]
    assert bench.held() == 10.0


def test_a_flatten_among_others_is_no_wish_to_flatten_either() -> None:
    # (8 + 0) / 2 is below 5.
    one, two = Script({1.0: [up(edge=8.0)]}, name="one"), Script({1.0: [out()]}, name="two")
    bench = Bench([Script({0.0: [up()]}), one, two], sizer=Units(), min_edge_bps=5.0)
    bench.play([50.0, 50.0, 50.0])
    assert bench.done == ["ordered", "edge too small"]


def test_long_only_takes_a_short_target_for_none() -> None:
    script = Script({0.0: [down()], 1.0: [up()], 2.0: [down()]})
    bench = Bench([script], sizer=Units(), long_only=True)
    bench.play([50.0, 50.0, 50.0, 50.0])
    assert [(d.target, d.done, d.quantity) for d in bench.decisions] == [
        (0.0, "long only", 0.0),
        (10.0, "ordered", 10.0),
        (0.0, "ordered", -10.0),
    ]
    assert bench.held() == 0.0


def test_targets_are_whole_lots() -> None:
    lots = Market("A", Equity, lot_size=4.0)
    bench = Bench([Script(always=[up()])], sizer=Units(11.0), markets=[lots])
    bench.play([50.0, 50.0])
    assert bench.held() == 8.0
    assert bench.decisions[0].target == 8.0


def test_less_than_a_lot_is_no_size_and_closes_what_is_held() -> None:
    lots = Market("A", Equity, lot_size=4.0)
    sizer = Units(3.0)
    bench = Bench([Script(always=[up()])], sizer=sizer, markets=[lots])
    bench.row(0.0, A=50.0)
    sizer.units = 4.0
    bench.row(1.0, A=50.0)
    sizer.units = 3.0
    bench.row(2.0, A=50.0)
    bench.row(3.0, A=50.0)
    assert bench.done == ["no size", "ordered", "ordered", "no size"]
    assert bench.held() == 0.0


# ---------------------------------------------------------------------------- urgency
def test_a_patient_order_is_a_limit_at_the_price() -> None:
    script = Script({0.0: [up(urgency=Urgency.Patient)]})
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0)
    assert bench.working == [("buy", 10.0, 50.0)]
    bench.row(1.0, A=50.5)
    assert bench.held() == 0.0
    bench.row(2.0, A=49.0)
    # At its limit, never better.
    assert bench.decisions[0].average_price == 50.0
    assert bench.held() == 10.0


def test_a_patient_order_moves_with_each_new_signal_only() -> None:
    patient = up(urgency=Urgency.Patient)
    script = Script({0.0: [patient], 2.0: [patient], 3.0: [patient]})
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=51.0)
    assert bench.working == [("buy", 10.0, 50.0)]
    bench.row(2.0, A=52.0)
    assert bench.working == [("buy", 10.0, 52.0)]
    bench.row(3.0, A=52.0)  # fills at the limit as the row comes
    first, second, third = bench.decisions
    assert (first.status, second.status, second.average_price) == ("replaced", "filled", 52.0)
    assert third.done == "at target"
    assert bench.held() == 10.0


def test_a_limit_lies_on_the_grid_away_from_paying_more() -> None:
    grid = Market("A", Equity, tick_size=0.25)
    patient = Urgency.Patient
    script = Script({0.0: [up(urgency=patient)], 1.0: [down(urgency=patient)]})
    bench = Bench([script], sizer=Units(), markets=[grid])
    bench.row(0.0, A=50.30)
    assert bench.working == [("buy", 10.0, 50.25)]
    bench.row(1.0, A=50.30)
    assert bench.working == [("sell", 10.0, 50.5)]


def test_a_passive_order_rests_at_its_own_best_quote() -> None:
    passive = Urgency.Passive
    script = Script({0.0: [up(urgency=passive)], 1.0: [up(urgency=passive)]})
    bench = Bench([script], sizer=Units(), venue={"matching": "quotes"})
    bench.row(0.0, A=(49.0, 51.0))
    assert bench.working == [("buy", 10.0, 49.0)]
    assert bench.engine.open_orders()[0].post_only
    bench.row(1.0, A=(49.5, 51.0))
    assert bench.working == [("buy", 10.0, 49.5)]
    bench.row(2.0, A=(48.0, 49.5))  # the ask comes down to it
    one, two = bench.decisions
    assert (one.status, two.status, two.average_price) == ("replaced", "filled", 49.5)
    assert bench.held() == 10.0


def test_a_passive_sale_rests_at_the_ask() -> None:
    bench = Bench(
        [Script({0.0: [down(urgency=Urgency.Passive)]})],
        sizer=Units(),
        venue={"matching": "quotes"},
    )
    bench.row(0.0, A=(49.0, 51.0))
    assert bench.working == [("sell", 10.0, 51.0)]


def test_a_passive_order_without_quotes_is_a_limit_at_the_price() -> None:
    bench = Bench([Script({0.0: [up(urgency=Urgency.Passive)]})], sizer=Units())
    bench.row(0.0, A=50.0)
    assert bench.working == [("buy", 10.0, 50.0)]
    assert not bench.engine.open_orders()[0].post_only
    bench.row(1.0, A=50.0)
    assert bench.held() == 10.0


def test_another_urgency_replaces_what_works() -> None:
    script = Script({0.0: [up(urgency=Urgency.Patient)], 1.0: [up()]})
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=55.0)
    assert bench.working == [("buy", 10.0, None)]
    assert bench.decisions[0].status == "replaced"


def test_a_market_order_that_waits_is_replaced_by_a_patient_one() -> None:
    script = Script({0.0: [up("A")], 1.0: [up("A", urgency=Urgency.Patient)]})
    bench = Bench([script], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(1.0, B=1.0)
    assert bench.working == [("buy", 10.0, 50.0)]


def test_a_part_that_has_filled_is_not_ordered_again() -> None:
    script = Script({0.0: [up(urgency=Urgency.Patient)], 2.0: [up(urgency=Urgency.Patient)]})
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0)
    leg, now = bench.venue.account.legs["A"], 500_000_000
    with bench.venue.lock:  # a part of it fills, as in a book
        bench.venue.apply.filled(now, "p1", 4.0, 50.0, 0.0, True)
    assert leg.quantity == 4.0
    bench.row(2.0, A=51.0)
    second = bench.decisions[1]
    assert (second.current, second.quantity) == (10.0, 6.0)
    assert bench.working == [("buy", 6.0, 51.0)]


def test_a_target_that_is_no_longer_wanted_is_withdrawn() -> None:
    script = Script({0.0: [up(urgency=Urgency.Patient)], 1.0: [out()]})
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=60.0)
    assert bench.working == []
    assert bench.done == ["ordered", "withdrawn"]
    assert bench.decisions[0].status == "replaced"


# ---------------------------------------------------------------------------- TWAP
def test_a_patient_order_may_be_a_twap() -> None:
    bench = Bench(
        [Script({0.0: [up()]}), Script({1.0: [up()]}, name="again")],
        sizer=Units(12.0),
        urgency=Urgency.Patient,
        patient="twap",
        twap_secs=30,
        twap_slices=3,
    )
    # A slice of 4 every 10 s from its first tick on, as limits at the price of their tick; each
    # fills at the next tick that is no higher.
    bench.row(0.0, A=50.0)
    assert bench.working == []
    bench.row(1.0, A=50.0)
    assert bench.working == [("buy", 4.0, 50.0)]
    bench.row(11.0, A=49.0)
    bench.row(21.0, A=48.0)
    bench.row(25.0, A=48.0)
    assert bench.held() == 12.0
    first, again = bench.decisions
    assert (first.done, first.quantity, first.filled, first.status) == (
        "ordered",
        12.0,
        12.0,
        "filled",
    )
    assert first.order_ids == ("p1", "p2", "p3")
    # 4 at each limit: 50, 49, 48.
    assert first.average_price == pytest.approx(49.0)
    assert (again.done, again.current, again.filled) == ("kept working", 12.0, 0.0)


def test_a_twap_whose_time_is_over_has_expired() -> None:
    bench = Bench(
        [Script({0.0: [up()]})],
        sizer=Units(12.0),
        urgency=Urgency.Patient,
        patient="twap",
        twap_secs=30,
        twap_slices=3,
    )
    for time, price in ((0.0, 50.0), (1.0, 50.0), (2.0, 49.0), (11.0, 60.0), (40.0, 70.0)):
        bench.row(time, A=price)
    (one,) = bench.decisions
    assert (one.filled, one.average_price, one.status) == (4.0, 50.0, "expired")
    assert bench.working == []


def test_another_target_replaces_a_twap() -> None:
    bench = Bench(
        [Script({0.0: [up()], 5.0: [down()]})],
        sizer=Units(12.0),
        urgency=Urgency.Patient,
        patient="twap",
        twap_secs=30,
        twap_slices=3,
        cash=10_000.0,
    )
    for time in (0.0, 1.0, 2.0, 5.0, 6.0):
        bench.row(time, A=50.0)
    first, second = bench.decisions
    # 4 of 12 had filled; from 4 held to -12 it is 16.
    assert (first.filled, first.status) == (4.0, "replaced")
    assert (second.current, second.quantity, second.status) == (12.0, -16.0, "new")
    assert bench.working == [("sell", pytest.approx(16.0 / 3.0), 50.0)]


def test_a_twap_that_closes_can_only_close() -> None:
    script = Script({0.0: [up(urgency=Urgency.Immediate)], 2.0: [out(urgency=Urgency.Patient)]})
    bench = Bench([script], sizer=Units(12.0), patient="twap", twap_secs=30, twap_slices=3)
    for time in (0.0, 1.0, 2.0, 3.0):
        bench.row(time, A=50.0)
    (child,) = bench.engine.open_orders()
    assert (child.side, child.quantity, child.reduce_only) == ("sell", 4.0, True)


def test_rounding_does_not_begin_a_twap_again() -> None:
    class Sizes:
        def __init__(self) -> None:
            self.left = [4.61, 19.25, 2.61, 14.13]

        def target(self, view: Any, account: Any) -> float:
            return self.left.pop(0) if view.sign else 0.0

    # What is held after these, less what a TWAP of it has filled on the way, is no clean zero.
    now = [up(urgency=Urgency.Immediate)]
    bench = Bench(
        [Script({float(time): now for time in range(4)}, always=[out()])],
        sizer=Sizes(),
        cash=1e6,
        no_trade_band=0.0,
        urgency=Urgency.Patient,
        patient="twap",
        twap_secs=70,
        twap_slices=7,
    )
    for time in (0, 1, 2, 3, 4, 5, 15, 16, 26, 27, 37, 38, 48, 49, 59, 60, 70, 71):
        bench.row(float(time), A=50.0)
    assert bench.done == [*["ordered"] * 5, *["kept working"] * 12, "at target"]
    assert bench.held() == 0.0


# ---------------------------------------------------------------------------- time to live
@pytest.mark.parametrize("how", ["signal", "execution"])
def test_what_has_not_filled_in_time_is_cancelled(how: str) -> None:
    patient = Urgency.Patient
    ttl = {"ttl": 5} if how == "signal" else {}
    settings = {} if how == "signal" else {"ttl": 5}
    bench = Bench([Script({0.0: [up(urgency=patient, **ttl)]})], sizer=Units(), **settings)
    bench.row(0.0, A=50.0)
    bench.row(5.0, A=51.0)
    assert bench.working == [("buy", 10.0, 50.0)]
    bench.row(5.001, A=49.0)  # too late
    assert bench.working == []
    assert bench.held() == 0.0
    assert bench.decisions[0].status == "expired"
    assert bench.desk.next_expiry_ns == 2**63 - 1


def test_a_row_at_the_very_end_may_still_fill() -> None:
    bench = Bench([Script({0.0: [up(urgency=Urgency.Patient, ttl=5)]})], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.row(5.0, A=49.0)
    assert bench.held() == 10.0


def test_a_signal_that_keeps_an_order_gives_it_new_time() -> None:
    patient = up(urgency=Urgency.Patient, ttl=5)
    bench = Bench([Script({0.0: [patient], 4.0: [patient]})], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(4.0, B=1.0)
    bench.row(8.0, B=1.0)
    assert bench.working == [("buy", 10.0, 50.0)]
    bench.row(9.5, B=1.0)
    assert bench.working == []
    # The decision that sent it says how it ended, and so does the one that kept it.
    assert [one.status for one in bench.decisions] == ["expired", "expired"]


def test_a_signal_without_an_end_that_keeps_an_order_takes_its_end_away() -> None:
    patient, timed = up(urgency=Urgency.Patient), up(urgency=Urgency.Patient, ttl=5)
    bench = Bench([Script({0.0: [timed], 4.0: [patient]})], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(4.0, B=1.0)
    bench.row(60.0, B=1.0)
    assert bench.working == [("buy", 10.0, 50.0)]


def test_each_order_has_its_own_end() -> None:
    ttls = {"A": 9, "B": 3, "C": 9}
    signals = [up(market, urgency=Urgency.Patient, ttl=ttl) for market, ttl in ttls.items()]
    bench = Bench([Script({0.0: signals})], sizer=Units(5.0), markets=list(ttls))
    bench.row(0.0, A=50.0, B=50.0, C=50.0)
    bench.row(4.0, A=60.0)
    assert [order.market_id for order in bench.engine.open_orders()] == ["A", "C"]
    bench.row(10.0, A=60.0)
    assert bench.working == []


# ---------------------------------------------------------------------------- refusals
def test_an_order_that_risk_refuses_is_a_decision_too() -> None:
    bench = Bench(
        [Script({0.0: [up()], 1.0: [up(confidence=0.5)]})],
        sizer=Units(),
        risk=RiskConfig(max_order_size=6.0),
    )
    bench.play([50.0, 50.0, 50.0])
    first, second = bench.decisions
    assert (first.done, first.order_ids, first.quantity, first.status) == (
        "refused: max_order_size",
        (),
        0.0,
        "",
    )
    assert (second.done, second.filled) == ("ordered", 5.0)
    assert bench.engine.rejections == {"max_order_size": 1}


def test_a_refused_order_has_not_the_name_of_the_one_before() -> None:
    bench = Bench(
        [Script({0.0: [up(confidence=0.5)], 1.0: [down()]})],
        sizer=Units(),
        risk=RiskConfig(max_order_size=6.0),
    )
    bench.play([50.0, 50.0, 50.0])
    assert [(d.done, d.order_ids, d.quantity) for d in bench.decisions] == [
        ("ordered", ("p1",), 5.0),
        ("refused: max_order_size", (), 0.0),
    ]


def test_an_order_beyond_buying_power_is_a_decision_too() -> None:
    bench = Bench([Script({0.0: [up()]})], sizer=Units(), cash=100.0)
    bench.play([50.0, 50.0])
    (one,) = bench.decisions
    assert (one.done, one.order_ids, one.quantity, one.filled, one.status) == (
        "refused: buying power",
        ("p1",),
        10.0,
        0.0,
        "rejected",
    )
    assert "needs 500.00 USD" in bench.engine.order("p1").metadata["reason"]


def test_a_refused_target_is_tried_again_at_the_next_signal() -> None:
    bench = Bench([Script(always=[up()])], sizer=Units(), cash=100.0)
    bench.play([50.0, 9.0, 9.0])
    assert bench.done == ["refused: buying power", "ordered", "at target"]


def test_a_price_that_no_order_can_have_is_refused_by_name() -> None:
    bench = Bench(
        [Script({0.0: [up("vote", urgency=Urgency.Patient)]})], sizer=Units(), markets=[VOTE]
    )
    bench.row(0.0, vote=1.0)
    assert bench.done == ["refused: price_bounds"]
    assert bench.engine.venue.orders() == []


def test_what_reduces_goes_first() -> None:
    # A comes before B in everything else.
    script = Script({0.0: [up("B")], 2.0: [up("A"), out("B")]})
    bench = Bench([script], sizer=FixedNotional(900.0), markets=["A", "B"], cash=5_000.0)
    bench.row(0.0, A=10.0, B=10.0)
    bench.row(1.0, B=10.0)
    bench.row(2.0, A=10.0, B=10.0)
    orders = bench.engine.venue.orders()
    assert [(order.market_id, order.side) for order in orders] == [
        ("B", "buy"),
        ("B", "sell"),
        ("A", "buy"),
    ]


# ---------------------------------------------------------------------------- money
def test_a_turn_around_that_money_is_there_for_is_one_order() -> None:
    bench = Bench([Script({0.0: [up()], 1.0: [down()]})], sizer=Units(5.0), cash=1_000.0)
    bench.play([50.0, 50.0, 50.0])
    assert [(d.done, d.quantity) for d in bench.decisions] == [("ordered", 5.0), ("ordered", -10.0)]


def test_a_turn_around_without_the_money_closes_first() -> None:
    # 19 at 50 leave 50 in cash. Short 19 needs half of 950 as long as the 950 of the long are not
    # there: so 19 are sold at 1, and 19 more when that has filled, at 2.
    bench = Bench([Script({0.0: [up()], 1.0: [down()]})], sizer=Units(19.0), cash=1_000.0)
    bench.play([50.0, 50.0, 50.0, 50.0])
    assert [(d.timestamp, d.done, d.quantity, d.filled) for d in bench.decisions] == [
        (0.0, "ordered", 19.0, 19.0),
        (1.0, "closing first", -19.0, -19.0),
        (2.0, "ordered", -19.0, -19.0),
    ]
    assert bench.held() == -19.0
    assert bench.engine.rejections == {}
    assert bench.engine.order("p2").reduce_only


def test_a_turn_around_that_is_still_wanted_is_not_begun_again() -> None:
    # Rows of B come between: the closing order in A waits for a row of its own.
    script = Script({0.0: [up()]}, always=[down()])
    bench = Bench([script], sizer=Units(19.0), markets=["A", "B"], cash=1_000.0)
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=50.0)
    bench.row(2.0, B=1.0)
    bench.row(3.0, A=50.0)
    bench.row(4.0, A=50.0)
    assert [(d.done, d.order_ids) for d in bench.decisions] == [
        ("ordered", ("p1",)),
        ("closing first", ("p2",)),
        ("kept working", ("p2",)),
        ("ordered", ("p3",)),
        ("at target", ()),
    ]
    assert bench.held() == -19.0


def test_a_turn_around_that_is_no_longer_wanted_ends_at_its_first_half() -> None:
    script = Script({0.0: [up()], 1.0: [down()], 2.0: [out()]})
    bench = Bench([script], sizer=Units(19.0), cash=1_000.0)
    bench.play([50.0, 50.0, 50.0, 50.0])
    assert bench.done == ["ordered", "closing first", "at target"]
    assert bench.held() == 0.0


def test_a_turn_around_in_a_market_that_is_lost_is_given_up() -> None:
    bench = Bench([Script({0.0: [up()], 1.0: [down()]})], sizer=Units(19.0), cash=1_000.0)
    bench.play([50.0, 50.0])
    bench.desk.pull(0, 1)
    bench.row(2.0, A=50.0)
    bench.row(3.0, A=50.0)
    assert [(d.done, d.status) for d in bench.decisions] == [
        ("ordered", "filled"),
        ("closing first", "stale"),
    ]
    assert bench.held() == 19.0


def test_a_rotation_waits_for_the_money_of_what_is_sold() -> None:
    script = Script({0.0: [up("A")], 2.0: [out("A"), up("B")]})
    bench = Bench([script], sizer=FixedNotional(900.0), markets=["A", "B"])
    for time in (0.0, 1.0, 2.0, 3.0, 4.0):
        bench.row(time, A=10.0, B=10.0)
    # 100 in cash are not enough for B before A is sold, at 3.
    assert [(d.timestamp, d.market_id, d.done, d.quantity) for d in bench.decisions] == [
        (0.0, "A", "ordered", 90.0),
        (2.0, "A", "ordered", -90.0),
        (2.0, "B", "waiting for money", 0.0),
        (3.0, "B", "ordered", 90.0),
    ]
    assert (bench.held("A"), bench.held("B")) == (0.0, 90.0)
    assert bench.engine.rejections == {}


def test_an_order_does_not_wait_for_the_money_of_one_that_opens() -> None:
    script = Script({0.0: [up("A"), up("B")]})
    bench = Bench([script], sizer=FixedNotional(900.0), markets=["A", "B"])
    bench.row(0.0, A=10.0, B=10.0)
    assert bench.done == ["ordered", "refused: buying power"]


def test_an_order_does_not_wait_for_an_order_that_adds_to_a_position() -> None:
    script = Script({0.0: [up("A", 400.0)], 2.0: [up("A", 800.0), up("B", 900.0)]})

    class Money:
        def target(self, view: Any, account: Any) -> float:
            return view.edge_bps / view.price

    bench = Bench([script], sizer=Money(), markets=["A", "B"])
    for time in (0.0, 1.0, 2.0):
        bench.row(time, A=10.0, B=10.0)
    assert bench.done == ["ordered", "ordered", "refused: buying power"]


def test_what_waited_for_money_that_is_not_enough_is_refused_then() -> None:
    class Sizes:
        def target(self, view: Any, account: Any) -> float:
            return view.edge_bps

    script = Script({0.0: [up("A", 50.0)], 2.0: [out("A"), up("B", 500.0)]})
    bench = Bench([script], sizer=Sizes(), markets=["A", "B"])
    for time in (0.0, 1.0, 2.0, 3.0, 4.0):
        bench.row(time, A=10.0, B=10.0)
    assert bench.done == ["ordered", "ordered", "waiting for money", "refused: buying power"]


# ---------------------------------------------------------------------------- the universe
def test_the_universe_has_what_can_be_traded_now() -> None:
    script = Script()
    bench = Bench([script], markets=["A", "B", "C"])
    bench.row(0.0, B=1.0)
    bench.row(1.0, A=1.0)
    bench.row(2.0, A=1.0, stale=["B"])
    bench.row(3.0, B=1.0)
    bench.engine.venue.settle("A", 1.0)
    bench.row(4.0, B=1.0)
    assert [ids for _, ids in script.seen] == [("B",), ("A", "B"), ("A",), ("A", "B"), ("B",)]


def test_a_strategy_without_a_market_to_trade_is_not_asked() -> None:
    class Coins(Script):
        asset_classes = [Crypto]

    coins, every = Coins(name="coins"), Script()
    bench = Bench([coins, every])
    bench.row(0.0, A=1.0)
    assert (coins.seen, len(every.seen)) == ([], 1)


def test_a_stale_market_has_nothing_working() -> None:
    bench = Bench([Script({0.0: [up(urgency=Urgency.Patient)]})], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.desk.pull(0, 1)
    assert bench.working == []
    assert bench.decisions[0].status == "stale"
    bench.desk.pull(0, 2)  # nothing is left to pull


def test_a_market_that_settles_ends_its_orders() -> None:
    bench = Bench(
        [Script({0.0: [up("vote", urgency=Urgency.Patient)]})], sizer=Units(), markets=[VOTE]
    )
    bench.row(0.0, vote=0.5)
    bench.engine.venue.settle("vote", 1.0)
    bench.row(1.0, vote=1.0)
    assert bench.decisions[0].status == "canceled"


def test_orders_of_others_are_left_alone() -> None:
    def own(ctx: Any) -> list[Signal]:
        ctx.exchange("paper").buy("A", 1, limit=40.0)
        return [up()]

    bench = Bench([Script({0.0: own, 1.0: [out()]})], sizer=Units())
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=50.0)
    bench.row(2.0, A=50.0)
    assert bench.working == [("buy", 1.0, 40.0)]
    assert bench.held() == 0.0


# ---------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("returned", "message"),
    [
        pytest.param(None, "returned None; does it lack a return?", id="none"),
        pytest.param(up(), "must return a list of Signal, .* for none; returned Signal", id="one"),
        pytest.param([up(), 3], "it has 3", id="a number in it"),
        pytest.param({"A": 1}, "must return a list of Signal", id="a dict"),
        pytest.param([up("B")], "for market 'B' .*: the market has no price yet", id="no price"),
        pytest.param([up("Z")], "for market 'Z' .*: the market is not in the run", id="unknown"),
        pytest.param([up("X/USD")], "market is not eligible for this strategy", id="other class"),
    ],
)
def test_what_no_strategy_may_return(returned: Any, message: str) -> None:
    class Stocks(Script):
        asset_classes = [Equity]

    bench = Bench(
        [Stocks({0.0: lambda ctx: returned})],
        markets=["A", "B", Market("X/USD", Crypto)],
        sizer=Units(),
    )
    with pytest.raises(PipelineError, match=f"strategy 'script' failed .*{message}") as caught:
        bench.row(0.0, A=1.0)
    assert caught.value.stage == "script"
    assert bench.engine.venue.orders() == []


def test_an_exception_names_the_strategy_and_the_time() -> None:
    def fails(ctx: Any) -> Any:
        return 1 / 0

    bench = Bench([Script({61.5: fails})])
    with pytest.raises(PipelineError, match="1970-01-01 00:01:01: ZeroDivisionError") as caught:
        bench.row(61.5, A=1.0)
    error = caught.value
    assert (error.stage, error.market_id, error.timestamp) == ("script", "", 61.5)
    assert isinstance(error.__cause__, ZeroDivisionError)


def test_a_failing_strategy_leaves_its_markets_alone_and_the_others_go_on() -> None:
    class Only(Script):
        def eligible_markets(self, markets: Any) -> Any:
            return [market for market in markets if market.id == "A"]

    def fails(ctx: Any) -> Any:
        raise KeyError("x")

    broken = Only({0.0: fails}, name="broken")
    whole = Script({0.0: [up("A"), up("B")]}, name="whole")
    bench = Bench([broken, whole], sizer=Units(), markets=["A", "B"], skips=True)
    bench.row(0.0, A=10.0, B=10.0)
    assert [error.stage for error in bench.errors] == ["broken"]
    # Without the one that failed, a view on A would be another.
    assert [one.market_id for one in bench.decisions] == ["B"]


def test_a_failing_sizer_leaves_that_market_alone() -> None:
    signals = [up("A"), up("B", expected_vol_bps=100.0, horizon=DAY)]
    bench = Bench([Script({0.0: signals})], sizer=VolTarget(), markets=["A", "B"], skips=True)
    bench.row(0.0, A=10.0, B=10.0)
    assert [(error.stage, error.market_id) for error in bench.errors] == [("VolTarget", "A")]
    assert [one.market_id for one in bench.decisions] == ["B"]


def test_an_order_that_cannot_be_is_the_strategys_error() -> None:
    # 1e15 units at 50 are more than a notional can be.
    bench = Bench([Script({0.0: [up()]})], sizer=Units(1e15), skips=True)
    bench.row(0.0, A=50.0)
    (error,) = bench.errors
    assert (error.stage, error.market_id) == ("script", "A")
    assert "notional must be at most 1e15" in str(error)
    assert bench.done == ["refused: ValueError"]


def test_a_model_that_fails_is_no_fault_of_a_strategy() -> None:
    def fails(ctx: Any) -> Any:
        raise ModelError("fees")

    bench = Bench([Script({0.0: fails})], skips=True)
    with pytest.raises(ModelError, match="fees"):
        bench.row(0.0, A=1.0)


def test_a_feature_that_fails_is_named_with_its_market() -> None:
    class Odd(Feature):
        def update(self, *values: float) -> float:
            raise ArithmeticError("too odd")

    class Reader(Script):
        features = {"odd": Odd()}

    bench = Bench([Reader()])
    with pytest.raises(PipelineError, match="a feature of strategy 'script' failed for market 'A'"):
        bench.row(7.0, A=1.0)


@pytest.mark.parametrize(
    "chosen", [None, "A", ["A"], [Market("Z", Equity)]], ids=["none", "text", "ids", "foreign"]
)
def test_eligible_markets_are_some_of_the_runs(chosen: Any) -> None:
    class Odd(Script):
        def eligible_markets(self, markets: Any) -> Any:
            return chosen

    with pytest.raises((TypeError, ValueError), match="eligible_markets of strategy 'script' must"):
        Bench([Odd()])


def test_what_a_run_is_given_is_checked() -> None:
    assert plan_of(None) is None
    with pytest.raises(ValueError, match="sizer belongs to strategies="):
        plan_of(None, sizer=FixedNotional(1.0))
    with pytest.raises(ValueError, match="execution belongs to strategies="):
        plan_of(None, execution=SignalExecution())
    with pytest.raises(TypeError, match="sizer must have a method target"):
        plan_of([Script()], sizer=5)
    with pytest.raises(TypeError, match=r"sizer must have a method target.*; call it"):
        plan_of([Script()], sizer=EqualWeight)
    with pytest.raises(TypeError, match="execution must be a SignalExecution"):
        plan_of([Script()], execution={"ttl": 5})


# ---------------------------------------------------------------------------- warm-up and hooks
def test_before_its_start_a_run_asks_and_sends_nothing() -> None:
    script = Script(always=[up()])
    bench = Bench([script], sizer=Units())
    bench.row(0.0, A=50.0, send=False)
    bench.row(1.0, A=50.0, send=False)
    assert (len(script.seen), bench.decisions) == (2, [])
    assert bench.engine.venue.orders() == []


def test_orders_of_its_own_do_not_pass_before_the_start() -> None:
    def own(ctx: Any) -> list[Signal]:
        ctx.exchange("paper").buy("A", 1, market=True)
        return []

    bench = Bench([Script({0.0: own, 1.0: own})])
    bench.engine.hold("warmup", "not yet")
    bench.row(0.0, A=50.0, send=False)
    bench.engine.release()
    bench.engine.kill_switch()
    with pytest.raises(PipelineError) as caught:  # any other refusal is the strategy's own
        bench.row(1.0, A=50.0)
    assert isinstance(caught.value.__cause__, RiskRejected)


def test_the_hooks_come_once_before_and_after() -> None:
    calls: list[tuple[str, float]] = []

    class Hooked(Script):
        def on_start(self, ctx: Any) -> None:
            calls.append(("start", ctx.timestamp))

        def on_stop(self, ctx: Any) -> None:
            calls.append(("stop", ctx.timestamp))

        def evaluate(self, f: Any, universe: Any, ctx: Any) -> Any:
            calls.append(("evaluate", ctx.timestamp))
            return []

    bench = Bench([Hooked()])
    bench.desk.stop(0)  # it has not begun
    bench.row(1.0, A=1.0)
    bench.row(2.0, A=1.0)
    bench.desk.stop(3_000_000_000)
    bench.desk.stop(4_000_000_000)
    assert calls == [("start", 1.0), ("evaluate", 1.0), ("evaluate", 2.0), ("stop", 3.0)]


def test_a_hook_that_fails_is_named() -> None:
    class Hooked(Script):
        def on_start(self, ctx: Any) -> None:
            raise OSError("no disk")

    with pytest.raises(PipelineError, match=r"on_start of strategy 'script' failed at .*no disk"):
        Bench([Hooked()]).row(0.0, A=1.0)


# ---------------------------------------------------------------------------- what it sees
def test_the_context() -> None:
    seen: list[Any] = []

    def look(ctx: Any) -> list[Signal]:
        seen.append(
            (
                ctx.timestamp,
                [market.id for market in ctx.markets],
                ctx.price("A"),
                ctx.row(ctx.markets[0]).price,
                ctx.row("B").is_stale,
                math.isnan(ctx.price("B")),
                ctx.position("A").size,
                ctx.position("A").avg_entry_price,
                ctx.inventory(ctx.markets[0]),
                ctx.portfolio.equity,
                [position.market_id for position in ctx.portfolio.positions],
                ctx.params["engine"] is ctx.engine,
            )
        )
        with pytest.raises(KeyError, match="market must be one of the run's, was 'a'"):
            ctx.price("a")
        with pytest.raises(Exception, match="a run has one venue, 'paper'"):
            ctx.exchange("live")
        return [up()]

    bench = Bench([Script({0.0: [up()], 2.0: look})], sizer=Units(), markets=["A", "B"])
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=51.0)
    bench.row(2.0, A=53.0)
    assert seen == [
        (2.0, ["A", "B"], 53.0, 53.0, True, True, 10.0, 51.0, 10.0, 1_020.0, ["A"], True),
    ]


def test_the_context_shows_itself() -> None:
    texts: list[str] = []

    def look(ctx: Any) -> list[Signal]:
        texts.extend([repr(ctx), ctx._repr_html_()])
        return []

    Bench([Script({3_600.0: look})]).row(3_600.0, A=1.0)
    shown = "StrategyContext: 1970-01-01 01:00:00, 1 markets, equity 1,000.00"
    assert texts == [f"<{shown}>", f"<code>&lt;{shown}&gt;</code>"]


def test_features_follow_the_rows_of_their_own_market() -> None:
    values: list[tuple[float, float]] = []

    class Reader(Strategy):
        features = {"price": Price()}

        def evaluate(self, f: Any, universe: Any) -> list[Signal]:
            values.append((f.price["A"], f.price["B"]))
            return []

    bench = Bench([Reader()], markets=["A", "B"])
    bench.row(0.0, A=1.0)
    bench.row(1.0, B=2.0)
    bench.row(2.0, A=3.0)
    assert [(a, None if math.isnan(b) else b) for a, b in values] == [
        (1.0, None),
        (1.0, 2.0),
        (3.0, 2.0),
    ]


def test_the_fair_value_behind_an_order_is_price_and_edge() -> None:
    signals = [up("A", 50.0), down("vote", 200.0)]
    bench = Bench([Script({0.0: signals})], sizer=Units(), markets=["A", VOTE], cash=5_000.0)
    bench.row(0.0, A=100.0, vote=0.5)
    # 50 bps of 100 are 0.50; of a prediction 200 bps are two cents.
    assert bench.desk.fair_values == {"p1": 100.5, "p2": pytest.approx(0.48)}
