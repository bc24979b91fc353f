"""Play books and orders through hftbacktest and print its fills; run by its own Python.

Reads JSON from standard input: `tick_size`; `books`, each a list of bids and a list of asks as
[price in ticks, size], best first, one second apart; `orders` as [book, id, sign, size in whole
lots, price in ticks or null, "gtc" or "ioc"], each sent right after its book has been shown.

Prints JSON, one [id, book, price in ticks, size, "taker" or "maker"] for each fill.

Of an order that takes several levels at once, hftbacktest shows the last execution only. What it
takes does not change its book, though. So an order of n lots is preceded by orders of 1, 2 … n - 1
lots like it: the last execution of each shows where its last lot was had. Those that could rest
are sent as "ioc", and an order that rests is looked at after each book.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import Any

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_CLEAR_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    FILLED,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
    event_dtype,
)
from hftbacktest.order import IOC

SECOND = 10**9
START = 1_700_000_000 * SECOND
#: An order needs a nanosecond each way; this is ample for both.
WAIT = 100


def events_of(books: list[Any], tick_size: float) -> np.ndarray:
    """Each book clears both sides and sets its levels, all at one time.

    Both are cleared first: a bid set above an ask still there would leave that ask behind.
    """
    both = EXCH_EVENT | LOCAL_EVENT
    rows: list[tuple[int, int, float, float]] = []
    for number, (bids, asks) in enumerate(books):
        time = START + number * SECOND
        rows.append((DEPTH_CLEAR_EVENT | BUY_EVENT | both, time, 0.0, 0.0))
        rows.append((DEPTH_CLEAR_EVENT | SELL_EVENT | both, time, 1.0, 0.0))
        for kind, levels in ((BUY_EVENT, bids), (SELL_EVENT, asks)):
            rows.extend(
                (DEPTH_EVENT | kind | both, time, price * tick_size, size) for price, size in levels
            )
    events = np.zeros(len(rows), event_dtype)
    events["ev"] = [row[0] for row in rows]
    events["exch_ts"] = events["local_ts"] = [row[1] for row in rows]
    events["px"] = [row[2] for row in rows]
    events["qty"] = [row[3] for row in rows]
    return events


class Exchange:
    """One run, which knows how to send an order and what has become of it."""

    def __init__(self, books: list[Any], tick_size: float) -> None:
        self.events = events_of(books, tick_size)  # kept: the run reads it where it lies
        asset = (
            BacktestAsset()
            .data([self.events])
            .linear_asset(1.0)
            .constant_order_latency(1, 1)
            .risk_adverse_queue_model()
            .partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(tick_size)
            .lot_size(1.0)
        )
        self.run = HashMapMarketDepthBacktest([asset])
        self.tick_size = tick_size
        self.sent = 0
        self.run.elapse(1)

    def show(self, number: int) -> None:
        self.run.elapse(START + number * SECOND + WAIT - self.run.current_timestamp)

    def send(self, sign: int, size: int, price: int | None, is_ioc: bool) -> int:
        self.sent += 1
        submit = self.run.submit_buy_order if sign > 0 else self.run.submit_sell_order
        limit = 0.0 if price is None else price * self.tick_size
        kind, tif = MARKET if price is None else LIMIT, IOC if is_ioc else GTC
        submit(0, self.sent, limit, float(size), tif, kind, False)
        self.run.elapse(WAIT)
        return self.sent

    def filled_at(self, number: int) -> int | None:
        """Price in ticks of an order's last execution; None unless it has filled whole."""
        order = self.run.orders(0).get(number)
        return order.exec_price_tick if order.status == FILLED else None

    def walk(self, sign: int, size: int, price: int | None) -> list[tuple[int, int]]:
        """Where each lot of a taking order is had, as (price in ticks, size), level by level."""
        lots = [self.filled_at(self.send(sign, up_to, price, True)) for up_to in range(1, size + 1)]
        return [(at, len(list(some))) for at, some in groupby(lots) if at is not None]


def fills_of(job: dict[str, Any]) -> list[list[Any]]:
    """Return every fill of a job."""
    books = job["books"]
    # A run ends with its data, before anybody could look: the last book is shown twice.
    exchange = Exchange([*books, books[-1]], job["tick_size"])
    resting: dict[int, tuple[int, int]] = {}
    found: list[list[Any]] = []
    for number in range(len(books)):
        exchange.show(number)
        for order_id, (own, size) in list(resting.items()):
            at = exchange.filled_at(own)
            if at is not None:
                found.append([order_id, number, at, size, "maker"])
                del resting[order_id]
        for book, order_id, sign, size, price, tif in job["orders"]:
            if book != number:
                continue
            taken = exchange.walk(sign, size, price)
            found.extend([order_id, number, at, part, "taker"] for at, part in taken)
            if not taken and tif == "gtc" and price is not None:
                resting[order_id] = (exchange.send(sign, size, price, False), size)
    exchange.run.close()
    return found


if __name__ == "__main__":
    print(json.dumps(fills_of(json.load(sys.stdin))))
