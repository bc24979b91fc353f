"""The engine: engine words on a venue, quotes, flatten, kill switch, status."""

import inspect

import pytest

import horizon as hz
from horizon import Engine, OrderRequest, OrderSide, Quote, RiskConfig, Side
from horizon.algos import TWAP, Iceberg
from horizon.errors import AlgoError, OrderError, RiskRejected, VenueError
from horizon.types import AssetClass, Fill, Position
from horizon.venues import Paper

YES, NO, LONG = Side.Yes, Side.No, Side.Long
BUY, SELL = OrderSide.Buy, OrderSide.Sell


def make(cash: float = 100_000.0, risk: RiskConfig | None = None, **options) -> Engine:
    options.setdefault("clock", lambda: 0.0)
    return Engine(risk, venue=Paper(cash, **options))


def send(
    engine: Engine,
    size: float,
    price: float | None = None,
    side: OrderSide = BUY,
    *,
    market: str = "ACME",
    contract: Side = LONG,
    **rest,
) -> str:
    return engine.submit_order(OrderRequest(market, contract, side, size, price, **rest))


# ---------------------------------------------------------------------------- construction
def test_engine_has_the_documented_defaults() -> None:
    parameters = inspect.signature(Engine).parameters
    assert parameters["initial_capital"].default == 100_000.0
    assert parameters["paper_fee_rate"].default == 0.001
    assert parameters["paper_maker_fee_rate"].default is None
    assert parameters["paper_taker_fee_rate"].default is None
    assert parameters["risk_config"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["venue"].kind is inspect.Parameter.KEYWORD_ONLY


def test_engine_on_its_own_paper_charges_a_tenth_of_a_percent() -> None:
    engine = Engine(clock=lambda: 0.0)
    engine.tick("rain", 0.5)
    send(engine, 100.0, market="rain", contract=YES)
    # 100 x 0.50 = 50, fee 0.05.
    assert engine.drain_fills()[0].fee == pytest.approx(0.05, abs=1e-12)
    assert engine.equity == pytest.approx(99_999.95, abs=1e-9)


def test_maker_and_taker_rates_replace_the_one_rate() -> None:
    engine = Engine(
        initial_capital=1_000,
        paper_fee_rate=0.5,
        paper_maker_fee_rate=-0.01,
        paper_taker_fee_rate=0.02,
        clock=lambda: 0.0,
    )
    engine.tick("ACME", 10.0)
    send(engine, 10.0)  # taker: 100 x 2 % = 2
    send(engine, 10.0, 9.0)
    engine.tick("ACME", 9.0)  # maker: 90 x -1 % = -0.90
    assert [(f.fee, f.is_maker) for f in engine.drain_fills()] == [
        (pytest.approx(2.0), False),
        (pytest.approx(-0.9), True),
    ]


def test_one_of_the_two_rates_leaves_the_other_at_the_common_one() -> None:
    engine = Engine(paper_fee_rate=0.003, paper_maker_fee_rate=0.001, clock=lambda: 0.0)
    assert engine.venue.fee_rates == (0.001, 0.003)


@pytest.mark.parametrize(
    "name, value",
    [
        ("initial_capital", 100_000.0),
        ("paper_fee_rate", 0.001),
        ("paper_maker_fee_rate", 0.0),
        ("paper_taker_fee_rate", 0.0),
        ("clock", lambda: 0.0),
    ],
)
def test_arguments_of_the_own_paper_venue_exclude_a_venue(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Engine(venue=Paper(), **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [1.0, -1.0, float("nan"), 2.0])
@pytest.mark.parametrize("name", ["paper_fee_rate", "paper_maker_fee_rate", "paper_taker_fee_rate"])
def test_fee_rates_outside_one_are_refused_by_name(name: str, rate: float) -> None:
    with pytest.raises(ValueError, match=name):
        Engine(**{name: rate})  # type: ignore[arg-type]


@pytest.mark.parametrize("config", [{}, 5, "RiskConfig"])
def test_a_risk_config_of_another_type_is_refused(config: object) -> None:
    with pytest.raises(TypeError, match="risk_config"):
        Engine(config)  # type: ignore[arg-type]


def test_a_venue_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="venue"):
        Engine(venue="paper")  # type: ignore[arg-type]


def test_engine_connects_the_venue_it_is_given() -> None:
    venue = Paper()
    Engine(venue=venue)
    assert venue.is_connected


def test_engine_closes_its_venue_and_may_be_closed_twice() -> None:
    engine = make()
    engine.close()
    engine.close()
    for call in (
        lambda: send(engine, 1.0, 1.0),
        lambda: engine.positions(),
        lambda: engine.kill_switch(),
        lambda: engine.flatten(),
        lambda: engine.drain_fills(),
        lambda: engine.submit_quotes("rain", []),
    ):
        with pytest.raises(VenueError):
            call()


# ---------------------------------------------------------------------------- orders and fills
def test_submit_order_returns_the_id_of_the_order() -> None:
    engine = make()
    order_id = send(engine, 10.0, 9.0)
    order = engine.order(order_id)
    assert (order.id, order.side, order.quantity, order.price) == (order_id, "buy", 10.0, 9.0)
    assert order.status == "new"


def test_a_request_without_a_price_is_a_market_order() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    order = engine.order(send(engine, 5.0))
    assert (order.order_type, order.status, order.average_price) == ("market", "filled", 10.0)


def test_submit_order_takes_a_request_and_nothing_else() -> None:
    with pytest.raises(TypeError, match="OrderRequest"):
        make().submit_order({"market_id": "ACME"})  # type: ignore[arg-type]


def test_tick_returns_its_fills_in_engine_words() -> None:
    engine = make(fee_bps=10.0)
    order_id = send(engine, 100.0, 0.55, market="rain", contract=YES)
    fills = engine.tick("rain", 0.54, 12.5)
    # 100 x 0.55 = 55, fee 0.1 % = 0.055.
    assert fills == [
        Fill(
            order_id=order_id,
            market_id="rain",
            side=YES,
            order_side=BUY,
            size=100.0,
            price=0.55,
            fee=pytest.approx(0.055),
            timestamp=12.5,
            is_maker=True,
            realized_pnl=0.0,
        )
    ]


def test_drain_gives_each_fill_once() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    send(engine, 1.0)
    send(engine, 2.0)
    assert [fill.size for fill in engine.drain_fills()] == [1.0, 2.0]
    assert engine.drain_fills() == []
    send(engine, 3.0, 10.0)
    returned = engine.tick("ACME", 10.0)
    assert engine.drain_fills() == returned  # what a tick returned is drained as well
    assert engine.drain_fills() == []


def test_no_fills_bear_the_markets_id_and_the_side() -> None:
    engine = make()
    engine.tick("rain", 0.7)
    send(engine, 10.0, market="rain", contract=NO)
    (fill,) = engine.drain_fills()
    # NO costs 1 - 0.7.
    assert (fill.market_id, fill.side, fill.order_side, fill.price) == ("rain", NO, BUY, 0.3)


def test_positions_speak_engine_words() -> None:
    engine = make()
    engine.tick("rain", 0.6)
    engine.tick("ACME", 10.0)
    send(engine, 10.0, market="rain", contract=YES)
    send(engine, 20.0, market="rain", contract=NO)
    send(engine, 5.0, side=SELL)
    engine.tick("rain", 0.7)
    engine.tick("ACME", 12.0)
    # YES 10 x 0.1 = 1; NO 20 x (0.3 - 0.4) = -2; short 5 x 2 = -10.
    assert engine.positions() == [
        Position("rain", YES, 10.0, pytest.approx(0.6), 0.0, pytest.approx(1.0)),
        Position("rain", NO, 20.0, pytest.approx(0.4), 0.0, pytest.approx(-2.0)),
        Position("ACME", LONG, -5.0, 10.0, 0.0, -10.0),
    ]


def test_yes_and_no_are_never_merged() -> None:
    engine = make()
    engine.tick("rain", 0.6)
    send(engine, 10.0, market="rain", contract=YES)
    send(engine, 10.0, market="rain", contract=NO)
    assert [(p.side, p.size) for p in engine.positions()] == [(YES, 10.0), (NO, 10.0)]
    # A pair is worth 1.00 at every price.
    for price in (0.1, 0.9):
        engine.tick("rain", price)
        assert engine.equity == pytest.approx(100_000.0, abs=1e-9)


def test_a_no_order_matches_at_one_minus_the_price() -> None:
    engine = make()
    order_id = send(engine, 10.0, 0.35, market="rain", contract=NO)
    engine.tick("rain", 0.6)
    assert engine.order(order_id).is_open  # NO is 0.40
    (fill,) = engine.tick("rain", 0.65)
    assert (fill.side, fill.price) == (NO, 0.35)


def test_engine_words_do_not_know_no_ids() -> None:
    with pytest.raises(ValueError, match=r"Side\.No"):
        send(make(), 1.0, 0.5, market="rain:no", contract=YES)


def test_a_market_keeps_the_class_of_its_first_order() -> None:
    engine = make()
    send(engine, 1.0, 0.5, market="rain", contract=YES)
    with pytest.raises(ValueError, match="Prediction"):
        engine.declare(hz.Market("rain", AssetClass.Equity))


def test_open_orders_cancel_and_cancel_all() -> None:
    engine = make()
    first = send(engine, 1.0, 9.0)
    second = send(engine, 2.0, 9.0, market="B")
    third = send(engine, 3.0, 8.0)
    assert [o.id for o in engine.open_orders()] == [first, second, third]
    assert [o.id for o in engine.open_orders("ACME")] == [first, third]
    assert engine.cancel(first)
    assert not engine.cancel(first)
    assert not engine.cancel("unknown")
    assert engine.cancel_all("ACME") == 1
    assert engine.cancel_all() == 1
    assert engine.cancel_all() == 0


def test_amend_keeps_the_id() -> None:
    engine = make()
    order_id = send(engine, 10.0, 9.0)
    order = engine.amend(order_id, new_quantity=20, new_price=8.0)
    assert (order.id, order.quantity, order.price) == (order_id, 20.0, 8.0)
    with pytest.raises(OrderError):
        engine.amend("unknown", new_quantity=1)


def test_an_unknown_order_is_an_order_error() -> None:
    with pytest.raises(OrderError, match="unknown"):
        make().order("p99")


def test_ioc_post_only_and_reduce_only_reach_the_venue() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    ioc = send(engine, 1.0, 9.0, tif="ioc")
    crossing = send(engine, 1.0, 11.0, post_only=True)
    reducing = send(engine, 1.0, 11.0, SELL, reduce_only=True)
    assert engine.order(ioc).tif == "ioc"
    assert engine.order(crossing).status == "rejected"
    assert engine.order(reducing).status == "rejected"
    engine.tick("ACME", 10.0)
    assert engine.order(ioc).status == "canceled"


def test_a_seen_client_order_id_returns_the_first_order() -> None:
    engine = make()
    first = send(engine, 1.0, 9.0, client_order_id="mine")
    assert send(engine, 1.0, 9.0, client_order_id="mine") == first
    with pytest.raises(OrderError, match="mine"):
        send(engine, 2.0, 9.0, client_order_id="mine")


def test_settle_closes_both_sides_and_drops_the_orders() -> None:
    engine = make()
    engine.tick("rain", 0.6)
    send(engine, 10.0, market="rain", contract=YES)
    send(engine, 20.0, market="rain", contract=NO)
    resting = send(engine, 5.0, 0.1, market="rain", contract=YES)
    closed = engine.settle("rain", 1.0)
    # YES 10 x (1 - 0.6) = 4, NO 20 x (0 - 0.4) = -8.
    assert [(s.market_id, s.quantity, s.price) for s in closed] == [
        ("rain", 10.0, 1.0),
        ("rain:no", 20.0, 0.0),
    ]
    assert engine.equity == pytest.approx(100_000 + 4 - 8, abs=1e-9)
    assert engine.order(resting).status == "canceled"
    late = engine.order(send(engine, 1.0, 0.5, market="rain", contract=YES))
    assert (late.status, late.metadata["reason"]) == ("rejected", "settled")


# ---------------------------------------------------------------------------- status
def test_status_shows_money_limits_and_counts() -> None:
    engine = make(1_000.0, RiskConfig(max_order_size=50))
    engine.tick("ACME", 10.0, 7.0)
    send(engine, 40.0)
    engine.tick("ACME", 12.0, 8.0)  # 600 + 480 = 1080
    assert (engine.status().day_high, engine.status().drawdown_pct) == (1_080.0, 0.0)
    engine.tick("ACME", 11.0, 9.0)  # 600 + 440 = 1040
    send(engine, 10.0, 5.0)
    with pytest.raises(RiskRejected):
        send(engine, 51.0, 5.0)
    TWAP(engine, 10, 2).start(OrderRequest("rain", YES, BUY, 10.0))
    status = engine.status()
    assert status.venue == "paper"
    assert status.is_connected
    assert status.time == 9.0
    assert status.equity == engine.equity == 1_040.0
    assert status.cash == 600.0
    assert status.buying_power == 550.0  # 600 - 10 x 5
    assert status.day_high == 1_080.0
    assert status.drawdown_pct == pytest.approx(100 * 40 / 1080)
    assert (status.drawdown_passed, status.kill_switch) == (False, False)
    assert (status.open_orders, status.positions, status.running_algos) == (1, 1, 1)
    assert status.rejections == {"max_order_size": 1}


def test_status_can_be_asked_of_a_closed_engine() -> None:
    engine = make()
    engine.close()
    assert not engine.status().is_connected


# ---------------------------------------------------------------------------- quotes
def resting(engine: Engine) -> list[tuple[str, str, float, float]]:
    return [(o.id, o.side, o.price, o.quantity) for o in engine.open_orders()]


def test_quotes_rest_on_both_sides() -> None:
    engine = make()
    bid, ask = engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    assert resting(engine) == [(bid, "buy", 0.45, 10.0), (ask, "sell", 0.55, 10.0)]
    assert engine.order(bid).metadata["intent"] == "quote"


def test_the_same_quotes_again_keep_their_orders() -> None:
    engine = make()
    first = engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    assert engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)]) == first
    assert len(engine.venue.orders()) == 2


