"""The prices that a run has seen, as curves: what it would have been to hold a market."""

from __future__ import annotations

import numpy as np

from horizon.analytics.curves import Curve
from horizon.backtesting.record import RunRecord

__all__ = ["price_curve", "priced_markets"]


def priced_markets(record: RunRecord) -> list[str]:
    """Return the markets whose prices the run still has, in its order.

    A run that was loaded from a file, or whose rows came in chunks, has none.
    """
    data = None if record.replayed is None else record.replayed.data
    if data is None:
        return []
    feeds = set(data.feeds)
    return [m.id for m in record.markets if record.market_feeds.get(m.id) in feeds]


def price_curve(record: RunRecord, market: str) -> Curve:
    """Return the prices of a market as the run was fed them; rows without a price left out.

    Raises
    ------
    ValueError
        If the run has no prices of the market.
    """
    known = priced_markets(record)
    data = None if record.replayed is None else record.replayed.data
    if data is None or market not in known:
        raise ValueError(
            f"market must be one whose prices the run has kept, was {market!r}; it has "
            f"{', '.join(map(repr, known)) or 'none'}"
        )
    prices, times = data.numbers["price"], data.times_ns
    has_price = ~np.isnan(prices)
    if data.codes is not None:
        has_price &= data.codes == data.feeds.index(record.market_feeds[market])
    return Curve(times[has_price], prices[has_price])
