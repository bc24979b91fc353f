"""The prebuilt strategies along paths that are worked out by hand."""

from __future__ import annotations

import copy
import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from horizon.errors import PipelineError
from horizon.instruments import Crypto, Equity, Market, Prediction
from horizon.strategies import Kelly, Signal, Strategy, VolTarget, Zscore
from horizon.strategies.prebuilt import (
    BollingerReversion,
    Ensemble,
    Momentum,
    MovingAverageCrossover,
    RsiReversion,
)
from horizon.types import Urgency
from tests.strategies.bench import Bench, Script, down, out, up

DAY = 86_400.0


class One:
    """A sizer of tests: a unit of the view's direction."""

    def target(self, view: Any, account: Any) -> float:
        return float(view.sign)


def said(strategy: Strategy, path: list[float], market: Any = "A") -> list[tuple[float, ...]]:
    """(time, signed edge in bps) of each signal along a path of prices, a second apart."""
    bench = Bench([strategy], sizer=One(), markets=[market], cash=1e6)
    bench.play(path, market if isinstance(market, str) else market.id)
    return [(one.timestamp, one.edge_bps) for one in bench.decisions]


def near(*pairs: tuple[float, float]) -> list[tuple[float, Any]]:
    return [(time, pytest.approx(edge, rel=1e-9)) for time, edge in pairs]


# ---------------------------------------------------------------------------- momentum
def test_momentum_follows_the_past_return() -> None:
    # Over two rows: 102/100 is 2 %, 1 % a row; 99/101 is -1.98 %; 102/102 is nothing.
    assert said(Momentum(2), [100.0, 101.0, 102.0, 99.0, 102.0]) == near(
        (2.0, 100.0), (3.0, -10_000.0 * 2.0 / 101.0 / 2.0), (4.0, 0.0)
    )


def test_momentum_wants_nothing_below_its_threshold() -> None:
    assert said(Momentum(1, threshold=0.05), [100.0, 104.0, 110.0]) == near(
        (1.0, 0.0), (2.0, 10_000.0 * 6.0 / 104.0)
    )


def test_the_edge_of_a_prediction_is_in_cents() -> None:
    # 0.5 to 0.6 is a fifth; of the present price of 0.6 that is 12 cents.
    assert said(Momentum(1), [0.5, 0.6], Market("vote", Prediction)) == near((1.0, 1_200.0))


def test_momentum_sized_by_volatility() -> None:
    bench = Bench(
        [Momentum(2, vol_window=2, row_secs=timedelta(days=1))],
        sizer=VolTarget(0.10),
        cash=10_000.0,
    )
    bench.play([100.0, 101.0, 102.0])
    (one,) = bench.decisions
    # Two log returns, a and b: their deviation is |a - b| / sqrt(2), a day.
    a, b = math.log(101.0 / 100.0), math.log(102.0 / 101.0)
    yearly = abs(a - b) / math.sqrt(2.0) * math.sqrt(365.0)
    # 0.13 % a year: more than the whole equity would be needed, so it is 95 % of that.
    assert yearly < 0.10
    assert one.target == pytest.approx(9_500.0 / 102.0)


def test_momentum_by_kelly_takes_edge_and_volatility_of_one_row() -> None:
    bench = Bench(
        [Momentum(1, vol_window=2, row_secs=DAY)], sizer=Kelly(0.25, max_weight=9.0), cash=1e4
    )
    bench.play([100.0, 110.0, 100.0])
    vol = abs(math.log(1.1) - math.log(1 / 1.1)) / math.sqrt(2.0)
    edge = -10.0 / 110.0
    decision = bench.decisions[-1]
    assert decision.target == pytest.approx(0.25 * edge / vol**2 * 1e4 / 100.0)


def test_a_rule_that_tells_its_volatility_waits_for_it() -> None:
    bench = Bench([Momentum(1, vol_window=3, row_secs=DAY)], sizer=VolTarget())
    bench.play([100.0, 100.0, 100.0, 100.0, 110.0, 110.0])
    # Nothing has moved up to 3; at 5 the return is nothing: out.
    assert [(one.timestamp, one.edge_bps) for one in bench.decisions] == near(
        (1.0, 0.0), (2.0, 0.0), (3.0, 0.0), (4.0, 1_000.0), (5.0, 0.0)
    )


