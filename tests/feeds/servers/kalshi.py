"""A WebSocket on localhost that speaks the published protocol of Kalshi's trade API.

    venue = Kalshi({"RAIN": ({"0.4800": "30.00"}, {"0.4800": "25.00"})}, public_key)

    async def script(peer):
        await venue.open(peer)                                  # signature, command, snapshots
        await peer.send(venue.delta("RAIN", "yes", "0.4900", "20.00"))

Books are bids of YES and bids of NO, each at its own price.
"""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.feeds.servers.base import Peer

__all__ = ["KEY_ID", "Kalshi", "new_key", "pem_of"]

KEY_ID = "a952bcbe-ec3b-4b5b-b8f9-11dae589608c"
_MARKET_ID = "9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1"

Side = dict[str, str]


def new_key() -> rsa.RSAPrivateKey:
    """A key that is quick to make and to read; nobody is to use one as short as that."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def pem_of(key: Any, password: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password),
    )


class Kalshi:
    """The venue's books, and the messages about them."""

    book_sid = 7
    trade_sid = 8

    def __init__(
        self,
        books: dict[str, tuple[Side, Side]],
        key: rsa.RSAPrivateKey,
        *,
        is_old: bool = False,
    ):
        self.books = {name: (dict(yes), dict(no)) for name, (yes, no) in books.items()}
        self.public_key = key.public_key()
        self.is_old = is_old
        self.in_yes_prices = False
        self.number = 0
        self.commands: list[dict[str, Any]] = []
        self.timestamps: list[int] = []

    async def open(self, peer: Peer) -> None:
        """Check the signature, take the command, confirm it, and send the snapshots."""
        self.check(peer)
        command = await peer.receive()
        self.commands.append(command)
        assert command["cmd"] == "subscribe"
        params = command["params"]
        self.in_yes_prices = params.get("use_yes_price", False) and not self.is_old
        self.number = 0
        unknown = [name for name in params["market_tickers"] if name not in self.books]
        if unknown:
            await peer.send(self.error(16, "Market not found", command["id"]))
            await peer.hold()
            return
        for sid, channel in (
            (self.book_sid, "orderbook_delta"),
            (self.trade_sid, "trade"),
        ):
            assert channel in params["channels"]
            said = {"channel": channel, "sid": sid}
            await peer.send({"id": command["id"], "type": "subscribed", "msg": said})
        await peer.send(*(self.snapshot(name) for name in params["market_tickers"]))

    def check(self, peer: Peer) -> None:
        """The headers: verified with the public key, over time, method and path."""
        headers = peer.request.headers
        assert headers["KALSHI-ACCESS-KEY"] == KEY_ID
        stamp = headers["KALSHI-ACCESS-TIMESTAMP"]
        self.timestamps.append(int(stamp))
        self.public_key.verify(
            base64.b64decode(headers["KALSHI-ACCESS-SIGNATURE"], validate=True),
            f"{stamp}GET{peer.request.path}".encode(),
            padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
            hashes.SHA256(),
        )

    def _price(self, side: str, price: str) -> str:
        if side == "no" and self.in_yes_prices:
            return str(1 - Decimal(price))
        return price

    def snapshot(self, ticker: str) -> dict[str, Any]:
        said: dict[str, Any] = {"market_ticker": ticker, "market_id": _MARKET_ID}
        for side, levels in zip(("yes", "no"), self.books[ticker], strict=True):
            if not levels:
                continue  # a side without orders has no key
            if self.is_old:
                said[side] = [[_cents(p), int(Decimal(s))] for p, s in levels.items()]
            else:
                said[f"{side}_dollars_fp"] = [[self._price(side, p), s] for p, s in levels.items()]
        return self._numbered("orderbook_snapshot", said)

    def delta(self, ticker: str, side: str, price: str, change: str) -> dict[str, Any]:
        """Change one level here, and return the message that says so."""
        levels = self.books[ticker][0 if side == "yes" else 1]
        size = Decimal(levels.get(price, "0")) + Decimal(change)
        levels[price] = str(size)
        if not size:
            del levels[price]
        said: dict[str, Any] = {"market_ticker": ticker, "market_id": _MARKET_ID, "side": side}
        if self.is_old:
            said |= {"price": _cents(price), "delta": int(Decimal(change))}
        else:
            said |= {
                "price_dollars": self._price(side, price),
                "delta_fp": change,
                "ts": "2022-11-22T20:44:01Z",
                "ts_ms": 1_669_149_841_000,
            }
        return self._numbered("orderbook_delta", said)

    def trade(self, ticker: str, yes_price: str, count: str) -> dict[str, Any]:
        said: dict[str, Any] = {"trade_id": "d91bc706", "market_ticker": ticker}
        if self.is_old:
            said |= {"yes_price": _cents(yes_price), "count": int(Decimal(count)), "ts": 1669149841}
        else:
            said |= {
                "yes_price_dollars": yes_price,
                "no_price_dollars": str(1 - Decimal(yes_price)),
                "count_fp": count,
                "taker_side": "yes",
                "ts": 1_669_149_841,
                "ts_ms": 1_669_149_841_000,
            }
        return {"type": "trade", "sid": self.trade_sid, "msg": said}

    def error(self, code: int, text: str, number: int = 1) -> dict[str, Any]:
        return {"id": number, "type": "error", "msg": {"code": code, "msg": text}}

    def _numbered(self, kind: str, said: dict[str, Any]) -> dict[str, Any]:
        self.number += 1
        return {"type": kind, "sid": self.book_sid, "seq": self.number, "msg": said}


def _cents(price: str) -> int:
    return int(Decimal(price) * 100)
