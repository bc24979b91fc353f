"""Time: whose clock counts, and that no moment is lost or relived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from horizon.instruments import Equity, Market
from horizon.venues import Paper
from tests.venues.helpers import buy, open_paper, refused


@pytest.fixture
def kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is five and a half hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_an_omitted_timestamp_is_the_later_of_clock_and_the_markets_last_tick() -> None:
    now = [1_000.0]
    paper = open_paper(clock=lambda: now[0])
    buy(paper, 1, 100.0)
    buy(paper, 1, 90.0)
    buy(paper, 1, 80.0)
    assert paper.tick("ACME", 99.0)[0].timestamp == 1_000.0
    assert paper.tick("ACME", 89.0, 5_000.0)[0].timestamp == 5_000.0
    now[0] = 2_000.0
    assert paper.tick("ACME", 79.0)[0].timestamp == 5_000.0
    # Another market has no tick of its own yet.
    paper.tick("OTHER", 10.0)
    quote = paper.quote("OTHER")
    assert quote is not None
    assert quote.timestamp == 2_000.0


def test_an_order_is_submitted_at_the_later_of_clock_and_the_markets_last_tick() -> None:
    paper = open_paper(clock=lambda: 1_000.0)
    assert buy(paper, 1, 10.0).submitted_at == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    paper.tick("ACME", 100.0, 3_600.0)
    assert buy(paper, 1, 10.0).submitted_at == datetime(1970, 1, 1, 1, tzinfo=UTC)


def test_the_accounts_time_is_the_latest_seen_and_never_goes_back() -> None:
    now = [1_000.0]
    paper = open_paper(clock=lambda: now[0])
    assert paper.time == 1_000.0
    paper.tick("ACME", 100.0, 7_000.0)
    assert paper.time == 7_000.0
    paper.tick("OTHER", 100.0, 6_000.0)  # a feed that lags behind
    assert paper.time == 7_000.0
    now[0] = 500.0  # a clock set back
    buy(paper, 1, 10.0, market_id="THIRD")
    assert paper.time == 7_000.0
    now[0] = 8_000.0
    assert paper.time == 8_000.0


@pytest.mark.parametrize(
    "command",
    [
        lambda p: p.tick("ACME", 10.0),
        lambda p: buy(p, 1, 10.0),
        lambda p: buy(p, 1, market_id="OTHER"),  # rejected: no price
        lambda p: p.amend("p1", new_quantity=2),
        lambda p: p.cancel("p1"),
        lambda p: p.settle("ACME", 10.0),
        lambda p: p.drain_fills(),
        lambda p: p.declare(Market("NEW", Equity)),
    ],
    ids=["tick", "submit", "reject", "amend", "cancel", "settle", "drain", "declare"],
)
def test_every_kind_of_command_moves_the_accounts_time(command: Callable[[Paper], object]) -> None:
    now = [1_000.0]
    paper = open_paper(clock=lambda: now[0])
    buy(paper, 1, 5.0)
    buy(paper, 1, 50.0)
    paper.tick("ACME", 20.0)  # one fill to drain
    now[0] = 2_000.0
    command(paper)
    now[0] = 500.0
    assert paper.time == 2_000.0


def test_a_tick_is_compared_with_its_markets_last_tick_not_with_orders() -> None:
    now = [5_000.0]
    paper = open_paper(clock=lambda: now[0])
    buy(paper, 1, 10.0)
    assert paper.tick("ACME", 9.0, 1_000.0)[0].timestamp == 1_000.0


@pytest.mark.usefixtures("kolkata")
def test_a_naive_datetime_is_local_time() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    # Midnight in Kolkata is 18:30 UTC of the day before; 2024 began at 1,704,067,200 s UTC.
    (fill,) = paper.tick("ACME", 99.0, datetime(2024, 1, 1))
    assert fill.timestamp == 1_704_067_200.0 - 19_800.0


@pytest.mark.usefixtures("kolkata")
def test_a_naive_pandas_timestamp_is_local_time_too_and_a_naive_datetime64_is_utc() -> None:
    paper = open_paper()
    buy(paper, 1, 100.0)
    (fill,) = paper.tick("ACME", 99.0, pd.Timestamp("2024-01-01"))
    assert fill.timestamp == 1_704_067_200.0 - 19_800.0
    buy(paper, 1, 100.0)
    (fill,) = paper.tick("ACME", 99.0, np.datetime64("2024-01-01"))
    assert fill.timestamp == 1_704_067_200.0


def test_every_kind_of_time_is_the_same_moment() -> None:
    moment = 1_704_067_200.5
    for given in (
        moment,
        np.float64(moment),
        datetime.fromtimestamp(moment, UTC),
        datetime.fromtimestamp(moment),  # naive: local time
        pd.Timestamp(moment, unit="s", tz="Europe/Zurich"),
        np.datetime64("2024-01-01T00:00:00.5"),
    ):
        paper = open_paper()
        buy(paper, 1, 100.0)
        assert paper.tick("ACME", 99.0, given)[0].timestamp == moment


@pytest.mark.parametrize("step", range(20))
def test_a_timestamp_comes_back_as_the_very_float_that_was_given(step: int) -> None:
    given = 1_700_000_000.0 + step * 0.123456789
    paper = open_paper()
    buy(paper, 1, 100.0)
    (fill,) = paper.tick("ACME", 99.0, given)
    assert fill.timestamp == given
    assert paper.tick("ACME", 98.0, fill.timestamp) == []  # not before the last tick


def test_submitted_at_is_an_aware_datetime_to_the_microsecond() -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, 123_456, tzinfo=UTC)
    paper = open_paper(clock=moment.timestamp)
    order = buy(paper, 1, 10.0)
    assert order.submitted_at == moment
    assert order.submitted_at.utcoffset() == timedelta(0)


def test_times_before_1970_are_times() -> None:
    paper = open_paper(clock=lambda: -1_000.0)
    buy(paper, 1, 100.0)
    assert paper.tick("ACME", 99.0, -500.25)[0].timestamp == -500.25


@pytest.mark.parametrize("reading", [float("nan"), float("inf"), None, "now", 1e12])
def test_a_clock_that_tells_no_time_is_an_error_and_changes_nothing(reading: object) -> None:
    now: list[object] = [1_000.0]
    paper = open_paper(clock=lambda: now[0])
    buy(paper, 1, 10.0)
    now[0] = reading
    kind = ValueError if isinstance(reading, float) else TypeError
    with refused(paper, kind, "clock()"):
        buy(paper, 1, 10.0)
    with refused(paper, kind, "clock()"):
        paper.tick("ACME", 5.0)


def test_without_a_clock_the_wall_clock_counts() -> None:
    paper = open_paper(clock=None)
    before = time.time()
    order = buy(paper, 1, 10.0)
    assert before - 1.0 <= order.submitted_at.timestamp() <= time.time() + 1.0


def test_a_tick_of_an_option_that_cannot_exist_is_refused() -> None:
    paper = open_paper()
    with refused(paper, ValueError, "2023-02-29", "does not exist"):
        paper.tick("IBM230229C00185000", 4.0)
    paper.tick("IBM240229C00185000", 4.0)  # 2024 has the day
    assert paper.quote("IBM240229C00185000").price == 4.0
