"""Fill by fill against hftbacktest, which runs in an environment of its own.

`HORIZON_HFTBACKTEST` names the Python of that environment:

    python -m venv /somewhere && /somewhere/bin/pip install hftbacktest==2.4.4 numba numpy
    HORIZON_HFTBACKTEST=/somewhere/bin/python python -m pytest tests/backtesting/test_hftbacktest.py

Compared is where its rules are ours: an order that takes walks the other side level by level at
each level's price, and one that rests fills at its limit when a later book's other side reaches
it. Where they differ the random orders below keep away: hftbacktest does not remember what an
order took (so no order here takes from a book that another has taken from), fills a resting
order whole whatever the size shown (so what rests is smaller than any level), and fills what is
left of a taking limit order at its limit at once (so a "gtc" order here finds enough to take).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import horizon as hz
from horizon import OrderRequest, OrderSide, Side

PYTHON = os.environ.get("HORIZON_HFTBACKTEST", "")
SCRIPT = Path(__file__).with_name("hftbacktest_fills.py")
START = 1_700_000_000.0

pytestmark = pytest.mark.skipif(
    not Path(PYTHON).is_file(),
    reason="HORIZON_HFTBACKTEST does not name the Python of an environment with hftbacktest",
)

#: Best first, as (price in cents, size).
Levels = list[tuple[int, int]]
#: Book, id, sign, size, price in cents or None, "gtc" or "ioc".
Order = tuple[int, int, int, int, int | None, str]


def random_book(chance: np.random.Generator, middle: int) -> tuple[Levels, Levels]:
    """Four levels a side, one or two cents apart, five to fifteen at each."""
    sides: list[Levels] = []
    for sign in (-1, 1):
        price, levels = middle, []
        for _ in range(4):
            price += sign * int(chance.integers(1, 3))
            levels.append((price, int(chance.integers(5, 16))))
        sides.append(levels)
    return sides[0], sides[1]


def reached(levels: Levels, sign: int, limit: int | None) -> Levels:
    """Levels at a limit or better for a taker of this sign."""
    return [level for level in levels if limit is None or sign * (level[0] - limit) <= 0]


def scenario(seed: int, n: int = 400) -> tuple[list[tuple[Levels, Levels]], list[Order]]:
    """Books around a walk, and orders of four kinds that both can be expected to agree on."""
    chance = np.random.default_rng(seed)
    middle, books, orders = 50, [], []
    resting: list[tuple[int, int]] = []
    for number in range(n):
        middle = int(np.clip(middle + chance.integers(-3, 4), 20, 80))
        book = random_book(chance, middle)
        books.append(book)
        sides = {1: book[1], -1: book[0]}  # what each sign takes from
        hit = [rest for rest in resting if reached(sides[rest[0]], rest[0], rest[1])]
        resting = [rest for rest in resting if rest not in hit]
        sign = int(chance.choice([-1, 1]))
        if any(rest[0] == sign for rest in hit):
            continue
        levels = sides[sign]
        kind = chance.choice(["market", "ioc", "take", "rest"])
        tif, limit = "gtc", None
        if kind == "market":
            size = int(chance.integers(1, 61))  # four levels hold at most 60, and often less
        elif kind == "ioc":
            size, tif = int(chance.integers(1, 41)), "ioc"
            limit = levels[0][0] + sign * int(chance.integers(-1, 8))
        elif kind == "take":
            limit = levels[0][0] + sign * int(chance.integers(0, 8))
            size = int(chance.integers(1, 1 + sum(s for _, s in reached(levels, sign, limit))))
        else:
            if sum(rest[0] == sign for rest in resting) == 4:
                continue
            size, limit = 1, levels[0][0] - sign * int(chance.integers(1, 6))
            resting.append((sign, limit))
        orders.append((number, len(orders) + 1, sign, size, limit, tif))
    return books, orders


def fills_by_hftbacktest(
    books: list[tuple[Levels, Levels]], orders: list[Order]
) -> list[tuple[Any, ...]]:
    job = json.dumps({"tick_size": 0.01, "books": books, "orders": orders})
    ended = subprocess.run(
        [PYTHON, str(SCRIPT)], input=job, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return [tuple(fill) for fill in json.loads(ended.stdout)]


def fills_by_horizon(
    books: list[tuple[Levels, Levels]], orders: list[Order]
) -> list[tuple[Any, ...]]:
    due: dict[float, OrderRequest] = {}
    for number, _, sign, size, limit, tif in orders:
        due[START + number] = OrderRequest(
            "m",
            Side.Yes,
            OrderSide.Buy if sign > 0 else OrderSide.Sell,
            float(size),
            None if limit is None else limit / 100,
            tif=tif,
        )

    def send(ctx: Any) -> list[OrderRequest]:
        order = due.get(ctx.timestamp)
        return [] if order is None else [order]

    shown = [
        {
            "timestamp": START + number,
            "bids": [(price / 100, float(size)) for price, size in bids],
            "asks": [(price / 100, float(size)) for price, size in asks],
        }
        for number, (bids, asks) in enumerate(books)
    ]
    result = hz.backtest(
        markets=["m"],
        book_data={"m": shown},
        pipeline=[send],
        paper_fee_rate=0.0,
        enforce_buying_power=False,
    )
    return [
        (
            int(fill.order_id[1:]),
            round(fill.timestamp - START),
            round(fill.price * 100),
            round(fill.size),
            "maker" if fill.is_maker else "taker",
        )
        for fill in result.fills
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_fill_is_the_one_that_hftbacktest_makes(seed: int) -> None:
    books, orders = scenario(seed)
    theirs = fills_by_hftbacktest(books, orders)
    ours = fills_by_horizon(books, orders)
    assert sorted(ours) == sorted(theirs)

    # That it compared something: walks over several levels, and orders that rested.
    levels_of = Counter(fill[0] for fill in theirs if fill[-1] == "taker")
    assert sum(count > 1 for count in levels_of.values()) > 50
    assert sum(fill[-1] == "maker" for fill in theirs) > 15
