"""Forecasts chosen by market, time and side, and judged: worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics import calibration_curve
from horizon.analytics.pair_reader import forecast_pairs
from horizon.analytics.pairs import ForecastPairs
from horizon.analytics.spans import span_between
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_pairs import pairs_of
from horizon.backtesting.result_prices import price_curve, priced_markets
from tests.backtesting.made import T0, ns, record_of, whole_run


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.fixture
def pairs() -> ForecastPairs:
    """Rain bought at 0.4 and 0.6 and happens, snow sold at 0.3 and does not, a draw at 0.5."""
    return forecast_pairs(
        [0.4, 0.3, 0.6, 0.5],
        [1, 0, 1, 0.5],
        model=[0.7, np.nan, 0.8, 0.5],
        markets=["rain", "snow", "rain", "draw"],
        sides=["buy", "sell", "buy", "buy"],
        times=pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-03"]),
        resolutions=pd.to_datetime(["2024-01-03"] * 4),
    )


def test_pairs_are_chosen_by_market_time_side_and_ties(pairs: ForecastPairs) -> None:
    assert pairs.where().prices is pairs.prices
    assert pairs.where(markets=["rain"]).prices.tolist() == [0.4, 0.6]
    assert pairs.where(side="sell").prices.tolist() == [0.3]
    assert pairs.where(span=span_between("2024-01-02", "2024-01-02")).prices.tolist() == [0.6]
    assert pairs.where(without_ties=True).prices.tolist() == [0.4, 0.3, 0.6]
    assert pairs.where(markets=["rain", "snow"], side="buy").outcomes.tolist() == [1.0, 1.0]
    assert (pairs.events, pairs.where(side="sell").events, pairs.ties) == (3, 1, 1)


def test_the_price_and_the_model_are_judged_by_the_same_outcomes(pairs: ForecastPairs) -> None:
    # (0.36 + 0.09 + 0.16 + 0) / 4, and of the model's three (0.09 + 0.04 + 0) / 3.
    assert pairs.calibration().brier_score == close(0.61 / 4)
    assert pairs.calibration("model").brier_score == close(0.13 / 3)
    assert pairs.calibration("model").count == 3
    curve = pairs.calibration(n_bins=2, confidence=0.9)
    # 0.4 and 0.3 below one half: happened 1 of 2; 0.6 and 0.5: 1.5 of 2.
    assert [(rate, count) for _, rate, count in curve.bins] == [(0.5, 2), (0.75, 2)]
    assert curve.confidence == 0.9
    assert len(pairs.calibration(strategy="quantile", n_bins=2).bins) == 2


def test_groups_have_curves_of_their_own(pairs: ForecastPairs) -> None:
    by_market = pairs.calibration(by="market").groups
    assert list(by_market) == ["draw", "rain", "snow"]
    assert by_market["rain"].brier_score == close((0.36 + 0.16) / 2)
    assert {k: c.count for k, c in pairs.calibration(by="side").groups.items()} == {
        "bought": 3,
        "sold": 1,
    }
    # 48, 48, 24 and 0 hours to go; an edge belongs to the group above it.
    assert {k: c.count for k, c in pairs.calibration(by="hours").groups.items()} == {
        "below 1": 1,
        "24 to 168": 3,
    }
    assert pairs.calibration("model", by="market").groups.keys() == {"draw", "rain"}


def test_what_was_sold_earns_the_price_less_the_outcome(pairs: ForecastPairs) -> None:
    decay = pairs.decay(2)
    # 0 to 24 hours: 0.5 − 0.5 = 0; 24 to 48: 0.6, 0.3 (sold at 0.3, did not happen) and 0.4.
    assert decay.decay_curve == [(12.0, close(0.0)), (36.0, close(1.3 / 3))]
    assert decay.counts == [1, 3]
    assert decay.longest_hours == 48.0
    unknown = replace(pairs, is_buy=None).decay(2)
    assert unknown.decay_curve[1] == (36.0, close((0.6 - 0.3 + 0.4) / 3))


def test_a_pair_without_the_time_of_its_resolution_is_no_part_of_the_decay(
    pairs: ForecastPairs,
) -> None:
    assert pairs.resolved_ns is not None
    resolved = pairs.resolved_ns.copy()
    resolved[1] = np.iinfo(np.int64).min
    partly = replace(pairs, resolved_ns=resolved)
    assert (partly.untimed, partly.decay(2).count) == (1, 3)
    assert partly.calibration(by="hours").count == 4
    assert sum(c.count for c in partly.calibration(by="hours").groups.values()) == 3
    none = replace(pairs, resolved_ns=None)
    assert none.untimed == 4
    with pytest.raises(ValueError, match="needs the times of the forecasts and of the resol"):
        none.decay()


BARE = forecast_pairs([0.2, 0.9], [False, True])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: BARE.where(span=span_between("2024-01-01")), "span needs the times"),
        (lambda: BARE.where(side="buy"), "side needs the sides"),
        (lambda: BARE.where(side="hold"), "side.*'hold'"),
        (lambda: BARE.where(markets=["rain"]), "markets must be among .*'rain' is not"),
        (lambda: BARE.calibration("model"), "the model has a probability for none"),
        (lambda: BARE.calibration("fair"), "of.*'fair'"),
        (lambda: BARE.calibration(by="market"), "by='market' needs"),
        (lambda: BARE.calibration(by="side"), "by='side' needs"),
        (lambda: BARE.calibration(by="hours"), "by='hours' needs"),
        (lambda: BARE.calibration(by="day"), "by.*'day'"),
        (lambda: forecast_pairs([], []).calibration(), "none is left"),
    ],
    ids=["span", "side", "no side", "market", "model", "of", "by", "sides", "hours", "day", "none"],
)
def test_what_was_not_given_cannot_be_chosen_by(ask: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask()


DAY = ["2024-01-02"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([1.2], [1]), r"predictions\[0\] must be from 0 to 1, was 1.2"),
        (([0.2], [2]), r"outcomes\[0\] must be from 0 to 1, was 2"),
        (([0.2], [math.nan]), r"outcomes\[0\]"),
        (([0.2, 0.3], [1]), "must have one length"),
        (([0.2], [1], {"model": [1.5]}), r"model\[0\] must be from 0 to 1, or NaN"),
        (([0.2], [1], {"model": [0.5, 0.5]}), "model must have one for each of 1 predictions"),
        (([0.2], [1], {"markets": [3]}), r"markets\[0\] must be text, was 3"),
        (([0.2], [1], {"markets": []}), "markets must have one for each"),
        (([0.2], [1], {"sides": ["BUY"]}), r"sides\[0\] must be 'buy' or 'sell', was 'BUY'"),
        (([0.2], [1], {"times": ["soon"]}), r"times\[0\] must be a time that can be read, was"),
        (([0.2], [1], {"resolutions": DAY}), "resolutions must come with times"),
        (
            ([0.2], [1], {"times": DAY, "resolutions": ["2024-01-01"]}),
            r"times\[0\] must be no later than its resolution at 2024-01-01.*was '2024-01-02",
        ),
    ],
    ids=[
        "prediction", "outcome", "missing", "lengths", "model", "models", "market", "markets",
        "side", "time", "alone", "late",
    ],
)  # fmt: skip
def test_what_cannot_be_a_pair_is_refused_by_name(given: tuple[Any, ...], said: str) -> None:
    said_, came, *options = given
    with pytest.raises(ValueError, match=said):
        forecast_pairs(said_, came, **(options[0] if options else {}))


# ------------------------------------------------------------------------ of a run
def test_a_runs_fills_are_pairs_of_yes() -> None:
    pairs = pairs_of(whole_run())
    # YES bought at 0.40; NO bought at 0.30 is YES sold at 0.70. ACME is no contract.
    assert pairs.prices.tolist() == [0.4, 0.7]
    assert pairs.model.tolist() == [0.55, 0.65]
    assert pairs.outcomes.tolist() == [1.0, 1.0]
    assert pairs.markets == ("rain",)
    assert pairs.is_buy is not None
    assert pairs.is_buy.tolist() == [True, False]
    assert pairs.times_ns is not None
    assert pairs.resolved_ns is not None
    assert pairs.times_ns.tolist() == [ns(10), ns(20)]
    assert pairs.resolved_ns.tolist() == [ns(40)] * 2
    assert repr(pairs) == "<ForecastPairs: 2 fills>"


@pytest.mark.parametrize("of", ["price", "model"])
def test_a_run_judges_itself_in_the_same_way(of: str) -> None:
    result = BacktestResult(whole_run())
    own, wanted = pairs_of(result.record).calibration(of, 4), result.calibration(of, 4)
    assert own == wanted


def test_a_market_settles_with_its_row_or_at_its_time_or_at_the_end() -> None:
    legs = ("held", "timed", "end", "unread")
    fills = [(i + 1, leg, 1, 1.0, 0.5, 0.0, 0.0, 10.0, False) for i, leg in enumerate(legs)]
    record = record_of(
        [(0, 1000.0), (50, 1000.0)],
        fills,
        leg_ids=legs,
        outcomes=dict.fromkeys(legs, 1.0),
        settlements=(("held", 1.0, 1.0, 0.5, ns(20)),),
        config={"resolutions": {"held": 0.0, "timed": T0 + 30.0, "unread": "datetime(2023)"}},
    )
    pairs = pairs_of(record)
    assert pairs.resolved_ns is not None
    assert pairs.resolved_ns[:3].tolist() == [ns(20), ns(30), ns(50)]
    assert (pairs.untimed, pairs.decay().count) == (1, 3)


@pytest.mark.parametrize(
    "resolution",
    [
        datetime.fromtimestamp(T0 + 36_000),
        datetime.fromtimestamp(T0 + 36_000, UTC),
        np.datetime64(int(T0) + 36_000, "s").astype("datetime64[ns]"),
        str(np.datetime64(int(T0) + 36_000, "s")),
        T0 + 36_000,
    ],
    ids=["naive", "aware", "datetime64", "text", "seconds"],
)
def test_a_resolution_is_read_as_the_run_has_read_it(resolution: Any, tmp_path: Path) -> None:
    # Bought with row 1 and sold with row 4, an hour apart each: nothing is held in hour 10, when
    # it resolves, 9 and 6 hours later.
    def stage(ctx: Any) -> list[hz.OrderRequest]:
        side = {0.4: hz.OrderSide.Buy, 0.7: hz.OrderSide.Sell}.get(ctx.feed.price)
        return [hz.OrderRequest(ctx.market_id, hz.Side.Yes, side, 1)] if side is not None else []

    result = hz.backtest(
        data=[
            {"timestamp": T0 + 3_600 * i, "price": price}
            for i, price in enumerate([0.4, 0.5, 0.6, 0.7, *[0.8] * 9])
        ],
        pipeline=[stage],
        markets=[hz.Market("rain", hz.Prediction)],
        outcomes={"rain": 1.0},
        resolutions={"rain": resolution},
    )
    result.save(tmp_path / "kept")
    for one in (result, hz.load_result(tmp_path / "kept")):
        pairs = pairs_of(one.record)
        assert pairs.times_ns is not None
        assert pairs.resolved_ns is not None
        assert (one.record.settlements, pairs.untimed) == ((), 0)
        hours = (pairs.resolved_ns - pairs.times_ns) / 3.6e12
        assert hours.tolist() == [9.0, 6.0]


def test_a_run_without_outcomes_has_no_pairs() -> None:
    with pytest.raises(ValueError, match="give their outcomes= to backtest"):
        pairs_of(record_of([(0, 1000.0)]))


def test_a_run_still_has_the_prices_that_it_was_fed() -> None:
    feed = [T0, T0 + 60, T0 + 120]
    data = {
        "RAIN": pd.DataFrame({"timestamp": feed, "price": [0.4, 0.5, 0.6]}),
        "SNOW": pd.DataFrame({"timestamp": feed[1:], "price": [0.3, 0.2]}),
    }
    result = hz.backtest(data=data, pipeline=[lambda ctx: None], initial_capital=100.0)
    assert priced_markets(result.record) == ["RAIN", "SNOW"]
    assert price_curve(result.record, "SNOW").equity.tolist() == [0.3, 0.2]
    assert price_curve(result.record, "RAIN").times_ns.tolist() == [ns(0), ns(60), ns(120)]
    with pytest.raises(ValueError, match="was 'HAIL'; it has 'RAIN', 'SNOW'"):
        price_curve(result.record, "HAIL")
    assert priced_markets(whole_run()) == []
    with pytest.raises(ValueError, match="it has none"):
        price_curve(whole_run(), "rain")


@pytest.mark.parametrize("seed", range(4))
def test_groups_and_conditions_share_out_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 500
    said, came = rng.uniform(size=n), (rng.uniform(size=n) < 0.5).astype(float)
    names = rng.choice(["a", "b", "c"], n)
    sides = rng.choice(["buy", "sell"], n)
    pairs = forecast_pairs(said, came, markets=names, sides=sides)
    groups = pairs.calibration(by="market").groups
    for name in "abc":
        mask = names == name
        assert groups[name] == calibration_curve(said[mask], came[mask])
        assert pairs.where(markets=[name]).calibration() == groups[name]
    mask = sides == "sell"
    assert pairs.where(side="sell").calibration() == calibration_curve(said[mask], came[mask])


@pytest.mark.parametrize("name", ["model", "markets", "sides", "times", "resolutions"])
def test_columns_with_other_labels_are_refused(name: str) -> None:
    columns = {
        "model": [0.1, 0.2],
        "markets": ["a", "b"],
        "sides": ["buy", "sell"],
        "times": [1.0, 2.0],
        "resolutions": [5.0, 6.0],
    }
    given = {name: pd.Series(columns[name], index=[1, 0])}
    if name == "resolutions":
        given["times"] = pd.Series(columns["times"])
    with pytest.raises(ValueError, match=f"^{name} must have the index of predictions"):
        forecast_pairs(pd.Series([0.1, 0.9]), pd.Series([0.0, 1.0]), **given)


def test_groups_with_other_labels_are_refused() -> None:
    given = pd.Series([0.1, 0.9]), pd.Series([0.0, 1.0])
    with pytest.raises(ValueError, match=r"^groups must have the index of predictions"):
        calibration_curve(*given, groups=pd.Series(["a", "b"], index=[1, 0]))
    curve = calibration_curve(*given, groups=pd.Series(["a", "b"]))
    assert curve.groups["b"].brier_score == pytest.approx(0.01, rel=1e-12)  # (0.9 - 1)²
