"""Results side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from horizon.analytics import Metrics
from horizon.backtesting.comparison import Comparison
from horizon.backtesting.result import BacktestResult
from tests.backtesting.made import record_of, whole_run


def result_of(final: float, name: str = "made", **facts: Any) -> BacktestResult:
    """A thousand that became something else within two seconds."""
    return BacktestResult(record_of([(0, 1000.0), (1, 990.0), (2, final)], name=name, **facts))


@pytest.fixture
def pair() -> Comparison:
    first = result_of(1100.0, "narrow", config={"params": {"width": 0.02}, "rng_seed": None})
    second = result_of(1050.0, "wide", config={"params": {"width": 0.04}, "rng_seed": None})
    return first.compare(second)


def test_frame_has_a_column_for_each_result(pair: Comparison) -> None:
    frame = pair.frame
    assert list(frame.columns) == ["narrow", "wide"]
    assert frame.loc["total_return"].tolist() == [100.0, 50.0]
    assert frame.loc["max_drawdown"].tolist() == [10.0, 10.0]
    assert frame.index.name == "metric"
    # Every metric that some result has, in the order of the record.
    metrics = pair.results["narrow"].metrics
    assert list(frame.index) == [row.name for row in metrics.rows()]
    assert frame.dtypes.tolist() == [np.float64, np.float64]


def test_differences_are_to_the_first(pair: Comparison) -> None:
    assert list(pair.differences.columns) == ["wide"]
    assert pair.differences.loc["total_return", "wide"] == -50.0
    assert pair.differences.loc["max_drawdown", "wide"] == 0.0


def test_infinite_and_missing_metrics_are_compared() -> None:
    fills = [
        (1, "rain", 1, 1.0, 0.5, 0.0, 0.0, 0.0, True),
        (2, "rain", -1, 1.0, 0.75, 0.0, 0.25, 1.0, True),
    ]
    orders = [{"price": 0.5}] * 2
    won = BacktestResult(record_of([(0, 1000.0), (1, 1000.25)], fills, orders, name="won"))
    scored = BacktestResult(replace(won.record, name="scored", outcomes={"rain": 1.0}))
    both = won.compare(scored)
    assert both.frame.loc["profit_factor"].tolist() == [math.inf, math.inf]
    assert both.differences.loc["profit_factor", "scored"] == 0.0
    # (0.5 − 1)² and (0.75 − 1)² for one, nothing for the other.
    assert math.isnan(both.frame.loc["brier_score", "won"])
    assert both.frame.loc["brier_score", "scored"] == pytest.approx((0.25 + 0.0625) / 2)
    assert math.isnan(both.differences.loc["brier_score", "scored"])
    assert "∞" in repr(both)


def test_arguments_that_differ_are_shown(pair: Comparison) -> None:
    assert pair.arguments.index.tolist() == ["params"]
    assert pair.arguments.loc["params", "narrow"] == {"width": 0.02}
    assert "params: {'width': 0.02}; {'width': 0.04}" in repr(pair)
    same = result_of(1000.0).compare(result_of(1000.0, "other"))
    assert same.arguments.empty
    assert list(same.arguments.columns) == ["made", "other"]


def test_arguments_are_compared_with_nan_and_kinds() -> None:
    first = result_of(1000.0, config={"a": math.nan, "b": 1, "c": [1], "name": "x"})
    second = result_of(1000.0, config={"a": math.nan, "b": True, "c": [1], "d": 1, "name": "y"})
    assert first.compare(second).arguments.index.tolist() == ["b", "d"]


def test_equal_names_are_numbered() -> None:
    one = result_of(1000.0)
    assert list(one.compare(one, one).results) == ["made", "made (2)", "made (3)"]


def test_names_can_be_given() -> None:
    one = result_of(1000.0)
    assert list(one.compare(one, names=["before", "after"]).frame.columns) == ["before", "after"]
    assert list(one.compare(one, names=("a", "b")).results) == ["a", "b"]


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (["a"], ValueError, "names must be one for each of 2 results, this one first; had 1"),
        (["a", "a"], ValueError, "names must differ, had 'a' twice"),
        (["a", ""], ValueError, "a name in names must have 1 to 256 characters"),
        (["a", 3], TypeError, "a name in names must be text"),
        ("ab", TypeError, "names must be a list of names"),
        (3, TypeError, "names must be a list of names"),
    ],
    ids=["few", "twice", "empty", "number", "text", "none"],
)
def test_names_that_cannot_be_are_refused(names: Any, error: type[Exception], words: str) -> None:
    one = result_of(1000.0)
    with pytest.raises(error, match=words):
        one.compare(one, names=names)


def test_only_results_are_compared() -> None:
    one = result_of(1000.0)
    with pytest.raises(ValueError, match="one or more other results"):
        one.compare()
    with pytest.raises(TypeError, match="compare takes BacktestResults, was given 3"):
        one.compare(3)  # type: ignore[arg-type]


def test_text_shows_key_figures_their_difference_and_cautions(pair: Comparison) -> None:
    lines = repr(pair).splitlines()
    assert lines[0].split() == ["narrow", "wide", "difference"]
    assert lines[1].split("  ")[0] == "Net profit"
    assert "100.00 USD" in lines[1]
    assert lines[1].endswith("−50.00 USD")
    drawdown = next(line for line in lines if line.startswith("Largest drawdown"))
    assert drawdown.split()[-1] == "="
    # 10 % and 5 %: half as much, and five points less.
    total = next(line for line in lines if line.startswith("Total return"))
    assert total.endswith("−5.00 pp")
    # What holds for both is said once.
    assert lines.count("! No order was sent.") == 1


def test_a_difference_has_one_sign_before_whatever_it_counts() -> None:
    fills = [(1, "rain", 1, 1.0, 0.5, 0.0, 0.0, 0.0, True)]
    held = BacktestResult(record_of([(0, 1000.0), (1, 1000.25)], fills, [{"price": 0.5}]))
    lines = repr(held.compare(result_of(1000.0, "idle"))).splitlines()
    assert next(line for line in lines if line.startswith("Fills")).split() == [
        *("Fills", "1", "0", "−1")
    ]


def test_cautions_that_not_all_have_are_said_with_their_names(pair: Comparison) -> None:
    held = BacktestResult(whole_run())
    lines = repr(pair.results["wide"].compare(held)).splitlines()
    assert "! wide: No order was sent." in lines
    assert "! by hand: Still held at the end, and counted at the last price: ACME." in lines


def test_three_results_have_no_column_of_differences() -> None:
    one = result_of(1000.0)
    three = one.compare(one, one)
    assert repr(three).splitlines()[0].split() == ["made", "made", "(2)", "made", "(3)"]
    assert list(three.differences.columns) == ["made (2)", "made (3)"]


def test_results_in_different_currencies_have_no_difference_of_money() -> None:
    one = result_of(1100.0)
    other = result_of(1050.0, currency="EUR")
    line = repr(one.compare(other)).splitlines()[1]
    assert "100.00 USD" in line
    assert "50.00 EUR" in line
    assert line.endswith("–")


def test_names_from_outside_are_escaped() -> None:
    name = "<script>alert(1)</script>\u202e"
    config = {"<b>x</b>": "<i>y</i>"}
    evil = BacktestResult(whole_run(name=name, config=config, currency="<u>EUR</u>"))
    both = evil.compare(BacktestResult(whole_run()))
    page = both._repr_html_()
    for tag in ("<script", "<b>", "<i>", "<u>", "\u202e"):
        assert tag not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in repr(both)


def test_frames_belong_to_the_caller(pair: Comparison) -> None:
    frame = pair.frame
    frame.loc["total_return", "wide"] = 0.0
    assert pair.frame.loc["total_return", "wide"] == 50.0
    assert isinstance(pair.differences, pd.DataFrame)


def test_figure_draws_every_curve(pair: Comparison) -> None:
    pytest.importorskip("plotly")
    drawn = pair.figure()
    names = {trace.name for trace in drawn.data}
    assert names == {"narrow", "wide"}
    assert drawn.data[0].y[0] == 100.0
    assert pair.figure(rebase=False).data[0].y[0] == 1000.0


def test_key_figures_are_metrics() -> None:
    from horizon.backtesting import comparison

    assert set(comparison._KEY_FIGURES) <= set(Metrics.__dataclass_fields__)
