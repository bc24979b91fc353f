"""TWAP: when its slices come, what they are, and what it says of itself."""

import math

import pytest

import horizon as hz
from horizon import TWAP, AssetClass, Engine, Market, OrderRequest, OrderSide, RiskConfig, Side
from horizon.algos import ExecAlgo
from horizon.venues import Paper

YES, NO, LONG = Side.Yes, Side.No, Side.Long
BUY, SELL = OrderSide.Buy, OrderSide.Sell


def make(cash: float = 100_000.0, risk: RiskConfig | None = None, **options) -> Engine:
    options.setdefault("clock", lambda: 0.0)
    return Engine(risk, venue=Paper(cash, **options))


def started(
    engine: Engine,
    size: float = 100.0,
    duration: float = 60.0,
    n: int = 10,
    side: OrderSide = BUY,
    contract: Side = LONG,
    market: str = "ACME",
    price_limit: float | None = None,
    **request,
) -> TWAP:
    twap = TWAP(engine, duration, n, price_limit=price_limit)
    twap.start(OrderRequest(market, contract, side, size, **request))
    return twap


def children(engine: Engine, algo: ExecAlgo) -> list[tuple[float, float | None, str]]:
    orders = [engine.order(child) for child in algo.child_order_ids]
    return [(o.quantity, o.price, o.status) for o in orders]


# ---------------------------------------------------------------------------- as documented
def test_the_first_tick_sends_slice_one_and_no_more() -> None:
    engine = Engine(risk_config=RiskConfig(max_position_per_market=5_000), clock=lambda: 0.0)
    request = OrderRequest(
        market_id="rain-in-june", side=Side.Yes, order_side=OrderSide.Buy, size=80.0, price=0.35
    )
    twap = TWAP(engine, duration_secs=40.0, num_slices=8)
    twap.start(request)
    assert twap.child_order_ids == []
    twap.on_tick(current_price=0.35, timestamp=0.0)
    assert not twap.is_complete
    assert len(twap.child_order_ids) == 1
    assert twap.total_filled == 0.0
    assert isinstance(twap, ExecAlgo)


def test_a_loop_with_ticks_fills_the_parent() -> None:
    engine = Engine(risk_config=RiskConfig(max_position_per_market=5_000), clock=lambda: 0.0)
    twap = TWAP(engine, duration_secs=30.0, num_slices=5)
    twap.start(OrderRequest("rain-in-june", Side.Yes, OrderSide.Buy, size=50.0, price=0.35))
    elapsed = 0.0
    while not twap.is_complete:
        engine.tick("rain-in-june", 0.35)
        twap.on_tick(current_price=0.35, timestamp=elapsed)
        elapsed += 1.0
    # Slice five goes out at 24 s; the tick at 25 s fills it, before that second's on_tick.
    assert elapsed == 26.0
    assert twap.total_filled == 50.0
    assert twap.status == "completed"
    assert len(twap.child_order_ids) == 5


def test_a_loop_without_ticks_ends_as_well() -> None:
    # Nothing ever matches; what ends the loop is the duration.
    engine = Engine(clock=lambda: 0.0)
    twap = TWAP(engine, duration_secs=300, num_slices=10)
    twap.start(OrderRequest("rain-in-june", Side.Yes, OrderSide.Buy, 500.0, 0.35))
    now = 1_700_000_000.0
    for second in range(301):
        assert not twap.is_complete
        twap.on_tick(0.35, now + second)
    assert twap.is_complete
    assert twap.status == "expired"
    assert twap.total_filled == 0.0
    assert twap.progress.remaining == 500.0
    assert engine.open_orders() == []


# ---------------------------------------------------------------------------- when
def test_slices_come_at_their_due_times_and_not_before() -> None:
    engine = make()
    twap = started(engine)
    counts = []
    for at in (0.0, 5.999, 6.0, 11.999, 12.0, 53.999, 54.0, 59.999):
        twap.on_tick(10.0, at)
        counts.append(len(twap.child_order_ids))
    # One every 6 s; at 53.999 s the nine of 0, 6, ... 48 are out.
    assert counts == [1, 1, 2, 2, 3, 9, 10, 10]