# ---------------------------------------------------------------------------- Bollinger
def test_bollinger_reversion_enters_outside_and_leaves_at_the_middle() -> None:
    path = [10.0, 10.0, 10.0, 7.0, 8.0, 7.6, 7.6, 9.0]
    # n = 3, k = 1. At 3: mean 9, deviation sqrt(2), z -1.41: in, to gain 9/7 - 1. At 4: mean 25/3,
    # z -0.27: stays. At 5: mean 22.6/3, z 0.16: out. At 6: z -0.71: stays out. At 7: mean 24.2/3,
    # z 1.41: short, to gain 1 - 24.2/27.
    assert said(BollingerReversion(3, 1.0), path) == near(
        (3.0, 1e4 * (9.0 / 7.0 - 1.0)),
        (4.0, 1e4 * (25.0 / 24.0 - 1.0)),
        (5.0, 0.0),
        (6.0, 0.0),
        (7.0, 1e4 * (24.2 / 27.0 - 1.0)),
    )


def test_a_price_of_nothing_is_no_error() -> None:
    # Mean of 0.5, 0.5 and 0: a third of 1.00 to gain.
    assert said(BollingerReversion(3, 1.0), [0.5, 0.5, 0.0], Market("vote", Prediction)) == near(
        (2.0, 1e4 / 3.0)
    )


@pytest.mark.parametrize(
    "made",
    [Momentum(20), BollingerReversion(), RsiReversion(7), MovingAverageCrossover(5, 20)],
    ids=lambda one: one.name,
)
def test_with_the_defaults_each_of_them_trades(made: Strategy) -> None:
    rng = np.random.default_rng(1)
    path = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, 400)))
    bench = Bench([made], fee=0.001)
    bench.play(path.tolist())
    done = bench.done
    assert sum(one in ("ordered", "closing first") for one in done) >= 10
    assert bench.engine.rejections == {}
    assert not any(one.startswith("refused") for one in done)


def test_a_second_run_of_it_begins_without_a_position() -> None:
    one = BollingerReversion(3, 1.0)
    path = [10.0, 10.0, 10.0, 7.0, 8.0]
    first = said(one, path)
    # Had it remembered, it would speak at the first middle.
    assert (
        said(one, path)
        == first
        == near((3.0, 1e4 * (9.0 / 7.0 - 1.0)), (4.0, 1e4 * (25.0 / 24.0 - 1.0)))
    )


# ---------------------------------------------------------------------------- RSI
def test_rsi_reversion_along_a_path() -> None:
    # n = 2. Gains and losses: (1, 0) at 12: 100; (.5, .5) at 11: 50; (.25, 1.25) at 9: 16.7;
    # (.375, .625) at 9.5: 37.5; (1.4375, .3125) at 12: 82.1.
    path = [10.0, 11.0, 12.0, 11.0, 9.0, 9.5, 12.0]
    assert said(RsiReversion(2, edge_bps=25.0), path) == near(
        (2.0, -25.0), (3.0, 0.0), (4.0, 25.0), (5.0, 25.0), (6.0, -25.0)
    )


def test_an_index_at_its_level_is_not_beyond_it() -> None:
    # Gains of 3 and losses of 7: exactly 30. A fall of 1 more: (0.75, 2.25) is 25.
    assert said(RsiReversion(2), [10.0, 13.0, 6.0]) == []
    assert said(RsiReversion(2), [10.0, 13.0, 6.0, 5.0]) == near((3.0, 10.0))
    assert said(RsiReversion(2), [10.0, 7.0, 14.0]) == []
    assert said(RsiReversion(2), [10.0, 7.0, 14.0, 15.0]) == near((3.0, -10.0))


def test_rsi_reversion_is_silent_before_its_first_extreme() -> None:
    # 50 without any move at all.
    assert said(RsiReversion(2), [10.0] * 6) == []


# ---------------------------------------------------------------------------- crossover
def test_moving_averages_cross() -> None:
    # One row against three: 13 over 36/3 - 1 … at 2: slow 11, at 3: 11, at 4: 11.
    path = [10.0, 10.0, 13.0, 10.0, 10.0, 20.0]
    assert said(MovingAverageCrossover(1, 3), path) == near(
        (2.0, 1e4 * 2.0 / 11.0),
        (3.0, -1e4 / 11.0),
        (4.0, -1e4 / 11.0),
        (5.0, 1e4 * (20.0 - 40.0 / 3.0) / (40.0 / 3.0)),
    )


def test_within_its_band_a_cross_says_nothing() -> None:
    path = [10.0, 10.0, 13.0, 10.0, 10.0, 20.0]
    quiet = said(MovingAverageCrossover(1, 3, band=0.1), path)
    assert [time for time, _ in quiet] == [2.0, 5.0]
    # 11 over 10 is the band itself.
    assert said(MovingAverageCrossover(1, 3, band=0.1), [9.5, 9.5, 11.0]) == []


# ---------------------------------------------------------------------------- all of them
RULES = [
    pytest.param(Momentum, id="momentum"),
    pytest.param(BollingerReversion, id="bollinger"),
    pytest.param(RsiReversion, id="rsi"),
    pytest.param(MovingAverageCrossover, id="crossover"),
]


