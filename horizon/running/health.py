"""How the feeds of a run are doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from horizon import checks
from horizon.feeds import FeedProgress
from horizon.feeds.live import LiveFeed
from horizon.feeds.status import FeedStatus
from horizon.types import Shown

if TYPE_CHECKING:
    from horizon.running.session import Session

__all__ = ["FeedHealth", "health_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth(Shown):
    """One feed of a run at one moment.

    Not made by hand: `RunHandle.health` lists them.

    Attributes
    ----------
    keys : tuple of str
        By which names its rows go in the run.
    name : str
        The feed's own.
    is_live : bool
        Whether its rows come when they happen; others are played.
    status : FeedStatus or FeedProgress
        Of a live feed its connection, of one that is played how far it is.
    age : float or None
        Seconds of the run's own time since the latest row of any of its keys; None before one, and
        once the run is over.
    rows : int
        Rows of it so far: updates of a live feed, rows sent of one that is played.
    stale : tuple of (str, float)
        The keys of which nothing is known any more, and for how many seconds.

    Examples
    --------
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> feed = hz.feeds.Synthetic(seed=1, n=100)
    >>> handle = hz.run(
    ...     "rain", feeds={"rain": feed}, pipeline=[quoter], speed=np.inf, background=True
    ... )
    >>> result = handle.wait(10)
    >>> [health] = handle.health()
    >>> health.keys, health.is_live, health.rows, health.stale
    (('rain',), False, 100, ())
    """

    keys: tuple[str, ...]
    name: str
    is_live: bool
    status: FeedStatus | FeedProgress
    age: float | None
    rows: int
    stale: tuple[tuple[str, float], ...]


def health_of(session: Session, *, is_over: bool = False) -> list[FeedHealth]:
    """Look at each feed of a session, from any thread; of one that is over, as it ended.

    A run takes leave of all its feeds as it ends, which makes none of them stale.
    """
    watch, names = session.intake.watch, session.plan.feeds
    now_ns = session.clock() if session.plan.is_live else session.loop.now_ns
    played = iter([] if session.player is None else session.player.feeds_progress())
    lost = set(watch.lost)
    found = []
    for source in session.plan.sources:
        feed = source.feed
        status = feed.status() if isinstance(feed, LiveFeed) else next(played)
        ages = {
            number: max(0.0, checks.ns_to_seconds(now_ns - heard_ns))
            for number in source.numbers
            if not is_over and (heard_ns := watch.heard_ns(number)) is not None
        }
        found.append(
            FeedHealth(
                keys=tuple(names[number] for number in source.numbers),
                name=feed.name,
                is_live=isinstance(feed, LiveFeed),
                status=status,
                age=min(ages.values(), default=None),
                rows=status.updates if isinstance(status, FeedStatus) else status.position,
                stale=tuple((names[number], age) for number, age in ages.items() if number in lost),
            )
        )
    return found
