"""What every algorithm shares: its life, refusals, progress, and who is told."""

import asyncio
import dataclasses
import threading
import time

import pytest

import horizon as hz
from horizon import TWAP, VWAP, Engine, Iceberg, OrderRequest, OrderSide, RiskConfig, Side
from horizon.algos import ExecAlgo
from horizon.errors import AlgoError, VenueError
from horizon.venues import Paper
from tests.scripted import ScriptedVenue

YES, NO, LONG = Side.Yes, Side.No, Side.Long
BUY, SELL = OrderSide.Buy, OrderSide.Sell

KINDS = ["twap", "vwap", "iceberg"]


def make(risk: RiskConfig | None = None, venue: Paper | None = None, **options) -> Engine:
    options.setdefault("clock", lambda: 0.0)
    return Engine(risk, venue=venue or Paper(1e6, **options))


def build(engine: Engine, kind: str) -> ExecAlgo:
    """Two slices or clips of 5 out of 10, over 10 s where there is a time."""
    if kind == "twap":
        return TWAP(engine, 10.0, 2)
    if kind == "vwap":
        return VWAP(engine, 10.0, [1.0, 1.0])
    return Iceberg(engine, 5.0)


def request(size: float = 10.0, side: OrderSide = BUY, market: str = "ACME", **rest):
    return OrderRequest(market, LONG, side, size, 10.0, **rest)


def started(engine: Engine, kind: str = "twap", **rest) -> ExecAlgo:
    algo = build(engine, kind)
    algo.start(request(**rest))
    return algo


# ---------------------------------------------------------------------------- out of turn
@pytest.mark.parametrize("kind", KINDS)
def test_on_tick_before_start_is_a_clear_error(kind: str) -> None:
    algo = build(make(), kind)
    with pytest.raises(AlgoError, match="start"):
        algo.on_tick(10.0, 0.0)


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_verbs_before_start_are_clear_errors(verb: str) -> None:
    with pytest.raises(AlgoError, match="start"):
        getattr(build(make(), "twap"), verb)()


