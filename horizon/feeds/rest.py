"""Prices out of any JSON that a web address answers with."""

from __future__ import annotations

import asyncio
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote

from horizon import checks
from horizon.feeds.backoff import Backoff, retry_after
from horizon.feeds.libraries import library
from horizon.feeds.live import REFUSALS, WRONG, LiveFeed, market_names, said, web_address
from horizon.feeds.updates import NAN, Garbage, Update, amount
from horizon.types import AssetClass

if TYPE_CHECKING:
    import aiohttp

__all__ = ["RESTFeed"]

#: Where a value stands in an answer.
Path: TypeAlias = str | Sequence[str | int] | Callable[[Any], Any]

_FIELDS: Final = ("price", "bid", "ask", "bid_size", "ask_size", "volume")
#: Largest answer read, in bytes.
_LARGEST: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class _Market:
    """One market's address, and what its server said last."""

    market_id: str
    url: str
    tag: str | None = None  # the ETag of the last answer that was read
    last: Update | None = None


class RESTFeed(LiveFeed):
    """A feed that asks a web address again and again, and finds its numbers in the JSON.

    Parameters
    ----------
    url : str
        An address with ``http://`` or ``https://``. With ``{market}`` in it, each market is
        asked for by itself.
    market_id : str, sequence of str, or mapping of str to str
        Market ids; or market ids here to what stands in the place of ``{market}``.
    price, bid, ask, bid_size, ask_size, volume : str, sequence or callable, optional
        Where each number stands in the answer: names and places (from 0) with dots between
        them, ``"data.0.last"``; a list of them, where a name has a dot; or what takes the whole
        answer and returns the number. A number may be written as text. At least a price, or a
        bid and an ask: then the price is their mid.
    every : float
        Seconds from one question to the next.
    headers, params : mapping of str to str, optional
        Sent with each question. Put no key into `url`: it is shown.
    timeout : float
        Seconds that an answer may take.
    asset_class : AssetClass, optional
        What all its markets are, where that is known.
    name : str
        What messages call the feed.
    backoff : Backoff, optional
        How long to wait after an answer that is none, where that is longer than `every`.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above, such as an `url` without ``{market}`` for several
        markets, or neither a `price` nor both quotes.

    Notes
    -----
    A question without a good answer (no connection, an HTTP error, no JSON, nothing at the
    path, a number that cannot be) loses its market, until the next good one. 401, 403, 404 and
    410 end the feed, where they are the first answer or come three times in a row. A server
    that says ``Retry-After`` is not asked before that.

    An answer is an update, whether or not its numbers are new. An ``ETag`` is sent back, and
    304 (not modified) stands for the last answer.

    Examples
    --------
    >>> url = "https://api.exchange.example/ticker/{market}"
    >>> feed = hz.feeds.RESTFeed(url, market_id="btc-usd", price="data.0.last", every=2.0)
    >>> feed
    <RESTFeed 'rest', 'btc-usd', idle, 0 messages>

    ``hz.run(feeds=feed, ...)`` listens to it, and ``feed.record(path)`` writes down what it says.
    """

    def __init__(
        self,
        url: str,
        *,
        market_id: str | Sequence[str] | Mapping[str, str],
        price: Path | None = None,
        bid: Path | None = None,
        ask: Path | None = None,
        bid_size: Path | None = None,
        ask_size: Path | None = None,
        volume: Path | None = None,
        every: float = 1.0,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        asset_class: AssetClass | None = None,
        name: str = "rest",
        backoff: Backoff | None = None,
    ) -> None:
        template = web_address("url", url, ("http", "https"))
        names = _names(market_id)
        if len(names) > 1 and "{market}" not in template:
            raise ValueError(
                f"url must have {{market}} in it for {len(names)} markets, was {template!r}"
            )
        given = zip(_FIELDS, (price, bid, ask, bid_size, ask_size, volume), strict=True)
        self._readers = {field: _reader(field, path) for field, path in given if path is not None}
        if price is None and (bid is None or ask is None):
            raise ValueError("price must be given, or bid and ask: nothing else makes a price")
        super().__init__(
            name, tuple(names), asset_class=asset_class, address=template, backoff=backoff
        )
        self._every = checks.positive("every", every)
        self._timeout = checks.positive("timeout", timeout)
        self._headers = _texts("headers", headers)
        self._params = _texts("params", params)
        self._urls = {
            market: template.replace("{market}", quote(there, safe=""))
            for market, there in names.items()
        }
        self._bad: set[str] = set()

    async def _listen(self) -> None:
        aiohttp = library("aiohttp")
        async with aiohttp.ClientSession(
            trust_env=True,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        ) as http:
            self._bad = set(self._market_ids)
            polls = [
                asyncio.create_task(self._poll(http, _Market(market_id, url)))
                for market_id, url in self._urls.items()
            ]
            try:
                # None of them ends by itself: the first to end has something to raise.
                done, _ = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
                for poll in done:
                    poll.result()
            finally:
                for poll in polls:
                    poll.cancel()
                await asyncio.gather(*polls, return_exceptions=True)

    async def _poll(self, http: aiohttp.ClientSession, market: _Market) -> None:
        """Ask for one market again and again."""
        loop = asyncio.get_running_loop()
        backoff = copy.copy(self._backoff)  # a market's troubles are its own
        while True:
            due = loop.time() + self._every
            answer = await self._ask(http, market)
            if isinstance(answer, Update):
                self._hand_on((answer,))
                self._bad.discard(market.market_id)
                if not self._bad:
                    self._set_state("up")
                backoff.reset()
            else:
                self._bad.add(market.market_id)
                self._reconnects += 1
                self._lose(answer.reason, (market.market_id,))
                if answer.status in REFUSALS:
                    self._refuse(answer.status)
                due = max(due, loop.time() + max(answer.wait, backoff.wait()))
            await asyncio.sleep(max(due - loop.time(), 0.0))

    async def _ask(self, http: aiohttp.ClientSession, market: _Market) -> Update | _Trouble:
        """Ask once."""
        errors = library("aiohttp").ClientError
        tag = {} if market.tag is None else {"If-None-Match": market.tag}
        try:
            async with http.get(
                market.url,
                params=self._params,
                headers=tag,
                # A key among the headers is for this server, and for no other.
                allow_redirects=not self._headers,
            ) as response:
                status = response.status
                body = await _body(response)
        except TimeoutError:
            return _Trouble(f"no answer within {self._timeout:g} s")
        except (errors, OSError) as error:
            return _Trouble(f"no answer: {said(error)}")
        except Garbage as error:
            self._discard(b"", error)
            return _Trouble(f"garbage: {error}")
        received_ns = self._now_ns()
        self._messages += 1
        self._last_received_ns = received_ns
        if status == 304 and tag and market.last is not None:
            return market.last._replace(received_ns=received_ns)
        if status != 200:
            wait = retry_after(response.headers.get("Retry-After"), received_ns)
            words = f"the server answered HTTP {status} {response.reason}"
            return _Trouble(words.rstrip(), status, wait)
        try:
            update = self._read(market, library("orjson").loads(body), received_ns)
        except WRONG as error:
            self._discard(body, error)
            return _Trouble(self._last_error or "garbage")
        market.tag, market.last = response.headers.get("ETag"), update
        return update

    def _read(self, market: _Market, answer: Any, received_ns: int) -> Update:
        found = {field: read(answer) for field, read in self._readers.items()}
        bid, ask = found.get("bid", NAN), found.get("ask", NAN)
        if bid > ask:
            raise Garbage(f"bid {bid!r} is above ask {ask!r}")
        price = found["price"] if "price" in found else (bid + ask) / 2.0
        if math.isnan(price) and math.isnan(bid) and math.isnan(ask):
            raise Garbage("bid and ask: the answer has neither")
        return Update(
            market.market_id,
            received_ns,
            None,
            price,
            bid,
            ask,
            found.get("bid_size", NAN),
            found.get("ask_size", NAN),
            found.get("volume", NAN),
        )


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why an answer is none, and for how many seconds the server wants to be left alone."""

    reason: str
    status: int = 0
    wait: float = 0.0


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(1 << 16):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise Garbage(f"the answer is larger than {_LARGEST:,} bytes")
    return b"".join(parts)


def _reader(field: str, path: object) -> Callable[[Any], float]:
    """Make a path into what finds a number at it."""
    find: Callable[[Any], Any]
    if callable(path):
        find, shown = path, getattr(path, "__name__", "the callable")
    else:
        steps = _steps(field, path)
        shown = repr(path)

        def find(answer: Any) -> Any:
            for step in steps:
                if isinstance(answer, Mapping):
                    # A number may be a name: {"0": ...}
                    answer = answer[str(step)]
                elif isinstance(answer, list):
                    answer = answer[int(step)]
                else:
                    raise LookupError(f"{step!r} in {checks.show(answer)}")
            return answer

    def read(answer: Any) -> float:
        try:
            value = find(answer)
        except Exception as error:  # a callable of somebody's can raise anything
            why = f"{type(error).__name__}: {checks.error_text(error)}"
            raise Garbage(f"{field}: nothing at {shown} ({why})") from error
        if value is None and field != "price":
            return NAN
        if type(value) not in (str, int, float):
            value = checks.number(field, value)
        return amount(field, value)

    return read


def _steps(field: str, path: object) -> tuple[str | int, ...]:
    steps: Any = path.split(".") if isinstance(path, str) else path
    is_good = isinstance(steps, Sequence) and len(steps) > 0
    if not is_good or not all(
        (isinstance(step, str) and step) or (type(step) is int and step >= 0) for step in steps
    ):
        raise ValueError(
            f"{field} must be a path such as 'data.0.last', a list of names and places, or a "
            f"callable, was {checks.show(path)}"
        )
    return tuple(steps)


def _names(markets: object) -> dict[str, str]:
    """Market ids here to what they are called there."""
    if isinstance(markets, Mapping):
        ids = market_names("market_id", list(markets))
        there = [checks.text(f"market_id[{i!r}]", markets[i]) for i in ids]
        return dict(zip(ids, there, strict=True))
    return {market_id: market_id for market_id in market_names("market_id", markets)}


def _texts(name: str, given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must be a dict of texts, was a {type(given).__name__}")
    for key, value in given.items():
        # Never shown: it may be a key.
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"{name} must map text to text, has a {type(value).__name__}")
    return dict(given)
