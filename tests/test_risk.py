"""Risk rules: each one at, just under and just over its limit."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import Engine, OrderRequest, OrderSide, RiskConfig, Side
from horizon.errors import OrderError, RiskRejected, VenueError
from horizon.types import OrderAction
from horizon.venues import Paper

YES, NO, LONG = Side.Yes, Side.No, Side.Long
BUY, SELL = OrderSide.Buy, OrderSide.Sell
DAY = 86_400.0


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def limited(cash: float = 100_000.0, *, venue: dict[str, Any] | None = None, **limits: float):
    """An engine with these limits, on a paper venue without fees whose clock stands at 0."""
    options: dict[str, Any] = {"clock": lambda: 0.0, **(venue or {})}
    return Engine(RiskConfig(**limits), venue=Paper(cash, **options))


def order(
    engine: Engine,
    size: float,
    price: float | None = 10.0,
    *,
    side: OrderSide = BUY,
    market: str = "ACME",
    contract: Side = LONG,
    **rest: Any,
) -> str:
    return engine.submit_order(OrderRequest(market, contract, side, size, price, **rest))


def refusal(call: Callable[[], object]) -> RiskRejected:
    with pytest.raises(RiskRejected) as caught:
        call()
    return caught.value


def hold(engine: Engine, size: float, price: float = 10.0, market: str = "ACME") -> None:
    """Give the account a position past every limit: the venue itself asks no rule."""
    engine.tick(market, price)
    with engine.venue.lock:
        engine.venue.place(market, None, 1 if size > 0 else -1, abs(size), None)


# ---------------------------------------------------------------------------- configuration
FIELDS = (
    "max_position_per_market",
    "max_order_size",
    "max_portfolio_notional",
    "max_daily_drawdown_pct",
    "max_orders_per_second",
)


@pytest.mark.parametrize("field", FIELDS)
def test_each_limit_is_off_by_default(field: str) -> None:
    assert getattr(RiskConfig(), field) is None


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), 1e16])
def test_a_limit_that_is_no_positive_number_is_refused_by_name(field: str, bad: float) -> None:
    with pytest.raises(ValueError, match=field):
        RiskConfig(**{field: bad})


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("bad", [True, "5", [5], None.__class__])
def test_a_limit_of_another_type_is_a_type_error(field: str, bad: object) -> None:
    with pytest.raises(TypeError, match=field):
        RiskConfig(**{field: bad})  # type: ignore[arg-type]


def test_a_drawdown_over_a_hundred_percent_is_refused() -> None:
    RiskConfig(max_daily_drawdown_pct=100)
    with pytest.raises(ValueError, match="at most 100"):
        RiskConfig(max_daily_drawdown_pct=100.5)


def test_an_order_rate_must_be_whole() -> None:
    with pytest.raises(ValueError, match="whole"):
        RiskConfig(max_orders_per_second=2.5)


def test_without_limits_risk_lets_everything_pass() -> None:
    engine = limited(1e12)
    for _ in range(50):
        order(engine, 1e6)
    assert len(engine.open_orders()) == 50
    assert engine.rejections == {}


class Live(Paper):
    """A venue that says of itself that real money moves there."""

    name = "live"
    is_live = True


@pytest.mark.parametrize("config", [None, RiskConfig()])
def test_a_live_venue_refuses_to_start_without_limits(config: RiskConfig | None) -> None:
    venue = Live(clock=lambda: 0.0)
    with pytest.raises(VenueError, match="limits"):
        Engine(config, venue=venue)
    with pytest.raises(VenueError, match="limits"):
        hz.connect(venue, risk=config)
    assert not venue.is_connected


def test_a_live_venue_starts_with_a_limit() -> None:
    engine = Engine(RiskConfig(max_order_size=1), venue=Live(clock=lambda: 0.0))
    assert refusal(lambda: order(engine, 2.0)).rule == "max_order_size"


# ---------------------------------------------------------------------------- order size
@pytest.mark.parametrize("size", [99.9999, 100.0])
def test_order_size_up_to_the_limit_passes(size: float) -> None:
    engine = limited(max_order_size=100)
    assert engine.order(order(engine, size)).status == "new"


def test_order_size_over_the_limit_is_refused_with_rule_limit_and_value() -> None:
    engine = limited(max_order_size=100)
    error = refusal(lambda: order(engine, 100.0001))
    assert (error.rule, error.limit, error.value) == ("max_order_size", 100.0, 100.0001)
    assert error.market_id == "ACME"
    assert "max_order_size" in str(error)
    assert engine.venue.orders() == []
    assert engine.rejections == {"max_order_size": 1}


def test_a_refusal_keeps_its_facts_on_the_way_back_from_a_worker() -> None:
    error = refusal(lambda: order(limited(max_order_size=1), 2.0))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.rule, copy.limit, copy.value, str(copy)) == (
        "max_order_size",
        1.0,
        2.0,
        str(error),
    )


def test_the_client_raises_a_refusal_too() -> None:
    ex = hz.connect("paper", risk=RiskConfig(max_order_size=5), clock=lambda: 0.0)
    assert refusal(lambda: ex.buy("ACME", 6, limit=1.0)).rule == "max_order_size"


# ---------------------------------------------------------------------------- position
def test_position_limit_counts_open_orders_of_that_direction() -> None:
    engine = limited(max_position_per_market=100)
    order(engine, 60.0)
    # 60 open and 40 new are the 100 allowed; with 40.001 they are 100.001.
    error = refusal(lambda: order(engine, 40.001))
    assert (error.rule, error.limit) == ("max_position_per_market", 100.0)
    assert error.value == pytest.approx(100.001, abs=1e-9)
    order(engine, 40.0)
    assert refusal(lambda: order(engine, 0.001)).rule == "max_position_per_market"


def test_position_limit_counts_what_is_held_and_what_is_open() -> None:
    engine = limited(max_position_per_market=100)
    hold(engine, 60.0)
    order(engine, 30.0)
    # 60 held + 30 open + 11 = 101.
    assert refusal(lambda: order(engine, 11.0)).value == 101.0
    order(engine, 10.0)


def test_position_limit_holds_for_shorts() -> None:
    engine = limited(max_position_per_market=100)
    hold(engine, -60.0)
    order(engine, 40.0, 12.0, side=SELL)
    # -(-60) + 40 open + 1 = 101 short.
    assert refusal(lambda: order(engine, 1.0, 12.0, side=SELL)).value == 101.0


def test_open_orders_of_the_other_direction_make_no_room() -> None:
    engine = limited(max_position_per_market=100)
    hold(engine, 100.0)
    order(engine, 100.0, 11.0, side=SELL)
    assert refusal(lambda: order(engine, 1.0, 9.0)).value == 101.0


def test_a_flip_may_go_as_far_as_the_limit_on_the_other_side() -> None:
    engine = limited(max_position_per_market=100)
    hold(engine, 100.0)
    # 100 long, 200 sold are 100 short; 201 are 101 short.
    assert refusal(lambda: order(engine, 201.0, 11.0, side=SELL)).value == 101.0
    order(engine, 200.0, 11.0, side=SELL)


def test_a_cancel_gives_its_room_back() -> None:
    engine = limited(max_position_per_market=100)
    first = order(engine, 100.0)
    assert refusal(lambda: order(engine, 1.0)).value == 101.0
    engine.cancel(first)
    order(engine, 100.0)


def test_a_fill_takes_as_much_room_as_the_order_did() -> None:
    engine = limited(max_position_per_market=100)
    order(engine, 70.0)
    engine.tick("ACME", 10.0)
    assert engine.positions()[0].size == 70.0
    assert refusal(lambda: order(engine, 31.0)).value == 101.0
    order(engine, 30.0)


def test_yes_and_no_count_against_each_other() -> None:
    engine = limited(max_position_per_market=100)
    engine.tick("rain", 0.5)
    order(engine, 100.0, None, market="rain", contract=YES)
    # |100 YES - 201 NO| = 101; 200 NO leave |100 - 200| = 100.
    error = refusal(lambda: order(engine, 201.0, None, market="rain", contract=NO))
    assert error.value == 101.0
    order(engine, 200.0, None, market="rain", contract=NO)
    assert [(p.side, p.size) for p in engine.positions()] == [(YES, 100.0), (NO, 200.0)]


def test_open_orders_that_want_the_same_outcome_count_together() -> None:
    engine = limited(max_position_per_market=100)
    order(engine, 60.0, 0.4, market="rain", contract=YES)
    # A sale of NO wants what a purchase of YES wants: 60 + 41 = 101.
    error = refusal(lambda: order(engine, 41.0, 0.6, market="rain", contract=NO, side=SELL))
    assert error.value == 101.0
    order(engine, 40.0, 0.6, market="rain", contract=NO, side=SELL)
    # The other way there is room for 100 in full, but no more.
    assert refusal(
        lambda: order(engine, 101.0, 0.3, market="rain", contract=NO)
    ).value == pytest.approx(101.0)
    order(engine, 100.0, 0.3, market="rain", contract=NO)


def test_each_market_has_a_position_limit_of_its_own() -> None:
    engine = limited(max_position_per_market=100)
    for market in ("A", "B", "C"):
        order(engine, 100.0, market=market)
        assert refusal(lambda m=market: order(engine, 1.0, market=m)).market_id == market


# ---------------------------------------------------------------------------- notional
def test_portfolio_notional_is_positions_at_marks_and_open_orders_at_their_prices() -> None:
    engine = limited(max_portfolio_notional=1_000)
    order(engine, 50.0, 10.0)
    engine.tick("ACME", 10.0)  # filled: 50 x 10 = 500
    engine.tick("ACME", 12.0)  # marked: 50 x 12 = 600
    order(engine, 20.0, 11.0, market="B")  # + 220 = 820
    # 820 + 10.1 x 18 = 1001.8 is over, 820 + 10 x 18 = 1000 is not.
    error = refusal(lambda: order(engine, 10.1, 18.0, market="C"))
    assert (error.rule, error.limit) == ("max_portfolio_notional", 1_000.0)
    assert error.value == pytest.approx(1_001.8, abs=1e-9)
    order(engine, 10.0, 18.0, market="C")


def test_shorts_count_their_notional_without_sign() -> None:
    engine = limited(max_portfolio_notional=1_000)
    hold(engine, -60.0)  # 600
    hold(engine, 30.0, market="B")  # 300
    # 600 + 300 + 11 x 10 = 1010.
    assert refusal(lambda: order(engine, 11.0, market="C")).value == pytest.approx(1_010.0)
    order(engine, 10.0, market="C")


def test_yes_and_no_count_apart_each_at_its_own_price() -> None:
    engine = limited(max_portfolio_notional=100)
    engine.tick("rain", 0.6)
    order(engine, 100.0, None, market="rain", contract=YES)  # 100 x 0.6 = 60
    order(engine, 50.0, None, market="rain", contract=NO)  # 50 x 0.4 = 20, together 80
    # 80 + 42 x 0.5 = 101, 80 + 40 x 0.5 = 100.
    error = refusal(lambda: order(engine, 42.0, 0.5, market="rain", contract=NO))
    assert error.value == pytest.approx(101.0, abs=1e-9)
    order(engine, 40.0, 0.5, market="rain", contract=NO)


def test_notional_of_an_option_includes_its_multiplier() -> None:
    engine = limited(max_portfolio_notional=1_000)
    option = "ACME  240621C00100000"
    # 3 x 4.00 x 100 = 1200, 2 x 5.00 x 100 = 1000.
    assert refusal(lambda: order(engine, 3.0, 4.0, market=option)).value == pytest.approx(1_200.0)
    order(engine, 2.0, 5.0, market=option)


def test_notional_of_a_market_order_is_at_last_and_slippage() -> None:
    engine = limited(max_portfolio_notional=1_000, venue={"slippage_bps": 100.0})
    engine.tick("ACME", 10.0)
    # 10 x 1.01 = 10.10 each: 99 are 999.90, 100 are 1010.
    assert refusal(lambda: order(engine, 100.0, None)).value == pytest.approx(1_010.0)
    order(engine, 99.0, None)


# ---------------------------------------------------------------------------- drawdown
def fallen_engine(clock: Clock | None = None, **limits: float) -> Engine:
    """100 bought at 10 with all of the money, risen to 12: the day's high is 1200."""
    engine = limited(
        1_000.0, venue={"clock": clock or Clock()}, max_daily_drawdown_pct=10.0, **limits
    )
    engine.tick("ACME", 10.0)
    order(engine, 100.0, None)
    engine.tick("ACME", 12.0)
    return engine


