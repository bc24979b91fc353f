"""Quotes and trades of US equities, as Alpaca's market data stream tells them.

What the feed relies on, as the venue publishes it:

* The server says ``connected``, takes the keys in an ``auth`` message, says
  ``authenticated``, takes a ``subscribe`` message, and answers with all that is subscribed.
* Every message is a list of objects whose ``T`` says what they are: ``q`` a quote, ``t`` a
  trade, ``error`` with a code. After some errors the server leaves the connection open and
  silent, so the code is what counts.
* Times are RFC 3339 with up to nine decimals. A price of zero is no quote on that side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from horizon import checks
from horizon.feeds.backoff import Backoff
from horizon.feeds.credentials import credential
from horizon.feeds.live import web_address
from horizon.feeds.protocols import PriceOf, take_each, venue_names
from horizon.feeds.updates import NAN, Garbage, Hangup, Update, amount
from horizon.feeds.websocket import WebSocketFeed
from horizon.types import AssetClass

__all__ = ["AlpacaFeed", "DataSource"]

#: The venue's names for where its data are from.
DataSource = Literal["iex", "sip", "delayed_sip", "test"]

_URL: Final = "wss://stream.data.alpaca.markets/v2"
_KEY_ID: Final = "APCA_API_KEY_ID"
_SECRET_KEY: Final = "APCA_API_SECRET_KEY"
_SOURCES: Final = ("iex", "sip", "delayed_sip", "test")
#: Errors that pass: too late, too many connections (the last one may still be closing), too
#: slow, something inside.
_PASSING: Final = frozenset({404, 406, 407, 500})
#: The session is authenticated already: what was wanted.
_HARMLESS: Final = 403
#: What can be done about an error, by its code.
_ADVICE: Final = {
    402: "check key_id and secret_key",
    405: "the subscription does not allow as many symbols",
    409: "the subscription does not include this source; feed='iex' is for every account",
}
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


class _Quote:
    """What is known of one symbol."""

    __slots__ = ("ask", "ask_size", "bid", "bid_size", "last", "market_id")

    def __init__(self, market_id: str) -> None:
        self.market_id = market_id
        self.forget()

    def forget(self) -> None:
        self.bid = self.ask = self.bid_size = self.ask_size = self.last = NAN


class AlpacaFeed(WebSocketFeed):
    """Quotes and trades of one or several US equities, over one connection.

    Parameters
    ----------
    markets : str, list of str, or mapping of str to str
        Symbols; in a mapping the keys are the market ids here, and the values symbols.
    feed : {"iex", "sip", "delayed_sip", "test"}
        Where the data are from: one exchange (for every account), all of them, all of them a
        quarter of an hour late, or the venue's test stream, whose symbol is ``FAKEPACA``.
    key_id, secret_key : str, optional
        The keys of an account; by default what the environment has as ``APCA_API_KEY_ID`` and
        ``APCA_API_SECRET_KEY``. They are neither shown nor pickled.
    price : {"mid", "last"}
        The price of updates: half way between the best quotes (missing while there are not
        two), or the last trade (missing before the first).
    quote_unit : float
        Shares that a quote's size of 1 stands for. One, since sizes came to be reported in
        shares; 100 for a source that still reports round lots.
    url : str
        The stream's address without the source, which is put behind it.
    name : str
        What messages call the feed.
    silence, connect_timeout, backoff
        See `WebSocketFeed`.

    Raises
    ------
    ValueError
        Without a key, here and not at the first connection; the message does not show it.

    Notes
    -----
    An update has the last quote and, where it is about a trade, its size as `volume`. Every
    trade counts as the last one, whatever its conditions; corrections and cancellations are
    left out. A quote whose bid is above its ask, which the consolidated tape knows for
    moments, is counted as garbage. One connection for each account and source is what most
    subscriptions allow; a second one is refused until the first has gone.

    Examples
    --------
    >>> feed = hz.feeds.AlpacaFeed(["AAPL", "MSFT"], key_id="PK123", secret_key="s3cret")
    >>> feed
    <AlpacaFeed 'alpaca', 2 markets, idle, 0 messages>
    >>> feed.status().address
    'wss://stream.data.alpaca.markets/v2/iex'

    ``hz.run(feeds=feed, ...)`` listens to it, and ``feed.record(path)`` writes down what it says.
    """

    confirms = True

    def __init__(
        self,
        markets: str | Sequence[str] | Mapping[str, str],
        *,
        feed: DataSource = "iex",
        key_id: str | None = None,
        secret_key: str | None = None,
        price: PriceOf = "mid",
        quote_unit: float = 1.0,
        url: str = _URL,
        name: str = "alpaca",
        silence: float = 15.0,
        connect_timeout: float = 10.0,
        backoff: Backoff | None = None,
    ) -> None:
        names = venue_names("markets", markets)
        base = web_address("url", url, ("ws", "wss")).rstrip("/")
        super().__init__(
            name,
            list(names),
            url=f"{base}/{checks.one_of('feed', feed, _SOURCES)}",
            asset_class=AssetClass.Equity,
            silence=silence,
            connect_timeout=connect_timeout,
            backoff=backoff,
        )
        self._by_last = checks.one_of("price", price, ("mid", "last")) == "last"
        self._quote_unit = checks.positive("quote_unit", quote_unit)
        self._key_id = credential("key_id", key_id, _KEY_ID)
        self._secret_key = credential("secret_key", secret_key, _SECRET_KEY)
        self._quotes = {symbol: _Quote(market_id) for market_id, symbol in names.items()}
        #: The whole second of the last time, as text, and in nanoseconds.
        self._second: tuple[str, int] = ("", 0)

    def _reset(self) -> None:
        for quote in self._quotes.values():
            quote.forget()

    # -------------------------------------------------------------------- from the server
    def _take(self, message: Any, received_ns: int) -> Iterable[Update]:
        if type(message) is not list:
            raise Garbage("a message must be a list of objects")
        return take_each(self, message, lambda event: self._take_one(event, received_ns))

    def _take_one(self, event: Any, received_ns: int) -> Iterable[Update]:
        kind = event["T"]
        if kind == "q":
            return self._quote(event, received_ns)
        if kind == "t":
            return self._trade(event, received_ns)
        if kind == "error":
            self._error(event)
        elif kind == "success":
            self._agree(event)
        elif kind == "subscription":
            self._begin(event)
        return ()

    def _quote(self, said: dict[str, Any], received_ns: int) -> Iterable[Update]:
        quote = self._quotes.get(said["S"])
        if quote is None:
            return ()
        bid, ask = amount("bp", said["bp"]), amount("ap", said["ap"])
        bid_size, ask_size = amount("bs", said["bs"]), amount("as", said["as"])
        if bid > ask > 0.0:
            raise Garbage(f"the quote is crossed: bid {bid:g} is above ask {ask:g}")
        exchange_ns = self._time_ns(said["t"])
        unit = self._quote_unit
        quote.bid, quote.bid_size = (bid, bid_size * unit) if bid else (NAN, NAN)
        quote.ask, quote.ask_size = (ask, ask_size * unit) if ask else (NAN, NAN)
        return self._say(quote, received_ns, exchange_ns, NAN)

    def _trade(self, said: dict[str, Any], received_ns: int) -> Iterable[Update]:
        quote = self._quotes.get(said["S"])
        if quote is None:
            return ()
        price, size = amount("p", said["p"]), amount("s", said["s"])
        if not price or not size:
            raise Garbage(f"a trade must have a price and a size, had {price!r} and {size!r}")
        exchange_ns = self._time_ns(said["t"])
        quote.last = price
        return self._say(quote, received_ns, exchange_ns, size)

    def _say(
        self, quote: _Quote, received_ns: int, exchange_ns: int, volume: float
    ) -> Iterable[Update]:
        price = quote.last if self._by_last else (quote.bid + quote.ask) / 2.0
        return (
            Update(
                quote.market_id,
                received_ns,
                exchange_ns,
                price,
                quote.bid,
                quote.ask,
                quote.bid_size,
                quote.ask_size,
                volume,
            ),
        )

    def _agree(self, said: dict[str, Any]) -> None:
        """Take the next step of the conversation that comes before the data."""
        if said["msg"] == "connected":
            key, secret = self._key_id.reveal(), self._secret_key.reveal()
            self._reply({"action": "auth", "key": key, "secret": secret})
        elif said["msg"] == "authenticated":
            symbols = list(self._quotes)
            self._reply({"action": "subscribe", "quotes": symbols, "trades": symbols})

    def _begin(self, said: dict[str, Any]) -> None:
        """Compare what is subscribed with what was asked for."""
        for channel in ("quotes", "trades"):
            given = said[channel]
            if missing := [symbol for symbol in self._quotes if symbol not in given]:
                raise self._failure(f"does not give {channel} of {', '.join(missing)}")
        self._set_state("up")

    def _error(self, said: dict[str, Any]) -> None:
        code = said["code"]
        text = self._hidden(checks.show(said.get("msg")))
        if code == _HARMLESS:
            return
        if code in _PASSING:
            raise Hangup(f"error {code}: {text}")
        advice = _ADVICE.get(code)
        raise self._failure(f"says error {code!r}: {text}" + (f" ({advice})" if advice else ""))

    def _time_ns(self, value: Any) -> int:
        """Read a time, in nanoseconds since 1970."""
        match = _RFC_3339.fullmatch(value)
        if match is None:
            raise Garbage(f"t must be an RFC 3339 time, was {checks.show(value)}")
        second, fraction, zone = match.groups("")
        known, ns = self._second
        if known != second + zone:
            at = datetime.fromisoformat(second + zone)
            ns = checks.timestamp_ns("t", at.astimezone(UTC))
            self._second = second + zone, ns
        return ns + int(fraction.ljust(9, "0"))

    # ------------------------------------------------------------- keys stay where they are
    def _discard(self, raw: object, error: Exception) -> None:
        super()._discard(raw, error)
        self._last_error = self._hidden(self._last_error or "")

    def _lose(self, reason: str, market_ids: Iterable[str] | None = None) -> None:
        super()._lose(self._hidden(reason), market_ids)

    def _hidden(self, text: str) -> str:
        return self._secret_key.hide_in(self._key_id.hide_in(text))
