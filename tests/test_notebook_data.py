"""The price file that the notebooks read is where, and what, they take it for."""

from importlib.resources import files

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def stocks() -> pd.DataFrame:
    with files("bokeh_sampledata").joinpath("_data/stocks.csv.gz").open("rb") as source:
        return pd.read_csv(source, compression="gzip", parse_dates=["Date"])


def test_columns_are_those_of_daily_bars(stocks: pd.DataFrame) -> None:
    expected = ["Ticker", "Date", "Open", "High", "Low", "Close", "Volume", "Adj Close"]
    assert list(stocks.columns) == expected


@pytest.mark.parametrize("ticker", ["IBM", "GOOG"])
def test_prices_have_no_jump_of_a_split(stocks: pd.DataFrame, ticker: str) -> None:
    own = stocks[stocks["Ticker"] == ticker].set_index("Date")
    assert own.index.is_monotonic_increasing
    assert own.index.is_unique
    assert len(own.loc["2012"]) == 250  # sessions of the New York exchanges that year
    assert own["Close"].pct_change().abs().max() < 0.25
    assert (own["Low"] <= own["Close"]).all()
    assert (own["Close"] <= own["High"]).all()
