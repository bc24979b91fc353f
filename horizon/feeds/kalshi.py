"""Order books of Kalshi, as its trade API's WebSocket tells them.

What the feed relies on, as the venue publishes it:

* The opening request carries a key id, the time in milliseconds, and an RSA-PSS signature
  (SHA-256, salt as long as the digest) of that time, ``GET`` and the path.
* A ``subscribe`` command is confirmed by ``subscribed`` for each channel, each with a
  subscription id; then comes an ``orderbook_snapshot`` of each market, and an
  ``orderbook_delta`` with each change: a difference of one level's size.
* These carry a number that counts up by one within a subscription. A number that is missing
  is a message that is missing, and as sizes are differences, the book is wrong from then on.
* There are bids only, of YES and of NO. A bid for NO at 0.56 is an offer of YES at 0.44. The
  feed asks for the NO side in YES prices (``use_yes_price``), which is to become the rule. An
  older form has cents as whole numbers, and the NO side always in NO prices.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from horizon import checks
from horizon.feeds.backoff import Backoff
from horizon.feeds.book_feed import BookFeed, MarketBook
from horizon.feeds.credentials import credential, credential_text
from horizon.feeds.level_book import LevelSide
from horizon.feeds.libraries import library
from horizon.feeds.live import WRONG
from horizon.feeds.protocols import PriceOf, venue_names
from horizon.feeds.updates import Gap, Garbage, Hangup, Update, amount, milliseconds

if TYPE_CHECKING:
    import aiohttp
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["KalshiBook"]

_URL: Final = "wss://external-api-ws.kalshi.com/trade-api/ws/v2"
_KEY_ID: Final = "KALSHI_API_KEY_ID"
_PRIVATE_KEY: Final = "KALSHI_PRIVATE_KEY_PATH"
#: Errors that pass: the channel broke, something inside, a time-out, too many commands.
_PASSING: Final = frozenset({1, 10, 17, 18, 27})
#: We were too slow, and messages were thrown away.
_OVERFLOW: Final = 25


class KalshiBook(BookFeed):
    """Whole books of one or several Kalshi markets, over one connection.

    The venue wants a key for market data as well. Prices are those of YES, 0 to 1.

    Parameters
    ----------
    markets : str, list of str, or mapping of str to str
        Tickers of markets; in a mapping the keys are the market ids here, and the values
        tickers.
    key_id : str, optional
        The id of an API key; by default what the environment has as ``KALSHI_API_KEY_ID``.
    private_key : str, bytes or path, optional
        The key itself: a PEM file's path, or its content. By default the path that the
        environment has as ``KALSHI_PRIVATE_KEY_PATH``. It signs, and is neither shown nor
        pickled.
    price : {"mid", "last"}
        The price of updates: half way between the best quotes (missing while a side is
        empty), or the last trade (missing before the first).
    use_yes_price : bool
        Ask the venue for the NO side in YES prices. With False it is asked for NO prices, and
        they are turned round here; for servers that do not know the other way.
    url : str
        Where the WebSocket is; its path is signed. The venue's demo is at
        ``wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2``.
    name : str
        What messages call the feed.
    silence, connect_timeout, backoff
        See `WebSocketFeed`.

    Raises
    ------
    ValueError
        Without a key, or if it cannot be read; the message does not show it.
    ModuleNotFoundError
        Without the package ``cryptography``.

    Notes
    -----
    A trade comes as an update with its size as `volume`. A missing number, or more taken from
    a level than it had, is a gap: the feed begins anew with fresh snapshots.

    Examples
    --------
    The venue gives an account its key as a PEM file, whose path will do as ``private_key``. Here
    one is made up:

    >>> from cryptography.hazmat.primitives import serialization
    >>> from cryptography.hazmat.primitives.asymmetric import rsa
    >>> pem = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
    ...     serialization.Encoding.PEM,
    ...     serialization.PrivateFormat.PKCS8,
    ...     serialization.NoEncryption(),
    ... )
    >>> feed = hz.feeds.KalshiBook("KXHIGHNY-26NOV21-T50", key_id="a1b2-c3d4", private_key=pem)
    >>> feed
    <KalshiBook 'kalshi_book', 'KXHIGHNY-26NOV21-T50', idle, 0 messages>

    ``hz.run(feeds=feed, ...)`` listens to it, and ``feed.record(path)`` writes down what it says.
    """

    confirms = True

    def __init__(
        self,
        markets: str | Sequence[str] | Mapping[str, str],
        *,
        key_id: str | None = None,
        private_key: str | bytes | Path | None = None,
        price: PriceOf = "mid",
        use_yes_price: bool = True,
        url: str = _URL,
        name: str = "kalshi_book",
        silence: float = 15.0,
        connect_timeout: float = 10.0,
        backoff: Backoff | None = None,
    ) -> None:
        names = venue_names("markets", markets)
        super().__init__(
            name,
            list(names),
            url=url,
            price=price,
            silence=silence,
            connect_timeout=connect_timeout,
            backoff=backoff,
        )
        self._books = {ticker: MarketBook(market_id) for market_id, ticker in names.items()}
        self._use_yes_price = checks.flag("use_yes_price", use_yes_price)
        self._key_id = credential("key_id", key_id, _KEY_ID)
        self._private_key = _load(private_key)
        #: Last number of each subscription to books, by its id.
        self._numbers: dict[int, int] = {}
        self._kinds = {
            "orderbook_snapshot": self._snapshot,
            "orderbook_delta": self._delta,
            "trade": self._trade,
            "subscribed": self._subscribed,
            "error": self._error,
        }

    # ---------------------------------------------------------------------- to the server
    def _reset(self) -> None:
        super()._reset()
        self._numbers.clear()

    async def _headers(self) -> dict[str, str]:
        # The venue compares with its own clock, so this is the system's and no steady one.
        now = str(time.time_ns() // 1_000_000)
        signature = _sign(self._private_key, f"{now}GET{urlsplit(self._url).path}")
        return {
            "KALSHI-ACCESS-KEY": self._key_id.reveal(),
            "KALSHI-ACCESS-SIGNATURE": signature,
            "KALSHI-ACCESS-TIMESTAMP": now,
        }

    async def _subscribe(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        params = {
            "channels": ["orderbook_delta", "trade"],
            "market_tickers": list(self._books),
            "use_yes_price": self._use_yes_price,
        }
        await ws.send_json({"id": 1, "cmd": "subscribe", "params": params})

    # -------------------------------------------------------------------- from the server
    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        take = self._kinds.get(message["type"])
        updates = () if take is None else take(message, received_ns)
        return self._look_back(updates, received_ns) if self._doubted else updates

    def _snapshot(self, message: dict[str, Any], received_ns: int) -> Iterable[Update]:
        try:
            number = self._next_number(message)
            said = message["msg"]
            market = self._books.get(said["market_ticker"])
            bids, _ = _levels(said, "yes")
            asks, is_old = _levels(said, "no")
            if is_old or not self._use_yes_price:
                asks = [(_other(price), size) for price, size in asks]
        except WRONG as error:
            raise self._unreadable(message, error) from error
        self._numbers[message["sid"]] = number
        if market is None:
            return ()
        market.book.replace(bids, asks)
        market.is_known = True
        return self._say(market, received_ns, None)

    def _delta(self, message: dict[str, Any], received_ns: int) -> Iterable[Update]:
        try:
            number = self._next_number(message)
            said = message["msg"]
            market = self._books.get(said["market_ticker"])
            is_yes = _is_yes(said["side"])
            price_text = said.get("price_dollars")
            change_text = said.get("delta_fp")
            is_old = change_text is None
            price = _cents(said["price"]) if price_text is None else _dollars(price_text)
            change = _change(said["delta"] if is_old else change_text)
            exchange_ns = _stamp(said)
        except WRONG as error:
            raise self._unreadable(message, error) from error
        self._numbers[message["sid"]] = number
        if market is None or not market.is_known:
            return ()
        side: LevelSide
        if is_yes:
            side = market.book.bids
        else:
            side = market.book.asks
            if is_old or not self._use_yes_price:
                price = _other(price)
        if side.add(price, change) < 0.0:
            raise Gap(
                f"{-change:g} were taken from {market.market_id!r} at {price:g}, where there were "
                f"not as many",
                [market.market_id],
            )
        return self._say(market, received_ns, exchange_ns)

    def _trade(self, message: dict[str, Any], received_ns: int) -> Iterable[Update]:
        said = message["msg"]
        market = self._books.get(said["market_ticker"])
        if market is None:
            return ()
        text = said.get("yes_price_dollars")
        price = _cents(said["yes_price"]) if text is None else _dollars(text)
        size = amount("count", said["count_fp"] if "count_fp" in said else said["count"])
        exchange_ns = _stamp(said)
        market.last = price
        market.volume += size
        if not market.is_known:
            return ()
        return self._say(market, received_ns, exchange_ns)

    def _subscribed(self, message: dict[str, Any], received_ns: int) -> Iterable[Update]:
        if message["msg"]["channel"] == "orderbook_delta":
            self._set_state("up")
        return ()

    def _error(self, message: dict[str, Any], received_ns: int) -> Iterable[Update]:
        code, text = message["msg"]["code"], message["msg"].get("msg")
        said = f"error {code!r}: {self._key_id.hide_in(checks.show(text))}"
        if code == _OVERFLOW:
            raise Gap(f"the server says {said}")
        if code in _PASSING:
            raise Hangup(said)
        raise self._failure(f"says {said}; it was asked for {', '.join(map(repr, self._books))}")

    def _next_number(self, message: dict[str, Any]) -> int:
        """Read a message's number, and ask whether it is the one that is due."""
        sid, number = message["sid"], message["seq"]
        if type(sid) is not int or type(number) is not int:
            raise Garbage(f"sid and seq must be whole numbers, were {sid!r} and {number!r}")
        last = self._numbers.get(sid)
        if last is not None and number != last + 1:
            raise Gap(f"number {last + 1} of subscription {sid} was due, {number} came")
        return number


