"""Paper with latency: what is sent reaches the market between two ticks, or with none of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.errors import AlgoError, OrderError
from horizon.venues import ConstantLatency, FlatFees, Latency, NoLatency, Paper
from horizon.venues import paper as paper_module
from horizon.venues.events import Event, replay, state_of
from tests.venues.helpers import buy, fill_part, refused, sell

NS = 1_000_000_000
HALF = ConstantLatency(500)


def client(latency: Latency | None = HALF, **options: Any) -> hz.ImperativeClient:
    """A client that lives in the time of its ticks; the first comes at 0 and says 100."""
    ex = hz.connect("paper", latency=latency, **options)
    ex.declare(hz.Market("ACME", hz.Equity))
    ex.tick("ACME", 100.0, 0.0)
    return ex


def played(ex: hz.ImperativeClient, *rows: tuple[float, float], **how: Any) -> list[Any]:
    """The fills of ACME's rows of (second, price), each as (second, price)."""
    return [
        (fill.timestamp, fill.price)
        for second, price in rows
        for fill in ex.tick("ACME", price, second, **how)
    ]


# ------------------------------------------------------------------------ orders
def test_a_limit_meets_the_first_tick_after_its_arrival() -> None:
    ex = client(maker_fee_rate=0.01, taker_fee_rate=0.02)
    order = ex.buy("ACME", 1, limit=101.0)
    # Before it is there, and at the very time at which it is: neither tick meets it.
    assert played(ex, (0.4, 99.0), (0.5, 99.0)) == []
    assert ex.order(order.id).status == "new"
    assert played(ex, (0.6, 102.0), (0.7, 100.5)) == [(0.7, 101.0)]
    # At 0.5 the price was 99, within the limit: a taker, 2 % of 101.
    assert ex.order(order.id).fees == 2.02


def test_maker_or_taker_is_decided_on_arrival() -> None:
    ex = client(maker_fee_rate=0.01, taker_fee_rate=0.02)
    order = ex.buy("ACME", 1, limit=100.0)  # the price is there now, and not in half a second
    assert played(ex, (0.3, 105.0), (1.0, 99.0)) == [(1.0, 100.0)]
    assert ex.order(order.id).fees == 1.0


@pytest.mark.parametrize("market_fill", ["now", "next_tick"])
def test_a_market_order_fills_at_the_first_tick_after_its_arrival(market_fill: str) -> None:
    ex = client(market_fill=market_fill, slippage_bps=100)
    order = ex.buy("ACME", 1, market=True)
    assert (order.status, ex.positions()) == ("new", [])
    assert played(ex, (0.4, 90.0), (0.5, 110.0)) == []
    assert played(ex, (0.8, 120.0)) == [(0.8, pytest.approx(121.2))]


def test_of_a_bar_a_market_order_has_the_open() -> None:
    ex = client()
    ex.buy("ACME", 1, market=True)
    assert played(ex, (1.0, 104.0), open=102.0, high=105.0, low=101.0) == [(1.0, 102.0)]


def test_an_ioc_limit_is_decided_by_the_first_tick_after_its_arrival() -> None:
    ex = client()
    order = ex.buy("ACME", 1, limit=99.0, tif="ioc")
    assert played(ex, (0.4, 98.0), (0.5, 98.0)) == []
    assert ex.order(order.id).status == "new"
    assert played(ex, (0.6, 99.5), (0.7, 98.0)) == []
    assert ex.order(order.id).status == "canceled"


def test_post_only_that_would_take_on_arrival_is_cancelled_and_counted() -> None:
    ex = client()
    order = ex.buy("ACME", 1, limit=99.0, post_only=True)
    ex.tick("ACME", 98.0, 0.2)
    ex.tick("ACME", 100.0, 1.0)
    assert ex.order(order.id).status == "canceled"
    assert ex.order(order.id).metadata["reason"].startswith("post_only")
    assert ex.engine.rejections == {"post_only": 1}


def test_money_counts_from_submission() -> None:
    ex = client(initial_cash_usd=150.0)
    ex.buy("ACME", 1, limit=100.0)
    assert ex.buy("ACME", 1, limit=100.0).status == "rejected"


