"""What a market's kind brings into the ticket: quotes, contract, payouts, margins, slippage."""

from __future__ import annotations

from typing import Any

import pytest

import horizon as hz
from horizon import Crypto, Equity, Market, Option, Perp, Prediction
from horizon.venues.latency import ConstantLatency
from horizon.widgets import OrderTicket
from tests.widgets.notebook import account, assert_fit_to_show, in_a_notebook, passing
from tests.widgets.tickets import edit, facts, preview

CALL, PUT = "AAPL250117C00180000", "AAPL250117P00180000"


def book(**options: Any) -> hz.ImperativeClient:
    """Ten cents about 0.41, of a market whose price is known."""
    ex = hz.connect("book", initial_cash=1_000.0, clock=lambda: 0.0, **options)
    ex.declare(Market("rain", Prediction, tick_size=0.01))
    ex.take_book("rain", bids=[(0.40, 100), (0.39, 100)], asks=[(0.42, 100), (0.44, 300)])
    return ex


def has(ticket: OrderTicket, **wanted: str) -> bool:
    """Whether the preview has these facts, named with underscores for blanks."""
    shown = facts(ticket)
    return all(shown.get(name.replace("_", " ")) == text for name, text in wanted.items())


# ------------------------------------------------------------------------- what is quoted
@in_a_notebook
async def test_the_market_of_the_form_is_quoted_above_it() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction, tick_size=0.01, lot_size=10.0))
    ticket = OrderTicket(ex)
    assert ticket.shown["quote"] == [["Bid", "–"], ["Ask", "–"], ["Last", "–"]]
    assert ticket.shown["contract"] == ""
    await edit(ticket, market="rain")
    assert ticket.shown["contract"] == "Prediction · tick 0.01 USD · lot 10 contracts"
    ex.tick("rain", 0.42, 0.0, bid=0.41)
    await passing(0.2)
    assert ticket.shown["quote"] == [["Bid", "0.41"], ["Ask", "–"], ["Last", "0.42"]]
    await edit(ticket, outcome="no")
    assert ticket.shown["quote"] == [["Bid", "–"], ["Ask", "0.59"], ["Last", "0.58"]]
    await edit(ticket, market=" rain:no ", outcome="yes")
    assert ticket.shown["quote"][2] == ["Last", "0.58"]
    await edit(ticket, market="nothing")
    assert ticket.shown["quote"][2] == ["Last", "–"]


@pytest.mark.parametrize(
    ("market", "words"),
    [
        (Market("A", Equity), "Equity"),
        (Market("A", Equity, tick_size=0.05), "Equity · tick 0.05 USD"),
        (Market(CALL, Option), "Option · call 180.00 USD · expires 2025-01-17 · multiplier 100"),
        (Market("X-PERP", Perp, lot_size=0.001), "Perp · lot 0.001 contracts"),
        (
            Market("A/B", Crypto, lot_size=0.5, multiplier=2),
            "Crypto · lot 0.5 coins · multiplier 2",
        ),
        (Market("O", Option, strike=5), "Option · 5.00 USD · multiplier 100"),
    ],
    ids=str,
)
@in_a_notebook
async def test_a_contract_is_said_in_one_line(market: Market, words: str) -> None:
    ex = account()
    ex.declare(market)
    assert OrderTicket(ex, market=market.id).shown["contract"] == words


# ------------------------------------------------------------------------- predictions
@in_a_notebook
async def test_no_says_what_it_pays_and_which_bet_is_the_same() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, outcome="no", quantity="200", limit="0.55")
    shown = facts(ticket)
    assert shown["Implied chance of YES"] == "45 %"
    assert shown["Pays if it ends NO"] == "200.00 USD"
    assert shown["Most it can gain, fee deducted"] == "90.00 USD"
    assert shown["The same bet"] == "SELL −200 YES at 0.45 USD"


@in_a_notebook
async def test_a_sold_prediction_owes_and_gains_its_price() -> None:
    ex = account(fee_bps=100.0)
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, side="sell", quantity="100", order="market")
    shown = facts(ticket)
    # 40 come in, 0.40 of fee go out.
    assert shown["Owes if it ends YES"] == "100.00 USD"
    assert shown["Most it can gain, fee deducted"] == "39.60 USD"
    assert shown["The same bet"] == "BUY +100 NO at 0.60 USD"