def test_a_drawdown_of_exactly_the_limit_is_not_past_it() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 10.8)  # 1080 is 10 % under 1200
    assert not engine.status().drawdown_passed
    assert engine.status().drawdown_pct == pytest.approx(10.0, abs=1e-12)
    # There is no money left to buy with, which is the venue's refusal and not risk's.
    assert engine.order(order(engine, 1.0, 1.0)).status == "rejected"


def test_past_the_drawdown_an_opening_order_is_refused() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 10.79)
    error = refusal(lambda: order(engine, 1.0, 1.0))
    assert (error.rule, error.limit) == ("max_daily_drawdown_pct", 10.0)
    # 1 - 1079/1200 = 10.0833 %.
    assert error.value == pytest.approx(100 * 121 / 1200, abs=1e-9)
    assert engine.status().drawdown_passed


def test_past_the_drawdown_reducing_orders_pass_but_none_with_an_opening_part() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 10.79)
    assert refusal(lambda: order(engine, 101.0, 11.0, side=SELL)).rule == "max_daily_drawdown_pct"
    order(engine, 60.0, 11.0, side=SELL)
    # 60 are on sale already: of 41 more, one would open a short.
    assert refusal(lambda: order(engine, 41.0, 11.0, side=SELL)).rule == "max_daily_drawdown_pct"
    order(engine, 40.0, None, side=SELL)
    assert engine.positions()[0].size == 60.0


