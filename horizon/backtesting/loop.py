"""The loop: one step after another, each at one time, in the order in which things happen there.

At a step: what was due before its time arrives; the data comes; resting orders match; what is due
at its time arrives; positions are marked, liquidations follow, and equity is noted; the pipelines
run, market by market, then the strategies, and their orders are sent. So an order never meets the
row that it was decided on, but for what a book displays at that moment.

With an interval, pipelines and strategies run in cycles of their own times instead: one comes after
the rows of its time, and before any later one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from horizon.backtesting.context import NOTHING_YET, Context, FeedRow, Portfolio, RunClient
from horizon.backtesting.dealing import Dealer, Traded
from horizon.backtesting.fair_values import FairValues
from horizon.backtesting.pipeline import Pipeline
from horizon.backtesting.tape import Event, Snapshots, Step
from horizon.engine import Engine
from horizon.venues.book import BookVenue
from horizon.venues.paper import Paper

if TYPE_CHECKING:
    from horizon.strategies.desk import SignalDesk, SignalPlan

__all__ = ["Loop"]

#: Earlier and later than any time.
_LONG_AGO: Final = -(2**63)
_NEVER: Final = 2**63 - 1


class Loop:
    """A run of a pipeline, of strategies, or of both over events.

    Parameters
    ----------
    engine : Engine
        On the run's own venue, its account compact, all markets declared.
    pipeline : Pipeline or None
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
    interval_ns : int, optional
        Run pipelines and strategies at the first step's time and every so often from then on,
        for every market, rather than at each step.
    cycles_ns : sequence of int, optional
        In place of an interval, the times at which they run; rising.
    signals : SignalPlan, optional
        The strategies, and how their signals become orders.
    """

    def __init__(
        self,
        engine: Engine,
        pipeline: Pipeline | None,
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
        interval_ns: int | None = None,
        cycles_ns: Sequence[int] | None = None,
        signals: SignalPlan | None = None,
    ) -> None:
        self.engine = engine
        self.venue = engine.venue
        self.account = engine.venue.account
        self._lock = engine.venue.lock
        self.pipeline = pipeline
        self._run_on_any = run_on_any
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
        #: The markets that each feed prices.
        self._served = [
            [traded for traded in self.markets if traded.feed == number]
            for number in range(len(feeds))
        ]
        #: The fair values behind orders and fills.
        self.fair = FairValues(self.account)
        self._fills = self.account.fills
        self.dealer = Dealer(engine, pipeline, self.fair, markets, skip_errors=skip_errors)
        #: Feeds that are lost, by number.
        self._stale: set[int] = set()
        #: Makes orders of signals; None without strategies.
        self.desk: SignalDesk | None = None
        if signals is not None:
            self.desk = self._desk_of(signals, client, shown, params)
        self._interval_ns = interval_ns
        self._cycles_ns = None if cycles_ns is None else iter(cycles_ns)
        self._has_cycles = interval_ns is not None or cycles_ns is not None
        #: When the next cycle is due; never before the first step, or without an interval.
        self.next_cycle_ns = _NEVER
        self._endings = sorted(settlements, key=lambda one: one[0])
        self._snapshots = snapshots
        self._trade_from_ns = trade_from_ns
        if trade_from_ns is not None:
            engine.hold("warmup", "trade_from= lies ahead; until then nothing is sent")
            self.dealer.is_warming = True
        self._next_ns = self._watched_ns = _NEVER
        self._plan()
        if self._has_cycles:
            self._watched_ns = _LONG_AGO  # the first step begins the cycles
        self._is_plain = (
            len(feeds) == 1
            and len(self.markets) == 1
            and snapshots is None
            and engine.venue.latency is None
            and not self._has_cycles
            and signals is None
        )
        #: Equity, a point for each step, and its time; no times where `notes_times` is False.
        self.times = array("q") if notes_times else None
        #: Time of the one point that may follow the last step.
        self.last_ns: int | None = None
        self.equity = array("d")

    def _desk_of(
        self,
        signals: SignalPlan,
        client: RunClient,
        feeds: MappingProxyType[str, FeedRow],
        params: dict[str, Any],
    ) -> SignalDesk:
        from horizon.strategies.desk import SignalDesk

        desk = SignalDesk(
            signals,
            self.engine,
            client,
            markets=[traded.ctx.market for traded in self.markets],
            states=[traded.state for traded in self.markets],
            feeds=feeds,
            feed_names=[self._feed_names[traded.feed] for traded in self.markets],
            portfolio=self._portfolio,
            params=params,
        )
        desk.on_error = self.dealer.take_error
        desk.fair_values = self.fair.behind
        return desk

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
        run_pipeline, portfolio = self.dealer.run, self._portfolio
        add_equity = self.equity.append
        add_time = self.times.append if self.times is not None else None
        fills, fair = self._fills, self.fair
        is_paper = isinstance(venue, Paper)
        stale, desk = self._stale, self.desk
        has_pipeline, has_cycles = self.pipeline is not None, self._has_cycles
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
                    if stale or row[10]:
                        row = self._note_staleness(number, row)
                    if row[1] != row[1]:
                        row = self._carried(names[number], row)
                    rows[names[number]] = row
                    for traded in served[number]:
                        traded.ctx.feed = row
                        if desk is not None:
                            desk.see(traded.number, event[1])
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
            if has_cycles:
                continue
            if self._run_on_any:
                triggered = self.markets
            elif len(events) == 1:
                triggered = served[events[0][0]]
            else:
                triggered = sorted(
                    (traded for event in events for traded in served[event[0]]), key=_number_of
                )
            if has_pipeline:
                for traded in triggered:
                    state = traded.state
                    if state.price == state.price and not state.settled:
                        if stale and traded.feed in stale:
                            continue
                        run_pipeline(traded, now_ns)
            if desk is not None and triggered:
                self._run_strategies(now_ns)

    def _play_one_market(self, steps: Iterable[Step]) -> None:
        """Do what `play` does, where one feed prices one market and nothing travels."""
        venue, account, lock = self.venue, self.account, self._lock
        cash, worth = account.cash_sum, account.value_sum
        rows, name, traded = self._rows, self._feed_names[0], self.markets[0]
        ctx, state = traded.ctx, traded.state
        run_pipeline, portfolio = self.dealer.run, self._portfolio
        stale = self._stale
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
                if stale or row[10]:
                    row = self._note_staleness(0, row)
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
                    if price == price and not row[10]:
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
            if state.price == state.price and not state.settled and not stale:
                run_pipeline(traded, now_ns)

    def _run_strategies(self, now_ns: int) -> None:
        desk = self.desk
        assert desk is not None
        stale = {traded.number for traded in self.markets if traded.feed in self._stale}
        desk.evaluate(now_ns, send=self._trade_from_ns is None, stale=stale)
        if self._fills.count != self.fair.count:
            self.fair.note_fills()
        if desk.next_expiry_ns < self._watched_ns:
            self._watched_ns = desk.next_expiry_ns

    # ------------------------------------------------------------------ before a step
    def come_to(self, now_ns: int, *, skip: bool = False) -> int:
        """Do what is due up to a time, that time included; rows that follow must be later.

        For a run in real time, where nothing may happen for long. Does nothing before the first
        row.

        Parameters
        ----------
        now_ns : int
        skip : bool
            Where several cycles are due, run the last only.

        Returns
        -------
        int
            Cycles left out.
        """
        skipped = 0
        interval = self._interval_ns
        if skip and interval is not None and self.next_cycle_ns + interval <= now_ns:
            skipped = (now_ns - self.next_cycle_ns) // interval
            self.next_cycle_ns += skipped * interval
        if self._watched_ns <= now_ns and self._watched_ns != _LONG_AGO:
            self._do_what_is_due(now_ns + 1)
        return skipped

    def _come_to(self, now_ns: int) -> None:
        """Do what lies before a step, or begins with it."""
        if self._watched_ns == _LONG_AGO:
            self._begin_cycles(now_ns)
        self._do_what_is_due(now_ns)

    @property
    def _is_idle(self) -> bool:
        """Whether a cycle would find nothing to run: every feed that prices a market is lost."""
        return bool(self._stale) and all(traded.feed in self._stale for traded in self.markets)

    def _pass_cycles(self, until_ns: int) -> None:
        """Pass over the cycles before a time: over a night without data they are very many."""
        while self.next_cycle_ns < until_ns:
            if self._interval_ns is None:
                self.next_cycle_ns = self._cycle_after(self.next_cycle_ns)
            else:
                missing = -(-(until_ns - self.next_cycle_ns) // self._interval_ns)
                self.next_cycle_ns += missing * self._interval_ns

    def _begin_cycles(self, first_ns: int) -> None:
        """With the first row: before it there is nothing to decide on."""
        if self._cycles_ns is None:
            self.next_cycle_ns = first_ns
        else:
            self.next_cycle_ns = next((at for at in self._cycles_ns if at >= first_ns), _NEVER)

    def _cycle_after(self, now_ns: int) -> int:
        if self._interval_ns is not None:
            return now_ns + self._interval_ns
        assert self._cycles_ns is not None
        return next(self._cycles_ns, _NEVER)

    def _do_what_is_due(self, now_ns: int) -> None:
        """In order of time: what comes before the rows of a time."""
        desk = self.desk
        while True:
            expiry_ns = _NEVER if desk is None else desk.next_expiry_ns
            if expiry_ns <= now_ns and expiry_ns <= self.next_cycle_ns:
                assert desk is not None
                self._catch_up(expiry_ns)
                self.now_ns = max(expiry_ns, self.now_ns)
                desk.expire(expiry_ns)
            elif self.next_cycle_ns < now_ns:
                if self._is_idle:
                    self._pass_cycles(min(now_ns, expiry_ns))
                else:
                    self._run_cycle(self.next_cycle_ns)
            else:
                break
        if self._trade_from_ns is not None and now_ns >= self._trade_from_ns:
            self._begin_trading()
        self._catch_up(now_ns)
        self._plan()

    def _run_cycle(self, now_ns: int) -> None:
        """Run every pipeline and the strategies at a time of their own."""
        self._catch_up(now_ns + 1)
        if self._trade_from_ns is not None and now_ns >= self._trade_from_ns:
            self._begin_trading()
        with self._lock:
            if self.venue.transit:
                self.venue.deliver(now_ns, inclusive=True)
            self.now_ns = max(now_ns, self.now_ns)
        if self._fills.count != self.fair.count:
            self.fair.note_fills()
        self.next_cycle_ns = self._cycle_after(now_ns)
        if self.pipeline is not None:
            for traded in self.markets:
                state = traded.state
                is_there = state.price == state.price and traded.feed not in self._stale
                if is_there and not state.settled:
                    self.dealer.run(traded, now_ns)
        if self.desk is not None:
            self._run_strategies(now_ns)

    def _begin_trading(self) -> None:
        """End the warm-up: orders pass, and the curve begins."""
        self._trade_from_ns = None
        self.dealer.is_warming = False
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

    def _note_staleness(self, number: int, row: FeedRow) -> FeedRow:
        """A feed is lost, or there again; what was quoted by it is pulled.

        It is there again with the first row that has a price: before it there is nothing to go
        by but the price from before the loss.
        """
        if not row.is_stale:
            if row.price == row.price:
                self._stale.discard(number)
            elif number in self._stale:
                return row._replace(is_stale=True)
            return row
        self._stale.add(number)
        for traded in self._served[number]:
            self.dealer.pull(traded)
            if self.desk is not None:
                self.desk.pull(traded.number, self.now_ns)
        return row

    def _carried(self, name: str, row: FeedRow) -> FeedRow:
        """A row that brings only quotes keeps the last price; one that brings nothing, all."""
        if row.is_stale and row.bid != row.bid and row.ask != row.ask:
            return self._rows[name]._replace(timestamp=row.timestamp, is_stale=True)
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
        elif traded.state.price == traded.state.price and not row[10]:
            # A lost feed brings no tick: nothing matches, and no algorithm sends its next slice.
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
            if price == price and not row[10]:
                venue.mark(traded.state, now_ns, price, bid, ask, row[4])

    # ------------------------------------------------------------------ between steps
    def _plan(self) -> None:
        """Find the next time at which something happens beside the rows."""
        next_ns = self._endings[0][0] if self._endings else _NEVER
        if self._snapshots is not None and self._snapshots.next_ns < next_ns:
            next_ns = self._snapshots.next_ns
        self._next_ns = next_ns
        #: The first time at which a step has more to do than to take its rows.
        self._watched_ns = min(next_ns, self.next_cycle_ns)
        if self._trade_from_ns is not None:
            self._watched_ns = min(self._watched_ns, self._trade_from_ns)
        if self.desk is not None:
            self._watched_ns = min(self._watched_ns, self.desk.next_expiry_ns)

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
        self._do_what_is_due(end_ns + 1)
        if self.desk is not None:
            self.desk.stop(end_ns)
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


def _number_of(traded: Traded) -> int:
    return traded.number
