"""Why an order filled or did not, book by book: sizes, queues, chances, impact, latency."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.backtesting.explain import Explanation
from horizon.instruments import Market, Prediction
from horizon.venues.chance import market_key, uniform
from horizon.venues.fill_models import FillModel
from horizon.venues.latency import Latency
from tests.backtesting.scenes import book, buy, buy_no, play, sell, sell_no, ticks

BIDS = [(0.48, 10.0), (0.47, 20.0)]
ASKS = [(0.50, 5.0), (0.51, 5.0), (0.55, 100.0)]


def over(table: Any, *books: dict[str, Any], **how: Any) -> Any:
    """A run over the snapshots of the prediction market "m"."""
    how.setdefault("markets", [Market("m", Prediction)])
    return play(table, how.pop("data", None), book_data={"m": list(books)}, **how)


def states(explanation: Explanation) -> list[str]:
    return list(explanation.rows["state"])


def told(explanation: Explanation) -> list[str]:
    """What came of each row, and the last line."""
    _, _, body = explanation.words.partition("\n\n")
    return [re.split(" {2,}", line)[-1] for line in body.splitlines()]


# ------------------------------------------------------------------------ on arrival
def test_a_market_order_takes_what_the_book_of_its_moment_shows() -> None:
    found = over({0.0: [buy(8)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, ASKS)).explain("p1")
    assert states(found) == ["arrived"]
    # 5 at 0.50 and 3 at 0.51: 4.03 / 8.
    assert found.rows["fill_price"].tolist() == pytest.approx([0.50375], abs=1e-12)
    assert found.rows["shown"].tolist() == [110.0]
    assert told(found) == ["arrived and took 8 at 0.50375 on average: 110 shown"]
    assert "filled 8 of 8 at 0.50375 in 2 fills" in found.words


def test_a_market_order_that_exhausts_the_book_is_told_so() -> None:
    found = over({0.0: [buy(12)]}, book(0.0, BIDS, ASKS[:2])).explain("p1")
    assert told(found) == [
        "arrived and took 10 at 0.505 on average, 2 were left: 10 shown",
        "cancelled: no liquidity left",
    ]


def test_a_limit_takes_up_to_its_price_and_rests_with_the_remainder() -> None:
    found = over(
        {0.0: [buy(12, 0.51)]},
        book(0.0, BIDS, ASKS),
        book(1.0, BIDS, [(0.52, 9.0)]),
        book(2.0, BIDS, [(0.50, 1.5), (0.51, 9.0)]),
    ).explain("p1")
    assert states(found) == ["arrived", "not reached", "filled"]
    assert found.rows["filled"].tolist() == [10.0, 0.0, 2.0]
    assert found.rows["best"].tolist() == [0.50, 0.52, 0.50]
    assert found.rows["book"].tolist() == [0, 1, 2]
    # At or through 0.51: 10 at first, then 10.5.
    assert found.rows["shown"].tolist()[::2] == [10.0, 10.5]
    assert math.isnan(found.rows["shown"].iloc[1])
    assert told(found) == [
        "arrived and took 10 at 0.505 on average, 2 were left: 10 shown at or through the limit",
        "0.01 above the limit",
        "filled 2 at 0.51: 10.5 shown at or through the limit",
    ]


def test_an_ioc_ends_on_arrival() -> None:
    found = over({0.0: [buy(8, 0.50, tif="ioc")]}, book(0.0, BIDS, ASKS)).explain("p1")
    assert told(found) == [
        "arrived and took 5 at 0.50, 3 were left: 5 shown at or through the limit",
        "cancelled: ioc: no liquidity left within the limit",
    ]


def test_an_order_that_would_take_is_rejected_where_it_must_not() -> None:
    found = over({0.0: [buy(8, 0.50, post_only=True)]}, book(0.0, BIDS, ASKS)).explain("p1")
    assert states(found) == ["sent"]
    assert told(found)[-1].startswith("rejected: post_only")


def test_what_our_own_orders_took_before_is_told() -> None:
    table = {0.0: [buy(4, 0.50), buy(3, 0.50)]}
    found = over(table, book(0.0, BIDS, ASKS)).explain("p2")
    assert found.rows["taken_before"].tolist() == [4.0]
    assert told(found)[0] == (
        "arrived and took 1 at 0.50, 2 were left: 5 shown at or through the limit, once our "
        "orders before it had 4"
    )


# ------------------------------------------------------------------------ resting
def test_a_resting_order_fills_with_the_size_that_is_shown() -> None:
    found = over(
        {0.0: [sell(10, 0.52)]},
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.53, 2.0), (0.52, 1.0), (0.51, 50.0)], [(0.54, 1.0)]),
        book(2.0, [(0.51, 50.0)], [(0.54, 1.0)]),
        book(3.0, [(0.52, 50.0)], [(0.54, 1.0)]),
    ).explain("p1")
    assert states(found) == ["arrived", "filled", "not reached", "filled"]
    assert found.rows["filled"].tolist() == [0.0, 3.0, 0.0, 7.0]
    assert told(found) == [
        "arrived: 0.04 below the limit",
        "filled 3 at 0.52: 3 shown at or through the limit",
        "0.01 below the limit",
        "filled 7 at 0.52: 50 shown at or through the limit",
    ]
    assert "It met 3 books after the one it arrived at; 2 reached the limit" in found.words


def test_an_order_behind_our_own_gets_what_they_leave() -> None:
    table = {0.0: [sell(10, 0.52), sell(10, 0.53)]}
    run = over(table, book(0.0, BIDS, ASKS), book(1.0, [(0.53, 4.0), (0.52, 8.0)], [(0.54, 1.0)]))
    # The first has 10 of the 12: the 4 at 0.53, and 6 of the next level.
    assert run.explain("p1").rows["filled"].tolist() == [0.0, 10.0]
    second = run.explain("p2")
    assert states(second) == ["arrived", "reached"]
    assert second.rows["taken_before"].tolist() == [0.0, 10.0]
    assert told(second)[1] == (
        "reached, yet nothing filled: 4 shown at or through the limit, once our orders before it "
        "had 10"
    )


def test_prices_are_those_of_no_where_the_order_is() -> None:
    found = over(
        {0.0: [buy_no(10, 0.46)]},
        book(0.0, BIDS, ASKS),
        book(1.0, [(0.53, 4.0)], [(0.55, 1.0)]),
        book(2.0, [(0.54, 4.0)], [(0.55, 1.0)]),
    ).explain("p1")
    # NO is asked at 1 − 0.48, 1 − 0.53, 1 − 0.54.
    assert found.rows["best"].tolist() == [0.52, 0.47, 0.46]
    assert states(found) == ["arrived", "not reached", "filled"]
    assert found.rows["filled"].tolist() == [0.0, 0.0, 4.0]
    assert "asks from 0.52" in found.words


def test_an_empty_side_has_nothing_to_meet() -> None:
    found = over(
        {0.0: [buy(1, 0.40)]}, book(0.0, BIDS, ASKS), book(1.0, BIDS, []), data=ticks(0.5, 0.5)
    ).explain("p1")
    assert states(found) == ["arrived", "nothing to meet"]
    assert told(found)[1:] == ["nothing to meet", "the run ended; the order was still open"]
    assert "no asks" in found.words


def test_a_fill_in_the_middle_of_a_long_life_is_told() -> None:
    books = [book(float(n), [(0.40, 9.0)], [(0.50, 5.0)]) for n in range(60)]
    books[30] = book(30.0, [(0.40, 9.0)], [(0.45, 2.0)])
    found = over({0.0: [buy(10, 0.45)]}, *books).explain("p1")
    assert len(found.rows) == 60
    lines = told(found)
    # 4 books, 26 between, the fill, 25 between, 4 books, and the end.
    assert len(lines) == 12
    assert lines[4] == "26 not reached; the nearest 0.05 above the limit"
    assert lines[5] == "filled 2 at 0.45: 2 shown at or through the limit"
    assert lines[6] == "25 not reached; the nearest 0.05 above the limit"


# ------------------------------------------------------------------------ impact
def test_our_own_impact_is_told_apart() -> None:
    # 10 at 0.50 by the first order: 5 × 100 bps / 10 000 = 0.05 on the second level of 0.51.
    table = {0.0: [buy(5, 0.50)], 1.0: [buy(1, 0.49)]}
    books = [book(float(n), BIDS, [(0.50, 50.0)]) for n in range(3)]
    run = over(table, *books, impact_temporary_bps=100, impact_permanent_fraction=0.2)
    # Notional 5 × 0.50 = 2.50; × 0.2 × 100 / 10 000 = 0.005.
    found = run.explain("p2")
    assert found.rows["displacement"].tolist() == pytest.approx([0.005, 0.005], abs=1e-15)
    assert found.rows["best"].tolist() == pytest.approx([0.505, 0.505], abs=1e-15)
    assert "asks from 0.505, 0.005 of it our impact" in found.words
    assert told(found)[0] == "arrived: 0.015 above the limit"
    # The first order itself came before it.
    assert run.explain("p1").rows["displacement"].tolist() == [0.0]


def test_impact_never_helps() -> None:
    table = {0.0: [sell(10, 0.48)], 1.0: [buy(1, 0.49)]}
    books = [book(float(n), BIDS, [(0.50, 50.0)]) for n in range(2)]
    run = over(table, *books, impact_temporary_bps=100, impact_permanent_fraction=0.2)
    found = run.explain("p2")
    # Pushed down by 10 × 0.48 × 0.2 × 100 / 10 000; asks stay where they are.
    assert found.rows["displacement"].tolist() == pytest.approx([-0.0096], abs=1e-15)
    assert found.rows["best"].tolist() == [0.50]
    assert "impact" not in found.words


def test_levels_that_impact_pushes_out_of_the_market_are_gone() -> None:
    table = {0.0: [buy(100)], 1.0: [buy(1, 0.90)]}
    books = [book(float(n), BIDS, [(0.95, 200.0)]) for n in range(2)]
    run = over(table, *books, impact_temporary_bps=100, impact_permanent_fraction=0.1)
    # 95 × 0.1 × 100 / 10 000 = 0.095 on 0.95.
    found = run.explain("p2")
    assert found.rows["displacement"].tolist() == pytest.approx([0.095], abs=1e-12)
    assert found.rows["best"].isna().all()
    assert "no asks" in found.words


# ------------------------------------------------------------------------ chances
def test_the_queue_is_told_as_it_was() -> None:
    sizes = [10.0, 8.0, 12.0, 6.0, 0.0, 4.0]
    books = [
        book(float(n), [(0.48, size)] * (size > 0) + [(0.47, 20.0)], [(0.50, 5.0)])
        for n, size in enumerate(sizes)
    ]
    run = over(
        {0.0: [buy(3, 0.48)]},
        *books,
        fill_model="probabilistic",
        fill_model_params={"lambda": 0.0, "queue_frac": 0.5},
    )
    found = run.explain("p1")
    # Behind 5 of 10; 2 leave: 5 − 2 × 5/10 = 4; joins change nothing; 6 of 12 leave: 4 − 6 × 4/12
    # = 2; the level empties: nobody; who joins after that is behind.
    assert found.rows["ahead"].tolist()[1:] == pytest.approx([4.0, 4.0, 2.0, 0.0, 0.0], abs=1e-12)
    assert states(found) == [
        "arrived",
        "in the queue",
        "in the queue",
        "in the queue",
        "drawn in vain",
        "drawn in vain",
    ]
    assert told(found)[1] == "0.02 above the limit, 4 ahead of it in the queue"
    assert found.rows["touch"].tolist()[1:] == [0.48, 0.48, 0.48, 0.47, 0.48]


@pytest.mark.parametrize("seed", range(6))
def test_chance_and_draw_are_those_that_decided(seed: int) -> None:
    books = [book(2.0 * n, [(0.48, 10.0)], [(0.50, 5.0)]) for n in range(8)]
    run = over(
        {0.0: [buy(1, 0.30), buy(3, 0.48)]},
        *books,
        fill_model="glft",
        fill_model_params={"intensity": 0.2, "kappa": 25},
        rng_seed=seed,
    )
    rows = run.explain("p2").rows
    # Mid 0.49, 0.01 away: 1 − exp(−0.2 × exp(−25 × 0.01) × 2).
    chance = 1.0 - math.exp(-0.2 * math.exp(-0.25) * 2.0)
    n = len(rows)
    assert rows["chance"].tolist()[1:] == pytest.approx([chance] * (n - 1), rel=1e-12)
    # The second order of its market, at the books 1, 2, ….
    draws = [uniform(seed, market_key("m"), 2, k) for k in range(1, n)]
    assert rows["draw"].tolist()[1:] == draws
    lucky = [k for k, draw in enumerate(draws, 1) if draw < chance]
    if lucky:
        assert lucky == [n - 1]
        assert rows["filled"].tolist() == [0.0] * (n - 1) + [3.0]
        assert "by chance: chance 26.8 %, drew" in run.explain("p2").words
    else:
        assert n == 8
        assert set(rows["state"].iloc[1:]) == {"drawn in vain"}


def test_draws_count_the_orders_that_the_own_market_accepted() -> None:
    books = [book(float(n), [(0.48, 10.0)], [(0.50, 5.0)]) for n in range(4)]
    table = {
        ("m", 0.0): [buy(1, 0.30), buy(9, 0.60, post_only=True), buy_no(1, 0.20)],
        ("k", 0.0): [buy(1, 0.30, market="k")],
        ("m", 1.0): [buy(3, 0.48)],
    }
    run = play(
        table,
        book_data={"k": books, "m": books},
        markets=[Market("k", Prediction), Market("m", Prediction)],
        fill_model="glft",
        fill_model_params={"intensity": 0.0},
        rng_seed=7,
    )
    # Fifth of the run: one is of another market, and one was refused. It is the third of its own.
    rows = run.explain("p5").rows
    assert run.orders_frame()["status"].tolist().count("rejected") == 1
    assert rows["draw"].tolist()[1:] == [uniform(7, market_key("m"), 3, k) for k in (2, 3)]


def test_an_order_behind_the_touch_has_no_chance() -> None:
    books = [book(float(n), [(0.48, 10.0)], [(0.50, 5.0)]) for n in range(3)]
    found = over(
        {0.0: [buy(3, 0.45)]}, *books, fill_model="glft", fill_model_params={"intensity": 100.0}
    ).explain("p1")
    assert states(found) == ["arrived", "behind the touch", "behind the touch"]
    assert told(found)[1] == "0.05 above the limit, and not at the best bid of 0.48"
    assert found.rows["chance"].isna().all()


def test_a_model_of_ones_own_is_asked_again() -> None:
    class Third(FillModel):
        """Fills surely at the third book after an order's arrival."""

        def rest(self, order: Any, book: Any) -> None:
            order.memory = 0

        def follow(self, order: Any, book: Any) -> None:
            order.memory += 1

        def chance(self, order: Any, book: Any, seconds: float) -> float:
            return 1.0 if order.memory == 3 else 0.0

    books = [book(float(n), [(0.48, 10.0)], [(0.50, 5.0)]) for n in range(6)]
    found = over({1.0: [sell(3, 0.50)]}, *books, fill_model=Third()).explain("p1")
    assert states(found) == ["arrived", "drawn in vain", "drawn in vain", "filled"]
    assert found.rows["chance"].tolist()[1:] == [0.0, 0.0, 1.0]


