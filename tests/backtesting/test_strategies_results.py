"""What a run with strategies leaves: decisions as records, as a table, saved and read again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.errors import DataError
from horizon.strategies import (
    Decision,
    FixedNotional,
    Kelly,
    Signal,
    SignalExecution,
    SignalNote,
    Zscore,
    strategy,
)
from horizon.types import Urgency

#: Saved by the release that had no strategies yet.
BEFORE = Path(__file__).parent / "saved" / "before_strategies"
HOSTILE = ("=1+1", "<script>alert(1)</script>", "a,b;c", 'say "hi"', "😀 rain")


class Units:
    """A sizer of tests: so many units of the view's direction."""

    def target(self, view: Any, account: Any) -> float:
        return 10.0 * view.sign


@strategy(features={"z": Zscore(3)}, name="left")
def left(f: Any, universe: Any, ctx: Any) -> list[Signal]:
    if ctx.timestamp == 0.0:
        return [Signal.increase("A", edge_bps=30, confidence=0.5, reason="a dip")]
    if ctx.timestamp == 2.0:
        return [Signal.flatten("A")]
    return [Signal.increase("B", edge_bps=5)] if ctx.timestamp == 3.0 else []


@strategy(name="right")
def right(f: Any, universe: Any, ctx: Any) -> list[Signal]:
    if ctx.timestamp == 0.0:
        return [Signal.decrease("A", edge_bps=15, confidence=0.25, reason="a top")]
    return []


DATA = {
    market: pd.DataFrame({"timestamp": np.arange(5.0), "price": path})
    for market, path in {
        "A": [100.0, 101.0, 102.0, 103.0, 104.0],
        "B": [50.0, 50.0, 50.0, 50.0, 49.0],
    }.items()
}


def made(**how: Any) -> Any:
    given = {"strategies": [left, right], "initial_capital": 5_000.0, "paper_fee_rate": 0.0, **how}
    return hz.backtest(data=DATA, sizer=Units(), **given)


def worked_twap() -> Any:
    """A run of one decision that is worked in four slices, of which three fill."""

    @strategy
    def once(f: Any, universe: Any, ctx: Any) -> list[Signal]:
        return [Signal.increase("A", edge_bps=30)] if ctx.timestamp == 0.0 else []

    path = [100.0, 100.0, 99.0, 98.0, 120.0, 120.0, 120.0]
    return hz.backtest(
        data={"A": pd.DataFrame({"timestamp": np.arange(7.0), "price": path})},
        strategies=[once],
        sizer=FixedNotional(800.0),
        execution=SignalExecution(
            urgency=Urgency.Patient, patient="twap", twap_secs=4, twap_slices=4
        ),
        paper_fee_rate=0.0,
    )


# ---------------------------------------------------------------------------- records
def test_a_decision_says_all_of_it() -> None:
    # Edge (0.5 x 30 - 0.25 x 15) / 0.75 = 15; confidence 0.375.
    first = made().decisions[0]
    assert first == Decision(
        timestamp=0.0,
        market_id="A",
        signals=(
            SignalNote("left", "increase", 30.0, 0.5, "a dip"),
            SignalNote("right", "decrease", 15.0, 0.25, "a top"),
        ),
        price=100.0,
        edge_bps=15.0,
        confidence=0.375,
        target=10.0,
        current=0.0,
        done="ordered",
        order_ids=("p1",),
        quantity=10.0,
        filled=10.0,
        average_price=101.0,
        status="filled",
    )
    assert first.strategies == ("left", "right")


def test_lists_are_the_callers_own() -> None:
    result = made()
    result.decisions.clear()
    assert len(result.decisions) == 3


def test_a_decision_shows_itself() -> None:
    shown = made().decisions[0]._repr_html_()
    assert "<caption>Decision</caption>" in shown
    assert "a dip" in shown


