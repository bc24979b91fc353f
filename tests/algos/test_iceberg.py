"""Iceberg: one visible clip at a time."""

import math

import pytest

import horizon as hz
from horizon import AssetClass, Engine, Iceberg, Market, OrderRequest, OrderSide, RiskConfig, Side
from horizon.venues import Paper
from tests.scripted import ScriptedVenue

YES, NO, LONG = Side.Yes, Side.No, Side.Long
BUY, SELL = OrderSide.Buy, OrderSide.Sell


def make(risk: RiskConfig | None = None, venue: Paper | None = None) -> Engine:
    return Engine(risk, venue=venue or Paper(1e6, clock=lambda: 0.0))


def started(
    engine: Engine,
    size: float = 100.0,
    show: float = 30.0,
    price: float = 10.0,
    side: OrderSide = BUY,
    contract: Side = LONG,
    market: str = "ACME",
    price_limit: float | None = None,
    **request,
) -> Iceberg:
    iceberg = Iceberg(engine, show, price_limit=price_limit)
    iceberg.start(OrderRequest(market, contract, side, size, price, **request))
    return iceberg


def clips(engine: Engine, iceberg: Iceberg) -> list[tuple[float, float | None, str]]:
    orders = [engine.order(child) for child in iceberg.child_order_ids]
    return [(o.quantity, o.price, o.status) for o in orders]


def test_the_first_tick_shows_one_clip() -> None:
    engine = Engine(risk_config=RiskConfig(max_position_per_market=5_000), clock=lambda: 0.0)
    request = OrderRequest(
        market_id="rain-in-june", side=Side.Yes, order_side=OrderSide.Buy, size=80.0, price=0.35
    )
    iceberg = Iceberg(engine, show_size=8.0)
    iceberg.start(request)
    iceberg.on_tick(current_price=0.35, timestamp=0.0)
    assert not iceberg.is_complete
    assert len(iceberg.child_order_ids) == 1
    assert iceberg.total_filled == 0.0


def test_a_loop_fills_clip_after_clip() -> None:
    engine = Engine(clock=lambda: 0.0)
    iceberg = Iceberg(engine, show_size=15.0)
    iceberg.start(OrderRequest("rain-in-june", YES, BUY, size=200.0, price=0.35))
    rounds, most_open = 0, 0
    while not iceberg.is_complete:
        iceberg.on_tick(current_price=0.35, timestamp=float(rounds))
        most_open = max(most_open, len(engine.open_orders()))
        engine.tick("rain-in-june", 0.35)
        rounds += 1
    # 13 clips of 15 and one of 5.
    assert [size for size, *_ in clips(engine, iceberg)] == [15.0] * 13 + [5.0]
    assert (rounds, most_open) == (14, 1)
    assert iceberg.total_filled == 200.0
    assert iceberg.status == "completed"


def test_the_next_clip_waits_for_the_one_before() -> None:
    engine = make()
    iceberg = started(engine)
    for at in range(5):
        iceberg.on_tick(10.0, float(at))
    assert clips(engine, iceberg) == [(30.0, 10.0, "new")]
    engine.tick("ACME", 10.0)
    assert clips(engine, iceberg) == [(30.0, 10.0, "filled")]
    iceberg.on_tick(10.0, 6.0)
    assert clips(engine, iceberg) == [(30.0, 10.0, "filled"), (30.0, 10.0, "new")]


def test_a_partly_filled_clip_is_not_topped_up() -> None:
    venue = ScriptedVenue()
    engine = make(venue=venue)
    iceberg = started(engine)
    iceberg.on_tick(10.0, 0.0)
    venue.fill(iceberg.child_order_ids[0], 29.0)
    iceberg.on_tick(10.0, 1.0)
    assert clips(engine, iceberg) == [(30.0, 10.0, "partial")]
    assert iceberg.total_filled == 29.0
    assert iceberg.progress.fraction == pytest.approx(0.29)
    venue.fill(iceberg.child_order_ids[0])
    iceberg.on_tick(10.0, 2.0)
    assert len(iceberg.child_order_ids) == 2
    assert iceberg.total_filled == 30.0


def test_children_rest_at_the_requests_price_whatever_the_market_does() -> None:
    engine = make()
    iceberg = started(engine, price=9.0)
    iceberg.on_tick(55.0, 0.0)
    assert clips(engine, iceberg) == [(30.0, 9.0, "new")]


@pytest.mark.parametrize("side, sent", [(BUY, 9.5), (SELL, 10.0)])
def test_a_price_limit_caps_an_iceberg_too(side: OrderSide, sent: float) -> None:
    engine = make()
    iceberg = started(engine, side=side, price_limit=9.5)
    iceberg.on_tick(10.0, 0.0)
    assert clips(engine, iceberg)[0][1] == sent


def test_an_iceberg_never_expires() -> None:
    engine = make()
    iceberg = started(engine)
    iceberg.on_tick(10.0, 0.0)
    iceberg.on_tick(10.0, 3e9)
    assert iceberg.status == "running"
    assert not iceberg.is_complete
    assert iceberg.progress.ends_at is None