def test_crossing_the_drawdown_cancels_resting_orders_that_open_and_no_others() -> None:
    engine = limited(2_000.0, max_daily_drawdown_pct=10.0)
    engine.tick("ACME", 10.0)
    order(engine, 100.0, None)
    opening = order(engine, 10.0, 5.0)
    reducing = order(engine, 60.0, 20.0, side=SELL)
    mixed = order(engine, 50.0, 20.0, side=SELL)  # 40 reduce, 10 open
    engine.tick("ACME", 8.0)  # equity 2000 - 200: 10 %, not past
    assert len(engine.open_orders()) == 3
    engine.tick("ACME", 7.99)
    assert [o.id for o in engine.open_orders()] == [reducing]
    assert engine.order(opening).status == engine.order(mixed).status == "canceled"
    assert "drawdown" in engine.order(opening).metadata["reason"]


def test_the_drawdown_stays_passed_until_the_next_utc_day() -> None:
    clock = Clock()
    engine = fallen_engine(clock)
    engine.tick("ACME", 10.79, 1_000.0)
    engine.tick("ACME", 15.0, 2_000.0)  # a new high on the same day changes nothing
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"
    engine.tick("ACME", 15.0, DAY - 1.0)
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"
    engine.tick("ACME", 15.0, DAY)
    assert engine.order(order(engine, 1.0, 1.0)).status == "rejected"  # by buying power alone
    assert not engine.status().drawdown_passed


def test_a_day_may_also_begin_by_the_clock() -> None:
    clock = Clock(10.0)
    engine = fallen_engine(clock)
    engine.tick("ACME", 10.79)
    clock.now = DAY - 0.001
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"
    clock.now = DAY
    assert engine.order(order(engine, 1.0, 1.0)).status == "rejected"


def test_another_markets_tick_begins_the_day_for_the_account() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 10.79)
    engine.tick("B", 1.0, DAY)
    order(engine, 1.0, 1.0)


def test_a_clock_that_jumps_back_opens_nothing() -> None:
    clock = Clock(DAY + 10.0)
    engine = fallen_engine(clock)
    engine.tick("ACME", 10.79, DAY + 20.0)
    for now in (DAY + 5.0, 10.0, 0.0):
        clock.now = now
        assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"
    assert engine.status().drawdown_passed


def test_a_clock_that_jumps_back_does_not_bring_yesterdays_drawdown_back() -> None:
    clock = Clock(10.0)
    engine = fallen_engine(clock)
    engine.tick("ACME", 10.79, 20.0)
    engine.tick("ACME", 10.79, DAY)
    clock.now = 30.0
    order(engine, 1.0, 1.0)
    assert not engine.status().drawdown_passed


