"""Recorded books, played to an account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.errors import DataError
from horizon.feeds import BookReplay

NS = 1_000_000_000
A = [
    {"timestamp": 10.0, "bids": [(0.40, 5.0), (0.39, 6.0)], "asks": [(0.42, 7.0)]},
    {"timestamp": 12.0, "bids": [], "asks": [(0.41, 8.0)]},
    {"timestamp": 13.0, "bids": [(0.40, 1.0)], "asks": [(0.44, 2.0), (0.45, 3.0)]},
]
B = [
    {"timestamp": 11.0, "bids": [(9.0, 1.0)], "asks": [(10.0, 2.0)]},
    {"timestamp": 12.0, "bids": [(9.5, 1.0)], "asks": [(10.0, 2.0)]},
]
RAIN = hz.Market("rain", hz.Prediction, tick_size=0.01)


class Told:
    """A client that writes down the books that it is given."""

    def __init__(self) -> None:
        self.books: list[tuple[Any, ...]] = []
        self.declared: list[str] = []
        self.time = 100.0

    def declare(self, market: hz.Market) -> None:
        self.declared.append(market.id)

    def take_book(self, market: str, bids: Any, asks: Any, timestamp: Any, **more: Any) -> None:
        self.books.append((market, bids, asks, timestamp, more))

    def tick(self, *given: Any, **more: Any) -> None:
        raise AssertionError("a feed of books sends no ticks")


def test_every_book_is_sent_with_its_levels_at_its_distance_from_the_present() -> None:
    feed, client = BookReplay(A, market_id="rain", markets=[RAIN]), Told()
    assert feed.run(client) == 3
    assert client.declared == ["rain"]
    assert client.books == [
        (
            "rain",
            A[0]["bids"],
            A[0]["asks"],
            100.0,
            {"price": pytest.approx(0.41), "volume": None, "trade": None},
        ),
        ("rain", [], A[1]["asks"], 102.0, {"price": None, "volume": None, "trade": None}),
        (
            "rain",
            A[2]["bids"],
            A[2]["asks"],
            103.0,
            {"price": pytest.approx(0.42), "volume": None, "trade": None},
        ),
    ]


def test_rows_are_the_best_prices_of_the_books() -> None:
    rows = list(BookReplay(A))
    assert [(r.market_id, r.timestamp_ns // NS, r.bid, r.ask) for r in rows] == [
        ("market", 10, 0.40, 0.42),
        ("market", 12, None, 0.41),
        ("market", 13, 0.40, 0.44),
    ]
    assert [(r.bid_size, r.ask_size) for r in rows] == [(5.0, 7.0), (None, 8.0), (1.0, 2.0)]


def test_books_of_several_markets_are_merged_by_time_and_those_of_one_time_in_order() -> None:
    feed = BookReplay({"rain": A, "ACME": B})
    assert [(r.market_id, r.timestamp_ns // NS) for r in feed] == [
        ("rain", 10),
        ("ACME", 11),
        ("rain", 12),
        ("ACME", 12),
        ("rain", 13),
    ]
    assert (feed.total, feed.markets) == (5, ("rain", "ACME"))
    assert feed.locate(3) == "book 1 of market 'ACME' of feed 'books'"
    # How many books are not later than a time, and the other way round.
    assert [feed.row_at(s * NS) for s in (9, 10, 12, 99)] == [0, 1, 4, 5]
    assert [feed.time_at(row) for row in (-1, 0, 4, 5)] == [None, 10 * NS, 13 * NS, None]


def wide() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "timestamp": [10.0, 12.0, 13.0],
            "bid_px_1": [0.40, np.nan, 0.40],
            "bid_sz_1": [5.0, np.nan, 1.0],
            "bid_px_2": [0.39, np.nan, np.nan],
            "bid_sz_2": [6.0, np.nan, np.nan],
            "ask_px_1": [0.42, 0.41, 0.44],
            "ask_sz_1": [7.0, 8.0, 2.0],
            "ask_px_2": [np.nan, np.nan, 0.45],
            "ask_sz_2": [np.nan, np.nan, 3.0],
        }
    )


def long() -> pd.DataFrame:
    rows = [
        (book["timestamp"], side, price, size)
        for book in A
        for side in ("bid", "ask")
        for price, size in book[f"{side}s"]  # type: ignore[literal-required]
    ]
    return pd.DataFrame(rows, columns=["timestamp", "side", "price", "size"])


@pytest.mark.parametrize("form", ["wide", "long", "csv", "parquet", "mapping", "named", "books"])
def test_every_form_of_books_is_read(form: str, tmp_path: Path) -> None:
    data: Any = wide()
    market: str | None = "rain"
    name = "books"
    if form == "long":
        data = long()
    elif form == "csv":
        data, name = tmp_path / "tape.csv", "tape.csv"
        wide().to_csv(data, index=False)
    elif form == "parquet":
        data, name = str(tmp_path / "tape.parquet"), "tape.parquet"
        long().to_parquet(data)
    elif form == "mapping":
        data, market = {"rain": A}, None
    elif form == "named":
        data, market = wide().assign(market_id="rain"), None
    elif form == "books":
        data = hz.feeds.SyntheticBooks(n=3, market_id="rain").books()["rain"]
    feed, client = BookReplay(data, market_id=market), Told()
    assert (feed.markets, feed.total, feed.name) == (("rain",), 3, name)
    feed.run(client)
    if form != "books":
        assert [(bids, asks) for _, bids, asks, *_ in client.books] == [
            (book["bids"], book["asks"]) for book in A
        ]


def test_books_that_cannot_be_are_refused_or_counted() -> None:
    bad = [*A, {"timestamp": 14.0, "bids": [(0.6, 1)], "asks": [(0.5, 1)]}]
    with pytest.raises(DataError, match="book 3: the best bid must not be above the best ask"):
        BookReplay(bad)
    feed = BookReplay(bad, bad_rows="drop")
    assert (feed.total, dict(feed.dropped)) == (3, {"market": {"crossed": 1}})
    assert "1 bad books" in repr(feed)
    with pytest.raises(DataError, match="holds no books but bad ones"):
        BookReplay(bad[3:], bad_rows="drop")
    crossed = wide().assign(bid_px_1=0.9)
    with pytest.raises(DataError, match=r"book_data\['market'\] holds no books but bad ones"):
        BookReplay(crossed[crossed.bid_px_1 > crossed.ask_px_1], bad_rows="drop")
    assert BookReplay(wide().assign(bid_px_2=[0.39, np.nan, 0.5]), bad_rows="drop").dropped == {
        "market": {"level": 1}
    }


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"books": {"rain": A}, "market_id": "x"}, ValueError, "named by their keys"),
        ({"books": A, "market_id": ""}, ValueError, "market_id must have 1 to 256 characters"),
        ({"books": A, "markets": [RAIN]}, ValueError, "'rain', of which there are no books"),
        ({"books": A, "markets": ["rain"]}, TypeError, "markets must hold Market, has 'rain'"),
        ({"books": A, "markets": RAIN}, TypeError, "markets must hold Market, was Market"),
        ({"books": 3}, TypeError, "must be a list of books or a frame"),
        ({"books": []}, DataError, "holds no books"),
        ({"books": A, "bad_rows": "skip"}, ValueError, "bad_rows must be one of"),
        ({"books": A, "speed": 0}, ValueError, "speed must be above 0"),
    ],
    ids=range(9),
)
def test_wrong_arguments_are_refused(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        BookReplay(**given)


def test_a_table_that_names_its_markets_takes_no_name() -> None:
    with pytest.raises(ValueError, match="books that name their markets themselves"):
        BookReplay(wide().assign(market_id="rain"), market_id="x")


def test_only_who_takes_books_is_played_to() -> None:
    class TicksOnly:
        time = 0.0

        def tick(self) -> None: ...

    with pytest.raises(TypeError, match=r"takes books, as hz.connect\('book'\) gives it"):
        BookReplay(A).run(TicksOnly())  # type: ignore[arg-type]
    ex = hz.connect("paper")
    with pytest.raises(hz.VenueError, match="takes no books by hand") as caught:
        BookReplay(A, market_id="rain").run(ex)
    assert caught.value.__notes__ == [
        "raised by book 0 of market 'rain' of feed 'books': the book of 'rain' at "
        "1970-01-01T00:00:10Z in the data"
    ]


def test_an_account_trades_on_what_is_played() -> None:
    ex = hz.connect("book", markets=[RAIN], clock=lambda: 0.0)
    feed = BookReplay(A, market_id="rain")
    ex.buy("rain", 9, limit=0.41)
    assert feed.run(ex, rebase=False) == 3
    # Its second book asks 0.41, eight units of it.
    assert [(f.quantity, f.price, f.timestamp) for f in ex.fills()] == [(8.0, 0.41, 12.0)]
    assert feed.run(ex) == 3  # again, after what was sent
    assert ex.time == 16.0


def test_it_plays_pauses_steps_and_jumps_as_any_feed() -> None:
    async def work() -> None:
        ex = hz.connect("book", markets=[RAIN])
        feed = BookReplay(A, market_id="rain", speed=None)
        task = asyncio.create_task(feed.play(ex, paused=True))
        while feed.status != "paused":
            await asyncio.sleep(0)
        feed.step()
        while feed.position < 1:
            await asyncio.sleep(0)
        assert ex.book("rain").asks == [(0.42, 7.0)]
        feed.seek(row=2)
        while feed.position < 2:
            await asyncio.sleep(0)
        assert ex.book("rain").asks == [(0.41, 8.0)]
        feed.resume()
        assert await task == 3

    asyncio.run(work())


def test_a_feed_says_what_it_is() -> None:
    text = repr(BookReplay({"a": A, "b": A, "c": A, "d": A}))
    assert text.startswith("<BookReplay 'books', status: idle, rows sent: 0 of 12")
    assert "markets: a, b, c and 1 more" in text
    assert text.endswith("from: 1970-01-01T00:00:10Z, to: 1970-01-01T00:00:13Z>")
