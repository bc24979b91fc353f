"""What a walk-forward says of itself, in text and in HTML."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from horizon.walkforward import walk_forward
from horizon.walkforward.pictures import hindsight_curve, hindsight_setting
from horizon.walkforward.result import WalkForwardResult
from horizon.walkforward.words import head_line, html_of, summary_text
from tests.walkforward.worked import holding, swinging, ticks_of

DAY = 86_400.0
HOSTILE = "<script>\u202ealert(1)</script>"


@pytest.fixture(scope="module")
def held() -> WalkForwardResult:
    """Two tests of ten days in which the price rises by 1 a day; 1 or 3 units are held.

    The tests begin at 120 and at 130. What is bought at the second row of a test has risen by 8 at
    the last of the first one's ten rows, and by 9 at the last of the second one's eleven.
    """
    prices = np.arange(100.0, 141.0)
    return walk_forward(
        ticks_of(prices, start=1_577_836_800.0, step=DAY),  # 1 January 2020
        holding,
        {"size": [1.0, 3.0, 0.0]},
        n_splits=2,
        train_ratio=0.5,
        objective="total_return",
        markets=["ACME"],
        initial_capital=1_000.0,
        paper_fee_rate=0.0,
    )


def rows(text: str) -> list[list[str]]:
    """The table of windows, cell by cell."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("window"))
    table = lines[start : lines.index("", start)]
    return [re.split(r"\s{2,}", line.strip()) for line in table]


def test_head_line_counts_what_was_searched_and_says_what_came_of_it(held) -> None:
    line = head_line(held)
    # 3 · 8 of 1,000, then 3 · 9 of that compounded: 1.024 · 1.027 = 1.051648
    assert "2 windows, 3 settings by total_return" in line
    assert "out of sample 5.16 %" in line
    assert "2 fills" in line
    assert "INCOMPLETE" not in line
    assert repr(held) == f"<WalkForwardResult {line}>"


def test_summary_says_the_search(held) -> None:
    lines = summary_text(held).splitlines()
    assert lines[0] == "=== Walk-forward: walk-forward ==="
    assert lines[1] == "Windows:          2, of 10 d each, tested 2020-01-21 to 2020-02-10"
    # 3 settings in 2 windows, trained and tested, and 3 over the whole span
    assert lines[2] == "Settings:         3 of size; 15 runs"
    assert lines[3] == "Objective:        total_return (Net profit), more is better"
    assert "Total return:     5.16 %" in lines
    assert "Fills:            2" in lines


def test_summary_has_a_row_for_each_window(held) -> None:
    header, first, second = rows(summary_text(held))
    assert header == ["window", "tested from", "to", "chosen", "training", "test", "rank", "return"]
    # Training from 100 (bought at 101) to 119 and to 129; 3 units earn 3 · 18 and 3 · 28. The
    # first test has the rows 120 to 129, bought at 121; the second 130 to 140, bought at 131.
    assert first == [
        "0",
        "2020-01-21",
        "2020-01-31",
        "size=3",
        "54.00 USD",
        "24.00 USD",
        "1/2",
        "2.40 %",
    ]
    assert second == [
        "1",
        "2020-01-31",
        "2020-02-10",
        "size=3",
        "84.00 USD",
        "27.00 USD",
        "1/2",
        "2.70 %",
    ]


def test_verdict_and_cautions_close_the_summary(held) -> None:
    text = summary_text(held)
    said = " ".join(text.split())
    assert f"Overfitting: {held.overfitting.verdict}" in said
    for reason in held.overfitting.reasons:
        assert f"- {' '.join(reason.split())}" in said
    for caution in held.tearsheet().cautions:
        assert f"! {caution}" in text
    assert max(len(line) for line in text.splitlines() if line.startswith("- ")) <= 98


