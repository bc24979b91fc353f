"""YES and NO: two positions in one market, each other's mirror."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from horizon.instruments import Market, Prediction
from horizon.types import VenueFill
from horizon.venues import Paper
from tests.venues.helpers import assert_books, buy, held, open_paper, refused, sell

YES, NO = "rain", "rain:no"


def open_rain(**options: Any) -> Paper:
    """A venue that knows the prediction market "rain"."""
    paper = open_paper(options.pop("cash", 1_000.0), **options)
    paper.declare(Market(YES, Prediction))
    return paper


# ------------------------------------------------------------------------ prices
def test_a_price_of_yes_is_one_less_that_price_for_no() -> None:
    paper = open_rain()
    paper.tick(YES, 0.3, bid=0.28, ask=0.33, volume=5)
    quote = paper.quote(NO)
    assert quote is not None
    # 1 - 0.7 is 0.30000000000000004 in floats; prices are rounded to 12 decimals.
    assert (quote.price, quote.bid, quote.ask) == (0.7, 0.67, 0.72)
    assert (quote.market_id, quote.volume) == (NO, 5.0)


def test_a_tick_of_no_is_the_mirrored_tick_of_yes() -> None:
    paper = open_rain()
    paper.tick(NO, 0.7, 2_000.0, bid=0.67, ask=0.72)
    quote = paper.quote(YES)
    assert quote is not None
    assert (quote.price, quote.bid, quote.ask, quote.timestamp) == (0.3, 0.28, 0.33, 2_000.0)


def test_a_tick_of_no_says_that_the_market_is_a_prediction() -> None:
    paper = open_paper()
    paper.tick(NO, 0.7)
    market = paper.market(YES)
    assert market is not None
    assert market.asset_class is Prediction


def test_a_tick_of_no_keeps_the_time_of_its_market() -> None:
    paper = open_rain()
    paper.tick(YES, 0.5, 2_000.0)
    with refused(paper, ValueError, "timestamp", "'rain'"):
        paper.tick(NO, 0.5, 1_999.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bid": 0.7, "ask": 0.4}, "bid must not lie above ask, was 0.7 over 0.4"),
        ({"low": 0.6}, "low must not lie above price, was 0.6 over 0.5"),
        ({"high": 0.4}, "high must not lie below price, was 0.4 under 0.5"),
        ({"low": 0.4, "open": 0.3}, "open must not lie below low, was 0.3 under 0.4"),
        ({"high": 0.6, "open": 0.7}, "open must not lie above high, was 0.7 over 0.6"),
        ({"price": -0.1}, "price must be between 0 and 1 for Prediction 'rain', was -0.1"),
        ({"price": 1.1}, "price must be between 0 and 1 for Prediction 'rain', was 1.1"),
        ({"ask": 1.1}, "ask must be between 0 and 1 for Prediction 'rain', was 1.1"),
    ],
)
def test_a_refused_tick_of_no_names_what_the_caller_gave(
    given: dict[str, float], words: str
) -> None:
    paper = open_rain()
    with refused(paper, ValueError, words):
        paper.tick(**{"market_id": NO, "price": 0.5, **given})


# ------------------------------------------------------------------------ positions
def test_yes_and_no_are_two_positions_never_merged() -> None:
    paper = open_rain()
    paper.tick(YES, 0.4)
    buy(paper, 100, market_id=YES)
    buy(paper, 50, market_id=NO)
    assert held(paper) == {YES: 100.0, NO: 50.0}
    yes, no = paper.positions()
    assert (yes.avg_cost, no.avg_cost, no.mark) == (0.4, 0.6, 0.6)
    assert paper.cash() == pytest.approx(930.0, abs=1e-12)  # - 40 - 30
    paper.tick(YES, 0.5)
    yes, no = paper.positions()
    assert yes.unrealized_pnl == pytest.approx(10.0, abs=1e-12)
    assert no.unrealized_pnl == pytest.approx(-5.0, abs=1e-12)
    assert paper.equity() == pytest.approx(1_005.0, abs=1e-12)
    assert_books(paper)


def test_a_sale_of_no_is_short_no_and_not_long_yes() -> None:
    paper = open_rain()
    paper.tick(YES, 0.4)
    buy(paper, 10, market_id=YES)
    sell(paper, 10, market_id=NO)
    assert held(paper) == {YES: 10.0, NO: -10.0}
    assert paper.cash() == pytest.approx(1_002.0, abs=1e-12)  # - 4 + 6


def test_the_fee_of_no_is_taken_of_the_price_of_no() -> None:
    paper = open_rain(fee_bps=100)
    paper.tick(YES, 0.2)
    buy(paper, 100, market_id=NO)
    assert paper.fill_history()[0].fee == pytest.approx(0.8, abs=1e-12)  # 1 % of 100 * 0.80


# ------------------------------------------------------------------------ matching
def test_a_tick_fills_orders_of_both_sides_in_order_of_arrival() -> None:
    paper = open_rain()
    sold = sell(paper, 1, 0.6, market_id=NO)  # reached where YES falls to 0.40
    bought = buy(paper, 1, 0.4, market_id=YES)
    waits = buy(paper, 1, 0.4, market_id=NO)  # reached where YES rises to 0.60
    assert paper.tick(YES, 0.5) == []
    fills = paper.tick(YES, 0.4)
    assert [(f.order_id, f.price) for f in fills] == [(sold.id, 0.6), (bought.id, 0.4)]
    assert [f.order_id for f in paper.tick(NO, 0.4)] == [waits.id]


def test_a_limit_of_no_is_reached_from_within_a_billionth_of_itself() -> None:
    paper = open_rain()
    buy(paper, 1, 0.001, market_id=NO)
    assert paper.tick(YES, 0.999 - 1e-11) == []  # NO at 0.00100000001: 1e-8 of it off
    assert len(paper.tick(YES, 0.999 - 1e-12)) == 1  # 1e-9 of it off


def test_touch_meets_no_orders_at_the_opposite_extreme() -> None:
    paper = open_rain(bar_fill_mode="touch")
    buy(paper, 1, 0.3, market_id=NO)
    assert paper.tick(YES, 0.5, low=0.2, high=0.65) == []
    (fill,) = paper.tick(YES, 0.5, low=0.4, high=0.7, open=0.5)
    assert fill.price == 0.3
    sell(paper, 1, 0.6, market_id=NO)
    (fill,) = paper.tick(YES, 0.3, low=0.25, high=0.5, open=0.35)
    assert fill.price == 0.65  # NO opened at 0.65, beyond the limit


def test_quotes_meet_no_orders_mirrored() -> None:
    paper = open_rain(matching="quotes")
    paper.tick(YES, 0.5, bid=0.45, ask=0.52)
    assert buy(paper, 1, market_id=NO).average_price == 0.55  # 1 - the bid of YES
    assert sell(paper, 1, market_id=NO).average_price == 0.48  # 1 - the ask of YES
    paper.tick(YES, 0.5, ask=0.52)
    order = buy(paper, 1, market_id=NO)
    assert order.status == "rejected"
    assert "no ask" in order.metadata["reason"]


def test_slippage_worsens_the_price_of_no_itself() -> None:
    paper = open_rain(slippage_bps=1_000)
    paper.tick(YES, 0.6)
    assert buy(paper, 1, market_id=NO).average_price == pytest.approx(0.44, abs=1e-12)
    paper.tick(YES, 0.05)
    assert buy(paper, 1, market_id=NO).average_price == 1.0  # 0.95 * 1.1 is held at 1


# ------------------------------------------------------------------------ naming
def test_the_id_of_a_market_names_the_orders_of_both_sides_and_that_of_no_its_own() -> None:
    paper = open_rain()
    buy(paper, 1, 0.1, market_id=YES)
    buy(paper, 1, 0.1, market_id=NO)
    buy(paper, 1, 0.2, market_id=NO)
    assert [o.market_id for o in paper.open_orders(YES)] == [YES, NO, NO]
    assert [o.market_id for o in paper.open_orders(NO)] == [NO, NO]
    assert paper.cancel_all(NO) == 2
    assert paper.cancel_all(YES) == 1


def test_a_first_order_of_no_needs_no_tick() -> None:
    paper = open_paper()
    assert buy(paper, 1, 0.5, market_id=NO).status == "new"
    assert "no price" in buy(paper, 1, market_id=NO).metadata["reason"]
    assert "no price" in buy(paper, 1, market_id="snow:no").metadata["reason"]


def test_an_id_of_full_length_has_a_no_side() -> None:
    paper = open_paper()
    name = "a" * 256
    buy(paper, 1, 0.5, market_id=f"{name}:no")
    (fill,) = paper.tick(f"{name}:no", 0.4)
    assert fill.market_id == f"{name}:no"
    assert paper.cancel_all(f"{name}:no") == 0


# ------------------------------------------------------------------------ the mirror
# One story told twice: on the market's YES side, and on NO with every price mirrored. The
# money must be the same, to rounding.
Story = Callable[[Paper, Callable[..., list[VenueFill]], str], None]


def tick_same(paper: Paper, own: str) -> Callable[..., list[VenueFill]]:
    """Give the side its own prices by its own id."""

    def tick(price: float, **rest: float) -> list[VenueFill]:
        return paper.tick(own, price, **rest)

    return tick


def tick_mirrored(paper: Paper, other: str) -> Callable[..., list[VenueFill]]:
    """Give the side its prices through the other side's id, each one mirrored."""
    swapped = {"high": "low", "low": "high", "bid": "ask", "ask": "bid", "open": "open"}

    def tick(price: float, **rest: float) -> list[VenueFill]:
        turned = {swapped[name]: round(1 - value, 12) for name, value in rest.items()}
        return paper.tick(other, round(1 - price, 12), **turned)

    return tick