def test_a_twap_is_one_decision_with_its_children() -> None:
    result = worked_twap()
    (one,) = result.decisions
    # Slices of 2 at 100, 99, 98 and 120, from the row at 1 on: filled at 2 and 3; the third rests
    # below the market until its time is over, the fourth fills at 5.
    assert one.order_ids == ("p1", "p2", "p3", "p4")
    assert [(f.price, f.size) for f in result.fills] == [
        (100.0, 2.0),
        (99.0, 2.0),
        (120.0, 2.0),
    ]
    assert (one.quantity, one.filled, one.status) == (8.0, 6.0, "expired")
    assert one.average_price == pytest.approx(319.0 / 3.0)


# ---------------------------------------------------------------------------- the table
def test_the_table_of_decisions() -> None:
    frame = made().decisions_frame()
    assert frame["market_id"].tolist() == ["A", "A", "B"]
    assert frame["timestamp"].tolist() == [
        pd.Timestamp(seconds, unit="s", tz="UTC") for seconds in (0, 2, 3)
    ]
    assert frame["strategy"].tolist() == ["left + right", "left", "left"]
    assert frame["action"].tolist() == ["increase + decrease", "flatten", "increase"]
    assert frame["reason"].tolist() == ["a dip; a top", "", ""]
    assert frame["edge_bps"].tolist() == [15.0, 0.0, 5.0]
    assert frame["target"].tolist() == [10.0, 0.0, 10.0]
    assert frame["current"].tolist() == [0.0, 10.0, 0.0]
    assert frame["quantity"].tolist() == [10.0, -10.0, 10.0]
    assert frame["filled"].tolist() == [10.0, -10.0, 10.0]
    assert frame["average_price"].tolist() == [101.0, 103.0, 49.0]
    assert frame["status"].tolist() == ["filled"] * 3
    assert frame["order_id"].tolist() == ["p1", "p2", "p3"]


def test_the_table_and_the_records_agree() -> None:
    for result in (made(), worked_twap(), made(execution=SignalExecution(long_only=True))):
        frame = result.decisions_frame()
        for row, one in zip(frame.itertuples(), result.decisions, strict=True):
            assert row.timestamp.timestamp() == one.timestamp
            assert row.strategy == " + ".join(note.strategy for note in one.signals)
            for name in ("market_id", "done", "status", "price", "confidence", "quantity"):
                assert getattr(row, name) == getattr(one, name)
            assert row.order_id == " ".join(one.order_ids)


@pytest.mark.parametrize("what", ["a pipeline alone", "strategies that say nothing"])
def test_nothing_decided_is_an_empty_table(what: str) -> None:
    how: dict[str, Any] = {"pipeline": [lambda ctx: None]}
    if what != "a pipeline alone":
        how = {"strategies": [strategy(lambda f, universe: [])]}
    result = hz.backtest(data=DATA, **how)
    frame, full = result.decisions_frame(), made().decisions_frame()
    assert (result.decisions, len(frame)) == ([], 0)
    assert frame.columns.tolist() == full.columns.tolist()
    assert frame.dtypes.tolist() == full.dtypes.tolist()


# ---------------------------------------------------------------------------- remarks
def test_a_run_without_a_signal_says_so() -> None:
    silent = strategy(features={"z": Zscore(250)})(lambda f, universe: [])
    result = hz.backtest(data=DATA, strategies=[silent])
    assert result.record.remarks == (
        "The strategies gave no signal; their features need 250 rows.",
    )
    assert "gave no signal" in result.summary()


def test_a_run_without_an_order_says_why_there_is_none() -> None:
    result = made(execution=SignalExecution(min_edge_bps=20.0))
    # Of three decisions two have too small an edge; to flatten there is nothing.
    assert [one.done for one in result.decisions] == [
        "edge too small",
        "at target",
        "edge too small",
    ]
    assert result.record.remarks == (
        "No decision came to an order; most often: edge too small (2 of 3 decisions).",
    )
    assert made().record.remarks == ()