def test_an_algo_that_has_not_started_can_be_read() -> None:
    algo = build(make(), "twap")
    assert algo.status == "ready"
    assert not algo.is_complete
    assert not algo.is_done
    assert algo.child_order_ids == []
    assert algo.total_filled == 0.0
    assert algo.rejections == {}
    assert algo.id is None
    assert "ready" in repr(algo)
    with pytest.raises(AlgoError, match="start"):
        _ = algo.progress
    with pytest.raises(AlgoError, match="start"):
        asyncio.run(algo.done())


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_start_is_a_clear_error_and_changes_nothing(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    with pytest.raises(AlgoError, match="started before"):
        algo.start(request(99.0))
    assert algo.progress.target == 10.0
    assert engine.algos == [algo]


def test_an_ended_algo_cannot_be_started_again() -> None:
    algo = started(make())
    algo.cancel()
    with pytest.raises(AlgoError, match="started before"):
        algo.start(request())


@pytest.mark.parametrize("bad", [None, {"market_id": "ACME"}, "ACME"])
def test_start_takes_an_order_request(bad: object) -> None:
    with pytest.raises(TypeError, match="OrderRequest"):
        build(make(), "twap").start(bad)  # type: ignore[arg-type]


def test_a_failed_start_may_be_followed_by_a_good_one() -> None:
    engine = make()
    algo = Iceberg(engine, 5.0)
    with pytest.raises(ValueError, match="price"):
        algo.start(OrderRequest("ACME", LONG, BUY, 10.0))
    assert algo.status == "ready"
    algo.start(request())
    assert algo.status == "running"


def test_a_client_order_id_cannot_name_many_children() -> None:
    with pytest.raises(ValueError, match="client_order_id"):
        started(make(), client_order_id="mine")


def test_an_algo_cannot_start_on_a_closed_engine() -> None:
    engine = make()
    algo = build(engine, "twap")
    engine.close()
    with pytest.raises(VenueError):
        algo.start(request())


def test_a_closed_client_starts_no_algo() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.close()
    with pytest.raises(VenueError):
        ex.twap("ACME", 10, duration_secs=10, num_slices=2)


def test_leverage_where_there_is_none_is_refused_at_the_start() -> None:
    engine = make()
    with pytest.raises(ValueError, match="leverage"):
        started(engine, leverage=5.0)
    assert engine.algos == []


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_end_a_tick_does_nothing(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    algo.on_tick(10.0, 0.0)
    algo.cancel()
    before = [o.status for o in engine.venue.orders()]
    for at in (1.0, 5.0, 100.0):
        algo.on_tick(10.0, at)
    assert [o.status for o in engine.venue.orders()] == before == ["canceled"]
    assert algo.status == "canceled"


# ---------------------------------------------------------------------------- completion
@pytest.mark.parametrize("kind", KINDS)
def test_a_filled_parent_is_complete_at_once_without_another_tick(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    algo.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    algo.on_tick(10.0, 5.0)
    assert not algo.is_complete
    engine.tick("ACME", 10.0)
    assert algo.is_complete
    assert algo.is_done
    assert algo.status == algo.progress.status == "completed"
    assert engine.algos == []
    assert engine.status().running_algos == 0


@pytest.mark.parametrize("kind", ["twap", "vwap"])
def test_what_is_missing_at_the_end_is_said_and_cancelled(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    algo.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    algo.on_tick(9.0, 5.0)
    engine.tick("ACME", 9.5)  # the second child stays unfilled
    algo.on_tick(9.0, 10.0)
    assert algo.is_complete
    assert algo.status == "expired"
    assert (algo.progress.filled, algo.progress.remaining) == (5.0, 5.0)
    assert [engine.order(child).status for child in algo.child_order_ids] == ["filled", "canceled"]
    assert engine.open_orders() == []
    assert engine.algos == []


def test_a_part_filled_child_counts_when_the_time_is_over() -> None:
    venue = ScriptedVenue()
    engine = make(venue=venue)
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    venue.fill(algo.child_order_ids[0], 2.0)
    algo.on_tick(10.0, 10.0)
    assert (algo.status, algo.total_filled) == ("expired", 2.0)
    assert engine.order(algo.child_order_ids[0]).status == "canceled"
    assert engine.positions()[0].size == 2.0


@pytest.mark.parametrize("kind", ["twap", "vwap"])
@pytest.mark.parametrize("end", ["cancel", "flatten", "kill_switch", "settle", "pause", "refused"])
@pytest.mark.parametrize("when", ["before the first tick", "between slices"])
def test_a_loop_until_complete_always_ends(kind: str, end: str, when: str) -> None:
    engine = make(RiskConfig(max_order_size=1) if end == "refused" else None)
    algo = started(engine, kind)
    now = 0.0
    if when == "between slices":
        algo.on_tick(10.0, now)
    if end in ("cancel", "pause"):
        getattr(algo, end)()
    elif end == "settle":
        engine.settle("ACME", 10.0)
    elif end != "refused":
        getattr(engine, end)()
    while not algo.is_complete:
        assert now < 100.0, f"still not complete after {now} s"
        now += 1.0
        algo.on_tick(10.0, now)
    assert engine.open_orders() == []


@pytest.mark.parametrize("kind", KINDS)
def test_reading_fills_leaves_them_to_the_user(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    algo.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    assert algo.total_filled == 5.0
    assert [fill.size for fill in engine.drain_fills()] == [5.0]
    algo.on_tick(10.0, 5.0)
    assert algo.total_filled == 5.0


# ---------------------------------------------------------------------------- refusals
def test_a_child_refused_by_risk_is_tried_again_once_a_second() -> None:
    engine = make(RiskConfig(max_position_per_market=4))
    algo = started(engine)
    tried = []
    for at in (0.0, 0.25, 0.999, 1.0, 1.9, 2.0, 2.5, 3.75):
        algo.on_tick(10.0, at)
        tried.append(algo.rejections["max_position_per_market"][0])
    assert tried == [1, 1, 1, 2, 2, 3, 3, 4]
    assert engine.venue.orders() == []
    assert engine.rejections == {"max_position_per_market": 4}


def test_a_refused_child_goes_out_as_soon_as_a_retry_passes() -> None:
    engine = make(RiskConfig(max_position_per_market=10))
    blocking = engine.submit_order(request(8.0))
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    engine.cancel(blocking)
    algo.on_tick(10.5, 0.5)
    assert algo.child_order_ids == []
    algo.on_tick(11.0, 1.0)
    (child,) = algo.child_order_ids
    assert (engine.order(child).quantity, engine.order(child).price) == (5.0, 11.0)


def test_slices_behind_a_refused_one_wait_and_are_not_merged() -> None:
    engine = make(RiskConfig(max_position_per_market=10))
    blocking = engine.submit_order(request(8.0))
    algo = started(engine)
    for at in (0.0, 5.0, 6.0):
        algo.on_tick(10.0, at)
    engine.cancel(blocking)
    algo.on_tick(10.0, 7.0)
    assert [engine.order(child).quantity for child in algo.child_order_ids] == [5.0, 5.0]


def test_of_rejected_children_only_the_first_and_the_last_stay_in_the_history() -> None:
    engine = Engine(venue=Paper(10.0, clock=lambda: 0.0))  # no money for 5 x 10
    algo = started(engine)
    seen: list[str] = []
    for at in range(9):
        algo.on_tick(10.0, float(at))
        seen += [o.id for o in engine.venue.orders() if o.id not in seen]
    assert algo.rejections["buying power"][0] == 9
    assert "available" in algo.rejections["buying power"][1]
    assert len(seen) == 9
    assert [o.id for o in engine.venue.orders()] == [seen[0], seen[-1]]
    assert {o.status for o in engine.venue.orders()} == {"rejected"}
    assert algo.child_order_ids == []
    algo.on_tick(10.0, 10.0)
    assert algo.status == "expired"


def test_each_rule_keeps_its_own_count_and_its_own_last_words() -> None:
    answers = ["busy: one", "closed: two", "busy: three", None]
    venue = ScriptedVenue(lambda market, sign, quantity: answers.pop(0))
    engine = make(venue=venue)
    algo = started(engine)
    for at in range(4):
        algo.on_tick(10.0, float(at))
    assert algo.rejections == {"busy": (2, "busy: three"), "closed": (1, "closed: two")}
    assert algo.progress.rejections == algo.rejections
    assert len(algo.child_order_ids) == 1


def test_a_child_cancelled_from_outside_is_never_replaced() -> None:
    engine = make()
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    engine.cancel(algo.child_order_ids[0])
    for at in range(1, 10):
        algo.on_tick(10.0, float(at))
    engine.tick("ACME", 10.0)
    # The second slice is sent when due; nothing takes the place of the first.
    assert [engine.order(child).status for child in algo.child_order_ids] == ["canceled", "filled"]
    algo.on_tick(10.0, 10.0)
    assert (algo.status, algo.progress.remaining) == ("expired", 5.0)


def test_children_cancelled_by_the_drawdown_are_not_replaced_but_later_slices_retried() -> None:
    engine = Engine(RiskConfig(max_daily_drawdown_pct=10), venue=Paper(1_000.0, clock=lambda: 0.0))
    engine.tick("B", 10.0)
    engine.submit_order(OrderRequest("B", LONG, BUY, 50.0))
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    engine.tick("B", 5.0)  # 750 of 1000
    assert engine.order(algo.child_order_ids[0]).status == "canceled"
    algo.on_tick(10.0, 5.0)
    assert algo.rejections["max_daily_drawdown_pct"][0] == 1
    assert len(algo.child_order_ids) == 1


def test_algos_share_the_limits_with_everything_else() -> None:
    engine = make(RiskConfig(max_position_per_market=12))
    first, second = started(engine), started(engine)
    for algo in (first, second):
        algo.on_tick(10.0, 0.0)
        algo.on_tick(10.0, 5.0)
    # 5 + 5 of the first fit, of the second nothing does.
    assert (len(first.child_order_ids), len(second.child_order_ids)) == (2, 0)


# ---------------------------------------------------------------------------- pause, cancel
def test_a_paused_algo_sends_nothing_and_its_clock_runs_on() -> None:
    engine = make()
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    assert algo.pause()
    assert algo.status == "paused"
    algo.on_tick(10.0, 5.0)
    assert len(algo.child_order_ids) == 1
    assert engine.order(algo.child_order_ids[0]).is_open
    assert algo.resume()
    assert algo.status == "running"
    algo.on_tick(11.0, 6.0)
    assert [engine.order(child).price for child in algo.child_order_ids] == [10.0, 11.0]


def test_a_paused_iceberg_shows_no_further_clip() -> None:
    engine = make()
    algo = started(engine, "iceberg")
    algo.on_tick(10.0, 0.0)
    algo.pause()
    engine.tick("ACME", 10.0)
    algo.on_tick(10.0, 1.0)
    assert len(algo.child_order_ids) == 1
    algo.resume()
    algo.on_tick(10.0, 2.0)
    assert len(algo.child_order_ids) == 2


def test_a_paused_algo_still_expires_and_still_completes() -> None:
    engine = make()
    late, filled = started(engine), started(engine)
    for algo in (late, filled):
        algo.on_tick(10.0, 0.0)
        algo.on_tick(10.0, 5.0)
    late.pause()
    filled.pause()
    engine.cancel(late.child_order_ids[0])
    engine.tick("ACME", 10.0)
    assert filled.is_complete
    late.on_tick(10.0, 10.0)
    assert (late.status, filled.status) == ("expired", "completed")


def test_pausing_and_resuming_twice_says_that_it_had_no_effect() -> None:
    algo = started(make())
    assert not algo.resume()
    assert algo.pause()
    assert not algo.pause()
    assert algo.resume()
    assert algo.cancel()
    assert not algo.pause()
    assert not algo.resume()
    assert algo.status == "canceled"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("paused", [False, True])
def test_cancel_ends_the_algo_and_its_open_children(kind: str, paused: bool) -> None:
    engine = make()
    algo = started(engine, kind)
    algo.on_tick(10.0, 0.0)
    if paused:
        algo.pause()
    assert algo.cancel()
    assert not algo.cancel()
    assert algo.status == "canceled"
    assert algo.is_done
    assert engine.open_orders() == []
    assert engine.algos == []


def test_cancelling_a_filled_algo_leaves_it_completed() -> None:
    engine = make()
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    algo.on_tick(10.0, 5.0)
    engine.tick("ACME", 10.0)
    algo.cancel()
    assert algo.status == "completed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("auto", [True, False])
def test_settling_the_market_stops_its_algos(kind: str, auto: bool) -> None:
    engine = make()
    algo = build(engine, kind)
    algo.start(request(), auto=auto)
    algo.on_tick(10.0, 0.0)
    engine.venue.settle("ACME", 10.0)
    assert algo.status == "stopped"
    assert engine.order(algo.child_order_ids[0]).status == "canceled"
    algo.on_tick(10.0, 5.0)
    assert len(algo.child_order_ids) == 1


# ---------------------------------------------------------------------------- progress
def test_progress_of_a_waiting_algo() -> None:
    algo = started(make())
    progress = algo.progress
    assert (progress.id, progress.kind, progress.market_id) == ("a1", "TWAP", "ACME")
    assert (progress.side, progress.status) == ("buy", "running")
    assert (progress.target, progress.filled, progress.planned) == (10.0, 0.0, 0.0)
    assert (progress.remaining, progress.fraction) == (10.0, 0.0)
    for field in (
        "average_price",
        "arrival_price",
        "schedule_vwap",
        "slippage_bps",
        "schedule_slippage_bps",
        "started_at",
        "time",
        "next_slice_at",
        "ends_at",
    ):
        assert getattr(progress, field) is None, field
    assert progress.children == ()
    assert [(p.number, p.size, p.status) for p in progress.schedule] == [
        (0, 5.0, "scheduled"),
        (1, 5.0, "scheduled"),
    ]


@pytest.mark.parametrize("side, sign", [(BUY, 1), (SELL, -1)])
def test_slippage_against_arrival_and_against_the_schedule_by_hand(
    side: OrderSide, sign: int
) -> None:
    engine = make()
    algo = VWAP(engine, 40.0, [1.0, 3.0, 4.0])
    algo.start(OrderRequest("ACME", LONG, side, 80.0))
    algo.on_tick(100.0, 0.0)  # 10 due at 100
    engine.tick("ACME", 100.0)
    algo.on_tick(102.0, 20.0)  # 30 due at 102
    engine.tick("ACME", 102.0)
    progress = algo.progress
    # Filled 10 at 100 and 30 at 102: (1000 + 3060) / 40 = 101.5, arrival 100, the same schedule.
    assert progress.filled == progress.planned == 40.0
    assert progress.average_price == pytest.approx(101.5, abs=1e-9)
    assert progress.arrival_price == 100.0
    assert progress.schedule_vwap == pytest.approx(101.5, abs=1e-9)
    assert progress.slippage_bps == pytest.approx(sign * 150.0, abs=1e-9)
    assert progress.schedule_slippage_bps == pytest.approx(0.0, abs=1e-9)


def test_a_late_tick_gives_the_schedule_its_own_price() -> None:
    engine = make()
    algo = TWAP(engine, 40.0, 4)
    algo.start(OrderRequest("ACME", LONG, BUY, 40.0))
    algo.on_tick(100.0, 0.0)
    algo.on_tick(110.0, 29.0)  # two slices come due late, both at 110
    # (10 x 100 + 20 x 110) / 30 = 106.67; only the first slice has filled, at 100.
    engine.cancel(algo.child_order_ids[1])
    engine.cancel(algo.child_order_ids[2])
    engine.tick("ACME", 100.0)
    progress = algo.progress
    assert progress.schedule_vwap == pytest.approx(320.0 / 3, abs=1e-9)
    assert progress.average_price == 100.0
    assert progress.slippage_bps == pytest.approx(0.0, abs=1e-9)
    # 100 / 106.667 - 1 = -6.25 %: better than the schedule.
    assert progress.schedule_slippage_bps == pytest.approx(-625.0, abs=1e-9)


def test_progress_shows_the_schedule_slice_by_slice() -> None:
    engine = make()
    algo = TWAP(engine, 30.0, 3)
    algo.start(OrderRequest("ACME", LONG, BUY, 30.0))
    algo.on_tick(10.0, 100.0)
    engine.tick("ACME", 10.0)
    algo.on_tick(9.0, 110.0)
    progress = algo.progress
    first, second = algo.child_order_ids
    rows = [(p.number, p.size, p.due_at, p.order_id, p.filled, p.status) for p in progress.schedule]
    assert rows == [
        (0, 10.0, 100.0, first, 10.0, "filled"),
        (1, 10.0, 110.0, second, 0.0, "new"),
        (2, 10.0, 120.0, None, 0.0, "scheduled"),
    ]
    assert progress.children == (first, second)
    assert (progress.started_at, progress.time, progress.ends_at) == (100.0, 110.0, 130.0)
    assert progress.next_slice_at == 120.0
    assert (progress.filled, progress.planned) == (10.0, 20.0)
    assert progress.fraction == pytest.approx(1 / 3)


def test_a_refused_slice_is_due_and_says_when_it_is_tried_again() -> None:
    engine = make(RiskConfig(max_order_size=1))
    algo = started(engine)
    algo.on_tick(10.0, 3.0)
    progress = algo.progress
    assert progress.schedule[0].status == "due"
    assert progress.next_slice_at == 4.0
    assert progress.planned == 5.0
    assert progress.slippage_bps is None


def test_progress_is_frozen_and_keeps_its_moment() -> None:
    engine = make()
    algo = started(engine)
    before = algo.progress
    algo.on_tick(10.0, 0.0)
    assert before.children == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.filled = 5.0  # type: ignore[misc]


def test_progress_of_an_iceberg_shows_its_clips() -> None:
    engine = make()
    algo = started(engine, "iceberg")
    algo.on_tick(11.0, 0.0)
    engine.tick("ACME", 10.0)
    progress = algo.progress
    assert [(p.size, p.due_at, p.status) for p in progress.schedule] == [
        (5.0, None, "filled"),
        (5.0, None, "scheduled"),
    ]
    # Bought at 10 what stood at 11 when it began: 10/11 - 1 = -9.0909 %.
    assert progress.slippage_bps == pytest.approx(-1e4 / 11, abs=1e-9)


def test_repr_says_how_far_it_is() -> None:
    engine = make()
    algo = started(engine)
    algo.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    assert repr(algo) == "<TWAP a1 running: buy 5 of 10 ACME, avg 10, 1 children>"
    assert "&lt;TWAP a1" in algo._repr_html_()


# ---------------------------------------------------------------------------- subscribers
def test_subscribers_are_told_each_new_progress_and_only_new_ones() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)
    seen: list[tuple[str, float, int]] = []
    algo.subscribe(lambda p: seen.append((p.status, p.filled, len(p.children))))
    assert seen == [("running", 0.0, 0)]  # told at once where it stands
    for at in (0.0, 1.0, 2.0, 5.0, 6.0, 7.0):
        ex.tick("ACME", 10.0, at)
    assert seen == [
        ("running", 0.0, 0),
        ("running", 0.0, 1),
        ("running", 5.0, 1),
        ("running", 5.0, 2),
        ("completed", 10.0, 2),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_subscribers_of_a_hand_made_algo_are_told_of_its_end(kind: str) -> None:
    engine = make()
    algo = started(engine, kind)
    seen: list[tuple[str, float]] = []
    algo.subscribe(lambda p: seen.append((p.status, p.filled)))
    algo.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    algo.on_tick(10.0, 5.0)
    engine.tick("ACME", 10.0)  # fills the last child
    assert seen[-1] == ("completed", 10.0)


def test_a_callback_before_the_start_is_told_from_the_start_on() -> None:
    algo = build(make(), "twap")
    seen: list[str] = []
    algo.subscribe(lambda p: seen.append(p.status))
    assert seen == []
    algo.start(request())
    algo.pause()
    algo.resume()
    algo.cancel()
    assert seen == ["running", "paused", "running", "canceled"]


def test_an_unsubscribed_callback_is_told_nothing_more() -> None:
    algo = started(make())
    seen: list[str] = []
    stop = algo.subscribe(lambda p: seen.append(p.status))
    stop()
    stop()
    algo.cancel()
    assert seen == ["running"]


def test_a_callback_may_unsubscribe_itself_and_others() -> None:
    algo = started(make())
    seen: list[str] = []
    stops: list = []

    def first(progress) -> None:
        seen.append("first")
        for stop in stops:
            stop()

    stops.append(algo.subscribe(first))
    stops.append(algo.subscribe(lambda p: seen.append("second")))
    algo.pause()
    seen.clear()
    algo.resume()
    assert seen == []


def test_a_callback_that_comes_late_is_told_how_it_ended() -> None:
    algo = started(make())
    algo.cancel()
    seen: list[str] = []
    algo.subscribe(lambda p: seen.append(p.status))
    assert seen == ["canceled"]


def test_a_callback_that_fails_at_once_is_not_subscribed() -> None:
    algo = started(make())

    def broken(progress) -> None:
        raise RuntimeError("a drawing failed")

    with pytest.raises(RuntimeError, match="a drawing failed"):
        algo.subscribe(broken)
    algo.on_tick(10.0, 0.0)
    assert len(algo.child_order_ids) == 1


def test_unsubscribing_twice_leaves_another_subscription_alone() -> None:
    algo = started(make())
    seen: list[str] = []

    def note(progress) -> None:
        seen.append(progress.status)

    stop = algo.subscribe(note)
    algo.subscribe(note)
    stop()
    stop()
    algo.cancel()
    assert seen == ["running", "running", "canceled"]


def test_subscribe_takes_a_function() -> None:
    with pytest.raises(TypeError, match="callback"):
        build(make(), "twap").subscribe("print")  # type: ignore[arg-type]


def test_a_raising_callback_keeps_nobody_from_being_told_and_nothing_from_being_done() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    algos = [ex.twap("ACME", 10, duration_secs=10, num_slices=2) for _ in range(2)]
    seen: list[int] = []

    def broken(progress) -> None:
        if progress.children:
            raise RuntimeError("a drawing failed")

    for algo in algos:
        algo.subscribe(broken)
        algo.subscribe(lambda p: seen.append(len(p.children)))
    with pytest.raises(RuntimeError, match="a drawing failed"):
        ex.tick("ACME", 10.0, 0.0)
    assert seen == [0, 0, 1, 1]
    assert [len(algo.child_order_ids) for algo in algos] == [1, 1]
    # The books go on as if nothing had been.
    with pytest.raises(RuntimeError, match="a drawing failed"):
        ex.tick("ACME", 10.0, 5.0)
    assert [algo.total_filled for algo in algos] == [5.0, 5.0]
    assert sum(fill.quantity for fill in ex.fills()) == 10.0


def test_a_callback_may_use_the_client() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)

    def stop_at_half(progress) -> None:
        if progress.fraction >= 0.5 and not progress.is_done:
            ex.flatten("ACME")

    algo.subscribe(stop_at_half)
    for at in range(12):
        ex.tick("ACME", 10.0, float(at))
    assert algo.status == "stopped"
    assert algo.total_filled == 5.0
    assert ex.positions() == []
    assert ex.open_orders() == []


# ---------------------------------------------------------------------------- done()
def test_done_waits_for_the_end_and_returns_the_last_progress() -> None:
    async def wait() -> hz.algos.ExecAlgo:
        ex = hz.connect("paper", clock=lambda: 0.0)
        algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)
        waiting = [asyncio.create_task(algo.done()) for _ in range(3)]
        for at in range(7):
            assert not any(task.done() for task in waiting)
            ex.tick("ACME", 10.0, float(at))
            await asyncio.sleep(0)
        results = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert {(p.status, p.filled) for p in results} == {("completed", 10.0)}
        assert (await algo.done()).status == "completed"  # at once when it is over
        return algo

    asyncio.run(wait())


@pytest.mark.parametrize("kind", KINDS)
def test_done_of_a_hand_made_algo_wakes_when_its_last_child_fills(kind: str) -> None:
    async def wait() -> None:
        engine = make()
        algo = started(engine, kind)
        algo.on_tick(10.0, 0.0)
        engine.tick("ACME", 10.0)
        algo.on_tick(10.0, 5.0)
        waiting = asyncio.create_task(algo.done())
        await asyncio.sleep(0)
        engine.tick("ACME", 10.0)
        assert (await asyncio.wait_for(waiting, 2)).status == "completed"

    asyncio.run(wait())


@pytest.mark.parametrize("how", ["cancel", "stop", "kill_switch", "settle", "expire"])
def test_done_wakes_however_it_ends(how: str) -> None:
    async def wait() -> str:
        engine = make()
        algo = started(engine)
        algo.on_tick(10.0, 0.0)
        waiting = asyncio.create_task(algo.done())
        await asyncio.sleep(0)
        if how == "cancel":
            algo.cancel()
        elif how == "stop":
            algo.stop("by the test")
        elif how == "kill_switch":
            engine.kill_switch()
        elif how == "settle":
            engine.settle("ACME", 10.0)
        else:
            algo.on_tick(10.0, 10.0)
        return (await asyncio.wait_for(waiting, 5)).status

    expected = {"cancel": "canceled", "expire": "expired"}.get(how, "stopped")
    assert asyncio.run(wait()) == expected


def test_done_wakes_when_another_thread_ends_it() -> None:
    async def wait() -> str:
        ex = hz.connect("paper", clock=lambda: 0.0)
        algo = ex.twap("ACME", 10, duration_secs=10, num_slices=2)

        def market() -> None:
            time.sleep(0.2)  # until the loop has nothing to do and sleeps
            for at in range(12):
                ex.tick("ACME", 10.0, float(at))

        waiting = asyncio.create_task(algo.done())
        await asyncio.sleep(0)
        thread = threading.Thread(target=market, daemon=True)
        begun = time.monotonic()
        thread.start()
        progress = await asyncio.wait_for(waiting, 20)
        assert time.monotonic() - begun < 10.0  # woken, not found at the timeout
        thread.join(10)
        return progress.status

    assert asyncio.run(wait()) == "completed"


def test_a_cancelled_wait_does_not_disturb_the_algo() -> None:
    async def wait() -> None:
        engine = make()
        algo = started(engine)
        waiting = asyncio.create_task(algo.done())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert algo.status == "running"
        algo.cancel()
        await asyncio.sleep(0)

    asyncio.run(wait())


def test_a_loop_closed_before_the_end_is_no_error() -> None:
    engine = make()
    algo = started(engine)

    async def give_up() -> None:
        waiting = asyncio.create_task(algo.done())
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(give_up())
    assert algo.cancel()