@pytest.mark.parametrize("t0", [0.0, 12.5, 1_700_000_000.0, 1_700_000_000.1])
@pytest.mark.parametrize("duration, n", [(1.0, 3), (300.0, 7), (10.0, 6), (0.7, 7)])
def test_a_tick_at_the_due_time_sends_the_slice(t0: float, duration: float, n: int) -> None:
    engine = make()
    twap = started(engine, duration=duration, n=n)
    for k in range(n):
        twap.on_tick(10.0, t0 + k * duration / n)
        assert len(twap.child_order_ids) == k + 1


@pytest.mark.parametrize("t0", [0.0, 1_700_000_000.1])
def test_a_tick_at_the_announced_time_sends_the_slice(t0: float) -> None:
    engine = make()
    twap = started(engine, duration=300.0, n=7)
    twap.on_tick(10.0, t0)
    for count in range(2, 8):
        at = twap.progress.next_slice_at
        assert at is not None
        twap.on_tick(10.0, at)
        assert len(twap.child_order_ids) == count
    assert twap.progress.next_slice_at is None


def test_a_late_tick_sends_every_overdue_slice_as_a_child_of_its_own() -> None:
    engine = make()
    twap = started(engine)
    twap.on_tick(10.0, 100.0)
    twap.on_tick(9.5, 125.0)  # 25 s on: slices at 6, 12, 18 and 24 s
    assert children(engine, twap) == [(10.0, 10.0, "new"), *[(10.0, 9.5, "new")] * 4]


def test_a_tick_at_the_end_sends_nothing_even_if_all_slices_are_overdue() -> None:
    for late in (60.0, 60.001, 1e6):
        engine = make()
        twap = started(engine)
        twap.on_tick(10.0, 0.0)
        twap.on_tick(10.0, late)
        assert len(twap.child_order_ids) == 1
        assert twap.status == "expired"
        assert twap.progress.remaining == 100.0


def test_just_before_the_end_all_slices_are_sent() -> None:
    engine = make()
    twap = started(engine)
    twap.on_tick(10.0, 0.0)
    twap.on_tick(10.0, 59.99)
    assert len(twap.child_order_ids) == 10


def test_the_clock_starts_at_the_first_tick_not_at_the_start() -> None:
    engine = make()
    twap = started(engine)
    twap.on_tick(10.0, 1_000.0)
    progress = twap.progress
    assert (progress.started_at, progress.ends_at) == (1_000.0, 1_060.0)
    assert [piece.due_at for piece in progress.schedule] == [1_000.0 + 6 * k for k in range(10)]


def test_an_earlier_timestamp_counts_as_the_latest_seen() -> None:
    engine = make()
    twap = started(engine)
    twap.on_tick(10.0, 100.0)
    twap.on_tick(10.0, 112.0)
    twap.on_tick(10.0, 50.0)
    assert len(twap.child_order_ids) == 3
    assert twap.progress.time == 112.0
    twap.on_tick(10.0, 118.0)
    assert len(twap.child_order_ids) == 4


def test_one_slice_goes_at_once() -> None:
    engine = make()
    twap = started(engine, n=1)
    twap.on_tick(10.0, 0.0)
    assert children(engine, twap) == [(100.0, 10.0, "new")]


def test_datetimes_are_times_too() -> None:
    import datetime as dt

    engine = make()
    twap = started(engine)
    t0 = dt.datetime(2024, 3, 4, 12, 0, tzinfo=dt.UTC)
    twap.on_tick(10.0, t0)
    twap.on_tick(10.0, t0 + dt.timedelta(seconds=6))
    assert len(twap.child_order_ids) == 2


# ---------------------------------------------------------------------------- what
def test_children_are_limits_at_the_current_price() -> None:
    engine = make()
    twap = started(engine, price=99.0)  # the request's own price is not a cap
    twap.on_tick(10.0, 0.0)
    twap.on_tick(11.0, 6.0)
    assert children(engine, twap) == [(10.0, 10.0, "new"), (10.0, 11.0, "new")]
    assert all(o.order_type == "limit" for o in engine.open_orders())


