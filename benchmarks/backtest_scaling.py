"""How a backtest's time and memory grow, and how fast data of each form is read.

Run by `bench_backtest.py`. As a script of its own it plays one case of `memory` and prints what
it took, so that each is had in a fresh interpreter.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_backtest as bench
import numpy as np
import pandas as pd
import workloads as work
from yardsticks import bare_loop

import horizon as hz

#: Rows of the two runs between which memory is measured, traced and not: what does not grow with
#: them is left out.
TRACED = (20_000, 60_000)
RESIDENT = (100_000, 300_000)
CASES = ("idle", "orders", "fills")


# ---------------------------------------------------------------------------- rows and markets
def by_rows(longest: int, rounds: int) -> None:
    """W1 at 10,000 rows and every power of ten up to `longest`."""
    sizes = [size for size in (10**4, 10**5, 10**6, 10**7) if size <= longest]
    ticks = work.ticks(sizes[-1])
    runs = {}
    for size in sizes:
        data = {name: column[:size] for name, column in ticks.items()}
        # Short runs go several times, so that all take a like time.
        runs[size] = (lambda data=data: _quoted(data), max(1, min(10, 10**5 // size)))
    _grow("number of rows (W1, matched with quotes)", runs, rounds, dict.fromkeys([10**7], 1))


def _quoted(data: work.Columns) -> Any:
    return bench.run(
        markets=["m"], data=data, pipeline=[bench.fair, bench.quote], matching="quotes"
    )


def by_markets(rows: int, rounds: int) -> None:
    """The same number of rows split over 1 to 1,000 markets, all in one account."""
    runs = {}
    for count in (1, 10, 100, 1_000):
        columns, markets = work.market_ticks(count, rows)
        frame = pd.DataFrame({**columns, "market_id": markets})
        runs[count] = (lambda frame=frame: _many(frame), 1)
    _grow(f"number of markets, {rows:,} rows in all", runs, rounds, {}, rows)


def _many(frame: pd.DataFrame) -> Any:
    return bench.run(data=frame, pipeline=[bench.fair, bench.quote], matching="quotes")


def _grow(
    what: str,
    runs: dict[int, tuple[Callable[[], object], int]],
    rounds: int,
    most: dict[int, int],
    rows: int | None = None,
) -> None:
    """Time each run in every round, and compare it with the first against a bare loop beside it.

    `runs` gives a run and how often it goes at a time, `most` in how many rounds at the most.
    """
    rates: dict[int, list[float]] = {size: [] for size in runs}
    per_bare: dict[int, list[float]] = {size: [] for size in runs}
    for number in range(rounds):
        for size, (run, times) in runs.items():
            if number >= most.get(size, rounds):
                continue
            before = bare_loop()
            taken = [bench.rate(rows or size, run) for _ in range(times)]
            rates[size].append(statistics.median(taken))
            per_bare[size].append(rates[size][-1] / (before + bare_loop()))
    first = statistics.median(next(iter(per_bare.values())))
    print(f"\nrows a second by {what}\n{'':<52}against the first")
    for size, found in rates.items():
        kept = statistics.median(per_bare[size]) / first
        print(f"  {size:<12,}{bench.spread(found):>38}{kept:>10.3f}")


# ---------------------------------------------------------------------------- memory
def memory() -> None:
    """Bytes that a row, an order and a fill need beyond the data, kept and at the highest."""
    print("\nbytes beyond the data, of each further one")
    print(f"  {'':<28}{'a row':>10}{'an order':>10}{'a fill':>10}")
    for what, sizes in (("traced", TRACED), ("resident", RESIDENT)):
        small, large = ({case: _case(case, what, n) for case in CASES} for n in sizes)
        for point in ("kept", "highest"):
            if point in small["idle"]:
                more = {case: large[case][point] - small[case][point] for case in CASES}
                rows = sizes[1] - sizes[0]
                row = more["idle"] / rows
                order = (more["orders"] - more["idle"]) / (2 * rows)
                fill = (more["fills"] - more["idle"]) / rows - order
                name = f"{what} memory, {point}"
                print(f"  {name:<28}{row:>10.1f}{order:>10.1f}{fill:>10.1f}")


def _case(case: str, what: str, rows: int) -> dict[str, int]:
    ended = subprocess.run(
        [sys.executable, __file__, case, what, str(rows)],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, int] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def idle(ctx: Any) -> None:
    """Send nothing."""


def far_away() -> Callable[[Any], list[hz.Quote]]:
    """Both quotes new at every row, where nothing ever fills them."""
    quotes = [[hz.Quote(0.001, 0.999, 10.0)], [hz.Quote(0.002, 0.998, 10.0)]]
    count = 0

    def stage(ctx: Any) -> list[hz.Quote]:
        nonlocal count
        count += 1
        return quotes[count % 2]

    return stage


def taking() -> Callable[[Any], list[hz.OrderRequest]]:
    """A market order at every row, bought and sold in turn; each fills at the next."""
    sides = [hz.OrderSide.Sell, hz.OrderSide.Buy]
    orders = [[hz.OrderRequest("m", hz.Side.Yes, side, 10.0)] for side in sides]
    count = 0

    def stage(ctx: Any) -> list[hz.OrderRequest]:
        nonlocal count
        count += 1
        return orders[count % 2]

    return stage


def play(case: str, what: str, rows: int) -> dict[str, int]:
    """Play one case; return bytes kept by its result, and the most there were beside."""
    stages: dict[str, Callable[[Any], Any]] = {
        "idle": idle,
        "orders": far_away(),
        "fills": taking(),
    }
    bench.run(markets=["m"], data=work.ticks(100), pipeline=[idle])  # imports
    data = work.ticks(rows)
    if what == "traced":
        tracemalloc.start()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the highest counts from here (Linux)
    before = _resident()
    result = bench.run(markets=["m"], data=data, pipeline=[stages[case]])
    gc.collect()
    if what == "traced":
        kept, highest = tracemalloc.get_traced_memory()
        answer = {"kept": kept, "highest": highest}
    else:
        answer = {"kept": _resident() - before, "highest": _resident("VmHWM") - before}
    orders, fills = len(result.record.orders), len(result.record.fills)
    expected = {"idle": (0, 0), "orders": (2 * rows, 0), "fills": (rows, rows - 1)}[case]
    if (orders, fills) != expected:
        raise SystemExit(f"{case} made {orders:,} orders and {fills:,} fills")
    return answer


def _resident(which: str = "VmRSS") -> int:
    """Resident bytes of this process now, or with "VmHWM" the most there were."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) * 1024


