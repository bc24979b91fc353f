"""Paper: how it is made, what it takes as a market, and what it hands out."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from horizon.errors import OrderError, VenueError
from horizon.instruments import Equity, Market, Option, Prediction
from horizon.types import AssetClass, OrderAction, Urgency
from horizon.venues import Paper
from tests.venues.helpers import (
    assert_books,
    buy,
    open_paper,
    refused,
    sell,
    unchanged,
)


# ------------------------------------------------------------------------ construction
def test_a_paper_venue_starts_with_100_000_and_no_costs() -> None:
    paper = Paper()
    paper.connect()
    assert paper.cash() == paper.equity() == 100_000.0
    assert paper.fee_rates == (0.0, 0.0)
    assert (paper.positions(), paper.open_orders(), paper.orders()) == ([], [], [])


def test_the_documented_arguments_may_be_given_by_position() -> None:
    paper = Paper(5_000, [AssetClass.Equity], 10, 5, "touch")
    # 10 basis points are 0.001.
    assert paper.fee_rates == (0.001, 0.001)


def test_later_arguments_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        Paper(5_000, None, 10, 5, "touch", 0.001)  # type: ignore[misc]


@pytest.mark.parametrize("cash", [0, 0.0, 1, np.float32(5), 1e15])
def test_initial_cash_may_be_zero_or_more(cash: Any) -> None:
    assert open_paper(cash).cash() == float(cash)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"initial_cash_usd": -1}, ValueError, "initial_cash_usd must be 0 or more, was -1"),
        ({"initial_cash_usd": math.nan}, ValueError, "initial_cash_usd must be a finite number"),
        ({"initial_cash_usd": math.inf}, ValueError, "initial_cash_usd must be a finite number"),
        ({"initial_cash_usd": "100"}, TypeError, "initial_cash_usd must be a number, was '100'"),
        ({"initial_cash_usd": True}, TypeError, "initial_cash_usd must be a number, was True"),
        ({"initial_cash_usd": None}, TypeError, "initial_cash_usd must be a number, was None"),
        ({"initial_cash_usd": 10**400}, ValueError, "initial_cash_usd must be at most 1e15"),
        ({"fee_bps": math.nan}, ValueError, "fee_bps must be a finite number, was nan"),
        ({"fee_bps": 10_000}, ValueError, "fee_bps must lie in (-10000, 10000), was 10000"),
        ({"fee_bps": "10"}, TypeError, "fee_bps must be a number, was '10'"),
        ({"maker_fee_rate": 1}, ValueError, "maker_fee_rate must lie in (-1, 1), was 1"),
        ({"maker_fee_rate": False}, TypeError, "maker_fee_rate must be a number, was False"),
        ({"taker_fee_rate": -1.0}, ValueError, "taker_fee_rate must lie in (-1, 1), was -1.0"),
        ({"slippage_bps": -1}, ValueError, "slippage_bps must lie in [0, 10000), was -1"),
        ({"slippage_bps": 10_000}, ValueError, "slippage_bps must lie in [0, 10000), was 10000"),
        ({"slippage_bps": math.nan}, ValueError, "slippage_bps must be a finite number"),
        ({"bar_fill_mode": "crossing"}, ValueError, "bar_fill_mode must be one of 'cross'"),
        ({"matching": "book"}, ValueError, "matching must be one of 'price', 'quotes'"),
        ({"market_fill": "later"}, ValueError, "market_fill must be one of 'now', 'next_tick'"),
        ({"enforce_buying_power": 1}, TypeError, "enforce_buying_power must be True or False"),
        ({"supported_classes": ["Equity"]}, TypeError, "supported_classes must hold AssetClass"),
        ({"supported_classes": 5}, TypeError, "supported_classes"),
        ({"supported_classes": AssetClass.Equity}, TypeError, "supported_classes"),
        ({"clock": 5.0}, TypeError, "clock must be a function that returns seconds, was 5.0"),
        ({"fee_pct": 1}, TypeError, "fee_pct"),
    ],
)
def test_a_paper_venue_refuses_what_it_cannot_be(
    options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        Paper(**options)
    assert words in str(caught.value)


def test_a_paper_venue_shows_its_state() -> None:
    paper = Paper(1_000)
    assert repr(paper) == "<Paper not connected, equity 1,000.00>"
    paper.connect()
    assert repr(paper) == "<Paper connected, equity 1,000.00>"


# ------------------------------------------------------------------------ connection
CALLS: dict[str, Callable[[Paper], object]] = {
    "submit": lambda p: buy(p, 1, 10),
    "cancel": lambda p: p.cancel("p1"),
    "cancel_all": lambda p: p.cancel_all(),
    "amend": lambda p: p.amend("p1", new_quantity=5),
    "tick": lambda p: p.tick("ACME", 10.0),
    "settle": lambda p: p.settle("ACME", 10.0),
    "declare": lambda p: p.declare(Market("ACME", Equity)),
    "drain_fills": lambda p: p.drain_fills(),
    "fill_history": lambda p: p.fill_history(),
    "settlements": lambda p: p.settlements(),
    "cash": lambda p: p.cash(),
    "equity": lambda p: p.equity(),
    "realized_pnl": lambda p: p.realized_pnl(),
    "balance": lambda p: p.balance(),
    "positions": lambda p: p.positions(),
    "open_orders": lambda p: p.open_orders(),
    "orders": lambda p: p.orders(),
    "order": lambda p: p.order("p1"),
    "quote": lambda p: p.quote("ACME"),
    "market": lambda p: p.market("ACME"),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_before_connect_and_after_close_is_a_venue_error(name: str) -> None:
    paper = Paper(1_000, clock=lambda: 0.0)
    with refused(paper, VenueError, "'paper' is not connected", "connect"):
        CALLS[name](paper)
    paper.connect()
    buy(paper, 1, 5.0)
    paper.close()
    with refused(paper, VenueError, "'paper' is not connected"):
        CALLS[name](paper)


def test_connect_and_close_may_be_called_twice_and_keep_the_account() -> None:
    paper = open_paper()
    paper.connect()
    order = buy(paper, 1, 5.0)
    paper.close()
    paper.close()
    assert not paper.is_connected
    paper.connect()
    assert paper.order(order.id) == order


# ------------------------------------------------------------------------ what submit refuses
def test_submit_takes_nothing_but_an_order_action() -> None:
    paper = open_paper()
    for given in (None, {"market_id": "ACME"}, "buy", OrderAction):
        with refused(paper, TypeError, "action must be an OrderAction"):
            paper.submit(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("price", [1.0, 1.5, 1e6])
def test_a_prediction_order_outside_0_and_1_is_refused(price: float) -> None:
    paper = open_paper()
    paper.declare(Market("rain", Prediction))
    with refused(paper, ValueError, "price must lie strictly between 0 and 1", repr(price)):
        buy(paper, 1, price, market_id="rain")
    with refused(paper, ValueError, "price must lie strictly between 0 and 1", repr(price)):
        buy(paper, 1, price, market_id="rain:no")


def test_prices_and_sizes_off_a_declared_grid_are_refused() -> None:
    paper = open_paper()
    paper.declare(Market("ACME", Equity, tick_size=0.05, lot_size=10))
    with refused(paper, ValueError, "price must be a multiple of tick size 0.05", "20.13"):
        buy(paper, 10, 20.13)
    with refused(paper, ValueError, "quantity must be a multiple of lot size 10", "15.0"):
        buy(paper, 15, 20.15)
    paper.tick("ACME", 20.0)
    with refused(paper, ValueError, "quantity must be a multiple of lot size 10", "15.0"):
        buy(paper, 15)
    assert buy(paper, 10, 20.15).status == "new"


@pytest.mark.parametrize("market_id", ["AAPL270229C00180000", ":no", "rain:no:no"])
def test_an_id_that_names_nothing_is_refused(market_id: str) -> None:
    paper = open_paper()
    with refused(paper, ValueError, market_id):
        buy(paper, 1, 0.5, market_id=market_id)


@pytest.mark.parametrize(("quantity", "price"), [(1e10, 1e6), (1e15, 1.01), (1e15, 1e15)])
def test_a_notional_above_ten_to_the_fifteen_is_refused(quantity: float, price: float) -> None:
    paper = open_paper(enforce_buying_power=False)
    with refused(paper, ValueError, "1e15"):
        buy(paper, quantity, price)
    paper.tick("ACME", price)
    with refused(paper, ValueError, "1e15"):
        sell(paper, quantity)


def test_a_notional_counts_the_multiplier() -> None:
    paper = open_paper(enforce_buying_power=False)
    paper.declare(Market("BIG", Equity, multiplier=1e6))
    assert buy(paper, 1e4, 1e5, market_id="BIG").status == "new"  # 1e15
    with refused(paper, ValueError, "notional must be at most 1e15", "1.1e+15"):
        buy(paper, 1.1e4, 1e5, market_id="BIG")


# ------------------------------------------------------------------------ classes
@pytest.mark.parametrize(
    ("market_id", "expected"),
    [
        ("ACME", AssetClass.Equity),
        ("BTC/USD", AssetClass.Crypto),
        ("BTC-PERP", AssetClass.Perp),
        ("rain:no", AssetClass.Prediction),
        ("AAPL250117C00180000", AssetClass.Option),
    ],
)
def test_the_first_order_decides_what_a_market_is(market_id: str, expected: AssetClass) -> None:
    paper = open_paper()
    buy(paper, 1, 0.5, market_id=market_id)
    market = paper.market(market_id)
    assert market is not None
    assert market.asset_class is expected


def test_a_tick_alone_decides_nothing() -> None:
    paper = open_paper()
    paper.tick("rain", 0.4)
    assert paper.market("rain") is None
    paper.declare(Market("rain", Prediction))
    assert buy(paper, 1, market_id="rain").average_price == 0.4


def test_a_last_price_that_the_declared_class_cannot_have_is_refused() -> None:
    paper = open_paper()
    paper.tick("rain", 40.0)
    with refused(paper, ValueError, "'rain' cannot be Prediction", "40.0"):
        paper.declare(Market("rain", Prediction))
    with refused(paper, ValueError, "'rain' cannot be Prediction"):
        buy(paper, 1, 0.5, market_id="rain:no")


def test_a_later_use_as_another_class_is_refused() -> None:
    paper = open_paper()
    buy(paper, 1, 10.0)
    with refused(paper, ValueError, "'ACME' is known as Equity", "Prediction"):
        buy(paper, 1, 0.5, market_id="ACME:no")
    with refused(paper, ValueError, "'ACME' is known as"):
        paper.declare(Market("ACME", Prediction))
    with refused(paper, ValueError, "'ACME' is known as"):
        paper.declare(Market("ACME", Equity, tick_size=0.01))
    with unchanged(paper):
        paper.declare(Market("ACME", Equity))  # the same again is fine


def test_declare_takes_nothing_but_a_market() -> None:
    paper = open_paper()
    with refused(paper, TypeError, "market must be a Market, was 'ACME'"):
        paper.declare("ACME")  # type: ignore[arg-type]


def test_an_option_is_one_market_in_both_spellings() -> None:
    paper = open_paper()
    buy(paper, 1, 3.5, market_id="AAPL  250117C00180000")
    (fill,) = paper.tick("AAPL250117C00180000", 3.0)
    assert fill.market_id == "AAPL250117C00180000"
    assert paper.tick("AAPL  250117C00180000", 3.2) == []
    assert paper.cash() == 99_650.0  # 1 contract * 3.50 * 100
    quote = paper.quote("AAPL  250117C00180000")
    assert quote is not None
    assert quote.price == 3.2


@pytest.mark.parametrize("classes", [[AssetClass.Equity], {AssetClass.Option, AssetClass.Equity}])
def test_a_class_that_is_not_supported_is_a_rejected_order(classes: Any) -> None:
    paper = open_paper(supported_classes=classes)
    order = buy(paper, 1, 10.0, market_id="BTC/USD")
    assert order.status == "rejected"
    assert "unsupported" in order.metadata["reason"]
    assert "Crypto" in order.metadata["reason"]
    assert buy(paper, 1, 10.0).status == "new"


def test_an_empty_list_of_classes_supports_none() -> None:
    paper = open_paper(supported_classes=[])
    assert buy(paper, 1, 10.0).status == "rejected"


# ------------------------------------------------------------------------ fills
def test_fills_are_drained_once_and_stay_in_the_history() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    fills = paper.tick("ACME", 99.0)
    sell(paper, 1)
    drained = paper.drain_fills()
    assert [fill.id for fill in drained] == ["f1", "f2"]
    assert drained[:1] == fills
    assert paper.drain_fills() == []
    assert paper.fill_history() == drained
    buy(paper, 1)
    assert [fill.id for fill in paper.drain_fills()] == ["f3"]


def test_orders_are_numbered_in_order_and_shown_oldest_first() -> None:
    paper = open_paper()
    orders = [buy(paper, 1, 10.0), sell(paper, 1), buy(paper, 1, 11.0, market_id="OTHER")]
    assert [order.id for order in orders] == ["p1", "p2", "p3"]
    assert paper.orders() == orders
    assert [order.id for order in paper.open_orders()] == ["p1", "p3"]
    assert [order.id for order in paper.open_orders("OTHER")] == ["p3"]
    assert paper.open_orders("UNKNOWN") == []


def test_an_unknown_order_is_an_order_error() -> None:
    paper = open_paper()
    with refused(paper, OrderError, "'p1'", "unknown", "paper"):
        paper.order("p1")


def test_a_snapshot_does_not_change_with_its_order() -> None:
    paper = open_paper()
    order = buy(paper, 1, 100.0)
    paper.tick("ACME", 99.0)
    assert order.status == "new"
    assert paper.order(order.id).status == "filled"


def test_a_hostile_market_name_is_a_market_like_any_other() -> None:
    paper = open_paper()
    name = "<script>alert(1)</script>"
    buy(paper, 1, 10.0, market_id=name)
    (fill,) = paper.tick(name, 9.0)
    records = [fill, paper.positions()[0], paper.orders()[0], paper.quote(name)]
    for record in records:
        assert name in repr(record)
        assert "<script" not in record._repr_html_()  # type: ignore[union-attr]


def test_a_first_day_of_trading_adds_up() -> None:
    paper = Paper(initial_cash_usd=50_000, fee_bps=20, slippage_bps=10)
    paper.connect()
    order = paper.submit(
        OrderAction.place(
            market_id="MSFT", side="buy", quantity=20, price=400.0, order_type="limit"
        )
    )
    assert order.status == "new"
    (fill,) = paper.tick("MSFT", 398.0, datetime.now())
    assert (fill.price, fill.fee) == (400.0, 16.0)  # 0.2 % of 8,000
    assert paper.cash() == 41_984.0
    assert paper.positions()[0].avg_cost == 400.0
    money = paper.balance()
    assert (money.equity, money.buying_power) == (49_944.0, 41_984.0)  # + 20 * 398
    paper.tick("MSFT", 410.0)
    order = paper.submit(
        OrderAction.place(
            market_id="MSFT",
            side="sell",
            quantity=20,
            order_type="market",
            urgency=Urgency.Immediate,
        )
    )
    assert order.status == "filled"
    assert paper.realized_pnl() == pytest.approx(191.8, abs=1e-9)  # 20 * (410 * 0.999 - 400)
    assert [f.side for f in paper.drain_fills()] == ["buy", "sell"]
    assert paper.drain_fills() == []


# ------------------------------------------------------------------------ threads
def test_many_threads_never_spend_the_same_money_twice() -> None:
    paper = open_paper(1_000.0)
    start = threading.Barrier(8)

    def spend() -> None:
        start.wait()
        for _ in range(20):
            buy(paper, 1, 50.0)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 1,000 pays for 20 orders of 50; 160 were sent.
    statuses = [order.status for order in paper.orders()]
    assert (statuses.count("new"), statuses.count("rejected")) == (20, 140)
    assert len({order.id for order in paper.orders()}) == 160
    assert paper.balance().buying_power == 0.0


def test_the_books_hold_while_many_threads_do_everything_at_once() -> None:
    paper = open_paper(10_000.0, fee_bps=10)
    paper.declare(Market("rain", Prediction))
    paper.tick("rain", 0.5)
    drained: list[str] = []
    errors: list[BaseException] = []
    start = threading.Barrier(6)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        start.wait()
        try:
            for _ in range(150):
                market_id = chance.choice(["rain", "rain:no"])
                verb = chance.choice([buy, sell])
                order = verb(
                    paper,
                    chance.randint(1, 9),
                    chance.choice([None, chance.randint(1, 99) / 100]),
                    market_id=market_id,
                )
                paper.tick(market_id, chance.randint(1, 99) / 100)
                paper.cancel(order.id)
                paper.balance(), paper.positions(), paper.open_orders()
                drained.extend(fill.id for fill in paper.drain_fills())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    drained.extend(fill.id for fill in paper.drain_fills())
    # Each fill was handed out once, to one thread or another.
    assert sorted(drained) == sorted(fill.id for fill in paper.fill_history())
    assert len({order.id for order in paper.orders()}) == 900
    assert_books(paper)


def test_option_markets_by_another_name_state_their_strike() -> None:
    paper = open_paper()
    paper.declare(Market("acme-call", Option, strike=50, right="call"))
    buy(paper, 2, 1.5, market_id="acme-call")
    paper.tick("acme-call", 1.0)
    assert paper.cash() == 99_700.0  # 2 * 1.50 * 100