def test_each_day_is_measured_from_its_own_high() -> None:
    engine = fallen_engine()  # high of day one: 1200
    engine.tick("ACME", 11.5, 100.0)
    engine.tick("ACME", 11.4, DAY)  # day two starts from the last equity, 1150
    engine.tick("ACME", 10.35, DAY + 1)  # 1035 is 10 % under 1150, and 13.75 % under 1200
    assert not engine.status().drawdown_passed
    assert engine.status().day_high == 1_150.0
    engine.tick("ACME", 10.34, DAY + 2)
    assert engine.status().drawdown_passed


def test_the_drawdown_can_be_passed_again_the_next_day() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 10.79)
    engine.tick("ACME", 10.79, DAY)
    engine.tick("ACME", 9.0, DAY + 1)
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"


def test_a_loss_on_the_first_trade_counts_from_the_initial_capital() -> None:
    engine = limited(1_000.0, max_daily_drawdown_pct=10.0)
    engine.tick("ACME", 10.0)
    order(engine, 100.0, None)
    engine.tick("ACME", 8.9)
    assert engine.status().drawdown_passed


def test_fees_and_slippage_of_a_market_order_can_pass_the_drawdown() -> None:
    # 100 x 10 at a fee of 5 %: equity falls by 50, 5 % of 1000, past a limit of 4 %.
    engine = limited(2_000.0, venue={"taker_fee_rate": 0.05}, max_daily_drawdown_pct=2.0)
    engine.tick("ACME", 10.0)
    resting = order(engine, 1.0, 5.0)
    order(engine, 100.0, None)
    assert engine.order(resting).status == "canceled"
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"


def test_a_settlement_can_pass_the_drawdown() -> None:
    engine = limited(1_000.0, max_daily_drawdown_pct=10.0)
    engine.tick("rain", 0.5)
    order(engine, 1_000.0, None, market="rain", contract=YES)  # 500 of 1000
    resting = order(engine, 10.0, 0.5, market="snow", contract=YES)
    engine.settle("rain", 0.0)
    assert engine.order(resting).status == "canceled"
    error = refusal(lambda: order(engine, 1.0, 0.5, market="snow", contract=YES))
    assert error.rule == "max_daily_drawdown_pct"


def test_a_settlement_on_the_venue_itself_can_pass_the_drawdown() -> None:
    engine = limited(1_000.0, max_daily_drawdown_pct=10.0)
    engine.tick("rain", 0.5)
    order(engine, 1_000.0, None, market="rain", contract=YES)
    resting = order(engine, 10.0, 0.5, market="snow", contract=YES)
    engine.venue.settle("rain", 0.0)
    assert engine.order(resting).status == "canceled"
    error = refusal(lambda: order(engine, 1.0, 0.5, market="snow", contract=YES))
    assert error.rule == "max_daily_drawdown_pct"


def test_an_order_on_the_venue_itself_can_pass_the_drawdown() -> None:
    engine = limited(2_000.0, venue={"taker_fee_rate": 0.05}, max_daily_drawdown_pct=2.0)
    engine.tick("ACME", 10.0)
    resting = order(engine, 1.0, 5.0)
    engine.venue.submit(OrderAction.place(market_id="ACME", side="buy", quantity=100))
    assert refusal(lambda: order(engine, 1.0, 1.0)).rule == "max_daily_drawdown_pct"
    assert engine.order(resting).status == "canceled"


def test_past_the_drawdown_flatten_still_closes_everything() -> None:
    engine = fallen_engine()
    engine.tick("ACME", 9.0)
    assert [o.status for o in engine.flatten()] == ["filled"]
    assert engine.positions() == []


# ---------------------------------------------------------------------------- equity
def short_engine(**venue: Any) -> Engine:
    """100 sold short at 10 with 1000: equity is 2000 - 100 x price."""
    engine = limited(1_000.0, venue={"enforce_buying_power": False, **venue})
    engine.tick("ACME", 10.0)
    order(engine, 100.0, None, side=SELL)
    return engine


def test_with_a_little_equity_left_orders_pass() -> None:
    engine = short_engine()
    engine.tick("ACME", 19.99)  # equity 1.00
    order(engine, 1.0, 1.0)


@pytest.mark.parametrize("price", [20.0, 25.0])
def test_without_equity_opening_orders_are_refused(price: float) -> None:
    engine = short_engine()
    resting = order(engine, 10.0, 30.0, side=SELL)
    engine.tick("ACME", price)
    error = refusal(lambda: order(engine, 1.0, 30.0, side=SELL))
    # 2000 - 100 x 20 = 0, 2000 - 100 x 25 = -500.
    assert (error.rule, error.limit, error.value) == ("equity", 0.0, 2_000.0 - 100.0 * price)
    assert engine.order(resting).status == "canceled"


def test_without_equity_reducing_orders_pass() -> None:
    engine = short_engine()
    covering = order(engine, 40.0, 5.0)
    engine.tick("ACME", 25.0)
    assert engine.order(covering).is_open
    assert refusal(lambda: order(engine, 61.0, 25.0)).rule == "equity"
    order(engine, 60.0, None)
    assert engine.positions()[0].size == -40.0


def test_an_account_that_starts_with_nothing_may_not_open() -> None:
    assert refusal(lambda: order(limited(0.0), 1.0)).rule == "equity"