def test_a_smaller_quote_amends_the_order_down_and_keeps_its_place() -> None:
    engine = make()
    first, _ = engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    behind = send(engine, 1.0, 0.45, market="rain", contract=YES)
    again, _ = engine.submit_quotes("rain", [Quote(0.45, 0.55, 4.0)])
    assert again == first
    assert engine.order(first).quantity == 4.0
    assert [fill.order_id for fill in engine.tick("rain", 0.45)] == [first, behind]


def test_a_larger_quote_is_a_new_order() -> None:
    engine = make()
    first, _ = engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    again, _ = engine.submit_quotes("rain", [Quote(0.45, 0.55, 11.0)])
    assert again != first
    assert engine.order(first).status == "canceled"
    assert engine.order(again).quantity == 11.0


def test_a_moved_quote_cancels_the_old_one() -> None:
    engine = make()
    bid, ask = engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    new_bid, new_ask = engine.submit_quotes("rain", [Quote(0.44, 0.55, 10.0)])
    assert new_ask == ask
    assert [o.id for o in engine.open_orders()] == [ask, new_bid]
    assert engine.order(bid).status == "canceled"


def test_old_quotes_are_cancelled_before_new_ones_are_sent() -> None:
    # The money carries one quote of 100 x 0.5 and no second.
    engine = make(60.0, RiskConfig(max_position_per_market=100))
    (bid, _) = engine.submit_quotes("rain", [Quote(0.5, 1.5, 100.0)])
    (new, _) = engine.submit_quotes("rain", [Quote(0.51, 1.5, 100.0)])
    assert engine.order(bid).status == "canceled"
    assert engine.order(new).status == "new"


