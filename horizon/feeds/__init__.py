"""Market data that plays: recorded, made up, or your own.

A feed sends its rows to a client with ``feed.run(ex)``, or beside the cell with
``asyncio.create_task(feed.play(ex))``, which can be paused, stepped and sped up.
"""

from __future__ import annotations

from horizon.feeds.base import Feed, Row
from horizon.feeds.deck import FeedProgress
from horizon.feeds.registry import create, known, register
from horizon.feeds.replay import Replay
from horizon.feeds.synthetic import Synthetic

__all__ = [
    "Feed",
    "FeedProgress",
    "Replay",
    "Row",
    "Synthetic",
    "create",
    "known",
    "register",
]