def test_no_order_fills_twice_when_an_own_hand_delivers() -> None:
    ex = client()
    ex.buy("ACME", 1, market=True)
    venue = ex.engine.venue
    with venue.lock:
        venue.deliver(NS, inclusive=True)
    assert ex.positions() == []
    assert played(ex, (1.0, 101.0), (2.0, 102.0)) == [(1.0, 101.0)]
    assert venue.transit == []


def test_no_latency_is_as_without_one() -> None:
    fast, plain = client(NoLatency()), client(None)
    for ex in (fast, plain):
        assert ex.buy("ACME", 1, market=True).status == "filled"
        ex.buy("ACME", 1, limit=99.0)
        assert played(ex, (1.0, 99.0)) == [(1.0, 99.0)]
    assert fast.engine.venue.transit == []


class OnlyFar(Latency):
    """Half a second to FAR, at once to every other market."""

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        return NS // 2 if market_id == "FAR" else 0


def test_what_travels_no_time_arrives_within_its_command() -> None:
    ex = client(OnlyFar())
    ex.tick("FAR", 50.0, 0.0)
    assert ex.buy("ACME", 1, market=True).status == "filled"
    assert ex.buy("FAR", 1, market=True).status == "new"
    assert [fill.price for fill in ex.tick("FAR", 51.0, 1.0)] == [51.0]


def test_with_quotes_a_market_order_waits_for_its_side() -> None:
    ex = client(OnlyFar(), matching="quotes")
    for market in ("ACME", "FAR"):
        ex.tick(market, 100.0, 1.0, bid=99.0)
    far, near = ex.buy("FAR", 1, market=True), ex.buy("ACME", 1, market=True)
    assert near.status == "canceled"
    assert near.metadata["reason"] == "no price: the last tick of ACME has no ask"
    assert far.status == "new"
    assert ex.tick("FAR", 100.0, 2.0, bid=99.0) == []
    assert [fill.price for fill in ex.tick("FAR", 100.0, 3.0, ask=103.0)] == [103.0]


# ------------------------------------------------------------------------ cancels, amendments
def test_a_cancel_travels_too() -> None:
    ex = client()
    early, late = ex.buy("ACME", 1, limit=99.0), ex.buy("ACME", 1, limit=95.0)
    ex.tick("ACME", 100.0, 1.0)
    assert ex.cancel(early.id)
    assert ex.cancel(late.id)
    assert ex.cancel(late.id)  # once more is no harm
    assert played(ex, (1.2, 98.0)) == [(1.2, 99.0)]
    assert [ex.order(order.id).status for order in (early, late)] == ["filled", "new"]
    assert played(ex, (1.6, 90.0)) == []
    assert ex.order(late.id).status == "canceled"


def test_a_cancel_that_arrives_with_a_tick_comes_after_its_fills() -> None:
    ex = client()
    order = ex.buy("ACME", 1, limit=99.0)
    ex.tick("ACME", 100.0, 1.0)
    ex.cancel(order.id)
    assert played(ex, (1.5, 98.0)) == [(1.5, 99.0)]


def test_an_amendment_travels_too() -> None:
    ex = client()
    order = ex.buy("ACME", 1, limit=95.0)
    ex.tick("ACME", 100.0, 1.0)
    assert ex.amend(order.id, new_quantity=3, new_price=99.0).price == 95.0
    assert played(ex, (1.4, 98.0), (1.5, 98.0)) == []
    assert (ex.order(order.id).price, ex.order(order.id).quantity) == (99.0, 3.0)
    assert played(ex, (1.6, 98.5)) == [(1.6, 99.0)]


def test_an_amendment_that_comes_too_late_changes_nothing() -> None:
    ex = client()
    order = ex.buy("ACME", 2, limit=95.0)
    ex.tick("ACME", 100.0, 1.0)
    ex.amend(order.id, new_quantity=5)
    assert played(ex, (1.3, 95.0), (2.0, 95.0)) == [(1.3, 95.0)]
    assert ex.order(order.id).quantity == 2.0


# ------------------------------------------------------------------------ several markets
def test_at_one_time_each_market_has_its_tick_before_its_arrivals() -> None:
    ex = client()
    ex.tick("B", 50.0, 0.0)
    for market in ("ACME", "B"):
        ex.buy(market, 1, market=True)
    # Both arrive at 0.5: neither meets its own tick of that time, whichever comes first.
    assert ex.tick("ACME", 101.0, 0.5) == []
    assert ex.tick("B", 51.0, 0.5) == []
    assert [fill.price for fill in ex.tick("B", 52.0, 0.5)] == [52.0]  # a second row of that time
    assert [fill.price for fill in ex.tick("ACME", 102.0, 0.6)] == [102.0]