def test_no_quotes_leave_nothing_resting() -> None:
    engine = make()
    engine.submit_quotes("rain", [Quote(0.45, 0.55, 10.0)])
    assert engine.submit_quotes("rain", []) == []
    assert engine.open_orders() == []


def test_quotes_leave_other_orders_alone() -> None:
    engine = make()
    by_hand = send(engine, 5.0, 0.45, market="rain", contract=YES)
    iceberg = Iceberg(engine, 3.0)
    iceberg.start(OrderRequest("rain", YES, BUY, 9.0, 0.45))
    iceberg.on_tick(0.5, 0.0)
    engine.submit_quotes("rain", [Quote(0.45, 0.55, 5.0)])
    engine.submit_quotes("rain", [])
    assert [o.id for o in engine.open_orders()] == [by_hand, *iceberg.child_order_ids]


def test_quotes_of_another_market_and_of_no_are_their_own() -> None:
    engine = make()
    yes = engine.submit_quotes("rain", [Quote(0.45, 0.55, 1.0)])
    no = engine.submit_quotes("rain", [Quote(0.40, 0.60, 1.0)], NO)
    other = engine.submit_quotes("snow", [Quote(0.45, 0.55, 1.0)])
    engine.submit_quotes("rain", [], NO)
    assert [o.id for o in engine.open_orders()] == [*yes, *other]
    assert engine.order(no[0]).market_id == "rain:no"


