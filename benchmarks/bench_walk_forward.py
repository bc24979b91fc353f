"""What a walk-forward costs: alone, on two workers, on a cluster, again from its cache.

    python benchmarks/bench_walk_forward.py [--rounds 3] [--rows 100000] [--peers ENV …] [--only …]

Twelve crossovers of two averages in five windows (`workload_search.py`). All settings are run on
each training and each test, and once over the whole span: 132 runs. In every round it goes with
one worker, with two processes, and on a Dask cluster of two on this machine, whose workers wait
idle before; the ratio is that of one round. What a task costs beside its run is the time that all
workers had, less what the runs took in them.

`--peers` names environments with backtesting.py and vectorbt, which are given the same search:
train, choose by the final equity, test. Neither tests all settings nor runs them over the whole
span; so the second line of ours is with what they do not do left out as far as it can be.

Further: bytes that move with a task, memory of the workers beyond the data, and of a file that is
walked in pieces, both in fresh interpreters.
"""

from __future__ import annotations

import argparse
import pickle
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import workload_search as search
from bench_backtest import measure_peer, ratio
from workloads import Crossover, ticks

import horizon as hz
from horizon.walkforward import WalkForwardResult, walk_forward

PEERS = ("backtesting", "vectorbt")
SECTIONS = ("speed", "bytes", "cache", "memory")
#: Rows of the runs whose memory is measured, and of the file.
LONG = 1_000_000
MB = 1e6


# ---------------------------------------------------------------------------- the search
def crossing(params: dict[str, Any]) -> list[Callable[[Any], Any]]:
    """The pipeline of one setting."""
    cross = Crossover(params["fast"], params["slow"])

    def stage(ctx: Any) -> list[hz.OrderRequest]:
        sign = cross(ctx.feed.price)
        if sign == 0:
            return []
        side = hz.OrderSide.Buy if sign > 0 else hz.OrderSide.Sell
        return [hz.OrderRequest(ctx.market_id, hz.Side.Long, side, search.SIZE)]

    return [stage]


def idle(params: dict[str, Any]) -> list[Callable[[Any], Any]]:
    """A pipeline that sends nothing but one order, so that its objective is a number."""
    state = {"sent": False}

    def stage(ctx: Any) -> Any:
        if state["sent"]:
            return None
        state["sent"] = True
        return [hz.OrderRequest(ctx.market_id, hz.Side.Yes, hz.OrderSide.Buy, params["size"])]

    return [stage]


def walk(rows: int, **how: Any) -> WalkForwardResult:
    seconds, prices = search.prices(rows)
    return walk_forward(
        {"timestamp": seconds, "price": prices},
        crossing,
        {"fast": list(search.FAST), "slow": list(search.SLOW)},
        n_splits=search.WINDOWS,
        train_ratio=search.TRAIN,
        objective="total_return",
        markets=["ACME"],
        initial_capital=search.CASH,
        paper_fee_rate=0.0,  # as the peers' runs
        **how,
    )


def long_walk(data: Any, **how: Any) -> WalkForwardResult:
    return walk_forward(
        data,
        idle,
        {"size": [1.0, 2.0]},
        n_splits=2,
        train_ratio=0.6,
        objective="total_return",
        markets=["m"],
        overfitting=False,
        **how,
    )


# ---------------------------------------------------------------------------- speed
def timed(work: Callable[[], WalkForwardResult]) -> tuple[float, float, WalkForwardResult]:
    """Seconds by the clock, seconds within the runs, and the result."""
    start = time.perf_counter()
    found = work()
    elapsed = time.perf_counter() - start
    return elapsed, sum(outcome.seconds for outcome in found.outcomes), found


def peers_in(environments: list[Path]) -> dict[str, tuple[Path, Path]]:
    """The peers that are installed there: name to Python and script."""
    found = {}
    look = "import sys, importlib.util as u; print(*filter(u.find_spec, sys.argv[1:]))"
    for environment in environments:
        python = environment / "bin" / "python"
        told = subprocess.run(
            [python, "-c", look, *PEERS], capture_output=True, text=True, check=True, cwd="/"
        )
        for name in told.stdout.split():
            found[name] = (python, Path(__file__).resolve().parent / "peers" / f"with_{name}.py")
    return found


