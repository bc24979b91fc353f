"""An account is what its events made it: rebuilding it from them gives the same bits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import horizon as hz
from horizon.venues.account import Account
from horizon.venues.events import APPLY, Event, replay, state_of
from horizon.venues.latency import ConstantLatency
from tests.properties.witness import Clock

CASH = 50_000.0
DAY = 86_400.0


Played = tuple[hz.ImperativeClient, list[Event], list[tuple[int, object]]]


def session(clock: Clock) -> Played:
    """A session with every verb; returns the client, its events, and its state on the way."""
    limits = hz.RiskConfig(max_order_size=1_000, max_daily_drawdown_pct=20.0)
    ex = hz.connect(
        "paper",
        risk=limits,
        initial_cash_usd=CASH,
        fee_bps=10,
        slippage_bps=5,
        bar_fill_mode="touch",
        clock=clock,
    )
    events: list[Event] = []
    ex.engine.venue.subscribe(events.append)
    on_the_way: list[tuple[int, object]] = []

    def now() -> None:
        on_the_way.append((len(events), state_of(ex.engine.venue.account)))
        clock.now += 7.3

    ex.declare(hz.Market("GRID", hz.Equity, tick_size=0.5, lot_size=10))
    ex.buy("NONE", 1, market=True)  # no price yet: rejected
    now()
    for market, price in (("ACME", 100.0), ("BTC/USD", 1 / 3), ("X-PERP", 20.0), ("GRID", 12.5)):
        ex.tick(market, price, bid=price * 0.999, ask=price * 1.001, volume=5)
    now()
    first = ex.buy("ACME", 10, limit=99, client_order_id="mine")
    assert ex.buy("ACME", 10, limit=99, client_order_id="mine").id == first.id
    ex.short("ACME", 5, market=True)
    ex.cover("ACME", 2, limit=95)
    ex.sell("BTC/USD", 0.1, limit=0.4, post_only=True)
    ex.buy("BTC/USD", 0.3, limit=0.3, tif="ioc")
    ex.amend(first.id, new_quantity=12, new_price=98.5)
    ex.amend(first.id, new_quantity=11)
    now()
    ex.tick("ACME", 98.0, open=99.0, high=99.5, low=97.0)
    ex.tick("BTC/USD", 0.35)
    ex.buy_option("AAPL", 180, "2025-01-17", "call", 2, limit=3.5)
    ex.tick("AAPL250117C00180000", 3.25)
    ex.sell_option("AAPL", 180, "2025-01-17", "call", 1, market=True)
    now()
    ex.buy_prediction("rain", qty=100, limit=0.45)
    ex.buy_prediction("rain", qty=50, limit=0.55, side="no")
    ex.tick("rain:no", 0.56)
    ex.tick("rain", 0.45)
    ex.sell_prediction("rain", qty=10, market=True)
    ex.buy_perp("X-PERP", 100, leverage=10, market=True)
    ex.sell_perp("X-PERP", 10, leverage=10, limit=25)
    assert len(ex.fills()) > 5
    now()
    with pytest.raises(hz.RiskRejected):
        ex.buy("ACME", 1_001, limit=1)  # counted as a refusal
    ex.tick("X-PERP", 18.15)  # liquidated: 200 of margin less 185 is under 5 % of 1,815
    ex.engine.submit_quotes("ACME", hz.quotes(98.0, 1.0, 5), hz.Side.Long)
    ex.engine.submit_quotes("ACME", hz.quotes(98.0, 1.0, 3), hz.Side.Long)
    now()
    twap = ex.twap("ACME", 9, duration_secs=30, num_slices=3)
    vwap = ex.vwap("GRID", 60, duration_secs=30, volume_profile=[1, 0, 2], price_limit=13)
    berg = ex.iceberg("BTC/USD", 1, show_size=0.4, limit=0.36)
    # Reduce-only where nothing is held: the venue rejects the children, and the retries
    # between the first and the last of them are forgotten.
    lost = ex.iceberg("X-PERP", 2, show_size=1, limit=30, side="sell", reduce_only=True)
    for step in range(8):
        ex.tick("ACME", 97.0 + step % 3)
        ex.tick("GRID", 12.5)
        ex.tick("BTC/USD", 0.35)
        ex.tick("X-PERP", 18.0)
        if step == 2:
            twap.pause()
        if step == 4:
            twap.resume()
        now()
    berg.cancel()
    lost.cancel()
    assert vwap.is_done
    assert twap.is_done
    ex.flatten("GRID")
    now()
    # Down 20 % from the day's high: what opens is cancelled and refused until the next day.
    ex.tick("BTC/USD", 0.4)
    ex.buy("ACME", 300, market=True)
    ex.buy("ACME", 1, limit=20)
    ex.tick("ACME", 50.0)
    with pytest.raises(hz.RiskRejected):
        ex.buy("ACME", 1, limit=1)
    now()
    clock.now += DAY
    ex.buy("ACME", 1, limit=1)
    ex.cancel(ex.buy("ACME", 1, limit=2).id)
    ex.cancel_all("ACME")
    ex.settle("rain", 1.0)
    assert ex.buy("rain", 1, limit=0.5).status == "rejected"
    now()
    ex.sell("ACME", 50, market=True)
    ex.flatten_all()
    ex.short("BTC/USD", 3, market=True)
    # On the way: the second order overtakes the first, whose cancel comes last.
    venue = ex.engine.venue
    venue.latency = ConstantLatency(5_000.0)
    slow = ex.buy("ACME", 1, limit=2)
    venue.latency = ConstantLatency(1_000.0)
    quick = ex.buy("ACME", 1, limit=2)
    ex.amend(quick.id, new_quantity=2)
    venue.latency = ConstantLatency(9_000.0)
    assert ex.cancel(slow.id)
    now()
    with venue.lock:
        venue.deliver(round((clock.now + 10.0) * 1e9), inclusive=True)
    venue.latency = None
    assert list(venue.account.markets["ACME"].resting) == [quick.id]
    assert ex.order(quick.id).quantity == 2
    assert ex.order(slow.id).status == "canceled"
    ex.engine.kill_switch()
    ex.engine.reset_kill_switch()
    ex.fills()
    now()
    return ex, events, on_the_way


@pytest.fixture(scope="module")
def played() -> Played:
    return session(Clock())


def test_the_session_has_events_of_every_kind(played: Played) -> None:
    _, events, _ = played
    assert {event[0] for event in events} == set(APPLY)


def test_replaying_all_events_gives_the_account(played: Played) -> None:
    ex, events, _ = played
    assert state_of(replay(CASH, events)) == state_of(ex.engine.venue.account)


def test_replaying_a_part_gives_the_account_of_that_moment(played: Played) -> None:
    _, events, on_the_way = played
    assert len(on_the_way) > 15
    for count, state in on_the_way:
        assert state_of(replay(CASH, events[:count])) == state


def test_state_shows_every_slot_and_every_bit() -> None:
    account = Account(CASH)
    state = state_of(account)
    slots = {name for kind in Account.__mro__ for name in getattr(kind, "__slots__", ())}
    assert set(state) == slots
    account.cash_sum.high = -0.0
    minus = state_of(account)
    account.cash_sum.high = 0.0
    assert state_of(account) != minus


def test_events_hold_plain_values_only(played: Played) -> None:
    _, events, _ = played
    plain = (int, float, str, bool, type(None))
    for event in events:
        for value in event:
            parts = value if isinstance(value, tuple) else (value,)
            assert all(type(part) in plain for part in parts), event


def test_a_session_does_not_depend_on_who_listens() -> None:
    _, heard, _ = session(Clock())
    _, again, _ = session(Clock())
    # As text, since a missing price is NaN and equals nothing.
    assert repr(heard) == repr(again)


class Refusal(Exception):
    """What a listener raises."""


def commands(ex: hz.ImperativeClient) -> dict[str, Callable[[], Any]]:
    """Calls whose very first event is refused, by the event's name."""
    order = ex.buy("ACME", 1, limit=50)
    algo = ex.twap("ACME", 3, duration_secs=10, num_slices=3)
    return {
        "accepted": lambda: ex.buy("ACME", 1, limit=90),
        "rejected": lambda: ex.cover("ACME", 500, market=True),
        "declared": lambda: ex.buy("NEW", 1, limit=1),
        "marked": lambda: ex.tick("ACME", 101.0),
        "amended": lambda: ex.amend(order.id, 2),
        "cancelled": lambda: ex.cancel(order.id),
        "settled": lambda: ex.settle("EMPTY-PERP", 2.0),
        "drained_fills": ex.fills,
        "switched": ex.engine.kill_switch,
        "refused": lambda: ex.buy("ACME", 1_001, limit=1),
        "algo_started": lambda: ex.vwap("ACME", 1, duration_secs=1, volume_profile=[1]),
        "algo_switched": algo.pause,
    }


