"""What `horizon desk` was asked for: checked before anything is served, sent as JSON, made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from horizon.cli.problems import Failed
from horizon.instruments import Market, class_of_id
from horizon.types import AssetClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from horizon.client import ImperativeClient
    from horizon.feeds import BookReplay, Feed, Replay
    from horizon.widgets import Workbench

__all__ = ["VARIABLE", "Plan", "checked", "make_desk", "told"]

#: The environment variable that the plan is sent in.
VARIABLE: Final = "HORIZON_DESK"
#: Seconds on the wall that the usual step between two rows takes, where no speed is asked for.
_STEP: Final = 0.5
#: Rows that are played to an account before the first page is opened, to see that they can be.
_TRIED: Final = 2_000_000
_BOOKS_TRIED: Final = 100_000
#: Markets of a kind that are named, before the rest is counted.
_NAMED: Final = 8
_CALLED: Final = {
    AssetClass.Equity: "a share",
    AssetClass.Option: "an option",
    AssetClass.Prediction: "a prediction market",
    AssetClass.Perp: "a perpetual",
    AssetClass.Crypto: "a cryptocurrency",
}
#: Prices among the numbers of a row.
_PRICES: Final = ("price", "bid", "ask", "open", "high")


@dataclass(frozen=True, slots=True)
class Plan:
    """Account, data and layout of a desk.

    Attributes
    ----------
    data : str or None
        Path of what is replayed; None for made-up markets.
    market : str or None
        The market of data that does not name its own.
    columns : dict of str to str
        Horizon's column names to the data's.
    speed : float or None
        Market seconds per second; None until `checked` has chosen one.
    books : bool
        Whether orders meet order books.
    cash : float
        In USD.
    fee_bps : float
        Of each fill's notional, in basis points.
    layout : str or None
        Path of the file that keeps the layout.
    asked : dict of str to str
        What markets of the data are said to be; the key "" stands for all others.
    kinds : dict of str to str
        What the markets of the data are; filled in by `checked`.
    """

    data: str | None = None
    market: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    speed: float | None = None
    books: bool = False
    cash: float = 100_000.0
    fee_bps: float = 0.0
    layout: str | None = None
    asked: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` has written."""
        return cls(**json.loads(text))


def checked(plan: Plan) -> Plan:
    """Open the desk once without showing it, and complete the plan by what its data says.

    Raises
    ------
    HorizonError, ValueError, OSError
        For whatever would keep a page from opening, or its data from playing to the end.
    """
    import asyncio

    feed = None
    if plan.data is not None:
        feed = _replay(plan)
        if not feed.total:
            raise Failed(f"{plan.data} has no row with a price: there is nothing to play")
        speed = plan.speed if plan.speed is not None else _usual_speed(feed)
        plan = replace(plan, speed=speed, kinds=_kinds(feed, plan.asked))
        with _account(plan, feed) as ex:
            feed.run(ex, n=min(feed.total, _BOOKS_TRIED if plan.books else _TRIED))

    async def once() -> None:
        make_desk(plan, feed, play=False).close()

    asyncio.run(once())
    return plan


def make_desk(
    plan: Plan, feed: Replay | BookReplay | None = None, *, play: bool = True
) -> Workbench:
    """Make the desk of a plan: an account of its own, and what plays to it.

    Parameters
    ----------
    plan : Plan
        As `checked` has returned it.
    feed : Replay or BookReplay, optional
        The plan's data, where it was read already.
    play : bool
        Begin at once.
    """
    from horizon.widgets import workbench

    if feed is None and plan.data is not None:
        feed = _replay(plan)
    ex = _account(plan, feed)
    feeds = _made_up(plan, ex) if feed is None else (feed,)
    first = next(iter(plan.kinds), None)
    layout = plan.layout or ("book" if plan.books else None)
    return workbench(ex, feeds, market=first, layout=layout, play=play)


def _account(plan: Plan, feed: Replay | BookReplay | None) -> ImperativeClient:
    from horizon.client import connect

    clock = None if feed is None else _clock_of(feed)
    if plan.books:
        ex = connect(
            "book",
            initial_cash=plan.cash,
            fee_bps=plan.fee_bps,
            fill_model="probabilistic",
            clock=clock,
        )
    else:
        ex = connect(
            "paper",
            initial_cash_usd=plan.cash,
            fee_bps=plan.fee_bps,
            matching="quotes",  # a fill costs what is quoted, where the data has quotes
            clock=clock,
        )
    for name, kind in plan.kinds.items():
        ex.declare(Market(name, AssetClass[kind]))
    return ex