def _load(private_key: object) -> RSAPrivateKey:
    """Read a private key from PEM, or from the file that has it."""
    rsa = library("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization = library("cryptography.hazmat.primitives.serialization")
    if private_key is None:
        private_key = Path(credential_text("private_key", None, _PRIVATE_KEY))
    if isinstance(private_key, str) and "-----BEGIN" in private_key:
        private_key = private_key.encode()
    if isinstance(private_key, (str, Path)):
        try:
            private_key = Path(private_key).read_bytes()
        except (OSError, ValueError) as error:
            # Neither path nor cause are shown: it may be the key itself, without its frame.
            raise ValueError(
                f"private_key must be a PEM text or the path of a PEM file, and reading it as a "
                f"path failed: {getattr(error, 'strerror', None) or type(error).__name__}"
            ) from None
    if not isinstance(private_key, bytes):
        raise TypeError(
            f"private_key must be a path or a PEM text, was of type {type(private_key).__name__}"
        )
    try:
        key: object = serialization.load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError) as error:
        what = "without a password" if isinstance(error, TypeError) else "in PEM form"
        raise ValueError(f"private_key must be an RSA key {what}; it cannot be read") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"private_key must be an RSA key, was one of {type(key).__name__}")
    return cast("RSAPrivateKey", key)