def test_a_tick_of_another_market_brings_what_was_due_before() -> None:
    ex = client()
    order = ex.buy("ACME", 1, limit=99.0)
    ex.cancel(order.id)
    ex.tick("B", 50.0, 0.5)
    assert ex.order(order.id).status == "new"
    ex.tick("B", 50.0, 0.6)
    assert ex.order(order.id).status == "canceled"


# ------------------------------------------------------------------------ the clock
def test_with_a_clock_latency_counts_on_it() -> None:
    now = [10.0]
    ex = hz.connect("paper", latency=HALF, clock=lambda: now[0])
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 1, market=True)
    now[0] = 10.4
    assert ex.tick("ACME", 101.0) == []
    now[0] = 10.6
    assert [fill.price for fill in ex.tick("ACME", 102.0)] == [102.0]


class Wall:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now_ns = 1_700_000_000 * NS

    def time_ns(self) -> int:
        return self.now_ns

    def pass_secs(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(paper_module, "time", wall)
    return wall


def test_without_a_clock_and_times_the_wall_clock_counts(wall: Wall) -> None:
    ex = hz.connect("paper", latency=HALF)
    ex.tick("ACME", 100.0)
    wall.pass_secs(0.2)
    ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.4)  # 0.6 s after the tick, 0.4 after the order
    assert ex.tick("ACME", 101.0) == []
    wall.pass_secs(0.2)
    assert [fill.price for fill in ex.tick("ACME", 102.0)] == [102.0]


def test_what_was_sent_by_the_wall_clock_arrives_in_the_time_of_the_ticks(wall: Wall) -> None:
    ex = hz.connect("paper", latency=HALF)
    ex.buy("ACME", 1, limit=105.0)
    wall.pass_secs(0.2)
    # Ticks of long ago; the order has 0.3 s to go.
    assert played(ex, (0.0, 100.0), (0.2, 100.0), (0.3, 100.0)) == []
    assert played(ex, (0.4, 100.0)) == [(0.4, 105.0)]
    ex.buy("ACME", 1, market=True)
    assert played(ex, (0.8, 101.0), (0.9, 102.0), (1.0, 103.0)) == [(1.0, 103.0)]


def test_a_tick_without_a_time_is_at_the_wall_clocks(wall: Wall) -> None:
    ex = client()
    ex.buy("ACME", 1, market=True)
    assert [fill.timestamp for fill in ex.tick("ACME", 101.0)] == [1_700_000_000.0]
    ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.6)
    assert [fill.timestamp for fill in ex.tick("ACME", 101.0)] == [1_700_000_000.6]


def ahead(wall: Wall, market_id: str = "ACME") -> hz.ImperativeClient:
    """A client whose last tick lies an hour ahead of the wall clock."""
    ex = hz.connect("paper", latency=HALF)
    ex.tick(market_id, 100.0, wall.now_ns / NS + 3_600.0)
    return ex


def test_after_ticks_that_are_ahead_time_goes_on_from_theirs(wall: Wall) -> None:
    ex = ahead(wall)
    hour = wall.now_ns / NS + 3_600.0
    order = ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.4)
    assert ex.tick("ACME", 101.0) == []
    assert ex.quote("ACME").timestamp == hour + 0.4
    assert ex.time == hour + 0.4
    wall.pass_secs(0.2)  # there for 0.1 s
    assert [(f.timestamp, f.price) for f in ex.tick("ACME", 102.0)] == [(hour + 0.6, 102.0)]
    assert ex.order(order.id).status == "filled"


def test_what_is_sent_after_them_arrives_too(wall: Wall) -> None:
    ex = ahead(wall)
    wall.pass_secs(10.0)
    ex.tick("ACME", 100.0)
    order = ex.buy("ACME", 1, limit=99.0)
    wall.pass_secs(0.3)
    ex.cancel(order.id)
    wall.pass_secs(0.3)  # the order is there, its cancel is not
    assert [fill.price for fill in ex.tick("ACME", 98.0)] == [99.0]
    late = ex.buy("ACME", 1, limit=90.0)
    ex.cancel(late.id)
    wall.pass_secs(0.6)
    ex.tick("ACME", 95.0)
    assert ex.order(late.id).status == "canceled"


