"""From what a pipeline returns to orders: run it for one market, and send what it wants."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from horizon import checks, words
from horizon.backtesting.context import Context
from horizon.backtesting.fair_values import FairValues
from horizon.backtesting.pipeline import Pipeline, failed, wanted_of
from horizon.engine import Engine
from horizon.errors import HorizonError, ModelError, PipelineError, RiskRejected
from horizon.quoting import requote
from horizon.types import OrderRequest, Quote
from horizon.venues.records import MarketState, OrderState

__all__ = ["Dealer", "Traded"]

_NAN: Final = math.nan
#: Messages of exceptions passed over that are kept.
_TEXTS: Final = 10


class Traded:
    """A market of the run: its state, its context, and the feed that prices it."""

    __slots__ = ("ctx", "feed", "number", "state")

    def __init__(self, number: int, state: MarketState, feed: int, ctx: Context) -> None:
        self.number = number
        self.state = state
        #: Number of its feed.
        self.feed = feed
        self.ctx = ctx


class Dealer:
    """Runs a pipeline, and makes of its output what rests and what is sent.

    Parameters
    ----------
    engine : Engine
    pipeline : Pipeline or None
        None where strategies alone trade: it is never run then.
    fair : FairValues
        Where the fair value behind each order is noted.
    markets : iterable of str
        The markets that an order may name.
    skip_errors : bool
        Count exceptions of stages and go on, rather than raise them.
    """

    def __init__(
        self,
        engine: Engine,
        pipeline: Pipeline | None,
        fair: FairValues,
        markets: Iterable[str],
        *,
        skip_errors: bool,
    ) -> None:
        self.engine = engine
        self.pipeline = pipeline
        self.fair = fair
        self._account = engine.venue.account
        self._fills = engine.venue.account.fills
        self._lock = engine.venue.lock
        self._quick = engine.quick_quotes
        if pipeline is not None:
            self._run_stages = pipeline.run
        self._known = frozenset(markets)
        self._skip_errors = skip_errors
        #: Before the first row at which orders may be sent.
        self.is_warming = False
        #: What the last stage returned the last time.
        self.last_output: Any = None
        self.errors: Counter[str] = Counter()
        self.error_texts: list[str] = []
        #: Told of each exception that is passed over.
        self.on_error: Callable[[PipelineError], object] | None = None

    def run(self, traded: Traded, now_ns: int) -> None:
        """Run the pipeline for one market, and send what it wants."""
        ctx = traded.ctx
        ctx.now_ns = now_ns
        account, noted = self._account, self.fair
        before = account.next_order
        fair = _NAN
        try:
            output, fair = self._run_stages(ctx)
            self.last_output = output
            if account.next_order != before:
                noted.note_orders(before, traded.state, fair)
            noted.last[ctx.market_id] = fair
            if self.is_warming:
                return
            if type(output) is list and len(output) == 1 and type(output[0]) is Quote:
                # What `hz.quotes` makes, and most pipelines return.
                self._quote(traded, output, fair)
            elif traded.state.yes.quotes or not (
                output is None or (type(output) is list and not output)
            ):
                self._send(traded, output, fair)
        except PipelineError as error:
            if self.is_warming and isinstance(error.__cause__, RiskRejected):
                return  # a stage that sends its orders itself: they do not pass yet
            self.take_error(error)
        if self._fills.count != noted.count:
            noted.note_fills()

    def take_error(self, error: PipelineError) -> None:
        """Raise what went wrong in a stage, or count it and go on."""
        if not self._skip_errors:
            raise error
        self.errors[error.stage] += 1
        if len(self.error_texts) < _TEXTS:
            self.error_texts.append(str(error))
        if self.on_error is not None:
            self.on_error(error)

    def pull(self, traded: Traded) -> None:
        """Cancel what the pipeline has resting in a market; the lock is held."""
        if traded.state.yes.quotes:
            requote(self.engine, traded.state.yes, [])

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
        assert self.pipeline is not None
        last = self.pipeline.stages[-1]
        return failed(last, traded.ctx, words.raised(error))

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
        behind = self.fair.behind
        if fair != fair:
            for n, order in enumerate(orders):
                if order is not None:
                    behind[order.id] = self._middle(traded, quotes[n // 2])
            return
        for order in orders:
            if order is not None:
                behind[order.id] = fair

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
