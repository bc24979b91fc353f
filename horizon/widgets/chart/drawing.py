"""A stretch of a market's tape as what a page draws: line or bars, band, volume and axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from horizon import words
from horizon.figures.series import thinned
from horizon.widgets.axes import Axis, price_ticks, time_ticks
from horizon.widgets.chart.bars import WIDTHS, Bars, bars_of, fitting
from horizon.widgets.chart.marks import Line, Outlook
from horizon.widgets.tape import Numbers, Ticks

__all__ = ["Drawn", "PriceAxis", "Stretch", "bars_drawn", "line_drawn", "volume_drawn"]

#: Points of the line, and bars: what a page draws anew several times a second at ease; and points
#: whose values can be read.
POINTS: Final = 600
_TOLD: Final = 200
_BARS: Final = 240
#: Bars that a stretch is cut into where nobody has chosen, and those of volume under a line.
_AUTO: Final = 120
_VOLUMES: Final = 60
_DAY: Final = 86_400
#: An axis is chosen anew when the line leaves it, or when it fills less of it than this.
_TIGHT: Final = 0.4
#: Relative room around a line of one price, within which orders are still drawn.
_ROOM: Final = 0.01


class Stretch:
    """The ticks of a market within a stretch of time, seen from one side.

    Parameters
    ----------
    ticks : Ticks
        All that is kept.
    outlook : Outlook
    start, end : float
        Seconds since 1970.
    stands_still : bool
        Whether the end is not the latest price.
    """

    def __init__(
        self, ticks: Ticks, outlook: Outlook, start: float, end: float, *, stands_still: bool
    ) -> None:
        self.start, self.end, self.stands_still = start, end, stands_still
        self.outlook = outlook
        self._all = ticks
        first, last = self._place(start, "left"), self._place(end, "right")
        self.ticks = ticks.within(slice(first, last))
        self.before = ticks.within(slice(max(first - 1, 0), first))

    def _place(self, second: float, side: Any) -> int:
        # Half a microsecond is what a float of seconds cannot tell apart.
        ns = round(second * 1e9)
        slack = -512 if side == "left" else 512
        return int(np.searchsorted(self._all.times, ns + slack, side=side))

    def __len__(self) -> int:
        return len(self.ticks)

    @property
    def prices(self) -> Numbers:
        """Prices, as they stand from this side."""
        return self.outlook.turn(self.ticks.prices)

    def quotes(self, ticks: Ticks) -> tuple[Numbers, Numbers]:
        """Bids and asks, as they stand from this side; NaN where there is none."""
        missing = np.full(len(ticks), np.nan)
        bids = missing if ticks.bids is None else self.outlook.turn(ticks.bids)
        asks = missing if ticks.asks is None else self.outlook.turn(ticks.asks)
        return (asks, bids) if self.outlook.is_no else (bids, asks)

    def whole_bars(self, width: int) -> Ticks:
        """The ticks of all bars that the stretch has a part of."""
        first = self._place(self.start // width * width, "left")
        last = self._place(self.end, "right")
        if self.stands_still:
            last = self._place((self.end // width + 1) * width - 1e-6, "right")
        part = self._all.within(slice(first, last))
        if not self.outlook.is_no:
            return part
        return Ticks(part.times, self.outlook.turn(part.prices), volumes=part.volumes)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line or bars, with the axis of time and the prices that the other axis must hold."""

    points: list[list[Any]]
    band: list[list[float | None]]
    bars: list[list[Any]]
    x: Axis
    prices: list[float]
    note: str
    width: int | None = None


