"""Fees and latency as classes: the ready ones, and a user's own on a venue."""

from __future__ import annotations

import math
from typing import Any

import pytest

from horizon.instruments import Market
from horizon.types import AssetClass
from horizon.venues import BookAccount, BookVenue, Paper
from horizon.venues.fees import Fees, FlatFees
from horizon.venues.latency import ConstantLatency, Latency, NoLatency
from tests.venues.helpers import buy, sell
from tests.venues.replayed import NS, Replayed

BOOK = ([(0.54, 100), (0.53, 200)], [(0.56, 100), (0.57, 200)])


# ------------------------------------------------------------------------ fees
def test_flat_fees_know_makers_and_takers() -> None:
    fees = FlatFees(maker=-0.0002, taker=0.001)
    assert fees.rate(0.5, True, AssetClass.Prediction) == -0.0002
    assert fees.rate(99.0, False, AssetClass.Equity) == 0.001
    assert repr(fees) == "FlatFees(maker=-0.0002, taker=0.001)"


def test_flat_fees_are_none_unless_said() -> None:
    assert [FlatFees().rate(0.5, m, AssetClass.Perp) for m in (True, False)] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"maker": 1.0}, ValueError, "maker must lie in (-1, 1), was 1.0"),
        ({"taker": -1}, ValueError, "taker must lie in (-1, 1), was -1.0"),
        ({"taker": math.nan}, ValueError, "taker must be a finite number, was nan"),
        ({"maker": "0.1"}, TypeError, "maker must be a number, was '0.1'"),
    ],
    ids=["maker 1", "taker -1", "taker nan", "text"],
)
def test_flat_fees_refuse_what_is_no_rate(
    options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as caught:
        FlatFees(**options)
    assert message in str(caught.value)


class ByDistance(Fees):
    """Takers pay 7 % of 1 - p, as venues for predictions do; makers pay nothing."""

    def rate(self, price: float, is_maker: bool, asset_class: AssetClass) -> float:
        return 0.0 if is_maker else 0.07 * (1.0 - price)


def test_a_users_own_fees_are_charged_level_by_level_and_side_by_side() -> None:
    venue = Replayed(BOOK, BOOK, ([(0.61, 500)], [(0.62, 1)]), fees=ByDistance())
    buy(venue, 150, market_id="M")
    # 100 x 0.56 x 0.07 x 0.44 = 1.72480, and 50 x 0.57 x 0.07 x 0.43 = 0.857850.
    assert [f.fee for f in venue.fill_history()] == pytest.approx([1.7248, 0.85785])
    # NO costs 1 - 0.54 = 0.46: 100 x 0.46 x 0.07 x 0.54 = 1.73880.
    buy(venue, 100, market_id="M:no")
    assert venue.fill_history()[-1].fee == pytest.approx(1.7388)
    sell(venue, 100, 0.6, market_id="M")
    venue.next()
    venue.next()
    assert (venue.fill_history()[-1].is_maker, venue.fill_history()[-1].fee) == (True, 0.0)


def test_maker_and_taker_rates_follow_what_executes_on_arrival() -> None:
    venue = Replayed(BOOK, ([(0.5, 1)], [(0.55, 500)]), maker_fee_rate=-0.01, taker_fee_rate=0.02)
    buy(venue, 150, 0.56, market_id="M")
    venue.next()
    # The 100 on arrival pay 100 x 0.56 x 2 %; the 50 that rested get back 50 x 0.56 x 1 %.
    assert [(f.is_maker, f.fee) for f in venue.fill_history()] == [
        (False, pytest.approx(1.12)),
        (True, pytest.approx(-0.28)),
    ]


# ------------------------------------------------------------------------ latency
@pytest.mark.parametrize(
    ("latency_ms", "ns"),
    [(0, 0), (50.0, 50_000_000), (0.0005, 500), (1.5, 1_500_000), (86_400_000, 86_400 * NS)],
)
def test_constant_latency_is_its_milliseconds_in_nanoseconds(latency_ms: float, ns: int) -> None:
    delay = ConstantLatency(latency_ms).delay_ns("M", 5)
    assert (delay, type(delay)) == (ns, int)


def test_no_latency_is_none() -> None:
    assert (NoLatency().delay_ns("M", 5), repr(NoLatency())) == (0, "NoLatency()")
    assert repr(ConstantLatency(50.0)) == "ConstantLatency(latency_ms=50)"


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (-1, ValueError, "latency_ms must be 0 or more, was -1"),
        (math.inf, ValueError, "latency_ms must be a finite number, was inf"),
        (math.nan, ValueError, "latency_ms must be a finite number, was nan"),
        (4e10, ValueError, "latency_ms must be at most a year"),
        (True, TypeError, "latency_ms must be a number, was True"),
        ("50", TypeError, "latency_ms must be a number, was '50'"),
    ],
    ids=["negative", "infinite", "nan", "years", "bool", "text"],
)
def test_constant_latency_refuses(given: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        ConstantLatency(given)
    assert message in str(caught.value)


class Slow(Latency):
    """Half a second to one market, at once to every other."""

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        return NS // 2 if market_id == "M" else 0


def test_a_users_own_latency_is_asked_by_market() -> None:
    other = Market("N", AssetClass.Prediction)
    venue = Replayed(BOOK, BOOK, others={other: [BOOK, BOOK]}, latency=Slow())
    slow, fast = buy(venue, 10, market_id="M"), buy(venue, 10, market_id="N")
    assert (slow.status, fast.status) == ("new", "filled")
    venue.next()
    fill = venue.fill_history()[-1]
    assert (fill.market_id, fill.timestamp) == ("M", 1_000.5)


# ------------------------------------------------------------------------ where they are given
@pytest.mark.parametrize("kind", [Paper, BookVenue, BookAccount])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"fees": 5}, TypeError, "fees must be Fees, or a dict of them by market, was 5"),
        ({"fees": FlatFees}, TypeError, "fees must be Fees, or a dict of them by market, was <cl"),
        ({"fees": {"M": 0.001}}, TypeError, "fees['M'] must be Fees, was 0.001"),
        ({"fees": {"M": None}}, TypeError, "fees['M'] must be Fees, was None"),
        ({"fees": {3: FlatFees()}}, TypeError, "fees' market must be text, was 3"),
        ({"fees": {"M:no": FlatFees()}}, ValueError, "was 'M:no', give 'M'"),
        ({"latency": 5}, TypeError, "latency must be a Latency, was 5; for milliseconds give"),
        ({"latency": True}, TypeError, "latency must be a Latency, was True"),
        ({"latency": NoLatency}, TypeError, "latency must be a Latency, was <class"),
        ({"latency": "50"}, TypeError, "latency must be a Latency, was '50'"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_a_venue_refuses_what_is_no_model(
    kind: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        kind(**options)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", [Paper, BookVenue])
def test_compact_is_true_or_false(kind: Any) -> None:
    with pytest.raises(TypeError, match="compact must be True or False, was 3"):
        kind(compact=3)
    assert kind(compact=True).account.archive is not None


def test_what_answers_like_a_model_is_one() -> None:
    class Own:
        def rate(self, price: float, is_maker: bool, asset_class: AssetClass) -> float:
            return 0.25

        def delay_ns(self, market_id: str, now_ns: int) -> int:
            return 0

    paper = Paper(fees={"ACME": Own()}, latency=Own(), clock=lambda: 0.0)
    paper.connect()
    paper.tick("ACME", 100.0)
    assert buy(paper, 1).fees == 25.0


def test_fees_by_an_option_symbol_in_either_spelling() -> None:
    paper = Paper(fees={"AAPL  250117C00180000": FlatFees(taker=0.5)}, clock=lambda: 0.0)
    paper.connect()
    paper.tick("AAPL250117C00180000", 2.0)
    assert buy(paper, 1, market_id="AAPL250117C00180000").fees == 100.0