def speed(rounds: int, environments: list[Path], rows: int) -> None:
    from distributed import Client, LocalCluster

    peers = peers_in(environments)
    kinds: dict[str, tuple[int, dict[str, Any]]] = {
        "one worker": (1, {"n_jobs": 1}),
        "two processes (loky)": (2, {"n_jobs": 2}),
        "two workers of a Dask cluster": (2, {"n_jobs": 2, "backend": "dask"}),
        "one worker, without overfitting=": (1, {"n_jobs": 1, "overfitting": False}),
    }
    clocks: dict[str, list[float]] = {name: [] for name in kinds}
    over: dict[str, list[float]] = {name: [] for name in kinds}
    told: dict[str, list[float]] = {name: [] for name in peers}
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, Client(cluster):
        for kind in list(kinds)[1:3]:
            walk(2_000, **kinds[kind][1])  # workers start, and import
        for _ in range(rounds):
            first: WalkForwardResult | None = None
            for name, (workers, how) in kinds.items():
                elapsed, within, found = timed(lambda how=how: walk(rows, **how))
                clocks[name].append(elapsed)
                over[name].append((workers * elapsed - within) / found.n_runs)
                first = first or found
                if how.get("overfitting", True) and found.outcomes != first.outcomes:
                    raise SystemExit(f"{name} gives other results than one worker")
            for name, (python, script) in peers.items():
                answer = measure_peer(python, script, "search")
                assert answer is not None
                told[name].append(answer["rows"] / answer["rate"])
    assert first is not None
    played = sum(outcome.rows for outcome in first.outcomes)
    print(f"{first.n_runs:,} runs over {played:,} rows in all; the same results in all three ways")
    print(f"chosen: {[tuple(one.values()) for one in first.best_params_per_window]}")
    alone = clocks["one worker"]
    print(f"\n{'':<36}{'seconds':>26}    times one worker     beside its run, a task")
    for name in kinds:
        faster = ratio(alone, clocks[name])
        print(
            f"{name:<36}{spread(clocks[name]):>26}    {faster:<22}"
            f"{1e3 * statistics.median(over[name]):>8.1f} ms"
        )
    for name, seconds in told.items():
        ours = clocks["one worker, without overfitting="]
        print(f"{name:<36}{spread(seconds):>26}    horizon without it takes {ratio(ours, seconds)}")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.2f} [{min(values):,.2f} .. {max(values):,.2f}]"


