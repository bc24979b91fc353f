"""Decisions in columns, and what became of their orders: against an account made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from horizon.strategies import Decision, Signal, SignalNote
from horizon.strategies.decision_log import DecisionLog
from horizon.strategies.decisions import decisions_of, outcomes_of
from horizon.venues.archive import STATUSES

UP, OUT = Signal.increase("A", edge_bps=10, confidence=0.5, reason="dip"), Signal.flatten("A")


def orders(*rows: tuple[int, float, float, str, str]) -> Any:
    """Orders p1, p2 … as (sign, filled, average, status, reason)."""
    signs, filled, averages, statuses, reasons = zip(*rows, strict=True)
    texts = ("", *dict.fromkeys(reason for reason in reasons if reason))
    return SimpleNamespace(
        signs=np.array(signs, dtype=np.int8),
        filled=np.array(filled),
        averages=np.array(averages),
        statuses=np.array([STATUSES.index(one) for one in statuses], dtype=np.int8),
        reasons=np.array([texts.index(one) for one in reasons], dtype=np.int32),
        reason_texts=texts,
    )


def account(**algos: tuple[str, list[str]]) -> Any:
    """An account that knows some algorithms: status and children."""
    return SimpleNamespace(
        algos={
            name: SimpleNamespace(status=status, children=children)
            for name, (status, children) in algos.items()
        }
    )


def add(log: DecisionLog, done: str, *, quantity: float = 0.0, order: int = 0, **how: Any) -> None:
    log.add(
        5_000_000_000,
        how.get("market", 0),
        how.get("signals", [("s", UP)]),
        50.0,
        10.0,
        0.5,
        how.get("target", 4.0),
        0.0,
        quantity,
        done,
        order,
        how.get("algo"),
    )


def test_a_decision_is_read_back_as_it_was() -> None:
    log = DecisionLog(["A", "B"], ["s", "t"])
    add(log, "ordered", quantity=4.0, order=1, signals=[("t", UP), ("s", OUT)], market=1)
    add(log, "edge too small", target=float("nan"))
    made = decisions_of(log.columns(account()), orders((1, 3.0, 51.0, "partial", "")))
    first = (
        SignalNote("t", "increase", 10.0, 0.5, "dip"),
        SignalNote("s", "flatten", 0.0, 1.0, ""),
    )
    assert made == [
        Decision(
            5.0,
            "B",
            first,
            50.0,
            10.0,
            0.5,
            4.0,
            0.0,
            "ordered",
            ("p1",),
            4.0,
            3.0,
            51.0,
            "partial",
        ),
        Decision(
            5.0,
            "A",
            (SignalNote("s", "increase", 10.0, 0.5, "dip"),),
            50.0,
            10.0,
            0.5,
            None,
            0.0,
            "edge too small",
            (),
            0.0,
            0.0,
            None,
            "",
        ),
    ]
    assert [one.strategies for one in made] == [("t", "s"), ("s",)]


def test_a_log_without_decisions() -> None:
    log = DecisionLog(["A"], ["s"])
    assert len(log) == 0
    assert log.counts() == {}
    assert decisions_of(log.columns(account()), orders((1, 0.0, 0.0, "new", ""))) == []


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("new", "", "new"),
        ("partial", "", "partial"),
        ("filled", "", "filled"),
        ("rejected", "no price: x", "rejected"),
        ("canceled", "", "canceled"),
        ("canceled", "flatten", "canceled"),
        ("canceled", "expired", "expired"),
        ("canceled", "replaced", "replaced"),
        ("canceled", "stale", "stale"),
    ],
    ids=lambda one: one or "none",
)
def test_the_status_of_an_order(status: str, reason: str, expected: str) -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=-4.0, order=2)
    table = orders((1, 9.0, 9.0, "filled", "expired"), (-1, 1.0, 49.0, status, reason))
    (one,) = decisions_of(log.columns(account()), table)
    assert (one.status, one.filled, one.average_price) == (expected, -1.0, 49.0)


def test_the_average_of_one_order_is_its_own_to_the_bit() -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=3.0, order=1)
    (one,) = decisions_of(log.columns(account()), orders((1, 3.0, 0.1, "filled", "")))
    # 3 x 0.1 / 3 is 0.10000000000000002.
    assert one.average_price == 0.1


def test_the_fills_of_a_kept_order_count_where_it_was_sent() -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=4.0, order=1)
    add(log, "kept working", order=1)
    outcomes = outcomes_of(log.columns(account()), orders((1, 4.0, 51.0, "filled", "")))
    assert outcomes.filled.tolist() == [4.0, 0.0]
    assert outcomes.statuses == ["filled", "filled"]


@pytest.mark.parametrize(
    ("own", "stopped", "expected"),
    [
        ("completed", None, "filled"),
        ("expired", None, "expired"),
        ("running", None, "partial"),
        ("paused", None, "partial"),
        ("stopped", None, "canceled"),
        ("stopped", "replaced", "replaced"),
        ("stopped", "stale", "stale"),
    ],
    ids=str,
)
def test_an_algorithm_is_the_sum_of_its_children(
    own: str, stopped: str | None, expected: str
) -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=1.0, order=4)
    add(log, "ordered", quantity=6.0, algo="a1")
    add(log, "at target")
    if stopped is not None:
        log.stopped("a1", stopped)
    table = orders(
        (1, 1.0, 50.0, "filled", ""),
        (1, 2.0, 53.0, "filled", ""),
        (1, 0.0, 0.0, "canceled", "algo expired"),
        (1, 1.0, 40.0, "filled", ""),
    )
    columns = log.columns(account(a1=(own, ["p1", "p2", "p3"])))
    first, second, third = decisions_of(columns, table)
    assert (first.order_ids, first.filled, first.average_price) == (("p4",), 1.0, 40.0)
    assert second.order_ids == ("p1", "p2", "p3")
    # (1 x 50 + 2 x 53) / 3.
    assert (second.filled, second.average_price, second.status) == (3.0, 52.0, expected)
    assert (third.order_ids, third.filled, third.status) == ((), 0.0, "")


def test_an_algorithm_without_children_is_new() -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=6.0, algo="a1")
    columns = log.columns(account(a1=("running", [])))
    (one,) = decisions_of(columns, orders((1, 0.0, 0.0, "new", "")))
    assert (one.order_ids, one.filled, one.status) == ((), 0.0, "new")


def test_what_was_done_is_counted() -> None:
    log = DecisionLog(["A"], ["s"])
    for done in ("at target", "ordered", "at target"):
        add(log, done)
    assert list(log.counts().items()) == [("at target", 2), ("ordered", 1)]


def test_columns_are_copies() -> None:
    log = DecisionLog(["A"], ["s"])
    add(log, "ordered", quantity=4.0, order=1)
    columns = log.columns(account())
    add(log, "ordered", quantity=5.0, order=2)  # a view of the memory would forbid that
    assert (len(columns), len(log)) == (1, 2)


def test_of_very_many_reasons_the_later_ones_share_one() -> None:
    log = DecisionLog(["A"], ["s"])
    for n in range(30_000):
        signal = Signal.flatten("A", reason=f"{n}: because")
        log.add(n, 0, [("s", signal)], 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, "at target")
    texts = log.columns(account()).reason_texts
    assert len(texts) <= 20_001
    assert texts[5] == "4: because"
    assert texts[-1] == "(other)"


def test_a_decision_takes_little_memory() -> None:
    log = DecisionLog(["A"], ["s"])
    for n in range(2_000):
        log.add(n, 0, [("s", UP)], 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, "at target")
    arrays = (log._floats, log._whole, log._codes, log._signal_floats, log._signal_codes)
    # Six floats, three times and numbers, two codes; two floats and three codes for a signal.
    assert sum(one.itemsize * len(one) for one in arrays) == 2_000 * 108