class Clock:
    """Times as a stretch needs them: with the date or with thousandths where that tells more."""

    def __init__(self, start: float, end: float) -> None:
        self.is_long = int(start // _DAY) != int(end // _DAY)
        self.is_fine = end - start < 30.0

    def __call__(self, ns: int) -> str:
        text = words.clock(ns // 1_000_000_000, date=self.is_long)
        part = ns // 1_000_000 % 1_000
        return f"{text}.{part:03}" if self.is_fine and part else text


def line_drawn(stretch: Stretch, latest: float, said: dict[Any, str]) -> Drawn:
    """Draw a line of at most 600 points, which keep its extremes; 200 of them tell their values.

    Parameters
    ----------
    stretch : Stretch
    latest : float
        What the axis of time must reach.
    said : dict
        Texts of points of the paint before, which are taken over; it is filled anew.
    """
    start, end = stretch.start, max(stretch.end, latest)
    prices = stretch.prices
    kept = thinned(prices, POINTS - 2)
    told = kept[thinned(prices[kept], _TOLD)]
    clock, former = Clock(start, end), dict(said)
    said.clear()

    def tell(
        ticks: Ticks, quotes: tuple[Numbers, Numbers], i: int, price: float
    ) -> tuple[str, list[float | None]]:
        """The words of a tick, and its bid and ask."""
        bids, asks = quotes
        volume = None if ticks.volumes is None else _given(ticks.volumes[i])
        row = (int(ticks.times[i]), price, _given(bids[i]), _given(asks[i]), volume)
        key = (clock.is_long, clock.is_fine, row)
        said[key] = former[key] if key in former else _point_words(clock, row)
        return said[key], [row[2], row[3]]

    seconds = stretch.ticks.times[kept] / 1e9
    points: list[list[Any]] = [
        [second, price, None]
        for second, price in zip(seconds.tolist(), prices[kept].tolist(), strict=True)
    ]
    band: list[list[float | None]] = []
    quotes = stretch.quotes(stretch.ticks)
    for place, i in zip(np.searchsorted(kept, told).tolist(), told.tolist(), strict=True):
        second, price, _ = points[place]
        points[place][2], sides = tell(stretch.ticks, quotes, i, price)
        band.append([second, *sides])
    if len(stretch.before) and (not points or points[0][0] > start + 1e-6):
        # The price holds until the next one comes: the line begins at the edge.
        earlier = stretch.before
        price = float(stretch.outlook.turn(earlier.prices)[0])
        text, sides = tell(earlier, stretch.quotes(earlier), 0, price)
        points.insert(0, [start, price, text])
        band.insert(0, [start, *sides])
    if stretch.stands_still and points and points[-1][0] < end:
        points.append([end, *points[-1][1:]])
        band.append([end, *band[-1][1:]])
    shown: list[float] = [price for _, price, _ in points]
    if points:
        low, high = min(shown), max(shown)
        reach = max(high - low, abs(high) * _ROOM)
        quoted = [side for _, *pair in band for side in pair if side is not None]
        shown += [side for side in quoted if low - reach <= side <= high + reach]
        digits = _digits(max(shown) - min(shown))
        points = [[second, round(price, digits), text] for second, price, text in points]
    thin = "" if len(kept) == len(prices) else f", drawn with {len(kept):,} points"
    has_band = any(side is not None for _, *pair in band for side in pair)
    x = time_ticks(start, end)
    return Drawn(points, band if has_band else [], [], x, shown, thin)


def bars_drawn(stretch: Stretch, asked: int | None, latest: float) -> Drawn:
    """Draw bars; wider ones than asked for where there would be more than 240.

    A stretch without a tick shows the price that held, as a line.
    """
    seconds = stretch.end - stretch.start
    if asked is None:
        width = fitting(seconds, _AUTO)
    else:
        width = fitting(seconds, _BARS, least=asked)
    ticks = stretch.whole_bars(width)
    if not len(ticks):
        return line_drawn(stretch, latest, {})  # the price that held, without a bar of its own
    bars = bars_of(ticks, width)
    names = dict(WIDTHS)
    note = f" in bars of {names[width]}"
    if asked is not None and width != asked:
        note += f" (of {names[asked]} there would be more than {_BARS})"
    start, end = stretch.start, stretch.end
    if not stretch.stands_still:
        start, end = min(start, float(bars.starts[0])), max(latest, float(bars.starts[-1]) + width)
    drawn = [[*row, text] for row, text in zip(_rows(bars), _bar_words(bars, end), strict=True)]
    prices = [float(bars.lows.min()), float(bars.highs.max())]
    return Drawn([], [], drawn, time_ticks(start, end), prices, note, width)


def volume_drawn(stretch: Stretch, width: int | None, unit: str) -> dict[str, Any] | None:
    """Return bars of what was traded, of one width with the bars above; None where none is told."""
    if width is None:
        width = fitting(stretch.end - stretch.start, _VOLUMES)
    ticks = stretch.whole_bars(width)
    if ticks.volumes is None or not len(ticks):
        return None
    bars = bars_of(ticks, width)
    assert bars.volumes is not None
    told = ~np.isnan(bars.volumes)
    if not told.any():
        return None
    top = float(bars.volumes[told].max())
    if top <= 0.0:
        return None  # nothing was traded: there is no bar to draw
    return {
        "width": width,
        "top": top,
        "label": f"Volume, {unit} in {dict(WIDTHS)[width]}; highest {words.amount(top)}",
        "bars": [
            [start, volume]
            for start, volume in zip(
                bars.starts[told].tolist(), bars.volumes[told].tolist(), strict=True
            )
        ],
    }


class PriceAxis:
    """The axis of prices, which stays as it is for as long as it serves."""

    def __init__(self) -> None:
        self._of: Any = None
        self._axis: Axis = (0.0, 0.0, [])

    def around(self, prices: Iterable[float], lines: Iterable[Line], of: Any) -> Axis:
        """Choose the axis for prices, and for lines that are not far from them.

        Parameters
        ----------
        prices : iterable of float
            What it must hold.
        lines : iterable of Line
        of : object
            What it is the axis of; for something else it is chosen anew.
        """
        wanted = list(prices)
        low, high = min(wanted), max(wanted)
        reach = max(high - low, abs(high) * _ROOM)
        near = [line.price for line in lines if low - reach <= line.price <= high + reach]
        low, high = min(low, *near, low), max(high, *near, high)
        bottom, top, _ = self._axis
        is_tight = high - low >= _TIGHT * (top - bottom)
        if of != self._of or low < bottom or high > top or not is_tight:
            self._of, self._axis = of, price_ticks(low, high)
        return self._axis


def _rows(bars: Bars) -> list[list[float]]:
    columns = (bars.starts, bars.opens, bars.highs, bars.lows, bars.closes)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _bar_words(bars: Bars, end: float) -> list[str]:
    is_long = bool(len(bars)) and int(bars.starts[0] // _DAY) != int(end // _DAY)
    volumes = [None] * len(bars) if bars.volumes is None else bars.volumes.tolist()
    texts = []
    for (start, *prices), volume, count in zip(
        _rows(bars), volumes, bars.counts.tolist(), strict=True
    ):
        said = "  ".join(
            f"{name} {words.price(price)}"
            for name, price in zip(("open", "high", "low", "close"), prices, strict=True)
        )
        more = "" if volume is None or volume != volume else f"  volume {words.amount(volume)}"
        ticks = f"{count:,} tick{'' if count == 1 else 's'}"
        texts.append(f"{words.clock(start, date=is_long)} UTC  {said}{more}  {ticks}")
    return texts


def _point_words(clock: Clock, row: tuple[Any, ...]) -> str:
    ns, price, bid, ask, volume = row
    text = f"{clock(ns)} UTC  {words.price(price)}"
    for name, value in (("bid", bid), ("ask", ask)):
        if value is not None:
            text += f"  {name} {words.price(value)}"
    return text if volume is None else f"{text}  volume {words.amount(volume)}"


def _digits(reach: float) -> int:
    """Decimals with which a price is placed to a hundred thousandth of an axis's length.

    More are noise that a page need not be sent four times a second.
    """
    return 5 - math.floor(math.log10(reach)) if reach > 0.0 else 17


def _given(value: float) -> float | None:
    return None if value != value else float(value)
