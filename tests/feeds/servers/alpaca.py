"""A stream on localhost that speaks the published protocol of Alpaca's market data."""

from __future__ import annotations

from typing import Any

from tests.feeds.servers.base import Peer

__all__ = ["KEY_ID", "SECRET_KEY", "Alpaca"]

KEY_ID = "PKTEST0000000000ABCD"
SECRET_KEY = "s3cr3t/Wq8ZkT1vP0aB+9xY"


class Alpaca:
    """The conversation that comes before the data, and the data's messages."""

    def __init__(self, *, gives: dict[str, list[str]] | None = None):
        self.gives = gives
        self.asked: list[dict[str, Any]] = []

    async def open(self, peer: Peer) -> None:
        await self.greet(peer)
        await peer.send([{"T": "success", "msg": "authenticated"}])
        asked = await peer.receive()
        self.asked.append(asked)
        assert asked["action"] == "subscribe"
        gives = self.gives or {key: asked[key] for key in ("quotes", "trades")}
        await peer.send([{"T": "subscription", "bars": [], **gives}])

    async def greet(self, peer: Peer) -> None:
        await peer.send([{"T": "success", "msg": "connected"}])
        said = await peer.receive()
        assert said == {"action": "auth", "key": KEY_ID, "secret": SECRET_KEY}

    async def refuse(self, peer: Peer, code: int, text: str) -> None:
        """Refuse the login; the venue leaves the connection open after that."""
        await self.greet(peer)
        await peer.send([{"T": "error", "code": code, "msg": text}])
        await peer.hold()

    def quote(self, symbol: str, bid: float, ask: float, **rest: Any) -> dict[str, Any]:
        return {
            "T": "q",
            "S": symbol,
            "bx": "U",
            "bp": bid,
            "bs": 3,
            "ax": "Q",
            "ap": ask,
            "as": 4,
            "c": ["R"],
            "z": "A",
            "t": "2021-02-22T15:51:45.335689322Z",
            **rest,
        }

    def trade(self, symbol: str, price: float, size: float, **rest: Any) -> dict[str, Any]:
        return {
            "T": "t",
            "i": 96921,
            "S": symbol,
            "x": "D",
            "p": price,
            "s": size,
            "t": "2021-02-22T15:51:44.208Z",
            "c": ["@", "I"],
            "z": "C",
            **rest,
        }