def limits(paper: Paper, tick: Callable[..., Any], own: str) -> None:
    buy(paper, 10, 0.4, market_id=own)
    sell(paper, 5, 0.6, market_id=own)
    for price in (0.5, 0.41, 0.4, 0.5, 0.59, 0.6, 0.7):
        tick(price)


def shorts(paper: Paper, tick: Callable[..., Any], own: str) -> None:
    tick(0.7)
    sell(paper, 100, market_id=own)
    tick(0.2)
    buy(paper, 40, market_id=own)
    buy(paper, 100, 0.15, market_id=own, tif="ioc")
    tick(0.1)


def bars(paper: Paper, tick: Callable[..., Any], own: str) -> None:
    buy(paper, 10, 0.3, market_id=own)
    tick(0.5, high=0.6, low=0.31, open=0.4)
    tick(0.4, high=0.5, low=0.2, open=0.25)
    sell(paper, 10, 0.6, market_id=own)
    tick(0.4, high=0.8, low=0.3, open=0.7)


def quoted(paper: Paper, tick: Callable[..., Any], own: str) -> None:
    tick(0.5, bid=0.48, ask=0.53)
    buy(paper, 10, market_id=own)
    sell(paper, 3, 0.5, market_id=own)
    tick(0.5, ask=0.52)
    sell(paper, 1, market_id=own)
    tick(0.5, bid=0.51, ask=0.52)


