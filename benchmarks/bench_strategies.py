"""What strategies cost: 20 markets, 5,000 daily bars each, four features, one rule of signals.

    python benchmarks/bench_strategies.py [--rounds 5] [--bars 5000] [--peers ENV …] [--only …]

The rule (`workload_strategies.py`) is written twice for horizon. The first says what it wants at
every bar, "hold nothing" included, as strategies may; the second looks at its position before it
asks for an end, as one has to in the other systems. Both send the same orders.

`--peers` names environments with backtesting.py, vectorbt and nautilus_trader (see
`peers/told.py` for versions), whose scripts are `peers/signals_with_*.py`. Before anything is
timed, every one's trades are compared with ours, one by one: market, bar, shares and price.

Ratios are of the processor's seconds, which other work on the machine disturbs less than the
clock's, each of one round. The last table is where they go: the same run without parts of it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import workload_strategies as work
from bench_backtest import ratio
from yardsticks import bare_loop

import horizon as hz
from horizon.strategies import (
    RSI,
    FixedNotional,
    MovingAverageCross,
    RealizedVol,
    Signal,
    SignalExecution,
    Strategy,
    Zscore,
)

PEERS = ("backtesting", "vectorbt", "nautilus_trader")
SECTIONS = ("check", "speed", "parts")
EDGE = 50.0
#: Never resized: a band this wide is left only by opening and closing.
EXECUTION = SignalExecution(no_trade_band=0.99)
FEATURES = {
    "z": Zscore(work.WINDOW),
    "cross": MovingAverageCross(work.FAST, work.SLOW),
    "rsi": RSI(work.WILDER),
    "vol": RealizedVol(work.WINDOW),
}


# ---------------------------------------------------------------------------- the rule
class Dips(Strategy):
    """The rule, which says at every bar what it wants."""

    features = FEATURES

    def evaluate(self, f: Any, universe: Sequence[hz.Market]) -> list[Signal]:
        z, cross, rsi, vol = f.z, f.cross, f.rsi, f.vol
        signals = []
        for market in universe:
            m = market.id
            if work.enters(z[m], cross[m], rsi[m], vol[m]):
                signals.append(Signal.increase(market, edge_bps=EDGE))
            elif work.leaves(z[m], cross[m], rsi[m]):
                signals.append(Signal.flatten(market))
        return signals


class CarefulDips(Strategy):
    """The rule, which asks for an end only of what it holds, from a time on."""

    features = FEATURES

    def __init__(self, since: float = 0.0) -> None:
        self.since = since

    def evaluate(self, f: Any, universe: Sequence[hz.Market], ctx: Any) -> list[Signal]:
        if ctx.timestamp < self.since:
            return []
        z, cross, rsi, vol = f.z, f.cross, f.rsi, f.vol
        signals = []
        for market in universe:
            m = market.id
            if work.enters(z[m], cross[m], rsi[m], vol[m]):
                signals.append(Signal.increase(market, edge_bps=EDGE))
            elif work.leaves(z[m], cross[m], rsi[m]) and ctx.inventory(market):
                signals.append(Signal.flatten(market))
        return signals


class Undecided(Strategy):
    """Has the features and asks the rule, but never says what came of it."""

    features = FEATURES

    def evaluate(self, f: Any, universe: Sequence[hz.Market]) -> list[Signal]:
        z, cross, rsi, vol = f.z, f.cross, f.rsi, f.vol
        for market in universe:
            m = market.id
            if not work.enters(z[m], cross[m], rsi[m], vol[m]):
                work.leaves(z[m], cross[m], rsi[m])
        return []


class Watching(Strategy):
    """Has the features, and asks nothing."""

    features = FEATURES

    def evaluate(self, f: Any, universe: Sequence[hz.Market]) -> list[Signal]:
        return []


class Idle(Strategy):
    """Has no features either."""

    def evaluate(self, f: Any, universe: Sequence[hz.Market]) -> list[Signal]:
        return []


def prepared(bars: int) -> dict[str, Any]:
    """What all runs are given."""
    return {
        "markets": [hz.Market(name, hz.Equity, lot_size=1) for name in work.names()],
        "data": {n: work.market_bars(k, bars) for k, n in enumerate(work.names())},
        "initial_capital": work.CASH,
        "paper_fee_rate": work.FEE_RATE,
    }


def run(given: dict[str, Any], strategy: Strategy) -> hz.BacktestResult:
    return hz.backtest(
        strategies=[strategy],
        sizer=FixedNotional(work.NOTIONAL),
        execution=EXECUTION,
        **given,
    )


def trades_of(result: hz.BacktestResult) -> list[work.Trade]:
    """Fills by the bar they were decided on: the one whose end the order was sent at."""
    numbers = {name: number for number, name in enumerate(work.names())}
    frame = result.fills_frame()
    # A fill at the next bar's open bears the time of that bar's end.
    ends = frame["timestamp"].astype("datetime64[ns, UTC]").astype("int64") / 1e9
    bars = ((ends - work.START) / work.DAY).round().astype(int) - 2
    signs = frame["order_side"].map({"buy": 1.0, "sell": -1.0})
    found = zip(
        frame["market_id"].map(numbers).tolist(),
        bars.tolist(),
        (signs * frame["size"]).tolist(),
        frame["price"].tolist(),
        strict=True,
    )
    return sorted(work.Trade(*one) for one in found)


# ---------------------------------------------------------------------------- peers
def peers_in(environments: list[Path]) -> dict[str, tuple[Path, Path]]:
    """The peers that are installed there: name to Python and script."""
    found = {}
    look = "import sys, importlib.util as u; print(*filter(u.find_spec, sys.argv[1:]))"
    here = Path(__file__).resolve().parent / "peers"
    for environment in environments:
        python = environment / "bin" / "python"
        # From the root: a folder beside us must not pass for a package.
        told = subprocess.run(
            [python, "-c", look, *PEERS], capture_output=True, text=True, check=True, cwd="/"
        )
        for name in told.stdout.split():
            found[name] = (python, here / f"signals_with_{name}.py")
    return found


def asked(python: Path, script: Path, bars: int) -> dict[str, Any]:
    """One run of a peer."""
    ended = subprocess.run(
        [python, script, "--bars", str(bars)], capture_output=True, text=True, check=False, cwd="/"
    )
    if ended.returncode:
        raise SystemExit(f"{script.name} failed:\n{ended.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    answer["trades"] = [work.Trade(*one) for one in answer["trades"]]
    return answer


def check(bars: int, peers: dict[str, tuple[Path, Path]]) -> None:
    """Stop unless everybody takes the same trades, but for conventions that are named."""
    given = prepared(bars)
    result = run(given, Dips())
    ours = trades_of(result)
    if trades_of(run(given, CarefulDips())) != ours:
        raise SystemExit("the two ways to write the rule do not trade the same")
    print(f"horizon: {len(ours):,} fills, fees {result.metrics.total_fees:,.2f}; both ways alike")
    for name, (python, script) in peers.items():
        answer = asked(python, script, bars)
        theirs, expected, convention = answer["trades"], ours, "as ours, prices included"
        if name == "backtesting":
            # It begins a bar after the last feature has its first value.
            since = work.START + work.DAY * (work.SLOW + 1.0)
            expected = trades_of(run(given, CarefulDips(since)))
            other = len(set(theirs) ^ set(ours))
            convention = (
                f"as ours from bar {work.SLOW} on, prices included; it does not ask the rule on "
                f"bar {work.SLOW - 1}, the first with all features ({other} fills differ by that)"
            )
        elif name == "nautilus_trader":
            closes = [work.market_bars(number, bars)["close"] for number in range(work.MARKETS)]
            expected = [one._replace(price=float(closes[one.market][one.bar])) for one in ours]
            convention = (
                "as ours, but filled at the close that decided and not at the next open; each "
                "fill's fee rounded to cents"
            )
        if theirs != expected:
            odd = sorted(set(theirs) ^ set(expected))
            raise SystemExit(f"{name} trades otherwise: {len(odd)} fills, first {odd[:4]}")
        print(f"{name}: {len(theirs):,} fills, fees {answer['fees']:,.2f}: {convention}")


# ---------------------------------------------------------------------------- speed
def spread(values: list[float], digits: int = 2) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} [{low:,.{digits}f} .. {high:,.{digits}f}]"


def speed(rounds: int, bars: int, peers: dict[str, tuple[Path, Path]]) -> None:
    """Seconds of every system, all of them once in each round."""
    given = prepared(bars)
    first = "horizon, asks its position"
    kinds: dict[str, Callable[[], object]] = {
        first: lambda: run(given, CarefulDips()),
        "horizon, says all it wants": lambda: run(given, Dips()),
    }
    clocks: dict[str, list[float]] = {}
    taken: dict[str, list[float]] = {}

    def note(name: str, times: Sequence[float]) -> None:
        clocks.setdefault(name, []).append(times[0])
        taken.setdefault(name, []).append(times[1])

    rows = work.MARKETS * bars
    for _ in range(rounds):
        for name, one in kinds.items():
            note(name, work.timed(one)[0])
        for name, (python, script) in peers.items():
            note(name, asked(python, script, bars)["times"])
        note("bare loop of two calls", work.timed(lambda: bare_loop(rows))[0])
    print(f"\n{work.MARKETS} markets x {bars:,} bars x {len(FEATURES)} features, {rounds} rounds")
    print(f"{'seconds':<28}{'by the clock':>26}{'of the processor':>26}    the first takes")
    for name, values in taken.items():
        compared = "" if name == first else ratio(taken[first], values)
        print(f"{name:<28}{spread(clocks[name]):>26}{spread(values, 3):>26}    {compared}".rstrip())
    middle = statistics.median(taken[first])
    print(
        f"evaluations: {bars / middle:,.0f}/s of {work.MARKETS} markets each, "
        f"{rows / middle:,.0f} markets/s"
    )


def parts(rounds: int, bars: int) -> None:
    """Seconds of the processor, of runs that leave out more and more of the work."""
    given = prepared(bars)
    steps: dict[str, Callable[[], Strategy]] = {
        "rows, no features": Idle,
        "+ features": Watching,
        "+ the rule asked": Undecided,
        "+ signals, orders, fills": CarefulDips,
        "+ signals that change nothing": Dips,
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, made in steps.items():
            taken[name].append(work.timed(lambda made=made: run(given, made()))[0][1])
    print(f"\nwhere the time goes{'seconds':>36}    more than the line before")
    before = [0.0] * rounds
    differences: dict[str, list[float]] = {}
    for name, values in taken.items():
        differences[name] = [a - b for a, b in zip(values, before, strict=True)]
        print(f"{name:<31}{spread(values, 3):>24}    {spread(differences[name], 3)}")
        before = values
    updates = work.MARKETS * bars * len(FEATURES)
    in_features = [updates / one / 1e6 for one in differences["+ features"]]
    print(f"feature updates inside the backtest: {spread(in_features)} million/s")


def main() -> None:
    """Check, measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bars", type=int, default=work.BARS)
    parser.add_argument("--peers", type=Path, nargs="*", default=[], help="environments")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    peers = peers_in(arguments.peers)
    run(prepared(400), CarefulDips())  # what is imported with the first run is imported now
    if "check" in arguments.only:
        check(arguments.bars, peers)
    if "speed" in arguments.only:
        speed(arguments.rounds, arguments.bars, peers)
    if "parts" in arguments.only:
        parts(arguments.rounds, arguments.bars)


if __name__ == "__main__":
    main()
