"""The records of both vocabularies: what they hold, refuse and show."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon import types
from horizon.types import (
    AssetClass,
    Fill,
    OrderAction,
    OrderRequest,
    OrderSide,
    Position,
    Quote,
    Side,
    Urgency,
    VenueCapital,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueQuote,
    VenueSettlement,
)

HOSTILE = "<script>alert('&')</script>"


def action(**changes: Any) -> OrderAction:
    return OrderAction.place(
        **{"market_id": "ACME", "side": "buy", "quantity": 10, "price": 20.5, **changes}
    )


def request(**changes: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "market_id": "ACME",
        "side": Side.Long,
        "order_side": OrderSide.Buy,
        "size": 10.0,
        "price": 20.5,
    }
    return OrderRequest(**{**fields, **changes})


ORDER = VenueOrder(
    id="p1",
    market_id=HOSTILE,
    side="buy",
    quantity=10.0,
    filled_quantity=4.0,
    price=20.5,
    order_type="limit",
    status="partial",
    submitted_at=datetime(2024, 1, 1, tzinfo=UTC),
    venue_name="paper",
    metadata={"reason": HOSTILE},
)
RECORDS = [
    ORDER,
    VenueFill("f1", "p1", HOSTILE, "buy", 4.0, 20.5, 0.1, 0.0, True, 0.0, "paper"),
    VenuePosition(HOSTILE, 4.0, 20.5, 21.0, 2.0, 0.0, 0.1, AssetClass.Equity, "paper"),
    VenueCapital(918.0, 1002.0, 918.0, 0.0, 1000.0, 0.0, 2.0, 0.0, HOSTILE, "paper"),
    VenueQuote(HOSTILE, 21.0, 20.9, None, None, 0.0),
    VenueSettlement(HOSTILE, 4.0, 1.0, 2.0, 0.0),
    Fill("p1", HOSTILE, Side.Long, OrderSide.Buy, 4.0, 20.5, 0.1, 0.0, True, 0.0),
    Position(HOSTILE, Side.Long, 4.0, 20.5, 0.0, 2.0),
    action(market_id=HOSTILE),
]


def name_of(value: object) -> str:
    return type(value).__name__


# ------------------------------------------------------------------------ enums
def test_asset_classes_are_these_five_and_their_bare_names_are_exported() -> None:
    assert [kind.name for kind in AssetClass] == [
        "Equity",
        "Option",
        "Prediction",
        "Perp",
        "Crypto",
    ]
    for kind in AssetClass:
        assert getattr(hz, kind.name) is kind
        assert str(kind) == repr(kind) == kind.name


def test_sides_know_their_sign_and_show_their_name() -> None:
    assert (OrderSide.Buy.sign, OrderSide.Sell.sign) == (1, -1)
    assert [repr(side) for side in Side] == ["Side.Yes", "Side.No", "Side.Long"]
    assert [repr(side) for side in OrderSide] == ["OrderSide.Buy", "OrderSide.Sell"]
    assert repr(Urgency.Passive) == "Urgency.Passive"


# ------------------------------------------------------------------------ OrderAction
def test_an_action_with_a_price_is_a_resting_limit_order() -> None:
    order = action()
    assert (order.order_type, order.price, order.quantity) == ("limit", 20.5, 10.0)
    assert (order.tif, order.post_only, order.reduce_only) == ("gtc", False, False)
    assert (order.client_order_id, order.leverage) == (None, None)
    assert order.urgency is Urgency.Patient


def test_an_action_without_a_price_is_a_market_order() -> None:
    assert action(price=None).order_type == "market"
    assert action(price=None, order_type="market", urgency=Urgency.Immediate).tif == "gtc"


def test_an_immediate_limit_is_ioc_and_a_passive_one_post_only() -> None:
    assert action(urgency=Urgency.Immediate).tif == "ioc"
    assert action(urgency=Urgency.Passive).post_only is True


@pytest.mark.parametrize(
    "ten", [10, np.int64(10), np.float32(10), Decimal(10), Fraction(10)], ids=name_of
)
def test_an_action_takes_every_usual_number_and_keeps_a_float(ten: Any) -> None:
    order = action(quantity=ten, price=ten)
    assert (order.quantity, order.price) == (10.0, 10.0)
    assert type(order.quantity) is type(order.price) is float


NO_NUMBERS = [True, np.True_, "10", b"10", 1j, [10.0], np.array(10.0), np.array([10.0]), object()]
BAD_NUMBERS = [math.nan, math.inf, -math.inf, 10**400, 1e15 + 1, 0, -0.0, -1, Decimal("NaN")]


@pytest.mark.parametrize("given", [*NO_NUMBERS, None], ids=name_of)
def test_an_action_refuses_a_quantity_that_is_no_number(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^quantity must be a number, was "):
        action(quantity=given)


@pytest.mark.parametrize("given", NO_NUMBERS, ids=name_of)
def test_an_action_refuses_a_price_that_is_no_number(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^price must be a number, was "):
        action(price=given)


@pytest.mark.parametrize("given", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["quantity", "price"])
def test_an_action_refuses_numbers_outside_zero_to_ten_to_the_fifteen(
    name: str, given: Any
) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be "):
        action(**{name: given})


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"side": "long"}, ValueError, "side must be one of 'buy', 'sell'; was 'long'"),
        ({"side": "BUY"}, ValueError, "Did you mean 'buy'?"),
        ({"side": Side.Yes}, TypeError, "side must be one of 'buy', 'sell'"),
        ({"side": OrderSide.Buy}, TypeError, "side must be one of 'buy', 'sell'"),
        ({"order_type": "stop"}, ValueError, "order_type must be one of 'limit', 'market'"),
        ({"order_type": "market"}, ValueError, "price and a market order exclude each other"),
        ({"order_type": "limit", "price": None}, ValueError, "a limit order needs a price"),
        ({"urgency": "now"}, TypeError, "urgency must be an Urgency, was 'now'"),
        ({"tif": "day"}, ValueError, "tif must be one of 'gtc', 'ioc'; was 'day'"),
        ({"tif": None}, TypeError, "tif must be one of 'gtc', 'ioc'"),
        ({"post_only": 1}, TypeError, "post_only must be True or False, was 1"),
        ({"reduce_only": "no"}, TypeError, "reduce_only must be True or False, was 'no'"),
        ({"post_only": True, "price": None}, ValueError, "post_only"),
        ({"urgency": Urgency.Passive, "price": None}, ValueError, "post_only"),
        ({"market_id": ""}, ValueError, "market_id must have 1 to 256 characters, has 0"),
        ({"market_id": None}, TypeError, "market_id must be text, was None"),
        ({"market_id": "A\nB"}, ValueError, "market_id must not contain control characters"),
        ({"client_order_id": ""}, ValueError, "client_order_id must have 1 to 256 characters"),
        ({"client_order_id": 7}, TypeError, "client_order_id must be text, was 7"),
        ({"intent": " x"}, ValueError, "intent must not begin or end with a blank"),
        ({"leverage": 0.5}, ValueError, "leverage must lie between 1 and 100, was 0.5"),
        ({"leverage": 101}, ValueError, "leverage must lie between 1 and 100, was 101"),
        ({"leverage": True}, TypeError, "leverage must be a number, was True"),
        ({"leverage": math.nan}, ValueError, "leverage must be a finite number, was nan"),
        ({"qty": 5}, TypeError, "qty"),
    ],
)
def test_an_action_refuses_by_naming_argument_value_and_what_is_accepted(
    changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        action(**changes)
    assert words in str(caught.value)


@pytest.mark.parametrize("leverage", [1, 2.5, 100])
def test_an_action_takes_a_leverage_of_1_to_100(leverage: float) -> None:
    assert action(leverage=leverage).leverage == leverage


# ------------------------------------------------------------------------ OrderRequest
def test_a_request_without_a_price_is_a_market_order() -> None:
    assert OrderRequest("ACME", Side.Long, OrderSide.Sell, 3.0).is_market
    assert not request().is_market


def test_a_request_has_the_same_options_as_an_action() -> None:
    order = request(tif="ioc", reduce_only=True, client_order_id="mine", leverage=3)
    assert (order.tif, order.post_only, order.reduce_only) == ("ioc", False, True)
    assert (order.client_order_id, order.leverage) == ("mine", 3.0)
    assert request(post_only=True).post_only is True


@pytest.mark.parametrize(
    "ten", [10, np.int64(10), np.float32(10), Decimal(10), Fraction(10)], ids=name_of
)
def test_a_request_takes_every_usual_number_and_keeps_a_float(ten: Any) -> None:
    order = request(size=ten, price=ten)
    assert (order.size, order.price) == (10.0, 10.0)
    assert type(order.size) is type(order.price) is float


@pytest.mark.parametrize("given", NO_NUMBERS, ids=name_of)
@pytest.mark.parametrize("name", ["size", "price"])
def test_a_request_refuses_what_is_no_number(name: str, given: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a number, was "):
        request(**{name: given})


@pytest.mark.parametrize("given", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["size", "price"])
def test_a_request_refuses_numbers_outside_zero_to_ten_to_the_fifteen(
    name: str, given: Any
) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be "):
        request(**{name: given})


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"side": "yes"}, TypeError, "side must be a Side (Yes, No or Long), was 'yes'"),
        ({"side": OrderSide.Buy}, TypeError, "side must be a Side"),
        ({"order_side": "buy"}, TypeError, "order_side must be an OrderSide (Buy or Sell)"),
        ({"order_side": Side.Yes}, TypeError, "order_side must be an OrderSide"),
        ({"size": None}, TypeError, "size must be a number"),
        ({"market_id": " "}, ValueError, "market_id must not begin or end with a blank"),
        ({"market_id": 5}, TypeError, "market_id must be text, was 5"),
        ({"tif": "fok"}, ValueError, "tif must be one of 'gtc', 'ioc'; was 'fok'"),
        ({"post_only": 1}, TypeError, "post_only must be True or False, was 1"),
        ({"post_only": True, "price": None}, ValueError, "post_only needs a limit order"),
        ({"reduce_only": 0}, TypeError, "reduce_only must be True or False, was 0"),
        ({"client_order_id": ""}, ValueError, "client_order_id must have 1 to 256 characters"),
        ({"leverage": 0}, ValueError, "leverage must lie between 1 and 100, was 0"),
        ({"quantity": 5}, TypeError, "quantity"),
    ],
)
def test_a_request_refuses_by_naming_argument_value_and_what_is_accepted(
    changes: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        request(**changes)
    assert words in str(caught.value)


def test_a_request_cannot_be_changed_and_a_changed_copy_is_checked() -> None:
    order = request()
    with pytest.raises(AttributeError):
        order.size = 5.0  # type: ignore[misc]
    assert order._replace(size=5).size == 5.0
    with pytest.raises(ValueError, match="size must be above 0"):
        order._replace(size=-1.0)


def test_a_request_survives_copying_and_pickling() -> None:
    order = request(tif="ioc", client_order_id="mine", leverage=2)
    assert pickle.loads(pickle.dumps(order)) == copy.deepcopy(order) == order


# ------------------------------------------------------------------------ Quote
def test_a_quote_unpacks_and_may_have_no_spread() -> None:
    bid, ask, size = Quote(0.48, 0.52, 100)
    assert (bid, ask, size) == (0.48, 0.52, 100.0)
    assert Quote(0.5, 0.5, 1).bid == 0.5


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ((0.6, 0.5, 1), ValueError, "bid must not lie above ask, was 0.6 over 0.5"),
        ((math.nan, 0.5, 1), ValueError, "bid must be a finite number, was nan"),
        ((0.4, math.inf, 1), ValueError, "ask must be a finite number, was inf"),
        ((0.4, 0.5, 0), ValueError, "size must be above 0, was 0"),
        ((0.4, 0.5, True), TypeError, "size must be a number, was True"),
        (("0.4", 0.5, 1), TypeError, "bid must be a number, was '0.4'"),
    ],
)
def test_a_quote_refuses_what_cannot_be_quoted(
    given: tuple[Any, Any, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        Quote(*given)
    assert words in str(caught.value)


# ------------------------------------------------------------------------ what is answered
@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        ("new", True),
        ("partial", True),
        ("filled", False),
        ("canceled", False),
        ("rejected", False),
    ],
)
def test_an_order_is_open_while_it_can_fill(status: str, is_open: bool) -> None:
    order = dataclasses.replace(ORDER, status=status)
    assert order.is_open is is_open
    assert order.is_filled is (status == "filled")
    assert order.is_rejected is (status == "rejected")


def test_what_remains_of_an_order_is_what_has_not_filled() -> None:
    assert ORDER.remaining == 6.0  # 10 ordered, 4 filled
    assert dataclasses.replace(ORDER, filled_quantity=10.0, status="filled").remaining == 0.0


def test_a_position_is_long_or_short_by_its_sign() -> None:
    held = RECORDS[2]
    assert isinstance(held, VenuePosition)
    assert (held.is_long, held.is_short) == (True, False)
    owed = dataclasses.replace(held, quantity=-4.0)
    assert (owed.is_long, owed.is_short) == (False, True)


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_is_frozen(record: Any) -> None:
    name = dataclasses.fields(record)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, "other")


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_shows_every_field_by_name(record: Any) -> None:
    for field in dataclasses.fields(record):
        assert f"{field.name}=" in repr(record)
        assert field.name in record._repr_html_()


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_hostile_name_is_escaped_in_html(record: Any) -> None:
    page = record._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_equals_its_copy(record: Any) -> None:
    assert copy.deepcopy(record) == record


def test_records_in_engine_words_have_the_documented_fields() -> None:
    assert [field.name for field in dataclasses.fields(Fill)] == [
        "order_id",
        "market_id",
        "side",
        "order_side",
        "size",
        "price",
        "fee",
        "timestamp",
        "is_maker",
        "realized_pnl",
    ]
    assert [field.name for field in dataclasses.fields(Position)] == [
        "market_id",
        "side",
        "size",
        "avg_entry_price",
        "realized_pnl",
        "unrealized_pnl",
    ]


def test_the_metadata_of_an_order_cannot_be_changed_and_the_order_can_be_hashed() -> None:
    order = hz.connect("paper").short("ACME", 1, limit=10.0)
    with pytest.raises(TypeError):
        order.metadata["intent"] = "other"  # type: ignore[index]
    assert order.metadata == {"intent": "short"}
    assert len({order, copy.deepcopy(order), pickle.loads(pickle.dumps(order))}) == 1


def test_every_exported_name_exists() -> None:
    assert all(hasattr(types, name) for name in types.__all__)


def test_an_order_action_is_frozen_and_takes_keywords_only() -> None:
    action = OrderAction(market_id="ACME", side="buy", quantity=1, price=2)
    with pytest.raises(AttributeError):
        action.quantity = 5.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        OrderAction("ACME", "buy", 1, 2)  # type: ignore[call-arg,misc]


def test_a_balance_is_printed_as_a_table() -> None:
    money = VenueCapital(98_990.0, 99_985.0, 0.0, 1.5, 100_000.0, 0.0, -15.0, 1.0, "USD", "paper")
    assert str(money).splitlines() == [
        "VenueCapital on paper, in USD",
        "  cash                98,990.00",
        "  equity              99,985.00",
        "  buying_power             0.00",
        "  used_buying_power        1.50",
        "  initial_cash       100,000.00",
        "  realized_pnl             0.00",
        "  unrealized_pnl         −15.00",
        "  fees                     1.00",
    ]
    assert repr(money).startswith("VenueCapital(cash=98990.0, equity=99985.0,")
    hostile = VenueCapital(1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, "\u202eUSD", "paper")
    assert "\u202e" not in str(hostile)
