"""Combinatorial purged cross-validation through real backtests."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon.walkforward import CpcvResult, cpcv
from horizon.walkforward.execute import Interrupted
from tests.walkforward.worked import NS, holding, swinging, ticks_of

GRID = {"window": [3, 10], "spread": [0.2]}


@pytest.fixture(scope="module")
def swung() -> dict[str, Any]:
    generator = np.random.default_rng(7)
    prices = 50.0 + 2.0 * np.sin(np.arange(361) / 9.0) + 0.2 * generator.standard_normal(361)
    return ticks_of(prices.round(4), start=1_700_000_000.0, step=60.0)


@pytest.fixture(scope="module")
def found(swung: dict[str, Any]) -> CpcvResult:
    return cpcv(swung, swinging, GRID, purge_gap=120.0, embargo=180.0)


# ------------------------------------------------------------------------ shape
def test_six_groups_two_at_a_time(found: CpcvResult) -> None:
    assert (len(found.splits), len(found.paths)) == (15, 5)
    assert (found.n_groups, found.n_test_groups) == (6, 2)
    assert found.is_complete
    assert found.settings[1] == {"window": 10, "spread": 0.2}
    assert found.train_objectives.shape == (15, 2)
    # 360 minutes in groups of 60.
    start = 1_700_000_000.0
    assert found.groups == [(start + 3_600 * i, start + 3_600 * (i + 1)) for i in range(6)]


def test_each_path_is_tested_on_every_row_once(found: CpcvResult, swung: dict[str, Any]) -> None:
    for path in found.paths:
        times = np.concatenate([one.curve.times_ns for one in path.test_results])
        assert times.tolist() == [int(t) * NS for t in swung["timestamp"]]


def test_each_group_is_tested_with_what_its_split_has_chosen(found: CpcvResult) -> None:
    for path in found.paths:
        for group, split in enumerate(path.splits):
            assert group in found.splits[split].test_groups
            assert found.assignment[group, split] == path.number
            assert path.best_settings[group] == found.splits[split].best_setting
            assert path.params[group] == found.best_params_per_split[split]


def test_the_best_is_that_of_the_training(found: CpcvResult) -> None:
    for split, objectives in zip(found.splits, found.train_objectives, strict=True):
        assert split.best_setting == int(np.nanargmax(objectives))
        assert split.train_objective == objectives[split.best_setting]


# ------------------------------------------------------------------------ numbers
def backtest(data: dict[str, Any], first: float, last: float, params: dict[str, Any]) -> Any:
    """A backtest of the rows from one time to before another."""
    keep = (data["timestamp"] >= first) & (data["timestamp"] < last)
    return hz.backtest(
        data={name: values[keep] for name, values in data.items()},
        pipeline=swinging(params),
        params=params,
        initial_capital=1000.0,
    )


def test_tests_are_those_of_single_backtests(found: CpcvResult, swung: dict[str, Any]) -> None:
    path = found.paths[2]
    for group, (start, end) in enumerate(found.groups):
        alone = backtest(swung, start, end + (group == 5), path.params[group])
        assert path.test_results[group].curve.equity.tolist() == alone.curve.equity.tolist()
        assert path.test_results[group].sampling == found.sampling


def test_paths_compound_their_tests(found: CpcvResult) -> None:
    for path in found.paths:
        growth = math.prod(one.curve.final / 1000.0 for one in path.test_results)
        assert path.curve.final == pytest.approx(1000.0 * growth, rel=1e-12)
        assert path.metrics.total_return_pct == pytest.approx(growth - 1.0, abs=1e-12)
        assert path.metrics.total_trades == sum(len(one.trades) for one in path.test_results)
        assert path.equity.iloc[-1] == path.curve.final
    assert found.sharpes.tolist() == [path.metrics.sharpe_ratio for path in found.paths]


def test_objectives_of_pieces_are_weighted_by_their_time(swung: dict[str, Any]) -> None:
    # Split 9 of 15 tests groups 2 and 3 (0-1, 0-2, ..., 0-5, 1-2, ..., 1-5, 2-3): training is
    # [0, 120 - 2) and [240 + 3, 360] minutes; weights 118 and 117 minutes and a nanosecond.
    found = cpcv(
        swung, swinging, GRID, purge_gap=120.0, embargo=180.0, objective="total_return_pct"
    )
    assert found.splits[9].test_groups == (2, 3)
    start = 1_700_000_000.0
    for setting, params in enumerate(found.settings):
        first = backtest(swung, start, start + 118 * 60, params)
        second = backtest(swung, start + 243 * 60, start + 361 * 60, params)
        expected = 118 * first.metrics.total_return_pct + 117 * second.metrics.total_return_pct
        got = found.train_objectives[9, setting]
        assert got == pytest.approx(expected / (118 + 117), rel=1e-9)


def test_training_never_sees_the_test(swung: dict[str, Any]) -> None:
    """Another price within a test, its purge or its embargo leaves the training's numbers."""
    found = cpcv(swung, swinging, GRID, purge_gap=120.0, embargo=180.0, warmup=60.0)
    other = {name: values.copy() for name, values in swung.items()}
    other["price"][118:183] += 5.0  # minutes 120 to 180 with two before and three after
    changed = cpcv(other, swinging, GRID, purge_gap=120.0, embargo=180.0, warmup=60.0)
    for split, groups in enumerate(splits.test_groups for splits in found.splits):
        same = found.train_objectives[split].tolist() == changed.train_objectives[split].tolist()
        assert same is (2 in groups)