def _clock_of(feed: Replay | BookReplay) -> Callable[[], float]:
    """Make a clock of the data's own time: of the first row, then of the latest that was sent.

    A feed moves its first row to the account's present. Where that is the row's own time nothing
    is moved, and orders, fills and charts bear the dates of the file. A later pass, whose first
    row comes once more, goes on from the time that the account has reached.
    """
    first = feed.time_at(0)
    assert first is not None  # `checked` has seen to it that there is a row
    latest = first / 1e9

    def present() -> float:
        nonlocal latest
        if feed.time is not None:
            latest = max(latest, feed.time)
        return latest

    return present


def _made_up(plan: Plan, ex: ImperativeClient) -> tuple[Feed, ...]:
    from horizon.feeds import SyntheticBooks
    from horizon.widgets.desk.demo import made_up

    speed = 1.0 if plan.speed is None else plan.speed
    if plan.books:
        return (SyntheticBooks(1, market_id=plan.market or "rain-tomorrow", speed=speed),)
    feeds = made_up(ex)
    for feed in feeds:
        feed.speed = speed
    return feeds


def _replay(plan: Plan) -> Replay | BookReplay:
    from horizon.feeds import BookReplay, Replay

    assert plan.data is not None
    if plan.books:
        return BookReplay(plan.data, market_id=plan.market, speed=plan.speed)
    return Replay(plan.data, market_id=plan.market, columns=plan.columns or None, speed=plan.speed)


def _usual_speed(feed: Replay | BookReplay) -> float:
    """A speed at which rows come about twice a second; never slower than they came."""
    times = [feed.time_at(row) for row in range(min(feed.total, 1_000))]
    steps = [(b - a) / 1e9 for a, b in pairwise(times) if a is not None and b is not None and b > a]
    return max(1.0, round(median(steps) / _STEP)) if steps else 1.0


def _kinds(feed: Replay | BookReplay, asked: dict[str, str]) -> dict[str, str]:
    """Say what each market is: as asked, by its id, or by prices that are all odds."""
    from horizon.feeds.reader import NUMBERS

    places = [NUMBERS.index(name) for name in _PRICES]
    highest: dict[str, float] = dict.fromkeys(feed.markets, 0.0)
    for batch in feed.batches():
        for market, _, *numbers in batch:
            for place in places:
                price = numbers[place]
                if price is not None and price > highest[market]:
                    highest[market] = price
    if strange := [name for name in asked if name and name not in highest]:
        raise Failed(f"--kind names {strange[0]!r}; the data has {_some(list(highest))}")
    kinds = {}
    for name, most in highest.items():
        kind = _kind(name, most)
        said = asked.get(name, asked.get(""))
        if said is not None:
            _accept(name, AssetClass[said], most, alone=name in asked or len(highest) == 1)
            kind = AssetClass[said]
        kinds[name] = kind.name
    return kinds


def _kind(name: str, highest: float) -> AssetClass:
    kind = class_of_id(name)
    return AssetClass.Prediction if kind is AssetClass.Equity and highest <= 1.0 else kind


def _accept(name: str, said: AssetClass, highest: float, *, alone: bool) -> None:
    """Refuse a kind that a market's id or prices contradict."""
    by_id = class_of_id(name)
    hint = "" if alone else "; for some markets only: --kind ID=KIND"
    if by_id is not AssetClass.Equity and by_id is not said:
        raise Failed(f"--kind {said.name.lower()}: {name} is {_CALLED[by_id]} by its id{hint}")
    if said is AssetClass.Prediction and highest > 1.0:
        raise Failed(
            f"--kind prediction: a prediction market pays 1, and {name} has a price of "
            f"{highest:g}{hint}"
        )


def told(plan: Plan) -> list[str]:
    """Say what each market of a checked plan was taken for, and why; one line for each reason."""
    groups: dict[str, list[str]] = {}
    for name, kind in plan.kinds.items():
        taken = AssetClass[kind]
        if name in plan.asked or "" in plan.asked:
            why = "by --kind"
        elif class_of_id(name) is taken and taken is not AssetClass.Equity:
            why = "by its id"
        elif taken is AssetClass.Prediction:
            why = "since all prices lie between 0 and 1; if not so, give --kind"
        else:
            why = "since its id names nothing else and prices go above 1; if not so, give --kind"
        groups.setdefault(f"{_CALLED[taken]}, {why}", []).append(name)
    return [f"{_some(names)}: {what}." for what, names in groups.items()]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
