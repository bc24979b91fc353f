"""A strategy at the desk: its features, its markets, and what it is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from horizon import checks, words
from horizon.errors import PipelineError
from horizon.instruments import Market
from horizon.strategies.base import Strategy, takes_context
from horizon.strategies.board import FeatureBoard
from horizon.strategies.context import StrategyContext
from horizon.strategies.signals import Signal

__all__ = ["Seat", "failure"]


class Seat:
    """A strategy in a run.

    Parameters
    ----------
    strategy : Strategy
    markets : sequence of Market
        All of the run; it chooses its own among them here.

    Attributes
    ----------
    numbers : list of int
        Of its own markets, rising.
    universe : tuple of Market
        Those that it may speak of at the moment.
    """

    __slots__ = (
        "_known",
        "_open",
        "_takes_context",
        "board",
        "name",
        "numbers",
        "places",
        "strategy",
        "universe",
    )

    def __init__(self, strategy: Strategy, markets: Sequence[Market]) -> None:
        self.strategy = strategy
        self.name = strategy.name
        self._takes_context = takes_context(strategy)
        self._known = {market.id: number for number, market in enumerate(markets)}
        self.numbers = self._chosen(strategy, markets)
        self.board = FeatureBoard(strategy.features, [markets[n].id for n in self.numbers])
        #: Numbers of its markets on its board.
        self.places = {number: place for place, number in enumerate(self.numbers)}
        self.universe: tuple[Market, ...] = ()
        self._open: dict[str, int] = {}

    def _chosen(self, strategy: Strategy, markets: Sequence[Market]) -> list[int]:
        chosen: object = strategy.eligible_markets(markets)
        where = f"eligible_markets of strategy {self.name!r}"
        if isinstance(chosen, (str, bytes)) or not isinstance(chosen, Iterable):
            raise TypeError(f"{where} must return a list of Market, returned {checks.show(chosen)}")
        numbers: set[int] = set()
        for market in chosen:
            if not isinstance(market, Market) or market.id not in self._known:
                raise ValueError(
                    f"{where} must return some of the run's markets, returned {checks.show(market)}"
                )
            numbers.add(self._known[market.id])
        return sorted(numbers)

    def show(self, markets: Sequence[Market], live: Collection[int]) -> None:
        """Say which markets of the run can be traded now."""
        own = [number for number in self.numbers if number in live]
        self._open = {markets[number].id: number for number in own}
        self.universe = tuple(markets[number] for number in own)

    def ask(self, ctx: StrategyContext, signals: dict[int, list[tuple[str, Signal]]]) -> None:
        """Put what the strategy says now into `signals`, by market number.

        Raises
        ------
        TypeError
            If it does not return a list of Signal; then nothing of it counts.
        PipelineError
            If a signal is on a market outside of its universe; likewise.
        """
        strategy, known = self.strategy, self._open
        shown = (self.board.values, self.universe)
        given: Any = (
            strategy.evaluate(*shown, ctx) if self._takes_context else strategy.evaluate(*shown)
        )
        if not isinstance(given, (list, tuple)):
            hint = "; does it lack a return?" if given is None else ""
            raise TypeError(
                f"evaluate must return a list of Signal, [] for none; returned "
                f"{checks.show(given)}{hint}"
            )
        for signal in given:  # all of them before any of them counts
            if type(signal) is not Signal:
                raise TypeError(
                    f"evaluate must return a list of Signal, it has {checks.show(signal)}"
                )
            if signal.market not in known:
                raise failure(
                    f"strategy {self.name!r}",
                    ValueError(f"signal outside of the universe: {self._why(signal.market)}"),
                    stage=self.name,
                    market_id=signal.market,
                    timestamp=ctx.timestamp,
                )
        for signal in given:
            number = known[signal.market]
            own = signals.get(number)
            if own is None:
                signals[number] = [(self.name, signal)]
            else:
                own.append((self.name, signal))

    def _why(self, market_id: str) -> str:
        number = self._known.get(market_id)
        if number is None:
            return f"the market is not in the run{checks.suggestion(market_id, self._known)}"
        if number not in self.places:
            return "the market is not eligible for this strategy"
        return "the market has no price yet, is settled, or its feed is stale"


def failure(
    what: str, error: Exception, *, stage: str, market_id: str, timestamp: float
) -> PipelineError:
    """Say what went wrong, in which market and when."""
    where = f" for market {market_id!r}" if market_id else ""
    made = PipelineError(
        f"{what} failed{where} at {words.clock(timestamp, date=True)}: {words.raised(error)}",
        stage=stage,
        market_id=market_id,
        timestamp=timestamp,
    )
    made.__cause__ = error
    return made
