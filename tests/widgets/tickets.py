"""Filling in a ticket as its page does."""

from __future__ import annotations

from typing import Any

from horizon.widgets import OrderTicket
from tests.widgets.notebook import do


async def edit(ticket: OrderTicket, **texts: str) -> None:
    """Change fields, and say so to the kernel."""
    await do(ticket, "edit", values={**ticket.shown["values"], **texts}, by="page", edit=1)


async def preview(ticket: OrderTicket, **texts: str) -> dict[str, Any]:
    """Change fields and ask for the preview; it must come."""
    await refused_preview(ticket, **texts)
    assert ticket.shown["error"] is None, ticket.shown["error"]
    assert ticket.shown["wrong"] == {}
    seen: dict[str, Any] = ticket.shown["preview"]
    return seen


async def refused_preview(ticket: OrderTicket, **texts: str) -> dict[str, str]:
    """Change fields and ask for a preview; return what is said to be wrong, by field."""
    await do(ticket, "preview", values={**ticket.shown["values"], **texts}, by="page", edit=1)
    wrong: dict[str, str] = ticket.shown["wrong"]
    return wrong


async def confirm(ticket: OrderTicket, seen: dict[str, Any] | None = None) -> None:
    """Press the button of a preview, by default of the one on show."""
    shown = ticket.shown["preview"] if seen is None else seen
    await do(ticket, "confirm", preview=shown["id"])


def facts(ticket: OrderTicket) -> dict[str, str]:
    """The preview's numbers by their labels."""
    return dict(ticket.shown["preview"]["facts"])
