"""What a run's monitor says: how it stands, its feeds, its markets, its trouble, its end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from horizon import words
from horizon.feeds.status import FeedStatus
from horizon.venues.records import Leg, MarketState, OrderState
from horizon.widgets import sections
from horizon.widgets.access import leg_name
from horizon.widgets.run_monitor.line import EquityLine, Rate
from horizon.widgets.sections import Cell, Section

if TYPE_CHECKING:
    from horizon.running import FeedHealth, Problem, RunHandle, RunStatus

__all__ = ["STATES", "account_facts", "feeds_table", "markets_table", "problems"]

#: Each state's word and its tone.
STATES: Final = {
    "connecting": ("CONNECTING", "warn"),
    "running": ("RUNNING", "good"),
    "paused": ("PAUSED", "warn"),
    "stopping": ("STOPPING", "warn"),
    "done": ("ENDED", ""),
    "failed": ("FAILED", "bad"),
}
#: Rows of a table, and markets named in a cell.
_ROWS: Final = 50
_NAMED: Final = 3
_CONNECTION: Final = {
    "up": "",
    "idle": "warn",
    "connecting": "warn",
    "reconnecting": "warn",
    "failed": "bad",
    "stopped": "",
    "paused": "warn",
}


# ------------------------------------------------------------------------ the account
def account_facts(
    status: RunStatus, line: EquityLine, rate: Rate, initial: float, currency: str
) -> Section:
    """Money and counts."""
    profit = status.equity - initial
    lived = words.MISSING
    if status.time is not None and status.started is not None:
        lived = words.duration(math.floor(status.time - status.started))
    pairs = [
        ("Equity", words.cash(status.equity, currency)),
        ("Profit since the start", words.cash(profit, currency, sign=True)),
        ("Return", _signed_percent(profit / initial)),
        ("Below its highest", _percent(line.drawdown)),
        ("Largest drawdown", _percent(line.largest_drawdown)),
        ("Cash", words.cash(status.cash, currency)),
        ("Open orders", f"{status.open_orders:,}"),
        ("Fills", f"{status.fills:,}"),
        ("Rows a second", rate.text),
        ("Rows so far", f"{status.messages:,}"),
        ("Cycles so far", f"{status.cycles:,}"),
        ("Cycles left out", f"{status.overruns:,}"),
        ("Running for", lived),
    ]
    return sections.facts("account", pairs)


def _percent(fraction: float) -> str:
    return "0.00 %" if abs(fraction) < 5e-5 else f"{fraction * 100.0:,.2f} %".replace("-", "−")


def _signed_percent(fraction: float) -> str:
    text = _percent(fraction)
    return f"+{text}" if fraction >= 5e-5 else text


# ------------------------------------------------------------------------ feeds
def feeds_table(feeds: Sequence[FeedHealth], rates: Mapping[int, Rate]) -> Section:
    """A row for each feed."""
    columns = [
        sections.column("Feed", wraps=True),
        sections.column("State"),
        sections.column("Last row", number=True),
        sections.column("Rows a second", number=True),
        sections.column("Rows", number=True),
        sections.column("Reconnects", number=True, minor=True),
        sections.column("Gaps", number=True, minor=True),
        sections.column("Unreadable", number=True, minor=True),
        sections.column("Lag, ms", number=True, minor=True),
        sections.column("Stale", wraps=True),
        sections.column("Last trouble", wraps=True, minor=True),
    ]
    rows = [
        (f"{place}", _feed_cells(feed, rates[place])) for place, feed in enumerate(feeds[:_ROWS])
    ]
    left = len(feeds) - _ROWS
    note = f"{left:,} more feeds not shown." if left > 0 else ""
    return sections.table("feeds", columns, rows, title=_feeds_title(feeds), note=note)


def _feeds_title(feeds: Sequence[FeedHealth]) -> str:
    up = sum(isinstance(feed.status, FeedStatus) and feed.status.state == "up" for feed in feeds)
    live = sum(feed.is_live for feed in feeds)
    stale = sum(len(feed.stale) for feed in feeds)
    said = []
    if live:
        said.append(f"{up:,} of {live:,} live up")
    if len(feeds) > live:
        said.append(f"{len(feeds) - live:,} played")
    said.append(f"{stale:,} stale" if stale else "none stale")
    return f"Feeds: {', '.join(said)}"


def _feed_cells(feed: FeedHealth, rate: Rate) -> list[Cell]:
    status = feed.status
    keys = ", ".join(words.name(key) for key in feed.keys[:_NAMED])
    keys += f" and {len(feed.keys) - _NAMED:,} more" if len(feed.keys) > _NAMED else ""
    stale = ", ".join(f"{words.name(key)} for {age_words(age)}" for key, age in feed.stale[:_NAMED])
    stale += f" and {len(feed.stale) - _NAMED:,} more" if len(feed.stale) > _NAMED else ""
    if isinstance(status, FeedStatus):
        state = f"live, {status.state}"
        rows = f"{feed.rows:,}"
        counts: list[Cell] = [f"{status.reconnects:,}", f"{status.gaps:,}", f"{status.garbage:,}"]
        counts.append(words.MISSING if status.lag_ms is None else f"{status.lag_ms:,.0f}")
        trouble = words.MISSING if status.last_error is None else words.name(status.last_error)
        tone = _CONNECTION[status.state]
    else:
        state = f"played, {status.status}"
        rows = f"{feed.rows:,}" + ("" if status.total is None else f" of {status.total:,}")
        counts = [words.MISSING] * 4
        trouble = words.MISSING
        tone = "bad" if status.status == "failed" else _CONNECTION.get(status.status, "")
    return [
        keys,
        [state, tone] if tone else state,
        words.MISSING if feed.age is None else f"{age_words(feed.age)} ago",
        rate.text,
        rows,
        *counts,
        [stale, "warn"] if stale else "no",
        trouble[:300],
    ]


def age_words(seconds: float) -> str:
    """Write how long ago something was; below ten seconds to the tenth."""
    return f"{seconds:.1f} s" if seconds < 10.0 else words.duration(math.floor(seconds))


# ------------------------------------------------------------------------ markets
def markets_table(handle: RunHandle, currency: str) -> Section:
    """What rests and what is held, market by market; markets with either come first."""
    columns = [
        sections.column("Market"),
        sections.column(f"Last, {currency}", number=True),
        sections.column(f"Bid, {currency}", number=True, minor=True),
        sections.column(f"Ask, {currency}", number=True, minor=True),
        sections.column(f"Our bid, {currency}", number=True),
        sections.column("Bid for, units", number=True),
        sections.column(f"Our ask, {currency}", number=True),
        sections.column("Offered, units", number=True),
        sections.column("Position, units", number=True),
        sections.column(f"Average, {currency}", number=True, minor=True),
        sections.column(f"Unrealised, {currency}", number=True),
        sections.column(f"Realised, {currency}", number=True, minor=True),
    ]
    venue = handle.engine.venue
    with venue.lock:
        busy: list[tuple[Leg, list[OrderState]]] = []
        calm: list[Leg] = []
        resting = held = 0
        # Once through all markets, and few of them are more than looked at: a run waits for us.
        for market in venue.account.markets.values():
            for leg in market.legs():
                orders = _resting(market, leg) if market.resting else []
                resting += bool(orders)
                held += leg.quantity != 0.0
                if orders or leg.quantity != 0.0:
                    busy.append((leg, orders))
                elif not leg.is_no:
                    calm.append(leg)
        total = len(busy) + len(calm)
        shown = [*busy[:_ROWS], *((leg, []) for leg in calm[: max(0, _ROWS - len(busy))])]
        if total <= _ROWS:  # in the order of the account, so that no row moves as it is quoted
            place = {market_id: n for n, market_id in enumerate(venue.account.markets)}
            shown.sort(key=lambda pair: (place[pair[0].market.id], pair[0].is_no))
        rows = [(leg.id, _leg_cells(venue, leg, orders)) for leg, orders in shown]
    left = total - len(rows)
    return sections.table(
        "markets",
        columns,
        rows,
        title=f"Markets: resting in {resting:,}, held {held:,}",
        empty="No market yet.",
        note=f"{left:,} more markets not shown." if left > 0 else "",
    )


def _resting(market: MarketState, leg: Leg) -> list[OrderState]:
    return [order for order in market.resting.values() if order.leg is leg]


def _leg_cells(venue: Any, leg: Leg, orders: Sequence[OrderState]) -> list[Cell]:
    market = leg.market
    bid, ask = venue.quotes_of(leg)
    last = leg.price if not market.settled else market.settled_at
    tone = "buy" if leg.quantity > 0.0 else "sell"
    name = leg_name(leg) + (", settled" if market.settled else "")
    return [
        name,
        _price(last),
        _price(bid),
        _price(ask),
        *_quoted([order for order in orders if order.sign > 0], best=max),
        *_quoted([order for order in orders if order.sign < 0], best=min),
        [words.signed(leg.quantity), tone] if leg.quantity else "0",
        _price(leg.average if leg.quantity else math.nan),
        _money(venue.account.leg_unrealized(leg)),
        _money(leg.realized),
    ]


def _quoted(orders: Sequence[OrderState], *, best: Any) -> list[Cell]:
    """The best price of a side, and what is left of all its orders."""
    if not orders:
        return [words.MISSING, words.MISSING]
    limits = [order.price for order in orders if not order.is_market]
    price = words.price(best(limits)) if limits else "market"
    levels = len(set(limits)) + (len(limits) < len(orders))
    more = f" +{levels - 1}" if levels > 1 else ""
    left = sum(order.quantity - order.filled for order in orders)
    side = "buy" if orders[0].sign > 0 else "sell"
    return [[f"{price}{more}", side], words.exact(left)]


def _price(value: float) -> str:
    return words.price(None if math.isnan(value) else value)


def _money(value: float) -> str:
    return words.cash(value, "", sign=True).strip()


# ------------------------------------------------------------------------ trouble
def problems(status: RunStatus, found: Sequence[Problem]) -> list[Section]:
    """What has gone wrong, a row for each kind; and where in the code."""
    columns = [
        sections.column("What"),
        sections.column("Where", wraps=True),
        sections.column("Times", number=True),
        sections.column("Latest, UTC", minor=True),
        sections.column("Says", wraps=True),
    ]
    rows: list[tuple[str, list[Cell]]] = []
    for place, one in enumerate(found[-_ROWS:]):
        where = f"stage {words.name(one.stage)}"
        if one.market_id is not None:
            where += f", market {words.name(one.market_id)}"
        said: list[Cell] = [
            [f"Exception: {words.name(one.kind)}", "bad"],
            where,
            f"{one.count:,}",
            words.clock(one.time, date=True),
            words.name(" ".join(one.message.split()))[:400] or words.MISSING,
        ]
        rows.append((f"error {place}", said))
    for rule, count in list(status.rejections.items())[:_ROWS]:
        text = "Refused by a risk rule, and not sent"
        cells: list[Cell] = [["Order refused", "warn"], words.name(rule), f"{count:,}"]
        rows.append((f"rule {rule}", [*cells, words.MISSING, text]))
    if status.refused:
        text = "No such market can have such prices or sizes: left out, and the feed is stale"
        cells = [["Row left out", "warn"], "feeds", f"{status.refused:,}", words.MISSING, text]
        rows.append(("refused", cells))
    if status.overruns:
        text = "The cycle before had not ended in time"
        cells = [["Cycle left out", "warn"], "pipelines", f"{status.overruns:,}"]
        rows.append(("overruns", [*cells, words.MISSING, text]))
    errors = sum(one.count for one in found)
    refused = sum(status.rejections.values())
    title = f"Trouble: {errors:,} exceptions, {refused:,} orders refused"
    made = [sections.table("trouble", columns, rows, title=title, empty="None so far.")]
    for place, one in enumerate(found[-3:]):
        name = f"Where {words.name(one.kind)} in {words.name(one.stage)} was raised"
        text = "\n".join(words.name(row) for row in one.trace.splitlines())
        made.append(sections.details(f"trace {place}", name, text))
    return made
