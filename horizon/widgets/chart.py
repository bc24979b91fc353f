"""A live price line with the fills on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from horizon import checks, rules, words
from horizon.figures.series import thinned
from horizon.instruments import canonical_id, split_side
from horizon.types import AssetClass
from horizon.venues.account import FillRow
from horizon.widgets.access import client_of, text_of, venue_of
from horizon.widgets.axes import price_ticks, time_ticks
from horizon.widgets.face import Face, Verb
from horizon.widgets.live import FIGURES
from horizon.widgets.palette import Palette
from horizon.widgets.tape import Tape

__all__ = ["PriceChart"]

#: Points of the line, and fills on it: what a page draws anew several times a second at ease.
_POINTS: Final = 600
_FILLS: Final = 200
#: Fills remembered of one market, and taken up in one paint.
_KEPT: Final = 2_000
_READ: Final = 20_000
_DAY: Final = 86_400
#: Stretches of time to choose from, in seconds.
_SPANS: Final = (("60", "1 min"), ("300", "5 min"), ("3600", "1 h"), ("all", "all"))


class PriceChart(Face):
    """The price line of one market since it is watched, with the account's fills.

    Every tick is kept (the latest 20,000 of a market); the line is drawn four times a second at
    most, thinned to 600 points that keep its extremes. A fill on the NO side of a prediction
    stands as what it equals on the line of YES: NO bought is YES sold, at the complement.

    Parameters
    ----------
    ex : ImperativeClient
    market : str, optional
        The market to begin with; by default the first that ticks. A list above the line changes
        it.
    palette : str or Palette
    """

    script = ("chart.js",)
    private: ClassVar[frozenset[str]] = frozenset({"choose", "span"})

    def __init__(
        self,
        ex: object,
        *,
        market: str | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue = venue_of(self._ex)
        if market is not None:
            venue.market(
                checks.market_id("market", market)
            )  # says what is wrong with a name that is none
        # The line is the market's own, by whichever id it was named.
        self._market = None if market is None else split_side(canonical_id(market))[0]
        self._span = "all"
        # Of each market: fills and their numbers, from 1.
        self._fills: dict[str, deque[tuple[int, FillRow]]] = {}
        self._read = 0
        self._joined: Tape | None = None
        super().__init__(palette=palette, every=FIGURES)

    @property
    def _tape(self) -> Tape:
        # Joined at the first paint: a chart whose making is refused must leave nothing behind.
        if self._joined is None:
            self._joined = Tape.of(venue_of(self._ex))
            if self._market is not None:
                self._joined.keep(self._market)
        return self._joined

    @property
    def market(self) -> str | None:
        """The market on show; None before the first tick."""
        return self._market

    def verbs(self) -> dict[str, Verb]:
        """Choose a market, or a stretch of time."""
        return {"choose": self._choose, "span": self._set_span}

    def show(self, market_id: str) -> None:
        """Show a market's line, if it has had a price; a name that is no market's is ignored."""
        market = split_side(canonical_id(market_id))[0]
        if market in self._tape.markets and market != self._market:
            self._market = market
            self._live.paint(self)

    def _choose(self, arguments: Mapping[str, Any]) -> None:
        market = text_of(arguments, "market")
        if market not in self._tape.markets:
            raise ValueError(f"market {words.name(market)!r} is not on the list of this chart")
        self._market = market

    def _set_span(self, arguments: Mapping[str, Any]) -> None:
        span = text_of(arguments, "span")
        if span not in dict(_SPANS):
            raise ValueError(f"span must be one of {', '.join(dict(_SPANS))}, was {span!r}")
        self._span = span

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The line and its fills, with their axes and in words."""
        self._read_fills()
        markets = self._tape.markets
        if self._market is None and markets:
            self._market = markets[0]
        return {
            "name": "Price",
            "markets": [[market, words.name(market)] for market in markets],
            "market": self._market,
            "spans": [list(span) for span in _SPANS],
            "span": self._span,
            **self._line(),
        }

    def _line(self) -> dict[str, Any]:
        market = self._market
        money = words.name(self._ex.engine.venue.currency)
        if market is None:
            return {"summary": "No price yet.", "points": [], "fills": []}
        times, prices = self._tape.path(market)
        if not len(prices):
            return {"summary": "No price yet.", "points": [], "fills": []}
        seconds = times.astype(np.int64) / 1e9
        if self._span != "all":
            within = seconds >= seconds[-1] - float(self._span)
            times, seconds, prices = times[within], seconds[within], prices[within]
        account = self._ex.engine.venue.account
        every = self._fills.get(market, ())
        since = int(times[0].astype(np.int64))
        fills = [fill for fill in every if fill[1][6] >= since]
        drawn = fills[-_FILLS:]
        kept = thinned(prices, _POINTS)
        levels = [float(prices.min()), float(prices.max()), *(self._place(row) for _, row in drawn)]
        bottom, top, price_marks = price_ticks(min(levels), max(levels))
        latest = max([float(seconds[-1]), *(row[6] / 1e9 for _, row in drawn)])
        is_long = int(seconds[0] // _DAY) != int(latest // _DAY)
        start, end, time_marks = time_ticks(float(seconds[0]), latest)
        thin = "" if len(kept) == len(prices) else f", drawn with {len(kept):,} points"
        less = "" if len(drawn) == len(fills) else f", the latest {len(drawn):,} drawn"
        is_mirrored = any(account.legs[row[1]].is_no for _, row in drawn)
        mirror = "; a trade in NO stands as the trade in YES that it equals" if is_mirrored else ""
        state = account.markets.get(market)
        paid = ""
        if state is not None and state.settled:
            paid = f"; settled at {words.price(state.settled_at)} {money}"
        over = "more than " if len(every) == _KEPT and len(fills) == _KEPT else ""
        return {
            "summary": f"{words.price(float(prices[-1]))} {money}; low "
            f"{words.price(float(prices.min()))}, high {words.price(float(prices.max()))} over "
            f"{_count(len(prices), 'tick')}{thin}; {over}{_count(len(fills), 'fill')}{less}"
            f"{mirror}{paid}",
            "points": [
                [second, price, f"{words.clock(second, date=is_long)} UTC  {words.price(price)}"]
                for second, price in zip(seconds[kept].tolist(), prices[kept].tolist(), strict=True)
            ],
            "fills": [
                [
                    f"f{number}",
                    row[6] / 1e9,
                    self._place(row),
                    "buy" if (row[2] > 0) is not account.legs[row[1]].is_no else "sell",
                    self._words(row),
                ]
                for number, row in drawn
            ],
            "x": [start, end, time_marks, "Time, UTC"],
            "y": [bottom, top, price_marks, f"Price, {money}"],
        }

    def _read_fills(self) -> None:
        """Take up the fills since the last paint."""
        account = self._ex.engine.venue.account
        with self._ex.engine.venue.lock:
            # A long log is taken up in parts, a paint each: nobody waits for it.
            rows = account.fills[self._read : self._read + _READ]
            for number, row in enumerate(rows, self._read + 1):
                market = account.legs[row[1]].market
                self._fills.setdefault(market.id, deque(maxlen=_KEPT)).append((number, row))
            self._read += len(rows)

    def _place(self, row: FillRow) -> float:
        """Price at which a fill stands: on the line of YES, NO is at its complement."""
        leg = self._ex.engine.venue.account.legs[row[1]]
        return rules.complement(row[4]) if leg.is_no else row[4]

    def _words(self, row: FillRow) -> str:
        venue = self._ex.engine.venue
        _, leg_id, sign, quantity, price, _, ns, *_ = row
        leg, side = venue.account.legs[leg_id], ""
        if leg.market.asset_class == AssetClass.Prediction:
            side = " NO" if leg.is_no else " YES"
        return (
            f"{words.clock(ns / 1e9, date=True)} UTC: {'bought' if sign > 0 else 'sold'} "
            f"{words.exact(quantity)}{side} at {words.price(price)} {words.name(venue.currency)}"
        )

    def release(self, reason: str) -> None:
        """End for good, and leave the tape."""
        if self._joined is not None and not self.ended:
            self._joined.leave()
        super().release(reason)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
