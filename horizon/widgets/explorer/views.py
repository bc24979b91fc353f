"""What an explorer draws of its results, in threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from horizon import rules
from horizon.backtesting.result_tables import instants
from horizon.figures import equity_curves, price_and_fills
from horizon.instruments import split_side
from horizon.widgets.job import Job
from horizon.widgets.live import Live, Owner, words_of

if TYPE_CHECKING:
    from horizon.backtesting.result import BacktestResult
    from horizon.figures.long import LongFigure

__all__ = ["Desired", "equity_figure", "price_figure"]


class Desired:
    """One thing that is wanted, made in a thread: the newest wish wins, and one is made at a time.

    Parameters
    ----------
    live : Live
    owner : Owner
    """

    def __init__(self, live: Live, owner: Owner) -> None:
        self._live, self._owner = live, owner
        self._job: Job[Any] | None = None
        self._wish: _Wish | None = None
        #: What is there, and why there is nothing where that could not be made.
        self.key: Hashable = None
        self.problem = ""

    @property
    def is_busy(self) -> bool:
        """Whether something is being made."""
        return self._wish is not None

    def want(
        self,
        key: Hashable,
        make: Callable[[], Any],
        put: Callable[[Any], object],
    ) -> None:
        """Have `make` called in a thread, and `put` with what it returns on the loop.

        Nothing happens where that is there already, or on its way.
        """
        if key == (self.key if self._wish is None else self._wish.key):
            return
        self._wish = _Wish(key, make, put)
        if self._job is None:
            self._start()

    def forget(self) -> None:
        """Want nothing any more, and take what is there for gone."""
        self._wish, self.key, self.problem = None, None, ""

    def _start(self) -> None:
        wish = self._wish
        assert wish is not None
        self._job = Job(
            self._live, self._owner, lambda _: wish.make(), lambda job: self._made(job, wish)
        )

    def _made(self, job: Job[Any], wish: _Wish) -> None:
        self._job = None
        if self._wish is not wish:  # nobody wants it any more
            if self._wish is not None:
                self._start()
            return
        self._wish, self.key, self.problem = None, wish.key, ""
        if job.state == "done":
            wish.put(job.result)
        elif job.error is not None:
            # Said in its place: a result without outcomes has no calibration, which is no mishap.
            self.problem = words_of(job.error)


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    key: Hashable
    make: Callable[[], Any]
    put: Callable[[Any], object]


# ------------------------------------------------------------------------ figures
def equity_figure(results: Sequence[tuple[str, BacktestResult]], theme: str) -> LongFigure:
    """Draw the equity of results on one axis, in money: they begin with one capital."""
    figure = equity_curves(
        {name: one.curve for name, one in results},
        rebase=False,
        theme=theme,
        currency=results[0][1].record.currency,
        title="Equity and drawdown",
    )
    # On the right it leaves the panel's name alone however narrow the place is.
    figure.update_layout(legend={"x": 1.0, "xanchor": "right"})
    return figure


def price_figure(result: BacktestResult, market: str, theme: str) -> LongFigure:
    """Draw a market's prices with the fills on them; a fill in NO as the one in YES it equals."""
    import pandas as pd

    record, fills = result.record, result.record.fills
    legs = [split_side(leg) for leg in fills.leg_ids]
    codes = [i for i, (name, _) in enumerate(legs) if name == market]
    rows = np.flatnonzero(np.isin(fills.legs, codes))
    is_no = np.array([no for _, no in legs], dtype=bool)[fills.legs[rows]]
    prices = fills.prices[rows].copy()
    # Not all at once: a compiled complement would round as this one does, and few are of NO.
    prices[is_no] = [rules.complement(price) for price in prices[is_no].tolist()]
    numbers = fills.order_numbers[rows]
    drawn = pd.DataFrame(
        {
            "timestamp": instants(fills.times_ns[rows]),
            "order_id": [f"p{number}" for number in numbers.tolist()],
            "side": np.where((fills.signs[rows] > 0) != is_no, "buy", "sell"),
            "quantity": fills.quantities[rows],
            "price": prices,
        }
    )
    return price_and_fills(
        _prices(result, market),
        drawn,
        market_id=market,
        theme=theme,
        currency=record.currency,
    )


def _prices(result: BacktestResult, market: str) -> tuple[Any, Any]:
    """Times and prices of a market; none where the data came in chunks, which are not kept."""
    record = result.record
    data = None if record.replayed is None else record.replayed.data
    if data is None:
        return np.empty(0, dtype="datetime64[ns]"), np.empty(0)
    prices = data.numbers["price"]
    is_there = ~np.isnan(prices)
    if data.codes is not None:
        is_there &= data.codes == data.feeds.index(record.market_feeds[market])
    return instants(data.times_ns[is_there]), prices[is_there]
