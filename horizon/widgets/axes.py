"""Round numbers and times for the axes of a live line."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Axis", "price_ticks", "time_ticks"]

#: Seconds between two marks of a time axis, smallest first; beyond them whole decades of years.
_STEPS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30),
    *(60 * m for m in (1, 2, 5, 10, 15, 30)),
    *(3_600 * h for h in (1, 2, 3, 6, 12)),
    *(86_400 * d for d in (1, 2, 7, 14, 30, 90, 180, 365, 730, 1_825, 3_650)),
)
#: Relative room that a line with one price is given, and the least that a float can tell apart.
_ROOM: Final = 0.01
_LEAST: Final = 1e-12

Axis = tuple[float, float, list[tuple[float, str]]]


def price_ticks(low: float, high: float, most: int = 6) -> Axis:
    """Choose an axis for prices from `low` to `high`: 1, 2 or 5 times a power of ten apart.

    Returns
    -------
    tuple of float, float, list
        The axis's ends, and its marks as pairs of price and text.
    """
    size = max(abs(low), abs(high), 1e-290)
    room = (high - low) * 0.06 if high - low > size * _LEAST else size * _ROOM
    low, high = low - room, high + room
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(k * power for k in (1.0, 2.0, 5.0, 10.0) if k * power >= raw * (1.0 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    marks: dict[str, float] = {}
    for n in range(first, last + 1):
        text = f"{n * step:,.{digits}f}" if digits <= 9 else f"{n * step:.6g}"
        marks.setdefault("0" if n == 0 and digits > 9 else text, n * step)
    return low, high, [(value, text) for text, value in marks.items()]


def time_ticks(start: float, end: float, most: int = 7) -> Axis:
    """Choose an axis for times in seconds since 1970; see `price_ticks`. Marks are UTC."""
    if end - start < 1e-3:
        start, end = start - 1.0, end + 1.0
    span = end - start
    decades = 3_650 * 86_400 * math.ceil(span / most / (3_650 * 86_400))
    step = next((s for s in _STEPS if span / s <= most), decades)
    first, last = math.ceil(start / step), math.floor(end / step)
    return start, end, [(n * step, _mark(n * step, step)) for n in range(first, last + 1)]


def _mark(at: float, step: float) -> str:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(at * 1e6))
    if step < 1:
        return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"
    if step < 60:
        return f"{when:%H:%M:%S}"
    if step < 3_600:
        return f"{when:%H:%M}"
    if step < 86_400:
        return f"{when.day} {when:%b %H:%M}"
    return f"{when.year}-{when:%m-%d}"