def test_what_was_sent_by_a_clock_ahead_arrives_in_the_time_of_the_ticks(wall: Wall) -> None:
    ex = ahead(wall)
    hour = wall.now_ns / NS + 3_600.0
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.2)
    # Ten seconds are left out; the order has 0.3 s to go.
    assert played(ex, (hour + 10.0, 101.0), (hour + 10.3, 102.0)) == []
    assert played(ex, (hour + 10.4, 103.0)) == [(hour + 10.4, 103.0)]


def test_a_market_that_is_ahead_of_another_does_not_stand_either(wall: Wall) -> None:
    ex = ahead(wall)
    ex.tick("ACME", 100.0)
    # The present is a second market's from here on, and an hour before the first one's last tick.
    ex.tick("B", 50.0, wall.now_ns / NS)
    ex.tick("B", 50.0)
    assert ex.quote("B").timestamp == wall.now_ns / NS
    ex.buy("ACME", 1, market=True)
    assert ex.tick("ACME", 102.0) == []
    wall.pass_secs(0.6)
    assert [fill.price for fill in ex.tick("ACME", 103.0)] == [103.0]


def test_a_wall_clock_that_is_set_back_holds_nothing_up(wall: Wall) -> None:
    ex = hz.connect("paper", latency=HALF)
    ex.tick("ACME", 100.0)
    wall.pass_secs(-60.0)
    ex.tick("ACME", 100.0)
    ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.6)
    assert [fill.price for fill in ex.tick("ACME", 101.0)] == [101.0]


def test_without_latency_a_tick_stands_at_its_markets_last(wall: Wall) -> None:
    ex = hz.connect("paper", clock=lambda: wall.now_ns / NS)
    hour = wall.now_ns / NS + 3_600.0
    ex.tick("ACME", 100.0, hour)
    wall.pass_secs(5.0)
    ex.tick("ACME", 101.0)
    assert ex.quote("ACME").timestamp == hour


def test_a_feed_that_ran_ahead_leaves_no_order_on_its_way(wall: Wall) -> None:
    ex = hz.connect("paper", latency=HALF)
    hz.feeds.Synthetic(seed=3, market_id="ACME", n=3_600).run(ex)
    assert ex.time > wall.now_ns / NS + 3_500.0
    order = ex.buy("ACME", 1, market=True)
    wall.pass_secs(0.6)
    ex.tick("ACME", 0.5)
    assert ex.order(order.id).status == "filled"


def test_a_clock_that_is_set_later_is_the_present() -> None:
    ex = client()
    ex.engine.venue.set_clock(lambda: 7 * NS)
    ex.buy("ACME", 1, market=True)
    assert played(ex, (7.4, 101.0), (7.6, 102.0)) == [(7.6, 102.0)]


# ------------------------------------------------------------------------ engine and algorithms
def test_through_the_engine() -> None:
    ex = client()
    engine = ex.engine
    request = hz.OrderRequest("ACME", hz.Side.Long, hz.OrderSide.Buy, 2)
    engine.submit_order(request)
    assert engine.tick("ACME", 101.0, 0.4) == []
    (fill,) = engine.tick("ACME", 102.0, 1.0)
    assert (fill.size, fill.price, fill.timestamp) == (2.0, 102.0, 1.0)


def test_a_twap_sends_children_that_travel() -> None:
    ex = client()
    algo = ex.twap("ACME", 20, duration_secs=10, num_slices=2)
    # Slices at 1 and at 6, each with the price of its tick as its limit, there half a second on.
    assert played(ex, (1.0, 100.0), (1.2, 99.0), (2.0, 99.5)) == [(2.0, 100.0)]
    assert played(ex, (6.0, 98.0), (6.4, 97.0), (6.5, 97.0), (7.0, 97.5)) == [(7.0, 98.0)]
    assert (algo.status, algo.total_filled) == ("completed", 20.0)


def test_an_expired_twap_sends_cancels_that_travel() -> None:
    ex = client()
    algo = ex.twap("ACME", 20, duration_secs=4, num_slices=2)
    played(ex, (1.0, 100.0), (3.0, 101.0), (4.0, 102.0))  # 101 reaches neither limit
    assert played(ex, (5.0, 103.0)) == []
    assert algo.status == "expired"
    assert len(ex.open_orders()) == 2
    # Before the cancels are there the price comes back to one of them.
    assert played(ex, (5.3, 100.5), (6.0, 90.0)) == [(5.3, 101.0)]
    assert (ex.open_orders(), algo.total_filled) == ([], 10.0)