# ---------------------------------------------------------------------------- bytes
class Counting(Executor):
    """A pool of processes that counts what goes in and what comes out."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._max_workers = 2
        self.sent: list[int] = []
        self.received: list[int] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sent.append(len(pickle.dumps((fn, args, kwargs))))
        future = self._pool.submit(fn, *args, **kwargs)
        future.add_done_callback(self._note)
        return future

    def _note(self, future: Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self.received.append(len(pickle.dumps(future.result())))


def moved(rows: int) -> None:
    """Bytes of a task and of its answer, between processes."""
    with ProcessPoolExecutor(2) as pool:
        counting = Counting(pool)
        found = walk(rows, executor=counting)
    size = 16 * rows
    kept = [one for one in found.outcomes if one.record is not None or len(one.returns)]
    print(f"\nbytes between processes, beside the data of {size / MB:.1f} MB that is mapped once")
    for name, counts in (("to a task", counting.sent), ("back from it", counting.received)):
        print(
            f"  {name:<14}{statistics.median(counts):>12,.0f} [{min(counts):,} .. {max(counts):,}]"
        )
    print(
        f"  ({len(kept)} answers hold more than numbers: the records of the chosen tests, the "
        "returns of the whole runs)"
    )


# ---------------------------------------------------------------------------- cache
def resumed(rows: int) -> None:
    """Seconds of a search that is wholly in its cache, and of one with a setting more."""
    with tempfile.TemporaryDirectory() as folder:
        first, _, found = timed(lambda: walk(rows, cache=folder))
        again, _, same = timed(lambda: walk(rows, cache=folder))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    if same.outcomes != found.outcomes:
        raise SystemExit("the cache gives other results")
    print(
        f"\nfrom the cache: {first:.2f} s at first, {again:.3f} s again ({size / MB:.1f} MB kept)"
    )


# ---------------------------------------------------------------------------- memory
def memory(rows: int) -> None:
    """Private bytes of two workers at their highest, beyond what they have when idle."""
    for name in ("workers", "parquet", "held"):
        ended = subprocess.run(
            [sys.executable, __file__, "--case", name, "--rows", str(rows)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        print(ended.stdout.rstrip())


def long_ticks(rows: int) -> dict[str, Any]:
    """A price, a bid and an ask a second, repeated from a shorter walk."""
    short = ticks(min(rows, 100_000))
    repeats = -(-rows // len(short["price"]))
    columns = {name: np.tile(short[name], repeats)[:rows] for name in ("price", "bid", "ask")}
    return {"timestamp": 1.7e9 + np.arange(rows, dtype=float), **columns}


def in_workers(rows: int) -> None:
    data = long_ticks(rows)
    size = sum(column.nbytes for column in data.values())
    short = {name: column[:2_000] for name, column in data.items()}
    with ProcessPoolExecutor(2) as pool:
        long_walk(short, executor=pool)  # workers start, and import
        watched = {pid: private(pid) for pid in pool._processes}
        with Watch(watched) as watch:
            long_walk(data, executor=pool)
    beyond = [(watch.highest[pid] - idle_) / MB for pid, idle_ in watched.items()]
    print(
        f"\nmemory, {rows:,} rows of {size / MB:.0f} MB: the two workers' own beyond idle "
        f"({', '.join(f'{one / MB:.0f}' for one in watched.values())} MB): "
        f"{', '.join(f'{one:.0f}' for one in beyond)} MB"
    )


class Watch:
    """Looks at the private memory of processes every few milliseconds."""

    def __init__(self, processes: Any) -> None:
        self.highest = dict.fromkeys(processes, 0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            for pid in self.highest:
                self.highest[pid] = max(self.highest[pid], private(pid))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def private(pid: int) -> int:
    """Bytes that a process shares with no other (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def from_file(rows: int, kind: str) -> None:
    """Walk a Parquet file by its path, or read whole, in this fresh process."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.parquet"
        write(path, rows)
        long_walk({name: column[:2_000] for name, column in long_ticks(2_000).items()})  # imports
        Path("/proc/self/clear_refs").write_text("5")  # the highest counts from here (Linux)
        before = resident()
        start = time.perf_counter()
        long_walk(path if kind == "parquet" else pd.read_parquet(path))
        elapsed = time.perf_counter() - start
        size = path.stat().st_size
    how = "by its path" if kind == "parquet" else "read whole before"
    print(
        f"Parquet of {rows:,} rows ({size / MB:.0f} MB, {32 * rows / MB:.0f} MB in memory) {how}: "
        f"{(resident('VmHWM') - before) / MB:.0f} MB at the highest, {elapsed:.1f} s"
    )


def write(path: Path, rows: int) -> None:
    """Write the file in a process of its own, so that its memory is not counted."""
    code = (
        "import sys, pandas as pd; sys.path.insert(0, sys.argv[1]); "
        "import bench_walk_forward as b; "
        "pd.DataFrame(b.long_ticks(int(sys.argv[3])))"
        ".to_parquet(sys.argv[2], row_group_size=100_000)"
    )
    here = str(Path(__file__).resolve().parent)
    subprocess.run([sys.executable, "-c", code, here, str(path), str(rows)], check=True)


def resident(which: str = "VmRSS") -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(which))


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=search.ROWS)
    parser.add_argument("--long", type=int, default=LONG, help="rows where memory is measured")
    parser.add_argument("--peers", type=Path, nargs="*", default=[], help="environments")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=SECTIONS)
    parser.add_argument("--case", choices=("workers", "parquet", "held"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case == "workers":
        in_workers(arguments.rows)
    elif arguments.case:
        from_file(arguments.rows, arguments.case)
    else:
        if "speed" in arguments.only:
            speed(arguments.rounds, arguments.peers, arguments.rows)
        if "bytes" in arguments.only:
            moved(arguments.rows)
        if "cache" in arguments.only:
            resumed(arguments.rows)
        if "memory" in arguments.only:
            memory(arguments.long)


if __name__ == "__main__":
    main()
