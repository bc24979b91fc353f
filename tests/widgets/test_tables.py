"""The small tables: their rows and numbers, their buttons, and their limits."""

from __future__ import annotations

from typing import Any

import pytest

import horizon as hz
from horizon import Equity, Market, Option, Perp, Prediction
from horizon.widgets import Balance, Fills, Orders, Positions, Prices
from horizon.widgets.face import Face
from tests.widgets.notebook import Clock, account, cells, do, in_a_notebook, loop_now, passing

CALL = "AAPL250117C00180000"


def columns(face: Face) -> list[str]:
    return [column["label"] for column in face.shown["columns"]]


def buttons(face: Face) -> list[list[str]]:
    """The label of every button, row by row."""
    return [[action["label"] for action in row.get("actions", [])] for row in face.shown["rows"]]


def traded() -> hz.ImperativeClient:
    """An account with a position of each sort; fees are a tenth of a percent."""
    ex = account(fee_bps=10.0)
    for market, kind, price in (
        ("ACME", Equity, 100.0),
        ("rain", Prediction, 0.4),
        (CALL, Option, 4.0),
        ("X-PERP", Perp, 50.0),
    ):
        ex.declare(Market(market, kind))
        ex.tick(market, price, 0.0)
    ex.buy("ACME", 10, market=True)  # costs 1,000, fee 1
    ex.buy("rain:no", 200, market=True)  # costs 200 x 0.60 = 120, fee 0.12
    ex.sell(CALL, 1, market=True)  # brings 400, fee 0.40
    ex.buy_perp("X-PERP", 2, market=True, leverage=5)  # margin 20, fee 0.10
    return ex


# ------------------------------------------------------------------------- positions
@in_a_notebook
async def test_positions_are_shown_at_their_marks_with_their_profit() -> None:
    ex = traded()
    ex.tick("ACME", 103.0, 1.0)
    ex.tick("rain", 0.35, 1.0)
    ex.tick(CALL, 4.5, 1.0)
    ex.sell("ACME", 4, market=True)
    table = Positions(ex)
    assert columns(table) == [
        *("Market", "Position, units", "Average, USD", "Mark, USD"),
        *("Unrealised, USD", "Realised, USD"),
    ]
    assert cells(table) == [
        # 6 left of 10 bought at 100: 6 x 3 open, 4 x 3 taken.
        ["ACME", "+6", "100.00", "103.00", "+18.00", "+12.00"],
        # NO was 0.60 and is 0.65: 200 x 0.05.
        ["rain NO", "+200", "0.60", "0.65", "+10.00", "0.00"],
        # Sold at 4.00, now 4.50, a hundred units each.
        [CALL, "−1", "4.00", "4.50", "−50.00", "0.00"],
        ["X-PERP 5×", "+2", "50.00", "50.00", "0.00", "0.00"],
    ]
    assert [row["cells"][1][1] for row in table.shown["rows"]] == ["buy", "buy", "sell", "buy"]
    assert table.shown["note"] is None


@in_a_notebook
async def test_a_column_says_what_all_its_quantities_count() -> None:
    ex = account()
    tables = [Positions(ex), Orders(ex), Fills(ex)]

    def units() -> list[str]:
        return [
            column["label"].split(", ")[1]
            for table in tables
            for column in table.shown["columns"]
            if column["label"].startswith(("Position", "Quantity", "Filled"))
        ]

    assert units() == ["units"] * 4  # of no market yet
    for market, kind in (("rain", Prediction), ("X-PERP", Perp)):
        ex.declare(Market(market, kind))
    await passing(0.2)
    assert units() == ["contracts"] * 4
    ex.declare(Market("ACME", Equity))
    await passing(0.2)
    assert units() == ["units"] * 4


@pytest.mark.parametrize("sizes", [(0.1, 0.7, 10.0), (3.0, 0.7, 0.1), (1.0, 3.0, 0.7, 0.7)])
@in_a_notebook
async def test_trades_at_one_price_have_no_profit(sizes: tuple[float, ...]) -> None:
    ex = account()
    ex.tick("ACME", 0.1, 0.0)
    for size in sizes:
        ex.buy("ACME", size, market=True)
        ex.sell("ACME", size / 2, market=True)
    (row,) = cells(Positions(ex))
    assert row[4:] == ["0.00", "0.00"]
    assert [text for label, text in cells(Balance(ex)) if "profit" in label] == ["0.00"] * 2