# ------------------------------------------------------------------------ latency
def falling() -> list[dict[str, Any]]:
    """Asks of 0.50, 0.49, 0.48, 0.47, a second apart."""
    return [book(float(n), [(0.40, 9.0)], [(round(0.50 - 0.01 * n, 2), 5.0)]) for n in range(4)]


def test_an_order_arrives_at_the_book_of_its_arrival() -> None:
    books = falling()
    found = over({0.0: [buy(3, 0.48)]}, *books, latency_ms=1500).explain("p1")
    assert states(found) == ["sent", "arrived", "filled"]
    assert found.rows["book"].tolist() == [0, 1, 2]
    assert told(found)[:2] == ["in force when it was sent", "arrived: 0.01 above the limit"]
    assert "to arrive 1970-01-01 00:00:01.5" in found.words


def test_an_order_that_arrives_with_a_book_finds_that_book() -> None:
    books = falling()
    found = over({0.0: [buy(3, 0.49)]}, *books, latency_ms=1000).explain("p1")
    assert states(found) == ["sent", "arrived"]
    assert found.rows["filled"].tolist() == [0.0, 3.0]


def test_a_latency_of_ones_own_is_asked_again() -> None:
    class Slow(Latency):
        def delay_ns(self, market_id: str, now_ns: int) -> int:
            return 2_500_000_000 if now_ns == 0 else 0

    books = falling()
    run = over({0.0: [buy(3, 0.48)], 1.0: [buy(1, 0.49)]}, *books, latency=Slow())
    assert states(run.explain("p1")) == ["sent", "on its way", "arrived"]
    assert states(run.explain("p2")) == ["arrived"]