def test_several_quotes_make_a_ladder() -> None:
    engine = make()
    ids = engine.submit_quotes("rain", [Quote(0.45, 0.55, 1.0), Quote(0.44, 0.56, 2.0)])
    assert [(s, p, q) for _, s, p, q in resting(engine)] == [
        ("buy", 0.45, 1.0),
        ("sell", 0.55, 1.0),
        ("buy", 0.44, 2.0),
        ("sell", 0.56, 2.0),
    ]
    kept = engine.submit_quotes("rain", [Quote(0.44, 0.56, 2.0)])
    assert kept == ids[2:]


def test_a_leg_outside_the_price_bounds_is_counted_and_the_other_stands() -> None:
    engine = make()
    bid, ask = engine.submit_quotes("rain", [Quote(-0.02, 0.04, 1.0)])
    assert bid is None
    assert engine.order(ask).status == "new"
    assert engine.rejections == {"price_bounds": 1}


def test_a_leg_that_risk_refuses_is_counted_and_the_other_stands() -> None:
    engine = make(risk=RiskConfig(max_position_per_market=10))
    send(engine, 8.0, 0.3, market="rain", contract=YES)
    bid, ask = engine.submit_quotes("rain", [Quote(0.45, 0.55, 5.0)])
    assert bid is None  # 8 open and 5 more are 13
    assert engine.order(ask).status == "new"
    assert engine.rejections == {"max_position_per_market": 1}


