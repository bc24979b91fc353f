"""A run at one moment: what a handle shows."""

from __future__ import annotations

import html
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from horizon import words
from horizon.feeds import FeedProgress
from horizon.feeds.status import FeedStatus
from horizon.types import Shown

__all__ = ["RunState", "RunStatus"]

RunState: TypeAlias = Literal["connecting", "running", "paused", "stopping", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus(Shown):
    """A run at one moment. Money in the account's currency, times in seconds since 1970.

    Not made by hand: `RunHandle.status` returns it.

    Attributes
    ----------
    name : str
        The run's.
    state : str
        ``"connecting"`` until every live feed is up, ``"running"``, ``"paused"`` (its played
        feeds are), ``"stopping"``, then ``"done"``, or ``"failed"`` where an exception ended it.
    time : float or None
        The run's own time: that of its last row or cycle; None before the first.
    started : float or None
        Time of its first row.
    messages : int
        Rows that came in, of all feeds.
    refused : int
        Rows that no market could have, such as a probability above 1: left out.
    cycles : int
        Times that the pipelines ran by the interval; 0 where they run at each message.
    overruns : int
        Cycles left out, because the one before had not ended in time.
    equity, cash : float
        Of the account now.
    open_orders, fills : int
        Orders that rest now, and fills so far.
    errors : dict of str to int
        Exceptions of stages, by stage.
    rejections : dict of str to int
        Orders refused by a risk rule.
    stale : tuple of str
        Feeds that had a row, and of which nothing is known any more.
    kill_switch : bool
        Whether orders that would open something are refused; see `RunHandle.kill_switch`.
    stopped_by : str or None
        What ended it: ``"stop"``, ``"interrupt"``, ``"duration"``, ``"end"`` (of its played
        feeds), ``"exit"`` (of the program) or ``"error"``.
    feeds : tuple of FeedStatus or FeedProgress
        The live feeds, and how far the played ones are.

    Examples
    --------
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> feed = hz.feeds.Synthetic(seed=1, n=100)
    >>> handle = hz.run(
    ...     "rain", feeds={"rain": feed}, pipeline=[quoter], speed=np.inf, background=True
    ... )
    >>> result = handle.wait(10)
    >>> status = handle.status()
    >>> status.state, status.stopped_by, status.messages, status.open_orders
    ('done', 'end', 100, 0)
    >>> status.fills == len(result.fills)
    True
    """

    name: str
    state: RunState
    time: float | None
    started: float | None
    messages: int
    refused: int
    cycles: int
    overruns: int
    equity: float
    cash: float
    open_orders: int
    fills: int
    errors: dict[str, int]
    rejections: dict[str, int]
    stale: tuple[str, ...]
    kill_switch: bool
    stopped_by: str | None
    feeds: tuple[FeedStatus | FeedProgress, ...]

    def _repr_html_(self) -> str:
        shown = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("time", "started"):
            shown[name] = words.clock(shown[name], date=True)
        shown["feeds"] = "; ".join(_said(feed) for feed in self.feeds)
        shown["stale"] = ", ".join(self.stale) or None
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(words.name(_cell(value)))}</td></tr>"
            for name, value in shown.items()
        )
        return f"<table><caption>RunStatus</caption>{rows}</table>"

    @property
    def is_over(self) -> bool:
        """Whether the run has ended."""
        return self.state in ("done", "failed")


def _said(feed: FeedStatus | FeedProgress) -> str:
    if isinstance(feed, FeedStatus):
        return f"{feed.name}: {feed.state}, {feed.messages:,} messages"
    total = "" if feed.total is None else f" of {feed.total:,}"
    return f"{feed.status}, {feed.position:,}{total} rows"


def _cell(value: object) -> str:
    if value is None or value == {}:
        return words.MISSING
    if isinstance(value, dict):
        return ", ".join(f"{key}: {count:,}" for key, count in value.items())
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)