@pytest.mark.parametrize(
    "side, current, sent", [(BUY, 11.0, 10.5), (BUY, 10.0, 10.0), (SELL, 10.0, 10.5)]
)
def test_a_price_limit_caps_what_a_child_may_pay(
    side: OrderSide, current: float, sent: float
) -> None:
    engine = make()
    twap = started(engine, side=side, price_limit=10.5)
    twap.on_tick(current, 0.0)
    assert children(engine, twap)[0][1] == sent


@pytest.mark.parametrize("side, sent", [(BUY, 10.05), (SELL, 10.10)])
def test_prices_go_to_the_tick_grid_away_from_paying_more(side: OrderSide, sent: float) -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, tick_size=0.05))
    twap = started(engine, side=side)
    twap.on_tick(10.07, 0.0)
    assert children(engine, twap)[0][1] == pytest.approx(sent, abs=1e-12)


def test_a_price_on_the_grid_is_kept_as_it_is() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, tick_size=0.1))
    twap = started(engine)
    twap.on_tick(0.3, 0.0)  # 0.3 / 0.1 is a hair under 3
    assert children(engine, twap)[0][1] == 0.3


def test_children_are_whole_lots() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, lot_size=5.0))
    twap = started(engine, size=50.0, n=4)
    twap.on_tick(10.0, 0.0)
    twap.on_tick(10.0, 59.0)
    # In lots: 2.5, 5, 7.5, 10 round to 3, 5, 8, 10.
    assert [size for size, *_ in children(engine, twap)] == [15.0, 10.0, 15.0, 10.0]


def test_fewer_lots_than_slices_send_fewer_children() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, lot_size=100.0))
    twap = started(engine, size=200.0, n=5)
    twap.on_tick(10.0, 0.0)
    twap.on_tick(10.0, 59.0)
    assert [size for size, *_ in children(engine, twap)] == [100.0, 100.0]
    assert [p.status for p in twap.progress.schedule] == ["empty", "new", "empty", "new", "empty"]
    engine.tick("ACME", 10.0)
    assert twap.status == "completed"


def test_a_size_off_the_lot_grid_is_refused_at_the_start() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, lot_size=5.0))
    with pytest.raises(ValueError, match="lot size"):
        started(engine, size=52.0)
    assert engine.algos == []


@pytest.mark.parametrize("n", [3, 7, 11, 13, 97])
def test_children_sum_to_the_parent_exactly(n: int) -> None:
    engine = make()
    twap = started(engine, size=0.1 * n + 1 / 3, n=n)
    twap.on_tick(10.0, 0.0)
    twap.on_tick(10.0, 59.999)
    assert math.fsum(size for size, *_ in children(engine, twap)) == 0.1 * n + 1 / 3
    engine.tick("ACME", 10.0)
    assert twap.is_complete


def test_a_selling_twap_sells() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    engine.submit_order(OrderRequest("ACME", LONG, BUY, 100.0))
    twap = started(engine, side=SELL, duration=10.0, n=2)
    for at in (0.0, 5.0, 6.0):
        engine.tick("ACME", 10.0)
        twap.on_tick(10.0, at)
    assert twap.status == "completed"
    assert engine.positions() == []
    assert [fill.order_side for fill in engine.drain_fills()] == [BUY, SELL, SELL]


def test_a_reduce_only_twap_reduces_and_never_opens() -> None:
    engine = make(risk=RiskConfig(max_order_size=30))
    engine.tick("ACME", 10.0)
    for _ in range(2):
        engine.submit_order(OrderRequest("ACME", LONG, BUY, 30.0))
    twap = started(engine, size=100.0, side=SELL, reduce_only=True, duration=10.0, n=10)
    for at in range(12):
        engine.tick("ACME", 10.0)
        twap.on_tick(10.0, float(at))
    # 60 of the 100 can be sold; every further child is rejected.
    assert twap.total_filled == 60.0
    assert engine.positions() == []
    assert twap.status == "expired"
    assert twap.progress.remaining == 40.0
    assert twap.rejections["reduce_only"][0] >= 1


