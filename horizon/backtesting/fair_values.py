"""The fair value behind each order, and so behind each fill, noted as a run goes."""

from __future__ import annotations

import math
from array import array
from typing import Final

from horizon.instruments import split_side
from horizon.venues.account import Account
from horizon.venues.archive import FillLog
from horizon.venues.records import MarketState

__all__ = ["FairValues"]

_NAN: Final = math.nan


class FairValues:
    """What the pipelines held for fair when they sent what has filled.

    Parameters
    ----------
    account : Account
        Compact; the run's own.
    """

    __slots__ = ("_account", "_fills", "behind", "by_fill", "count", "last")

    def __init__(self, account: Account) -> None:
        fills = account.fills
        assert isinstance(fills, FillLog)
        self._account = account
        self._fills = fills
        #: By order id, of orders that may still fill; NaN where there was none.
        self.behind: dict[str, float] = {}
        #: By market, of its pipeline's last run.
        self.last: dict[str, float] = {}
        #: A fair value of YES for each fill.
        self.by_fill = array("d")
        #: Fills that have theirs.
        self.count = 0

    def note_orders(self, first: int, market: MarketState, fair: float) -> None:
        """Note what is behind orders that stages have sent by themselves, from a number on."""
        for number in range(first, self._account.next_order):
            order = self._account.orders.get(f"p{number}")
            if order is not None:
                of = order.leg.market
                self.behind[order.id] = fair if of is market else self.last.get(of.id, _NAN)

    def note_fills(self) -> None:
        """Note what is behind each new fill."""
        fills, orders = self._fills, self._account.orders
        for i in range(self.count, fills.count):
            order_id = f"p{fills.whole[2 * i]}"
            fair = self.behind.get(order_id)
            if fair is None:
                # An algorithm's child, sent by a tick: its market's last fair value.
                market, _ = split_side(fills.leg_ids[fills.codes[i] >> 2])
                order = orders.get(order_id)
                is_forced = order is not None and order.intent == "liquidation"
                fair = _NAN if is_forced else self.last.get(market, _NAN)
            self.by_fill.append(fair)
        self.count = fills.count

    def forget(self) -> None:
        """Drop what is noted of orders that have ended."""
        still_open = self._account.open_orders
        for order_id in [known for known in self.behind if known not in still_open]:
            del self.behind[order_id]
