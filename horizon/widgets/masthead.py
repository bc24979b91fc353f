"""The head of a desk: whose account it is, whether money is real, and whether it is live."""

from __future__ import annotations

from typing import Any

from horizon import words
from horizon.widgets.access import client_of, venue_of
from horizon.widgets.face import Face
from horizon.widgets.palette import Palette

__all__ = ["Masthead", "banner_of"]


def banner_of(ex: Any) -> dict[str, Any]:
    """Say which venue it is, and whether money is real."""
    venue = ex.engine.venue
    account, halted = venue.account, ""
    if account.halted:
        halted = (
            "The kill switch is on: only reducing orders pass "
            "(ex.engine.reset_kill_switch() lifts it)."
        )
    elif account.now_ns < account.drawdown_until_ns:
        halted = "The day's drawdown limit was passed: only reducing orders until the next UTC day."
    return {
        "venue": words.name(venue.name),
        "mode": "LIVE: REAL MONEY" if venue.is_live else "PAPER: NO REAL MONEY",
        "is_live": venue.is_live,
        "halted": halted,
    }


class Masthead(Face):
    """Venue, mode and equity; on a desk it says for all parts how things stand.

    Parameters
    ----------
    ex : ImperativeClient
    palette : str or Palette
    """

    script = ("masthead.js",)

    def __init__(self, ex: object, *, palette: str | Palette = "blue-orange") -> None:
        self._ex = client_of(ex)
        venue_of(self._ex)
        super().__init__(palette=palette)

    def picture(self) -> dict[str, Any]:
        """The account in one line."""
        money = self._ex.balance()
        profit = money.equity - money.initial_cash
        currency = words.name(money.currency)
        day, _, time = words.clock(self._ex.time, date=True).partition(" ")
        return {
            "name": "Horizon desk",
            "banner": banner_of(self._ex),
            # A label, its value, and what a pointer over them says.
            "facts": [
                [
                    f"Equity, {currency}",
                    words.cash(money.equity, "").strip(),
                    "Cash and what is held, at its present prices",
                ],
                [
                    f"Profit, {currency}",
                    words.cash(profit, "", sign=True).strip(),
                    "Profit since the start, fees deducted",
                ],
                [f"UTC {day}", time, "The account's time"],
            ],
        }
