"""Numbers, times and names as people write them: one wording for tables, widgets and figures."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from typing import Final

__all__ = [
    "MISSING",
    "amount",
    "bps",
    "cash",
    "clock",
    "duration",
    "name",
    "percent",
    "price",
    "signed",
]

#: What stands where there is no number yet.
MISSING: Final = "–"
_MINUS: Final = "−"


def amount(quantity: float) -> str:
    """Write a quantity: thousands apart, no zeros at the end, all digits that matter."""
    shown = f"{quantity:,.{2 if abs(quantity) >= 1000.0 else 6}f}".rstrip("0").rstrip(".")
    return f"{quantity:g}" if shown in ("0", "-0") else shown


def signed(quantity: float) -> str:
    """Write a quantity with its sign; zero has none."""
    shown = amount(abs(quantity))
    return shown if quantity == 0.0 else f"{'+' if quantity > 0.0 else _MINUS}{shown}"


def price(value: float | None) -> str:
    """Write a price with all its digits, at least two of them decimals."""
    if value is None or math.isnan(value):
        return MISSING
    shown = f"{value:,.6f}"
    if value != 0.0 and abs(value) < 1e-4:
        return f"{value:.6g}"
    whole, _, broken = shown.partition(".")
    return f"{whole}.{broken.rstrip('0').ljust(2, '0')}"


def cash(value: float | None, currency: str, *, sign: bool = False) -> str:
    """Write a sum of money to the cent, with its currency; smaller sums with their digits.

    `sign` writes a plus before a gain. Infinity is said in words.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "unlimited"
    if value != 0.0 and abs(value) < 0.005:
        shown = f"{abs(value):.2g}"
    else:
        shown = f"{abs(value):,.2f}"
    before = _MINUS if value < 0.0 else "+" if sign and value > 0.0 else ""
    return f"{before}{shown} {name(currency)}"


def percent(fraction: float) -> str:
    """Write a fraction as percent; what is not all is never rounded up to 100."""
    shown = min(fraction * 100.0, 99.9) if fraction < 1.0 else fraction * 100.0
    return f"{shown:.1f}".removesuffix(".0") + " %"


def bps(value: float | None) -> str:
    """Write a cost in basis points, in words that say whose it is."""
    if value is None or math.isnan(value):
        return MISSING
    if abs(value) < 0.05:
        return "0.0 bps"
    return f"{abs(value):,.1f} bps {'worse' if value > 0.0 else 'better'}"


def duration(seconds: float) -> str:
    """Write a stretch of time in its two largest units."""
    whole = max(0, math.ceil(seconds - 1e-9))
    for unit, size, smaller, part in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def clock(seconds: float | None, *, date: bool = False) -> str:
    """Write a point in time, given in seconds since 1970, to the second in UTC."""
    if seconds is None:
        return MISSING
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.year}-{at:%m-%d %H:%M:%S}" if date else f"{at:%H:%M:%S}"


def name(text: str) -> str:
    """Show text from outside as it stands, with what cannot be seen spelled out.

    Characters that turn the direction of writing or have no width could make one market look
    like another. This makes nothing safe to be read as HTML: that is the renderer's part.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") else c
        for c in text
    )