def test_a_settlement_ends_what_is_on_its_way() -> None:
    ex = client()
    held = ex.buy("ACME", 1, market=True)
    ex.tick("ACME", 100.0, 1.0)
    late, quiet = ex.buy("ACME", 1, market=True), ex.buy("ACME", 1, limit=99.0)
    ex.cancel(quiet.id)
    ex.settle("ACME", 101.0)
    assert played(ex, (2.0, 90.0), (3.0, 90.0)) == []
    assert [ex.order(order.id).status for order in (held, late, quiet)] == [
        "filled",
        "canceled",
        "canceled",
    ]
    assert ex.engine.venue.transit == []


def test_flatten_and_the_kill_switch_send_what_travels() -> None:
    ex = client()
    ex.buy("ACME", 3, market=True)
    ex.tick("ACME", 100.0, 1.0)
    waiting = ex.buy("ACME", 1, limit=99.0)
    orders = ex.engine.kill_switch()
    assert all(order.status == "new" for order in orders)
    assert [p.quantity for p in ex.positions()] == [3.0]
    ex.tick("ACME", 100.0, 2.0)
    assert ex.order(waiting.id).status == "canceled"
    assert ex.engine.status().kill_switch
    ex.engine.reset_kill_switch()
    ex.flatten("ACME")
    assert ex.order(waiting.id).filled_quantity == 0.0
    ex.tick("ACME", 100.0, 3.0)
    ex.tick("ACME", 100.0, 4.0)
    assert ex.positions() == []


def test_after_close_and_a_new_connection_what_was_sent_arrives() -> None:
    paper = Paper(latency=HALF)
    ex = hz.connect(paper)
    ex.tick("ACME", 100.0, 0.0)
    order = ex.buy("ACME", 1, market=True)
    ex.close()
    again = hz.connect(paper)
    assert [fill.order_id for fill in again.tick("ACME", 101.0, 1.0)] == [order.id]


def test_a_perp_is_liquidated_at_once() -> None:
    ex = hz.connect("paper", latency=HALF, initial_cash_usd=1_000.0)
    ex.tick("X-PERP", 100.0, 0.0)
    ex.buy_perp("X-PERP", 10, leverage=10, market=True)
    ex.tick("X-PERP", 100.0, 1.0)
    (fill,) = ex.tick("X-PERP", 91.0, 2.0)  # margin 100 less a loss of 90 is under 5 % of 910
    assert (fill.side, fill.price, fill.quantity) == ("sell", 91.0, 10.0)


# ------------------------------------------------------------------------ previews and events
def test_a_preview_sends_nothing() -> None:
    ex = client(fee_bps=10)
    order = ex.buy("ACME", 1, limit=99.0)
    venue = ex.engine.venue
    before, transit = state_of(venue.account), list(venue.transit)
    seen = ex.preview("ACME", 10, market=True)
    assert (seen.refusal, seen.price, seen.fee) == (None, 100.0, 1.0)
    assert ex.preview_amend(order.id, new_price=98.0).refusal is None
    assert (state_of(venue.account), venue.transit) == (before, transit)
    assert not venue.fills_on_arrival


def test_a_bad_tick_delivers_nothing() -> None:
    paper = Paper(latency=HALF)
    paper.connect()
    paper.tick("ACME", 100.0, 1.0)
    buy(paper, 1, 99.0)
    with refused(paper, ValueError, "price"):
        paper.tick("ACME", -1.0, 3.0)
    with refused(paper, ValueError, "timestamp"):
        paper.tick("ACME", 100.0, 0.5)
    assert len(paper.transit) == 1


def test_the_events_rebuild_the_account() -> None:
    events: list[Event] = []
    ex = hz.connect("paper", latency=HALF, initial_cash_usd=5_000.0, fee_bps=10)
    venue = ex.engine.venue
    venue.subscribe(events.append)
    ex.tick("ACME", 100.0, 0.0)
    rng = random.Random(5)
    play = Play(rng)
    for n in range(1, 120):
        ex.tick("ACME", round(100.0 + rng.gauss(0.0, 2.0), 2), n * 0.25)
        play(ex, "ACME")
        assert state_of(replay(5_000.0, events)) == state_of(venue.account)
    names = {event[0] for event in events}
    assert {"arrived", "cancel_sent", "cancelled", "amended", "filled"} <= names