@in_a_notebook
async def test_both_sides_of_a_prediction_are_two_positions() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ex.buy("rain", 5, market=True)
    ex.buy("rain:no", 3, market=True)
    assert [row[:2] for row in cells(Positions(ex))] == [["rain YES", "+5"], ["rain NO", "+3"]]


@in_a_notebook
async def test_flatten_closes_one_position_and_flatten_all_the_rest() -> None:
    ex = traded()
    table = Positions(ex)
    assert buttons(table) == [["Flatten"]] * 4
    flatten = table.shown["rows"][1]["actions"][0]
    assert flatten["name"].startswith("Flatten rain NO")
    assert flatten["sure"] == "Sure?"  # it trades: one click is not enough
    await do(table, flatten["do"], id=flatten["id"])
    assert [row[0] for row in cells(table)] == ["ACME", CALL, "X-PERP 5×"]
    await do(table, "flatten all", id="")
    assert (table.shown["rows"], table.shown["tools"]) == ([], [])
    assert table.shown["empty"] == "Nothing is held."
    assert ex.positions() == []


@in_a_notebook
async def test_the_button_of_a_market_held_on_both_sides_says_that_it_closes_both() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ex.buy("rain", 5, market=True)
    assert buttons(Positions(ex)) == [["Flatten"]]
    ex.buy("rain:no", 3, market=True)
    table = Positions(ex)
    assert buttons(table) == [["Flatten both"], ["Flatten"]]
    both, no = (row["actions"][0] for row in table.shown["rows"])
    await do(table, "flatten", id=no["id"])
    assert [p.market_id for p in ex.positions()] == ["rain"]
    ex.buy("rain:no", 3, market=True)
    await do(table, "flatten", id=both["id"])
    assert ex.positions() == []


@pytest.mark.parametrize("verb", ["flatten", "flatten all"])
@in_a_notebook
async def test_a_position_that_cannot_be_closed_says_why(verb: str) -> None:
    ex = account(matching="quotes")
    ex.tick("ACME", 100.0, 0.0, bid=99.0, ask=101.0)
    ex.buy("ACME", 10, market=True)
    ex.tick("ACME", 100.0, 1.0, ask=101.0)  # nobody buys
    table = Positions(ex)
    await do(table, verb, id="ACME")
    assert table.shown["error"] == "ACME stays: no price: the last tick of ACME has no bid"
    assert [p.quantity for p in ex.positions()] == [10.0]


@pytest.mark.parametrize("verb", ["flatten", "flatten all"])
@in_a_notebook
async def test_a_late_click_flattens_nothing(verb: str) -> None:
    ex = traded()
    table = Positions(ex)
    loop_now().block(10.0)
    await do(table, verb, id="ACME")
    assert len(ex.positions()) == 4
    assert table.shown["error"].startswith("nothing was sent: the click came")


@pytest.mark.parametrize(
    "target", [None, 5, [], "", "nothing", "a\nb", ":no", "x" * 2000], ids=ascii
)
@in_a_notebook
async def test_flattening_what_there_is_not_changes_nothing(target: Any) -> None:
    ex = traded()
    table = Positions(ex)
    await do(table, "flatten", id=target)
    assert (len(ex.positions()), table.ended) == (4, "")