# ---------------------------------------------------------------------------- ingest
def ingest(rows: int, rounds: int) -> None:
    """Rows a second from each form of data, and books a second, read and checked."""
    from horizon.backtesting.data import DataChunks, read_data
    from horizon.books import read_book_data

    def read(data: Any) -> None:
        found = read_data(data)
        if isinstance(found, DataChunks):
            for _ in found:
                pass

    with tempfile.TemporaryDirectory() as folder:
        print(f"\nread and checked, {rows:,} rows")
        _table(rows, rounds, tick_forms(rows, Path(folder)), read)
        print(f"\nread and checked, {rows:,} books of five levels")
        _table(rows, rounds, book_forms(rows, Path(folder)), lambda form: read_book_data(form))


def _table(rows: int, rounds: int, forms: dict[str, Any], read: Callable[[Any], object]) -> None:
    for name, form in forms.items():
        read(form)
        rates = []
        for _ in range(rounds):
            start = time.perf_counter()
            read(form)
            rates.append(rows / (time.perf_counter() - start))
        print(f"  {name:<30}{bench.spread(rates):>44} /s")


def tick_forms(rows: int, folder: Path) -> dict[str, Any]:
    ticks = work.ticks(rows)
    frame = pd.DataFrame(ticks)
    dated = frame.assign(timestamp=pd.to_datetime(frame["timestamp"], unit="s"))
    columns, markets = work.market_ticks(10, rows)
    half = {name: column[::2] for name, column in ticks.items()}
    other = {name: column[1::2] for name, column in ticks.items()}
    pieces = [frame.iloc[start : start + 10_000] for start in range(0, rows, 10_000)]
    forms: dict[str, Any] = {
        "list of dicts": frame.to_dict("records"),
        "dict of arrays": ticks,
        "pandas": frame,
        "pandas, datetimes": dated,
        "pandas, 10 markets in one": pd.DataFrame({**columns, "market_id": markets}),
        "dict of two feeds": {"a": half, "b": other},
        "callable, 10,000 a chunk": lambda: iter(pieces),
        "CSV": folder / "ticks.csv",
    }
    frame.to_csv(forms["CSV"], index=False)
    forms |= _other_frames(frame, folder / "ticks.parquet")
    return forms


def book_forms(rows: int, folder: Path) -> dict[str, Any]:
    columns = work.books(rows)
    books = bench.books_of(columns)
    wide = {"timestamp": columns["timestamp"]}
    for level in range(columns["bid_prices"].shape[1]):
        for side in ("bid", "ask"):
            wide[f"{side}_px_{level}"] = columns[f"{side}_prices"][:, level]
            wide[f"{side}_sz_{level}"] = columns[f"{side}_sizes"][:, level]
    long = pd.DataFrame(
        {
            "timestamp": np.repeat(columns["timestamp"], 10),
            "side": np.tile(np.repeat(["bid", "ask"], 5), rows),
            "price": np.hstack([books.bid_prices, books.ask_prices]).reshape(-1),
            "size": np.hstack([books.bid_sizes, books.ask_sizes]).reshape(-1),
        }
    ).dropna()
    forms: dict[str, Any] = {
        "list of dicts": _book_dicts(columns),
        "wide frame": pd.DataFrame(wide),
        "long frame": long,
        "Books": books,
    }
    try:
        long.to_parquet(folder / "books.parquet")
        forms["long, Parquet"] = folder / "books.parquet"
    except ImportError:
        print("  (no pyarrow: Parquet left out)")
    return {name: {"m": form} for name, form in forms.items()}


def _book_dicts(columns: work.Columns) -> list[dict[str, Any]]:
    sides = []
    for side in ("bid", "ask"):
        prices = columns[f"{side}_prices"].tolist()
        sizes = columns[f"{side}_sizes"].tolist()
        sides.append(
            [
                [(price, size) for price, size in zip(*row, strict=True) if price == price]
                for row in zip(prices, sizes, strict=True)
            ]
        )
    times = columns["timestamp"].tolist()
    return [
        {"timestamp": time_, "bids": bids, "asks": asks}
        for time_, bids, asks in zip(times, *sides, strict=True)
    ]


def _other_frames(frame: pd.DataFrame, path: Path) -> dict[str, Any]:
    """The same rows in frames of libraries that may be missing."""
    forms: dict[str, Any] = {}
    try:
        import polars

        forms["polars"] = polars.from_dict({name: frame[name].to_numpy() for name in frame})
    except ImportError:
        print("  (no polars)")
    try:
        import pyarrow

        forms["Arrow"] = pyarrow.table({name: frame[name].to_numpy() for name in frame})
        frame.to_parquet(path)
        forms["Parquet"] = path
    except ImportError:
        print("  (no pyarrow)")
    return forms


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
