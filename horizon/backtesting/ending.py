"""The end of a run: its engine closed, and everything that it leaves behind in one record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from horizon.backtesting.record import Replayed, RunRecord
from horizon.backtesting.remarks import remarks_of
from horizon.instruments import Market
from horizon.venues.history import STATUSES, fill_columns, packed_orders

if TYPE_CHECKING:
    from horizon.backtesting.loop import Loop
    from horizon.backtesting.playing import MarketData

__all__ = ["record_of"]

_REJECTED: Final = STATUSES.index("rejected")


def record_of(
    loop: Loop,
    *,
    name: str,
    capital: float,
    contracts: Sequence[Market],
    feed_of: dict[str, str],
    outcomes: dict[str, float],
    dropped: dict[str, dict[str, int]],
    config: dict[str, object],
    periods_per_year: float | None,
    replayed: Replayed | None,
    data: MarketData | None = None,
) -> RunRecord:
    """Make the record of a loop that has finished, and close its engine.

    Parameters
    ----------
    data : MarketData, optional
        The rows that were played, or the first of them; None where nobody has kept them. They
        give the times of the curve where the loop has noted none.
    """
    account = loop.account
    if loop.times is not None:
        times = np.frombuffer(loop.times, dtype=np.int64)
    else:
        assert data is not None
        times = data.times_ns
        if loop.last_ns is not None:
            times = np.append(times, loop.last_ns)
    orders = packed_orders(account)
    fills = fill_columns(account)
    rejections = Counter(account.refusals)
    refused = orders.reasons[orders.statuses == _REJECTED]
    for reason, count in zip(*np.unique(refused, return_counts=True), strict=True):
        rejections[orders.reason_texts[int(reason)].split(":")[0]] += int(count)
    record = RunRecord(
        name=name,
        initial_capital=capital,
        markets=tuple(contracts),
        market_feeds=feed_of,
        times_ns=times,
        equity=np.frombuffer(loop.equity, dtype=np.float64),
        fills=fills,
        orders=orders,
        fair_values=np.frombuffer(loop.fair.by_fill, dtype=np.float64),
        settlements=tuple(account.settlements),
        positions=tuple(loop.engine.positions()),
        outcomes=outcomes,
        rejections=dict(rejections),
        remarks=remarks_of(loop, data, fills, orders),
        errors=dict(loop.dealer.errors),
        error_texts=tuple(loop.dealer.error_texts),
        dropped=dropped,
        config=config,
        periods_per_year=periods_per_year,
        decisions=None if loop.desk is None else loop.desk.log.columns(account),
        replayed=replayed,
    )
    loop.engine.end_run()
    return record
