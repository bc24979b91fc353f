"""Names that were made to mislead or to break out: they are shown for what they are."""

from __future__ import annotations

import json

import pytest

import horizon as hz
from horizon import Market, Prediction, RiskConfig, words
from horizon.feeds import Replay
from horizon.widgets import (
    AlgoMonitor,
    FeedDeck,
    Fills,
    Orders,
    OrderTicket,
    Positions,
    PriceChart,
    Prices,
    Workbench,
)
from horizon.widgets.face import Face
from tests.widgets.notebook import account, assert_fit_to_show, do, in_a_notebook, passing, texts
from tests.widgets.tickets import confirm, preview, refused_preview

NAMES = [
    "AAPL\u202eLPAA",  # turns the direction of writing
    "A\u200bAPL\u2060",  # widths of zero
    "ACME\ufe0f",
    "ACME\u3164",
    "AC\xa0ME",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "'\"&lt;${x}`;--",
    "=1+1|' /C calc'!A0",
    "x" * 256,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "مطر",
    "toString",
    "__proto__",
]
every_name = pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:16]))


def busy(name: str) -> hz.ImperativeClient:
    """An account where everything is called so."""
    ex = account(risk=RiskConfig(max_order_size=100.0))
    ex.declare(Market(name, Prediction))
    ex.tick(name, 0.4, 0.0)
    ex.buy(name, 10, market=True)
    ex.buy(f"{name}:no", 5, market=True)
    ex.buy(name, 5, limit=0.3)
    ex.buy(name, 100, limit=0.3, reduce_only=True)  # is refused, and says so
    ex.twap(name, 1_000, duration_secs=60, num_slices=2)
    ex.tick(name, 0.4, 1.0)  # a slice of 500 is refused
    return ex


def shown_texts(face: Face) -> str:
    return json.dumps(dict(face.shown), ensure_ascii=False)


@every_name
@in_a_notebook
async def test_tables_monitor_and_chart_spell_a_name_out(name: str) -> None:
    ex = busy(name)
    faces = [Positions(ex), Orders(ex), Fills(ex), Prices(ex), AlgoMonitor(ex), PriceChart(ex)]
    escaped = json.dumps(words.name(name), ensure_ascii=False)[1:-1]
    for face in faces:
        assert_fit_to_show(face)
        assert escaped in shown_texts(face)
        assert face.ended == ""


@every_name
@in_a_notebook
async def test_the_ticket_spells_a_name_out(name: str) -> None:
    ex = busy(name)
    ticket = OrderTicket(ex, market=name)
    seen = await preview(ticket, quantity="5", limit="0.2")
    assert seen["headline"] == f"BUY +5 {words.name(name)} YES at 0.20 USD"
    assert_fit_to_show(ticket)
    await confirm(ticket)
    assert words.name(name) in ticket.shown["done"]["text"]
    assert_fit_to_show(ticket)
    assert ex.open_orders()[-1].market_id == name  # what is sent is the name itself


@every_name
@in_a_notebook
async def test_refusals_spell_a_name_out(name: str) -> None:
    ex = busy(name)
    ticket = OrderTicket(ex, market=name)
    seen = await preview(ticket, quantity="500", limit="0.2")
    assert "max_order_size" in seen["refusal"]
    assert_fit_to_show(ticket)
    await confirm(ticket)
    assert "max_order_size" in ticket.shown["error"]
    assert_fit_to_show(ticket)
    await refused_preview(ticket, kind="equity")
    assert_fit_to_show(ticket)
    await refused_preview(ticket, kind="auto", limit="5")
    assert list(ticket.shown["wrong"]) == ["limit"]
    assert_fit_to_show(ticket)
    await refused_preview(ticket, market=f"{name}:no:no", outcome="no")
    assert_fit_to_show(ticket)


@every_name
@in_a_notebook
async def test_verbs_about_a_name_answer_in_a_spelled_out_way(name: str) -> None:
    ex = busy(name)
    positions, orders = Positions(ex), Orders(ex)
    monitor, chart = AlgoMonitor(ex), PriceChart(ex)
    for face, verb, argument in (
        (orders, "cancel", "id"),
        (positions, "flatten", "id"),
        (monitor, "pause", "id"),
        (chart, "choose", "market"),
        (chart, "span", "span"),
        (orders, name, "id"),
    ):
        await do(face, verb, **{argument: f"{name} other"})
        assert face.ended == ""
        assert_fit_to_show(face)


@every_name
@in_a_notebook
async def test_a_feed_may_have_such_a_name(name: str) -> None:
    ex = account()
    feed = Replay(
        {"ts": [0.0, 10.0], "price": [1.0, -1.0]}, market_id=name, name=name, bad_rows="drop"
    )
    deck = FeedDeck(ex, feed)
    await passing(0.5)
    assert_fit_to_show(deck)
    assert words.name(name) in deck.shown["what"]
    ex.close()
    await do(deck, "play")
    await passing(0.5)
    assert_fit_to_show(deck)


@every_name
@in_a_notebook
async def test_a_desk_may_have_such_a_market(name: str) -> None:
    desk = Workbench(busy(name), market=name)
    for face in desk._faces():
        assert_fit_to_show(face)
    assert "<img" not in desk._repr_html_()


@in_a_notebook
async def test_a_position_that_stays_says_so_with_its_name_spelled_out() -> None:
    ex = account(matching="quotes")
    name = "AC\u202eME"
    ex.tick(name, 100.0, 0.0, bid=99.0, ask=101.0)
    ex.buy(name, 10, market=True)
    ex.tick(name, 100.0, 1.0, ask=101.0)
    table = Positions(ex)
    for verb, argument in (("flatten", name), ("flatten all", "")):
        await do(table, verb, id=argument)
        assert "AC⟨U+202E⟩ME stays: no price" in table.shown["error"]
        assert_fit_to_show(table)


@in_a_notebook
async def test_a_number_that_is_missing_is_a_dash() -> None:
    ex = account()
    ex.declare(Market("rain", Prediction))
    ex.buy("rain", 1, limit=0.5)  # before the first tick
    ex.twap("rain", 10, duration_secs=60, num_slices=2)
    ex.tick("ACME", 100.0, 0.0)  # without quotes
    ticket = OrderTicket(ex, market="rain")
    await preview(ticket, quantity="1", order="market")
    for face in (Prices(ex), Orders(ex), AlgoMonitor(ex), ticket):
        assert_fit_to_show(face)
        assert words.MISSING in list(texts(dict(face.shown)))
