"""What the figures of one account share: a time axis, words, and how prices and fills look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.figures.long import LongFigure
from horizon.figures.series import FillColumns, Numbers, Times, times_of
from horizon.figures.themes import Theme
from horizon.figures.words import amount, moment, money

if TYPE_CHECKING:
    from horizon.algos import AlgoProgress

__all__ = ["DONE_WORDS", "MANY", "Clock", "Sheet", "add_both_sides", "add_fills", "add_prices"]

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


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the parts of one figure share: its look, its currency, and how it counts time."""

    look: Theme
    currency: str
    clock: Clock


def add_prices(
    figure: LongFigure,
    sheet: Sheet,
    times: Times,
    prices: Numbers,
    *,
    row: int | None = None,
    col: int | None = None,
    **where: Any,
) -> None:
    """Add the line of a price path, in order of time, to a subplot or to the whole."""

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "x": sheet.clock.place(times[kept]),
            "y": prices[kept],
            "name": "price",
            "mode": "lines",
            "line": {"color": sheet.look.muted, "width": 1.5},
            "hovertext": [
                f"{sheet.clock.say(time)}: {money(price, sheet.currency)}"
                for time, price in zip(times[kept], prices[kept].tolist(), strict=True)
            ],
            "hoverinfo": "text",
            **where,
        }

    figure.add_long(sheet.clock.place(times), prices, draw, what="prices", row=row, col=col)


def add_fills(
    figure: LongFigure,
    sheet: Sheet,
    fills: FillColumns,
    colour: str,
    *,
    what: str = "fills",
    row: int | None = None,
    col: int | None = None,
    **where: Any,
) -> None:
    """Add fills of one side, one at least, as markers: buys point up, sells point down."""
    is_buy = bool(fills.is_buy[0])
    few = len(fills) <= MANY

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        some = fills.where(kept)
        return {
            "type": "scatter",
            "x": sheet.clock.place(some.times),
            "y": some.prices,
            "name": DONE_WORDS[is_buy],
            "mode": "markers",
            "marker": {
                "symbol": "triangle-up" if is_buy else "triangle-down",
                "size": 10 if few else 5,
                "color": colour,
                "line": {"width": int(few), "color": sheet.look.paper},
            },
            "hovertext": [
                f"{sheet.clock.say(time)}: {DONE_WORDS[is_buy]} {amount(quantity)} at "
                f"{money(price, sheet.currency)}"
                for time, quantity, price in zip(
                    some.times, some.quantities.tolist(), some.prices.tolist(), strict=True
                )
            ],
            "hoverinfo": "text",
            # For whoever is told of a click on one of them.
            "customdata": some.order_ids,
            **where,
        }

    figure.add_long(sheet.clock.place(fills.times), fills.prices, draw, what=what, row=row, col=col)


def add_both_sides(
    figure: LongFigure, sheet: Sheet, fills: FillColumns, buy: str, sell: str
) -> None:
    """Add what was bought and what was sold, each in its colour, if there is any."""
    for is_buy, colour, what in ((True, buy, "buys"), (False, sell, "sells")):
        some = fills.where(fills.is_buy == is_buy)
        if len(some):
            add_fills(figure, sheet, some, colour, what=what)
