"""How a peer's script is called, and how it answers: shared by all of them.

    ENV/bin/python benchmarks/peers/with_<peer>.py W1 [--rows 20000]

Each wants an environment of its own, made with these (Python 3.11):

    backtesting==0.6.6           numpy==2.4.6 pandas==3.1.1
    backtrader==1.9.78.123       numpy==2.4.6 pandas==3.1.1
    hftbacktest==2.4.4           numpy==2.2.6 numba==0.68.1
    nautilus_trader==1.221.0     numpy==2.4.6 pandas==2.3.3
    vectorbt==1.2.0              numpy==2.4.6 pandas==3.1.1 numba==0.68.1

Each prints one line of JSON: rows a second of the run itself, and how many fills there were. What
it took to bring the data into the peer's own form, and to compile, is not in the rate.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

#: Prepares a number of rows; returns the run, which returns its number of fills.
Workload = Callable[[int], Callable[[], int]]


def tell(workloads: dict[str, tuple[Workload, int]]) -> None:
    """Measure one workload, each given with its usual number of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=list(workloads))
    parser.add_argument("--rows", type=int)
    arguments = parser.parse_args()
    prepare, usual = workloads[arguments.workload]
    rows = arguments.rows or usual
    run = prepare(rows)
    start = time.perf_counter()
    fills = run()
    seconds = time.perf_counter() - start
    print(json.dumps({"rows": rows, "rate": rows / seconds, "fills": fills}))
