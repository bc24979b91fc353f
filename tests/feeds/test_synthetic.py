"""Synthetic: a fair game inside its bounds, the same for the same seed."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from horizon.feeds import Row, Synthetic
from tests.feeds.fakes import Recorder


def prices_of(feed: Synthetic) -> np.ndarray:
    # Plain tuples, the price third: a `Row` for each would take two thirds of the time.
    return np.array([fields[2] for batch in feed.batches() for fields in batch])


def prices(**options: Any) -> np.ndarray:
    return prices_of(Synthetic(**options))


def test_first_rows_have_the_start_the_interval_and_quotes_around_it() -> None:
    first, second = Synthetic(start=0.5, interval=0.25, n=2)
    # Half a spread of 0.01 off 0.5 is on the grid: 0.49 and 0.51.
    assert (first.market_id, first.timestamp_ns, first.price) == ("synthetic", 0, 0.5)
    assert (first.bid, first.ask) == (0.49, 0.51)
    assert second.timestamp_ns == 250_000_000
    assert second.price != 0.5
    assert (first.open, first.high, first.low, first.volume) == (None,) * 4


def test_quotes_are_rounded_away_from_the_price() -> None:
    # 0.503 - 0.01 = 0.493 down to 0.49; 0.503 + 0.01 = 0.513 up to 0.52.
    row = next(iter(Synthetic(start=0.503)))
    assert (row.price, row.bid, row.ask) == (0.503, 0.49, 0.52)
    # 0.29 is 28.999999999999996 hundredths in floating point: 0.30 - 0.01 is still 0.29.
    assert next(iter(Synthetic(start=0.3))).bid == 0.29
    row = next(iter(Synthetic(start=0.503, tick_size=None)))
    assert (row.bid, row.ask) == pytest.approx((0.493, 0.513), abs=1e-15)


@pytest.mark.no_cover
@pytest.mark.parametrize("start", [0.1, 0.5, 0.8])
def test_mean_over_seeds_is_the_start_at_every_distance(start: float) -> None:
    # 4,000 independent paths, strong moves: the standard error of each mean is the sample's
    # own, and four of them are passed by chance once in 16,000 times; three points are asked.
    paths = np.array(
        [prices(seed=seed, start=start, volatility=0.05, n=200) for seed in range(4_000)]
    )
    for k in (1, 20, 199):
        error = paths[:, k].std(ddof=1) / np.sqrt(len(paths))
        assert abs(paths[:, k].mean() - start) < 4 * error


@pytest.mark.no_cover
def test_one_giant_step_is_fair_too() -> None:
    # Log-odds move by about two in one step: a drift that were right for small steps only, or
    # a tenth too large, would shift this mean by more than six standard errors.
    after = np.array([prices(seed=seed, volatility=0.5, n=2)[1] for seed in range(6_000)])
    assert after.std() > 0.2
    assert abs(after.mean() - 0.5) < 4 * after.std(ddof=1) / np.sqrt(len(after))


@pytest.mark.no_cover
def test_next_move_has_mean_zero_whatever_the_price_and_the_last_move() -> None:
    # One long look at the increments: no state of the market makes the next one one-sided.
    paths = np.array([prices(seed=seed, volatility=0.03, n=300) for seed in range(1_500)])
    now, move, before = paths[:, 1:-1], np.diff(paths)[:, 1:], np.diff(paths)[:, :-1]
    states = [now < 0.3, (now >= 0.3) & (now < 0.7), now >= 0.7, before > 0, before <= 0]
    for state in states:
        moves = move[state]
        assert len(moves) > 10_000
        assert abs(moves.mean()) < 4 * moves.std(ddof=1) / np.sqrt(len(moves))


@pytest.mark.no_cover
def test_outcome_has_the_price_as_its_probability() -> None:
    feeds = [Synthetic(seed=seed, start=0.3, volatility=0.05, n=400) for seed in range(3_000)]
    gap = np.array([feed.outcome - prices_of(feed)[-1] for feed in feeds])
    assert abs(gap.mean()) < 4 * gap.std(ddof=1) / np.sqrt(len(gap))
    assert {feed.outcome for feed in feeds} == {0.0, 1.0}


def test_volatility_is_the_deviation_of_a_second_at_even_odds() -> None:
    moves = np.array([np.diff(prices(seed=seed, n=2))[0] for seed in range(3_000)])
    # The sample deviation of 3,000 normal moves is off by 1 / sqrt(6,000), 1.3 %; four of it.
    assert moves.std() == pytest.approx(0.001, rel=0.052)


@given(
    seed=st.integers(0, 10**15),
    start=st.floats(0.07, 0.93),
    volatility=st.floats(1e-6, 10.0),
    interval=st.floats(1e-3, 1e6),
    spread=st.floats(1e-4, 0.06),
    tick_size=st.sampled_from([None, 0.01, 0.001, 0.005]),
    depth=st.floats(1e-3, 1e6),
)
def test_prices_and_quotes_stay_inside_and_in_order(
    seed: int, tick_size: float | None, **options: float
) -> None:
    feed = Synthetic(seed, tick_size=tick_size, n=300, **options)  # type: ignore[arg-type]
    low, high = feed.bounds
    for row in feed:
        assert row.price is not None
        assert row.bid is not None
        assert row.ask is not None
        assert low <= row.price <= high
        assert 0.0 < row.bid < row.price < row.ask < 1.0
        assert row.ask - row.bid >= options["spread"] * (1 - 1e-6)
        assert row.bid_size >= 1.0  # type: ignore[operator]
        assert row.ask_size >= 1.0  # type: ignore[operator]
        if tick_size is not None:
            for quote in (row.bid, row.ask):
                assert quote / tick_size == pytest.approx(round(quote / tick_size), abs=1e-9)


def test_same_seed_gives_the_same_rows_in_any_piece() -> None:
    long = list(Synthetic(seed=3, n=10_000))
    assert list(Synthetic(seed=3, n=10_000)) == long
    assert list(Synthetic(seed=3, n=5_000)) == long[:5_000]
    assert list(islice(Synthetic(seed=3), 9_000)) == long[:9_000]
    client = Recorder()
    Synthetic(seed=3).run(client, n=4_100)
    assert client.prices == [row.price for row in long[:4_100]]


def test_feed_can_be_read_twice_and_touches_no_global_state() -> None:
    feed = Synthetic(seed=3, n=10)
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr] # noqa: NPY002
    assert list(feed) == list(feed)
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index] # noqa: NPY002


def test_seeds_and_markets_are_different_streams() -> None:
    paths = [
        tuple(prices(seed=seed, market_id=market, n=5))
        for seed in (0, 1)
        for market in ("rain", "snow")
    ]
    assert len(set(paths)) == 4


def test_block_edge_is_a_step_like_any_other() -> None:
    path = prices(seed=5, n=1_100)
    assert 0 < abs(path[1_024] - path[1_023]) < 0.01


def test_length_is_known_or_not() -> None:
    assert Synthetic(n=7).total == 7
    assert len(list(Synthetic(n=7))) == 7
    assert Synthetic().total is None


def test_run_without_end_needs_a_limit() -> None:
    feed = Synthetic()
    with pytest.raises(ValueError, match=r"may have no end: run\(\) needs until= or n="):
        feed.run(Recorder())
    assert feed.status == "idle"
    assert feed.run(Recorder(clock=50.0), until=59.5) == 10  # 50, 51 … 59


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"seed": -1}, ValueError, "seed must be 0 or more"),
        ({"seed": 1.0}, TypeError, "seed must be a whole number"),
        ({"seed": None}, TypeError, "seed must be a whole number"),
        ({"market_id": ""}, ValueError, "market_id must have 1 to 256"),
        ({"start": 0.02}, ValueError, "start must lie strictly between 0.02 and 0.98"),
        ({"start": 1.0}, ValueError, "was 1.0"),
        ({"start": float("nan")}, ValueError, "start must be a finite number"),
        ({"volatility": 0.0}, ValueError, "volatility must be above 0"),
        ({"interval": 0}, ValueError, "interval must be above 0"),
        ({"interval": 1e-10}, ValueError, "interval must be at least 1e-9"),
        ({"n": 0}, ValueError, "n must be 1 or more"),
        ({"spread": 0.0}, ValueError, "spread must be above 0"),
        ({"spread": 0.98}, ValueError, "leave no room for a price"),
        ({"spread": 0.5, "tick_size": None}, ValueError, "leave no room for a price"),
        ({"depth": -1}, ValueError, "depth must be above 0"),
        ({"tick_size": 0.03}, ValueError, "tick_size must divide 1"),
        ({"tick_size": 0.5}, ValueError, "3 or more equal ticks"),
        ({"tick_size": True}, TypeError, "tick_size must be a number"),
        ({"speed": -1}, ValueError, "speed must be above 0"),
    ],
)
def test_wrong_arguments_are_refused(
    options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        Synthetic(**options)


def test_repr_says_seed_and_length_and_html_is_escaped() -> None:
    assert repr(Synthetic(seed=4)) == (
        "<Synthetic 'synthetic', market: synthetic, seed: 4, length: without end, "
        "status: idle, rows sent: 0, speed: 1×>"
    )
    assert "<b>" not in Synthetic(market_id="<b>")._repr_html_()


def test_rows_are_rows() -> None:
    assert isinstance(next(iter(Synthetic())), Row)
