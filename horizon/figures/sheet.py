"""What the figures of one account share: a time axis, words, and how prices and fills look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import plotly.graph_objects as go

from horizon.figures.series import FillColumns, Numbers, Times, thinned, times_of
from horizon.figures.themes import Theme
from horizon.figures.words import amount, moment, money

if TYPE_CHECKING:
    from horizon.algos import AlgoProgress

__all__ = ["DONE_WORDS", "MANY", "Clock", "Sheet", "fill_markers", "price_line"]

#: Beyond so many, points are drawn small and bars plain.
MANY: Final = 200
#: What a fill did, by whether it bought.
DONE_WORDS: Final = {True: "bought", False: "sold"}
#: Seconds in each unit of an elapsed axis, and how many of it are still easy to read.
_UNITS: Final = (("seconds", 1.0, 180.0), ("minutes", 60.0, 180.0), ("hours", 3600.0, 72.0))


@dataclass(frozen=True, slots=True)
class Clock:
    """The time axis: dates, or one unit of time since an origin."""

    origin: np.datetime64 | None
    unit: str = ""
    seconds: float = 1.0

    @classmethod
    def of(cls, progress: AlgoProgress, fills: FillColumns, elapsed: bool) -> Clock:
        """Choose the unit in which the algorithm's whole life is easy to read."""
        if not elapsed or progress.started_at is None:
            return cls(None)
        start = times_of([progress.started_at])[0]
        end = times_of([progress.ends_at or progress.time or progress.started_at])[0]
        span = (max([end, *fills.times[-1:]]) - start) / np.timedelta64(1, "s")
        for unit, seconds, most in _UNITS:
            if span <= seconds * most:
                return cls(start, unit, seconds)
        return cls(start, "days", 86_400.0)

    @property
    def title(self) -> str:
        """The axis title, with its unit."""
        return "Time, UTC" if self.origin is None else f"Time since the first tick, {self.unit}"

    def place(self, times: Times) -> Any:
        """Return times as the axis counts them."""
        if self.origin is None:
            return times
        return (times - self.origin) / np.timedelta64(1, "s") / self.seconds

    def say(self, time: np.datetime64) -> str:
        """Write one point in time for a hover text."""
        if self.origin is None:
            return f"{moment(time)} UTC"
        after = f"{float(self.place(np.array([time]))[0]):,.4g}"
        return f"after {after} {self.unit.removesuffix('s') if after == '1' else self.unit}"


class Sheet:
    """What the parts of one figure share: its look, its words, and what it has to admit."""

    def __init__(self, look: Theme, currency: str, clock: Clock) -> None:
        self.look = look
        self.currency = currency
        self.clock = clock
        self._left_out: dict[str, str] = {}

    def thin(self, values: Numbers, what: str) -> Any:
        """Choose the points to draw, and remember it if there are fewer than were given."""
        kept = thinned(values)
        if len(kept) < len(values):
            self._left_out[what] = f"{len(kept):,} of {len(values):,} {what}"
        return kept

    @property
    def notes(self) -> list[str]:
        """What the figure has to say of points that it leaves out."""
        if not self._left_out:
            return []
        drawn = ", ".join(self._left_out.values())
        return [f"Drawn: {drawn}, with the lowest and highest of each stretch"]


def price_line(sheet: Sheet, times: Times, prices: Numbers, **where: Any) -> go.Scatter:
    """Return the line of a price path."""
    kept = sheet.thin(prices, "prices")
    times, prices = times[kept], prices[kept]
    return go.Scatter(
        x=sheet.clock.place(times),
        y=prices,
        name="price",
        mode="lines",
        line={"color": sheet.look.muted, "width": 1.5},
        hovertext=[
            f"{sheet.clock.say(time)}: {money(price, sheet.currency)}"
            for time, price in zip(times, prices.tolist(), strict=True)
        ],
        hoverinfo="text",
        **where,
    )


def fill_markers(sheet: Sheet, fills: FillColumns, colour: str, **where: Any) -> go.Scatter:
    """Return fills of one side as markers: buys point up, sells point down."""
    some = fills.where(sheet.thin(fills.prices, "fills"))
    is_buy = bool(some.is_buy[0])
    return go.Scatter(
        x=sheet.clock.place(some.times),
        y=some.prices,
        name=DONE_WORDS[is_buy],
        mode="markers",
        marker={
            "symbol": "triangle-up" if is_buy else "triangle-down",
            "size": 10 if len(some) <= MANY else 5,
            "color": colour,
            "line": {"width": int(len(some) <= MANY), "color": sheet.look.paper},
        },
        hovertext=[
            f"{sheet.clock.say(time)}: {DONE_WORDS[is_buy]} {amount(quantity)} at "
            f"{money(price, sheet.currency)}"
            for time, quantity, price in zip(
                some.times, some.quantities.tolist(), some.prices.tolist(), strict=True
            )
        ],
        hoverinfo="text",
        **where,
    )
