"""What every live feed has: updates as they come, a status, and a recorder."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from horizon import checks
from horizon.errors import FeedError, HorizonError
from horizon.feeds.backoff import Backoff
from horizon.feeds.clock import steady_clock
from horizon.feeds.status import FeedState, FeedStatus
from horizon.feeds.updates import Update, lost
from horizon.types import AssetClass

__all__ = [
    "REFUSALS",
    "WRONG",
    "LiveFeed",
    "market_names",
    "public_address",
    "said",
    "web_address",
]

#: Answers that the same request will get again tomorrow, by HTTP status.
REFUSALS: Final = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 410: "Gone"}

#: What reading a message of another shape than the protocol's raises.
WRONG: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

#: Refusals in a row that end a feed which had been up: a server that is being restarted may
#: well answer "not found" for a moment.
_LAST_REFUSAL: Final = 3


class LiveFeed(ABC):
    """A source of updates that go on until somebody stops listening.

    A subclass gives `_listen`. It calls `_hand_on` with each message's updates, `_lose` at each
    loss, and `_set_state` as it comes and goes.

    Parameters
    ----------
    name : str
        What messages call the feed.
    market_ids : sequence of str
        The markets it has updates of, under the ids that they have here.
    asset_class : AssetClass, optional
        What all of them are, where the source has one kind only.
    has_books : bool
        Whether updates bring whole books.
    address : str, optional
        Where it connects to; shown without user, password and query.
    backoff : Backoff, optional
        How long it waits between attempts to connect.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    A source of one's own that has something to say each second, and ends with its listener:

    >>> import asyncio
    >>> class Clock(hz.feeds.LiveFeed):
    ...     async def _listen(self):
    ...         self._set_state("up")
    ...         for second in range(1_000):
    ...             self._hand_on([hz.feeds.Update("clock", self._now_ns(), price=float(second))])
    ...             await asyncio.sleep(1.0)
    >>> feed = Clock("clock", ["clock"])
    >>> feed
    <Clock 'clock', 'clock', idle, 0 messages>

    ``await feed.listen(print)`` prints what it says, and `record` writes it to a file.
    """

    def __init__(
        self,
        name: str,
        market_ids: Sequence[str],
        *,
        asset_class: AssetClass | None = None,
        has_books: bool = False,
        address: str | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._name = checks.text("name", name)
        self._market_ids = market_names("market_ids", market_ids)
        self._ids = frozenset(self._market_ids)
        if asset_class is not None and not isinstance(asset_class, AssetClass):
            raise TypeError(f"asset_class must be an AssetClass, was {checks.show(asset_class)}")
        if backoff is not None and not isinstance(backoff, Backoff):
            raise TypeError(f"backoff must be a Backoff, was {checks.show(backoff)}")
        self._asset_class = asset_class
        self._has_books = checks.flag("has_books", has_books)
        self._shown_address = None if address is None else public_address(address)
        self._backoff = Backoff() if backoff is None else backoff
        self._state: FeedState = "idle"
        self._since_ns: int | None = None
        self._messages = self._updates = self._garbage = self._gaps = self._reconnects = 0
        self._last_received_ns: int | None = None
        self._last_update: Update | None = None
        self._last_error: str | None = None
        self._was_up, self._refusals_left = False, 1
        #: Markets that somebody was told something of since they were last lost.
        self._known: dict[str, None] = {}
        self._deliver: Callable[[Update], object] = _nobody
        self._now_ns: Callable[[], int] = steady_clock()
        self._is_listening = False

    @property
    def name(self) -> str:
        """What messages call the feed."""
        return self._name

    @property
    def market_ids(self) -> tuple[str, ...]:
        """The markets it has updates of."""
        return self._market_ids

    @property
    def asset_class(self) -> AssetClass | None:
        """What all its markets are; None where the source does not say."""
        return self._asset_class

    @property
    def has_books(self) -> bool:
        """Whether updates bring whole books."""
        return self._has_books

    @property
    def is_up(self) -> bool:
        """Whether it is connected and subscribed, as far as anybody can know."""
        return self._state == "up"

    @property
    def has_been_up(self) -> bool:
        """Whether it was up at any time since somebody began to listen."""
        return self._was_up

    def status(self) -> FeedStatus:
        """Return the feed as it stands now; may be asked from any thread."""
        update, since, last = self._last_update, self._since_ns, self._last_received_ns
        lag = None
        if update is not None and update.exchange_ns is not None:
            lag = (update.received_ns - update.exchange_ns) / 1e6
        return FeedStatus(
            name=self._name,
            state=self._state,
            since=None if since is None else checks.ns_to_seconds(since),
            messages=self._messages,
            updates=self._updates,
            garbage=self._garbage,
            gaps=self._gaps,
            reconnects=self._reconnects,
            last_message=None if last is None else checks.ns_to_seconds(last),
            lag_ms=lag,
            last_error=self._last_error,
            address=self._shown_address,
        )

    async def listen(
        self,
        deliver: Callable[[Update], object],
        *,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """Connect, and deliver updates until cancelled; reconnect after every loss.

        Parameters
        ----------
        deliver : callable
            Takes one `Update`, on the event loop's thread. What it raises ends the listening,
            and is passed on.
        clock : callable, optional
            Gives nanoseconds since 1970 and never goes back; by default a new `steady_clock`.

        Raises
        ------
        FeedError
            Where trying again is of no use: the source refuses the connection (HTTP 401, 403,
            404, 410), or knows no such market. A feed that was up has to be refused three
            times in a row.
        HorizonError
            If somebody is listening already.

        Notes
        -----
        At each loss (the connection closes or fails, nothing is heard for too long, messages
        are missing) an update with ``is_lost`` comes at once for each market of which
        something was known, before any attempt to connect again.
        """
        if not callable(deliver):
            raise TypeError(f"deliver must be callable, was {checks.show(deliver)}")
        if self._is_listening:
            raise HorizonError(f"feed {self._name!r} is listening already: one at a time")
        self._is_listening = True
        self._deliver = deliver
        self._now_ns = steady_clock() if clock is None else clock
        self._known.clear()
        self._was_up, self._refusals_left = False, 1
        self._backoff.reset()
        self._set_state("connecting")
        try:
            await self._listen()
        except asyncio.CancelledError:
            self._set_state("stopped")
            raise
        except BaseException as error:
            self._last_error = checks.error_text(error) or type(error).__name__
            self._set_state("failed")
            raise
        finally:
            self._is_listening = False
            self._deliver = _nobody

    def record(self, path: object, *, duration: float | None = None, n: int | None = None) -> Path:
        """Write updates to a Parquet file while the caller waits.

        Works in a notebook too: it listens in a thread and an event loop of its own.

        Parameters
        ----------
        path : path
            Of a file that may exist already; it is replaced once the new one is whole.
        duration : float, optional
            Seconds to record, from the call on; without end by default.
        n : int, optional
            Updates to record; without end by default.

        Returns
        -------
        Path
            Of the file: `Recording` reads it, and so do `Replay` and any other reader of
            Parquet.

        Raises
        ------
        FeedError
            As `listen`; and where the feed was not up at any time until the end. What came
            before an error is kept; where nothing came, a file that is there stays.

        Notes
        -----
        An interrupt (the stop button, Ctrl-C) ends the recording as `duration` would: what is
        there is kept, and the path returned. A process that is killed leaves an unfinished
        file behind, named ``<path>.part``.

        Examples
        --------
        ``hz.feeds.BinanceWS("BTCUSDT").record("btc.parquet", duration=600)`` records ten minutes
        of a market. Here it is a source that needs no network, and says two prices:

        >>> class Two(hz.feeds.LiveFeed):
        ...     async def _listen(self):
        ...         self._set_state("up")
        ...         for price in (0.5, 0.6):
        ...             self._hand_on([hz.feeds.Update("rain", self._now_ns(), price=price)])
        >>> path = Two("two", ["rain"]).record("two.parquet", n=2)
        >>> hz.feeds.Recording(path).data["price"].tolist()
        [0.5, 0.6]
        """
        from horizon.feeds.recorder import record

        return record(self, path, duration=duration, n=n)

    @abstractmethod
    async def _listen(self) -> None:
        """Hand on updates until cancelled."""

    # ------------------------------------------------------------------- for subclasses
    def _set_state(self, state: FeedState) -> None:
        if state != self._state:
            self._state, self._since_ns = state, self._now_ns()
        if state == "up":
            self._was_up, self._refusals_left = True, _LAST_REFUSAL

    def _hand_on(self, updates: Iterable[Update]) -> None:
        """Deliver what a message says; what is no update of this feed's markets ends the feed."""
        for update in updates:
            if not isinstance(update, Update):
                raise TypeError(
                    f"feed {self._name!r} must give Updates, gave {checks.show(update)}"
                )
            if update.market_id not in self._ids:
                name = update.market_id
                raise ValueError(
                    f"feed {self._name!r} gave an update of {checks.show(name)}, which is not "
                    f"among its market_ids{checks.suggestion(str(name), self._ids)}"
                )
            self._updates += 1
            self._last_update = update
            if update.is_lost:
                self._known.pop(update.market_id, None)
            else:
                self._known[update.market_id] = None
            self._deliver(update)

    def _lose(self, reason: str, market_ids: Iterable[str] | None = None) -> None:
        """Say at once that nothing is known any more, of all markets or of those given."""
        self._last_error = reason
        self._set_state("reconnecting" if self._was_up else "connecting")
        now_ns = self._now_ns()
        for market_id in list(self._known if market_ids is None else market_ids):
            # Forgotten first: should a delivery raise, it is not repeated.
            if market_id not in self._known:
                continue
            del self._known[market_id]
            self._updates += 1
            self._deliver(lost(market_id, now_ns))

    def _discard(self, raw: object, error: Exception) -> None:
        """Count a message that cannot be read or cannot be true."""
        self._garbage += 1
        words = checks.error_text(error) if isinstance(error, ValueError) else checks.show(error)
        self._last_error = f"garbage: {words}, in {checks.show(raw)}"

    def _refuse(self, status: int) -> None:
        """Take a refusal: raise where it is one for good."""
        words = f"HTTP {status} {REFUSALS.get(status, '')}".rstrip()
        self._last_error = f"refused with {words}"
        self._refusals_left -= 1
        if self._refusals_left <= 0:
            raise self._failure(f"is refused with {words}")

    def _failure(self, reason: str) -> FeedError:
        """An error that ends the feed, with its name and address in front."""
        at = "" if self._shown_address is None else f" at {self._shown_address}"
        return FeedError(
            f"feed {self._name!r}{at} {reason}", feed=self._name, address=self._shown_address
        )

    def __repr__(self) -> str:
        count = len(self._market_ids)
        markets = repr(self._market_ids[0]) if count == 1 else f"{count:,} markets"
        return (
            f"<{type(self).__name__} {self._name!r}, {markets}, {self._state}, "
            f"{self._messages:,} messages>"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(type(self).__name__)}</p>{self.status()._repr_html_()}"