@in_a_notebook
async def test_what_only_closes_promises_no_payout() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ex.buy("rain", 30, market=True)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, side="sell", quantity="30", order="market")
    assert not [label for label in facts(ticket) if label.startswith(("Owes", "Most it can gain"))]
    # 50 sold of 30 held open 20: 8 at most are gained.
    await preview(ticket, quantity="50")
    assert facts(ticket)["Owes if it ends YES"] == "20.00 USD"
    assert facts(ticket)["Most it can gain, fee deducted"] == "8.00 USD"


# ------------------------------------------------------------------------- options
@pytest.mark.parametrize(
    ("market", "side", "even", "state"),
    [
        # 180 and 4.10 above for a call, below for a put, whoever sells it.
        (CALL, "buy", "184.10 USD", "182.00 USD, in the money"),
        (CALL, "sell", "184.10 USD", "182.00 USD, in the money"),
        (PUT, "buy", "175.90 USD", "182.00 USD, out of the money"),
    ],
)
@in_a_notebook
async def test_an_option_says_its_terms_and_where_it_breaks_even(
    market: str, side: str, even: str, state: str
) -> None:
    ten_days_before = 1_736_208_000.0  # 2025-01-07, UTC
    ex = account(clock=lambda: ten_days_before)
    ex.tick("AAPL", 182.0)
    ex.tick(market, 4.0)
    ticket = OrderTicket(ex, market=market)
    await preview(ticket, side=side, quantity="1", limit="4.1")
    shown = facts(ticket)
    right = "call" if market == CALL else "put"
    assert shown["Right and strike"] == f"{right}, 180.00 USD"
    assert shown["Expiry"] == "2025-01-17, in 10 d"
    assert shown["Break-even at expiry, before fees"] == even
    assert shown["Underlying, last price"] == state
    assert_fit_to_show(ticket)


@pytest.mark.parametrize(
    ("days", "left"), [(10, "today"), (11, "1 d ago"), (9, "in 1 d")], ids=["on", "after", "before"]
)
@in_a_notebook
async def test_the_days_to_expiry_are_those_of_the_venue_s_clock(days: int, left: str) -> None:
    ex = account(clock=lambda: 1_736_208_000.0 + 86_400.0 * days)
    ticket = OrderTicket(ex, market=CALL)
    await preview(ticket, quantity="1", limit="4")
    assert facts(ticket)["Expiry"] == f"2025-01-17, {left}"
    assert "Underlying, last price" not in facts(ticket)  # nobody trades it here


@in_a_notebook
async def test_an_option_of_unknown_right_breaks_even_nowhere() -> None:
    ex = account()
    ex.declare(Market("OWN", Option, strike=50))
    ticket = OrderTicket(ex, market="OWN")
    await preview(ticket, quantity="1", limit="4")
    shown = facts(ticket)
    assert shown["Right and strike"] == "right not known, 50.00 USD"
    assert not {"Break-even at expiry, before fees", "Expiry"} & set(shown)


# ------------------------------------------------------------------------- perpetuals, shorts
@in_a_notebook
async def test_a_perpetual_says_its_margin_and_how_far_liquidation_is() -> None:
    ex = account()
    ex.declare(Market("X-PERP", Perp))
    ex.tick("X-PERP", 100.0, 0.0)
    ticket = OrderTicket(ex, market="X-PERP")
    await preview(ticket, quantity="10", limit="100", leverage="20")
    assert has(ticket, Leverage="20×", Margin_of_what_it_opens="50.00 USD")
    # Closed at 97.50, as its own test works out.
    assert facts(ticket)["From the last price"] == "2.50 % away"
    await preview(ticket, leverage="")
    assert has(ticket, Leverage="1×", Margin_of_what_it_opens="1,000.00 USD")
    assert "From the last price" not in facts(ticket)