def test_a_no_side_twap_trades_no() -> None:
    engine = make()
    twap = started(engine, size=20.0, duration=10.0, n=2, contract=NO, market="rain")
    twap.on_tick(0.4, 0.0)  # the price of the side traded
    engine.tick("rain", 0.6)
    assert engine.positions()[0].side is NO
    assert twap.total_filled == 10.0
    order = engine.order(twap.child_order_ids[0])
    assert (order.market_id, order.price) == ("rain:no", 0.4)
    assert twap.progress.market_id == "rain:no"
    assert twap.market_id == "rain"


@pytest.mark.parametrize("price", [0.0, 1.0])
def test_a_prediction_at_its_bounds_gets_no_order_until_it_moves(price: float) -> None:
    engine = make()
    twap = started(engine, contract=YES, market="rain")
    twap.on_tick(price, 0.0)
    assert twap.child_order_ids == []
    assert twap.rejections["price_bounds"][0] == 1
    twap.on_tick(0.5, 1.0)
    assert len(twap.child_order_ids) == 1


def test_tif_and_post_only_hold_for_every_child() -> None:
    engine = make()
    twap = started(engine, tif="ioc")
    twap.on_tick(10.0, 0.0)
    assert engine.order(twap.child_order_ids[0]).tif == "ioc"
    passive = started(engine, price=10.0, post_only=True)
    passive.on_tick(10.0, 0.0)
    assert engine.order(passive.child_order_ids[0]).post_only


def test_leverage_holds_for_every_child() -> None:
    engine = make()
    twap = started(engine, market="BTC-PERP", leverage=5.0)
    twap.on_tick(100.0, 0.0)
    assert engine.order(twap.child_order_ids[0]).leverage == 5.0


# ---------------------------------------------------------------------------- on a client
def test_a_client_twap_advances_on_each_tick_with_its_price_and_time() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    twap = ex.twap("ACME", 30, duration_secs=30, num_slices=3)
    ex.tick("B", 99.0, 5.0)  # another market's tick is none of its business
    assert twap.child_order_ids == []
    ex.tick("ACME", 10.0, 100.0)
    ex.tick("ACME", 10.5, 110.0)
    ex.tick("ACME", 9.0, 120.0)
    ex.tick("ACME", 8.0, 121.0)
    orders = [ex.order(child) for child in twap.child_order_ids]
    assert [(o.quantity, o.price) for o in orders] == [(10.0, 10.0), (10.0, 10.5), (10.0, 9.0)]
    assert twap.status == "completed"
    assert twap.is_complete
    assert ex.algos == []


def test_a_client_twap_advances_when_the_paper_venue_is_ticked_directly() -> None:
    paper = Paper(clock=lambda: 0.0)
    ex = hz.connect(paper)
    twap = ex.twap("ACME", 10, duration_secs=10, num_slices=2)
    paper.tick("ACME", 10.0, 1.0)
    paper.tick("ACME", 10.0, 6.0)
    paper.tick("ACME", 10.0, 7.0)
    assert twap.status == "completed"


def test_a_client_twap_on_no_takes_the_price_of_no() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    twap = ex.twap("rain:no", 10, duration_secs=10, num_slices=2, side="buy")
    ex.tick("rain", 0.7, 0.0)
    ex.tick("rain:no", 0.25, 5.0)
    assert [ex.order(child).price for child in twap.child_order_ids] == [0.3, 0.25]
    assert twap.progress.arrival_price == 0.3
    assert twap.progress.schedule_vwap == pytest.approx(0.275, abs=1e-12)  # (0.3 + 0.25) / 2


def test_a_client_twap_may_name_the_market_by_its_contract() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    market = Market("lots", AssetClass.Equity, lot_size=10.0, tick_size=0.5)
    twap = ex.twap(market, 50, duration_secs=10, num_slices=2, price_limit=10.5)
    ex.tick("lots", 10.7, 0.0)
    order = ex.order(twap.child_order_ids[0])
    assert (order.quantity, order.price) == (30.0, 10.5)  # 2.5 lots round to 3


def test_a_hand_made_twap_is_not_advanced_by_the_engines_ticks() -> None:
    engine = make()
    twap = started(engine)
    engine.tick("ACME", 10.0, 0.0)
    engine.tick("ACME", 10.0, 30.0)
    assert twap.child_order_ids == []


