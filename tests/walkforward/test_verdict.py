"""The words of a verdict: what they show is on the same side of each limit as the figure is."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from horizon.walkforward.evidence import BLIND, LIMIT, SURE
from horizon.walkforward.verdict import Said

#: By how much a figure may lie beside a limit: from what anybody sees to the last digit.
BESIDE = st.builds(
    lambda sign, exponent: sign * 10.0**exponent,
    st.sampled_from([-1.0, 0.0, 1.0]),
    st.floats(min_value=-15.0, max_value=-2.0),
)


def said(kind: str = "edge", **figures: Any) -> Said:
    """What is said of a search of three settings, of which the first is best."""
    known = {
        "n_trials": 3,
        "n_distinct": 3,
        "n_periods": 500,
        "n_tests": 100,
        "sharpes": [2.0, 1.0, 0.5],
        "best_setting": 0,
        "chance": 0.01,
        "needed_sharpe": 1.5,
        "pbo": 0.1,
        "deflated_sharpe": 0.97,
        "expected_maximum": 1.0,
        "degradation": None,
        "chosen_train": 1.0,
        "chosen_test": 0.5,
        "chosen_rank": 0.7,
        "parameters": (),
        "out_of_sample_sharpe": 1.0,
        "out_of_sample_probability": 0.99,
        "reality": None,
    }
    pbo = figures.get("pbo", known["pbo"])
    split = SimpleNamespace(pbo=pbo, n_splits=12_870, probability_of_loss=0.1)
    return Said(
        kind=kind,  # type: ignore[arg-type]
        figures={**known, "cscv": split, **figures},
        settings=({"n": 1}, {"n": 2}, {"n": 3}),
        objective="sharpe_ratio",
        period="day",
        is_annual=True,
        is_complete=True,
    )


def shown(pattern: str, text: str) -> list[float]:
    """The numbers that a sentence shows."""
    found = re.search(pattern, text)
    assert found is not None, (pattern, text)
    return [float(one.replace("\u2212", "-")) for one in found.groups()]


def side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


NUMBER = r"(\u2212?\d+(?:\.\d+)?(?:e[\u2212+]?\d+)?)"


@given(by=BESIDE)
@example(by=-0.0004)  # 0.9496 to three digits is 0.95
@example(by=-1e-15)
@example(by=0.0)
def test_a_probability_is_shown_on_its_side_of_the_usual_one(by: float) -> None:
    value = SURE + by
    text = " ".join(said(deflated_sharpe=value, out_of_sample_probability=value).reasons())
    (deflated, usual) = shown(rf"Deflated Sharpe ratio {NUMBER}: .* \({NUMBER} is usual\)", text)
    assert side(deflated, usual) == side(value, SURE)
    # What is said of it besides agrees as well.
    assert ("and so is strict" in text) == (deflated < usual)
    one = said(out_of_sample_probability=value)
    (share,) = shown(rf"the true one is above 0 is {NUMBER} %", " ".join(one.reasons()))
    assert side(share, 95.0) == side(value, SURE)
    assert ("not yet proven" in one.verdict()) == (share < 95.0)
    proven_from = [text for text in one.changes() if "Longer tests" in text]
    assert len(proven_from) == (share < 95.0)


@given(by=BESIDE)
@example(by=0.0003)  # 4.03 % to one place is 4 %
def test_chance_is_shown_on_its_side_of_what_is_noise(by: float) -> None:
    value = LIMIT + by
    text = " ".join(said("noise" if value > LIMIT else "edge", chance=value).reasons())
    share, limit = shown(rf"as much in {NUMBER} % of cases; more than {NUMBER} % is called", text)
    assert side(share, limit) == side(value, LIMIT)


@given(by=BESIDE)
def test_overfitting_is_shown_on_its_side_of_choosing_blindly(by: float) -> None:
    value = BLIND + by
    one = said("fragile" if value >= BLIND else "edge", pbo=value, chosen_rank=value)
    text = " ".join(one.reasons())
    pbo, share, blind = shown(
        rf"overfitting {NUMBER}: in {NUMBER} % of .* \({NUMBER} is choosing blindly\)", text
    )
    assert side(pbo, blind) == side(share, 50.0) == side(value, BLIND)
    rank, half = shown(rf"beat {NUMBER} % of the other settings \({NUMBER} %", text)
    assert side(rank, half) == side(value, BLIND)


@given(
    needed=st.floats(min_value=1e-3, max_value=30.0),
    by=BESIDE,
    kind=st.sampled_from(["edge", "noise"]),
)
@example(needed=1.6699, by=0.0001, kind="edge")
def test_the_best_ratio_is_told_apart_from_the_one_that_is_needed(
    needed: float, by: float, kind: str
) -> None:
    best = needed * (1.0 + by)
    one = said(kind, sharpes=[best, 0.0, 0.0], needed_sharpe=needed)
    (told,) = shown(rf"The best annual Sharpe ratio is {NUMBER} ", " ".join(one.reasons()))
    (limit,) = shown(rf"A best annual Sharpe ratio (?:of|above) {NUMBER} ", " ".join(one.changes()))
    assert side(told, limit) == side(best, needed)


def test_figures_away_from_a_limit_keep_three_digits() -> None:
    text = " ".join(said(chance=0.0123456, deflated_sharpe=0.81149, pbo=0.0312345).reasons())
    assert "as much in 1.2 % of cases" in text
    assert "Deflated Sharpe ratio 0.811:" in text
    assert "overfitting 0.0312: in 3.1 % of 12,870 splits" in text
    assert "is choosing blindly), and in 10 % it lost there" in text


@pytest.mark.parametrize("figure", ["chance", "out_of_sample_probability"])
def test_what_is_not_known_is_no_number(figure: str) -> None:
    text = " ".join(said(**{figure: math.nan}).reasons())
    assert "nan" not in text
