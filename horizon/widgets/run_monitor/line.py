"""What a monitor keeps of a run as it goes: its equity as a line, and how fast rows come."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import words
from horizon.figures.series import thinned
from horizon.widgets.axes import price_ticks, time_ticks

if TYPE_CHECKING:
    from horizon.running import RunHandle

__all__ = ["EquityLine", "Rate"]

#: Points of the line that the page draws, and points that are kept.
_DRAWN: Final = 600
_KEPT: Final = 20_000
_DAY: Final = 86_400
#: Seconds over which a rate is taken.
_OVER: Final = 10.0


class EquityLine:
    """A run's equity so far: taken up point by point, kept in 20,000 to 40,000 points.

    Parameters
    ----------
    handle : RunHandle
    """

    def __init__(self, handle: RunHandle) -> None:
        self._handle = handle
        self._read = 0
        self._times = np.zeros(0, dtype=np.int64)
        self._equity = np.zeros(0)
        self._peak = handle.initial_capital
        #: The largest fall below a peak so far, as a fraction of the peak.
        self.largest_drawdown = 0.0
        #: How far it is below its highest now.
        self.drawdown = 0.0

    def read(self) -> None:
        """Take up the points since the last time."""
        times, equity = self._handle.equity_since(self._read)
        if not len(times):
            return
        self._read += len(times)
        peaks = np.maximum(np.maximum.accumulate(equity), self._peak)
        self._peak = float(peaks[-1])
        falls = np.where(peaks > 0.0, 1.0 - equity / np.where(peaks > 0.0, peaks, 1.0), 0.0)
        self.drawdown = float(falls[-1])
        self.largest_drawdown = max(self.largest_drawdown, float(falls.max()))
        self._times = np.concatenate([self._times, times])
        self._equity = np.concatenate([self._equity, equity])
        if len(self._times) > 2 * _KEPT:
            kept = thinned(self._equity, _KEPT)
            self._times, self._equity = self._times[kept], self._equity[kept]

    def picture(self, currency: str) -> dict[str, Any]:
        """The line with its axes, and in words."""
        if not len(self._times):
            return {"summary": "No row yet: the line begins with the first.", "points": []}
        start = self._handle.initial_capital
        seconds, equity = self._times / 1e9, self._equity
        kept: NDArray[np.intp] = thinned(equity, _DRAWN)
        bottom, top, levels = price_ticks(
            min(float(equity.min()), start), max(float(equity.max()), start)
        )
        first, last, marks = time_ticks(float(seconds[0]), float(seconds[-1]))
        is_long = int(seconds[0] // _DAY) != int(seconds[-1] // _DAY)
        thin = "" if len(kept) == self._read else f", drawn with {len(kept):,}"
        return {
            "summary": f"Equity {words.cash(float(equity[-1]), currency)}; lowest "
            f"{words.cash(float(equity.min()), currency)}, highest "
            f"{words.cash(float(equity.max()), currency)} over {self._read:,} points{thin}",
            "points": [
                [at, value, f"{words.clock(at, date=is_long)} UTC  {words.cash(value, currency)}"]
                for at, value in zip(seconds[kept].tolist(), equity[kept].tolist(), strict=True)
            ],
            "start": start,
            "startText": f"start {words.cash(start, currency)}",
            "x": [first, last, marks, "Run's time, UTC"],
            "y": [bottom, top, levels, f"Equity, {currency}"],
        }


class Rate:
    """How fast something counts, by the wall's time, over the last ten seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def take(self, count: int) -> None:
        """Note how far it has counted by now."""
        now = time.monotonic()
        # Two looks a second are enough.
        if self._seen and now - self._seen[-1][0] < 0.45:
            return
        self._seen.append((now, count))
        while len(self._seen) > 2 and now - self._seen[1][0] >= _OVER:
            self._seen.popleft()

    @property
    def per_second(self) -> float | None:
        """How many a second; None before two looks."""
        if len(self._seen) < 2:
            return None
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        return max(0.0, (after - before) / (last - first))

    @property
    def text(self) -> str:
        """The same in words, without its unit."""
        rate = self.per_second
        if rate is None:
            return words.MISSING
        return f"{rate:,.0f}" if rate >= 100.0 else f"{rate:,.1f}"