def test_client_arguments_are_checked_before_anything_starts() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    good = {"duration_secs": 10, "num_slices": 2}
    for qty, options, name in (
        (0, good, "qty"),
        (float("nan"), good, "qty"),
        (10, {**good, "duration_secs": 0}, "duration_secs"),
        (10, {**good, "num_slices": 0}, "num_slices"),
        (10, {**good, "side": "short"}, "side"),
        (10, {**good, "price_limit": -1.0}, "price_limit"),
    ):
        with pytest.raises((ValueError, TypeError), match=name):
            ex.twap("ACME", qty, **options)  # type: ignore[arg-type]
    assert ex.algos == []


# ---------------------------------------------------------------------------- arguments
@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), 1e-12, 1e12])
def test_a_duration_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="duration_secs"):
        TWAP(make(), bad, 10)


@pytest.mark.parametrize("bad", [0, -3, 2.5, "ten", True, None, 10**7])
def test_a_number_of_slices_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises((ValueError, TypeError), match="num_slices"):
        TWAP(make(), 60.0, bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_price_limit_that_is_none_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="price_limit"):
        TWAP(make(), 60.0, 10, price_limit=bad)


def test_an_algo_needs_an_engine() -> None:
    with pytest.raises(TypeError, match="Engine"):
        TWAP(object(), 60.0, 10)


def test_an_algo_takes_a_client_for_its_engine() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    twap = TWAP(ex, 60.0, 10)
    twap.start(OrderRequest("ACME", LONG, BUY, 10.0))
    assert ex.algos == [twap]


@pytest.mark.parametrize(
    "price, at",
    [
        (float("nan"), 0.0),
        (-1.0, 0.0),
        (float("inf"), 0.0),
        (10.0, float("nan")),
        (10.0, float("inf")),
    ],
)
def test_a_bad_tick_is_refused_and_changes_nothing(price: float, at: float) -> None:
    engine = make()
    twap = started(engine)
    with pytest.raises(ValueError, match=r"current_price|timestamp"):
        twap.on_tick(price, at)
    assert twap.child_order_ids == []
    assert twap.progress.started_at is None


# ------------------------------------------------------------------------ why it has expired
@pytest.mark.parametrize(
    ("ticks", "ending"),
    [
        # Slices of 10, due at 0, 20 and 40. Each fills at the first later tick at 20 or below.
        (
            [(0.0, 20.0), (20.0, 20.0), (40.0, 20.0), (60.0, 20.4)],
            "slice 3 of 3 had not filled (10)",
        ),
        (
            [(0.0, 20.0), (20.0, 20.4), (40.0, 20.8), (60.0, 21.0)],
            "3 of 3 slices had not filled (30)",
        ),
        ([(0.0, 20.0), (60.0, 20.0)], "2 of 3 slices had not been sent (20)"),
        (
            [(0.0, 20.0), (20.0, 20.1), (60.0, 20.2)],
            "2 of 3 slices had not filled (20); slice 3 of 3 had not been sent (10)",
        ),
    ],
)
def test_an_expired_one_says_what_is_missing(ticks: list[tuple[float, float]], ending: str) -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    algo = ex.twap("ACME", 30, duration_secs=60, num_slices=3)
    for second, price in ticks:
        ex.tick("ACME", price, second)
    assert algo.status == "expired"
    said = f"its time was over at 00:01:00 UTC: {ending}"
    assert algo.progress.ending == said
    assert repr(algo).endswith(f" children; {said}>")
    missing = f"{algo.progress.remaining:g}"
    brief = f"its time was over at 00:01:00 UTC with {missing} not filled"
    assert algo.brief_progress.ending == brief


def test_only_an_expired_one_says_why() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    done, stopped = (ex.twap("ACME", 30, duration_secs=60, num_slices=3) for _ in range(2))
    assert done.progress.ending is None
    ex.tick("ACME", 20.0, 0.0)
    stopped.cancel()
    for second in (20.0, 40.0, 50.0):
        ex.tick("ACME", 20.0, second)
    assert [algo.status for algo in (done, stopped)] == ["completed", "canceled"]
    assert [algo.progress.ending for algo in (done, stopped)] == [None, None]
    assert "its time" not in repr(done) + repr(stopped)