def test_an_order_before_the_first_book_waits_for_it() -> None:
    books = [book(2.0 + n, BIDS, [(0.50, 5.0)]) for n in range(2)]
    found = over(
        {0.0: [buy(3, 0.40)]}, *books, data=ticks(0.5, 0.5, 0.5, 0.5), latency_ms=500
    ).explain("p1")
    assert states(found) == ["not reached", "not reached"]
    assert "It met 2 books after it was sent; none reached the limit" in found.words


# ------------------------------------------------------------------------ against what happened
@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"latency_ms": 800.0},
        {"impact_temporary_bps": 5.0, "impact_permanent_fraction": 0.5},
        {"fill_model": "probabilistic", "fill_model_params": {"lambda": 0.5, "queue_frac": 0.3}},
        {
            "fill_model": "glft",
            "fill_model_params": {"intensity": 0.5, "kappa": 30.0},
            "latency_ms": 1000.0,
            "impact_temporary_bps": 5.0,
            "impact_permanent_fraction": 0.5,
        },
    ],
    ids=["plain", "late", "impact", "queue", "everything"],
)
def test_what_is_told_is_what_happened(seed: int, how: dict[str, Any]) -> None:
    run = over(Random(seed), *random_books(seed), initial_capital=1e5, rng_seed=seed, **how)
    orders = run.orders_frame()
    assert len(orders) > 20
    for order_id, order in orders.iterrows():
        found = run.explain(order_id)
        rows = found.rows
        assert rows["filled"].sum() == pytest.approx(order["filled"], rel=1e-12, abs=1e-12)
        later = rows[~rows["state"].isin(["sent", "on its way", "arrived"])]
        for row in later.itertuples():
            is_lucky = row.draw < row.chance if "draw" in later else False
            is_reached = row.away <= 1e-9 * order["price"]
            if row.filled > 0.0:
                assert row.state == "filled"
                assert is_reached or is_lucky, found
                assert row.fill_price == order["price"]
                assert not is_reached or row.filled <= row.shown
            elif is_reached:
                # Others had it, or its cancel came with this book.
                assert row.state == "too late" or row.taken_before >= row.shown, found
            else:
                assert row.state == "no size left" or not is_lucky, found


