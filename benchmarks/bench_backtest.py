"""How fast a backtest is, beside the same work written out by hand, and beside other systems.

    python benchmarks/bench_backtest.py [--rounds 5] [--peers ENV …] [--only speed …]

Three workloads (`workloads.py`): W1, 200,000 ticks with both quotes replaced wherever the price
has moved, matched at the price and against quotes; W2, the same quoter on 200,000 books of five
levels; W3, a crossover of two averages on 500,000 bars. In every round each is run by the slim
loop (`slim_backtest.py`), by `hz.backtest`, and by the slim loop again; a ratio is that of one
round, so that a slow minute slows both sides. The strategy is the user's: the slim loop is run
with the same two stages, which make checked `Quote`s, and with such as make bare tuples. That
backtest and slim loop do the same is checked first.

`--peers` names environments with other systems; whichever of those in `peers/` is found there is
run in the same rounds, each time in a fresh interpreter of its own.

Further: rows per second by the number of rows and of markets, memory, and how fast data of each
form is read (`backtest_scaling.py`).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slim_backtest as slim
import workloads as work
from slim_check import differences
from yardsticks import bare_loop

import horizon as hz
from horizon.books import Books

PEERS = ("backtesting", "backtrader", "nautilus_trader", "hftbacktest")
#: Those that know bars only fill where the price reaches a limit, the others against quotes.
BY_PRICE, BY_QUOTES = PEERS[:2], PEERS[2:]
BARE = "bare loop of two calls"
#: The slim loop calls the very stages that the backtest calls, or such as make plain tuples.
SAME, PLAIN = "slim loop, the same stages", "slim loop, plain stages"
SECTIONS = ("speed", "rows", "markets", "memory", "ingest")


# ---------------------------------------------------------------------------- the strategies
def fair(ctx: Any) -> float:
    value: float = ctx.feed.price
    return value


def quote(ctx: Any, value: float) -> list[hz.Quote]:
    return hz.quotes(value, spread=2 * work.HALF_SPREAD, size=work.SIZE)


def crossing() -> Callable[[Any], list[hz.OrderRequest]]:
    """A new crossover as one stage."""
    cross = work.Crossover()

    def stage(ctx: Any) -> list[hz.OrderRequest]:
        sign = cross(ctx.feed.price)
        if sign == 0:
            return []
        side = hz.OrderSide.Buy if sign > 0 else hz.OrderSide.Sell
        return [hz.OrderRequest(ctx.market_id, hz.Side.Long, side, work.SIZE)]

    return stage


def run(**how: Any) -> Any:
    """A backtest with the money and the fees of the slim loops."""
    return hz.backtest(
        initial_capital=slim.CAPITAL,
        paper_maker_fee_rate=slim.MAKER,
        paper_taker_fee_rate=slim.TAKER,
        **how,
    )


def books_of(columns: work.Columns) -> Books:
    return Books(
        (columns["timestamp"] * 1e9).astype(np.int64),
        columns["bid_prices"],
        columns["bid_sizes"],
        columns["ask_prices"],
        columns["ask_sizes"],
    )


@dataclass
class Workload:
    """The same work twice, on the same data."""

    rows: int
    horizon: Callable[[], Any]
    slims: dict[str, Callable[[], slim.SlimRun]]
    name: str
    compared_with: tuple[str, ...]
    ours: list[float] = field(default_factory=list)
    others: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, measured: float) -> None:
        self.others.setdefault(name, []).append(measured)


def quoted(ticks: work.Columns, matching: str, compared_with: tuple[str, ...]) -> Workload:
    return Workload(
        len(ticks["timestamp"]),
        lambda: run(markets=["m"], data=ticks, pipeline=[fair, quote], matching=matching),
        {
            SAME: lambda: slim.on_ticks(ticks, matching, (fair, quote)),
            PLAIN: lambda: slim.on_ticks(ticks, matching),
        },
        "W1",
        compared_with,
    )


def workloads(rows: int, bars: int) -> dict[str, Workload]:
    ticks, columns, minutes = work.ticks(rows), work.books(rows), work.bars(bars)
    books = {"m": books_of(columns)}
    return {
        "W1 ticks, matched with quotes": quoted(ticks, "quotes", BY_QUOTES),
        "W1 ticks, matched at the price": quoted(ticks, "price", BY_PRICE),
        "W2 books of five levels": Workload(
            rows,
            lambda: run(markets=["m"], book_data=books, pipeline=[fair, quote]),
            {
                SAME: lambda: slim.on_books(columns, (fair, quote)),
                PLAIN: lambda: slim.on_books(columns),
            },
            "W2",
            PEERS,
        ),
        "W3 crossover on bars": Workload(
            bars,
            lambda: run(markets=["ACME"], data=minutes, pipeline=[crossing()]),
            {PLAIN: lambda: slim.on_bars(minutes)},
            "W3",
            PEERS,
        ),
    }


def require_equal(rows: int = 20_000, bars: int = 50_000) -> None:
    """Stop unless the slim loops and the backtest agree, order by order and point by point."""
    for name, one in workloads(rows, bars).items():
        result = one.horizon()
        for kind, loop in one.slims.items():
            by_hand = loop()
            found = differences(by_hand, result)
            print(
                f"{name}, {kind}: {len(by_hand.orders):,} orders, {len(by_hand.fills):,} fills, "
                f"cash {by_hand.cash:,.6f}: {'; '.join(found) or 'as in the backtest'}"
            )
            if found:
                raise SystemExit("the slim loop and the backtest do not do the same")


# ---------------------------------------------------------------------------- speed
def rate(rows: int, work_: Callable[[], object]) -> float:
    start = time.perf_counter()
    work_()
    return rows / (time.perf_counter() - start)


def peers_in(environments: list[Path]) -> dict[str, tuple[Path, Path]]:
    """The peers that are installed there: name to Python and script."""
    found = {}
    look = "import sys, importlib.util as u; print(*filter(u.find_spec, sys.argv[1:]))"
    for environment in environments:
        python = environment / "bin" / "python"
        # From the root: a folder beside us must not pass for a package.
        told = subprocess.run(
            [python, "-c", look, *PEERS], capture_output=True, text=True, check=True, cwd="/"
        )
        for name in told.stdout.split():
            found[name] = (python, Path(__file__).resolve().parent / "peers" / f"with_{name}.py")
    return found


def measure_peer(python: Path, script: Path, name: str) -> dict[str, Any] | None:
    """One run of a peer; None where it does not have the workload."""
    ended = subprocess.run(
        [python, script, name], capture_output=True, text=True, check=False, cwd="/"
    )
    if ended.returncode == 2 and "invalid choice" in ended.stderr:
        return None
    if ended.returncode:
        raise SystemExit(f"{script.name} {name} failed:\n{ended.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def speed(rounds: int, environments: list[Path], rows: int, bars: int) -> None:
    named = workloads(rows, bars)
    peers = peers_in(environments)
    for _ in range(rounds):
        for one in named.values():
            before = [bare_loop(), *(rate(one.rows, loop) for loop in one.slims.values())]
            one.ours.append(rate(one.rows, one.horizon))
            after = [*(rate(one.rows, loop) for loop in one.slims.values())]
            after.insert(0, bare_loop())
            for name, *both in zip((BARE, *one.slims), before, after, strict=True):
                one.note(name, statistics.mean(both))
            for name in one.compared_with:
                answer = measure_peer(*peers[name], one.name) if name in peers else None
                if answer is not None:
                    one.note(name, answer["rate"])
                    one.notes[name] = f"{answer['fills']:,} fills in {answer['rows']:,} rows"
    print(f"\n{'':<34}{'per second':>36}      horizon is")
    for name, one in named.items():
        print(f"{name}\n  {'horizon':<32}{spread(one.ours):>36}")
        for other, rates in one.others.items():
            compared = f"{spread(rates):>36}  {ratio(one.ours, rates)}"
            print(f"  {other:<32}{compared}  {one.notes.get(other, '')}".rstrip())


def spread(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.0f} [{low:,.0f} .. {high:,.0f}]"


def ratio(ours: list[float], theirs: list[float]) -> str:
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    middle = statistics.median(each)
    digits = 4 if middle < 0.1 else 3 if middle < 10.0 else 1
    return f"{middle:.{digits}f} x [{min(each):.{digits}f} .. {max(each):.{digits}f}]"


def main() -> None:
    """Measure and print the tables."""
    import backtest_scaling as scaling

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=work.ROWS, help="of W1 and W2")
    parser.add_argument("--bars", type=int, default=work.BARS, help="of W3")
    parser.add_argument("--longest", type=int, default=10**7, help="number of rows of the longest")
    parser.add_argument("--peers", type=Path, nargs="*", default=[], help="environments")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    if "speed" in arguments.only:
        require_equal()
        speed(arguments.rounds, arguments.peers, arguments.rows, arguments.bars)
    if "rows" in arguments.only:
        scaling.by_rows(arguments.longest, arguments.rounds)
    if "markets" in arguments.only:
        scaling.by_markets(arguments.rows, arguments.rounds)
    if "memory" in arguments.only:
        scaling.memory()
    if "ingest" in arguments.only:
        scaling.ingest(arguments.rows, arguments.rounds)


if __name__ == "__main__":
    main()
