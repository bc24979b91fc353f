"""Walk-forwards worked out by hand, and what must hold for every one."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.walkforward import WalkForwardResult, walk_forward
from tests.walkforward.worked import NS, holding, swinging, ticks_of

NAN = math.nan


def walk(data: Any, grid: Any = None, factory: Any = holding, **more: Any) -> WalkForwardResult:
    arguments: dict[str, Any] = {
        "objective": "total_return",
        "paper_fee_rate": 0.0,
        "n_splits": 2,
        "train_ratio": 0.5,
        **more,
    }
    return walk_forward(
        data, factory, {"size": [1.0, 3.0, 0.0]} if grid is None else grid, **arguments
    )


# ------------------------------------------------------------------------ by hand
def test_a_walk_by_hand(rising: Any) -> None:
    # 100 at 0 s to 200 at 100 s; tests are [50, 75) and [75, 100]. A run buys at its second row.
    found = walk(rising)
    assert [(w.train_start, w.train_end, w.test_start, w.test_end) for w in found.windows] == [
        (0.0, 50.0, 50.0, 75.0),
        (0.0, 75.0, 75.0, 100.0),
    ]
    assert found.settings == ({"size": 1.0}, {"size": 3.0}, {"size": 0.0})
    # Training: 101 to 149, then 101 to 174. Tests: 151 to 174, then 176 to 200 (the last row).
    np.testing.assert_array_equal(found.train_objectives, [[48.0, 144.0, NAN], [73.0, 219.0, NAN]])
    np.testing.assert_array_equal(found.test_objectives, [[23.0, 69.0, NAN], [24.0, 72.0, NAN]])
    np.testing.assert_array_equal(found.whole_objectives, [99.0, 297.0, NAN])
    assert found.best_settings == [1, 1]
    assert found.best_params_per_window == [{"size": 3.0}, {"size": 3.0}]
    assert [one.metrics.total_return for one in found.test_results] == [69.0, 72.0]
    # Chained: 1000, 1069, 1069 × 1.072 = 1145.968.
    assert found.aggregate_equity[0] == (50.0, 1000.0)
    assert found.aggregate_equity[24][1] == found.aggregate_equity[25][1] == 1069.0
    assert found.aggregate_equity[25][0] == 75.0
    assert found.aggregate_equity[-1] == (100.0, pytest.approx(1145.968, rel=1e-15))
    assert len(found.aggregate_equity) == 25 + 26
    metrics = found.aggregate_metrics
    assert metrics.total_return_pct == pytest.approx(0.145968, rel=1e-12)
    assert metrics.total_trades == 2
    assert found.is_complete
    assert found.n_runs == found.n_planned == 2 * 3 * 2 + 3
    assert found.unranked == [(0, 2, "no trades"), (1, 2, "no trades")]
    assert found.flags == {}


def test_a_setting_without_trades_ranks_last_when_less_is_better(rising: Any) -> None:
    found = walk(rising, maximize=False)
    assert found.best_settings == [0, 0]  # 48 is the least that anybody made


def test_a_falling_objective_still_beats_no_trades() -> None:
    found = walk(ticks_of(np.arange(200.0, 99.0, -1.0)))
    # Bought at 199, marked at 151: −48 and −144. Not trading is no choice.
    np.testing.assert_array_equal(found.train_objectives[0], [-48.0, -144.0, NAN])
    assert found.best_settings == [0, 0]


def test_ties_are_decided_by_grid_order(rising: Any) -> None:
    found = walk(rising, {"note": ["x", "y", "z"], "size": [0.0, 2.0]})
    assert found.best_params_per_window == [{"note": "x", "size": 2.0}] * 2


def test_windows_in_which_nobody_trades_take_the_first_and_are_flagged(rising: Any) -> None:
    found = walk(rising, {"size": [0.0], "note": ["a", "b"]})
    assert found.best_settings == [0, 0]
    assert found.flags == dict.fromkeys(
        (0, 1),
        "no setting said anything in training: no trades (2); the first of the grid was taken",
    )
    assert any("Window 0: no setting said anything" in caution for caution in found.cautions)
    assert "No test has a trade." in found.cautions
    assert found.aggregate_metrics.total_return == 0.0
    assert found.aggregate_metrics.total_trades == 0


def test_an_objective_that_says_nothing_ranks_last(rising: Any) -> None:
    def judge(result: hz.BacktestResult) -> float:
        return NAN if result.config["params"]["size"] == 3.0 else result.metrics.total_return

    found = walk(rising, objective=judge)
    assert found.objective == "judge"
    assert found.best_settings == [0, 0]
    assert (0, 1, "judge is NaN") in found.unranked


def test_a_test_without_trades_is_no_training_that_said_nothing(rising: Any) -> None:
    def factory(params: dict[str, Any]) -> Any:
        own = holding({"size": 1.0})[0]
        return [lambda ctx: own(ctx) if ctx.timestamp < 50.0 else None]

    found = walk(rising, {"a": [1]}, factory)
    assert np.isnan(found.test_objectives).all()
    assert found.unranked == []
    assert found.flags == {}
    assert "No test has a trade." in found.cautions


def test_rolling_windows(rising: Any) -> None:
    found = walk(rising, expanding=False)
    # The second training is [25, 75): bought at 126, marked at 174.
    assert found.train_objectives[1, 0] == 48.0


def test_a_purge_takes_rows_from_the_end_of_training(rising: Any) -> None:
    found = walk(rising, purge_gap=10.0)
    # [0, 40): 101 to 139; [0, 65): 101 to 164. Tests are as without.
    assert found.train_objectives[:, 0].tolist() == [38.0, 63.0]
    assert found.test_objectives[:, 0].tolist() == [23.0, 24.0]


def test_an_embargo_holds_orders_back_at_the_start_of_a_test(rising: Any) -> None:
    def factory(params: dict[str, Any]) -> Any:
        order = hz.OrderRequest("market", hz.Side.Long, hz.OrderSide.Buy, 1.0)
        return [lambda ctx: [order] if ctx.timestamp in (55.0, 62.0, 90.0) else None]

    found = walk(rising, {"a": [1]}, factory, embargo=10.0)
    # The order of 55 is not sent, that of 62 fills at 163; and of 90 at 191.
    assert found.test_objectives[:, 0].tolist() == [174.0 - 163.0, 200.0 - 191.0]
    # Training has no embargo: [0, 75) has both.
    assert found.train_objectives[1, 0] == 174.0 - 156.0 + 174.0 - 163.0
    assert found.test_results[0].equity_curve[0] == (60.0, 1000.0)


def test_a_warm_up_runs_before_every_window_as_far_as_there_are_rows(rising: Any) -> None:
    seen: dict[str, list[float]] = {}

    def factory(params: dict[str, Any]) -> Any:
        own: list[float] = []

        def watch(ctx: Any) -> Any:
            own.append(ctx.timestamp)
            seen[str(len(seen)) if len(own) == 1 else list(seen)[-1]] = own
            return hz.quotes(ctx.feed.price, 2.0, 1.0)

        return [watch]

    found = walk(rising, {"a": [1]}, factory, expanding=False, warmup=5.0, overfitting=False)
    # Trained, trained, tested, tested.
    assert [(own[0], own[-1]) for own in seen.values()] == [
        (0.0, 49.0),  # nothing lies before the data
        (20.0, 74.0),
        (45.0, 74.0),  # a test warms up on its training
        (70.0, 100.0),
    ]
    assert [one.equity_curve[0] for one in found.test_results] == [(50.0, 1000.0), (75.0, 1000.0)]
    for one in found.test_results:
        assert min(fill.timestamp for fill in one.trades) > one.equity_curve[0][0]


def test_a_span_cuts_windows_from_its_own_times(rising: Any) -> None:
    found = walk(rising, span=(-50.0, 100.0))
    assert [(w.train_start, w.test_start, w.test_end) for w in found.windows] == [
        (-50.0, 25.0, 62.5),
        (-50.0, 62.5, 100.0),
    ]
    # Rows 0 to 24: bought at 101, marked at 124. Rows 63 to 100: 164 to 200.
    assert found.train_objectives[0, 0] == 23.0
    assert found.test_objectives[1, 0] == 36.0


# ------------------------------------------------------------------------ no look-ahead
def changed_from(data: dict[str, Any], time: float, factor: float) -> dict[str, Any]:
    own = {name: values.copy() for name, values in data.items()}
    late = own["timestamp"] >= time
    own["price"][late] = (own["price"][late] * factor).round(4)
    own["price"][late] += np.where(np.arange(late.sum()) % 3, 0.7, -0.4)
    return own


GRID = {"window": [3, 20], "spread": [0.2, 0.6]}


def walked(data: Any, **more: Any) -> WalkForwardResult:
    arguments: dict[str, Any] = {"n_splits": 3, "train_ratio": 0.6, "purge_gap": 300.0, **more}
    return walk_forward(data, swinging, GRID, **arguments)


@pytest.mark.parametrize("expanding", [True, False], ids=["expanding", "rolling"])
@pytest.mark.parametrize("objective", ["sharpe_ratio", "total_return"])
def test_training_knows_nothing_from_its_end_on(
    noisy: Any, expanding: bool, objective: str
) -> None:
    found = walked(noisy, expanding=expanding, objective=objective, overfitting=False)
    for window in found.windows:
        data = changed_from(noisy, window.train_end, 1.3)
        other = walked(data, expanding=expanding, objective=objective, overfitting=False)
        for number in range(window.number + 1):
            for setting in range(len(found.settings)):
                ours, theirs = (one.outcome("train", setting, number) for one in (found, other))
                assert ours == theirs
                assert ours is not None
                assert ours.trades > 0
        assert found.best_settings[: window.number + 1] == other.best_settings[: window.number + 1]
        # The change was one: it shows where it may.
        assert found.outcome("test", 0, window.number) != other.outcome("test", 0, window.number)


def test_another_test_window_changes_no_choice(noisy: Any) -> None:
    found = walked(noisy)
    last = found.windows[-1]
    other = walked(changed_from(noisy, last.test_start, 0.8))
    assert found.best_settings == other.best_settings
    np.testing.assert_array_equal(found.train_objectives, other.train_objectives)
    np.testing.assert_array_equal(found.test_objectives[:-1], other.test_objectives[:-1])
    assert (found.test_objectives[-1] != other.test_objectives[-1]).all()


def test_rows_in_the_purge_are_nobodys(noisy: Any) -> None:
    found = walked(noisy, n_splits=1, overfitting=False)
    (window,) = found.windows
    data = {name: values.copy() for name, values in noisy.items()}
    gap = (data["timestamp"] >= window.train_end) & (data["timestamp"] < window.test_start)
    assert gap.sum() == 5
    data["price"][gap] = 70.0
    other = walked(data, n_splits=1, overfitting=False)
    assert found.outcomes == other.outcomes


def test_each_run_is_that_of_a_backtest_on_its_rows(noisy: Any) -> None:
    found = walked(noisy)
    table = pd.DataFrame(noisy)
    for place, window in enumerate(found.windows):
        for kind, start, end in (
            ("train", window.train_start, window.train_end),
            ("test", window.test_start, window.test_end + window.is_last),
        ):
            rows = table[(table["timestamp"] >= start) & (table["timestamp"] < end)]
            for setting, params in enumerate(found.settings):
                ran = hz.backtest(data=rows, pipeline=swinging(params), params=params)
                own = found.outcome(kind, setting, window.number)  # type: ignore[arg-type]
                assert own is not None
                assert own.metrics["total_return"] == ran.metrics.total_return
                assert own.trades == ran.metrics.total_trades
                assert own.rows == len(rows)
                if kind == "test" and setting == found.best_settings[place]:
                    mine = found.test_results[place]
                    assert mine.equity_curve == ran.equity_curve
                    assert mine.trades == ran.trades


# ------------------------------------------------------------------------ outcomes
def test_no_window_hears_of_a_result_from_its_future() -> None:
    generator = np.random.default_rng(3)
    data = ticks_of(0.5 + 0.05 * generator.standard_normal(400).cumsum().clip(-5, 5) / 5)
    # Tests are [200, 250), … [350, 399]; it resolves in the third.
    arguments: dict[str, Any] = {
        "n_splits": 4,
        "train_ratio": 0.5,
        "resolutions": {"market": 320.5},
    }
    yes, no = (
        walk(data, {"size": [10.0, 20.0]}, outcomes={"market": value}, **arguments)
        for value in (1.0, 0.0)
    )
    seen = 0
    for ours in yes.outcomes:
        task = ours.task
        theirs = no.outcome(task.kind, task.setting, task.window)
        assert theirs is not None
        if task.end_ns <= 320.5 * NS:
            assert ours == theirs
            assert math.isnan(ours.metrics["brier_score"])
            seen += 1
        elif task.start_ns <= 320.5 * NS:
            assert ours.metrics["total_return"] > theirs.metrics["total_return"]
            assert ours.metrics["brier_score"] >= 0.0
        else:
            assert ours.why == theirs.why == "no trades"  # after it nothing is traded
    assert seen == 2 * 3 + 2 * 2  # trainings of windows 0 to 2 and tests of 0 and 1
    assert yes.test_results[2].outcomes == {"market": 1.0}
    assert [one.outcomes for one in yes.test_results[:2]] == [{}, {}]


def test_a_resolution_defaults_to_the_last_row_of_the_whole_data() -> None:
    data = ticks_of([0.5] * 100)
    found = walk(data, {"size": [10.0]}, outcomes={"market": 1.0})
    # Ten at 0.5 pay 1 each, in the last test alone.
    assert found.test_objectives[:, 0].tolist() == [0.0, 5.0]
    assert found.train_objectives[:, 0].tolist() == [0.0, 0.0]


def test_a_market_is_in_every_window_what_it_is_in_the_first() -> None:
    # 0.9 to 2.9: taken for a prediction by its first price, were it not said; and later windows
    # alone would take it for an equity.
    data = ticks_of(np.linspace(2.9, 0.9, 200))
    found = walk(data, {"size": [1.0]})
    assert {one.markets[0].asset_class for one in found.test_results} == {hz.Equity}


# ------------------------------------------------------------------------ sampling
def test_every_window_is_annualised_like_the_whole() -> None:
    days = 200
    data = ticks_of(100.0 + np.arange(days * 4) % 7, start=1.7e9, step=21_600.0)
    found = walk(data, {"size": [1.0]}, n_splits=8, train_ratio=0.9)
    # The windows have 2.5 days each: on their own they would be sampled by points.
    assert found.sampling.kind == "daily"
    assert found.sampling.periods_per_year == 365.0
    assert {one.sampling for one in found.test_results} == {found.sampling}
    assert {one.metrics["periods_per_year"] for one in found.outcomes} == {365.0}


# ------------------------------------------------------------------------ the document's example
def test_the_example_of_the_document() -> None:
    generator = np.random.default_rng(5)
    prices = 0.5 + 0.1 * np.sin(np.arange(1200) / 30.0) + 0.01 * generator.standard_normal(1200)
    tick_data = ticks_of(prices, start=1_700_000_000.0, step=60.0)

    def pipeline_factory(params: dict[str, Any]) -> Any:
        """Create a pipeline from parameter dict."""
        spread = params["spread"]
        size = params["size"]

        def quoter(ctx: Any) -> Any:
            fair = ctx.feed.price
            return hz.quotes(fair=fair, spread=spread, size=size)

        return [quoter]

    result = walk_forward(
        data=tick_data,
        pipeline_factory=pipeline_factory,
        param_grid={
            "spread": [0.02, 0.04, 0.06, 0.08],
            "size": [5, 10, 20],
        },
        n_splits=5,
        train_ratio=0.7,
        expanding=True,
        objective="sharpe_ratio",
        purge_gap=3600.0,
    )
    lines = []
    for i, (window, params) in enumerate(
        zip(result.windows, result.best_params_per_window, strict=True)
    ):
        test = result.test_results[i]
        lines.append(
            f"Window {i}: best params={params}, OOS Sharpe={test.metrics.sharpe_ratio:.3f}"
        )
        assert window.train_end == window.test_start - 3600.0
    m = result.aggregate_metrics
    lines.append(f"Aggregate OOS: Return={m.total_return_pct:.2%}, Sharpe={m.sharpe_ratio:.3f}")
    assert len(lines) == 6
    assert result.n_runs == 12 * (2 * 5 + 1)


# ------------------------------------------------------------------------ every source alike
def test_a_walk_is_the_same_whatever_its_data_comes_in(noisy: Any, tmp_path: Path) -> None:
    table = pd.DataFrame(noisy)
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=50)

    def spanned(span: tuple[float, float]) -> Any:
        return iter([table[table["timestamp"].between(*span)]])

    memory = walked(table, warmup=1200.0)
    ends = (noisy["timestamp"][0], noisy["timestamp"][-1])
    for data, span in (
        (path, None),
        (lambda: (table.iloc[i : i + 64] for i in range(0, len(table), 64)), None),
        (spanned, ends),
        (table.to_dict("records"), None),
    ):
        other = walked(data, warmup=1200.0, span=span)
        assert other.outcomes == memory.outcomes
        assert other.aggregate_equity == memory.aggregate_equity


def test_a_walk_over_several_feeds_is_the_same_streamed(tmp_path: Path) -> None:
    generator = np.random.default_rng(11)
    n = 900
    table = pd.DataFrame(
        {
            "timestamp": np.sort(generator.integers(0, 500, n)).astype(float),
            "market_id": generator.choice(["A", "B", "C"], n),
            "price": (50.0 + generator.standard_normal(n)).round(3),
        }
    )
    table = table[(table["market_id"] != "C") | (table["timestamp"] > 200.0)]
    path = tmp_path / "rows.parquet"
    table.to_parquet(path, row_group_size=64, index=False)
    memory, stream = (
        walked(data, purge_gap=3.0, initial_capital=10_000.0) for data in (table, path)
    )
    assert memory.outcomes == stream.outcomes
    assert any(one.trades for one in memory.outcomes)


def test_books_are_walked_like_rows() -> None:
    generator = np.random.default_rng(2)
    mids = (50.0 + generator.standard_normal(300).cumsum() / 5).round(2)
    shown = [
        {"timestamp": float(i), "bids": [(mid - 0.05, 5.0)], "asks": [(mid + 0.05, 5.0)]}
        for i, mid in enumerate(mids.tolist())
    ]
    found = walked(
        None, book_data={"X": shown}, purge_gap=3.0, fill_model="glft", impact_temporary_bps=1.0,
        fill_model_params={"intensity": 2.0, "kappa": 1.0},
    )  # fmt: skip
    assert len(found.windows) == 3
    assert found.aggregate_metrics.total_trades == sum(
        one.metrics.total_trades for one in found.test_results
    )
    assert found.aggregate_metrics.total_trades > 0


def test_a_window_may_have_no_book_of_a_market() -> None:
    data = {"X": ticks_of([50.0, 51.0] * 50)}
    late = [{"timestamp": 60.0, "bids": [(50.0, 9.0)], "asks": [(51.0, 9.0)]}]
    found = walk(data, {"size": [1.0]}, book_data={"X": late})
    assert found.outcome("train", 0, 0).trades == 0  # type: ignore[union-attr]
    assert found.outcome("test", 0, 1).trades == 1  # type: ignore[union-attr]


def test_a_factory_that_keeps_something_between_runs_is_doubted() -> None:
    kept = np.zeros(1)

    def remembering(params: dict[str, Any]) -> Any:
        def stage(ctx: Any) -> Any:
            kept[0] += 1.0
            return hz.quotes(ctx.feed.price, spread=params["spread"], size=1)

        return [stage]

    def forgetting(params: dict[str, Any]) -> Any:
        own = np.zeros(1)

        def stage(ctx: Any) -> Any:
            own[0] += 1.0
            return hz.quotes(ctx.feed.price, spread=params["spread"], size=1)

        return [stage]

    rows = {"timestamp": np.arange(60.0), "price": 0.5 + 0.1 * np.sin(np.arange(60.0))}
    for factory, is_doubted in ((remembering, True), (forgetting, False)):
        found = walk_forward(rows, factory, {"spread": [0.02, 0.04]}, n_splits=2)
        doubts = [one for one in found.cautions if "was changed by a run" in one]
        assert len(doubts) == is_doubted
