"""Results saved and read again: bit for bit, or refused."""

from __future__ import annotations

import hashlib
import json
import math
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from horizon.backtesting import result_saving
from horizon.backtesting.record import Replayed, RunRecord
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_files import load_result
from horizon.errors import DataError
from horizon.instruments import Equity, Market, Option, Perp, Prediction
from horizon.types import Position, Side
from horizon.venues.history import FillColumns, OrderColumns
from tests.backtesting.made import record_of, whole_run

pq = pytest.importorskip("pyarrow.parquet")

TABLES = ("equity.parquet", "fills.parquet", "orders.parquet", "settlements.parquet")
FILES = ("result.json", *TABLES)
#: Names that something on the way might take for its own.
HOSTILE = (
    "=1+1",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "$float",
    "a,b;c",
    'say "hi"',
    "back\\slash",
    "\u202egnp",
    "😀 rain",
    "null",
    "x" * 256,
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the bit: NaN is NaN, 0.0 is not −0.0, 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes())
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (FillColumns, OrderColumns, RunRecord, Market, Position)):
        names = [each.name for each in fields(one) if each.name != "replayed"]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)


@pytest.fixture
def result() -> BacktestResult:
    return BacktestResult(whole_run())


def saved(result: BacktestResult, tmp_path: Path) -> Path:
    return result.save(tmp_path / "run")


# ------------------------------------------------------------------------ round trips
def test_a_result_comes_back_bit_for_bit(result: BacktestResult, tmp_path: Path) -> None:
    path = saved(result, tmp_path)
    assert sorted(each.name for each in path.iterdir()) == sorted(FILES)
    again = load_result(path)
    assert same(result.record, again.record)
    assert again.metrics == result.metrics
    assert again.fills == result.fills
    assert again.summary() == result.summary()
    assert again.pnl_by_market() == result.pnl_by_market()
    assert again.settlements == result.settlements
    assert again.config == result.config


def test_every_part_of_a_record_is_saved(result: BacktestResult, tmp_path: Path) -> None:
    # Each field with a value that differs from the default of its kind.
    record = replace(
        result.record,
        markets=(
            Market("rain", Prediction, tick_size=0.01, lot_size=5.0),
            Market("ACME", Equity, multiplier=3.5),
            Market("AAPL250117C00180000", Option),
            Market("spread", Option, strike=12.5, expiry=date(2030, 1, 31), right="put"),
            Market("BTC-PERP", Perp),
        ),
        market_feeds={"rain": "a", "ACME": "b"},
        rejections={"max_order_size": 3, "price_bounds": 2**60},
        errors={"model": 2},
        error_texts=("first\nsecond", "‹other›"),
        dropped={"a": {"price": 2}, "b": {}},
        config={
            "rate": 0.1,
            "none": None,
            "flag": True,
            "list": [1, 1.0, [], {}],
            "deep": {"a": 1},
        },
        engine="compiled: every stage",
        currency="EUR",
        periods_per_year=252.0,
        outcomes={"rain": 0.25},
        positions=(Position("rain", Side.No, -0.1, 0.30000000000000004, 1e-300, -0.0),),
    )
    again = load_result(BacktestResult(record).save(tmp_path / "run")).record
    for each in fields(RunRecord):
        if each.name != "replayed":
            assert same(getattr(record, each.name), getattr(again, each.name)), each.name


def test_what_was_replayed_is_not_saved(result: BacktestResult, tmp_path: Path) -> None:
    replayed = Replayed(None, {}, (), "price", "cross", 0.0, None, None, None, 0)
    full = BacktestResult(replace(result.record, replayed=replayed))
    assert load_result(saved(full, tmp_path)).record.replayed is None


