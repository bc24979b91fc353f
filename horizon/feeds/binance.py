"""Best quotes and trades of Binance, over its public market streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from horizon import checks
from horizon.feeds.live import market_names, web_address
from horizon.feeds.updates import NAN, Gap, Garbage, Hangup, Update, amount, milliseconds
from horizon.feeds.websocket import WebSocketFeed
from horizon.types import AssetClass

__all__ = ["BinanceWS"]

_URL: Final = "wss://stream.binance.com:9443"
#: Streams that one connection may have.
_MOST: Final = 1024
_SYMBOL: Final = re.compile(r"[A-Z0-9_]{2,40}")
_BLANKS: Final = str.maketrans("", "", "/-")


class _Seen:
    """What is known of one market."""

    __slots__ = ("ask", "ask_size", "bid", "bid_size", "last", "market_id", "trade", "update")

    def __init__(self, market_id: str) -> None:
        self.market_id = market_id
        self.bid = self.ask = self.bid_size = self.ask_size = self.last = NAN
        self.update = self.trade = -1  # numbers of the last of each


class BinanceWS(WebSocketFeed):
    """Best bid and ask with their sizes, and every trade, as Binance streams them.

    Parameters
    ----------
    markets : str, sequence of str, or mapping of str to str
        Market ids; or market ids here to symbols there: ``{"btc": "BTCUSDT"}``. An id is taken
        for a symbol without its ``/`` or ``-``: ``"BTC/USDT"`` is ``BTCUSDT``.
    price : {"mid", "last"}
        What an update has as its price: half-way between the quotes, or the last trade's price
        (NaN before the first one).
    trades : bool
        Whether to hear trades too. One brings its size as the volume, with the quotes as they
        were last seen.
    url : str
        Where the streams are: Binance.US, a test net, futures (``wss://fstream.binance.com``)
        or the address without an account (``wss://data-stream.binance.vision``).
    name : str
        What messages call the feed.
    **options
        `silence`, `connect_timeout` and `backoff`, as `WebSocketFeed` takes them.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above, for ``price="last"`` without trades, or for more
        markets than one connection may have streams.

    Notes
    -----
    No account is needed, and nothing but market data is asked for. Of a symbol that it does not
    have Binance says nothing at all: that market never gets its first update.

    *Order.* A best quote with an update number below the last one's, and a trade whose number
    is not the next, say that messages were lost or came out of order: that is a gap, after
    which everything begins anew. A number that comes twice is passed over.

    *Times.* Trades have their exchange's time; Binance gives best quotes of its spot market
    none, those of its futures have one.

    Binance ends each connection after 24 hours; that is a loss like any other.

    Examples
    --------
    >>> feed = hz.feeds.BinanceWS(["BTC/USDT", "ETH/USDT"], price="last")
    >>> feed
    <BinanceWS 'binance', 2 markets, idle, 0 messages>
    >>> feed.status().address
    'wss://stream.binance.com:9443/stream'

    ``hz.run(feeds=feed, ...)`` listens to it; ``feed.record("btc.parquet", duration=60)`` writes
    down what it says in a minute.
    """

    def __init__(
        self,
        markets: str | Sequence[str] | Mapping[str, str],
        *,
        price: str = "mid",
        trades: bool = True,
        url: str = _URL,
        name: str = "binance",
        **options: Any,
    ) -> None:
        symbols = _symbols(markets)
        self._is_mid = checks.one_of("price", price, ("mid", "last")) == "mid"
        self._has_trades = checks.flag("trades", trades)
        if self._is_mid is False and not self._has_trades:
            raise ValueError("price='last' needs trades=True: a last price comes with a trade")
        kinds = ("bookTicker", "trade") if self._has_trades else ("bookTicker",)
        streams = [f"{symbol.lower()}@{kind}" for symbol in symbols.values() for kind in kinds]
        if len(streams) > _MOST:
            raise ValueError(
                f"markets must need at most {_MOST:,} streams on one connection, need "
                f"{len(streams):,}; use several feeds"
            )
        base = web_address("url", url, ("ws", "wss")).rstrip("/")
        self._symbols = symbols
        self._seen: dict[str, _Seen] = {}
        super().__init__(
            name,
            tuple(symbols),
            url=f"{base}/stream?streams={'/'.join(streams)}",
            asset_class=AssetClass.Crypto,
            **options,
        )

    def _reset(self) -> None:
        self._seen = {symbol: _Seen(market) for market, symbol in self._symbols.items()}

    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        data = message.get("data")
        if data is None:
            return self._other(message)
        kind = data.get("e")
        if kind == "trade":
            return self._trade(self._market(data), data, received_ns)
        if kind is None or kind == "bookTicker":  # the spot market's quotes do not say
            return self._quote(self._market(data), data, received_ns)
        return ()

    def _other(self, message: Mapping[str, Any]) -> Iterable[Update]:
        """Take what is no market data: an error, or a warning before a restart."""
        if "code" in message or "error" in message:
            raise Hangup(checks.show(message))
        if "stream" in message:
            raise Garbage(f"data is missing in {checks.show(message)}")
        return ()

    def _market(self, data: Mapping[str, Any]) -> _Seen:
        seen = self._seen.get(data["s"])
        if seen is None:
            raise Garbage(f"s must be one of the symbols asked for, was {checks.show(data['s'])}")
        return seen

    def _quote(self, seen: _Seen, data: Mapping[str, Any], received_ns: int) -> tuple[Update, ...]:
        number = data["u"]
        bid, bid_size = amount("b", data["b"]), amount("B", data["B"])
        ask, ask_size = amount("a", data["a"]), amount("A", data["A"])
        made_ns = milliseconds("T", data["T"]) if "T" in data else None
        if type(number) is not int:
            raise Garbage(f"u must be a whole number, was {checks.show(number)}")
        # No offer is told as a price of zero.
        if bid_size == 0.0 or bid == 0.0:
            bid, bid_size = NAN, NAN
        if ask_size == 0.0 or ask == 0.0:
            ask, ask_size = NAN, NAN
        if bid > ask:
            raise Garbage(f"bid {bid!r} is above ask {ask!r}")
        if number <= seen.update:
            if number == seen.update:
                return ()
            raise Gap(f"update {number} of {data['s']} after {seen.update}", (seen.market_id,))
        seen.update = number
        seen.bid, seen.bid_size, seen.ask, seen.ask_size = bid, bid_size, ask, ask_size
        price = (bid + ask) / 2.0 if self._is_mid else seen.last
        return (
            Update(seen.market_id, received_ns, made_ns, price, bid, ask, bid_size, ask_size, NAN),
        )

    def _trade(self, seen: _Seen, data: Mapping[str, Any], received_ns: int) -> tuple[Update, ...]:
        number = data["t"]
        last, size = amount("p", data["p"]), amount("q", data["q"])
        made_ns = milliseconds("T", data["T"])
        if type(number) is not int:
            raise Garbage(f"t must be a whole number, was {checks.show(number)}")
        if last == 0.0 or size == 0.0:
            raise Garbage(f"a trade of {size!r} at {last!r}")
        if number == seen.trade:
            return ()
        if seen.trade >= 0 and number != seen.trade + 1:
            raise Gap(f"trade {number} of {data['s']} after {seen.trade}", (seen.market_id,))
        seen.trade, seen.last = number, last
        price = (seen.bid + seen.ask) / 2.0 if self._is_mid else last
        return (
            Update(
                seen.market_id,
                received_ns,
                made_ns,
                price,
                seen.bid,
                seen.ask,
                seen.bid_size,
                seen.ask_size,
                size,
            ),
        )


def _symbols(markets: object) -> dict[str, str]:
    """Market ids here to symbols there, each once."""
    if isinstance(markets, Mapping):
        found = dict(zip(market_names("markets", list(markets)), markets.values(), strict=True))
    else:
        found = {name: name.translate(_BLANKS) for name in market_names("markets", markets)}
    for market_id, symbol in found.items():
        text = checks.text(f"the symbol of {market_id!r}", symbol).upper()
        if _SYMBOL.fullmatch(text) is None:
            raise ValueError(
                f"the symbol of {market_id!r} must be letters and digits such as 'BTCUSDT', was "
                f"{checks.show(symbol)}"
            )
        found[market_id] = text
    twice = [symbol for symbol in found.values() if list(found.values()).count(symbol) > 1]
    if twice:
        raise ValueError(f"markets must not name a symbol twice, has {twice[0]!r} again")
    return found
