"""What a walk-forward has to show."""

import math
import pickle

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.walkforward import WalkForwardResult, walk_forward
from tests.walkforward.worked import NS, holding, swinging, ticks_of


@pytest.fixture(scope="module")
def found() -> WalkForwardResult:
    """100 at 0 s to 200 at 100 s, of which tests are [50, 75) and [75, 100]."""
    return walk_forward(
        ticks_of(np.arange(100.0, 201.0)),
        holding,
        {"size": [1.0, 3.0, 0.0]},
        n_splits=2,
        train_ratio=0.5,
        objective="total_return",
        paper_fee_rate=0.0,
        name="rising",
    )


def test_the_frame_has_a_row_for_each_window_and_setting(found: WalkForwardResult) -> None:
    frame = found.to_frame()
    assert frame.index.tolist() == [(w, s) for w in (0, 1) for s in (0, 1, 2)]
    assert frame["size"].tolist() == [1.0, 3.0, 0.0] * 2
    assert frame["is_best"].tolist() == [False, True, False] * 2
    assert frame["why"].tolist() == ["", "", "no trades"] * 2
    np.testing.assert_array_equal(
        frame["train_objective"], [48.0, 144.0, math.nan, 73.0, 219.0, math.nan]
    )
    np.testing.assert_array_equal(
        frame["test_objective"], [23.0, 69.0, math.nan, 24.0, 72.0, math.nan]
    )
    assert frame["test_total_trades"].tolist() == [1.0, 1.0, 0.0] * 2
    # Every metric is there for both, and the rest is named above.
    names = list(hz.Metrics.__dataclass_fields__)
    assert list(frame.columns) == [
        "size",
        "is_best",
        "train_objective",
        "test_objective",
        "why",
        *(f"train_{name}" for name in names),
        *(f"test_{name}" for name in names),
    ]
    assert frame["test_total_return"].tolist() == [23.0, 69.0, 0.0, 24.0, 72.0, 0.0]


def test_the_frame_is_made_anew(found: WalkForwardResult) -> None:
    frame = found.to_frame()
    frame.loc[(0, 0), "size"] = 99.0
    found.best_params_per_window[0]["size"] = 99.0
    found.aggregate_equity.clear()
    assert found.to_frame()["size"].iloc[0] == 1.0
    assert found.best_params_per_window[0] == {"size": 3.0}
    assert len(found.aggregate_equity) == 51


def test_the_chained_equity_is_a_series(found: WalkForwardResult) -> None:
    series = found.equity
    assert isinstance(series, pd.Series)
    assert str(series.index.tz) == "UTC"
    assert series.iloc[0] == 1000.0
    assert series.iloc[-1] == found.aggregate_curve.final == found.aggregate_metrics.final_equity
    assert series.index[0] == pd.Timestamp(50, unit="s", tz="UTC")


def test_the_tearsheet_is_that_of_the_chained_equity(found: WalkForwardResult) -> None:
    sheet = found.tearsheet()
    assert sheet.title == "rising, out of sample"
    assert sheet.metrics == found.aggregate_metrics
    assert sheet.curve.times_ns[0] == 50 * NS
    assert len(sheet.fills) == 4  # two fills, and two rows that end what is held
    assert sheet.sampling == found.sampling
    assert found.tearsheet(title="mine", risk_free=0.02).title == "mine"
    assert "<" in sheet._repr_html_()


def test_test_results_are_results(found: WalkForwardResult) -> None:
    first = found.test_results[0]
    assert isinstance(first, hz.BacktestResult)
    assert first.name == "rising: the test of window 0"
    assert first.config["params"] == {"size": 3.0}
    assert first.config["markets"] == ("market",)
    assert first.trades[0].timestamp == 51.0
    assert first.summary()
    assert first.explain("p1")
    assert first.sampling == found.sampling


def test_outcomes_are_found_by_their_place(found: WalkForwardResult) -> None:
    train = found.outcome("train", 1, 0)
    assert train is not None
    assert (train.task.kind, train.task.setting, train.task.window) == ("train", 1, 0)
    whole = found.outcome("whole", 1)
    assert whole is found.whole_outcomes[1]
    assert whole is not None
    assert len(whole.returns) == 100
    assert found.outcome("train", 7, 0) is None
    with pytest.raises(ValueError, match="kind must be one of 'train', 'test', 'whole'"):
        found.outcome("tests", 0)  # type: ignore[arg-type]


def test_records_are_kept_of_what_was_chosen_alone(found: WalkForwardResult) -> None:
    kept = [(o.task.window, o.task.setting) for o in found.outcomes if o.record is not None]
    assert kept == [(0, 1), (1, 1)]
    assert all(not len(o.returns) for o in found.outcomes if o.task.kind != "whole")


def test_a_result_can_be_pickled(found: WalkForwardResult) -> None:
    again = pickle.loads(pickle.dumps(found))
    assert again.outcomes == found.outcomes
    assert again.aggregate_metrics == found.aggregate_metrics


def test_a_loss_of_everything_is_said() -> None:
    # 500 bought at 100 with 1,000, by an account that nobody stops; then the price falls to 90:
    # 1,000 − 5,000. The second test is as it was, and nothing is left to compound.
    prices = [100.0] * 60 + [90.0] * 40
    found = walk_forward(
        {"X": ticks_of(prices)},
        holding,
        {"size": [500.0]},
        n_splits=2,
        train_ratio=0.5,
        markets=[hz.Market("X", hz.Equity)],
        enforce_buying_power=False,
        paper_fee_rate=0.0,
        overfitting=False,
        objective="total_return",
    )
    assert [one.curve.final for one in found.test_results] == [-4000.0, 1000.0]
    assert found.aggregate_curve.final == -4000.0
    assert found.cautions[1] == "Window 0 has lost everything; nothing is compounded after."


def test_it_shows_itself(found: WalkForwardResult) -> None:
    assert repr(found).startswith("<WalkForwardResult ")
    assert "rising" in repr(found)
    assert "size=3" in found.summary()
    page = found._repr_html_()
    assert "<table" in page


def test_names_from_outside_are_escaped() -> None:
    generator = np.random.default_rng(1)
    result = walk_forward(
        ticks_of(50.0 + generator.standard_normal(80).round(2)),
        swinging,
        {"window": [2, 3], "spread": [0.1], "<b>": ["<script>alert(1)</script>"]},
        n_splits=1,
        name="<i>name</i>",
    )
    page = result._repr_html_()
    assert "<script>" not in page
    assert "<i>name" not in page
    assert "<b>&lt;script" not in page


@pytest.mark.parametrize("kind", ["out_of_sample", "windows", "heat_map", "train_test", "trials"])
def test_it_is_drawn(kind: str) -> None:
    generator = np.random.default_rng(1)
    result = walk_forward(
        ticks_of(50.0 + generator.standard_normal(150).round(2)),
        swinging,
        {"window": [2, 3], "spread": [0.1, 0.2]},
        n_splits=2,
    )
    for theme in ("light", "dark"):
        assert result.figure(kind, theme=theme) is not None


def test_its_overfitting_is_judged(found: WalkForwardResult) -> None:
    judged = found.overfitting
    assert judged is found.overfitting
    assert judged.n_trials == 3
    assert judged.verdict