def test_a_strategy_without_a_market_is_named() -> None:
    coins = strategy(asset_classes=[hz.Crypto], name="coins")(lambda f, universe: [])
    idle = "Strategy 'coins' had no market: the run has none that is eligible for it."
    assert hz.backtest(data=DATA, strategies=[coins]).record.remarks == (idle,)
    assert idle in made(strategies=[left, right, coins]).record.remarks


def test_a_run_whose_every_order_is_refused_says_so() -> None:
    result = made(initial_capital=100.0)
    assert {one.done for one in result.decisions} == {"refused: buying power", "at target"}
    assert (
        "Every order of the strategies was refused, by buying power (2)." in result.record.remarks
    )
    assert "Every order of the strategies was refused" in result.summary()
    limited = made(risk=hz.RiskConfig(max_order_size=1.0))
    assert (
        "Every order of the strategies was refused, by max_order_size (2)."
        in limited.record.remarks
    )


# ---------------------------------------------------------------------------- what was asked
def test_the_run_remembers_its_arguments() -> None:
    config = made(execution=SignalExecution(ttl=5)).config
    assert config["strategies"] == ("<Strategy left: z=Zscore(3)>", "<Strategy right>")
    assert config["pipeline"] == ()
    assert config["sizer"].endswith("Units")
    assert config["execution"]["ttl"] == 5.0
    kelly = hz.backtest(data=DATA, strategies=[left], sizer=Kelly(0.5), on_error="skip")
    assert kelly.config["sizer"] == "Kelly(fraction=0.5, max_weight=0.95)"


def test_without_strategies_the_run_says_nothing_of_them() -> None:
    config = hz.backtest(data=DATA, pipeline=[lambda ctx: None]).config
    assert not {"strategies", "sizer", "execution"} & set(config)


# ---------------------------------------------------------------------------- saved
pq = pytest.importorskip("pyarrow.parquet")


@pytest.mark.parametrize("make", [made, worked_twap], ids=["orders", "twap"])
def test_decisions_are_saved_and_read_again(make: Callable[[], Any], tmp_path: Path) -> None:
    result = make()
    again = hz.load_result(result.save(tmp_path / "run"))
    assert again.decisions == result.decisions
    assert again.metrics == result.metrics
    mine, other = result.record.decisions, again.record.decisions
    for each in fields(mine):
        one, two = getattr(mine, each.name), getattr(other, each.name)
        if isinstance(one, np.ndarray):
            assert (one.dtype, one.tobytes()) == (two.dtype, two.tobytes()), each.name
        else:
            assert one == two, each.name
    # And once more: the same files.
    path = again.save(tmp_path / "again")
    for name in ("decisions", "signals", "decision_orders", "orders"):
        file = f"{name}.parquet"
        assert (path / file).read_bytes() == (tmp_path / "run" / file).read_bytes()


def test_names_and_reasons_of_any_kind_survive(tmp_path: Path) -> None:
    made_of = [
        strategy(lambda f, u, word=word: [Signal.flatten("A", reason=word)], name=f"s {word}")
        for word in HOSTILE
    ]
    result = hz.backtest(data=DATA, strategies=made_of)
    again = hz.load_result(result.save(tmp_path / "run"))
    assert again.decisions == result.decisions
    assert [note.reason for note in again.decisions[0].signals] == list(HOSTILE)
    assert "<script>" not in again.decisions[0]._repr_html_()


def test_a_run_with_strategies_that_decided_nothing_is_saved_too(tmp_path: Path) -> None:
    result = hz.backtest(data=DATA, strategies=[strategy(lambda f, universe: [])])
    again = hz.load_result(result.save(tmp_path / "run"))
    assert again.decisions == []
    assert again.record.decisions is not None


def test_a_result_with_decisions_can_be_saved_over(tmp_path: Path) -> None:
    path = made().save(tmp_path / "run")
    plain = hz.backtest(data=DATA, pipeline=[lambda ctx: None])
    plain.save(path, overwrite=True)
    assert hz.load_result(path).decisions == []
    assert not (path / "decisions.parquet").exists()
    assert len(hz.load_result(made().save(path, overwrite=True)).decisions) == 3


