"""Paper: cancelling, amending, and asking for the same order again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from horizon.errors import OrderError
from horizon.instruments import Equity, Market
from horizon.types import OrderAction
from tests.venues.helpers import (
    assert_books,
    buy,
    fill_part,
    held,
    open_paper,
    refused,
    sell,
    unchanged,
)


# ------------------------------------------------------------------------ cancel
def test_cancel_ends_an_order_once() -> None:
    paper = open_paper()
    order = buy(paper, 1, 100.0)
    assert paper.cancel(order.id) is True
    assert paper.order(order.id).status == "canceled"
    with unchanged(paper):
        assert paper.cancel(order.id) is False
        assert paper.cancel("p99") is False
        assert paper.cancel("") is False
    assert paper.tick("ACME", 90.0) == []


def test_cancel_after_partial_fill_keeps_filled_quantity() -> None:
    paper = open_paper()
    order = buy(paper, 10, 100.0)
    fill_part(paper, order, 4.0, 100.0)
    assert paper.order(order.id).status == "partial"
    assert paper.order(order.id).remaining == 6.0
    assert paper.cancel(order.id)
    ended = paper.order(order.id)
    assert (ended.status, ended.filled_quantity, ended.remaining) == ("canceled", 4.0, 6.0)
    assert held(paper) == {"ACME": 4.0}
    assert_books(paper)


@pytest.mark.parametrize("quantity", [1.0, 1e9, 1e-9])
def test_an_order_filled_in_parts_is_filled_but_for_rounding(quantity: float) -> None:
    paper = open_paper(enforce_buying_power=False)
    order = buy(paper, quantity, 100.0)
    for _ in range(3):
        assert paper.order(order.id).is_open
        fill_part(paper, order, quantity / 3, 100.0)
    done = paper.order(order.id)
    assert (done.status, done.filled_quantity) == ("filled", quantity)


def test_an_order_with_a_real_rest_stays_open() -> None:
    paper = open_paper(enforce_buying_power=False)
    order = buy(paper, 1e9, 1.0)
    fill_part(paper, order, 1e9 - 0.01, 1.0)
    assert paper.order(order.id).status == "partial"
    assert paper.order(order.id).remaining == pytest.approx(0.01, abs=1e-6)


def test_cancel_of_a_filled_or_rejected_order_is_false() -> None:
    paper = open_paper()
    rejected = buy(paper, 1)
    paper.tick("ACME", 100.0)
    filled = buy(paper, 1)
    assert not paper.cancel(rejected.id)
    assert not paper.cancel(filled.id)
    assert paper.order(filled.id).status == "filled"


@pytest.mark.parametrize("given", [None, 1, True, ["p1"], {"p1": 1}, b"p1"])
@pytest.mark.parametrize("verb", ["cancel", "order", "amend"])
def test_an_order_id_that_is_no_text_is_a_type_error(verb: str, given: Any) -> None:
    paper = open_paper()
    rest = {"new_quantity": 5} if verb == "amend" else {}
    with refused(paper, TypeError, "order_id must be text"):
        getattr(paper, verb)(given, **rest)


def test_cancel_all_returns_the_count_and_may_be_called_again() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    buy(paper, 1, 99.0)
    buy(paper, 1, 99.0, market_id="OTHER")
    with unchanged(paper):
        assert paper.cancel_all("UNKNOWN") == 0
    assert paper.cancel_all("ACME") == 2
    assert paper.cancel_all("ACME") == 0
    assert paper.cancel_all() == 1
    assert paper.cancel_all() == 0
    assert [order.status for order in paper.orders()] == ["canceled"] * 3


@pytest.mark.parametrize(
    ("given", "kind"), [("", ValueError), (" A", ValueError), (5, TypeError), (["A"], TypeError)]
)
def test_cancel_all_refuses_what_is_no_id(given: Any, kind: type[Exception]) -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    with refused(paper, kind, "market_id must"):
        paper.cancel_all(given)


# ------------------------------------------------------------------------ amend
def test_amend_keeps_the_id_and_changes_quantity_and_price() -> None:
    paper = open_paper()
    order = buy(paper, 10, 180.0)
    changed = paper.amend(order.id, new_quantity=20, new_price=181.0)
    assert (changed.id, changed.quantity, changed.price) == (order.id, 20.0, 181.0)
    assert (changed.status, changed.submitted_at) == ("new", order.submitted_at)
    assert paper.open_orders() == [changed]
    assert paper.amend(order.id, 5).quantity == 5.0
    assert paper.amend(order.id, None, 170.0).price == 170.0


def test_amending_the_price_goes_to_the_end_of_the_queue_and_a_quantity_keeps_its_place() -> None:
    paper = open_paper()
    first, second, third = (buy(paper, 1, 100.0) for _ in range(3))
    paper.amend(first.id, new_price=101.0)
    paper.amend(second.id, new_quantity=5)
    fills = paper.tick("ACME", 99.0)
    assert [fill.order_id for fill in fills] == [second.id, third.id, first.id]


def test_a_price_amended_into_the_market_still_waits_for_the_next_tick() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    order = buy(paper, 1, 90.0)
    assert paper.amend(order.id, new_price=120.0).status == "new"
    assert paper.tick("ACME", 100.0)[0].price == 120.0


@pytest.mark.parametrize("end", ["filled", "canceled", "rejected"])
def test_amend_refuses_a_closed_order(end: str) -> None:
    paper = open_paper()
    if end == "rejected":
        order = buy(paper, 1)
    else:
        order = buy(paper, 1, 100.0)
        if end == "filled":
            paper.tick("ACME", 99.0)
        else:
            paper.cancel(order.id)
    with refused(paper, OrderError, order.id, end):
        paper.amend(order.id, new_quantity=5)


def test_amend_refuses_an_unknown_id_by_name() -> None:
    paper = open_paper()
    with refused(paper, OrderError, "'p77'", "unknown"):
        paper.amend("p77", new_quantity=5)


@pytest.mark.parametrize("quantity", [4.0, 3.0])
def test_amend_refuses_a_quantity_at_or_below_what_is_filled(quantity: float) -> None:
    paper = open_paper()
    order = buy(paper, 10, 100.0)
    fill_part(paper, order, 4.0, 100.0)
    with refused(paper, OrderError, "new_quantity", "4", f"{quantity:g}") as _:
        paper.amend(order.id, new_quantity=quantity)
    assert paper.amend(order.id, new_quantity=4.5).remaining == 0.5


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({}, ValueError, "new_quantity"),
        ({"new_quantity": 0}, ValueError, "new_quantity must be above 0, was 0"),
        ({"new_quantity": -5}, ValueError, "new_quantity must be above 0, was -5"),
        ({"new_quantity": math.nan}, ValueError, "new_quantity must be a finite number, was nan"),
        ({"new_quantity": True}, TypeError, "new_quantity must be a number, was True"),
        ({"new_quantity": "5"}, TypeError, "new_quantity must be a number, was '5'"),
        ({"new_quantity": 10**400}, ValueError, "new_quantity must be at most 1e15"),
        ({"new_price": math.inf}, ValueError, "new_price must be a finite number, was inf"),
        ({"new_price": 0.0}, ValueError, "new_price must be above 0, was 0"),
        ({"new_price": np.array([1.0])}, TypeError, "new_price must be a number"),
        ({"new_price": 20.13}, ValueError, "new_price must be a multiple of tick size 0.05"),
        ({"new_quantity": 15}, ValueError, "new_quantity must be a multiple of lot size 10"),
        ({"new_quantity": 1e14, "new_price": 1e5}, ValueError, "1e15"),
        ({"quantity": 5}, TypeError, "quantity"),
    ],
)
def test_amend_refuses_bad_numbers_and_leaves_the_order(
    changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    paper = open_paper(enforce_buying_power=False)
    paper.declare(Market("ACME", Equity, tick_size=0.05, lot_size=10))
    order = buy(paper, 10, 20.0)
    with refused(paper, kind, words):
        paper.amend(order.id, **changes)


def test_amend_refuses_a_post_only_order_a_marketable_price() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    order = buy(paper, 1, 99.0, post_only=True)
    with refused(paper, OrderError, "post_only"):
        paper.amend(order.id, new_price=100.0)
    assert paper.amend(order.id, new_price=99.5).price == 99.5


def test_amend_beyond_buying_power_raises_with_both_numbers_and_changes_nothing() -> None:
    paper = open_paper(1_000.0)
    order = buy(paper, 10, 80.0)
    # 800 are reserved, 200 free. 13 * 80 = 1,040 and 10 * 101 = 1,010 are both too much.
    with refused(paper, OrderError, "buying power", "1,040.00", "1,000.00"):
        paper.amend(order.id, new_quantity=13)
    with refused(paper, OrderError, "buying power", "1,010.00", "1,000.00"):
        paper.amend(order.id, new_price=101.0)
    assert paper.amend(order.id, new_price=100.0).price == 100.0
    assert paper.balance().buying_power == 0.0


def test_amend_of_a_reduce_only_order_beyond_the_position_is_refused() -> None:
    paper = open_paper()
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    order = sell(paper, 5, 105.0, reduce_only=True)
    with refused(paper, OrderError, "reduce_only"):
        paper.amend(order.id, new_quantity=11)
    assert paper.amend(order.id, new_quantity=10).quantity == 10.0


def test_amending_a_closing_order_up_cannot_make_a_later_one_open_without_money() -> None:
    paper = open_paper(1_000.0)
    paper.tick("ACME", 100.0)
    buy(paper, 10)
    first = sell(paper, 5, 110.0)
    sell(paper, 5, 120.0)
    assert paper.balance().buying_power == 0.0
    # As a new order of 10 behind the one of 5, it would open 5 with no money at all.
    with refused(paper, OrderError, "buying power"):
        paper.amend(first.id, new_quantity=10)


# ------------------------------------------------------------------------ client order ids
def test_a_client_order_id_seen_before_returns_the_first_order() -> None:
    paper = open_paper()
    order = buy(paper, 10, 100.0, client_order_id="morning")
    assert order.client_order_id == "morning"
    with unchanged(paper):
        assert buy(paper, 10, 100.0, client_order_id="morning") == order
    paper.tick("ACME", 99.0)
    with unchanged(paper):
        again = buy(paper, 10, 100.0, client_order_id="morning")
    assert (again.id, again.status) == (order.id, "filled")


def test_a_rejected_order_keeps_its_client_order_id() -> None:
    paper = open_paper()
    order = buy(paper, 10, client_order_id="morning")
    paper.tick("ACME", 100.0)
    with unchanged(paper):
        assert buy(paper, 10, client_order_id="morning") == order


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 11},
        {"price": 101.0},
        {"price": None},
        {"side": "sell"},
        {"market_id": "OTHER"},
        {"tif": "ioc"},
        {"post_only": True},
        {"reduce_only": True},
        {"intent": "short"},
    ],
    ids=repr,
)
def test_a_client_order_id_with_other_parameters_is_an_order_error(
    changes: dict[str, Any],
) -> None:
    paper = open_paper()
    fields = {
        "market_id": "ACME",
        "side": "buy",
        "quantity": 10,
        "price": 100.0,
        "client_order_id": "morning",
    }
    order = paper.submit(OrderAction.place(**fields))
    with refused(paper, OrderError, "'morning'", order.id):
        paper.submit(OrderAction.place(**{**fields, **changes}))


def test_an_amended_order_is_still_found_by_what_was_first_asked() -> None:
    paper = open_paper()
    order = buy(paper, 10, 100.0, client_order_id="morning")
    paper.amend(order.id, new_quantity=20, new_price=99.0)
    with unchanged(paper):
        assert buy(paper, 10, 100.0, client_order_id="morning").quantity == 20.0
