"""Market data: recorded, made up, your own, or live.

A feed that plays sends its rows to a client with ``feed.run(ex)``, or beside the cell with
``asyncio.create_task(feed.play(ex))``, which can be paused, stepped and sped up.

A live feed says what it hears to ``feed.listen(deliver)``; ``feed.record(path)`` writes it down
for `Replay` and for backtests.
"""

from __future__ import annotations

from horizon.feeds.alpaca import AlpacaFeed
from horizon.feeds.backoff import Backoff
from horizon.feeds.base import Feed, Row
from horizon.feeds.binance import BinanceWS
from horizon.feeds.book_replay import BookReplay
from horizon.feeds.deck import FeedProgress
from horizon.feeds.kalshi import KalshiBook
from horizon.feeds.live import LiveFeed
from horizon.feeds.polymarket import PolymarketBook
from horizon.feeds.recording import Recording, RecordWriter
from horizon.feeds.registry import create, known, register
from horizon.feeds.replay import Replay
from horizon.feeds.rest import RESTFeed
from horizon.feeds.status import FeedStatus
from horizon.feeds.synthetic import Synthetic
from horizon.feeds.synthetic_books import SyntheticBooks
from horizon.feeds.updates import Gap, Garbage, Hangup, Update
from horizon.feeds.websocket import WebSocketFeed

__all__ = [
    "AlpacaFeed",
    "Backoff",
    "BinanceWS",
    "BookReplay",
    "Feed",
    "FeedProgress",
    "FeedStatus",
    "Gap",
    "Garbage",
    "Hangup",
    "KalshiBook",
    "LiveFeed",
    "PolymarketBook",
    "RESTFeed",
    "RecordWriter",
    "Recording",
    "Replay",
    "Row",
    "Synthetic",
    "SyntheticBooks",
    "Update",
    "WebSocketFeed",
    "create",
    "known",
    "register",
]
