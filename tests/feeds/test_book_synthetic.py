"""Made-up books: the same for a seed, always possible, and like a market's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.books import read_books
from horizon.feeds import BookReplay, SyntheticBooks

PERP = hz.Market("X-PERP", hz.Perp, tick_size=0.5, lot_size=0.1)


def rows(feed: SyntheticBooks, n: int) -> list[Any]:
    """Fields and levels of the first rows."""
    found: list[Any] = []
    for batch in feed.batches():
        found += [(tuple(row), row.levels(), row.trade) for row in batch]  # type: ignore[attr-defined]
        if len(found) >= n:
            return found[:n]
    return found


def test_the_same_seed_gives_the_same_books_and_others_do_not() -> None:
    one = rows(SyntheticBooks(7, market_id="rain"), 60)
    assert rows(SyntheticBooks(7, market_id="rain", n=60), 99) == one
    assert rows(SyntheticBooks(7, market_id="rain", speed=9.0), 60) == one
    assert rows(SyntheticBooks(8, market_id="rain"), 60) != one
    assert rows(SyntheticBooks(7, market_id="snow"), 60) != one


@pytest.mark.parametrize(
    "given",
    [
        {"market_id": "rain", "levels": 8},
        {"market_id": "low", "start": 0.03, "volatility": 3.0},
        {"market_id": "fine", "tick_size": 0.001, "spread": 4.0},
        {"market_id": PERP, "start": 3_000.0, "volatility": 4.0, "depth": 20.0, "trade_rate": 4.0},
        {"market_id": hz.Market("thin", hz.Equity), "depth": 1.0, "interval": 5.0, "levels": 1},
    ],
    ids=["prediction", "near 0", "fine grid", "perp", "thin"],
)
def test_every_book_can_be_and_lies_on_its_grids(given: dict[str, Any]) -> None:
    feed = SyntheticBooks(3, n=200, **given)
    books = feed.books()[feed.market_id]
    # The reader of books refuses what is crossed, unordered, or has a size that is none.
    assert len(read_books(books)) == 200
    (market,) = feed.contracts
    lowest, highest = market.price_bounds
    for prices, sizes in (
        (books.bid_prices, books.bid_sizes),
        (books.ask_prices, books.ask_sizes),
    ):
        there = prices[~np.isnan(prices)]
        steps = there / market.tick_size
        assert np.allclose(steps, np.rint(steps), atol=1e-9)
        assert ((there > lowest) & (there < highest)).all()
        lots = sizes[~np.isnan(sizes)] / (market.lot_size or 1.0)
        assert np.allclose(lots, np.rint(lots), atol=1e-9)
        assert (lots >= 1.0 - 1e-9).all()
        assert np.nanmean(sizes) < 2.0 * given.get("depth", 500.0)


def test_trades_eat_the_book_and_are_its_price_and_volume() -> None:
    feed = SyntheticBooks(5, market_id="rain", trade_rate=0.0, volatility=1.0)
    seen = rows(feed, 500)
    traded = [k for k in range(1, 500) if seen[k][0][-1] > 0.0]
    assert 20 < len(traded) < 400
    for k in traded:
        price = seen[k][2]
        bids, asks = seen[k - 1][1]
        # Without trades for no reason, each takes what a move has left on the wrong side: it
        # was there in the book before, or better than that.
        assert price >= asks[0][0] or price <= bids[0][0]
        after = seen[k][1]
        assert all(level_price < price for level_price, _ in after[0]) or all(
            level_price > price for level_price, _ in after[1]
        )
    calm = SyntheticBooks(5, market_id="rain", trade_rate=0.0, volatility=0.0)
    assert {row[-1] for row, *_ in rows(calm, 100)} == {0.0}
    assert {trade for *_, trade in rows(calm, 100)} == {None}


def test_it_is_like_a_market() -> None:
    feed = SyntheticBooks(11, market_id=hz.Market("ACME", hz.Equity), volatility=0.5, depth=500.0)
    books = feed.books(1_600)["ACME"]
    ticks = np.rint((books.best_ask - books.best_bid) / 0.01)
    # A tick or two wide most of the time, never locked.
    assert ticks.min() >= 1
    assert np.mean(ticks <= 2) > 0.7
    # Thin at the touch, and several hundred units a level behind it.
    sizes = np.nanmean(books.bid_sizes, axis=0)
    assert sizes[0] < 0.6 * sizes[4]
    assert 200.0 < sizes[4] < 600.0
    # Over ten seconds the mid moves by 0.5 ticks times the root of ten, give or take.
    moves = np.diff(books.mid[::40]) / 0.01
    assert 0.7 < np.std(moves) / (0.5 * np.sqrt(10.0)) < 1.4


def test_it_plays_to_an_account_and_declares_its_market() -> None:
    ex = hz.connect("book", fill_model="probabilistic", fill_model_params={"lambda": 5.0})
    feed = SyntheticBooks(2, market_id=PERP, start=3_000.0, volatility=4.0)
    assert feed.run(ex, n=40) == 40
    assert ex.engine.venue.market("X-PERP") == PERP
    assert ex.book("X-PERP").bids == rows(feed, 40)[-1][1][0]
    fields, (bids, asks), trade = rows(feed, 40)[-1]
    # Marked at the mid, whatever traded last.
    assert ex.quote("X-PERP").price == fields[2] == (bids[0][0] + asks[0][0]) / 2
    venue = ex.engine.venue
    assert venue.last_trade(venue.account.markets["X-PERP"]) == trade
    with pytest.raises(ValueError, match="may have no end"):
        feed.run(ex)
    other = hz.connect("book", markets=[hz.Market("X-PERP", hz.Perp)])
    with pytest.raises(ValueError, match="it cannot become"):
        feed.run(other, n=1)


def test_its_books_are_those_that_it_plays() -> None:
    feed = SyntheticBooks(4, market_id="rain", n=50)
    assert [row.levels() for batch in BookReplay(feed.books()).batches() for row in batch] == [
        levels
        for _, levels, _ in rows(feed, 50)  # type: ignore[attr-defined]
    ]
    assert len(feed.books(20)["rain"]) == 20
    assert len(feed.books(99)["rain"]) == 50
    with pytest.raises(ValueError, match=r"has no end: books\(\) needs n="):
        SyntheticBooks().books()


def test_rows_lie_on_their_interval() -> None:
    feed = SyntheticBooks(n=10, interval=0.5)
    assert [row.timestamp_ns for row in feed] == [k * 500_000_000 for k in range(10)]
    assert [feed.time_at(row) for row in (-1, 3, 10)] == [None, 1_500_000_000, None]
    assert [feed.row_at(ns) for ns in (-1, 0, 1_499_999_999, 10**12)] == [0, 1, 3, 10]
    assert SyntheticBooks().row_at(10**9) == 5
    assert repr(SyntheticBooks()).startswith(
        "<SyntheticBooks 'synthetic', market: synthetic, seed: 0, length: without end"
    )


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"seed": -1}, ValueError, "seed must be 0 or more, was -1"),
        ({"n": 0}, ValueError, "n must be 1 or more"),
        ({"levels": 201}, ValueError, "levels must be at most 200, was 201"),
        ({"depth": 0}, ValueError, "depth must be above 0, was 0"),
        ({"spread": 0.5}, ValueError, "spread must be 1 tick or more, was 0.5"),
        ({"spread": 99}, ValueError, "leave no room for a price"),
        ({"start": 0.999}, ValueError, r"start must lie between 0.022 and 0.978"),
        ({"volatility": -1}, ValueError, "volatility must be 0 or more"),
        ({"trade_rate": "often"}, TypeError, "trade_rate must be a number"),
        ({"interval": 1e-10}, ValueError, "interval must be at least 1e-9 seconds"),
        ({"market_id": PERP, "tick_size": 0.1}, ValueError, "tick_size 0.1 contradicts"),
        ({"market_id": "a:no"}, ValueError, "names the NO side"),
    ],
    ids=range(12),
)
def test_wrong_arguments_are_refused(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        SyntheticBooks(**given)