def test_own_quotes_that_meet_do_not_match_each_other() -> None:
    engine = make()
    engine.submit_quotes("rain", [Quote(0.5, 0.5, 10.0)])
    assert engine.drain_fills() == []
    assert len(engine.open_orders()) == 2


def test_quotes_for_a_plain_market_are_long() -> None:
    engine = make()
    engine.submit_quotes("ACME", hz.quotes(100.0, 1.0, 10.0), LONG)
    assert [(s, p) for _, s, p, _ in resting(engine)] == [("buy", 99.5), ("sell", 100.5)]


def test_a_partly_wrong_list_of_quotes_changes_nothing() -> None:
    engine = make()
    before = engine.submit_quotes("rain", [Quote(0.45, 0.55, 1.0)])
    with pytest.raises(TypeError, match="Quote"):
        engine.submit_quotes("rain", [Quote(0.4, 0.6, 1.0), (0.4, 0.6, 1.0)])  # type: ignore[list-item]
    assert [o.id for o in engine.open_orders()] == before
    engine.declare(hz.Market("grid", AssetClass.Prediction, tick_size=0.01, lot_size=1.0))
    for bad in (Quote(0.455, 0.55, 1.0), Quote(0.45, 0.55, 1.5)):
        with pytest.raises(ValueError, match=r"0\.455|1\.5"):
            engine.submit_quotes("grid", [bad])
    assert [o.id for o in engine.open_orders()] == before


@pytest.mark.parametrize("bad", [None, 5, Quote(0.4, 0.6, 1.0)])
def test_quotes_that_are_no_list_of_quotes_are_refused_by_name(bad: object) -> None:
    with pytest.raises(TypeError, match="quotes"):
        make().submit_quotes("rain", bad)  # type: ignore[arg-type]


def test_a_filled_quote_is_quoted_anew() -> None:
    engine = make()
    bid, ask = engine.submit_quotes("rain", [Quote(0.45, 0.55, 1.0)])
    engine.tick("rain", 0.45)
    new_bid, same_ask = engine.submit_quotes("rain", [Quote(0.45, 0.55, 1.0)])
    assert same_ask == ask
    assert new_bid not in (None, bid)


# ---------------------------------------------------------------------------- flatten
def held(engine: Engine) -> None:
    engine.tick("rain", 0.6)
    engine.tick("ACME", 10.0)
    send(engine, 10.0, market="rain", contract=YES)
    send(engine, 20.0, market="rain", contract=NO)
    send(engine, 5.0, side=SELL)