def test_warm_up_sends_nothing_and_never_sees_a_test(rising: dict[str, Any]) -> None:
    # 101 ticks in groups of 25 s: [0, 25), [25, 50), [50, 75), [75, 100].
    runs: list[list[float]] = []

    def factory(params: dict[str, Any]) -> list[Callable[..., Any]]:
        seen: list[float] = []
        runs.append(seen)

        def buy(ctx: hz.backtesting.Context) -> Any:
            seen.append(ctx.timestamp)
            return holding(params)[0](ctx)  # at every row

        return [buy]

    filled: list[float] = []

    def first_fill(result: hz.BacktestResult) -> float:
        filled.append(result.trades[0].timestamp)
        return 1.0

    found = cpcv(rising, factory, {"size": [1]}, 4, 1, warmup=4.0, objective=first_fill)
    began = sorted({seen[0] for seen in runs if seen})
    # Before the tests four seconds of the rows before them; behind a test, at 25, 50 and 75, the
    # training begins with its own rows.
    assert began == [0.0, 21.0, 25.0, 46.0, 50.0, 71.0, 75.0]
    # Orders fill a second after they are sent: tests from their start, training four later.
    assert sorted(set(filled)) == [1.0, 26.0, 30.0, 51.0, 55.0, 76.0, 80.0]
    tested = found.paths[0].test_results[2]
    assert tested.curve.times_ns[0] == 50 * NS


# ------------------------------------------------------------------------ choosing
def test_what_never_trades_is_chosen_last(rising: dict[str, Any]) -> None:
    found = cpcv(rising, holding, {"size": [0, 1]}, 5, 2, objective="total_return_pct")
    assert np.isnan(found.train_objectives[:, 0]).all()
    assert {split.best_setting for split in found.splits} == {1}
    assert found.flags == {}


def test_where_nothing_says_anything_the_first_is_taken_and_flagged(
    rising: dict[str, Any],
) -> None:
    found = cpcv(rising, holding, {"size": [0]}, 4, 1)
    assert set(found.flags) == {0, 1, 2, 3}
    assert found.sharpes.tolist() == [0.0]
    assert "! Split 0: no setting said anything in training" in found.summary()


def test_less_is_better_where_it_is_said(rising: dict[str, Any]) -> None:
    most = cpcv(rising, holding, {"size": [1, 2]}, 4, 1, objective="total_return")
    least = cpcv(rising, holding, {"size": [1, 2]}, 4, 1, objective="total_return", maximize=False)
    assert {split.best_setting for split in most.splits} == {1}
    assert {split.best_setting for split in least.splits} == {0}


def test_any_function_of_a_result(rising: dict[str, Any]) -> None:
    def fills(result: hz.BacktestResult) -> float:
        return float(len(result.trades))

    found = cpcv(rising, holding, {"size": [1, 2]}, 4, 2, objective=fills)
    assert found.objective == "fills"
    assert (found.train_objectives == 1.0).all()  # one fill in every piece, and so on average
    assert {split.best_setting for split in found.splits} == {0}


# ------------------------------------------------------------------------ where it runs
def test_two_processes_give_the_same_bits(found: CpcvResult, swung: dict[str, Any]) -> None:
    other = cpcv(swung, swinging, GRID, purge_gap=120.0, embargo=180.0, n_jobs=2)
    assert other.train_objectives.tobytes() == found.train_objectives.tobytes()
    for one, two in zip(found.paths, other.paths, strict=True):
        assert one.curve.equity.tobytes() == two.curve.equity.tobytes()


def test_a_rerun_reads_its_cache(swung: dict[str, Any], tmp_path: Any) -> None:
    def factory(params: dict[str, Any]) -> list[Callable[..., Any]]:
        return swinging(params)

    first = cpcv(swung, factory, GRID, cache=tmp_path)
    second = cpcv(swung, factory, GRID, cache=tmp_path)
    assert second.sharpes.tolist() == first.sharpes.tolist()
    assert second.n_runs == first.n_runs