def market_names(argument: str, value: object) -> tuple[str, ...]:
    """Take one market id or several, each of which may come once."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Sequence):
        raise TypeError(
            f"{argument} must be a market id or a list of them, was {checks.show(value)}"
        )
    names = tuple(checks.market_id(f"{argument}[{i}]", name) for i, name in enumerate(value))
    if not names:
        raise ValueError(f"{argument} must name at least one market, was empty")
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"{argument} must not name a market twice, has {name!r} again")
    return names


def web_address(argument: str, value: object, schemes: Sequence[str]) -> str:
    """Take an address with one of the schemes, and a host."""
    text = checks.text(argument, value, most=4096)
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address in brackets that is none
        is_good = False
    if not is_good:
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"{argument} must be an address with {begins}, was {checks.show(text)}")
    return text


def public_address(address: str) -> str:
    """Return an address without what may be secret in it: user, password, query."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def said(error: BaseException) -> str:
    """What an error says, or its name where it says nothing, or may say what is secret.

    Some errors of an HTTP client have the whole address in their text, its query too.
    """
    text = checks.error_text(error)
    has_address = "://" in text or hasattr(error, "url") or hasattr(error, "request_info")
    return type(error).__name__ if has_address or not text else text


def _nobody(update: Update) -> None:
    """Deliver to nobody: nobody listens."""