def test_partly_filled_orders_travel_as_any() -> None:
    paper = Paper(latency=HALF)
    paper.connect()
    paper.tick("ACME", 100.0, 0.0)
    order = sell(paper, 4, 101.0)
    paper.tick("ACME", 100.0, 1.0)
    fill_part(paper, order, 1.0, 101.0)
    paper.amend(order.id, new_quantity=2)
    paper.tick("ACME", 100.0, 2.0)
    assert [fill.quantity for fill in paper.tick("ACME", 101.0, 3.0)] == [1.0]


# ------------------------------------------------------------------------ as in a backtest
class Play:
    """Random verbs, the same for the same generator and the same account."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.said: list[str] = []

    def __call__(self, ex: hz.ImperativeClient, market: str) -> None:
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            try:
                self.verb(ex, market)
            except (OrderError, AlgoError, hz.RiskRejected, ValueError) as error:
                self.said.append(str(error))

    def verb(self, ex: hz.ImperativeClient, market: str) -> None:
        rng = self.rng
        quote = ex.quote(market)
        assert quote is not None
        side = rng.choice((ex.buy, ex.sell))
        size = rng.randint(1, 5)
        limit = round(quote.price + rng.gauss(0.0, 1.5), 2)
        what = rng.random()
        known = ex.orders()
        if what < 0.25:
            side(market, size, limit=limit)
        elif what < 0.4:
            side(market, size, market=True)
        elif what < 0.45:
            side(market, size, limit=limit, tif="ioc")
        elif what < 0.5:
            side(market, size, limit=limit, post_only=True)
        elif what < 0.53:
            side(market, size, limit=limit, reduce_only=True)
        elif what < 0.7 and known:
            ex.cancel(rng.choice(known[-8:]).id)
        elif what < 0.9 and known:
            new = rng.choice(((None, limit), (size, None), (size, limit)))
            ex.amend(rng.choice(known[-8:]).id, *new)
        elif what < 0.92:
            ex.cancel_all(market)
        elif what < 0.95:
            ex.flatten(market)
        elif what < 0.98:
            ex.twap(market, 6, duration_secs=4, num_slices=3)


def rows_of(rng: random.Random, kind: str, step: float, start: float = 1_000.0) -> list[Any]:
    """Forty rows of prices, of prices with quotes (a side may be missing), or of bars."""
    rows, price = [], 100.0
    for n in range(40):
        opened = price
        price = round(price + rng.gauss(0.0, 1.0), 2)
        row = {"timestamp": start + n * step, "price": price}
        if kind == "quotes":
            row |= {"bid": round(price - 0.1, 2), "ask": round(price + 0.1, 2)}
            if rng.random() < 0.2:
                del row[rng.choice(("bid", "ask"))]
        elif kind == "bars":
            top, bottom = max(opened, price), min(opened, price)
            row = {
                "timestamp": row["timestamp"],
                "open": opened,
                "high": round(top + rng.random(), 2),
                "low": round(bottom - rng.random(), 2),
                "close": price,
            }
        rows.append(row)
    return rows


def facts(ex: hz.ImperativeClient) -> Any:
    """All that an account shows, orders on their way included."""
    return (
        [
            (f.order_id, f.timestamp, f.side, f.quantity, f.price, f.fee, f.is_maker)
            for f in ex._venue.fill_history()
        ],
        [
            (o.id, o.status, o.quantity, o.price, o.filled_quantity, o.average_price, o.metadata)
            for o in ex.orders()
        ],
        ex.balance().equity,
        ex.balance().buying_power,
        ex.engine.rejections,
    )


def by_backtest(
    data: dict[str, Any], options: dict[str, Any], play: Play, look: Callable[[Any], Any]
) -> list[Any]:
    """What a run's pipeline sees at each row, after its verbs."""
    seen = []

    def stage(ctx: Any) -> None:
        play(ctx.exchange(), ctx.market_id)
        seen.append(look(ctx.exchange()))

    hz.backtest(
        data=data,
        markets=[hz.Market(name, hz.Equity) for name in data],
        pipeline=[stage],
        initial_capital=3_000.0,
        **options,
    )
    return seen