# ------------------------------------------------------------------------- orders
@in_a_notebook
async def test_open_orders_stand_above_ended_ones_newest_first() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("rain", 0.4, 0.0)
    ex.buy("ACME", 10, limit=99.0)  # p1, stays
    ex.buy("ACME", 2, market=True)  # p2, fills at 100
    ex.sell("rain", 5, limit=0.5)  # p3, stays
    ex.buy("ACME", 5_000, limit=99.0)  # p4: 495,000 are too much
    ex.buy("ACME", 1, limit=98.0)  # p5
    ex.cancel("p5")
    table = Orders(ex)
    assert table.shown["name"] == "Orders: 2 open"
    assert columns(table) == [
        *("Order", "Market", "Side", "State", "Quantity, units", "Filled, units"),
        *("Limit, USD", "Average, USD"),
    ]
    # 98,815: 100,000 less 200 paid, 990 for p1 and 5 x 0.50 for p3 … 98,807.50.
    reason = "rejected: buying power: the order needs 495,000.00 USD, available are 98,807.50"
    assert cells(table) == [
        ["p3", "rain YES", "SELL −", "working", "5", "0", "0.50", "–"],
        ["p1", "ACME", "BUY +", "working", "10", "0", "99.00", "–"],
        ["p5", "ACME", "BUY +", "cancelled", "1", "0", "98.00", "–"],
        ["p4", "ACME", "BUY +", reason, "5,000", "0", "99.00", "–"],
        ["p2", "ACME", "BUY +", "filled", "2", "2", "market", "100.00"],
    ]
    assert [row["tone"] for row in table.shown["rows"]] == [None, None, "over", "over", "over"]
    assert buttons(table) == [["Cancel"], ["Cancel"], [], [], []]
    name = table.shown["rows"][1]["actions"][0]["name"]
    assert name == "Cancel order p1: buy 10 ACME at 99.00"


@in_a_notebook
async def test_ended_orders_can_be_left_out() -> None:
    ex = account()
    ex.buy("ACME", 10, limit=99.0)
    ex.cancel("p1")
    assert cells(Orders(ex, ended=False)) == []
    assert Orders(ex, ended=False).shown["empty"] == "No orders yet."
    with pytest.raises(TypeError, match="ended must be True or False"):
        Orders(ex, ended="no")  # type: ignore[arg-type]


@in_a_notebook
async def test_cancel_ends_one_order_and_cancel_all_the_rest() -> None:
    ex = account()
    for _ in range(3):
        ex.buy("ACME", 10, limit=99.0)
    table = Orders(ex)
    await do(table, "cancel", id="p2")
    assert [order.id for order in ex.open_orders()] == ["p1", "p3"]
    assert table.shown["name"] == "Orders: 2 open"
    await do(table, "cancel", id="p2")
    assert table.shown["error"] == "order p2 was not cancelled: it is cancelled"
    await do(table, "cancel all", id="")
    assert ex.open_orders() == []
    assert (table.shown["tools"], table.shown["error"]) == ([], None)


@in_a_notebook
async def test_what_cannot_be_cancelled_is_said_in_words() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 10, market=True)
    table = Orders(ex)
    await do(table, "cancel", id="p1")
    assert table.shown["error"] == "order p1 was not cancelled: it is filled"
    for unknown in ("p9", "", None, 5, [], "x" * 5_000):
        await do(table, "cancel", id=unknown)
        assert 0 < len(table.shown["error"]) < 1_500
    assert [order.status for order in ex.orders()] == ["filled"]


@in_a_notebook
async def test_more_open_orders_than_rows_are_counted() -> None:
    ex = account()
    for number in range(70):
        ex.buy("ACME", 1, limit=1.0 + number)
    ex.cancel("p70")
    table = Orders(ex)
    # The newest 50 of 69, and the one that has ended.
    assert len(table.shown["rows"]) == 51
    assert table.shown["rows"][0]["id"] == "p69"
    assert table.shown["note"] == "19 more open orders not shown."
    assert table.shown["name"] == "Orders: 69 open"


@in_a_notebook
async def test_a_dozen_ended_orders_stay_in_sight() -> None:
    ex = account()
    ex.buy("ACME", 1, limit=1.0)  # the oldest of all stays open
    for _ in range(20):
        ex.cancel(ex.buy("ACME", 1, limit=1.0).id)
    table = Orders(ex)
    assert [row["id"] for row in table.shown["rows"]] == [
        "p1",
        *(f"p{number}" for number in range(21, 9, -1)),
    ]


@in_a_notebook
async def test_an_order_that_nobody_gave_by_hand_says_whose_it_is() -> None:
    ex = account()
    ex.declare(Market("X-PERP", Perp))
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("X-PERP", 100.0, 0.0)
    ex.twap("ACME", 10, duration_secs=60, num_slices=2)
    ex.tick("ACME", 100.0, 1.0)  # p1
    ex.buy_perp("X-PERP", 10, market=True, leverage=20)  # p2
    ex.tick("X-PERP", 90.0, 1.0)  # closed at 97.50, or where the tick finds it
    states = {row[0]: row[3] for row in cells(Orders(ex))}
    assert states == {"p1": "working (algo a1)", "p2": "filled", "p3": "filled (liquidation)"}


