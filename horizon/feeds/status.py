"""A live feed at one moment, for people and for loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from horizon.types import Shown

__all__ = ["FeedState", "FeedStatus"]

FeedState: TypeAlias = Literal["idle", "connecting", "up", "reconnecting", "failed", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus(Shown):
    """A live feed at one moment; `LiveFeed.status` returns it.

    Attributes
    ----------
    name : str
        What messages call the feed.
    state : str
        ``"idle"`` before it listens, ``"connecting"`` until it is up for the first time,
        ``"up"``, ``"reconnecting"`` after a loss, ``"failed"`` once it gave up, ``"stopped"``.
    since : float or None
        When that began, in seconds since 1970; None while idle.
    messages, updates : int
        Messages taken in, and updates delivered from them.
    garbage : int
        Messages that could not be read, or that cannot be true; they were left out.
    gaps : int
        Times that messages were missing.
    reconnects : int
        Attempts to connect after a loss.
    last_message : float or None
        When the last message came, in seconds since 1970.
    lag_ms : float or None
        How much later than its exchange's time the last update came in, in milliseconds; that
        is the way here and the difference of two clocks, so it may be negative. None where the
        message had no time.
    last_error : str or None
        What went wrong last, whether or not it has been mended since.
    address : str or None
        Where the feed connects to, without what a query may keep secret.

    Examples
    --------
    >>> status = hz.feeds.BinanceWS("BTCUSDT").status()
    >>> status.state, status.messages, status.address
    ('idle', 0, 'wss://stream.binance.com:9443/stream')
    """

    name: str
    state: FeedState
    since: float | None
    messages: int
    updates: int
    garbage: int
    gaps: int
    reconnects: int
    last_message: float | None
    lag_ms: float | None
    last_error: str | None
    address: str | None