@pytest.mark.parametrize(
    "name",
    [
        "accepted",
        "rejected",
        "declared",
        "marked",
        "amended",
        "cancelled",
        "settled",
        "drained_fills",
        "switched",
        "refused",
        "algo_started",
        "algo_switched",
    ],
)
def test_a_listener_that_raises_leaves_the_account_unchanged(name: str) -> None:
    limits = hz.RiskConfig(max_order_size=1_000)
    ex = hz.connect("paper", risk=limits, initial_cash_usd=CASH, clock=Clock())
    ex.tick("ACME", 100.0)
    ex.tick("EMPTY-PERP", 1.0)
    ex.buy_perp("EMPTY-PERP", 1, limit=0.5)
    ex.cancel_all("EMPTY-PERP")
    ex.buy("ACME", 5, market=True)
    command = commands(ex)[name]
    account = ex.engine.venue.account
    before, algos = state_of(account), len(ex.engine.algos)
    told: list[str] = []

    def refuse(event: Event) -> None:
        told.append(event[0])
        raise Refusal

    stop = ex.engine.venue.subscribe(refuse)
    with pytest.raises(Refusal):
        command()
    assert told == [name]
    assert state_of(account) == before
    assert len(ex.engine.algos) == algos
    stop()
    # The same call passes once nobody objects, as if nothing had been.
    if name == "refused":
        with pytest.raises(hz.RiskRejected):
            command()
    else:
        command()
    assert state_of(account) != before


def test_a_later_refusal_keeps_whole_events_only() -> None:
    """What was applied before the refused event stays, and replays to the same state."""
    ex = hz.connect("paper", initial_cash_usd=CASH, clock=Clock())
    events: list[Event] = []
    venue = ex.engine.venue
    budget = [12]

    def listen(event: Event) -> None:
        if budget[0] == 0:
            raise Refusal
        budget[0] -= 1
        events.append(event)

    venue.subscribe(listen)
    refusals = 0
    for step in range(30):
        for call in (
            partial(ex.tick, "ACME", 100.0 + step),
            lambda: ex.buy("ACME", 1, market=True),
            lambda: ex.sell("ACME", 0.3, limit=101.0),
        ):
            try:
                call()
            except Refusal:
                refusals += 1
                budget[0] = step % 5
            assert state_of(replay(CASH, events)) == state_of(venue.account)
    assert refusals > 10