def test_html_has_the_same_table_and_verdict(held) -> None:
    text = html_of(held)
    cells = [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", text)]
    assert cells == [cell for row in rows(summary_text(held)) for cell in row]
    assert html.escape(held.overfitting.verdict) in text
    assert "<script" not in text
    assert held._repr_html_() == text


def test_a_flagged_window_is_marked_and_its_reason_said() -> None:
    found = walk_forward(
        ticks_of(np.arange(100.0, 141.0), step=DAY),
        holding,
        {"size": [0.0]},
        n_splits=2,
        train_ratio=0.5,
        markets=["ACME"],
    )
    text = summary_text(found)
    first = rows(text)[1]
    assert first[0] == "0 !"
    assert first[4:7] == ["–", "–", "–"]
    assert "! Window 0: no setting said anything in training: no trades (1)" in text


def test_hours_are_said_where_windows_are_shorter_than_days(noisy) -> None:
    found = walk_forward(noisy, swinging, {"window": [5, 20], "spread": [0.2]}, n_splits=2)
    _, first, second = rows(summary_text(found))
    # 0.7 of 299 minutes, 3 h 29 min 18 s, after 14 November 2023, 22:13:20
    assert first[1] == "2023-11-15 01:42:38"
    assert first[2] == second[1]


def test_an_interrupted_search_says_so(held) -> None:
    part = interrupted(held)
    assert "INCOMPLETE: 7 of 15 runs" in head_line(part)
    text = summary_text(part)
    assert "7 runs of 15, INCOMPLETE" in text
    assert "! Interrupted" in text
    assert "INCOMPLETE" in html_of(part)


def interrupted(result: WalkForwardResult) -> WalkForwardResult:
    """The first window alone: three trainings, three tests, one run over the whole span."""
    kept = [one for one in result.outcomes if one.task.window == 0]
    kept += [one for one in result.outcomes if one.task.window == -1][:1]
    return WalkForwardResult(
        plan=plan_of(result),
        windows=result.windows[:1],
        best_settings=result.best_settings[:1],
        outcomes=kept,
        is_complete=False,
        n_planned=15,
        seconds=0.1,
    )


def plan_of(result: WalkForwardResult) -> Any:
    """As much of a plan as a result reads of it."""
    from types import SimpleNamespace

    return SimpleNamespace(
        doubts=(),
        settings=result.settings,
        objective=result.objective,
        maximize=result.maximize,
        sampling=result.sampling,
        initial_capital=result.initial_capital,
        name=result.name,
        source=SimpleNamespace(doubts=(), dropped=result.dropped),
    )


def test_many_windows_are_cut_and_it_says_so() -> None:
    found = walk_forward(
        ticks_of(50.0 + np.sin(np.arange(400.0)), step=60.0),
        holding,
        {"size": [1.0]},
        n_splits=25,
        overfitting=False,
        markets=["ACME"],
    )
    text = summary_text(found)
    assert len(rows(text)) == 1 + 20 + 1
    assert "and 5 more windows; to_frame() has all." in text
    assert "and 5 more windows" in html_of(found)


def test_names_from_outside_are_text() -> None:
    def factory(params: dict[str, Any]) -> Any:
        return holding({"size": 1.0})

    found = walk_forward(
        ticks_of(np.arange(100.0, 141.0), step=DAY),
        factory,
        {HOSTILE: [HOSTILE, "b"]},
        n_splits=2,
        markets=[HOSTILE.replace("\u202e", "")],
    )
    text, page = summary_text(found), html_of(found)
    assert "\u202e" not in text + page
    assert "<script" not in page
    assert "&lt;script&gt;⟨U+202E⟩alert(1)" in page


# ------------------------------------------------------------------------ pictures
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["out_of_sample", "windows", "heat_map", "train_test", "trials"])
def test_every_figure_is_drawn_of_a_result(held, kind, theme) -> None:
    figure = held.figure(kind, theme=theme)
    assert figure.layout.title.text.startswith("walk-forward: ")
    assert len(figure.data) > 0


def test_figures_show_the_results_own_numbers(held) -> None:
    heat = held.figure("heat_map")
    (cells,) = [t for t in heat.data if t.coloraxis]
    # Sizes 0, 1, 3 in columns, windows in rows; nothing was traded with size 0.
    np.testing.assert_array_equal(cells.z, [[np.nan, 18.0, 54.0], [np.nan, 28.0, 84.0]])
    (grey,) = [t for t in heat.data if t.type == "heatmap" and not t.coloraxis]
    assert [row[0] for row in grey.customdata] == ["no trades", "no trades"]
    test = held.figure("heat_map", part="test")
    (cells,) = [t for t in test.data if t.coloraxis]
    np.testing.assert_array_equal(cells.z, [[np.nan, 8.0, 24.0], [np.nan, 9.0, 27.0]])
    own = next(t for t in held.figure().data if t.name == "out of sample")
    assert own.y[-1] == pytest.approx(1_000.0 * 1.024 * 1.027, rel=1e-12)


def test_hindsight_is_the_best_of_the_whole_data_over_the_tests_alone(held) -> None:
    assert hindsight_setting(held) == 1
    curve = hindsight_curve(held, 1)
    # Three units bought at 101: 1,057 at the first test, 1,117 at the end. Only the growth from
    # then on is shown, from the capital on.
    assert curve.equity[0] == 1_000.0
    assert curve.equity[-1] == pytest.approx(1_000.0 * 1_117.0 / 1_057.0, rel=1e-12)
    assert curve.times_ns[0] == held.windows[0].test_start_ns
    assert curve.times_ns[-1] == held.windows[-1].test_end_ns


def test_less_is_better_where_it_is_minimised(held) -> None:
    turned = interrupted(held)
    turned.maximize = False
    turned.whole_objectives = np.array([np.nan, 3.0, 2.0])
    assert hindsight_setting(turned) == 2


def test_without_runs_over_the_whole_there_is_no_hindsight(held) -> None:
    plain = WalkForwardResult(
        plan=plan_of(held),
        windows=held.windows,
        best_settings=held.best_settings,
        outcomes=[replace(one) for one in held.outcomes if one.task.kind != "whole"],
        is_complete=True,
        n_planned=12,
        seconds=0.1,
    )
    assert hindsight_setting(plain) is None
    assert not [t for t in plain.figure().data if t.name == "best on the whole data"]
    with pytest.raises(ValueError, match=r"walk_forward\(overfitting=True\) makes them"):
        plain.figure("trials")


@pytest.mark.parametrize(
    ("kind", "options", "error", "match"),
    [
        ("heatmap", {}, ValueError, "Did you mean 'heat_map'"),
        ("heat_map", {"part": "tests"}, ValueError, "Did you mean 'test'"),
        ("windows", {"theme": "drak"}, ValueError, "'light', 'dark'"),
        ("windows", {"them": "dark"}, TypeError, "them"),
    ],
    ids=["kind", "part", "theme", "option"],
)
def test_what_is_no_figure_is_refused(held, kind, options, error, match) -> None:
    with pytest.raises(error, match=match):
        held.figure(kind, **options)