def by_hand(
    data: dict[str, Any],
    play: Play,
    look: Callable[[Any], Any],
    *,
    has_clock: bool = True,
    **options: Any,
) -> list[Any]:
    """The same of a client that is ticked row by row."""
    now = [0.0]
    clock = (lambda: now[0]) if has_clock else None
    ex = hz.connect("paper", initial_cash_usd=3_000.0, clock=clock, **options)
    seen = []
    for market in data:
        ex.declare(hz.Market(market, hz.Equity))
    for at in sorted({row["timestamp"] for rows in data.values() for row in rows}):
        now[0] = at
        here = [(m, row) for m, rows in data.items() for row in rows if row["timestamp"] == at]
        for market, row in here:
            row = dict(row)
            row.pop("timestamp")
            price = row.pop("close") if "close" in row else row.pop("price")
            ex.tick(market, price, at, **row)
        for market, _ in here:
            play(ex, market)
            seen.append(look(ex))
    return seen


@pytest.mark.parametrize(
    ("market_fill", "has_clock"), [("now", False), ("next_tick", True)], ids=["now", "next tick"]
)
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("prices", {}),
        ("quotes", {"matching": "quotes"}),
        ("bars", {"bar_fill_mode": "touch"}),
    ],
    ids=["prices", "quotes", "bars"],
)
@pytest.mark.parametrize("latency_ms", [300.0, 500.0, 1_700.0])
def test_a_client_that_ticks_has_what_a_backtest_has(
    latency_ms: float, kind: str, how: dict[str, Any], market_fill: str, has_clock: bool
) -> None:
    filled = 0
    for seed in (0, 1):
        data = {"S": rows_of(random.Random(seed), kind, 0.5)}
        options = {"slippage_bps": 20.0, "fees": FlatFees(-0.0001, 0.0005), **how}
        run, hand = Play(random.Random(seed + 100)), Play(random.Random(seed + 100))
        expected = by_backtest(data, {"latency_ms": latency_ms, **options}, run, facts)
        seen = by_hand(
            data,
            hand,
            facts,
            has_clock=has_clock,
            market_fill=market_fill,
            latency=ConstantLatency(latency_ms),
            **options,
        )
        assert len(seen) == 40
        for n, (one, other) in enumerate(zip(seen, expected, strict=True)):
            assert one == other, n
        assert hand.said == run.said
        filled += len(seen[-1][0])
    assert filled > 15


class Simple(Play):
    """Verbs that do not look at how far what was sent has got."""

    def verb(self, ex: hz.ImperativeClient, market: str) -> None:
        quote = ex.quote(market)
        assert quote is not None
        side = self.rng.choice((ex.buy, ex.sell))
        limit = round(quote.price + self.rng.gauss(0.0, 1.0), 2)
        sent = side(market, self.rng.randint(1, 3), limit=limit)
        if self.rng.random() < 0.4:
            ex.cancel(sent.id)
        if self.rng.random() < 0.3:
            side(market, 1, market=True)


@pytest.mark.parametrize("latency_ms", [250.0, 500.0, 1_000.0])
@pytest.mark.parametrize("steps", [(0.5, 0.5), (0.5, 0.7)], ids=["one grid", "two grids"])
@pytest.mark.parametrize("has_clock", [True, False], ids=["clock", "time of the ticks"])
def test_two_markets_have_the_fills_of_a_backtest(
    latency_ms: float, steps: tuple[float, float], has_clock: bool
) -> None:
    def look(ex: Any) -> Any:
        return facts(ex)[0], ex.balance().equity

    for seed in (0, 1):
        rng = random.Random(seed)
        data = {
            "A": rows_of(rng, "prices", steps[0]),
            "B": rows_of(rng, "prices", steps[1]),
        }
        run, hand = Simple(random.Random(seed + 50)), Simple(random.Random(seed + 50))
        fees = FlatFees()
        expected = by_backtest(data, {"latency_ms": latency_ms, "fees": fees}, run, look)
        latency = ConstantLatency(latency_ms)
        seen = by_hand(data, hand, look, has_clock=has_clock, fees=fees, latency=latency)
        assert seen == expected
        assert len(seen[-1][0]) > 10