def _sign(key: RSAPrivateKey, text: str) -> str:
    """Sign a text as the venue asks for it, in base 64."""
    padding = library("cryptography.hazmat.primitives.asymmetric.padding")
    sha256 = library("cryptography.hazmat.primitives.hashes").SHA256()
    pss = padding.PSS(mgf=padding.MGF1(sha256), salt_length=padding.PSS.DIGEST_LENGTH)
    return base64.b64encode(key.sign(text.encode(), pss, sha256)).decode()


def _levels(said: dict[str, Any], side: str) -> tuple[list[tuple[float, float]], bool]:
    """Read one side of a snapshot, and whether it is in the older form; none is no orders."""
    levels = said.get(f"{side}_dollars_fp")
    if levels is not None:
        return [(_dollars(price), amount("size", size)) for price, size in levels], False
    levels = said.get(f"{side}_dollars")
    if levels is not None:
        return [(_dollars(price), amount("size", size)) for price, size in levels], True
    levels = said.get(side) or ()
    return [(_cents(price), amount("size", size)) for price, size in levels], True


def _dollars(value: Any) -> float:
    price = amount("price", value)
    if not 0.0 < price < 1.0:
        raise Garbage(f"price must lie between 0 and 1, was {price!r}")
    return price


def _cents(value: Any) -> float:
    if type(value) is not int or not 0 < value < 100:
        raise Garbage(f"price must be 1 to 99 cents, was {checks.show(value)}")
    return value / 100


def _other(price: float) -> float:
    """Turn a price of NO into the price of YES: the float of the decimal difference."""
    return round(1.0 - price, 6)


def _change(value: Any) -> float:
    """Read a difference of sizes, which may be below zero."""
    if isinstance(value, str):
        text = value.removeprefix("-")
        size = amount("delta", text)
        return -size if len(text) < len(value) else size
    if type(value) is int:
        return amount("delta", value) if value >= 0 else -amount("delta", -value)
    raise Garbage(f"delta must be a number, was {checks.show(value)}")


def _is_yes(value: Any) -> bool:
    if value not in ("yes", "no"):
        raise Garbage(f"side must be 'yes' or 'no', was {checks.show(value)}")
    return bool(value == "yes")


def _stamp(said: dict[str, Any]) -> int | None:
    """Read when it happened, in nanoseconds; None where only an older form says so."""
    value = said.get("ts_ms")
    return None if value is None else milliseconds("ts_ms", value)