def test_an_interrupt_before_the_first_path_is_passed_on(
    rising: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Interrupted([])

    monkeypatch.setattr("horizon.walkforward.execute.Crew.run", stop)
    with pytest.raises(KeyboardInterrupt):
        cpcv(rising, holding, {"size": [1]}, 4, 1)


def test_an_interrupt_leaves_the_paths_that_are_done(
    swung: dict[str, Any], found: CpcvResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    from horizon.walkforward.execute import Crew

    run = Crew.run

    def stopping(self: Crew, tasks: Any, **options: Any) -> Any:
        if tasks and tasks[0].kind == "test":
            # All but the last test that only the last path needs.
            needed = {(g, s) for p in found.paths[:1] for g, s in enumerate(p.best_settings)}
            done = run(self, [t for t in tasks if (t.window, t.setting) in needed], **options)
            raise Interrupted(done)
        return run(self, tasks, **options)

    monkeypatch.setattr(Crew, "run", stopping)
    part = cpcv(swung, swinging, GRID, purge_gap=120.0, embargo=180.0)
    assert not part.is_complete
    assert part.paths[0].curve.equity.tobytes() == found.paths[0].curve.equity.tobytes()
    assert "INCOMPLETE" in repr(part)
    assert f"Interrupted: {len(part.paths)} of 5 paths are done." in part.summary()


# ------------------------------------------------------------------------ words
def test_words_and_tables(found: CpcvResult) -> None:
    text = found.summary()
    assert "6 groups, 2 of them tested at a time: 15 splits, 5 paths; 2 settings" in text
    assert "Sharpe ratios of the paths: " in text
    assert repr(found).startswith("<CpcvResult cpcv: 15 splits, 5 paths, Sharpe ")
    assert repr(found.paths[0]).startswith("<CpcvPath 0: return ")
    frame = found.to_frame()
    assert frame.shape[0] == 5
    assert frame["sharpe_ratio"].tolist() == found.sharpes.tolist()
    sheet = found.paths[0].tearsheet()
    assert sheet.metrics.total_return == found.paths[0].metrics.total_return


def test_names_are_escaped(rising: dict[str, Any]) -> None:
    found = cpcv(rising, holding, {"size": [1]}, 4, 1, name="<b>x</b>")
    assert "<b>x" not in found._repr_html_()
    assert "&lt;b&gt;x" in found._repr_html_()


# ------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_groups": 1}, "n_groups must be 2 or more"),
        ({"n_test_groups": 6}, "n_test_groups must be from 1 to 5"),
        ({"purge_gap": -1.0}, "purge_gap must be 0 or more"),
        ({"embargo": math.nan}, "embargo must be a finite number"),
        ({"purge_gap": 8.0, "embargo": 5.0, "warmup": 4.0}, "must together be shorter than a"),
        ({"objective": "sharp_ratio"}, "Did you mean 'sharpe_ratio'"),
        ({"search": "optuna"}, "search must be one of 'grid', 'random'"),
        ({"fee_rat": 0.1}, "cpcv.. got 'fee_rat'"),
        ({"n_group": 3}, "Did you mean 'n_groups'"),
        ({"trade_from": 3.0}, "takes no 'trade_from'"),
        ({"pipeline_factory": None}, "pipeline_factory must be a function"),
        ({"pipeline_factory": lambda p: None}, "pipeline_factory must return a pipeline"),
        ({"param_grid": {}}, "param_grid must have at least one parameter"),
        ({"param_grid": {"size": []}}, "at least one value"),
        ({"n_groups": 102, "n_test_groups": 1}, "needs as many rows or more"),
    ],
    ids=lambda one: one if isinstance(one, str) else next(iter(one)),
)
def test_bad_input_is_named(rising: dict[str, Any], options: dict[str, Any], message: str) -> None:
    given = {"pipeline_factory": holding, "param_grid": {"size": [1]}, **options}
    with pytest.raises((TypeError, ValueError), match=message):
        cpcv(rising, **given)


def test_a_group_without_rows_is_named() -> None:
    ticks = ticks_of(np.arange(100.0, 140.0))
    ticks["timestamp"][20:] += 60.0  # from 19 to 80 there is nothing
    with pytest.raises(ValueError, match="group 2 has no rows"):
        cpcv(ticks, holding, {"size": [1]}, 6, 1)


def test_a_factory_that_raises_is_named_with_its_parameters(rising: dict[str, Any]) -> None:
    def factory(params: dict[str, Any]) -> list[Callable[..., Any]]:
        raise KeyError(params["size"])

    with pytest.raises(ValueError, match=r"pipeline_factory raised KeyError.*size=1"):
        cpcv(rising, factory, {"size": [1]})


def test_all_splits_train_on_pieces_that_are_run_once(found: CpcvResult) -> None:
    pieces = {piece for split in found.splits for piece in split.pieces}
    # Distinct pieces by their groups: [a, b] with a test on each side that is not an end.
    expected = {
        (a, b)
        for tests in itertools.combinations(range(6), 2)
        for a, b in itertools.combinations_with_replacement(range(6), 2)
        if not any(a <= t <= b for t in tests)
        and (a == 0 or a - 1 in tests)
        and (b == 5 or b + 1 in tests)
    }
    assert len(pieces) == len(expected)
    tests = {(g, best) for path in found.paths for g, best in enumerate(path.best_settings)}
    assert found.n_runs == 2 * len(pieces) + len(tests)
