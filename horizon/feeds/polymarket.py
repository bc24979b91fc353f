"""Order books of Polymarket, as its public market channel tells them.

What the feed relies on, as the venue publishes it:

* A subscription is answered with a ``book`` for each asset: all levels, in no fixed order.
  Another follows each trade, and replaces what was there.
* A ``price_change`` has new sizes of levels (not differences), zero for a level that is gone,
  and since September 2025 the best prices after it. An older form has its ``changes`` and its
  asset outside, and no best prices.
* There are no sequence numbers. The hash of a message covers fields that the channel does not
  send in every form, so it proves nothing here; the stated best prices are what is checked.
* One match comes as several messages, and the first of them may state best prices that hold
  after the last: a difference that settles within a second is none.
* The text ``PING`` every ten seconds at most, answered with ``PONG``, keeps a connection open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from horizon import checks
from horizon.feeds.backoff import Backoff
from horizon.feeds.book_feed import BookFeed, MarketBook
from horizon.feeds.libraries import library
from horizon.feeds.live import WRONG, web_address
from horizon.feeds.protocols import PriceOf, take_each, venue_names
from horizon.feeds.updates import Garbage, Update, amount, milliseconds

if TYPE_CHECKING:
    import aiohttp

__all__ = ["PolymarketBook"]

_URL: Final = "wss://ws-subscriptions-clob.polymarket.com/ws/market"
_HTTP_URL: Final = "https://gamma-api.polymarket.com"
#: Digits from which on a number is a token: tokens are 256-bit numbers, no slug is that long.
_TOKEN_DIGITS: Final = 30
_IS_BID: Final = {"BUY": True, "SELL": False}
#: What the venue states as the best price of a side without orders.
_NO_BID: Final = frozenset({0.0})
_NO_ASK: Final = frozenset({0.0, 1.0})


class PolymarketBook(BookFeed):
    """Whole books of one or several Polymarket markets, over one connection.

    Needs no account. Prices are those of one outcome, 0 to 1.

    Parameters
    ----------
    markets : str, list of str, or mapping of str to str
        Slugs of markets (the last part of a market's address), or token ids (the long numbers
        that the venue calls ``clobTokenIds``), which need no look-up. In a mapping the keys
        are the market ids here, and the values slugs or tokens.
    outcome : str, optional
        Which outcome of a slug's market the book is of, by its name there. By default the
        first, which is "Yes" where the outcomes are Yes and No.
    price : {"mid", "last"}
        The price of updates: half way between the best quotes (missing while a side is
        empty), or the last trade (missing before the first).
    url, http_url : str
        Where the market channel is, and where slugs are looked up (the Gamma API).
    name : str
        What messages call the feed.
    silence, connect_timeout, backoff
        See `WebSocketFeed`. The connection counts as up once the first book has come.

    Notes
    -----
    A trade comes as an update with its size as `volume`. What one match changes may take the
    venue several messages; a book that is crossed, or whose best prices are not those that
    the venue states, is not delivered, and after a second of that the feed begins anew. So it
    does at once where a book, or a change of one, cannot be read.

    Examples
    --------
    >>> feed = hz.feeds.PolymarketBook({"rain": "will-it-rain-tomorrow"}, outcome="No")
    >>> feed
    <PolymarketBook 'polymarket_book', 'rain', idle, 0 messages>
    >>> feed.has_books, feed.asset_class
    (True, Prediction)

    ``hz.run(feeds=feed, ...)`` listens to it, and ``feed.record(path)`` writes down what it says.
    """

    confirms = True
    ping_every: float | None = 5.0

    def __init__(
        self,
        markets: str | Sequence[str] | Mapping[str, str],
        *,
        outcome: str | None = None,
        price: PriceOf = "mid",
        url: str = _URL,
        http_url: str = _HTTP_URL,
        name: str = "polymarket_book",
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
        self._outcome = None if outcome is None else checks.text("outcome", outcome)
        self._http_url = web_address("http_url", http_url, ("http", "https")).rstrip("/")
        #: Slugs whose token is not known yet, by market id.
        self._slugs: dict[str, str] = {}
        for market_id, text in names.items():
            if _is_token(text):
                self._books[text] = MarketBook(market_id)
            else:
                self._slugs[market_id] = text
        self._kinds = {
            "book": self._book,
            "price_change": self._price_change,
            "last_trade_price": self._trade,
        }

    # ---------------------------------------------------------------------- to the server
    async def _address(self, http: aiohttp.ClientSession) -> str:
        for market_id, slug in list(self._slugs.items()):
            token = await self._look_up(http, slug)
            other = self._books.get(token)
            if other is not None:
                raise self._failure(f"has one book for {other.market_id!r} and {market_id!r}")
            self._books[token] = MarketBook(market_id)
            del self._slugs[market_id]
        return self._url

    async def _look_up(self, http: aiohttp.ClientSession, slug: str) -> str:
        """Ask for a market by its slug, and return the token of the outcome."""
        market = await self._get(http, f"markets/slug/{quote(slug, safe='')}")
        if market is None:
            raise self._failure(f"knows no market {slug!r}{await self._hint(http, slug)}")
        outcomes, tokens = _texts(market, "outcomes"), _texts(market, "clobTokenIds")
        if not tokens or len(tokens) != len(outcomes):
            raise self._failure(f"has no order book for {slug!r}")
        if market.get("closed") is True:
            raise self._failure(f"has closed the market {slug!r}")
        if self._outcome is None:
            return tokens[0]
        if self._outcome not in outcomes:
            listed = ", ".join(map(repr, outcomes))
            raise self._failure(
                f"has no outcome {self._outcome!r} of {slug!r}; its outcomes are {listed}"
            )
        return tokens[outcomes.index(self._outcome)]

    async def _hint(self, http: aiohttp.ClientSession, slug: str) -> str:
        """Say which markets an event has, where the slug is that of an event."""
        event = await self._get(http, f"events/slug/{quote(slug, safe='')}")
        markets = [] if event is None else event.get("markets")
        if not isinstance(markets, list) or not markets:
            return ""
        slugs = [m["slug"] for m in markets if isinstance(m, dict) and "slug" in m]
        listed = ", ".join(checks.show(each) for each in slugs[:5])
        more = f" and {len(slugs) - 5} more" if len(slugs) > 5 else ""
        return f": it is an event, whose markets are {listed}{more}"

    async def _get(self, http: aiohttp.ClientSession, path: str) -> dict[str, Any] | None:
        """Get an object from the Gamma API; None where there is none of that name."""
        async with http.get(f"{self._http_url}/{path}") as answer:
            if answer.status == 404:
                return None
            answer.raise_for_status()
            found = self._parse(await answer.read())
        if not isinstance(found, dict):
            raise Garbage(f"the answer for {path} must be an object, was {checks.show(found)}")
        return found

    async def _subscribe(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        await ws.send_json({"assets_ids": list(self._books), "type": "market"})

    async def _ping(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        await ws.send_str("PING")

    # -------------------------------------------------------------------- from the server
    def _parse(self, raw: str | bytes) -> Any:
        return raw if raw == "PONG" else super()._parse(raw)

    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        updates: Iterable[Update] = ()
        if type(message) is list:
            updates = take_each(self, message, lambda event: self._take_one(event, received_ns))
        elif message != "PONG":
            updates = self._take_one(message, received_ns)
        return self._look_back(updates, received_ns) if self._doubted else updates

    def _take_one(self, event: Any, received_ns: int) -> Iterable[Update]:
        kind = event["event_type"]
        take = self._kinds.get(kind)
        if take is None:
            return ()
        try:
            return take(event, received_ns)
        except WRONG as error:
            if kind == "last_trade_price":  # which leaves no book behind that is wrong
                raise
            raise self._unreadable(event, error) from error

    def _book(self, event: dict[str, Any], received_ns: int) -> Iterable[Update]:
        market = self._books.get(event["asset_id"])
        if market is None:
            return ()
        exchange_ns = _stamp(event)
        # The names of an older form come second.
        bids = [_level(each) for each in event["bids" if "bids" in event else "buys"]]
        asks = [_level(each) for each in event["asks" if "asks" in event else "sells"]]
        last = event.get("last_trade_price")
        if last not in (None, ""):
            market.last = amount("last_trade_price", last)
        market.book.replace(bids, asks)
        market.is_known = True
        self._set_state("up")
        return self._say(market, received_ns, exchange_ns)

    def _price_change(self, event: dict[str, Any], received_ns: int) -> Iterable[Update]:
        exchange_ns = _stamp(event)
        entries = event.get("price_changes")
        if entries is None:
            asset = event["asset_id"]
            entries = [{**each, "asset_id": asset} for each in event["changes"]]
        # All are judged before the first is applied: half a message would make a book of its own.
        changes = []
        for entry in entries:
            market = self._books.get(entry["asset_id"])
            if market is not None and market.is_known:
                price, size = _level(entry)
                changes.append((market, _IS_BID[entry["side"]], price, size, _best(entry)))
        touched: dict[str, tuple[MarketBook, tuple[float, float] | None]] = {}
        for market, is_bid, price, size, best in changes:
            (market.book.bids if is_bid else market.book.asks).set(price, size)
            touched[market.market_id] = market, best
        updates: list[Update] = []
        for market, best in touched.values():
            doubt = None if best is None else _difference(market, best)
            updates += self._say(market, received_ns, exchange_ns, doubt)
        return updates

    def _trade(self, event: dict[str, Any], received_ns: int) -> Iterable[Update]:
        market = self._books.get(event["asset_id"])
        if market is None:
            return ()
        exchange_ns = _stamp(event)
        price, size = _level(event)
        market.last = price
        market.volume += size
        if not market.is_known:
            return ()
        _, doubt = self._doubted.get(market.market_id, (0, None))
        return self._say(market, received_ns, exchange_ns, doubt)


def _is_token(text: str) -> bool:
    return len(text) >= _TOKEN_DIGITS and text.isascii() and text.isdigit()


def _texts(market: dict[str, Any], field: str) -> list[str]:
    """Read a field of the Gamma API that is a list, written as the text of one."""
    value = market.get(field)
    if isinstance(value, str):
        value = library("orjson").loads(value)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Garbage(f"{field} must be a list of texts, was {checks.show(value)}")
    return value


def _stamp(event: dict[str, Any]) -> int | None:
    """Read when a message was made, in nanoseconds; None where it does not say."""
    value = event.get("timestamp")
    return None if value is None else milliseconds("timestamp", value)


def _level(entry: dict[str, Any]) -> tuple[float, float]:
    price = amount("price", entry["price"])
    if not 0.0 < price < 1.0:
        raise Garbage(f"price must lie between 0 and 1, was {price!r}")
    return price, amount("size", entry["size"])


def _best(entry: dict[str, Any]) -> tuple[float, float] | None:
    """Read the best prices that a change states; None where it states none."""
    bid, ask = entry.get("best_bid"), entry.get("best_ask")
    if bid is None or ask is None:
        return None
    return (
        amount("best_bid", bid) if bid != "" else 0.0,
        amount("best_ask", ask) if ask != "" else 0.0,
    )


def _difference(market: MarketBook, best: tuple[float, float]) -> str | None:
    """Say how a book's best prices differ from those stated; None if they do not."""
    bids, asks = market.book.bids, market.book.asks
    bid, ask = best
    is_bid = bid == bids.best if bids.prices else bid in _NO_BID
    is_ask = ask == asks.best if asks.prices else ask in _NO_ASK
    if is_bid and is_ask:
        return None
    return f"the venue has {bid:g} / {ask:g} for the best {bids.best:g} / {asks.best:g} here"
