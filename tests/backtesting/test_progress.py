"""`hz.backtest(progress=callable)`: told how far a run is, and ended by what is raised there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

import horizon as hz
from horizon.backtesting import play as playing
from horizon.backtesting.play import Played
from tests.backtesting.scenes import buy, ticks


class Watch:
    """The wall's clock as `play` reads it: each look at it takes so many seconds."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 100.0, step

    def monotonic(self) -> float:
        self.now += self.step
        return self.now


class Stop(Exception):
    """What a user's function raises."""


def rest(ctx: Any) -> None:
    """Do nothing."""


def heard(monkeypatch: pytest.MonkeyPatch, seconds: float, **arguments: Any) -> list[Played]:
    """What is told of a run in which each look at the clock takes so long."""
    monkeypatch.setattr(playing, "time", Watch(seconds))
    told: list[Played] = []
    hz.backtest(pipeline=[rest], progress=told.append, **arguments)
    return told


def test_it_tells_start_end_and_what_lies_a_tenth_of_a_second_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # One look a step, 0.04 s each, and one more after each telling, from which the next tenth
    # counts: steps 3, 6 and 9 are due (0.12 s later each), then the end.
    told = heard(monkeypatch, 0.04, data=ticks(*[5.0] * 10, start=1000.0))

    assert [(one.rows, one.total, one.time) for one in told] == [
        (0, 10, None),
        (3, 10, 1002.0),
        (6, 10, 1005.0),
        (9, 10, 1008.0),
        (10, 10, 1009.0),
    ]


def test_a_quick_run_is_told_of_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    told = heard(monkeypatch, 0.0, data=ticks(*[5.0] * 3_000))

    assert [one.rows for one in told] == [0, 3_000]


def test_rows_of_one_time_are_one_step_and_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"a": ticks(5.0, 6.0, start=1000.0), "b": ticks(7.0, 8.0, start=1000.0)}
    told = heard(monkeypatch, 1.0, data=both, feeds={"a": "a", "b": "b"})

    assert [(one.rows, one.total, one.time) for one in told] == [
        (0, 4, None),
        (2, 4, 1000.0),
        (4, 4, 1001.0),
        (4, 4, 1001.0),
    ]


def test_of_chunks_nobody_knows_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    def chunks() -> Iterator[Any]:
        yield ticks(5.0, 6.0, start=1000.0)
        yield ticks(7.0, start=1002.0)

    told = heard(monkeypatch, 1.0, data=chunks)

    assert [(one.rows, one.total) for one in told] == [
        (0, None),
        (1, None),
        (2, None),
        (3, None),
        (3, None),
    ]


def test_equity_is_that_after_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "time", Watch(1.0))
    told: list[Played] = []

    def once(ctx: Any) -> Any:
        return buy(2, market="m") if ctx.timestamp == 0.0 else None

    # Bought at the second row's 0.5 without fees: 2 × (0.75 − 0.5) = 0.5 at the third.
    hz.backtest(
        markets=["m"],
        data=ticks(0.25, 0.5, 0.75),
        pipeline=[once],
        paper_fee_rate=0.0,
        initial_capital=500.0,
        progress=told.append,
    )

    assert [one.equity for one in told] == [500.0, 500.0, 500.0, 500.5, 500.5]


def test_rows_that_warm_up_are_rows_played(monkeypatch: pytest.MonkeyPatch) -> None:
    told = heard(monkeypatch, 1.0, data=ticks(*[5.0] * 4, start=1000.0), trade_from=1002.0)

    assert [one.rows for one in told] == [0, 1, 2, 3, 4, 4]
    assert {one.equity for one in told} == {1000.0}


def test_books_are_rows_where_they_price_their_market(monkeypatch: pytest.MonkeyPatch) -> None:
    books = [{"timestamp": float(n), "bids": [(0.4, 5.0)], "asks": [(0.6, 5.0)]} for n in range(3)]
    told = heard(monkeypatch, 1.0, book_data={"m": books})

    assert [(one.rows, one.total) for one in told] == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 3)]


def test_what_it_raises_ends_the_run_between_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "time", Watch(1.0))
    ran: list[float] = []

    def stop(played: Played) -> None:
        if played.rows == 2:
            raise Stop("enough")

    with pytest.raises(Stop, match="enough"):
        hz.backtest(
            data=ticks(*[5.0] * 5),
            pipeline=[lambda ctx: ran.append(ctx.timestamp)],
            progress=stop,
        )

    assert ran == [0.0, 1.0]  # neither half of a row, nor one more


def test_what_it_raises_at_once_ends_the_run_before_its_first_row() -> None:
    ran: list[float] = []

    def stop(played: Played) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hz.backtest(
            data=ticks(5.0), pipeline=[lambda ctx: ran.append(ctx.timestamp)], progress=stop
        )

    assert ran == []


def test_the_result_is_the_same_and_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=0.02, size=5)

    data = ticks(*(0.5 + 0.01 * (n % 5) for n in range(200)))
    plain = hz.backtest(data=data, pipeline=[quoter])
    told = hz.backtest(data=data, pipeline=[quoter], progress=lambda played: None)

    assert capsys.readouterr().err == ""
    assert len(plain.trades) > 10
    assert told.trades == plain.trades
    assert told.equity_curve == plain.equity_curve


def test_the_config_keeps_that_it_was_told_and_not_whom() -> None:
    result = hz.backtest(data=ticks(5.0), pipeline=[rest], progress=lambda played: None)

    assert result.config["progress"] is True
    assert json.loads(json.dumps(dict(result.record.config)))["progress"] is True


def test_what_is_told_cannot_be_changed_and_is_shown_as_a_table() -> None:
    told: list[Played] = []
    hz.backtest(data=ticks(5.0), pipeline=[rest], progress=told.append)

    with pytest.raises(dataclasses.FrozenInstanceError):
        told[0].rows = 5  # type: ignore[misc]
    assert "<td style='text-align:left'>1</td>" in told[-1]._repr_html_()


@pytest.mark.parametrize("given", ["yes", 1, None], ids=["text", "one", "none"])
def test_what_is_neither_a_flag_nor_a_function_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="progress must be True or False, or a function"):
        hz.backtest(data=ticks(5.0), pipeline=[rest], progress=given)