def test_numbers_that_json_and_tables_lose_come_back(tmp_path: Path) -> None:
    odd = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    signalling = np.array([0x7FF8DEADBEEF0001], dtype=np.uint64).view(np.float64)
    record = record_of(
        [(0, 1000.0)],
        [(1, "rain", 1, 1.0, 0.5, 0.0, 0.0, 0.0, True)] * 8,
        [{"price": 0.5}] * 2,
        config={"odd": odd, "$float": "nan", "$x": {"$float": "inf", "$$y": 1}, "2": 2},
        fair_values=np.concatenate([odd, signalling]),
        outcomes={"rain": 1.0},
        settlements=(("rain", -0.1, 1e-300, -0.0, 2**62),),
    )
    again = load_result(BacktestResult(record).save(tmp_path / "run")).record
    assert same(record, again)
    text = (tmp_path / "run" / "result.json").read_text()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_metrics_without_bounds_come_back(tmp_path: Path) -> None:
    # One closing, a win: the profit factor is infinite. CAGR of a second overflows.
    fills = [
        (1, "rain", 1, 1.0, 0.5, 0.0, 0.0, 0.0, True),
        (2, "rain", -1, 1.0, 0.75, 0.0, 0.25, 1.0, True),
    ]
    result = BacktestResult(record_of([(0, 1000.0), (1, 1400.0)], fills, [{"price": 0.5}] * 2))
    assert result.metrics.profit_factor == math.inf
    assert result.metrics.cagr == math.inf
    assert load_result(saved(result, tmp_path)).metrics == result.metrics


def test_hostile_names_come_back_as_they_are(tmp_path: Path) -> None:
    legs = tuple(leg for name in HOSTILE for leg in (name, f"{name}:no"))
    fills = [(k + 1, leg, 1, 1.0, 0.5, 0.0, 0.0, float(k), True) for k, leg in enumerate(legs)]
    orders = [{"leg": leg, "price": 0.5, "reason": leg, "intent": leg} for leg in legs]
    record = record_of(
        [(0, 1000.0)],
        fills,
        orders,
        leg_ids=legs,
        name=HOSTILE[1],
        outcomes=dict.fromkeys(HOSTILE, 1.0),
        config={name: name for name in HOSTILE},
    )
    again = load_result(BacktestResult(record).save(tmp_path / "run"))
    assert same(record, again.record)
    assert [fill.market_id for fill in again.fills] == [n for n in HOSTILE for _ in "yn"]


def test_an_empty_run_comes_back(tmp_path: Path) -> None:
    record = record_of([(0, 1000.0)], leg_ids=())
    assert same(record, load_result(BacktestResult(record).save(tmp_path / "run")).record)


def test_tables_can_be_read_by_anything(result: BacktestResult, tmp_path: Path) -> None:
    table = pq.read_table(saved(result, tmp_path) / "orders.parquet")
    assert table["ended"].null_count == 1
    orders = table.to_pandas()
    assert orders["market_id"].tolist()[:3] == ["rain", "rain:no", "ACME"]
    assert orders["side"].tolist()[3] == "sell"
    assert orders["status"].tolist()[4] == "canceled"
    assert orders["ended"].isna().tolist() == [False] * 6 + [True]
    assert str(orders["submitted"].dt.tz) == "UTC"


def test_equal_runs_are_saved_as_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        BacktestResult(whole_run()).save(tmp_path / name)
    for file in FILES:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_loaded_result_can_be_saved_again(result: BacktestResult, tmp_path: Path) -> None:
    path = saved(result, tmp_path)
    again = load_result(path).save(tmp_path / "again")
    for file in FILES:
        assert (path / file).read_bytes() == (again / file).read_bytes()


# ------------------------------------------------------------------------ where it is saved
def test_save_takes_text_and_an_empty_folder(result: BacktestResult, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert result.save(str(folder)) == folder
    assert load_result(str(folder)).name == "by hand"
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]


def test_save_replaces_a_result_only_when_told(result: BacktestResult, tmp_path: Path) -> None:
    path = saved(result, tmp_path)
    other = BacktestResult(replace(result.record, name="other"))
    with pytest.raises(FileExistsError, match="overwrite=True replaces it"):
        other.save(path)
    assert load_result(path).name == "by hand"
    other.save(path, overwrite=True)
    assert load_result(path).name == "other"
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


def test_save_never_replaces_what_is_no_result(result: BacktestResult, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="never replaced"):
        result.save(folder, overwrite=True)
    # A result into which somebody has put a file of his own.
    path = saved(result, tmp_path)
    (path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="never replaced"):
        result.save(path, overwrite=True)
    # Files that are called like ours.
    for name in FILES:
        (tmp_path / "like").mkdir(exist_ok=True)
        (tmp_path / "like" / name).write_text("{}")
    with pytest.raises(FileExistsError, match="never replaced"):
        result.save(tmp_path / "like", overwrite=True)
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(FileExistsError, match="is a file"):
        result.save(file, overwrite=True)
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_save_names_a_path_that_cannot_be(result: BacktestResult, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must lie in a folder that exists"):
        result.save(tmp_path / "no" / "run")
    with pytest.raises(TypeError, match="path must be a path"):
        result.save(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="overwrite must be True or False"):
        result.save(tmp_path / "run", overwrite="yes")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="path must be a path"):
        load_result(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["full", "stop"])
