"""Runs of every kind give what they gave when somebody last decided what they should."""

from __future__ import annotations

import json

import pytest

from tests.backtesting.stored_runs import RUNS, STORED, differences, read, told


@pytest.mark.parametrize("name", RUNS)
def test_stored_run(name: str) -> None:
    found = json.loads(json.dumps(told(RUNS[name]())))

    said = differences(read(name), found)
    assert not said, (
        f"{name}: {'; '.join(said[:8])}. If that is meant: python -m "
        f"tests.backtesting.stored_runs --rewrite {name}"
    )


def test_each_stored_file_has_its_run() -> None:
    assert sorted(path.stem for path in STORED.glob("*.json")) == sorted(RUNS)
    assert len(RUNS) >= 30


def test_stored_runs_are_worth_storing() -> None:
    kept = {name: read(name) for name in RUNS}
    # Each fills; between them they cover refusals, errors, dropped rows and settlements.
    assert all(run["fills"] >= 5 for run in kept.values())
    assert sum(len(run["rejections"]) for run in kept.values()) >= 6
    assert sum(run["settlements"] for run in kept.values()) >= 3
    assert any(run["errors"] for run in kept.values())
    assert any(run["dropped"] for run in kept.values())
    assert len({run["hash"] for run in kept.values()}) == len(kept)


def test_differences_are_seen() -> None:
    kept = read("quotes_at_the_price")

    assert differences(kept, kept) == []
    assert differences(kept, {**kept, "fills": kept["fills"] + 1}) == [
        f"fills was {kept['fills']}, is {kept['fills'] + 1}"
    ]
    metrics = {**kept["metrics"], "total_return": kept["metrics"]["total_return"] + 1e-6}
    assert differences(kept, {**kept, "metrics": metrics})[0].startswith("metrics.total_return")
    assert differences(kept, {k: v for k, v in kept.items() if k != "hash"}) == ["hash is gone"]
