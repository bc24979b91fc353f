"""Words of the figures: names made safe, numbers and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from horizon.words import amount

__all__ = ["amount", "moment", "money", "plain"]

#: Plotly reads a part of HTML, templates and (where MathJax is loaded) TeX in any text. A number
#: for each character that could begin one of these is drawn as the character itself.
_MARKS: Final = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>\"'$%{}"})
_LONGEST: Final = 48


def plain(text: str) -> str:
    """Make text from outside safe to draw: it is shown as it stands, shortened if very long."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return shown.translate(_MARKS)


def money(price: float, currency: str) -> str:
    """Write a price with its currency: two decimals, four below one."""
    return f"{price:,.{2 if abs(price) >= 1.0 else 4}f} {plain(currency)}"


def moment(time: np.datetime64) -> str:
    """Write a point in time to the second; what the axis says of its zone is not repeated."""
    ns = int(time.astype("datetime64[ns]").astype(np.int64))
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)
    return f"{at.day} {at:%b %Y, %H:%M:%S}"
