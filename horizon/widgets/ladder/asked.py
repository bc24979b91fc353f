"""What a ladder is asked for: whole numbers, and clicks on rows that may have gone."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from horizon import checks, words
from horizon.errors import HorizonError

__all__ = ["loop_time", "one_of", "require_seen", "whole_of"]


def one_of(name: str, value: object, accepted: tuple[int, ...]) -> int:
    """Take a whole number that is one of some."""
    whole = checks.integer(name, value)
    if whole not in accepted:
        listed = ", ".join(map(str, accepted))
        raise ValueError(f"{name} must be one of {listed}; was {checks.show(value)}")
    return whole


def whole_of(arguments: Mapping[str, Any], field: str) -> int:
    """Take a whole number of a message."""
    value = arguments.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000:
        is_endless = isinstance(value, float) and not math.isfinite(value)
        was = "no finite number" if is_endless else checks.show(value)
        raise TypeError(f"{field} must be a whole number from -1000 to 1000, was {was}")
    return value


def require_seen(arguments: Mapping[str, Any], showing: list[str]) -> None:
    """Refuse what was clicked or pressed on other rows than those that are shown by now.

    Rows of other markets, sides and groups have the same numbers: 43 is 0.43 in all of them.

    Parameters
    ----------
    showing : list of str
        Market, side and ticks in a row of the ladder now; of what was seen, `arguments` has them
        as ``"of"``.

    Raises
    ------
    HorizonError
        If they differ, or are not told.
    """
    if arguments.get("of") != showing:
        market, side, group = showing
        ticks = "1 tick" if group == "1" else f"{group} ticks"
        raise HorizonError(
            f"nothing was done: the ladder has turned, and shows {words.name(market)!r}, "
            f"{side.upper()} side, in rows of {ticks} by now; look again"
        )


def loop_time() -> float:
    """Seconds of the loop's clock."""
    return asyncio.get_running_loop().time()
