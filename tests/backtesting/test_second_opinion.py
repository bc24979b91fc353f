"""Random runs against a second, naive working-out of the same rules: fill by fill."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.backtesting.second import Second
from tests.backtesting.second_book import SecondBook
from tests.backtesting.worlds import Wobbling, World, book_worlds, busy_world, worlds

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
LONG = settings(QUICK, max_examples=5_000, derandomize=False)


def told(result: Any) -> list[tuple[Any, ...]]:
    """The fills of a result in the words of the second opinion."""
    return [
        (
            fill.timestamp,
            fill.market_id + (":no" if fill.side.value == "no" else ""),
            fill.order_side.sign,
            fill.size,
            fill.price,
            fill.fee,
            fill.is_maker,
        )
        for fill in result.fills
    ]


def near(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    # Prices of NO are on twelve decimals, on which a tie may round either way.
    return all(
        math.isclose(x, y, rel_tol=1e-12, abs_tol=2e-12) if isinstance(x, float) else x == y
        for x, y in zip(a, b, strict=True)
    )


def compare(world: World) -> None:
    second = (Second if world.books is None else SecondBook)(world).play()
    # Where money is needed to the last digit, rounding decides; neither opinion is wrong.
    if second.is_close:
        return
    result = world.run()

    fills = told(result)
    assert len(fills) == len(second.fills), f"{fills}\nagainst\n{second.fills}"
    for mine, theirs in zip(fills, second.fills, strict=True):
        assert near(mine, theirs), f"{mine} against {theirs}"
    frame = result.orders_frame()
    assert frame.status.tolist() == [
        "new" if o.status == "partial" and not o.filled else o.status for o in second.orders
    ]
    assert frame["size"].tolist() == [o.quantity for o in second.orders]
    assert dict(result.rejections) == second.refused
    curve = result.equity_curve
    assert [time for time, _ in curve] == [time for time, _ in second.curve]
    scale = 1e-12 * second.book.scale() + 1e-12
    for (_, mine), (_, theirs) in zip(curve, second.curve, strict=True):
        assert mine == pytest.approx(theirs, abs=scale)


@QUICK
@given(worlds())
def test_random_runs_are_what_a_second_opinion_says(world: World) -> None:
    compare(world)


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", ["price", "quotes", "bars", "books"])
def test_busy_runs_are_what_a_second_opinion_says(mode: str) -> None:
    count = 0
    for seed in range(20):
        world = busy_world(seed, mode=mode)
        compare(world)
        count += len(world.run().fills)
    # Busy indeed: on average a fill at every row.
    assert count > 20 * 40


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", ["price", "books"])
def test_what_travels_for_another_time_each_is_what_a_second_opinion_says(mode: str) -> None:
    for seed in range(15):
        compare(busy_world(seed, mode=mode, latency_ms=0.0, latency=Wobbling()))


@pytest.mark.long
@pytest.mark.parametrize("mode", ["price", "quotes", "bars", "books"])
def test_many_busy_runs_are_what_a_second_opinion_says(mode: str) -> None:
    for seed in range(100, 600):
        compare(busy_world(seed, mode=mode, rows=120))


@pytest.mark.long
@LONG
@given(worlds())
def test_many_random_runs_are_what_a_second_opinion_says(world: World) -> None:
    compare(world)


def certain(world: World) -> World:
    """The same world where no chance is drawn, and money is not counted to the last digit."""
    how = {
        **world.how,
        "fill_model": "deterministic",
        "initial_capital": 1e6,
        "enforce_buying_power": False,
    }
    how.pop("fill_model_params", None)
    return world.with_(how=how)


@QUICK
@given(book_worlds())
def test_random_runs_over_books_are_what_a_second_opinion_says(world: World) -> None:
    compare(certain(world))


@pytest.mark.long
@LONG
@given(book_worlds())
def test_many_random_runs_over_books_are_what_a_second_opinion_says(world: World) -> None:
    compare(certain(world))