@in_a_notebook
async def test_an_order_that_came_and_went_between_two_paints_is_seen() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 1, limit=90.0)
    table = Orders(ex)
    for _ in range(3):
        ex.buy("ACME", 1, market=True)
    ex.cancel("p1")
    ex.buy("ACME", 1, limit=91.0)
    await passing(0.2)
    assert [row["id"] for row in table.shown["rows"]] == ["p5", "p4", "p3", "p2", "p1"]
    await passing(0.2)
    assert [row["id"] for row in table.shown["rows"]] == ["p5", "p4", "p3", "p2", "p1"]


# ------------------------------------------------------------------------- fills
@in_a_notebook
async def test_fills_are_shown_newest_first_with_fee_and_role() -> None:
    clock = Clock(86_400.0)
    ex = account(clock, maker_fee_rate=-0.0005, taker_fee_rate=0.001)
    ex.declare(Market("rain", Prediction))
    ex.tick("ACME", 100.0, 86_400.0)
    ex.tick("rain", 0.4, 86_400.0)
    ex.buy("ACME", 10, market=True)
    ex.sell("ACME", 4, limit=105.0)
    clock.now += 3_661.0
    ex.tick("ACME", 105.0)
    ex.buy("rain:no", 100, market=True)
    table = Fills(ex)
    assert columns(table) == [
        *("Time, UTC", "Market", "Side", "Order", "Quantity, units", "Price, USD", "Fee, USD")
    ]
    assert cells(table) == [
        # 100 x 0.60 x 0.001
        ["01:01:01", "rain NO", "BUY +", "p3", "100", "0.60", "0.06 taker"],
        # 4 x 105 = 420, of which a maker gets 0.0005.
        ["01:01:01", "ACME", "SELL −", "p2", "4", "105.00", "−0.21 maker"],
        ["00:00:00", "ACME", "BUY +", "p1", "10", "100.00", "1.00 taker"],
    ]
    assert [row["id"] for row in table.shown["rows"]] == ["f3", "f2", "f1"]


@in_a_notebook
async def test_the_latest_fills_are_shown_and_the_others_counted() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    table = Fills(ex)
    assert (table.shown["rows"], table.shown["empty"]) == ([], "No fills yet.")
    for _ in range(1_020):
        ex.buy("ACME", 0.5, market=True)
    await passing(0.2)
    assert table.shown["name"] == "Fills: 1,020"
    assert len(table.shown["rows"]) == 12
    assert table.shown["note"] == "1,008 more earlier fills not shown."


@in_a_notebook
async def test_the_table_of_fills_takes_none_from_the_client() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 1, market=True)
    Fills(ex)
    assert len(ex.fills()) == 1


# ------------------------------------------------------------------------- balance
@in_a_notebook
async def test_the_balance_adds_up() -> None:
    ex = traded()
    ex.tick("ACME", 103.0, 1.0)
    # Cash: 100,000 - 1,000 - 120 + 400, less fees of 1 + 0.12 + 0.40 + 0.10.
    # Equity: 100,000 + 30 of profit - 1.62. Held back: (4 + 20 % of 180) x 100 for the call
    # and 100 / 5 for the perpetual: 99,278.38 - 4,000 - 20.
    assert cells(Balance(ex)) == [
        ["Equity", "100,028.38"],
        ["Cash", "99,278.38"],
        ["Buying power", "95,258.38"],
        ["Unrealised profit", "+30.00"],
        ["Realised profit", "0.00"],
        ["Fees paid", "1.62"],
    ]
    assert columns(Balance(ex)) == ["Account", "USD"]


@in_a_notebook
async def test_an_account_without_anything_shows_zeros() -> None:
    figures = dict(cells(Balance(account(initial_cash_usd=0.0))))
    assert set(figures.values()) == {"0.00"}