@pytest.mark.parametrize("rule", RULES)
def test_each_has_its_defaults_a_name_and_classes(rule: Any) -> None:
    assert rule().name == rule.__name__
    made = rule(name="mine", asset_classes=[Crypto])
    assert made.name == "mine"
    assert made.eligible_markets([Market("A", Equity), Market("X/USD", Crypto)]) == [
        Market("X/USD", Crypto)
    ]


@pytest.mark.parametrize("rule", RULES)
def test_volatility_needs_both_its_arguments(rule: Any) -> None:
    for half in ({"vol_window": 5}, {"row_secs": DAY}):
        with pytest.raises(ValueError, match="vol_window and row_secs belong together"):
            rule(**half)
    assert "vol" in rule(vol_window=5, row_secs=DAY).features
    assert "vol" not in rule().features


def test_volatility_is_told_over_the_rows_of_the_edge() -> None:
    told: list[Signal] = []

    class Spy(BollingerReversion):
        def evaluate(self, f: Any, universe: Any, ctx: Any) -> list[Signal]:
            given = super().evaluate(f, universe, ctx)
            told.extend(given)
            return given

    path = [10.0, 10.0, 10.0, 7.0]
    said(Spy(3, 1.0, vol_window=2, row_secs=60.0), path)
    (one,) = told
    # Three rows of a minute; of one row it is |0 - log(0.7)| / sqrt(2).
    assert one.horizon == 180.0
    assert one.expected_vol_bps == pytest.approx(
        -math.log(0.7) / math.sqrt(2.0) * math.sqrt(3.0) * 1e4
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Momentum(0), "lookback must be 1 or more"),
        (lambda: Momentum(threshold=-1), "threshold must be 0 or more"),
        (lambda: BollingerReversion(k=0), "k must be above 0"),
        (lambda: RsiReversion(oversold=70, overbought=30), "oversold and overbought must rise"),
        (lambda: RsiReversion(overbought=100), "lie below 100"),
        (lambda: RsiReversion(edge_bps=0), "edge_bps must be above 0"),
        (lambda: MovingAverageCrossover(5, 5), "fast"),
        (lambda: MovingAverageCrossover(kind="wma"), "kind must be one of"),
        (lambda: MovingAverageCrossover(band=-1), "band must be 0 or more"),
        (lambda: Momentum(name=""), "name must have 1 to 256"),
        (lambda: Momentum(vol_window=5, row_secs=0), "row_secs must be above 0"),
    ],
    ids=range(11),
)
def test_bad_parameters_are_refused_at_once(make: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


# ---------------------------------------------------------------------------- the ensemble
def test_an_ensemble_weighs_what_its_members_say() -> None:
    # Weights 3 and 1. w c: 1.5 and 1. Edge (1.5 x 20 - 1 x 60) / 2.5 = -12; confidence 2.5 / 4.
    one = Script({0.0: [up(edge=20.0, confidence=0.5)]}, name="one")
    two = Script({0.0: [down(edge=60.0)]}, name="two")
    bench = Bench([Ensemble([one, two], [3.0, 1.0], name="both")], sizer=One(), cash=1e6)
    bench.row(0.0, A=50.0)
    (decision,) = bench.decisions
    assert decision.strategies == ("both",)
    assert decision.edge_bps == pytest.approx(-12.0)
    assert decision.confidence == pytest.approx(0.625)


def test_an_ensemble_of_equal_weights_is_the_mean_by_confidence() -> None:
    one = Script({0.0: [up(edge=30.0)]}, name="one")
    two = Script({0.0: [down(edge=20.0, confidence=0.5)]}, name="two")
    alone = Bench([one, two], sizer=One(), cash=1e6)
    alone.row(0.0, A=50.0)
    together = Bench([Ensemble([one, two])], sizer=One(), cash=1e6)
    together.row(0.0, A=50.0)
    (first,), (second,) = alone.decisions, together.decisions
    assert second.edge_bps == pytest.approx(first.edge_bps)
    assert second.confidence == first.confidence == 0.75


def test_who_says_nothing_does_not_count() -> None:
    one = Script({0.0: [up(edge=20.0, confidence=0.5)]}, name="one")
    bench = Bench([Ensemble([one, Script(name="two")], [1.0, 9.0])], sizer=One())
    bench.row(0.0, A=50.0)
    bench.row(1.0, A=50.0)
    (decision,) = bench.decisions
    assert (decision.edge_bps, decision.confidence) == (20.0, 0.5)


def test_members_that_cancel_each_other_flatten() -> None:
    one, two = Script({0.0: [up()]}, name="one"), Script({0.0: [down()]}, name="two")
    bench = Bench([Ensemble([one, two])], sizer=One())
    bench.row(0.0, A=50.0)
    assert bench.decisions[0].signals[0].action == "flatten"


def test_an_ensemble_passes_on_what_else_is_said() -> None:
    told: list[Signal] = []

    class Spy(Ensemble):
        def evaluate(self, f: Any, universe: Any, ctx: Any) -> list[Signal]:
            given = super().evaluate(f, universe, ctx)
            told.extend(given)
            return given

    one = Script(
        {0.0: [up(expected_vol_bps=30.0, horizon=60, urgency=Urgency.Passive, reason="dip")]},
        name="one",
    )
    two = Script(
        {0.0: [up(expected_vol_bps=40.0, horizon=120, ttl=9, urgency=Urgency.Patient)]},
        name="two",
    )
    three = Script({0.0: [out(ttl=5, reason="calm")]}, name="three")
    Bench([Spy([one, two, three], [1.0, 3.0, 1.0])], sizer=One()).row(0.0, A=50.0)
    (signal,) = told
    # Weighted 1 and 3: sqrt((900 + 3 x 1600) / 4), (60 + 3 x 120) / 4; the flatten has neither.
    assert signal.expected_vol_bps == pytest.approx(math.sqrt(1_425.0))
    assert signal.horizon == pytest.approx(105.0)
    assert (signal.urgency, signal.ttl) == (Urgency.Patient, 5.0)
    assert signal.reason == "dip; calm"
    # 10 bps of 4 out of 5.
    assert signal.edge_bps == pytest.approx(8.0)


def test_equal_features_of_members_are_one() -> None:
    class Left(Script):
        features = {"z": Zscore(20)}

    class Right(Script):
        features = {"score": Zscore(20), "other": Zscore(5)}

    both = Ensemble([Left(name="l"), Right(name="r")])
    assert sorted(map(repr, both.features.values())) == ["Zscore(20)", "Zscore(5)"]


def test_members_see_their_own_features_and_markets() -> None:
    seen: list[tuple[str, tuple[str, ...], list[str]]] = []

    class Reader(Script):
        features = {"z": Zscore(2)}

        def evaluate(self, f: Any, universe: Any, ctx: Any = None) -> list[Signal]:
            seen.append(
                (self.name, tuple(m.id for m in universe), [str(f.z[m.id]) for m in universe])
            )
            return []

    class Coins(Reader):
        asset_classes = [Crypto]

    both = Ensemble([Reader(name="every"), Coins(name="coins")])
    bench = Bench([both], markets=["A", Market("X", Crypto)])
    bench.row(0.0, A=1.0, X=1.0)
    assert seen == [("every", ("A", "X"), ["nan", "nan"]), ("coins", ("X",), ["nan"])]


def test_an_ensemble_of_rules_runs_and_can_be_copied_after_it() -> None:
    both = Ensemble([Momentum(2), MovingAverageCrossover(1, 3)])
    path = [10.0, 10.0, 13.0, 10.0, 10.0, 20.0]
    first = said(both, path)
    # At 2: +30 % over two rows, 1500 bps a row, and 1818 bps: their mean.
    assert first[0] == (2.0, pytest.approx((1_500.0 + 1e4 * 2.0 / 11.0) / 2.0))
    assert said(copy.deepcopy(both), path) == said(both, path) == first


def test_an_ensemble_tells_its_members_of_begin_and_end() -> None:
    calls: list[str] = []

    class Hooked(Script):
        def on_start(self, ctx: Any) -> None:
            calls.append(f"start {self.name}")

        def on_stop(self, ctx: Any) -> None:
            calls.append(f"stop {self.name}")

    bench = Bench([Ensemble([Hooked(name="a"), Hooked(name="b")])])
    bench.row(0.0, A=1.0)
    bench.desk.stop(1)
    assert calls == ["start a", "start b", "stop a", "stop b"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        pytest.param(None, "evaluate of 'one' must return a list", id="none"),
        pytest.param([3], "evaluate of 'one' must return a list of Signal, it has 3", id="number"),
        pytest.param([up("Z")], "'one' returned a signal on 'Z'", id="foreign"),
    ],
)
def test_a_member_that_returns_nonsense_is_named(returned: Any, message: str) -> None:
    bench = Bench([Ensemble([Script({0.0: lambda ctx: returned}, name="one")])])
    with pytest.raises(PipelineError, match=message):
        bench.row(0.0, A=1.0)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "weights must have one for each of 2 strategies, has 1"),
        ([1.0, 0.0], r"weights\[1\] must be above 0"),
        ("12", "weights must be a list of numbers"),
        (3.0, "weights must be a list of numbers"),
    ],
    ids=["few", "zero", "text", "number"],
)
def test_weights_that_mean_nothing_are_refused(weights: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Ensemble([Script(name="a"), Script(name="b")], weights)
