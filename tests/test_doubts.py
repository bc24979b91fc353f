"""Markets by names that nobody knows, next to one that is nearly called so: asked about, once."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import horizon as hz
from horizon.errors import RiskRejected
from horizon.order_verbs import undoubted
from horizon.venues.listing import nearly
from tests.venues.helpers import unchanged

RESTS = "There is no price for 'APPL' yet: the order rests until there is one. Did you mean 'AAPL'?"
REJECTED = "There is no price for 'APPL' yet: the order is rejected. Did you mean 'AAPL'?"
STARTS = (
    "There is no price for 'APPL' yet: the algorithm starts with the first one. Did you mean "
    "'AAPL'?"
)


@pytest.fixture
def ex() -> hz.ImperativeClient:
    client = hz.connect("paper", clock=lambda: 0.0)
    client.tick("AAPL", 180.0)
    client.tick("rain", 0.6)
    client.tick("BTC-PERP", 50_000.0)
    return client


def warned(act: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What a call returns, and what it warns of, each asserted to be of this file."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        answer = act()
    assert {one.filename for one in seen} <= {__file__}
    assert {one.category for one in seen} <= {UserWarning}
    return answer, [str(one.message) for one in seen]


# ------------------------------------------------------------------------ which names
@pytest.mark.parametrize(
    ("asked", "known", "is_near"),
    [
        ("APPL", "AAPL", True),
        ("aapl", "AAPL", True),
        ("rian", "rain", True),
        ("rain-tomorow", "rain-tomorrow", True),
        ("rain_tomorrow", "rain-tomorrow", True),
        ("raintomorrow", "rain-tomorrow", True),
        ("BCT-PERP", "BTC-PERP", True),
        ("BTC-PRP", "BTC-PERP", True),
        ("BTC/UDS", "BTC/USD", True),
        ("BTC-USD", "BTC/USD", True),
        ("APPL250117C00180000", "AAPL250117C00180000", True),
        # Other markets, which stand beside each other in many an account:
        ("MSFT", "AAPL", False),
        ("m1", "m2", False),
        ("ACME2", "ACME", False),
        ("ETH-PERP", "BTC-PERP", False),
        ("ETH/USD", "BTC/USD", False),
        ("BTC/EUR", "BTC/USD", False),
        ("candidate-a", "candidate-b", False),
        ("rain-monday", "rain-tuesday", False),
        ("rain-2025-01-01", "rain-2025-01-02", False),
        ("fed-cut-march", "fed-cut", False),
        ("AAPL250117C00180000", "AAPL250117C00185000", False),
        ("AAPL250117C00180000", "AAPL250117P00180000", False),
        ("AAPL250117C00180000", "AAPL", False),
        ("AAPL250231C00180000", "AAPL", False),  # a day that is none
        ("🎲", "🎯", False),
        ("GOOGL", "GOOG", False),
        ("SOXS", "SOXL", False),
        ("TQQQ", "QQQ", False),
        ("BTC/USDC", "BTC/USDT", False),
        ("KXCPI-25JUN", "KXCPI-25JAN", False),
        ("ESZ5", "ESM5", False),
        ("iraq-strike", "iran-strike", False),
        ("rain-sunday", "rain-monday", False),
        ("cut-jun", "cut-jan", False),
        ("KOS", "KO", False),
        ("MSTR", "MSFT", False),
        ("rain-tomorrows", "rain-tomorrow", True),
        ("yankeee", "yankee", True),
    ],
)
def test_a_slip_is_near_and_another_market_is_not(asked: str, known: str, is_near: bool) -> None:
    assert nearly(asked, ["something else", known]) == (known if is_near else None)


def test_the_most_similar_is_meant() -> None:
    assert nearly("rain-tomorow", ["train-tomorrow", "rain-tomorrow"]) == "rain-tomorrow"
    assert nearly("APPL", []) is None


def test_a_market_with_a_price_is_meant_before_an_earlier_slip(ex: hz.ImperativeClient) -> None:
    with undoubted():
        ex.buy("APPL", 1, limit=170.0)
    assert ex.engine.venue.nearest_market("AALP") == "AAPL"
    assert ex.engine.venue.nearest_market("APPL") is None  # it has an order by now
    assert hz.Paper().nearest_market("APPL") is None
    with pytest.raises(ValueError, match="market_id"):
        ex.engine.venue.nearest_market("")


# ------------------------------------------------------------------------ orders
@pytest.mark.parametrize("verb", ["buy", "sell", "short"])
def test_an_order_in_a_market_that_is_nearly_another_is_warned_of(
    ex: hz.ImperativeClient, verb: str
) -> None:
    order, said = warned(lambda: getattr(ex, verb)("APPL", 10, limit=180.0))
    assert said == [RESTS]
    assert order.status == "new"
    # Now it is a market with an order.
    assert warned(lambda: getattr(ex, verb)("APPL", 10, limit=180.0))[1] == []


def test_every_class_of_order_is_warned_of(ex: hz.ImperativeClient) -> None:
    ex.tick("AAPL250117C00180000", 3.0)
    rests = "yet: the order rests until there is one. Did you mean"
    for act, name, near in [
        (lambda: ex.buy_prediction("rian", 5, limit=0.5), "'rian'", "'rain'"),
        (
            lambda: ex.sell_prediction(market="rein", qty=5, limit=0.5, side="no"),
            "'rein:no'",
            "'rain'",
        ),
        (lambda: ex.buy("raiin:no", 5, limit=0.5), "'raiin:no'", "'rain'"),
        (lambda: ex.buy_perp("BCT-PERP", 0.1, limit=4e4), "'BCT-PERP'", "'BTC-PERP'"),
        (lambda: ex.sell_perp("BTC-PREP", 0.1, limit=6e4), "'BTC-PREP'", "'BTC-PERP'"),
        (
            lambda: ex.buy_option("APPL", 180, "2025-01-17", "call", 1, limit=3.0),
            "'APPL250117C00180000'",
            "'AAPL250117C00180000'",
        ),
        (
            lambda: ex.sell_option("AALP", 180, "2025-01-17", "call", 1, limit=3.0),
            "'AALP250117C00180000'",
            "'AAPL250117C00180000'",
        ),
    ]:
        order, said = warned(act)
        assert said == [f"There is no price for {name} {rests} {near}?"]
        assert order.status == "new"


def test_a_market_order_says_it_in_its_reason_too(ex: hz.ImperativeClient) -> None:
    order, said = warned(lambda: ex.buy("APPL", 10, market=True))
    assert said == [REJECTED]
    assert order.metadata["reason"] == "no price: APPL has had no tick yet. Did you mean 'AAPL'?"
    order, said = warned(lambda: ex.buy("APPL", 10, market=True))
    assert (said, order.metadata["reason"]) == ([], "no price: APPL has had no tick yet")


def test_an_order_now_or_never_waits_for_the_first_price(ex: hz.ImperativeClient) -> None:
    _, said = warned(lambda: ex.buy("APPL", 10, limit=180.0, tif="ioc"))
    assert said == [RESTS.replace("rests until there is one", "waits for the first one")]
    book = hz.connect("book", clock=lambda: 0.0)
    book.take_book("AAPL", [(99.0, 1)], [(100.0, 1)])
    order, said = warned(lambda: book.buy("APPL", 10, limit=180.0, tif="ioc"))
    assert said == [RESTS.replace("rests until there is one", "finds nothing and ends")]
    assert order.status == "canceled"
    order, said = warned(lambda: book.buy("AALP", 10, market=True))
    assert said == [REJECTED.replace("APPL", "AALP")]
    assert order.metadata["reason"].endswith("Did you mean 'AAPL'?")


def test_an_order_found_again_by_its_name_is_not_warned_of(ex: hz.ImperativeClient) -> None:
    first, said = warned(lambda: ex.buy("APPL", 10, limit=180.0, client_order_id="dip"))
    assert said == [RESTS]
    again, said = warned(lambda: ex.buy("APPL", 10, limit=180.0, client_order_id="dip"))
    assert (again.id, said) == (first.id, [])


def test_nothing_is_said_where_nothing_is_near_or_the_market_is_known(
    ex: hz.ImperativeClient,
) -> None:
    ex.declare(hz.Market("rain2", hz.Prediction))
    for act in [
        lambda: ex.buy("MSFT", 1, limit=5.0),
        lambda: ex.buy("AAPL", 1, limit=5.0),
        lambda: ex.buy("rain:no", 1, limit=0.5),
        lambda: ex.buy_prediction("rain2", 1, limit=0.5),
        # Who makes a market has said what it is.
        lambda: ex.buy(hz.Market("APPL", hz.Equity), 1, limit=5.0),
        lambda: hz.connect("paper").buy("APPL", 1, limit=5.0),
        lambda: ex.cancel_all(),
        lambda: ex.flatten("nothing"),
        lambda: ex.cancel_all("nothing"),
    ]:
        assert warned(act)[1] == []


def test_what_is_refused_is_refused_without_a_warning() -> None:
    ex = hz.connect("paper", risk=hz.RiskConfig(max_order_size=5))
    ex.tick("AAPL", 180.0)
    ex.tick("rain", 0.6)

    def by_risk() -> None:
        with pytest.raises(RiskRejected):
            ex.buy("APPL", 6, limit=170.0)

    def by_its_terms() -> None:
        with pytest.raises(ValueError, match="must lie strictly between 0 and 1"):
            ex.buy_prediction("AAPLE", 1, limit=5.0)

    def an_algorithm() -> None:
        with pytest.raises(ValueError, match="price_limit must lie strictly between 0 and 1"):
            ex.twap("rian:no", 1, duration_secs=5, num_slices=2, price_limit=1.5)

    with unchanged(ex.engine.venue):
        for act in (by_its_terms, an_algorithm):
            assert warned(act)[1] == []
    assert warned(by_risk)[1] == []  # which counts it
    assert ex.orders() == []


def test_where_warnings_are_errors_nothing_is_sent(ex: hz.ImperativeClient) -> None:
    with unchanged(ex.engine.venue):
        with pytest.raises(UserWarning, match="Did you mean 'AAPL'"):
            ex.buy("APPL", 10, limit=180.0)
        with pytest.raises(UserWarning, match="Did you mean 'AAPL'"):
            ex.twap("APPL", 10, duration_secs=5, num_slices=2)


def test_who_has_asked_already_is_not_told(ex: hz.ImperativeClient) -> None:
    def act() -> None:
        with undoubted():
            ex.buy("APPL", 10, limit=180.0)
            assert ex.preview("AALP", 10, limit=180.0).cautions == ()

    assert warned(act)[1] == []
    assert ex.preview("AALP", 10, limit=180.0).cautions != ()


def test_the_engine_and_a_program_on_it_are_not_warned(ex: hz.ImperativeClient) -> None:
    request = hz.OrderRequest("APPL", hz.Side.Long, hz.OrderSide.Buy, 1, 170.0)
    assert warned(lambda: ex.engine.submit_order(request))[1] == []


# ------------------------------------------------------------------------ algorithms
@pytest.mark.parametrize(
    ("verb", "how"),
    [
        ("twap", {"duration_secs": 60, "num_slices": 3}),
        ("vwap", {"duration_secs": 60, "volume_profile": [1, 2]}),
        ("iceberg", {"show_size": 5, "limit": 180.0}),
    ],
)
def test_an_algorithm_is_warned_of_once(
    ex: hz.ImperativeClient, verb: str, how: dict[str, Any]
) -> None:
    algo, said = warned(lambda: getattr(ex, verb)("APPL", 10, **how))
    assert said == [STARTS]
    assert algo.status == "running"
    assert warned(lambda: getattr(ex, verb)("APPL", 10, **how))[1] == []


# ------------------------------------------------------------------------ previews
def test_a_preview_asks_the_same(ex: hz.ImperativeClient) -> None:
    with unchanged(ex.engine.venue):
        assert ex.preview("APPL", 10, limit=180.0).cautions == (RESTS,)
        assert ex.preview("APPL", 10, market=True).cautions == (REJECTED,)
        assert ex.preview("AAPL", 10, limit=170.0).cautions == ()
        assert ex.preview("MSFT", 10, limit=170.0).cautions == ()
    html = ex.preview("APPL", 10, limit=180.0)._repr_html_()
    assert "the order rests until there is one. Did you mean &#x27;AAPL&#x27;?</td>" in html


# ------------------------------------------------------------------------ settle, flatten, cancel
@pytest.mark.parametrize("name", ["rian", "rian:no", "RAIN"])
def test_settling_what_is_nearly_a_market_settles_nothing(
    ex: hz.ImperativeClient, name: str
) -> None:
    ex.buy("rain", 10, market=True)
    with unchanged(ex.engine.venue), pytest.raises(ValueError) as caught:
        ex.settle(name, 1.0)
    base = name.removesuffix(":no")
    assert str(caught.value) == (
        f"market_id must be one that is known here, was {name!r}. Did you mean 'rain'? One that is "
        f"to settle before anything else is declared first: ex.declare(hz.Market({base!r}, …))"
    )
    ex.declare(hz.Market(base, hz.Prediction))
    assert ex.settle(name, 1.0) == []
    assert [end.realized_pnl for end in ex.settle("rain", 1.0)] == [pytest.approx(4.0)]


def test_settling_what_is_near_to_nothing_stays_legal(ex: hz.ImperativeClient) -> None:
    assert ex.settle("snow", 1.0) == []
    # A program knows its names: engine and venue take them as they are.
    assert ex.engine.settle("rian", 1.0) == []
    assert ex.engine.venue.settle("rein", 1.0) == []


def test_flattening_what_is_nearly_a_market_is_warned_of(ex: hz.ImperativeClient) -> None:
    ex.buy("AAPL", 10, market=True)
    ex.buy("AAPL", 10, limit=170.0)
    with unchanged(ex.engine.venue):
        assert warned(lambda: ex.flatten("APPL")) == (
            [],
            ["Nothing is known of 'APPL': nothing is closed. Did you mean 'AAPL'?"],
        )
        assert warned(lambda: ex.cancel_all("APPL")) == (
            0,
            ["Nothing is known of 'APPL': nothing is cancelled. Did you mean 'AAPL'?"],
        )
