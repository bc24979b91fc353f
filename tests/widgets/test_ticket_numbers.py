"""What the ticket's preview says of each kind of order, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import Crypto, Market, Perp, Prediction, words
from horizon.widgets import OrderTicket
from tests.widgets.notebook import account, in_a_notebook, on_a_loop, passing
from tests.widgets.tickets import confirm, facts, preview

CALL, PUT = "AAPL250117C00180000", "AAPL250117P00180000"


def priced(market: Market | str, price: float, **options: Any) -> hz.ImperativeClient:
    """An account of 100,000 USD for which one market has a price."""
    ex = account(**options)
    if isinstance(market, Market):
        ex.declare(market)
    ex.tick(market if isinstance(market, str) else market.id, price, 0.0)
    return ex


# ------------------------------------------------------------------------- equities
@in_a_notebook
async def test_a_limit_order_for_shares() -> None:
    ticket = OrderTicket(priced("ACME", 100.0, fee_bps=10.0), market="ACME")
    seen = await preview(ticket, quantity="10", limit="99")
    # 10 x 99 = 990, a tenth of a percent of it is 0.99. It rests: 990.99 are reserved. At the
    # last price it would be 1,000.
    assert facts(ticket) == {
        "Limit price": "99.00 USD",
        "Notional": "990.00 USD",
        "Fee, as maker": "0.99 USD",
        "Against the last price": "10.00 USD better",
        "Buying power after": "99,009.01 USD (now 100,000.00)",
        "Position after, once filled": "+10 shares (now 0)",
        "Worst loss of what it opens": "990.99 USD",
    }
    assert seen["headline"] == "BUY +10 ACME at 99.00 USD"
    assert seen["notes"] == ["ACME was not declared here: it will be known as an equity."]


@in_a_notebook
async def test_a_short_sale_at_the_market() -> None:
    ex = priced("ACME", 100.0, fee_bps=20.0, slippage_bps=100.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="10", side="sell", order="market")
    # 1 % worse than 100 is 99; 10 x 99 = 990, two tenths of a percent of it 1.98. It fills at
    # once: 988.02 come in, and 150 % of 10 x 100 at the mark are held back:
    # 100,000 + 988.02 - 1,500 = 99,488.02.
    assert facts(ticket) == {
        "Expected price": "99.00 USD",
        "Notional": "990.00 USD",
        "Fee, as taker": "1.98 USD",
        # 1 % of 100 each, and 10 x 100 x 1.5.
        "Slippage to the last price": "100.0 bps, 10.00 USD worse",
        "Buying power after": "99,488.02 USD (now 100,000.00)",
        "Position after": "−10 shares (now 0)",
        "Worst loss of what it opens": "unlimited",
        "Short reserve, 150 % of its worth": "1,500.00 USD",
    }
    assert seen["headline"] == "SELL −10 ACME at the market"
    await confirm(ticket)
    assert ex.balance().buying_power == pytest.approx(99_488.02)
    assert ticket.shown["done"]["text"] == "Order p1: SELL −10 ACME, filled."
    assert ticket.shown["done"]["filled"] == "10 of 10 filled at 99.00 USD"


@in_a_notebook
async def test_an_order_that_only_closes_risks_its_fee() -> None:
    ex = priced("ACME", 100.0, fee_bps=10.0)
    ex.buy("ACME", 10, market=True)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="4", side="sell", order="market", reduce_only="yes")
    # Bought for 1,000 and a fee of 1: 98,999 are left. 4 x 100 - 0.40 come back.
    shown = facts(ticket)
    assert shown["Buying power after"] == "99,398.60 USD (now 98,999.00)"
    assert shown["Position after"] == "+6 shares (now +10)"
    assert shown["Worst loss of what it opens"] == "0.40 USD"
    assert seen["notes"] == [
        "This paper venue fills at the last price; bid and ask are only shown."
    ]


@in_a_notebook
async def test_a_limit_that_the_market_has_reached_is_told() -> None:
    ticket = OrderTicket(priced("ACME", 100.0), market="ACME")
    seen = await preview(ticket, quantity="10", limit="100")
    assert any("has reached this limit" in note for note in seen["notes"])
    assert "Fee, as taker" in facts(ticket)
    seen = await preview(ticket, limit="99.99")
    assert not any("has reached this limit" in note for note in seen["notes"])


@in_a_notebook
async def test_a_limit_beyond_the_market_says_what_it_pays_in_excess() -> None:
    ticket = OrderTicket(priced("ACME", 100.0), market="ACME")
    # 103 - 100 for each of 10.
    said = (
        "The last price, 100.00 USD, has reached this limit of 103.00 USD. Paper fills at the "
        "limit, not at the price: 3.00 USD worse for each share, 30.00 USD in all."
    )
    seen = await preview(ticket, quantity="10", limit="103")
    assert seen["cautions"][0] == said
    seen = await preview(ticket, order="iceberg", show="5")
    assert said in seen["cautions"]
    seen = await preview(ticket, order="twap", slices="2", duration="60")
    assert not any("Paper fills at the limit" in note for note in seen["cautions"])


@in_a_notebook
async def test_a_post_only_order_that_would_take_is_refused() -> None:
    ex = priced("ACME", 100.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="10", limit="101", post_only="yes")
    assert seen["refusal"] == "post_only: the order would take liquidity on arrival"
    await confirm(ticket)
    assert ex.open_orders() == []
    assert ex.positions() == []


@in_a_notebook
async def test_a_market_without_a_price_takes_no_market_order() -> None:
    ticket = OrderTicket(account(), market="ACME")
    seen = await preview(ticket, quantity="10", order="market")
    assert seen["refusal"] == "no price: ACME has had no tick yet"
    shown = facts(ticket)
    assert shown["Expected price"] == shown["Notional"] == "–"
    assert (await preview(ticket, order="limit", limit="99"))["refusal"] is None


@in_a_notebook
async def test_numbers_are_shown_with_every_digit_that_is_sent() -> None:
    ex = priced(Market("BTC/USD", Crypto), 50_000.0)
    ticket = OrderTicket(ex, market="BTC/USD")
    seen = await preview(ticket, quantity="0.0000015", limit="49999.9999")
    assert seen["headline"] == "BUY +0.0000015 BTC/USD at 49,999.9999 USD"
    assert seen["confirm"] == "Confirm: buy 0.0000015"
    # 0.0000015 x 49,999.9999 is 0.075 less a hair.
    assert facts(ticket)["Notional"] == "0.07 USD"
    seen = await preview(ticket, quantity="1234.567", limit="1")
    assert seen["headline"] == "BUY +1,234.567 BTC/USD at 1.00 USD"
    await confirm(ticket)
    assert ex.orders()[0].quantity == 1234.567
    assert "BUY +1,234.567" in ticket.shown["done"]["text"]


# ------------------------------------------------------------------------- crypto
@in_a_notebook
async def test_an_order_for_coins() -> None:
    ticket = OrderTicket(priced("BTC/USD", 50_000.0, fee_bps=10.0), market="BTC/USD")
    seen = await preview(ticket, quantity="0.5", limit="49000")
    # Half of 49,000 is 24,500, and 24.50 of fee: 75,475.50 are left.
    assert facts(ticket)["Notional"] == "24,500.00 USD"
    assert facts(ticket)["Buying power after"] == "75,475.50 USD (now 100,000.00)"
    assert facts(ticket)["Position after, once filled"] == "+0.5 coins (now 0)"
    assert seen["headline"] == "BUY +0.5 BTC/USD at 49,000.00 USD"


# ------------------------------------------------------------------------- predictions
@in_a_notebook
async def test_yes_of_a_prediction() -> None:
    ex = priced(Market("rain", Prediction), 0.40, fee_bps=100.0)
    ticket = OrderTicket(ex, market="rain")
    seen = await preview(ticket, quantity="200", limit="0.38")
    # 200 x 0.38 = 76, and 0.76 of fee.
    assert facts(ticket) == {
        "Limit price": "0.38 USD",
        "Notional": "76.00 USD",
        "Fee, as maker": "0.76 USD",
        "Against the last price": "4.00 USD better",
        "Buying power after": "99,923.24 USD (now 100,000.00)",
        "Position after, once filled": "+200 contracts (now 0)",
        "Worst loss of what it opens": "76.76 USD",
        "Implied chance of YES": "38 %",
        "Pays if it ends YES": "200.00 USD",
        # 200 less 76 and the fee.
        "Most it can gain, fee deducted": "123.24 USD",
        "The same bet": "SELL −200 NO at 0.62 USD",
    }
    assert seen["headline"] == "BUY +200 rain YES at 0.38 USD"
    await confirm(ticket)
    assert [order.market_id for order in ex.orders()] == ["rain"]


@in_a_notebook
async def test_no_of_a_prediction_has_its_own_price_and_position() -> None:
    ex = priced(Market("rain", Prediction), 0.40)
    ticket = OrderTicket(ex, market="rain")
    seen = await preview(ticket, quantity="200", outcome="no", order="market")
    # NO costs 1 - 0.40.
    assert facts(ticket)["Expected price"] == "0.60 USD"
    assert facts(ticket)["Worst loss of what it opens"] == "120.00 USD"
    assert seen["headline"] == "BUY +200 rain NO at the market"
    await confirm(ticket)
    assert [(p.market_id, p.quantity) for p in ex.positions()] == [("rain:no", 200.0)]


@in_a_notebook
async def test_a_sold_prediction_can_lose_what_is_missing_to_one() -> None:
    ex = priced(Market("rain", Prediction), 0.40)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, quantity="200", side="sell", limit="0.45")
    # 200 x (1 - 0.45) = 110, which is what is held back as well.
    assert facts(ticket)["Worst loss of what it opens"] == "110.00 USD"
    assert facts(ticket)["Buying power after"] == "99,890.00 USD (now 100,000.00)"


@in_a_notebook
async def test_a_prediction_that_is_new_becomes_one() -> None:
    ex = account()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, market="snow", kind="prediction", quantity="5", limit="0.2")
    assert seen["notes"] == ["snow YES was not declared here: it will be known as a prediction."]
    await confirm(ticket)
    assert ex.engine.venue.market("snow") == Market("snow", Prediction)
    ticket = OrderTicket(ex)
    seen = await preview(ticket, market="hail:no", outcome="no", quantity="5", limit="0.2")
    assert seen["headline"] == "BUY +5 hail NO at 0.20 USD"
    await confirm(ticket)
    assert ex.orders()[-1].market_id == "hail:no"


# ------------------------------------------------------------------------- options
@in_a_notebook
async def test_an_option_by_its_symbol_counts_a_hundred_units() -> None:
    ex = priced(CALL, 4.0, fee_bps=10.0)
    ticket = OrderTicket(ex, market=CALL)
    seen = await preview(ticket, quantity="2", limit="3.9")
    # 2 x 3.90 x 100 = 780, and 0.78 of fee.
    assert facts(ticket)["Notional"] == "780.00 USD"
    assert facts(ticket)["Buying power after"] == "99,219.22 USD (now 100,000.00)"
    assert facts(ticket)["Position after, once filled"] == "+2 contracts (now 0)"
    assert facts(ticket)["Worst loss of what it opens"] == "780.78 USD"
    assert "One contract is 100 units of the underlying." in seen["notes"]
    await confirm(ticket)
    assert ex.orders()[0].market_id == CALL


@in_a_notebook
async def test_an_option_by_its_terms_is_the_same_one() -> None:
    ex = priced(PUT, 6.0)
    ticket = OrderTicket(ex)
    seen = await preview(
        ticket,
        kind="option",
        underlying="aapl",
        expiry="2025-01-17",
        right="put",
        strike="180",
        side="sell",
        quantity="1",
        limit="6.5",
    )
    assert seen["headline"] == f"SELL −1 {PUT} at 6.50 USD"
    # A put at worst costs the strike, less the premium: (180 - 6.50) x 100.
    assert facts(ticket)["Worst loss of what it opens"] == "17,350.00 USD"
    # Held back are 20 % of the strike: 3,600; the premium comes in as it is reserved.
    assert facts(ticket)["Buying power after"] == "96,400.00 USD (now 100,000.00)"
    await confirm(ticket)
    assert ex.orders()[0].market_id == PUT


# ------------------------------------------------------------------------- perpetuals
@in_a_notebook
async def test_a_perpetual_with_leverage() -> None:
    ex = priced(Market("X-PERP", Perp), 100.0)
    ticket = OrderTicket(ex, market="X-PERP")
    await preview(ticket, quantity="10", limit="100", leverage="20")
    # 1,000 at 20 times is a margin of 50. The position is worth w: it is closed where
    # 50 + w - 1,000 is half of the margin, 25, or 5 % of w, whichever is less. w = 975 comes
    # first: 5 % of it are 48.75, and 25 are less. 975 / 10 = 97.50.
    shown = facts(ticket)
    assert shown["Buying power after"] == "99,950.00 USD (now 100,000.00)"
    assert shown["Position liquidated at"] == "97.50 USD"
    assert shown["Worst loss, past liquidation"] == "1,000.00 USD"
    await confirm(ticket)
    assert ex.orders()[0].leverage == 20.0


@in_a_notebook
async def test_a_perpetual_without_leverage_is_never_closed_when_it_is_long() -> None:
    ticket = OrderTicket(priced(Market("X-PERP", Perp), 100.0), market="X-PERP")
    await preview(ticket, quantity="10", limit="100")
    assert facts(ticket)["Position liquidated at"] == "never"
    await preview(ticket, side="sell", limit="100", leverage="20")
    # Short 1,000: closed where 50 - (w - 1,000) is 25, at w = 1,025.
    assert facts(ticket)["Position liquidated at"] == "102.50 USD"
    assert facts(ticket)["Worst loss, past liquidation"] == "unlimited"


# ------------------------------------------------------------------------- algorithms
@in_a_notebook
async def test_a_twap_is_previewed_as_a_whole_and_its_children_follow() -> None:
    ex = priced("ACME", 100.0, fee_bps=10.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, order="twap", quantity="100", limit="", duration="60", slices="4")
    assert seen["headline"] == "TWAP BUY +100 ACME: 4 slices over 1 min"
    assert seen["confirm"] == "Start TWAP 100"
    # 100 x 100 = 10,000, and 10 of fee.
    assert facts(ticket) == {
        "At the present price": "100.00 USD",
        "Notional": "10,000.00 USD",
        "Fee, as taker, estimated": "10.00 USD",
        "Against the last price": "0.00 USD",
        "Buying power after, if all at once": "89,990.00 USD (now 100,000.00)",
        "Position after, once filled": "+100 shares (now 0)",
        "Worst loss of what it opens": "10,010.00 USD",
    }
    assert "Each slice is a limit order at the price of the tick that sends it." in seen["notes"]
    await confirm(ticket)
    ex.tick("ACME", 101.0, 1.0)
    (child,) = ex.orders()
    assert (child.quantity, child.price, child.metadata["intent"]) == (25.0, 101.0, "algo a1")
    await passing(0.2)
    assert ticket.shown["done"]["text"] == "TWAP a1 started: BUY +100 ACME, running."


@in_a_notebook
async def test_the_price_limit_of_a_twap_holds_in_the_preview() -> None:
    ex = priced(Market("rain", Prediction, tick_size=0.05), 0.42)
    ticket = OrderTicket(ex, market="rain")
    # A slice now would be limited to 0.40: the grid's next price that pays no more.
    nearest = "At the nearest price it may pay"
    seen = await preview(ticket, order="twap", quantity="100", limit="")
    assert facts(ticket)[nearest] == "0.40 USD"
    assert seen["notes"] == ["Each slice is a limit order at the price of the tick that sends it."]
    seen = await preview(ticket, limit="0.35")
    assert facts(ticket)[nearest] == "0.35 USD"
    assert seen["headline"].startswith("TWAP BUY +100 rain YES, limit 0.35 USD:")
    assert seen["notes"][0].endswith("at most 0.35 USD.")
    assert seen["cautions"] == [
        "The market is beyond the limit of at most 0.35 USD: slices would wait there, and what has "
        "not filled by the end is not bought."
    ]
    seen = await preview(ticket, limit="0.5")
    assert facts(ticket)[nearest] == "0.40 USD"
    assert seen["notes"][0].endswith("at most 0.50 USD.")
    assert seen["cautions"] == []
    # Sold, it goes the other way: up on the grid, and never under the limit.
    await preview(ticket, side="sell", limit="")
    assert facts(ticket)[nearest] == "0.45 USD"
    seen = await preview(ticket, limit="0.6")
    assert facts(ticket)[nearest] == "0.60 USD"
    assert seen["cautions"][0].startswith("The market is beyond the limit of at least 0.60 USD:")
    assert seen["cautions"][0].endswith("is not sold.")


@pytest.mark.parametrize("price", [0.0, 1.0])
@in_a_notebook
async def test_a_twap_may_wait_for_a_price_that_an_order_can_have(price: float) -> None:
    ex = priced(Market("rain", Prediction), price)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, order="twap", quantity="10", limit="")
    await confirm(ticket)
    assert len(ex.algos) == 1


@in_a_notebook
async def test_a_twap_in_a_market_without_a_price_waits_for_the_first_tick() -> None:
    ex = account()
    ticket = OrderTicket(ex)
    seen = await preview(ticket, market="ACME", order="twap", quantity="100", limit="")
    assert "The market has no price yet: it starts with the first tick." in seen["notes"]
    assert seen["refusal"] is None
    await confirm(ticket)
    ex.tick("ACME", 50.0, 1.0)
    assert [order.quantity for order in ex.orders()] == [10.0]


@pytest.mark.parametrize(
    ("texts", "leg"),
    [
        ({"market": "rain", "kind": "prediction", "outcome": "no"}, "rain:no"),
        (
            {"kind": "option", "underlying": "AAPL", "expiry": "2025-01-17", "strike": "180"},
            CALL,
        ),
    ],
)
@in_a_notebook
async def test_a_twap_in_a_market_that_has_ticked_and_was_not_declared(
    texts: dict[str, str], leg: str
) -> None:
    ex = account()
    ex.tick("rain", 0.4, 0.0)
    ex.tick(CALL, 4.0, 0.0)
    ticket = OrderTicket(ex)
    await preview(ticket, **texts, order="twap", quantity="10", limit="")
    # NO at 1 - 0.4; the option at its mark.
    price = {"rain:no": "0.60 USD", CALL: "4.00 USD"}[leg]
    assert facts(ticket)["At the present price"] == price
    await confirm(ticket)
    assert [algo.progress.market_id for algo in ex.algos] == [leg]


@in_a_notebook
async def test_a_vwap_follows_its_profile() -> None:
    ex = priced("ACME", 100.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(
        ticket,
        order="vwap",
        quantity="100",
        limit="102",
        duration="90",
        profile="1, 2, 1",
        side="sell",
    )
    assert seen["headline"] == ("VWAP SELL −100 ACME, limit 102.00 USD: 3 slices over 1 min 30 s")
    assert seen["confirm"] == "Start VWAP 100"
    await confirm(ticket)
    ex.tick("ACME", 101.0, 1.0)
    (child,) = ex.orders()
    # A quarter of 100, at the limit, which is the least that it may take.
    assert (child.side, child.quantity, child.price) == ("sell", 25.0, 102.0)


@in_a_notebook
async def test_an_iceberg_rests_at_its_limit_a_part_at_a_time() -> None:
    ex = priced("ACME", 100.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, order="iceberg", quantity="100", limit="99", show="30")
    assert seen["headline"] == "ICEBERG BUY +100 ACME at 99.00 USD, 30 shown at a time"
    assert facts(ticket)["Limit price"] == "99.00 USD"
    await confirm(ticket)
    ex.tick("ACME", 100.0, 1.0)
    (child,) = ex.orders()
    assert (child.quantity, child.price) == (30.0, 99.0)


@in_a_notebook
async def test_an_algorithm_too_large_for_all_at_once_is_warned_of_and_may_start() -> None:
    ex = priced("ACME", 100.0, risk=hz.RiskConfig(max_order_size=50.0))
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, order="twap", quantity="100", limit="", slices="4")
    assert seen["refusal"] is None
    assert any(note.startswith("All at once it would be refused: ") for note in seen["notes"])
    await confirm(ticket)
    assert len(ex.algos) == 1


# ------------------------------------------------------------------------- the client's own
@settings(max_examples=60, deadline=None)
@given(
    market=st.sampled_from(["ACME", "rain", "rain:no", CALL, PUT, "X-PERP", "BTC/USD"]),
    side=st.sampled_from(["buy", "sell"]),
    cents=st.integers(1, 99),
    quantity=st.integers(1, 400),
    at_market=st.booleans(),
    held=st.sampled_from([0, 50, -50]),
)
def test_every_number_is_the_one_that_the_client_s_preview_gives(
    market: str, side: str, cents: int, quantity: int, at_market: bool, held: int
) -> None:
    async def run() -> None:
        ex = account(fee_bps=7.0, slippage_bps=12.0)
        ex.declare(Market("rain", Prediction))
        for name in ("ACME", "rain", CALL, PUT, "X-PERP", "BTC/USD"):
            ex.tick(name, 0.5, 0.0)
        if held:
            (ex.buy if held > 0 else ex.sell)(market, abs(held), market=True)
        own = {"market": True} if at_market else {"limit": cents / 100}
        expected = ex.preview(market, quantity, side=side, **own)
        ticket = OrderTicket(ex)
        seen = await preview(
            ticket,
            market=market,
            outcome="no" if market.endswith(":no") else "yes",
            side=side,
            order="market" if at_market else "limit",
            limit=str(cents / 100),
            quantity=str(quantity),
        )
        shown = facts(ticket)
        assert seen["refusal"] == expected.refusal
        assert shown["Notional"] == words.cash(expected.notional, "USD")
        taker = "taker" if expected.is_taker else "maker"
        assert shown[f"Fee, as {taker}"] == words.cash(expected.fee, "USD")
        worst = next(label for label in shown if label.startswith("Worst loss"))
        assert shown[worst] == words.cash(expected.worst_loss, "USD")
        assert shown["Buying power after"].startswith(
            words.cash(expected.buying_power_after, "USD")
        )
        after = shown["Position after" if at_market else "Position after, once filled"]
        assert after.startswith(words.signed(expected.position_after))
        assert after.endswith(f"(now {words.signed(expected.position)})")

    on_a_loop(run)
