"""The desk: what a run's loop calls, and what turns signals into orders.

At each step it hears of every row, so that features follow; asks the strategies; combines their
signals market by market; has the sizer say what should be held; and sends what is missing. All
targets of a step are known before its first order, and what only reduces a position goes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from horizon import checks
from horizon.errors import RiskRejected
from horizon.instruments import Market
from horizon.strategies.base import Strategy, strategies_of
from horizon.strategies.board import FeatureBoard
from horizon.strategies.context import StrategyContext
from horizon.strategies.decision_log import DecisionLog
from horizon.strategies.execution import SignalExecution, to_lots
from horizon.strategies.seats import Seat
from horizon.strategies.signals import Signal
from horizon.strategies.sizing import EqualWeight, Sizer, SizingAccount
from horizon.strategies.trading import TradingDesk, Wanted
from horizon.strategies.views import View

if TYPE_CHECKING:
    from horizon.backtesting.context import FeedRow, Portfolio, RunClient
    from horizon.engine import Engine
    from horizon.venues.records import MarketState

__all__ = ["SignalDesk", "SignalPlan", "plan_of"]


class SignalPlan(NamedTuple):
    """What a run trades by signals: `strategies`, `sizer` and `execution`, all checked."""

    strategies: tuple[Strategy, ...]
    sizer: Sizer
    execution: SignalExecution


def plan_of(
    strategies: object,
    sizer: object = None,
    execution: object = None,
) -> SignalPlan | None:
    """Check what a run was given of signals.

    Returns
    -------
    SignalPlan or None
        None without strategies. Without a sizer it is `EqualWeight`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be, or belongs to strategies that are not given.
    """
    if strategies is None:
        for name, value in (("sizer", sizer), ("execution", execution)):
            if value is not None:
                raise ValueError(f"{name} belongs to strategies=, which was not given")
        return None
    taken = strategies_of(strategies)
    if sizer is None:
        sizer = EqualWeight()
    elif isinstance(sizer, type) or not isinstance(sizer, Sizer):
        hint = "; call it" if isinstance(sizer, type) else ""
        raise TypeError(
            f"sizer must have a method target(view, account), was {checks.show(sizer)}{hint}"
        )
    if execution is None:
        execution = SignalExecution()
    elif not isinstance(execution, SignalExecution):
        raise TypeError(f"execution must be a SignalExecution, was {checks.show(execution)}")
    return SignalPlan(taken, sizer, execution)


class SignalDesk(TradingDesk):
    """Strategies, their sizer and their orders in one run.

    Parameters
    ----------
    plan : SignalPlan
    engine : Engine
        Of the run, all markets declared.
    client : RunClient
        What ``ctx.exchange`` gives.
    markets, states : sequence
        The run's markets by number.
    feeds : mapping of str to FeedRow
        The last row of each feed, which the loop brings up to date.
    feed_names : sequence of str
        Each market's feed.
    portfolio : Portfolio
    params : dict
    """

    def __init__(
        self,
        plan: SignalPlan,
        engine: Engine,
        client: RunClient,
        *,
        markets: Sequence[Market],
        states: Sequence[MarketState],
        feeds: Mapping[str, FeedRow],
        feed_names: Sequence[str],
        portfolio: Portfolio,
        params: dict[str, Any],
    ) -> None:
        log = DecisionLog([market.id for market in markets], [one.name for one in plan.strategies])
        super().__init__(engine, markets, states, plan.execution, log)
        self._sizer = plan.sizer
        self._portfolio = portfolio
        self._seats = [Seat(one, self._markets) for one in plan.strategies]
        #: Who has features to feed, market by market.
        self._fed: list[list[tuple[FeatureBoard, int, str]]] = [
            [
                (seat.board, seat.places[number], seat.name)
                for seat in self._seats
                if number in seat.places and seat.strategy.features
            ]
            for number in range(len(markets))
        ]
        wanted = {number for seat in self._seats for number in seat.numbers}
        self._market_count = max(1, len(wanted))
        self._context = StrategyContext(
            engine,
            client,
            markets=markets,
            states=states,
            feeds=feeds,
            feed_names=feed_names,
            portfolio=portfolio,
            params=params,
        )
        self._live: list[int] | None = None
        self._has_started = False
        self._has_stopped = False

    @property
    def window(self) -> int:
        """Rows until every feature of every strategy has a value; 1 without features."""
        return max(
            (one.window for seat in self._seats for one in seat.board.features.values()), default=1
        )

    @property
    def idle_strategies(self) -> list[str]:
        """Names of the strategies that no market of the run is eligible for."""
        return [seat.name for seat in self._seats if not seat.numbers]

    # ------------------------------------------------------------------ rows
    def see(self, number: int, row: FeedRow) -> None:
        """Feed a row of market `number`'s feed to the features; what it lacks is passed over."""
        for board, place, name in self._fed[number]:
            try:
                board.see(place, row)
            except Exception as error:
                what = f"a feature of strategy {name!r}"
                self._fail(what, error, name, number, row.timestamp)

    # ------------------------------------------------------------------ one evaluation
    def evaluate(self, now_ns: int, *, send: bool, stale: Collection[int] = ()) -> None:
        """Ask the strategies, and send what is missing to what they want.

        Parameters
        ----------
        now_ns : int
        send : bool
            False while a run warms up: strategies are asked, and nothing comes of it.
        stale : collection of int
            Numbers of markets whose feed is; they are left out.
        """
        self._context.now_ns = self._now_ns = now_ns
        if not self._has_started:
            self._start()
        self._show_universe(stale)
        signals: dict[int, list[tuple[str, Signal]]] = {}
        silent: set[int] = set()
        for seat in self._seats:
            if not seat.universe:
                continue
            try:
                seat.ask(self._context, signals)
            except Exception as error:
                silent.update(seat.numbers)
                if not send and isinstance(error, RiskRejected):
                    continue  # one that sends its orders itself: they do not pass yet
                self._fail(f"strategy {seat.name!r}", error, seat.name)
        if not send or not (signals or self._waiting):
            return
        # Without one of its strategies a view would be another.
        asked = [number for number in sorted(signals) if number not in silent]
        wanted = self._targets(asked, signals)
        if self._waiting:
            wanted += self._arrived(now_ns, {*signals, *silent})
        if len(wanted) > 1:
            wanted.sort(key=self._opens)
        with self._lock:
            for one in wanted:
                self._trade(one, now_ns)
            if self._waiting:
                # In a book what closes has filled by now, and what opens can follow.
                for one in self._arrived(now_ns, silent):
                    self._trade(one, now_ns)

    def _show_universe(self, stale: Collection[int]) -> None:
        live = [
            number
            for number, state in enumerate(self._states)
            if state.price == state.price and not state.settled and number not in stale
        ]
        if live == self._live:
            return
        self._live = live
        self._open = frozenset(live)
        for seat in self._seats:
            seat.show(self._markets, live)

    # ------------------------------------------------------------------ targets
    def _targets(
        self, numbers: list[int], signals: dict[int, list[tuple[str, Signal]]]
    ) -> list[Wanted]:
        portfolio = self._portfolio
        account = SizingAccount(portfolio.equity, portfolio.drawdown, self._market_count)
        wanted = []
        for number in numbers:
            try:
                wanted.append(self._target(number, signals[number], account))
            except Exception as error:
                name = type(self._sizer).__name__
                self._fail(f"sizer {name}", error, name, number)
        return wanted

    def _target(
        self, number: int, given: list[tuple[str, Signal]], account: SizingAccount
    ) -> Wanted:
        market = self._markets[number]
        view = View.of(market, given, self._states[number].price)
        least = self._execution.min_edge_bps
        edge = view.edge_bps
        if abs(edge) < least and not all(signal.sign == 0 for _, signal in given):
            return Wanted(number, view, math.nan, "edge too small", "")
        asked = self._sizer.target(view, account)
        if type(asked) is not float or not -checks.LARGEST <= asked <= checks.LARGEST:
            asked = checks.number("the target", asked)
        if asked < 0.0 and self._execution.long_only:
            return Wanted(number, view, 0.0, "", "long only")
        target = to_lots(market, asked)
        return Wanted(number, view, target, "", "no size" if target == 0.0 and edge else "")

    # ------------------------------------------------------------------ begin and end
    def _start(self) -> None:
        self._has_started = True
        for seat in self._seats:
            self._tell(seat.strategy, seat.strategy.on_start)

    def stop(self, now_ns: int) -> None:
        """Let the strategies do what comes last; a second call does nothing."""
        if not self._has_started or self._has_stopped:
            return
        self._has_stopped = True
        self._context.now_ns = self._now_ns = now_ns
        for seat in self._seats:
            self._tell(seat.strategy, seat.strategy.on_stop)

    def _tell(self, strategy: Strategy, hook: Callable[[StrategyContext], object]) -> None:
        try:
            hook(self._context)
        except Exception as error:
            name = getattr(hook, "__name__", "a hook")
            self._fail(f"{name} of strategy {strategy.name!r}", error, strategy.name)