def test_results_of_before_there_were_strategies_are_read(tmp_path: Path) -> None:
    old = hz.load_result(BEFORE)
    # Quotes of ten, a cent either side of 0.50, 0.52, 0.48, 0.55, 0.60; settled at 1: sold at
    # 0.51, bought at 0.51, sold at 0.49 and 0.56. 10 x (0.51 - 0.51 + 0.49 + 0.56) - 20, less
    # fees of a thousandth of 20.7.
    assert old.equity_curve[-1][1] == pytest.approx(1_000.0 + 10.5 - 20.0 - 0.0207)
    assert (len(old.fills), old.decisions, len(old.decisions_frame())) == (4, [], 0)
    # Written again it is what it was.
    path = old.save(tmp_path / "again")
    assert sorted(each.name for each in path.iterdir()) == sorted(
        each.name for each in BEFORE.iterdir()
    )
    assert (
        json.loads((path / "result.json").read_text())["run"]
        == json.loads((BEFORE / "result.json").read_text())["run"]
    )


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the facts of a saved result, with sums that are right again."""
    body = json.loads((path / "result.json").read_text())
    change(body)
    body.pop("checksum")
    for name in body["tables"]:
        if (path / name).exists():
            body["tables"][name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    body["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (path / "result.json").write_text(json.dumps(body))


def with_column(path: Path, table: str, name: str, values: list[Any]) -> None:
    """Put other values into a column of a saved table."""
    import pyarrow as pa

    read = pq.read_table(path / table)
    place = read.column_names.index(name)
    column = pa.array(values, type=read.schema.field(name).type)
    pq.write_table(read.set_column(place, name, column), path / table)


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("decisions", "first_signal", [0, 3, 2], "does not fit its signals"),
        ("decisions", "first_signal", [1, 2, 3], "does not fit its signals"),
        ("decisions", "first_order", [0, 1, 9], "does not fit its orders"),
        ("decision_orders", "order_number", [1, 2, 9], "names orders that orders.parquet"),
        ("decision_orders", "order_number", [0, 1, 2], "names orders that orders.parquet"),
    ],
    ids=["falling", "late", "beyond", "unknown", "zero"],
)
def test_decisions_that_do_not_fit_together_are_refused(
    table: str, column: str, values: list[int], message: str, tmp_path: Path
) -> None:
    path = made().save(tmp_path / "run")
    with_column(path, f"{table}.parquet", column, values)
    with pytest.raises(DataError, match="was changed after it was saved"):
        hz.load_result(path)
    rewritten(path, lambda body: None)
    with pytest.raises(DataError, match=message):
        hz.load_result(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["run"].pop("decisions"),
        lambda body: body["run"].update(decisions=None),
        lambda body: body["run"]["decisions"].pop("done_texts"),
        lambda body: body["run"]["decisions"].update(done_texts=[]),
        lambda body: body["tables"].pop("signals.parquet"),
    ],
    ids=["gone", "none", "a word list gone", "words gone", "a table gone"],
)
def test_facts_of_decisions_that_do_not_fit_are_refused(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    path = made().save(tmp_path / "run")
    rewritten(path, change)
    with pytest.raises(DataError):
        hz.load_result(path)


def test_what_there_is_not_is_none_in_records_and_nan_in_the_table() -> None:
    result = made(execution=SignalExecution(min_edge_bps=10.0, urgency=Urgency.Passive))
    # The last edge, of 5, is too small, and so nobody was asked for a target.
    last = result.decisions[-1]
    assert (last.done, last.target, last.average_price) == ("edge too small", None, None)
    row = result.decisions_frame().iloc[-1]
    assert math.isnan(row["target"])
    assert math.isnan(row["average_price"])
    # So that two runs can be compared.
    assert made(execution=SignalExecution(min_edge_bps=10.0)).decisions == (
        made(execution=SignalExecution(min_edge_bps=10.0)).decisions
    )
