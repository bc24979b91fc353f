"""What a run refuses, before any row runs: argument or row are named, and the value."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import DataError
from tests.backtesting.scenes import Timetable, book, buy, fills, play, ticks

GOOD = ticks(0.50, 0.51, 0.52)
BOOKS = {"m": [book(0.0, [(0.4, 1.0)], [(0.6, 1.0)]), book(1.0, [(0.4, 1.0)], [(0.6, 1.0)])]}


def refused(kind: type[Exception], *words: str, **how: Any) -> Exception:
    """Run, expect a refusal that says all this, and that no stage has been called."""
    stage = Timetable()
    how.setdefault("markets", ["m"])
    if "book_data" not in how:
        how.setdefault("data", GOOD)
    with pytest.raises(kind) as caught:
        hz.backtest(pipeline=how.pop("pipeline", [stage]), **how)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert stage.calls == []
    return caught.value


# ---------------------------------------------------------------------------- arguments
@pytest.mark.parametrize(
    "how,words",
    [
        ({"initial_capital": 0}, ["initial_capital", "0"]),
        ({"initial_capital": -5.0}, ["initial_capital", "-5"]),
        ({"initial_capital": math.nan}, ["initial_capital", "nan"]),
        ({"initial_capital": math.inf}, ["initial_capital", "inf"]),
        ({"paper_fee_rate": 1.0}, ["paper_fee_rate", "1"]),
        ({"paper_maker_fee_rate": -1.0}, ["paper_maker_fee_rate", "-1"]),
        ({"paper_taker_fee_rate": math.nan}, ["paper_taker_fee_rate", "nan"]),
        ({"slippage_bps": 10_000}, ["slippage_bps", "10000"]),
        ({"slippage_bps": -1}, ["slippage_bps", "-1"]),
        ({"latency_ms": -1}, ["latency_ms", "-1"]),
        ({"latency_ms": math.inf}, ["latency_ms", "inf"]),
        ({"run_on": "all"}, ["run_on", "'all'", "'feed'", "'any'"]),
        ({"matching": "quote"}, ["matching", "'quote'", "quotes"]),
        ({"bar_fill_mode": "touching"}, ["bar_fill_mode", "'touching'", "touch"]),
        ({"on_error": "ignore"}, ["on_error", "'ignore'", "skip"]),
        ({"bad_rows": "skip"}, ["bad_rows", "'skip'", "drop"]),
        ({"rng_seed": -1}, ["rng_seed", "-1"]),
        ({"periods_per_year": 0}, ["periods_per_year", "0"]),
        ({"name": ""}, ["name"]),
        ({"params": {"engine": 1}}, ["params", "engine"]),
        ({"impact_temporary_bps": -1.0, "book_data": BOOKS}, ["impact_temporary_bps", "-1"]),
        (
            {"impact_permanent_fraction": 1.5, "book_data": BOOKS},
            ["impact_permanent_fraction", "1.5"],
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_numbers_and_words_outside_their_range(how: dict[str, Any], words: list[str]) -> None:
    refused(ValueError, *words, **how)


@pytest.mark.parametrize(
    "how,words",
    [
        ({"initial_capital": "1000"}, ["initial_capital", "'1000'"]),
        ({"initial_capital": True}, ["initial_capital", "True"]),
        ({"paper_fee_rate": None}, ["paper_fee_rate", "None"]),
        ({"risk": {"max_order_size": 5}}, ["risk", "RiskConfig"]),
        ({"params": [1]}, ["params", "[1]"]),
        ({"rng_seed": 1.5}, ["rng_seed", "1.5"]),
        ({"rng_seed": "7"}, ["rng_seed", "'7'"]),
        ({"latency_ms": "50"}, ["latency_ms", "'50'"]),
        ({"name": 7}, ["name", "7"]),
        ({"markets": "m"}, ["markets", "'m'", "list"]),
        ({"markets": [7]}, ["market", "7"]),
        ({"feeds": ["market"]}, ["feeds"]),
        ({"outcomes": 1.0}, ["outcomes", "1.0"]),
        ({"outcomes": {"m": "yes"}}, ["outcomes", "'yes'"]),
        ({"resolutions": 5.0, "outcomes": {"m": 1.0}}, ["resolutions", "5.0"]),
        ({"fees": 0.001}, ["fees", "0.001"]),
        ({"latency": 50.0}, ["latency", "50.0"]),
        ({"impact": 5.0, "book_data": BOOKS}, ["impact", "5.0"]),
        ({"progress": "yes"}, ["progress", "'yes'"]),
        ({"enforce_buying_power": 1}, ["enforce_buying_power", "1"]),
        ({"data": 5}, ["5"]),
        ({"data": ["a", "b"]}, ["'a'"]),
        ({"book_data": 5}, ["5"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_things_of_another_kind(how: dict[str, Any], words: list[str]) -> None:
    refused((TypeError, ValueError), *words, **how)  # type: ignore[arg-type]


def test_an_unknown_argument() -> None:
    with pytest.raises(TypeError, match="latncy_ms"):
        hz.backtest(data=GOOD, pipeline=[Timetable()], latncy_ms=5)


# ---------------------------------------------------------------------------- names
def test_names_that_are_not_there_come_with_the_near_match() -> None:
    data = {"poll": GOOD, "spot": GOOD}
    how: dict[str, Any] = {"markets": ["rain"], "data": data, "feeds": {"rain": "poll"}}

    refused(ValueError, "outcomes", "'rian'", "rain", **how, outcomes={"rian": 1.0})
    refused(ValueError, "fees", "'rian'", "rain", **how, fees={"rian": 0.001})
    refused(
        ValueError,
        "resolutions",
        "'rian'",
        "rain",
        **how,
        outcomes={"rain": 1.0},
        resolutions={"rian": 1.0},
    )
    refused(ValueError, "feeds", "'pol'", "poll", **{**how, "feeds": {"rain": "pol"}})
    refused(ValueError, "feeds", "'rian'", "rain", **{**how, "feeds": {"rian": "poll"}})
    books = {"rian": BOOKS["m"]}
    refused(ValueError, "book_data", "'rian'", "rain", markets=["rain"], data=GOOD, book_data=books)


def test_a_market_without_a_feed() -> None:
    data = {"poll": GOOD, "spot": GOOD}

    refused(ValueError, "'m'", "'poll'", "'spot'", data=data)
    # One mapped, one not.
    refused(ValueError, "'y'", "feed", data=data, markets=["x", "y"], feeds={"x": "poll"})


def test_a_market_without_a_book() -> None:
    refused(
        ValueError,
        "book_data",
        "'y'",
        markets=["m", "y"],
        data=GOOD,
        book_data=BOOKS,
    )


def test_markets_that_cannot_be() -> None:
    refused(ValueError, "markets", "none", markets=[])
    refused(ValueError, "'m'", "more than once", markets=["m", "m"])
    refused(ValueError, "'m:no'", markets=["m:no"])
    refused(ValueError, "market", markets=[" m"])


def test_outcomes_and_resolutions_that_cannot_be() -> None:
    refused(ValueError, "outcomes", "'m'", "1.5", outcomes={"m": 1.5})
    refused(ValueError, "outcomes", "'m'", "-1", outcomes={"m": -1})
    refused(ValueError, "outcomes", "nan", outcomes={"m": math.nan})
    refused(ValueError, "resolutions", "'m'", "outcomes", resolutions={"m": 1.0})
    with pytest.raises((TypeError, ValueError), match=r"resolutions.*'m'.*soon"):
        play(Timetable(), GOOD, outcomes={"m": 1.0}, resolutions={"m": "soon"})


# ---------------------------------------------------------------------------- fill models
def test_an_unknown_fill_model_and_a_misspelled_parameter() -> None:
    refused(
        ValueError,
        "fill_model",
        "'probablistic'",
        "probabilistic",
        "glft",
        "deterministic",
        book_data=BOOKS,
        fill_model="probablistic",
    )
    refused(
        ValueError,
        "'lamda'",
        "lambda",
        "queue_frac",
        book_data=BOOKS,
        fill_model="probabilistic",
        fill_model_params={"lamda": 1.0},
    )
    refused(
        ValueError,
        "'kapa'",
        "kappa",
        book_data=BOOKS,
        fill_model="glft",
        fill_model_params={"kapa": 1.0},
    )
    refused(
        ValueError,
        "queue_frac",
        "1.5",
        book_data=BOOKS,
        fill_model="probabilistic",
        fill_model_params={"queue_frac": 1.5},
    )
    refused(
        ValueError,
        "lambda",
        "-1",
        book_data=BOOKS,
        fill_model="probabilistic",
        fill_model_params={"lambda": -1.0},
    )
    refused(
        ValueError,
        "intensity",
        "nan",
        book_data=BOOKS,
        fill_model="glft",
        fill_model_params={"intensity": math.nan},
    )


@pytest.mark.parametrize(
    "how,words",
    [
        ({"fill_model": "probabilistic"}, ["probabilistic", "book_data"]),
        ({"fill_model": "glft"}, ["glft", "book_data"]),
        ({"fill_model_params": {"lambda": 1.0}}, ["fill_model_params", "lambda"]),
        ({"impact_temporary_bps": 5.0}, ["impact", "book_data"]),
        ({"impact_permanent_fraction": 0.3}, ["impact", "book_data"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_needs_books_without_books(how: dict[str, Any], words: list[str]) -> None:
    refused(ValueError, *words, **how)


def test_what_belongs_to_runs_without_books() -> None:
    for how in ({"matching": "quotes"}, {"bar_fill_mode": "touch"}, {"slippage_bps": 5}):
        refused(ValueError, next(iter(how)), "book_data", book_data=BOOKS, **how)


# ---------------------------------------------------------------------------- data
def test_nothing_to_replay() -> None:
    refused(ValueError, "data", data=None)
    refused(ValueError, "data", data=[])
    refused(ValueError, data={"timestamp": [], "price": []})
    refused(ValueError, "data", data={"poll": [], "spot": []}, feeds={"m": "poll"})
    refused(ValueError, data=pd.DataFrame({"timestamp": [], "price": []}))
    refused(ValueError, data=lambda: iter(()))
    refused(ValueError, "book_data", book_data={})
    refused(ValueError, "m", book_data={"m": []})


def test_one_empty_feed_beside_another_is_only_stale() -> None:
    stage = Timetable(watch=lambda ctx: ctx.feeds["spot"].is_stale)
    play(stage, {"poll": GOOD, "spot": []}, feeds={"m": "poll"})

    assert stage.seen == [True] * 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(FileNotFoundError, "prices.csv", data=tmp_path / "prices.csv")
    (tmp_path / "prices.txt").write_text("timestamp,price\n0,0.5\n")
    refused(ValueError, "prices.txt", data=tmp_path / "prices.txt")


@pytest.mark.parametrize(
    "rows,row,words",
    [
        ([{"price": 0.5}], None, ["timestamp"]),
        ([{"timestamp": 1.0}], None, ["price"]),
        (ticks(0.5, math.inf), 1, ["price", "inf"]),
        (ticks(0.5, -0.1), 1, ["price", "-0.1"]),
        (ticks(0.5, "dear"), 1, ["price", "'dear'"]),
        (ticks(0.5, True), 1, ["price", "True"]),
        ([*ticks(0.5, 0.5), {"timestamp": 0.5, "price": 0.5}], 2, ["backwards", "0.5"]),
        ([*ticks(0.5), {"timestamp": "soon", "price": 0.5}], 1, ["timestamp", "'soon'"]),
        ([*ticks(0.5), {"timestamp": math.nan, "price": 0.5}], 1, ["timestamp", "nan"]),
        (ticks(0.5, 0.5, bid=[0.4, 0.6], ask=[0.6, 0.5]), 1, ["bid", "0.6", "ask", "0.5"]),
        (ticks(0.5, 0.5, volume=[1.0, -2.0]), 1, ["volume", "-2"]),
        (ticks(0.5, 0.5, bid_size=[1.0, -3.0]), 1, ["bid_size", "-3"]),
        (ticks(0.5, 0.5, bid=[0.4, math.inf]), 1, ["bid", "inf"]),
    ],
    ids=[
        "no timestamp",
        "no price",
        "infinite",
        "negative",
        "text",
        "bool",
        "backwards",
        "unread time",
        "time nan",
        "crossed",
        "volume",
        "size",
        "infinite bid",
    ],
)
def test_a_row_that_cannot_be_true(rows: Any, row: int | None, words: list[str]) -> None:
    error = refused(DataError, *words, data={"poll": rows}, feeds={"m": "poll"})

    assert isinstance(error, DataError)
    assert error.feed == "poll"
    assert "poll" in str(error)
    if row is not None:
        assert error.row == row
        assert f"row {row}" in str(error)


def test_a_bar_that_contradicts_itself() -> None:
    bar = {"timestamp": 1.0, "open": 10.0, "high": 9.0, "low": 8.0, "close": 8.5}

    error = refused(DataError, "high", "9", "open", "10", data=[bar], markets=["S"])
    assert isinstance(error, DataError)
    assert error.row == 0


def test_bad_rows_are_dropped_and_counted_when_asked() -> None:
    nan = math.nan
    rows = [
        {"timestamp": 0.0, "price": 0.50},
        {"timestamp": 1.0, "price": math.inf},
        {"timestamp": 0.5, "price": 0.50},
        {"timestamp": 2.0, "price": 0.50, "bid": 0.6, "ask": 0.5},
        {"timestamp": 3.0, "price": 0.45, "bid": nan},
        {"timestamp": 2.5, "price": 0.40},
        {"timestamp": nan, "price": 0.40},
    ]
    stage = Timetable({0.0: [buy(1, 0.45)]}, watch=lambda ctx: ctx.feed.price)
    result = play(stage, rows, bad_rows="drop")

    # The price at 1.0 is none; that at 0.5 is still in order without it. 2.5 comes after 3.0.
    assert stage.seen == [0.50, 0.50, 0.45]
    assert fills(result) == [(3.0, "buy", 1.0, 0.45)]
    (reasons,) = result.dropped.values()
    assert dict(reasons) == {"price": 1, "crossed": 1, "backwards": 1, "timestamp": 1}


def test_a_bad_row_of_a_later_chunk_comes_after_the_chunks_before_it() -> None:
    def chunks() -> Any:
        yield ticks(0.50, 0.51)
        yield ticks(0.52, -1.0, 0.53, start=2.0)

    stage = Timetable()
    with pytest.raises(DataError) as caught:
        play(stage, chunks)
    assert caught.value.value == -1.0
    # No row of the second chunk has run; of the first both, or one that was held back.
    assert all(time < 2.0 for time, _ in stage.calls)


def test_time_must_not_go_back_from_chunk_to_chunk() -> None:
    def chunks() -> Any:
        yield ticks(0.50, 0.51)
        yield ticks(0.52, start=0.5)

    with pytest.raises(DataError, match="backwards"):
        play(Timetable(), chunks)


def test_an_iterator_that_can_be_read_once_is_no_callable() -> None:
    refused(TypeError, data=iter([GOOD]))


# ---------------------------------------------------------------------------- books
@pytest.mark.parametrize(
    "snapshot,words",
    [
        (book(1.0, [(0.6, 1.0)], [(0.5, 1.0)]), ["0.6", "0.5"]),
        (book(1.0, [(0.4, 1.0), (0.45, 1.0)], [(0.5, 1.0)]), ["bids", "0.45"]),
        (book(1.0, [(0.4, 1.0)], [(0.6, 1.0), (0.5, 1.0)]), ["asks", "0.5"]),
        (book(1.0, [(0.4, 1.0)], [(0.6, -1.0)]), ["size", "-1"]),
        (book(1.0, [(0.4, math.inf)], [(0.6, 1.0)]), ["inf"]),
        (book(1.0, [(math.nan, 1.0)], [(0.6, 1.0)]), ["nan"]),
        (book(-1.0, [(0.4, 1.0)], [(0.6, 1.0)]), ["time"]),
        ({"timestamp": 1.0, "bids": []}, ["asks"]),
        ({"timestamp": "soon", "bids": [], "asks": []}, ["time"]),
        (book(1.0, [(0.4,)], []), ["0.4"]),  # type: ignore[list-item]
    ],
    ids=[
        "crossed",
        "unsorted bids",
        "unsorted asks",
        "negative size",
        "infinite size",
        "nan price",
        "backwards",
        "no asks",
        "unread time",
        "no size",
    ],
)
def test_a_book_that_cannot_be_true(snapshot: Any, words: list[str]) -> None:
    books = {"m": [book(0.0, [(0.4, 1.0)], [(0.6, 1.0)]), snapshot]}
    error = refused(DataError, "'m'", *words, book_data=books)

    assert isinstance(error, DataError)
    assert (error.feed, error.row) == ("m", 1)

    stage = Timetable()
    result = play(stage, None, book_data={"m": [*books["m"], BOOKS["m"][1]]}, bad_rows="drop")
    assert sum(result.dropped["m"].values()) == 1
    assert len(stage.calls) == 2


def test_a_book_of_prices_that_a_prediction_cannot_have() -> None:
    books = [book(0.0, [(0.4, 1.0)], [(0.6, 1.0)]), book(1.0, [(0.9, 1.0)], [(1.2, 1.0)])]

    # The middle of row 1 is 1.05; beside other prices it is the ask that is none.
    refused(DataError, "'m'", "row 1", "1.05", book_data={"m": books})
    refused(DataError, "'m'", "row 1", "1.2", data=GOOD, book_data={"m": books})


# ---------------------------------------------------------------------------- what is legal
def test_numbers_of_other_libraries_are_numbers() -> None:
    result = play(
        Timetable({0.0: [buy(np.float64(2), np.float32(0.5))]}),
        ticks(np.float64(0.5), np.float32(0.5)),
        initial_capital=np.int64(500),
        latency_ms=np.float64(0.0),
        rng_seed=np.int64(3),
        outcomes={"m": np.int64(1)},
    )

    assert result.equity_curve[0] == (0.0, 500.0)
    assert result.metrics.total_return == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    "data,words",
    [
        (pd.Series([0.5, 0.4]), ["was a Series", 'data.to_frame("price")']),
        (
            pd.DataFrame(
                {"price": [0.5, 0.4]},
                index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["m", "timestamp"]),
            ),
            ["several levels in its index", "data.reset_index()"],
        ),
        (
            pd.DataFrame([[1.0, 2.0]], columns=pd.MultiIndex.from_product([["close"], ["a", "b"]])),
            ["several levels in its columns", "a dict of frames by feed"],
        ),
    ],
    ids=["series", "index", "columns"],
)
def test_tables_of_another_shape(data: Any, words: list[str]) -> None:
    refused(TypeError, *words, data=data)
