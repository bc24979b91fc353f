"""Signals: what they hold, and what they refuse."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from typing import Any

import pytest

from horizon.instruments import Equity, Market
from horizon.strategies.signals import Signal
from horizon.types import Urgency

FULL: dict[str, Any] = {
    "confidence": 0.5,
    "expected_vol_bps": 80,
    "horizon": timedelta(hours=2),
    "urgency": Urgency.Passive,
    "ttl": timedelta(seconds=90),
    "reason": "far below its mean",
}


def test_increase_wants_to_be_long() -> None:
    signal = Signal.increase(Market("AAPL", Equity), edge_bps=30, **FULL)
    assert signal == Signal(
        market="AAPL",
        action="increase",
        edge_bps=30.0,
        confidence=0.5,
        expected_vol_bps=80.0,
        horizon=7_200.0,
        urgency=Urgency.Passive,
        ttl=90.0,
        reason="far below its mean",
    )
    assert (signal.sign, signal.signed_edge_bps) == (1, 30.0)
    assert [type(getattr(signal, name)) for name in ("edge_bps", "horizon", "ttl")] == [float] * 3


def test_decrease_wants_to_be_short_and_flatten_nothing() -> None:
    short = Signal.decrease("AAPL", edge_bps=30, **FULL)
    assert (short.action, short.sign, short.signed_edge_bps) == ("decrease", -1, -30.0)
    assert replace(short, action="increase") == Signal.increase("AAPL", edge_bps=30, **FULL)
    flat = Signal.flatten("AAPL", **FULL)
    assert (flat.action, flat.sign, flat.edge_bps, flat.signed_edge_bps) == ("flatten", 0, 0.0, 0.0)
    assert replace(flat, action="increase", edge_bps=30.0) == replace(short, action="increase")


def test_what_is_left_out_is_left_to_the_run() -> None:
    signal = Signal.flatten("AAPL")
    assert (signal.confidence, signal.reason) == (1.0, "")
    left = (signal.expected_vol_bps, signal.horizon, signal.urgency, signal.ttl)
    assert left == (None, None, None, None)


def test_spellings_of_an_option_are_one_market() -> None:
    padded = "AAPL  250117C00180000"
    assert Signal.increase(padded, edge_bps=5).market == "AAPL250117C00180000"


def test_signal_does_not_change_and_travels() -> None:
    signal = Signal.increase("AAPL", edge_bps=30, **FULL)
    with pytest.raises(FrozenInstanceError):
        signal.edge_bps = 5.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(signal)) == signal == copy.deepcopy(signal)
    assert hash(signal) == hash(copy.copy(signal))
    assert not hasattr(signal, "__dict__")


def test_notebook_shows_a_hostile_reason_as_text() -> None:
    shown = Signal.flatten("<b>", reason="<script>")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;b&gt;" in shown


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"edge_bps": 0}, "edge_bps must be above 0, was 0.0: .* increase expects"),
        ({"edge_bps": -5}, "edge_bps must be above 0, was -5.0.*use Signal.decrease"),
        ({"edge_bps": math.nan}, "edge_bps must be a finite number, was nan"),
        ({"edge_bps": True}, "edge_bps must be a number, was True"),
        ({"edge_bps": "30"}, "edge_bps must be a number, was '30'"),
        ({"confidence": 0}, "confidence must lie above 0, up to 1, was 0.0"),
        ({"confidence": 1.01}, "confidence must lie above 0, up to 1, was 1.01"),
        ({"confidence": math.nan}, "confidence must be a finite number, was nan"),
        ({"expected_vol_bps": 0}, "expected_vol_bps must be above 0, was 0"),
        ({"expected_vol_bps": -1}, "expected_vol_bps must be above 0, was -1"),
        ({"horizon": 0}, "horizon must be above 0, was 0"),
        ({"horizon": timedelta(0)}, "horizon must be above 0, was 0.0"),
        ({"horizon": "1h"}, "horizon must be a number, was '1h'"),
        ({"horizon": math.inf}, "horizon must be a finite number, was inf"),
        ({"ttl": -3}, "ttl must be above 0, was -3"),
        ({"ttl": timedelta(days=-1)}, "ttl must be above 0, was -86400.0"),
        ({"urgency": "passive"}, "urgency must be an Urgency or None, was 'passive'"),
        ({"reason": 3}, "reason must be text, was 3"),
        ({"reason": "a\nb"}, "reason must not contain control characters"),
        ({"edge": 3}, "unexpected keyword argument 'edge'"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(map(str, *value.items())),
)
def test_wrong_fields_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        Signal.increase("AAPL", **({"edge_bps": 30} | fields))


@pytest.mark.parametrize("market", [None, 3, "", " AAPL", "a\0b"], ids=repr)
def test_wrong_markets_are_refused(market: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="market must"):
        Signal.flatten(market)


def test_the_class_itself_checks_the_action_and_its_edge() -> None:
    with pytest.raises(ValueError, match=r"action must be one of 'increase', 'decrease'.*Did you"):
        Signal("AAPL", "increased", 5.0)
    with pytest.raises(TypeError, match=r"action must be one of .* was \['increase'\]"):
        Signal("AAPL", ["increase"], 5.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"edge_bps must be 0 for a flatten, .* was 5.0"):
        Signal("AAPL", "flatten", 5.0)
    with pytest.raises(ValueError, match=r"use Signal\.increase"):
        Signal("AAPL", "decrease", -5.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'edge_bps'"):
        Signal.flatten("AAPL", edge_bps=5.0)  # type: ignore[call-arg]


def test_an_edge_of_a_feature_without_a_value_says_what_to_wait_for() -> None:
    with pytest.raises(
        ValueError, match="in a signal on 'AAPL': a feature is NaN until its window"
    ):
        Signal.increase("AAPL", edge_bps=float("nan"))