class Random:
    """Orders of every kind at random times, and now and then a cancel of everything."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(1000 + seed)

    def __call__(self, ctx: Any) -> Any:
        rng = self.rng
        if rng.random() < 0.1:
            ctx.params["engine"].cancel_all()
        return [self.order(ctx) for _ in range(int(rng.integers(0, 3)))]

    def order(self, ctx: Any) -> Any:
        rng = self.rng
        make = [buy, sell, buy_no, sell_no][rng.integers(4)]
        size = float(rng.integers(1, 15))
        if rng.random() < 0.15:
            return make(size)
        own = ctx.feed.price if make in (buy, sell) else 1.0 - ctx.feed.price
        price = round(float(np.clip(own + rng.normal(0.0, 0.02), 0.02, 0.98)), 2)
        return make(size, price, tif="ioc" if rng.random() < 0.2 else "gtc")


def random_books(seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    mids = np.clip(0.5 + np.cumsum(rng.normal(0.0, 0.01, 60)), 0.15, 0.85).round(2)
    books = []
    for n, mid in enumerate(mids.tolist()):
        sizes = rng.integers(1, 12, 6).astype(float).tolist()
        bids = [(round(mid - 0.01 * (k + 1), 2), sizes[k]) for k in range(3)]
        asks = [(round(mid + 0.01 * (k + 1), 2), sizes[3 + k]) for k in range(3)]
        books.append(book(float(n), bids, asks if rng.random() > 0.05 else []))
    return books


def test_html_of_books_is_escaped_and_short() -> None:
    market = '<b onmouseover="x()">m</b>'
    books = [book(float(n), BIDS, ASKS) for n in range(300)]
    run = hz.backtest(
        markets=[Market(market, Prediction)],
        book_data={market: books},
        pipeline=[lambda ctx: [buy(1, 0.3, market=market)] if ctx.timestamp == 0.0 else None],
    )
    page = run.explain("p1")._repr_html_()
    assert "<b onmouseover" not in page
    assert "&lt;b onmouseover=&quot;x()&quot;&gt;m&lt;/b&gt;" in page
    assert len(page) < 5_000
