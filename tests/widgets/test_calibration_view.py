"""The calibration view: which pairs are judged, how, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics.pair_reader import forecast_pairs
from horizon.backtesting.result import BacktestResult
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.views import CalibrationView
from tests.backtesting.made import record_of, whole_run
from tests.widgets.notebook import do, in_a_notebook
from tests.widgets.results import (
    HOSTILE,
    assert_shows_text_as_it_stands,
    change,
    key,
    rows,
    saved,
    settled,
)

#: Rain bought at 0.4 and 0.6 and happens, snow sold at 0.3 and does not, a draw at 0.5.
SAID, CAME = [0.4, 0.3, 0.6, 0.5], [1.0, 0.0, 1.0, 0.5]
COLUMNS: dict[str, Any] = {
    "model": [0.7, np.nan, 0.8, 0.5],
    "markets": ["rain", "snow", "rain", "draw"],
    "sides": ["buy", "sell", "buy", "buy"],
    "times": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-06"]),
    "resolutions": pd.to_datetime(["2024-01-07"] * 4),
}


class Bare(CalibrationView):
    """Draws no figure, which takes longer than all else."""

    def figures_of(self, answer: Any, theme: str) -> dict[str, Any]:
        return {}


async def view_of(*given: Any, kind: Any = Bare, **columns: Any) -> CalibrationView:
    view = kind(*(given or (SAID, CAME)), **(columns or ({} if given else COLUMNS)))
    await settled(view)
    return view


def names(view: CalibrationView) -> list[str]:
    return [field["name"] for field in view.shown["form"]["fields"]]


# ------------------------------------------------------------------------- what is shown
@in_a_notebook
async def test_it_shows_scores_bins_and_what_to_know_first() -> None:
    view = await view_of()
    # (0.36 + 0.09 + 0.16 + 0) / 4; the base rate is 2.5 / 4.
    assert key(view)["Brier score"] == "0.1525"
    assert (key(view)["Base rate"], key(view)["Forecasts"], key(view)["Markets"]) == (
        "62.5 %", "4", "3",
    )  # fmt: skip
    assert view.shown["period"] == "4 forecasts; 3 markets"
    assert [text.split(":")[0] for text in view.shown["cautions"][:2]] == [
        "Few",
        "4 forecasts of 3 events",
    ]
    assert "1 forecast with an outcome between 0 and 1, a tie" in view.shown["cautions"][2]
    found = rows(view, "Bins")
    assert found["0 to 10 %"] == ["–", "–", "–", "–", "–", "0"]
    # One forecast of 40 %, which happened; its Wilson interval at 95 % is 20.7 to 100 %.
    assert found["40 to 50 %"] == [
        "40.00 %", "100.00 %", "+60.00", "20.7 to 100.0 %", "inside", "1",
    ]  # fmt: skip
    assert view.calibration is not None
    assert view.calibration.count == 4


@in_a_notebook
async def test_the_brier_score_is_taken_apart_and_sums_up() -> None:
    view = await view_of()
    await do(view, "tab", id="scores")
    parts = rows(view, "What the Brier score")
    values = [float(cells[0].replace("−", "-")) for cells in parts.values()]
    assert list(parts) == ["Reliability", "Resolution", "Uncertainty", "Within bins", "Brier score"]
    assert sum(values[:4]) == pytest.approx(values[4], abs=2e-6)
    # Each bin holds one: uncertainty is 2.25 / 4 − 0.625², all of it resolved.
    assert parts["Uncertainty"][0] == "+0.171875"
    assert parts["Resolution"][0] == "−0.171875"
    assert parts["Reliability"][0] == "+0.152500"
    assert rows(view, "Scores")["Brier score"] == [
        "0.152500",
        "the base rate alone scores 0.171875",
    ]


@in_a_notebook
async def test_the_edge_decays_towards_resolution() -> None:
    view = await view_of()
    await do(view, "tab", id="decay")
    assert view.decay is not None
    # 24, 120, 144 and 144 hours before: the draw earned 0, rain 0.4, rain and snow 0.6 and 0.3.
    found = rows(view, "Edge by time")
    assert found["14.4 to 28.8 h"][0] == "0.0000"
    assert found["115.2 to 129.6 h"][0] == "+0.4000"
    assert found["129.6 to 144 h"][0] == "+0.4500"
    (table,) = view.shown["tables"]
    assert table["note"].startswith("Mean edge +0.3250 over 4; fitted, it halves every ")
    assert "1 of 3 buckets have no positive mean edge" in view.shown["cautions"][-1]


# ------------------------------------------------------------------------- choices
@in_a_notebook
async def test_model_bins_side_markets_and_period_are_chosen() -> None:
    view = await view_of()
    await change(view, of="model")
    assert key(view)["Brier score"] == "0.0433"  # (0.09 + 0.04 + 0) / 3
    assert "The model had no probability for 1 forecast: left out." in view.shown["cautions"]
    await change(view, of="price", side="sell")
    assert (key(view)["Brier score"], key(view)["Forecasts"]) == ("0.0900", "1")
    assert view.shown["period"] == "1 of 4 forecasts; 1 of 3 markets; SELL − of YES only"
    await change(view, side="", markets="rain", bins="2", confidence="0.9")
    assert rows(view, "Bins")["50 to 100 %"][3].startswith("27.0 to 100.0")  # 1 / (1 + 1.645²)
    await change(view, markets="", start="2024-01-02", end="2024-01-02")
    assert key(view)["Brier score"] == "0.1600"
    assert view.shown["period"].endswith("; 2024-01-02 to 2024-01-02 UTC")
    await do(view, "reset")
    await settled(view)
    assert key(view)["Forecasts"] == "4"


@in_a_notebook
async def test_ties_are_counted_or_left_out() -> None:
    view = await view_of()
    await change(view, ties="")
    assert (key(view)["Forecasts"], key(view)["Brier score"]) == ("3", "0.2033")
    assert "1 forecast with an outcome between 0 and 1: left out." in view.shown["cautions"]
    assert view.pairs is not None
    assert view.pairs.ties == 0


@in_a_notebook
async def test_groups_get_a_tab_of_their_own() -> None:
    view = await view_of()
    view.choose(by="market")
    await settled(view)
    assert ["groups", "Groups"] in view.shown["tabs"]
    await do(view, "tab", id="groups")
    found = rows(view, "Markets")
    assert next(iter(found)) == "rain"  # the one with the most pairs
    assert found["rain"][:2] == ["2", "0.2600"]
    view.choose(by=None)
    await settled(view)
    assert [name for name, _ in view.shown["tabs"]] == ["reliability", "scores", "decay"]
    assert view.shown["tab"] == "reliability"


@in_a_notebook
async def test_bins_of_equal_counts_say_where_there_are_fewer() -> None:
    view = await view_of([0.2] * 40 + [0.7] * 40, [0, 1] * 40)
    view.choose(strategy="quantile", bins=5)
    await settled(view)
    assert (
        "5 bins were asked for, 2 are possible: equal forecasts share a bin."
        in (view.shown["cautions"])
    )


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"bins": "0"}, "bins", "Bins must be a whole number of 1 or more, was '0'"),
        ({"bins": "201"}, "bins", "Bins must be at most 200, was 201"),
        ({"by": "day"}, "by", "was 'day'"),
        ({"confidence": "0.5"}, "confidence", "was '0.5'"),
        ({"side": "hold"}, "side", "was 'hold'"),
        ({"start": "x"}, "start", "start must be a date"),
        ({"markets": "hail"}, "markets", "'hail', which is none"),
    ],
    ids=["no bins", "too many", "groups", "level", "side", "start", "market"],
)
def test_what_cannot_be_chosen_is_said_at_its_field(
    values: dict[str, str], field: str, said: str
) -> None:
    @in_a_notebook
    async def run() -> None:
        view = await view_of()
        await change(view, **values)
        assert said in view.shown["form"]["wrong"][field]
        assert key(view)["Brier score"] == "0.1525"

    run()


@in_a_notebook
async def test_choices_that_leave_nothing_are_said() -> None:
    view = await view_of()
    view.choose(markets=["rain"], side="sell")
    await settled(view)
    assert view.shown["error"] == "no forecast is left by these choices: take one of them back"
    assert key(view)["Forecasts"] == "4"
    assert view.shown["can_reset"] is True


@in_a_notebook
async def test_bare_forecasts_have_the_choices_that_they_allow() -> None:
    view = await view_of(SAID, CAME)
    assert names(view) == ["bins", "strategy", "confidence", "ties"]
    assert [name for name, _ in view.shown["tabs"]] == ["reliability", "scores"]
    assert view.shown["period"] == "4 forecasts"
    assert "of several of one event they would be too narrow" in view.shown["cautions"][1]
    for choice, said in (
        ({"of": "model"}, "there are none"),
        ({"side": "buy"}, "there are none"),
        ({"by": "market"}, "by='market' needs forecasts of two markets or more"),
        ({"by": "hours"}, "by='hours' needs forecasts with the times of each and of its resolu"),
        ({"period": "ytd"}, "there are none"),
        ({"side": "up"}, "side must be one of 'buy', 'sell', or None for both; was 'up'"),
        ({"by": "up"}, "by must be one of 'market', 'side', 'hours', or None for no groups"),
        ({"confidence": 0.5}, "confidence must be one of 0.9, 0.95, 0.99, was 0.5"),
    ):
        with pytest.raises(ValueError, match=said):
            view.choose(**choice)
    for choice, said in (
        ({"side": 1}, "side must be one of 'buy', 'sell', or None for both; was 1"),
        ({"confidence": "x"}, "confidence must be a number, was 'x'"),
        ({"foo": 1}, "choose takes of, bins, strategy,.*, markets; was given 'foo'$"),
        ({"marketz": "A"}, "was given 'marketz'. Did you mean 'markets'"),
    ):
        with pytest.raises(TypeError, match=said):
            view.choose(**choice)
    assert not view.is_working


# ------------------------------------------------------------------------- sources
@in_a_notebook
async def test_a_runs_fills_are_judged_as_the_run_judges_them() -> None:
    result = BacktestResult(whole_run())
    view = await view_of(result, kind=CalibrationView)
    assert view.calibration == result.calibration()
    assert view.shown["title"] == "by hand"
    assert "2 fills of 1 event: the intervals" in view.shown["cautions"][1]
    assert set(view.parts) == {"reliability", "decay"}
    reliability = view.parts["reliability"]
    assert isinstance(reliability, LiveFigure)
    assert (reliability.quiet, reliability.is_held) == (True, True)
    await change(view, of="model", by="side")
    assert view.calibration is not None
    assert view.calibration.brier_score == result.calibration("model").brier_score
    assert set(view.parts) == {"reliability", "groups", "decay"}
    assert view.parts["reliability"] is reliability


@in_a_notebook
async def test_choices_stay_for_another_source_where_they_apply() -> None:
    view = await view_of()
    view.choose(of="model", bins=4, by="market", side="buy", markets=["rain"])
    await settled(view)
    view.show(SAID, CAME, markets=["hail", "hail", "fog", "fog"])
    await settled(view)
    values = view.shown["form"]["values"]
    assert (values["of"], values["bins"], values["by"]) == ("price", "4", "market")
    assert (values["side"], values["markets"]) == ("", "")
    assert view.shown["cautions"][:2] == [
        "Shown are the prices: no model had a probability here.",
        "Not traded here are markets chosen before: rain.",
    ]
    view.show(None)
    assert (view.calibration, view.pairs, view.decay) == (None, None, None)


@in_a_notebook
async def test_a_run_without_outcomes_says_what_it_needs() -> None:
    view = await view_of(BacktestResult(record_of([(0, 1000.0)])))
    assert view.shown["empty"].startswith("calibration needs markets that settled")
    assert view.shown["error"] is None


@in_a_notebook
async def test_what_is_no_source_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"source must be a result of .* alone"):
        CalibrationView([0.5])
    with pytest.raises(hz.DataError, match=r"predictions\[0\]"):
        CalibrationView([1.5], [1])
    with pytest.raises(ValueError, match="markets belongs to predictions"):
        CalibrationView(BacktestResult(whole_run()), markets=["x"])
    with pytest.raises(ValueError, match="outcomes belong to predictions"):
        CalibrationView(forecast_pairs(SAID, CAME), CAME)
    view = CalibrationView()
    assert view.shown["empty"] == "Nothing to show yet."
    with pytest.raises(ValueError, match="an argument of show"):
        view.show(SAID, CAME, market=["x"])


# ------------------------------------------------------------------------- files and names
@in_a_notebook
async def test_what_is_shown_is_saved_with_every_digit() -> None:
    view = await view_of(
        [0.1, 1 / 3], [0, 1], markets=["=1+1", "<b>"], times=["2024-01-01", "2024-01-02"]
    )
    files = saved(view)
    for kind in ("csv", "json", "pairs", "html"):
        await do(view, "export", kind=kind)
        await settled(view)
    csv, json_, pairs, html = (content.decode() for _, _, content in files)
    assert [name for name, _, _ in files] == [
        "calibration-Forecasts-bins.csv",
        "calibration-Forecasts-numbers.json",
        "calibration-Forecasts-pairs.csv",
        "calibration-Forecasts.html",
    ]
    assert csv.splitlines()[4].startswith("3,0.3,0.4,0.35,0.3333333333333333,1.0,")
    numbers = json.loads(json_)
    # 0.01 and 4/9 in two.
    assert numbers["calibration"]["brier_score"] == pytest.approx((0.01 + 4 / 9) / 2)
    assert numbers["edge_decay"] is None
    assert pairs.splitlines() == [
        "time_utc,resolved_utc,market,side,price,model,outcome",
        "2024-01-01T00:00:00Z,,'=1+1,,0.1,,0.0",
        "2024-01-02T00:00:00Z,,<b>,,0.3333333333333333,,1.0",
    ]
    assert "<table>" in html


@in_a_notebook
async def test_names_are_shown_for_what_they_are_on_every_tab() -> None:
    said = [0.5, 0.4, 0.3, 0.2, 0.1]
    view = await view_of(said, [1, 0, 1, 0, 1], kind=CalibrationView, markets=HOSTILE)
    view.choose(by="market")
    await settled(view)
    for tab, _ in view.shown["tabs"]:
        await do(view, "tab", id=tab)
        assert_shows_text_as_it_stands(view)
    files = saved(view)
    await do(view, "export", kind="html")
    await settled(view)
    page = files[0][2].decode()
    tables = page[page.index("<caption>In short") :]
    assert "&lt;b&gt;x&lt;/b&gt;" in tables
    assert "A⟨U+202E⟩B" in tables
    assert "<b>x</b>" not in tables