def test_a_save_that_fails_leaves_what_was_there(
    result: BacktestResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    path = saved(result, tmp_path)
    replace_ = os.replace

    def failing(source: Any, target: Any) -> None:
        if Path(source).name == "result":
            raise error
        replace_(source, target)

    monkeypatch.setattr(result_saving.os, "replace", failing)
    other = BacktestResult(replace(result.record, name="other"))
    with pytest.raises(type(error)):
        other.save(path, overwrite=True)
    assert load_result(path).name == "by hand"
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


# ------------------------------------------------------------------------ damage
def test_nothing_there_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="folder of a saved result"):
        load_result(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileNotFoundError, match="folder of a saved result"):
        load_result(tmp_path / "file")
    with pytest.raises(DataError, match=r"no saved result: it has no result\.json"):
        load_result(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_anywhere_is_noticed(
    result: BacktestResult, tmp_path: Path, file: str
) -> None:
    path = saved(result, tmp_path)
    whole = (path / file).read_bytes()
    for at in np.linspace(0, len(whole) - 1, 60).astype(int).tolist():
        torn = bytearray(whole)
        torn[at] ^= 1
        (path / file).write_bytes(bytes(torn))
        if file == "result.json" and same_json(whole, bytes(torn)):
            continue  # a blank between two values, which is no part of what is said
        with pytest.raises(DataError):
            load_result(path)


def same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


@pytest.mark.parametrize("file", FILES)
def test_a_cut_or_missing_file_is_noticed(
    result: BacktestResult, tmp_path: Path, file: str
) -> None:
    path = saved(result, tmp_path)
    whole = (path / file).read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        (path / file).write_bytes(whole[:length])
        with pytest.raises(DataError, match="is damaged"):
            load_result(path)
    (path / file).unlink()
    with pytest.raises(DataError):
        load_result(path)


def test_tables_of_another_run_are_noticed(result: BacktestResult, tmp_path: Path) -> None:
    path = saved(result, tmp_path)
    other = BacktestResult(record_of([(0, 1000.0), (1, 2000.0)])).save(tmp_path / "other")
    shutil.copy(other / "equity.parquet", path / "equity.parquet")
    with pytest.raises(DataError, match=r"equity\.parquet was changed after it was saved"):
        load_result(path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        '{"format": "other"}',
        "not json",
        '{"format": "horizon backtest result", "version": NaN}',
        "[" * 100_000,
        '{"a": ' * 5000,
    ],
    ids=["list", "null", "nothing", "other", "text", "nan", "deep list", "deep dict"],
)
def test_facts_of_another_kind_are_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(DataError, match=r"no saved result|is damaged"):
        load_result(tmp_path)


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in FILES:
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError):
        load_result(tmp_path)
    assert not (tmp_path / "sprung").exists()


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the facts of a result, with a checksum that is right again."""
    body = json.loads((path / "result.json").read_text())
    change(body)
    del body["checksum"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    body["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (path / "result.json").write_text(json.dumps(body))


def test_a_later_version_is_named(result: BacktestResult, tmp_path: Path) -> None:
    path = saved(result, tmp_path)
    rewritten(path, lambda body: body.update(version=2))
    with pytest.raises(DataError, match="has the format version 2, this Horizon reads version 1"):
        load_result(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.pop("name"),
        lambda run: run.update(order_legs=["rain"]),
        lambda run: run.update(reasons=[]),
        lambda run: run.update(fill_legs=3),
        lambda run: run.update(fill_legs=[1, 2, 3]),
        lambda run: run["markets"][0].update(asset_class="Bond"),
        lambda run: run["markets"][0].update(id=""),
        lambda run: run["positions"][0].pop("size"),
        lambda run: run["positions"][0].update(side="both"),
        lambda run: run.update(initial_capital={"$float": [1]}),
        lambda run: run.update(initial_capital="much"),
        lambda run: run.update(config=None),
        lambda run: run.update(outcomes=[1]),
        lambda run: run.update(unknown=1),
    ],
    ids=[
        "no name",
        "missing leg",
        "missing reason",
        "legs a number",
        "legs numbers",
        "unknown class",
        "empty id",
        "no size",
        "unknown side",
        "odd number",
        "capital text",
        "config none",
        "outcomes a list",
        "something more",
    ],
)
def test_facts_that_cannot_be_are_refused_though_their_checksum_is_right(
    result: BacktestResult, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    path = saved(result, tmp_path)
    rewritten(path, lambda body: change(body["run"]))
    with pytest.raises(DataError, match="does not fit together"):
        load_result(path)


@pytest.mark.parametrize("version", [None, 0, 3, "1", 1.0, True, []], ids=repr)
def test_a_version_is_the_number_one(
    result: BacktestResult, tmp_path: Path, version: object
) -> None:
    path = saved(result, tmp_path)
    rewritten(path, lambda body: body.update(version=version))
    with pytest.raises(DataError, match="has the format version"):
        load_result(path)


def retabled(path: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a table of a result, with checksums that are right again."""
    pq.write_table(change(pq.read_table(path / name)), path / name)
    found = hashlib.sha256((path / name).read_bytes()).hexdigest()
    rewritten(path, lambda body: body["tables"].update({name: found}))


