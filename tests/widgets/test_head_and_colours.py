"""The head of a desk, its colours, and what the parts call things."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import horizon as hz
from horizon import Market, Perp, Prediction, RiskConfig
from horizon.types import AssetClass
from horizon.venues import Paper
from horizon.widgets import PALETTES, Orders, OrderTicket, Palette
from horizon.widgets.access import leg_name, text_of, unit_of
from horizon.widgets.masthead import Masthead
from horizon.widgets.palette import contrast, palette_of
from tests.widgets.notebook import Clock, account, do, in_a_notebook, passing


class Broker(Paper):
    """A venue that says of itself that it is live."""

    name = "broker"
    is_live = True
    currency = "EUR"


# ------------------------------------------------------------------------- the head
@in_a_notebook
async def test_the_head_says_what_the_account_is_worth() -> None:
    clock = Clock(86_400.0)
    ex = account(clock, fee_bps=10.0)
    ex.tick("ACME", 100.0, 86_400.0)
    head = Masthead(ex)
    assert [fact[:2] for fact in head.shown["facts"]] == [
        ["Equity, USD", "100,000.00"],
        ["Profit, USD", "0.00"],
        ["UTC 1970-01-02", "00:00:00"],
    ]
    ex.buy("ACME", 10, market=True)  # a fee of 1
    ex.tick("ACME", 98.0, 90_061.0)  # and 20 of loss
    await passing(0.2)
    assert [fact[:2] for fact in head.shown["facts"]] == [
        ["Equity, USD", "99,979.00"],
        ["Profit, USD", "−21.00"],
        ["UTC 1970-01-02", "01:01:01"],
    ]


@in_a_notebook
async def test_paper_and_real_money_are_told_apart() -> None:
    paper = OrderTicket(account()).shown["banner"]
    assert (paper["venue"], paper["is_live"]) == ("paper", False)
    assert "NO REAL MONEY" in paper["mode"]
    ex = hz.connect(Broker(clock=lambda: 0.0), risk=RiskConfig(max_order_size=1.0))
    live = OrderTicket(ex).shown["banner"]
    assert (live["venue"], live["is_live"]) == ("broker", True)
    assert "REAL MONEY" in live["mode"]
    assert "NO" not in live["mode"]


@in_a_notebook
async def test_money_is_that_of_the_venue() -> None:
    ex = hz.connect(Broker(clock=lambda: 0.0), risk=RiskConfig(max_order_size=1.0))
    assert Masthead(ex).shown["facts"][0][:2] == ["Equity, EUR", "100,000.00"]
    assert "Limit, EUR" in [column["label"] for column in Orders(ex).shown["columns"]]


@in_a_notebook
async def test_the_kill_switch_is_said_while_it_is_on() -> None:
    ex = account()
    ticket = OrderTicket(ex)
    assert ticket.shown["banner"]["halted"] == ""
    ex.engine.kill_switch()
    await passing(0.2)
    assert ticket.shown["banner"]["halted"].startswith("The kill switch is on")
    ex.engine.reset_kill_switch()
    await passing(0.2)
    assert ticket.shown["banner"]["halted"] == ""


@in_a_notebook
async def test_a_day_s_drawdown_is_said_while_it_holds() -> None:
    clock = Clock()
    ex = account(clock, risk=RiskConfig(max_daily_drawdown_pct=1.0))
    ticket = OrderTicket(ex)
    ex.tick("ACME", 100.0, 0.0)
    ex.buy("ACME", 100, market=True)
    ex.tick("ACME", 89.0, 1.0)  # 1,100 of 100,000 is more than one percent
    await passing(0.2)
    assert ticket.shown["banner"]["halted"].startswith("The day's drawdown limit was passed")
    clock.now = 86_400.0
    ex.tick("ACME", 89.0, 86_400.0)
    await passing(0.2)
    assert ticket.shown["banner"]["halted"] == ""


@in_a_notebook
async def test_the_head_says_whose_money_it_is_for_the_whole_desk() -> None:
    ex = account()
    assert Masthead(ex).shown["banner"] == OrderTicket(ex).shown["banner"]


@in_a_notebook
async def test_the_head_has_no_verbs() -> None:
    ex = account()
    head = Masthead(ex)
    await do(head, "confirm")
    assert "confirm" in head.shown["error"]
    assert ex.orders() == []


# ------------------------------------------------------------------------- colours
def test_a_palette_goes_by_its_name_or_is_given() -> None:
    own = Palette("#112233", "#445566")
    assert palette_of(own) is own
    assert palette_of("green-red") is PALETTES["green-red"]
    assert (own.buy_dark, own.sell_dark) == ("#112233", "#445566")


@pytest.mark.parametrize(
    ("colour", "error"),
    [
        ("blue", ValueError),
        ("#12345", ValueError),
        ("#1234567", ValueError),
        ("#12345g", ValueError),
        ("#123456;}", ValueError),
        ("#１２３４５６", ValueError),
        ("", ValueError),
        (None, TypeError),
        (5, TypeError),
    ],
)
def test_what_is_no_colour_is_refused_by_its_name(colour: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^sell must be a colour '#rrggbb'"):
        Palette("#112233", colour)


def test_contrast_is_that_of_the_guidelines() -> None:
    # (1 + 0.05) / (0 + 0.05) = 21, and nothing differs from itself.
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#123456", "#123456") == 1.0
    # The grey #777777 is the well-known one that just misses 4.5 on white.
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", PALETTES)
def test_text_on_every_palette_can_be_read(name: str) -> None:
    for theme in PALETTES[name].css().values():
        for side in ("buy", "sell"):
            assert contrast(theme[side], theme[f"on-{side}"]) >= 4.5


colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@given(colours, colours)
def test_any_colour_gets_the_text_that_is_read_best_on_it(buy: str, sell: str) -> None:
    for theme in Palette(buy, sell).css().values():
        assert set(theme) == {"buy", "on-buy", "sell", "on-sell"}
        assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in theme.values())
        for side in ("buy", "sell"):
            # One of black and white always reaches the root of 21.
            assert contrast(theme[side], theme[f"on-{side}"]) >= 4.58


def test_no_palette_needs_colour_vision() -> None:
    assert all(shown.buy != shown.sell for shown in PALETTES.values())


# ------------------------------------------------------------------------- names
def test_positions_are_named_for_a_reader() -> None:
    ex = account()
    venue = ex.engine.venue
    ex.declare(Market("rain", Prediction))
    ex.declare(Market("X-PERP", Perp))
    ex.tick("ACME", 1.0, 0.0)
    assert leg_name(venue.leg_of("rain")) == "rain YES"
    assert leg_name(venue.leg_of("rain:no")) == "rain NO"
    assert leg_name(venue.leg_of("X-PERP")) == "X-PERP"
    assert leg_name(venue.account.markets["rain"]) == "rain"


def test_every_class_has_its_unit() -> None:
    assert {unit_of(kind) for kind in AssetClass} == {"shares", "contracts", "coins"}


@pytest.mark.parametrize("value", [None, 5, b"x", ["x"], "x" * 1_001], ids=lambda v: str(v)[:8])
def test_what_is_no_short_text_is_refused_in_few_words(value: object) -> None:
    with pytest.raises(TypeError, match="id must be text") as caught:
        text_of({"id": value}, "id")
    assert len(str(caught.value)) < 200
    assert text_of({"id": "x" * 1_000}, "id") == "x" * 1_000