def test_a_show_size_over_the_parent_shows_the_parent() -> None:
    engine = make()
    iceberg = started(engine, size=10.0, show=500.0)
    iceberg.on_tick(10.0, 0.0)
    assert clips(engine, iceberg) == [(10.0, 10.0, "new")]


def test_clips_sum_to_the_parent_exactly() -> None:
    engine = make()
    iceberg = started(engine, size=1.0, show=0.3)
    for at in range(4):
        iceberg.on_tick(10.0, float(at))
        engine.tick("ACME", 10.0)
    sizes = [size for size, *_ in clips(engine, iceberg)]
    assert sizes == pytest.approx([0.3, 0.3, 0.3, 0.1], abs=1e-15)
    assert math.fsum(sizes) == 1.0
    assert iceberg.is_complete


def test_a_filled_parent_is_complete_before_the_next_tick() -> None:
    engine = make()
    iceberg = started(engine, size=30.0)
    iceberg.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    assert iceberg.is_complete
    assert iceberg.status == "completed"


def test_a_clip_cancelled_from_outside_ends_the_iceberg() -> None:
    engine = make()
    iceberg = started(engine)
    iceberg.on_tick(10.0, 0.0)
    engine.tick("ACME", 10.0)
    iceberg.on_tick(10.0, 1.0)
    engine.cancel(iceberg.child_order_ids[1])
    for at in range(2, 20):
        iceberg.on_tick(10.0, float(at))
    assert [status for *_, status in clips(engine, iceberg)] == ["filled", "canceled"]
    assert iceberg.status == "canceled"
    assert iceberg.progress.remaining == 70.0


def test_a_clip_refused_by_risk_is_tried_again_after_a_second() -> None:
    engine = make(RiskConfig(max_position_per_market=20))
    iceberg = started(engine)
    for at in (0.0, 0.5, 0.999, 1.0, 1.5, 2.0):
        iceberg.on_tick(10.0, at)
    assert iceberg.child_order_ids == []
    # At 0, 1 and 2 s.
    count, message = iceberg.rejections["max_position_per_market"]
    assert count == 3
    assert "max_position_per_market" in message


def test_a_selling_iceberg_sells_at_its_price() -> None:
    engine = make()
    iceberg = started(engine, size=60.0, side=SELL)
    for at in range(2):
        iceberg.on_tick(10.0, float(at))
        engine.tick("ACME", 11.0)
    assert iceberg.status == "completed"
    assert engine.positions()[0].size == -60.0


def test_a_reduce_only_iceberg_ends_where_there_is_nothing_left_to_reduce() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    engine.submit_order(OrderRequest("ACME", LONG, BUY, 40.0))
    iceberg = started(engine, size=100.0, show=20.0, side=SELL, reduce_only=True)
    for at in range(6):
        iceberg.on_tick(10.0, float(at))
        engine.tick("ACME", 10.0)
    assert iceberg.total_filled == 40.0
    assert engine.positions() == []
    assert iceberg.rejections["reduce_only"][0] >= 1


def test_a_no_iceberg_rests_on_no() -> None:
    engine = make()
    iceberg = started(engine, size=10.0, show=5.0, price=0.3, contract=NO, market="rain")
    iceberg.on_tick(0.4, 0.0)
    engine.tick("rain", 0.65)
    assert iceberg.total_filled == 0.0
    engine.tick("rain", 0.7)
    assert iceberg.total_filled == 5.0
    assert engine.positions()[0].side is NO


def test_an_iceberg_needs_a_price() -> None:
    with pytest.raises(ValueError, match="price"):
        Iceberg(make(), 10.0).start(OrderRequest("ACME", LONG, BUY, 100.0))


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), "ten", True, None])
def test_a_show_size_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises((ValueError, TypeError), match="show_size"):
        Iceberg(make(), bad)  # type: ignore[arg-type]


def test_a_show_size_off_the_lot_grid_is_refused_at_the_start() -> None:
    engine = make()
    engine.declare(Market("ACME", AssetClass.Equity, lot_size=10.0))
    with pytest.raises(ValueError, match="show_size"):
        started(engine, show=15.0)


def test_a_show_size_that_makes_too_many_clips_is_refused() -> None:
    with pytest.raises(ValueError, match="show_size"):
        started(make(), size=1e6, show=1e-3)


def test_a_client_iceberg_advances_on_ticks() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    iceberg = ex.iceberg("ACME", 50, show_size=20, limit=10.0)
    for at in range(4):
        ex.tick("ACME", 10.0, float(at))
    # The tick at 0 shows the first clip, each next one fills it and shows the next.
    assert [ex.order(child).quantity for child in iceberg.child_order_ids] == [20.0, 20.0, 10.0]
    assert iceberg.status == "completed"


def test_a_client_iceberg_waits_while_the_price_is_away() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    iceberg = ex.iceberg("ACME", 50, show_size=20, limit=10.0)
    for at, price in enumerate((11.0, 10.5, 10.0, 12.0, 12.0)):
        ex.tick("ACME", price, float(at))
    assert iceberg.total_filled == 20.0
    assert len(ex.open_orders()) == 1


def test_a_client_iceberg_checks_its_limit() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    with pytest.raises(ValueError, match="limit"):
        ex.iceberg("ACME", 50, show_size=20, limit=0.0)