def test_columns_that_cannot_be_are_refused(result: BacktestResult, tmp_path: Path) -> None:
    import pyarrow as pa

    def column(name: str, values: list[Any]) -> Callable[[Any], Any]:
        return lambda table: table.set_column(
            table.column_names.index(name), name, pa.array(values)
        )

    bad: list[tuple[str, Callable[[Any], Any]]] = [
        ("fills.parquet", lambda table: table.drop_columns(["price"])),
        ("fills.parquet", column("price", [1, 2, 3, 4])),
        ("fills.parquet", column("price", [1.0, 2.0, 3.0, None])),
        ("fills.parquet", column("order_number", [1, 2, 3, 8])),
        ("fills.parquet", column("order_number", [0, 1, 2, 3])),
        ("fills.parquet", column("market_id", ["rain", "rain", "rain", "fog"])),
        ("fills.parquet", column("side", ["buy", "buy", "buy", "both"])),
        ("orders.parquet", column("status", ["new"] * 6 + ["odd"])),
        ("equity.parquet", column("equity", ["1"] * 6)),
    ]
    for number, (name, change) in enumerate(bad):
        path = result.save(tmp_path / f"run{number}")
        retabled(path, name, change)
        with pytest.raises(DataError, match="does not fit together"):
            load_result(path)


def nested(depth: int) -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(depth):
        deep = {"a": deep}
    return deep


def test_params_that_are_nested_come_back(tmp_path: Path) -> None:
    result = BacktestResult(whole_run(config=nested(150)))
    assert load_result(saved(result, tmp_path)).record.config == nested(150)


def test_params_that_are_nested_too_deeply_are_not_saved(tmp_path: Path) -> None:
    result = BacktestResult(whole_run(config=nested(20_000)))
    assert result.metrics.total_trades == 4
    with pytest.raises(ValueError, match="nested too deeply to be saved"):
        saved(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_nested_too_deeply_is_refused(
    result: BacktestResult, tmp_path: Path
) -> None:
    path = saved(result, tmp_path)
    rewritten(path, lambda body: body["run"].update(config=nested(200)))
    assert load_result(path).record.config == nested(200)
    # Read by a caller who has not much of the stack left himself.
    with pytest.raises(DataError, match="nested too deeply"):
        called_deep_down(load_result, path)


def called_deep_down(function: Callable[[Any], Any], argument: Any) -> Any:
    """Call a function with about 250 frames of the stack left."""

    def deeper(levels: int) -> Any:
        return function(argument) if levels == 0 else deeper(levels - 1)

    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return deeper(sys.getrecursionlimit() - depth - 250)


# ------------------------------------------------------------------------ without pyarrow
def test_without_pyarrow_it_says_what_to_install(
    result: BacktestResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (lambda: result.save(tmp_path / "run"), lambda: load_result(tmp_path)):
        with pytest.raises(ImportError, match=r"pip install 'horizon-workbench\[parquet\]'"):
            call()
    assert list(tmp_path.iterdir()) == []