# ---------------------------------------------------------------------------- kill switch
def test_the_kill_switch_cancels_closes_and_refuses() -> None:
    engine = limited(max_order_size=50)  # closing is not held up by the limits
    hold(engine, 100.0)
    resting = order(engine, 10.0, 5.0)
    other = order(engine, 10.0, 5.0, market="B")
    sent = engine.kill_switch()
    assert [(o.side, o.quantity, o.status) for o in sent] == [("sell", 100.0, "filled")]
    assert engine.order(resting).status == engine.order(other).status == "canceled"
    assert engine.positions() == engine.open_orders() == []
    assert engine.status().kill_switch
    assert refusal(lambda: order(engine, 1.0)).rule == "kill_switch"


def test_under_the_kill_switch_only_reducing_orders_pass() -> None:
    engine = limited(venue={"matching": "quotes"})
    engine.tick("ACME", 10.0)
    order(engine, 100.0, None)
    engine.tick("ACME", 10.0, ask=10.1)  # nobody bids: the closing order is rejected
    (sent,) = engine.kill_switch()
    assert sent.status == "rejected"
    assert "no bid" in sent.metadata["reason"]
    assert engine.positions()[0].size == 100.0
    assert refusal(lambda: order(engine, 101.0, 9.0, side=SELL)).rule == "kill_switch"
    order(engine, 100.0, 9.0, side=SELL)
    engine.tick("ACME", 10.0, bid=9.5)
    assert engine.positions() == []


def test_the_kill_switch_may_be_thrown_again_and_reset() -> None:
    engine = limited()
    assert engine.kill_switch() == engine.kill_switch() == []
    assert refusal(lambda: order(engine, 1.0)).rule == "kill_switch"
    engine.reset_kill_switch()
    engine.reset_kill_switch()
    order(engine, 1.0)


# ---------------------------------------------------------------------------- orders per second
def test_orders_per_second_are_counted_in_market_time() -> None:
    engine = limited(max_orders_per_second=3)
    for at in (0.0, 0.3, 0.6):
        engine.tick("ACME", 10.0, at)
        order(engine, 1.0)
    engine.tick("ACME", 11.0, 0.999)
    error = refusal(lambda: order(engine, 1.0))
    assert (error.rule, error.limit, error.value) == ("max_orders_per_second", 3.0, 4.0)
    engine.tick("ACME", 11.0, 1.0)  # the one at 0 is a second ago
    order(engine, 1.0)
    engine.tick("ACME", 11.0, 1.299)  # 0.3, 0.6 and 1.0 lie within the second
    assert refusal(lambda: order(engine, 1.0)).rule == "max_orders_per_second"
    engine.tick("ACME", 11.0, 1.3)
    order(engine, 1.0)


def test_refused_orders_do_not_use_up_the_rate() -> None:
    engine = limited(max_orders_per_second=1, max_order_size=10)
    for _ in range(5):
        assert refusal(lambda: order(engine, 11.0)).rule == "max_order_size"
    order(engine, 10.0)


def test_orders_that_the_venue_rejects_use_up_the_rate() -> None:
    engine = limited(10.0, max_orders_per_second=1)
    assert engine.order(order(engine, 100.0)).status == "rejected"
    assert refusal(lambda: order(engine, 1.0)).rule == "max_orders_per_second"


def test_reducing_orders_are_never_refused_by_the_rate() -> None:
    engine = limited(max_orders_per_second=1)
    hold(engine, 100.0)
    for _ in range(10):
        order(engine, 10.0, 11.0, side=SELL)
    assert refusal(lambda: order(engine, 1.0)).rule == "max_orders_per_second"


def test_a_market_whose_ticks_lag_does_not_reset_the_rate() -> None:
    engine = limited(max_orders_per_second=2)
    hold(engine, 10.0, market="B")
    engine.tick("ACME", 10.0, 100.0)
    order(engine, 1.0)
    order(engine, 1.0)
    for _ in range(2):  # these reduce, so they pass; B's last tick was long before
        order(engine, 1.0, 20.0, side=SELL, market="B")
    assert refusal(lambda: order(engine, 1.0)).rule == "max_orders_per_second"


def test_a_market_whose_ticks_lag_shares_the_accounts_rate() -> None:
    engine = limited(max_orders_per_second=2)
    engine.tick("B", 10.0, 5.0)
    engine.tick("ACME", 10.0, 100.0)
    order(engine, 1.0)
    order(engine, 1.0)
    engine.tick("C", 10.0, 200.0)  # the account's time is 200 now, for every market
    order(engine, 1.0, market="B")
    order(engine, 1.0, market="ACME")
    assert refusal(lambda: order(engine, 1.0, market="B")).rule == "max_orders_per_second"


# ---------------------------------------------------------------------------- amendments
def test_an_amendment_goes_through_the_order_size() -> None:
    engine = limited(max_order_size=100)
    first = order(engine, 100.0)
    assert refusal(lambda: engine.amend(first, new_quantity=101)).rule == "max_order_size"
    assert engine.order(first).quantity == 100.0


def test_an_amendment_gives_back_what_the_order_had() -> None:
    engine = limited(max_position_per_market=100, max_portfolio_notional=1_000)
    first = order(engine, 80.0, 10.0)
    # Alone it may be 100 at 10; were its old 80 counted too, nothing above 20 would pass.
    assert engine.amend(first, new_quantity=100).quantity == 100.0
    error = refusal(lambda: engine.amend(first, new_quantity=101))
    assert (error.rule, error.value) == ("max_position_per_market", 101.0)
    error = refusal(lambda: engine.amend(first, new_price=10.01))
    assert error.rule == "max_portfolio_notional"
    assert error.value == pytest.approx(1_001.0, abs=1e-9)
    now = engine.order(first)
    assert (now.quantity, now.price, now.status) == (100.0, 10.0, "new")