def test_flattening_no_ends_orders_for_yes_that_would_pass_the_limit_then() -> None:
    engine = make(risk=RiskConfig(max_position_per_market=12))
    engine.tick("rain", 0.5)
    send(engine, 10.0, market="rain", contract=YES)
    send(engine, 10.0, market="rain", contract=NO)
    # Net 10 - 10 = 0, so 5 more are within 12; without NO they would be 10 + 5 = 15.
    resting = send(engine, 5.0, 0.4, market="rain", contract=YES)
    engine.flatten("rain:no")
    assert engine.order(resting).status == "canceled"
    assert engine.order(resting).metadata["reason"] == "max_position_per_market"
    engine.tick("rain", 0.3)
    assert [p.size for p in engine.positions()] == [10.0]


def test_flatten_closes_both_sides_of_one_market() -> None:
    engine = make()
    held(engine)
    resting_here = send(engine, 1.0, 0.1, market="rain", contract=NO)
    resting_there = send(engine, 1.0, 1.0)
    orders = engine.flatten("rain")
    assert [(o.market_id, o.side, o.quantity, o.status) for o in orders] == [
        ("rain", "sell", 10.0, "filled"),
        ("rain:no", "sell", 20.0, "filled"),
    ]
    assert [p.market_id for p in engine.positions()] == ["ACME"]
    assert engine.order(resting_here).status == "canceled"
    assert engine.order(resting_there).is_open


def test_flatten_without_a_market_closes_everything() -> None:
    engine = make()
    held(engine)
    assert [(o.market_id, o.side) for o in engine.flatten()] == [
        ("rain", "sell"),
        ("rain:no", "sell"),
        ("ACME", "buy"),
    ]
    assert engine.positions() == []
    assert engine.flatten() == []


def test_flatten_of_an_unknown_market_does_nothing() -> None:
    assert make().flatten("nowhere") == []


def test_flatten_closes_what_lies_off_the_lot_grid() -> None:
    # A position made before the grid was known would be stuck if closing asked for whole lots.
    venue = Paper(clock=lambda: 0.0)
    engine = Engine(venue=venue)
    engine.declare(hz.Market("lots", AssetClass.Equity, lot_size=10.0))
    engine.tick("lots", 5.0)
    send(engine, 30.0, market="lots")
    (order,) = engine.flatten("lots")
    assert order.status == "filled"


def test_flatten_without_a_quote_is_rejected_and_visible() -> None:
    engine = make(matching="quotes")
    engine.tick("ACME", 10.0)
    send(engine, 5.0)
    engine.tick("ACME", 10.0, ask=10.1)
    (order,) = engine.flatten("ACME")
    assert order.status == "rejected"
    assert "no bid" in order.metadata["reason"]
    assert engine.order(order.id).status == "rejected"
    assert engine.positions()[0].size == 5.0


def test_flatten_stops_the_algos_of_its_market_first() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    here, there = TWAP(engine, 10, 2), TWAP(engine, 10, 2)
    here.start(OrderRequest("ACME", LONG, BUY, 10.0))
    there.start(OrderRequest("B", LONG, BUY, 10.0))
    here.on_tick(10.0, 0.0)
    there.on_tick(10.0, 0.0)
    engine.flatten("ACME")
    assert (here.status, there.status) == ("stopped", "running")
    assert engine.order(here.child_order_ids[0]).status == "canceled"
    assert engine.order(there.child_order_ids[0]).is_open
    here.on_tick(10.0, 5.0)
    assert len(here.child_order_ids) == 1


def test_a_second_engine_on_a_venue_replaces_the_first_and_stops_its_algos() -> None:
    first = make()
    twap = TWAP(first, 10, 2)
    twap.start(OrderRequest("ACME", LONG, BUY, 10.0))
    twap.on_tick(10.0, 0.0)
    second = Engine(venue=first.venue)
    assert twap.status == "stopped"
    twap.on_tick(10.0, 5.0)
    assert len(twap.child_order_ids) == 1
    assert second.open_orders() == []  # its children were cancelled with it
    with pytest.raises(VenueError, match="replaced by a newer one"):
        first.submit_order(OrderRequest("ACME", LONG, BUY, 10.0, 9.0))
    first.close()  # does not close the venue under the new one
    assert second.order(second.submit_order(OrderRequest("ACME", LONG, BUY, 1.0, 9.0))).is_open


