"""The book ladder: levels price by price, with the account's own orders and their queue places."""

from __future__ import annotations

from horizon.widgets.ladder.ladder import BookLadder

__all__ = ["BookLadder"]