@in_a_notebook
async def test_a_short_of_shares_or_coins_says_its_reserve() -> None:
    ex = account()
    ex.tick("BTC/USD", 100.0, 0.0)
    ticket = OrderTicket(ex, market="BTC/USD")
    label = "Short reserve, 150 % of its worth"
    await preview(ticket, side="sell", quantity="2", limit="90")
    assert facts(ticket)[label] == "300.00 USD"  # at the mark, which is above its limit
    await preview(ticket, limit="110")
    assert facts(ticket)[label] == "330.00 USD"
    await preview(ticket, side="buy")
    assert label not in facts(ticket)
    ex.buy("BTC/USD", 2, market=True)
    await preview(ticket, side="sell")
    assert label not in facts(ticket)


# ------------------------------------------------------------------------- slippage
@in_a_notebook
async def test_a_market_order_shows_the_levels_of_the_book_and_its_slippage() -> None:
    ticket = OrderTicket(book(), market="rain")
    seen = await preview(ticket, quantity="150", order="market")
    # 42 and 50 at 0.44 are 64 for 150: 0.426667; the mid is 0.41, 61.50 for them all.
    assert has(
        ticket,
        Expected_price="0.426667 USD",
        Notional="64.00 USD",
        Levels_taken="2, to 0.44 USD",
        Slippage_to_the_mid="406.5 bps, 2.50 USD worse",
        Slippage_to_the_best_ask="158.7 bps, 1.00 USD worse",
    )
    assert "Against the last price" not in facts(ticket)
    assert not seen["notes"]
    await preview(ticket, quantity="100")
    assert has(
        ticket,
        Levels_taken="1",
        Slippage_to_the_mid="243.9 bps, 1.00 USD worse",
        Slippage_to_the_best_ask="0.00 USD",
    )


@in_a_notebook
async def test_what_the_book_does_not_show_is_said() -> None:
    ticket = OrderTicket(book(), market="rain")
    seen = await preview(ticket, quantity="500", order="market")
    assert seen["notes"] == ["The book shows 400 of 500: the rest, 100, ends unfilled."]
    seen = await preview(ticket, order="limit", limit="0.42")
    assert seen["notes"] == ["The book shows 100 of 500: the rest, 400, rests at the limit."]
    assert facts(ticket)["Average price taken"] == "0.42 USD"
    seen = await preview(ticket, tif="ioc")
    assert seen["notes"] == ["The book shows 100 of 500: the rest, 400, ends unfilled."]
    seen = await preview(ticket, limit="0.41")
    assert seen["notes"] == ["Nothing in the book is within the limit: it would end at once."]
    seen = await preview(ticket, tif="gtc")
    assert seen["notes"] == []
    assert facts(ticket)["Against the mark"] == "0.00 USD"  # the mid, of a book
    assert ticket.shown["quote"] == [["Bid", "0.40"], ["Ask", "0.42"], ["Mark", "0.41"]]
    seen = await preview(ticket, order="twap", limit="")
    assert seen["notes"] == ["Each slice is a limit order at the price of the tick that sends it."]


def deep(market: Market, bids: list[Any], asks: list[Any], **options: Any) -> hz.ImperativeClient:
    """A book that is soon at its end."""
    ex = hz.connect("book", initial_cash=100_000.0, clock=lambda: 0.0, **options)
    ex.declare(market)
    ex.take_book(market.id, bids=bids, asks=asks)
    return ex


@in_a_notebook
async def test_what_a_prediction_pays_is_of_what_fills() -> None:
    ex = deep(Market("rain", Prediction), [(0.40, 5)], [(0.50, 3)])
    ticket = OrderTicket(ex, market="rain")
    pays, gains = "Pays if it ends YES", "Most it can gain, fee deducted"
    await preview(ticket, quantity="10", limit="0.6", tif="ioc")
    # Three of ten, for 1.50; the other seven end.
    assert facts(ticket)["Notional"] == facts(ticket)["Worst loss of what it opens"] == "1.50 USD"
    assert (facts(ticket)[pays], facts(ticket)[gains]) == ("3.00 USD", "1.50 USD")
    assert facts(ticket)["Implied chance of YES"] == "50 %"
    assert facts(ticket)["The same bet"] == "SELL −3 NO at 0.50 USD"
    await preview(ticket, tif="gtc")
    # The other seven rest: 1.50 and 4.20 are 5.70 for ten.
    assert facts(ticket)["Notional"] == facts(ticket)["Worst loss of what it opens"] == "5.70 USD"
    assert (facts(ticket)[pays], facts(ticket)[gains]) == ("10.00 USD", "4.30 USD")
    assert facts(ticket)["The same bet"] == "SELL −10 NO at 0.43 USD"
    await preview(ticket, limit="0.3")
    assert (facts(ticket)[pays], facts(ticket)[gains]) == ("10.00 USD", "7.00 USD")
    await preview(ticket, limit="0.3", tif="ioc")
    assert not {pays, gains, "The same bet"} & set(facts(ticket))  # nothing fills
    assert facts(ticket)["Implied chance of YES"] == "30 %"


