"""The loop: one step after another, each at one time, in the order in which things happen there.

At a step: what was due before its time arrives; the data comes; resting orders match; what is due
at its time arrives; positions are marked, liquidations follow, and equity is noted; the pipelines
run, market by market, and their orders are sent. So an order never meets the row that it was
decided on, but for what a book displays at that moment.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, Final

from horizon import checks
from horizon.backtesting.context import NOTHING_YET, Context, FeedRow, Portfolio, RunClient
from horizon.backtesting.fair_values import FairValues
from horizon.backtesting.pipeline import Pipeline, failed, wanted_of
from horizon.backtesting.tape import Event, Snapshots, Step
from horizon.engine import Engine
from horizon.errors import HorizonError, ModelError, PipelineError, RiskRejected
from horizon.quoting import requote
from horizon.types import OrderRequest, Quote
from horizon.venues.book import BookVenue
from horizon.venues.paper import Paper
from horizon.venues.records import MarketState, OrderState

__all__ = ["Loop", "Traded"]

_NAN: Final = math.nan
#: Later than any time.
_NEVER: Final = 2**63 - 1
#: Messages of exceptions passed over that are kept.
_TEXTS: Final = 10


class Traded:
    """A market of the run: its state, its context, and when its pipeline runs."""

    __slots__ = ("ctx", "feed", "number", "state")

    def __init__(self, number: int, state: MarketState, feed: int, ctx: Context) -> None:
        self.number = number
        self.state = state
        #: Number of its feed.
        self.feed = feed
        self.ctx = ctx


class Loop:
    """A run of a pipeline over events.

    Parameters
    ----------
    engine : Engine
        On the run's own venue, its account compact, all markets declared.
    pipeline : Pipeline
    markets : sequence of str
        In the order in which their pipelines run.
    feeds : sequence of str
        Names by number.
    feed_of : mapping of str to int
        Each market's feed.
    params : dict
    run_on_any : bool
        Run every pipeline on rows of every feed.
    skip_errors : bool
        Pass over exceptions of stages and count them.
    settlements : iterable of (time in ns, market id, price)
        Which markets end when; after all rows of that time.
    snapshots : Snapshots, optional
        Books of their own times, beside the rows.
    notes_times : bool
        False where the caller knows the time of each step.
    trade_from_ns : int, optional
        Steps before it run the pipelines, and send nothing.
    """

    def __init__(
        self,
        engine: Engine,
        pipeline: Pipeline,
        *,
        markets: Sequence[str],
        feeds: Sequence[str],
        feed_of: dict[str, int],
        params: dict[str, Any],
        run_on_any: bool = False,
        skip_errors: bool = False,
        settlements: Iterable[tuple[int, str, float]] = (),
        snapshots: Snapshots | None = None,
        notes_times: bool = True,
        trade_from_ns: int | None = None,
    ) -> None:
        self.engine = engine
        self.venue = engine.venue
        self.account = engine.venue.account
        self._lock = engine.venue.lock
        self.pipeline = pipeline
        #: What the last stage returned the last time.
        self.last_output: Any = None
        self._run_on_any = run_on_any
        self._skip_errors = skip_errors
        self.now_ns = 0
        self.venue.set_clock(self._clock_ns)
        self.venue.is_replaying = True
        self._feed_names = tuple(feeds)
        self._rows: dict[str, FeedRow] = dict.fromkeys(feeds, NOTHING_YET)
        self._portfolio = Portfolio(engine)
        client = RunClient(engine)
        shown = MappingProxyType(self._rows)
        self.markets = [
            Traded(
                number,
                self.account.markets[market],
                feed_of[market],
                Context(
                    engine,
                    client,
                    self._portfolio,
                    self.account.markets[market],
                    shown,
                    params,
                ),
            )
            for number, market in enumerate(markets)
        ]
        self._known = frozenset(markets)
        #: The markets that each feed prices.
        self._served = [
            [traded for traded in self.markets if traded.feed == number]
            for number in range(len(feeds))
        ]
        self._endings = sorted(settlements, key=lambda one: one[0])
        self._snapshots = snapshots
        self._trade_from_ns = trade_from_ns
        if trade_from_ns is not None:
            engine.hold("warmup", "trade_from= lies ahead; until then nothing is sent")
        self._next_ns = self._watched_ns = _NEVER
        self._plan()
        self._is_plain = (
            len(feeds) == 1
            and len(self.markets) == 1
            and snapshots is None
            and engine.venue.latency is None
        )
        self._quick = engine.quick_quotes
        #: Equity, a point for each step, and its time; no times where `notes_times` is False.
        self.times = array("q") if notes_times else None
        #: Time of the one point that may follow the last step.
        self.last_ns: int | None = None
        self.equity = array("d")
        #: The fair values behind orders and fills.
        self.fair = FairValues(self.account)
        self._fills = self.account.fills
        self.errors: Counter[str] = Counter()
        self.error_texts: list[str] = []

    def _clock_ns(self) -> int:
        # Between two steps, what arrives has moved the account's time beyond the last step.
        now, seen = self.now_ns, self.account.now_ns
        return seen if seen > now else now

    # ------------------------------------------------------------------ one step
    def step(self, now_ns: int, events: Sequence[Event]) -> None:
        """Play one step: rows of different feeds that share a time.

        Parameters
        ----------
        now_ns : int
            Not before the last step.
        events : sequence of Event
            At most one of each feed.
        """
        self.play(((now_ns, events),))

    def play(self, steps: Iterable[Step]) -> None:
        """Play steps one after another; see `step`."""
        if self._is_plain:
            self._play_one_market(steps)
            return
        venue, account, lock = self.venue, self.account, self._lock
        transit = venue.transit
        cash, worth = account.cash_sum, account.value_sum
        rows, names, served = self._rows, self._feed_names, self._served
        run_pipeline, portfolio = self.run_pipeline, self._portfolio
        add_equity = self.equity.append
        add_time = self.times.append if self.times is not None else None
        fills, fair = self._fills, self.fair
        is_paper = isinstance(venue, Paper)
        triggered: Iterable[Traded]
        for now_ns, events in steps:
            if now_ns >= self._watched_ns:
                self._come_to(now_ns)
            with lock:
                if transit:
                    venue.deliver(now_ns, inclusive=False)
                self.now_ns = now_ns
                if self._next_ns == now_ns and self._snapshots is not None:
                    self._show_books(now_ns)
                for event in events:
                    number = event[0]
                    row = event[1]
                    if row[1] != row[1]:
                        row = self._carried(names[number], row)
                    rows[names[number]] = row
                    for traded in served[number]:
                        traded.ctx.feed = row
                if not is_paper:
                    self._take_with_books(events, now_ns)
                elif len(events) != 1:
                    for traded, event in self._in_order(events):
                        self._take_on_paper(traded, now_ns, event)
                else:
                    for traded in served[events[0][0]]:
                        self._take_on_paper(traded, now_ns, events[0])
                if transit:
                    venue.deliver(now_ns, inclusive=True)
                # `Account.equity`, in line.
                equity = (cash.high + worth.high) + (cash.low + worth.low)
            if add_time is not None:
                add_time(now_ns)
            add_equity(equity)
            if equity > portfolio.peak:
                portfolio.peak = equity
            if fills.count != fair.count:
                fair.note_fills()
            if self._run_on_any:
                triggered = self.markets
            elif len(events) == 1:
                triggered = served[events[0][0]]
            else:
                triggered = sorted(
                    (traded for event in events for traded in served[event[0]]), key=_number_of
                )
            for traded in triggered:
                state = traded.state
                if state.price == state.price and not state.settled:
                    run_pipeline(traded, now_ns)

    def _play_one_market(self, steps: Iterable[Step]) -> None:
        """Do what `play` does, where one feed prices one market and nothing travels."""
        venue, account, lock = self.venue, self.account, self._lock
        cash, worth = account.cash_sum, account.value_sum
        rows, name, traded = self._rows, self._feed_names[0], self.markets[0]
        ctx, state = traded.ctx, traded.state
        run_pipeline, portfolio = self.run_pipeline, self._portfolio
        add_equity = self.equity.append
        add_time = self.times.append if self.times is not None else None
        fills, fair = self._fills, self.fair
        book = venue if isinstance(venue, BookVenue) else None
        advance = venue.advance if isinstance(venue, Paper) else None
        for now_ns, (event,) in steps:
            if now_ns >= self._watched_ns:
                self._come_to(now_ns)
            _, row, bid, ask, floor, ceiling, opened, snapshot = event
            price = row[1]
            with lock:
                self.now_ns = now_ns
                if price != price:
                    row = self._carried(name, row)
                rows[name] = ctx.feed = row
                if advance is not None:
                    if price == price:
                        advance(state, now_ns, price, bid, ask, row[4], floor, ceiling, opened)
                    else:
                        self._take_on_paper(traded, now_ns, event)
                elif book is not None:
                    if snapshot is not None and snapshot >= 0 and not state.settled:
                        book.show(state, snapshot, now_ns)
                    if price != price:
                        price = state.price
                    if price == price:
                        book.mark(state, now_ns, price, bid, ask, row[4])
                # `Account.equity`, in line.
                equity = (cash.high + worth.high) + (cash.low + worth.low)
            if add_time is not None:
                add_time(now_ns)
            add_equity(equity)
            if equity > portfolio.peak:
                portfolio.peak = equity
            if fills.count != fair.count:
                fair.note_fills()
            if state.price == state.price and not state.settled:
                run_pipeline(traded, now_ns)

    def _come_to(self, now_ns: int) -> None:
        """Do what lies before a step, or begins with it."""
        if self._trade_from_ns is not None and now_ns >= self._trade_from_ns:
            self._begin_trading()
        if now_ns > self._next_ns:
            self._catch_up(now_ns)

    def _begin_trading(self) -> None:
        """End the warm-up: orders pass, and the curve begins."""
        self._trade_from_ns = None
        self._plan()
        self.engine.release()
        del self.equity[:]
        if self.times is not None:
            del self.times[:]

    @property
    def is_warming(self) -> bool:
        """Whether no row has come yet at which orders may be sent."""
        return self._trade_from_ns is not None

    def _in_order(self, events: Sequence[Event]) -> list[tuple[Traded, Event]]:
        """The markets that rows of several feeds price, each with its row."""
        priced = [(traded, event) for event in events for traded in self._served[event[0]]]
        return sorted(priced, key=lambda one: one[0].number)

    def _carried(self, name: str, row: FeedRow) -> FeedRow:
        """A row that brings only quotes keeps the last price."""
        last = self._rows[name].price
        bid, ask = row.bid, row.ask
        if bid != bid and ask != ask:
            bid = ask = last
        return row._replace(price=last, bid=bid, ask=ask)

    def _take_on_paper(self, traded: Traded, now_ns: int, event: Event) -> None:
        _, row, bid, ask, floor, ceiling, opened, _ = event
        venue = self.venue
        assert isinstance(venue, Paper)
        price = row[1]
        if price == price:
            venue.advance(traded.state, now_ns, price, bid, ask, row[4], floor, ceiling, opened)
        elif traded.state.price == traded.state.price:
            venue.requote(traded.state, now_ns, bid, ask, row[4])

    def _take_with_books(self, events: Sequence[Event], now_ns: int) -> None:
        """Match against the books of this time; let arrive what is due; then mark."""
        venue = self.venue
        assert isinstance(venue, BookVenue)
        pairs = self._in_order(events)
        for traded, event in pairs:
            snapshot = event[7]
            if snapshot is not None and snapshot >= 0 and not traded.state.settled:
                venue.show(traded.state, snapshot, now_ns)
        if venue.transit:
            venue.deliver(now_ns, inclusive=True)
        for traded, (_, row, bid, ask, *_) in pairs:
            price = row[1]
            if price != price:
                price = traded.state.price
            if price == price:
                venue.mark(traded.state, now_ns, price, bid, ask, row[4])

    # ------------------------------------------------------------------ between steps
    def _plan(self) -> None:
        """Find the next time at which something happens beside the rows."""
        next_ns = self._endings[0][0] if self._endings else _NEVER
        if self._snapshots is not None and self._snapshots.next_ns < next_ns:
            next_ns = self._snapshots.next_ns
        self._next_ns = next_ns
        begins_ns = self._trade_from_ns
        #: The first time at which a step has more to do than to take its rows.
        self._watched_ns = next_ns if begins_ns is None else min(next_ns, begins_ns)

    def _catch_up(self, until_ns: int) -> None:
        """Play what happens before a time: books of other times, and markets that end."""
        while self._next_ns < until_ns:
            now = self._next_ns
            with self._lock:
                if self.venue.transit:
                    self.venue.deliver(now, inclusive=False)
                self.now_ns = max(now, self.now_ns)
                if self._snapshots is not None:
                    self._show_books(now)
                if self.venue.transit:
                    self.venue.deliver(now, inclusive=True)
                self._end_markets(now)
            if self._fills.count != self.fair.count:
                self.fair.note_fills()
            self._plan()

    def _show_books(self, now_ns: int) -> None:
        """Let the books of all times up to this one come, one after another."""
        books = self._snapshots
        assert books is not None
        venue = self.venue
        assert isinstance(venue, BookVenue)
        if books.next_ns > now_ns:
            return
        while books.next_ns <= now_ns:
            market, index, _ = books.take()
            state = self.account.markets[market]
            if not state.settled:
                venue.show(state, index, now_ns)
        self._plan()

    def _end_markets(self, now_ns: int) -> None:
        while self._endings and self._endings[0][0] <= now_ns:
            _, market, price = self._endings.pop(0)
            self._end(market, price)

    def _end(self, market: str, price: float) -> None:
        if not self.account.markets[market].settled:  # a stage may have settled it
            self.venue.end_market(market, price)

    def finish(self, settle_at_end: Iterable[tuple[str, float]] = ()) -> None:
        """End the run: what is due by the last row's time, the last books, markets that end."""
        end_ns = last_ns = self.now_ns
        if self._snapshots is not None:
            end_ns = max(end_ns, self._snapshots.last_ns)
        self._catch_up(end_ns + 1)
        with self._lock:
            self.venue.deliver(end_ns, inclusive=True)
            self.now_ns = end_ns
            for market, price in settle_at_end:
                self._end(market, price)
            equity = self.account.equity
        self.fair.note_fills()
        if equity != self.equity[-1] or end_ns != last_ns:
            self.last_ns = end_ns
            self.equity.append(equity)
            if self.times is not None:
                self.times.append(end_ns)

    # ------------------------------------------------------------------ the pipeline
    def run_pipeline(self, traded: Traded, now_ns: int) -> None:
        """Run the pipeline for one market, and send what it wants."""
        ctx = traded.ctx
        ctx.now_ns = now_ns
        account = self.account
        before = account.next_order
        fair = _NAN
        try:
            output, fair = self.pipeline.run(ctx)
            self.last_output = output
            if account.next_order != before:
                self.fair.note_orders(before, traded.state, fair)
            self.fair.last[ctx.market_id] = fair
            if self._trade_from_ns is not None:
                return
            if type(output) is list and len(output) == 1 and type(output[0]) is Quote:
                # What `hz.quotes` makes, and most pipelines return.
                self._quote(traded, output, fair)
            elif traded.state.yes.quotes or not (
                output is None or (type(output) is list and not output)
            ):
                self._send(traded, output, fair)
        except PipelineError as error:
            if self._trade_from_ns is not None and isinstance(error.__cause__, RiskRejected):
                return  # a stage that sends its orders itself: they do not pass yet
            if not self._skip_errors:
                raise
            self.errors[error.stage] += 1
            if len(self.error_texts) < _TEXTS:
                self.error_texts.append(str(error))
        if self._fills.count != self.fair.count:
            self.fair.note_fills()

    def _send(self, traded: Traded, output: Any, fair: float) -> None:
        try:
            quotes, requests = wanted_of(output)
            for request in requests:
                self._check(request)  # all of it before any of it is sent
            if quotes or traded.state.yes.quotes:
                self._quote(traded, quotes, fair)
            for request in requests:
                self._request(traded, request, fair)
        except (PipelineError, ModelError):
            raise
        except (TypeError, ValueError, HorizonError) as error:
            raise self._unusable(traded, error) from error

    def _unusable(self, traded: Traded, error: Exception) -> PipelineError:
        last = self.pipeline.stages[-1]
        return failed(last, traded.ctx, f"{type(error).__name__}: {error}")

    def _quote(self, traded: Traded, quotes: list[Quote], fair: float) -> None:
        leg = traded.state.yes
        orders: Sequence[OrderState | None] | None = None
        try:
            with self._lock:
                if self._quick is not None and len(quotes) == 1:
                    bid, ask, size = quotes[0]
                    if bid is not None and ask is not None:
                        orders = self._quick.requote(leg, bid, ask, size)
                if orders is None:
                    orders = requote(self.engine, leg, quotes)
        except ModelError:
            raise
        except (TypeError, ValueError, HorizonError) as error:
            raise self._unusable(traded, error) from error
        noted = self.fair.behind
        if fair != fair:
            for n, order in enumerate(orders):
                if order is not None:
                    noted[order.id] = self._middle(traded, quotes[n // 2])
            return
        for order in orders:
            if order is not None:
                noted[order.id] = fair

    @staticmethod
    def _middle(traded: Traded, quote: Quote) -> float:
        """The middle of a quote; one of a single side, or with one out of bounds, has none."""
        bid, ask, _ = quote
        if bid is None or ask is None:
            return _NAN
        is_whole = traded.state.lowest < bid and ask < traded.state.highest
        return (bid + ask) / 2.0 if is_whole else _NAN

    def _request(self, traded: Traded, request: OrderRequest, fair: float) -> None:
        try:
            order_id = self.engine.submit_order(request)
        except RiskRejected:
            return  # counted by the engine
        if request.market_id != traded.ctx.market_id:
            fair = self.fair.last.get(request.market_id, _NAN)
        self.fair.behind[order_id] = fair

    def _check(self, request: OrderRequest) -> None:
        market_id = request.market_id
        if market_id not in self._known:
            raise ValueError(
                f"an OrderRequest names market {market_id!r}, which is not in the run"
                f"{checks.suggestion(market_id, self._known)}"
            )
        contract = self.engine.leg_of(market_id, request.side).market.instrument
        assert contract is not None
        contract.check_quantity("size", request.size)
        if request.price is not None:
            contract.check_order_price("price", request.price)


def _number_of(traded: Traded) -> int:
    return traded.number
