"""The order ticket: a form, what an order would do, and one confirmation that sends it once."""

from __future__ import annotations

from horizon.widgets.ticket.widget import OrderTicket

__all__ = ["OrderTicket"]
