"""The picture of a book's depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon.errors import DataError
from horizon.figures import THEMES, book_depth

BOOKS = [
    {"timestamp": 0.0, "bids": [(10, 4)], "asks": [(12, 1)]},
    {"timestamp": 3.0, "bids": [(10, 8), (9, 2)], "asks": [(11, 6)]},
    {"timestamp": 8.0, "bids": [(9, 1)], "asks": [(11, 5)]},
]


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def test_cells_carry_the_average_sizes_and_the_lines_the_best_prices() -> None:
    figure = book_depth(BOOKS, n_times=2, market_id="ACME", unit="shares")
    drawn = traces(figure)
    assert set(drawn) == {"asks", "bids", "best ask", "mid", "best bid"}
    # By hand in the test of the grid: rows at 9 and 10 for the bids, 11 and 12 for the asks.
    np.testing.assert_array_equal(drawn["bids"].customdata, [[0.5, 2.0], [5.0, 8.0]])
    np.testing.assert_array_equal(drawn["asks"].customdata, [[1.5, 6.0], [0.75, np.nan]])
    assert drawn["bids"].y.tolist() == [8.5, 9.5, 10.5]
    assert drawn["asks"].y.tolist() == [10.5, 11.5, 12.5]
    wanted = np.array([0, 4, 8], dtype="datetime64[s]").astype("datetime64[ns]")
    assert (drawn["bids"].x == wanted).all()
    assert drawn["best bid"].y.tolist() == [10.0, 10.0, 9.0]
    assert drawn["best ask"].y.tolist() == [12.0, 11.0, 11.0]
    assert drawn["mid"].y.tolist() == [11.0, 10.5, 10.0]
    assert figure.layout.title.text == "ACME: book depth"
    told = figure.layout.title.subtitle.text
    assert told == "3 books; colour: average size in each cell"


def test_colours_go_by_size_on_one_scale_and_the_bar_says_sizes() -> None:
    drawn = traces(book_depth(BOOKS, n_times=2))
    assert drawn["bids"].zmin == drawn["asks"].zmin == 0.0
    assert drawn["bids"].zmax == drawn["asks"].zmax == np.nanmax(drawn["bids"].z)
    # The same size has the same place on both, and a larger one a higher place.
    for side in ("bids", "asks"):
        sizes, places = drawn[side].customdata.ravel(), drawn[side].z.ravel()
        order = np.argsort(sizes[~np.isnan(sizes)])
        assert (np.diff(places[~np.isnan(places)][order]) > 0).all()
        bar = drawn[side].colorbar
        assert bar.ticktext[0] == "0"
        # Usual is the median of 0.5, 2, 5, 8, 1.5, 6 and 0.75, which is 2: a mark of m stands
        # at log(1 + m / 2).
        for text, place in zip(bar.ticktext, bar.tickvals, strict=True):
            assert place == pytest.approx(np.log1p(float(text) / 2.0))
    assert drawn["bids"].colorbar.title.text == "Bids, units"
    assert drawn["bids"].colorscale != drawn["asks"].colorscale


def test_hover_says_time_price_size_and_side_in_words() -> None:
    drawn = traces(book_depth(BOOKS, currency="EUR", unit="shares"))
    # 8 s in 240 columns.
    assert "shares bid on average over 33.3 ms" in drawn["bids"].hovertemplate
    assert "shares ask on average over 33.3 ms" in drawn["asks"].hovertemplate
    assert "%{y:,.2f} EUR" in drawn["bids"].hovertemplate
    assert "best ask %{y:,.2f} EUR" in drawn["best ask"].hovertemplate
    # The mid of prices in whole ticks may lie between two of them.
    assert "mid %{y:,.3f} EUR" in drawn["mid"].hovertemplate
    # Rows of several ticks say how far they reach: 1 to 6 in two rows are 0 to 3 and 4 to 7.
    many = [{"timestamp": t, "bids": [(p, 1) for p in range(6, 0, -1)], "asks": []} for t in (0, 1)]
    assert "%{y:,.2f} ± 2 USD" in traces(book_depth(many, n_prices=2))["bids"].hovertemplate


def test_fills_stand_on_it() -> None:
    drawn = traces(book_depth(BOOKS, fills_frame()))
    assert drawn["bought"].y.tolist() == [11.0]
    assert drawn["sold"].y.tolist() == [10.0]
    assert drawn["bought"].marker.symbol == "triangle-up"


def fills_frame() -> Any:
    return pd.DataFrame(
        {
            "timestamp": [4.0, 5.0],
            "quantity": [5.0, 5.0],
            "price": [11.0, 10.0],
            "side": ["buy", "sell"],
            "order_id": ["o1", "o2"],
        }
    )


def test_lines_of_many_books_are_thinned_and_it_says_so() -> None:
    n = 5_000
    books = [
        {"timestamp": t, "bids": [(100 + t % 13, 1)], "asks": [(120 + t % 11, 1)]} for t in range(n)
    ]
    figure = book_depth(books)
    drawn = traces(figure)
    assert len(drawn["mid"].x) <= 2_000
    told = figure.layout.title.subtitle.text
    assert figure.notes[0] in told
    assert "of 5,000 books" in told
    assert set(figure.between(10 * 10**9, 20 * 10**9)) == {0, 1, 2, 3, 4}
    assert len(figure.to_json()) < 2_000_000


def test_a_window_has_finer_cells_on_the_same_scale() -> None:
    # A bid of 10 for a second, then of 1; after 100 s nothing changes any more.
    books = [
        {"timestamp": 0.0, "bids": [(5, 10)], "asks": [(7, 1)]},
        {"timestamp": 1.0, "bids": [(5, 1)], "asks": []},
        {"timestamp": 100.0, "bids": [(5, 1)], "asks": []},
    ]
    figure = book_depth(books, n_times=1)
    assert traces(figure)["bids"].customdata.tolist() == [[np.float32((10 + 99) / 100)]]
    # From 0 s to 2 s, and half as much beside it where there is any: 0 to 3 s, in two columns:
    # 10 for 1 s and 1 for 0.5 s are 7 on average, then 1.
    window = figure.between(0, 2 * 10**9)
    assert window[1]["customdata"].tolist() == [[7.0, 1.0]]
    edges = np.array([0, 1_500, 3_000], dtype="datetime64[ms]").astype("datetime64[ns]")
    assert (window[1]["x"] == edges).all()
    assert set(window[1]) == {"x", "y", "z", "customdata", "hovertemplate"}
    assert "on average over 1.5 s" in window[1]["hovertemplate"]
    # The same size has the same colour: usual are 1.09 and 0.01, whose median is 0.55.
    assert window[1]["z"][0, 1] == pytest.approx(np.log1p(1 / 0.55), rel=1e-6)
    # Where a side has nothing in view, nothing is drawn.
    assert np.isnan(figure.between(20 * 10**9, 30 * 10**9)[0]["z"]).all()
    # Beside all books there is the whole.
    for start, end in ((-9, -5), (200, 300)):
        beside = figure.between(start * 10**9, end * 10**9)
        assert beside[1]["customdata"].tolist() == traces(figure)["bids"].customdata.tolist()


@pytest.mark.parametrize(
    ("books", "said"),
    [
        ([], "0 books"),
        ([{"timestamp": 5, "bids": [], "asks": []}], "1 book"),
        (
            [{"timestamp": 5, "bids": [(1, 2)], "asks": []}],
            "1 book; colour: size in each cell",
        ),
        ([{"timestamp": t, "bids": [], "asks": []} for t in (1, 2)], "2 books"),
        ([{"timestamp": t, "bids": [(3, 0)], "asks": []} for t in (1, 2)], "2 books"),
    ],
    ids=["none", "empty", "one side", "two empty", "size 0"],
)
def test_next_to_nothing_can_be_drawn(books: Any, said: str) -> None:
    figure = book_depth(books)
    assert figure.layout.title.subtitle.text == said
    assert len(figure.to_json()) < 50_000
    assert bool(figure.layout.annotations) == (books == [])


@pytest.mark.parametrize("theme", THEMES)
def test_bids_and_asks_have_the_colours_of_their_sides_in_each_theme(theme: str) -> None:
    look = THEMES[theme]
    drawn = traces(book_depth(BOOKS, theme=theme))
    assert look.buy in [colour for _, colour in drawn["bids"].colorscale]
    assert look.sell in [colour for _, colour in drawn["asks"].colorscale]
    assert drawn["best bid"].line.color == look.buy


def test_hostile_names_are_drawn_as_text() -> None:
    figure = book_depth(BOOKS, market_id="<b>x", unit="%{y}", currency="$<i>")
    text = figure.to_json()
    assert "<b>x" not in text
    assert "<i>" not in text
    assert "%{y} bid" not in text


def test_a_crossed_book_is_named() -> None:
    with pytest.raises(DataError, match="book 0: the best bid must not be above"):
        book_depth([{"timestamp": 0, "bids": [(2, 1)], "asks": [(1, 1)]}])


def test_a_window_has_every_fill_in_it() -> None:
    n = 5_000
    books = [{"timestamp": t, "bids": [(100, 1)], "asks": [(120, 1)]} for t in (0, n)]
    fills = pd.DataFrame(
        {
            "timestamp": np.arange(float(n)),
            "quantity": 1.0,
            "price": 100.0 + np.arange(n) % 20,
            "side": "buy",
            "order_id": "o1",
        }
    )
    figure = book_depth(books, fills)
    assert "of 5,000 buys" in figure.layout.title.subtitle.text
    (number,) = (i for i, trace in enumerate(figure.data) if trace.name == "bought")
    assert len(figure.data[number].x) <= 2_000
    drawn = figure.between(1_000 * 10**9, 1_019 * 10**9)[number]
    seconds = drawn["x"].astype("datetime64[s]").astype(int)
    assert set(range(1_000, 1_020)) <= set(seconds.tolist())


@pytest.mark.parametrize("name", ["market_id", "unit", "currency"])
def test_what_is_no_text_is_refused_by_name(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be text, was 5"):
        book_depth(BOOKS, **{name: 5})
