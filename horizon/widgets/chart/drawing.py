"""A stretch of a market's tape as what a page draws: line or bars, band, volume and axes."""

from __future__ import annotations

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

#: Points of the line, and bars: what a page draws anew several times a second at ease.
POINTS: Final = 600
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
        self._outlook = outlook
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
        return self._outlook.turn(self.ticks.prices)

    def quotes(self, ticks: Ticks) -> tuple[Numbers, Numbers]:
        """Bids and asks, as they stand from this side; NaN where there is none."""
        missing = np.full(len(ticks), np.nan)
        bids = missing if ticks.bids is None else self._outlook.turn(ticks.bids)
        asks = missing if ticks.asks is None else self._outlook.turn(ticks.asks)
        return (asks, bids) if self._outlook.is_no else (bids, asks)

    def whole_bars(self, width: int) -> Ticks:
        """The ticks of all bars that the stretch has a part of."""
        first = self._place(self.start // width * width, "left")
        last = self._place(self.end, "right")
        if self.stands_still:
            last = self._place((self.end // width + 1) * width - 1e-6, "right")
        part = self._all.within(slice(first, last))
        if not self._outlook.is_no:
            return part
        return Ticks(part.times, self._outlook.turn(part.prices), volumes=part.volumes)


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
        self._is_long = int(start // _DAY) != int(end // _DAY)
        self._is_fine = end - start < 30.0

    def __call__(self, ns: int) -> str:
        text = words.clock(ns // 1_000_000_000, date=self._is_long)
        part = ns // 1_000_000 % 1_000
        return f"{text}.{part:03}" if self._is_fine and part else text


def line_drawn(stretch: Stretch, latest: float, said: dict[Any, str]) -> Drawn:
    """Draw a line of at most 600 points, which keep its extremes.

    Parameters
    ----------
    stretch : Stretch
    latest : float
        What the axis of time must reach.
    said : dict
        Texts of points of the paint before, which are taken over; it is filled anew.
    """
    start, end = stretch.start, max(stretch.end, latest)
    clock = Clock(start, end)
    prices = stretch.prices
    kept = thinned(prices, POINTS - 2)
    bids, asks = stretch.quotes(stretch.ticks)
    volumes = stretch.ticks.volumes
    rows = [
        (
            int(stretch.ticks.times[i]),
            float(prices[i]),
            _given(bids[i]),
            _given(asks[i]),
            None if volumes is None else _given(volumes[i]),
        )
        for i in kept.tolist()
    ]
    former = dict(said)
    said.clear()

    def say(row: tuple[Any, ...]) -> str:
        key = (clock._is_long, clock._is_fine, row)
        text = said[key] = former[key] if key in former else _point_words(clock, row)
        return text

    points: list[list[Any]] = [[row[0] / 1e9, row[1], say(row)] for row in rows]
    band: list[list[float | None]] = [[row[2], row[3]] for row in rows]
    if len(stretch.before) and (not points or points[0][0] > start + 1e-6):
        # The price holds until the next one comes: the line begins at the edge.
        earlier = stretch.before
        bid, ask = (_given(side[0]) for side in stretch.quotes(earlier))
        price = float(stretch._outlook.turn(earlier.prices)[0])
        row = (int(earlier.times[0]), price, bid, ask, None)
        points.insert(0, [start, price, say(row)])
        band.insert(0, [bid, ask])
    if stretch.stands_still and points and points[-1][0] < end:
        points.append([end, *points[-1][1:]])
        band.append(band[-1])
    shown: list[float] = [price for _, price, _ in points]
    if points:
        low, high = min(shown), max(shown)
        reach = max(high - low, abs(high) * _ROOM)
        spread = [side for sides in band for side in sides if side is not None]
        shown += [side for side in spread if low - reach <= side <= high + reach]
    thin = "" if len(kept) == len(prices) else f", drawn with {len(kept):,} points"
    has_band = any(side is not None for sides in band for side in sides)
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


def _given(value: float) -> float | None:
    return None if value != value else float(value)
