"""Whatever a page may send: nothing breaks, and nothing is traded that nobody has confirmed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import Market, Perp, Prediction, RiskConfig
from horizon.feeds import Replay
from horizon.venues.events import state_of
from horizon.widgets import (
    AlgoMonitor,
    Balance,
    FeedDeck,
    Fills,
    Orders,
    OrderTicket,
    Positions,
    PriceChart,
    Prices,
)
from horizon.widgets.face import Face
from horizon.widgets.masthead import Masthead
from horizon.widgets.ticket.form import DEFAULTS
from tests.widgets.notebook import (
    account,
    assert_fit_to_show,
    loop_now,
    on_a_loop,
    passing,
    turns,
)

MARKETS = ["ACME", "rain", "rain:no", "X-PERP", "AAPL250117C00180000", "AC\u202eME", "<img src=x>"]
VERBS = [
    *("edit", "preview", "drop", "flatten", "flatten all", "cancel", "cancel all"),
    *("pause", "resume", "play", "stop", "step", "speed", "choose", "span"),
    *("cancel last", "key", "bind", "default keys", "leave"),
    *("looks", "left", "dismiss", "close", "__class__", "x" * 500, "\u202e", "\ud800"),
]
#: Verbs that may change the account without a confirmation.
CHANGING = {
    "flatten",
    "flatten all",
    "cancel",
    "cancel all",
    "cancel last",
    "pause",
    "resume",
    "play",
    "step",
}

#: A verb that makes sense: the number of the widget, the verb, and whom it is about.
ACTS = [
    *((2, "flatten", market) for market in MARKETS),
    *((3, "cancel", f"p{number}") for number in range(1, 7)),
    *((7, verb, f"a{number}") for verb in ("pause", "resume", "cancel") for number in (1, 2)),
    *((number, verb, "") for number, verb in ((2, "flatten all"), (3, "cancel all"), (10, "play"))),
]

texts = st.one_of(
    st.sampled_from(["", "p1", "p2", "a1", "0", "1", "-1", "10", "0.5", "nan", "inf", "1e400"]),
    st.sampled_from(["60", "all", "max", "yes", "no", "١٢", "=1+1", "x" * 2_000, "\ud800"]),
    st.sampled_from(MARKETS),
    st.text(max_size=12),
)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "market",
            "span",
            "speed",
            "values",
            "by",
            "edit",
            "preview",
            "beat",
            "action",
            "key",
        ]
    ),
    json_like,
    max_size=4,
)
PRICES = dict(zip(MARKETS, (100.0, 0.4, 0.6, 100.0, 4.0, 100.0, 100.0), strict=True))


@st.composite
def forms(draw: Any) -> dict[str, str]:
    """A form that can be previewed most of the time."""
    market = draw(st.sampled_from(MARKETS))
    rarely = st.sampled_from([False, False, False, True])
    return {
        "market": market,
        "kind": draw(st.sampled_from(["equity", "option"])) if draw(rarely) else "auto",
        "outcome": "no" if market.endswith(":no") else draw(st.sampled_from(["yes", "no"])),
        "side": draw(st.sampled_from(["buy", "sell"])),
        "order": draw(st.sampled_from(["limit", "market", "twap", "vwap", "iceberg"])),
        "size_by": draw(st.sampled_from(["quantity", "quantity", "notional", "power"])),
        "quantity": draw(st.sampled_from(["1", "10", "60", "0.3"])),
        "notional": "500",
        "share": draw(st.sampled_from(["5", "100"])),
        "limit": "0.5" if draw(rarely) else str(PRICES[market]),
        "leverage": "5" if draw(rarely) else "",
        "reduce_only": "yes" if draw(rarely) else "",
        "show": "4",
    }


#: A market may be called "nan"; then that is no number.
wild_forms = st.dictionaries(
    st.sampled_from([name for name in DEFAULTS if name != "market"]), texts, max_size=3
)
steps_of = st.lists(
    st.one_of(
        st.tuples(st.just("verb"), st.integers(0, 11), st.sampled_from(VERBS), arguments),
        st.tuples(st.just("message"), st.integers(0, 11), json_like),
        st.tuples(st.just("preview"), st.integers(0, 1), forms()),
        st.tuples(st.just("preview"), st.integers(0, 1), forms()),
        st.tuples(st.just("preview"), st.integers(0, 1), wild_forms),
        st.tuples(st.just("order"), st.integers(0, 1), forms()),
        st.tuples(st.just("order"), st.integers(0, 1), forms()),
        st.tuples(st.just("confirm"), st.integers(0, 1), st.integers(0, 3)),
        st.tuples(st.just("act"), st.sampled_from(ACTS)),
        st.tuples(st.just("tick"), st.sampled_from(MARKETS), st.integers(-2, 2)),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 6.0])),
        st.tuples(st.just("block"), st.sampled_from([1.0, 10.0])),
    ),
    min_size=8,
    max_size=25,
)


@dataclass
class Desk:
    """Every widget on one account, and what its user has seen and confirmed."""

    ex: hz.ImperativeClient
    faces: list[Face]
    second: float = 0.0
    seen: list[tuple[int, str]] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)
    flattened: bool = False

    def look(self) -> None:
        """Note the previews on show, and see that everything on show may be shown."""
        for number, ticket in enumerate(self.faces[:2]):
            preview = ticket.shown["preview"]
            if preview is not None and (number, preview["id"]) not in self.seen:
                self.seen.insert(0, (number, preview["id"]))
        for face in self.faces:
            assert face.ended == ""
            assert_fit_to_show(face)

    def check_books(self) -> None:
        """What was sent is what was confirmed, each preview once."""
        sent = [order.client_order_id for order in self.ex.orders() if order.client_order_id]
        assert len(set(sent)) == len(sent)
        assert set(sent) <= self.confirmed
        assert len(sent) + len(self.ex.algo_history) <= len(self.confirmed)
        for order in self.ex.orders():
            if order.client_order_id is None:
                intent = order.metadata["intent"]
                own = intent.startswith("algo a") or intent == "liquidation"
                assert own or (self.flattened and intent == "flatten")


def opened() -> Desk:
    ex = account(risk=RiskConfig(max_order_size=50.0, max_portfolio_notional=20_000.0))
    ex.declare(Market("rain", Prediction))
    ex.declare(Market("X-PERP", Perp))
    for market, price in PRICES.items():
        ex.tick(market, price, 0.0)
    rows = Replay({"ts": [0.0, 1.0, 2.0], "price": [5.0, 6.0, 7.0]}, market_id="feed")
    faces = [
        *(OrderTicket(ex), OrderTicket(ex, market="rain"), Positions(ex), Orders(ex), Fills(ex)),
        *(Balance(ex), Prices(ex), AlgoMonitor(ex), PriceChart(ex), Masthead(ex)),
        *(FeedDeck(ex, rows, play=False), PriceChart(ex, market="rain")),
    ]
    return Desk(ex, faces)


def fill_in(ticket: Face, form: dict[str, str]) -> None:
    values = {**ticket.shown["values"], **form}
    ticket._hear(ticket, {"do": "preview", "values": values, "by": "page", "edit": 1})


def press(desk: Desk, number: int, back: int) -> bool:
    """Confirm a preview that was seen, twice; whether there was one."""
    if back >= len(desk.seen):
        return False
    ticket, (_, preview) = desk.faces[number], desk.seen[back]
    desk.confirmed.add(preview)
    for _ in range(2):
        ticket._hear(ticket, {"do": "confirm", "beat": ticket.beat, "preview": preview})
    return True


async def take(desk: Desk, step: tuple[Any, ...]) -> None:
    before = state_of(desk.ex.engine.venue.account)
    may_change = desk.faces[10].feeds[0].status == "playing"  # type: ignore[attr-defined]
    match step:
        case ("verb", number, verb, given):
            may_change |= verb in CHANGING
            desk.flattened |= verb.startswith("flatten")
            face = desk.faces[number]
            face._hear(face, {"beat": face.beat, **given, "do": verb})
        case ("message", number, content):
            face = desk.faces[number]
            face._hear(face, content)
        case ("act", (number, verb, target)):
            may_change = True
            desk.flattened |= verb.startswith("flatten")
            face = desk.faces[number]
            face._hear(face, {"do": verb, "beat": face.beat, "id": target})
        case ("preview", number, form):
            fill_in(desk.faces[number], form)
        case ("order", number, form):
            fill_in(desk.faces[number], form)
            await turns()
            desk.look()
            may_change = press(desk, number, 0)
        case ("confirm", number, back):
            may_change = press(desk, number, back)
        case ("tick", market, move):
            may_change = True
            desk.second += 1.0
            desk.ex.tick(market, PRICES[market] * (1 + move / 100), desk.second)
        case ("wait", seconds):
            await passing(seconds)
        case ("block", seconds):
            loop_now().block(seconds)
    await turns()
    if not may_change:
        assert state_of(desk.ex.engine.venue.account) == before, step
    desk.look()
    desk.check_books()


@pytest.mark.no_cover
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps_of)
def test_nothing_a_page_sends_trades_without_a_confirmed_preview(steps: list[Any]) -> None:
    async def run() -> None:
        desk = opened()
        for step in steps:
            await take(desk, step)
        event(f"orders: {min(len(desk.ex.orders()), 3)}")
        event(f"algorithms: {min(len(desk.ex.algo_history), 2)}")

    logger = logging.getLogger("horizon.widgets")
    with pytest.MonkeyPatch.context() as patch:
        # A slip of ours would be caught and logged; here it is one.
        patch.setattr(logger, "error", _not_expected)
        on_a_loop(run)


def _not_expected(message: str, *parts: object, **_: object) -> None:
    raise AssertionError(message % parts)
