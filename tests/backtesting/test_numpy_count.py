"""A quoter's fills, counted by NumPy without any engine.

The data is a walk in whole cents, and the quoter stands two cents from each price. So a fill is a
step between two rows, and counting fills is counting steps of a size, in integers.

Ties decide here. Under ``"quotes"`` only a step of three cents, the largest there is, brings the
opposite quote to the order's price, and then exactly to it: every fill is a tie. Under ``"price"``
a step of two cents is one, two fills of three. The order's price is a float such as 0.53 - 0.02,
the price it is compared with another such as 0.51, and the first may lie a unit in the last place
to either side of the second. A plain comparison loses a tie where a bid came out low, or an ask
high: a fifth of the fills under ``"quotes"``. Horizon takes a price within 1e-9 of a limit,
relatively, as having reached it, and so gets what the integers get.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import horizon as hz

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

START = 1_700_000_000


def walk(n: int, seed: int = 42) -> np.ndarray:
    """Cents from 50, steps of -3 to 3, turned back so that they stay within 3 and 97."""
    steps = np.random.default_rng(seed).choice(
        np.arange(-3, 4), size=n, p=[0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05]
    )
    cents, at = [], 50
    for step in steps.tolist():
        at += step
        if at < 3:
            at = 6 - at
        elif at > 97:
            at = 194 - at
        cents.append(at)
    return np.array(cents)


def quoter(ctx: Any) -> list[hz.Quote]:
    return hz.quotes(ctx.feed.price, spread=0.04, size=10)


def run(cents: np.ndarray, matching: str) -> Any:
    data = {
        "timestamp": START + np.arange(len(cents)),
        "price": np.round(cents / 100, 2),
        "bid": np.round((cents - 1) / 100, 2),
        "ask": np.round((cents + 1) / 100, 2),
    }
    return hz.backtest(
        markets=["m"],
        data=data,
        pipeline=[quoter],
        matching=matching,
        paper_fee_rate=0.0,
        initial_capital=100_000.0,
    )


def counted(cents: np.ndarray, matching: str) -> tuple[int, int]:
    """Fills by integers, and by plain comparisons of the floats.

    A quote bid two cents below a price fills if the next ask, a cent above the next price, is at
    it or below: the price must fall by three. At the price itself, by two. Every row's quotes are
    in force at the next row, whether they were sent anew or kept.
    """
    steps = np.diff(cents)
    reach = 3 if matching == "quotes" else 2
    whole = int(np.count_nonzero(np.abs(steps) >= reach))

    price = np.round(cents / 100, 2)
    away = 1 if matching == "quotes" else 0
    buys_meet = np.round((cents + away) / 100, 2)[1:]
    sells_meet = np.round((cents - away) / 100, 2)[1:]
    bids, asks = price[:-1] - 0.02, price[:-1] + 0.02
    plain = np.count_nonzero(buys_meet <= bids) + np.count_nonzero(sells_meet >= asks)
    return whole, int(plain)


@pytest.mark.parametrize("matching", ["quotes", "price"])
@pytest.mark.parametrize("seed", range(3))
def test_fills_are_the_steps_of_a_walk(seed: int, matching: str) -> None:
    cents = walk(5_000, seed)
    fills, plain = counted(cents, matching)
    assert 0 < plain < fills
    assert len(run(cents, matching).fills) == fills


# 200,000 rows: known beforehand from a count without any engine, to which hftbacktest and
# vectorbt (quotes) and backtrader (price) also come.
@pytest.mark.long
@pytest.mark.parametrize(
    "matching, fills, plain", [("quotes", 19_575, 15_579), ("price", 59_141, 50_961)]
)
def test_fills_are_the_steps_of_a_long_walk(matching: str, fills: int, plain: int) -> None:
    cents = walk(200_000)
    assert counted(cents, matching) == (fills, plain)
    result = run(cents, matching)
    made = result.fills
    assert len(made) == fills

    # Each side by itself, and the money: a buy at a row pays two cents under the row before it.
    steps = np.diff(cents)
    reach = 3 if matching == "quotes" else 2
    bought, sold = steps <= -reach, steps >= reach
    assert sum(fill.order_side is hz.OrderSide.Buy for fill in made) == np.count_nonzero(bought)
    paid = 10 * int(np.sum(cents[:-1][bought] - 2))
    received = 10 * int(np.sum(cents[:-1][sold] + 2))
    held = 10 * (np.count_nonzero(bought) - np.count_nonzero(sold))
    cash = 100_000.0 + (received - paid) / 100
    assert result.equity_curve[-1][1] == pytest.approx(cash + held * cents[-1] / 100, abs=1e-8)
