"""The cell of the walk-forward notebook that reads a reader's own file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "08_walk_forward.ipynb"

PricesOf = Callable[[pd.DataFrame], tuple[pd.DataFrame, str]]


@pytest.fixture(scope="module")
def prices_of() -> PricesOf:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    (source,) = (cell.source for cell in cells if "def prices_of" in cell.source)
    function, _, _ = source.partition("if FILE is not None:")
    names: dict[str, Any] = {"pd": pd, "NAME": "ACME"}
    exec(function, names)
    return names["prices_of"]


def table(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


DAYS = ["2018-01-02", "2018-01-03"]


def test_a_file_as_yahoo_writes_it_is_adjusted_by_its_adj_close(prices_of: PricesOf) -> None:
    yahoo = pd.DataFrame(
        [["2018-01-02", 8.0, 12.0, 6.0, 10.0, 5.0, 100], ["2018-01-03", 10, 11, 9, 10, 10, 200]],
        columns=["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"],
    )
    rows, taken = prices_of(yahoo)
    assert taken == "close, adjusted by adj close"
    # The first day's factor is 5 / 10, the second's 1.
    assert rows[["open", "high", "low", "close"]].to_numpy().tolist() == [
        [4.0, 6.0, 3.0, 5.0],
        [10.0, 11.0, 9.0, 10.0],
    ]
    assert rows["volume"].tolist() == [100, 200]
    assert "adj close" not in rows
    # Days alone stand at 21:00 UTC, the close in New York.
    assert rows["timestamp"].tolist() == [pd.Timestamp(f"{day} 21:00", tz="UTC") for day in DAYS]


@pytest.mark.parametrize(
    "name, price",
    [("close", "close"), ("Close", "close"), ("price", "price"), (" Price ", "price")],
)
def test_a_date_and_one_price_are_enough(prices_of: PricesOf, name: str, price: str) -> None:
    rows, taken = prices_of(table(**{"date": DAYS, name: [1.0, 2.0]}))
    assert taken == price
    assert rows[price].tolist() == [1.0, 2.0]


def test_an_adj_close_alone_is_the_price(prices_of: PricesOf) -> None:
    rows, taken = prices_of(table(**{"Date": DAYS, "Adj Close": [1.0, 2.0]}))
    assert taken == "adj close"
    assert rows["price"].tolist() == [1.0, 2.0]


def test_numbers_are_seconds_and_keep_their_time_of_day(prices_of: PricesOf) -> None:
    rows, _ = prices_of(table(time=[60, 120], price=[1.0, 2.0]))
    assert rows["timestamp"].tolist() == [
        pd.Timestamp("1970-01-01 00:01", tz="UTC"),
        pd.Timestamp("1970-01-01 00:02", tz="UTC"),
    ]


def test_of_several_markets_the_one_that_is_named_is_taken(prices_of: PricesOf) -> None:
    both = table(date=DAYS * 2, ticker=["ACME"] * 2 + ["OTHER"] * 2, close=[1.0, 2.0, 8.0, 9.0])
    rows, _ = prices_of(both)
    assert rows["close"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "wrong, said",
    [
        (table(date=DAYS, last=[1.0, 2.0]), r"one close, price or adj close; found: 2 rows of d"),
        (table(day=DAYS, close=[1.0, 2.0]), r"a column timestamp, date, datetime or time, .* day"),
        (table(date=DAYS, ticker=["B", "B"], close=[1.0, 2.0]), r"rows of ACME .* found: 0 rows"),
        (table(date=DAYS[::-1], close=[1.0, 2.0]), "the oldest row first; date goes back in time"),
        (table(date=DAYS, close=[1.0, None]), "a number in each row; close has none in row 1"),
    ],
    ids=["no price", "no time", "no rows", "newest first", "a gap"],
)
def test_what_is_missing_is_told(prices_of: PricesOf, wrong: pd.DataFrame, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        prices_of(wrong)
