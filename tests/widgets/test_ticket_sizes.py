"""Sizes by money and by share of the buying power: what they come to, rounded down and said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import Crypto, Equity, Market, Perp, Prediction
from horizon.types import AssetClass
from horizon.widgets import OrderTicket
from horizon.widgets.ticket.size import affordable, lot_of, price_step, size_step, stepped
from tests.widgets.notebook import account, assert_fit_to_show, in_a_notebook, on_a_loop, passing
from tests.widgets.tickets import confirm, edit, facts, preview, refused_preview

NOTIONAL = {"size_by": "notional"}
POWER = {"size_by": "power"}


def priced(name: str = "ACME", price: float = 180.0, **options: Any) -> hz.ImperativeClient:
    ex = account(**options)
    ex.tick(name, price, 0.0)
    return ex


def hint(ticket: OrderTicket) -> str:
    """What is said under the field of the size."""
    shown = [f["hint"] for f in ticket.shown["fields"] if f["name"] in ("notional", "share")]
    return str(shown[0])


@in_a_notebook
async def test_a_notional_comes_to_whole_shares_rounded_down() -> None:
    ex = priced(fee_bps=10.0)
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, **NOTIONAL, notional="1000", limit="180")
    # 1,000 / 180 = 5.56: 5 shares of 900 in all.
    assert seen["headline"] == "BUY +5 ACME at 180.00 USD"
    assert (
        facts(ticket)["Size, as it was previewed"]
        == "5 shares: 900.00 of 1,000.00 USD at 180.00 USD, down to whole shares"
    )
    assert facts(ticket)["Notional"] == "900.00 USD"
    assert hint(ticket) == f"As previewed: {facts(ticket)['Size, as it was previewed']}"
    assert facts(ticket)["Against the 1,000.00 USD asked for"] == "100.00 USD less"
    assert seen["confirm"] == "Confirm: buy 5"
    await confirm(ticket)
    assert [order.quantity for order in ex.orders()] == [5.0]


@in_a_notebook
async def test_a_size_that_comes_out_even_is_not_said_to_be_rounded() -> None:
    ticket = OrderTicket(priced(), market="ACME")
    await preview(ticket, **NOTIONAL, notional="900", limit="180")
    assert facts(ticket)["Size, as it was previewed"] == "5 shares: 900.00 USD at 180.00 USD"
    await preview(ticket, notional="180")
    assert facts(ticket)["Size, as it was previewed"] == "1 share: 180.00 USD at 180.00 USD"


@in_a_notebook
async def test_the_field_says_what_it_comes_to_before_any_preview() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    await edit(ticket, **NOTIONAL, notional="1000", order="market")
    assert hint(ticket) == "5 shares: 900.00 of 1,000.00 USD at 180.00 USD, down to whole shares"
    ex.tick("ACME", 90.0, 1.0)
    await passing(0.2)
    assert hint(ticket) == "11 shares: 990.00 of 1,000.00 USD at 90.00 USD, down to whole shares"
    for wrong in ("", "x", "5"):
        await edit(ticket, notional=wrong)
        assert hint(ticket) == "Comes to – units"
    assert ticket.shown["wrong"] == {}  # nobody has asked yet
    assert_fit_to_show(ticket)


@in_a_notebook
async def test_a_preview_fixes_the_number_of_units() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    seen = await preview(ticket, **NOTIONAL, notional="1000", order="market")
    assert seen["headline"] == "BUY +5 ACME at the market"
    ex.tick("ACME", 90.0, 1.0)
    await passing(0.2)
    # What is confirmed is what was read; only its price follows the market.
    assert ticket.shown["preview"]["confirm"] == "Confirm: buy 5"
    assert facts(ticket)["Notional"] == "450.00 USD"
    assert facts(ticket)["Against the 1,000.00 USD asked for"] == "550.00 USD less"
    await confirm(ticket)
    assert ex.orders()[0].quantity == 5.0


@in_a_notebook
async def test_units_that_cost_more_by_now_than_was_asked_for_say_so() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    await preview(ticket, **NOTIONAL, notional="900", order="market")
    beside = "Against the 900.00 USD asked for"
    assert facts(ticket)[beside] == "as much"
    labels = list(facts(ticket))
    ex.tick("ACME", 180.5, 1.0)
    await passing(0.2)
    # Five shares at 180.50 are 902.50.
    assert facts(ticket)["Size, as it was previewed"] == "5 shares: 900.00 USD at 180.00 USD"
    assert facts(ticket)["Notional"] == "902.50 USD"
    assert facts(ticket)[beside] == "2.50 USD MORE"
    moved = "At the present price these units come to more than was asked for"
    assert [note.startswith(moved) for note in ticket.shown["preview"]["cautions"]].count(True) == 1
    # No row comes or goes: the button to confirm stays under the pointer.
    assert list(facts(ticket)) == labels
    ex.tick("ACME", 179.0, 2.0)
    await passing(0.2)
    assert facts(ticket)[beside] == "5.00 USD less"
    assert not any(note.startswith(moved) for note in ticket.shown["preview"]["cautions"])
    ex.tick("ACME", 200.0, 3.0)
    await preview(ticket)
    assert facts(ticket)["Size, as it was previewed"].startswith("4 shares: 800.00 of 900.00 USD")


@in_a_notebook
async def test_lots_and_coins_are_rounded_on_their_own_grids() -> None:
    ex = priced("BTC/USD", 30_000.0)
    ex.declare(Market("LOTS", Equity, lot_size=25.0))
    ex.declare(Market("FINE", Crypto, lot_size=0.05))
    ticket = OrderTicket(ex)
    await preview(ticket, market="LOTS", **NOTIONAL, notional="1000", limit="12")
    # 83.3 shares are three lots.
    assert facts(ticket)["Size, as it was previewed"] == (
        "75 shares: 900.00 of 1,000.00 USD at 12.00 USD, down to lots of 25 shares"
    )
    await preview(ticket, market="BTC/USD", notional="1000", limit="30000")
    assert facts(ticket)["Size, as it was previewed"] == (
        "0.03333333 coins: 1,000.00 USD at 30,000.00 USD, down to lots of 0.00000001 coins"
    )
    await preview(ticket, market="FINE", notional="10", limit="3")
    assert facts(ticket)["Size, as it was previewed"].startswith("3.3 coins: ")


@in_a_notebook
async def test_a_share_of_the_buying_power_counts_fees() -> None:
    ticket = OrderTicket(priced(fee_bps=10.0), market="ACME")
    # 50,000 at 180.18 each is 277.5.
    seen = await preview(ticket, **POWER, share="50", limit="180")
    assert seen["headline"] == "BUY +277 ACME at 180.00 USD"
    assert facts(ticket)["Size, as it was previewed"] == (
        "277 shares: 49,909.86 of 50,000.00 USD (50 % of 100,000.00 USD), 180.18 USD each, "
        "down to whole shares"
    )
    # 277 x 180.18 = 49,909.86.
    assert facts(ticket)["Buying power after"].startswith("50,090.14 USD")


@in_a_notebook
async def test_what_rests_is_sized_with_a_maker_s_fee() -> None:
    ticket = OrderTicket(priced(maker_fee_rate=0.0, taker_fee_rate=0.25), market="ACME")
    # 100,000 / 100; what is marketable pays 225 for each at 180.
    seen = await preview(ticket, **POWER, share="100", limit="100")
    assert seen["headline"] == "BUY +1,000 ACME at 100.00 USD"
    seen = await preview(ticket, limit="180")
    assert seen["headline"] == "BUY +444 ACME at 180.00 USD"


@pytest.mark.parametrize(
    ("market", "texts", "units"),
    [
        # 555 x 180.18 = 99,999.90.
        ("ACME", {"limit": "180"}, 555.0),
        # A short reserves 150 % of the mark less what comes in, and the fee: 90.18 each.
        ("ACME", {"limit": "180", "side": "sell"}, 1_108.0),
        ("ACME", {"order": "market"}, 555.0),
        # A fifth of 100 as margin, and 0.10.
        ("X-PERP", {"limit": "100", "leverage": "5"}, 100_000 / 20.1),
        # A sold prediction is held at 1: 0.6 are missing, and 0.0004.
        ("rain", {"limit": "0.4", "side": "sell"}, 166_555.0),
    ],
    ids=["buy", "sell", "market", "perp", "prediction"],
)
@in_a_notebook
async def test_all_of_the_buying_power_is_taken_by_an_order_that_passes(
    market: str, texts: dict[str, str], units: float
) -> None:
    ex = priced(fee_bps=10.0)
    ex.declare(Market("X-PERP", Perp))
    ex.tick("X-PERP", 100.0, 0.0)
    ex.declare(Market("rain", Prediction))
    ex.tick("rain", 0.4, 0.0)
    ticket = OrderTicket(ex, market=market)
    seen = await preview(ticket, **POWER, share="100", **texts)
    assert seen["refusal"] is None
    await confirm(ticket)
    assert ex.orders()[0].quantity == pytest.approx(units, abs=1e-8)
    assert not ex.orders()[0].is_rejected


@in_a_notebook
async def test_a_market_order_is_sized_down_the_levels_of_the_book() -> None:
    ex = hz.connect("book", initial_cash=1_000.0, clock=lambda: 0.0)
    ex.declare(Market("rain", Prediction, lot_size=10.0))
    ex.take_book("rain", bids=[(0.38, 100)], asks=[(0.40, 100), (0.50, 300)])
    ticket = OrderTicket(ex, market="rain")
    # 100 for 40, and 60 more at 0.50 are 120: 220 in all, and 70 for 100 are 0.4545 each.
    seen = await preview(ticket, **NOTIONAL, notional="100", order="market")
    assert seen["headline"] == "BUY +220 rain YES at the market"
    assert facts(ticket)["Size, as it was previewed"] == "220 contracts: 100.00 USD at 0.454545 USD"
    assert facts(ticket)["Notional"] == "100.00 USD"
    # A tenth of 1,000 takes the same.
    seen = await preview(ticket, **POWER, share="10")
    assert seen["headline"] == "BUY +220 rain YES at the market"
    # 40 + 150 is all that there is.
    seen = await preview(ticket, **NOTIONAL, notional="999")
    assert facts(ticket)["Size, as it was previewed"] == (
        "400 contracts: 190.00 of 999.00 USD at 0.475 USD; the book shows no more"
    )
    assert facts(ticket)["Notional"] == "190.00 USD"
    # A limit order counts at its limit.
    seen = await preview(ticket, order="limit", limit="0.5", notional="100")
    assert seen["headline"] == "BUY +200 rain YES at 0.50 USD"


@in_a_notebook
async def test_a_sale_goes_further_down_the_book_than_the_best_bid_says() -> None:
    ex = hz.connect("book", initial_cash=100_000.0, clock=lambda: 0.0)
    ex.take_book("ACME", bids=[(100, 1), (90, 10), (50, 40)], asks=[(101, 3)])
    ticket = OrderTicket(ex, market="ACME")
    # 100 + 10 x 90; ten at the best bid would be 1,000 too, and come to 910.
    await preview(ticket, **NOTIONAL, notional="1000", order="market", side="sell")
    assert facts(ticket)["Size, as it was previewed"] == "11 shares: 1,000.00 USD at 90.909091 USD"
    assert facts(ticket)["Notional"] == "1,000.00 USD"
    # 24 more at 50 are 1,200, then 40 are left: 2,200 for 35.
    await preview(ticket, notional="2240")
    assert facts(ticket)["Size, as it was previewed"] == (
        "35 shares: 2,200.00 of 2,240.00 USD at 62.857143 USD, down to whole shares"
    )
    assert facts(ticket)["Notional"] == "2,200.00 USD"
    # All 51: 100 + 900 + 2,000.
    await preview(ticket, notional="3000")
    assert facts(ticket)["Size, as it was previewed"] == "51 shares: 3,000.00 USD at 58.823529 USD"
    await preview(ticket, notional="50000")
    assert facts(ticket)["Size, as it was previewed"] == (
        "51 shares: 3,000.00 of 50,000.00 USD at 58.823529 USD; the book shows no more"
    )
    await preview(ticket, side="buy", notional="1000")
    assert facts(ticket)["Size, as it was previewed"] == (
        "3 shares: 303.00 of 1,000.00 USD at 101.00 USD; the book shows no more"
    )
    assert facts(ticket)["Notional"] == "303.00 USD"


@in_a_notebook
async def test_a_size_says_what_else_has_ended_it() -> None:
    ex = hz.connect("book", initial_cash=1_000.0, clock=lambda: 0.0)
    ex.take_book("ACME", bids=[(100, 50)], asks=[(101, 50)])
    ex.buy("ACME", 2, market=True)
    ex.take_book("ACME", bids=[(100, 50)], asks=[(101, 3)])
    ticket = OrderTicket(ex, market="ACME")
    texts = {"order": "market", "side": "sell", "reduce_only": "yes"}
    await preview(ticket, **NOTIONAL, notional="1000", **texts)
    assert facts(ticket)["Size, as it was previewed"] == (
        "2 shares: 200.00 of 1,000.00 USD at 100.00 USD; no more can be reduced"
    )
    # 1,000 - 202 and the two at their mark of 100.50 leave 798 to buy with: three for 303.
    await preview(ticket, **POWER, share="100", order="market", side="buy", reduce_only="")
    assert facts(ticket)["Size, as it was previewed"] == (
        "3 shares: 303.00 of 798.00 USD (100 % of 798.00 USD), 101.00 USD each; "
        "the book shows no more"
    )


@pytest.mark.parametrize("order", ["twap", "vwap", "iceberg"])
@in_a_notebook
async def test_algorithms_are_sized_at_the_price_of_a_slice(order: str) -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    await preview(ticket, order=order, **NOTIONAL, notional="1800", limit="200", show="2")
    # A slice may pay the present 180; what rests at 200 may cost 200.
    await confirm(ticket)
    assert ex.algos[0].progress.target == (9.0 if order == "iceberg" else 10.0)


@in_a_notebook
async def test_what_comes_to_nothing_is_refused_at_its_field() -> None:
    ex = priced()
    ticket = OrderTicket(ex, market="ACME")
    assert await refused_preview(ticket, **NOTIONAL, notional="179", limit="180") == {
        "notional": "notional comes to less than 1 share: 179.00 USD at 180.00 USD"
    }
    assert await refused_preview(ticket, **POWER, share="0.1", limit="180") == {
        "share": "share comes to less than 1 share: 100.00 USD (0.1 % of 100,000.00 USD), "
        "180.00 USD each"
    }
    assert (await refused_preview(ticket, share="100.5"))["share"].endswith(
        "at most 100 % of the buying power, was 100.5"
    )
    wrong = await refused_preview(ticket, market="NEW", kind="equity", **NOTIONAL, order="market")
    assert wrong["notional"] == (
        "notional needs a price, and NEW has none now: size it by quantity"
    )
    ex.buy("ACME", 555, limit=180.0)
    ex.buy("ACME", 0.5, limit=180.0)
    ex.buy("ACME", 10, limit=1.0)  # 100,000 are all held back
    wrong = await refused_preview(ticket, market="ACME", **POWER, share="50", order="limit")
    assert wrong == {"share": "share needs buying power, there is none"}
    assert await refused_preview(ticket, size_by="pieces") == {
        "size_by": "size_by must be one of 'quantity', 'notional', 'power', was 'pieces'"
    }


@in_a_notebook
async def test_only_the_chosen_size_is_read() -> None:
    ticket = OrderTicket(priced(), market="ACME")
    seen = await preview(ticket, quantity="3", notional="x", share="x", limit="180")
    assert seen["headline"].startswith("BUY +3 ")
    assert "Size, as it was previewed" not in facts(ticket)
    names = [field["name"] for field in ticket.shown["fields"]]
    assert "notional" not in names
    await edit(ticket, **POWER)
    share = next(f for f in ticket.shown["fields"] if f["name"] == "share")
    assert share["label"] == "Share of buying power, %"
    assert (share["stops"][0], share["stops"][-1]) == ("1", "100")


@settings(max_examples=60, deadline=None)
@given(
    amount=st.decimals(1, 50_000, places=2),
    price=st.decimals("0.01", 500, places=2),
    lot=st.sampled_from([None, 0.1, 5.0, 0.3]),
    fee=st.sampled_from([0.0, 25.0]),
    by_power=st.booleans(),
)
def test_never_more_than_was_asked_for_and_less_than_a_lot_less(
    amount: Decimal, price: Decimal, lot: float | None, fee: float, by_power: bool
) -> None:
    async def run() -> None:
        ex = account(fee_bps=fee)
        ex.declare(Market("M", Crypto, lot_size=lot))
        ticket = OrderTicket(ex, market="M")
        texts = {"notional": str(amount), "share": str(amount / 1_000), "limit": str(price)}
        wrong = await refused_preview(ticket, size_by="power" if by_power else "notional", **texts)
        step = Decimal("1e-8") if lot is None else Decimal(repr(lot))
        each = price * (1 + Decimal(fee) / 10_000) if by_power else price
        if wrong:
            assert each * step > amount
            return
        await confirm(ticket)
        (order,) = ex.orders()
        size = Decimal(repr(order.quantity))
        slack = amount * Decimal("1e-8")
        assert size * each <= amount + slack
        assert (size + step) * each > amount - slack
        assert not order.is_rejected

    on_a_loop(run)


# ------------------------------------------------------------------------ the arithmetic of it
def test_a_budget_walks_levels_until_it_is_spent() -> None:
    levels = [(2.0, 10.0), (4.0, 10.0)]
    assert affordable(10.0, levels, lambda price: price) == [(2.0, 5.0)]
    assert affordable(20.0, levels, lambda price: price) == [(2.0, 10.0)]
    assert affordable(40.0, levels, lambda price: price) == [(2.0, 10.0), (4.0, 5.0)]
    assert affordable(100.0, levels, lambda price: price) == levels
    assert affordable(10.0, levels, lambda price: 2 * price) == [(2.0, 2.5)]


@pytest.mark.parametrize(
    ("market", "lot"),
    [
        (Market("A", Equity), "1"),
        (Market("A", Prediction), "1"),
        (Market("A", Perp), "1e-8"),
        (Market("A", Crypto), "1e-8"),
        (Market("A", Crypto, lot_size=0.001), "0.001"),
        (Market("A", Equity, lot_size=100), "100"),
        (None, "1"),
    ],
    ids=str,
)
def test_the_lot_of_each_kind(market: Market | None, lot: str) -> None:
    assert lot_of(market) == Decimal(lot)


@pytest.mark.parametrize(
    ("market", "kind", "price", "step"),
    [
        (Market("A", Equity, tick_size=0.05), AssetClass.Equity, "10", "0.05"),
        (None, AssetClass.Equity, "182", "0.01"),
        (None, AssetClass.Equity, "0.5", "0.0001"),
        (None, AssetClass.Prediction, "0.42", "0.01"),
        (None, AssetClass.Option, "0.42", "0.01"),
        (None, AssetClass.Crypto, "49123", "1"),
        (None, AssetClass.Perp, "0.000123", "0.00000001"),
    ],
    ids=str,
)
def test_the_step_of_a_price(
    market: Market | None, kind: AssetClass, price: str, step: str
) -> None:
    assert price_step(market, kind, Decimal(price)) == Decimal(step)


@pytest.mark.parametrize(
    ("size_by", "lot", "size", "step"),
    [
        ("quantity", "1", "250", "1"),
        ("quantity", "100", "250", "100"),
        ("quantity", "1e-8", "0.5", "0.01"),
        ("quantity", "1e-8", "0", "1"),
        ("quantity", "1e-8", "0.00000002", "1e-8"),
        ("notional", "1", "250", "10"),
        ("notional", "1", "1000", "100"),
        ("power", "1", "50", "5"),
    ],
    ids=str,
)
def test_the_step_of_a_size(size_by: str, lot: str, size: str, step: str) -> None:
    assert size_step(size_by, Decimal(lot), Decimal(size)) == Decimal(step)


@pytest.mark.parametrize(
    ("value", "step", "by", "moved"),
    [
        ("0.42", "0.01", 1, "0.43"),
        ("0.42", "0.01", -1, "0.41"),
        ("0.423", "0.01", 1, "0.43"),
        ("0.423", "0.01", -1, "0.42"),
        ("0", "5", 1, "5"),
        ("7", "5", -1, "5"),
        ("5", "5", -1, "0"),
    ],
    ids=str,
)
def test_a_number_moves_along_its_grid(value: str, step: str, by: int, moved: str) -> None:
    assert stepped(Decimal(value), Decimal(step), by) == Decimal(moved)
