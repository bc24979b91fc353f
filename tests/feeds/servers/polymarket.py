"""A market channel and a Gamma API on localhost that speak Polymarket's published protocol.

    venue = Polymarket({YES: ({"0.48": "30"}, {"0.52": "25"})})

    async def script(peer):
        await venue.open(peer)                                 # subscription, then a book each
        await peer.send(venue.change(YES, "BUY", "0.49", "20"))

    async with Server(script, answers=venue.answers({"rain": YES})) as server: ...

Prices and sizes are texts, as on the wire; a text that is not one level's price twice ("0.5" and
"0.50") is the tests' own care.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.feeds.servers.base import Answer, Peer

__all__ = ["NO", "OTHER", "YES", "Polymarket", "market_answer"]

YES = "65818619657568813474341868652308942079804919287380422192892211131408793125422"
NO = "52114319501245915516055106046884209969926127482827954674443846427813813222426"
OTHER = "71321045679252212594626385532706912750332728571942532289631379312455583992563"
_CONDITION = "0xbd31dc8a20211944f6b70f31557f1001557b59905b7738480ca09bd4532f84af"

Side = dict[str, str]


def market_answer(
    slug: str, tokens: list[str], outcomes: tuple[str, ...] = ("Yes", "No"), **rest: Any
) -> Answer:
    """What ``/markets/slug/<slug>`` answers: lists are texts of JSON."""
    body = {
        "id": "703257",
        "slug": slug,
        "conditionId": _CONDITION,
        "outcomes": json.dumps(outcomes),
        "outcomePrices": '["0.5", "0.5"]',
        "clobTokenIds": json.dumps(tokens),
        "active": True,
        "closed": False,
        "enableOrderBook": True,
        **rest,
    }
    return Answer(body)


class Polymarket:
    """The venue's books, and the messages about them."""

    def __init__(self, books: dict[str, tuple[Side, Side]], start_ms: int = 1_757_908_892_000):
        self.books = {token: (dict(bids), dict(asks)) for token, (bids, asks) in books.items()}
        self.now_ms = start_ms
        self.subscriptions: list[dict[str, Any]] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self, peer: Peer) -> None:
        """Take the subscription, answer PING from now on, and send the books asked for."""
        asked = await peer.receive()
        assert set(asked) == {"assets_ids", "type"}
        assert asked["type"] == "market"
        self.subscriptions.append(asked)
        task = asyncio.create_task(self.answer_pings(peer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await peer.send([self.book(t) for t in asked["assets_ids"] if t in self.books])

    async def answer_pings(self, peer: Peer) -> None:
        while not peer.is_gone.is_set():
            try:
                if await peer.receive(60.0) == "PING" and peer.answers_pings:
                    peer.pings += 1
                    await peer.send("PONG")
            except (ConnectionError, TimeoutError):
                return

    def book(self, token: str) -> dict[str, Any]:
        """A whole book; levels in no order that helps."""
        bids, asks = self.books[token]
        return {
            "event_type": "book",
            "asset_id": token,
            "market": _CONDITION,
            "bids": [{"price": p, "size": s} for p, s in bids.items()],
            "asks": [{"price": p, "size": s} for p, s in asks.items()],
            "timestamp": self._stamp(),
            "hash": "0x0000",
        }

    def best(self, token: str) -> tuple[str, str]:
        """The best prices as the venue states them: 0 and 1 for a side without orders."""
        bids, asks = self.books[token]
        return max(bids, key=float, default="0"), min(asks, key=float, default="1")

    def change(self, token: str, side: str, price: str, size: str) -> dict[str, Any]:
        """Change one level here, and return the message that says so."""
        levels = self.books[token][0 if side == "BUY" else 1]
        levels[price] = size
        if not float(size):
            del levels[price]
        bid, ask = self.best(token)
        entry = {
            "asset_id": token,
            "price": price,
            "size": size,
            "side": side,
            "hash": "56621a121a47ed9333273e21c83b660cff37ae50",
            "best_bid": bid,
            "best_ask": ask,
        }
        return self.changes([entry])

    def changes(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "market": _CONDITION,
            "price_changes": entries,
            "timestamp": self._stamp(),
            "event_type": "price_change",
        }

    def old_change(self, token: str, side: str, price: str, size: str) -> dict[str, Any]:
        """The form of before September 2025."""
        (entry,) = self.change(token, side, price, size)["price_changes"]
        return {
            "asset_id": token,
            "market": _CONDITION,
            "changes": [{key: entry[key] for key in ("price", "side", "size")}],
            "timestamp": str(self.now_ms),
            "hash": "1a2b",
            "event_type": "price_change",
        }

    def trade(self, token: str, price: str, size: str, side: str = "BUY") -> dict[str, Any]:
        return {
            "asset_id": token,
            "event_type": "last_trade_price",
            "fee_rate_bps": "0",
            "market": _CONDITION,
            "price": price,
            "side": side,
            "size": size,
            "timestamp": self._stamp(),
        }

    def tick_size(self, token: str) -> dict[str, Any]:
        return {
            "event_type": "tick_size_change",
            "asset_id": token,
            "market": _CONDITION,
            "old_tick_size": "0.01",
            "new_tick_size": "0.001",
            "timestamp": self._stamp(),
        }

    def _stamp(self) -> str:
        self.now_ms += 1
        return str(self.now_ms)