def test_an_amendment_counts_the_other_open_orders() -> None:
    engine = limited(max_position_per_market=100)
    order(engine, 60.0)
    second = order(engine, 30.0)
    assert refusal(lambda: engine.amend(second, new_quantity=41)).value == 101.0
    engine.amend(second, new_quantity=40)


def test_an_amendment_to_less_always_passes() -> None:
    engine = limited(max_orders_per_second=1)
    first = order(engine, 50.0)
    assert engine.amend(first, new_quantity=20).quantity == 20.0


def test_amendments_use_up_the_rate() -> None:
    engine = limited(max_orders_per_second=2)
    first = order(engine, 10.0)
    engine.amend(first, new_quantity=11)
    assert refusal(lambda: engine.amend(first, new_quantity=12)).rule == "max_orders_per_second"
    assert refusal(lambda: order(engine, 1.0)).rule == "max_orders_per_second"


def test_an_amendment_beyond_the_money_is_an_order_error_and_changes_nothing() -> None:
    engine = limited(1_000.0, max_order_size=1_000)
    first = order(engine, 100.0, 10.0)
    with pytest.raises(OrderError, match="buying power"):
        engine.amend(first, new_quantity=101)
    assert engine.order(first).quantity == 100.0


def test_a_refused_amendment_is_counted() -> None:
    ex = hz.connect("paper", risk=RiskConfig(max_order_size=5), clock=lambda: 0.0)
    first = ex.buy("ACME", 5, limit=10.0)
    assert refusal(lambda: ex.amend(first.id, new_quantity=6)).rule == "max_order_size"
    assert ex.engine.rejections == {"max_order_size": 1}


def test_a_reducing_order_may_be_amended_past_every_limit() -> None:
    engine = limited(max_order_size=10, max_orders_per_second=1)
    hold(engine, 100.0)
    closing = order(engine, 5.0, 12.0, side=SELL)
    assert engine.amend(closing, new_quantity=100).quantity == 100.0
    assert refusal(lambda: engine.amend(closing, new_quantity=101)).rule == "max_order_size"


# ---------------------------------------------------------------------------- together
@pytest.mark.parametrize(
    "limits, passed",
    [
        ({"max_position_per_market": 100.0}, 5),  # 5 x 20
        ({"max_portfolio_notional": 700.0}, 3),  # 3 x 200
        ({"max_orders_per_second": 4.0}, 4),
    ],
)
def test_of_ten_orders_that_fit_only_singly_as_many_pass_as_fit_together(
    limits: dict[str, float], passed: int
) -> None:
    engine = limited(**limits)
    for _ in range(10):
        try:
            order(engine, 20.0)
        except RiskRejected:
            pass
    assert len(engine.open_orders()) == passed
    assert engine.rejections == {next(iter(limits)): 10 - passed}


def test_of_ten_orders_that_fit_only_singly_buying_power_takes_what_it_can_carry() -> None:
    engine = limited(1_000.0)
    states = [engine.order(order(engine, 30.0)).status for _ in range(10)]  # 300 each
    assert states == ["new"] * 3 + ["rejected"] * 7


@pytest.mark.parametrize(
    "limits",
    [
        {"max_position_per_market": 10.0},
        {"max_order_size": 10.0},
        {"max_portfolio_notional": 10.0},
        {"max_orders_per_second": 1.0},
        {"max_daily_drawdown_pct": 0.001},
    ],
)
@pytest.mark.parametrize("held", [500.0, -500.0])
def test_no_rule_refuses_an_order_that_only_reduces(limits: dict[str, float], held: float) -> None:
    engine = limited(**limits)
    hold(engine, held)
    engine.tick("ACME", 10.0 - held / 500.0)  # a loss of 1000, past the drawdown
    away = SELL if held > 0 else BUY
    for _ in range(4):
        order(engine, 100.0, None, side=away)
    order(engine, 100.0, 10.0, side=away)
    assert abs(engine.positions()[0].size) == 100.0
    assert engine.rejections == {}


def test_a_market_order_without_a_price_is_rejected_not_raised() -> None:
    engine = limited(max_order_size=10, max_portfolio_notional=100)
    state = engine.order(order(engine, 5.0, None))
    assert state.status == "rejected"
    assert "no price" in state.metadata["reason"]


def test_a_repeated_client_order_id_is_not_asked_about_again() -> None:
    engine = limited(max_position_per_market=10)
    first = order(engine, 10.0, client_order_id="one")
    assert order(engine, 10.0, client_order_id="one") == first
    assert engine.rejections == {}


def test_a_refused_client_order_id_may_be_used_again() -> None:
    engine = limited(max_order_size=10)
    refusal(lambda: order(engine, 11.0, client_order_id="one"))
    assert engine.order(order(engine, 10.0, client_order_id="one")).status == "new"


# ---------------------------------------------------------------------------- against a naive count
LEGS = [("ACME", LONG), ("rain", YES), ("rain", NO), ("snow", YES), ("snow", NO)]
POSITION_LIMIT, NOTIONAL_LIMIT = 60.0, 70.0