def test_flatten_all_on_the_client_stops_every_algo() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.tick("A", 10.0, 0.0)
    ex.buy("A", 5, market=True)
    algos = [ex.twap(m, 10, duration_secs=10, num_slices=2) for m in ("A", "B", "C")]
    (closing,) = ex.flatten_all()
    assert (closing.side, closing.quantity, closing.status) == ("sell", 5.0, "filled")
    assert [algo.status for algo in algos] == ["stopped"] * 3
    assert ex.algos == []


@pytest.mark.parametrize("verb", ["flatten", "kill_switch"])
def test_stopping_is_complete_though_a_callback_raises(verb: str) -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    for market in ("A", "B"):
        ex.tick(market, 10.0, 0.0)
        ex.buy(market, 5, market=True)
        ex.buy(market, 5, limit=9.0)
    algos = [ex.twap(m, 10, duration_secs=10, num_slices=2) for m in ("A", "A", "B")]

    def broken(progress) -> None:
        if progress.is_done:
            raise RuntimeError("a drawing failed")

    for algo in algos:
        algo.subscribe(broken)
    try:
        getattr(ex.engine, verb)()
    except RuntimeError:
        pass  # it may be shown, after everything else is done
    assert ex.positions() == []
    assert ex.open_orders() == []
    assert [algo.status for algo in algos] == ["stopped"] * 3


def test_settling_is_complete_though_a_callback_raises() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.tick("rain:no", 0.5, 0.0)
    ex.buy_prediction("rain", 5, side="yes", market=True)
    algos = [ex.twap("rain", 10, duration_secs=10, num_slices=2) for _ in range(2)]

    def broken(progress) -> None:
        if progress.is_done:
            raise RuntimeError("a drawing failed")

    for algo in algos:
        algo.subscribe(broken)
    try:
        ex.settle("rain", 1.0)
    except RuntimeError:
        pass
    assert ex.positions() == []
    assert [s.price for s in ex.settlements()] == [1.0]
    assert [algo.status for algo in algos] == ["stopped"] * 2


# ---------------------------------------------------------------------------- kill switch, algos
def test_the_kill_switch_stops_every_algo() -> None:
    engine = make()
    engine.tick("ACME", 10.0)
    send(engine, 5.0)
    algos = [TWAP(engine, 10, 2), Iceberg(engine, 2.0)]
    for algo, market in zip(algos, ("ACME", "B"), strict=True):
        algo.start(OrderRequest(market, LONG, BUY, 10.0, 9.0))
        algo.on_tick(10.0, 0.0)
    engine.kill_switch()
    assert [algo.status for algo in algos] == ["stopped"] * 2
    assert engine.algos == []
    assert engine.open_orders() == engine.positions() == []


def test_an_algo_under_the_kill_switch_is_refused_child_by_child() -> None:
    engine = make()
    engine.kill_switch()
    twap = TWAP(engine, 10, 2)
    twap.start(OrderRequest("ACME", LONG, BUY, 10.0))
    twap.on_tick(10.0, 0.0)
    assert twap.child_order_ids == []
    assert twap.rejections["kill_switch"][0] == 1


def test_an_algo_cannot_start_in_a_settled_market() -> None:
    engine = make()
    engine.tick("rain", 0.5)
    send(engine, 1.0, market="rain", contract=YES)
    engine.settle("rain", 1.0)
    with pytest.raises(AlgoError, match="settled"):
        TWAP(engine, 10, 2).start(OrderRequest("rain", YES, BUY, 10.0))


# ---------------------------------------------------------------------------- reading
def test_the_books_hold_after_each_of_these_steps() -> None:
    engine = make(1_000.0, fee_bps=25.0)
    account = engine.venue.account

    def check() -> None:
        profit = account.realized_pnl + account.unrealized_pnl - account.fees
        assert engine.equity - 1_000.0 == pytest.approx(profit, abs=1e-9)

    engine.tick("ACME", 10.0)
    for size, side in ((30.0, BUY), (50.0, SELL), (20.0, BUY), (7.0, SELL)):
        send(engine, size, side=side)
        check()
        engine.tick("ACME", 10.0 + size / 10.0)
        check()
    engine.flatten()
    check()


def test_repr_says_what_it_stands_on() -> None:
    assert "Paper" in repr(make())