@in_a_notebook
async def test_what_finds_nothing_would_have_opened() -> None:
    ex = deep(Market("rain", Prediction), [(0.40, 5)], [(0.50, 3)])
    ex.buy("rain", 2, market=True)
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, quantity="10", side="sell", order="market")
    # Five are sold: two close, three open at 0.40.
    assert facts(ticket)["Position after"] == "−3 contracts (now +2)"
    assert facts(ticket)["Owes if it ends YES"] == "3.00 USD"
    assert facts(ticket)["Most it can gain, fee deducted"] == "1.20 USD"
    assert facts(ticket)["Worst loss of what it opens"] == "1.80 USD"


@in_a_notebook
async def test_margin_and_short_reserve_are_of_what_fills() -> None:
    ticket = OrderTicket(deep(Market("X-PERP", Perp), [(99, 5)], [(100, 3)]), market="X-PERP")
    await preview(ticket, quantity="10", order="market", leverage="10")
    assert facts(ticket)["Margin of what it opens"] == "30.00 USD"
    await preview(ticket, order="limit", limit="110")
    # 300 and 770 at ten times.
    assert facts(ticket)["Margin of what it opens"] == "107.00 USD"
    shares = deep(Market("ACME", Equity), [(100, 1), (90, 10)], [(101, 3)])
    ticket = OrderTicket(shares, market="ACME")
    await preview(ticket, quantity="100", side="sell", order="market")
    # Eleven at the mid of 100.50, which is above their average.
    assert facts(ticket)["Short reserve, 150 % of its worth"] == "1,658.25 USD"


@in_a_notebook
async def test_an_option_on_a_book_breaks_even_at_what_it_pays() -> None:
    ex = deep(Market(CALL, Option), [(4.9, 10)], [(5.0, 4)])
    ticket = OrderTicket(ex, market=CALL)
    note = "One contract is 100 units of the underlying."
    label = "Break-even at expiry, before fees"
    seen = await preview(ticket, quantity="10", order="market")
    assert note in seen["notes"]
    assert facts(ticket)[label] == "185.00 USD"
    seen = await preview(ticket, quantity="4", order="limit", limit="5.2")
    assert note in seen["notes"]
    assert facts(ticket)[label] == "185.00 USD"
    # Four at 5 and four at 5.20 are 5.10.
    await preview(ticket, quantity="8")
    assert facts(ticket)[label] == "185.10 USD"
    # A whole that is sent in parts is compared at the same prices: 40 is 5 cents of 800.
    seen = await preview(ticket, order="iceberg", show="2")
    assert note in seen["notes"]
    assert facts(ticket)["Against the mark"] == "120.00 USD worse"


@in_a_notebook
async def test_a_book_that_orders_travel_to_is_a_later_one() -> None:
    ticket = OrderTicket(book(latency=ConstantLatency(0.5)), market="rain")
    seen = await preview(ticket, quantity="10", order="market")
    assert seen["notes"] == [
        "Orders travel for a while here: the book that this one meets is a later one."
    ]


@in_a_notebook
async def test_quotes_are_compared_with_and_their_size_is_not_known() -> None:
    ex = account(matching="quotes", slippage_bps=100.0)
    ex.tick("ACME", 100.0, 0.0, bid=98.0, ask=102.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, quantity="10", order="market", side="sell")
    # 1 % under 98 is 97.02: 2.98 from the mid of 100, 0.98 from the bid.
    assert has(
        ticket,
        Slippage_to_the_mid="298.0 bps, 29.80 USD worse",
        Slippage_to_the_best_bid="100.0 bps, 9.80 USD worse",
    )
    assert seen["notes"][0].startswith("How much stands at bid and ask is not known here")
