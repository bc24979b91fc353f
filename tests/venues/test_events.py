"""Events: what a listener is told, and that replaying it gives the same account."""

from __future__ import annotations

import random
from typing import Any

import pytest

from horizon.errors import OrderError, VenueError
from horizon.instruments import Market, Prediction
from horizon.types import OrderAction
from horizon.venues.events import APPLY, replay, state_of
from tests.venues.helpers import buy, open_paper, refused, sell, unchanged


def test_a_listener_is_told_each_event_with_its_time_and_ids() -> None:
    paper = open_paper()
    told: list[tuple[Any, ...]] = []
    paper.subscribe(told.append)
    order = buy(paper, 10, 100.0)
    paper.tick("ACME", 99.0, 2_000.0)
    paper.cancel(buy(paper, 1, 50.0).id)
    assert [event[0] for event in told] == [
        "declared",
        "accepted",
        "marked",
        "filled",
        "accepted",
        "cancelled",
    ]
    assert told[3] == ("filled", 2_000_000_000_000, order.id, 10.0, 100.0, 0.0, True)
    assert {event[0] for event in told} <= set(APPLY)
    assert all(type(event[1]) is int for event in told)


def test_refusals_and_reading_tell_nothing_and_rejections_do() -> None:
    paper = open_paper()
    buy(paper, 1, 10.0, client_order_id="once")
    told: list[tuple[Any, ...]] = []
    paper.subscribe(told.append)
    with pytest.raises(ValueError):
        paper.tick("ACME", -1.0)
    with pytest.raises(OrderError):
        buy(paper, 2, 10.0, client_order_id="once")
    buy(paper, 1, 10.0, client_order_id="once")
    paper.cancel("p99")
    paper.cancel_all("OTHER")
    paper.balance(), paper.positions(), paper.orders(), paper.drain_fills()
    assert told == []
    buy(paper, 1)
    assert [event[0] for event in told] == ["rejected"]


def test_the_end_of_a_subscription_ends_the_telling() -> None:
    paper = open_paper()
    told: list[tuple[Any, ...]] = []
    stop = paper.subscribe(told.append)
    buy(paper, 1, 10.0)
    count = len(told)
    stop()
    stop()
    buy(paper, 1, 10.0)
    assert len(told) == count


def test_a_listener_that_raises_stops_the_command_before_it_changes_anything() -> None:
    paper = open_paper()
    order = buy(paper, 1, 10.0)

    def full(event: tuple[Any, ...]) -> None:
        raise OSError("disk full")

    paper.subscribe(full)
    for call in (
        lambda: buy(paper, 1, 10.0),
        lambda: paper.cancel(order.id),
        lambda: paper.tick("ACME", 9.0),
        lambda: paper.amend(order.id, new_quantity=2),
        lambda: paper.settle("ACME", 9.0),
    ):
        with unchanged(paper), pytest.raises(OSError, match="disk full"):
            call()


@pytest.mark.parametrize("seed", range(20))
def test_a_replay_gives_the_same_account_to_the_bit(seed: int) -> None:
    chance = random.Random(seed)
    paper = open_paper(
        5_000.0,
        fee_bps=7,
        slippage_bps=3,
        market_fill=chance.choice(["now", "next_tick"]),
        bar_fill_mode=chance.choice(["cross", "touch"]),
    )
    events: list[tuple[Any, ...]] = []
    paper.subscribe(events.append)
    paper.declare(Market("rain", Prediction))
    ids = ["ACME", "rain", "rain:no", "BTC-PERP"]
    for _ in range(150):
        market_id = chance.choice(ids)
        price = chance.uniform(0.1, 0.9) * (1 if "rain" in market_id else 100)
        doing = chance.random()
        if doing < 0.45:
            paper.tick(market_id, price)
        elif doing < 0.8:
            verb = chance.choice([buy, sell])
            options = {"leverage": 10} if market_id == "BTC-PERP" else {}
            limit = chance.choice([price, None])
            verb(paper, chance.uniform(0.1, 9), limit, market_id=market_id, **options)
        elif doing < 0.9 and paper.open_orders():
            order = chance.choice(paper.open_orders())
            try:
                paper.amend(order.id, new_quantity=chance.uniform(0.1, 9))
            except OrderError:
                pass
        elif doing < 0.95 and paper.open_orders():
            paper.cancel(chance.choice(paper.open_orders()).id)
        elif doing < 0.98:
            paper.drain_fills()
    paper.settle("rain", 1.0)
    assert state_of(replay(5_000.0, events)) == state_of(paper.account)


def test_a_replay_refuses_what_is_no_event() -> None:
    with pytest.raises(ValueError, match="apply function"):
        replay(0.0, [("_trade", 1)])


def test_a_listener_that_gives_a_command_is_refused_and_nothing_has_changed() -> None:
    paper = open_paper()
    paper.tick("ACME", 10.0)
    buy(paper, 1, 8)  # the market is declared, an event of its own

    def meddle(event: tuple[object, ...]) -> None:
        if event[0] == "accepted":
            paper.tick("ACME", 11.0)

    paper.subscribe(meddle)
    with refused(paper, VenueError, "inside a command"):
        paper.submit(OrderAction(market_id="ACME", side="buy", quantity=1, price=9))
