"""The search of a walk-forward in vectorbt, which computes whole columns of signals at once.

All settings are columns of one array; a signal of one tick is filled at the next. It knows no
order book, no quote and no rule that looks at its own position, so W1 and W2 are not in it. The
search is run once before it is measured, on few rows: its loops are compiled then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from told import tell
from workload_search import CASH, ROWS, SETTINGS, SIZE, prices, windows

warnings.simplefilter("ignore")


def portfolio(price: pd.Series, settings: list[dict[str, int]]) -> Any:
    """Run settings side by side, each a column."""
    quick = vbt.MA.run(price, window=[one["fast"] for one in settings])
    slow = vbt.MA.run(price, window=[one["slow"] for one in settings])
    up, down = quick.ma_crossed_above(slow), quick.ma_crossed_below(slow)
    return vbt.Portfolio.from_signals(
        price,
        up.vbt.signals.fshift(1),
        down.vbt.signals.fshift(1),
        size=SIZE,
        init_cash=CASH,
        freq="1s",
    )


def walk(rows: int) -> tuple[int, list[dict[str, int]]]:
    """Return the fills of the tests, and what was chosen."""
    seconds, values = prices(rows)
    price = pd.Series(values, index=pd.to_datetime(seconds, unit="s"))
    fills, chosen = 0, []
    for train, test in windows(rows):
        finals = np.asarray(portfolio(price.iloc[train], list(SETTINGS)).final_value())
        best = SETTINGS[int(finals.argmax())]
        fills += int(portfolio(price.iloc[test], [best]).orders.count())
        chosen.append(best)
    return fills, chosen


def search(rows: int) -> Callable[[], int]:
    walk(5_000)

    def run() -> int:
        fills, chosen = walk(rows)
        for best in chosen:
            print(f"chosen fast={best['fast']} slow={best['slow']}")
        return fills

    return run


if __name__ == "__main__":
    tell({"search": (search, ROWS)})
