"""Words of the figures: names made safe, numbers and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from horizon.words import amount, name

__all__ = ["amount", "moment", "money", "period_word", "plain"]

#: Plotly reads a part of HTML, templates and (where MathJax is loaded) TeX in any text. A number
#: for each character that could begin one of these is drawn as the character itself.
_MARKS: Final = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>\"'$%{}"})
_LONGEST: Final = 48


def plain(text: str) -> str:
    """Make text from outside safe to draw: it is shown as it stands, shortened if very long.

    What cannot be seen, or turns the direction of writing, is spelled out.
    """
    seen = name(text)
    shown = seen if len(seen) <= _LONGEST else f"{seen[: _LONGEST - 1]}…"
    return shown.translate(_MARKS)


def period_word(period: str, count: int = 2) -> str:
    """Name what returns are of, as a `Sampling` has it: days, weeks, months, or returns."""
    word = "return" if period == "point" else period
    return word if count == 1 else f"{word}s"


def money(price: float, currency: str) -> str:
    """Write a price with its currency: two decimals, four below one."""
    return f"{price:,.{2 if abs(price) >= 1.0 else 4}f} {plain(currency)}"


def moment(time: np.datetime64) -> str:
    """Write a point in time to the second; what the axis says of its zone is not repeated."""
    ns = int(time.astype("datetime64[ns]").astype(np.int64))
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)
    return f"{at.day} {at:%b %Y, %H:%M:%S}"