class Naive:
    """The two exposure rules, recounted from what the engine shows, with nothing kept."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.held = {(p.market_id, p.side): p.size for p in engine.positions()}
        self.open: list[tuple[tuple[str, Side], int, float, float]] = []
        for o in engine.open_orders():
            base = o.market_id.removesuffix(":no")
            side = NO if o.market_id.endswith(":no") else LONG if base == "ACME" else YES
            assert o.price is not None
            self.open.append(((base, side), 1 if o.side == "buy" else -1, o.remaining, o.price))

    def mark(self, leg: tuple[str, Side]) -> float:
        quote = self.engine.venue.quote(leg[0] + (":no" if leg[1] is NO else ""))
        assert quote is not None
        return quote.price

    def opening(self, leg: tuple[str, Side], sign: int, size: float, before: int) -> float:
        """What an order opens, the first `before` open orders of its side filled first."""
        closable = max(-sign * self.held.get(leg, 0.0), 0.0)
        earlier = sum(o[2] for o in self.open[:before] if o[:2] == (leg, sign))
        return max(size - max(closable - earlier, 0.0), 0.0)

    def verdict(self, leg: tuple[str, Side], sign: int, size: float, price: float) -> str | None:
        opens = self.opening(leg, sign, size, len(self.open))
        if opens < 1e-9:
            return None
        towards = -sign if leg[1] is NO else sign

        def weight(side: Side) -> int:
            return -1 if side is NO else 1

        net = sum(q * weight(side) for (m, side), q in self.held.items() if m == leg[0])
        waiting = sum(
            o[2] for o in self.open if o[0][0] == leg[0] and o[1] * weight(o[0][1]) == towards
        )
        if towards * net + waiting + size > POSITION_LIMIT + 1e-9:
            return "max_position_per_market"
        notional = sum(abs(q) * self.mark(key) for key, q in self.held.items())
        for n, (key, way, left, at) in enumerate(self.open):
            notional += self.opening(key, way, left, n) * at
        notional += opens * price
        return "max_portfolio_notional" if notional > NOTIONAL_LIMIT + 1e-9 else None


STEP = st.one_of(
    st.tuples(
        st.just("order"),
        st.integers(0, 4),
        st.sampled_from([1, -1]),
        st.integers(1, 70),
        st.integers(1, 19),
    ),
    st.tuples(st.just("tick"), st.integers(0, 2), st.integers(1, 19)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("more"), st.integers(0, 30), st.integers(1, 90)),
)


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_exposure_rules_decide_as_a_naive_count_does(steps: list[tuple]) -> None:
    engine = limited(
        1e9, max_position_per_market=POSITION_LIMIT, max_portfolio_notional=NOTIONAL_LIMIT
    )
    for market in ("ACME", "rain", "snow"):
        engine.tick(market, 0.5)
    for what, *rest in steps:
        waiting = engine.open_orders()
        if what == "order":
            leg, sign, size, price = LEGS[rest[0]], rest[1], float(rest[2]), rest[3] / 20.0
            expected = Naive(engine).verdict(leg, sign, size, price)
            request = OrderRequest(leg[0], leg[1], BUY if sign > 0 else SELL, size, price)
            try:
                engine.submit_order(request)
                verdict = None
            except RiskRejected as error:
                verdict = error.rule
            assert verdict == expected
        elif what == "tick":
            engine.tick(("ACME", "rain", "snow")[rest[0]], rest[1] / 20.0)
        elif waiting and what == "cancel":
            engine.cancel(waiting[rest[0] % len(waiting)].id)
        elif waiting:
            chosen = waiting[rest[0] % len(waiting)]
            try:
                engine.amend(chosen.id, new_quantity=rest[1])
            except RiskRejected:
                assert engine.order(chosen.id) == chosen
        count = Naive(engine)
        assert engine.venue.account.position_notional.total == pytest.approx(
            sum(abs(q) * count.mark(key) for key, q in count.held.items()), abs=1e-9
        )
        assert engine.venue.account.order_notional.total == pytest.approx(
            sum(count.opening(k, s, q, n) * at for n, (k, s, q, at) in enumerate(count.open)),
            abs=1e-9,
        )


def test_a_reduce_only_fill_does_not_let_the_orders_behind_it_pass_the_limit() -> None:
    engine = limited(max_position_per_market=100)
    hold(engine, 100.0)
    flip = order(engine, 200.0, 12.0, side=SELL)  # from 100 long to 100 short: allowed
    order(engine, 100.0, 11.0, side=SELL, reduce_only=True)  # reduces, so nothing may refuse it
    engine.tick("ACME", 11.0)
    assert engine.positions() == []
    # Flat now, the 200 would go 200 short.
    assert not engine.order(flip).is_open
    engine.tick("ACME", 12.0)
    assert engine.positions() == []


SHUFFLE = st.one_of(
    st.tuples(
        st.just("order"),
        st.sampled_from([BUY, SELL]),
        st.integers(1, 150),
        st.one_of(st.none(), st.integers(5, 15)),
        st.booleans(),
    ),
    st.tuples(st.just("tick"), st.integers(5, 15)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("amend"), st.integers(0, 30), st.integers(1, 150), st.integers(5, 15)),
    st.tuples(st.just("flatten")),
)


@pytest.mark.no_cover
@pytest.mark.parametrize("market_fill", ["now", "next_tick"])
@settings(max_examples=300, deadline=None)
@given(steps=st.lists(SHUFFLE, max_size=40))
def test_no_sequence_of_orders_passes_the_position_limit(
    market_fill: str, steps: list[tuple]
) -> None:
    engine = limited(1e9, venue={"market_fill": market_fill}, max_position_per_market=100.0)
    engine.tick("ACME", 10.0)
    for what, *rest in steps:
        waiting = engine.open_orders()
        if what == "order":
            side, size, price, reduce_only = rest
            limit = None if price is None else float(price)
            try:
                order(engine, float(size), limit, side=side, reduce_only=reduce_only)
            except RiskRejected:
                pass
        elif what == "tick":
            engine.tick("ACME", float(rest[0]))
        elif what == "flatten":
            engine.flatten("ACME")
        elif waiting and what == "cancel":
            engine.cancel(waiting[rest[0] % len(waiting)].id)
        elif waiting:
            chosen = waiting[rest[0] % len(waiting)]
            try:
                engine.amend(chosen.id, new_quantity=rest[1], new_price=float(rest[2]))
            except (OrderError, RiskRejected):
                assert engine.order(chosen.id) == chosen
        assert all(abs(p.size) <= 100.0 + 1e-9 for p in engine.positions())


# ---------------------------------------------------------------------------- room made by others
def test_an_amendment_that_swaps_opening_parts_is_asked_about() -> None:
    ex = hz.connect(
        "paper",
        initial_cash_usd=2_000,
        clock=lambda: 0.0,
        risk=RiskConfig(max_portfolio_notional=4_000),
    )
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 10, market=True)
    first = ex.sell("ACME", 10, limit=101)  # reduces
    ex.sell("ACME", 10, limit=101)  # opens 10
    # Moved to the end, the first would open 10 x 1,000 and the second reduce: the position's
    # 1,000 and that are 11,000.
    caught = refusal(lambda: ex.amend(first.id, new_price=1_000.0))
    assert (caught.rule, caught.value) == ("max_portfolio_notional", 11_000.0)
    assert ex.order(first.id).price == 101.0


def test_a_reducing_order_of_one_side_cancels_what_could_pass_the_limit_on_the_other() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0, risk=RiskConfig(max_position_per_market=10))
    ex.tick("rain:no", 0.5, 1.0)
    ex.buy("rain:no", 10, market=True)  # net -10
    yes = ex.buy("rain", 20, limit=0.45)  # at most +10
    ex.sell("rain:no", 10, limit=0.54)  # reduces; with it the other could reach +20
    assert ex.order(yes.id).status == "canceled"
    assert ex.order(yes.id).metadata["reason"] == "max_position_per_market"
    ex.tick("rain", 0.44, 2.0)
    assert ex.positions() == []


def test_past_the_drawdown_nothing_opens_even_when_equity_has_recovered() -> None:
    ex = hz.connect(
        "paper",
        initial_cash_usd=1_000,
        clock=lambda: 0.0,
        risk=RiskConfig(max_daily_drawdown_pct=10),
    )
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 5, market=True)
    ex.tick("ACME", 70.0)  # equity 850: 15 % down
    ex.tick("ACME", 99.0)  # 995 again, but the limit was passed today
    resting = ex.sell("ACME", 5, limit=110)  # reduces
    ex.sell("ACME", 5, market=True, reduce_only=True)  # flat: the other would open a short
    assert ex.order(resting.id).status == "canceled"
    ex.tick("ACME", 111.0)
    assert ex.positions() == []


def test_a_liquidation_stops_the_algos_of_its_market() -> None:
    ex = hz.connect("paper", initial_cash_usd=1_000, clock=lambda: 0.0)
    ex.tick("BTC-PERP", 100.0)
    ex.buy_perp("BTC-PERP", 10, leverage=20, market=True)
    twap = ex.twap("BTC-PERP", 10, duration_secs=60, num_slices=6)
    # Margin 50; at 97 the loss is 30, what is left of it 20 <= 25, half the margin.
    ex.tick("BTC-PERP", 97.0)
    assert twap.status == "stopped"
    assert ex.positions() == []


def test_closing_a_client_stops_its_algos_and_every_verb() -> None:
    ex = hz.connect("paper", clock=lambda: 0.0)
    ex.tick("ACME", 100.0)
    twap = ex.twap("ACME", 10, duration_secs=60, num_slices=6)
    engine = ex.engine
    ex.close()
    assert twap.status == "stopped"
    engine.venue.connect()
    for call in (
        lambda: engine.cancel("p1"),
        lambda: engine.cancel_all(),
        lambda: engine.settle("ACME", 1.0),
        lambda: engine.tick("ACME", 1.0),
        lambda: engine.drain_fills(),
        lambda: engine.flatten(),
        twap.pause,
    ):
        with pytest.raises(VenueError, match="closed"):
            call()


def test_the_present_is_never_before_the_latest_tick() -> None:
    ex = hz.connect("paper", clock=lambda: 1.7e9)
    # A microsecond that no float of seconds hits: the nearest lies 46 ns below it, for
    # 1,893,456,000.000001 s is 4.19 of the 238 ns that a float resolves there.
    ex.tick("ACME", 5.0, datetime(2030, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    ex.tick("ACME", 5.5, ex.time)
    assert ex.quote("ACME").price == 5.5


def test_a_day_that_begins_below_zero_has_nothing_to_fall_from() -> None:
    now = [0.0]
    ex = hz.connect(
        "paper",
        initial_cash_usd=100,
        enforce_buying_power=False,
        clock=lambda: now[0],
        risk=RiskConfig(max_daily_drawdown_pct=5),
    )
    ex.tick("ACME", 10.0)
    ex.engine.venue.submit(
        OrderAction(market_id="ACME", side="sell", quantity=20)
    )  # cash 100 + 200
    ex.tick("ACME", 100.0)  # 300 - 20 x 100 = -1,700
    assert ex.engine.status().drawdown_passed
    now[0] = 86_400.0
    ex.tick("ACME", 100.0)
    assert ex.engine.equity == -1_700.0
    assert not ex.engine.status().drawdown_passed  # a new day; no loss since it began
    # Without equity nothing opens all the same.
    assert refusal(lambda: ex.buy("OTHER", 1, limit=1)).rule == "equity"