# ------------------------------------------------------------------------- prices
@in_a_notebook
async def test_prices_are_shown_with_quotes_and_their_change() -> None:
    ex = account()
    ex.tick("ACME", 100.0, 0.0)
    ex.tick("flat", 7.0, 0.0)
    table = Prices(ex)
    assert columns(table) == [
        *("Market", "Last, USD", "Bid, USD", "Ask, USD", "Change, USD", "Time, UTC")
    ]
    ex.tick("ACME", 101.5, 3_600.0, bid=101.0, ask=102.0)
    ex.tick("late", 5.0, 3_601.0, bid=4.5)
    await passing(0.2)
    assert cells(table) == [
        ["ACME", "101.50", "101.00", "102.00", "+1.50", "01:00:00"],
        ["flat", "7.00", "–", "–", "0.00", "00:00:00"],
        ["late", "5.00", "4.50", "–", "0.00", "01:00:01"],
    ]
    ex.tick("ACME", 98.75, 3_602.0)
    await passing(0.2)
    assert cells(table)[0] == ["ACME", "98.75", "–", "–", "−1.25", "01:00:02"]
    assert [row["cells"][4][1] for row in table.shown["rows"]] == ["sell", "", ""]


@in_a_notebook
async def test_prices_keep_as_many_decimals_as_they_have_had() -> None:
    ex = account()
    ex.declare(Market("grid", Prediction, tick_size=0.01))
    ex.tick("grid", 0.4217, 0.0)
    ex.tick("free", 1.25, 0.0)
    table = Prices(ex)
    # On a grid of cents one digit finer is enough; without one a price has all of its own.
    assert [row[1] for row in cells(table)] == ["0.422", "1.25"]
    ex.tick("free", 1.25125, 1.0)
    await passing(0.2)
    assert cells(table)[1][1:5] == ["1.25125", "–", "–", "+0.00125"]
    ex.tick("free", 1.5, 2.0)
    await passing(0.2)
    assert cells(table)[1][1:5] == ["1.50000", "–", "–", "+0.25000"]


@in_a_notebook
async def test_times_of_several_days_and_of_daily_bars_have_their_date() -> None:
    ex = account()
    ex.tick("one", 1.0, 90_000.0)
    table = Prices(ex)
    assert cells(table)[0][-1] == "01:00:00"
    ex.tick("two", 1.0, 180_000.0)
    await passing(0.2)
    assert [row[-1] for row in cells(table)] == ["1970-01-02 01:00:00", "1970-01-03 02:00:00"]
    daily = account()
    daily.tick("bar", 1.0, 86_400.0)
    assert cells(Prices(daily))[0][-1] == "1970-01-02 00:00:00"


@in_a_notebook
async def test_a_settled_market_says_so_and_one_without_a_tick_has_no_time() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.declare(Market("snow", Prediction))
    table = Prices(ex)
    assert (table.shown["rows"], table.shown["empty"]) == ([], "No price yet.")
    ex.tick("rain", 0.4, 60.0)
    await passing(0.2)
    ex.settle("rain", 1.0)
    ex.settle("snow", 0.0)
    await passing(0.2)
    rain, snow = cells(table)
    assert (rain[0], rain[1]) == ("rain (settled)", "1.00")
    ex.tick("rain", 0.5, 120.0, bid=0.4, ask=0.6)  # a feed that plays on says nothing of it
    await passing(0.2)
    assert cells(table)[0][1:5] == ["1.00", "–", "–", "+0.60"]
    assert (snow[0], snow[1], snow[-1]) == ("snow (settled)", "0.00", "–")


@in_a_notebook
async def test_ten_thousand_markets_paint_in_bounded_rows_what_is_held_first() -> None:
    ex = account()
    for number in range(10_000):
        ex.tick(f"M{number}", 10.0, 0.0)
    ex.buy("M7777", 1, market=True)
    ex.buy("M8888", 1, limit=9.0)
    table = Prices(ex)
    rows = [row["id"] for row in table.shown["rows"]]
    assert rows[:3] == ["M7777", "M8888", "M0"]
    assert len(rows) == 50
    assert table.shown["note"] == "9,950 more markets not shown."


@in_a_notebook
async def test_more_positions_than_rows_are_counted() -> None:
    ex = account()
    for number in range(60):
        ex.tick(f"M{number}", 10.0, 0.0)
        ex.buy(f"M{number}", 1, market=True)
    table = Positions(ex)
    assert len(table.shown["rows"]) == 50
    assert table.shown["note"] == "10 more positions not shown."
    await do(table, "flatten all", id="")
    assert ex.positions() == []
