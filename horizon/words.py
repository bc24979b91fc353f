"""Numbers, times and names as people write them: one wording for tables, widgets and figures."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from numbers import Integral, Real
from typing import Final

from horizon import checks

__all__ = [
    "MISSING",
    "MONTHS",
    "WEEKDAYS",
    "amount",
    "bps",
    "cash",
    "clock",
    "duration",
    "exact",
    "name",
    "percent",
    "price",
    "raised",
    "setting",
    "signed",
    "value",
]

#: What stands where there is no number yet.
MISSING: Final = "–"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: By number, 0 being Monday.
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUS: Final = "−"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A sum of money below this is what rounding leaves, and nobody's.
_DUST: Final = 1e-9
#: Significant digits that a number has at most if somebody typed it.
_TYPED: Final = 12
#: Letters and marks that Unicode lets a program draw as nothing (Default_Ignorable_Code_Point),
#: beside those of the categories for controls and blanks.
_IGNORABLE: Final = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)


def amount(quantity: float) -> str:
    """Write a quantity that was worked out: thousands apart, up to six decimals."""
    if not math.isfinite(quantity):
        return _not_finite(quantity)
    shown = f"{quantity:,.{2 if abs(quantity) >= 1000.0 else 6}f}".rstrip("0").rstrip(".")
    if shown in ("0", "-0"):
        return f"{quantity:g}" if quantity else "0"
    return shown


def exact(value: float, *, decimals: int = 0) -> str:
    """Write a number that somebody has given, with every digit that makes it that number.

    A price has at least two `decimals`, as everywhere.

    More digits than people type are cut, and that is shown: ``33.333333…``.
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value and not 1e-9 <= abs(value) < 1e16:
        return repr(value)
    if not value:
        return f"{0.0:.{decimals}f}"
    # The fifteen digits that a float keeps of what was typed; beyond them is its own noise.
    whole = Decimal(f"{value:.15g}")
    end = ""
    if len(whole.normalize().as_tuple().digits) > _TYPED:  # 100 / 3, which nobody has typed
        places = 6 if abs(whole) >= Decimal("0.1") else 5 - whole.adjusted()
        whole = Decimal(repr(value))
        cut = whole.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
        end = "" if cut == whole else "…"
        whole = cut
    before, _, after = f"{whole:,f}".partition(".")
    after = after if end else after.rstrip("0").ljust(decimals, "0")
    return (f"{before}.{after}" if after else before) + end


def signed(quantity: float) -> str:
    """Write a quantity as `exact` does, with its sign; zero has none."""
    if math.isnan(quantity) or quantity == 0.0:
        return exact(quantity)
    return f"{'+' if quantity > 0.0 else _MINUS}{exact(abs(quantity))}"


def price(value: float | None, *, decimals: int = 2) -> str:
    """Write a price to six decimals, at least two; a small one to six significant digits.

    More `decimals` at least make a column of prices stand under each other.
    """
    if value is None or not math.isfinite(value):
        return MISSING if value is None else _not_finite(value)
    if value != 0.0 and abs(value) < 0.1:
        shown = f"{Decimal(f'{value:.6g}'):f}" if abs(value) >= 1e-12 else f"{value:.6g}"
        if "e" in shown:
            return shown
    else:
        shown = f"{abs(value) if value == 0.0 else value:,.6f}"
    whole, _, broken = shown.partition(".")
    return f"{whole}.{broken.rstrip('0').ljust(decimals, '0')}"


def cash(value: float | None, currency: str, *, sign: bool = False) -> str:
    """Write a sum of money to the cent, with its currency; smaller sums with their digits.

    `sign` writes a plus before a gain. Infinity is said in words.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "unlimited" if value > 0.0 else f"{_MINUS}unlimited"
    if abs(value) < _DUST:
        value = 0.0
    if value != 0.0 and abs(value) < 0.005:
        shown = f"{abs(value):.2g}"
    else:
        shown = f"{abs(value):,.2f}"
    before = _MINUS if value < 0.0 else "+" if sign and value > 0.0 else ""
    return f"{before}{shown} {name(currency)}"


def percent(fraction: float) -> str:
    """Write a fraction as percent; what is not all is never rounded up to 100."""
    if not math.isfinite(fraction):
        return MISSING
    shown = min(fraction * 100.0, 99.9) if fraction < 1.0 else fraction * 100.0
    return f"{round(shown, 1) + 0.0:.1f}".removesuffix(".0") + " %"


def bps(value: float | None) -> str:
    """Write a cost in basis points, in words that say whose it is."""
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) < 0.05:
        return "0.0 bps"
    return f"{abs(value):,.1f} bps {'worse' if value > 0.0 else 'better'}"


def duration(seconds: float) -> str:
    """Write a stretch of time to the second; less than a second in parts of it."""
    if not math.isfinite(seconds):
        return MISSING
    if 0.0 < seconds < 1.0:
        return f"{seconds:.3g} s"
    whole = max(0, math.ceil(seconds - 1e-9))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if whole >= size:
            parts.append(f"{whole // size:,} {unit}")
            whole %= size
    return " ".join(parts) or "0 s"


def clock(seconds: float | None, *, date: bool = False) -> str:
    """Write a point in time, given in seconds since 1970, to the second in UTC."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    at = _EPOCH + timedelta(seconds=math.floor(seconds))
    return f"{at.year}-{at:%m-%d %H:%M:%S}" if date else f"{at:%H:%M:%S}"


def _not_finite(value: float) -> str:
    return MISSING if math.isnan(value) else "∞" if value > 0.0 else f"{_MINUS}∞"


def name(text: str) -> str:
    """Show text from outside as it stands, with what cannot be seen spelled out.

    Characters that turn the direction of writing or have no width could make one market look
    like another. This makes nothing safe to be read as HTML: that is the renderer's part.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟨U+{ord(c):04X}⟩" if _is_unseen(c) else c for c in text)


def raised(error: BaseException) -> str:
    """Name an exception's class, and say what it says, where it says anything."""
    kind, text = type(error).__name__, checks.error_text(error)
    return f"{kind}: {text}" if text else kind


def value(given: object) -> str:
    """Write the value of a parameter: numbers with six digits, functions by their name."""
    if isinstance(given, str):
        return name(given)
    if isinstance(given, bool):
        return str(given)
    if isinstance(given, Integral):
        return str(int(given))
    if isinstance(given, Real):
        return f"{float(given):.6g}"
    if callable(given):  # its repr has an address in it
        return name(str(getattr(given, "__qualname__", type(given).__name__)))
    return name(repr(given))


def setting(params: Mapping[str, object], *, most: int = 6) -> str:
    """Write a setting of a search, ``fast=5, slow=20``; of more than `most` the rest is counted."""
    if not params:
        return "no parameters"
    shown = [f"{name(key)}={value(params[key])}" for key in list(params)[:most]]
    if len(params) > most:
        shown.append(f"and {len(params) - most} more")
    return ", ".join(shown)


def _is_unseen(character: str) -> bool:
    if character == " ":
        return False
    kind = unicodedata.category(character)
    point = ord(character)
    return kind in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp", "Zs") or any(
        first <= point <= last for first, last in _IGNORABLE
    )