def settled(paper: Paper, tick: Callable[..., Any], own: str) -> None:
    tick(0.25)
    buy(paper, 100, market_id=own)
    buy(paper, 1, 0.2, market_id=own)
    paper.settle(own, 1.0)
    tick(0.1)


def wandering(seed: int) -> Story:
    def story(paper: Paper, tick: Callable[..., Any], own: str) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            price = chance.randint(1, 99) / 100
            doing = chance.random()
            if doing < 0.5:
                tick(price)
            elif doing < 0.9:
                verb = chance.choice([buy, sell])
                limit = price if chance.random() < 0.6 else None
                verb(paper, chance.randint(1, 50), limit, market_id=own)
            else:
                paper.cancel_all(own)

    return story


STORIES: list[tuple[str, Story, dict[str, Any]]] = [
    ("limits", limits, {}),
    ("shorts", shorts, {"slippage_bps": 300}),
    ("bars", bars, {"bar_fill_mode": "touch"}),
    ("quoted", quoted, {"matching": "quotes"}),
    ("quoted later", quoted, {"matching": "quotes", "market_fill": "next_tick"}),
    ("settled", settled, {}),
    *((f"wandering {seed}", wandering(seed), {"cash": 60.0}) for seed in range(10)),
]


def told(
    story: Story, options: dict[str, Any], own: str, mirror: bool
) -> tuple[Paper, list[tuple[Any, ...]]]:
    """The venue after a story, and what of it does not name the side."""
    paper = open_rain(maker_fee_rate=0.001, taker_fee_rate=0.002, **options)
    other = YES if own == NO else NO
    story(paper, tick_mirrored(paper, other) if mirror else tick_same(paper, own), own)
    fills = [
        (f.order_id, f.side, f.quantity, round(f.price, 11), f.is_maker)
        for f in paper.fill_history()
    ]
    orders = [(o.id, o.status, o.filled_quantity) for o in paper.orders()]
    settlements = [(s.quantity, s.price) for s in paper.settlements()]
    return paper, [*fills, *orders, *settlements]


@pytest.mark.parametrize("mirror", [False, True], ids=["by its own id", "by the other id"])
@pytest.mark.parametrize(
    ("story", "options"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES]
)
def test_a_no_order_behaves_as_its_mirror_image_in_yes(
    story: Story, options: dict[str, Any], mirror: bool
) -> None:
    yes, expected = told(story, options, YES, mirror)
    no, actual = told(story, options, NO, mirror)
    assert expected
    assert actual == expected
    for name in ("cash", "equity", "buying_power", "realized_pnl", "unrealized_pnl", "fees"):
        assert getattr(no.balance(), name) == pytest.approx(getattr(yes.balance(), name), abs=1e-9)
    assert held(no) == {f"{market}:no": size for market, size in held(yes).items()}
    assert_books(no)
